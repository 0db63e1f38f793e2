/*-------------------------------------------------------------------------
 *
 * curves.c
 *	  Curves of a ranking as rows: ROC, precision-recall, gains, calibration,
 *	  contact table.
 *
 * A threshold is a score that occurs; rows that tie are one threshold.  Bins
 * are those of bins.c, cut-offs those of top.c: what ties across them counts
 * by its expected value.  Where a ranking keeps only the order, thresholds
 * and scores are NULL, and calibration is an error.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"

#include "measure/bins.h"
#include "measure/figures.h"
#include "measure/metric.h"
#include "measure/quantile.h"

#define CONTACT_STEPS	10		/* of the contact table by default */

/* Tie groups with the highest score first */
typedef struct Thresholds
{
	TieGroup   *groups;
	int64		count;
} Thresholds;

/* Read all tie groups of a ranking. */
static void
thresholds_read(Thresholds *thresholds, const Ranking *ranking)
{
	RankReader	reader;
	TieGroup	group;
	int64		count = 0;

	rank_reader_init(&reader, ranking);
	while (rank_reader_next(&reader, &group))
		count++;
	thresholds->count = count;
	ranking_check_memory(count * sizeof(TieGroup));
	thresholds->groups =
		MemoryContextAllocHuge(CurrentMemoryContext,
							   Max(count, 1) * sizeof(TieGroup));
	rank_reader_init(&reader, ranking);
	while (rank_reader_next(&reader, &group))
		thresholds->groups[--count] = group;
}

/* A share, or NULL of nothing. */
static void
put_share(Figures *figures, double part, double whole)
{
	figures_put_if(figures, whole > 0, whole > 0 ? part / whole : 0);
}

/* A score, or NULL where none is kept. */
static void
put_score(Figures *figures, double score)
{
	figures_put_if(figures, !isnan(score), score);
}

/* One row of the ROC curve. */
static void
add_roc_row(FigureRows *rows, const Ranking *ranking, double threshold,
			int64 churners, int64 stayers)
{
	Figures		figures = {0};

	put_score(&figures, threshold);
	figures_put(&figures, (double) churners);
	figures_put(&figures, (double) stayers);
	put_share(&figures, (double) churners, (double) ranking->churners.nrows);
	put_share(&figures, (double) stayers, (double) ranking->stayers.nrows);
	figure_rows_add(rows, &figures);
}

PG_FUNCTION_INFO_V1(churn_roc);

