/*-------------------------------------------------------------------------
 *
 * history_read.c
 *	  Questions to a stored history: first and last day, numbers of events
 *	  and days, money, kinds, and all of it as rows.
 *
 * A kind of NULL means all kinds, a date of NULL no bound.  A kind that the
 * history does not have has no days: dates and money are then NULL, numbers
 * 0.  Lags do not matter here; churn_before() is for what was knowable.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/memutils.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "history/history_state.h"
#include "history/history_sum.h"

/* Which entries are asked for */
typedef struct Question
{
	const char *kind;			/* NULL: all */
	uint32		kind_bytes;
	DateADT		since;
	DateADT		before;
} Question;

/* Start to read the history that is argument 0. */
static void
open_argument(FunctionCallInfo fcinfo, HistoryReader *reader)
{
	struct varlena *history = PG_GETARG_VARLENA_PP(0);

	history_reader_open(reader, VARDATA_ANY(history),
						VARSIZE_ANY_EXHDR(history));
}

/* Stop reading; an error when that was because of damage. */
static void
close_reader(const HistoryReader *reader)
{
	if (reader->damage)
		history_damaged(reader->damage);
}

/* Read the arguments kind, since, before, as far as there are any. */
static void
read_question(FunctionCallInfo fcinfo, Question *question)
{
	question->kind = NULL;
	question->kind_bytes = 0;
	question->since = DATEVAL_NOBEGIN;
	question->before = DATEVAL_NOEND;
	if (PG_NARGS() > 1 && !PG_ARGISNULL(1))
	{
		text	   *kind = PG_GETARG_TEXT_PP(1);

		question->kind = VARDATA_ANY(kind);
		question->kind_bytes = VARSIZE_ANY_EXHDR(kind);
	}
	if (PG_NARGS() > 2 && !PG_ARGISNULL(2))
		question->since = PG_GETARG_DATEADT(2);
	if (PG_NARGS() > 3 && !PG_ARGISNULL(3))
		question->before = PG_GETARG_DATEADT(3);
}

/* Whether the reader stands at a kind that is asked for. */
static bool
is_asked_kind(const HistoryReader *reader, const Question *question)
{
	return question->kind == NULL ||
		(reader->kind_bytes == question->kind_bytes &&
		 memcmp(reader->kind, question->kind, question->kind_bytes) == 0);
}

/*
 * Read the next entry that is asked for; false at the end of the history.
 * The entries of a kind come in order of days.
 */
static bool
next_asked(HistoryReader *reader, const Question *question,
		   HistoryEntry *entry)
{
	for (;;)
	{
		while (history_reader_entry(reader, entry))
			if (is_asked_kind(reader, question) &&
				entry->day >= question->since &&
				entry->day < question->before)
				return true;
		CHECK_FOR_INTERRUPTS();
		if (!history_reader_kind(reader))
		{
			close_reader(reader);
			return false;
		}
	}
}

/* First or last day of a kind */
static Datum
edge_day(FunctionCallInfo fcinfo, bool last)
{
	Question	question;
	HistoryReader reader;
	HistoryEntry entry;
	bool		found = false;
	int32		day = 0;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	read_question(fcinfo, &question);
	open_argument(fcinfo, &reader);
	while (next_asked(&reader, &question, &entry))
	{
		if (!found || (last ? entry.day > day : entry.day < day))
			day = entry.day;
		found = true;
	}
	if (!found)
		PG_RETURN_NULL();
	PG_RETURN_DATEADT(day);
}

PG_FUNCTION_INFO_V1(churn_first_day);
Datum
churn_first_day(PG_FUNCTION_ARGS)
{
	return edge_day(fcinfo, false);
}

PG_FUNCTION_INFO_V1(churn_last_day);
Datum
churn_last_day(PG_FUNCTION_ARGS)
{
	return edge_day(fcinfo, true);
}

/* Number of events */
PG_FUNCTION_INFO_V1(churn_event_count);
Datum
churn_event_count(PG_FUNCTION_ARGS)
{
	Question	question;
	HistoryReader reader;
	HistoryEntry entry;
	HistorySum	sum;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	read_question(fcinfo, &question);
	open_argument(fcinfo, &reader);
	history_sum_init(&sum);
	while (next_asked(&reader, &question, &entry))
		history_sum_add(&sum, &entry);
	PG_RETURN_INT64(sum.count);
}

/* Exact sum of money; NULL when no event carried any */
PG_FUNCTION_INFO_V1(churn_amount);
Datum
churn_amount(PG_FUNCTION_ARGS)
{
	Question	question;
	HistoryReader reader;
	HistoryEntry entry;
	HistorySum	sum;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	read_question(fcinfo, &question);
	open_argument(fcinfo, &reader);
	history_sum_init(&sum);
	while (next_asked(&reader, &question, &entry))
		history_sum_add(&sum, &entry);
	if (!sum.has_amount)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(history_sum_amount(&sum));
}

/* Order of days, for qsort(). */
static int
compare_days(const void *left, const void *right)
{
	int32		a = *(const int32 *) left;
	int32		b = *(const int32 *) right;

	return (a > b) - (a < b);
}

