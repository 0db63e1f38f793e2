/*-------------------------------------------------------------------------
 *
 * isotonic.c
 *	  Calibration by a monotone map: the least squares fit of outcomes to
 *	  log-odds among all functions that never fall.
 *
 * Rows in order of their log-odds are pooled into at most 200 groups of
 * equal size (equal log-odds stay together); adjacent groups are merged as
 * long as a later one has the lower share of churners (pool adjacent
 * violators).  What is left are the knots: mean log-odds and share of each.
 * Between knots the map is a straight line, beyond the ends it is flat.  A
 * share is kept from 0 and 1 as Platt keeps his targets.
 *
 * M. Ayer et al., Annals of Mathematical Statistics 26 (1955) 641-647;
 * B. Zadrozny, C. Elkan, KDD 2002.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "storage/shmem.h"
#include "utils/memutils.h"

#include "learn/fit.h"

/* Neighbouring rows taken as one */
typedef struct Pool
{
	double		rows;
	double		churned;
	double		log_odds;		/* their sum */
} Pool;

typedef struct OutcomeRow
{
	double		log_odds;
	uint8		churned;
} OutcomeRow;

/* By log-odds alone: equal ones end up in the same pool. */
static int
compare_outcomes(const void *a, const void *b)
{
	double		left = ((const OutcomeRow *) a)->log_odds;
	double		right = ((const OutcomeRow *) b)->log_odds;

	return left < right ? -1 : left > right;
}

/* Must two pools be merged?  The later has the lower share, or the same. */
static bool
pools_violate(const Pool *earlier, const Pool *later)
{
	return later->churned * earlier->rows <= earlier->churned * later->rows;
}

static void
pool_merge(Pool *into, const Pool *other)
{
	into->rows += other->rows;
	into->churned += other->churned;
	into->log_odds += other->log_odds;
}

/* Put a pool behind the others, which rise; it may swallow some of them. */
static int
add_pool(Pool *pools, int n, Pool pool)
{
	while (n > 0 && pools_violate(&pools[n - 1], &pool))
		pool_merge(&pool, &pools[--n]);
	pools[n] = pool;
	return n + 1;
}

/* Pools of sorted rows, already rising; returns their number. */
static int
make_pools(const OutcomeRow *sorted, int64 nrows, Pool *pools)
{
	int64		first = 0;
	int			n = 0;

	for (int group = 1; first < nrows; group++)
	{
		int64		end = nrows * group / MODEL_MAX_KNOTS;
		Pool		pool = {0};

		if (end <= first)
			continue;
		while (end < nrows && sorted[end].log_odds == sorted[end - 1].log_odds)
			end++;
		for (int64 i = first; i < end; i++)
		{
			pool.rows++;
			pool.churned += sorted[i].churned;
			pool.log_odds += sorted[i].log_odds;
		}
		n = add_pool(pools, n, pool);
		first = end;
	}
	return n;
}

ModelCalibration *
fit_isotonic(const double *log_odds, const uint8 *churned, int64 nrows)
{
	OutcomeRow *sorted =
		MemoryContextAllocHuge(CurrentMemoryContext,
							   mul_size(nrows, sizeof(OutcomeRow)));
	ModelCalibration *map = palloc(sizeof(ModelCalibration));
	Pool	   *pools = palloc(sizeof(Pool) * (MODEL_MAX_KNOTS + 1));
	double		count[2] = {0, 0};
	int			n;

	for (int64 i = 0; i < nrows; i++)
	{
		sorted[i].log_odds = log_odds[i];
		sorted[i].churned = churned[i];
		count[churned[i]]++;
	}
	qsort(sorted, nrows, sizeof(OutcomeRow), compare_outcomes);
	n = make_pools(sorted, nrows, pools);
	map->nknots = 0;
	map->log_odds = palloc(sizeof(double) * n);
	map->probabilities = palloc(sizeof(double) * n);
	for (int i = 0; i < n; i++)
	{
		double		mean = pools[i].log_odds / pools[i].rows;
		double		share = pools[i].churned / pools[i].rows;

		/* the means of two pools may round to the same number */
		if (map->nknots > 0 && mean <= map->log_odds[map->nknots - 1])
			continue;
		map->log_odds[map->nknots] = mean;
		map->probabilities[map->nknots++] =
			Min(Max(share, 1 / (count[0] + 2)), (count[1] + 1) / (count[1] + 2));
	}
	pfree(sorted);
	pfree(pools);
	return map;
}
