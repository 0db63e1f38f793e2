/*-------------------------------------------------------------------------
 *
 * model_importance.c
 *	  churn_importance: how much each input moves the log-odds.
 *
 * The importance of a term is the standard deviation, over the training
 * rows, of what it adds to the log-odds.  The model knows it exactly: bins,
 * levels and cells hold the share of training rows, and a linear term of
 * weight w, standardised on its known values, missing in a share m of the
 * rows where it adds u, has the variance (1 - m) w^2 + m u^2 - (m u)^2.
 *
 * An input has the variance of its own term and half of that of each of its
 * pairs, so that the variances of the inputs add up to those of all terms.
 * That two terms may move together is left out: it belongs to neither.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "learn/result.h"
#include "learn/model.h"

/* Columns of the result, in order */
enum
{
	IMPORTANCE_INPUT,
	IMPORTANCE,
	IMPORTANCE_SHARE,
	IMPORTANCE_ALONE,
	IMPORTANCE_IN_PAIRS
};

typedef struct InputVariance
{
	int			input;
	double		alone;			/* of its own term */
	double		in_pairs;		/* half of its pairs' */
} InputVariance;

/* Variance of values that occur with shares, and of one more */
static double
variance(const double *values, const double *shares, int n, double extra,
		 double extra_share)
{
	double		share = extra_share,
				mean = extra * extra_share,
				sum;

	for (int i = 0; i < n; i++)
	{
		share += shares[i];
		mean += values[i] * shares[i];
	}
	if (share == 0)
		return 0;
	mean /= share;
	sum = extra_share * (extra - mean) * (extra - mean);
	for (int i = 0; i < n; i++)
		sum += shares[i] * (values[i] - mean) * (values[i] - mean);
	return sum / share;
}

static double
linear_variance(const ModelTerm *term)
{
	double		known = 1 - term->missing_share;
	double		mean = term->missing_share * term->missing_weight;

	/* a weight may exceed what any value makes of it */
	double		weight = Min(fabs(term->weight), MODEL_MAX_SHARE);

	return known * (weight * weight + mean * mean) +
		term->missing_share * (term->missing_weight - mean) *
		(term->missing_weight - mean);
}

static InputVariance *
input_variances(const Model *model)
{
	InputVariance *inputs = palloc0(sizeof(InputVariance) * model->ninputs);

	for (int i = 0; i < model->ninputs; i++)
		inputs[i].input = i;
	for (int i = 0; i < model->nterms; i++)
	{
		const ModelTerm *term = &model->terms[i];

		inputs[term->input].alone = term->kind == MODEL_LINEAR ?
			linear_variance(term) :
			variance(term->values, term->shares, term->ncuts + 1,
					 term->missing_weight, term->missing_share);
	}
	for (int i = 0; i < model->npairs; i++)
	{
		const ModelPair *pair = &model->pairs[i];
		double		half = variance(pair->values, pair->shares,
									model_pair_cells(pair), 0, 0) / 2;

		inputs[pair->side[0].input].in_pairs += half;
		inputs[pair->side[1].input].in_pairs += half;
	}
	return inputs;
}

/* Strongest first; equal ones in the order of inputs */
static int
compare_importance(const void *a, const void *b)
{
	const InputVariance *left = a;
	const InputVariance *right = b;
	double		difference = (right->alone + right->in_pairs) -
		(left->alone + left->in_pairs);

	return difference > 0 ? 1 : difference < 0 ? -1 :
		left->input - right->input;
}

/* A row for each input that has a term or a pair */
PG_FUNCTION_INFO_V1(churn_importance);
Datum
churn_importance(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Model	   *model = model_decode(PG_GETARG_DATUM(0));
	InputVariance *inputs = input_variances(model);
	bool	   *speaking = model_speaking(model);
	double		total = 0;

	result_begin(fcinfo);
	qsort(inputs, model->ninputs, sizeof(InputVariance), compare_importance);
	for (int i = 0; i < model->ninputs; i++)
		total += inputs[i].alone + inputs[i].in_pairs;
	for (int i = 0; i < model->ninputs; i++)
	{
		double		sum = inputs[i].alone + inputs[i].in_pairs;
		ResultRow	row;

		if (!speaking[inputs[i].input])
			continue;
		result_row(&row);
		result_text(&row, IMPORTANCE_INPUT, model->inputs[inputs[i].input]);
		result_number(&row, IMPORTANCE, sqrt(sum));
		if (total > 0)
			result_number(&row, IMPORTANCE_SHARE, sum / total);
		result_number(&row, IMPORTANCE_ALONE, sqrt(inputs[i].alone));
		result_number(&row, IMPORTANCE_IN_PAIRS, sqrt(inputs[i].in_pairs));
		result_put(&row, rsinfo);
	}
	return (Datum) 0;
}
