/*-------------------------------------------------------------------------
 *
 * fit_result.c
 *	  Terms and pairs as one flat array of numbers, to be left in shared
 *	  memory by the worker that fitted them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "learn/bins.h"
#include "storage/shmem.h"

/* Numbers of a term without its arrays, and of a pair */
#define TERM_NUMBERS	13
#define PAIR_NUMBERS	7
#define COARSE_CELLS	((COARSE_BINS + 1) * (COARSE_BINS + 1))

/* Where writing or reading has come to */
typedef struct Tape
{
	double	   *next;
} Tape;

Size
fit_result_numbers(const FitTask *shape)
{
	return add_size(3 + mul_size(shape->ncolumns, TERM_NUMBERS + 3 * bins_most(shape->nrows)) +
					mul_size(3, shape->level_codes),
					mul_size(shape->npairs, PAIR_NUMBERS + 2 * COARSE_BINS +
							 2 * COARSE_CELLS));
}

/* ---- writing ---- */

static void
put(Tape *tape, double x)
{
	*tape->next++ = x;
}

static void
put_array(Tape *tape, const double *x, int n)
{
	for (int i = 0; i < n; i++)
		put(tape, x[i]);
}

static void
put_term(Tape *tape, const ModelTerm *term)
{
	put(tape, term->kind);
	put(tape, term->input);
	put(tape, term->signed_log);
	put(tape, term->low);
	put(tape, term->high);
	put(tape, term->mean);
	put(tape, term->scale);
	put(tape, term->weight);
	put(tape, term->missing_weight);
	put(tape, term->average);
	put(tape, term->missing_share);
	if (term->kind == MODEL_LINEAR)
		return;
	put(tape, term->ncuts);
	if (term->kind == MODEL_BINS)
		put_array(tape, term->cuts, term->ncuts);
	else
		for (int i = 0; i < term->ncuts; i++)
			put(tape, term->level_numbers[i]);
	put_array(tape, term->values, term->ncuts + 1);
	put_array(tape, term->shares, term->ncuts + 1);
}

static void
put_pair(Tape *tape, const ModelPair *pair)
{
	for (int s = 0; s < 2; s++)
	{
		put(tape, pair->side[s].input);
		put(tape, pair->side[s].levels);
		put(tape, pair->side[s].ncuts);
		if (!pair->side[s].levels)
			put_array(tape, pair->side[s].cuts, pair->side[s].ncuts);
	}
	put_array(tape, pair->values, model_pair_cells(pair));
	put_array(tape, pair->shares, model_pair_cells(pair));
	put(tape, pair->average);
}

void
fit_result_put(double *area, const Model *model)
{
	Tape		tape = {area};

	put(&tape, model->intercept);
	put(&tape, model->nterms);
	put(&tape, model->npairs);
	for (int i = 0; i < model->nterms; i++)
		put_term(&tape, &model->terms[i]);
	for (int i = 0; i < model->npairs; i++)
		put_pair(&tape, &model->pairs[i]);
}

/* ---- reading ---- */

static double
get(Tape *tape)
{
	return *tape->next++;
}

static double *
get_array(Tape *tape, int n)
{
	double	   *x = palloc(sizeof(double) * Max(n, 1));

	memcpy(x, tape->next, sizeof(double) * n);
	tape->next += n;
	return x;
}

/* Numbers of levels */
static int32 *
get_levels(Tape *tape, int n)
{
	int32	   *numbers = palloc(sizeof(int32) * Max(n, 1));

	for (int i = 0; i < n; i++)
		numbers[i] = get(tape);
	return numbers;
}

static void
get_term(Tape *tape, ModelTerm *term)
{
	term->kind = (ModelKind) get(tape);
	term->input = get(tape);
	term->signed_log = get(tape) != 0;
	term->low = get(tape);
	term->high = get(tape);
	term->mean = get(tape);
	term->scale = get(tape);
	term->weight = get(tape);
	term->missing_weight = get(tape);
	term->average = get(tape);
	term->missing_share = get(tape);
	if (term->kind == MODEL_LINEAR)
		return;
	term->ncuts = get(tape);
	if (term->kind == MODEL_BINS)
		term->cuts = get_array(tape, term->ncuts);
	else
		term->level_numbers = get_levels(tape, term->ncuts);
	term->values = get_array(tape, term->ncuts + 1);
	term->shares = get_array(tape, term->ncuts + 1);
}

static void
get_pair(Tape *tape, ModelPair *pair)
{
	for (int s = 0; s < 2; s++)
	{
		pair->side[s].input = get(tape);
		pair->side[s].levels = get(tape) != 0;
		pair->side[s].ncuts = get(tape);
		if (!pair->side[s].levels)
			pair->side[s].cuts = get_array(tape, pair->side[s].ncuts);
	}
	pair->values = get_array(tape, model_pair_cells(pair));
	pair->shares = get_array(tape, model_pair_cells(pair));
	pair->average = get(tape);
}

void
fit_result_get(const double *area, Model *model)
{
	Tape		tape = {unconstify(double *, area)};

	model->intercept = get(&tape);
	model->nterms = get(&tape);
	model->npairs = get(&tape);
	model->terms = palloc0(sizeof(ModelTerm) * Max(model->nterms, 1));
	model->pairs = palloc0(sizeof(ModelPair) * Max(model->npairs, 1));
	for (int i = 0; i < model->nterms; i++)
		get_term(&tape, &model->terms[i]);
	for (int i = 0; i < model->npairs; i++)
		get_pair(&tape, &model->pairs[i]);
}
