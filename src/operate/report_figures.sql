-- report_figures.sql: the figures of a report about data and test, as jsonb
--
-- Each function below gives one object of churn_report_figures.  Nothing is
-- computed twice in another way: the figures are those of the functions that
-- people call themselves.

-- Two columns of numbers, thinned and bounded, as arrays.
CREATE FUNCTION churn_report_roc(ranking churn_ranking, points int DEFAULT 150) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        WITH kept AS (
            SELECT DISTINCT ON (floor(points * (r.true_positive_rate + r.false_positive_rate) / 2))
                r.true_positive_rate AS y, r.false_positive_rate AS x
            FROM @extschema@.churn_roc(ranking) AS r
            ORDER BY floor(points * (r.true_positive_rate + r.false_positive_rate) / 2),
                r.true_positive_rate + r.false_positive_rate DESC
        ), ends AS (SELECT * FROM kept UNION SELECT 0, 0)
        SELECT jsonb_build_object('fpr', jsonb_agg(e.x ORDER BY e.x, e.y), 'tpr', jsonb_agg(e.y ORDER BY e.x, e.y))
        FROM ends AS e
    $$;
COMMENT ON FUNCTION churn_report_roc(churn_ranking, int) IS 'support function of churn_report: churn_roc thinned to about so many points';

-- The test rows of a model as SQL: user_id, stage, churned, recency, tenure,
-- key_days, value, features, score.  They are those of STUDY_snapshots where
-- these are of this model, else built anew from the events.
CREATE FUNCTION churn_report_rows_sql(definition churn_studies, tested churn_models, today date) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    snapshots text := format('%I.%I', definition.table_schema, definition.study || '_snapshots');
    model text := format('%L::@extschema@.churn_model', tested.model);
    spec @extschema@.churn_spec := @extschema@.churn_model_spec(tested.model);
    kept boolean;
    f record;
BEGIN
    IF spec::text = (SELECT @extschema@.churn_model_spec(m.model)::text FROM @extschema@.churn_models AS m
                     WHERE m.study = definition.study ORDER BY m.version DESC LIMIT 1) THEN
        EXECUTE format('SELECT pg_catalog.count(*) OPERATOR(pg_catalog.=) %L::pg_catalog.int8'
            ' AND pg_catalog.count(*) FILTER (WHERE s.churned) OPERATOR(pg_catalog.=) %L::pg_catalog.int8'
            ' AND pg_catalog.bool_and(s.as_of OPERATOR(pg_catalog.=) %L::pg_catalog.date)'
            ' FROM %s AS s WHERE s.purpose OPERATOR(pg_catalog.=) ''test''',
            tested.metrics->>'test_rows', tested.metrics->>'test_churned', tested.metrics->>'test_date', snapshots)
        INTO kept;
    END IF;
    IF kept THEN
        RETURN format('SELECT s.user_id, s.stage, s.churned, s.recency, s.tenure, s.key_days, s.value, s.features,'
            ' @extschema@.churn_predict(%s, s.features) AS score'
            ' FROM %s AS s WHERE s.purpose OPERATOR(pg_catalog.=) ''test''', model, snapshots);
    END IF;
    SELECT * INTO f FROM @extschema@.churn_quiet_facts(definition, today);
    RETURN format('SELECT l.user_id, (l.standing).stage, l.churned, (l.standing).recency, (l.standing).tenure,'
        ' (l.standing).key_days, (l.standing).value, @extschema@.churn_features(l.history, l.as_of, %L::@extschema@.churn_spec) AS features,'
        ' @extschema@.churn_predict(%s, l.history, l.as_of) AS score FROM (%s) AS l',
        spec, model, @extschema@.churn_labelled_sql(definition,
            format('(%s)', @extschema@.churn_histories_sql(definition, today)), spec,
            ARRAY[(tested.metrics->>'test_date')::date], f.complete_through));
END
$$;
COMMENT ON FUNCTION churn_report_rows_sql(churn_studies, churn_models, date) IS 'support function of churn_report: SQL of the test rows of a model with their scores';

-- Data ----------------------------------------------------------------------

