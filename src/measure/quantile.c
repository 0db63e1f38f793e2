/*-------------------------------------------------------------------------
 *
 * quantile.c
 *	  The normal, chi-square, beta and Kolmogorov distributions.
 *
 * Incomplete gamma and beta functions by power series and by continued
 * fractions evaluated with Lentz's method (Lentz 1976; Thompson and Barnett,
 * J. Comput. Phys. 64, 1986), each where it converges fast: Abramowitz and
 * Stegun 6.5.29, 6.5.31, 26.5.8.  Quantiles by Newton steps kept inside a
 * bracket.  Relative error about 1e-13 for the arguments met here (degrees of
 * freedom and shapes up to some thousands).
 *
 *-------------------------------------------------------------------------
 */
#include "measure/quantile.h"

#include <math.h>

#define MAX_STEPS	100000		/* of a series; it ends long before */
#define EPSILON		1e-16		/* a term that changes nothing any more */
#define TINY		1e-300		/* Lentz: instead of a zero denominator */

/* Standard normal distribution function. */
double
normal_cdf(double x)
{
	return 0.5 * erfc(-x / M_SQRT2);
}

/* Probability of a standard normal at least as far from 0 as z. */
double
normal_two_sided(double z)
{
	return erfc(fabs(z) / M_SQRT2);
}

/* Standard normal density. */
static double
normal_density(double x)
{
	return exp(-0.5 * x * x) / sqrt(2 * M_PI);
}

/*
 * Standard normal quantile, 0 < p < 1: the rational start of Abramowitz and
 * Stegun 26.2.23 (error below 4.5e-4), then Halley steps.
 */
double
normal_quantile(double p)
{
	double		tail = p < 0.5 ? p : 1 - p;
	double		t = sqrt(-2 * log(tail));
	double		x;

	x = -(t - (2.515517 + t * (0.802853 + t * 0.010328)) /
		  (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))));
	for (int i = 0; i < 4; i++)
	{
		double		step = (normal_cdf(x) - tail) / normal_density(x);

		x -= step / (1 + 0.5 * x * step);
	}
	return p < 0.5 ? x : -x;
}

/* Lower regularised incomplete gamma by its series; x < a + 1. */
static double
gamma_lower_series(double a, double x)
{
	double		term = 1 / a;
	double		sum = term;

	for (int i = 1; i < MAX_STEPS; i++)
	{
		term *= x / (a + i);
		sum += term;
		if (term < sum * EPSILON)
			break;
	}
	return sum * exp(a * log(x) - x - lgamma(a));
}

/* Upper regularised incomplete gamma by continued fraction; x >= a + 1. */
static double
gamma_upper_fraction(double a, double x)
{
	double		b = x + 1 - a;
	double		c = 1 / TINY;
	double		d = 1 / b;
	double		h = d;

	for (int i = 1; i < MAX_STEPS; i++)
	{
		double		numerator = -i * (i - a);
		double		factor;

		b += 2;
		d = numerator * d + b;
		d = 1 / (fabs(d) < TINY ? TINY : d);
		c = b + numerator / c;
		c = fabs(c) < TINY ? TINY : c;
		factor = d * c;
		h *= factor;
		if (fabs(factor - 1) < EPSILON * 10)
			break;
	}
	return h * exp(a * log(x) - x - lgamma(a));
}

/* Probability that a chi-square with df degrees of freedom exceeds x. */
double
chi_square_upper(double x, double df)
{
	double		a = df / 2;

	if (x <= 0)
		return 1;
	if (isinf(x))
		return 0;
	x /= 2;
	if (x < a + 1)
		return 1 - gamma_lower_series(a, x);
	return gamma_upper_fraction(a, x);
}

/* Density of the chi-square distribution. */
static double
chi_square_density(double x, double df)
{
	return exp((df / 2 - 1) * log(x) - x / 2 - df / 2 * log(2) -
			   lgamma(df / 2));
}

/*
 * Chi-square quantile, 0 < p < 1: the start of Wilson and Hilferty (1931),
 * then Newton steps, halved towards the bracket where they leave it.
 */
double
chi_square_quantile(double p, double df)
{
	double		c = 2 / (9 * df);
	double		cube = 1 - c + normal_quantile(p) * sqrt(c);
	double		low = 0;
	double		high = INFINITY;
	double		x = cube > 0 ? df * cube * cube * cube : 0;

	if (x < df * 1e-3)
		x = 2 * exp((log(p) + lgamma(df / 2 + 1)) / (df / 2));
	for (int i = 0; i < 200; i++)
	{
		double		error = (1 - p) - chi_square_upper(x, df);
		double		next;

		if (error > 0)
			high = x;
		else
			low = x;
		next = x - error / chi_square_density(x, df);
		if (!(next > low && next < high))
			next = isinf(high) ? 2 * x : (low + high) / 2;
		if (fabs(next - x) <= 1e-15 * x)
			return next;
		x = next;
	}
	return x;
}

/* Continued fraction of the incomplete beta function. */
static double
beta_fraction(double x, double a, double b)
{
	double		c = 1;
	double		d = 1 - (a + b) * x / (a + 1);
	double		h;

	d = 1 / (fabs(d) < TINY ? TINY : d);
	h = d;
	for (int i = 1; i < MAX_STEPS; i++)
	{
		double		even = i * (b - i) * x / ((a + 2 * i - 1) * (a + 2 * i));
		double		odd = -(a + i) * (a + b + i) * x /
			((a + 2 * i) * (a + 2 * i + 1));
		double		before = h;

		d = 1 + even * d;
		d = 1 / (fabs(d) < TINY ? TINY : d);
		c = 1 + even / c;
		c = fabs(c) < TINY ? TINY : c;
		h *= d * c;
		d = 1 + odd * d;
		d = 1 / (fabs(d) < TINY ? TINY : d);
		c = 1 + odd / c;
		c = fabs(c) < TINY ? TINY : c;
		h *= d * c;
		if (fabs(h - before) < EPSILON * 10 * fabs(h))
			break;
	}
	return h;
}

/* Distribution function of Beta(a, b). */
double
beta_cdf(double x, double a, double b)
{
	double		front;

	if (x <= 0)
		return 0;
	if (x >= 1)
		return 1;
	front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) +
				a * log(x) + b * log1p(-x));
	if (x < (a + 1) / (a + b + 2))
		return front * beta_fraction(x, a, b) / a;
	return 1 - front * beta_fraction(1 - x, b, a) / b;
}

/*
 * Probability that the Kolmogorov statistic exceeds x (Kolmogorov 1933): for
 * small x the theta function's other series, which converges there.
 */
double
kolmogorov_upper(double x)
{
	double		sum = 0;

	if (x <= 0)
		return 1;
	if (x < 1.18)
	{
		double		y = exp(-M_PI * M_PI / (8 * x * x));

		sum = y + pow(y, 9) + pow(y, 25) + pow(y, 49);
		return 1 - sqrt(2 * M_PI) / x * sum;
	}
	for (int i = 1; i <= 10; i++)
		sum += (i % 2 ? 2 : -2) * exp(-2.0 * i * i * x * x);
	return sum;
}

/* Value that the Kolmogorov statistic exceeds with probability 1 - p. */
double
kolmogorov_quantile(double p)
{
	double		low = 0;
	double		high = 10;

	for (int i = 0; i < 100; i++)
	{
		double		middle = (low + high) / 2;

		if (kolmogorov_upper(middle) > 1 - p)
			low = middle;
		else
			high = middle;
	}
	return (low + high) / 2;
}
