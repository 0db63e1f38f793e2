/*-------------------------------------------------------------------------
 *
 * predict.c
 *	  churn_predict and churn_log_odds: entry points.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "learn/scorer.h"

/* A row read for (model, float8[]) */
static Scorer *
read_array(FunctionCallInfo fcinfo)
{
	Scorer	   *scorer = scorer_get(fcinfo, PG_GETARG_DATUM(0));

	scorer_read_array(scorer, PG_GETARG_ARRAYTYPE_P(1));
	return scorer;
}

/* A row read for (model, history, as_of) */
static Scorer *
read_history(FunctionCallInfo fcinfo)
{
	Scorer	   *scorer = scorer_get(fcinfo, PG_GETARG_DATUM(0));

	scorer_read_history(scorer, PG_GETARG_DATUM(1), PG_GETARG_DATEADT(2));
	return scorer;
}

/* A row read for (model, record) */
static Scorer *
read_row(FunctionCallInfo fcinfo)
{
	Scorer	   *scorer = scorer_get(fcinfo, PG_GETARG_DATUM(0));

	scorer_read_row(scorer, PG_GETARG_HEAPTUPLEHEADER(1));
	return scorer;
}

/* The model's probability for the row that was read */
static double
probability(const Scorer *scorer)
{
	return model_score(scorer->model, scorer_log_odds(scorer));
}

PG_FUNCTION_INFO_V1(churn_log_odds_array);
Datum
churn_log_odds_array(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(scorer_log_odds(read_array(fcinfo)));
}

PG_FUNCTION_INFO_V1(churn_log_odds_history);
Datum
churn_log_odds_history(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(scorer_log_odds(read_history(fcinfo)));
}

PG_FUNCTION_INFO_V1(churn_log_odds_row);
Datum
churn_log_odds_row(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(scorer_log_odds(read_row(fcinfo)));
}

PG_FUNCTION_INFO_V1(churn_predict_array);
Datum
churn_predict_array(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(probability(read_array(fcinfo)));
}

PG_FUNCTION_INFO_V1(churn_predict_history);
Datum
churn_predict_history(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(probability(read_history(fcinfo)));
}

PG_FUNCTION_INFO_V1(churn_predict_row);
Datum
churn_predict_row(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(probability(read_row(fcinfo)));
}
