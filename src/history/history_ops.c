/*-------------------------------------------------------------------------
 *
 * history_ops.c
 *	  Operations on stored histories: +, churn_before, churn_since, equality
 *	  and hash.
 *
 * churn_before(h, a) keeps what was known on the morning of a: entries with
 * day < a and day + lag < a.  churn_since(h, a) keeps the days from a on.
 * Their sum is h but for the entries before a that came to light from a on.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/date.h"
#include "utils/memutils.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "history/history_state.h"

/* Two histories in one. */
PG_FUNCTION_INFO_V1(churn_history_add);
Datum
churn_history_add(PG_FUNCTION_ARGS)
{
	struct varlena *left = PG_GETARG_VARLENA_PP(0);
	struct varlena *right = PG_GETARG_VARLENA_PP(1);
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
