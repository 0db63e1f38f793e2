-- compare.sql: two models of a study on the same users
--
-- Both are scored at one date that lies after every outcome that either was
-- trained on, so neither has seen any of it.

-- The definition and the date that two models can be compared under.
CREATE FUNCTION churn_compared_date(definition churn_studies, a churn_models,
    b churn_models, as_of date) RETURNS date
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    past @extschema@.churn_studies := @extschema@.churn_model_definition(definition, a);
    other @extschema@.churn_studies := @extschema@.churn_model_definition(definition, b);
    dates_a date[] := @extschema@.churn_judged_dates(a);
    dates_b date[] := @extschema@.churn_judged_dates(b);
    span int := past.gap + past.churn_window;
    purged date := greatest(dates_a[1], dates_b[1]) + span;
    day date := coalesce(as_of, greatest(dates_a[cardinality(dates_a)], dates_b[cardinality(dates_b)]));
    known date;
BEGIN
    IF (past.churn_window, past.gap, past.active_window, past.min_tenure, past.key_kinds, past.time_zone)
        IS DISTINCT FROM (other.churn_window, other.gap, other.active_window, other.min_tenure,
            other.key_kinds, other.time_zone) THEN
        RAISE EXCEPTION 'models % and % of study "%" do not mean the same by churn', a.version, b.version, definition.study
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'The study was altered between their trainings.',
                  HINT = 'Train the older one anew.';
    END IF;
    -- rows of one array: the test date itself where there were no snapshots
    IF cardinality(dates_a) > 1 AND cardinality(dates_b) > 1 AND day < purged THEN
        RAISE EXCEPTION 'outcomes that one of the models was trained on are not over by %', day
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = format('The first date that is new to both is %s.', purged);
    END IF;
    known := coalesce(greatest((a.metrics ->> 'complete_through')::date, (b.metrics ->> 'complete_through')::date),
        day + span - 1);
    IF day + span > known + 1 THEN
        SELECT f.complete_through INTO known FROM @extschema@.churn_study_facts(definition,
            @extschema@.churn_today(definition.time_zone)) AS f;
    END IF;
    IF NOT isfinite(day) OR day + span > known + 1 THEN
        RAISE EXCEPTION 'outcomes of % are not known before %', day, day + span
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Events are complete through %s.', known),
                  HINT = format('The newest date that can be tested is %s.', known + 1 - span);
    END IF;
    RETURN day;
END
$$;
COMMENT ON FUNCTION churn_compared_date(churn_studies, churn_models, churn_models, date) IS 'support function of churn_compare: the date to score both models at; 22023 one that is not new to both or not known yet, 55000 models of different definitions';

-- Users at risk at that date with both scores and both bands: STUDY_judged.
CREATE FUNCTION churn_stage_compared(study text, version_a int, version_b int, as_of date,
    OUT definition churn_studies, OUT rows text, OUT day date)
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    a @extschema@.churn_models;
    b @extschema@.churn_models;
    histories text;
BEGIN
    definition := @extschema@.churn_study_lock(study);
    a := @extschema@.churn_model_row(definition, version_a);
    b := @extschema@.churn_model_row(definition, version_b);
    day := @extschema@.churn_compared_date(definition, a, b, as_of);
    histories := @extschema@.churn_stage_histories(definition, @extschema@.churn_today(definition.time_zone));
    rows := @extschema@.churn_stage(definition, '_judged', format(
        'SELECT s.user_id, s.churned, s.stage, s.score_a, s.score_b,'
        ' @extschema@.churn_band(s.score_a, %1$L::pg_catalog.float8[]) AS band_a,'
        ' @extschema@.churn_band(s.score_b, %2$L::pg_catalog.float8[]) AS band_b'
        ' FROM (SELECT l.user_id, l.churned, (l.standing).stage,'
        '   @extschema@.churn_predict(%3$L::@extschema@.churn_model, l.history, l.as_of) AS score_a,'
        '   @extschema@.churn_predict(%4$L::@extschema@.churn_model, l.history, l.as_of) AS score_b'
        '   FROM (%5$s) AS l WHERE l.churned IS NOT NULL OFFSET 0) AS s',
        a.band_cutoffs, b.band_cutoffs, a.model, b.model,
        @extschema@.churn_labelled_sql(@extschema@.churn_model_definition(definition, a), histories,
            @extschema@.churn_model_spec(a.model), ARRAY[day], 'infinity')));
    EXECUTE 'DROP TABLE ' || histories;
