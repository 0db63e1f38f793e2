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
#include "utils/datetime.h"
#include "utils/json.h"

#include "learn/model_io.h"

#define MODEL_TEXT_VERSION	1

extern Datum churn_spec_in(PG_FUNCTION_ARGS);
extern Datum churn_spec_out(PG_FUNCTION_ARGS);

/* Names of ModelType */
static const char *const type_names[MODEL_TYPES] = {
	"number", "boolean", "text", "date", "timestamp", "interval"
};

/* ---- writing ---- */

void
model_put_reference(StringInfo out, const Model *model)
{
	int			year,
				month,
				day;

	if (!model->has_reference)
	{
		appendStringInfoString(out, "null");
		return;
	}
	j2date(model->reference_date + POSTGRES_EPOCH_JDATE, &year, &month, &day);
	appendStringInfo(out, "\"%04d-%02d-%02d\"", year, month, day);
}

static void
put_types(StringInfo out, const Model *model)
{
	appendStringInfoString(out, ", \"types\": [");
	for (int i = 0; i < model->ninputs; i++)
		appendStringInfo(out, "%s\"%s\"", i > 0 ? ", " : "",
						 type_names[model->types[i]]);
	appendStringInfoChar(out, ']');
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
	json_put_number(&out, "intercept", model->intercept);
	appendStringInfoString(&out, ",\n \"reference_date\": ");
	model_put_reference(&out, model);
	json_put_strings(&out, "inputs", model->inputs, model->ninputs);
	put_types(&out, model);
	appendStringInfoString(&out, ",\n \"terms\": [");
	model_put_terms(&out, model);
	appendStringInfo(&out, "],\n \"provenance\": %s}", model->provenance);
	PG_RETURN_CSTRING(out.data);
}

/* ---- reading ---- */

static int
type_by_name(const char *name)
{
	for (int type = 0; type < MODEL_TYPES; type++)
		if (strcmp(name, type_names[type]) == 0)
			return type;
	json_wrong("has an unknown member", "types");
	return -1;					/* not reached */
}

static void
read_inputs(JsonbContainer *root, Model *model)
{
	char	  **types;
	int			ntypes;

	model->inputs = json_get_strings(root, "inputs", MODEL_MAX_INPUTS,
									 &model->ninputs);
	types = json_get_strings(root, "types", MODEL_MAX_INPUTS, &ntypes);
	if (ntypes != model->ninputs)
		json_wrong("has not as many members as \"inputs\"", "types");
	model->types = palloc(Max(ntypes, 1));
	for (int i = 0; i < ntypes; i++)
		model->types[i] = type_by_name(types[i]);
}

/* null, or YYYY-MM-DD as it is printed */
static void
read_reference_date(JsonbContainer *root, Model *model)
{
	JsonbValue	value;

	if (getKeyJsonValueFromContainer(root, "reference_date",
									 strlen("reference_date"), &value) == NULL)
		json_wrong("is missing", "reference_date");
	if (value.type == jbvNull)
		return;
	model->has_reference = true;
	if (!model_read_date(json_get_string(root, "reference_date"),
						 &model->reference_date))
		json_wrong("is not a date", "reference_date");
}

bool
model_read_date(const char *text, DateADT *date)
{
	int			year,
				month,
				day,
				length = 0;

	if (sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &length) != 3 ||
		length != 10 || text[length] != '\0' || strspn(text, "0123456789-") != 10 ||
		year < 1 || month < 1 || month > MONTHS_PER_YEAR || day < 1 ||
		day > day_tab[isleap(year)][month - 1])
		return false;
	*date = date2j(year, month, day) - POSTGRES_EPOCH_JDATE;
	return true;
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
	read_reference_date(root, model);
	model_get_terms(root, model);
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
