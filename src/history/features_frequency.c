/*-------------------------------------------------------------------------
 *
 * features_frequency.c
 *	  How recent, how long, how often; and on which days of the week.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "history/features_groups.h"

#define RATE_DAYS		30		/* a rate is days per this many days */
#define SCALE_FLOOR		30		/* least tenure in a scaled count */
#define DAYS_OF_WEEK	7

/* List: recency, tenure, counts. */
void
frequency_list(FeatureList *list, int kind)
{
	const Spec *spec = list->spec;

	features_add(list, FEATURE_RECENCY, kind, -1, 0);
	features_add(list, FEATURE_TENURE, kind, -1, 0);
	features_add(list, FEATURE_SPAN, kind, -1, 0);
	features_add(list, FEATURE_RECENCY_SHARE, kind, -1, 0);
	features_add(list, FEATURE_RECENCY_PREV, kind, -1, 0);
	for (int i = 0; i < spec->nwindows; i++)
	{
		if (spec->windows[i] < spec->lookback)
		{
			features_add(list, FEATURE_COUNT, kind, -1, spec->windows[i]);
			features_add(list, FEATURE_DAYS, kind, -1, spec->windows[i]);
		}
		features_add(list, FEATURE_COUNT_SCALED, kind, -1, spec->windows[i]);
	}
	features_add(list, FEATURE_COUNT, kind, -1, 0);
	features_add(list, FEATURE_DAYS, kind, -1, 0);
	features_add(list, FEATURE_RATE, kind, -1, 0);
}

/*
 * The part of a window that a user of this tenure can have filled; the least
 * such part when the tenure is undefined.
 */
static double
scaled_window(int window, double tenure)
{
	double		part = Min(SCALE_FLOOR, window);

	if (tenure > part)
		part = tenure;
	return Min(part, window);
}

/*
 * Compute: recency, tenure, counts.  Someone without a day has no recency and
 * no rate, but counts of 0.
 */
void
frequency_compute(const FeatureInput *in, FeatureOutput *out)
{
	const Spec *spec = in->list->spec;
	const DayList *days = &in->days;
	int			all = features_last_cut(in->list);

	feature_put(out, in->recency);
	feature_put(out, in->tenure);
	feature_put(out, in->tenure - in->recency);
	feature_put(out, in->recency / in->tenure);
	feature_put(out, days->n > 1 ? in->as_of - days->day[days->n - 2]
				: UNDEFINED);
	for (int i = 0; i < spec->nwindows; i++)
	{
		int			window = spec->windows[i];
		double		count = in->count_cut[in->list->window_cut[i]];

		if (window < spec->lookback)
		{
			feature_put(out, count);
			feature_put(out, in->days_cut[in->list->window_cut[i]]);
		}
		feature_put(out, count * window / scaled_window(window, in->tenure));
	}
	feature_put(out, in->count_cut[all]);
	feature_put(out, in->days_cut[all]);
	feature_put(out, days->n > 0 ?
				RATE_DAYS * (double) days->n / Max(in->tenure, RATE_DAYS)
				: UNDEFINED);
}

/* List: the calendar of all kinds together. */
void
calendar_list(FeatureList *list)
{
	features_add(list, FEATURE_WEEK_SHARE, FEATURES_ANY(list), -1, 0);
	features_add(list, FEATURE_WEEKEND_SHARE, FEATURES_ANY(list), -1, 0);
	features_add(list, FEATURE_WEEKDAY_ENTROPY, FEATURES_ANY(list), -1, 0);
}

/*
 * Share of weeks with a day, of those since the first day.  Weeks are counted
 * back from as_of; the oldest may be cut short by the first day.
 */
static double
week_share(const FeatureInput *in)
{
	const DayList *days = &in->days;
	int			last = -1;
	int			seen = 0;

	if (days->n == 0)
		return UNDEFINED;
	for (int i = 0; i < days->n; i++)
	{
		int			week = (in->as_of - days->day[i] - 1) / DAYS_OF_WEEK;

		seen += (week != last);
		last = week;
	}
	return (double) seen /
		((in->as_of - days->day[0] - 1) / DAYS_OF_WEEK + 1);
}

/* Compute: the calendar. Day 0 is 2000-01-01, a Saturday. */
void
calendar_compute(const FeatureInput *in, FeatureOutput *out)
{
	const DayList *days = &in->days;
	int			seen[DAYS_OF_WEEK] = {0};
	double		entropy = 0;

	for (int i = 0; i < days->n; i++)
	{
		int			weekday = days->day[i] % DAYS_OF_WEEK;

		seen[weekday < 0 ? weekday + DAYS_OF_WEEK : weekday]++;
	}
	for (int i = 0; i < DAYS_OF_WEEK && days->n > 0; i++)
		if (seen[i] > 0 && seen[i] < days->n)
			entropy -= seen[i] / (double) days->n *
				log(seen[i] / (double) days->n);
	feature_put(out, week_share(in));
	feature_put(out, (seen[0] + seen[1]) / (double) days->n);
	feature_put(out, days->n > 0 ? entropy : UNDEFINED);
}
