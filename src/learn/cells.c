/*-------------------------------------------------------------------------
 *
 * cells.c
 *	  Bins, levels and cells of a model as columns of a result.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "learn/cells.h"

char **
cells_levels(const Model *model, int input)
{
	for (int i = 0; i < model->nterms; i++)
		if (model->terms[i].input == input)
			return model->terms[i].levels;
	return NULL;				/* not reached: the model is valid */
}

void
cells_put_bin(ResultRow *row, const double *cuts, int ncuts, int bin, int low,
			  int high, int level)
{
	if (bin > ncuts)
		result_text(row, level, "missing");
	else
	{
		if (bin > 0)
			result_number(row, low, cuts[bin - 1]);
		if (bin < ncuts)
			result_number(row, high, cuts[bin]);
	}
}

void
cells_put_side(ResultRow *row, const Model *model, const ModelSide *side,
			   int bin, int low, int high, int level)
{
	if (side->levels && bin <= side->ncuts)
		result_text(row, level, bin == side->ncuts ? "other" :
					cells_levels(model, side->input)[bin]);
	else
		cells_put_bin(row, side->cuts, side->ncuts, bin, low, high, level);
}
