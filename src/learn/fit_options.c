/*-------------------------------------------------------------------------
 *
 * fit_options.c
 *	  The options of churn_fit: a jsonb object, every key known and checked.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/numeric.h"

#include "churn.h"
#include "learn/fit.h"

#define DEFAULT_FOLDS		5
#define DEFAULT_SEARCH_ROWS 20000
#define MOST_PAIRS		200

/* What one key does with its value */
typedef struct OptionHandler
{
	const char *key;
	void		(*read) (FitOptions *options, const char *key,
						 const JsonbValue *value);
} OptionHandler;

/* The one message for a value that an option cannot take */
pg_noreturn static void
option_wrong(const char *key, const char *wanted)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" must be %s", key, wanted)));
}

/* A number in [low, high], whole when asked; NaN cannot come from JSON. */
static double
option_number(const char *key, const JsonbValue *value, double low,
			  double high, bool whole, const char *wanted)
{
	double		x;

	if (value->type != jbvNumeric)
		option_wrong(key, wanted);
	x = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
										   NumericGetDatum(value->val.numeric)));
	if (!(x >= low && x <= high) || (whole && x != floor(x)))
		option_wrong(key, wanted);
	return x;
}

static char *
option_string(const char *key, const JsonbValue *value, const char *wanted)
{
	if (value->type != jbvString)
		option_wrong(key, wanted);
	return pnstrdup(value->val.string.val, value->val.string.len);
}

static void
read_c(FitOptions *options, const char *key, const JsonbValue *value)
{
	options->c = option_number(key, value, 1e-9, 1e9, false,
							   "a number from 1e-9 to 1e9");
}

static void
read_folds(FitOptions *options, const char *key, const JsonbValue *value)
{
	options->folds = option_number(key, value, 0, FIT_MAX_FOLDS, true,
								   "0 or a whole number from 2 to 20");
	if (options->folds == 1)
		option_wrong(key, "0 or a whole number from 2 to 20");
}

static void
read_seed(FitOptions *options, const char *key, const JsonbValue *value)
{
	options->seed = option_number(key, value, 0, PG_INT32_MAX, true,
								  "a whole number from 0 to 2147483647");
}

static void
read_search_rows(FitOptions *options, const char *key, const JsonbValue *value)
{
	options->max_search_rows =
		option_number(key, value, 100, PG_INT32_MAX - 1, true,
					  "a whole number, at least 100");
}

static void
read_pairs(FitOptions *options, const char *key, const JsonbValue *value)
{
	options->npairs = option_number(key, value, 0, MOST_PAIRS, true,
									"a whole number from 0 to 200");
}

static void
read_workers(FitOptions *options, const char *key, const JsonbValue *value)
{
	options->workers = option_number(key, value, 0, 64, true,
									 "a whole number from 0 to 64");
}

/* Kilobytes, or text with a unit as settings have it */
static void
read_memory(FitOptions *options, const char *key, const JsonbValue *value)
{
	const char *wanted = "a number of kilobytes or a text like \"2GB\"";

	if (value->type == jbvNumeric)
		options->memory_kb = option_number(key, value, 1024, PG_INT32_MAX,
										   true, wanted);
	else if (!parse_int(option_string(key, value, wanted),
						&options->memory_kb, GUC_UNIT_KB, NULL) ||
			 options->memory_kb < 1024)
		option_wrong(key, wanted);
}

static void
read_calibrate(FitOptions *options, const char *key, const JsonbValue *value)
{
	if (value->type != jbvBool)
		option_wrong(key, "true or false");
	options->calibrate = value->val.boolean;
}

static void
read_exclude(FitOptions *options, const char *key, const JsonbValue *value)
{
	JsonbContainer *array = value->val.binary.data;

	if (value->type != jbvBinary || !JsonContainerIsArray(array))
		option_wrong(key, "an array of column names");
	options->nexclude = JsonContainerSize(array);
	if (options->nexclude > MODEL_MAX_INPUTS)
		option_wrong(key, "an array of at most 20000 names");
	options->exclude = palloc(sizeof(char *) * Max(options->nexclude, 1));
	for (int i = 0; i < options->nexclude; i++)
		options->exclude[i] =
			option_string(key, getIthJsonbValueFromContainer(array, i),
						  "an array of column names");
}

static void
read_key(FitOptions *options, const char *key, const JsonbValue *value)
{
	options->key = option_string(key, value, "the name of a column");
}

