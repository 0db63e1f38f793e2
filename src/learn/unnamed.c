/*-------------------------------------------------------------------------
 *
 * unnamed.c
 *	  Inputs that must not be named as reasons: marking them in a model.
 *
 * Weights, and so scores and contributions, stay as they are: only words are
 * withheld.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/jsonb.h"

#include "history/spec.h"
#include "learn/model_io.h"
#include "learn/scorer.h"
#include "learn/unnamed.h"

#define UNNAMED_KEY	"unnamed"	/* in the provenance */

/* Does a text match a pattern in which * stands for any bytes? */
static bool
matches(const char *pattern, const char *text)
{
	const char *star = NULL;
	const char *again = NULL;

	while (*text)
	{
		if (*pattern == '*')
		{
			star = pattern++;
			again = text;
		}
		else if (*pattern == *text)
		{
			pattern++;
			text++;
		}
		else if (star != NULL)
		{
			pattern = star + 1;
			text = ++again;
		}
		else
			return false;
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

/* Mark the inputs whose words would name a kind. */
static int
mark_kind(const Model *model, const FeatureList *list, const char *kind,
		  bool *marked)
{
	int			count = features_count(list);
	int			found = 0;

	for (int i = 0; i < model->ninputs; i++)
	{
		/* inputs are the list's features, some of them left out */
		for (int f = 0; f < count; f++)
		{
			int			at = (i + f) % count;

			if (strcmp(features_name(list, at), model->inputs[i]) != 0)
				continue;
			if (features_speaks_of(list, at, kind))
			{
				marked[i] = true;
				found++;
			}
			break;
		}
	}
	return found;
}

int
unnamed_mark(const Model *model, const FeatureList *list, const char *name,
			 bool *marked)
{
	int			found = 0;

	for (int i = 0; i < model->ninputs; i++)
		if (strcmp(model->inputs[i], name) == 0)
		{
			marked[i] = true;
			return 1;
		}
	if (list != NULL)
		found = mark_kind(model, list, name, marked);
	if (found > 0 || strchr(name, '*') == NULL)
		return found;
	for (int i = 0; i < model->ninputs; i++)
		if (matches(name, model->inputs[i]))
		{
			marked[i] = true;
			found++;
		}
	return found;
}

/* The features of a model's spec, or NULL */
static FeatureList *
model_features(const Model *model)
{
	return model->spec == (Datum) 0 ? NULL :
		features_list(spec_decode(model->spec));
}

void
unnamed_check(const Model *model, char **names, int n)
{
	bool	   *marked = palloc0(sizeof(bool) * Max(model->ninputs, 1));
	FeatureList *list = n > 0 ? model_features(model) : NULL;

	for (int i = 0; i < n; i++)
		if (unnamed_mark(model, list, names[i], marked) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("\"%s\" is no input of the model", names[i]),
					 model->spec == (Datum) 0 ?
					 errhint("Name columns that the model reads (churn_model_inputs), or use * for any letters.") :
					 errhint("Name features (churn_model_inputs) or kinds of events, or use * for any letters.")));
	pfree(marked);
}

/* The provenance as jsonb */
static Jsonb *
provenance_json(const Model *model)
{
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
											  CStringGetDatum(model->provenance)));
}

char **
unnamed_names(const Model *model, int *n)
{
	Jsonb	   *json = provenance_json(model);
	JsonbValue	value;

	*n = 0;
	if (getKeyJsonValueFromContainer(&json->root, UNNAMED_KEY,
									 strlen(UNNAMED_KEY), &value) == NULL)
		return NULL;
	return json_get_strings(&json->root, UNNAMED_KEY, MODEL_MAX_INPUTS, n);
}

