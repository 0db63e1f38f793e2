/*-------------------------------------------------------------------------
 *
 * row_reader.c
 *	  Rows of a fit, by name: label, key and inputs out of composite values.
 *
 * The label is a boolean, a number that is 0 or 1, or anything whose text
 * option "positive" names.  A text label without the option is never guessed
 * at: the error names two of its values, so it waits for the second.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "learn/row_reader.h"

#define EXAMPLES		2		/* of values of the label, for messages */
#define EXAMPLE_BYTES	60
#define CHECK_ROWS		1024	/* between checks of the texts' memory */

struct RowReader
{
	MemoryContext context;		/* holds all of this */
	const FitOptions *options;
	Oid			type;			/* of the composite */
	int32		typmod;
	TupleDesc	desc;
	Datum	   *fields;			/* of the current row */
	bool	   *field_nulls;

	const char *label_name;
	int			label;			/* position of the label */
	RowColumn	label_column;	/* unless it is read as text */
	bool		label_negated;	/* false is what means churned */
	bool		label_text;		/* compared with option "positive" */
	FmgrInfo	label_out;
	bool		positive_seen;
	int			nexamples;
	char	   *examples[EXAMPLES];

	int			key;			/* position of the key, or -1 */
	FmgrInfo	key_hash;
	Oid			key_collation;

	int64		nrows;			/* read, labelled */
	int			ninputs;
	char	  **names;
	int		   *position;		/* per input */
	RowColumn  *columns;		/* per input */
	FitInputs	inputs;
};

/* ---- the row type ---- */

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

static void
set_label(RowReader *reader, const char *label)
{
	Oid			type;
	Oid			output;
	bool		varlena,
				churned;
	const char *positive = reader->options->positive;
	ModelType	as;

	reader->label_name = label;
	reader->label = need_column(reader->desc, label, "label");
	type = TupleDescAttr(reader->desc, reader->label)->atttypid;
	getTypeOutputInfo(type, &output, &varlena);
	fmgr_info(output, &reader->label_out);
	reader->label_text = true;
	if (!row_model_type(type, &as) ||
		(as != MODEL_NUMBER && as != MODEL_BOOLEAN && as != MODEL_TEXT))
	{
		if (positive == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("label column \"%s\" is of type %s, not boolean or 0 and 1",
							label, format_type_be(type)),
					 errhint("Name the value that means churned: {\"positive\": \"...\"}.")));
	}
	else if (positive == NULL ? as != MODEL_TEXT :
			 as == MODEL_BOOLEAN && parse_bool(positive, &churned))
	{
		reader->label_text = false;
		reader->label_negated = positive != NULL && !churned;
		row_column_set(&reader->label_column, type, 0);
	}
}

/* Key: any type with a hash function */
static void
set_key(RowReader *reader)
{
	const char *name = reader->options->key;
	Form_pg_attribute column;
	TypeCacheEntry *entry;

	reader->key = -1;
	if (name == NULL)
		return;
	reader->key = need_column(reader->desc, name, "key");
	column = TupleDescAttr(reader->desc, reader->key);
	entry = lookup_type_cache(column->atttypid,
							  TYPECACHE_HASH_EXTENDED_PROC);
	if (!OidIsValid(entry->hash_extended_proc))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("key column \"%s\" is of type %s, which cannot be hashed",
						name, format_type_be(column->atttypid))));
	fmgr_info(entry->hash_extended_proc, &reader->key_hash);
	reader->key_collation = column->attcollation;
}

/* What a column is read as; what cannot be read says what to do. */
static ModelType
check_input(const RowReader *reader, Form_pg_attribute column)
{
	const char *name = NameStr(column->attname);
	ModelType	as;

	if (!row_model_type(column->atttypid, &as))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" is of type %s, which cannot be learnt from",
						name, format_type_be(column->atttypid)),
				 errhint("Leave it out by the option {\"exclude\": [\"%s\"]}, or cast it to a number, boolean, text or date.",
						 name)));
	if ((as == MODEL_DATE || as == MODEL_TIMESTAMP) &&
		!reader->options->has_reference)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" is of type %s, and there is no reference date",
						name, format_type_be(column->atttypid)),
				 errhint("Name the day on which the rows were true, as in {\"reference_date\": \"2025-12-31\"}: dates count as days before it. Or leave the column out by {\"exclude\": [\"%s\"]}.",
						 name)));
	return as;
}

