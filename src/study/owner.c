/*-------------------------------------------------------------------------
 *
 * owner.c
 *	  Work for a study is done with its owner's rights, never with more.
 *
 * A study stores SQL: filters, views, triggers and defaults behind its
 * tables.  Whoever calls, be it a superuser or a member of the owner's role
 * with other rights besides, is switched to the owner before any of it runs,
 * under SECURITY_RESTRICTED_OPERATION.  Row-level security on churn_studies
 * shows a study only to members of its owner's role, who could SET ROLE
 * anyway, so nobody gains a right by this.
 *
 * churn_as_owner is the C body of public functions and procedures: called as
 * NAME(study, ...), it calls NAME_owned(study, ...) in the same schema after
 * the switch, under a pinned search_path.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/tuplestore.h"

#include "study/owner.h"

/* Become the owner; a caller who is the owner stays as they are. */
OwnerSwitch
owner_switch(Oid owner)
{
	OwnerSwitch before;

	GetUserIdAndSecContext(&before.user, &before.security_context);
#if PG_VERSION_NUM >= 160000
	/* a role can be granted without the right to become it */
	if (before.user != owner && !member_can_set_role(before.user, owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to work as role \"%s\"",
						GetUserNameFromId(owner, false)),
				 errhint("A study is run by those who may SET ROLE to its owner.")));
#endif
	if (before.user != owner)
		SetUserIdAndSecContext(owner, before.security_context |
							   SECURITY_RESTRICTED_OPERATION);
	return before;
}

void
owner_restore(const OwnerSwitch *before)
{
	SetUserIdAndSecContext(before->user, before->security_context);
}

/* Is there such a study, whoever may see it?  Only its name is looked at. */
static bool
study_exists(const char *schema, const char *study)
{
	Oid			relid = get_relname_relid("churn_studies",
										  get_namespace_oid(schema, false));
	Relation	rel = table_open(relid, AccessShareLock);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	TableScanDesc scan = table_beginscan(rel, GetActiveSnapshot(), 0, NULL);
	bool		found = false;

	while (!found && table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		bool		isnull;
		Datum		name = slot_getattr(slot, 1, &isnull);

		found = !isnull && strcmp(TextDatumGetCString(name), study) == 0;
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	table_close(rel, AccessShareLock);
	return found;
}

void
owner_study_missing(const char *schema, const char *study)
{
	if (study_exists(schema, study))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for study \"%s\"", study),
				 errhint("Only members of its owner's role may use it.")));
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("study \"%s\" does not exist", study),
			 errhint("churn_studies lists the studies that you may see; churn_create_study makes one.")));
}

PG_FUNCTION_INFO_V1(churn_study_missing);

/* churn_study_missing(study): raise the error for a study not seen */
Datum
churn_study_missing(PG_FUNCTION_ARGS)
{
	Oid			schema = get_func_namespace(fcinfo->flinfo->fn_oid);

	owner_study_missing(get_namespace_name(schema),
						text_to_cstring(PG_GETARG_TEXT_PP(0)));
	PG_RETURN_VOID();
}

/* Owner of a study, by the caller's rights; SPI is connected. */
Oid
owner_of_study(const char *schema, Datum study)
{
	Oid			type = TEXTOID;
	bool		isnull;
	Oid			owner;

	SPI_execute_with_args(psprintf("SELECT s.owner FROM %s.churn_studies AS s"
								   " WHERE s.study OPERATOR(pg_catalog.=) $1",
								   quote_identifier(schema)),
						  1, &type, &study, NULL, true, 1);
	if (SPI_processed == 0)
		owner_study_missing(schema, TextDatumGetCString(study));
	owner = DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[0],
										   SPI_tuptable->tupdesc, 1, &isnull));
	if (!SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(owner)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("the owner of study \"%s\" does not exist any more",
						TextDatumGetCString(study)),
				 errhint("A superuser can give it another by UPDATE churn_studies SET owner = ….")));
	return owner;
}

