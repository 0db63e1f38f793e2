/*-------------------------------------------------------------------------
 *
 * report_html.c
 *	  Text and numbers of a report, escaped.
 *
 * Every text that comes from a database passes page_text(): markup becomes
 * character references, control characters become visible signs, and the
 * characters that turn the direction of the text around them are spelt out,
 * because titles and drawings know no isolation.  page_user() wraps it in
 * <bdi> besides, so that a name of another direction keeps to itself.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/float.h"

#include "operate/report.h"

/* Markup as it is: never text of a database */
void
page_raw(Page *page, const char *html)
{
	appendStringInfoString(&page->out, html);
}

/* For markup and numbers only: nothing is escaped */
void
page_printf(Page *page, const char *format,...)
{
	for (;;)
	{
		va_list		args;
		int			needed;
		int			saved_errno = errno;

		va_start(args, format);
		errno = saved_errno;
		needed = appendStringInfoVA(&page->out, format, args);
		va_end(args);
		if (needed == 0)
			return;
		enlargeStringInfo(&page->out, needed);
	}
}

/* Length of a well-formed UTF-8 sequence, or 0 */
static int
sequence_length(const char *text)
{
	const unsigned char *s = (const unsigned char *) text;
	int			length = pg_utf_mblen(s);

	for (int i = 1; i < length; i++)
		if ((s[i] & 0xC0) != 0x80)
			return 0;
	return pg_utf8_islegal(s, length) ? length : 0;
}

