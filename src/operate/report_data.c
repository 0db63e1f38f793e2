/*-------------------------------------------------------------------------
 *
 * report_data.c
 *	  What churn means here, and the data: checks, base rate, return curve.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "operate/report.h"

/* A span of days on the line of time, with its name and length */
static void
span(Chart *chart, const char *box, const char *label, double from, double to,
	 double y, const char *name, const char *length)
{
	chart_box(chart, box, from, y, to - from, 16, 1);
	chart_label(chart, label, (from + to) / 2, y - 7, "middle", name);
	chart_label(chart, "tick", (from + to) / 2, y + 29, "middle", length);
}

/* "90 days" */
static char *
days_words(Facts facts, const char *key)
{
	return psprintf("%s days", number_words(field_number(facts, key), "n"));
}

/* The windows around the as-of date; lengths are said, not drawn to scale. */
static void
draw_windows(Page *page, Facts facts)
{
	bool		gap = field_number(facts, "gap") > 0;
	double		start = gap ? 262 : 216;
	Chart		chart;

	chart_begin(&chart, page, 158, "The windows of the definition");
	chart_describe(&chart, facts,
				   "Features see {lookback|n} days before a date. At risk is "
						"who did something that counts in the last "
						"{active_window|n} of them. "
				   "Then, after a gap of {gap|n} days, come {churn_window|n} "
						"days in which silence means churn.");
	span(&chart, "bandstay", "tstay",
		 field_number(facts, "active_window") < field_number(facts,
				"lookback") ? 118 : 8,
		 206, 34, "at risk",
		 days_words(facts, "active_window"));
	span(&chart, "bandleave", "tleave", start, 390, 34, "silent: left",
		 days_words(facts, "churn_window"));
	if (gap)
		span(&chart, "fhair", "tick", 212, 256, 34, "gap",
			 days_words(facts, "gap"));
	span(&chart, "fhair", "name", 8, 206, 92, "what the model sees",
		 days_words(facts, "lookback"));
	chart_segment(&chart, "mark", 209, 14, 209, 134);
	chart_label(&chart, "tink", 209, 150, "middle", "the date");
	chart_end(&chart);
}

/* The definition in a sentence and a drawing */
void
section_meaning(Page *page, Facts facts)
{
	pair_begin(page);
	page_raw(page, "<p class=\"lead\">");
	page_say(page, facts, "A user has <b>left</b> when no {kinds|t} comes "
			"from them for <b>{churn_window|n} days</b>");
	if (field_number(facts, "gap") > 0)
		page_say(page, facts, ", counted from {gap|n} days after the date of "
				"the score");
	page_raw(page, ".</p><p>");
	page_say(page, facts, "A score is asked on a date, of users <b>at "
			"risk</b>: those whose last {kinds|t} was in the "
			"{active_window|n} days before it. "
			 "Who has been silent for longer counts as gone already and gets "
					"no score.");
	if (field_number(facts, "min_tenure") > 0)
		page_say(page, facts, " Nor does who has been a customer for less "
				"than {min_tenure|n} days.");
	page_raw(page, "</p>");
	page_say(page, facts, "<p class=\"small\">Events come from {relations|t}; "
			"days are those of {time_zone|t}. Today is {today|day} in this "
			"report.</p>");
	pair_next(page);
	draw_windows(page, facts);
	pair_end(page);
}

/* A finding: its name and size, then what it is, with an example */
static void
write_finding(Page *page, Facts row)
{
	char	   *severity = field_text(row, "severity");
	bool		weighty = severity != NULL && strcmp(severity, "info") != 0;

	page->in_row = true;
	page_say(page, row, "<div><dt>{check|t} ");
	page_printf(page, "<span%s>", weighty ? " class=\"poor\"" : "");
	page_say(page, row, "{severity|t}, {count|n}</span></dt><dd>{detail|t}");
	if (field_text(row, "example") != NULL)
		page_say(page, row, " <span class=\"small\">Such as: {example|t}</span>");
	page_raw(page, "</dd></div>\n");
	page->in_row = false;
}

/* How many checks found something, then what */
void
section_checks(Page *page, Facts facts)
{
	Facts		rows = field_at(facts, "rows");

	page_raw(page, "<p>");
	if (field_number(facts, "errors") > 0)
		page_say(page, facts, "<b class=\"poor\">{errors|n} of {looked|n} "
				"checks found what makes training wrong or impossible.</b> "
				"Mend that first. ");
	else if (field_number(facts, "warnings") > 0)
		page_say(page, facts, "Nothing that forbids training. "
				"<b>{warnings|n}</b> of {looked|n} checks found something "
				"that should be looked at. ");
	else
		page_say(page, facts, "Nothing of weight: {looked|n} checks, no error "
				"and no warning. ");
	page_say(page, facts, "{passed|n} found nothing at all.</p>");
	if (field_count(rows) > 0)
	{
		page_raw(page, "<dl class=\"findings\">");
		for (int i = 0; i < field_count(rows); i++)
			write_finding(page, field_item(rows, i));
		page_raw(page, "</dl>\n");
	}
	if (field_number(facts, "left_out") > 0)
		page_say(page, facts, "<p class=\"small\">{left_out|n} more are shown "
				"by <code>churn_check_data</code>.</p>");
}

