/*-------------------------------------------------------------------------
 *
 * score.c
 *	  churn_score(user_id): one user's score, live; churn_live: its parts.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/spi.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"

#include "study/live.h"

/* The schema of the extension, quoted: that of the function called. */
static const char *
extension_schema(FunctionCallInfo fcinfo)
{
	return quote_identifier(get_namespace_name(get_func_namespace(fcinfo->flinfo->fn_oid)));
}

/* The probability by the champion's features and terms. */
static double
live_score(const Live *live)
{
	const SessionModel *m = live->model;
	int			n = features_count(m->features);
	double	   *values = palloc(sizeof(double) * n);
	bool	   *nulls = palloc(sizeof(bool) * n);

	features_compute(m->features, live->history, live->as_of, values, nulls);
	return model_score(m->model, model_log_odds(m->model, values, nulls));
}

PG_FUNCTION_INFO_V1(churn_score);

/* churn_score(user_id, study, as_of); NULL when unknown or not at risk */
Datum
churn_score(PG_FUNCTION_ARGS)
{
	Live		live;
	double		score = 0;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	SPI_connect();
	live_read(fcinfo, extension_schema(fcinfo), &live);
	if (live.standing.at_risk)
		score = live_score(&live);
	SPI_finish();
	if (!live.standing.at_risk)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(score);
}

PG_FUNCTION_INFO_V1(churn_live);

/* churn_live(user_id, study, as_of): date, history, stage, at_risk, model */
Datum
churn_live(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext old;
	Live		live;
	TupleDesc	desc;
	Datum		values[5];
	bool		nulls[5] = {false};
	HeapTuple	tuple;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	BlessTupleDesc(desc);
	SPI_connect();
	live_read(fcinfo, extension_schema(fcinfo), &live);
	old = MemoryContextSwitchTo(caller);
	nulls[1] = nulls[2] = live.history == (Datum) 0;
	values[0] = DateADTGetDatum(live.as_of);
	values[1] = live.history;
	values[2] = CStringGetTextDatum(standing_stage_name(live.standing.stage));
	values[3] = BoolGetDatum(live.standing.at_risk);
	values[4] = Int64GetDatum(live.study.model_id);
	tuple = heap_form_tuple(desc, values, nulls);
	MemoryContextSwitchTo(old);
	SPI_finish();
	PG_RETURN_DATUM(HeapTupleGetDatum(tuple));
}
