/*-------------------------------------------------------------------------
 *
 * ks.c
 *	  churn_ks: the Kolmogorov-Smirnov statistic of churners against stayers.
 *
 * The largest distance, over all thresholds, between the shares of churners
 * and of stayers at or below it.  It does not ask which of them lies above:
 * a ranking upside down has the same KS, and an AUC below one half.  NULL
 * when either class is missing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "measure/metric.h"

/* Largest distance between two distribution functions. */
bool
ks_figure(const Ranking *ranking, double *figure)
{
	RankReader	reader;
	TieGroup	group;
	int64		churners = 0;
	int64		stayers = 0;
	double		largest = 0;

	if (!ranking_has_both(ranking))
		return false;
	rank_reader_init(&reader, ranking);
	while (rank_reader_next(&reader, &group))
	{
		double		distance;

		churners += group.churners;
		stayers += group.stayers;
		distance = fabs((double) churners / ranking->churners.nrows -
						(double) stayers / ranking->stayers.nrows);
		largest = Max(largest, distance);
	}
	*figure = largest;
	return true;
}

PG_FUNCTION_INFO_V1(churn_ks_final);

/* Kolmogorov-Smirnov statistic of a state. */
Datum
churn_ks_final(PG_FUNCTION_ARGS)
{
	return ranking_figure(fcinfo, ks_figure);
}
