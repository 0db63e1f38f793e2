/*-------------------------------------------------------------------------
 *
 * report_model.c
 *	  What drives a score: the strongest features as curves, the strongest
 *	  pairs as maps.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "operate/report.h"

/* What a bin holds, in few characters */
static char *
bin_label(Facts bin)
{
	char	   *level = field_text(bin, "level");
	double		low = field_number(bin, "low");
	double		high = field_number(bin, "high");

	if (level != NULL)
		return strcmp(level, "missing") == 0 ? "none" : text_cut(level, 9);
	if (isnan(low))
		return psprintf("<%s", number_words(high, "~"));
	return number_words(low, "~");
}

/* The bin of values that are not there */
static bool
bin_missing(Facts bin)
{
	char	   *level = field_text(bin, "level");

	return level != NULL && strcmp(level, "missing") == 0;
}

/* Steps of one curve, and below each the share of users in it */
static void
draw_steps(Chart *chart, Facts bins, int n)
{
	double		widest = 0;
	double		base = chart->bottom + 38;
	double		slot = (chart->right - chart->left) / n;

	for (int i = 0; i < n; i++)
		widest = fmax(widest, field_number(field_item(bins, i), "share"));
	for (int i = 0; i < n; i++)
	{
		Facts		bin = field_item(bins, i);
		double		weight = field_number(bin, "weight");
		double		share = field_number(bin, "share");
		double		x = chart->left + slot * i;
		double		y = chart_y(chart, weight);
		bool		missing = bin_missing(bin);

		if (!isnan(weight))
			chart_segment(chart, weight > 0 ? "leave" : "stay",
						  x + (missing ? 3 : 0), y, x + slot - (missing ? 3
								: 0), y);
		if (i > 0 && !missing && !isnan(weight))
			chart_segment(chart, "thin", x, chart_y(chart,
					field_number(field_item(bins, i - 1), "weight")), x, y);
		if (share > 0)
			chart_box(chart, "fhair", x + 0.5, base - 26 * share / widest,
					slot - 1, 26 * share / widest, 1);
		if (missing || i % ((n + 5) / 6) == 0)
			if (missing || n - i > 1 || n < 7)
				chart_label(chart, "tick", x + slot / 2, base + 14, "middle",
						bin_label(bin));
	}
}

/* One feature on the scale of all */
static void
draw_curve(Page *page, Facts feature, Facts all)
{
	Facts		bins = field_at(feature, "bins");
	int			n = field_count(bins);
	Chart		chart;

	page_say(page, feature, "<div><p class=\"cap\"><b>{label|t}</b> "
			"<span><code>{name|t}</code></span></p>");
	chart_begin(&chart, page, 190, psprintf("Weight of %s",
			field_words(feature, "name")));
	chart_describe(&chart, feature, "Between {least|+} and {most|+} log-odds; "
			"highest where the value is {highest|t}, lowest where it is "
			"{lowest|t}.");
	chart_area(&chart, 40, 10, CHART_WIDTH - 6, 126);
	chart_scale(&chart, 0, 1, fmin(field_number(all, "least"), 0),
			fmax(field_number(all, "most"), 0));
	chart_y_axis(&chart, "+", 4);
	if (n > 0)
		draw_steps(&chart, bins, n);
	chart_end(&chart);
	page_raw(page, "</div>\n");
}

/* The strongest features as small drawings on one scale */
void
section_features(Page *page, Facts facts)
{
	static const char *const heads[] = {"<Feature", "Strength", "Lowest",
			"Highest", "<Riskiest value", "<Safest value", NULL};
	static const char *const cells[] = {"<{name|t}", "{spread|.3}",
			"{least|+}", "{most|+}", "<{highest|t}", "<{lowest|t}", NULL};
	Facts		rows = field_at(facts, "rows");

	page_say(page, facts, "<p>A score is a sum. Each feature adds its weight "
			"to the log-odds of the average user, above the line towards "
			"leaving, below it towards staying; "
			 "+0.7 doubles the odds. These are the {shown|n} strongest of "
					"{inputs|n}, all on one scale, with the share of users "
					"under each value in grey.</p>");
	page_raw(page, "<div class=\"grid\">");
	for (int i = 0; i < field_count(rows); i++)
		draw_curve(page, field_item(rows, i), facts);
	page_raw(page, "</div>");
	page_say(page, facts, "<p class=\"small\">Features share what they know: "
			"two that move together split their weight, so that a curve says "
			"what the model adds for this value <i>given the others</i>, and "
			"never that changing the value would change the user.</p>");
	numbers_begin(page, "The numbers");
	table_begin(page, "Strength is the standard deviation of what a feature "
			"adds", heads);
	for (int i = 0; i < field_count(rows); i++)
		table_row(page, field_item(rows, i), cells);
	table_end(page);
	numbers_end(page);
}

