/*-------------------------------------------------------------------------
 *
 * monotone.c
 *	  Option "monotone": columns in which the score may not fall, or rise.
 *
 * A linear column needs no more than the right sign of its weight.  Weights
 * of the wrong sign are put to 0 and the rest is fitted again; a weight at 0
 * that would now move the right way is let in again.  At the end no weight
 * at 0 would move the right way, which makes it the constrained minimum; a
 * column that was let in three times stays out instead, so that this ends.
 *
 * Curves and pairs are held by inequalities (limits.c): here is how columns
 * and pairs of a binning become chains of codes for them.
 *
 * A missing value is held by nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "learn/bins.h"

#define MOST_ENTRIES	3		/* of one column */

/*
 * Signs by column, where a column that is dropped hands its own on to the
 * one that it repeats; NULL when there are none.
 */
static int8 *
spread_signs(const int8 *monotone, const ColumnFate *fate,
			 const int *duplicate_of, int ncolumns)
{
	int8	   *signs = palloc(Max(ncolumns, 1));
	bool		any = false;

	memcpy(signs, monotone, ncolumns);
	for (int i = 0; i < ncolumns; i++)
	{
		any |= monotone[i] != 0;
		if (fate[i] == COLUMN_DUPLICATE && signs[duplicate_of[i]] == 0)
			signs[duplicate_of[i]] = monotone[i];
	}
	return any ? signs : NULL;
}

/* ---- linear columns ---- */

/* A column of the encoding under a limit, while the others are fitted */
typedef struct HeldColumn
{
	int			design;			/* its design column */
	int			entries;		/* times it was let in again */
} HeldColumn;

/* Slope of the loss at a weight of 0 of one column: c included */
static double
column_slope(const FitTask *task, const FitMatrix *matrix,
			 const ModelTerm *term, int held_out, double c,
			 const double *log_odds)
{
	const double *x = matrix->values + (Size) term->input * matrix->nrows;
	double		slope = 0;

	for (int64 row = 0; row < matrix->nrows; row++)
	{
		double		z;

		if (matrix->fold[row] == held_out || isnan(x[row]))
			continue;
		z = (model_transform(x[row], term->signed_log) - term->mean) /
			term->scale;
		slope += c * task->class_weights[matrix->churned[row]] * z *
			(model_probability(log_odds[row]) - matrix->churned[row]);
	}
	return slope;
}

/* Log-odds of all rows, with the class weights in them */
static double *
row_log_odds(const FitMatrix *matrix, Encoding *encoding,
			 const double *weights)
{
	double	   *log_odds =
		MemoryContextAllocHuge(CurrentMemoryContext,
							   sizeof(double) * Max(matrix->nrows, 1));

	encoding_take_weights(encoding, weights);
	for (int64 row = 0; row < matrix->nrows; row++)
		log_odds[row] = weights[encoding->ndesign];
	for (int i = 0; i < encoding->ncolumns; i++)
	{
		const ModelTerm *term = &encoding->columns[i].term;
		const double *x = matrix->values + (Size) term->input * matrix->nrows;

		CHECK_FOR_INTERRUPTS();
		for (int64 row = 0; row < matrix->nrows; row++)
		{
			double		value = x[row];

			if (term->kind == MODEL_LEVELS && !isnan(value))
				value = level_code(&encoding->columns[i].levels, value);
			log_odds[row] += model_contribution(term, value, isnan(value));
		}
	}
	return log_odds;
}

/* Put columns whose weight has the wrong sign out; returns their number. */
static int
put_out(Encoding *encoding, const int8 *monotone, double *weights)
{
	int			n = 0;

	for (int i = 0; i < encoding->ncolumns; i++)
	{
		EncodedColumn *column = &encoding->columns[i];
		int			sign = monotone[column->term.input];

		if (sign == 0 || column->term.kind == MODEL_LEVELS ||
			column->value_column < 0 ||
			sign * weights[column->value_column] >= 0)
			continue;
		weights[column->value_column] = 0;
		column->value_column = -1;
		n++;
	}
	return n;
}