CREATE FUNCTION churn_report_study(definition churn_studies, today date) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT jsonb_build_object('study', definition.study, 'today', today,
            'churn_window', definition.churn_window, 'gap', definition.gap,
            'active_window', definition.active_window, 'lookback', definition.lookback,
            'min_tenure', definition.min_tenure, 'time_zone', definition.time_zone,
            'kinds', coalesce(array_to_string(definition.key_kinds[1:8], ' or '), 'event'),
            'relations', coalesce((SELECT string_agg(DISTINCT r.name, ', ')
                FROM (SELECT format('%I.%I', c.relation_schema, c.relation_name) AS name
                      FROM @extschema@.churn_sources AS c
                      WHERE c.study = definition.study AND c.role = 'behaviour' ORDER BY c.source LIMIT 20) AS r),
                'no source yet'))
    $$;
COMMENT ON FUNCTION churn_report_study(churn_studies, date) IS 'support function of churn_report: the definition';

CREATE FUNCTION churn_report_checks(definition churn_studies) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        WITH finding AS (
            SELECT f.*, row_number() OVER () AS place
            FROM @extschema@.churn_check_data_owned(definition.study) AS f
        )
        SELECT jsonb_build_object('looked', count(*),
            'passed', count(*) FILTER (WHERE f.severity = 'ok'),
            'errors', count(*) FILTER (WHERE f.severity = 'error'),
            'warnings', count(*) FILTER (WHERE f.severity = 'warning'),
            'left_out', greatest(count(*) FILTER (WHERE f.severity <> 'ok') - 12, 0),
            'rows', coalesce(jsonb_agg(jsonb_build_object('check', replace(f.check_name, '_', ' '),
                'severity', f.severity, 'count', f.count, 'share', f.share,
                'example', left(f.example, 160), 'detail', left(f.detail, 240)) ORDER BY f.place)
                FILTER (WHERE f.severity <> 'ok' AND f.place <= 12), '[]'))
        FROM finding AS f
    $$;
COMMENT ON FUNCTION churn_report_checks(churn_studies) IS 'support function of churn_report: churn_check_data, at most twelve findings';

-- Snapshots of the model's dates; of the study's own where there is none.
CREATE FUNCTION churn_report_snapshots(definition churn_studies, tested churn_models, today date) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    test_date date := (tested.metrics->>'test_date')::date;
    dates date[];
    f record;
    facts jsonb;
BEGIN
    SELECT * INTO f FROM @extschema@.churn_quiet_facts(definition, today);
    dates := CASE WHEN tested.id IS NULL
        THEN ARRAY(SELECT t.as_of FROM @extschema@.churn_snapshot_dates(definition, f.first_day, f.complete_through) AS t)
        ELSE ARRAY(SELECT a::date FROM jsonb_array_elements_text(tested.metrics->'snapshots') AS a) || test_date END;
    test_date := coalesce(test_date, (SELECT max(a) FROM unnest(dates) AS a));
    SELECT jsonb_build_object('n', count(*), 'least', min(c.rate), 'most', max(c.rate), 'spread', max(c.rate) - min(c.rate),
        'test_date', test_date, 'test_users', max(c.users) FILTER (WHERE c.as_of = test_date),
        'test_rate', max(c.rate) FILTER (WHERE c.as_of = test_date),
        'rows', jsonb_agg(jsonb_build_object('as_of', c.as_of, 'month', to_char(c.as_of, 'Mon YY'),
            'purpose', CASE WHEN c.as_of = test_date THEN 'test' ELSE 'train' END, 'is_test', c.as_of = test_date,
            'users', c.users, 'churned', c.churned, 'rate', c.rate) ORDER BY c.as_of))
    INTO facts
    FROM (SELECT s.*, s.churned / nullif((s.churned + s.stayed)::float8, 0) AS rate
          FROM @extschema@.churn_snapshot_counts(definition,
              format('(%s)', @extschema@.churn_histories_sql(definition, today)),
              @extschema@.churn_check_key_kinds(definition, @extschema@.churn_study_kinds(definition, today)),
              dates, f.complete_through) AS s) AS c;
    RETURN CASE WHEN (facts->>'n')::int > 0 THEN facts ELSE jsonb_build_object('missing',
        'No snapshot of this study can have a known outcome yet.') END;
END
$$;
COMMENT ON FUNCTION churn_report_snapshots(churn_studies, churn_models, date) IS 'support function of churn_report: users at risk and churn rate at the dates of a training';

