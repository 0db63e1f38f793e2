/*-------------------------------------------------------------------------
 *
 * model_json.c
 *	  Fields of the JSON that a model is written in.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/shortest_dec.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/numeric.h"

#include "learn/model_io.h"

void
json_wrong(const char *what, const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type churn_model: \"%s\" %s",
					name, what)));
}

void
json_field(JsonbContainer *object, const char *name, enum jbvType type,
		   JsonbValue *value)
{
	if (getKeyJsonValueFromContainer(object, name, strlen(name), value) == NULL)
		json_wrong("is missing", name);
	if (value->type != type)
		json_wrong("is not of the type it should be", name);
}

/* A JSON number as a finite double */
static double
number_of(const JsonbValue *value, const char *name)
{
	double		x;

	/* beyond the range of a double: infinite, and then refused */
	x = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
										   NumericGetDatum(value->val.numeric)));
	if (!isfinite(x))
		json_wrong("is out of range", name);
	return x;
}

double
json_get_number(JsonbContainer *object, const char *name)
{
	JsonbValue	value;

	json_field(object, name, jbvNumeric, &value);
	return number_of(&value, name);
}

int
json_get_integer(JsonbContainer *object, const char *name)
{
	double		x = json_get_number(object, name);

	if (x != floor(x) || x < 0 || x > PG_INT32_MAX)
		json_wrong("is not a whole number in range", name);
	return (int) x;
}

char *
json_get_string(JsonbContainer *object, const char *name)
{
	JsonbValue	value;

	json_field(object, name, jbvString, &value);
	return pnstrdup(value.val.string.val, value.val.string.len);
}

JsonbContainer *
json_get_container(JsonbContainer *object, const char *name, bool array)
{
	JsonbValue	value;

	json_field(object, name, jbvBinary, &value);
	if (array ? !JsonContainerIsArray(value.val.binary.data) :
		!JsonContainerIsObject(value.val.binary.data))
		json_wrong("is not of the type it should be", name);
	return value.val.binary.data;
}

bool
json_get_flag(JsonbContainer *object, const char *name)
{
	JsonbValue	value;

	json_field(object, name, jbvBool, &value);
	return value.val.boolean;
}

double *
json_get_numbers(JsonbContainer *object, const char *name, int limit,
				 int *count)
{
	JsonbContainer *array = json_get_container(object, name, true);
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	value;
	double	   *numbers;
	int			n = 0;

	if (JsonContainerSize(array) > (uint32) limit)
		json_wrong("has too many members", name);
	numbers = palloc(sizeof(double) * Max(JsonContainerSize(array), 1));
	iterator = JsonbIteratorInit(array);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		if (value.type != jbvNumeric)
			json_wrong("must hold numbers", name);
		numbers[n++] = number_of(&value, name);
	}
	*count = n;
	return numbers;
}

char **
json_get_strings(JsonbContainer *object, const char *name, int limit,
				 int *count)
{
	JsonbContainer *array = json_get_container(object, name, true);
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	value;
	char	  **strings;
	int			n = 0;

	if (JsonContainerSize(array) > (uint32) limit)
		json_wrong("has too many members", name);
	strings = palloc(sizeof(char *) * Max(JsonContainerSize(array), 1));
	iterator = JsonbIteratorInit(array);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		if (value.type != jbvString)
			json_wrong("must hold strings", name);
		strings[n++] = pnstrdup(value.val.string.val, value.val.string.len);
	}
	*count = n;
	return strings;
}

/* Zero is written without a sign. */
static void
put_digits(StringInfo out, double x)
{
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	double_to_shortest_decimal_buf(x == 0 ? 0 : x, digits);
	appendStringInfoString(out, digits);
}

void
json_put_number(StringInfo out, const char *name, double x)
{
	appendStringInfo(out, ", \"%s\": ", name);
	put_digits(out, x);
}

void
json_put_strings(StringInfo out, const char *name, char **strings, int n)
{
	appendStringInfo(out, ", \"%s\": [", name);
	for (int i = 0; i < n; i++)
	{
		if (i > 0)
			appendStringInfoString(out, ", ");
		escape_json(out, strings[i]);
	}
	appendStringInfoChar(out, ']');
}

void
json_put_numbers(StringInfo out, const char *name, const double *x, int n)
{
	appendStringInfo(out, ", \"%s\": [", name);
	for (int i = 0; i < n; i++)
	{
		if (i > 0)
			appendStringInfoString(out, ", ");
		put_digits(out, x[i]);
	}
	appendStringInfoChar(out, ']');
}
