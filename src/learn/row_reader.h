/*-------------------------------------------------------------------------
 *
 * row_reader.h
 *	  Rows of a fit, by name: label, key and inputs out of composite values.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_ROW_READER_H
#define CHURN_ROW_READER_H

#include "learn/fit.h"
#include "learn/row.h"

typedef struct RowReader RowReader; /* private */

/* What a row says beside its inputs */
typedef struct LabelledRow
{
	bool		churned;
	bool		grouped;		/* it has a key */
	uint64		group_id;		/* hash of the key */
} LabelledRow;

/*
 * A reader of rows like "tuple", in the current context.  A label, key or
 * excluded column that does not exist raises 42703; a column that no input
 * can be read from 42804, and so does a date without option reference_date.
 */
extern RowReader *row_reader_create(HeapTupleHeader tuple, const char *label,
									const FitOptions *options);

/* Names of the inputs, and what they are read from */
extern char **row_reader_names(const RowReader *reader, int *count);
extern const FitInputs *row_reader_inputs(const RowReader *reader);

/*
 * Read one row; false when its label is NULL.  A row of another type raises
 * 42804, a label that is neither known value 22023.
 */
extern bool row_reader_read(RowReader *reader, HeapTupleHeader tuple,
							double *values, bool *nulls, LabelledRow *row);

/* 22023 unless the labels that were read could be told apart. */
extern void row_reader_check_label(const RowReader *reader);

#endif							/* CHURN_ROW_READER_H */
