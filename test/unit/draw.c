/*
 * draw.c: the generator against SplitMix64's published numbers, the variates
 * against their moments.
 *
 * sources: src/simulate/draw.c
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "simulate/draw.h"

#define DRAWS	400000

static int	number = 0;
static int	failures = 0;

/* Print one TAP line. */
static void
ok(int good, const char *name)
{
	number++;
	failures += !good;
	printf("%s %d - %s\n", good ? "ok" : "not ok", number, name);
}

/* The first outputs for the seed 1234567, as many libraries print them. */
static void
test_splitmix(void)
{
	static const uint64_t want[] = {
		UINT64_C(6457827717110365317), UINT64_C(3203168211198807973),
		UINT64_C(9817491932198370423), UINT64_C(4593380528125082431),
		UINT64_C(16408922859458223821)
	};
	DrawStream	stream = {1234567};
	int			good = 1;

	for (int i = 0; i < 5; i++)
		good &= draw_bits(&stream) == want[i];
	ok(good, "SplitMix64 of 1234567");
}

/* Streams differ in every part of their key, and repeat. */
static void
test_streams(void)
{
	DrawStream	base = draw_stream(1, 2, 3);
	DrawStream	one = draw_substream(base, 1);
	DrawStream	other = draw_substream(base, 2);

	ok(base.state == draw_stream(1, 2, 3).state, "a stream repeats");
	ok(base.state != draw_stream(2, 2, 3).state &&
	   base.state != draw_stream(1, 3, 3).state &&
	   base.state != draw_stream(1, 2, 4).state &&
	   base.state != draw_stream(2, 1, 3).state, "its key counts");
	ok(one.state != other.state && one.state != base.state,
	   "a substream is its own");
}

/* Mean and variance of many draws within 4 standard errors. */
static void
check_moments(const char *name, double (*draw) (DrawStream *), double mean,
			  double variance, double kurtosis)
{
	DrawStream	stream = draw_stream(1, 1, 1);
	double		sum = 0.0,
				squares = 0.0;
	int			finite = 1;
	char		line[100];

	for (int i = 0; i < DRAWS; i++)
	{
		double		x = draw(&stream);

		finite &= isfinite(x);
		sum += x - mean;
		squares += (x - mean) * (x - mean) - variance;
	}
	snprintf(line, sizeof line, "%s: finite", name);
	ok(finite, line);
	snprintf(line, sizeof line, "%s: mean", name);
	ok(fabs(sum) < 4.0 * sqrt(variance * DRAWS), line);
	snprintf(line, sizeof line, "%s: variance", name);
	ok(fabs(squares) < 4.0 * variance * sqrt((kurtosis - 1.0) * DRAWS), line);
}

static double
gamma_small(DrawStream *stream)
{
	return draw_gamma(stream, 0.3, 2.0);
}

static double
gamma_one(DrawStream *stream)
{
	return draw_gamma(stream, 1.0, 0.5);
}

static double
gamma_large(DrawStream *stream)
{
	return draw_gamma(stream, 50.0, 10.0);
}

/* The ends of the uniform stay out, even for the extreme bits. */
static void
test_uniform_ends(void)
{
	double		low = 0.5 / 4503599627370496.0;
	double		high = ((double) (UINT64_MAX >> 12) + 0.5) / 4503599627370496.0;

	ok(low > 0.0 && high < 1.0, "0 and 1 are never drawn");
}

int
main(void)
{
	test_splitmix();
	test_streams();
	test_uniform_ends();
	check_moments("uniform", draw_uniform, 0.5, 1.0 / 12.0, 1.8);
	check_moments("exponential", draw_exponential, 1.0, 1.0, 9.0);
	check_moments("normal", draw_normal, 0.0, 1.0, 3.0);
	/* gamma: mean shape / rate, variance mean / rate, kurtosis 3 + 6 / shape */
	check_moments("gamma(0.3, 2)", gamma_small, 0.15, 0.075, 23.0);
	check_moments("gamma(1, 0.5)", gamma_one, 2.0, 4.0, 9.0);
	check_moments("gamma(50, 10)", gamma_large, 5.0, 0.5, 3.12);
	printf("1..%d\n", number);
	return failures > 0;
}
