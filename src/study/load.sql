-- load.sql: bringing the stored histories up to date at the cost of what is new
--
-- Of each source all events from a day "since" on are read again, and the days
-- from it on replaced: the newest day that is held, less the overlap.  Rows of
-- older days that came late are found
--   by the growing column, or else the known-at column, where one is named;
--   else in the days since the newest of their own source, less the overlap;
-- their (user, day) pairs are read again whole, from all sources, and
-- replaced.  Watermarks are taken before anything is read, so what arrives
-- meanwhile is read twice rather than never, and as days are replaced, reading
-- them twice changes nothing.

-- Share of users of one range as a condition over the SQL text of a key.
CREATE FUNCTION churn_range_sql(definition churn_studies, key text, range int, ranges int) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT CASE WHEN ranges = 1 THEN 'true' ELSE format(
            '@extschema@.churn_key_share(%1$s, ''load'') OPERATOR(pg_catalog.>=) %2$L::pg_catalog.float8'
            ' AND @extschema@.churn_key_share(%1$s, ''load'') OPERATOR(pg_catalog.<) %3$L::pg_catalog.float8',
            @extschema@.churn_key_text_sql(definition, key),
            range / ranges::float8, (range + 1) / ranges::float8) END
    $$;
COMMENT ON FUNCTION churn_range_sql(churn_studies, text, int, int) IS 'support function of churn_refresh: condition for the users whose key''s hash lies in a range, 0 to ranges - 1';

-- The key of a source's rows as SQL text.
CREATE FUNCTION churn_source_key_sql(definition churn_studies, source churn_sources) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$ SELECT format('e.%I::%s', source.user_column, definition.user_type) $$;
COMMENT ON FUNCTION churn_source_key_sql(churn_studies, churn_sources) IS 'support function of churn_refresh: the user key of alias e in the study''s type';

-- The day of a source's rows as SQL text.
CREATE FUNCTION churn_source_day_sql(definition churn_studies, source churn_sources) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT @extschema@.churn_day_sql(@extschema@.churn_source_relation(source), source.time_column,
            format('%L::@extschema@.churn_spec', @extschema@.churn_spec(time_zone => definition.time_zone)))
    $$;
COMMENT ON FUNCTION churn_source_day_sql(churn_studies, churn_sources) IS 'support function of churn_refresh: calendar day of alias e in the study''s zone';

-- Memory of a hash aggregate over a statement with a row an event, by the
-- planner's estimates: a state has 256 bytes or, of many events, 6 bytes an
-- event, doubled, with its entry in the table 400 bytes at least; where events
-- are so many that they share their days and kinds it grows no more.
CREATE FUNCTION churn_hash_bytes(events text) RETURNS float8
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    plan json;
    rows float8;
    users float8;
