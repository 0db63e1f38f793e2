/*
 * The solver over codes against its own definition: indicators written out,
 * the gradient at the solution by a naive sum, and another start.
 *
 * sources: src/learn/newton.c src/learn/precondition.c src/learn/penalties.c src/learn/thermometer.c
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "learn/codes.h"

#define ROWS	700
#define FIRST	6				/* bins of the first column */
#define SECOND	4				/* and of the second */
#define WEIGHTS 200

static int	number = 0;
static int	failures = 0;
static uint8_t first[ROWS],
			second[ROWS],
			cells[ROWS],
			churned[ROWS],
			training[ROWS];
static double level_means[FIRST];
static double first_means[FIRST - 1],
			second_means[SECOND - 1];
static const uint8_t first_own[] = {FIRST};
static const uint8_t cell_own[] = {FIRST * (SECOND + 1) + 1, SECOND};

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
	static uint64_t state = 42;

	state = state * 6364136223846793005u + 1442695040888963407u;
	return state >> 40;
}

/* Indicators of one axis, written out */
static int
axis_row(const CodeAxis *axis, int code, double *x)
{
	bool		mean = code >= axis->nhot &&
		(code < axis->nbins || !axis->missing_none);

	if (axis->onehot)
	{
		for (int k = 0; k < axis->nhot; k++)
			x[k] = mean ? axis->means[k] : code == k;
		return axis->nhot;
	}
	for (int k = 0; k < axis->nbins - 1; k++)
		x[k] = code == axis->nbins ? axis->means[k] : code >= k + 1;
	return axis->nbins - 1;
}

/* Has a code what is the own indicator of another? */
static int
own_holds(const CodeBlock *block, int own, int code)
{
	int			n = block->axis[0].nbins,
				m = block->axis[1].nbins;
	int			i = own / (m + 1),
				j = own % (m + 1),
				at_i = code / (m + 1),
				at_j = code % (m + 1);

	if (m > 0 && i == n && j < m && !block->axis[1].onehot)
		return at_i == n && at_j >= j && at_j < m;
	if (m > 0 && j == m && i < n && !block->axis[0].onehot)
		return at_j == m && at_i >= i && at_i < n;
	return own == code;
}

/* All indicators of a row, and 1 for the intercept */
static void
design_row(const CodeProblem *problem, int row, double *x)
{
	for (int b = 0; b < problem->nblocks; b++)
	{
		const CodeBlock *block = &problem->blocks[b];
		int			code = block->codes[row];
		double		u[CODES_MAX],
					v[CODES_MAX] = {1};
		int			nu,
					nv = 1;

		if (block->axis[1].nbins > 0)
		{
			nu = axis_row(&block->axis[0], code / (block->axis[1].nbins + 1), u);
			nv = axis_row(&block->axis[1], code % (block->axis[1].nbins + 1), v);
		}
		else
			nu = axis_row(&block->axis[0], code, u);
		for (int i = 0; i < nu; i++)
			for (int j = 0; j < nv; j++)
				*x++ = u[i] * v[j];
		for (int i = 0; i < block->nown; i++)
			*x++ = own_holds(block, block->own[i], code);
	}
	*x = 1;
}

/* Rows with curved effects, an interaction, and gaps */
static void
make_rows(void)
{
	for (int i = 0; i < ROWS; i++)
	{
		double		z;

		first[i] = draw() % 9 == 0 ? FIRST : draw() % FIRST;
		second[i] = draw() % 7 == 0 ? SECOND : draw() % SECOND;
		cells[i] = first[i] * (SECOND + 1) + second[i];
		z = sin(first[i]) + (first[i] > 2 && second[i] == 1 ? 2 : -0.5);
		churned[i] = draw() % 1000 / 1000.0 < 1 / (1 + exp(-z));
		training[i] = i % 5 != 0;
	}
	for (int k = 0; k < FIRST - 1; k++)
		first_means[k] = 0.9 - 0.15 * k;
	for (int k = 0; k < SECOND - 1; k++)
		second_means[k] = 0.8 - 0.2 * k;
}

/* Largest component of the naive gradient, relative to c times rows */
static double
naive_gradient(const CodeProblem *problem, const double *weights,
			   const double *scores, double *wrong_score)
{
	int			n = problem_weights(problem);
	double		sums[WEIGHTS] = {0},
				x[WEIGHTS],
				largest = 0;

	*wrong_score = 0;
	for (int row = 0; row < ROWS; row++)
	{
		double		z = 0;

		design_row(problem, row, x);
		for (int i = 0; i <= n; i++)
			z += x[i] * weights[i];
		*wrong_score = fmax(*wrong_score, fabs(z - scores[row]));
		for (int i = 0; i <= n; i++)
			if (training[row])
				sums[i] += x[i] * problem->c[churned[row]] *
					(1 / (1 + exp(-z)) - churned[row]);
	}
	for (int b = 0, i = 0; b < problem->nblocks; b++)
		for (int k = 0; k < problem->blocks[b].nweights; k++, i++)
			sums[i] += problem->blocks[b].penalty * weights[i];
	for (int i = 0; i <= n; i++)
		largest = fmax(largest, fabs(sums[i]));
	return largest / (problem->c[1] * ROWS);
}

