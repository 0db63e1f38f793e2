/*-------------------------------------------------------------------------
 *
 * auc_test.c
 *	  churn_auc_test: do two scores of the same rows rank differently well?
 *
 * DeLong's paired test (1988; auc.c explains placements): the difference of
 * the areas has the variance of the churners' differences of placements over
 * their number plus that of the stayers'.  z is the difference over its
 * standard error, p two-sided.  z and p are NULL where the standard error is
 * 0 or not defined (fewer than two of a class).  With a user key, standard
 * error and interval come from the cluster bootstrap (bootstrap.c), and z and
 * p from that standard error.
 *
 * Rows are first brought into one order, by their two scores, so that the
 * result does not depend on the order in which they arrived.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "measure/bootstrap.h"
#include "measure/figures.h"
#include "measure/quantile.h"

/* A row with both scores, and the difference of its placements */
typedef struct PairedRow
{
	double		score[2];
	double		difference;
	bool		churned;
} PairedRow;

/* Both areas, and what is said of their difference */
typedef struct AucTest
{
	double		auc[2];
	Estimate	difference;
} AucTest;

/* Order of two numbers. */
static inline int
number_compare(double a, double b)
{
	return (a > b) - (a < b);
}

/* Order of rows by the first score, then by the second and the label. */
static int
first_compare(const void *a, const void *b)
{
	const PairedRow *left = a;
	const PairedRow *right = b;
	int			order = number_compare(left->score[0], right->score[0]);

	if (order == 0)
		order = number_compare(left->score[1], right->score[1]);
	return order != 0 ? order : left->churned - right->churned;
}

/* Order of rows by the second score, then by the first and the label. */
static int
second_compare(const void *a, const void *b)
{
	const PairedRow *left = a;
	const PairedRow *right = b;
	int			order = number_compare(left->score[1], right->score[1]);

	if (order == 0)
		order = number_compare(left->score[0], right->score[0]);
	return order != 0 ? order : left->churned - right->churned;
}

/* All rows of a ranking of pairs. */
static PairedRow *
paired_rows(const Ranking *pairs)
{
	int64		nrows = ranking_rows(pairs);
	PairedRow  *rows;

	ranking_check_memory(nrows * sizeof(PairedRow));
	rows = MemoryContextAllocHuge(CurrentMemoryContext,
								  nrows * sizeof(PairedRow));
	for (int64 i = 0; i < nrows; i++)
	{
		bool		churned = i < pairs->churners.nrows;
		const double *row = churned ?
			pairs->churners.values + i * pairs->width :
			pairs->stayers.values + (i - pairs->churners.nrows) * pairs->width;

		rows[i].score[0] = row[0];
		rows[i].score[1] = row[1];
		rows[i].difference = 0;
		rows[i].churned = churned;
	}
	return rows;
}

/*
 * Add "sign" times the placements by one score to the rows, which ascend by
 * it; return the area.
 */
static double
add_placements(PairedRow *rows, int64 nrows, int column, double sign,
			   double churners, double stayers)
{
	double		churners_above = churners;
	double		stayers_below = 0;
	Sum			wins = {0, 0};

	for (int64 i = 0; i < nrows;)
	{
		double		score = rows[i].score[column];
		double		tied[2] = {0, 0};
		int64		end;

		for (end = i; end < nrows && rows[end].score[column] == score; end++)
			tied[rows[end].churned]++;
		churners_above -= tied[1];
		for (; i < end; i++)
		{
			double		placement = rows[i].churned ?
				(stayers_below + tied[0] / 2) / stayers :
				(churners_above + tied[1] / 2) / churners;

			rows[i].difference += sign * placement;
		}
		sum_add(&wins, tied[1] * (2 * stayers_below + tied[0]));
		stayers_below += tied[0];
	}
	return sum_value(&wins) / 2 / (churners * stayers);
}