/* Write the names into the provenance; without names nothing is left of it. */
static void
set_names(Model *model, char **names, int n)
{
	Datum		json = JsonbPGetDatum(provenance_json(model));
	StringInfoData list;

	json = DirectFunctionCall2(jsonb_delete, json,
							   CStringGetTextDatum(UNNAMED_KEY));
	if (n > 0)
	{
		initStringInfo(&list);
		appendStringInfoChar(&list, '{');
		for (int i = 0; i < n; i++)
		{
			appendStringInfoString(&list, i > 0 ? ", " : "\"" UNNAMED_KEY "\": [");
			escape_json(&list, names[i]);
		}
		appendStringInfoString(&list, "]}");
		json = DirectFunctionCall2(jsonb_concat, json,
								   DirectFunctionCall1(jsonb_in,
													   CStringGetDatum(list.data)));
	}
	model->provenance = JsonbToCString(NULL, &DatumGetJsonbP(json)->root, 1024);
}

/* Elements of a text[], none of them NULL */
static char **
array_names(ArrayType *array, int *n)
{
	Datum	   *elements;
	bool	   *nulls;
	char	  **names;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements,
					  &nulls, n);
	if (*n > MODEL_MAX_INPUTS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("more than %d names", MODEL_MAX_INPUTS)));
	names = palloc(sizeof(char *) * Max(*n, 1));
	for (int i = 0; i < *n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("names must not hold NULL")));
		names[i] = TextDatumGetCString(elements[i]);
	}
	return names;
}

/* Is a name among others? */
static bool
is_among(const char *name, char **names, int n)
{
	for (int i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

PG_FUNCTION_INFO_V1(churn_unname);

/* churn_unname(model, names): the model with these names, and no others */
Datum
churn_unname(PG_FUNCTION_ARGS)
{
	Model	   *model = model_decode(PG_GETARG_DATUM(0));
	int			n;
	char	  **names = array_names(PG_GETARG_ARRAYTYPE_P(1), &n);

	unnamed_check(model, names, n);
	set_names(model, names, n);
	return model_encode(model);
}

PG_FUNCTION_INFO_V1(churn_unname_too);

/*
 * churn_unname_too(model, names): the model with these names beside its own.
 * A study's names need not all mean something to each of its models.
 */
Datum
churn_unname_too(PG_FUNCTION_ARGS)
{
	int			nmore;
	char	  **more = array_names(PG_GETARG_ARRAYTYPE_P(1), &nmore);
	Model	   *model;
	char	  **own;
	char	  **names;
	int			n;

	if (nmore == 0)
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	model = model_decode(PG_GETARG_DATUM(0));
	own = unnamed_names(model, &n);
	names = palloc(sizeof(char *) * (n + nmore));
	if (n > 0)
		memcpy(names, own, sizeof(char *) * n);
	for (int i = 0; i < nmore; i++)
		if (!is_among(more[i], names, n))
			names[n++] = more[i];
	set_names(model, names, n);
	return model_encode(model);
}

PG_FUNCTION_INFO_V1(churn_unname_means);

/* churn_unname_means(model, name): does it mean an input? */
Datum
churn_unname_means(PG_FUNCTION_ARGS)
{
	Model	   *model = model_decode(PG_GETARG_DATUM(0));
	bool	   *marked = palloc0(sizeof(bool) * Max(model->ninputs, 1));

	PG_RETURN_BOOL(unnamed_mark(model, model_features(model),
								text_to_cstring(PG_GETARG_TEXT_PP(1)),
								marked) > 0);
}

PG_FUNCTION_INFO_V1(churn_unnamed);

/* churn_unnamed(model): the inputs that are never named */
Datum
churn_unnamed(PG_FUNCTION_ARGS)
{
	Scorer	   *scorer = scorer_get(fcinfo, PG_GETARG_DATUM(0));
	const Model *model = scorer->model;
	const bool *unnamed = scorer_unnamed(scorer);
	Datum	   *names = palloc(sizeof(Datum) * Max(model->ninputs, 1));
	int			n = 0;

	for (int i = 0; i < model->ninputs; i++)
		if (unnamed[i])
			names[n++] = CStringGetTextDatum(model->inputs[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(names, n, TEXTOID, -1, false,
										  TYPALIGN_INT));
}
