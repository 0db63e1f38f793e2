/*-------------------------------------------------------------------------
 *
 * fit_aggregate.c
 *	  churn_fit as an aggregate, over feature arrays and over rows by name.
 *
 * The result depends on the set of rows and the options alone: neither on
 * the order of rows nor on workers.  No labelled row gives NULL; a single
 * class is error 22023.  There is no combine function: rows are needed
 * whole, and fitting itself is what runs in parallel.
 *
 * State: the rows, 8 bytes a value, 16 a row.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "history/features.h"
#include "learn/fit.h"
#include "learn/row_reader.h"
#include "learn/scorer.h"

typedef struct FitState
{
	MemoryContext context;		/* of the aggregate; holds everything */
	FitRows    *rows;
	Datum		spec;			/* array form */
	RowReader  *row;			/* row form */
	double	   *values;			/* of the current row */
	bool	   *nulls;
} FitState;

/* An empty state; the one place that asks who calls */
static FitState *
fit_state_create(FunctionCallInfo fcinfo)
{
	MemoryContext aggregate;
	FitState   *state;

	if (!AggCheckCallContext(fcinfo, &aggregate))
		elog(ERROR, "churn_fit transition function called in non-aggregate context");
	state = MemoryContextAllocZero(aggregate, sizeof(FitState));
	state->context = AllocSetContextCreate(aggregate, "churn_fit rows",
										   ALLOCSET_DEFAULT_SIZES);
	return state;
}

/* Options in the state's own memory */
static FitOptions *
read_options(FunctionCallInfo fcinfo, int argument)
{
	if (PG_NARGS() <= argument || PG_ARGISNULL(argument))
		return fit_options_read(NULL);
	return fit_options_read(PG_GETARG_JSONB_P_COPY(argument));
}

static void
set_inputs(FitState *state, int count, char **names, FitOptions *options)
{
	state->values = palloc(sizeof(double) * Max(count, 1));
	state->nulls = palloc(sizeof(bool) * Max(count, 1));
	state->rows = fit_rows_create(state->context, count, names, options);
}

/* ---- arrays: (state, features, churned, user_key, spec, options) ---- */

/* The inputs are the features of the first row's spec. */
static void
array_start(FitState *state, FunctionCallInfo fcinfo)
{
	MemoryContext caller = MemoryContextSwitchTo(state->context);
	FeatureList *list;
	char	  **names;
	int			count;

	if (PG_ARGISNULL(4))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("spec must not be NULL")));
	state->spec = PointerGetDatum(PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(4)));
	list = features_list(spec_decode(state->spec));
	count = features_count(list);
	names = palloc(sizeof(char *) * Max(count, 1));
	for (int i = 0; i < count; i++)
		names[i] = pstrdup(features_name(list, i));
	set_inputs(state, count, names, read_options(fcinfo, 5));
	MemoryContextSwitchTo(caller);
}

/* One model has one spec. */
static void
check_same_spec(const FitState *state, FunctionCallInfo fcinfo)
{
	struct varlena *spec;
	struct varlena *first = (struct varlena *) DatumGetPointer(state->spec);

	if (!PG_ARGISNULL(4))
	{
		spec = PG_DETOAST_DATUM(PG_GETARG_DATUM(4));
		if (VARSIZE(spec) == VARSIZE(first) &&
			memcmp(spec, first, VARSIZE(first)) == 0)
			return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("spec must be the same in all rows")));
}

PG_FUNCTION_INFO_V1(churn_fit_trans);
Datum
churn_fit_trans(PG_FUNCTION_ARGS)
{
	FitState   *state = PG_ARGISNULL(0) ? fit_state_create(fcinfo) :
		(FitState *) PG_GETARG_POINTER(0);

	if (state->rows == NULL)
		array_start(state, fcinfo);
	else
		check_same_spec(state, fcinfo);
	if (PG_ARGISNULL(2))
	{
		fit_rows_skip_unlabelled(state->rows);
		PG_RETURN_POINTER(state);
	}
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("features must not be NULL where churned is known")));
	scorer_array_numbers(PG_GETARG_ARRAYTYPE_P(1),
						 fit_rows_columns(state->rows), state->values,
						 state->nulls);
	fit_rows_add(state->rows, state->values, state->nulls, PG_GETARG_BOOL(2),
				 !PG_ARGISNULL(3), PG_ARGISNULL(3) ? 0 : PG_GETARG_INT64(3));
	PG_RETURN_POINTER(state);
}

/* ---- rows: (state, row, label_column, options) ---- */

/* Everything about the row type, from the first row */
static void
row_start(FitState *state, FunctionCallInfo fcinfo, HeapTupleHeader tuple)
{
	MemoryContext caller = MemoryContextSwitchTo(state->context);
	FitOptions *options;
	char	  **names;
	int			count;

	if (PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("label column must not be NULL")));
	options = read_options(fcinfo, 3);
	options->row_form = true;
	state->row = row_reader_create(tuple,
								   text_to_cstring(PG_GETARG_TEXT_PP(2)),
								   options);
	names = row_reader_names(state->row, &count);
	set_inputs(state, count, names, options);
	fit_rows_set_inputs(state->rows, row_reader_inputs(state->row));
	MemoryContextSwitchTo(caller);
}

PG_FUNCTION_INFO_V1(churn_fit_row_trans);
Datum
churn_fit_row_trans(PG_FUNCTION_ARGS)
{
	FitState   *state = PG_ARGISNULL(0) ? fit_state_create(fcinfo) :
		(FitState *) PG_GETARG_POINTER(0);
	HeapTupleHeader tuple;
	LabelledRow row;

	if (PG_ARGISNULL(1))
		PG_RETURN_POINTER(state);
	tuple = PG_GETARG_HEAPTUPLEHEADER(1);
	if (state->rows == NULL)
		row_start(state, fcinfo, tuple);
	if (row_reader_read(state->row, tuple, state->values, state->nulls, &row))
		fit_rows_add(state->rows, state->values, state->nulls, row.churned,
					 row.grouped, row.group_id);
	else
		fit_rows_skip_unlabelled(state->rows);
	PG_RETURN_POINTER(state);
}

/* ---- both ---- */

/* All that fitting allocates lies in a context of its own. */
PG_FUNCTION_INFO_V1(churn_fit_final);
Datum
churn_fit_final(PG_FUNCTION_ARGS)
{
	FitState   *state = PG_ARGISNULL(0) ? NULL :
		(FitState *) PG_GETARG_POINTER(0);
	MemoryContext caller = CurrentMemoryContext,
				context;
	Model	   *model;
	Datum		result = (Datum) 0;

	if (state == NULL || state->rows == NULL)
		PG_RETURN_NULL();
	if (state->row != NULL)
		row_reader_check_label(state->row);
	context = AllocSetContextCreate(caller, "churn_fit",
									ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);
	model = fit_model(state->rows, state->spec);
	MemoryContextSwitchTo(caller);
	if (model != NULL)
		result = model_encode(model);
	MemoryContextDelete(context);
	if (model == NULL)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(result);
}
