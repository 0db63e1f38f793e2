/*-------------------------------------------------------------------------
 *
 * ranking_flat.c
 *	  churn_ranking as one varlena: how it is stored, and how a state goes
 *	  from a parallel worker to its leader.
 *
 * A header, the arguments, then either the scores of churners and of stayers
 * as doubles, or the sums and the bytes of the order-only form.  Everything
 * but the bytes is 8-byte aligned, so a flat value is read in place.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "measure/ranking_flat.h"

#define FLAT_VERSION	1
#define FLAT_SORTED		0x80	/* in "shape": rows of both lists ascend */

typedef struct FlatRanking
{
	int32		vl_len_;
	uint8		version;
	uint8		form;			/* RankingForm */
	uint8		shape;			/* width, and FLAT_SORTED */
	uint8		nparams;
	int64		ignored;
	int64		churners;
	int64		stayers;
	double		data[FLEXIBLE_ARRAY_MEMBER];
} FlatRanking;

/* What the order-only form keeps beside its bytes */
typedef struct FlatOrder
{
	TieGroup	open;
	ProbabilitySums sums;
} FlatOrder;

/* Doubles of all rows of one list. */
static inline Size
list_doubles(const Ranking *ranking, const ScoreList *list)
{
	return (Size) list->nrows * ranking->width;
}

/* Bytes of the flat form; an error where no datum may be so large. */
static Size
flat_size(ExpandedObjectHeader *eohptr)
{
	Ranking    *ranking = (Ranking *) eohptr;
	Size		size = offsetof(FlatRanking, data) +
		ranking->nparams * sizeof(double);

	if (ranking->form == RANKING_ORDER)
		size += sizeof(FlatOrder) + ranking->stream.nbytes;
	else
		size += (list_doubles(ranking, &ranking->churners) +
				 list_doubles(ranking, &ranking->stayers)) * sizeof(double);
	if (!AllocSizeIsValid(size))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a ranking of %lld rows is too large for one value",
						(long long) ranking_rows(ranking)),
				 errhint("Let the executor sort, as in churn_auc(score, label ORDER BY score).")));
	ranking->flat_size = size;
	return size;
}

/* Copy the rows of a list; the end of what was written. */
static double *
put_list(const Ranking *ranking, const ScoreList *list, double *to)
{
	Size		count = list_doubles(ranking, list);

	if (count > 0)
		memcpy(to, list->values, count * sizeof(double));
	return to + count;
}

/* Write the flat form into "result", which has the size flat_size() said. */
static void
flatten_into(ExpandedObjectHeader *eohptr, void *result, Size allocated_size)
{
	Ranking    *ranking = (Ranking *) eohptr;
	FlatRanking *flat = result;
	double	   *data = flat->data;

	Assert(allocated_size == ranking->flat_size);
	memset(flat, 0, offsetof(FlatRanking, data));
	SET_VARSIZE(flat, allocated_size);
	flat->version = FLAT_VERSION;
	flat->form = (uint8) ranking->form;
	flat->shape = (uint8) ranking->width;
	if (ranking->sorted)
		flat->shape |= FLAT_SORTED;
	flat->nparams = (uint8) ranking->nparams;
	flat->ignored = ranking->ignored;
	flat->churners = ranking->churners.nrows;
	flat->stayers = ranking->stayers.nrows;
	for (int i = 0; i < ranking->nparams; i++)
		*data++ = ranking->params[i];

	if (ranking->form == RANKING_ORDER)
	{
		FlatOrder	order = {ranking->open, ranking->sums};

		memcpy(data, &order, sizeof(order));
		if (ranking->stream.nbytes > 0)
			memcpy((char *) data + sizeof(order), ranking->stream.bytes,
				   ranking->stream.nbytes);
		return;
	}
	data = put_list(ranking, &ranking->churners, data);
	put_list(ranking, &ranking->stayers, data);
}

const ExpandedObjectMethods ranking_flat_methods = {flat_size, flatten_into};

/* Point a ranking at the rows of a flat datum, which must outlive it. */
void
ranking_unflatten(Ranking *ranking, Datum datum)
{
	FlatRanking *flat = (FlatRanking *) PG_DETOAST_DATUM(datum);
	double	   *data = flat->data;

	if (flat->version != FLAT_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("a ranking has the stored format %d, not %d",
						flat->version, FLAT_VERSION)));
	ranking->form = (RankingForm) flat->form;
	ranking->width = flat->shape & ~FLAT_SORTED;
	ranking->sorted = (flat->shape & FLAT_SORTED) != 0;
	ranking->nparams = flat->nparams;
	ranking->ignored = flat->ignored;
	ranking->churners.nrows = flat->churners;
	ranking->stayers.nrows = flat->stayers;
	for (int i = 0; i < ranking->nparams; i++)
		ranking->params[i] = *data++;

	if (ranking->form == RANKING_ORDER)
	{
		FlatOrder	order;

		memcpy(&order, data, sizeof(order));
		ranking->open = order.open;
		ranking->sums = order.sums;
		ranking->stream.bytes = (uint8 *) data + sizeof(order);
		ranking->stream.nbytes = (char *) flat + VARSIZE(flat) -
			(char *) ranking->stream.bytes;
		return;
	}
	probability_sums_init(&ranking->sums);
	ranking->churners.values = data;
	ranking->stayers.values = data + list_doubles(ranking, &ranking->churners);
}

/* Make "into", which is empty, a copy of an order-only ranking. */
void
ranking_copy_order(Ranking *into, const Ranking *from)
{
	into->form = RANKING_ORDER;
	into->sorted = from->sorted;
	into->nparams = from->nparams;
	memcpy(into->params, from->params, sizeof(into->params));
	into->churners.nrows = from->churners.nrows;
	into->stayers.nrows = from->stayers.nrows;
	into->open = from->open;
	into->sums = from->sums;
	into->stream.nbytes = into->stream.capacity = from->stream.nbytes;
	if (from->stream.nbytes == 0)
		return;
	into->stream.bytes = MemoryContextAllocHuge(into->hdr.eoh_context,
												from->stream.nbytes);
	memcpy(into->stream.bytes, from->stream.bytes, from->stream.nbytes);
}

/*
 * Check an order-only ranking that came from outside: its groups must add up
 * to its counts.
 */
void
ranking_check_order(const Ranking *ranking)
{
	RankReader	reader;
	TieGroup	group;
	int64		churners = ranking->churners.nrows;
	int64		stayers = ranking->stayers.nrows;
	bool		sound = true;

	rank_reader_init(&reader, ranking);
	while (sound && rank_reader_next(&reader, &group))
	{
		sound = group.churners >= 0 && group.stayers >= 0 &&
			group.churners <= churners && group.stayers <= stayers &&
			(group.churners > 0 || group.stayers > 0);
		churners -= group.churners;
		stayers -= group.stayers;
	}
	if (!sound || churners != 0 || stayers != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("the groups of a ranking do not add up to its counts")));
}

/* The flat datum of a ranking, in the current context. */
Datum
ranking_flatten(Ranking *ranking)
{
	Size		size = flat_size(&ranking->hdr);
	void	   *flat = palloc(size);

	flatten_into(&ranking->hdr, flat, size);
	return PointerGetDatum(flat);
}
