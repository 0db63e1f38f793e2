/*-------------------------------------------------------------------------
 *
 * report_field.c
 *	  The figures of a report, read from jsonb by name.
 *
 * Nothing here fails: what is lacking, NULL or of another type reads as
 * NULL, NaN, false or no items, so that a section writes what it has.
 * Text comes out in UTF-8.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/numeric.h"

#include "operate/report.h"

/* A value of an object; false when there is none */
static bool
field_value(Facts facts, const char *key, JsonbValue *value)
{
	if (facts == NULL || !JsonContainerIsObject(facts))
		return false;
	return getKeyJsonValueFromContainer((JsonbContainer *) facts, key,
										strlen(key), value) != NULL &&
		value->type != jbvNull;
}

/* A value of an array, or NULL */
static const JsonbValue *
array_value(Facts array, int i)
{
	if (array == NULL || !JsonContainerIsArray(array) || i < 0)
		return NULL;
	return getIthJsonbValueFromContainer((JsonbContainer *) array, i);
}

/* The object or array under a key, or NULL */
Facts
field_at(Facts facts, const char *key)
{
	JsonbValue	value;

	if (!field_value(facts, key, &value) || value.type != jbvBinary)
		return NULL;
	return value.val.binary.data;
}

/* How many items an array has; 0 for anything else */
int
field_count(Facts array)
{
	return array != NULL && JsonContainerIsArray(array) ?
		(int) JsonContainerSize(array) : 0;
}

/* The object or array at a place of an array, or NULL */
Facts
field_item(Facts array, int i)
{
	const JsonbValue *value = array_value(array, i);

	return value != NULL && value->type == jbvBinary ?
		value->val.binary.data : NULL;
}

/* NaN for what is no number */
static double
value_number(const JsonbValue *value)
{
	if (value->type != jbvNumeric)
		return get_float8_nan();
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
											  NumericGetDatum(value->val.numeric)));
}

/* The number under a key; NaN when there is none */
double
field_number(Facts facts, const char *key)
{
	JsonbValue	value;

	return field_value(facts, key, &value) ? value_number(&value) :
		get_float8_nan();
}

/* Text in UTF-8; NULL for objects, arrays and nulls */
static char *
value_string(const JsonbValue *value)
{
	char	   *raw;
	char	   *utf8;

	if (value->type == jbvNumeric)
		return DatumGetCString(DirectFunctionCall1(numeric_out,
												   NumericGetDatum(value->val.numeric)));
	if (value->type == jbvBool)
		return pstrdup(value->val.boolean ? "true" : "false");
	if (value->type != jbvString)
		return NULL;
	raw = pnstrdup(value->val.string.val, value->val.string.len);
	/* SQL_ASCII promises nothing; its bytes are looked at when written */
	if (GetDatabaseEncoding() == PG_SQL_ASCII)
		return raw;
	utf8 = pg_server_to_any(raw, strlen(raw), PG_UTF8);
	return utf8;
}

/* A string, or a number as SQL prints it; NULL when there is none */
char *
field_text(Facts facts, const char *key)
{
	JsonbValue	value;

	return field_value(facts, key, &value) ? value_string(&value) : NULL;
}

/* A number as SQL prints it; NULL for anything else */
char *
field_exact(Facts facts, const char *key)
{
	JsonbValue	value;

	if (!field_value(facts, key, &value) || value.type != jbvNumeric)
		return NULL;
	return value_string(&value);
}

/* The text at a place of an array, or NULL */
char *
field_item_text(Facts array, int i)
{
	const JsonbValue *value = array_value(array, i);

	return value == NULL ? NULL : value_string(value);
}

/* Said to be true */
bool
field_true(Facts facts, const char *key)
{
	JsonbValue	value;

	return field_value(facts, key, &value) && value.type == jbvBool &&
		value.val.boolean;
}

/* Said to be false, which is more than not said to be true */
bool
field_false(Facts facts, const char *key)
{
	JsonbValue	value;

	return field_value(facts, key, &value) && value.type == jbvBool &&
		!value.val.boolean;
}

/* The same, empty when there is none */
char *
field_words(Facts facts, const char *key)
{
	char	   *text = field_text(facts, key);

	return text == NULL ? pstrdup("") : text;
}

/*
 * The numbers of an array, NaN for each that is none.  A negative n is set to
 * how many there are; else the result has n, so that columns of one chart are
 * of one length whatever their arrays hold.
 */
double *
field_numbers(Facts facts, const char *key, int *n)
{
	Facts		array = field_at(facts, key);
	double	   *numbers;

	if (*n < 0)
		*n = field_count(array);
	numbers = palloc(sizeof(double) * Max(*n, 1));
	for (int i = 0; i < *n; i++)
	{
		const JsonbValue *value = array_value(array, i);

		numbers[i] = value == NULL ? get_float8_nan() : value_number(value);
	}
	return numbers;
}
