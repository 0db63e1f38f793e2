/*-------------------------------------------------------------------------
 *
 * code_stream.c
 *	  The codes of a table, made once and passed over many times, in memory
 *	  or in a temporary file.
 *
 * A piece holds as many rows as one of the table: block after block one code
 * a row, then the labels.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/memutils.h"

#include "learn/bins.h"
#include "learn/fit_table.h"

struct CodeStream
{
	FitStore   *store;
	int			piece_rows;
	int			nblocks;
	uint8	   *buffer;			/* of a piece */
};

static Size
stream_piece_bytes(const FitTable *table, int nblocks)
{
	return mul_size(table->piece_rows, (Size) nblocks + 1);
}

Size
code_stream_bytes(const FitTable *table, int nblocks)
{
	int64		npieces = (table->nrows + table->piece_rows - 1) /
		table->piece_rows;

	return mul_size(npieces, stream_piece_bytes(table, nblocks));
}

/* Codes of one piece of the table; cells of pairs are counted. */
static void
code_piece(CodeStream *stream, const FitMatrix *matrix, int64 piece,
		   const Binning *binning, const ColumnPair *pairs, int npairs,
		   int64 *counts, void *values)
{
	const FitTable *table = matrix->table;
	int			n = fit_table_rows(table, piece);
	uint8	   *next = stream->buffer;

	for (int i = 0; i < binning->ncolumns; i++, next += stream->piece_rows)
	{
		const BinnedColumn *column = &binning->columns[i];

		bins_code(column, fit_table_column(table, piece,
										   matrix->columns[column->column],
										   values), n, next);
	}
	for (int p = 0; p < npairs; p++, next += stream->piece_rows)
	{
		int64	   *count = counts + (Size) p * PAIR_CELLS;

		pairs_cells(binning, pairs[p],
					stream->buffer + (Size) pairs[p].first * stream->piece_rows,
					stream->buffer + (Size) pairs[p].second * stream->piece_rows,
					n, next);
		for (int i = 0; i < n; i++)
			count[next[i]]++;
	}
	memcpy(next, fit_table_churned(table, piece, values), n);
}

CodeStream *
code_stream_create(const FitMatrix *matrix, const Binning *binning,
				   const ColumnPair *columns, int npairs, CodedPair *pairs,
				   Size spare)
{
	const FitTable *table = matrix->table;
	CodeStream *stream = palloc0(sizeof(CodeStream));
	int64	   *counts = palloc0(sizeof(int64) * PAIR_CELLS * Max(npairs, 1));
	void	   *values = palloc(fit_table_buffer(table));
	Size		bytes;

	stream->piece_rows = table->piece_rows;
	stream->nblocks = binning->ncolumns + npairs;
	bytes = stream_piece_bytes(table, stream->nblocks);
	stream->buffer = MemoryContextAllocHuge(CurrentMemoryContext, bytes);
	memset(stream->buffer, 0, bytes);
	stream->store = fit_store_create(bytes,
									 code_stream_bytes(table, stream->nblocks) <= spare);
	for (int64 piece = 0; piece * table->piece_rows < table->nrows; piece++)
	{
		CHECK_FOR_INTERRUPTS();
		code_piece(stream, matrix, piece, binning, columns, npairs, counts,
				   values);
		fit_store_append(stream->store, stream->buffer);
	}
	for (int p = 0; p < npairs; p++)
		pairs_learn(binning, columns[p], counts + (Size) p * PAIR_CELLS,
					&pairs[p]);
	pfree(values);
	pfree(counts);
	return stream;
}

/* A whole piece at once: newton.c's "load" */
static void
stream_load(void *arg, int64_t first, CodeChunk *chunk)
{
	CodeStream *stream = arg;
	Size		rows = stream->piece_rows;
	const uint8 *piece = fit_store_read(stream->store, first / rows, 0,
										rows * (stream->nblocks + 1),
										stream->buffer);

	for (int b = 0; b < stream->nblocks; b++)
		chunk->codes[b] = piece + b * rows;
	chunk->churned = piece + stream->nblocks * rows;
	chunk->training = NULL;
}

void
code_stream_attach(CodeStream *stream, CodeProblem *problem)
{
	Assert(stream->piece_rows <= CODES_CHUNK);
	problem->load = stream_load;
	problem->load_arg = stream;
	problem->chunk_rows = stream->piece_rows;
}

void
code_stream_free(CodeStream *stream)
{
	fit_store_free(stream->store);
	pfree(stream->buffer);
	pfree(stream);
}
