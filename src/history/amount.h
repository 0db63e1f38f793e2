/*-------------------------------------------------------------------------
 *
 * amount.h
 *	  Money that adds up exactly, in any order.
 *
 * An amount is kept as a whole number of cents where the float8 is the one
 * nearest to such a number, as nearly all money is.  Any other float8 is a
 * dyadic number (an integer times a power of two) and is added exactly, too.
 * Sums keep the two parts apart: integers and dyadic numbers are each added
 * without rounding, so the order of additions cannot show.
 *
 * No server calls: the unit drivers compile this alone.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_AMOUNT_H
#define CHURN_AMOUNT_H

#include "history/varint.h"

/*
 * Below this, neighbouring cents are always different float8s, and x * 100
 * is never further than half a cent from the cents of x.
 */
#define AMOUNT_CENT_BITS	50

/*
 * A dyadic sum is an integer of bits 0 .. DYADIC_BITS-1, in units of the
 * least float8, 2^-1074.  float8s end below bit DYADIC_DOUBLE_BITS; the 64
 * bits above are room for 2^63 of them.
 */
#define DYADIC_DOUBLE_BITS	2098
#define DYADIC_BITS			(DYADIC_DOUBLE_BITS + 64)
#define DYADIC_LIMBS		69	/* 32 bits each, one for the carry */
#define DYADIC_NUMBER_BYTES	((DYADIC_BITS + 7) / 8)
#define DYADIC_MAX_BYTES	(4 + 4 * DYADIC_LIMBS)	/* encoded, even a sum
												 * that is out of range */

/* A running sum; all zero is the empty one. */
typedef struct DyadicSum
{
	int64_t		limb[DYADIC_LIMBS]; /* sum of limb[i] * 2^(32 i - 1074) */
	int			low;			/* limbs outside [low, high) are 0 */
	int			high;
	uint32_t	additions;		/* since the last carry; below 2^30 */
} DyadicSum;

/* An encoded dyadic number, checked and taken apart */
typedef struct Dyadic
{
	bool		negative;
	int			exponent;		/* bit number of the lowest bit */
	int			nbytes;
	const uint8_t *bytes;		/* odd integer, least significant first */
} Dyadic;

extern void dyadic_reset(DyadicSum *sum);
extern void dyadic_add(DyadicSum *sum, double value, int scale);
extern void dyadic_add_encoded(DyadicSum *sum, const Dyadic *number);
extern int	dyadic_encode(const DyadicSum *sum, uint8_t *out);
extern const uint8_t *dyadic_parse(const uint8_t *p, const uint8_t *end,
								   Dyadic *number);
extern uint64_t dyadic_excess(const Dyadic *number);
extern double dyadic_round(const DyadicSum *sum);
extern bool dyadic_take(DyadicSum *sum, double *term, int *scale);

extern double amount_round(WideInt cents, const DyadicSum *rest);

/*
 * The cents of an amount, or false where it has none.  -0 is 0.
 */
static inline bool
amount_to_cents(double amount, int64_t *cents)
{
	int64_t		nearest;

	if (!(amount > -1e13 && amount < 1e13))
		return false;
	nearest = (int64_t) (amount * 100.0 + (amount < 0 ? -0.5 : 0.5));
	*cents = nearest;
	return (double) nearest / 100.0 == amount;
}

/* Whether a sum of "count" amounts in cents can be this large. */
static inline bool
amount_cents_fit(WideInt cents, int64_t count)
{
	WideUint	size = cents < 0 ? -(WideUint) cents : (WideUint) cents;

	return (size >> AMOUNT_CENT_BITS) < (WideUint) count;
}

#endif							/* CHURN_AMOUNT_H */
