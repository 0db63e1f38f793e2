/*-------------------------------------------------------------------------
 *
 * scorer.c
 *	  Reads the inputs of a model: from an array, a history or a row.
 *
 * A query scores many users with one model, or with a few in turn (one a
 * country, say), so decoding, the feature list and the places of columns are
 * kept between calls, for the models that were used last.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "history/spec.h"
#include "learn/row.h"
#include "learn/scorer.h"

#define CACHED_MODELS	16		/* at a call site */

/* Scorers of a call site, the one used last first */
typedef struct ScorerCache
{
	int			count;
	Scorer	   *scorers[CACHED_MODELS];
} ScorerCache;

/* An empty scorer in its own context below the function's */
static Scorer *
scorer_create(MemoryContext parent)
{
	Scorer	   *scorer = MemoryContextAllocZero(parent, sizeof(Scorer));

	scorer->context = AllocSetContextCreate(parent, "churn scorer",
											ALLOCSET_DEFAULT_SIZES);
	scorer->scratch = AllocSetContextCreate(parent, "churn scorer row",
											ALLOCSET_DEFAULT_SIZES);
	return scorer;
}

/* Decode a model in place of what was cached. */
static void
scorer_load(Scorer *scorer, Datum datum, uint64 hash)
{
	MemoryContext context = scorer->context,
				scratch = scorer->scratch,
				caller;

	MemoryContextReset(context);
	memset(scorer, 0, sizeof(*scorer));
	scorer->context = context;
	scorer->scratch = scratch;
	caller = MemoryContextSwitchTo(context);
	scorer->model = model_decode(datum);
	scorer->values = palloc(sizeof(double) * scorer->model->ninputs);
	scorer->nulls = palloc(sizeof(bool) * scorer->model->ninputs);
	scorer->levels = palloc0(sizeof(LevelTable *) * scorer->model->ninputs);
	for (int i = 0; i < scorer->model->nterms; i++)
	{
		const ModelTerm *term = &scorer->model->terms[i];

		if (term->kind == MODEL_LEVELS)
			scorer->levels[term->input] = levels_of(context, term->levels,
													term->ncuts);
	}
	scorer->hash = hash;
	MemoryContextSwitchTo(caller);
}

Scorer *
scorer_get(FunctionCallInfo fcinfo, Datum model)
{
	FmgrInfo   *function = fcinfo->flinfo;
	uint64		hash = model_hash(model);
	ScorerCache *cache = function->fn_extra;
	Scorer	   *scorer;
	int			at = 0;

	if (cache == NULL)
		function->fn_extra = cache =
			MemoryContextAllocZero(function->fn_mcxt, sizeof(ScorerCache));
	while (at < cache->count && (cache->scorers[at]->model == NULL ||
								 cache->scorers[at]->hash != hash))
		at++;
	if (at == cache->count && at < CACHED_MODELS)
	{
		cache->scorers[at] = scorer_create(function->fn_mcxt);
		cache->count++;
	}
	at = Min(at, CACHED_MODELS - 1);
	scorer = cache->scorers[at];
	memmove(cache->scorers + 1, cache->scorers, sizeof(Scorer *) * at);
	cache->scorers[0] = scorer;
	/* an error while loading leaves model NULL, or the old one and its hash */
	if (scorer->model == NULL || scorer->hash != hash)
		scorer_load(scorer, model, hash);
	return scorer;
}

void
scorer_array_numbers(ArrayType *array, int expected, double *values,
					 bool *nulls)
{
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	const bits8 *bitmap = ARR_NULLBITMAP(array);
	const double *next = (const double *) ARR_DATA_PTR(array);

	if (n != expected || ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("expected an array of %d features, got %d", expected, n)));
	for (int i = 0; i < n; i++)
	{
		nulls[i] = bitmap != NULL && !(bitmap[i / 8] & (1 << (i % 8)));
		values[i] = nulls[i] ? 0 : *next++;
	}
}

/* A score of NaN would pass as a number; infinities say the same. */
static void
check_finite(const Scorer *scorer)
{
	for (int i = 0; i < scorer->model->ninputs; i++)
		if (!scorer->nulls[i] && !isfinite(scorer->values[i]))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("value of \"%s\" is %s", scorer->model->inputs[i],
							isnan(scorer->values[i]) ? "NaN" : "infinite"),
					 errhint("Use NULL for a value that is not known.")));
}

/* Place of a feature in the list; "guess" is where it is looked for first. */
static int
find_feature(const FeatureList *list, const char *name, int guess)
{
	int			count = features_count(list);

	for (int i = 0; i < count; i++)
	{
		int			at = (guess + i) % count;

		if (strcmp(features_name(list, at), name) == 0)
			return at;
	}
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("feature \"%s\" of the model is not computed by this version of churn",
					name),
			 errhint("Train the model again with this version.")));
	return -1;					/* not reached */
}

