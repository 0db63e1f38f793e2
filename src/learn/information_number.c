/*-------------------------------------------------------------------------
 *
 * information_number.c
 *	  What a column of numbers says of the label, alone.
 *
 * AUC: the share of pairs of a churner and one who stayed that the value
 * orders rightly, ties counted half, in the better of both directions.  Rows
 * without a value are one tied group; it stands between those two bins, or
 * before the first or after the last, where the AUC is greatest, as a model
 * that gives NULL a weight of its own would put it.
 *
 * Bins: value x is in bin floor(bins * (rows below x) / (rows with a value)),
 * so that equal values stay together; where there are no more values than
 * bins, each has its own.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "learn/information.h"

/* A known value with its label */
typedef struct LabelledNumber
{
	double		value;
	uint8		churned;
} LabelledNumber;

static int
compare_numbers(const void *a, const void *b)
{
	double		left = ((const LabelledNumber *) a)->value;
	double		right = ((const LabelledNumber *) b)->value;

	CHECK_FOR_INTERRUPTS();
	return left < right ? -1 : left > right;
}

/* The known values in ascending order; counts those without one in "missing" */
static LabelledNumber *
sort_known(const InformationRows *rows, const InformationColumn *column,
		   InformationFigures *figures, InformationBin *missing)
{
	LabelledNumber *known =
		MemoryContextAllocHuge(CurrentMemoryContext, sizeof(LabelledNumber) *
							   Max(rows->nrows, 1));

	for (int64 i = 0; i < rows->nrows; i++)
	{
		double		x = column->numbers[i];

		if (isnan(x))
		{
			missing->rows++;
			missing->churned += rows->churned[i];
			continue;
		}
		known[figures->known].value = x;
		known[figures->known++].churned = rows->churned[i];
		figures->whole = figures->whole && x == floor(x);
	}
	qsort(known, figures->known, sizeof(LabelledNumber), compare_numbers);
	return known;
}

/* The rows of the next value, from position "first" on */
static InformationBin
next_value(const LabelledNumber *known, int64 count, int64 first)
{
	InformationBin value = {.what = BIN_RANGE,.from = known[first].value,
	.to = known[first].value};

	for (int64 i = first; i < count && known[i].value == value.from; i++)
	{
		value.rows++;
		value.churned += known[i].churned;
	}
	return value;
}

static int64
count_distinct(const LabelledNumber *known, int64 count)
{
	int64		distinct = 0;

	for (int64 i = 0; i < count; i++)
		distinct += i == 0 || known[i].value != known[i - 1].value;
	return distinct;
}

/*
 * Walk over the values: bins, pairs that rising values order rightly, and
 * the value that tells most.  Returns the number of such pairs.
 */
static double
walk_values(const InformationRows *rows, const LabelledNumber *known,
			InformationFigures *figures)
{
	bool		own = figures->distinct <= rows->bins;
	double		won = 0,
				stayed_below = 0;
	int64		bin_of_last = -1;

	for (int64 first = 0; first < figures->known;)
	{
		InformationBin value = next_value(known, figures->known, first);
		int64		bin_of = own ? figures->nbins :
			first * rows->bins / figures->known;
		double		stayed = (double) (value.rows - value.churned);

		information_note(rows, &value, figures);
		won += (double) value.churned * (stayed_below + stayed / 2);
		stayed_below += stayed;
		if (bin_of != bin_of_last)
			figures->bins[figures->nbins++] = value;
		else
		{
			InformationBin *bin = &figures->bins[figures->nbins - 1];

			bin->to = value.to;
			bin->rows += value.rows;
			bin->churned += value.churned;
		}
		bin_of_last = bin_of;
		first += value.rows;
	}
	return won;
}

/*
 * Pairs of a row with and one without a value that are ordered rightly, the
 * group of those without standing where they are most.
 */
static double
place_missing(const InformationFigures *figures, const InformationBin *missing,
			  double churned_known)
{
	double		missing_churned = (double) missing->churned;
	double		missing_stayed = (double) (missing->rows - missing->churned);
	double		churned_below = 0,
				stayed_below = 0,
				best = churned_known * missing_stayed;

	for (int b = 0; b < figures->nbins; b++)
	{
		/* bins ascend in value; risk rises with them, or falls */
		const InformationBin *bin =
			&figures->bins[figures->direction > 0 ? b : figures->nbins - 1 - b];

		churned_below += (double) bin->churned;
		stayed_below += (double) (bin->rows - bin->churned);
		best = Max(best, missing_churned * stayed_below +
				   (churned_known - churned_below) * missing_stayed);
	}
	return best;
}

/* AUC from pairs that rising values order rightly */
static void
set_auc(const InformationRows *rows, const InformationBin *missing, double won,
		InformationFigures *figures)
{
	double		churned = (double) rows->nchurned;
	double		stayed = (double) rows->nrows - churned;
	double		churned_known = churned - (double) missing->churned;
	double		stayed_known = stayed -
		(double) (missing->rows - missing->churned);
	double		pairs = churned_known * stayed_known;

	figures->has_auc = churned > 0 && stayed > 0;
	if (!figures->has_auc)
		return;
	figures->direction = won > pairs / 2 ? 1 : won < pairs / 2 ? -1 : 0;
	won = Max(won, pairs - won);
	won += place_missing(figures, missing, churned_known);
	won += (double) missing->churned * (stayed - stayed_known) / 2;
	figures->auc = won / (churned * stayed);
}

void
information_number(const InformationRows *rows,
				   const InformationColumn *column,
				   InformationFigures *figures)
{
	InformationBin missing = {.what = BIN_MISSING};
	LabelledNumber *known;
	double		won;

	figures->whole = true;
	known = sort_known(rows, column, figures, &missing);
	figures->distinct = count_distinct(known, figures->known);
	/* and one for those without a value */
	figures->bins = palloc0(sizeof(InformationBin) * (rows->bins + 1));
	won = walk_values(rows, known, figures);
	pfree(known);
	set_auc(rows, &missing, won, figures);
	if (missing.rows > 0)
	{
		InformationBin any = {.what = BIN_KNOWN,
			.rows = rows->nrows - missing.rows,
		.churned = rows->nchurned - missing.churned};

		information_note(rows, &missing, figures);
		information_note(rows, &any, figures);
		figures->bins[figures->nbins++] = missing;
	}
	information_weigh(rows, figures);
}
