/*-------------------------------------------------------------------------
 *
 * calibration.c
 *	  churn_ece, and the calibration line of churn_evaluate.
 *
 * Expected calibration error: over bins, the mean of |mean score - share of
 * churners| weighted by rows.  It depends on the bins, so they are always
 * said: equal width or equal count (bins.c).
 *
 * Calibration line (Cox, Biometrika 45, 1958): the logistic regression of the
 * outcome on the log-odds of the score.  Slope 1 and intercept 0 are perfect;
 * a slope below 1 means scores too extreme.  With the slope held at 1 the
 * intercept is calibration in the large.  Not defined where a score is 0 or 1
 * or not a probability, where one class is missing, and for the slope also
 * where scores separate the classes or are all equal.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "measure/bins.h"
#include "measure/metric.h"

#define LINE_STEPS	100			/* Newton steps before giving up */

/* Expected calibration error; scores are probabilities and were kept. */
double
calibration_error(const Ranking *ranking, int nbins, bool by_count)
{
	Bin		   *bins = by_count ? bins_by_count(ranking, nbins) :
		bins_by_width(ranking, nbins);
	Sum			error = {0, 0};

	for (int i = 0; i < nbins; i++)
		sum_add(&error, fabs(bins[i].churners - sum_value(&bins[i].score)));
	pfree(bins);
	return sum_value(&error) / (double) ranking_rows(ranking);
}

/* Log-likelihood, gradient and information of a line */
typedef struct LineSums
{
	Sum			likelihood;
	Sum			gradient[2];	/* by intercept, by slope */
	Sum			information[3]; /* both intercept, mixed, both slope */
} LineSums;

/* Sum up a line over all rows. */
static void
line_sums(LineSums *sums, const Ranking *ranking, double intercept,
		  double slope)
{
	RankReader	reader;
	TieGroup	group;

	memset(sums, 0, sizeof(*sums));
	rank_reader_init(&reader, ranking);
	while (rank_reader_next(&reader, &group))
	{
		double		rows = (double) (group.churners + group.stayers);
		double		x = log(group.score) - log1p(-group.score);
		double		odds = intercept + slope * x;
		double		small = exp(-fabs(odds));
		double		p = (odds > 0 ? 1 : small) / (1 + small);
		double		residual = (double) group.churners - rows * p;
		double		weight = rows * small / ((1 + small) * (1 + small));

		/* the last two terms are rows * ln(1 + e^odds), without overflow */
		sum_add(&sums->likelihood, (double) group.churners * odds -
				rows * Max(odds, 0) - rows * log1p(small));
		sum_add(&sums->gradient[0], residual);
		sum_add(&sums->gradient[1], residual * x);
		sum_add(&sums->information[0], weight);
		sum_add(&sums->information[1], weight * x);
		sum_add(&sums->information[2], weight * x * x);
	}
}

/* One Newton step; false where the information is singular. */
static bool
line_step(const LineSums *sums, bool free_slope, double *step)
{
	double		g0 = sum_value(&sums->gradient[0]);
	double		g1 = sum_value(&sums->gradient[1]);
	double		i00 = sum_value(&sums->information[0]);
	double		i01 = sum_value(&sums->information[1]);
	double		i11 = sum_value(&sums->information[2]);
	double		determinant = i00 * i11 - i01 * i01;

	step[0] = g0 / i00;
	step[1] = 0;
	if (!free_slope)
		return i00 > 0;
	if (!(determinant > 1e-12 * i00 * i11))
		return false;
	step[0] = (i11 * g0 - i01 * g1) / determinant;
	step[1] = (i00 * g1 - i01 * g0) / determinant;
	return true;
}

/* Can a line be fitted?  Rows are in order, so the bounds lie at the ends. */
static bool
line_exists(const Ranking *ranking, bool free_slope)
{
	const ScoreList *churners = &ranking->churners;
	const ScoreList *stayers = &ranking->stayers;
	double		churner_low,
				churner_high,
				stayer_low,
				stayer_high;

	if (ranking->form != RANKING_SCORES || !ranking_has_both(ranking))
		return false;
	churner_low = churners->values[0];
	churner_high = churners->values[churners->nrows - 1];
	stayer_low = stayers->values[0];
	stayer_high = stayers->values[stayers->nrows - 1];
	if (Min(churner_low, stayer_low) <= 0 ||
		Max(churner_high, stayer_high) >= 1)
		return false;
	return !free_slope ||
		(churner_low < stayer_high && stayer_low < churner_high);
}

/*
 * Fit the line by Newton's method, halving steps that do not improve the
 * likelihood.  The objective is concave, so it ends at the maximum.
 */
bool
calibration_line(const Ranking *ranking, bool free_slope,
				 double *intercept, double *slope)
{
	LineSums	sums;
	double		step[2];

	*intercept = 0;
	*slope = 1;
	if (!line_exists(ranking, free_slope))
		return false;
	line_sums(&sums, ranking, *intercept, *slope);
	for (int i = 0; i < LINE_STEPS; i++)
	{
		double		before = sum_value(&sums.likelihood);
		double		part = 1;

		if (!line_step(&sums, free_slope, step))
			return false;
		do
		{
			line_sums(&sums, ranking, *intercept + part * step[0],
					  *slope + part * step[1]);
			part /= 2;
		} while (sum_value(&sums.likelihood) < before - 1e-13 * fabs(before) &&
				 part > 1e-10);
		*intercept += 2 * part * step[0];
		*slope += 2 * part * step[1];
		if (fabs(step[0]) + fabs(step[1]) <= 1e-13 *
			(1 + fabs(*intercept) + fabs(*slope)))
			return true;
	}
	return true;
}

/* Expected calibration error with the arguments (bins, by count). */
static bool
ece_figure(const Ranking *ranking, double *figure)
{
	ProbabilitySums sums;

	ranking_expect(ranking, 1, 2);
	ranking_require_scores(ranking);
	if (ranking_rows(ranking) == 0)
		return false;
	bins_check((int) ranking->params[0]);
	probability_sums_read(&sums, ranking);
	probability_check(&sums);
	*figure = calibration_error(ranking, (int) ranking->params[0],
								ranking->params[1] != 0);
	return true;
}

PG_FUNCTION_INFO_V1(churn_bins_trans);

/* (score, label [, bins [, method]]) */
Datum
churn_bins_trans(PG_FUNCTION_ARGS)
{
	Ranking    *ranking = ranking_state(fcinfo, 1, true);
	double		params[2] = {10, 0};

	if (PG_NARGS() > 3)
		params[0] = bins_check(DatumGetInt32(ranking_argument(fcinfo, 3,
															  "bins")));
	if (PG_NARGS() > 4)
	{
		text	   *method = DatumGetTextPP(ranking_argument(fcinfo, 4,
															 "method"));

		params[1] = bins_check_method(text_to_cstring(method));
	}
	ranking_set_params(ranking, 2, params);
	return ranking_add_row(fcinfo, ranking);
}

PG_FUNCTION_INFO_V1(churn_ece_final);

/* Expected calibration error of a state. */
Datum
churn_ece_final(PG_FUNCTION_ARGS)
{
	return ranking_figure(fcinfo, ece_figure);
}
