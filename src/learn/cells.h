/*-------------------------------------------------------------------------
 *
 * cells.h
 *	  Bins, levels and cells of a model as columns of a result.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_CELLS_H
#define CHURN_CELLS_H

#include "learn/model.h"
#include "learn/result.h"

/* The texts of the levels of an input, whose term is of levels */
extern char **cells_levels(const Model *model, int input);

/*
 * From (inclusive) and to (exclusive) of a bin, open ends NULL; the bin
 * behind the last is "missing" in column "level".
 */
extern void cells_put_bin(ResultRow *row, const double *cuts, int ncuts,
						  int bin, int low, int high, int level);

/* One side of a pair: a bin, or a level and "other" */
extern void cells_put_side(ResultRow *row, const Model *model,
						   const ModelSide *side, int bin, int low, int high,
						   int level);

#endif							/* CHURN_CELLS_H */
