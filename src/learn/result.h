/*-------------------------------------------------------------------------
 *
 * result.h
 *	  Set-returning functions that put all rows out at once.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_RESULT_H
#define CHURN_RESULT_H

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#if PG_VERSION_NUM >= 150000
#define result_begin(fcinfo) InitMaterializedSRF(fcinfo, 0)
#else
/* What InitMaterializedSRF() does from 15 on */
static inline void
result_begin(FunctionCallInfo fcinfo)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext caller;
	TupleDesc	desc;

	if (rsinfo == NULL || !IsA(rsinfo, ReturnSetInfo) ||
		!(rsinfo->allowedModes & SFRM_Materialize))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("set-valued function called in context that cannot accept a set")));
	caller = MemoryContextSwitchTo(rsinfo->econtext->ecxt_per_query_memory);
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	rsinfo->returnMode = SFRM_Materialize;
	rsinfo->setResult =
		tuplestore_begin_heap((rsinfo->allowedModes & SFRM_Materialize_Random) != 0,
							  false, work_mem);
	rsinfo->setDesc = desc;
	MemoryContextSwitchTo(caller);
}
#endif

/* A row under construction: what is not set is NULL */
#define RESULT_MAX_COLUMNS 16
typedef struct ResultRow
{
	Datum		values[RESULT_MAX_COLUMNS];
	bool		nulls[RESULT_MAX_COLUMNS];
} ResultRow;

static inline void
result_row(ResultRow *row)
{
	for (int i = 0; i < RESULT_MAX_COLUMNS; i++)
		row->nulls[i] = true;
}

static inline void
result_number(ResultRow *row, int column, double x)
{
	row->values[column] = Float8GetDatum(x);
	row->nulls[column] = false;
}

static inline void
result_integer(ResultRow *row, int column, int x)
{
	row->values[column] = Int32GetDatum(x);
	row->nulls[column] = false;
}

static inline void
result_text(ResultRow *row, int column, const char *text)
{
	row->values[column] = CStringGetTextDatum(text);
	row->nulls[column] = false;
}

/* The row is copied. */
static inline void
result_put(ResultRow *row, ReturnSetInfo *rsinfo)
{
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row->values,
						 row->nulls);
}

#endif							/* CHURN_RESULT_H */
