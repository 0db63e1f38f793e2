/*-------------------------------------------------------------------------
 *
 * live.c
 *	  What one live score is made of: study, key, history, standing.
 *
 * A call costs a look-up of the study and its champion under the caller's
 * snapshot, and one execution of the kept plan that reads the user: the
 * stored history and the events since, or all events where none are stored.
 * That plan contains SQL that the study's owner wrote, so it runs with the
 * owner's rights (owner.c).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "parser/parse_coerce.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "churn.h"
#include "study/live.h"
#include "study/owner.h"

/* A kept look-up of a study, good for one installation of the extension */
typedef struct StudyPlan
{
	Oid			catalogue;		/* OID of churn_models, as in session.c */
	SPIPlanPtr	plan;
} StudyPlan;

/* By name, and by being the only one; kept for the session */
static StudyPlan named_plan;
static StudyPlan only_plan;

/*
 * True while the owner's SQL runs: were that to score in turn, it could push
 * the very plan that runs out of the session's cache.
 */
static bool live_busy = false;

static SPIPlanPtr
study_plan(const char *schema, Oid catalogue, bool named)
{
	StudyPlan  *kept = named ? &named_plan : &only_plan;
	Oid			type = TEXTOID;
	SPIPlanPtr	plan;

	if (kept->plan != NULL && kept->catalogue == catalogue)
		return kept->plan;
	plan = SPI_prepare(psprintf("SELECT s.study, s.owner, s.revision, s.active_window,"
								" s.min_tenure, m.id, h.through FROM %s.churn_studies AS s"
								" LEFT JOIN %s.churn_models AS m"
								" ON m.study OPERATOR(pg_catalog.=) s.study"
								" AND m.status OPERATOR(pg_catalog.=) 'champion'"
								" LEFT JOIN %s.churn_histories AS h"
								" ON h.study OPERATOR(pg_catalog.=) s.study"
								" AND h.revision OPERATOR(pg_catalog.=) s.revision"
								" AND h.ranges_done OPERATOR(pg_catalog.=) h.ranges"
								" WHERE %s", schema, schema, schema,
								named ? "s.study OPERATOR(pg_catalog.=) $1"
								: "pg_catalog.pg_has_role(s.owner, 'MEMBER') LIMIT 2"),
					   named ? 1 : 0, &type);
	if (plan == NULL || SPI_keepplan(plan) != 0)
		elog(ERROR, "could not prepare the look-up of a study");
	if (kept->plan != NULL)
		SPI_freeplan(kept->plan);
	kept->plan = plan;
	kept->catalogue = catalogue;
	return plan;
}

/* The one study that is meant when none is named. */
static void
check_only_study(uint64 found)
{
	if (found == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("there is no study that you may use"),
				 errhint("churn_create_study makes one.")));
	if (found > 1)
		ereport(ERROR,
				(errcode(ERRCODE_AMBIGUOUS_PARAMETER),
				 errmsg("there is more than one study"),
				 errhint("Name it: churn_score(user_id, 'study'), or SET churn.study = 'study'.")));
}

/* The name that was given: the argument, else the setting; NULL for neither. */
static char *
study_name(FunctionCallInfo fcinfo)
{
	if (!PG_ARGISNULL(1))
		return text_to_cstring(PG_GETARG_TEXT_PP(1));
	return churn_study_setting && *churn_study_setting ?
		churn_study_setting : NULL;
}

/*
 * What a look-up of a study depends on besides its name.  Within a transaction
 * a snapshot of the same bounds and as many running transactions is the same
 * one: that set only shrinks.  What this session wrote moves the command or
 * the subtransaction.
 */
typedef struct LookupMoment
{
	Oid			catalogue;
	Oid			user;
	uint32		transaction;
	SubTransactionId subtransaction;
	CommandId	command;
	TransactionId xmin;
	TransactionId xmax;
	uint32		running;
	int32		subrunning;
} LookupMoment;

/* The study looked up last, good for the calls of one query. */
typedef struct KeptStudy
{
	LookupMoment moment;		/* zeroed: none */
	bool		named;			/* whether a name was given, and which */
	char		asked[NAMEDATALEN];
	char		name[NAMEDATALEN];
	LiveStudy	study;			/* its name points to the above */
} KeptStudy;

static KeptStudy kept_study;

