/*-------------------------------------------------------------------------
 *
 * figures.c
 *	  Rows of figures: one as a composite value, or many as a set.
 *
 * Figures are doubles; a column of an integer type takes the whole number.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "measure/figures.h"

/* Append a figure. */
void
figures_put(Figures *figures, double value)
{
	figures_put_if(figures, true, value);
}

/* Append a figure, or NULL where it is not defined. */
void
figures_put_if(Figures *figures, bool defined, double value)
{
	Assert(figures->count < FIGURES_MAX);
	figures->value[figures->count] = value;
	figures->null[figures->count] = !defined;
	figures->count++;
}

/* The figures as datums of the columns' types. */
static void
figures_datums(const Figures *figures, TupleDesc desc, Datum *values)
{
	if (desc->natts != figures->count)
		elog(ERROR, "%d figures for %d columns", figures->count, desc->natts);
	for (int i = 0; i < figures->count; i++)
	{
		double		value = figures->null[i] ? 0 : figures->value[i];

		switch (TupleDescAttr(desc, i)->atttypid)
		{
			case INT4OID:
				values[i] = Int32GetDatum((int32) value);
				break;
			case INT8OID:
				values[i] = Int64GetDatum((int64) value);
				break;
			default:
				values[i] = Float8GetDatum(value);
		}
	}
}

/* One composite value. */
Datum
figures_record(FunctionCallInfo fcinfo, const Figures *figures)
{
	TupleDesc	desc;
	Datum		values[FIGURES_MAX];

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	desc = BlessTupleDesc(desc);
	figures_datums(figures, desc, values);
	return HeapTupleGetDatum(heap_form_tuple(desc, values,
											 (bool *) figures->null));
}

/* Begin a set of rows. */
void
figure_rows_begin(FigureRows *rows, FunctionCallInfo fcinfo)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext old;

	if (result == NULL || !IsA(result, ReturnSetInfo) ||
		!(result->allowedModes & SFRM_Materialize))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a set of rows is returned where none is accepted"),
				 errhint("Call the function in FROM.")));
	old = MemoryContextSwitchTo(result->econtext->ecxt_per_query_memory);
	if (get_call_result_type(fcinfo, NULL, &rows->desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	rows->desc = BlessTupleDesc(CreateTupleDescCopy(rows->desc));
	rows->store = tuplestore_begin_heap((result->allowedModes &
										 SFRM_Materialize_Random) != 0,
										false, work_mem);
	MemoryContextSwitchTo(old);
	result->returnMode = SFRM_Materialize;
	result->setResult = rows->store;
	result->setDesc = rows->desc;
}

/* Add a row to the set. */
void
figure_rows_add(FigureRows *rows, const Figures *figures)
{
	Datum		values[FIGURES_MAX];

	CHECK_FOR_INTERRUPTS();
	figures_datums(figures, rows->desc, values);
	tuplestore_putvalues(rows->store, rows->desc, values,
						 (bool *) figures->null);
}
