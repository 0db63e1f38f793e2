-- source.sql: sources of events, and the SQL that reads them

-- Type of a column by name: the type's OID, or NULL when there is none.
CREATE FUNCTION churn_column_type(relation regclass, column_name text) RETURNS regtype
    LANGUAGE sql STABLE STRICT
    SET search_path = pg_catalog, pg_temp
    AS $$
        WITH RECURSIVE base (type, under) AS (
            SELECT t.oid, t.typbasetype
            FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
            WHERE a.attrelid = relation AND a.attname = column_name
                AND a.attnum > 0 AND NOT a.attisdropped
            UNION ALL
            SELECT t.oid, t.typbasetype FROM base JOIN pg_type AS t ON t.oid = base.under
        )
        SELECT base.type::regtype FROM base WHERE base.under = 0
    $$;
COMMENT ON FUNCTION churn_column_type(regclass, text) IS 'support function of churn_add_source: type of a column (base type of a domain), NULL when there is none';

-- The relation of a source, resolved again at each run.
CREATE FUNCTION churn_source_relation(source churn_sources) RETURNS regclass
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    relation regclass := to_regclass(format('%I.%I', source.relation_schema, source.relation_name));
BEGIN
    IF relation IS NULL THEN
        RAISE EXCEPTION 'relation "%.%" of study "%" does not exist',
            source.relation_schema, source.relation_name, source.study
            USING ERRCODE = 'undefined_table',
                  HINT = format('Bring it back, or take the source out by churn_drop_source(%L, %s).', source.study, source.source);
    END IF;
    RETURN relation;
END
$$;
COMMENT ON FUNCTION churn_source_relation(churn_sources) IS 'support function: relation of a source; 42P01 with a hint when it is gone';

CREATE FUNCTION churn_check_column(relation regclass, column_name text,
    argument text, accepted text[]) RETURNS regtype
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    found_type regtype := @extschema@.churn_column_type(relation, column_name);
BEGIN
    IF column_name IS NULL THEN
        RETURN NULL;
    END IF;
    IF found_type IS NULL THEN
        RAISE EXCEPTION 'column "%" of relation % does not exist', column_name, relation
            USING ERRCODE = 'undefined_column',
                  HINT = format('%s names a column of it: %s.', argument,
                      (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
                       FROM pg_attribute AS a WHERE a.attrelid = relation
                           AND a.attnum BETWEEN 1 AND 40 AND NOT a.attisdropped));
    END IF;
    IF NOT has_column_privilege(relation, column_name, 'SELECT') THEN
        RAISE EXCEPTION 'permission denied for column "%" of relation %', column_name, relation
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF accepted IS NOT NULL AND found_type::text <> ALL (accepted) THEN
        RAISE EXCEPTION '% "%" is of type %, expected %', argument, column_name,
            found_type, array_to_string(accepted, ', ')
            USING ERRCODE = 'datatype_mismatch',
                  HINT = 'Add a view that converts it as the source.';
    END IF;
    RETURN found_type;
END
$$;
COMMENT ON FUNCTION churn_check_column(regclass, text, text, text[]) IS 'support function of churn_add_source: type of a column after checks; 42703, 42501 or 42804';

CREATE FUNCTION churn_create_history(definition churn_studies) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    histories text := format('%I.%I', definition.table_schema, definition.study || '_history');
BEGIN
    -- room for the rows that change at the next refresh beside them, so that
    -- the index need not change
    EXECUTE format($f$
        CREATE TABLE %s (
            user_id %s PRIMARY KEY,
            history @extschema@.churn_history NOT NULL,
            through date NOT NULL
        ) WITH (fillfactor = 85)$f$, histories, definition.user_type);
    EXECUTE format('COMMENT ON TABLE %s IS %L', histories, format('churn study %s: the history of every user, kept by churn_refresh; through: newest day that it holds', definition.study));
END
$$;
COMMENT ON FUNCTION churn_create_history(churn_studies) IS 'support function of churn_add_source and churn_refresh: the table STUDY_history; 42P07 when the name is taken';

-- Tables that belong to the study and not to the extension: made once the
-- first source has said of what type the user key is.
CREATE FUNCTION churn_create_tables(definition churn_studies) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d ALIAS FOR definition;
    scores text := format('%I.%I', d.table_schema, d.study || '_scores');
    score_log text := format('%I.%I', d.table_schema, d.study || '_score_log');
    snapshots text := format('%I.%I', d.table_schema, d.study || '_snapshots');
    churn_view text := format('%I.%I', d.table_schema, d.study || '_churn');
    features text := format('%I.%I', d.table_schema, d.study || '_features');
