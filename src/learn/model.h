/*-------------------------------------------------------------------------
 *
 * model.h
 *	  churn_model: a fitted model as a self-contained value.
 *
 * A model is a sum of terms, one a feature for now: log-odds = intercept +
 * sum of term(x).  The decoded form below is what fitting fills, scoring
 * reads and the text form prints.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_MODEL_H
#define CHURN_MODEL_H

#include "fmgr.h"
#include "utils/date.h"

#define MODEL_MAX_TERMS		20000

/*
 * Linear term: z = (t(x) - mean) / scale, t(x) = x or sign(x) ln(1 + |x|);
 * contribution = weight * z when x is known, else missing_weight.
 * Contributions are against the training mean: "average" is the mean of the
 * contribution over the training rows, so that contribution - average is what
 * this user's value adds to the average user's log-odds.
 */
typedef struct ModelTerm
{
	char	   *name;			/* feature or column */
	bool		signed_log;		/* t(x) = sign(x) ln(1 + |x|) */
	double		mean;			/* of t(x) over known training values */
	double		scale;			/* standard deviation of the same, > 0 */
	double		weight;			/* log-odds a standard deviation */
	double		missing_weight; /* log-odds when x is NULL */
	double		average;		/* mean contribution in training */
	double		missing_share;	/* share of training rows with x NULL */
} ModelTerm;

typedef struct Model
{
	Datum		spec;			/* churn_spec, or 0 when fitted on columns */
	double		intercept;
	int			nterms;
	ModelTerm  *terms;
	char	   *provenance;		/* JSON object text: rows, churn rate, options,
								 * C, folds, log-loss, solver, … */
} Model;

extern Model *model_decode(Datum datum);
extern Datum model_encode(const Model *model);

/* Log-odds of one row; values in the order of terms. */
extern double model_log_odds(const Model *model, const double *values,
							 const bool *nulls);

#endif							/* CHURN_MODEL_H */
