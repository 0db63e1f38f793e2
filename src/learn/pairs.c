/*-------------------------------------------------------------------------
 *
 * pairs.c
 *	  Which pairs of columns say more together than each alone, and pairs as
 *	  blocks of codes.
 *
 * With residuals r = y - p of the additive model, p out of fold, and
 * variances v = p (1 - p), a pair's cells have sums R and V.  What rows and
 * columns of the table explain is taken out first, by weighted least squares
 * (alternating between the two), for a shift of a single input is not an
 * interaction.  The statistic is then Q = sum (R - V fit)^2 / (V + 1), about
 * chi-square with d degrees of freedom when there is nothing: cells less
 * rows less columns plus 1, of those that hold rows.  Strength is its
 * standardised form (Q - d) / sqrt(2 d).  The 1 is what the penalty does to
 * cells of few rows, and d allows for it.
 *
 * C. R. Rao, Proc. Cambridge Philos. Soc. 44 (1948) 50-57 (score test).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/memutils.h"

#include "learn/bins.h"

#define SWEEPS			20		/* of the weighted least squares */
#define LEAST_STRENGTH	1.0		/* in standard deviations */
#define MAX_COLUMNS		400		/* that are paired; those after are not */
#define SIDE_CODES		(COARSE_BINS + 1)
#define CELLS			(SIDE_CODES * SIDE_CODES)

/* Sums by cell; rows of the table are codes of the first column. */
typedef struct PairTable
{
	double		r[CELLS];
	double		v[CELLS];
} PairTable;

/* Coarse codes, missing included, of a column */
static int
side_codes(const BinnedColumn *column)
{
	return column->coarse.ncuts + 2;
}

/* Add the margin's mean residual to its fit; a margin without rows has none. */
static void
sweep_margin(const PairTable *table, int n, int step, int m, int other_step,
			 double *fit, const double *other)
{
	for (int i = 0; i < n; i++)
	{
		double		r = 0,
					v = 0;

		for (int j = 0; j < m; j++)
		{
			int			cell = i * step + j * other_step;

			r += table->r[cell] - table->v[cell] * other[j];
			v += table->v[cell];
		}
		fit[i] = v > 0 ? r / v : 0;
	}
}

/* Margins of a table that hold rows */
static int
margins_held(const PairTable *table, int n, int step, int m, int other_step)
{
	int			held = 0;

	for (int i = 0; i < n; i++)
	{
		double		v = 0;

		for (int j = 0; j < m; j++)
			v += table->v[i * step + j * other_step];
		held += v > 0;
	}
	return held;
}

/* What a set of cells adds to the statistic */
typedef struct CellSum
{
	double		q;				/* squared residuals over variances */
	double		expected;		/* of the same, were the margins known */
	double		variance;
	int			held;			/* cells with rows */
} CellSum;

static void
add_cell(CellSum *sum, double r, double v)
{
	double		shrunk = v / (v + 1);

	sum->q += r * r / (v + 1);
	sum->expected += shrunk;
	sum->variance += 2 * shrunk * shrunk;
	sum->held++;
}

/* (Q - d) / sqrt(2 d) where so many margins were fitted; -1 without freedom */
static double
standardised(const CellSum *sum, int margins)
{
	double		left;

	if (sum->held <= margins)
		return -1;
	left = 1 - (double) margins / sum->held;
	return (sum->q - sum->expected * left) / sqrt(sum->variance * left);
}

/*
 * Strength of an n x m table: that of all cells, or of those with a missing
 * side alone, in which a signal would be thinned by the others.
 */
static double
table_strength(const PairTable *table, int n, int m)
{
	double		rows[SIDE_CODES] = {0},
				columns[SIDE_CODES] = {0};
	CellSum		all = {0},
				missing = {0};
	int			margins = margins_held(table, n, m, m, 1) +
		margins_held(table, m, 1, n, m) - 1;

	for (int i = 0; i < SWEEPS; i++)
	{
		sweep_margin(table, n, m, m, 1, rows, columns);
		sweep_margin(table, m, 1, n, m, columns, rows);
	}
	for (int cell = 0; cell < n * m; cell++)
	{
		double		v = table->v[cell];
		double		r = table->r[cell] - v * (rows[cell / m] + columns[cell % m]);

		if (v <= 0)
			continue;
		add_cell(&all, r, v);
		if (cell / m == n - 1 || cell % m == m - 1)
			add_cell(&missing, r, v);
	}
	return Max(standardised(&all, margins), standardised(&missing, 2));
}

/* Strongest first; the order of columns among equals */
static int
compare_pairs(const void *a, const void *b)
{
	const ColumnPair *left = a;
	const ColumnPair *right = b;

	if (left->strength != right->strength)
		return left->strength > right->strength ? -1 : 1;
	if (left->first != right->first)
		return left->first - right->first;
	return left->second - right->second;
}

/* Residuals and variances of the training rows, one behind the other */
typedef struct Residuals
{
	int64		n;
	float	   *r;
	float	   *v;
	uint8	  **codes;			/* per kept column: coarse code */
} Residuals;

