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

/* Follow the path of C for one fold. */
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
		double		loss;

		fit_report_progress(task, fold, step);
		memcpy(before, weights, weights_bytes);
		linear_fit(problem, task->path[step], task->tolerance, weights);
		if (step > 0 && memcmp(before, weights, weights_bytes) == 0)
			break;
		encoding_take_weights(encoding, weights);
		loss = score_fold(matrix, encoding, weights[encoding->ndesign], fold,
						  arrays->log_odds + (Size) step * matrix->nrows);
		worse = step > 0 && loss > last ? worse + 1 : 0;
		last = loss;
	}
	arrays->steps[fold] = (1 << step) - 1;
}

/* The fit that becomes the model */
void
linear_run_final(FitTask *task, FitArrays *arrays)
{
	Encoding   *encoding = encoding_learn(&arrays->matrix, FIT_NO_FOLD);
	double	   *weights = palloc0(sizeof(double) * (encoding->ndesign + 1));
	Model		model = {0};

	fit_report_progress(task, 0, 0);
	linear_fit(linear_problem(&arrays->matrix, encoding, FIT_NO_FOLD),
			   task->path[0], task->tolerance, weights);
	encoding_take_weights(encoding, weights);
	model.intercept = weights[encoding->ndesign];
	model.nterms = encoding->ncolumns;
	model.terms = palloc(sizeof(ModelTerm) * Max(encoding->ncolumns, 1));
	for (int i = 0; i < encoding->ncolumns; i++)
		model.terms[i] = encoding->columns[i].term;
	fit_result_put(arrays->result, &model);
	for (int i = 0; i < task->ncolumns; i++)
	{
		arrays->fate[i] = encoding->fate[i];
		arrays->duplicate_of[i] = encoding->duplicate_of[i];
	}
}
