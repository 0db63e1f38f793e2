/*-------------------------------------------------------------------------
 *
 * level_codes.c
 *	  Which levels of a column have a code of their own, learnt from the
 *	  training rows.
 *
 * A level needs 20 training rows; of more than MODEL_MAX_LEVELS the most
 * frequent stay, and among equals those first in the order of their bytes.
 * A column is of use where two codes, missing included, have a weight.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "storage/shmem.h"
#include "utils/memutils.h"

#include "learn/fit.h"

/* What a column's training rows hold */
typedef struct LevelCounts
{
	int			nlevels;		/* numbered ones; one more is "too long" */
	int64	   *rows;			/* by number */
	int64		missing;
	int64		known;
	int			distinct;		/* numbers seen */
	int64		most;			/* rows of the most frequent */
} LevelCounts;

static LevelCounts
count_levels(const FitMatrix *matrix, int held_out, int column)
{
	const double *x = matrix->values + (Size) column * matrix->nrows;
	LevelCounts counts = {.nlevels = matrix->levels[column]};

	counts.rows =
		MemoryContextAllocZero(CurrentMemoryContext,
							   sizeof(int64) * (counts.nlevels + 1));
	for (int64 row = 0; row < matrix->nrows; row++)
	{
		if (matrix->fold[row] == held_out)
			continue;
		if (isnan(x[row]))
			counts.missing++;
		else
			counts.rows[(int32) x[row]]++;
	}
	for (int i = 0; i <= counts.nlevels; i++)
	{
		counts.known += counts.rows[i];
		counts.distinct += counts.rows[i] > 0;
		counts.most = Max(counts.most, counts.rows[i]);
	}
	/* nobody counts how many texts are too long */
	if (counts.rows[counts.nlevels] > 0)
		counts.distinct++;
	return counts;
}

/* Most rows first, then the order of numbers */
static int
compare_levels(const void *a, const void *b, void *arg)
{
	const int64 *rows = arg;
	int32		left = *(const int32 *) a;
	int32		right = *(const int32 *) b;

	if (rows[left] != rows[right])
		return rows[left] > rows[right] ? -1 : 1;
	return left - right;
}

/* Give codes to levels with rows enough. */
static void
choose_levels(const LevelCounts *counts, LevelCodes *codes)
{
	int			n = 0;

	codes->numbers = palloc(sizeof(int32) * Max(counts->nlevels, 1));
	for (int i = 0; i < counts->nlevels; i++)
		if (counts->rows[i] >= LEVEL_MIN_ROWS)
			codes->numbers[n++] = i;
	qsort_arg(codes->numbers, n, sizeof(int32), compare_levels, counts->rows);
	codes->nlevels = Min(n, MODEL_MAX_LEVELS);
	codes->code_of = palloc(counts->nlevels + 1);
	memset(codes->code_of, codes->nlevels, counts->nlevels + 1);
	for (int code = 0; code < codes->nlevels; code++)
		codes->code_of[codes->numbers[code]] = code;
}

/* Rows and shares by code, and which of the last two have a weight */
static void
measure_codes(const LevelCounts *counts, LevelCodes *codes)
{
	int			other = codes->nlevels;

	codes->counts = palloc0(sizeof(int64) * (codes->nlevels + 2));
	codes->means = palloc0(sizeof(double) * (codes->nlevels + 1));
	for (int i = 0; i <= counts->nlevels; i++)
		codes->counts[codes->code_of[i]] += counts->rows[i];
	codes->counts[other + 1] = counts->missing;
	for (int code = 0; code <= other && counts->known > 0; code++)
		codes->means[code] = (double) codes->counts[code] / counts->known;
	codes->other_weight = codes->counts[other] >= LEVEL_MIN_ROWS;
	codes->missing_weight = counts->missing >= LEVEL_MIN_ROWS &&
		counts->known >= LEVEL_MIN_ROWS;
}

ColumnFate
level_codes_learn(const FitMatrix *matrix, int held_out, int column,
				  LevelCodes *codes)
{
	LevelCounts counts;

	memset(codes, 0, sizeof(*codes));
	if (matrix->levels[column] == FIT_CROWDED)
		return COLUMN_CROWDED;
	counts = count_levels(matrix, held_out, column);
	choose_levels(&counts, codes);
	measure_codes(&counts, codes);
	pfree(counts.rows);
	if (counts.known == 0)
		return COLUMN_EMPTY;
	if (level_codes_hot(codes) + codes->missing_weight > 1)
		return COLUMN_KEPT;
	if (counts.distinct == 1)
		return COLUMN_CONSTANT;
	return counts.most == 1 ? COLUMN_DISTINCT : COLUMN_RARE;
}

void
level_codes_free(LevelCodes *codes)
{
	if (codes->numbers == NULL)
		return;
	pfree(codes->numbers);
	pfree(codes->counts);
	pfree(codes->means);
	pfree(codes->code_of);
	memset(codes, 0, sizeof(*codes));
}

void
level_codes_term(const LevelCodes *codes, int64 ntraining, ModelTerm *term)
{
	int			nknown = codes->nlevels + 1;

	term->kind = MODEL_LEVELS;
	term->ncuts = codes->nlevels;
	term->level_numbers = codes->numbers;
	term->values = palloc0(sizeof(double) * nknown);
	term->shares = palloc0(sizeof(double) * nknown);
	for (int code = 0; code < nknown; code++)
		term->shares[code] = (double) codes->counts[code] / ntraining;
	term->missing_share = (double) codes->counts[nknown] / ntraining;
}
