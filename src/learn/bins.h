/*-------------------------------------------------------------------------
 *
 * bins.h
 *	  Columns in quantile bins or levels, as the solvers over codes see them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_BINS_H
#define CHURN_BINS_H

#include "learn/codes.h"
#include "learn/fit.h"

#define BINS_MAX		128		/* of a column */
#define BINS_MIN_ROWS	20		/* training rows in a bin, or in a missing
								 * value's that has a weight of its own */
#define COARSE_BINS		12		/* of a column in a pair */

/* Cuts and what training saw of them; missing comes after the last bin */
typedef struct BinAxis
{
	int			ncuts;
	double	   *cuts;			/* bin: how many cuts are at most x */
	double	   *means;			/* by cut: share of known rows at or above it;
								 * levels: by code, of known rows */
	int			nhot;			/* levels: codes with an indicator */
} BinAxis;

typedef struct BinnedColumn
{
	int			column;			/* of the matrix */
	bool		by_level;		/* codes are levels, not bins: ncuts of an
								 * axis is known codes less 1 all the same */
	LevelCodes	levels;
	BinAxis		fine;
	BinAxis		coarse;			/* cuts are some of the fine ones */
	uint8	   *codes;			/* by row of the matrix: fine bin */
	uint8		coarse_of[CODES_MAX];	/* by fine code, missing included */
	double		shares[CODES_MAX];	/* of training rows, likewise */
	uint8		own;			/* code of missing */
	bool		missing_weight; /* has a weight of its own */
} BinnedColumn;

typedef struct Binning
{
	int64		nrows;			/* of the matrix */
	int64		ntraining;
	int			ncolumns;		/* kept ones */
	BinnedColumn *columns;
	ColumnFate *fate;			/* per column of the matrix */
	int		   *duplicate_of;	/* where fate is COLUMN_DUPLICATE */
} Binning;

/* Learn from the rows outside fold "held_out", and code all rows. */
extern Binning *bins_learn(const FitMatrix *matrix, int held_out);

/* The most bins of a column: the more rows there are, the finer */
extern int	bins_most(int64 ntraining);

/* Bytes that bins_learn() needs beside the matrix, its result included */
extern Size bins_bytes(int64 nrows, int ncolumns);

/* The block of a column, and what its weights come to as a term */
extern void bins_block(const BinnedColumn *column, CodeBlock *block);
extern void bins_term(const BinnedColumn *column, const double *weights,
					  ModelTerm *term);

/* The coarse axis as blocks want it */
extern CodeAxis bins_coarse_axis(const BinnedColumn *column);

/* ---- pairs.c ---- */

/* Two kept columns of a binning, the first before the second */
typedef struct ColumnPair
{
	int			first;
	int			second;
	double		strength;		/* standardised score statistic */
} ColumnPair;

/* A pair as a block of its own */
typedef struct CodedPair
{
	ColumnPair	columns;
	uint8	   *codes;			/* by row: cell */
	uint8	   *own;			/* cells with a missing side and a weight */
	int			nown;
	double	   *shares;			/* by cell: of training rows */
} CodedPair;

/*
 * The strongest pairs beyond the additive model: by the score statistic of
 * its residuals, rows of training[] alone.  Returns how many were found, at
 * most "want", strongest first.  "log_odds" are out of fold.
 */
extern int	pairs_rank(const Binning *binning, const FitMatrix *matrix,
					   const uint8 *training, const double *log_odds,
					   int want, ColumnPair *pairs);

extern void pairs_code(const Binning *binning, const uint8 *training,
					   ColumnPair columns, CodedPair *pair);
extern void pairs_block(const Binning *binning, const CodedPair *pair,
						CodeBlock *block);
extern void pairs_term(const Binning *binning, const CodedPair *coded,
					   const double *weights, ModelPair *pair);

/* ---- purify.c ---- */

/*
 * Move what pairs say of single inputs into the inputs' terms, and their
 * averages into the intercept: the mean of a pair over any bin of either
 * input is 0 in training; scores stay what they are.
 */
extern void purify(Model *model);

#endif							/* CHURN_BINS_H */
