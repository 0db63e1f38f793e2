/*-------------------------------------------------------------------------
 *
 * features_list.c
 *	  The list of features of a spec: which there are, and their names.
 *
 * A feature is left out when it could only repeat another one (a window as
 * long as the lookback, "any" of a single kind) or when the lookback is too
 * short to see it whole.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "history/features_groups.h"
#include "history/spec_build.h"

#define HALF_LIFE	30.0		/* days, of the decayed count */

/* What follows the kind in a name, before the window */
static const char *const suffixes[] = {
	[FEATURE_RECENCY] = "recency",
	[FEATURE_TENURE] = "tenure",
	[FEATURE_SPAN] = "span",
	[FEATURE_RECENCY_SHARE] = "recency_share",
	[FEATURE_RECENCY_PREV] = "recency_prev",
	[FEATURE_COUNT] = "count",
	[FEATURE_DAYS] = "days",
	[FEATURE_RATE] = "rate",
	[FEATURE_COUNT_SCALED] = "count_scaled",
	[FEATURE_AMOUNT] = "amount",
	[FEATURE_AMOUNT_MEAN] = "amount_mean",
	[FEATURE_AMOUNT_LAST] = "amount_last",
	[FEATURE_AMOUNT_MAX] = "amount_max",
	[FEATURE_AMOUNT_CV] = "amount_cv",
	[FEATURE_AMOUNT_LAST_RATIO] = "amount_last_ratio",
	[FEATURE_GAP_MEAN] = "gap_mean",
	[FEATURE_GAP_SD] = "gap_sd",
	[FEATURE_GAP_CV] = "gap_cv",
	[FEATURE_GAP_MEDIAN] = "gap_median",
	[FEATURE_GAP_MAX] = "gap_max",
	[FEATURE_GAP_LAST] = "gap_last",
	[FEATURE_OVERDUE] = "overdue",
	[FEATURE_OVERDUE_Z] = "overdue_z",
	[FEATURE_GAP_RANK] = "gap_rank",
	[FEATURE_GAP_SLOPE] = "gap_slope",
	[FEATURE_CLUMPINESS] = "clumpiness",
	[FEATURE_LAPSES] = "lapses",
	[FEATURE_DAYS_PAST_MEDIAN] = "days_past_median",
	[FEATURE_DAYS_PAST_MAX] = "days_past_max",
	[FEATURE_SECOND_AFTER] = "second_after",
	[FEATURE_KEPT] = "kept_4h",
	[FEATURE_TREND] = "trend",
	[FEATURE_DIFF] = "diff",
	[FEATURE_AMOUNT_TREND] = "amount_trend",
	[FEATURE_SLOPE] = "slope_12w",
	[FEATURE_EWMA] = "ewma",
	[FEATURE_YOY] = "yoy_30d",
	[FEATURE_RECENCY_LESS_KEY] = "recency_less_key",
	[FEATURE_SINCE_KEY] = "since_key",
	[FEATURE_WEEK_SHARE] = "week_share",
	[FEATURE_WEEKEND_SHARE] = "weekend_share",
	[FEATURE_WEEKDAY_ENTROPY] = "weekday_entropy",
	[FEATURE_KINDS] = "kinds",
	[FEATURE_KIND_ENTROPY] = "kind_entropy",
	[FEATURE_KIND_ENTROPY_SCALED] = "kind_entropy_scaled",
	[FEATURE_RATIO] = "per"
};

/*
 * A kind as the start of a feature name: ASCII letters in lower case, digits
 * and bytes of other scripts stay, all else becomes an underscore.
 */
static char *
sanitise_kind(const char *kind)
{
	char	   *prefix = pstrdup(kind);

	for (char *c = prefix; *c; c++)
	{
		if (*c >= 'A' && *c <= 'Z')
			*c += 'a' - 'A';
		else if (!(*c >= 'a' && *c <= 'z') && !(*c >= '0' && *c <= '9') &&
				 !IS_HIGHBIT_SET(*c))
			*c = '_';
	}
	return prefix;
}

/* Has a kind this prefix already, or is it the one of "any"? */
static bool
is_prefix_taken(const FeatureList *list, const char *prefix)
{
	for (int i = 0; i <= FEATURES_ANY(list); i++)
		if (list->prefix[i] && strcmp(list->prefix[i], prefix) == 0)
			return true;
	return false;
}

/*
 * Kinds that are their own prefix come first, so that adding a kind with a
 * stranger name never renames their features; the others get a number when
 * their prefix is taken.
 */
