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
 * row before; then, as the flags say, lag, count - 2, money.  It is read by
 * history_scan.c.
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

#include "history/history_scan.h"

/* A log below this doubles without being compacted. */
#define COMPACT_BYTES	4096

/* Most that is set aside at once for a history of unknown size */
#define EXPECTED_BYTES	(1024 * 1024)

/* Bytes that no writer of ours has written. */
void
history_damaged(const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("stored churn_history is damaged"),
			 errdetail("Reading it failed: %s.", why)));
}

/* Refuse more entries than a history may have. */
static void
check_entries(uint64 entries)
{
	if (entries > HISTORY_MAX_ENTRIES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("history exceeds the limit of %d entries",
						HISTORY_MAX_ENTRIES),
				 errdetail("An entry is a kind, a day and a lag.")));
}

/* Refuse more bytes than a history may have. */
static void
check_bytes(Size bytes)
{
	if (bytes > HISTORY_MAX_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("history exceeds the limit of %d bytes",
						HISTORY_MAX_BYTES)));
}

/* Memory for a HistoryWriter, within the limit of a stored history. */
void *
history_grow(void *data, size_t size)
{
	/* twice the limit: the writer asks for more than it will use */
	check_bytes(size / 2);
	return data == NULL ? palloc(size) : repalloc(data, size);
}

/* The finished value of a writer that left VARHDRSZ bytes in front. */
struct varlena *
history_writer_finish(HistoryWriter *writer)
{
	check_bytes(writer->used - writer->header);
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
	log_scan_begin(&scan, state);
	while (log_scan_next(&scan, &kind, &entry))
	{
		if (fresh->size - fresh->used < STATE_ROW_BYTES)
			fresh = enlarge(fresh, STATE_ROW_BYTES);
		append_entry(fresh, scan.kinds[kind], &entry);
	}
	log_scan_end(&scan);
	pfree(state);
	check_entries(fresh->rows);
	check_bytes(fresh->used);
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
	log_scan_begin(&scan, other);
	while (log_scan_next(&scan, &kind, &entry))
	{
		const Kind *name = &other->kinds->kinds[scan.kinds[kind]];

		state = history_state_add(state,
								  kinds_number(state->kinds, name->name,
											   name->nbytes), &entry);
	}
	log_scan_end(&scan);
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

	while (log_scan_next(scan, &kind, &entry))
	{
		if (kind != current)
		{
			const Kind *name = &all[scan->kinds[kind]];

			if (current >= 0)
				history_writer_kind_end(writer);
			history_writer_kind(writer, name->name, name->nbytes);
			current = kind;
		}
		check_entries(writer->entries_total + 1);
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
	log_scan_begin(&scan, state);
	/* a log of many equal rows is far longer than what it becomes */
	history_writer_open(&writer, VARHDRSZ,
						Min(state->used, EXPECTED_BYTES) + 192, history_grow);
	write_entries(&scan, &writer);
	log_scan_end(&scan);
	return history_writer_finish(&writer);
}
