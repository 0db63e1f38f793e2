-- monitor.sql: is the world still the one that the champion was trained in?
--
-- churn_monitor writes a row of churn_monitoring a figure and day.  Users are
-- compared with the distributions stored with the model (distributions.sql),
-- so that no training data are read.

CREATE TABLE churn_monitoring (
    study text NOT NULL REFERENCES churn_studies ON UPDATE CASCADE ON DELETE CASCADE,
    as_of date NOT NULL,
    what text NOT NULL,
    subject text NOT NULL,
    model_version int NOT NULL,
    n bigint,
    value float8,
    reference float8,
    threshold float8,
    "over" boolean NOT NULL,
    runs int NOT NULL,
    over_since date,
    details jsonb NOT NULL,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (study, what, subject, model_version, as_of)
);
CREATE INDEX churn_monitoring_day ON churn_monitoring (study, as_of);
COMMENT ON INDEX churn_monitoring_day IS 'what was seen as of a date';
COMMENT ON TABLE churn_monitoring IS 'what churn_monitor saw, a row a figure and day; monitoring the same day again replaces its rows';
COMMENT ON COLUMN churn_monitoring.study IS 'study of the figure';
COMMENT ON COLUMN churn_monitoring.as_of IS 'date of the users; of realised figures: the date of the logged scores';
COMMENT ON COLUMN churn_monitoring.what IS 'score_drift and feature_drift (PSI), base_rate, churn_excess (churn rate less mean score), expected_auc, expected_precision, coverage, score_age, freshness, realised_auc, realised_calibration (mean score less churn rate), realised_lift (of the highest tenth)';
COMMENT ON COLUMN churn_monitoring.subject IS 'the feature, the source, or the users: all, treated, untreated, held out; else empty';
COMMENT ON COLUMN churn_monitoring.model_version IS 'champion of the day; of realised figures: the model that gave the scores';
COMMENT ON COLUMN churn_monitoring.n IS 'users behind the figure';
COMMENT ON COLUMN churn_monitoring.value IS 'the figure';
COMMENT ON COLUMN churn_monitoring.reference IS 'the same figure in the out-of-time test of the model, where it has one; of churn_excess: a year ago';
COMMENT ON COLUMN churn_monitoring.threshold IS 'where an alarm begins; NULL for figures that are only shown';
COMMENT ON COLUMN churn_monitoring."over" IS 'the threshold is exceeded';
COMMENT ON COLUMN churn_monitoring.runs IS 'runs in a row with the threshold exceeded; below 0: runs in a row without; a pause of more than 14 days begins anew';
COMMENT ON COLUMN churn_monitoring.over_since IS 'first date of the runs in a row with the threshold exceeded';
COMMENT ON COLUMN churn_monitoring.details IS 'what else is known of the figure: js (Jensen-Shannon distance), ks, missing and missing_reference (shares) of distributions; every figure of churn_evaluate of realised scores';
COMMENT ON COLUMN churn_monitoring.written_at IS 'when it was measured';

ALTER TABLE churn_monitoring ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON churn_monitoring TO PUBLIC;
CREATE POLICY churn_monitoring_member ON churn_monitoring FOR SELECT
    USING (EXISTS (SELECT FROM @extschema@.churn_studies AS s
                   WHERE s.study OPERATOR(pg_catalog.=) churn_monitoring.study));
COMMENT ON POLICY churn_monitoring_member ON churn_monitoring IS 'who sees the study';
CREATE POLICY churn_monitoring_owner ON churn_monitoring
    USING (@extschema@.churn_is_owner(study));
COMMENT ON POLICY churn_monitoring_owner ON churn_monitoring IS 'only the owner itself writes, which churn_monitor works as';
SELECT pg_catalog.pg_extension_config_dump('churn_monitoring', '');

-- Write a figure; how many runs it has been over its threshold follows from
-- the row before.
CREATE FUNCTION churn_note_figure(study text, as_of date, what text, subject text, version int,
    n bigint, value float8, reference float8, threshold float8, "over" boolean, details jsonb)
    RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    before @extschema@.churn_monitoring;
    is_over boolean := coalesce("over", false);
