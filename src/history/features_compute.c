/*-------------------------------------------------------------------------
 *
 * features_compute.c
 *	  From a history to the values of a feature list.
 *
 * One pass over the days of a kind, newest first, sums counts, days and money
 * up to each cut of the list; all windows are then differences of two sums.
 * The days of "any" are the kinds' days merged.  Sums of money always run in
 * the same order (kinds by name within a day, days newest first within a cut,
 * cuts newest first), so the same history gives the same bits.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "history/features_groups.h"
#include "history/history.h"

/* Days of all kinds while they are merged; the same fields as DayList */
typedef struct DayBuffer
{
	int			n;
	int32	   *day;
	int64	   *count;
	int64	   *payments;
	double	   *amount;
	bool	   *has_amount;
} DayBuffer;

/* Sum up to each cut; the last cut is the lookback, so no day is beyond. */
static void
tally_days(FeatureInput *in)
{
	const FeatureList *list = in->list;
	const DayList *days = &in->days;
	int			i = days->n - 1;
	double		count = 0,
				payments = 0,
				amount = 0;

	in->ewma = 0;
	for (int cut = 0; cut < list->ncuts; cut++)
	{
		int32		oldest = in->as_of - list->cuts[cut];
		double		step = 0;

		for (; i >= 0 && days->day[i] >= oldest; i--)
		{
			count += days->count[i];
			payments += days->payments[i];
			step += days->amount[i];
			in->ewma += days->count[i] *
				list->decay[in->as_of - days->day[i]];
		}
		amount += step;
		in->count_cut[cut] = count;
		in->days_cut[cut] = days->n - 1 - i;
		in->payments_cut[cut] = payments;
		in->amount_cut[cut] = amount;
		in->amount_step[cut] = step;
	}
	Assert(i < 0);
}

/* What the groups need to know about a list of days */
static void
input_fill(FeatureInput *in, const FeatureList *list, DateADT as_of,
		   bool money)
{
	int			n = in->days.n;

	in->list = list;
	in->as_of = as_of;
	in->money = money;
	in->recency = n > 0 ? as_of - in->days.day[n - 1] : UNDEFINED;
	in->tenure = n > 0 ? as_of - in->days.day[0] : UNDEFINED;
	tally_days(in);
}

/* Match the kinds of the spec with those of the view; both are sorted. */
static void
find_kinds(const FeatureList *list, const HistoryView *view,
		   DateADT as_of, FeatureInput *inputs)
{
	const Spec *spec = list->spec;
	int			at = 0;

	for (int i = 0; i < spec->nkinds; i++)
	{
		int			order = -1;

		while (at < view->nkinds &&
			   (order = strcmp(view->kinds[at].kind, spec->kinds[i])) < 0)
			at++;
		memset(&inputs[i].days, 0, sizeof(DayList));
		if (at < view->nkinds && order == 0)
		{
			const KindView *kind = &view->kinds[at++];

			inputs[i].days.n = kind->ndays;
			inputs[i].days.day = kind->day;
			inputs[i].days.count = kind->count;
			inputs[i].days.payments = kind->count;
			inputs[i].days.amount = kind->amount;
			inputs[i].days.has_amount = kind->has_amount;
		}
		input_fill(&inputs[i], list, as_of, spec->has_amount[i]);
	}
}

/* Room for n days */
static void
buffer_create(DayBuffer *buffer, int n)
{
	n = Max(n, 1);
	buffer->n = 0;
	buffer->day = palloc(sizeof(int32) * n);
	buffer->count = palloc(sizeof(int64) * n);
	buffer->payments = palloc(sizeof(int64) * n);
	buffer->amount = palloc(sizeof(double) * n);
	buffer->has_amount = palloc(sizeof(bool) * n);
}

/* Copy a day to the end of a buffer. */
static inline void
buffer_append(DayBuffer *to, const DayBuffer *from, int i)
{
	int			n = to->n++;

	to->day[n] = from->day[i];
	to->count[n] = from->count[i];
	to->payments[n] = from->payments[i];
	to->amount[n] = from->amount[i];
	to->has_amount[n] = from->has_amount[i];
}

/* How a kind's money counts in "any" */
typedef struct MoneyRole
{
	bool		has_amount;
	bool		is_refund;
} MoneyRole;

/* Add a day of one kind to the end of a buffer, or to its last day. */
static inline void
buffer_add(DayBuffer *to, const DayList *days, int i, MoneyRole role)
{
	int			n = to->n - 1;

	if (n < 0 || to->day[n] != days->day[i])
	{
		n = to->n++;
		to->day[n] = days->day[i];
		to->count[n] = 0;
		to->payments[n] = 0;
		to->amount[n] = 0;
		to->has_amount[n] = false;
	}
	if (days->count[i] > PG_INT64_MAX - to->count[n])
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("number of events of a history is out of range")));
	to->count[n] += days->count[i];
	if (!role.has_amount)
		return;
	/* at most the events */
	to->payments[n] += days->count[i];
	to->amount[n] += role.is_refund ? -fabs(days->amount[i]) : days->amount[i];
	to->has_amount[n] |= days->has_amount[i];
}

