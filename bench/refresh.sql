-- Stored histories: a refresh after 1 % new events against a full build and
-- against the scoring pass alone; live scores with and without them against
-- the look-up of the rows that they read; features and scores of everybody.
\echo
\echo == refresh
SELECT * FROM bench_settings;

-- The last hundredth of the events comes later.
SELECT percentile_disc(.99) WITHIN GROUP (ORDER BY ts) AS cut, max(ts)::date AS today FROM events \gset
CREATE UNLOGGED TABLE shop AS SELECT * FROM events WHERE ts < :'cut' ORDER BY ts;
CREATE INDEX shop_ts ON shop (ts);
CREATE INDEX shop_user ON shop (user_id, ts);
VACUUM ANALYZE shop;
SET churn.today = :'today';
SELECT churn_create_study('bench', churn_window => '60 days', key_kinds => '{order}') \g /dev/null
SELECT churn_add_source('bench', 'shop', 'user_id', 'ts', 'amount', kind_column => 'kind') \g /dev/null
SELECT version, status, auc FROM churn_train('bench', snapshots => 1, options => '{"encoding": "pairs", "c": 0.01}');
UPDATE churn_models SET status = 'champion' WHERE study = 'bench';

-- Seconds of a statement that is rolled back
CREATE PROCEDURE bench_undone(what text, side text, statement text, runs int)
LANGUAGE plpgsql AS $$
DECLARE
    began timestamptz;
    took float8;
BEGIN
    FOR run IN 0 .. runs LOOP
        BEGIN
            began := clock_timestamp();
            EXECUTE statement;
            took := extract(epoch FROM clock_timestamp() - began);
            RAISE 'undo' USING ERRCODE = 'ZZ999';
        EXCEPTION WHEN SQLSTATE 'ZZ999' THEN NULL;
        END;
        IF run > 0 THEN
            INSERT INTO bench_runs VALUES (what, side, run, took);
        END IF;
    END LOOP;
END $$;

-- From nothing; then what is new, with and without an index on the time
CALL churn_refresh('bench');
SELECT pg_size_pretty(pg_table_size('bench_history')) AS stored_histories,
    pg_size_pretty(pg_table_size('shop')) AS events,
    round(100.0 * pg_table_size('bench_history') / pg_table_size('shop'), 1) AS percent, '<= 15' AS aim;
INSERT INTO shop SELECT * FROM events WHERE ts >= :'cut';
VACUUM ANALYZE shop;
SELECT format('SELECT churn_load_new(s, %L, 3) FROM churn_studies AS s WHERE study = ''bench''', :'today') AS load,
    format('SELECT churn_refresh_scores(s, %L) FROM churn_studies AS s WHERE study = ''bench''', :'today') AS scores \gset
CALL bench_undone('refresh: 1 % new events, index on time', 'ours', :'load', :runs);
CALL bench_undone('refresh: scoring pass', 'ours', :'scores', :runs);
DROP INDEX shop_ts;
CALL bench_undone('refresh: 1 % new events, no such index', 'ours', :'load', :runs);
VACUUM bench_history;
CALL bench_undone('refresh: full build', 'theirs', 'SELECT churn_rebuild(''bench'')', :runs);
INSERT INTO bench_runs SELECT w.what, f.side, f.run, f.seconds
FROM bench_runs AS f, (SELECT DISTINCT what FROM bench_runs WHERE what ~ '^refresh' AND side = 'ours') AS w
WHERE f.what = 'refresh: full build';
VACUUM bench_history;
CALL churn_refresh('bench');
SELECT what, runs, ours, theirs AS full_build, round(100 * ours_per_theirs, 1) AS percent,
    CASE WHEN what ~ 'on time' THEN '<= 5' END AS aim
FROM bench_report('refresh') ORDER BY what;

-- Features and the champion's score (pairs) of everybody from their stored
-- histories, without reasons: users a second
SELECT format('SELECT churn_predict(%L::churn_model, history, %L) FROM bench_history', model, :'today') AS predict
FROM churn_models WHERE study = 'bench' \gset
CALL bench_pair('score all: features and score', ARRAY[:'predict'], ARRAY['SELECT history FROM bench_history'], :runs);
SELECT (SELECT count(*) FROM bench_history) AS users, round(avg(churn_event_count(history))) AS events_each,
    (SELECT round((SELECT count(*) FROM bench_history) / percentile_cont(.5) WITHIN GROUP (ORDER BY seconds)) FROM bench_runs WHERE what ~ '^score all' AND side = 'ours') AS users_a_second,
    '>= 200000' AS aim
FROM bench_history;
