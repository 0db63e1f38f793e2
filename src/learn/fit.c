/*-------------------------------------------------------------------------
 *
 * fit.c
 *	  The phases of a fit: sample, folds, choice of C, final fit, model.
 *
 * Rows arrive in any order and leave in canonical order; sample and folds go
 * by a hash of the user; every phase gives the same bits whoever computes
 * it.  So the model depends on nothing but rows and options.
 *
 * The search looks at whole users, at most max_search_rows rows, drawn by
 * hash.  It is left out (C = 1, no calibration) where the folds cannot be
 * filled: a fold without rows, or one whose other folds lack a class.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/shortest_dec.h"
#include "miscadmin.h"
#include "utils/json.h"
#include "utils/memutils.h"

#include "learn/fit.h"

#define DEFAULT_C			1.0
/*
 * LIBLINEAR stops at a share of the gradient at 0, where the bias column of
 * 100 weighs a hundred times what a standardised column does.
 */
#define SEARCH_TOLERANCE	1e-5
#define FINAL_TOLERANCE		1e-8
#define PATH_FIRST			(-14)	/* the path of C is 2^-14, 2^-12, … 2^4 */
#define PATH_LAST			4
#define PATH_STEP			2
/* A calibration slope outside of this says that something else is wrong. */
#define SLOPE_MIN			0.05
#define SLOPE_MAX			20.0

/* Everything about one fit while it runs */
typedef struct Fit
{
	const FitOptions *options;
	FitRows    *rows;
	int64		nrows;
	const FitRow **sorted;
	int64		nusers;
	int64		nchurned;
	int			ncolumns;		/* those not excluded */
	int		   *columns;		/* their positions in a row */
	int64		nsearch;		/* rows of the sample */
	const FitRow **search;		/* in canonical order */
	Size		held_bytes;		/* rows and pointers */
	FitChoice	choice;
	double		path[FIT_MAX_PATH];
	double		c;				/* of the final fit */
	bool		calibrated;
	Model	   *model;
	ColumnFate *fate;			/* per column offered to the solver */
	int		   *duplicate_of;
} Fit;

/* ---- rows and columns ---- */

/* Which columns take part; a name to exclude that does not exist is wrong. */
static void
select_columns(Fit *fit)
{
	int			ncolumns = fit_rows_columns(fit->rows);
	char	  **names = fit_rows_names(fit->rows);
	bool	   *excluded = palloc0(sizeof(bool) * ncolumns);

	for (int e = 0; e < fit->options->nexclude && !fit->options->row_form; e++)
	{
		int			i = 0;

		while (i < ncolumns && strcmp(names[i], fit->options->exclude[e]) != 0)
			i++;
		if (i == ncolumns)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of option \"exclude\" does not exist",
							fit->options->exclude[e])));
		excluded[i] = true;
	}
	fit->columns = palloc(sizeof(int) * ncolumns);
	for (int i = 0; i < ncolumns; i++)
		if (!excluded[i])
			fit->columns[fit->ncolumns++] = i;
	if (fit->ncolumns == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("no column is left to learn from")));
}

/* Users and classes of the sorted rows; a class that is missing is wrong. */
static void
count_rows(Fit *fit)
{
	for (int64 i = 0; i < fit->nrows; i++)
	{
		fit->nchurned += fit->sorted[i]->churned;
		if (i == 0 || fit->sorted[i]->group_id != fit->sorted[i - 1]->group_id)
			fit->nusers++;
	}
	if (fit->nchurned == 0 || fit->nchurned == fit->nrows)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot learn from one class only: " INT64_FORMAT " rows churned, " INT64_FORMAT " did not",
						fit->nchurned, fit->nrows - fit->nchurned),
				 errhint("Add rows of the other class.")));
}

/* Order in which users are drawn for the sample, with the rows of each */
typedef struct DrawnUser
{
	uint64		lot;			/* hash of the user */
	int64		first;			/* among the sorted rows */
	int64		nrows;
} DrawnUser;

static int
compare_drawn(const void *a, const void *b)
{
	const DrawnUser *left = a;
	const DrawnUser *right = b;

	if (left->lot != right->lot)
		return left->lot < right->lot ? -1 : 1;
	return left->first < right->first ? -1 : left->first > right->first;
}

