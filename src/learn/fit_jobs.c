/*-------------------------------------------------------------------------
 *
 * fit_jobs.c
 *	  Runs the jobs of a fit: in parallel workers over one shared matrix, or
 *	  in this process where no worker is to be had.  The bits are the same.
 *
 * A job of a search phase is a fold: learn the encoding from the other
 * folds' rows, then follow the path of settings, and note the log-odds of the
 * fold's own rows at each.  The final phase is one job: one setting, all rows.
 *
 * Workers exist for the sake of cancelling as much as of speed: LIBLINEAR
 * can be left cleanly only by ending its process.  So this process waits and
 * fits nothing itself while workers run.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/shmem.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#if PG_VERSION_NUM >= 140000
#include "utils/backend_status.h"
#endif

#include "learn/fit.h"

#define FIT_TOC_KEY		UINT64CONST(0x636875726e666974)

PGDLLEXPORT void churn_fit_worker(dsm_segment *seg, shm_toc *toc);

/* ---- layout ---- */

/* Hand out the next array of "count" numbers behind the header. */
static void *
place(char *base, Size *offset, Size count, Size width)
{
	void	   *array = base + *offset;

	*offset = add_size(*offset, MAXALIGN(mul_size(count, width)));
	return array;
}

/*
 * Lay the arrays of a task out behind "base"; returns the bytes of all.  With
 * base NULL only the size means something.
 */
static Size
task_layout(const FitTask *shape, char *base, FitArrays *arrays)
{
	Size		offset = MAXALIGN(sizeof(FitTask));
	Size		nrows = shape->nrows;
	Size		ncolumns = shape->ncolumns;
	Size		nfinal = shape->final ? ncolumns : 0;

	arrays->matrix.nrows = shape->nrows;
	arrays->matrix.ncolumns = shape->ncolumns;
	arrays->matrix.values = place(base, &offset, mul_size(nrows, ncolumns),
								  sizeof(double));
	arrays->matrix.churned = place(base, &offset, nrows, 1);
	arrays->matrix.fold = place(base, &offset, nrows, 1);
	arrays->matrix.levels = place(base, &offset, ncolumns, sizeof(int32));
	arrays->log_odds = place(base, &offset,
							 shape->final ? 0 : mul_size(nrows, shape->npath),
							 sizeof(double));
	arrays->steps = place(base, &offset, shape->njobs, sizeof(int32));
	arrays->done = place(base, &offset, shape->njobs, sizeof(int32));
	arrays->result = place(base, &offset,
						   shape->final ? fit_result_numbers(shape) : 0,
						   sizeof(double));
	arrays->pairs = place(base, &offset, mul_size(2, shape->npairs),
						  sizeof(int32));
	arrays->fate = place(base, &offset, nfinal, sizeof(int32));
	arrays->duplicate_of = place(base, &offset, nfinal, sizeof(int32));
	return offset;
}

/* A task without results, where the arrays of "shape" fit */
static void
task_init(FitTask *task, const FitTask *shape, FitArrays *arrays)
{
	*task = *shape;
	pg_atomic_init_u32(&task->next_job, 0);
	task_layout(task, (char *) task, arrays);
	memset(arrays->steps, 0, sizeof(int32) * task->njobs);
	memset(arrays->done, 0, sizeof(int32) * task->njobs);
}

int
fit_task_pairs(const FitTask *shape)
{
	int			most = shape->npairs;

	for (int i = 0; i < shape->npath; i++)
		most = Max(most, shape->path_pairs[i]);
	return most;
}

/* ---- one job ---- */

/* Show a worker's progress where its query text stands in pg_stat_activity. */
void
fit_report_progress(const FitTask *task, int job, int step)
{
	char		text[128];

	if (!IsParallelWorker())
		return;
	if (task->final)
		snprintf(text, sizeof(text), "churn_fit: final fit");
	else
		snprintf(text, sizeof(text), "churn_fit: fold %d of %d, step %d of %d",
				 job + 1, task->njobs, step + 1, task->npath);
	pgstat_report_activity(STATE_RUNNING, text);
}

/* One job of whichever encoding */
static void
run_job(FitTask *task, FitArrays *arrays, int job)
{
	bool		linear = task->encoding == FIT_LINEAR;

	if (task->final)
		(linear ? linear_run_final : codes_run_final) (task, arrays);
	else
		(linear ? linear_run_fold : codes_run_fold) (task, arrays, job);
}

/* Take jobs until none is left; what a job allocates goes with it. */
static void
run_jobs(FitTask *task, FitArrays *arrays)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "churn_fit job",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	uint32		job;

	while ((job = pg_atomic_fetch_add_u32(&task->next_job, 1)) <
		   (uint32) task->njobs)
	{
		if (arrays->done[job])
			continue;
		run_job(task, arrays, job);
		pg_write_barrier();
		arrays->done[job] = 1;
		MemoryContextReset(context);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
}

/* Entry point of a parallel worker */
void
churn_fit_worker(dsm_segment *seg, shm_toc *toc)
{
	FitTask    *task = shm_toc_lookup(toc, FIT_TOC_KEY, false);
	FitArrays	arrays;

	task_layout(task, (char *) task, &arrays);
	run_jobs(task, &arrays);
}

/* ---- workers ---- */

/*
 * Let workers run the jobs of a filled task; the rest, or all of them when
 * none came, falls to this process.
 */
