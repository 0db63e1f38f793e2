/*-------------------------------------------------------------------------
 *
 * refresh.c
 *	  CALL churn_refresh(study): the stages of a refresh, a transaction each.
 *
 * What a stage does is SQL (churn_refresh_stage_owned in refresh.sql); it
 * takes the state that the one before returned, and NULL ends the refresh.
 * Each stage runs with the rights of the study's owner and commits, so that a
 * refresh that is killed has lost one stage.  Called where it cannot commit,
 * inside a transaction block or a function, it is part of that transaction.
 *
 * A session-level advisory lock lets one session at a time refresh a study;
 * what is left behind by errors it frees itself.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "study/owner.h"

/* Seed of the lock's key: other users of advisory locks hash otherwise */
#define REFRESH_LOCK_SEED	UINT64CONST(0x636875726e5f7266)

/* The lock of one study in this database. */
static LOCKTAG
refresh_lock_tag(const char *study)
{
	uint64		key = DatumGetUInt64(hash_any_extended((const unsigned char *) study,
													   strlen(study),
													   REFRESH_LOCK_SEED));
	LOCKTAG		tag;

	/* as pg_advisory_lock(bigint) writes it */
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) (key >> 32),
						 (uint32) key, 1);
	return tag;
}

/* Take the lock for the session, or until the end of the transaction. */
static void
refresh_lock(const LOCKTAG *tag, bool session, const char *study)
{
	if (LockAcquire(tag, ExclusiveLock, session, true) ==
		LOCKACQUIRE_NOT_AVAIL)
		ereport(ERROR,
				(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
				 errmsg("study \"%s\" is being refreshed by another session",
						study),
				 errhint("Wait until it is done; pg_stat_activity shows it.")));
}

/* Run one stage; false when it was the last.  The state is put into "call". */
static bool
refresh_stage(OwnedCall *call, MemoryContext context)
{
	bool		isnull;
	Datum		state;
	MemoryContext old;

	PushActiveSnapshot(GetTransactionSnapshot());
	owned_call_run(call);
	if (SPI_processed != 1)
		elog(ERROR, "a stage of a refresh gave no state");
	state = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
						  &isnull);
	old = MemoryContextSwitchTo(context);
	call->nulls[3] = isnull ? 'n' : ' ';
	call->values[3] = isnull ? (Datum) 0 : datumCopy(state, false, -1);
	MemoryContextSwitchTo(old);
	SPI_freetuptable(SPI_tuptable);
	PopActiveSnapshot();
	return !isnull;
}

/* The call of the first stage; what it points to outlives its transaction. */
static void
refresh_call_build(FunctionCallInfo fcinfo, OwnedCall *call)
{
	static const Oid types[] = {TEXTOID, DATEOID, INTERVALOID, JSONBOID};

	call->schema = get_namespace_name(get_func_namespace(fcinfo->flinfo->fn_oid));
	call->sql = psprintf("SELECT %s.churn_refresh_stage_owned($1, $2, $3, $4)",
						 quote_identifier(call->schema));
	call->nargs = 4;
	memcpy(call->types, types, sizeof(types));
	memset(call->nulls, 'n', 4);
	memset(call->values, 0, sizeof(call->values));
	for (int i = 0; i < 3; i++)
		if (!PG_ARGISNULL(i))
		{
			call->nulls[i] = ' ';
			call->values[i] = types[i] == DATEOID ? PG_GETARG_DATUM(i) :
				datumCopy(PG_GETARG_DATUM(i), false,
						  types[i] == INTERVALOID ? (int) sizeof(Interval) : -1);
		}
}

/* All stages in turn. */
static void
refresh_run(OwnedCall *call, bool commits)
{
	/* SPI's own context lives as long as the procedure */
	MemoryContext context = CurrentMemoryContext;

	while (refresh_stage(call, context))
	{
		if (commits)
		{
			SPI_commit();
			SPI_start_transaction();
		}
		CHECK_FOR_INTERRUPTS();
	}
	if (commits)
	{
		SPI_commit();
		SPI_start_transaction();
	}
}

/* The same under the lock, which a session keeps beyond an error. */
static void
refresh_run_locked(OwnedCall *call, const LOCKTAG *lock)
{
	PG_TRY();
	{
		refresh_run(call, true);
	}
	PG_CATCH();
	{
		LockRelease(lock, ExclusiveLock, true);
		PG_RE_THROW();
	}
	PG_END_TRY();
	LockRelease(lock, ExclusiveLock, true);
}

PG_FUNCTION_INFO_V1(churn_refresh);

/* CALL churn_refresh(study, as_of, overlap) */
Datum
churn_refresh(PG_FUNCTION_ARGS)
{
	bool		commits = fcinfo->context != NULL &&
		IsA(fcinfo->context, CallContext) &&
		!((CallContext *) fcinfo->context)->atomic;
	OwnedCall	call;
	LOCKTAG		lock;
	char	   *study;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("study must not be null")));
	SPI_connect_ext(commits ? SPI_OPT_NONATOMIC : 0);
	refresh_call_build(fcinfo, &call);
	study = TextDatumGetCString(call.values[0]);
	PushActiveSnapshot(GetTransactionSnapshot());
	(void) owner_of_study(call.schema, call.values[0]); /* rights first */
	PopActiveSnapshot();
	lock = refresh_lock_tag(study);
	refresh_lock(&lock, commits, study);
	if (commits)
		refresh_run_locked(&call, &lock);
	else
		refresh_run(&call, false);
	SPI_finish();
	PG_RETURN_VOID();
}
