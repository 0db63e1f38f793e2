-- rows.sql: the rows that a stored model is judged on
--
-- A model is judged at its own test date, under the definition it was trained
-- with.  STUDY_snapshots holds these rows while its training is the last one;
-- afterwards they are built again from the events.

-- What identifies a set of labelled rows, whatever their order.
CREATE FUNCTION churn_fingerprint(definition churn_studies, relation text, purpose text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    result text;
BEGIN
    EXECUTE format('SELECT pg_catalog.md5(pg_catalog.concat_ws('' '', pg_catalog.count(*), pg_catalog.sum('
        '@extschema@.churn_key_hash(pg_catalog.concat_ws(''|'', s.as_of - date ''2000-01-01'', s.churned::int4, %s), ''fingerprint''))))'
        ' FROM %s AS s WHERE s.purpose = %L',
        @extschema@.churn_key_text_sql(definition, 's.user_id'), relation, purpose) INTO result;
    RETURN result;
END
$$;
COMMENT ON FUNCTION churn_fingerprint(churn_studies, text, text) IS 'support function of churn_verdict: hash over user, as-of date and outcome of the rows of a purpose, in no order';

-- What a training leaves in churn_models beside the figures of its test.
CREATE FUNCTION churn_training_facts(definition churn_studies, model churn_model) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    snapshots text := format('%I.%I', definition.table_schema, definition.study || '_snapshots');
    info jsonb := @extschema@.churn_model_info(model) -> 'provenance';
    train jsonb;
BEGIN
    EXECUTE format('SELECT pg_catalog.jsonb_build_object('
        ' ''train_auc'', @extschema@.churn_auc(t.score, t.churned),'
        ' ''train_log_loss'', @extschema@.churn_log_loss(t.score, t.churned))'
        ' FROM (SELECT @extschema@.churn_predict(%L::@extschema@.churn_model, s.features) AS score, s.churned'
        '   FROM %s AS s WHERE s.purpose = ''train'') AS t', model, snapshots) INTO train;
    RETURN train || jsonb_build_object(
        'fold_auc', info -> 'cv_auc', 'fold_log_loss', info -> 'cv_log_loss',
        'train_fingerprint', @extschema@.churn_fingerprint(definition, snapshots, 'train'),
        'test_fingerprint', @extschema@.churn_fingerprint(definition, snapshots, 'test'),
        'trained_by', session_user,
        'definition', to_jsonb(definition) - '{study,owner,table_schema,holdout_share,user_type,revision,created_at,complete_until}'::text[]);
END
$$;
COMMENT ON FUNCTION churn_training_facts(churn_studies, churn_model) IS 'support function of churn_train: figures on the training rows and out of fold, fingerprints of the rows, who trained, and the definition';

-- A study as it was defined when a model was trained.
CREATE FUNCTION churn_model_definition(definition churn_studies, judged churn_models)
    RETURNS churn_studies
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT jsonb_populate_record(definition, coalesce(judged.metrics -> 'definition', '{}'))
    $$;
COMMENT ON FUNCTION churn_model_definition(churn_studies, churn_models) IS 'support function of churn_verdict: the study as it was when the model was trained';

-- The row of a version, or an error.
CREATE FUNCTION churn_model_row(definition churn_studies, version int) RETURNS churn_models
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    found_row @extschema@.churn_models;
BEGIN
    SELECT * INTO found_row FROM @extschema@.churn_models AS m
    WHERE m.study = definition.study AND m.version = churn_model_row.version;
    IF found_row.id IS NULL THEN
        RAISE EXCEPTION 'study "%" has no model of version %', definition.study, coalesce(version::text, 'null')
            USING ERRCODE = 'undefined_object', HINT = 'churn_registry lists them.';
    END IF;
    RETURN found_row;
END
$$;
COMMENT ON FUNCTION churn_model_row(churn_studies, int) IS 'support function of what takes a version: its row of churn_models; 42704 when there is none';

-- Labelled users at a model's dates, scored by it, from a relation of histories.
CREATE FUNCTION churn_rebuilt_sql(definition churn_studies, judged churn_models,
    histories text, dates date[], complete_through date) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT format('SELECT l.user_id, l.as_of,'
            ' CASE WHEN l.as_of = %1$L::pg_catalog.date THEN ''test'' ELSE ''train'' END AS purpose,'
            ' (l.standing).stage, (l.standing).recency, (l.standing).key_days, l.churned,'
            ' @extschema@.churn_predict(%2$L::@extschema@.churn_model, l.history, l.as_of) AS score,'
            ' @extschema@.churn_features(l.history, l.as_of, %3$L::@extschema@.churn_spec) AS features'
            ' FROM (%4$s) AS l WHERE l.churned IS NOT NULL',
            (SELECT max(a) FROM unnest(dates) AS a), judged.model, s.spec,
            @extschema@.churn_labelled_sql(@extschema@.churn_model_definition(definition, judged),
                histories, s.spec, dates, complete_through))
        FROM (SELECT @extschema@.churn_model_spec(judged.model) AS spec) AS s
    $$;
COMMENT ON FUNCTION churn_rebuilt_sql(churn_studies, churn_models, text, date[], date) IS 'support function of churn_stage_judged: SQL of the users at risk at each date with outcome and score; the newest date is the test';

-- Dates that a model is judged at: its newest training snapshot and its test.
CREATE FUNCTION churn_judged_dates(judged churn_models) RETURNS date[]
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    test_date date := (judged.metrics ->> 'test_date')::date;
BEGIN
    IF test_date IS NULL THEN
        RAISE EXCEPTION 'model % of study "%" has no test date', judged.version, judged.study
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('It was not made by churn_train: SELECT * FROM churn_train(%L) trains one.', judged.study);
    END IF;
    RETURN ARRAY(SELECT max(a::date) FROM jsonb_array_elements_text(
            CASE jsonb_typeof(judged.metrics -> 'snapshots') WHEN 'array' THEN judged.metrics -> 'snapshots' ELSE '[]' END) AS a
        HAVING count(*) > 0) || test_date;
END
$$;
COMMENT ON FUNCTION churn_judged_dates(churn_models) IS 'support function of churn_stage_judged: newest training date and test date; 55000 for a model that has none';

-- The last version a study ever had, forgotten ones too.
CREATE FUNCTION churn_last_version(name text) RETURNS int
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT greatest(
            (SELECT max(m.version) FROM @extschema@.churn_models AS m WHERE m.study = name),
            (SELECT max(v.version) FROM @extschema@.churn_verdicts AS v WHERE v.study = name), 0)
    $$;
COMMENT ON FUNCTION churn_last_version(text) IS 'support function of churn_train: the highest version there ever was; 0 without any';

-- Put a model's rows into the table STUDY_judged.
CREATE FUNCTION churn_stage_judged(definition churn_studies, judged churn_models) RETURNS text
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d ALIAS FOR definition;
    snapshots text := format('%I.%I', d.table_schema, d.study || '_snapshots');
    dates date[] := @extschema@.churn_judged_dates(judged);
    histories text;
    rows text;
BEGIN
    IF judged.version = @extschema@.churn_last_version(d.study)
       AND judged.metrics ->> 'test_fingerprint' = @extschema@.churn_fingerprint(d, snapshots, 'test') THEN
        rows := @extschema@.churn_stage(d, '_judged', format('SELECT s.user_id, s.as_of, s.purpose,'
            ' s.stage, s.recency, s.key_days, s.churned,'
            ' @extschema@.churn_predict(%L::@extschema@.churn_model, s.features) AS score, s.features'
            ' FROM %s AS s WHERE s.as_of = ANY (%L::pg_catalog.date[]) AND s.churned IS NOT NULL',
            judged.model, snapshots, dates));
    ELSE
        RAISE NOTICE 'model %: its rows as of % are built again from the events', judged.version,
            dates[cardinality(dates)];
        histories := @extschema@.churn_stage_histories(d, @extschema@.churn_today(d.time_zone));
        rows := @extschema@.churn_stage(d, '_judged', @extschema@.churn_rebuilt_sql(d, judged, histories, dates,
            coalesce((judged.metrics ->> 'complete_through')::date, 'infinity')));
        EXECUTE 'DROP TABLE ' || histories;
    END IF;
    RETURN rows;
END
$$;
COMMENT ON FUNCTION churn_stage_judged(churn_studies, churn_models) IS 'support function of churn_verdict and churn_slices: name of a table with the rows of a model''s test and newest training snapshot; churn_drop_judged drops it';

-- The same rows with their features and the columns of the profile by name:
-- the view STUDY_judging, over which slices are read.
CREATE FUNCTION churn_name_judged(definition churn_studies, judged churn_models, rows text) RETURNS text
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    named text := format('%I.%I', definition.table_schema, definition.study || '_judging');
    spec @extschema@.churn_spec := @extschema@.churn_model_spec(judged.model);
    own text := 'user_id,as_of,purpose,stage,recency,key_days,churned,score';
    profile record;
    counts record;
BEGIN
    IF to_regclass(named) IS NOT NULL THEN
        RAISE EXCEPTION 'relation % is in the way', named
            USING ERRCODE = 'duplicate_table',
                  HINT = 'It is a name that verdicts and slices need for a moment: rename or drop it.';
    END IF;
    SELECT * INTO profile FROM @extschema@.churn_profile_sql(definition,
        string_to_array(own, ',') || @extschema@.churn_feature_names(spec));
    EXECUTE format('CREATE VIEW %s AS SELECT j.%s%s%s FROM %s AS j%s', named,
        replace(own, ',', ', j.'),
        @extschema@.churn_named_features(spec, 'j', 1590 - profile.width),
        profile.columns, rows, profile.joined);
    IF profile.width > 0 THEN
        EXECUTE format('SELECT (SELECT pg_catalog.count(*) FROM %s) AS plain, (SELECT pg_catalog.count(*) FROM %s) AS joined',
            rows, named) INTO counts;
        IF counts.plain <> counts.joined THEN
            RAISE EXCEPTION 'the profile of study "%" has more than one row for some users', definition.study
                USING ERRCODE = 'cardinality_violation',
                      HINT = 'A profile has at most one row a user: name a view that picks it.';
        END IF;
    END IF;
    RETURN named;
END
$$;
COMMENT ON FUNCTION churn_name_judged(churn_studies, churn_models, text) IS 'support function of churn_verdict and churn_slices: the view STUDY_judging over STUDY_judged; 21000 when a user has two rows in the profile';

CREATE FUNCTION churn_drop_judged(definition churn_studies, named text) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF named IS NOT NULL THEN
        EXECUTE 'DROP VIEW ' || named;
    END IF;
    EXECUTE format('DROP TABLE %I.%I', definition.table_schema, definition.study || '_judged');
END
$$;
COMMENT ON FUNCTION churn_drop_judged(churn_studies, text) IS 'support function of churn_verdict and churn_slices: drop the table of the judged rows, and its view where there is one';
