/*-------------------------------------------------------------------------
 *
 * liblinear.c
 *	  The bridge to LIBLINEAR, and the only file that includes its header.
 *
 * L2-regularised logistic regression in the primal (solver 0): it repeats
 * bit for bit and never draws from rand().  LIBLINEAR 2.30 penalises the
 * bias like any weight; a bias column of 100 makes that penalty 10,000 times
 * smaller (of 1000, a million times), and the weight is scaled back.
 *
 * An interrupt can be seen only in the print callback.  In a parallel worker
 * it raises there: the process ends, and all it held with it.  In any other
 * process that would leak LIBLINEAR's arrays.  There the rows are first
 * replaced by a problem that is solved at sight, a single column that tells
 * the label, so that LIBLINEAR ends by itself, frees its arrays and returns;
 * then the interrupt is raised.  Should it not return within a few steps,
 * the interrupt is raised in the callback after all, at the price of the leak.
 *
 * LIBLINEAR does not check malloc: the caller has compared linear_bytes()
 * with the memory setting before.
 *
 * R.-E. Fan et al., LIBLINEAR: A library for large linear classification,
 * JMLR 9 (2008) 1871-1874.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <linear.h>

#include "access/parallel.h"
#include "miscadmin.h"
#include "storage/shmem.h"

#include "learn/bins.h"

#define BIAS_COLUMN		100.0
/* over codes little C is usual, against which the bias's penalty counts */
#define BIAS_COLUMN_CODES 1000.0
/* rows whose nodes are filled together, so that they stay in the cache */
#define FILL_ROWS		256
/* LIBLINEAR's arrays of one number a row: copies of x and y, C, D, z, … */
#define ROW_OVERHEAD	120
/* and of one number a design column: w, gradient, CG's vectors, … */
#define COLUMN_OVERHEAD 160
/* steps LIBLINEAR may take to end after an interrupt */
#define ABANDON_STEPS	30
/* value of the column that tells the label then */
#define ABANDON_TELL	1e6

struct LinearProblem
{
	struct problem problem;
	struct feature_node *nodes;
	int			ndesign;
	int			abandoned;		/* steps since an interrupt spoilt the rows */
};

/* The problem being solved, for the callback; the library has no argument. */
static LinearProblem *running = NULL;

Size
linear_bytes(int64 nrows, int ncolumns)
{
	/* at most a node a column and row, the bias and the end of the row */
	Size		row = add_size(mul_size(ncolumns + 2,
										sizeof(struct feature_node)),
							   ROW_OVERHEAD);

	return add_size(mul_size(nrows, row),
					mul_size(2 * (Size) ncolumns + 1, COLUMN_OVERHEAD));
}

/* Would CHECK_FOR_INTERRUPTS() raise an error? */
static bool
cancel_pending(void)
{
	return InterruptPending && (QueryCancelPending || ProcDiePending) &&
		InterruptHoldoffCount == 0 && CritSectionCount == 0;
}

/*
 * Spoil the rows: each becomes a single bias node that tells its label, one
 * way round or the other.  Where the bias weight has that sign, the loss is
 * next to nothing, the step is accepted, and the minimum is near.
 */
static void
abandon_rows(LinearProblem *linear, double tell)
{
	for (int row = 0; row < linear->problem.l; row++)
	{
		struct feature_node *node = linear->problem.x[row];

		node[0].index = linear->problem.n;
		node[0].value = tell * linear->problem.y[row];
		node[1].index = -1;
	}
}

/*
 * LIBLINEAR's print function: called once a Newton step.  Steps on spoilt
 * rows are refused until one is tried with the right sign; the trust region
 * shrinks meanwhile, and at nothing LIBLINEAR would loop for ever.  So the
 * number of steps is bounded.
 */
