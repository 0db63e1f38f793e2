/*-------------------------------------------------------------------------
 *
 * report_trust.c
 *	  Whether a score can be read as a probability: calibration, and how
 *	  scores are spread.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "operate/report.h"

/* Ten groups of equal size with their intervals */
static void
draw_calibration(Page *page, Facts facts)
{
	Facts		rows = field_at(facts, "rows");
	double		diagonal[] = {0, 1};
	Chart		chart;

	chart_begin(&chart, page, 340, "Calibration: share that left against the "
			"mean score");
	chart_describe(&chart, facts, "Scores average {mean_score|%}, "
			"{base_rate|%} left. A slope of {slope|.2} would be 1 if scores "
			"were as sharp as they should be.");
	chart_scale(&chart, 0, 1, 0, 1);
	chart_y_axis(&chart, "%0", 4);
	chart_x_axis(&chart, "%0", 4);
	chart_line(&chart, "dash", diagonal, diagonal, 2);
	for (int i = 0; i < field_count(rows); i++)
	{
		Facts		row = field_item(rows, i);
		double		x = chart_x(&chart, field_number(row, "mean_score"));

		chart_segment(&chart, "halo", x, chart_y(&chart, field_number(row,
				"lower")), x, chart_y(&chart, field_number(row, "upper")));
		chart_dot(&chart, "fleave", x, chart_y(&chart, field_number(row,
				"rate")), 4);
	}
	chart_label(&chart, "name", chart_x(&chart, 0.06), chart_y(&chart, 0.93),
			"start", "above the line: more left than the score said");
	chart_axis_name(&chart, "mean score", "left");
	chart_end(&chart);
}

/* A step line over bins of equal width from 0 to 1 */
static void
step_line(Chart *chart, const char *class_name, const double *share, int n)
{
	double	   *x = palloc(sizeof(double) * (2 * n + 2));
	double	   *y = palloc(sizeof(double) * (2 * n + 2));

	x[0] = 0;
	y[0] = 0;
	for (int i = 0; i < n; i++)
	{
		x[2 * i + 1] = (double) i / n;
		x[2 * i + 2] = (double) (i + 1) / n;
		y[2 * i + 1] = y[2 * i + 2] = share[i];
	}
	x[2 * n + 1] = 1;
	y[2 * n + 1] = 0;
	chart_line(chart, class_name, x, y, 2 * n + 2);
}

/* Where a class is furthest above the other its name is written. */
static void
label_peak(Chart *chart, const char *class_name, const double *share,
		   const double *other, int n, const char *name)
{
	int			peak = 0;

	for (int i = 1; i < n; i++)
		if (share[i] - other[i] > share[peak] - other[peak])
			peak = i;
	chart_label(chart, class_name, chart_x(chart, (peak + 0.5) / n),
				chart_y(chart, share[peak]) - 7, "middle", name);
}

/* The highest share of either class over some bins */
static double
highest(const double *left, const double *stayed, int n, int from, int to)
{
	double		most = 0;

	for (int i = Max(from, 0); i < Min(to, n); i++)
		most = fmax(most, fmax(left[i], stayed[i]));
	return most;
}

/* The score of the KS distance, named where the lines leave room */
static void
mark_ks(Chart *chart, double ks, const double *left, const double *stayed,
		int n)
{
	int			bin = (int) (ks * n);
	double		x = chart_x(chart, ks);
	double		before = highest(left, stayed, n, bin - 8, bin + 1);
	double		after = highest(left, stayed, n, bin, bin + 9);
	bool		is_left = bin >= 8 && (before < after || bin > n - 9);
	double		y = chart_y(chart, Min(before, after)) - 16;

	chart_segment(chart, "mark", x, y - 4, x, chart->bottom);
	chart_label(chart, "tink", x + (is_left ? -5 : 5), y, is_left ? "end" : "start",
				psprintf("KS at %s", number_words(ks, "%0")));
}

