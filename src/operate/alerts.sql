-- alerts.sql: what somebody should look at
--
-- An alert is open while its condition holds, and closes when it has not held
-- for three runs, or the model it speaks of scores no more.

CREATE TABLE churn_alerts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    study text NOT NULL REFERENCES churn_studies ON UPDATE CASCADE ON DELETE CASCADE,
    what text NOT NULL,
    subject text NOT NULL,
    model_version int NOT NULL,
    since date NOT NULL,
    opened_on date NOT NULL,
    asked text NOT NULL,
    measured text NOT NULL,
    severity text NOT NULL CHECK (severity IN ('warning', 'critical')),
    details jsonb NOT NULL DEFAULT '{}',
    opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    acknowledged_by text,
    acknowledged_at timestamptz,
    note text,
    closed_on date,
    closed_at timestamptz
);
CREATE UNIQUE INDEX churn_alerts_open ON churn_alerts (study, what, subject) WHERE closed_on IS NULL;
COMMENT ON INDEX churn_alerts_open IS 'one open alert a study and subject';
COMMENT ON TABLE churn_alerts IS 'what churn_monitor found and somebody should look at; closed ones are kept';
COMMENT ON COLUMN churn_alerts.id IS 'what churn_acknowledge takes';
COMMENT ON COLUMN churn_alerts.study IS 'study it is about';
COMMENT ON COLUMN churn_alerts.what IS 'feature_drift, score_drift, base_rate, churn_excess, expected_auc, coverage, score_age, freshness, realised_auc or realised_calibration';
COMMENT ON COLUMN churn_alerts.subject IS 'source or group of users; empty for all';
COMMENT ON COLUMN churn_alerts.model_version IS 'champion at the time';
COMMENT ON COLUMN churn_alerts.since IS 'first date of the runs in a row that opened it';
COMMENT ON COLUMN churn_alerts.opened_on IS 'date as of which it was opened';
COMMENT ON COLUMN churn_alerts.asked IS 'what should hold';
COMMENT ON COLUMN churn_alerts.measured IS 'what was found by the last run';
COMMENT ON COLUMN churn_alerts.severity IS 'critical: scores are missing, old or wrong; warning: they may become so';
COMMENT ON COLUMN churn_alerts.details IS 'the rows of churn_monitoring behind it, at most twenty, the worst first';
COMMENT ON COLUMN churn_alerts.opened_at IS 'when it was opened';
COMMENT ON COLUMN churn_alerts.acknowledged_by IS 'session user who has seen it';
COMMENT ON COLUMN churn_alerts.acknowledged_at IS 'when';
COMMENT ON COLUMN churn_alerts.note IS 'what was said about it';
COMMENT ON COLUMN churn_alerts.closed_on IS 'date as of which it no longer holds; NULL while open';
COMMENT ON COLUMN churn_alerts.closed_at IS 'when it was closed';

ALTER TABLE churn_alerts ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT (study, what, subject, model_version, since, opened_on, asked, measured,
    severity, details), UPDATE (asked, measured, details, acknowledged_by, acknowledged_at, note,
    closed_on, closed_at) ON churn_alerts TO PUBLIC;
CREATE POLICY churn_alerts_member ON churn_alerts FOR SELECT
    USING (EXISTS (SELECT FROM @extschema@.churn_studies AS s
                   WHERE s.study OPERATOR(pg_catalog.=) churn_alerts.study));
COMMENT ON POLICY churn_alerts_member ON churn_alerts IS 'who sees the study';
CREATE POLICY churn_alerts_owner ON churn_alerts
    USING (@extschema@.churn_is_owner(study));
COMMENT ON POLICY churn_alerts_owner ON churn_alerts IS 'only the owner itself writes, which churn_monitor works as';
SELECT pg_catalog.pg_extension_config_dump('churn_alerts', '');
SELECT pg_catalog.pg_extension_config_dump('churn_alerts_id_seq', '');

