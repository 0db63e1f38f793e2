/*-------------------------------------------------------------------------
 *
 * bootstrap.h
 *	  The cluster bootstrap of areas under the ROC curve.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_BOOTSTRAP_H
#define CHURN_BOOTSTRAP_H

#include "measure/metric.h"

#define BOOTSTRAP_REPLICATES	1000
#define BOOTSTRAP_SEED			1
#define BOOTSTRAP_MOST			100000	/* replicates */

extern double bootstrap_key(text *key);
extern bool bootstrap_difference(const Ranking *keyed, Estimate *interval);
extern void bootstrap_set_params(FunctionCallInfo fcinfo, Ranking *ranking,
								 int first);

#endif							/* CHURN_BOOTSTRAP_H */
