/*-------------------------------------------------------------------------
 *
 * fit_memory.c
 *	  How many rows a fit can keep: in memory, or in temporary files.
 *
 * For callers that choose how many rows to fit before they read them.  Files
 * hold any number, unless temp_file_limit bounds them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/guc.h"

#include "churn.h"
#include "learn/fit.h"

/* A row in the sort, beside its values: user, label, and what a tuple costs */
#define SORT_OVERHEAD	80
/* and in the table */
#define TABLE_OVERHEAD	9
/* codes of a row, and blocks that are part empty, as a share of its values */
#define CODES_SHARE		0.2

/* Older versions round a tuple's memory up to a power of two. */
#if PG_VERSION_NUM >= 150000
#define SORT_ROUNDING	1
#else
#define SORT_ROUNDING	2
#endif

/*
 * Rows that stay in memory: in the sort, then in the table (fit_table.c),
 * whose last piece may be all but empty.
 */
static double
rows_in_memory(int ncolumns, int memory_kb)
{
	double		memory = memory_kb * 1024.0;
	double		values = sizeof(double) * (double) ncolumns;

	return Min(memory / 2 / (SORT_ROUNDING * values + SORT_OVERHEAD),
			   memory / 16 * 5 / (values + TABLE_OVERHEAD));
}

/* Rows that temp_file_limit has room for: in the sort and the table at once */
static double
rows_in_files(int ncolumns)
{
	double		values = sizeof(double) * (double) ncolumns;

	return temp_file_limit * 1024.0 /
		((values + SORT_OVERHEAD) + (values + TABLE_OVERHEAD) +
		 CODES_SHARE * values);
}

double
fit_memory_share(int64 nrows, int ncolumns, int memory_kb)
{
	double		room = rows_in_memory(ncolumns, memory_kb);

	if (temp_file_limit < 0 || nrows <= room)
		return 1;
	return Min(1, Max(room, rows_in_files(ncolumns)) / nrows);
}

PG_FUNCTION_INFO_V1(churn_fit_share);

/*
 * churn_fit_share(rows, columns): share of the rows that memory or files
 * have room for, at most 1.
 */
Datum
churn_fit_share(PG_FUNCTION_ARGS)
{
	int64		nrows = PG_GETARG_INT64(0);
	int			ncolumns = PG_GETARG_INT32(1);

	if (nrows < 0 || ncolumns < 1 || ncolumns > MODEL_MAX_INPUTS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rows must not be negative and columns from 1 to %d",
						MODEL_MAX_INPUTS)));
	PG_RETURN_FLOAT8(fit_memory_share(nrows, ncolumns, churn_memory_kb));
}
