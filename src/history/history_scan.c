/*-------------------------------------------------------------------------
 *
 * history_scan.c
 *	  Reading the log of a state in the order of the format.
 *
 * Rows are found, dealt out by kind, and each kind is sorted by (day, lag):
 * mostly they have come in order already.  Rows of one (kind, day, lag) come
 * out as one entry.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/memutils.h"

#include "history/history_scan.h"

/*
 * The slot of a kind in this scan, a new one when it is the first row of it.
 */
static inline uint32
scan_slot(LogScan *scan, uint32 number)
{
	KindDictionary *kinds = scan->state->kinds;
	Kind	   *kind = &kinds->kinds[number];

	if (kind->round != kinds->round)
	{
		if (scan->nkinds == HISTORY_MAX_KINDS)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("history exceeds the limit of %d kinds",
							HISTORY_MAX_KINDS),
					 errhint("A kind is a sort of event, such as \"order\"; a column with many values is not one.")));
		kind->round = kinds->round;
		kind->slot = scan->nkinds;
		scan->counts[scan->nkinds] = 0;
		scan->kinds[scan->nkinds++] = number;
	}
	scan->counts[kind->slot]++;
	return kind->slot;
}

/* The byte after the count and money of a row. */
static inline const uint8 *
skip_payload(const uint8 *p, const uint8 *end, uint32 flags)
{
	uint64_t	ignored;
	WideInt		wide;
	Dyadic		dyadic;

	if (flags & ROW_MANY)
		p = varint_get(p, end, &ignored);
	if (p == NULL || (flags & ROW_MONEY_MASK) == ROW_NO_MONEY)
		return p;
	if ((flags & ROW_MONEY_MASK) == ROW_DOUBLE)
		return p + sizeof(double);
	if ((flags & ROW_MONEY_MASK) == ROW_CENTS)
	{
		while (*p++ & 0x80)
			;
		return p;
	}
	if ((p = varint_get_wide(p, end, &wide)) != NULL)
		p = dyadic_parse(p, end, &dyadic);
	return p;
}

/* First pass: find the rows; the key's upper bits are the kind's slot. */
static void
scan_find(LogScan *scan)
{
	const HistoryState *state = scan->state;
	const uint8 *p = state->log;
	const uint8 *end = p + state->used;
	int64		day = 0;

	for (uint32 i = 0; i < scan->nrows; i++)
	{
		SortedRow  *row = &scan->rows[i];
		uint64_t	head,
					move,
					lag = 0;

		if ((i & 0xffff) == 0xffff)
			CHECK_FOR_INTERRUPTS();
		p = varint_get(p, end, &head);
		if (p != NULL)
			p = varint_get(p, end, &move);
		if (p != NULL && (head & ROW_LAG))
			p = varint_get(p, end, &lag);
		if (p == NULL)
			elog(ERROR, "history log is damaged");
		day += unzigzag(move);
		row->key = (uint64) scan_slot(scan, head >> ROW_FLAG_BITS) << 48 |
			(uint64) (day - HISTORY_MIN_DAY) << 16 | lag;
		row->at = (uint32) (p - state->log);
		row->flags = head & ((1 << ROW_FLAG_BITS) - 1);
		p = skip_payload(p, end, row->flags);
		if (p == NULL)
			elog(ERROR, "history log is damaged");
	}
	Assert(p == end);
}

/* Sort the kinds of a scan by name; rank[slot] says where each went. */
static void
scan_rank(LogScan *scan, uint8 *rank)
{
	const Kind *all = scan->state->kinds->kinds;
	uint32		counts[HISTORY_MAX_KINDS];

	/* insertion sort: a handful of kinds */
	for (uint32 i = 1; i < scan->nkinds; i++)
	{
		uint32		number = scan->kinds[i];
		uint32		j = i;

		for (; j > 0; j--)
		{
			const Kind *before = &all[scan->kinds[j - 1]];

			if (history_compare_names(before->name, before->nbytes,
									  all[number].name,
									  all[number].nbytes) < 0)
				break;
			scan->kinds[j] = scan->kinds[j - 1];
		}
		scan->kinds[j] = number;
	}
	for (uint32 i = 0; i < scan->nkinds; i++)
	{
		uint32		slot = all[scan->kinds[i]].slot;

		rank[slot] = (uint8) i;
		counts[i] = scan->counts[slot];
	}
	memcpy(scan->counts, counts, scan->nkinds * sizeof(uint32));
}

/* Order of sorted rows, for qsort(). */
static int
compare_rows(const void *left, const void *right)
{
	uint64		a = ((const SortedRow *) left)->key;
	uint64		b = ((const SortedRow *) right)->key;

	return (a > b) - (a < b);
}

