/*-------------------------------------------------------------------------
 *
 * quantile.h
 *	  Distribution functions and their inverses.  Free of the server.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_QUANTILE_H
#define CHURN_QUANTILE_H

#define NORMAL_975	1.959963984540054	/* two-sided 95 % of the normal */

extern double normal_cdf(double x);
extern double normal_two_sided(double z);
extern double normal_quantile(double p);
extern double chi_square_upper(double x, double df);
extern double chi_square_quantile(double p, double df);
extern double beta_cdf(double x, double a, double b);
extern double kolmogorov_upper(double x);
extern double kolmogorov_quantile(double p);

#endif							/* CHURN_QUANTILE_H */
