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
#include "learn/fit_table.h"

/* A user, as the sample draws it */
typedef struct SampleUser
{
	uint64		user;
	uint64		lot;			/* its hash */
	int64		first;			/* of its rows: breaks ties */
} SampleUser;

/* Everything about one fit */
typedef struct Fit
{
	const FitOptions *options;
	FitRows    *rows;
	FitTable   *table;			/* all rows */
	int64		nrows;
	int64		nusers;
	int64		nchurned;
	int			ncolumns;		/* those not excluded */
	int		   *columns;		/* their positions in a row */
	int8	   *monotone;		/* by those columns: 1, -1 or 0 */
	double		class_weights[2];	/* by label */
	int64		nsearch;		/* rows of the sample */
	bool		sampled;		/* else all rows are in it */
	int64		nfinal;			/* rows of the final fit */
	SampleUser	edge;			/* of users by lot, the first that is not */
	Size		held_bytes;		/* table, and what the search leaves */
	FitChoice	choices[FIT_AUTO];	/* by encoding */
	bool		adaptive;		/* bins: a penalty learnt for each block */
	FitChoice  *choice;			/* that of the model's encoding */
	FitEncoding encoding;		/* of the final fit */
	FitSolver	solver;			/* of the final fit */
	double		c;				/* of the final fit */
	bool		calibrated;
	Model	   *model;
	ColumnFate *fate;			/* per column offered to the solver */
	int		   *duplicate_of;
} Fit;

/* ---- fit_loss.c ---- */

/* Class weights as numbers */
extern void fit_weigh_classes(Fit *fit);

/* Limits by column that takes part; a name that is not one of them is wrong. */
extern void fit_place_limits(Fit *fit);

/* Bring the model's scores to the shares seen out of fold. */
extern void fit_apply_calibration(Fit *fit);

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

/* ---- fit_sample.c ---- */

/* Draw whole users of at most "limit" rows; bytes that this takes meanwhile */
extern void fit_sample_draw(Fit *fit, int64 limit);
extern Size fit_sample_bytes(int64 limit);

/*
 * Can every fold be fitted?  Each needs a row of its own, and both classes
 * among the rows of the others.
 */
extern bool fit_sample_fills_folds(const Fit *fit);

/* Write the sample's rows, or all, with labels and folds. */
extern void fit_sample_copy(const Fit *fit, bool all, FitMatrix *matrix);

/* ---- fit_provenance.c ---- */

extern const char *fit_encoding_name(FitEncoding encoding);

/* One NOTICE with the names of dropped columns, reason by reason */
extern void fit_report_dropped(const Fit *fit);

/* The provenance of the model, as JSON.  No time and no place: equal fits
 * are equal values. */
extern char *fit_provenance(const Fit *fit);

#endif							/* CHURN_FIT_RUN_H */
