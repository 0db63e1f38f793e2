/*-------------------------------------------------------------------------
 *
 * ranking_agg.c
 *	  The transition and combine functions that every metric shares.
 *
 * Two families.  The order functions serve figures that depend on the order
 * of the scores, or on a sum over them: where the call says ORDER BY its
 * score, ascending, they keep the order-only form.  The scores functions keep
 * every score in either spelling.  Without ORDER BY both keep scores, and
 * PostgreSQL runs one transition for all metrics of a query that use the same
 * one.
 *
 * A row with a NULL score or label is ignored and counted.  NaN is refused.
 * Infinite scores have an order and are kept.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/tlist.h"
#include "utils/lsyscache.h"

#include "measure/ranking.h"
#include "measure/ranking_flat.h"

/* The memory context of the aggregate's state. */
static MemoryContext
aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "transition function called outside an aggregate");
	return context;
}

/* Is this a type whose cast to float8 keeps the order? */
static bool
is_plain_number(Oid type)
{
	return type == FLOAT4OID || type == FLOAT8OID || type == NUMERICOID ||
		type == INT2OID || type == INT4OID || type == INT8OID;
}

/* Does an operator sort plain numbers upwards? */
static bool
is_ascending(Oid operator)
{
	Oid			family;
	Oid			type;
#if PG_VERSION_NUM >= 180000
	CompareType direction;
	CompareType ascending = COMPARE_LT;
#else
	int16		direction;
	int16		ascending = BTLessStrategyNumber;
#endif

	return get_ordering_op_properties(operator, &family, &type, &direction) &&
		direction == ascending && is_plain_number(type);
}

/*
 * Does the executor sort this aggregate's rows by ascending score?  True for
 * ORDER BY the score as written, cast implicitly or not.  Asked once a state.
 */
static bool
input_is_ordered(FunctionCallInfo fcinfo)
{
	Aggref	   *aggref = AggGetAggref(fcinfo);
	SortGroupClause *first;
	TargetEntry *score;
	Node	   *key;

	if (aggref == NULL || aggref->aggorder == NIL)
		return false;
	first = linitial_node(SortGroupClause, aggref->aggorder);
	if (!is_ascending(first->sortop))
		return false;
	score = linitial_node(TargetEntry, aggref->args);
	key = (Node *) get_sortgroupclause_tle(first, aggref->args)->expr;
	return equal(key, score->expr) ||
		(equal(key, strip_implicit_coercions((Node *) score->expr)) &&
		 is_plain_number(exprType(key)));
}

/* The state to add a row to, made at the first row. */
Ranking *
ranking_state(FunctionCallInfo fcinfo, int width, bool needs_scores)
{
	MemoryContext context = aggregate_context(fcinfo);
	Ranking    *ranking;

	if (!PG_ARGISNULL(0))
	{
		ranking = ranking_writable(PG_GETARG_DATUM(0), context);
		/* an aggregate of somebody else's may begin with any ranking */
		if (unlikely(ranking->width != width))
			ranking_expect(ranking, width, 0);
		if (unlikely(needs_scores && ranking->form != RANKING_SCORES))
			ranking_require_scores(ranking);
		return ranking;
	}
	ranking = ranking_create(context, width);
	if (!needs_scores && input_is_ordered(fcinfo))
		ranking->form = RANKING_ORDER;
	return ranking;
}

/* A score that was not NULL, with one zero instead of two. */
double
ranking_score(double score)
{
	if (isnan(score))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("a score is NaN"),
				 errhint("Use NULL for a missing score: such rows are ignored and counted.")));
	return score + 0.0;
}

/* Add the score and label of this call to the state. */
Datum
ranking_add_row(FunctionCallInfo fcinfo, Ranking *ranking)
{
	double		score;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
	{
		ranking->ignored++;
		PG_RETURN_DATUM(RankingGetDatum(ranking));
	}
	score = ranking_score(PG_GETARG_FLOAT8(1));
	if (ranking->form == RANKING_ORDER)
		ranking_append_ordered(ranking, PG_GETARG_BOOL(2), score);
	else
		ranking_append(ranking, PG_GETARG_BOOL(2), &score);
	PG_RETURN_DATUM(RankingGetDatum(ranking));
}

PG_FUNCTION_INFO_V1(churn_order_trans);

/* (score, label), for figures that need no scores in the end. */
Datum
churn_order_trans(PG_FUNCTION_ARGS)
{
	return ranking_add_row(fcinfo, ranking_state(fcinfo, 1, false));
}

PG_FUNCTION_INFO_V1(churn_scores_trans);

/* (score, label), for figures that need every score. */
Datum
churn_scores_trans(PG_FUNCTION_ARGS)
{
	return ranking_add_row(fcinfo, ranking_state(fcinfo, 1, true));
}

/* A further argument of the call, which may not be NULL. */
Datum
ranking_argument(FunctionCallInfo fcinfo, int number, const char *name)
{
	if (PG_ARGISNULL(number))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" of a metric may not be NULL", name)));
	return PG_GETARG_DATUM(number);
}

/* A further argument that must be a number. */
double
ranking_number(FunctionCallInfo fcinfo, int number, const char *name)
{
	double		value = DatumGetFloat8(ranking_argument(fcinfo, number, name));

	if (isnan(value) || isinf(value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" of a metric must be finite, not %g",
						name, value)));
	return value;
}

PG_FUNCTION_INFO_V1(churn_ranking_combine);

/* Add the second state to the first; either may be NULL. */
Datum
churn_ranking_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	Ranking    *into;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	if (PG_ARGISNULL(0))
	{
		const Ranking *from = ranking_view(PG_GETARG_DATUM(1));

		into = ranking_create(context, from->width);
		ranking_merge(into, from);
		PG_RETURN_DATUM(RankingGetDatum(into));
	}
	into = ranking_writable(PG_GETARG_DATUM(0), context);
	ranking_merge(into, ranking_view(PG_GETARG_DATUM(1)));
	PG_RETURN_DATUM(RankingGetDatum(into));
}

PG_FUNCTION_INFO_V1(churn_ranking_final);

/* The ranking itself as a value, in order. */
Datum
churn_ranking_final(PG_FUNCTION_ARGS)
{
	return ranking_flatten(ranking_sorted(PG_GETARG_DATUM(0)));
}
