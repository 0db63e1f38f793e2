/*-------------------------------------------------------------------------
 *
 * newton_passes.c
 *	  The passes over the rows that newton.c makes.
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
 * Free of server calls.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <string.h>

#include "learn/newton_passes.h"

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
		double	   *turns = newton->turns + (size_t) b * NEWTON_TURNS * CODES_MAX;
		int			i = 0;

		for (; i + NEWTON_TURNS <= n; i += NEWTON_TURNS)
			for (int t = 0; t < NEWTON_TURNS; t++)
				turns[t * CODES_MAX + codes[i + t]] += values[i + t];
		for (; i < n; i++)
			turns[codes[i]] += values[i];
	}
}

static void
clear_turns(Newton *newton)
{
	memset(newton->turns, 0, sizeof(double) * NEWTON_TURNS * CODES_MAX *
		   newton->problem->nblocks);
}

void
newton_take_totals(Newton *newton, int block)
{
	const double *turns = newton->turns + (size_t) block * NEWTON_TURNS * CODES_MAX;

	for (int code = 0; code < newton->problem->blocks[block].ncodes; code++)
		newton->totals[code] =
			(turns[code] + turns[CODES_MAX + code]) +
			(turns[2 * CODES_MAX + code] + turns[3 * CODES_MAX + code]);
}

void
newton_collect(Newton *newton, double all, double *sums)
{
	const CodeProblem *problem = newton->problem;

	for (int b = 0; b < problem->nblocks; b++)
	{
		newton_take_totals(newton, b);
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

void
newton_set_scores(Newton *newton, const double *weights)
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

void
newton_set_moves(Newton *newton)
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

double
newton_loss_at(Newton *newton, double length)
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

double
newton_count_slopes(Newton *newton, double *sum_curvature)
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

void
newton_count_curvature(Newton *newton)
{
	double		buffer[CODES_CHUNK];
	int			n;

	clear_turns(newton);
	for (int64_t first = 0; (n = next_chunk(newton, first)) > 0; first += n)
		count_in(newton, n, curvature_at_hand(newton, first, n, buffer));
	newton->passes++;
}

double
newton_count_product(Newton *newton)
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
	newton->passes++;
	return all;
}
