/*-------------------------------------------------------------------------
 *
 * model.h
 *	  churn_model: a fitted model as a self-contained value.
 *
 * A model is a sum of terms, at most one an input, and of pairs of inputs:
 * log-odds = intercept + sum of the contributions.  The decoded form below
 * is what fitting fills, scoring reads and the text form prints.
 *
 * An input is a feature or column that the model was offered; one without a
 * term has no weight (it was constant, say), but keeps its place, so that
 * an array of features can be scored as it was trained on.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_MODEL_H
#define CHURN_MODEL_H

#include <math.h>

#include "fmgr.h"
#include "utils/date.h"

/* Limits; every one is checked before memory is asked for. */
#define MODEL_MAX_INPUTS	20000
#define MODEL_NAME_BYTES	255 /* longest name of an input */
#define MODEL_MAX_BYTES		(64 * 1024 * 1024)	/* stored size */
#define MODEL_MAX_SHARE		1e100	/* |contribution| of one term, and of the
									 * intercept: sums stay finite */
#define MODEL_MAX_CUTS		250 /* of a term; codes fit into a byte */
#define MODEL_MAX_PAIRS		1000
#define MODEL_MAX_LEVELS	248 /* of a term, beside "other" and missing */
#define MODEL_FIRST_DATE	(-730119)	/* 0001-01-01, in days since */
#define MODEL_LAST_DATE		2921939 /* 2000-01-01; and 9999-12-31 */
#define MODEL_LEVEL_BYTES	1000	/* longest text of a level */

/* Kinds of terms; the number is what is stored. */
typedef enum ModelKind
{
	MODEL_LINEAR = 1,
	MODEL_BINS = 2,
	MODEL_PAIR = 3,
	MODEL_LEVELS = 4
} ModelKind;

/*
 * What an input is read from; the number is what is stored.  Numbers and
 * booleans (0, 1) stand for one another; so do dates and timestamps, which
 * count as days before the model's reference date, intervals as days.
 */
typedef enum ModelType
{
	MODEL_NUMBER = 0,
	MODEL_BOOLEAN = 1,
	MODEL_TEXT = 2,				/* any text, or an enum: by level */
	MODEL_DATE = 3,
	MODEL_TIMESTAMP = 4,
	MODEL_INTERVAL = 5
} ModelType;
#define MODEL_TYPES 6

/*
 * Linear term.  With x cut to [low, high], the range seen in training:
 * z = (t(x) - mean) / scale, t(x) = x or sign(x) ln(1 + |x|);
 * contribution = weight * z when x is known, else missing_weight.
 *
 * Bins: x lies in bin number "how many cuts are at most x", and values[bin]
 * is its contribution; missing_weight again when x is NULL.
 *
 * Levels: x is the number of a level, ncuts where it is none of them, and
 * values[x] is its contribution; missing_weight when x is NULL.
 *
 * Contributions are shown against the training mean: "average" is the mean
 * of the contribution over the training rows, so that contribution - average
 * is what this user's value adds to the average user's log-odds.
 */
typedef struct ModelTerm
{
	ModelKind	kind;			/* all but MODEL_PAIR */
	int			input;			/* position in the inputs */
	/* linear */
	bool		signed_log;		/* t(x) = sign(x) ln(1 + |x|) */
	double		low;			/* least known training value */
	double		high;			/* largest known training value */
	double		mean;			/* of t(x) over known training values */
	double		scale;			/* standard deviation of the same, > 0 */
	double		weight;			/* log-odds a standard deviation */
	/* bins and levels */
	int			ncuts;			/* levels: how many there are */
	double	   *cuts;			/* bins: strictly ascending */
	char	  **levels;			/* levels: texts, most frequent first */
	int32	   *level_numbers;	/* inside fitting: instead of texts */
	double	   *values;			/* ncuts + 1, log-odds */
	double	   *shares;			/* ncuts + 1, of training rows */
	/* all */
	double		missing_weight; /* log-odds when x is NULL */
	double		average;		/* mean contribution in training */
	double		missing_share;	/* share of training rows with x NULL */
} ModelTerm;

/*
 * One input of a pair, and how it is cut.  Of levels the first "ncuts" of
 * the input's term have a bin each, all others the one behind.
 */
typedef struct ModelSide
{
	int			input;
	bool		levels;
	int			ncuts;
	double	   *cuts;			/* strictly ascending; levels: none */
} ModelSide;

/*
 * What two inputs say together beyond what each says alone.  Cells are laid
 * out row by row, a row for each bin of the first input and one for NULL,
 * in each a cell for every bin of the second and one for NULL.
 */
typedef struct ModelPair
{
	ModelSide	side[2];		/* the first has the smaller input */
	double	   *values;			/* of cells, log-odds */
	double	   *shares;			/* of training rows in cells */
	double		average;		/* mean contribution in training */
} ModelPair;

