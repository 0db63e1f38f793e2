-- churn_backtest is churn_train at other dates, and leaves no trace.
SET client_min_messages = warning;
SET timezone = 'UTC';
SELECT plan(31);
CREATE TABLE shop AS SELECT * FROM churn_simulate(2500, 480, 5, bots => false);
SET churn.today = '2024-04-25';
SELECT churn_create_study('shop', churn_window => '60 days', key_kinds => ARRAY['order']);
SELECT churn_add_source('shop', 'shop', user_column => 'user_id', time_column => 'ts', amount_column => 'amount',
    kind_column => 'kind', known_at_column => 'known_at');
\set options '{"folds": 0, "c": 0.01}'
CREATE TABLE trained AS SELECT * FROM churn_train('shop', options => :'options');
CREATE FUNCTION traces() RETURNS text LANGUAGE sql AS $$
    SELECT (SELECT md5(string_agg(s::text, ';' ORDER BY as_of, user_id)) FROM shop_snapshots AS s)
        || (SELECT string_agg(m.id || status || md5(model::text), ',' ORDER BY id) FROM churn_models AS m)
        || (SELECT s::text FROM churn_studies AS s WHERE study = 'shop')
        || (SELECT string_agg(relname || oid, ',' ORDER BY relname) FROM pg_class WHERE relname LIKE '%shop%') $$;
CREATE TABLE before AS SELECT traces();
CREATE TABLE past AS SELECT row_number() OVER () AS n, b.* FROM churn_backtest('shop', snapshots => 3, options => :'options') AS b;
SELECT is(traces(), (SELECT traces FROM before), 'no model, no champion, no other table, STUDY_snapshots and its view untouched');
SELECT is((SELECT array_agg(test_date ORDER BY n) FROM past),
    ARRAY(SELECT date '2024-04-24' - 60 - 30 * k FROM generate_series(5, 0, -1) AS k), 'six dates, a step apart, oldest first');
SELECT is_empty($$SELECT * FROM past WHERE auc IS NULL OR note IS NOT NULL$$, 'each was trained and tested');
SELECT is_empty($$SELECT test_date, s FROM past, unnest(snapshots) AS s WHERE s + 60 > test_date$$, 'training ends before the test begins');
SELECT ok(bool_and(auc > greatest(recency_auc, key_days_auc) - .02), 'no date below the baselines: ' || min(auc) || ' to ' || max(auc)) FROM past;
SELECT ok(bool_and(auc BETWEEN auc_lower AND auc_upper AND auc_upper - auc_lower BETWEEN .02 AND .12), 'intervals') FROM past;
SELECT ok(bool_and(abs(mean_score - test_churn_rate) < .12), 'mean score near the churn rate') FROM past;
SELECT is((SELECT count(DISTINCT auc) FROM past), 6::bigint, 'each date is a draw of its own');

-- the same figures as a training at that date
CREATE TABLE again AS SELECT * FROM churn_train('shop', options => :'options', snapshots => 3, test_date => '2023-12-26');
SELECT is(ROW(p.auc, p.ks, p.log_loss, p.top_decile_lift, round(p.mean_score::numeric, 12), p.test_churn_rate, p.recency_auc, p.key_days_auc, p.snapshots, p.rows, p.churn_rate, p.test_rows)::text,
    ROW(a.auc, a.ks, a.log_loss, a.top_decile_lift, round(a.mean_score::numeric, 12), a.test_churn_rate, a.recency_auc, a.key_days_auc, a.snapshots, a.rows, a.churn_rate, a.test_rows)::text,
    'bit for bit those of churn_train (the mean depends on the order of rows)') FROM past AS p, again AS a WHERE p.test_date = '2023-12-26';
SELECT is((SELECT count(*) FROM again), 1::bigint, 'which had a row');

-- what lies after the test is not seen: outcomes of the test aside
CREATE TABLE cut AS SELECT * FROM shop WHERE ts < '2023-12-26'::date + 60;
SELECT churn_create_study('cut', churn_window => '60 days', key_kinds => ARRAY['order'], complete_until => '2024-02-23');
SELECT churn_add_source('cut', 'cut', user_column => 'user_id', time_column => 'ts', amount_column => 'amount', kind_column => 'kind', known_at_column => 'known_at');
SELECT is((SELECT b.auc FROM churn_backtest('cut', '{2023-12-26}', snapshots => 3, options => :'options') AS b),
    (SELECT auc FROM past WHERE test_date = '2023-12-26'), 'a shop that ended there gives the same');

