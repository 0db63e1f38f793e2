/*-------------------------------------------------------------------------
 *
 * model_io.h
 *	  What the files that read and write the stored form of a model share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_MODEL_IO_H
#define CHURN_MODEL_IO_H

#include "churn.h"
#include "learn/model.h"
#include "lib/stringinfo.h"
#include "utils/jsonb.h"

/* ---- bytes: model.c ---- */

/* Where reading has come to, and what damage raises */
typedef struct ModelReader
{
	const char *next;
	const char *end;
	int			sqlstate;
} ModelReader;

/* The one message for bytes that cannot be a model */
pg_noreturn extern void model_damaged(int sqlstate, const char *what);

/* Step over "length" bytes, or raise. */
extern const char *reader_take(ModelReader *reader, Size length);
extern bool reader_flag(ModelReader *reader);
extern uint32 reader_uint32(ModelReader *reader);
extern double reader_double(ModelReader *reader);

/* A string of at most "limit" bytes, in the server's encoding */
extern char *reader_string(ModelReader *reader, uint32 limit);

/* A string in UTF-8, with its length before it */
extern void send_string(StringInfo out, const char *string);

/* Zero has one sign in a stored model, as in JSON numbers. */
extern void send_double(StringInfo out, double x);

/* ---- terms and pairs: model_terms.c ---- */

extern void model_read_terms(ModelReader *reader, Model *model);
extern void model_send_terms(StringInfo out, const Model *model);

/* Raise "sqlstate" unless order, limits and ranges hold. */
extern void model_validate_terms(const Model *model, int sqlstate);

/* ---- fields of JSON: model_json.c ---- */

/* The one message for JSON that is not a model */
pg_noreturn extern void json_wrong(const char *what, const char *name);

/* Field "name" of an object; it must be there and of the type. */
extern void json_field(JsonbContainer *object, const char *name,
					   enum jbvType type, JsonbValue *value);
extern double json_get_number(JsonbContainer *object, const char *name);
extern int	json_get_integer(JsonbContainer *object, const char *name);
extern char *json_get_string(JsonbContainer *object, const char *name);
extern bool json_get_flag(JsonbContainer *object, const char *name);

/* A nested array or object */
extern JsonbContainer *json_get_container(JsonbContainer *object,
										  const char *name, bool array);

/* An array of numbers, at most "limit" */
extern double *json_get_numbers(JsonbContainer *object, const char *name,
								int limit, int *count);

/* An array of strings, at most "limit" */
extern char **json_get_strings(JsonbContainer *object, const char *name,
							   int limit, int *count);

/* , "name": number */
extern void json_put_number(StringInfo out, const char *name, double x);

/* , "name": [number, …] */
extern void json_put_numbers(StringInfo out, const char *name,
							 const double *x, int n);

/* , "name": ["string", …] */
extern void json_put_strings(StringInfo out, const char *name, char **strings,
							 int n);

/* ---- text: model_text.c ---- */

/* The reference date in quotes, or null */
extern void model_put_reference(StringInfo out, const Model *model);

/* ---- text of terms and pairs: model_text_terms.c ---- */

extern void model_put_terms(StringInfo out, const Model *model);
extern void model_get_terms(JsonbContainer *root, Model *model);

#endif							/* CHURN_MODEL_IO_H */
