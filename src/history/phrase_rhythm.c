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
	double		value = 0;

	(void) phrase_near(phrase, id, 0, &value);
	return value;
}

/* Append "TEXT between orders". */
static void
phrase_between(Phrase *phrase, const char *text)
{
	appendStringInfo(&phrase->text, "%s between %s", text, phrase->many);
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
	{
		appendStringInfoString(&phrase->text, "; the only gap before was ");
		phrase_days(phrase, mean);
		return;
	}
	appendStringInfoString(&phrase->text, ", ");
	if (phrase->feature->id == FEATURE_OVERDUE && recency <= mean)
		appendStringInfoString(&phrase->text, "within");
	else if (phrase->feature->id == FEATURE_OVERDUE)
	{
		phrase_number(phrase, phrase->value);
		appendStringInfoString(&phrase->text, " times");
	}
	else
	{
		phrase_number(phrase, fabs(phrase->value));
		appendStringInfo(&phrase->text, " standard deviations %s",
						 phrase->value < 0 ? "below" : "above");
	}
	appendStringInfoString(&phrase->text, " the average gap of ");
	phrase_days(phrase, mean);
}

/* What to call a gap when it may be the only one */
static const char *
gap_name(const Phrase *phrase, const char *name)
{
	return phrase_only_gap(phrase) ? "only" : name;
}

/* "53 days past the usual gap of 21 days between orders" */
static void
phrase_past(Phrase *phrase)
{
	bool		median = phrase->feature->id == FEATURE_DAYS_PAST_MEDIAN;
	double		gap = near_value(phrase, median ? FEATURE_GAP_MEDIAN
								 : FEATURE_GAP_MAX);

	if (phrase->value != 0)
	{
		phrase_days(phrase, fabs(phrase->value));
		appendStringInfoString(&phrase->text,
							   phrase->value < 0 ? " short of" : " past");
	}
	else
		appendStringInfoString(&phrase->text, "today at the end of");
	appendStringInfo(&phrase->text, " the %s gap of ",
					 gap_name(phrase, median ? "usual" : "longest"));
	phrase_days(phrase, gap);
	phrase_between(phrase, "");
}

/* "each gap between orders 2.3 days longer than the one before" */
static void
phrase_gap_slope(Phrase *phrase)
{
	if (phrase->value == 0)
	{
		phrase_between(phrase, "gaps");
		appendStringInfoString(&phrase->text, " neither lengthen nor shorten");
		return;
	}
	phrase_between(phrase, "each gap");
	appendStringInfoChar(&phrase->text, ' ');
	phrase_days(phrase, fabs(phrase->value));
	appendStringInfo(&phrase->text, " %s than the one before on average",
					 phrase->value < 0 ? "shorter" : "longer");
}

/* "2 gaps between orders longer than 90 days" */
static void
phrase_lapses(Phrase *phrase)
{
	if (near_value(phrase, FEATURE_DAYS) < 2)
	{
		phrase_too_few(phrase);
		return;
	}
	if (phrase->value == 0)
		phrase_between(phrase, "no gap");
	else
	{
		phrase_number(phrase, phrase->value);
		phrase_between(phrase, phrase->value == 1 ? " gap" : " gaps");
	}
	appendStringInfoString(&phrase->text, " longer than ");
	phrase_days(phrase, phrase->list->spec->churn_window);
}

/* "orders in 3 of the last 4 spans of 90 days" */
static void
phrase_kept(Phrase *phrase)
{
	int			span = phrase->list->spec->churn_window;
	double		tenure = near_value(phrase, FEATURE_TENURE);
	int			spans = Min((int) tenure / span, SPANS_KEPT);

	if (tenure == 0)
	{
		phrase_none(phrase, phrase->list->spec->lookback);
		return;
	}
	if (!phrase->defined)
	{
		appendStringInfo(&phrase->text, "first %s less than ", phrase->one);
		phrase_days(phrase, span);
		appendStringInfoString(&phrase->text, " ago");
		return;
	}
	if (phrase->value == 0)
		appendStringInfo(&phrase->text, "no %s in any", phrase->one);
	else
		appendStringInfo(&phrase->text, "%s in %d", phrase->many,
						 (int) rint(phrase->value * spans));
	appendStringInfo(&phrase->text, " of the last %d %s of ", spans,
					 spans == 1 ? "span" : "spans");
	phrase_days(phrase, span);
}

