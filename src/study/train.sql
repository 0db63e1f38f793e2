-- train.sql: from events to a stored model with its out-of-time test

-- Say what the data hold that does not count, and refuse what cannot work.
CREATE FUNCTION churn_read_facts(definition churn_studies, today date,
    OUT events bigint, OUT first_day date, OUT complete_through date)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    f record;
BEGIN
    events := 0;
    FOR f IN SELECT s.*, format('%I.%I', c.relation_schema, c.relation_name) AS relation
             FROM @extschema@.churn_source_facts(definition, today) AS s
             JOIN @extschema@.churn_sources AS c
                ON c.study = definition.study AND c.source = s.source
    LOOP
        events := events + f.events;
        first_day := least(first_day, f.first_day);
        complete_through := least(complete_through, f.complete_through);
        RAISE NOTICE '%: % events from % to %', f.relation, f.events,
            coalesce(f.first_day::text, '-'), coalesce(f.last_day::text, '-');
        IF f.no_user > 0 OR f.no_time > 0 THEN
            RAISE NOTICE '%: rows that do not count: % without a user, % without a time',
                f.relation, f.no_user, f.no_time;
        END IF;
        IF f.future > 0 THEN
            RAISE WARNING '%: rows in the future, which do not count: %', f.relation, f.future
                USING HINT = format('Today is %s; check the clock of the source, or set churn.today.', today);
        END IF;
    END LOOP;
    IF definition.complete_until IS NOT NULL THEN
        complete_through := least(definition.complete_until, today);
    END IF;
    IF events = 0 OR complete_through IS NULL THEN
        RAISE EXCEPTION 'study "%" has no event of a key kind on a complete day up to %',
            definition.study, today
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Check the sources, their filters and kinds; data that ended in the past need churn.today.';
    END IF;
END
$$;
COMMENT ON FUNCTION churn_read_facts(churn_studies, date) IS 'support function of churn_train: events, first day and complete-through over the sources; NOTICE and WARNING on rows that do not count; 55000 when nothing does';

-- A table for a moment, filled by the only form of writing that plans in
-- parallel.
CREATE FUNCTION churn_stage(definition churn_studies, suffix text, query text) RETURNS text
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    staging text := format('%I.%I', definition.table_schema, definition.study || suffix);
BEGIN
    IF to_regclass(staging) IS NOT NULL THEN
        RAISE EXCEPTION 'table % is in the way', staging
            USING ERRCODE = 'duplicate_table',
                  HINT = 'It is a name that training and refresh need for a moment: rename or drop it.';
    END IF;
    EXECUTE format('CREATE UNLOGGED TABLE %s AS %s', staging, query);
    EXECUTE format('ANALYZE %s (user_id)', staging);
    RETURN staging;
END
$$;
COMMENT ON FUNCTION churn_stage(churn_studies, text, text) IS 'support function of churn_train and churn_refresh: a table of the study for the rows of a query, dropped before the end; returns its qualified name; 42P07 when the name is taken';

-- Every user's history in such a table.
CREATE FUNCTION churn_stage_histories(definition churn_studies, today date) RETURNS text
    LANGUAGE sql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT @extschema@.churn_stage(definition, '_staging',
            @extschema@.churn_histories_sql(definition, today))
    $$;
COMMENT ON FUNCTION churn_stage_histories(churn_studies, date) IS 'support function of churn_train and churn_refresh: build STUDY_staging (user_id, history); returns its qualified name';

-- Kinds that histories hold before a date, and those of them with money,
-- sorted by bytes: what is learnt does not depend on what came later.
CREATE FUNCTION churn_history_kinds(histories text, before date, OUT kinds text[], OUT amount_kinds text[])
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    EXECUTE format('SELECT pg_catalog.array_agg(k.kind ORDER BY k.kind),'
        ' coalesce(pg_catalog.array_agg(k.kind ORDER BY k.kind) FILTER (WHERE k.paid), ''{}'')'
        ' FROM (SELECT u.kind COLLATE "C" AS kind,'
        '   coalesce(pg_catalog.bool_or(u.kind OPERATOR(pg_catalog.=) ANY (h.paid)), false) AS paid'
        '   FROM (SELECT @extschema@.churn_kinds(s.past) AS kinds,'
        '     @extschema@.churn_amount_kinds(s.past) AS paid, pg_catalog.count(*)'
        '     FROM (SELECT @extschema@.churn_before(t.history, %L::pg_catalog.date) AS past FROM %s AS t'
        '       WHERE t.history IS NOT NULL OFFSET 0) AS s GROUP BY 1, 2) AS h,'
        '   LATERAL pg_catalog.unnest(h.kinds) AS u (kind) GROUP BY 1) AS k', before, histories)
    INTO kinds, amount_kinds;
