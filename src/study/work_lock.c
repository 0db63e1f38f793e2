/*-------------------------------------------------------------------------
 *
 * work_lock.c
 *	  The advisory lock of a study: who holds it refreshes it or runs its
 *	  tasks.
 *
 * It is held by a session beyond its transactions, since stages commit.  A
 * session that dies loses it, so nobody holding it proves that work which is
 * recorded as running has died.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"

#include "study/work_lock.h"

/*
 * Seed of the lock's key: other users of advisory locks hash otherwise.
 * churn_work_lock_key() in runs.sql computes the same.
 */
#define WORK_LOCK_SEED	UINT64CONST(0x636875726e5f7266)

LOCKTAG
work_lock_tag(const char *study)
{
	uint64		key = DatumGetUInt64(hash_any_extended((const unsigned char *) study,
													   strlen(study),
													   WORK_LOCK_SEED));
	LOCKTAG		tag;

	/* as pg_advisory_lock(bigint) writes it */
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) (key >> 32),
						 (uint32) key, 1);
	return tag;
}

bool
work_lock_take(const LOCKTAG *tag, bool session)
{
	return LockAcquire(tag, ExclusiveLock, session, true) !=
		LOCKACQUIRE_NOT_AVAIL;
}

void
work_lock_release(const LOCKTAG *tag)
{
	LockRelease(tag, ExclusiveLock, true);
}
