-- snapshot.sql: labelled users at risk, an as-of date at a time
--
-- Dates of a study with churn window h and gap g: a snapshot at a is labelled
-- when a+g+h <= complete-through + 1; training snapshots end before the test
-- begins: a_train+g+h <= a_test.

-- What a source holds, by its rows that count and by those that do not.
CREATE FUNCTION churn_source_facts(definition churn_studies, today date,
    OUT source int, OUT events bigint, OUT no_user bigint, OUT no_time bigint,
    OUT future bigint, OUT first_day date, OUT last_day date,
    OUT complete_through date) RETURNS SETOF record
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    s @extschema@.churn_sources;
    relation regclass;
    condition text;
    key_condition text;
    spec text := format('%L::@extschema@.churn_spec',
        @extschema@.churn_spec(time_zone => definition.time_zone));
    key_last date;
BEGIN
    FOR s IN SELECT * FROM @extschema@.churn_sources AS c
             WHERE c.study = definition.study AND c.role = 'behaviour' ORDER BY c.source
    LOOP
        relation := @extschema@.churn_source_relation(s);
        condition := @extschema@.churn_source_condition(definition, s,
            format('%L::pg_catalog.date', today));
        key_condition := CASE
            WHEN definition.key_kinds IS NULL THEN 'true'
            WHEN s.kind IS NOT NULL THEN (s.kind = ANY (definition.key_kinds))::text
            ELSE format('e.%I::pg_catalog.text OPERATOR(pg_catalog.=) ANY (%L::pg_catalog.text[])',
                s.kind_column, definition.key_kinds) END;
        EXECUTE format(
            'SELECT pg_catalog.count(*) FILTER (WHERE %1$s),'
            ' pg_catalog.count(*) FILTER (WHERE e.%2$I IS NULL),'
            ' pg_catalog.count(*) FILTER (WHERE e.%3$I IS NULL),'
            ' pg_catalog.count(*) FILTER (WHERE e.%2$I IS NOT NULL AND e.%3$I IS NOT NULL AND NOT (%1$s)),'
            ' %4$s, %5$s, %6$s'
            ' FROM %7$I.%8$I AS e%9$s',
            @extschema@.churn_source_condition(definition,
                ROW(s.study, s.source, s.relation_schema, s.relation_name, s.user_column,
                    s.time_column, s.amount_column, s.kind, s.kind_column, NULL,
                    s.filter_path, s.known_at_column, s.role, s.growing_column)::@extschema@.churn_sources,
                format('%L::pg_catalog.date', today)),
            s.user_column, s.time_column,
            @extschema@.churn_extreme_day_sql(relation, s.time_column, spec, 'min', condition),
            @extschema@.churn_extreme_day_sql(relation, s.time_column, spec, 'max', condition),
            @extschema@.churn_extreme_day_sql(relation, s.time_column, spec, 'max',
                condition || ' AND ' || key_condition),
            s.relation_schema, s.relation_name,
            ' WHERE (' || @extschema@.churn_filter_sql(relation, s.filter, s.filter_path) || ')')
        INTO events, no_user, no_time, future, first_day, last_day, key_last;
        source := s.source;
        -- a day that may still go on does not count; bare dates are whole days
        complete_through := CASE
            WHEN @extschema@.churn_column_type(relation, s.time_column) = 'date'::regtype
            THEN key_last - (key_last >= today)::int ELSE key_last - 1 END;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION churn_source_facts(churn_studies, date) IS 'support function of churn_train: a row a behaviour source: events that count, rows without user or time, rows from the future, first and last day, and the day through which key events are complete (NULL where the source has none)';

