/*-------------------------------------------------------------------------
 *
 * linear_newton.c
 *	  L2-regularised logistic regression over columns of numbers, in passes
 *	  over a table: for rows that LIBLINEAR has no memory for.
 *
 * Newton's method, each step halved until the objective falls enough.  The
 * Hessian is small and dense where columns are few: one pass gives loss,
 * gradient and Hessian, and its Cholesky factor the step.  Where columns are
 * many, conjugate gradients with the Hessian's diagonal find the step, each
 * in a pass of its own.
 *
 * Memory holds a piece of the table's rows, whatever their number.  The order
 * of sums is that of rows, so the bits do not depend on the memory setting.
 * The intercept is penalised as LIBLINEAR does with a bias column of 100,
 * which is as good as not at all.
 *
 * J. Nocedal, S. Wright, Numerical Optimization, 2nd ed., ch. 3.3 and 7.1.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/memutils.h"

#include "learn/fit_table.h"

#define BIAS_PENALTY	1e-4	/* of the intercept, where others have 1 */
#define MOST_DENSE		512		/* design columns with a dense Hessian */
#define BLOCK_ROWS		64		/* of a piece, whatever its size: the order of
								 * sums; and they stay in the first cache */
#define MAX_STEPS		100		/* Newton steps */
#define MAX_INNER		500		/* conjugate gradient steps in each */
#define MAX_HALVINGS	40
#define ENOUGH			1e-4	/* share of the slope a step must gain */
#define LOOSEST			0.1		/* of the Newton equations' residual */

/* One fit while it runs; the intercept is the last of n design columns, 1. */
typedef struct LinearNewton
{
	const FitMatrix *matrix;
	const Encoding *encoding;
	int			n;
	const double *c;			/* by label */
	bool		dense;			/* else the Hessian's diagonal alone */
	double	   *z;				/* design of a piece, column after column */
	double	   *scores;			/* of its rows, and the next two */
	double	   *curvature;
	double	   *scaled;
	void	   *buffer;			/* of a column of the table */
	double		objective;
	double	   *gradient;		/* by design column, and those below */
	double	   *direction;
	double	   *tried;
	double	   *residual;
	double	   *solved;
	double	   *search;
	double	   *product;
	double	   *hessian;		/* dense: lower triangle by rows */
} LinearNewton;

/* Numbers of the Hessian that are held */
static Size
hessian_numbers(int n)
{
	return n <= MOST_DENSE ? (Size) n * n : (Size) n;
}

Size
linear_newton_bytes(int piece_rows, int ndesign)
{
	Size		n = (Size) ndesign + 1;

	return sizeof(double) * (hessian_numbers(n) + 7 * n +
							 (n + 4) * piece_rows);
}

/* ---- rows at hand ---- */

/* The design of a piece, and its labels; returns the number of rows. */
static int
load_piece(LinearNewton *newton, int64 piece, const uint8 **churned)
{
	const FitMatrix *matrix = newton->matrix;
	const FitTable *table = matrix->table;
	int			rows = fit_table_rows(table, piece);
	double	   *ones = newton->z + (Size) (newton->n - 1) * table->piece_rows;

	CHECK_FOR_INTERRUPTS();
	for (int i = 0; i < newton->encoding->ncolumns; i++)
	{
		const EncodedColumn *column = &newton->encoding->columns[i];

		encoding_fill(column,
					  fit_table_column(table, piece,
									   matrix->columns[column->term.input],
									   newton->buffer),
					  rows, newton->z, table->piece_rows);
	}
	for (int i = 0; i < rows; i++)
		ones[i] = 1;
	*churned = fit_table_churned(table, piece, newton->buffer);
	return rows;
}

/* out[row] = design of the row times weights */
static void
times_weights(const LinearNewton *newton, const double *weights, int rows,
			  double *out)
{
	int			stride = newton->matrix->table->piece_rows;

	memset(out, 0, sizeof(double) * rows);
	for (int j = 0; j < newton->n; j++)
	{
		const double *z = newton->z + (Size) j * stride;

		for (int i = 0; i < rows; i++)
			out[i] += weights[j] * z[i];
	}
}

