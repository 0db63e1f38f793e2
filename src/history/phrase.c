/*-------------------------------------------------------------------------
 *
 * phrase.c
 *	  The value of a feature in plain words: which file knows the rest, and
 *	  what several of them say.  Phrases that speak of no feature.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "history/phrase.h"

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
double
phrase_near_or_zero(const Phrase *phrase, FeatureId id, int window)
{
	double		value = 0;

	(void) phrase_near(phrase, id, window, &value);
	return value;
}

/* See phrase.h. */
void
phrase_none(Phrase *phrase, int days)
{
	phrase_say(phrase, PHRASE_NONE_IN, days, 0, 0);
}

/* See phrase.h. */
bool
phrase_only_gap(const Phrase *phrase)
{
	return phrase_near_or_zero(phrase, FEATURE_DAYS, 0) == 2;
}

/* See phrase.h. */
void
phrase_too_few(Phrase *phrase)
{
	double		days = phrase_near_or_zero(phrase, FEATURE_DAYS, 0);

	if (days == 0)
		phrase_none(phrase, phrase->list->spec->lookback);
	else if (phrase_near_or_zero(phrase, FEATURE_COUNT, 0) == 1)
		phrase_say(phrase, PHRASE_ONE_SO_FAR, 0, 0, 0);
	else if (days == 1)
		phrase_say(phrase, PHRASE_DAY_SO_FAR, 0, 0, 0);
	else if (days == 2)
		phrase_say(phrase, PHRASE_GAP_SO_FAR, 0, 0, 0);
	else
		phrase_say(phrase, PHRASE_GAPS_EQUAL, 0, 0, 0);
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
		.language = phrase_language(),
		.list = list,
		.feature = &list->features[i],
		.values = values,
		.nulls = nulls,
		.value = nulls[i] ? 0 : values[i],
		.defined = !nulls[i]
	};

	Assert(i >= 0 && i < list->n);
	phrase_set_kind(&phrase, phrase.feature->kind);
	initStringInfo(&phrase.text);
	append_clause(&phrase);
	return phrase.text.data;
}

/* A template that speaks of a column or of a number */
static char *
say_alone(PhraseId id, const char *name, const char *word, double number)
{
	Phrase		phrase = {
		.language = phrase_language(),
		.name = name,
		.word = word
	};

	initStringInfo(&phrase.text);
	phrase_say(&phrase, id, number, 0, 0);
	return phrase.text.data;
}

/* See features.h. */
char *
column_phrase(const char *name, ColumnSaying saying, const char *word)
{
	static const PhraseId ids[] = {
		[COLUMN_HOLDS] = PHRASE_COLUMN_IS,
		[COLUMN_TRUE] = PHRASE_COLUMN_TRUE,
		[COLUMN_FALSE] = PHRASE_COLUMN_FALSE,
		[COLUMN_BC] = PHRASE_COLUMN_BC,
		[COLUMN_MISSING] = PHRASE_COLUMN_MISSING,
		[COLUMN_BEYOND] = PHRASE_COLUMN_BEYOND
	};

	return say_alone(ids[saying], name, word, 0);
}

/* See phrase.h. */
char *
phrase_alone(PhraseId id, const char *word, double number)
{
	return say_alone(id, "", word, number);
}

PG_FUNCTION_INFO_V1(churn_phrase);

/* churn_phrase(template, number, word): one of those that speak of a score */
Datum
churn_phrase(PG_FUNCTION_ARGS)
{
	char	   *name = PG_ARGISNULL(0) ? pstrdup("") :
		text_to_cstring(PG_GETARG_TEXT_PP(0));
	double		number = PG_ARGISNULL(1) ? 0 : PG_GETARG_FLOAT8(1);
	char	   *word = PG_ARGISNULL(2) ? pstrdup("") :
		text_to_cstring(PG_GETARG_TEXT_PP(2));
	PhraseId	id;

	if (!phrase_id_find(name, &id) || id < PHRASE_SCORE_BASE ||
		id > PHRASE_SCORE_YOUNG)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("no phrase \"%s\" speaks of a score", name)));
	PG_RETURN_TEXT_P(cstring_to_text(phrase_alone(id, word, number)));
}
