/*-------------------------------------------------------------------------
 *
 * fit_options_loss.c
 *	  Options that change what is minimised, and what comes after it:
 *	  penalty, class weights, limits on columns, calibration, pairs.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "learn/fit_options.h"

#define CLASS_WEIGHTS	"\"balanced\", or an object of \"churned\" and \"stayed\" with numbers from 1e-6 to 1e6"
#define MONOTONE		"an object of column names with 1 (never falls) or -1 (never rises)"

void
read_penalty(FitOptions *options, const char *key, const JsonbValue *value)
{
	static const char *const choices[] = {"l2", "l1", NULL};	/* as FitPenalty */

	options->penalty = (FitPenalty) option_choice(key, value, choices,
												  "\"l2\" or \"l1\"");
}

void
read_penalties(FitOptions *options, const char *key, const JsonbValue *value)
{
	static const char *const choices[] = {"auto", "learnt", "equal", NULL}; /* as FitPenalties */

	options->penalties = (FitPenalties)
		option_choice(key, value, choices,
					  "\"auto\", \"learnt\" or \"equal\"");
}

/* The next pair of an object's iterator; false at its end */
static bool
next_member(JsonbIterator **iterator, char **name, JsonbValue *value)
{
	JsonbValue	key;
	JsonbIteratorToken token;

	while ((token = JsonbIteratorNext(iterator, &key, true)) != WJB_DONE)
	{
		if (token != WJB_KEY)
			continue;
		*name = pnstrdup(key.val.string.val, key.val.string.len);
		(void) JsonbIteratorNext(iterator, value, true);
		return true;
	}
	return false;
}

static JsonbIterator *
object_members(const char *key, const JsonbValue *value, const char *wanted)
{
	if (value->type != jbvBinary ||
		!JsonContainerIsObject(value->val.binary.data))
		option_wrong(key, wanted);
	return JsonbIteratorInit(value->val.binary.data);
}

/* A class that is not named has weight 1. */
void
read_class_weights(FitOptions *options, const char *key,
				   const JsonbValue *value)
{
	JsonbIterator *iterator;
	JsonbValue	weight;
	char	   *name;

	options->weighted = true;
	if (value->type == jbvString)
	{
		if (strcmp(option_string(key, value, CLASS_WEIGHTS), "balanced") != 0)
			option_wrong(key, CLASS_WEIGHTS);
		options->balanced = true;
		return;
	}
	options->class_weights[0] = options->class_weights[1] = 1;
	iterator = object_members(key, value, CLASS_WEIGHTS);
	while (next_member(&iterator, &name, &weight))
	{
		bool		churned = strcmp(name, "churned") == 0;

		if (!churned && strcmp(name, "stayed") != 0)
			option_wrong(key, CLASS_WEIGHTS);
		options->class_weights[churned] =
			option_number(key, &weight, 1e-6, 1e6, false, CLASS_WEIGHTS);
	}
}

/* The short form of "calibration": true is "platt", false "none" */
void
read_calibrate(FitOptions *options, const char *key, const JsonbValue *value)
{
	if (value->type != jbvBool)
		option_wrong(key, "true or false");
	options->calibration = value->val.boolean ? FIT_PLATT : FIT_UNCALIBRATED;
	options->calibrate_given = true;
}

void
read_calibration(FitOptions *options, const char *key,
				 const JsonbValue *value)
{
	static const char *const choices[] = {"none", "platt", "isotonic", NULL};	/* as FitCalibration */
	FitCalibration calibration = (FitCalibration)
		option_choice(key, value, choices,
					  "\"platt\", \"isotonic\" or \"none\"");

	if (options->calibrate_given && options->calibration != calibration)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options \"calibrate\" and \"calibration\" contradict each other"),
				 errhint("Give \"calibration\" alone.")));
	options->calibration = calibration;
}

void
read_monotone(FitOptions *options, const char *key, const JsonbValue *value)
{
	JsonbIterator *iterator = object_members(key, value, MONOTONE);
	int			count = JsonContainerSize(value->val.binary.data);
	JsonbValue	sign;
	char	   *name;

	if (count > MODEL_MAX_INPUTS)
		option_wrong(key, "an object of at most 20000 columns");
	options->monotone_columns = palloc(sizeof(char *) * Max(count, 1));
	options->monotone_signs = palloc(sizeof(int8) * Max(count, 1));
	options->nmonotone = 0;
	while (next_member(&iterator, &name, &sign))
	{
		double		x = option_number(key, &sign, -1, 1, true, MONOTONE);

		if (x == 0)
			option_wrong(key, MONOTONE);
		options->monotone_columns[options->nmonotone] = name;
		options->monotone_signs[options->nmonotone++] = x;
	}
}

void
read_pairs(FitOptions *options, const char *key, const JsonbValue *value)
{
	options->pairs = option_number(key, value, 0, FIT_MAX_PAIRS, true,
								   "a whole number from 0 to 40");
}

/* Two options that cannot both be had */
pg_noreturn static void
contradiction(const char *message, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s", message), errhint("%s", hint)));
}

void
options_check_together(const FitOptions *options)
{
	bool		curves = options->encoding != FIT_LINEAR;
	bool		pairs = options->encoding == FIT_PAIRS ||
		options->encoding == FIT_AUTO;

	if (options->solver == FIT_NEWTON && !curves && options->nmonotone > 0)
		contradiction("solver \"newton\" cannot keep encoding \"linear\" monotone",
					  "Ask for encoding \"bins\" or \"pairs\", or solver \"liblinear\".");
	if (options->penalty == FIT_L1 && options->solver == FIT_NEWTON)
		contradiction("solver \"newton\" cannot take penalty \"l1\"",
					  "Ask for solver \"liblinear\" or \"auto\", or penalty \"l2\".");
	if (options->penalty == FIT_L1 && options->encoding == FIT_PAIRS)
		contradiction("encoding \"pairs\" cannot take penalty \"l1\"",
					  "Ask for encoding \"linear\", \"bins\" or \"auto\", or penalty \"l2\".");
	if (options->nmonotone > 0 && curves &&
		(options->solver == FIT_LIBLINEAR || options->penalty == FIT_L1))
		contradiction("LIBLINEAR cannot keep curves monotone",
					  "Ask for solver \"auto\" and penalty \"l2\", or encoding \"linear\".");
	if (options->pairs >= 0 && !pairs)
		contradiction("option \"pairs\" needs encoding \"pairs\" or \"auto\"",
					  "Leave it out, or ask for encoding \"pairs\".");
	if (options->pairs > 0 && options->folds < 3)
		contradiction("pairs are ranked by folds, at least 3 of them",
					  "Raise option \"folds\", or leave out \"pairs\".");
	if (options->penalties == FIT_LEARNT && options->penalty == FIT_L1)
		contradiction("penalties cannot be learnt with penalty \"l1\"",
					  "Leave out \"penalties\", or ask for penalty \"l2\".");
	if (options->pairs > 0 && options->penalty == FIT_L1)
		contradiction("pairs cannot take penalty \"l1\"",
					  "Leave out \"pairs\", or ask for penalty \"l2\".");
}
