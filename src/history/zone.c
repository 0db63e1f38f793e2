/*-------------------------------------------------------------------------
 *
 * zone.c
 *	  Calendar days of a time zone.
 *
 * Turning a timestamp into a day through the server's date code costs more
 * than everything else that is done with an event.  Offsets change a few
 * times a year, so time is cut into blocks of 2^41 microseconds (25 days);
 * a block with at most one change is remembered as two offsets and the
 * moment between them.  Years of blocks fit the table below, so events may
 * come in any order.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "datatype/timestamp.h"
#include "pgtime.h"
#include "utils/date.h"
#include "utils/timestamp.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "history/spec_build.h"

#define BLOCK_SHIFT		41
#define BLOCK_SLOTS		128		/* a power of two: nearly nine years */

/* One block of time; empty slots have a block number that cannot occur. */
typedef struct ZoneBlock
{
	int64		block;			/* timestamp >> BLOCK_SHIFT */
	int64		change;			/* first microsecond of the second offset */
	int64		before;			/* microseconds east of UTC */
	int64		after;
} ZoneBlock;

struct ZoneDays
{
	pg_tz	   *zone;			/* NULL: UTC */
	ZoneBlock	slots[BLOCK_SLOTS];
};

/* Zones whose names look like a POSIX rule but are in the database */
static bool
is_rule_like_zone(const char *name)
{
	static const char *const known[] = {
		"EST5EDT", "CST6CDT", "MST7MDT", "PST8PDT", "GMT0", "GMT+0", "GMT-0"
	};

	for (int i = 0; i < (int) lengthof(known); i++)
		if (strcmp(name, known[i]) == 0)
			return true;
	return false;
}

/*
 * The server takes POSIX rules such as "FOO+5" for zones too, usually a slip
 * with the wrong sign.  It gives rules back in capitals and zones of the
 * database as they are spelt there, and a rule cannot do without a digit.
 */
static bool
is_database_zone(const char *canonical)
{
	bool		digit = false;

	if (is_rule_like_zone(canonical))
		return true;
	for (const char *c = canonical; *c; c++)
	{
		if (*c >= 'a' && *c <= 'z')
			return true;
		digit |= (*c >= '0' && *c <= '9');
	}
	return !digit;
}

/* The zone of that name; an error when there is none such. */
static pg_tz *
zone_find(const char *name)
{
	pg_tz	   *zone = NULL;

	if (name[0] != '\0' && strlen(name) <= TZ_STRLEN_MAX)
		zone = pg_tzset(name);
	if (zone == NULL || !pg_tz_acceptable(zone) ||
		!is_database_zone(pg_get_timezone_name(zone)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" is not known", name),
				 errhint("Use a name such as 'Europe/Berlin'; the view pg_timezone_names lists them.")));
	return zone;
}

/* See spec_build.h. */
char *
zone_check(const char *name)
{
	return pstrdup(pg_get_timezone_name(zone_find(name)));
}

/* See spec.h. */
ZoneDays *
zone_days_create(const char *time_zone)
{
	ZoneDays   *zone = palloc(sizeof(ZoneDays));

	zone->zone = NULL;
	if (strcmp(time_zone, "UTC") != 0)
		zone->zone = zone_find(time_zone);
	for (int i = 0; i < BLOCK_SLOTS; i++)
		zone->slots[i].block = PG_INT64_MAX;
	return zone;
}

