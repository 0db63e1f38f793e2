/*-------------------------------------------------------------------------
 *
 * amount.c
 *	  Exact sums of float8s that are no whole cents.
 *
 * The sum is a fixed-point number wide enough for every float8 (a "long
 * accumulator": Kulisch and Miranker, Computer Arithmetic in Theory and
 * Practice, 1981), in limbs of 32 bits held in 64, so that carries can wait
 * for a billion additions.  Amounts in cents, the common case, never come
 * here.
 *
 *-------------------------------------------------------------------------
 */
#include "history/amount.h"

#include <math.h>
#include <string.h>

#define CARRY_AFTER		(1U << 30)

/* A sum without carries and with its sign taken out */
typedef struct Magnitude
{
	int			sign;			/* -1, 0, 1 */
	int			low;			/* numbers of the lowest and highest bit; */
	int			high;			/* meaningless for 0 */
	uint32_t	limb[DYADIC_LIMBS];
} Magnitude;

/* Make the sum empty again; touches only the limbs that were used. */
void
dyadic_reset(DyadicSum *sum)
{
	if (sum->high > sum->low)
		memset(&sum->limb[sum->low], 0,
			   (size_t) (sum->high - sum->low) * sizeof(sum->limb[0]));
	sum->low = sum->high = 0;
	sum->additions = 0;
}

/* Let [low, high) cover limbs first .. last, too. */
static void
cover(DyadicSum *sum, int first, int last)
{
	if (sum->high == sum->low)
	{
		sum->low = first;
		sum->high = last + 1;
		return;
	}
	if (first < sum->low)
		sum->low = first;
	if (last >= sum->high)
		sum->high = last + 1;
}

/*
 * Bring all limbs but the highest into [0, 2^32); the highest keeps the sign.
 */
static void
carry(DyadicSum *sum)
{
	for (int i = sum->low; i + 1 < sum->high; i++)
	{
		int64_t		over = sum->limb[i] >> 32;

		sum->limb[i] &= 0xffffffff;
		sum->limb[i + 1] += over;
	}
	while (sum->high > sum->low && sum->high < DYADIC_LIMBS &&
		   sum->limb[sum->high - 1] >> 31 != 0 &&
		   sum->limb[sum->high - 1] >> 31 != -1)
	{
		int64_t		top = sum->limb[sum->high - 1];

		sum->limb[sum->high - 1] = top & 0xffffffff;
		sum->limb[sum->high++] = top >> 32;
	}
	sum->additions = 0;
}

/* Add mantissa * 2^position, or subtract it. mantissa <= 2^53. */
static void
add_at(DyadicSum *sum, uint64_t mantissa, int position, bool negative)
{
	WideUint	wide = (WideUint) mantissa << (position & 31);
	int			first = position >> 5;

	cover(sum, first, first + 2);
	for (int i = first; i < first + 3; i++)
	{
		int64_t		piece = (int64_t) (uint32_t) wide;

		sum->limb[i] += negative ? -piece : piece;
		wide >>= 32;
	}
	if (++sum->additions >= CARRY_AFTER)
		carry(sum);
}

/* Add value * 2^scale; value finite, scale 0 .. 64. */
void
dyadic_add(DyadicSum *sum, double value, int scale)
{
	uint64_t	bits;
	uint64_t	mantissa;
	int			exponent;

	memcpy(&bits, &value, sizeof(bits));
	mantissa = bits & 0xfffffffffffffULL;
	exponent = (int) (bits >> 52) & 0x7ff;
	if (exponent > 0)
	{
		mantissa |= 1ULL << 52;
		exponent--;
	}
	if (mantissa != 0)
		add_at(sum, mantissa, exponent + scale, bits >> 63 != 0);
}

/* Add a number that dyadic_parse() has checked. */
void
dyadic_add_encoded(DyadicSum *sum, const Dyadic *number)
{
	int			first = number->exponent >> 5;
	int			last = (number->exponent + 8 * number->nbytes - 1) >> 5;

	cover(sum, first, last < DYADIC_LIMBS ? last : DYADIC_LIMBS - 1);
	for (int i = 0; i < number->nbytes; i++)
	{
		int			position = number->exponent + 8 * i;
		uint64_t	piece = (uint64_t) number->bytes[i] << (position & 31);
		int64_t		lower = (int64_t) (piece & 0xffffffff);
		int64_t		upper = (int64_t) (piece >> 32);

		sum->limb[position >> 5] += number->negative ? -lower : lower;
		if (upper != 0)
			sum->limb[(position >> 5) + 1] += number->negative ? -upper : upper;
	}
	/* up to five bytes meet in a limb */
	sum->additions += 5;
	if (sum->additions >= CARRY_AFTER)
		carry(sum);
}

/* Bit number of the highest bit of a limb that is not 0. */
static int
highest_bit(uint32_t limb)
{
	return 31 - __builtin_clz(limb);
}

/* Take the sign out of a sum and find its bits. */
static void
magnitude(const DyadicSum *sum, Magnitude *result)
{
	DyadicSum	work = *sum;
	int			low,
				high;

	carry(&work);
	while (work.high > work.low && work.limb[work.high - 1] == 0)
		work.high--;
	result->sign = work.high == work.low ? 0 : 1;
	if (result->sign == 0)
		return;
	if (work.limb[work.high - 1] < 0)
	{
		result->sign = -1;
		for (int i = work.low; i < work.high; i++)
			work.limb[i] = -work.limb[i];
		carry(&work);
		while (work.limb[work.high - 1] == 0)
			work.high--;
	}
	memset(result->limb, 0, sizeof(result->limb));
	for (int i = work.low; i < work.high; i++)
		result->limb[i] = (uint32_t) work.limb[i];
	for (low = work.low; result->limb[low] == 0; low++)
		;
	high = work.high - 1;
	result->low = 32 * low + __builtin_ctz(result->limb[low]);
	result->high = 32 * high + highest_bit(result->limb[high]);
}

