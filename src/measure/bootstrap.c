/*-------------------------------------------------------------------------
 *
 * bootstrap.c
 *	  Intervals that draw whole users: the cluster bootstrap.
 *
 * Where snapshots of several dates are pooled, the rows of one user are not
 * independent, and DeLong's interval is too short.  A replicate draws as many
 * users as there are, with replacement, and takes all rows of a user as often
 * as he was drawn.  The interval is that of the percentiles 2.5 and 97.5
 * (interpolated), the standard error the deviation of the replicates (Efron
 * and Tibshirani 1993; Field and Welsh, J. R. Stat. Soc. B 69, 2007).
 *
 * Users are known by 53 bits of a hash of their key, exact in a double.  The
 * same rows and seed give the same bits, in whatever order they arrived:
 * users are numbered by hash, rows sorted by score, and a replicate's draws
 * depend on the seed and its number alone.  A replicate that misses a class
 * does not count.  Cost: replicates times rows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"

#include "measure/bootstrap.h"

/* One row as a replicate sees it */
typedef struct DrawnRow
{
	double		score;
	uint32		user;
	bool		churned;
} DrawnRow;

/* The rows of a keyed ranking, once for each column of scores */
typedef struct Resample
{
	int64		nrows;
	int64		nusers;
	int			ncolumns;
	DrawnRow   *rows[2];		/* ascending by score */
	double	   *users;			/* keys, ascending */
	uint32	   *weights;		/* how often each user was drawn */
} Resample;

/* The key of a user as a double that keeps its bits in every form. */
double
bootstrap_key(text *key)
{
	const unsigned char *bytes = (const unsigned char *) VARDATA_ANY(key);
	Datum		hash = hash_any_extended(bytes, VARSIZE_ANY_EXHDR(key), 0);

	return (double) (DatumGetUInt64(hash) >> 11);
}

/* Order of two doubles. */
static int
double_compare(const void *a, const void *b)
{
	double		left = *(const double *) a;
	double		right = *(const double *) b;

	return (left > right) - (left < right);
}

/* Order of two rows: by score; ties may stand in any order. */
static int
row_compare(const void *a, const void *b)
{
	return double_compare(&((const DrawnRow *) a)->score,
						  &((const DrawnRow *) b)->score);
}

/* Allocate what may be larger than a gigabyte, within churn.memory. */
static void *
allocate(int64 count, Size size)
{
	ranking_check_memory(count * size);
	return MemoryContextAllocHuge(CurrentMemoryContext, Max(count, 1) * size);
}

/* Number the users: their keys in ascending order, each once. */
static void
number_users(Resample *sample, const Ranking *keyed)
{
	const ScoreList *lists[2] = {&keyed->churners, &keyed->stayers};
	double	   *users = allocate(sample->nrows, sizeof(double));
	int64		n = 0;

	for (int i = 0; i < 2; i++)
		for (int64 j = 0; j < lists[i]->nrows; j++)
			users[n++] = lists[i]->values[(j + 1) * keyed->width - 1];
	qsort(users, n, sizeof(double), double_compare);
	for (int64 i = 0; i < n; i++)
		if (i == 0 || users[i] != users[sample->nusers - 1])
			users[sample->nusers++] = users[i];
	sample->users = users;
	sample->weights = allocate(sample->nusers, sizeof(uint32));
}

/* The rows with one column of scores, in order. */
static DrawnRow *
column_rows(const Resample *sample, const Ranking *keyed, int column)
{
	DrawnRow   *rows = allocate(sample->nrows, sizeof(DrawnRow));
	int64		churners = keyed->churners.nrows;

	for (int64 i = 0; i < sample->nrows; i++)
	{
		const double *row = i < churners ?
			keyed->churners.values + i * keyed->width :
			keyed->stayers.values + (i - churners) * keyed->width;
		const double *user = bsearch(&row[keyed->width - 1], sample->users,
									 sample->nusers, sizeof(double),
									 double_compare);

		rows[i].score = row[column];
		rows[i].user = (uint32) (user - sample->users);
		rows[i].churned = i < churners;
	}
	CHECK_FOR_INTERRUPTS();
	qsort(rows, sample->nrows, sizeof(DrawnRow), row_compare);
	return rows;
}

/* Prepare the rows of a keyed ranking, whose last column is the key. */
static void
resample_read(Resample *sample, const Ranking *keyed)
{
	memset(sample, 0, sizeof(*sample));
	sample->nrows = ranking_rows(keyed);
	sample->ncolumns = keyed->width - 1;
	number_users(sample, keyed);
	for (int i = 0; i < sample->ncolumns; i++)
		sample->rows[i] = column_rows(sample, keyed, i);
}