static Residuals
take_residuals(const Binning *binning, const FitMatrix *matrix,
			   const uint8 *training, const double *log_odds, int ncolumns)
{
	Residuals	all = {0};
	MemoryContext context = CurrentMemoryContext;

	all.r = MemoryContextAllocHuge(context, sizeof(float) * matrix->nrows);
	all.v = MemoryContextAllocHuge(context, sizeof(float) * matrix->nrows);
	all.codes = palloc(sizeof(uint8 *) * Max(ncolumns, 1));
	for (int c = 0; c < ncolumns; c++)
		all.codes[c] = MemoryContextAllocHuge(context, matrix->nrows);
	for (int64 row = 0; row < matrix->nrows; row++)
	{
		double		p;

		if (!training[row])
			continue;
		p = model_probability(log_odds[row]);
		all.r[all.n] = matrix->churned[row] - p;
		all.v[all.n] = p * (1 - p);
		for (int c = 0; c < ncolumns; c++)
		{
			const BinnedColumn *column = &binning->columns[c];

			all.codes[c][all.n] = column->coarse_of[column->codes[row]];
		}
		all.n++;
	}
	return all;
}

static double
pair_strength(const Binning *binning, const Residuals *all, int first,
			  int second)
{
	int			n = side_codes(&binning->columns[first]);
	int			m = side_codes(&binning->columns[second]);
	const uint8 *a = all->codes[first];
	const uint8 *b = all->codes[second];
	PairTable	table;

	memset(&table, 0, sizeof(table));
	for (int64 i = 0; i < all->n; i++)
	{
		int			cell = a[i] * m + b[i];

		table.r[cell] += all->r[i];
		table.v[cell] += all->v[i];
	}
	return table_strength(&table, n, m);
}

int
pairs_rank(const Binning *binning, const FitMatrix *matrix,
		   const uint8 *training, const double *log_odds, int want,
		   ColumnPair *pairs)
{
	int			ncolumns = Min(binning->ncolumns, MAX_COLUMNS);
	Residuals	all = take_residuals(binning, matrix, training, log_odds,
									 ncolumns);
	ColumnPair *found = palloc(sizeof(ColumnPair) *
							   Max(ncolumns * (ncolumns - 1) / 2, 1));
	int			n = 0;

	for (int i = 0; i < ncolumns; i++)
	{
		for (int j = i + 1; j < ncolumns; j++)
		{
			CHECK_FOR_INTERRUPTS();
			found[n].first = i;
			found[n].second = j;
			found[n].strength = pair_strength(binning, &all, i, j);
			n += found[n].strength >= LEAST_STRENGTH;
		}
	}
	qsort(found, n, sizeof(ColumnPair), compare_pairs);
	n = Min(n, want);
	memcpy(pairs, found, sizeof(ColumnPair) * n);
	pfree(found);
	for (int c = 0; c < ncolumns; c++)
		pfree(all.codes[c]);
	pfree(all.codes);
	pfree(all.r);
	pfree(all.v);
	return n;
}

/* ---- pairs as blocks ---- */

/* Cells with a missing side that hold rows enough for a weight */
static void
find_own(CodedPair *pair, int n, int m, const int64 *counts)
{
	pair->own = palloc(CELLS);
	pair->nown = 0;
	for (int cell = 0; cell < n * m; cell++)
		if ((cell / m == n - 1 || cell % m == m - 1) &&
			counts[cell] >= BINS_MIN_ROWS)
			pair->own[pair->nown++] = cell;
}

void
pairs_code(const Binning *binning, const uint8 *training, ColumnPair columns,
		   CodedPair *pair)
{
	const BinnedColumn *first = &binning->columns[columns.first];
	const BinnedColumn *second = &binning->columns[columns.second];
	int			n = side_codes(first);
	int			m = side_codes(second);
	int64		counts[CELLS] = {0};

	pair->columns = columns;
	pair->codes = MemoryContextAllocHuge(CurrentMemoryContext,
										 Max(binning->nrows, 1));
	for (int64 row = 0; row < binning->nrows; row++)
	{
		int			cell = first->coarse_of[first->codes[row]] * m +
			second->coarse_of[second->codes[row]];

		pair->codes[row] = cell;
		counts[cell] += training[row];
	}
	find_own(pair, n, m, counts);
	pair->shares = palloc(sizeof(double) * n * m);
	for (int cell = 0; cell < n * m; cell++)
		pair->shares[cell] = (double) counts[cell] / binning->ntraining;
}

void
pairs_block(const Binning *binning, const CodedPair *pair, CodeBlock *block)
{
	memset(block, 0, sizeof(*block));
	block->codes = pair->codes;
	block->axis[0] = bins_coarse_axis(&binning->columns[pair->columns.first]);
	block->axis[1] = bins_coarse_axis(&binning->columns[pair->columns.second]);
	block->own = pair->own;
	block->nown = pair->nown;
	block->penalty = 1;
	block_measure(block);
}

/* One side of a pair in the model */
static void
pair_side(const BinnedColumn *column, ModelSide *side)
{
	side->input = column->column;
	side->levels = column->by_level;
	side->ncuts = column->coarse.ncuts;
	side->cuts = column->coarse.cuts;
}

void
pairs_term(const Binning *binning, const CodedPair *coded,
		   const double *weights, ModelPair *pair)
{
	CodeBlock	block;

	pairs_block(binning, coded, &block);
	memset(pair, 0, sizeof(*pair));
	pair_side(&binning->columns[coded->columns.first], &pair->side[0]);
	pair_side(&binning->columns[coded->columns.second], &pair->side[1]);
	pair->values = palloc(sizeof(double) * CODES_MAX);
	pair->shares = coded->shares;
	block_values(&block, weights, pair->values);
	for (int cell = 0; cell < model_pair_cells(pair); cell++)
		pair->average += pair->values[cell] * pair->shares[cell];
}
