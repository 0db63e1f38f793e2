/*-------------------------------------------------------------------------
 *
 * row.h
 *	  Columns of a composite value as numbers and texts, found by name.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_ROW_H
#define CHURN_ROW_H

#include "access/htup_details.h"
#include "access/tupdesc.h"
#include "fmgr.h"
#include "learn/model.h"

/*
 * What a column of this type (or a domain over it) is read as.  False: no
 * input of a model can be read from it.
 */
extern bool row_model_type(Oid type, ModelType *as);

/* Can a column read as "have" serve an input that was fitted as "want"? */
extern bool row_type_serves(ModelType have, ModelType want);

/* "a number or boolean", and so on: what an input needs */
extern const char *row_type_wanted(ModelType want);

/* How one column is read; set once, not per row */
typedef struct RowColumn
{
	ModelType	as;
	Oid			type;			/* base type */
	bool		binary;			/* text: the value is the text itself */
	FmgrInfo	output;			/* text: gives it otherwise */
	DateADT		reference_date; /* of days */
} RowColumn;

/* "type" is one that row_model_type() knows. */
extern void row_column_set(RowColumn *column, Oid type,
						   DateADT reference_date);

/*
 * The number of anything but text: any numeric type as it is, false 0, true
 * 1, dates and timestamps as days before the reference date (timestamptz in
 * UTC), intervals as days; infinite ones are infinite.
 */
extern double row_number(Datum value, const RowColumn *column);

/* The text of a text: its bytes, for as long as the value lives */
extern const char *row_text(Datum value, RowColumn *column, Size *length);

/* Position of a live column by name, or -1 */
extern int	row_find_column(TupleDesc desc, const char *name);

/* Take a composite datum apart; values and nulls have room for its columns. */
extern void row_deform(HeapTupleHeader row, TupleDesc desc, Datum *values,
					   bool *nulls);

#endif							/* CHURN_ROW_H */
