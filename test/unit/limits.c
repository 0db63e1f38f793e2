/*
 * Monotone limits of the solver over codes: the Karush-Kuhn-Tucker conditions
 * of the constrained minimum by naive sums, feasibility on the whole grid of
 * codes, and nothing changed where no limit bites.
 *
 * sources: src/learn/newton.c src/learn/newton_passes.c src/learn/precondition.c src/learn/thermometer.c src/learn/limits.c
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "learn/limits.h"

#define ROWS	3000
#define A		8				/* fine bins of the column under a limit */
#define A_HALF	4				/* its bins in pairs */
#define B		3				/* bins of the partners */
#define WEIGHTS 200

static int	number = 0;
static int	failures = 0;
static uint8_t codes[5][ROWS];	/* columns a, b, c; pairs (a, b), (c, a) */
static uint8_t churned[ROWS],
			training[ROWS];
static double means_a[A - 1],
			means_half[A_HALF - 1],
			means_b[B - 1];
static const uint8_t coarse_of[A + 1] = {0, 0, 1, 1, 2, 2, 3, 3, 4};
static const uint8_t own_a[] = {A};
static const uint8_t own_ab[] = {1 * (B + 1) + B, 2 * (B + 1) + B};

static void
ok(int passed, const char *what, double figure)
{
	if (!passed)
		failures++;
	printf("%sok %d - %s: %.3g\n", passed ? "" : "not ", ++number, what, figure);
}

/* A small generator: the same numbers everywhere */
static unsigned
draw(void)
{
	static uint64_t state = 7;

	state = state * 6364136223846793005u + 1442695040888963407u;
	return state >> 40;
}

/* Rises and falls in a, and turns round with b */
static void
make_rows(void)
{
	for (int i = 0; i < ROWS; i++)
	{
		int			a = draw() % 10 == 0 ? A : draw() % A;
		int			b = draw() % 10 == 0 ? B : draw() % B;
		int			c = draw() % B;
		double		z = a == A ? 0.5 : 1.5 * sin(a) + (b == 2 ? 1 - 0.6 * a : 0.3 * a) +
			(c == 1 ? 0.4 * a : -0.2 * a);

		codes[0][i] = a;
		codes[1][i] = b;
		codes[2][i] = c;
		codes[3][i] = coarse_of[a] * (B + 1) + b;
		codes[4][i] = c * (A_HALF + 1) + coarse_of[a];
		churned[i] = draw() % 10000 / 10000.0 < 1 / (1 + exp(-z));
		training[i] = i % 4 != 0;
	}
	for (int k = 0; k < A - 1; k++)
		means_a[k] = 1 - (k + 1.0) / A;
	for (int k = 0; k < A_HALF - 1; k++)
		means_half[k] = 1 - (k + 1.0) / A_HALF;
	for (int k = 0; k < B - 1; k++)
		means_b[k] = 1 - (k + 1.0) / B;
}

/* Score of every code of a block */
static void
all_values(const CodeProblem *problem, const double *weights,
		   double values[5][CODES_MAX])
{
	for (int b = 0; b < problem->nblocks; b++)
	{
		block_values(&problem->blocks[b], weights, values[b]);
		weights += problem->blocks[b].nweights;
	}
}

/* Least step of the score from one code of a to the next, over all partners */
static double
least_step(const CodeProblem *problem, const double *weights, int sign)
{
	double		values[5][CODES_MAX];
	double		least = INFINITY;

	memset(values, 0, sizeof(values));
	all_values(problem, weights, values);
	for (int a = 0; a + 1 < A; a++)
		for (int b = 0; b <= B; b++)
			for (int c = 0; c <= B; c++)
			{
				int			from = coarse_of[a],
							to = coarse_of[a + 1];
				double		step = values[0][a + 1] - values[0][a];

				step += values[3][to * (B + 1) + b] - values[3][from * (B + 1) + b];
				step += values[4][c * (A_HALF + 1) + to] - values[4][c * (A_HALF + 1) + from];
				least = fmin(least, sign * step);
			}
	return least;
}

/* Gradient of the objective, row by row: what each weight counts there */
static void
naive_gradient(const CodeProblem *problem, const double *weights,
			   double *gradient)
{
	int			n = problem_weights(problem);
	double		values[5][CODES_MAX];

	memcpy(gradient, weights, sizeof(double) * n);
	gradient[n] = 0;
	all_values(problem, weights, values);
	for (int row = 0; row < ROWS; row++)
	{
		double		z = weights[n],
					slope;
		double	   *next = gradient;

		if (!training[row])
			continue;
		for (int b = 0; b < problem->nblocks; b++)
			z += values[b][problem->blocks[b].codes[row]];
		slope = problem->c[churned[row]] * (1 / (1 + exp(-z)) - churned[row]);
		for (int b = 0; b < problem->nblocks; b++)
		{
			double		totals[CODES_MAX] = {0},
						sums[CODES_MAX];

			totals[problem->blocks[b].codes[row]] = slope;
			block_sums(&problem->blocks[b], totals, sums);
			for (int i = 0; i < problem->blocks[b].nweights; i++)
				next[i] += sums[i];
			next += problem->blocks[b].nweights;
		}
		gradient[n] += slope;
	}
}

