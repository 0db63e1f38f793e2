/*-------------------------------------------------------------------------
 *
 * information_rows.c
 *	  The columns of labelled rows, as churn_column_information sees them.
 *
 * Columns are found in the first row's type, by name; every column but the
 * label and those excluded takes part, whatever its type.  Numbers are kept
 * as numbers, dates and timestamps likewise; any other value is known by its
 * text, and its rows by the number of that level.
 *
 * NaN counts as missing: this looks at data, and has to live with them.
 *
 * State: 8 bytes a number, 4 a level, 1 a label, and the text of levels,
 * within churn.memory.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "churn.h"
#include "learn/information.h"

#define FIRST_ROWS		64
#define FIRST_LEVELS	16
/* of a level: entries of both tables, and what counting it takes */
#define LEVEL_BYTES		256
#define SORT_BYTES		16		/* of a row, while a column is worked out */

/* ---- levels by their text ---- */

typedef struct LevelEntry
{
	Level		level;			/* the key */
	int32		number;
	char		status;
} LevelEntry;

static inline bool
levels_equal(Level a, Level b)
{
	return a.hash == b.hash && a.length == b.length &&
		memcmp(a.bytes, b.bytes, a.length) == 0;
}

#define SH_PREFIX		leveltable
#define SH_ELEMENT_TYPE LevelEntry
#define SH_KEY_TYPE		Level
#define SH_KEY			level
#define SH_HASH_KEY(table, key) ((uint32) (key).hash)
#define SH_EQUAL(table, a, b) levels_equal(a, b)
#define SH_SCOPE		static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

struct LevelTable
{
	leveltable_hash *hash;
};

/* FNV-1a: the same on every machine */
static uint64
hash_text(const char *bytes, int length)
{
	uint64		hash = UINT64CONST(0xcbf29ce484222325);

	for (int i = 0; i < length; i++)
		hash = (hash ^ (unsigned char) bytes[i]) * UINT64CONST(0x100000001b3);
	return hash ^ hash >> 32;
}

/* ---- the state ---- */

struct InformationState
{
	MemoryContext context;		/* holds everything */
	Oid			type;			/* of the rows */
	int32		typmod;
	TupleDesc	desc;
	int			label;			/* position */
	RowColumn	label_column;	/* unless the positive value is named */
	FmgrInfo	label_out;
	char	   *positive;		/* text of the label that churned, or NULL */
	InformationRows rows;
	int64		room;			/* rows there is room for */
	Size		row_bytes;		/* of all columns */
	Size		level_bytes;	/* of all levels */
	Datum	   *fields;			/* of the current row */
	bool	   *field_nulls;
};

/* The same figures whoever runs out */
static void
check_memory(const InformationState *state, int64 room)
{
	Size		bytes = (Size) room * (state->row_bytes + SORT_BYTES) +
		state->level_bytes;

	if (bytes / 1024 >= (Size) churn_memory_kb)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("information on " INT64_FORMAT " rows and %d columns needs %zu MB, churn.memory is %d MB",
						state->rows.nrows + 1, state->rows.ncolumns,
						bytes / (1024 * 1024) + 1, churn_memory_kb / 1024),
				 errhint("Look at a sample by churn_column_information over TABLESAMPLE, exclude columns, or raise churn.memory.")));
}

/* Room for more rows */
static void
grow(InformationState *state)
{
	InformationRows *rows = &state->rows;
	int64		room = state->room * 2;

	if (state->room > PG_INT32_MAX / 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("cannot look at more than " INT64_FORMAT " rows",
						state->room)));
	check_memory(state, room);
	rows->churned = repalloc_huge(rows->churned, room);
	for (int c = 0; c < rows->ncolumns; c++)
	{
		InformationColumn *column = &rows->columns[c];

		if (column->numbers != NULL)
			column->numbers = repalloc_huge(column->numbers,
											room * sizeof(double));
		else
			column->codes = repalloc_huge(column->codes,
										  room * sizeof(int32));
	}
	state->room = room;
}

/* ---- the row type ---- */

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

/* Is a value of this type a number here? Money keeps its own text form. */
static bool
is_number(Oid type)
{
	ModelType	as;

	return row_model_type(type, &as) && getBaseType(type) != CASHOID &&
		(as == MODEL_NUMBER || as == MODEL_BOOLEAN);
}

/* Boolean, or 0 and 1; or the text of the label that means churned */
static void
set_label(InformationState *state, const char *label)
{
	Oid			type;
	Oid			output;
	bool		varlena;

	state->label = need_column(state->desc, label, "label");
	type = TupleDescAttr(state->desc, state->label)->atttypid;
	getTypeOutputInfo(type, &output, &varlena);
	fmgr_info_cxt(output, &state->label_out, state->context);
	if (state->positive == NULL && !is_number(type))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("label column \"%s\" is of type %s, not boolean or 0 and 1",
						label, format_type_be(type)),
				 errhint("Name the value that means churned: positive => '...'.")));
	if (state->positive == NULL)
		row_column_set(&state->label_column, type, 0);
}

