/*-------------------------------------------------------------------------
 *
 * choose.c
 *	  What out-of-fold predictions decide: settings, and the calibration line.
 *
 * Chosen is the simplest step of the path (the fewest pairs, then the
 * smallest C) whose mean out-of-fold log-loss is within one standard error of
 * the best's, where the error is that of the paired
 * differences over folds (the rule of Breiman et al., 1984, on differences).
 *
 * Calibration is the line of J. Platt, "Probabilistic outputs for support
 * vector machines" (1999), outcome on log-odds, with his smoothed targets;
 * fitted by Newton's method, safeguarded as in H.-T. Lin et al., Machine
 * Learning 68 (2007) 267-276.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/memutils.h"

#include "learn/fit.h"

#define SAME_LOSS			1e-6	/* what solvers leave open */
#define PLATT_MAX_STEPS		100
#define PLATT_TOLERANCE		1e-10

/* Mean loss per fold at one step; every fold has rows */
static void
fold_losses(const FitMatrix *matrix, int nfolds, const double *log_odds,
			double *losses, int64 *counts)
{
	memset(losses, 0, sizeof(double) * nfolds);
	memset(counts, 0, sizeof(int64) * nfolds);
	for (int64 row = 0; row < matrix->nrows; row++)
	{
		int			fold = matrix->fold[row];

		losses[fold] += fit_log_loss(log_odds[row], matrix->churned[row]);
		counts[fold]++;
	}
	for (int fold = 0; fold < nfolds; fold++)
		if (counts[fold] > 0)
			losses[fold] /= counts[fold];
}

/*
 * Is the mean difference of the folds' losses within its standard error, or
 * below?  "simple" and "best" are losses by fold.
 */
static bool
as_good(const double *simple, const double *best, int nfolds)
{
	double		mean = 0,
				square = 0;

	for (int f = 0; f < nfolds; f++)
		mean += (simple[f] - best[f]) / nfolds;
	for (int f = 0; f < nfolds; f++)
	{
		double		d = simple[f] - best[f] - mean;

		square += d * d;
	}
	return mean <= sqrt(square / (nfolds - 1) / nfolds) + SAME_LOSS;
}

bool
fit_choice_as_good(const FitChoice *simple, const FitChoice *best)
{
	return as_good(simple->fold_losses, best->fold_losses, best->nfolds);
}

/* Is step "a" simpler than step "b": fewer pairs, or as many and less C? */
static bool
step_simpler(const FitChoice *choice, int a, int b)
{
	if (choice->path_pairs[a] != choice->path_pairs[b])
		return choice->path_pairs[a] < choice->path_pairs[b];
	return choice->path[a] < choice->path[b];
}

/*
 * The simplest step within a standard error of the best; beside learnt
 * penalties, which are simple enough, the best C for its number of pairs.
 */
static int
choose_step(double losses[FIT_MAX_PATH][FIT_MAX_FOLDS], int nfolds,
			const FitChoice *choice, bool adaptive)
{
	int			best = 0,
				chosen;

	for (int i = 1; i < choice->npath; i++)
		if (choice->log_loss[i] < choice->log_loss[best])
			best = i;
	chosen = best;
	for (int i = 0; i < choice->npath; i++)
		if (step_simpler(choice, i, chosen) &&
			as_good(losses[i], losses[best], nfolds))
			chosen = i;
	for (int i = 0; adaptive && i < choice->npath; i++)
		if (choice->path_pairs[i] == choice->path_pairs[chosen] &&
			choice->log_loss[i] < choice->log_loss[chosen])
			chosen = i;
	return chosen;
}

/* One prediction, for sorting */
typedef struct ScoredRow
{
	double		log_odds;
	bool		churned;
} ScoredRow;

static int
compare_scored(const void *a, const void *b)
{
	double		left = ((const ScoredRow *) a)->log_odds;
	double		right = ((const ScoredRow *) b)->log_odds;

	return left < right ? -1 : left > right;
}

/* Least log-odds that so many hundredths of the rows do not exceed */
static void
take_quantiles(const ScoredRow *scored, int64 nrows, double *quantiles)
{
	for (int i = 0; i < FIT_QUANTILES; i++)
	{
		int64		rank = (nrows * (i + 1) + 99) / 100;	/* from 1 */

		quantiles[i] = scored[rank - 1].log_odds;
	}
}

/*
 * Area under the ROC curve by rank sums, ties counted half; and the quantiles
 * of the scores, now that they are sorted.
 */
static double
fold_auc(const FitMatrix *matrix, const double *log_odds, double *quantiles)
{
	ScoredRow  *scored =
		MemoryContextAllocHuge(CurrentMemoryContext,
							   matrix->nrows * sizeof(ScoredRow));
	double		below = 0,		/* negatives below the current score */
				won = 0,
				positives = 0;

	for (int64 row = 0; row < matrix->nrows; row++)
	{
		scored[row].log_odds = log_odds[row];
		scored[row].churned = matrix->churned[row];
	}
	qsort(scored, matrix->nrows, sizeof(ScoredRow), compare_scored);
	take_quantiles(scored, matrix->nrows, quantiles);
	for (int64 first = 0; first < matrix->nrows;)
	{
		int64		next = first;
		double		tied[2] = {0, 0};

		for (; next < matrix->nrows &&
			 scored[next].log_odds == scored[first].log_odds; next++)
			tied[scored[next].churned]++;
		won += tied[1] * (below + tied[0] / 2);
		below += tied[0];
		positives += tied[1];
		first = next;
	}
	pfree(scored);
	return won / (positives * below);
}