END
$$;
COMMENT ON FUNCTION churn_stage_compared(text, int, int, date) IS 'support function of churn_compare: table of the users at risk at a date with the scores and bands of two models';

CREATE TYPE churn_comparison AS (
    figure text, a float8, b float8, difference float8, lower float8, upper float8,
    p float8, meaning text
);
COMMENT ON TYPE churn_comparison IS 'a figure of two models on the same users: of each, a less b with its 95 % interval and two-sided p where there is one, and what it is';

-- Mean of a paired loss of each row, and the test of its difference.
CREATE FUNCTION churn_compare_loss(rows text, figure text, loss text, value text, meaning text)
    RETURNS churn_comparison
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    c @extschema@.churn_comparison;
    se float8;
BEGIN
    EXECUTE format('SELECT %1$s, %2$s, pg_catalog.avg(%3$s - %4$s),'
        ' pg_catalog.stddev_samp(%3$s - %4$s) / pg_catalog.sqrt(pg_catalog.count(*)) FROM %5$s AS s',
        format(value, 's.score_a'), format(value, 's.score_b'),
        format(loss, 's.score_a'), format(loss, 's.score_b'), rows)
    INTO c.a, c.b, c.difference, se;
    c.figure := figure;
    c.meaning := meaning;
    c.lower := c.difference - 1.959963984540054 * se;
    c.upper := c.difference + 1.959963984540054 * se;
    c.p := @extschema@.churn_normal_p(c.difference / nullif(se, 0));
    RETURN c;
END
$$;
COMMENT ON FUNCTION churn_compare_loss(text, text, text, text, text) IS 'support function of churn_compare: paired difference of a mean loss';

-- Users whose band is higher or lower by a than by b, of either outcome.
CREATE FUNCTION churn_compare_bands_moved(rows text) RETURNS SETOF churn_comparison
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    k record;
    c @extschema@.churn_comparison;
    se float8;
BEGIN
    EXECUTE format('SELECT pg_catalog.count(*) FILTER (WHERE s.churned)::pg_catalog.float8 AS churners,'
        ' pg_catalog.count(*) FILTER (WHERE NOT s.churned)::pg_catalog.float8 AS stayers,'
        ' pg_catalog.count(*) FILTER (WHERE s.moved > 0 AND s.churned)::pg_catalog.float8 AS churners_up,'
        ' pg_catalog.count(*) FILTER (WHERE s.moved < 0 AND s.churned)::pg_catalog.float8 AS churners_down,'
        ' pg_catalog.count(*) FILTER (WHERE s.moved > 0 AND NOT s.churned)::pg_catalog.float8 AS stayers_up,'
        ' pg_catalog.count(*) FILTER (WHERE s.moved < 0 AND NOT s.churned)::pg_catalog.float8 AS stayers_down'
        ' FROM (SELECT s.churned,'
        '   pg_catalog.array_position(''{low,medium,high,critical}''::pg_catalog.text[], s.band_a)'
        '   - pg_catalog.array_position(''{low,medium,high,critical}''::pg_catalog.text[], s.band_b) AS moved'
        '   FROM %s AS s) AS s', rows) INTO k;
    c.figure := 'band_changes';
    c.difference := k.churners_up + k.churners_down + k.stayers_up + k.stayers_down;
    c.meaning := 'users whose band differs';
    RETURN NEXT c;
    c.figure := 'reclassified_churners';
    c.difference := (k.churners_up - k.churners_down) / nullif(k.churners, 0);
    se := sqrt(greatest((k.churners_up + k.churners_down) / nullif(k.churners, 0) - c.difference ^ 2, 0) / nullif(k.churners, 0));
    c.lower := c.difference - 1.959963984540054 * se;
    c.upper := c.difference + 1.959963984540054 * se;
    c.p := @extschema@.churn_normal_p(c.difference / nullif(se, 0));
    c.meaning := 'net share of churners whom a puts into a higher band';
    RETURN NEXT c;
    c.figure := 'reclassified_stayers';
    c.difference := (k.stayers_down - k.stayers_up) / nullif(k.stayers, 0);
    se := sqrt(greatest((k.stayers_up + k.stayers_down) / nullif(k.stayers, 0) - c.difference ^ 2, 0) / nullif(k.stayers, 0));
    c.lower := c.difference - 1.959963984540054 * se;
    c.upper := c.difference + 1.959963984540054 * se;
    c.p := @extschema@.churn_normal_p(c.difference / nullif(se, 0));
    c.meaning := 'net share of stayers whom a puts into a lower band';
    RETURN NEXT c;
