/*-------------------------------------------------------------------------
 *
 * report_judge.c
 *	  Good enough?  The verdict in front, targets, slices, what the model
 *	  does not know, and where it comes from.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "operate/report.h"

/* The one sentence in large letters */
static void
write_headline(Page *page, Facts model, Facts test)
{
	page_raw(page, "<h1>");
	if (model == NULL)
		page_raw(page, "There is no model yet.");
	else if (field_text(model, "gate") != NULL)
		page_say(page, model, "Not yet: model {version|n} did not pass its gate.");
	else if (isnan(field_number(test, "auc")))
		page_say(page, model, "Model {version|n} is there, but its test "
				"cannot be shown.");
	else if (field_number(test, "gain_lower") > 0)
		page_say(page, test, "It tells who leaves from who stays {auc|of100} "
				"times in 100.");
	else
		page_say(page, test, "It tells who leaves {auc|of100} times in 100. "
				"So does a simpler rule.");
	page_raw(page, "</h1>\n");
}

/* The verdict in two sentences: what churn is, against what it was measured */
static void
write_lead(Page *page, Facts model, Facts test)
{
	Facts		study = field_at(page->facts, "study");

	page_raw(page, "<p class=\"lead\">");
	page->prefix = "study";
	page_say(page, study, "Left means: no {kinds|t} for {churn_window|n} days. ");
	page->prefix = "test";
	if (!isnan(field_number(test, "auc")))
		page_say(page, test, "On the {n|n} users at risk on {test_date|day}, "
				"a date the model had not seen, a coin would be right 50 "
				"times in 100 and the {baseline|t} alone {baseline_auc|of100} "
				"times. "
				 "Of the users it ranks in the top tenth, "
						"{precision_10|of100} in 100 left; of all, "
						"{base_rate|of100}.");
	page_raw(page, "</p>");
	if (model != NULL && field_text(model, "gate") != NULL)
	{
		page_raw(page, "<p class=\"lead poor\">");
		page_user(page, field_text(model, "gate"));
		page_raw(page, ".</p>");
	}
	if (model == NULL)
	{
		page_raw(page, "<p class=\"missing\">");
		page_user(page, field_text(page->facts, "advice"));
		page_raw(page, "</p>");
	}
}

/* A name, a large figure and what it means */
static void
key_figure(Page *page, Facts facts, const char *name, const char *figure,
		   const char *meaning)
{
	page_printf(page, "<div><dt>%s</dt><dd>", name);
	page_say(page, facts, figure);
	page_raw(page, "</dd><dd>");
	page_say(page, facts, meaning);
	page_raw(page, "</dd></div>");
}

/* Four figures that people ask for first */
static void
write_key_figures(Page *page, Facts test)
{
	Facts		trust = field_at(page->facts, "trust");

	page_raw(page, "<dl class=\"key\">");
	key_figure(page, test, "Ranks right (AUC)", "{auc|.3}", "{auc_lower|.3} "
			"to {auc_upper|.3}; the {baseline|t} alone {baseline_auc|.3}");
	key_figure(page, test, "Lift of the top tenth", "{lift_10|x}",
			"{precision_10|%} left, of all {base_rate|%}");
	key_figure(page, test, "Widest gap (KS)", "{ks|.3}", "{ks_churners|%0} of "
			"leavers against {ks_stayers|%0} of stayers");
	page->prefix = "trust";
	key_figure(page, trust, "Predicted to leave", "{mean_score|%}", "in fact "
			"{base_rate|%} left");
	page_raw(page, "</dl>\n");
}

/* What the status of a model means for scores */
static const char *
status_words(Facts model)
{
	char	   *status = field_text(model, "status");

	if (status == NULL)
		return "no model";
	if (strcmp(status, "champion") == 0)
		return "champion: it scores";
	if (strcmp(status, "accepted") == 0)
		return "accepted, waits for promotion";
	if (strcmp(status, "refused") == 0)
		return "refused";
	return status;
}

