/*-------------------------------------------------------------------------
 *
 * fit.c
 *	  The phases of a fit: sample, folds, choice of settings, final fit, model.
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

#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/memutils.h"

#include "learn/bins.h"
#include "learn/fit_run.h"

#define DEFAULT_C			1.0
/*
 * LIBLINEAR stops at a share of the gradient at 0, where the bias column of
 * 100 weighs a hundred times what a standardised column does.
 */
#define SEARCH_TOLERANCE	1e-5
#define FINAL_TOLERANCE		1e-8
#define FINAL_TOLERANCE_CODES 1e-11 /* indicators overlap */
/* newton stops at a share of the objective */
#define NEWTON_SEARCH_TOLERANCE 1e-6
#define NEWTON_FINAL_TOLERANCE	1e-12
#define PATH_FIRST			(-14)	/* the path of C is 2^-14, 2^-12, … 2^4 */
#define PATH_LAST			4
#define PATH_STEP			2
/* beside learnt penalties C is but a correction: 2^-4, 2^-3 … 2^2 */
#define CODES_FIRST			(-4)
#define CODES_LAST			2
/* A calibration slope outside of this says that something else is wrong. */
#define SLOPE_MIN			0.05
#define SLOPE_MAX			20.0

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

	fit_levels_fill(fit, matrix);
	for (int64 first = 0; first < matrix->nrows; first += block)
	{
		int64		end = Min(first + block, matrix->nrows);

		CHECK_FOR_INTERRUPTS();
		for (int c = 0; c < matrix->ncolumns; c++)
		{
			double	   *x = matrix->values + (Size) c * matrix->nrows;
			int			column = fit->columns[c];
			const LevelTable *levels = fit_column_levels(fit, c);

			for (int64 i = first; i < end; i++)
			{
				double		value = rows[i]->values[column];

				x[i] = levels == NULL || isnan(value) ? value :
					levels_number(levels, value);
			}
		}
		for (int64 i = first; i < end; i++)
			matrix->churned[i] = rows[i]->churned;
	}
}

/*
 * The ranking that the final fit uses: on all rows that were searched, by
 * the additive model's out-of-fold predictions.
 */