/*
 * Sort the rows of one kind.  Mostly they have come in order, or nearly: then
 * insertion is the cheapest.
 */
static void
sort_rows(SortedRow *rows, uint32 nrows)
{
	uint64		moves = 0;

	for (uint32 i = 1; i < nrows; i++)
	{
		SortedRow	row = rows[i];
		uint32		j = i;

		for (; j > 0 && rows[j - 1].key > row.key; j--)
			rows[j] = rows[j - 1];
		rows[j] = row;
		moves += i - j;
		if (moves > 8 * (uint64) nrows + 64)
		{
			qsort(rows, nrows, sizeof(SortedRow), compare_rows);
			return;
		}
	}
}

/*
 * Begin to read a log: find the rows, deal them out by kind in the order of
 * names, sort each kind.
 */
void
log_scan_begin(LogScan *scan, const HistoryState *state)
{
	Size		bytes = mul_size(Max(state->rows, 1), sizeof(SortedRow));
	uint8		rank[HISTORY_MAX_KINDS];
	uint32		place[HISTORY_MAX_KINDS];
	uint32		first = 0;
	SortedRow  *found;

	scan->state = state;
	scan->nrows = state->rows;
	scan->next = 0;
	scan->nkinds = 0;
	memset(&scan->rest, 0, sizeof(scan->rest));
	state->kinds->round++;
	scan->rows = found = palloc_extended(bytes, MCXT_ALLOC_HUGE);
	scan_find(scan);
	scan_rank(scan, rank);
	for (uint32 i = 0; i < scan->nkinds; i++)
	{
		place[i] = first;
		first += scan->counts[i];
	}
	scan->rows = palloc_extended(bytes, MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < scan->nrows; i++)
	{
		uint64		kind = rank[found[i].key >> 48];
		SortedRow  *row = &scan->rows[place[kind]++];

		*row = found[i];
		row->key = (row->key & ((UINT64CONST(1) << 48) - 1)) | kind << 48;
	}
	pfree(found);
	first = 0;
	for (uint32 i = 0; i < scan->nkinds; i++)
	{
		sort_rows(&scan->rows[first], scan->counts[i]);
		first += scan->counts[i];
	}
}

/* Free what log_scan_begin() took. */
void
log_scan_end(LogScan *scan)
{
	pfree(scan->rows);
}

/* Add the count and money of a row to an entry. */
static void
scan_add(LogScan *scan, const SortedRow *row, HistoryEntry *entry)
{
	const uint8 *p = scan->state->log + row->at;
	const uint8 *end = scan->state->log + scan->state->used;
	uint32		money = row->flags & ROW_MONEY_MASK;
	uint64_t	more = 0;
	WideInt		cents = 0;
	double		amount;
	Dyadic		dyadic;

	if (row->flags & ROW_MANY)
	{
		p = varint_get(p, end, &more);
		more++;
	}
	if ((uint64) (PG_INT64_MAX - entry->count) < more + 1)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("history exceeds the limit of %lld events of a kind on a day",
						(long long) PG_INT64_MAX)));
	entry->count += (int64) more + 1;
	if (money == ROW_NO_MONEY)
		return;
	entry->has_amount = true;
	if (money == ROW_DOUBLE)
	{
		memcpy(&amount, p, sizeof(amount));
		dyadic_add(&scan->rest, amount, 0);
		return;
	}
	p = varint_get_wide(p, end, &cents);
	entry->cents += cents;
	if (money == ROW_MONEY && dyadic_parse(p, end, &dyadic) != NULL)
		dyadic_add_encoded(&scan->rest, &dyadic);
}

/*
 * Read the next entry and the rank of its kind; false at the end.  The
 * entry's dyadic part lives in the scan until the next call.
 */
bool
log_scan_next(LogScan *scan, uint32 *kind, HistoryEntry *entry)
{
	uint64		key;

	if (scan->next == scan->nrows)
		return false;
	key = scan->rows[scan->next].key;
	*kind = (uint32) (key >> 48);
	entry->day = (int32) ((int64) ((key >> 16) & PG_UINT32_MAX) +
						  HISTORY_MIN_DAY);
	entry->lag = (int32) (key & 0xffff);
	entry->count = 0;
	entry->cents = 0;
	entry->has_amount = entry->has_dyadic = false;
	do
		scan_add(scan, &scan->rows[scan->next++], entry);
	while (scan->next < scan->nrows && scan->rows[scan->next].key == key);
	if (scan->rest.high > scan->rest.low)
	{
		entry->encoded = scan->encoded;
		entry->encoded_bytes = dyadic_encode(&scan->rest, scan->encoded);
		entry->has_dyadic = entry->encoded_bytes > 0;
		dyadic_reset(&scan->rest);
	}
	return true;
}
