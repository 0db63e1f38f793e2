/*-------------------------------------------------------------------------
 *
 * tap.h
 *	  What a unit driver prints: TAP lines.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_TAP_H
#define CHURN_TAP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

static int	tap_tests = 0;
static int	tap_failures = 0;

/* Report one test. */
static inline void
tap_ok(bool passed, const char *name)
{
	tap_tests++;
	tap_failures += !passed;
	printf("%s %d - %s\n", passed ? "ok" : "not ok", tap_tests, name);
}

/* Print the plan; the driver's exit status. */
static inline int
tap_done(void)
{
	printf("1..%d\n", tap_tests);
	return tap_failures > 0;
}

/* A repeatable random number (splitmix64). */
static inline uint64_t
tap_random(uint64_t *seed)
{
	uint64_t	x = *seed += 0x9e3779b97f4a7c15;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

#endif							/* CHURN_TAP_H */
