/*-------------------------------------------------------------------------
 *
 * information.c
 *	  churn_column_information: what each column alone says of the label.
 *
 * The result is an array of churn_column, one a column in the order of the
 * row type: rows, share missing, distinct values, AUC alone, information
 * value, bins as JSON, and a warning for what looks too good to be true.
 * NULL for no rows; a column's AUC and information value are NULL where the
 * rows are of one class.  The order of rows does not matter.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "common/shortest_dec.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "learn/information.h"

#define SUSPICIOUS_AUC		0.95
#define SUSPICIOUS_ERRORS	4	/* standard errors above .5, besides */
#define IDENTIFIER_ROWS		20	/* fewer may all differ by chance */
#define SHOWN_BYTES			120 /* of a level's text */
#define RESULT_COLUMNS		10	/* of churn_column */

/* ---- values as JSON ---- */

/* A number, date or time; infinities have no number in JSON */
static void
put_value(StringInfo out, const InformationColumn *column, double value)
{
	char		buffer[MAXDATELEN + 1];

	if (isinf(value))
	{
		appendStringInfo(out, "\"%sinfinity\"", value < 0 ? "-" : "");
		return;
	}
	switch (column->kind)
	{
		case INFORMATION_DATE:
			JsonEncodeDateTime(buffer, DateADTGetDatum((DateADT) value),
							   column->base_type, NULL);
			appendStringInfo(out, "\"%s\"", buffer);
			break;
		case INFORMATION_TIMESTAMP:
		case INFORMATION_TIMESTAMPTZ:
			JsonEncodeDateTime(buffer, TimestampGetDatum((Timestamp) value),
							   column->base_type, NULL);
			appendStringInfo(out, "\"%s\"", buffer);
			break;
		default:
			double_to_shortest_decimal_buf(value, buffer);
			appendStringInfoString(out, buffer);
	}
}

/* Text of a level, cut where it is long */
static char *
level_text(const InformationColumn *column, int level)
{
	const Level *l = &column->levels[level];
	int			length = pg_mbcliplen(l->bytes, l->length, SHOWN_BYTES);

	return psprintf("%.*s%s", length, l->bytes,
					length < l->length ? "..." : "");
}

static void
put_bin(StringInfo out, const InformationColumn *column,
		const InformationBin *bin)
{
	char		woe[DOUBLE_SHORTEST_DECIMAL_LEN];

	appendStringInfoChar(out, '{');
	switch (bin->what)
	{
		case BIN_RANGE:
			if (column->kind == INFORMATION_TRUTH && bin->from == bin->to)
			{
				appendStringInfo(out, "\"level\": \"%s\"",
								 bin->from != 0 ? "true" : "false");
				break;
			}
			appendStringInfoString(out, "\"from\": ");
			put_value(out, column, bin->from);
			appendStringInfoString(out, ", \"to\": ");
			put_value(out, column, bin->to);
			break;
		case BIN_LEVEL:
			appendStringInfoString(out, "\"level\": ");
			escape_json(out, level_text(column, bin->level));
			break;
		case BIN_POOLED:
			appendStringInfo(out, "\"pooled\": %d", bin->level);
			break;
		default:
			appendStringInfoString(out, "\"missing\": true");
	}
	double_to_shortest_decimal_buf(bin->woe, woe);
	appendStringInfo(out, ", \"rows\": " INT64_FORMAT ", \"churned\": "
					 INT64_FORMAT ", \"woe\": %s}", bin->rows, bin->churned,
					 woe);
}

static Datum
bins_json(const InformationColumn *column, const InformationFigures *figures)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoChar(&out, '[');
	for (int i = 0; i < figures->nbins; i++)
	{
		if (i > 0)
			appendStringInfoString(&out, ", ");
		put_bin(&out, column, &figures->bins[i]);
	}
	appendStringInfoChar(&out, ']');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(out.data));
}

/* ---- warnings ---- */

/* One more thing that is suspicious */
static void
warn(StringInfo out, const char *text)
{
	appendStringInfo(out, "%s%s", out->len > 0 ? "; " : "", text);
}

static bool
is_constant(const InformationRows *rows, const InformationFigures *figures)
{
	return figures->distinct + (figures->known < rows->nrows) <= 1;
}

/* A value of its own in every row, and not a measurement */
static bool
is_identifier(const InformationColumn *column,
			  const InformationFigures *figures)
{
	return figures->known >= IDENTIFIER_ROWS &&
		figures->distinct == figures->known &&
		(column->kind == INFORMATION_LEVEL ||
		 (column->kind == INFORMATION_NUMBER && figures->whole));
}

/* Beyond .95, and beyond what chance does to a few rows */
static bool
is_too_good(const InformationRows *rows, const InformationFigures *figures)
{
	double		churned = (double) rows->nchurned;
	double		stayed = (double) rows->nrows - churned;

	return figures->has_auc && figures->auc > SUSPICIOUS_AUC &&
		figures->auc - .5 > SUSPICIOUS_ERRORS *
		sqrt((churned + stayed + 1) / (12 * churned * stayed));
}

