/*-------------------------------------------------------------------------
 *
 * history_sum.h
 *	  Events and money of several entries, added exactly.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_HISTORY_SUM_H
#define CHURN_HISTORY_SUM_H

#include "history/history_format.h"

typedef struct HistorySum
{
	WideInt		cents;
	int64		count;			/* events */
	bool		has_amount;		/* some event carried money */
	DyadicSum	rest;			/* money that is no whole cents */
} HistorySum;

extern void history_sum_init(HistorySum *sum);
extern void history_sum_reset(HistorySum *sum);
extern void history_sum_add(HistorySum *sum, const HistoryEntry *entry);
extern double history_sum_amount(const HistorySum *sum);

#endif							/* CHURN_HISTORY_SUM_H */
