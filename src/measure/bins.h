/*-------------------------------------------------------------------------
 *
 * bins.h
 *	  Rows of a ranking in bins of equal width or equal count.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_BINS_H
#define CHURN_BINS_H

#include "measure/ranking.h"

#define BINS_MAX	10000

typedef struct Bin
{
	double		low;			/* least score; NaN where none are kept */
	double		high;			/* greatest score */
	double		rows;
	double		churners;		/* a fraction where ties are split */
	Sum			score;			/* sum of scores */
} Bin;

/* nbins bins, lowest scores first; an empty one has rows 0 */
extern Bin *bins_by_width(const Ranking *ranking, int nbins);
extern Bin *bins_by_count(const Ranking *ranking, int nbins);

extern int	bins_check(int nbins);
extern bool bins_check_method(const char *method);

#endif							/* CHURN_BINS_H */