-- dates given
CREATE TABLE given AS SELECT * FROM churn_backtest('shop', '{2023-12-26, 2023-04-20, NULL, 2023-12-26}', snapshots => 3, options => :'options');
SELECT is((SELECT array_agg(test_date) FROM given), '{2023-04-20,2023-12-26}', 'each date once');
SELECT ok(auc IS NULL AND note LIKE 'fewer than 50 users%' OR note LIKE 'no training snapshot%', 'a date too early says so: ' || note) FROM given WHERE test_date = '2023-04-20';
SELECT is((SELECT auc FROM given WHERE test_date = '2023-12-26'), (SELECT auc FROM past WHERE test_date = '2023-12-26'), 'same date, same bits');
SELECT throws_ok($$SELECT * FROM churn_backtest('shop', '{2024-04-01}')$$, '22023', 'outcomes of 2024-04-01 are not known before 2024-05-31');
SELECT throws_ok($$SELECT * FROM churn_backtest('shop', '{}')$$, '22023');
SELECT throws_ok($$SELECT * FROM churn_backtest('shop', '{NULL}')$$, '22023');
SELECT throws_ok($$SELECT * FROM churn_backtest('shop', snapshots => 0)$$, '22023');
SELECT throws_ok($$SELECT * FROM churn_backtest('shop', step => '0 days')$$, '22023');
SELECT throws_ok($$SELECT * FROM churn_backtest('shop', step => '1 month')$$, '22023');
SELECT throws_ok($$SELECT * FROM churn_backtest('shop', options => '{"depth": 3}')$$, '22023');
SELECT throws_ok($$SELECT * FROM churn_backtest('none')$$, '42704');
SELECT throws_ok($$SELECT * FROM churn_backtest(NULL)$$, '22004');
SELECT ok(to_regclass('shop_staging') IS NULL AND to_regclass('shop_try_snapshots') IS NULL, 'errors leave nothing');
-- too little data
SET churn.today = '2023-04-20';
SELECT throws_ok($$SELECT * FROM churn_backtest('shop')$$, '55000', 'study "shop" has no date to test at');
-- names
SET churn.today = '2024-04-25';
SELECT churn_create_study(repeat('ü', 24), churn_window => '60 days', key_kinds => ARRAY['order'], schema => 'public');
SELECT churn_add_source(repeat('ü', 24), 'shop', user_column => 'user_id', time_column => 'ts', kind_column => 'kind');
SELECT is((SELECT count(auc) FROM churn_backtest(repeat('ü', 24), '{2024-02-24}', 1, options => :'options')), 1::bigint, 'a name of 48 bytes');
SELECT churn_drop_study(repeat('ü', 24));
-- rights
CREATE ROLE churn_backtest_stranger;
SET ROLE churn_backtest_stranger;
SELECT throws_ok($$SELECT * FROM churn_backtest('shop')$$, '42501');
RESET ROLE;
CREATE ROLE churn_backtest_owner;
GRANT CREATE, USAGE ON SCHEMA public TO churn_backtest_owner;
GRANT SELECT ON shop TO churn_backtest_owner;
SET ROLE churn_backtest_owner;
SELECT churn_create_study('theirs', churn_window => '60 days', key_kinds => ARRAY['order']);
SELECT churn_add_source('theirs', 'shop', user_column => 'user_id', time_column => 'ts', kind_column => 'kind');
SELECT is((SELECT count(auc) FROM churn_backtest('theirs', '{2024-02-24}', 1, options => :'options')), 1::bigint, 'its owner');
RESET ROLE;
SELECT is((SELECT count(auc) FROM churn_backtest('theirs', '{2024-02-24}', 1, options => :'options')), 1::bigint, 'a superuser, as the owner');
REVOKE SELECT ON shop FROM churn_backtest_owner;
SELECT throws_ok($$SELECT * FROM churn_backtest('theirs', '{2024-02-24}')$$, '42501', 'permission denied for table shop', 'without rights of the owner nobody reads the source');
SET ROLE churn_backtest_owner;
SELECT churn_drop_study('theirs');
RESET ROLE;
REVOKE ALL ON SCHEMA public FROM churn_backtest_owner;
DROP ROLE churn_backtest_owner, churn_backtest_stranger;
-- the next training takes over as ever
SELECT is((SELECT version FROM churn_train('shop', options => :'options')), 3, 'the next model has the next version');
SELECT * FROM finish();
