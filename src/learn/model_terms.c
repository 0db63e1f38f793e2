/*-------------------------------------------------------------------------
 *
 * model_terms.c
 *	  The stored form of terms and pairs, and what makes them valid.
 *
 * After the number of entries, each is a kind byte, then
 *
 *	  linear  input, flag "signed log", low, high, mean, scale, weight,
 *			  missing weight, average, missing share
 *	  bins	  input, cuts (count, numbers), a value and a share a bin,
 *			  missing weight, average, missing share
 *	  levels  input, texts (count, strings), a value and a share a level and
 *			  one for all others, missing weight, average, missing share
 *	  pair	  both inputs, each with a flag "levels", then its cuts or the
 *			  number of levels; a value and a share a cell, average
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "libpq/pqformat.h"

#include "learn/model_io.h"

/* ---- reading ---- */

/* "count" numbers; nothing is allocated for bytes that are not there. */
static double *
read_numbers(ModelReader *reader, Size count)
{
	double	   *numbers;

	if (count > (Size) (reader->end - reader->next) / 8)
		model_damaged(reader->sqlstate, "it ends too early");
	numbers = palloc(sizeof(double) * Max(count, 1));
	for (Size i = 0; i < count; i++)
		numbers[i] = reader_double(reader);
	return numbers;
}

static double *
read_cuts(ModelReader *reader, int *ncuts)
{
	uint32		count = reader_uint32(reader);

	if (count > MODEL_MAX_CUTS)
		model_damaged(reader->sqlstate, "too many cuts");
	*ncuts = count;
	return read_numbers(reader, count);
}

static void
read_linear(ModelReader *reader, ModelTerm *term)
{
	term->kind = MODEL_LINEAR;
	term->input = (int32) reader_uint32(reader);	/* range: validation */
	term->signed_log = reader_flag(reader);
	term->low = reader_double(reader);
	term->high = reader_double(reader);
	term->mean = reader_double(reader);
	term->scale = reader_double(reader);
	term->weight = reader_double(reader);
	term->missing_weight = reader_double(reader);
	term->average = reader_double(reader);
	term->missing_share = reader_double(reader);
}

static void
read_bins(ModelReader *reader, ModelTerm *term)
{
	term->kind = MODEL_BINS;
	term->input = (int32) reader_uint32(reader);
	term->cuts = read_cuts(reader, &term->ncuts);
	term->values = read_numbers(reader, term->ncuts + 1);
	term->shares = read_numbers(reader, term->ncuts + 1);
	term->missing_weight = reader_double(reader);
	term->average = reader_double(reader);
	term->missing_share = reader_double(reader);
}

static void
read_levels(ModelReader *reader, ModelTerm *term)
{
	uint32		count;

	term->kind = MODEL_LEVELS;
	term->input = (int32) reader_uint32(reader);
	count = reader_uint32(reader);
	if (count > MODEL_MAX_LEVELS)
		model_damaged(reader->sqlstate, "too many levels");
	term->ncuts = count;
	term->levels = palloc(sizeof(char *) * Max(count, 1));
	for (uint32 i = 0; i < count; i++)
		term->levels[i] = reader_string(reader, 4 * MODEL_LEVEL_BYTES);
	term->values = read_numbers(reader, term->ncuts + 1);
	term->shares = read_numbers(reader, term->ncuts + 1);
	term->missing_weight = reader_double(reader);
	term->average = reader_double(reader);
	term->missing_share = reader_double(reader);
}

static void
read_side(ModelReader *reader, ModelSide *side)
{
	side->input = (int32) reader_uint32(reader);
	side->levels = reader_flag(reader);
	if (!side->levels)
		side->cuts = read_cuts(reader, &side->ncuts);
	else
	{
		uint32		count = reader_uint32(reader);

		if (count > MODEL_MAX_LEVELS)
			model_damaged(reader->sqlstate, "too many levels");
		side->ncuts = count;
	}
}

static void
read_pair(ModelReader *reader, ModelPair *pair)
{
	for (int s = 0; s < 2; s++)
		read_side(reader, &pair->side[s]);
	pair->values = read_numbers(reader, model_pair_cells(pair));
	pair->shares = read_numbers(reader, model_pair_cells(pair));
	pair->average = reader_double(reader);
}

