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

/* Append an amount; "refunded" is the template for refunds. */
static void
write_amount(Phrase *phrase, double money, PhraseId refunded)
{
	if (is_refund(phrase))
		phrase_say(phrase, refunded, fabs(money), 0, 0);
	else if (!is_net(phrase))
		phrase_say(phrase, PHRASE_SUM_PLAIN, money, 0, 0);
	else if (money < 0)
		phrase_say(phrase, PHRASE_SUM_OWED, -money, 0, 0);
	else
		phrase_say(phrase, PHRASE_SUM_NET, money, 0, 0);
}

/* See phrase.h. */
void
money_write_sum(Phrase *phrase, double money)
{
	write_amount(phrase, money, PHRASE_SUM_REFUNDED);
}

/* See phrase.h. */
void
money_write_each(Phrase *phrase, double money)
{
	write_amount(phrase, money, PHRASE_EACH_REFUNDED);
}

/* "orders worth 120.00 in the last 90 days", "40.00 per order in the …" */
static void
phrase_amount(Phrase *phrase, int window)
{
	double		count = 1;
	bool		plain = !is_refund(phrase) && !is_net(phrase);

	(void) phrase_near(phrase, FEATURE_COUNT, window, &count);
	if (count == 0)
		phrase_none(phrase, window);
	else
		phrase_say(phrase,
				   phrase->feature->id == FEATURE_AMOUNT_MEAN ? PHRASE_AMOUNT_MEAN :
				   plain ? PHRASE_AMOUNT_WORTH : PHRASE_AMOUNT_IN,
				   phrase->value, window, 0);
}

/* Money that cannot be said: no events, or none with an amount. */
static void
phrase_no_money(Phrase *phrase)
{
	int			window = phrase->feature->window;

	if (window == 0)
		window = phrase->list->spec->lookback;
	if (phrase_near_or_zero(phrase, FEATURE_COUNT, window) == 0)
		phrase_none(phrase, window);
	else
		phrase_say(phrase, PHRASE_AMOUNT_FEW, 0, 0, 0);
}

/*
 * "40.00 on the last day with orders, 55.20 on an average one": for the last
 * amount, and for its ratio to the average, which says less by itself.
 */
static void
phrase_amount_last(Phrase *phrase)
{
	double		last = phrase_near_or_zero(phrase, FEATURE_AMOUNT_LAST, 0);
	double		ratio = phrase_near_or_zero(phrase, FEATURE_AMOUNT_LAST_RATIO, 0);
	bool		only = phrase_near_or_zero(phrase, FEATURE_DAYS, 0) == 1;

	phrase_say(phrase, only ? PHRASE_AMOUNT_ONLY_DAY : PHRASE_AMOUNT_LAST_DAY,
			   last, 0, 0);
	if (only || ratio == 0)
		return;
	/* an average is only there when it is positive */
	phrase_say(phrase, last < 0 ? PHRASE_AMOUNT_AVERAGE_PAID :
			   PHRASE_AMOUNT_AVERAGE, fabs(last / ratio), 0, 0);
}

/*
 * "at most 45.00 on a day with orders".  The greatest of sums below zero is
 * the least that was refunded.
 */
static void
phrase_amount_max(Phrase *phrase)
{
	bool		only = phrase_near_or_zero(phrase, FEATURE_DAYS, 0) == 1;

	phrase_say(phrase, only ? PHRASE_AMOUNT_ONLY_DAY :
			   phrase->value < 0 ? PHRASE_AMOUNT_LEAST : PHRASE_AMOUNT_MOST,
			   phrase->value, 0, 0);
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
			phrase_say(phrase, PHRASE_AMOUNT_VARIES, phrase->value, 0, 0);
			break;
		default:
			phrase_amount(phrase,
						  window ? window : phrase->list->spec->lookback);
	}
}
