/*-------------------------------------------------------------------------
 *
 * rank_stream.c
 *	  The order-only form of a ranking: tie groups as bytes, lowest first.
 *
 * A byte below 0x80 holds one to six rows that tie with nobody: after its
 * highest set bit, a bit a row, 1 for a churner, in order.  The byte 0x80
 * begins a group of several rows: the count of its churners, then that of
 * its stayers, as varints (seven bits a byte, lowest first, 0x80 = goes on).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/float.h"
#include "utils/memutils.h"

#include "measure/ranking.h"

#define GROUP_BYTE			0x80
#define SINGLES_FULL		0x40	/* at or above: no room for another row */
#define GROUP_MAX_BYTES		21		/* the byte and two varints of ten bytes */
#define FIRST_BYTES			64

/* Write a count as a varint. */
static uint8 *
put_varint(uint8 *to, uint64 count)
{
	for (; count >= 0x80; count >>= 7)
		*to++ = (uint8) (count | 0x80);
	*to++ = (uint8) count;
	return to;
}

/* Read a varint; the stream was checked when it came in. */
static uint64
get_varint(const RankStream *stream, Size *at)
{
	uint64		count = 0;

	for (int shift = 0; *at < stream->nbytes && shift < 64; shift += 7)
	{
		uint8		byte = stream->bytes[(*at)++];

		count |= (uint64) (byte & 0x7f) << shift;
		if (byte < 0x80)
			break;
	}
	return count;
}

/* Append a group to a stream whose bytes live in "context". */
void
rank_stream_add(RankStream *stream, const TieGroup *group,
				MemoryContext context)
{
	uint8	   *end;

	if (stream->bytes == NULL)
	{
		stream->bytes = MemoryContextAlloc(context, FIRST_BYTES);
		stream->capacity = FIRST_BYTES;
	}
	else if (stream->nbytes + GROUP_MAX_BYTES > stream->capacity)
	{
		/* bytes that were read from a flat value have no room to spare */
		stream->capacity = Max(stream->capacity * 2,
							   stream->nbytes + GROUP_MAX_BYTES);
		stream->bytes = repalloc_huge(stream->bytes, stream->capacity);
	}

	end = stream->bytes + stream->nbytes;
	if (group->churners + group->stayers == 1)
	{
		if (stream->singles && end[-1] < SINGLES_FULL)
			end[-1] = (uint8) (end[-1] << 1 | group->churners);
		else
			*end++ = (uint8) (2 | group->churners);
		stream->singles = true;
	}
	else
	{
		*end++ = GROUP_BYTE;
		end = put_varint(end, group->churners);
		end = put_varint(end, group->stayers);
		stream->singles = false;
	}
	stream->nbytes = end - stream->bytes;
}

/* The next group of the order-only form; the open group comes last. */
bool
rank_stream_next(RankReader *reader, TieGroup *group)
{
	const RankStream *stream = &reader->ranking->stream;

	group->score = get_float8_nan();
	if (reader->nsingles == 0 && reader->byte >= stream->nbytes)
	{
		if (reader->ended || ranking_rows(reader->ranking) == 0)
			return false;
		reader->ended = true;
		group->churners = reader->ranking->open.churners;
		group->stayers = reader->ranking->open.stayers;
		return true;
	}
	if (reader->nsingles == 0)
	{
		uint8		byte = stream->bytes[reader->byte++];

		if (byte >= GROUP_BYTE)
		{
			group->churners = get_varint(stream, &reader->byte);
			group->stayers = get_varint(stream, &reader->byte);
			return true;
		}
		if (byte < 2)
		{
			/* nobody writes it; ranking_check_order() misses the rows */
			reader->byte = stream->nbytes;
			reader->ended = true;
			return false;
		}
		reader->singles = byte;
		while (byte >>= 1)
			reader->nsingles++;
	}
	reader->nsingles--;
	group->churners = (reader->singles >> reader->nsingles) & 1;
	group->stayers = 1 - group->churners;
	return true;
}
