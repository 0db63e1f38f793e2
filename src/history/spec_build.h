/*-------------------------------------------------------------------------
 *
 * spec_build.h
 *	  What a user says about a churn_spec, before it is checked.
 *
 * The constructor, the text form and the binary form all end here, so that
 * there is one set of checks and one canonical value for one meaning.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_SPEC_BUILD_H
#define CHURN_SPEC_BUILD_H

#include "history/spec.h"
#include "lib/stringinfo.h"

/* A list that may be left unsaid: then its default applies */
typedef struct SpecNames
{
	bool		given;
	int			n;
	char	  **name;			/* NUL-terminated, never NULL */
} SpecNames;

typedef struct SpecArgs
{
	bool		windows_given;	/* else 7, 30, 90, 180, 365 */
	int			nwindows;
	int		   *windows;
	bool		lookback_given; /* else 730 */
	int			lookback;
	bool		churn_window_given; /* else none */
	int			churn_window;
	bool		visible_given;	/* else no limit but the lookback */
	int			visible;
	SpecNames	kinds;			/* else the one kind of "kind", or none */
	SpecNames	key_kinds;		/* else the only kind, or none */
	SpecNames	amount_kinds;	/* else all kinds */
	SpecNames	refund_kinds;	/* else "refund" */
	SpecNames	ratios;			/* "numerator/denominator"; else none */
	char	   *time_zone;		/* NULL: UTC */
	char	   *kind;			/* NULL: the only kind, or none */
} SpecArgs;

/* Check and canonicalise; errors are ERRCODE_INVALID_PARAMETER_VALUE. */
extern Spec *spec_build(const SpecArgs *args);

/* The other way round: everything said, nothing left to defaults. */
extern SpecArgs *spec_args(const Spec *spec);

/* The stored form: a varlena of the current context. */
extern Datum spec_encode(const Spec *spec);

/* JSON text, both ways */
extern SpecArgs *spec_args_from_json(const char *text);
extern void spec_append_json(StringInfo out, const Spec *spec);

/* Canonical name of a time zone; an error when there is none such. */
extern char *zone_check(const char *name);

#endif							/* CHURN_SPEC_BUILD_H */
