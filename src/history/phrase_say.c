/*-------------------------------------------------------------------------
 *
 * phrase_say.c
 *	  Templates filled in: the places in braces, and the forms of numbers.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "history/phrase.h"

#define DAYS_A_YEAR		365

/* How a number is written: the word behind its letter in a place */
typedef struct PhraseForm
{
	const char *name;
	void		(*write) (Phrase *phrase, double number);
} PhraseForm;

/* Append the digits of a number with commas between its thousands. */
static void
append_grouped(Phrase *phrase, const char *digits)
{
	int			left;

	if (*digits == '-')
		appendStringInfoChar(&phrase->text, *digits++);
	left = strspn(digits, "0123456789");
	for (; left > 0; left--)
	{
		appendStringInfoChar(&phrase->text, *digits++);
		if (left > 1 && left % 3 == 1)
			appendStringInfoChar(&phrase->text, ',');
	}
	appendStringInfoString(&phrase->text, digits);
}

/* Whole numbers as such, others with one or two decimals */
static char *
plain_digits(double number)
{
	int			decimals = fabs(number) < 1 ? 2 : 1;
	char	   *digits = psprintf("%.*f", decimals, number);
	char	   *end = digits + strlen(digits);

	while (end[-1] == '0')
		*--end = '\0';
	if (end[-1] == '.')
		*--end = '\0';
	return strcmp(digits, "-0") == 0 ? digits + 1 : digits;
}

/* Does a number read as 1, so that its noun is singular? */
static bool
reads_as_one(double number)
{
	return strcmp(plain_digits(number), "1") == 0;
}

/* "3", "0.35", "1,200" */
static void
write_plain(Phrase *phrase, double number)
{
	append_grouped(phrase, plain_digits(number));
}

static void
write_days(Phrase *phrase, double days)
{
	phrase_say(phrase, reads_as_one(days) ? PHRASE_DAYS_ONE : PHRASE_DAYS_MANY,
			   days, 0, 0);
}

static void
write_last(Phrase *phrase, double days)
{
	if (days == 1)
		phrase_say(phrase, PHRASE_LAST_DAY, 0, 0, 0);
	else if (days > DAYS_A_YEAR && fmod(days, DAYS_A_YEAR) == 0)
		phrase_say(phrase, PHRASE_LAST_YEARS, days / DAYS_A_YEAR, 0, 0);
	else
		phrase_say(phrase, PHRASE_LAST_DAYS, days, 0, 0);
}

static void
write_every(Phrase *phrase, double days)
{
	phrase_say(phrase, days == 1 ? PHRASE_EVERY_DAY : PHRASE_EVERY_DAYS,
			   days, 0, 0);
}

static void
write_before(Phrase *phrase, double days)
{
	phrase_say(phrase, days == 1 ? PHRASE_BEFORE_DAY : PHRASE_BEFORE_DAYS,
			   days, 0, 0);
}

static void
write_count(Phrase *phrase, double count)
{
	phrase_say(phrase, count == 0 ? PHRASE_COUNT_NONE :
			   reads_as_one(count) ? PHRASE_COUNT_ONE : PHRASE_COUNT_MANY,
			   count, 0, 0);
}

static void
write_noun(Phrase *phrase, double count)
{
	appendStringInfoString(&phrase->text,
						   count == 1 ? phrase->one : phrase->many);
}

static void
write_spans(Phrase *phrase, double spans)
{
	phrase_say(phrase, spans == 1 ? PHRASE_SPANS_ONE : PHRASE_SPANS_MANY,
			   spans, 0, 0);
}

static void
write_money(Phrase *phrase, double money)
{
	char	   *digits = psprintf("%.2f", money);

	append_grouped(phrase, strcmp(digits, "-0.00") == 0 ? "0.00" : digits);
}

static void
write_percent(Phrase *phrase, double share)
{
	phrase_say(phrase, share > 0 && share < 0.005 ? PHRASE_PERCENT_LITTLE :
			   share >= 0.995 && share < 1 ? PHRASE_PERCENT_NEARLY :
			   PHRASE_PERCENT, 100 * share, 0, 0);
}

static void
write_whole(Phrase *phrase, double number)
{
	appendStringInfo(&phrase->text, "%.0f", number);
}

static void
write_tenth(Phrase *phrase, double number)
{
	appendStringInfo(&phrase->text, "%.1f", number);
}

static void
write_fixed(Phrase *phrase, double number)
{
	appendStringInfo(&phrase->text, "%.2f", number);
}

static const PhraseForm forms[] = {
	{"", write_plain},
	{" before", write_before},
	{" count", write_count},
	{" days", write_days},
	{" each", money_write_each},
	{" every", write_every},
	{" fixed", write_fixed},
	{" last", write_last},
	{" money", write_money},
	{" noun", write_noun},
	{" percent", write_percent},
	{" spans", write_spans},
	{" sum", money_write_sum},
	{" tenth", write_tenth},
	{" whole", write_whole}
};

/*
 * A column's name or what it holds, as it is.  Chinese sets a word of Latin
 * letters apart by spaces; "next" is what the template goes on with.
 */
static void
append_word(Phrase *phrase, const char *word, char next)
{
	StringInfo	text = &phrase->text;
	bool		apart = phrase->language == CHURN_CHINESE && *word;

	if (apart && text->len > 0 && !IS_HIGHBIT_SET(word[0]) &&
		IS_HIGHBIT_SET(text->data[text->len - 1]))
		appendStringInfoChar(text, ' ');
	appendStringInfoString(text, word);
	if (apart && IS_HIGHBIT_SET(next) &&
		!IS_HIGHBIT_SET(text->data[text->len - 1]))
		appendStringInfoChar(text, ' ');
}

/* Is a place of this name? */
static bool
place_is(const char *place, int length, const char *name)
{
	return (int) strlen(name) == length && strncmp(place, name, length) == 0;
}

/* Fill one place; "place" is what stands in the braces. */
static void
fill_place(Phrase *phrase, const char *place, int length, char next,
		   const double *numbers)
{
	if (place_is(place, length, "one"))
		appendStringInfoString(&phrase->text, phrase->one);
	else if (place_is(place, length, "many"))
		appendStringInfoString(&phrase->text, phrase->many);
	else if (place_is(place, length, "paid"))
		appendStringInfoString(&phrase->text, phrase->paid);
	else if (place_is(place, length, "other"))
		appendStringInfoString(&phrase->text, phrase->other);
	else if (place_is(place, length, "text"))
		appendStringInfoString(&phrase->text, phrase->word);
	else if (place_is(place, length, "value"))
		append_word(phrase, phrase->word, next);
	else if (place_is(place, length, "name"))
		append_word(phrase, phrase->name, next);
	else
	{
		for (size_t i = 0; i < lengthof(forms); i++)
			if (place_is(place + 1, length - 1, forms[i].name))
			{
				forms[i].write(phrase, numbers[place[0] - 'a']);
				return;
			}
		elog(ERROR, "template of a phrase has an unknown place \"%.*s\"",
			 length, place);
	}
}

/* See phrase.h. */
void
phrase_say(Phrase *phrase, PhraseId id, double a, double b, double c)
{
	const char *rest = phrase_template(id, phrase->language);
	const double numbers[3] = {a, b, c};
	const char *brace;

	while ((brace = strchr(rest, '{')) != NULL)
	{
		const char *end = strchr(brace, '}');

		appendBinaryStringInfo(&phrase->text, rest, brace - rest);
		fill_place(phrase, brace + 1, end - brace - 1, end[1], numbers);
		rest = end + 1;
	}
	appendStringInfoString(&phrase->text, rest);
}
