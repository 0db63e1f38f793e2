/*-------------------------------------------------------------------------
 *
 * contributions.c
 *	  Why a score is what it is: what each value adds to the log-odds of the
 *	  average training row, and the strongest of it in words.
 *
 * churn_base + sum of contributions = log-odds of the score, exactly but for
 * the order of summation.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "learn/result.h"
#include "learn/scorer.h"

#define MAX_REASONS		100

/* One term's part of a score */
typedef struct Contribution
{
	int			term;
	double		log_odds;		/* against the training mean */
} Contribution;

/* Strongest first, whichever way; the model's order among equals */
static int
compare_strength(const void *a, const void *b)
{
	const Contribution *left = a;
	const Contribution *right = b;

	if (fabs(left->log_odds) != fabs(right->log_odds))
		return fabs(left->log_odds) > fabs(right->log_odds) ? -1 : 1;
	return left->term - right->term;
}

/* The contributions of the row that was read, strongest first */
static Contribution *
contributions_sorted(const Scorer *scorer)
{
	const Model *model = scorer->model;
	Contribution *all = palloc(sizeof(Contribution) * Max(model->nterms, 1));

	for (int i = 0; i < model->nterms; i++)
	{
		const ModelTerm *term = &model->terms[i];

		all[i].term = i;
		all[i].log_odds = model_contribution(term, scorer->values[term->input],
											 scorer->nulls[term->input]) -
			term->average;
	}
	qsort(all, model->nterms, sizeof(Contribution), compare_strength);
	return all;
}

/* Put the contributions out as rows (feature, value, contribution, phrase). */
static Datum
contributions_return(FunctionCallInfo fcinfo, Scorer *scorer)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Contribution *all = contributions_sorted(scorer);

	result_begin(fcinfo);
	for (int i = 0; i < scorer->model->nterms; i++)
	{
		int			input = scorer->model->terms[all[i].term].input;
		Datum		values[4];
		bool		nulls[4] = {false};

		values[0] = CStringGetTextDatum(scorer->model->inputs[input]);
		values[1] = Float8GetDatum(scorer->values[input]);
		nulls[1] = scorer->nulls[input];
		values[2] = Float8GetDatum(all[i].log_odds);
		values[3] = CStringGetTextDatum(scorer_phrase(scorer, input));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(churn_contributions_array);
Datum
churn_contributions_array(PG_FUNCTION_ARGS)
{
	Scorer	   *scorer = scorer_get(fcinfo, PG_GETARG_DATUM(0));

	scorer_read_array(scorer, PG_GETARG_ARRAYTYPE_P(1));
	return contributions_return(fcinfo, scorer);
}

PG_FUNCTION_INFO_V1(churn_contributions_history);
Datum
churn_contributions_history(PG_FUNCTION_ARGS)
{
	Scorer	   *scorer = scorer_get(fcinfo, PG_GETARG_DATUM(0));

	scorer_read_history(scorer, PG_GETARG_DATUM(1), PG_GETARG_DATEADT(2));
	return contributions_return(fcinfo, scorer);
}

PG_FUNCTION_INFO_V1(churn_contributions_row);
Datum
churn_contributions_row(PG_FUNCTION_ARGS)
{
	Scorer	   *scorer = scorer_get(fcinfo, PG_GETARG_DATUM(0));

	scorer_read_row(scorer, PG_GETARG_HEAPTUPLEHEADER(1));
	return contributions_return(fcinfo, scorer);
}

PG_FUNCTION_INFO_V1(churn_base);
Datum
churn_base(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(model_base(scorer_get(fcinfo, PG_GETARG_DATUM(0))->model));
}

/*
 * Families of features: of each, only the strongest becomes a reason, since
 * three ways to say "has not been here for long" are one reason.  The first
 * part of a name that is found decides.
 */
static const char *const families[][2] = {
	{"_per_", "ratio"},
	{"weekend", "calendar"},
	{"weekday", "calendar"},
	{"entropy", "variety"},
	{"kinds", "variety"},
	{"overdue", "silence"},
	{"days_past", "silence"},
	{"recency", "silence"},
	{"gap_rank", "silence"},
	{"kept_", "silence"},
	{"lapses", "lapses"},
	{"gap", "rhythm"},
	{"clumpiness", "rhythm"},
	{"second_after", "rhythm"},
	{"trend", "trend"},
	{"diff", "trend"},
	{"slope", "trend"},
	{"yoy", "trend"},
	{"amount", "money"},
	{"tenure", "tenure"},
	{"span", "tenure"},
	{"count", "activity"},
	{"days", "activity"},
	{"rate", "activity"},
	{"ewma", "activity"},
	{"week_share", "activity"},
	{"since_key", "activity"}
};

/* The family of an input; one that belongs to none is its own. */
static const char *
reason_family(const Model *model, int input)
{
	const char *name = model->inputs[input];

	if (model->spec != (Datum) 0)
		for (size_t i = 0; i < lengthof(families); i++)
			if (strstr(name, families[i][0]) != NULL)
				return families[i][1];
	return name;
}

/* Has the family of an input been named among the first n reasons? */
static bool
family_named(const Model *model, const int *reasons, int n, int input)
{
	for (int i = 0; i < n; i++)
		if (strcmp(reason_family(model, reasons[i]),
				   reason_family(model, input)) == 0)
			return true;
	return false;
}

/* The strongest risk-raising inputs, one a family; returns how many. */
static int
reasons_choose(const Scorer *scorer, int *reasons, int limit)
{
	const Model *model = scorer->model;
	Contribution *all = contributions_sorted(scorer);
	int			n = 0;

	for (int i = 0; i < model->nterms && n < limit; i++)
	{
		int			input = model->terms[all[i].term].input;

		if (all[i].log_odds > 0 && !family_named(model, reasons, n, input))
			reasons[n++] = input;
	}
	pfree(all);
	return n;
}

/* The reasons of the row that was read, as text[] */
static Datum
reasons_return(Scorer *scorer, int limit)
{
	int			reasons[MAX_REASONS];
	Datum		phrases[MAX_REASONS];
	int			n;

	if (limit < 0 || limit > MAX_REASONS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of reasons must be from 0 to %d, not %d",
						MAX_REASONS, limit)));
	n = reasons_choose(scorer, reasons, limit);
	for (int i = 0; i < n; i++)
		phrases[i] = CStringGetTextDatum(scorer_phrase(scorer, reasons[i]));
	PG_RETURN_ARRAYTYPE_P(construct_array(phrases, n, TEXTOID, -1, false,
										  TYPALIGN_INT));
}

PG_FUNCTION_INFO_V1(churn_reasons_history);
Datum
churn_reasons_history(PG_FUNCTION_ARGS)
{
	Scorer	   *scorer = scorer_get(fcinfo, PG_GETARG_DATUM(0));

	scorer_read_history(scorer, PG_GETARG_DATUM(1), PG_GETARG_DATEADT(2));
	return reasons_return(scorer, PG_GETARG_INT32(3));
}

PG_FUNCTION_INFO_V1(churn_reasons_array);
Datum
churn_reasons_array(PG_FUNCTION_ARGS)
{
	Scorer	   *scorer = scorer_get(fcinfo, PG_GETARG_DATUM(0));

	scorer_read_array(scorer, PG_GETARG_ARRAYTYPE_P(1));
	return reasons_return(scorer, PG_GETARG_INT32(2));
}
