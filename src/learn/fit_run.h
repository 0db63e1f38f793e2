/*-------------------------------------------------------------------------
 *
 * fit_run.h
 *	  One fit while it runs: what its phases leave to one another.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_FIT_RUN_H
#define CHURN_FIT_RUN_H

#include "learn/fit.h"

/* Everything about one fit */
typedef struct Fit
{
	const FitOptions *options;
	FitRows    *rows;
	int64		nrows;
	const FitRow **sorted;
	int64		nusers;
	int64		nchurned;
	int			ncolumns;		/* those not excluded */
	int		   *columns;		/* their positions in a row */
	int64		nsearch;		/* rows of the sample */
	const FitRow **search;		/* in canonical order */
	Size		held_bytes;		/* rows and pointers */
	FitChoice	choices[FIT_AUTO];	/* by encoding */
	FitChoice  *choice;			/* that of the model's encoding */
	FitEncoding encoding;		/* of the final fit */
	double		c;				/* of the final fit */
	bool		calibrated;
	Model	   *model;
	ColumnFate *fate;			/* per column offered to the solver */
	int		   *duplicate_of;
} Fit;

/* ---- fit_levels.c ---- */

/* What the inputs are read from; texts are numbered from here on. */
extern void fit_take_inputs(Fit *fit);

/* The levels of a column that takes part; NULL: it is one of numbers */
extern const LevelTable *fit_column_levels(const Fit *fit, int column);

/* Room that a task has to make for levels, and which columns have them */
extern void fit_levels_shape(const Fit *fit, FitTask *shape);
extern void fit_levels_fill(const Fit *fit, FitMatrix *matrix);

/* A term's levels by their texts; its input is a column that takes part. */
extern void fit_levels_name(const Fit *fit, ModelTerm *term);

/* ---- fit_provenance.c ---- */

extern const char *fit_encoding_name(FitEncoding encoding);

/* One NOTICE with the names of dropped columns, reason by reason */
extern void fit_report_dropped(const Fit *fit);

/* The provenance of the model, as JSON.  No time and no place: equal fits
 * are equal values. */
extern char *fit_provenance(const Fit *fit);

#endif							/* CHURN_FIT_RUN_H */
