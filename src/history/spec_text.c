/*-------------------------------------------------------------------------
 *
 * spec_text.c
 *	  The text form of churn_spec: a JSON object.
 *
 * Its keys are the arguments of the function churn_spec.  On input a missing
 * key or a null takes the argument's default and an unknown key is an error;
 * on output every key is there, always in the same order.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/jsonb.h"

#include "history/spec_build.h"

/* The value of a key has another type than the key wants. */
static void
report_type(const char *key, const char *wanted)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("key \"%s\" of a churn_spec must be %s", key, wanted),
			 errhint("The function churn_spec() writes a spec from named arguments.")));
}

/* A string */
static char *
json_string(const char *key, const JsonbValue *value)
{
	if (value->type != jbvString)
		report_type(key, "a string");
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/* A whole number; fractions and overflow are the integer type's errors. */
static int
json_integer(const char *key, const JsonbValue *value)
{
	Datum		number;
	char	   *digits;

	if (value->type != jbvNumeric)
		report_type(key, "a whole number");
	number = NumericGetDatum(value->val.numeric);
	digits = DatumGetCString(DirectFunctionCall1(numeric_out, number));
	return DatumGetInt32(DirectFunctionCall1(int4in, CStringGetDatum(digits)));
}

/* Number of elements of an array */
static int
json_length(const char *key, const JsonbValue *value)
{
	if (value->type != jbvBinary ||
		!JsonContainerIsArray(value->val.binary.data) ||
		JsonContainerIsScalar(value->val.binary.data))
		report_type(key, "an array");
	return JsonContainerSize(value->val.binary.data);
}

/* Element of an array, from 0 */
static JsonbValue *
json_element(const JsonbValue *array, int i)
{
	return getIthJsonbValueFromContainer(array->val.binary.data, i);
}

/* An array of strings */
static SpecNames
json_names(const char *key, const JsonbValue *value)
{
	SpecNames	names = {true, json_length(key, value), NULL};

	names.name = palloc(sizeof(char *) * Max(names.n, 1));
	for (int i = 0; i < names.n; i++)
		names.name[i] = json_string(key, json_element(value, i));
	return names;
}

/* The array of windows */
static void
json_windows(SpecArgs *args, const JsonbValue *value)
{
	args->windows_given = true;
	args->nwindows = json_length("windows", value);
	args->windows = palloc(sizeof(int) * Max(args->nwindows, 1));
	for (int i = 0; i < args->nwindows; i++)
		args->windows[i] = json_integer("windows", json_element(value, i));
}

/* Put one key's value where it belongs. */
static void
take_key(SpecArgs *args, const char *key, const JsonbValue *value)
{
	if (strcmp(key, "windows") == 0)
		json_windows(args, value);
	else if (strcmp(key, "lookback") == 0)
	{
		args->lookback_given = true;
		args->lookback = json_integer(key, value);
	}
	else if (strcmp(key, "churn_window") == 0)
	{
		args->churn_window_given = true;
		args->churn_window = json_integer(key, value);
	}
	else if (strcmp(key, "visible") == 0)
	{
		args->visible_given = true;
		args->visible = json_integer(key, value);
	}
	else if (strcmp(key, "kinds") == 0)
		args->kinds = json_names(key, value);
	else if (strcmp(key, "key_kinds") == 0)
		args->key_kinds = json_names(key, value);
	else if (strcmp(key, "amount_kinds") == 0)
		args->amount_kinds = json_names(key, value);
	else if (strcmp(key, "refund_kinds") == 0)
		args->refund_kinds = json_names(key, value);
	else if (strcmp(key, "ratios") == 0)
		args->ratios = json_names(key, value);
	else if (strcmp(key, "time_zone") == 0)
		args->time_zone = json_string(key, value);
	else
		args->kind = json_string(key, value);
}

/* Keys are checked before nulls are passed over. */
static void
check_key(const char *key)
{
	static const char *const known[] = {
		"windows", "lookback", "kinds", "key_kinds", "churn_window", "ratios",
		"time_zone", "kind", "amount_kinds", "refund_kinds", "visible"
	};

	for (int i = 0; i < (int) lengthof(known); i++)
		if (strcmp(key, known[i]) == 0)
			return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("churn_spec has no key \"%s\"", key),
			 errhint("The keys are windows, lookback, kinds, key_kinds, churn_window, ratios, time_zone, kind, amount_kinds, refund_kinds and visible.")));
}

/* See spec_build.h. */
SpecArgs *
spec_args_from_json(const char *text)
{
	SpecArgs   *args = palloc0(sizeof(SpecArgs));
	Datum		parsed = DirectFunctionCall1(jsonb_in, CStringGetDatum(text));
	Jsonb	   *json = DatumGetJsonbP(parsed);
	JsonbIterator *walk;
	JsonbIteratorToken token;
	JsonbValue	value;
	char	   *key = NULL;

	if (!JB_ROOT_IS_OBJECT(json))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("churn_spec must be a JSON object"),
				 errhint("The function churn_spec() writes one from named arguments.")));
	walk = JsonbIteratorInit(&json->root);
	while ((token = JsonbIteratorNext(&walk, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			key = pnstrdup(value.val.string.val, value.val.string.len);
			check_key(key);
		}
		else if (token == WJB_VALUE && value.type != jbvNull)
			take_key(args, key, &value);
	}
	return args;
}

/* A list of names as a JSON array */
static void
append_names(StringInfo out, const char *key, const SpecNames *names)
{
	appendStringInfo(out, ", \"%s\": [", key);
	for (int i = 0; i < names->n; i++)
	{
		if (i > 0)
			appendStringInfoString(out, ", ");
		escape_json(out, names->name[i]);
	}
	appendStringInfoChar(out, ']');
}

/* See spec_build.h. */
void
spec_append_json(StringInfo out, const Spec *spec)
{
	SpecArgs   *args = spec_args(spec);

	appendStringInfoString(out, "{\"windows\": [");
	for (int i = 0; i < args->nwindows; i++)
		appendStringInfo(out, "%s%d", i > 0 ? ", " : "", args->windows[i]);
	appendStringInfo(out, "], \"lookback\": %d", args->lookback);
	append_names(out, "kinds", &args->kinds);
	append_names(out, "key_kinds", &args->key_kinds);
	if (args->churn_window_given)
		appendStringInfo(out, ", \"churn_window\": %d", args->churn_window);
	else
		appendStringInfoString(out, ", \"churn_window\": null");
	append_names(out, "ratios", &args->ratios);
	appendStringInfoString(out, ", \"time_zone\": ");
	escape_json(out, args->time_zone);
	appendStringInfoString(out, ", \"kind\": ");
	if (args->kind)
		escape_json(out, args->kind);
	else
		appendStringInfoString(out, "null");
	append_names(out, "amount_kinds", &args->amount_kinds);
	append_names(out, "refund_kinds", &args->refund_kinds);
	if (args->visible_given)
		appendStringInfo(out, ", \"visible\": %d", args->visible);
	else
		appendStringInfoString(out, ", \"visible\": null");
	appendStringInfoChar(out, '}');
}
