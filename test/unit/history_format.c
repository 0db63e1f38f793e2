/*
 * sources: src/history/history_format.c src/history/amount.c
 *
 * The bytes of a history: what is written is read again, and whatever else
 * is refused without a step outside the bytes, whether cut off, with any bit
 * flipped, or random.
 */
#include <stdlib.h>
#include <string.h>

#include "tap.h"

#include "history/history_format.h"
#include "history/limits.h"

/* Write a history again from what a reader finds; the writer's bytes. */
static bool
copy(const uint8_t *bytes, size_t nbytes, HistoryWriter *writer)
{
	HistoryReader reader;
	HistoryEntry entry;

	history_reader_open(&reader, bytes, nbytes);
	history_writer_open(writer, 0, 0, realloc);
	while (history_reader_kind(&reader))
	{
		history_writer_kind(writer, reader.kind, reader.kind_bytes);
		while (history_reader_entry(&reader, &entry))
			history_writer_entry(writer, &entry);
		history_writer_kind_end(writer);
	}
	history_writer_close(writer);
	return reader.damage == NULL;
}

/* Give random money to an entry; its dyadic part is encoded into "bytes". */
static void
random_money(uint64_t *seed, HistoryEntry *entry, uint8_t *bytes)
{
	DyadicSum	sum = {0};

	entry->has_amount = tap_random(seed) % 3 > 0;
	if (!entry->has_amount)
		return;
	if (tap_random(seed) % 4 > 0)
		entry->cents = (int64_t) tap_random(seed) >>
			(14 + tap_random(seed) % 50);
	if (tap_random(seed) % 4 > 0)
		return;
	for (int i = (int) (tap_random(seed) % 3); i >= 0; i--)
		dyadic_add(&sum, (double) (tap_random(seed) >> 30) / 1024 + 0.0001, 0);
	entry->encoded = bytes;
	entry->encoded_bytes = dyadic_encode(&sum, bytes);
	entry->has_dyadic = true;
}

/* Write a random history of a few kinds. */
static void
random_history(uint64_t *seed, HistoryWriter *writer)
{
	uint8_t		bytes[DYADIC_MAX_BYTES];
	char		name[2] = "a";

	history_writer_open(writer, 0, 0, realloc);
	for (int kinds = (int) (tap_random(seed) % 5); kinds > 0; kinds--)
	{
		int64_t		day = (int64_t) (tap_random(seed) % 20000) - 10000;
		int			lag = -1;

		history_writer_kind(writer, name, 1);
		name[0]++;
		for (int n = (int) (tap_random(seed) % 200); n >= 0; n--)
		{
			HistoryEntry entry = {0};
			int			step = (int) (tap_random(seed) % 20);

			entry.count = 1 + (tap_random(seed) % 4 == 0 ?
							   (int64_t) (tap_random(seed) % 1000) : 0);
			entry.lag = tap_random(seed) % 3 == 0 ?
				(int32_t) (tap_random(seed) % 100) : 0;
			if (step == 0)
				entry.lag = lag + 1;
			day += step;
			lag = entry.lag;
			entry.day = (int32_t) day;
			random_money(seed, &entry, bytes);
			history_writer_entry(writer, &entry);
		}
		history_writer_kind_end(writer);
	}
	history_writer_close(writer);
}

/* Read hostile bytes; what is accepted must be canonical. */
static bool
survives(const uint8_t *bytes, size_t nbytes, int *accepted)
{
	uint8_t    *exact = malloc(nbytes > 0 ? nbytes : 1);
	HistoryWriter writer;
	bool		good = true;

	memcpy(exact, bytes, nbytes);
	if (copy(exact, nbytes, &writer))
	{
		good = writer.used == nbytes && memcmp(writer.data, exact, nbytes) == 0;
		++*accepted;
	}
	free(writer.data);
	free(exact);
	return good;
}

static bool
check_round_trip(uint64_t *seed)
{
	for (int i = 0; i < 2000; i++)
	{
		HistoryWriter writer,
					again;
		bool		good;

		random_history(seed, &writer);
		good = copy(writer.data, writer.used, &again) &&
			writer.used == again.used &&
			memcmp(writer.data, again.data, writer.used) == 0;
		free(writer.data);
		free(again.data);
		if (!good)
			return false;
	}
	return true;
}

