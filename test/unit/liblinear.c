/*
 * The solver over codes against LIBLINEAR on the same indicators, written
 * out: columns, a pair, and codes with an indicator of their own; with class
 * weights too. The intercept is as good as unpenalised on both sides.
 *
 * sources: src/learn/newton.c src/learn/newton_passes.c src/learn/precondition.c src/learn/thermometer.c src/learn/limits.c
 */
#include <linear.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "learn/codes.h"

#define ROWS	2000
#define FIRST	12				/* bins of the first column */
#define SECOND	6				/* and of the second */
#define WEIGHTS 150
#define BIAS	1000.0

static int	number = 0;
static int	failures = 0;
static uint8_t first[ROWS],
			second[ROWS],
			cells[ROWS],
			churned[ROWS],
			training[ROWS];
static double first_means[FIRST - 1],
			second_means[SECOND - 1];
static const uint8_t first_own[] = {FIRST};
static const uint8_t cell_own[] = {FIRST * (SECOND + 1) + 1, SECOND,
FIRST * (SECOND + 1) + SECOND};
static struct feature_node nodes[ROWS][WEIGHTS + 2];

static void
ok(int passed, const char *what, double c, double figure)
{
	if (!passed)
		failures++;
	printf("%sok %d - %s, C = %g: %.3g\n", passed ? "" : "not ", ++number,
		   what, c, figure);
}

/* A small generator: the same numbers everywhere */
static unsigned
draw(void)
{
	static uint64_t state = 99;

	state = state * 6364136223846793005u + 1442695040888963407u;
	return state >> 40;
}

static void
make_rows(void)
{
	for (int i = 0; i < ROWS; i++)
	{
		double		z;

		first[i] = draw() % 9 == 0 ? FIRST : draw() % FIRST;
		second[i] = draw() % 7 == 0 ? SECOND : draw() % SECOND;
		cells[i] = first[i] * (SECOND + 1) + second[i];
		z = sin(first[i]) + (first[i] > 5 && second[i] > 2 ? 2 : -0.8);
		churned[i] = draw() % 1000 / 1000.0 < 1 / (1 + exp(-z));
		training[i] = 1;
	}
	for (int k = 0; k < FIRST - 1; k++)
		first_means[k] = 1 - (k + 1.0) / FIRST;
	for (int k = 0; k < SECOND - 1; k++)
		second_means[k] = 1 - (k + 1.0) / SECOND;
}

/* The indicators of every row; sums of a single row are its indicators */
static void
write_rows(const CodeProblem *problem, struct feature_node **x, double *y)
{
	int			n = problem_weights(problem);

	for (int row = 0; row < ROWS; row++)
	{
		struct feature_node *next = nodes[row];
		int			index = 1;

		for (int b = 0; b < problem->nblocks; b++)
		{
			double		totals[CODES_MAX] = {0},
						sums[CODES_MAX];

			totals[problem->blocks[b].codes[row]] = 1;
			block_sums(&problem->blocks[b], totals, sums);
			for (int i = 0; i < problem->blocks[b].nweights; i++, index++)
			{
				if (sums[i] == 0)
					continue;
				next->index = index;
				next++->value = sums[i];
			}
		}
		next->index = n + 1;
		next++->value = BIAS;
		next->index = -1;
		x[row] = nodes[row];
		y[row] = churned[row] ? 1 : -1;
	}
}

static void
silent(const char *text)
{
}

/* LIBLINEAR's weights, the intercept last and scaled back */
static void
liblinear_fit(const CodeProblem *problem, double *weights)
{
	static struct feature_node *x[ROWS];
	static double y[ROWS];
	int			n = problem_weights(problem);
	int			labels[] = {-1, 1};
	double		shares[] = {problem->c[0], problem->c[1]};
	struct problem rows = {ROWS, n + 1, y, x, BIAS};
	struct parameter parameters;
	struct model *model;

	write_rows(problem, x, y);
	memset(&parameters, 0, sizeof(parameters));
	parameters.solver_type = L2R_LR;
	parameters.C = 1;
	parameters.nr_weight = 2;
	parameters.weight_label = labels;
	parameters.weight = shares;
	parameters.eps = 1e-13;
	parameters.p = 0.1;
	set_print_string_function(silent);
	model = train(&rows, &parameters);
	for (int i = 0; i <= n; i++)
		weights[i] = model->w[i] * (i == n ? BIAS : 1);
	free_and_destroy_model(&model);
}

static double
objective(const CodeProblem *problem, const double *weights,
		  const double *scores)
{
	double		sum = 0;

	for (int i = 0; i < problem_weights(problem); i++)
		sum += weights[i] * weights[i] / 2;
	for (int row = 0; row < ROWS; row++)
		sum += problem->c[churned[row]] *
			log1p(exp(churned[row] ? -scores[row] : scores[row]));
	return sum;
}

static void
compare(const CodeProblem *problem)
{
	static double ours[ROWS],
				theirs[ROWS];
	double		weights[WEIGHTS] = {0},
				their_weights[WEIGHTS];
	void	   *memory = malloc(problem_bytes(problem));
	double		apart = 0,
				least;

	newton_fit(problem, 1e-13, memory, weights, ours);
	liblinear_fit(problem, their_weights);
	newton_score(problem, memory, their_weights, theirs);
	free(memory);
	least = objective(problem, their_weights, theirs);
	ok(fabs(objective(problem, weights, ours) / least - 1) < 1e-8,
	   "objective of LIBLINEAR", problem->c[1],
	   objective(problem, weights, ours) / least - 1);
	for (int row = 0; row < ROWS; row++)
		apart = fmax(apart, fabs(1 / (1 + exp(-ours[row])) -
								 1 / (1 + exp(-theirs[row]))));
	ok(apart < 1e-5, "probabilities of LIBLINEAR", problem->c[1], apart);
}

int
main(void)
{
	CodeBlock	blocks[3] = {
		{first, {{.nbins = FIRST, .means = first_means}}, 0, 1, first_own, 0, 1},
		{second, {{.nbins = SECOND, .means = second_means}}, 0, 0, NULL, 0, 1},
		{cells, {{.nbins = FIRST, .means = first_means},
		{.nbins = SECOND, .means = second_means}}, 0, 3, cell_own, 0, 1}
	};
	CodeProblem problem = {.nrows = ROWS, .churned = churned,
		.training = training, .c = {1, 1}, .nblocks = 3, .blocks = blocks};
	const double path[] = {1e-3, 0.01, 0.1, 1, 10, 100};

	make_rows();
	for (int b = 0; b < 3; b++)
		block_measure(&blocks[b]);
	for (size_t i = 0; i < sizeof(path) / sizeof(path[0]); i++)
	{
		problem.c[0] = problem.c[1] = path[i];
		compare(&problem);
		problem.c[0] = path[i] / 3;
		compare(&problem);
	}
	printf("1..%d\n", number);
	return failures > 0;
}
