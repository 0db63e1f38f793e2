/*-------------------------------------------------------------------------
 *
 * fit_query.c
 *	  churn_fit_query: fit a model on the rows of a query.
 *
 * The aggregate churn_fit sees its rows once and has to keep them all.  A
 * query can be run again: here the first pass counts, and only the second
 * fits, so that rows that churn.memory has no room for are drawn by a hash of
 * their user before anything is kept.  Where there is room, the model is that
 * of the aggregate over the same rows, bit for bit, because it is that
 * aggregate.
 *
 * The query runs with the caller's rights, under the caller's search_path,
 * read-only, both times under the snapshot of the calling statement.  It must
 * be one SELECT (or VALUES): it is parsed by itself first, so that what
 * becomes a subquery is known to be a whole statement.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "nodes/parsenodes.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"

#include "learn/fit.h"

#define SAMPLE_MARGIN	0.95	/* the draw is not exact */

/* What is asked for */
typedef struct FitQuery
{
	const char *schema;			/* of this extension, quoted */
	const char *query;			/* as the caller wrote it */
	const char *select;			/* the statement alone */
	const char *label;
	Datum		options;		/* jsonb */
	const FitOptions *read;		/* the same */
	TupleDesc	desc;			/* of the query's rows */
	int64		nrows;			/* with a label */
} FitQuery;

/* ---- the text of the query ---- */

/* A position in the query is not one in the statement that called us. */
static void
report_position(void *arg)
{
	int			position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery((const char *) arg);
	}
	errcontext("query of churn_fit_query");
}

/* The one SELECT of a text, without what ends it */
static char *
select_text(const char *query)
{
	ErrorContextCallback callback;
	List	   *statements;
	RawStmt    *first;
	SelectStmt *select;
	int			length;

	callback.callback = report_position;
	callback.arg = unconstify(char *, query);
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	statements = pg_parse_query(query);
	error_context_stack = callback.previous;
	first = list_length(statements) == 1 ? linitial(statements) : NULL;
	select = first != NULL && IsA(first->stmt, SelectStmt) ?
		(SelectStmt *) first->stmt : NULL;
	if (select == NULL || select->intoClause != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("the query of churn_fit_query must be one SELECT"),
				 errhint("It reads rows, a column each for the label and what to learn from.")));
	length = first->stmt_len > 0 ? first->stmt_len :
		(int) strlen(query) - first->stmt_location;
	return pnstrdup(query + first->stmt_location, length);
}

/* "what" over the rows of the query, alias churn_rows */
static char *
over_query(const FitQuery *fit, const char *what, const char *condition)
{
	/* the line break ends a comment that the query may end in */
	return psprintf("SELECT %s FROM (%s\n) AS churn_rows WHERE %s", what,
					fit->select, condition);
}

/* ---- its columns ---- */

static char *
column_list(TupleDesc desc)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < desc->natts && i < 40; i++)
		appendStringInfo(&list, "%s%s", i > 0 ? ", " : "",
						 quote_identifier(NameStr(TupleDescAttr(desc, i)->attname)));
	return list.data;
}

static void
need_column(TupleDesc desc, const char *name, const char *role)
{
	for (int i = 0; i < desc->natts; i++)
		if (strcmp(NameStr(TupleDescAttr(desc, i)->attname), name) == 0)
			return;
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("%s column \"%s\" is not among those of the query", role,
					name),
			 errhint("They are %s.", column_list(desc))));
}

/* Columns are known by name, so a name must stand for one. */
static void
check_columns(const FitQuery *fit)
{
	TupleDesc	desc = fit->desc;

	for (int i = 0; i < desc->natts; i++)
		for (int j = 0; j < i; j++)
			if (strcmp(NameStr(TupleDescAttr(desc, i)->attname),
					   NameStr(TupleDescAttr(desc, j)->attname)) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_DUPLICATE_COLUMN),
						 errmsg("the query has two columns \"%s\"",
								NameStr(TupleDescAttr(desc, i)->attname)),
						 errhint("Give one of them another name by AS, or leave it out.")));
	need_column(desc, fit->label, "label");
	if (fit->read->key != NULL)
		need_column(desc, fit->read->key, "key");
	for (int e = 0; e < fit->read->nexclude; e++)
		need_column(desc, fit->read->exclude[e], "excluded");
}