/* The bits from .. from+63 of a magnitude, as an integer. */
static uint64_t
bits_from(const Magnitude *number, int from)
{
	WideUint	wide = 0;

	for (int i = 2; i >= 0; i--)
	{
		int			limb = (from >> 5) + i;

		wide <<= 32;
		if (limb < DYADIC_LIMBS)
			wide |= number->limb[limb];
	}
	return (uint64_t) (wide >> (from & 31));
}

/*
 * Write the one encoding of the sum; returns its length, 0 for the sum 0.
 * "out" has room for DYADIC_MAX_BYTES.
 */
int
dyadic_encode(const DyadicSum *sum, uint8_t *out)
{
	Magnitude	number;
	int			nbytes;
	uint8_t    *p = out;

	magnitude(sum, &number);
	if (number.sign == 0)
		return 0;
	nbytes = (number.high - number.low) / 8 + 1;
	p = varint_put(p, (uint64_t) number.low << 1 | (number.sign < 0));
	p = varint_put(p, (uint64_t) nbytes);
	for (int i = 0; i < nbytes; i++)
		*p++ = (uint8_t) bits_from(&number, number.low + 8 * i);
	return (int) (p - out);
}

/*
 * Check and take apart an encoded number; returns the byte after it, or NULL
 * when the bytes are none that dyadic_encode() writes.
 */
const uint8_t *
dyadic_parse(const uint8_t *p, const uint8_t *end, Dyadic *number)
{
	uint64_t	head,
				nbytes;

	if ((p = varint_get(p, end, &head)) == NULL ||
		(p = varint_get(p, end, &nbytes)) == NULL)
		return NULL;
	if (head >> 1 >= DYADIC_BITS || nbytes < 1 ||
		nbytes > DYADIC_NUMBER_BYTES || nbytes > (uint64_t) (end - p) ||
		(p[0] & 1) == 0 || p[nbytes - 1] == 0)
		return NULL;
	number->negative = head & 1;
	number->exponent = (int) (head >> 1);
	number->nbytes = (int) nbytes;
	number->bytes = p;
	if (number->exponent + 8 * (number->nbytes - 1) +
		highest_bit(p[nbytes - 1]) >= DYADIC_BITS)
		return NULL;
	return p + nbytes;
}

/*
 * Size of a number in units of 2^1024, rounded down: a sum of n float8s is
 * always below n.
 */
uint64_t
dyadic_excess(const Dyadic *number)
{
	uint64_t	excess = 0;

	for (int i = number->nbytes - 1; i >= 0; i--)
	{
		int			position = number->exponent + 8 * i - DYADIC_DOUBLE_BITS;

		if (position <= -8)
			break;
		if (position >= 0)
			excess |= (uint64_t) number->bytes[i] << position;
		else
			excess |= (uint64_t) number->bytes[i] >> -position;
	}
	return excess;
}

/*
 * The 53 highest bits, rounded half to even; *position is the bit number of
 * the lowest of them.  2^53 may come out.
 */
static uint64_t
leading_bits(const Magnitude *number, int *position)
{
	uint64_t	bits;
	bool		half;

	*position = number->high > 52 ? number->high - 52 : 0;
	bits = bits_from(number, *position) & ((1ULL << 53) - 1);
	if (*position == 0 || number->low >= *position)
		return bits;
	half = bits_from(number, *position - 1) & 1;
	if (half && (number->low < *position - 1 || (bits & 1)))
		bits++;
	return bits;
}

/* The float8 nearest to the sum, ties to even; infinite beyond the range. */
double
dyadic_round(const DyadicSum *sum)
{
	Magnitude	number;
	uint64_t	bits;
	int			position;

	magnitude(sum, &number);
	if (number.sign == 0)
		return 0;
	bits = leading_bits(&number, &position);
	return number.sign * ldexp((double) bits, position - 1074);
}

/*
 * Take the leading float8 out of the sum: sum = term * 2^scale + what is
 * left.  False, and nothing taken, when the sum is 0.  Scale is above 0 only
 * where a float8 would be infinite.
 */
bool
dyadic_take(DyadicSum *sum, double *term, int *scale)
{
	Magnitude	number;
	uint64_t	bits;
	int			position;

	magnitude(sum, &number);
	if (number.sign == 0)
		return false;
	bits = leading_bits(&number, &position);
	*scale = 0;
	if (position + 53 + (int) (bits >> 53) > DYADIC_DOUBLE_BITS)
		*scale = position + 53 + (int) (bits >> 53) - DYADIC_DOUBLE_BITS;
	*term = number.sign * ldexp((double) bits, position - 1074 - *scale);
	add_at(sum, bits, position, number.sign > 0);
	return true;
}

/*
 * The float8 shown for cents and a dyadic rest.  An amount alone comes back
 * as it was; "rest" may be NULL.
 */
double
amount_round(WideInt cents, const DyadicSum *rest)
{
	if (rest == NULL || rest->high == rest->low)
		return (double) cents / 100.0;
	if (cents == 0)
		return dyadic_round(rest);
	return (double) cents / 100.0 + dyadic_round(rest);
}
