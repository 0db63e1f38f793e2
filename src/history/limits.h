/*-------------------------------------------------------------------------
 *
 * limits.h
 *	  How large one history may be.  Every limit is checked before memory is
 *	  asked for; beyond it is ERRCODE_PROGRAM_LIMIT_EXCEEDED.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_HISTORY_LIMITS_H
#define CHURN_HISTORY_LIMITS_H

#define HISTORY_MAX_KINDS		255 /* kinds in one history */
#define HISTORY_KIND_BYTES		63	/* bytes of a kind's name, at least 1 */
#define HISTORY_MAX_ENTRIES		(4 * 1024 * 1024)	/* (kind, day, lag) cells */
#define HISTORY_MAX_BYTES		(64 * 1024 * 1024)	/* stored size */
#define HISTORY_MAX_LAG			36500	/* days; a longer lag counts as this */

#endif							/* CHURN_HISTORY_LIMITS_H */
