/*-------------------------------------------------------------------------
 *
 * draw.h
 *	  Random numbers that depend on (seed, user, purpose, index) alone.
 *
 * Nothing of the server is needed here, so that the unit driver can link it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_DRAW_H
#define CHURN_DRAW_H

#include <stdint.h>

/* One sequence of draws; value i is the mix of the start plus i steps. */
typedef struct DrawStream
{
	uint64_t	state;
} DrawStream;

/* The stream of one user for one purpose. */
extern DrawStream draw_stream(uint64_t seed, uint64_t user, uint64_t purpose);

/* A stream of its own for one item (an event, say) of a stream. */
extern DrawStream draw_substream(DrawStream stream, uint64_t item);

extern uint64_t draw_bits(DrawStream *stream);
extern double draw_uniform(DrawStream *stream); /* in (0, 1), both ends out */
extern double draw_exponential(DrawStream *stream); /* mean 1, above 0 */
extern double draw_normal(DrawStream *stream);	/* mean 0, variance 1 */

/* Gamma with mean shape / rate; shape and rate must be above 0. */
extern double draw_gamma(DrawStream *stream, double shape, double rate);

#endif							/* CHURN_DRAW_H */
