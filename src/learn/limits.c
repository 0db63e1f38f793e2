/*-------------------------------------------------------------------------
 *
 * limits.c
 *	  The least objective of newton.c within inequalities.
 *
 * A curve that may not fall has no negative step from bin to bin; where the
 * column is in pairs, the step of the curve and the steps of all its pairs
 * add up to nothing negative, whatever codes the partners have.  That is an
 * inequality for each choice of codes, far too many to write out: so the one
 * that is hurt most at a border joins the list, border by border and round by
 * round, until none is hurt (cutting planes).
 *
 * The inequalities of the list are kept by the method of multipliers: with
 * steps g = a'w, multipliers l >= 0 and strength r, each adds
 * max(0, l - r g)^2 / 2r to the objective, and l becomes max(0, l - r g)
 * after each round.  Objective and gradient stay continuous, and Newton's
 * method stays what it is.  What is left at the end, some 1e-9, is taken out
 * of the steps of the curves.
 *
 * J. Nocedal, S. Wright, Numerical Optimization, 2nd ed., ch. 17.4;
 * J. E. Kelley, J. SIAM 8 (1960) 703-712.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <string.h>

#include "learn/limits.h"

#define MAX_ROUNDS		60
#define STRENGTH		1e4		/* in curvatures of a bin's step */
#define FIRST_TOLERANCE 1e-4	/* of the first round; a hundredth each time */
#define BINS_USUAL		24
#define MOST_CURVATURE	0.25	/* of a row's loss */

/* ---- parts of the objective ---- */

/* a'w */
static double
limit_step(const Limit *limit, const double *weights)
{
	double		sum = 0;

	for (int i = 0; i < limit->n; i++)
		sum += limit->a[i] * weights[limit->at[i]];
	return sum;
}

/* How hard an inequality pushes: what its multiplier would become */
static double
limit_push(const Limits *limits, const Limit *limit, const double *weights)
{
	return fmax(0, limit->multiplier -
				limits->strength * limit_step(limit, weights));
}

double
limits_loss(const Limits *limits, const double *weights)
{
	double		sum = 0;

	for (int i = 0; limits != NULL && i < limits->n; i++)
	{
		double		push = limit_push(limits, &limits->list[i], weights);

		sum += push * push / (2 * limits->strength);
	}
	return sum;
}

void
limits_gradient(Limits *limits, const double *weights, double *gradient)
{
	for (int i = 0; limits != NULL && i < limits->n; i++)
	{
		Limit	   *limit = &limits->list[i];
		double		push = limit_push(limits, limit, weights);

		limit->active = push > 0;
		for (int k = 0; k < limit->n; k++)
			gradient[limit->at[k]] -= push * limit->a[k];
	}
}

void
limits_product(const Limits *limits, const double *search, double *product)
{
	for (int i = 0; limits != NULL && i < limits->n; i++)
	{
		const Limit *limit = &limits->list[i];
		double		step;

		if (!limit->active)
			continue;
		step = limits->strength * limit_step(limit, search);
		for (int k = 0; k < limit->n; k++)
			product[limit->at[k]] += step * limit->a[k];
	}
}

/* ---- the preconditioner ---- */

/* Room for n active inequalities of so many weights */
static void
prepare_room(Limits *limits, int n, int nweights)
{
	size_t		numbers = (size_t) n * (nweights + n + 1);

	if (numbers > limits->solved_room)
	{
		limits->solved_room = 2 * numbers;
		limits->solved = limits->allocate(sizeof(double) * 2 * numbers);
	}
	limits->factor = limits->solved + (size_t) n * nweights;
	limits->shares = limits->factor + (size_t) n * n;
	limits->nactive = n;
}

/* The active inequality after "from", or the list's end */
static int
next_active(const Limits *limits, int from)
{
	while (from < limits->n && !limits->list[from].active)
		from++;
	return from;
}

void
limits_prepare(Limits *limits, const Preconditioner *preconditioner)
{
	int			n = 0,
				nweights = problem_weights(preconditioner->problem) + 1;

	if (limits == NULL)
		return;
	for (int i = 0; i < limits->n; i++)
		n += limits->list[i].active;
	prepare_room(limits, n, nweights);
	for (int i = next_active(limits, 0), row = 0; i < limits->n;
		 i = next_active(limits, i + 1), row++)
	{
		const Limit *limit = &limits->list[i];
		double	   *solved = limits->solved + (size_t) row * nweights;
		double	   *a = preconditioner->scratch;

		memset(a, 0, sizeof(double) * nweights);
		for (int k = 0; k < limit->n; k++)
			a[limit->at[k]] = limit->a[k];
		precondition(preconditioner, a, solved);
	}
	for (int i = next_active(limits, 0), row = 0; i < limits->n;
		 i = next_active(limits, i + 1), row++)
	{
		for (int j = 0; j <= row; j++)
			limits->factor[(size_t) row * n + j] =
				limit_step(&limits->list[i],
						   limits->solved + (size_t) j * nweights);
		limits->factor[(size_t) row * n + row] += 1 / limits->strength;
	}
	precondition_factorise(limits->factor, n, 1e-3 / limits->strength);
}

