/*-------------------------------------------------------------------------
 *
 * standing.c
 *	  Where a user stands at an as-of date, and whether they left after it.
 *
 * Everything here looks at key days only: days with an event of a key kind
 * of the spec.  A standing sees what was knowable on the morning of as_of; an
 * outcome sees all that is known today.
 *
 * Value: money of the key kinds less refunds (by their absolute amount) of
 * the last 365 days, floored at 0, times 365 / min(365, max(90, tenure)): a
 * year's sales at the present pace, where a new user's first weeks are not
 * multiplied by more than four.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "funcapi.h"
#include "utils/builtins.h"

#include "history/standing.h"

#define VALUE_DAYS		365
#define VALUE_MIN_DAYS	90

/* The key days of a view: several kinds merged into one ascending list. */
typedef struct KeyDays
{
	int			n;
	int32	   *day;
} KeyDays;

static int
spec_kind_position(const Spec *spec, const char *kind)
{
	for (int i = 0; i < spec->nkinds; i++)
		if (strcmp(spec->kinds[i], kind) == 0)
			return i;
	return -1;
}

static int
compare_days(const void *a, const void *b)
{
	int32		x = *(const int32 *) a;
	int32		y = *(const int32 *) b;

	return (x > y) - (x < y);
}

/* Collect, sort and make unique the days of all key kinds. */
static KeyDays
key_days_collect(const HistoryView *view, const Spec *spec)
{
	KeyDays		keys = {0, NULL};
	int			total = 0;
	int			sources = 0;
	int			kept = 0;

	for (int k = 0; k < view->nkinds; k++)
		total += view->kinds[k].ndays;
	keys.day = palloc(sizeof(int32) * Max(total, 1));
	for (int k = 0; k < view->nkinds; k++)
	{
		const KindView *kind = &view->kinds[k];
		int			position = spec_kind_position(spec, kind->kind);

		if (position < 0 || !spec->is_key[position])
			continue;
		memcpy(keys.day + keys.n, kind->day, sizeof(int32) * kind->ndays);
		keys.n += kind->ndays;
		sources++;
	}
	if (sources <= 1)
		return keys;
	qsort(keys.day, keys.n, sizeof(int32), compare_days);
	for (int i = 0; i < keys.n; i++)
		if (i == 0 || keys.day[i] != keys.day[kept - 1])
			keys.day[kept++] = keys.day[i];
	keys.n = kept;
	return keys;
}

/* Median of the gaps between days, rounded to whole days; -1 without gaps. */
static int
median_gap(const KeyDays *keys)
{
	int			n = keys->n - 1;
	int32	   *gap;

	if (n < 1)
		return -1;
	gap = palloc(sizeof(int32) * n);
	for (int i = 0; i < n; i++)
		gap[i] = keys->day[i + 1] - keys->day[i];
	qsort(gap, n, sizeof(int32), compare_days);
	return n % 2 ? gap[n / 2] : (gap[n / 2 - 1] + gap[n / 2] + 1) / 2;
}

/* Was there a completed gap longer than the churn window? */
static bool
has_lapsed(const KeyDays *keys, int churn_window)
{
	for (int i = 1; i < keys->n; i++)
		if (keys->day[i] - keys->day[i - 1] > churn_window)
			return true;
	return false;
}

/* Money of key kinds less refunds in [as_of - VALUE_DAYS, as_of). */
static double
year_money(const HistoryView *view, DateADT as_of, const Spec *spec,
		   bool *has_value)
{
	double		sum = 0;

	*has_value = false;
	for (int k = 0; k < view->nkinds; k++)
	{
		const KindView *kind = &view->kinds[k];
		int			position = spec_kind_position(spec, kind->kind);
		bool		refund = position >= 0 && spec->is_refund[position];

		if (position < 0 || !(spec->is_key[position] || refund))
			continue;
		for (int i = kind->ndays - 1; i >= 0; i--)
		{
			if (!kind->has_amount[i])
				continue;
			*has_value |= !refund;
			if (kind->day[i] >= as_of - VALUE_DAYS)
				sum += refund ? -fabs(kind->amount[i]) : kind->amount[i];
		}
	}
	return Max(sum, 0);
}

/*
 * The standing of a user whose view was read as HISTORY_KNOWABLE until as_of.
 * Temporary memory comes from the current context.
 */