END
$$;
COMMENT ON FUNCTION churn_compare_bands_moved(text) IS 'support function of churn_compare: band changes and the two parts of the net reclassification improvement';

CREATE FUNCTION churn_compare_owned(study text, a int, b int, as_of date)
    RETURNS SETOF churn_comparison
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    staged record;
    t @extschema@.churn_auc_comparison;
    c @extschema@.churn_comparison;
    loss text := '-pg_catalog.ln(greatest(CASE WHEN s.churned THEN %1$s ELSE 1 - %1$s END, 1e-300))';
BEGIN
    SELECT * INTO staged FROM @extschema@.churn_stage_compared(study, a, b, as_of);
    EXECUTE format('SELECT ''users'', pg_catalog.count(*), pg_catalog.count(*), 0, NULL, NULL, NULL,'
        ' %L FROM %s', format('at risk on %s, each scored by both', staged.day), staged.rows) INTO c;
    RETURN NEXT c;
    EXECUTE format('SELECT (x.t).* FROM (SELECT @extschema@.churn_auc_test(s.score_a, s.score_b, s.churned) AS t FROM %s AS s) AS x',
        staged.rows) INTO t;
    RETURN NEXT ROW('auc', t.auc_a, t.auc_b, t.difference, t.lower, t.upper, t.p,
        'area under the ROC curve; paired test (DeLong)')::@extschema@.churn_comparison;
    RETURN NEXT @extschema@.churn_compare_loss(staged.rows, 'log_loss', loss,
        '@extschema@.churn_log_loss(%s, s.churned)', 'mean logarithmic loss, less is better; paired');
    RETURN NEXT @extschema@.churn_compare_loss(staged.rows, 'brier', 'pg_catalog.power(%s - s.churned::int4, 2)',
        '@extschema@.churn_brier(%s, s.churned)', 'mean squared error, less is better; paired');
    RETURN NEXT @extschema@.churn_compare_loss(staged.rows, 'mean_score', '%s', 'pg_catalog.avg(%s)',
        (SELECT format('mean score; %s %% churned', round(100 * x.rate, 2)) FROM @extschema@.churn_compared_rate(staged.rows) AS x (rate)));
    RETURN QUERY SELECT * FROM @extschema@.churn_compare_bands_moved(staged.rows);
    PERFORM @extschema@.churn_drop_judged(staged.definition, NULL);
END
$$;
COMMENT ON FUNCTION churn_compare_owned(text, int, int, date) IS 'support function of churn_compare';

CREATE FUNCTION churn_compared_rate(rows text) RETURNS numeric
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    rate numeric;
BEGIN
    EXECUTE format('SELECT pg_catalog.avg(s.churned::int4) FROM %s AS s', rows) INTO rate;
    RETURN rate;
