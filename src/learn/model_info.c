/*-------------------------------------------------------------------------
 *
 * model_info.c
 *	  What people ask of a model: where it comes from, its inputs.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/jsonb.h"

#include "learn/model_io.h"

extern Datum churn_spec_out(PG_FUNCTION_ARGS);

/* The provenance, with sizes and the hash in front */
PG_FUNCTION_INFO_V1(churn_model_info);
Datum
churn_model_info(PG_FUNCTION_ARGS)
{
	Datum		datum = PointerGetDatum(PG_DETOAST_DATUM(PG_GETARG_DATUM(0)));
	Model	   *model = model_decode(datum);
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out,
					 "{\"format\": 1, \"checksum\": \"%016llx\", \"bytes\": %d, \"inputs\": %d, \"terms\": %d, \"pairs\": %d, \"spec\": ",
					 (unsigned long long) model_hash(datum),
					 (int) VARSIZE(DatumGetPointer(datum)), model->ninputs,
					 model->nterms, model->npairs);
	if (model->spec == (Datum) 0)
		appendStringInfoString(&out, "null");
	else
		escape_json(&out, DatumGetCString(DirectFunctionCall1(churn_spec_out,
															  model->spec)));
	appendStringInfoString(&out, ", \"reference_date\": ");
	model_put_reference(&out, model);
	appendStringInfo(&out, ", \"provenance\": %s}", model->provenance);
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(out.data)));
}

/* The names of the inputs, in the order of an array of features */
PG_FUNCTION_INFO_V1(churn_model_inputs);
Datum
churn_model_inputs(PG_FUNCTION_ARGS)
{
	Model	   *model = model_decode(PG_GETARG_DATUM(0));
	Datum	   *names = palloc(sizeof(Datum) * model->ninputs);

	for (int i = 0; i < model->ninputs; i++)
		names[i] = CStringGetTextDatum(model->inputs[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(names, model->ninputs, TEXTOID, -1,
										  false, TYPALIGN_INT));
}

/* The spec of its features; NULL when it was fitted on columns */
PG_FUNCTION_INFO_V1(churn_model_spec);
Datum
churn_model_spec(PG_FUNCTION_ARGS)
{
	Model	   *model = model_decode(PG_GETARG_DATUM(0));

	if (model->spec == (Datum) 0)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(model->spec);
}
