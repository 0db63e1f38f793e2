/*-------------------------------------------------------------------------
 *
 * fit_linear.c
 *	  Jobs of the encoding "linear": a fold's way along the path of C, and
 *	  the final fit.
 *
 * The path is followed upwards, each fit starting where the last ended.  A
 * fold leaves it when its held-out loss has grown twice running, or when a
 * larger C no longer moves the weights.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "learn/fit.h"

/*
 * Log-odds of the rows of a fold, into log_odds[row], summed in the order of
 * terms as scoring does.  Returns their summed log-loss.
 */
static double
score_fold(const FitMatrix *matrix, const Encoding *encoding,
		   double intercept, int fold, double *log_odds)
{
	double		loss = 0;

	for (int64 row = 0; row < matrix->nrows; row++)
		if (matrix->fold[row] == fold)
			log_odds[row] = intercept;
	for (int i = 0; i < encoding->ncolumns; i++)
	{
		const ModelTerm *term = &encoding->columns[i].term;
		const double *x = matrix->values + (Size) term->input * matrix->nrows;

		CHECK_FOR_INTERRUPTS();
		for (int64 row = 0; row < matrix->nrows; row++)
		{
			double		value = x[row];

			if (matrix->fold[row] != fold)
				continue;
			if (term->kind == MODEL_LEVELS && !isnan(value))
				value = level_code(&encoding->columns[i].levels, value);
			log_odds[row] += model_contribution(term, value, isnan(value));
		}
	}
	for (int64 row = 0; row < matrix->nrows; row++)
		if (matrix->fold[row] == fold)
			loss += fit_log_loss(log_odds[row], matrix->churned[row]);
	return loss;
}

/*
 * Solve for one C as the task says, limits and class weights included.
 * Returns the intercept of the rows as they are.
 */
static double
solve(LinearProblem **problem, const FitTask *task, const FitArrays *arrays,
	  Encoding *encoding, int held_out, double c, double *weights)
{
	monotone_linear_fit(problem, task, &arrays->matrix, encoding, held_out,
						arrays->monotone, c, weights);
	encoding_take_weights(encoding, weights);
	return weights[encoding->ndesign] - fit_task_shift(task);
}

/* The same in passes over a table; LIBLINEAR solves where there are limits. */
static double
solve_in_place(const FitTask *task, const FitArrays *arrays,
			   Encoding *encoding, double *weights)
{
	const double c[2] = {task->path[0] * task->class_weights[0],
	task->path[0] * task->class_weights[1]};

	linear_newton_fit(&arrays->matrix, encoding, c, task->tolerance, weights);
	encoding_take_weights(encoding, weights);
	return weights[encoding->ndesign] - fit_task_shift(task);
}

/* Does a term say nothing? */
static bool
term_zero(const ModelTerm *term)
{
	if (term->kind == MODEL_LEVELS)
		for (int code = 0; code <= term->ncuts; code++)
			if (term->values[code] != 0)
				return false;
	return term->weight == 0 && term->missing_weight == 0;
}

/* Are all weights but the intercept 0? */
static bool
all_zero(const double *weights, int n)
{
	for (int i = 0; i < n; i++)
		if (weights[i] != 0)
			return false;
	return true;
}

/*
 * Follow the path of C for one fold.  While L1 lets no column in, nothing
 * has been tried yet.
 */
void
linear_run_fold(FitTask *task, FitArrays *arrays, int fold)
{
	const FitMatrix *matrix = &arrays->matrix;
	Encoding   *encoding = encoding_learn(matrix, fold);
	LinearProblem *problem = linear_problem(matrix, encoding, fold);
	double	   *weights = palloc0(sizeof(double) * (encoding->ndesign + 1));
	Size		weights_bytes = sizeof(double) * (encoding->ndesign + 1);
	double	   *before = palloc(weights_bytes);
	double		last = 0;
	int			worse = 0;
	int			step;

	for (step = 0; step < task->npath && worse < 2; step++)
	{
		double		loss,
					intercept;

		fit_report_progress(task, fold, step);
		memcpy(before, weights, weights_bytes);
		intercept = solve(&problem, task, arrays, encoding, fold,
						  task->path[step], weights);
		if (step > 0 && task->penalty == FIT_L2 &&
			memcmp(before, weights, weights_bytes) == 0)
			break;
		loss = score_fold(matrix, encoding, intercept, fold,
						  arrays->log_odds + (Size) step * matrix->nrows);
		worse = step > 0 && loss > last &&
			!all_zero(weights, encoding->ndesign) ? worse + 1 : 0;
		last = loss;
	}
	arrays->steps[fold] = (1 << step) - 1;
}

/* The fit that becomes the model; terms without a weight stay out of it. */
void
linear_run_final(FitTask *task, FitArrays *arrays)
{
	Encoding   *encoding = encoding_learn(&arrays->matrix, FIT_NO_FOLD);
	double	   *weights = palloc0(sizeof(double) * (encoding->ndesign + 1));
	LinearProblem *problem;
	Model		model = {0};

	fit_report_progress(task, 0, 0);
	if (task->in_place)
		model.intercept = solve_in_place(task, arrays, encoding, weights);
	else
	{
		problem = linear_problem(&arrays->matrix, encoding, FIT_NO_FOLD);
		model.intercept = solve(&problem, task, arrays, encoding, FIT_NO_FOLD,
								task->path[0], weights);
	}
	model.terms = palloc(sizeof(ModelTerm) * Max(encoding->ncolumns, 1));
	for (int i = 0; i < task->ncolumns; i++)
	{
		arrays->fate[i] = encoding->fate[i];
		arrays->duplicate_of[i] = encoding->duplicate_of[i];
	}
	for (int i = 0; i < encoding->ncolumns; i++)
	{
		const ModelTerm *term = &encoding->columns[i].term;

		if (term_zero(term))
			arrays->fate[term->input] = COLUMN_ZERO;
		else
			model.terms[model.nterms++] = *term;
	}
	fit_result_put(arrays->result, &model);
}
