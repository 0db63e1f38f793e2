/*-------------------------------------------------------------------------
 *
 * report_skill.c
 *	  How well the model ranks: against baselines, ROC, gains, past dates.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "operate/report.h"

/* An area with its interval on the line from a coin to perfection */
static void
draw_areas(Page *page, Facts test)
{
	Facts		rows = field_at(test, "ranks");
	int			n = field_count(rows);
	double		least = 0.5;
	Chart		chart;

	for (int i = 0; i < n; i++)
		least = fmin(least, field_number(field_item(rows, i), "lower"));
	chart_begin(&chart, page, 46 + 46 * n, "Area under the ROC curve, model "
			"and baselines");
	chart_describe(&chart, test, "The model {auc|.3} from {auc_lower|.3} to "
			"{auc_upper|.3}; the best baseline {baseline_auc|.3}.");
	chart_area(&chart, 8, 6, 392, 6 + 46 * n);
	chart_scale(&chart, floor(least * 20) / 20, 1, 0, 1);
	chart_x_axis(&chart, ".1", 5);
	chart_segment(&chart, "dash", chart_x(&chart, 0.5), chart.top,
			chart_x(&chart, 0.5), chart.bottom);
	for (int i = 0; i < n; i++)
	{
		Facts		row = field_item(rows, i);
		double		y = chart.top + 32 + 46 * i;
		bool		model = field_true(row, "is_model");

		chart_segment(&chart, model ? "halo" : "thin", chart_x(&chart,
				field_number(row, "lower")), y,
					  chart_x(&chart, field_number(row, "upper")), y);
		chart_dot(&chart, model ? "fleave" : "fstay", chart_x(&chart,
				field_number(row, "auc")), y, 5);
		chart_label(&chart, model ? "tleave" : "tstay", chart_x(&chart,
				field_number(row, "auc")), y - 12, "middle",
					psprintf("%s %s", field_words(row, "name"),
							number_words(field_number(row, "auc"), ".3")));
	}
	chart_label(&chart, "name", chart.left, chart.bottom + 33, "start", ".5 "
			"is a coin");
	chart_label(&chart, "name", chart.right, chart.bottom + 33, "end", "1 is "
			"perfect");
	chart_end(&chart);
}

/* AUC in words, and whether the best baseline is beaten */
static void
say_areas(Page *page, Facts test)
{
	page_say(page, test, "<p>Take one user who left and one who stayed. The "
			"model gives the higher score to the one who left <b>{auc|of100} "
			"times in 100</b> "
			 "(AUC {auc|.3}; 95% interval {auc_lower|.3} to {auc_upper|.3}). "
					"Ranking by the {baseline|t} alone, which needs no model, "
					"gets {baseline_auc|of100}. ");
	if (field_number(test, "gain_lower") > 0)
		page_say(page, test, "The difference of {gain|.3} is not luck: on "
				"these users it lies between {gain_lower|.3} and "
				"{gain_upper|.3}.</p>");
	else if (field_number(test, "gain_upper") < 0)
		page_say(page, test, "<b class=\"poor\">The model is worse than "
				"that</b>, by {gain_lower|.3} to {gain_upper|.3}.</p>");
	else
		page_say(page, test, "<b>The difference of {gain|.3} may be luck</b>: "
				"its interval, {gain_lower|.3} to {gain_upper|.3}, holds "
				"0.</p>");
	page_say(page, test, "<p class=\"small\">Tested on {n|n} users at risk on "
			"{test_date|day}, after every training outcome had ended. No such "
			"user's later silence was seen in training.</p>");
}

