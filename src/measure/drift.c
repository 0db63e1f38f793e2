/*-------------------------------------------------------------------------
 *
 * drift.c
 *	  How far two distributions are apart, and how far chance would take
 *	  them.
 *
 * With shares e (expected) and a (actual) of each cell:
 *
 *	  PSI			sum of (a - e) ln(a / e); an empty cell's share counts as
 *					0.0001, and only that of empty cells is touched
 *	  Jensen-Shannon	mean of the Kullback-Leibler divergences of e and a from
 *					their mean, in bits: 0 same, 1 disjoint; its root is a
 *					distance (Lin, IEEE Trans. Inf. Theory 37, 1991)
 *	  chi-square	of homogeneity of two samples of counts, df = cells - 1
 *	  KS			largest difference of the cumulated shares
 *
 * Without change PSI is about (1/n + 1/m) times a chi-square with cells - 1
 * degrees of freedom (Yurdakul, 2018), so its critical value is that of the
 * chi-square.  The KS p is Kolmogorov's limit, with n m / (n + m) rows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "measure/drift.h"
#include "measure/quantile.h"

/*
 * Cells of a two-sample ranking: cut after the values at which the expected
 * sample's cumulated share reaches 1/nbins, 2/nbins, … (the quantiles that
 * percentile_disc gives).  Ties stay in one cell, so there may be fewer.
 */
bool
cells_from_ranking(Cells *cells, const Ranking *ranking, int nbins)
{
	double		all = (double) ranking->stayers.nrows;
	double		seen = 0;		/* of the expected sample */
	int			cuts = 0;
	RankReader	reader;
	TieGroup	group;

	cells->expected = palloc0(nbins * sizeof(double));
	cells->actual = palloc0(nbins * sizeof(double));
	cells->count = 0;
	rank_reader_init(&reader, ranking);
	while (rank_reader_next(&reader, &group))
	{
		seen += (double) group.stayers;
		cells->expected[cells->count] += (double) group.stayers;
		cells->actual[cells->count] += (double) group.churners;
		if (cuts < nbins - 1 && seen * nbins >= all * (cuts + 1))
		{
			while (cuts < nbins - 1 && seen * nbins >= all * (cuts + 1))
				cuts++;
			if (seen < all)
				cells->count++;
		}
	}
	cells->count++;
	return cells_finish(cells);
}

/*
 * Leave out cells that are empty on both sides and add up the rest; false
 * where a side has no rows.
 */
bool
cells_finish(Cells *cells)
{
	int			kept = 0;
	Sum			expected = {0, 0};
	Sum			actual = {0, 0};

	for (int i = 0; i < cells->count; i++)
	{
		if (cells->expected[i] == 0 && cells->actual[i] == 0)
			continue;
		sum_add(&expected, cells->expected[i]);
		sum_add(&actual, cells->actual[i]);
		cells->expected[kept] = cells->expected[i];
		cells->actual[kept] = cells->actual[i];
		kept++;
	}
	cells->count = kept;
	cells->expected_total = sum_value(&expected);
	cells->actual_total = sum_value(&actual);
	return cells->expected_total > 0 && cells->actual_total > 0;
}

/* Population stability index. */
double
drift_psi(const Cells *cells, double empty_share)
{
	Sum			psi = {0, 0};

	for (int i = 0; i < cells->count; i++)
	{
		double		e = cells->expected[i] / cells->expected_total;
		double		a = cells->actual[i] / cells->actual_total;

		e = e > 0 ? e : empty_share;
		a = a > 0 ? a : empty_share;
		sum_add(&psi, (a - e) * log(a / e));
	}
	return sum_value(&psi);
}

/* PSI that samples of these sizes exceed by chance in 1 - level of cases. */
double
drift_psi_critical(double expected, double actual, int ncells, double level)
{
	if (ncells < 2)
		return 0;
	return (1 / expected + 1 / actual) *
		chi_square_quantile(level, ncells - 1);
}

/* PSI against chance; the cells hold counts. */
void
drift_psi_test(const Cells *cells, double level, DriftTest *test)
{
	double		scale = 1 / cells->expected_total + 1 / cells->actual_total;

	test->statistic = drift_psi(cells, DRIFT_EMPTY_SHARE);
	test->critical = drift_psi_critical(cells->expected_total,
										cells->actual_total,
										cells->count, level);
	test->df = cells->count - 1;
	test->p = cells->count < 2 ? 1 :
		chi_square_upper(test->statistic / scale, test->df);
}

/* x log2(x / mean), 0 for 0. */
static double
bits(double x, double mean)
{
	return x > 0 ? x * log2(x / mean) : 0;
}

/* Jensen-Shannon divergence, in bits. */
double
drift_js(const Cells *cells)
{
	Sum			js = {0, 0};

	for (int i = 0; i < cells->count; i++)
	{
		double		e = cells->expected[i] / cells->expected_total;
		double		a = cells->actual[i] / cells->actual_total;
		double		mean = (e + a) / 2;

		sum_add(&js, (bits(e, mean) + bits(a, mean)) / 2);
	}
	return Max(0, sum_value(&js));
}

/* Chi-square test that two samples of counts have one distribution. */
void
drift_chi_square(const Cells *cells, DriftTest *test)
{
	double		e_weight = sqrt(cells->actual_total / cells->expected_total);
	double		a_weight = sqrt(cells->expected_total / cells->actual_total);
	Sum			sum = {0, 0};

	for (int i = 0; i < cells->count; i++)
	{
		double		gap = e_weight * cells->expected[i] -
			a_weight * cells->actual[i];

		sum_add(&sum, gap * gap / (cells->expected[i] + cells->actual[i]));
	}
	test->statistic = sum_value(&sum);
	test->df = cells->count - 1;
	test->critical = cells->count < 2 ? 0 :
		chi_square_quantile(0.95, test->df);
	test->p = cells->count < 2 ? 1 :
		chi_square_upper(test->statistic, test->df);
}

/* Largest difference of the cumulated shares of ordered cells. */
double
drift_cells_ks(const Cells *cells)
{
	double		e = 0;
	double		a = 0;
	double		largest = 0;

	for (int i = 0; i < cells->count; i++)
	{
		double		distance;

		e += cells->expected[i];
		a += cells->actual[i];
		distance = fabs(e / cells->expected_total - a / cells->actual_total);
		largest = Max(largest, distance);
	}
	return largest;
}

/* A KS distance between samples of these sizes against chance. */
void
drift_ks_test(double distance, double expected, double actual,
			  DriftTest *test)
{
	double		root = sqrt(expected * actual / (expected + actual));

	test->statistic = distance;
	test->critical = kolmogorov_quantile(0.95) / root;
	test->df = 0;
	test->p = kolmogorov_upper(distance * root);
}
