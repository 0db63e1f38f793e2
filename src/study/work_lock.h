/*-------------------------------------------------------------------------
 *
 * work_lock.h
 *	  One session at a time refreshes a study or runs its tasks.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_WORK_LOCK_H
#define CHURN_WORK_LOCK_H

#include "storage/lock.h"

/* The lock of a study in this database, an advisory one. */
extern LOCKTAG work_lock_tag(const char *study);

/*
 * Take it, without waiting, for the session or until the end of the
 * transaction; false when another session has it.  A session keeps it beyond
 * an error: who took it must call work_lock_release() in every case.
 */
extern bool work_lock_take(const LOCKTAG *tag, bool session);
extern void work_lock_release(const LOCKTAG *tag);

#endif							/* CHURN_WORK_LOCK_H */
