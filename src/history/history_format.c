/*-------------------------------------------------------------------------
 *
 * history_format.c
 *	  Reading and writing the bytes of a churn_history.
 *
 * The reader trusts nothing: every length is checked against the bytes that
 * are there, and whatever the writer would not have written is damage.  It
 * allocates nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "history/history_format.h"

#include <string.h>

#include "history/limits.h"

/* The longest varint of a number of entries */
#define ENTRIES_MAX_BYTES	4

/* Order of names: by bytes, as C strings compare. */
int
history_compare_names(const void *left, uint32_t left_bytes,
					  const void *right, uint32_t right_bytes)
{
	uint32_t	common = left_bytes < right_bytes ? left_bytes : right_bytes;
	int			order = memcmp(left, right, common);

	if (order != 0)
		return order;
	return (left_bytes > right_bytes) - (left_bytes < right_bytes);
}

/* Remember why reading cannot go on. */
static bool
damaged(HistoryReader *reader, const char *why)
{
	if (reader->damage == NULL)
		reader->damage = why;
	reader->kinds_left = reader->entries_left = 0;
	return false;
}

/* Start to read; false when it is damaged at the start. */
bool
history_reader_open(HistoryReader *reader, const void *bytes, size_t nbytes)
{
	memset(reader, 0, sizeof(*reader));
	reader->at = bytes;
	reader->end = reader->at + nbytes;
	if (nbytes < 2)
		return damaged(reader, "it is shorter than its header");
	if (nbytes > HISTORY_MAX_BYTES)
		return damaged(reader, "it is longer than the limit");
	if (*reader->at++ != HISTORY_FORMAT)
		return damaged(reader, "its format is of another version");
	reader->kinds_left = *reader->at++;
	if (reader->kinds_left == 0 && reader->at != reader->end)
		return damaged(reader, "bytes follow its end");
	return true;
}

/*
 * Go to the next kind; all entries of the one before must have been read.
 * False at the end, and on damage.
 */
bool
history_reader_kind(HistoryReader *reader)
{
	const uint8_t *last = reader->kind;
	uint32_t	last_bytes = reader->kind_bytes;
	uint64_t	entries;
	uint32_t	length;

	if (reader->kinds_left == 0)
		return false;
	if (reader->at == reader->end)
		return damaged(reader, "it ends before its last kind");
	length = *reader->at++;
	if (length == 0 || length > (size_t) (reader->end - reader->at) ||
		(length > HISTORY_KIND_BYTES && !reader->foreign))
		return damaged(reader, "a kind's name has no valid length");
	if (memchr(reader->at, '\0', length) != NULL)
		return damaged(reader, "a kind's name holds a zero byte");
	if (last != NULL && !reader->foreign &&
		history_compare_names(last, last_bytes, reader->at, length) >= 0)
		return damaged(reader, "its kinds are out of order");
	reader->kind = reader->at;
	reader->kind_bytes = length;
	reader->at = varint_get(reader->at + length, reader->end, &entries);
	if (reader->at == NULL || entries == 0 ||
		entries > (size_t) (reader->end - reader->at) ||
		reader->entries_total + entries > HISTORY_MAX_ENTRIES)
		return damaged(reader, "a kind's number of entries is not valid");
	reader->kinds_left--;
	reader->entries = reader->entries_left = (uint32_t) entries;
	reader->entries_total += entries;
	return true;
}

/* Read the money of an entry; returns the byte after it, or NULL. */
static const uint8_t *
read_money(const uint8_t *p, const uint8_t *end, bool has_cents,
		   HistoryEntry *entry)
{
	if (has_cents)
	{
		if ((p = varint_get_wide(p, end, &entry->cents)) == NULL ||
			!amount_cents_fit(entry->cents, entry->count) ||
			(entry->has_dyadic && entry->cents == 0))
			return NULL;
	}
	if (entry->has_dyadic)
	{
		entry->encoded = p;
		if ((p = dyadic_parse(p, end, &entry->dyadic)) == NULL ||
			dyadic_excess(&entry->dyadic) >= (uint64_t) entry->count)
			return NULL;
		entry->encoded_bytes = (int) (p - entry->encoded);
	}
	return p;
}

/* Set the day of the next entry, "distance" as the format has it. */
static bool
read_day(HistoryReader *reader, uint64_t distance, int32_t lag)
{
	int64_t		day;

	if (reader->entries_left == reader->entries)
		day = distance <= UINT32_MAX ? unzigzag(distance) : INT64_MAX;
	else
	{
		if (distance == 0 && lag <= reader->lag)
			return false;
		day = distance <= UINT32_MAX ? reader->day + (int64_t) distance :
			INT64_MAX;
	}
	if (day < HISTORY_MIN_DAY || day > HISTORY_MAX_DAY)
		return false;
	reader->day = (int32_t) day;
	reader->lag = lag;
	return true;
}

