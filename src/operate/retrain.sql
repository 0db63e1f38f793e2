-- retrain.sql: challenger against champion
--
-- Both are scored on the same users at the newest date whose outcomes are
-- known, which neither has learnt from.  A challenger may be worse by a stated
-- margin, since figures are uncertain; so that many small steps do not lead
-- downwards, it is held against the best former champion as well.

CREATE TABLE churn_retrainings (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    study text NOT NULL REFERENCES churn_studies ON UPDATE CASCADE ON DELETE CASCADE,
    as_of date NOT NULL,
    due text NOT NULL,
    version int NOT NULL,
    status text NOT NULL,
    promoted boolean NOT NULL,
    champion int,
    best int,
    compared jsonb NOT NULL,
    reason text NOT NULL,
    transaction_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX churn_retrainings_study ON churn_retrainings (study, id);
COMMENT ON INDEX churn_retrainings_study IS 'retrainings of a study in order';
COMMENT ON TABLE churn_retrainings IS 'every challenger that churn_retrain trained, why, and what became of it; only added to';
COMMENT ON COLUMN churn_retrainings.id IS 'in order';
COMMENT ON COLUMN churn_retrainings.study IS 'study of the models';
COMMENT ON COLUMN churn_retrainings.as_of IS 'day of the retraining';
COMMENT ON COLUMN churn_retrainings.due IS 'why it was due';
COMMENT ON COLUMN churn_retrainings.version IS 'the challenger';
COMMENT ON COLUMN churn_retrainings.status IS 'its status afterwards';
COMMENT ON COLUMN churn_retrainings.promoted IS 'it took over';
COMMENT ON COLUMN churn_retrainings.champion IS 'champion before; NULL when there was none';
COMMENT ON COLUMN churn_retrainings.best IS 'the former champion with the least log-loss on these users';
COMMENT ON COLUMN churn_retrainings.compared IS 'a row a former champion: version, users, differences in AUC and log-loss, challenger less champion, with 95 % bounds, and whether it is within the margins';
COMMENT ON COLUMN churn_retrainings.reason IS 'why it was promoted, waits, or was refused';
COMMENT ON COLUMN churn_retrainings.transaction_at IS 'when';

ALTER TABLE churn_retrainings ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT (study, as_of, due, version, status, promoted, champion, best, compared, reason)
    ON churn_retrainings TO PUBLIC;
CREATE POLICY churn_retrainings_member ON churn_retrainings FOR SELECT
    USING (EXISTS (SELECT FROM @extschema@.churn_studies AS s
                   WHERE s.study OPERATOR(pg_catalog.=) churn_retrainings.study));
COMMENT ON POLICY churn_retrainings_member ON churn_retrainings IS 'who sees the study';
CREATE POLICY churn_retrainings_owner ON churn_retrainings FOR INSERT
    WITH CHECK (@extschema@.churn_is_owner(study));
COMMENT ON POLICY churn_retrainings_owner ON churn_retrainings IS 'only the owner itself adds, which churn_retrain works as';
SELECT pg_catalog.pg_extension_config_dump('churn_retrainings', '');
SELECT pg_catalog.pg_extension_config_dump('churn_retrainings_id_seq', '');

-- Users who bought since a date and whose outcome is known at another: what a
-- model of that date has not seen.
CREATE FUNCTION churn_new_labels(definition churn_studies, champion churn_models, since date, day date) RETURNS bigint
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d ALIAS FOR definition;
    today date := @extschema@.churn_today(d.time_zone);
    complete date := (SELECT f.complete_through FROM @extschema@.churn_study_facts(d, day) AS f);
    labelled date := complete + 1 - d.gap - d.churn_window;
    source record;
    found_users bigint;
BEGIN
    IF labelled IS NULL OR labelled <= since THEN
        RETURN 0;
    END IF;
    SELECT * INTO source FROM @extschema@.churn_watched_histories(d, today);
    EXECUTE format('SELECT pg_catalog.count(*) FROM (%s) AS l WHERE (l.standing).recency <= %s',
        @extschema@.churn_labelled_sql(d, source.histories, @extschema@.churn_model_spec(champion.model),
            ARRAY[labelled], complete), labelled - since) INTO found_users;
    IF source.staged THEN
        EXECUTE 'DROP TABLE ' || source.histories;
    END IF;
    RETURN found_users;
END
$$;
COMMENT ON FUNCTION churn_new_labels(churn_studies, churn_models, date, date) IS 'support function of churn_retrain: users at risk on the newest labelled date with a key event since a date';

-- Why training is due; NULL when it is not.
CREATE FUNCTION churn_retrain_due(definition churn_studies, policy churn_policies, day date) RETURNS text
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d ALIAS FOR definition;
    newest @extschema@.churn_models;
    -- days of the study, not of the clock
    trained date;
    retrained date := (SELECT max(r.as_of) FROM @extschema@.churn_retrainings AS r WHERE r.study = d.study);
    a @extschema@.churn_alerts;
    users bigint;
BEGIN
    SELECT * INTO newest FROM @extschema@.churn_models AS m WHERE m.study = d.study AND m.metrics ? 'complete_through'
    ORDER BY m.version DESC LIMIT 1;
    IF newest.id IS NULL THEN
        RETURN 'there is no model yet';
    END IF;
    trained := greatest((newest.metrics ->> 'complete_through')::date + 1, retrained);
    IF day - trained >= policy.every_days THEN
        RETURN format('the newest model is %s days old', day - trained);
    END IF;
    SELECT * INTO a FROM @extschema@.churn_alerts AS o
    WHERE o.study = d.study AND o.what = ANY (policy.on_alert) AND o.closed_on IS NULL ORDER BY o.id LIMIT 1;
    IF a.id IS NOT NULL AND (retrained IS NULL OR day - retrained >= 7) AND day > trained THEN
        RETURN format('alert %s: %s', a.id, a.what);
    END IF;
    IF policy.after_users IS NOT NULL AND day > trained THEN
        users := @extschema@.churn_new_labels(d, newest, (newest.metrics ->> 'test_date')::date, day);
        IF users >= policy.after_users THEN
            RETURN format('%s new labelled users', users);
        END IF;
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION churn_retrain_due(churn_studies, churn_policies, date) IS 'support function of churn_retrain: why training is due, by the calendar, an open alert or new labelled users; NULL when it is not';

-- Former champions to hold a challenger against: the present one, the one that
-- was best the last time, and the one that did best in its own test.
CREATE FUNCTION churn_former_champions(study text) RETURNS SETOF churn_models
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT m.* FROM @extschema@.churn_models AS m
        WHERE m.study = churn_former_champions.study AND (m.status = 'champion'
            OR (m.status = 'retired' AND m.version IN (
                (SELECT r.best FROM @extschema@.churn_retrainings AS r
                 WHERE r.study = churn_former_champions.study ORDER BY r.id DESC LIMIT 1),
                (SELECT o.version FROM @extschema@.churn_models AS o
                 WHERE o.study = churn_former_champions.study AND o.status = 'retired'
                 ORDER BY (o.metrics ->> 'auc')::float8 DESC NULLS LAST, o.version LIMIT 1))))
        ORDER BY m.status <> 'champion', m.version
    $$;
COMMENT ON FUNCTION churn_former_champions(text) IS 'support function of churn_retrain: the champion and at most two former ones, the best on record';

-- A challenger beside one former champion.
CREATE FUNCTION churn_hold_against(definition churn_studies, challenger int, former int,
    policy churn_policies) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    auc @extschema@.churn_comparison;
    loss @extschema@.churn_comparison;
    users @extschema@.churn_comparison;
    c @extschema@.churn_comparison;
    within boolean;
BEGIN
    FOR c IN SELECT * FROM @extschema@.churn_compare_owned(definition.study, challenger, former, NULL)
    LOOP
        CASE c.figure WHEN 'auc' THEN auc := c; WHEN 'log_loss' THEN loss := c; WHEN 'users' THEN users := c; ELSE END CASE;
    END LOOP;
    -- the same scores: no difference, and no interval
    within := coalesce(coalesce(auc.lower, auc.difference) > -policy.auc_margin
        AND coalesce(loss.upper, loss.difference) < policy.log_loss_margin, false);
    RETURN jsonb_build_object('version', former, 'users', users.a,
        'auc', auc.a, 'former_auc', auc.b, 'auc_difference', auc.difference, 'auc_lower', auc.lower, 'auc_upper', auc.upper,
        'log_loss', loss.a, 'former_log_loss', loss.b, 'log_loss_difference', loss.difference,
        'log_loss_lower', loss.lower, 'log_loss_upper', loss.upper,
        'within', within, 'worse', NOT within AND coalesce(auc.upper < 0 OR loss.lower > 0, false));
EXCEPTION WHEN object_not_in_prerequisite_state OR invalid_parameter_value THEN
    -- not comparable: another definition, or a date that one has learnt from
    RETURN jsonb_build_object('version', former, 'within', false, 'problem', SQLERRM);
END
$$;
COMMENT ON FUNCTION churn_hold_against(churn_studies, int, int, churn_policies) IS 'support function of churn_retrain: paired differences of a challenger and a former champion, whether they are within the margins of the policy, and whether the challenger is worse beyond doubt';

-- Those of some comparisons that are worse, or not within the margins.
CREATE FUNCTION churn_differences_text(compared jsonb, which text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT string_agg(format('model %s: %s', c.e ->> 'version', coalesce(c.e ->> 'problem',
            format('AUC %s (%s to %s), log-loss %s (%s to %s)',
                round((c.e ->> 'auc_difference')::numeric, 4), round((c.e ->> 'auc_lower')::numeric, 4),
                round((c.e ->> 'auc_upper')::numeric, 4), round((c.e ->> 'log_loss_difference')::numeric, 4),
                round((c.e ->> 'log_loss_lower')::numeric, 4), round((c.e ->> 'log_loss_upper')::numeric, 4)))), '; ')
        FROM jsonb_array_elements(compared) AS c (e)
        WHERE CASE which WHEN 'worse' THEN (c.e ->> 'worse')::boolean ELSE NOT (c.e ->> 'within')::boolean END
    $$;
COMMENT ON FUNCTION churn_differences_text(jsonb, text) IS 'support function of churn_retrain: comparisons that are worse beyond doubt (worse) or not within the margins (within), as text; NULL without any';

-- Let a challenger score, wait, or be refused, and say why.
CREATE FUNCTION churn_decide(definition churn_studies, policy churn_policies, challenger churn_models,
    compared jsonb, OUT promoted boolean, OUT reason text)
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    worse text := @extschema@.churn_differences_text(compared, 'worse');
    unsure text := @extschema@.churn_differences_text(compared, 'within');
BEGIN
    promoted := challenger.status = 'champion';
    IF promoted THEN
        reason := 'the first to pass the gate';
    ELSIF challenger.status <> 'accepted' THEN
        reason := 'refused by the gate: ' || coalesce(challenger.gate, challenger.status);
    ELSIF worse IS NOT NULL THEN
        reason := 'worse than ' || worse;
        UPDATE @extschema@.churn_models AS m SET status = 'refused', gate = reason WHERE m.id = challenger.id;
    ELSIF unsure IS NOT NULL THEN
        reason := 'waits: not certainly within the margins of ' || unsure;
    ELSIF NOT policy.auto_promote THEN
        reason := 'waits: not worse than the champion, nor than the best before it';
    ELSE
        reason := 'not worse than the champion, nor than the best before it';
        PERFORM @extschema@.churn_promote(definition.study, challenger.version, reason => 'churn_retrain: ' || reason);
        promoted := true;
    END IF;
END
$$;
COMMENT ON FUNCTION churn_decide(churn_studies, churn_policies, churn_models, jsonb) IS 'support function of churn_retrain: promote a challenger, let it wait as accepted, or refuse it';

-- Train as of a date: training asks the setting what today is.
CREATE FUNCTION churn_train_challenger(definition churn_studies, policy churn_policies, day date) RETURNS int
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    setting text := current_setting('churn.today', true);
    trained record;
BEGIN
    PERFORM set_config('churn.today', day::text, true);
    SELECT * INTO trained FROM @extschema@.churn_train_owned(definition.study, NULL,
        policy.snapshots, make_interval(days => policy.step_days), policy.options);
    PERFORM set_config('churn.today', coalesce(setting, ''), true);
    RETURN trained.version;
END
$$;
COMMENT ON FUNCTION churn_train_challenger(churn_studies, churn_policies, date) IS 'support function of churn_retrain: churn_train by the policy as of a date; returns the version';

CREATE FUNCTION churn_retrain_owned(study text, as_of date) RETURNS SETOF churn_retrainings
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d @extschema@.churn_studies := @extschema@.churn_study_lock(study);
    today date := @extschema@.churn_today(d.time_zone);
    day date := coalesce(as_of, today);
    policy @extschema@.churn_policies;
    challenger @extschema@.churn_models;
    former @extschema@.churn_models;
    due text;
    champion int;
    trained int;
    compared jsonb := '[]';
    decided record;
BEGIN
    SELECT * INTO policy FROM @extschema@.churn_policies AS p WHERE p.study = d.study;
    IF policy.study IS NULL THEN
        RAISE NOTICE 'study "%" has no policy: nothing is trained', study
            USING HINT = format('SELECT churn_set_policy(%L, every => ''30 days'') sets one.', study);
        RETURN;
    END IF;
    IF day > today OR NOT isfinite(day) THEN
        RAISE EXCEPTION 'study "%" cannot be trained as of % on %', study, day, today
            USING ERRCODE = 'invalid_parameter_value', HINT = 'as_of is today or a day before.';
    END IF;
    due := @extschema@.churn_retrain_due(d, policy, day);
    IF due IS NULL THEN
        RAISE NOTICE 'study "%": training is not due', study;
        RETURN;
    END IF;
    RAISE NOTICE 'study "%": training, because %', study, due;
    SELECT m.version INTO champion FROM @extschema@.churn_models AS m WHERE m.study = d.study AND m.status = 'champion';
    trained := @extschema@.churn_train_challenger(d, policy, day);
    challenger := @extschema@.churn_model_row(d, trained);
    IF challenger.status = 'accepted' THEN
        FOR former IN SELECT * FROM @extschema@.churn_former_champions(d.study)
        LOOP
            compared := compared || @extschema@.churn_hold_against(d, challenger.version, former.version, policy);
        END LOOP;
    END IF;
    SELECT * INTO decided FROM @extschema@.churn_decide(d, policy, challenger, compared);
    RAISE NOTICE 'model %: %', challenger.version, decided.reason;
    RETURN QUERY INSERT INTO @extschema@.churn_retrainings AS r (study, as_of, due, version, status, promoted,
            champion, best, compared, reason)
        SELECT d.study, day, due, m.version, m.status, decided.promoted, champion,
            (SELECT (c.e ->> 'version')::int FROM jsonb_array_elements(compared) AS c (e)
             WHERE c.e ? 'former_log_loss' ORDER BY (c.e ->> 'former_log_loss')::float8 LIMIT 1),
            compared, decided.reason
        FROM @extschema@.churn_models AS m WHERE m.id = challenger.id
        RETURNING r.*;
END
$$;
COMMENT ON FUNCTION churn_retrain_owned(text, date) IS 'support function of churn_retrain';

CREATE FUNCTION churn_retrain(study text, as_of date DEFAULT NULL) RETURNS SETOF churn_retrainings
    AS 'MODULE_PATHNAME', 'churn_as_owner' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION churn_retrain(text, date) IS 'train a challenger when the study''s policy says that it is due, compare it with the champion and with the best champions on record on the same users, and promote it, let it wait or refuse it; the champion scores until the moment of the switch; returns the row of churn_retrainings, none when nothing was due; errors: those of churn_train, 22023 a future date';