/* The ROC curve, from nobody (threshold infinity) to everybody. */
Datum
churn_roc(PG_FUNCTION_ARGS)
{
	const Ranking *ranking = ranking_sorted(PG_GETARG_DATUM(0));
	int64		churners = 0;
	int64		stayers = 0;
	Thresholds	thresholds;
	FigureRows	rows;

	figure_rows_begin(&rows, fcinfo);
	thresholds_read(&thresholds, ranking);
	add_roc_row(&rows, ranking, get_float8_infinity(), 0, 0);
	for (int64 i = 0; i < thresholds.count; i++)
	{
		churners += thresholds.groups[i].churners;
		stayers += thresholds.groups[i].stayers;
		add_roc_row(&rows, ranking, thresholds.groups[i].score,
					churners, stayers);
	}
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(churn_precision_recall);

/* The precision-recall curve, a row a threshold. */
Datum
churn_precision_recall(PG_FUNCTION_ARGS)
{
	const Ranking *ranking = ranking_sorted(PG_GETARG_DATUM(0));
	int64		churners = 0;
	int64		flagged = 0;
	Thresholds	thresholds;
	FigureRows	rows;

	figure_rows_begin(&rows, fcinfo);
	thresholds_read(&thresholds, ranking);
	for (int64 i = 0; i < thresholds.count; i++)
	{
		Figures		figures = {0};

		churners += thresholds.groups[i].churners;
		flagged += thresholds.groups[i].churners + thresholds.groups[i].stayers;
		put_score(&figures, thresholds.groups[i].score);
		figures_put(&figures, (double) flagged);
		figures_put(&figures, (double) churners);
		put_share(&figures, (double) churners, (double) flagged);
		put_share(&figures, (double) churners,
				  (double) ranking->churners.nrows);
		figure_rows_add(&rows, &figures);
	}
	return (Datum) 0;
}

/* What the gains table adds up from the highest bin on */
typedef struct Gains
{
	double		all_rows;
	double		all_churners;
	double		rows;			/* so far */
	double		churners;
} Gains;

/* One row of the gains table; the bin has rows. */
static void
add_gains_row(FigureRows *rows, Gains *gains, int number, const Bin *bin)
{
	Figures		figures = {0};
	double		base = gains->all_churners / gains->all_rows;
	double		all_stayers = gains->all_rows - gains->all_churners;

	gains->rows += bin->rows;
	gains->churners += bin->churners;
	figures_put(&figures, number);
	figures_put(&figures, bin->rows);
	figures_put(&figures, bin->churners);
	put_score(&figures, bin->low);
	put_score(&figures, bin->high);
	figures_put(&figures, bin->churners / bin->rows);
	put_share(&figures, bin->churners / bin->rows, base);
	put_share(&figures, gains->churners, gains->all_churners);
	put_share(&figures, gains->churners / gains->rows, base);
	figures_put_if(&figures, base > 0 && base < 1, !(base > 0 && base < 1) ? 0 :
				   fabs(gains->churners / gains->all_churners -
						(gains->rows - gains->churners) / all_stayers));
	figure_rows_add(rows, &figures);
}

PG_FUNCTION_INFO_V1(churn_gains);

/* The gains table, bins of equal count, highest scores first. */
Datum
churn_gains(PG_FUNCTION_ARGS)
{
	const Ranking *ranking = ranking_sorted(PG_GETARG_DATUM(0));
	int			nbins = bins_check(PG_GETARG_INT32(1));
	Gains		gains = {0};
	Bin		   *bins;
	FigureRows	rows;

	figure_rows_begin(&rows, fcinfo);
	gains.all_rows = (double) ranking_rows(ranking);
	gains.all_churners = (double) ranking->churners.nrows;
	bins = bins_by_count(ranking, nbins);
	for (int i = nbins - 1; i >= 0; i--)
		if (bins[i].rows > 0)
			add_gains_row(&rows, &gains, nbins - i, &bins[i]);
	return (Datum) 0;
}

/*
 * Wilson's 95 % interval of a rate (J. Am. Stat. Assoc. 22, 1927), which
 * stays within 0 and 1.
 */
static void
put_wilson(Figures *figures, double hits, double rows)
{
	double		z2 = NORMAL_975 * NORMAL_975;
	double		rate = hits / rows;
	double		centre = (rate + z2 / (2 * rows)) / (1 + z2 / rows);
	double		half = NORMAL_975 / (1 + z2 / rows) *
		sqrt(Max(0, rate * (1 - rate) / rows + z2 / (4 * rows * rows)));

	figures_put(figures, Max(0, centre - half));
	figures_put(figures, Min(1, centre + half));
}

PG_FUNCTION_INFO_V1(churn_calibration);

/* The calibration curve, lowest scores first; empty bins are left out. */
Datum
churn_calibration(PG_FUNCTION_ARGS)
{
	const Ranking *ranking = ranking_sorted(PG_GETARG_DATUM(0));
	int			nbins = bins_check(PG_GETARG_INT32(1));
	char	   *method = text_to_cstring(PG_GETARG_TEXT_PP(2));
	bool		by_count = bins_check_method(method);
	ProbabilitySums sums;
	Bin		   *bins;
	FigureRows	rows;

	ranking_require_scores(ranking);
	probability_sums_read(&sums, ranking);
	probability_check(&sums);
	figure_rows_begin(&rows, fcinfo);
	bins = by_count ? bins_by_count(ranking, nbins) :
		bins_by_width(ranking, nbins);
	for (int i = 0; i < nbins; i++)
	{
		Figures		figures = {0};

		if (bins[i].rows == 0)
			continue;
		figures_put(&figures, i + 1);
		figures_put(&figures, bins[i].low);
		figures_put(&figures, bins[i].high);
		figures_put(&figures, bins[i].rows);
		figures_put(&figures, sum_value(&bins[i].score) / bins[i].rows);
		figures_put(&figures, bins[i].churners);
		figures_put(&figures, bins[i].churners / bins[i].rows);
		put_wilson(&figures, bins[i].churners, bins[i].rows);
		figure_rows_add(&rows, &figures);
	}
	return (Datum) 0;
}

/* The money of a contact table; success_rate, value, offer, contact cost. */
static Money
contact_money(FunctionCallInfo fcinfo)
{
	Money		money = profit_defaults;

	money.success_rate = PG_GETARG_FLOAT8(1);
	money.value = PG_GETARG_FLOAT8(2);
	money.offer_cost = PG_GETARG_FLOAT8(3);
	money.contact_cost = PG_GETARG_FLOAT8(4);
	if (!(money.success_rate >= 0 && money.success_rate <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("success_rate must be between 0 and 1, not %g",
						money.success_rate)));
	if (!isfinite(money.value) || !isfinite(money.offer_cost) ||
		!isfinite(money.contact_cost) || money.value < 0 ||
		money.offer_cost < 0 || money.contact_cost < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("value and costs must be finite and not negative: %g, %g, %g",
						money.value, money.offer_cost, money.contact_cost)));
	return money;
}

