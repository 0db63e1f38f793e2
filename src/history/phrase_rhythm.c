/*-------------------------------------------------------------------------
 *
 * phrase_rhythm.c
 *	  Gaps between days in plain words.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "history/phrase.h"

/* A neighbour that is defined whenever the phrase's own feature is */
static double
near_value(const Phrase *phrase, FeatureId id)
{
	return phrase_near_or_zero(phrase, id, 0);
}

/*
 * "no order for 74 days, 3.5 times the average gap of 21 days".  A single gap
 * makes no average, and what it is exceeded by no telling factor.
 */
static void
phrase_overdue(Phrase *phrase)
{
	double		recency = near_value(phrase, FEATURE_RECENCY);
	double		mean = near_value(phrase, FEATURE_GAP_MEAN);

	phrase_silence(phrase, recency, recency > mean);
	if (phrase_only_gap(phrase))
		phrase_say(phrase, PHRASE_RHYTHM_ONLY, mean, 0, 0);
	else if (phrase->feature->id == FEATURE_OVERDUE)
		phrase_say(phrase, recency <= mean ? PHRASE_OVERDUE_WITHIN :
				   PHRASE_OVERDUE_TIMES, phrase->value, mean, 0);
	else
		phrase_say(phrase, phrase->value < 0 ? PHRASE_OVERDUE_BELOW :
				   PHRASE_OVERDUE_ABOVE, fabs(phrase->value), mean, 0);
}

/* "53 days past the usual gap of 21 days between orders" */
static void
phrase_past(Phrase *phrase)
{
	bool		median = phrase->feature->id == FEATURE_DAYS_PAST_MEDIAN;
	double		gap = near_value(phrase, median ? FEATURE_GAP_MEDIAN
								 : FEATURE_GAP_MAX);

	phrase->word = phrase_template(phrase_only_gap(phrase) ? PHRASE_GAP_IS_ONLY :
								   median ? PHRASE_GAP_IS_USUAL :
								   PHRASE_GAP_IS_LONGEST, phrase->language);
	phrase_say(phrase, phrase->value < 0 ? PHRASE_GAP_SHORT :
			   phrase->value > 0 ? PHRASE_GAP_PAST : PHRASE_GAP_TODAY,
			   fabs(phrase->value), gap, 0);
}

/* "each gap between orders 2.3 days longer than the one before" */
static void
phrase_gap_slope(Phrase *phrase)
{
	phrase_say(phrase, phrase->value == 0 ? PHRASE_GAP_STEADY :
			   phrase->value < 0 ? PHRASE_GAP_SHORTER : PHRASE_GAP_LONGER,
			   fabs(phrase->value), 0, 0);
}

/* "2 gaps between orders longer than 90 days" */
static void
phrase_lapses(Phrase *phrase)
{
	if (near_value(phrase, FEATURE_DAYS) < 2)
		phrase_too_few(phrase);
	else
		phrase_say(phrase, phrase->value == 0 ? PHRASE_LAPSES_NONE :
				   phrase->value == 1 ? PHRASE_LAPSES_ONE :
				   PHRASE_LAPSES_MANY, phrase->value,
				   phrase->list->spec->churn_window, 0);
}

/* "orders in 3 of the last 4 spans of 90 days" */
static void
phrase_kept(Phrase *phrase)
{
	int			span = phrase->list->spec->churn_window;
	double		tenure = near_value(phrase, FEATURE_TENURE);
	int			spans = Min((int) tenure / span, SPANS_KEPT);

	if (tenure == 0)
		phrase_none(phrase, phrase->list->spec->lookback);
	else if (!phrase->defined)
		phrase_say(phrase, PHRASE_KEPT_YOUNG, 0, span, 0);
	else
		phrase_say(phrase, phrase->value == 0 ? PHRASE_KEPT_NONE :
				   PHRASE_KEPT_IN, rint(phrase->value * spans), span, spans);
}

