/*-------------------------------------------------------------------------
 *
 * fit.h
 *	  From labelled rows to a Model: what the parts of fitting share.
 *
 *	  row_reader.c		 reads rows by name
 *	  fit_rows.c		 collects rows as an aggregate sees them, and sorts
 *	  fit_table.c		 keeps them by column, in memory or in a file
 *	  fit_scan.c		 passes over a column, wherever it is
 *	  fit_options.c		 the options as the user wrote them
 *	  fit_options_loss.c those of the loss: penalty, class weights, limits
 *	  fit.c				 orders the phases: sample, folds, choice, final fit
 *	  levels.c			 texts as numbers (levels.h)
 *	  fit_levels.c		 columns of texts in the phases of a fit
 *	  fit_loss.c		 class weights, limits, calibration in them
 *	  level_codes.c		 learns which levels of a column count
 *	  encode.c			 learns how a column of numbers reaches the solver
 *	  bins.c, pairs.c	 learn bins of columns, and pairs of them (bins.h)
 *	  fit_jobs.c		 runs jobs, in parallel workers where there are any
 *	  fit_linear.c		 what a job does, encoding "linear"
 *	  fit_codes.c		 the same, encodings "bins" and "pairs"
 *	  liblinear.c		 a solver, over any matrix
 *	  newton.c			 a solver, over codes (codes.h), newton_passes.c its
 *						 passes over the rows
 *	  penalties.c		 learns a penalty for every column and pair
 *	  linear_newton.c	 a solver, over columns of numbers in passes
 *	  monotone.c		 limits on columns: linear ones, and curves
 *	  limits.c			 the same as inequalities, for newton.c
 *	  choose.c			 choice of C, out-of-fold metrics, calibration
 *	  isotonic.c		 calibration by a monotone map
 *
 * A missing value is a NaN inside fitting: NaN in data is refused before.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_FIT_H
#define CHURN_FIT_H

#include "fmgr.h"
#include "learn/levels.h"
#include "learn/model.h"
#include "port/atomics.h"
#include "utils/jsonb.h"

#define FIT_MAX_FOLDS	20
#define FIT_MAX_PAIRS	40
#define FIT_MAX_PATH	16		/* steps that are tried; bits of an int32 */
#define FIT_QUANTILES	99		/* shares .01 to .99 of out-of-fold scores */
#define FIT_NO_FOLD		255		/* matches no row: every row trains */

/* How columns reach the solver, simplest first */
typedef enum FitEncoding
{
	FIT_LINEAR,
	FIT_BINS,
	FIT_PAIRS,
	FIT_AUTO					/* the folds decide */
} FitEncoding;

typedef enum FitSolver
{
	FIT_LIBLINEAR,
	FIT_NEWTON,
	FIT_SOLVER_AUTO				/* liblinear for "linear", else newton */
} FitSolver;

typedef enum FitPenalty
{
	FIT_L2,
	FIT_L1						/* liblinear alone; not over pairs */
} FitPenalty;

/* Encodings "bins" and "pairs": one penalty, or one for each block */
typedef enum FitPenalties
{
	FIT_PENALTIES_AUTO,			/* the folds decide; with C given, equal */
	FIT_LEARNT,
	FIT_EQUAL
} FitPenalties;

/* What becomes of out-of-fold log-odds */
typedef enum FitCalibration
{
	FIT_UNCALIBRATED,
	FIT_PLATT,					/* a line, folded into the weights */
	FIT_ISOTONIC				/* a map behind the weights */
} FitCalibration;

/* ---- options: fit_options.c, fit_options_loss.c ---- */

typedef struct FitOptions
{
	double		c;				/* 0: chosen by folds */
	int			folds;			/* 0: none; then no calibration either */
	int64		seed;
	int			max_search_rows;	/* rows that choose C */
	int			memory_kb;
	int			workers;		/* asked for; fewer may come */
	FitCalibration calibration;
	bool		calibrate_given;
	FitEncoding encoding;
	FitSolver	solver;
	FitPenalty	penalty;
	FitPenalties penalties;
	int			pairs;			/* -1: by folds */
	bool		weighted;		/* classes have weights: */
	bool		balanced;		/* by their numbers of rows, or */
	double		class_weights[2];	/* by label */
	int			nmonotone;
	char	  **monotone_columns;
	int8	   *monotone_signs; /* 1 or -1 */
	int			nexclude;
	char	  **exclude;		/* columns left out */
	int			nunnamed;
	char	  **unnamed;		/* what reasons must not name */
	char	   *key;			/* row form: column that names the user */
	char	   *positive;		/* row form: text of the label that churned */
	bool		has_reference;	/* row form: the day that dates are counted */
	DateADT		reference_date; /* before */
	bool		row_form;		/* excluded columns are no inputs at all */
} FitOptions;

