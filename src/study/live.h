/*-------------------------------------------------------------------------
 *
 * live.h
 *	  What a live score is made of, and the session's caches behind it.
 *
 *	  live.c	  one call: study, key, history, standing
 *	  session.c	  caches: decoded models by id, plans by study and revision
 *	  score.c	  the SQL functions
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_LIVE_H
#define CHURN_LIVE_H

#include "executor/spi.h"
#include "fmgr.h"
#include "history/features.h"
#include "history/spec.h"
#include "history/standing.h"
#include "learn/model.h"
#include "utils/date.h"

/* The row of a study that one call works with, under the caller's snapshot */
typedef struct LiveStudy
{
	Oid			catalogue;		/* OID of churn_models: a new one when the
								 * extension was created anew, and its ids */
	char	   *name;
	Oid			owner;
	int64		revision;		/* moves with every change of the definition */
	int			active_window;	/* days */
	int			min_tenure;		/* days */
	int64		model_id;		/* the champion; ids are never reused */
	bool		stored;			/* STUDY_history holds for this revision, */
	DateADT		through;		/* days before this one */
} LiveStudy;

/* A decoded model, kept for the session */
typedef struct SessionModel
{
	Oid			catalogue;
	int64		id;
	uint64		used;			/* clock of the last use */
	MemoryContext context;		/* holds all below */
	Model	   *model;
	Spec	   *spec;
	FeatureList *features;
} SessionModel;

/* The plan that reads one user's history, kept for the session */
typedef struct SessionPlan
{
	Oid			catalogue;
	char		study[NAMEDATALEN];
	Oid			owner;			/* the plan is SQL of their making */
	int64		revision;
	uint64		used;
	bool		stored;			/* reads the stored history and what follows */
	SPIPlanPtr	plan;			/* $1 key of user_type, $2 today, $3 through */
	Oid			user_type;
	MemoryContext context;		/* holds the zone */
	ZoneDays   *zone;
} SessionPlan;

/* SPI is connected; "schema" is the quoted schema of the extension. */
extern SessionModel *session_model(const char *schema, const LiveStudy *study);
extern SessionPlan *session_plan(const char *schema, const LiveStudy *study);

/* One user, as a score sees them */
typedef struct Live
{
	LiveStudy	study;
	DateADT		as_of;
	Datum		history;		/* 0 when no event is known */
	Standing	standing;
	SessionModel *model;
} Live;

/*
 * Look up everything for one call of churn_score(user_id, study, as_of).  SPI
 * is connected and stays so: results live in its memory.
 */
extern void live_read(FunctionCallInfo fcinfo, const char *schema, Live *live);

#endif							/* CHURN_LIVE_H */
