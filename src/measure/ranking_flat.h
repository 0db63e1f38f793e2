/*-------------------------------------------------------------------------
 *
 * ranking_flat.h
 *	  The flat form of churn_ranking: between ranking.c and ranking_flat.c.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_RANKING_FLAT_H
#define CHURN_RANKING_FLAT_H

#include "measure/ranking.h"

extern const ExpandedObjectMethods ranking_flat_methods;

extern void ranking_unflatten(Ranking *ranking, Datum flat);
extern void ranking_copy_order(Ranking *into, const Ranking *from);
extern void ranking_check_order(const Ranking *ranking);
extern Datum ranking_flatten(Ranking *ranking);

#endif							/* CHURN_RANKING_FLAT_H */
