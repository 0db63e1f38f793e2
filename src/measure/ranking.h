/*-------------------------------------------------------------------------
 *
 * ranking.h
 *	  churn_ranking: what every metric of this layer is computed from.
 *
 * A ranking holds the scores of the churners and those of the stayers.  A
 * metric reads it as tie groups in ascending order of score, so its result
 * depends neither on the order of the rows nor on how they were spread over
 * workers or partitions.
 *
 * Comparing two distributions is the same problem: "churners" are then the
 * rows of the actual sample, "stayers" those of the expected one.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_RANKING_H
#define CHURN_RANKING_H

#include "fmgr.h"
#include "utils/expandeddatum.h"

#include "measure/sum.h"

#define RANKING_MAX_PARAMS	5	/* further arguments of one aggregate */
#define RANKING_MAX_WIDTH	3	/* score a, score b, hash of the user's key */

/* How the rows are kept */
typedef enum RankingForm
{
	RANKING_SCORES = 1,			/* all scores: 8 bytes a row and column */
	RANKING_ORDER = 2			/* only the order: 1 to 2 bits a row */
} RankingForm;

/* Rows of one class: "width" doubles a row, row after row. */
typedef struct ScoreList
{
	double	   *values;
	int64		nrows;
	int64		capacity;		/* rows; 0 when values belong to a flat value */
} ScoreList;

/* Rows of one score.  Where scores are not kept, score is NaN. */
typedef struct TieGroup
{
	double		score;
	int64		churners;
	int64		stayers;
} TieGroup;

/* Bytes of the order-only form; rank_stream.c says what they mean. */
typedef struct RankStream
{
	uint8	   *bytes;
	Size		nbytes;
	Size		capacity;
	bool		singles;		/* the last byte holds single rows */
} RankStream;

/* What the probability figures need, as far as it is a sum over rows */
typedef struct ProbabilitySums
{
	Sum			brier;
	Sum			log_loss;
	Sum			score;
	double		lowest;			/* least score, +infinity before any row */
	double		highest;		/* greatest score, -infinity before any row */
} ProbabilitySums;

typedef struct Ranking
{
	ExpandedObjectHeader hdr;	/* must be first */
	RankingForm form;
	int			width;			/* doubles a row; 1 in the order-only form */
	bool		sorted;			/* rows of both lists ascend; width 1 only */
	int64		ignored;		/* rows with a NULL score or label */
	int			nparams;		/* 0 until the first row with arguments */
	double		params[RANKING_MAX_PARAMS];

	/* RANKING_SCORES */
	ScoreList	churners;		/* label true */
	ScoreList	stayers;		/* label false */

	/* RANKING_ORDER; the counts of both lists are kept in nrows above */
	RankStream	stream;			/* closed groups */
	TieGroup	open;			/* group still growing; empty when no rows */
	ProbabilitySums sums;		/* over closed groups */

	Size		flat_size;		/* set by EOM_get_flat_size for its twin */
} Ranking;

/* ranking.c: making, growing, reading */
extern Ranking *ranking_create(MemoryContext parent, int width);
extern Ranking *ranking_writable(Datum datum, MemoryContext parent);
extern Ranking *ranking_view(Datum datum);
extern Ranking *ranking_sorted(Datum datum);
extern void ranking_append(Ranking *ranking, bool churned, const double *row);
extern void ranking_append_ordered(Ranking *ranking, bool churned,
								   double score);
extern void ranking_merge(Ranking *into, const Ranking *from);
extern void ranking_sort(Ranking *ranking);
extern void ranking_expect(const Ranking *ranking, int width, int nparams);
extern void ranking_require_scores(const Ranking *ranking);
extern void ranking_check_memory(Size bytes);
extern void ranking_reserve(Ranking *ranking, int64 churners, int64 stayers);
extern void ranking_set_params(Ranking *ranking, int nparams,
							   const double *params);

#define RankingGetDatum(ranking) EOHPGetRWDatum(&(ranking)->hdr)

/* Reading tie groups in ascending order of score */
typedef struct RankReader
{
	const Ranking *ranking;
	int64		churner;		/* next row of each list */
	int64		stayer;
	Size		byte;			/* next byte of the stream */
	uint8		singles;		/* labels of a byte not yet handed out */
	int			nsingles;
	bool		ended;			/* the open group has been handed out */
	unsigned	steps;			/* for CHECK_FOR_INTERRUPTS */
} RankReader;

extern void rank_reader_init(RankReader *reader, const Ranking *ranking);
extern bool rank_reader_next(RankReader *reader, TieGroup *group);

/* ranking_agg.c: what transition functions are made of */
extern Ranking *ranking_state(FunctionCallInfo fcinfo, int width,
							  bool needs_scores);
extern Datum ranking_add_row(FunctionCallInfo fcinfo, Ranking *ranking);
extern double ranking_score(double score);
extern Datum ranking_argument(FunctionCallInfo fcinfo, int number,
							  const char *name);
extern double ranking_number(FunctionCallInfo fcinfo, int number,
							 const char *name);

/* rank_stream.c: the order-only form */
extern void rank_stream_add(RankStream *stream, const TieGroup *group,
							MemoryContext context);
extern bool rank_stream_next(RankReader *reader, TieGroup *group);

/* probability.c */
extern void probability_sums_init(ProbabilitySums *sums);
extern void probability_sums_add(ProbabilitySums *sums, const TieGroup *group);
extern void probability_check(const ProbabilitySums *sums);
extern void probability_sums_read(ProbabilitySums *sums,
								  const Ranking *ranking);

/* A figure of a ranking; false when it is not defined (NULL in SQL). */
typedef bool (*RankingFigure) (const Ranking *ranking, double *figure);

extern Datum ranking_figure(FunctionCallInfo fcinfo, RankingFigure figure);

/* Rows in a ranking */
static inline int64
ranking_rows(const Ranking *ranking)
{
	return ranking->churners.nrows + ranking->stayers.nrows;
}

/* Most figures are not defined when one class is missing. */
static inline bool
ranking_has_both(const Ranking *ranking)
{
	return ranking->churners.nrows > 0 && ranking->stayers.nrows > 0;
}

#endif							/* CHURN_RANKING_H */
