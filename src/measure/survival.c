/*-------------------------------------------------------------------------
 *
 * survival.c
 *	  Durations that ended and durations that are still open: counts by day,
 *	  and the Kaplan-Meier curve over them.
 *
 * churn_survival(duration, event [, times]) counts, for each number of days,
 * how many durations ended then (event) and how many were last seen then (not
 * event: right-censored).  Its state and its result are one value, bigint[][] with a
 * row {ended, open} a day from day 0 on: a value that is dumped, copied and
 * merged by adding, whose size depends on the longest duration alone.  Order
 * does not matter.  Rows with NULL are ignored; no row gives NULL.
 *
 * Kaplan and Meier, JASA 53, 1958: with n_t durations of at least t days of
 * which d_t end on day t,
 *
 *	  S(t) = prod over s <= t of (1 - d_s / n_s)
 *
 * What is open at t counts as at risk on day t.  Greenwood's variance:
 *
 *	  Var log S(t) = sum over s <= t of d_s / (n_s (n_s - d_s))
 *
 * The band is that of log(-log S), which stays inside [0, 1]: S^exp(-+ z se)
 * with se = sqrt(Var log S) / |log S| (Kalbfleisch and Prentice, 1980); it is
 * not defined where S is 0 or 1.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/int.h"
#include "utils/array.h"

#include "measure/figures.h"
#include "measure/quantile.h"
#include "measure/sum.h"

#define SURVIVAL_MAX_DAYS	36500	/* longest duration */
#define SURVIVAL_FIRST_DAYS	64	/* days that a new state has room for */

/* What became of the durations of one length */
typedef struct DayCounts
{
	int64		ended;
	int64		open;
} DayCounts;

static inline DayCounts *
survival_days(ArrayType *state)
{
	return (DayCounts *) ARR_DATA_PTR(state);
}

static inline int
survival_length(ArrayType *state)
{
	return ARR_NDIM(state) == 0 ? 0 : ARR_DIMS(state)[0];
}

/* An array of so many days, beginning with a copy of "from" (may be NULL). */
static ArrayType *
survival_create(int days, ArrayType *from)
{
	Size		header = ARR_OVERHEAD_NONULLS(2);
	Size		size = header + days * sizeof(DayCounts);
	ArrayType  *state = palloc0(size);

	Assert(days <= SURVIVAL_MAX_DAYS + 1);
	SET_VARSIZE(state, size);
	state->ndim = 2;
	state->elemtype = INT8OID;
	ARR_DIMS(state)[0] = days;
	ARR_DIMS(state)[1] = 2;
	ARR_LBOUND(state)[0] = 1;
	ARR_LBOUND(state)[1] = 1;
	if (from != NULL)
		memcpy(survival_days(state), survival_days(from),
			   Min(days, survival_length(from)) * sizeof(DayCounts));
	return state;
}

/* Refuse an array that is not of pairs; empty is fine. */
static ArrayType *
survival_check_shape(ArrayType *array)
{
	if (ARR_ELEMTYPE(array) != INT8OID || ARR_HASNULL(array) ||
		(ARR_NDIM(array) != 0 &&
		 (ARR_NDIM(array) != 2 || ARR_DIMS(array)[1] != 2)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("counts of durations must be an array of pairs {ended, open} without NULL"),
				 errhint("churn_survival(duration, event) makes it.")));
	return array;
}

/* Refuse an array that no churn_survival made. */
static ArrayType *
survival_check(ArrayType *array)
{
	int			days = survival_length(survival_check_shape(array));
	int64		total = 0;

	if (days > SURVIVAL_MAX_DAYS + 1)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("counts of durations reach to day %d, beyond %d",
						days - 1, SURVIVAL_MAX_DAYS)));
	for (int i = 0; i < days; i++)
	{
		DayCounts	day = survival_days(array)[i];

		if (day.ended < 0 || day.open < 0 ||
			day.ended > PG_INT64_MAX / 4 - total ||
			day.open > PG_INT64_MAX / 4 - total - day.ended)
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("counts of durations are negative or too large on day %d",
							i)));
		total += day.ended + day.open;
	}
	return array;
}

/* A duration within the limit. */
static int32
survival_duration(int32 days)
{
	if (days < 0 || days > SURVIVAL_MAX_DAYS)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("a duration must be between 0 and %d days, not %d",
						SURVIVAL_MAX_DAYS, days)));
	return days;
}

/* How often a row counts. */
static int64
survival_times(int64 times)
{
	if (times < 0)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("a number of durations must not be negative, but is %lld",
						(long long) times)));
	return times;
}

/* Add to a count; the sum over all days is checked at the end. */
static void
survival_add(int64 *count, int64 times)
{
	if (pg_add_s64_overflow(*count, times, count))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("too many durations to count")));
}

PG_FUNCTION_INFO_V1(churn_survival_trans);

/*
 * (state, duration, event [, times]).  The state is changed in place, and
 * replaced by one of twice the length when a longer duration comes.
 */
