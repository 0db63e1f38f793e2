/*-------------------------------------------------------------------------
 *
 * drift.h
 *	  Two distributions over the same cells: between drift.c, which measures
 *	  them, and drift_sql.c, which gets them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_DRIFT_H
#define CHURN_DRIFT_H

#include "measure/ranking.h"

#define DRIFT_EMPTY_SHARE	0.0001	/* what an empty cell counts as, PSI only */
#define DRIFT_MAX_CELLS		1000000

/* Cells without a row on either side are left out. */
typedef struct Cells
{
	int			count;
	double	   *expected;		/* rows of each cell, or shares */
	double	   *actual;
	double		expected_total; /* above 0 */
	double		actual_total;	/* above 0 */
} Cells;

/* A statistic against chance */
typedef struct DriftTest
{
	double		statistic;
	double		critical;		/* exceeded by chance in 1 - level of cases */
	double		df;				/* degrees of freedom, where there are any */
	double		p;
} DriftTest;

extern bool cells_from_ranking(Cells *cells, const Ranking *ranking, int nbins);
extern bool cells_finish(Cells *cells);

extern double drift_psi(const Cells *cells, double empty_share);
extern double drift_psi_critical(double expected, double actual, int ncells,
								 double level);
extern void drift_psi_test(const Cells *cells, double level, DriftTest *test);
extern double drift_js(const Cells *cells);
extern void drift_chi_square(const Cells *cells, DriftTest *test);
extern double drift_cells_ks(const Cells *cells);
extern void drift_ks_test(double distance, double expected, double actual,
						  DriftTest *test);

#endif							/* CHURN_DRIFT_H */