END
$$;
COMMENT ON FUNCTION churn_history_kinds(text, date) IS 'support function of churn_train: kinds before a date in a relation of histories, and those that carry amounts';

-- Feature windows that every training snapshot can see in full.
CREATE FUNCTION churn_training_spec(definition churn_studies, kinds text[],
    key_kinds text[], amount_kinds text[], visible_days int) RETURNS churn_spec
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    kept int[] := ARRAY(SELECT w FROM unnest(definition.windows) AS w
                        WHERE w <= visible_days ORDER BY w);
    dropped text := (SELECT string_agg(w::text, ', ' ORDER BY w)
                     FROM unnest(definition.windows) AS w WHERE w > visible_days);
BEGIN
    IF dropped IS NOT NULL THEN
        RAISE NOTICE 'the oldest training snapshot sees % days: windows of % days are left out',
            visible_days, dropped;
    END IF;
    RETURN @extschema@.churn_spec(windows => kept, lookback => definition.lookback,
        kinds => kinds, key_kinds => key_kinds, churn_window => definition.churn_window,
        time_zone => definition.time_zone,
        amount_kinds => amount_kinds, visible => visible_days);
END
$$;
COMMENT ON FUNCTION churn_training_spec(churn_studies, text[], text[], text[], int) IS 'support function of churn_train: the spec of the features, with a NOTICE on windows left out';

-- Print each snapshot; refuse too few users; warn when the rate moves.
CREATE FUNCTION churn_review_snapshots(definition churn_studies, histories text,
    key_kinds text[], dates date[], test_date date, first_day date,
    complete_through date) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    c record;
    test_least bigint;
    train_churned bigint := 0;
    train_stayed bigint := 0;
    least_rate float8;
    greatest_rate float8;
BEGIN
    FOR c IN SELECT s.*, s.churned / nullif((s.churned + s.stayed)::float8, 0) AS rate
             FROM @extschema@.churn_snapshot_counts(definition, histories, key_kinds,
                dates, complete_through) AS s ORDER BY s.as_of
    LOOP
        RAISE NOTICE '% %: % users at risk, % churned (%), % days of history',
            CASE WHEN c.as_of = test_date THEN 'test ' ELSE 'train' END, c.as_of,
            c.users, c.churned, to_char(100 * c.rate, 'FM990.0') || ' %', c.as_of - first_day;
        least_rate := least(least_rate, c.rate);
        greatest_rate := greatest(greatest_rate, c.rate);
        IF c.as_of = test_date THEN
            test_least := least(c.churned, c.stayed);
        ELSE
            -- a user counts once however many snapshots they are in
            train_churned := greatest(train_churned, c.churned);
            train_stayed := greatest(train_stayed, c.stayed);
        END IF;
    END LOOP;
    IF least(test_least, train_churned, train_stayed) < 200 THEN
        RAISE EXCEPTION 'too few users to train and test a model of study "%"', definition.study
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('The largest training snapshot has %s users who churned and %s who stayed, the test snapshot at %s has %s of the rarer class; 200 of each are needed.',
                      train_churned, train_stayed, test_date, test_least),
                  HINT = format('SELECT * FROM churn_feasible(%L) shows every snapshot; a longer active_window or a shorter churn_window gives more.', definition.study);
    END IF;
    IF greatest_rate - least_rate > .10 THEN
        RAISE WARNING 'the churn rate moves from % to % between snapshots',
            to_char(100 * least_rate, 'FM990.0') || ' %', to_char(100 * greatest_rate, 'FM990.0') || ' %'
            USING HINT = 'A season or a change in the data: probabilities trained on one rate are off at another.';
    END IF;
END
$$;
COMMENT ON FUNCTION churn_review_snapshots(churn_studies, text, text[], date[], date, date, date) IS 'support function of churn_train: NOTICE a snapshot with its base rate, 55000 below 200 users of a class, WARNING when rates differ by more than .10';

