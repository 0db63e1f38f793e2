/*-------------------------------------------------------------------------
 *
 * scorecard.c
 *	  churn_scorecard: a model as a table of points to be added up.
 *
 *	  points = offset - factor * log-odds of churn
 *	  factor = points_to_double_odds / ln 2
 *	  offset = base_score - factor * ln(base_odds)
 *
 * where odds are those of staying: base_odds stay for each one who leaves,
 * at base_score.  More points, less risk, as in credit scoring.  N. Siddiqi,
 * "Credit Risk Scorecards", Wiley 2006, chapter 6.
 *
 * Every bin, level and cell has points of its own, rounded to a whole number
 * each, and so has the intercept: a sum of points differs from the exact one
 * by no more than the largest rounding of each term, added up.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "learn/cells.h"

/* Columns of the result, in order */
typedef enum CardColumn
{
	CARD_INPUT,
	CARD_PARTNER,
	CARD_CODING,
	CARD_LOW,
	CARD_HIGH,
	CARD_LEVEL,
	CARD_PARTNER_LOW,
	CARD_PARTNER_HIGH,
	CARD_PARTNER_LEVEL,
	CARD_POINTS,
	CARD_EXACT,
	CARD_SHARE,
	CARD_BOUND,
	CARD_COLUMNS
} CardColumn;
StaticAssertDecl(CARD_COLUMNS <= RESULT_MAX_COLUMNS, "rows are too short");

/* How log-odds become points, and where rows go */
typedef struct Scorecard
{
	const Model *model;
	double		factor;
	double		base;			/* points of the intercept */
	double		bound;			/* of all roundings together */
	ReturnSetInfo *rsinfo;
} Scorecard;

static double
card_argument(FunctionCallInfo fcinfo, int argument, const char *name,
			  bool positive)
{
	double		x = PG_GETARG_FLOAT8(argument);

	if (!isfinite(x) || fabs(x) > 1e6 || (positive && x < 1e-6))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be %s 1000000, not %g", name,
						positive ? "from 0.000001 to" : "between -1000000 and",
						x)));
	return x;
}

/* A number or date on a straight line has no bins to give points to. */
static void
card_check_terms(const Model *model)
{
	for (int i = 0; i < model->nterms; i++)
	{
		const ModelTerm *term = &model->terms[i];

		if (term->kind == MODEL_LINEAR &&
			model->types[term->input] != MODEL_BOOLEAN)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("input \"%s\" of the model has no bins",
							model->inputs[term->input]),
					 errhint("A scorecard needs a model fitted with the option {\"encoding\": \"bins\"} or \"pairs\".")));
	}
}

/* Whole points; what the bound can hold is checked. */
static int
card_round(double exact)
{
	double		points = rint(exact);

	if (!(fabs(points) <= PG_INT32_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("%g points are out of range", exact),
				 errhint("Choose fewer points_to_double_odds.")));
	return (int) points;
}

/* The largest rounding among values, in points */
static double
worst_rounding(const Scorecard *card, const double *values, int n)
{
	double		worst = 0;

	for (int i = 0; i < n; i++)
	{
		double		exact = -card->factor * values[i];

		worst = Max(worst, fabs(card_round(exact) - exact));
	}
	return worst;
}

/* What false and true add where a boolean is a linear term */
static void
boolean_values(const ModelTerm *term, double *values)
{
	for (int i = 0; i < 2; i++)
		values[i] = model_contribution(term, i, false);
}

static double
term_rounding(const Scorecard *card, const ModelTerm *term)
{
	double		both[2];
	double		worst = worst_rounding(card, &term->missing_weight, 1);

	if (term->kind != MODEL_LINEAR)
		return Max(worst, worst_rounding(card, term->values,
										 term->ncuts + 1));
	boolean_values(term, both);
	return Max(worst, worst_rounding(card, both, 2));
}

static double
card_bound(const Scorecard *card)
{
	double		bound = fabs(card_round(card->base) - card->base);

	for (int i = 0; i < card->model->nterms; i++)
		bound += term_rounding(card, &card->model->terms[i]);
	for (int i = 0; i < card->model->npairs; i++)
		bound += worst_rounding(card, card->model->pairs[i].values,
								model_pair_cells(&card->model->pairs[i]));
	return bound;
}

