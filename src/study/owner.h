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

/* The error for a study that the caller cannot see or that is not there. */
pg_noreturn extern void owner_study_missing(const char *schema,
											const char *study);

#endif							/* CHURN_OWNER_H */
