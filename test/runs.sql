-- churn_run and churn_runs: what is recorded, whatever becomes of a run; what
-- is refused before any work; rights; when cron is next due; churn_status.
\set ECHO none
SET client_min_messages = error;
SELECT no_plan();

-- ---- refused before any work ----
SELECT throws_ok($$CALL churn_run('none', 'refresh')$$, '2D000', 'churn_run cannot work inside a transaction block or a function');
\set VERBOSITY sqlstate
BEGIN;
\set ON_ERROR_STOP off
CALL churn_run('none', 'refresh');
\set ON_ERROR_STOP on
ROLLBACK;
SELECT :'LAST_ERROR_SQLSTATE' AS state \gset block_
\set ON_ERROR_STOP off
CALL churn_run('none', 'refresh');
\set ON_ERROR_STOP on
SELECT :'LAST_ERROR_SQLSTATE' AS state \gset none_
SELECT churn_create_study('shop', '60 days', key_kinds => '{order}', windows => '{7,30,90}') \g /dev/null
\set ON_ERROR_STOP off
CALL churn_run('shop', 'weekly');
\set ON_ERROR_STOP on
SELECT :'LAST_ERROR_SQLSTATE' AS state, :'LAST_ERROR_MESSAGE' AS message \gset task_
\set ON_ERROR_STOP off
CALL churn_run('shop', NULL);
\set ON_ERROR_STOP on
SELECT :'LAST_ERROR_SQLSTATE' AS state \gset null_
\set ON_ERROR_STOP off
CALL churn_run(NULL, 'refresh');
\set ON_ERROR_STOP on
SELECT :'LAST_ERROR_SQLSTATE' AS state, :'LAST_ERROR_MESSAGE' AS message \gset nobody_
SELECT is(:'block_state'::text, '2D000', 'in a transaction block');
SELECT is(:'none_state'::text, '42704', 'no such study');
SELECT is(:'task_state'::text, '22023', 'an unknown task');
SELECT is(:'task_message'::text, 'unknown task "weekly"', 'is named');
SELECT is(:'null_state'::text, '22004', 'no task');
SELECT is(:'nobody_state' || :'nobody_message', '22004study must not be null', 'no study');
SELECT is(count(*), 0::bigint, 'none of this is a run') FROM churn_runs;
SELECT throws_ok('SELECT churn_run_stages(''weekly'')', '22023', 'unknown task "weekly"');
SELECT is((churn_run_stages('nightly'))[1], 'refresh', 'a night begins with a refresh');
SELECT is(churn_run_stages('retrain'), '{retrain}', 'one stage');

-- ---- what is recorded ----
CREATE TABLE shop AS SELECT user_id, ts, kind, amount FROM churn_simulate(1500, 300, 3, late_arrivals => false);
SELECT max(ts)::date - 20 AS today FROM shop \gset
SET churn.today = :'today';
SELECT churn_add_source('shop', 'shop', 'user_id', 'ts', 'amount', kind_column => 'kind') \g /dev/null
\set ON_ERROR_STOP off
CALL churn_run('shop', 'refresh');
\set ON_ERROR_STOP on
SELECT :'LAST_ERROR_SQLSTATE' AS state \gset first_
SELECT is(:'first_state'::text, '55000', 'the error of a stage is raised again');
SELECT is((task, trigger, who, outcome, stage, sqlstate, message)::text, ROW('refresh'::text, 'hand'::text, session_user::text, 'failed'::text, 'refresh'::text, '55000'::text, 'study "shop" has no champion'::text)::text, 'and recorded') FROM churn_runs;
SELECT ok(pid = pg_backend_pid() AND ended_at >= started_at AND as_of IS NULL AND rows = '{}', 'by whom and when') FROM churn_runs;
SELECT churn_train('shop', snapshots => 1, options => '{"c": 0.001, "encoding": "linear"}') \g /dev/null
SELECT churn_promote('shop', 1, force => true, reason => 'a test') FROM churn_models WHERE status <> 'champion' \g /dev/null
CALL churn_run('shop', 'refresh', :'today'::date - 1, 'a test');
SELECT is((outcome, stage, sqlstate, message, trigger, as_of)::text, format('(done,,,,"a test",%s)', :'today'::date - 1), 'one that is done, as of a date') FROM churn_runs WHERE id = (SELECT max(id) FROM churn_runs);
SELECT is((rows ->> 'refresh')::bigint, (SELECT count(*) FROM shop_scores WHERE as_of = :'today'::date - 1), 'it says how many users were scored') FROM churn_runs WHERE id = (SELECT max(id) FROM churn_runs);
SELECT cmp_ok((rows ->> 'refresh')::bigint, '>', 100::bigint, 'many') FROM churn_runs WHERE id = (SELECT max(id) FROM churn_runs);
SELECT ok((seconds ->> 'refresh')::numeric BETWEEN 0 AND extract(epoch FROM ended_at - started_at)::numeric + .002, 'in how many seconds') FROM churn_runs WHERE id = (SELECT max(id) FROM churn_runs);
SELECT cmp_ok(memory, '>', 1e6::bigint, 'with how much memory') FROM churn_runs WHERE id = (SELECT max(id) FROM churn_runs);
CALL churn_run('shop', 'retrain');
SELECT is(count(*), 2::bigint, 'retrain is a new model') FROM churn_models;
SELECT is((SELECT (metrics -> 'options')::text || (metrics -> 'snapshots')::text FROM churn_models WHERE version = 2), (SELECT (metrics -> 'options')::text || (metrics -> 'snapshots')::text FROM churn_models WHERE version = 1), 'trained as the champion was');

