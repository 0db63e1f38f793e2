/*-------------------------------------------------------------------------
 *
 * encode.c
 *	  The "linear" encoder: how a column of numbers reaches the solver.
 *
 * Of the known training values of a column: if their skewness exceeds 1 and
 * sign(x) ln(1 + |x|) is less skewed, the logarithm is taken.  Then mean 0
 * and standard deviation 1 (divided by n).  A missing value is encoded as
 * the mean; where at least 20 training rows miss the value and 20 know it,
 * a second design column says "is missing".  Left out: columns without a
 * known value, constant ones, and those whose design columns repeat an
 * earlier column's bit for bit.
 *
 * Levels (level_codes.c) have a design column each, 0 or 1, and so have the
 * others together and missing where they have a weight; a row of others or
 * missing without one has the training mean of each level's.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>

#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/memutils.h"

#include "learn/fit.h"

#define MISSING_MIN_ROWS	20
#define SKEWNESS_LIMIT		1.0
/* a spread below this share of the largest value is rounding, not data */
#define CONSTANT_SPREAD		1e-13

/* Moments of the known values of a column, after its transformation */
typedef struct Moments
{
	double		mean;
	double		scale;			/* standard deviation; 0 when constant */
	double		skewness;
} Moments;

Size
encoding_bytes(int64 nrows, int ncolumns)
{
	/* a term, a fate and two hashes a column */
	return mul_size(ncolumns, sizeof(EncodedColumn) + 64);
}

/* Copy the known training values at hand; returns their number. */
static int
known_at_hand(const FitScan *scan, double *known)
{
	int			n = 0;

	for (int i = 0; i < scan->n; i++)
	{
		known[n] = scan->x[i];
		n += fit_scan_trains(scan, i) && !isnan(scan->x[i]);
	}
	return n;
}

/*
 * Moments of the n > 0 known values of a term's input.  Values are divided
 * by the largest first, so that nothing overflows at 1e308; two passes, so
 * that little cancels.
 */
static Moments
moments_of(const FitMatrix *matrix, int held_out, const ModelTerm *term,
		   int64 n, double *known, bool signed_log)
{
	Moments		moments = {0, 0, 0};
	FitScan		scan;
	double		largest = Max(fabs(term->low), fabs(term->high)),
				sum = 0,
				square = 0,
				cube = 0;

	largest = fabs(model_transform(largest, signed_log));
	if (largest == 0)
		return moments;
	fit_scan_begin(&scan, matrix, term->input, held_out);
	while (fit_scan_next(&scan))
	{
		int			at_hand = known_at_hand(&scan, known);

		for (int i = 0; i < at_hand; i++)
			sum += model_transform(known[i], signed_log) / largest;
	}
	sum /= n;
	fit_scan_rewind(&scan);
	while (fit_scan_next(&scan))
	{
		int			at_hand = known_at_hand(&scan, known);

		for (int i = 0; i < at_hand; i++)
		{
			double		d = model_transform(known[i], signed_log) / largest - sum;

			square += d * d;
			cube += d * d * d;
		}
	}
	square = sqrt(square / n);
	moments.mean = sum * largest;
	if (square > CONSTANT_SPREAD)
	{
		moments.scale = square * largest;
		moments.skewness = cube / n / (square * square * square);
	}
	return moments;
}

/*
 * Count the known training values of a term's input; least and largest go to
 * the term.
 */
static int64
count_known(const FitMatrix *matrix, int held_out, double *known,
			ModelTerm *term)
{
	FitScan		scan;
	int64		n = 0;

	term->low = term->high = 0;
	fit_scan_begin(&scan, matrix, term->input, held_out);
	while (fit_scan_next(&scan))
	{
		int			at_hand = known_at_hand(&scan, known);

		if (n == 0 && at_hand > 0)
			term->low = term->high = known[0];
		for (int i = 0; i < at_hand; i++)
		{
			term->low = Min(term->low, known[i]);
			term->high = Max(term->high, known[i]);
		}
		n += at_hand;
	}
	return n;
}

/*
 * Fill the term of one column, and say which design columns it wants: 0 for
 * value_column and missing_column means wanted, -1 not.
 */
