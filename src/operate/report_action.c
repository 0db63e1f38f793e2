/*-------------------------------------------------------------------------
 *
 * report_action.c
 *	  What to do with it: how many to contact, how early, and whom.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "operate/report.h"

/* Profit by number of contacts, the best one marked */
static void
draw_profit(Page *page, Facts facts)
{
	Facts		curve = field_at(facts, "curve");
	int			n = -1;
	double	   *share = field_numbers(curve, "share", &n);
	double	   *profit = field_numbers(curve, "profit", &n);
	double		low = 0;
	double		high = 0;
	double		x = field_number(facts, "best_share");
	double		y = field_number(facts, "best_profit");
	Chart		chart;

	for (int i = 0; i < n; i++)
	{
		low = fmin(low, profit[i]);
		high = fmax(high, profit[i]);
	}
	chart_begin(&chart, page, 270, "What a campaign earns, by share of users "
			"contacted");
	chart_describe(&chart, facts, "Most, {best_profit|$}, when "
			"{best_contacted|n} users are contacted, {best_share|%} of them.");
	chart_area(&chart, 62, 22, CHART_WIDTH - 12, 230);
	chart_scale(&chart, 0, 1, low, high * 1.12);
	chart_y_axis(&chart, "n", 4);
	chart_x_axis(&chart, "%0", 4);
	chart_line(&chart, "leave", share, profit, n);
	if (!isnan(x) && !isnan(y))
	{
		chart_dot(&chart, "ring", chart_x(&chart, x), chart_y(&chart, y), 4.5);
		chart_label(&chart, "tink", chart_x(&chart, x), chart_y(&chart, y) - 10,
					x < 0.25 ? "start" : x > 0.75 ? "end" : "middle",
					psprintf("%s at %s", number_words(y, "$"), number_words(x,
							"%0")));
	}
	chart_axis_name(&chart, "users contacted, highest scores first", "profit");
	chart_end(&chart);
}

/* How many to contact: words and curve, then the table */
void
section_contacts(Page *page, Facts facts)
{
	static const char *const heads[] = {"Contacted", "Of all", "Leavers "
			"reached", "False alarms", "Leavers in 100", "Of all leavers",
			"Saved", "Cost", "Revenue", "Profit", NULL};
	static const char *const cells[] = {"{contacted|n}", "{share|%0}",
			"{churners|n}", "{false_alarms|n}", "{precision|of100}",
			"{recall|%0}", "{saved|n}", "{cost|$}", "{revenue|$}",
			"{profit|$}", NULL};
	Facts		rows = field_at(facts, "rows");

	pair_begin(page);
	page_say(page, facts, "<p>Contact the {tenth_contacted|n} users with the "
			"highest scores, a tenth, and <b>{tenth_churners|n}</b> of them "
			"are leavers; <b>{tenth_false_alarms|n}</b> would have stayed "
			"anyway. ");
	if (field_number(facts, "best_profit") > 0)
		page_say(page, facts, "With the money assumed here, a campaign earns "
				"most when it stops at <b>{best_contacted|n}</b> users "
				"({best_share|%}): {best_profit|$}.</p>");
	else
		page_raw(page, "With the money assumed here, <b>no campaign pays</b>: "
				"its cost is above what it saves.</p>");
	page_say(page, facts, "<p class=\"small\">Assumed: of the leavers who get "
			"an offer, {success_rate|%} stay; one who stays is worth "
			"{value|$}");
	if (field_true(facts, "value_is_mean"))
		page_raw(page, ", the mean year's sales of these users");
	page_say(page, facts, "; an offer costs {offer_cost|$} when taken, a "
			"contact {contact_cost|$}. Who would have stayed takes the offer "
			"too. "
			 "These are guesses until you give your own: "
					"<code>churn_report(study, version, success_rate, value, "
					"offer_cost, contact_cost)</code>.</p>");
	pair_next(page);
	draw_profit(page, facts);
	pair_end(page);
	table_begin(page, "On the test users, highest scores first", heads);
	for (int i = 0; i < field_count(rows); i++)
		table_row(page, field_item(rows, i), cells);
	table_end(page);
}

