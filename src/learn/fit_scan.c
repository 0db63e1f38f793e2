/*-------------------------------------------------------------------------
 *
 * fit_scan.c
 *	  Passes over a column of the matrix, in memory or in a table's file.
 *
 * Rows come in the same order and every one once, so sums over them have the
 * same bits wherever the column is.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "learn/fit_table.h"

void
fit_scan_begin(FitScan *scan, const FitMatrix *matrix, int column,
			   int held_out)
{
	memset(scan, 0, sizeof(*scan));
	scan->matrix = matrix;
	scan->column = column;
	scan->held_out = held_out;
}

/* Rows of a table come from its pieces. */
static void
next_piece(FitScan *scan)
{
	const FitTable *table = scan->matrix->table;
	int64		piece = scan->first / table->piece_rows;

	if (scan->buffer == NULL)
		scan->buffer = palloc(fit_table_buffer(table));
	scan->n = fit_table_rows(table, piece);
	scan->x = fit_table_column(table, piece,
							   scan->matrix->columns[scan->column],
							   scan->buffer);
}

bool
fit_scan_next(FitScan *scan)
{
	const FitMatrix *matrix = scan->matrix;

	CHECK_FOR_INTERRUPTS();
	scan->first += scan->n;
	if (scan->first >= matrix->nrows)
	{
		fit_scan_end(scan);
		return false;
	}
	if (matrix->table != NULL)
		next_piece(scan);
	else
	{
		scan->n = Min(FIT_SCAN_ROWS, matrix->nrows - scan->first);
		scan->x = matrix->values + (Size) scan->column * matrix->nrows +
			scan->first;
		scan->fold = matrix->fold + scan->first;
	}
	return true;
}

void
fit_scan_rewind(FitScan *scan)
{
	scan->first = 0;
	scan->n = 0;
}

void
fit_scan_end(FitScan *scan)
{
	if (scan->buffer != NULL)
		pfree(scan->buffer);
	scan->buffer = NULL;
}

int64
fit_matrix_training(const FitMatrix *matrix, int held_out)
{
	int64		n = 0;

	if (matrix->table != NULL)
		return matrix->nrows;
	for (int64 row = 0; row < matrix->nrows; row++)
		n += matrix->fold[row] != held_out;
	return n;
}
