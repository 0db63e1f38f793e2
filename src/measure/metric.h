/*-------------------------------------------------------------------------
 *
 * metric.h
 *	  Every figure that one ranking gives, each from the file of its topic;
 *	  churn_evaluate puts them side by side.
 *
 * A function that returns bool returns false where its figure is not defined.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_METRIC_H
#define CHURN_METRIC_H

#include "measure/ranking.h"

/* An estimate with its standard error and 95 % interval */
typedef struct Estimate
{
	double		estimate;
	bool		has_error;		/* the next three are defined */
	double		error;			/* standard error */
	double		lower;
	double		upper;
} Estimate;

/* What contacting customers costs and brings, in the user's money */
typedef struct Money
{
	double		success_rate;	/* churners who stay once contacted */
	double		alpha;			/* the same as Beta(alpha, beta) */
	double		beta;
	double		value;			/* of a customer who stays */
	double		offer_cost;		/* of the incentive to whoever takes it */
	double		contact_cost;	/* of one contact */
} Money;

extern const Money profit_defaults;

/* auc.c */
extern bool auc_figure(const Ranking *ranking, double *figure);
extern bool auc_interval(const Ranking *ranking, Estimate *interval);

/* bootstrap.c: of a ranking (score, key), arguments (replicates, seed) */
extern bool bootstrap_auc(const Ranking *keyed, Estimate *interval);

/* ks.c, precision.c */
extern bool ks_figure(const Ranking *ranking, double *figure);
extern bool average_precision_figure(const Ranking *ranking, double *figure);

/* top.c: the "rows" highest scores; rows may be a fraction */
extern double top_churners(const Ranking *ranking, double rows);

/* probability.c, calibration.c */
extern bool brier_figure(const Ranking *ranking, double *figure);
extern bool log_loss_figure(const Ranking *ranking, double *figure);
extern double calibration_error(const Ranking *ranking, int nbins,
								bool by_count);
extern bool calibration_line(const Ranking *ranking, bool free_slope,
							 double *intercept, double *slope);

/* hmeasure.c; severity 0 stands for churners / stayers */
extern bool h_measure(const Ranking *ranking, double severity, double *figure);

/* profit.c */
extern bool profit_maximum(const Ranking *ranking, const Money *money,
						   double *profit, double *share);
extern bool profit_expected(const Ranking *ranking, const Money *money,
							double *profit, double *share);

#endif							/* CHURN_METRIC_H */