/* The moment of this call. */
static void
lookup_moment(LookupMoment *moment, Oid catalogue)
{
	Snapshot	snapshot = GetActiveSnapshot();

	memset(moment, 0, sizeof(*moment));	/* padding is compared too */
	moment->catalogue = catalogue;
	moment->user = GetUserId();
#if PG_VERSION_NUM >= 170000
	moment->transaction = MyProc->vxid.lxid;
#else
	moment->transaction = MyProc->lxid;
#endif
	moment->subtransaction = GetCurrentSubTransactionId();
	moment->command = snapshot->curcid;
	moment->xmin = snapshot->xmin;
	moment->xmax = snapshot->xmax;
	moment->running = snapshot->xcnt;
	moment->subrunning = snapshot->subxcnt;
}

/* Look the row of a study up, by name or as the only one, and its champion. */
static void
study_look_up(FunctionCallInfo fcinfo, const char *schema, char *name,
			  LiveStudy *study)
{
	Oid			namespace = get_func_namespace(fcinfo->flinfo->fn_oid);
	Datum		argument = name ? CStringGetTextDatum(name) : (Datum) 0;
	HeapTuple	row;
	TupleDesc	desc;
	bool		isnull;
	bool		has_champion;

	if (SPI_execute_plan(study_plan(schema, study->catalogue, name != NULL),
						 &argument, NULL, true, 2) != SPI_OK_SELECT)
		elog(ERROR, "could not look a study up");
	if (name == NULL)
		check_only_study(SPI_processed);
	else if (SPI_processed == 0)
		owner_study_missing(get_namespace_name(namespace), name);
	row = SPI_tuptable->vals[0];
	desc = SPI_tuptable->tupdesc;
	study->name = TextDatumGetCString(SPI_getbinval(row, desc, 1, &isnull));
	study->owner = DatumGetObjectId(SPI_getbinval(row, desc, 2, &isnull));
	study->revision = DatumGetInt64(SPI_getbinval(row, desc, 3, &isnull));
	study->active_window = DatumGetInt32(SPI_getbinval(row, desc, 4, &isnull));
	study->min_tenure = DatumGetInt32(SPI_getbinval(row, desc, 5, &isnull));
	study->model_id = DatumGetInt64(SPI_getbinval(row, desc, 6, &isnull));
	has_champion = !isnull;
	study->through = DatumGetDateADT(SPI_getbinval(row, desc, 7, &isnull));
	study->stored = !isnull;
	SPI_freetuptable(SPI_tuptable);
	if (!has_champion)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("study \"%s\" has no champion", study->name),
				 errhint("SELECT * FROM churn_train(%s) trains one; one that passed the gate can be promoted by churn_promote.",
						 quote_literal_cstr(study->name))));
}

/* The study that is meant and its champion, under the caller's snapshot. */
static void
study_read(FunctionCallInfo fcinfo, const char *schema, LiveStudy *study)
{
	char	   *name = study_name(fcinfo);
	LookupMoment moment;

	study->catalogue = get_relname_relid("churn_models",
										 get_func_namespace(fcinfo->flinfo->fn_oid));
	lookup_moment(&moment, study->catalogue);
	if (memcmp(&kept_study.moment, &moment, sizeof(moment)) == 0 &&
		kept_study.named == (name != NULL) &&
		strcmp(kept_study.asked, name ? name : "") == 0)
	{
		*study = kept_study.study;
		return;
	}
	memset(&kept_study.moment, 0, sizeof(moment));
	study_look_up(fcinfo, schema, name, study);
	kept_study.named = name != NULL;
	/* names of studies are shorter than this */
	strlcpy(kept_study.asked, name ? name : "", NAMEDATALEN);
	strlcpy(kept_study.name, study->name, NAMEDATALEN);
	study->name = kept_study.name;
	kept_study.study = *study;
	kept_study.moment = moment;
}

/*
 * The key as the study's type: itself, or by way of its text, which is what
 * a literal is anyway and what numbers of other widths agree in.
 */
static Datum
key_convert(Datum key, Oid from, Oid to)
{
	Oid			function;
	Oid			ioparam;
	bool		varlena;
	char	   *written;

	if (from == to || IsBinaryCoercible(from, to))
		return key;
	if (from == BPCHAROID && to == TEXTOID)
		return DirectFunctionCall1(rtrim1, key);	/* blanks do not count */
	if (from == INT4OID && to == INT8OID)
		return Int64GetDatum((int64) DatumGetInt32(key));
	getTypeOutputInfo(from, &function, &varlena);
	written = OidOutputFunctionCall(function, key);
	getTypeInputInfo(to, &function, &ioparam);
	return OidInputFunctionCall(function, written, ioparam, -1);
}