static void
owned_call_build(FunctionCallInfo fcinfo, OwnedCall *call)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID,
										ObjectIdGetDatum(fcinfo->flinfo->fn_oid));
	Form_pg_proc proc;
	StringInfoData sql;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u",
			 fcinfo->flinfo->fn_oid);
	proc = (Form_pg_proc) GETSTRUCT(tuple);
	call->nargs = proc->pronargs;
	if (call->nargs > OWNED_MAX_ARGUMENTS)
		elog(ERROR, "too many arguments for churn_as_owner");
	call->schema = get_namespace_name(proc->pronamespace);
	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT * FROM %s.%s(",
					 quote_identifier(call->schema),
					 quote_identifier(psprintf("%s_owned",
											   NameStr(proc->proname))));
	for (int i = 0; i < call->nargs; i++)
	{
		appendStringInfo(&sql, "%s$%d", i ? ", " : "", i + 1);
		call->types[i] = proc->proargtypes.values[i];
		call->nulls[i] = PG_ARGISNULL(i) ? 'n' : ' ';
		call->values[i] = PG_ARGISNULL(i) ? (Datum) 0 : PG_GETARG_DATUM(i);
	}
	appendStringInfoChar(&sql, ')');
	call->sql = sql.data;
	ReleaseSysCache(tuple);
}

void
owned_call_run(OwnedCall *call)
{
	OwnerSwitch before;
	int			nest_level;

	before = owner_switch(owner_of_study(call->schema, call->values[0]));
	nest_level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp",
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
							 true, 0, false);
	if (SPI_execute_with_args(call->sql, call->nargs, call->types,
							  call->values, call->nulls, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not run \"%s\"", call->sql);
	AtEOXact_GUC(true, nest_level);
	owner_restore(&before);
}

/* Hand the rows of SPI_tuptable to a set-returning caller. */
static void
return_rows(FunctionCallInfo fcinfo)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext old;

	if (rsinfo == NULL || !IsA(rsinfo, ReturnSetInfo) ||
		!(rsinfo->allowedModes & SFRM_Materialize))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("set-valued function called in context that cannot accept a set")));
	old = MemoryContextSwitchTo(rsinfo->econtext->ecxt_per_query_memory);
	rsinfo->returnMode = SFRM_Materialize;
	rsinfo->setDesc = CreateTupleDescCopy(SPI_tuptable->tupdesc);
	rsinfo->setResult =
		tuplestore_begin_heap(rsinfo->allowedModes & SFRM_Materialize_Random,
							  false, work_mem);
	for (uint64 i = 0; i < SPI_processed; i++)
		tuplestore_puttuple(rsinfo->setResult, SPI_tuptable->vals[i]);
	MemoryContextSwitchTo(old);
}

/* The one value of SPI_tuptable, for the caller's memory. */
static Datum
return_value(FunctionCallInfo fcinfo, MemoryContext caller)
{
	TupleDesc	desc = SPI_tuptable->tupdesc;
	Form_pg_attribute column = TupleDescAttr(desc, 0);
	Datum		value;
	MemoryContext old;

	if (SPI_processed != 1 || desc->natts != 1)
		elog(ERROR, "expected one value");
	value = SPI_getbinval(SPI_tuptable->vals[0], desc, 1, &fcinfo->isnull);
	if (fcinfo->isnull)
		return (Datum) 0;
	old = MemoryContextSwitchTo(caller);
	value = datumCopy(value, column->attbyval, column->attlen);
	MemoryContextSwitchTo(old);
	return value;
}

PG_FUNCTION_INFO_V1(churn_as_owner);

/* A set, one value, or nothing from a procedure, as NAME_owned gives it. */
Datum
churn_as_owner(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	OwnedCall	call;
	Datum		result = (Datum) 0;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("study must not be null")));
	owned_call_build(fcinfo, &call);
	SPI_connect();
	owned_call_run(&call);
	if (get_func_retset(fcinfo->flinfo->fn_oid))
	{
		return_rows(fcinfo);
		fcinfo->isnull = true;
	}
	else
		result = return_value(fcinfo, caller);
	SPI_finish();
	return result;
}
