/*-------------------------------------------------------------------------
 *
 * rebuild.c
 *	  churn_rebuild(study, users): keys come as an array of any type.
 *
 * An overload for each type of key would leave plain literals ambiguous, so
 * the array is declared "any", taken by its text and handed on as text[].
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "study/owner.h"

/* The array of keys as text[]. */
static Datum
users_read(FunctionCallInfo fcinfo)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, 1);
	char	   *written;
	Oid			function;
	Oid			ioparam;
	bool		varlena;

	if (type == TEXTARRAYOID)
		return PG_GETARG_DATUM(1);
	if (type != UNKNOWNOID && !OidIsValid(get_element_type(type)))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("users must be an array of keys, not %s",
						format_type_be(type)),
				 errhint("Write users => ARRAY[17, 18]; leave it out for all users.")));
	getTypeOutputInfo(type, &function, &varlena);
	written = OidOutputFunctionCall(function, PG_GETARG_DATUM(1));
	getTypeInputInfo(TEXTARRAYOID, &function, &ioparam);
	return OidInputFunctionCall(function, written, ioparam, -1);
}

PG_FUNCTION_INFO_V1(churn_rebuild);

/* churn_rebuild(study [, users]); the number of users */
Datum
churn_rebuild(PG_FUNCTION_ARGS)
{
	OwnedCall	call = {.nargs = 2,.types = {TEXTOID, TEXTARRAYOID},.nulls = "  "};
	bool		isnull;
	int64		rebuilt;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("study must not be null")));
	call.schema = get_namespace_name(get_func_namespace(fcinfo->flinfo->fn_oid));
	call.sql = psprintf("SELECT %s.churn_rebuild_owned($1, $2)",
						quote_identifier(call.schema));
	call.values[0] = PG_GETARG_DATUM(0);
	if (PG_NARGS() > 1 && !PG_ARGISNULL(1))
		call.values[1] = users_read(fcinfo);
	else
		call.nulls[1] = 'n';
	SPI_connect();
	owned_call_run(&call);
	rebuilt = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0],
										  SPI_tuptable->tupdesc, 1, &isnull));
	SPI_finish();
	PG_RETURN_INT64(rebuilt);
}