/* Number of different days; kinds are in turn, so days repeat */
PG_FUNCTION_INFO_V1(churn_day_count);
Datum
churn_day_count(PG_FUNCTION_ARGS)
{
	Question	question;
	HistoryReader reader;
	HistoryEntry entry;
	int32	   *days;
	Size		room = 64;
	Size		ndays = 0;
	int64		different = 0;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	read_question(fcinfo, &question);
	open_argument(fcinfo, &reader);
	days = palloc(room * sizeof(int32));
	while (next_asked(&reader, &question, &entry))
	{
		/* at most HISTORY_MAX_ENTRIES of them */
		if (ndays == room)
			days = repalloc(days, (room *= 2) * sizeof(int32));
		days[ndays++] = entry.day;
	}
	qsort(days, ndays, sizeof(int32), compare_days);
	for (Size i = 0; i < ndays; i++)
		different += (i == 0 || days[i] != days[i - 1]);
	pfree(days);
	PG_RETURN_INT64(different);
}

/* Names of the kinds, ascending by bytes */
PG_FUNCTION_INFO_V1(churn_kinds);
Datum
churn_kinds(PG_FUNCTION_ARGS)
{
	HistoryReader reader;
	HistoryEntry entry;
	Datum		kinds[HISTORY_MAX_KINDS];
	int			nkinds = 0;

	open_argument(fcinfo, &reader);
	while (history_reader_kind(&reader))
	{
		kinds[nkinds++] = PointerGetDatum(
			cstring_to_text_with_len((const char *) reader.kind,
									 (int) reader.kind_bytes));
		while (history_reader_entry(&reader, &entry))
			;
	}
	close_reader(&reader);
	PG_RETURN_ARRAYTYPE_P(construct_array(kinds, nkinds, TEXTOID, -1, false,
										  TYPALIGN_INT));
}

/* Names of the kinds with an amount in some entry, ascending by bytes */
PG_FUNCTION_INFO_V1(churn_amount_kinds);
Datum
churn_amount_kinds(PG_FUNCTION_ARGS)
{
	HistoryReader reader;
	HistoryEntry entry;
	Datum		kinds[HISTORY_MAX_KINDS];
	int			nkinds = 0;

	open_argument(fcinfo, &reader);
	while (history_reader_kind(&reader))
	{
		bool		paid = false;

		while (history_reader_entry(&reader, &entry))
			paid |= entry.has_amount;
		if (paid)
			kinds[nkinds++] = PointerGetDatum(
				cstring_to_text_with_len((const char *) reader.kind,
										 (int) reader.kind_bytes));
	}
	close_reader(&reader);
	PG_RETURN_ARRAYTYPE_P(construct_array(kinds, nkinds, TEXTOID, -1, false,
										  TYPALIGN_INT));
}

/* What churn_history_rows() keeps between its rows */
typedef struct RowsState
{
	HistoryReader reader;
	HistorySum	sum;			/* of the current entry */
} RowsState;

/* Set up churn_history_rows(): the history lives as long as the call. */
static void
rows_begin(FunctionCallInfo fcinfo)
{
	FuncCallContext *call = SRF_FIRSTCALL_INIT();
	MemoryContext old = MemoryContextSwitchTo(call->multi_call_memory_ctx);
	RowsState  *state = palloc0(sizeof(RowsState));
	struct varlena *history = (struct varlena *)
		PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(0));

	if (get_call_result_type(fcinfo, NULL, &call->tuple_desc) !=
		TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	call->tuple_desc = BlessTupleDesc(call->tuple_desc);
	history_reader_open(&state->reader, VARDATA_ANY(history),
						VARSIZE_ANY_EXHDR(history));
	call->user_fctx = state;
	MemoryContextSwitchTo(old);
}

/* One row of churn_history_rows() */
static Datum
rows_make(FuncCallContext *call, const HistoryEntry *entry)
{
	RowsState  *state = call->user_fctx;
	Datum		values[5];
	bool		nulls[5] = {false};

	history_sum_reset(&state->sum);
	history_sum_add(&state->sum, entry);
	values[0] = DateADTGetDatum(entry->day);
	values[1] = PointerGetDatum(
		cstring_to_text_with_len((const char *) state->reader.kind,
								 (int) state->reader.kind_bytes));
	values[2] = Int32GetDatum(entry->lag);
	values[3] = Int64GetDatum(entry->count);
	nulls[4] = !entry->has_amount;
	values[4] = nulls[4] ? (Datum) 0 :
		Float8GetDatum(history_sum_amount(&state->sum));
	return HeapTupleGetDatum(heap_form_tuple(call->tuple_desc, values, nulls));
}

/* The entries as rows, by kind, day, lag */
PG_FUNCTION_INFO_V1(churn_history_rows);
Datum
churn_history_rows(PG_FUNCTION_ARGS)
{
	static const Question everything = {NULL, 0, DATEVAL_NOBEGIN,
	DATEVAL_NOEND};
	FuncCallContext *call;
	RowsState  *state;
	HistoryEntry entry;

	if (SRF_IS_FIRSTCALL())
		rows_begin(fcinfo);
	call = SRF_PERCALL_SETUP();
	state = call->user_fctx;
	if (!next_asked(&state->reader, &everything, &entry))
		SRF_RETURN_DONE(call);
	SRF_RETURN_NEXT(call, rows_make(call, &entry));
}
