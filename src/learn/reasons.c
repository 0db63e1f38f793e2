/*-------------------------------------------------------------------------
 *
 * reasons.c
 *	  The strongest reasons for a risk, in words.
 *
 * The themes that raise the risk most (themes.c) are named, each by that of
 * its features which raises it and says it most plainly.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "learn/themes.h"

#define MAX_REASONS		100

/* What raises the risk most first; the order of inputs among equals */
static int
compare_themes(const void *a, const void *b)
{
	const Theme *left = a;
	const Theme *right = b;

	if (left->log_odds != right->log_odds)
		return left->log_odds > right->log_odds ? -1 : 1;
	return left->raiser - right->raiser;
}

/* The reasons of the row that was read, as text[] */
static Datum
reasons_return(Scorer *scorer, int limit)
{
	Themes		themes;
	Datum		phrases[MAX_REASONS];
	int			n = 0;

	if (limit < 0 || limit > MAX_REASONS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of reasons must be from 0 to %d, not %d",
						MAX_REASONS, limit)));
	themes = themes_add_up(scorer);
	qsort(themes.theme, themes.n, sizeof(Theme), compare_themes);
	for (int i = 0; i < themes.n && n < limit; i++)
	{
		const Theme *theme = &themes.theme[i];

		if (theme->log_odds > 0 && theme->raiser >= 0)
			phrases[n++] = CStringGetTextDatum(scorer_phrase(scorer,
															 theme->raiser));
	}
	pfree(themes.theme);
	PG_RETURN_ARRAYTYPE_P(construct_array(phrases, n, TEXTOID, -1, false,
										  TYPALIGN_INT));
}

PG_FUNCTION_INFO_V1(churn_reasons_history);
Datum
churn_reasons_history(PG_FUNCTION_ARGS)
{
	Scorer	   *scorer = scorer_get(fcinfo, PG_GETARG_DATUM(0));

	scorer_read_history(scorer, PG_GETARG_DATUM(1), PG_GETARG_DATEADT(2));
	return reasons_return(scorer, PG_GETARG_INT32(3));
}

PG_FUNCTION_INFO_V1(churn_reasons_row);
Datum
churn_reasons_row(PG_FUNCTION_ARGS)
{
	Scorer	   *scorer = scorer_get(fcinfo, PG_GETARG_DATUM(0));

	scorer_read_row(scorer, PG_GETARG_HEAPTUPLEHEADER(1));
	return reasons_return(scorer, PG_GETARG_INT32(2));
}

PG_FUNCTION_INFO_V1(churn_reasons_array);
Datum
churn_reasons_array(PG_FUNCTION_ARGS)
{
	Scorer	   *scorer = scorer_get(fcinfo, PG_GETARG_DATUM(0));

	scorer_read_array(scorer, PG_GETARG_ARRAYTYPE_P(1));
	return reasons_return(scorer, PG_GETARG_INT32(2));
}
