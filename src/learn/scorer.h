/*-------------------------------------------------------------------------
 *
 * scorer.h
 *	  A decoded model with what it needs to read its inputs; a call site
 *	  (fn_extra) keeps some, by the hash of the model's content.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_SCORER_H
#define CHURN_SCORER_H

#include "access/htup_details.h"
#include "access/tupdesc.h"
#include "fmgr.h"
#include "history/features.h"
#include "learn/levels.h"
#include "learn/model.h"
#include "learn/row.h"
#include "utils/array.h"
#include "utils/date.h"

typedef struct Scorer
{
	MemoryContext context;		/* holds all of this; reset for a new model */
	MemoryContext scratch;		/* reset for every history */
	uint64		hash;			/* of the model */
	Model	   *model;			/* NULL: nothing cached */
	double	   *values;			/* of the current row, in input order */
	bool	   *nulls;
	LevelTable **levels;		/* per input: those of its term, or NULL */

	FeatureList *list;			/* made when first needed; NULL without spec */
	int		   *feature;		/* per input: its place in the list */
	double	   *feature_values; /* of the current row, in list order */
	bool	   *feature_nulls;

	MemoryContext row_context;	/* holds what follows; NULL: no row yet */
	Oid			row_type;		/* of the last composite value */
	int32		row_typmod;
	uint64		row_identifier; /* a new one when the type was altered */
	TupleDesc	desc;			/* copy */
	int		   *column;			/* per input: its place in the row, or -1 */
	RowColumn  *columns;		/* per input: how it is read */
	Datum	   *row_values;
	bool	   *row_nulls;
} Scorer;

/* The scorer of a model at this call site */
extern Scorer *scorer_get(FunctionCallInfo fcinfo, Datum model);

/* Read one row; what cannot be read raises an error that says why. */
extern void scorer_read_array(Scorer *scorer, ArrayType *features);
extern void scorer_read_history(Scorer *scorer, Datum history, DateADT as_of);
extern void scorer_read_row(Scorer *scorer, HeapTupleHeader row);

/* Log-odds of the row that was read */
extern double scorer_log_odds(const Scorer *scorer);

/* The theme of an input of the row that was read; the model has a spec. */
extern FeatureTheme scorer_theme(Scorer *scorer, int input,
								 double *readiness);

/* The value of an input of the row that was read, in words; palloc'd */
extern char *scorer_phrase(Scorer *scorer, int input);

/*
 * The text of an input of the row that was read, palloc'd; NULL where it is
 * missing or no text.
 */
extern char *scorer_level(Scorer *scorer, int input);

/* Elements of a float8[] as numbers; the number must be "expected". */
extern void scorer_array_numbers(ArrayType *array, int expected,
								 double *values, bool *nulls);

#endif							/* CHURN_SCORER_H */