/* Mark whole users, by lot, while their rows fit into the limit. */
static void
mark_sample(const Fit *fit, bool *in_sample)
{
	DrawnUser  *users =
		MemoryContextAllocHuge(CurrentMemoryContext,
							   fit->nusers * sizeof(DrawnUser));
	int64		nusers = 0,
				taken = 0;

	for (int64 i = 0; i < fit->nrows; i++)
	{
		uint64		id = fit->sorted[i]->group_id;

		if (i == 0 || id != fit->sorted[i - 1]->group_id)
		{
			users[nusers].lot = fit_hash(id, fit->options->seed,
										 FIT_SALT_SAMPLE);
			users[nusers].first = i;
			users[nusers++].nrows = 0;
		}
		users[nusers - 1].nrows++;
	}
	qsort(users, nusers, sizeof(DrawnUser), compare_drawn);
	for (int64 u = 0; u < nusers; u++)
	{
		taken += users[u].nrows;
		if (taken > fit->options->max_search_rows)
			break;
		memset(in_sample + users[u].first, true, users[u].nrows);
	}
	pfree(users);
}

/* The rows that choose C: all, or whole users drawn by lot */
static void
draw_sample(Fit *fit)
{
	bool	   *in_sample;
	int64		n = 0;

	fit->search = fit->sorted;
	fit->nsearch = fit->nrows;
	if (fit->nrows <= fit->options->max_search_rows)
		return;
	in_sample = MemoryContextAllocHuge(CurrentMemoryContext, fit->nrows);
	memset(in_sample, false, fit->nrows);
	mark_sample(fit, in_sample);
	fit->search =
		MemoryContextAllocHuge(CurrentMemoryContext,
							   fit->options->max_search_rows * sizeof(FitRow *));
	for (int64 i = 0; i < fit->nrows; i++)
		if (in_sample[i])
			fit->search[n++] = fit->sorted[i];
	fit->nsearch = n;
	pfree(in_sample);
}

/* Fold of a row's user */
static int
row_fold(const Fit *fit, const FitRow *row)
{
	return fit_hash(row->group_id, fit->options->seed, FIT_SALT_FOLD) %
		fit->options->folds;
}

/*
 * Can every fold be fitted?  Each needs a row of its own, and both classes
 * among the rows of the others.
 */
static bool
folds_filled(const Fit *fit)
{
	int64		count[FIT_MAX_FOLDS][2] = {{0}};
	int64		all[2] = {0, 0};

	if (fit->options->folds < 2)
		return false;
	for (int64 i = 0; i < fit->nsearch; i++)
	{
		count[row_fold(fit, fit->search[i])][fit->search[i]->churned]++;
		all[fit->search[i]->churned]++;
	}
	for (int f = 0; f < fit->options->folds; f++)
		if (count[f][0] + count[f][1] == 0 ||
			count[f][0] == all[0] || count[f][1] == all[1])
			return false;
	return true;
}

/* ---- phases ---- */

/* Write rows into the matrix, a block of rows at a time. */
static void
fill_matrix(const Fit *fit, const FitRow **rows, FitMatrix *matrix)
{
	const int64 block = 256;

	for (int64 first = 0; first < matrix->nrows; first += block)
	{
		int64		end = Min(first + block, matrix->nrows);

		CHECK_FOR_INTERRUPTS();
		for (int c = 0; c < matrix->ncolumns; c++)
		{
			double	   *x = matrix->values + (Size) c * matrix->nrows;
			int			column = fit->columns[c];

			for (int64 i = first; i < end; i++)
				x[i] = rows[i]->values[column];
		}
		for (int64 i = first; i < end; i++)
			matrix->churned[i] = rows[i]->churned;
	}
}

static void
fill_search(FitTask *task, FitArrays *arrays, void *arg)
{
	Fit		   *fit = arg;

	fill_matrix(fit, fit->search, &arrays->matrix);
	for (int64 i = 0; i < fit->nsearch; i++)
		arrays->matrix.fold[i] = row_fold(fit, fit->search[i]);
}

static void
collect_search(FitTask *task, FitArrays *arrays, void *arg)
{
	Fit		   *fit = arg;

	fit_choose(&arrays->matrix, fit->options->folds, arrays->log_odds,
			   arrays->steps, &fit->choice);
}

static void
fill_final(FitTask *task, FitArrays *arrays, void *arg)
{
	Fit		   *fit = arg;

	fill_matrix(fit, fit->sorted, &arrays->matrix);
	memset(arrays->matrix.fold, 0, fit->nrows);
}

/* Terms speak of the inputs of the model, not of the matrix's columns. */
static void
collect_final(FitTask *task, FitArrays *arrays, void *arg)
{
	Fit		   *fit = arg;
	Model	   *model = fit->model;

	model->intercept = task->intercept;
	model->nterms = task->nterms;
	model->terms = palloc(sizeof(ModelTerm) * Max(task->nterms, 1));
	for (int i = 0; i < task->nterms; i++)
	{
		model->terms[i] = arrays->terms[i];
		model->terms[i].input = fit->columns[arrays->terms[i].input];
	}
	fit->fate = palloc(sizeof(ColumnFate) * fit->ncolumns);
	fit->duplicate_of = palloc(sizeof(int) * fit->ncolumns);
	for (int i = 0; i < fit->ncolumns; i++)
	{
		fit->fate[i] = arrays->fate[i];
		fit->duplicate_of[i] = fit->columns[arrays->duplicate_of[i]];
	}
}

