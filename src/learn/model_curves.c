/*-------------------------------------------------------------------------
 *
 * model_curves.c
 *	  churn_model_terms: the terms of a model as rows to read or to plot.
 *
 * A linear term is one row.  A term of bins has a row a bin and one for
 * NULL, a term of levels a row a level, one for all others and one for NULL,
 * a pair a row a cell.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "learn/cells.h"

/* Columns of the result, in order */
typedef enum TermColumn
{
	TERM_NAME,
	TERM_CODING,
	TERM_WEIGHT,
	TERM_MISSING_WEIGHT,
	TERM_MEAN,
	TERM_SCALE,
	TERM_LOW,
	TERM_HIGH,
	TERM_AVERAGE,
	TERM_MISSING_SHARE,
	TERM_LEVEL,
	TERM_SHARE,
	TERM_PARTNER,
	TERM_PARTNER_LOW,
	TERM_PARTNER_HIGH,
	TERM_PARTNER_LEVEL,
	TERM_COLUMNS
} TermColumn;
StaticAssertDecl(TERM_COLUMNS <= RESULT_MAX_COLUMNS, "rows are too short");

static void
put_linear(const Model *model, const ModelTerm *term, ReturnSetInfo *rsinfo)
{
	ResultRow	row;

	result_row(&row);
	result_text(&row, TERM_NAME, model->inputs[term->input]);
	result_text(&row, TERM_CODING, term->signed_log ? "signed log" : "linear");
	result_number(&row, TERM_WEIGHT, term->weight);
	result_number(&row, TERM_MISSING_WEIGHT, term->missing_weight);
	result_number(&row, TERM_MEAN, term->mean);
	result_number(&row, TERM_SCALE, term->scale);
	result_number(&row, TERM_LOW, term->low);
	result_number(&row, TERM_HIGH, term->high);
	result_number(&row, TERM_AVERAGE, term->average);
	result_number(&row, TERM_MISSING_SHARE, term->missing_share);
	result_put(&row, rsinfo);
}

/* Rows of the levels, of all others, and of NULL where training saw it */
static void
put_levels(const Model *model, const ModelTerm *term, ReturnSetInfo *rsinfo)
{
	for (int code = 0; code <= term->ncuts + (term->missing_share > 0); code++)
	{
		bool		missing = code > term->ncuts;
		ResultRow	row;

		result_row(&row);
		result_text(&row, TERM_NAME, model->inputs[term->input]);
		result_text(&row, TERM_CODING, missing ? "missing level" :
					code == term->ncuts ? "other level" : "level");
		result_number(&row, TERM_WEIGHT,
					  missing ? term->missing_weight : term->values[code]);
		result_number(&row, TERM_AVERAGE, term->average);
		result_number(&row, TERM_SHARE,
					  missing ? term->missing_share : term->shares[code]);
		if (code < term->ncuts)
			result_text(&row, TERM_LEVEL, term->levels[code]);
		result_put(&row, rsinfo);
	}
}

/* A row a bin; that of NULL only where training saw it */
static void
put_bins(const Model *model, const ModelTerm *term, ReturnSetInfo *rsinfo)
{
	for (int bin = 0; bin <= term->ncuts + (term->missing_share > 0); bin++)
	{
		bool		missing = bin > term->ncuts;
		ResultRow	row;

		result_row(&row);
		result_text(&row, TERM_NAME, model->inputs[term->input]);
		result_text(&row, TERM_CODING, "bins");
		result_number(&row, TERM_WEIGHT,
					  missing ? term->missing_weight : term->values[bin]);
		result_number(&row, TERM_AVERAGE, term->average);
		result_number(&row, TERM_SHARE,
					  missing ? term->missing_share : term->shares[bin]);
		cells_put_bin(&row, term->cuts, term->ncuts, bin, TERM_LOW, TERM_HIGH,
					  TERM_LEVEL);
		result_put(&row, rsinfo);
	}
}

/* A row a cell that training saw */
static void
put_pair(const Model *model, const ModelPair *pair, ReturnSetInfo *rsinfo)
{
	const ModelSide *first = &pair->side[0];
	const ModelSide *second = &pair->side[1];
	int			width = second->ncuts + 2;

	for (int cell = 0; cell < model_pair_cells(pair); cell++)
	{
		ResultRow	row;

		if (pair->shares[cell] == 0)
			continue;
		result_row(&row);
		result_text(&row, TERM_NAME, model->inputs[first->input]);
		result_text(&row, TERM_CODING, "pair");
		result_number(&row, TERM_WEIGHT, pair->values[cell]);
		result_number(&row, TERM_AVERAGE, pair->average);
		result_number(&row, TERM_SHARE, pair->shares[cell]);
		result_text(&row, TERM_PARTNER, model->inputs[second->input]);
		cells_put_side(&row, model, first, cell / width, TERM_LOW,
					   TERM_HIGH, TERM_LEVEL);
		cells_put_side(&row, model, second, cell % width, TERM_PARTNER_LOW,
					   TERM_PARTNER_HIGH, TERM_PARTNER_LEVEL);
		result_put(&row, rsinfo);
	}
}

/* Terms in the order of inputs, then pairs */
PG_FUNCTION_INFO_V1(churn_model_terms);
Datum
churn_model_terms(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Model	   *model = model_decode(PG_GETARG_DATUM(0));

	result_begin(fcinfo);
	for (int i = 0; i < model->nterms; i++)
	{
		const ModelTerm *term = &model->terms[i];

		if (term->kind == MODEL_LINEAR)
			put_linear(model, term, rsinfo);
		else if (term->kind == MODEL_LEVELS)
			put_levels(model, term, rsinfo);
		else
			put_bins(model, term, rsinfo);
	}
	for (int i = 0; i < model->npairs; i++)
		put_pair(model, &model->pairs[i], rsinfo);
	return (Datum) 0;
}