/* Every truncation is refused. */
static bool
check_truncations(uint64_t *seed)
{
	for (int i = 0; i < 50; i++)
	{
		HistoryWriter writer;
		int			accepted = 0;

		random_history(seed, &writer);
		for (size_t n = 0; n < writer.used; n++)
			if (!survives(writer.data, n, &accepted))
				return false;
		free(writer.data);
		if (accepted > 0)
			return false;
	}
	return true;
}

/* Every flipped bit, and random bytes in random places */
static bool
check_mutations(uint64_t *seed)
{
	int			accepted = 0;
	bool		good = true;

	for (int i = 0; i < 20; i++)
	{
		HistoryWriter writer;

		random_history(seed, &writer);
		for (size_t bit = 0; bit < 8 * writer.used && good; bit++)
		{
			writer.data[bit / 8] ^= (uint8_t) (1 << (bit % 8));
			good = survives(writer.data, writer.used, &accepted);
			writer.data[bit / 8] ^= (uint8_t) (1 << (bit % 8));
		}
		for (int j = 0; j < 2000 && good; j++)
		{
			size_t		at = tap_random(seed) % writer.used;
			uint8_t		old = writer.data[at];

			writer.data[at] = (uint8_t) tap_random(seed);
			good = survives(writer.data, writer.used, &accepted);
			if (j % 4 > 0)
				writer.data[at] = old;
		}
		free(writer.data);
	}
	/* some mutations are other histories, or the test tests nothing */
	return good && accepted > 100;
}

/* Bytes that were never a history */
static bool
check_random_bytes(uint64_t *seed)
{
	int			accepted = 0;

	for (int i = 0; i < 100000; i++)
	{
		uint8_t		bytes[64];
		size_t		n = tap_random(seed) % sizeof(bytes);

		for (size_t j = 0; j < n; j++)
			bytes[j] = (uint8_t) tap_random(seed);
		if (n > 3)
		{
			bytes[0] = HISTORY_FORMAT;
			bytes[1] = 1 + bytes[1] % 3;
			bytes[2] = 1 + bytes[2] % 2;
		}
		if (!survives(bytes, n, &accepted))
			return false;
	}
	return true;
}

/* A refusal by hand-made bytes says why. */
static bool
refused(const void *bytes, size_t nbytes, const char *why)
{
	HistoryReader reader;
	HistoryEntry entry;

	history_reader_open(&reader, bytes, nbytes);
	while (history_reader_kind(&reader))
		while (history_reader_entry(&reader, &entry))
			;
	return reader.damage != NULL && strcmp(reader.damage, why) == 0;
}

int
main(void)
{
	uint64_t	seed = 7;

	tap_ok(check_round_trip(&seed), "what is written is read again");
	tap_ok(check_truncations(&seed), "every truncation is refused");
	tap_ok(check_mutations(&seed), "bit flips are refused or canonical");
	tap_ok(check_random_bytes(&seed), "random bytes are refused or canonical");
	tap_ok(refused("\2\0", 2, "its format is of another version"), "version");
	tap_ok(refused("\1\0x", 3, "bytes follow its end"), "trailing bytes");
	tap_ok(refused("\1\1\1a\xff\xff\xff\x7f\0", 9,
				   "a kind's number of entries is not valid"),
		   "a claimed number of entries beyond the bytes");
	tap_ok(refused("\1\1\1a\0", 5, "a kind's number of entries is not valid"),
		   "a kind without entries");
	tap_ok(refused("\1\2\1b\1\0\1a\1\0", 10, "its kinds are out of order"),
		   "kinds out of order");
	tap_ok(refused("\1\2\1a\1\0\1a\1\0", 10, "its kinds are out of order"),
		   "a kind twice");
	tap_ok(refused("\1\1\1a\2\0\0", 7,
				   "an entry's day is out of order or range"),
		   "an entry twice");
	tap_ok(refused("\1\1\1a\1\x80\0", 7, "an entry's day is cut off"),
		   "a varint longer than needed");
	tap_ok(refused("\1\1\1a\1\4\0", 7, "an entry's lag is not valid"),
		   "an empty extra");
	tap_ok(refused("\1\1\1\0\1\0", 6, "a kind's name holds a zero byte"),
		   "a zero byte in a name");
	return tap_done();
}