static ColumnFate
learn_column(const FitMatrix *matrix, int held_out, int64 ntraining,
			 double *known, EncodedColumn *column)
{
	ModelTerm  *term = &column->term;
	int64		n = count_known(matrix, held_out, known, term);
	Moments		plain,
				logged;

	column->value_column = column->missing_column = -1;
	term->scale = 1;
	term->missing_share = (double) (ntraining - n) / ntraining;
	if (n == 0)
		return COLUMN_EMPTY;
	if (ntraining - n >= MISSING_MIN_ROWS && n >= MISSING_MIN_ROWS)
		column->missing_column = 0;
	plain = moments_of(matrix, held_out, term, n, known, false);
	/* the spread of denormal numbers is not a divisor */
	if (term->low == term->high || !(plain.scale >= DBL_MIN))
		return column->missing_column < 0 ? COLUMN_CONSTANT : COLUMN_KEPT;
	column->value_column = 0;
	if (fabs(plain.skewness) > SKEWNESS_LIMIT)
	{
		logged = moments_of(matrix, held_out, term, n, known, true);
		if (logged.scale >= DBL_MIN &&
			fabs(logged.skewness) < fabs(plain.skewness))
		{
			term->signed_log = true;
			plain = logged;
		}
	}
	term->mean = plain.mean;
	term->scale = plain.scale;
	return COLUMN_KEPT;
}

/* Levels of a column: likewise */
static ColumnFate
learn_levels(const FitMatrix *matrix, int held_out, int64 ntraining,
			 EncodedColumn *column)
{
	ModelTerm  *term = &column->term;
	ColumnFate	fate = level_codes_learn(matrix, held_out, term->input,
										 &column->levels);

	if (fate != COLUMN_KEPT)
	{
		level_codes_free(&column->levels);
		return fate;
	}
	level_codes_term(&column->levels, ntraining, term);
	column->value_column = 0;
	column->missing_column = column->levels.missing_weight ? 0 : -1;
	return COLUMN_KEPT;
}

/* z of one value of the matrix, 0 where missing; of levels the code */
static inline double
design_value(const EncodedColumn *column, double x)
{
	const ModelTerm *term = &column->term;

	if (term->kind == MODEL_LEVELS)
		return level_code(&column->levels, x);
	return isnan(x) ? 0 :
		(model_transform(x, term->signed_log) - term->mean) / term->scale;
}

/* Hash of a design column over the training rows: z, or "is missing" */
static uint64
design_hash(const FitMatrix *matrix, int held_out, const EncodedColumn *column,
			bool missing)
{
	FitScan		scan;
	uint64		hash = 0;

	fit_scan_begin(&scan, matrix, column->term.input, held_out);
	while (fit_scan_next(&scan))
		for (int i = 0; i < scan.n; i++)
		{
			double		z;
			uint64		bits;

			if (!fit_scan_trains(&scan, i))
				continue;
			z = missing ? isnan(scan.x[i]) : design_value(column, scan.x[i]);
			memcpy(&bits, &z, sizeof(bits));
			hash = (hash ^ bits) * UINT64CONST(0x9e3779b97f4a7c15);
			hash ^= hash >> 29;
		}
	return hash;
}

/* Are two design columns of the same kind equal in every training row? */
static bool
design_equal(const FitMatrix *matrix, int held_out, const EncodedColumn *a,
			 const EncodedColumn *b, bool missing)
{
	FitScan		x,
				y;
	bool		equal = true;

	if (!missing && (a->term.kind != b->term.kind ||
					 a->levels.nlevels != b->levels.nlevels))
		return false;
	fit_scan_begin(&x, matrix, a->term.input, held_out);
	fit_scan_begin(&y, matrix, b->term.input, held_out);
	while (equal && fit_scan_next(&x) && fit_scan_next(&y))
		for (int i = 0; i < x.n && equal; i++)
			equal = !fit_scan_trains(&x, i) ||
				(missing ? isnan(x.x[i]) == isnan(y.x[i]) :
				 design_value(a, x.x[i]) == design_value(b, y.x[i]));
	fit_scan_end(&x);
	fit_scan_end(&y);
	return equal;
}

