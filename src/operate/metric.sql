-- metric.sql: one figure of some scored rows, with its interval
--
-- Rows come as the text of a FROM clause over alias e with the columns score,
-- churned, recency and key_days, one row a user.  Intervals are at 95 %:
-- DeLong's for areas, Wilson's for shares, by the standard error of the mean
-- for losses, by the information matrix for the calibration line.

CREATE FUNCTION churn_wilson(share float8, n float8, OUT lower float8, OUT upper float8)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT greatest(0, (share + z * z / (2 * n)
                - z * sqrt((share * (1 - share) + z * z / (4 * n)) / n)) / (1 + z * z / n)),
            least(1, (share + z * z / (2 * n)
                + z * sqrt((share * (1 - share) + z * z / (4 * n)) / n)) / (1 + z * z / n))
        FROM (VALUES (1.959963984540054::float8)) AS v (z) WHERE n > 0
    $$;
COMMENT ON FUNCTION churn_wilson(float8, float8) IS 'support function: Wilson''s 95 % interval of a share of n; NULL without rows';

-- Areas and their differences.
CREATE FUNCTION churn_area_sql(name text, rows text, facts jsonb) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    test text := 'SELECT (t.x).difference, (t.x).lower, (t.x).upper FROM (SELECT @extschema@.churn_auc_test(e.score, %s, e.churned) AS x FROM %s) AS t';
    recency text := format(test, 'e.recency::pg_catalog.float8', rows);
    key_days text := format(test, '(-e.key_days)::pg_catalog.float8', rows);
BEGIN
    RETURN CASE name
        WHEN 'auc' THEN format('SELECT (t.x).auc, (t.x).lower, (t.x).upper'
            ' FROM (SELECT @extschema@.churn_auc_ci(e.score, e.churned) AS x FROM %s) AS t', rows)
        WHEN 'auc_over_recency' THEN recency
        WHEN 'auc_over_key_days' THEN key_days
        -- the better baseline leaves the smaller difference
        WHEN 'auc_over_baseline' THEN format('SELECT * FROM (%s UNION ALL %s) AS b'
            ' ORDER BY b.difference LIMIT 1', recency, key_days)
        -- the area out of fold is one of many more rows: taken as known
        WHEN 'auc_drop' THEN format('SELECT %L::pg_catalog.float8 - (t.x).auc,'
            ' %1$L::pg_catalog.float8 - (t.x).upper, %1$L::pg_catalog.float8 - (t.x).lower'
            ' FROM (SELECT @extschema@.churn_auc_ci(e.score, e.churned) AS x FROM %s) AS t',
            facts->>'fold_auc', rows) END;
END
$$;
COMMENT ON FUNCTION churn_area_sql(text, text, jsonb) IS 'support function of churn_measure: SQL of an area or a difference of areas with its interval';

