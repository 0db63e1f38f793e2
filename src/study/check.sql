-- check.sql: can these data carry a churn model?
--
-- Every check gives one row a source (or one for the study): "ok" when it
-- found nothing, so that one sees what was looked at.  A few passes over each
-- source; nothing is written.  All functions run under the pinned search_path
-- pg_catalog, pg_temp, and so do the statements that they put together.

CREATE TYPE churn_finding AS (
    check_name text, severity text, source text, count bigint, share float8,
    example text, query text, detail text
);
COMMENT ON TYPE churn_finding IS 'what a data check found: its name; ok, info, warning or error; the source (NULL: the whole study); how many rows, days, users or kinds, and their share; one example; SQL that shows them; what was looked at and what training does about it';

-- A finding, or "ok" when it counts nothing.
CREATE FUNCTION churn_found(check_name text, severity text, source text,
    count bigint, total bigint, example text, query text, detail text)
    RETURNS churn_finding
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT ROW(check_name, CASE WHEN count > 0 THEN severity ELSE 'ok' END, source,
            coalesce(count, 0), coalesce(count, 0) / nullif(total, 0)::float8,
            CASE WHEN count > 0 THEN example END, CASE WHEN count > 0 THEN query END,
            detail)::@extschema@.churn_finding
    $$;
COMMENT ON FUNCTION churn_found(text, text, text, bigint, bigint, text, text, text) IS 'support function of churn_check_data: one row of it';

-- One row in a thousand is worth a warning.
CREATE FUNCTION churn_weigh(count bigint, total bigint) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$ SELECT CASE WHEN count >= .001 * total THEN 'warning' ELSE 'info' END $$;
COMMENT ON FUNCTION churn_weigh(bigint, bigint) IS 'support function of churn_check_data: info below one in a thousand, else warning';

-- How a source is read ------------------------------------------------------

CREATE TYPE churn_reading AS (
    label text, rows text, show text, user_sql text, time_sql text, day_sql text,
    kind_sql text, amount_sql text, future_sql text, has_amount boolean, has_known boolean,
    is_date boolean, counts_sql text
);
COMMENT ON TYPE churn_reading IS 'support type of churn_check_data: a source as SQL: "rows" is a subquery of user_id, ts, day, kind, amount, known_day, clock; "show" selects the relation''s own rows and can take further conditions; the others are expressions over it';

CREATE FUNCTION churn_read_source(definition churn_studies, source churn_sources,
    today date) RETURNS churn_reading
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    s ALIAS FOR source;
    relation regclass := @extschema@.churn_source_relation(s);
    spec text := format('%L::@extschema@.churn_spec', @extschema@.churn_spec(time_zone => definition.time_zone));
    time_type regtype := @extschema@.churn_column_type(relation, s.time_column);
    filter text := coalesce(@extschema@.churn_filter_sql(relation, s.filter, s.filter_path), 'true');
    relation_sql text := format('%I.%I', s.relation_schema, s.relation_name);
    known_sql text;
    clock_sql text;
    r @extschema@.churn_reading;
BEGIN
    r.label := relation_sql || CASE WHEN (
        SELECT count(*) FROM @extschema@.churn_sources AS c WHERE c.study = s.study
            AND c.relation_schema = s.relation_schema AND c.relation_name = s.relation_name) > 1
        THEN format(' (source %s)', s.source) ELSE '' END;
    r.user_sql := format('e.%I', s.user_column);
    r.time_sql := format('e.%I', s.time_column);
    -- the same day as churn_day_sql gives, but fit to be read by people
    r.day_sql := CASE time_type WHEN 'timestamp with time zone'::regtype
        THEN format('pg_catalog.timezone(%L, %s)', definition.time_zone, r.time_sql)
        ELSE r.time_sql END || '::pg_catalog.date';
    r.kind_sql := coalesce('e.' || quote_ident(s.kind_column), quote_literal(s.kind)) || '::pg_catalog.text';
    r.is_date := time_type = 'date'::regtype;
    r.has_amount := s.amount_column IS NOT NULL;
    r.amount_sql := coalesce('e.' || quote_ident(s.amount_column)
        || CASE WHEN @extschema@.churn_column_type(relation, s.amount_column) = 'money'::regtype
             THEN '::pg_catalog.numeric' ELSE '' END, 'NULL') || '::pg_catalog.float8';
    r.has_known := s.known_at_column IS NOT NULL;
    known_sql := CASE WHEN r.has_known THEN format('CASE WHEN pg_catalog.isfinite(e.%I) THEN %s END',
        s.known_at_column, @extschema@.churn_day_sql(relation, s.known_at_column, spec))
        ELSE 'NULL::pg_catalog.date' END;
    r.future_sql := r.time_sql || ' >= ' || CASE time_type
        WHEN 'date'::regtype THEN format('%L::pg_catalog.date', today + 1)
        WHEN 'timestamp'::regtype THEN format('%L::pg_catalog.timestamp', today + 1)
        ELSE format('pg_catalog.timezone(%L, %L::pg_catalog.timestamp)', definition.time_zone, today + 1) END;
    r.counts_sql := format('%s IS NOT NULL AND NOT %s', r.user_sql, r.future_sql);
    -- a time of day other than midnight
    clock_sql := CASE time_type
        WHEN 'date'::regtype THEN 'false'
        WHEN 'timestamp'::regtype THEN format('%1$s <> pg_catalog.date_trunc(''day'', %1$s)', r.time_sql)
        ELSE format('pg_catalog.timezone(%2$L, %1$s) <> pg_catalog.date_trunc(''day'', pg_catalog.timezone(%2$L, %1$s))',
            r.time_sql, definition.time_zone) END;
    r.show := format('SELECT e.* FROM %s AS e WHERE (%s)', relation_sql, filter);
    r.rows := format('(SELECT %s AS user_id, %s AS ts, CASE WHEN pg_catalog.isfinite(%s) THEN %s END AS day,'
        ' %s AS kind, %s AS amount, %s AS known_day, %s AS clock, %s AS future FROM %s AS e WHERE (%s))',
        r.user_sql, r.time_sql, r.time_sql, @extschema@.churn_day_sql(relation, s.time_column, spec),
        r.kind_sql, r.amount_sql, known_sql, clock_sql, r.future_sql, relation_sql, filter);
    RETURN r;