/* Four sums that do not wait for one another */
static double
dot(const double *a, const double *b, int n)
{
	double		sums[4] = {0};
	int			i = 0;

	for (; i + 4 <= n; i += 4)
		for (int k = 0; k < 4; k++)
			sums[k] += a[i + k] * b[i + k];
	for (; i < n; i++)
		sums[0] += a[i] * b[i];
	return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

/* Add design' * values of the rows to sums. */
static void
add_products(const LinearNewton *newton, const double *values, int rows,
			 double *sums)
{
	int			stride = newton->matrix->table->piece_rows;

	for (int first = 0; first < rows; first += BLOCK_ROWS)
		for (int j = 0; j < newton->n; j++)
			sums[j] += dot(newton->z + (Size) j * stride + first,
						   values + first, Min(BLOCK_ROWS, rows - first));
}

/* Add design' * curvature * design, or its diagonal. */
static void
add_hessian(LinearNewton *newton, int rows)
{
	int			stride = newton->matrix->table->piece_rows;

	for (int first = 0; first < rows; first += BLOCK_ROWS)
	{
		int			block = Min(BLOCK_ROWS, rows - first);

		for (int j = 0; j < newton->n; j++)
		{
			const double *z = newton->z + (Size) j * stride + first;

			for (int i = 0; i < block; i++)
				newton->scaled[i] = newton->curvature[first + i] * z[i];
			if (!newton->dense)
				newton->hessian[j] += dot(newton->scaled, z, block);
			else
				for (int k = 0; k <= j; k++)
					newton->hessian[(Size) j * newton->n + k] +=
						dot(newton->scaled,
							newton->z + (Size) k * stride + first, block);
		}
	}
}

/* ---- passes ---- */

/* Penalty of a weight, as a factor */
static double
penalty(const LinearNewton *newton, int weight)
{
	return weight == newton->n - 1 ? BIAS_PENALTY : 1;
}

/* Objective, gradient and Hessian at given weights */
static void
pass_derivatives(LinearNewton *newton, const double *weights)
{
	const FitTable *table = newton->matrix->table;
	int			n = newton->n;
	double		loss = 0;
	const uint8 *churned;

	memset(newton->gradient, 0, sizeof(double) * n);
	memset(newton->hessian, 0, sizeof(double) * hessian_numbers(n));
	for (int64 piece = 0; piece * table->piece_rows < table->nrows; piece++)
	{
		int			rows = load_piece(newton, piece, &churned);

		times_weights(newton, weights, rows, newton->scores);
		for (int i = 0; i < rows; i++)
		{
			double		score = newton->scores[i];
			double		e = exp(-fabs(score));
			double		p = score >= 0 ? 1 / (1 + e) : e / (1 + e);
			double		c = newton->c[churned[i]];

			loss += c * fit_log_loss(score, churned[i]);
			newton->scores[i] = c * (p - churned[i]);
			newton->curvature[i] = c * (e / ((1 + e) * (1 + e)));
		}
		add_products(newton, newton->scores, rows, newton->gradient);
		add_hessian(newton, rows);
	}
	newton->objective = loss;
	for (int j = 0; j < n; j++)
	{
		newton->objective += penalty(newton, j) * weights[j] * weights[j] / 2;
		newton->gradient[j] += penalty(newton, j) * weights[j];
		newton->hessian[newton->dense ? (Size) j * n + j : (Size) j] +=
			penalty(newton, j);
	}
}

/* product = Hessian at given weights * search */
static void
pass_product(LinearNewton *newton, const double *weights)
{
	const FitTable *table = newton->matrix->table;
	const uint8 *churned;

	memset(newton->product, 0, sizeof(double) * newton->n);
	for (int64 piece = 0; piece * table->piece_rows < table->nrows; piece++)
	{
		int			rows = load_piece(newton, piece, &churned);

		times_weights(newton, weights, rows, newton->scores);
		times_weights(newton, newton->search, rows, newton->curvature);
		for (int i = 0; i < rows; i++)
		{
			double		e = exp(-fabs(newton->scores[i]));

			newton->curvature[i] *= newton->c[churned[i]] *
				(e / ((1 + e) * (1 + e)));
		}
		add_products(newton, newton->curvature, rows, newton->product);
	}
	for (int j = 0; j < newton->n; j++)
		newton->product[j] += penalty(newton, j) * newton->search[j];
}

/* ---- one step ---- */

/* The Hessian's lower triangle becomes its Cholesky factor. */
static void
factorise(LinearNewton *newton)
{
	int			n = newton->n;

	for (int i = 0; i < n; i++)
	{
		double	   *row = newton->hessian + (Size) i * n;

		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j <= i; j++)
		{
			const double *other = newton->hessian + (Size) j * n;
			double		left = row[j] - dot(row, other, j);

			/* at least the penalty but for rounding */
			row[j] = i == j ? sqrt(Max(left, BIAS_PENALTY / 2)) :
				left / other[j];
		}
	}
}

