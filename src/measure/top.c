/*-------------------------------------------------------------------------
 *
 * top.c
 *	  churn_lift, churn_precision_at, churn_recall_at: what the highest
 *	  scores hold.
 *
 * All three follow from the number of churners among the top rows.  Rows that
 * tie across the cut-off count by their expected value under random order
 * among themselves: a group of g rows with c churners, of which r rows fit,
 * gives r * c / g.  A share of the rows need not be a whole number; the row
 * at the cut-off then counts by its fraction in the same way.
 *
 *	  precision	 churners in the top / rows in the top
 *	  recall	 churners in the top / all churners; NULL without churners
 *	  lift		 precision / share of churners among all rows; NULL likewise
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "measure/ranking.h"
#include "measure/top.h"

/*
 * Expected churners among the "rows" highest scores.  Reads upwards: what
 * lies below the cut-off is taken from the whole.
 */
double
top_churners(const Ranking *ranking, double rows)
{
	RankReader	reader;
	TieGroup	group;
	double		above = (double) ranking_rows(ranking);
	int64		churners = ranking->churners.nrows;

	rank_reader_init(&reader, ranking);
	while (rank_reader_next(&reader, &group))
	{
		double		size = (double) (group.churners + group.stayers);

		if (above - size <= rows)
		{
			double		part = Min(rows, above) - (above - size);

			return (double) (churners - group.churners) +
				part * (double) group.churners / size;
		}
		above -= size;
		churners -= group.churners;
	}
	return 0;
}

/* Rows in the top that the state's argument, a share, asks for. */
static double
rows_of_share(const Ranking *ranking)
{
	return ranking->params[0] * (double) ranking_rows(ranking);
}

/* Lift of the top share. */
static bool
lift_figure(const Ranking *ranking, double *figure)
{
	double		base;

	if (ranking->churners.nrows == 0)
		return false;
	base = (double) ranking->churners.nrows / (double) ranking_rows(ranking);
	*figure = top_churners(ranking, rows_of_share(ranking)) /
		rows_of_share(ranking) / base;
	return true;
}

PG_FUNCTION_INFO_V1(churn_lift_final);

/* Lift of a state. */
Datum
churn_lift_final(PG_FUNCTION_ARGS)
{
	return ranking_figure(fcinfo, lift_figure);
}
