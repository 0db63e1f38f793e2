/*-------------------------------------------------------------------------
 *
 * phrase_frequency.c
 *	  Recency, tenure, counts, money and the calendar in plain words.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "history/phrase.h"

/* "no order for 74 days; usually every 21" */
static void
phrase_recency(Phrase *phrase)
{
	double		usual;
	bool		rhythm = phrase_near(phrase, FEATURE_GAP_MEDIAN, 0, &usual);

	if (rhythm && phrase->value <= usual)
	{
		appendStringInfo(&phrase->text, "last %s ", phrase->one);
		phrase_days(phrase, phrase->value);
		appendStringInfoString(&phrase->text, " ago");
	}
	else
	{
		appendStringInfo(&phrase->text, "no %s for ", phrase->one);
		phrase_days(phrase, phrase->value);
	}
	if (!rhythm)
		return;
	appendStringInfoString(&phrase->text, "; usually every ");
	if (usual == 1)
		appendStringInfoString(&phrase->text, "day");
	else
		phrase_number(phrase, usual);
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

/* "orders on 3 of the last 90 days" */
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
	phrase_number(phrase, phrase->value);
	appendStringInfoString(&phrase->text, " of the ");
	phrase_last_days(phrase, window);
}

/* "silent for 18% of the 400 days since the first order" */
static void
phrase_recency_share(Phrase *phrase)
{
	double		tenure = 0;

	(void) phrase_near(phrase, FEATURE_TENURE, 0, &tenure);
	appendStringInfo(&phrase->text, "no %s in the newest ", phrase->one);
	phrase_percent(phrase, phrase->value);
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

/* The rest of the recency and frequency group, defined */
static void
phrase_tenure(Phrase *phrase)
{
	const char *form = phrase->feature->id == FEATURE_TENURE ?
		"first %s " : "last day but one with %s ";

	appendStringInfo(&phrase->text, form,
					 phrase->feature->id == FEATURE_TENURE ?
					 phrase->one : phrase->many);
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
			phrase_number(phrase, phrase->value);
			appendStringInfoString(&phrase->text, " of 30 days on average");
			break;
		default:
			phrase_tenure(phrase);
	}
}

/* Money over a window or the lookback: "orders worth 120.00 in the last 90 days" */
static void
phrase_amount(Phrase *phrase, int window)
{
	double		count = 1;

	(void) phrase_near(phrase, FEATURE_COUNT, window, &count);
	if (count == 0)
	{
		phrase_none(phrase, window);
		return;
	}
	if (phrase->feature->id == FEATURE_AMOUNT)
		appendStringInfo(&phrase->text, "%s worth %.2f", phrase->many,
						 phrase->value);
	else
		appendStringInfo(&phrase->text, "%.2f per %s", phrase->value,
						 phrase->one);
	appendStringInfoString(&phrase->text, " in the ");
	phrase_last_days(phrase, window);
}

/* Money that cannot be said: no events, or none with an amount. */
static void
phrase_no_money(Phrase *phrase)
{
	double		count = 0;
	int			window = phrase->feature->window;

	if (window == 0)
		window = phrase->list->spec->lookback;
	(void) phrase_near(phrase, FEATURE_COUNT, window, &count);
	if (count == 0)
		phrase_none(phrase, window);
	else
		appendStringInfo(&phrase->text,
						 "too few amounts of %s to compare", phrase->many);
}

/* "40.00 on the last day with orders, 55.20 on an average one" */
static void
phrase_amount_last(Phrase *phrase)
{
	double		ratio;

	appendStringInfo(&phrase->text, "%.2f on the last day with %s",
					 phrase->value, phrase->many);
	if (phrase_near(phrase, FEATURE_AMOUNT_LAST_RATIO, 0, &ratio) && ratio != 0)
		appendStringInfo(&phrase->text, ", %.2f on an average one",
						 phrase->value / ratio);
}

/* See phrase.h. */
void
money_phrase(Phrase *phrase)
{
	int			window = phrase->feature->window;

	if (!phrase->defined)
	{
		phrase_no_money(phrase);
		return;
	}
	switch (phrase->feature->id)
	{
		case FEATURE_AMOUNT_LAST:
			phrase_amount_last(phrase);
			break;
		case FEATURE_AMOUNT_MAX:
			appendStringInfo(&phrase->text, "at most %.2f on a day with %s",
							 phrase->value, phrase->many);
			break;
		case FEATURE_AMOUNT_CV:
			appendStringInfo(&phrase->text,
							 "amounts of days with %s vary by ", phrase->many);
			phrase_percent(phrase, phrase->value);
			appendStringInfoString(&phrase->text, " of their mean");
			break;
		case FEATURE_AMOUNT_LAST_RATIO:
			appendStringInfo(&phrase->text,
							 "%.2f times the average amount on the last day with %s",
							 phrase->value, phrase->many);
			break;
		default:
			phrase_amount(phrase,
						  window ? window : phrase->list->spec->lookback);
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
			phrase_percent(phrase, phrase->value);
			appendStringInfoString(&phrase->text,
								   " of active days on a weekend");
			break;
		default:
			appendStringInfoString(&phrase->text, "active days spread ");
			phrase_percent(phrase, phrase->value / log(7));
			appendStringInfoString(&phrase->text,
								   " as evenly over the weekdays as can be");
	}
}
