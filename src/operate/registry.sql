-- registry.sql: which model scores, and how it came to
--
-- Every change of a model's status is checked by a trigger, whoever writes it:
-- accepted and champion need the verdicts, or a row of churn_promotions that
-- says in the same transaction why not.

CREATE TABLE churn_promotions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    study text NOT NULL REFERENCES churn_studies ON UPDATE CASCADE ON DELETE CASCADE,
    version int NOT NULL,
    model_id bigint NOT NULL,
    replaced int,
    how text NOT NULL CHECK (how IN ('training', 'gate', 'forced', 'rollback')),
    reason text CHECK (how <> 'forced' OR btrim(reason) <> ''),
    transaction xid8 NOT NULL DEFAULT pg_current_xact_id(),
    promoted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    promoted_by text NOT NULL DEFAULT session_user
);
COMMENT ON TABLE churn_promotions IS 'every model that became champion: when, by whom, past the gate or not; only added to, kept when the model is forgotten';
COMMENT ON COLUMN churn_promotions.id IS 'in the order of promotion';
COMMENT ON COLUMN churn_promotions.study IS 'study of the model';
COMMENT ON COLUMN churn_promotions.version IS 'version that became champion';
COMMENT ON COLUMN churn_promotions.model_id IS 'id of the model, which may be forgotten since';
COMMENT ON COLUMN churn_promotions.replaced IS 'version that was champion before; NULL when there was none';
COMMENT ON COLUMN churn_promotions.how IS 'training: the first to pass; gate: by churn_promote past the gate; forced: by churn_promote against it; rollback: by churn_rollback';
COMMENT ON COLUMN churn_promotions.reason IS 'what was said for it; always there when forced';
COMMENT ON COLUMN churn_promotions.transaction IS 'transaction in which it happened';
COMMENT ON COLUMN churn_promotions.promoted_at IS 'when';
COMMENT ON COLUMN churn_promotions.promoted_by IS 'session user who did it';

ALTER TABLE churn_promotions ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT (study, version, model_id, replaced, how, reason) ON churn_promotions TO PUBLIC;
CREATE POLICY churn_promotions_member ON churn_promotions FOR SELECT
    USING (EXISTS (SELECT FROM @extschema@.churn_studies AS s
                   WHERE s.study OPERATOR(pg_catalog.=) churn_promotions.study));
COMMENT ON POLICY churn_promotions_member ON churn_promotions IS 'who sees the study sees its promotions';
CREATE POLICY churn_promotions_add ON churn_promotions FOR INSERT
    WITH CHECK (EXISTS (SELECT FROM @extschema@.churn_studies AS s
                        WHERE s.study OPERATOR(pg_catalog.=) churn_promotions.study)
        AND (how OPERATOR(pg_catalog.<>) 'forced' OR @extschema@.churn_is_owner(study)));
COMMENT ON POLICY churn_promotions_add ON churn_promotions IS 'members promote and roll back; only the owner itself forces';
SELECT pg_catalog.pg_extension_config_dump('churn_promotions', '');
SELECT pg_catalog.pg_extension_config_dump('churn_promotions_id_seq', '');

