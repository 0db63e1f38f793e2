/*-------------------------------------------------------------------------
 *
 * fit_sample.c
 *	  The rows that choose settings: all, or whole users drawn by hash.
 *
 * Users are taken in the order of their lot, a hash, while their rows fit
 * into the limit.  So the sample is known by its edge, the first user that
 * is not in it; finding that takes memory for the sample's users alone.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/memutils.h"

#include "learn/fit_run.h"

/* ---- walking over users and labels ---- */

/* Some rows at hand */
typedef struct SampleWalk
{
	const Fit  *fit;
	int64		piece;			/* the next */
	int			rows;			/* at hand */
	const uint64 *users;
	const uint8 *churned;
	SampleUser *at;				/* by row: whose it is */
	SampleUser	last;
	int64		row;			/* the next */
	void	   *users_buffer;
	void	   *churned_buffer;
} SampleWalk;

static void
walk_begin(SampleWalk *walk, const Fit *fit)
{
	memset(walk, 0, sizeof(*walk));
	walk->fit = fit;
	walk->users_buffer = palloc(fit_table_buffer(fit->table));
	walk->churned_buffer = palloc(fit_table_buffer(fit->table));
	walk->at = palloc(sizeof(SampleUser) * fit->table->piece_rows);
}

static bool
walk_next(SampleWalk *walk)
{
	const Fit  *fit = walk->fit;

	CHECK_FOR_INTERRUPTS();
	if (walk->row >= fit->nrows)
	{
		pfree(walk->users_buffer);
		pfree(walk->churned_buffer);
		pfree(walk->at);
		return false;
	}
	walk->rows = fit_table_rows(fit->table, walk->piece);
	walk->users = fit_table_users(fit->table, walk->piece,
								  walk->users_buffer);
	walk->churned = fit_table_churned(fit->table, walk->piece,
									  walk->churned_buffer);
	walk->piece++;
	for (int i = 0; i < walk->rows; i++, walk->row++)
	{
		if (walk->row == 0 || walk->users[i] != walk->last.user)
		{
			walk->last.user = walk->users[i];
			walk->last.first = walk->row;
			walk->last.lot = fit_hash(walk->users[i], fit->options->seed,
									  FIT_SALT_SAMPLE);
		}
		walk->at[i] = walk->last;
	}
	return true;
}

/* ---- drawing ---- */

static int
compare_lots(const SampleUser *left, const SampleUser *right)
{
	if (left->lot != right->lot)
		return left->lot < right->lot ? -1 : 1;
	return left->first < right->first ? -1 : left->first > right->first;
}

/* A user, and how many rows it has */
typedef struct DrawnUser
{
	SampleUser	user;
	int64		nrows;
} DrawnUser;

static int
compare_drawn(const void *a, const void *b)
{
	return compare_lots(&((const DrawnUser *) a)->user,
						&((const DrawnUser *) b)->user);
}

/*
 * Leave the users of the least lots whose rows fit into the limit, and the
 * one after; returns their number.  *taken: rows of those that fit.
 */
static int64
prune(DrawnUser *drawn, int64 n, int64 limit, int64 *taken)
{
	*taken = 0;
	qsort(drawn, n, sizeof(DrawnUser), compare_drawn);
	for (int64 i = 0; i < n; i++)
	{
		if (*taken + drawn[i].nrows > limit)
			return i + 1;
		*taken += drawn[i].nrows;
	}
	return n;
}

void
fit_sample_draw(Fit *fit, int64 limit)
{
	DrawnUser  *drawn;
	int64		room = 2 * (limit + 2);
	int64		n = 0;
	SampleWalk	walk;

	fit->nsearch = fit->nrows;
	fit->sampled = fit->nrows > limit;
	if (!fit->sampled)
		return;
	drawn = MemoryContextAllocHuge(CurrentMemoryContext,
								   mul_size(room, sizeof(DrawnUser)));
	walk_begin(&walk, fit);
	while (walk_next(&walk))
	{
		for (int i = 0; i < walk.rows; i++)
		{
			if (n > 0 && drawn[n - 1].user.first == walk.at[i].first)
			{
				drawn[n - 1].nrows++;
				continue;
			}
			if (n == room)
				n = prune(drawn, n, limit, &fit->nsearch);
			drawn[n].user = walk.at[i];
			drawn[n++].nrows = 1;
		}
	}
	n = prune(drawn, n, limit, &fit->nsearch);
	fit->edge = drawn[n - 1].user;
	pfree(drawn);
}

Size
fit_sample_bytes(int64 limit)
{
	return mul_size(2 * (limit + 2), sizeof(DrawnUser));
}

static bool
in_sample(const Fit *fit, const SampleUser *user)
{
	return !fit->sampled || compare_lots(user, &fit->edge) < 0;
}

/* ---- what the sample holds ---- */

/* Fold of a user; without folds there is one */
static int
user_fold(const Fit *fit, uint64 user)
{
	if (fit->options->folds < 2)
		return 0;
	return fit_hash(user, fit->options->seed, FIT_SALT_FOLD) %
		fit->options->folds;
}

bool
fit_sample_fills_folds(const Fit *fit)
{
	int64		count[FIT_MAX_FOLDS][2] = {{0}};
	int64		all[2] = {0, 0};
	SampleWalk	walk;

	if (fit->options->folds < 2)
		return false;
	walk_begin(&walk, fit);
	while (walk_next(&walk))
	{
		for (int i = 0; i < walk.rows; i++)
		{
			if (!in_sample(fit, &walk.at[i]))
				continue;
			count[user_fold(fit, walk.users[i])][walk.churned[i]]++;
			all[walk.churned[i]]++;
		}
	}
	for (int f = 0; f < fit->options->folds; f++)
		if (count[f][0] + count[f][1] == 0 ||
			count[f][0] == all[0] || count[f][1] == all[1])
			return false;
	return true;
}

/* Copy the values of rows at hand that are in the sample. */
static void
copy_values(const Fit *fit, bool all, const SampleWalk *walk,
			FitMatrix *matrix, int64 at, void *buffer)
{
	for (int c = 0; c < matrix->ncolumns; c++)
	{
		const double *x = fit_table_column(fit->table, walk->piece - 1,
										   fit->columns[c], buffer);
		double	   *next = matrix->values + (Size) c * matrix->nrows + at;

		for (int i = 0; i < walk->rows; i++)
			if (all || in_sample(fit, &walk->at[i]))
				*next++ = x[i];
	}
}

void
fit_sample_copy(const Fit *fit, bool all, FitMatrix *matrix)
{
	void	   *buffer = palloc(fit_table_buffer(fit->table));
	int64		at = 0;
	SampleWalk	walk;

	walk_begin(&walk, fit);
	while (walk_next(&walk))
	{
		copy_values(fit, all, &walk, matrix, at, buffer);
		for (int i = 0; i < walk.rows; i++)
		{
			if (!all && !in_sample(fit, &walk.at[i]))
				continue;
			matrix->churned[at] = walk.churned[i];
			matrix->fold[at++] = all ? 0 : user_fold(fit, walk.users[i]);
		}
	}
	Assert(at == matrix->nrows);
	pfree(buffer);
}