BEGIN
    SELECT * INTO before FROM @extschema@.churn_monitoring AS m
    WHERE m.study = churn_note_figure.study AND m.what = churn_note_figure.what
        AND m.subject = churn_note_figure.subject AND m.model_version = version
        AND m.as_of < churn_note_figure.as_of AND m.as_of >= churn_note_figure.as_of - 14
    ORDER BY m.as_of DESC LIMIT 1;
    INSERT INTO @extschema@.churn_monitoring AS m (study, as_of, what, subject, model_version, n, value,
        reference, threshold, "over", runs, over_since, details)
    VALUES (study, as_of, what, subject, version, n, value, reference, threshold, is_over,
        CASE WHEN is_over THEN greatest(coalesce(before.runs, 0), 0) + 1
             ELSE least(coalesce(before.runs, 0), 0) - 1 END,
        CASE WHEN is_over THEN coalesce(before.over_since, churn_note_figure.as_of) END, coalesce(details, '{}'))
    ON CONFLICT ON CONSTRAINT churn_monitoring_pkey DO UPDATE
    SET n = excluded.n, value = excluded.value, reference = excluded.reference, threshold = excluded.threshold,
        "over" = excluded."over", runs = excluded.runs, over_since = excluded.over_since,
        details = excluded.details, written_at = excluded.written_at;
END
$$;
COMMENT ON FUNCTION churn_note_figure(text, date, text, text, int, bigint, float8, float8, float8, boolean, jsonb) IS 'support function of churn_monitor: write a row of churn_monitoring with its runs in a row';

-- Histories as a relation: the stored ones with what came since, or a table
-- for a moment, so that events are read once.
CREATE FUNCTION churn_watched_histories(definition churn_studies, today date,
    OUT histories text, OUT staged boolean)
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    h @extschema@.churn_histories := @extschema@.churn_stored(definition);
BEGIN
    staged := h.study IS NULL OR h.through > today;
    histories := CASE WHEN staged THEN @extschema@.churn_stage_histories(definition, today)
        ELSE format('(%s)', @extschema@.churn_histories_sql(definition, today)) END;
END
$$;
COMMENT ON FUNCTION churn_watched_histories(churn_studies, date) IS 'support function of churn_monitor: relation of every user''s history, and whether it is a table to drop afterwards';

-- The champion's distributions, or those of a model trained before they were.
CREATE FUNCTION churn_model_distributions(champion churn_models) RETURNS churn_distributions
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    x @extschema@.churn_distributions;
BEGIN
    SELECT * INTO x FROM @extschema@.churn_distributions AS o WHERE o.model_id = champion.id;
    IF x.model_id IS NULL THEN
        RAISE NOTICE 'model % of study "%" has no stored distributions: drift is not watched', champion.version, champion.study
            USING HINT = 'churn_train stores them with every model.';
        x.positions := '{0}';
        x.cuts := ARRAY[array_fill('NaN'::float8, ARRAY[9])];
    END IF;
    RETURN x;
END
$$;
COMMENT ON FUNCTION churn_model_distributions(churn_models) IS 'support function of churn_monitor: distributions stored with a model; empty, with a NOTICE, where there are none';

