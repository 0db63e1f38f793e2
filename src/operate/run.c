/*-------------------------------------------------------------------------
 *
 * run.c
 *	  CALL churn_run(study, task): the stages of a task, transactions of their
 *	  own, and a record of what became of them.
 *
 * What a stage does is SQL (runs.sql).  It is called with the rights of the
 * study's owner in a subtransaction, so that an error or a cancel is caught,
 * rolled back, recorded and committed before it is raised again; a stage that
 * succeeds commits together with its record.  An error ends its stage, a
 * cancel the run; the first error is raised at the end.
 *
 * The study's lock is held by the session throughout.  A backend that dies
 * loses it and leaves a record that says "running": whoever takes the lock
 * next marks it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/resource.h>

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

#include "study/owner.h"
#include "study/work_lock.h"

typedef struct Run
{
	MemoryContext context;		/* lives as long as the procedure */
	char	   *schema;			/* of the extension */
	OwnedCall	asked;			/* (study, task, as_of, trigger) */
	OwnedCall	step;			/* (study, run, stage, as_of, state) */
	Datum	   *stages;			/* names, texts */
	int			nstages;
	ErrorData  *error;			/* the first, or NULL */
	Datum		error_stage;	/* in which it came up */
} Run;

/*
 * Call NAME(arguments) as the owner; its one value is copied into the run's
 * context.
 */
static Datum
run_call(Run *run, OwnedCall *call, const char *name, bool *isnull)
{
	StringInfoData sql;
	Form_pg_attribute column;
	MemoryContext old;
	Datum		value;

	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT %s.%s(", quote_identifier(run->schema), name);
	for (int i = 0; i < call->nargs; i++)
		appendStringInfo(&sql, "%s$%d", i ? ", " : "", i + 1);
	appendStringInfoChar(&sql, ')');
	call->sql = sql.data;
	PushActiveSnapshot(GetTransactionSnapshot());
	owned_call_run(call);
	if (SPI_processed != 1)
		elog(ERROR, "expected one value from \"%s\"", name);
	column = TupleDescAttr(SPI_tuptable->tupdesc, 0);
	value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, isnull);
	old = MemoryContextSwitchTo(run->context);
	value = *isnull ? (Datum) 0 :
		datumCopy(value, column->attbyval, column->attlen);
	MemoryContextSwitchTo(old);
	SPI_freetuptable(SPI_tuptable);
	PopActiveSnapshot();
	return value;
}

static void
run_commit(void)
{
	SPI_commit();
	SPI_start_transaction();
}

/*
 * The same, committed.  An error is caught and returned, its work undone; the
 * session is then in a transaction that goes on.
 */
static ErrorData *
run_try(Run *run, OwnedCall *call, const char *name, Datum *value, bool *isnull)
{
	MemoryContext old = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;
	volatile bool inside = false;

	PG_TRY();
	{
		BeginInternalSubTransaction(NULL);
		inside = true;
		MemoryContextSwitchTo(old);
		CHECK_FOR_INTERRUPTS();
		*value = run_call(run, call, name, isnull);
		ReleaseCurrentSubTransaction();
		inside = false;
		MemoryContextSwitchTo(old);
		CurrentResourceOwner = owner;
		run_commit();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(run->context);
		error = CopyErrorData();
		FlushErrorState();
		/* where the commit failed, SPI has begun another transaction */
		if (inside)
		{
			RollbackAndReleaseCurrentSubTransaction();
			CurrentResourceOwner = owner;
		}
		MemoryContextSwitchTo(old);
	}
	PG_END_TRY();
	return error;
}

static bool
run_cancelled(const Run *run)
{
	return run->error != NULL &&
		run->error->sqlerrcode == ERRCODE_QUERY_CANCELED;
}

/* Try a step; whether it succeeded.  The first error is kept, and a cancel. */
static bool
run_step(Run *run, const char *name)
{
	bool		isnull = true;
	Datum		state = (Datum) 0;
	ErrorData  *error = run_try(run, &run->step, name, &state, &isnull);

	if (error != NULL && (run->error == NULL ||
						  error->sqlerrcode == ERRCODE_QUERY_CANCELED))
	{
		run->error = error;
		run->error_stage = run->step.values[2];
	}
	run->step.values[4] = state;
	run->step.nulls[4] = isnull ? 'n' : ' ';
	return error == NULL;
}

/* One stage, if it is due, step by step. */
static void
run_stage(Run *run, Datum stage)
{
	run->step.values[2] = stage;
	run->step.nulls[4] = 'n';
	if (!run_step(run, "churn_run_enter_owned") || run->step.nulls[4] == 'n')
		return;
	run->step.nulls[4] = 'n';	/* the first step has no state */
	while (run_step(run, "churn_run_step_owned") && run->step.nulls[4] == ' ')
		;
}

/* Record how the run ended; what keeps it from being recorded is a warning. */
static void
run_end(Run *run)
{
	OwnedCall	call = {.nargs = 6,.types = {TEXTOID, INT8OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID}};
	ErrorData  *error;
	bool		isnull;
	Datum		value;

	memset(call.nulls, run->error != NULL ? ' ' : 'n', 6);
	memset(call.nulls, ' ', 3);
	call.schema = run->schema;
	call.values[0] = run->step.values[0];
	call.values[1] = run->step.values[1];
	call.values[2] = CStringGetTextDatum(run->error == NULL ? "done" :
										 run_cancelled(run) ? "cancelled" : "failed");
	if (run->error != NULL)
	{
		call.values[3] = run->error_stage;
		call.values[4] = CStringGetTextDatum(unpack_sql_state(run->error->sqlerrcode));
		call.values[5] = CStringGetTextDatum(run->error->message);
	}
	error = run_try(run, &call, "churn_run_end_owned", &value, &isnull);
	/* who cancels twice means the work, not its record */
	if (error != NULL && error->sqlerrcode == ERRCODE_QUERY_CANCELED)
		error = run_try(run, &call, "churn_run_end_owned", &value, &isnull);
	if (error != NULL)
		ereport(WARNING,
				(errcode(error->sqlerrcode),
				 errmsg("could not record how the run ended: %s", error->message),
				 errhint("The next run of the study will record that it died.")));
}

