/*-------------------------------------------------------------------------
 *
 * predict.c
 *	  churn_predict and churn_log_odds: entry points.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "learn/scorer.h"

/* Log-odds for (model, float8[]) */
static double
array_log_odds(FunctionCallInfo fcinfo)
{
	Scorer	   *scorer = scorer_get(fcinfo, PG_GETARG_DATUM(0));

	scorer_read_array(scorer, PG_GETARG_ARRAYTYPE_P(1));
	return scorer_log_odds(scorer);
}

/* Log-odds for (model, history, as_of) */
static double
history_log_odds(FunctionCallInfo fcinfo)
{
	Scorer	   *scorer = scorer_get(fcinfo, PG_GETARG_DATUM(0));

	scorer_read_history(scorer, PG_GETARG_DATUM(1), PG_GETARG_DATEADT(2));
	return scorer_log_odds(scorer);
}

/* Log-odds for (model, record) */
static double
row_log_odds(FunctionCallInfo fcinfo)
{
	Scorer	   *scorer = scorer_get(fcinfo, PG_GETARG_DATUM(0));

	scorer_read_row(scorer, PG_GETARG_HEAPTUPLEHEADER(1));
	return scorer_log_odds(scorer);
}

/* The model's probability for log-odds that were just computed with it */
static double
probability(FunctionCallInfo fcinfo, double log_odds)
{
	const Scorer *scorer = fcinfo->flinfo->fn_extra;

	return model_score(scorer->model, log_odds);
}

PG_FUNCTION_INFO_V1(churn_log_odds_array);
Datum
churn_log_odds_array(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(array_log_odds(fcinfo));
}

PG_FUNCTION_INFO_V1(churn_log_odds_history);
Datum
churn_log_odds_history(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(history_log_odds(fcinfo));
}

PG_FUNCTION_INFO_V1(churn_log_odds_row);
Datum
churn_log_odds_row(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(row_log_odds(fcinfo));
}

PG_FUNCTION_INFO_V1(churn_predict_array);
Datum
churn_predict_array(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(probability(fcinfo, array_log_odds(fcinfo)));
}

PG_FUNCTION_INFO_V1(churn_predict_history);
Datum
churn_predict_history(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(probability(fcinfo, history_log_odds(fcinfo)));
}

PG_FUNCTION_INFO_V1(churn_predict_row);
Datum
churn_predict_row(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(probability(fcinfo, row_log_odds(fcinfo)));
}
