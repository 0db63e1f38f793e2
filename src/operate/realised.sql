-- realised.sql: what became of users who were scored
--
-- Scores that were logged are judged once their outcome window has closed.
-- Users whom the company contacted between the score and the end of the
-- window (events of sources of role "action") have other outcomes, so they
-- are shown apart.

-- Logged scores of one date and model beside what happened.
CREATE FUNCTION churn_logged_sql(definition churn_studies, logged_by churn_models,
    histories text, day date) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT format('SELECT l.score, l.holdout,'
            ' @extschema@.churn_outcome(h.history, l.as_of, %1$L::@extschema@.churn_spec, %2$s) AS churned,'
            ' %3$s AS treated'
            ' FROM %4$I.%5$I AS l JOIN %6$s AS h ON h.user_id %7$s l.user_id'
            ' WHERE l.as_of = %8$L::pg_catalog.date AND l.model_version = %9$s AND h.history IS NOT NULL',
            @extschema@.churn_model_spec(logged_by.model), past.gap,
            coalesce('EXISTS (SELECT FROM (' || @extschema@.churn_contacted_sql(definition, day, day + past.gap + past.churn_window)
                || ') AS c WHERE c.user_id ' || e.equals || ' l.user_id)', 'false'),
            definition.table_schema, definition.study || '_score_log', histories, e.equals, day, logged_by.version)
        FROM @extschema@.churn_model_definition(definition, logged_by) AS past,
            (SELECT @extschema@.churn_equality_operator(definition.user_type::regtype)) AS e (equals)
    $$;
COMMENT ON FUNCTION churn_logged_sql(churn_studies, churn_models, text, date) IS 'support function of churn_monitor: SQL of logged scores with outcome, hold-out and whether the user was contacted before the outcome window ended';

-- Rows of one date, model and group of users.
CREATE FUNCTION churn_note_realised(definition churn_studies, logged_by churn_models, day date,
    users text, e churn_evaluation, alarms boolean) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    stored @extschema@.churn_distributions;
    tested float8 := logged_by.metrics ->> 'auc';
    apart float8;
    threshold float8;
BEGIN
    SELECT * INTO stored FROM @extschema@.churn_distributions AS o WHERE o.model_id = logged_by.id;
    SELECT p.churn_rate INTO apart
    FROM @extschema@.churn_past_thresholds(stored, abs(day - stored.reference)) AS p WHERE stored.model_id IS NOT NULL;
    threshold := greatest(.03, apart, 2.5758293035489 * sqrt(e.base_rate * (1 - e.base_rate) / e.n));
    PERFORM @extschema@.churn_note_figure(definition.study, day, 'realised_auc', users, logged_by.version,
            e.n, e.auc, tested, CASE WHEN alarms THEN tested - .03 END,
            alarms AND e.auc_upper < tested - .03, to_jsonb(e)),
        @extschema@.churn_note_figure(definition.study, day, 'realised_calibration', users, logged_by.version,
            e.n, e.mean_score - e.base_rate, 0, CASE WHEN alarms THEN threshold END,
            alarms AND abs(e.mean_score - e.base_rate) > threshold,
            jsonb_build_object('mean_score', e.mean_score, 'churn_rate', e.base_rate,
                'slope', e.calibration_slope, 'intercept', e.calibration_intercept)),
        @extschema@.churn_note_figure(definition.study, day, 'realised_lift', users, logged_by.version,
            e.n, e.lift_10, (logged_by.metrics ->> 'top_decile_lift')::float8, NULL, false, NULL);
END
$$;
COMMENT ON FUNCTION churn_note_realised(churn_studies, churn_models, date, text, churn_evaluation, boolean) IS 'support function of churn_monitor: AUC, calibration and lift of logged scores of one group of users';

-- Judge logged scores whose window has closed since the last time.
CREATE FUNCTION churn_watch_realised(definition churn_studies, histories text, complete_through date) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d ALIAS FOR definition;
    newest date := (SELECT max(m.as_of) FROM @extschema@.churn_monitoring AS m
                    WHERE m.study = d.study AND m.what = 'realised_auc');
    due record;
    m @extschema@.churn_models;
    past @extschema@.churn_studies;
    g record;
BEGIN
    FOR due IN EXECUTE format('SELECT DISTINCT l.as_of, l.model_version FROM %I.%I AS l'
        ' WHERE l.as_of > %L::pg_catalog.date AND l.as_of <= %L::pg_catalog.date ORDER BY 1, 2 LIMIT 60',
        d.table_schema, d.study || '_score_log', coalesce(newest, '-infinity'),
        coalesce(complete_through + 1 - d.gap - d.churn_window, '-infinity'))
    LOOP
        SELECT * INTO m FROM @extschema@.churn_models AS o
        WHERE o.study = d.study AND o.version = due.model_version;
        past := @extschema@.churn_model_definition(d, m);
        -- forgotten, or scores given in hindsight of what it had learnt from
        CONTINUE WHEN m.id IS NULL OR due.as_of < (m.metrics ->> 'test_date')::date;
        EXIT WHEN due.as_of + past.gap + past.churn_window > complete_through + 1;
        FOR g IN EXECUTE format('WITH r AS MATERIALIZED (%s)'
            ' SELECT u.users, @extschema@.churn_evaluate(r.score, r.churned) AS e, pg_catalog.bool_or(a.actions) AS actions'
            ' FROM r, (SELECT pg_catalog.bool_or(o.treated) AS actions, pg_catalog.bool_or(o.treated OR o.holdout) AS parted FROM r AS o) AS a,'
            ' LATERAL (VALUES (''all'', true), (CASE WHEN r.holdout THEN ''held out'''
            '   WHEN r.treated THEN ''treated'' ELSE ''untreated'' END, a.parted)) AS u (users, shown) WHERE u.shown GROUP BY 1',
            @extschema@.churn_logged_sql(d, m, histories, due.as_of))
        LOOP
            PERFORM @extschema@.churn_note_realised(d, m, due.as_of, g.users, g.e,
                g.users = CASE WHEN g.actions THEN 'untreated' ELSE 'all' END);
        END LOOP;
    END LOOP;
END
$$;
COMMENT ON FUNCTION churn_watch_realised(churn_studies, text, date) IS 'support function of churn_monitor: realised figures of logged scores, for all users and for treated, untreated and held-out ones apart; where users were contacted, only untreated ones can alarm';
