/*-------------------------------------------------------------------------
 *
 * reasons.c
 *	  The strongest reasons for a risk, in words.
 *
 * Contributions are added up by theme (theme.c), for correlated features
 * share what one cause does; the themes that raise the risk most are named,
 * each by that of its features which raises it and says it most plainly.  A
 * model fitted on columns has no themes: every column is its own.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "learn/scorer.h"

#define MAX_REASONS		100

/* A theme of the row that was read */
typedef struct Theme
{
	double		log_odds;		/* sum of its contributions */
	int			speaker;		/* input that names it, or -1 */
	double		strength;		/* of the speaker: log-odds times readiness */
} Theme;

/* Strongest first; the order of inputs among equals */
static int
compare_themes(const void *a, const void *b)
{
	const Theme *left = a;
	const Theme *right = b;

	if (left->log_odds != right->log_odds)
		return left->log_odds > right->log_odds ? -1 : 1;
	return left->speaker - right->speaker;
}

/* Add up all contributions by theme; returns the array of so many themes. */
static Theme *
themes_add_up(Scorer *scorer, int *nthemes)
{
	const Model *model = scorer->model;
	bool		themed = model->spec != (Datum) 0;
	double	   *by_input = palloc(sizeof(double) * model->ninputs);
	bool	   *speaking = model_speaking(model);
	Theme	   *themes;

	*nthemes = themed ? FEATURE_THEMES : model->ninputs;
	themes = palloc0(sizeof(Theme) * Max(*nthemes, 1));
	for (int i = 0; i < *nthemes; i++)
		themes[i].speaker = -1;
	model_contributions(model, scorer->values, scorer->nulls, by_input);
	for (int i = 0; i < model->ninputs; i++)
	{
		double		readiness = 1;
		Theme	   *theme;

		if (!speaking[i])
			continue;
		theme = &themes[themed ? (int) scorer_theme(scorer, i, &readiness) : i];
		theme->log_odds += by_input[i];
		if (by_input[i] * readiness > theme->strength)
		{
			theme->strength = by_input[i] * readiness;
			theme->speaker = i;
		}
	}
	pfree(by_input);
	pfree(speaking);
	return themes;
}

/* The reasons of the row that was read, as text[] */
static Datum
reasons_return(Scorer *scorer, int limit)
{
	Theme	   *themes;
	int			nthemes;
	Datum		phrases[MAX_REASONS];
	int			n = 0;

	if (limit < 0 || limit > MAX_REASONS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of reasons must be from 0 to %d, not %d",
						MAX_REASONS, limit)));
	themes = themes_add_up(scorer, &nthemes);
	qsort(themes, nthemes, sizeof(Theme), compare_themes);
	for (int i = 0; i < nthemes && n < limit && themes[i].log_odds > 0; i++)
		if (themes[i].speaker >= 0)
			phrases[n++] = CStringGetTextDatum(scorer_phrase(scorer,
															 themes[i].speaker));
	pfree(themes);
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
