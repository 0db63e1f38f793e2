/*-------------------------------------------------------------------------
 *
 * levels.c
 *	  Texts as numbers: the levels of a column.
 *
 * In the rows of a fit a text is 53 bits of its hash, as a whole number that
 * a double holds: it says nothing of the order in which texts arrived, so
 * sorted rows are the same in any order.  The table beside knows the texts.
 *
 * A text of more than MODEL_LEVEL_BYTES is never a level of its own; it is
 * not kept, and its number lies above those of the others.
 *
 * Open addressing, half full at most: a score looks one text up a column.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "learn/levels.h"

#define HASH_BITS	53
#define HASH_LIMIT	(UINT64CONST(1) << HASH_BITS)
#define FIRST_SLOTS	64

typedef struct LevelEntry
{
	uint64		hash;			/* below HASH_LIMIT */
	char	   *text;			/* with a zero behind */
	int			length;
	int			number;			/* in the order of bytes, once sealed */
} LevelEntry;

/* Invariant: a slot is 0, or 1 + the place of an entry */
struct LevelTable
{
	MemoryContext context;		/* of the table's own */
	int			count;
	int			room;			/* of entries[] */
	LevelEntry *entries;
	uint32		nslots;			/* power of two, at least 2 * room */
	uint32	   *slots;
	Size		bytes;			/* of texts, entries and slots */
	bool		crowded;		/* more than LEVELS_MAX_DISTINCT came */
	int		   *by_number;		/* entry of a number, once sealed */
};

/* FNV-1a, its bits mixed once more, 53 of them */
static uint64
hash_text(const char *bytes, Size length)
{
	uint64		hash = UINT64CONST(0xcbf29ce484222325);

	for (Size i = 0; i < length; i++)
		hash = (hash ^ (unsigned char) bytes[i]) * UINT64CONST(0x100000001b3);
	hash = (hash ^ (hash >> 32)) * UINT64CONST(0xd6e8feb86659fd93);
	return (hash ^ (hash >> 32)) >> (64 - HASH_BITS);
}

/* Room for so many entries; slots are filled anew. */
static void
make_room(LevelTable *table, int room)
{
	Size		slot_bytes;

	table->bytes -= table->room * sizeof(LevelEntry) +
		table->nslots * sizeof(uint32);
	table->room = room;
	table->nslots = 2 * room;
	slot_bytes = table->nslots * sizeof(uint32);
	if (table->entries == NULL)
		table->entries = MemoryContextAlloc(table->context,
											room * sizeof(LevelEntry));
	else
	{
		table->entries = repalloc(table->entries, room * sizeof(LevelEntry));
		pfree(table->slots);
	}
	table->slots = MemoryContextAllocZero(table->context, slot_bytes);
	table->bytes += room * sizeof(LevelEntry) + slot_bytes;
	for (int i = 0; i < table->count; i++)
	{
		uint32		at = table->entries[i].hash & (table->nslots - 1);

		while (table->slots[at] != 0)
			at = (at + 1) & (table->nslots - 1);
		table->slots[at] = i + 1;
	}
}

LevelTable *
levels_create(MemoryContext context)
{
	LevelTable *table = MemoryContextAllocZero(context, sizeof(LevelTable));

	table->context = AllocSetContextCreate(context, "churn levels",
										   ALLOCSET_DEFAULT_SIZES);
	make_room(table, FIRST_SLOTS / 2);
	return table;
}

/* The entry of a hash, or NULL */
static LevelEntry *
find_hash(const LevelTable *table, uint64 hash)
{
	uint32		at = hash & (table->nslots - 1);

	while (table->slots[at] != 0)
	{
		LevelEntry *entry = &table->entries[table->slots[at] - 1];

		if (entry->hash == hash)
			return entry;
		at = (at + 1) & (table->nslots - 1);
	}
	return NULL;
}

/* A text that is not there yet */
static void
add_entry(LevelTable *table, uint64 hash, const char *bytes, int length)
{
	LevelEntry *entry;
	uint32		at;

	if (table->count == table->room)
		make_room(table, table->room * 2);
	at = hash & (table->nslots - 1);
	while (table->slots[at] != 0)
		at = (at + 1) & (table->nslots - 1);
	entry = &table->entries[table->count];
	entry->hash = hash;
	entry->length = length;
	entry->number = table->count;
	entry->text = MemoryContextAlloc(table->context, length + 1);
	memcpy(entry->text, bytes, length);
	entry->text[length] = '\0';
	table->slots[at] = ++table->count;
	/* the allocator's own header included */
	table->bytes += length + 1 + 2 * sizeof(void *);
}

