-- fit_by_snapshot.sql: are the probabilities of the right size, snapshot by snapshot

-- Scores of a model beside outcomes at every snapshot of STUDY_snapshots.
CREATE FUNCTION churn_fit_by_snapshot(definition churn_studies, model churn_model) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    lines jsonb;
BEGIN
    EXECUTE format(
        'SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('
        ' ''as_of'', l.as_of, ''purpose'', l.purpose, ''rows'', (l.e).n, ''churn_rate'', (l.e).base_rate,'
        ' ''mean_score'', (l.e).mean_score, ''slope'', (l.e).calibration_slope,'
        ' ''intercept'', (l.e).calibration_intercept, ''auc'', (l.e).auc) ORDER BY l.as_of)'
        ' FROM (SELECT t.as_of, t.purpose, @extschema@.churn_evaluate(t.score, t.churned) AS e'
        '   FROM (SELECT s.as_of, s.purpose, s.churned,'
        '     @extschema@.churn_predict(%L::@extschema@.churn_model, s.features) AS score'
        '     FROM %I.%I AS s WHERE s.churned IS NOT NULL OFFSET 0) AS t GROUP BY 1, 2) AS l',
        model, definition.table_schema, definition.study || '_snapshots') INTO lines;
    RETURN lines;
END
$$;
COMMENT ON FUNCTION churn_fit_by_snapshot(churn_studies, churn_model) IS 'support function of churn_train: an array of objects, one a snapshot: as_of, purpose, rows, churn_rate, mean_score, slope and intercept of the calibration line (1 and 0 are perfect; null where one class is missing), auc; training snapshots are scored by the model that has seen them';

-- Say it, and warn when the test's probabilities are of another size.
CREATE FUNCTION churn_report_fit(lines jsonb) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    l record;
BEGIN
    FOR l IN SELECT e.as_of, e.purpose, e.churn_rate, e.mean_score,
            to_char(100 * e.mean_score, 'FM990.0') || ' %' AS scored,
            to_char(100 * e.churn_rate, 'FM990.0') || ' %' AS churned,
            coalesce(to_char(e.slope, 'FM9990.00'), '-') AS slope,
            coalesce(to_char(e.intercept, 'FM9990.00'), '-') AS intercept
        FROM jsonb_to_recordset(lines) AS e (as_of date, purpose text, churn_rate float8,
            mean_score float8, slope float8, intercept float8) ORDER BY e.as_of
    LOOP
        RAISE NOTICE '% %: mean score %, churned %, calibration slope %, intercept %',
            CASE l.purpose WHEN 'test' THEN 'test ' ELSE 'train' END, l.as_of,
            l.scored, l.churned, l.slope, l.intercept;
        IF l.purpose = 'test' AND abs(l.mean_score - l.churn_rate) > .03 THEN
            RAISE WARNING 'scores are of another size than churn: on % the mean score is %, but % churned',
                l.as_of, l.scored, l.churned
                USING HINT = 'A season or a change in the data: trust the ranking more than the size of a probability; churn_backtest shows other test dates.';
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION churn_report_fit(jsonb) IS 'support function of churn_train: a NOTICE a snapshot with mean score, churn rate, calibration slope and intercept; a WARNING when those of the test differ by more than .03';
