/*-------------------------------------------------------------------------
 *
 * phrase_frequency.c
 *	  Recency, tenure, counts and the calendar in plain words.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "history/phrase.h"

/* See phrase.h. */
void
phrase_silence(Phrase *phrase, double days, bool late)
{
	phrase_say(phrase, late ? PHRASE_SILENCE_LATE : PHRASE_SILENCE_SOON,
			   days, 0, 0);
}

/* "no order for 74 days; usually every 21 days" */
static void
phrase_recency(Phrase *phrase)
{
	double		usual;
	bool		rhythm = phrase_near(phrase, FEATURE_GAP_MEDIAN, 0, &usual);

	phrase_silence(phrase, phrase->value, !rhythm || phrase->value > usual);
	if (rhythm)
		phrase_say(phrase, phrase_only_gap(phrase) ? PHRASE_RHYTHM_ONLY :
				   PHRASE_RHYTHM_USUAL, usual, 0, 0);
}

/* "3 orders in the last 90 days, 9 in the 90 days before" */
static void
phrase_count_in(Phrase *phrase)
{
	int			window = phrase->feature->window;
	double		before,
				diff;

	phrase_say(phrase, PHRASE_COUNT_IN, phrase->value,
			   window ? window : phrase->list->spec->lookback, 0);
	if (window == 0 || !phrase_near(phrase, FEATURE_DIFF, window, &diff))
		return;
	before = phrase->value - diff;
	if (before != 0)
		phrase_say(phrase, PHRASE_COUNT_BEFORE, before, window, 0);
	else if (phrase->value != 0)
		phrase_say(phrase, PHRASE_COUNT_BEFORE_NONE, 0, window, 0);
}

/* "orders on 3 days in the last 90 days" */
static void
phrase_days_in(Phrase *phrase)
{
	int			window = phrase->feature->window;

	if (window == 0)
		window = phrase->list->spec->lookback;
	if (phrase->value == 0)
		phrase_none(phrase, window);
	else
		phrase_say(phrase, PHRASE_DAYS_IN, phrase->value, window, 0);
}

/* "8 days from the first to the last order", unless they are one */
static void
phrase_span(Phrase *phrase)
{
	if (phrase->value == 0)
		phrase_too_few(phrase);
	else
		phrase_say(phrase, PHRASE_SPAN, phrase->value, 0, 0);
}

/* "a pace of 4.5 orders in 90 days" */
static void
phrase_scaled(Phrase *phrase)
{
	int			window = phrase->feature->window;

	if (phrase->value == 0)
		phrase_none(phrase, window);
	else
		phrase_say(phrase, PHRASE_PACE, phrase->value, window, 0);
}

/* See phrase.h. */
void
frequency_phrase(Phrase *phrase)
{
	if (!phrase->defined)
	{
		phrase_too_few(phrase);
		return;
	}
	switch (phrase->feature->id)
	{
		case FEATURE_RECENCY:
			phrase_recency(phrase);
			break;
		case FEATURE_SPAN:
			phrase_span(phrase);
			break;
		case FEATURE_RECENCY_SHARE:
			phrase_say(phrase, PHRASE_RECENCY_SHARE,
					   phrase_near_or_zero(phrase, FEATURE_RECENCY, 0),
					   phrase_near_or_zero(phrase, FEATURE_TENURE, 0), 0);
			break;
		case FEATURE_COUNT:
			phrase_count_in(phrase);
			break;
		case FEATURE_DAYS:
			phrase_days_in(phrase);
			break;
		case FEATURE_COUNT_SCALED:
			phrase_scaled(phrase);
			break;
		case FEATURE_RATE:
			phrase_say(phrase, PHRASE_RATE, phrase->value, 0, 0);
			break;
		case FEATURE_RECENCY_PREV:
			phrase_say(phrase, PHRASE_RECENCY_PREV, phrase->value, 0, 0);
			break;
		default:
			phrase_say(phrase, PHRASE_TENURE, phrase->value, 0, 0);
	}
}

/* "30% of active days on a weekend" */
static void
phrase_weekend(Phrase *phrase)
{
	phrase_say(phrase, phrase->value == 0 ? PHRASE_WEEKEND_NEVER :
			   phrase->value == 1 ? PHRASE_WEEKEND_ONLY :
			   PHRASE_WEEKEND_SHARE, phrase->value, 0, 0);
}

/* See phrase.h. */
void
calendar_phrase(Phrase *phrase)
{
	if (!phrase->defined)
	{
		phrase_none(phrase, phrase->list->spec->lookback);
		return;
	}
	switch (phrase->feature->id)
	{
		case FEATURE_WEEK_SHARE:
			phrase_say(phrase, PHRASE_WEEKS_ACTIVE, phrase->value, 0, 0);
			break;
		case FEATURE_WEEKEND_SHARE:
			phrase_weekend(phrase);
			break;
		default:
			phrase_say(phrase, PHRASE_WEEKDAYS, phrase->value / log(7), 0, 0);
	}
}
