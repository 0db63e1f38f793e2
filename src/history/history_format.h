/*-------------------------------------------------------------------------
 *
 * history_format.h
 *	  The bytes of a churn_history: written in one way, read with distrust.
 *
 *	  version		1 byte, HISTORY_FORMAT
 *	  kinds			1 byte, their number
 *	  for each kind, ascending by the bytes of its name:
 *		length		1 byte, then the name
 *		entries		varint, at least 1, then the entries, ascending by
 *					(day, lag)
 *
 * An entry is
 *	  head			varint: days since the previous entry of the kind (the
 *					first: zigzag of the day) << 3 | flags
 *	  extra			varint, if HEAD_EXTRA: lag << 1 | has a dyadic part
 *	  count			varint, if HEAD_MANY: events - 2
 *	  cents			zigzag varint of up to 128 bits, if HEAD_CENTS
 *	  dyadic		as dyadic_encode() writes it
 *
 * HEAD_CENTS with cents 0 says that an amount was given; beside a dyadic
 * part, which says so itself, cents 0 are left out.  There is one way to
 * write a history, so equal histories are equal bytes.
 *
 * No server calls: the unit drivers compile this alone.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_HISTORY_FORMAT_H
#define CHURN_HISTORY_FORMAT_H

#include "history/amount.h"

#define HISTORY_FORMAT			1
#define HISTORY_MIN_DAY			(-2451545)	/* 4714-11-24 BC, as DateADT */
#define HISTORY_MAX_DAY			2145031948	/* 5874897-12-31 */

#define HEAD_CENTS		1
#define HEAD_MANY		2
#define HEAD_EXTRA		4
#define HEAD_FLAG_BITS	3

/* Longest entry: head, extra, count, cents, dyadic */
#define HISTORY_ENTRY_MAX_BYTES \
	(3 * VARINT_MAX_BYTES + VARINT_MAX_BYTES_WIDE + DYADIC_MAX_BYTES)

/* One (kind, day, lag) cell */
typedef struct HistoryEntry
{
	WideInt		cents;
	int64_t		count;			/* events, >= 1 */
	int32_t		day;			/* days since 2000-01-01 */
	int32_t		lag;			/* days until it was known, >= 0 */
	bool		has_amount;		/* some event carried money */
	bool		has_dyadic;
	Dyadic		dyadic;			/* points into the encoded bytes */
	const uint8_t *encoded;		/* the dyadic part as encoded */
	int			encoded_bytes;
} HistoryEntry;

/* Where a reader stands.  After open, fields are read by callers freely. */
typedef struct HistoryReader
{
	const uint8_t *at;
	const uint8_t *end;
	const uint8_t *kind;		/* name of the current kind, no NUL */
	uint32_t	kind_bytes;
	uint32_t	kinds_left;
	uint32_t	entries;		/* of the current kind */
	uint32_t	entries_left;
	uint64_t	entries_total;	/* of the kinds seen so far */
	int32_t		day;			/* of the entry read last */
	int32_t		lag;
	bool		foreign;		/* names in another encoding: their order and
								 * length are not checked */
	const char *damage;			/* why reading stopped, or NULL */
} HistoryReader;

extern bool history_reader_open(HistoryReader *reader, const void *bytes,
								size_t nbytes);
extern bool history_reader_kind(HistoryReader *reader);
extern bool history_reader_entry(HistoryReader *reader, HistoryEntry *entry);

/*
 * Writes kinds and entries in the order of the format; the caller keeps it.
 * "grow" is realloc() or its like and does not return without memory.
 */
typedef struct HistoryWriter
{
	uint8_t    *data;			/* the first "header" bytes are the caller's */
	size_t		header;
	size_t		used;
	size_t		size;
	void	   *(*grow) (void *data, size_t size);
	uint32_t	kinds;
	size_t		kind_at;		/* where the current kind begins, */
	size_t		entries_at;		/* and where its number of entries will be */
	uint32_t	entries;		/* of the current kind */
	uint64_t	entries_total;
	int32_t		day;			/* of the entry written last */
} HistoryWriter;

extern void history_writer_open(HistoryWriter *writer, size_t header,
								size_t expected,
								void *(*grow) (void *, size_t));
extern void history_writer_kind(HistoryWriter *writer, const void *name,
								uint32_t nbytes);
extern void history_writer_entry(HistoryWriter *writer,
								 const HistoryEntry *entry);
extern void history_writer_kind_end(HistoryWriter *writer);
extern void history_writer_close(HistoryWriter *writer);

extern int	history_compare_names(const void *left, uint32_t left_bytes,
								  const void *right, uint32_t right_bytes);

#endif							/* CHURN_HISTORY_FORMAT_H */
