/*-------------------------------------------------------------------------
 *
 * session.c
 *	  What a session keeps between scores: decoded models and plans.
 *
 * DML sends no invalidation, so nothing here is trusted by name: a model is
 * kept under its id, which is never used again, a plan under its study's
 * revision, which moves with every change of the definition, and both under
 * the OID of the catalogue table, for an extension dropped and created anew.
 * Whoever calls has read them under their own snapshot.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "study/live.h"

#define SESSION_MODELS	8
#define SESSION_PLANS	16

static SessionModel models[SESSION_MODELS];
static SessionPlan plans[SESSION_PLANS];
static uint64 session_clock = 0;

/* Run a query of one parameter that must give one row with one value. */
static Datum
fetch_one(const char *sql, Oid type, Datum argument)
{
	bool		isnull;
	Datum		value;

	if (SPI_execute_with_args(sql, 1, &type, &argument, NULL, true, 2) !=
		SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "expected one row from \"%s\"", sql);
	value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
						  &isnull);
	if (isnull)
		elog(ERROR, "expected a value from \"%s\"", sql);
	return value;
}

/*
 * A score reads the features by their place: the inputs of the model must be
 * the features of its spec, which a model of another version, or one that was
 * put into the table by hand, need not be.
 */
static void
check_inputs(const Model *model, const FeatureList *features)
{
	bool		same = model->ninputs == features_count(features);

	for (int i = 0; same && i < model->ninputs; i++)
		same = strcmp(model->inputs[i], features_name(features, i)) == 0;
	if (!same)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the champion's inputs are not the features of this version of churn"),
				 errhint("Train the study again with this version.")));
}

/* Decode a model into a context of its own that lasts for the session. */
static void
session_model_load(SessionModel *slot, const char *schema,
				   const LiveStudy *study)
{
	Datum		stored = fetch_one(psprintf("SELECT m.model FROM %s.churn_models AS m"
											" WHERE m.id OPERATOR(pg_catalog.=) $1",
											schema),
								   INT8OID,
								   Int64GetDatum(study->model_id));
	SessionModel fresh = {.catalogue = study->catalogue,.id = study->model_id};
	MemoryContext old;

	fresh.context = AllocSetContextCreate(CurrentMemoryContext, "churn model",
										  ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(fresh.context);
	fresh.model = model_decode(stored);
	if (fresh.model->spec == (Datum) 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the champion was not trained on histories")));
	fresh.spec = spec_decode(fresh.model->spec);
	fresh.features = features_list(fresh.spec);
	check_inputs(fresh.model, fresh.features);
	MemoryContextSwitchTo(old);
	/* nothing can fail from here on, so the slot is the old one or the new */
	MemoryContextSetParent(fresh.context, CacheMemoryContext);
	if (slot->context != NULL)
		MemoryContextDelete(slot->context);
	*slot = fresh;
}

SessionModel *
session_model(const char *schema, const LiveStudy *study)
{
	SessionModel *oldest = &models[0];

	for (int i = 0; i < SESSION_MODELS; i++)
	{
		if (models[i].id == study->model_id &&
			models[i].catalogue == study->catalogue)
		{
			models[i].used = ++session_clock;
			return &models[i];
		}
		if (models[i].used < oldest->used)
			oldest = &models[i];
	}
	session_model_load(oldest, schema, study);
	oldest->used = ++session_clock;
	return oldest;
}

/* Prepare the query that reads one user's history; kept for the session. */
static SPIPlanPtr
user_plan_prepare(const char *schema, const LiveStudy *study, Oid user_type)
{
	Datum		sql = fetch_one(psprintf("SELECT %s.churn_user_sql($1, %s)",
										 schema,
										 study->stored ? "true" : "false"),
								TEXTOID, CStringGetTextDatum(study->name));
	Oid			types[3] = {user_type, DATEOID, DATEOID};
	SPIPlanPtr	plan = SPI_prepare(TextDatumGetCString(sql), 3, types);

	if (plan == NULL)
		elog(ERROR, "could not prepare the query of a user's history");
	return plan;
}

static void
session_plan_load(SessionPlan *slot, const char *schema, const LiveStudy *study)
{
	char	   *zone = TextDatumGetCString(fetch_one(psprintf("SELECT s.time_zone FROM %s.churn_studies AS s"
														   " WHERE s.study OPERATOR(pg_catalog.=) $1",
														   schema),
												  TEXTOID,
												  CStringGetTextDatum(study->name)));
	Oid			user_type = DatumGetObjectId(fetch_one(psprintf("SELECT s.user_type::pg_catalog.regtype FROM %s.churn_studies AS s"
															 " WHERE s.study OPERATOR(pg_catalog.=) $1",
															 schema),
													TEXTOID,
													CStringGetTextDatum(study->name)));
	SPIPlanPtr	plan = user_plan_prepare(schema, study, user_type);
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "churn study",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	ZoneDays   *days = zone_days_create(zone);

	MemoryContextSwitchTo(old);
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "could not keep the query of a user's history");
	MemoryContextSetParent(context, CacheMemoryContext);
	if (slot->plan != NULL)
	{
		SPI_freeplan(slot->plan);
		MemoryContextDelete(slot->context);
	}
	slot->plan = plan;
	slot->context = context;
	slot->zone = days;
	slot->user_type = user_type;
	slot->owner = study->owner;
	slot->revision = study->revision;
	slot->stored = study->stored;
	slot->catalogue = study->catalogue;
	strlcpy(slot->study, study->name, sizeof(slot->study));
}

SessionPlan *
session_plan(const char *schema, const LiveStudy *study)
{
	SessionPlan *oldest = &plans[0];
	int			nest_level;

	for (int i = 0; i < SESSION_PLANS; i++)
	{
		if (plans[i].plan != NULL && plans[i].revision == study->revision &&
			plans[i].owner == study->owner &&
			plans[i].stored == study->stored &&
			plans[i].catalogue == study->catalogue &&
			strcmp(plans[i].study, study->name) == 0)
		{
			plans[i].used = ++session_clock;
			return &plans[i];
		}
		if (plans[i].used < oldest->used)
			oldest = &plans[i];
	}
	nest_level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp",
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
							 true, 0, false);
	session_plan_load(oldest, schema, study);
	AtEOXact_GUC(true, nest_level);
	oldest->used = ++session_clock;
	return oldest;
}
