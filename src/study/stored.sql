-- stored.sql: the histories that a study keeps, what they hold, and the SQL
-- that reads them together with the events since
--
-- STUDY_history holds every user's history through a day.  Days before it are
-- whole, but for rows that arrived late; that day itself may go on, so readers
-- drop it and read it from the events again (churn_without(history, through)
-- + tail).  What came late is found by the next refresh (load.sql).

CREATE TABLE churn_histories (
    study text PRIMARY KEY REFERENCES churn_studies ON UPDATE CASCADE ON DELETE CASCADE,
    digest text NOT NULL,
    revision bigint NOT NULL,
    through date NOT NULL,
    ranges int NOT NULL CHECK (ranges > 0),
    ranges_done int NOT NULL CHECK (ranges_done BETWEEN 0 AND ranges),
    loaded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE churn_histories IS 'what STUDY_history of each study holds; written by churn_refresh and churn_rebuild';
COMMENT ON COLUMN churn_histories.study IS 'study the histories belong to';
COMMENT ON COLUMN churn_histories.digest IS 'digest of the sources, the zone and the type of key they were read by: another one makes them void';
COMMENT ON COLUMN churn_histories.revision IS 'revision of the study at the last refresh: live scores use the histories while it is that of the study';
COMMENT ON COLUMN churn_histories.through IS 'newest day with events that they hold; days before it are whole but for rows that arrived later';
COMMENT ON COLUMN churn_histories.ranges IS 'ranges of users, by hash of the key, that the first load is done in';
COMMENT ON COLUMN churn_histories.ranges_done IS 'ranges that are there; fewer than ranges: the load goes on at the next refresh and nobody reads them yet';
COMMENT ON COLUMN churn_histories.loaded_at IS 'when they were last brought up to date';

CREATE TABLE churn_watermarks (
    study text NOT NULL,
    source int NOT NULL,
    last_day date,
    late_from text,
    late_since date,
    PRIMARY KEY (study, source),
    FOREIGN KEY (study, source) REFERENCES churn_sources ON UPDATE CASCADE ON DELETE CASCADE
);
COMMENT ON TABLE churn_watermarks IS 'how far each source has been read into STUDY_history';
COMMENT ON COLUMN churn_watermarks.study IS 'study the source belongs to';
COMMENT ON COLUMN churn_watermarks.source IS 'number of the source within its study';
COMMENT ON COLUMN churn_watermarks.last_day IS 'newest day with events that was seen in the source; NULL where it was empty';
COMMENT ON COLUMN churn_watermarks.late_from IS 'value of the growing or known-at column from which on rows may not have been seen, as text; NULL where the source has neither or was empty';
COMMENT ON COLUMN churn_watermarks.late_since IS 'rows of this day and later, as far as they were there, are at or above late_from';

ALTER TABLE churn_histories ENABLE ROW LEVEL SECURITY;
ALTER TABLE churn_watermarks ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON churn_histories, churn_watermarks TO PUBLIC;
CREATE POLICY churn_histories_member ON churn_histories
    USING (EXISTS (SELECT FROM @extschema@.churn_studies AS s
                   WHERE s.study OPERATOR(pg_catalog.=) churn_histories.study));
COMMENT ON POLICY churn_histories_member ON churn_histories IS 'who sees the study';
CREATE POLICY churn_watermarks_member ON churn_watermarks
    USING (EXISTS (SELECT FROM @extschema@.churn_studies AS s
                   WHERE s.study OPERATOR(pg_catalog.=) churn_watermarks.study));
COMMENT ON POLICY churn_watermarks_member ON churn_watermarks IS 'who sees the study';
SELECT pg_catalog.pg_extension_config_dump('churn_histories', '');
SELECT pg_catalog.pg_extension_config_dump('churn_watermarks', '');

-- What histories depend on; windows, kinds and the like are not among it.
CREATE FUNCTION churn_history_definition(definition churn_studies) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT md5(jsonb_build_array(definition.time_zone, definition.user_type,
            definition.table_schema,
            (SELECT jsonb_agg(to_jsonb(s) - 'study' ORDER BY s.source)
             FROM @extschema@.churn_sources AS s
             WHERE s.study = definition.study AND s.role = 'behaviour'))::text)
    $$;
COMMENT ON FUNCTION churn_history_definition(churn_studies) IS 'support function of churn_refresh: digest of what the stored histories of a study depend on';

-- The stored histories of a study, begun or whole; NULL where there are none
-- that were read by its present definition.
CREATE FUNCTION churn_stored_begun(definition churn_studies) RETURNS churn_histories
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT h FROM @extschema@.churn_histories AS h
        WHERE h.study = definition.study
            AND h.digest = @extschema@.churn_history_definition(definition)
            AND to_regclass(format('%I.%I', definition.table_schema, definition.study || '_history')) IS NOT NULL
    $$;
COMMENT ON FUNCTION churn_stored_begun(churn_studies) IS 'support function of churn_refresh: the row of churn_histories that holds for the study as it is defined now, complete or not';

CREATE FUNCTION churn_stored(definition churn_studies) RETURNS churn_histories
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT h FROM @extschema@.churn_stored_begun(definition) AS h WHERE h.ranges_done = h.ranges
    $$;
COMMENT ON FUNCTION churn_stored(churn_studies) IS 'support function: the row of churn_histories when the stored histories are complete and of the present definition, else NULL';

-- Condition that an event lies on or after a day (or before it), such that
-- an index on the time column serves it.
CREATE FUNCTION churn_day_bound_sql(definition churn_studies, source churn_sources,
    day text, after boolean DEFAULT true) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    relation regclass := @extschema@.churn_source_relation(source);
    comparison text := CASE WHEN after THEN '>=' ELSE '<' END;
    spec text := format('%L::@extschema@.churn_spec',
        @extschema@.churn_spec(time_zone => definition.time_zone));
BEGIN
    IF @extschema@.churn_column_type(relation, source.time_column) <> 'timestamptz'::regtype THEN
        RETURN format('e.%I OPERATOR(pg_catalog.%s) %s%s', source.time_column, comparison, day,
            CASE WHEN @extschema@.churn_column_type(relation, source.time_column) = 'timestamp'::regtype
                 THEN '::pg_catalog.timestamp' ELSE '' END);
    END IF;
    -- midnights that clocks skip or repeat: a day to spare for the index, and
    -- the day itself by the function that histories are built with
    RETURN format('e.%1$I OPERATOR(pg_catalog.%2$s) pg_catalog.timezone(%3$L, (%4$s OPERATOR(pg_catalog.%5$s) 1)::pg_catalog.timestamp)'
        ' AND @extschema@.churn_day(e.%1$I, %6$s) OPERATOR(pg_catalog.%2$s) %4$s',
        source.time_column, comparison, definition.time_zone, day,
        CASE WHEN after THEN '-' ELSE '+' END, spec);
END
$$;
COMMENT ON FUNCTION churn_day_bound_sql(churn_studies, churn_sources, text, boolean) IS 'support function: condition over alias e for the events from a day on, or before it, the day as SQL text';

-- SQL of every user's history: from the stored ones and the events since,
-- or from all events where nothing is stored.
CREATE FUNCTION churn_histories_sql(definition churn_studies, today date) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d ALIAS FOR definition;
    stored @extschema@.churn_histories := @extschema@.churn_stored(d);
BEGIN
    IF stored.study IS NULL OR stored.through > today THEN
        RETURN @extschema@.churn_event_histories_sql(d, today);
    END IF;
    RETURN format('SELECT r.user_id, r.history FROM ('
        'SELECT coalesce(h.user_id, t.user_id) AS user_id, CASE'
        ' WHEN h.user_id IS NULL THEN t.history'
        ' WHEN t.history IS NULL THEN @extschema@.churn_without(h.history, %1$L::pg_catalog.date)'
        ' ELSE @extschema@.churn_without(h.history, %1$L::pg_catalog.date) OPERATOR(@extschema@.+) t.history END AS history'
        ' FROM %2$I.%3$I AS h FULL JOIN (%4$s) AS t ON t.user_id %5$s h.user_id OFFSET 0) AS r'
        ' WHERE @extschema@.churn_first_day(r.history) IS NOT NULL',
        stored.through, d.table_schema, d.study || '_history',
        @extschema@.churn_join_parts(ARRAY(
            SELECT @extschema@.churn_source_sql(d, s, format('%L::pg_catalog.date', today),
                @extschema@.churn_day_bound_sql(d, s, format('%L::pg_catalog.date', stored.through)))
            FROM @extschema@.churn_sources AS s
            WHERE s.study = d.study AND s.role = 'behaviour' ORDER BY s.source)),
        @extschema@.churn_equality_operator(d.user_type::regtype));
END
$$;
COMMENT ON FUNCTION churn_histories_sql(churn_studies, date) IS 'support function: SQL that gives every user''s history as of today, from STUDY_history and the events since where it is loaded, else from all events; 55000 without a source';

-- SQL of one user's history: $1 the key, $2 today.  With stored histories it
-- has two columns, the stored one and that of the events from $3 on.
CREATE FUNCTION churn_user_sql(study text, stored boolean) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d @extschema@.churn_studies := @extschema@.churn_study_row(study);
    equals text := @extschema@.churn_equality_operator(d.user_type::regtype);
    parts text[] := ARRAY(
        SELECT @extschema@.churn_source_sql(d, s, '$2',
            format('e.%I %s $1', s.user_column, equals) || CASE WHEN stored
                THEN ' AND ' || @extschema@.churn_day_bound_sql(d, s, '$3') ELSE '' END, false)
        FROM @extschema@.churn_sources AS s
        WHERE s.study = d.study AND s.role = 'behaviour'
        ORDER BY s.source);
BEGIN
    PERFORM @extschema@.churn_check_sources(d.study, parts);
    IF NOT stored THEN
        RETURN @extschema@.churn_join_parts(parts, false);
    END IF;
    RETURN format('SELECT (SELECT h.history FROM %I.%I AS h WHERE h.user_id %s $1), (%s)',
        d.table_schema, d.study || '_history', equals,
        @extschema@.churn_join_parts(parts, false));
END
$$;
COMMENT ON FUNCTION churn_user_sql(text, boolean) IS 'support function of churn_score: SQL of one user''s history, $1 the key, $2 today, $3 the first day that is read from the events';
