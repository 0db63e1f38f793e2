/*-------------------------------------------------------------------------
 *
 * features_rhythm.c
 *	  The user's own rhythm: gaps between days, and now against them.
 *
 * A gap is the number of days from one day of the kind to the next; n days
 * have n - 1 gaps.  All features are NULL without a gap, but lapses, which
 * are then 0, and spans kept, which need only tenure.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "history/features_groups.h"

/* Most users have fewer gaps than this: no allocation for them. */
#define GAPS_ON_STACK	256

/* What a pass over the gaps finds; only n and lapses hold when n is 0. */
typedef struct Gaps
{
	int			n;
	int			max;
	int			first;
	int			last;
	int			lapses;			/* longer than the churn window */
	int			within;			/* not longer than the recency */
	double		mean;
	double		sd;				/* of the sample; UNDEFINED for n < 2 */
	double		median;
	double		slope;			/* days per gap; UNDEFINED for n < 2 */
	double		xlnx;			/* sum of x ln x */
} Gaps;

/* List: rhythm. */
void
rhythm_list(FeatureList *list, int kind)
{
	for (FeatureId id = FEATURE_GAP_MEAN; id <= FEATURE_CLUMPINESS; id++)
		features_add(list, id, kind, -1, 0);
	if (list->spec->churn_window > 0)
		features_add(list, FEATURE_LAPSES, kind, -1, 0);
	features_add(list, FEATURE_DAYS_PAST_MEDIAN, kind, -1, 0);
	features_add(list, FEATURE_DAYS_PAST_MAX, kind, -1, 0);
	features_add(list, FEATURE_SECOND_AFTER, kind, -1, 0);
	if (list->spec->churn_window > 0)
		features_add(list, FEATURE_KEPT, kind, -1, 0);
}

/*
 * Hoare's FIND: reorder so that value[k] is the one that sorting would put
 * there, none before it larger and none after it smaller.
 */
static void
gaps_select(int32 *value, int n, int k)
{
	int			low = 0,
				high = n - 1;

	while (low < high)
	{
		int32		pivot = value[k];
		int			i = low,
					j = high;

		while (i <= j)
		{
			while (value[i] < pivot)
				i++;
			while (pivot < value[j])
				j--;
			if (i <= j)
			{
				int32		swap = value[i];

				value[i++] = value[j];
				value[j--] = swap;
			}
		}
		if (j < k)
			low = i;
		if (k < i)
			high = j;
	}
}

/* The middle gap, or the mean of the two middle ones; reorders the gaps. */
static double
gaps_median(int32 *gap, int n)
{
	int			middle = n / 2;
	int32		below;

	gaps_select(gap, n, middle);
	if (n % 2 == 1)
		return gap[middle];
	below = gap[0];
	for (int i = 1; i < middle; i++)
		below = Max(below, gap[i]);
	return (below + gap[middle]) / 2.0;
}

/* Deviations from the mean: needs the gaps in their order, and the mean. */
static void
gaps_spread(const int32 *gap, Gaps *gaps)
{
	double		centre = (gaps->n - 1) / 2.0;
	double		squares = 0;
	double		products = 0;

	gaps->sd = gaps->slope = UNDEFINED;
	if (gaps->n < 2)
		return;
	for (int i = 0; i < gaps->n; i++)
	{
		double		deviation = gap[i] - gaps->mean;

		squares += deviation * deviation;
		products += (i - centre) * deviation;
	}
	gaps->sd = sqrt(squares / (gaps->n - 1));
	gaps->slope = products /
		(gaps->n * ((double) gaps->n * gaps->n - 1) / 12.0);
}

