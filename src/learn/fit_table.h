/*-------------------------------------------------------------------------
 *
 * fit_table.h
 *	  The rows of a fit in canonical order, column by column in pieces: what
 *	  fitting passes over, in memory or in a temporary file.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_FIT_TABLE_H
#define CHURN_FIT_TABLE_H

#include "learn/fit.h"

/* ---- pieces: fit_store.c ---- */

typedef struct FitStore FitStore;	/* private */

extern FitStore *fit_store_create(Size piece_bytes, bool in_memory);
extern void fit_store_append(FitStore *store, const void *piece);

/*
 * A part of a piece: where it lies in memory, or "buffer" after it was read
 * into it.
 */
extern const void *fit_store_read(const FitStore *store, int64 piece,
								  Size offset, Size bytes, void *buffer);
extern bool fit_store_in_memory(const FitStore *store);
extern void fit_store_free(FitStore *store);

/* ---- rows: fit_table.c ---- */

/*
 * A piece holds piece_rows rows: users, then column after column, then
 * labels; the last piece may be part empty.
 */
typedef struct FitTable
{
	int64		nrows;
	int64		nusers;
	int64		nchurned;
	int			ncolumns;
	int			piece_rows;
	FitStore   *store;
	Size		held_bytes;		/* of memory */
} FitTable;

/*
 * Sort the collected rows, and leave only the table of them.  Levels are
 * sealed; the table has their numbers.
 */
extern FitTable *fit_table_create(FitRows *rows, const FitOptions *options);
extern void fit_table_free(FitTable *table);

/* Rows of a piece, and its arrays; "buffer" as for fit_store_read() */
extern int	fit_table_rows(const FitTable *table, int64 piece);
extern const double *fit_table_column(const FitTable *table, int64 piece,
									  int column, void *buffer);
extern const uint64 *fit_table_users(const FitTable *table, int64 piece,
									 void *buffer);
extern const uint8 *fit_table_churned(const FitTable *table, int64 piece,
									  void *buffer);

/* Bytes that a buffer must have for any of these */
extern Size fit_table_buffer(const FitTable *table);

/* The piece_rows that the table of collected rows would have */
extern int	fit_table_piece_rows(const FitRows *rows);

#endif							/* CHURN_FIT_TABLE_H */