static void
report_step(const char *text)
{
	if (IsParallelWorker())
		CHECK_FOR_INTERRUPTS();
	else if (running != NULL && (running->abandoned > 0 || cancel_pending()))
	{
		if (running->abandoned >= ABANDON_STEPS)
			CHECK_FOR_INTERRUPTS();
		abandon_rows(running, running->abandoned % 2 == 0 ? ABANDON_TELL :
					 -ABANDON_TELL);
		running->abandoned++;
	}
}

/* Nodes a training row needs, for rows [first, first + n) of the matrix */
static void
count_nodes(const FitMatrix *matrix, const Encoding *encoding, int64 first,
			int n, int *counts)
{
	for (int i = 0; i < n; i++)
		counts[i] = 2;			/* bias and end */
	for (int c = 0; c < encoding->ncolumns; c++)
	{
		const EncodedColumn *column = &encoding->columns[c];
		const double *x = matrix->values + first +
			(Size) column->term.input * matrix->nrows;

		for (int i = 0; i < n && column->term.kind == MODEL_LEVELS; i++)
		{
			const double *values;
			int			at;

			counts[i] += encoded_nodes(column, x[i], &at, &values);
		}
		for (int i = 0; i < n && column->term.kind != MODEL_LEVELS; i++)
			counts[i] += (isnan(x[i]) ? column->missing_column :
						  column->value_column) >= 0;
	}
}

/* The same as below for a column of levels */
static void
fill_level_nodes(const EncodedColumn *column, const double *x,
				 const uint8 *fold, int n, int held_out,
				 struct feature_node **next)
{
	for (int i = 0; i < n; i++)
	{
		const double *values;
		int			at;
		int			count = encoded_nodes(column, x[i], &at, &values);

		if (fold[i] == held_out)
			continue;
		for (int k = 0; k < count; k++)
		{
			next[i]->index = at + k + 1;
			next[i]->value = values[k];
			next[i]++;
		}
	}
}

/* Write the nodes of rows [first, first + n) at next[0 .. n-1]. */
static void
fill_nodes(const FitMatrix *matrix, const Encoding *encoding, int64 first,
		   int n, int held_out, struct feature_node **next)
{
	for (int c = 0; c < encoding->ncolumns; c++)
	{
		const EncodedColumn *column = &encoding->columns[c];
		const ModelTerm *term = &column->term;
		const double *x = matrix->values + first +
			(Size) term->input * matrix->nrows;

		if (term->kind == MODEL_LEVELS)
		{
			fill_level_nodes(column, x, matrix->fold + first, n, held_out,
							 next);
			continue;
		}
		for (int i = 0; i < n; i++)
		{
			bool		missing = isnan(x[i]);
			int			design = missing ? column->missing_column :
				column->value_column;

			if (design < 0 || matrix->fold[first + i] == held_out)
				continue;
			next[i]->index = design + 1;
			next[i]->value = missing ? 1 :
				(model_transform(x[i], term->signed_log) - term->mean) /
				term->scale;
			next[i]++;
		}
	}
}

/* Bias and end of a row */
static void
end_row(struct feature_node *next, int ndesign, double bias)
{
	next[0].index = ndesign + 1;
	next[0].value = bias;
	next[1].index = -1;
	next[1].value = 0;
}

/* All nodes, block by block of rows */
static void
fill_problem(LinearProblem *linear, const FitMatrix *matrix,
			 const Encoding *encoding, int held_out)
{
	struct feature_node *nodes = linear->nodes;
	struct feature_node *next[FILL_ROWS];
	int			counts[FILL_ROWS];
	int			row = 0;

	for (int64 first = 0; first < matrix->nrows; first += FILL_ROWS)
	{
		int			n = Min(FILL_ROWS, matrix->nrows - first);

		CHECK_FOR_INTERRUPTS();
		count_nodes(matrix, encoding, first, n, counts);
		for (int i = 0; i < n; i++)
		{
			next[i] = nodes;
			if (matrix->fold[first + i] == held_out)
				continue;
			linear->problem.y[row] = matrix->churned[first + i] ? 1 : -1;
			linear->problem.x[row++] = nodes;
			nodes += counts[i];
		}
		fill_nodes(matrix, encoding, first, n, held_out, next);
		for (int i = 0; i < n; i++)
			if (matrix->fold[first + i] != held_out)
				end_row(next[i], encoding->ndesign, BIAS_COLUMN);
	}
	Assert(row == linear->problem.l);
}

