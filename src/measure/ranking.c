/*-------------------------------------------------------------------------
 *
 * ranking.c
 *	  The value behind every metric: making, growing, sorting, reading.
 *
 * While an aggregate runs, a ranking is an expanded object in a memory
 * context of its own: rows are appended in place, at a few nanoseconds a row,
 * and lists double when they are full.  Flattened (ranking_flat.c) it travels
 * between workers, nodes and tables.
 *
 * Two forms.  RANKING_SCORES keeps every score, 8 bytes a row, and sorts once
 * when the first figure is asked for; all figures of one query share it.
 * RANKING_ORDER is for input that arrives in ascending order: it keeps the
 * sizes of the tie groups alone, some 1.3 bits a row where scores differ, and
 * sums up what depends on the scores themselves.
 *
 * Sorting an object that was handed out as read-only is allowed here: a
 * ranking is a bag of rows, and their order is no part of its value.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "churn.h"
#include "measure/ranking.h"
#include "measure/ranking_flat.h"

#define FIRST_ROWS		16		/* capacity of a list at its first row */

/* Ascending sort of scores without an indirect call a comparison. */
static int	score_compare(const void *a, const void *b);

#if PG_VERSION_NUM >= 140000
#define ST_SORT score_sort_template
#define ST_ELEMENT_TYPE double
#define ST_COMPARE(a, b) ((*(a) > *(b)) - (*(a) < *(b)))
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"
#endif

/* Order of two scores, neither of them NaN. */
static int
score_compare(const void *a, const void *b)
{
	double		left = *(const double *) a;
	double		right = *(const double *) b;

	return (left > right) - (left < right);
}

/* Sort n scores; input that ascends already costs one pass. */
static void
score_sort(double *scores, int64 n)
{
	int64		i;

	for (i = 1; i < n && score_compare(&scores[i - 1], &scores[i]) <= 0; i++)
		;
	if (i >= n)
		return;
#if PG_VERSION_NUM >= 140000
	score_sort_template(scores, n);
#else
	qsort(scores, n, sizeof(double), score_compare);
#endif
}

/* An empty ranking, in a memory context of its own under "parent". */
Ranking *
ranking_create(MemoryContext parent, int width)
{
	MemoryContext context;
	Ranking    *ranking;

	Assert(width >= 1 && width <= RANKING_MAX_WIDTH);
	context = AllocSetContextCreate(parent, "churn_ranking",
									ALLOCSET_START_SMALL_SIZES);
	ranking = MemoryContextAllocZero(context, sizeof(Ranking));
	EOH_init_header(&ranking->hdr, &ranking_flat_methods, context);
	ranking->form = RANKING_SCORES;
	ranking->width = width;
	ranking->sorted = (width == 1);
	probability_sums_init(&ranking->sums);
	return ranking;
}

/* The ranking of a datum, expanded or flat, to be read in this call only. */
Ranking *
ranking_view(Datum datum)
{
	Ranking    *ranking;

	if (VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(datum)))
		return (Ranking *) DatumGetEOHP(datum);
	ranking = palloc0(sizeof(Ranking));
	ranking_unflatten(ranking, datum);
	return ranking;
}

/*
 * The ranking of an aggregate's state, to be written to: the expanded object
 * itself, or a copy of a flat value (Citus and stored states) under "parent".
 */
Ranking *
ranking_writable(Datum datum, MemoryContext parent)
{
	Ranking    *flat;
	Ranking    *ranking;

	if (VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(datum)))
		return (Ranking *) DatumGetEOHP(datum);

	flat = ranking_view(datum);
	ranking = ranking_create(parent, flat->width);
	if (flat->form == RANKING_ORDER)
		ranking_copy_order(ranking, flat);
	else
		ranking_merge(ranking, flat);
	ranking->ignored = flat->ignored;
	return ranking;
}

/* Bytes that "rows" rows of a ranking occupy. */
static inline Size
row_bytes(const Ranking *ranking, int64 rows)
{
	return (Size) rows * ranking->width * sizeof(double);
}

/* Refuse what churn.memory forbids, before it is allocated. */
void
ranking_check_memory(Size bytes)
{
	if (bytes <= (Size) churn_memory_kb * 1024)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("a metric would hold %zu kB, more than churn.memory (%d kB)",
					(bytes + 1023) / 1024, churn_memory_kb),
			 errhint("Let the executor sort, as in churn_auc(score, label "
					 "ORDER BY score), or raise churn.memory.")));
}

