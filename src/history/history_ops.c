/*-------------------------------------------------------------------------
 *
 * history_ops.c
 *	  Operations on stored histories: +, churn_before, churn_since,
 *	  churn_without, equality and hash.
 *
 * churn_before(h, a) keeps what was known on the morning of a: entries with
 * day < a and day + lag < a.  churn_since(h, a) keeps the days from a on.
 * Their sum is h but for the entries before a that came to light from a on.
 * churn_without(h, a, days) drops days whole, whenever their entries came to
 * light: what a refresh reads again from the events.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/date.h"
#include "utils/memutils.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "history/history.h"
#include "history/history_state.h"

/* All entries of both, in the current context. */
static struct varlena *
add(struct varlena *left, struct varlena *right)
{
	KindDictionary *kinds = kinds_create(CurrentMemoryContext);
	HistoryState *state = history_state_create(CurrentMemoryContext, kinds);
	struct varlena *result;

	state = history_state_add_encoded(state, VARDATA_ANY(left),
									  VARSIZE_ANY_EXHDR(left));
	state = history_state_add_encoded(state, VARDATA_ANY(right),
									  VARSIZE_ANY_EXHDR(right));
	result = history_state_build(state);
	pfree(state);
	kinds_free(kinds);
	return result;
}

/* Two histories in one. */
PG_FUNCTION_INFO_V1(churn_history_add);
Datum
churn_history_add(PG_FUNCTION_ARGS)
{
	struct varlena *left = PG_GETARG_VARLENA_PP(0);
	struct varlena *right = PG_GETARG_VARLENA_PP(1);
	struct varlena *result = add(left, right);

	PG_FREE_IF_COPY(left, 0);
	PG_FREE_IF_COPY(right, 1);
	PG_RETURN_POINTER(result);
}

/* Whether churn_before() or churn_since() keeps an entry. */
static inline bool
is_kept(const HistoryEntry *entry, DateADT date, bool before)
{
	if (!before)
		return entry->day >= date;
	return entry->day < date &&
		(date == DATEVAL_NOEND || (int64) entry->day + entry->lag < date);
}

/* The part of a history on one side of a date. */
static struct varlena *
cut(struct varlena *history, DateADT date, bool before)
{
	HistoryReader reader;
	HistoryWriter writer;
	HistoryEntry entry;

	history_reader_open(&reader, VARDATA_ANY(history),
						VARSIZE_ANY_EXHDR(history));
	history_writer_open(&writer, VARHDRSZ, VARSIZE_ANY_EXHDR(history) + 64,
						history_grow);
	while (history_reader_kind(&reader))
	{
		CHECK_FOR_INTERRUPTS();
		history_writer_kind(&writer, reader.kind, reader.kind_bytes);
		while (history_reader_entry(&reader, &entry))
			if (is_kept(&entry, date, before))
				history_writer_entry(&writer, &entry);
		history_writer_kind_end(&writer);
	}
	if (reader.damage)
		history_damaged(reader.damage);
	return history_writer_finish(&writer);
}

/* What was known on the morning of a date. */
PG_FUNCTION_INFO_V1(churn_before);
Datum
churn_before(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(cut(PG_GETARG_VARLENA_PP(0), PG_GETARG_DATEADT(1),
						  true));
}

/* The days from a date on. */
PG_FUNCTION_INFO_V1(churn_since);
Datum
churn_since(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(cut(PG_GETARG_VARLENA_PP(0), PG_GETARG_DATEADT(1),
						  false));
}

/* Days to be dropped: all from "since" on, and those listed, ascending. */
typedef struct DroppedDays
{
	DateADT		since;
	int			ndays;
	const DateADT *days;
} DroppedDays;

/* The entries of a history on days that are not dropped. */
static struct varlena *
without(struct varlena *history, const DroppedDays *dropped)
{
	HistoryReader reader;
	HistoryWriter writer;
	HistoryEntry entry;

	history_reader_open(&reader, VARDATA_ANY(history),
						VARSIZE_ANY_EXHDR(history));
	history_writer_open(&writer, VARHDRSZ, VARSIZE_ANY_EXHDR(history) + 64,
						history_grow);
	while (history_reader_kind(&reader))
	{
		int			next = 0;	/* first listed day not before the entry */

		CHECK_FOR_INTERRUPTS();
		history_writer_kind(&writer, reader.kind, reader.kind_bytes);
		while (history_reader_entry(&reader, &entry))
		{
			while (next < dropped->ndays && dropped->days[next] < entry.day)
				next++;
			if (entry.day < dropped->since &&
				(next == dropped->ndays || dropped->days[next] != entry.day))
				history_writer_entry(&writer, &entry);
		}
		history_writer_kind_end(&writer);
	}
	if (reader.damage)
		history_damaged(reader.damage);
	return history_writer_finish(&writer);
}

