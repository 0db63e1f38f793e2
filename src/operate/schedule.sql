-- schedule.sql: tasks of studies as jobs of pg_cron
--
-- pg_cron lives in one database of the cluster, and jobs run as whoever
-- scheduled them.  A job of ours is one CALL, and is known by its name, "churn
-- TASK STUDY": no list of our own could disagree with pg_cron's.  Nothing here
-- refers to pg_cron's tables but by EXECUTE, since they may not be there.

CREATE FUNCTION churn_job_name(study text, task text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$ SELECT 'churn ' || task || ' ' || study $$;
COMMENT ON FUNCTION churn_job_name(text, text) IS 'support function of churn_schedule: the name of a job';

CREATE FUNCTION churn_job_command(study text, task text, trigger text) RETURNS text
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$ SELECT format('CALL @extschema@.churn_run(%L, %L, trigger => %L)', study, task, trigger) $$;
COMMENT ON FUNCTION churn_job_command(text, text, text) IS 'support function of churn_schedule: what a job executes';

-- The line of a crontab that does the same, for a shell and for cron, which
-- takes % for the end of the line and has no other quotes than the shell's.
CREATE FUNCTION churn_crontab_line(study text, task text, cron text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        -- a name with a line break cannot stand in a crontab
        SELECT cron || ' psql -X -d ' || replace(q.database, '%', '\%') || ' -c ' || replace(q.command, '%', '\%')
        FROM (SELECT '''' || replace(current_database(), '''', '''\''''') || '''' AS database,
            '''' || replace(@extschema@.churn_job_command(study, task, 'schedule'), '''', '''\''''') || '''' AS command) AS q
        WHERE q.database || q.command !~ '[\n\r]'
    $$;
COMMENT ON FUNCTION churn_crontab_line(text, text, text) IS 'the line for crontab -e that runs a task of a study by psql, where there is no pg_cron';

CREATE FUNCTION churn_cron_database() RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_cron_database() IS 'support function of churn_schedule: the database that pg_cron runs in, for everybody; NULL where it does not run';

-- Is pg_cron here, and may the caller use it?
CREATE FUNCTION churn_demand_cron(study text, task text, cron text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    home text := @extschema@.churn_cron_database();
    crontab text := coalesce(E'\nOr add the line to crontab -e:\n' || @extschema@.churn_crontab_line(study, task, cron), '');
BEGIN
    IF EXISTS (SELECT FROM pg_extension AS e WHERE e.extname = 'pg_cron') AND home IS NOT NULL THEN
        IF NOT has_schema_privilege('cron', 'USAGE') THEN
            RAISE EXCEPTION 'permission denied for schema cron'
                USING ERRCODE = 'insufficient_privilege',
                      HINT = format('A superuser can say GRANT USAGE ON SCHEMA cron TO %I;', current_user);
        END IF;
    ELSIF home IS NULL THEN
        RAISE EXCEPTION 'pg_cron is not running in this cluster'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format(E'Add pg_cron to shared_preload_libraries, set cron.database_name = %L, restart; then\nCREATE EXTENSION pg_cron; GRANT USAGE ON SCHEMA cron TO %I;',
                      current_database(), current_user) || crontab;
    ELSIF home <> current_database() THEN
        RAISE EXCEPTION 'pg_cron runs in database "%", not in "%"', home, current_database()
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format(E'A superuser can schedule it from there:\nSELECT cron.schedule_in_database(%L, %L, %L, %L, %L);',
                      -- a role has one job of a name in all databases
                      'churn@' || current_database() || substr(@extschema@.churn_job_name(study, task), 6), cron,
                      @extschema@.churn_job_command(study, task, 'schedule'), current_database(), current_user) || crontab;
    ELSE
        RAISE EXCEPTION 'the extension pg_cron has not been created'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format(E'As a superuser:\nCREATE EXTENSION pg_cron; GRANT USAGE ON SCHEMA cron TO %I;', current_user) || crontab;
    END IF;
END
$$;
COMMENT ON FUNCTION churn_demand_cron(text, text, text) IS 'support function of churn_schedule: 55000 where pg_cron is not, with the way to it and the crontab line that does the same; 42501 without USAGE on its schema';

CREATE FUNCTION churn_schedule(study text, task text, cron text) RETURNS bigint
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d @extschema@.churn_studies := @extschema@.churn_study_row(study);
    job bigint;
BEGIN
    PERFORM @extschema@.churn_run_stages(task);
    IF cron IS NULL THEN
        RAISE EXCEPTION 'cron must not be null'
            USING ERRCODE = 'null_value_not_allowed',
                  HINT = 'Minute, hour, day of the month, month, day of the week, in UTC: ''15 3 * * *'' is every night at 3:15.';
    END IF;
    PERFORM @extschema@.churn_demand_cron(d.study, task, cron);
    BEGIN
        EXECUTE 'SELECT cron.schedule($1, $2, $3)' INTO job
            USING @extschema@.churn_job_name(d.study, task), cron,
                @extschema@.churn_job_command(d.study, task, 'schedule');
    EXCEPTION WHEN invalid_parameter_value THEN
        RAISE EXCEPTION '%', SQLERRM
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Minute, hour, day of the month, month, day of the week, in UTC: ''15 3 * * *'' is every night at 3:15.';
    END;
    RETURN job;
END
$$;
COMMENT ON FUNCTION churn_schedule(text, text, text) IS 'run a task of a study by pg_cron, as the current user; cron is minute, hour, day of the month, month, day of the week, in pg_cron''s zone (UTC); the same task again replaces its time; returns pg_cron''s number of the job; errors: 55000 pg_cron is not here (with how to install it, or the database it is in, and the crontab line that does the same), 42501 no USAGE on schema cron, 22023 unknown task or a time that pg_cron does not read';

CREATE FUNCTION churn_unschedule(study text, task text) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    PERFORM @extschema@.churn_run_stages(task);
    PERFORM @extschema@.churn_demand_cron(study, task, '15 3 * * *');
    IF NOT EXISTS (SELECT FROM @extschema@.churn_jobs() AS j
                   WHERE j.study = churn_unschedule.study AND j.task = churn_unschedule.task
                       AND j.runs_as = current_user) THEN
        RAISE EXCEPTION 'task "%" of study "%" is not scheduled by %', task, coalesce(study, 'null'), quote_ident(current_user)
            USING ERRCODE = 'undefined_object',
                  HINT = 'churn_schedules lists what is; a job is taken back by the role that it runs as.';
    END IF;
    EXECUTE 'SELECT cron.unschedule($1::text::name)' USING @extschema@.churn_job_name(study, task);
END
$$;
COMMENT ON FUNCTION churn_unschedule(text, text) IS 'take back what churn_schedule said, as the same user; errors: 42704 no such job, 55000 pg_cron is not here, 22023 unknown task';

-- When does it run next? ---------------------------------------------------------

-- The values of one field of cron's five: *, numbers, names, ranges, steps,
-- lists; NULL for what is none of these.
CREATE FUNCTION churn_cron_field(field text, least_value int, greatest_value int, names text[] DEFAULT '{}') RETURNS int[]
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    part text;
    p text[];
    step int;
    lower_bound int;
    upper_bound int;
    found int[] := '{}';
BEGIN
    IF field IS NULL THEN
        RETURN NULL;
    END IF;
    FOREACH part IN ARRAY string_to_array(lower(field), ',') LOOP
        FOR i IN 1 .. cardinality(names) LOOP
            part := regexp_replace(part, '\m' || names[i] || '\M', (least_value + i - 1)::text, 'g');
        END LOOP;
        p := regexp_match(part, '^(?:(\*)|(\d{1,4})(?:-(\d{1,4}))?)(?:/(\d{1,4}))?$');
        IF p IS NULL THEN
            RETURN NULL;
        END IF;
        step := coalesce(p[4]::int, 1);
        lower_bound := CASE WHEN p[1] IS NOT NULL THEN least_value ELSE p[2]::int END;
        upper_bound := CASE WHEN p[1] IS NOT NULL THEN greatest_value ELSE coalesce(p[3]::int, lower_bound) END;
        IF step = 0 OR lower_bound < least_value OR upper_bound > greatest_value THEN
            RETURN NULL;
        END IF;
        found := found || ARRAY(SELECT generate_series(lower_bound, upper_bound, step));
    END LOOP;
    RETURN found;
END
$$;
COMMENT ON FUNCTION churn_cron_field(text, int, int, text[]) IS 'support function of churn_cron_next: the values that a field stands for';

CREATE FUNCTION churn_cron_next(cron text, after timestamptz) RETURNS timestamptz
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    f text[] := regexp_split_to_array(btrim(CASE lower(btrim(cron))
        WHEN '@hourly' THEN '0 * * * *' WHEN '@daily' THEN '0 0 * * *' WHEN '@midnight' THEN '0 0 * * *'
        WHEN '@weekly' THEN '0 0 * * 0' WHEN '@monthly' THEN '0 0 1 * *'
        WHEN '@yearly' THEN '0 0 1 1 *' WHEN '@annually' THEN '0 0 1 1 *' ELSE cron END), '\s+');
    minutes int[] := @extschema@.churn_cron_field(f[1], 0, 59);
    hours int[] := @extschema@.churn_cron_field(f[2], 0, 23);
    days int[] := @extschema@.churn_cron_field(f[3], 1, 31);
    months int[] := @extschema@.churn_cron_field(f[4], 1, 12, '{jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec}');
    weekdays int[] := @extschema@.churn_cron_field(f[5], 0, 7, '{sun,mon,tue,wed,thu,fri,sat}');
    -- both days restricted: either will do
    either boolean := f[3] NOT LIKE '*%' AND f[5] NOT LIKE '*%';
    start timestamp := date_trunc('minute', after AT TIME ZONE 'UTC') + interval '1 minute';
    day date;
    on_day boolean;
    on_weekday boolean;
    found time;
BEGIN
    IF cardinality(f) <> 5 OR minutes IS NULL OR hours IS NULL OR days IS NULL
       OR months IS NULL OR weekdays IS NULL OR NOT isfinite(after) THEN
        RETURN NULL;
    END IF;
    -- every 29 February comes within eight years
    FOR i IN 0 .. 8 * 366 LOOP
        day := start::date + i;
        CONTINUE WHEN extract(month FROM day) <> ALL (months);
        on_day := extract(day FROM day) = ANY (days);
        on_weekday := extract(dow FROM day) = ANY (weekdays) OR (extract(dow FROM day) = 0 AND 7 = ANY (weekdays));
        IF (on_day AND on_weekday) OR (either AND (on_day OR on_weekday)) THEN
            SELECT min(make_time(h, m, 0)) INTO found
            FROM unnest(hours) AS h, unnest(minutes) AS m
            WHERE day > start::date OR make_time(h, m, 0) >= start::time;
            IF found IS NOT NULL THEN
                RETURN (day + found) AT TIME ZONE 'UTC';
            END IF;
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION churn_cron_next(text, timestamptz) IS 'the first time after another at which a cron schedule, read in UTC, is due; NULL for one that is not five fields of *, numbers, names, ranges, steps and lists, or @hourly and the like';

-- What is scheduled ---------------------------------------------------------------

CREATE FUNCTION churn_jobs() RETURNS TABLE (job bigint, study text, task text,
    cron text, runs_as text, active boolean, cron_status text, cron_message text,
    cron_at timestamptz)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_extension AS e JOIN pg_namespace AS n ON n.nspname = 'cron'
                   WHERE e.extname = 'pg_cron' AND has_schema_privilege(n.oid, 'USAGE')) THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE
        'SELECT j.jobid, substr(j.jobname, length(''churn '' || t.task || '' '') + 1), t.task, j.schedule,'
        ' j.username, j.active, r.status, r.return_message, coalesce(r.start_time, r.end_time)'
        ' FROM (SELECT jobid, jobname::text AS jobname, schedule, command, username, active, database FROM cron.job) AS j'
        ' CROSS JOIN LATERAL (SELECT split_part(j.jobname, '' '', 2) AS task) AS t'
        ' LEFT JOIN LATERAL (SELECT d.* FROM cron.job_run_details AS d WHERE d.jobid = j.jobid'
        '   ORDER BY d.runid DESC LIMIT 1) AS r ON true'
        ' WHERE j.jobname LIKE ''churn %'' AND j.command LIKE ''CALL %churn_run(%'''
        ' AND j.database = current_database()';
END
$$;
COMMENT ON FUNCTION churn_jobs() IS 'support function of churn_schedules: jobs of pg_cron that churn_schedule made, as far as the caller may see them, and what pg_cron says of their last start';

CREATE VIEW churn_schedules WITH (security_barrier) AS
    SELECT j.job, j.study, j.task, j.cron, j.runs_as, j.active,
        CASE WHEN j.active THEN @extschema@.churn_cron_next(j.cron, pg_catalog.now()) END AS next_run,
        CASE WHEN c.never_began THEN coalesce(j.cron_at, r.started_at) ELSE r.started_at END AS last_run,
        CASE WHEN c.never_began THEN 'failed' ELSE r.outcome END AS outcome,
        CASE WHEN c.never_began THEN j.cron_message ELSE r.message END AS message
    FROM @extschema@.churn_jobs() AS j
    JOIN churn_studies AS s ON s.study OPERATOR(pg_catalog.=) j.study
    LEFT JOIN LATERAL (SELECT o.* FROM churn_runs AS o
        WHERE o.study OPERATOR(pg_catalog.=) j.study AND o.task OPERATOR(pg_catalog.=) j.task
            AND o.trigger OPERATOR(pg_catalog.=) 'schedule'
        ORDER BY o.id DESC LIMIT 1) AS r ON true
    -- pg_cron could not connect, or what it called failed before it began
    CROSS JOIN LATERAL (SELECT j.cron_status OPERATOR(pg_catalog.=) 'failed'
        AND (j.cron_at IS NULL OR r.started_at IS NULL OR r.started_at OPERATOR(pg_catalog.<) j.cron_at) AS never_began) AS c
    WHERE pg_catalog.pg_has_role(s.owner, 'MEMBER');
GRANT SELECT ON churn_schedules TO PUBLIC;
COMMENT ON VIEW churn_schedules IS 'what churn_schedule scheduled, as far as pg_cron shows it to the caller (own jobs; superusers see all): when it runs next (NULL where that cannot be told), when it last ran, and what became of it; failed with pg_cron''s message where the run did not begin';
