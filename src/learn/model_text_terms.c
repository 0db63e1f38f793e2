/*-------------------------------------------------------------------------
 *
 * model_text_terms.c
 *	  Terms and pairs in the text form of churn_model: a line each.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/json.h"

#include "learn/model_io.h"

/* ---- writing ---- */

static void
put_linear(StringInfo out, const ModelTerm *term)
{
	appendStringInfo(out, ", \"signed_log\": %s",
					 term->signed_log ? "true" : "false");
	json_put_number(out, "low", term->low);
	json_put_number(out, "high", term->high);
	json_put_number(out, "mean", term->mean);
	json_put_number(out, "scale", term->scale);
	json_put_number(out, "weight", term->weight);
}

static void
put_bins(StringInfo out, const ModelTerm *term)
{
	json_put_numbers(out, "cuts", term->cuts, term->ncuts);
	json_put_numbers(out, "values", term->values, term->ncuts + 1);
	json_put_numbers(out, "shares", term->shares, term->ncuts + 1);
}

static void
put_levels(StringInfo out, const ModelTerm *term)
{
	json_put_strings(out, "levels", term->levels, term->ncuts);
	json_put_numbers(out, "values", term->values, term->ncuts + 1);
	json_put_numbers(out, "shares", term->shares, term->ncuts + 1);
}

static void
put_term(StringInfo out, const Model *model, const ModelTerm *term)
{
	appendStringInfo(out, "{\"kind\": \"%s\", \"name\": ",
					 term->kind == MODEL_LINEAR ? "linear" :
					 term->kind == MODEL_BINS ? "bins" : "levels");
	escape_json(out, model->inputs[term->input]);
	appendStringInfo(out, ", \"input\": %d", term->input);
	if (term->kind == MODEL_LINEAR)
		put_linear(out, term);
	else if (term->kind == MODEL_BINS)
		put_bins(out, term);
	else
		put_levels(out, term);
	json_put_number(out, "missing_weight", term->missing_weight);
	json_put_number(out, "average", term->average);
	json_put_number(out, "missing_share", term->missing_share);
	appendStringInfoChar(out, '}');
}

/* Cuts, or how many levels have a bin of their own */
static void
put_side(StringInfo out, const ModelSide *side, const char *cuts,
		 const char *levels)
{
	if (side->levels)
		appendStringInfo(out, ", \"%s\": %d", levels, side->ncuts);
	else
		json_put_numbers(out, cuts, side->cuts, side->ncuts);
}

static void
put_pair(StringInfo out, const Model *model, const ModelPair *pair)
{
	const ModelSide *first = &pair->side[0];
	const ModelSide *second = &pair->side[1];

	appendStringInfoString(out, "{\"kind\": \"pair\", \"name\": ");
	escape_json(out, model->inputs[first->input]);
	appendStringInfo(out, ", \"input\": %d", first->input);
	put_side(out, first, "cuts", "levels");
	appendStringInfoString(out, ", \"second_name\": ");
	escape_json(out, model->inputs[second->input]);
	appendStringInfo(out, ", \"second_input\": %d", second->input);
	put_side(out, second, "second_cuts", "second_levels");
	json_put_numbers(out, "values", pair->values, model_pair_cells(pair));
	json_put_numbers(out, "shares", pair->shares, model_pair_cells(pair));
	json_put_number(out, "average", pair->average);
	appendStringInfoChar(out, '}');
}

void
model_put_terms(StringInfo out, const Model *model)
{
	const char *separator = "\n  ";

	for (int i = 0; i < model->nterms; i++)
	{
		appendStringInfoString(out, separator);
		put_term(out, model, &model->terms[i]);
		separator = ",\n  ";
	}
	for (int i = 0; i < model->npairs; i++)
	{
		appendStringInfoString(out, separator);
		put_pair(out, model, &model->pairs[i]);
		separator = ",\n  ";
	}
}

/* ---- reading ---- */

/* An input by number and name, which must agree */
static int
get_input(JsonbContainer *object, const Model *model, const char *number,
		  const char *name)
{
	int			input = json_get_integer(object, number);

	if (input >= model->ninputs ||
		strcmp(json_get_string(object, name), model->inputs[input]) != 0)
		json_wrong("does not match the inputs", name);
	return input;
}

/* An array of just so many numbers */
static double *
get_cells(JsonbContainer *object, const char *name, int count)
{
	int			found;
	double	   *numbers = json_get_numbers(object, name, count, &found);

	if (found != count)
		json_wrong("has too few members", name);
	return numbers;
}

