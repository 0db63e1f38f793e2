/*-------------------------------------------------------------------------
 *
 * report_table.c
 *	  Tables of a report, and text beside a chart.
 *
 * A cell is written like a sentence of page_say().  The first column names
 * its row.  Heads and cells are lists that end with NULL.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "operate/report.h"

/* A head that begins with '<' is over a column of text, else of numbers. */
void
table_begin(Page *page, const char *caption, const char *const *heads)
{
	page_raw(page, "<div class=\"wide\" tabindex=\"0\" role=\"region\" "
			"aria-label=\"");
	page_text(page, caption);
	page_raw(page, "\"><table><caption>");
	page_text(page, caption);
	page_raw(page, "</caption><thead><tr>");
	for (; *heads; heads++)
	{
		bool		text = **heads == '<';

		page_printf(page, "<th scope=\"col\"%s>", text ? " class=\"text\"" : "");
		page_text(page, *heads + text);
		page_raw(page, "</th>");
	}
	page_raw(page, "</tr></thead><tbody>\n");
}

/* A cell that begins with '<' is text. */
void
table_row(Page *page, Facts facts, const char *const *cells)
{
	page->in_row = true;
	page_raw(page, "<tr>");
	for (int i = 0; cells[i]; i++)
	{
		const char *tag = i == 0 ? "th" : "td";
		bool		text = *cells[i] == '<';

		page_printf(page, "<%s%s%s>", tag, i == 0 ? " scope=\"row\"" : "",
					text ? " class=\"text\"" : "");
		page_say(page, facts, cells[i] + text);
		page_printf(page, "</%s>", tag);
	}
	page_raw(page, "</tr>\n");
	page->in_row = false;
}

/* Close the table. */
void
table_end(Page *page)
{
	page_raw(page, "</tbody></table></div>\n");
}

/* The numbers behind a chart, folded away */
void
numbers_begin(Page *page, const char *summary)
{
	page_raw(page, "<details><summary>");
	page_text(page, summary);
	page_raw(page, "</summary>");
}

/* Close the numbers. */
void
numbers_end(Page *page)
{
	page_raw(page, "</details>\n");
}

/* Words, then beside them (on a phone below) a chart */
void
pair_begin(Page *page)
{
	page_raw(page, "<div class=\"pair\"><div>");
}

/* From the words to the chart */
void
pair_next(Page *page)
{
	page_raw(page, "</div><div>");
}

/* Close the pair. */
void
pair_end(Page *page)
{
	page_raw(page, "</div></div>\n");
}
