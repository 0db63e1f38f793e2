-- check_volume.sql: events by day and kind: launch, gaps, spikes, kinds

-- Volume by day and kind ----------------------------------------------------

CREATE TYPE churn_day_count AS (
    kind text, day date, events bigint, with_amount bigint, negative bigint, zero bigint
);
COMMENT ON TYPE churn_day_count IS 'support type of churn_check_data: events of a kind on a day, and how many carry an amount, a negative one, 0';

-- Counts of rows that count in training; of very many kinds the 50 largest.
CREATE FUNCTION churn_read_volume(r churn_reading, key_kinds text[],
    OUT volume churn_day_count[], OUT kinds text[], OUT last_key_day date)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    EXECUTE format(
        'WITH v AS MATERIALIZED (SELECT e.kind, e.day, count(*) AS events, count(e.amount) AS with_amount,'
        '   count(*) FILTER (WHERE e.amount < 0) AS negative, count(*) FILTER (WHERE e.amount = 0) AS zero'
        '   FROM %s AS e WHERE e.user_id IS NOT NULL AND e.day IS NOT NULL AND NOT e.future AND e.kind IS NOT NULL'
        '   GROUP BY e.kind, e.day),'
        ' k AS (SELECT v.kind, row_number() OVER (ORDER BY sum(v.events) DESC, v.kind) AS place FROM v GROUP BY v.kind)'
        ' SELECT coalesce(array_agg(ROW(v.kind, v.day, v.events, v.with_amount, v.negative, v.zero)::@extschema@.churn_day_count'
        '   ORDER BY v.kind, v.day) FILTER (WHERE k.place <= 50), ''{}''),'
        ' (SELECT coalesce(array_agg(k.kind ORDER BY k.place), ''{}'') FROM k WHERE k.place <= 1000),'
        ' max(v.day) FILTER (WHERE v.kind = ANY (%L::text[]) OR %L::text[] IS NULL)'
        ' FROM v JOIN k ON k.kind = v.kind', r.rows, key_kinds, key_kinds) INTO volume, kinds, last_key_day;
END
$$;
COMMENT ON FUNCTION churn_read_volume(churn_reading, text[]) IS 'support function of churn_check_data: a source counted by day and kind, its kinds (at most 1,000), most frequent first, and the last day of a key kind';

-- First day of the bulk: after the last long silence before which at most one
-- row in a hundred lies.
CREATE FUNCTION churn_launch_day(volume churn_day_count[]) RETURNS date
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        WITH daily AS (
            SELECT v.day, sum(v.events) AS events FROM unnest(volume) AS v GROUP BY v.day
        ), spaced AS (
            SELECT d.day, lead(d.day) OVER days AS next_day, lead(d.day) OVER days - d.day AS silence,
                sum(d.events) OVER days / sum(d.events) OVER () AS so_far
            FROM daily AS d WINDOW days AS (ORDER BY d.day ROWS UNBOUNDED PRECEDING)
        )
        SELECT coalesce(
            (SELECT max(s.next_day) FROM spaced AS s WHERE s.so_far <= .01 AND s.silence > greatest(60,
                20 * (SELECT percentile_disc(.5) WITHIN GROUP (ORDER BY u.silence) FROM spaced AS u))),
            (SELECT min(d.day) FROM daily AS d))
    $$;
COMMENT ON FUNCTION churn_launch_day(churn_day_count[]) IS 'support function of churn_check_data: where the bulk of the data begins: no silence of 60 days (and 20 times the usual) with at most 1 % of the rows before it';

CREATE FUNCTION churn_check_launch(r churn_reading, volume churn_day_count[], launch date)
    RETURNS churn_finding
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT @extschema@.churn_found('pre_launch', 'warning', r.label,
            sum(v.events) FILTER (WHERE v.day < launch)::bigint, sum(v.events)::bigint,
            min(v.day)::text,
            r.show || format(' AND %s < %L::pg_catalog.date', r.day_sql, launch),
            format('rows long before the bulk, which begins on %s; training takes the first of them for the beginning of the data, so it may put snapshots where there is nothing: leave them out by a filter', launch))
        FROM unnest(volume) AS v
    $$;
