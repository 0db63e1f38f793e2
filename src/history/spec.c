/*-------------------------------------------------------------------------
 *
 * spec.c
 *	  churn_spec: stored form, constructor, input and output.
 *
 * The stored form is a byte string without alignment, numbers most
 * significant byte first, so that it is also the binary form on the wire:
 *
 *	  version			1 byte, SPEC_VERSION
 *	  lookback			4 bytes, days
 *	  churn window		4 bytes, days; 0 for none
 *	  visible			4 bytes, days; 0 for none
 *	  windows			1 byte their number, then 4 bytes each
 *	  kinds				1 byte their number, then for each a byte of flags,
 *						a byte of length and the name
 *	  ratios			1 byte their number, then two bytes each
 *	  time zone			1 byte of length, then the name
 *	  kind				1 byte of length (0 for none), then the name
 *
 * It is canonical (spec_build.c), so equal specs are equal bytes.  A spec of
 * five windows and two kinds takes about 60 bytes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "history/spec_build.h"

#define SPEC_VERSION	1

#define KIND_IS_KEY		0x01
#define KIND_HAS_AMOUNT	0x02
#define KIND_IS_REFUND	0x04
#define KIND_FLAGS		(KIND_IS_KEY | KIND_HAS_AMOUNT | KIND_IS_REFUND)

/* Reading position in a stored form that may be damaged */
typedef struct SpecReader
{
	const unsigned char *at;
	const unsigned char *end;
	int			errcode;		/* what a damaged value raises */
} SpecReader;

/* Append a name of at most 255 bytes after its length. */
static void
write_name(StringInfo out, const char *name)
{
	size_t		length = strlen(name);

	Assert(length <= 255);
	pq_sendint8(out, length);
	appendBinaryStringInfo(out, name, length);
}

/* See spec_build.h. */
Datum
spec_encode(const Spec *spec)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoSpaces(&out, VARHDRSZ);
	pq_sendint8(&out, SPEC_VERSION);
	pq_sendint32(&out, spec->lookback);
	pq_sendint32(&out, spec->churn_window);
	pq_sendint32(&out, spec->visible);
	pq_sendint8(&out, spec->nwindows);
	for (int i = 0; i < spec->nwindows; i++)
		pq_sendint32(&out, spec->windows[i]);
	pq_sendint8(&out, spec->nkinds);
	for (int i = 0; i < spec->nkinds; i++)
	{
		pq_sendint8(&out, (spec->is_key[i] ? KIND_IS_KEY : 0) |
					(spec->has_amount[i] ? KIND_HAS_AMOUNT : 0) |
					(spec->is_refund[i] ? KIND_IS_REFUND : 0));
		write_name(&out, spec->kinds[i]);
	}
	pq_sendint8(&out, spec->nratios);
	for (int i = 0; i < spec->nratios; i++)
	{
		pq_sendint8(&out, spec->ratios[i].numerator);
		pq_sendint8(&out, spec->ratios[i].denominator);
	}
	write_name(&out, spec->time_zone);
	write_name(&out, spec->kind ? spec->kind : "");
	SET_VARSIZE(out.data, out.len);
	return PointerGetDatum(out.data);
}

/* The value is not one that spec_encode made. */
static void
report_damage(const SpecReader *in)
{
	ereport(ERROR,
			(errcode(in->errcode),
			 errmsg("churn_spec is damaged"),
			 errhint("Build it anew with the function churn_spec().")));
}

/* The next byte */
static uint8
read_byte(SpecReader *in)
{
	if (in->at >= in->end)
		report_damage(in);
	return *in->at++;
}

/* A number of days between "low" and SPEC_MAX_DAYS */
static int
read_days(SpecReader *in, int low)
{
	uint32		days = 0;

	for (int i = 0; i < 4; i++)
		days = days << 8 | read_byte(in);
	if (days < (uint32) low || days > SPEC_MAX_DAYS)
		report_damage(in);
	return days;
}

/* A list's length */
static int
read_length(SpecReader *in, int high)
{
	int			length = read_byte(in);

	if (length > high)
		report_damage(in);
	return length;
}

/* A name of at most "high" bytes */
static char *
read_name(SpecReader *in, int high)
{
	int			length = read_length(in, high);
	char	   *name;

	if (in->end - in->at < length || memchr(in->at, 0, length))
		report_damage(in);
	name = pnstrdup((const char *) in->at, length);
	in->at += length;
	return name;
}

/* Windows, strictly ascending and not beyond the lookback */
static void
read_windows(SpecReader *in, Spec *spec)
{
	int			last = 0;

	spec->nwindows = read_length(in, SPEC_MAX_WINDOWS);
	spec->windows = palloc(sizeof(int) * Max(spec->nwindows, 1));
	for (int i = 0; i < spec->nwindows; i++)
	{
		spec->windows[i] = read_days(in, last + 1);
		last = spec->windows[i];
	}
	if (last > spec->lookback)
		report_damage(in);
}

