/*-------------------------------------------------------------------------
 *
 * auc.c
 *	  churn_auc: the area under the ROC curve.
 *
 * The probability that a random churner has a higher score than a random
 * stayer, ties counting one half: the Mann-Whitney statistic over the product
 * of the counts.  Computed from integer counts, so it is exact up to one
 * division.  NULL when either class is missing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "measure/ranking.h"

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

PG_FUNCTION_INFO_V1(churn_auc_final);

/* Area under the ROC curve of a state. */
Datum
churn_auc_final(PG_FUNCTION_ARGS)
{
	return ranking_figure(fcinfo, auc_figure);
}