/* All stages, under the lock. */
static void
run_all(Run *run)
{
	bool		isnull;

	/* what was read before the lock was taken may be out of date */
	run_commit();
	run->step.values[1] = run_call(run, &run->asked, "churn_run_begin_owned",
								   &isnull);
	run_commit();
	for (int i = 0; i < run->nstages && !run_cancelled(run); i++)
		run_stage(run, run->stages[i]);
	run_end(run);
}

/* The lock stays with the session, so it is given back whatever happens. */
static void
run_locked(Run *run, const LOCKTAG *lock)
{
	PG_TRY();
	{
		run_all(run);
	}
	PG_CATCH();
	{
		work_lock_release(lock);
		PG_RE_THROW();
	}
	PG_END_TRY();
	work_lock_release(lock);
	if (run->error != NULL)
		ReThrowError(run->error);
}

/* Another session has the lock: say so, and leave a record. */
static void
run_skip(Run *run)
{
	bool		isnull;
	Datum		why = run_call(run, &run->asked, "churn_run_skip_owned", &isnull);

	run_commit();
	ereport(NOTICE,
			(errmsg("task \"%s\" of study \"%s\" is skipped: %s",
					TextDatumGetCString(run->asked.values[1]),
					TextDatumGetCString(run->asked.values[0]),
					TextDatumGetCString(why))));
}

/* The stages of the task, or an error for an unknown one. */
static void
run_find_stages(Run *run)
{
	OwnedCall	call = run->asked;
	bool		isnull;
	Datum		stages;

	/* the study is given for whose rights it is called with */
	call.nargs = 2;
	stages = run_call(run, &call, "churn_run_stages_owned", &isnull);
	deconstruct_array(DatumGetArrayTypeP(stages), TEXTOID, -1, false,
					  TYPALIGN_INT, &run->stages, NULL, &run->nstages);
}

/* What the caller asked for; it outlives the transactions. */
static void
run_build(FunctionCallInfo fcinfo, Run *run)
{
	static const Oid asked[] = {TEXTOID, TEXTOID, DATEOID, TEXTOID};
	static const Oid step[] = {TEXTOID, INT8OID, TEXTOID, DATEOID, JSONBOID};

	run->context = CurrentMemoryContext;
	run->schema = get_namespace_name(get_func_namespace(fcinfo->flinfo->fn_oid));
	run->asked.schema = run->step.schema = run->schema;
	run->asked.nargs = lengthof(asked);
	run->step.nargs = lengthof(step);
	memcpy(run->asked.types, asked, sizeof(asked));
	memcpy(run->step.types, step, sizeof(step));
	for (int i = 0; i < run->asked.nargs; i++)
	{
		run->asked.nulls[i] = PG_ARGISNULL(i) ? 'n' : ' ';
		if (!PG_ARGISNULL(i))
			run->asked.values[i] = asked[i] == DATEOID ? PG_GETARG_DATUM(i) :
				datumCopy(PG_GETARG_DATUM(i), false, -1);
	}
	memset(run->step.nulls, ' ', sizeof(run->step.nulls));
	run->step.values[0] = run->asked.values[0];
	run->step.values[3] = run->asked.values[2];
	run->step.nulls[3] = run->asked.nulls[2];
}

PG_FUNCTION_INFO_V1(churn_run);

/* CALL churn_run(study, task, as_of, trigger) */
Datum
churn_run(PG_FUNCTION_ARGS)
{
	Run			run = {0};
	LOCKTAG		lock;

	if (fcinfo->context == NULL || !IsA(fcinfo->context, CallContext) ||
		((CallContext *) fcinfo->context)->atomic)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
				 errmsg("churn_run cannot work inside a transaction block or a function"),
				 errhint("It commits after each stage: CALL it as a statement of its own.")));
	for (int i = 0; i < 4; i++)
		if (i != 2 && PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s must not be null",
							i == 0 ? "study" : i == 1 ? "task" : "trigger")));
	SPI_connect_ext(SPI_OPT_NONATOMIC);
	run_build(fcinfo, &run);
	run_find_stages(&run);
	lock = work_lock_tag(TextDatumGetCString(run.asked.values[0]));
	if (work_lock_take(&lock, true))
		run_locked(&run, &lock);
	else
		run_skip(&run);
	SPI_finish();
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(churn_process_memory);

/* churn_process_memory(): most memory resident so far, bytes */
Datum
churn_process_memory(PG_FUNCTION_ARGS)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage) != 0 || usage.ru_maxrss <= 0)
		PG_RETURN_NULL();
	/* kilobytes, but bytes on macOS */
#ifdef __APPLE__
	PG_RETURN_INT64((int64) usage.ru_maxrss);
#else
	PG_RETURN_INT64((int64) usage.ru_maxrss * 1024);
#endif
}

PG_FUNCTION_INFO_V1(churn_cron_database);

/* churn_cron_database(): a setting that only superusers could read by SHOW */
Datum
churn_cron_database(PG_FUNCTION_ARGS)
{
	const char *name = GetConfigOption("cron.database_name", true, false);

	if (name == NULL || name[0] == '\0')
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(name));
}