-- The gate: no model becomes accepted or champion but past it.
CREATE FUNCTION churn_models_gate() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    failures text[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        -- pg_dump writes back what was there under row_security = off, which
        -- is an error for everybody whom row-level security holds
        IF NEW.status IN ('accepted', 'champion') AND current_setting('row_security') <> 'off' THEN
            RAISE EXCEPTION 'a new model cannot be "%"', NEW.status
                USING ERRCODE = 'object_not_in_prerequisite_state',
                      HINT = 'It enters as "trained"; churn_verdict and churn_promote take it further.';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.status = OLD.status THEN
        RETURN NEW;
    END IF;
    IF NEW.status = 'trained' OR (OLD.status = 'champion' AND NEW.status <> 'retired')
       OR (OLD.status = 'retired' AND NEW.status <> 'champion') THEN
        RAISE EXCEPTION 'a model that is "%" cannot become "%"', OLD.status, NEW.status
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    IF NEW.status NOT IN ('accepted', 'champion') OR (NEW.status = 'champion' AND EXISTS (
        SELECT FROM @extschema@.churn_promotions AS p
        WHERE p.model_id = NEW.id AND p.transaction = pg_current_xact_id()
            AND (p.how = 'forced' OR (p.how = 'rollback' AND EXISTS (
                SELECT FROM @extschema@.churn_promotions AS o
                WHERE o.model_id = p.model_id AND o.id < p.id AND o.how <> 'rollback'))))) THEN
        RETURN NEW;
    END IF;
    failures := @extschema@.churn_gate_failures(NEW.study, NEW.id);
    IF failures IS NOT NULL THEN
        RAISE EXCEPTION 'model % of study "%" is not past the gate: %', NEW.version, NEW.study, failures[1]
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = array_to_string(failures, E'\n'),
                  HINT = format('SELECT * FROM churn_verdict(%L, %s) shows every target.', NEW.study, NEW.version);
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION churn_models_gate() IS 'trigger on churn_models: 55000 for a status that the verdicts do not allow';

CREATE TRIGGER churn_models_gate BEFORE INSERT OR UPDATE OF status ON churn_models
    FOR EACH ROW EXECUTE FUNCTION churn_models_gate();
COMMENT ON TRIGGER churn_models_gate ON churn_models IS 'checks every change of status against the verdicts, whoever writes it';

-- Make a model champion and say so; the study is locked.
CREATE FUNCTION churn_enthrone(chosen churn_models, how text, reason text) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    INSERT INTO @extschema@.churn_promotions (study, version, model_id, replaced, how, reason)
    SELECT chosen.study, chosen.version, chosen.id,
        (SELECT m.version FROM @extschema@.churn_models AS m
         WHERE m.study = chosen.study AND m.status = 'champion'),
        churn_enthrone.how, churn_enthrone.reason;
    UPDATE @extschema@.churn_models AS m SET status = 'retired'
    WHERE m.study = chosen.study AND m.status = 'champion';
    UPDATE @extschema@.churn_models AS m SET status = 'champion' WHERE m.id = chosen.id;
END
$$;
COMMENT ON FUNCTION churn_enthrone(churn_models, text, text) IS 'support function of churn_promote, churn_rollback and churn_train: the champion retires, another takes its place, and a row of churn_promotions says why';

-- Keep a model, judge it, and let it score if nothing does yet.
CREATE FUNCTION churn_store_model(definition churn_studies, model churn_model,
    figures jsonb, OUT version int, OUT status text, OUT gate text)
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    stored @extschema@.churn_models;
BEGIN
    INSERT INTO @extschema@.churn_models
        (study, version, status, model, band_cutoffs, metrics, created_by)
    VALUES (definition.study, @extschema@.churn_last_version(definition.study) + 1, 'trained',
        model, @extschema@.churn_band_cutoffs(definition, model),
        figures || @extschema@.churn_training_facts(definition, model),
        quote_ident(current_user)::regrole)
    RETURNING * INTO stored;
    PERFORM @extschema@.churn_judge(definition, stored);
    PERFORM @extschema@.churn_settle(stored);
    IF EXISTS (SELECT FROM @extschema@.churn_models AS m WHERE m.id = stored.id AND m.status = 'accepted')
       AND NOT EXISTS (SELECT FROM @extschema@.churn_models AS m
                       WHERE m.study = stored.study AND m.status = 'champion') THEN
        PERFORM @extschema@.churn_enthrone(stored, 'training', NULL);
    END IF;
    SELECT m.version, m.status, m.gate INTO version, status, gate
    FROM @extschema@.churn_models AS m WHERE m.id = stored.id;
END
$$;
COMMENT ON FUNCTION churn_store_model(churn_studies, churn_model, jsonb) IS 'support function of churn_train: a new row of churn_models with its verdicts; champion if there is none and it meets every target; returns version, status and what stands against it';

CREATE FUNCTION churn_promote(study text, version int, force boolean DEFAULT false,
    reason text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d @extschema@.churn_studies := @extschema@.churn_study_lock(study);
    m @extschema@.churn_models := @extschema@.churn_model_row(d, version);
    failures text[] := @extschema@.churn_gate_failures(d.study, m.id);
BEGIN
    IF m.status = 'champion' THEN
        RAISE NOTICE 'model % of study "%" is the champion already', version, study;
        RETURN;
    END IF;
    IF failures IS NULL THEN
        PERFORM @extschema@.churn_enthrone(m, 'gate', reason);
    ELSIF force THEN
        IF coalesce(btrim(reason), '') = '' THEN
            RAISE EXCEPTION 'forcing a model past the gate needs a reason'
                USING ERRCODE = 'invalid_parameter_value',
                      HINT = 'Say reason => ''…'': it is kept in churn_promotions.';
        END IF;
        PERFORM @extschema@.churn_demand_owner(d, 'force a model past the gate');
        PERFORM @extschema@.churn_enthrone(m, 'forced', reason);
        RAISE WARNING 'model % of study "%" scores although it did not pass the gate', version, study
            USING DETAIL = array_to_string(failures, E'\n');
    ELSE
        RAISE EXCEPTION 'model % of study "%" did not pass the gate: %', version, study, failures[1]
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = array_to_string(failures, E'\n'),
                  HINT = CASE WHEN EXISTS (SELECT FROM @extschema@.churn_gate(d.study, m.id) AS g WHERE g.pass IS NULL)
                      THEN format('SELECT * FROM churn_verdict(%L, %s) measures what has not been measured.', study, version)
                      ELSE 'Train a better one; or force => true with a reason, which is kept.' END;
    END IF;
END
$$;
COMMENT ON FUNCTION churn_promote(text, int, boolean, text) IS 'make a model the champion; the champion before it retires in the same transaction, so that every statement sees one; only past the gate, or with force and a reason by the study''s owner, which churn_promotions keeps; errors: 42704 no such model, 55000 not past the gate (with each target, asked and measured), 22023 force without a reason, 42501 force by another than the owner';

CREATE FUNCTION churn_rollback(study text, reason text DEFAULT NULL) RETURNS int
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d @extschema@.churn_studies := @extschema@.churn_study_lock(study);
    champion @extschema@.churn_models := @extschema@.churn_champion(study);
    m @extschema@.churn_models;
BEGIN
    SELECT o.* INTO m FROM @extschema@.churn_models AS o
    WHERE o.study = d.study AND o.version = (
        SELECT p.replaced FROM @extschema@.churn_promotions AS p
        WHERE p.model_id = champion.id AND p.how <> 'rollback'
        ORDER BY p.id DESC LIMIT 1);
    IF m.id IS NULL THEN
        RAISE EXCEPTION 'study "%" has no champion before model %', study, champion.version
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'churn_promotions lists who was; churn_promote takes any model that passes the gate.';
    END IF;
    PERFORM @extschema@.churn_enthrone(m, 'rollback', reason);
    RETURN m.version;
END
$$;
COMMENT ON FUNCTION churn_rollback(text, text) IS 'back to the champion that the present one replaced; again: one further back; the targets of today are not asked of it, for it has scored before; returns its version; 55000 when there is none';

CREATE FUNCTION churn_forget(study text, keep int DEFAULT 10) RETURNS int
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d @extschema@.churn_studies := @extschema@.churn_study_lock(study);
    forgotten int;
BEGIN
    IF keep IS NULL OR keep < 0 THEN
        RAISE EXCEPTION 'keep must be a number of models, not %', coalesce(keep::text, 'null')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    DELETE FROM @extschema@.churn_models AS m
    WHERE m.study = d.study AND m.status IN ('trained', 'refused', 'retired')
        AND m.version NOT IN (SELECT o.version FROM @extschema@.churn_models AS o
            WHERE o.study = d.study ORDER BY o.version DESC LIMIT keep)
        -- the one that churn_rollback would bring back
        AND m.version IS DISTINCT FROM (
            SELECT p.replaced FROM @extschema@.churn_promotions AS p
            JOIN @extschema@.churn_models AS c ON c.id = p.model_id
            WHERE c.study = d.study AND c.status = 'champion' AND p.how <> 'rollback'
            ORDER BY p.id DESC LIMIT 1);
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    RETURN forgotten;
END
$$;
COMMENT ON FUNCTION churn_forget(text, int) IS 'delete old models that are trained, refused or retired, except the newest so many of all; never the champion, an accepted one, or the one that churn_rollback would bring back; their verdicts, promotions and logged scores stay, their versions are not used again; returns how many are gone';

CREATE VIEW churn_registry WITH (security_barrier) AS
    SELECT m.study, m.version, m.status, m.created_at AS trained_at,
        coalesce(m.metrics ->> 'trained_by', m.created_by::text) AS trained_by,
        (m.metrics ->> 'rows')::bigint AS rows,
        (m.metrics ->> 'churn_rate')::float8 AS churn_rate,
        ARRAY(SELECT a::date FROM jsonb_array_elements_text(CASE jsonb_typeof(m.metrics -> 'snapshots')
            WHEN 'array' THEN m.metrics -> 'snapshots' ELSE '[]' END) AS a) AS snapshots,
        (m.metrics ->> 'test_date')::date AS test_date,
        (m.metrics ->> 'test_rows')::bigint AS test_rows,
        (m.metrics ->> 'train_auc')::float8 AS train_auc,
        (m.metrics ->> 'fold_auc')::float8 AS fold_auc,
        (m.metrics ->> 'auc')::float8 AS test_auc,
        (m.metrics ->> 'train_log_loss')::float8 AS train_log_loss,
        (m.metrics ->> 'fold_log_loss')::float8 AS fold_log_loss,
        (m.metrics ->> 'log_loss')::float8 AS test_log_loss,
        m.metrics -> 'options' AS options,
        m.metrics ->> 'train_fingerprint' AS train_fingerprint,
        m.metrics ->> 'test_fingerprint' AS test_fingerprint,
        m.gate, p.how AS promoted_how, p.reason AS promoted_reason, p.promoted_at, p.promoted_by
    FROM churn_models AS m
    JOIN churn_studies AS s ON s.study OPERATOR(pg_catalog.=) m.study
    LEFT JOIN LATERAL (SELECT * FROM churn_promotions AS o
        WHERE o.model_id OPERATOR(pg_catalog.=) m.id ORDER BY o.id DESC LIMIT 1) AS p ON true
    -- a view reads with its owner's rights, so it repeats the policy itself
    WHERE pg_catalog.pg_has_role(s.owner, 'MEMBER');
GRANT SELECT ON churn_registry TO PUBLIC;
COMMENT ON VIEW churn_registry IS 'every model for people: status, when and by whom it was trained, on what, its AUC and log-loss on the training rows, out of fold and on the test, fingerprints of both sets of rows, what stands against it, and how and by whom it was last promoted';