/* Kinds, strictly ascending by bytes, with their roles */
static void
read_kinds(SpecReader *in, Spec *spec)
{
	int			room;

	spec->nkinds = read_length(in, SPEC_MAX_KINDS);
	room = Max(spec->nkinds, 1);
	spec->kinds = palloc(sizeof(char *) * room);
	spec->is_key = palloc(sizeof(bool) * room);
	spec->has_amount = palloc(sizeof(bool) * room);
	spec->is_refund = palloc(sizeof(bool) * room);
	for (int i = 0; i < spec->nkinds; i++)
	{
		int			flags = read_length(in, KIND_FLAGS);

		spec->is_key[i] = (flags & KIND_IS_KEY) != 0;
		spec->has_amount[i] = (flags & KIND_HAS_AMOUNT) != 0;
		spec->is_refund[i] = (flags & KIND_IS_REFUND) != 0;
		spec->kinds[i] = read_name(in, SPEC_KIND_BYTES);
		if (strcmp(spec->kinds[i], i > 0 ? spec->kinds[i - 1] : "") <= 0)
			report_damage(in);
	}
}

/* Ratios between kinds already read */
static void
read_ratios(SpecReader *in, Spec *spec)
{
	spec->nratios = read_length(in, SPEC_MAX_RATIOS);
	spec->ratios = palloc(sizeof(SpecRatio) * Max(spec->nratios, 1));
	for (int i = 0; i < spec->nratios; i++)
	{
		spec->ratios[i].numerator = read_length(in, spec->nkinds - 1);
		spec->ratios[i].denominator = read_length(in, spec->nkinds - 1);
	}
}

/* Decode a stored form; every length and position is checked. */
static Spec *
decode_bytes(const void *bytes, size_t length, int errcode)
{
	SpecReader	in = {bytes, (const unsigned char *) bytes + length, errcode};
	Spec	   *spec = palloc0(sizeof(Spec));
	char	   *kind;

	if (read_byte(&in) != SPEC_VERSION)
		report_damage(&in);
	spec->lookback = read_days(&in, 1);
	spec->churn_window = read_days(&in, 0);
	spec->visible = read_days(&in, 0);
	read_windows(&in, spec);
	read_kinds(&in, spec);
	read_ratios(&in, spec);
	spec->time_zone = read_name(&in, 255);
	kind = read_name(&in, SPEC_KIND_BYTES);
	spec->kind = kind[0] ? kind : NULL;
	if (in.at != in.end)
		report_damage(&in);
	return spec;
}

/* See spec.h. */
Spec *
spec_decode(Datum datum)
{
	struct varlena *stored = PG_DETOAST_DATUM_PACKED(datum);

	return decode_bytes(VARDATA_ANY(stored), VARSIZE_ANY_EXHDR(stored),
						ERRCODE_DATA_CORRUPTED);
}

/* A one-dimensional array argument without NULLs; NULL gives n = -1. */
static Datum *
array_elements(FunctionCallInfo fcinfo, int argument, const char *name,
			   Oid type, int *n)
{
	ArrayType  *array;
	Datum	   *elements;

	*n = -1;
	if (PG_ARGISNULL(argument))
		return NULL;
	array = PG_GETARG_ARRAYTYPE_P(argument);
	if (ARR_NDIM(array) > 1 || array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be a list without NULLs", name),
				 errhint("Give a one-dimensional array, or NULL for the default.")));
	if (type == INT4OID)
		deconstruct_array(array, INT4OID, 4, true, TYPALIGN_INT,
						  &elements, NULL, n);
	else
		deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT,
						  &elements, NULL, n);
	return elements;
}

/* A text[] argument */
static SpecNames
names_argument(FunctionCallInfo fcinfo, int argument, const char *name)
{
	SpecNames	names = {0};
	Datum	   *elements = array_elements(fcinfo, argument, name, TEXTOID,
										  &names.n);

	names.given = names.n >= 0;
	names.n = Max(names.n, 0);
	names.name = palloc(sizeof(char *) * Max(names.n, 1));
	for (int i = 0; i < names.n; i++)
		names.name[i] = TextDatumGetCString(elements[i]);
	return names;
}

/* The constructor's argument "windows" */
static void
windows_argument(FunctionCallInfo fcinfo, int argument, SpecArgs *args)
{
	Datum	   *elements = array_elements(fcinfo, argument, "windows", INT4OID,
										  &args->nwindows);

	args->windows_given = args->nwindows >= 0;
	args->nwindows = Max(args->nwindows, 0);
	args->windows = palloc(sizeof(int) * Max(args->nwindows, 1));
	for (int i = 0; i < args->nwindows; i++)
		args->windows[i] = DatumGetInt32(elements[i]);
}

