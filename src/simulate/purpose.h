/*-------------------------------------------------------------------------
 *
 * purpose.h
 *	  What the shop draws random numbers for, and what two files share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_PURPOSE_H
#define CHURN_PURPOSE_H

/*
 * One stream each, so that a switch changes what it is about and nothing
 * else.  The numbers are part of the result: new ones go to the end.
 */
typedef enum DrawPurpose
{
	DRAW_IS_BOT,
	DRAW_JOINED,
	DRAW_BOT,
	DRAW_RATE,
	DRAW_HAZARD,
	DRAW_LIFETIME,
	DRAW_SPEND,
	DRAW_VISIT_RATE,
	DRAW_TROUBLE,
	DRAW_ORDERS,
	DRAW_BASKET,
	DRAW_AFTERMATH,
	DRAW_VISITS,
	DRAW_LATE
} DrawPurpose;

/*
 * Gamma-Gamma: an order's amount ~ Gamma(p, p / level), level = p / v with
 * v ~ Gamma(q, gamma).  The mean over users is p gamma / (q - 1) = 40.
 */
#define SPEND_P			6.0
#define SPEND_Q			4.0
#define SPEND_GAMMA		20.0

#endif							/* CHURN_PURPOSE_H */