static void
get_linear(JsonbContainer *object, ModelTerm *term)
{
	term->kind = MODEL_LINEAR;
	term->signed_log = json_get_flag(object, "signed_log");
	term->low = json_get_number(object, "low");
	term->high = json_get_number(object, "high");
	term->mean = json_get_number(object, "mean");
	term->scale = json_get_number(object, "scale");
	term->weight = json_get_number(object, "weight");
}

static void
get_bins(JsonbContainer *object, ModelTerm *term)
{
	term->kind = MODEL_BINS;
	term->cuts = json_get_numbers(object, "cuts", MODEL_MAX_CUTS,
								  &term->ncuts);
	term->values = get_cells(object, "values", term->ncuts + 1);
	term->shares = get_cells(object, "shares", term->ncuts + 1);
}

static void
get_levels(JsonbContainer *object, ModelTerm *term)
{
	term->kind = MODEL_LEVELS;
	term->levels = json_get_strings(object, "levels", MODEL_MAX_LEVELS,
									&term->ncuts);
	term->values = get_cells(object, "values", term->ncuts + 1);
	term->shares = get_cells(object, "shares", term->ncuts + 1);
}

static void
get_term(JsonbContainer *object, const char *kind, Model *model)
{
	ModelTerm  *term;

	if (model->npairs > 0 || model->nterms == model->ninputs)
		json_wrong("has more members than inputs", "terms");
	term = &model->terms[model->nterms++];
	term->input = get_input(object, model, "input", "name");
	if (strcmp(kind, "linear") == 0)
		get_linear(object, term);
	else if (strcmp(kind, "bins") == 0)
		get_bins(object, term);
	else if (strcmp(kind, "levels") == 0)
		get_levels(object, term);
	else
		json_wrong("is not known here", "kind");
	term->missing_weight = json_get_number(object, "missing_weight");
	term->average = json_get_number(object, "average");
	term->missing_share = json_get_number(object, "missing_share");
}

static void
get_side(JsonbContainer *object, const Model *model, ModelSide *side,
		 const char *cuts, const char *levels)
{
	side->levels = model->types[side->input] == MODEL_TEXT;
	if (!side->levels)
		side->cuts = json_get_numbers(object, cuts, MODEL_MAX_CUTS,
									  &side->ncuts);
	else
	{
		side->ncuts = json_get_integer(object, levels);
		if (side->ncuts > MODEL_MAX_LEVELS)
			json_wrong("is out of range", levels);
	}
}

static void
get_pair(JsonbContainer *object, Model *model)
{
	ModelPair  *pair;
	ModelSide  *side;

	if (model->npairs == MODEL_MAX_PAIRS)
		json_wrong("has too many pairs", "terms");
	pair = &model->pairs[model->npairs++];
	side = pair->side;
	side[0].input = get_input(object, model, "input", "name");
	side[1].input = get_input(object, model, "second_input", "second_name");
	get_side(object, model, &side[0], "cuts", "levels");
	get_side(object, model, &side[1], "second_cuts", "second_levels");
	pair->values = get_cells(object, "values", model_pair_cells(pair));
	pair->shares = get_cells(object, "shares", model_pair_cells(pair));
	pair->average = json_get_number(object, "average");
}

/* One member of the array of terms */
static void
get_member(const JsonbValue *value, Model *model)
{
	JsonbContainer *object = value->val.binary.data;
	char	   *kind;

	if (value->type != jbvBinary || !JsonContainerIsObject(object))
		json_wrong("must hold objects", "terms");
	kind = json_get_string(object, "kind");
	if (strcmp(kind, "pair") == 0)
		get_pair(object, model);
	else
		get_term(object, kind, model);
}

void
model_get_terms(JsonbContainer *root, Model *model)
{
	JsonbContainer *array = json_get_container(root, "terms", true);
	uint32		count = JsonContainerSize(array);

	if (count > (uint32) model->ninputs + MODEL_MAX_PAIRS)
		json_wrong("has more members than inputs", "terms");
	model->terms = palloc0(sizeof(ModelTerm) * Max(model->ninputs, 1));
	model->pairs = palloc0(sizeof(ModelPair) * Max(Min(count,
													   MODEL_MAX_PAIRS), 1));
	for (uint32 i = 0; i < count; i++)
		get_member(getIthJsonbValueFromContainer(array, i), model);
}
