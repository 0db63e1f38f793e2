/*-------------------------------------------------------------------------
 *
 * history_scan.h
 *	  Reading the log of a state in the order of the format.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_HISTORY_SCAN_H
#define CHURN_HISTORY_SCAN_H

#include "history/history_state.h"

/* A row to be sorted.  The key is kind's rank, day, lag: 8, 32, 16 bits. */
typedef struct SortedRow
{
	uint64		key;
	uint32		at;				/* where in the log its count or money is */
	uint32		flags;
} SortedRow;

/* Reads a log in the order of the format, equal keys merged. */
typedef struct LogScan
{
	const HistoryState *state;
	SortedRow  *rows;
	uint32		nrows;
	uint32		next;			/* row to be read next */
	uint32		nkinds;
	uint32		kinds[HISTORY_MAX_KINDS];	/* numbers, ascending by name */
	uint32		counts[HISTORY_MAX_KINDS];	/* rows of each */
	DyadicSum	rest;			/* dyadic money of the current entry */
	uint8		encoded[DYADIC_MAX_BYTES];
} LogScan;

extern void log_scan_begin(LogScan *scan, const HistoryState *state);
extern bool log_scan_next(LogScan *scan, uint32 *kind, HistoryEntry *entry);
extern void log_scan_end(LogScan *scan);

#endif							/* CHURN_HISTORY_SCAN_H */