COMMENT ON FUNCTION churn_check_launch(churn_reading, churn_day_count[], date) IS 'support function of churn_check_data: rows before the bulk';

-- Median of an array's numbers, NULL left out; NULL with fewer than two.
CREATE FUNCTION churn_side_median(numbers bigint[]) RETURNS float8
    LANGUAGE sql IMMUTABLE STRICT
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT CASE WHEN count(n) >= 2 THEN percentile_cont(.5) WITHIN GROUP (ORDER BY n) END
        FROM unnest(numbers) AS n
    $$;
COMMENT ON FUNCTION churn_side_median(bigint[]) IS 'support function of churn_check_data: median of neighbouring weeks';

-- Each day of each kind against the same weekday of eight weeks before and
-- eight after.  A gap is below both sides' medians and a spike above both, so
-- neither growth nor a season alarms.  The scale is the MAD about the sides'
-- medians, and not less than that of a Poisson count.
CREATE FUNCTION churn_judge_volume(volume churn_day_count[], launch date,
    OUT kind text, OUT day date, OUT events bigint, OUT usual float8, OUT verdict text)
    RETURNS SETOF record
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        WITH series AS (
            SELECT k.kind, k.first + n AS day, coalesce(v.events, 0) AS events
            FROM (SELECT u.kind, min(u.day) AS first, max(u.day) AS last
                  FROM unnest(volume) AS u WHERE u.day >= launch GROUP BY u.kind) AS k
            CROSS JOIN generate_series(0, k.last - k.first) AS n
            LEFT JOIN unnest(volume) AS v ON v.kind = k.kind AND v.day = k.first + n
        ), sides AS (
            SELECT s.*,
                ARRAY[lag(s.events, 7) OVER d, lag(s.events, 14) OVER d, lag(s.events, 21) OVER d, lag(s.events, 28) OVER d,
                      lag(s.events, 35) OVER d, lag(s.events, 42) OVER d, lag(s.events, 49) OVER d, lag(s.events, 56) OVER d] AS before,
                ARRAY[lead(s.events, 7) OVER d, lead(s.events, 14) OVER d, lead(s.events, 21) OVER d, lead(s.events, 28) OVER d,
                      lead(s.events, 35) OVER d, lead(s.events, 42) OVER d, lead(s.events, 49) OVER d, lead(s.events, 56) OVER d] AS after,
                -- days of one run of silence share this number
                count(*) FILTER (WHERE s.events > 0) OVER d AS run
            FROM series AS s WINDOW d AS (PARTITION BY s.kind ORDER BY s.day)
        ), usual AS (
            SELECT s.*, @extschema@.churn_side_median(s.before) AS before_median,
                @extschema@.churn_side_median(s.after) AS after_median
            FROM sides AS s
        ), weekly AS (
            SELECT s.kind, extract(dow FROM s.day) AS weekday,
                percentile_cont(.5) WITHIN GROUP (ORDER BY s.events) AS median
            FROM series AS s GROUP BY 1, 2
        ), scaled AS (
            SELECT u.*, w.median,
                least(u.before_median, u.after_median) AS low,
                greatest(u.before_median, u.after_median) AS high,
                1.4826 * (SELECT percentile_cont(.5) WITHIN GROUP (ORDER BY m.distance) FROM (
                    SELECT abs(b - u.before_median) FROM unnest(u.before) AS b
                    UNION ALL SELECT abs(a - u.after_median) FROM unnest(u.after) AS a) AS m (distance)) AS mad,
                CASE WHEN u.events = 0 THEN sum(w.median) FILTER (WHERE u.events = 0)
                    OVER (PARTITION BY u.kind, u.run) END AS silence
            FROM usual AS u JOIN weekly AS w ON w.kind = u.kind AND w.weekday = extract(dow FROM u.day)
        )
        SELECT s.kind, s.day, s.events, coalesce(s.before_median, s.median),
            CASE WHEN s.silence > 20 AND s.median > 0
                    OR s.before_median IS NOT NULL AND s.events < .5 * s.low
                        AND s.low - s.events > 5 * greatest(s.mad, sqrt(s.low + 1)) THEN 'gap'
                 WHEN s.before_median IS NOT NULL AND s.events > 2 * s.high
                        AND s.events - s.high > 6 * greatest(s.mad, sqrt(s.high + 1)) THEN 'spike' END
        FROM scaled AS s
    $$;
