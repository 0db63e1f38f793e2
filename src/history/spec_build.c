/*-------------------------------------------------------------------------
 *
 * spec_build.c
 *	  From what a user says to a checked, canonical churn_spec.
 *
 * Canonical means: windows and kinds sorted and without duplicates, windows
 * cut to the lookback, lists of kinds turned into flags.  Two specs that mean
 * the same are then equal byte for byte, and a model trained with one scores
 * with the other.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "history/spec_build.h"

static const int default_windows[] = {7, 30, 90, 180, 365};

#define DEFAULT_LOOKBACK	730

/* Order by bytes: the order in which histories keep kinds. */
static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/* Ascending */
static int
compare_ints(const void *a, const void *b)
{
	int			x = *(const int *) a,
				y = *(const int *) b;

	return (x > y) - (x < y);
}

/* A number of days that a user named, between 1 and SPEC_MAX_DAYS */
static void
check_days(const char *what, int days)
{
	if (days < 1 || days > SPEC_MAX_DAYS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s of %d days is out of range", what, days),
				 errhint("Give a whole number of days between 1 and %d.",
						 SPEC_MAX_DAYS)));
}

/* A kind must make a readable feature name and fit into a history. */
static void
check_kind(const char *kind)
{
	size_t		length = strlen(kind);

	if (length < 1 || length > SPEC_KIND_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("kind \"%s\" has %zu bytes", kind, length),
				 errhint("The name of a kind has between 1 and %d bytes.",
						 SPEC_KIND_BYTES)));
	for (const char *c = kind; *c; c++)
		if ((unsigned char) *c < 0x20 || *c == 0x7f)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("kind name contains the control character 0x%02x",
							(unsigned char) *c),
					 errhint("Use printable characters in the names of kinds.")));
	if (strcmp(kind, "any") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("kind name \"any\" is reserved"),
				 errhint("Features named any_... are about all kinds together; choose another name for this kind.")));
}

/* Position of a kind, or -1 */
static int
kind_position(const Spec *spec, const char *kind)
{
	char	  **found = bsearch(&kind, spec->kinds, spec->nkinds,
								sizeof(char *), compare_names);

	return found ? found - spec->kinds : -1;
}

/* The kinds of the spec: checked, sorted, each once. */
static void
build_kinds(Spec *spec, const SpecArgs *args)
{
	SpecNames	said = args->kinds;

	if (!said.given && args->kind)
	{
		said.n = 1;
		said.name = (char **) &args->kind;
	}
	for (int i = 0; i < said.n; i++)
		check_kind(said.name[i]);
	spec->kinds = palloc(sizeof(char *) * Max(said.n, 1));
	if (said.n > 0)
		memcpy(spec->kinds, said.name, sizeof(char *) * said.n);
	qsort(spec->kinds, said.n, sizeof(char *), compare_names);
	for (int i = 0; i < said.n; i++)
		if (spec->nkinds == 0 ||
			strcmp(spec->kinds[spec->nkinds - 1], spec->kinds[i]) != 0)
			spec->kinds[spec->nkinds++] = spec->kinds[i];
	if (spec->nkinds > SPEC_MAX_KINDS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a spec of %d kinds is too large", spec->nkinds),
				 errhint("Name at most %d kinds; rare ones can share a name.",
						 SPEC_MAX_KINDS)));
	spec->is_key = palloc0(sizeof(bool) * Max(spec->nkinds, 1));
	spec->has_amount = palloc0(sizeof(bool) * Max(spec->nkinds, 1));
	spec->is_refund = palloc0(sizeof(bool) * Max(spec->nkinds, 1));
}

/* Flag the named kinds; one that the spec does not know may be an error. */
static void
flag_kinds(const Spec *spec, const char *list, const SpecNames *names,
		   bool *flag, bool strict)
{
	for (int i = 0; i < names->n; i++)
	{
		int			position = kind_position(spec, names->name[i]);

		if (position >= 0)
			flag[position] = true;
		else if (strict)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s names \"%s\", which is not among the kinds",
							list, names->name[i]),
					 errhint("Add it to the argument \"kinds\".")));
	}
}

/* Roles of the kinds */
static void
build_roles(Spec *spec, const SpecArgs *args)
{
	static char *refund = "refund";
	SpecNames	refunds = {true, 1, &refund};

	if (args->key_kinds.given)
		flag_kinds(spec, "key_kinds", &args->key_kinds, spec->is_key, true);
	else if (spec->nkinds == 1)
		spec->is_key[0] = true;
	if (args->amount_kinds.given)
		flag_kinds(spec, "amount_kinds", &args->amount_kinds,
				   spec->has_amount, true);
	else
		for (int i = 0; i < spec->nkinds; i++)
			spec->has_amount[i] = true;
	if (args->refund_kinds.given)
		refunds = args->refund_kinds;
	flag_kinds(spec, "refund_kinds", &refunds, spec->is_refund, false);
}