/* "gaps between orders vary by 3.2 days around their average of 21 days" */
static void
phrase_gap_spread(Phrase *phrase)
{
	phrase_say(phrase, phrase->value == 0 ? PHRASE_GAPS_EQUAL :
			   phrase->feature->id == FEATURE_GAP_CV ? PHRASE_GAP_CV :
			   PHRASE_GAP_SD, phrase->value,
			   near_value(phrase, FEATURE_GAP_MEAN), 0);
}

/* "80% of the gaps between orders were no longer than the present 74 days" */
static void
phrase_gap_rank(Phrase *phrase)
{
	phrase_say(phrase, phrase->value == 0 ? PHRASE_RANK_EVERY :
			   phrase->value == 1 ? PHRASE_RANK_NONE : PHRASE_RANK_SOME,
			   phrase->value, near_value(phrase, FEATURE_RECENCY), 0);
}

/* "the last gap between orders was 1 day, the longest 60 days" */
static void
phrase_gap_last(Phrase *phrase)
{
	double		max = near_value(phrase, FEATURE_GAP_MAX);

	phrase_say(phrase, phrase->value == max ? PHRASE_GAP_LAST_MAX :
			   PHRASE_GAP_LAST, phrase->value, max, 0);
}

/* "orders bunched together in time (clumpiness 0.95: 0 is even, 1 all at once)" */
static void
phrase_clumpiness(Phrase *phrase)
{
	phrase_say(phrase, phrase->value < 1.0 / 3 ? PHRASE_CLUMPY_NOT :
			   phrase->value < 2.0 / 3 ? PHRASE_CLUMPY_SOME : PHRASE_CLUMPY,
			   phrase->value, 0, 0);
}

/* Features of the gaps alone, defined */
static void
phrase_gap(Phrase *phrase)
{
	FeatureId	id = phrase->feature->id;

	if (phrase_only_gap(phrase) && id != FEATURE_CLUMPINESS &&
		id != FEATURE_GAP_RANK)
	{
		phrase_say(phrase, PHRASE_GAP_ONLY,
				   near_value(phrase, FEATURE_GAP_MEAN), 0, 0);
		return;
	}
	switch (id)
	{
		case FEATURE_GAP_MEAN:
			phrase_say(phrase, PHRASE_GAP_MEAN, phrase->value, 0, 0);
			break;
		case FEATURE_GAP_SD:
		case FEATURE_GAP_CV:
			phrase_gap_spread(phrase);
			break;
		case FEATURE_GAP_MEDIAN:
			phrase_say(phrase, PHRASE_GAP_MEDIAN, phrase->value, 0, 0);
			break;
		case FEATURE_GAP_MAX:
			phrase_say(phrase, PHRASE_GAP_MAX, phrase->value, 0, 0);
			break;
		case FEATURE_GAP_LAST:
			phrase_gap_last(phrase);
			break;
		case FEATURE_GAP_RANK:
			phrase_gap_rank(phrase);
			break;
		default:
			phrase_clumpiness(phrase);
	}
}

/* See phrase.h. */
void
rhythm_phrase(Phrase *phrase)
{
	FeatureId	id = phrase->feature->id;

	if (id == FEATURE_KEPT)
		phrase_kept(phrase);
	else if (!phrase->defined)
		phrase_too_few(phrase);
	else if (id == FEATURE_LAPSES)
		phrase_lapses(phrase);
	else if (id == FEATURE_OVERDUE || id == FEATURE_OVERDUE_Z)
		phrase_overdue(phrase);
	else if (id == FEATURE_GAP_SLOPE)
		phrase_gap_slope(phrase);
	else if (id == FEATURE_DAYS_PAST_MEDIAN || id == FEATURE_DAYS_PAST_MAX)
		phrase_past(phrase);
	else if (id == FEATURE_SECOND_AFTER)
		phrase_say(phrase, PHRASE_SECOND, phrase->value, 0, 0);
	else
		phrase_gap(phrase);
}
