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
 * Scores and curvatures are functions of the weights.  Where there is no room
 * for a number a row they are looked up anew in each pass, to the same bits:
 * memory then does not grow with the rows.
 *
 * J. Nocedal, S. Wright, Numerical Optimization, 2nd ed., ch. 7.1;
 * C.-J. Lin, R. Weng, S. Keerthi, JMLR 9 (2008) 627-650.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <string.h>

#include "learn/limits.h"
#include "learn/newton.h"

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
	return sizeof(double) * (2 * (size_t) nrows +
							 (3 + TURNS) * (size_t) nblocks * CODES_MAX +
							 (size_t) nblocks +
							 8 * ((size_t) nweights + 1) + squares);
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
		&newton->product, &newton->tried,
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
	memory += TURNS * codes;
	for (size_t i = 0; i < sizeof(by_weight) / sizeof(by_weight[0]); i++)
	{
		*by_weight[i] = memory;
		memory += newton->n;
	}
	newton->preconditioner.problem = problem;
	/* free until a step begins to search */
	newton->preconditioner.scratch = newton->search;
	newton->preconditioner.factors = memory;
}

/* ---- passes over the rows ---- */

/* Numbers of all codes from weights, into a table; returns the intercept. */
static double
fill_table(const Newton *newton, const double *weights, double *table)
{
	const CodeProblem *problem = newton->problem;

	for (int b = 0; b < problem->nblocks; b++)
	{
		block_values(&problem->blocks[b], weights,
					 table + (size_t) b * CODES_MAX);
		weights += problem->blocks[b].nweights;
	}
	return *weights;
}

/* out[] = intercept + numbers of the rows' codes, for n rows at hand */
static void
look_up(const Newton *newton, const double *table, double intercept, int n,
		double *out)
{
	for (int i = 0; i < n; i++)
		out[i] = intercept;
	for (int b = 0; b < newton->problem->nblocks; b++)
	{
		const uint8_t *codes = newton->chunk.codes[b];
		const double *numbers = table + (size_t) b * CODES_MAX;

		for (int i = 0; i < n; i++)
			out[i] += numbers[codes[i]];
	}
}