/* Unknown keys and values out of range raise 22023. */
extern FitOptions *fit_options_read(Jsonb *json);

/* ---- rows: fit_rows.c ---- */

typedef struct FitRows FitRows; /* private */

/* One collected row */
typedef struct FitRow
{
	uint64		group_id;		/* rows of one user share it */
	bool		churned;
	double		values[FLEXIBLE_ARRAY_MEMBER];	/* NaN where NULL */
} FitRow;

/* What the columns of rows by name were read from */
typedef struct FitInputs
{
	uint8	   *types;			/* ModelType by column */
	LevelTable **levels;		/* of MODEL_TEXT: the values are of
								 * levels_collect(); else NULL */
} FitInputs;

extern FitRows *fit_rows_create(MemoryContext context, int ncolumns,
								char **names, FitOptions *options);

/*
 * Add a row.  "grouped" false: the row is a user of its own.  NaN and
 * infinite values raise 22003 with the column's name.
 */
extern void fit_rows_add(FitRows *rows, const double *values,
						 const bool *nulls, bool churned, bool grouped,
						 uint64 group_id);
extern void fit_rows_skip_unlabelled(FitRows *rows);

/* Without inputs all columns are numbers. */
extern void fit_rows_set_inputs(FitRows *rows, const FitInputs *inputs);
extern const FitInputs *fit_rows_inputs(const FitRows *rows);

extern int64 fit_rows_count(const FitRows *rows);
extern int64 fit_rows_unlabelled(const FitRows *rows);
extern int	fit_rows_columns(const FitRows *rows);
extern char **fit_rows_names(const FitRows *rows);
extern const FitOptions *fit_rows_options(const FitRows *rows);

/*
 * Sort, then take one row after the other (NULL: no more), by user, label
 * and content.  No row may be added any more.
 */
extern void fit_rows_sort(FitRows *rows);
extern const FitRow *fit_rows_next(FitRows *rows);

/* Let the rows go, with memory and files; counts and names stay. */
extern void fit_rows_free(FitRows *rows);

/* 54000 with figures and a hint when "bytes" exceed the option. */
extern void fit_check_memory(const FitOptions *options, Size bytes,
							 int64 nrows, int ncolumns);
extern bool fit_memory_holds(const FitOptions *options, Size bytes);

/* Share of so many rows, at most 1, that a fit can hold: fit_memory.c */
extern double fit_memory_share(int64 nrows, int ncolumns, int memory_kb);

/* A hash for one purpose: fold, sample, group of a row without a key */
typedef enum FitSalt
{
	FIT_SALT_FOLD = 1,
	FIT_SALT_SAMPLE = 2,
	FIT_SALT_CONTENT = 3
} FitSalt;
extern uint64 fit_hash(uint64 value, int64 seed, FitSalt salt);

/* ---- the matrix ---- */

struct FitTable;

/* Rows in memory; or, with a table, some of its columns, and all rows train */
typedef struct FitMatrix
{
	int64		nrows;
	int			ncolumns;
	double	   *values;			/* column after column; NaN where missing */
	uint8	   *churned;		/* 0 or 1 */
	uint8	   *fold;			/* of the row's user */
	int32	   *levels;			/* by column: FIT_NUMBERS, or its values are
								 * numbers of so many levels, that many itself
								 * where a text is too long to be one */
	const struct FitTable *table;	/* then values, churned, fold are NULL */
	const int  *columns;		/* of the table */
	const FitOptions *options;
} FitMatrix;

#define FIT_NUMBERS		(-1)	/* a column of numbers */
#define FIT_CROWDED		(-2)	/* of more levels than can be numbered */

/* ---- passes over a column of it: fit_scan.c ---- */

#define FIT_SCAN_ROWS	8192	/* at most so many at a time */

/* A column, some rows at a time */
typedef struct FitScan
{
	const FitMatrix *matrix;
	int			column;
	int			held_out;
	int64		first;			/* row of x[0] */
	int			n;				/* rows at hand */
	const double *x;
	const uint8 *fold;			/* NULL: all train */
	void	   *buffer;
} FitScan;

