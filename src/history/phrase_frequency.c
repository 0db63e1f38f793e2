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
	appendStringInfo(&phrase->text, late ? "no %s for " : "last %s ",
					 phrase->one);
	phrase_days(phrase, days);
	if (!late)
		appendStringInfoString(&phrase->text, " ago");
}

/* "no order for 74 days; usually every 21 days" */
static void
phrase_recency(Phrase *phrase)
{
	double		usual;
	bool		rhythm = phrase_near(phrase, FEATURE_GAP_MEDIAN, 0, &usual);

	phrase_silence(phrase, phrase->value, !rhythm || phrase->value > usual);
	if (!rhythm)
		return;
	if (phrase_only_gap(phrase))
	{
		appendStringInfoString(&phrase->text, "; the only gap before was ");
		phrase_days(phrase, usual);
		return;
	}
	appendStringInfoString(&phrase->text, "; usually every ");
	if (usual == 1)
		appendStringInfoString(&phrase->text, "day");
	else
		phrase_days(phrase, usual);
}

/* "3 orders in the last 90 days, 9 in the 90 days before" */
static void
phrase_count_in(Phrase *phrase)
{
	int			window = phrase->feature->window;
	double		diff;

	phrase_count(phrase, phrase->value);
	appendStringInfoString(&phrase->text, " in the ");
	phrase_last_days(phrase, window ? window : phrase->list->spec->lookback);
	if (window == 0 || !phrase_near(phrase, FEATURE_DIFF, window, &diff))
		return;
	if (phrase->value == 0 && diff == 0)
		return;
	appendStringInfoString(&phrase->text, ", ");
	if (phrase->value - diff == 0)
		appendStringInfoString(&phrase->text, "none");
	else
		phrase_number(phrase, phrase->value - diff);
	appendStringInfoString(&phrase->text, " in the ");
	if (window == 1)
		appendStringInfoString(&phrase->text, "day");
	else
		phrase_days(phrase, window);
	appendStringInfoString(&phrase->text, " before");
}

/* "orders on 3 days in the last 90 days" */
static void
phrase_days_in(Phrase *phrase)
{
	int			window = phrase->feature->window;

	if (window == 0)
		window = phrase->list->spec->lookback;
	if (phrase->value == 0)
	{
		phrase_none(phrase, window);
		return;
	}
	appendStringInfo(&phrase->text, "%s on ", phrase->many);
	phrase_days(phrase, phrase->value);
	appendStringInfoString(&phrase->text, " in the ");
	phrase_last_days(phrase, window);
}

/* "no order in the last 74 of the 400 days since the first" */
static void
phrase_recency_share(Phrase *phrase)
{
	double		recency = 0,
				tenure = 0;

	(void) phrase_near(phrase, FEATURE_RECENCY, 0, &recency);
	(void) phrase_near(phrase, FEATURE_TENURE, 0, &tenure);
	appendStringInfo(&phrase->text, "no %s in the last ", phrase->one);
	phrase_number(phrase, recency);
	appendStringInfoString(&phrase->text, " of the ");
	phrase_days(phrase, tenure);
	appendStringInfoString(&phrase->text, " since the first");
}

/* "8 days from the first to the last order", unless they are one */
static void
phrase_span(Phrase *phrase)
{
	if (phrase->value == 0)
	{
		phrase_too_few(phrase);
		return;
	}
	phrase_days(phrase, phrase->value);
	appendStringInfo(&phrase->text, " from the first to the last %s",
					 phrase->one);
}

/* "first order 400 days ago", "the last day but one with orders was …" */
static void
phrase_tenure(Phrase *phrase)
{
	if (phrase->feature->id == FEATURE_TENURE)
		appendStringInfo(&phrase->text, "first %s ", phrase->one);
	else
		appendStringInfo(&phrase->text, "the last day but one with %s was ",
						 phrase->many);
	phrase_days(phrase, phrase->value);
	appendStringInfoString(&phrase->text, " ago");
}

/* "a pace of 4.5 orders in 90 days" */
static void
phrase_scaled(Phrase *phrase)
{
	if (phrase->value == 0)
	{
		phrase_none(phrase, phrase->feature->window);
		return;
	}
	appendStringInfoString(&phrase->text, "a pace of ");
	phrase_count(phrase, phrase->value);
	appendStringInfoString(&phrase->text, " in ");
	phrase_days(phrase, phrase->feature->window);
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
			phrase_recency_share(phrase);
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
			appendStringInfo(&phrase->text, "%s on ", phrase->many);
			phrase_days(phrase, phrase->value);
			appendStringInfoString(&phrase->text, " in every 30");
			break;
		default:
			phrase_tenure(phrase);
	}
}

/* "30% of active days on a weekend" */
static void
phrase_weekend(Phrase *phrase)
{
	if (phrase->value == 0)
		appendStringInfoString(&phrase->text, "never active on a weekend");
	else if (phrase->value == 1)
		appendStringInfoString(&phrase->text, "active only on weekends");
	else
	{
		phrase_percent(phrase, phrase->value);
		appendStringInfoString(&phrase->text, " of active days on a weekend");
	}
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
			appendStringInfoString(&phrase->text, "active in ");
			phrase_percent(phrase, phrase->value);
			appendStringInfoString(&phrase->text,
								   " of the weeks since the first event");
			break;
		case FEATURE_WEEKEND_SHARE:
			phrase_weekend(phrase);
			break;
		default:
			appendStringInfoString(&phrase->text, "active days spread ");
			phrase_percent(phrase, phrase->value / log(7));
			appendStringInfoString(&phrase->text,
								   " as evenly over the weekdays as can be");
	}
}
