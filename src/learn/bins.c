/*-------------------------------------------------------------------------
 *
 * bins.c
 *	  The encoder "bins": quantile bins of a column, learnt from its known
 *	  training values.
 *
 * Bins are filled from below: each takes values until it holds its share of
 * the rows that are left, and 20 at least; equal values stay together.  So a
 * value that holds half of the rows costs one bin, not twelve.  A cut is the
 * least value of the bin above it.
 *
 * A missing value is coded as the training mean of every indicator, with a
 * weight of its own where 20 training rows miss the value.  Left out are
 * columns without a known value, constant ones, and those whose codes repeat
 * an earlier column's.
 *
 * A column of levels (level_codes.c) is one-hot.  In a pair its seven most
 * frequent levels have a code each, all others share one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/memutils.h"

#include "learn/bins.h"

/* Cuts are learnt from at most about so many values, evenly spread. */
#define CUT_ROWS	100000

/* Bins of a column where rows are few, and rows that bear a bin more */
#define BINS_FEW	24
#define BINS_ROWS	50

int
bins_most(int64 ntraining)
{
	return Min(Max(ntraining / BINS_ROWS, BINS_FEW), BINS_MAX);
}

Size
bins_bytes(int64 nrows, int ncolumns)
{
	/* a code a row and column, the values of one column twice */
	return add_size(mul_size(nrows, (Size) ncolumns + 2 * sizeof(double)),
					mul_size(ncolumns, sizeof(BinnedColumn) +
							 4 * sizeof(double) * BINS_MAX));
}

/* Does a row train? */
static inline bool
row_trains(const FitMatrix *matrix, int held_out, int64 row)
{
	return matrix->fold[row] != held_out;
}

static int
compare_doubles(const void *a, const void *b)
{
	double		left = *(const double *) a;
	double		right = *(const double *) b;

	return left < right ? -1 : left > right;
}

/* Known training values of a column, every "stride"-th, sorted */
static int64
gather_values(const FitMatrix *matrix, int held_out, int column, int64 stride,
			  double *values)
{
	const double *x = matrix->values + (Size) column * matrix->nrows;
	int64		n = 0;

	for (int64 row = 0; row < matrix->nrows; row += stride)
		if (row_trains(matrix, held_out, row) && !isnan(x[row]))
			values[n++] = x[row];
	qsort(values, n, sizeof(double), compare_doubles);
	return n;
}

/*
 * Is a bin that holds "have" rows full, before a run of "run" more?  When it
 * holds what is wanted, or misses that by less than it would exceed it.
 */
static bool
bin_full(int64 have, int64 run, int64 wanted, int64 least)
{
	return have >= least &&
		(have >= wanted || have + run - wanted > wanted - have);
}

/*
 * Fill at most "most" bins from below; cuts[] takes one less.  Returns the
 * number of cuts.
 */
static int
place_cuts(const double *values, int64 n, int most, int64 least, double *cuts)
{
	int			ncuts = 0;
	int64		begin = 0;		/* of the current bin */
	int64		end;			/* of the run of equal values at i */

	for (int64 i = 0; i < n && ncuts < most - 1; i = end)
	{
		for (end = i + 1; end < n && values[end] == values[i];)
			end++;
		if (n - i < least)
			break;
		if (i == begin ||
			!bin_full(i - begin, end - i, (n - begin) / (most - ncuts),
					  least))
			continue;
		cuts[ncuts++] = values[i];
		begin = i;
	}
	return ncuts;
}

/* Count training rows by code. */
static void
count_codes(const FitMatrix *matrix, int held_out, const uint8 *codes,
			int64 *counts)
{
	memset(counts, 0, sizeof(int64) * (BINS_MAX + 1));
	for (int64 row = 0; row < matrix->nrows; row++)
		if (row_trains(matrix, held_out, row))
			counts[codes[row]]++;
}

/* Means of the indicators of an axis, from counts by bin */
static void
axis_means(BinAxis *axis, const int64 *counts)
{
	int64		known = 0,
				above = 0;

	axis->means = palloc(sizeof(double) * Max(axis->ncuts, 1));
	for (int bin = 0; bin <= axis->ncuts; bin++)
		known += counts[bin];
	for (int cut = axis->ncuts - 1; cut >= 0; cut--)
	{
		above += counts[cut + 1];
		axis->means[cut] = (double) above / Max(known, 1);
	}
}

