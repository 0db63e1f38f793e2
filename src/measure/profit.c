/*-------------------------------------------------------------------------
 *
 * profit.c
 *	  churn_mpc and churn_empc: what a retention campaign can earn.
 *
 * Verbraken, Verbeke and Baesens, IEEE TKDE 25(5), 2013.  The customers above
 * a threshold are contacted at cost f each; a churner among them accepts an
 * offer of cost d with probability g, and is then worth v; a stayer takes the
 * offer too.  Per customer, with TP churners and FP stayers of n contacted:
 *
 *	  profit(g) = (g (v - d) - f) TP / n - (d + f) FP / n
 *
 * MPC is the largest profit over thresholds for one g; EMPC its expectation
 * when g has a Beta(alpha, beta) distribution, the best threshold being
 * chosen for each g.  Contacting nobody earns 0, so neither is negative.  The
 * share is that of the customers contacted.  Defaults (of the paper): alpha 6,
 * beta 14, v 200, d 10, f 1; MPC takes the mean, g = 0.3.  They are somebody
 * else's money: a user must give his own.  NULL when a class is missing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "measure/hull.h"
#include "measure/metric.h"
#include "measure/quantile.h"

#define BETA_MAX	1e6			/* the Beta is a point by then */

const Money profit_defaults = {
	.success_rate = 0.3,.alpha = 6,.beta = 14,
	.value = 200,.offer_cost = 10,.contact_cost = 1
};

/* Profit over all customers of contacting those above a threshold. */
static double
profit_at(const HullPoint *point, const Money *money, double success_rate)
{
	return (success_rate * (money->value - money->offer_cost) -
			money->contact_cost) * (double) point->churners -
		(money->offer_cost + money->contact_cost) * (double) point->stayers;
}

/* Largest profit a customer, and the share contacted; ties: the fewest. */
bool
profit_maximum(const Ranking *ranking, const Money *money,
			   double *profit, double *share)
{
	double		rows = (double) ranking_rows(ranking);
	Hull		hull;

	if (!ranking_has_both(ranking))
		return false;
	*profit = *share = 0;
	hull_build(&hull, ranking);
	for (int i = 0; i < hull.npoints; i++)
	{
		const HullPoint *point = &hull.points[i];
		double		here = profit_at(point, money, money->success_rate) / rows;

		if (here > *profit)
		{
			*profit = here;
			*share = (double) (point->churners + point->stayers) / rows;
		}
	}
	pfree(hull.points);
	return true;
}

/*
 * The success rate from which the next corner of the hull earns more; not
 * below "least", against rounding.
 */
static double
next_rate(const HullPoint *point, const Money *money, double least)
{
	double		churners = (double) (point[1].churners - point->churners);
	double		stayers = (double) (point[1].stayers - point->stayers);
	double		rate;

	if (churners == 0)
		return 1;
	rate = (money->contact_cost * (churners + stayers) +
			money->offer_cost * stayers) /
		((money->value - money->offer_cost) * churners);
	return Min(1, Max(rate, least));
}

/* Expected largest profit a customer, and the expected share contacted. */
bool
profit_expected(const Ranking *ranking, const Money *money,
				double *profit, double *share)
{
	double		rows = (double) ranking_rows(ranking);
	double		mean = money->alpha / (money->alpha + money->beta);
	double		from = 0;
	Sum			earned = {0, 0};
	Sum			contacted = {0, 0};
	Hull		hull;

	if (!ranking_has_both(ranking))
		return false;
	hull_build(&hull, ranking);
	for (int i = 0; i < hull.npoints && from < 1; i++)
	{
		const HullPoint *point = &hull.points[i];
		double		to = i + 1 < hull.npoints ?
			next_rate(point, money, from) : 1;
		double		chance = beta_cdf(to, money->alpha, money->beta) -
			beta_cdf(from, money->alpha, money->beta);
		double		moment = mean *
			(beta_cdf(to, money->alpha + 1, money->beta) -
			 beta_cdf(from, money->alpha + 1, money->beta));

		sum_add(&earned, moment * (money->value - money->offer_cost) *
				(double) point->churners);
		sum_add(&earned, chance * profit_at(point, money, 0));
		sum_add(&contacted, chance *
				(double) (point->churners + point->stayers));
		from = to;
	}
	pfree(hull.points);
	*profit = sum_value(&earned) / rows;
	*share = sum_value(&contacted) / rows;
	return true;
}

/* The money of an MPC state: the arguments, or the defaults. */
static Money
maximum_money(const Ranking *ranking)
{
	Money		money = profit_defaults;

	if (ranking->nparams == 4)
	{
		money.success_rate = ranking->params[0];
		money.value = ranking->params[1];
		money.offer_cost = ranking->params[2];
		money.contact_cost = ranking->params[3];
	}
	return money;
}

