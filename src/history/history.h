/*-------------------------------------------------------------------------
 *
 * history.h
 *	  churn_history: one user's behaviour, an entry a (kind, day, lag).
 *
 * A day is a DateADT (days since 2000-01-01).  The lag of an entry is the
 * number of days after which the event became known: 0 for most, never
 * negative.  The stored form is private to the layer's C files; readers work
 * on the view below.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_HISTORY_H
#define CHURN_HISTORY_H

#include "fmgr.h"
#include "history/limits.h"
#include "utils/date.h"

/* What a reader sees of one kind: its days in order, lags already merged. */
typedef struct KindView
{
	const char *kind;			/* NUL-terminated name */
	int			ndays;			/* >= 1 */
	int32	   *day;			/* strictly ascending */
	int64	   *count;			/* events of that day, >= 1 */
	double	   *amount;			/* money of that day; 0 when none was given */
	bool	   *has_amount;		/* some event of that day carried an amount */
} KindView;

typedef struct HistoryView
{
	int			nkinds;
	KindView   *kinds;			/* ascending by bytes of the name; only kinds
								 * with a day in the view */
} HistoryView;

/* What a reader may see */
typedef enum HistoryKnowledge
{
	HISTORY_KNOWABLE,			/* entries with day < until, day + lag < until */
	HISTORY_HINDSIGHT			/* entries with day < until, however late known */
} HistoryKnowledge;

/*
 * Read the entries of days in [from, until) out of a (possibly toasted)
 * churn_history datum.  Use DATEVAL_NOBEGIN / DATEVAL_NOEND for no bound.
 * Everything is allocated in the current context.  A value whose bytes are
 * damaged raises ERRCODE_DATA_CORRUPTED.
 */
extern HistoryView *history_view(Datum history, DateADT from, DateADT until,
								 HistoryKnowledge knowledge);

/*
 * The days of "stored" before "since", whenever they came to light, and all
 * of "tail"; either may be 0.  0 when that is nothing.
 */
extern Datum history_renew(Datum stored, DateADT since, Datum tail);

#endif							/* CHURN_HISTORY_H */