static void
choose_prefixes(FeatureList *list)
{
	const Spec *spec = list->spec;

	list->prefix = palloc0(sizeof(char *) * (spec->nkinds + 1));
	list->prefix[FEATURES_ANY(list)] = "any";
	for (int i = 0; i < spec->nkinds; i++)
	{
		char	   *prefix = sanitise_kind(spec->kinds[i]);

		if (strcmp(prefix, spec->kinds[i]) == 0)
			list->prefix[i] = prefix;
	}
	for (int i = 0; i < spec->nkinds; i++)
	{
		char	   *prefix = sanitise_kind(spec->kinds[i]);
		char	   *numbered = prefix;

		if (list->prefix[i])
			continue;
		for (int number = 2; is_prefix_taken(list, numbered); number++)
			numbered = psprintf("%s_%d", prefix, number);
		list->prefix[i] = numbered;
	}
}

/* Place of an age among the cuts, or -1 */
static int
find_cut(const FeatureList *list, int age)
{
	for (int i = 0; i < list->ncuts; i++)
		if (list->cuts[i] == age)
			return i;
	return -1;
}

/* Put an age among the cuts, unless the lookback does not reach it. */
static void
add_cut(FeatureList *list, int age)
{
	int			place = 0;

	if (age > list->spec->lookback || find_cut(list, age) >= 0)
		return;
	Assert(list->ncuts < FEATURES_MAX_CUTS);
	while (place < list->ncuts && list->cuts[place] < age)
		place++;
	memmove(list->cuts + place + 1, list->cuts + place,
			sizeof(int) * (list->ncuts - place));
	list->cuts[place] = age;
	list->ncuts++;
}

/* All ages that some feature asks for */
static void
choose_cuts(FeatureList *list)
{
	const Spec *spec = list->spec;

	add_cut(list, spec->lookback);
	for (int i = 0; i < spec->nwindows; i++)
	{
		add_cut(list, spec->windows[i]);
		add_cut(list, 2 * spec->windows[i]);
	}
	for (int i = 0; i < WEEKS_OF_SLOPE; i++)
		add_cut(list, 7 * (i + 1));
	for (int i = 0; i < SPANS_KEPT && spec->churn_window > 0; i++)
		add_cut(list, spec->churn_window * (i + 1));
	add_cut(list, 30);
	add_cut(list, 365);
	add_cut(list, 395);
}

/* Place of a cut that a comparison needs, or -1 beyond what is visible */
static int
find_visible_cut(const FeatureList *list, int age)
{
	if (list->spec->visible > 0 && age > list->spec->visible)
		return -1;
	return find_cut(list, age);
}

/* Remember where the cuts of each feature are. */
static void
place_cuts(FeatureList *list)
{
	const Spec *spec = list->spec;

	for (int i = 0; i < spec->nwindows; i++)
	{
		list->window_cut[i] = find_cut(list, spec->windows[i]);
		list->before_cut[i] =
			find_visible_cut(list, 2 * spec->windows[i]);
	}
	for (int i = 0; i < WEEKS_OF_SLOPE; i++)
		list->week_cut[i] = find_visible_cut(list, 7 * (i + 1));
	for (int i = 0; i < SPANS_KEPT; i++)
		list->span_cut[i] = spec->churn_window > 0 ?
			find_cut(list, spec->churn_window * (i + 1)) : -1;
	list->month_cut = find_cut(list, 30);
	list->year_cut = find_cut(list, 365);
	list->year_month_cut = find_visible_cut(list, 395);
}

/* Functions of whole days, so that a user costs no exp and few logarithms */
static void
make_tables(FeatureList *list)
{
	int			n = list->spec->lookback + 1;

	list->decay = palloc(sizeof(double) * n);
	list->xlnx = palloc(sizeof(double) * n);
	for (int i = 0; i < n; i++)
	{
		list->decay[i] = exp(-M_LN2 * i / HALF_LIFE);
		list->xlnx[i] = i == 0 ? 0 : i * log(i);
	}
}

/* The name of a feature, before it is made unique */
static char *
make_name(const FeatureList *list, FeatureId id, int kind, int other,
		  int window)
{
	StringInfoData name;

	initStringInfo(&name);
	if (id != FEATURE_KINDS && id != FEATURE_KIND_ENTROPY &&
		id != FEATURE_KIND_ENTROPY_SCALED)
		appendStringInfo(&name, "%s_", list->prefix[kind]);
	appendStringInfoString(&name, suffixes[id]);
	if (other >= 0)
		appendStringInfo(&name, "_%s", list->prefix[other]);
	if (window > 0)
		appendStringInfo(&name, "_%dd", window);
	return name.data;
}

