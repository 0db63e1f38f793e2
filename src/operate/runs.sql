-- runs.sql: the tasks of a study, stage by stage, and what became of each run
--
-- CALL churn_run is C (run.c): it takes the study's lock and calls the
-- functions NAME_owned below with the rights of the study's owner, a
-- transaction each.  A stage is a name S of churn_run_stages and a function
-- churn_S_owned(study text, as_of date), which returns the number of rows it
-- made, or these rows.

CREATE TABLE churn_runs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    study text NOT NULL REFERENCES churn_studies ON UPDATE CASCADE ON DELETE CASCADE,
    task text NOT NULL,
    trigger text NOT NULL,
    who text NOT NULL DEFAULT session_user,
    pid int NOT NULL DEFAULT pg_backend_pid(),
    as_of date,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz,
    outcome text NOT NULL DEFAULT 'running'
        CHECK (outcome IN ('running', 'done', 'skipped', 'failed', 'cancelled', 'died')),
    stage text,
    rows jsonb NOT NULL DEFAULT '{}',
    seconds jsonb NOT NULL DEFAULT '{}',
    memory bigint,
    sqlstate text,
    message text
);
CREATE INDEX churn_runs_study ON churn_runs (study, id);
COMMENT ON INDEX churn_runs_study IS 'the runs of a study, in their order';
COMMENT ON TABLE churn_runs IS 'every run of churn_run, whatever became of it; kept for a year';
COMMENT ON COLUMN churn_runs.id IS 'in the order of beginning';
COMMENT ON COLUMN churn_runs.study IS 'study it worked for';
COMMENT ON COLUMN churn_runs.task IS 'refresh, retrain, monitor or nightly';
COMMENT ON COLUMN churn_runs.trigger IS 'what started it: hand, schedule (pg_cron), or what the caller said';
COMMENT ON COLUMN churn_runs.who IS 'session user';
COMMENT ON COLUMN churn_runs.pid IS 'process of the backend';
COMMENT ON COLUMN churn_runs.as_of IS 'date it was asked for; NULL: today';
COMMENT ON COLUMN churn_runs.started_at IS 'when it began';
COMMENT ON COLUMN churn_runs.ended_at IS 'when it ended; of one that died, when that was found';
COMMENT ON COLUMN churn_runs.outcome IS 'running, done, skipped (another was at work), failed, cancelled (also by a timeout), died (its backend ended without a word; found by the next run)';
COMMENT ON COLUMN churn_runs.stage IS 'stage at work; afterwards the one that failed, if any';
COMMENT ON COLUMN churn_runs.rows IS 'rows by stage: users scored, models trained; null: no policy says when';
COMMENT ON COLUMN churn_runs.seconds IS 'seconds by stage, of what was committed';
COMMENT ON COLUMN churn_runs.memory IS 'most memory the backend had resident until then, bytes, with the shared buffers it touched and without parallel workers; NULL where the system does not tell';
COMMENT ON COLUMN churn_runs.sqlstate IS 'of the first error';
COMMENT ON COLUMN churn_runs.message IS 'the first error, or why it was skipped';

ALTER TABLE churn_runs ENABLE ROW LEVEL SECURITY;
GRANT SELECT, DELETE, INSERT (study, task, trigger, as_of, ended_at, outcome, message),
    UPDATE (ended_at, outcome, stage, rows, seconds, memory, sqlstate, message) ON churn_runs TO PUBLIC;
CREATE POLICY churn_runs_member ON churn_runs
    USING (EXISTS (SELECT FROM @extschema@.churn_studies AS s
                   WHERE s.study OPERATOR(pg_catalog.=) churn_runs.study));
COMMENT ON POLICY churn_runs_member ON churn_runs IS 'who sees the study';
SELECT pg_catalog.pg_extension_config_dump('churn_runs', '');
SELECT pg_catalog.pg_extension_config_dump('churn_runs_id_seq', '');