static InformationKind
kind_of_type(Oid base_type)
{
	switch (base_type)
	{
		case BOOLOID:
			return INFORMATION_TRUTH;
		case DATEOID:
			return INFORMATION_DATE;
		case TIMESTAMPOID:
			return INFORMATION_TIMESTAMP;
		case TIMESTAMPTZOID:
			return INFORMATION_TIMESTAMPTZ;
		default:
			return is_number(base_type) ? INFORMATION_NUMBER :
				INFORMATION_LEVEL;
	}
}

/* A column takes part. */
static void
add_column(InformationState *state, int position)
{
	InformationRows *rows = &state->rows;
	InformationColumn *column = &rows->columns[rows->ncolumns++];
	Form_pg_attribute attribute = TupleDescAttr(state->desc, position);
	Oid			output;
	bool		varlena;

	column->position = position;
	column->name = NameStr(attribute->attname);
	column->type = attribute->atttypid;
	column->typmod = attribute->atttypmod;
	column->base_type = getBaseType(column->type);
	column->kind = kind_of_type(column->base_type);
	if (column->kind != INFORMATION_LEVEL)
	{
		if (is_number(column->base_type))
			row_column_set(&column->reader, column->base_type, 0);
		column->numbers = palloc(state->room * sizeof(double));
		state->row_bytes += sizeof(double);
		return;
	}
	column->codes = palloc(state->room * sizeof(int32));
	state->row_bytes += sizeof(int32);
	getTypeOutputInfo(column->type, &output, &varlena);
	fmgr_info_cxt(output, &column->output, state->context);
	column->levels_room = FIRST_LEVELS;
	column->levels = palloc(sizeof(Level) * FIRST_LEVELS);
	column->table = palloc(sizeof(LevelTable));
	column->table->hash = leveltable_create(state->context, FIRST_LEVELS, NULL);
}

/* Names of the array "exclude"; each must be a column. */
static bool *
read_excluded(const InformationState *state, ArrayType *exclude)
{
	bool	   *excluded = palloc0(sizeof(bool) * Max(state->desc->natts, 1));
	Datum	   *names;
	bool	   *nulls;
	int			count;

	if (exclude == NULL)
		return excluded;
	deconstruct_array(exclude, TEXTOID, -1, false, TYPALIGN_INT, &names,
					  &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("exclude must not hold NULL")));
		excluded[need_column(state->desc, TextDatumGetCString(names[i]),
							 "excluded")] = true;
	}
	return excluded;
}

/* Everything about the row type, in the state's memory */
static void
read_row_type(InformationState *state, const char *label, ArrayType *exclude)
{
	InformationRows *rows = &state->rows;
	int			natts;
	bool	   *excluded;

	state->desc = lookup_rowtype_tupdesc_copy(state->type, state->typmod);
	natts = Max(state->desc->natts, 1);
	excluded = read_excluded(state, exclude);
	set_label(state, label);
	state->fields = palloc(sizeof(Datum) * natts);
	state->field_nulls = palloc(sizeof(bool) * natts);
	state->room = FIRST_ROWS;
	rows->columns = palloc0(sizeof(InformationColumn) * natts);
	rows->churned = palloc(state->room);
	state->row_bytes = 1;
	for (int i = 0; i < state->desc->natts; i++)
		if (!TupleDescAttr(state->desc, i)->attisdropped &&
			i != state->label && !excluded[i])
			add_column(state, i);
	if (rows->ncolumns == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("no column is left to look at")));
}

/* ---- values ---- */

/* The label of the current row, which is not NULL */
static bool
read_label(InformationState *state)
{
	Datum		field = state->fields[state->label];
	double		number;

	if (state->positive != NULL)
		return strcmp(OutputFunctionCall(&state->label_out, field),
					  state->positive) == 0;
	number = row_number(field, &state->label_column);
	if (number != 0 && number != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("label is %s, not 0 or 1",
						OutputFunctionCall(&state->label_out, field)),
				 errhint("Name the value that means churned: positive => '...'.")));
	return number == 1;
}

static double
read_number(const InformationColumn *column, Datum field)
{
	switch (column->kind)
	{
		case INFORMATION_DATE:
			{
				DateADT		day = DatumGetDateADT(field);

				return DATE_IS_NOBEGIN(day) ? -get_float8_infinity() :
					DATE_IS_NOEND(day) ? get_float8_infinity() : day;
			}
		case INFORMATION_TIMESTAMP:
		case INFORMATION_TIMESTAMPTZ:
			{
				Timestamp	moment = DatumGetTimestamp(field);

				return TIMESTAMP_IS_NOBEGIN(moment) ? -get_float8_infinity() :
					TIMESTAMP_IS_NOEND(moment) ? get_float8_infinity() :
					(double) moment;
			}
		default:
			return row_number(field, &column->reader);
	}
}