END
$$;
COMMENT ON FUNCTION churn_compared_rate(text) IS 'support function of churn_compare: churn rate of the compared users';

CREATE FUNCTION churn_compare(study text, a int, b int, as_of date DEFAULT NULL)
    RETURNS SETOF churn_comparison
    AS 'MODULE_PATHNAME', 'churn_as_owner' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION churn_compare(text, int, int, date) IS 'two models of a study on the same users, at the later of their test dates or a date given, which lies after every outcome that either was trained on: users, AUC with the paired test, log-loss, Brier score and mean score with paired intervals, users whose band differs, net reclassification of churners and of stayers; reads all events; errors: 42704 no such model, 22023 a date that is not new to both or not known yet, 55000 models of different definitions';

-- Who is where ---------------------------------------------------------------

CREATE FUNCTION churn_compare_bands_owned(study text, a int, b int, as_of date,
    OUT band_a text, OUT band_b text, OUT users bigint, OUT churners bigint, OUT churn_rate float8)
    RETURNS SETOF record
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    staged record;
BEGIN
    SELECT * INTO staged FROM @extschema@.churn_stage_compared(study, a, b, as_of);
    RETURN QUERY EXECUTE format('SELECT s.band_a, s.band_b, pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE s.churned),'
        ' pg_catalog.avg(s.churned::int4)::pg_catalog.float8 FROM %s AS s GROUP BY 1, 2'
        ' ORDER BY pg_catalog.array_position(''{low,medium,high,critical}''::pg_catalog.text[], s.band_a),'
        ' pg_catalog.array_position(''{low,medium,high,critical}''::pg_catalog.text[], s.band_b)', staged.rows);
    PERFORM @extschema@.churn_drop_judged(staged.definition, NULL);
END
$$;
COMMENT ON FUNCTION churn_compare_bands_owned(text, int, int, date) IS 'support function of churn_compare_bands';

CREATE FUNCTION churn_compare_bands(study text, a int, b int, as_of date DEFAULT NULL,
    OUT band_a text, OUT band_b text, OUT users bigint, OUT churners bigint, OUT churn_rate float8)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'churn_as_owner' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION churn_compare_bands(text, int, int, date) IS 'reclassification table of two models on the same users: a row a pair of bands with the users there, how many churned and their rate; errors as churn_compare';

CREATE FUNCTION churn_compare_users_owned(study text, a int, b int, as_of date,
    OUT user_id text, OUT stage text, OUT churned boolean, OUT score_a float8, OUT score_b float8,
    OUT band_a text, OUT band_b text)
    RETURNS SETOF record
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    staged record;
BEGIN
    SELECT * INTO staged FROM @extschema@.churn_stage_compared(study, a, b, as_of);
    RETURN QUERY EXECUTE format('SELECT s.user_id::pg_catalog.text, s.stage, s.churned, s.score_a, s.score_b, s.band_a, s.band_b'
        ' FROM %s AS s WHERE s.band_a <> s.band_b'
        ' ORDER BY pg_catalog.abs(s.score_a - s.score_b) DESC, s.user_id', staged.rows);
    PERFORM @extschema@.churn_drop_judged(staged.definition, NULL);
END
$$;
COMMENT ON FUNCTION churn_compare_users_owned(text, int, int, date) IS 'support function of churn_compare_users';

CREATE FUNCTION churn_compare_users(study text, a int, b int, as_of date DEFAULT NULL,
    OUT user_id text, OUT stage text, OUT churned boolean, OUT score_a float8, OUT score_b float8,
    OUT band_a text, OUT band_b text)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'churn_as_owner' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION churn_compare_users(text, int, int, date) IS 'users whose band differs between two models, the largest difference first: key as text, stage, what became of them, both scores and bands; errors as churn_compare';
