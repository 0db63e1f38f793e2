/*-------------------------------------------------------------------------
 *
 * themes.h
 *	  Contributions added up by what they are about.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_THEMES_H
#define CHURN_THEMES_H

#include "learn/scorer.h"

/*
 * A theme of the row that was read: a FeatureTheme, or an input of a model
 * that was fitted on columns, where every column is its own.
 */
typedef struct Theme
{
	int			place;			/* FeatureTheme or input */
	double		log_odds;		/* sum of its contributions */
	int			ninputs;		/* that were added up */
	int			raiser;			/* input that says best why it raises the risk */
	int			lowerer;		/* or lowers it; -1 where none does */
	double		raise;			/* their strengths: log-odds times readiness */
	double		lower;
} Theme;

typedef struct Themes
{
	int			n;
	Theme	   *theme;			/* those with inputs, in no order */
	double		unnamed;		/* sum of what must not be named */
	int			nunnamed;		/* and of how many inputs */
} Themes;

/* Add up the contributions of the row that was read. */
extern Themes themes_add_up(Scorer *scorer);

#endif							/* CHURN_THEMES_H */
