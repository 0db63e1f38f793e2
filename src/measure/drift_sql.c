/*-------------------------------------------------------------------------
 *
 * drift_sql.c
 *	  Entry points of drift.c: aggregates over (value, actual) and functions
 *	  over two stored distributions.
 *
 * The aggregates keep a churn_ranking: rows of the actual sample (true) are
 * its churners, rows of the expected sample (false) its stayers.  NULL when
 * either sample is empty.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/array.h"

#include "measure/bins.h"
#include "measure/drift.h"
#include "measure/figures.h"
#include "measure/metric.h"

#define DRIFT_BINS	10			/* of the aggregates by default */
#define DRIFT_LEVEL	0.95		/* of the critical values by default */

/* ---- getting the cells ---- */

/* One array of counts or shares as a palloc'd copy. */
static double *
cell_values(ArrayType *array, int *count)
{
	double	   *values;

	if (ARR_NDIM(array) != 1 || array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a distribution must be an array of one dimension without NULL")));
	*count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (*count > DRIFT_MAX_CELLS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a distribution has %d cells, more than %d",
						*count, DRIFT_MAX_CELLS)));
	values = palloc(*count * sizeof(double));
	memcpy(values, ARR_DATA_PTR(array), *count * sizeof(double));
	for (int i = 0; i < *count; i++)
		if (!isfinite(values[i]) || values[i] < 0)
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("a cell of a distribution must be finite and not negative, not %g",
							values[i])));
	return values;
}

/* The cells of two arrays; false where one adds up to 0. */
static bool
cells_from_arrays(Cells *cells, FunctionCallInfo fcinfo)
{
	int			expected;
	int			actual;

	cells->expected = cell_values(PG_GETARG_ARRAYTYPE_P(0), &expected);
	cells->actual = cell_values(PG_GETARG_ARRAYTYPE_P(1), &actual);
	if (expected != actual)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("two distributions must have the same cells, not %d and %d",
						expected, actual)));
	cells->count = expected;
	return cells_finish(cells);
}

/* The cells of an aggregate's state, whose argument is the number of bins. */
static bool
cells_from_state(Cells *cells, FunctionCallInfo fcinfo)
{
	const Ranking *ranking = ranking_sorted(PG_GETARG_DATUM(0));

	ranking_expect(ranking, 1, 1);
	if (!ranking_has_both(ranking))
		return false;
	return cells_from_ranking(cells, ranking,
							  bins_check((int) ranking->params[0]));
}

/* A level between 0 and 1, exclusive. */
static double
checked_level(double level)
{
	if (!(level > 0 && level < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("level must be between 0 and 1, not %g", level)));
	return level;
}

PG_FUNCTION_INFO_V1(churn_cells_trans);

/* (value, actual [, bins]) */
Datum
churn_cells_trans(PG_FUNCTION_ARGS)
{
	Ranking    *ranking = ranking_state(fcinfo, 1, false);
	double		bins = DRIFT_BINS;

	if (PG_NARGS() > 3)
		bins = bins_check(DatumGetInt32(ranking_argument(fcinfo, 3, "bins")));
	ranking_set_params(ranking, 1, &bins);
	return ranking_add_row(fcinfo, ranking);
}

/* ---- results ---- */

/* (psi, critical, p, bins, expected_rows, actual_rows) */
static Datum
psi_record(FunctionCallInfo fcinfo, const Cells *cells, double level)
{
	DriftTest	test;
	Figures		figures = {0};

	drift_psi_test(cells, level, &test);
	figures_put(&figures, test.statistic);
	figures_put(&figures, test.critical);
	figures_put(&figures, test.p);
	figures_put(&figures, cells->count);
	figures_put(&figures, cells->expected_total);
	figures_put(&figures, cells->actual_total);
	return figures_record(fcinfo, &figures);
}

/* (chi_square, df, critical, p) */
static Datum
chi_square_record(FunctionCallInfo fcinfo, const Cells *cells)
{
	DriftTest	test;
	Figures		figures = {0};

	drift_chi_square(cells, &test);
	figures_put(&figures, test.statistic);
	figures_put(&figures, test.df);
	figures_put(&figures, test.critical);
	figures_put(&figures, test.p);
	return figures_record(fcinfo, &figures);
}

/* (distance, critical, p, expected_rows, actual_rows) */
static Datum
ks_record(FunctionCallInfo fcinfo, double distance, double expected,
		  double actual)
{
	DriftTest	test;
	Figures		figures = {0};

	drift_ks_test(distance, expected, actual, &test);
	figures_put(&figures, test.statistic);
	figures_put(&figures, test.critical);
	figures_put(&figures, test.p);
	figures_put(&figures, expected);
	figures_put(&figures, actual);
	return figures_record(fcinfo, &figures);
}

/* ---- over two stored distributions ---- */

PG_FUNCTION_INFO_V1(churn_psi);

