/*-------------------------------------------------------------------------
 *
 * key.c
 *	  Hashes of user keys: folds, samples and hold-out are drawn by them.
 *
 * The hash is FNV-1a over the salt, a zero byte and the key, finished by the
 * mixer of splitmix64 (Steele, Lea, Flood 2014; Fowler, Noll, Vo).  It is
 * written out here because the server's own hash functions may differ
 * between versions and byte orders, and a hold-out must never change.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#define FNV_OFFSET	UINT64CONST(0xcbf29ce484222325)
#define FNV_PRIME	UINT64CONST(0x100000001b3)

static uint64
fnv_add(uint64 hash, const text *bytes)
{
	const unsigned char *p = (const unsigned char *) VARDATA_ANY(bytes);
	int			n = VARSIZE_ANY_EXHDR(bytes);

	for (int i = 0; i < n; i++)
		hash = (hash ^ p[i]) * FNV_PRIME;
	return hash;
}

/* Hash of a key under the salt of one purpose. */
static uint64
key_hash(const text *key, const text *salt)
{
	uint64		z = fnv_add(FNV_OFFSET, salt);

	z = fnv_add(z * FNV_PRIME, key);	/* the zero byte between them */
	z += UINT64CONST(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64CONST(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64CONST(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

PG_FUNCTION_INFO_V1(churn_key_hash);

Datum
churn_key_hash(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64((int64) key_hash(PG_GETARG_TEXT_PP(0),
									 PG_GETARG_TEXT_PP(1)));
}

PG_FUNCTION_INFO_V1(churn_key_share);

/* The upper 53 bits as a number in [0, 1). */
Datum
churn_key_share(PG_FUNCTION_ARGS)
{
	uint64		hash = key_hash(PG_GETARG_TEXT_PP(0), PG_GETARG_TEXT_PP(1));

	PG_RETURN_FLOAT8((double) (hash >> 11) / 9007199254740992.0);
}
