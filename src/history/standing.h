/*-------------------------------------------------------------------------
 *
 * standing.h
 *	  Where a user stands at an as-of date: stage, at risk or not, value.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_STANDING_H
#define CHURN_STANDING_H

#include "fmgr.h"
#include "history/history.h"
#include "history/spec.h"
#include "utils/date.h"

typedef enum Stage
{
	STAGE_NEVER,				/* no key day before as_of */
	STAGE_LAPSED,				/* key days, none in the active window */
	STAGE_YOUNG,				/* active, but below the minimum tenure */
	STAGE_NEW,					/* at risk: one key day */
	STAGE_REPEAT,				/* at risk: several key days */
	STAGE_RETURNED				/* at risk: had lapsed before */
} Stage;

typedef struct Standing
{
	Stage		stage;
	bool		at_risk;		/* new, repeat or returned */
	int			recency;		/* days since the last key day; with key_days */
	int			tenure;			/* days since the first key day */
	int			key_days;		/* key days before as_of */
	double		value;			/* money of a year, see standing.c */
	bool		has_value;		/* the key kinds carry money */
	int			median_gap;		/* days, rounded; -1 with one key day */
} Standing;

extern Standing standing_compute(const HistoryView *view, DateADT as_of,
								 const Spec *spec, int active_window,
								 int min_tenure);
extern const char *standing_stage_name(Stage stage);

#endif							/* CHURN_STANDING_H */
