/*-------------------------------------------------------------------------
 *
 * phrase.h
 *	  What the phrase*.c files share: one feature put into plain English.
 *
 * A phrase is a clause without capital and full stop.  It is built from
 * values alone, so it says the same in a live score and in a nightly batch.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_PHRASE_H
#define CHURN_PHRASE_H

#include "history/features_groups.h"
#include "lib/stringinfo.h"

/* A feature, its neighbours and the words for it */
typedef struct Phrase
{
	StringInfoData text;		/* the clause so far */
	const FeatureList *list;
	const Feature *feature;
	const double *values;		/* of the whole list */
	const bool *nulls;
	double		value;			/* of the feature; 0 when not defined */
	bool		defined;
	const char *one;			/* the kind's noun, singular */
	const char *many;			/* and plural */
} Phrase;

/* The noun of a kind; of "any": event, events */
extern const char *phrase_one(const FeatureList *list, int kind);
extern const char *phrase_many(const FeatureList *list, int kind);

/* Append: "1 day", "21 days", "2.5 days". */
extern void phrase_days(Phrase *phrase, double days);

/* Append: "last day", "last 90 days", "last 2 years". */
extern void phrase_last_days(Phrase *phrase, double days);

/*
 * Append a number without needless decimals: "3", "0.35", "1,200".  True when
 * it reads as 1, so that what follows is singular.
 */
extern bool phrase_number(Phrase *phrase, double number);

/* Append: "45.00", "22,998.40". */
extern void phrase_money(Phrase *phrase, double money);

/* Append: "no order", "1 order", "3 orders". */
extern void phrase_count(Phrase *phrase, double count);

/* Append: "35%", "less than 1%". */
extern void phrase_percent(Phrase *phrase, double share);

/* The value of another feature of the same kind; false when not defined. */
extern bool phrase_near(const Phrase *phrase, FeatureId id, int window,
						double *value);

/* Append: "no order for 74 days", or when not late "last order 5 days ago". */
extern void phrase_silence(Phrase *phrase, double days, bool late);

/* Append: "no order in the last 90 days". */
extern void phrase_none(Phrase *phrase, int days);

/* Is there exactly one gap, so that nothing is usual yet? */
extern bool phrase_only_gap(const Phrase *phrase);

/* Append why a feature that needs several days is not defined. */
extern void phrase_too_few(Phrase *phrase);

/* Each appends the clause for the features of its group. */
extern void frequency_phrase(Phrase *phrase);
extern void calendar_phrase(Phrase *phrase);
extern void money_phrase(Phrase *phrase);
extern void rhythm_phrase(Phrase *phrase);
extern void trend_phrase(Phrase *phrase);
extern void variety_phrase(Phrase *phrase);

#endif							/* CHURN_PHRASE_H */