/* Merge fine bins into about COARSE_BINS, filled from below likewise. */
static void
make_coarse(BinnedColumn *column, const int64 *counts)
{
	const BinAxis *fine = &column->fine;
	BinAxis    *coarse = &column->coarse;
	int64		merged[COARSE_BINS + 1] = {0};
	int64		left = 0;

	for (int bin = 0; bin <= fine->ncuts; bin++)
		left += counts[bin];
	coarse->cuts = palloc(sizeof(double) * COARSE_BINS);
	for (int bin = 0; bin <= fine->ncuts; bin++)
	{
		if (bin > 0 && coarse->ncuts < COARSE_BINS - 1 &&
			bin_full(merged[coarse->ncuts], counts[bin],
					 left / (COARSE_BINS - coarse->ncuts), 1))
		{
			left -= merged[coarse->ncuts];
			coarse->cuts[coarse->ncuts++] = fine->cuts[bin - 1];
		}
		merged[coarse->ncuts] += counts[bin];
		column->coarse_of[bin] = coarse->ncuts;
	}
	column->coarse_of[fine->ncuts + 1] = coarse->ncuts + 1;
	axis_means(coarse, merged);
}

/* Learn cuts of a column and code its rows. */
static ColumnFate
learn_column(const FitMatrix *matrix, int held_out, int64 ntraining,
			 double *values, BinnedColumn *column)
{
	const double *x = matrix->values + (Size) column->column * matrix->nrows;
	int64		stride = 1 + ntraining / CUT_ROWS;
	int64		n = gather_values(matrix, held_out, column->column, stride,
								  values);
	int64		counts[BINS_MAX + 1];
	double		cuts[BINS_MAX];

	if (n == 0)
		return COLUMN_EMPTY;
	column->fine.ncuts = place_cuts(values, n, bins_most(ntraining),
									(BINS_MIN_ROWS + stride - 1) / stride, cuts);
	column->fine.cuts = palloc(sizeof(double) * BINS_MAX);
	memcpy(column->fine.cuts, cuts, sizeof(double) * column->fine.ncuts);
	column->own = column->fine.ncuts + 1;
	column->codes = MemoryContextAllocHuge(CurrentMemoryContext,
										   Max(matrix->nrows, 1));
	for (int64 row = 0; row < matrix->nrows; row++)
		column->codes[row] = isnan(x[row]) ? column->own :
			model_bin(cuts, column->fine.ncuts, x[row]);
	count_codes(matrix, held_out, column->codes, counts);
	for (int code = 0; code <= column->own; code++)
		column->shares[code] = (double) counts[code] / ntraining;
	column->missing_weight = counts[column->own] >= BINS_MIN_ROWS &&
		ntraining - counts[column->own] >= BINS_MIN_ROWS;
	axis_means(&column->fine, counts);
	make_coarse(column, counts);
	return column->fine.ncuts > 0 || column->missing_weight ?
		COLUMN_KEPT : COLUMN_CONSTANT;
}

/* The most frequent levels, then all others; those too rare are the mean. */
static void
make_coarse_levels(BinnedColumn *column)
{
	const LevelCodes *levels = &column->levels;
	BinAxis    *coarse = &column->coarse;
	int64		rest = 0;

	coarse->ncuts = Min(levels->nlevels, COARSE_BINS - 1);
	coarse->means = palloc0(sizeof(double) * COARSE_BINS);
	for (int code = 0; code <= levels->nlevels; code++)
	{
		int			group = Min(code, coarse->ncuts);

		column->coarse_of[code] = group;
		coarse->means[group] += levels->means[code];
		if (group == coarse->ncuts)
			rest += levels->counts[code];
	}
	coarse->nhot = coarse->ncuts + (rest >= BINS_MIN_ROWS);
	column->coarse_of[column->own] = coarse->ncuts + 1;
}

/* Learn levels of a column and code its rows. */
static ColumnFate
learn_levels(const FitMatrix *matrix, int held_out, int64 ntraining,
			 BinnedColumn *column)
{
	const double *x = matrix->values + (Size) column->column * matrix->nrows;
	LevelCodes *levels = &column->levels;
	ColumnFate	fate = level_codes_learn(matrix, held_out, column->column,
										 levels);

	column->by_level = true;
	if (fate != COLUMN_KEPT)
	{
		level_codes_free(levels);
		return fate;
	}
	column->fine.ncuts = levels->nlevels;
	column->fine.means = levels->means;
	column->fine.nhot = level_codes_hot(levels);
	column->own = levels->nlevels + 1;
	column->missing_weight = levels->missing_weight;
	column->codes = MemoryContextAllocHuge(CurrentMemoryContext,
										   Max(matrix->nrows, 1));
	for (int64 row = 0; row < matrix->nrows; row++)
		column->codes[row] = level_code(levels, x[row]);
	for (int code = 0; code <= column->own; code++)
		column->shares[code] = (double) levels->counts[code] / ntraining;
	make_coarse_levels(column);
	return COLUMN_KEPT;
}

/* Hash of a column's codes over the training rows */
static uint64
codes_hash(const FitMatrix *matrix, int held_out, const uint8 *codes)
{
	uint64		hash = 0;

	for (int64 row = 0; row < matrix->nrows; row++)
		if (row_trains(matrix, held_out, row))
			hash = (hash ^ codes[row]) * UINT64CONST(0x9e3779b97f4a7c15) +
				(hash >> 29);
	return hash;
}