/* The feature list of the model's spec; false without a spec. */
static bool
scorer_bind_features(Scorer *scorer)
{
	const Model *model = scorer->model;
	MemoryContext caller;
	FeatureList *list;
	int			count;

	if (scorer->list != NULL)
		return true;
	if (model->spec == (Datum) 0)
		return false;
	caller = MemoryContextSwitchTo(scorer->context);
	list = features_list(spec_decode(model->spec));
	count = features_count(list);
	scorer->feature = palloc(sizeof(int) * model->ninputs);
	for (int i = 0; i < model->ninputs; i++)
		scorer->feature[i] = find_feature(list, model->inputs[i], i);
	scorer->feature_values = palloc0(sizeof(double) * count);
	scorer->feature_nulls = palloc0(sizeof(bool) * count);
	scorer->list = list;
	MemoryContextSwitchTo(caller);
	return true;
}

/* An array holds no texts. */
static void
check_no_levels(const Scorer *scorer)
{
	for (int i = 0; i < scorer->model->ninputs; i++)
		if (scorer->levels[i] != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("input \"%s\" of the model is a text, not a number",
							scorer->model->inputs[i]),
					 errhint("Give churn_predict() a row with the model's columns.")));
}

void
scorer_read_array(Scorer *scorer, ArrayType *features)
{
	check_no_levels(scorer);
	scorer_array_numbers(features, scorer->model->ninputs, scorer->values,
						 scorer->nulls);
	check_finite(scorer);
}

void
scorer_read_history(Scorer *scorer, Datum history, DateADT as_of)
{
	MemoryContext caller;

	if (DATE_NOT_FINITE(as_of))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("as_of must be a finite date")));
	if (!scorer_bind_features(scorer))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model was fitted on columns, not on histories"),
				 errhint("Give churn_predict() a row with the model's columns.")));
	MemoryContextReset(scorer->scratch);
	caller = MemoryContextSwitchTo(scorer->scratch);
	features_compute(scorer->list, history, as_of, scorer->feature_values,
					 scorer->feature_nulls);
	MemoryContextSwitchTo(caller);
	for (int i = 0; i < scorer->model->ninputs; i++)
	{
		scorer->values[i] = scorer->feature_values[scorer->feature[i]];
		scorer->nulls[i] = scorer->feature_nulls[scorer->feature[i]];
	}
}

/*
 * Find the inputs of the model among a row's columns, by name.  Those without
 * a term are not needed: they were constant in training, say.
 */
static void
bind_columns(Scorer *scorer)
{
	const Model *model = scorer->model;
	StringInfoData missing;

	initStringInfo(&missing);
	for (int i = 0; i < model->ninputs; i++)
		scorer->column[i] = -1;
	for (int t = 0; t < model->nterms; t++)
	{
		int			i = model->terms[t].input;
		int			at = row_find_column(scorer->desc, model->inputs[i]);
		Oid			type;
		ModelType	as;

		scorer->column[i] = at;
		if (at < 0)
		{
			appendStringInfo(&missing, "%s\"%s\"", missing.len > 0 ? ", " : "",
							 model->inputs[i]);
			continue;
		}
		type = TupleDescAttr(scorer->desc, at)->atttypid;
		if (!row_model_type(type, &as) ||
			!row_type_serves(as, model->types[i]))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column \"%s\" is of type %s, the model needs %s",
							model->inputs[i], format_type_be(type),
							row_type_wanted(model->types[i]))));
		row_column_set(&scorer->columns[i], type, model->reference_date);
	}
	if (missing.len > 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("row lacks columns of the model: %s", missing.data)));
}

