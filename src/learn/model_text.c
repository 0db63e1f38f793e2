/*-------------------------------------------------------------------------
 *
 * model_text.c
 *	  The text form of churn_model: JSON, a line a term.
 *
 * Numbers are the shortest that read back to the same bits, whatever the
 * session's settings.  The checksum is the hash of the stored form, so that
 * a text changed by hand or by accident is refused, never scored with.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/shortest_dec.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "churn.h"
#include "learn/model.h"

#define MODEL_TEXT_VERSION	1

extern Datum churn_spec_in(PG_FUNCTION_ARGS);
extern Datum churn_spec_out(PG_FUNCTION_ARGS);

/* ---- writing ---- */

/* "name": number, */
static void
write_number(StringInfo out, const char *name, double x)
{
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	double_to_shortest_decimal_buf(x == 0 ? 0 : x, digits);
	appendStringInfo(out, ", \"%s\": %s", name, digits);
}

static void
write_term(StringInfo out, const Model *model, const ModelTerm *term)
{
	appendStringInfoString(out, "{\"kind\": \"linear\", \"name\": ");
	escape_json(out, model->inputs[term->input]);
	appendStringInfo(out, ", \"input\": %d, \"signed_log\": %s", term->input,
					 term->signed_log ? "true" : "false");
	write_number(out, "low", term->low);
	write_number(out, "high", term->high);
	write_number(out, "mean", term->mean);
	write_number(out, "scale", term->scale);
	write_number(out, "weight", term->weight);
	write_number(out, "missing_weight", term->missing_weight);
	write_number(out, "average", term->average);
	write_number(out, "missing_share", term->missing_share);
	appendStringInfoChar(out, '}');
}

PG_FUNCTION_INFO_V1(churn_model_out);
Datum
churn_model_out(PG_FUNCTION_ARGS)
{
	Model	   *model = model_decode(PG_GETARG_DATUM(0));
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out,
					 "{\"churn_model\": %d, \"checksum\": \"%016llx\",\n \"spec\": ",
					 MODEL_TEXT_VERSION,
					 (unsigned long long) model_hash(PG_GETARG_DATUM(0)));
	if (model->spec == (Datum) 0)
		appendStringInfoString(&out, "null");
	else
		escape_json(&out, DatumGetCString(DirectFunctionCall1(churn_spec_out,
															  model->spec)));
	write_number(&out, "intercept", model->intercept);
	appendStringInfoString(&out, ",\n \"inputs\": [");
	for (int i = 0; i < model->ninputs; i++)
	{
		if (i > 0)
			appendStringInfoString(&out, ", ");
		escape_json(&out, model->inputs[i]);
	}
	appendStringInfoString(&out, "],\n \"terms\": [");
	for (int i = 0; i < model->nterms; i++)
	{
		appendStringInfoString(&out, i > 0 ? ",\n  " : "\n  ");
		write_term(&out, model, &model->terms[i]);
	}
	appendStringInfo(&out, "],\n \"provenance\": %s}", model->provenance);
	PG_RETURN_CSTRING(out.data);
}

/* ---- reading ---- */

/* The one message for JSON that is not a model */
pg_noreturn static void
text_wrong(const char *what, const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type churn_model: \"%s\" %s",
					name, what)));
}

/* Field "name" of an object; it must be there and of the type. */
static void
read_field(JsonbContainer *object, const char *name, enum jbvType type,
		   JsonbValue *value)
{
	if (getKeyJsonValueFromContainer(object, name, strlen(name), value) == NULL)
		text_wrong("is missing", name);
	if (value->type != type)
		text_wrong("is not of the type it should be", name);
}

static double
read_number(JsonbContainer *object, const char *name)
{
	JsonbValue	value;
	double		x;

	read_field(object, name, jbvNumeric, &value);
	/* beyond the range of a double: infinite, and then refused */
	x = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
										   NumericGetDatum(value.val.numeric)));
	if (!isfinite(x))
		text_wrong("is out of range", name);
	return x;
}

static int
read_integer(JsonbContainer *object, const char *name)
{
	double		x = read_number(object, name);

	if (x != floor(x) || x < 0 || x > PG_INT32_MAX)
		text_wrong("is not a whole number in range", name);
	return (int) x;
}

static char *
read_string(JsonbContainer *object, const char *name)
{
	JsonbValue	value;

	read_field(object, name, jbvString, &value);
	return pnstrdup(value.val.string.val, value.val.string.len);
}

