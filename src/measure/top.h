/*-------------------------------------------------------------------------
 *
 * top.h
 *	  What the highest scores of a ranking hold.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_TOP_H
#define CHURN_TOP_H

#include "measure/ranking.h"

/* Expected churners among the "rows" highest scores; rows may be a fraction */
extern double top_churners(const Ranking *ranking, double rows);

#endif							/* CHURN_TOP_H */
