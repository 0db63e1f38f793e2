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
 * and repeating that assignment, each time with the weights that minimise the
 * objective, leads there (D. MacKay, Neural Computation 4 (1992) 415-447; S.
 * Wood, M. Fasiolo, Biometrics 73 (2017) 1071-1081 for curves of this kind).
 * The trace it needs is taken block by block.  A block without any say ends
 * at the greatest penalty, where it is as good as absent.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "learn/codes.h"

double knob(const char *name, double otherwise);
double
knob(const char *name, double otherwise)
{
	FILE *f = fopen("/tmp/quality-knobs", "r");
	char n[64];
	double v, r = otherwise;

	if (!f) return r;
	while (fscanf(f, "%63s %lf", n, &v) == 2)
		if (!strcmp(n, name)) r = v;
	fclose(f);
	return r;
}

void
penalties_learn(const CodeProblem *problem, CodeBlock *blocks, int rounds,
				void *memory, double *weights, double *scores)
{
	double	   *freedom = malloc(sizeof(double) * (problem->nblocks + 1));
	double		a = knob("a", 0), b0 = knob("b", 0);
	double		least = knob("least", .1), most = knob("most", 1e5);

	for (int round = 0; round < rounds; round++)
	{
		const double *w = weights;

		newton_fit(problem, knob("tol", 1e-4), memory, weights, scores);
		newton_freedom(problem, memory, weights, scores, freedom);
		for (int b = 0; b < problem->nblocks; b++)
		{
			int			n = blocks[b].nweights;
			double		square = 0;
			double		next;

			for (int i = 0; i < n; i++)
				square += w[i] * w[i];
			w += n;
			next = (freedom[b] + a) / (square + b0 + 1e-12);
			blocks[b].penalty = fmin(fmax(next, least), most);
		}
	}
	if (knob("verbose", 0))
	for (int b = 0; b < problem->nblocks; b++)
		fprintf(stderr, "block %d n %d penalty %g freedom %g\n", b, blocks[b].nweights, blocks[b].penalty, freedom[b]);
	free(freedom);
}