/* Windows: checked, cut to the lookback, sorted, each once. */
static void
build_windows(Spec *spec, const SpecArgs *args)
{
	const int  *said = default_windows;
	int			n = (int) lengthof(default_windows);
	int			kept = 0;

	if (args->windows_given)
	{
		said = args->windows;
		n = args->nwindows;
	}
	spec->windows = palloc(sizeof(int) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		check_days("window", said[i]);
		spec->windows[i] = Min(said[i], spec->lookback);
	}
	qsort(spec->windows, n, sizeof(int), compare_ints);
	for (int i = 0; i < n; i++)
		if ((kept == 0 || spec->windows[kept - 1] != spec->windows[i]) &&
			(spec->visible == 0 || spec->windows[i] <= spec->visible))
			spec->windows[kept++] = spec->windows[i];
	if (kept > SPEC_MAX_WINDOWS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a spec of %d windows is too large", kept),
				 errhint("Name at most %d windows.", SPEC_MAX_WINDOWS)));
	spec->nwindows = kept;
}

/*
 * "order/cart" into two positions.  A kind's name may hold a slash, so every
 * slash is tried, and exactly one must part two known kinds.
 */
static SpecRatio
build_ratio(const Spec *spec, const char *text)
{
	SpecRatio	ratio = {-1, -1};
	int			readings = 0;

	for (const char *slash = strchr(text, '/'); slash;
		 slash = strchr(slash + 1, '/'))
	{
		char	   *numerator = pnstrdup(text, slash - text);
		int			above = kind_position(spec, numerator);
		int			below = kind_position(spec, slash + 1);

		if (above < 0 || below < 0)
			continue;
		ratio.numerator = above;
		ratio.denominator = below;
		readings++;
	}
	if (readings != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 readings ? errmsg("ratio \"%s\" can be read in %d ways",
								   text, readings)
				 : errmsg("ratio \"%s\" does not name two kinds", text),
				 errhint("Write two of the argument \"kinds\" with a slash between, as in 'order/cart' for orders per cart.")));
	if (ratio.numerator == ratio.denominator)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("ratio \"%s\" names one kind twice", text),
				 errhint("Name two different kinds, as in 'order/cart'.")));
	return ratio;
}

/* Ratios in the order said, each once. */
static void
build_ratios(Spec *spec, const SpecNames *said)
{
	if (said->n > SPEC_MAX_RATIOS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a spec of %d ratios is too large", said->n),
				 errhint("Name at most %d ratios.", SPEC_MAX_RATIOS)));
	spec->ratios = palloc(sizeof(SpecRatio) * Max(said->n, 1));
	for (int i = 0; i < said->n; i++)
	{
		SpecRatio	ratio = build_ratio(spec, said->name[i]);
		bool		known = false;

		for (int j = 0; j < spec->nratios; j++)
			known |= (spec->ratios[j].numerator == ratio.numerator &&
					  spec->ratios[j].denominator == ratio.denominator);
		if (!known)
			spec->ratios[spec->nratios++] = ratio;
	}
}

/* See spec_build.h. The result shares its strings with the arguments. */
Spec *
spec_build(const SpecArgs *args)
{
	Spec	   *spec = palloc0(sizeof(Spec));

	spec->lookback = args->lookback_given ? args->lookback : DEFAULT_LOOKBACK;
	check_days("lookback", spec->lookback);
	if (args->churn_window_given)
	{
		check_days("churn window", args->churn_window);
		spec->churn_window = args->churn_window;
	}
	if (args->visible_given)
	{
		check_days("visible history", args->visible);
		spec->visible = args->visible;
	}
	build_windows(spec, args);
	build_kinds(spec, args);
	build_roles(spec, args);
	build_ratios(spec, &args->ratios);
	spec->time_zone = zone_check(args->time_zone ? args->time_zone : "UTC");
	spec->kind = args->kind;
	if (spec->kind)
		check_kind(spec->kind);
	else if (spec->nkinds == 1)
		spec->kind = spec->kinds[0];
	return spec;
}

/* The kinds that carry a flag */
static SpecNames
flagged_kinds(const Spec *spec, const bool *flag)
{
	SpecNames	names = {true, 0, NULL};

	names.name = palloc(sizeof(char *) * Max(spec->nkinds, 1));
	for (int i = 0; i < spec->nkinds; i++)
		if (flag == NULL || flag[i])
			names.name[names.n++] = spec->kinds[i];
	return names;
}

/* See spec_build.h. Shares the spec's strings. */
SpecArgs *
spec_args(const Spec *spec)
{
	SpecArgs   *args = palloc0(sizeof(SpecArgs));

	args->windows_given = true;
	args->nwindows = spec->nwindows;
	args->windows = spec->windows;
	args->lookback_given = true;
	args->lookback = spec->lookback;
	args->churn_window_given = spec->churn_window != 0;
	args->churn_window = spec->churn_window;
	args->visible_given = spec->visible != 0;
	args->visible = spec->visible;
	args->kinds = flagged_kinds(spec, NULL);
	args->key_kinds = flagged_kinds(spec, spec->is_key);
	args->amount_kinds = flagged_kinds(spec, spec->has_amount);
	args->refund_kinds = flagged_kinds(spec, spec->is_refund);
	args->ratios.given = true;
	args->ratios.n = spec->nratios;
	args->ratios.name = palloc(sizeof(char *) * Max(spec->nratios, 1));
	for (int i = 0; i < spec->nratios; i++)
	{
		SpecRatio	ratio = spec->ratios[i];

		args->ratios.name[i] = psprintf("%s/%s", spec->kinds[ratio.numerator],
										spec->kinds[ratio.denominator]);
	}
	args->time_zone = spec->time_zone;
	args->kind = spec->kind;
	return args;
}
