-- backtest.sql: training and test at other dates, or with another churn
-- window, without a trace
--
-- A trial is what churn_train does, with the same functions, on a table of its
-- own: STUDY_try_snapshots, made and dropped by the function that needs it.
-- Neither STUDY_snapshots nor churn_models sees any of it.

-- Facts without the NOTICE lines of a training; its warnings and errors stay.
CREATE FUNCTION churn_quiet_facts(definition churn_studies, today date,
    OUT events bigint, OUT first_day date, OUT complete_through date)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    SET client_min_messages = warning
    AS $$
        SELECT f.events, f.first_day, f.complete_through
        FROM @extschema@.churn_read_facts(definition, today) AS f
    $$;
COMMENT ON FUNCTION churn_quiet_facts(churn_studies, date) IS 'support function of churn_backtest: churn_read_facts without its NOTICE lines';

-- The definition under which trials of a study work: its table is made here.
CREATE FUNCTION churn_begin_trials(definition churn_studies) RETURNS churn_studies
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    trial @extschema@.churn_studies := definition;
BEGIN
    trial.study := definition.study || '_try';
    EXECUTE format('CREATE UNLOGGED TABLE %I.%I (LIKE %I.%I)', trial.table_schema,
        trial.study || '_snapshots', definition.table_schema, definition.study || '_snapshots');
    RETURN trial;
EXCEPTION WHEN duplicate_table THEN
    RAISE EXCEPTION 'table %.% is in the way', quote_ident(trial.table_schema),
        quote_ident(trial.study || '_snapshots')
        USING ERRCODE = 'duplicate_table',
              HINT = 'It is a name that churn_backtest and churn_window_table need for a moment: rename or drop it.';
END
$$;
COMMENT ON FUNCTION churn_begin_trials(churn_studies) IS 'support function of churn_backtest: make STUDY_try_snapshots; returns the definition whose tables begin with STUDY_try';

