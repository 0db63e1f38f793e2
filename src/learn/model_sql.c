/*-------------------------------------------------------------------------
 *
 * model_sql.c
 *	  churn_model_sql: a model as a plain SQL expression over its columns.
 *
 * The expression adds in the order in which the model does, in double
 * precision, so that its log-odds are the model's, bit for bit, as long as
 * no more than SUM_GROUP terms are added; the logarithm is the only step
 * that may round otherwise.  It reads
 *
 *	  numbers	  as they are, cast to double precision
 *	  booleans	  WHEN column, ELSE
 *	  texts		  byte by byte
 *	  dates		  as days before the model's reference date
 *	  timestamps  the same, by microsecond, timestamptz in UTC
 *	  intervals	  as days, months of 30
 *
 * Nothing in it depends on the session's settings.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/shortest_dec.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "learn/cells.h"
#include "learn/model_io.h"

#define SUM_GROUP	100			/* terms in a row; parsers recurse on sums */
#define STEEP		16			/* log-odds a unit of ln(1 + |x|), see below */
#define NOTHING		1e-100		/* log-odds that are left out: a product that
								 * vanishes is an error in SQL */

/* What is said of one input; strings are palloc'd */
typedef struct SqlInput
{
	ModelType	type;
	char	   *column;			/* quoted */
	char	   *number;			/* the column as double precision */
} SqlInput;

/* A number that reads back to the same bits, in brackets if negative */
static char *
literal(double x)
{
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	double_to_shortest_decimal_buf(x == 0 ? 0 : x, digits);
	return x < 0 ? psprintf("(%s)", digits) : pstrdup(digits);
}

static char *
typed(const char *expression)
{
	return psprintf("CAST(%s AS double precision)", expression);
}

/* The name in quotes, whatever it is: no list of reserved words is asked. */
static void
put_identifier(StringInfo out, const char *name)
{
	appendStringInfoChar(out, '"');
	for (; *name != '\0'; name++)
	{
		if (*name == '"')
			appendStringInfoChar(out, '"');
		appendStringInfoChar(out, *name);
	}
	appendStringInfoChar(out, '"');
}

/*
 * The column of an input.  One whose name is longer than a column's can be is
 * a feature, and the study's view of features shortens it so.
 */
static char *
column_of(const char *alias, const char *name)
{
	StringInfoData out;

	if (strlen(name) >= NAMEDATALEN)
	{
		Datum		digest = DirectFunctionCall1(md5_text,
												 CStringGetTextDatum(name));

		name = psprintf("%.*s_%s", pg_mbcharcliplen(name, strlen(name), 7),
						name, TextDatumGetCString(digest));
	}
	initStringInfo(&out);
	if (alias != NULL)
	{
		put_identifier(&out, alias);
		appendStringInfoChar(&out, '.');
	}
	put_identifier(&out, name);
	return out.data;
}

/* Days as row.c counts them, in the same steps */
static char *
number_of(const Model *model, ModelType type, const char *column)
{
	StringInfoData date;

	switch (type)
	{
		case MODEL_DATE:
			initStringInfo(&date);
			model_put_reference(&date, model);
			date.data[0] = date.data[date.len - 1] = '\'';
			return typed(psprintf("DATE %s - %s", date.data, column));
		case MODEL_TIMESTAMP:
			return psprintf("(%d - CAST(round(extract(epoch FROM %s) * 1000000) - 946684800000000 AS double precision) / 86400000000)",
							model->reference_date, column);
		case MODEL_INTERVAL:
			return psprintf("(CAST(extract(year FROM %1$s) * 360 + extract(month FROM %1$s) * 30 + extract(day FROM %1$s) AS double precision)"
							" + CAST(extract(hour FROM %1$s) * 3600000000 + extract(minute FROM %1$s) * 60000000 + extract(microseconds FROM %1$s) AS double precision) / 86400000000)",
							column);
		default:
			return typed(column);
	}
}

static SqlInput
sql_input(const Model *model, const char *alias, int input)
{
	SqlInput	result;

	result.type = model->types[input];
	result.column = column_of(alias, model->inputs[input]);
	result.number = number_of(model, result.type, result.column);
	return result;
}

/* ---- what depends on the bin or level of one input ---- */

/* An ELSE branch: it gives the whole CASE its type. */
static void
put_else(StringInfo out, const char *branch)
{
	appendStringInfo(out, " ELSE %s END",
					 branch[0] == 'C' ? branch : typed(branch));
}

/* Bin by bin; equal neighbours are one. */
static void
put_bins(StringInfo out, const SqlInput *input, const double *cuts, int ncuts,
		 char **branches)
{
	for (int bin = 0; bin < ncuts; bin++)
		if (strcmp(branches[bin], branches[bin + 1]) != 0)
			appendStringInfo(out, " WHEN %s < %s THEN %s", input->number,
							 literal(cuts[bin]), branches[bin]);
	put_else(out, branches[ncuts]);
}

