/*-------------------------------------------------------------------------
 *
 * history_agg.c
 *	  The aggregates churn_history(...) and churn_merge(churn_history).
 *
 * "What has this user done": per calendar day and kind of event, how many
 * and how much money, and how late it was known.
 *
 * No rows, or none with a time: NULL.  Order of rows does not matter, nor
 * how they are spread over workers: entries are integers and exact sums, and
 * a history has one form.  Days are kept, hours are not, so ties are sums.
 * What is refused: see history_args.c.  A state starts at 256 bytes, which
 * is about 50 events, and is never far above the history it will become
 * (history_state.c).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "history/history_args.h"
#include "history/history_state.h"

/* The aggregate's context; an error when called otherwise. */
static MemoryContext
aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "aggregate function called in non-aggregate context");
	return context;
}

/* The state in argument 0, made when there is none: the one constructor. */
static HistoryState *
state_argument(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!PG_ARGISNULL(0))
		return (HistoryState *) PG_GETARG_POINTER(0);
	context = aggregate_context(fcinfo);
	return history_state_create(context, kinds_shared(context));
}

/* What the transition functions return for a row that adds nothing. */
static Datum
unchanged_state(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

/* Add one event. */
PG_FUNCTION_INFO_V1(churn_history_trans);
Datum
churn_history_trans(PG_FUNCTION_ARGS)
{
	HistoryState *state;
	HistoryEvent event;
	uint32		kind;

	if (!history_args_read(fcinfo, &event))
		return unchanged_state(fcinfo);
	state = state_argument(fcinfo);
	kind = kinds_number(state->kinds, event.kind, event.kind_bytes);
	state = history_state_add_event(state, kind, event.day, event.lag,
									event.has_amount, event.amount);
	PG_RETURN_POINTER(state);
}

/* Add one history. */
PG_FUNCTION_INFO_V1(churn_merge_trans);
Datum
churn_merge_trans(PG_FUNCTION_ARGS)
{
	HistoryState *state;
	struct varlena *history;

	if (PG_ARGISNULL(1))
		return unchanged_state(fcinfo);
	history = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(1));
	state = history_state_add_encoded(state_argument(fcinfo),
									  VARDATA_ANY(history),
									  VARSIZE_ANY_EXHDR(history));
	PG_RETURN_POINTER(state);
}

/* Add the right state to the left one. */
PG_FUNCTION_INFO_V1(churn_history_combine);
Datum
churn_history_combine(PG_FUNCTION_ARGS)
{
	HistoryState *state;

	if (PG_ARGISNULL(1))
		return unchanged_state(fcinfo);
	state = history_state_add_state(state_argument(fcinfo),
									(HistoryState *) PG_GETARG_POINTER(1));
	PG_RETURN_POINTER(state);
}

/* A state on its way to another process is the history it stands for. */
PG_FUNCTION_INFO_V1(churn_history_serial);
Datum
churn_history_serial(PG_FUNCTION_ARGS)
{
	(void) aggregate_context(fcinfo);
	PG_RETURN_POINTER(history_state_build((HistoryState *)
										  PG_GETARG_POINTER(0)));
}

/* The state that combine reads: encoded, in the current context. */
PG_FUNCTION_INFO_V1(churn_history_deserial);
Datum
churn_history_deserial(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	uint32		nbytes = VARSIZE_ANY_EXHDR(bytes);
	HistoryState *state;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "aggregate function called in non-aggregate context");
	state = palloc(offsetof(HistoryState, log) + nbytes);
	state->kinds = NULL;
	state->size = state->used = nbytes;
	state->rows = 0;
	state->day = 0;
	memcpy(state->log, VARDATA_ANY(bytes), nbytes);
	PG_RETURN_POINTER(state);
}

/* The history of the state, which stays as it is. */
PG_FUNCTION_INFO_V1(churn_history_final);
Datum
churn_history_final(PG_FUNCTION_ARGS)
{
	(void) aggregate_context(fcinfo);
	PG_RETURN_POINTER(history_state_build((HistoryState *)
										  PG_GETARG_POINTER(0)));
}