typedef struct Model
{
	Datum		spec;			/* churn_spec, or 0 when fitted on columns */
	double		intercept;
	int			ninputs;
	char	  **inputs;			/* names, in the order of features float8[] */
	uint8	   *types;			/* ModelType by input */
	bool		has_reference;
	DateADT		reference_date; /* years 1 to 9999; set where dates are inputs */
	int			nterms;
	ModelTerm  *terms;			/* strictly ascending by input */
	int			npairs;
	ModelPair  *pairs;			/* strictly ascending by inputs */
	char	   *provenance;		/* JSON object text: rows, churn rate, options,
								 * C, folds, log-loss, solver, … */
} Model;

/*
 * Decode a (possibly toasted) churn_model datum into the current context.
 * Damage raises ERRCODE_DATA_CORRUPTED, a newer format 0A000.
 */
extern Model *model_decode(Datum datum);

/* Encode; the provenance is brought into its canonical form. */
extern Datum model_encode(Model *model);

/*
 * Hash of the content, read from the header alone: the key under which a
 * decoded model may be cached.  Equal content has equal hashes.
 */
extern uint64 model_hash(Datum datum);

/*
 * Parse the bytes of a stored model (header included).  "sqlstate" is what
 * damage raises: corrupted data or an invalid binary representation.
 */
extern Model *model_parse(const char *bytes, Size length, int sqlstate);

/*
 * Raise "sqlstate" unless every limit and range holds; a model that passed
 * gives a finite score for every input.
 */
extern void model_validate(const Model *model, int sqlstate);

/* A date written YYYY-MM-DD, from year 1 to 9999; false: it is none */
extern bool model_read_date(const char *text, DateADT *date);

/* t(x) of the linear term */
static inline double
model_transform(double x, bool signed_log)
{
	return signed_log ? copysign(log1p(fabs(x)), x) : x;
}

/*
 * How many cuts are at most x.  Scores spend most of their time here, and
 * nobody can guess the answer of a comparison: so nothing branches on it.
 */
static inline int
model_bin(const double *cuts, int ncuts, double x)
{
	const double *base = cuts;

	if (ncuts == 0)
		return 0;
	while (ncuts > 1)
	{
		int			half = ncuts / 2;

		base += base[half] <= x ? half : 0;
		ncuts -= half;
	}
	return (int) (base - cuts) + (*base <= x);
}

/* What one value adds to the log-odds */
static inline double
model_contribution(const ModelTerm *term, double x, bool isnull)
{
	if (isnull)
		return term->missing_weight;
	if (term->kind == MODEL_BINS)
		return term->values[model_bin(term->cuts, term->ncuts, x)];
	if (term->kind == MODEL_LEVELS)
		return term->values[(int) x];
	if (x < term->low)
		x = term->low;
	else if (x > term->high)
		x = term->high;
	return term->weight *
		((model_transform(x, term->signed_log) - term->mean) / term->scale);
}

/* Cells of a pair */
static inline int
model_pair_cells(const ModelPair *pair)
{
	return (pair->side[0].ncuts + 2) * (pair->side[1].ncuts + 2);
}

/* Bin of one input of a pair; NULL comes after the last */
static inline int
model_side_bin(const ModelSide *side, const double *values, const bool *nulls)
{
	return nulls[side->input] ? side->ncuts + 1 :
		side->levels ? Min((int) values[side->input], side->ncuts) :
		model_bin(side->cuts, side->ncuts, values[side->input]);
}

/* What two values add together */
static inline double
model_pair_contribution(const ModelPair *pair, const double *values,
						const bool *nulls)
{
	int			row = model_side_bin(&pair->side[0], values, nulls);
	int			column = model_side_bin(&pair->side[1], values, nulls);

	return pair->values[row * (pair->side[1].ncuts + 2) + column];
}

/* Log-odds of one row; values and nulls in the order of the inputs. */
extern double model_log_odds(const Model *model, const double *values,
							 const bool *nulls);

/* Log-odds of the average training row: intercept and averages */
extern double model_base(const Model *model);

/* Which inputs have a term or a pair; palloc'd, by input */
extern bool *model_speaking(const Model *model);

/*
 * What every input adds to the log-odds of the average training row, by
 * input; a pair is split half and half.
 */
extern void model_contributions(const Model *model, const double *values,
								const bool *nulls, double *contributions);

/* Multiply the log-odds by a slope and add an intercept, for every row. */
extern void model_rescale(Model *model, double slope, double intercept);

/* 1 / (1 + exp(-log_odds)) without overflow */
static inline double
model_probability(double log_odds)
{
	double		e = exp(-fabs(log_odds));

	return log_odds >= 0 ? 1 / (1 + e) : e / (1 + e);
}

#endif							/* CHURN_MODEL_H */
