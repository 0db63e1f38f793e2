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
 * State: a sort of the rows, in memory up to half of churn.memory and in
 * temporary files beyond.  The final function ends it, and may run once.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "history/features.h"
#include "learn/fit.h"
#include "learn/row.h"
#include "learn/scorer.h"

/* How the rows of the row form are read */
typedef struct RowReader
{
	Oid			type;			/* of the composite */
	int32		typmod;
	TupleDesc	desc;
	int			label;			/* position of the label */
	Oid			label_type;		/* base type */
	FmgrInfo	label_out;		/* used with option "positive" */
	int			key;			/* position of the key, or -1 */
	FmgrInfo	key_hash;
	Oid			key_collation;
	int		   *column;			/* per input: its position */
	Oid		   *column_type;	/* base type */
	Datum	   *fields;			/* of the current row */
	bool	   *field_nulls;
} RowReader;

typedef struct FitState
{
	MemoryContext context;		/* of the aggregate; holds everything */
	FitRows    *rows;
	Datum		spec;			/* array form */
	RowReader	row;			/* row form */
	double	   *values;			/* of the current row */
	bool	   *nulls;
} FitState;

/* The sort may hold files, which end with the aggregate's context. */
static void
fit_state_end(Datum arg)
{
	FitState   *state = (FitState *) DatumGetPointer(arg);

	if (state->rows != NULL)
		fit_rows_free(state->rows);
}

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
	AggRegisterCallback(fcinfo, fit_state_end, PointerGetDatum(state));
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

/* A column that must be there */
static int
need_column(TupleDesc desc, const char *name, const char *role)
{
	int			at = row_find_column(desc, name);

	if (at < 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("%s column \"%s\" does not exist", role, name)));
	return at;
}

/* Is a name among those of option "exclude"? */
static bool
is_excluded(const FitOptions *options, const char *name)
{
	for (int i = 0; i < options->nexclude; i++)
		if (strcmp(options->exclude[i], name) == 0)
			return true;
	return false;
}

/* Label: boolean, or 0 and 1; or the text named by option "positive" */
static void
row_set_label(RowReader *row, const char *label, const FitOptions *options)
{
	Oid			type;
	Oid			output;
	bool		varlena;

	row->label = need_column(row->desc, label, "label");
	type = TupleDescAttr(row->desc, row->label)->atttypid;
	row->label_type = getBaseType(type);
	getTypeOutputInfo(type, &output, &varlena);
	fmgr_info(output, &row->label_out);
	if (options->positive == NULL && !row_type_is_number(type))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("label column \"%s\" is of type %s, not boolean or 0 and 1",
						label, format_type_be(type)),
				 errhint("Name the value that means churned: {\"positive\": \"...\"}.")));
}

/* Key: any type with a hash function */
static void
row_set_key(RowReader *row, const FitOptions *options)
{
	Form_pg_attribute column;
	TypeCacheEntry *entry;

	row->key = -1;
	if (options->key == NULL)
		return;
	row->key = need_column(row->desc, options->key, "key");
	column = TupleDescAttr(row->desc, row->key);
	entry = lookup_type_cache(column->atttypid,
							  TYPECACHE_HASH_EXTENDED_PROC);
	if (!OidIsValid(entry->hash_extended_proc))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("key column \"%s\" is of type %s, which cannot be hashed",
						options->key, format_type_be(column->atttypid))));
	fmgr_info(entry->hash_extended_proc, &row->key_hash);
	row->key_collation = column->attcollation;
}

/* The inputs: every other column that is not excluded; returns their names */
static char **
row_set_inputs(RowReader *row, const FitOptions *options, int *count)
{
	char	  **names = palloc(sizeof(char *) * Max(row->desc->natts, 1));

	*count = 0;
	for (int i = 0; i < row->desc->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(row->desc, i);
		char	   *name = NameStr(column->attname);

		if (column->attisdropped || i == row->label || i == row->key ||
			is_excluded(options, name))
			continue;
		if (!row_type_is_number(column->atttypid))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column \"%s\" is of type %s, not a number or boolean",
							name, format_type_be(column->atttypid)),
					 errhint("Leave it out by the option {\"exclude\": [\"%s\"]}, or turn it into numbers.",
							 name)));
		row->column[*count] = i;
		row->column_type[*count] = getBaseType(column->atttypid);
		names[(*count)++] = name;
	}
	for (int e = 0; e < options->nexclude; e++)
		need_column(row->desc, options->exclude[e], "excluded");
	return names;
}