CREATE FUNCTION churn_report_returns(definition churn_studies) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        WITH curve AS MATERIALIZED (
            SELECT c.*, max(c.day) OVER () AS longest
            FROM @extschema@.churn_return_curve_owned(definition.study, .95) AS c
        ), thin AS (
            -- about 120 days, the first and the last among them
            SELECT * FROM curve AS c WHERE c.day % (c.longest / 120 + 1) = 0 OR c.day = c.longest
        ), at_window AS (
            SELECT * FROM curve AS c WHERE c.day <= definition.churn_window ORDER BY c.day DESC LIMIT 1
        )
        SELECT jsonb_build_object('window', definition.churn_window,
            'at_window', (SELECT w.returned FROM at_window AS w),
            'return_after', (SELECT w.return_after FROM at_window AS w),
            'longest', max(t.longest), 'elbow', (SELECT c.day FROM curve AS c WHERE c.elbow LIMIT 1),
            'gaps', (SELECT sum(c.ended + c.open) FROM curve AS c), 'open', (SELECT sum(c.open) FROM curve AS c),
            'day', jsonb_agg(t.day ORDER BY t.day), 'returned', jsonb_agg(t.returned ORDER BY t.day),
            'lower', jsonb_agg(t.lower ORDER BY t.day), 'upper', jsonb_agg(t.upper ORDER BY t.day))
        FROM thin AS t
    $$;
COMMENT ON FUNCTION churn_report_returns(churn_studies) IS 'support function of churn_report: churn_return_curve, thinned, and what it says of the churn window';

-- Test ----------------------------------------------------------------------