/* The inputs: every other column that is not excluded */
static void
set_inputs(RowReader *reader)
{
	const FitOptions *options = reader->options;
	int			natts = Max(reader->desc->natts, 1);

	reader->names = palloc(sizeof(char *) * natts);
	reader->position = palloc(sizeof(int) * natts);
	reader->columns = palloc(sizeof(RowColumn) * natts);
	reader->inputs.types = palloc(natts);
	reader->inputs.levels = palloc0(sizeof(LevelTable *) * natts);
	for (int i = 0; i < reader->desc->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(reader->desc, i);
		int			n = reader->ninputs;

		if (column->attisdropped || i == reader->label || i == reader->key ||
			is_excluded(options, NameStr(column->attname)))
			continue;
		reader->inputs.types[n] = check_input(reader, column);
		if (reader->inputs.types[n] == MODEL_TEXT)
			reader->inputs.levels[n] = levels_create(reader->context);
		row_column_set(&reader->columns[n], column->atttypid,
					   options->reference_date);
		reader->names[n] = NameStr(column->attname);
		reader->position[n] = i;
		reader->ninputs++;
	}
	for (int e = 0; e < options->nexclude; e++)
		need_column(reader->desc, options->exclude[e], "excluded");
}

RowReader *
row_reader_create(HeapTupleHeader tuple, const char *label,
				  const FitOptions *options)
{
	RowReader  *reader = palloc0(sizeof(RowReader));
	int			natts;

	reader->context = CurrentMemoryContext;
	reader->options = options;
	reader->type = HeapTupleHeaderGetTypeId(tuple);
	reader->typmod = HeapTupleHeaderGetTypMod(tuple);
	reader->desc = lookup_rowtype_tupdesc_copy(reader->type, reader->typmod);
	natts = Max(reader->desc->natts, 1);
	reader->fields = palloc(sizeof(Datum) * natts);
	reader->field_nulls = palloc(sizeof(bool) * natts);
	set_label(reader, label);
	set_key(reader);
	set_inputs(reader);
	return reader;
}

char **
row_reader_names(const RowReader *reader, int *count)
{
	*count = reader->ninputs;
	return reader->names;
}

const FitInputs *
row_reader_inputs(const RowReader *reader)
{
	return &reader->inputs;
}

/* ---- labels ---- */

/* Remember the first values of the label, for messages. */
static void
note_example(RowReader *reader, const char *text)
{
	for (int i = 0; i < reader->nexamples; i++)
		if (strcmp(reader->examples[i], text) == 0)
			return;
	if (reader->nexamples < EXAMPLES)
		reader->examples[reader->nexamples++] =
			MemoryContextStrdup(reader->context, text);
}

/* An example, by text, cut to a length that a message bears */
static const char *
example(const RowReader *reader, int i)
{
	bool		swapped = reader->nexamples == EXAMPLES &&
		strcmp(reader->examples[0], reader->examples[1]) > 0;
	const char *text = reader->examples[swapped ? 1 - i : i];
	int			length = strlen(text);

	return pnstrdup(text, pg_mbcliplen(text, length, EXAMPLE_BYTES));
}

/* A text label without option "positive": which value churned? */
static void
ask_for_positive(const RowReader *reader)
{
	if (reader->nexamples < EXAMPLES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("label column \"%s\" holds texts, and only one: \"%s\"",
						reader->label_name, example(reader, 0)),
				 errhint("Add rows of the other class, and name the value that means churned: {\"positive\": \"...\"}.")));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("label column \"%s\" holds texts, \"%s\" and \"%s\" among them",
					reader->label_name, example(reader, 0),
					example(reader, 1)),
			 errhint("Name the value that means churned, as in {\"positive\": \"%s\"}.",
					 example(reader, 1))));
}