/* Today in the study's zone: the setting, else the clock. */
static DateADT
live_today(SessionPlan *plan)
{
	if (churn_today_setting != NULL && *churn_today_setting)
		return DatumGetDateADT(DirectFunctionCall1(date_in,
												   CStringGetDatum(churn_today_setting)));
	return zone_days_from_timestamptz(plan->zone,
									  GetCurrentTransactionStartTimestamp());
}

/* The morning of tomorrow is the last whose past is known. */
static void
check_as_of(DateADT as_of, DateADT today)
{
	if (DATE_NOT_FINITE(as_of) || as_of > today + 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a score cannot be given as of a day after tomorrow's morning"),
				 errdetail("as_of is %s, today is %s.",
						   DatumGetCString(DirectFunctionCall1(date_out,
															   DateADTGetDatum(as_of))),
						   DatumGetCString(DirectFunctionCall1(date_out,
															   DateADTGetDatum(today))))));
}

/* The user's history up to today; 0 when empty. */
static Datum
history_read(SessionPlan *plan, const LiveStudy *study, Datum key,
			 DateADT today)
{
	Datum		arguments[3] = {key, DateADTGetDatum(today),
	DateADTGetDatum(study->through)};
	Datum		column[2] = {0, 0};
	bool		isnull;

	if (SPI_execute_plan(plan->plan, arguments, NULL, true, 0) !=
		SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not read a user's history");
	for (int i = 0; i < SPI_tuptable->tupdesc->natts; i++)
	{
		column[i] = SPI_getbinval(SPI_tuptable->vals[0],
								  SPI_tuptable->tupdesc, i + 1, &isnull);
		if (isnull)
			column[i] = (Datum) 0;
	}
	return plan->stored ?
		history_renew(column[0], study->through, column[1]) : column[0];
}

/*
 * All that may run SQL of the study's owner: reading a stored filter and the
 * input of the key's type (a domain's check, say), and reading the events.
 */
static void
events_read(FunctionCallInfo fcinfo, const char *schema, Live *live,
			DateADT *today)
{
	OwnerSwitch before = owner_switch(live->study.owner);
	SessionPlan *plan;
	Datum		key;

	live_busy = true;
	PG_TRY();
	{
		plan = session_plan(schema, &live->study);
		*today = live_today(plan);
		if (!PG_ARGISNULL(2))
			check_as_of(PG_GETARG_DATEADT(2), *today);
		key = key_convert(PG_GETARG_DATUM(0),
						  get_fn_expr_argtype(fcinfo->flinfo, 0),
						  plan->user_type);
		live->history = history_read(plan, &live->study, key, *today);
	}
	PG_FINALLY();
	{
		live_busy = false;
	}
	PG_END_TRY();
	owner_restore(&before);
}

/*
 * The as-of date of a live score: today, so that it equals this morning's
 * batch; tomorrow only for a user with an event today, so that it counts.
 */
static DateADT
live_as_of(Datum history, DateADT today)
{
	if (history == (Datum) 0)
		return today;
	return history_view(history, today, today + 1,
						HISTORY_KNOWABLE)->nkinds > 0 ? today + 1 : today;
}

void
live_read(FunctionCallInfo fcinfo, const char *schema, Live *live)
{
	DateADT		today;
	HistoryView *view;

	memset(live, 0, sizeof(*live));
	if (live_busy)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("a source of a study cannot ask for scores")));
	study_read(fcinfo, schema, &live->study);
	events_read(fcinfo, schema, live, &today);
	/* fetched last: the owner's SQL may not come between look-up and use */
	live->model = session_model(schema, &live->study);
	live->as_of = PG_ARGISNULL(2) ? live_as_of(live->history, today) :
		PG_GETARG_DATEADT(2);
	if (live->history == (Datum) 0)
		return;
	view = history_view(live->history, DATEVAL_NOBEGIN, live->as_of,
						HISTORY_KNOWABLE);
	live->standing = standing_compute(view, live->as_of, live->model->spec,
									  live->study.active_window,
									  live->study.min_tenure);
}
