/*-------------------------------------------------------------------------
 *
 * history_text.c
 *	  Text form of churn_history: readable, exact, the same in any session.
 *
 *	  {order: 2024-01-05 19.99, 2024-02-01 x3 59.97 +2d; view: 2024-01-04 x7}
 *
 *	  history	{ } or { kind; kind; ... }
 *	  kind		name: entry, entry, ...
 *	  name		letters, digits, _ - . and bytes above 127, beginning with
 *				none of digit, - and . ; any other in double quotes, which
 *				are doubled within
 *	  entry		date [xcount] [amount] [~float8]... [+lagd]
 *	  date		year-month-day, year 0 before year 1 and negative before it
 *	  count		events, 1 when left out
 *	  amount	exact decimal, two places at most
 *	  ~float8	money that is no whole cents, as shortest decimals; several
 *				add up, and ~1e308*2^3 is eight times 1e308
 *	  lag		days until it was known, 0 when left out
 *
 * Blanks may stand between words.  Entries may come in any order; equal
 * ones add up.  What comes out is sorted, and reads back to equal bytes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <errno.h>
#include <math.h>

#include "common/shortest_dec.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "history/calendar.h"
#include "history/history_state.h"
#include "history/history_text.h"

/* Where the parser stands */
typedef struct Parser
{
	const char *text;
	const char *at;
	Node	   *escontext;		/* takes soft errors, from 16 on */
	HistoryState *state;
	DyadicSum	rest;			/* dyadic money of the current entry */
	uint8		encoded[DYADIC_MAX_BYTES];
} Parser;

/* Whether a byte may stand in a name without quotes. */
static bool
is_name_byte(char c, bool first)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
		IS_HIGHBIT_SET(c))
		return true;
	return !first && ((c >= '0' && c <= '9') || c == '-' || c == '.');
}

/* Whether a byte is a decimal digit. */
static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Write a name, quoted if need be. */
static void
print_name(StringInfo out, const char *name, uint32 nbytes)
{
	bool		bare = true;

	for (uint32 i = 0; i < nbytes; i++)
		bare = bare && is_name_byte(name[i], i == 0);
	if (bare)
	{
		appendBinaryStringInfo(out, name, (int) nbytes);
		return;
	}
	appendStringInfoChar(out, '"');
	for (uint32 i = 0; i < nbytes; i++)
	{
		if (name[i] == '"')
			appendStringInfoChar(out, '"');
		appendStringInfoChar(out, name[i]);
	}
	appendStringInfoChar(out, '"');
}

/* Write cents as a decimal of two places. */
static void
print_cents(StringInfo out, WideInt cents)
{
	WideUint	size = cents < 0 ? -(WideUint) cents : (WideUint) cents;
	char		digits[48];
	int			at = sizeof(digits);
	int			written = 0;

	/* at least 0.00 */
	while (size > 0 || written < 3)
	{
		digits[--at] = (char) ('0' + (int) (size % 10));
		size /= 10;
		if (++written == 2)
			digits[--at] = '.';
	}
	appendStringInfo(out, cents < 0 ? " -%.*s" : " %.*s",
					 (int) sizeof(digits) - at, digits + at);
}

/* Write dyadic money as float8s that add up to it. */
static void
print_dyadic(StringInfo out, const Dyadic *number, DyadicSum *work)
{
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];
	double		term;
	int			scale;

	dyadic_reset(work);
	dyadic_add_encoded(work, number);
	while (dyadic_take(work, &term, &scale))
	{
		double_to_shortest_decimal_buf(term, digits);
		appendStringInfo(out, " ~%s", digits);
		if (scale > 0)
			appendStringInfo(out, "*2^%d", scale);
	}
}

/* Write one entry. */
static void
print_entry(StringInfo out, const HistoryEntry *entry, DyadicSum *work)
{
	int			year,
				month,
				day;

	calendar_date(entry->day, &year, &month, &day);
	appendStringInfo(out, year < 0 ? " -%04d-%02d-%02d" : " %04d-%02d-%02d",
					 abs(year), month, day);
	if (entry->count > 1)
		appendStringInfo(out, " x" INT64_FORMAT, (int64) entry->count);
	if (entry->has_amount && (entry->cents != 0 || !entry->has_dyadic))
		print_cents(out, entry->cents);
	if (entry->has_dyadic)
		print_dyadic(out, &entry->dyadic, work);
	if (entry->lag > 0)
		appendStringInfo(out, " +%dd", entry->lag);
}

/* The text form of a stored history. */
char *
history_to_text(const void *bytes, Size nbytes)
{
	StringInfoData out;
	HistoryReader reader;
	HistoryEntry entry;
	DyadicSum	work;
	bool		first_kind = true;

	memset(&work, 0, sizeof(work));
	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	history_reader_open(&reader, bytes, nbytes);
	while (history_reader_kind(&reader))
	{
		bool		first = true;

		CHECK_FOR_INTERRUPTS();
		if (!first_kind)
			appendStringInfoString(&out, "; ");
		first_kind = false;
		print_name(&out, (const char *) reader.kind, reader.kind_bytes);
		appendStringInfoChar(&out, ':');
		while (history_reader_entry(&reader, &entry))
		{
			if (!first)
				appendStringInfoChar(&out, ',');
			first = false;
			print_entry(&out, &entry, &work);
		}
	}
	if (reader.damage)
		history_damaged(reader.damage);
	appendStringInfoChar(&out, '}');
	return out.data;
}

