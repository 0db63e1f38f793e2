/*-------------------------------------------------------------------------
 *
 * probability.c
 *	  churn_brier and churn_log_loss: how good scores are as probabilities.
 *
 * Brier score: the mean of (score - outcome)^2 (Brier 1950).  Log-loss: the
 * mean of -ln of the probability that was given to what happened; infinite
 * when a score of 0 or 1 was wrong.  Nothing is clipped: who claims certainty
 * and is wrong should see it.  A score outside [0, 1] is an error.  Sums go
 * over tie groups in ascending order of score, so they do not depend on the
 * order of the rows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/float.h"

#include "measure/metric.h"

/* Sums over no rows. */
void
probability_sums_init(ProbabilitySums *sums)
{
	memset(sums, 0, sizeof(*sums));
	sums->lowest = get_float8_infinity();
	sums->highest = -get_float8_infinity();
}

/*
 * Add a tie group.  After a score outside [0, 1] the sums mean nothing; the
 * bounds tell.
 */
void
probability_sums_add(ProbabilitySums *sums, const TieGroup *group)
{
	double		score = group->score;

	sums->lowest = Min(sums->lowest, score);
	sums->highest = Max(sums->highest, score);
	if (sums->lowest < 0 || sums->highest > 1)
		return;
	sum_add(&sums->score, score * (double) (group->churners + group->stayers));
	if (group->churners > 0)
	{
		sum_add(&sums->brier,
				(double) group->churners * ((1 - score) * (1 - score)));
		sum_add(&sums->log_loss, -(double) group->churners * log(score));
	}
	if (group->stayers > 0)
	{
		sum_add(&sums->brier, (double) group->stayers * (score * score));
		sum_add(&sums->log_loss, -(double) group->stayers * log1p(-score));
	}
}

/* The sums over all rows of a ranking. */
void
probability_sums_read(ProbabilitySums *sums, const Ranking *ranking)
{
	RankReader	reader;
	TieGroup	group;

	if (ranking->form == RANKING_ORDER)
	{
		*sums = ranking->sums;
		if (ranking_rows(ranking) > 0)
			probability_sums_add(sums, &ranking->open);
		return;
	}
	probability_sums_init(sums);
	rank_reader_init(&reader, ranking);
	while (rank_reader_next(&reader, &group))
		probability_sums_add(sums, &group);
}

/* Refuse scores that cannot be probabilities. */
void
probability_check(const ProbabilitySums *sums)
{
	double		wrong = sums->lowest < 0 ? sums->lowest : sums->highest;

	if (!(sums->lowest < 0 || sums->highest > 1))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("score %g is not a probability between 0 and 1", wrong),
			 errhint("Rank figures such as churn_auc take any score.")));
}

/* Sums over scores that were checked; false when there are no rows. */
static bool
checked_sums(ProbabilitySums *sums, const Ranking *ranking)
{
	if (ranking_rows(ranking) == 0)
		return false;
	probability_sums_read(sums, ranking);
	probability_check(sums);
	return true;
}

/* Mean squared error of a probability. */
bool
brier_figure(const Ranking *ranking, double *figure)
{
	ProbabilitySums sums;

	if (!checked_sums(&sums, ranking))
		return false;
	*figure = sum_value(&sums.brier) / ranking_rows(ranking);
	return true;
}

/* Mean negative logarithm of the probability given to what happened. */
bool
log_loss_figure(const Ranking *ranking, double *figure)
{
	ProbabilitySums sums;

	if (!checked_sums(&sums, ranking))
		return false;
	*figure = sum_value(&sums.log_loss) / ranking_rows(ranking);
	return true;
}

PG_FUNCTION_INFO_V1(churn_brier_final);

/* Brier score of a state. */
Datum
churn_brier_final(PG_FUNCTION_ARGS)
{
	return ranking_figure(fcinfo, brier_figure);
}

PG_FUNCTION_INFO_V1(churn_log_loss_final);

/* Log-loss of a state. */
Datum
churn_log_loss_final(PG_FUNCTION_ARGS)
{
	return ranking_figure(fcinfo, log_loss_figure);
}
