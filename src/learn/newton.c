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
 * What passes over the rows is in newton_passes.c.  Nothing is random and the
 * order of sums is fixed.
 *
 * J. Nocedal, S. Wright, Numerical Optimization, 2nd ed., ch. 7.1;
 * C.-J. Lin, R. Weng, S. Keerthi, JMLR 9 (2008) 627-650.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <string.h>

#include "learn/limits.h"
#include "learn/newton_passes.h"

#define MAX_STEPS		100		/* Newton steps */
#define MAX_INNER		500		/* conjugate gradient steps in each */
#define MAX_HALVINGS	40
#define LOOSEST			0.1		/* of the Newton equations' residual */
#define LEAST_CURVATURE	1e-12	/* of the intercept */
#define ENOUGH			1e-4	/* share of the slope a step must gain */

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
	return sizeof(double) * (2 * (size_t) nrows +
							 (3 + NEWTON_TURNS) * (size_t) nblocks * CODES_MAX +
							 (size_t) nblocks +
							 9 * ((size_t) nweights + 1) + squares);
}

size_t
problem_bytes(const CodeProblem *problem)
{
	return newton_bytes(problem->forgetful ? 0 : problem->nrows,
						problem->nblocks,
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

	if (!problem->forgetful)
	{
		newton->scores = scores;
		newton->moves = memory;
		newton->curvature = memory += problem->nrows;
		memory += problem->nrows;
	}
	newton->chunk.codes = (const uint8_t **) memory;
	newton->now = memory += problem->nblocks;
	newton->table = memory += codes;
	newton->totals = memory += codes;
	newton->turns = memory += codes;
	memory += NEWTON_TURNS * codes;
	for (size_t i = 0; i < sizeof(by_weight) / sizeof(by_weight[0]); i++)
	{
		*by_weight[i] = memory;
		memory += newton->n;
	}
	newton->preconditioner.problem = problem;
	/* free until a step begins to search */
	newton->preconditioner.scratch = newton->search;
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

/* ---- derivatives ---- */

/* Gradient of the objective, and the preconditioner */
static void
gradient(Newton *newton, const double *weights)
{
	double		curvature;
	double		slopes = newton_count_slopes(newton, &curvature);

	/* all rows may be as good as certain */
	newton->preconditioner.sum = curvature + LEAST_CURVATURE;
	newton_collect(newton, slopes, newton->gradient);
	for (int i = 0; i < newton->n - 1; i++)
		newton->gradient[i] += newton->penalty[i] * weights[i];
	limits_gradient(newton->problem->limits, weights, newton->gradient);
	newton_count_curvature(newton);
	for (int b = 0; b < newton->problem->nblocks; b++)
	{
		newton_take_totals(newton, b);
		precondition_block(&newton->preconditioner, b, newton->totals);
	}
	limits_prepare(newton->problem->limits, &newton->preconditioner);
}

/* product = Hessian * search, in one pass */
static void
multiply(Newton *newton)
{
	double		all = newton_count_product(newton);

	newton_collect(newton, all, newton->product);
	for (int i = 0; i < newton->n - 1; i++)
		newton->product[i] += newton->penalty[i] * newton->search[i];
	limits_product(newton->problem->limits, newton->search, newton->product);
	newton->product[newton->n - 1] +=
		LEAST_CURVATURE * newton->search[newton->n - 1];
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
	limits_precondition(newton->problem->limits, newton->solved, newton->n);
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

	newton_set_moves(newton);
	for (int i = 0; i < MAX_HALVINGS; i++, length /= 2)
	{
		double		next;

		for (int w = 0; w < newton->n; w++)
			newton->tried[w] = weights[w] + length * newton->direction[w];
		next = penalty_of(newton, newton->tried) +
			newton_loss_at(newton, length) +
			limits_loss(newton->problem->limits, newton->tried);
		/* near the minimum what is gained drowns in rounding */
		if (!(next <= *objective + ENOUGH * length * slope +
			  1e-15 * *objective))
			continue;
		memcpy(weights, newton->tried, sizeof(double) * newton->n);
		newton_set_scores(newton, weights);
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
	newton_set_scores(&newton, weights);
}

void
newton_freedom(const CodeProblem *problem, void *memory,
			   const double *weights, double *scores, double *freedom)
{
	Newton		newton = {0};

	newton.problem = problem;
	newton.n = problem_weights(problem) + 1;
	newton_place(&newton, memory, scores);
	newton_set_scores(&newton, weights);
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
	newton_set_scores(&newton, weights);
	objective = penalty_of(&newton, weights) +
		newton_loss_at(&newton, 0) + limits_loss(problem->limits, weights);
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
	return newton.passes;
}
