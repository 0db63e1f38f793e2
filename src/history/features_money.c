/*-------------------------------------------------------------------------
 *
 * features_money.c
 *	  What was paid: sums, means, and the last payment against the usual.
 *
 * Sums over windows are of all days; what is "per day" looks only at days on
 * which an amount was given, for money that is not known is not 0.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "history/features_groups.h"

/* List: money. */
void
money_list(FeatureList *list, int kind)
{
	const Spec *spec = list->spec;

	for (int i = 0; i < spec->nwindows; i++)
	{
		if (spec->windows[i] < spec->lookback)
			features_add(list, FEATURE_AMOUNT, kind, -1, spec->windows[i]);
		features_add(list, FEATURE_AMOUNT_MEAN, kind, -1, spec->windows[i]);
	}
	features_add(list, FEATURE_AMOUNT, kind, -1, 0);
	features_add(list, FEATURE_AMOUNT_LAST, kind, -1, 0);
	features_add(list, FEATURE_AMOUNT_MAX, kind, -1, 0);
	features_add(list, FEATURE_AMOUNT_CV, kind, -1, 0);
	features_add(list, FEATURE_AMOUNT_LAST_RATIO, kind, -1, 0);
}

/* Distribution of the amounts of days */
typedef struct DayAmounts
{
	int			n;
	double		last;
	double		max;
	double		mean;
	double		sd;				/* sample standard deviation */
} DayAmounts;

/* Two passes: a mean, then deviations from it */
static void
amounts_summarise(const DayList *days, DayAmounts *amounts)
{
	double		sum = 0;
	double		squares = 0;

	amounts->n = 0;
	amounts->last = amounts->max = UNDEFINED;
	for (int i = 0; i < days->n; i++)
	{
		if (!days->has_amount[i])
			continue;
		if (amounts->n++ == 0 || days->amount[i] > amounts->max)
			amounts->max = days->amount[i];
		sum += days->amount[i];
		amounts->last = days->amount[i];
	}
	amounts->mean = sum / amounts->n;
	for (int i = 0; i < days->n; i++)
	{
		double		deviation = days->amount[i] - amounts->mean;

		if (days->has_amount[i])
			squares += deviation * deviation;
	}
	amounts->sd = amounts->n > 1 ? sqrt(squares / (amounts->n - 1)) :
		UNDEFINED;
}

/* Compute: money. A ratio to a mean that is not positive is undefined. */
void
money_compute(const FeatureInput *in, FeatureOutput *out)
{
	const Spec *spec = in->list->spec;
	DayAmounts	amounts;
	bool		comparable;

	amounts_summarise(&in->days, &amounts);
	comparable = amounts.n > 0 && amounts.mean > 0;
	for (int i = 0; i < spec->nwindows; i++)
	{
		int			cut = in->list->window_cut[i];

		if (spec->windows[i] < spec->lookback)
			feature_put(out, in->amount_cut[cut]);
		feature_put(out, in->amount_cut[cut] / in->payments_cut[cut]);
	}
	feature_put(out, in->amount_cut[features_last_cut(in->list)]);
	feature_put(out, amounts.last);
	feature_put(out, amounts.max);
	feature_put(out, comparable ? amounts.sd / amounts.mean : UNDEFINED);
	feature_put(out, comparable ? amounts.last / amounts.mean : UNDEFINED);
}
