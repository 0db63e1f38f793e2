/*-------------------------------------------------------------------------
 *
 * history_args.c
 *	  Reads one event out of the arguments of churn_history().
 *
 * All overloads share one C function.  Their arguments come in the order
 *
 *	  time date | timestamp | timestamptz
 *	  kind text				left out where the spec has a constant kind
 *	  amount float8
 *	  known_at				of the type of time, may be left out
 *	  spec churn_spec		may be left out for date and timestamp
 *
 * so their types say which is which.
 *
 *	  time		NULL: the row is ignored.  Infinite: 22008.
 *	  kind		NULL: 22004.  Empty or longer than 63 bytes: 22023.
 *	  amount	NULL: an event without money.  NaN or infinite: 22003.
 *	  known_at	NULL: known at once.  Infinite: 22008.  Before time: at once.
 *	  spec		NULL: 22004.  Without a kind where that is needed: 22023.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "utils/date.h"
#include "utils/float.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "history/history_args.h"
#include "history/limits.h"

/* Find the arguments by the types that this function is declared with. */
static void
args_classify(HistoryArgs *args, Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Form_pg_proc proc;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	proc = (Form_pg_proc) GETSTRUCT(tuple);
	if (proc->pronargs < 4)
		elog(ERROR, "churn_history_trans has too few arguments");
	args->time_type = proc->proargtypes.values[1];
	for (int i = 2; i < proc->pronargs; i++)
	{
		Oid			type = proc->proargtypes.values[i];

		if (type == TEXTOID)
			args->kind = i;
		else if (type == FLOAT8OID)
			args->amount = i;
		else if (type == args->time_type)
			args->known_at = i;
		else
			args->spec = i;
	}
	ReleaseSysCache(tuple);
}

/* The HistoryArgs of this call site, made at its first row. */
static HistoryArgs *
args_get(FunctionCallInfo fcinfo)
{
	HistoryArgs *args = fcinfo->flinfo->fn_extra;

	if (args == NULL)
	{
		args = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt,
									  sizeof(HistoryArgs));
		args_classify(args, fcinfo->flinfo->fn_oid);
		fcinfo->flinfo->fn_extra = args;
	}
	return args;
}

/* Keep a spec decoded; nothing to do while it is the one of the last row. */
static void
args_decode_spec(HistoryArgs *args, FunctionCallInfo fcinfo)
{
	struct varlena *value = (struct varlena *)
		DatumGetPointer(PG_GETARG_DATUM(args->spec));
	MemoryContext old;

	if (args->spec_value != NULL &&
		VARSIZE_ANY(value) == VARSIZE_ANY(args->spec_value) &&
		memcmp(value, args->spec_value, VARSIZE_ANY(value)) == 0)
		return;
	args->spec_value = NULL;
	if (args->spec_context == NULL)
		args->spec_context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt,
												   "churn_history spec",
												   ALLOCSET_SMALL_SIZES);
	MemoryContextReset(args->spec_context);
	old = MemoryContextSwitchTo(args->spec_context);
	args->decoded = spec_decode(PointerGetDatum(value));
	args->zone = zone_days_create(args->decoded->time_zone);
	if (args->decoded->kind)
		args->kind_bytes = (uint32) strlen(args->decoded->kind);
	args->spec_value = palloc(VARSIZE_ANY(value));
	memcpy(args->spec_value, value, VARSIZE_ANY(value));
	MemoryContextSwitchTo(old);
}

/* An argument that may not be NULL is. */
static void
refuse_null(const char *argument)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("argument \"%s\" of churn_history is null", argument)));
}

/* A day or moment that must be finite is not. */
static void
refuse_infinite(const char *argument)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
			 errmsg("argument \"%s\" of churn_history is infinite", argument),
			 errhint("Leave such rows out with FILTER or WHERE isfinite(...).")));
}

/* The calendar day of argument number i, called "name" in messages. */
static inline int32
args_day(FunctionCallInfo fcinfo, const HistoryArgs *args, int i,
		 const char *name)
{
	Timestamp	moment;
	int64		day;

	if (args->time_type == DATEOID)
	{
		DateADT		date = PG_GETARG_DATEADT(i);

		if (DATE_NOT_FINITE(date))
			refuse_infinite(name);
		return date;
	}
	moment = PG_GETARG_TIMESTAMP(i);
	if (TIMESTAMP_NOT_FINITE(moment))
		refuse_infinite(name);
	if (args->time_type == TIMESTAMPTZOID)
		return zone_days_from_timestamptz(args->zone, moment);
	day = moment / USECS_PER_DAY;
	if (moment % USECS_PER_DAY < 0)
		day--;
	return (int32) day;
}

/* Days from an event to its being known, within the limits of a lag. */
static inline int32
args_lag(int32 day, int32 known_day)
{
	int64		lag = (int64) known_day - day;

	return (int32) Max(0, Min(lag, HISTORY_MAX_LAG));
}

/* Read the kind: of the row, or the constant one of the spec. */
static inline void
args_kind(FunctionCallInfo fcinfo, const HistoryArgs *args,
		  HistoryEvent *event)
{
	text	   *kind;

	if (args->kind == 0)
	{
		event->kind = args->decoded->kind;
		event->kind_bytes = args->kind_bytes;
		if (event->kind == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("argument \"spec\" of churn_history has no constant kind"),
					 errhint("Give the kind as an argument, or make the spec with churn_spec(kind => 'order').")));
		return;
	}
	if (PG_ARGISNULL(args->kind))
		refuse_null("kind");
	kind = PG_GETARG_TEXT_PP(args->kind);
	event->kind = VARDATA_ANY(kind);
	event->kind_bytes = VARSIZE_ANY_EXHDR(kind);
	if (event->kind_bytes == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"kind\" of churn_history is empty")));
	if (event->kind_bytes > HISTORY_KIND_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"kind\" of churn_history has %u bytes, the limit is %d",
						event->kind_bytes, HISTORY_KIND_BYTES)));
}

/*
 * Read one event; false for a row without a time.  The kind points into the
 * arguments or the spec.
 */
bool
history_args_read(FunctionCallInfo fcinfo, HistoryEvent *event)
{
	HistoryArgs *args = args_get(fcinfo);

	if (PG_ARGISNULL(1))
		return false;
	if (args->spec != 0)
	{
		if (PG_ARGISNULL(args->spec))
			refuse_null("spec");
		args_decode_spec(args, fcinfo);
	}
	args_kind(fcinfo, args, event);
	event->day = args_day(fcinfo, args, 1,
						  args->time_type == DATEOID ? "day" : "ts");
	event->lag = 0;
	if (args->known_at != 0 && !PG_ARGISNULL(args->known_at))
		event->lag = args_lag(event->day,
							  args_day(fcinfo, args, args->known_at,
									   "known_at"));
	event->has_amount = !PG_ARGISNULL(args->amount);
	event->amount = event->has_amount ? PG_GETARG_FLOAT8(args->amount) : 0;
	if (!isfinite(event->amount))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("argument \"amount\" of churn_history is %s",
						isnan(event->amount) ? "NaN" : "infinite")));
	return true;
}