static void
run_in_workers(ParallelContext *pcxt, FitTask *task, FitArrays *arrays)
{
	LaunchParallelWorkers(pcxt);
	if (pcxt->nworkers_launched > 0)
		WaitForParallelWorkersToFinish(pcxt);
	pg_read_barrier();
	pg_atomic_write_u32(&task->next_job, 0);
	run_jobs(task, arrays);
}

/*
 * Ask for shared memory.  False when the system has none to give: what was
 * begun is released with the resource owner, and the fit goes on here.
 */
static bool
shared_memory_got(ParallelContext *pcxt)
{
	MemoryContext context = CurrentMemoryContext;
	bool		got = true;

	PG_TRY();
	{
		InitializeParallelDSM(pcxt);
		got = pcxt->seg != NULL;
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		if (ERRCODE_TO_CATEGORY(error->sqlerrcode) !=
			ERRCODE_INSUFFICIENT_RESOURCES)
			PG_RE_THROW();
		FlushErrorState();
		FreeErrorData(error);
		got = false;
	}
	PG_END_TRY();
	return got;
}

/*
 * Try to run a task in shared memory.  False when there is no shared memory.
 * An own resource owner lets a failed attempt be cleaned up at once.
 */
static bool
run_shared(const FitTask *shape, Size bytes, int workers,
		   FitTaskFunction fill, FitTaskFunction collect, void *arg)
{
	ResourceOwner caller = CurrentResourceOwner;
	ResourceOwner owner = ResourceOwnerCreate(caller, "churn_fit");
	ParallelContext *pcxt;
	bool		shared;

	CurrentResourceOwner = owner;
	EnterParallelMode();
	pcxt = CreateParallelContext("$libdir/churn", "churn_fit_worker", workers);
	shm_toc_estimate_chunk(&pcxt->estimator, bytes);
	shm_toc_estimate_keys(&pcxt->estimator, 1);
	shared = shared_memory_got(pcxt);
	if (shared)
	{
		FitTask    *task = shm_toc_allocate(pcxt->toc, bytes);
		FitArrays	arrays;

		task_init(task, shape, &arrays);
		shm_toc_insert(pcxt->toc, FIT_TOC_KEY, task);
		fill(task, &arrays, arg);
		run_in_workers(pcxt, task, &arrays);
		collect(task, &arrays, arg);
	}
	DestroyParallelContext(pcxt);
	ExitParallelMode();
	CurrentResourceOwner = caller;
	ResourceOwnerRelease(owner, RESOURCE_RELEASE_BEFORE_LOCKS, shared, false);
	ResourceOwnerRelease(owner, RESOURCE_RELEASE_LOCKS, shared, false);
	ResourceOwnerRelease(owner, RESOURCE_RELEASE_AFTER_LOCKS, shared, false);
	ResourceOwnerDelete(owner);
	return shared;
}

/* Run all jobs here. */
static void
run_private(const FitTask *shape, Size bytes, FitTaskFunction fill,
			FitTaskFunction collect, void *arg)
{
	FitTask    *task = MemoryContextAllocHuge(CurrentMemoryContext, bytes);
	FitArrays	arrays;

	task_init(task, shape, &arrays);
	fill(task, &arrays, arg);
	run_jobs(task, &arrays);
	collect(task, &arrays, arg);
	pfree(task);
}

/* Bytes that one running job holds beside the task */
static Size
job_bytes(const FitTask *shape)
{
	if (shape->encoding != FIT_LINEAR)
		return codes_job_bytes(shape);
	/* levels: design columns, rows without a weight, numbers coded */
	return add_size(linear_bytes(shape->nrows, shape->ncolumns),
					encoding_bytes(shape->nrows, shape->ncolumns)) +
		add_size(mul_size(shape->level_codes, 1024),
				 mul_size(shape->level_numbers, 16));
}

/*
 * Workers that may run at once: as many as asked for, as there are jobs, and
 * as the memory setting has room for beside the matrix.
 */
static int
affordable_workers(const FitTask *shape, const FitOptions *options,
				   Size fixed_bytes)
{
	int			workers = Min(options->workers, shape->njobs);

	while (workers > 1 &&
		   add_size(fixed_bytes, mul_size(workers, job_bytes(shape))) / 1024 >=
		   (Size) options->memory_kb)
		workers--;
	return workers;
}

/* "held_bytes": what the caller holds while the jobs run */
void
fit_jobs_check(const FitTask *shape, const FitOptions *options,
			   Size held_bytes)
{
	FitArrays	unused;
	Size		bytes = add_size(held_bytes, task_layout(shape, NULL, &unused));

	fit_check_memory(options, add_size(bytes, job_bytes(shape)),
					 shape->nrows, shape->ncolumns);
}

void
fit_jobs_run(const FitTask *shape, const FitOptions *options, Size held_bytes,
			 FitTaskFunction fill, FitTaskFunction collect, void *arg)
{
	FitArrays	unused;
	Size		bytes = task_layout(shape, NULL, &unused);
	int			workers;

	fit_jobs_check(shape, options, held_bytes);
	workers = affordable_workers(shape, options, add_size(held_bytes, bytes));
	/* a parallel context inside a worker would corrupt its lock group */
	if (workers > 0 && !IsParallelWorker() &&
		run_shared(shape, bytes, workers, fill, collect, arg))
		return;
	run_private(shape, bytes, fill, collect, arg);
}
