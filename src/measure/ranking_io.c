/*-------------------------------------------------------------------------
 *
 * ranking_io.c
 *	  Text and binary forms of churn_ranking, both without loss.
 *
 *	  scores width=1 ignored=0 arguments={} churners={0.7} stayers={0.2,0.3}
 *	  order ignored=0 arguments={} churners=1 stayers=2 open={0.7,1,0}
 *		sums={…} groups=\x04
 *
 * Numbers are the shortest that read back as the same double, whatever the
 * session's settings.  Input is checked as if it came from an enemy; whether
 * rows ascend is found out, not believed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "common/shortest_dec.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"

#include "measure/ranking.h"
#include "measure/ranking_flat.h"

#define NSUMS	8				/* doubles of ProbabilitySums */

StaticAssertDecl(sizeof(ProbabilitySums) == NSUMS * sizeof(double),
				 "sums are read and written as an array");

/* ---- output ---- */

/* Append a double, shortest form. */
static void
put_double(StringInfo out, double value)
{
	char		text[DOUBLE_SHORTEST_DECIMAL_LEN];

	double_to_shortest_decimal_buf(value, text);
	appendStringInfoString(out, text);
}

/* Append " name={1,2,3}". */
static void
put_doubles(StringInfo out, const char *name, const double *values, Size n)
{
	appendStringInfo(out, " %s={", name);
	for (Size i = 0; i < n; i++)
	{
		if (i > 0)
			appendStringInfoChar(out, ',');
		put_double(out, values[i]);
	}
	appendStringInfoChar(out, '}');
}

/* Append the rest of an order-only ranking. */
static void
put_order(StringInfo out, const Ranking *ranking)
{
	appendStringInfo(out, " churners=%lld stayers=%lld open={",
					 (long long) ranking->churners.nrows,
					 (long long) ranking->stayers.nrows);
	put_double(out, ranking->open.score);
	appendStringInfo(out, ",%lld,%lld}", (long long) ranking->open.churners,
					 (long long) ranking->open.stayers);
	put_doubles(out, "sums", (const double *) &ranking->sums, NSUMS);
	appendStringInfoString(out, " groups=\\x");
	for (Size i = 0; i < ranking->stream.nbytes; i++)
		appendStringInfo(out, "%02x", ranking->stream.bytes[i]);
}

PG_FUNCTION_INFO_V1(churn_ranking_out);

/* Text form. */
Datum
churn_ranking_out(PG_FUNCTION_ARGS)
{
	const Ranking *ranking = ranking_view(PG_GETARG_DATUM(0));
	StringInfoData out;

	initStringInfo(&out);
	if (ranking->form == RANKING_ORDER)
		appendStringInfoString(&out, "order");
	else
		appendStringInfo(&out, "scores width=%d", ranking->width);
	appendStringInfo(&out, " ignored=%lld", (long long) ranking->ignored);
	put_doubles(&out, "arguments", ranking->params, ranking->nparams);
	if (ranking->form == RANKING_ORDER)
		put_order(&out, ranking);
	else
	{
		put_doubles(&out, "churners", ranking->churners.values,
					ranking->churners.nrows * ranking->width);
		put_doubles(&out, "stayers", ranking->stayers.values,
					ranking->stayers.nrows * ranking->width);
	}
	PG_RETURN_CSTRING(out.data);
}

PG_FUNCTION_INFO_V1(churn_ranking_send);

