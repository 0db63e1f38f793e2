/*-------------------------------------------------------------------------
 *
 * evaluate.c
 *	  churn_evaluate: every figure of a score in one row.
 *
 * Figures that are not defined are NULL (metric.h).  Where a score lies
 * outside [0, 1] the rank figures stand, and those of probabilities are NULL.
 * With a user key the interval of the area comes from the cluster bootstrap.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "measure/bootstrap.h"
#include "measure/figures.h"

#define EVALUATE_BINS	10		/* of both calibration errors */
#define EVALUATE_SHARE	0.1		/* of lift, precision and recall */

/* A figure that takes nothing but the ranking. */
static void
put_figure(Figures *figures, const Ranking *ranking, RankingFigure figure)
{
	double		value = 0;
	bool		defined = figure(ranking, &value);

	figures_put_if(figures, defined, value);
}

/* Counts, base rate, mean score. */
static void
put_counts(Figures *figures, const Ranking *ranking,
		   const ProbabilitySums *sums, bool probable)
{
	double		rows = (double) ranking_rows(ranking);

	figures_put(figures, rows);
	figures_put(figures, (double) ranking->churners.nrows);
	figures_put(figures, (double) ranking->ignored);
	figures_put_if(figures, rows > 0, ranking->churners.nrows / rows);
	figures_put_if(figures, probable, sum_value(&sums->score) / rows);
}

/* Area with its interval, and the other figures of the order. */
static void
put_order(Figures *figures, const Ranking *ranking, const Ranking *keyed)
{
	Estimate	area;
	bool		defined;
	double		h = 0;

	if (keyed != NULL)
		defined = bootstrap_auc(keyed, &area);
	else
		defined = auc_interval(ranking, &area);
	figures_put_if(figures, defined, area.estimate);
	figures_put_if(figures, defined && area.has_error, area.error);
	figures_put_if(figures, defined && area.has_error, area.lower);
	figures_put_if(figures, defined && area.has_error, area.upper);
	put_figure(figures, ranking, ks_figure);
	put_figure(figures, ranking, average_precision_figure);
	defined = h_measure(ranking, 0, &h);
	figures_put_if(figures, defined, h);
}

/* Lift, precision and recall of the top tenth. */
static void
put_top(Figures *figures, const Ranking *ranking)
{
	double		rows = (double) ranking_rows(ranking);
	double		churners = (double) ranking->churners.nrows;
	double		top = rows * EVALUATE_SHARE;
	double		caught = rows > 0 ? top_churners(ranking, top) : 0;

	figures_put_if(figures, churners > 0, caught / top / (churners / rows));
	figures_put_if(figures, rows > 0, caught / top);
	figures_put_if(figures, churners > 0, caught / churners);
}

/* The figures of probabilities. */
static void
put_probability(Figures *figures, const Ranking *ranking,
				const ProbabilitySums *sums, bool probable)
{
	double		rows = (double) ranking_rows(ranking);
	double		large = 0;
	double		intercept = 0;
	double		slope = 0;
	bool		defined;

	figures_put_if(figures, probable, sum_value(&sums->brier) / rows);
	figures_put_if(figures, probable, sum_value(&sums->log_loss) / rows);
	figures_put_if(figures, probable, !probable ? 0 :
				   calibration_error(ranking, EVALUATE_BINS, false));
	figures_put_if(figures, probable, !probable ? 0 :
				   calibration_error(ranking, EVALUATE_BINS, true));
	defined = probable && calibration_line(ranking, false, &large, &slope);
	figures_put_if(figures, defined, large);
	defined = probable && calibration_line(ranking, true, &intercept, &slope);
	figures_put_if(figures, defined, intercept);
	figures_put_if(figures, defined, slope);
}

/* Both profits, with the default money. */
static void
put_profit(Figures *figures, const Ranking *ranking)
{
	double		profit = 0;
	double		share = 0;
	bool		defined;

	defined = profit_maximum(ranking, &profit_defaults, &profit, &share);
	figures_put_if(figures, defined, profit);
	figures_put_if(figures, defined, share);
	defined = profit_expected(ranking, &profit_defaults, &profit, &share);
	figures_put_if(figures, defined, profit);
	figures_put_if(figures, defined, share);
}

/* The whole row, in the order of the type churn_evaluation. */
static Datum
evaluation(FunctionCallInfo fcinfo, const Ranking *ranking,
		   const Ranking *keyed)
{
	ProbabilitySums sums;
	Figures		figures = {0};
	bool		probable;

	probability_sums_read(&sums, ranking);
	probable = ranking_rows(ranking) > 0 &&
		sums.lowest >= 0 && sums.highest <= 1;
	put_counts(&figures, ranking, &sums, probable);
	put_order(&figures, ranking, keyed);
	put_top(&figures, ranking);
	put_probability(&figures, ranking, &sums, probable);
	put_profit(&figures, ranking);
	return figures_record(fcinfo, &figures);
}

/* The scores of a keyed ranking without their keys, in order. */
static Ranking *
without_keys(const Ranking *keyed)
{
	Ranking    *plain = ranking_create(CurrentMemoryContext, 1);

	ranking_reserve(plain, keyed->churners.nrows, keyed->stayers.nrows);
	for (int64 i = 0; i < keyed->churners.nrows; i++)
		ranking_append(plain, true, keyed->churners.values + i * keyed->width);
	for (int64 i = 0; i < keyed->stayers.nrows; i++)
		ranking_append(plain, false, keyed->stayers.values + i * keyed->width);
	plain->ignored = keyed->ignored;
	ranking_sort(plain);
	return plain;
}

PG_FUNCTION_INFO_V1(churn_evaluate_final);

/* All figures of a state. */
Datum
churn_evaluate_final(PG_FUNCTION_ARGS)
{
	const Ranking *ranking = ranking_sorted(PG_GETARG_DATUM(0));

	ranking_require_scores(ranking);
	return evaluation(fcinfo, ranking, NULL);
}

PG_FUNCTION_INFO_V1(churn_evaluate_keyed_final);

/* All figures of a state with user keys. */
Datum
churn_evaluate_keyed_final(PG_FUNCTION_ARGS)
{
	const Ranking *keyed = ranking_view(PG_GETARG_DATUM(0));

	ranking_expect(keyed, 2, 2);
	return evaluation(fcinfo, without_keys(keyed), keyed);
}

PG_FUNCTION_INFO_V1(churn_auc_keyed_final);

/* Area of a state with user keys. */
Datum
churn_auc_keyed_final(PG_FUNCTION_ARGS)
{
	const Ranking *keyed = ranking_view(PG_GETARG_DATUM(0));
	Estimate	area;
	Figures		figures = {0};

	if (!bootstrap_auc(keyed, &area))
		PG_RETURN_NULL();
	figures_put(&figures, area.estimate);
	figures_put_if(&figures, area.has_error, area.error);
	figures_put_if(&figures, area.has_error, area.lower);
	figures_put_if(&figures, area.has_error, area.upper);
	return figures_record(fcinfo, &figures);
}
