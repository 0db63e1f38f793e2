/*-------------------------------------------------------------------------
 *
 * expected.c
 *	  churn_expected: what scores promise of themselves, without labels.
 *
 * If every score p is the probability that its user churns, and users churn
 * independently, the expected numbers of (churner, stayer) pairs are
 *
 *	  ordered  = sum over i <> j of p_i (1 - p_j) [p_i > p_j or half a tie]
 *	  all		= sum over i <> j of p_i (1 - p_j)
 *
 * and their ratio is the expected area under the ROC curve; the expected
 * precision of the highest tenth is the mean of its scores.  This is the
 * confidence-based estimate of performance (CBPE).  It assumes calibration:
 * a changed relation between behaviour and churn cannot be seen in scores.
 *
 * NULL without rows.  A NULL score is ignored, one outside [0, 1] refused.
 * Order does not matter; the state is the ranking of all scores.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "measure/figures.h"
#include "measure/metric.h"

/* Sums over the scores that the figures are made of */
typedef struct Expected
{
	Sum			ordered;		/* see above */
	Sum			churners;		/* sum of p */
	Sum			stayers;		/* sum of 1 - p */
	Sum			own;			/* sum of p (1 - p): pairs of a user with itself */
	Sum			top;			/* sum of p over the highest tenth */
	double		top_rows;		/* users of the highest tenth */
} Expected;

/* Read the scores, which all stand among the stayers of the ranking. */
static void
expected_read(Expected *expected, const Ranking *ranking)
{
	RankReader	reader;
	TieGroup	group;
	double		rows = (double) ranking->stayers.nrows;
	double		above = rows;	/* users of this score or a higher one */

	memset(expected, 0, sizeof(*expected));
	expected->top_rows = ceil(0.1 * rows);
	rank_reader_init(&reader, ranking);
	while (rank_reader_next(&reader, &group))
	{
		double		p = group.score;
		double		k = (double) group.stayers;
		double		rest = above - k;

		sum_add(&expected->ordered, k * p * sum_value(&expected->stayers) +
				k * (k - 1) / 2 * p * (1 - p));
		sum_add(&expected->churners, k * p);
		sum_add(&expected->stayers, k * (1 - p));
		sum_add(&expected->own, k * p * (1 - p));
		if (rest < expected->top_rows)
			sum_add(&expected->top, p * Min(k, expected->top_rows - rest));
		above = rest;
	}
}

PG_FUNCTION_INFO_V1(churn_expected_trans);

/* Add a score to the state. */
Datum
churn_expected_trans(PG_FUNCTION_ARGS)
{
	Ranking    *ranking = ranking_state(fcinfo, 1, true);
	double		score;

	if (PG_ARGISNULL(1))
	{
		ranking->ignored++;
		PG_RETURN_DATUM(RankingGetDatum(ranking));
	}
	score = ranking_score(PG_GETARG_FLOAT8(1));
	if (score < 0 || score > 1)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("a probability must be between 0 and 1, not %g",
						score)));
	ranking_append(ranking, false, &score);
	PG_RETURN_DATUM(RankingGetDatum(ranking));
}

PG_FUNCTION_INFO_V1(churn_expected_final);

/* (n, churn_rate, auc, precision_10, lift_10) */
Datum
churn_expected_final(PG_FUNCTION_ARGS)
{
	const Ranking *ranking = ranking_sorted(PG_GETARG_DATUM(0));
	double		rows = (double) ranking->stayers.nrows;
	Expected	expected;
	Figures		figures = {0};
	double		churners;
	double		pairs;
	double		precision;

	ranking_expect(ranking, 1, 0);
	if (rows == 0)
		PG_RETURN_NULL();
	expected_read(&expected, ranking);
	churners = sum_value(&expected.churners);
	pairs = churners * sum_value(&expected.stayers) - sum_value(&expected.own);
	precision = sum_value(&expected.top) / expected.top_rows;
	figures_put(&figures, rows);
	figures_put(&figures, churners / rows);
	figures_put_if(&figures, pairs > 0, sum_value(&expected.ordered) / pairs);
	figures_put(&figures, precision);
	figures_put_if(&figures, churners > 0, precision / (churners / rows));
	return figures_record(fcinfo, &figures);
}
