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

-- Refuse sources whose events become known too late for the snapshots to see.
CREATE FUNCTION churn_check_lag(definition churn_studies, today date, step_days int) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    s @extschema@.churn_sources;
    r @extschema@.churn_reading;
    lag int;
BEGIN
    FOR s IN SELECT c.* FROM @extschema@.churn_sources AS c
             WHERE c.study = definition.study AND c.role = 'behaviour'
                AND c.known_at_column IS NOT NULL ORDER BY c.source
    LOOP
        r := @extschema@.churn_read_source(definition, s, today);
        EXECUTE format('SELECT percentile_disc(.5) WITHIN GROUP (ORDER BY greatest(e.known_day - e.day, 0))'
            ' FROM %s AS e WHERE e.user_id IS NOT NULL AND e.day IS NOT NULL AND NOT e.future', r.rows) INTO lag;
        IF lag > step_days THEN
            RAISE EXCEPTION 'half of the events of % became known % days late or later, more than the step of % days between snapshots',
                r.label, lag, step_days
                USING ERRCODE = 'object_not_in_prerequisite_state',
                      DETAIL = 'A snapshot sees only what was known on its morning: these would be nearly empty.',
                      HINT = format('A backfill stamps one known-at day on all history: SELECT * FROM churn_check_data(%L) shows it. Set %I to the time of the event for what was loaded then, or add the source without known_at_column.',
                          definition.study, s.known_at_column);
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION churn_check_lag(churn_studies, date, int) IS 'support function of churn_train: 55000 for a source whose median lag between event and knowledge exceeds the step';

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

CREATE TYPE churn_training AS (
    version int, status text, snapshots date[], rows bigint, churn_rate float8,
    test_date date, test_rows bigint, auc float8, ks float8, log_loss float8,
    top_decile_lift float8, mean_score float8, test_churn_rate float8,
    recency_auc float8, key_days_auc float8, gate text, refit_of int
);
COMMENT ON TYPE churn_training IS 'what churn_train returns: the new model''s version and status, its training dates, rows and churn rate, the test date and the figures of the out-of-time test, which targets it misses, if any, and the version that it was refitted from, whose figures these are then';

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

CREATE FUNCTION churn_train_owned(study text, test_date date, snapshots int,
    step interval, options jsonb) RETURNS SETOF churn_training
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d @extschema@.churn_studies := @extschema@.churn_study_lock(study);
    today date := @extschema@.churn_today(d.time_zone);
    step_days int := @extschema@.churn_whole_days(step, 'step');
    refit boolean := @extschema@.churn_refit_asked(options);
    spec @extschema@.churn_spec;
    f record;
    t record;
    fitted record;
    figures jsonb;
    stored record;
    refitted @extschema@.churn_training;
BEGIN
    SELECT * INTO f FROM @extschema@.churn_read_facts(d, today);
    SELECT * INTO t FROM @extschema@.churn_training_dates(d, f.first_day, f.complete_through,
        test_date, snapshots, step_days);
    PERFORM @extschema@.churn_check_lag(d, today, step_days);
    RAISE NOTICE 'histories: reading % events', f.events;
    spec := @extschema@.churn_build_snapshots(d, today, f.first_day, f.complete_through,
        t.dates, t.tested);
    SELECT * INTO fitted FROM @extschema@.churn_fit_training(d, spec, options - 'refit', t.train_dates);
    figures := @extschema@.churn_test_model(d, fitted.model)
        || jsonb_build_object('rows', fitted.rows, 'churn_rate', fitted.churn_rate,
            'snapshots', t.train_dates, 'complete_through', f.complete_through,
            'options', options, 'forward', fitted.forward,
            'by_snapshot', @extschema@.churn_fit_by_snapshot(d, fitted.model));
    PERFORM @extschema@.churn_report_fit(figures->'by_snapshot');
    -- the layer above keeps it and judges it (src/operate/registry.sql)
    SELECT * INTO stored FROM @extschema@.churn_store_model(d, fitted.model, figures);
    RAISE NOTICE 'model % of study %: %', stored.version, study, stored.status;
    IF refit THEN
        refitted := @extschema@.churn_refit(d, spec, options - 'refit', fitted.model,
            t.dates, figures, stored.version);
        SELECT m.status INTO stored.status FROM @extschema@.churn_models AS m
        WHERE m.study = d.study AND m.version = stored.version;
    END IF;
    -- figures are named like the columns of the row
    RETURN NEXT jsonb_populate_record(NULL::@extschema@.churn_training, figures
        || to_jsonb(stored));
    IF refitted.version IS NOT NULL THEN
        RETURN NEXT refitted;
    END IF;
END
$$;
COMMENT ON FUNCTION churn_train_owned(text, date, int, interval, jsonb) IS 'support function of churn_train';

CREATE FUNCTION churn_train(study text, test_date date DEFAULT NULL,
    snapshots int DEFAULT 6, step interval DEFAULT '30 days', options jsonb DEFAULT '{}')
    RETURNS SETOF churn_training
    AS 'MODULE_PATHNAME', 'churn_as_owner' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION churn_train(text, date, int, interval, jsonb) IS 'train a model on purged snapshots and test it out of time: one row with version, status, training dates, rows and churn rate, test date and its AUC, KS, log-loss, lift of the top tenth, mean score against churn rate, and the AUC of recency and of key days alone; the model is a new row of churn_models with its verdicts, champion when there is none and it meets every target (without targets the default gate), else accepted or refused; options are those of churn_fit, with encoding auto unless said, and refit (false): once the model has passed, fit again on all snapshots with its settings, a second row; metrics hold the calibration of every snapshot; errors: 55000 too little data (with counts and the first date that would do) or events known too late for the step, 22023 bad arguments, 42501 rights';
