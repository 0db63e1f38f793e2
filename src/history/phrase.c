/*-------------------------------------------------------------------------
 *
 * phrase.c
 *	  The value of a feature in plain words: nouns, numbers, and which file
 *	  knows the rest.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "history/phrase.h"

#define DAYS_A_YEAR		365

/* An ASCII letter, whatever the locale */
static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Letters, spaces and hyphens only: English rules may be tried. */
static bool
is_plain_word(const char *kind)
{
	size_t		length = strlen(kind);

	for (const char *c = kind; *c; c++)
		if (!is_letter(*c) && *c != ' ' && *c != '-')
			return false;
	return length > 1 && is_letter(kind[length - 1]);
}

/* Does a word end so? */
static bool
ends_with(const char *word, const char *ending)
{
	size_t		length = strlen(word),
				tail = strlen(ending);

	return length >= tail && strcmp(word + length - tail, ending) == 0;
}

/*
 * Several of a kind.  A word that ends in a single s passes for a plural
 * already; what is not plain English letters stays as it is.
 */
static const char *
pluralise(const char *kind)
{
	size_t		length = strlen(kind);

	if (!is_plain_word(kind))
		return kind;
	if (ends_with(kind, "ss") || ends_with(kind, "ch") ||
		ends_with(kind, "sh") || ends_with(kind, "x") || ends_with(kind, "z"))
		return psprintf("%ses", kind);
	if (ends_with(kind, "s"))
		return kind;
	if (ends_with(kind, "y") && !strchr("aeiou", kind[length - 2]))
		return psprintf("%.*sies", (int) length - 1, kind);
	return psprintf("%ss", kind);
}

/* See phrase.h. */
const char *
phrase_one(const FeatureList *list, int kind)
{
	return kind == FEATURES_ANY(list) ? "event" : list->spec->kinds[kind];
}

/* See phrase.h. */
const char *
phrase_many(const FeatureList *list, int kind)
{
	return kind == FEATURES_ANY(list) ? "events" :
		pluralise(list->spec->kinds[kind]);
}

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

/* See phrase.h. Whole numbers as such, others with one or two decimals. */
bool
phrase_number(Phrase *phrase, double number)
{
	int			decimals = fabs(number) < 1 ? 2 : 1;
	char	   *digits = psprintf("%.*f", decimals, number);
	char	   *end = digits + strlen(digits);

	while (end[-1] == '0')
		*--end = '\0';
	if (end[-1] == '.')
		*--end = '\0';
	if (strcmp(digits, "-0") == 0)
		digits = "0";
	append_grouped(phrase, digits);
	return strcmp(digits, "1") == 0;
}

/* See phrase.h. */
void
phrase_money(Phrase *phrase, double money)
{
	char	   *digits = psprintf("%.2f", money);

	append_grouped(phrase, strcmp(digits, "-0.00") == 0 ? "0.00" : digits);
}

/* See phrase.h. */
void
phrase_days(Phrase *phrase, double days)
{
	bool		one = phrase_number(phrase, days);

	appendStringInfoString(&phrase->text, one ? " day" : " days");
}

/* See phrase.h. */
void
phrase_last_days(Phrase *phrase, double days)
{
	appendStringInfoString(&phrase->text, "last ");
	if (days == 1)
		appendStringInfoString(&phrase->text, "day");
	else if (days > DAYS_A_YEAR && fmod(days, DAYS_A_YEAR) == 0)
		appendStringInfo(&phrase->text, "%d years",
						 (int) (days / DAYS_A_YEAR));
	else
		phrase_days(phrase, days);
}

/* See phrase.h. */
void
phrase_count(Phrase *phrase, double count)
{
	bool		one = true;

	if (count == 0)
		appendStringInfoString(&phrase->text, "no");
	else
		one = phrase_number(phrase, count);
	appendStringInfo(&phrase->text, " %s", one ? phrase->one : phrase->many);
}

/* See phrase.h. */
void
phrase_percent(Phrase *phrase, double share)
{
	if (share > 0 && share < 0.005)
		appendStringInfoString(&phrase->text, "less than 1%");
	else if (share >= 0.995 && share < 1)
		appendStringInfoString(&phrase->text, "nearly 100%");
	else
		appendStringInfo(&phrase->text, "%.0f%%", 100 * share);
}

/* See phrase.h. */
bool
phrase_near(const Phrase *phrase, FeatureId id, int window, double *value)
{
	const FeatureList *list = phrase->list;
	int			i;

	if ((id == FEATURE_COUNT || id == FEATURE_DAYS || id == FEATURE_AMOUNT) &&
		window == list->spec->lookback)
		window = 0;
	i = features_find(list, id, phrase->feature->kind, window);
	if (i < 0 || phrase->nulls[i])
		return false;
	*value = phrase->values[i];
	return true;
}

/* See phrase.h. */
void
phrase_none(Phrase *phrase, int days)
{
	appendStringInfo(&phrase->text, "no %s in the ", phrase->one);
	phrase_last_days(phrase, days);
}

/* See phrase.h. */
bool
phrase_only_gap(const Phrase *phrase)
{
	double		days = 0;

	(void) phrase_near(phrase, FEATURE_DAYS, 0, &days);
	return days == 2;
}

/* See phrase.h. */
void
phrase_too_few(Phrase *phrase)
{
	double		days = 0,
				count = 0;

	(void) phrase_near(phrase, FEATURE_DAYS, 0, &days);
	(void) phrase_near(phrase, FEATURE_COUNT, 0, &count);
	if (days == 0)
		phrase_none(phrase, phrase->list->spec->lookback);
	else if (count == 1)
		appendStringInfo(&phrase->text, "only one %s so far, so no rhythm yet",
						 phrase->one);
	else if (days == 1)
		appendStringInfo(&phrase->text,
						 "%s on only one day so far, so no rhythm yet",
						 phrase->many);
	else if (days == 2)
		appendStringInfo(&phrase->text, "only one gap between %s so far",
						 phrase->many);
	else
		appendStringInfo(&phrase->text, "all gaps between %s are equally long",
						 phrase->many);
}

/* Hand the feature to the file of its group. */
static void
append_clause(Phrase *phrase)
{
	FeatureId	id = phrase->feature->id;

	if (id <= FEATURE_COUNT_SCALED)
		frequency_phrase(phrase);
	else if (id <= FEATURE_AMOUNT_LAST_RATIO)
		money_phrase(phrase);
	else if (id <= FEATURE_KEPT)
		rhythm_phrase(phrase);
	else if (id <= FEATURE_YOY)
		trend_phrase(phrase);
	else if (id >= FEATURE_WEEK_SHARE && id <= FEATURE_WEEKDAY_ENTROPY)
		calendar_phrase(phrase);
	else
		variety_phrase(phrase);
}

/* See features.h. */
char *
features_phrase(const FeatureList *list, int i, const double *values,
				const bool *nulls)
{
	Phrase		phrase = {
		.list = list,
		.feature = &list->features[i],
		.values = values,
		.nulls = nulls,
		.value = nulls[i] ? 0 : values[i],
		.defined = !nulls[i],
		.one = phrase_one(list, list->features[i].kind),
		.many = phrase_many(list, list->features[i].kind)
	};

	Assert(i >= 0 && i < list->n);
	initStringInfo(&phrase.text);
	append_clause(&phrase);
	return phrase.text.data;
}