/* direction = Hessian^-1 * -gradient, by the factor */
static void
step_dense(LinearNewton *newton)
{
	int			n = newton->n;
	double	   *x = newton->direction;

	factorise(newton);
	for (int i = 0; i < n; i++)
		x[i] = (-newton->gradient[i] -
				dot(newton->hessian + (Size) i * n, x, i)) /
			newton->hessian[(Size) i * n + i];
	for (int i = n - 1; i >= 0; i--)
	{
		x[i] /= newton->hessian[(Size) i * n + i];
		for (int k = 0; k < i; k++)
			x[k] -= newton->hessian[(Size) i * n + k] * x[i];
	}
}

/* solved = residual / diagonal; returns their product. */
static double
ask_diagonal(LinearNewton *newton)
{
	for (int j = 0; j < newton->n; j++)
		newton->solved[j] = newton->residual[j] / newton->hessian[j];
	return dot(newton->residual, newton->solved, newton->n);
}

/* The same by conjugate gradients, as closely as the distance asks for */
static void
step_conjugate(LinearNewton *newton, const double *weights)
{
	int			n = newton->n;
	double		first,
				norm,
				enough;

	for (int j = 0; j < n; j++)
	{
		newton->direction[j] = 0;
		newton->residual[j] = -newton->gradient[j];
	}
	first = norm = ask_diagonal(newton);
	memcpy(newton->search, newton->solved, sizeof(double) * n);
	enough = Min(LOOSEST, sqrt(first / newton->objective));
	for (int step = 0; step < MAX_INNER && norm > enough * enough * first;
		 step++)
	{
		double		length,
					next;

		pass_product(newton, weights);
		length = norm / dot(newton->search, newton->product, n);
		for (int j = 0; j < n; j++)
		{
			newton->direction[j] += length * newton->search[j];
			newton->residual[j] -= length * newton->product[j];
		}
		next = ask_diagonal(newton);
		for (int j = 0; j < n; j++)
			newton->search[j] = newton->solved[j] +
				next / norm * newton->search[j];
		norm = next;
	}
}

/*
 * Go along the direction as far as the objective falls.  Returns whether it
 * fell; then weights and derivatives are those of the new place.
 */
static bool
take_step(LinearNewton *newton, double slope, double *weights)
{
	double		before = newton->objective;
	double		length = 1;

	for (int i = 0; i < MAX_HALVINGS; i++, length /= 2)
	{
		for (int j = 0; j < newton->n; j++)
			newton->tried[j] = weights[j] + length * newton->direction[j];
		pass_derivatives(newton, newton->tried);
		/* near the minimum what is gained drowns in rounding */
		if (newton->objective <= before + ENOUGH * length * slope +
			1e-15 * before)
		{
			memcpy(weights, newton->tried, sizeof(double) * newton->n);
			return true;
		}
	}
	return false;
}

/* Hand the memory out. */
static void
linear_newton_place(LinearNewton *newton)
{
	const FitTable *table = newton->matrix->table;
	Size		rows = table->piece_rows;
	int			n = newton->n;
	double	  **by_design[] = {&newton->gradient, &newton->direction,
		&newton->tried, &newton->residual, &newton->solved, &newton->search,
	&newton->product};

	newton->z = MemoryContextAllocHuge(CurrentMemoryContext,
									   mul_size(rows * n, sizeof(double)));
	memset(newton->z, 0, rows * n * sizeof(double));
	newton->scores = palloc(sizeof(double) * rows);
	newton->curvature = palloc(sizeof(double) * rows);
	newton->scaled = palloc(sizeof(double) * BLOCK_ROWS);
	newton->buffer = palloc(fit_table_buffer(table));
	for (size_t i = 0; i < lengthof(by_design); i++)
		*by_design[i] = palloc0(sizeof(double) * n);
	newton->dense = n <= MOST_DENSE;
	newton->hessian = MemoryContextAllocHuge(CurrentMemoryContext,
											 sizeof(double) *
											 hessian_numbers(n));
}

void
linear_newton_fit(const FitMatrix *matrix, const Encoding *encoding,
				  const double *c, double tolerance, double *weights)
{
	LinearNewton newton = {0};

	newton.matrix = matrix;
	newton.encoding = encoding;
	newton.n = encoding->ndesign + 1;
	newton.c = c;
	linear_newton_place(&newton);
	pass_derivatives(&newton, weights);
	for (int step = 0; step < MAX_STEPS; step++)
	{
		double		slope;

		if (newton.dense)
			step_dense(&newton);
		else
			step_conjugate(&newton, weights);
		slope = dot(newton.gradient, newton.direction, newton.n);
		if (!take_step(&newton, slope, weights) ||
			-slope / 2 <= tolerance * newton.objective)
			break;
	}
	for (int j = 0; j < newton.n; j++)
		if (!isfinite(weights[j]))
			elog(ERROR, "solver gave a weight that is not finite");
}