/* The next number of the generator SplitMix64 (Steele et al. 2014). */
static uint64
draw(uint64 *state)
{
	uint64		z = (*state += UINT64CONST(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64CONST(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64CONST(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* Draw the users of one replicate. */
static void
draw_users(Resample *sample, int64 seed, int replicate)
{
	uint64		state = (uint64) seed;

	/* begin where no other replicate of this seed begins */
	state = draw(&state) + (uint64) replicate;
	state = draw(&state);
	memset(sample->weights, 0, sample->nusers * sizeof(uint32));
	for (int64 i = 0; i < sample->nusers; i++)
	{
		/* 32 random bits scaled: fair to one part in 2^32 / users */
		uint64		random = draw(&state) >> 32;
		uint64		user = (random * (uint64) sample->nusers) >> 32;

		sample->weights[user]++;
	}
}

/* Area under the ROC curve of the drawn rows; false if a class is missing. */
static bool
drawn_auc(const Resample *sample, int column, double *auc)
{
	const DrawnRow *rows = sample->rows[column];
	double		churners = 0;
	double		stayers = 0;	/* below the group at hand */
	Sum			wins = {0, 0};

	for (int64 i = 0; i < sample->nrows;)
	{
		double		score = rows[i].score;
		double		tied[2] = {0, 0};

		for (; i < sample->nrows && rows[i].score == score; i++)
			tied[rows[i].churned] += sample->weights[rows[i].user];
		sum_add(&wins, tied[1] * (2 * stayers + tied[0]));
		churners += tied[1];
		stayers += tied[0];
	}
	if (churners == 0 || stayers == 0)
		return false;
	*auc = sum_value(&wins) / 2 / (churners * stayers);
	return true;
}

/* The figure of the drawn rows: an area, or the difference of two. */
static bool
drawn_figure(const Resample *sample, double *figure)
{
	double		other;

	if (!drawn_auc(sample, 0, figure))
		return false;
	if (sample->ncolumns == 2 && drawn_auc(sample, 1, &other))
		*figure -= other;
	return true;
}

/* The quantile of sorted values, interpolated. */
static double
sorted_quantile(const double *values, int n, double p)
{
	double		at = p * (n - 1);
	int			below = (int) at;

	if (below >= n - 1)
		return values[n - 1];
	return values[below] + (at - below) * (values[below + 1] - values[below]);
}

/* Standard error and interval of n >= 2 replicates. */
static void
replicates_read(double *values, int n, Estimate *interval)
{
	Sum			mean = {0, 0};
	Sum			squares = {0, 0};

	for (int i = 0; i < n; i++)
		sum_add(&mean, values[i] / n);
	for (int i = 0; i < n; i++)
		sum_add(&squares, (values[i] - sum_value(&mean)) *
				(values[i] - sum_value(&mean)));
	qsort(values, n, sizeof(double), double_compare);
	interval->has_error = true;
	interval->error = sqrt(sum_value(&squares) / (n - 1));
	interval->lower = sorted_quantile(values, n, 0.025);
	interval->upper = sorted_quantile(values, n, 0.975);
}

/* A number of replicates that can be drawn. */
static void
check_replicates(double replicates)
{
	if (!(replicates >= 2 && replicates <= BOOTSTRAP_MOST))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("replicates must be between 2 and %d, not %.0f",
						BOOTSTRAP_MOST, replicates)));
}

/* Estimate, standard error and interval of the drawn figure. */
static bool
bootstrap(const Ranking *keyed, Estimate *interval)
{
	Resample	sample;
	double	   *values;
	int			replicates;
	int			n = 0;

	memset(interval, 0, sizeof(*interval));
	if (!ranking_has_both(keyed))
		return false;
	check_replicates(keyed->params[0]);
	replicates = (int) keyed->params[0];
	resample_read(&sample, keyed);
	for (int64 i = 0; i < sample.nusers; i++)
		sample.weights[i] = 1;
	drawn_figure(&sample, &interval->estimate);

	values = palloc(replicates * sizeof(double));
	for (int i = 0; i < replicates; i++)
	{
		CHECK_FOR_INTERRUPTS();
		draw_users(&sample, (int64) keyed->params[1], i);
		if (drawn_figure(&sample, &values[n]))
			n++;
	}
	if (n >= 2)
		replicates_read(values, n, interval);
	return true;
}

/* The area of a ranking of (score, key). */
bool
bootstrap_auc(const Ranking *keyed, Estimate *interval)
{
	ranking_expect(keyed, 2, 2);
	return bootstrap(keyed, interval);
}

/* The difference of two areas of a ranking of (score a, score b, key). */
bool
bootstrap_difference(const Ranking *keyed, Estimate *interval)
{
	ranking_expect(keyed, 3, 2);
	return bootstrap(keyed, interval);
}

/* Read the optional arguments (replicates, seed), from number "first" on. */
void
bootstrap_set_params(FunctionCallInfo fcinfo, Ranking *ranking, int first)
{
	double		params[2] = {BOOTSTRAP_REPLICATES, BOOTSTRAP_SEED};

	if (PG_NARGS() > first)
	{
		params[0] = DatumGetInt32(ranking_argument(fcinfo, first, "replicates"));
		params[1] = DatumGetInt32(ranking_argument(fcinfo, first + 1, "seed"));
	}
	check_replicates(params[0]);
	ranking_set_params(ranking, 2, params);
}

PG_FUNCTION_INFO_V1(churn_keyed_trans);

/* (score, label, user key [, replicates, seed]) */
Datum
churn_keyed_trans(PG_FUNCTION_ARGS)
{
	Ranking    *ranking = ranking_state(fcinfo, 2, true);
	double		row[2];

	bootstrap_set_params(fcinfo, ranking, 4);
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		ranking->ignored++;
	else
	{
		row[0] = ranking_score(PG_GETARG_FLOAT8(1));
		row[1] = bootstrap_key(PG_GETARG_TEXT_PP(3));
		ranking_append(ranking, PG_GETARG_BOOL(2), row);
	}
	PG_RETURN_DATUM(RankingGetDatum(ranking));
}
