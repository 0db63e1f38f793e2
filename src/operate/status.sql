-- status.sql: every study at a glance

CREATE FUNCTION churn_study_bytes(definition churn_studies) RETURNS bigint
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT coalesce(sum(pg_total_relation_size(to_regclass(
            format('%I.%I', definition.table_schema, definition.study || t.suffix)))), 0)::bigint
        FROM unnest('{_history,_scores,_score_log,_snapshots}'::text[]) AS t (suffix)
        WHERE definition.user_type IS NOT NULL
    $$;
COMMENT ON FUNCTION churn_study_bytes(churn_studies) IS 'support function of churn_status: bytes on disk of the tables of a study, with their indexes';

CREATE FUNCTION churn_open_alerts(study text) RETURNS bigint
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF to_regclass('@extschema@.churn_alerts') IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT count(*) FROM @extschema@.churn_alerts AS a
            WHERE a.study = churn_open_alerts.study AND a.closed_on IS NULL);
END
$$;
COMMENT ON FUNCTION churn_open_alerts(text) IS 'support function of churn_status: alerts of a study that are open; NULL where nothing watches';

-- Everything comes from the catalogue: a table of a study may be anything, and
-- is not read with the rights of whoever looks at this view.
CREATE VIEW churn_status WITH (security_barrier) AS
    SELECT s.study, s.owner, m.version AS champion,
        pg_catalog.now() OPERATOR(pg_catalog.-) m.created_at AS model_age,
        h.scored AS users_scored, h.scored_as_of AS scores_as_of,
        @extschema@.churn_today(s.time_zone) OPERATOR(pg_catalog.-) h.scored_as_of AS scores_age_days,
        h.through AS histories_through,
        @extschema@.churn_today(s.time_zone) OPERATOR(pg_catalog.-) h.through AS histories_age_days,
        r.task AS last_task, r.started_at AS last_run,
        CASE WHEN r.outcome OPERATOR(pg_catalog.=) 'running'
                AND @extschema@.churn_worker(s.study) IS DISTINCT FROM r.pid THEN 'died'
             ELSE r.outcome END AS last_outcome,
        r.message AS last_message,
        (SELECT pg_catalog.max(d.started_at) FROM churn_runs AS d WHERE d.study OPERATOR(pg_catalog.=) s.study
            AND d.outcome OPERATOR(pg_catalog.=) 'done') AS last_success,
        @extschema@.churn_open_alerts(s.study) AS open_alerts,
        n.task AS next_task, n.next_run,
        @extschema@.churn_study_bytes(s) AS table_bytes,
        (SELECT pg_catalog.sum(pg_catalog.pg_column_size(o.model))::bigint FROM churn_models AS o
         WHERE o.study OPERATOR(pg_catalog.=) s.study) AS model_bytes
    FROM churn_studies AS s
    LEFT JOIN churn_models AS m ON m.study OPERATOR(pg_catalog.=) s.study
        AND m.status OPERATOR(pg_catalog.=) 'champion'
    LEFT JOIN churn_histories AS h ON h.study OPERATOR(pg_catalog.=) s.study
    LEFT JOIN LATERAL (SELECT * FROM churn_runs AS o WHERE o.study OPERATOR(pg_catalog.=) s.study
        AND o.outcome OPERATOR(pg_catalog.<>) 'skipped' ORDER BY o.id DESC LIMIT 1) AS r ON true
    LEFT JOIN LATERAL (SELECT c.task, c.next_run FROM churn_schedules AS c
        WHERE c.study OPERATOR(pg_catalog.=) s.study AND c.next_run IS NOT NULL
        ORDER BY c.next_run LIMIT 1) AS n ON true
    WHERE pg_catalog.pg_has_role(s.owner, 'MEMBER');
GRANT SELECT ON churn_status TO PUBLIC;
COMMENT ON VIEW churn_status IS 'a row a study: the champion and the age of its training, the day of the scores and of the stored histories and how many days ago that is, the last run (skipped ones aside) and what became of it, the last that succeeded, alerts that are open, what pg_cron will run next, bytes on disk of its tables and of its models';