/* Merge a kind's days with those merged so far into an empty buffer. */
static void
buffer_merge(DayBuffer *to, const DayBuffer *from, const DayList *days,
			 MoneyRole role)
{
	int			a = 0,
				b = 0;

	to->n = 0;
	while (a < from->n || b < days->n)
	{
		if (b >= days->n ||
			(a < from->n && from->day[a] <= days->day[b]))
			buffer_append(to, from, a++);
		else
			buffer_add(to, days, b++, role);
	}
}

/*
 * All kinds of the spec as one list of days.  With k kinds this costs k times
 * the days, which are at most the lookback.
 */
static void
merge_kinds(const FeatureList *list, const FeatureInput *kinds, DateADT as_of,
			FeatureInput *any)
{
	const Spec *spec = list->spec;
	DayBuffer	buffers[2];
	int			total = 0;
	int			now = 0;

	for (int i = 0; i < spec->nkinds; i++)
		total += kinds[i].days.n;
	total = Min(total, spec->lookback);
	buffer_create(&buffers[0], total);
	buffer_create(&buffers[1], total);
	for (int i = 0; i < spec->nkinds; i++)
	{
		MoneyRole	role = {spec->has_amount[i], spec->is_refund[i]};

		if (kinds[i].days.n == 0)
			continue;
		buffer_merge(&buffers[1 - now], &buffers[now], &kinds[i].days, role);
		now = 1 - now;
	}
	any->days.n = buffers[now].n;
	any->days.day = buffers[now].day;
	any->days.count = buffers[now].count;
	any->days.payments = buffers[now].payments;
	any->days.amount = buffers[now].amount;
	any->days.has_amount = buffers[now].has_amount;
	input_fill(any, list, as_of, list->any_amount);
}

/* The groups that every kind has, in the order of features_list() */
static void
compute_kind(const FeatureInput *in, FeatureOutput *out)
{
	frequency_compute(in, out);
	if (in->money)
		money_compute(in, out);
	rhythm_compute(in, out);
	trend_compute(in, out);
}

/* The last day with an event of a key kind; DATEVAL_NOBEGIN for none */
static DateADT
last_key_day(const Spec *spec, const FeatureInput *kinds)
{
	DateADT		last = DATEVAL_NOBEGIN;

	for (int i = 0; i < spec->nkinds; i++)
	{
		int			n = kinds[i].days.n;

		if (spec->is_key[i] && n > 0)
			last = Max(last, kinds[i].days.day[n - 1]);
	}
	return last;
}

/* All values, from the inputs of the spec's kinds and of "any" */
static void
compute_all(const FeatureList *list, const FeatureInput *kinds,
			const FeatureInput *any, FeatureOutput *out)
{
	const Spec *spec = list->spec;
	DateADT		last_key = last_key_day(spec, kinds);

	for (int i = 0; i < spec->nkinds; i++)
	{
		compute_kind(&kinds[i], out);
		if (list->any_key && !spec->is_key[i])
			key_compute(&kinds[i], last_key, out);
	}
	if (list->any)
		compute_kind(any, out);
	calendar_compute(any, out);
	if (list->any)
		variety_compute(list, kinds, out);
	ratios_compute(list, kinds, out);
}

/* What was knowable of the lookback on the morning of as_of */
static HistoryView *
lookback_view(const Spec *spec, Datum history, DateADT as_of)
{
	int64		from = (int64) as_of - spec->lookback;

	if (DATE_NOT_FINITE(as_of))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("as-of date must be finite"),
				 errhint("Features are those of one morning; give a date such as current_date.")));
	if (DatumGetPointer(history) == NULL)
		return palloc0(sizeof(HistoryView));
	if (!IS_VALID_DATE(from))
		from = DATEVAL_NOBEGIN;
	return history_view(history, (DateADT) from, as_of, HISTORY_KNOWABLE);
}

/* See features.h. */
void
features_compute(const FeatureList *list, Datum history, DateADT as_of,
				 double *values, bool *nulls)
{
	int			nkinds = list->spec->nkinds;
	HistoryView *view = lookback_view(list->spec, history, as_of);
	FeatureInput *inputs = palloc(sizeof(FeatureInput) * (nkinds + 1));
	FeatureInput *any = &inputs[FEATURES_ANY(list)];
	FeatureOutput out = {0, values, nulls};

	CHECK_FOR_INTERRUPTS();
	find_kinds(list, view, as_of, inputs);
	if (list->any)
		merge_kinds(list, inputs, as_of, any);
	else
		any = &inputs[0];
	compute_all(list, inputs, any, &out);
	Assert(out.n == list->n);
}
