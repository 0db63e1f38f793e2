/*-------------------------------------------------------------------------
 *
 * kinds.c
 *	  The dictionary of kinds that the groups of an aggregate share.
 *
 * A shop has a handful of kinds and a million users: the names are kept once
 * for all groups, and a state holds numbers.  The dictionary belongs to the
 * memory context of the aggregate, because that is what lives as long as the
 * states: fn_extra does not (Citus makes a new FmgrInfo for every row), and a
 * hash aggregate that spills resets its context and begins again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "storage/shmem.h"
#include "utils/memutils.h"

#include "history/kinds.h"

/* Dictionaries of the contexts that are alive, the one used last first */
typedef struct SharedKinds
{
	MemoryContext context;
	KindDictionary *kinds;
	struct SharedKinds *next;
	MemoryContextCallback callback;
} SharedKinds;

static SharedKinds *shared_list = NULL;

/*
 * Hash of a name.  Every row does this, so it goes by words; the names are
 * short and few.
 */
static inline uint32
hash_name(const char *name, uint32 nbytes)
{
	uint64		hash = nbytes;
	uint64		word;
	uint32		left = nbytes;

	for (; left > 8; left -= 8, name += 8)
	{
		memcpy(&word, name, 8);
		hash = (hash ^ word) * UINT64CONST(0x9e3779b97f4a7c15);
		hash ^= hash >> 32;
	}
	/* the last one to eight bytes, as two words that may overlap */
	if (left >= 4)
	{
		uint32		first,
					last;

		memcpy(&first, name, 4);
		memcpy(&last, name + left - 4, 4);
		word = (uint64) first << 32 | last;
	}
	else
		word = (uint64) (unsigned char) name[0] << 16 |
			(uint64) (unsigned char) name[left / 2] << 8 |
			(unsigned char) name[left - 1];
	hash = (hash ^ word) * UINT64CONST(0x9e3779b97f4a7c15);
	return (uint32) (hash >> 32);
}

/* Whether two names of the same length are equal; a call costs more. */
static inline bool
equal_names(const char *left, const char *right, uint32 nbytes)
{
	if (nbytes >= 4 && nbytes <= 8)
	{
		uint32		words[4];

		memcpy(&words[0], left, 4);
		memcpy(&words[1], right, 4);
		memcpy(&words[2], left + nbytes - 4, 4);
		memcpy(&words[3], right + nbytes - 4, 4);
		return words[0] == words[1] && words[2] == words[3];
	}
	return memcmp(left, right, nbytes) == 0;
}

/* An empty dictionary in "context". */
KindDictionary *
kinds_create(MemoryContext context)
{
	KindDictionary *kinds;

	kinds = MemoryContextAlloc(context, sizeof(KindDictionary));
	kinds->context = context;
	kinds->nkinds = 0;
	kinds->capacity = 8;
	kinds->kinds = MemoryContextAlloc(context,
									  kinds->capacity * sizeof(Kind));
	kinds->mask = 15;
	kinds->table = MemoryContextAllocZero(context,
										  (kinds->mask + 1) * sizeof(uint32));
	kinds->round = 0;
	return kinds;
}

/* Free a dictionary that kinds_create() made. */
void
kinds_free(KindDictionary *kinds)
{
	pfree(kinds->table);
	pfree(kinds->kinds);
	pfree(kinds);
}

/* The context is reset or deleted: its dictionary is gone. */
static void
shared_forget(void *arg)
{
	for (SharedKinds **link = &shared_list; *link; link = &(*link)->next)
	{
		if (*link == arg)
		{
			*link = (*link)->next;
			return;
		}
	}
}

/* The one dictionary of "context", made at the first call. */
KindDictionary *
kinds_shared(MemoryContext context)
{
	SharedKinds *shared;

	for (SharedKinds **link = &shared_list; *link; link = &(*link)->next)
	{
		shared = *link;
		if (shared->context == context)
		{
			*link = shared->next;
			shared->next = shared_list;
			shared_list = shared;
			return shared->kinds;
		}
	}
	shared = MemoryContextAlloc(context, sizeof(SharedKinds));
	shared->context = context;
	shared->kinds = kinds_create(context);
	shared->callback.func = shared_forget;
	shared->callback.arg = shared;
	MemoryContextRegisterResetCallback(context, &shared->callback);
	shared->next = shared_list;
	shared_list = shared;
	return shared->kinds;
}

/* Enter a kind into the hash table, which has a free place. */
static void
table_insert(KindDictionary *kinds, uint32 number)
{
	uint32		place = kinds->kinds[number].hash & kinds->mask;

	while (kinds->table[place] != 0)
		place = (place + 1) & kinds->mask;
	kinds->table[place] = number + 1;
}

/* Double the dictionary; the table stays at most half full. */
static void
grow(KindDictionary *kinds)
{
	uint32		capacity = kinds->capacity * 2;
	Size		table_bytes = mul_size(2 * (Size) capacity, sizeof(uint32));
	uint32	   *table;

	table = MemoryContextAllocExtended(kinds->context, table_bytes,
									   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	kinds->kinds = repalloc_huge(kinds->kinds,
								 mul_size(capacity, sizeof(Kind)));
	pfree(kinds->table);
	kinds->table = table;
	kinds->mask = 2 * capacity - 1;
	kinds->capacity = capacity;
	for (uint32 i = 0; i < kinds->nkinds; i++)
		table_insert(kinds, i);
}

/*
 * The number of a kind, given a new one if need be.  The name has 1 to
 * HISTORY_KIND_BYTES bytes.
 */
uint32
kinds_number(KindDictionary *kinds, const char *name, uint32 nbytes)
{
	uint32		hash = hash_name(name, nbytes);
	Kind	   *kind;

	for (uint32 place = hash & kinds->mask; kinds->table[place] != 0;
		 place = (place + 1) & kinds->mask)
	{
		uint32		number = kinds->table[place] - 1;

		kind = &kinds->kinds[number];
		if (kind->hash == hash && kind->nbytes == nbytes &&
			equal_names(kind->name, name, nbytes))
			return number;
	}
	if (kinds->nkinds == kinds->capacity)
		grow(kinds);
	kind = &kinds->kinds[kinds->nkinds];
	kind->hash = hash;
	kind->nbytes = nbytes;
	kind->round = 0;
	memcpy(kind->name, name, nbytes);
	kind->name[nbytes] = '\0';
	table_insert(kinds, kinds->nkinds);
	return kinds->nkinds++;
}
