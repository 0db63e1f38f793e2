/*-------------------------------------------------------------------------
 *
 * varint.h
 *	  Variable-length integers: seven bits a byte, least significant first.
 *
 * Readers are strict: a value has one encoding, the shortest, because equal
 * histories must be equal bytes.  They return NULL for bytes that end early,
 * are longer than needed or do not fit.  Writers expect room for the longest
 * form.  No server calls: the unit drivers compile this alone.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_VARINT_H
#define CHURN_VARINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VARINT_MAX_BYTES		10	/* of a 64-bit value */
#define VARINT_MAX_BYTES_WIDE	19	/* of a 128-bit value */

/* palloc aligns to 8 bytes, the compiler would assume 16 */
typedef __int128 WideInt __attribute__((aligned(8)));
typedef unsigned __int128 WideUint __attribute__((aligned(8)));

/* Signed to unsigned so that small magnitudes stay small. */
static inline uint64_t
zigzag(int64_t value)
{
	return ((uint64_t) value << 1) ^ (uint64_t) (value >> 63);
}

static inline int64_t
unzigzag(uint64_t value)
{
	return (int64_t) (value >> 1) ^ -(int64_t) (value & 1);
}

/* Write value at p; returns the byte after it. */
static inline uint8_t *
varint_put(uint8_t *p, uint64_t value)
{
	while (value >= 0x80)
	{
		*p++ = (uint8_t) value | 0x80;
		value >>= 7;
	}
	*p++ = (uint8_t) value;
	return p;
}

/* Read one value; returns the byte after it, or NULL. */
static inline const uint8_t *
varint_get(const uint8_t *p, const uint8_t *end, uint64_t *value)
{
	uint64_t	result;
	int			shift = 7;

	if (p >= end)
		return NULL;
	result = *p & 0x7f;
	while (*p++ & 0x80)
	{
		if (p >= end || *p == 0 || shift > 63 || (shift == 63 && *p > 1))
			return NULL;
		result |= (uint64_t) (*p & 0x7f) << shift;
		shift += 7;
	}
	*value = result;
	return p;
}

/* The same for 128-bit values with a sign. */
static inline uint8_t *
varint_put_wide(uint8_t *p, WideInt signed_value)
{
	WideUint	value;

	value = ((WideUint) signed_value << 1) ^ (WideUint) (signed_value >> 127);
	if (value >> 64 == 0)
		return varint_put(p, (uint64_t) value);
	while (value >= 0x80)
	{
		*p++ = (uint8_t) value | 0x80;
		value >>= 7;
	}
	*p++ = (uint8_t) value;
	return p;
}

static inline const uint8_t *
varint_get_wide(const uint8_t *p, const uint8_t *end, WideInt *value)
{
	WideUint	result;
	uint64_t	low;
	int			shift = 7;

	if (p >= end)
		return NULL;
	/* nine bytes go into 64 bits, and nearly all values into these */
	low = *p & 0x7f;
	while (*p & 0x80 && shift < 63)
	{
		if (++p >= end || *p == 0)
			return NULL;
		low |= (uint64_t) (*p & 0x7f) << shift;
		shift += 7;
	}
	if ((*p++ & 0x80) == 0)
	{
		*value = unzigzag(low);
		return p;
	}
	result = low;
	do
	{
		if (p >= end || *p == 0 || shift > 126 || (shift == 126 && *p > 3))
			return NULL;
		result |= (WideUint) (*p & 0x7f) << shift;
		shift += 7;
	} while (*p++ & 0x80);
	*value = (WideInt) (result >> 1) ^ -(WideInt) (result & 1);
	return p;
}

#endif							/* CHURN_VARINT_H */
