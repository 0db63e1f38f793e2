/*-------------------------------------------------------------------------
 *
 * limits.h
 *	  Columns in codes whose scored curve may not fall, or not rise.
 *
 * Free of server calls.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_LIMITS_H
#define CHURN_LIMITS_H

#include "learn/newton.h"

/* A pair that holds a column under a limit */
typedef struct LimitPair
{
	int			block;
	int			side;			/* 0 or 1: which axis the column is */
} LimitPair;

/* A column under a limit: a chain of codes from bin to bin */
typedef struct LimitChain
{
	int			block;			/* of the column itself */
	int			nbins;			/* known codes */
	int			sign;			/* 1: never falls, -1: never rises */
	const uint8_t *coarse_of;	/* code in pairs, by code */
	int			npairs;
	LimitPair  *pairs;
} LimitChain;

/*
 * One inequality, a'w >= 0: the score's step over one border of a chain,
 * for one choice of the partners' codes.
 */
typedef struct Limit
{
	int			chain;
	int			border;			/* between the codes border and border + 1 */
	int			n;
	int		   *at;				/* n weights, */
	double	   *a;				/* and what they count, sign included */
	double		multiplier;		/* >= 0 */
	bool		active;			/* pushes at the point last looked at */
} Limit;

typedef struct Limits
{
	int			nchains;
	LimitChain *chains;
	void	   *(*allocate) (size_t size);
	int			n;
	int			room;
	Limit	   *list;
	double		strength;		/* of the penalty, beside the multipliers */
	int			nactive;
	size_t		solved_room;	/* numbers in "solved" and "factor" */
	double	   *solved;			/* per active one, by weight: M^-1 a */
	double	   *factor;			/* Cholesky factor of 1/r + A M^-1 A' */
	double	   *shares;			/* per active one */
} Limits;

/*
 * newton_fit(), for the least objective within problem->limits.  The
 * inequalities that matter and their multipliers are left there.  At the
 * end the limits hold exactly but for rounding.  NULL: newton_fit() itself.
 */
extern int	limits_fit(const CodeProblem *problem, double tolerance,
					   void *memory, double *weights, double *scores);

/* ---- for newton.c: what is added to objective, gradient and Hessian ---- */

extern double limits_loss(const Limits *limits, const double *weights);

/* Notes which inequalities are active at "weights". */
extern void limits_gradient(Limits *limits, const double *weights,
							double *gradient);
extern void limits_product(const Limits *limits, const double *search,
						   double *product);

/*
 * The preconditioner M with r A'A of the active inequalities added, by the
 * formula of Woodbury: prepare once a step, then mend M^-1 x in place.
 */
extern void limits_prepare(Limits *limits,
						   const Preconditioner *preconditioner);
extern void limits_precondition(const Limits *limits, double *x,
								int nweights);

/* Score's least step over a border, by sign; the partners' codes that give it */
extern double limits_least_step(const CodeProblem *problem,
								const LimitChain *chain, int border,
								const double *weights, int *partners);

#endif							/* CHURN_LIMITS_H */