/* One row of the contact table: the k rows most at risk. */
static void
add_contact_row(FigureRows *rows, const Ranking *ranking, const Money *money,
				int64 k)
{
	double		contacted = (double) Min(k, ranking_rows(ranking));
	double		churners = top_churners(ranking, contacted);
	double		false_alarms = contacted - churners;
	double		saved = money->success_rate * churners;
	double		cost = money->contact_cost * contacted +
		money->offer_cost * (saved + false_alarms);
	Figures		figures = {0};

	figures_put(&figures, contacted);
	figures_put(&figures, churners);
	figures_put(&figures, false_alarms);
	put_share(&figures, churners, contacted);
	put_share(&figures, churners, (double) ranking->churners.nrows);
	figures_put(&figures, saved);
	figures_put(&figures, cost);
	figures_put(&figures, saved * money->value);
	figures_put(&figures, saved * money->value - cost);
	figure_rows_add(rows, &figures);
}

/* The counts that were asked for; all of them at least 1. */
static int64 *
contact_counts(ArrayType *array, int *count)
{
	int64	   *counts = (int64 *) ARR_DATA_PTR(array);

	if (ARR_NDIM(array) > 1 || array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("contacts must be an array of one dimension without NULL")));
	*count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	for (int i = 0; i < *count; i++)
		if (counts[i] < 1)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("contacts must be at least 1, not %lld",
							(long long) counts[i])));
	return counts;
}

PG_FUNCTION_INFO_V1(churn_contacts);

/* The contact table, for given counts or for every tenth of the rows. */
Datum
churn_contacts(PG_FUNCTION_ARGS)
{
	const Ranking *ranking;
	Money		money;
	FigureRows	rows;
	int64	   *counts = NULL;
	int			ncounts = CONTACT_STEPS;

	for (int i = 0; i < 5; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument %d of a contact table may not be NULL",
							i + 1)));
	ranking = ranking_sorted(PG_GETARG_DATUM(0));
	money = contact_money(fcinfo);
	if (!PG_ARGISNULL(5))
		counts = contact_counts(PG_GETARG_ARRAYTYPE_P(5), &ncounts);
	figure_rows_begin(&rows, fcinfo);
	if (ranking_rows(ranking) == 0)
		return (Datum) 0;
	for (int i = 0; i < ncounts; i++)
		add_contact_row(&rows, ranking, &money, counts != NULL ? counts[i] :
						Max(1, ranking_rows(ranking) * (i + 1) / ncounts));
	return (Datum) 0;
}