static void
put_levels(StringInfo out, const SqlInput *input, char *const *levels,
		   int nlevels, char **branches)
{
	bool		open = false;

	for (int level = 0; level < nlevels; level++)
	{
		if (strcmp(branches[level], branches[nlevels]) == 0)
			continue;
		if (!open)
			appendStringInfo(out, " ELSE CASE CAST(%s AS text) COLLATE \"C\"",
							 input->column);
		open = true;
		appendStringInfo(out, " WHEN %s THEN %s",
						 quote_literal_cstr(levels[level]), branches[level]);
	}
	put_else(out, branches[nlevels]);
	if (open)
		appendStringInfoString(out, " END");
}

/*
 * CASE over one input: a branch for each bin or level, for the last bin or
 * all other levels, and for NULL.  "levels" is NULL where bins are.
 */
static char *
sql_case(const SqlInput *input, const double *cuts, char *const *levels,
		 int n, char **branches)
{
	StringInfoData out;
	bool		alike = true;

	for (int i = 0; i <= n && alike; i++)
		alike = strcmp(branches[i], branches[n + 1]) == 0;
	if (alike)
		return branches[0][0] == 'C' ? branches[0] : typed(branches[0]);
	initStringInfo(&out);
	appendStringInfo(&out, "CASE WHEN %s IS NULL THEN %s", input->column,
					 branches[n + 1]);
	if (levels != NULL)
		put_levels(&out, input, levels, n, branches);
	else if (input->type == MODEL_BOOLEAN)
	{
		appendStringInfo(&out, " WHEN %s THEN %s", input->column,
						 branches[model_bin(cuts, n, 1)]);
		put_else(&out, branches[model_bin(cuts, n, 0)]);
	}
	else
		put_bins(&out, input, cuts, n, branches);
	return out.data;
}

/* ---- terms ---- */

/*
 * t(x) of a linear term, x already within the range of training.  Where tiny
 * differences weigh much, ln(1 + a) is not good enough: the rounding of 1 + a
 * is made good by W. Kahan's quotient, ln(1 + a) a / ((1 + a) - 1).
 */
static char *
sql_transform(const ModelTerm *term, const char *x)
{
	char	   *a;

	if (!term->signed_log)
		return pstrdup(x);
	a = term->low >= 0 ? pstrdup(x) : psprintf("abs(%s)", x);
	if (fabs(term->weight) > STEEP * term->scale)
		a = psprintf("CASE WHEN 1 + %1$s = 1 THEN %1$s ELSE ln(1 + %1$s) * %1$s / ((1 + %1$s) - 1) END", a);
	else
		a = psprintf("ln(1 + %s)", a);
	return term->low >= 0 ? a : psprintf("sign(%s) * %s", x, a);
}

static char *
sql_linear(const SqlInput *input, const ModelTerm *term)
{
	char	   *x;

	if (input->type == MODEL_BOOLEAN)
	{
		double		half = 0.5;
		char	   *branches[3] = {
			literal(model_contribution(term, 0, false)),
			literal(model_contribution(term, 1, false)),
			literal(term->missing_weight)
		};

		return sql_case(input, &half, NULL, 1, branches);
	}
	if (fabs(model_contribution(term, term->low, false)) < NOTHING &&
		fabs(model_contribution(term, term->high, false)) < NOTHING)
		return psprintf("CASE WHEN %s IS NULL THEN %s ELSE %s END",
						input->column, literal(term->missing_weight),
						typed("0"));
	x = psprintf("least(greatest(%s, %s), %s)", input->number,
				 literal(term->low), literal(term->high));
	return psprintf("CASE WHEN %s IS NULL THEN %s ELSE %s * ((%s - %s) / %s) END",
					input->column, literal(term->missing_weight),
					literal(term->weight), sql_transform(term, x),
					literal(term->mean), literal(term->scale));
}

/* Branches of "n" bins or cells in a row, that of NULL among them */
static char **
branches_of(const double *values, int n)
{
	char	  **branches = palloc(sizeof(char *) * n);

	for (int i = 0; i < n; i++)
		branches[i] = literal(values[i]);
	return branches;
}

static char *
sql_term(const Model *model, const char *alias, const ModelTerm *term)
{
	SqlInput	input = sql_input(model, alias, term->input);
	double	   *values;

	if (term->kind == MODEL_LINEAR)
		return sql_linear(&input, term);
	values = palloc(sizeof(double) * (term->ncuts + 2));
	memcpy(values, term->values, sizeof(double) * (term->ncuts + 1));
	values[term->ncuts + 1] = term->missing_weight;
	return sql_case(&input, term->cuts,
					term->kind == MODEL_LEVELS ? term->levels : NULL,
					term->ncuts, branches_of(values, term->ncuts + 2));
}

