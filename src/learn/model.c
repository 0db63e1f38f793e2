/*-------------------------------------------------------------------------
 *
 * model.c
 *	  The stored and sent form of churn_model.
 *
 * The form is the same on every machine: numbers in network order, names in
 * UTF-8.  After the length word come
 *
 *	  magic "chM", format version (1 byte), reserved zeros (4 bytes),
 *	  hash of the payload (8 bytes), payload
 *
 * and the payload is: spec text (flag, string), intercept, inputs (count;
 * each a name and the byte of its type), reference date (flag, days since
 * 2000-01-01), terms (count; each a kind byte and what model_terms.c says of it,
 * pairs last), provenance.
 * The hash guards against damage and keys caches of decoded models.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "history/spec.h"
#include "learn/model_io.h"

#define MODEL_VERSION		1
#define MODEL_HEADER_BYTES	16	/* magic, version, reserved, hash */

static const char model_magic[3] = {'c', 'h', 'M'};

extern Datum churn_spec_in(PG_FUNCTION_ARGS);
extern Datum churn_spec_out(PG_FUNCTION_ARGS);

/*
 * FNV-1a, 64 bits: every changed byte changes the hash, since each step maps
 * states one to one.
 */
static uint64
model_hash_bytes(const char *bytes, Size length)
{
	uint64		hash = UINT64CONST(0xcbf29ce484222325);

	for (Size i = 0; i < length; i++)
		hash = (hash ^ (unsigned char) bytes[i]) * UINT64CONST(0x100000001b3);
	return hash;
}

/* Network-order numbers out of raw bytes */
static uint32
load_uint32(const char *bytes)
{
	uint32		n;

	memcpy(&n, bytes, sizeof(n));
	return pg_ntoh32(n);
}

static uint64
load_uint64(const char *bytes)
{
	uint64		n;

	memcpy(&n, bytes, sizeof(n));
	return pg_ntoh64(n);
}

void
model_damaged(int sqlstate, const char *what)
{
	ereport(ERROR,
			(errcode(sqlstate),
			 errmsg("churn_model value is damaged: %s", what),
			 errhint("Restore the value from a backup, or fit the model again.")));
}

/*
 * Magic, version and hash of a header; "length" is the whole value without
 * its length word.
 */
static void
header_check(const char *bytes, Size length, int sqlstate)
{
	if (length < MODEL_HEADER_BYTES ||
		memcmp(bytes, model_magic, sizeof(model_magic)) != 0)
		model_damaged(sqlstate, "it does not begin like a model");
	if (bytes[3] != MODEL_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("churn_model format version %d is not known here, only %d",
						(unsigned char) bytes[3], MODEL_VERSION),
				 errhint("Update the extension churn to the version that wrote the model.")));
	if (load_uint32(bytes + 4) != 0)
		model_damaged(sqlstate, "reserved bytes are not zero");
	if (load_uint64(bytes + 8) !=
		model_hash_bytes(bytes + MODEL_HEADER_BYTES,
						 length - MODEL_HEADER_BYTES))
		model_damaged(sqlstate, "its checksum does not match");
}

const char *
reader_take(ModelReader *reader, Size length)
{
	const char *bytes = reader->next;

	if (length > (Size) (reader->end - reader->next))
		model_damaged(reader->sqlstate, "it ends too early");
	reader->next += length;
	return bytes;
}

bool
reader_flag(ModelReader *reader)
{
	unsigned char flag = *reader_take(reader, 1);

	if (flag > 1)
		model_damaged(reader->sqlstate, "a flag is neither 0 nor 1");
	return flag == 1;
}

uint32
reader_uint32(ModelReader *reader)
{
	return load_uint32(reader_take(reader, 4));
}