/*
 * Make room for "rows" rows in all.  Lists double, so that a row costs a
 * constant share of copying; near the limit a list takes what is left.
 */
static void
list_reserve(Ranking *ranking, ScoreList *list, int64 rows)
{
	const ScoreList *other = (list == &ranking->churners) ?
		&ranking->stayers : &ranking->churners;
	Size		limit = (Size) churn_memory_kb * 1024;
	Size		rest = row_bytes(ranking, other->capacity);
	int64		capacity = Max(FIRST_ROWS, Max(rows, list->capacity * 2));

	if (rows <= list->capacity)
		return;
	if (rest + row_bytes(ranking, capacity) > limit)
	{
		ranking_check_memory(rest + row_bytes(ranking, rows));
		capacity = (limit - rest) / row_bytes(ranking, 1);
	}
	if (list->values == NULL)
		list->values = MemoryContextAllocHuge(ranking->hdr.eoh_context,
											  row_bytes(ranking, capacity));
	else
		list->values = repalloc_huge(list->values,
									 row_bytes(ranking, capacity));
	list->capacity = capacity;
}

/* Make room for so many further rows of each class. */
void
ranking_reserve(Ranking *ranking, int64 churners, int64 stayers)
{
	list_reserve(ranking, &ranking->churners,
				 ranking->churners.nrows + churners);
	list_reserve(ranking, &ranking->stayers,
				 ranking->stayers.nrows + stayers);
}

/* Add a row of "width" doubles, none of them a NaN score. */
void
ranking_append(Ranking *ranking, bool churned, const double *row)
{
	ScoreList  *list = churned ? &ranking->churners : &ranking->stayers;

	Assert(ranking->form == RANKING_SCORES);
	if (list->nrows >= list->capacity)
		list_reserve(ranking, list, list->nrows + 1);
	if (ranking->width == 1)
	{
		if (list->nrows > 0 && row[0] < list->values[list->nrows - 1])
			ranking->sorted = false;
		list->values[list->nrows++] = row[0];
		return;
	}
	memcpy(list->values + list->nrows * ranking->width, row,
		   row_bytes(ranking, 1));
	list->nrows++;
}

/* Close the group that grows, and sum up what depends on its score. */
static void
close_group(Ranking *ranking)
{
	TieGroup   *open = &ranking->open;

	if (open->churners + open->stayers == 0)
		return;
	rank_stream_add(&ranking->stream, open, ranking->hdr.eoh_context);
	ranking_check_memory(ranking->stream.capacity);
	probability_sums_add(&ranking->sums, open);
	open->churners = open->stayers = 0;
}

/* Add a row of an input that the executor sorts by ascending score. */
void
ranking_append_ordered(Ranking *ranking, bool churned, double score)
{
	TieGroup   *open = &ranking->open;

	Assert(ranking->form == RANKING_ORDER);
	if (ranking_rows(ranking) == 0 || score > open->score)
	{
		close_group(ranking);
		open->score = score;
	}
	else if (score < open->score)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("score %g follows the higher score %g in ordered input",
						score, open->score)));
	if (churned)
	{
		open->churners++;
		ranking->churners.nrows++;
	}
	else
	{
		open->stayers++;
		ranking->stayers.nrows++;
	}
}

/*
 * Keep the further arguments of an aggregate; they must be the same in every
 * row.  Zero arguments never disagree.
 */
void
ranking_set_params(Ranking *ranking, int nparams, const double *params)
{
	if (ranking->nparams == 0)
	{
		memcpy(ranking->params, params, nparams * sizeof(double));
		ranking->nparams = nparams;
		return;
	}
	for (int i = 0; i < nparams; i++)
	{
		if (ranking->params[i] == params[i])
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("an argument of a metric changes from %g to %g within one group",
						ranking->params[i], params[i]),
				 errhint("Arguments after the label must be the same for every row.")));
	}
}

/* Append the rows of one list to another. */
static void
list_append(Ranking *into, ScoreList *list, const ScoreList *from)
{
	if (from->nrows == 0)
		return;
	list_reserve(into, list, list->nrows + from->nrows);
	memcpy(list->values + list->nrows * into->width, from->values,
		   row_bytes(into, from->nrows));
	list->nrows += from->nrows;
}