static bool
codes_equal(const FitMatrix *matrix, int held_out, const uint8 *a,
			const uint8 *b)
{
	for (int64 row = 0; row < matrix->nrows; row++)
		if (row_trains(matrix, held_out, row) && a[row] != b[row])
			return false;
	return true;
}

/* Position of a kept column with the same codes, or -1 */
static int
find_duplicate(const Binning *binning, const FitMatrix *matrix, int held_out,
			   const BinnedColumn *column, const uint64 *hashes)
{
	for (int i = 0; i < binning->ncolumns; i++)
		if (hashes[i] == hashes[binning->ncolumns] &&
			binning->columns[i].by_level == column->by_level &&
			binning->columns[i].fine.ncuts == column->fine.ncuts &&
			codes_equal(matrix, held_out, binning->columns[i].codes,
						column->codes))
			return i;
	return -1;
}

/* Keep a column unless it repeats an earlier one. */
static ColumnFate
add_column(Binning *binning, const FitMatrix *matrix, int held_out,
		   const BinnedColumn *column, uint64 *hashes)
{
	int			same;

	hashes[binning->ncolumns] = codes_hash(matrix, held_out, column->codes);
	same = find_duplicate(binning, matrix, held_out, column, hashes);
	if (same >= 0)
	{
		binning->duplicate_of[column->column] = binning->columns[same].column;
		return COLUMN_DUPLICATE;
	}
	binning->columns[binning->ncolumns++] = *column;
	return COLUMN_KEPT;
}

Binning *
bins_learn(const FitMatrix *matrix, int held_out)
{
	Binning    *binning = palloc0(sizeof(Binning));
	int			ncolumns = matrix->ncolumns;
	uint64	   *hashes = palloc(sizeof(uint64) * ncolumns);
	double	   *values;

	binning->nrows = matrix->nrows;
	binning->columns = palloc0(sizeof(BinnedColumn) * ncolumns);
	binning->fate = palloc0(sizeof(ColumnFate) * ncolumns);
	binning->duplicate_of = palloc0(sizeof(int) * ncolumns);
	for (int64 row = 0; row < matrix->nrows; row++)
		binning->ntraining += row_trains(matrix, held_out, row);
	values = MemoryContextAllocHuge(CurrentMemoryContext,
									mul_size(Max(matrix->nrows, 1),
											 sizeof(double)));
	for (int i = 0; i < ncolumns; i++)
	{
		BinnedColumn column = {.column = i};
		ColumnFate *fate = &binning->fate[i];

		CHECK_FOR_INTERRUPTS();
		*fate = matrix->levels[i] != FIT_NUMBERS ?
			learn_levels(matrix, held_out, binning->ntraining, &column) :
			learn_column(matrix, held_out, binning->ntraining, values, &column);
		if (*fate == COLUMN_KEPT)
			*fate = add_column(binning, matrix, held_out, &column, hashes);
		if (*fate != COLUMN_KEPT && column.codes != NULL)
			pfree(column.codes);
	}
	pfree(values);
	pfree(hashes);
	return binning;
}

/* An axis as blocks want it */
static CodeAxis
code_axis(const BinnedColumn *column, const BinAxis *axis)
{
	CodeAxis	result = {axis->ncuts + 1, axis->means, column->by_level,
	axis->nhot, false};

	return result;
}

CodeAxis
bins_coarse_axis(const BinnedColumn *column)
{
	return code_axis(column, &column->coarse);
}

void
bins_block(const BinnedColumn *column, CodeBlock *block)
{
	memset(block, 0, sizeof(*block));
	block->codes = column->codes;
	block->axis[0] = code_axis(column, &column->fine);
	/* among levels, missing is one more of them */
	block->axis[0].missing_none = column->missing_weight;
	block->own = &column->own;
	block->nown = column->missing_weight;
	block->penalty = 1;
	block_measure(block);
}

void
bins_term(const BinnedColumn *column, const double *weights, ModelTerm *term)
{
	CodeBlock	block;
	double		values[CODES_MAX];
	int			nbins = column->fine.ncuts + 1;

	bins_block(column, &block);
	block_values(&block, weights, values);
	memset(term, 0, sizeof(*term));
	term->kind = column->by_level ? MODEL_LEVELS : MODEL_BINS;
	term->input = column->column;
	term->ncuts = column->fine.ncuts;
	term->cuts = column->fine.cuts;
	term->level_numbers = column->levels.numbers;
	term->values = palloc(sizeof(double) * nbins);
	term->shares = palloc(sizeof(double) * nbins);
	for (int bin = 0; bin < nbins; bin++)
	{
		term->values[bin] = values[bin];
		term->shares[bin] = column->shares[bin];
		term->average += values[bin] * column->shares[bin];
	}
	term->missing_weight = values[nbins];
	term->missing_share = column->shares[nbins];
	term->average += term->missing_weight * term->missing_share;
}
