/*-------------------------------------------------------------------------
 *
 * cells.c
 *	  churn_cell_counts: how the values of many features lie between cuts.
 *
 * One pass counts, for a score and for the features at given positions of an
 * array, the rows of each cell and those without a value.  Cell j holds
 * values above cut j - 1 and up to cut j, the last one what lies above all
 * cuts.  Cuts are an array of two dimensions, a row a position, ascending,
 * with NaN where a row has fewer.  Position 0 is the score.
 *
 * The state is the result: float8[positions][cuts + 2], the last column the
 * rows without a value.  Counts are exact, so order and plan do not matter.
 * NULL without rows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"

#define CELLS_MAX	1000000		/* numbers in a state */

static double *
array_numbers(ArrayType *array)
{
	return (double *) ARR_DATA_PTR(array);
}

/* Positions and cuts that belong together, or an error. */
static void
cells_check(ArrayType *positions, ArrayType *cuts)
{
	if (ARR_NDIM(positions) != 1 || ARR_NDIM(cuts) != 2 ||
		array_contains_nulls(positions) || array_contains_nulls(cuts) ||
		ARR_DIMS(cuts)[0] != ARR_DIMS(positions)[0])
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cuts must be an array of two dimensions with a row a position, without NULL")));
	if (ARR_DIMS(cuts)[0] > CELLS_MAX / (ARR_DIMS(cuts)[1] + 2))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many cells: %d positions of %d cuts",
						ARR_DIMS(cuts)[0], ARR_DIMS(cuts)[1])));
}

/* A state of zeros. */
static ArrayType *
cells_create(int npositions, int ncuts)
{
	int			dims[2] = {npositions, ncuts + 2};
	int			bounds[2] = {1, 1};
	int			n = npositions * (ncuts + 2);
	Datum	   *zeros = palloc(n * sizeof(Datum));
	ArrayType  *state;

	for (int i = 0; i < n; i++)
		zeros[i] = Float8GetDatum(0);
	state = construct_md_array(zeros, NULL, 2, dims, bounds, FLOAT8OID,
							   sizeof(double), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
	pfree(zeros);
	return state;
}

/* The cell of a value among ascending cuts, of which NaN end the list. */
static int
cell_of(double value, const double *cuts, int ncuts)
{
	int			cell = 0;

	while (cell < ncuts && !isnan(cuts[cell]) && value > cuts[cell])
		cell++;
	return cell;
}

/* The state of a call, made at its first row. */
static ArrayType *
cells_state(FunctionCallInfo fcinfo, ArrayType *positions, ArrayType *cuts)
{
	ArrayType  *state;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "transition function called outside an aggregate");
	if (PG_ARGISNULL(0))
	{
		cells_check(positions, cuts);
		return cells_create(ARR_DIMS(cuts)[0], ARR_DIMS(cuts)[1]);
	}
	state = PG_GETARG_ARRAYTYPE_P(0);
	if (ARR_NDIM(state) != 2 || ARR_NDIM(cuts) != 2 || ARR_NDIM(positions) != 1 ||
		ARR_HASNULL(state) || ARR_HASNULL(cuts) || ARR_HASNULL(positions) ||
		ARR_DIMS(state)[0] != ARR_DIMS(positions)[0] ||
		ARR_DIMS(state)[0] != ARR_DIMS(cuts)[0] ||
		ARR_DIMS(state)[1] != ARR_DIMS(cuts)[1] + 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cuts must be the same for all rows")));
	return state;
}

PG_FUNCTION_INFO_V1(churn_cell_counts_trans);

/* (score, features, positions, cuts) */
Datum
churn_cell_counts_trans(PG_FUNCTION_ARGS)
{
	ArrayType  *features;
	ArrayType  *positions;
	ArrayType  *cuts;
	ArrayType  *state;
	Datum	   *values;
	bool	   *nulls;
	int			nvalues;
	int			npositions;
	int			ncuts;
	const int32 *position;
	double	   *counts;

	for (int i = 2; i <= 4; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("features, positions and cuts must not be null")));
	features = PG_GETARG_ARRAYTYPE_P(2);
	positions = PG_GETARG_ARRAYTYPE_P(3);
	cuts = PG_GETARG_ARRAYTYPE_P(4);
	state = cells_state(fcinfo, positions, cuts);
	npositions = ARR_DIMS(cuts)[0];
	ncuts = ARR_DIMS(cuts)[1];
	position = (const int32 *) ARR_DATA_PTR(positions);
	counts = array_numbers(state);
	deconstruct_array(features, FLOAT8OID, sizeof(double), FLOAT8PASSBYVAL,
					  TYPALIGN_DOUBLE, &values, &nulls, &nvalues);
	for (int i = 0; i < npositions; i++)
	{
		bool		null;
		double		value;
		int			cell = ncuts + 1;

		if (position[i] < 0 || position[i] > nvalues)
			ereport(ERROR,
					(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
					 errmsg("position %d is not one of %d features",
							position[i], nvalues)));
		null = position[i] == 0 ? PG_ARGISNULL(1) : nulls[position[i] - 1];
		if (!null)
		{
			value = position[i] == 0 ? PG_GETARG_FLOAT8(1) :
				DatumGetFloat8(values[position[i] - 1]);
			if (!isnan(value))
				cell = cell_of(value, array_numbers(cuts) + i * ncuts, ncuts);
		}
		counts[i * (ncuts + 2) + cell]++;
	}
	pfree(values);
	pfree(nulls);
	PG_RETURN_ARRAYTYPE_P(state);
}

PG_FUNCTION_INFO_V1(churn_cell_counts_combine);

/* Add the second state to the first; neither is NULL. */
Datum
churn_cell_counts_combine(PG_FUNCTION_ARGS)
{
	ArrayType  *into = PG_GETARG_ARRAYTYPE_P(0);
	ArrayType  *from = PG_GETARG_ARRAYTYPE_P(1);
	int			n = ArrayGetNItems(ARR_NDIM(into), ARR_DIMS(into));

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "combine function called outside an aggregate");
	if (ARR_NDIM(from) != 2 || ARR_NDIM(into) != 2 || ARR_HASNULL(from) ||
		ARR_HASNULL(into) || ARR_DIMS(from)[0] != ARR_DIMS(into)[0] ||
		ARR_DIMS(from)[1] != ARR_DIMS(into)[1])
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cuts must be the same for all rows")));
	for (int i = 0; i < n; i++)
		array_numbers(into)[i] += array_numbers(from)[i];
	PG_RETURN_ARRAYTYPE_P(into);
}
