/*-------------------------------------------------------------------------
 *
 * themes.c
 *	  Contributions added up by what they are about (history/theme.c), and
 *	  churn_themes(), which shows them.
 *
 * Correlated features share what one cause does: a theme is as strong as the
 * sum of those of its features that may be named.  What may not be named
 * neither speaks nor lends its strength to others, which would then be given
 * as reasons that they are not.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "history/phrase.h"
#include "learn/result.h"
#include "learn/themes.h"
#include "utils/builtins.h"

static const char *const theme_names[FEATURE_THEMES] = {
	[THEME_SILENCE] = "silence",
	[THEME_ACTIVITY] = "activity",
	[THEME_TREND] = "trend",
	[THEME_RHYTHM] = "rhythm",
	[THEME_LAPSES] = "lapses",
	[THEME_MONEY] = "money",
	[THEME_TENURE] = "tenure",
	[THEME_VARIETY] = "variety",
	[THEME_CALENDAR] = "calendar",
	[THEME_RATIO] = "ratio"
};

/* Add an input to its theme. */
static void
theme_add(Theme *theme, int input, double log_odds, double readiness)
{
	theme->log_odds += log_odds;
	theme->ninputs++;
	if (log_odds * readiness > theme->raise)
	{
		theme->raise = log_odds * readiness;
		theme->raiser = input;
	}
	if (-log_odds * readiness > theme->lower)
	{
		theme->lower = -log_odds * readiness;
		theme->lowerer = input;
	}
}

/* Themes without inputs, one a place */
static Theme *
themes_empty(int n)
{
	Theme	   *themes = palloc0(sizeof(Theme) * Max(n, 1));

	for (int i = 0; i < n; i++)
	{
		themes[i].place = i;
		themes[i].raiser = themes[i].lowerer = -1;
	}
	return themes;
}

Themes
themes_add_up(Scorer *scorer)
{
	const Model *model = scorer->model;
	bool		themed = model->spec != (Datum) 0;
	int			places = themed ? FEATURE_THEMES : model->ninputs;
	double	   *by_input = palloc(sizeof(double) * model->ninputs);
	bool	   *speaking = model_speaking(model);
	const bool *unnamed = scorer_unnamed(scorer);
	Themes		themes = {.theme = themes_empty(places)};

	model_contributions(model, scorer->values, scorer->nulls, by_input);
	for (int i = 0; i < model->ninputs; i++)
	{
		double		readiness = 1;
		int			place = i;

		if (!speaking[i])
			continue;
		if (unnamed[i])
		{
			themes.unnamed += by_input[i];
			themes.nunnamed++;
			continue;
		}
		if (themed)
			place = scorer_theme(scorer, i, &readiness);
		theme_add(&themes.theme[place], i, by_input[i], readiness);
	}
	for (int i = 0; i < places; i++)
		if (themes.theme[i].ninputs > 0)
			themes.theme[themes.n++] = themes.theme[i];
	pfree(by_input);
	pfree(speaking);
	return themes;
}

/* Strongest first, whichever way; the order of themes among equals */
static int
compare_strength(const void *a, const void *b)
{
	const Theme *left = a;
	const Theme *right = b;

	if (fabs(left->log_odds) != fabs(right->log_odds))
		return fabs(left->log_odds) > fabs(right->log_odds) ? -1 : 1;
	return left->place - right->place;
}

/* Put out one row (theme, contribution, features, feature, phrase). */
static void
put_row(FunctionCallInfo fcinfo, const char *theme, double log_odds,
		int ninputs, const char *feature, const char *phrase)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum		values[5] = {0};
	bool		nulls[5] = {false};

	values[0] = CStringGetTextDatum(theme);
	values[1] = Float8GetDatum(log_odds);
	values[2] = Int32GetDatum(ninputs);
	nulls[3] = feature == NULL;
	if (feature)
		values[3] = CStringGetTextDatum(feature);
	nulls[4] = phrase == NULL;
	if (phrase)
		values[4] = CStringGetTextDatum(phrase);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* The themes of the row that was read, what is not to be named last */
static Datum
themes_return(FunctionCallInfo fcinfo, Scorer *scorer)
{
	Themes		themes = themes_add_up(scorer);
	const Model *model = scorer->model;

	result_begin(fcinfo);
	qsort(themes.theme, themes.n, sizeof(Theme), compare_strength);
	for (int i = 0; i < themes.n; i++)
	{
		const Theme *theme = &themes.theme[i];
		int			speaker = theme->log_odds > 0 ? theme->raiser : theme->lowerer;

		put_row(fcinfo, model->spec ? theme_names[theme->place] :
				model->inputs[theme->place], theme->log_odds, theme->ninputs,
				speaker < 0 ? NULL : model->inputs[speaker],
				speaker < 0 ? NULL : scorer_phrase(scorer, speaker));
	}
	if (themes.nunnamed > 0)
		put_row(fcinfo, "(unnamed)", themes.unnamed, themes.nunnamed, NULL,
				phrase_alone(PHRASE_SCORE_UNNAMED, "", 0));
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(churn_themes_history);
Datum
churn_themes_history(PG_FUNCTION_ARGS)
{
	Scorer	   *scorer = scorer_get(fcinfo, PG_GETARG_DATUM(0));

	scorer_read_history(scorer, PG_GETARG_DATUM(1), PG_GETARG_DATEADT(2));
	return themes_return(fcinfo, scorer);
}

PG_FUNCTION_INFO_V1(churn_themes_array);
Datum
churn_themes_array(PG_FUNCTION_ARGS)
{
	Scorer	   *scorer = scorer_get(fcinfo, PG_GETARG_DATUM(0));

	scorer_read_array(scorer, PG_GETARG_ARRAYTYPE_P(1));
	return themes_return(fcinfo, scorer);
}