/* PSI of two distributions. */
Datum
churn_psi(PG_FUNCTION_ARGS)
{
	double		empty_share = PG_GETARG_FLOAT8(2);
	Cells		cells;

	if (!(empty_share > 0 && empty_share < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("empty_share must be between 0 and 1, not %g",
						empty_share)));
	if (!cells_from_arrays(&cells, fcinfo))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(drift_psi(&cells, empty_share));
}

PG_FUNCTION_INFO_V1(churn_psi_test);

/* PSI of two distributions of counts against chance. */
Datum
churn_psi_test(PG_FUNCTION_ARGS)
{
	double		level = checked_level(PG_GETARG_FLOAT8(2));
	Cells		cells;

	if (!cells_from_arrays(&cells, fcinfo))
		PG_RETURN_NULL();
	return psi_record(fcinfo, &cells, level);
}

PG_FUNCTION_INFO_V1(churn_psi_critical);

/* Critical value of the PSI for two sample sizes. */
Datum
churn_psi_critical(PG_FUNCTION_ARGS)
{
	double		expected = PG_GETARG_FLOAT8(0);
	double		actual = PG_GETARG_FLOAT8(1);
	int			bins = bins_check(PG_GETARG_INT32(2));
	double		level = checked_level(PG_GETARG_FLOAT8(3));

	if (!(expected > 0 && actual > 0) || isinf(expected) || isinf(actual))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("numbers of rows must be above 0 and finite, not %g and %g",
						expected, actual)));
	PG_RETURN_FLOAT8(drift_psi_critical(expected, actual, bins, level));
}

PG_FUNCTION_INFO_V1(churn_js_divergence);

/* Jensen-Shannon divergence of two distributions. */
Datum
churn_js_divergence(PG_FUNCTION_ARGS)
{
	Cells		cells;

	if (!cells_from_arrays(&cells, fcinfo))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(drift_js(&cells));
}

PG_FUNCTION_INFO_V1(churn_js_distance);

/* Jensen-Shannon distance of two distributions. */
Datum
churn_js_distance(PG_FUNCTION_ARGS)
{
	Cells		cells;

	if (!cells_from_arrays(&cells, fcinfo))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(sqrt(drift_js(&cells)));
}

PG_FUNCTION_INFO_V1(churn_chi_square);

/* Chi-square test of two distributions of counts. */
Datum
churn_chi_square(PG_FUNCTION_ARGS)
{
	Cells		cells;

	if (!cells_from_arrays(&cells, fcinfo))
		PG_RETURN_NULL();
	return chi_square_record(fcinfo, &cells);
}

PG_FUNCTION_INFO_V1(churn_ks_test);

/* KS distance of two distributions of counts over ordered cells. */
Datum
churn_ks_test(PG_FUNCTION_ARGS)
{
	Cells		cells;

	if (!cells_from_arrays(&cells, fcinfo))
		PG_RETURN_NULL();
	return ks_record(fcinfo, drift_cells_ks(&cells), cells.expected_total,
					 cells.actual_total);
}

/* ---- over rows ---- */

PG_FUNCTION_INFO_V1(churn_psi_final);

/* PSI of a state. */
Datum
churn_psi_final(PG_FUNCTION_ARGS)
{
	Cells		cells;

	if (!cells_from_state(&cells, fcinfo))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(drift_psi(&cells, DRIFT_EMPTY_SHARE));
}

PG_FUNCTION_INFO_V1(churn_psi_test_final);

/* PSI against chance of a state. */
Datum
churn_psi_test_final(PG_FUNCTION_ARGS)
{
	Cells		cells;

	if (!cells_from_state(&cells, fcinfo))
		PG_RETURN_NULL();
	return psi_record(fcinfo, &cells, DRIFT_LEVEL);
}

PG_FUNCTION_INFO_V1(churn_js_divergence_final);

/* Jensen-Shannon divergence of a state. */
Datum
churn_js_divergence_final(PG_FUNCTION_ARGS)
{
	Cells		cells;

	if (!cells_from_state(&cells, fcinfo))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(drift_js(&cells));
}

PG_FUNCTION_INFO_V1(churn_js_distance_final);

/* Jensen-Shannon distance of a state. */
Datum
churn_js_distance_final(PG_FUNCTION_ARGS)
{
	Cells		cells;

	if (!cells_from_state(&cells, fcinfo))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(sqrt(drift_js(&cells)));
}

PG_FUNCTION_INFO_V1(churn_chi_square_final);

/* Chi-square test of a state. */
Datum
churn_chi_square_final(PG_FUNCTION_ARGS)
{
	Cells		cells;

	if (!cells_from_state(&cells, fcinfo))
		PG_RETURN_NULL();
	return chi_square_record(fcinfo, &cells);
}

PG_FUNCTION_INFO_V1(churn_ks_test_final);

/* Two-sample KS test of a state, over the values themselves. */
Datum
churn_ks_test_final(PG_FUNCTION_ARGS)
{
	const Ranking *ranking = ranking_sorted(PG_GETARG_DATUM(0));
	double		distance;

	if (!ks_figure(ranking, &distance))
		PG_RETURN_NULL();
	return ks_record(fcinfo, distance, (double) ranking->stayers.nrows,
					 (double) ranking->churners.nrows);
}