/* Order of dates, for qsort(). */
static int
compare_dates(const void *left, const void *right)
{
	DateADT		a = *(const DateADT *) left;
	DateADT		b = *(const DateADT *) right;

	return (a > b) - (a < b);
}

/* The dates of an array, ascending, NULLs left out. */
static void
dropped_days_read(DroppedDays *dropped, ArrayType *array)
{
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	DateADT    *days;

	deconstruct_array(array, DATEOID, sizeof(DateADT), true, TYPALIGN_INT,
					  &elements, &nulls, &n);
	dropped->days = days = palloc(sizeof(DateADT) * Max(n, 1));
	dropped->ndays = 0;
	for (int i = 0; i < n; i++)
		if (!nulls[i])
			days[dropped->ndays++] = DatumGetDateADT(elements[i]);
	qsort(days, dropped->ndays, sizeof(DateADT), compare_dates);
}

/* The history without some days. */
PG_FUNCTION_INFO_V1(churn_without);
Datum
churn_without(PG_FUNCTION_ARGS)
{
	DroppedDays dropped = {DATEVAL_NOEND, 0, NULL};

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (!PG_ARGISNULL(1))
		dropped.since = PG_GETARG_DATEADT(1);
	if (!PG_ARGISNULL(2))
		dropped_days_read(&dropped, PG_GETARG_ARRAYTYPE_P(2));
	PG_RETURN_POINTER(without(PG_GETARG_VARLENA_PP(0), &dropped));
}

/* See history.h. */
Datum
history_renew(Datum stored, DateADT since, Datum tail)
{
	DroppedDays dropped = {since, 0, NULL};
	struct varlena *kept = NULL;
	HistoryReader reader;

	if (stored != (Datum) 0)
	{
		kept = without((struct varlena *) PG_DETOAST_DATUM_PACKED(stored),
					   &dropped);
		if (!history_reader_open(&reader, VARDATA_ANY(kept),
								 VARSIZE_ANY_EXHDR(kept)) ||
			reader.kinds_left == 0)
			kept = NULL;
	}
	if (kept == NULL)
		return tail;
	if (tail == (Datum) 0)
		return PointerGetDatum(kept);
	return PointerGetDatum(add(kept,
							   (struct varlena *) PG_DETOAST_DATUM_PACKED(tail)));
}

/* Equal histories are equal bytes. */
static bool
is_equal(FunctionCallInfo fcinfo)
{
	struct varlena *left = PG_GETARG_VARLENA_PP(0);
	struct varlena *right = PG_GETARG_VARLENA_PP(1);
	bool		equal;

	equal = VARSIZE_ANY_EXHDR(left) == VARSIZE_ANY_EXHDR(right) &&
		memcmp(VARDATA_ANY(left), VARDATA_ANY(right),
			   VARSIZE_ANY_EXHDR(left)) == 0;
	PG_FREE_IF_COPY(left, 0);
	PG_FREE_IF_COPY(right, 1);
	return equal;
}

PG_FUNCTION_INFO_V1(churn_history_eq);
Datum
churn_history_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(is_equal(fcinfo));
}

PG_FUNCTION_INFO_V1(churn_history_ne);
Datum
churn_history_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(!is_equal(fcinfo));
}

/* Hash of the bytes */
PG_FUNCTION_INFO_V1(churn_history_hash);
Datum
churn_history_hash(PG_FUNCTION_ARGS)
{
	struct varlena *history = PG_GETARG_VARLENA_PP(0);
	Datum		hash = hash_any((unsigned char *) VARDATA_ANY(history),
								(int) VARSIZE_ANY_EXHDR(history));

	PG_FREE_IF_COPY(history, 0);
	return hash;
}

/* The same in 64 bits, with a seed */
PG_FUNCTION_INFO_V1(churn_history_hash_extended);
Datum
churn_history_hash_extended(PG_FUNCTION_ARGS)
{
	struct varlena *history = PG_GETARG_VARLENA_PP(0);
	Datum		hash;

	hash = hash_any_extended((unsigned char *) VARDATA_ANY(history),
							 (int) VARSIZE_ANY_EXHDR(history),
							 (uint64) PG_GETARG_INT64(1));
	PG_FREE_IF_COPY(history, 0);
	return hash;
}
