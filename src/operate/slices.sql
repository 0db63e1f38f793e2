-- slices.sql: whom a model serves worst

CREATE TYPE churn_slice AS (
    slice text, value text, n bigint, churners bigint, base_rate float8, mean_score float8,
    auc float8, auc_lower float8, auc_upper float8, calibration_intercept float8,
    calibration_slope float8, log_loss float8, note text
);
COMMENT ON TYPE churn_slice IS 'users of the test snapshot that share a value: how many, how many churned, base rate beside mean score, AUC with its 95 % interval, calibration line, log-loss, and a note where it is not measurable';

-- One way of slicing, over the view of the judged rows.
CREATE FUNCTION churn_slice_by(named text, expression text, path text, minimum_n int)
    RETURNS SETOF churn_slice
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    RETURN QUERY EXECUTE format(
        -- many values: the hundred largest slices, the others together
        'WITH e AS MATERIALIZED (SELECT (%1$s)::pg_catalog.text AS value, e.score, e.churned'
        '   FROM %2$s AS e WHERE e.purpose = ''test''),'
        ' sizes AS (SELECT e.value, pg_catalog.row_number() OVER (ORDER BY pg_catalog.count(*) DESC, e.value) AS rank FROM e GROUP BY 1),'
        ' cut AS (SELECT CASE WHEN s.rank <= 100 THEN s.value ELSE ''(others)'' END AS value, e.score, e.churned'
        '   FROM e JOIN sizes AS s ON s.value IS NOT DISTINCT FROM e.value),'
        ' figures AS (SELECT c.value, @extschema@.churn_evaluate(c.score, c.churned) AS f FROM cut AS c GROUP BY 1),'
        ' judged AS (SELECT s.value, s.f, CASE'
        '     WHEN (s.f).n < %3$s THEN pg_catalog.format(''not measurable: fewer than %%s users'', %3$s)'
        '     WHEN least((s.f).churners, (s.f).n - (s.f).churners) < 10 THEN ''not measurable: fewer than 10 users of one outcome'' END AS note'
        '   FROM figures AS s)'
        ' SELECT %4$L, j.value, (j.f).n, (j.f).churners, (j.f).base_rate, (j.f).mean_score,'
        '   CASE WHEN j.note IS NULL THEN (j.f).auc END, CASE WHEN j.note IS NULL THEN (j.f).auc_lower END,'
        '   CASE WHEN j.note IS NULL THEN (j.f).auc_upper END,'
        '   CASE WHEN j.note IS NULL THEN (j.f).calibration_intercept END,'
        '   CASE WHEN j.note IS NULL THEN (j.f).calibration_slope END,'
        '   CASE WHEN j.note IS NULL THEN (j.f).log_loss END, j.note FROM judged AS j',
        @extschema@.churn_expression_sql(named::regclass, expression, path), named, minimum_n, expression);
END
$$;
COMMENT ON FUNCTION churn_slice_by(text, text, text, int) IS 'support function of churn_slices: a row a value of one expression';

CREATE FUNCTION churn_slices_owned(study text, version int, "by" text[], minimum_n int, path text)
    RETURNS SETOF churn_slice
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d @extschema@.churn_studies := @extschema@.churn_study_lock(study);
    m @extschema@.churn_models := @extschema@.churn_model_row(d, version);
    expressions text[] := coalesce("by", '{stage}');
    rows text;
    named text;
BEGIN
    IF minimum_n IS NULL OR minimum_n < 1 THEN
        RAISE EXCEPTION 'minimum_n must be at least 1, not %', coalesce(minimum_n::text, 'null')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF cardinality(expressions) = 0 OR array_position(expressions, NULL) IS NOT NULL THEN
        RAISE EXCEPTION '"by" must name expressions, such as ARRAY[''stage'']'
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Leave it out to slice by stage.';
    END IF;
    IF m.metrics ? 'refit_of' THEN
        RAISE NOTICE 'model % was fitted again with the users of %: figures on them flatter it; model % was tested on them',
            m.version, m.metrics ->> 'test_date', m.metrics ->> 'refit_of';
    END IF;
    rows := @extschema@.churn_stage_judged(d, m);
    named := @extschema@.churn_name_judged(d, m, rows);
    RETURN QUERY
        SELECT (s.one).* FROM (
            SELECT @extschema@.churn_slice_by(named, x.expression, coalesce(path, ''), minimum_n) AS one
            FROM (SELECT DISTINCT u FROM unnest(expressions) AS u) AS x (expression)) AS s
        ORDER BY (s.one).note IS NOT NULL, (s.one).auc, (s.one).n DESC, (s.one).slice, (s.one).value;
    PERFORM @extschema@.churn_drop_judged(d, named);
END
$$;
COMMENT ON FUNCTION churn_slices_owned(text, int, text[], int, text) IS 'support function of churn_slices';

CREATE FUNCTION churn_slices(study text, version int, "by" text[] DEFAULT NULL,
    minimum_n int DEFAULT 100, path text DEFAULT pg_catalog.current_setting('search_path'))
    RETURNS SETOF churn_slice
    AS 'MODULE_PATHNAME', 'churn_as_owner' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION churn_slices(text, int, text[], int, text) IS 'the out-of-time test of a model slice by slice, the lowest AUC first: by is a list of SQL expressions over the snapshot (stage, recency, key_days and every feature by name) and the columns of the study''s profile, by default stage; a slice with fewer than minimum_n users, or 10 of one outcome, is not measurable; path is the search_path under which the expressions are read, with the rights of the study''s owner; errors: 42704 no such model, 42703 or 42601 an expression, 21000 a profile with two rows for a user';