double
reader_double(ModelReader *reader)
{
	uint64		bits = load_uint64(reader_take(reader, 8));
	double		x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

char *
reader_string(ModelReader *reader, uint32 limit)
{
	uint32		length = reader_uint32(reader);
	const char *bytes;
	char	   *copy;

	if (length > limit)
		model_damaged(reader->sqlstate, "a string is too long");
	bytes = reader_take(reader, length);
	if (memchr(bytes, '\0', length) != NULL)
		model_damaged(reader->sqlstate, "a string holds a zero byte");
	copy = pnstrdup(bytes, length);
	/* checks the encoding; returns its argument when nothing is to be done */
	return pg_any_to_server(copy, length, PG_UTF8);
}

static void
read_inputs(ModelReader *reader, Model *model)
{
	uint32		count = reader_uint32(reader);

	if (count > MODEL_MAX_INPUTS)
		model_damaged(reader->sqlstate, "too many inputs");
	model->ninputs = count;
	model->inputs = palloc(sizeof(char *) * Max(count, 1));
	model->types = palloc(Max(count, 1));
	for (uint32 i = 0; i < count; i++)
	{
		model->inputs[i] = reader_string(reader, 4 * MODEL_NAME_BYTES);
		model->types[i] = *reader_take(reader, 1);
	}
	model->has_reference = reader_flag(reader);
	if (model->has_reference)
		model->reference_date = (int32) reader_uint32(reader);
}

Model *
model_parse(const char *bytes, Size length, int sqlstate)
{
	ModelReader reader = {bytes + MODEL_HEADER_BYTES, bytes + length, sqlstate};
	Model	   *model = palloc0(sizeof(Model));

	header_check(bytes, length, sqlstate);
	if (reader_flag(&reader))
	{
		char	   *spec = reader_string(&reader, MODEL_MAX_BYTES);

		model->spec = DirectFunctionCall1(churn_spec_in, CStringGetDatum(spec));
	}
	model->intercept = reader_double(&reader);
	read_inputs(&reader, model);
	model_read_terms(&reader, model);
	model->provenance = reader_string(&reader, MODEL_MAX_BYTES);
	if (reader.next != reader.end)
		model_damaged(sqlstate, "bytes follow its end");
	model_validate(model, sqlstate);
	return model;
}

Model *
model_decode(Datum datum)
{
	struct varlena *value = PG_DETOAST_DATUM_PACKED(datum);

	return model_parse(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value),
					   ERRCODE_DATA_CORRUPTED);
}

uint64
model_hash(Datum datum)
{
	struct varlena *header = (struct varlena *) DatumGetPointer(datum);
	uint64		hash;

	if (VARATT_IS_EXTERNAL(header) || VARATT_IS_COMPRESSED(header))
		header = PG_DETOAST_DATUM_SLICE(datum, 0, MODEL_HEADER_BYTES);
	if (VARSIZE_ANY_EXHDR(header) < MODEL_HEADER_BYTES)
		model_damaged(ERRCODE_DATA_CORRUPTED, "it does not begin like a model");
	hash = load_uint64(VARDATA_ANY(header) + 8);
	if ((Pointer) header != DatumGetPointer(datum))
		pfree(header);
	return hash;
}

void
model_validate(const Model *model, int sqlstate)
{
	if (model->ninputs < 1 || model->ninputs > MODEL_MAX_INPUTS)
		model_damaged(sqlstate, "the number of inputs is out of range");
	for (int i = 0; i < model->ninputs; i++)
	{
		Size		length = strlen(model->inputs[i]);

		if (length < 1 || length > MODEL_NAME_BYTES)
			model_damaged(sqlstate, "the name of an input is empty or too long");
		if (model->types[i] >= MODEL_TYPES)
			model_damaged(sqlstate, "the type of an input is not known");
		if (model->spec != (Datum) 0 && model->types[i] != MODEL_NUMBER)
			model_damaged(sqlstate, "a feature is not a number");
		if (!model->has_reference && (model->types[i] == MODEL_DATE ||
									  model->types[i] == MODEL_TIMESTAMP))
			model_damaged(sqlstate, "dates lack a reference date");
	}
	if (model->has_reference &&
		(model->reference_date < MODEL_FIRST_DATE ||
		 model->reference_date > MODEL_LAST_DATE))
		model_damaged(sqlstate, "the reference date is out of range");
	if (!(fabs(model->intercept) <= MODEL_MAX_SHARE))
		model_damaged(sqlstate, "the intercept is out of range");
	model_validate_terms(model, sqlstate);
}

void
send_string(StringInfo out, const char *string)
{
	int			length = strlen(string);
	char	   *utf8 = pg_server_to_any(string, length, PG_UTF8);

	if (utf8 != string)
		length = strlen(utf8);
	pq_sendint32(out, length);
	pq_sendbytes(out, utf8, length);
}