/* Add the rows of another ranking; "from" stays as it is. */
void
ranking_merge(Ranking *into, const Ranking *from)
{
	if (into->form != RANKING_SCORES || from->form != RANKING_SCORES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot merge rankings that keep only the order"),
				 errhint("Build them without ORDER BY, or with churn_ranking.")));
	if (into->width != from->width)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot merge rankings of %d and %d columns",
						into->width, from->width)));
	if (from->nparams > 0)
		ranking_set_params(into, from->nparams, from->params);
	if (ranking_rows(from) > 0)
		into->sorted = ranking_rows(into) == 0 && from->sorted;
	list_append(into, &into->churners, &from->churners);
	list_append(into, &into->stayers, &from->stayers);
	into->ignored += from->ignored;
}

/* Bring the rows of a ranking of width 1 into ascending order, in place. */
void
ranking_sort(Ranking *ranking)
{
	if (ranking->sorted || ranking->form == RANKING_ORDER)
		return;
	Assert(ranking->width == 1);
	score_sort(ranking->churners.values, ranking->churners.nrows);
	score_sort(ranking->stayers.values, ranking->stayers.nrows);
	ranking->sorted = true;
}

/* Copy the rows of a list that belongs to a flat value. */
static void
list_own(ScoreList *list, int width)
{
	Size		bytes = (Size) list->nrows * width * sizeof(double);
	double	   *copy = MemoryContextAllocHuge(CurrentMemoryContext,
											  Max(bytes, sizeof(double)));

	if (bytes > 0)
		memcpy(copy, list->values, bytes);
	list->values = copy;
	list->capacity = list->nrows;
}

/*
 * Refuse a value that was made for another metric: final functions can be
 * called with anything.
 */
void
ranking_expect(const Ranking *ranking, int width, int nparams)
{
	if (ranking->width != width)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a ranking has %d columns, not %d",
						ranking->width, width)));
	if (ranking->nparams < nparams && ranking_rows(ranking) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a ranking has %d arguments, not %d",
						ranking->nparams, nparams)));
}

/* Refuse a ranking that keeps only the order. */
void
ranking_require_scores(const Ranking *ranking)
{
	if (ranking->form == RANKING_SCORES)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("this ranking keeps only the order of scores, not the scores"),
			 errhint("Build it with churn_ranking(score, label).")));
}

/* The ranking of a datum, of one column, with its rows in order. */
Ranking *
ranking_sorted(Datum datum)
{
	Ranking    *ranking = ranking_view(datum);

	ranking_expect(ranking, 1, 0);
	if (ranking->sorted || ranking->form == RANKING_ORDER)
		return ranking;
	if (!VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(datum)))
	{
		list_own(&ranking->churners, ranking->width);
		list_own(&ranking->stayers, ranking->width);
	}
	ranking_sort(ranking);
	return ranking;
}

/* Begin to read tie groups, lowest score first. */
void
rank_reader_init(RankReader *reader, const Ranking *ranking)
{
	Assert(ranking->form == RANKING_ORDER || ranking->sorted);
	memset(reader, 0, sizeof(*reader));
	reader->ranking = ranking;
}

/* Count the rows of a list, from *row on, that have this score. */
static inline int64
take_ties(const ScoreList *list, int64 *row, double score)
{
	int64		first = *row;

	while (*row < list->nrows && list->values[*row] == score)
		(*row)++;
	return *row - first;
}

/* The next tie group; false after the last. */
bool
rank_reader_next(RankReader *reader, TieGroup *group)
{
	const ScoreList *churners = &reader->ranking->churners;
	const ScoreList *stayers = &reader->ranking->stayers;

	if ((++reader->steps & 0xffff) == 0)
		CHECK_FOR_INTERRUPTS();
	if (reader->ranking->form == RANKING_ORDER)
		return rank_stream_next(reader, group);

	if (reader->churner < churners->nrows &&
		(reader->stayer >= stayers->nrows ||
		 churners->values[reader->churner] <= stayers->values[reader->stayer]))
		group->score = churners->values[reader->churner];
	else if (reader->stayer < stayers->nrows)
		group->score = stayers->values[reader->stayer];
	else
		return false;
	group->churners = take_ties(churners, &reader->churner, group->score);
	group->stayers = take_ties(stayers, &reader->stayer, group->score);
	return true;
}

/* Return one figure of an aggregate's state; the final function is STRICT. */
Datum
ranking_figure(FunctionCallInfo fcinfo, RankingFigure figure)
{
	double		result;

	if (!figure(ranking_sorted(PG_GETARG_DATUM(0)), &result))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(result);
}
