/*-------------------------------------------------------------------------
 *
 * information.h
 *	  What one column alone says of the label: what the parts of
 *	  churn_information share.
 *
 *	  information_rows.c	collects the columns of labelled rows
 *	  information_number.c	figures of a column of numbers
 *	  information_level.c	figures of a column of levels
 *	  information_bins.c	weight of evidence, values that tell too much
 *	  information.c			the rows of the result
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_INFORMATION_H
#define CHURN_INFORMATION_H

#include "access/tupdesc.h"
#include "fmgr.h"
#include "learn/row.h"

#define INFORMATION_BINS	10	/* of a column of numbers, unless said */
#define INFORMATION_MAX_BINS 100
#define INFORMATION_LEVELS	30	/* shown of a column of levels */
#define INFORMATION_LEVEL_ROWS 20	/* of a level that is not pooled */

/* How the values of a column are looked at */
typedef enum InformationKind
{
	INFORMATION_NUMBER,
	INFORMATION_TRUTH,			/* boolean, as 0 and 1 */
	INFORMATION_DATE,			/* days, as the type counts them */
	INFORMATION_TIMESTAMP,		/* microseconds, likewise */
	INFORMATION_TIMESTAMPTZ,
	INFORMATION_LEVEL			/* anything else, by its text */
} InformationKind;

/* One level of a column */
typedef struct Level
{
	const char *bytes;			/* its text, "length" bytes */
	int			length;
	uint64		hash;			/* of the text */
} Level;

typedef struct LevelTable LevelTable;	/* private to information_rows.c */

/* One column, as collected */
typedef struct InformationColumn
{
	int			position;		/* in the row */
	const char *name;
	Oid			type;
	int32		typmod;
	Oid			base_type;		/* of a domain */
	RowColumn	reader;			/* of numbers and truths */
	InformationKind kind;
	double	   *numbers;		/* by row: NaN where missing; NULL for levels */
	int32	   *codes;			/* by row: number of the level, or -1 */
	FmgrInfo	output;			/* text of a level */
	LevelTable *table;
	int			nlevels;
	Level	   *levels;			/* by number */
	int			levels_room;
} InformationColumn;

/* All columns */
typedef struct InformationRows
{
	int64		nrows;			/* with a label */
	int64		nchurned;
	int64		unlabelled;		/* rows left out */
	uint8	   *churned;		/* by row: 0 or 1 */
	int			ncolumns;
	InformationColumn *columns;
	int			bins;			/* asked for */
} InformationRows;

/* A set of rows of one column with what became of them */
typedef struct InformationBin
{
	enum
	{
		BIN_RANGE,				/* from <= value <= to */
		BIN_LEVEL,
		BIN_POOLED,				/* so many rare levels */
		BIN_MISSING,
		BIN_KNOWN				/* any value at all */
	}			what;
	double		from;
	double		to;
	int			level;			/* its number, or how many are pooled */
	int64		rows;
	int64		churned;
	double		woe;			/* weight of evidence, positive: more churn */
} InformationBin;

/* What a column says */
typedef struct InformationFigures
{
	int64		known;			/* rows with a value */
	int64		distinct;		/* values */
	bool		whole;			/* numbers: all are whole */
	bool		has_auc;		/* both classes are there */
	double		auc;
	int			direction;		/* numbers: 1 where higher ones churn more, -1
								 * where lower ones do; else 0 */
	double		iv;				/* information value */
	int			nbins;
	InformationBin *bins;
	bool		tells;			/* a value all but determines the label: */
	double		surprise;		/* how little that is by chance, as -ln of a
								 * bound of the probability */
	InformationBin telling;
} InformationFigures;

/* Figures of a column; palloc'd parts, no trace in the column. */
extern void information_number(const InformationRows *rows,
							   const InformationColumn *column,
							   InformationFigures *figures);
extern void information_level(const InformationRows *rows,
							  const InformationColumn *column,
							  InformationFigures *figures);

/* ---- information_bins.c ---- */

/* Weight of evidence of the bins, and the information value */
extern void information_weigh(const InformationRows *rows,
							  InformationFigures *figures);

/* Keep a value if it tells more than any before it, and too much. */
extern void information_note(const InformationRows *rows,
							 const InformationBin *value,
							 InformationFigures *figures);

/* ---- information_rows.c ---- */

typedef struct InformationState InformationState;	/* private */

/* The rows that a state collected; NULL: there was none */
extern InformationRows *information_rows(InformationState *state);

#endif							/* CHURN_INFORMATION_H */