/* Fit at one C from one start, and look at the solution. */
static void
fit_and_check(const CodeProblem *problem, double start, double *weights)
{
	static double scores[ROWS];
	int			n = problem_weights(problem);
	void	   *memory = malloc(problem_bytes(problem));
	double		wrong_score,
				wrong;

	for (int i = 0; i <= n; i++)
		weights[i] = start;
	newton_fit(problem, 1e-13, memory, weights, scores);
	wrong = naive_gradient(problem, weights, scores, &wrong_score);
	ok(wrong < 1e-9, "naive gradient at the solution is 0", wrong);
	ok(wrong_score < 1e-12, "scores are those of the indicators", wrong_score);
	free(memory);
}

/*
 * Learnt penalties: a block that made the outcome moves more freely than one
 * of the same codes shuffled, and a further round changes little.
 */
static void
check_penalties(void)
{
	static uint8_t shuffled[ROWS];
	static double scores[ROWS];
	CodeBlock	blocks[2] = {
		{first, {{FIRST, first_means, false, 0, false}}, 0, 0, NULL, 0, PENALTY_START},
		{shuffled, {{FIRST, first_means, false, 0, false}}, 0, 0, NULL, 0, PENALTY_START}
	};
	CodeProblem problem = {ROWS, churned, training, {1, 1}, 2, blocks, NULL};
	double		weights[WEIGHTS] = {0},
				freedom[2],
				before;
	void	   *memory;

	for (int i = 0; i < ROWS; i++)
		shuffled[i] = first[(i * 7 + 3) % ROWS];
	for (int b = 0; b < 2; b++)
		block_measure(&blocks[b]);
	memory = malloc(problem_bytes(&problem));
	penalties_learn(&problem, blocks, 20, memory, freedom, weights, scores);
	ok(blocks[1].penalty > 10 * blocks[0].penalty,
	   "noise is held tighter than signal",
	   blocks[1].penalty / blocks[0].penalty);
	ok(freedom[0] > 1 && freedom[0] <= blocks[0].nweights,
	   "weights that the rows decide", freedom[0]);
	before = blocks[0].penalty;
	penalties_learn(&problem, blocks, 1, memory, freedom, weights, scores);
	ok(fabs(blocks[0].penalty / before - 1) < 1e-2, "a fixed point",
	   blocks[0].penalty / before);
	free(memory);
}

/* Fit blocks along a path, and with a weight for each label. */
static void
try_blocks(CodeBlock *blocks, int nblocks, int nweights)
{
	CodeProblem problem = {ROWS, churned, training, {1, 1}, nblocks, blocks, NULL};
	const double path[] = {1e-3, 0.1, 1, 100, 1e6};
	double		weighted[WEIGHTS];

	for (int b = 0; b < nblocks; b++)
		block_measure(&blocks[b]);
	ok(problem_weights(&problem) == nweights, "indicators",
	   problem_weights(&problem));
	for (size_t i = 0; i < sizeof(path) / sizeof(path[0]); i++)
	{
		double		cold[WEIGHTS],
					far[WEIGHTS],
					apart = 0;

		problem.c[0] = problem.c[1] = path[i];
		fit_and_check(&problem, 0, cold);
		fit_and_check(&problem, 3, far);
		for (int w = 0; w <= problem_weights(&problem); w++)
			apart = fmax(apart, fabs(cold[w] - far[w]));
		ok(apart < 1e-4, "another start ends at the same weights", apart);
	}
	problem.c[0] = 0.5;
	problem.c[1] = 2;
	fit_and_check(&problem, 0, weighted);
}

int
main(void)
{
	CodeBlock	bins[3] = {
		{first, {{FIRST, first_means, false, 0, false}}, 0, 1, first_own, 0, 1},
		{second, {{SECOND, second_means, false, 0, false}}, 0, 0, NULL, 0, 4},
		{cells, {{FIRST, first_means, false, 0, false},
		{SECOND, second_means, false, 0, false}}, 0, 2, cell_own, 0, 0.5}
	};

	/* the last known code of the first axis is too rare for a weight */
	CodeBlock	levels[3] = {
		{first, {{FIRST, level_means, true, FIRST - 1, true}}, 0, 1, first_own, 0, 1},
		{second, {{SECOND, level_means, true, SECOND, false}}, 0, 0, NULL, 0, 4},
		{cells, {{FIRST, level_means, true, FIRST - 1, false},
		{SECOND, second_means, false, 0, false}}, 0, 2, cell_own, 0, 0.5}
	};

	make_rows();
	for (int k = 0; k < FIRST; k++)
		level_means[k] = 0.2 - 0.02 * k;
	try_blocks(bins, 3, 6 + 3 + 17);
	try_blocks(levels, 3, FIRST - 1 + 1 + SECOND +
			   (FIRST - 1) * (SECOND - 1) + 2);
	check_penalties();
	printf("1..%d\n", number);
	return failures > 0;
}
