/*-------------------------------------------------------------------------
 *
 * bins.c
 *	  Rows of a ranking in bins.
 *
 * Equal width: bin b of B holds the scores of [b/B, (b+1)/B), the last one 1
 * as well; scores are probabilities.  Equal count: of n rows counted from the
 * highest score, the first b bins hold the first floor(b * n / B).  Rows that
 * tie across a border go to both sides in proportion, churners and all: their
 * expected value under random order among themselves.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/float.h"

#include "measure/bins.h"

/* A number of bins that can be served. */
int
bins_check(int nbins)
{
	if (nbins < 1 || nbins > BINS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of bins must be between 1 and %d, not %d",
						BINS_MAX, nbins)));
	return nbins;
}

/* Are bins to have equal counts?  Equal width is the other method. */
bool
bins_check_method(const char *method)
{
	if (strcmp(method, "count") == 0)
		return true;
	if (strcmp(method, "width") == 0)
		return false;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("method of binning must be \"width\" or \"count\", not \"%s\"",
					method)));
	return false;				/* keep the compiler quiet */
}

/* Add "rows" rows of a tie group to a bin. */
static void
bin_add(Bin *bin, const TieGroup *group, double rows)
{
	double		size = (double) (group->churners + group->stayers);

	if (bin->rows == 0)
		bin->low = group->score;
	bin->high = group->score;
	bin->rows += rows;
	bin->churners += (double) group->churners * rows / size;
	sum_add(&bin->score, group->score * rows);
}

/* Bins of equal width between 0 and 1. */
Bin *
bins_by_width(const Ranking *ranking, int nbins)
{
	Bin		   *bins = palloc0(nbins * sizeof(Bin));
	RankReader	reader;
	TieGroup	group;

	rank_reader_init(&reader, ranking);
	while (rank_reader_next(&reader, &group))
	{
		int			bin = (int) (group.score * nbins);

		/* the product may have been rounded across the border */
		if (bin > 0 && group.score < (double) bin / nbins)
			bin--;
		else if (group.score >= (double) (bin + 1) / nbins)
			bin++;
		bin_add(&bins[Min(bin, nbins - 1)], &group,
				(double) (group.churners + group.stayers));
	}
	return bins;
}

/* First row, counted from the lowest score, that is above bin "bin". */
static int64
bin_end(int64 rows, int bin, int nbins)
{
	/* rows - floor((nbins - 1 - bin) * rows / nbins), without overflow */
	int64		above = nbins - 1 - bin;

	return rows - (rows / nbins * above + rows % nbins * above / nbins);
}

/* Bins of equal count. */
Bin *
bins_by_count(const Ranking *ranking, int nbins)
{
	Bin		   *bins = palloc0(nbins * sizeof(Bin));
	int64		rows = ranking_rows(ranking);
	int64		done = 0;
	int			bin = 0;
	RankReader	reader;
	TieGroup	group;

	rank_reader_init(&reader, ranking);
	while (rank_reader_next(&reader, &group))
	{
		int64		left = group.churners + group.stayers;

		while (left > 0)
		{
			int64		room = bin_end(rows, bin, nbins) - done;
			int64		part = Min(left, room);

			if (part > 0)
				bin_add(&bins[bin], &group, (double) part);
			done += part;
			left -= part;
			if (part == room && bin < nbins - 1)
				bin++;
		}
	}
	return bins;
}