/* ---- rows ---- */

static void
put_points(const Scorecard *card, ResultRow *row, const char *coding,
		   double exact)
{
	result_text(row, CARD_CODING, coding);
	result_integer(row, CARD_POINTS, card_round(exact));
	result_number(row, CARD_EXACT, exact == 0 ? 0 : exact);
	result_number(row, CARD_BOUND, card->bound);
	result_put(row, card->rsinfo);
}

static void
row_of_input(const Scorecard *card, ResultRow *row, int input)
{
	result_row(row);
	result_text(row, CARD_INPUT, card->model->inputs[input]);
}

static void
put_boolean(const Scorecard *card, const ModelTerm *term)
{
	double		values[3] = {0, 0, term->missing_weight};
	static const char *const levels[3] = {"false", "true", "missing"};

	boolean_values(term, values);
	for (int i = 0; i < 3; i++)
	{
		ResultRow	row;

		row_of_input(card, &row, term->input);
		result_text(&row, CARD_LEVEL, levels[i]);
		put_points(card, &row, "boolean", -card->factor * values[i]);
	}
}

/* A row a bin or level, and one for NULL, whatever training saw */
static void
put_curve(const Scorecard *card, const ModelTerm *term)
{
	for (int bin = 0; bin <= term->ncuts + 1; bin++)
	{
		bool		missing = bin > term->ncuts;
		const char *coding = "bins";
		ResultRow	row;

		row_of_input(card, &row, term->input);
		if (term->kind == MODEL_BINS)
			cells_put_bin(&row, term->cuts, term->ncuts, bin, CARD_LOW,
						  CARD_HIGH, CARD_LEVEL);
		else
		{
			coding = missing ? "missing level" :
				bin == term->ncuts ? "other level" : "level";
			if (bin < term->ncuts)
				result_text(&row, CARD_LEVEL, term->levels[bin]);
		}
		result_number(&row, CARD_SHARE,
					  missing ? term->missing_share : term->shares[bin]);
		put_points(card, &row, coding, -card->factor *
				   (missing ? term->missing_weight : term->values[bin]));
	}
}

static void
put_map(const Scorecard *card, const ModelPair *pair)
{
	const ModelSide *side = pair->side;
	int			width = side[1].ncuts + 2;

	for (int cell = 0; cell < model_pair_cells(pair); cell++)
	{
		ResultRow	row;

		row_of_input(card, &row, side[0].input);
		result_text(&row, CARD_PARTNER, card->model->inputs[side[1].input]);
		cells_put_side(&row, card->model, &side[0], cell / width, CARD_LOW,
					   CARD_HIGH, CARD_LEVEL);
		cells_put_side(&row, card->model, &side[1], cell % width,
					   CARD_PARTNER_LOW, CARD_PARTNER_HIGH,
					   CARD_PARTNER_LEVEL);
		result_number(&row, CARD_SHARE, pair->shares[cell]);
		put_points(card, &row, "pair", -card->factor * pair->values[cell]);
	}
}

/* The base, then terms in the order of inputs, then pairs */
PG_FUNCTION_INFO_V1(churn_scorecard);
Datum
churn_scorecard(PG_FUNCTION_ARGS)
{
	Scorecard	card = {.model = model_decode(PG_GETARG_DATUM(0))};
	double		odds = card_argument(fcinfo, 3, "base_odds", true);
	ResultRow	row;

	card.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	card.factor = card_argument(fcinfo, 1, "points_to_double_odds", true) / M_LN2;
	card.base = card_argument(fcinfo, 2, "base_score", false) -
		card.factor * (log(odds) + card.model->intercept);
	card_check_terms(card.model);
	card.bound = card_bound(&card);
	result_begin(fcinfo);
	result_row(&row);
	put_points(&card, &row, "base", card.base);
	for (int i = 0; i < card.model->nterms; i++)
	{
		const ModelTerm *term = &card.model->terms[i];

		if (term->kind == MODEL_LINEAR)
			put_boolean(&card, term);
		else
			put_curve(&card, term);
	}
	for (int i = 0; i < card.model->npairs; i++)
		put_map(&card, &card.model->pairs[i]);
	return (Datum) 0;
}
