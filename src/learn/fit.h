/*-------------------------------------------------------------------------
 *
 * fit.h
 *	  From labelled rows to a Model: what the parts of fitting share.
 *
 *	  row_reader.c		 reads rows by name
 *	  fit_rows.c		 collects rows as an aggregate sees them
 *	  fit_options.c		 the options as the user wrote them
 *	  fit.c				 orders the phases: sample, folds, choice, final fit
 *	  levels.c			 texts as numbers (levels.h)
 *	  fit_levels.c		 columns of texts in the phases of a fit
 *	  level_codes.c		 learns which levels of a column count
 *	  encode.c			 learns how a column of numbers reaches the solver
 *	  bins.c, pairs.c	 learn bins of columns, and pairs of them (bins.h)
 *	  fit_jobs.c		 runs jobs, in parallel workers where there are any
 *	  fit_linear.c		 what a job does, encoding "linear"
 *	  fit_codes.c		 the same, encodings "bins" and "pairs"
 *	  liblinear.c		 a solver, over any matrix
 *	  newton.c			 a solver, over codes (codes.h)
 *	  penalties.c		 learns a penalty for every column and pair
 *	  choose.c			 choice of C, out-of-fold metrics, calibration
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

/* ---- options: fit_options.c ---- */

typedef struct FitOptions
{
	double		c;				/* 0: chosen by folds */
	int			folds;			/* 0: none; then no calibration either */
	int64		seed;
	int			max_search_rows;	/* rows that choose C */
	int			memory_kb;
	int			workers;		/* asked for; fewer may come */
	bool		calibrate;
	int			npairs;			/* encoding "pairs"; -1: chosen by folds */
	FitEncoding encoding;
	FitSolver	solver;
	int			nexclude;
	char	  **exclude;		/* columns left out */
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
 * infinite values raise 22003 with the column's name; too many rows 54000.
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
extern Size fit_rows_bytes(const FitRows *rows);

/*
 * All rows in canonical order: by user, then by content.  The order of
 * arrival leaves no trace, so neither does the plan of the query.
 */
extern const FitRow **fit_rows_sorted(const FitRows *rows);

/* 54000 with figures and a hint when "bytes" exceed the option. */
extern void fit_check_memory(const FitOptions *options, Size bytes,
							 int64 nrows, int ncolumns);

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
} FitMatrix;

#define FIT_NUMBERS		(-1)	/* a column of numbers */
#define FIT_CROWDED		(-2)	/* of more levels than can be numbered */

/* What became of a column */
typedef enum ColumnFate
{
	COLUMN_KEPT,
	COLUMN_EMPTY,				/* NULL in every row */
	COLUMN_CONSTANT,
	COLUMN_DUPLICATE,			/* encoded just like an earlier column */
	COLUMN_DISTINCT,			/* levels: each in one row */
	COLUMN_RARE,				/* levels: at most one in rows enough */
	COLUMN_CROWDED				/* levels: more than can be numbered */
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

/* Bring the solver's weights into the terms, and so their averages. */
extern void encoding_take_weights(Encoding *encoding, const double *weights);

/* Bytes that encoding_learn() needs beside the matrix */
extern Size encoding_bytes(int64 nrows, int ncolumns);

/* ---- solver: liblinear.c ---- */

typedef struct LinearProblem LinearProblem;

/* Bytes for a problem of so many rows, LIBLINEAR's own arrays included */
extern Size linear_bytes(int64 nrows, int ncolumns);
extern LinearProblem *linear_problem(const FitMatrix *matrix,
									 const Encoding *encoding, int held_out);

/*
 * Minimise |w|^2 / 2 + C * sum of log-losses.  weights[0 .. ndesign]: on
 * entry where to start, on return the solution; the last is the intercept,
 * which is as good as unpenalised.
 */
extern void linear_fit(LinearProblem *problem, double c, double tolerance,
					   double *weights);

/* The same for rows as codes: their indicators are written out. */
struct CodeProblem;
extern Size linear_codes_bytes(int64 nrows, int ncolumns, int npairs);
extern LinearProblem *linear_problem_codes(const struct CodeProblem *codes);
extern void linear_free(LinearProblem *problem);

/* ---- jobs: fit_jobs.c ---- */

/*
 * What one phase computes, in one flat piece of memory that may be shared:
 * this header, then the arrays that fit_jobs.c lays out behind it.
 */
typedef struct FitTask
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
	pg_atomic_uint32 next_job;
} FitTask;

/* Where the arrays of a task are */
typedef struct FitArrays
{
	FitMatrix	matrix;
	double	   *log_odds;		/* folds: [path][row], out of fold */
	int32	   *steps;			/* per fold: bit i set when step i was fitted */
	int32	   *done;			/* per job: 1 when its results are in */
	double	   *result;			/* final: as fit_result_put() writes it */
	int32	   *pairs;			/* final: two columns of the matrix each */
	int32	   *fate;			/* final: ColumnFate per column */
	int32	   *duplicate_of;	/* final */
} FitArrays;

typedef void (*FitTaskFunction) (FitTask *task, FitArrays *arrays, void *arg);

/* 54000 unless the jobs of a task, one at a time, fit into the memory. */
extern void fit_jobs_check(const FitTask *shape, const FitOptions *options,
						   Size held_bytes);

/*
 * Run the jobs of a task.  "fill" writes matrix, labels and folds; "collect"
 * takes the results out.  Both are called in this process.
 */
extern void fit_jobs_run(const FitTask *shape, const FitOptions *options,
						 Size held_bytes, FitTaskFunction fill,
						 FitTaskFunction collect, void *arg);

/* The most pairs that a task's jobs take in */
extern int	fit_task_pairs(const FitTask *shape);

/* Show a worker's progress where its query text stands in pg_stat_activity. */
extern void fit_report_progress(const FitTask *task, int job, int step);

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
