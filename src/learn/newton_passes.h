/*-------------------------------------------------------------------------
 *
 * newton_passes.h
 *	  The passes over the rows that newton.c makes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_NEWTON_PASSES_H
#define CHURN_NEWTON_PASSES_H

#include "learn/newton.h"

#define NEWTON_TURNS	4		/* histograms that take turns */

/* One fit by newton.c while it runs */
typedef struct Newton
{
	const CodeProblem *problem;
	int			n;				/* weights with the intercept */
	CodeChunk	chunk;			/* rows at hand */
	double	   *scores;			/* by row: log-odds now; forgetful: these
								 * three are NULL */
	double	   *moves;			/* by row: what a direction adds to them */
	double	   *curvature;		/* by row: c p (1 - p) */
	double	   *now;			/* by code: what makes the scores */
	double		now_intercept;
	double	   *table;			/* by code: numbers to add up */
	double		intercept;		/* that goes with the table */
	double	   *turns;			/* by block, turn and code: histograms */
	double	   *totals;			/* by code: histogram */
	Preconditioner preconditioner;
	double	   *gradient;		/* by weight, and those below */
	double	   *direction;
	double	   *residual;
	double	   *solved;			/* the preconditioner's answer to it */
	double	   *search;			/* direction of a conjugate gradient step */
	double	   *product;		/* Hessian times it */
	double	   *tried;			/* weights at the end of a step */
	double	   *penalty;		/* the intercept has none */
	int			passes;
} Newton;

/* The scores are from now on those of given weights. */
extern void newton_set_scores(Newton *newton, const double *weights);

/* The moves are from now on those of a direction. */
extern void newton_set_moves(Newton *newton);

/* Sum of c * log-loss at scores + length * moves */
extern double newton_loss_at(Newton *newton, double length);

/* Count the slopes in; returns the sums of slopes and of curvatures. */
extern double newton_count_slopes(Newton *newton, double *sum_curvature);

/* Count the curvatures in. */
extern void newton_count_curvature(Newton *newton);

/* Count the Hessian times newton->search in; returns its sum. */
extern double newton_count_product(Newton *newton);

/* What was counted in, by code of a block, into newton->totals */
extern void newton_take_totals(Newton *newton, int block);

/* Sums by indicator of what was counted in; sums[n - 1] is "all". */
extern void newton_collect(Newton *newton, double all, double *sums);

#endif							/* CHURN_NEWTON_PASSES_H */