/* Largest part of the gradient that no multiplier accounts for */
static double
stationarity(const CodeProblem *problem, const double *weights,
			 double *slack, double *least)
{
	const Limits *limits = problem->limits;
	int			n = problem_weights(problem);
	double		gradient[WEIGHTS];
	double		largest = 0;

	naive_gradient(problem, weights, gradient);
	*slack = 0;
	*least = 0;
	for (int l = 0; l < limits->n; l++)
	{
		const Limit *limit = &limits->list[l];
		double		step = 0;

		for (int k = 0; k < limit->n; k++)
		{
			step += limit->a[k] * weights[limit->at[k]];
			gradient[limit->at[k]] -= limit->multiplier * limit->a[k];
		}
		*slack = fmax(*slack, fabs(limit->multiplier * step));
		*least = fmin(*least, limit->multiplier);
	}
	for (int i = 0; i <= n; i++)
		largest = fmax(largest, fabs(gradient[i]));
	return largest / (problem->c[1] * ROWS);
}

/* Memory of one fit */
static char arena[4 << 20];
static size_t arena_used = 0;

static void *
allocate(size_t size)
{
	void	   *memory = arena + arena_used;

	arena_used += (size + 15) / 16 * 16;
	if (arena_used > sizeof(arena))
		abort();
	return memory;
}

/* Fit with nblocks blocks at one C, and look at the solution. */
static void
fit_and_check(CodeBlock *blocks, int nblocks, double c, int sign)
{
	LimitPair	pairs[] = {{3, 0}, {4, 1}};
	LimitChain	chain = {0, A, sign, coarse_of, 2, pairs};
	Limits		limits = {.nchains = 1, .chains = &chain, .allocate = allocate};
	CodeProblem problem = {.nrows = ROWS, .churned = churned,
		.training = training, .c = {c, c}, .nblocks = nblocks,
		.blocks = blocks, .limits = &limits};
	double		weights[WEIGHTS] = {0};
	double		free_weights[WEIGHTS] = {0};
	static double scores[ROWS];
	void	   *memory = malloc(problem_bytes(&problem));
	double		slack,
				least,
				wrong;

	arena_used = 0;
	limits_fit(&problem, 1e-13, memory, weights, scores);
	wrong = least_step(&problem, weights, sign);
	ok(wrong >= -1e-14, "no step is negative, whatever the partners", wrong);
	wrong = stationarity(&problem, weights, &slack, &least);
	ok(wrong < 1e-6, "multipliers account for the gradient", wrong);
	ok(slack / (c * ROWS) < 1e-8 && least >= 0,
	   "they are positive where a step is 0 alone", slack);
	problem.limits = NULL;
	newton_fit(&problem, 1e-13, memory, free_weights, scores);
	wrong = least_step(&problem, free_weights, sign);
	ok(wrong < -1e-3, "without limits a step is negative", wrong);
	ok(limits.n > 0, "limits bite", limits.n);
	free(memory);
}

int
main(void)
{
	CodeBlock	blocks[5] = {
		{codes[0], {{.nbins = A, .means = means_a}}, 0, 1, own_a, 0, 1},
		{codes[1], {{.nbins = B, .means = means_b}}, 0, 0, NULL, 0, 1},
		{codes[2], {{.nbins = B, .means = means_b}}, 0, 0, NULL, 0, 1},
		{codes[3], {{.nbins = A_HALF, .means = means_half},
		{.nbins = B, .means = means_b}}, 0, 2, own_ab, 0, 1},
		{codes[4], {{.nbins = B, .means = means_b},
		{.nbins = A_HALF, .means = means_half}}, 0, 0, NULL, 0, 1},
	};
	const double path[] = {1e-3, 0.1, 10, 1e4};

	make_rows();
	for (int b = 0; b < 5; b++)
		block_measure(&blocks[b]);
	for (size_t i = 0; i < sizeof(path) / sizeof(path[0]); i++)
	{
		fit_and_check(blocks, 3, path[i], 1);
		fit_and_check(blocks, 3, path[i], -1);
		fit_and_check(blocks, 5, path[i], 1);
		fit_and_check(blocks, 5, path[i], -1);
	}
	printf("1..%d\n", number);
	return failures > 0;
}
