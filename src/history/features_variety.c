/*-------------------------------------------------------------------------
 *
 * features_variety.c
 *	  One kind against others: the key kinds, the mix of kinds, ratios.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "history/features_groups.h"

/* List: a kind against the key kinds. */
void
key_list(FeatureList *list, int kind)
{
	features_add(list, FEATURE_RECENCY_LESS_KEY, kind, -1, 0);
	features_add(list, FEATURE_SINCE_KEY, kind, -1, 0);
}

/*
 * Compute: a kind against the key kinds.  Events of the last key day itself
 * are not since it.  NULL without a key day (DATEVAL_NOBEGIN).
 */
void
key_compute(const FeatureInput *in, DateADT last_key, FeatureOutput *out)
{
	const DayList *days = &in->days;
	double		since = 0;

	if (last_key == DATEVAL_NOBEGIN)
	{
		feature_put(out, UNDEFINED);
		feature_put(out, UNDEFINED);
		return;
	}
	for (int i = days->n - 1; i >= 0 && days->day[i] > last_key; i--)
		since += days->count[i];
	feature_put(out, in->recency - (in->as_of - last_key));
	feature_put(out, since);
}

/* List: the mix of kinds. */
void
variety_list(FeatureList *list)
{
	const Spec *spec = list->spec;

	for (int i = 0; i < spec->nwindows; i++)
		features_add(list, FEATURE_KINDS, FEATURES_ANY(list), -1,
					 spec->windows[i]);
	features_add(list, FEATURE_KIND_ENTROPY, FEATURES_ANY(list), -1, 0);
	features_add(list, FEATURE_KIND_ENTROPY_SCALED, FEATURES_ANY(list), -1, 0);
}

/* Number of kinds with an event up to a cut */
static int
kinds_seen(const FeatureList *list, const FeatureInput *kinds, int cut)
{
	int			seen = 0;

	for (int i = 0; i < list->spec->nkinds; i++)
		seen += (kinds[i].count_cut[cut] > 0);
	return seen;
}

/*
 * Compute: the mix of kinds.  Entropy in nats of the counts over the lookback;
 * scaled by the logarithm of the kinds seen, so 1 is an even mix of them.
 */
void
variety_compute(const FeatureList *list, const FeatureInput *kinds,
				FeatureOutput *out)
{
	int			all = features_last_cut(list);
	int			seen = kinds_seen(list, kinds, all);
	double		total = 0;
	double		entropy = 0;

	for (int i = 0; i < list->spec->nwindows; i++)
		feature_put(out, kinds_seen(list, kinds, list->window_cut[i]));
	for (int i = 0; i < list->spec->nkinds; i++)
		total += kinds[i].count_cut[all];
	for (int i = 0; i < list->spec->nkinds; i++)
	{
		double		share = kinds[i].count_cut[all] / total;

		if (share > 0 && share < 1)
			entropy -= share * log(share);
	}
	feature_put(out, seen > 0 ? entropy : UNDEFINED);
	feature_put(out, seen > 1 ? entropy / log(seen) : UNDEFINED);
}

/* List: ratios of counts. */
void
ratios_list(FeatureList *list)
{
	const Spec *spec = list->spec;

	for (int i = 0; i < spec->nratios; i++)
		for (int j = 0; j < spec->nwindows; j++)
			features_add(list, FEATURE_RATIO, spec->ratios[i].numerator,
						 spec->ratios[i].denominator, spec->windows[j]);
}

/* Compute: ratios of counts; NULL where the kind below has none. */
void
ratios_compute(const FeatureList *list, const FeatureInput *kinds,
			   FeatureOutput *out)
{
	const Spec *spec = list->spec;

	for (int i = 0; i < spec->nratios; i++)
		for (int j = 0; j < spec->nwindows; j++)
		{
			int			cut = list->window_cut[j];

			feature_put(out, kinds[spec->ratios[i].numerator].count_cut[cut] /
						kinds[spec->ratios[i].denominator].count_cut[cut]);
		}
}