-- What the highest scores hold.
CREATE FUNCTION churn_top_sql(name text, argument numeric, rows text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    cut text := CASE WHEN argument < 1 THEN format('%s::pg_catalog.float8', argument)
                     ELSE format('%s::pg_catalog.int4', argument) END;
    flagged text := CASE WHEN argument < 1 THEN format('pg_catalog.ceil(%s * pg_catalog.count(*))', cut)
                         ELSE format('least(%s, pg_catalog.count(*))', cut) END;
BEGIN
    RETURN format('SELECT v.value, w.lower * v.scale, w.upper * v.scale'
        ' FROM (SELECT %s AS value, %s::pg_catalog.float8 AS n, %s AS scale FROM %s) AS v'
        ' LEFT JOIN LATERAL @extschema@.churn_wilson(v.value / v.scale, v.n) AS w ON true',
        format('@extschema@.churn_%s(e.score, e.churned, %s)',
            CASE name WHEN 'lift_at' THEN 'lift' ELSE name END, cut),
        CASE name WHEN 'recall_at' THEN 'pg_catalog.count(*) FILTER (WHERE e.churned)' ELSE flagged END,
        CASE name WHEN 'lift_at' THEN '1 / nullif(pg_catalog.avg(e.churned::int4)::pg_catalog.float8, 0)'
            ELSE '1::pg_catalog.float8' END,
        rows);
END
$$;
COMMENT ON FUNCTION churn_top_sql(text, numeric, text) IS 'support function of churn_measure: SQL of recall, precision or lift of the highest scores with its interval';

-- Means over users.
CREATE FUNCTION churn_mean_sql(name text, rows text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT format('SELECT m.value, m.value - 1.959963984540054 * m.se, m.value + 1.959963984540054 * m.se'
            ' FROM (SELECT %s AS value, pg_catalog.stddev_samp(%s) / pg_catalog.sqrt(pg_catalog.count(*)) AS se FROM %s) AS m',
            CASE name WHEN 'log_loss' THEN '@extschema@.churn_log_loss(e.score, e.churned)'
                WHEN 'brier' THEN '@extschema@.churn_brier(e.score, e.churned)'
                WHEN 'base_rate' THEN 'pg_catalog.avg(e.churned::int4)::pg_catalog.float8'
                ELSE 'pg_catalog.avg(e.score)' END,
            CASE name WHEN 'log_loss' THEN '-pg_catalog.ln(greatest(CASE WHEN e.churned THEN e.score ELSE 1 - e.score END, 1e-300))'
                WHEN 'brier' THEN 'pg_catalog.power(e.score - e.churned::int4, 2)'
                WHEN 'base_rate' THEN 'e.churned::int4::pg_catalog.float8'
                ELSE 'e.score' END,
            rows)
    $$;
COMMENT ON FUNCTION churn_mean_sql(text, text) IS 'support function of churn_measure: SQL of a mean over users with its interval';

-- The calibration line: logit(p) = intercept + slope * logit(score).
CREATE FUNCTION churn_line_sql(name text, rows text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT format(
            'WITH v AS MATERIALIZED (SELECT @extschema@.churn_evaluate(e.score, e.churned) AS x FROM %1$s),'
            ' r AS (SELECT pg_catalog.ln(e.score / (1 - e.score)) AS x FROM %1$s AND e.score > 0 AND e.score < 1),'
            ' w AS (SELECT r.x, 1 / (2 + pg_catalog.exp(z.z) + pg_catalog.exp(-z.z)) AS w'
            '   FROM r, v, LATERAL (SELECT greatest(-500, least(500, %2$s))) AS z (z)),'
            ' s AS (SELECT pg_catalog.sum(w.w) AS a, pg_catalog.sum(w.w * w.x) AS b, pg_catalog.sum(w.w * w.x * w.x) AS c FROM w),'
            ' m AS (SELECT (v.x).%3$I AS value, pg_catalog.sqrt(%4$s) AS se FROM v, s)'
            ' SELECT m.value, m.value - 1.959963984540054 * m.se, m.value + 1.959963984540054 * m.se FROM m',
            rows,
            CASE name WHEN 'calibration_in_the_large' THEN '(v.x).calibration_in_the_large + r.x'
                ELSE '(v.x).calibration_intercept + (v.x).calibration_slope * r.x' END,
            name,
            CASE name WHEN 'calibration_in_the_large' THEN '1 / nullif(s.a, 0)'
                WHEN 'calibration_slope' THEN 's.a / nullif(greatest(s.a * s.c - s.b * s.b, 0), 0)'
                ELSE 's.c / nullif(greatest(s.a * s.c - s.b * s.b, 0), 0)' END)
    $$;
COMMENT ON FUNCTION churn_line_sql(text, text) IS 'support function of churn_measure: SQL of a coefficient of the calibration line with its interval';

-- Measure one metric over the test rows of a relation that meet a condition.
CREATE FUNCTION churn_measure(metric text, relation text, condition text, facts jsonb,
    OUT measured float8, OUT lower float8, OUT upper float8, OUT n bigint)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    parsed record;
    rows text := format('%s AS e WHERE e.purpose = ''test'' AND (%s)', relation, condition);
    query text;
BEGIN
    SELECT * INTO parsed FROM @extschema@.churn_parse_metric(metric);
    EXECUTE 'SELECT pg_catalog.count(*) FROM ' || rows INTO n;
    IF parsed.name ~ '^(recall|precision|lift)_10$' THEN
        parsed.name := replace(parsed.name, '_10', '_at');
        parsed.argument := .1;
    END IF;
    query := CASE
        WHEN parsed.name LIKE 'auc%' THEN @extschema@.churn_area_sql(parsed.name, rows, facts)
        WHEN parsed.name ~ '_at$' THEN @extschema@.churn_top_sql(parsed.name, parsed.argument, rows)
        WHEN parsed.name IN ('log_loss', 'brier', 'base_rate', 'mean_score')
            THEN @extschema@.churn_mean_sql(parsed.name, rows)
        WHEN parsed.name LIKE 'calibration%' THEN @extschema@.churn_line_sql(parsed.name, rows)
        WHEN parsed.name = 'psi'
            THEN format('SELECT @extschema@.churn_psi(e.score, e.purpose = ''test''), NULL::pg_catalog.float8, NULL::pg_catalog.float8 FROM %s AS e WHERE (%s)', relation, condition)
        WHEN parsed.name = 'rarer_class'
            THEN format('SELECT least(pg_catalog.count(*) FILTER (WHERE e.churned), pg_catalog.count(*) FILTER (WHERE NOT e.churned))::pg_catalog.float8,'
                ' NULL::pg_catalog.float8, NULL::pg_catalog.float8 FROM %s', rows)
        ELSE format('SELECT (v.x).%I::pg_catalog.float8, NULL::pg_catalog.float8, NULL::pg_catalog.float8'
            ' FROM (SELECT @extschema@.churn_evaluate(e.score, e.churned) AS x FROM %s) AS v', parsed.name, rows)
        END;
    EXECUTE query INTO measured, lower, upper;
END
$$;
COMMENT ON FUNCTION churn_measure(text, text, text, jsonb) IS 'support function of churn_verdict: a metric over the test rows of a relation that meet a condition, its 95 % interval where there is one, and the number of rows; facts hold what the rows do not say';
