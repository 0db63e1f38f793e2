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

#include "utils/builtins.h"
#include "utils/json.h"

#include "learn/model_io.h"

#define MODEL_TEXT_VERSION	1

extern Datum churn_spec_in(PG_FUNCTION_ARGS);
extern Datum churn_spec_out(PG_FUNCTION_ARGS);

/* ---- writing ---- */

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
	json_put_number(&out, "intercept", model->intercept);
	appendStringInfoString(&out, ",\n \"inputs\": [");
	for (int i = 0; i < model->ninputs; i++)
	{
		if (i > 0)
			appendStringInfoString(&out, ", ");
		escape_json(&out, model->inputs[i]);
	}
	appendStringInfoString(&out, "],\n \"terms\": [");
	model_put_terms(&out, model);
	appendStringInfoChar(&out, ']');
	model_put_calibration(&out, model);
	appendStringInfo(&out, ",\n \"provenance\": %s}", model->provenance);
	PG_RETURN_CSTRING(out.data);
}

/* ---- reading ---- */

static void
read_inputs(JsonbContainer *root, Model *model)
{
	JsonbContainer *array = json_get_container(root, "inputs", true);
	uint32		count = JsonContainerSize(array);

	if (count > MODEL_MAX_INPUTS)
		json_wrong("has too many members", "inputs");
	model->ninputs = count;
	model->inputs = palloc(sizeof(char *) * Max(count, 1));
	for (uint32 i = 0; i < count; i++)
	{
		JsonbValue *value = getIthJsonbValueFromContainer(array, i);

		if (value->type != jbvString)
			json_wrong("must hold strings", "inputs");
		model->inputs[i] = pnstrdup(value->val.string.val,
									value->val.string.len);
	}
}

/* NULL spec: fitted on columns. */
static void
read_spec(JsonbContainer *root, Model *model)
{
	JsonbValue	value;
	char	   *text;

	if (getKeyJsonValueFromContainer(root, "spec", 4, &value) == NULL)
		json_wrong("is missing", "spec");
	if (value.type == jbvNull)
		return;
	text = json_get_string(root, "spec");
	model->spec = DirectFunctionCall1(churn_spec_in, CStringGetDatum(text));
}

static Model *
read_model(JsonbContainer *root)
{
	Model	   *model = palloc0(sizeof(Model));
	JsonbContainer *provenance;
	int			version;

	version = json_get_integer(root, "churn_model");
	if (version != MODEL_TEXT_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("churn_model format version %d is not known here, only %d",
						version, MODEL_TEXT_VERSION),
				 errhint("Update the extension churn to the version that wrote the model.")));
	read_spec(root, model);
	model->intercept = json_get_number(root, "intercept");
	read_inputs(root, model);
	model_get_terms(root, model);
	model_get_calibration(root, model);
	provenance = json_get_container(root, "provenance", false);
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
		json_wrong("is missing", "churn_model");
	result = model_encode(read_model(&json->root));
	snprintf(checksum, sizeof(checksum), "%016llx",
			 (unsigned long long) model_hash(result));
	if (strcmp(json_get_string(&json->root, "checksum"), checksum) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("checksum of churn_model does not match its content"),
				 errdetail("The text was changed after the model was written."),
				 errhint("Copy the model again from where it was fitted.")));
	PG_RETURN_DATUM(result);
}