/* The cells of a pair: what both values say beyond the sum of each */
static void
draw_cells(Chart *chart, Facts pair, double reach)
{
	Facts		cells = field_at(pair, "cells");
	int			rows = field_count(field_at(pair, "rows"));
	int			columns = field_count(field_at(pair, "columns"));
	double		width = (chart->right - chart->left) / Max(columns, 1);
	double		height = (chart->bottom - chart->top) / Max(rows, 1);

	for (int i = 0; i < field_count(cells); i++)
	{
		Facts		cell = field_item(cells, i);
		double		weight = field_number(cell, "weight");
		double		x = chart->left + width * field_number(cell, "column");
		double		y = chart->bottom - height * (field_number(cell, "row") + 1);

		if (isnan(weight) || isnan(x) || isnan(y))
			continue;
		chart_box(chart, weight > 0 ? "fleave" : "fstay", x + 0.5, y + 0.5,
				width - 1, height - 1,
				  fmin(0.5, 0.5 * fabs(weight) / reach));
		if (columns <= 10)
			chart_label(chart, "cell", x + width / 2, y + height / 2 + 4,
					"middle", number_words(weight, ".1"));
	}
}

/* One pair as a map */
static void
draw_pair(Page *page, Facts pair, double reach)
{
	Facts		rows = field_at(pair, "rows");
	Facts		columns = field_at(pair, "columns");
	int			nrows = field_count(rows);
	int			ncolumns = field_count(columns);
	Chart		chart;

	page_say(page, pair, "<div><p class=\"cap\"><b>{first_label|t}</b> &#215; "
			"<b>{second_label|t}</b></p>");
	chart_begin(&chart, page, 60 + 26 * Max(nrows, 2),
				psprintf("%s and %s together", field_words(pair, "first"),
						field_words(pair, "second")));
	chart_describe(&chart, pair, "What both say beyond the sum of each, "
			"between {least|+} and {most|+} log-odds.");
	chart_area(&chart, 64, 18, CHART_WIDTH - 4, chart.height - 42);
	draw_cells(&chart, pair, reach);
	for (int i = 0; i < nrows; i++)
		chart_label(&chart, "tick", chart.left - 6,
					chart.bottom - (i + 0.5) * (chart.bottom - chart.top) / nrows + 4, "end",
					bin_label(field_item(rows, i)));
	for (int i = 0; i < ncolumns; i++)
		if (ncolumns <= 10 || i % 3 == 0)
			chart_label(&chart, "tick",
					chart.left + (i + 0.5) * (chart.right - chart.left) / ncolumns,
						chart.bottom + 15, "middle",
								bin_label(field_item(columns, i)));
	chart_axis_name(&chart, text_cut(field_text(pair, "second_label"), 48),
					text_cut(field_text(pair, "first_label"), 48));
	chart_end(&chart);
	page_raw(page, "</div>\n");
}

/* The strongest pairs */
void
section_pairs(Page *page, Facts facts)
{
	Facts		rows = field_at(facts, "rows");

	page_say(page, facts, "<h3>Two at a time</h3><p>Some values mean more "
			"together than their curves add up to. Pairs in the model: "
			"{pairs|n}; shown, the strongest: {shown|n}. A cell is what is "
			"added beyond the sum of both curves. "
			 "The accent raises the risk, slate lowers it.</p>");
	page_raw(page, "<div class=\"grid\">");
	for (int i = 0; i < field_count(rows); i++)
		draw_pair(page, field_item(rows, i), field_number(facts, "reach"));
	page_raw(page, "</div>");
}