-- Each distribution now beside the stored one.
CREATE FUNCTION churn_watch_drift(stored churn_distributions, version int, day date,
    counts float8[], users bigint) RETURNS void
    LANGUAGE sql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT @extschema@.churn_note_figure(stored.study, day,
            CASE f.i WHEN 1 THEN 'score_drift' ELSE 'feature_drift' END, CASE f.i WHEN 1 THEN '' ELSE f.name END,
            version, users, p.psi, NULL, t.threshold, p.psi > t.threshold,
            jsonb_build_object('js', @extschema@.churn_js_distance(e.cells, a.cells),
                'ks', (@extschema@.churn_ks_test(e.cells[1:w.k], a.cells[1:w.k])).distance,
                'missing', a.cells[w.k + 1] / nullif(users, 0), 'missing_reference', e.cells[w.k + 1] / nullif(stored.users, 0)))
        FROM unnest(stored.features) WITH ORDINALITY AS f (name, i),
            (SELECT array_length(counts, 2) - 1) AS w (k),
            LATERAL (SELECT @extschema@.churn_array_row(stored.counts, f.i::int)) AS e (cells),
            LATERAL (SELECT @extschema@.churn_array_row(churn_watch_drift.counts, f.i::int)) AS a (cells),
            LATERAL (SELECT @extschema@.churn_psi(e.cells, a.cells)) AS p (psi),
            (SELECT * FROM @extschema@.churn_past_thresholds(stored, abs(day - stored.reference))) AS past,
            LATERAL (SELECT CASE WHEN NOT @extschema@.churn_grows_with_time(f.name) THEN past.psi[f.i] END) AS t (threshold)
    $$;
COMMENT ON FUNCTION churn_watch_drift(churn_distributions, int, date, float8[], bigint) IS 'support function of churn_monitor: PSI, Jensen-Shannon and KS distance and missing share of the score and each stored feature; totals of a lifetime have no threshold';

-- Users at risk on the day: distributions, coverage, what scores promise.
CREATE FUNCTION churn_watch_users(definition churn_studies, champion churn_models,
    stored churn_distributions, histories text, day date) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d ALIAS FOR definition;
    scores text := format('%I.%I', d.table_schema, d.study || '_scores');
    now_ record;
    scored_on date;
    e @extschema@.churn_expectation;
    reference @extschema@.churn_expectation := jsonb_populate_record(NULL::@extschema@.churn_expectation, stored.expected);
BEGIN
    EXECUTE format('SELECT pg_catalog.count(*) AS users, pg_catalog.count(o.user_id) AS scored,'
        ' @extschema@.churn_cell_counts(l.score, l.features, %1$L::pg_catalog.int4[], %2$L::pg_catalog.float8[]) AS counts,'
        ' @extschema@.churn_expected(l.score) AS expected'
        ' FROM (SELECT u.user_id, @extschema@.churn_features(u.history, u.as_of, %3$L::@extschema@.churn_spec) AS features,'
        '   @extschema@.churn_predict(%4$L::@extschema@.churn_model, u.history, u.as_of) AS score FROM (%5$s OFFSET 0) AS u OFFSET 0) AS l'
        ' LEFT JOIN %6$s AS o ON o.user_id %7$s l.user_id',
        stored.positions, stored.cuts, @extschema@.churn_model_spec(champion.model), champion.model,
        @extschema@.churn_labelled_sql(d, histories, @extschema@.churn_model_spec(champion.model), ARRAY[day], NULL),
        scores, @extschema@.churn_equality_operator(d.user_type::regtype))
    INTO now_;
    EXECUTE format('SELECT pg_catalog.max(s.as_of) FROM %s AS s', scores) INTO scored_on;
    -- scores of a later date say nothing of this one
    IF scored_on <= day OR scored_on IS NULL THEN
        PERFORM @extschema@.churn_note_figure(d.study, day, 'coverage', '', champion.version, now_.users,
            now_.scored / nullif(now_.users, 0)::float8, NULL, .95, now_.scored < .95 * now_.users, NULL);
        PERFORM @extschema@.churn_note_figure(d.study, day, 'score_age', '', champion.version, NULL,
            day - scored_on, NULL, 7, coalesce(day - scored_on > 7, true), NULL);
    END IF;
    IF now_.users = 0 THEN
        RETURN;
    END IF;
    e := now_.expected;
    PERFORM @extschema@.churn_note_figure(d.study, day, 'expected_auc', '', champion.version, e.n, e.auc,
            reference.auc, reference.auc - .05, e.auc < reference.auc - .05, to_jsonb(e)),
        @extschema@.churn_note_figure(d.study, day, 'expected_precision', '', champion.version, e.n, e.precision_10,
            reference.precision_10, NULL, false, NULL);
    IF stored.model_id IS NOT NULL THEN
        PERFORM @extschema@.churn_watch_drift(stored, champion.version, day, now_.counts, now_.users);
    END IF;
