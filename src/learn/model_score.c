/*-------------------------------------------------------------------------
 *
 * model_score.c
 *	  What a decoded model says of a row.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "learn/model.h"

double
model_log_odds(const Model *model, const double *values, const bool *nulls)
{
	double		sum = model->intercept;

	for (int i = 0; i < model->nterms; i++)
	{
		const ModelTerm *term = &model->terms[i];

		sum += model_contribution(term, values[term->input],
								  nulls[term->input]);
	}
	for (int i = 0; i < model->npairs; i++)
		sum += model_pair_contribution(&model->pairs[i], values, nulls);
	return sum;
}

double
model_base(const Model *model)
{
	double		sum = model->intercept;

	for (int i = 0; i < model->nterms; i++)
		sum += model->terms[i].average;
	for (int i = 0; i < model->npairs; i++)
		sum += model->pairs[i].average;
	return sum;
}

bool *
model_speaking(const Model *model)
{
	bool	   *speaking = palloc0(sizeof(bool) * Max(model->ninputs, 1));

	for (int i = 0; i < model->nterms; i++)
		speaking[model->terms[i].input] = true;
	for (int i = 0; i < model->npairs; i++)
		for (int s = 0; s < 2; s++)
			speaking[model->pairs[i].side[s].input] = true;
	return speaking;
}

void
model_contributions(const Model *model, const double *values,
					const bool *nulls, double *contributions)
{
	memset(contributions, 0, sizeof(double) * model->ninputs);
	for (int i = 0; i < model->nterms; i++)
	{
		const ModelTerm *term = &model->terms[i];

		contributions[term->input] +=
			model_contribution(term, values[term->input],
							   nulls[term->input]) - term->average;
	}
	for (int i = 0; i < model->npairs; i++)
	{
		const ModelPair *pair = &model->pairs[i];
		double		half = (model_pair_contribution(pair, values, nulls) -
							pair->average) / 2;

		for (int s = 0; s < 2; s++)
			contributions[pair->side[s].input] += half;
	}
}

/* Multiply numbers by a slope. */
static void
rescale(double *numbers, int n, double slope)
{
	for (int i = 0; i < n; i++)
		numbers[i] *= slope;
}

void
model_rescale(Model *model, double slope, double intercept)
{
	model->intercept = slope * model->intercept + intercept;
	for (int i = 0; i < model->nterms; i++)
	{
		ModelTerm  *term = &model->terms[i];

		if (term->kind == MODEL_LINEAR)
			term->weight *= slope;
		else
			rescale(term->values, term->ncuts + 1, slope);
		term->missing_weight *= slope;
		term->average *= slope;
	}
	for (int i = 0; i < model->npairs; i++)
	{
		ModelPair  *pair = &model->pairs[i];

		rescale(pair->values, model_pair_cells(pair), slope);
		pair->average *= slope;
	}
}