-- One training and test on histories that are there already.
CREATE FUNCTION churn_trial(definition churn_studies, histories text, key_kinds text[],
    dates date[], first_day date, complete_through date, options jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    SET client_min_messages = warning
    AS $$
DECLARE
    test_date date := (SELECT max(a) FROM unnest(dates) AS a);
    first_training date := (SELECT min(a) FROM unnest(dates) AS a);
    snapshots text := format('%I.%I', definition.table_schema, definition.study || '_snapshots');
    k record;
    c record;
    spec @extschema@.churn_spec;
    fit record;
    area @extschema@.churn_auc_interval;
    figures jsonb;
BEGIN
    SELECT max(s.users) FILTER (WHERE s.as_of = test_date) AS users,
        max(s.churned) FILTER (WHERE s.as_of = test_date) AS churned,
        max(s.stayed) FILTER (WHERE s.as_of = test_date) AS stayed,
        max(s.churned) FILTER (WHERE s.as_of < test_date) AS train_churned,
        max(s.stayed) FILTER (WHERE s.as_of < test_date) AS train_stayed
    INTO c FROM @extschema@.churn_snapshot_counts(definition, histories, key_kinds,
        dates, complete_through) AS s;
    figures := jsonb_build_object('test_date', test_date, 'test_rows', c.users,
        'test_churned', c.churned,
        'test_churn_rate', c.churned / nullif((c.churned + c.stayed)::float8, 0),
        'snapshots', (SELECT jsonb_agg(a ORDER BY a) FROM unnest(dates) AS a WHERE a < test_date));
    IF cardinality(dates) < 2 THEN
        RETURN figures || jsonb_build_object('note',
            'no training snapshot ends before the test begins');
    END IF;
    IF least(c.churned, c.stayed, c.train_churned, c.train_stayed) < 50 THEN
        RETURN figures || jsonb_build_object('note', format(
            'fewer than 50 users of a class: test %s churned and %s stayed, training %s and %s',
            c.churned, c.stayed, c.train_churned, c.train_stayed));
    END IF;
    SELECT * INTO k FROM @extschema@.churn_history_kinds(histories, test_date);
    spec := @extschema@.churn_training_spec(definition, k.kinds, key_kinds,
        k.amount_kinds, first_training - first_day);
    EXECUTE format('TRUNCATE %s', snapshots);
    PERFORM @extschema@.churn_fill_snapshots(definition, histories, spec, dates,
        test_date, complete_through);
    SELECT * INTO fit FROM @extschema@.churn_fit_training(definition, spec, options,
        ARRAY(SELECT a FROM unnest(dates) AS a WHERE a < test_date ORDER BY a));
    EXECUTE format('SELECT (t.area).* FROM (SELECT @extschema@.churn_auc_ci('
        '@extschema@.churn_predict(%L::@extschema@.churn_model, s.features), s.churned) AS area'
        ' FROM %s AS s WHERE s.purpose OPERATOR(pg_catalog.=) ''test'') AS t',
        fit.model, snapshots) INTO area;
    RETURN figures || @extschema@.churn_test_model(definition, fit.model)
        || jsonb_build_object('rows', fit.rows, 'churn_rate', fit.churn_rate,
            'auc_lower', area.lower, 'auc_upper', area.upper);
END
$$;
COMMENT ON FUNCTION churn_trial(churn_studies, text, text[], date[], date, date, jsonb) IS 'support function of churn_backtest and churn_window_table: train on all dates but the newest, test on that; figures by the names of churn_training, or a note why there are none';

CREATE TYPE churn_backtest_row AS (
    test_date date, test_rows bigint, test_churn_rate float8, mean_score float8,
    auc float8, auc_lower float8, auc_upper float8, recency_auc float8,
    key_days_auc float8, ks float8, log_loss float8, top_decile_lift float8,
    snapshots date[], rows bigint, churn_rate float8, note text
);
COMMENT ON TYPE churn_backtest_row IS 'a test date of churn_backtest: users at risk, how many of them churned and the mean score, AUC with its 95 % interval (DeLong) beside those of recency and of key days alone, KS, log-loss, lift of the top tenth, the training snapshots with their rows and churn rate, and a note where nothing could be trained';

-- Test dates: those given, or up to six back from the newest complete one.
CREATE FUNCTION churn_backtest_dates(definition churn_studies, dates date[],
    step int, first_day date, complete_through date) RETURNS date[]
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    span int := definition.gap + definition.churn_window;
    newest date := complete_through + 1 - span;
    -- the first date with a purged training snapshot
    oldest date := first_day + least(definition.lookback, definition.churn_window) + span;
    latest date := (SELECT max(a) FROM unnest(dates) AS a);
BEGIN
    IF latest > newest THEN
        RAISE EXCEPTION 'outcomes of % are not known before %', latest, latest + span
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Events are complete through %s.', complete_through),
                  HINT = format('The newest date that can be tested is %s.', newest);
    END IF;
    IF dates IS NULL AND newest < oldest THEN
        RAISE EXCEPTION 'study "%" has no date to test at', definition.study
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('Events run from %s, complete through %s.', first_day, complete_through),
                  HINT = format('The first date with a training snapshot that ends before it is %s; its outcomes are known on %s.',
                      oldest, oldest + span);
    END IF;
    dates := ARRAY(
        SELECT DISTINCT a FROM unnest(coalesce(dates, ARRAY(
            SELECT newest - k * step FROM generate_series(0, 5) AS k
            WHERE newest - k * step >= oldest))) AS a
        WHERE a IS NOT NULL ORDER BY a);
    IF cardinality(dates) = 0 THEN
        RAISE EXCEPTION 'dates must name at least one date'
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Leave dates out for up to six dates a step apart.';
    END IF;
    RETURN dates;
END
$$;
COMMENT ON FUNCTION churn_backtest_dates(churn_studies, date[], int, date, date) IS 'support function of churn_backtest: test dates, oldest first; 22023 for one whose outcomes are not known, 55000 when there is none';

CREATE FUNCTION churn_backtest_owned(study text, dates date[], snapshots int,
    step interval, options jsonb) RETURNS SETOF churn_backtest_row
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    -- the staging table is shared with training and refresh
    d @extschema@.churn_studies := @extschema@.churn_study_lock(study);
    today date := @extschema@.churn_today(d.time_zone);
    step_days int := @extschema@.churn_whole_days(step, 'step');
    trial @extschema@.churn_studies;
    f record;
    tests date[];
    test date;
    histories text;
    key_kinds text[];
    result @extschema@.churn_backtest_row;
BEGIN
    IF snapshots IS NULL OR snapshots NOT BETWEEN 1 AND 120 OR step_days IS NULL OR step_days < 1 THEN
        RAISE EXCEPTION 'snapshots must be between 1 and 120 and step at least one day'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT * INTO f FROM @extschema@.churn_quiet_facts(d, today);
    tests := @extschema@.churn_backtest_dates(d, dates, step_days, f.first_day, f.complete_through);
    RAISE NOTICE 'histories: reading % events', f.events;
    histories := @extschema@.churn_stage_histories(d, today);
    key_kinds := @extschema@.churn_check_key_kinds(d,
        (SELECT k.kinds FROM @extschema@.churn_history_kinds(histories, today + 1) AS k));
    trial := @extschema@.churn_begin_trials(d);
    FOREACH test IN ARRAY tests LOOP
        result := jsonb_populate_record(NULL::@extschema@.churn_backtest_row,
            @extschema@.churn_trial(trial, histories, key_kinds,
                ARRAY(SELECT t.as_of FROM @extschema@.churn_snapshot_dates(d,
                    f.first_day, f.complete_through, test, snapshots, step_days) AS t),
                f.first_day, f.complete_through, options));
        RAISE NOTICE 'test %: %', test, coalesce(result.note,
            format('AUC %s on %s users', round(result.auc::numeric, 4), result.test_rows));
        RETURN NEXT result;
    END LOOP;
    EXECUTE format('DROP TABLE %s, %I.%I', histories, trial.table_schema, trial.study || '_snapshots');
END
$$;
COMMENT ON FUNCTION churn_backtest_owned(text, date[], int, interval, jsonb) IS 'support function of churn_backtest';

CREATE FUNCTION churn_backtest(study text, dates date[] DEFAULT NULL,
    snapshots int DEFAULT 6, step interval DEFAULT '30 days', options jsonb DEFAULT '{}')
    RETURNS SETOF churn_backtest_row
    AS 'MODULE_PATHNAME', 'churn_as_owner' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION churn_backtest(text, date[], int, interval, jsonb) IS 'the whole purged training of churn_train repeated at past test dates (default: up to six, a step apart, back from the newest complete one), a row a date: AUC with its interval, mean score against churn rate, baselines; leaves nothing behind: no model, no champion, STUDY_snapshots untouched; errors: 22023 bad arguments or a date without outcomes, 55000 too little data, 42501 rights';
