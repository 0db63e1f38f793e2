/*-------------------------------------------------------------------------
 *
 * row.c
 *	  Columns of a composite value as numbers and texts, found by name.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "learn/row.h"

bool
row_model_type(Oid type, ModelType *as)
{
	Oid			base = getBaseType(type);
	char		category;
	bool		preferred;

	switch (base)
	{
		case BOOLOID:
			*as = MODEL_BOOLEAN;
			return true;
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
		case CASHOID:
			*as = MODEL_NUMBER;
			return true;
		case DATEOID:
			*as = MODEL_DATE;
			return true;
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			*as = MODEL_TIMESTAMP;
			return true;
		case INTERVALOID:
			*as = MODEL_INTERVAL;
			return true;
		case CHAROID:
		case UNKNOWNOID:
			*as = MODEL_TEXT;
			return true;
	}
	*as = MODEL_TEXT;
	get_type_category_preferred(base, &category, &preferred);
	return category == TYPCATEGORY_STRING || type_is_enum(base);
}

bool
row_type_serves(ModelType have, ModelType want)
{
	static const char family[MODEL_TYPES] = {'n', 'n', 't', 'd', 'd', 'i'};

	return family[have] == family[want];
}

const char *
row_type_wanted(ModelType want)
{
	switch (want)
	{
		case MODEL_TEXT:
			return "a text or enum";
		case MODEL_DATE:
		case MODEL_TIMESTAMP:
			return "a date or timestamp";
		case MODEL_INTERVAL:
			return "an interval";
		default:
			return "a number or boolean";
	}
}

void
row_column_set(RowColumn *column, Oid type, DateADT reference_date)
{
	Oid			output;
	bool		varlena;

	memset(column, 0, sizeof(*column));
	if (!row_model_type(type, &column->as))
		elog(ERROR, "type %u cannot be read", type);
	column->type = getBaseType(type);
	column->reference_date = reference_date;
	if (column->as != MODEL_TEXT)
		return;
	column->binary = column->type == BPCHAROID ||
		IsBinaryCoercible(column->type, TEXTOID);
	getTypeOutputInfo(column->type, &output, &varlena);
	fmgr_info(output, &column->output);
}

/* Days from a timestamp to the midnight that begins the reference date */
static double
days_before(Timestamp time, DateADT reference_date)
{
	if (TIMESTAMP_IS_NOBEGIN(time))
		return get_float8_infinity();
	if (TIMESTAMP_IS_NOEND(time))
		return -get_float8_infinity();
	return reference_date - (double) time / USECS_PER_DAY;
}

static double
date_days_before(DateADT date, DateADT reference_date)
{
	if (DATE_IS_NOBEGIN(date))
		return get_float8_infinity();
	if (DATE_IS_NOEND(date))
		return -get_float8_infinity();
	return (double) reference_date - date;
}

/* Months are 30 days, as when intervals are compared. */
static double
interval_days(const Interval *span)
{
#ifdef INTERVAL_NOT_FINITE
	if (INTERVAL_IS_NOBEGIN(span))
		return -get_float8_infinity();
	if (INTERVAL_IS_NOEND(span))
		return get_float8_infinity();
#endif
	return (double) span->month * DAYS_PER_MONTH + span->day +
		(double) span->time / USECS_PER_DAY;
}

double
row_number(Datum value, const RowColumn *column)
{
	switch (column->type)
	{
		case BOOLOID:
			return DatumGetBool(value) ? 1 : 0;
		case INT2OID:
			return DatumGetInt16(value);
		case INT4OID:
			return DatumGetInt32(value);
		case INT8OID:
			return DatumGetInt64(value);
		case FLOAT4OID:
			return DatumGetFloat4(value);
		case FLOAT8OID:
			return DatumGetFloat8(value);
		case CASHOID:
			value = DirectFunctionCall1(cash_numeric, value);
			/* FALLTHROUGH */
		case NUMERICOID:
			return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
													  value));
		case DATEOID:
			return date_days_before(DatumGetDateADT(value),
									column->reference_date);
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return days_before(DatumGetTimestamp(value),
							   column->reference_date);
		case INTERVALOID:
			return interval_days(DatumGetIntervalP(value));
		default:
			elog(ERROR, "type %u is not a number", column->type);
	}
	return 0;					/* not reached */
}

const char *
row_text(Datum value, RowColumn *column, Size *length)
{
	if (column->binary)
	{
		struct varlena *text = PG_DETOAST_DATUM_PACKED(value);
		const char *bytes = VARDATA_ANY(text);

		*length = VARSIZE_ANY_EXHDR(text);
		if (column->type == BPCHAROID)
			*length = bpchartruelen(unconstify(char *, bytes), *length);
		return bytes;
	}
	else
	{
		char	   *text = OutputFunctionCall(&column->output, value);

		*length = strlen(text);
		return text;
	}
}

int
row_find_column(TupleDesc desc, const char *name)
{
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, i);

		if (!column->attisdropped && strcmp(NameStr(column->attname), name) == 0)
			return i;
	}
	return -1;
}

void
row_deform(HeapTupleHeader row, TupleDesc desc, Datum *values, bool *nulls)
{
	HeapTupleData tuple;

	tuple.t_len = HeapTupleHeaderGetDatumLength(row);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = row;
	heap_deform_tuple(&tuple, desc, values, nulls);
}