/* Three shares on one line: early, late, without a rhythm */
static void
draw_lead(Page *page, Facts facts)
{
	double		early = field_number(facts, "early_share");
	double		late = field_number(facts, "late_share");
	Chart		chart;
	double		a,
				b;

	chart_begin(&chart, page, 104, "When leavers are flagged, by their own rhythm");
	chart_describe(&chart, facts, "{early_share|%} while their silence was "
			"below their own mean gap, {late_share|%} after it, "
			"{single_share|%} without a gap of their own.");
	chart_area(&chart, 4, 20, 396, 64);
	chart_scale(&chart, 0, 1, 0, 1);
	a = chart_x(&chart, early);
	b = chart_x(&chart, early + late);
	chart_box(&chart, "fleave", chart.left, 34, a - chart.left - 1, 26, 1);
	chart_box(&chart, "bandleave", a, 34, b - a - 1, 26, 1);
	chart_box(&chart, "fhair", b, 34, chart.right - b, 26, 1);
	chart_label(&chart, "tleave", chart.left, 24, "start", psprintf("early %s",
			number_words(early, "%0")));
	chart_label(&chart, "tink", a + 2, 78, "start", psprintf("overdue %s",
			number_words(late, "%0")));
	chart_label(&chart, "name", chart.right, 24, "end", psprintf("only one so "
			"far %s", number_words(field_number(facts, "single_share"),
			"%0")));
	chart_label(&chart, "name", chart.left, 98, "start", "leavers flagged in "
			"the test");
	chart_end(&chart);
}

/* Whether the warning comes before the silence shows */
void
section_lead(Page *page, Facts facts)
{
	pair_begin(page);
	page_raw(page, "<h3>How early does it warn?</h3>");
	page_say(page, facts, "<p>A warning is worth most before the silence "
			"shows. Of the {flagged|n} leavers in the bands high and "
			"critical, <b>{early_share|%}</b> were flagged while their "
			"silence was still shorter than their own mean gap: "
			 "no rule on recency would have named them. Of all {churners|n} "
					"leavers these are {early_of_all|%}.</p>");
	pair_next(page);
	draw_lead(page, facts);
	pair_end(page);
}

/* A user by key, with score, band, money and reasons */
static void
write_person(Page *page, Facts person)
{
	Facts		reasons = field_at(person, "reasons");

	page->in_row = true;
	page_printf(page, "<li%s>", field_true(person, "calm") ? " "
			"class=\"calm\"" : "");
	page_say(page, person, "<p class=\"small\">{role|t}</p><h3>{key|t}</h3>");
	page_raw(page, "<p class=\"small\">leaves with ");
	page_say(page, person, "{score|%0}, band {band|t}, {stage|t}");
	if (!isnan(field_number(person, "value")))
		page_say(page, person, "; {value|$} a year, {value_at_risk|$} at risk");
	page_raw(page, "</p><ul>");
	for (int i = 0; i < field_count(reasons); i++)
	{
		page_raw(page, "<li>");
		page_user(page, text_cut(field_item_text(reasons, i), 200));
		page_raw(page, "</li>");
	}
	if (field_count(reasons) == 0)
		page_raw(page, "<li>nothing raises the risk</li>");
	page_raw(page, "</ul></li>\n");
	page->in_row = false;
}

/* Examples, then everybody at risk by band */
void
section_people(Page *page, Facts facts)
{
	static const char *const heads[] = {"<Band", "Users", "Mean score", "A "
			"year's sales", "At risk", NULL};
	static const char *const cells[] = {"{band|t}", "{users|n}",
			"{mean_score|%}", "{value|$}", "{value_at_risk|$}", NULL};
	Facts		rows = field_at(facts, "rows");
	Facts		bands = field_at(facts, "bands");

	page_say(page, facts, "<p>On {as_of|day} the study had <b>{users|n}</b> "
			"users at risk. These are some of them, with what raises their "
			"risk in words; "
			 "reasons add up to the score exactly, and "
					"<code>churn_explain</code> shows all of them.</p>");
	if (field_true(facts, "other_version"))
		page_say(page, facts, "<p class=\"missing\">These scores were given "
				"by model {version|n}, not by the one of this report.</p>");
	page_raw(page, "<ul class=\"people\">");
	for (int i = 0; i < field_count(rows); i++)
		write_person(page, field_item(rows, i));
	page_raw(page, "</ul>");
	table_begin(page, "Everybody at risk, by band", heads);
	for (int i = 0; i < field_count(bands); i++)
		table_row(page, field_item(bands, i), cells);
	table_end(page);
}