/* ROC against the diagonal, the widest distance marked */
static void
draw_roc(Page *page, Facts test)
{
	Facts		roc = field_at(test, "roc");
	int			n = -1;
	double	   *fpr = field_numbers(roc, "fpr", &n);
	double	   *tpr = field_numbers(roc, "tpr", &n);
	double		x = field_number(test, "ks_stayers");
	double		y = field_number(test, "ks_churners");
	double		diagonal[] = {0, 1};
	Chart		chart;

	chart_begin(&chart, page, 340, "ROC curve with the KS distance marked");
	chart_describe(&chart, test, "At the widest point {ks_churners|%} of "
			"leavers and {ks_stayers|%} of stayers have a score above "
			"{ks_score|.3}: KS is {ks|.3}.");
	chart_scale(&chart, 0, 1, 0, 1);
	chart_y_axis(&chart, "%0", 4);
	chart_x_axis(&chart, "%0", 4);
	chart_line(&chart, "dash", diagonal, diagonal, 2);
	chart_line(&chart, "leave", fpr, tpr, n);
	if (!isnan(x) && !isnan(y))
	{
		chart_segment(&chart, "mark", chart_x(&chart, x), chart_y(&chart, y),
				chart_x(&chart, x), chart_y(&chart, x));
		chart_dot(&chart, "ring", chart_x(&chart, x), chart_y(&chart, y), 4.5);
		chart_label(&chart, "tink", chart_x(&chart, x) + 8, chart_y(&chart,
				(x + y) / 2) + 4, "start",
					psprintf("KS %s", number_words(field_number(test, "ks"),
							".3")));
	}
	chart_label(&chart, "name", chart_x(&chart, 0.72), chart_y(&chart, 0.62),
			"start", "a coin");
	chart_axis_name(&chart, "stayers flagged with them", "leavers found");
	chart_end(&chart);
}

/* Leavers reached by users contacted, between chance and perfection */
static void
draw_gains(Page *page, Facts test)
{
	Facts		gains = field_at(test, "gains");
	int			n = -1;
	double	   *share = field_numbers(gains, "share", &n);
	double	   *caught = field_numbers(gains, "caught", &n);
	double		base = field_number(test, "base_rate");
	double		diagonal[] = {0, 1};
	double		best_x[] = {0, base, 1};
	double		best_y[] = {0, 1, 1};
	double		tenth = field_number(test, "recall_10");
	Chart		chart;

	chart_begin(&chart, page, 340, "Gains: share of all leavers among the "
			"highest scores");
	chart_describe(&chart, test, "The tenth of users with the highest scores "
			"holds {recall_10|%} of all who left, {lift_10|x} its share.");
	chart_scale(&chart, 0, 1, 0, 1);
	chart_y_axis(&chart, "%0", 4);
	chart_x_axis(&chart, "%0", 4);
	chart_line(&chart, "dash", diagonal, diagonal, 2);
	chart_line(&chart, "thin", best_x, best_y, 3);
	chart_line(&chart, "leave", share, caught, n);
	if (!isnan(tenth))
	{
		chart_dot(&chart, "ring", chart_x(&chart, 0.1), chart_y(&chart, tenth),
				4.5);
		chart_label(&chart, "tink", chart_x(&chart, 0.1) + 10, chart_y(&chart,
				tenth) + 15, "start",
					psprintf("%s in the top tenth", number_words(tenth, "%0")));
	}
	chart_label(&chart, "name", chart_x(&chart, 0.7), chart_y(&chart, 0.6),
			"start", "at random");
	chart_label(&chart, "name", chart_x(&chart, base) + 8, chart_y(&chart,
			1) + 16, "start", "the best possible");
	chart_axis_name(&chart, "users contacted, highest scores first", "leavers "
			"reached");
	chart_end(&chart);
}

/* The gains table by tenths */
static void
gains_table(Page *page, Facts test)
{
	static const char *const heads[] = {"Tenth", "Users", "Left", "Share",
			"Lift", "Leavers so far", "KS so far", NULL};
	static const char *const cells[] = {"{bin|n}", "{n|n}", "{churners|n}",
			"{rate|%}", "{lift|.2}", "{cumulative_share|%}", "{ks|.3}", NULL};
	Facts		rows = field_at(test, "tenths");

	numbers_begin(page, "The numbers, by tenths of users");
	table_begin(page, "Gains by tenths of the test users, highest scores "
			"first", heads);
	for (int i = 0; i < field_count(rows); i++)
		table_row(page, field_item(rows, i), cells);
	table_end(page);
	numbers_end(page);
}

/* Ranking: against baselines, at every threshold, from the top */
void
section_skill(Page *page, Facts facts)
{
	pair_begin(page);
	say_areas(page, facts);
	pair_next(page);
	draw_areas(page, facts);
	pair_end(page);
	page_raw(page, "<div class=\"grid\"><div><h3>At every threshold</h3>");
	page_say(page, facts, "<p>Flag everybody above a score of {ks_score|.2} "
			"and {ks_churners|%} of the leavers are found, with "
			"{ks_stayers|%} of those who would have stayed. "
			 "That distance, {ks|.3}, is the largest of any threshold: the KS "
					"statistic.</p>");
	draw_roc(page, facts);
	page_raw(page, "</div><div><h3>From the top of the list</h3>");
	page_say(page, facts, "<p>The tenth with the highest scores holds "
			"{recall_10|%} of all leavers. Of every 100 users in it "
			"{precision_10|of100} leave, {lift_10|x} the {base_rate|%} of "
			"everybody.</p>");
	draw_gains(page, facts);
	page_raw(page, "</div></div>");
	gains_table(page, facts);
}

