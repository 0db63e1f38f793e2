/*-------------------------------------------------------------------------
 *
 * codes.h
 *	  Rows as one-byte codes, and the linear model over what they stand for.
 *
 * A column of numbers has codes 0 … nbins - 1 for its bins in ascending
 * order, and nbins for a missing value.  It is in thermometer coding: one
 * indicator for each border between bins, "at or above it", so that a weight
 * is the jump from bin to bin.  A missing value has the training mean of
 * every indicator.
 *
 * A column of levels is one-hot: an indicator for each of its first codes; the
 * known codes behind them have the training mean of every indicator, and so
 * has a missing value, unless it is told to have none of them.
 *
 * A pair of columns has the products of the indicators of both.  Besides, any
 * code may have an indicator of its own; in a pair, where one column is
 * missing and the other in thermometer coding, it holds for the codes above it
 * as well.
 *
 * Nothing of this is ever written out: a block of indicators is known by one
 * code a row, and weights and sums go back and forth between indicators and
 * codes by running sums, in one dimension or two.
 *
 * Free of server calls; the caller gives the memory.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_CODES_H
#define CHURN_CODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CODES_MAX		256		/* codes of a block */

/* How one column's codes stand for indicators */
typedef struct CodeAxis
{
	int			nbins;			/* known codes; one more is "missing" */
	const double *means;		/* training mean of indicators */
	bool		onehot;			/* else thermometer: nbins - 1 indicators */
	int			nhot;			/* one-hot: codes with an indicator */
	bool		missing_none;	/* one-hot: missing has no indicator at all */
} CodeAxis;

/*
 * A column, or a pair of columns: then axis[1].nbins is not 0, and the code
 * is (code of the first) * (axis[1].nbins + 1) + (code of the second).
 */
typedef struct CodeBlock
{
	const uint8_t *codes;		/* one a row */
	CodeAxis	axis[2];
	int			ncodes;
	int			nown;			/* codes with an indicator of their own */
	const uint8_t *own;			/* which */
	int			nweights;		/* indicators: products, then own ones */
	double		penalty;		/* of half the square of each weight */
} CodeBlock;

/* Fill in ncodes and nweights from the rest. */
extern void block_measure(CodeBlock *block);

/* values[code] = the sum of the weights of the code's indicators */
extern void block_values(const CodeBlock *block, const double *weights,
						 double *values);

/*
 * sums[indicator] = sum over codes of what the indicator is there times
 * totals[code]: the adjoint of block_values().
 */
extern void block_sums(const CodeBlock *block, const double *totals,
					   double *sums);

/* ---- newton.c ---- */

/*
 * Minimise sum of penalty * weight^2 / 2, plus sum over training rows of c *
 * log-loss; the intercept is not penalised.  Rows that do not train are scored all the same.
 */
typedef struct CodeProblem
{
	int64_t		nrows;
	const uint8_t *churned;		/* 0 or 1 */
	const uint8_t *training;	/* 0: only scored */
	double		c[2];			/* by label */
	int			nblocks;
	const CodeBlock *blocks;
	void		(*check) (void);	/* called every few thousand rows; it may
									 * jump away */
} CodeProblem;

/* Indicators of all blocks: weights[] has one more, the intercept. */
extern int	problem_weights(const CodeProblem *problem);

/*
 * Bytes of working memory for newton_fit(); squares: those of the blocks'
 * numbers of weights, added up.
 */
extern size_t newton_bytes(int64_t nrows, int nblocks, int nweights,
						   size_t squares);
extern size_t problem_bytes(const CodeProblem *problem);

/*
 * weights: on entry where to start, on return the solution; block after
 * block, the intercept last.  scores[row]: log-odds of every row.  Ends
 * when the objective is within about tolerance * objective of the least.
 * Returns the number of passes over the rows.
 */
extern int	newton_fit(const CodeProblem *problem, double tolerance,
					   void *memory, double *weights, double *scores);

/*
 * freedom[block]: how many of a block's weights the rows have decided, not the
 * penalty: n - penalty * trace of the inverse Hessian, the block taken for
 * itself.  At weights and scores that newton_fit() left.
 */
extern void newton_freedom(const CodeProblem *problem, void *memory,
						   const double *weights, double *scores,
						   double *freedom);

/* ---- penalties.c ---- */

#define PENALTY_START	16		/* of blocks nothing is known of */

/*
 * Learn the penalties of the problem's blocks, "blocks", from the training
 * rows, starting from those there are.  Memory, weights and scores as for
 * newton_fit(), C included; freedom: working memory, a number a block.
 */
extern void penalties_learn(const CodeProblem *problem, CodeBlock *blocks,
							int rounds, void *memory, double *freedom,
							double *weights, double *scores);

/* ---- newton.c ---- */

/* scores[row] of given weights; memory as for newton_fit() */
extern void newton_score(const CodeProblem *problem, void *memory,
						 const double *weights, double *scores);

#endif							/* CHURN_CODES_H */
