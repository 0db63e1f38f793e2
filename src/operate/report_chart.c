/*-------------------------------------------------------------------------
 *
 * report_chart.c
 *	  Charts as inline SVG: a frame with scales, and what is drawn in it.
 *
 * A drawing is 400 units wide, about the width of a phone, so that its text
 * is readable there and grows a little on a desk.  Colours are classes of
 * report_style.c, so light, dark and print are one drawing.  Every chart has
 * a title and a description for those who do not see it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "operate/report.h"

/* Against scales that are no scales */
#define MAX_TICKS	40

/* Open the drawing; its description follows by chart_describe(). */
void
chart_begin(Chart *chart, Page *page, double height, const char *title)
{
	int			id = ++page->charts;

	chart->page = page;
	chart->width = CHART_WIDTH;
	chart->height = height;
	page_printf(page, "<figure class=\"chart\"><svg role=\"img\" viewBox=\"0 "
			"0 %g %g\" aria-labelledby=\"t%d d%d\"><title id=\"t%d\">",
				chart->width, height, id, id, id);
	page_text(page, title);
	page_raw(page, "</title>");
	chart_area(chart, 40, 22, CHART_WIDTH - 12, height - 40);
}

/* Say in words what the drawing shows; once, before anything is drawn. */
void
chart_describe(Chart *chart, Facts facts, const char *sentence)
{
	Page	   *page = chart->page;
	Page		plain = *page;
	char	   *s;

	/* <desc> holds text alone: the markup of figures is taken out */
	initStringInfo(&plain.out);
	page_say(&plain, facts, sentence);
	page_printf(page, "<desc id=\"d%d\">", page->charts);
	for (s = plain.out.data; *s; s++)
	{
		if (*s == '<')
			s = strchr(s, '>');
		else
			appendStringInfoChar(&page->out, *s);
	}
	page_raw(page, "</desc>");
}

/* Edges of the plot in the drawing */
void
chart_area(Chart *chart, double left, double top, double right, double bottom)
{
	chart->left = left;
	chart->top = top;
	chart->right = right;
	chart->bottom = bottom;
}

/* Values at those edges; an empty range is widened. */
void
chart_scale(Chart *chart, double x0, double x1, double y0, double y1)
{
	chart->x0 = x0;
	chart->x1 = x1 > x0 ? x1 : x0 + 1;
	chart->y0 = y0;
	chart->y1 = y1 > y0 ? y1 : y0 + 1;
}

/* Where a value lies in the drawing */
double
chart_x(const Chart *chart, double x)
{
	return chart->left + (x - chart->x0) / (chart->x1 - chart->x0) *
		(chart->right - chart->left);
}

/* The same, upwards */
double
chart_y(const Chart *chart, double y)
{
	return chart->bottom - (y - chart->y0) / (chart->y1 - chart->y0) *
		(chart->bottom - chart->top);
}

/* A line through points; a point that is NaN breaks it. */
void
chart_line(Chart *chart, const char *class_name, const double *x,
		   const double *y, int n)
{
	bool		down = false;

	page_printf(chart->page, "<path class=\"%s\" d=\"", class_name);
	for (int i = 0; i < n; i++)
	{
		if (isnan(x[i]) || isnan(y[i]))
			down = false;
		else
		{
			page_printf(chart->page, "%c%.1f %.1f", down ? 'L' : 'M',
						chart_x(chart, x[i]), chart_y(chart, y[i]));
			down = true;
		}
	}
	page_raw(chart->page, "\"/>");
}

/* The area between two lines; points with a NaN are left out. */
void
chart_band(Chart *chart, const char *class_name, const double *x,
		   const double *low, const double *high, int n)
{
	bool		down = false;

	page_printf(chart->page, "<path class=\"%s\" d=\"", class_name);
	for (int i = 0; i < 2 * n; i++)
	{
		int			at = i < n ? i : 2 * n - 1 - i;

		if (isnan(low[at]) || isnan(high[at]))
			continue;
		page_printf(chart->page, "%c%.1f %.1f", down ? 'L' : 'M',
					chart_x(chart, x[at]),
					chart_y(chart, i < n ? high[at] : low[at]));
		down = true;
	}
	page_raw(chart->page, down ? "Z\"/>" : "\"/>");
}

/* From here on places are those of the drawing, not values. */
void
chart_segment(Chart *chart, const char *class_name, double x0, double y0,
			  double x1, double y1)
{
	page_printf(chart->page,
				"<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" "
						"y2=\"%.1f\"/>",
				class_name, x0, y0, x1, y1);
}

/* A rectangle; opacity 1 is left to the style. */
void
chart_box(Chart *chart, const char *class_name, double x, double y,
		  double width, double height, double opacity)
{
	page_printf(chart->page,
				"<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
						"height=\"%.1f\"",
				class_name, x, y, Max(width, 0), Max(height, 0));
	if (opacity < 1)
		page_printf(chart->page, " fill-opacity=\"%.2f\"", opacity);
	page_raw(chart->page, "/>");
}

/* A filled or open circle */
void
chart_dot(Chart *chart, const char *class_name, double x, double y,
		  double radius)
{
	page_printf(chart->page,
				"<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%g\"/>",
				class_name, x, y, radius);
}

/* Text at a place; anchor is start, middle or end. */
void
chart_label(Chart *chart, const char *class_name, double x, double y,
			const char *anchor, const char *text)
{
	page_printf(chart->page,
				"<text class=\"%s\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">",
				class_name, x, y, anchor);
	page_text(chart->page, text);
	page_raw(chart->page, "</text>");
}

/* A step of 1, 2 or 5 times a power of ten that fits about so many times */
static double
round_step(double range, int steps)
{
	double		raw = range / Max(steps, 1);
	double		power = pow(10, floor(log10(raw)));
	double		digit = raw / power;

	return power * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
}

/* Hairlines across with their values at the left */
void
chart_y_axis(Chart *chart, const char *style, int steps)
{
	double		step = round_step(chart->y1 - chart->y0, steps);

	for (int i = 0; i < MAX_TICKS; i++)
	{
		double		value = (ceil(chart->y0 / step - 1e-9) + i) * step;
		double		y = chart_y(chart, value);

		if (!(value <= chart->y1 + step * 1e-9))
			break;
		chart_segment(chart, value == 0 ? "axis" : "grid", chart->left, y,
					  chart->right, y);
		chart_label(chart, "tick", chart->left - 6, y + 4, "end",
					number_words(value, style));
	}
}

/* Values below the plot */
void
chart_x_axis(Chart *chart, const char *style, int steps)
{
	double		step = round_step(chart->x1 - chart->x0, steps);

	chart_segment(chart, "axis", chart->left, chart->bottom, chart->right,
				  chart->bottom);
	for (int i = 0; i < MAX_TICKS; i++)
	{
		double		value = (ceil(chart->x0 / step - 1e-9) + i) * step;

		if (!(value <= chart->x1 + step * 1e-9))
			break;
		chart_label(chart, "tick", chart_x(chart, value),
					chart->bottom + 16, "middle",
					number_words(value, style));
	}
}

/* What runs along the axes: below the plot, and above its left edge */
void
chart_axis_name(Chart *chart, const char *below, const char *above)
{
	if (below != NULL)
		chart_label(chart, "name", (chart->left + chart->right) / 2,
					chart->bottom + 33, "middle", below);
	if (above != NULL)
		chart_label(chart, "name", 2, 12, "start", above);
}

/* Close the drawing. */
void
chart_end(Chart *chart)
{
	page_raw(chart->page, "</svg></figure>\n");
}
