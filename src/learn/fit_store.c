/*-------------------------------------------------------------------------
 *
 * fit_store.c
 *	  Pieces of equal size, written once and read many times: in memory, or
 *	  in a temporary file.
 *
 * The file counts against temp_file_limit, lies in temp_tablespaces, and
 * goes with the resource owner that was current when the store was made.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "storage/buffile.h"
#include "storage/shmem.h"
#include "utils/memutils.h"

#include "learn/fit_table.h"

struct FitStore
{
	MemoryContext context;		/* holds everything below */
	Size		piece_bytes;
	int64		npieces;
	BufFile    *file;			/* NULL: in memory */
	char	  **pieces;			/* in memory: each by itself */
	int64		room;			/* of pieces[] */
};

FitStore *
fit_store_create(Size piece_bytes, bool in_memory)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "churn_fit store",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	FitStore   *store = palloc0(sizeof(FitStore));

	store->context = context;
	store->piece_bytes = piece_bytes;
	if (!in_memory)
		store->file = BufFileCreateTemp(false);
	MemoryContextSwitchTo(caller);
	return store;
}

/* Room for one more piece in memory */
static char *
add_piece(FitStore *store)
{
	if (store->npieces == store->room)
	{
		int64		room = Max(store->room * 2, 64);
		Size		bytes = mul_size(room, sizeof(char *));

		store->pieces = store->pieces == NULL ?
			MemoryContextAllocHuge(store->context, bytes) :
			repalloc_huge(store->pieces, bytes);
		store->room = room;
	}
	return store->pieces[store->npieces] =
		MemoryContextAllocHuge(store->context, store->piece_bytes);
}

void
fit_store_append(FitStore *store, const void *piece)
{
	if (store->file == NULL)
		memcpy(add_piece(store), piece, store->piece_bytes);
	else
		BufFileWrite(store->file, (void *) piece, store->piece_bytes);
	store->npieces++;
}

/* Move the file to a position that may be beyond what an off_t step takes. */
static void
seek(BufFile *file, int64 position)
{
	if (BufFileSeekBlock(file, position / BLCKSZ) != 0 ||
		BufFileSeek(file, 0, position % BLCKSZ, SEEK_CUR) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not seek in temporary file of churn_fit")));
}

const void *
fit_store_read(const FitStore *store, int64 piece, Size offset, Size bytes,
			   void *buffer)
{
	Assert(piece < store->npieces && offset + bytes <= store->piece_bytes);
	if (store->file == NULL)
		return store->pieces[piece] + offset;
	seek(store->file, piece * (int64) store->piece_bytes + (int64) offset);
	if (BufFileRead(store->file, buffer, bytes) != bytes)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read temporary file of churn_fit")));
	return buffer;
}

bool
fit_store_in_memory(const FitStore *store)
{
	return store->file == NULL;
}

void
fit_store_free(FitStore *store)
{
	if (store->file != NULL)
		BufFileClose(store->file);
	MemoryContextDelete(store->context);
}