/* Out-of-fold predictions along the path of C, or at the C that was asked */
static void
search_c(Fit *fit)
{
	FitTask		shape = {0};

	fit->c = fit->options->c > 0 ? fit->options->c : DEFAULT_C;
	if (!folds_filled(fit))
		return;
	ereport(NOTICE,
			(errmsg("churn_fit: %d folds over " INT64_FORMAT " of " INT64_FORMAT " rows",
					fit->options->folds, fit->nsearch, fit->nrows)));
	shape.nrows = fit->nsearch;
	shape.ncolumns = fit->ncolumns;
	shape.njobs = fit->options->folds;
	shape.tolerance = SEARCH_TOLERANCE;
	if (fit->options->c > 0)
		shape.path[shape.npath++] = fit->options->c;
	else
		for (int e = PATH_FIRST; e <= PATH_LAST; e += PATH_STEP)
			shape.path[shape.npath++] = ldexp(1, e);
	memcpy(fit->path, shape.path, sizeof(fit->path));
	fit_jobs_run(&shape, fit->options, fit->held_bytes, fill_search,
				 collect_search, fit);
	fit->c = fit->path[fit->choice.chosen];
}

/* One fit of all rows, at a C that the folds may still have to choose */
static FitTask
final_task(const Fit *fit)
{
	FitTask		shape = {0};

	shape.nrows = fit->nrows;
	shape.ncolumns = fit->ncolumns;
	shape.final = true;
	shape.njobs = 1;
	shape.npath = 1;
	shape.path[0] = fit->c;
	shape.tolerance = FINAL_TOLERANCE;
	return shape;
}

static void
fit_final(Fit *fit)
{
	FitTask		shape = final_task(fit);

	ereport(NOTICE,
			(errmsg("churn_fit: final fit of " INT64_FORMAT " rows and %d columns, C = %g",
					fit->nrows, fit->ncolumns, fit->c)));
	fit_jobs_run(&shape, fit->options, fit->held_bytes, fill_final,
				 collect_final, fit);
}

/* Fold the calibration line into the weights: scores and reasons agree. */
static void
apply_calibration(Fit *fit)
{
	double		slope = fit->choice.slope;

	if (!fit->choice.searched || !fit->options->calibrate)
		return;
	if (!(slope >= SLOPE_MIN && slope <= SLOPE_MAX))
	{
		ereport(WARNING,
				(errmsg("model is not calibrated: out-of-fold slope is %g, outside of %g to %g",
						slope, SLOPE_MIN, SLOPE_MAX),
				 errhint("The columns may say nothing about churn, or all of it.")));
		return;
	}
	model_rescale(fit->model, slope, fit->choice.intercept);
	fit->calibrated = true;
}

/* ---- what is told ---- */

static const char *
fate_reason(ColumnFate fate)
{
	switch (fate)
	{
		case COLUMN_EMPTY:
			return "empty";
		case COLUMN_CONSTANT:
			return "constant";
		case COLUMN_DUPLICATE:
			return "duplicate";
		default:
			return NULL;
	}
}

/* One NOTICE a reason, with the columns' names */
static void
report_dropped(const Fit *fit, ColumnFate fate, const char *what)
{
	char	  **names = fit_rows_names(fit->rows);
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < fit->ncolumns; i++)
	{
		if (fit->fate[i] != fate)
			continue;
		appendStringInfo(&list, "%s\"%s\"", list.len > 0 ? ", " : "",
						 names[fit->columns[i]]);
		if (fate == COLUMN_DUPLICATE)
			appendStringInfo(&list, " (of \"%s\")",
							 names[fit->duplicate_of[i]]);
	}
	if (list.len > 0)
		ereport(NOTICE, (errmsg("churn_fit: %s columns dropped: %s", what,
								list.data)));
	pfree(list.data);
}

/* ,"name": number */
static void
json_number(StringInfo out, const char *name, double x)
{
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	double_to_shortest_decimal_buf(x, digits);
	appendStringInfo(out, ", \"%s\": %s", name, digits);
}

