-- verdict.sql: what a model was asked and what it showed
--
-- Verdicts are only ever added.  They outlive the model (no foreign key), so
-- that what was shown, and how often a test date was looked at, stays known.

CREATE TABLE churn_verdicts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    study text NOT NULL REFERENCES churn_studies ON UPDATE CASCADE ON DELETE CASCADE,
    version int NOT NULL,
    model_id bigint NOT NULL,
    target int NOT NULL,
    metric text NOT NULL,
    comparison text NOT NULL,
    bound float8 NOT NULL,
    slice text,
    slice_path text NOT NULL,
    minimum_n bigint NOT NULL,
    on_lower_bound boolean NOT NULL,
    measured float8,
    lower float8,
    upper float8,
    n bigint,
    pass boolean NOT NULL,
    reason text,
    test_date date NOT NULL,
    fingerprint text NOT NULL,
    looks int NOT NULL,
    judged_at timestamptz NOT NULL,
    judged_by text NOT NULL DEFAULT session_user
);
CREATE INDEX churn_verdicts_model ON churn_verdicts (model_id);
COMMENT ON INDEX churn_verdicts_model IS 'verdicts of a model';
COMMENT ON TABLE churn_verdicts IS 'a row a target and measuring: what a model was asked, what it showed, and on which rows; only added to, kept when the model is forgotten';
COMMENT ON COLUMN churn_verdicts.id IS 'in the order of measuring';
COMMENT ON COLUMN churn_verdicts.study IS 'study of the model';
COMMENT ON COLUMN churn_verdicts.version IS 'version of the model';
COMMENT ON COLUMN churn_verdicts.model_id IS 'id of the model, which may be forgotten since';
COMMENT ON COLUMN churn_verdicts.target IS 'number of the target at the time';
COMMENT ON COLUMN churn_verdicts.metric IS 'metric as asked';
COMMENT ON COLUMN churn_verdicts.comparison IS 'comparison as asked';
COMMENT ON COLUMN churn_verdicts.bound IS 'bound as asked';
COMMENT ON COLUMN churn_verdicts.slice IS 'slice as asked';
COMMENT ON COLUMN churn_verdicts.slice_path IS 'search_path under which the slice was read';
COMMENT ON COLUMN churn_verdicts.minimum_n IS 'least number of users as asked';
COMMENT ON COLUMN churn_verdicts.on_lower_bound IS 'whether the worse end of the interval was asked';
COMMENT ON COLUMN churn_verdicts.measured IS 'the figure; NULL when it could not be measured';
COMMENT ON COLUMN churn_verdicts.lower IS 'lower end of its 95 % interval';
COMMENT ON COLUMN churn_verdicts.upper IS 'upper end of its 95 % interval';
COMMENT ON COLUMN churn_verdicts.n IS 'users it was measured on';
COMMENT ON COLUMN churn_verdicts.pass IS 'the target is met; not measurable is not met';
COMMENT ON COLUMN churn_verdicts.reason IS 'why it is not met';
COMMENT ON COLUMN churn_verdicts.test_date IS 'as-of date of the test rows';
COMMENT ON COLUMN churn_verdicts.fingerprint IS 'hash over user, as-of date and outcome of the test rows';
COMMENT ON COLUMN churn_verdicts.looks IS 'how often models of the study were measured at this test date, this time included';
COMMENT ON COLUMN churn_verdicts.judged_at IS 'when it was measured; the same for all targets of a measuring';
COMMENT ON COLUMN churn_verdicts.judged_by IS 'session user who asked';

ALTER TABLE churn_verdicts ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT (study, version, model_id, target, metric, comparison, bound, slice,
    slice_path, minimum_n, on_lower_bound, measured, lower, upper, n, pass, reason,
    test_date, fingerprint, looks, judged_at) ON churn_verdicts TO PUBLIC;
CREATE POLICY churn_verdicts_member ON churn_verdicts FOR SELECT
    USING (EXISTS (SELECT FROM @extschema@.churn_studies AS s
                   WHERE s.study OPERATOR(pg_catalog.=) churn_verdicts.study));
