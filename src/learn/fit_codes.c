/*-------------------------------------------------------------------------
 *
 * fit_codes.c
 *	  Jobs of the encodings "bins" and "pairs": a fold's way along the path,
 *	  and the final fit.
 *
 * A step of the path is a C and a number of pairs.  Pairs are ranked inside
 * the fold: the other folds' rows are predicted by additive models that have
 * not seen them (each leaves one more fold out), so the held-out rows choose
 * neither pairs nor their order.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/memutils.h"

#include "learn/bins.h"

#define ROUNDS			25		/* of learning penalties, from nothing */
#define ROUNDS_MORE		10		/* when more pairs have come in */

/* products of indicators (one-hot: one a code), and cells that miss a side */
#define PAIR_WEIGHTS (COARSE_BINS * COARSE_BINS + 2 * COARSE_BINS + 1)

/* One job while it runs */
typedef struct CodeFit
{
	const FitTask *task;
	const FitMatrix *matrix;
	Binning    *binning;
	uint8	   *training;		/* by row */
	int			npairs;			/* that were coded */
	CodedPair  *pairs;			/* strongest first */
	CodeBlock  *blocks;			/* columns, then pairs */
	CodeProblem problem;
	double	   *weights;		/* of all blocks, the intercept last */
	double	   *scores;			/* by row */
	void	   *memory;			/* newton_fit()'s */
} CodeFit;

Size
codes_job_bytes(const FitTask *shape)
{
	int			npairs = fit_task_pairs(shape);
	int			nblocks = shape->ncolumns + npairs;
	Size		bins = bins_most(shape->nrows);
	Size		nweights = add_size(mul_size(shape->ncolumns, bins),
									mul_size(npairs, PAIR_WEIGHTS)) +
		shape->level_codes;
	Size		bytes = bins_bytes(shape->nrows, shape->ncolumns);

	/* codes of pairs, scores, marks; residuals and codes for the ranking */
	bytes = add_size(bytes, mul_size(shape->nrows, npairs + 16));
	if (npairs > 0)
		bytes = add_size(bytes, mul_size(shape->nrows, shape->ncolumns + 8));
	bytes = add_size(bytes, mul_size(nweights, sizeof(double)));
	/* the dictionaries' numbers, counted and coded */
	bytes = add_size(bytes, mul_size(shape->level_numbers, 16));
	if (shape->solver == FIT_LIBLINEAR)
		bytes = add_size(bytes, linear_codes_bytes(shape->nrows,
												   shape->ncolumns, npairs));
	return add_size(bytes,
					newton_bytes(shape->nrows, nblocks, nweights,
								 add_size(mul_size(shape->ncolumns,
												   bins * bins) +
										  shape->level_squares,
										  mul_size(npairs, PAIR_WEIGHTS *
												   PAIR_WEIGHTS))));
}

static void
check_interrupts(void)
{
	CHECK_FOR_INTERRUPTS();
}

/* The penalty of a block before anything is learnt */
static void
start_penalty(CodeFit *fit, int block)
{
	fit->blocks[block].penalty = fit->task->adaptive ? PENALTY_START : 1;
}

/* A fit without pairs of the rows outside a fold */
static CodeFit *
code_fit_begin(const FitTask *task, const FitMatrix *matrix, int held_out)
{
	CodeFit    *fit = palloc0(sizeof(CodeFit));
	MemoryContext context = CurrentMemoryContext;
	int			room;

	fit->task = task;
	fit->matrix = matrix;
	fit->binning = bins_learn(matrix, held_out);
	fit->training = MemoryContextAllocHuge(context, Max(matrix->nrows, 1));
	for (int64 row = 0; row < matrix->nrows; row++)
		fit->training[row] = matrix->fold[row] != held_out;
	room = fit->binning->ncolumns + fit_task_pairs(task);
	fit->blocks = palloc0(sizeof(CodeBlock) * Max(room, 1));
	fit->pairs = palloc0(sizeof(CodedPair) * Max(fit_task_pairs(task), 1));
	for (int i = 0; i < fit->binning->ncolumns; i++)
	{
		bins_block(&fit->binning->columns[i], &fit->blocks[i]);
		start_penalty(fit, i);
	}
	fit->problem.nrows = matrix->nrows;
	fit->problem.churned = matrix->churned;
	fit->problem.training = fit->training;
	fit->problem.blocks = fit->blocks;
	fit->problem.nblocks = fit->binning->ncolumns;
	fit->problem.check = check_interrupts;
	fit->weights = palloc0(sizeof(double) * (problem_weights(&fit->problem) + 1));
	fit->scores = MemoryContextAllocHuge(context,
										 sizeof(double) * Max(matrix->nrows, 1));
	return fit;
}