/* The columns, by analysing the query without running it */
static TupleDesc
describe(const FitQuery *fit)
{
	SPIPlanPtr	plan = SPI_prepare(over_query(fit, "churn_rows.*", "true"), 0,
								   NULL);
	CachedPlanSource *source;

	if (plan == NULL)
		elog(ERROR, "could not prepare the query of churn_fit_query");
	source = linitial(SPI_plan_get_plan_sources(plan));
	return CreateTupleDescCopy(source->resultDesc);
}

/* ---- passes ---- */

/* Run SQL that gives one value; NULL is "isnull". */
static Datum
run(const char *sql, int nargs, Oid *types, Datum *values, bool *isnull)
{
	if (SPI_execute_with_args(sql, nargs, types, values, NULL, true, 0) !=
		SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "expected one row from \"%s\"", sql);
	return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
						 isnull);
}

/* First pass: rows that a fit would keep */
static int64
count_rows(const FitQuery *fit)
{
	bool		isnull;

	return DatumGetInt64(run(over_query(fit, "pg_catalog.count(*)",
										psprintf("churn_rows.%s IS NOT NULL",
												 quote_identifier(fit->label))),
							 0, NULL, NULL, &isnull));
}

/* Condition for the rows to fit: all, or as many users as there is room for */
static char *
draw_users(const FitQuery *fit)
{
	double		share = fit_memory_share(fit->nrows, fit->desc->natts,
										 fit->read->memory_kb);
	const char *row = "CAST(churn_rows.* AS pg_catalog.text)";
	const char *user = row;

	if (share >= 1)
		return "true";
	share *= SAMPLE_MARGIN;
	ereport(NOTICE,
			(errmsg("churn.memory has no room for " INT64_FORMAT " rows of %d columns: fitting on %.1f %% of the %s, drawn by hash",
					fit->nrows, fit->desc->natts, 100 * share,
					fit->read->key != NULL ? "users" : "rows"),
			 errhint("Raise churn.memory, read fewer columns, or use the aggregate churn_fit.")));
	if (fit->read->key != NULL)
		user = psprintf("coalesce(CAST(churn_rows.%s AS pg_catalog.text), %s)",
						quote_identifier(fit->read->key), row);
	return psprintf("%s.churn_key_share(%s, 'sample') OPERATOR(pg_catalog.<) %.17g::pg_catalog.float8",
					fit->schema, user, share);
}

/* Second pass: the model */
static Datum
fit_rows(const FitQuery *fit, bool *isnull)
{
	Oid			types[2] = {TEXTOID, JSONBOID};
	Datum		values[2] = {CStringGetTextDatum(fit->label), fit->options};
	const char *model = psprintf("%s.churn_fit(churn_rows.*, $1, $2)",
								 fit->schema);

	return run(over_query(fit, model, draw_users(fit)), 2, types, values,
			   isnull);
}

/* ---- entry ---- */

PG_FUNCTION_INFO_V1(churn_fit_query);

/* churn_fit_query(query, label_column, options) */
Datum
churn_fit_query(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	FitQuery	fit = {0};
	Datum		model;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("query and label column must not be NULL")));
	SPI_connect();
	fit.schema = quote_identifier(get_namespace_name(get_func_namespace(fcinfo->flinfo->fn_oid)));
	fit.query = text_to_cstring(PG_GETARG_TEXT_PP(0));
	fit.label = text_to_cstring(PG_GETARG_TEXT_PP(1));
	fit.options = PG_ARGISNULL(2) ?
		DirectFunctionCall1(jsonb_in, CStringGetDatum("{}")) :
		PG_GETARG_DATUM(2);
	fit.read = fit_options_read(DatumGetJsonbPCopy(fit.options));
	fit.select = select_text(fit.query);
	fit.desc = describe(&fit);
	check_columns(&fit);
	fit.nrows = count_rows(&fit);
	ereport(NOTICE,
			(errmsg("churn_fit_query: " INT64_FORMAT " rows with a label, %d columns",
					fit.nrows, fit.desc->natts)));
	model = fit_rows(&fit, &fcinfo->isnull);
	if (!fcinfo->isnull)
	{
		MemoryContext inner = MemoryContextSwitchTo(caller);

		model = datumCopy(model, false, -1);
		MemoryContextSwitchTo(inner);
	}
	SPI_finish();
	return model;
}