COMMENT ON POLICY churn_verdicts_member ON churn_verdicts IS 'who sees the study sees its verdicts';
CREATE POLICY churn_verdicts_owner ON churn_verdicts FOR INSERT
    WITH CHECK (@extschema@.churn_is_owner(study));
COMMENT ON POLICY churn_verdicts_owner ON churn_verdicts IS 'only the owner itself adds, which churn_verdict works as';
SELECT pg_catalog.pg_extension_config_dump('churn_verdicts', '');
SELECT pg_catalog.pg_extension_config_dump('churn_verdicts_id_seq', '');

CREATE TYPE churn_verdict_row AS (
    target text, asked text, measured float8, lower float8, upper float8, n bigint,
    pass boolean, reason text, test_date date, looks int, judged_at timestamptz
);
COMMENT ON TYPE churn_verdict_row IS 'a target and what a model showed: the metric with its slice, what was asked, the figure with its 95 % interval and the users behind it, whether it is met, and if not why; test date, how often that date was looked at, and when';

-- Current targets of a study beside the newest verdict of a model on each;
-- pass is NULL where a target, as it reads now, was never measured.
CREATE FUNCTION churn_gate(study text, model_id bigint) RETURNS SETOF churn_verdict_row
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT t.metric || coalesce(' where ' || t.slice, ''),
            substr(@extschema@.churn_target_text(t.metric, t.comparison, t.bound, NULL, t.on_lower_bound),
                length(t.metric) + 2),
            v.measured, v.lower, v.upper, v.n, v.pass,
            CASE WHEN v.id IS NULL THEN 'not measured yet' ELSE v.reason END,
            v.test_date, v.looks, v.judged_at
        FROM @extschema@.churn_current_targets(churn_gate.study) AS t
        LEFT JOIN LATERAL (
            SELECT * FROM @extschema@.churn_verdicts AS o
            WHERE o.model_id = churn_gate.model_id AND o.metric = t.metric
                AND o.comparison = t.comparison AND o.bound = t.bound
                AND o.slice IS NOT DISTINCT FROM t.slice AND o.slice_path = t.slice_path
                AND o.minimum_n = t.minimum_n AND o.on_lower_bound = t.on_lower_bound
            ORDER BY o.id DESC LIMIT 1) AS v ON true
        ORDER BY t.target
    $$;
COMMENT ON FUNCTION churn_gate(text, bigint) IS 'support function of churn_verdict: each current target with the newest stored verdict on it; pass is NULL where there is none';

-- What stands against a model, a line a target; NULL when nothing does.
CREATE FUNCTION churn_gate_failures(study text, model_id bigint) RETURNS text[]
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT array_agg(format('%s: asked %s, %s', g.target, g.asked, g.reason))
        FROM @extschema@.churn_gate(study, model_id) AS g WHERE g.pass IS NOT TRUE
    $$;
COMMENT ON FUNCTION churn_gate_failures(text, bigint) IS 'support function of the gate: a line a current target that a model does not meet; NULL when it meets all';

-- A figure as people read it.
CREATE FUNCTION churn_figure_text(figure float8) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT CASE WHEN figure = trunc(figure) OR abs(figure) > 1e15 THEN figure::text
            WHEN abs(figure) < 1e-4 THEN to_char(figure, '9.99EEEE')
            ELSE trim_scale(round(figure::numeric, 4))::text END
    $$;
COMMENT ON FUNCTION churn_figure_text(float8) IS 'support function: a figure to four places';

-- One target measured: the row of churn_verdicts, without what all rows of a
-- measuring share.  A slice that cannot be read makes it not measurable.
CREATE FUNCTION churn_judge_target(target churn_targets, rows text, named text,
    problem text, facts jsonb) RETURNS churn_verdicts
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    v @extschema@.churn_verdicts;
    shown record;
    end_asked float8;
