/*-------------------------------------------------------------------------
 *
 * auc.c
 *	  churn_auc and churn_auc_ci: the area under the ROC curve.
 *
 * The probability that a random churner has a higher score than a random
 * stayer, ties counting one half: the Mann-Whitney statistic over the product
 * of the counts.  Computed from integer counts, so it is exact up to one
 * division.  NULL when either class is missing.
 *
 * Its variance after DeLong, DeLong and Clarke-Pearson (Biometrics 44, 1988):
 * the placement of a churner is the share of stayers below it, that of a
 * stayer the share of churners above it (ties one half); the variance is that
 * of the churners' placements over their number plus that of the stayers'.
 * Placements come from cumulative counts, as Sun and Xu (IEEE Signal Process.
 * Lett. 21, 2014) get them from mid-ranks, in one pass over sorted scores.
 * Not defined with fewer than two of either class.  The 95 % interval is the
 * normal one, cut off at 0 and 1.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "measure/figures.h"
#include "measure/metric.h"
#include "measure/quantile.h"

/* Area under the ROC curve. */
bool
auc_figure(const Ranking *ranking, double *figure)
{
	RankReader	reader;
	TieGroup	group;
	int64		below = 0;		/* stayers with a lower score */
	Sum			wins = {0, 0};	/* in halves of a pair */

	if (!ranking_has_both(ranking))
		return false;
	rank_reader_init(&reader, ranking);
	while (rank_reader_next(&reader, &group))
	{
		if (group.churners > 0)
			sum_add(&wins, (double) group.churners *
					(double) (2 * below + group.stayers));
		below += group.stayers;
	}
	*figure = sum_value(&wins) / 2 / ((double) ranking->churners.nrows *
									  (double) ranking->stayers.nrows);
	return true;
}

/* DeLong's variance of the area "auc"; two rows of each class at least. */
static double
delong_variance(const Ranking *ranking, double auc)
{
	double		churners = (double) ranking->churners.nrows;
	double		stayers = (double) ranking->stayers.nrows;
	RankReader	reader;
	TieGroup	group;
	int64		churners_above = ranking->churners.nrows;
	int64		stayers_below = 0;
	Sum			of_churners = {0, 0};
	Sum			of_stayers = {0, 0};

	rank_reader_init(&reader, ranking);
	while (rank_reader_next(&reader, &group))
	{
		double		placement;

		churners_above -= group.churners;
		placement = (double) (2 * stayers_below + group.stayers) /
			(2 * stayers);
		sum_add(&of_churners, (double) group.churners *
				((placement - auc) * (placement - auc)));
		placement = (double) (2 * churners_above + group.churners) /
			(2 * churners);
		sum_add(&of_stayers, (double) group.stayers *
				((placement - auc) * (placement - auc)));
		stayers_below += group.stayers;
	}
	return sum_value(&of_churners) / (churners - 1) / churners +
		sum_value(&of_stayers) / (stayers - 1) / stayers;
}

/* Area with DeLong's standard error and interval. */
bool
auc_interval(const Ranking *ranking, Estimate *interval)
{
	memset(interval, 0, sizeof(*interval));
	if (!auc_figure(ranking, &interval->estimate))
		return false;
	if (ranking->churners.nrows < 2 || ranking->stayers.nrows < 2)
		return true;
	interval->has_error = true;
	interval->error = sqrt(delong_variance(ranking, interval->estimate));
	interval->lower = Max(0, interval->estimate -
						  NORMAL_975 * interval->error);
	interval->upper = Min(1, interval->estimate +
						  NORMAL_975 * interval->error);
	return true;
}

PG_FUNCTION_INFO_V1(churn_auc_final);

/* Area under the ROC curve of a state. */
Datum
churn_auc_final(PG_FUNCTION_ARGS)
{
	return ranking_figure(fcinfo, auc_figure);
}

PG_FUNCTION_INFO_V1(churn_auc_ci_final);

/* Area with DeLong's interval of a state. */
Datum
churn_auc_ci_final(PG_FUNCTION_ARGS)
{
	Estimate	interval;
	Figures		figures = {0};

	if (!auc_interval(ranking_sorted(PG_GETARG_DATUM(0)), &interval))
		PG_RETURN_NULL();
	figures_put(&figures, interval.estimate);
	figures_put_if(&figures, interval.has_error, interval.error);
	figures_put_if(&figures, interval.has_error, interval.lower);
	figures_put_if(&figures, interval.has_error, interval.upper);
	return figures_record(fcinfo, &figures);
}
