/*-------------------------------------------------------------------------
 *
 * information_level.c
 *	  What a column of levels says of the label, alone.
 *
 * AUC: rows are ranked by the churn rate of their level.  Rated by its own
 * outcome, a level of one row would always be right; so each row is dealt to
 * one of five parts, a level is rated by the other four, with one row of
 * their churn rate added, and pairs of rows of one part are compared.  A
 * column that says nothing comes out at .5, however many levels it has.  No
 * value is a level of its own.
 *
 * The part is drawn by a hash of the level, the label and a number counted
 * up, independently of all else, so it depends neither on the order of rows
 * nor on chance.
 *
 * Bins: the most frequent levels; rare ones are pooled.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "learn/fit.h"
#include "learn/information.h"

#define PARTS			5
#define MISSING_HASH	UINT64CONST(0x6d697373696e67)

/* Rows of one level: by label, in all and by part */
typedef struct LevelCount
{
	int32		number;			/* of the level; nlevels for missing */
	int32		rows[2];
	int32		part[PARTS][2];
} LevelCount;

/* A level with its rate by the other parts, and its rows in one */
typedef struct RatedLevel
{
	double		rate;
	double		stayed;
	double		churned;
} RatedLevel;

static void *
alloc_huge(Size count, Size size)
{
	return MemoryContextAllocExtended(CurrentMemoryContext,
									  mul_size(Max(count, 1), size),
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/* Deal the rows of a level to parts. */
static void
deal(LevelCount *count, uint64 hash)
{
	for (int churned = 0; churned <= 1; churned++)
		for (int32 i = 0; i < count->rows[churned]; i++)
			count->part[fit_hash(hash ^ (uint64) i, churned,
								 FIT_SALT_FOLD) % PARTS][churned]++;
}

/* Count rows by level; the last entry is "missing" and may be empty. */
static LevelCount *
count_levels(const InformationRows *rows, const InformationColumn *column)
{
	LevelCount *counts = alloc_huge(column->nlevels + 1, sizeof(LevelCount));

	for (int64 i = 0; i < rows->nrows; i++)
	{
		int32		code = column->codes[i];

		counts[code < 0 ? column->nlevels : code].rows[rows->churned[i]]++;
	}
	for (int l = 0; l <= column->nlevels; l++)
	{
		CHECK_FOR_INTERRUPTS();
		counts[l].number = l;
		deal(&counts[l], l < column->nlevels ? column->levels[l].hash :
			 MISSING_HASH);
	}
	return counts;
}

static int
compare_rates(const void *a, const void *b)
{
	double		left = ((const RatedLevel *) a)->rate;
	double		right = ((const RatedLevel *) b)->rate;

	return left < right ? -1 : left > right;
}

/* Levels of one part in the order of their rates by the others */
static int
rate_levels(const InformationRows *rows, const LevelCount *counts, int ncounts,
			int part, RatedLevel *rated)
{
	double		held[2] = {0, 0};	/* rows of the part */
	double		others_rows;
	double		base;			/* rate of the other parts */
	int			n = 0;

	for (int l = 0; l < ncounts; l++)
		for (int c = 0; c <= 1; c++)
			held[c] += (double) counts[l].part[part][c];
	others_rows = (double) rows->nrows - held[0] - held[1];
	base = others_rows > 0 ?
		((double) rows->nchurned - held[1]) / others_rows : 0;
	for (int l = 0; l < ncounts; l++)
	{
		const LevelCount *count = &counts[l];
		double		stayed = (double) count->part[part][0];
		double		churned = (double) count->part[part][1];
		double		others = (double) count->rows[1] - churned;
		double		all = (double) (count->rows[0] + count->rows[1]) -
			stayed - churned;

		if (stayed + churned == 0)
			continue;
		rated[n].rate = (others + base) / (all + 1);
		rated[n].stayed = stayed;
		rated[n++].churned = churned;
	}
	qsort(rated, n, sizeof(RatedLevel), compare_rates);
	return n;
}

/* Pairs of one part, and those of them that the rates order rightly */
static void
count_pairs(const RatedLevel *rated, int n, double *won, double *pairs)
{
	double		stayed_below = 0,
				churned = 0;

	for (int first = 0; first < n;)
	{
		double		tied[2] = {0, 0};
		int			next = first;

		for (; next < n && rated[next].rate == rated[first].rate; next++)
		{
			tied[0] += rated[next].stayed;
			tied[1] += rated[next].churned;
		}
		*won += tied[1] * (stayed_below + tied[0] / 2);
		stayed_below += tied[0];
		churned += tied[1];
		first = next;
	}
	*pairs += churned * stayed_below;
}

static void
set_auc(const InformationRows *rows, const LevelCount *counts, int ncounts,
		InformationFigures *figures)
{
	RatedLevel *rated = alloc_huge(ncounts, sizeof(RatedLevel));
	double		won = 0,
				pairs = 0;

	for (int part = 0; part < PARTS; part++)
	{
		CHECK_FOR_INTERRUPTS();
		count_pairs(rated, rate_levels(rows, counts, ncounts, part, rated),
					&won, &pairs);
	}
	pfree(rated);
	figures->has_auc = pairs > 0;
	if (figures->has_auc)
		figures->auc = won / pairs;
}

/* By rows, most first, then by text */
static int
compare_counts(const void *a, const void *b, void *arg)
{
	const LevelCount *left = a;
	const LevelCount *right = b;
	const Level *levels = arg;
	int32		left_rows = left->rows[0] + left->rows[1];
	int32		right_rows = right->rows[0] + right->rows[1];
	const Level *l = &levels[left->number];
	const Level *r = &levels[right->number];
	int			order;

	CHECK_FOR_INTERRUPTS();
	if (left_rows != right_rows)
		return left_rows > right_rows ? -1 : 1;
	order = memcmp(l->bytes, r->bytes, Min(l->length, r->length));
	return order != 0 ? order : l->length - r->length;
}

static InformationBin
level_bin(const LevelCount *count)
{
	InformationBin bin = {.what = BIN_LEVEL,.level = count->number,
		.rows = count->rows[0] + count->rows[1],
	.churned = count->rows[1]};

	return bin;
}

/* Frequent levels, then all others as one; counts are sorted */
static void
fill_bins(const LevelCount *counts, int nlevels, InformationFigures *figures)
{
	InformationBin pooled = {.what = BIN_POOLED};

	for (int l = 0; l < nlevels; l++)
	{
		InformationBin bin = level_bin(&counts[l]);

		if (l < INFORMATION_LEVELS && bin.rows >= INFORMATION_LEVEL_ROWS)
		{
			figures->bins[figures->nbins++] = bin;
			continue;
		}
		pooled.level++;
		pooled.rows += bin.rows;
		pooled.churned += bin.churned;
	}
	if (pooled.level == 1)
		figures->bins[figures->nbins++] = level_bin(&counts[nlevels - 1]);
	else if (pooled.level > 1)
		figures->bins[figures->nbins++] = pooled;
}

void
information_level(const InformationRows *rows,
				  const InformationColumn *column,
				  InformationFigures *figures)
{
	LevelCount *counts = count_levels(rows, column);
	int			nlevels = column->nlevels;
	InformationBin missing = level_bin(&counts[nlevels]);

	missing.what = BIN_MISSING;
	figures->known = rows->nrows - missing.rows;
	figures->distinct = nlevels;
	set_auc(rows, counts, nlevels + 1, figures);
	qsort_arg(counts, nlevels, sizeof(LevelCount), compare_counts,
			  column->levels);
	for (int l = 0; l < nlevels; l++)
	{
		InformationBin bin = level_bin(&counts[l]);

		information_note(rows, &bin, figures);
	}
	figures->bins = palloc0(sizeof(InformationBin) * (INFORMATION_LEVELS + 2));
	fill_bins(counts, nlevels, figures);
	if (missing.rows > 0)
	{
		InformationBin any = {.what = BIN_KNOWN,.rows = figures->known,
		.churned = rows->nchurned - missing.churned};

		information_note(rows, &missing, figures);
		information_note(rows, &any, figures);
		figures->bins[figures->nbins++] = missing;
	}
	pfree(counts);
	information_weigh(rows, figures);
}
