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

/* One input's part of a score */
typedef struct Contribution
{
	int			input;
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
	return left->input - right->input;
}

/* The contributions of the row that was read, strongest first */
static Contribution *
contributions_sorted(const Scorer *scorer, int *count)
{
	const Model *model = scorer->model;
	Contribution *all = palloc(sizeof(Contribution) * model->ninputs);
	double	   *by_input = palloc(sizeof(double) * model->ninputs);
	bool	   *speaking = model_speaking(model);
	int			n = 0;

	model_contributions(model, scorer->values, scorer->nulls, by_input);
	for (int i = 0; i < model->ninputs; i++)
	{
		if (!speaking[i])
			continue;
		all[n].input = i;
		all[n++].log_odds = by_input[i];
	}
	qsort(all, n, sizeof(Contribution), compare_strength);
	pfree(by_input);
	pfree(speaking);
	*count = n;
	return all;
}

/*
 * Put the contributions out as rows (feature, value, contribution, phrase);
 * a text has no value but its phrase.
 */
static Datum
contributions_return(FunctionCallInfo fcinfo, Scorer *scorer)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	int			count;
	Contribution *all = contributions_sorted(scorer, &count);

	result_begin(fcinfo);
	for (int i = 0; i < count; i++)
	{
		int			input = all[i].input;
		Datum		values[4];
		bool		nulls[4] = {false};

		values[0] = CStringGetTextDatum(scorer->model->inputs[input]);
		values[1] = Float8GetDatum(scorer->values[input]);
		nulls[1] = scorer->nulls[input] || scorer->levels[input] != NULL;
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
