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
 * hash, and fewer where memory is short.  It is left out (C = 1, no calibration) where the folds cannot be
 * filled: a fold without rows, or one whose other folds lack a class.
 *
 * The final fit takes all rows.  By newton it passes over their table, which
 * may be in a file, so its memory does not grow with them; LIBLINEAR, where
 * the memory setting has no room for it, gives way to newton.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/memutils.h"

#include "learn/bins.h"
#include "learn/fit_run.h"
#include "learn/unnamed.h"

#define DEFAULT_C			1.0
/*
 * LIBLINEAR stops at a share of the gradient at 0, where the bias column of
 * 100 weighs a hundred times what a standardised column does.
 */
#define SEARCH_TOLERANCE	1e-5
#define FINAL_TOLERANCE		1e-8
#define FINAL_TOLERANCE_CODES 1e-11 /* indicators overlap */
/* L1 stops at a share of the gradient as well, which falls faster */
#define SEARCH_TOLERANCE_L1 1e-3
#define FINAL_TOLERANCE_L1	1e-7
/* newton stops at a share of the objective */
#define NEWTON_SEARCH_TOLERANCE 1e-6
#define NEWTON_FINAL_TOLERANCE	1e-12
#define PATH_FIRST			(-14)	/* the path of C is 2^-14, 2^-12, … 2^4 */
#define PATH_LAST			4
#define PATH_STEP			2
/* however short memory is, no fewer rows choose settings */
#define LEAST_SEARCH_ROWS	500
/* beside learnt penalties C is but a correction: 2^-4, 2^-3 … 2^2 */
#define CODES_FIRST			(-4)
#define CODES_LAST			2

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

/* A class that is missing is wrong. */
static void
check_classes(const Fit *fit)
{
	if (fit->nchurned == 0 || fit->nchurned == fit->nrows)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot learn from one class only: " INT64_FORMAT " rows churned, " INT64_FORMAT " did not",
						fit->nchurned, fit->nrows - fit->nchurned),
				 errhint("Add rows of the other class.")));
}

/* ---- phases ---- */

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

	memcpy(arrays->monotone, fit->monotone, fit->ncolumns);
	fit_levels_fill(fit, &arrays->matrix);
	fit_sample_copy(fit, false, &arrays->matrix);
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

	memcpy(arrays->monotone, fit->monotone, fit->ncolumns);
	fit_levels_fill(fit, &arrays->matrix);
	if (!task->in_place)
		fit_sample_copy(fit, fit->nfinal == fit->nrows, &arrays->matrix);
	else
	{
		arrays->matrix.table = fit->table;
		arrays->matrix.columns = fit->columns;
	}
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

/* How closely a task solves */
static double
task_tolerance(const FitTask *shape)
{
	if (shape->solver == FIT_NEWTON)
		return shape->final ? NEWTON_FINAL_TOLERANCE :
			NEWTON_SEARCH_TOLERANCE;
	if (shape->penalty == FIT_L1)
		return shape->final ? FINAL_TOLERANCE_L1 : SEARCH_TOLERANCE_L1;
	if (!shape->final)
		return SEARCH_TOLERANCE;
	return shape->encoding == FIT_LINEAR ? FINAL_TOLERANCE :
		FINAL_TOLERANCE_CODES;
}

/* What a task minimises, and by which solver */
static void
task_loss(const Fit *fit, FitSolver solver, FitTask *shape)
{
	shape->penalty = fit->options->penalty;
	shape->seed = fit->options->seed;
	memcpy(shape->class_weights, fit->class_weights,
		   sizeof(shape->class_weights));
	shape->adaptive = shape->encoding != FIT_LINEAR &&
		fit->adaptive;
	shape->solver = solver;
	shape->tolerance = task_tolerance(shape);
}

/* Does newton solve the problem of an encoding at all? */
static bool
newton_solves(const Fit *fit, FitEncoding encoding)
{
	return fit->options->penalty == FIT_L2 &&
		(encoding != FIT_LINEAR || fit->options->nmonotone == 0);
}

