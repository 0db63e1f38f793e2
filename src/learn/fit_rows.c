/*-------------------------------------------------------------------------
 *
 * fit_rows.c
 *	  The labelled rows of a fit, as an aggregate collects them.
 *
 * Rows are written one behind the other into blocks that never move, so that
 * a million rows are not copied each time the space runs out.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/float.h"
#include "utils/memutils.h"

#include "learn/fit.h"

#define FIRST_BLOCK_BYTES	(16 * 1024)
#define LARGEST_BLOCK_BYTES (4 * 1024 * 1024)

typedef struct RowBlock
{
	struct RowBlock *previous;
	int			nrows;			/* rows in use */
	char	   *rows;			/* FitRow after FitRow */
} RowBlock;

struct FitRows
{
	MemoryContext context;		/* holds everything below */
	int			ncolumns;
	char	  **names;
	FitOptions *options;
	const FitInputs *inputs;	/* NULL: all are numbers */
	Size		row_bytes;		/* of one FitRow */
	int64		nrows;
	int64		unlabelled;		/* rows left out for their NULL label */
	Size		bytes;			/* of all blocks */
	Size		block_bytes;	/* of the newest block */
	RowBlock   *newest;
};

/* splitmix64's finaliser: every input bit reaches every output bit */
static uint64
mix(uint64 x)
{
	x += UINT64CONST(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64CONST(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64CONST(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

uint64
fit_hash(uint64 value, int64 seed, FitSalt salt)
{
	return mix(value ^ mix((uint64) seed ^ mix(salt)));
}

FitRows *
fit_rows_create(MemoryContext context, int ncolumns, char **names,
				FitOptions *options)
{
	FitRows    *rows = MemoryContextAllocZero(context, sizeof(FitRows));

	if (ncolumns < 1 || ncolumns > MODEL_MAX_INPUTS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("cannot fit on %d columns, only on 1 to %d",
						ncolumns, MODEL_MAX_INPUTS)));
	rows->context = context;
	rows->ncolumns = ncolumns;
	rows->names = names;
	rows->options = options;
	rows->row_bytes = offsetof(FitRow, values) + sizeof(double) * ncolumns;
	return rows;
}

void
fit_check_memory(const FitOptions *options, Size bytes, int64 nrows,
				 int ncolumns)
{
	if (bytes / 1024 >= (Size) options->memory_kb)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("fit of " INT64_FORMAT " rows and %d columns needs %zu MB, churn.memory is %d MB",
						nrows, ncolumns, bytes / (1024 * 1024) + 1,
						options->memory_kb / 1024),
				 errhint("Fit fewer rows or columns, or raise churn.memory.")));
}

/* A block twice the size of the last, to a limit; each holds a row at least */
static void
add_block(FitRows *rows)
{
	Size		bytes = rows->newest == NULL ? FIRST_BLOCK_BYTES :
		Min(rows->block_bytes * 2, LARGEST_BLOCK_BYTES);
	RowBlock   *block;

	bytes = Max(bytes, rows->row_bytes);
	fit_check_memory(rows->options, add_size(rows->bytes, bytes),
					 rows->nrows, rows->ncolumns);
	block = MemoryContextAlloc(rows->context, sizeof(RowBlock));
	block->rows = MemoryContextAlloc(rows->context, bytes);
	block->nrows = 0;
	block->previous = rows->newest;
	rows->newest = block;
	rows->block_bytes = bytes;
	rows->bytes += bytes;
}

/* NaN and infinity cannot be learnt from, and say that something is wrong. */
static void
check_value(const FitRows *rows, int column, double value)
{
	if (!isfinite(value))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("value of \"%s\" is %s", rows->names[column],
						isnan(value) ? "NaN" : "infinite"),
				 errhint("Use NULL for a value that is not known.")));
}

void
fit_rows_add(FitRows *rows, const double *values, const bool *nulls,
			 bool churned, bool grouped, uint64 group_id)
{
	FitRow	   *row;

	for (int i = 0; i < rows->ncolumns; i++)
		if (!nulls[i])
			check_value(rows, i, values[i]);
	if (rows->nrows == PG_INT32_MAX - 1)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("cannot fit more than %d rows", PG_INT32_MAX - 1)));
	if (rows->newest == NULL ||
		(rows->newest->nrows + 1) * rows->row_bytes > rows->block_bytes)
		add_block(rows);
	row = (FitRow *) (rows->newest->rows +
					  rows->newest->nrows * rows->row_bytes);
	row->churned = churned;
	row->group_id = group_id;
	for (int i = 0; i < rows->ncolumns; i++)
		row->values[i] = nulls[i] ? get_float8_nan() :
			values[i] == 0 ? 0 : values[i];	/* zero has one sign */
	if (!grouped)
	{
		uint64		hash = 0;

		for (int i = 0; i < rows->ncolumns; i++)
		{
			uint64		bits;

			memcpy(&bits, &row->values[i], sizeof(bits));
			hash = fit_hash(hash ^ bits, i, FIT_SALT_CONTENT);
		}
		row->group_id = hash;
	}
	rows->newest->nrows++;
	rows->nrows++;
}

void
fit_rows_skip_unlabelled(FitRows *rows)
{
	rows->unlabelled++;
}

void
fit_rows_set_inputs(FitRows *rows, const FitInputs *inputs)
{
	rows->inputs = inputs;
}

const FitInputs *
fit_rows_inputs(const FitRows *rows)
{
	return rows->inputs;
}

int64
fit_rows_count(const FitRows *rows)
{
	return rows->nrows;
}

int64
fit_rows_unlabelled(const FitRows *rows)
{
	return rows->unlabelled;
}

int
fit_rows_columns(const FitRows *rows)
{
	return rows->ncolumns;
}

char **
fit_rows_names(const FitRows *rows)
{
	return rows->names;
}

const FitOptions *
fit_rows_options(const FitRows *rows)
{
	return rows->options;
}

Size
fit_rows_bytes(const FitRows *rows)
{
	/* the rows, and the pointers that fit_rows_sorted() makes */
	return add_size(rows->bytes, mul_size(rows->nrows, sizeof(FitRow *)));
}

/* By user, label, values; the bytes of values order as well as any order. */
static int
compare_rows(const void *a, const void *b, void *arg)
{
	const FitRow *left = *(const FitRow *const *) a;
	const FitRow *right = *(const FitRow *const *) b;

	CHECK_FOR_INTERRUPTS();
	if (left->group_id != right->group_id)
		return left->group_id < right->group_id ? -1 : 1;
	if (left->churned != right->churned)
		return left->churned ? 1 : -1;
	return memcmp(left->values, right->values, *(const Size *) arg);
}

const FitRow **
fit_rows_sorted(const FitRows *rows)
{
	Size		value_bytes = sizeof(double) * rows->ncolumns;
	const FitRow **sorted =
		MemoryContextAllocHuge(CurrentMemoryContext,
							   mul_size(Max(rows->nrows, 1), sizeof(FitRow *)));
	int64		n = 0;

	for (RowBlock *block = rows->newest; block != NULL; block = block->previous)
		for (int i = 0; i < block->nrows; i++)
			sorted[n++] = (FitRow *) (block->rows + i * rows->row_bytes);
	CHECK_FOR_INTERRUPTS();
	qsort_arg(sorted, n, sizeof(FitRow *), compare_rows, &value_bytes);
	return sorted;
}