Standing
standing_compute(const HistoryView *view, DateADT as_of, const Spec *spec,
				 int active_window, int min_tenure)
{
	Standing	standing = {.stage = STAGE_NEVER, .median_gap = -1};
	KeyDays		keys = key_days_collect(view, spec);
	double		money;

	if (keys.n == 0)
		return standing;
	standing.key_days = keys.n;
	standing.recency = as_of - keys.day[keys.n - 1];
	standing.tenure = as_of - keys.day[0];
	standing.median_gap = median_gap(&keys);
	money = year_money(view, as_of, spec, &standing.has_value);
	standing.value = money * VALUE_DAYS /
		Min(VALUE_DAYS, Max(VALUE_MIN_DAYS, standing.tenure));

	if (standing.recency > active_window)
		standing.stage = STAGE_LAPSED;
	else if (standing.tenure < min_tenure)
		standing.stage = STAGE_YOUNG;
	else if (keys.n == 1)
		standing.stage = STAGE_NEW;
	else if (spec->churn_window > 0 && has_lapsed(&keys, spec->churn_window))
		standing.stage = STAGE_RETURNED;
	else
		standing.stage = STAGE_REPEAT;
	standing.at_risk = standing.stage >= STAGE_NEW;
	return standing;
}

const char *
standing_stage_name(Stage stage)
{
	static const char *const names[] = {
		"never", "lapsed", "young", "new", "repeat", "returned"
	};

	return names[stage];
}

/* An as-of date or a number of days that makes no sense is refused here. */
static void
check_arguments(DateADT as_of, int days, const char *name, int least)
{
	if (DATE_NOT_FINITE(as_of))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("as_of must be a finite date")));
	if (days < least || days > SPEC_MAX_DAYS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be between %d and %d days, not %d",
						name, least, SPEC_MAX_DAYS, days)));
}

PG_FUNCTION_INFO_V1(churn_standing);

/* churn_standing(history, as_of, spec, active_window, min_tenure) */
Datum
churn_standing(PG_FUNCTION_ARGS)
{
	DateADT		as_of = PG_GETARG_DATEADT(1);
	int			active_window = PG_GETARG_INT32(3);
	int			min_tenure = PG_GETARG_INT32(4);
	HistoryView *view;
	Standing	s;
	int64		next_day;
	TupleDesc	desc;
	Datum		values[7];
	bool		nulls[7];

	check_arguments(as_of, active_window, "active_window", 1);
	check_arguments(as_of, min_tenure, "min_tenure", 0);
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	view = history_view(PG_GETARG_DATUM(0), DATEVAL_NOBEGIN, as_of,
						HISTORY_KNOWABLE);
	s = standing_compute(view, as_of, spec_decode(PG_GETARG_DATUM(2)),
						 active_window, min_tenure);

	memset(nulls, s.key_days == 0, sizeof(nulls));
	nulls[0] = nulls[1] = nulls[4] = false;
	values[0] = CStringGetTextDatum(standing_stage_name(s.stage));
	values[1] = BoolGetDatum(s.at_risk);
	values[2] = Int32GetDatum(s.recency);
	values[3] = Int32GetDatum(s.tenure);
	values[4] = Int32GetDatum(s.key_days);
	values[5] = Float8GetDatum(s.value);
	nulls[5] |= !s.has_value;
	next_day = (int64) as_of - s.recency + s.median_gap;
	values[6] = DateADTGetDatum((DateADT) next_day);
	nulls[6] |= s.median_gap < 0 || !IS_VALID_DATE(next_day);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc),
													  values, nulls)));
}

PG_FUNCTION_INFO_V1(churn_outcome);

/*
 * churn_outcome(history, as_of, spec, gap): churned, that is no key day in
 * [as_of + gap, as_of + gap + churn window), by all that is known today.
 */
Datum
churn_outcome(PG_FUNCTION_ARGS)
{
	DateADT		as_of = PG_GETARG_DATEADT(1);
	int			gap = PG_GETARG_INT32(3);
	Spec	   *spec = spec_decode(PG_GETARG_DATUM(2));
	HistoryView *view;

	check_arguments(as_of, gap, "gap", 0);
	if (spec->churn_window == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the spec has no churn window"),
				 errhint("Give churn_window to churn_spec.")));
	view = history_view(PG_GETARG_DATUM(0), as_of + gap,
						as_of + gap + spec->churn_window, HISTORY_HINDSIGHT);
	PG_RETURN_BOOL(key_days_collect(view, spec).n == 0);
}
