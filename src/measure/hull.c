/*-------------------------------------------------------------------------
 *
 * hull.c
 *	  The upper convex hull of the ROC curve.
 *
 * Thresholds off the hull are best for no cost and no success rate, so the
 * figures that search over thresholds (hmeasure.c, profit.c) need only its
 * corners.  Andrew's monotone chain on integer counts, so it is exact; the
 * points arrive in order, so it is linear, and it holds few of them: a convex
 * chain on an n by n grid has no more than about n^(2/3) corners.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "measure/hull.h"

#define FIRST_POINTS	64

/* Does b lie strictly above the line from a to c?  All left to right. */
static bool
is_corner(const HullPoint *a, const HullPoint *b, const HullPoint *c)
{
#ifdef HAVE_INT128
	typedef int128 Product;
#else
	typedef long double Product;
#endif
	Product		left = (Product) (b->churners - a->churners) *
		(c->stayers - b->stayers);
	Product		right = (Product) (c->churners - b->churners) *
		(b->stayers - a->stayers);

	return left > right;
}

/* Append a point that lies left of the last, dropping what it hides. */
static void
hull_add(Hull *hull, int *capacity, HullPoint point)
{
	while (hull->npoints >= 2 &&
		   !is_corner(&point, &hull->points[hull->npoints - 1],
					  &hull->points[hull->npoints - 2]))
		hull->npoints--;
	if (hull->npoints == *capacity)
	{
		*capacity *= 2;
		hull->points = repalloc(hull->points, *capacity * sizeof(HullPoint));
	}
	hull->points[hull->npoints++] = point;
}

/* Build the hull of a ranking; the memory is the current context's. */
void
hull_build(Hull *hull, const Ranking *ranking)
{
	HullPoint	point = {ranking->churners.nrows, ranking->stayers.nrows};
	int			capacity = FIRST_POINTS;
	RankReader	reader;
	TieGroup	group;

	hull->points = palloc(capacity * sizeof(HullPoint));
	hull->npoints = 0;
	hull_add(hull, &capacity, point);
	rank_reader_init(&reader, ranking);
	while (rank_reader_next(&reader, &group))
	{
		point.churners -= group.churners;
		point.stayers -= group.stayers;
		hull_add(hull, &capacity, point);
	}
	for (int i = 0, j = hull->npoints - 1; i < j; i++, j--)
	{
		HullPoint	swap = hull->points[i];

		hull->points[i] = hull->points[j];
		hull->points[j] = swap;
	}
}
