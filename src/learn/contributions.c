/*-------------------------------------------------------------------------
 *
 * contributions.c
 *	  Why a score is what it is: what each value adds to the log-odds of the
 *	  average training row.
 *
 * churn_base + sum of contributions = log-odds of the score, exactly but for
 * the order of summation.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "learn/result.h"
#include "learn/scorer.h"

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