-- ---- stages of others, by name ----
SELECT to_regprocedure('churn_monitor_owned(text, date)') IS NOT NULL AS has_monitor \gset
\if :has_monitor
\else
\set ON_ERROR_STOP off
CALL churn_run('shop', 'monitor');
\set ON_ERROR_STOP on
SELECT is(:'LAST_ERROR_SQLSTATE'::text, '0A000', 'a task that is not there');
CALL churn_run('shop', 'nightly');
SELECT is((outcome, rows -> 'retrain')::text, '(done,null)', 'a night trains nothing without a policy') FROM churn_runs WHERE id = (SELECT max(id) FROM churn_runs);
SELECT is(open_alerts, NULL, 'nothing watches') FROM churn_status;
CREATE TABLE churn_policies AS SELECT 'shop'::text AS study;
CREATE FUNCTION churn_monitor_owned(study text, as_of date) RETURNS int LANGUAGE plpgsql AS $$ BEGIN
	IF current_setting('test.wait', true) = 'yes' THEN PERFORM pg_sleep(60); END IF;
	RAISE EXCEPTION 'cannot watch %', study USING ERRCODE = '22012'; END $$;
CREATE FUNCTION churn_retrain_owned(study text, as_of date) RETURNS SETOF int LANGUAGE sql AS 'SELECT generate_series(1, 3)';
\set ON_ERROR_STOP off
CALL churn_run('shop', 'nightly');
\set ON_ERROR_STOP on
SELECT :'LAST_ERROR_SQLSTATE' AS state \gset night_
SELECT is(:'night_state'::text, '22012', 'the first error of a night is raised');
SELECT is((outcome, stage, sqlstate, message)::text, '(failed,monitor,22012,"cannot watch shop")', 'and recorded') FROM churn_runs WHERE id = (SELECT max(id) FROM churn_runs);
SELECT ok(rows ?& '{refresh,retrain}' AND NOT rows ? 'monitor' AND rows ->> 'retrain' = '3', 'the stages before and after are done') FROM churn_runs WHERE id = (SELECT max(id) FROM churn_runs);
SET test.wait = 'yes';
SET statement_timeout = '1s';
\set ON_ERROR_STOP off
CALL churn_run('shop', 'nightly');
\set ON_ERROR_STOP on
RESET statement_timeout;
SELECT is((outcome, stage, sqlstate, rows ? 'refresh', rows ? 'retrain')::text, '(cancelled,monitor,57014,t,f)', 'a timeout ends the night; what was committed stays') FROM churn_runs WHERE id = (SELECT max(id) FROM churn_runs);
DELETE FROM churn_policies;
CALL churn_run('shop', 'retrain');
SELECT is((rows ->> 'retrain')::int || ' ' || (SELECT count(*) FROM churn_models), '1 3', 'without a policy a retraining that is asked for is done as before') FROM churn_runs WHERE id = (SELECT max(id) FROM churn_runs);
DROP FUNCTION churn_monitor_owned, churn_retrain_owned; DROP TABLE churn_policies;
\endif
\set VERBOSITY default
SELECT is(churn_worker('shop'), NULL, 'nobody holds the lock');