COMMENT ON FUNCTION churn_judge_volume(churn_day_count[], date) IS 'support function of churn_check_data: each day and kind with the usual count of its weekday and gap, spike or NULL: below half (above twice) the medians of eight such weekdays before and of eight after by 5 (6) scales, or a day with events as a rule in a silence in which 20 were to be expected';

CREATE FUNCTION churn_check_volume(r churn_reading, volume churn_day_count[], launch date)
    RETURNS SETOF churn_finding
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    wanted record;
    f record;
BEGIN
    FOR wanted IN SELECT * FROM (VALUES
        ('volume_gap', 'gap', 'days with far fewer events of a kind than the same weekday of the weeks before and after; an outage, or the shop was closed; training cannot tell an outage from silence, so users look lapsed and labels churned: fill the gap, or choose dates away from it'),
        ('volume_spike', 'spike', 'days with far more events of a kind than the same weekday of the weeks before and after: a campaign, a robot, or rows loaded twice; training counts them all')
        ) AS v (check_name, verdict, detail)
    LOOP
        WITH judged AS MATERIALIZED (
            SELECT * FROM @extschema@.churn_judge_volume(volume, launch)
        ), worst AS (
            SELECT j.* FROM judged AS j WHERE j.verdict = wanted.verdict
            ORDER BY abs(j.events - j.usual) DESC, j.day LIMIT 1
        )
        SELECT count(*) FILTER (WHERE j.verdict = wanted.verdict) AS days, count(*) AS total,
            min(j.day) FILTER (WHERE j.verdict = wanted.verdict) AS first,
            max(j.day) FILTER (WHERE j.verdict = wanted.verdict) AS last,
            (SELECT w.day FROM worst AS w) AS worst_day,
            (SELECT format('%s: %s of kind "%s", usually %s', w.day, w.events, w.kind,
                round(w.usual::numeric)) FROM worst AS w) AS example
        INTO f FROM judged AS j;
        RETURN NEXT @extschema@.churn_found(wanted.check_name, 'warning', r.label, f.days, f.total,
            f.example || CASE WHEN f.days > 1 THEN format('; %s in all from %s to %s', f.days, f.first, f.last) ELSE '' END,
            format('SELECT %1$s AS day, %2$s AS kind, pg_catalog.count(*)%3$s AND %1$s BETWEEN %4$L::pg_catalog.date AND %5$L::pg_catalog.date GROUP BY 1, 2 ORDER BY 2, 1',
                r.day_sql, r.kind_sql, substr(r.show, length('SELECT e.*') + 1),
                f.worst_day - 14, f.worst_day + 14),
            wanted.detail);
    END LOOP;
END
$$;
COMMENT ON FUNCTION churn_check_volume(churn_reading, churn_day_count[], date) IS 'support function of churn_check_data: gaps and spikes; counts days';

-- Kinds ---------------------------------------------------------------------

