/*-------------------------------------------------------------------------
 *
 * spec.h
 *	  churn_spec: everything a feature list depends on, as one value.
 *
 * The stored form is private to spec.c; everybody else works on the decoded
 * form below.  Kinds are named once, in "kinds", sorted by bytes; every other
 * list refers to them by position.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_SPEC_H
#define CHURN_SPEC_H

#include "fmgr.h"

#define SPEC_MAX_WINDOWS	32
#define SPEC_MAX_KINDS		64
#define SPEC_MAX_RATIOS		64
#define SPEC_MAX_DAYS		36500	/* lookback, windows, churn window */
#define SPEC_KIND_BYTES		63	/* longest name of a kind */

/* K1_per_K2: events of one kind for each event of another */
typedef struct SpecRatio
{
	int			numerator;		/* position in kinds */
	int			denominator;	/* position in kinds */
} SpecRatio;

typedef struct Spec
{
	int			lookback;		/* days: features see [a - lookback, a) */
	int			churn_window;	/* days; 0 when not given */
	int			visible;		/* days of history sure to be there at every
								 * as-of date; 0 when not given */
	int			nwindows;
	int		   *windows;		/* days, strictly ascending, <= lookback */
	int			nkinds;
	char	  **kinds;			/* strictly ascending by bytes */
	bool	   *is_key;			/* per kind: its absence means churn */
	bool	   *has_amount;		/* per kind: money features are computed */
	bool	   *is_refund;		/* per kind: its money is subtracted in "any" */
	int			nratios;
	SpecRatio  *ratios;
	char	   *time_zone;		/* never NULL; "UTC" by default */
	char	   *kind;			/* constant kind of a source, by default the
								 * only one of kinds; or NULL */
} Spec;

/* Decode a (possibly toasted) churn_spec datum into the current context. */
extern Spec *spec_decode(Datum datum);

/*
 * Calendar day of a timestamp (microseconds since 2000 in UTC) in the spec's
 * zone.  The converter remembers offsets, so a call costs a table look-up and
 * a division.  Made in the current context.  The timestamp must be finite; an
 * unknown zone is an error.
 */
typedef struct ZoneDays ZoneDays;
extern ZoneDays *zone_days_create(const char *time_zone);
extern int32 zone_days_from_timestamptz(ZoneDays *zone, int64 timestamptz);

#endif							/* CHURN_SPEC_H */