/*
 * Report that the text at "at" is not "what"; returns false, so that callers
 * unwind.
 */
static bool
refuse(Parser *parser, const char *at, const char *what)
{
	int			position = pg_mbstrlen_with_len(parser->text,
												(int) (at - parser->text)) + 1;
	int			left = (int) strlen(at);
	int			shown = pg_mbcliplen(at, left, Min(left, 20));

#if PG_VERSION_NUM >= 160000
	errsave(parser->escontext,
#else
	ereport(ERROR,
#endif
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type %s", "churn_history"),
			 left == 0 ?
			 errdetail("Expected %s at character %d, where the text ends.",
					   what, position) :
			 errdetail("Expected %s at character %d, near \"%.*s\".",
					   what, position, shown, at)));
	return false;
}

/* Skip blanks. */
static void
skip_blanks(Parser *parser)
{
	while (*parser->at == ' ' || (*parser->at >= '\t' && *parser->at <= '\r'))
		parser->at++;
}

/* Step over a character if it comes next, blanks before it or not. */
static bool
take(Parser *parser, char c)
{
	skip_blanks(parser);
	if (*parser->at != c)
		return false;
	parser->at++;
	return true;
}

/* Read digits into a number up to "limit". */
static bool
parse_digits(Parser *parser, uint64 limit, uint64 *value)
{
	if (!is_digit(*parser->at))
		return false;
	*value = 0;
	for (; is_digit(*parser->at); parser->at++)
	{
		uint64		digit = *parser->at - '0';

		if (*value > (limit - digit) / 10)
			return false;
		*value = *value * 10 + digit;
	}
	return true;
}

/* Read the name of a kind; returns its number. */
static bool
parse_name(Parser *parser, uint32 *kind)
{
	const char *start;
	char		name[HISTORY_KIND_BYTES];
	uint32		nbytes = 0;
	bool		quoted = take(parser, '"');

	start = parser->at;
	while (quoted ? *parser->at != '\0' :
		   is_name_byte(*parser->at, parser->at == start))
	{
		if (quoted && parser->at[0] == '"')
		{
			if (parser->at[1] != '"')
				break;
			parser->at++;
		}
		if (nbytes == HISTORY_KIND_BYTES)
			return refuse(parser, start, "the name of a kind of at most 63 bytes");
		name[nbytes++] = *parser->at++;
	}
	if (nbytes == 0)
		return refuse(parser, start, "the name of a kind");
	if (quoted && *parser->at++ != '"')
		return refuse(parser, parser->at - 1, "a closing quote");
	*kind = kinds_number(parser->state->kinds, name, nbytes);
	return true;
}

/* Read a date. */
static bool
parse_date(Parser *parser, int32_t *result)
{
	const char *start;
	bool		negative = take(parser, '-');
	uint64		year,
				month,
				day;
	int64		signed_year;

	start = parser->at - negative;
	if (!parse_digits(parser, 5874897, &year) || parser->at - start < 4 ||
		*parser->at++ != '-' ||
		!parse_digits(parser, 12, &month) || month < 1 ||
		*parser->at++ != '-' ||
		!parse_digits(parser, 31, &day) || day < 1)
		return refuse(parser, start, "a date of the form YYYY-MM-DD");
	signed_year = negative ? -(int64) year : (int64) year;
	if (signed_year < -4713 ||
		day > (uint64) calendar_month_days(signed_year, (int) month))
		return refuse(parser, start, "a date of the calendar");
	*result = calendar_day(signed_year, (int) month, (int) day);
	if (*result < HISTORY_MIN_DAY)
		return refuse(parser, start, "a date of the calendar");
	return true;
}

/* Read "x count". */
static bool
parse_count(Parser *parser, HistoryEntry *entry)
{
	const char *start = parser->at;
	uint64		count;

	if (!parse_digits(parser, PG_INT64_MAX, &count) || count < 1)
		return refuse(parser, start, "a number of events above 0");
	entry->count = (int64) count;
	return true;
}

/* Read an amount in decimals. */
static bool
parse_cents(Parser *parser, HistoryEntry *entry)
{
	const char *start = parser->at;
	bool		negative = take(parser, '-');
	const WideUint limit = (WideUint) 1 << (AMOUNT_CENT_BITS + 64);
	WideUint	cents = 0;
	int			places = -1;

	if (!is_digit(*parser->at))
		return refuse(parser, start, "an amount");
	for (; places < 2; parser->at++)
	{
		if (places < 0 && *parser->at == '.' && is_digit(parser->at[1]))
			places = 0;
		else if (is_digit(*parser->at) && cents < limit)
		{
			cents = cents * 10 + (unsigned) (*parser->at - '0');
			places += places >= 0;
		}
		else
			break;
	}
	for (places = Max(places, 0); places < 2; places++)
		cents *= 10;
	if (is_digit(*parser->at))
		return refuse(parser, start, "an amount of at most two decimal places and within the range");
	entry->cents = negative ? -(WideInt) cents : (WideInt) cents;
	entry->has_amount = true;
	if (!amount_cents_fit(entry->cents, entry->count))
		return refuse(parser, start, "an amount within the range");
	return true;
}