/* Head of the page: what it is about, the verdict, four figures */
void
report_verdict(Page *page)
{
	Facts		study = field_at(page->facts, "study");
	Facts		model = field_at(page->facts, "model");
	Facts		test = field_at(page->facts, "test");
	bool		refused = model == NULL || field_text(model, "gate") != NULL;

	page_raw(page, "<header><div class=\"kicker\"><span>Churn report</span>");
	page->prefix = "study";
	page_say(page, study, "<span>study <b>{study|t}</b></span>");
	page->prefix = "model";
	if (model != NULL)
		page_say(page, model, "<span>model {version|n}</span>");
	page->prefix = "study";
	page_say(page, study, "<span>{today|day}</span>");
	page_printf(page, "<span class=\"pill %s\">", refused ? "poor" : "good");
	page_text(page, status_words(model));
	page_raw(page, "</span></div>\n");
	page->prefix = refused ? "model" : "test";
	write_headline(page, model, test);
	write_lead(page, model, test);
	if (!isnan(field_number(test, "auc")))
		write_key_figures(page, test);
	page_raw(page, "</header>\n");
}

/* A target, whether it is met, and the figures */
static void
target_row(Page *page, Facts row)
{
	page->in_row = true;
	page_say(page, row, "<tr><th scope=\"row\" "
			"class=\"text\">{target|t}</th><td class=\"text\">");
	if (field_true(row, "pass"))
		page_raw(page, "<b class=\"good\">&#10003; met</b>");
	else if (field_false(row, "pass"))
		page_raw(page, "<b class=\"poor\">&#10007; not met</b>");
	else
		page_raw(page, "<b class=\"poor\">? not measured</b>");
	if (field_text(row, "reason") != NULL)
		page_say(page, row, " {reason|t}");
	page_say(page, row, "</td><td "
			"class=\"asked\">{asked|t}</td><td>{measured|~}</td><td>{lower|~}</td><td>{upper|~}</td><td>{n|n}</td></tr>\n");
	page->in_row = false;
}

/* Targets agreed beforehand beside what was measured */
void
section_targets(Page *page, Facts facts)
{
	static const char *const heads[] = {"<Target", "<Verdict", "Asked",
			"Measured", "from", "to", "Users", NULL};
	Facts		rows = field_at(facts, "rows");

	page_say(page, facts, "<p>What was agreed beforehand, and what the test "
			"showed: <b>{met|n} of {n|n}</b> met. ");
	if (field_true(facts, "is_default"))
		page_raw(page, "Nobody has set targets for this study, so it is the "
				"default gate that guards it: better than a coin, and no "
				"worse than rules that need no model.</p>");
	else
		page_raw(page, "A model that misses one does not score.</p>");
	table_begin(page, "Targets and verdicts", heads);
	for (int i = 0; i < field_count(rows); i++)
		target_row(page, field_item(rows, i));
	table_end(page);
}

/* AUC of each slice with its interval, the worst first */
static void
draw_slices(Page *page, Facts facts)
{
	Facts		rows = field_at(facts, "rows");
	int			n = field_count(rows);
	double		low = 0.5;
	Chart		chart;

	for (int i = 0; i < n; i++)
		low = fmin(low, fmin(field_number(field_item(rows, i), "lower"),
				field_number(field_item(rows, i), "auc")));
	chart_begin(&chart, page, 46 + 42 * n, "AUC by slice, the worst first");
	chart_describe(&chart, facts, "Least {least|.3}, most {most|.3}; all "
			"users {auc|.3}.");
	chart_area(&chart, 8, 6, 392, 6 + 42 * n);
	chart_scale(&chart, floor(low * 20) / 20, 1, 0, 1);
	chart_x_axis(&chart, ".1", 5);
	chart_segment(&chart, "dash", chart_x(&chart, field_number(facts, "auc")),
			chart.top, chart_x(&chart, field_number(facts, "auc")),
			chart.bottom);
	for (int i = 0; i < n; i++)
	{
		Facts		row = field_item(rows, i);
		double		y = chart.top + 30 + 42 * i;
		double		auc = field_number(row, "auc");

		chart_label(&chart, "tink", chart.left, y - 10, "start",
				text_cut(field_text(row, "slice"), 40));
		if (isnan(auc))
			continue;
		if (!isnan(field_number(row, "lower")))
			chart_segment(&chart, "halo", chart_x(&chart, field_number(row,
					"lower")), y, chart_x(&chart, field_number(row, "upper")),
					y);
		chart_dot(&chart, "fleave", chart_x(&chart, auc), y, 4.5);
		chart_label(&chart, "tleave", chart_x(&chart, auc), y - 10, "middle",
				number_words(auc, ".3"));
	}
	chart_axis_name(&chart, "AUC; the dashed line is everybody", NULL);
	chart_end(&chart);
}