/* A nested array or object */
static JsonbContainer *
read_container(JsonbContainer *object, const char *name, bool array)
{
	JsonbValue	value;

	read_field(object, name, jbvBinary, &value);
	if (array ? !JsonContainerIsArray(value.val.binary.data) :
		!JsonContainerIsObject(value.val.binary.data))
		text_wrong("is not of the type it should be", name);
	return value.val.binary.data;
}

static void
read_inputs(JsonbContainer *root, Model *model)
{
	JsonbContainer *array = read_container(root, "inputs", true);
	uint32		count = JsonContainerSize(array);

	if (count > MODEL_MAX_INPUTS)
		text_wrong("has too many members", "inputs");
	model->ninputs = count;
	model->inputs = palloc(sizeof(char *) * Max(count, 1));
	for (uint32 i = 0; i < count; i++)
	{
		JsonbValue *value = getIthJsonbValueFromContainer(array, i);

		if (value->type != jbvString)
			text_wrong("must hold strings", "inputs");
		model->inputs[i] = pnstrdup(value->val.string.val,
									value->val.string.len);
	}
}

static void
read_term(JsonbContainer *object, const Model *model, ModelTerm *term)
{
	JsonbValue	flag;

	if (strcmp(read_string(object, "kind"), "linear") != 0)
		text_wrong("is not known here", "kind");
	term->input = read_integer(object, "input");
	if (term->input >= model->ninputs ||
		strcmp(read_string(object, "name"), model->inputs[term->input]) != 0)
		text_wrong("does not match the inputs", "name");
	read_field(object, "signed_log", jbvBool, &flag);
	term->signed_log = flag.val.boolean;
	term->low = read_number(object, "low");
	term->high = read_number(object, "high");
	term->mean = read_number(object, "mean");
	term->scale = read_number(object, "scale");
	term->weight = read_number(object, "weight");
	term->missing_weight = read_number(object, "missing_weight");
	term->average = read_number(object, "average");
	term->missing_share = read_number(object, "missing_share");
}

static void
read_terms(JsonbContainer *root, Model *model)
{
	JsonbContainer *array = read_container(root, "terms", true);
	uint32		count = JsonContainerSize(array);

	if (count > (uint32) model->ninputs)
		text_wrong("has more members than inputs", "terms");
	model->nterms = count;
	model->terms = palloc0(sizeof(ModelTerm) * Max(count, 1));
	for (uint32 i = 0; i < count; i++)
	{
		JsonbValue *value = getIthJsonbValueFromContainer(array, i);

		if (value->type != jbvBinary ||
			!JsonContainerIsObject(value->val.binary.data))
			text_wrong("must hold objects", "terms");
		read_term(value->val.binary.data, model, &model->terms[i]);
	}
}

/* NULL spec: fitted on columns. */
static void
read_spec(JsonbContainer *root, Model *model)
{
	JsonbValue	value;
	char	   *text;

	if (getKeyJsonValueFromContainer(root, "spec", 4, &value) == NULL)
		text_wrong("is missing", "spec");
	if (value.type == jbvNull)
		return;
	text = read_string(root, "spec");
	model->spec = DirectFunctionCall1(churn_spec_in, CStringGetDatum(text));
}

static Model *
read_model(JsonbContainer *root)
{
	Model	   *model = palloc0(sizeof(Model));
	JsonbContainer *provenance;
	int			version;

	version = read_integer(root, "churn_model");
	if (version != MODEL_TEXT_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("churn_model format version %d is not known here, only %d",
						version, MODEL_TEXT_VERSION),
				 errhint("Update the extension churn to the version that wrote the model.")));
	read_spec(root, model);
	model->intercept = read_number(root, "intercept");
	read_inputs(root, model);
	read_terms(root, model);
	provenance = read_container(root, "provenance", false);
	model->provenance = JsonbToCString(NULL, provenance, 1024);
	model_validate(model, ERRCODE_INVALID_TEXT_REPRESENTATION);
	return model;
}

PG_FUNCTION_INFO_V1(churn_model_in);
Datum
churn_model_in(PG_FUNCTION_ARGS)
{
	Jsonb	   *json = DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
														  PG_GETARG_DATUM(0)));
	char		checksum[17];
	Datum		result;

	if (!JB_ROOT_IS_OBJECT(json))
		text_wrong("is missing", "churn_model");
	result = model_encode(read_model(&json->root));
	snprintf(checksum, sizeof(checksum), "%016llx",
			 (unsigned long long) model_hash(result));
	if (strcmp(read_string(&json->root, "checksum"), checksum) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("checksum of churn_model does not match its content"),
				 errdetail("The text was changed after the model was written."),
				 errhint("Copy the model again from where it was fitted.")));
	PG_RETURN_DATUM(result);
}