void
model_read_terms(ModelReader *reader, Model *model)
{
	uint32		count = reader_uint32(reader);

	if (count > (uint32) model->ninputs + MODEL_MAX_PAIRS)
		model_damaged(reader->sqlstate, "too many terms");
	model->terms = palloc0(sizeof(ModelTerm) * Max(model->ninputs, 1));
	model->pairs = palloc0(sizeof(ModelPair) * Max(Min(count,
													   MODEL_MAX_PAIRS), 1));
	for (uint32 i = 0; i < count; i++)
	{
		int			kind = *reader_take(reader, 1);

		if (kind == MODEL_PAIR)
		{
			if (model->npairs == MODEL_MAX_PAIRS)
				model_damaged(reader->sqlstate, "too many pairs");
			read_pair(reader, &model->pairs[model->npairs++]);
			continue;
		}
		if (model->npairs > 0 || model->nterms == model->ninputs)
			model_damaged(reader->sqlstate, "more terms than inputs");
		if (kind == MODEL_LINEAR)
			read_linear(reader, &model->terms[model->nterms++]);
		else if (kind == MODEL_BINS)
			read_bins(reader, &model->terms[model->nterms++]);
		else if (kind == MODEL_LEVELS)
			read_levels(reader, &model->terms[model->nterms++]);
		else
			model_damaged(reader->sqlstate, "a term of unknown kind");
	}
}

/* ---- writing ---- */

static void
send_numbers(StringInfo out, const double *numbers, int count)
{
	for (int i = 0; i < count; i++)
		send_double(out, numbers[i]);
}

static void
send_linear(StringInfo out, const ModelTerm *term)
{
	pq_sendbyte(out, term->signed_log ? 1 : 0);
	send_double(out, term->low);
	send_double(out, term->high);
	send_double(out, term->mean);
	send_double(out, term->scale);
	send_double(out, term->weight);
}

static void
send_bins(StringInfo out, const ModelTerm *term)
{
	pq_sendint32(out, term->ncuts);
	send_numbers(out, term->cuts, term->ncuts);
	send_numbers(out, term->values, term->ncuts + 1);
	send_numbers(out, term->shares, term->ncuts + 1);
}

static void
send_levels(StringInfo out, const ModelTerm *term)
{
	pq_sendint32(out, term->ncuts);
	for (int i = 0; i < term->ncuts; i++)
		send_string(out, term->levels[i]);
	send_numbers(out, term->values, term->ncuts + 1);
	send_numbers(out, term->shares, term->ncuts + 1);
}

static void
send_pair(StringInfo out, const ModelPair *pair)
{
	pq_sendbyte(out, MODEL_PAIR);
	for (int s = 0; s < 2; s++)
	{
		pq_sendint32(out, pair->side[s].input);
		pq_sendbyte(out, pair->side[s].levels);
		pq_sendint32(out, pair->side[s].ncuts);
		if (!pair->side[s].levels)
			send_numbers(out, pair->side[s].cuts, pair->side[s].ncuts);
	}
	send_numbers(out, pair->values, model_pair_cells(pair));
	send_numbers(out, pair->shares, model_pair_cells(pair));
	send_double(out, pair->average);
}

void
model_send_terms(StringInfo out, const Model *model)
{
	pq_sendint32(out, model->nterms + model->npairs);
	for (int i = 0; i < model->nterms; i++)
	{
		const ModelTerm *term = &model->terms[i];

		pq_sendbyte(out, term->kind);
		pq_sendint32(out, term->input);
		if (term->kind == MODEL_LINEAR)
			send_linear(out, term);
		else if (term->kind == MODEL_LEVELS)
			send_levels(out, term);
		else
			send_bins(out, term);
		send_double(out, term->missing_weight);
		send_double(out, term->average);
		send_double(out, term->missing_share);
	}
	for (int i = 0; i < model->npairs; i++)
		send_pair(out, &model->pairs[i]);
}

/* ---- validation ---- */

/* True for what |contribution| may be */
static bool
contribution_ok(double x)
{
	return fabs(x) <= MODEL_MAX_SHARE;
}

