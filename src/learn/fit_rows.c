/*-------------------------------------------------------------------------
 *
 * fit_rows.c
 *	  The labelled rows of a fit, as an aggregate collects them.
 *
 * Rows go into one of PostgreSQL's own sorts, which keeps them in memory up
 * to half of the memory setting and in temporary files beyond that.  They
 * come out by user, label and content: the order of arrival leaves no trace.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "port/pg_bswap.h"
#include "utils/float.h"
#include "utils/memutils.h"
#include "utils/tuplesort.h"
#include "utils/typcache.h"

#include "learn/fit.h"

/* A row in the sort is a bytea: user (big-endian), label, values as they are */
#define LABEL_AT	(VARHDRSZ + sizeof(uint64))
#define VALUES_AT	(LABEL_AT + 1)

struct FitRows
{
	MemoryContext context;		/* holds everything below */
	int			ncolumns;
	char	  **names;
	FitOptions *options;
	const FitInputs *inputs;	/* NULL: all are numbers */
	int64		nrows;
	int64		unlabelled;		/* rows left out for their NULL label */
	Tuplesortstate *sort;		/* NULL before the first row and at the end */
	Size		packed_bytes;	/* of one row in the sort */
	char	   *packed;			/* one row on its way in */
	FitRow	   *row;			/* one on its way in or out */
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

	if (ncolumns < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("no column is left to learn from"),
				 errhint("The label, the key and excluded columns do not count.")));
	if (ncolumns > MODEL_MAX_INPUTS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("cannot fit on %d columns, only on 1 to %d",
						ncolumns, MODEL_MAX_INPUTS)));
	rows->context = context;
	rows->ncolumns = ncolumns;
	rows->names = names;
	rows->options = options;
	rows->packed_bytes = VALUES_AT + sizeof(double) * ncolumns;
	rows->packed = MemoryContextAlloc(context, rows->packed_bytes);
	rows->row = MemoryContextAllocZero(context, offsetof(FitRow, values) +
									   sizeof(double) * ncolumns);
	SET_VARSIZE(rows->packed, rows->packed_bytes);
	return rows;
}

bool
fit_memory_holds(const FitOptions *options, Size bytes)
{
	return bytes / 1024 < (Size) options->memory_kb;
}

void
fit_check_memory(const FitOptions *options, Size bytes, int64 nrows,
				 int ncolumns)
{
	if (!fit_memory_holds(options, bytes))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("fit of " INT64_FORMAT " rows and %d columns needs %zu MB, churn.memory is %d MB",
						nrows, ncolumns, bytes / (1024 * 1024) + 1,
						options->memory_kb / 1024),
				 errhint("Fit fewer rows or columns, or raise churn.memory.")));
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

/* Hash of a row's content, in place of a user */
static uint64
hash_content(const FitRows *rows)
{
	uint64		hash = 0;

	for (int i = 0; i < rows->ncolumns; i++)
	{
		uint64		bits;

		memcpy(&bits, &rows->row->values[i], sizeof(bits));
		hash = fit_hash(hash ^ bits, i, FIT_SALT_CONTENT);
	}
	return hash;
}

/* A sort of packed rows; its memory is the context's. */
static void
begin_sort(FitRows *rows)
{
	TypeCacheEntry *bytea = lookup_type_cache(BYTEAOID, TYPECACHE_LT_OPR);
	MemoryContext caller = MemoryContextSwitchTo(rows->context);

	rows->sort = tuplesort_begin_datum(BYTEAOID, bytea->lt_opr,
									   InvalidOid, false,
									   Max(rows->options->memory_kb / 2, 64),
									   NULL, 0);
	MemoryContextSwitchTo(caller);
}

void
fit_rows_add(FitRows *rows, const double *values, const bool *nulls,
			 bool churned, bool grouped, uint64 group_id)
{
	FitRow	   *row = rows->row;
	uint64		user;

	for (int i = 0; i < rows->ncolumns; i++)
	{
		if (!nulls[i])
			check_value(rows, i, values[i]);
		row->values[i] = nulls[i] ? get_float8_nan() :
			values[i] == 0 ? 0 : values[i]; /* zero has one sign */
	}
	user = pg_hton64(grouped ? group_id : hash_content(rows));
	memcpy(VARDATA(rows->packed), &user, sizeof(user));
	rows->packed[LABEL_AT] = churned;
	memcpy(rows->packed + VALUES_AT, row->values,
		   sizeof(double) * rows->ncolumns);
	if (rows->sort == NULL)
		begin_sort(rows);
	tuplesort_putdatum(rows->sort, PointerGetDatum(rows->packed), false);
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

void
fit_rows_sort(FitRows *rows)
{
	tuplesort_performsort(rows->sort);
}

/* The next packed row of the sort, or NULL */
static struct varlena *
next_packed(FitRows *rows)
{
	Datum		packed;
	bool		isnull;

#if PG_VERSION_NUM >= 160000
	if (!tuplesort_getdatum(rows->sort, true, true, &packed, &isnull, NULL))
#else
	if (!tuplesort_getdatum(rows->sort, true, &packed, &isnull, NULL))
#endif
		return NULL;
	return (struct varlena *) DatumGetPointer(packed);
}

const FitRow *
fit_rows_next(FitRows *rows)
{
	char	   *packed = (char *) next_packed(rows);
	uint64		user;

	if (packed == NULL)
		return NULL;
	memcpy(&user, VARDATA(packed), sizeof(user));
	rows->row->group_id = pg_ntoh64(user);
	rows->row->churned = packed[LABEL_AT];
	memcpy(rows->row->values, packed + VALUES_AT,
		   sizeof(double) * rows->ncolumns);
	pfree(packed);
	return rows->row;
}

void
fit_rows_free(FitRows *rows)
{
	if (rows->sort != NULL)
		tuplesort_end(rows->sort);
	rows->sort = NULL;
}