/* Gradient and Hessian of the calibration's loss at (slope, intercept) */
typedef struct PlattSums
{
	double		loss;
	double		g_slope,
				g_intercept;
	double		h_slope,
				h_both,
				h_intercept;
} PlattSums;

static PlattSums
platt_sums(const FitMatrix *matrix, const double *log_odds,
		   const double target[2], double slope, double intercept)
{
	PlattSums	sums = {0};

	for (int64 row = 0; row < matrix->nrows; row++)
	{
		double		x = log_odds[row];
		double		z = slope * x + intercept;
		double		t = target[matrix->churned[row]];
		double		p = model_probability(z);
		double		v = p * (1 - p);

		sums.loss += t * fit_log_loss(z, true) +
			(1 - t) * fit_log_loss(z, false);
		sums.g_slope += (p - t) * x;
		sums.g_intercept += p - t;
		sums.h_slope += v * x * x;
		sums.h_both += v * x;
		sums.h_intercept += v;
	}
	return sums;
}

/*
 * Platt's line.  Newton steps, halved until the loss falls; a ridge keeps
 * the Hessian regular when all log-odds are alike.
 */
static void
calibrate(const FitMatrix *matrix, const double *log_odds, FitChoice *choice)
{
	double		count[2] = {0, 0};
	double		target[2];
	PlattSums	now;

	for (int64 row = 0; row < matrix->nrows; row++)
		count[matrix->churned[row]]++;
	target[0] = 1 / (count[0] + 2);
	target[1] = (count[1] + 1) / (count[1] + 2);
	choice->slope = 1;
	choice->intercept = 0;
	now = platt_sums(matrix, log_odds, target, 1, 0);
	for (int step = 0; step < PLATT_MAX_STEPS; step++)
	{
		double		a = now.h_slope + 1e-12 * matrix->nrows,
					b = now.h_both,
					c = now.h_intercept + 1e-12 * matrix->nrows;
		double		d_slope = (b * now.g_intercept - c * now.g_slope) /
			(a * c - b * b);
		double		d_intercept = (b * now.g_slope - a * now.g_intercept) /
			(a * c - b * b);
		double		length = 1;
		PlattSums	next;

		CHECK_FOR_INTERRUPTS();
		for (;;)
		{
			next = platt_sums(matrix, log_odds, target,
							  choice->slope + length * d_slope,
							  choice->intercept + length * d_intercept);
			if (next.loss <= now.loss || length < 1e-10)
				break;
			length /= 2;
		}
		if (!(next.loss <= now.loss))
			break;
		choice->slope += length * d_slope;
		choice->intercept += length * d_intercept;
		if (now.loss - next.loss <= PLATT_TOLERANCE)
			break;
		now = next;
	}
}

/* Note what a step of the path came to. */
static void
take_step(const FitTask *task, const FitArrays *arrays, int step,
		  FitChoice *choice, double *losses)
{
	const FitMatrix *matrix = &arrays->matrix;
	int64		counts[FIT_MAX_FOLDS];
	int			n = choice->npath++;

	choice->path[n] = task->path[step];
	choice->path_pairs[n] = task->path_pairs[step];
	fold_losses(matrix, task->nfolds,
				arrays->log_odds + (Size) step * matrix->nrows, losses, counts);
	choice->log_loss[n] = 0;
	for (int f = 0; f < task->nfolds; f++)
		choice->log_loss[n] += losses[f] * counts[f] / matrix->nrows;
}

void
fit_choose(const FitTask *task, const FitArrays *arrays, FitChoice *choice)
{
	double		losses[FIT_MAX_PATH][FIT_MAX_FOLDS];
	int			at[FIT_MAX_PATH];	/* steps that every fold reached */
	int32		reached = ~0;
	const FitMatrix *matrix = &arrays->matrix;
	Size		bytes = mul_size(matrix->nrows, sizeof(double));

	choice->encoding = task->encoding;
	choice->nfolds = task->nfolds;
	for (int f = 0; f < task->nfolds; f++)
		reached &= arrays->steps[f];
	for (int step = 0; step < task->npath; step++)
	{
		if (!(reached & 1 << step))
			continue;
		at[choice->npath] = step;
		take_step(task, arrays, step, choice, losses[choice->npath]);
	}
	choice->chosen = choose_step(losses, task->nfolds, choice,
								 task->adaptive);
	memcpy(choice->fold_losses, losses[choice->chosen],
		   sizeof(choice->fold_losses));
	choice->log_odds = MemoryContextAllocHuge(CurrentMemoryContext, bytes);
	memcpy(choice->log_odds,
		   arrays->log_odds + (Size) at[choice->chosen] * matrix->nrows, bytes);
	choice->auc = fold_auc(matrix, choice->log_odds, choice->quantiles);
	calibrate(matrix, choice->log_odds, choice);
	choice->searched = true;
}
