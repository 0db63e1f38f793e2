/*-------------------------------------------------------------------------
 *
 * report_page.c
 *	  churn_report_page(figures): the page.
 *
 * A part of the page is a row of the table below: which figures it takes,
 * its heading, its writers.  Another part is another row.  Figures that are
 * lacking are said to be lacking: {"missing": "why, and what to do"} takes
 * the place of an object, and no object at all leaves the part out.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "operate/report.h"

/* Figures under a key and what writes them */
typedef struct Piece
{
	const char *key;
	SectionWriter write;
} Piece;

#define MAX_PIECES	3

/* A part: its anchor and heading, and up to three pieces */
typedef struct Part
{
	const char *anchor;
	const char *heading;
	Piece		pieces[MAX_PIECES];
} Part;

static const Part parts[] = {
	{"meaning", "What churn means here", {{"study", section_meaning}}},
	{"data", "Can the data be trusted?", {{"checks", section_checks},
			{"snapshots", section_snapshots}, {"returns", section_returns}}},
	{"skill", "Does it know more than a simple rule?", {{"test",
			section_skill}, {"past", section_past}}},
	{"trust", "Can a score be read as a probability?", {{"trust", section_trust}}},
	{"action", "How many to contact?", {{"contacts", section_contacts},
			{"lead", section_lead}}},
	{"drivers", "What drives a score", {{"features", section_features},
			{"pairs", section_pairs}}},
	{"people", "Who, for example", {{"people", section_people}}},
	{"targets", "Is it good enough?", {{"targets", section_targets}}},
	{"slices", "For whom is it weaker?", {{"slices", section_slices}}},
	{"limits", "What this model does not know", {{"model", section_limits}}},
	{"origin", "Where it comes from", {{"model", section_origin}}},
};

/* Are there figures for any piece of it? */
static bool
part_is_there(const Page *page, const Part *part)
{
	for (int i = 0; i < MAX_PIECES && part->pieces[i].key; i++)
		if (field_at(page->facts, part->pieces[i].key) != NULL)
			return true;
	return false;
}

/* Everything before the report proper */
static void
write_head(Page *page)
{
	Facts		study = field_at(page->facts, "study");

	page_raw(page, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta "
			"charset=\"utf-8\"/>"
			 "<meta name=\"viewport\" content=\"width=device-width, "
					"initial-scale=1\"/>"
			 "<meta name=\"color-scheme\" content=\"light dark\"/><title>");
	page_text(page, field_text(study, "study"));
	page_raw(page, ": churn report</title>\n<style>");
	page_raw(page, report_style);
	page_raw(page, "</style></head>\n<body><div class=\"page\"><a "
			"class=\"skip\" href=\"#main\">To the report</a>\n");
}

/* Links to the parts that are there */
static void
write_contents(Page *page)
{
	page_raw(page, "<nav aria-label=\"Contents\"><ol>");
	for (int i = 0; i < (int) lengthof(parts); i++)
		if (part_is_there(page, &parts[i]))
			page_printf(page, "<li><a href=\"#%s\">%s</a></li>",
						parts[i].anchor, parts[i].heading);
	page_raw(page, "</ol></nav>\n");
}

/* A piece, or why it is missing */
static void
write_piece(Page *page, const Piece *piece)
{
	Facts		facts = field_at(page->facts, piece->key);
	char	   *missing = field_text(facts, "missing");

	CHECK_FOR_INTERRUPTS();
	page->prefix = piece->key;
	if (facts == NULL)
		return;
	if (missing == NULL)
		piece->write(page, facts);
	else
	{
		page_raw(page, "<p class=\"missing\">");
		page_user(page, missing);
		page_raw(page, "</p>\n");
	}
}

/* A numbered section */
static void
write_part(Page *page, const Part *part)
{
	if (!part_is_there(page, part))
		return;
	page->section++;
	page_printf(page, "<section id=\"%s\" aria-labelledby=\"h-%s\"><h2 "
			"id=\"h-%s\"><span class=\"number\">%d</span>%s</h2>\n",
				part->anchor, part->anchor, part->anchor, page->section,
				part->heading);
	for (int i = 0; i < MAX_PIECES && part->pieces[i].key; i++)
		write_piece(page, &part->pieces[i]);
	page_raw(page, "</section>\n");
}

PG_FUNCTION_INFO_V1(churn_report_page);

/* churn_report_page(jsonb): the page as text, ASCII whatever the encoding */
Datum
churn_report_page(PG_FUNCTION_ARGS)
{
	Page		page = {.prefix = ""};

	page.facts = &PG_GETARG_JSONB_P(0)->root;
	initStringInfo(&page.out);
	write_head(&page);
	page_raw(&page, "<main id=\"main\">\n");
	report_verdict(&page);
	write_contents(&page);
	for (int i = 0; i < (int) lengthof(parts); i++)
		write_part(&page, &parts[i]);
	page_raw(&page, "</main>\n<footer><p>Written by the PostgreSQL extension "
			"churn. Nothing on this page is loaded from "
			"elsewhere.</p></footer></div></body></html>\n");
	PG_RETURN_TEXT_P(page_ascii(&page));
}
