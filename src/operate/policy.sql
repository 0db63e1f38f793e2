-- policy.sql: when a study trains anew, and what a challenger must show

CREATE TABLE churn_policies (
    study text PRIMARY KEY REFERENCES churn_studies ON UPDATE CASCADE ON DELETE CASCADE,
    every_days int CHECK (every_days >= 1),
    on_alert text[] NOT NULL DEFAULT '{}',
    after_users bigint CHECK (after_users >= 1),
    auto_promote boolean NOT NULL DEFAULT false,
    auc_margin float8 NOT NULL DEFAULT .01 CHECK (auc_margin >= 0 AND auc_margin <= 1),
    log_loss_margin float8 NOT NULL DEFAULT .01 CHECK (log_loss_margin >= 0 AND log_loss_margin <= 1),
    snapshots int NOT NULL DEFAULT 6,
    step_days int NOT NULL DEFAULT 30,
    options jsonb NOT NULL DEFAULT '{}',
    set_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    set_by text NOT NULL DEFAULT session_user
);
COMMENT ON TABLE churn_policies IS 'when each study trains anew and what a challenger must show; written by the study''s owner alone';
COMMENT ON COLUMN churn_policies.study IS 'study of the policy';
COMMENT ON COLUMN churn_policies.every_days IS 'train when the newest model is so many days old; NULL: not by the calendar';
COMMENT ON COLUMN churn_policies.on_alert IS 'train when an alert of one of these kinds is open, at most once in seven days';
COMMENT ON COLUMN churn_policies.after_users IS 'train when so many users have bought and got a known outcome since the newest model''s test; NULL: not by their number';
COMMENT ON COLUMN churn_policies.auto_promote IS 'promote a challenger that shows what is asked; else it waits, accepted';
COMMENT ON COLUMN churn_policies.auc_margin IS 'the lower bound of the difference in AUC must be above minus this';
COMMENT ON COLUMN churn_policies.log_loss_margin IS 'the upper bound of the difference in log-loss must be below this';
COMMENT ON COLUMN churn_policies.snapshots IS 'snapshots of churn_train';
COMMENT ON COLUMN churn_policies.step_days IS 'step of churn_train in days';
COMMENT ON COLUMN churn_policies.options IS 'options of churn_train; untreated_only among them leaves out who was contacted';
COMMENT ON COLUMN churn_policies.set_at IS 'when it was set';
COMMENT ON COLUMN churn_policies.set_by IS 'session user who set it';

ALTER TABLE churn_policies ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON churn_policies TO PUBLIC;
CREATE POLICY churn_policies_member ON churn_policies FOR SELECT
    USING (EXISTS (SELECT FROM @extschema@.churn_studies AS s
                   WHERE s.study OPERATOR(pg_catalog.=) churn_policies.study));
COMMENT ON POLICY churn_policies_member ON churn_policies IS 'who sees the study';
CREATE POLICY churn_policies_owner ON churn_policies
    USING (@extschema@.churn_is_owner(study));
COMMENT ON POLICY churn_policies_owner ON churn_policies IS 'only the owner itself writes';
SELECT pg_catalog.pg_extension_config_dump('churn_policies', '');

CREATE FUNCTION churn_set_policy(study text, every interval DEFAULT NULL, on_alert text[] DEFAULT '{}',
    after_users bigint DEFAULT NULL, auto_promote boolean DEFAULT false, auc_margin float8 DEFAULT .01,
    log_loss_margin float8 DEFAULT .01, untreated_only boolean DEFAULT false, snapshots int DEFAULT 6,
    step interval DEFAULT '30 days', options jsonb DEFAULT '{}') RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d @extschema@.churn_studies := @extschema@.churn_study_lock(study);
    unknown text := (SELECT k FROM unnest(on_alert) AS k
        WHERE NOT EXISTS (SELECT FROM @extschema@.churn_alert_rules() AS r WHERE r.what = k) LIMIT 1);
BEGIN
    PERFORM @extschema@.churn_demand_owner(d, 'set its policy');
    IF unknown IS NOT NULL OR array_position(on_alert, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'there is no alert of kind "%"', coalesce(unknown, 'null')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = format('Kinds are %s.', (SELECT string_agg(r.what, ', ') FROM @extschema@.churn_alert_rules() AS r));
    END IF;
    IF @extschema@.churn_refit_asked(coalesce(options, '{}')) THEN
        RAISE EXCEPTION 'option "refit" has no place in a policy'
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'A challenger that has learnt from the test rows could not be compared on them.';
    END IF;
    IF snapshots IS NULL OR snapshots NOT BETWEEN 1 AND 120 OR coalesce(@extschema@.churn_whole_days(step, 'step'), 0) < 1
       OR @extschema@.churn_whole_days(every, 'every') < 1 OR after_users < 1
       OR auc_margin IS NULL OR log_loss_margin IS NULL
       OR NOT (auc_margin BETWEEN 0 AND 1 AND log_loss_margin BETWEEN 0 AND 1) THEN
        RAISE EXCEPTION 'every, after_users, snapshots and step must be positive, snapshots at most 120, margins between 0 and 1'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    DELETE FROM @extschema@.churn_policies AS p WHERE p.study = d.study;
    INSERT INTO @extschema@.churn_policies (study, every_days, on_alert, after_users, auto_promote,
        auc_margin, log_loss_margin, snapshots, step_days, options)
    VALUES (d.study, @extschema@.churn_whole_days(every, 'every'), coalesce(on_alert, '{}'), after_users,
        coalesce(auto_promote, false), auc_margin, log_loss_margin, snapshots,
        @extschema@.churn_whole_days(step, 'step'),
        coalesce(options, '{}') || CASE WHEN untreated_only THEN '{"untreated_only": true}' ELSE '{}' END::jsonb);
END
$$;
COMMENT ON FUNCTION churn_set_policy(text, interval, text[], bigint, boolean, float8, float8, boolean, int, interval, jsonb) IS 'when churn_retrain trains a challenger: every so many days, while an alert of a kind is open (at most weekly), or after so many new labelled users; auto_promote lets it score when it is past the gate and neither its AUC nor its log-loss is worse than the champion''s, or the best former champion''s, by more than the margins at 95 %; untreated_only leaves users who were contacted out of training; replaces the policy; errors: 22023 arguments, 42501 not the owner';

CREATE FUNCTION churn_drop_policy(study text) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d @extschema@.churn_studies := @extschema@.churn_study_lock(study);
BEGIN
    PERFORM @extschema@.churn_demand_owner(d, 'drop its policy');
    DELETE FROM @extschema@.churn_policies AS p WHERE p.study = d.study;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'study "%" has no policy', study USING ERRCODE = 'undefined_object';
    END IF;
END
$$;
COMMENT ON FUNCTION churn_drop_policy(text) IS 'no more training by itself; 42704 when there is no policy, 42501 not the owner';
