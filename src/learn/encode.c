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
	/* a column of known values; a term, a fate and two hashes a column */
	return add_size(mul_size(nrows, sizeof(double)),
					mul_size(ncolumns, sizeof(EncodedColumn) + 64));
}

/*
 * Moments of x[0 .. n-1], n > 0.  Values are divided by the largest first,
 * so that nothing overflows at 1e308; two passes, so that little cancels.
 */
static Moments
moments_of(const double *x, int64 n, bool signed_log)
{
	Moments		moments = {0, 0, 0};
	double		largest = 0,
				sum = 0,
				square = 0,
				cube = 0;

	for (int64 i = 0; i < n; i++)
		largest = Max(largest, fabs(x[i]));
	largest = fabs(model_transform(largest, signed_log));
	if (largest == 0)
		return moments;
	for (int64 i = 0; i < n; i++)
		sum += model_transform(x[i], signed_log) / largest;
	sum /= n;
	for (int64 i = 0; i < n; i++)
	{
		double		d = model_transform(x[i], signed_log) / largest - sum;

		square += d * d;
		cube += d * d * d;
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
 * Gather the known training values of a column; least and largest go to the
 * term.  Returns their number.
 */
static int64
gather_known(const FitMatrix *matrix, int held_out, double *known,
			 ModelTerm *term)
{
	const double *x = matrix->values + (Size) term->input * matrix->nrows;
	int64		n = 0;

	for (int64 row = 0; row < matrix->nrows; row++)
		if (matrix->fold[row] != held_out && !isnan(x[row]))
			known[n++] = x[row];
	term->low = term->high = n > 0 ? known[0] : 0;
	for (int64 i = 1; i < n; i++)
	{
		term->low = Min(term->low, known[i]);
		term->high = Max(term->high, known[i]);
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
	int64		n = gather_known(matrix, held_out, known, term);
	Moments		plain,
				logged;

	column->value_column = column->missing_column = -1;
	term->scale = 1;
	term->missing_share = (double) (ntraining - n) / ntraining;
	if (n == 0)
		return COLUMN_EMPTY;
	if (ntraining - n >= MISSING_MIN_ROWS && n >= MISSING_MIN_ROWS)
		column->missing_column = 0;
	plain = moments_of(known, n, false);
	/* the spread of denormal numbers is not a divisor */
	if (term->low == term->high || !(plain.scale >= DBL_MIN))
		return column->missing_column < 0 ? COLUMN_CONSTANT : COLUMN_KEPT;
	column->value_column = 0;
	if (fabs(plain.skewness) > SKEWNESS_LIMIT)
	{
		logged = moments_of(known, n, true);
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
	const double *x = matrix->values +
		(Size) column->term.input * matrix->nrows;
	uint64		hash = 0;

	for (int64 row = 0; row < matrix->nrows; row++)
	{
		double		z;
		uint64		bits;

		if (matrix->fold[row] == held_out)
			continue;
		z = missing ? isnan(x[row]) : design_value(column, x[row]);
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
	const double *x = matrix->values + (Size) a->term.input * matrix->nrows;
	const double *y = matrix->values + (Size) b->term.input * matrix->nrows;

	if (!missing && (a->term.kind != b->term.kind ||
					 a->levels.nlevels != b->levels.nlevels))
		return false;

	for (int64 row = 0; row < matrix->nrows; row++)
	{
		if (matrix->fold[row] == held_out)
			continue;
		if (missing ? isnan(x[row]) != isnan(y[row]) :
			design_value(a, x[row]) != design_value(b, y[row]))
			return false;
	}
	return true;
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

static int64
count_training(const FitMatrix *matrix, int held_out)
{
	int64		n = 0;

	for (int64 row = 0; row < matrix->nrows; row++)
		n += matrix->fold[row] != held_out;
	return n;
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
	encoding->ntraining = count_training(matrix, held_out);
	known = MemoryContextAllocHuge(CurrentMemoryContext,
								   mul_size(Max(encoding->ntraining, 1),
											sizeof(double)));
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