/* See features_groups.h. */
void
features_add(FeatureList *list, FeatureId id, int kind, int other, int window)
{
	Feature    *feature;

	if (list->n >= FEATURES_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the spec makes more than %d features", FEATURES_MAX),
				 errhint("Name fewer kinds, windows or ratios.")));
	if (list->n == list->room)
	{
		list->room *= 2;
		list->features = repalloc(list->features,
								  sizeof(Feature) * list->room);
	}
	feature = &list->features[list->n++];
	feature->id = id;
	feature->kind = kind;
	feature->other = other;
	feature->window = window;
	feature->name = make_name(list, id, kind, other, window);
}

/* Order of features by name, then by place */
static int
compare_features(const void *a, const void *b)
{
	const Feature *x = *(Feature *const *) a,
			   *y = *(Feature *const *) b;
	int			order = strcmp(x->name, y->name);

	return order ? order : (x > y) - (x < y);
}

/* Order of plain names */
static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/*
 * Two features can still share a name: kinds "a" and "a_amount" both make
 * a_amount_trend_30d.  All but the first get a number.  Names given here
 * cannot meet each other, so only those from before need looking up.
 */
static void
make_names_unique(FeatureList *list)
{
	Feature   **sorted = palloc(sizeof(Feature *) * Max(list->n, 1));
	char	  **names = palloc(sizeof(char *) * Max(list->n, 1));
	int			number = 1;

	for (int i = 0; i < list->n; i++)
		sorted[i] = &list->features[i];
	qsort(sorted, list->n, sizeof(Feature *), compare_features);
	for (int i = 0; i < list->n; i++)
		names[i] = sorted[i]->name;
	for (int i = 1; i < list->n; i++)
	{
		if (strcmp(names[i - 1], names[i]) != 0)
		{
			number = 1;
			continue;
		}
		do
			sorted[i]->name = psprintf("%s_%d", names[i], ++number);
		while (bsearch(&sorted[i]->name, names, list->n, sizeof(char *),
					   compare_names));
	}
	pfree(sorted);
	pfree(names);
}

/* All groups that every kind has */
static void
list_kind(FeatureList *list, int kind, bool money)
{
	frequency_list(list, kind);
	if (money)
		money_list(list, kind);
	rhythm_list(list, kind);
	trend_list(list, kind);
}

/* Which parts of "any" would not repeat a single kind? */
static void
choose_any(FeatureList *list)
{
	const Spec *spec = list->spec;
	int			paying = 0;

	for (int i = 0; i < spec->nkinds; i++)
	{
		paying += spec->has_amount[i];
		list->any_key |= spec->is_key[i];
	}
	list->any = spec->nkinds > 1;
	list->any_amount = paying > 1;
}

/* The features, in the order in which features_compute() puts them out */
static void
list_all(FeatureList *list)
{
	const Spec *spec = list->spec;

	for (int i = 0; i < spec->nkinds; i++)
	{
		list_kind(list, i, spec->has_amount[i]);
		if (list->any_key && !spec->is_key[i])
			key_list(list, i);
	}
	if (list->any)
		list_kind(list, FEATURES_ANY(list), list->any_amount);
	calendar_list(list);
	if (list->any)
		variety_list(list);
	ratios_list(list);
}

/* See features.h. */
FeatureList *
features_list(const Spec *spec)
{
	FeatureList *list = palloc0(sizeof(FeatureList));

	if (spec->nkinds == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the spec names no kinds of events, so it has no features"),
				 errhint("Name them, as in churn_spec(kinds => ARRAY['order', 'view'], key_kinds => ARRAY['order']).")));
	list->spec = spec_decode(spec_encode(spec));
	list->room = 256;
	list->features = palloc(sizeof(Feature) * list->room);
	choose_prefixes(list);
	choose_cuts(list);
	place_cuts(list);
	make_tables(list);
	choose_any(list);
	list_all(list);
	make_names_unique(list);
	return list;
}

/* See features.h. */
int
features_count(const FeatureList *list)
{
	return list->n;
}

/* See features.h. */
const char *
features_name(const FeatureList *list, int i)
{
	Assert(i >= 0 && i < list->n);
	return list->features[i].name;
}

/* See features_groups.h. */
int
features_find(const FeatureList *list, FeatureId id, int kind, int window)
{
	for (int i = 0; i < list->n; i++)
		if (list->features[i].id == id && list->features[i].kind == kind &&
			list->features[i].window == window)
			return i;
	return -1;
}