/* Binary form: the same fields in the same order, counts before lists. */
Datum
churn_ranking_send(PG_FUNCTION_ARGS)
{
	const Ranking *ranking = ranking_view(PG_GETARG_DATUM(0));
	StringInfoData out;

	pq_begintypsend(&out);
	pq_sendbyte(&out, 1);
	pq_sendbyte(&out, (uint8) ranking->form);
	pq_sendbyte(&out, (uint8) ranking->width);
	pq_sendbyte(&out, (uint8) ranking->nparams);
	pq_sendint64(&out, ranking->ignored);
	pq_sendint64(&out, ranking->churners.nrows);
	pq_sendint64(&out, ranking->stayers.nrows);
	for (int i = 0; i < ranking->nparams; i++)
		pq_sendfloat8(&out, ranking->params[i]);
	if (ranking->form == RANKING_ORDER)
	{
		const double *sums = (const double *) &ranking->sums;

		pq_sendfloat8(&out, ranking->open.score);
		pq_sendint64(&out, ranking->open.churners);
		pq_sendint64(&out, ranking->open.stayers);
		for (int i = 0; i < NSUMS; i++)
			pq_sendfloat8(&out, sums[i]);
		pq_sendbytes(&out, (const char *) ranking->stream.bytes,
					 ranking->stream.nbytes);
	}
	else
	{
		for (int64 i = 0; i < ranking->churners.nrows * ranking->width; i++)
			pq_sendfloat8(&out, ranking->churners.values[i]);
		for (int64 i = 0; i < ranking->stayers.nrows * ranking->width; i++)
			pq_sendfloat8(&out, ranking->stayers.values[i]);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

/* ---- what both inputs check ---- */

/* Refuse a value; "what" says which part of it. */
static void
refuse(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid churn_ranking: %s", what)));
}

/* Refuse numbers of a header that no ranking has. */
static void
check_header(const Ranking *ranking)
{
	int64		limit = PG_INT64_MAX / 4;

	if (ranking->form != RANKING_ORDER && ranking->form != RANKING_SCORES)
		refuse("unknown form");
	if (ranking->width < 1 || ranking->width > RANKING_MAX_WIDTH ||
		(ranking->form == RANKING_ORDER && ranking->width != 1))
		refuse("width");
	if (ranking->nparams < 0 || ranking->nparams > RANKING_MAX_PARAMS)
		refuse("number of arguments");
	for (int i = 0; i < ranking->nparams; i++)
		if (isnan(ranking->params[i]) || isinf(ranking->params[i]))
			refuse("an argument is not finite");
	if (ranking->ignored < 0 || ranking->churners.nrows < 0 ||
		ranking->stayers.nrows < 0 || ranking->ignored > limit ||
		ranking->churners.nrows > limit || ranking->stayers.nrows > limit)
		refuse("counts");
}

/* Take over one row that was read. */
static void
take_row(Ranking *ranking, bool churned, double *row)
{
	for (int i = 0; i < ranking->width; i++)
	{
		if (isnan(row[i]))
			refuse("a score is NaN");
		row[i] += 0.0;
	}
	ranking_append(ranking, churned, row);
}

/* Finish an order-only ranking. */
static void
finish_order(Ranking *ranking)
{
	if (isnan(ranking->open.score))
		refuse("a score is NaN");
	ranking_check_order(ranking);
}

/* ---- text input ---- */

/* Step over a word that must come next. */
static void
expect(const char **text, const char *word)
{
	while (isspace((unsigned char) **text))
		(*text)++;
	if (strncmp(*text, word, strlen(word)) != 0)
		refuse(psprintf("\"%s\" is missing", word));
	*text += strlen(word);
}

/* Read a count. */
static int64
get_count(const char **text)
{
	char	   *end;
	long long	count;

	errno = 0;
	count = strtoll(*text, &end, 10);
	if (end == *text || errno != 0)
		refuse("a count is missing or out of range");
	*text = end;
	return count;
}

/* Read a double. */
static double
get_double(const char **text)
{
	char	   *end;
	double		value;

	errno = 0;
	value = strtod(*text, &end);
	if (end == *text || (errno != 0 && fabs(value) == HUGE_VAL))
		refuse("a number is missing or out of range");
	*text = end;
	return value;
}

/* Is there a further number in this list?  Steps over the comma or the end. */
static bool
next_in_list(const char **text, bool first)
{
	if (**text == '}')
	{
		(*text)++;
		return false;
	}
	if (!first)
		expect(text, ",");
	return true;
}

/* Read the rows of one class. */
static void
get_rows(const char **text, Ranking *ranking, const char *name, bool churned)
{
	double		row[RANKING_MAX_WIDTH];

	expect(text, name);
	expect(text, "={");
	for (bool first = true; next_in_list(text, first); first = false)
	{
		for (int i = 0; i < ranking->width; i++)
		{
			if (i > 0)
				expect(text, ",");
			row[i] = get_double(text);
		}
		take_row(ranking, churned, row);
	}
}

/* One hexadecimal digit of the groups. */
static int
get_digit(const char **text)
{
	char		c = *(*text)++;

	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	refuse("groups are not hexadecimal");
	return 0;
}

/* Read the bytes of the groups. */
static void
get_groups(const char **text, Ranking *ranking)
{
	RankStream *stream = &ranking->stream;
	Size		length;

	expect(text, "groups=\\x");
	length = strspn(*text, "0123456789abcdef") / 2;
	stream->bytes = MemoryContextAllocHuge(ranking->hdr.eoh_context,
										   Max(length, 1));
	stream->capacity = Max(length, 1);
	for (; stream->nbytes < length; stream->nbytes++)
	{
		int			high = get_digit(text);

		stream->bytes[stream->nbytes] = (uint8) (high << 4 | get_digit(text));
	}
}

/* Read the rest of an order-only ranking. */
static void
get_order(const char **text, Ranking *ranking)
{
	double	   *sums = (double *) &ranking->sums;

	expect(text, "churners=");
	ranking->churners.nrows = get_count(text);
	expect(text, "stayers=");
	ranking->stayers.nrows = get_count(text);
	expect(text, "open={");
	ranking->open.score = get_double(text);
	expect(text, ",");
	ranking->open.churners = get_count(text);
	expect(text, ",");
	ranking->open.stayers = get_count(text);
	expect(text, "}");
	expect(text, "sums={");
	for (int i = 0; i < NSUMS; i++)
	{
		if (i > 0)
			expect(text, ",");
		sums[i] = get_double(text);
	}
	expect(text, "}");
	get_groups(text, ranking);
	check_header(ranking);
	finish_order(ranking);
}

PG_FUNCTION_INFO_V1(churn_ranking_in);

/* Read the text form. */
Datum
churn_ranking_in(PG_FUNCTION_ARGS)
{
	const char *text = PG_GETARG_CSTRING(0);
	Ranking    *ranking = ranking_create(CurrentMemoryContext, 1);
	int64		width;

	while (isspace((unsigned char) *text))
		text++;
	if (strncmp(text, "order", 5) == 0)
	{
		ranking->form = RANKING_ORDER;
		text += 5;
	}
	else
	{
		expect(&text, "scores");
		expect(&text, "width=");
		width = get_count(&text);
		ranking->width = (width >= 1 && width <= RANKING_MAX_WIDTH) ? width : 0;
	}
	expect(&text, "ignored=");
	ranking->ignored = get_count(&text);
	ranking->sorted = (ranking->width == 1);
	expect(&text, "arguments={");
	for (bool first = true; next_in_list(&text, first); first = false)
	{
		if (ranking->nparams >= RANKING_MAX_PARAMS)
			refuse("number of arguments");
		ranking->params[ranking->nparams++] = get_double(&text);
	}
	check_header(ranking);
	if (ranking->form == RANKING_ORDER)
		get_order(&text, ranking);
	else
	{
		get_rows(&text, ranking, "churners", true);
		get_rows(&text, ranking, "stayers", false);
	}
	while (isspace((unsigned char) *text))
		text++;
	if (*text != '\0')
		refuse("something follows its end");
	PG_RETURN_DATUM(ranking_flatten(ranking));
}

/* ---- binary input ---- */

/* Read the rest of an order-only ranking. */
static void
recv_order(StringInfo in, Ranking *ranking)
{
	RankStream *stream = &ranking->stream;
	double	   *sums = (double *) &ranking->sums;

	ranking->open.score = pq_getmsgfloat8(in);
	ranking->open.churners = pq_getmsgint64(in);
	ranking->open.stayers = pq_getmsgint64(in);
	for (int i = 0; i < NSUMS; i++)
		sums[i] = pq_getmsgfloat8(in);
	stream->nbytes = in->len - in->cursor;
	stream->capacity = Max(stream->nbytes, 1);
	stream->bytes = MemoryContextAlloc(ranking->hdr.eoh_context,
									   stream->capacity);
	memcpy(stream->bytes, pq_getmsgbytes(in, stream->nbytes), stream->nbytes);
	finish_order(ranking);
}

/* Read so many rows of one class. */
static void
recv_rows(StringInfo in, Ranking *ranking, bool churned, int64 rows)
{
	double		row[RANKING_MAX_WIDTH];

	for (int64 i = 0; i < rows; i++)
	{
		for (int j = 0; j < ranking->width; j++)
			row[j] = pq_getmsgfloat8(in);
		take_row(ranking, churned, row);
	}
}

PG_FUNCTION_INFO_V1(churn_ranking_recv);

/* Read the binary form. */
Datum
churn_ranking_recv(PG_FUNCTION_ARGS)
{
	StringInfo	in = (StringInfo) PG_GETARG_POINTER(0);
	Ranking    *ranking = ranking_create(CurrentMemoryContext, 1);
	int64		churners;
	int64		stayers;

	if (pq_getmsgbyte(in) != 1)
		refuse("unknown format");
	ranking->form = (RankingForm) pq_getmsgbyte(in);
	ranking->width = pq_getmsgbyte(in);
	ranking->nparams = pq_getmsgbyte(in);
	ranking->ignored = pq_getmsgint64(in);
	churners = ranking->churners.nrows = pq_getmsgint64(in);
	stayers = ranking->stayers.nrows = pq_getmsgint64(in);
	check_header(ranking);
	ranking->sorted = (ranking->width == 1);
	for (int i = 0; i < ranking->nparams; i++)
		ranking->params[i] = pq_getmsgfloat8(in);
	check_header(ranking);
	if (ranking->form == RANKING_ORDER)
		recv_order(in, ranking);
	else
	{
		ranking->churners.nrows = ranking->stayers.nrows = 0;
		recv_rows(in, ranking, true, churners);
		recv_rows(in, ranking, false, stayers);
	}
	pq_getmsgend(in);
	PG_RETURN_DATUM(ranking_flatten(ranking));
}
