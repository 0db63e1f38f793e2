-- The whole road on a table or view "events" (user_id, ts, kind, amount):
-- what churn means, is it feasible, train, test, score, explain.
-- psql variables: source (retail or shop), active (interval of the active window).
\set QUIET on
\pset footer off
\pset border 1
\pset linestyle unicode
\pset null '-'
SET client_min_messages = warning;
SELECT :'source' = 'shop' AS simulated \gset

-- data that ended in the past: the day after its end stands for today
SELECT max(ts)::date AS today FROM events \gset
ALTER DATABASE churn_demo SET churn.today = :'today';
SET churn.today = :'today';

\echo
\echo '══ 1. The data ════════════════════════════════════════════════════════'
\echo
SELECT kind, to_char(count(*), 'FM999,999,999') AS events,
    to_char(count(DISTINCT user_id), 'FM999,999,999') AS users,
    min(ts)::date AS first, max(ts)::date AS last,
    to_char(sum(amount), 'FM999,999,999,990') AS money
FROM events GROUP BY kind ORDER BY count(*) DESC;

\echo '══ 2. What churn means here ═══════════════════════════════════════════'
\echo
SELECT churn_create_study('shop', churn_window => '90 days', lookback => '730 days',
    active_window => :active, key_kinds => ARRAY['order']) \g /dev/null
SELECT churn_add_source('shop', 'events', user_column => 'user_id',
    time_column => 'ts', kind_column => 'kind', amount_column => 'amount') \g /dev/null
SELECT meaning FROM churn_definitions WHERE study = 'shop';

\echo '══ 3. Can it be learnt? Snapshots and their base rates ════════════════'
\echo
SELECT coalesce(as_of::text, '') AS as_of, purpose, history_days AS history, users, churned, stayed,
    to_char(100 * churn_rate, '990.0') || ' %' AS rate, verdict
FROM churn_feasible('shop');

\echo '══ 4. Train on the past, test on what came after ══════════════════════'
\echo
CREATE TABLE training AS SELECT * FROM churn_train('shop');
SELECT version AS model, status, cardinality(snapshots) AS snapshots, rows,
    test_date AS "tested on", test_rows AS users,
    to_char(100 * test_churn_rate, '990.0') || ' %' AS "left",
    to_char(100 * mean_score, '990.0') || ' %' AS "predicted",
    round(ks::numeric, 3) AS ks, round(log_loss::numeric, 3) AS log_loss,
    round(top_decile_lift::numeric, 2) AS "lift of top 10 %"
FROM training;
\echo 'AUC: how often the model ranks somebody who left above somebody who stayed'
\echo
SELECT v.name AS "ranked by", to_char(v.auc, '0.000') AS auc,
    repeat('█', round((v.auc - .5) * 100)::int) AS "(.5 is a coin)"
FROM training, LATERAL (VALUES ('recency alone', recency_auc),
    ('order days alone', key_days_auc), ('the model', training.auc)) AS v (name, auc);

\if :simulated
\echo 'The shop is simulated, so the truth is known: each user''s own probability.'
\echo
WITH truth AS (
    SELECT churn_auc(t.p_no_order, s.churned) AS auc
    FROM shop_snapshots AS s
    JOIN training ON training.test_date = s.as_of
    JOIN churn_simulate_truth(20000, 540, 1,
        as_of => (SELECT test_date FROM training), window_days => 90) AS t USING (user_id)
    WHERE s.purpose = 'test'
)
SELECT to_char(truth.auc, '0.000') AS "AUC of the truth",
    to_char(100 * (training.auc - greatest(recency_auc, key_days_auc))
        / (truth.auc - greatest(recency_auc, key_days_auc)), '990') || ' %'
        AS "share of the way from the best baseline"
FROM truth, training;
\endif

\echo '══ 5. Score everybody ═════════════════════════════════════════════════'
\echo
CALL churn_refresh('shop');
SELECT band, to_char(count(*), 'FM999,999') AS users,
    to_char(100 * avg(score), '990.0') || ' %' AS "mean score",
    to_char(sum(value_at_risk), 'FM999,999,999,990') AS "value at risk"
FROM shop_churn GROUP BY band ORDER BY avg(score) DESC;

\echo '══ 6. Ten users worth a call today, and why ═══════════════════════════'
\echo
SELECT user_id AS "user", to_char(100 * score, '990') || ' %' AS leaves, band, stage,
    to_char(value, 'FM999,999,990') AS "a year",
    to_char(value_at_risk, 'FM999,999,990') AS "at risk",
    array_to_string(reasons, E'\n') AS "because"
FROM shop_churn WHERE band IN ('high', 'critical')
ORDER BY value_at_risk DESC NULLS LAST, user_id LIMIT 10;

\echo '══ 7. One of them, asked live: SELECT churn_score(user_id) ════════════'
\echo
SELECT user_id AS one FROM shop_churn WHERE band IN ('high', 'critical')
ORDER BY value_at_risk DESC NULLS LAST, user_id LIMIT 1 \gset
SELECT :'one' AS "user", round(churn_score(:'one')::numeric, 4) AS score;
SELECT phrase, to_char(contribution, 'S990.00') AS "log-odds",
    repeat(CASE WHEN contribution > 0 THEN '▲' ELSE '▽' END,
        least(30, round(abs(contribution) * 20))::int) AS "▲ raises, ▽ lowers"
FROM churn_explain(:'one') LIMIT 9;
\echo 'Base and contributions of all features add up to the log-odds of the score.'