BEGIN
    EXECUTE format('EXPLAIN (FORMAT JSON) %s', events) INTO plan;
    rows := (plan #>> '{0,Plan,Plan Rows}')::float8;
    EXECUTE format('EXPLAIN (FORMAT JSON) SELECT r.user_id FROM (%s) AS r GROUP BY 1', events) INTO plan;
    users := greatest((plan #>> '{0,Plan,Plan Rows}')::float8, 1);
    RETURN users * (144 + least(greatest(256, 2 * 6 * rows / users), 65536));
END
$$;
COMMENT ON FUNCTION churn_hash_bytes(text) IS 'support function of churn_refresh: estimated memory of the histories of a statement (user_id, an event a row) in a hash aggregate';

-- Ranges that keep each hash aggregate over the sources within hash memory;
-- 0 where a sort does that at less cost than so many scans.
CREATE FUNCTION churn_load_ranges(definition churn_studies, today date, since date DEFAULT NULL) RETURNS int
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d ALIAS FOR definition;
    hash_bytes float8 := pg_size_bytes(current_setting('work_mem'))
        * current_setting('hash_mem_multiplier')::float8;
    needed float8;
BEGIN
    SELECT max(@extschema@.churn_hash_bytes(format('SELECT %s AS user_id FROM %I.%I AS e WHERE %s AND %s',
        @extschema@.churn_source_key_sql(d, s), s.relation_schema, s.relation_name,
        @extschema@.churn_source_condition(d, s, format('%L::pg_catalog.date', today)),
        CASE WHEN since IS NULL THEN 'true'
             ELSE @extschema@.churn_day_bound_sql(d, s, format('%L::pg_catalog.date', since)) END)))
    INTO needed
    FROM @extschema@.churn_sources AS s WHERE s.study = d.study AND s.role = 'behaviour';
    RETURN CASE WHEN needed > 8 * hash_bytes THEN 0 ELSE greatest(ceil(needed / hash_bytes), 1) END;
END
$$;
COMMENT ON FUNCTION churn_load_ranges(churn_studies, date, date) IS 'support function of churn_refresh: number of ranges of users whose histories fit into work_mem x hash_mem_multiplier one after the other; 0: more than 8, sort instead';

-- The same staging table by a sort, whose states are one at a time.
CREATE FUNCTION churn_stage_sorted(definition churn_studies, suffix text, query text) RETURNS text
    LANGUAGE sql VOLATILE
    SET search_path = pg_catalog, pg_temp
    SET enable_hashagg = off
    AS $$ SELECT @extschema@.churn_stage(definition, suffix, query) $$;
COMMENT ON FUNCTION churn_stage_sorted(churn_studies, text, text) IS 'support function of churn_refresh: churn_stage without hash aggregates, for more users than hash memory holds';

-- Watermarks --------------------------------------------------------------------

-- Newest day of a source, and from which value of its growing or known-at
-- column on rows may be new to whoever has read it up to now.
CREATE FUNCTION churn_newest_day(definition churn_studies, source churn_sources, today date) RETURNS date
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    newest date;
    -- an expression around the plain max(), which an index answers
    day text := CASE @extschema@.churn_column_type(@extschema@.churn_source_relation(source), source.time_column)
        WHEN 'timestamptz'::regtype THEN format('@extschema@.churn_day(pg_catalog.max(e.%I), %L::@extschema@.churn_spec)',
            source.time_column, @extschema@.churn_spec(time_zone => definition.time_zone))
        ELSE format('pg_catalog.max(e.%I)::pg_catalog.date', source.time_column) END;
BEGIN
    EXECUTE format('SELECT %s FROM %I.%I AS e WHERE %s', day, source.relation_schema, source.relation_name,
        @extschema@.churn_source_condition(definition, source, format('%L::pg_catalog.date', today)))
    INTO newest;
    RETURN newest;
END
$$;
COMMENT ON FUNCTION churn_newest_day(churn_studies, churn_sources, date) IS 'support function of churn_refresh: newest day with events of a source, NULL when it has none';

CREATE FUNCTION churn_late_from(definition churn_studies, source churn_sources,
    today date, late_since date, overlap int) RETURNS text
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    grows text := coalesce(source.growing_column, source.known_at_column);
    relation regclass := @extschema@.churn_source_relation(source);
    late_from text;
BEGIN
    IF @extschema@.churn_column_type(relation, grows) = ANY ('{smallint,integer,bigint}'::regtype[]) THEN
        -- ids are not in the order of commits: as far back as those of the
        -- days that are read again anyway, and some more
        EXECUTE format('SELECT greatest(least(pg_catalog.min(e.%1$I) FILTER (WHERE %2$s)::pg_catalog.numeric,'
            ' pg_catalog.max(e.%1$I)::pg_catalog.numeric OPERATOR(pg_catalog.-) 10000), -9e18::pg_catalog.numeric)::pg_catalog.int8 FROM %3$I.%4$I AS e WHERE %5$s',
            grows, @extschema@.churn_day_bound_sql(definition, source, format('%L::pg_catalog.date', late_since)),
            source.relation_schema, source.relation_name,
            @extschema@.churn_source_condition(definition, source, format('%L::pg_catalog.date', today)))
        INTO late_from;
    ELSIF grows IS NOT NULL THEN
        -- a moment in the future would hide what comes until then; a day to
        -- spare for the session's zone
        EXECUTE format('SELECT pg_catalog.max(e.%1$I)::pg_catalog.date OPERATOR(pg_catalog.-) %2$s'
            ' FROM %3$I.%4$I AS e WHERE %5$s AND e.%1$I OPERATOR(pg_catalog.<) %6$L::pg_catalog.date',
            grows, overlap + 1, source.relation_schema, source.relation_name,
            @extschema@.churn_source_condition(definition, source, format('%L::pg_catalog.date', today)),
            today + 2)
        INTO late_from;
    END IF;
    RETURN late_from;
END
$$;
COMMENT ON FUNCTION churn_late_from(churn_studies, churn_sources, date, date, int) IS 'support function of churn_refresh: value of the growing or known-at column from which on rows may be new at the next refresh, as text; NULL where the source has neither';

-- Take the watermarks of all sources; returns the newest day of any.
CREATE FUNCTION churn_take_watermarks(definition churn_studies, today date, overlap int) RETURNS date
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d ALIAS FOR definition;
    newest date;
BEGIN
    DELETE FROM @extschema@.churn_watermarks AS w WHERE w.study = d.study;
    INSERT INTO @extschema@.churn_watermarks (study, source, last_day)
    SELECT d.study, s.source, @extschema@.churn_newest_day(d, s, today)
    FROM @extschema@.churn_sources AS s WHERE s.study = d.study AND s.role = 'behaviour';
    newest := coalesce((SELECT max(w.last_day) FROM @extschema@.churn_watermarks AS w
                        WHERE w.study = d.study), today);
    UPDATE @extschema@.churn_watermarks AS w SET late_since = newest - overlap,
        late_from = @extschema@.churn_late_from(d, s, today, newest - overlap, overlap)
    FROM @extschema@.churn_sources AS s
    WHERE w.study = d.study AND s.study = d.study AND s.source = w.source;
    RETURN newest;
END
$$;
COMMENT ON FUNCTION churn_take_watermarks(churn_studies, date, int) IS 'support function of churn_refresh: write churn_watermarks as the sources are now; returns the newest day with events (today where there is none)';

-- From nothing ------------------------------------------------------------------

CREATE FUNCTION churn_load_begin(definition churn_studies, today date, overlap int) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d ALIAS FOR definition;
    histories text := format('%I.%I', d.table_schema, d.study || '_history');
BEGIN
    IF NOT EXISTS (SELECT FROM @extschema@.churn_sources AS s
                   WHERE s.study = d.study AND s.role = 'behaviour') THEN
        PERFORM @extschema@.churn_check_sources(d.study, '{}');
    END IF;
    IF to_regclass(histories) IS NULL THEN
        PERFORM @extschema@.churn_create_history(d);
    END IF;
    -- not TRUNCATE, which empties the table for older snapshots too
    EXECUTE format('DELETE FROM %s', histories);
    DELETE FROM @extschema@.churn_histories AS h WHERE h.study = d.study;
    INSERT INTO @extschema@.churn_histories (study, digest, revision, through, ranges, ranges_done)
    VALUES (d.study, @extschema@.churn_history_definition(d), d.revision,
        @extschema@.churn_take_watermarks(d, today, overlap),
        greatest(@extschema@.churn_load_ranges(d, today), 1), 0);
END
$$;
COMMENT ON FUNCTION churn_load_begin(churn_studies, date, int) IS 'support function of churn_refresh: empty STUDY_history, take the watermarks and say in how many ranges it will be filled';

-- Load the next range of users; true when it was the last.
CREATE FUNCTION churn_load_range(definition churn_studies, today date) RETURNS boolean
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d ALIAS FOR definition;
    h @extschema@.churn_histories := @extschema@.churn_stored_begun(d);
    sorts boolean := @extschema@.churn_load_ranges(d, today) = 0;
    query text;
    staging text;
BEGIN
    query := @extschema@.churn_join_parts(ARRAY(
        SELECT @extschema@.churn_source_sql(d, s, format('%L::pg_catalog.date', today),
            @extschema@.churn_range_sql(d, format('(%s)', @extschema@.churn_source_key_sql(d, s)),
                h.ranges_done, h.ranges))
        FROM @extschema@.churn_sources AS s
        WHERE s.study = d.study AND s.role = 'behaviour' ORDER BY s.source));
    IF sorts THEN
        staging := @extschema@.churn_stage_sorted(d, '_staging', query);
    ELSE
        staging := @extschema@.churn_stage(d, '_staging', query);
    END IF;
    EXECUTE format('INSERT INTO %I.%I (user_id, history, through) SELECT t.user_id, t.history, @extschema@.churn_last_day(t.history)'
        ' FROM %s AS t WHERE t.history IS NOT NULL',
        d.table_schema, d.study || '_history', staging);
    EXECUTE format('DROP TABLE %s', staging);
    UPDATE @extschema@.churn_histories AS o
    SET ranges_done = o.ranges_done + 1, loaded_at = clock_timestamp() WHERE o.study = d.study;
    IF h.ranges > 1 THEN
        RAISE NOTICE 'histories: range % of %', h.ranges_done + 1, h.ranges;
    END IF;
    RETURN h.ranges_done + 1 = h.ranges;
END
$$;
COMMENT ON FUNCTION churn_load_range(churn_studies, date) IS 'support function of churn_refresh: fill the next range of users of STUDY_history; whether it was the last';

-- What is new -------------------------------------------------------------------

-- Condition for the rows of a source that may have come since the last
-- refresh but lie before "since"; NULL where there can be none.
CREATE FUNCTION churn_late_sql(definition churn_studies, source churn_sources,
    since date, overlap int) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    w @extschema@.churn_watermarks;
    before text := @extschema@.churn_day_bound_sql(definition, source,
        format('%L::pg_catalog.date', since), false);
    grows text := coalesce(source.growing_column, source.known_at_column);
BEGIN
    SELECT * INTO w FROM @extschema@.churn_watermarks AS o
    WHERE o.study = definition.study AND o.source = churn_late_sql.source.source;
    IF w.last_day IS NULL THEN
        RETURN before;
    ELSIF w.late_from IS NOT NULL THEN
        -- a literal takes the type of the column; ids beyond it never were
        RETURN format('%s AND (e.%I OPERATOR(pg_catalog.>=) %s%s)', before, grows,
            CASE WHEN w.late_from ~ '^-?[0-9]+$' THEN format('(%s)::pg_catalog.int8', w.late_from)
                 ELSE quote_literal(w.late_from) || '::pg_catalog.date' END,
            CASE WHEN source.growing_column IS NULL THEN '' ELSE format(' OR e.%I IS NULL', grows) END);
    ELSIF w.last_day - overlap < since THEN
        RETURN before || ' AND ' || @extschema@.churn_day_bound_sql(definition, source,
            format('%L::pg_catalog.date', w.last_day - overlap));
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION churn_late_sql(churn_studies, churn_sources, date, int) IS 'support function of churn_refresh: condition over alias e for rows of days before since that may have arrived since the last refresh; NULL for none';

-- Statements for the (user, day) pairs of late rows, one a source that can
-- have some.
CREATE FUNCTION churn_late_parts(definition churn_studies, today date, since date, overlap int) RETURNS text[]
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT ARRAY(
            SELECT format('SELECT %s AS user_id, %s AS day FROM %I.%I AS e WHERE %s AND %s',
                @extschema@.churn_source_key_sql(definition, s),
                @extschema@.churn_source_day_sql(definition, s), s.relation_schema, s.relation_name,
                @extschema@.churn_source_condition(definition, s, format('%L::pg_catalog.date', today)),
                late.condition)
            FROM @extschema@.churn_sources AS s,
                LATERAL (SELECT @extschema@.churn_late_sql(definition, s, since, overlap) OFFSET 0) AS late (condition)
            WHERE s.study = definition.study AND s.role = 'behaviour' AND late.condition IS NOT NULL
            ORDER BY s.source)
    $$;
COMMENT ON FUNCTION churn_late_parts(churn_studies, date, date, int) IS 'support function of churn_refresh: SQL of user_id, day of the rows that may have come late, by the watermarks of the last refresh';

-- The same in the table STUDY_late; NULL when there are none.
CREATE FUNCTION churn_stage_late(definition churn_studies, parts text[]) RETURNS text
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    late text;
    any_late boolean;
BEGIN
    IF cardinality(parts) = 0 THEN
        RETURN NULL;
    END IF;
    late := @extschema@.churn_stage(definition, '_late', format(
        'SELECT DISTINCT l.user_id, l.day FROM (%s) AS l', array_to_string(parts, ' UNION ALL ')));
    EXECUTE format('SELECT EXISTS (SELECT FROM %s)', late) INTO any_late;
    IF NOT any_late THEN
        EXECUTE format('DROP TABLE %s', late);
        RETURN NULL;
    END IF;
    RETURN late;
END
$$;
COMMENT ON FUNCTION churn_stage_late(churn_studies, text[]) IS 'support function of churn_refresh: build STUDY_late (user_id, day); its qualified name, or NULL when no row came late';

-- Conditions for the rows from "since" on, one a source, in their order.
CREATE FUNCTION churn_recent_parts(definition churn_studies, since date) RETURNS text[]
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT ARRAY(
            SELECT @extschema@.churn_day_bound_sql(definition, s, format('%L::pg_catalog.date', since))
                -- ids tell as much and mostly have an index
                || CASE WHEN s.growing_column IS NOT NULL AND w.late_from IS NOT NULL
                        AND w.late_since <= since AND @extschema@.churn_column_type(
                            @extschema@.churn_source_relation(s), s.growing_column)
                            = ANY ('{smallint,integer,bigint}'::regtype[])
                   THEN format(' AND (e.%1$I OPERATOR(pg_catalog.>=) (%2$s)::pg_catalog.int8 OR e.%1$I IS NULL)',
                       s.growing_column, w.late_from)
                   ELSE '' END
            FROM @extschema@.churn_sources AS s
            LEFT JOIN @extschema@.churn_watermarks AS w ON w.study = s.study AND w.source = s.source
            WHERE s.study = definition.study AND s.role = 'behaviour'
            ORDER BY s.source)
    $$;
COMMENT ON FUNCTION churn_recent_parts(churn_studies, date) IS 'support function of churn_refresh: conditions over alias e for the rows from a day on, one a source, by the watermarks of the last refresh';

-- SQL of the histories of the days to be replaced, in one range of users.
CREATE FUNCTION churn_fresh_sql(definition churn_studies, today date, since date,
    recent text[], late text, range int, ranges int) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d ALIAS FOR definition;
    parts text[] := '{}';
    s @extschema@.churn_sources;
    key text;
    mine text;
    earliest date;
BEGIN
    IF late IS NOT NULL THEN
        EXECUTE format('SELECT pg_catalog.min(l.day) FROM %s AS l', late) INTO earliest;
    END IF;
    FOR s IN SELECT * FROM @extschema@.churn_sources AS o
             WHERE o.study = d.study AND o.role = 'behaviour' ORDER BY o.source
    LOOP
        key := format('(%s)', @extschema@.churn_source_key_sql(d, s));
        mine := @extschema@.churn_range_sql(d, key, range, ranges);
        parts := parts || @extschema@.churn_source_sql(d, s, format('%L::pg_catalog.date', today),
            recent[1] || ' AND ' || mine);
        recent := recent[2:];
        IF late IS NOT NULL THEN
            parts := parts || @extschema@.churn_source_sql(d, s, format('%L::pg_catalog.date', today),
                format('%s AND %s AND %s AND EXISTS (SELECT FROM %s AS l WHERE l.user_id %s %s AND l.day OPERATOR(pg_catalog.=) %s)',
                    @extschema@.churn_day_bound_sql(d, s, format('%L::pg_catalog.date', since), false),
                    @extschema@.churn_day_bound_sql(d, s, format('%L::pg_catalog.date', earliest)),
                    mine, late, @extschema@.churn_equality_operator(d.user_type::regtype), key,
                    @extschema@.churn_source_day_sql(d, s)));
        END IF;
    END LOOP;
    RETURN @extschema@.churn_join_parts(parts);
END
$$;
COMMENT ON FUNCTION churn_fresh_sql(churn_studies, date, date, text[], text, int, int) IS 'support function of churn_refresh: SQL of user_id, history over the days that a refresh reads again: those from since on and the late pairs';

-- Replace the days in one range of users by what was read; returns how many
-- rows of STUDY_history changed.  The study's row is locked, so nobody else
-- writes there and rows stay where the join found them.
CREATE FUNCTION churn_replace_days(definition churn_studies, fresh text, since date,
    late text, range int, ranges int) RETURNS bigint
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d ALIAS FOR definition;
    equals text := @extschema@.churn_equality_operator(d.user_type::regtype);
    days text := CASE WHEN late IS NULL THEN '' ELSE format(' LEFT JOIN ('
        'SELECT l.user_id, pg_catalog.array_agg(l.day) AS days FROM %s AS l GROUP BY 1) AS l'
        ' ON l.user_id %s h.user_id', late, equals) END;
    -- what is left of a stored history
    kept text := format('@extschema@.churn_without(h.history, %L::pg_catalog.date%s)', since,
        CASE WHEN late IS NULL THEN '' ELSE ', l.days' END);
    changed bigint;
    emptied bigint;
BEGIN
    EXECUTE format(
        'WITH merged AS MATERIALIZED ('
        '   SELECT n.user_id, h.ctid AS place, h.history AS old, CASE WHEN h.user_id IS NULL THEN n.history'
        '     ELSE %3$s OPERATOR(@extschema@.+) n.history END AS history'
        '   FROM %4$s AS n LEFT JOIN %1$I.%2$I AS h ON h.user_id %5$s n.user_id%6$s WHERE n.history IS NOT NULL'
        '), written AS ('
        '   UPDATE %1$I.%2$I AS o SET history = m.history, through = @extschema@.churn_last_day(m.history)'
        '   FROM merged AS m WHERE o.ctid OPERATOR(pg_catalog.=) m.place'
        '   AND m.history OPERATOR(@extschema@.<>) m.old RETURNING true'
        '), added AS ('
        '   INSERT INTO %1$I.%2$I (user_id, history, through)'
        '   SELECT m.user_id, m.history, @extschema@.churn_last_day(m.history)'
        '   FROM merged AS m WHERE m.place IS NULL RETURNING true'
        ') SELECT (SELECT pg_catalog.count(*) FROM written) OPERATOR(pg_catalog.+) (SELECT pg_catalog.count(*) FROM added)',
        d.table_schema, d.study || '_history', kept, fresh, equals, days) INTO changed;
    -- days whose events are gone altogether
    EXECUTE format(
        'WITH stale AS MATERIALIZED ('
        '   SELECT h.ctid AS place, h.history AS old, %3$s AS history FROM %1$I.%2$I AS h%6$s'
        '   WHERE (h.through OPERATOR(pg_catalog.>=) %7$L::pg_catalog.date%8$s)'
        '   AND NOT EXISTS (SELECT FROM %4$s AS n WHERE n.user_id %5$s h.user_id) AND %9$s'
        '), gone AS ('
        '   DELETE FROM %1$I.%2$I AS o USING stale AS s'
        '   WHERE o.ctid OPERATOR(pg_catalog.=) s.place AND @extschema@.churn_first_day(s.history) IS NULL RETURNING true'
        '), cut AS ('
        '   UPDATE %1$I.%2$I AS o SET history = s.history, through = @extschema@.churn_last_day(s.history)'
        '   FROM stale AS s WHERE o.ctid OPERATOR(pg_catalog.=) s.place AND @extschema@.churn_first_day(s.history) IS NOT NULL'
        '   AND s.history OPERATOR(@extschema@.<>) s.old RETURNING true'
        ') SELECT (SELECT pg_catalog.count(*) FROM gone) OPERATOR(pg_catalog.+) (SELECT pg_catalog.count(*) FROM cut)',
        d.table_schema, d.study || '_history', kept, fresh, equals, days, since,
        CASE WHEN late IS NULL THEN '' ELSE ' OR l.days IS NOT NULL' END,
        @extschema@.churn_range_sql(d, 'h.user_id', range, ranges)) INTO emptied;
    RETURN changed + emptied;
END
$$;
COMMENT ON FUNCTION churn_replace_days(churn_studies, text, date, text, int, int) IS 'support function of churn_refresh: replace the days from since on and the late days of the users of a range by a staging table; number of rows changed';

-- Bring complete stored histories up to today; returns how many changed.
CREATE FUNCTION churn_load_new(definition churn_studies, today date, overlap int) RETURNS bigint
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d ALIAS FOR definition;
    stored @extschema@.churn_histories := @extschema@.churn_stored(d);
    since date := least(stored.through, today + 1) - overlap;
    -- by the old watermarks, to be run after the new ones are taken
    recent text[] := @extschema@.churn_recent_parts(d, since);
    late_parts text[] := @extschema@.churn_late_parts(d, today, since, overlap);
    newest date := @extschema@.churn_take_watermarks(d, today, overlap);
    late text := @extschema@.churn_stage_late(d, late_parts);
    ranges int := @extschema@.churn_load_ranges(d, today, since);
    query text;
    fresh text;
    changed bigint := 0;
BEGIN
    FOR range IN 0 .. greatest(ranges, 1) - 1 LOOP
        query := @extschema@.churn_fresh_sql(d, today, since, recent, late, range, greatest(ranges, 1));
        IF ranges = 0 THEN
            fresh := @extschema@.churn_stage_sorted(d, '_staging', query);
        ELSE
            fresh := @extschema@.churn_stage(d, '_staging', query);
        END IF;
        changed := changed + @extschema@.churn_replace_days(d, fresh, since, late,
            range, greatest(ranges, 1));
        EXECUTE format('DROP TABLE %s', fresh);
    END LOOP;
    IF late IS NOT NULL THEN
        EXECUTE format('DROP TABLE %s', late);
    END IF;
    UPDATE @extschema@.churn_histories AS h
    SET through = newest, revision = d.revision, loaded_at = clock_timestamp()
    WHERE h.study = d.study;
    RETURN changed;
END
$$;
COMMENT ON FUNCTION churn_load_new(churn_studies, date, int) IS 'support function of churn_refresh: read what is new and late into STUDY_history; number of histories that changed';