END
$$;
COMMENT ON FUNCTION churn_read_source(churn_studies, churn_sources, date) IS 'support function of churn_check_data: a source as SQL; errors as training has them';

-- Keys, times and values of single rows -------------------------------------

CREATE FUNCTION churn_check_keys(r churn_reading, today date, OUT finding churn_finding)
    RETURNS SETOF churn_finding
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    f record;
BEGIN
    EXECUTE format(
        'SELECT count(*) AS total,'
        ' count(*) FILTER (WHERE e.user_id IS NULL) AS no_user,'
        ' min(e.ts) FILTER (WHERE e.user_id IS NULL)::text AS no_user_example,'
        ' count(*) FILTER (WHERE btrim(e.user_id::text) = '''') AS blank,'
        ' count(*) FILTER (WHERE e.ts IS NULL) AS no_time,'
        ' min(e.user_id::text) FILTER (WHERE e.ts IS NULL) AS no_time_example,'
        ' count(*) FILTER (WHERE e.ts = ''-infinity'') AS infinite,'
        ' min(e.user_id::text) FILTER (WHERE e.ts = ''-infinity'') AS infinite_example,'
        ' count(*) FILTER (WHERE e.future) AS future,'
        ' max(e.ts) FILTER (WHERE e.future)::text AS future_example,'
        ' count(*) FILTER (WHERE e.kind IS NULL OR octet_length(e.kind) NOT BETWEEN 1 AND 63) AS bad_kind,'
        ' min(e.ts) FILTER (WHERE e.kind IS NULL OR octet_length(e.kind) NOT BETWEEN 1 AND 63)::text AS bad_kind_example,'
        ' count(*) FILTER (WHERE e.amount IN (''NaN'', ''Infinity'', ''-Infinity'')) AS bad_amount,'
        ' min(e.user_id::text) FILTER (WHERE e.amount IN (''NaN'', ''Infinity'', ''-Infinity'')) AS bad_amount_example'
        ' FROM %s AS e', r.rows) INTO f;
    RETURN QUERY SELECT (@extschema@.churn_found(v.check_name, v.severity, r.label, v.count, f.total,
            v.example, r.show || ' AND ' || v.condition, v.detail)).*
        FROM (VALUES
            ('missing_user', @extschema@.churn_weigh(f.no_user, f.total), f.no_user, 'at ' || f.no_user_example,
                r.user_sql || ' IS NULL',
                'rows without a user; training leaves them out and counts them'),
            ('blank_user', 'warning', f.blank, 'user ""',
                format('pg_catalog.btrim(%s::pg_catalog.text) = ''''', r.user_sql),
                'rows whose user is empty or blanks; training takes all of them for one user: leave them out by a filter'),
            ('missing_time', @extschema@.churn_weigh(f.no_time, f.total), f.no_time, 'user ' || f.no_time_example,
                r.time_sql || ' IS NULL',
                'rows without a time; training leaves them out and counts them'),
            ('infinite_time', 'error', f.infinite, 'user ' || f.infinite_example,
                r.time_sql || ' = ''-infinity''',
                'rows at -infinity; training refuses them (22008): leave them out by a filter'),
            ('future_time', 'warning', f.future, f.future_example, r.future_sql,
                format('rows after today, %s; training leaves them out and warns', today)),
            ('bad_kind', 'error', f.bad_kind, 'at ' || f.bad_kind_example,
                format('(%1$s IS NULL OR pg_catalog.octet_length(%1$s) NOT BETWEEN 1 AND 63)', r.kind_sql),
                'rows without a kind, or of one that is empty or above 63 bytes; training refuses them (22004, 22023)'),
            ('invalid_amount', 'error', f.bad_amount, 'user ' || f.bad_amount_example,
                r.amount_sql || ' IN (''NaN'', ''Infinity'', ''-Infinity'')',
                'amounts NaN or infinite; training refuses them (22003)')
        ) AS v (check_name, severity, count, example, condition, detail)
        WHERE r.has_amount OR v.check_name <> 'invalid_amount';
