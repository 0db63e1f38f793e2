/*-------------------------------------------------------------------------
 *
 * thermometer.c
 *	  From weights of indicators to numbers of codes, and back: by running
 *	  sums, or one by one where an axis is one-hot.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "learn/codes.h"

/* Codes of an axis, and indicators */
#define AXIS_CODES(axis) ((axis)->nbins + 1)
#define AXIS_WIDTH(axis) ((axis)->onehot ? (axis)->nhot : (axis)->nbins - 1)

/* Is it a pair? */
static bool
block_is_pair(const CodeBlock *block)
{
	return block->axis[1].nbins > 0;
}

/* Indicators of a block without the codes' own */
static int
block_products(const CodeBlock *block)
{
	return AXIS_WIDTH(&block->axis[0]) *
		(block_is_pair(block) ? AXIS_WIDTH(&block->axis[1]) : 1);
}

void
block_measure(CodeBlock *block)
{
	block->ncodes = AXIS_CODES(&block->axis[0]) *
		(block_is_pair(block) ? AXIS_CODES(&block->axis[1]) : 1);
	block->nweights = block_products(block) + block->nown;
}

/* values[code] from weights[indicator] where every level has its own */
static void
onehot_values(const CodeAxis *axis, const double *weights, int weight_step,
			  double *values, int value_step)
{
	double		mean = 0;

	for (int k = 0; k < axis->nhot; k++)
	{
		double		weight = weights[k * weight_step];

		mean += axis->means[k] * weight;
		values[k * value_step] = weight;
	}
	for (int code = axis->nhot; code < axis->nbins; code++)
		values[code * value_step] = mean;
	values[axis->nbins * value_step] = axis->missing_none ? 0 : mean;
}

/* The adjoint of the same */
static void
onehot_sums(const CodeAxis *axis, const double *totals, int total_step,
			double *sums, int sum_step)
{
	double		mean = axis->missing_none ? 0 :
		totals[axis->nbins * total_step];

	for (int code = axis->nhot; code < axis->nbins; code++)
		mean += totals[code * total_step];
	for (int k = 0; k < axis->nhot; k++)
		sums[k * sum_step] = totals[k * total_step] + axis->means[k] * mean;
}

/*
 * Along one axis: values[code] from weights[indicator].  Both are walked in
 * steps, for they may be rows or columns of a table.
 */
static void
axis_values(const CodeAxis *axis, const double *weights, int weight_step,
			double *values, int value_step)
{
	double		sum = 0,
				missing = 0;

	if (axis->onehot)
	{
		onehot_values(axis, weights, weight_step, values, value_step);
		return;
	}
	values[0] = 0;
	for (int k = 0; k < AXIS_WIDTH(axis); k++)
	{
		double		weight = weights[k * weight_step];

		sum += weight;
		missing += axis->means[k] * weight;
		values[(k + 1) * value_step] = sum;
	}
	values[axis->nbins * value_step] = missing;
}

/* Along one axis: sums[indicator] from totals[code] */
static void
axis_sums(const CodeAxis *axis, const double *totals, int total_step,
		  double *sums, int sum_step)
{
	double		missing = totals[axis->nbins * total_step];
	double		sum = 0;

	if (axis->onehot)
	{
		onehot_sums(axis, totals, total_step, sums, sum_step);
		return;
	}
	for (int k = AXIS_WIDTH(axis) - 1; k >= 0; k--)
	{
		sum += totals[(k + 1) * total_step];
		sums[k * sum_step] = sum + axis->means[k] * missing;
	}
}

/*
 * Codes that an own indicator covers, from its own code on, a step apart.  In
 * a pair it is a threshold, too, where one side is missing and the other is
 * in thermometer coding: "missing, and at or above it".
 */
static int
own_codes(const CodeBlock *block, int own, int *step)
{
	int			n = block->axis[0].nbins,
				m = block->axis[1].nbins;
	int			code = block->own[own];

	*step = 1;
	if (!block_is_pair(block))
		return 1;
	if (code / (m + 1) == n && code % (m + 1) < m && !block->axis[1].onehot)
		return m - code % (m + 1);
	*step = m + 1;
	if (code % (m + 1) == m && code / (m + 1) < n && !block->axis[0].onehot)
		return n - code / (m + 1);
	return 1;
}

void
block_values(const CodeBlock *block, const double *weights, double *values)
{
	const CodeAxis *first = &block->axis[0];
	const CodeAxis *second = &block->axis[1];
	const double *own = weights + block_products(block);

	if (!block_is_pair(block))
		axis_values(first, weights, 1, values, 1);
	else
	{
		double		half[CODES_MAX];	/* indicators by codes */
		int			width = AXIS_CODES(second);

		for (int k = 0; k < AXIS_WIDTH(first); k++)
			axis_values(second, weights + k * AXIS_WIDTH(second), 1,
						half + k * width, 1);
		for (int code = 0; code < width; code++)
			axis_values(first, half + code, width, values + code, width);
	}
	for (int i = 0; i < block->nown; i++)
	{
		int			step,
					n = own_codes(block, i, &step);

		for (int k = 0; k < n; k++)
			values[block->own[i] + k * step] += own[i];
	}
}

void
block_sums(const CodeBlock *block, const double *totals, double *sums)
{
	const CodeAxis *first = &block->axis[0];
	const CodeAxis *second = &block->axis[1];
	double	   *own = sums + block_products(block);

	if (!block_is_pair(block))
		axis_sums(first, totals, 1, sums, 1);
	else
	{
		double		half[CODES_MAX];	/* indicators by codes */
		int			width = AXIS_CODES(second);

		for (int code = 0; code < width; code++)
			axis_sums(first, totals + code, width, half + code, width);
		for (int k = 0; k < AXIS_WIDTH(first); k++)
			axis_sums(second, half + k * width, 1,
					  sums + k * AXIS_WIDTH(second), 1);
	}
	for (int i = 0; i < block->nown; i++)
	{
		int			step,
					n = own_codes(block, i, &step);

		own[i] = 0;
		for (int k = 0; k < n; k++)
			own[i] += totals[block->own[i] + k * step];
	}
}
