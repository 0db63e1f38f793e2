/*-------------------------------------------------------------------------
 *
 * fit_levels.c
 *	  What the phases of a fit have to do with columns of texts.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "learn/fit_run.h"

const LevelTable *
fit_column_levels(const Fit *fit, int column)
{
	const FitInputs *inputs = fit_rows_inputs(fit->rows);

	return inputs == NULL ? NULL : inputs->levels[fit->columns[column]];
}

void
fit_levels_shape(const Fit *fit, FitTask *shape)
{
	for (int c = 0; c < fit->ncolumns; c++)
	{
		const LevelTable *levels = fit_column_levels(fit, c);
		Size		codes;

		if (levels == NULL)
			continue;
		codes = Min(levels_count(levels), shape->nrows / LEVEL_MIN_ROWS);
		codes = Min(Max((int64) codes, 0), MODEL_MAX_LEVELS) + 2;
		shape->ntexts++;
		shape->level_codes += codes;
		shape->level_squares += codes * codes;
		shape->level_numbers += Max(levels_count(levels), 0) + 1;
	}
}

void
fit_levels_name(const Fit *fit, ModelTerm *term)
{
	const LevelTable *levels = fit_column_levels(fit, term->input);

	term->levels = palloc(sizeof(char *) * Max(term->ncuts, 1));
	for (int i = 0; i < term->ncuts; i++)
		term->levels[i] = levels_text(levels, term->level_numbers[i]);
}

void
fit_take_inputs(Fit *fit)
{
	const FitInputs *inputs = fit_rows_inputs(fit->rows);
	Model	   *model = fit->model;

	model->types = palloc0(model->ninputs);
	model->has_reference = fit->options->has_reference;
	model->reference_date = fit->options->reference_date;
	if (inputs == NULL)
		return;
	memcpy(model->types, inputs->types, model->ninputs);
	for (int i = 0; i < model->ninputs; i++)
	{
		if (inputs->levels[i] == NULL)
			continue;
		levels_seal(inputs->levels[i]);
		fit->held_bytes += levels_bytes(inputs->levels[i]) +
			sizeof(int) * Max(levels_count(inputs->levels[i]), 0);
	}
}

void
fit_levels_fill(const Fit *fit, FitMatrix *matrix)
{
	for (int c = 0; c < matrix->ncolumns; c++)
	{
		const LevelTable *levels = fit_column_levels(fit, c);

		matrix->levels[c] = levels == NULL ? FIT_NUMBERS :
			levels_count(levels) < 0 ? FIT_CROWDED : levels_count(levels);
	}
}
