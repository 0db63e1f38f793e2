/*-------------------------------------------------------------------------
 *
 * sum.h
 *	  Compensated summation, so that a figure over millions of rows keeps
 *	  some fifteen digits.
 *
 * Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher
 * Summen", ZAMM 54, 1974.  The result depends on the order of the terms: the
 * callers of this layer add in the order of the scores, never of the rows.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_SUM_H
#define CHURN_SUM_H

#include <math.h>

typedef struct Sum
{
	double		total;
	double		lost;			/* what rounding took from total */
} Sum;

/* Add one term. */
static inline void
sum_add(Sum *sum, double term)
{
	double		total = sum->total + term;

	if (fabs(sum->total) >= fabs(term))
		sum->lost += (sum->total - total) + term;
	else
		sum->lost += (term - total) + sum->total;
	sum->total = total;
}

/* The sum; once a term was infinite, "lost" means nothing. */
static inline double
sum_value(const Sum *sum)
{
	return isfinite(sum->total) ? sum->total + sum->lost : sum->total;
}

#endif							/* CHURN_SUM_H */