-- Out-of-time test of a model on the test rows of STUDY_snapshots.
CREATE FUNCTION churn_test_model(definition churn_studies, model churn_model) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    figures jsonb;
BEGIN
    EXECUTE format(
        'SELECT pg_catalog.jsonb_build_object('
        ' ''test_date'', pg_catalog.min(t.as_of), ''test_rows'', pg_catalog.count(*),'
        ' ''test_churned'', pg_catalog.count(*) FILTER (WHERE t.churned),'
        ' ''test_churn_rate'', pg_catalog.avg(t.churned::int),'
        ' ''mean_score'', pg_catalog.avg(t.score),'
        ' ''auc'', @extschema@.churn_auc(t.score, t.churned),'
        ' ''ks'', @extschema@.churn_ks(t.score, t.churned),'
        ' ''log_loss'', @extschema@.churn_log_loss(t.score, t.churned),'
        ' ''top_decile_lift'', @extschema@.churn_lift(t.score, t.churned, .1),'
        ' ''recency_auc'', @extschema@.churn_auc(t.recency::float8, t.churned),'
        ' ''key_days_auc'', @extschema@.churn_auc(OPERATOR(pg_catalog.-) t.key_days::float8, t.churned))'
        ' FROM (SELECT s.*, @extschema@.churn_predict(%L::@extschema@.churn_model, s.features) AS score'
        '   FROM %I.%I AS s WHERE s.purpose OPERATOR(pg_catalog.=) ''test'') AS t',
        model, definition.table_schema, definition.study || '_snapshots')
    INTO figures;
    RETURN figures;
END
$$;
COMMENT ON FUNCTION churn_test_model(churn_studies, churn_model) IS 'support function of churn_train: figures of the out-of-time test as jsonb';