END
$$;
COMMENT ON FUNCTION churn_watch_users(churn_studies, churn_models, churn_distributions, text, date) IS 'support function of churn_monitor: one pass over the users at risk';

-- How old is the newest event of each source?
CREATE FUNCTION churn_watch_sources(definition churn_studies, champion churn_models, day date) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    s @extschema@.churn_sources;
    newest date;
    usual float8;
BEGIN
    FOR s IN SELECT * FROM @extschema@.churn_sources AS o
             WHERE o.study = definition.study AND o.role = 'behaviour' ORDER BY o.source
    LOOP
        newest := @extschema@.churn_newest_day(definition, s, day);
        -- a day more than it ever was in four weeks; a week before that is known
        SELECT CASE WHEN count(*) < 7 THEN 7 ELSE greatest(2, max(m.value) + 1) END INTO usual
        FROM @extschema@.churn_monitoring AS m
        WHERE m.study = definition.study AND m.what = 'freshness' AND m.as_of BETWEEN day - 28 AND day - 1
            AND m.subject = format('%s %I.%I', s.source, s.relation_schema, s.relation_name) AND NOT m."over";
        PERFORM @extschema@.churn_note_figure(definition.study, day, 'freshness',
            format('%s %I.%I', s.source, s.relation_schema, s.relation_name), champion.version, NULL,
            day - newest, NULL, usual, coalesce(day - newest > usual, true), jsonb_build_object('newest', newest));
    END LOOP;
END
$$;
COMMENT ON FUNCTION churn_watch_sources(churn_studies, churn_models, date) IS 'support function of churn_monitor: days since the newest event of each source, and whether that is unusual';

-- Outcomes at one date beside what the champion says of it; NULL where nobody
-- was at risk or the events do not reach back far enough.
CREATE FUNCTION churn_rate_at(definition churn_studies, champion churn_models, histories text,
    day date, first_day date, complete_through date) RETURNS churn_evaluation
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    e @extschema@.churn_evaluation;
BEGIN
    IF day - first_day >= least(definition.lookback, definition.churn_window) THEN
        EXECUTE format('SELECT (x.e).* FROM (SELECT @extschema@.churn_evaluate(@extschema@.churn_predict('
            '%L::@extschema@.churn_model, l.history, l.as_of), l.churned) AS e FROM (%s OFFSET 0) AS l) AS x', champion.model,
            @extschema@.churn_labelled_sql(definition, histories, @extschema@.churn_model_spec(champion.model),
                ARRAY[day], complete_through)) INTO e;
    END IF;
    RETURN e;
END
$$;
COMMENT ON FUNCTION churn_rate_at(churn_studies, churn_models, text, date, date, date) IS 'support function of churn_monitor: every figure of the champion on the users at risk at a date; NULL where the events do not reach back';

-- The churn rate of the newest date whose outcomes are known: against the
-- test, and less what the champion's scores say, against a year ago.  Scores
-- account for who is there, the year for the season; where there is no year,
-- dates so far apart in training say what a season may do.
CREATE FUNCTION churn_watch_rate(definition churn_studies, champion churn_models, stored churn_distributions,
    histories text, day date, first_day date, complete_through date) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d @extschema@.churn_studies := @extschema@.churn_model_definition(definition, champion);
    labelled date := complete_through + 1 - d.gap - d.churn_window;
    e @extschema@.churn_evaluation := @extschema@.churn_rate_at(d, champion, histories, labelled, first_day, complete_through);
    ago @extschema@.churn_evaluation := @extschema@.churn_rate_at(d, champion, histories, labelled - 364, first_day, complete_through);
    tested float8 := champion.metrics ->> 'test_churn_rate';
    before float8;
    variance float8;
    apart float8;
    threshold float8;