/* Weights of the first so many blocks */
static int
weights_of_blocks(const CodeFit *fit, int nblocks)
{
	CodeProblem problem = fit->problem;

	problem.nblocks = nblocks;
	return problem_weights(&problem);
}

/* Take pairs into the problem, or out: new weights are 0. */
static void
use_pairs(CodeFit *fit, int npairs)
{
	int			nblocks = fit->binning->ncolumns + npairs;
	int			before = weights_of_blocks(fit, fit->problem.nblocks);
	int			after = weights_of_blocks(fit, nblocks);
	double	   *weights = palloc0(sizeof(double) * (after + 1));

	memcpy(weights, fit->weights, sizeof(double) * Min(before, after));
	weights[after] = fit->weights[before];
	pfree(fit->weights);
	fit->weights = weights;
	fit->problem.nblocks = nblocks;
	if (fit->memory != NULL)
		pfree(fit->memory);
	fit->memory = NULL;
}

/* Code pairs, strongest first. */
static void
code_pairs(CodeFit *fit, const ColumnPair *pairs, int npairs)
{
	fit->npairs = npairs;
	for (int i = 0; i < npairs; i++)
	{
		CHECK_FOR_INTERRUPTS();
		pairs_code(fit->binning, fit->training, pairs[i], &fit->pairs[i]);
		pairs_block(fit->binning, &fit->pairs[i],
					&fit->blocks[fit->binning->ncolumns + i]);
		start_penalty(fit, fit->binning->ncolumns + i);
	}
}

/* Working memory for the problem as it is now */
static void
need_memory(CodeFit *fit)
{
	if (fit->memory == NULL)
		fit->memory =
			MemoryContextAllocHuge(CurrentMemoryContext,
								   problem_bytes(&fit->problem));
}

/*
 * Learn penalties from the training rows, where the task wants it: of the
 * first blocks alone, or of all there are now.
 */
static void
learn_penalties(CodeFit *fit, int rounds)
{
	double	   *freedom;

	if (!fit->task->adaptive)
		return;
	need_memory(fit);
	freedom = palloc(sizeof(double) * Max(fit->problem.nblocks, 1));
	fit->problem.c[0] = fit->problem.c[1] = 1;
	penalties_learn(&fit->problem, fit->blocks, rounds, fit->memory, freedom,
					fit->weights, fit->scores);
	pfree(freedom);
}

/* Weights times the roots of their penalties, or divided by them */
static void
scale_weights(CodeFit *fit, bool up)
{
	double	   *weight = fit->weights;

	for (int b = 0; b < fit->problem.nblocks; b++)
	{
		double		root = sqrt(fit->blocks[b].penalty);

		for (int i = 0; i < fit->blocks[b].nweights; i++)
			*weight++ *= up ? root : 1 / root;
	}
}

/* Solve for one C, from the weights there are; scores are of all rows. */
static void
solve(CodeFit *fit, double c, double tolerance)
{
	int			n = problem_weights(&fit->problem);

	fit->problem.c[0] = fit->problem.c[1] = c;
	need_memory(fit);
	if (fit->task->solver == FIT_LIBLINEAR)
	{
		LinearProblem *linear = linear_problem_codes(&fit->problem);

		/* its penalty is one for all: columns are scaled instead */
		scale_weights(fit, true);
		linear_fit(linear, c, tolerance, fit->weights);
		scale_weights(fit, false);
		linear_free(linear);
		newton_score(&fit->problem, fit->memory, fit->weights, fit->scores);
	}
	else
		newton_fit(&fit->problem, tolerance, fit->memory, fit->weights,
				   fit->scores);
	for (int i = 0; i <= n; i++)
		if (!isfinite(fit->weights[i]))
			elog(ERROR, "solver gave a weight that is not finite");
}

