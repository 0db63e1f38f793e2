/*-------------------------------------------------------------------------
 *
 * history_state.c
 *	  A history being built: a log of rows that is sorted when it is read.
 *
 * A group of a hash aggregate sees its rows far apart, so what counts is how
 * few cache lines a row touches: it is appended to the state's one chunk, in
 * about four bytes.  Sorting waits until the state is read.  When a log is
 * full and large it is first compacted: sorted, equal (kind, day, lag) merged
 * and written back, so that a robot's ten million events stay small.
 *
 * A row is: varint kind << 4 | flags; zigzag varint of the days since the
 * row before; then, as the flags say, lag, count - 2, money.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/memutils.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "history/history_state.h"

/* A log below this doubles without being compacted. */
#define COMPACT_BYTES	4096

/* A row to be sorted.  The key is kind's rank, day, lag: 8, 32, 16 bits. */
typedef struct SortedRow
{
	uint64		key;
	uint32		at;				/* where in the log its count or money is */
	uint32		flags;
} SortedRow;

/* Reads a log in the order of the format, equal keys merged. */
typedef struct LogScan
{
	const HistoryState *state;
	SortedRow  *rows;
	uint32		nrows;
	uint32		next;			/* row to be read next */
	uint32		nkinds;
	uint32		kinds[HISTORY_MAX_KINDS];	/* numbers, ascending by name */
	uint32		counts[HISTORY_MAX_KINDS];	/* rows of each */
	DyadicSum	rest;			/* dyadic money of the current entry */
	uint8		encoded[DYADIC_MAX_BYTES];
} LogScan;

/* Bytes that no writer of ours has written. */
void
history_damaged(const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("stored churn_history is damaged"),
			 errdetail("Reading it failed: %s.", why)));
}

/* Memory for a HistoryWriter, within the limit of a stored history. */
void *
history_grow(void *data, size_t size)
{
	/* twice the limit: the writer asks for more than it will use */
	if (size > 2 * (size_t) HISTORY_MAX_BYTES + HISTORY_ENTRY_MAX_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("history exceeds the limit of %d bytes",
						HISTORY_MAX_BYTES)));
	return data == NULL ? palloc(size) : repalloc(data, size);
}

/* The finished value of a writer that left VARHDRSZ bytes in front. */
struct varlena *
history_writer_finish(HistoryWriter *writer)
{
	if (writer->used - writer->header > HISTORY_MAX_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("history exceeds the limit of %d bytes",
						HISTORY_MAX_BYTES)));
	history_writer_close(writer);
	SET_VARSIZE(writer->data, writer->used);
	return (struct varlena *) writer->data;
}

/* An empty state of the first size in "context". */
HistoryState *
history_state_create(MemoryContext context, KindDictionary *kinds)
{
	HistoryState *state = MemoryContextAlloc(context, STATE_FIRST_BYTES);

	state->kinds = kinds;
	state->size = STATE_FIRST_BYTES - offsetof(HistoryState, log);
	state->used = 0;
	state->rows = 0;
	state->day = 0;
	return state;
}

/* Whether a state is deserialised bytes rather than a log. */
static inline bool
is_encoded(const HistoryState *state)
{
	return state->kinds == NULL;
}

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
static void
scan_begin(LogScan *scan, const HistoryState *state)
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

/* Free what scan_begin() took. */
static void
scan_end(LogScan *scan)
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
static bool
scan_next(LogScan *scan, uint32 *kind, HistoryEntry *entry)
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

/* Append one row that may be a merged one; there must be room. */
static void
append_entry(HistoryState *state, uint32 kind, const HistoryEntry *entry)
{
	uint32		flags = ROW_NO_MONEY;
	uint8	   *p = state->log + state->used;

	if (entry->has_amount)
		flags = entry->has_dyadic ? ROW_MONEY : ROW_CENTS;
	if (entry->lag > 0)
		flags |= ROW_LAG;
	if (entry->count > 1)
		flags |= ROW_MANY;
	p = varint_put(p, (uint64_t) kind << ROW_FLAG_BITS | flags);
	p = varint_put(p, zigzag((int64_t) entry->day - state->day));
	if (entry->lag > 0)
		p = varint_put(p, (uint64_t) entry->lag);
	if (entry->count > 1)
		p = varint_put(p, (uint64_t) entry->count - 2);
	if (entry->has_amount)
		p = varint_put_wide(p, entry->cents);
	if (entry->has_dyadic)
	{
		memcpy(p, entry->encoded, entry->encoded_bytes);
		p += entry->encoded_bytes;
	}
	state->day = entry->day;
	state->rows++;
	state->used = (uint32) (p - state->log);
}

/* Double the log until so many bytes are free. */
static HistoryState *
enlarge(HistoryState *state, uint32 bytes)
{
	Size		header = offsetof(HistoryState, log);
	Size		total = state->size + header;

	while (total - header - state->used < bytes)
		total *= 2;
	state = repalloc(state, total);
	state->size = (uint32) (total - header);
	return state;
}