/* Read one float8 after its "~". */
static bool
parse_dyadic(Parser *parser, HistoryEntry *entry)
{
	const char *start = parser->at;
	size_t		length = strspn(start, "0123456789.eE+-");
	char		number[64];
	char	   *end;
	double		value;
	uint64		scale = 0;

	if (length == 0 || length >= sizeof(number))
		return refuse(parser, start, "a number");
	memcpy(number, start, length);
	number[length] = '\0';
	errno = 0;
	value = strtod(number, &end);
	/* "1+2d": a lag follows at once */
	if (end == number || (*end != '\0' && *end != '+') || !isfinite(value) ||
		(value == 0 && errno == ERANGE))
		return refuse(parser, start, "a number within the range of float8");
	parser->at += end - number;
	if (strncmp(parser->at, "*2^", 3) == 0)
	{
		parser->at += 3;
		if (!parse_digits(parser, 64, &scale))
			return refuse(parser, parser->at, "a power of two from 0 to 64");
	}
	dyadic_add(&parser->rest, value, (int) scale);
	entry->has_amount = true;
	return true;
}

/* Read "+ lag d". */
static bool
parse_lag(Parser *parser, HistoryEntry *entry)
{
	const char *start = parser->at;
	uint64		lag;

	if (!parse_digits(parser, HISTORY_MAX_LAG, &lag) || *parser->at != 'd')
		return refuse(parser, start, "a lag of at most 36500 days, such as 2d");
	parser->at++;
	entry->lag = (int32) lag;
	return true;
}

/* Close the dyadic part of an entry. */
static bool
finish_dyadic(Parser *parser, HistoryEntry *entry, const char *start)
{
	entry->encoded = parser->encoded;
	entry->encoded_bytes = dyadic_encode(&parser->rest, parser->encoded);
	dyadic_reset(&parser->rest);
	entry->has_dyadic = entry->encoded_bytes > 0;
	if (!entry->has_dyadic)
		return true;
	/* a sum beyond what any history holds is not even parsed */
	if (dyadic_parse(parser->encoded, parser->encoded + entry->encoded_bytes,
					 &entry->dyadic) == NULL ||
		dyadic_excess(&entry->dyadic) >= (uint64) entry->count)
		return refuse(parser, start, "an amount within the range");
	return true;
}

/* Read one entry and add it. */
static bool
parse_entry(Parser *parser, uint32 kind)
{
	HistoryEntry entry;
	const char *start;

	memset(&entry, 0, sizeof(entry));
	entry.count = 1;
	if (!parse_date(parser, &entry.day))
		return false;
	if (take(parser, 'x') && !parse_count(parser, &entry))
		return false;
	skip_blanks(parser);
	start = parser->at;
	if ((is_digit(*start) || *start == '-') && !parse_cents(parser, &entry))
		return false;
	while (take(parser, '~'))
		if (!parse_dyadic(parser, &entry))
			return false;
	if (!finish_dyadic(parser, &entry, start))
		return false;
	if (take(parser, '+') && !parse_lag(parser, &entry))
		return false;
	parser->state = history_state_add(parser->state, kind, &entry);
	return true;
}

/* Read one kind. */
static bool
parse_kind(Parser *parser)
{
	uint32		kind;

	CHECK_FOR_INTERRUPTS();
	skip_blanks(parser);
	if (!parse_name(parser, &kind))
		return false;
	if (!take(parser, ':'))
		return refuse(parser, parser->at, "\":\"");
	do
	{
		if (!parse_entry(parser, kind))
			return false;
	} while (take(parser, ','));
	return true;
}

/* Read it all. */
static bool
parse_history(Parser *parser)
{
	if (!take(parser, '{'))
		return refuse(parser, parser->at, "\"{\"");
	if (!take(parser, '}'))
	{
		do
		{
			if (!parse_kind(parser))
				return false;
		} while (take(parser, ';'));
		if (!take(parser, '}'))
			return refuse(parser, parser->at, "\",\", \";\" or \"}\"");
	}
	skip_blanks(parser);
	if (*parser->at != '\0')
		return refuse(parser, parser->at, "the end");
	return true;
}

/* See history_text.h. */
struct varlena *
history_from_text(const char *text, Node *escontext)
{
	Parser		parser;
	KindDictionary *kinds = kinds_create(CurrentMemoryContext);

	memset(&parser, 0, sizeof(parser));
	parser.text = parser.at = text;
	parser.escontext = escontext;
	parser.state = history_state_create(CurrentMemoryContext, kinds);
	if (!parse_history(&parser))
		return NULL;
	return history_state_build(parser.state);
}
