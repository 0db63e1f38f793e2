/*-------------------------------------------------------------------------
 *
 * phrase_templates.c
 *	  The templates of phrases, and the table of them as SQL shows it.
 *
 * Templates are UTF-8.  A database in another encoding gets them converted;
 * one that has no Chinese characters refuses the language.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "churn.h"
#include "history/phrase.h"

typedef struct PhraseTemplate
{
	const char *name;
	const char *text[CHURN_LANGUAGES];	/* by ChurnLanguage */
} PhraseTemplate;

static const PhraseTemplate templates[] = {
#define TEMPLATE(id, english, chinese) [PHRASE_##id] = {#id, {english, chinese}},
#include "history/phrase_templates.h"
#undef TEMPLATE
};

StaticAssertDecl(lengthof(templates) == PHRASES, "every phrase has a template");

/* SQL_ASCII stores bytes as they come; of the others few have the characters. */
bool
phrase_language_fits(ChurnLanguage language)
{
	int			encoding = GetDatabaseEncoding();

	return language == CHURN_ENGLISH || encoding == PG_UTF8 ||
		encoding == PG_SQL_ASCII || encoding == PG_EUC_CN;
}

ChurnLanguage
phrase_language(void)
{
	ChurnLanguage language = (ChurnLanguage) churn_language_setting;

	if (!phrase_language_fits(language))
		ereport(ERROR,
				(errcode(ERRCODE_UNTRANSLATABLE_CHARACTER),
				 errmsg("phrases in Chinese cannot be written in a database of encoding \"%s\"",
						GetDatabaseEncodingName()),
				 errhint("SET churn.language = 'en', or use a database of encoding UTF8.")));
	return language;
}

const char *
phrase_template(PhraseId id, ChurnLanguage language)
{
	const char *text = templates[id].text[language];

	if (language == CHURN_ENGLISH || GetDatabaseEncoding() != PG_EUC_CN)
		return text;
	return pg_any_to_server(text, strlen(text), PG_UTF8);
}

bool
phrase_id_find(const char *name, PhraseId *id)
{
	for (int i = 0; i < PHRASES; i++)
	{
		if (pg_strcasecmp(templates[i].name, name) != 0)
			continue;
		*id = (PhraseId) i;
		return true;
	}
	return false;
}

/* Build a text[] of n elements. */
static Datum
text_array(Datum *elements, int n)
{
	return PointerGetDatum(construct_array(elements, n, TEXTOID, -1, false,
										   TYPALIGN_INT));
}

PG_FUNCTION_INFO_V1(churn_phrase_names);

/* Names of all templates, in the order of the table */
Datum
churn_phrase_names(PG_FUNCTION_ARGS)
{
	Datum		names[PHRASES];

	for (int i = 0; i < PHRASES; i++)
	{
		char	   *name = pstrdup(templates[i].name);

		for (char *c = name; *c; c++)
			*c = pg_ascii_tolower(*c);
		names[i] = CStringGetTextDatum(name);
	}
	return text_array(names, PHRASES);
}

PG_FUNCTION_INFO_V1(churn_phrase_texts);

/* Texts of all templates in a language; NULL where it cannot be written */
Datum
churn_phrase_texts(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	ChurnLanguage language = strcmp(name, "zh") == 0 ? CHURN_CHINESE :
		CHURN_ENGLISH;
	Datum		texts[PHRASES];

	if (!phrase_language_fits(language))
		PG_RETURN_NULL();
	for (int i = 0; i < PHRASES; i++)
		texts[i] = CStringGetTextDatum(phrase_template((PhraseId) i, language));
	return text_array(texts, PHRASES);
}
