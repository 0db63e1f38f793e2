/*-------------------------------------------------------------------------
 *
 * precondition.c
 *	  The preconditioner of newton.c.
 *
 * Neighbouring thresholds are all but the same indicator, so the Hessian's
 * diagonal says little.  Within a block the Hessian is small and dense: its
 * Cholesky factor is cheap beside a pass over the rows, and what is left to
 * conjugate gradients is only what columns have to do with each other.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <string.h>

#include "learn/newton.h"

/* Where the numbers of a block begin: its first weight, and its factor */
static size_t
block_begin(const CodeProblem *problem, int block, size_t *factor)
{
	size_t		weight = 0;

	*factor = 0;
	for (int b = 0; b < block; b++)
	{
		size_t		n = problem->blocks[b].nweights;

		weight += n;
		*factor += n * n;
	}
	return weight;
}

size_t
precondition_numbers(const CodeProblem *problem)
{
	size_t		all;

	(void) block_begin(problem, problem->nblocks, &all);
	return all;
}

/* Column "at" of pI + A'DA - hh'/S: what a unit weight comes to */
static void
hessian_column(const CodeBlock *block, const double *curvature,
			   const double *shifts, double sum, int at, double *column)
{
	double		unit[CODES_MAX] = {0};
	double		values[CODES_MAX];

	unit[at] = 1;
	block_values(block, unit, values);
	for (int code = 0; code < block->ncodes; code++)
		values[code] *= curvature[code];
	block_sums(block, values, column);
	for (int i = 0; i < block->nweights; i++)
		column[i] -= shifts[i] * shifts[at] / sum;
	column[at] += block->penalty;
}

void
precondition_factorise(double *matrix, int n, double least)
{
	for (int i = 0; i < n; i++)
	{
		double	   *row = matrix + (size_t) i * n;

		for (int j = 0; j <= i; j++)
		{
			const double *other = matrix + (size_t) j * n;
			double		left = row[j];

			for (int k = 0; k < j; k++)
				left -= row[k] * other[k];
			row[j] = i == j ? sqrt(fmax(left, least)) : left / other[j];
		}
	}
}

void
precondition_block(Preconditioner *preconditioner, int block,
				   const double *curvature)
{
	const CodeBlock *this = &preconditioner->problem->blocks[block];
	size_t		at;
	double	   *shifts = preconditioner->shifts +
		block_begin(preconditioner->problem, block, &at);
	double	   *factor = preconditioner->factors + at;

	block_sums(this, curvature, shifts);
	for (int i = 0; i < this->nweights; i++)
		hessian_column(this, curvature, shifts, preconditioner->sum, i,
					   factor + (size_t) i * this->nweights);
	/* at least the penalty but for rounding */
	precondition_factorise(factor, this->nweights, this->penalty / 2);
}

/* The squares of the inverse factor, a column after the other */
double
precondition_trace(const Preconditioner *preconditioner, int block)
{
	int			n = preconditioner->problem->blocks[block].nweights;
	size_t		at;
	const double *factor;
	double		trace = 0;

	(void) block_begin(preconditioner->problem, block, &at);
	factor = preconditioner->factors + at;
	for (int column = 0; column < n; column++)
	{
		double		x[CODES_MAX];

		for (int i = column; i < n; i++)
		{
			const double *row = factor + (size_t) i * n;
			double		left = i == column;

			for (int k = column; k < i; k++)
				left -= row[k] * x[k];
			x[i] = left / row[i];
			trace += x[i] * x[i];
		}
	}
	return trace;
}

void
precondition_solve(const double *factor, int n, double *x)
{
	for (int i = 0; i < n; i++)
	{
		const double *row = factor + (size_t) i * n;

		for (int k = 0; k < i; k++)
			x[i] -= row[k] * x[k];
		x[i] /= row[i];
	}
	for (int i = n - 1; i >= 0; i--)
	{
		const double *row = factor + (size_t) i * n;

		x[i] /= row[i];
		for (int k = 0; k < i; k++)
			x[k] -= row[k] * x[i];
	}
}

static bool
all_zero(const double *x, int n)
{
	for (int i = 0; i < n; i++)
		if (x[i] != 0)
			return false;
	return true;
}

void
precondition(const Preconditioner *preconditioner, const double *residual,
			 double *out)
{
	const CodeProblem *problem = preconditioner->problem;
	const double *factor = preconditioner->factors;
	const double *shifts = preconditioner->shifts;
	int			n = problem_weights(problem);
	double		share = residual[n] / preconditioner->sum;
	double		moved = 0;

	for (int b = 0; b < problem->nblocks; b++)
	{
		int			width = problem->blocks[b].nweights;

		for (int i = 0; i < width; i++)
			out[i] = residual[i] - shifts[i] * share;
		/* inequalities (limits.c) name a few blocks */
		if (!all_zero(out, width))
			precondition_solve(factor, width, out);
		for (int i = 0; i < width; i++)
			moved += shifts[i] * out[i];
		factor += (size_t) width * width;
		shifts += width;
		residual += width;
		out += width;
	}
	*out = (*residual - moved) / preconditioner->sum;
}
