-- refresh.sql: scores of everybody at risk, for BI
--
-- Stages that commit one by one: the stored histories (load.sql), a range of
-- users at a time when they are built from nothing, then the scores.  Scores
-- come from histories, never from events, in one pass over everybody, because
-- days since the last event change for all.  They are built in a staging table
-- by CREATE TABLE AS, the only form of writing that plans in parallel, then
-- one statement upserts and deletes, so that a reader sees the old scores or
-- the new ones.

-- Score all users of a relation of histories into a staging table.
CREATE FUNCTION churn_stage_scores(definition churn_studies, histories text,
    champion churn_models, as_of date) RETURNS text
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d ALIAS FOR definition;
    model text := format('%L::@extschema@.churn_model', champion.model);
BEGIN
    RETURN @extschema@.churn_stage(d, '_scoring', format(
        'SELECT c.user_id, (c.standing).stage, (c.standing).value, (c.standing).next_day,'
        ' @extschema@.churn_predict(%1$s, c.history, %2$L::pg_catalog.date) AS score,'
        ' @extschema@.churn_reasons(%1$s, c.history, %2$L::pg_catalog.date, 3) AS reasons,'
        ' @extschema@.churn_key_share(%8$s, %3$L) OPERATOR(pg_catalog.<) %4$s AS holdout'
        ' FROM (SELECT h.user_id, h.history,'
        '   @extschema@.churn_standing(h.history, %2$L::pg_catalog.date, @extschema@.churn_model_spec(%1$s), %5$s, %6$s) AS standing'
        '   FROM %7$s AS h WHERE h.history IS NOT NULL OFFSET 0) AS c'
        ' WHERE (c.standing).at_risk',
        model, as_of, 'holdout ' || d.study, d.holdout_share,
        d.active_window, d.min_tenure, histories,
        @extschema@.churn_key_text_sql(d, 'c.user_id')));
END
$$;
COMMENT ON FUNCTION churn_stage_scores(churn_studies, text, churn_models, date) IS 'support function of churn_refresh: build STUDY_scoring; returns its qualified name';

-- Replace STUDY_scores by a staging table in one statement.
CREATE FUNCTION churn_publish_scores(definition churn_studies, staging text,
    champion churn_models, as_of date) RETURNS bigint
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    scores text := format('%I.%I', definition.table_schema, definition.study || '_scores');
    equals text := @extschema@.churn_equality_operator(definition.user_type::regtype);
    published bigint;
BEGIN
    EXECUTE format(
        'WITH gone AS (DELETE FROM %1$s AS o WHERE NOT EXISTS'
        '   (SELECT FROM %2$s AS n WHERE n.user_id %3$s o.user_id))'
        ' INSERT INTO %1$s AS o (user_id, as_of, score, percentile, band, band_since,'
        '   previous_score, stage, reasons, value, value_at_risk, next_day, holdout, model_version)'
        ' SELECT n.user_id, %4$L::pg_catalog.date, n.score, n.percentile, b.band,'
        '   CASE WHEN b.band OPERATOR(pg_catalog.=) p.band THEN least(p.band_since, %4$L::pg_catalog.date) ELSE %4$L::pg_catalog.date END,'
        -- a refresh repeated on one day keeps what came before that day
        '   CASE WHEN p.as_of OPERATOR(pg_catalog.<) %4$L::pg_catalog.date THEN p.score ELSE p.previous_score END,'
        '   n.stage, n.reasons, n.value, n.score OPERATOR(pg_catalog.*) n.value, n.next_day, n.holdout, %5$s'
        ' FROM (SELECT s.*, 100 OPERATOR(pg_catalog.*) pg_catalog.cume_dist() OVER (ORDER BY s.score) AS percentile'
        '   FROM %2$s AS s) AS n'
        ' LEFT JOIN %1$s AS p ON p.user_id %3$s n.user_id'
        ' CROSS JOIN LATERAL (SELECT @extschema@.churn_band(n.score, %6$L::pg_catalog.float8[], p.band)) AS b (band)'
        ' ON CONFLICT (user_id) DO UPDATE SET as_of = excluded.as_of, score = excluded.score,'
        '   percentile = excluded.percentile, band = excluded.band, band_since = excluded.band_since,'
        '   previous_score = excluded.previous_score, stage = excluded.stage, reasons = excluded.reasons,'
        '   value = excluded.value, value_at_risk = excluded.value_at_risk, next_day = excluded.next_day,'
        '   holdout = excluded.holdout, model_version = excluded.model_version',
        scores, staging, equals, as_of, champion.version, champion.band_cutoffs);
    GET DIAGNOSTICS published = ROW_COUNT;
    RETURN published;
END
$$;
COMMENT ON FUNCTION churn_publish_scores(churn_studies, text, churn_models, date) IS 'support function of churn_refresh: upsert and delete in one statement; returns the number of users at risk';

-- Keep scores as they were given: weekly, and whenever the champion is new.
CREATE FUNCTION churn_log_scores(definition churn_studies, champion churn_models,
    as_of date) RETURNS bigint
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    score_log text := format('%I.%I', definition.table_schema, definition.study || '_score_log');
    due boolean;
    logged bigint := 0;
BEGIN
    EXECUTE format('SELECT NOT EXISTS (SELECT FROM %s AS l'
        ' WHERE l.as_of OPERATOR(pg_catalog.>) (%L::pg_catalog.date OPERATOR(pg_catalog.-) 7)'
        ' AND l.as_of OPERATOR(pg_catalog.<=) %L::pg_catalog.date'
        ' AND l.model_version OPERATOR(pg_catalog.=) %s)',
        score_log, as_of, as_of, champion.version) INTO due;
    IF due THEN
        EXECUTE format('INSERT INTO %s (as_of, user_id, model_version, score, holdout)'
            ' SELECT s.as_of, s.user_id, s.model_version, s.score, s.holdout FROM %I.%I AS s',
            score_log, definition.table_schema, definition.study || '_scores');
        GET DIAGNOSTICS logged = ROW_COUNT;
    END IF;
    RETURN logged;
