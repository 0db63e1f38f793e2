/*-------------------------------------------------------------------------
 *
 * newton.c
 *	  L2-regularised logistic regression over one-byte codes.
 *
 * Truncated Newton: the step solves the Newton equations by conjugate
 * gradients, preconditioned block by block (precondition.c), as exactly as the
 * distance from the minimum asks for; then the step is halved until the
 * objective falls enough.  The objective is convex and penalised, so this
 * ends at the one minimum.
 *
 * A pass over the rows costs two look-ups a row and block: the score of a row
 * is the sum of its codes' numbers; gradient, diagonal and the Hessian's
 * product with a direction are sums of rows by code (block_sums() does the
 * rest).  Rows are taken in chunks that stay in the first cache.  Four
 * histograms take turns, for adding to one place over and over waits for
 * itself.  Nothing is random and the order of sums is fixed.
 *
 * J. Nocedal, S. Wright, Numerical Optimization, 2nd ed., ch. 7.1;
 * C.-J. Lin, R. Weng, S. Keerthi, JMLR 9 (2008) 627-650.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <string.h>

#include "learn/newton.h"

#define CHUNK_ROWS		2048
#define TURNS			4		/* histograms that take turns */
#define MAX_STEPS		100		/* Newton steps */
#define MAX_INNER		500		/* conjugate gradient steps in each */
#define MAX_HALVINGS	40
#define LOOSEST			0.1		/* of the Newton equations' residual */
#define LEAST_CURVATURE	1e-12	/* of the intercept */
#define ENOUGH			1e-4	/* share of the slope a step must gain */

