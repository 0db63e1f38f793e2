/*-------------------------------------------------------------------------
 *
 * owner.h
 *	  Whose rights the work of a study is done with.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_OWNER_H
#define CHURN_OWNER_H

#include "churn.h"
#include "fmgr.h"

/* What must be put back after owner_switch(); errors put it back themselves */
typedef struct OwnerSwitch
{
	Oid			user;
	int			security_context;
} OwnerSwitch;

/* Become the owner of a study until owner_restore(). */
extern OwnerSwitch owner_switch(Oid owner);
extern void owner_restore(const OwnerSwitch *before);

/* Owner of a study, by the caller's rights; errors when it is not theirs. */
extern Oid	owner_of_study(const char *schema, Datum study);

#define OWNED_MAX_ARGUMENTS	16

/* A call of NAME_owned as SQL text, its first argument the study */
typedef struct OwnedCall
{
	char	   *sql;			/* SELECT * FROM schema.name($1, …) */
	char	   *schema;			/* of the extension */
	int			nargs;
	Oid			types[OWNED_MAX_ARGUMENTS];
	Datum		values[OWNED_MAX_ARGUMENTS];
	char		nulls[OWNED_MAX_ARGUMENTS]; /* 'n' for NULL, else ' ' */
} OwnedCall;

/*
 * Run the call as the study's owner under a pinned search_path; SPI is
 * connected, a snapshot is active, results are in SPI_tuptable.
 */
extern void owned_call_run(OwnedCall *call);

/* The error for a study that the caller cannot see or that is not there. */
pg_noreturn extern void owner_study_missing(const char *schema,
											const char *study);

#endif							/* CHURN_OWNER_H */