/* Everything about the row type, from the first row */
static void
row_start(FitState *state, FunctionCallInfo fcinfo, HeapTupleHeader tuple)
{
	MemoryContext caller = MemoryContextSwitchTo(state->context);
	RowReader  *row = &state->row;
	FitOptions *options;
	char	  **names;
	int			count;

	if (PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("label column must not be NULL")));
	options = read_options(fcinfo, 3);
	options->row_form = true;
	row->type = HeapTupleHeaderGetTypeId(tuple);
	row->typmod = HeapTupleHeaderGetTypMod(tuple);
	row->desc = lookup_rowtype_tupdesc_copy(row->type, row->typmod);
	row->column = palloc(sizeof(int) * Max(row->desc->natts, 1));
	row->column_type = palloc(sizeof(Oid) * Max(row->desc->natts, 1));
	row->fields = palloc(sizeof(Datum) * Max(row->desc->natts, 1));
	row->field_nulls = palloc(sizeof(bool) * Max(row->desc->natts, 1));
	row_set_label(row, text_to_cstring(PG_GETARG_TEXT_PP(2)), options);
	row_set_key(row, options);
	names = row_set_inputs(row, options, &count);
	set_inputs(state, count, names, options);
	MemoryContextSwitchTo(caller);
}

/* The label of the current row, which is not NULL */
static bool
row_churned(RowReader *row, const FitOptions *options)
{
	Datum		field = row->fields[row->label];
	double		number;

	if (options->positive != NULL)
		return strcmp(OutputFunctionCall(&row->label_out, field),
					  options->positive) == 0;
	number = row_number(field, row->label_type);
	if (number != 0 && number != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("label is %s, not 0 or 1",
						OutputFunctionCall(&row->label_out, field)),
				 errhint("Name the value that means churned: {\"positive\": \"...\"}.")));
	return number == 1;
}

/* Add the row whose fields were read. */
static void
row_add(FitState *state)
{
	RowReader  *row = &state->row;
	bool		grouped = row->key >= 0 && !row->field_nulls[row->key];
	uint64		group_id = 0;

	for (int i = 0; i < fit_rows_columns(state->rows); i++)
	{
		int			at = row->column[i];

		state->nulls[i] = row->field_nulls[at];
		state->values[i] = state->nulls[i] ? 0 :
			row_number(row->fields[at], row->column_type[i]);
	}
	if (grouped)
		group_id = DatumGetUInt64(FunctionCall2Coll(&row->key_hash,
													row->key_collation,
													row->fields[row->key],
													Int64GetDatum(0)));
	fit_rows_add(state->rows, state->values, state->nulls,
				 row_churned(row, fit_rows_options(state->rows)),
				 grouped, group_id);
}

PG_FUNCTION_INFO_V1(churn_fit_row_trans);
Datum
churn_fit_row_trans(PG_FUNCTION_ARGS)
{
	FitState   *state = PG_ARGISNULL(0) ? fit_state_create(fcinfo) :
		(FitState *) PG_GETARG_POINTER(0);
	HeapTupleHeader tuple;

	if (PG_ARGISNULL(1))
		PG_RETURN_POINTER(state);
	tuple = PG_GETARG_HEAPTUPLEHEADER(1);
	if (state->rows == NULL)
		row_start(state, fcinfo, tuple);
	else if (HeapTupleHeaderGetTypeId(tuple) != state->row.type ||
			 HeapTupleHeaderGetTypMod(tuple) != state->row.typmod)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("rows must all be of one type")));
	row_deform(tuple, state->row.desc, state->row.fields,
			   state->row.field_nulls);
	if (state->row.field_nulls[state->row.label])
		fit_rows_skip_unlabelled(state->rows);
	else
		row_add(state);
	PG_RETURN_POINTER(state);
}

/* ---- both ---- */

/* Fit, and leave the session's query text as it was. */
static Model *
fit_shown(FitState *state)
{
	Model	   *volatile model = NULL;

	PG_TRY();
	{
		model = fit_model(state->rows, state->spec);
	}
	PG_CATCH();
	{
		fit_progress_end();
		PG_RE_THROW();
	}
	PG_END_TRY();
	fit_progress_end();
	return model;
}

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
	context = AllocSetContextCreate(caller, "churn_fit",
									ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);
	model = fit_shown(state);
	MemoryContextSwitchTo(caller);
	if (model != NULL)
		result = model_encode(model);
	MemoryContextDelete(context);
	if (model == NULL)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(result);
}