/* Loss of the held-out rows */
static double
held_out_loss(const CodeFit *fit)
{
	double		loss = 0;

	for (int64 row = 0; row < fit->matrix->nrows; row++)
		if (!fit->training[row])
			loss += fit_log_loss(fit->scores[row], fit->matrix->churned[row]);
	return loss;
}

/* Note the log-odds of the held-out rows. */
static void
put_scores(const CodeFit *fit, double *log_odds)
{
	for (int64 row = 0; row < fit->matrix->nrows; row++)
		if (!fit->training[row])
			log_odds[row] = fit->scores[row];
}

/*
 * Rank pairs by the training rows: each is predicted by an additive model
 * that left its fold out as well.  Returns how many there are.
 */
static int
rank_inside(CodeFit *fit, int held_out, int want, ColumnPair *pairs)
{
	const FitMatrix *matrix = fit->matrix;
	double	   *log_odds =
		MemoryContextAllocHuge(CurrentMemoryContext,
							   sizeof(double) * Max(matrix->nrows, 1));
	int			n;

	for (int inner = 0; inner < fit->task->nfolds; inner++)
	{
		if (inner == held_out)
			continue;
		for (int64 row = 0; row < matrix->nrows; row++)
			fit->training[row] = matrix->fold[row] != held_out &&
				matrix->fold[row] != inner;
		solve(fit, fit->task->rank_c, fit->task->tolerance);
		for (int64 row = 0; row < matrix->nrows; row++)
			if (matrix->fold[row] == inner)
				log_odds[row] = fit->scores[row];
	}
	for (int64 row = 0; row < matrix->nrows; row++)
		fit->training[row] = matrix->fold[row] != held_out;
	n = pairs_rank(fit->binning, matrix, fit->training, log_odds, want, pairs);
	pfree(log_odds);
	return n;
}

/*
 * Columns of a pair may move again: products of thermometers are anchored at
 * the lowest bins, so what they say needs curves to stand on, also of columns
 * that say nothing alone.
 */
static void
free_partners(CodeFit *fit, int npairs)
{
	if (!fit->task->adaptive)
		return;
	for (int i = 0; i < npairs; i++)
	{
		CodeBlock  *first = &fit->blocks[fit->pairs[i].columns.first];
		CodeBlock  *second = &fit->blocks[fit->pairs[i].columns.second];

		first->penalty = Min(first->penalty, PENALTY_START);
		second->penalty = Min(second->penalty, PENALTY_START);
	}
}

/* Does a step take in more pairs than the one before? */
static bool
more_pairs(const FitTask *task, int step)
{
	return step > 0 && task->path_pairs[step] != task->path_pairs[step - 1];
}

/* One step of the path for one fold: its held-out loss */
static double
run_step(CodeFit *fit, FitArrays *arrays, int fold, int step)
{
	const FitTask *task = fit->task;

	fit_report_progress(task, fold, step);
	if (more_pairs(task, step))
	{
		free_partners(fit, Min(task->path_pairs[step], fit->npairs));
		use_pairs(fit, Min(task->path_pairs[step], fit->npairs));
		learn_penalties(fit, ROUNDS_MORE);
	}
	solve(fit, task->path[step], task->tolerance);
	put_scores(fit, arrays->log_odds + (Size) step * fit->matrix->nrows);
	arrays->steps[fold] |= 1 << step;
	return held_out_loss(fit);
}

/* Values of C upwards, until the loss has grown twice running */
static void
follow_c(CodeFit *fit, FitArrays *arrays, int fold)
{
	double		last = 0;
	int			worse = 0;

	learn_penalties(fit, ROUNDS);
	for (int step = 0; step < fit->task->npath && worse < 2; step++)
	{
		double		loss = run_step(fit, arrays, fold, step);

		worse = step > 0 && loss > last ? worse + 1 : 0;
		last = loss;
	}
}

/*
 * The first step has no pair; then more and more pairs, for some values of C
 * each, until the least loss of a number has been above the one before twice
 * running, and above that without pairs.
 */
