/*-------------------------------------------------------------------------
 *
 * fit_loss.c
 *	  What a fit minimises beside the plain loss, and how its scores become
 *	  probabilities: class weights, limits by column, calibration.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "learn/fit_run.h"

/* A calibration slope outside of this says that something else is wrong. */
#define SLOPE_MIN			0.05
#define SLOPE_MAX			20.0

/*
 * "balanced" makes both classes weigh as much and all rows together what they
 * weigh without: n / 2 n_class, as scikit-learn has it.
 */
void
fit_weigh_classes(Fit *fit)
{
	const FitOptions *options = fit->options;

	for (int label = 0; label < 2; label++)
	{
		int64		n = label ? fit->nchurned : fit->nrows - fit->nchurned;

		fit->class_weights[label] = !options->weighted ? 1 :
			options->balanced ? (double) fit->nrows / (2 * n) :
			options->class_weights[label];
	}
}

/* Position of a column among those that take part */
static int
find_column(const Fit *fit, const char *name)
{
	char	  **names = fit_rows_names(fit->rows);

	for (int i = 0; i < fit->ncolumns; i++)
		if (strcmp(names[fit->columns[i]], name) == 0)
			return i;
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%s\" of option \"monotone\" is not among those to learn from",
					name)));
}

void
fit_place_limits(Fit *fit)
{
	const FitOptions *options = fit->options;

	fit->monotone = palloc0(Max(fit->ncolumns, 1));
	for (int m = 0; m < options->nmonotone; m++)
	{
		const char *name = options->monotone_columns[m];
		int			column = find_column(fit, name);

		if (fit_column_levels(fit, column) != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("column \"%s\" of option \"monotone\" is of texts, which have no order",
							name),
					 errhint("Leave it out of \"monotone\", or turn it into numbers.")));
		fit->monotone[column] = options->monotone_signs[m];
	}
}

/*
 * Bring scores to the shares seen out of fold: a line is folded into the
 * weights, so that scores and reasons agree; a map stands behind them.
 */
void
fit_apply_calibration(Fit *fit)
{
	const FitChoice *choice = fit->choice;

	if (!choice->searched || fit->options->calibration == FIT_UNCALIBRATED)
		return;
	if (fit->options->calibration == FIT_ISOTONIC)
		fit->model->calibration = fit_isotonic(choice->log_odds,
											   choice->churned, fit->nsearch);
	else if (choice->slope >= SLOPE_MIN && choice->slope <= SLOPE_MAX)
		model_rescale(fit->model, choice->slope, choice->intercept);
	else
	{
		ereport(WARNING,
				(errmsg("model is not calibrated: out-of-fold slope is %g, outside of %g to %g",
						choice->slope, SLOPE_MIN, SLOPE_MAX),
				 errhint("The columns may say nothing about churn, or all of it.")));
		return;
	}
	fit->calibrated = true;
}
