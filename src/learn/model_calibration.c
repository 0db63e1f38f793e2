/*-------------------------------------------------------------------------
 *
 * model_calibration.c
 *	  The map from log-odds to probability that a model may have: its forms
 *	  and what makes it valid.
 *
 * Stored, it follows the provenance: the number of knots, their log-odds,
 * their probabilities.  A model without a map has nothing there.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "libpq/pqformat.h"

#include "learn/model_io.h"

double
model_score(const Model *model, double log_odds)
{
	const ModelCalibration *map = model->calibration;
	int			above;
	double		share;

	if (map == NULL)
		return model_probability(log_odds);
	above = model_bin(map->log_odds, map->nknots, log_odds);
	if (above == 0)
		return map->probabilities[0];
	if (above == map->nknots)
		return map->probabilities[map->nknots - 1];
	/* halves first: the difference of two knots may exceed a double; theirs is not 0 */
	share = (log_odds / 2 - map->log_odds[above - 1] / 2) /
		(map->log_odds[above] / 2 - map->log_odds[above - 1] / 2);
	return Min(map->probabilities[above],
			   map->probabilities[above - 1] +
			   share * (map->probabilities[above] -
						map->probabilities[above - 1]));
}

void
model_validate_calibration(const Model *model, int sqlstate)
{
	const ModelCalibration *map = model->calibration;

	if (map == NULL)
		return;
	if (map->nknots < 1 || map->nknots > MODEL_MAX_KNOTS)
		model_damaged(sqlstate, "the number of knots is out of range");
	for (int i = 0; i < map->nknots; i++)
	{
		if (!isfinite(map->log_odds[i]) ||
			(i > 0 && map->log_odds[i] / 2 <= map->log_odds[i - 1] / 2))
			model_damaged(sqlstate, "knots are not in ascending order");
		if (!(map->probabilities[i] >= 0 && map->probabilities[i] <= 1) ||
			(i > 0 && map->probabilities[i] < map->probabilities[i - 1]))
			model_damaged(sqlstate, "probabilities of knots are out of range or fall");
	}
}

/* ---- stored and sent ---- */

void
model_send_calibration(StringInfo out, const Model *model)
{
	const ModelCalibration *map = model->calibration;

	if (map == NULL)
		return;
	pq_sendint32(out, map->nknots);
	for (int i = 0; i < map->nknots; i++)
		send_double(out, map->log_odds[i]);
	for (int i = 0; i < map->nknots; i++)
		send_double(out, map->probabilities[i]);
}

static ModelCalibration *
calibration_create(int nknots)
{
	ModelCalibration *map = palloc(sizeof(ModelCalibration));

	map->nknots = nknots;
	map->log_odds = palloc(sizeof(double) * Max(nknots, 1));
	map->probabilities = palloc(sizeof(double) * Max(nknots, 1));
	return map;
}

void
model_read_calibration(ModelReader *reader, Model *model)
{
	uint32		count;

	if (reader->next == reader->end)
		return;
	count = reader_uint32(reader);
	if (count > MODEL_MAX_KNOTS)
		model_damaged(reader->sqlstate, "too many knots");
	model->calibration = calibration_create(count);
	for (uint32 i = 0; i < count; i++)
		model->calibration->log_odds[i] = reader_double(reader);
	for (uint32 i = 0; i < count; i++)
		model->calibration->probabilities[i] = reader_double(reader);
}

/* ---- text ---- */

void
model_put_calibration(StringInfo out, const Model *model)
{
	const ModelCalibration *map = model->calibration;

	if (map == NULL)
		return;
	appendStringInfo(out, ",\n \"calibration\": {\"knots\": %d", map->nknots);
	json_put_numbers(out, "log_odds", map->log_odds, map->nknots);
	json_put_numbers(out, "probabilities", map->probabilities, map->nknots);
	appendStringInfoChar(out, '}');
}

void
model_get_calibration(JsonbContainer *root, Model *model)
{
	JsonbContainer *object;
	JsonbValue	value;
	ModelCalibration *map;
	int			count;

	if (getKeyJsonValueFromContainer(root, "calibration",
									 strlen("calibration"), &value) == NULL)
		return;
	object = json_get_container(root, "calibration", false);
	map = palloc(sizeof(ModelCalibration));
	map->nknots = json_get_integer(object, "knots");
	map->log_odds = json_get_numbers(object, "log_odds", MODEL_MAX_KNOTS,
									 &count);
	if (count != map->nknots)
		json_wrong("must have a member a knot", "log_odds");
	map->probabilities = json_get_numbers(object, "probabilities",
										  MODEL_MAX_KNOTS, &count);
	if (count != map->nknots)
		json_wrong("must have a member a knot", "probabilities");
	model->calibration = map;
}