/* Areas by test date; each with its interval */
static void
draw_past(Page *page, Facts facts)
{
	Facts		rows = field_at(facts, "rows");
	int			n = field_count(rows);
	double		low = 0.5;
	double		high = 0.6;
	double	   *place = palloc(sizeof(double) * n);
	double	   *baseline = palloc(sizeof(double) * n);
	Chart		chart;

	for (int i = 0; i < n; i++)
	{
		Facts		row = field_item(rows, i);

		place[i] = i;
		baseline[i] = field_number(row, "baseline_auc");
		low = fmin(low, fmin(baseline[i], field_number(row, "auc")));
		high = fmax(high, fmax(field_number(row, "auc"), field_number(row,
				"upper")));
	}
	chart_begin(&chart, page, 250, "AUC by test date");
	chart_describe(&chart, facts, "Between {least|.3} and {most|.3} over "
			"{n|n} test dates.");
	chart_scale(&chart, -0.6, n - 0.4, low, fmin(high + 0.03, 1));
	chart_y_axis(&chart, ".2", 4);
	chart_line(&chart, "stay", place, baseline, n);
	for (int i = 0; i < n; i++)
	{
		Facts		row = field_item(rows, i);
		double		x = chart_x(&chart, i);
		double		y = chart_y(&chart, field_number(row, "auc"));

		if (!isnan(field_number(row, "lower")))
			chart_segment(&chart, "halo", x, chart_y(&chart, field_number(row,
					"lower")), x, chart_y(&chart, field_number(row, "upper")));
		chart_dot(&chart, field_true(row, "is_this") ? "fleave" : "ring", x, y, 5);
		if (n <= 8)
			chart_label(&chart, "tleave", x + 9, y + 4, "start",
					number_words(field_number(row, "auc"), ".2"));
		if (n <= 8 || i % (n / 6 + 1) == 0)
			chart_label(&chart, "tick", x, chart.bottom + 16, "middle",
					field_text(row, "month"));
	}
	if (n > 0 && !isnan(baseline[0]))
		chart_label(&chart, "tstay", chart.left + 4, chart_y(&chart,
				baseline[0]) + 18, "start", "best baseline");
	chart_axis_name(&chart, "test date", "AUC");
	chart_end(&chart);
}

/* The same figure at other test dates */
void
section_past(Page *page, Facts facts)
{
	static const char *const heads[] = {"<Test date", "<Model", "Users",
			"Left", "Mean score", "AUC", "from", "to", "By recency", "By key "
			"days", NULL};
	static const char *const cells[] = {"{test_date|day}", "<{what|t}",
			"{users|n}", "{rate|%}", "{mean_score|%}", "{auc|.3}",
			"{lower|.3}", "{upper|.3}", "{recency_auc|.3}",
			"{key_days_auc|.3}", NULL};
	Facts		rows = field_at(facts, "rows");

	if (field_number(facts, "n") > 1)
		pair_begin(page);
	page_raw(page, "<h3>Was that one date luck?</h3>");
	if (field_number(facts, "n") > 1)
		page_say(page, facts, "<p>One test date is one draw of time: a sale, "
				"a season, a bad week. Over <b>{n|n} test dates</b> the AUC "
				"lies between <b>{least|.3}</b> and <b>{most|.3}</b>; "
				 "expect the next one in that range rather than at its top. "
						"The mean score was off by up to {worst_bias|%} of "
						"the users.</p>");
	else
		page_raw(page, "<p>One test date is one draw of time: a sale, a "
				"season, a bad week. Only one is at hand here, so that the "
				"interval above knows of the luck of the users, not of that "
				"of the time.</p>");
	page_say(page, facts, "<p class=\"small\">{note|t}</p>");
	if (!(field_number(facts, "n") > 1))
		return;
	pair_next(page);
	draw_past(page, facts);
	numbers_begin(page, "The numbers");
	table_begin(page, "Test dates, oldest first", heads);
	for (int i = 0; i < field_count(rows); i++)
		table_row(page, field_item(rows, i), cells);
	table_end(page);
	numbers_end(page);
	pair_end(page);
}
