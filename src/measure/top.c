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

#include "measure/metric.h"

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

/* Rows in the top that the argument, a share, asks for. */
static double
rows_of_share(const Ranking *ranking)
{
	return ranking->params[0] * (double) ranking_rows(ranking);
}

/* Rows in the top that the argument, a count, asks for: no more than exist. */
static double
rows_of_count(const Ranking *ranking)
{
	return Min(ranking->params[0], (double) ranking_rows(ranking));
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

/* Share of churners among the top rows. */
static bool
precision_in(const Ranking *ranking, double rows, double *figure)
{
	if (ranking_rows(ranking) == 0)
		return false;
	*figure = top_churners(ranking, rows) / rows;
	return true;
}

/* Share of the churners that the top rows hold. */
static bool
recall_in(const Ranking *ranking, double rows, double *figure)
{
	if (ranking->churners.nrows == 0)
		return false;
	*figure = top_churners(ranking, rows) / (double) ranking->churners.nrows;
	return true;
}

/* Precision among a share of rows. */
static bool
precision_share_figure(const Ranking *ranking, double *figure)
{
	return precision_in(ranking, rows_of_share(ranking), figure);
}

/* Precision among a count of rows. */
static bool
precision_count_figure(const Ranking *ranking, double *figure)
{
	return precision_in(ranking, rows_of_count(ranking), figure);
}

/* Recall of a share of rows. */
static bool
recall_share_figure(const Ranking *ranking, double *figure)
{
	return recall_in(ranking, rows_of_share(ranking), figure);
}

/* Recall of a count of rows. */
static bool
recall_count_figure(const Ranking *ranking, double *figure)
{
	return recall_in(ranking, rows_of_count(ranking), figure);
}

PG_FUNCTION_INFO_V1(churn_share_trans);

/* (score, label, share): the share of rows above a cut-off. */
Datum
churn_share_trans(PG_FUNCTION_ARGS)
{
	Ranking    *ranking = ranking_state(fcinfo, 1, false);
	double		share = DatumGetFloat8(ranking_argument(fcinfo, 3, "share"));

	if (!(share > 0 && share <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("share must be above 0 and at most 1, not %g", share),
				 errhint("To say how many rows, give an integer.")));
	ranking_set_params(ranking, 1, &share);
	return ranking_add_row(fcinfo, ranking);
}

PG_FUNCTION_INFO_V1(churn_count_trans);

/* (score, label, count): the number of rows above a cut-off. */
Datum
churn_count_trans(PG_FUNCTION_ARGS)
{
	Ranking    *ranking = ranking_state(fcinfo, 1, false);
	int32		count = DatumGetInt32(ranking_argument(fcinfo, 3, "count"));
	double		param = count;

	if (count < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("count must be at least 1, not %d", count),
				 errhint("To say which share of the rows, give a fraction.")));
	ranking_set_params(ranking, 1, &param);
	return ranking_add_row(fcinfo, ranking);
}

PG_FUNCTION_INFO_V1(churn_lift_final);

/* Lift of a state. */
Datum
churn_lift_final(PG_FUNCTION_ARGS)
{
	return ranking_figure(fcinfo, lift_figure);
}

PG_FUNCTION_INFO_V1(churn_precision_share_final);

/* Precision by share of a state. */
Datum
churn_precision_share_final(PG_FUNCTION_ARGS)
{
	return ranking_figure(fcinfo, precision_share_figure);
}

PG_FUNCTION_INFO_V1(churn_precision_count_final);

/* Precision by count of a state. */
Datum
churn_precision_count_final(PG_FUNCTION_ARGS)
{
	return ranking_figure(fcinfo, precision_count_figure);
}

PG_FUNCTION_INFO_V1(churn_recall_share_final);

/* Recall by share of a state. */
Datum
churn_recall_share_final(PG_FUNCTION_ARGS)
{
	return ranking_figure(fcinfo, recall_share_figure);
}

PG_FUNCTION_INFO_V1(churn_recall_count_final);

/* Recall by count of a state. */
Datum
churn_recall_count_final(PG_FUNCTION_ARGS)
{
	return ranking_figure(fcinfo, recall_count_figure);
}
