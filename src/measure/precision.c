/*-------------------------------------------------------------------------
 *
 * precision.c
 *	  churn_average_precision: the area under the precision-recall curve.
 *
 * The sum over thresholds, highest first, of the step in recall times the
 * precision there; no interpolation.  Rows that tie are one threshold.  NULL
 * without churners.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "measure/metric.h"

/* Average precision. */
bool
average_precision_figure(const Ranking *ranking, double *figure)
{
	RankReader	reader;
	TieGroup	group;
	int64		churners = ranking->churners.nrows; /* at or above */
	int64		rows = ranking_rows(ranking);	/* at or above */
	Sum			area = {0, 0};

	if (churners == 0)
		return false;
	rank_reader_init(&reader, ranking);
	while (rank_reader_next(&reader, &group))
	{
		if (group.churners > 0)
			sum_add(&area, (double) group.churners *
					((double) churners / (double) rows));
		churners -= group.churners;
		rows -= group.churners + group.stayers;
	}
	*figure = sum_value(&area) / (double) ranking->churners.nrows;
	return true;
}

PG_FUNCTION_INFO_V1(churn_average_precision_final);

/* Average precision of a state. */
Datum
churn_average_precision_final(PG_FUNCTION_ARGS)
{
	return ranking_figure(fcinfo, average_precision_figure);
}
