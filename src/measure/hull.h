/*-------------------------------------------------------------------------
 *
 * hull.h
 *	  The upper convex hull of the ROC curve, in counts.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_HULL_H
#define CHURN_HULL_H

#include "measure/ranking.h"

/* A threshold: the rows at or above it */
typedef struct HullPoint
{
	int64		churners;
	int64		stayers;
} HullPoint;

/* From no rows to all rows; both are always there.  No three on a line. */
typedef struct Hull
{
	HullPoint  *points;
	int			npoints;
} Hull;

extern void hull_build(Hull *hull, const Ranking *ranking);

#endif							/* CHURN_HULL_H */