-- What is watched: how many runs in a row open an alert, and what to say.
CREATE FUNCTION churn_alert_rules(OUT what text, OUT runs int, OUT severity text, OUT asked text)
    RETURNS SETOF record
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        VALUES
        ('feature_drift', 3, 'warning', 'PSI of every feature <= %s'),
        ('score_drift', 3, 'warning', 'PSI of the score <= %s'),
        ('base_rate', 3, 'warning', 'churn rate within %s of that of the test'),
        ('churn_excess', 3, 'warning', 'churn rate less mean score within %s of a year ago'),
        ('expected_auc', 3, 'warning', 'expected AUC >= %s'),
        ('coverage', 1, 'critical', 'share of users at risk with a score >= %s'),
        ('score_age', 1, 'critical', 'scores at most %s days old'),
        ('freshness', 1, 'critical', 'newest event at most %s days old'),
        ('realised_auc', 1, 'critical', 'AUC of logged scores not certainly below %s'),
        ('realised_calibration', 1, 'warning', 'mean of logged scores within %s of the churn rate')
    $$;
COMMENT ON FUNCTION churn_alert_rules() IS 'what churn_monitor raises alerts about: runs in a row that it takes, severity and what is asked';

-- Tell the world, in at most 8000 bytes.
CREATE FUNCTION churn_notify_alert(alert churn_alerts) RETURNS void
    LANGUAGE sql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT pg_notify('churn_alert', jsonb_build_object('alert', alert.id, 'study', alert.study,
            'what', alert.what, 'subject', left(alert.subject, 1000), 'severity', alert.severity, 'since', alert.since,
            'asked', left(alert.asked, 500), 'measured', left(alert.measured, 500))::text)
    $$;
COMMENT ON FUNCTION churn_notify_alert(churn_alerts) IS 'support function of churn_monitor: NOTIFY churn_alert with a JSON object; who listens in this database sees it';

-- Alerts that the rows of a run call for: a row a kind and subject, holding
-- or not.  Features are one subject: those that are off stand in details.
CREATE FUNCTION churn_alert_states(name text, day date, version int,
    OUT what text, OUT subject text, OUT holds boolean, OUT calm boolean, OUT since date,
    OUT asked text, OUT measured text, OUT severity text, OUT details jsonb) RETURNS SETOF record
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        WITH newest AS (
            -- realised rows carry the date of their scores
            SELECT m.*, r.runs AS needed, r.severity, r.asked, m.value / nullif(m.threshold, 0) AS excess,
                CASE m.what WHEN 'feature_drift' THEN '' ELSE m.subject END AS about,
                rank() OVER (PARTITION BY m.what ORDER BY m.as_of DESC) AS age
            FROM @extschema@.churn_monitoring AS m JOIN @extschema@.churn_alert_rules() AS r USING (what)
            WHERE m.study = name AND m.model_version = version AND m.as_of <= day AND m.threshold IS NOT NULL
                AND m.as_of > day - CASE WHEN m.what LIKE 'realised%' THEN 36500 ELSE 1 END
        ), firing AS (
            SELECT n.*, n.runs >= n.needed AS fires FROM newest AS n WHERE n.age = 1
        )
        SELECT f.what, f.about, bool_or(f.fires),
            bool_and(f.runs <= CASE WHEN f.needed > 1 THEN -f.needed ELSE -1 END),
            min(f.over_since) FILTER (WHERE f.fires),
            format(min(f.asked), @extschema@.churn_figure_text((array_agg(f.threshold ORDER BY f.fires DESC, f.excess DESC NULLS LAST))[1])),
            CASE f.what WHEN 'feature_drift'
                THEN format('%s features are further off, most of all %s: %s', count(*) FILTER (WHERE f.fires),
                    (array_agg(f.subject ORDER BY f.fires DESC, f.excess DESC NULLS LAST))[1],
                    @extschema@.churn_figure_text((array_agg(f.value ORDER BY f.fires DESC, f.excess DESC NULLS LAST))[1]))
                ELSE coalesce(@extschema@.churn_figure_text((array_agg(f.value))[1]), 'unknown') END,
            min(f.severity),
            jsonb_build_object('figures', (SELECT jsonb_agg(jsonb_build_object('subject', g.subject, 'as_of', g.as_of, 'value', g.value,
                    'reference', g.reference, 'threshold', g.threshold, 'runs', g.runs) ORDER BY g.excess DESC NULLS LAST)
                FROM (SELECT * FROM firing AS h WHERE h.what = f.what AND h.about = f.about AND h.fires
                      ORDER BY h.excess DESC NULLS LAST LIMIT 20) AS g))
        FROM firing AS f GROUP BY f.what, f.about
    $$;