/* One pass over the days, then the statistics that need all gaps */
static void
gaps_summarise(const FeatureInput *in, int32 *gap, Gaps *gaps)
{
	const DayList *days = &in->days;
	int			churn_window = in->list->spec->churn_window;

	memset(gaps, 0, sizeof(Gaps));
	gaps->n = Max(days->n - 1, 0);
	if (gaps->n == 0)
		return;
	for (int i = 0; i < gaps->n; i++)
	{
		gap[i] = days->day[i + 1] - days->day[i];
		gaps->max = Max(gaps->max, gap[i]);
		gaps->lapses += (gap[i] > churn_window);
		gaps->within += (gap[i] <= in->recency);
		gaps->xlnx += in->list->xlnx[gap[i]];
	}
	gaps->first = gap[0];
	gaps->last = gap[gaps->n - 1];
	gaps->mean = (in->tenure - in->recency) / gaps->n;
	gaps_spread(gap, gaps);
	gaps->median = gaps_median(gap, gaps->n);
}

/*
 * 1 + sum of x ln x / ln n over the n gaps from the first day to as_of (the
 * recency is the last of them), scaled to sum 1; with T their sum, the sum of
 * (x/T) ln(x/T) is (sum of x ln x) / T - ln T.  0 is as even as can be, 1 all
 * at once.  After Zhang, Bradlow and Small (2015), who start at the period's
 * start.
 */
static double
clumpiness(const FeatureInput *in, const Gaps *gaps)
{
	double		sum = gaps->xlnx + in->list->xlnx[(int) in->recency];

	return 1 + (sum / in->tenure - log(in->tenure)) / log(gaps->n + 1);
}

/*
 * Of the last four spans of one churn window that lie within the tenure, the
 * share with a day of the kind.
 */
static double
spans_kept(const FeatureInput *in)
{
	double		before = 0;
	int			spans = 0;
	int			kept = 0;

	for (int i = 0; i < SPANS_KEPT; i++)
	{
		int			cut = in->list->span_cut[i];

		if (cut < 0 || !(in->list->cuts[cut] <= in->tenure))
			break;
		spans++;
		kept += (in->days_cut[cut] > before);
		before = in->days_cut[cut];
	}
	return kept / (double) spans;
}

/* Put out what is about gaps alone, in the order of rhythm_list(). */
static void
put_gaps(const FeatureInput *in, const Gaps *gaps, FeatureOutput *out)
{
	feature_put(out, gaps->mean);
	feature_put(out, gaps->sd);
	feature_put(out, gaps->sd / gaps->mean);
	feature_put(out, gaps->median);
	feature_put(out, gaps->max);
	feature_put(out, gaps->last);
	feature_put(out, in->recency / gaps->mean);
	feature_put(out, (in->recency - gaps->mean) / gaps->sd);
	feature_put(out, gaps->within / (double) gaps->n);
	feature_put(out, gaps->slope);
	feature_put(out, clumpiness(in, gaps));
}

/* Compute: rhythm. */
void
rhythm_compute(const FeatureInput *in, FeatureOutput *out)
{
	bool		lapsing = in->list->spec->churn_window > 0;
	int32		buffer[GAPS_ON_STACK];
	int32	   *gap = buffer;
	Gaps		gaps;

	if (in->days.n > GAPS_ON_STACK)
		gap = palloc(sizeof(int32) * in->days.n);
	gaps_summarise(in, gap, &gaps);
	if (gaps.n > 0)
		put_gaps(in, &gaps, out);
	else
		for (FeatureId id = FEATURE_GAP_MEAN; id <= FEATURE_CLUMPINESS; id++)
			feature_put(out, UNDEFINED);
	if (lapsing)
		feature_put(out, gaps.lapses);
	feature_put(out, gaps.n > 0 ? in->recency - gaps.median : UNDEFINED);
	feature_put(out, gaps.n > 0 ? in->recency - gaps.max : UNDEFINED);
	feature_put(out, gaps.n > 0 ? gaps.first : UNDEFINED);
	if (lapsing)
		feature_put(out, spans_kept(in));
	if (gap != buffer)
		pfree(gap);
}
