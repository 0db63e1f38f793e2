/*-------------------------------------------------------------------------
 *
 * features_groups.h
 *	  What the features_*.c files share: the list, the days of one kind as
 *	  features see them, and how a value is put out.
 *
 * Each group of features has a function that lists its features and one that
 * computes them.  The two stand side by side in a file and must agree on the
 * order; features_compute() asserts that at least the numbers agree.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_FEATURES_GROUPS_H
#define CHURN_FEATURES_GROUPS_H

#include <math.h>

#include "history/features.h"

/* Place of "any" among the kinds of a list; it follows the spec's kinds. */
#define FEATURES_ANY(list)	((list)->spec->nkinds)

/* The value of a feature that is not defined: it leaves as NULL. */
#define UNDEFINED	NAN

/* Longest list of ages at which counts are cut: see features_list.c */
#define FEATURES_MAX_CUTS	(2 * SPEC_MAX_WINDOWS + WEEKS_OF_SLOPE + 3 + \
							 SPANS_KEPT + 1)
#define WEEKS_OF_SLOPE		12
#define SPANS_KEPT			4

/* What a feature measures; doc/features.md has the formulas. */
typedef enum FeatureId
{
	FEATURE_RECENCY,
	FEATURE_TENURE,
	FEATURE_SPAN,
	FEATURE_RECENCY_SHARE,
	FEATURE_RECENCY_PREV,
	FEATURE_COUNT,				/* of a window, or of the lookback */
	FEATURE_DAYS,				/* of a window, or of the lookback */
	FEATURE_RATE,
	FEATURE_COUNT_SCALED,
	FEATURE_AMOUNT,				/* of a window, or of the lookback */
	FEATURE_AMOUNT_MEAN,
	FEATURE_AMOUNT_LAST,
	FEATURE_AMOUNT_MAX,
	FEATURE_AMOUNT_CV,
	FEATURE_AMOUNT_LAST_RATIO,
	FEATURE_GAP_MEAN,
	FEATURE_GAP_SD,
	FEATURE_GAP_CV,
	FEATURE_GAP_MEDIAN,
	FEATURE_GAP_MAX,
	FEATURE_GAP_LAST,
	FEATURE_OVERDUE,
	FEATURE_OVERDUE_Z,
	FEATURE_GAP_RANK,
	FEATURE_GAP_SLOPE,
	FEATURE_CLUMPINESS,
	FEATURE_LAPSES,
	FEATURE_DAYS_PAST_MEDIAN,
	FEATURE_DAYS_PAST_MAX,
	FEATURE_SECOND_AFTER,
	FEATURE_KEPT,
	FEATURE_TREND,
	FEATURE_DIFF,
	FEATURE_AMOUNT_TREND,
	FEATURE_SLOPE,
	FEATURE_EWMA,
	FEATURE_YOY,
	FEATURE_RECENCY_LESS_KEY,
	FEATURE_SINCE_KEY,
	FEATURE_WEEK_SHARE,
	FEATURE_WEEKEND_SHARE,
	FEATURE_WEEKDAY_ENTROPY,
	FEATURE_KINDS,
	FEATURE_KIND_ENTROPY,
	FEATURE_KIND_ENTROPY_SCALED,
	FEATURE_RATIO
} FeatureId;

typedef struct Feature
{
	FeatureId	id;
	char	   *name;
	int			kind;			/* place in spec->kinds, or FEATURES_ANY */
	int			other;			/* a ratio's denominator, else -1 */
	int			window;			/* days, or 0 for a feature without one */
} Feature;

/*
 * A list, made once.  Counts, days and money are only ever needed up to a few
 * ages, the cuts; every window, span and week is a difference of two of them.
 */
