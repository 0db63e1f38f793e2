/*-------------------------------------------------------------------------
 *
 * source.c
 *	  What generated SQL needs to know of types and stored filters.
 *
 * SQL that is generated for a study is run under a pinned search_path, so
 * everything in it must be qualified: the equality of the user key, and the
 * filter, which its owner wrote under a path of their own.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_operator.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/parsenodes.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parse_node.h"
#include "parser/parse_relation.h"
#include "parser/parser.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(churn_equality_operator);

/* churn_equality_operator(regtype): "OPERATOR(schema.name)" */
Datum
churn_equality_operator(PG_FUNCTION_ARGS)
{
	Oid			type = PG_GETARG_OID(0);
	TypeCacheEntry *entry = lookup_type_cache(type, TYPECACHE_BTREE_OPFAMILY |
											  TYPECACHE_EQ_OPR);
	HeapTuple	tuple;
	Form_pg_operator op;
	char	   *result;

	if (!OidIsValid(entry->eq_opr) || !OidIsValid(entry->btree_opf))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("users cannot be told apart by type %s",
						format_type_be(type)),
				 errhint("The user column needs a type with a btree operator class, such as bigint, text or uuid.")));
	tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(entry->eq_opr));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator %u", entry->eq_opr);
	op = (Form_pg_operator) GETSTRUCT(tuple);
	result = psprintf("OPERATOR(%s.%s)",
					  quote_identifier(get_namespace_name(op->oprnamespace)),
					  NameStr(op->oprname));
	ReleaseSysCache(tuple);
	PG_RETURN_TEXT_P(cstring_to_text(result));
}

/*
 * The condition of the query "SELECT WHERE <filter>", which must be all there is: one
 * statement without any other clause.
 */
static Node *
parse_condition(const char *query, const char *filter)
{
	List	   *statements;
	SelectStmt *select;

#if PG_VERSION_NUM >= 140000
	statements = raw_parser(query, RAW_PARSE_DEFAULT);
#else
	statements = raw_parser(query);
#endif
	select = list_length(statements) == 1 ?
		(SelectStmt *) linitial_node(RawStmt, statements)->stmt : NULL;
	if (select == NULL || !IsA(select, SelectStmt) ||
		select->op != SETOP_NONE || select->whereClause == NULL ||
		select->groupClause || select->havingClause || select->windowClause ||
		select->sortClause || select->limitOffset || select->limitCount ||
		select->lockingClause || select->withClause || select->intoClause)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("filter must be one condition, such as status = 'paid'"),
				 errdetail("It is \"%s\".", filter)));
	return select->whereClause;
}

/* Analyse the condition over the relation under alias "e". */
static Node *
analyse_condition(Relation relation, Node *condition, const char *query,
				  bool is_boolean)
{
	ParseState *pstate = make_parsestate(NULL);
	ParseNamespaceItem *item;
	Node	   *expr;

	pstate->p_sourcetext = query;
	item = addRangeTableEntryForRelation(pstate, relation, AccessShareLock,
										 makeAlias("e", NIL), false, true);
	addNSItemToQuery(pstate, item, false, true, true);
	expr = transformExpr(pstate, condition, EXPR_KIND_WHERE);
	if (is_boolean)
		expr = coerce_to_boolean(pstate, expr, "filter");
	assign_expr_collations(pstate, expr);
	return expr;
}

/* Errors of the parser point into the filter, not into the user's query. */
static void
filter_error(void *query)
{
	int			position = geterrposition();

	if (position <= 0)
		return;
	errposition(0);
	internalerrposition(position);
	internalerrquery((const char *) query);
}

/*
 * Parse and analyse a filter that is put into the query "SELECT WHERE …"; or
 * any other expression, whose type is then left as it is.
 */
static Node *
filter_read(Relation relation, const char *filter, bool is_boolean)
{
	char	   *query = psprintf("SELECT WHERE %s", filter);
	ErrorContextCallback callback = {
		.previous = error_context_stack,
		.callback = filter_error,
		.arg = query
	};
	Node	   *expr;

	error_context_stack = &callback;
	expr = analyse_condition(relation, parse_condition(query, filter), query,
							 is_boolean);
	error_context_stack = callback.previous;
	return expr;
}

/*
 * Read an expression under a path, write it back under pg_catalog alone, so
 * that every other name in it comes out qualified.  Nothing of it is executed.
 */
static char *
expression_sql(Oid relid, const char *expression, const char *path,
			   bool is_boolean)
{
	int			nest_level = NewGUCNestLevel();
	Relation	relation = relation_open(relid, AccessShareLock);
	List	   *context = deparse_context_for("e", relid);
	Node	   *expr;
	char	   *result;

	(void) set_config_option("search_path", path, PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	expr = filter_read(relation, expression, is_boolean);
	(void) set_config_option("search_path", "pg_catalog, pg_temp",
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
							 true, 0, false);
	result = deparse_expression(expr, context, true, false);
	AtEOXact_GUC(true, nest_level);
	relation_close(relation, NoLock);
	return result;
}

PG_FUNCTION_INFO_V1(churn_filter_sql);

/* churn_filter_sql(relation, filter, path): a condition, qualified */
Datum
churn_filter_sql(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(
									 expression_sql(PG_GETARG_OID(0),
													text_to_cstring(PG_GETARG_TEXT_PP(1)),
													text_to_cstring(PG_GETARG_TEXT_PP(2)),
													true)));
}

PG_FUNCTION_INFO_V1(churn_expression_sql);

/* churn_expression_sql(relation, expression, path): of any type, qualified */
Datum
churn_expression_sql(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(
									 expression_sql(PG_GETARG_OID(0),
													text_to_cstring(PG_GETARG_TEXT_PP(1)),
													text_to_cstring(PG_GETARG_TEXT_PP(2)),
													false)));
}