static void
follow_pairs(CodeFit *fit, FitArrays *arrays, int fold)
{
	const FitTask *task = fit->task;
	double		first = run_step(fit, arrays, fold, 0);
	double		last = first,	/* of the number before */
				least = first;	/* of this number */
	int			worse = 0;

	for (int step = 1; step < task->npath; step++)
	{
		double		loss;

		if (more_pairs(task, step) && step > 1)
		{
			worse = least > last ? worse + 1 : 0;
			if (worse >= 2 && least > first)
				return;
			last = least;
			least = INFINITY;
		}
		loss = run_step(fit, arrays, fold, step);
		least = Min(least, loss);
	}
}

/* Follow the path for one fold. */
void
codes_run_fold(FitTask *task, FitArrays *arrays, int fold)
{
	CodeFit    *fit = code_fit_begin(task, &arrays->matrix, fold);
	int			most = fit_task_pairs(task);
	ColumnPair *pairs;

	if (most == 0)
	{
		follow_c(fit, arrays, fold);
		return;
	}
	pairs = palloc(sizeof(ColumnPair) * most);
	learn_penalties(fit, ROUNDS);
	code_pairs(fit, pairs, rank_inside(fit, fold, most, pairs));
	follow_pairs(fit, arrays, fold);
}

/* Kept column of the binning for a column of the matrix, or -1 */
static int
kept_column(const Binning *binning, int column)
{
	for (int i = 0; i < binning->ncolumns; i++)
		if (binning->columns[i].column == column)
			return i;
	return -1;
}

/* The pairs that the search ranked, as far as their columns are kept */
static int
final_pairs(const CodeFit *fit, const FitArrays *arrays, ColumnPair *pairs)
{
	int			n = 0;

	for (int i = 0; i < fit->task->npairs; i++)
	{
		pairs[n].first = kept_column(fit->binning, arrays->pairs[2 * i]);
		pairs[n].second = kept_column(fit->binning, arrays->pairs[2 * i + 1]);
		n += pairs[n].first >= 0 && pairs[n].second >= 0;
	}
	return n;
}

static int
compare_model_pairs(const void *a, const void *b)
{
	const ModelPair *left = a;
	const ModelPair *right = b;

	if (left->side[0].input != right->side[0].input)
		return left->side[0].input - right->side[0].input;
	return left->side[1].input - right->side[1].input;
}

/* Terms and pairs out of weights, purified */
static Model *
code_model(const CodeFit *fit)
{
	Model	   *model = palloc0(sizeof(Model));
	const Binning *binning = fit->binning;
	const double *weights = fit->weights;

	model->nterms = binning->ncolumns;
	model->terms = palloc0(sizeof(ModelTerm) * Max(model->nterms, 1));
	model->npairs = fit->problem.nblocks - binning->ncolumns;
	model->pairs = palloc0(sizeof(ModelPair) * Max(model->npairs, 1));
	for (int b = 0; b < fit->problem.nblocks; b++)
	{
		if (b < binning->ncolumns)
			bins_term(&binning->columns[b], weights, &model->terms[b]);
		else
			pairs_term(binning, &fit->pairs[b - binning->ncolumns], weights,
					   &model->pairs[b - binning->ncolumns]);
		weights += fit->blocks[b].nweights;
	}
	model->intercept = *weights;
	purify(model);
	qsort(model->pairs, model->npairs, sizeof(ModelPair), compare_model_pairs);
	return model;
}

/* The fit that becomes the model */
void
codes_run_final(FitTask *task, FitArrays *arrays)
{
	CodeFit    *fit = code_fit_begin(task, &arrays->matrix, FIT_NO_FOLD);
	ColumnPair *pairs = palloc(sizeof(ColumnPair) * Max(task->npairs, 1));

	fit_report_progress(task, 0, 0);
	code_pairs(fit, pairs, final_pairs(fit, arrays, pairs));
	learn_penalties(fit, ROUNDS);
	free_partners(fit, fit->npairs);
	use_pairs(fit, fit->npairs);
	if (fit->npairs > 0)
		learn_penalties(fit, ROUNDS_MORE);
	solve(fit, task->path[0], task->tolerance);
	fit_result_put(arrays->result, code_model(fit));
	for (int i = 0; i < task->ncolumns; i++)
	{
		arrays->fate[i] = fit->binning->fate[i];
		arrays->duplicate_of[i] = fit->binning->duplicate_of[i];
	}
}