BEGIN
    v := jsonb_populate_record(v, to_jsonb(target) - 'set_at' - 'set_by');
    v.pass := false;
    BEGIN
        IF target.slice IS NOT NULL AND problem IS NOT NULL THEN
            RAISE EXCEPTION '%', problem;
        END IF;
        SELECT * INTO shown FROM @extschema@.churn_measure(target.metric,
            CASE WHEN target.slice IS NULL THEN rows ELSE named END,
            CASE WHEN target.slice IS NULL THEN 'true'
                ELSE @extschema@.churn_filter_sql(named::regclass, target.slice, target.slice_path) END,
            facts);
    EXCEPTION WHEN OTHERS THEN
        v.reason := 'not measurable: ' || SQLERRM;
        RETURN v;
    END;
    v.n := shown.n;
    IF shown.n < target.minimum_n THEN
        v.reason := format('not measurable: %s users, at least %s are asked', shown.n, target.minimum_n);
        RETURN v;
    END IF;
    v.measured := nullif(shown.measured, 'NaN');
    v.lower := nullif(shown.lower, 'NaN');
    v.upper := nullif(shown.upper, 'NaN');
    end_asked := CASE WHEN NOT target.on_lower_bound THEN v.measured
        WHEN target.comparison IN ('>', '>=') THEN v.lower ELSE v.upper END;
    v.pass := coalesce(CASE target.comparison WHEN '>' THEN end_asked > target.bound
        WHEN '>=' THEN end_asked >= target.bound WHEN '<' THEN end_asked < target.bound
        ELSE end_asked <= target.bound END, false);
    v.reason := CASE
        WHEN v.pass THEN NULL
        WHEN v.measured IS NULL OR end_asked IS NULL THEN CASE
            WHEN target.metric = 'auc_drop' AND facts->>'fold_auc' IS NULL
            THEN 'not measurable: the model was fitted without folds'
            ELSE format('not measurable on these %s users', shown.n) END
        ELSE format('measured %s', @extschema@.churn_figure_text(v.measured)) || CASE
            WHEN target.on_lower_bound THEN format(', %s bound %s',
                CASE WHEN target.comparison LIKE '>%' THEN 'lower' ELSE 'upper' END,
                @extschema@.churn_figure_text(end_asked)) ELSE '' END
            || CASE WHEN target.metric IN ('rarer_class', 'n', 'churners') THEN ''
                ELSE format(' on %s users', shown.n) END END;
    RETURN v;
END
$$;
COMMENT ON FUNCTION churn_judge_target(churn_targets, text, text, text, jsonb) IS 'support function of churn_verdict: measure one target';

-- A model that was fitted again has learnt from its test rows: it is judged by
-- what the model that it came from showed on them.
CREATE FUNCTION churn_judge_refit(definition churn_studies, judged churn_models) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d ALIAS FOR definition;
    tested @extschema@.churn_models := @extschema@.churn_model_row(d,
        (judged.metrics ->> 'refit_of')::int);
BEGIN
    IF EXISTS (SELECT FROM @extschema@.churn_gate(d.study, tested.id) AS g WHERE g.pass IS NULL) THEN
        PERFORM @extschema@.churn_judge(d, tested);
    END IF;
    INSERT INTO @extschema@.churn_verdicts (study, version, model_id, target, metric,
        comparison, bound, slice, slice_path, minimum_n, on_lower_bound, measured, lower,
        upper, n, pass, reason, test_date, fingerprint, looks, judged_at)
    SELECT d.study, judged.version, judged.id, v.target, v.metric, v.comparison, v.bound,
        v.slice, v.slice_path, v.minimum_n, v.on_lower_bound, v.measured, v.lower, v.upper,
        v.n, v.pass, v.reason, v.test_date, v.fingerprint, v.looks, v.judged_at
    FROM @extschema@.churn_verdicts AS v
    WHERE v.model_id = tested.id AND v.judged_at = (SELECT max(o.judged_at)
        FROM @extschema@.churn_verdicts AS o WHERE o.model_id = tested.id);
END
$$;
COMMENT ON FUNCTION churn_judge_refit(churn_studies, churn_models) IS 'support function of churn_verdict: verdicts of a model that was fitted again are those of the tested one; 42704 when that one is forgotten';

-- Measure all current targets and add the verdicts.
CREATE FUNCTION churn_judge(definition churn_studies, judged churn_models) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d ALIAS FOR definition;
    rows text;
    test date := (judged.metrics ->> 'test_date')::date;
    mark text;
    now_ timestamptz := clock_timestamp();
    looked int;
    named text;
    problem text;