-- ---- one that died, one that is at work ----
INSERT INTO churn_runs (study, task, trigger) VALUES ('shop', 'refresh', 'hand');
SELECT is(last_outcome, 'died', 'churn_status: recorded as running, but nobody holds its lock') FROM churn_status;
SELECT pg_advisory_lock(churn_work_lock_key('shop')) \g /dev/null
SELECT is(churn_worker('shop'), pg_backend_pid(), 'the lock''s key is known to SQL');
SELECT is(last_outcome, 'running', 'somebody holds it') FROM churn_status;
SELECT pg_advisory_unlock(churn_work_lock_key('shop')) \g /dev/null
CALL churn_run('shop', 'refresh');
SELECT is((SELECT array_agg(outcome) FROM (SELECT outcome FROM churn_runs ORDER BY id DESC LIMIT 2) r), '{done,died}', 'the next run marks it');

-- ---- forgetting ----
SELECT throws_ok('SELECT churn_forget_runs(''shop'', ''-1 day'')', '22023');
SELECT is(churn_forget_runs('shop'), 0::bigint, 'nothing is a year old');
SELECT is((SELECT count(*) FROM churn_runs), churn_forget_runs('shop', '0'), 'all are older than nothing');
CALL churn_run('shop', 'refresh');
UPDATE churn_runs SET started_at = now() - interval '2 years';
CALL churn_run('shop', 'refresh');
SELECT is(count(*), 1::bigint, 'a run forgets what is older than a year') FROM churn_runs;

-- ---- churn_status ----
SELECT is((study, champion, users_scored, scores_as_of, scores_age_days, last_task, last_outcome, next_run)::text,
	format('(shop,1,%s,%s,0,refresh,done,)', (SELECT count(*) FROM shop_scores), :'today'), 'churn_status') FROM churn_status;
SELECT ok(table_bytes = pg_total_relation_size('shop_history') + pg_total_relation_size('shop_scores') + pg_total_relation_size('shop_score_log') + pg_total_relation_size('shop_snapshots')
	AND model_bytes > 0, 'sizes') FROM churn_status;

-- ---- when cron is next due ----
SELECT is(churn_cron_next(cron, '2024-02-28 03:15:20Z'), due::timestamptz, cron) FROM (VALUES
	('15 3 * * *', '2024-02-29 03:15Z'), ('16 3 * * *', '2024-02-28 03:16Z'), ('*/5 * * * *', '2024-02-28 03:20Z'),
	('0 0 29 2 *', '2024-02-29 00:00Z'), ('0 0 29 feb *', '2024-02-29 00:00Z'), ('0 0 30 2 *', NULL),
	('0 0 1 * mon', '2024-03-01 00:00Z'), ('0 0 7 * 1', '2024-03-04 00:00Z'), ('0 0 * * 7', '2024-03-03 00:00Z'), ('0 0 * * sun', '2024-03-03 00:00Z'),
	('1-10/3 3 * * wed', '2024-03-06 03:01Z'), ('5,50 3 * * *', '2024-02-28 03:50Z'), ('0 12 1 1-12/6 *', '2024-07-01 12:00Z'),
	('@hourly', '2024-02-28 04:00Z'), (' @Monthly ', '2024-03-01 00:00Z'), ('@reboot', NULL), ('30 seconds', NULL), ('60 * * * *', NULL), ('* * * *', NULL),
	('* * * * * *', NULL), ('*/0 * * * *', NULL), ('', NULL), (NULL, NULL), ('99999999999 * * * *', NULL)) v (cron, due);

-- ---- without pg_cron ----
SELECT throws_ok($$SELECT churn_schedule('shop', 'weekly', '* * * * *')$$, '22023', 'unknown task "weekly"');
SELECT throws_ok($$SELECT churn_schedule('none', 'nightly', '* * * * *')$$, '42704', 'study "none" does not exist');
SELECT throws_ok($$SELECT churn_schedule('shop', 'nightly', NULL)$$, '22004', 'cron must not be null');
SELECT churn_cron_database() IS NULL AS without_cron \gset
\if :without_cron
SELECT throws_ok($$SELECT churn_schedule('shop', 'nightly', '15 3 * * *')$$, '55000', 'pg_cron is not running in this cluster');
SELECT throws_ok($$SELECT churn_unschedule('shop', 'nightly')$$, '55000', 'pg_cron is not running in this cluster');
\endif
SELECT is(count(*), 0::bigint, 'nothing is scheduled') FROM churn_schedules;
SELECT matches(churn_crontab_line('shop', 'nightly', '15 3 * * *'), '^15 3 \* \* \* psql -X -d ''.*'' -c ''CALL .*churn_run', 'the crontab line');
SELECT is(churn_crontab_line(E'two\nlines', 'nightly', '15 3 * * *'), NULL, 'none for a name with a line break');