/* Leave out fold "held_out", or FIT_NO_FOLD. */
extern void fit_scan_begin(FitScan *scan, const FitMatrix *matrix, int column,
						   int held_out);

/* The next rows; false, and all is released, when there are no more. */
extern bool fit_scan_next(FitScan *scan);

/* Begin anew, or release it before the end. */
extern void fit_scan_rewind(FitScan *scan);
extern void fit_scan_end(FitScan *scan);

/* Does a row at hand train? */
static inline bool
fit_scan_trains(const FitScan *scan, int i)
{
	return scan->fold == NULL || scan->fold[i] != scan->held_out;
}

/* Rows that train */
extern int64 fit_matrix_training(const FitMatrix *matrix, int held_out);

/* What became of a column */
typedef enum ColumnFate
{
	COLUMN_KEPT,
	COLUMN_EMPTY,				/* NULL in every row */
	COLUMN_CONSTANT,
	COLUMN_DUPLICATE,			/* encoded just like an earlier column */
	COLUMN_DISTINCT,			/* levels: each in one row */
	COLUMN_RARE,				/* levels: at most one in rows enough */
	COLUMN_CROWDED,				/* levels: more than can be numbered */
	COLUMN_ZERO					/* solved to weights of zero */
} ColumnFate;

/* ---- levels of a column: level_codes.c ---- */

/*
 * Which levels have a code of their own.  Codes: the levels with rows enough,
 * most frequent first; then one for all others, those that training never
 * saw included; then "missing".
 */
#define LEVEL_MIN_ROWS	20		/* training rows of a level, of the others,
								 * and of missing, for a weight */

typedef struct LevelCodes
{
	int			nlevels;		/* with a code of their own */
	int32	   *numbers;		/* of these, by code */
	bool		other_weight;	/* so have the others together */
	bool		missing_weight; /* and missing */
	int64	   *counts;			/* training rows by code: nlevels + 2 */
	double	   *means;			/* by known code: share of known rows */
	uint8	   *code_of;		/* by number, "too long" included */
} LevelCodes;

/* Learn from the rows outside a fold; says whether the column is of use. */
extern ColumnFate level_codes_learn(const FitMatrix *matrix, int held_out,
									int column, LevelCodes *codes);
extern void level_codes_free(LevelCodes *codes);

/* Codes that have a weight, missing aside; they are the first ones. */
static inline int
level_codes_hot(const LevelCodes *codes)
{
	return codes->nlevels + codes->other_weight;
}

static inline int
level_code(const LevelCodes *codes, double x)
{
	return isnan(x) ? codes->nlevels + 1 : codes->code_of[(int32) x];
}

/* A term of so many levels, its shares filled in, its values 0 */
extern void level_codes_term(const LevelCodes *codes, int64 ntraining,
							 ModelTerm *term);


/* ---- encoding: encode.c ---- */

/*
 * A column as the solver sees it: up to two design columns; of levels, one
 * each
 */
typedef struct EncodedColumn
{
	ModelTerm	term;			/* weights are filled after solving */
	LevelCodes	levels;			/* where the term is one of levels */
	int			value_column;	/* design column of z or of the first level,
								 * or -1 */
	int			missing_column; /* design column of "is NULL", or -1 */
} EncodedColumn;

typedef struct Encoding
{
	int			ncolumns;		/* kept ones */
	EncodedColumn *columns;
	int			ndesign;		/* design columns, without the intercept's */
	Size		mean_nodes;		/* numbers in rows beyond one a column */
	int64		ntraining;		/* rows that it was learnt from */
	ColumnFate *fate;			/* per column of the matrix */
	int		   *duplicate_of;	/* where fate is COLUMN_DUPLICATE */
} Encoding;

/* Learn from the rows outside fold "held_out". */
extern Encoding *encoding_learn(const FitMatrix *matrix, int held_out);

/*
 * Of a column of levels: the design columns in which a value is not 0, from
 * "first" on, and the numbers there; returns how many.
 */
extern int	encoded_nodes(const EncodedColumn *column, double x, int *first,
						  const double **values);

/*
 * Write the design columns of n values x of a column: design column d of
 * value i goes to z[d * stride + i].
 */
extern void encoding_fill(const EncodedColumn *column, const double *x, int n,
						  double *z, int stride);

/* Bring the solver's weights into the terms, and so their averages. */
extern void encoding_take_weights(Encoding *encoding, const double *weights);