/* The solver that an encoding takes when memory is no matter */
static FitSolver
wanted_solver(const Fit *fit, FitEncoding encoding)
{
	if (!newton_solves(fit, encoding))
		return FIT_LIBLINEAR;
	if (fit->options->solver != FIT_SOLVER_AUTO)
		return fit->options->solver;
	return encoding == FIT_LINEAR ? FIT_LIBLINEAR : FIT_NEWTON;
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
 * No pair, then more and more, each number at some values of C; or the one
 * number that was asked for.
 */
static void
path_of_pairs(const Fit *fit, FitTask *shape)
{
	static const int numbers[] = {2, 5, 10, 20, FIT_MAX_PAIRS};
	const int  *number = numbers;
	int			nnumbers = lengthof(numbers);
	const FitChoice *bins = &fit->choices[FIT_BINS];
	/* beside learnt penalties C is but a correction */
	int			step = shape->adaptive ? 1 : 2;
	int			around = fit->options->c > 0 ? 0 : step;

	shape->rank_c = bins->path[bins->chosen];
	if (fit->options->pairs >= 0)
	{
		number = &fit->options->pairs;
		nnumbers = 1;
	}
	else
		shape->path[shape->npath++] = shape->rank_c;
	for (int i = 0; i < nnumbers; i++)
	{
		for (int e = -around; e <= around; e += step)
		{
			shape->path[shape->npath] =
				ldexp(shape->adaptive && around > 0 ? 1 : shape->rank_c, e);
			shape->path_pairs[shape->npath++] = number[i];
		}
	}
}

/* A search of so many rows */
static FitTask
search_task(const Fit *fit, FitEncoding encoding, int64 nrows)
{
	FitTask		shape = {0};

	shape.nrows = nrows;
	shape.ncolumns = fit->ncolumns;
	shape.encoding = encoding;
	shape.njobs = shape.nfolds = fit->options->folds;
	fit_levels_shape(fit, &shape);
	/* over columns of numbers newton passes over a table, folds do not */
	task_loss(fit, encoding == FIT_LINEAR ? FIT_LIBLINEAR :
			  wanted_solver(fit, encoding), &shape);
	if (encoding == FIT_PAIRS)
		path_of_pairs(fit, &shape);
	else
		path_of_c(fit, &shape);
	return shape;
}

/* Out-of-fold predictions of one encoding along its path */
static void
search_encoding(Fit *fit, FitEncoding encoding)
{
	FitTask		shape = search_task(fit, encoding, fit->nsearch);

	ereport(NOTICE,
			(errmsg("churn_fit: encoding %s%s, %d folds over " INT64_FORMAT " of " INT64_FORMAT " rows",
					fit_encoding_name(encoding),
					shape.adaptive ? " with learnt penalties" : "",
					fit->options->folds,
					fit->nsearch, fit->nrows)));
	fit_jobs_run(&shape, fit->options, fit->held_bytes, fill_search,
				 collect_search, fit);
	/* the out-of-fold log-odds and their labels stay */
	fit->held_bytes += fit->nsearch * (sizeof(double) + 1);
}

/*
 * Is an encoding to be searched?  Pairs build on the additive model's C, and
 * need a third fold to be ranked by.
 */
static bool
encoding_wanted(const Fit *fit, FitEncoding encoding)
{
	FitEncoding asked = fit->options->encoding;

	switch (encoding)
	{
		case FIT_LINEAR:
			return asked == FIT_LINEAR || asked == FIT_AUTO;
		case FIT_BINS:
			return asked != FIT_LINEAR;
		default:
			return (asked == FIT_PAIRS || asked == FIT_AUTO) &&
				fit->options->folds >= 3 && fit->ncolumns >= 2 &&
				fit->options->pairs != 0 && fit->options->penalty == FIT_L2;
	}
}

/* Bytes that a search of so many rows takes at most, with what is held */
static Size
search_bytes(const Fit *fit, int64 nrows)
{
	Size		most = fit_sample_bytes(nrows);

	for (int e = FIT_LINEAR; e <= FIT_PAIRS; e++)
	{
		FitTask		shape;

		if (!encoding_wanted(fit, e))
			continue;
		shape = search_task(fit, e, nrows);
		most = Max(most, add_size(fit_jobs_bytes(&shape),
								  nrows * 2 * sizeof(double)));
	}
	return add_size(fit->held_bytes, most);
}

/* Draw the rows that choose settings: as many as asked for, if they fit. */
static void
draw_sample(Fit *fit)
{
	int64		wanted = Min(fit->nrows, fit->options->max_search_rows);
	int64		limit = wanted;

	while (limit > LEAST_SEARCH_ROWS &&
		   !fit_memory_holds(fit->options, search_bytes(fit, limit)))
		limit = Max(limit - limit / 8, LEAST_SEARCH_ROWS);
	if (limit < wanted)
		ereport(NOTICE,
				(errmsg("churn_fit: at most " INT64_FORMAT " rows choose settings, for churn.memory is %d MB",
						limit, fit->options->memory_kb / 1024)));
	fit_sample_draw(fit, limit);
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

/* What the options say of penalties, where they leave nothing to choose */
static bool
asks_learnt(const FitOptions *options)
{
	return options->penalty == FIT_L2 &&
		(options->penalties == FIT_LEARNT ||
		 (options->penalties == FIT_PENALTIES_AUTO && options->c == 0));
}

/* The bins were searched with one penalty: try learnt ones against it. */
static void
try_learnt(Fit *fit)
{
	FitChoice  *choice = &fit->choices[FIT_BINS];
	FitChoice	equal = *choice;

	memset(choice, 0, sizeof(*choice));
	fit->adaptive = true;
	search_encoding(fit, FIT_BINS);
	if (choice_stands(&equal) &&
		(!choice_stands(choice) || equal.log_loss[equal.chosen] <=
		 choice->log_loss[choice->chosen]))
	{
		*choice = equal;
		fit->adaptive = false;
	}
}

/* Search what was asked for. */
static void
search(Fit *fit)
{
	FitEncoding asked = fit->options->encoding;
	bool		both;

	fit->encoding = asked == FIT_AUTO ? FIT_LINEAR :
		asked == FIT_PAIRS ? FIT_BINS : asked;
	fit->c = fit->options->c > 0 ? fit->options->c : DEFAULT_C;
	fit->choice = &fit->choices[fit->encoding];
	fit->adaptive = asks_learnt(fit->options);
	if (fit->options->folds < 2)
		return;
	draw_sample(fit);
	if (!fit_sample_fills_folds(fit))
		return;
	both = fit->adaptive && fit->options->penalties == FIT_PENALTIES_AUTO;
	fit->adaptive = fit->adaptive && !both;
	for (int e = FIT_LINEAR; e <= FIT_PAIRS; e++)
	{
		if (!encoding_wanted(fit, e))
			continue;
		search_encoding(fit, e);
		if (e == FIT_BINS && both)
			try_learnt(fit);
	}
	if (asked == FIT_AUTO)
		fit->choice = best_choice(fit);
	else if (choice_stands(&fit->choices[FIT_PAIRS]))
		fit->choice = &fit->choices[FIT_PAIRS];
	fit->encoding = fit->choice->encoding;
	fit->c = fit->choice->path[fit->choice->chosen];
}

/*
 * One fit of all rows, or of those that were drawn, with settings that the
 * folds may still have to choose
 */
static FitTask
final_task(const Fit *fit, FitSolver solver)
{
	FitTask		shape = {0};
	Size		taken;

	shape.nrows = fit->nfinal;
	shape.ncolumns = fit->ncolumns;
	shape.final = true;
	shape.encoding = fit->encoding;
	shape.njobs = 1;
	shape.npath = 1;
	shape.path[0] = fit->c;
	if (fit->choice != NULL)
		shape.npairs = fit->choice->nranked;
	fit_levels_shape(fit, &shape);
	task_loss(fit, solver, &shape);
	shape.in_place = solver == FIT_NEWTON;
	if (!shape.in_place)
		return shape;
	shape.piece_rows = fit_table_piece_rows(fit->rows);
	taken = add_size(fit->held_bytes, fit_jobs_bytes(&shape));
	if (fit_memory_holds(fit->options, taken))
		shape.spare_bytes = (Size) fit->options->memory_kb * 1024 - taken;
	return shape;
}

/* Bytes of the final fit, with what is held */
static Size
final_bytes(const Fit *fit, FitSolver solver)
{
	FitTask		shape = final_task(fit, solver);

	return add_size(fit->held_bytes, fit_jobs_bytes(&shape));
}

/* Would LIBLINEAR have memory, and few enough rows, for the final fit? */
static bool
liblinear_fits(const Fit *fit)
{
	return fit->nfinal < PG_INT32_MAX &&
		fit_memory_holds(fit->options, final_bytes(fit, FIT_LIBLINEAR));
}

/*
 * Draw whole users by lot for the final fit, as many as LIBLINEAR fits.  The
 * sample that chose settings has done its work.
 */
static void
sample_final(Fit *fit)
{
	int64		nsearch = fit->nsearch;

	while (fit->nfinal > LEAST_SEARCH_ROWS && !liblinear_fits(fit))
		fit->nfinal -= fit->nfinal / 8;
	fit_sample_draw(fit, fit->nfinal);
	fit->nfinal = fit->nsearch;
	fit->nsearch = nsearch;
	ereport(NOTICE,
			(errmsg("churn_fit: the final fit is of " INT64_FORMAT " rows, users drawn by hash: LIBLINEAR fits no more into churn.memory, which is %d MB",
					fit->nfinal, fit->options->memory_kb / 1024)));
}

/*
 * The solver of the final fit.  Where LIBLINEAR does not fit it gives way to
 * newton, if newton solves that problem at all; else to a sample.
 */
static void
choose_solver(Fit *fit)
{
	fit->solver = wanted_solver(fit, fit->encoding);
	if (fit->solver == FIT_NEWTON || liblinear_fits(fit))
		return;
	if (!newton_solves(fit, fit->encoding))
	{
		sample_final(fit);
		return;
	}
	fit->solver = FIT_NEWTON;
	ereport(NOTICE,
			(errmsg("churn_fit: solver newton, for LIBLINEAR needs %zu MB and churn.memory is %d MB",
					final_bytes(fit, FIT_LIBLINEAR) / (1024 * 1024) + 1,
					fit->options->memory_kb / 1024)));
}

static void
fit_final(Fit *fit)
{
	FitTask		shape;

	choose_solver(fit);
	ereport(NOTICE,
			(errmsg("churn_fit: final fit of " INT64_FORMAT " rows and %d columns, encoding %s, C = %g",
					fit->nfinal, fit->ncolumns, fit_encoding_name(fit->encoding),
					fit->c)));
	shape = final_task(fit, fit->solver);
	if (shape.npairs > 0)
		ereport(NOTICE, (errmsg("churn_fit: %d pairs", shape.npairs)));
	fit_jobs_run(&shape, fit->options, fit->held_bytes, fill_final,
				 collect_final, fit);
}

/* Sort the rows into a table, when there is memory to fit them at all. */
static void
take_table(Fit *fit)
{
	FitTask		least;

	fit->encoding = fit->options->encoding == FIT_BINS ||
		fit->options->encoding == FIT_PAIRS ? FIT_BINS : FIT_LINEAR;
	least = final_task(fit, FIT_NEWTON);
	fit_check_memory(fit->options,
					 add_size(fit->held_bytes, fit_jobs_bytes(&least)),
					 fit->nrows, fit->ncolumns);
	fit_progress_begin(fit->nrows);
	fit->table = fit_table_create(fit->rows, fit->options);
	fit->nusers = fit->table->nusers;
	fit->nchurned = fit->table->nchurned;
	fit->held_bytes += fit->table->held_bytes;
}

Model *
fit_model(FitRows *rows, Datum spec)
{
	Fit			fit = {0};

	if (fit_rows_count(rows) == 0)
		return NULL;
	fit.rows = rows;
	fit.options = fit_rows_options(rows);
	fit.nrows = fit.nfinal = fit_rows_count(rows);
	fit.model = palloc0(sizeof(Model));
	fit.model->spec = spec;
	fit.model->ninputs = fit_rows_columns(rows);
	fit.model->inputs = fit_rows_names(rows);
	select_columns(&fit);
	fit_take_inputs(&fit);
	unnamed_check(fit.model, fit.options->unnamed, fit.options->nunnamed);
	fit_place_limits(&fit);
	take_table(&fit);
	check_classes(&fit);
	fit_weigh_classes(&fit);
	search(&fit);
	fit_final(&fit);
	fit_report_dropped(&fit);
	fit_apply_calibration(&fit);
	fit.model->provenance = fit_provenance(&fit);
	fit_table_free(fit.table);
	return fit.model;
}