CREATE FUNCTION churn_work_lock_key(study text) RETURNS bigint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$ SELECT hashtextextended(study COLLATE "C", 7163104341671244390) $$;
COMMENT ON FUNCTION churn_work_lock_key(text) IS 'support function: key of the advisory lock of a study';

CREATE FUNCTION churn_worker(study text) RETURNS int
    LANGUAGE sql VOLATILE STRICT
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT l.pid FROM pg_locks AS l
        WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
            AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
            AND (l.classid::bigint << 32 | l.objid::bigint) = @extschema@.churn_work_lock_key(study)
        LIMIT 1
    $$;
COMMENT ON FUNCTION churn_worker(text) IS 'process of the backend that refreshes a study or runs a task of it; NULL when there is none';

CREATE FUNCTION churn_process_memory() RETURNS bigint
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION churn_process_memory() IS 'support function of churn_run: most memory this process had resident since it began, bytes; NULL where the system does not tell';

-- Stages ----------------------------------------------------------------------

CREATE FUNCTION churn_has_policy(study text) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF to_regclass('@extschema@.churn_policies') IS NULL THEN
        RETURN false;
    END IF;
    RETURN EXISTS (SELECT FROM @extschema@.churn_policies AS p WHERE p.study = churn_has_policy.study);
END
$$;
COMMENT ON FUNCTION churn_has_policy(text) IS 'support function of churn_run: is it said when the study is retrained?';

CREATE FUNCTION churn_stage_function(study text, stage text) RETURNS regprocedure
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT to_regprocedure(format('@extschema@.%I(pg_catalog.text, pg_catalog.date)',
            CASE WHEN stage = 'retrain' AND NOT @extschema@.churn_has_policy(study) THEN 'churn_train_again_owned'
                 ELSE 'churn_' || stage || '_owned' END))
    $$;
COMMENT ON FUNCTION churn_stage_function(text, text) IS 'support function of churn_run: what does the work of a stage; NULL: nothing in this version';

CREATE FUNCTION churn_run_stages(task text) RETURNS text[]
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    monitors boolean := @extschema@.churn_stage_function(NULL, 'monitor') IS NOT NULL;
BEGIN
    IF task = 'nightly' THEN
        RETURN CASE WHEN monitors THEN '{refresh,monitor,retrain}' ELSE '{refresh,retrain}' END;
    ELSIF task IN ('refresh', 'retrain') OR (task = 'monitor' AND monitors) THEN
        RETURN ARRAY[task];
    ELSIF task = 'monitor' THEN
        RAISE EXCEPTION 'this version of churn has no task "monitor"'
            USING ERRCODE = 'feature_not_supported';
    END IF;
    RAISE EXCEPTION 'unknown task "%"', coalesce(task, 'null')
        USING ERRCODE = 'invalid_parameter_value',
              HINT = 'Tasks are refresh, retrain, monitor and nightly (all that is due).';
END
$$;
COMMENT ON FUNCTION churn_run_stages(text) IS 'the stages of a task in their order; 22023 with the list for an unknown task, 0A000 for one that this version has not';

CREATE FUNCTION churn_run_stages_owned(study text, task text) RETURNS text[]
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$ SELECT @extschema@.churn_run_stages(task) $$;
COMMENT ON FUNCTION churn_run_stages_owned(text, text) IS 'support function of churn_run: the same, for those who may use the study';

-- The last training again, on the newest outcomes.
CREATE FUNCTION churn_train_again_owned(study text, as_of date) RETURNS SETOF churn_training
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d @extschema@.churn_studies := @extschema@.churn_study_lock(study);
    last_metrics jsonb;
    dates date[];
BEGIN
    SELECT m.metrics INTO last_metrics FROM @extschema@.churn_models AS m
    WHERE m.study = d.study ORDER BY m.status = 'champion' DESC, m.version DESC LIMIT 1;
    SELECT array_agg(a.snapshot::date ORDER BY a.snapshot::date DESC) INTO dates
    FROM jsonb_array_elements_text(CASE jsonb_typeof(last_metrics -> 'snapshots')
        WHEN 'array' THEN last_metrics -> 'snapshots' ELSE '[]' END) AS a (snapshot);
    RETURN QUERY SELECT t.* FROM @extschema@.churn_train_owned(d.study,
        (as_of - d.gap - d.churn_window),
        coalesce(cardinality(dates), 6),
        make_interval(days => coalesce(dates[1] - dates[2], 30)),
        CASE jsonb_typeof(last_metrics -> 'options') WHEN 'object' THEN last_metrics -> 'options' ELSE '{}' END) AS t;
