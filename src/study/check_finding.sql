-- check_finding.sql: what a data check says, and how it reads a source
--
-- All functions of the check_*.sql files run under the pinned search_path
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