/* One fit while it runs */
typedef struct Newton
{
	const CodeProblem *problem;
	int			n;				/* weights with the intercept */
	double	   *scores;			/* by row: log-odds now */
	double	   *moves;			/* by row: what a direction adds to them */
	double	   *curvature;		/* by row: c p (1 - p) */
	double	   *slopes;			/* by row: c (p - y) */
	double	   *table;			/* by code: numbers to add up */
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

int
problem_weights(const CodeProblem *problem)
{
	int			n = 0;

	for (int b = 0; b < problem->nblocks; b++)
		n += problem->blocks[b].nweights;
	return n;
}

size_t
newton_bytes(int64_t nrows, int nblocks, int nweights, size_t squares)
{
	return sizeof(double) * (3 * (size_t) nrows +
							 (2 + TURNS) * (size_t) nblocks * CODES_MAX +
							 9 * ((size_t) nweights + 1) + squares);
}

size_t
problem_bytes(const CodeProblem *problem)
{
	return newton_bytes(problem->nrows, problem->nblocks,
						problem_weights(problem),
						precondition_numbers(problem));
}

/* Hand the working memory out. */
static void
newton_place(Newton *newton, double *memory, double *scores)
{
	const CodeProblem *problem = newton->problem;
	size_t		codes = (size_t) problem->nblocks * CODES_MAX;
	double	  **by_weight[] = {&newton->gradient, &newton->direction,
		&newton->residual, &newton->solved, &newton->search,
		&newton->product, &newton->tried, &newton->penalty,
	&newton->preconditioner.shifts};

	newton->scores = scores;
	newton->moves = memory;
	newton->curvature = memory += problem->nrows;
	newton->slopes = memory += problem->nrows;
	newton->table = memory += problem->nrows;
	newton->totals = memory += codes;
	newton->turns = memory += codes;
	memory += TURNS * codes;
	for (size_t i = 0; i < sizeof(by_weight) / sizeof(by_weight[0]); i++)
	{
		*by_weight[i] = memory;
		memory += newton->n;
	}
	newton->preconditioner.problem = problem;
	newton->preconditioner.factors = memory;
	for (int b = 0, i = 0; b < problem->nblocks; b++)
		for (int k = 0; k < problem->blocks[b].nweights; k++)
			newton->penalty[i++] = problem->blocks[b].penalty;
	newton->penalty[newton->n - 1] = 0;
}

/* What weights cost */
static double
penalty_of(const Newton *newton, const double *weights)
{
	double		sum = 0;

	for (int i = 0; i < newton->n - 1; i++)
		sum += newton->penalty[i] * weights[i] * weights[i];
	return sum / 2;
}

/* ---- passes over the rows ---- */

/* Numbers of all codes from weights; returns the intercept. */
static double
fill_table(Newton *newton, const double *weights)
{
	const CodeProblem *problem = newton->problem;

	for (int b = 0; b < problem->nblocks; b++)
	{
		block_values(&problem->blocks[b], weights,
					 newton->table + (size_t) b * CODES_MAX);
		weights += problem->blocks[b].nweights;
	}
	return *weights;
}

/* out[row] = intercept + numbers of the row's codes, for a chunk of rows */
static void
look_up(const Newton *newton, double intercept, int64_t first, int n,
		double *out)
{
	const CodeProblem *problem = newton->problem;

	for (int i = 0; i < n; i++)
		out[i] = intercept;
	for (int b = 0; b < problem->nblocks; b++)
	{
		const uint8_t *codes = problem->blocks[b].codes + first;
		const double *table = newton->table + (size_t) b * CODES_MAX;

		for (int i = 0; i < n; i++)
			out[i] += table[codes[i]];
	}
}

/* Add values[row] to the histograms of the row's codes, for a chunk. */
static void
count_in(Newton *newton, int64_t first, int n, const double *values)
{
	const CodeProblem *problem = newton->problem;

	for (int b = 0; b < problem->nblocks; b++)
	{
		const uint8_t *codes = problem->blocks[b].codes + first;
		double	   *turns = newton->turns + (size_t) b * TURNS * CODES_MAX;
		int			i = 0;

		for (; i + TURNS <= n; i += TURNS)
			for (int t = 0; t < TURNS; t++)
				turns[t * CODES_MAX + codes[i + t]] += values[i + t];
		for (; i < n; i++)
			turns[codes[i]] += values[i];
	}
}

static void
clear_turns(Newton *newton)
{
	memset(newton->turns, 0, sizeof(double) * TURNS * CODES_MAX *
		   newton->problem->nblocks);
}

/* What was counted in, by code of a block, into newton->totals */
static void
take_totals(Newton *newton, int block)
{
	const double *turns = newton->turns + (size_t) block * TURNS * CODES_MAX;

	for (int code = 0; code < newton->problem->blocks[block].ncodes; code++)
		newton->totals[code] =
			(turns[code] + turns[CODES_MAX + code]) +
			(turns[2 * CODES_MAX + code] + turns[3 * CODES_MAX + code]);
}

/* Sums by indicator of what was counted in; sums[n - 1] is "all". */
static void
collect(Newton *newton, double all, double *sums)
{
	const CodeProblem *problem = newton->problem;

	for (int b = 0; b < problem->nblocks; b++)
	{
		take_totals(newton, b);
		block_sums(&problem->blocks[b], newton->totals, sums);
		sums += problem->blocks[b].nweights;
	}
	*sums = all;
}

/* Rows of the next chunk; gives the caller a chance to be interrupted. */
static int
next_chunk(const Newton *newton, int64_t first)
{
	int64_t		left = newton->problem->nrows - first;

	if (newton->problem->check != NULL)
		newton->problem->check();
	return left < CHUNK_ROWS ? (int) left : CHUNK_ROWS;
}

/* out[row] for all rows */
static void
score_rows(Newton *newton, const double *weights, double *out)
{
	double		intercept = fill_table(newton, weights);
	int			n;

	for (int64_t first = 0; first < newton->problem->nrows; first += n)
	{
		n = next_chunk(newton, first);
		look_up(newton, intercept, first, n, out + first);
	}
	newton->passes++;
}

/* Sum of c * log-loss at scores + length * moves */
static double
loss_at(const Newton *newton, double length)
{
	const CodeProblem *problem = newton->problem;
	double		loss = 0;

	for (int64_t row = 0; row < problem->nrows; row++)
	{
		double		z = newton->scores[row];
		double		margin;

		if (!problem->training[row])
			continue;
		if (length != 0)
			z += length * newton->moves[row];
		margin = problem->churned[row] ? z : -z;
		loss += problem->c[problem->churned[row]] *
			(margin > 0 ? log1p(exp(-margin)) : log1p(exp(margin)) - margin);
	}
	return loss;
}

/* Slope and curvature of every row's loss; returns the sum of curvatures. */
static double
differentiate(Newton *newton, double *sum_slopes)
{
	const CodeProblem *problem = newton->problem;
	double		sum = 0;

	*sum_slopes = 0;
	for (int64_t row = 0; row < problem->nrows; row++)
	{
		double		c = problem->training[row] ?
			problem->c[problem->churned[row]] : 0;
		double		e = exp(-fabs(newton->scores[row]));
		double		p = newton->scores[row] >= 0 ? 1 / (1 + e) : e / (1 + e);

		newton->slopes[row] = c * (p - problem->churned[row]);
		newton->curvature[row] = c * (e / ((1 + e) * (1 + e)));
		*sum_slopes += newton->slopes[row];
		sum += newton->curvature[row];
	}
	return sum;
}

/* Count a number a row in. */
static void
count_rows(Newton *newton, const double *values)
{
	int			n;

	clear_turns(newton);
	for (int64_t first = 0; first < newton->problem->nrows; first += n)
	{
		n = next_chunk(newton, first);
		count_in(newton, first, n, values + first);
	}
	newton->passes++;
}

/* Gradient of the objective, and the preconditioner */
static void
gradient(Newton *newton, const double *weights)
{
	double		slopes;

	/* all rows may be as good as certain */
	newton->preconditioner.sum = differentiate(newton, &slopes) + LEAST_CURVATURE;
	count_rows(newton, newton->slopes);
	collect(newton, slopes, newton->gradient);
	for (int i = 0; i < newton->n - 1; i++)
		newton->gradient[i] += newton->penalty[i] * weights[i];
	count_rows(newton, newton->curvature);
	for (int b = 0; b < newton->problem->nblocks; b++)
	{
		take_totals(newton, b);
		precondition_block(&newton->preconditioner, b, newton->totals);
	}
}

/* product = Hessian * search, in one pass */
static void
multiply(Newton *newton)
{
	double		intercept = fill_table(newton, newton->search);
	double		all = 0;
	int			n;

	clear_turns(newton);
	for (int64_t first = 0; first < newton->problem->nrows; first += n)
	{
		double		chunk[CHUNK_ROWS];

		n = next_chunk(newton, first);
		look_up(newton, intercept, first, n, chunk);
		for (int i = 0; i < n; i++)
		{
			chunk[i] *= newton->curvature[first + i];
			all += chunk[i];
		}
		count_in(newton, first, n, chunk);
	}
	collect(newton, all, newton->product);
	for (int i = 0; i < newton->n - 1; i++)
		newton->product[i] += newton->penalty[i] * newton->search[i];
	newton->product[newton->n - 1] +=
		LEAST_CURVATURE * newton->search[newton->n - 1];
	newton->passes++;
}

/* ---- one step ---- */

static double
dot(const double *a, const double *b, int n)
{
	double		sum = 0;

	for (int i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

/* Ask the preconditioner; returns residual' preconditioner^-1 residual. */
static double
ask(Newton *newton)
{
	precondition(&newton->preconditioner, newton->residual, newton->solved);
	return dot(newton->residual, newton->solved, newton->n);
}

/*
 * Solve Hessian * direction = -gradient by conjugate gradients, until the
 * residual is small enough for the distance that "objective" tells.
 */
static void
solve_step(Newton *newton, double objective)
{
	double		norm,
				first,
				enough;

	for (int i = 0; i < newton->n; i++)
	{
		newton->direction[i] = 0;
		newton->residual[i] = -newton->gradient[i];
	}
	first = norm = ask(newton);
	memcpy(newton->search, newton->solved, sizeof(double) * newton->n);
	enough = fmin(LOOSEST, sqrt(first / objective));
	for (int step = 0; step < MAX_INNER && norm > enough * enough * first;
		 step++)
	{
		double		length,
					next;

		multiply(newton);
		length = norm / dot(newton->search, newton->product, newton->n);
		for (int i = 0; i < newton->n; i++)
		{
			newton->direction[i] += length * newton->search[i];
			newton->residual[i] -= length * newton->product[i];
		}
		next = ask(newton);
		for (int i = 0; i < newton->n; i++)
			newton->search[i] = newton->solved[i] +
				next / norm * newton->search[i];
		norm = next;
	}
}

/*
 * Go along the direction, as far as the objective falls.  Returns whether it
 * fell; weights, scores and objective are brought up to date.
 */
static bool
take_step(Newton *newton, double *weights, double *objective, double slope)
{
	double		length = 1;

	score_rows(newton, newton->direction, newton->moves);
	for (int i = 0; i < MAX_HALVINGS; i++, length /= 2)
	{
		double		next;

		for (int w = 0; w < newton->n; w++)
			newton->tried[w] = weights[w] + length * newton->direction[w];
		next = penalty_of(newton, newton->tried) + loss_at(newton, length);
		/* near the minimum what is gained drowns in rounding */
		if (!(next <= *objective + ENOUGH * length * slope +
			  1e-15 * *objective))
			continue;
		memcpy(weights, newton->tried, sizeof(double) * newton->n);
		for (int64_t row = 0; row < newton->problem->nrows; row++)
			newton->scores[row] += length * newton->moves[row];
		*objective = next;
		return true;
	}
	return false;
}

void
newton_score(const CodeProblem *problem, void *memory, const double *weights,
			 double *scores)
{
	Newton		newton = {0};

	newton.problem = problem;
	newton.n = problem_weights(problem) + 1;
	newton_place(&newton, memory, scores);
	score_rows(&newton, weights, scores);
}

void
newton_freedom(const CodeProblem *problem, void *memory,
			   const double *weights, double *scores, double *freedom)
{
	Newton		newton = {0};

	newton.problem = problem;
	newton.n = problem_weights(problem) + 1;
	newton_place(&newton, memory, scores);
	score_rows(&newton, weights, scores);
	gradient(&newton, weights);
	for (int b = 0; b < problem->nblocks; b++)
		freedom[b] = problem->blocks[b].nweights -
			problem->blocks[b].penalty *
			precondition_trace(&newton.preconditioner, b);
}

int
newton_fit(const CodeProblem *problem, double tolerance, void *memory,
		   double *weights, double *scores)
{
	Newton		newton = {0};
	double		objective;

	newton.problem = problem;
	newton.n = problem_weights(problem) + 1;
	newton_place(&newton, memory, scores);
	score_rows(&newton, weights, scores);
	objective = penalty_of(&newton, weights) + loss_at(&newton, 0);
	for (int step = 0; step < MAX_STEPS; step++)
	{
		double		slope;

		gradient(&newton, weights);
		solve_step(&newton, objective);
		slope = dot(newton.gradient, newton.direction, newton.n);
		if (!take_step(&newton, weights, &objective, slope) ||
			-slope / 2 <= tolerance * objective)
			break;
	}
	/* scores without the rounding of many small moves */
	score_rows(&newton, weights, scores);
	return newton.passes;
}
