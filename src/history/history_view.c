/*-------------------------------------------------------------------------
 *
 * history_view.c
 *	  What readers see of a history: days in order, lags merged.
 *
 * Money of a day is added exactly over its lags and rounded once, so that it
 * does not show how the events arrived.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "storage/shmem.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "history/history.h"
#include "history/history_state.h"
#include "history/history_sum.h"

/* Make a sum empty. */
void
history_sum_init(HistorySum *sum)
{
	memset(sum, 0, sizeof(*sum));
}

/* Forget what was added. */
void
history_sum_reset(HistorySum *sum)
{
	sum->count = 0;
	sum->cents = 0;
	sum->has_amount = false;
	dyadic_reset(&sum->rest);
}

/* Add an entry. */
void
history_sum_add(HistorySum *sum, const HistoryEntry *entry)
{
	if (entry->count > PG_INT64_MAX - sum->count)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("number of events of a history is out of range")));
	sum->count += entry->count;
	sum->has_amount |= entry->has_amount;
	sum->cents += entry->cents;
	if (entry->has_dyadic)
		dyadic_add_encoded(&sum->rest, &entry->dyadic);
}

/* The money of a sum as a float8; 22003 when it is none. */
double
history_sum_amount(const HistorySum *sum)
{
	double		amount = amount_round(sum->cents, &sum->rest);

	if (!isfinite(amount))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("sum of amounts of a history is out of range")));
	return amount;
}

/* Arrays of a kind for at most so many days, in one chunk. */
static void
view_allocate(KindView *view, const char *kind, uint32 kind_bytes,
			  uint32 ndays)
{
	Size		per_day = sizeof(int64) + sizeof(double) + sizeof(int32) +
		sizeof(bool);
	Size		bytes = add_size(mul_size(ndays, per_day), kind_bytes + 1);
	char	   *chunk = palloc_extended(bytes, MCXT_ALLOC_HUGE);

	view->ndays = 0;
	view->count = (int64 *) chunk;
	view->amount = (double *) (view->count + ndays);
	view->day = (int32 *) (view->amount + ndays);
	view->has_amount = (bool *) (view->day + ndays);
	view->kind = (char *) (view->has_amount + ndays);
	memcpy((char *) view->kind, kind, kind_bytes);
	((char *) view->kind)[kind_bytes] = '\0';
}

/* Append the day whose entries are in "sum", and empty the sum. */
static inline void
view_append(KindView *view, int32 day, HistorySum *sum)
{
	int			i = view->ndays++;

	view->day[i] = day;
	view->count[i] = sum->count;
	view->has_amount[i] = sum->has_amount;
	view->amount[i] = sum->has_amount ? history_sum_amount(sum) : 0;
	history_sum_reset(sum);
}

/* Whether a reader sees an entry. */
static inline bool
is_visible(const HistoryEntry *entry, DateADT from, DateADT until,
		   HistoryKnowledge knowledge)
{
	if (entry->day < from || entry->day >= until)
		return false;
	return knowledge == HISTORY_HINDSIGHT || until == DATEVAL_NOEND ||
		(int64) entry->day + entry->lag < until;
}

/* Read the entries of one kind into its view. */
static void
view_kind(HistoryReader *reader, KindView *view, HistorySum *sum,
		  DateADT from, DateADT until, HistoryKnowledge knowledge)
{
	HistoryEntry entry;
	int32		day = 0;

	while (history_reader_entry(reader, &entry))
	{
		if (!is_visible(&entry, from, until, knowledge))
			continue;
		if (sum->count > 0 && entry.day != day)
			view_append(view, day, sum);
		day = entry.day;
		history_sum_add(sum, &entry);
	}
	if (sum->count > 0)
		view_append(view, day, sum);
}

/* See history.h. */
HistoryView *
history_view(Datum history, DateADT from, DateADT until,
			 HistoryKnowledge knowledge)
{
	struct varlena *value = PG_DETOAST_DATUM_PACKED(history);
	HistoryView *view = palloc(sizeof(HistoryView));
	HistoryReader reader;
	HistorySum	sum;

	history_sum_init(&sum);
	history_reader_open(&reader, VARDATA_ANY(value),
						VARSIZE_ANY_EXHDR(value));
	view->nkinds = 0;
	view->kinds = palloc((reader.kinds_left + 1) * sizeof(KindView));
	while (history_reader_kind(&reader))
	{
		KindView   *kind = &view->kinds[view->nkinds];

		CHECK_FOR_INTERRUPTS();
		view_allocate(kind, (const char *) reader.kind, reader.kind_bytes,
					  reader.entries);
		view_kind(&reader, kind, &sum, from, until, knowledge);
		if (kind->ndays > 0)
			view->nkinds++;
		else
			pfree(kind->count);
	}
	if (reader.damage)
		history_damaged(reader.damage);
	if (value != (struct varlena *) DatumGetPointer(history))
		pfree(value);
	return view;
}
