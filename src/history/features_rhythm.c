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

/* How many gaps are not longer than "days"?  No branches: it is run often. */
static inline int
gaps_within(const int32 *gap, int n, int32 days)
{
	int			within = 0;

	for (int i = 0; i < n; i++)
		within += (gap[i] <= days);
	return within;
}

/*
 * The middle gap, or the mean of the two middle ones.  Found by bisecting the
 * days between 1 and the longest gap, which mispredicts less than selecting
 * by comparisons does: users have tens of gaps of at most some hundred days.
 */
static double
gaps_median(const int32 *gap, int n, int32 longest)
{
	int			middle = (n + 1) / 2;	/* rank of the (lower) middle gap */
	int32		low = 1,
				high = longest,
				above = longest;

	while (low < high)
	{
		int32		days = low + (high - low) / 2;

		if (gaps_within(gap, n, days) >= middle)
			high = days;
		else
			low = days + 1;
	}
	if (n % 2 == 1 || gaps_within(gap, n, low) > middle)
		return low;
	for (int i = 0; i < n; i++)
		if (gap[i] > low && gap[i] < above)
			above = gap[i];
	return (low + above) / 2.0;
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
	int			n = Max(days->n - 1, 0);
	int32		churn_window = in->list->spec->churn_window;
	int32		longest = 0;
	int			lapses = 0;
	double		xlnx = 0;

	gaps->n = n;
	gaps->lapses = 0;
	if (n == 0)
		return;
	for (int i = 0; i < n; i++)
	{
		int32		length = days->day[i + 1] - days->day[i];

		gap[i] = length;
		longest = Max(longest, length);
		lapses += (length > churn_window);
		xlnx += in->list->xlnx[length];
	}
	gaps->max = longest;
	gaps->lapses = lapses;
	gaps->xlnx = xlnx;
	gaps->first = gap[0];
	gaps->last = gap[n - 1];
	gaps->within = gaps_within(gap, n, (int32) in->recency);
	gaps->mean = (in->tenure - in->recency) / n;
	gaps->median = gaps_median(gap, n, longest);
	gaps_spread(gap, gaps);
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
