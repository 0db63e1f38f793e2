/*-------------------------------------------------------------------------
 *
 * penalties.c
 *	  How freely a column, or a pair of them, may move.
 *
 * One penalty for all weights is a compromise: what keeps two hundred columns
 * of noise quiet flattens the few that matter.  So every block has its own,
 * learnt from the training rows as the precision of its weights, w ~ N(0, 1 /
 * penalty): the one that makes the data most likely solves
 *
 *	  penalty = (weights that the data decide) / (sum of squared weights),
 *
 * and repeating that assignment, each time with weights near the minimum of
 * the objective, leads there (D. MacKay, Neural Computation 4 (1992) 415-447;
 * S. Wood, M. Fasiolo, Biometrics 73 (2017) 1071-1081, for curves of this
 * kind).  The trace it needs is taken block by block.  A block that says
 * nothing ends near the greatest penalty, where it is as good as absent.
 *
 * Free of server calls; the caller gives the memory.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>

#include "learn/codes.h"

#define LEAST_PENALTY	0.1		/* jumps of 3 are no surprise */
#define MOST_PENALTY	1e5
#define MOST_PRIOR		2.0
#define PRIOR_SHARE		0.25
#define TOLERANCE		1e-4	/* of the fits in between */
#define LEAST_SQUARE	1e-12	/* of weights that are all 0 */

/*
 * What the prior of a penalty adds to the weights that are decided: a curve
 * has more ways to follow noise than a single step, or than levels.
 */
static double
prior_of(const CodeBlock *block)
{
	if (block->axis[0].onehot && block->axis[1].nbins == 0)
		return 0;
	return fmin(MOST_PRIOR, PRIOR_SHARE * (block->nweights - 1));
}

/* One assignment for every block */
static void
penalties_update(CodeBlock *blocks, int nblocks, const double *freedom,
				 const double *weights)
{
	for (int b = 0; b < nblocks; b++)
	{
		double		square = LEAST_SQUARE;

		for (int i = 0; i < blocks[b].nweights; i++)
			square += weights[i] * weights[i];
		weights += blocks[b].nweights;
		square = (freedom[b] + prior_of(&blocks[b])) / square;
		blocks[b].penalty = fmin(fmax(square, LEAST_PENALTY), MOST_PENALTY);
	}
}

void
penalties_learn(const CodeProblem *problem, CodeBlock *blocks, int rounds,
				void *memory, double *freedom, double *weights,
				double *scores)
{
	for (int round = 0; round < rounds; round++)
	{
		newton_fit(problem, TOLERANCE, memory, weights, scores);
		newton_freedom(problem, memory, weights, scores, freedom);
		penalties_update(blocks, problem->nblocks, freedom, weights);
	}
}