void
limits_precondition(const Limits *limits, double *x, int nweights)
{
	int			n;

	if (limits == NULL || limits->nactive == 0)
		return;
	n = limits->nactive;
	for (int i = next_active(limits, 0), row = 0; i < limits->n;
		 i = next_active(limits, i + 1), row++)
		limits->shares[row] = limit_step(&limits->list[i], x);
	precondition_solve(limits->factor, n, limits->shares);
	for (int row = 0; row < n; row++)
		for (int w = 0; w < nweights; w++)
			x[w] -= limits->shares[row] *
				limits->solved[(size_t) row * nweights + w];
}

/* ---- steps over borders ---- */

/* First weight of a block */
static int
block_begin(const CodeProblem *problem, int block)
{
	int			weight = 0;

	for (int b = 0; b < block; b++)
		weight += problem->blocks[b].nweights;
	return weight;
}

/* Cell of a pair, by the codes of the chain's column and of the partner */
static int
pair_cell(const CodeBlock *block, int side, int code, int partner)
{
	int			width = block->axis[1].nbins + 1;

	return side == 0 ? code * width + partner : partner * width + code;
}

/* Is the pair in the problem, and does the border matter to it? */
static bool
pair_steps(const CodeProblem *problem, const LimitChain *chain, int pair,
		   int border)
{
	return chain->pairs[pair].block < problem->nblocks &&
		chain->coarse_of[border] != chain->coarse_of[border + 1];
}

/* The least step of one pair over a border, and the partner's code there */
static double
least_pair_step(const CodeProblem *problem, const LimitChain *chain, int pair,
				int border, const double *weights, int *partner)
{
	const LimitPair *held = &chain->pairs[pair];
	const CodeBlock *block = &problem->blocks[held->block];
	int			before = chain->coarse_of[border],
				after = chain->coarse_of[border + 1];
	double		values[CODES_MAX];
	double		least = 0;

	block_values(block, weights + block_begin(problem, held->block), values);
	for (int code = 0; code <= block->axis[1 - held->side].nbins; code++)
	{
		double		step = chain->sign *
			(values[pair_cell(block, held->side, after, code)] -
			 values[pair_cell(block, held->side, before, code)]);

		/* code 0 of bins has no product of indicators, so no step */
		if (code == 0 || step < least)
		{
			least = step;
			*partner = code;
		}
	}
	return least;
}

double
limits_least_step(const CodeProblem *problem, const LimitChain *chain,
				  int border, const double *weights, int *partners)
{
	double		step = chain->sign *
		weights[block_begin(problem, chain->block) + border];

	for (int p = 0; p < chain->npairs; p++)
	{
		partners[p] = -1;
		if (pair_steps(problem, chain, p, border))
			step += least_pair_step(problem, chain, p, border, weights,
									&partners[p]);
	}
	return step;
}

/* ---- the list ---- */

/* Add what weights of a block count, from a step between two of its codes. */
static void
add_counts(const CodeProblem *problem, int block, int sign, int before,
		   int after, Limit *limit)
{
	const CodeBlock *this = &problem->blocks[block];
	int			begin = block_begin(problem, block);
	double		totals[CODES_MAX] = {0};
	double		sums[CODES_MAX];

	totals[before] = -1;
	totals[after] = 1;
	block_sums(this, totals, sums);
	for (int i = 0; i < this->nweights; i++)
	{
		if (sums[i] == 0)
			continue;
		limit->at[limit->n] = begin + i;
		limit->a[limit->n++] = sign * sums[i];
	}
}

/* The inequality of a border for given codes of partners, into "limit" */
static void
write_limit(const CodeProblem *problem, int chain_number, int border,
			const int *partners, Limit *limit)
{
	const LimitChain *chain = &problem->limits->chains[chain_number];

	limit->chain = chain_number;
	limit->border = border;
	add_counts(problem, chain->block, chain->sign, border, border + 1, limit);
	for (int p = 0; p < chain->npairs; p++)
	{
		const LimitPair *pair = &chain->pairs[p];
		const CodeBlock *block = &problem->blocks[pair->block];

		if (partners[p] < 0)
			continue;
		add_counts(problem, pair->block, chain->sign,
				   pair_cell(block, pair->side, chain->coarse_of[border],
							 partners[p]),
				   pair_cell(block, pair->side, chain->coarse_of[border + 1],
							 partners[p]), limit);
	}
}

static bool
limits_equal(const Limit *a, const Limit *b)
{
	return a->chain == b->chain && a->border == b->border && a->n == b->n &&
		memcmp(a->at, b->at, sizeof(int) * a->n) == 0 &&
		memcmp(a->a, b->a, sizeof(double) * a->n) == 0;
}