/* Sort the log and merge equal rows; rewrites it in a chunk of its own. */
static HistoryState *
compact(HistoryState *state)
{
	MemoryContext context = GetMemoryChunkContext(state);
	HistoryState *fresh;
	LogScan		scan;
	HistoryEntry entry;
	uint32		kind;

	fresh = history_state_create(context, state->kinds);
	scan_begin(&scan, state);
	while (scan_next(&scan, &kind, &entry))
	{
		if (fresh->size - fresh->used < STATE_ROW_BYTES)
			fresh = enlarge(fresh, STATE_ROW_BYTES);
		append_entry(fresh, scan.kinds[kind], &entry);
	}
	scan_end(&scan);
	pfree(state);
	if (fresh->rows > HISTORY_MAX_ENTRIES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("history exceeds the limit of %d entries",
						HISTORY_MAX_ENTRIES),
				 errdetail("An entry is a kind, a day and a lag.")));
	if (fresh->used > HISTORY_MAX_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("history exceeds the limit of %d bytes",
						HISTORY_MAX_BYTES)));
	return fresh;
}

/*
 * Make room for so many bytes: compact a large log, and double it when that
 * gains less than half.
 */
HistoryState *
history_state_room(HistoryState *state, uint32 bytes)
{
	uint32		size = state->size;

	if (state->size - state->used >= bytes)
		return state;
	if (size >= COMPACT_BYTES)
		state = compact(state);
	if (state->used > size / 2 || size < COMPACT_BYTES)
		size *= 2;
	if (size > state->used && size - state->used > bytes)
		bytes = size - state->used;
	return enlarge(state, bytes);
}

/* Add an entry, which may be a merged one. */
HistoryState *
history_state_add(HistoryState *state, uint32 kind, const HistoryEntry *entry)
{
	uint32		unused = DYADIC_MAX_BYTES;

	if (entry->has_dyadic)
		unused -= entry->encoded_bytes;
	state = history_state_room(state, STATE_ROW_BYTES - unused);
	append_entry(state, kind, entry);
	return state;
}

/* Add all of an encoded history. */
HistoryState *
history_state_add_encoded(HistoryState *state, const void *bytes, Size nbytes)
{
	HistoryReader reader;
	HistoryEntry entry;

	history_reader_open(&reader, bytes, nbytes);
	while (history_reader_kind(&reader))
	{
		uint32		kind = kinds_number(state->kinds,
										(const char *) reader.kind,
										reader.kind_bytes);

		CHECK_FOR_INTERRUPTS();
		while (history_reader_entry(&reader, &entry))
			state = history_state_add(state, kind, &entry);
	}
	if (reader.damage)
		history_damaged(reader.damage);
	return state;
}

/* Add all of another state, which stays as it is. */
HistoryState *
history_state_add_state(HistoryState *state, const HistoryState *other)
{
	LogScan		scan;
	HistoryEntry entry;
	uint32		kind;

	if (is_encoded(other))
		return history_state_add_encoded(state, other->log, other->used);
	scan_begin(&scan, other);
	while (scan_next(&scan, &kind, &entry))
	{
		const Kind *name = &other->kinds->kinds[scan.kinds[kind]];

		state = history_state_add(state,
								  kinds_number(state->kinds, name->name,
											   name->nbytes), &entry);
	}
	scan_end(&scan);
	return state;
}

/* Write the entries of a scan. */
static void
write_entries(LogScan *scan, HistoryWriter *writer)
{
	const Kind *all = scan->state->kinds->kinds;
	HistoryEntry entry;
	uint32		kind;
	int64		current = -1;

	while (scan_next(scan, &kind, &entry))
	{
		if (kind != current)
		{
			const Kind *name = &all[scan->kinds[kind]];

			if (current >= 0)
				history_writer_kind_end(writer);
			history_writer_kind(writer, name->name, name->nbytes);
			current = kind;
		}
		if (writer->entries_total == HISTORY_MAX_ENTRIES)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("history exceeds the limit of %d entries",
							HISTORY_MAX_ENTRIES),
					 errdetail("An entry is a kind, a day and a lag.")));
		history_writer_entry(writer, &entry);
	}
	if (current >= 0)
		history_writer_kind_end(writer);
}

/* The history of a state, as a churn_history; the state stays as it is. */
struct varlena *
history_state_build(const HistoryState *state)
{
	HistoryWriter writer;
	LogScan		scan;

	if (is_encoded(state))
	{
		struct varlena *result;

		result = palloc(VARHDRSZ + state->used);
		SET_VARSIZE(result, VARHDRSZ + state->used);
		memcpy(VARDATA(result), state->log, state->used);
		return result;
	}
	scan_begin(&scan, state);
	history_writer_open(&writer, VARHDRSZ, state->used + 192, history_grow);
	write_entries(&scan, &writer);
	scan_end(&scan);
	return history_writer_finish(&writer);
}
