/*-------------------------------------------------------------------------
 *
 * features.c
 *	  The features of a history as SQL sees them.
 *
 * A feature list is made once for a call site and a spec, and kept in the
 * function's memory: a query over many users makes it once.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "history/features.h"

/* What a call site remembers, in a context of its own */
typedef struct FeatureCache
{
	MemoryContext context;		/* holds this struct too */
	struct varlena *spec;		/* a copy, detoasted */
	FeatureList *list;
	double	   *values;			/* one vector's room */
	bool	   *nulls;
} FeatureCache;

/* Make a list and the room for its values in a context of their own. */
static FeatureCache *
cache_create(MemoryContext parent, struct varlena *spec)
{
	MemoryContext context = AllocSetContextCreate(parent, "churn features",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	FeatureCache *cache = palloc(sizeof(FeatureCache));
	int			n;

	cache->context = context;
	cache->spec = palloc(VARSIZE_ANY(spec));
	memcpy(cache->spec, spec, VARSIZE_ANY(spec));
	cache->list = features_list(spec_decode(PointerGetDatum(cache->spec)));
	n = features_count(cache->list);
	cache->values = palloc(sizeof(double) * Max(n, 1));
	cache->nulls = palloc(sizeof(bool) * Max(n, 1));
	MemoryContextSwitchTo(old);
	return cache;
}

/* The list of a spec argument, kept while its bytes stay the same */
static FeatureCache *
cache_get(FunctionCallInfo fcinfo, int argument)
{
	struct varlena *spec = PG_GETARG_VARLENA_PP(argument);
	FmgrInfo   *flinfo = fcinfo->flinfo;
	FeatureCache *cache = flinfo->fn_extra;

	if (cache && VARSIZE_ANY(cache->spec) == VARSIZE_ANY(spec) &&
		memcmp(cache->spec, spec, VARSIZE_ANY(spec)) == 0)
		return cache;
	if (cache)
	{
		flinfo->fn_extra = NULL;
		MemoryContextDelete(cache->context);
	}
	flinfo->fn_extra = cache_create(flinfo->fn_mcxt, spec);
	return flinfo->fn_extra;
}

/* churn_feature_names(spec): text[] */
PG_FUNCTION_INFO_V1(churn_feature_names);
Datum
churn_feature_names(PG_FUNCTION_ARGS)
{
	FeatureCache *cache = cache_get(fcinfo, 0);
	int			n = features_count(cache->list);
	Datum	   *names = palloc(sizeof(Datum) * Max(n, 1));

	for (int i = 0; i < n; i++)
		names[i] = CStringGetTextDatum(features_name(cache->list, i));
	PG_RETURN_ARRAYTYPE_P(construct_array(names, n, TEXTOID, -1, false,
										  TYPALIGN_INT));
}

/*
 * Compute the features of arguments (history, as_of, spec) into the cache;
 * NULL when as_of or spec is NULL.  A NULL history is one without events.
 */
static FeatureCache *
compute_arguments(FunctionCallInfo fcinfo)
{
	FeatureCache *cache;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return NULL;
	cache = cache_get(fcinfo, 2);
	features_compute(cache->list,
					 PG_ARGISNULL(0) ? PointerGetDatum(NULL)
					 : PG_GETARG_DATUM(0),
					 PG_GETARG_DATEADT(1), cache->values, cache->nulls);
	return cache;
}

/*
 * A float8[] numbered from 1.  Written out because it is made for every user
 * and date: construct_md_array() took a fifth of the time of a feature vector.
 */
static Datum
float8_array(const double *values, const bool *nulls, int n)
{
	bool		has_nulls = n > 0 && memchr(nulls, true, n) != NULL;
	Size		header = has_nulls ? ARR_OVERHEAD_WITHNULLS(1, n) :
		ARR_OVERHEAD_NONULLS(1);
	ArrayType  *array = palloc0(header + sizeof(double) * n);
	double	   *data = (double *) ((char *) array + header);
	bits8	   *bitmap;

	SET_VARSIZE(array, header + sizeof(double) * n);
	array->ndim = 1;
	array->dataoffset = has_nulls ? header : 0;
	array->elemtype = FLOAT8OID;
	ARR_DIMS(array)[0] = n;
	ARR_LBOUND(array)[0] = 1;
	if (!has_nulls)
	{
		memcpy(data, values, sizeof(double) * n);
		return PointerGetDatum(array);
	}
	bitmap = ARR_NULLBITMAP(array);
	for (int i = 0; i < n; i++)
		if (!nulls[i])
		{
			bitmap[i / 8] |= 1 << (i % 8);
			*data++ = values[i];
		}
	SET_VARSIZE(array, (char *) data - (char *) array);
	return PointerGetDatum(array);
}

/* churn_features(history, as_of, spec): float8[] */
PG_FUNCTION_INFO_V1(churn_features);
Datum
churn_features(PG_FUNCTION_ARGS)
{
	FeatureCache *cache = compute_arguments(fcinfo);

	if (cache == NULL)
		PG_RETURN_NULL();
	return float8_array(cache->values, cache->nulls,
						features_count(cache->list));
}

/* churn_feature_phrase_array(history, as_of, spec): text[] */
PG_FUNCTION_INFO_V1(churn_feature_phrase_array);
Datum
churn_feature_phrase_array(PG_FUNCTION_ARGS)
{
	FeatureCache *cache = compute_arguments(fcinfo);
	Datum	   *elements;
	int			n;

	if (cache == NULL)
		PG_RETURN_NULL();
	n = features_count(cache->list);
	elements = palloc(sizeof(Datum) * Max(n, 1));
	for (int i = 0; i < n; i++)
		elements[i] = CStringGetTextDatum(features_phrase(cache->list, i,
														  cache->values,
														  cache->nulls));
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, n, TEXTOID, -1, false,
										  TYPALIGN_INT));
}