/* Does it turn the direction of what follows? */
static bool
turns_direction(pg_wchar c)
{
	return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

/* A character beyond ASCII */
static void
put_character(StringInfo out, pg_wchar c, const char *bytes, int length)
{
	if (turns_direction(c))
		appendStringInfo(out, "[U+%04X]", (unsigned) c);
	else if (c == 0xFFFE || c == 0xFFFF)
		appendStringInfoString(out, "\357\277\275");
	else
		appendBinaryStringInfo(out, bytes, length);
}

/* An ASCII character */
static void
put_ascii(StringInfo out, char c)
{
	switch (c)
	{
		case '&':
			appendStringInfoString(out, "&amp;");
			break;
		case '<':
			appendStringInfoString(out, "&lt;");
			break;
		case '>':
			appendStringInfoString(out, "&gt;");
			break;
		case '"':
			appendStringInfoString(out, "&quot;");
			break;
		case '\'':
			appendStringInfoString(out, "&#39;");
			break;
		default:
			/* U+2400 and on are pictures of the control characters */
			if ((unsigned char) c < 0x20)
				appendStringInfo(out, "&#x%X;", 0x2400 + (unsigned char) c);
			else if (c == 0x7F)
				appendStringInfoString(out, "&#x2421;");
			else
				appendStringInfoChar(out, c);
	}
}

/* Text as text, in an element or an attribute */
void
page_text(Page *page, const char *text)
{
	if (text == NULL)
		return;
	while (*text)
	{
		int			length;

		if (!IS_HIGHBIT_SET(*text))
		{
			put_ascii(&page->out, *text++);
			continue;
		}
		length = sequence_length(text);
		if (length == 0)
		{
			/* not UTF-8 after all: U+FFFD */
			appendStringInfoString(&page->out, "\357\277\275");
			text++;
			continue;
		}
		put_character(&page->out, utf8_to_unicode((const unsigned char *) text),
					  text, length);
		text += length;
	}
}

/* The same, isolated from the direction of the text around it */
void
page_user(Page *page, const char *text)
{
	page_raw(page, "<bdi>");
	page_text(page, text);
	page_raw(page, "</bdi>");
}

/* The first so many characters, with an ellipsis when there are more */
char *
text_cut(const char *text, int characters)
{
	const char *end = text;
	int			length;

	if (text == NULL)
		return pstrdup("");
	for (int i = 0; i < characters && *end; i++)
	{
		length = sequence_length(end);
		end += Max(length, 1);
	}
	if (*end == '\0')
		return pstrdup(text);
	return psprintf("%s\342\200\246", pnstrdup(text, end - text));
}

/* 1234567.891 with so many places: 1,234,567.89 */
static char *
grouped(double x, int places)
{
	char	   *plain = psprintf("%.*f", places, fabs(x));
	int			whole = strcspn(plain, ".");
	StringInfoData out;

	initStringInfo(&out);
	if (x < 0 && strspn(plain, "0.") < strlen(plain))
		appendStringInfoString(&out, "\342\210\222");	/* minus sign */
	for (int i = 0; plain[i]; i++)
	{
		if (i > 0 && i < whole && (whole - i) % 3 == 0)
			appendStringInfoChar(&out, ',');
		appendStringInfoChar(&out, plain[i]);
	}
	return out.data;
}

/* About three digits, for figures of any size */
static char *
three_digits(double x)
{
	double		size = fabs(x);

	if (size != 0 && (size < 0.001 || size >= 1e9))
		return psprintf("%.2g", x);
	return grouped(x, size >= 100 || x == floor(x) ? 0 : size >= 10 ? 1 :
				   size >= 1 ? 2 : 3);
}

/*
 * A number for people.  Styles: "n" whole, "%" share with one place, "%0"
 * share without, "of100" the same without the sign, ".1" to ".4" places, "x"
 * times, "$" money, "+" signed with two places, "~" about three digits.  NaN
 * is a dash.
 */
char *
number_words(double x, const char *style)
{
	if (isnan(x))
		return pstrdup("\342\200\223");
	if (isinf(x))
		return pstrdup(x > 0 ? "\342\210\236" : "\342\210\222\342\210\236");
	if (strcmp(style, "n") == 0)
		return grouped(x, 0);
	if (strcmp(style, "%") == 0)
		return psprintf("%s%%", grouped(100 * x, 1));
	if (strcmp(style, "%0") == 0)
		return psprintf("%s%%", grouped(100 * x, 0));
	if (strcmp(style, "of100") == 0)
		return grouped(100 * x, 0);
	if (strcmp(style, "x") == 0)
		return psprintf("%s\303\227", grouped(x, 1));
	if (strcmp(style, "$") == 0)
		return grouped(x, fabs(x) < 100 ? 2 : 0);
	if (strcmp(style, "+") == 0)
		return psprintf("%s%s", x > 0.005 ? "+" : "", grouped(x, 2));
	if (style[0] == '.')
		return grouped(x, style[1] - '0');
	return three_digits(x);
}

/* 2024-03-25 as 25 March 2024; anything else as it is */
char *
day_words(const char *iso)
{
	static const char *const months[] = {
		"January", "February", "March", "April", "May", "June", "July",
		"August", "September", "October", "November", "December"
	};
	int			year,
				month,
				day;

	if (iso == NULL)
		return pstrdup("\342\200\223");
	if (strlen(iso) < 10 ||
		sscanf(iso, "%d-%d-%d", &year, &month, &day) != 3 ||
		month < 1 || month > 12)
		return pstrdup(iso);
	return psprintf("%d %s %d", day, months[month - 1], year);
}

/* A figure: for people, and exact beside it under its name */
static void
page_figure(Page *page, Facts facts, const char *key, const char *style)
{
	char	   *exact = field_exact(facts, key);

	if (strcmp(style, "t") == 0)
		page_user(page, field_text(facts, key));
	else if (strcmp(style, "day") == 0)
	{
		char	   *day = field_text(facts, key);

		page_printf(page, "<time data-figure=\"%s.%s%s\" datetime=\"",
					page->prefix, page->in_row ? "row." : "", key);
		page_text(page, day);
		page_raw(page, "\">");
		page_text(page, day_words(day));
		page_raw(page, "</time>");
	}
	else if (exact == NULL)
		page_raw(page, number_words(get_float8_nan(), style));
	else
	{
		page_printf(page, "<data data-figure=\"%s.%s%s\" value=\"%s\">",
					page->prefix, page->in_row ? "row." : "", key, exact);
		page_raw(page, number_words(field_number(facts, key), style));
		page_raw(page, "</data>");
	}
}

/*
 * A sentence in which {key|style} stands for a figure; styles of
 * number_words(), "t" for text of the database and "day" for a date.
 */
void
page_say(Page *page, Facts facts, const char *sentence)
{
	const char *open;

	while ((open = strchr(sentence, '{')) != NULL)
	{
		const char *bar = strchr(open, '|');
		const char *end = strchr(open, '}');

		Assert(bar != NULL && end != NULL && bar < end);
		appendBinaryStringInfo(&page->out, sentence, open - sentence);
		page_figure(page, facts, pnstrdup(open + 1, bar - open - 1),
					pnstrdup(bar + 1, end - bar - 1));
		sentence = end + 1;
	}
	page_raw(page, sentence);
}

/* The page as ASCII: whatever else it holds as character references */
text *
page_ascii(Page *page)
{
	const char *s = page->out.data;
	StringInfoData out;

	initStringInfo(&out);
	while (*s)
	{
		int			plain = 0;

		while (s[plain] && !IS_HIGHBIT_SET(s[plain]))
			plain++;
		appendBinaryStringInfo(&out, s, plain);
		s += plain;
		if (*s)
		{
			appendStringInfo(&out, "&#x%X;",
							 (unsigned) utf8_to_unicode((const unsigned char *) s));
			s += pg_utf_mblen((const unsigned char *) s);
		}
	}
	return cstring_to_text_with_len(out.data, out.len);
}