/* Read the next entry of the kind; false after the last, and on damage. */
bool
history_reader_entry(HistoryReader *reader, HistoryEntry *entry)
{
	const uint8_t *p = reader->at;
	uint64_t	head,
				extra = 0,
				more = 0;

	if (reader->entries_left == 0)
		return false;
	if ((p = varint_get(p, reader->end, &head)) == NULL)
		return damaged(reader, "an entry's day is cut off");
	if ((head & HEAD_EXTRA) &&
		((p = varint_get(p, reader->end, &extra)) == NULL || extra == 0 ||
		 extra >> 1 > HISTORY_MAX_LAG))
		return damaged(reader, "an entry's lag is not valid");
	if ((head & HEAD_MANY) &&
		((p = varint_get(p, reader->end, &more)) == NULL ||
		 more > (uint64_t) INT64_MAX - 2))
		return damaged(reader, "an entry's count is not valid");
	if (!read_day(reader, head >> HEAD_FLAG_BITS, (int32_t) (extra >> 1)))
		return damaged(reader, "an entry's day is out of order or range");
	entry->day = reader->day;
	entry->lag = reader->lag;
	entry->count = (head & HEAD_MANY) ? (int64_t) more + 2 : 1;
	entry->cents = 0;
	entry->has_dyadic = extra & 1;
	entry->has_amount = (head & HEAD_CENTS) || entry->has_dyadic;
	if (entry->has_amount &&
		(p = read_money(p, reader->end, head & HEAD_CENTS, entry)) == NULL)
		return damaged(reader, "an entry's amount is not valid");
	reader->at = p;
	if (--reader->entries_left == 0 && reader->kinds_left == 0 &&
		p != reader->end)
	{
		damaged(reader, "bytes follow its end");
		return false;
	}
	return true;
}

/* Make room for so many more bytes. */
static void
writer_room(HistoryWriter *writer, size_t more)
{
	size_t		size = writer->size;

	if (writer->size - writer->used >= more)
		return;
	while (size - writer->used < more)
		size *= 2;
	writer->data = writer->grow(writer->data, size);
	writer->size = size;
}

/*
 * Start to write after "header" bytes that the caller fills; "expected" is a
 * guess at the size.
 */
void
history_writer_open(HistoryWriter *writer, size_t header, size_t expected,
					void *(*grow) (void *, size_t))
{
	memset(writer, 0, sizeof(*writer));
	writer->grow = grow;
	writer->header = header;
	writer->size = header + 2 + expected;
	writer->data = grow(NULL, writer->size);
	writer->used = header + 2;
}

/* Begin a kind; the name sorts after that of the kind before. */
void
history_writer_kind(HistoryWriter *writer, const void *name, uint32_t nbytes)
{
	writer_room(writer, 1 + nbytes + ENTRIES_MAX_BYTES);
	writer->kind_at = writer->used;
	writer->data[writer->used++] = (uint8_t) nbytes;
	memcpy(writer->data + writer->used, name, nbytes);
	writer->used += nbytes;
	writer->entries_at = writer->used;
	/* nearly always below 128; kind_end() moves the entries if not */
	writer->used++;
	writer->entries = 0;
	writer->day = 0;
}

/* Add an entry; (day, lag) is above that of the entry before. */
void
history_writer_entry(HistoryWriter *writer, const HistoryEntry *entry)
{
	uint64_t	head;
	uint64_t	extra = (uint64_t) entry->lag << 1 | entry->has_dyadic;
	bool		cents = entry->has_amount &&
		(entry->cents != 0 || !entry->has_dyadic);
	uint8_t    *p;

	writer_room(writer, HISTORY_ENTRY_MAX_BYTES - DYADIC_MAX_BYTES +
				(entry->has_dyadic ? (size_t) entry->encoded_bytes : 0));
	p = writer->data + writer->used;
	head = writer->entries == 0 ? zigzag(entry->day) :
		(uint64_t) ((int64_t) entry->day - writer->day);
	head = head << HEAD_FLAG_BITS | (cents ? HEAD_CENTS : 0) |
		(entry->count > 1 ? HEAD_MANY : 0) | (extra != 0 ? HEAD_EXTRA : 0);
	p = varint_put(p, head);
	if (extra != 0)
		p = varint_put(p, extra);
	if (entry->count > 1)
		p = varint_put(p, (uint64_t) entry->count - 2);
	if (cents)
		p = varint_put_wide(p, entry->cents);
	if (entry->has_dyadic)
	{
		memcpy(p, entry->encoded, (size_t) entry->encoded_bytes);
		p += entry->encoded_bytes;
	}
	writer->used = (size_t) (p - writer->data);
	writer->day = entry->day;
	writer->entries++;
	writer->entries_total++;
}

/* End a kind; one without entries leaves no trace. */
void
history_writer_kind_end(HistoryWriter *writer)
{
	uint8_t		number[VARINT_MAX_BYTES];
	size_t		nbytes;
	uint8_t    *entries;

	if (writer->entries == 0)
	{
		writer->used = writer->kind_at;
		return;
	}
	nbytes = (size_t) (varint_put(number, writer->entries) - number);
	writer_room(writer, nbytes);
	entries = writer->data + writer->entries_at;
	if (nbytes > 1)
		memmove(entries + nbytes, entries + 1,
				writer->used - writer->entries_at - 1);
	memcpy(entries, number, nbytes);
	writer->used += nbytes - 1;
	writer->kinds++;
}

/* Finish; data[0 .. used) is the header and the history. */
void
history_writer_close(HistoryWriter *writer)
{
	writer->data[writer->header] = HISTORY_FORMAT;
	writer->data[writer->header + 1] = (uint8_t) writer->kinds;
}