END
$$;
COMMENT ON FUNCTION churn_check_keys(churn_reading, date) IS 'support function of churn_check_data: users, times, kinds and amounts that cannot count';

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

-- Amounts -------------------------------------------------------------------

CREATE FUNCTION churn_check_amounts(r churn_reading, volume churn_day_count[])
    RETURNS SETOF churn_finding
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    f record;
    -- kinds that carry money as a rule
    paid text[] := ARRAY(SELECT v.kind FROM unnest(volume) AS v GROUP BY v.kind
                         HAVING sum(v.with_amount) > .5 * sum(v.events) ORDER BY 1);
    of_paid text := format('%s = ANY (%L::pg_catalog.text[])', r.kind_sql, paid);
BEGIN
    SELECT coalesce(sum(v.events), 0)::bigint AS events, sum(v.with_amount)::bigint AS with_amount,
        sum(v.events - v.with_amount)::bigint AS missing, sum(v.negative)::bigint AS negative, sum(v.zero)::bigint AS zero
    INTO f FROM unnest(volume) AS v WHERE v.kind = ANY (paid);
    RETURN QUERY SELECT (@extschema@.churn_found(v.check_name, @extschema@.churn_weigh(v.count, f.events),
            r.label, v.count, f.events, CASE WHEN v.count > 0 THEN @extschema@.churn_example(r, v.condition) END,
            r.show || ' AND ' || v.condition, v.detail)).*
        FROM (VALUES
            ('negative_amount', f.negative, format('%s < 0 AND %s', r.amount_sql, of_paid),
                'amounts below 0; of a kind "refund" the sign does not matter, of others training subtracts them: cancellations among orders want a kind of their own'),
            ('zero_amount', f.zero, format('%s = 0 AND %s', r.amount_sql, of_paid),
                'amounts of 0: gifts, tests, prices that are not known; training counts the event, with no money'),
            ('missing_amount', f.missing, format('%s IS NULL AND %s', r.amount_sql, of_paid),
                'no amount where the kind carries one as a rule; training counts the event, and its money as not known')
        ) AS v (check_name, count, condition, detail);
END
$$;
COMMENT ON FUNCTION churn_check_amounts(churn_reading, churn_day_count[]) IS 'support function of churn_check_data: negative, zero and missing amounts of kinds that carry money';