/* Leavers and stayers by score, with bands and KS */
static void
draw_spread(Page *page, Facts facts)
{
	Facts		scores = field_at(facts, "scores");
	int			n = -1;
	double	   *left = field_numbers(scores, "left", &n);
	double	   *stayed = field_numbers(scores, "stayed", &n);
	int			ncuts = -1;
	double	   *cuts = field_numbers(facts, "bands", &ncuts);
	static const char *const bands[] = {"medium", "high", "critical"};
	double		most = 0.01;
	double		ks = field_number(facts, "ks_score");
	Chart		chart;

	for (int i = 0; i < n; i++)
		most = fmax(most, fmax(left[i], stayed[i]));
	chart_begin(&chart, page, 340, "Distribution of scores of leavers and stayers");
	chart_describe(&chart, facts, "Scores of those who left lie higher than "
			"of those who stayed; the two are furthest apart at "
			"{ks_score|.3}, with KS {ks|.3}.");
	chart_scale(&chart, 0, 1, 0, most * 1.25);
	chart_y_axis(&chart, "%0", 4);
	chart_x_axis(&chart, "%0", 4);
	for (int i = 0; i < ncuts && i < 3; i++)
	{
		double		x = chart_x(&chart, cuts[i]);

		chart_segment(&chart, "grid", x, chart.top, x, chart.bottom);
		chart_label(&chart, "tick", x + 4, chart.top + 11 + 13 * i, "start",
				bands[i]);
	}
	step_line(&chart, "stay", stayed, n);
	step_line(&chart, "leave", left, n);
	if (n > 0)
	{
		label_peak(&chart, "tstay", stayed, left, n, "stayed");
		label_peak(&chart, "tleave", left, stayed, n, "left");
	}
	if (ks >= 0 && ks <= 1)
		mark_ks(&chart, ks, left, stayed, n);
	chart_axis_name(&chart, "score", "share of each group");
	chart_end(&chart);
}

/* Level and slope in words */
static void
say_calibration(Page *page, Facts facts)
{
	double		bias = field_number(facts, "bias");
	double		slope = field_number(facts, "slope");

	page_say(page, facts, "<p>The scores of the test users average "
			"<b>{mean_score|%}</b>; <b>{base_rate|%}</b> left. ");
	if (fabs(bias) <= 0.02)
		page_raw(page, "That fits. ");
	else if (bias < 0)
		page_say(page, facts, "They were <b>too low</b>, by {bias_size|%} of "
				"the users: read them as a ranking first. ");
	else
		page_say(page, facts, "They were <b>too high</b>, by {bias_size|%} of "
				"the users: read them as a ranking first. ");
	if (slope < 0.9)
		page_say(page, facts, "Scores are more extreme than what happened "
				"(slope {slope|.2}, 1 is right). ");
	else if (slope > 1.1)
		page_say(page, facts, "Scores are more cautious than what happened "
				"(slope {slope|.2}, 1 is right). ");
	else if (!isnan(slope))
		page_say(page, facts, "Low scores are as low and high ones as high as "
				"they should be (slope {slope|.2}, 1 is right). ");
	page_say(page, facts, "A score is off by {ece_count|%} on average over "
			"ten groups.</p>");
}

/* Calibration beside the spread of scores */
void
section_trust(Page *page, Facts facts)
{
	static const char *const heads[] = {"Group", "Users", "Lowest", "Highest",
			"Mean score", "Left", "from", "to", NULL};
	static const char *const cells[] = {"{bin|n}", "{n|n}",
			"{lowest_score|.3}", "{highest_score|.3}", "{mean_score|%}",
			"{rate|%}", "{lower|%}", "{upper|%}", NULL};
	Facts		rows = field_at(facts, "rows");

	page_raw(page, "<div class=\"grid\"><div><h3>Said and happened</h3>");
	say_calibration(page, facts);
	draw_calibration(page, facts);
	page_raw(page, "</div><div><h3>How scores are spread</h3>");
	page_say(page, facts, "<p>Each line is one group, leavers or stayers, by "
			"score. Where the lines overlap the model cannot tell; "
			 "the log-loss is {log_loss|.3}, against {log_loss_base|.3} when "
					"everybody gets the average.</p>");
	draw_spread(page, facts);
	page_raw(page, "</div></div>");
	numbers_begin(page, "The numbers");
	table_begin(page, "Calibration over ten groups of equal size, lowest "
			"scores first", heads);
	for (int i = 0; i < field_count(rows); i++)
		table_row(page, field_item(rows, i), cells);
	table_end(page);
	numbers_end(page);
}