/* churn_spec(...): a NULL argument takes its default. */
PG_FUNCTION_INFO_V1(churn_spec);
Datum
churn_spec(PG_FUNCTION_ARGS)
{
	SpecArgs	args = {0};

	windows_argument(fcinfo, 0, &args);
	args.lookback_given = !PG_ARGISNULL(1);
	args.lookback = args.lookback_given ? PG_GETARG_INT32(1) : 0;
	args.kinds = names_argument(fcinfo, 2, "kinds");
	args.key_kinds = names_argument(fcinfo, 3, "key_kinds");
	args.churn_window_given = !PG_ARGISNULL(4);
	args.churn_window = args.churn_window_given ? PG_GETARG_INT32(4) : 0;
	args.ratios = names_argument(fcinfo, 5, "ratios");
	if (!PG_ARGISNULL(6))
		args.time_zone = text_to_cstring(PG_GETARG_TEXT_PP(6));
	if (!PG_ARGISNULL(7))
		args.kind = text_to_cstring(PG_GETARG_TEXT_PP(7));
	args.amount_kinds = names_argument(fcinfo, 8, "amount_kinds");
	args.refund_kinds = names_argument(fcinfo, 9, "refund_kinds");
	args.visible_given = !PG_ARGISNULL(10);
	args.visible = args.visible_given ? PG_GETARG_INT32(10) : 0;
	return spec_encode(spec_build(&args));
}

/* Text input: a JSON object; what it leaves out takes its default. */
PG_FUNCTION_INFO_V1(churn_spec_in);
Datum
churn_spec_in(PG_FUNCTION_ARGS)
{
	SpecArgs   *args = spec_args_from_json(PG_GETARG_CSTRING(0));

	return spec_encode(spec_build(args));
}

/* Text output: a JSON object with every field. */
PG_FUNCTION_INFO_V1(churn_spec_out);
Datum
churn_spec_out(PG_FUNCTION_ARGS)
{
	StringInfoData out;

	initStringInfo(&out);
	spec_append_json(&out, spec_decode(PG_GETARG_DATUM(0)));
	PG_RETURN_CSTRING(out.data);
}

/* The names of a spec received from a client must be valid text here. */
static void
check_encoding(const Spec *spec)
{
	for (int i = 0; i < spec->nkinds; i++)
		pg_verifymbstr(spec->kinds[i], strlen(spec->kinds[i]), false);
	if (spec->kind)
		pg_verifymbstr(spec->kind, strlen(spec->kind), false);
	pg_verifymbstr(spec->time_zone, strlen(spec->time_zone), false);
}

/*
 * Binary input.  Building the spec anew from what the bytes say applies every
 * check; bytes that differ from the result were not canonical.
 */
PG_FUNCTION_INFO_V1(churn_spec_recv);
Datum
churn_spec_recv(PG_FUNCTION_ARGS)
{
	StringInfo	in = (StringInfo) PG_GETARG_POINTER(0);
	int			length = in->len - in->cursor;
	const char *bytes = pq_getmsgbytes(in, length);
	Spec	   *spec = decode_bytes(bytes, length,
									ERRCODE_INVALID_BINARY_REPRESENTATION);
	Datum		result;

	check_encoding(spec);
	result = spec_encode(spec_build(spec_args(spec)));
	if ((int) VARSIZE_ANY_EXHDR(DatumGetPointer(result)) != length ||
		memcmp(VARDATA_ANY(DatumGetPointer(result)), bytes, length) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("churn_spec is not in its canonical form")));
	return result;
}

/* Binary output: the stored bytes. */
PG_FUNCTION_INFO_V1(churn_spec_send);
Datum
churn_spec_send(PG_FUNCTION_ARGS)
{
	struct varlena *stored = PG_GETARG_VARLENA_PP(0);
	StringInfoData out;

	pq_begintypsend(&out);
	appendBinaryStringInfo(&out, VARDATA_ANY(stored),
						   VARSIZE_ANY_EXHDR(stored));
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

/* Same bytes, same meaning */
static bool
specs_equal(FunctionCallInfo fcinfo)
{
	struct varlena *a = PG_GETARG_VARLENA_PP(0);
	struct varlena *b = PG_GETARG_VARLENA_PP(1);

	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

/* Operator = */
PG_FUNCTION_INFO_V1(churn_spec_eq);
Datum
churn_spec_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(specs_equal(fcinfo));
}

/* Operator <> */
PG_FUNCTION_INFO_V1(churn_spec_ne);
Datum
churn_spec_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(!specs_equal(fcinfo));
}