/* Look at a row's type unless it is that of the last row. */
static void
scorer_bind_row(Scorer *scorer, HeapTupleHeader row)
{
	Oid			type = HeapTupleHeaderGetTypeId(row);
	int32		typmod = HeapTupleHeaderGetTypMod(row);
	uint64		identifier = assign_record_type_identifier(type, typmod);
	int			ninputs = scorer->model->ninputs;
	MemoryContext caller;

	if (scorer->desc != NULL && scorer->row_type == type &&
		scorer->row_typmod == typmod && scorer->row_identifier == identifier)
		return;
	scorer->desc = NULL;		/* until everything below is there */
	if (scorer->row_context == NULL)
		scorer->row_context = AllocSetContextCreate(scorer->context,
													"churn scorer row type",
													ALLOCSET_SMALL_SIZES);
	MemoryContextReset(scorer->row_context);
	caller = MemoryContextSwitchTo(scorer->row_context);
	{
		TupleDesc	desc = lookup_rowtype_tupdesc_copy(type, typmod);

		scorer->column = palloc(sizeof(int) * ninputs);
		scorer->columns = palloc(sizeof(RowColumn) * ninputs);
		scorer->row_values = palloc(sizeof(Datum) * Max(desc->natts, 1));
		scorer->row_nulls = palloc(sizeof(bool) * Max(desc->natts, 1));
		scorer->row_type = type;
		scorer->row_typmod = typmod;
		scorer->row_identifier = identifier;
		scorer->desc = desc;
	}
	MemoryContextSwitchTo(caller);
	caller = MemoryContextSwitchTo(scorer->row_context);
	PG_TRY();
	{
		bind_columns(scorer);
	}
	PG_CATCH();
	{
		scorer->desc = NULL;
		PG_RE_THROW();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
}

/* Number of a text's level; one the model does not know is "other". */
static double
level_value(Scorer *scorer, int input, Datum field)
{
	const LevelTable *levels = scorer->levels[input];
	Size		length;
	const char *text = row_text(field, &scorer->columns[input], &length);
	int			number = levels_find(levels, text, length);

	return number < 0 ? levels_count(levels) : number;
}

void
scorer_read_row(Scorer *scorer, HeapTupleHeader row)
{
	scorer_bind_row(scorer, row);
	row_deform(row, scorer->desc, scorer->row_values, scorer->row_nulls);
	for (int i = 0; i < scorer->model->ninputs; i++)
	{
		int			at = scorer->column[i];

		scorer->nulls[i] = at < 0 || scorer->row_nulls[at];
		scorer->values[i] = scorer->nulls[i] ? 0 :
			scorer->levels[i] != NULL ?
			level_value(scorer, i, scorer->row_values[at]) :
			row_number(scorer->row_values[at], &scorer->columns[i]);
	}
	check_finite(scorer);
}

double
scorer_log_odds(const Scorer *scorer)
{
	return model_log_odds(scorer->model, scorer->values, scorer->nulls);
}

FeatureTheme
scorer_theme(Scorer *scorer, int input, double *readiness)
{
	(void) scorer_bind_features(scorer);
	return features_theme(scorer->list, scorer->feature[input],
						  scorer->values[input], scorer->nulls[input],
						  readiness);
}

char *
scorer_level(Scorer *scorer, int input)
{
	Size		length;
	const char *text;

	if (scorer->levels[input] == NULL || scorer->nulls[input])
		return NULL;
	text = row_text(scorer->row_values[scorer->column[input]],
					&scorer->columns[input], &length);
	return pnstrdup(text, length);
}

/* A day, which the model knows as days before its reference date */
static char *
date_phrase(const Scorer *scorer, int input)
{
	double		day = floor(scorer->model->reference_date -
							scorer->values[input]);
	int			year,
				month,
				mday;

	if (!IS_VALID_DATE((DateADT) Max(Min(day, PG_INT32_MAX), PG_INT32_MIN)))
		return psprintf("%s is out of range", scorer->model->inputs[input]);
	j2date((DateADT) day + POSTGRES_EPOCH_JDATE, &year, &month, &mday);
	return psprintf("%s is %04d-%02d-%02d%s", scorer->model->inputs[input],
					year > 0 ? year : 1 - year, month, mday,
					year > 0 ? "" : " BC");
}

char *
scorer_phrase(Scorer *scorer, int input)
{
	const char *name = scorer->model->inputs[input];
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	if (scorer_bind_features(scorer))
	{
		/* a phrase may quote neighbours, which an array gives as well */
		for (int i = 0; i < scorer->model->ninputs; i++)
		{
			scorer->feature_values[scorer->feature[i]] = scorer->values[i];
			scorer->feature_nulls[scorer->feature[i]] = scorer->nulls[i];
		}
		return features_phrase(scorer->list, scorer->feature[input],
							   scorer->feature_values, scorer->feature_nulls);
	}
	if (scorer->nulls[input])
		return psprintf("%s is not known", name);
	if (scorer->levels[input] != NULL)
		return psprintf("%s is %s", name, scorer_level(scorer, input));
	switch (scorer->model->types[input])
	{
		case MODEL_BOOLEAN:
			if (scorer->values[input] == 0 || scorer->values[input] == 1)
				return psprintf("%s is %s", name,
								scorer->values[input] == 1 ? "true" : "false");
			break;
		case MODEL_DATE:
		case MODEL_TIMESTAMP:
			return date_phrase(scorer, input);
		default:
			break;
	}
	double_to_shortest_decimal_buf(scorer->values[input], digits);
	return psprintf("%s is %s", name, digits);
}