/*
 * Position of an earlier kept column with the same design column, or -1.
 * hashes[i] belongs to encoding->columns[i].
 */
static int
find_duplicate(const Encoding *encoding, const FitMatrix *matrix,
			   int held_out, const EncodedColumn *column, bool missing,
			   const uint64 *hashes)
{
	for (int i = 0; i < encoding->ncolumns; i++)
	{
		const EncodedColumn *other = &encoding->columns[i];

		if ((missing ? other->missing_column : other->value_column) >= 0 &&
			hashes[i] == hashes[encoding->ncolumns] &&
			design_equal(matrix, held_out, column, other, missing))
			return i;
	}
	return -1;
}

/* Design columns of the value */
static int
encoded_width(const EncodedColumn *column)
{
	return column->term.kind == MODEL_LEVELS ?
		level_codes_hot(&column->levels) : 1;
}

/* Numbers that are not 0 in the training rows of levels without a weight */
static Size
mean_nodes(const EncodedColumn *column)
{
	const LevelCodes *levels = &column->levels;
	int64		rows = 0;

	if (column->term.kind != MODEL_LEVELS)
		return 0;
	if (!levels->other_weight)
		rows += levels->counts[levels->nlevels];
	if (!levels->missing_weight)
		rows += levels->counts[levels->nlevels + 1];
	return mul_size(rows, level_codes_hot(levels));
}

/*
 * Take a column in unless it only repeats earlier ones.  value_hashes and
 * missing_hashes have room for it behind those of the kept columns.
 */
static ColumnFate
add_column(Encoding *encoding, const FitMatrix *matrix, int held_out,
		   EncodedColumn *column, uint64 *value_hashes, uint64 *missing_hashes)
{
	int			same = -1;

	if (column->value_column >= 0)
	{
		value_hashes[encoding->ncolumns] =
			design_hash(matrix, held_out, column, false);
		same = find_duplicate(encoding, matrix, held_out, column, false,
							  value_hashes);
		if (same >= 0)
			column->value_column = -1;
	}
	if (column->missing_column >= 0)
	{
		int			same_missing;

		missing_hashes[encoding->ncolumns] =
			design_hash(matrix, held_out, column, true);
		same_missing = find_duplicate(encoding, matrix, held_out, column, true,
									  missing_hashes);
		if (same_missing >= 0)
			column->missing_column = -1;
		if (same < 0)
			same = same_missing;
	}
	if (column->value_column < 0 && column->missing_column < 0)
	{
		encoding->duplicate_of[column->term.input] =
			encoding->columns[same].term.input;
		return COLUMN_DUPLICATE;
	}
	if (column->value_column >= 0)
	{
		column->value_column = encoding->ndesign;
		encoding->ndesign += encoded_width(column);
		encoding->mean_nodes += mean_nodes(column);
	}
	if (column->missing_column >= 0)
		column->missing_column = encoding->ndesign++;
	encoding->columns[encoding->ncolumns++] = *column;
	return COLUMN_KEPT;
}

Encoding *
encoding_learn(const FitMatrix *matrix, int held_out)
{
	Encoding   *encoding = palloc0(sizeof(Encoding));
	int			ncolumns = matrix->ncolumns;
	double	   *known;
	uint64	   *value_hashes = palloc0(sizeof(uint64) * ncolumns);
	uint64	   *missing_hashes = palloc0(sizeof(uint64) * ncolumns);

	encoding->columns = palloc0(sizeof(EncodedColumn) * ncolumns);
	encoding->fate = palloc0(sizeof(ColumnFate) * ncolumns);
	encoding->duplicate_of = palloc0(sizeof(int) * ncolumns);
	encoding->ntraining = fit_matrix_training(matrix, held_out);
	known = palloc(sizeof(double) * FIT_SCAN_ROWS);
	for (int i = 0; i < ncolumns; i++)
	{
		EncodedColumn column;

		CHECK_FOR_INTERRUPTS();
		memset(&column, 0, sizeof(column));
		column.term.kind = MODEL_LINEAR;
		column.term.input = i;
		if (matrix->levels[i] != FIT_NUMBERS)
			encoding->fate[i] = learn_levels(matrix, held_out,
											 encoding->ntraining, &column);
		else
			encoding->fate[i] = learn_column(matrix, held_out,
											 encoding->ntraining, known, &column);
		if (encoding->fate[i] == COLUMN_KEPT)
			encoding->fate[i] = add_column(encoding, matrix, held_out, &column,
										   value_hashes, missing_hashes);
	}
	pfree(known);
	pfree(value_hashes);
	pfree(missing_hashes);
	return encoding;
}