/* Bytes that encoding_learn() needs beside the matrix */
extern Size encoding_bytes(int64 nrows, int ncolumns);

/* ---- solver: liblinear.c ---- */

typedef struct LinearProblem LinearProblem;
typedef struct FitTask FitTask;

/*
 * Bytes for a problem of so many rows, LIBLINEAR's own arrays included; for
 * L1 it keeps a transposed copy.
 */
extern Size linear_bytes(int64 nrows, int ncolumns, FitPenalty penalty);
extern LinearProblem *linear_problem(const FitMatrix *matrix,
									 const Encoding *encoding, int held_out);

/*
 * Minimise |w|^2 / 2 (L1: |w|) + sum of C * class weight * log-loss, as the
 * task says.  weights[0 .. ndesign]: on entry where to start (L1: no
 * matter), on return the solution; the last is the intercept, which is as
 * good as unpenalised.
 */
extern void linear_fit(LinearProblem *problem, const FitTask *task, double c,
					   double tolerance, double *weights);

/* The same for rows as codes: their indicators are written out. */
struct CodeProblem;
extern Size linear_codes_bytes(int64 nrows, int ncolumns, int npairs,
							   FitPenalty penalty);
extern LinearProblem *linear_problem_codes(const struct CodeProblem *codes);
extern void linear_free(LinearProblem *problem);

/* ---- solver for the same objective in passes: linear_newton.c ---- */

/* Bytes that it holds beside the table */
extern Size linear_newton_bytes(int piece_rows, int ndesign);

/* The same as linear_fit(), over a matrix with a table; C by label */
extern void linear_newton_fit(const FitMatrix *matrix,
							  const Encoding *encoding, const double *c,
							  double tolerance, double *weights);

/* ---- limits on linear columns: monotone.c ---- */

/*
 * linear_fit(), with the weights of columns that monotone[] names kept from
 * the wrong sign.  "problem" may be replaced.
 */
extern void monotone_linear_fit(LinearProblem **problem, const FitTask *task,
								const FitMatrix *matrix, Encoding *encoding,
								int held_out, const int8 *monotone, double c,
								double *weights);

/* ---- jobs: fit_jobs.c ---- */

/*
 * What one phase computes, in one flat piece of memory that may be shared:
 * this header, then the arrays that fit_jobs.c lays out behind it.
 */
struct FitTask
{
	int64		nrows;
	int			ncolumns;
	bool		final;			/* one fit of all rows, else one a fold */
	FitEncoding encoding;		/* not FIT_AUTO */
	FitSolver	solver;			/* not FIT_SOLVER_AUTO */
	int			njobs;
	int			nfolds;			/* folds: those there are */
	int			npath;
	double		path[FIT_MAX_PATH]; /* values of C; final: the first */
	int			path_pairs[FIT_MAX_PATH];	/* and numbers of pairs */
	double		rank_c;			/* C of the additive models that rank pairs */
	bool		adaptive;		/* codes: learn a penalty for each block */
	int			npairs;			/* final: pairs to take in */
	int			ntexts;			/* columns of levels */
	Size		level_codes;	/* of these, at most, */
	Size		level_squares;	/* their squares */
	Size		level_numbers;	/* and all their levels, added up */
	double		tolerance;
	bool		in_place;		/* matrix has a table of pieces: final, newton,
								 * in this process; then the next two count */
	int			piece_rows;
	Size		spare_bytes;	/* memory that may keep what is passed over */
	int32		at_step[FIT_MAX_FOLDS]; /* per job: progress */
	FitPenalty	penalty;
	double		class_weights[2];	/* by label; 1 and 1 when unweighted */
	int64		seed;			/* of a solver that draws */
	pg_atomic_uint32 next_job;
};

/*
 * What class weights add to everybody's log-odds: taken off again, so that
 * predictions are of the rows as they are.
 */
static inline double
fit_task_shift(const FitTask *task)
{
	return log(task->class_weights[1] / task->class_weights[0]);
}

/* Where the arrays of a task are */
typedef struct FitArrays
{
	FitMatrix	matrix;
	double	   *log_odds;		/* folds: [path][row], out of fold */
	int8	   *monotone;		/* per column of the matrix: 1, -1 or 0 */
	int32	   *steps;			/* per fold: bit i set when step i was fitted */
	int32	   *done;			/* per job: 1 when its results are in */
	double	   *result;			/* final: as fit_result_put() writes it */
	int32	   *pairs;			/* final: two columns of the matrix each */
	int32	   *fate;			/* final: ColumnFate per column */
	int32	   *duplicate_of;	/* final */
} FitArrays;