void
send_double(StringInfo out, double x)
{
	pq_sendfloat8(out, x == 0 ? 0 : x);
}

/* JSON text as jsonb prints it, so that printing and reading change nothing */
static char *
canonical_json(const char *json)
{
	Jsonb	   *value = DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
														   CStringGetDatum(json)));

	return JsonbToCString(NULL, &value->root, VARSIZE(value));
}

Datum
model_encode(Model *model)
{
	StringInfoData out;
	uint64		hash;

	model_validate(model, ERRCODE_INTERNAL_ERROR);
	model->provenance = canonical_json(model->provenance);
	initStringInfo(&out);
	appendStringInfoSpaces(&out, VARHDRSZ);
	pq_sendbytes(&out, model_magic, sizeof(model_magic));
	pq_sendbyte(&out, MODEL_VERSION);
	pq_sendint32(&out, 0);
	pq_sendint64(&out, 0);		/* the hash, below */

	pq_sendbyte(&out, model->spec != (Datum) 0);
	if (model->spec != (Datum) 0)
		send_string(&out, DatumGetCString(DirectFunctionCall1(churn_spec_out,
															  model->spec)));
	send_double(&out, model->intercept);
	pq_sendint32(&out, model->ninputs);
	for (int i = 0; i < model->ninputs; i++)
	{
		send_string(&out, model->inputs[i]);
		pq_sendbyte(&out, model->types[i]);
	}
	pq_sendbyte(&out, model->has_reference);
	if (model->has_reference)
		pq_sendint32(&out, model->reference_date);
	model_send_terms(&out, model);
	send_string(&out, model->provenance);

	if (out.len > MODEL_MAX_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("model of %d bytes exceeds the limit of %d bytes",
						out.len, MODEL_MAX_BYTES),
				 errhint("Leave columns out.")));
	hash = pg_hton64(model_hash_bytes(out.data + VARHDRSZ + MODEL_HEADER_BYTES,
									  out.len - VARHDRSZ - MODEL_HEADER_BYTES));
	memcpy(out.data + VARHDRSZ + 8, &hash, sizeof(hash));
	SET_VARSIZE(out.data, out.len);
	return PointerGetDatum(out.data);
}

/* The wire form is the stored form without its length word. */
PG_FUNCTION_INFO_V1(churn_model_send);
Datum
churn_model_send(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0));
	StringInfoData out;

	pq_begintypsend(&out);
	pq_sendbytes(&out, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

/* Everything is parsed before anything is stored. */
PG_FUNCTION_INFO_V1(churn_model_recv);
Datum
churn_model_recv(PG_FUNCTION_ARGS)
{
	StringInfo	in = (StringInfo) PG_GETARG_POINTER(0);
	Size		length = in->len - in->cursor;
	Model	   *model;

	if (length > MODEL_MAX_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("churn_model of %zu bytes exceeds the limit of %d bytes",
						length, MODEL_MAX_BYTES)));
	model = model_parse(pq_getmsgbytes(in, length), length,
						ERRCODE_INVALID_BINARY_REPRESENTATION);
	PG_RETURN_DATUM(model_encode(model));
}

/* Equal models have equal bytes: the form is canonical. */
static bool
model_equal(Datum a, Datum b)
{
	struct varlena *left = PG_DETOAST_DATUM_PACKED(a);
	struct varlena *right = PG_DETOAST_DATUM_PACKED(b);

	return VARSIZE_ANY_EXHDR(left) == VARSIZE_ANY_EXHDR(right) &&
		memcmp(VARDATA_ANY(left), VARDATA_ANY(right),
			   VARSIZE_ANY_EXHDR(left)) == 0;
}

PG_FUNCTION_INFO_V1(churn_model_eq);
Datum
churn_model_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(model_equal(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)));
}

PG_FUNCTION_INFO_V1(churn_model_ne);
Datum
churn_model_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(!model_equal(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)));
}

/* For DISTINCT and GROUP BY: half of the stored hash is as good as a hash */
PG_FUNCTION_INFO_V1(churn_model_hash);
Datum
churn_model_hash(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32((int32) model_hash(PG_GETARG_DATUM(0)));
}
