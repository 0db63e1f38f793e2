/*-------------------------------------------------------------------------
 *
 * phrase_nouns.c
 *	  What a kind of events is called.
 *
 * Kinds come from the user's data.  English takes the name itself and its
 * regular plural.  Chinese has words for common kinds; any other name stands
 * in quotation marks, unless it is written in another script than ours.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "history/phrase.h"

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

/* The Chinese word for a kind in the table, or NULL; no case, any plural */
static const char *
chinese_word(const char *kind)
{
	for (int id = PHRASE_KIND_ORDER; id < PHRASES; id++)
	{
		const char *name = phrase_template((PhraseId) id, CHURN_ENGLISH);

		if (pg_strcasecmp(kind, name) == 0 ||
			pg_strcasecmp(kind, pluralise(name)) == 0)
			return phrase_template((PhraseId) id, CHURN_CHINESE);
	}
	return NULL;
}

/* A phrase of its own about one or two words */
static char *
say_words(PhraseId id, const char *word, const char *other)
{
	Phrase		phrase = {.language = CHURN_CHINESE, .word = word,
		.other = other};

	initStringInfo(&phrase.text);
	phrase_say(&phrase, id, 0, 0, 0);
	return phrase.text.data;
}

/* A kind that no word is known for */
static const char *
chinese_unknown(const char *kind)
{
	for (const char *c = kind; *c; c++)
		if (!IS_HIGHBIT_SET(*c))
			return say_words(PHRASE_KIND_OF, kind, NULL);
	return kind;
}

/* "order:electronics" is a part of "order". */
static const char *
chinese_noun(const char *kind)
{
	const char *colon = strchr(kind, ':');
	const char *word = chinese_word(kind);

	if (word == NULL && colon != NULL && colon > kind && colon[1])
	{
		word = chinese_word(pnstrdup(kind, colon - kind));
		if (word != NULL)
			word = say_words(PHRASE_KIND_PART, colon + 1, word);
	}
	return word ? word : chinese_unknown(kind);
}

/* See phrase.h. */
const char *
phrase_noun(const Phrase *phrase, int kind)
{
	const char *name;

	if (kind == FEATURES_ANY(phrase->list))
		return phrase_template(PHRASE_EVENT, phrase->language);
	name = phrase->list->spec->kinds[kind];
	return phrase->language == CHURN_CHINESE ? chinese_noun(name) : name;
}

/* See phrase.h. */
void
phrase_set_kind(Phrase *phrase, int kind)
{
	bool		any = kind == FEATURES_ANY(phrase->list);

	phrase->one = phrase_noun(phrase, kind);
	phrase->many = any ? phrase_template(PHRASE_EVENTS, phrase->language) :
		phrase->language == CHURN_CHINESE ? phrase->one :
		pluralise(phrase->one);
	phrase->paid = any ? phrase_template(PHRASE_EVENT_PAID, phrase->language) :
		phrase->one;
}