/* Forget all texts: the column will not be an input. */
static void
give_up(LevelTable *table)
{
	MemoryContextReset(table->context);
	table->entries = NULL;
	table->slots = NULL;
	table->count = table->room = table->nslots = 0;
	table->by_number = NULL;
	table->bytes = 0;
	table->crowded = true;
}

static bool
entry_is(const LevelEntry *entry, const char *bytes, Size length)
{
	return (Size) entry->length == length &&
		memcmp(entry->text, bytes, length) == 0;
}

double
levels_collect(LevelTable *table, const char *column, const char *bytes,
			   Size length)
{
	uint64		hash = hash_text(bytes, length);
	LevelEntry *entry;

	/* from 2^53 to 2^54 doubles are even */
	if (length > MODEL_LEVEL_BYTES)
		return (double) (HASH_LIMIT + (hash & ~UINT64CONST(1)));
	if (table->crowded)
		return (double) hash;
	entry = find_hash(table, hash);
	if (entry == NULL && table->count == LEVELS_MAX_DISTINCT)
		give_up(table);
	else if (entry == NULL)
		add_entry(table, hash, bytes, length);
	else if (!entry_is(entry, bytes, length))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("two values of column \"%s\" have the same hash", column),
				 errdetail("The values are \"%s\" and \"%s\".", entry->text,
						   pnstrdup(bytes, length)),
				 errhint("Write one of them differently, or leave the column out by the option {\"exclude\": [\"%s\"]}.",
						 column)));
	return (double) hash;
}

Size
levels_bytes(const LevelTable *table)
{
	return table->bytes;
}

static int
compare_entries(const void *a, const void *b, void *arg)
{
	const LevelEntry *entries = arg;
	const LevelEntry *left = &entries[*(const int *) a];
	const LevelEntry *right = &entries[*(const int *) b];
	int			order = memcmp(left->text, right->text,
							   Min(left->length, right->length));

	return order != 0 ? order : left->length - right->length;
}

void
levels_seal(LevelTable *table)
{
	int		   *order;

	if (table->crowded)
		return;
	/* a window function seals again after more rows */
	if (table->by_number != NULL)
		pfree(table->by_number);
	order = MemoryContextAlloc(table->context,
							   sizeof(int) * Max(table->count, 1));
	for (int i = 0; i < table->count; i++)
		order[i] = i;
	qsort_arg(order, table->count, sizeof(int), compare_entries,
			  table->entries);
	for (int i = 0; i < table->count; i++)
		table->entries[order[i]].number = i;
	table->by_number = order;
}

int
levels_count(const LevelTable *table)
{
	return table->crowded ? -1 : table->count;
}

int
levels_number(const LevelTable *table, double value)
{
	const LevelEntry *entry;

	if (table->crowded || value >= (double) HASH_LIMIT)
		return table->count;
	entry = find_hash(table, (uint64) value);
	if (entry == NULL)
		elog(ERROR, "a row has a level that was not collected");
	return entry->number;
}

char *
levels_text(const LevelTable *table, int number)
{
	return table->entries[table->by_number[number]].text;
}

LevelTable *
levels_of(MemoryContext context, char **texts, int count)
{
	LevelTable *table = levels_create(context);

	for (int i = 0; i < count; i++)
	{
		Size		length = strlen(texts[i]);
		uint64		hash = hash_text(texts[i], length);

		/* a fit refuses this, but texts may come in another encoding */
		if (find_hash(table, hash) != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("level \"%s\" of the model has the hash of another",
							texts[i])));
		add_entry(table, hash, texts[i], length);
	}
	return table;
}

int
levels_find(const LevelTable *table, const char *bytes, Size length)
{
	const LevelEntry *entry = find_hash(table, hash_text(bytes, length));

	return entry != NULL && entry_is(entry, bytes, length) ?
		entry->number : -1;
}