BEGIN
    PERFORM @extschema@.churn_create_history(d);
    EXECUTE format($f$
        CREATE TABLE %s (
            user_id %s PRIMARY KEY,
            as_of date NOT NULL,
            score float8 NOT NULL,
            percentile float8 NOT NULL,
            band text NOT NULL,
            band_since date NOT NULL,
            previous_score float8,
            stage text NOT NULL,
            reasons text[] NOT NULL,
            value float8,
            value_at_risk float8,
            next_day date,
            holdout boolean NOT NULL,
            model_version int NOT NULL
        )$f$, scores, d.user_type);
    EXECUTE format('COMMENT ON TABLE %s IS %L', scores, format('churn study %s: users at risk and their newest score', d.study));
    EXECUTE format($f$
        CREATE TABLE %s (
            as_of date NOT NULL,
            user_id %s NOT NULL,
            model_version int NOT NULL,
            score float8 NOT NULL,
            holdout boolean NOT NULL,
            PRIMARY KEY (as_of, user_id, model_version)
        )$f$, score_log, d.user_type);
    EXECUTE format('COMMENT ON TABLE %s IS %L', score_log, format('churn study %s: scores as they were given, weekly', d.study));
    EXECUTE format($f$
        CREATE TABLE %s (
            user_id %s NOT NULL,
            as_of date NOT NULL,
            purpose text NOT NULL,
            stage text NOT NULL,
            churned boolean,
            unknown_reason text,
            recency int,
            key_days int,
            features float8[] NOT NULL,
            tenure int,
            value float8,
            PRIMARY KEY (as_of, user_id)
        )$f$, snapshots, d.user_type);
    EXECUTE format('COMMENT ON TABLE %s IS %L', snapshots, format('churn study %s: labelled users at risk of the last training, a row a user and as-of date', d.study));
    EXECUTE format($f$
        CREATE VIEW %s AS
        SELECT user_id, as_of, score, percentile, band, band_since, previous_score,
            stage, reasons, value, value_at_risk, next_day, holdout, model_version
        FROM %s$f$, churn_view, scores);
    EXECUTE format('COMMENT ON VIEW %s IS %L', churn_view, format('churn study %s: who is at risk, how sure, why, what they are worth, since when', d.study));
    EXECUTE format('CREATE VIEW %s AS SELECT user_id, as_of, purpose, stage, churned, unknown_reason FROM %s',
        features, snapshots);
    EXECUTE format('COMMENT ON VIEW %s IS %L', features, format('churn study %s: the snapshots of the last training, a column a feature', d.study));
EXCEPTION WHEN duplicate_table THEN
    RAISE EXCEPTION 'a table or view named like those of study "%" exists already in schema "%"',
        d.study, d.table_schema
        USING ERRCODE = 'duplicate_table', DETAIL = SQLERRM,
              HINT = 'Rename it, or give the study another name or schema.';
END
$$;
COMMENT ON FUNCTION churn_create_tables(churn_studies) IS 'support function of churn_add_source: the study''s own tables and view; 42P07 when a name is taken';

-- Type of the user key of a study by the type of a column of keys.
CREATE FUNCTION churn_key_type(column_type regtype) RETURNS text
    LANGUAGE plpgsql STABLE STRICT
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    -- varchar and char keys are text keys: same values, same equality
    IF column_type IN ('varchar'::regtype, 'bpchar'::regtype) THEN
        column_type := 'text'::regtype;
    END IF;
    PERFORM @extschema@.churn_equality_operator(column_type);
    RETURN format_type(column_type, -1);
END
$$;
COMMENT ON FUNCTION churn_key_type(regtype) IS 'support function of churn_add_source: type of the user key, qualified; 42883 for a type without equality';