/* "gaps between orders vary by 3.2 days around their average of 21 days" */
static void
phrase_gap_spread(Phrase *phrase)
{
	if (phrase->value == 0)
	{
		phrase_between(phrase, "all gaps");
		appendStringInfoString(&phrase->text, " are equally long");
		return;
	}
	phrase_between(phrase, "gaps");
	appendStringInfoString(&phrase->text, " vary by ");
	if (phrase->feature->id == FEATURE_GAP_CV)
	{
		phrase_percent(phrase, phrase->value);
		appendStringInfoString(&phrase->text, " of their average");
		return;
	}
	phrase_days(phrase, phrase->value);
	appendStringInfoString(&phrase->text, " around their average of ");
	phrase_days(phrase, near_value(phrase, FEATURE_GAP_MEAN));
}

/* "80% of the gaps between orders were no longer than the present 74 days" */
static void
phrase_gap_rank(Phrase *phrase)
{
	if (phrase->value == 0)
	{
		phrase_between(phrase, "every gap");
		appendStringInfoString(&phrase->text, " was longer");
	}
	else
	{
		if (phrase->value == 1)
			phrase_between(phrase, "no gap");
		else
		{
			phrase_percent(phrase, phrase->value);
			phrase_between(phrase, " of the gaps");
		}
		appendStringInfoString(&phrase->text, phrase->value == 1 ?
							   " was longer" : " were no longer");
	}
	appendStringInfoString(&phrase->text, " than the present ");
	phrase_days(phrase, near_value(phrase, FEATURE_RECENCY));
}

/* "orders bunched together in time (clumpiness 0.95: 0 is even, 1 all at once)" */
static void
phrase_clumpiness(Phrase *phrase)
{
	const char *how = phrase->value < 1.0 / 3 ? "spread evenly over" :
		phrase->value < 2.0 / 3 ? "somewhat bunched in" :
		"bunched together in";

	appendStringInfo(&phrase->text,
					 "%s %s time (clumpiness %.2f: 0 is even, 1 all at once)",
					 phrase->many, how, phrase->value);
}

/* Features of the gaps alone, defined */
static void
phrase_gap(Phrase *phrase)
{
	FeatureId	id = phrase->feature->id;

	if (phrase_only_gap(phrase) && id != FEATURE_CLUMPINESS &&
		id != FEATURE_GAP_RANK)
	{
		phrase_between(phrase, "the only gap");
		appendStringInfoString(&phrase->text, " was ");
		phrase_days(phrase, near_value(phrase, FEATURE_GAP_MEAN));
		return;
	}
	switch (id)
	{
		case FEATURE_GAP_MEAN:
			phrase_days(phrase, phrase->value);
			phrase_between(phrase, "");
			appendStringInfoString(&phrase->text, " on average");
			break;
		case FEATURE_GAP_SD:
		case FEATURE_GAP_CV:
			phrase_gap_spread(phrase);
			break;
		case FEATURE_GAP_MEDIAN:
			appendStringInfoString(&phrase->text, "usually ");
			phrase_days(phrase, phrase->value);
			phrase_between(phrase, "");
			break;
		case FEATURE_GAP_MAX:
			phrase_between(phrase, "the longest gap");
			appendStringInfoString(&phrase->text, " was ");
			phrase_days(phrase, phrase->value);
			break;
		case FEATURE_GAP_LAST:
			phrase_between(phrase, "the last gap");
			appendStringInfoString(&phrase->text, " was ");
			phrase_days(phrase, phrase->value);
			if (phrase->value == near_value(phrase, FEATURE_GAP_MAX))
			{
				appendStringInfoString(&phrase->text, ", none longer");
				break;
			}
			appendStringInfoString(&phrase->text, ", the longest ");
			phrase_days(phrase, near_value(phrase, FEATURE_GAP_MAX));
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
	{
		appendStringInfo(&phrase->text, "second %s ", phrase->one);
		phrase_days(phrase, phrase->value);
		appendStringInfoString(&phrase->text, " after the first");
	}
	else
		phrase_gap(phrase);
}