/* Number of a new level; its text is copied. */
static int32
add_level(InformationState *state, InformationColumn *column,
		  LevelEntry *entry)
{
	char	   *bytes = MemoryContextAllocHuge(state->context,
											   Max(entry->level.length, 1));

	state->level_bytes += LEVEL_BYTES + entry->level.length;
	check_memory(state, state->room);
	memcpy(bytes, entry->level.bytes, entry->level.length);
	entry->level.bytes = bytes;
	entry->number = column->nlevels;
	if (column->nlevels == column->levels_room)
	{
		column->levels_room *= 2;
		column->levels = repalloc_huge(column->levels,
									   column->levels_room * sizeof(Level));
	}
	column->levels[column->nlevels++] = entry->level;
	return entry->number;
}

/* The level of a value, by its text */
static int32
read_level(InformationState *state, InformationColumn *column, Datum field)
{
	Level		level;
	LevelEntry *entry;
	bool		found;

	if (column->base_type == TEXTOID || column->base_type == VARCHAROID)
	{
		text	   *value = DatumGetTextPP(field);

		level.bytes = VARDATA_ANY(value);
		level.length = VARSIZE_ANY_EXHDR(value);
	}
	else
	{
		level.bytes = OutputFunctionCall(&column->output, field);
		level.length = strlen(level.bytes);
	}
	level.hash = hash_text(level.bytes, level.length);
	entry = leveltable_insert(column->table->hash, level, &found);
	return found ? entry->number : add_level(state, column, entry);
}

/* Add the current row. */
static void
add_row(InformationState *state)
{
	InformationRows *rows = &state->rows;
	int64		at = rows->nrows;

	if (at == state->room)
		grow(state);
	rows->churned[at] = read_label(state);
	rows->nchurned += rows->churned[at];
	for (int c = 0; c < rows->ncolumns; c++)
	{
		InformationColumn *column = &rows->columns[c];
		Datum		field = state->fields[column->position];
		bool		isnull = state->field_nulls[column->position];

		if (column->numbers != NULL)
			column->numbers[at] = isnull ? get_float8_nan() :
				read_number(column, field);
		else
			column->codes[at] = isnull ? -1 :
				read_level(state, column, field);
	}
	rows->nrows++;
}

/* ---- the transition function ---- */

/* An empty state; the one place that asks who calls */
static InformationState *
state_create(FunctionCallInfo fcinfo)
{
	MemoryContext aggregate,
				context;
	InformationState *state;

	if (!AggCheckCallContext(fcinfo, &aggregate))
		elog(ERROR, "churn_information transition function called in non-aggregate context");
	context = AllocSetContextCreate(aggregate, "churn_information rows",
									ALLOCSET_DEFAULT_SIZES);
	state = MemoryContextAllocZero(context, sizeof(InformationState));
	state->context = context;
	return state;
}

/* Arguments (state, row, label, exclude, positive, bins), from the first row */
static void
state_start(InformationState *state, FunctionCallInfo fcinfo,
			HeapTupleHeader tuple)
{
	MemoryContext caller = MemoryContextSwitchTo(state->context);
	bool		full = PG_NARGS() > 3;

	if (PG_ARGISNULL(2) || (full && PG_ARGISNULL(5)))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("label column and bins must not be NULL")));
	state->type = HeapTupleHeaderGetTypeId(tuple);
	state->typmod = HeapTupleHeaderGetTypMod(tuple);
	state->rows.bins = full ? PG_GETARG_INT32(5) : INFORMATION_BINS;
	if (state->rows.bins < 2 || state->rows.bins > INFORMATION_MAX_BINS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("bins must be from 2 to %d, not %d",
						INFORMATION_MAX_BINS, state->rows.bins)));
	if (full && !PG_ARGISNULL(4))
		state->positive = text_to_cstring(PG_GETARG_TEXT_PP(4));
	read_row_type(state, text_to_cstring(PG_GETARG_TEXT_PP(2)),
				  full && !PG_ARGISNULL(3) ? PG_GETARG_ARRAYTYPE_P(3) : NULL);
	MemoryContextSwitchTo(caller);
}

PG_FUNCTION_INFO_V1(churn_information_trans);
Datum
churn_information_trans(PG_FUNCTION_ARGS)
{
	InformationState *state = PG_ARGISNULL(0) ? state_create(fcinfo) :
		(InformationState *) PG_GETARG_POINTER(0);
	HeapTupleHeader tuple;

	if (PG_ARGISNULL(1))
		PG_RETURN_POINTER(state);
	tuple = PG_GETARG_HEAPTUPLEHEADER(1);
	if (state->desc == NULL)
		state_start(state, fcinfo, tuple);
	else if (HeapTupleHeaderGetTypeId(tuple) != state->type ||
			 HeapTupleHeaderGetTypMod(tuple) != state->typmod)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("rows must all be of one type")));
	row_deform(tuple, state->desc, state->fields, state->field_nulls);
	if (state->field_nulls[state->label])
		state->rows.unlabelled++;
	else
		add_row(state);
	PG_RETURN_POINTER(state);
}

InformationRows *
information_rows(InformationState *state)
{
	return state->desc == NULL ? NULL : &state->rows;
}