END
$$;
COMMENT ON FUNCTION churn_train_again_owned(text, date) IS 'support function of churn_run: churn_train as the champion was trained (else the newest model, else by default): as many snapshots, as far apart, the same options';

-- Rows that a stage made, or how many it says it made.
CREATE FUNCTION churn_stage_rows(stage text, study text, as_of date) RETURNS bigint
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    worker regprocedure := @extschema@.churn_stage_function(study, stage);
    p pg_proc;
    made bigint;
BEGIN
    SELECT * INTO p FROM pg_proc AS o WHERE o.oid = worker;
    EXECUTE format('SELECT %s FROM %s($1, $2) AS made',
        CASE WHEN NOT p.proretset AND p.prorettype IN ('int'::regtype, 'bigint'::regtype)
            THEN 'pg_catalog.sum(made)' ELSE 'pg_catalog.count(*)' END,
        worker::regproc) INTO made USING study, as_of;
    RETURN made;
END
$$;
COMMENT ON FUNCTION churn_stage_rows(text, text, date) IS 'support function of churn_run: do the work of a stage';

-- Runs --------------------------------------------------------------------------

CREATE FUNCTION churn_forget_runs(study text, keep interval DEFAULT '1 year') RETURNS bigint
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d @extschema@.churn_studies := @extschema@.churn_study_row(study);
    forgotten bigint;
BEGIN
    IF keep IS NULL OR keep < '0' THEN
        RAISE EXCEPTION 'keep must be a time that has passed, not %', coalesce(keep::text, 'null')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    DELETE FROM @extschema@.churn_runs AS r
    WHERE r.study = d.study AND r.outcome <> 'running' AND r.started_at < now() - keep;
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    RETURN forgotten;
END
$$;
COMMENT ON FUNCTION churn_forget_runs(text, interval) IS 'delete the records of runs of a study that began longer ago; every run does it for those of a year ago; returns how many are gone; 22023 for a negative time';

-- Called under the study's lock: what says that it is running is not.
CREATE FUNCTION churn_run_begin_owned(study text, task text, as_of date, trigger text) RETURNS bigint
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    begun bigint;
BEGIN
    INSERT INTO @extschema@.churn_runs (study, task, trigger, as_of)
    VALUES (study, task, trigger, as_of) RETURNING id INTO begun;
    UPDATE @extschema@.churn_runs AS r
    SET outcome = 'died', ended_at = clock_timestamp(),
        message = format('its backend %s ended without a word; found by run %s', r.pid, begun)
    WHERE r.study = churn_run_begin_owned.study AND r.outcome = 'running' AND r.id <> begun;
    PERFORM @extschema@.churn_forget_runs(study);
    RETURN begun;
END
$$;
COMMENT ON FUNCTION churn_run_begin_owned(text, text, date, text) IS 'support function of churn_run: record that a run begins, and that those recorded as running have died; its id';

CREATE FUNCTION churn_run_skip_owned(study text, task text, as_of date, trigger text) RETURNS text
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    worker int := @extschema@.churn_worker(study);
    why text;
BEGIN
    SELECT format('run %s (%s) of this study has been at work since %s', r.id, r.task,
        to_char(r.started_at, 'YYYY-MM-DD HH24:MI:SS')) INTO why
    FROM @extschema@.churn_runs AS r
    WHERE r.study = churn_run_skip_owned.study AND r.outcome = 'running' AND r.pid = worker
    ORDER BY r.id DESC LIMIT 1;
    why := coalesce(why, format('backend %s works on this study', worker),
        'another session worked on this study');
    INSERT INTO @extschema@.churn_runs (study, task, trigger, as_of, ended_at, outcome, message)
    VALUES (study, task, trigger, as_of, clock_timestamp(), 'skipped', why);
    RETURN why;
