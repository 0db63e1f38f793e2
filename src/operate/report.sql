-- report.sql: one page about a study and a model
--
-- Figures are gathered here as one jsonb value; the page is written from it
-- in C (report_page.c).  An object {"missing": "why"} takes the place of
-- figures that cannot be had, so that there is always a page.

CREATE FUNCTION churn_report_page(figures jsonb) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_report_page(jsonb) IS 'support function of churn_report: figures as HTML, everything escaped, ASCII in every encoding';

-- The model ------------------------------------------------------------------

CREATE FUNCTION churn_report_model(shown churn_models) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT jsonb_build_object('study', shown.study, 'version', shown.version, 'status', shown.status,
            'gate', shown.gate, 'created', to_char(shown.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'),
            'created_by', shown.created_by::text, 'rows', p->'rows', 'users', p->'users', 'churn_rate', p->'churn_rate',
            'snapshots', jsonb_array_length(nullif(shown.metrics->'snapshots', 'null')),
            'train_from', shown.metrics #> '{snapshots,0}', 'train_to', shown.metrics #> '{snapshots,-1}',
            'encoding', p->'encoding', 'inputs', i->'inputs', 'pairs', i->'pairs', 'c', p->'c',
            'cv_auc', p->'cv_auc', 'cv_log_loss', p->'cv_log_loss', 'checksum', i->'checksum', 'bytes', i->'bytes',
            'medium', shown.band_cutoffs[1], 'high', shown.band_cutoffs[2], 'critical', shown.band_cutoffs[3])
        FROM (SELECT v.i, v.i->'provenance' AS p FROM (SELECT @extschema@.churn_model_info(shown.model) AS i) AS v) AS m
    $$;
COMMENT ON FUNCTION churn_report_model(churn_models) IS 'support function of churn_report: where a model comes from';

-- "order_count_90d" for people
CREATE FUNCTION churn_report_label(feature text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT replace(regexp_replace(left(feature, 60), '_(\d+)d$', ', last \1 days'), '_', ' ')
    $$;
COMMENT ON FUNCTION churn_report_label(text) IS 'support function of churn_report: the name of a feature in words';

-- The values of a bin for people
CREATE FUNCTION churn_report_range(low float8, high float8, level text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT CASE WHEN level = 'missing' THEN 'not there'
            WHEN level IS NOT NULL THEN left(level, 60)
            WHEN low IS NULL AND high IS NULL THEN 'anything'
            WHEN low IS NULL THEN 'below ' || trim_scale(round(high::numeric, 2))
            WHEN high IS NULL THEN trim_scale(round(low::numeric, 2)) || ' or more'
            ELSE trim_scale(round(low::numeric, 2)) || ' to ' || trim_scale(round(high::numeric, 2)) END
    $$;
COMMENT ON FUNCTION churn_report_range(float8, float8, text) IS 'support function of churn_report: a bin in words';

-- The strongest features: by the standard deviation of what they add.
CREATE FUNCTION churn_report_strongest(model churn_model, n int,
    OUT place int, OUT feature text, OUT coding text, OUT spread float8) RETURNS SETOF record
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT (row_number() OVER (ORDER BY s.spread DESC, s.term))::int, s.term, s.coding, s.spread
        FROM (SELECT t.term, min(t.coding) AS coding, CASE WHEN min(t.coding) IN ('linear', 'signed log') THEN max(abs(t.weight))
                  ELSE sqrt(sum(t.share * (t.weight - t.average) ^ 2)) END AS spread
              FROM @extschema@.churn_model_terms(model) AS t
              WHERE t.coding <> 'pair' GROUP BY t.term) AS s
        ORDER BY 1 LIMIT n
    $$;
COMMENT ON FUNCTION churn_report_strongest(churn_model, int) IS 'support function of churn_report: features by the standard deviation of what they add to the log-odds (for a linear term its weight)';

-- A linear term as bins of the test rows: weight is that of each bin's mean.
CREATE FUNCTION churn_report_linear_bins(model churn_model, feature text, rows text) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    place int := array_position(@extschema@.churn_model_inputs(model), feature);
    t record;
    cuts float8[];
    bins jsonb;
BEGIN
    EXECUTE format('SELECT ARRAY(SELECT DISTINCT q FROM unnest(percentile_disc(ARRAY[.1,.2,.3,.4,.5,.6,.7,.8,.9,.97]::float8[])'
        ' WITHIN GROUP (ORDER BY r.features[%s])) AS q WHERE q > min(r.features[%s]) ORDER BY q) FROM (%s) AS r', place, place, rows)
    INTO cuts;
    SELECT * INTO t FROM @extschema@.churn_model_terms(model) AS m WHERE m.term = feature AND m.coding <> 'pair';
    EXECUTE format(
        'SELECT jsonb_agg(jsonb_build_object(''low'', $1[b.bin], ''high'', $1[b.bin + 1],'
        '   ''level'', CASE WHEN b.bin IS NULL THEN ''missing'' END, ''share'', b.share, ''weight'', b.weight) ORDER BY b.bin NULLS LAST)'
        ' FROM (SELECT v.bin, count(*) / sum(count(*)) OVER ()::float8 AS share, avg(v.weight) AS weight'
        '   FROM (SELECT CASE WHEN r.x IS NULL THEN NULL WHEN cardinality($1) = 0 THEN 0 ELSE width_bucket(r.x, $1) END AS bin,'
        '       CASE WHEN r.x IS NULL THEN $2 ELSE $3 * (%s - $4) / $5 END - $6 AS weight'
        '     FROM (SELECT CASE WHEN q.features[%s] IS NOT NULL THEN least(greatest(q.features[%s], $7), $8) END AS x FROM (%s) AS q) AS r) AS v'
        '   GROUP BY v.bin) AS b',
        CASE t.coding WHEN 'signed log' THEN 'sign(r.x) * ln(1 + abs(r.x))' ELSE 'r.x' END, place, place, rows)
    INTO bins USING coalesce(cuts, '{}'), t.missing_weight, t.weight, t.mean, t.scale, t.average, t.low, t.high;
    RETURN bins;
END
$$;
COMMENT ON FUNCTION churn_report_linear_bins(churn_model, text, text) IS 'support function of churn_report: a linear term as a curve over the test rows';

CREATE FUNCTION churn_report_features(shown churn_models, rows text) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        WITH term AS MATERIALIZED (
            SELECT * FROM @extschema@.churn_model_terms(shown.model) AS t WHERE t.coding <> 'pair'
        ), feature AS MATERIALIZED (
            SELECT s.place, s.feature, s.spread, CASE WHEN s.coding IN ('linear', 'signed log')
                THEN @extschema@.churn_report_linear_bins(shown.model, s.feature, rows)
                ELSE (SELECT jsonb_agg(jsonb_build_object('low', t.low, 'high', t.high, 'level', t.level,
                          'share', t.share, 'weight', t.weight - t.average)
                          ORDER BY (t.level = 'missing') IS TRUE, t.low NULLS FIRST, t.level)
                      FROM term AS t WHERE t.term = s.feature) END AS bins
            FROM @extschema@.churn_report_strongest(shown.model, 10) AS s
        ), bin AS MATERIALIZED (
            SELECT f.place, b.n, (b.bin->>'weight')::float8 AS weight, (b.bin->>'share')::float8 AS share,
                @extschema@.churn_report_range((b.bin->>'low')::float8, (b.bin->>'high')::float8, b.bin->>'level') AS words
            FROM feature AS f, jsonb_array_elements(f.bins) WITH ORDINALITY AS b (bin, n) WHERE b.n <= 60
        ), extreme AS (
            SELECT b.place, min(b.weight) AS least, max(b.weight) AS most,
                (array_agg(b.words ORDER BY b.weight DESC, b.n))[1] AS highest, (array_agg(b.words ORDER BY b.weight, b.n))[1] AS lowest
            FROM bin AS b GROUP BY b.place
        )
        SELECT jsonb_build_object('inputs', cardinality(@extschema@.churn_model_inputs(shown.model)), 'shown', count(*),
            'least', (SELECT min(b.weight) FROM bin AS b), 'most', (SELECT max(b.weight) FROM bin AS b),
            'rows', jsonb_agg(jsonb_build_object('name', f.feature, 'label', @extschema@.churn_report_label(f.feature),
                'spread', f.spread, 'least', e.least, 'most', e.most, 'highest', e.highest, 'lowest', e.lowest,
                'bins', jsonb_path_query_array(f.bins, '$[0 to 59]')) ORDER BY f.place))
        FROM feature AS f JOIN extreme AS e USING (place)
    $$;
COMMENT ON FUNCTION churn_report_features(churn_models, text) IS 'support function of churn_report: the ten strongest features as curves';

-- The four strongest pairs as maps; NULL where the model has none.
CREATE FUNCTION churn_report_pairs(model churn_model) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        WITH cell AS MATERIALIZED (
            SELECT t.term, t.partner, t.share, t.weight - t.average AS weight,
                jsonb_build_object('low', t.low, 'high', t.high, 'level', t.level) AS row_bin,
                jsonb_build_object('low', t.partner_low, 'high', t.partner_high, 'level', t.partner_level) AS column_bin,
                dense_rank() OVER (PARTITION BY t.term, t.partner
                    ORDER BY (t.level = 'missing') IS TRUE, t.low NULLS FIRST, t.level) - 1 AS r,
                dense_rank() OVER (PARTITION BY t.term, t.partner
                    ORDER BY (t.partner_level = 'missing') IS TRUE, t.partner_low NULLS FIRST, t.partner_level) - 1 AS c
            FROM @extschema@.churn_model_terms(model) AS t WHERE t.coding = 'pair'
        ), pair AS (
            SELECT c.term, c.partner, sqrt(sum(c.share * c.weight ^ 2)) AS spread, min(c.weight) AS least, max(c.weight) AS most
            FROM cell AS c GROUP BY c.term, c.partner ORDER BY 3 DESC, 1, 2 LIMIT 4
        )
        SELECT CASE WHEN count(*) > 0 THEN jsonb_build_object(
            'pairs', @extschema@.churn_model_info(model)->'pairs', 'shown', count(*),
            'reach', max(greatest(abs(p.least), abs(p.most))),
            'rows', jsonb_agg(jsonb_build_object('first', p.term, 'second', p.partner,
                'first_label', @extschema@.churn_report_label(p.term), 'second_label', @extschema@.churn_report_label(p.partner),
                'least', p.least, 'most', p.most,
                'rows', (SELECT jsonb_agg(d.w ORDER BY d.r) FROM (SELECT DISTINCT c.r, c.row_bin AS w FROM cell AS c WHERE c.term = p.term AND c.partner = p.partner AND c.r < 24) AS d),
                'columns', (SELECT jsonb_agg(d.w ORDER BY d.c) FROM (SELECT DISTINCT c.c, c.column_bin AS w FROM cell AS c WHERE c.term = p.term AND c.partner = p.partner AND c.c < 24) AS d),
                'cells', (SELECT jsonb_agg(jsonb_build_object('row', c.r, 'column', c.c, 'weight', c.weight) ORDER BY c.r, c.c)
                    FROM cell AS c WHERE c.term = p.term AND c.partner = p.partner AND c.r < 24 AND c.c < 24)) ORDER BY p.spread DESC, p.term, p.partner)) END
        FROM pair AS p
    $$;
COMMENT ON FUNCTION churn_report_pairs(churn_model) IS 'support function of churn_report: the four strongest pairs as maps of at most 24 by 24 cells; NULL without pairs';

-- People and judgement --------------------------------------------------------

CREATE FUNCTION churn_report_people(definition churn_studies, shown churn_models) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    facts jsonb;
BEGIN
    EXECUTE format(
        'WITH s AS (SELECT s.*, s.user_id::text AS key FROM %1$I.%2$I AS s), example AS ('
        '   SELECT DISTINCT ON (e.key) e.* FROM ('
        '     (SELECT 1 AS place, ''most money at risk'' AS role, s.* FROM s WHERE s.score > .5 AND s.value_at_risk > 0 ORDER BY s.value_at_risk DESC, s.key COLLATE "C" LIMIT 1)'
        '     UNION ALL (SELECT 2, ''highest score'', s.* FROM s ORDER BY s.score DESC, s.key COLLATE "C" LIMIT 1)'
        '     UNION ALL (SELECT 3, ''warned early, still within the usual gap'', s.* FROM s WHERE s.score > .5 AND s.next_day >= s.as_of'
        '       ORDER BY s.value_at_risk DESC NULLS LAST, s.key COLLATE "C" LIMIT 1)'
        '     UNION ALL (SELECT 4, ''on the border of the band high'', s.* FROM s WHERE s.score >= %3$s ORDER BY s.score, s.key COLLATE "C" LIMIT 1)'
        '     UNION ALL (SELECT 5, ''most valuable of the calm'', s.* FROM s WHERE s.band = ''low'' ORDER BY s.value DESC NULLS LAST, s.key COLLATE "C" LIMIT 1)'
        '   ) AS e ORDER BY e.key, e.place)'
        ' SELECT jsonb_build_object(''as_of'', max(s.as_of), ''users'', count(*), ''version'', max(s.model_version), ''other_version'', max(s.model_version) <> %4$s,'
        '   ''rows'', (SELECT jsonb_agg(jsonb_build_object(''role'', e.role, ''key'', left(e.key, 80), ''score'', e.score, ''band'', e.band, ''stage'', e.stage,'
        '      ''value'', e.value, ''value_at_risk'', e.value_at_risk, ''reasons'', to_jsonb(e.reasons), ''calm'', e.place = 5) ORDER BY e.place) FROM example AS e),'
        '   ''bands'', (SELECT jsonb_agg(jsonb_build_object(''band'', b.band, ''users'', b.users, ''mean_score'', b.mean_score, ''value'', b.value, ''value_at_risk'', b.at_risk) ORDER BY b.mean_score DESC)'
        '      FROM (SELECT s.band, count(*) AS users, avg(s.score) AS mean_score, sum(s.value) AS value, sum(s.value_at_risk) AS at_risk FROM s GROUP BY s.band) AS b))'
        ' FROM s', definition.table_schema, definition.study || '_scores', shown.band_cutoffs[2], shown.version)
    INTO facts;
    RETURN CASE WHEN (facts->>'users')::bigint > 0 THEN facts ELSE jsonb_build_object('missing',
        format('Nobody has been scored yet. CALL churn_refresh(%L) scores everybody at risk by the champion.', definition.study)) END;
END
$$;
COMMENT ON FUNCTION churn_report_people(churn_studies, churn_models) IS 'support function of churn_report: bands of STUDY_scores, and up to five users with their reasons';

-- The targets of churn_verdict where they are kept, else the default gate.
CREATE FUNCTION churn_report_targets(shown churn_models) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    m jsonb := shown.metrics;
    rows jsonb;
    is_default boolean := true;
BEGIN
    IF to_regprocedure('@extschema@.churn_gate(text,bigint)') IS NOT NULL THEN
        EXECUTE 'SELECT jsonb_agg(g) FROM @extschema@.churn_gate($1, $2) AS g' INTO rows USING shown.study, shown.id;
        EXECUTE 'SELECT NOT EXISTS (SELECT FROM @extschema@.churn_targets AS t WHERE t.study = $1)' INTO is_default USING shown.study;
    ELSE
        rows := jsonb_build_array(
            jsonb_build_object('target', 'test users of the rarer class', 'asked', '>= 200', 'n', m->'test_rows',
                'measured', least((m->>'test_churned')::bigint, (m->>'test_rows')::bigint - (m->>'test_churned')::bigint),
                'pass', least((m->>'test_churned')::bigint, (m->>'test_rows')::bigint - (m->>'test_churned')::bigint) >= 200),
            jsonb_build_object('target', 'AUC over that of recency', 'asked', '> -0.01', 'n', m->'test_rows',
                'measured', (m->>'auc')::float8 - (m->>'recency_auc')::float8, 'pass', (m->>'auc')::float8 > (m->>'recency_auc')::float8 - .01),
            jsonb_build_object('target', 'AUC over that of key days', 'asked', '> -0.01', 'n', m->'test_rows',
                'measured', (m->>'auc')::float8 - (m->>'key_days_auc')::float8, 'pass', (m->>'auc')::float8 > (m->>'key_days_auc')::float8 - .01));
    END IF;
    RETURN (SELECT jsonb_build_object('rows', jsonb_agg(r.value ORDER BY r.place), 'n', count(*),
            'met', count(*) FILTER (WHERE r.value->'pass' = 'true'), 'is_default', is_default)
        FROM jsonb_array_elements(rows) WITH ORDINALITY AS r (value, place) WHERE r.place <= 40);
END
$$;
COMMENT ON FUNCTION churn_report_targets(churn_models) IS 'support function of churn_report: what was asked, measured and met';

-- All figures -----------------------------------------------------------------

-- An object of the figures, or why it cannot be had.
CREATE FUNCTION churn_report_attempt(query text, definition churn_studies, shown churn_models, argument text DEFAULT NULL) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    facts jsonb;
    hint text;
BEGIN
    EXECUTE query INTO facts USING definition, shown, argument;
    RETURN facts;
EXCEPTION WHEN object_not_in_prerequisite_state OR undefined_table OR undefined_column OR wrong_object_type
    OR datatype_mismatch OR insufficient_privilege OR undefined_object
    OR invalid_parameter_value OR numeric_value_out_of_range OR program_limit_exceeded
    OR configuration_limit_exceeded OR duplicate_table THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RETURN jsonb_build_object('missing', 'This part is missing: ' || SQLERRM || '. ' || hint);
END
$$;
COMMENT ON FUNCTION churn_report_attempt(text, churn_studies, churn_models, text) IS 'support function of churn_report: an object of the figures, or {"missing": "why"} where the data do not allow it';

-- Figures of the test and of all that hangs on its rows.
CREATE FUNCTION churn_report_tested(definition churn_studies, shown churn_models, today date, money jsonb, past_dates int) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d ALIAS FOR definition;
    rows text := @extschema@.churn_report_rows_sql(d, shown, today);
    t record;
BEGIN
    SELECT * INTO t FROM @extschema@.churn_report_test(rows, shown, CASE WHEN cardinality(d.key_kinds) = 1 THEN left(d.key_kinds[1], 40) ELSE 'event' END);
    IF t.facts ? 'missing' THEN
        RETURN jsonb_build_object('test', t.facts);
    END IF;
    RETURN jsonb_build_object('test', t.facts,
        'trust', @extschema@.churn_report_trust(t.facts, t.ranking, shown.band_cutoffs),
        'contacts', @extschema@.churn_report_contacts(t.facts, t.ranking, (money->>'success_rate')::float8,
            (money->>'value')::float8, (money->>'offer_cost')::float8, (money->>'contact_cost')::float8),
        'lead', @extschema@.churn_report_lead(rows, shown),
        'features', @extschema@.churn_report_features(shown, rows),
        'pairs', @extschema@.churn_report_pairs(shown.model),
        'slices', @extschema@.churn_report_slices(rows),
        'past', @extschema@.churn_report_attempt(format('SELECT @extschema@.churn_report_past($1, $2, $3::jsonb, %s)', past_dates),
            d, shown, jsonb_build_object('auc_lower', t.facts->'auc_lower', 'auc_upper', t.facts->'auc_upper')::text));
END
$$;
COMMENT ON FUNCTION churn_report_tested(churn_studies, churn_models, date, jsonb, int) IS 'support function of churn_report: the objects that need the test rows of a model';

-- The model asked for, else the champion, else the newest; NULL without any.
CREATE FUNCTION churn_report_choice(definition churn_studies, version int) RETURNS churn_models
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    shown @extschema@.churn_models;
BEGIN
    SELECT * INTO shown FROM @extschema@.churn_models AS m
    WHERE m.study = definition.study AND (churn_report_choice.version IS NULL OR m.version = churn_report_choice.version)
    ORDER BY (m.status = 'champion') DESC, m.version DESC LIMIT 1;
    IF version IS NOT NULL AND shown.id IS NULL THEN
        RAISE EXCEPTION 'study "%" has no model of version %', definition.study, version
            USING ERRCODE = 'undefined_object', HINT = 'churn_models lists them.';
    END IF;
    RETURN shown;
END
$$;
COMMENT ON FUNCTION churn_report_choice(churn_studies, int) IS 'support function of churn_report: the model to show; 42704 for a version that is not there';

CREATE FUNCTION churn_report_figures_owned(study text, version int, success_rate float8, value float8,
    offer_cost float8, contact_cost float8, past_dates int) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    SET client_min_messages = error
    AS $$
DECLARE
    d @extschema@.churn_studies := @extschema@.churn_study_row(study);
    shown @extschema@.churn_models := @extschema@.churn_report_choice(d, version);
    today date := @extschema@.churn_today(d.time_zone);
    figures jsonb := jsonb_build_object('study', @extschema@.churn_report_study(d, today));
    tested jsonb;
BEGIN
    IF past_dates IS NULL OR past_dates NOT BETWEEN 0 AND 12 THEN
        RAISE EXCEPTION 'past_dates must be between 0 and 12, not %', coalesce(past_dates::text, 'null')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF success_rate IS NULL OR NOT (success_rate >= 0 AND success_rate <= 1)
       OR NOT (coalesce(value, 0) >= 0 AND coalesce(offer_cost, 0) >= 0 AND coalesce(contact_cost, 0) >= 0)
       OR 'Infinity' IN (value, offer_cost, contact_cost) OR 'NaN' IN (value, offer_cost, contact_cost) THEN
        RAISE EXCEPTION 'success_rate must be between 0 and 1, value and costs must be finite and not negative'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    figures := figures || jsonb_build_object(
        'checks', @extschema@.churn_report_attempt('SELECT @extschema@.churn_report_checks($1)', d, shown),
        'snapshots', @extschema@.churn_report_attempt('SELECT @extschema@.churn_report_snapshots($1, $2, $3::date)', d, shown, today::text),
        'returns', @extschema@.churn_report_attempt('SELECT @extschema@.churn_report_returns($1)', d, shown));
    IF shown.id IS NULL THEN
        RETURN figures || jsonb_build_object('advice', format(
            'No model has been trained, so nothing can be said about how well anybody is told apart. SELECT * FROM churn_train(%L) trains one, churn_feasible(%L) says whether that can be done.', study, study));
    END IF;
    tested := @extschema@.churn_report_attempt(format('SELECT @extschema@.churn_report_tested($1, $2, $3::date, %L, %s)',
        jsonb_build_object('success_rate', success_rate, 'value', value, 'offer_cost', offer_cost, 'contact_cost', contact_cost), past_dates),
        d, shown, today::text);
    RETURN figures || CASE WHEN tested ? 'missing' THEN jsonb_build_object('test', tested) ELSE tested END || jsonb_build_object(
        'model', @extschema@.churn_report_model(shown),
        'people', @extschema@.churn_report_attempt('SELECT @extschema@.churn_report_people($1, $2)', d, shown),
        'targets', @extschema@.churn_report_attempt('SELECT @extschema@.churn_report_targets($2)', d, shown));
END
$$;
COMMENT ON FUNCTION churn_report_figures_owned(text, int, float8, float8, float8, float8, int) IS 'support function of churn_report_figures';

CREATE FUNCTION churn_report_figures(study text, version int DEFAULT NULL, success_rate float8 DEFAULT .3,
    value float8 DEFAULT NULL, offer_cost float8 DEFAULT NULL, contact_cost float8 DEFAULT NULL, past_dates int DEFAULT 0) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'churn_as_owner' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION churn_report_figures(text, int, float8, float8, float8, float8, int) IS 'the figures of churn_report as one jsonb object, a key a part of the page; arguments and errors as churn_report';

CREATE FUNCTION churn_report_owned(study text, version int, success_rate float8, value float8,
    offer_cost float8, contact_cost float8, past_dates int) RETURNS text
    LANGUAGE sql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT @extschema@.churn_report_page(@extschema@.churn_report_figures_owned(study, version,
            success_rate, value, offer_cost, contact_cost, past_dates))
    $$;
COMMENT ON FUNCTION churn_report_owned(text, int, float8, float8, float8, float8, int) IS 'support function of churn_report';

CREATE FUNCTION churn_report(study text, version int DEFAULT NULL, success_rate float8 DEFAULT .3,
    value float8 DEFAULT NULL, offer_cost float8 DEFAULT NULL, contact_cost float8 DEFAULT NULL, past_dates int DEFAULT 0) RETURNS text
    AS 'MODULE_PATHNAME', 'churn_as_owner' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION churn_report(text, int, float8, float8, float8, float8, int) IS 'one self-contained HTML page about a study and a model (default: the champion, else the newest): what churn means, data, test, probabilities, contacts, drivers, examples, targets, slices, limits; money a user (value: that of who stays; default the mean of the test users) and the share of leavers that an offer keeps are assumptions of the contact table; past_dates (0 to 12) trains in short at so many earlier test dates; reads all events; parts that cannot be had say why; errors: 42704 no such study or version, 22023 arguments, 42501 rights';
