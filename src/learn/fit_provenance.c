/*-------------------------------------------------------------------------
 *
 * fit_provenance.c
 *	  What a fit tells of itself: NOTICEs, and the provenance in the model.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/shortest_dec.h"
#include "utils/json.h"

#include "learn/fit_run.h"
#include "learn/model_io.h"

const char *
fit_encoding_name(FitEncoding encoding)
{
	static const char *const names[] = {"linear", "bins", "pairs", "auto"};

	return names[encoding];
}

/* Why a column was dropped; NULL where it was not */
static const char *
fate_reason(ColumnFate fate)
{
	switch (fate)
	{
		case COLUMN_EMPTY:
			return "empty";
		case COLUMN_CONSTANT:
			return "constant";
		case COLUMN_DUPLICATE:
			return "duplicate";
		case COLUMN_DISTINCT:
			return "one value a row";
		case COLUMN_RARE:
			return "rare levels";
		case COLUMN_CROWDED:
			return "too many levels";
		default:
			return NULL;
	}
}

/* The columns of one fate, after its reason; nothing where there is none */
static void
list_dropped(StringInfo list, const Fit *fit, ColumnFate fate)
{
	char	  **names = fit_rows_names(fit->rows);
	int			n = 0;

	for (int i = 0; i < fit->ncolumns; i++)
	{
		if (fit->fate[i] != fate)
			continue;
		if (n++ > 0)
			appendStringInfoString(list, ", ");
		else
			appendStringInfo(list, "%s%s ", list->len > 0 ? "; " : "",
							 fate_reason(fate));
		appendStringInfo(list, "\"%s\"", names[fit->columns[i]]);
		if (fate == COLUMN_DUPLICATE)
			appendStringInfo(list, " (of \"%s\")",
							 names[fit->duplicate_of[i]]);
	}
}

void
fit_report_dropped(const Fit *fit)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int fate = COLUMN_EMPTY; fate <= COLUMN_CROWDED; fate++)
		list_dropped(&list, fit, (ColumnFate) fate);
	if (list.len > 0)
		ereport(NOTICE, (errmsg("churn_fit: columns dropped: %s", list.data)));
	pfree(list.data);
}

static void
json_dropped(StringInfo out, const Fit *fit)
{
	char	  **names = fit_rows_names(fit->rows);
	int			n = 0;

	appendStringInfoString(out, ", \"dropped\": [");
	for (int i = 0; i < fit->ncolumns; i++)
	{
		if (fit->fate[i] == COLUMN_KEPT)
			continue;
		appendStringInfo(out, "%s{\"reason\": \"%s\", \"column\": ",
						 n++ > 0 ? ", " : "", fate_reason(fit->fate[i]));
		escape_json(out, names[fit->columns[i]]);
		appendStringInfoChar(out, '}');
	}
	appendStringInfoString(out, "], \"excluded\": [");
	for (int e = 0; e < fit->options->nexclude; e++)
	{
		if (e > 0)
			appendStringInfoString(out, ", ");
		escape_json(out, fit->options->exclude[e]);
	}
	appendStringInfoChar(out, ']');
}

/* Out-of-fold scores as the model would show them: calibrated, if it is */
static void
json_quantiles(StringInfo out, const Fit *fit)
{
	const FitChoice *choice = fit->choice;

	appendStringInfoString(out, ", \"fold_quantiles\": [");
	for (int i = 0; i < FIT_QUANTILES; i++)
	{
		double		z = choice->quantiles[i];
		char		number[DOUBLE_SHORTEST_DECIMAL_LEN];

		if (fit->calibrated)
			z = choice->slope * z + choice->intercept;
		double_to_shortest_decimal_buf(model_probability(z), number);
		appendStringInfo(out, "%s%s", i > 0 ? ", " : "", number);
	}
	appendStringInfoChar(out, ']');
}

/* The steps of one encoding's path, numbered on */
static void
json_path(StringInfo out, const FitChoice *choice, int *step)
{
	for (int i = 0; i < choice->npath; i++)
	{
		appendStringInfo(out,
						 "%s{\"step\": %d, \"encoding\": \"%s\", \"pairs\": %d",
						 *step > 0 ? ", " : "", *step + 1,
						 fit_encoding_name(choice->encoding),
						 choice->path_pairs[i]);
		(*step)++;
		json_put_number(out, "c", choice->path[i]);
		json_put_number(out, "log_loss", choice->log_loss[i]);
		appendStringInfo(out, ", \"chosen\": %s}",
						 i == choice->chosen ? "true" : "false");
	}
}

/* What the folds said */
static void
json_search(StringInfo out, const Fit *fit)
{
	const FitChoice *choice = fit->choice;
	int			n = 0;

	if (!choice->searched)
	{
		appendStringInfoString(out, ", \"folds\": 0");
		return;
	}
	appendStringInfo(out, ", \"folds\": %d, \"search_rows\": " INT64_FORMAT,
					 fit->options->folds, fit->nsearch);
	json_put_number(out, "cv_log_loss", choice->log_loss[choice->chosen]);
	json_put_number(out, "cv_auc", choice->auc);
	json_put_number(out, "calibration_slope", choice->slope);
	json_put_number(out, "calibration_intercept", choice->intercept);
	json_quantiles(out, fit);
	appendStringInfoString(out, ", \"path\": [");
	for (int e = FIT_LINEAR; e <= FIT_PAIRS; e++)
		if (fit->choices[e].searched)
			json_path(out, &fit->choices[e], &n);
	appendStringInfoChar(out, ']');
}

/* No time and no place: equal fits are equal values. */
char *
fit_provenance(const Fit *fit)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out,
					 "{\"solver\": \"%s\", \"penalty\": \"l2\", \"encoding\": \"%s\", \"pairs\": %d"
					 ", \"rows\": " INT64_FORMAT ", \"users\": " INT64_FORMAT
					 ", \"churned\": " INT64_FORMAT ", \"unlabelled\": " INT64_FORMAT
					 ", \"seed\": " INT64_FORMAT ", \"columns\": %d, \"calibrated\": %s",
					 fit->encoding == FIT_LINEAR ||
					 fit->options->solver == FIT_LIBLINEAR ?
					 "liblinear" : "newton",
					 fit_encoding_name(fit->encoding), fit->model->npairs,
					 fit->nrows, fit->nusers, fit->nchurned,
					 fit_rows_unlabelled(fit->rows), fit->options->seed,
					 fit->ncolumns, fit->calibrated ? "true" : "false");
	json_put_number(&out, "churn_rate", (double) fit->nchurned / fit->nrows);
	json_put_number(&out, "c", fit->c);
	json_search(&out, fit);
	json_dropped(&out, fit);
	appendStringInfoChar(&out, '}');
	return out.data;
}
