/*-------------------------------------------------------------------------
 *
 * kinds.h
 *	  Names of kinds as small numbers, for the states of one aggregate.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_KINDS_H
#define CHURN_KINDS_H

#include "history/limits.h"

/* A kind that some state has seen */
typedef struct Kind
{
	uint64		round;			/* scratch of readers: the slot is valid in */
	uint32		slot;			/* this round of the dictionary */
	uint32		hash;
	uint32		nbytes;
	char		name[HISTORY_KIND_BYTES + 1];	/* NUL-terminated */
} Kind;

typedef struct KindDictionary
{
	MemoryContext context;		/* holds this and everything in it */
	Kind	   *kinds;			/* by number */
	uint32		nkinds;
	uint32		capacity;		/* of kinds */
	uint32	   *table;			/* hash table: number + 1, or 0 */
	uint32		mask;			/* its size less one */
	uint64		round;			/* see Kind */
} KindDictionary;

extern KindDictionary *kinds_create(MemoryContext context);
extern KindDictionary *kinds_shared(MemoryContext context);
extern void kinds_free(KindDictionary *kinds);
extern uint32 kinds_number(KindDictionary *kinds, const char *name,
						   uint32 nbytes);

#endif							/* CHURN_KINDS_H */
