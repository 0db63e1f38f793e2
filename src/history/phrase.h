/*-------------------------------------------------------------------------
 *
 * phrase.h
 *	  What the phrase*.c files share: one feature put into plain words.
 *
 *	  phrase_templates.h  the words: every phrase in every language
 *	  phrase_templates.c  the table of them
 *	  phrase_say.c		  fills a template in
 *	  phrase_nouns.c	  what kinds of events are called
 *	  phrase.c			  a feature's phrase; phrases outside of features
 *	  phrase_frequency.c, _money.c, _rhythm.c, _trend.c
 *						  which template a feature of the group takes
 *
 * A phrase is a clause without capital and full stop.  It is built from
 * values alone, so it says the same in a live score and in a nightly batch
 * of the same language.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_PHRASE_H
#define CHURN_PHRASE_H

#include "churn.h"
#include "history/features_groups.h"
#include "lib/stringinfo.h"

/* Rows of the table of templates */
typedef enum PhraseId
{
#define TEMPLATE(id, english, chinese) PHRASE_##id,
#include "history/phrase_templates.h"
#undef TEMPLATE
	PHRASES						/* how many there are */
} PhraseId;

/* A feature, its neighbours and the words for it */
typedef struct Phrase
{
	StringInfoData text;		/* the clause so far */
	ChurnLanguage language;
	const FeatureList *list;
	const Feature *feature;
	const double *values;		/* of the whole list */
	const bool *nulls;
	double		value;			/* of the feature; 0 when not defined */
	bool		defined;
	const char *one;			/* the kind's noun, singular */
	const char *many;			/* and plural */
	const char *paid;			/* and where its money is meant */
	const char *other;			/* another kind's noun */
	const char *name;			/* of a column */
	const char *word;			/* given from outside */
} Phrase;

/* The setting churn.language; 22P05 where its characters cannot be stored */
extern ChurnLanguage phrase_language(void);

/* Can this database hold texts of a language? */
extern bool phrase_language_fits(ChurnLanguage language);

/* A template in the encoding of the database */
extern const char *phrase_template(PhraseId id, ChurnLanguage language);

/* A row of the table by its name; false: there is none */
extern bool phrase_id_find(const char *name, PhraseId *id);

/* Append a template with its places filled in. */
extern void phrase_say(Phrase *phrase, PhraseId id, double a, double b,
					   double c);

/* A template that speaks of no feature: of a word, of a number; palloc'd */
extern char *phrase_alone(PhraseId id, const char *word, double number);

/* The noun of a kind, or of all of them */
extern const char *phrase_noun(const Phrase *phrase, int kind);

/* Let {one}, {many} and {paid} speak of a kind. */
extern void phrase_set_kind(Phrase *phrase, int kind);

/* The value of another feature of the same kind; false when not defined. */
extern bool phrase_near(const Phrase *phrase, FeatureId id, int window,
						double *value);

/* The same, or 0 */
extern double phrase_near_or_zero(const Phrase *phrase, FeatureId id,
								  int window);

/* Append "no order for 74 days", or when not late "last order 5 days ago". */
extern void phrase_silence(Phrase *phrase, double days, bool late);

/* Append: "no order in the last 90 days". */
extern void phrase_none(Phrase *phrase, int days);

/* Is there exactly one gap, so that nothing is usual yet? */
extern bool phrase_only_gap(const Phrase *phrase);

/* Append why a feature that needs several days is not defined. */
extern void phrase_too_few(Phrase *phrase);

/* Append money as what it is; "each": of one of several. */
extern void money_write_sum(Phrase *phrase, double money);
extern void money_write_each(Phrase *phrase, double money);

/* Each appends the clause for the features of its group. */
extern void frequency_phrase(Phrase *phrase);
extern void calendar_phrase(Phrase *phrase);
extern void money_phrase(Phrase *phrase);
extern void rhythm_phrase(Phrase *phrase);
extern void trend_phrase(Phrase *phrase);
extern void variety_phrase(Phrase *phrase);

#endif							/* CHURN_PHRASE_H */