BEGIN
    IF coalesce(e.n, 0) = 0 THEN
        RETURN;
    END IF;
    SELECT p.churn_rate INTO apart
    FROM @extschema@.churn_past_thresholds(stored, abs(labelled - stored.reference)) AS p WHERE stored.model_id IS NOT NULL;
    variance := e.base_rate * (1 - e.base_rate) / e.n;
    threshold := greatest(.03, apart, 2.5758293035489 * sqrt(variance));
    PERFORM @extschema@.churn_note_figure(definition.study, day, 'base_rate', '', champion.version, e.n,
        e.base_rate, tested, threshold, abs(e.base_rate - tested) > threshold,
        jsonb_build_object('labelled', labelled, 'mean_score', e.mean_score, 'auc', e.auc));
    IF coalesce(ago.n, 0) > 0 THEN
        before := ago.base_rate - ago.mean_score;
        variance := variance + ago.base_rate * (1 - ago.base_rate) / ago.n;
        threshold := greatest(.03, 2.5758293035489 * sqrt(variance));
    ELSE
        before := tested - (champion.metrics ->> 'mean_score')::float8;
    END IF;
    PERFORM @extschema@.churn_note_figure(definition.study, day, 'churn_excess', '', champion.version, e.n,
        e.base_rate - e.mean_score, before, threshold, abs(e.base_rate - e.mean_score - before) > threshold,
        jsonb_build_object('labelled', labelled, 'compared_with', CASE WHEN coalesce(ago.n, 0) > 0
            THEN labelled - 364 ELSE stored.reference END));
END
$$;
COMMENT ON FUNCTION churn_watch_rate(churn_studies, churn_models, churn_distributions, text, date, date, date) IS 'support function of churn_monitor: churn rate of the newest labelled date, and what of it the scores do not account for, against a year ago';

CREATE FUNCTION churn_monitor_owned(study text, as_of date) RETURNS SETOF churn_monitoring
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d @extschema@.churn_studies := @extschema@.churn_study_lock(study);
    champion @extschema@.churn_models := @extschema@.churn_champion(study);
    stored @extschema@.churn_distributions := @extschema@.churn_model_distributions(champion);
    today date := @extschema@.churn_today(d.time_zone);
    day date := coalesce(as_of, today);
    began timestamptz := clock_timestamp();
    facts record;
    source record;
BEGIN
    IF day > today OR NOT isfinite(day) THEN
        RAISE EXCEPTION 'users of % cannot be watched on %', day, today
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'as_of is today or a day before.';
    END IF;
    SELECT * INTO facts FROM @extschema@.churn_study_facts(d, day);
    SELECT * INTO source FROM @extschema@.churn_watched_histories(d, today);
    PERFORM @extschema@.churn_watch_users(d, champion, stored, source.histories, day);
    PERFORM @extschema@.churn_watch_sources(d, champion, day);
    PERFORM @extschema@.churn_watch_rate(d, champion, stored, source.histories, day,
        facts.first_day, facts.complete_through);
    PERFORM @extschema@.churn_watch_realised(d, source.histories, facts.complete_through);
    IF source.staged THEN
        EXECUTE 'DROP TABLE ' || source.histories;
    END IF;
    PERFORM @extschema@.churn_settle_alerts(d, day, champion.version);
    RETURN QUERY SELECT * FROM @extschema@.churn_monitoring AS m
        WHERE m.study = d.study AND m.written_at >= began
        ORDER BY m."over" DESC, m.what, m.value DESC NULLS LAST, m.subject;
END
$$;
COMMENT ON FUNCTION churn_monitor_owned(text, date) IS 'support function of churn_monitor';

CREATE FUNCTION churn_monitor(study text, as_of date DEFAULT NULL) RETURNS SETOF churn_monitoring
    AS 'MODULE_PATHNAME', 'churn_as_owner' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION churn_monitor(text, date) IS 'compare today (or a past date) with what the champion was tested on: drift of the score and of every feature, churn rate of the newest labelled date, expected AUC and precision without labels, coverage, age of scores and events, and realised figures of logged scores whose outcome window has closed; writes churn_monitoring, opens and closes churn_alerts with NOTIFY churn_alert, and returns what it wrote; errors: 55000 no champion, 22023 a future date, 42501 rights';
