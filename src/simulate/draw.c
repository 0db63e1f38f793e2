/*-------------------------------------------------------------------------
 *
 * draw.c
 *	  Random numbers that depend on (seed, user, purpose, index) alone.
 *
 * The generator is SplitMix64 (Steele, Lea, Flood 2014): a counter with a
 * fixed odd step, passed through a bijective mix.  A stream starts at a
 * hashed place of the counter's cycle of 2^64, so a user's draws for one
 * purpose depend neither on other users nor on how many draws another
 * purpose took.  Integers are the same on every machine; exponential, normal
 * and gamma draws go through log, cos, sqrt and pow, and so are as equal as
 * the machines' libm are.
 *
 *-------------------------------------------------------------------------
 */
#include "simulate/draw.h"

#include <math.h>

#define DRAW_STEP	UINT64_C(0x9E3779B97F4A7C15)
#define DRAW_UNIT	(1.0 / 4503599627370496.0)	/* 2^-52 */
#define DRAW_TWO_PI	6.283185307179586476925

/* The mix of SplitMix64: bijective, every input bit reaches every output. */
static uint64_t
draw_mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
	return x ^ (x >> 31);
}

/* The stream of one user for one purpose. */
DrawStream
draw_stream(uint64_t seed, uint64_t user, uint64_t purpose)
{
	uint64_t	key = draw_mix(seed + DRAW_STEP);

	key = draw_mix(key ^ user);
	return (DrawStream) {draw_mix(key + DRAW_STEP * (purpose + 1))};
}

/* A stream of its own for one item; the stream itself is not advanced. */
DrawStream
draw_substream(DrawStream stream, uint64_t item)
{
	return (DrawStream) {draw_mix(stream.state ^ draw_mix(item))};
}

/* The next 64 random bits. */
uint64_t
draw_bits(DrawStream *stream)
{
	stream->state += DRAW_STEP;
	return draw_mix(stream->state);
}

/*
 * The next number in (0, 1).  52 bits and a half: with 53 the largest would
 * round to 1.
 */
double
draw_uniform(DrawStream *stream)
{
	return ((double) (draw_bits(stream) >> 12) + 0.5) * DRAW_UNIT;
}

/* The next exponential number of mean 1, by inversion. */
double
draw_exponential(DrawStream *stream)
{
	return -log(draw_uniform(stream));
}

/* The next standard normal number (Box and Muller 1958), always two draws. */
double
draw_normal(DrawStream *stream)
{
	double		radius = sqrt(2.0 * draw_exponential(stream));

	return radius * cos(DRAW_TWO_PI * draw_uniform(stream));
}

/*
 * The next gamma number (Marsaglia and Tsang 2000).  A shape below 1 is drawn
 * with shape + 1 and scaled by U^(1 / shape); it may underflow to 0.
 */
double
draw_gamma(DrawStream *stream, double shape, double rate)
{
	double		boost = 1.0;
	double		d,
				c;

	if (shape < 1.0)
	{
		boost = pow(draw_uniform(stream), 1.0 / shape);
		shape += 1.0;
	}
	d = shape - 1.0 / 3.0;
	c = 1.0 / sqrt(9.0 * d);
	for (;;)
	{
		double		x = draw_normal(stream);
		double		v = 1.0 + c * x;

		if (v <= 0.0)
			continue;
		v = v * v * v;
		if (log(draw_uniform(stream)) < 0.5 * x * x + d - d * v + d * log(v))
			return boost * d * v / rate;
	}
}
