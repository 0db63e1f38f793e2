-- targets.sql: what a model must show before it may score
--
-- A target is an agreement made beforehand: a figure of the out-of-time test,
-- a comparison and a bound.  Only the owner of a study sets targets: a member
-- of the owner's role, who may train, refresh and promote, does not.

CREATE TABLE churn_targets (
    study text NOT NULL REFERENCES churn_studies ON UPDATE CASCADE ON DELETE CASCADE,
    target int NOT NULL,
    metric text NOT NULL,
    comparison text NOT NULL CHECK (comparison IN ('>', '>=', '<', '<=')),
    bound float8 NOT NULL CHECK (bound NOT IN ('NaN', 'Infinity', '-Infinity')),
    slice text,
    slice_path text NOT NULL,
    minimum_n bigint NOT NULL CHECK (minimum_n >= 1),
    on_lower_bound boolean NOT NULL,
    set_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    set_by text NOT NULL DEFAULT session_user,
    PRIMARY KEY (study, target)
);
COMMENT ON TABLE churn_targets IS 'acceptance rules of each study: a metric, a comparison and a bound; without any the default gate holds; written by the study''s owner alone';
COMMENT ON COLUMN churn_targets.study IS 'study the target belongs to';
COMMENT ON COLUMN churn_targets.target IS 'number of the target within its study';
COMMENT ON COLUMN churn_targets.metric IS 'a figure of the out-of-time test, as churn_target_metrics lists them';
COMMENT ON COLUMN churn_targets.comparison IS '>, >=, < or <=';
COMMENT ON COLUMN churn_targets.bound IS 'what the figure is compared with';
COMMENT ON COLUMN churn_targets.slice IS 'condition over the snapshot and the profile: only these users count; NULL for all';
COMMENT ON COLUMN churn_targets.slice_path IS 'search_path under which the slice is read';
COMMENT ON COLUMN churn_targets.minimum_n IS 'with fewer users the figure counts as not measurable';
COMMENT ON COLUMN churn_targets.on_lower_bound IS 'the worse end of the 95 % interval must hold, not only the figure: the lower end for > and >=, the upper for < and <=';
COMMENT ON COLUMN churn_targets.set_at IS 'when it was set';
COMMENT ON COLUMN churn_targets.set_by IS 'session user who set it';

-- Is a study owned by whoever asks, not merely by a role they are a member of?
CREATE FUNCTION churn_is_owner(study text) RETURNS boolean
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT EXISTS (SELECT FROM @extschema@.churn_studies AS s
            WHERE s.study = churn_is_owner.study
                AND s.owner = quote_ident(current_user)::regrole)
    $$;
COMMENT ON FUNCTION churn_is_owner(text) IS 'support function of row-level security: the current role itself owns the study';

ALTER TABLE churn_targets ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON churn_targets TO PUBLIC;
CREATE POLICY churn_targets_member ON churn_targets FOR SELECT
    USING (EXISTS (SELECT FROM @extschema@.churn_studies AS s
                   WHERE s.study OPERATOR(pg_catalog.=) churn_targets.study));
COMMENT ON POLICY churn_targets_member ON churn_targets IS 'who sees the study sees its targets';
CREATE POLICY churn_targets_owner ON churn_targets
    USING (@extschema@.churn_is_owner(study));
COMMENT ON POLICY churn_targets_owner ON churn_targets IS 'only the owner itself writes';
SELECT pg_catalog.pg_extension_config_dump('churn_targets', '');