typedef void (*FitTaskFunction) (FitTask *task, FitArrays *arrays, void *arg);

/* Bytes of a task and its jobs, one at a time */
extern Size fit_jobs_bytes(const FitTask *shape);

/*
 * Run the jobs of a task.  "fill" writes matrix, labels and folds, or names
 * the table of a task in place; "collect" takes the results out.  Both are
 * called in this process.  54000 when memory is short beside what is held.
 */
extern void fit_jobs_run(const FitTask *shape, const FitOptions *options,
						 Size held_bytes, FitTaskFunction fill,
						 FitTaskFunction collect, void *arg);

/* The most pairs that a task's jobs take in */
extern int	fit_task_pairs(const FitTask *shape);

/* ---- progress: fit_progress.c ---- */

/* A job begins a step. */
extern void fit_report_progress(FitTask *task, int job, int step);

/* Show in the session how far workers have come. */
extern void fit_progress_watch(const FitTask *task);

/*
 * Show a phase before the session's query in pg_stat_activity: the first,
 * any, and none any more.
 */
extern void fit_progress_begin(int64 nrows);
extern void fit_progress_phase(const char *format,...) pg_attribute_printf(1, 2);
extern void fit_progress_end(void);

/* ---- what a job does: fit_linear.c, fit_codes.c ---- */

extern void linear_run_fold(FitTask *task, FitArrays *arrays, int fold);
extern void linear_run_final(FitTask *task, FitArrays *arrays);
extern void codes_run_fold(FitTask *task, FitArrays *arrays, int fold);
extern void codes_run_final(FitTask *task, FitArrays *arrays);

/* Bytes that one job over codes holds beside the task */
extern Size codes_job_bytes(const FitTask *shape);

/* ---- results in shared memory: fit_result.c ---- */

extern Size fit_result_numbers(const FitTask *shape);
extern void fit_result_put(double *area, const Model *model);

/* Fills intercept, terms and pairs. */
extern void fit_result_get(const double *area, Model *model);

/* ---- choice and calibration: choose.c ---- */

/* Loss of one prediction: -ln of the probability of what happened */
static inline double
fit_log_loss(double log_odds, bool churned)
{
	double		margin = churned ? log_odds : -log_odds;

	return margin > 0 ? log1p(exp(-margin)) : log1p(exp(margin)) - margin;
}

/* What the folds said of one encoding */
typedef struct FitChoice
{
	bool		searched;		/* else the fields below say nothing */
	FitEncoding encoding;
	int			npath;			/* steps of the path that every fold reached */
	double		path[FIT_MAX_PATH]; /* C of each */
	int			path_pairs[FIT_MAX_PATH];
	double		log_loss[FIT_MAX_PATH]; /* mean out-of-fold, per step */
	int			chosen;			/* position in the path */
	int			nfolds;
	double		fold_losses[FIT_MAX_FOLDS]; /* there, mean per fold */
	double	   *log_odds;		/* there, out of fold, by row; palloc'd */
	uint8	   *churned;		/* labels of the same rows */
	double		auc;			/* there */
	double		quantiles[FIT_QUANTILES];	/* of the out-of-fold log-odds at the
											 * shares .01, .02, … .99 */
	double		slope;			/* of the outcome on out-of-fold log-odds */
	double		intercept;
	int			nranked;		/* pairs: on all rows, strongest first, */
	int32	   *ranked;			/* two columns of the matrix each */
} FitChoice;

/* Choose from a task's results; the path goes by simplicity. */
extern void fit_choose(const FitTask *task, const FitArrays *arrays,
					   FitChoice *choice);

/* The map of out-of-fold log-odds to shares that churned; palloc'd: isotonic.c */
extern struct ModelCalibration *fit_isotonic(const double *log_odds,
											 const uint8 *churned,
											 int64 nrows);

/* Is "simple" as good as "best", within one standard error? */
extern bool fit_choice_as_good(const FitChoice *simple,
							   const FitChoice *best);

/* ---- the whole: fit.c ---- */

/*
 * Fit a model on the collected rows.  No labelled row: NULL.  One class
 * only: 22023 with the counts.  "spec" as in Model.
 */
extern Model *fit_model(FitRows *rows, Datum spec);

#endif							/* CHURN_FIT_H */