-- Text of a key as SQL: equal keys have equal texts, so that they are drawn
-- into the same fold and the same hold-out however they are written.
CREATE FUNCTION churn_key_text_sql(definition churn_studies, expression text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT format(CASE t.typname
            WHEN 'citext' THEN 'pg_catalog.lower(%s::pg_catalog.text)'
            WHEN 'numeric' THEN 'pg_catalog.trim_scale(%s)::pg_catalog.text'
            ELSE '%s::pg_catalog.text' END, expression)
        FROM pg_type AS t WHERE t.oid = definition.user_type::regtype
    $$;
COMMENT ON FUNCTION churn_key_text_sql(churn_studies, text) IS 'support function: text of a user key as SQL text, for hashing';

-- Everything about a source that is wrong, said at once; returns the type of
-- the user column.
CREATE FUNCTION churn_check_source(relation regclass, source churn_sources) RETURNS regtype
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    s ALIAS FOR source;
    moments text[] := '{date,"timestamp without time zone","timestamp with time zone"}';
    numbers text[] := '{smallint,integer,bigint,numeric,real,"double precision",money}';
    growing text[] := '{smallint,integer,bigint}' || moments;
BEGIN
    IF relation IS NULL OR s.user_column IS NULL OR s.time_column IS NULL THEN
        RAISE EXCEPTION 'relation, user_column and time_column must be given'
            USING ERRCODE = 'null_value_not_allowed';
    END IF;
    IF (SELECT c.relkind FROM pg_class AS c WHERE c.oid = relation)
        <> ALL ('{r,v,m,f,p}'::"char"[]) THEN
        RAISE EXCEPTION '% is not a table or view', relation
            USING ERRCODE = 'wrong_object_type';
    END IF;
    IF num_nonnulls(s.kind, s.kind_column) <> 1 THEN
        RAISE EXCEPTION 'a source needs either kind or kind_column'
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Say kind => ''order'' when all rows are of one kind, or kind_column => ''…'' when a column tells.';
    END IF;
    IF s.role IS NULL OR s.role NOT IN ('behaviour', 'action') THEN
        RAISE EXCEPTION 'role must be behaviour or action, not "%"', s.role
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM @extschema@.churn_check_column(relation, s.time_column, 'time_column', moments);
    PERFORM @extschema@.churn_check_column(relation, s.amount_column, 'amount_column', numbers);
    PERFORM @extschema@.churn_check_column(relation, s.kind_column, 'kind_column', NULL);
    PERFORM @extschema@.churn_check_column(relation, s.known_at_column, 'known_at_column', moments);
    PERFORM @extschema@.churn_check_column(relation, s.growing_column, 'growing_column', growing);
    IF s.kind IS NOT NULL THEN
        PERFORM @extschema@.churn_spec(kind => s.kind);
    END IF;
    IF s.filter IS NOT NULL THEN
        PERFORM @extschema@.churn_filter_sql(relation, s.filter, s.filter_path);
    END IF;
    RETURN @extschema@.churn_check_column(relation, s.user_column, 'user_column', NULL);
END
$$;
COMMENT ON FUNCTION churn_check_source(regclass, churn_sources) IS 'support function of churn_add_source: every check of a source; 42703, 42804, 42501, 22023, 42601 with what to do';

CREATE FUNCTION churn_add_source_owned(study text, relation regclass, user_column text,
    time_column text, amount_column text, kind text, kind_column text, filter text,
    known_at_column text, role text, filter_path text, growing_column text)
    RETURNS int
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d @extschema@.churn_studies := @extschema@.churn_study_lock(study);
    s @extschema@.churn_sources;
    key_type text;
BEGIN
    s := ROW(d.study, NULL, NULL, NULL, user_column, time_column, amount_column,
        kind, kind_column, filter, coalesce(filter_path, ''), known_at_column, role,
        growing_column);
    key_type := @extschema@.churn_key_type(@extschema@.churn_check_source(relation, s));
    IF d.user_type IS NULL THEN
        d.user_type := key_type;
        PERFORM @extschema@.churn_create_tables(d);
    ELSIF d.user_type <> key_type THEN
        RAISE EXCEPTION 'user_column "%" is of type %, but the users of study "%" are of type %',
            user_column, key_type, d.study, d.user_type
            USING ERRCODE = 'datatype_mismatch',
                  HINT = format('Add a view that casts the column to %s as the source.', d.user_type);
    END IF;
    SELECT coalesce(max(o.source), 0) + 1 INTO s.source
    FROM @extschema@.churn_sources AS o WHERE o.study = d.study;
    SELECT n.nspname, c.relname INTO s.relation_schema, s.relation_name
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid = relation;
    INSERT INTO @extschema@.churn_sources SELECT s.*;
    UPDATE @extschema@.churn_studies AS o
    SET user_type = d.user_type, revision = DEFAULT WHERE o.study = d.study;
    RETURN s.source;
END
$$;
COMMENT ON FUNCTION churn_add_source_owned(text, regclass, text, text, text, text, text, text, text, text, text, text) IS 'support function of churn_add_source';

CREATE FUNCTION churn_add_source(study text, relation regclass, user_column text,
    time_column text, amount_column text DEFAULT NULL, kind text DEFAULT NULL,
    kind_column text DEFAULT NULL, filter text DEFAULT NULL,
    known_at_column text DEFAULT NULL, role text DEFAULT 'behaviour',
    filter_path text DEFAULT pg_catalog.current_setting('search_path'),
    growing_column text DEFAULT NULL)
    RETURNS int
    AS 'MODULE_PATHNAME', 'churn_as_owner' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION churn_add_source(text, regclass, text, text, text, text, text, text, text, text, text, text) IS 'add a table or view of events to a study, a row an event; returns the source''s number; everything is checked now, with the rights of the study''s owner: 42703 column, 42804 type, 42501 rights, 22023 kind or role, 42601 filter; filter_path is the search_path under which the filter is read; growing_column is higher in rows that came later (an id, a time of loading): churn_refresh finds late rows by it';

CREATE FUNCTION churn_drop_source(study text, source int) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d @extschema@.churn_studies := @extschema@.churn_study_row(study);
BEGIN
    DELETE FROM @extschema@.churn_sources AS s
    WHERE s.study = d.study AND s.source = churn_drop_source.source;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'study "%" has no source %', study, source
            USING ERRCODE = 'undefined_object', HINT = 'churn_sources lists them.';
    END IF;
    UPDATE @extschema@.churn_studies AS s SET revision = DEFAULT WHERE s.study = d.study;
END
$$;
COMMENT ON FUNCTION churn_drop_source(text, int) IS 'take a source out of a study by its number; the relation itself stays; 42704 when there is none';

-- The SQL that reads a source -----------------------------------------------

-- What of a relation's rows counts: known user, met filter, not in the future.
CREATE FUNCTION churn_source_condition(definition churn_studies,
    source churn_sources, today text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    relation regclass := @extschema@.churn_source_relation(source);
    time_type regtype := @extschema@.churn_column_type(relation, source.time_column);
    next_day text := format('(%s OPERATOR(pg_catalog.+) 1)', today);
BEGIN
    RETURN format('e.%I IS NOT NULL AND e.%I OPERATOR(pg_catalog.<) %s%s',
        source.user_column, source.time_column,
        CASE time_type
            WHEN 'date'::regtype THEN next_day
            WHEN 'timestamp'::regtype THEN next_day || '::pg_catalog.timestamp'
            ELSE format('pg_catalog.timezone(%L, %s::pg_catalog.timestamp)',
                definition.time_zone, next_day)
        END,
        ' AND (' || @extschema@.churn_filter_sql(relation, source.filter, source.filter_path) || ')');
END
$$;
COMMENT ON FUNCTION churn_source_condition(churn_studies, churn_sources, text) IS 'support function: WHERE clause over alias e of the rows of a source that count on a day given as SQL text';

-- Calendar day of a column as SQL text.
CREATE FUNCTION churn_day_sql(relation regclass, column_name text, spec text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT CASE @extschema@.churn_column_type(relation, column_name)
            WHEN 'timestamp with time zone'::regtype
            THEN format('@extschema@.churn_day(e.%I, %s)', column_name, spec)
            ELSE format('e.%I::pg_catalog.date', column_name) END
    $$;
COMMENT ON FUNCTION churn_day_sql(regclass, text, text) IS 'support function: calendar day in the study''s zone of a column of alias e, as SQL text';

-- SELECT user_id, history of one source; "condition" narrows it further.
CREATE FUNCTION churn_source_sql(definition churn_studies, source churn_sources,
    today text, condition text DEFAULT 'true', grouped boolean DEFAULT true) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    relation regclass := @extschema@.churn_source_relation(source);
    spec text := format('%L::@extschema@.churn_spec',
        @extschema@.churn_spec(kind => source.kind, time_zone => definition.time_zone));
    same_types boolean := @extschema@.churn_column_type(relation, source.time_column)
        = @extschema@.churn_column_type(relation, source.known_at_column);
    day text;
    known text;
BEGIN
    IF source.known_at_column IS NULL OR same_types THEN
        day := format('e.%I', source.time_column);
        known := ', e.' || quote_ident(source.known_at_column);
    ELSE
        day := @extschema@.churn_day_sql(relation, source.time_column, spec);
        known := ', ' || @extschema@.churn_day_sql(relation, source.known_at_column, spec);
    END IF;
    RETURN format('SELECT %1$s@extschema@.churn_history(%2$s%3$s, %4$s%5$s, %6$s) AS history'
        ' FROM %7$s AS e WHERE %8$s AND %9$s%10$s',
        CASE WHEN grouped THEN format('e.%I::%s AS user_id, ', source.user_column, definition.user_type) ELSE '' END,
        day, ', e.' || quote_ident(source.kind_column) || '::pg_catalog.text',
        coalesce('e.' || quote_ident(source.amount_column)
            || CASE WHEN @extschema@.churn_column_type(relation, source.amount_column) = 'money'::regtype
                 THEN '::pg_catalog.numeric' ELSE '' END, 'NULL') || '::pg_catalog.float8',
        CASE WHEN source.known_at_column IS NULL THEN '' ELSE known END,
        spec,
        format('%I.%I', source.relation_schema, source.relation_name),
        @extschema@.churn_source_condition(definition, source, today),
        condition,
        CASE WHEN grouped THEN ' GROUP BY 1' ELSE '' END);
END
$$;
COMMENT ON FUNCTION churn_source_sql(churn_studies, churn_sources, text, text, boolean) IS 'support function: SQL that builds the histories of one source, every name qualified';

CREATE FUNCTION churn_check_sources(study text, parts text[]) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF cardinality(parts) = 0 THEN
        RAISE EXCEPTION 'study "%" has no source of behaviour', study
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Add its event tables by churn_add_source.';
    END IF;
END
$$;
COMMENT ON FUNCTION churn_check_sources(text, text[]) IS 'support function: 55000 for a study without a source of behaviour';

-- One statement from parts that give the histories of a source each.
CREATE FUNCTION churn_join_parts(parts text[], grouped boolean DEFAULT true) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT CASE WHEN cardinality(parts) = 1 THEN parts[1]
            ELSE format('SELECT %s@extschema@.churn_merge(p.history) AS history FROM (%s) AS p%s',
                CASE WHEN grouped THEN 'p.user_id, ' ELSE '' END,
                array_to_string(parts, ' UNION ALL '),
                CASE WHEN grouped THEN ' GROUP BY 1' ELSE '' END) END
    $$;
COMMENT ON FUNCTION churn_join_parts(text[], boolean) IS 'support function: SQL that merges the histories of several statements, by user or into one';

-- SELECT user_id, history over all behaviour sources of a study.
CREATE FUNCTION churn_event_histories_sql(definition churn_studies, today date) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    parts text[] := ARRAY(
        SELECT @extschema@.churn_source_sql(definition, s,
            format('%L::pg_catalog.date', today))
        FROM @extschema@.churn_sources AS s
        WHERE s.study = definition.study AND s.role = 'behaviour'
        ORDER BY s.source);
BEGIN
    PERFORM @extschema@.churn_check_sources(definition.study, parts);
    RETURN @extschema@.churn_join_parts(parts);
END
$$;
COMMENT ON FUNCTION churn_event_histories_sql(churn_studies, date) IS 'support function: SQL that builds every user''s history from the events; 55000 without a source';

CREATE VIEW churn_definitions WITH (security_barrier) AS
    SELECT s.study, s.owner, s.churn_window, s.gap, s.active_window, s.lookback,
        s.min_tenure, s.key_kinds, s.time_zone, s.holdout_share,
        count(c.source) AS sources,
        string_agg(format('%I.%I%s', c.relation_schema, c.relation_name,
            CASE c.role WHEN 'action' THEN ' (action)' ELSE '' END),
            ', ' ORDER BY c.source) FILTER (WHERE c.source IS NOT NULL) AS relations,
        format('churned: no %s for %s days%s; at risk: one in the %s days before',
            coalesce(array_to_string(s.key_kinds, ' or '), 'event'), s.churn_window,
            CASE WHEN s.gap > 0 THEN format(', from %s days after', s.gap) ELSE '' END,
            s.active_window) AS meaning
    FROM churn_studies AS s
    LEFT JOIN churn_sources AS c ON c.study OPERATOR(pg_catalog.=) s.study
    -- a view reads with its owner's rights, so it repeats the policy itself
    WHERE pg_catalog.pg_has_role(s.owner, 'MEMBER')
    GROUP BY s.study;
GRANT SELECT ON churn_definitions TO PUBLIC;
COMMENT ON VIEW churn_definitions IS 'studies for people: what churn means in each, in days and in words, and what it reads';