-- Every metric a target may name.
CREATE FUNCTION churn_target_metrics(OUT metric text, OUT argument text,
    OUT has_interval boolean, OUT meaning text) RETURNS SETOF record
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
        VALUES
        ('auc', NULL, true, 'area under the ROC curve'),
        ('auc_over_recency', NULL, true, 'AUC less that of days since the last key day'),
        ('auc_over_key_days', NULL, true, 'AUC less that of few key days'),
        ('auc_over_baseline', NULL, true, 'AUC less the better of these two'),
        ('auc_drop', NULL, true, 'AUC out of fold, over all training snapshots, less AUC of the test'),
        ('psi', NULL, false, 'population stability index of the scores, newest training snapshot against test'),
        ('rarer_class', NULL, false, 'users of the rarer outcome'),
        ('n', NULL, false, 'users'),
        ('churners', NULL, false, 'users who churned'),
        ('base_rate', NULL, true, 'share of users who churned'),
        ('mean_score', NULL, true, 'mean score'),
        ('ks', NULL, false, 'Kolmogorov-Smirnov distance of the scores of both classes'),
        ('average_precision', NULL, false, 'area under the precision-recall curve'),
        ('h_measure', NULL, false, 'H-measure'),
        ('recall_at', 'users or share', true, 'share of churners among so many highest scores'),
        ('precision_at', 'users or share', true, 'share of so many highest scores who churned'),
        ('lift_at', 'share', true, 'churn rate of the highest share of scores over that of all'),
        ('lift_10', NULL, true, 'lift_at(0.1)'),
        ('precision_10', NULL, true, 'precision_at(0.1)'),
        ('recall_10', NULL, true, 'recall_at(0.1)'),
        ('brier', NULL, true, 'mean squared error of the probability'),
        ('log_loss', NULL, true, 'mean logarithmic loss'),
        ('ece_width', NULL, false, 'expected calibration error, 10 bins of equal width'),
        ('ece_count', NULL, false, 'expected calibration error, 10 bins of equal count'),
        ('calibration_in_the_large', NULL, true, 'log-odds that scores are too low by'),
        ('calibration_intercept', NULL, true, 'intercept of the calibration line'),
        ('calibration_slope', NULL, true, 'slope of the calibration line'),
        ('mpc', NULL, false, 'maximum profit a user'),
        ('mpc_share', NULL, false, 'share of users to contact at mpc'),
        ('empc', NULL, false, 'expected maximum profit a user'),
        ('empc_share', NULL, false, 'share of users to contact at empc')
    $$;
COMMENT ON FUNCTION churn_target_metrics() IS 'the metrics that a target may name: what stands in brackets behind the name, whether there is a 95 % interval (for on_lower_bound), and what it is';

-- Name and argument of a metric, or an error that lists what there is.
CREATE FUNCTION churn_parse_metric(spec text, OUT name text, OUT argument numeric,
    OUT canonical text, OUT has_interval boolean)
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    parts text[] := regexp_match(spec, '^\s*([a-z][a-z_0-9]*)\s*(?:\(\s*([0-9]{1,9}|[0-9]?\.[0-9]{1,9})\s*\))?\s*$');
    known record;
BEGIN
    name := parts[1];
    argument := parts[2]::numeric;
    SELECT * INTO known FROM @extschema@.churn_target_metrics() AS k WHERE k.metric = name;
    IF known.metric IS NULL THEN
        RAISE EXCEPTION 'no metric "%"', coalesce(spec, 'null')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = format('The metrics are %s.',
                      (SELECT string_agg(k.metric || CASE k.argument WHEN 'share' THEN '(0.1)'
                          WHEN 'users or share' THEN '(1000)' ELSE '' END, ', ')
                       FROM @extschema@.churn_target_metrics() AS k));
    END IF;
    IF (known.argument IS NULL) <> (argument IS NULL) THEN
        RAISE EXCEPTION 'metric "%" takes %', name,
            CASE WHEN known.argument IS NULL THEN 'no argument' ELSE 'an argument' END
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = format('Say %s%s.', name, CASE known.argument WHEN 'share' THEN '(0.1)'
                      WHEN 'users or share' THEN '(1000)' ELSE '' END);
    END IF;
    -- a number with a point is a share, one without a count of users
    IF argument IS NOT NULL AND (argument <= 0
        OR (parts[2] ~ '\.' AND argument >= 1) OR (parts[2] !~ '\.' AND known.argument = 'share')) THEN
        RAISE EXCEPTION 'argument of "%" must be %, not %', name,
            CASE known.argument WHEN 'share' THEN 'a share between 0 and 1'
                ELSE 'a number of users, or a share between 0 and 1' END, parts[2]
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    canonical := name || coalesce('(' || CASE WHEN parts[2] ~ '\.'
        THEN trim_scale(argument)::text ELSE argument::text END || ')', '');
    has_interval := known.has_interval;