static void
json_dropped(StringInfo out, const Fit *fit)
{
	char	  **names = fit_rows_names(fit->rows);
	int			n = 0;

	appendStringInfoString(out, ", \"dropped\": [");
	for (int i = 0; i < fit->ncolumns; i++)
	{
		if (fit->fate[i] == COLUMN_KEPT)
			continue;
		appendStringInfo(out, "%s{\"reason\": \"%s\", \"column\": ",
						 n++ > 0 ? ", " : "", fate_reason(fit->fate[i]));
		escape_json(out, names[fit->columns[i]]);
		appendStringInfoChar(out, '}');
	}
	appendStringInfoString(out, "], \"excluded\": [");
	for (int e = 0; e < fit->options->nexclude; e++)
	{
		if (e > 0)
			appendStringInfoString(out, ", ");
		escape_json(out, fit->options->exclude[e]);
	}
	appendStringInfoChar(out, ']');
}

/* Out-of-fold scores as the model would show them: calibrated, if it is */
static void
json_quantiles(StringInfo out, const Fit *fit)
{
	const FitChoice *choice = &fit->choice;

	appendStringInfoString(out, ", \"fold_quantiles\": [");
	for (int i = 0; i < FIT_QUANTILES; i++)
	{
		double		z = choice->quantiles[i];
		char		number[DOUBLE_SHORTEST_DECIMAL_LEN];

		if (fit->calibrated)
			z = choice->slope * z + choice->intercept;
		double_to_shortest_decimal_buf(model_probability(z), number);
		appendStringInfo(out, "%s%s", i > 0 ? ", " : "", number);
	}
	appendStringInfoChar(out, ']');
}

/* What the folds said */
static void
json_search(StringInfo out, const Fit *fit)
{
	const FitChoice *choice = &fit->choice;

	if (!choice->searched)
	{
		appendStringInfoString(out, ", \"folds\": 0");
		return;
	}
	appendStringInfo(out, ", \"folds\": %d, \"search_rows\": " INT64_FORMAT,
					 fit->options->folds, fit->nsearch);
	json_number(out, "cv_log_loss", choice->log_loss[choice->chosen]);
	json_number(out, "cv_auc", choice->auc);
	json_number(out, "calibration_slope", choice->slope);
	json_number(out, "calibration_intercept", choice->intercept);
	json_quantiles(out, fit);
	appendStringInfoString(out, ", \"path\": [");
	for (int i = 0; i < choice->npath; i++)
	{
		appendStringInfo(out, "%s{\"step\": %d", i > 0 ? ", " : "", i + 1);
		json_number(out, "c", fit->path[i]);
		json_number(out, "log_loss", choice->log_loss[i]);
		appendStringInfoChar(out, '}');
	}
	appendStringInfoChar(out, ']');
}

/* No time and no place: equal fits are equal values. */
static char *
provenance(const Fit *fit)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out,
					 "{\"solver\": \"liblinear\", \"penalty\": \"l2\", \"encoding\": \"linear\""
					 ", \"rows\": " INT64_FORMAT ", \"users\": " INT64_FORMAT
					 ", \"churned\": " INT64_FORMAT ", \"unlabelled\": " INT64_FORMAT
					 ", \"seed\": " INT64_FORMAT ", \"columns\": %d, \"calibrated\": %s",
					 fit->nrows, fit->nusers, fit->nchurned,
					 fit_rows_unlabelled(fit->rows), fit->options->seed,
					 fit->ncolumns, fit->calibrated ? "true" : "false");
	json_number(&out, "churn_rate", (double) fit->nchurned / fit->nrows);
	json_number(&out, "c", fit->c);
	json_search(&out, fit);
	json_dropped(&out, fit);
	appendStringInfoChar(&out, '}');
	return out.data;
}

Model *
fit_model(FitRows *rows, Datum spec)
{
	Fit			fit = {0};
	FitTask		final;

	if (fit_rows_count(rows) == 0)
		return NULL;
	fit.rows = rows;
	fit.options = fit_rows_options(rows);
	fit.nrows = fit_rows_count(rows);
	/* sorted pointers, and lots, marks and pointers of the sample */
	fit.held_bytes = fit_rows_bytes(rows) + (Size) fit.nrows * 40;
	fit.model = palloc0(sizeof(Model));
	fit.model->spec = spec;
	fit.model->ninputs = fit_rows_columns(rows);
	fit.model->inputs = fit_rows_names(rows);
	select_columns(&fit);
	/* better now than after the search */
	final = final_task(&fit);
	fit_jobs_check(&final, fit.options, fit.held_bytes);
	fit.sorted = fit_rows_sorted(rows);
	count_rows(&fit);
	draw_sample(&fit);
	search_c(&fit);
	fit_final(&fit);
	report_dropped(&fit, COLUMN_EMPTY, "empty");
	report_dropped(&fit, COLUMN_CONSTANT, "constant");
	report_dropped(&fit, COLUMN_DUPLICATE, "duplicate");
	apply_calibration(&fit);
	fit.model->provenance = provenance(&fit);
	return fit.model;
}