Datum
churn_survival_trans(PG_FUNCTION_ARGS)
{
	ArrayType  *state = PG_ARGISNULL(0) ? NULL :
		survival_check_shape(PG_GETARG_ARRAYTYPE_P(0));
	int64		times = 1;
	int32		days;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "transition function called outside an aggregate");
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) ||
		(PG_NARGS() > 3 && PG_ARGISNULL(3)))
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	days = survival_duration(PG_GETARG_INT32(1));
	if (PG_NARGS() > 3)
		times = survival_times(PG_GETARG_INT64(3));
	if (state == NULL || days >= survival_length(state))
		state = survival_create(Min(Max(SURVIVAL_FIRST_DAYS, 2 * (days + 1)),
									SURVIVAL_MAX_DAYS + 1), state);
	if (PG_GETARG_BOOL(2))
		survival_add(&survival_days(state)[days].ended, times);
	else
		survival_add(&survival_days(state)[days].open, times);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(churn_survival_combine);

/* Add the second state to the first; STRICT. */
Datum
churn_survival_combine(PG_FUNCTION_ARGS)
{
	ArrayType  *into = survival_check_shape(PG_GETARG_ARRAYTYPE_P(0));
	ArrayType  *from = PG_GETARG_ARRAYTYPE_P(1);

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "combine function called outside an aggregate");
	/* states travel as text or binary arrays, so they are checked */
	survival_check(from);
	if (survival_length(from) > survival_length(into))
		into = survival_create(survival_length(from), into);
	for (int i = 0; i < survival_length(from); i++)
	{
		survival_add(&survival_days(into)[i].ended,
					 survival_days(from)[i].ended);
		survival_add(&survival_days(into)[i].open,
					 survival_days(from)[i].open);
	}
	PG_RETURN_POINTER(into);
}

PG_FUNCTION_INFO_V1(churn_survival_final);

/* The counts up to the longest duration. */
Datum
churn_survival_final(PG_FUNCTION_ARGS)
{
	ArrayType  *state = survival_check(PG_GETARG_ARRAYTYPE_P(0));
	int			days = survival_length(state);

	while (days > 0 && survival_days(state)[days - 1].ended == 0 &&
		   survival_days(state)[days - 1].open == 0)
		days--;
	if (days == 0)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(survival_create(days, state));
}

/* The Kaplan-Meier estimate as it goes through the days */
typedef struct Survival
{
	int64		at_risk;		/* durations of at least this many days */
	double		share;			/* S */
	Sum			variance;		/* Var log S; not defined where S is 0 */
} Survival;

/* Go through one day. */
static void
survival_step(Survival *survival, const DayCounts *day)
{
	double		at_risk = (double) survival->at_risk;
	double		ended = (double) day->ended;

	if (day->ended == 0)
		return;
	survival->share *= (at_risk - ended) / at_risk;
	if (day->ended < survival->at_risk)
		sum_add(&survival->variance, ended / (at_risk * (at_risk - ended)));
}

/* Append standard error of S, lower and upper bound. */
static void
put_band(Figures *figures, const Survival *survival, double z)
{
	double		s = survival->share;
	double		error = sqrt(sum_value(&survival->variance));
	bool		inside = s > 0 && s < 1;
	double		width = inside ? z * error / fabs(log(s)) : 0;

	figures_put_if(figures, s > 0, s * error);
	figures_put_if(figures, inside, inside ? pow(s, exp(width)) : 0);
	figures_put_if(figures, inside, inside ? pow(s, exp(-width)) : 0);
}

PG_FUNCTION_INFO_V1(churn_survival_curve);

/* (counts, level): a row a day from 0 to the longest duration. */
Datum
churn_survival_curve(PG_FUNCTION_ARGS)
{
	ArrayType  *counts = survival_check(PG_GETARG_ARRAYTYPE_P(0));
	double		level = PG_GETARG_FLOAT8(1);
	Survival	survival = {0, 1, {0, 0}};
	double		z;
	FigureRows	rows;

	if (!(level > 0 && level < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("level must be between 0 and 1, not %g", level)));
	z = normal_quantile((1 + level) / 2);
	figure_rows_begin(&rows, fcinfo);
	for (int i = 0; i < survival_length(counts); i++)
		survival.at_risk += survival_days(counts)[i].ended +
			survival_days(counts)[i].open;
	for (int i = 0; i < survival_length(counts); i++)
	{
		const DayCounts *day = &survival_days(counts)[i];
		Figures		figures = {0};

		survival_step(&survival, day);
		figures_put(&figures, i);
		figures_put(&figures, (double) survival.at_risk);
		figures_put(&figures, (double) day->ended);
		figures_put(&figures, (double) day->open);
		figures_put(&figures, survival.share);
		put_band(&figures, &survival, z);
		figure_rows_add(&rows, &figures);
		survival.at_risk -= day->ended + day->open;
	}
	return (Datum) 0;
}