END
$$;
COMMENT ON FUNCTION churn_parse_metric(text) IS 'support function of churn_set_target: name and argument of a metric such as recall_at(1000); 22023 with the list of metrics';

-- In words: recall_at(1000) >= 0.2 on its lower bound where stage = 'new'
CREATE FUNCTION churn_target_text(metric text, comparison text, bound float8,
    slice text, on_lower_bound boolean) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET extra_float_digits = 1
    AS $$
        SELECT format('%s %s %s%s%s', metric, comparison, bound,
            CASE WHEN NOT on_lower_bound THEN ''
                 WHEN comparison LIKE '>%' THEN ' on its lower bound'
                 ELSE ' on its upper bound' END,
            ' where ' || slice)
    $$;
COMMENT ON FUNCTION churn_target_text(text, text, float8, text, boolean) IS 'support function: a target in words';

-- What holds for a study now: its targets, or the default gate.
CREATE FUNCTION churn_current_targets(study text) RETURNS SETOF churn_targets
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT t.* FROM @extschema@.churn_targets AS t
        WHERE t.study = churn_current_targets.study
        UNION ALL
        SELECT churn_current_targets.study, d.target, d.metric, d.comparison, d.bound,
            NULL, '', 1, d.on_lower_bound, NULL, NULL
        FROM (VALUES (1, 'rarer_class', '>=', 200::float8, false),
                (2, 'auc', '>', .5, true),
                (3, 'auc_over_baseline', '>', -.01, true))
            AS d (target, metric, comparison, bound, on_lower_bound)
        WHERE NOT EXISTS (SELECT FROM @extschema@.churn_targets AS t
                          WHERE t.study = churn_current_targets.study)
    $$;
COMMENT ON FUNCTION churn_current_targets(text) IS 'the targets of a study; without any the default gate: 200 users of each outcome, the AUC''s lower bound above .5, the AUC''s paired lower bound against the better of recency and key days above -.01';

