/*-------------------------------------------------------------------------
 *
 * fit_progress.c
 *	  Where a fit is: in pg_stat_activity, and as NOTICE when it takes long.
 *
 * The session's query text begins with a comment that names the phase, fold
 * and step while a fit runs, and is the query alone again afterwards.  A
 * worker shows its own fold and step.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "tcop/tcopprot.h"
#include "utils/timestamp.h"
#if PG_VERSION_NUM >= 140000
#include "utils/backend_status.h"
#endif

#include "learn/fit.h"

#define PHASE_BYTES		160
#define QUIET_MS		20000	/* between two NOTICEs of progress */

/* When something was last said, or the fit began */
static TimestampTz last_notice = 0;

/* Set the text; the query's identifier, which this forgets, stays. */
static void
report_text(const char *text)
{
#if PG_VERSION_NUM >= 140000
#if PG_VERSION_NUM >= 180000
	int64		id = pgstat_get_my_query_id();
#else
	uint64		id = pgstat_get_my_query_id();
#endif

	pgstat_report_activity(STATE_RUNNING, text);
	pgstat_report_query_id(id, true);
#else
	pgstat_report_activity(STATE_RUNNING, text);
#endif
}

void
fit_progress_phase(const char *format,...)
{
	char		phase[PHASE_BYTES];
	char	   *text;
	va_list		arguments;

	va_start(arguments, format);
	vsnprintf(phase, sizeof(phase), format, arguments);
	va_end(arguments);
	text = debug_query_string == NULL ? psprintf("churn_fit: %s", phase) :
		psprintf("/* churn_fit: %s */ %.*s", phase,
				 pgstat_track_activity_query_size, debug_query_string);
	report_text(text);
	pfree(text);
}

void
fit_progress_begin(int64 nrows)
{
	last_notice = GetCurrentTimestamp();
	fit_progress_phase("sorting " INT64_FORMAT " rows", nrows);
}

void
fit_progress_end(void)
{
	report_text(debug_query_string == NULL ? "" : debug_query_string);
}

static const char *
encoding_name(const FitTask *task)
{
	static const char *const names[] = {"linear", "bins", "pairs"};

	return names[task->encoding];
}

/* "fold 2 of 5, step 3 of 10, encoding bins" */
static void
show_step(const FitTask *task, int job, int step)
{
	if (task->final)
		fit_progress_phase("final fit of " INT64_FORMAT " rows, encoding %s",
						   task->nrows, encoding_name(task));
	else
		fit_progress_phase("fold %d of %d, step %d of %d, encoding %s",
						   job + 1, task->njobs, step, task->npath,
						   encoding_name(task));
}

void
fit_report_progress(FitTask *task, int job, int step)
{
	if (job < FIT_MAX_FOLDS)
		task->at_step[job] = step + 1;
	show_step(task, job, step + 1);
}

void
fit_progress_watch(const FitTask *task)
{
	int			job = 0;

	while (job + 1 < task->njobs && job + 1 < FIT_MAX_FOLDS &&
		   task->at_step[job + 1] > 0)
		job++;
	show_step(task, job, task->at_step[job]);
	if (task->final ||
		!TimestampDifferenceExceeds(last_notice, GetCurrentTimestamp(),
									QUIET_MS))
		return;
	last_notice = GetCurrentTimestamp();
	ereport(NOTICE,
			(errmsg("churn_fit: fold %d of %d, step %d of %d, encoding %s",
					job + 1, task->njobs, task->at_step[job], task->npath,
					encoding_name(task))));
}