/* Add a number a row to the histograms of the codes, for n rows at hand. */
static void
count_in(Newton *newton, int n, const double *values)
{
	for (int b = 0; b < newton->problem->nblocks; b++)
	{
		const uint8_t *codes = newton->chunk.codes[b];
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

/*
 * Take the rows from "first" on at hand; returns their number, 0 at the end.
 * Gives the caller a chance to be interrupted.
 */
static int
next_chunk(Newton *newton, int64_t first)
{
	const CodeProblem *problem = newton->problem;
	CodeChunk  *chunk = &newton->chunk;
	int64_t		left = problem->nrows - first;
	int			room = problem->chunk_rows > 0 ? problem->chunk_rows :
		CODES_CHUNK;

	if (problem->check != NULL)
		problem->check();
	if (left <= 0)
		return 0;
	if (problem->load != NULL)
		problem->load(problem->load_arg, first, chunk);
	else
	{
		for (int b = 0; b < problem->nblocks; b++)
			chunk->codes[b] = problem->blocks[b].codes + first;
		chunk->churned = problem->churned + first;
		chunk->training = problem->training + first;
	}
	return left < room ? (int) left : room;
}

/* What the i-th row at hand counts: 0 when it does not train */
static inline double
row_c(const Newton *newton, int i)
{
	if (newton->chunk.training != NULL && !newton->chunk.training[i])
		return 0;
	return newton->problem->c[newton->chunk.churned[i]];
}

/* Scores of the rows at hand, which begin at "first" */
static const double *
scores_at_hand(const Newton *newton, int64_t first, int n, double *buffer)
{
	if (newton->scores != NULL)
		return newton->scores + first;
	look_up(newton, newton->now, newton->now_intercept, n, buffer);
	return buffer;
}

/* The scores are from now on those of given weights. */
static void
set_scores(Newton *newton, const double *weights)
{
	int			n;

	newton->now_intercept = fill_table(newton, weights, newton->now);
	if (newton->scores == NULL)
		return;
	for (int64_t first = 0; (n = next_chunk(newton, first)) > 0; first += n)
		look_up(newton, newton->now, newton->now_intercept, n,
				newton->scores + first);
	newton->passes++;
}

/* The moves are from now on those of a direction. */
static void
set_moves(Newton *newton)
{
	int			n;

	newton->intercept = fill_table(newton, newton->direction, newton->table);
	if (newton->moves == NULL)
		return;
	for (int64_t first = 0; (n = next_chunk(newton, first)) > 0; first += n)
		look_up(newton, newton->table, newton->intercept, n,
				newton->moves + first);
	newton->passes++;
}

/* Moves of the rows at hand */
static const double *
moves_at_hand(const Newton *newton, int64_t first, int n, double *buffer)
{
	if (newton->moves != NULL)
		return newton->moves + first;
	look_up(newton, newton->table, newton->intercept, n, buffer);
	return buffer;
}

/* Sum of c * log-loss at scores + length * moves */
static double
loss_at(Newton *newton, double length)
{
	double		scores[CODES_CHUNK],
				moves[CODES_CHUNK];
	double		loss = 0;
	int			n;

	for (int64_t first = 0; (n = next_chunk(newton, first)) > 0; first += n)
	{
		const double *now = scores_at_hand(newton, first, n, scores);
		const double *move = length == 0 ? NULL :
			moves_at_hand(newton, first, n, moves);

		for (int i = 0; i < n; i++)
		{
			double		c = row_c(newton, i);
			double		z = move == NULL ? now[i] : now[i] + length * move[i];
			double		margin = newton->chunk.churned[i] ? z : -z;

			if (c > 0)
				loss += c * (margin > 0 ? log1p(exp(-margin)) :
							 log1p(exp(margin)) - margin);
		}
	}
	newton->passes++;
	return loss;
}

/* Curvature of the loss of the i-th row at hand; its slope unless NULL */
static inline double
differentiate(const Newton *newton, int i, double score, double *slope)
{
	double		c = row_c(newton, i);
	double		e = exp(-fabs(score));

	if (slope != NULL)
		*slope = c * ((score >= 0 ? 1 / (1 + e) : e / (1 + e)) -
					  newton->chunk.churned[i]);
	return c * (e / ((1 + e) * (1 + e)));
}

/* Curvatures of the rows at hand */
static const double *
curvature_at_hand(const Newton *newton, int64_t first, int n, double *buffer)
{
	if (newton->curvature != NULL)
		return newton->curvature + first;
	look_up(newton, newton->now, newton->now_intercept, n, buffer);
	for (int i = 0; i < n; i++)
		buffer[i] = differentiate(newton, i, buffer[i], NULL);
	return buffer;
}

/* Count the slopes in; returns the sums of slopes and of curvatures. */
static double
count_slopes(Newton *newton, double *sum_curvature)
{
	double		scores[CODES_CHUNK],
				slopes[CODES_CHUNK];
	double		sum = 0;
	int			n;

	*sum_curvature = 0;
	clear_turns(newton);
	for (int64_t first = 0; (n = next_chunk(newton, first)) > 0; first += n)
	{
		const double *now = scores_at_hand(newton, first, n, scores);

		for (int i = 0; i < n; i++)
		{
			double		curvature = differentiate(newton, i, now[i],
												  &slopes[i]);

			if (newton->curvature != NULL)
				newton->curvature[first + i] = curvature;
			sum += slopes[i];
			*sum_curvature += curvature;
		}
		count_in(newton, n, slopes);
	}
	newton->passes++;
	return sum;
}

/* Count the curvatures in. */
static void
count_curvature(Newton *newton)
{
	double		buffer[CODES_CHUNK];
	int			n;

	clear_turns(newton);
	for (int64_t first = 0; (n = next_chunk(newton, first)) > 0; first += n)
		count_in(newton, n, curvature_at_hand(newton, first, n, buffer));
	newton->passes++;
}

/* Gradient of the objective, and the preconditioner */
static void
gradient(Newton *newton, const double *weights)
{
	double		curvature;
	double		slopes = count_slopes(newton, &curvature);

	/* all rows may be as good as certain */
	newton->preconditioner.sum = curvature + LEAST_CURVATURE;
	collect(newton, slopes, newton->gradient);
	for (int i = 0; i < newton->n - 1; i++)
		newton->gradient[i] += weights[i];
	limits_gradient(newton->problem->limits, weights, newton->gradient);
	count_curvature(newton);
	for (int b = 0; b < newton->problem->nblocks; b++)
	{
		take_totals(newton, b);
		precondition_block(&newton->preconditioner, b, newton->totals);
	}
	limits_prepare(newton->problem->limits, &newton->preconditioner);
}

/* product = Hessian * search, in one pass */
static void
multiply(Newton *newton)
{
	double		chunk[CODES_CHUNK],
				buffer[CODES_CHUNK];
	double		all = 0;
	int			n;

	newton->intercept = fill_table(newton, newton->search, newton->table);
	clear_turns(newton);
	for (int64_t first = 0; (n = next_chunk(newton, first)) > 0; first += n)
	{
		const double *curvature = curvature_at_hand(newton, first, n, buffer);

		look_up(newton, newton->table, newton->intercept, n, chunk);
		for (int i = 0; i < n; i++)
		{
			chunk[i] *= curvature[i];
			all += chunk[i];
		}
		count_in(newton, n, chunk);
	}
	collect(newton, all, newton->product);
	for (int i = 0; i < newton->n - 1; i++)
		newton->product[i] += newton->search[i];
	limits_product(newton->problem->limits, newton->search, newton->product);
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

	set_moves(newton);
	for (int i = 0; i < MAX_HALVINGS; i++, length /= 2)
	{
		double		next;

		for (int w = 0; w < newton->n; w++)
			newton->tried[w] = weights[w] + length * newton->direction[w];
		next = dot(newton->tried, newton->tried, newton->n - 1) / 2 +
			loss_at(newton, length) +
			limits_loss(newton->problem->limits, newton->tried);
		/* near the minimum what is gained drowns in rounding */
		if (!(next <= *objective + ENOUGH * length * slope +
			  1e-15 * *objective))
			continue;
		memcpy(weights, newton->tried, sizeof(double) * newton->n);
		set_scores(newton, weights);
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
	set_scores(&newton, weights);
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
	set_scores(&newton, weights);
	objective = dot(weights, weights, newton.n - 1) / 2 +
		loss_at(&newton, 0) + limits_loss(problem->limits, weights);
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