END
$$;
COMMENT ON FUNCTION churn_log_scores(churn_studies, churn_models, date) IS 'support function of churn_refresh: append to STUDY_score_log when it is due; returns the number of rows';

CREATE FUNCTION churn_champion(study text) RETURNS churn_models
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d @extschema@.churn_studies := @extschema@.churn_study_row(study);
    champion @extschema@.churn_models;
BEGIN
    SELECT * INTO champion FROM @extschema@.churn_models AS m
    WHERE m.study = d.study AND m.status = 'champion';
    IF champion.id IS NULL THEN
        RAISE EXCEPTION 'study "%" has no champion', study
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('SELECT * FROM churn_train(%L) trains one; one that passed the gate can be promoted by churn_promote.', study);
    END IF;
    RETURN champion;
END
$$;
COMMENT ON FUNCTION churn_champion(text) IS 'the row of churn_models that scores; 55000 with a hint when there is none';

-- What the first stage checks before it reads anything; the state that the
-- stages hand on.
CREATE FUNCTION churn_refresh_begin(definition churn_studies, as_of date, overlap interval) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d ALIAS FOR definition;
    today date := @extschema@.churn_today(d.time_zone);
    day date := coalesce(as_of, today);
    begun @extschema@.churn_histories;
BEGIN
    PERFORM @extschema@.churn_champion(d.study);
    IF day > today OR NOT isfinite(day) THEN
        RAISE EXCEPTION 'scores of % cannot be given on %', day, today
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'as_of is today or a day before.';
    END IF;
    begun := @extschema@.churn_stored_begun(d);
    RETURN jsonb_build_object('today', today, 'day', day,
        'overlap', coalesce(@extschema@.churn_whole_days(overlap, 'overlap'), 3),
        -- ranges of an earlier day miss what came since
        'resumed', begun.study IS NOT NULL,
        'stage', CASE WHEN begun.study IS NULL THEN 'begin'
                      WHEN begun.ranges_done < begun.ranges THEN 'range' ELSE 'new' END);
END
$$;
COMMENT ON FUNCTION churn_refresh_begin(churn_studies, date, interval) IS 'support function of churn_refresh: its checks, and which stage comes first';

CREATE FUNCTION churn_refresh_scores(definition churn_studies, day date) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d ALIAS FOR definition;
    champion @extschema@.churn_models := @extschema@.churn_champion(d.study);
    staging text := @extschema@.churn_stage_scores(d,
        format('%I.%I', d.table_schema, d.study || '_history'), champion, day);
    published bigint := @extschema@.churn_publish_scores(d, staging, champion, day);
BEGIN
    PERFORM @extschema@.churn_log_scores(d, champion, day);
    EXECUTE format('DROP TABLE %s', staging);
    RAISE NOTICE 'study %: % users at risk scored as of %', d.study, published, day;
END
$$;
COMMENT ON FUNCTION churn_refresh_scores(churn_studies, date) IS 'support function of churn_refresh: score everybody at risk from STUDY_history';

-- One stage: takes the state that the stage before left (NULL: the first),
-- returns that of the next, NULL after the last.
CREATE FUNCTION churn_refresh_stage_owned(study text, as_of date, overlap interval, state jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d @extschema@.churn_studies := @extschema@.churn_study_lock(study);
    s jsonb := coalesce(state, @extschema@.churn_refresh_begin(d, as_of, overlap));
    stage text := s->>'stage';
    today date := s->>'today';
BEGIN
    -- between two stages the study may have been altered
    IF stage <> 'begin' AND (@extschema@.churn_stored_begun(d)).study IS NULL THEN
        stage := 'begin';
        s := s || '{"resumed": false}';
    END IF;
    IF stage = 'begin' THEN
        PERFORM @extschema@.churn_load_begin(d, today, (s->>'overlap')::int);
        RETURN s || '{"stage": "range"}';
    ELSIF stage = 'range' THEN
        IF @extschema@.churn_load_range(d, today) THEN
            stage := CASE WHEN (s->>'resumed')::boolean THEN 'new' ELSE 'scores' END;
        END IF;
        RETURN s || jsonb_build_object('stage', stage);
    ELSIF stage = 'new' THEN
        PERFORM @extschema@.churn_load_new(d, today, (s->>'overlap')::int);
        RETURN s || '{"stage": "scores"}';
    END IF;
    PERFORM @extschema@.churn_refresh_scores(d, (s->>'day')::date);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION churn_refresh_stage_owned(text, date, interval, jsonb) IS 'support function of churn_refresh: one stage, after which it may commit';

CREATE PROCEDURE churn_refresh(study text, as_of date DEFAULT NULL, overlap interval DEFAULT '3 days')
    AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON PROCEDURE churn_refresh(text, date, interval) IS 'bring the histories of a study up to date by what is new in its sources, looking back so many days (overlap) for rows that came late; score everybody at risk by the champion as of today (or a past date) into STUDY_scores, drop who is no longer at risk, append to STUDY_score_log weekly; commits after each stage, and goes on where it was interrupted; inside a transaction block or a function it is part of that transaction; errors: 55000 no champion, 22023 a future date, 55P03 another session refreshes the study, 42501 rights';
