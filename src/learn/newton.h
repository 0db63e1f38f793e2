/*-------------------------------------------------------------------------
 *
 * newton.h
 *	  The preconditioner of newton.c: the Hessian without what lies between
 *	  blocks.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_NEWTON_H
#define CHURN_NEWTON_H

#include "learn/codes.h"

/*
 * Of each block, H = pI + A'DA - hh'/S as a Cholesky factor, where A are the
 * indicators by code, p the penalty, D the curvature by code, h = A'D1 and S = sum of D:
 * the intercept is eliminated, for each block is as good as a shift of it.
 */
typedef struct Preconditioner
{
	const CodeProblem *problem;
	double	   *factors;		/* of blocks, one behind the other, by rows */
	double	   *shifts;			/* h, by weight */
	double		sum;			/* S */
	double	   *scratch;		/* by weight, the intercept too */
} Preconditioner;

/* Numbers in "factors" */
extern size_t precondition_numbers(const CodeProblem *problem);

/*
 * The lower triangle of an n x n matrix becomes its Cholesky factor; "least"
 * bounds the squared diagonal from below, which rounding may hurt.
 */
extern void precondition_factorise(double *matrix, int n, double least);

/* x = (LL')^-1 x */
extern void precondition_solve(const double *factor, int n, double *x);

/* One block's part, from its curvature by code */
extern void precondition_block(Preconditioner *preconditioner, int block,
							   const double *curvature);

/* Trace of the inverse of one block's part */
extern double precondition_trace(const Preconditioner *preconditioner,
								 int block);

/* out = preconditioner^-1 * residual, the intercept last */
extern void precondition(const Preconditioner *preconditioner,
						 const double *residual, double *out);

#endif							/* CHURN_NEWTON_H */
