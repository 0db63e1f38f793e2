/*-------------------------------------------------------------------------
 *
 * history_io.c
 *	  Binary form of churn_history, and its entry points of input and output.
 *
 * The binary form is the stored form (history_format.h), whose first byte is
 * its version, with the names of kinds in the client's encoding.  What comes
 * in is read with the same distrust as damaged pages, and its names are
 * converted, which checks them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "history/history_state.h"
#include "history/history_text.h"

/* Text in: see history_text.c. */
PG_FUNCTION_INFO_V1(churn_history_in);
Datum
churn_history_in(PG_FUNCTION_ARGS)
{
	struct varlena *history = history_from_text(PG_GETARG_CSTRING(0),
												fcinfo->context);

	if (history == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(history);
}

/* Text out */
PG_FUNCTION_INFO_V1(churn_history_out);
Datum
churn_history_out(PG_FUNCTION_ARGS)
{
	struct varlena *history = PG_GETARG_VARLENA_PP(0);

	PG_RETURN_CSTRING(history_to_text(VARDATA_ANY(history),
									  VARSIZE_ANY_EXHDR(history)));
}

/* Bytes that a client has sent and that are no history */
static void
refuse_binary(const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("invalid binary form of churn_history"),
			 errdetail("Reading it failed: %s.", why)));
}

/* The number of a kind that a client has named. */
static uint32
receive_kind(KindDictionary *kinds, const HistoryReader *reader)
{
	char	   *name = pnstrdup((const char *) reader->kind,
								reader->kind_bytes);
	char	   *own = pg_client_to_server(name, (int) reader->kind_bytes);
	size_t		nbytes = strlen(own);
	uint32		before = kinds->nkinds;
	uint32		number;

	if (nbytes < 1 || nbytes > HISTORY_KIND_BYTES)
		refuse_binary("a kind's name has no valid length");
	number = kinds_number(kinds, own, (uint32) nbytes);
	if (number < before)
		refuse_binary("a kind appears twice");
	if (own != name)
		pfree(own);
	pfree(name);
	return number;
}

/* Binary in */
PG_FUNCTION_INFO_V1(churn_history_recv);
Datum
churn_history_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buffer = (StringInfo) PG_GETARG_POINTER(0);
	int			nbytes = buffer->len - buffer->cursor;
	const char *bytes = pq_getmsgbytes(buffer, nbytes);
	KindDictionary *kinds = kinds_create(CurrentMemoryContext);
	HistoryState *state = history_state_create(CurrentMemoryContext, kinds);
	HistoryReader reader;
	HistoryEntry entry;

	history_reader_open(&reader, bytes, (size_t) nbytes);
	reader.foreign = pg_get_client_encoding() != GetDatabaseEncoding();
	while (history_reader_kind(&reader))
	{
		uint32		kind = receive_kind(kinds, &reader);

		CHECK_FOR_INTERRUPTS();
		while (history_reader_entry(&reader, &entry))
			state = history_state_add(state, kind, &entry);
	}
	if (reader.damage)
		refuse_binary(reader.damage);
	PG_RETURN_POINTER(history_state_build(state));
}

/* Write one kind in the client's encoding. */
static void
send_kind(HistoryReader *reader, HistoryWriter *writer)
{
	HistoryEntry entry;
	char	   *name = pnstrdup((const char *) reader->kind,
								reader->kind_bytes);
	char	   *theirs = pg_server_to_client(name, (int) reader->kind_bytes);

	/* a name of 63 bytes has at most four times as many anywhere */
	history_writer_kind(writer, theirs, (uint32) strlen(theirs));
	while (history_reader_entry(reader, &entry))
		history_writer_entry(writer, &entry);
	history_writer_kind_end(writer);
}

/* Binary out */
PG_FUNCTION_INFO_V1(churn_history_send);
Datum
churn_history_send(PG_FUNCTION_ARGS)
{
	struct varlena *history = PG_GETARG_VARLENA_PP(0);
	HistoryReader reader;
	HistoryWriter writer;

	history_reader_open(&reader, VARDATA_ANY(history),
						VARSIZE_ANY_EXHDR(history));
	history_writer_open(&writer, VARHDRSZ,
						VARSIZE_ANY_EXHDR(history) + 64, history_grow);
	while (history_reader_kind(&reader))
		send_kind(&reader, &writer);
	if (reader.damage)
		history_damaged(reader.damage);
	PG_RETURN_BYTEA_P((bytea *) history_writer_finish(&writer));
}
