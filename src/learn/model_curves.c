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

#include "utils/builtins.h"

#include "learn/model.h"
#include "learn/result.h"

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

/* A row under construction: what is not set is NULL */
typedef struct TermRow
{
	Datum		values[TERM_COLUMNS];
	bool		nulls[TERM_COLUMNS];
} TermRow;

static void
row_begin(TermRow *row)
{
	for (int i = 0; i < TERM_COLUMNS; i++)
		row->nulls[i] = true;
}

static void
row_number(TermRow *row, TermColumn column, double x)
{
	row->values[column] = Float8GetDatum(x);
	row->nulls[column] = false;
}

static void
row_text(TermRow *row, TermColumn column, const char *text)
{
	row->values[column] = CStringGetTextDatum(text);
	row->nulls[column] = false;
}

static void
row_put(TermRow *row, ReturnSetInfo *rsinfo)
{
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row->values,
						 row->nulls);
}

static void
put_linear(const Model *model, const ModelTerm *term, ReturnSetInfo *rsinfo)
{
	TermRow		row;

	row_begin(&row);
	row_text(&row, TERM_NAME, model->inputs[term->input]);
	row_text(&row, TERM_CODING, term->signed_log ? "signed log" : "linear");
	row_number(&row, TERM_WEIGHT, term->weight);
	row_number(&row, TERM_MISSING_WEIGHT, term->missing_weight);
	row_number(&row, TERM_MEAN, term->mean);
	row_number(&row, TERM_SCALE, term->scale);
	row_number(&row, TERM_LOW, term->low);
	row_number(&row, TERM_HIGH, term->high);
	row_number(&row, TERM_AVERAGE, term->average);
	row_number(&row, TERM_MISSING_SHARE, term->missing_share);
	row_put(&row, rsinfo);
}

/* Rows of the levels, of all others, and of NULL where training saw it */
static void
put_levels(const Model *model, const ModelTerm *term, ReturnSetInfo *rsinfo)
{
	for (int code = 0; code <= term->ncuts + (term->missing_share > 0); code++)
	{
		bool		missing = code > term->ncuts;
		TermRow		row;

		row_begin(&row);
		row_text(&row, TERM_NAME, model->inputs[term->input]);
		row_text(&row, TERM_CODING, missing ? "missing level" :
				 code == term->ncuts ? "other level" : "level");
		row_number(&row, TERM_WEIGHT,
				   missing ? term->missing_weight : term->values[code]);
		row_number(&row, TERM_AVERAGE, term->average);
		row_number(&row, TERM_SHARE,
				   missing ? term->missing_share : term->shares[code]);
		if (code < term->ncuts)
			row_text(&row, TERM_LEVEL, term->levels[code]);
		row_put(&row, rsinfo);
	}
}

/* The levels of an input */
static char **
levels_of_input(const Model *model, int input)
{
	for (int i = 0; i < model->nterms; i++)
		if (model->terms[i].input == input)
			return model->terms[i].levels;
	return NULL;				/* not reached: the model is valid */
}

/* From (inclusive) and to (exclusive) of a bin; open ends stay NULL. */
static void
row_bin(TermRow *row, const double *cuts, int ncuts, int bin, TermColumn low,
		TermColumn high, TermColumn level)
{
	if (bin > ncuts)
		row_text(row, level, "missing");
	else
	{
		if (bin > 0)
			row_number(row, low, cuts[bin - 1]);
		if (bin < ncuts)
			row_number(row, high, cuts[bin]);
	}
}

/* A row a bin; that of NULL only where training saw it */
static void
put_bins(const Model *model, const ModelTerm *term, ReturnSetInfo *rsinfo)
{
	for (int bin = 0; bin <= term->ncuts + (term->missing_share > 0); bin++)
	{
		bool		missing = bin > term->ncuts;
		TermRow		row;

		row_begin(&row);
		row_text(&row, TERM_NAME, model->inputs[term->input]);
		row_text(&row, TERM_CODING, "bins");
		row_number(&row, TERM_WEIGHT,
				   missing ? term->missing_weight : term->values[bin]);
		row_number(&row, TERM_AVERAGE, term->average);
		row_number(&row, TERM_SHARE,
				   missing ? term->missing_share : term->shares[bin]);
		row_bin(&row, term->cuts, term->ncuts, bin, TERM_LOW, TERM_HIGH,
				TERM_LEVEL);
		row_put(&row, rsinfo);
	}
}

/* One side of a pair: a bin, or a level and "other" */
static void
row_side(TermRow *row, const Model *model, const ModelSide *side, int bin,
		 TermColumn low, TermColumn high, TermColumn level)
{
	if (side->levels && bin <= side->ncuts)
		row_text(row, level, bin == side->ncuts ? "other" :
				 levels_of_input(model, side->input)[bin]);
	else
		row_bin(row, side->cuts, side->ncuts, bin, low, high, level);
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
		TermRow		row;

		if (pair->shares[cell] == 0)
			continue;
		row_begin(&row);
		row_text(&row, TERM_NAME, model->inputs[first->input]);
		row_text(&row, TERM_CODING, "pair");
		row_number(&row, TERM_WEIGHT, pair->values[cell]);
		row_number(&row, TERM_AVERAGE, pair->average);
		row_number(&row, TERM_SHARE, pair->shares[cell]);
		row_text(&row, TERM_PARTNER, model->inputs[second->input]);
		row_side(&row, model, first, cell / width, TERM_LOW, TERM_HIGH,
				 TERM_LEVEL);
		row_side(&row, model, second, cell % width, TERM_PARTNER_LOW,
				 TERM_PARTNER_HIGH, TERM_PARTNER_LEVEL);
		row_put(&row, rsinfo);
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
