/*-------------------------------------------------------------------------
 *
 * phrase_trend.c
 *	  Trends, and one kind against others, in plain words.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "history/phrase.h"

/* "views in the last 30 days down to 2 from 11" */
static void
phrase_trend(Phrase *phrase)
{
	int			window = phrase->feature->window;
	double		now = 0,
				diff = 0;

	(void) phrase_near(phrase, FEATURE_COUNT, window, &now);
	(void) phrase_near(phrase, FEATURE_DIFF, window, &diff);
	if (now == 0)
	{
		phrase_none(phrase, window);
		appendStringInfoString(&phrase->text, ", down from ");
		phrase_number(phrase, -diff);
		return;
	}
	appendStringInfo(&phrase->text, "%s in the ", phrase->many);
	phrase_last_days(phrase, window);
	if (diff == 0)
	{
		appendStringInfoString(&phrase->text, " unchanged at ");
		phrase_number(phrase, now);
		return;
	}
	appendStringInfo(&phrase->text, " %s to ", diff < 0 ? "down" : "up");
	phrase_number(phrase, now);
	appendStringInfoString(&phrase->text, " from ");
	if (now == diff)
		appendStringInfoString(&phrase->text, "none");
	else
		phrase_number(phrase, now - diff);
}

/* "9 fewer views in the last 30 days than in the 30 days before" */
static void
phrase_diff(Phrase *phrase)
{
	int			window = phrase->feature->window;
	double		now = 0;

	(void) phrase_near(phrase, FEATURE_COUNT, window, &now);
	if (phrase->value == 0 && now == 0)
	{
		phrase_none(phrase, 2 * window);
		return;
	}
	if (phrase->value == 0)
		appendStringInfo(&phrase->text, "as many %s", phrase->many);
	else
	{
		phrase_number(phrase, fabs(phrase->value));
		appendStringInfo(&phrase->text, " %s %s",
						 phrase->value < 0 ? "fewer" : "more",
						 fabs(phrase->value) == 1 ? phrase->one : phrase->many);
	}
	appendStringInfoString(&phrase->text, " in the ");
	phrase_last_days(phrase, window);
	appendStringInfo(&phrase->text, " %s in the ",
					 phrase->value == 0 ? "as" : "than");
	if (window == 1)
		appendStringInfoString(&phrase->text, "day");
	else
		phrase_days(phrase, window);
	appendStringInfoString(&phrase->text, " before");
}

/* "45% of the money for orders in the last 60 days came in the last 30" */
static void
phrase_amount_trend(Phrase *phrase)
{
	int			window = phrase->feature->window;

	if (!phrase->defined)
	{
		appendStringInfo(&phrase->text,
						 "no money for %s to compare in the ", phrase->many);
		phrase_last_days(phrase, 2 * window);
		return;
	}
	phrase_percent(phrase, phrase->value);
	appendStringInfo(&phrase->text, " of the money for %s in the ",
					 phrase->many);
	phrase_last_days(phrase, 2 * window);
	appendStringInfoString(&phrase->text, " came in the ");
	phrase_last_days(phrase, window);
}

/* "orders per week fall by 12% a week over 12 weeks" */
static void
phrase_slope(Phrase *phrase)
{
	if (!phrase->defined)
	{
		phrase_none(phrase, 7 * WEEKS_OF_SLOPE);
		return;
	}
	appendStringInfo(&phrase->text, "%s per week ", phrase->many);
	if (phrase->value == 0)
		appendStringInfoString(&phrase->text, "steady");
	else
	{
		appendStringInfo(&phrase->text, "%s by ",
						 phrase->value < 0 ? "fall" : "rise");
		phrase_percent(phrase, fabs(phrase->value));
		appendStringInfoString(&phrase->text, " a week");
	}
	appendStringInfo(&phrase->text, " over %d weeks", WEEKS_OF_SLOPE);
}

/* "60% of the orders of the last 30 days and the same days a year ago are recent" */
static void
phrase_yoy(Phrase *phrase)
{
	if (!phrase->defined)
	{
		appendStringInfo(&phrase->text,
						 "no %s in the last 30 days nor in the same days a year ago",
						 phrase->one);
		return;
	}
	if (phrase->value == 0 || phrase->value == 1)
	{
		appendStringInfo(&phrase->text,
						 phrase->value == 0 ?
						 "no %s in the last 30 days, but in the same days a year ago" :
						 "%s in the last 30 days, but none in the same days a year ago",
						 phrase->value == 0 ? phrase->one : phrase->many);
		return;
	}
	phrase_percent(phrase, phrase->value);
	appendStringInfo(&phrase->text,
					 " of the %s of the last 30 days and the same days a year ago are recent",
					 phrase->many);
}