/* Variance of the mean of one class's differences, whose mean is "mean". */
static double
difference_variance(const PairedRow *rows, int64 nrows, bool churned,
					double count, double mean)
{
	Sum			squares = {0, 0};

	for (int64 i = 0; i < nrows; i++)
		if (rows[i].churned == churned)
			sum_add(&squares, (rows[i].difference - mean) *
					(rows[i].difference - mean));
	return sum_value(&squares) / (count - 1) / count;
}

/* DeLong's test of a ranking of pairs with both classes. */
static void
delong_test(const Ranking *pairs, AucTest *test)
{
	double		churners = (double) pairs->churners.nrows;
	double		stayers = (double) pairs->stayers.nrows;
	int64		nrows = ranking_rows(pairs);
	Estimate   *difference = &test->difference;
	PairedRow  *rows = paired_rows(pairs);

	CHECK_FOR_INTERRUPTS();
	qsort(rows, nrows, sizeof(PairedRow), first_compare);
	test->auc[0] = add_placements(rows, nrows, 0, 1, churners, stayers);
	CHECK_FOR_INTERRUPTS();
	qsort(rows, nrows, sizeof(PairedRow), second_compare);
	test->auc[1] = add_placements(rows, nrows, 1, -1, churners, stayers);
	difference->estimate = test->auc[0] - test->auc[1];
	if (churners < 2 || stayers < 2)
		return;
	difference->has_error = true;
	difference->error =
		sqrt(difference_variance(rows, nrows, true, churners,
								 difference->estimate) +
			 difference_variance(rows, nrows, false, stayers,
								 difference->estimate));
	difference->lower = difference->estimate - NORMAL_975 * difference->error;
	difference->upper = difference->estimate + NORMAL_975 * difference->error;
}

PG_FUNCTION_INFO_V1(churn_auc_test_trans);

/* (score a, score b, label [, user key [, replicates, seed]]) */
Datum
churn_auc_test_trans(PG_FUNCTION_ARGS)
{
	bool		keyed = PG_NARGS() > 4;
	Ranking    *ranking = ranking_state(fcinfo, keyed ? 3 : 2, true);
	double		row[3] = {0};

	if (keyed)
		bootstrap_set_params(fcinfo, ranking, 5);
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3) ||
		(keyed && PG_ARGISNULL(4)))
	{
		ranking->ignored++;
		PG_RETURN_DATUM(RankingGetDatum(ranking));
	}
	row[0] = ranking_score(PG_GETARG_FLOAT8(1));
	row[1] = ranking_score(PG_GETARG_FLOAT8(2));
	if (keyed)
		row[2] = bootstrap_key(PG_GETARG_TEXT_PP(4));
	ranking_append(ranking, PG_GETARG_BOOL(3), row);
	PG_RETURN_DATUM(RankingGetDatum(ranking));
}

PG_FUNCTION_INFO_V1(churn_auc_test_final);

/* The test of a state, DeLong's or, of three columns, by bootstrap. */
Datum
churn_auc_test_final(PG_FUNCTION_ARGS)
{
	const Ranking *pairs = ranking_view(PG_GETARG_DATUM(0));
	AucTest		test;
	Estimate   *difference = &test.difference;
	Figures		figures = {0};
	bool		has_z;

	if (pairs->width == 3)
		ranking_expect(pairs, 3, 2);
	else
		ranking_expect(pairs, 2, 0);
	if (!ranking_has_both(pairs))
		PG_RETURN_NULL();
	memset(&test, 0, sizeof(test));
	delong_test(pairs, &test);
	if (pairs->width == 3)
		bootstrap_difference(pairs, difference);
	has_z = difference->has_error && difference->error > 0;
	figures_put(&figures, test.auc[0]);
	figures_put(&figures, test.auc[1]);
	figures_put(&figures, difference->estimate);
	figures_put_if(&figures, difference->has_error, difference->error);
	figures_put_if(&figures, difference->has_error, difference->lower);
	figures_put_if(&figures, difference->has_error, difference->upper);
	figures_put_if(&figures, has_z, difference->estimate / difference->error);
	figures_put_if(&figures, has_z,
				   normal_two_sided(difference->estimate / difference->error));
	return figures_record(fcinfo, &figures);
}
