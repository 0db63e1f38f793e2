-- A year of nights in a simulated shop: refresh, monitor, retrain, a night at
-- a time, with two faults at known days.
--   (a) the views of half the users are lost for 40 days;
--   (b) from a day on everybody's hazard of leaving is doubled, and nothing in
--       their behaviour says so beforehand.
-- Prints days to the first alert of each fault, alerts on stable days, what
-- retraining did, and nights without scores.
--
-- psql -f bench/year.sql [-v users=6000] [-v seasons=true]
\set ON_ERROR_STOP on
\set QUIET on
\if :{?users} \else \set users 6000 \endif
\if :{?seasons} \else \set seasons true \endif
SET client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS churn;
\set first '''2024-02-05'''
\set lost '''2024-06-10'''
\set found '''2024-07-20'''
\set doubled '''2024-10-01'''
\set last '''2025-02-04'''

CREATE TABLE events AS
SELECT e.user_id, e.ts, e.kind, e.amount
FROM churn_simulate(:users, 800, 11, late_arrivals => false, seasons => :seasons) AS e
JOIN LATERAL (
    -- a second chance of leaving, at the user's own hazard, from the day on
    SELECT greatest(t.joined_day, date :doubled)
        + (-ln(1 - churn_key_share(t.user_id::text, 'leaves')) / nullif(t.dropout_rate, 0)) * interval '1 day' AS leaves
    FROM (SELECT * FROM churn_simulate_truth(:users, 800, 11, late_arrivals => false, seasons => :seasons) OFFSET 0) AS t
    WHERE t.user_id = e.user_id) AS x ON e.ts < coalesce(x.leaves, 'infinity') OR e.kind IN ('refund', 'ticket')
WHERE NOT (e.kind = 'view' AND e.user_id % 2 = 0 AND e.ts >= :lost AND e.ts < :found);
CREATE INDEX ON events (ts);
ANALYZE events;

SET churn.today = :first;
SELECT churn_create_study('shop', '60 days', key_kinds => '{order}', windows => '{7,30,90}', holdout_share => .1) \g /dev/null
SELECT churn_add_source('shop', 'events', 'user_id', 'ts', 'amount', kind_column => 'kind') \g /dev/null
SELECT churn_set_policy('shop', every => '90 days', on_alert => '{base_rate,churn_excess,realised_auc,realised_calibration}',
    auto_promote => true, options => '{"c": 0.001, "encoding": "linear"}') \g /dev/null
SELECT * FROM churn_retrain('shop') \g /dev/null
SELECT 'first model: ' || status || ', AUC ' || round(test_auc::numeric, 3) || ', users in its test: ' || test_rows AS " " FROM churn_registry;

CREATE TABLE nights (day date, scored bigint, champion int);
\o /dev/null
SELECT format('SET churn.today = %L', d::date), 'CALL churn_refresh(''shop'')',
    'SELECT count(*) FROM churn_monitor(''shop'')', 'SELECT * FROM churn_retrain(''shop'')',
    format('INSERT INTO nights SELECT %L, (SELECT count(*) FROM shop_scores WHERE as_of = %1$L), (SELECT version FROM churn_models WHERE status = ''champion'')', d::date)
FROM generate_series(date :first, :last, '1 day') AS d \gexec
\o

\echo 'alerts'
SELECT id, what, subject, model_version AS model, since, opened_on, closed_on, measured,
    CASE WHEN opened_on >= :lost AND opened_on < date :found + 30 THEN 'fault (a)'
         WHEN opened_on >= :doubled THEN 'fault (b)' ELSE 'stable' END AS when_
FROM churn_alerts ORDER BY id;
SELECT 'fault (a): days to the first alert of drift' AS figure,
    (SELECT min(opened_on) - date :lost FROM churn_alerts WHERE what ~ 'drift' AND opened_on >= :lost AND opened_on < :found)::text AS value
UNION ALL SELECT 'fault (b): days from the fault to the first matured labels', 60::text
UNION ALL SELECT 'fault (b): days from the fault to the first alert',
    (SELECT min(opened_on) - date :doubled FROM churn_alerts WHERE what IN ('base_rate', 'churn_excess', 'realised_auc', 'realised_calibration') AND opened_on >= :doubled)::text
UNION ALL SELECT 'stable days', count(*)::text FROM nights
    WHERE NOT (day >= :lost AND day < date :found + 30) AND day < :doubled
UNION ALL SELECT 'alerts on stable days', count(*)::text FROM churn_alerts
    WHERE NOT (opened_on >= :lost AND opened_on < date :found + 30) AND opened_on < :doubled
UNION ALL SELECT 'nights without scores or champion', count(*)::text FROM nights WHERE scored = 0 OR champion IS NULL
UNION ALL SELECT 'expected less realised AUC, mean over ' || count(*) || ' logs of unfaulted weeks', round(avg(abs(e.value - r.value))::numeric, 4)::text
    FROM churn_monitoring r JOIN churn_monitoring e ON e.as_of = r.as_of AND e.what = 'expected_auc' AND e.model_version = r.model_version
    WHERE r.what = 'realised_auc' AND r.subject = 'all' AND NOT (r.as_of >= :lost AND r.as_of < date :found + 30) AND r.as_of < date :doubled - 60;
\echo 'churn rate of the newest labelled date, and what scores do not account for, against a year ago'
SELECT to_char(b.as_of, 'YYYY-MM') AS month, round(avg(b.value)::numeric, 3) AS churn_rate, round(avg(b.reference)::numeric, 3) AS of_the_test, round(avg(b.threshold)::numeric, 3) AS within,
    round(avg(x.value)::numeric, 3) AS excess, round(avg(x.reference)::numeric, 3) AS a_year_ago, round(avg(x.threshold)::numeric, 3) AS within_
FROM churn_monitoring b JOIN churn_monitoring x USING (study, as_of, model_version) WHERE b.what = 'base_rate' AND x.what = 'churn_excess' GROUP BY 1 ORDER BY 1;
\echo 'retraining'
SELECT as_of, due, version, status, promoted, champion, round((compared #>> '{0,auc_difference}')::numeric, 4) AS auc_difference,
    round((compared #>> '{0,log_loss_difference}')::numeric, 4) AS log_loss_difference, left(reason, 90) AS reason
FROM churn_retrainings ORDER BY id;
\echo 'the champion by month'
SELECT to_char(r.as_of, 'YYYY-MM') AS month, count(*) AS logs, string_agg(DISTINCT r.model_version::text, ',') AS models, round(avg(r.value)::numeric, 3) AS realised_auc,
    round(avg(c.value)::numeric, 3) AS score_less_churn_rate
FROM churn_monitoring r JOIN churn_monitoring c USING (study, as_of, subject, model_version)
WHERE r.what = 'realised_auc' AND c.what = 'realised_calibration' AND r.subject = 'all' GROUP BY 1 ORDER BY 1;
