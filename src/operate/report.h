/*-------------------------------------------------------------------------
 *
 * report.h
 *	  One page about a study and a model: figures come in as jsonb, HTML
 *	  with inline SVG goes out.
 *
 * Layers of the files, lower first: report_field.c reads the figures,
 * report_html.c writes text and numbers, report_chart.c draws, the files
 * named after a part of the page write its sections, report_page.c joins
 * them.  No figure is computed here: what the page says is what the jsonb
 * holds, rounded for people, with the exact value beside it in the markup.
 *
 * The page is built in UTF-8, whatever the server's encoding, and leaves as
 * ASCII with numeric character references.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPERATE_REPORT_H
#define OPERATE_REPORT_H

#include "lib/stringinfo.h"
#include "utils/jsonb.h"

/* An object or array of the figures; NULL reads as an empty one */
typedef const JsonbContainer *Facts;

/* The page under construction */
typedef struct Page
{
	StringInfoData out;			/* UTF-8 */
	Facts		facts;			/* all figures */
	const char *prefix;			/* names of figures begin with it */
	bool		in_row;			/* so does "row." */
	int			section;		/* number of the section at hand */
	int			charts;			/* charts so far: their ids */
} Page;

/* report_field.c */
extern Facts field_at(Facts facts, const char *key);
extern int	field_count(Facts array);
extern Facts field_item(Facts array, int i);
extern double field_number(Facts facts, const char *key);
extern char *field_exact(Facts facts, const char *key);
extern char *field_text(Facts facts, const char *key);
extern char *field_words(Facts facts, const char *key);
extern bool field_true(Facts facts, const char *key);
extern bool field_false(Facts facts, const char *key);
extern double *field_numbers(Facts facts, const char *key, int *n);
extern char *field_item_text(Facts array, int i);

/* report_html.c */
extern void page_raw(Page *page, const char *html);
extern void page_printf(Page *page, const char *format,...) pg_attribute_printf(2, 3);
extern void page_text(Page *page, const char *text);
extern void page_user(Page *page, const char *text);
extern void page_say(Page *page, Facts facts, const char *sentence);
extern char *number_words(double x, const char *style);
extern char *day_words(const char *iso);
extern char *text_cut(const char *text, int characters);
extern text *page_ascii(Page *page);

/* report_style.c */
extern const char *const report_style;

/* report_chart.c: a drawing of 400 units' width, about a phone's */
typedef struct Chart
{
	Page	   *page;
	double		width,
				height;			/* of the drawing */
	double		left,
				right,
				top,
				bottom;			/* edges of the plot in the drawing */
	double		x0,
				x1,
				y0,
				y1;				/* values at those edges */
} Chart;

#define CHART_WIDTH 400.0

extern void chart_begin(Chart *chart, Page *page, double height,
						const char *title);
extern void chart_describe(Chart *chart, Facts facts, const char *sentence);
extern void chart_area(Chart *chart, double left, double top, double right,
					   double bottom);
extern void chart_scale(Chart *chart, double x0, double x1, double y0,
						double y1);
extern double chart_x(const Chart *chart, double x);
extern double chart_y(const Chart *chart, double y);
extern void chart_line(Chart *chart, const char *class_name, const double *x,
					   const double *y, int n);
extern void chart_band(Chart *chart, const char *class_name, const double *x,
					   const double *low, const double *high, int n);
extern void chart_segment(Chart *chart, const char *class_name, double x0,
						  double y0, double x1, double y1);
extern void chart_box(Chart *chart, const char *class_name, double x,
					  double y, double width, double height, double opacity);
extern void chart_dot(Chart *chart, const char *class_name, double x,
					  double y, double radius);
extern void chart_label(Chart *chart, const char *class_name, double x,
						double y, const char *anchor, const char *text);
extern void chart_y_axis(Chart *chart, const char *style, int steps);
extern void chart_x_axis(Chart *chart, const char *style, int steps);
extern void chart_axis_name(Chart *chart, const char *below,
							const char *above);
extern void chart_end(Chart *chart);

/* What a section does with its figures; it may write nothing */
typedef void (*SectionWriter) (Page *page, Facts facts);

/* report_data.c */
extern void section_meaning(Page *page, Facts facts);
extern void section_checks(Page *page, Facts facts);
extern void section_snapshots(Page *page, Facts facts);
extern void section_returns(Page *page, Facts facts);

/* report_skill.c */
extern void section_skill(Page *page, Facts facts);
extern void section_past(Page *page, Facts facts);

/* report_trust.c */
extern void section_trust(Page *page, Facts facts);

/* report_action.c */
extern void section_contacts(Page *page, Facts facts);
extern void section_lead(Page *page, Facts facts);
extern void section_people(Page *page, Facts facts);

/* report_model.c */
extern void section_features(Page *page, Facts facts);
extern void section_pairs(Page *page, Facts facts);

/* report_judge.c */
extern void report_verdict(Page *page);
extern void section_targets(Page *page, Facts facts);
extern void section_slices(Page *page, Facts facts);
extern void section_limits(Page *page, Facts facts);
extern void section_origin(Page *page, Facts facts);

/* report_table.c */
extern void table_begin(Page *page, const char *caption,
						const char *const *heads);
extern void table_row(Page *page, Facts facts, const char *const *cells);
extern void table_end(Page *page);
extern void numbers_begin(Page *page, const char *summary);
extern void numbers_end(Page *page);
extern void pair_begin(Page *page);
extern void pair_next(Page *page);
extern void pair_end(Page *page);

#endif							/* OPERATE_REPORT_H */
