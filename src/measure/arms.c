/*-------------------------------------------------------------------------
 *
 * arms.c
 *	  Two arms of an experiment: difference of rates, split, size, and
 *	  intervals that may be looked at any time.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/array.h"

#include "measure/figures.h"
#include "measure/quantile.h"
#include "measure/sum.h"

/* Refuse anything but 0 < value < 1. */
static double
checked_fraction(double value, const char *name)
{
	if (!(value > 0 && value < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be between 0 and 1, not %g", name, value)));
	return value;
}

PG_FUNCTION_INFO_V1(churn_proportion_test);

/*
 * Two-proportion z test, pooled under the null hypothesis; the interval of
 * the difference is not pooled.  z and p are NULL where no row or every row
 * of both arms is a hit.
 */
Datum
churn_proportion_test(PG_FUNCTION_ARGS)
{
	double		hits_a = (double) PG_GETARG_INT64(0);
	double		rows_a = (double) PG_GETARG_INT64(1);
	double		hits_b = (double) PG_GETARG_INT64(2);
	double		rows_b = (double) PG_GETARG_INT64(3);
	double		rate_a = hits_a / rows_a;
	double		rate_b = hits_b / rows_b;
	double		pooled = (hits_a + hits_b) / (rows_a + rows_b);
	double		pooled_error = sqrt(pooled * (1 - pooled) *
									(1 / rows_a + 1 / rows_b));
	double		error = sqrt(rate_a * (1 - rate_a) / rows_a +
							 rate_b * (1 - rate_b) / rows_b);
	double		z = (rate_a - rate_b) / pooled_error;
	Figures		figures = {0};

	if (rows_a < 1 || rows_b < 1 || hits_a < 0 || hits_b < 0 ||
		hits_a > rows_a || hits_b > rows_b)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("hits must be between 0 and the rows of an arm: %.0f of %.0f, %.0f of %.0f",
						hits_a, rows_a, hits_b, rows_b)));
	figures_put(&figures, rate_a - rate_b);
	figures_put(&figures, error);
	figures_put(&figures, rate_a - rate_b - NORMAL_975 * error);
	figures_put(&figures, rate_a - rate_b + NORMAL_975 * error);
	figures_put_if(&figures, pooled_error > 0, z);
	figures_put_if(&figures, pooled_error > 0, normal_two_sided(z));
	return figures_record(fcinfo, &figures);
}

/* The doubles of an array of one dimension, none of them NULL or negative. */
static double *
array_doubles(ArrayType *array, int *count)
{
	double	   *values = (double *) ARR_DATA_PTR(array);

	if (ARR_NDIM(array) != 1 || array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("counts and shares must be arrays of one dimension without NULL")));
	*count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	for (int i = 0; i < *count; i++)
		if (!(values[i] >= 0) || isinf(values[i]))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("counts and shares must be finite and not negative, not %g",
							values[i])));
	return values;
}

/* Add up n values. */
static double
total(const double *values, int n)
{
	Sum			sum = {0, 0};

	for (int i = 0; i < n; i++)
		sum_add(&sum, values[i]);
	return sum_value(&sum);
}

PG_FUNCTION_INFO_V1(churn_split_test);

/*
 * Sample-ratio mismatch: chi-square of the counts of the arms against their
 * planned shares (any scale), df = arms - 1.
 */
Datum
churn_split_test(PG_FUNCTION_ARGS)
{
	int			arms;
	int			planned;
	double	   *counts = array_doubles(PG_GETARG_ARRAYTYPE_P(0), &arms);
	double	   *shares = array_doubles(PG_GETARG_ARRAYTYPE_P(1), &planned);
	double		all = total(counts, arms);
	double		whole = total(shares, planned);
	Sum			statistic = {0, 0};
	Figures		figures = {0};

	if (arms != planned || arms < 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("two or more arms with a share each are needed, not %d counts and %d shares",
						arms, planned)));
	if (all == 0)
		PG_RETURN_NULL();
	for (int i = 0; i < arms; i++)
	{
		double		expected = all * shares[i] / whole;

		if (!(expected > 0))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("share of arm %d must be above 0", i + 1)));
		sum_add(&statistic, (counts[i] - expected) * (counts[i] - expected) /
				expected);
	}
	figures_put(&figures, sum_value(&statistic));
	figures_put(&figures, arms - 1);
	figures_put(&figures, chi_square_quantile(0.95, arms - 1));
	figures_put(&figures, chi_square_upper(sum_value(&statistic), arms - 1));
	return figures_record(fcinfo, &figures);
}

PG_FUNCTION_INFO_V1(churn_users_per_arm);

/*
 * Users an arm needs so that a two-sided test finds the change of a rate with
 * the given power; variance pooled under the null hypothesis.
 */
Datum
churn_users_per_arm(PG_FUNCTION_ARGS)
{
	double		before = checked_fraction(PG_GETARG_FLOAT8(0), "base_rate");
	double		after = checked_fraction(PG_GETARG_FLOAT8(1), "new_rate");
	double		power = checked_fraction(PG_GETARG_FLOAT8(2), "power");
	double		alpha = checked_fraction(PG_GETARG_FLOAT8(3), "alpha");
	double		mean = (before + after) / 2;
	double		root;

	if (before == after)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("base_rate and new_rate are both %g", before)));
	root = normal_quantile(1 - alpha / 2) * sqrt(2 * mean * (1 - mean)) +
		normal_quantile(power) * sqrt(before * (1 - before) +
									  after * (1 - after));
	PG_RETURN_FLOAT8(root * root / ((before - after) * (before - after)));
}

PG_FUNCTION_INFO_V1(churn_sequence_rho);

/*
 * The parameter that makes an asymptotic confidence sequence tightest at a
 * given number of rows (Waudby-Smith et al., Ann. Statist. 52, 2024).
 */
Datum
churn_sequence_rho(PG_FUNCTION_ARGS)
{
	double		alpha = checked_fraction(PG_GETARG_FLOAT8(0), "alpha");
	double		rows = PG_GETARG_FLOAT8(1);
	double		log_alpha = -2 * log(alpha);

	if (!(rows >= 1) || isinf(rows))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rows must be at least 1 and finite, not %g", rows)));
	PG_RETURN_FLOAT8(sqrt((log_alpha + log(log_alpha + 1)) / rows));
}

PG_FUNCTION_INFO_V1(churn_sequence_factor);

/*
 * Half-width of the sequence after so many rows, in standard deviations
 * (equation 9 of the same).
 */
Datum
churn_sequence_factor(PG_FUNCTION_ARGS)
{
	double		alpha = checked_fraction(PG_GETARG_FLOAT8(0), "alpha");
	double		rho = PG_GETARG_FLOAT8(1);
	double		rows = PG_GETARG_FLOAT8(2);
	double		spread = rows * rho * rho;

	if (!(rho > 0) || isinf(rho) || !(rows >= 1) || isinf(rows))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rho must be above 0 and rows at least 1, not %g and %g",
						rho, rows)));
	PG_RETURN_FLOAT8(sqrt(2 * (spread + 1) / (rows * spread) *
						  log(sqrt(spread + 1) / alpha)));
}

PG_FUNCTION_INFO_V1(churn_normal_p);

/* churn_normal_p(z): two-sided p of a normal deviate */
Datum
churn_normal_p(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(normal_two_sided(PG_GETARG_FLOAT8(0)));
}
