/*-------------------------------------------------------------------------
 *
 * fit_table.c
 *	  From collected rows, which come sorted one by one, to columns in pieces.
 *
 * The table is held in memory where it takes at most three eighths of the
 * memory setting (the rows, while they are sorted, take up to a half), else
 * in a temporary file.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/memutils.h"

#include "learn/fit_table.h"

#define MOST_PIECE_ROWS		2048	/* stay in the first cache, column by column */
#define LEAST_PIECE_ROWS	64	/* all others are multiples */
#define PIECE_SHARE			16	/* of the memory setting: one part a piece */

/* Rows of a piece, so that pieces of so many bytes a row stay small */
static int
piece_rows_of(const FitOptions *options, int64 nrows, Size row_bytes)
{
	Size		limit = (Size) options->memory_kb * 1024 / PIECE_SHARE;
	int			n = MOST_PIECE_ROWS;

	while (n > LEAST_PIECE_ROWS && mul_size(n, row_bytes) > limit)
		n /= 2;
	while (n > LEAST_PIECE_ROWS && n / 2 >= nrows)
		n /= 2;
	return n;
}

/* Bytes of a row of the table */
static Size
table_row_bytes(const FitRows *rows)
{
	return sizeof(double) * ((Size) fit_rows_columns(rows) + 1) + 1;
}

int
fit_table_piece_rows(const FitRows *rows)
{
	return piece_rows_of(fit_rows_options(rows), fit_rows_count(rows),
						  table_row_bytes(rows));
}

/* ---- where things are in a piece ---- */

static Size
column_offset(const FitTable *table, int column)
{
	return sizeof(double) * table->piece_rows * ((Size) column + 1);
}

static Size
piece_bytes(const FitTable *table)
{
	return column_offset(table, table->ncolumns) + table->piece_rows;
}

int
fit_table_rows(const FitTable *table, int64 piece)
{
	return Min(table->piece_rows, table->nrows - piece * table->piece_rows);
}

const double *
fit_table_column(const FitTable *table, int64 piece, int column, void *buffer)
{
	return fit_store_read(table->store, piece, column_offset(table, column),
						  sizeof(double) * fit_table_rows(table, piece),
						  buffer);
}

const uint64 *
fit_table_users(const FitTable *table, int64 piece, void *buffer)
{
	return fit_store_read(table->store, piece, 0,
						  sizeof(uint64) * fit_table_rows(table, piece),
						  buffer);
}

const uint8 *
fit_table_churned(const FitTable *table, int64 piece, void *buffer)
{
	return fit_store_read(table->store, piece,
						  column_offset(table, table->ncolumns),
						  fit_table_rows(table, piece), buffer);
}

Size
fit_table_buffer(const FitTable *table)
{
	return sizeof(double) * table->piece_rows;
}

/* ---- filling ---- */

/* The number in a row, a text by its number among the levels */
static double
table_value(const FitInputs *inputs, int column, double value)
{
	if (inputs == NULL || inputs->levels[column] == NULL || isnan(value))
		return value;
	return levels_number(inputs->levels[column], value);
}

/* Put a row into the piece under construction. */
static void
put_row(const FitTable *table, const FitInputs *inputs, char *piece, int at,
		const FitRow *row)
{
	((uint64 *) piece)[at] = row->group_id;
	for (int c = 0; c < table->ncolumns; c++)
		((double *) (piece + column_offset(table, c)))[at] =
			table_value(inputs, c, row->values[c]);
	((uint8 *) (piece + column_offset(table, table->ncolumns)))[at] =
		row->churned;
}

/* Take all rows, in order. */
static void
take_rows(FitTable *table, FitRows *rows)
{
	char	   *piece = MemoryContextAllocHuge(CurrentMemoryContext,
											   piece_bytes(table));
	uint64		last_user = 0;
	int			n = 0;
	const FitRow *row;

	memset(piece, 0, piece_bytes(table));
	while ((row = fit_rows_next(rows)) != NULL)
	{
		if (table->nrows == 0 || row->group_id != last_user)
			table->nusers++;
		last_user = row->group_id;
		table->nrows++;
		table->nchurned += row->churned;
		put_row(table, fit_rows_inputs(rows), piece, n++, row);
		if (n < table->piece_rows)
			continue;
		CHECK_FOR_INTERRUPTS();
		fit_store_append(table->store, piece);
		n = 0;
	}
	if (n > 0)
		fit_store_append(table->store, piece);
	pfree(piece);
}

FitTable *
fit_table_create(FitRows *rows, const FitOptions *options)
{
	FitTable   *table = palloc0(sizeof(FitTable));
	Size		bytes;
	bool		in_memory;

	table->ncolumns = fit_rows_columns(rows);
	table->piece_rows = fit_table_piece_rows(rows);
	bytes = mul_size(fit_rows_count(rows) + table->piece_rows,
					 table_row_bytes(rows));
	in_memory = bytes / 1024 <= (Size) options->memory_kb / 8 * 3;
	table->held_bytes = in_memory ? bytes : 0;
	table->store = fit_store_create(piece_bytes(table), in_memory);
	fit_rows_sort(rows);
	take_rows(table, rows);
	fit_rows_free(rows);
	return table;
}

void
fit_table_free(FitTable *table)
{
	fit_store_free(table->store);
	pfree(table);
}