-- Refuse whoever is not the owner of the study itself.
CREATE FUNCTION churn_demand_owner(definition churn_studies, action text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF row_security_active('@extschema@.churn_targets'::regclass)
       AND NOT @extschema@.churn_is_owner(definition.study) THEN
        RAISE EXCEPTION 'only the owner of study "%" may %', definition.study, action
            USING ERRCODE = 'insufficient_privilege',
                  HINT = format('It is role %s: SET ROLE to it, if this is to be its decision.', definition.owner);
    END IF;
END
$$;
COMMENT ON FUNCTION churn_demand_owner(churn_studies, text) IS 'support function: 42501 for a member of the owner''s role who is not acting as the owner';

-- What can be said of a slice before there is a snapshot: that it is one
-- condition.  Features and profile columns are known when it is measured.
CREATE FUNCTION churn_check_slice(definition churn_studies, slice text, path text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    PERFORM @extschema@.churn_filter_sql(
        coalesce(to_regclass(format('%I.%I', definition.table_schema, definition.study || '_snapshots')),
            '@extschema@.churn_studies'::regclass), slice, coalesce(path, ''));
EXCEPTION WHEN undefined_column OR undefined_table THEN
    NULL;
END
$$;
COMMENT ON FUNCTION churn_check_slice(churn_studies, text, text) IS 'support function of churn_set_target: 42601 or 42804 for what is not one condition';

CREATE FUNCTION churn_set_target(study text, metric text, comparison text, bound float8,
    slice text DEFAULT NULL, minimum_n bigint DEFAULT 200,
    on_lower_bound boolean DEFAULT false,
    slice_path text DEFAULT pg_catalog.current_setting('search_path')) RETURNS int
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d @extschema@.churn_studies := @extschema@.churn_study_lock(study);
    parsed record;
    number int;
BEGIN
    PERFORM @extschema@.churn_demand_owner(d, 'set its targets');
    SELECT * INTO parsed FROM @extschema@.churn_parse_metric(metric);
    IF comparison IS NULL OR comparison NOT IN ('>', '>=', '<', '<=') THEN
        RAISE EXCEPTION 'comparison must be >, >=, < or <=, not "%"', coalesce(comparison, 'null')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF bound IS NULL OR bound IN ('NaN', 'Infinity', '-Infinity') THEN
        RAISE EXCEPTION 'bound must be a finite number, not %', coalesce(bound::text, 'null')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF minimum_n IS NULL OR minimum_n < 1 THEN
        RAISE EXCEPTION 'minimum_n must be at least 1, not %', coalesce(minimum_n::text, 'null')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF coalesce(on_lower_bound, false) AND NOT parsed.has_interval THEN
        RAISE EXCEPTION 'metric "%" has no interval whose bound could be asked', parsed.name
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Leave on_lower_bound out; SELECT * FROM churn_target_metrics() says which metrics have one.';
    END IF;
    IF slice IS NOT NULL AND parsed.name = 'auc_drop' THEN
        RAISE EXCEPTION 'metric "auc_drop" has no slices'
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'The AUC out of fold is known for all users together only.';
    END IF;
    IF slice IS NOT NULL THEN
        PERFORM @extschema@.churn_check_slice(d, slice, slice_path);
    END IF;
    SELECT t.target INTO number FROM @extschema@.churn_targets AS t
    WHERE t.study = d.study AND t.metric = parsed.canonical
        AND left(t.comparison, 1) = left(churn_set_target.comparison, 1)
        AND t.slice IS NOT DISTINCT FROM churn_set_target.slice;
    IF number IS NULL THEN
        INSERT INTO @extschema@.churn_targets (study, target, metric, comparison, bound,
            slice, slice_path, minimum_n, on_lower_bound)
        SELECT d.study, coalesce(max(t.target), 0) + 1, parsed.canonical,
            churn_set_target.comparison, churn_set_target.bound, churn_set_target.slice,
            coalesce(churn_set_target.slice_path, ''), churn_set_target.minimum_n,
            coalesce(churn_set_target.on_lower_bound, false)
        FROM @extschema@.churn_targets AS t WHERE t.study = d.study
        RETURNING target INTO number;
    ELSE
        UPDATE @extschema@.churn_targets AS t
        SET comparison = churn_set_target.comparison, bound = churn_set_target.bound,
            slice_path = coalesce(churn_set_target.slice_path, ''),
            minimum_n = churn_set_target.minimum_n,
            on_lower_bound = coalesce(churn_set_target.on_lower_bound, false),
            set_at = DEFAULT, set_by = DEFAULT
        WHERE t.study = d.study AND t.target = number;
    END IF;
    RETURN number;
END
$$;
COMMENT ON FUNCTION churn_set_target(text, text, text, float8, text, bigint, boolean, text) IS 'agree on what a model must show: metric (auc, recall_at(1000), psi, … as churn_target_metrics lists), comparison and bound; slice is a condition over the snapshot and the profile, minimum_n the least number of users, on_lower_bound asks it of the worse end of the 95 % interval; the same metric, direction and slice again replaces it; returns its number; from the first target on the default gate does not hold any more; errors: 22023 with the list of metrics, 42601 slice, 42501 not the owner';

CREATE FUNCTION churn_drop_target(study text, target int) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d @extschema@.churn_studies := @extschema@.churn_study_lock(study);
BEGIN
    PERFORM @extschema@.churn_demand_owner(d, 'drop its targets');
    DELETE FROM @extschema@.churn_targets AS t
    WHERE t.study = d.study AND t.target = churn_drop_target.target;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'study "%" has no target %', study, target
            USING ERRCODE = 'undefined_object', HINT = 'churn_targets lists them.';
    END IF;
END
$$;
COMMENT ON FUNCTION churn_drop_target(text, int) IS 'take a target back by its number; after the last one the default gate holds again; errors: 42704 no such target, 42501 not the owner';