/* Groups that the one figure hides */
void
section_slices(Page *page, Facts facts)
{
	static const char *const heads[] = {"<Slice", "Users", "Left", "Mean "
			"score", "AUC", "from", "to", NULL};
	static const char *const cells[] = {"<{slice|t}", "{n|n}", "{rate|%}",
			"{mean_score|%}", "{auc|.3}", "{lower|.3}", "{upper|.3}", NULL};
	Facts		rows = field_at(facts, "rows");

	pair_begin(page);
	page_say(page, facts, "<p>One figure hides groups. By stage, the model is "
			"weakest for <b>{worst|t}</b> users, with an AUC of {least|.3}, "
			"and strongest for <b>{best|t}</b> ones with {most|.3}. "
			 "Part of the AUC of everybody is telling these groups apart, "
					"which a label would do too.</p>");
	page_raw(page, "<p class=\"small\">A <i>new</i> user has one day that "
			"counts, a <i>repeat</i> user several, a <i>returned</i> one had "
			"been away for longer than the active window before.</p>");
	pair_next(page);
	draw_slices(page, facts);
	pair_end(page);
	table_begin(page, "The test users by slice, lowest AUC first", heads);
	for (int i = 0; i < field_count(rows); i++)
		table_row(page, field_item(rows, i), cells);
	table_end(page);
}

/* What no figure above says */
void
section_limits(Page *page, Facts facts)
{
	Facts		test = field_at(page->facts, "test");
	Facts		study = field_at(page->facts, "study");

	page_raw(page, "<ul class=\"limits\">");
	page->prefix = "study";
	page_say(page, study, "<li><b>Why.</b> It knows what people did who later "
			"fell silent, not what made them. A weight is no lever: to send "
			"more coupons because coupons go with staying is a different "
			"question, which takes an experiment with a hold-out.</li>");
	page_say(page, study, "<li><b>Whom a contact helps.</b> It says who "
			"leaves, not who would stay if called. Part of those it names "
			"cannot be held, and part would have come back anyway.</li>");
	page_say(page, study, "<li><b>What is not in the events.</b> Only "
			"{relations|t} speaks here. A move abroad, a rival's offer or a "
			"bad call leave no trace before the silence.</li>");
	page_say(page, study, "<li><b>Who is gone already.</b> Users silent for "
			"more than {active_window|n} days get no score, and nobody is in "
			"the test who was not at risk.</li>");
	page->prefix = "test";
	if (!isnan(field_number(test, "missed_share")))
		page_say(page, test, "<li><b>Everybody.</b> {missed_share|%} of those "
				"who left were in the bands low and medium: nothing in their "
				"behaviour gave them away.</li>");
	page->prefix = "study";
	page_say(page, study, "<li><b>The future.</b> It holds as long as people "
			"behave as they did. Prices, seasons and new channels change "
			"that; test it anew when they do, and watch the drift of its "
			"scores.</li>");
	page_raw(page, "</ul>");
}

/* Enough to find the model and train it again */
void
section_origin(Page *page, Facts facts)
{
	static const char *const heads[] = {"<What", "<Figure", NULL};
	static const char *const lines[][3] = {
		{"<Model", "<version {version|n} of {study|t}, {status|t}", NULL},
		{"<Trained", "<{created|t} by {created_by|t}", NULL},
		{"<On", "<{rows|n} rows of {users|n} users, {snapshots|n} snapshots "
				"from {train_from|day} to {train_to|day}; {churn_rate|%} left",
				NULL},
		{"<Learner", "<{encoding|t}, {inputs|n} features, {pairs|n} pairs, C "
				"{c|~}", NULL},
		{"<In the folds", "<AUC {cv_auc|.3}, log-loss {cv_log_loss|.3}", NULL},
		{"<Bands begin at", "<medium {medium|.3}, high {high|.3}, critical "
				"{critical|.3}", NULL},
		{"<Checksum", "<{checksum|t}, {bytes|n} bytes", NULL},
	};

	table_begin(page, "Provenance", heads);
	for (int i = 0; i < (int) lengthof(lines); i++)
		table_row(page, facts, lines[i]);
	table_end(page);
	page_raw(page, "<p class=\"small\">Every figure of this page is that of a "
			"function: <code>churn_evaluate</code>, "
			"<code>churn_auc_ci</code>, <code>churn_auc_test</code>, "
			"<code>churn_roc</code>, "
			 "<code>churn_gains</code>, <code>churn_calibration</code>, "
					"<code>churn_contacts</code> over the test rows; "
					"<code>churn_check_data</code>, "
					"<code>churn_return_curve</code>, "
					"<code>churn_model_terms</code>. "
			 "The markup carries each to its last digit.</p>");
}