LinearProblem *
linear_problem(const FitMatrix *matrix, const Encoding *encoding, int held_out)
{
	LinearProblem *linear = palloc0(sizeof(LinearProblem));
	int64		nrows = encoding->ntraining;
	MemoryContext context = CurrentMemoryContext;

	Assert(nrows <= PG_INT32_MAX);
	linear->ndesign = encoding->ndesign;
	linear->problem.l = (int) nrows;
	linear->problem.n = encoding->ndesign + 1;
	linear->problem.bias = BIAS_COLUMN; /* the column itself is in the rows */
	linear->problem.y =
		MemoryContextAllocHuge(context, mul_size(nrows, sizeof(double)));
	linear->problem.x =
		MemoryContextAllocHuge(context, mul_size(nrows, sizeof(void *)));
	linear->nodes =
		MemoryContextAllocHuge(context,
							   mul_size(add_size(mul_size(nrows,
														  encoding->ncolumns + 2),
												 encoding->mean_nodes),
										sizeof(struct feature_node)));
	fill_problem(linear, matrix, encoding, held_out);
	return linear;
}

/* ---- rows as codes ---- */

/* The indicators of one code of a block that are not 0 */
typedef struct CodeNodes
{
	int			n;
	struct feature_node *nodes;
} CodeNodes;

Size
linear_codes_bytes(int64 nrows, int ncolumns, int npairs)
{
	Size		nodes = add_size(mul_size(ncolumns, bins_most(nrows)),
								 mul_size(npairs, COARSE_BINS * COARSE_BINS));
	Size		row = add_size(mul_size(nodes + 2, sizeof(struct feature_node)),
							   ROW_OVERHEAD);

	return add_size(mul_size(nrows, row), mul_size(nodes, COLUMN_OVERHEAD));
}

/*
 * Indicators of every code of a block: its sums of a single row, scaled so
 * that a penalty of 1 is the block's.
 */
static CodeNodes *
code_nodes(const CodeBlock *block, int first_index)
{
	CodeNodes  *all = palloc0(sizeof(CodeNodes) * block->ncodes);
	double	   *x = palloc(sizeof(double) * Max(block->nweights, 1));

	for (int code = 0; code < block->ncodes; code++)
	{
		double		totals[CODES_MAX] = {0};
		CodeNodes  *nodes = &all[code];

		totals[code] = 1;
		block_sums(block, totals, x);
		nodes->nodes = palloc(sizeof(struct feature_node) *
							  Max(block->nweights, 1));
		for (int i = 0; i < block->nweights; i++)
		{
			if (x[i] == 0)
				continue;
			nodes->nodes[nodes->n].index = first_index + i;
			nodes->nodes[nodes->n++].value = x[i] / sqrt(block->penalty);
		}
	}
	pfree(x);
	return all;
}

/* Nodes of all training rows without bias and end; counts the rows. */
static Size
count_code_nodes(const CodeProblem *codes, CodeNodes **blocks, int *ntraining)
{
	Size		n = 0;

	for (int64 row = 0; row < codes->nrows; row++)
	{
		if (!codes->training[row])
			continue;
		(*ntraining)++;
		for (int b = 0; b < codes->nblocks; b++)
			n += blocks[b][codes->blocks[b].codes[row]].n;
	}
	return n;
}