/* See phrase.h. */
void
trend_phrase(Phrase *phrase)
{
	switch (phrase->feature->id)
	{
		case FEATURE_TREND:
			if (phrase->defined)
				phrase_trend(phrase);
			else
				phrase_none(phrase, 2 * phrase->feature->window);
			break;
		case FEATURE_DIFF:
			phrase_diff(phrase);
			break;
		case FEATURE_AMOUNT_TREND:
			phrase_amount_trend(phrase);
			break;
		case FEATURE_SLOPE:
			phrase_slope(phrase);
			break;
		case FEATURE_EWMA:
			if (phrase->value == 0)
			{
				phrase_none(phrase, phrase->list->spec->lookback);
				break;
			}
			phrase_count(phrase, phrase->value);
			appendStringInfoString(&phrase->text,
								   ", where one of 30 days ago counts half");
			break;
		default:
			phrase_yoy(phrase);
	}
}

/* What the key kinds are called: the only one's name, or in general */
static const char *
key_noun(const FeatureList *list)
{
	const char *noun = NULL;

	for (int i = 0; i < list->spec->nkinds; i++)
	{
		if (!list->spec->is_key[i])
			continue;
		if (noun)
			return "key event";
		noun = list->spec->kinds[i];
	}
	return noun ? noun : "key event";
}

/* "last view 12 days before the last order", "5 views since the last order" */
static void
phrase_key(Phrase *phrase)
{
	const char *key = key_noun(phrase->list);
	double		days = 0;

	if (!phrase->defined)
	{
		(void) phrase_near(phrase, FEATURE_DAYS, 0, &days);
		if (days > 0)
			phrase->one = key;
		phrase_none(phrase, phrase->list->spec->lookback);
		return;
	}
	if (phrase->feature->id == FEATURE_SINCE_KEY)
	{
		phrase_count(phrase, phrase->value);
		appendStringInfo(&phrase->text, " since the last %s", key);
		return;
	}
	appendStringInfo(&phrase->text, "last %s ", phrase->one);
	if (phrase->value == 0)
		appendStringInfoString(&phrase->text, "on the day of");
	else
	{
		phrase_days(phrase, fabs(phrase->value));
		appendStringInfoString(&phrase->text,
							   phrase->value > 0 ? " before" : " after");
	}
	appendStringInfo(&phrase->text, " the last %s", key);
}

/* "3 kinds of events in the last 90 days", "kinds mixed 85% as evenly ..." */
static void
phrase_variety(Phrase *phrase)
{
	int			lookback = phrase->list->spec->lookback;
	int			window = phrase->feature->window;
	double		count = 0;

	(void) phrase_near(phrase, FEATURE_COUNT, 0, &count);
	if (phrase->feature->id == FEATURE_KINDS && phrase->value > 0)
	{
		phrase_number(phrase, phrase->value);
		appendStringInfo(&phrase->text, " %s of events in the ",
						 phrase->value == 1 ? "kind" : "kinds");
		phrase_last_days(phrase, window);
	}
	else if (phrase->feature->id == FEATURE_KINDS || count == 0)
		phrase_none(phrase, window ? window : lookback);
	else if (!phrase->defined)
		appendStringInfoString(&phrase->text, "only one kind of events so far");
	else if (phrase->feature->id == FEATURE_KIND_ENTROPY)
		appendStringInfo(&phrase->text,
						 "mix of kinds of events with an entropy of %.2f",
						 phrase->value);
	else
	{
		appendStringInfoString(&phrase->text, "kinds of events mixed ");
		phrase_percent(phrase, phrase->value);
		appendStringInfoString(&phrase->text, " as evenly as can be");
	}
}

/* "0.35 orders per cart in the last 90 days" */
static void
phrase_ratio(Phrase *phrase)
{
	const char *below = phrase_one(phrase->list, phrase->feature->other);

	if (!phrase->defined)
	{
		phrase->one = below;
		phrase_none(phrase, phrase->feature->window);
		return;
	}
	phrase_count(phrase, phrase->value);
	appendStringInfo(&phrase->text, " per %s in the ", below);
	phrase_last_days(phrase, phrase->feature->window);
}

/* See phrase.h. */
void
variety_phrase(Phrase *phrase)
{
	switch (phrase->feature->id)
	{
		case FEATURE_RECENCY_LESS_KEY:
		case FEATURE_SINCE_KEY:
			phrase_key(phrase);
			break;
		case FEATURE_RATIO:
			phrase_ratio(phrase);
			break;
		default:
			phrase_variety(phrase);
	}
}