/* Largest whole number of seconds since 1970 that is not after a timestamp */
static pg_time_t
unix_seconds(int64 timestamptz)
{
	int64		seconds = timestamptz / USECS_PER_SEC;

	if (timestamptz % USECS_PER_SEC < 0)
		seconds--;
	return seconds +
		(int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY;
}

/* Microseconds east of UTC at a moment */
static int64
zone_offset(pg_tz *zone, pg_time_t at)
{
	struct pg_tm *local = pg_localtime(&at, zone);

	if (local == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	return local->tm_gmtoff * USECS_PER_SEC;
}

/* The next change of offset after a moment; false when there is none. */
static bool
zone_next_change(pg_tz *zone, pg_time_t at, pg_time_t *change)
{
	long		before,
				after;
	int			before_dst,
				after_dst;

	return pg_next_dst_boundary(&at, &before, &before_dst, change, &after,
								&after_dst, zone) == 1;
}

/*
 * Learn the offsets of a block.  False when it has more than one change (a
 * few blocks of a zone's early years): then nothing is remembered.
 */
static bool
zone_fill(ZoneDays *zone, ZoneBlock *slot, int64 block)
{
	int64		first = (int64) ((uint64) block << BLOCK_SHIFT);
	pg_time_t	start = unix_seconds(first);
	pg_time_t	end = unix_seconds(first + (INT64CONST(1) << BLOCK_SHIFT) - 1);
	pg_time_t	change,
				second;

	slot->block = PG_INT64_MAX;
	slot->before = slot->after = zone_offset(zone->zone, start);
	slot->change = PG_INT64_MAX;
	if (zone_next_change(zone->zone, start, &change) && change <= end)
	{
		if (zone_next_change(zone->zone, change, &second) && second <= end)
			return false;
		slot->after = zone_offset(zone->zone, change);
		slot->change = (change - unix_seconds(0)) * USECS_PER_SEC;
	}
	slot->block = block;
	return true;
}

/* Microseconds east of UTC */
static inline int64
zone_lookup(ZoneDays *zone, int64 timestamptz)
{
	int64		block = timestamptz >> BLOCK_SHIFT;
	ZoneBlock  *slot = &zone->slots[block & (BLOCK_SLOTS - 1)];

	if (unlikely(slot->block != block) && !zone_fill(zone, slot, block))
		return zone_offset(zone->zone, unix_seconds(timestamptz));
	return timestamptz < slot->change ? slot->before : slot->after;
}

/* See spec.h. */
int32
zone_days_from_timestamptz(ZoneDays *zone, int64 timestamptz)
{
	int64		local = timestamptz;
	int64		day;

	Assert(!TIMESTAMP_NOT_FINITE(timestamptz));
	if (zone->zone)
		local += zone_lookup(zone, timestamptz);
	day = local / USECS_PER_DAY;
	if (local % USECS_PER_DAY < 0)
		day--;
	if (!IS_VALID_DATE(day))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	return (int32) day;
}

/* What a call site of churn_day remembers */
typedef struct DayCache
{
	struct varlena *spec;		/* a copy, detoasted */
	ZoneDays   *zone;
} DayCache;

/* Forget what a call site remembers. */
static void
forget_zone(FmgrInfo *flinfo)
{
	DayCache   *cache = flinfo->fn_extra;

	flinfo->fn_extra = NULL;
	if (cache == NULL)
		return;
	pfree(cache->spec);
	pfree(cache->zone);
	pfree(cache);
}

/* The converter for a spec, kept while the spec stays the same */
static ZoneDays *
cached_zone(FmgrInfo *flinfo, struct varlena *spec)
{
	DayCache   *cache = flinfo->fn_extra;
	MemoryContext old;
	char	   *name;

	if (cache && VARSIZE_ANY(cache->spec) == VARSIZE_ANY(spec) &&
		memcmp(cache->spec, spec, VARSIZE_ANY(spec)) == 0)
		return cache->zone;
	forget_zone(flinfo);
	name = spec_decode(PointerGetDatum(spec))->time_zone;
	old = MemoryContextSwitchTo(flinfo->fn_mcxt);
	cache = palloc(sizeof(DayCache));
	cache->zone = zone_days_create(name);
	cache->spec = palloc(VARSIZE_ANY(spec));
	memcpy(cache->spec, spec, VARSIZE_ANY(spec));
	MemoryContextSwitchTo(old);
	flinfo->fn_extra = cache;
	return cache->zone;
}

/* churn_day(timestamptz, spec): the calendar day in the spec's zone */
PG_FUNCTION_INFO_V1(churn_day);
Datum
churn_day(PG_FUNCTION_ARGS)
{
	TimestampTz at = PG_GETARG_TIMESTAMPTZ(0);
	struct varlena *spec = PG_GETARG_VARLENA_PP(1);

	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("an infinite timestamp has no day")));
	PG_RETURN_DATEADT(zone_days_from_timestamptz(cached_zone(fcinfo->flinfo,
															 spec), at));
}