BEGIN
    IF judged.metrics ? 'refit_of' THEN
        PERFORM @extschema@.churn_judge_refit(d, judged);
        RETURN;
    END IF;
    rows := @extschema@.churn_stage_judged(d, judged);
    mark := @extschema@.churn_fingerprint(d, rows, 'test');
    SELECT count(DISTINCT (v.model_id, v.judged_at)) + 1 INTO looked
    FROM @extschema@.churn_verdicts AS v WHERE v.study = d.study AND v.test_date = test;
    IF EXISTS (SELECT FROM @extschema@.churn_current_targets(d.study) AS t WHERE t.slice IS NOT NULL) THEN
        BEGIN
            named := @extschema@.churn_name_judged(d, judged, rows);
        EXCEPTION WHEN OTHERS THEN
            problem := SQLERRM;
        END;
    END IF;
    INSERT INTO @extschema@.churn_verdicts (study, version, model_id, target, metric,
        comparison, bound, slice, slice_path, minimum_n, on_lower_bound, measured, lower,
        upper, n, pass, reason, test_date, fingerprint, looks, judged_at)
    SELECT d.study, judged.version, judged.id, v.target, v.metric, v.comparison, v.bound,
        v.slice, v.slice_path, v.minimum_n, v.on_lower_bound, v.measured, v.lower, v.upper,
        v.n, v.pass, v.reason, test, mark, looked, now_
    FROM @extschema@.churn_current_targets(d.study) AS t,
        LATERAL @extschema@.churn_judge_target(t, rows, named, problem, judged.metrics) AS v;
    PERFORM @extschema@.churn_drop_judged(d, named);
END
$$;
COMMENT ON FUNCTION churn_judge(churn_studies, churn_models) IS 'support function of churn_verdict and churn_train: measure a model on every current target, and keep what it showed';

-- Accepted or refused, by the verdicts; what scores or has scored stays that.
CREATE FUNCTION churn_settle(judged churn_models) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    failures text[] := @extschema@.churn_gate_failures(judged.study, judged.id);
BEGIN
    UPDATE @extschema@.churn_models AS m
    SET gate = array_to_string(failures, '; '),
        status = CASE WHEN m.status IN ('champion', 'retired') THEN m.status
            WHEN failures IS NULL THEN 'accepted' ELSE 'refused' END
    WHERE m.id = judged.id;
END
$$;
COMMENT ON FUNCTION churn_settle(churn_models) IS 'support function of churn_verdict and churn_train: status and gate of a model by its verdicts';

CREATE FUNCTION churn_verdict_owned(study text, version int, again boolean)
    RETURNS SETOF churn_verdict_row
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d @extschema@.churn_studies := @extschema@.churn_study_row(study);
    m @extschema@.churn_models := @extschema@.churn_model_row(d, version);
BEGIN
    IF again OR EXISTS (SELECT FROM @extschema@.churn_gate(d.study, m.id) AS g WHERE g.pass IS NULL) THEN
        d := @extschema@.churn_study_lock(study);
        m := @extschema@.churn_model_row(d, version);
        PERFORM @extschema@.churn_judge(d, m);
        PERFORM @extschema@.churn_settle(m);
    END IF;
    RETURN QUERY SELECT * FROM @extschema@.churn_gate(d.study, m.id);
END
$$;
COMMENT ON FUNCTION churn_verdict_owned(text, int, boolean) IS 'support function of churn_verdict';

CREATE FUNCTION churn_verdict(study text, version int, again boolean DEFAULT false)
    RETURNS SETOF churn_verdict_row
    AS 'MODULE_PATHNAME', 'churn_as_owner' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION churn_verdict(text, int, boolean) IS 'does a model meet what is asked: a row a current target (or of the default gate) with the figure, its 95 % interval, the users behind it, pass and why not; what is not measurable is not met; stored verdicts are shown, targets that are new are measured and stored, all of them with again; measuring makes a model accepted or refused and counts as a look at its test date; errors: 42704 no such model, 55000 a model without a test, 42501 rights';
