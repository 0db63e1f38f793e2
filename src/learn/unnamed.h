/*-------------------------------------------------------------------------
 *
 * unnamed.h
 *	  Inputs that must not be named as reasons.
 *
 * A person marks them by their names, by a pattern with * for any letters,
 * or, where features are of histories, by a kind of events: then by every
 * feature whose words would name the kind.  The names are kept as they were
 * given, in the model's provenance under "unnamed".
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_UNNAMED_H
#define CHURN_UNNAMED_H

#include "history/features.h"
#include "learn/model.h"

/*
 * Set marked[] for the inputs that a name means; how many it means.  The
 * list is of the model's spec; NULL for a model fitted on columns.
 */
extern int	unnamed_mark(const Model *model, const FeatureList *list,
						 const char *name, bool *marked);

/* Raise 42703 unless every name means an input. */
extern void unnamed_check(const Model *model, char **names, int n);

/* The names in a model's provenance; palloc'd */
extern char **unnamed_names(const Model *model, int *n);

#endif							/* CHURN_UNNAMED_H */