static void
rank_pairs(Fit *fit, const FitMatrix *matrix, double tolerance)
{
	FitChoice  *choice = &fit->choices[FIT_PAIRS];
	int			want = choice->path_pairs[choice->chosen];
	ColumnPair *pairs = palloc(sizeof(ColumnPair) * Max(want, 1));
	Binning    *binning;
	uint8	   *training;

	if (want == 0)
		return;
	binning = bins_learn(matrix, FIT_NO_FOLD);
	training = MemoryContextAllocHuge(CurrentMemoryContext, matrix->nrows);
	memset(training, 1, matrix->nrows);
	choice->nranked = pairs_rank(binning, matrix, training,
								 fit->choices[FIT_BINS].log_odds, want, pairs);
	choice->ranked = palloc(sizeof(int32) * 2 * Max(choice->nranked, 1));
	for (int i = 0; i < choice->nranked; i++)
	{
		choice->ranked[2 * i] = binning->columns[pairs[i].first].column;
		choice->ranked[2 * i + 1] = binning->columns[pairs[i].second].column;
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

	fit_choose(task, arrays, &fit->choices[task->encoding]);
	if (task->encoding == FIT_PAIRS)
		rank_pairs(fit, &arrays->matrix, task->tolerance);
}

static void
fill_final(FitTask *task, FitArrays *arrays, void *arg)
{
	Fit		   *fit = arg;

	fill_matrix(fit, fit->sorted, &arrays->matrix);
	memset(arrays->matrix.fold, 0, fit->nrows);
	if (task->npairs > 0)
		memcpy(arrays->pairs, fit->choice->ranked,
			   sizeof(int32) * 2 * task->npairs);
}

/* Terms speak of the inputs of the model, not of the matrix's columns. */
static void
collect_final(FitTask *task, FitArrays *arrays, void *arg)
{
	Fit		   *fit = arg;
	Model	   *model = fit->model;

	fit_result_get(arrays->result, model);
	for (int i = 0; i < model->nterms; i++)
	{
		if (model->terms[i].kind == MODEL_LEVELS)
			fit_levels_name(fit, &model->terms[i]);
		model->terms[i].input = fit->columns[model->terms[i].input];
	}
	for (int i = 0; i < model->npairs; i++)
		for (int s = 0; s < 2; s++)
			model->pairs[i].side[s].input =
				fit->columns[model->pairs[i].side[s].input];
	fit->fate = palloc(sizeof(ColumnFate) * fit->ncolumns);
	fit->duplicate_of = palloc(sizeof(int) * fit->ncolumns);
	for (int i = 0; i < fit->ncolumns; i++)
	{
		fit->fate[i] = arrays->fate[i];
		fit->duplicate_of[i] = fit->columns[arrays->duplicate_of[i]];
	}
}

/* The solver of an encoding, and how closely it solves */
static void
task_solver(const Fit *fit, FitTask *shape)
{
	bool		newton = shape->encoding != FIT_LINEAR &&
		fit->options->solver != FIT_LIBLINEAR;

	/* a C that was asked for is one penalty for all */
	shape->adaptive = shape->encoding != FIT_LINEAR && fit->options->c == 0;
	shape->solver = newton ? FIT_NEWTON : FIT_LIBLINEAR;
	if (newton)
		shape->tolerance = shape->final ? NEWTON_FINAL_TOLERANCE :
			NEWTON_SEARCH_TOLERANCE;
	else if (shape->final)
		shape->tolerance = shape->encoding == FIT_LINEAR ? FINAL_TOLERANCE :
			FINAL_TOLERANCE_CODES;
	else
		shape->tolerance = SEARCH_TOLERANCE;
}

/* One C after the other, or the one that was asked for */
static void
path_of_c(const Fit *fit, FitTask *shape)
{
	if (fit->options->c > 0)
		shape->path[shape->npath++] = fit->options->c;
	else if (shape->adaptive)
		for (int e = CODES_FIRST; e <= CODES_LAST; e++)
			shape->path[shape->npath++] = ldexp(1, e);
	else
		for (int e = PATH_FIRST; e <= PATH_LAST; e += PATH_STEP)
			shape->path[shape->npath++] = ldexp(1, e);
}

/*
 * No pair, then more and more, each number at some values of C; or the number
 * that was asked for.
 */
static void
path_of_pairs(const Fit *fit, FitTask *shape)
{
	static const int numbers[] = {2, 5, 10, 20, 40};
	const FitChoice *bins = &fit->choices[FIT_BINS];
	int			around = shape->adaptive ? 1 : 0;

	shape->rank_c = bins->path[bins->chosen];
	shape->path[shape->npath++] = shape->rank_c;
	if (fit->options->npairs >= 0)
	{
		shape->path_pairs[0] = fit->options->npairs;
		return;
	}
	for (size_t i = 0; i < lengthof(numbers); i++)
	{
		for (int e = -around; e <= around; e++)
		{
			shape->path[shape->npath] = shape->adaptive ? ldexp(1, e) :
				shape->rank_c;
			shape->path_pairs[shape->npath++] = numbers[i];
		}
	}
}

/* Out-of-fold predictions of one encoding along its path */
static void
search_encoding(Fit *fit, FitEncoding encoding)
{
	FitTask		shape = {0};

	shape.nrows = fit->nsearch;
	shape.ncolumns = fit->ncolumns;
	shape.encoding = encoding;
	shape.njobs = shape.nfolds = fit->options->folds;
	fit_levels_shape(fit, &shape);
	task_solver(fit, &shape);
	if (encoding == FIT_PAIRS)
		path_of_pairs(fit, &shape);
	else
		path_of_c(fit, &shape);
	ereport(NOTICE,
			(errmsg("churn_fit: encoding %s, %d folds over " INT64_FORMAT " of " INT64_FORMAT " rows",
					fit_encoding_name(encoding), fit->options->folds,
					fit->nsearch, fit->nrows)));
	fit_jobs_run(&shape, fit->options, fit->held_bytes, fill_search,
				 collect_search, fit);
}

/* Was an encoding searched?  Pairs that came to none are "bins". */
static bool
choice_stands(const FitChoice *choice)
{
	return choice->searched &&
		(choice->encoding != FIT_PAIRS ||
		 choice->path_pairs[choice->chosen] > 0);
}

/*
 * The choice whose log-loss is least, or the simplest that is as good within
 * one standard error.
 */
static FitChoice *
best_choice(Fit *fit)
{
	FitChoice  *best = NULL;

	for (int e = FIT_LINEAR; e <= FIT_PAIRS; e++)
	{
		FitChoice  *choice = &fit->choices[e];

		if (choice_stands(choice) &&
			(best == NULL || choice->log_loss[choice->chosen] <
			 best->log_loss[best->chosen]))
			best = choice;
	}
	for (int e = FIT_LINEAR; e <= FIT_PAIRS; e++)
		if (choice_stands(&fit->choices[e]) && &fit->choices[e] != best &&
			fit_choice_as_good(&fit->choices[e], best))
			return &fit->choices[e];
	return best;
}

/*
 * Search what was asked for; pairs build on the additive model's C, and need
 * a third fold to be ranked by.
 */
static void
search(Fit *fit)
{
	FitEncoding asked = fit->options->encoding;
	bool		pairs = (asked == FIT_PAIRS || asked == FIT_AUTO) &&
		fit->options->folds >= 3 && fit->ncolumns >= 2;

	fit->encoding = asked == FIT_AUTO ? FIT_LINEAR :
		asked == FIT_PAIRS ? FIT_BINS : asked;
	fit->c = fit->options->c > 0 ? fit->options->c : DEFAULT_C;
	fit->choice = &fit->choices[fit->encoding];
	if (!folds_filled(fit))
		return;
	if (asked == FIT_LINEAR || asked == FIT_AUTO)
		search_encoding(fit, FIT_LINEAR);
	if (asked != FIT_LINEAR)
		search_encoding(fit, FIT_BINS);
	if (pairs)
		search_encoding(fit, FIT_PAIRS);
	if (asked == FIT_AUTO)
		fit->choice = best_choice(fit);
	else if (pairs && choice_stands(&fit->choices[FIT_PAIRS]))
		fit->choice = &fit->choices[FIT_PAIRS];
	fit->encoding = fit->choice->encoding;
	fit->c = fit->choice->path[fit->choice->chosen];
}

/* One fit of all rows, with settings that the folds may still have to choose */
static FitTask
final_task(const Fit *fit)
{
	FitTask		shape = {0};

	shape.nrows = fit->nrows;
	shape.ncolumns = fit->ncolumns;
	shape.final = true;
	shape.encoding = fit->encoding;
	shape.njobs = 1;
	shape.npath = 1;
	shape.path[0] = fit->c;
	if (fit->choice != NULL)
		shape.npairs = fit->choice->nranked;
	fit_levels_shape(fit, &shape);
	task_solver(fit, &shape);
	return shape;
}

static void
fit_final(Fit *fit)
{
	FitTask		shape = final_task(fit);

	ereport(NOTICE,
			(errmsg("churn_fit: final fit of " INT64_FORMAT " rows and %d columns, encoding %s, C = %g",
					fit->nrows, fit->ncolumns, fit_encoding_name(fit->encoding),
					fit->c)));
	if (shape.npairs > 0)
		ereport(NOTICE, (errmsg("churn_fit: %d pairs", shape.npairs)));
	fit_jobs_run(&shape, fit->options, fit->held_bytes, fill_final,
				 collect_final, fit);
}

/* Fold the calibration line into the weights: scores and reasons agree. */
static void
apply_calibration(Fit *fit)
{
	double		slope = fit->choice->slope;

	if (!fit->choice->searched || !fit->options->calibrate)
		return;
	if (!(slope >= SLOPE_MIN && slope <= SLOPE_MAX))
	{
		ereport(WARNING,
				(errmsg("model is not calibrated: out-of-fold slope is %g, outside of %g to %g",
						slope, SLOPE_MIN, SLOPE_MAX),
				 errhint("The columns may say nothing about churn, or all of it.")));
		return;
	}
	model_rescale(fit->model, slope, fit->choice->intercept);
	fit->calibrated = true;
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
	/* out-of-fold log-odds of up to three encodings */
	fit.held_bytes += (Size) Min(fit.nrows, fit.options->max_search_rows) * 24;
	fit.model = palloc0(sizeof(Model));
	fit.model->spec = spec;
	fit.model->ninputs = fit_rows_columns(rows);
	fit.model->inputs = fit_rows_names(rows);
	select_columns(&fit);
	fit_take_inputs(&fit);
	/* better now than after the search */
	fit.encoding = fit.options->encoding == FIT_LINEAR ? FIT_LINEAR : FIT_BINS;
	final = final_task(&fit);
	fit_jobs_check(&final, fit.options, fit.held_bytes);
	fit.sorted = fit_rows_sorted(rows);
	count_rows(&fit);
	draw_sample(&fit);
	search(&fit);
	fit_final(&fit);
	fit_report_dropped(&fit);
	apply_calibration(&fit);
	fit.model->provenance = fit_provenance(&fit);
	return fit.model;
}
