/*-------------------------------------------------------------------------
 *
 * theme.c
 *	  What a feature is about, so that reasons do not repeat themselves, and
 *	  which kinds of events its words name.
 *
 * Three ways to say "has not been here for long" are one reason.  Features
 * are correlated, and a linear model spreads a cause over all that show it:
 * so a theme is as strong as the sum of its features, and is named by the one
 * of them that says it most plainly.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "history/features_groups.h"

/* Themes, and whether the feature says its theme in everyday words */
typedef struct ThemeEntry
{
	FeatureTheme theme;
	bool		plain;
} ThemeEntry;

static const ThemeEntry themes[] = {
	[FEATURE_RECENCY] = {THEME_SILENCE, true},
	[FEATURE_TENURE] = {THEME_TENURE, true},
	[FEATURE_SPAN] = {THEME_TENURE, false},
	[FEATURE_RECENCY_SHARE] = {THEME_SILENCE, false},
	[FEATURE_RECENCY_PREV] = {THEME_SILENCE, false},
	[FEATURE_COUNT] = {THEME_ACTIVITY, true},
	[FEATURE_DAYS] = {THEME_ACTIVITY, true},
	[FEATURE_RATE] = {THEME_ACTIVITY, true},
	[FEATURE_COUNT_SCALED] = {THEME_ACTIVITY, false},
	[FEATURE_AMOUNT] = {THEME_MONEY, true},
	[FEATURE_AMOUNT_MEAN] = {THEME_MONEY, true},
	[FEATURE_AMOUNT_LAST] = {THEME_MONEY, true},
	[FEATURE_AMOUNT_MAX] = {THEME_MONEY, false},
	[FEATURE_AMOUNT_CV] = {THEME_MONEY, false},
	[FEATURE_AMOUNT_LAST_RATIO] = {THEME_MONEY, true},
	[FEATURE_GAP_MEAN] = {THEME_RHYTHM, true},
	[FEATURE_GAP_SD] = {THEME_RHYTHM, false},
	[FEATURE_GAP_CV] = {THEME_RHYTHM, false},
	[FEATURE_GAP_MEDIAN] = {THEME_RHYTHM, true},
	[FEATURE_GAP_MAX] = {THEME_RHYTHM, true},
	[FEATURE_GAP_LAST] = {THEME_RHYTHM, true},
	[FEATURE_OVERDUE] = {THEME_SILENCE, true},
	[FEATURE_OVERDUE_Z] = {THEME_SILENCE, false},
	[FEATURE_GAP_RANK] = {THEME_SILENCE, false},
	[FEATURE_GAP_SLOPE] = {THEME_RHYTHM, false},
	[FEATURE_CLUMPINESS] = {THEME_RHYTHM, false},
	[FEATURE_LAPSES] = {THEME_LAPSES, true},
	[FEATURE_DAYS_PAST_MEDIAN] = {THEME_SILENCE, true},
	[FEATURE_DAYS_PAST_MAX] = {THEME_SILENCE, true},
	[FEATURE_SECOND_AFTER] = {THEME_RHYTHM, false},
	[FEATURE_KEPT] = {THEME_SILENCE, false},
	[FEATURE_TREND] = {THEME_TREND, true},
	[FEATURE_DIFF] = {THEME_TREND, true},
	[FEATURE_AMOUNT_TREND] = {THEME_TREND, false},
	[FEATURE_SLOPE] = {THEME_TREND, false},
	[FEATURE_EWMA] = {THEME_ACTIVITY, false},
	[FEATURE_YOY] = {THEME_TREND, false},
	[FEATURE_RECENCY_LESS_KEY] = {THEME_SILENCE, false},
	[FEATURE_SINCE_KEY] = {THEME_ACTIVITY, true},
	[FEATURE_WEEK_SHARE] = {THEME_ACTIVITY, false},
	[FEATURE_WEEKEND_SHARE] = {THEME_CALENDAR, true},
	[FEATURE_WEEKDAY_ENTROPY] = {THEME_CALENDAR, false},
	[FEATURE_KINDS] = {THEME_VARIETY, true},
	[FEATURE_KIND_ENTROPY] = {THEME_VARIETY, false},
	[FEATURE_KIND_ENTROPY_SCALED] = {THEME_VARIETY, false},
	[FEATURE_RATIO] = {THEME_RATIO, true}
};

/* How much less readily an awkward feature speaks for its theme */
#define AWKWARD		0.1
#define UNNAMED		0.5			/* of "any", where a kind could be named */
#define VAGUE		0.5			/* "in the last 90 days", which may be 113 */

/* See features.h. */
FeatureTheme
features_theme(const FeatureList *list, int i, double value, bool isnull,
			   double *readiness)
{
	const Feature *feature = &list->features[i];
	ThemeEntry	entry = themes[feature->id];

	*readiness = entry.plain ? 1 : AWKWARD;
	if (feature->kind == FEATURES_ANY(list) && list->any)
		*readiness *= UNNAMED;
	/* without a rhythm the phrase says that there was little or nothing */
	if (isnull && (entry.theme == THEME_SILENCE || entry.theme == THEME_RHYTHM))
		return THEME_ACTIVITY;
	if (!isnull && value == 0 &&
		(feature->id == FEATURE_SPAN || feature->id == FEATURE_LAPSES))
		return THEME_ACTIVITY;
	/* "no order in the last 90 days" says the same as "no order for 113" */
	if (!isnull && value == 0 && entry.theme == THEME_ACTIVITY &&
		feature->window > 0)
	{
		*readiness *= VAGUE;
		return THEME_SILENCE;
	}
	return entry.theme;
}

/* Is a kind the only key kind, so that "the last order" names it? */
static bool
is_only_key(const Spec *spec, int kind)
{
	for (int i = 0; i < spec->nkinds; i++)
		if (spec->is_key[i] != (i == kind))
			return false;
	return true;
}

/* Is it money of all kinds, which is told as net of refunds? */
static bool
is_any_money(const FeatureList *list, const Feature *feature)
{
	return feature->kind == FEATURES_ANY(list) &&
		((feature->id >= FEATURE_AMOUNT &&
		  feature->id <= FEATURE_AMOUNT_LAST_RATIO) ||
		 feature->id == FEATURE_AMOUNT_TREND);
}

/* See features.h. */
bool
features_speaks_of(const FeatureList *list, int i, const char *kind)
{
	const Feature *feature = &list->features[i];
	const Spec *spec = list->spec;
	int			k = 0;

	while (k < spec->nkinds && strcmp(spec->kinds[k], kind) != 0)
		k++;
	if (k == spec->nkinds)
		return false;
	if (feature->kind == k || feature->other == k ||
		(feature->kind == FEATURES_ANY(list) && !list->any))
		return true;
	if (feature->id == FEATURE_RECENCY_LESS_KEY ||
		feature->id == FEATURE_SINCE_KEY)
		return is_only_key(spec, k);
	return is_any_money(list, feature) && spec->is_refund[k];
}