/* Write the rows out. */
static void
fill_code_rows(LinearProblem *linear, const CodeProblem *codes,
			   CodeNodes **blocks)
{
	struct feature_node *next = linear->nodes;
	int			row = 0;

	for (int64 i = 0; i < codes->nrows; i++)
	{
		if (!codes->training[i])
			continue;
		if (i % FILL_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
		linear->problem.y[row] = codes->churned[i] ? 1 : -1;
		linear->problem.x[row++] = next;
		for (int b = 0; b < codes->nblocks; b++)
		{
			const CodeNodes *nodes = &blocks[b][codes->blocks[b].codes[i]];

			memcpy(next, nodes->nodes,
				   sizeof(struct feature_node) * nodes->n);
			next += nodes->n;
		}
		end_row(next, linear->ndesign, BIAS_COLUMN_CODES);
		next += 2;
	}
}

LinearProblem *
linear_problem_codes(const CodeProblem *codes)
{
	LinearProblem *linear = palloc0(sizeof(LinearProblem));
	CodeNodes **blocks = palloc(sizeof(CodeNodes *) * Max(codes->nblocks, 1));
	MemoryContext context = CurrentMemoryContext;
	int			ntraining = 0;
	Size		n;

	for (int b = 0; b < codes->nblocks; b++)
	{
		blocks[b] = code_nodes(&codes->blocks[b], linear->ndesign + 1);
		linear->ndesign += codes->blocks[b].nweights;
	}
	n = count_code_nodes(codes, blocks, &ntraining);
	linear->problem.l = ntraining;
	linear->problem.n = linear->ndesign + 1;
	linear->problem.bias = BIAS_COLUMN_CODES;
	linear->problem.y =
		MemoryContextAllocHuge(context, mul_size(ntraining, sizeof(double)));
	linear->problem.x =
		MemoryContextAllocHuge(context, mul_size(ntraining, sizeof(void *)));
	linear->nodes =
		MemoryContextAllocHuge(context,
							   mul_size(add_size(n, 2 * (Size) ntraining),
										sizeof(struct feature_node)));
	fill_code_rows(linear, codes, blocks);
	return linear;
}

void
linear_free(LinearProblem *linear)
{
	pfree(linear->problem.y);
	pfree(linear->problem.x);
	pfree(linear->nodes);
	pfree(linear);
}

/* ---- solving ---- */

/* Every field zeroed, then set, then checked by the library itself */
static void
set_parameters(const LinearProblem *linear, double c, double tolerance,
			   double *start, struct parameter *parameters)
{
	const char *wrong;

	memset(parameters, 0, sizeof(*parameters));
	parameters->solver_type = L2R_LR;
	parameters->C = c;
	parameters->eps = tolerance;
	parameters->p = 0.1;
	parameters->init_sol = start;
	wrong = check_parameter(&linear->problem, parameters);
	if (wrong != NULL)
		elog(ERROR, "LIBLINEAR refused its parameters: %s", wrong);
}

void
linear_fit(LinearProblem *linear, double c, double tolerance, double *weights)
{
	struct parameter parameters;
	struct model *solution;

	weights[linear->ndesign] /= linear->problem.bias;
	set_parameters(linear, c, tolerance, weights, &parameters);
	set_print_string_function(report_step);
	running = linear;
	solution = train(&linear->problem, &parameters);
	running = NULL;
	if (linear->abandoned == 0)
		memcpy(weights, solution->w, sizeof(double) * (linear->ndesign + 1));
	free_and_destroy_model(&solution);

	CHECK_FOR_INTERRUPTS();
	if (linear->abandoned > 0)
		ereport(ERROR,
				(errcode(ERRCODE_QUERY_CANCELED),
				 errmsg("canceling fit due to user request")));
	weights[linear->ndesign] *= linear->problem.bias;
	for (int i = 0; i <= linear->ndesign; i++)
		if (!isfinite(weights[i]))
			elog(ERROR, "LIBLINEAR gave a weight that is not finite");
}