int
encoded_nodes(const EncodedColumn *column, double x, int *first,
			  const double **values)
{
	static const double one = 1;
	const LevelCodes *levels = &column->levels;
	int			code = level_code(levels, x);

	*first = column->value_column + code;
	*values = &one;
	if (code < level_codes_hot(levels))
		return column->value_column >= 0;
	if (code > levels->nlevels && levels->missing_weight)
	{
		*first = column->missing_column;
		return column->missing_column >= 0;
	}
	*first = column->value_column;
	*values = levels->means;
	return column->value_column >= 0 ? level_codes_hot(levels) : 0;
}

/* Weights of levels as the values of their codes */
static void
take_levels(EncodedColumn *column, const double *weights)
{
	ModelTerm  *term = &column->term;
	const LevelCodes *levels = &column->levels;
	int			nhot = level_codes_hot(levels);
	double		mean = 0;

	for (int code = 0; code < nhot && column->value_column >= 0; code++)
	{
		term->values[code] = weights[column->value_column + code];
		mean += levels->means[code] * term->values[code];
	}
	for (int code = nhot; code <= levels->nlevels; code++)
		term->values[code] = mean;
	term->missing_weight = !levels->missing_weight ? mean :
		column->missing_column < 0 ? 0 : weights[column->missing_column];
	term->average = term->missing_share * term->missing_weight;
	for (int code = 0; code <= levels->nlevels; code++)
		term->average += term->shares[code] * term->values[code];
}

/* The same of levels: most numbers are 0. */
static void
fill_levels(const EncodedColumn *column, const double *x, int n, double *z,
			int stride)
{
	int			nhot = column->value_column < 0 ? 0 :
		level_codes_hot(&column->levels);

	for (int d = 0; d < nhot; d++)
		memset(z + (Size) (column->value_column + d) * stride, 0,
			   sizeof(double) * n);
	if (column->missing_column >= 0)
		memset(z + (Size) column->missing_column * stride, 0,
			   sizeof(double) * n);
	for (int i = 0; i < n; i++)
	{
		const double *values;
		int			first;
		int			count = encoded_nodes(column, x[i], &first, &values);

		for (int k = 0; k < count; k++)
			z[(Size) (first + k) * stride + i] = values[k];
	}
}

void
encoding_fill(const EncodedColumn *column, const double *x, int n, double *z,
			  int stride)
{
	if (column->term.kind == MODEL_LEVELS)
	{
		fill_levels(column, x, n, z, stride);
		return;
	}
	if (column->value_column >= 0)
	{
		double	   *value = z + (Size) column->value_column * stride;

		for (int i = 0; i < n; i++)
			value[i] = design_value(column, x[i]);
	}
	if (column->missing_column >= 0)
	{
		double	   *missing = z + (Size) column->missing_column * stride;

		for (int i = 0; i < n; i++)
			missing[i] = isnan(x[i]);
	}
}

void
encoding_take_weights(Encoding *encoding, const double *weights)
{
	for (int i = 0; i < encoding->ncolumns; i++)
	{
		EncodedColumn *column = &encoding->columns[i];
		ModelTerm  *term = &column->term;

		if (term->kind == MODEL_LEVELS)
		{
			take_levels(column, weights);
			continue;
		}
		term->weight = column->value_column < 0 ? 0 :
			weights[column->value_column];
		term->missing_weight = column->missing_column < 0 ? 0 :
			weights[column->missing_column];
		/* z has mean 0 over the known rows */
		term->average = term->missing_share * term->missing_weight;
	}
}