/* Let columns in that would move the right way; returns their number. */
static int
let_in(const FitTask *task, const FitMatrix *matrix, Encoding *encoding,
	   HeldColumn *held, int held_out, const int8 *monotone, double c,
	   const double *weights)
{
	double	   *log_odds = row_log_odds(matrix, encoding, weights);
	double		idle = task->penalty == FIT_L1 ? 1 : 1e-9 * c * matrix->nrows;
	int			n = 0;

	for (int i = 0; i < encoding->ncolumns; i++)
	{
		EncodedColumn *column = &encoding->columns[i];
		double		slope;

		if (column->term.kind == MODEL_LEVELS ||
			held[i].design == column->value_column ||
			held[i].entries >= MOST_ENTRIES)
			continue;
		slope = column_slope(task, matrix, &column->term, held_out, c,
							 log_odds);
		if (monotone[column->term.input] * slope >= -idle)
			continue;
		column->value_column = held[i].design;
		held[i].entries++;
		n++;
	}
	pfree(log_odds);
	return n;
}

/* The problem of the columns that are in */
static void
rebuild(LinearProblem **problem, const FitMatrix *matrix,
		const Encoding *encoding, int held_out)
{
	linear_free(*problem);
	*problem = linear_problem(matrix, encoding, held_out);
}

void
monotone_linear_fit(LinearProblem **problem, const FitTask *task,
					const FitMatrix *matrix, Encoding *encoding, int held_out,
					const int8 *monotone, double c, double *weights)
{
	int8	   *signs = spread_signs(monotone, encoding->fate,
									 encoding->duplicate_of,
									 matrix->ncolumns);
	HeldColumn *held;
	bool		changed = false;

	linear_fit(*problem, task, c, task->tolerance, weights);
	if (signs == NULL)
		return;
	held = palloc0(sizeof(HeldColumn) * Max(encoding->ncolumns, 1));
	for (int i = 0; i < encoding->ncolumns; i++)
		held[i].design = encoding->columns[i].value_column;
	while (put_out(encoding, signs, weights) > 0 ||
		   (changed && let_in(task, matrix, encoding, held, held_out, signs, c,
							  weights) > 0))
	{
		changed = true;
		rebuild(problem, matrix, encoding, held_out);
		linear_fit(*problem, task, c, task->tolerance, weights);
	}
	if (!changed)
		return;
	/* the next C may let all of them in again */
	for (int i = 0; i < encoding->ncolumns; i++)
		encoding->columns[i].value_column = held[i].design;
	rebuild(problem, matrix, encoding, held_out);
	pfree(held);
}

/* ---- curves and pairs ---- */

static void *
limits_allocate(size_t size)
{
	return palloc(size);
}

Limits *
monotone_limits(const Binning *binning, int ncolumns, const CodedPair *pairs,
				int npairs, const int8 *monotone)
{
	int8	   *signs = spread_signs(monotone, binning->fate,
									 binning->duplicate_of, ncolumns);
	Limits	   *limits;

	if (signs == NULL)
		return NULL;
	limits = palloc0(sizeof(Limits));
	limits->allocate = limits_allocate;
	limits->chains = palloc0(sizeof(LimitChain) * Max(binning->ncolumns, 1));
	for (int i = 0; i < binning->ncolumns; i++)
	{
		const BinnedColumn *column = &binning->columns[i];
		LimitChain *chain = &limits->chains[limits->nchains];

		if (signs[column->column] == 0 || column->by_level ||
			column->fine.ncuts == 0)
			continue;
		chain->block = i;
		chain->nbins = column->fine.ncuts + 1;
		chain->sign = signs[column->column];
		chain->coarse_of = column->coarse_of;
		chain->pairs = palloc(sizeof(LimitPair) * Max(npairs, 1));
		for (int p = 0; p < npairs; p++)
		{
			if (pairs[p].columns.first != i && pairs[p].columns.second != i)
				continue;
			chain->pairs[chain->npairs].block = binning->ncolumns + p;
			chain->pairs[chain->npairs++].side = pairs[p].columns.second == i;
		}
		limits->nchains++;
	}
	return limits->nchains == 0 ? NULL : limits;
}
