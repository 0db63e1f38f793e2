/*-------------------------------------------------------------------------
 *
 * history_args.h
 *	  The arguments of churn_history(), whichever its overload.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_HISTORY_ARGS_H
#define CHURN_HISTORY_ARGS_H

#include "fmgr.h"

#include "history/spec.h"

/* One event, checked */
typedef struct HistoryEvent
{
	const char *kind;			/* not NUL-terminated */
	uint32		kind_bytes;
	int32		day;
	int32		lag;			/* days until it was known, >= 0 */
	bool		has_amount;
	double		amount;
} HistoryEvent;

/* Where an overload has its arguments; lives in fn_extra. */
typedef struct HistoryArgs
{
	Oid			time_type;		/* date, timestamp or timestamptz */
	int			kind;			/* numbers of arguments, 0 when missing */
	int			amount;
	int			known_at;
	int			spec;
	struct varlena *spec_value; /* the spec that is decoded below, or NULL */
	Spec	   *decoded;
	uint32		kind_bytes;		/* of decoded->kind */
	ZoneDays   *zone;			/* of decoded->time_zone */
	MemoryContext spec_context; /* holds these three */
} HistoryArgs;

extern bool history_args_read(FunctionCallInfo fcinfo, HistoryEvent *event);

#endif							/* CHURN_HISTORY_ARGS_H */