END
$$;
COMMENT ON FUNCTION churn_run_skip_owned(text, text, date, text) IS 'support function of churn_run: record that a run was skipped; why';

CREATE FUNCTION churn_run_enter_owned(study text, run bigint, stage text, as_of date, state jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    begun @extschema@.churn_runs;
BEGIN
    UPDATE @extschema@.churn_runs AS r SET stage = churn_run_enter_owned.stage
    WHERE r.id = run RETURNING * INTO begun;
    -- at night models are trained only where a policy says when
    IF begun.task = 'nightly' AND begun.stage = 'retrain' AND NOT @extschema@.churn_has_policy(begun.study) THEN
        UPDATE @extschema@.churn_runs AS r SET rows = r.rows || '{"retrain": null}' WHERE r.id = run;
        RETURN NULL;
    END IF;
    RETURN '{}';
END
$$;
COMMENT ON FUNCTION churn_run_enter_owned(text, bigint, text, date, jsonb) IS 'support function of churn_run: record which stage begins; NULL when it is not due';

CREATE FUNCTION churn_run_step_owned(study text, run bigint, stage text, as_of date, state jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    began timestamptz := clock_timestamp();
    next_state jsonb;
    made bigint;
BEGIN
    IF stage = 'refresh' THEN
        next_state := @extschema@.churn_refresh_stage_owned(study, as_of, NULL, state);
        IF next_state IS NULL THEN
            SELECT h.scored INTO made FROM @extschema@.churn_histories AS h
            WHERE h.study = churn_run_step_owned.study;
        END IF;
    ELSE
        made := @extschema@.churn_stage_rows(stage, study, as_of);
    END IF;
    UPDATE @extschema@.churn_runs AS r
    SET seconds = r.seconds || jsonb_build_object(churn_run_step_owned.stage,
            coalesce((r.seconds ->> churn_run_step_owned.stage)::numeric, 0)
            + round(extract(epoch FROM clock_timestamp() - began)::numeric, 3)),
        rows = CASE WHEN next_state IS NULL
            THEN r.rows || jsonb_build_object(churn_run_step_owned.stage, made) ELSE r.rows END,
        memory = @extschema@.churn_process_memory()
    WHERE r.id = run;
    RETURN next_state;
END
$$;
COMMENT ON FUNCTION churn_run_step_owned(text, bigint, text, date, jsonb) IS 'support function of churn_run: one step of a stage, after which it commits; NULL when the stage is done, else what the next step is called with';

CREATE FUNCTION churn_run_end_owned(study text, run bigint, outcome text, stage text, sqlstate text, message text) RETURNS void
    LANGUAGE sql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
        UPDATE @extschema@.churn_runs AS r
        SET outcome = churn_run_end_owned.outcome, ended_at = clock_timestamp(),
            stage = churn_run_end_owned.stage, sqlstate = churn_run_end_owned.sqlstate,
            message = churn_run_end_owned.message, memory = @extschema@.churn_process_memory()
        WHERE r.id = run
    $$;
COMMENT ON FUNCTION churn_run_end_owned(text, bigint, text, text, text, text) IS 'support function of churn_run: record what became of it';

CREATE PROCEDURE churn_run(study text, task text, as_of date DEFAULT NULL, trigger text DEFAULT 'hand')
    AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON PROCEDURE churn_run(text, text, date, text) IS 'run a task of a study, refresh, retrain, monitor or nightly (all that is due), as of today or a date: each stage in transactions of its own, with the rights of the study''s owner, and a row of churn_runs that says what became of it, also when it fails, is cancelled or dies; when another session works on the study it is skipped with a notice; a stage that fails does not keep the others of a night from running, its error is raised at the end; errors: 2D000 in a transaction block or a function, 22023 unknown task, 42704 no such study, 42501 rights, and those of the stages';