/* A stem a snapshot: how many of those at risk left */
static void
draw_rates(Page *page, Facts facts)
{
	Facts		rows = field_at(facts, "rows");
	int			n = field_count(rows);
	Chart		chart;

	chart_begin(&chart, page, 236, "Share of users at risk who left, by snapshot");
	chart_describe(&chart, facts, "From {least|%} to {most|%} over {n|n} "
			"snapshots; the newest is the test.");
	chart_scale(&chart, -0.6, n - 0.4, 0, Max(field_number(facts,
			"most") * 1.15, 0.01));
	chart_y_axis(&chart, "%0", 4);
	for (int i = 0; i < n; i++)
	{
		Facts		row = field_item(rows, i);
		double		rate = field_number(row, "rate");
		bool		test = field_true(row, "is_test");
		double		x = chart_x(&chart, i);

		if (isnan(rate))
			continue;
		chart_segment(&chart, test ? "leave" : "stay", x, chart.bottom, x,
				chart_y(&chart, rate));
		chart_dot(&chart, test ? "fleave" : "fstay", x, chart_y(&chart, rate), 4.5);
		if (n <= 8 || test || i == 0)
			chart_label(&chart, test ? "tick tleave" : "tick tstay", x,
					chart_y(&chart, rate) - 9, "middle",
						number_words(rate, n <= 7 ? "%" : "%0"));
		if (n <= 8 || i % (n / 6 + 1) == 0 || test)
			chart_label(&chart, "tick", x, chart.bottom + 16, "middle",
						field_text(row, "month"));
	}
	chart_axis_name(&chart, "as-of date; the test in the accent", "left "
			"within the churn window");
	chart_end(&chart);
}

/* The base rate, which any model has to beat */
void
section_snapshots(Page *page, Facts facts)
{
	static const char *const heads[] = {"<As of", "<Used to", "At risk",
			"Left", "Share", NULL};
	static const char *const cells[] = {"{as_of|day}", "<{purpose|t}",
			"{users|n}", "{churned|n}", "{rate|%}", NULL};
	Facts		rows = field_at(facts, "rows");

	pair_begin(page);
	page_raw(page, "<h3>How many leave anyway</h3>");
	page_say(page, facts, "<p>Of the {test_users|n} users at risk on "
			"{test_date|day}, <b>{test_rate|%}</b> left. Over {n|n} snapshots "
			"the share lies between {least|%} and {most|%}");
	if (field_number(facts, "spread") > 0.05)
		page_raw(page, ": <b>it moves</b>, with a season perhaps, and a "
				"probability learnt at one rate is off at another.</p>");
	else
		page_raw(page, ", so that what was learnt at one date can hold at the "
				"next.</p>");
	page_raw(page, "<p>This is the figure to beat: who calls users at random "
			"finds this share of leavers.</p>");
	pair_next(page);
	draw_rates(page, facts);
	numbers_begin(page, "The numbers");
	table_begin(page, "Users at risk by snapshot, and how many left", heads);
	for (int i = 0; i < field_count(rows); i++)
		table_row(page, field_item(rows, i), cells);
	table_end(page);
	numbers_end(page);
	pair_end(page);
}

/* Share of silences that have ended, by their length, with the window */
static void
draw_returns(Page *page, Facts facts)
{
	int			n = -1;
	double	   *day = field_numbers(facts, "day", &n);
	double	   *returned = field_numbers(facts, "returned", &n);
	double	   *lower = field_numbers(facts, "lower", &n);
	double	   *upper = field_numbers(facts, "upper", &n);
	double		window = field_number(facts, "window");
	double		at = field_number(facts, "at_window");
	Chart		chart;

	chart_begin(&chart, page, 250, "Share of silences that have ended, by "
			"days of silence");
	chart_describe(&chart, facts, "After {window|n} days {at_window|%} of "
			"silences have ended by another event that counts.");
	chart_scale(&chart, 0, n > 0 ? day[n - 1] : 1, 0, 1);
	chart_y_axis(&chart, "%0", 4);
	chart_x_axis(&chart, "n", 6);
	chart_band(&chart, "band", day, lower, upper, n);
	chart_line(&chart, "leave", day, returned, n);
	if (!isnan(at) && window <= chart.x1)
	{
		double		x = chart_x(&chart, window);
		double		y = chart_y(&chart, at);

		chart_segment(&chart, "dash", x, chart.bottom, x, y);
		chart_dot(&chart, "ring", x, y, 4.5);
		chart_label(&chart, "tink", x + 8, y + 22, "start",
					psprintf("%s after %s days", number_words(at, "%"),
							number_words(window, "n")));
	}
	chart_axis_name(&chart, "days since the last one", "have come back");
	chart_end(&chart);
}

/* What the return curve says of the churn window */
void
section_returns(Page *page, Facts facts)
{
	pair_begin(page);
	page_raw(page, "<h3>Is the window long enough?</h3>");
	page_say(page, facts, "<p>Users who come back do so within {window|n} "
			"days in <b>{at_window|%}</b> of silences. ");
	page_say(page, facts, "Who has been silent for that long still returns "
			"later with a probability of <b>{return_after|%}</b>, as far as "
			"{longest|n} days of data show. ");
	if (field_number(facts, "return_after") > 0.25)
		page_raw(page, "That is much: what is called churn here is often a "
				"pause. A longer window would call fewer of them gone.</p>");
	else
		page_raw(page, "So silence of that length is a fair sign of leaving.</p>");
	page_say(page, facts, "<p class=\"small\">Kaplan-Meier over {gaps|n} "
			"silences between days that count, {open|n} of them still open; "
			"the band is its 95% interval. The curve bends most at {elbow|n} "
			"days, which is a hint, no rule.</p>");
	pair_next(page);
	draw_returns(page, facts);
	pair_end(page);
}
