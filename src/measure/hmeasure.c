/*-------------------------------------------------------------------------
 *
 * hmeasure.c
 *	  churn_h_measure: what a ranking saves of the cost of mistakes.
 *
 * Hand, Machine Learning 77, 2009: the expected minimum loss when the cost c
 * of a false alarm (1 - c that of a missed churner) has a Beta distribution,
 * as a saving against the best decision without scores.  1 is perfect, 0 is
 * worth nothing.  The Beta has a = 2 and its mode at the severity ratio over
 * one plus it, that is b = 1 + 1 / ratio; the ratio is that of the cost of a
 * false alarm to that of a miss, by default churners / stayers (Hand and
 * Anagnostopoulos, Pattern Recognition Letters 40, 2014).  NULL when a class
 * is missing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "measure/hull.h"
#include "measure/metric.h"
#include "measure/quantile.h"

/* Beyond it one kind of mistake costs nothing, and the Beta is a point. */
#define SEVERITY_MAX	1e6

/* The distribution of the cost, and its partial moments */
typedef struct CostWeight
{
	double		a;
	double		b;
} CostWeight;

/* Integral of c over costs up to x. */
static double
cost_moment(const CostWeight *w, double x)
{
	return beta_cdf(x, w->a + 1, w->b) * w->a / (w->a + w->b);
}

/* Integral of 1 - c over costs up to x. */
static double
rest_moment(const CostWeight *w, double x)
{
	return beta_cdf(x, w->a, w->b + 1) * w->b / (w->a + w->b);
}

/*
 * Expected minimum loss along the hull.  A corner is best for the costs
 * between the slopes of the edges on its two sides.
 */
static double
hull_loss(const Hull *hull, const CostWeight *w, double rows)
{
	const HullPoint *all = &hull->points[hull->npoints - 1];
	double		upper = 1;		/* costs beyond which the corner is not best */
	Sum			loss = {0, 0};

	for (int i = 0; i < hull->npoints; i++)
	{
		const HullPoint *point = &hull->points[i];
		double		lower = 0;

		if (i + 1 < hull->npoints)
		{
			int64		churners = point[1].churners - point->churners;
			int64		stayers = point[1].stayers - point->stayers;

			lower = (double) churners / (double) (churners + stayers);
		}
		sum_add(&loss, (double) point->stayers *
				(cost_moment(w, upper) - cost_moment(w, lower)));
		sum_add(&loss, (double) (all->churners - point->churners) *
				(rest_moment(w, upper) - rest_moment(w, lower)));
		upper = lower;
	}
	return sum_value(&loss) / rows;
}

/* H-measure; severity 0 stands for churners / stayers. */
bool
h_measure(const Ranking *ranking, double severity, double *figure)
{
	double		rows = (double) ranking_rows(ranking);
	double		rate;			/* of churners */
	CostWeight	w = {2, 0};
	double		trivial;
	Hull		hull;

	if (!ranking_has_both(ranking))
		return false;
	if (severity == 0)
		severity = (double) ranking->churners.nrows /
			(double) ranking->stayers.nrows;
	rate = (double) ranking->churners.nrows / rows;
	w.b = 1 + 1 / severity;
	trivial = (1 - rate) * cost_moment(&w, rate) +
		rate * (rest_moment(&w, 1) - rest_moment(&w, rate));
	hull_build(&hull, ranking);
	*figure = 1 - hull_loss(&hull, &w, rows) / trivial;
	pfree(hull.points);
	return true;
}

/* H-measure with the state's argument, or without one. */
static bool
h_measure_figure(const Ranking *ranking, double *figure)
{
	return h_measure(ranking, ranking->nparams > 0 ? ranking->params[0] : 0,
					 figure);
}

PG_FUNCTION_INFO_V1(churn_severity_trans);

/* (score, label, severity ratio) */
Datum
churn_severity_trans(PG_FUNCTION_ARGS)
{
	Ranking    *ranking = ranking_state(fcinfo, 1, false);
	double		severity = ranking_number(fcinfo, 3, "severity_ratio");

	if (severity < 1 / SEVERITY_MAX || severity > SEVERITY_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("severity_ratio must be between %g and %g, not %g",
						1 / SEVERITY_MAX, SEVERITY_MAX, severity)));
	ranking_set_params(ranking, 1, &severity);
	return ranking_add_row(fcinfo, ranking);
}

PG_FUNCTION_INFO_V1(churn_h_measure_final);

/* H-measure of a state. */
Datum
churn_h_measure_final(PG_FUNCTION_ARGS)
{
	return ranking_figure(fcinfo, h_measure_figure);
}
