/*
 * sources: src/history/amount.c
 *
 * Exact money: cents, dyadic sums, rounding, encoding.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "history/amount.h"

/* A random finite float8 of any size, or of a kind that is hard. */
static double
random_double(uint64_t *seed)
{
	uint64_t	bits = tap_random(seed);
	double		value;

	switch (bits & 7)
	{
		case 0:
			return (double) (int64_t) (tap_random(seed) >> 40) / 1000.0;
		case 1:
			return ldexp(1, (int) (tap_random(seed) % 2000) - 1000);
		case 2:
			bits = tap_random(seed) >> 12;	/* subnormal */
			break;
		default:
			bits = tap_random(seed);
	}
	memcpy(&value, &bits, sizeof(value));
	return isfinite(value) ? value : 1.7976931348623157e308;
}

static bool
same_bits(double a, double b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

/* Every number of cents in a range comes back; neighbours do not. */
static bool
check_cents(int64_t from, int64_t to)
{
	for (int64_t cents = from; cents < to; cents++)
	{
		double		amount = (double) cents / 100.0;
		int64_t		back;

		if (!amount_to_cents(amount, &back) || back != cents)
			return false;
		if (!same_bits(amount_round(back, NULL), amount + 0.0))
			return false;
		if (cents != 0 && amount_to_cents(nextafter(amount, 1e300), &back))
			return false;
	}
	return true;
}

/* A single float8 comes back bit for bit through its encoding. */
static bool
check_single(uint64_t *seed)
{
	for (int i = 0; i < 50000; i++)
	{
		double		value = random_double(seed);
		DyadicSum	sum = {0};
		DyadicSum	back = {0};
		uint8_t		bytes[DYADIC_MAX_BYTES];
		Dyadic		number;
		int			nbytes;

		dyadic_add(&sum, value, 0);
		nbytes = dyadic_encode(&sum, bytes);
		if (value == 0)
		{
			if (nbytes != 0)
				return false;
			continue;
		}
		if (!same_bits(dyadic_round(&sum), value) || nbytes > 12 ||
			dyadic_parse(bytes, bytes + nbytes, &number) != bytes + nbytes)
			return false;
		dyadic_add_encoded(&back, &number);
		if (!same_bits(dyadic_round(&back), value) ||
			dyadic_excess(&number) != 0)
			return false;
	}
	return true;
}

/*
 * Sums in any order, and through encoded partial sums, have equal bytes, and
 * taking all of them out again leaves 0.
 */
static bool
check_orders(uint64_t *seed)
{
	for (int round = 0; round < 2000; round++)
	{
		int			n = 1 + (int) (tap_random(seed) % 20);
		double		value[20];
		DyadicSum	forth = {0},
					back = {0},
					parts = {0};
		uint8_t		a[DYADIC_MAX_BYTES],
					b[DYADIC_MAX_BYTES],
					c[DYADIC_MAX_BYTES];
		int			na,
					nb,
					nc;

		for (int i = 0; i < n; i++)
			value[i] = random_double(seed);
		for (int i = 0; i < n; i++)
		{
			DyadicSum	one = {0};
			Dyadic		number;

			dyadic_add(&forth, value[i], 0);
			dyadic_add(&back, value[n - 1 - i], 0);
			dyadic_add(&one, value[n - 1 - i], 0);
			nc = dyadic_encode(&one, c);
			if (nc > 0)
			{
				if (!dyadic_parse(c, c + nc, &number))
					return false;
				dyadic_add_encoded(&parts, &number);
			}
		}
		na = dyadic_encode(&forth, a);
		nb = dyadic_encode(&back, b);
		nc = dyadic_encode(&parts, c);
		if (na != nb || na != nc || memcmp(a, b, (size_t) na) != 0 ||
			memcmp(a, c, (size_t) na) != 0)
			return false;
		for (int i = 0; i < n; i++)
			dyadic_add(&forth, -value[i], 0);
		if (dyadic_encode(&forth, a) != 0 || dyadic_round(&forth) != 0)
			return false;
	}
	return true;
}

/* The terms taken out add up to the sum again; beyond float8, too. */
static bool
check_terms(uint64_t *seed)
{
	for (int round = 0; round < 2000; round++)
	{
		DyadicSum	sum = {0},
					again = {0};
		uint8_t		a[DYADIC_MAX_BYTES],
					b[DYADIC_MAX_BYTES];
		double		term;
		int			na,
					scale,
					terms = 0;

		for (int i = (int) (tap_random(seed) % 12); i >= 0; i--)
			dyadic_add(&sum, random_double(seed),
					   (int) (tap_random(seed) % 60));
		na = dyadic_encode(&sum, a);
		while (dyadic_take(&sum, &term, &scale))
		{
			if (!isfinite(term) || term == 0 || scale < 0 || scale > 64 ||
				++terms > 60)
				return false;
			dyadic_add(&again, term, scale);
		}
		if (dyadic_encode(&again, b) != na || memcmp(a, b, (size_t) na) != 0)
			return false;
	}
	return true;
}

/* Rounding agrees with the hardware where two float8s are added. */
static bool
check_rounding(uint64_t *seed)
{
	for (int i = 0; i < 200000; i++)
	{
		double		x = random_double(seed);
		double		y = ldexp(random_double(seed), 0);
		DyadicSum	sum = {0};

		/* often near each other, so that bits are lost by halves */
		if (i & 1)
			y = x * ((double) (int64_t) tap_random(seed) * 0x1p-70);
		if (!isfinite(y))
			continue;
		dyadic_add(&sum, x, 0);
		dyadic_add(&sum, y, 0);
		if (x + y != dyadic_round(&sum))
			return false;
	}
	return true;
}

/* Ten million additions into one sum: carries are in time. */
static bool
check_many(void)
{
	DyadicSum	sum = {0};

	for (int i = 0; i < 10000000; i++)
		dyadic_add(&sum, 0x1.fffffffffffffp+0, 0);
	return dyadic_round(&sum) == 0x1.fffffffffffffp+0 * 10000000;
}

/* The parser survives any bytes, and accepts only what is canonical. */
static bool
check_hostile(uint64_t *seed)
{
	for (int round = 0; round < 200000; round++)
	{
		size_t		n = tap_random(seed) % 40;
		uint8_t    *bytes = malloc(n + 1);	/* exact, for the sanitizer */
		Dyadic		number;
		const uint8_t *end;

		bytes = realloc(bytes, n > 0 ? n : 1);
		for (size_t i = 0; i < n; i++)
			bytes[i] = (uint8_t) tap_random(seed);
		if (n > 1)
			bytes[1] &= 31;
		end = dyadic_parse(bytes, bytes + n, &number);
		if (end != NULL)
		{
			DyadicSum	sum = {0};
			uint8_t		again[DYADIC_MAX_BYTES];

			dyadic_add_encoded(&sum, &number);
			if (dyadic_encode(&sum, again) != end - bytes ||
				memcmp(again, bytes, (size_t) (end - bytes)) != 0)
				return false;
		}
		free(bytes);
	}
	return true;
}

int
main(void)
{
	uint64_t	seed = 1;
	int64_t		cents;

	tap_ok(check_cents(-200000, 200000), "small amounts are cents");
	tap_ok(check_cents(999999999900000, 999999999999999),
		   "the largest amounts are cents");
	tap_ok(!amount_to_cents(0.001, &cents) && !amount_to_cents(1e300, &cents) &&
		   !amount_to_cents(NAN, &cents) && !amount_to_cents(INFINITY, &cents),
		   "other amounts are not");
	tap_ok(amount_to_cents(-0.0, &cents) && cents == 0, "minus zero is zero");
	tap_ok(check_single(&seed), "one float8 comes back to the bit");
	tap_ok(check_orders(&seed), "sums do not depend on the order");
	tap_ok(check_terms(&seed), "terms add up to their sum");
	tap_ok(check_rounding(&seed), "rounding is that of the hardware");
	tap_ok(check_many(), "ten million additions");
	tap_ok(check_hostile(&seed), "random bytes are refused or canonical");
	return tap_done();
}