-- Least or greatest time of the rows that meet a condition, as a day.
CREATE FUNCTION churn_extreme_day_sql(relation regclass, column_name text, spec text,
    extreme text, condition text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT CASE @extschema@.churn_column_type(relation, column_name)
            WHEN 'timestamp with time zone'::regtype
            THEN format('@extschema@.churn_day(pg_catalog.%s(e.%I) FILTER (WHERE %s), %s)',
                extreme, column_name, condition, spec)
            ELSE format('(pg_catalog.%s(e.%I) FILTER (WHERE %s))::pg_catalog.date',
                extreme, column_name, condition) END
    $$;
COMMENT ON FUNCTION churn_extreme_day_sql(regclass, text, text, text, text) IS 'support function of churn_source_facts: SQL of the first or last day of some rows';

-- The same over all sources: the least complete day counts.
CREATE FUNCTION churn_study_facts(definition churn_studies, today date,
    OUT events bigint, OUT first_day date, OUT complete_through date)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT coalesce(sum(f.events), 0)::bigint, min(f.first_day),
            CASE WHEN definition.complete_until IS NULL THEN min(f.complete_through)
                 ELSE least(definition.complete_until, today) END
        FROM @extschema@.churn_source_facts(definition, today) AS f
    $$;
COMMENT ON FUNCTION churn_study_facts(churn_studies, date) IS 'support function of churn_feasible and churn_snapshot: events, first day and complete-through of a study';

-- Kinds of all behaviour sources, sorted by bytes.
CREATE FUNCTION churn_study_kinds(definition churn_studies, today date) RETURNS text[]
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    s @extschema@.churn_sources;
    found text[];
    kinds text[] := '{}';
BEGIN
    FOR s IN SELECT * FROM @extschema@.churn_sources AS c
             WHERE c.study = definition.study AND c.role = 'behaviour'
    LOOP
        IF s.kind IS NOT NULL THEN
            kinds := kinds || s.kind;
        ELSE
            EXECUTE format('SELECT pg_catalog.array_agg(k.kind) FROM'
                ' (SELECT DISTINCT e.%I::pg_catalog.text AS kind FROM %I.%I AS e WHERE %s) AS k'
                ' WHERE k.kind IS NOT NULL',
                s.kind_column, s.relation_schema, s.relation_name,
                @extschema@.churn_source_condition(definition, s,
                    format('%L::pg_catalog.date', today)))
            INTO found;
            kinds := kinds || found;
        END IF;
    END LOOP;
    RETURN ARRAY(SELECT DISTINCT k COLLATE "C" FROM unnest(kinds) AS k ORDER BY 1);
END
$$;
COMMENT ON FUNCTION churn_study_kinds(churn_studies, date) IS 'support function of churn_train: every kind that the behaviour sources give';

-- Key kinds that hold for a training, or an error that lists the kinds.
CREATE FUNCTION churn_check_key_kinds(definition churn_studies, kinds text[]) RETURNS text[]
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    listed text := coalesce((SELECT string_agg(format('"%s"', k), ', ') FROM unnest(kinds[1:20]) AS k), 'none');
BEGIN
    IF definition.key_kinds IS NULL THEN
        IF cardinality(kinds) = 1 THEN
            RETURN kinds;
        END IF;
        RAISE EXCEPTION 'study "%" does not say which kinds mean that a user is still there', definition.study
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('The sources give the kinds %s.', listed),
                  HINT = format('Name them: churn_alter_study(%L, key_kinds => ARRAY[''order'']).', definition.study);
    END IF;
    IF NOT definition.key_kinds <@ kinds THEN
        RAISE EXCEPTION 'no event of key kind "%"',
            (SELECT k FROM unnest(definition.key_kinds) AS k WHERE k <> ALL (kinds) LIMIT 1)
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('The sources give the kinds %s.', listed),
                  HINT = 'Check the kinds of the sources, or change key_kinds by churn_alter_study.';
    END IF;
    RETURN definition.key_kinds;
END
$$;
COMMENT ON FUNCTION churn_check_key_kinds(churn_studies, text[]) IS 'support function of churn_train: the key kinds; 55000 with the list of kinds when they are unsaid or absent';

-- Test date and purged training dates, newest first.
CREATE FUNCTION churn_snapshot_dates(definition churn_studies, first_day date,
    complete_through date, test_date date DEFAULT NULL, snapshots int DEFAULT 6,
    step int DEFAULT 30, OUT as_of date, OUT purpose text, OUT history_days int)
    RETURNS SETOF record
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        WITH d AS (
            SELECT definition.gap + definition.churn_window AS span,
                -- silence of a churn window cannot be told from less history
                least(definition.lookback, definition.churn_window) AS least_history
        ), test AS (
            SELECT coalesce(test_date, complete_through + 1 - d.span) AS day FROM d
        )
        SELECT t.day, 'test', t.day - first_day FROM test AS t
        UNION ALL
        SELECT t.day - d.span - k * step, 'train', t.day - d.span - k * step - first_day
        FROM test AS t, d, generate_series(0, snapshots - 1) AS k
        WHERE t.day - d.span - k * step - first_day >= d.least_history
        ORDER BY 1 DESC
    $$;
COMMENT ON FUNCTION churn_snapshot_dates(churn_studies, date, date, date, int, int) IS 'support function of churn_train: the test date (by default the newest complete one) and up to so many purged training dates, a step of days apart, each with at least min(lookback, churn_window) days of history';

-- Users at risk at some dates with their outcome, or the reason why it is not
-- known yet: SQL over a relation of histories (user_id, history).
CREATE FUNCTION churn_labelled_sql(definition churn_studies, histories text,
    spec churn_spec, dates date[], complete_through date) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT format(
            'SELECT c.user_id, c.as_of, c.history, c.standing,'
            ' CASE WHEN c.known OPERATOR(pg_catalog.<=) %1$L::pg_catalog.date THEN'
            '   @extschema@.churn_outcome(c.history, c.as_of, %2$L::@extschema@.churn_spec, %3$s) END AS churned,'
            ' CASE WHEN c.known OPERATOR(pg_catalog.>) %1$L::pg_catalog.date THEN pg_catalog.format('
            '   ''outcome known on %%s, events complete through %%s'', c.known, %4$L::pg_catalog.text) END AS unknown_reason'
            ' FROM (SELECT h.user_id, h.history, a.as_of, a.as_of OPERATOR(pg_catalog.+) %5$s AS known,'
            '   @extschema@.churn_standing(h.history, a.as_of, %2$L::@extschema@.churn_spec, %6$s, %7$s) AS standing'
            '   FROM %8$s AS h CROSS JOIN pg_catalog.unnest(%9$L::pg_catalog.date[]) AS a (as_of)'
            '   WHERE h.history IS NOT NULL OFFSET 0) AS c'
            ' WHERE (c.standing).at_risk',
            coalesce(complete_through + 1, '-infinity'), spec, definition.gap,
            coalesce(complete_through::text, '-'),
            definition.gap + definition.churn_window, definition.active_window,
            definition.min_tenure, histories, dates)
    $$;
COMMENT ON FUNCTION churn_labelled_sql(churn_studies, text, churn_spec, date[], date) IS 'support function: SQL of the users at risk at each date: user_id, as_of, history, standing, churned, unknown_reason';

-- Users at risk and their outcomes at some dates, from a relation of histories.
CREATE FUNCTION churn_snapshot_counts(definition churn_studies, histories text,
    key_kinds text[], dates date[], complete_through date, OUT as_of date,
    OUT users bigint, OUT churned bigint, OUT stayed bigint) RETURNS SETOF record
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    RETURN QUERY EXECUTE format(
        'SELECT a.as_of, pg_catalog.count(l.as_of), pg_catalog.count(*) FILTER (WHERE l.churned),'
        ' pg_catalog.count(*) FILTER (WHERE NOT l.churned)'
        ' FROM pg_catalog.unnest(%L::pg_catalog.date[]) AS a (as_of)'
        ' LEFT JOIN (%s) AS l ON l.as_of OPERATOR(pg_catalog.=) a.as_of'
        ' GROUP BY a.as_of', dates,
        @extschema@.churn_labelled_sql(definition, histories,
            @extschema@.churn_spec(kinds => key_kinds, key_kinds => key_kinds,
                churn_window => definition.churn_window, lookback => definition.lookback),
            dates, complete_through));
END
$$;
COMMENT ON FUNCTION churn_snapshot_counts(churn_studies, text, text[], date[], date) IS 'support function of churn_feasible: users at risk, churned and stayed at each date';

-- One date, user by user -----------------------------------------------------

CREATE FUNCTION churn_snapshot_owned(study text, as_of date,
    OUT user_id text, OUT stage text, OUT recency int, OUT tenure int,
    OUT key_days int, OUT value float8, OUT churned boolean, OUT unknown_reason text)
    RETURNS SETOF record
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d @extschema@.churn_studies := @extschema@.churn_study_row(study);
    today date := @extschema@.churn_today(d.time_zone);
    histories text := @extschema@.churn_histories_sql(d, today);
    kinds text[] := @extschema@.churn_study_kinds(d, today);
    complete_through date;
BEGIN
    IF as_of IS NULL OR NOT isfinite(as_of) OR as_of > today THEN
        RAISE EXCEPTION 'as_of must be a date up to today, %, not %', today, coalesce(as_of::text, 'null')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT f.complete_through INTO complete_through
    FROM @extschema@.churn_study_facts(d, today) AS f;
    RETURN QUERY EXECUTE format(
        'SELECT l.user_id::pg_catalog.text, (l.standing).stage, (l.standing).recency,'
        ' (l.standing).tenure, (l.standing).key_days, (l.standing).value, l.churned, l.unknown_reason'
        ' FROM (%s) AS l ORDER BY l.user_id',
        @extschema@.churn_labelled_sql(d, format('(%s)', histories),
            @extschema@.churn_spec(kinds => kinds, key_kinds => @extschema@.churn_check_key_kinds(d, kinds),
                churn_window => d.churn_window, lookback => d.lookback),
            ARRAY[as_of], complete_through));
END
$$;
COMMENT ON FUNCTION churn_snapshot_owned(text, date) IS 'support function of churn_snapshot';

CREATE FUNCTION churn_snapshot(study text, as_of date,
    OUT user_id text, OUT stage text, OUT recency int, OUT tenure int,
    OUT key_days int, OUT value float8, OUT churned boolean, OUT unknown_reason text)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'churn_as_owner' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION churn_snapshot(text, date) IS 'who was at risk on the morning of a date and what became of them: key as text, stage, days since the last and first key day, number of key days, value of a year, churned, or NULL with the reason why the outcome is not known yet; stores nothing, reads all events; 22023 a date after today, 55000 key kinds unsaid';

-- Can a model be trained? ---------------------------------------------------

CREATE FUNCTION churn_feasible_owned(study text,
    OUT as_of date, OUT purpose text, OUT history_days int, OUT users bigint,
    OUT churned bigint, OUT stayed bigint, OUT churn_rate float8, OUT verdict text)
    RETURNS SETOF record
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
#variable_conflict use_column
DECLARE
    d @extschema@.churn_studies := @extschema@.churn_study_row(study);
    today date := @extschema@.churn_today(d.time_zone);
    histories text := @extschema@.churn_histories_sql(d, today);
    least_history int := least(d.lookback, d.churn_window);
    span int := d.gap + d.churn_window;
    facts record;
    dates date[];
    kinds text[];
    poor record;
BEGIN
    SELECT * INTO facts FROM @extschema@.churn_study_facts(d, today);
    as_of := NULL;
    purpose := 'data';
    history_days := facts.complete_through - facts.first_day + 1;
    EXECUTE format('SELECT count(*) FROM (%s) AS h', histories) INTO users;
    verdict := format('%s events of %s users from %s, complete through %s', facts.events,
        users, coalesce(facts.first_day::text, '-'), coalesce(facts.complete_through::text, '-'));
    RETURN NEXT;

    purpose := 'verdict';
    IF facts.events = 0 OR facts.complete_through IS NULL THEN
        verdict := 'not feasible: no event of a key kind on a complete day';
        RETURN NEXT;
        RETURN;
    END IF;
    kinds := @extschema@.churn_check_key_kinds(d, @extschema@.churn_study_kinds(d, today));
    dates := ARRAY(SELECT t.as_of FROM @extschema@.churn_snapshot_dates(d,
        facts.first_day, facts.complete_through) AS t);
    FOR as_of, purpose, history_days, users, churned, stayed IN
        SELECT t.as_of, t.purpose, t.history_days, c.users, c.churned, c.stayed
        FROM @extschema@.churn_snapshot_dates(d, facts.first_day, facts.complete_through) AS t
        JOIN @extschema@.churn_snapshot_counts(d, format('(%s)', histories), kinds,
            dates, facts.complete_through) AS c USING (as_of)
        ORDER BY t.as_of DESC
    LOOP
        churn_rate := churned / nullif((churned + stayed)::float8, 0);
        verdict := CASE WHEN least(churned, stayed) < 200
            THEN format('fewer than 200 users who %s', CASE WHEN churned < stayed THEN 'churned' ELSE 'stayed' END)
            ELSE 'enough of both classes' END;
        IF poor IS NULL AND purpose = 'test' AND least(churned, stayed) < 200 THEN
            poor := ROW(churned, stayed);
        END IF;
        RETURN NEXT;
    END LOOP;

    as_of := NULL; purpose := 'verdict'; history_days := NULL;
    users := NULL; churned := NULL; stayed := NULL; churn_rate := NULL;
    verdict := CASE
        WHEN cardinality(dates) < 2
        THEN format('not feasible: no purged training snapshot yet; the first date that would do is %s',
            facts.first_day + least_history + 2 * span)
        WHEN poor IS NOT NULL
        THEN 'not feasible: fewer than 200 test users of one class; a longer active window or more users are needed'
        ELSE 'feasible' END;
    RETURN NEXT;
END
$$;
COMMENT ON FUNCTION churn_feasible_owned(text) IS 'support function of churn_feasible';

CREATE FUNCTION churn_feasible(study text,
    OUT as_of date, OUT purpose text, OUT history_days int, OUT users bigint,
    OUT churned bigint, OUT stayed bigint, OUT churn_rate float8, OUT verdict text)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'churn_as_owner' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION churn_feasible(text) IS 'can the study be trained: a row on the data, a row a possible snapshot (days of history, users at risk, churned, stayed, rate) and a verdict with the first date that would do; reads all events';

-- The snapshots of a training -----------------------------------------------

-- Fill STUDY_snapshots from histories at the given dates.
CREATE FUNCTION churn_fill_snapshots(definition churn_studies, histories text,
    spec churn_spec, dates date[], test_date date, complete_through date) RETURNS bigint
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d ALIAS FOR definition;
    snapshots text := format('%I.%I', d.table_schema, d.study || '_snapshots');
    filled bigint;
BEGIN
    EXECUTE format('DELETE FROM %s', snapshots);
    EXECUTE format(
        'INSERT INTO %s (user_id, as_of, purpose, stage, churned, unknown_reason, recency, key_days, features, tenure, value)'
        ' SELECT l.user_id, l.as_of, CASE WHEN l.as_of OPERATOR(pg_catalog.=) %L::pg_catalog.date THEN ''test'' ELSE ''train'' END,'
        ' (l.standing).stage, l.churned, l.unknown_reason, (l.standing).recency, (l.standing).key_days,'
        ' @extschema@.churn_features(l.history, l.as_of, %L::@extschema@.churn_spec),'
        ' (l.standing).tenure, (l.standing).value'
        ' FROM (%s) AS l',
        snapshots, test_date, spec,
        @extschema@.churn_labelled_sql(d, histories, spec, dates, complete_through));
    GET DIAGNOSTICS filled = ROW_COUNT;
    RETURN filled;
END
$$;
COMMENT ON FUNCTION churn_fill_snapshots(churn_studies, text, churn_spec, date[], date, date) IS 'support function of churn_train: replace the rows of STUDY_snapshots; returns how many';

-- Features of an array column "features" under their names, as SQL text.
CREATE FUNCTION churn_named_features(spec churn_spec, alias text, room int DEFAULT 1590)
    RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        -- a view has at most 1,600 columns, a name at most 63 bytes, a character 4
        SELECT coalesce(string_agg(format(', %I.features[%s] AS %I', alias, n.position,
            CASE WHEN octet_length(n.name) <= 63 THEN n.name
                 ELSE left(n.name, 7) || '_' || md5(n.name) END), '' ORDER BY n.position), '')
        FROM unnest(@extschema@.churn_feature_names(spec)) WITH ORDINALITY AS n (name, position)
        WHERE n.position <= room
    $$;
COMMENT ON FUNCTION churn_named_features(churn_spec, text, int) IS 'support function of churn_train: select list that names the first features of an array, each after a comma';

-- The same rows under feature names, for people.
CREATE FUNCTION churn_name_snapshots(definition churn_studies, spec churn_spec) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d ALIAS FOR definition;
    view_name text := format('%I.%I', d.table_schema, d.study || '_features');
BEGIN
    BEGIN
        EXECUTE format('DROP VIEW IF EXISTS %s', view_name);
    EXCEPTION WHEN dependent_objects_still_exist THEN
        RAISE WARNING 'view % keeps the features of an earlier training', view_name
            USING DETAIL = SQLERRM,
                  HINT = 'Drop what was built on it and train again.';
        RETURN;
    END;
    EXECUTE format('CREATE VIEW %s AS SELECT s.user_id, s.as_of, s.purpose, s.stage,'
        ' s.churned, s.unknown_reason%s FROM %I.%I AS s', view_name,
        @extschema@.churn_named_features(spec, 's'), d.table_schema, d.study || '_snapshots');
    EXECUTE format('COMMENT ON VIEW %s IS %L', view_name, format('churn study %s: the snapshots of the last training, a column a feature', d.study));
END
$$;
COMMENT ON FUNCTION churn_name_snapshots(churn_studies, churn_spec) IS 'support function of churn_train: the view STUDY_features';