static char *
side_case(const Model *model, const SqlInput *input, const ModelSide *side,
		  char **branches)
{
	return sql_case(input, side->cuts,
					side->levels ? cells_levels(model, side->input) : NULL,
					side->ncuts, branches);
}

/* A CASE over the first input whose branches are CASEs over the second */
static char *
sql_pair(const Model *model, const char *alias, const ModelPair *pair)
{
	const ModelSide *side = pair->side;
	SqlInput	first = sql_input(model, alias, side[0].input);
	SqlInput	second = sql_input(model, alias, side[1].input);
	int			width = side[1].ncuts + 2;
	char	  **rows = palloc(sizeof(char *) * (side[0].ncuts + 2));

	for (int row = 0; row < side[0].ncuts + 2; row++)
		rows[row] = side_case(model, &second, &side[1],
							  branches_of(pair->values + row * width, width));
	return side_case(model, &first, &side[0], rows);
}

/* ---- the sum, and its probability ---- */

/* Add one more term; "count" have been added. */
static void
add_term(StringInfo out, int count, const char *term)
{
	if (count > 0 && count % SUM_GROUP == 0)
		appendStringInfoString(out, ")\n+ (");
	else
		appendStringInfoString(out, "\n+ ");
	appendStringInfoString(out, term);
	CHECK_FOR_INTERRUPTS();
}

/* Log-odds; a long sum is one of sums in brackets. */
static char *
sql_log_odds(const Model *model, const char *alias)
{
	int			count = 0;
	bool		grouped = model->nterms + model->npairs > SUM_GROUP;
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out, "%s%s", grouped ? "(" : "",
					 typed(literal(model->intercept)));
	for (int i = 0; i < model->nterms; i++)
		add_term(&out, count++, sql_term(model, alias, &model->terms[i]));
	for (int i = 0; i < model->npairs; i++)
		add_term(&out, count++, sql_pair(model, alias, &model->pairs[i]));
	if (grouped)
		appendStringInfoChar(&out, ')');
	return out.data;
}

/* The logistic function; beyond 700 either way exp() would overflow. */
static char *
sql_logistic(const char *log_odds)
{
	return psprintf("1 / (1 + exp(-least(greatest(\n%s,\n-700), 700)))",
					log_odds);
}

/* The line that ends at a knot; halves where the difference of two is infinite */
static char *
sql_line(const ModelCalibration *map, int knot)
{
	double		from = map->log_odds[knot - 1];
	double		to = map->log_odds[knot];
	double		low = map->probabilities[knot - 1];
	double		high = map->probabilities[knot];
	char	   *share;

	if (low == high)
		return literal(low);
	if (isinf(to - from))
		share = psprintf("(churn_z / 2 - %s) / %s", literal(from / 2),
						 literal(to / 2 - from / 2));
	else
		share = psprintf("(churn_z - %s) / %s", literal(from),
						 literal(to - from));
	return psprintf("least(%s, %s + %s * %s)", literal(high), literal(low),
					share, literal(high - low));
}

/*
 * The map of a model, as model_score() reads it.  The sum is computed once:
 * OFFSET keeps the planner from writing it into every branch.
 */
static char *
sql_map(const ModelCalibration *map, const char *log_odds)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out, "(SELECT CASE WHEN churn_z < %s THEN %s",
					 literal(map->log_odds[0]), literal(map->probabilities[0]));
	for (int i = 1; i < map->nknots; i++)
		appendStringInfo(&out, " WHEN churn_z < %s THEN %s",
						 literal(map->log_odds[i]), sql_line(map, i));
	put_else(&out, literal(map->probabilities[map->nknots - 1]));
	appendStringInfo(&out, "\nFROM (SELECT\n%s\nAS churn_z OFFSET 0) AS churn_map)",
					 log_odds);
	return out.data;
}

PG_FUNCTION_INFO_V1(churn_model_sql);
Datum
churn_model_sql(PG_FUNCTION_ARGS)
{
	Model	   *model;
	char	   *alias = NULL;
	char	   *log_odds;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	model = model_decode(PG_GETARG_DATUM(0));
	if (!PG_ARGISNULL(1))
		alias = text_to_cstring(PG_GETARG_TEXT_PP(1));
	if (alias != NULL && alias[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("alias is empty"),
				 errhint("Leave it out, or name the table whose columns are read.")));
	log_odds = sql_log_odds(model, alias);
	PG_RETURN_TEXT_P(cstring_to_text(model->calibration == NULL ?
									 sql_logistic(log_odds) :
									 sql_map(model->calibration, log_odds)));
}