static void
read_positive(FitOptions *options, const char *key, const JsonbValue *value)
{
	options->positive = option_string(key, value,
									  "the text of the label that means churned");
}

static void
read_reference_date(FitOptions *options, const char *key,
					const JsonbValue *value)
{
	const char *wanted = "a date like \"2025-12-31\"";

	if (!model_read_date(option_string(key, value, wanted),
						 &options->reference_date))
		option_wrong(key, wanted);
	options->has_reference = true;
}

/* Position of a string value among "choices"; "wanted" lists them. */
static int
option_choice(const char *key, const JsonbValue *value,
			  const char *const *choices, const char *wanted)
{
	char	   *text = option_string(key, value, wanted);

	for (int i = 0; choices[i] != NULL; i++)
		if (strcmp(text, choices[i]) == 0)
			return i;
	option_wrong(key, wanted);
	return -1;					/* not reached */
}

static void
read_encoding(FitOptions *options, const char *key, const JsonbValue *value)
{
	static const char *const choices[] = {"linear", "bins", "pairs", "auto",
	NULL};						/* as FitEncoding */

	options->encoding =
		(FitEncoding) option_choice(key, value, choices,
									"\"auto\", \"linear\", \"bins\" or \"pairs\"");
}

static void
read_solver(FitOptions *options, const char *key, const JsonbValue *value)
{
	static const char *const choices[] = {"liblinear", "newton", "auto", NULL}; /* as FitSolver */

	options->solver =
		(FitSolver) option_choice(key, value, choices,
								  "\"auto\", \"liblinear\" or \"newton\"");
}

/* Options with one answer for now: what later versions add is checked here. */
static void
read_penalty(FitOptions *options, const char *key, const JsonbValue *value)
{
	if (strcmp(option_string(key, value, "\"l2\""), "l2") != 0)
		option_wrong(key, "\"l2\"");
}

static const OptionHandler handlers[] = {
	{"c", read_c},
	{"calibrate", read_calibrate},
	{"encoding", read_encoding},
	{"exclude", read_exclude},
	{"folds", read_folds},
	{"key", read_key},
	{"max_search_rows", read_search_rows},
	{"memory", read_memory},
	{"pairs", read_pairs},
	{"penalty", read_penalty},
	{"positive", read_positive},
	{"reference_date", read_reference_date},
	{"seed", read_seed},
	{"solver", read_solver},
	{"workers", read_workers}
};

/* The keys there are, for a hint */
static char *
known_keys(void)
{
	StringInfoData keys;

	initStringInfo(&keys);
	for (size_t i = 0; i < lengthof(handlers); i++)
		appendStringInfo(&keys, "%s%s", i > 0 ? ", " : "", handlers[i].key);
	return keys.data;
}

static void
read_option(FitOptions *options, const char *key, const JsonbValue *value)
{
	for (size_t i = 0; i < lengthof(handlers); i++)
	{
		if (strcmp(handlers[i].key, key) == 0)
		{
			handlers[i].read(options, key, value);
			return;
		}
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" is not known", key),
			 errhint("The options are %s.", known_keys())));
}

FitOptions *
fit_options_read(Jsonb *json)
{
	FitOptions *options = palloc0(sizeof(FitOptions));
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key,
				value;

	options->folds = DEFAULT_FOLDS;
	options->seed = 1;
	options->max_search_rows = DEFAULT_SEARCH_ROWS;
	options->memory_kb = churn_memory_kb;
	options->workers = max_parallel_maintenance_workers;
	options->calibrate = true;
	options->npairs = -1;
	options->encoding = FIT_LINEAR;
	options->solver = FIT_SOLVER_AUTO;
	if (json == NULL)
		return options;
	if (!JB_ROOT_IS_OBJECT(json))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options must be a JSON object")));
	iterator = JsonbIteratorInit(&json->root);
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		char	   *name;

		if (token != WJB_KEY)
			continue;
		name = pnstrdup(key.val.string.val, key.val.string.len);
		(void) JsonbIteratorNext(&iterator, &value, true);
		read_option(options, name, &value);
	}
	if (options->solver == FIT_NEWTON && options->encoding == FIT_LINEAR)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("solver \"newton\" cannot fit encoding \"linear\""),
				 errhint("Ask for encoding \"bins\" or \"pairs\", or solver \"liblinear\".")));
	return options;
}