/* Put an inequality on the list unless it is there. */
static bool
list_limit(Limits *limits, const Limit *limit)
{
	Limit	   *copy;

	for (int i = 0; i < limits->n; i++)
		if (limits_equal(&limits->list[i], limit))
			return false;
	if (limits->n == limits->room)
	{
		int			room = 2 * limits->room + 64;
		Limit	   *list = limits->allocate(sizeof(Limit) * room);

		if (limits->n > 0)
			memcpy(list, limits->list, sizeof(Limit) * limits->n);
		limits->list = list;
		limits->room = room;
	}
	copy = &limits->list[limits->n++];
	*copy = *limit;
	copy->at = limits->allocate(sizeof(int) * limit->n);
	copy->a = limits->allocate(sizeof(double) * limit->n);
	memcpy(copy->at, limit->at, sizeof(int) * limit->n);
	memcpy(copy->a, limit->a, sizeof(double) * limit->n);
	return true;
}

/* Most weights that an inequality of a chain can name */
static int
chain_counts(const LimitChain *chain)
{
	return 1 + chain->npairs * CODES_MAX;
}

/* List what is hurt by more than "enough" at any border; how many are new */
static int
list_hurt(const CodeProblem *problem, const double *weights, double enough,
		  Limit *scratch, int *partners)
{
	Limits	   *limits = problem->limits;
	int			added = 0;

	for (int c = 0; c < limits->nchains; c++)
	{
		const LimitChain *chain = &limits->chains[c];

		for (int border = 0; border < chain->nbins - 1; border++)
		{
			if (limits_least_step(problem, chain, border, weights,
								  partners) >= -enough)
				continue;
			scratch->n = 0;
			write_limit(problem, c, border, partners, scratch);
			added += list_limit(limits, scratch);
		}
	}
	return added;
}

/* ---- rounds ---- */

/* New multipliers; returns how far, as a step, the old ones were wrong. */
static double
raise_multipliers(Limits *limits, const double *weights)
{
	double		worst = 0;

	for (int i = 0; i < limits->n; i++)
	{
		Limit	   *limit = &limits->list[i];
		double		push = limit_push(limits, limit, weights);

		worst = fmax(worst, fabs(push - limit->multiplier) /
					 limits->strength);
		limit->multiplier = push;
	}
	return worst;
}

/*
 * Steps that are held at 0 become 0; what an inequality still lacks goes to
 * the step of the curve.
 */
static void
repair(const CodeProblem *problem, double *weights, int *partners)
{
	Limits	   *limits = problem->limits;

	for (int i = 0; i < limits->n; i++)
		if (limits->list[i].n == 1 && limits->list[i].multiplier > 0)
			weights[limits->list[i].at[0]] = 0;
	for (int c = 0; c < limits->nchains; c++)
	{
		const LimitChain *chain = &limits->chains[c];
		int			begin = block_begin(problem, chain->block);

		for (int border = 0; border < chain->nbins - 1; border++)
		{
			double		step = limits_least_step(problem, chain, border,
												 weights, partners);

			if (step < 0)
				weights[begin + border] -= chain->sign * step;
		}
	}
}

/* Strength: about what the rows of a bin make of a step, times STRENGTH */
static double
usual_strength(const CodeProblem *problem)
{
	CodeChunk	chunk = {NULL, problem->churned, problem->training};
	int64_t		at_hand = problem->nrows;
	double		sum = 0;

	if (problem->load != NULL)
	{
		chunk.codes = problem->limits->allocate(sizeof(uint8_t *) *
												problem->nblocks);
		at_hand = problem->chunk_rows;
	}
	for (int64_t row = 0; row < problem->nrows; row++)
	{
		int64_t		i = row % at_hand;

		if (problem->load != NULL && i == 0)
			problem->load(problem->load_arg, row, &chunk);
		if (chunk.training == NULL || chunk.training[i])
			sum += problem->c[chunk.churned[i]];
	}
	return STRENGTH * (1 + sum * MOST_CURVATURE / BINS_USUAL);
}

int
limits_fit(const CodeProblem *problem, double tolerance, void *memory,
		   double *weights, double *scores)
{
	Limits	   *limits = problem->limits;
	double		enough = 1e-3 * sqrt(tolerance);
	Limit		scratch = {0};
	int		   *partners;
	int			most = 1,
				passes = 0;

	if (limits == NULL)
		return newton_fit(problem, tolerance, memory, weights, scores);
	for (int c = 0; c < limits->nchains; c++)
		if (chain_counts(&limits->chains[c]) > most)
			most = chain_counts(&limits->chains[c]);
	partners = limits->allocate(sizeof(int) * most);
	scratch.at = limits->allocate(sizeof(int) * most);
	scratch.a = limits->allocate(sizeof(double) * most);
	limits->n = 0;
	limits->strength = usual_strength(problem);
	for (int round = 0; round < MAX_ROUNDS; round++)
	{
		double		loose = fmax(tolerance, FIRST_TOLERANCE * pow(0.01, round));
		double		wrong;

		passes += newton_fit(problem, loose, memory, weights, scores);
		wrong = raise_multipliers(limits, weights);
		if (list_hurt(problem, weights, enough, &scratch, partners) == 0 &&
			wrong <= enough && loose <= tolerance)
			break;
	}
	repair(problem, weights, partners);
	if (scores != NULL)
		newton_score(problem, memory, weights, scores);
	return passes;
}