/* The label is "positive", as text or as a boolean */
static bool
text_churned(RowReader *reader, Datum field)
{
	const char *positive = reader->options->positive;
	char	   *text = OutputFunctionCall(&reader->label_out, field);
	bool		churned;

	/* both are remembered until two are known and one was seen to churn */
	if (reader->nexamples < EXAMPLES)
		note_example(reader, text);
	if (positive == NULL)
	{
		if (reader->nexamples == EXAMPLES)
			ask_for_positive(reader);
		return false;
	}
	churned = strcmp(text, positive) == 0;
	reader->positive_seen |= churned;
	return churned;
}

/* The label of the current row, which is not NULL */
static bool
row_churned(RowReader *reader)
{
	Datum		field = reader->fields[reader->label];
	double		number;

	if (reader->label_text)
		return text_churned(reader, field);
	number = row_number(field, &reader->label_column);
	if (number != 0 && number != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("label is %s, not 0 or 1",
						OutputFunctionCall(&reader->label_out, field)),
				 errhint("Name the value that means churned: {\"positive\": \"...\"}.")));
	return (number == 1) != reader->label_negated;
}

void
row_reader_check_label(const RowReader *reader)
{
	const char *positive = reader->options->positive;

	if (!reader->label_text || reader->nexamples == 0)
		return;
	if (positive == NULL)
		ask_for_positive(reader);
	if (reader->positive_seen)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("label column \"%s\" is \"%s\" in no row",
					reader->label_name, positive),
			 reader->nexamples == EXAMPLES ?
			 errdetail("It holds \"%s\" and \"%s\", for example.",
					   example(reader, 0), example(reader, 1)) :
			 errdetail("It holds \"%s\" only.", example(reader, 0)),
			 errhint("Correct the option \"positive\", or add rows that churned.")));
}

/* ---- rows ---- */

static void
check_type(const RowReader *reader, HeapTupleHeader tuple)
{
	if (HeapTupleHeaderGetTypeId(tuple) != reader->type ||
		HeapTupleHeaderGetTypMod(tuple) != reader->typmod)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("rows must all be of one type")));
}

/* The value of an input that is not NULL */
static double
input_value(RowReader *reader, int input)
{
	Datum		field = reader->fields[reader->position[input]];
	LevelTable *levels = reader->inputs.levels[input];
	const char *text;
	Size		length;

	if (levels == NULL)
		return row_number(field, &reader->columns[input]);
	text = row_text(field, &reader->columns[input], &length);
	return levels_collect(levels, reader->names[input], text, length);
}

/* Texts count against the memory, as rows do. */
static void
check_memory(const RowReader *reader)
{
	Size		bytes = 0;

	for (int i = 0; i < reader->ninputs; i++)
		if (reader->inputs.levels[i] != NULL)
			bytes += levels_bytes(reader->inputs.levels[i]);
	fit_check_memory(reader->options, bytes, reader->nrows, reader->ninputs);
}

bool
row_reader_read(RowReader *reader, HeapTupleHeader tuple, double *values,
				bool *nulls, LabelledRow *row)
{
	check_type(reader, tuple);
	row_deform(tuple, reader->desc, reader->fields, reader->field_nulls);
	if (reader->field_nulls[reader->label])
		return false;
	row->churned = row_churned(reader);
	if (reader->nrows++ % CHECK_ROWS == 0)
		check_memory(reader);
	for (int i = 0; i < reader->ninputs; i++)
	{
		nulls[i] = reader->field_nulls[reader->position[i]];
		values[i] = nulls[i] ? 0 : input_value(reader, i);
	}
	row->grouped = reader->key >= 0 && !reader->field_nulls[reader->key];
	row->group_id = !row->grouped ? 0 :
		DatumGetUInt64(FunctionCall2Coll(&reader->key_hash,
										 reader->key_collation,
										 reader->fields[reader->key],
										 Int64GetDatum(0)));
	return true;
}
