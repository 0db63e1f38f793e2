/*-------------------------------------------------------------------------
 *
 * fit_memory.c
 *	  What a fit of so many rows and columns would hold at most.
 *
 * For callers that choose how many rows to fit before they read them; the
 * fit itself checks its real need, piece by piece.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "storage/shmem.h"

#include "churn.h"
#include "learn/fit.h"

/* Collected rows: pointers, marks and the slack of blocks that grow by half */
#define ROW_OVERHEAD	64

/* Bytes of rows, matrix and one job */
static Size
fit_need(int64 nrows, int ncolumns)
{
	Size		rows = mul_size(nrows, add_size(mul_size(ncolumns, sizeof(double)),
												ROW_OVERHEAD));

	/* the rows as collected and as a matrix */
	return add_size(mul_size(rows, 2),
					add_size(linear_bytes(nrows, ncolumns),
							 encoding_bytes(nrows, ncolumns)));
}

double
fit_memory_share(int64 nrows, int ncolumns, int memory_kb)
{
	return Min(1.0, memory_kb * 1024.0 / (double) fit_need(nrows, ncolumns));
}

PG_FUNCTION_INFO_V1(churn_fit_share);

/*
 * churn_fit_share(rows, columns): share of the rows that churn.memory has
 * room for, at most 1.
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
