/*-------------------------------------------------------------------------
 *
 * purify.c
 *	  Curves and maps that can be read: what a pair says of one input alone
 *	  belongs to that input's curve.
 *
 * Mean by mean, first over the rows of a pair's table, then over its columns,
 * and again until nothing moves: the weighted mean of each row and column,
 * with training shares as weights, is taken out of the cells and added to the
 * curve.  B. Lengerich et al., "Purifying interaction effects with the
 * functional ANOVA", AISTATS 2020.
 *
 * The cuts of a pair are some of its inputs' own, so that the curves take
 * the mass exactly.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "learn/bins.h"

#define MAX_SWEEPS	5000
#define STILL		1e-13		/* mass that no longer matters */

static ModelTerm *
term_of_input(Model *model, int input)
{
	for (int i = 0; i < model->nterms; i++)
		if (model->terms[i].input == input)
			return &model->terms[i];
	elog(ERROR, "pair without a term of input %d", input);
	return NULL;				/* not reached */
}

/* Add what a margin of a pair held to the curve: mass by coarse bin. */
static void
add_to_curve(ModelTerm *term, const ModelSide *side, const double *mass)
{
	for (int bin = 0; bin <= term->ncuts; bin++)
	{
		/* any value of the fine bin lies in the same coarse one */
		int			coarse = side->levels ? Min(bin, side->ncuts) : bin == 0 ?
			0 : model_bin(side->cuts, side->ncuts, term->cuts[bin - 1]);

		term->values[bin] += mass[coarse];
	}
	term->missing_weight += mass[side->ncuts + 1];
}

/*
 * Take the mean of every line of cells out; "step" leads from line to line,
 * "across" from cell to cell.  Returns the largest mean.
 */
static double
take_means(ModelPair *pair, int lines, int step, int cells, int across,
		   double *mass)
{
	double		largest = 0;

	for (int line = 0; line < lines; line++)
	{
		double		sum = 0,
					share = 0,
					mean;

		for (int i = 0; i < cells; i++)
		{
			int			cell = line * step + i * across;

			sum += pair->values[cell] * pair->shares[cell];
			share += pair->shares[cell];
		}
		if (share == 0)
			continue;
		mean = sum / share;
		for (int i = 0; i < cells; i++)
			pair->values[line * step + i * across] -= mean;
		mass[line] += mean;
		largest = Max(largest, fabs(mean));
	}
	return largest;
}

static void
purify_pair(Model *model, ModelPair *pair)
{
	double		first[CODES_MAX] = {0},
				second[CODES_MAX] = {0};
	int			n = pair->side[0].ncuts + 2;
	int			m = pair->side[1].ncuts + 2;

	for (int sweep = 0; sweep < MAX_SWEEPS; sweep++)
	{
		double		moved = take_means(pair, n, m, m, 1, first);

		moved = Max(moved, take_means(pair, m, 1, n, m, second));
		if (moved < STILL)
			break;
	}
	add_to_curve(term_of_input(model, pair->side[0].input), &pair->side[0],
				 first);
	add_to_curve(term_of_input(model, pair->side[1].input), &pair->side[1],
				 second);
	pair->average = 0;
	for (int cell = 0; cell < n * m; cell++)
		pair->average += pair->values[cell] * pair->shares[cell];
}

/* Mean of a curve over the training rows */
static double
curve_average(const ModelTerm *term)
{
	double		average = term->missing_share * term->missing_weight;

	for (int bin = 0; bin <= term->ncuts; bin++)
		average += term->values[bin] * term->shares[bin];
	return average;
}

/* Make the curve's mean 0: the intercept takes it. */
static void
centre_curve(Model *model, ModelTerm *term)
{
	double		average = curve_average(term);

	for (int bin = 0; bin <= term->ncuts; bin++)
		term->values[bin] -= average;
	term->missing_weight -= average;
	model->intercept += average;
	term->average = curve_average(term);
}

void
purify(Model *model)
{
	for (int i = 0; i < model->npairs; i++)
		purify_pair(model, &model->pairs[i]);
	for (int i = 0; i < model->nterms; i++)
		if (model->terms[i].kind != MODEL_LINEAR)
			centre_curve(model, &model->terms[i]);
}