/* The value that tells too much, in words */
static char *
telling_text(const InformationColumn *column, const InformationBin *bin)
{
	StringInfoData value;

	initStringInfo(&value);
	switch (bin->what)
	{
		case BIN_MISSING:
			return "no value (NULL)";
		case BIN_KNOWN:
			return "any value that is not NULL";
		case BIN_LEVEL:
			return psprintf("value \"%s\"", level_text(column, bin->level));
		default:
			if (column->kind == INFORMATION_TRUTH)
				return bin->from != 0 ? "value true" : "value false";
			put_value(&value, column, bin->from);
			return psprintf("value %s", value.data);
	}
}

/* What is suspicious about a column, or NULL */
static char *
column_warning(const InformationRows *rows, const InformationColumn *column,
			   const InformationFigures *figures)
{
	StringInfoData out;

	initStringInfo(&out);
	if (is_constant(rows, figures))
		warn(&out, figures->known == 0 ? "no row has a value" :
			 "the same value in every row");
	if (is_identifier(column, figures))
		warn(&out, "a value of its own in every row: an identifier?");
	if (is_too_good(rows, figures))
		warn(&out, psprintf("AUC alone is %.3f: is it known before the outcome?",
							figures->auc));
	if (figures->tells)
		warn(&out, psprintf("%s all but determines the label: " INT64_FORMAT " of " INT64_FORMAT " rows churned; is it known before the outcome?",
							telling_text(column, &figures->telling),
							figures->telling.churned, figures->telling.rows));
	return out.len > 0 ? out.data : NULL;
}

/* ---- the result ---- */

/* A value of type churn_column */
static Datum
column_row(const InformationRows *rows, const InformationColumn *column,
		   TupleDesc desc)
{
	InformationFigures figures = {0};
	Datum		values[RESULT_COLUMNS];
	bool		nulls[RESULT_COLUMNS] = {false};
	char	   *warning;

	if (column->numbers != NULL)
		information_number(rows, column, &figures);
	else
		information_level(rows, column, &figures);
	values[0] = CStringGetTextDatum(column->name);
	values[1] = CStringGetTextDatum(format_type_with_typemod(column->type,
															 column->typmod));
	values[2] = Int64GetDatum(rows->nrows);
	values[3] = Float8GetDatum((double) (rows->nrows - figures.known) /
							   (double) rows->nrows);
	values[4] = Int64GetDatum(figures.distinct);
	values[5] = Float8GetDatum(figures.auc);
	nulls[5] = !figures.has_auc;
	values[6] = CStringGetTextDatum(figures.direction > 0 ? "higher" : "lower");
	nulls[6] = figures.direction == 0;
	values[7] = Float8GetDatum(figures.iv);
	nulls[7] = rows->nchurned == 0 || rows->nchurned == rows->nrows;
	values[8] = bins_json(column, &figures);
	warning = column_warning(rows, column, &figures);
	nulls[9] = warning == NULL;
	values[9] = nulls[9] ? (Datum) 0 : CStringGetTextDatum(warning);
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}

/* All of them, as an array */
static Datum
column_rows(const InformationRows *rows, Oid element_type)
{
	TupleDesc	desc = lookup_rowtype_tupdesc(element_type, -1);
	Datum	   *elements = palloc(sizeof(Datum) * rows->ncolumns);
	int16		length;
	bool		by_value;
	char		align;
	ArrayType  *array;

	for (int c = 0; c < rows->ncolumns; c++)
	{
		CHECK_FOR_INTERRUPTS();
		elements[c] = column_row(rows, &rows->columns[c], desc);
	}
	ReleaseTupleDesc(desc);
	get_typlenbyvalalign(element_type, &length, &by_value, &align);
	array = construct_array(elements, rows->ncolumns, element_type, length,
							by_value, align);
	return PointerGetDatum(array);
}

PG_FUNCTION_INFO_V1(churn_information_final);
Datum
churn_information_final(PG_FUNCTION_ARGS)
{
	InformationRows *rows = PG_ARGISNULL(0) ? NULL :
		information_rows((InformationState *) PG_GETARG_POINTER(0));
	Oid			type = get_element_type(get_fn_expr_rettype(fcinfo->flinfo));

	if (rows == NULL || rows->nrows == 0)
		PG_RETURN_NULL();
	if (!OidIsValid(type))
		elog(ERROR, "churn_information_final called without its result type");
	if (rows->unlabelled > 0)
		ereport(NOTICE,
				(errmsg("churn_information: " INT64_FORMAT " rows without a label left out",
						rows->unlabelled)));
	PG_RETURN_DATUM(column_rows(rows, type));
}