/* The money of an EMPC state: the arguments, or the defaults. */
static Money
expected_money(const Ranking *ranking)
{
	Money		money = profit_defaults;

	if (ranking->nparams == 5)
	{
		money.alpha = ranking->params[0];
		money.beta = ranking->params[1];
		money.value = ranking->params[2];
		money.offer_cost = ranking->params[3];
		money.contact_cost = ranking->params[4];
	}
	return money;
}

/* Refuse money that no campaign has. */
static void
check_money(double value, double offer_cost, double contact_cost)
{
	if (offer_cost < 0 || contact_cost < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("costs may not be negative: offer_cost %g, contact_cost %g",
						offer_cost, contact_cost)));
	if (value <= offer_cost)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("value (%g) must be above offer_cost (%g)",
						value, offer_cost),
				 errhint("An offer that costs what the customer is worth earns nothing.")));
}

PG_FUNCTION_INFO_V1(churn_mpc_trans);

/* (score, label, success_rate, value, offer_cost, contact_cost) */
Datum
churn_mpc_trans(PG_FUNCTION_ARGS)
{
	Ranking    *ranking = ranking_state(fcinfo, 1, false);
	double		params[4];

	params[0] = ranking_number(fcinfo, 3, "success_rate");
	params[1] = ranking_number(fcinfo, 4, "value");
	params[2] = ranking_number(fcinfo, 5, "offer_cost");
	params[3] = ranking_number(fcinfo, 6, "contact_cost");
	if (params[0] < 0 || params[0] > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("success_rate must be between 0 and 1, not %g",
						params[0])));
	check_money(params[1], params[2], params[3]);
	ranking_set_params(ranking, 4, params);
	return ranking_add_row(fcinfo, ranking);
}

PG_FUNCTION_INFO_V1(churn_empc_trans);

/* (score, label, alpha, beta, value, offer_cost, contact_cost) */
Datum
churn_empc_trans(PG_FUNCTION_ARGS)
{
	Ranking    *ranking = ranking_state(fcinfo, 1, false);
	double		params[5];

	params[0] = ranking_number(fcinfo, 3, "alpha");
	params[1] = ranking_number(fcinfo, 4, "beta");
	params[2] = ranking_number(fcinfo, 5, "value");
	params[3] = ranking_number(fcinfo, 6, "offer_cost");
	params[4] = ranking_number(fcinfo, 7, "contact_cost");
	if (params[0] <= 0 || params[0] > BETA_MAX ||
		params[1] <= 0 || params[1] > BETA_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("alpha and beta must be above 0 and at most %g, not %g and %g",
						BETA_MAX, params[0], params[1])));
	check_money(params[2], params[3], params[4]);
	ranking_set_params(ranking, 5, params);
	return ranking_add_row(fcinfo, ranking);
}

/* Maximum profit. */
static bool
mpc_figure(const Ranking *ranking, double *figure)
{
	Money		money = maximum_money(ranking);
	double		share;

	return profit_maximum(ranking, &money, figure, &share);
}

/* Share contacted at the maximum profit. */
static bool
mpc_share_figure(const Ranking *ranking, double *figure)
{
	Money		money = maximum_money(ranking);
	double		profit;

	return profit_maximum(ranking, &money, &profit, figure);
}

/* Expected maximum profit. */
static bool
empc_figure(const Ranking *ranking, double *figure)
{
	Money		money = expected_money(ranking);
	double		share;

	return profit_expected(ranking, &money, figure, &share);
}

/* Expected share contacted. */
static bool
empc_share_figure(const Ranking *ranking, double *figure)
{
	Money		money = expected_money(ranking);
	double		profit;

	return profit_expected(ranking, &money, &profit, figure);
}

PG_FUNCTION_INFO_V1(churn_mpc_final);

/* Maximum profit of a state. */
Datum
churn_mpc_final(PG_FUNCTION_ARGS)
{
	return ranking_figure(fcinfo, mpc_figure);
}

PG_FUNCTION_INFO_V1(churn_mpc_share_final);

/* Share contacted at the maximum profit of a state. */
Datum
churn_mpc_share_final(PG_FUNCTION_ARGS)
{
	return ranking_figure(fcinfo, mpc_share_figure);
}

PG_FUNCTION_INFO_V1(churn_empc_final);

/* Expected maximum profit of a state. */
Datum
churn_empc_final(PG_FUNCTION_ARGS)
{
	return ranking_figure(fcinfo, empc_figure);
}

PG_FUNCTION_INFO_V1(churn_empc_share_final);

/* Expected share contacted of a state. */
Datum
churn_empc_share_final(PG_FUNCTION_ARGS)
{
	return ranking_figure(fcinfo, empc_share_figure);
}
