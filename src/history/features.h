/*-------------------------------------------------------------------------
 *
 * features.h
 *	  Behavioural features of a history at an as-of date.
 *
 * A feature list is made once for a spec and used for any number of users.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_FEATURES_H
#define CHURN_FEATURES_H

#include "fmgr.h"
#include "history/spec.h"
#include "utils/date.h"

#define FEATURES_MAX	20000	/* features of one spec */

typedef struct FeatureList FeatureList; /* private to the features*.c files */

/*
 * Made in the current context, which must outlive every use; the spec need
 * not.  A spec without kinds, or with too many features, is an error.
 */
extern FeatureList *features_list(const Spec *spec);
extern int	features_count(const FeatureList *list);

/* Name in snake_case, kind first, window last, e.g. "order_count_30d". */
extern const char *features_name(const FeatureList *list, int i);

/*
 * Fill values[0 .. count-1] and nulls[0 .. count-1] with the features that
 * were knowable on the morning of as_of.  values[i] is 0 where nulls[i], and
 * always finite.  A history of PointerGetDatum(NULL) has no events; an
 * infinite as_of is an error.
 * Temporary memory comes from the current context and is not freed: callers
 * in a loop reset a context of their own.
 */
extern void features_compute(const FeatureList *list, Datum history,
							 DateADT as_of, double *values, bool *nulls);

/* What a feature is about; a reason is given once a theme. */
typedef enum FeatureTheme
{
	THEME_SILENCE,
	THEME_ACTIVITY,
	THEME_TREND,
	THEME_RHYTHM,
	THEME_LAPSES,
	THEME_MONEY,
	THEME_TENURE,
	THEME_VARIETY,
	THEME_CALENDAR,
	THEME_RATIO,
	FEATURE_THEMES				/* how many there are */
} FeatureTheme;

/*
 * The theme of feature i at this value; *readiness, above 0, is how plainly
 * the feature speaks for it.
 */
extern FeatureTheme features_theme(const FeatureList *list, int i,
								   double value, bool isnull,
								   double *readiness);

/*
 * Would the words for feature i name a kind of events?  False where the spec
 * has no such kind.
 */
extern bool features_speaks_of(const FeatureList *list, int i,
							   const char *kind);

/*
 * The value of feature i in words of the language that is set, e.g. "no order
 * for 74 days; usually every 21 days".  "values" and "nulls" are the whole feature vector: a phrase may
 * quote a neighbour.  Palloc'd.
 */
extern char *features_phrase(const FeatureList *list, int i,
							 const double *values, const bool *nulls);

/* What can be said of a column of a row */
typedef enum ColumnSaying
{
	COLUMN_HOLDS,				/* a word: a number, a text, a date */
	COLUMN_TRUE,
	COLUMN_FALSE,
	COLUMN_BC,					/* a date before the year 1 */
	COLUMN_MISSING,
	COLUMN_BEYOND				/* out of the range of dates */
} ColumnSaying;

/* The same for a column of a row; "word" is what it holds, or NULL. */
extern char *column_phrase(const char *name, ColumnSaying saying,
						   const char *word);

#endif							/* CHURN_FEATURES_H */