struct FeatureList
{
	const Spec *spec;			/* a copy of the list's own */
	bool		any;			/* "any" has features of all groups */
	bool		any_amount;		/* "any" has money features */
	bool		any_key;		/* some kind is a key kind */
	char	  **prefix;			/* of feature names: per kind, and "any" */
	int			n;
	int			room;
	Feature    *features;
	int			ncuts;
	int			cuts[FEATURES_MAX_CUTS];	/* ages, ascending; the last is
											 * the lookback */
	int			window_cut[SPEC_MAX_WINDOWS];	/* of age w */
	int			before_cut[SPEC_MAX_WINDOWS];	/* of age 2w, or -1 */
	int			week_cut[WEEKS_OF_SLOPE];	/* of ages 7, 14 ..., or -1 */
	int			span_cut[SPANS_KEPT];	/* of ages h, 2h ..., or -1 */
	int			month_cut;		/* of age 30, or -1 */
	int			year_cut;		/* of age 365, or -1 */
	int			year_month_cut; /* of age 395, or -1 */
	double	   *decay;			/* exp(-ln 2 * age / 30), per age */
	double	   *xlnx;			/* x ln x, per number of days */
};

/* Days of one kind, or of all: before as_of, within the lookback, ascending */
typedef struct DayList
{
	int			n;
	const int32 *day;
	const int64 *count;			/* events */
	const int64 *payments;		/* events of kinds that carry money */
	const double *amount;		/* money; 0 when none was given */
	const bool *has_amount;		/* some event of the day carried money */
} DayList;

/* What the groups compute from */
typedef struct FeatureInput
{
	const FeatureList *list;
	DayList		days;
	DateADT		as_of;
	bool		money;			/* money features are wanted */
	double		recency;		/* UNDEFINED without a day */
	double		tenure;			/* UNDEFINED without a day */
	double		ewma;
	/* sums over days of at most the age of each cut, newest first */
	double		count_cut[FEATURES_MAX_CUTS];
	double		days_cut[FEATURES_MAX_CUTS];
	double		payments_cut[FEATURES_MAX_CUTS];
	double		amount_cut[FEATURES_MAX_CUTS];
	/* money of days older than the cut before: no cancellation */
	double		amount_step[FEATURES_MAX_CUTS];
} FeatureInput;

/* Where values go, one after the other */
typedef struct FeatureOutput
{
	int			n;
	double	   *values;
	bool	   *nulls;
} FeatureOutput;

/*
 * Put out the next value; what is not finite is not defined.  Adding 0 makes
 * a negative zero positive: the two would print, and hash, differently.
 */
static inline void
feature_put(FeatureOutput *out, double value)
{
	bool		defined = isfinite(value);

	out->values[out->n] = defined ? value + 0.0 : 0;
	out->nulls[out->n] = !defined;
	out->n++;
}

/* The whole lookback is the last cut. */
static inline int
features_last_cut(const FeatureList *list)
{
	return list->ncuts - 1;
}

/* a / (a + b), both counts: NULL only when both are 0 */
static inline double
feature_share(double a, double b)
{
	return a / (a + b);
}

/* Name and note the next feature; "window" 0 for none. */
extern void features_add(FeatureList *list, FeatureId id, int kind, int other,
						 int window);

/* Position of a feature, or -1 */
extern int	features_find(const FeatureList *list, FeatureId id, int kind,
						  int window);

/* recency, tenure, counts: features_frequency.c */
extern void frequency_list(FeatureList *list, int kind);
extern void frequency_compute(const FeatureInput *in, FeatureOutput *out);
extern void calendar_list(FeatureList *list);
extern void calendar_compute(const FeatureInput *in, FeatureOutput *out);

/* money: features_money.c */
extern void money_list(FeatureList *list, int kind);
extern void money_compute(const FeatureInput *in, FeatureOutput *out);

/* gaps between days: features_rhythm.c */
extern void rhythm_list(FeatureList *list, int kind);
extern void rhythm_compute(const FeatureInput *in, FeatureOutput *out);

/* now against before: features_trend.c */
extern void trend_list(FeatureList *list, int kind);
extern void trend_compute(const FeatureInput *in, FeatureOutput *out);

/* one kind against others: features_variety.c */
extern void key_list(FeatureList *list, int kind);
extern void key_compute(const FeatureInput *in, DateADT last_key,
						FeatureOutput *out);
extern void variety_list(FeatureList *list);
extern void variety_compute(const FeatureList *list, const FeatureInput *kinds,
							FeatureOutput *out);
extern void ratios_list(FeatureList *list);
extern void ratios_compute(const FeatureList *list, const FeatureInput *kinds,
						   FeatureOutput *out);

#endif							/* CHURN_FEATURES_GROUPS_H */
