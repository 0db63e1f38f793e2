/*-------------------------------------------------------------------------
 *
 * information_bins.c
 *	  Weight of evidence of a column's bins, and values that tell too much.
 *
 * Weight of evidence of a bin and information value of a column as in N.
 * Siddiqi, "Credit Risk Scorecards" (2006), chapter 6, with the sign turned,
 * so that a positive weight is a higher risk:
 *
 *	  woe = ln(p / q),	iv = sum over bins of (p - q) * woe
 *
 * p is the bin's share of all churners, q its share of all who stayed; half
 * a row is added to each class of each bin, so that both stay finite.
 *
 * A value tells too much when at least 30 rows and 1 % of all have it, more
 * than 99 % or less than 1 % of these churned, the whole is on the other side
 * by .05 at least, and chance is no explanation: with d the divergence of
 * Kullback and Leibler of the two shares, exp(-rows * d) bounds the
 * probability of a share as extreme (Chernoff), and is below a millionth.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "learn/information.h"

#define SMOOTHING		0.5		/* rows added to each class of a bin */
#define TELLING_ROWS	30
#define TELLING_SHARE	0.01	/* of all rows */
#define TELLING_RATE	0.01	/* churn rate, or 1 less it */
#define TELLING_AWAY	0.05	/* from the rate of all rows */
#define TELLING_SURPRISE 13.8155105579642741	/* ln of a million */

void
information_weigh(const InformationRows *rows, InformationFigures *figures)
{
	double		churned = (double) rows->nchurned + SMOOTHING * figures->nbins;
	double		stayed = (double) (rows->nrows - rows->nchurned) +
		SMOOTHING * figures->nbins;

	figures->iv = 0;
	for (int i = 0; i < figures->nbins; i++)
	{
		InformationBin *bin = &figures->bins[i];
		double		p = ((double) bin->churned + SMOOTHING) / churned;
		double		q = ((double) (bin->rows - bin->churned) + SMOOTHING) /
			stayed;

		bin->woe = log(p / q);
		figures->iv += (p - q) * bin->woe;
	}
}

/* share * ln(share / base), which is 0 for a share of 0 */
static double
divergence_part(double share, double base)
{
	return share > 0 ? share * log(share / base) : 0;
}

void
information_note(const InformationRows *rows, const InformationBin *value,
				 InformationFigures *figures)
{
	double		base = (double) rows->nchurned / (double) rows->nrows;
	double		rate,
				surprise;

	if (value->rows < TELLING_ROWS ||
		(double) value->rows < TELLING_SHARE * (double) rows->nrows)
		return;
	rate = (double) value->churned / (double) value->rows;
	if (!(rate > 1 - TELLING_RATE && base < rate - TELLING_AWAY) &&
		!(rate < TELLING_RATE && base > rate + TELLING_AWAY))
		return;
	surprise = (double) value->rows * (divergence_part(rate, base) +
									   divergence_part(1 - rate, 1 - base));
	if (surprise <= TELLING_SURPRISE || surprise <= figures->surprise)
		return;
	figures->tells = true;
	figures->surprise = surprise;
	figures->telling = *value;
}
