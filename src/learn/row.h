/*-------------------------------------------------------------------------
 *
 * row.h
 *	  Columns of a composite value as numbers, found by name.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_ROW_H
#define CHURN_ROW_H

#include "access/htup_details.h"
#include "access/tupdesc.h"

/* Can a column of this type (or a domain over it) be read as a number? */
extern bool row_type_is_number(Oid type);

/* The number: any numeric type as it is, false 0, true 1 */
extern double row_number(Datum value, Oid type);

/* Position of a live column by name, or -1 */
extern int	row_find_column(TupleDesc desc, const char *name);

/* Take a composite datum apart; values and nulls have room for its columns. */
extern void row_deform(HeapTupleHeader row, TupleDesc desc, Datum *values,
					   bool *nulls);

#endif							/* CHURN_ROW_H */