-- One row that meets a condition, in words.
CREATE FUNCTION churn_example(r churn_reading, condition text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    example text;
BEGIN
    EXECUTE format('SELECT pg_catalog.format(''user %%s at %%s, %%s, amount %%s'', %s, %s, %s, %s)%s AND %s LIMIT 1',
        r.user_sql, r.time_sql, r.kind_sql, r.amount_sql,
        substr(r.show, length('SELECT e.*') + 1), condition) INTO example;
    RETURN example;
END
$$;
COMMENT ON FUNCTION churn_example(churn_reading, text) IS 'support function of churn_check_data: one row in words';

-- Amounts far beyond the others of their kind, on a logarithmic scale.
CREATE FUNCTION churn_check_huge(r churn_reading) RETURNS churn_finding
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    f record;
BEGIN
    EXECUTE format(
        'WITH paid AS (SELECT e.user_id, e.ts, e.kind, e.amount FROM %1$s AS e'
        '   WHERE e.amount > 0 AND e.amount < ''Infinity'' AND e.user_id IS NOT NULL),'
        ' quartile AS (SELECT p.kind, percentile_cont(ARRAY[.25, .5, .75]) WITHIN GROUP (ORDER BY ln(p.amount)) AS q'
        '   FROM paid AS p GROUP BY p.kind HAVING count(*) >= 50),'
        ' bound AS (SELECT kind, exp(q[2]) AS median, greatest(20 * exp(q[2]), exp(q[2] + 5 * (q[3] - q[1]) / 1.349)) AS most FROM quartile)'
        ' SELECT count(*) AS count, max(p.amount / b.median) AS times, min(p.amount) AS least,'
        ' (array_agg(format(''user %%s at %%s, %%s, amount %%s'', p.user_id, p.ts, p.kind, p.amount) ORDER BY p.amount / b.median DESC, p.ts))[1] AS example,'
        ' (SELECT count(*) FROM paid) AS total, array_agg(DISTINCT p.kind) AS kinds'
        ' FROM paid AS p JOIN bound AS b ON b.kind = p.kind WHERE p.amount > b.most', r.rows) INTO f;
    RETURN @extschema@.churn_found('huge_amount', CASE WHEN f.times > 100 THEN 'warning' ELSE 'info' END,
        r.label, f.count, f.total, f.example,
        r.show || format(' AND %1$s >= %2$s AND %1$s < ''Infinity'' AND %3$s = ANY (%4$L::pg_catalog.text[]) ORDER BY %1$s DESC',
            r.amount_sql, f.least, r.kind_sql, f.kinds),
        'amounts above 20 times the median of their kind and 5 robust standard deviations of its logarithm; training uses logarithms where they help, but a user''s value is the plain sum');
END
$$;
COMMENT ON FUNCTION churn_check_huge(churn_reading) IS 'support function of churn_check_data: outliers among the amounts; warning above 100 times the median';

-- Rows that repeat ----------------------------------------------------------

CREATE FUNCTION churn_check_repeats(r churn_reading) RETURNS SETOF churn_finding
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    f record;
    shown text := substr(r.show, length('SELECT e.*') + 1);
BEGIN
    EXECUTE format(
        'SELECT count(*) AS total, count(*) FILTER (WHERE e.amount IS NOT NULL) AS paid, coalesce(bool_or(e.clock), false) AS clock,'
        ' count(*) FILTER (WHERE e.ts = e.before) AS exact,'
        ' min(format(''user %%s at %%s, %%s, amount %%s'', e.user_id, e.ts, e.kind, e.amount)) FILTER (WHERE e.ts = e.before) AS exact_example,'
        ' count(*) FILTER (WHERE e.ts > e.before AND e.ts <= e.before + interval ''1 minute'' AND e.amount IS NOT NULL) AS near,'
        ' min(format(''user %%s at %%s and %%s, %%s, amount %%s'', e.user_id, e.before, e.ts, e.kind, e.amount))'
        '   FILTER (WHERE e.ts > e.before AND e.ts <= e.before + interval ''1 minute'' AND e.amount IS NOT NULL) AS near_example'
        ' FROM (SELECT e.*, lag(e.ts) OVER (PARTITION BY e.user_id, e.kind, e.amount ORDER BY e.ts) AS before'
        '   FROM %s AS e WHERE e.user_id IS NOT NULL AND e.day IS NOT NULL AND NOT e.future) AS e', r.rows) INTO f;
    RETURN NEXT @extschema@.churn_found('exact_duplicates',
        CASE WHEN f.clock THEN @extschema@.churn_weigh(f.exact, f.total) ELSE 'info' END,
        r.label, f.exact, f.total, f.exact_example,
        format('SELECT d.* FROM (SELECT e.*, pg_catalog.count(*) OVER (PARTITION BY %s, %s, %s, %s) AS churn_copies%s AND %s) AS d WHERE d.churn_copies > 1',
            r.user_sql, r.time_sql, r.kind_sql, r.amount_sql, shown, r.counts_sql),
        'rows that repeat user, time, kind and amount of another; training counts them all'
        || CASE WHEN f.clock THEN ': leave one of each by a view'
           ELSE '; times are days here, so two equal orders of a day look the same' END);
    IF NOT f.clock THEN
        RETURN;
    END IF;
    IF r.has_amount THEN
        RETURN NEXT @extschema@.churn_found('near_duplicates', @extschema@.churn_weigh(f.near, f.paid),
            r.label, f.near, f.paid, f.near_example,
            format('SELECT d.* FROM (SELECT e.*, %2$s - pg_catalog.lag(%2$s) OVER (PARTITION BY %1$s, %3$s, %4$s ORDER BY %2$s) AS churn_after%5$s AND %4$s IS NOT NULL AND %6$s) AS d WHERE d.churn_after > ''0'' AND d.churn_after <= ''1 minute''',
                r.user_sql, r.time_sql, r.kind_sql, r.amount_sql, shown, r.counts_sql),
            'rows with an amount that follow one of the same user, kind and amount within a minute: a button pressed twice; training counts them all');
        RETURN QUERY SELECT * FROM @extschema@.churn_check_moments(r, f.paid);
    END IF;
END
$$;
COMMENT ON FUNCTION churn_check_repeats(churn_reading) IS 'support function of churn_check_data: exact and near duplicates, split and reversed orders';

CREATE FUNCTION churn_check_moments(r churn_reading, paid bigint) RETURNS SETOF churn_finding
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    f record;
    shown text := substr(r.show, length('SELECT e.*') + 1);
BEGIN
    EXECUTE format(
        'SELECT count(*) FILTER (WHERE e.ts <= e.before + interval ''1 minute'') AS split,'
        ' min(format(''user %%s at %%s, %%s'', e.user_id, e.ts, e.kind)) FILTER (WHERE e.ts <= e.before + interval ''1 minute'') AS split_example,'
        ' count(*) FILTER (WHERE e.reversed) AS reversed,'
        ' (array_agg(format(''user %%s at %%s, %%s, amount %%s'', e.user_id, e.ts, e.kind, e.amount)'
        '   ORDER BY abs(e.amount) DESC, e.ts) FILTER (WHERE e.reversed))[1] AS reversed_example'
        ' FROM (SELECT e.*, lag(e.ts) OVER (PARTITION BY e.user_id, e.kind ORDER BY e.ts) AS before,'
        '   e.ts <= lag(e.ts) OVER money + interval ''1 hour''' 
        '   AND (e.amount < 0 AND lag(e.amount) OVER money > 0'
        '     OR e.kind = ''refund'' AND lag(e.kind) OVER money <> ''refund'') AS reversed'
        '   FROM %s AS e WHERE e.user_id IS NOT NULL AND e.day IS NOT NULL AND NOT e.future AND e.amount IS NOT NULL'
        '   WINDOW money AS (PARTITION BY e.user_id, abs(e.amount) ORDER BY e.ts, e.amount DESC)) AS e', r.rows) INTO f;
    RETURN NEXT @extschema@.churn_found('same_minute',
        CASE WHEN f.split >= .01 * paid THEN 'warning' ELSE 'info' END, r.label, f.split, paid, f.split_example,
        format('SELECT d.* FROM (SELECT e.*, %2$s - pg_catalog.lag(%2$s) OVER (PARTITION BY %1$s, %3$s ORDER BY %2$s) AS churn_after%5$s AND %4$s IS NOT NULL AND %6$s) AS d WHERE d.churn_after <= ''1 minute''',
            r.user_sql, r.time_sql, r.kind_sql, r.amount_sql, shown, r.counts_sql),
        'rows with an amount that follow one of the same user and kind within a minute, whatever the amount: one order booked in parts; features by day do not mind, counts of events do');
    RETURN NEXT @extschema@.churn_found('reversed_amount', @extschema@.churn_weigh(f.reversed, paid),
        r.label, f.reversed, paid, f.reversed_example,
        format('SELECT d.* FROM (SELECT e.*, %2$s - pg_catalog.lag(%2$s) OVER w AS churn_after, pg_catalog.lag(%3$s) OVER w AS churn_amount_before, pg_catalog.lag(%4$s) OVER w AS churn_kind_before, %3$s AS churn_amount, %4$s AS churn_kind%5$s AND %3$s IS NOT NULL AND %6$s WINDOW w AS (PARTITION BY %1$s, pg_catalog.abs(%3$s) ORDER BY %2$s, %3$s DESC)) AS d WHERE d.churn_after <= ''1 hour'' AND (d.churn_amount < 0 AND d.churn_amount_before > 0 OR d.churn_kind = ''refund'' AND d.churn_kind_before <> ''refund'')',
            r.user_sql, r.time_sql, r.amount_sql, r.kind_sql, shown, r.counts_sql),
        'amounts taken back within an hour: an order that was none; the user still counts as having ordered: leave both rows out by a view');
END
$$;
COMMENT ON FUNCTION churn_check_moments(churn_reading, bigint) IS 'support function of churn_check_data: orders booked in parts, orders cancelled at once';

-- Robots --------------------------------------------------------------------

-- Users by events per day on which they did anything, on a logarithmic scale.
CREATE FUNCTION churn_check_bots(r churn_reading) RETURNS churn_finding
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    f record;
BEGIN
    EXECUTE format(
        'WITH rate AS MATERIALIZED (SELECT d.user_id, sum(d.events) / count(*)::float8 AS rate, sum(d.events) AS events FROM'
        '   (SELECT e.user_id, e.day, count(*) AS events FROM %s AS e'
        '    WHERE e.user_id IS NOT NULL AND e.day IS NOT NULL AND NOT e.future GROUP BY e.user_id, e.day) AS d GROUP BY d.user_id),'
        ' quartile AS (SELECT percentile_cont(ARRAY[.25, .5, .75]) WITHIN GROUP (ORDER BY ln(t.rate)) AS q FROM rate AS t),'
        ' bound AS (SELECT exp(q[2]) AS median, greatest(20, exp(q[2] + greatest(8 * (q[3] - q[1]) / 1.349, ln(10.0::float8)))) AS most FROM quartile)'
        ' SELECT count(*) AS users, count(*) FILTER (WHERE t.rate > b.most) AS bots,'
        ' sum(t.events) FILTER (WHERE t.rate > b.most) / sum(t.events) AS share_of_events,'
        ' min(b.median) AS median, min(b.most) AS most,'
        ' (array_agg(format(''user %%s: %%s events a day'', t.user_id, round(t.rate::numeric)) ORDER BY t.rate DESC, t.user_id::text))[1] AS example'
        ' FROM rate AS t CROSS JOIN bound AS b', r.rows) INTO f;
    RETURN @extschema@.churn_found('bots', 'warning', r.label, f.bots, f.users,
        f.example || format(', %s %% of all events are of such users', round(100 * f.share_of_events::numeric, 1)),
        format('SELECT %1$s AS user_id, pg_catalog.count(*) AS events, pg_catalog.count(DISTINCT %2$s) AS days%3$s AND %5$s GROUP BY 1 HAVING pg_catalog.count(*) > %4$s * pg_catalog.count(DISTINCT %2$s) ORDER BY 2 DESC',
            r.user_sql, r.day_sql, substr(r.show, length('SELECT e.*') + 1), round(f.most::numeric, 3), r.counts_sql),
        format('users with more than %s events on a day they are there (median %s): above 20, 10 times the median, and 8 robust standard deviations of the logarithm; training counts them as users: leave them out by a filter',
            round(f.most::numeric, 1), round(f.median::numeric, 1)));
END
$$;
COMMENT ON FUNCTION churn_check_bots(churn_reading) IS 'support function of churn_check_data: suspected robots; counts users';

-- When rows became known ----------------------------------------------------

CREATE FUNCTION churn_check_arrival(r churn_reading) RETURNS SETOF churn_finding
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    f record;
    b record;
    shown text := substr(r.show, length('SELECT e.*') + 1);
BEGIN
    EXECUTE format(
        'SELECT count(*) AS total, count(*) FILTER (WHERE e.known_day > e.day) AS late,'
        ' count(*) FILTER (WHERE e.known_day < e.day) AS early,'
        ' min(format(''user %%s: %%s, known on %%s'', e.user_id, e.day, e.known_day)) FILTER (WHERE e.known_day < e.day) AS early_example,'
        ' percentile_disc(ARRAY[.5, .95]) WITHIN GROUP (ORDER BY greatest(e.known_day - e.day, 0)) AS lag,'
        ' max(e.known_day - e.day) AS longest'
        ' FROM %s AS e WHERE e.user_id IS NOT NULL AND e.day IS NOT NULL AND NOT e.future', r.rows) INTO f;
    RETURN NEXT @extschema@.churn_found('late_arrival',
        CASE WHEN f.lag[1] > 0 OR f.lag[2] > 7 THEN 'warning' ELSE 'info' END, r.label, f.late, f.total,
        format('median lag %s days, 95 %% within %s, longest %s', f.lag[1], f.lag[2], f.longest),
        @extschema@.churn_known_query(r),
        'rows known on a later day than they happened; features see them from that day on only, labels use all that is known today');
    RETURN NEXT @extschema@.churn_found('known_before', 'info', r.label, f.early, f.total, f.early_example,
        @extschema@.churn_known_query(r), 'rows known before they happened; they count as known at once');
    EXECUTE format(
        'SELECT e.known_day, count(*) AS rows, max(e.day) - min(e.day) AS span, min(e.day) AS first FROM %s AS e'
        ' WHERE e.user_id IS NOT NULL AND e.day IS NOT NULL AND NOT e.future AND e.known_day - e.day > 30'
        ' GROUP BY e.known_day ORDER BY 2 DESC, 1 LIMIT 1', r.rows) INTO b;
    RETURN NEXT @extschema@.churn_found('backfill',
        CASE WHEN b.rows >= .2 * f.total THEN 'error' ELSE 'warning' END, r.label,
        CASE WHEN b.rows >= .02 * f.total AND b.span >= 30 THEN b.rows ELSE 0 END, f.total,
        format('%s rows from %s on became known on %s', b.rows, b.first, b.known_day),
        @extschema@.churn_known_query(r),
        'one day on which much older history became known: features of snapshots before it are empty; leave known_at_column out, or set it to the time of the event for what was loaded then');
END
$$;
COMMENT ON FUNCTION churn_check_arrival(churn_reading) IS 'support function of churn_check_data: lag between event and knowledge, and backfills (a known-at day with 2 % of all rows that happened more than 30 days before, over 30 days or more)';

CREATE FUNCTION churn_known_query(r churn_reading) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT format('SELECT e.known_day - e.day AS lag, pg_catalog.count(*), pg_catalog.min(e.known_day) AS first_known, pg_catalog.max(e.known_day) AS last_known FROM %s AS e GROUP BY 1 ORDER BY 1', r.rows)
    $$;
COMMENT ON FUNCTION churn_known_query(churn_reading) IS 'support function of churn_check_data: SQL that counts rows by lag';

-- The study as a whole ------------------------------------------------------

CREATE TYPE churn_source_end AS (label text, last_day date, daily float8, show text);
COMMENT ON TYPE churn_source_end IS 'support type of churn_check_data: last day of a source and its events a day in the 90 days before';

-- A source is early when ten events of its usual rate are missing by then.
CREATE FUNCTION churn_check_ends(ends churn_source_end[]) RETURNS SETOF churn_finding
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT (@extschema@.churn_found('ends_early', 'warning', e.label,
            CASE WHEN last.day - e.last_day >= 2 AND (last.day - e.last_day) * e.daily > 10
                 THEN last.day - e.last_day ELSE 0 END, NULL,
            format('last event on %s, another source goes on to %s', e.last_day, last.day),
            e.show,
            'days by which the source ends before the longest one; with key kinds in it, complete-through waits for the source, else training sees silence')).*
        FROM unnest(ends) AS e
        CROSS JOIN (SELECT max(m.last_day) AS day FROM unnest(ends) AS m) AS last
        WHERE cardinality(ends) > 1
    $$;
COMMENT ON FUNCTION churn_check_ends(churn_source_end[]) IS 'support function of churn_check_data: sources that end earlier than others; counts days';

CREATE FUNCTION churn_check_freshness(definition churn_studies, complete_through date,
    today date) RETURNS SETOF churn_finding
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    behind int := today - 1 - complete_through;
    month_end date := date_trunc('month', complete_through)::date + interval '1 month - 1 day';
BEGIN
    RETURN NEXT @extschema@.churn_found('freshness',
        CASE WHEN behind >= definition.active_window THEN 'error' WHEN behind > 7 THEN 'warning' ELSE 'info' END,
        NULL, behind, NULL, format('complete through %s, today is %s', complete_through, today), NULL,
        'whole days that are missing up to yesterday; scores of today take them for silence'
        || CASE WHEN behind > 7 THEN ': bring the sources up to date, or set churn.today for data that ended in the past' ELSE '' END);
    RETURN NEXT @extschema@.churn_found('last_month', 'info', NULL, month_end - complete_through, NULL,
        format('the month of %s is complete through %s', to_char(complete_through, 'YYYY-MM'), complete_through), NULL,
        'days that the last month lacks: do not compare it with others; training uses windows of days, not months');
END
$$;
COMMENT ON FUNCTION churn_check_freshness(churn_studies, date, date) IS 'support function of churn_check_data: days since complete-through, and the last month; counts days';

CREATE FUNCTION churn_check_key_kinds_found(definition churn_studies, kinds text[])
    RETURNS churn_finding
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    PERFORM @extschema@.churn_check_key_kinds(definition, kinds);
    RETURN @extschema@.churn_found('key_kinds', 'error', NULL, 0, NULL, NULL, NULL,
        'kinds whose absence means churn: there, and said');
EXCEPTION WHEN object_not_in_prerequisite_state THEN
    RETURN @extschema@.churn_found('key_kinds', 'error', NULL, 1, NULL, SQLERRM, NULL,
        format('training refuses it (55000); the sources give %s',
            coalesce((SELECT string_agg(format('"%s"', k), ', ') FROM unnest(kinds[1:20]) AS k), 'no kinds')));
END
$$;
COMMENT ON FUNCTION churn_check_key_kinds_found(churn_studies, text[]) IS 'support function of churn_check_data: key kinds unsaid or absent';

-- All checks of one source; what the study needs to know of it comes back.
CREATE FUNCTION churn_inspect_source(definition churn_studies, source churn_sources,
    today date, OUT findings churn_finding[], OUT kinds text[], OUT ending churn_source_end,
    OUT complete_through date)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    r @extschema@.churn_reading := @extschema@.churn_read_source(definition, source, today);
    volume @extschema@.churn_day_count[];
    launch date;
    last_day date;
BEGIN
    findings := ARRAY(SELECT c FROM @extschema@.churn_check_keys(r, today) AS c);
    SELECT v.volume, v.kinds,
        -- as churn_source_facts has it
        CASE WHEN r.is_date AND v.last_key_day >= today THEN today - 1
             WHEN r.is_date THEN v.last_key_day ELSE v.last_key_day - 1 END
    INTO volume, kinds, complete_through
    FROM @extschema@.churn_read_volume(r, definition.key_kinds) AS v;
    launch := @extschema@.churn_launch_day(volume);
    last_day := (SELECT max(v.day) FROM unnest(volume) AS v);
    ending := ROW(r.label, last_day, (SELECT sum(v.events) / (least(90, last_day - launch) + 1)::float8
        FROM unnest(volume) AS v WHERE v.day >= greatest(launch, last_day - 90)),
        r.show || format(' AND %s >= %L::pg_catalog.date', r.day_sql, last_day - 7));
    findings := findings || @extschema@.churn_check_launch(r, volume, launch)
        || ARRAY(SELECT c FROM @extschema@.churn_check_volume(r, volume, launch) AS c)
        || ARRAY(SELECT c FROM @extschema@.churn_check_kinds(r, volume, kinds, launch) AS c)
        || ARRAY(SELECT c FROM @extschema@.churn_check_repeats(r) AS c)
        || @extschema@.churn_check_bots(r);
    IF r.has_amount THEN
        findings := findings || ARRAY(SELECT c FROM @extschema@.churn_check_amounts(r, volume) AS c)
            || @extschema@.churn_check_huge(r);
    END IF;
    IF r.has_known THEN
        findings := findings || ARRAY(SELECT c FROM @extschema@.churn_check_arrival(r) AS c);
    END IF;
END
$$;
COMMENT ON FUNCTION churn_inspect_source(churn_studies, churn_sources, date) IS 'support function of churn_check_data: findings of one source, its kinds, its end, and the day through which its key events are complete';

CREATE FUNCTION churn_check_data_owned(study text) RETURNS SETOF churn_finding
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d @extschema@.churn_studies := @extschema@.churn_study_row(study);
    today date := @extschema@.churn_today(d.time_zone);
    s @extschema@.churn_sources;
    c record;
    findings @extschema@.churn_finding[] := '{}';
    kinds text[] := '{}';
    ends @extschema@.churn_source_end[] := '{}';
    complete_through date;
BEGIN
    PERFORM @extschema@.churn_check_sources(study, ARRAY(SELECT e.relation_name
        FROM @extschema@.churn_sources AS e WHERE e.study = d.study AND e.role = 'behaviour'));
    FOR s IN SELECT * FROM @extschema@.churn_sources AS e
             WHERE e.study = d.study AND e.role = 'behaviour' ORDER BY e.source
    LOOP
        SELECT * INTO c FROM @extschema@.churn_inspect_source(d, s, today);
        findings := findings || c.findings;
        kinds := kinds || c.kinds;
        complete_through := least(complete_through, c.complete_through);
        IF (c.ending).last_day IS NOT NULL THEN
            ends := ends || c.ending;
        END IF;
    END LOOP;
    findings := findings || @extschema@.churn_check_key_kinds_found(d,
            ARRAY(SELECT DISTINCT k COLLATE "C" FROM unnest(kinds) AS k ORDER BY 1))
        || ARRAY(SELECT f FROM @extschema@.churn_check_ends(ends) AS f);
    IF d.complete_until IS NOT NULL THEN
        complete_through := least(d.complete_until, today);
    END IF;
    IF complete_through IS NULL THEN
        findings := findings || @extschema@.churn_found('freshness', 'error', NULL, 1, NULL,
            'no event of a key kind on a complete day', NULL, 'training refuses it (55000)');
    ELSE
        findings := findings || ARRAY(SELECT f FROM @extschema@.churn_check_freshness(d, complete_through, today) AS f);
    END IF;
    RETURN QUERY SELECT f.check_name, f.severity, f.source, f.count, f.share, f.example, f.query, f.detail
        FROM unnest(findings) WITH ORDINALITY AS f (check_name, severity,
            source, count, share, example, query, detail, place)
        ORDER BY array_position(ARRAY['error', 'warning', 'info', 'ok'], f.severity), f.place;
END
$$;
COMMENT ON FUNCTION churn_check_data_owned(text) IS 'support function of churn_check_data';

CREATE FUNCTION churn_check_data(study text) RETURNS SETOF churn_finding
    AS 'MODULE_PATHNAME', 'churn_as_owner' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION churn_check_data(text) IS 'can the data carry a churn model: a row a check and source, worst first, "ok" where nothing was found: missing and impossible keys, times, kinds and amounts, dates before launch and in the future, duplicates, gaps and spikes by day, kinds and sources that come or go, robots, freshness, late arrival; each with a count, a share, an example, a query that shows the rows, and what training does about it; reads every source a few times; errors: 55000 no source, 42P01 relation gone, 42501 rights';
