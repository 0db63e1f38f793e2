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
	double		now = phrase_near_or_zero(phrase, FEATURE_COUNT, window);
	double		diff = phrase_near_or_zero(phrase, FEATURE_DIFF, window);

	if (now == 0)
		phrase_say(phrase, PHRASE_TREND_NONE, window, -diff, 0);
	else
		phrase_say(phrase, diff == 0 ? PHRASE_TREND_SAME :
				   diff < 0 ? PHRASE_TREND_DOWN :
				   now == diff ? PHRASE_TREND_NEW : PHRASE_TREND_UP,
				   window, now, now - diff);
}

/* "9 fewer views in the last 30 days than in the 30 days before" */
static void
phrase_diff(Phrase *phrase)
{
	int			window = phrase->feature->window;

	if (phrase->value == 0 &&
		phrase_near_or_zero(phrase, FEATURE_COUNT, window) == 0)
		phrase_none(phrase, 2 * window);
	else
		phrase_say(phrase, phrase->value == 0 ? PHRASE_DIFF_SAME :
				   phrase->value < 0 ? PHRASE_DIFF_FEWER : PHRASE_DIFF_MORE,
				   fabs(phrase->value), window, 0);
}

/* "45% of the money for orders in the last 60 days came in the last 30" */
static void
phrase_amount_trend(Phrase *phrase)
{
	int			window = phrase->feature->window;

	phrase_say(phrase, phrase->defined ? PHRASE_AMOUNT_TREND :
			   PHRASE_AMOUNT_TREND_NONE, phrase->value, 2 * window, window);
}

/* "orders per week fall by 12% a week over 12 weeks" */
static void
phrase_slope(Phrase *phrase)
{
	if (!phrase->defined)
		phrase_none(phrase, 7 * WEEKS_OF_SLOPE);
	else
		phrase_say(phrase, phrase->value == 0 ? PHRASE_SLOPE_STEADY :
				   phrase->value < 0 ? PHRASE_SLOPE_FALL : PHRASE_SLOPE_RISE,
				   fabs(phrase->value), WEEKS_OF_SLOPE, 0);
}

/* "3 orders, where one of 30 days ago counts half" */
static void
phrase_ewma(Phrase *phrase)
{
	if (phrase->value == 0)
		phrase_none(phrase, phrase->list->spec->lookback);
	else
		phrase_say(phrase, PHRASE_DECAYED, phrase->value, 0, 0);
}

/* "60% of the orders of the last 30 days and the same days a year ago are recent" */
static void
phrase_yoy(Phrase *phrase)
{
	phrase_say(phrase, !phrase->defined ? PHRASE_YEAR_NEITHER :
			   phrase->value == 0 ? PHRASE_YEAR_GONE :
			   phrase->value == 1 ? PHRASE_YEAR_NEW : PHRASE_YEAR_SHARE,
			   phrase->value, 0, 0);
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
			phrase_ewma(phrase);
			break;
		default:
			phrase_yoy(phrase);
	}
}

/* What the key kinds are called: the only one's name, or in general */
static const char *
key_noun(const Phrase *phrase)
{
	const Spec *spec = phrase->list->spec;
	int			key = -1;

	for (int i = 0; i < spec->nkinds; i++)
	{
		if (!spec->is_key[i])
			continue;
		if (key >= 0)
			return phrase_template(PHRASE_KEY_EVENT, phrase->language);
		key = i;
	}
	return key >= 0 ? phrase_noun(phrase, key) :
		phrase_template(PHRASE_KEY_EVENT, phrase->language);
}

/* "last view 12 days before the last order", "5 views since the last order" */
static void
phrase_key(Phrase *phrase)
{
	phrase->other = key_noun(phrase);
	if (!phrase->defined)
	{
		if (phrase_near_or_zero(phrase, FEATURE_DAYS, 0) > 0)
			phrase->one = phrase->other;
		phrase_none(phrase, phrase->list->spec->lookback);
	}
	else if (phrase->feature->id == FEATURE_SINCE_KEY)
		phrase_say(phrase, PHRASE_KEY_SINCE, phrase->value, 0, 0);
	else
		phrase_say(phrase, phrase->value == 0 ? PHRASE_KEY_SAME_DAY :
				   phrase->value > 0 ? PHRASE_KEY_BEFORE : PHRASE_KEY_AFTER,
				   fabs(phrase->value), 0, 0);
}

/* "3 kinds of events in the last 90 days", "kinds mixed 85% as evenly ..." */
static void
phrase_variety(Phrase *phrase)
{
	FeatureId	id = phrase->feature->id;
	int			window = phrase->feature->window;

	if (id == FEATURE_KINDS && phrase->value > 0)
		phrase_say(phrase, phrase->value == 1 ? PHRASE_KINDS_ONE :
				   PHRASE_KINDS_MANY, phrase->value, window, 0);
	else if (id == FEATURE_KINDS ||
			 phrase_near_or_zero(phrase, FEATURE_COUNT, 0) == 0)
		phrase_none(phrase, window ? window : phrase->list->spec->lookback);
	else
		phrase_say(phrase, !phrase->defined ? PHRASE_KINDS_ONLY :
				   id == FEATURE_KIND_ENTROPY ? PHRASE_KINDS_ENTROPY :
				   PHRASE_KINDS_MIXED, phrase->value, 0, 0);
}

/* "0.35 orders per cart in the last 90 days" */
static void
phrase_ratio(Phrase *phrase)
{
	int			window = phrase->feature->window;

	phrase->other = phrase_noun(phrase, phrase->feature->other);
	if (!phrase->defined)
	{
		phrase->one = phrase->other;
		phrase_none(phrase, window);
	}
	else
		phrase_say(phrase, phrase->value == 0 ? PHRASE_RATIO_NONE :
				   PHRASE_RATIO, phrase->value, window, 0);
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