-- Why the default gate refuses a model; NULL when it passes.
CREATE FUNCTION churn_default_gate(figures jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT CASE
            WHEN least((figures->>'test_churned')::bigint,
                (figures->>'test_rows')::bigint - (figures->>'test_churned')::bigint) < 200
            THEN 'fewer than 200 test users of a class'
            WHEN (figures->>'auc')::float8 <= (figures->>'recency_auc')::float8 - .01
            THEN format('AUC %s is not above that of recency alone, %s, less .01',
                round((figures->>'auc')::numeric, 4), round((figures->>'recency_auc')::numeric, 4))
            WHEN (figures->>'auc')::float8 <= (figures->>'key_days_auc')::float8 - .01
            THEN format('AUC %s is not above that of key days alone, %s, less .01',
                round((figures->>'auc')::numeric, 4), round((figures->>'key_days_auc')::numeric, 4))
        END
    $$;
COMMENT ON FUNCTION churn_default_gate(jsonb) IS 'support function of churn_train: 200 test users of each class, AUC above both baselines less .01; the first reason to refuse, or NULL';

-- Store a model as a new row; champion if there is none and the gate holds.
CREATE FUNCTION churn_store_model(definition churn_studies, model churn_model,
    figures jsonb, OUT version int, OUT status text)
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    refusal text := @extschema@.churn_default_gate(figures);
BEGIN
    SELECT coalesce(max(m.version), 0) + 1,
        CASE WHEN refusal IS NOT NULL THEN 'refused'
             WHEN count(*) FILTER (WHERE m.status = 'champion') > 0 THEN 'accepted'
             ELSE 'champion' END
    INTO version, status
    FROM @extschema@.churn_models AS m WHERE m.study = definition.study;
    INSERT INTO @extschema@.churn_models
        (study, version, status, model, band_cutoffs, metrics, gate, created_by)
    VALUES (definition.study, version, status, model,
        @extschema@.churn_band_cutoffs(definition, model),
        figures, refusal, quote_ident(current_user)::regrole);
END
$$;
COMMENT ON FUNCTION churn_store_model(churn_studies, churn_model, jsonb) IS 'support function of churn_train: version and status of the new row';

CREATE TYPE churn_training AS (
    version int, status text, snapshots date[], rows bigint, churn_rate float8,
    test_date date, test_rows bigint, auc float8, ks float8, log_loss float8,
    top_decile_lift float8, mean_score float8, test_churn_rate float8,
    recency_auc float8, key_days_auc float8, gate text
);
COMMENT ON TYPE churn_training IS 'what churn_train returns: the new model''s version and status, its training dates, rows and churn rate, the test date and the figures of the out-of-time test, and why the gate refused it, if it did';

-- The dates of a training, newest first, or why there are none.
CREATE FUNCTION churn_training_dates(definition churn_studies, first_day date,
    complete_through date, test_date date, snapshots int, step_days int,
    OUT dates date[], OUT train_dates date[], OUT tested date)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d ALIAS FOR definition;
    span int := d.gap + d.churn_window;
    least_history int := least(d.lookback, d.churn_window);
BEGIN
    IF snapshots IS NULL OR snapshots NOT BETWEEN 1 AND 120 OR step_days IS NULL OR step_days < 1 THEN
        RAISE EXCEPTION 'snapshots must be between 1 and 120 and step at least one day'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF NOT isfinite(test_date) OR test_date + span > complete_through + 1 THEN
        RAISE EXCEPTION 'outcomes of % are not known before %', test_date, test_date + span
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Events are complete through %s.', complete_through),
                  HINT = format('The newest date that can be tested is %s.', complete_through + 1 - span);
    END IF;
    SELECT array_agg(t.as_of ORDER BY t.as_of DESC),
        array_agg(t.as_of ORDER BY t.as_of) FILTER (WHERE t.purpose = 'train'),
        max(t.as_of) FILTER (WHERE t.purpose = 'test')
    INTO dates, train_dates, tested
    FROM @extschema@.churn_snapshot_dates(d, first_day, complete_through,
        test_date, snapshots, step_days) AS t;
    IF train_dates IS NULL THEN
        RAISE EXCEPTION 'study "%" has no training snapshot that ends before the test at % begins', d.study, tested
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('Events run from %s, complete through %s; a training snapshot needs %s days of history before it.',
                      first_day, complete_through, least_history),
                  HINT = CASE WHEN first_day + least_history + 2 * span > complete_through + 1
                      THEN format('The first date that would do is %s.', first_day + least_history + 2 * span)
                      ELSE format('The first test date that would do is %s.', first_day + least_history + span) END;
    END IF;
END
$$;
COMMENT ON FUNCTION churn_training_dates(churn_studies, date, date, date, int, int) IS 'support function of churn_train: all dates, those of training and the test date; 22023 bad arguments or outcomes not yet known, 55000 no purged snapshot, with the first date that would do';

-- Build STUDY_snapshots at the dates of a training; returns their spec.
CREATE FUNCTION churn_build_snapshots(definition churn_studies, today date,
    first_day date, complete_through date, dates date[], test_date date) RETURNS churn_spec
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d ALIAS FOR definition;
    histories text := @extschema@.churn_stage_histories(d, today);
    key_kinds text[];
    found record;
    spec @extschema@.churn_spec;
BEGIN
    SELECT * INTO found FROM @extschema@.churn_history_kinds(histories, test_date);
    key_kinds := @extschema@.churn_check_key_kinds(d, found.kinds);
    PERFORM @extschema@.churn_review_snapshots(d, histories, key_kinds, dates,
        test_date, first_day, complete_through);
    spec := @extschema@.churn_training_spec(d, found.kinds, key_kinds,
        found.amount_kinds, dates[cardinality(dates)] - first_day);
    RAISE NOTICE 'features: % a user', cardinality(@extschema@.churn_feature_names(spec));
    PERFORM @extschema@.churn_fill_snapshots(d, histories, spec, dates, test_date, complete_through);
    PERFORM @extschema@.churn_name_snapshots(d, spec);
    EXECUTE format('DROP TABLE %s', histories);
    RETURN spec;
END
$$;
COMMENT ON FUNCTION churn_build_snapshots(churn_studies, date, date, date, date[], date) IS 'support function of churn_train: histories, review, features; returns the spec of the features';

-- Condition that keeps as many users as a fit has room for, where
-- temp_file_limit bounds what it may put in files.
CREATE FUNCTION churn_sample_sql(definition churn_studies, columns int) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    n bigint;
    share float8;
BEGIN
    EXECUTE format('SELECT pg_catalog.count(*) FROM %I.%I AS s WHERE s.purpose OPERATOR(pg_catalog.=) ''train''',
        definition.table_schema, definition.study || '_snapshots') INTO n;
    share := @extschema@.churn_fit_share(n, columns);
    IF share >= 1 THEN
        RETURN 'true';
    END IF;
    share := share * .95;
    RAISE NOTICE 'churn.memory and temp_file_limit have no room for % rows of % features: training on % of the users, drawn by hash',
        n, columns, to_char(100 * share, 'FM990.0') || ' %'
        USING HINT = 'Raise one of them, or name fewer windows or kinds.';
    RETURN format('@extschema@.churn_key_share(%s, ''sample'') OPERATOR(pg_catalog.<) %s::pg_catalog.float8',
        @extschema@.churn_key_text_sql(definition, 's.user_id'), share);
END
$$;
COMMENT ON FUNCTION churn_sample_sql(churn_studies, int) IS 'support function of churn_train: condition over alias s of STUDY_snapshots that draws whole users by hash, with a NOTICE, where the fit would exceed churn.memory and temp_file_limit';

-- Fit on the training rows of STUDY_snapshots.
CREATE FUNCTION churn_fit_snapshots(definition churn_studies, spec churn_spec,
    options jsonb, OUT model churn_model, OUT rows bigint, OUT churn_rate float8)
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    EXECUTE format(
        'SELECT @extschema@.churn_fit(s.features, s.churned,'
        ' @extschema@.churn_key_hash(%s, ''fold''), %L::@extschema@.churn_spec, %L::pg_catalog.jsonb),'
        ' pg_catalog.count(*), pg_catalog.avg(s.churned::int)'
        ' FROM %I.%I AS s WHERE s.purpose OPERATOR(pg_catalog.=) ''train'' AND s.churned IS NOT NULL AND %s',
        @extschema@.churn_key_text_sql(definition, 's.user_id'), spec, options,
        definition.table_schema, definition.study || '_snapshots',
        @extschema@.churn_sample_sql(definition,
            cardinality(@extschema@.churn_feature_names(spec))))
    INTO model, rows, churn_rate;
END
$$;
COMMENT ON FUNCTION churn_fit_snapshots(churn_studies, churn_spec, jsonb) IS 'support function of churn_train: the model, the rows it was fitted on and their churn rate; whole users in folds';

CREATE FUNCTION churn_train_owned(study text, test_date date, snapshots int,
    step interval, options jsonb) RETURNS SETOF churn_training
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d @extschema@.churn_studies := @extschema@.churn_study_lock(study);
    today date := @extschema@.churn_today(d.time_zone);
    f record;
    t record;
    fitted record;
    figures jsonb;
    stored record;
BEGIN
    SELECT * INTO f FROM @extschema@.churn_read_facts(d, today);
    SELECT * INTO t FROM @extschema@.churn_training_dates(d, f.first_day, f.complete_through,
        test_date, snapshots, @extschema@.churn_whole_days(step, 'step'));
    RAISE NOTICE 'histories: reading % events', f.events;
    SELECT * INTO fitted FROM @extschema@.churn_fit_snapshots(d,
        @extschema@.churn_build_snapshots(d, today, f.first_day, f.complete_through,
            t.dates, t.tested), coalesce(options, '{}'));
    figures := @extschema@.churn_test_model(d, fitted.model)
        || jsonb_build_object('rows', fitted.rows, 'churn_rate', fitted.churn_rate,
            'snapshots', t.train_dates, 'complete_through', f.complete_through,
            'options', options);
    SELECT * INTO stored FROM @extschema@.churn_store_model(d, fitted.model, figures);
    RAISE NOTICE 'model % of study %: %', stored.version, study, stored.status;
    -- figures are named like the columns of the row
    RETURN NEXT jsonb_populate_record(NULL::@extschema@.churn_training, figures
        || to_jsonb(stored) || jsonb_build_object('gate', @extschema@.churn_default_gate(figures)));
END
$$;
COMMENT ON FUNCTION churn_train_owned(text, date, int, interval, jsonb) IS 'support function of churn_train';

CREATE FUNCTION churn_train(study text, test_date date DEFAULT NULL,
    snapshots int DEFAULT 6, step interval DEFAULT '30 days', options jsonb DEFAULT '{}')
    RETURNS SETOF churn_training
    AS 'MODULE_PATHNAME', 'churn_as_owner' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION churn_train(text, date, int, interval, jsonb) IS 'train a model on purged snapshots and test it out of time: one row with version, status, training dates, rows and churn rate, test date and its AUC, KS, log-loss, lift of the top tenth, mean score against churn rate, and the AUC of recency and of key days alone; the model is a new row of churn_models, champion when there is none and the default gate holds; errors: 55000 too little data (with counts and the first date that would do), 22023 bad arguments, 42501 rights';

CREATE FUNCTION churn_promote(study text, version int) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d @extschema@.churn_studies := @extschema@.churn_study_lock(study);
    m @extschema@.churn_models;
BEGIN
    SELECT * INTO m FROM @extschema@.churn_models AS c
    WHERE c.study = d.study AND c.version = churn_promote.version;
    IF m.id IS NULL THEN
        RAISE EXCEPTION 'study "%" has no model of version %', study, version
            USING ERRCODE = 'undefined_object', HINT = 'churn_models lists them.';
    END IF;
    IF m.gate IS NOT NULL THEN
        RAISE EXCEPTION 'model % of study "%" did not pass the gate', version, study
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = m.gate;
    END IF;
    UPDATE @extschema@.churn_models AS c SET status = 'retired'
    WHERE c.study = d.study AND c.status = 'champion' AND c.id <> m.id;
    UPDATE @extschema@.churn_models AS c SET status = 'champion' WHERE c.id = m.id;
END
$$;
COMMENT ON FUNCTION churn_promote(text, int) IS 'make a model that passed the gate the champion; the champion before it retires; 42704 no such model, 55000 not past the gate';
