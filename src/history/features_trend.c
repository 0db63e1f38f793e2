/*-------------------------------------------------------------------------
 *
 * features_trend.c
 *	  The last days against those before.
 *
 * A window is compared only when the lookback holds both it and the window
 * of the same length before it; the same for weeks and for the year before.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "history/features_groups.h"

/* Has the kind of a list money features? */
static bool
has_money(const FeatureList *list, int kind)
{
	if (kind == FEATURES_ANY(list))
		return list->any_amount;
	return list->spec->has_amount[kind];
}

/* List: trend. */
void
trend_list(FeatureList *list, int kind)
{
	const Spec *spec = list->spec;

	for (int i = 0; i < spec->nwindows; i++)
	{
		if (list->before_cut[i] < 0)
			continue;
		features_add(list, FEATURE_TREND, kind, -1, spec->windows[i]);
		features_add(list, FEATURE_DIFF, kind, -1, spec->windows[i]);
		if (has_money(list, kind))
			features_add(list, FEATURE_AMOUNT_TREND, kind, -1,
						 spec->windows[i]);
	}
	if (list->week_cut[WEEKS_OF_SLOPE - 1] >= 0)
		features_add(list, FEATURE_SLOPE, kind, -1, 0);
	features_add(list, FEATURE_EWMA, kind, -1, 0);
	if (list->year_month_cut >= 0)
		features_add(list, FEATURE_YOY, kind, -1, 0);
}

/*
 * Share of the newer of two sums of money.  It lies between 0 and 1 only when
 * neither has the sign of the other (a window of refunds against one of
 * sales), so it is undefined then.
 */
static double
amount_share(double now, double before)
{
	if (now * before < 0)
		return UNDEFINED;
	return now / (now + before);
}

/* Money older than cut "from", up to cut "to" */
static double
amount_between(const FeatureInput *in, int from, int to)
{
	double		sum = 0;

	for (int i = from + 1; i <= to; i++)
		sum += in->amount_step[i];
	return sum;
}

/*
 * Least-squares slope of the counts of twelve weeks, oldest first, over their
 * mean: the share by which a week differs from the one before it.
 */
static double
slope_of_weeks(const FeatureInput *in)
{
	const int  *cut = in->list->week_cut;
	double		total = in->count_cut[cut[WEEKS_OF_SLOPE - 1]];
	double		centre = (WEEKS_OF_SLOPE - 1) / 2.0;
	double		squares = WEEKS_OF_SLOPE *
		(WEEKS_OF_SLOPE * WEEKS_OF_SLOPE - 1) / 12.0;
	double		products = 0;
	double		before = 0;

	for (int age = 0; age < WEEKS_OF_SLOPE; age++)
	{
		double		count = in->count_cut[cut[age]] - before;

		products += (centre - age) * count;
		before += count;
	}
	return products / squares / (total / WEEKS_OF_SLOPE);
}

/* Compute: trend. */
void
trend_compute(const FeatureInput *in, FeatureOutput *out)
{
	const FeatureList *list = in->list;

	for (int i = 0; i < list->spec->nwindows; i++)
	{
		int			cut = list->window_cut[i];
		int			end = list->before_cut[i];
		double		now,
					before;

		if (end < 0)
			continue;
		now = in->count_cut[cut];
		before = in->count_cut[end] - now;
		feature_put(out, feature_share(now, before));
		feature_put(out, now - before);
		if (in->money)
			feature_put(out, amount_share(in->amount_cut[cut],
										  amount_between(in, cut, end)));
	}
	if (list->week_cut[WEEKS_OF_SLOPE - 1] >= 0)
		feature_put(out, slope_of_weeks(in));
	feature_put(out, in->ewma);
	if (list->year_month_cut >= 0)
		feature_put(out, feature_share(in->count_cut[list->month_cut],
									   in->count_cut[list->year_month_cut] -
									   in->count_cut[list->year_cut]));
}