-- Figures of the test that one pass over its rows gives; "ranking" holds the
-- scores for the curves.
CREATE FUNCTION churn_report_test(rows text, tested churn_models, kind text, OUT facts jsonb, OUT ranking churn_ranking)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    areas jsonb;
BEGIN
    EXECUTE format(
        'WITH t AS MATERIALIZED (%s)'
        ' SELECT @extschema@.churn_ranking(t.score, t.churned),'
        ' pg_catalog.to_jsonb(@extschema@.churn_evaluate(t.score, t.churned)) || pg_catalog.jsonb_build_object('
        '   ''recency'', @extschema@.churn_auc_ci(t.recency::pg_catalog.float8, t.churned),'
        '   ''key_days'', @extschema@.churn_auc_ci(OPERATOR(pg_catalog.-) t.key_days::pg_catalog.float8, t.churned),'
        '   ''over_recency'', @extschema@.churn_auc_test(t.score, t.recency::pg_catalog.float8, t.churned),'
        '   ''over_key_days'', @extschema@.churn_auc_test(t.score, OPERATOR(pg_catalog.-) t.key_days::pg_catalog.float8, t.churned),'
        '   ''mean_value'', pg_catalog.avg(t.value),'
        '   ''missed_share'', pg_catalog.avg((t.score OPERATOR(pg_catalog.<) %s)::pg_catalog.int4) FILTER (WHERE t.churned))'
        ' FROM t', rows, tested.band_cutoffs[2])
    INTO ranking, facts;
    IF facts->'auc' IS NULL OR facts->'auc' = 'null' THEN
        facts := jsonb_build_object('missing', 'The test rows of this model do not hold both classes, so nothing can be measured on them.');
        RETURN;
    END IF;
    areas := CASE WHEN (facts #>> '{recency,auc}')::float8 >= (facts #>> '{key_days,auc}')::float8
        THEN jsonb_build_object('baseline', 'days since the last ' || kind, 'b', facts->'recency', 'd', facts->'over_recency')
        ELSE jsonb_build_object('baseline', format('number of %s days', kind), 'b', facts->'key_days', 'd', facts->'over_key_days') END;
    facts := facts - '{recency,key_days,over_recency,over_key_days}'::text[] || jsonb_build_object(
        'test_date', tested.metrics->'test_date', 'baseline', areas->'baseline', 'baseline_auc', areas #> '{b,auc}',
        'gain', areas #> '{d,difference}', 'gain_lower', areas #> '{d,lower}', 'gain_upper', areas #> '{d,upper}',
        'ranks', jsonb_build_array(
            jsonb_build_object('name', 'since the last ' || kind, 'auc', facts #> '{recency,auc}', 'lower', facts #> '{recency,lower}', 'upper', facts #> '{recency,upper}'),
            jsonb_build_object('name', kind || ' days', 'auc', facts #> '{key_days,auc}', 'lower', facts #> '{key_days,lower}', 'upper', facts #> '{key_days,upper}'),
            jsonb_build_object('name', 'the model', 'is_model', true, 'auc', facts->'auc', 'lower', facts->'auc_lower', 'upper', facts->'auc_upper')),
        'roc', @extschema@.churn_report_roc(ranking),
        'tenths', (SELECT jsonb_agg(g) FROM @extschema@.churn_gains(ranking, 10) AS g),
        'gains', (SELECT jsonb_build_object('share', '[0]' || jsonb_agg(g.share ORDER BY g.bin), 'caught', '[0]' || jsonb_agg(g.cumulative_share ORDER BY g.bin))
            FROM (SELECT c.bin, c.cumulative_share, sum(c.n) OVER (ORDER BY c.bin) / sum(c.n) OVER ()::float8 AS share
                  FROM @extschema@.churn_gains(ranking, 50) AS c) AS g));
    facts := facts || (
        SELECT jsonb_build_object('ks_score', r.threshold, 'ks_churners', r.true_positive_rate, 'ks_stayers', r.false_positive_rate)
        FROM @extschema@.churn_roc(ranking) AS r
        ORDER BY abs(r.true_positive_rate - r.false_positive_rate) DESC, r.threshold DESC LIMIT 1);
END
$$;
COMMENT ON FUNCTION churn_report_test(text, churn_models, text) IS 'support function of churn_report: churn_evaluate, baselines, ROC and gains of the test rows';

CREATE FUNCTION churn_report_trust(test jsonb, ranking churn_ranking, cutoffs float8[]) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        WITH score AS (
            -- of each score, how many left and stayed with it
            SELECT r.threshold, r.churners - lag(r.churners) OVER w AS churned, r.stayers - lag(r.stayers) OVER w AS stayed
            FROM @extschema@.churn_roc(ranking) AS r WINDOW w AS (ORDER BY r.threshold DESC)
        ), bin AS (
            SELECT b.bin, coalesce(sum(s.churned), 0) AS churned, coalesce(sum(s.stayed), 0) AS stayed
            FROM generate_series(1, 25) AS b (bin)
            LEFT JOIN score AS s ON least(width_bucket(s.threshold, 0, 1, 25), 25) = b.bin AND s.churned IS NOT NULL
            GROUP BY b.bin
        )
        SELECT jsonb_build_object('mean_score', test->'mean_score', 'base_rate', test->'base_rate',
            'bias', (test->>'mean_score')::float8 - (test->>'base_rate')::float8,
            'bias_size', abs((test->>'mean_score')::float8 - (test->>'base_rate')::float8),
            'slope', test->'calibration_slope', 'intercept', test->'calibration_intercept',
            'ece_count', test->'ece_count', 'log_loss', test->'log_loss', 'ks', test->'ks', 'ks_score', test->'ks_score',
            'log_loss_base', (SELECT -p * ln(p) - (1 - p) * ln(1 - p) FROM (SELECT (test->>'base_rate')::float8 AS p) AS r),
            'bands', to_jsonb(cutoffs),
            'rows', (SELECT jsonb_agg(c) FROM @extschema@.churn_calibration(ranking, 10, 'count') AS c),
            'scores', (SELECT jsonb_build_object('left', jsonb_agg(b.churned / (test->>'churners')::float8 ORDER BY b.bin),
                'stayed', jsonb_agg(b.stayed / ((test->>'n')::float8 - (test->>'churners')::float8) ORDER BY b.bin)) FROM bin AS b))
    $$;
COMMENT ON FUNCTION churn_report_trust(jsonb, churn_ranking, float8[]) IS 'support function of churn_report: calibration and the spread of scores';

CREATE FUNCTION churn_report_contacts(test jsonb, ranking churn_ranking, success_rate float8,
    value float8, offer_cost float8, contact_cost float8) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    n bigint := (test->>'n')::bigint;
    -- without money in the data, the paper's
    worth float8 := coalesce(value, nullif((test->>'mean_value')::float8, 0), 200);
    offer float8 := coalesce(offer_cost, worth * .05);
    contact float8 := coalesce(contact_cost, worth * .005);
    facts jsonb;
BEGIN
    WITH counts AS (
        SELECT c.*, c.contacted / n::float8 AS share FROM @extschema@.churn_contacts(ranking, success_rate, worth, offer, contact,
            ARRAY(SELECT DISTINCT greatest(round(n * k / 200.0), 1)::bigint FROM generate_series(1, 200) AS k)) AS c
    ), best AS (
        SELECT * FROM counts AS c ORDER BY c.profit DESC, c.contacted LIMIT 1
    ), shown AS (
        SELECT c.*, c.contacted / n::float8 AS share FROM @extschema@.churn_contacts(ranking, success_rate, worth, offer, contact,
            ARRAY(SELECT DISTINCT greatest(round(n * s), 1)::bigint
                  FROM unnest('{.01,.02,.05,.10,.15,.20,.30,.40,.50,1}'::numeric[]) AS s)) AS c
    ), tenth AS (
        SELECT * FROM shown AS s WHERE s.contacted = greatest(round(n * .10), 1)
    )
    SELECT jsonb_build_object('success_rate', success_rate, 'value', worth, 'value_is_mean', value IS NULL AND (test->>'mean_value')::float8 > 0,
        'offer_cost', offer, 'contact_cost', contact,
        'best_contacted', b.contacted, 'best_share', b.share, 'best_profit', b.profit,
        'tenth_contacted', t.contacted, 'tenth_churners', t.churners, 'tenth_false_alarms', t.false_alarms,
        'rows', (SELECT jsonb_agg(s ORDER BY s.contacted) FROM shown AS s),
        'curve', (SELECT jsonb_build_object('share', '[0]' || jsonb_agg(c.share ORDER BY c.contacted),
            'profit', '[0]' || jsonb_agg(c.profit ORDER BY c.contacted)) FROM counts AS c))
    INTO facts FROM best AS b, tenth AS t;
    RETURN facts;
END
$$;
COMMENT ON FUNCTION churn_report_contacts(jsonb, churn_ranking, float8, float8, float8, float8) IS 'support function of churn_report: churn_contacts at round shares, and where it earns most in steps of half a percent; money that is not given is the mean value of the test users, a twentieth and a two-hundredth of it';

-- Churners flagged while their silence was below their own mean gap.
CREATE FUNCTION churn_report_lead(rows text, tested churn_models) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    facts jsonb;
BEGIN
    EXECUTE format(
        'SELECT pg_catalog.jsonb_build_object(''churners'', c.churners, ''flagged'', c.flagged,'
        ' ''early'', c.early, ''early_share'', c.early / nullif(c.flagged, 0)::pg_catalog.float8,'
        ' ''late_share'', (c.flagged - c.early - c.single) / nullif(c.flagged, 0)::pg_catalog.float8,'
        ' ''single_share'', c.single / nullif(c.flagged, 0)::pg_catalog.float8,'
        ' ''early_of_all'', c.early / nullif(c.churners, 0)::pg_catalog.float8)'
        ' FROM (SELECT pg_catalog.count(*) AS churners, pg_catalog.count(*) FILTER (WHERE t.hit) AS flagged,'
        '   pg_catalog.count(*) FILTER (WHERE t.hit AND t.recency < t.mean_gap) AS early,'
        '   pg_catalog.count(*) FILTER (WHERE t.hit AND t.mean_gap IS NULL) AS single'
        '   FROM (SELECT r.recency, r.score >= %s AS hit,'
        '     (r.tenure - r.recency) / nullif(r.key_days - 1, 0)::pg_catalog.float8 AS mean_gap'
        '     FROM (%s) AS r WHERE r.churned) AS t) AS c',
        tested.band_cutoffs[2], rows) INTO facts;
    RETURN CASE WHEN (facts->>'flagged')::bigint > 0 THEN facts
        ELSE jsonb_build_object('missing', 'No user who left was in the bands high and critical, so there is no warning whose lead could be measured.') END;
END
$$;
COMMENT ON FUNCTION churn_report_lead(text, churn_models) IS 'support function of churn_report: of the churners in the bands high and critical, how many were flagged while their silence was below their own mean gap';

CREATE FUNCTION churn_report_slices(rows text) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    facts jsonb;
BEGIN
    EXECUTE format(
        'SELECT pg_catalog.jsonb_build_object(''auc'', (SELECT @extschema@.churn_auc(t.score, t.churned) FROM (%1$s) AS t),'
        ' ''rows'', pg_catalog.jsonb_agg(pg_catalog.to_jsonb(s) || pg_catalog.to_jsonb(s.area) - ''area'' ORDER BY (s.area).auc, s.slice))'
        ' FROM (SELECT r.stage AS slice, pg_catalog.count(*) AS n, pg_catalog.avg(r.churned::pg_catalog.int4) AS rate,'
        '   pg_catalog.avg(r.score) AS mean_score, @extschema@.churn_auc_ci(r.score, r.churned) AS area'
        '   FROM (%1$s) AS r WHERE r.churned IS NOT NULL GROUP BY r.stage) AS s', rows) INTO facts;
    RETURN facts || (SELECT jsonb_build_object('worst', (array_agg(r->'slice' ORDER BY r->'auc'))[1], 'least', min((r->>'auc')::float8),
            'best', (array_agg(r->'slice' ORDER BY r->'auc' DESC))[1], 'most', max((r->>'auc')::float8))
        FROM jsonb_array_elements(facts->'rows') AS r WHERE r->'auc' <> 'null');
END
$$;
COMMENT ON FUNCTION churn_report_slices(text) IS 'support function of churn_report: the test by stage, the lowest AUC first';

-- Other test dates: the newest training of each that the study keeps, and
-- trainings made for the report.
CREATE FUNCTION churn_report_past(definition churn_studies, tested churn_models, test jsonb, past_dates int) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    here date := (tested.metrics->>'test_date')::date;
    origin jsonb := @extschema@.churn_model_info(tested.model)->'provenance';
    again jsonb := '[]';
    rows jsonb;
BEGIN
    IF past_dates > 0 THEN
        SELECT coalesce(jsonb_agg(to_jsonb(b) || jsonb_build_object('what', 'trained again, in short',
            'lower', b.auc_lower, 'upper', b.auc_upper)), '[]') INTO again
        FROM @extschema@.churn_backtest_owned(definition.study,
            ARRAY(SELECT here - 30 * k FROM generate_series(1, past_dates) AS k), 2, '30 days',
            coalesce(nullif(tested.metrics->'options', 'null'), '{}') || jsonb_build_object('folds', 0, 'c', origin->'c',
                'encoding', CASE WHEN origin->>'encoding' = 'linear' THEN 'linear' ELSE 'bins' END)) AS b
        WHERE b.auc IS NOT NULL;
    END IF;
    SELECT jsonb_agg(r.facts ORDER BY r.test_date) INTO rows FROM (
        SELECT DISTINCT ON (f->>'test_date') (f->>'test_date')::date AS test_date, f || jsonb_build_object(
            'month', to_char((f->>'test_date')::date, 'DD Mon YY'), 'rate', f->'test_churn_rate', 'users', f->'test_rows',
            'baseline_auc', greatest((f->>'recency_auc')::float8, (f->>'key_days_auc')::float8)) - 'snapshots' - 'options' AS facts
        FROM (
            SELECT m.metrics || jsonb_build_object('what', format('model %s', m.version), 'is_this', m.id = tested.id,
                'lower', CASE WHEN m.id = tested.id THEN test->'auc_lower' END,
                'upper', CASE WHEN m.id = tested.id THEN test->'auc_upper' END) AS f, m.version AS place
            FROM @extschema@.churn_models AS m WHERE m.study = definition.study AND m.metrics ? 'auc'
            UNION ALL SELECT a, 0 FROM jsonb_array_elements(again) AS a) AS u
        ORDER BY f->>'test_date', (f->'is_this' = 'true') DESC NULLS LAST, place DESC) AS r;
    RETURN (SELECT jsonb_build_object('rows', jsonb_agg(r ORDER BY r->>'test_date'), 'n', count(*), 'least', min((r->>'auc')::float8), 'most', max((r->>'auc')::float8),
            'worst_bias', max(abs((r->>'mean_score')::float8 - (r->>'rate')::float8)),
            'note', CASE WHEN past_dates > 0
                THEN 'Earlier dates are trained again for this report in short: two snapshots, no folds, the C of this model. The date of this model comes with its full training.'
                ELSE 'Dates are those of the trainings that the study keeps. churn_backtest repeats the training at past dates; churn_report(study, past_dates => 4) does so in short and shows it here.' END)
        FROM (SELECT * FROM jsonb_array_elements(rows) WITH ORDINALITY AS a (r, place)
              ORDER BY r->>'test_date' DESC LIMIT 24) AS e);
END
$$;
COMMENT ON FUNCTION churn_report_past(churn_studies, churn_models, jsonb, int) IS 'support function of churn_report: test figures at other dates, from stored trainings and, when asked for, from churn_backtest in short';