CREATE FUNCTION churn_check_kinds(r churn_reading, volume churn_day_count[],
    kinds text[], launch date) RETURNS SETOF churn_finding
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    f record;
BEGIN
    -- events of a kind to be expected, by its share of all events while it was
    -- there, in the time before it came and after it went
    WITH v AS (
        SELECT * FROM unnest(volume) AS u WHERE u.day >= launch
    ), life AS (
        SELECT v.kind, min(v.day) AS first, max(v.day) AS last, sum(v.events) AS events FROM v GROUP BY v.kind
    ), expected AS (
        SELECT l.kind, l.first, l.last, l.first - launch AS before_days,
            (SELECT max(v.day) FROM v) - l.last AS after_days,
            l.events / sum(v.events) FILTER (WHERE v.day BETWEEN l.first AND l.last)
                * coalesce(sum(v.events) FILTER (WHERE v.day < l.first), 0) AS before,
            l.events / sum(v.events) FILTER (WHERE v.day BETWEEN l.first AND l.last)
                * coalesce(sum(v.events) FILTER (WHERE v.day > l.last), 0) AS after
        FROM life AS l CROSS JOIN v GROUP BY l.kind, l.first, l.last, l.events
    )
    SELECT count(*) FILTER (WHERE e.before > 20 AND e.before_days >= 14) AS appear,
        string_agg(format('"%s" first on %s', e.kind, e.first), ', ' ORDER BY e.before DESC)
            FILTER (WHERE e.before > 20 AND e.before_days >= 14) AS appear_list,
        count(*) FILTER (WHERE e.after > 20 AND e.after_days >= 14) AS vanish,
        string_agg(format('"%s" last on %s', e.kind, e.last), ', ' ORDER BY e.after DESC)
            FILTER (WHERE e.after > 20 AND e.after_days >= 14) AS vanish_list
    INTO f FROM expected AS e;
    RETURN NEXT @extschema@.churn_found('kind_appears', 'warning', r.label, f.appear, cardinality(kinds),
        f.appear_list, @extschema@.churn_kinds_query(r),
        'kinds that are not there in the beginning: tracking that was added later; training sees their absence as behaviour');
    RETURN NEXT @extschema@.churn_found('kind_vanishes', 'warning', r.label, f.vanish, cardinality(kinds),
        f.vanish_list, @extschema@.churn_kinds_query(r),
        'kinds that end before the source does: renamed or not tracked any more; training sees their absence as behaviour, and everybody looks silent when it is a key kind');
    RETURN QUERY SELECT (@extschema@.churn_found('similar_kinds', 'warning', r.label, count(*), cardinality(kinds),
            (array_agg(k.names ORDER BY k.names))[1], @extschema@.churn_kinds_query(r),
            'kinds that differ in case or blanks alone; training takes them for different kinds')).*
        FROM (SELECT string_agg(format('"%s"', n), ', ' ORDER BY n) AS names FROM unnest(kinds) AS n
              GROUP BY lower(regexp_replace(n, '[\s_-]', '', 'g')) HAVING count(*) > 1) AS k;
    RETURN NEXT @extschema@.churn_found('many_kinds', 'error', r.label,
        CASE WHEN cardinality(kinds) > 255 THEN cardinality(kinds) ELSE 0 END, cardinality(kinds),
        format('"%s"', kinds[256]), @extschema@.churn_kinds_query(r),
        'more than 255 kinds; training refuses them (54000): name fewer by a view');
END
$$;
COMMENT ON FUNCTION churn_check_kinds(churn_reading, churn_day_count[], text[], date) IS 'support function of churn_check_data: kinds that come, go, resemble each other or are too many; counts kinds';

CREATE FUNCTION churn_kinds_query(r churn_reading) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT format('SELECT %1$s AS kind, pg_catalog.count(*), pg_catalog.min(%2$s) AS first, pg_catalog.max(%2$s) AS last%3$s GROUP BY 1 ORDER BY 2 DESC',
            r.kind_sql, r.time_sql, substr(r.show, length('SELECT e.*') + 1))
    $$;
COMMENT ON FUNCTION churn_kinds_query(churn_reading) IS 'support function of churn_check_data: SQL that lists the kinds of a source';
