/*-------------------------------------------------------------------------
 *
 * phrase_money.c
 *	  Money in plain words.
 *
 * Three sorts of money are told apart.  What a kind brought is "orders worth
 * 120.00".  What a refund kind took away is "120.00 refunded", in whichever
 * sign the source gives it.  The money of all kinds is net when one of them
 * is a refund kind, and may be below zero: then more was refunded than paid.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "history/phrase.h"

/* Does the feature speak of refunds alone? */
static bool
is_refund(const Phrase *phrase)
{
	int			kind = phrase->feature->kind;

	return kind != FEATURES_ANY(phrase->list) &&
		phrase->list->spec->is_refund[kind];
}

/* Does the feature's money have refunds taken off? */
static bool
is_net(const Phrase *phrase)
{
	const Spec *spec = phrase->list->spec;

	if (phrase->feature->kind != FEATURES_ANY(phrase->list))
		return false;
	for (int i = 0; i < spec->nkinds; i++)
		if (spec->is_refund[i] && spec->has_amount[i])
			return true;
	return false;
}

/* Append an amount: "45.00", "45.00 refunded", "45.00 net of refunds". */
static void
phrase_sum(Phrase *phrase, double money)
{
	if (is_refund(phrase))
	{
		phrase_money(phrase, fabs(money));
		appendStringInfoString(&phrase->text, " refunded");
	}
	else if (is_net(phrase) && money < 0)
	{
		phrase_money(phrase, -money);
		appendStringInfoString(&phrase->text, " more refunded than paid");
	}
	else
	{
		phrase_money(phrase, money);
		if (is_net(phrase))
			appendStringInfoString(&phrase->text, " net of refunds");
	}
}

/* Append "on the last day with orders", or "on the only day with orders". */
static bool
phrase_day(Phrase *phrase, const char *which)
{
	double		days = 0;

	(void) phrase_near(phrase, FEATURE_DAYS, 0, &days);
	appendStringInfo(&phrase->text, " on %s day with %s",
					 days == 1 ? "the only" : which, phrase->many);
	return days == 1;
}

/* "orders worth 120.00 in the last 90 days", "40.00 per order in the …" */
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
	if (phrase->feature->id == FEATURE_AMOUNT_MEAN)
	{
		phrase_sum(phrase, phrase->value);
		appendStringInfo(&phrase->text, " per %s", phrase->one);
	}
	else
	{
		if (!is_refund(phrase) && !is_net(phrase))
			appendStringInfo(&phrase->text, "%s worth ", phrase->many);
		phrase_sum(phrase, phrase->value);
	}
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

/*
 * "40.00 on the last day with orders, 55.20 on an average one": for the last
 * amount, and for its ratio to the average, which says less by itself.
 */
static void
phrase_amount_last(Phrase *phrase)
{
	double		last = 0,
				ratio = 0;
	bool		only;

	(void) phrase_near(phrase, FEATURE_AMOUNT_LAST, 0, &last);
	(void) phrase_near(phrase, FEATURE_AMOUNT_LAST_RATIO, 0, &ratio);
	phrase_sum(phrase, last);
	only = phrase_day(phrase, "the last");
	if (only || ratio == 0)
		return;
	appendStringInfoString(&phrase->text, ", ");
	phrase_money(phrase, fabs(last / ratio));
	/* an average is only there when it is positive */
	if (last < 0)
		appendStringInfoString(&phrase->text, " paid");
	appendStringInfoString(&phrase->text, " on an average one");
}

/*
 * "at most 45.00 on a day with orders".  The greatest of sums below zero is
 * the least that was refunded.
 */
static void
phrase_amount_max(Phrase *phrase)
{
	bool		least = phrase->value < 0;
	double		days = 0;

	(void) phrase_near(phrase, FEATURE_DAYS, 0, &days);
	if (days != 1)
		appendStringInfoString(&phrase->text, least ? "at least " : "at most ");
	phrase_sum(phrase, phrase->value);
	(void) phrase_day(phrase, least ? "every" : "a");
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
		case FEATURE_AMOUNT_LAST_RATIO:
			phrase_amount_last(phrase);
			break;
		case FEATURE_AMOUNT_MAX:
			phrase_amount_max(phrase);
			break;
		case FEATURE_AMOUNT_CV:
			appendStringInfo(&phrase->text,
							 "amounts of days with %s vary by ", phrase->many);
			phrase_percent(phrase, phrase->value);
			appendStringInfoString(&phrase->text, " of their average");
			break;
		default:
			phrase_amount(phrase,
						  window ? window : phrase->list->spec->lookback);
	}
}