COMMENT ON FUNCTION churn_alert_states(text, date, int) IS 'support function of churn_monitor: by the rows written as of a date, which alerts should be open (holds) and which may close (calm)';

-- Open, update and close alerts by what a run found.
CREATE FUNCTION churn_settle_alerts(definition churn_studies, day date, version int) RETURNS int
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    a record;
    opened @extschema@.churn_alerts;
    news int := 0;
BEGIN
    -- of another champion: its distributions are others
    UPDATE @extschema@.churn_alerts AS o SET closed_on = day, closed_at = clock_timestamp()
    WHERE o.study = definition.study AND o.closed_on IS NULL AND o.model_version <> version;
    FOR a IN SELECT * FROM @extschema@.churn_alert_states(definition.study, day, version)
    LOOP
        IF a.holds THEN
            UPDATE @extschema@.churn_alerts AS o SET asked = a.asked, measured = a.measured, details = a.details
            WHERE o.study = definition.study AND o.what = a.what AND o.subject = a.subject AND o.closed_on IS NULL;
            IF NOT FOUND THEN
                INSERT INTO @extschema@.churn_alerts (study, what, subject, model_version, since, opened_on,
                    asked, measured, severity, details)
                VALUES (definition.study, a.what, a.subject, version, coalesce(a.since, day), day,
                    a.asked, a.measured, a.severity, a.details)
                RETURNING * INTO opened;
                PERFORM @extschema@.churn_notify_alert(opened);
                news := news + 1;
                RAISE NOTICE 'alert %: % %: asked: %; measured: %', opened.id, a.what, a.subject, a.asked, a.measured;
            END IF;
        ELSIF a.calm THEN
            UPDATE @extschema@.churn_alerts AS o SET closed_on = day, closed_at = clock_timestamp()
            WHERE o.study = definition.study AND o.what = a.what AND o.subject = a.subject AND o.closed_on IS NULL;
        END IF;
    END LOOP;
    RETURN news;
END
$$;
COMMENT ON FUNCTION churn_settle_alerts(churn_studies, date, int) IS 'support function of churn_monitor: open, update and close alerts; returns how many were opened';

CREATE FUNCTION churn_acknowledge_alert_owned(study text, alert bigint, note text) RETURNS boolean
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    UPDATE @extschema@.churn_alerts AS a SET acknowledged_by = session_user,
        acknowledged_at = clock_timestamp(), note = churn_acknowledge_alert_owned.note
    WHERE a.id = alert AND a.study = churn_acknowledge_alert_owned.study;
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION churn_acknowledge_alert_owned(text, bigint, text) IS 'support function of churn_acknowledge';

CREATE FUNCTION churn_acknowledge_alert(study text, alert bigint, note text) RETURNS boolean
    AS 'MODULE_PATHNAME', 'churn_as_owner' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION churn_acknowledge_alert(text, bigint, text) IS 'support function of churn_acknowledge';

CREATE FUNCTION churn_acknowledge(alert bigint, note text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    -- by the caller's rights: no row, no alert
    of_study text := (SELECT a.study FROM @extschema@.churn_alerts AS a WHERE a.id = alert);
BEGIN
    IF of_study IS NULL THEN
        RAISE EXCEPTION 'there is no alert %', coalesce(alert::text, 'null')
            USING ERRCODE = 'undefined_object',
                  HINT = 'churn_alerts lists those of your studies.';
    END IF;
    PERFORM @extschema@.churn_acknowledge_alert(of_study, alert, note);
END
$$;
COMMENT ON FUNCTION churn_acknowledge(bigint, text) IS 'say that an alert was seen, with a note: it stays open while its condition holds; 42704 when there is none in your studies';