-- ---- rights ----
CREATE ROLE churn_r_owner; CREATE ROLE churn_r_member IN ROLE churn_r_owner; CREATE ROLE churn_r_stranger;
GRANT SELECT ON shop TO churn_r_owner;
CREATE SCHEMA r AUTHORIZATION churn_r_owner;
SET ROLE churn_r_owner;
SELECT churn_create_study('theirs', '60 days', key_kinds => '{order}', schema => 'r') \g /dev/null
SELECT churn_add_source('theirs', 'shop', 'user_id', 'ts', kind_column => 'kind') \g /dev/null
\set VERBOSITY sqlstate
\set ON_ERROR_STOP off
CALL churn_run('shop', 'refresh');
\set ON_ERROR_STOP on
SELECT :'LAST_ERROR_SQLSTATE' AS state \gset stranger_
\set ON_ERROR_STOP off
CALL churn_run('theirs', 'refresh');
\set ON_ERROR_STOP on
SELECT :'LAST_ERROR_SQLSTATE' AS state \gset owner_
SELECT is(:'stranger_state'::text, '42501', 'no run of somebody else''s study');
SELECT is(:'owner_state'::text, '55000', 'one of their own');
SELECT is((SELECT string_agg(study, ' ') FROM churn_runs), 'theirs', 'they see their runs only');
SELECT is((SELECT string_agg(study, ' ') FROM churn_status), 'theirs', 'and their status');
SELECT throws_ok($$INSERT INTO churn_runs (study, task, trigger) VALUES ('shop', 'refresh', 'hand')$$, '42501', NULL, 'nobody records a run of another study');
SELECT throws_ok($$INSERT INTO churn_runs (study, task, trigger, who) VALUES ('theirs', 'refresh', 'hand', 'postgres')$$, '42501', NULL, 'nor in another name');
SELECT throws_ok($$SELECT churn_schedule('shop', 'nightly', '15 3 * * *')$$, '42501', 'permission denied for study "shop"');
SET ROLE churn_r_member;
\set ON_ERROR_STOP off
CALL churn_run('theirs', 'refresh');
\set ON_ERROR_STOP on
SELECT :'LAST_ERROR_SQLSTATE' AS state \gset member_
SELECT is(:'member_state'::text, '55000', 'a member runs it too');
SET ROLE churn_r_stranger;
\set ON_ERROR_STOP off
CALL churn_run('theirs', 'refresh');
\set ON_ERROR_STOP on
SELECT :'LAST_ERROR_SQLSTATE' AS state \gset stranger_
SELECT is(:'stranger_state'::text, '42501', 'a stranger does not');
SELECT is((SELECT count(*) FROM churn_runs) + (SELECT count(*) FROM churn_status) + (SELECT count(*) FROM churn_schedules), 0::bigint, 'and sees nothing');
RESET ROLE;
-- what a study stores runs with its owner's rights, whoever runs the task
SET ROLE churn_r_owner;
CREATE VIEW r.peek AS SELECT * FROM shop;
CREATE FUNCTION r.whoami(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'as %', current_user USING ERRCODE = '22000'; END $$;
CREATE OR REPLACE VIEW r.peek AS SELECT user_id, ts, r.whoami(kind) AS kind, amount FROM shop;
SELECT churn_create_study('trap', '60 days', key_kinds => '{order}', schema => 'r') \g /dev/null
CREATE TABLE r.later (user_id bigint, ts timestamptz, kind text);
SELECT churn_add_source('trap', 'r.later', 'user_id', 'ts', kind_column => 'kind') \g /dev/null
DROP TABLE r.later;
ALTER VIEW r.peek RENAME TO later;
RESET ROLE;
\set ON_ERROR_STOP off
CALL churn_run('trap', 'retrain');
\set ON_ERROR_STOP on
SELECT is((who, outcome, message)::text, format('(%s,failed,"as churn_r_owner")', session_user), 'a superuser''s run works as the owner') FROM churn_runs WHERE study = 'trap';
\set VERBOSITY default
SELECT churn_drop_study('theirs'), churn_drop_study('trap') \g /dev/null
SELECT is(count(*), 0::bigint, 'runs go with their study') FROM churn_runs WHERE study <> 'shop';
DROP OWNED BY churn_r_owner; DROP ROLE churn_r_member, churn_r_owner, churn_r_stranger;
SELECT * FROM finish();