/* Contributions and shares of bins or cells */
static bool
cells_ok(const double *values, const double *shares, int n)
{
	for (int i = 0; i < n; i++)
		if (!contribution_ok(values[i]) || !(shares[i] >= 0 && shares[i] <= 1))
			return false;
	return true;
}

/* Finite and strictly ascending */
static bool
cuts_ok(const double *cuts, int ncuts)
{
	for (int i = 0; i < ncuts; i++)
		if (!isfinite(cuts[i]) || (i > 0 && cuts[i] <= cuts[i - 1]))
			return false;
	return ncuts >= 0 && ncuts <= MODEL_MAX_CUTS;
}

/* Finite, ordered, and finite at both ends */
static bool
linear_ok(const ModelTerm *term)
{
	return isfinite(term->low) && isfinite(term->high) &&
		term->low <= term->high &&
		isfinite(term->mean) && isfinite(term->scale) && term->scale > 0 &&
		isfinite(term->weight) &&
		contribution_ok(model_contribution(term, term->low, false)) &&
		contribution_ok(model_contribution(term, term->high, false));
}

/* Different texts of a length that is allowed */
static bool
levels_ok(char *const *levels, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (strlen(levels[i]) > 4 * MODEL_LEVEL_BYTES)
			return false;
		for (int j = 0; j < i; j++)
			if (strcmp(levels[i], levels[j]) == 0)
				return false;
	}
	return n <= MODEL_MAX_LEVELS;
}

static bool
term_ok(const ModelTerm *term)
{
	return contribution_ok(term->missing_weight) &&
		contribution_ok(term->average) &&
		term->missing_share >= 0 && term->missing_share <= 1 &&
		(term->kind == MODEL_LINEAR ? linear_ok(term) :
		 (term->kind == MODEL_LEVELS ? levels_ok(term->levels, term->ncuts) :
		  cuts_ok(term->cuts, term->ncuts)) &&
		 cells_ok(term->values, term->shares, term->ncuts + 1));
}

/* Does pair "a" come before pair "b"? */
static bool
pair_before(const ModelPair *a, const ModelPair *b)
{
	if (a->side[0].input != b->side[0].input)
		return a->side[0].input < b->side[0].input;
	return a->side[1].input < b->side[1].input;
}

/* Levels are those of the input's own term. */
static bool
side_ok(const Model *model, const ModelSide *side)
{
	if (side->levels != (model->types[side->input] == MODEL_TEXT))
		return false;
	if (!side->levels)
		return cuts_ok(side->cuts, side->ncuts);
	for (int i = 0; i < model->nterms; i++)
		if (model->terms[i].input == side->input)
			return side->ncuts <= model->terms[i].ncuts;
	return false;
}

static bool
pair_ok(const Model *model, const ModelPair *pair)
{
	return side_ok(model, &pair->side[0]) &&
		side_ok(model, &pair->side[1]) &&
		contribution_ok(pair->average) &&
		cells_ok(pair->values, pair->shares, model_pair_cells(pair));
}

void
model_validate_terms(const Model *model, int sqlstate)
{
	for (int i = 0; i < model->nterms; i++)
	{
		const ModelTerm *term = &model->terms[i];

		if (term->input < 0 || term->input >= model->ninputs ||
			(i > 0 && term->input <= model->terms[i - 1].input))
			model_damaged(sqlstate, "terms are not in the order of inputs");
		if ((term->kind == MODEL_LEVELS) !=
			(model->types[term->input] == MODEL_TEXT))
			model_damaged(sqlstate, "a term is not of its input's type");
		if (!term_ok(term))
			model_damaged(sqlstate, "a number of a term is out of range");
	}
	for (int i = 0; i < model->npairs; i++)
	{
		const ModelPair *pair = &model->pairs[i];

		if (pair->side[0].input < 0 ||
			pair->side[0].input >= pair->side[1].input ||
			pair->side[1].input >= model->ninputs ||
			(i > 0 && !pair_before(pair - 1, pair)))
			model_damaged(sqlstate, "pairs are not in the order of inputs");
		if (!pair_ok(model, pair))
			model_damaged(sqlstate, "a number of a pair is out of range");
	}
}
