/*-------------------------------------------------------------------------
 *
 * figures.h
 *	  Several figures at once: composite results and rows.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_FIGURES_H
#define CHURN_FIGURES_H

#include "funcapi.h"
#include "utils/tuplestore.h"

#define FIGURES_MAX		32		/* columns of one row */

/* A row in the making: figures in the order of its columns. */
typedef struct Figures
{
	int			count;
	double		value[FIGURES_MAX];
	bool		null[FIGURES_MAX];
} Figures;

extern void figures_put(Figures *figures, double value);
extern void figures_put_if(Figures *figures, bool defined, double value);
extern Datum figures_record(FunctionCallInfo fcinfo, const Figures *figures);

/* A set-returning function that fills a tuplestore */
typedef struct FigureRows
{
	TupleDesc	desc;
	Tuplestorestate *store;
} FigureRows;

extern void figure_rows_begin(FigureRows *rows, FunctionCallInfo fcinfo);
extern void figure_rows_add(FigureRows *rows, const Figures *figures);

#endif							/* CHURN_FIGURES_H */
