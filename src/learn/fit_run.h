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
	int8	   *monotone;		/* by those columns: 1, -1 or 0 */
	double		class_weights[2];	/* by label */
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

/* ---- fit_provenance.c ---- */

extern const char *fit_encoding_name(FitEncoding encoding);

/* A NOTICE for each reason to drop columns, with their names */
extern void fit_report_dropped(const Fit *fit);

/* The provenance of the model, as JSON.  No time and no place: equal fits
 * are equal values. */
extern char *fit_provenance(const Fit *fit);

#endif							/* CHURN_FIT_RUN_H */
