-- The short road on a small simulated shop, as a person sees it.
CREATE EXTENSION churn;
\set SHOW_CONTEXT never
SET datestyle = 'ISO';
CREATE TABLE events AS SELECT user_id, ts, kind, amount FROM churn_simulate(3000, 400, 1);
SELECT max(ts)::date + 1 AS today FROM events \gset
SET churn.today = :'today';

-- What churn means; what is not days is refused.
SELECT churn_create_study('shop', churn_window => '2 months');
SELECT churn_create_study('shop', churn_window => '60 days', active_window => '90 days');
SELECT churn_add_source('shop', 'events', user_column => 'user', time_column => 'ts', kind_column => 'kind');
SELECT churn_add_source('shop', 'events', user_column => 'user_id', time_column => 'ts',
    amount_column => 'amount', kind_column => 'kind', filter => 'amount > 0) OR (true');
SELECT churn_add_source('shop', 'events', user_column => 'user_id', time_column => 'ts',
    amount_column => 'amount', kind_column => 'kind');
SELECT * FROM churn_train('shop');
SELECT churn_alter_study('shop', active_window => '60 days', key_kinds => ARRAY['order']);
SELECT study, relations, meaning FROM churn_definitions;

-- Can it be learnt?
SELECT as_of, purpose, history_days, users, churned, stayed, round(churn_rate::numeric, 3) AS rate, verdict
FROM churn_feasible('shop');
SELECT stage, count(*), count(*) FILTER (WHERE churned) AS churned, min(unknown_reason) AS why
FROM churn_snapshot('shop', :'today'::date - 30) GROUP BY stage ORDER BY stage;
SELECT * FROM churn_train('shop', test_date => :'today'::date - 30);
SELECT churn_score(7);

-- Train: rows that do not count are told apart, windows that are too long left out.
INSERT INTO events VALUES (1, '2199-01-01', 'order', 1), (NULL, '2023-05-05', 'order', 1);
SELECT version, status, snapshots, rows, test_date, test_rows, round(auc::numeric, 2) AS auc,
    auc > recency_auc AS beats_recency, auc > key_days_auc AS beats_key_days, gate
FROM churn_train('shop', options => '{"encoding": "linear"}');
SELECT version, status, refit_of FROM churn_train('shop', snapshots => 1, options => '{"c": 0.001, "encoding": "linear", "refit": true}');
SELECT version, status, created_by = current_user::regrole AS mine FROM churn_models ORDER BY version;

-- Score and explain.
CALL churn_refresh('shop');
SELECT band, count(*), round(avg(score)::numeric, 1) AS score FROM shop_churn GROUP BY band ORDER BY 3;
SELECT user_id, round(score::numeric, 2) AS score, band, stage, round(value::numeric) AS value, reasons[1] AS because
FROM shop_churn WHERE band = 'critical' ORDER BY value_at_risk DESC LIMIT 3;
SELECT user_id AS one FROM shop_churn WHERE band = 'critical' ORDER BY value_at_risk DESC LIMIT 1 \gset
SELECT churn_score(:one) = score AS live_is_nightly FROM shop_churn WHERE user_id = :one;
SELECT feature, value, round(contribution::numeric, 2) AS contribution, phrase FROM churn_explain(:one) LIMIT 4;
SELECT feature, phrase FROM churn_explain(999999);
CALL churn_refresh('shop', '2199-01-01');

-- What goes away says so.
ALTER TABLE events RENAME TO events_2024;
CALL churn_refresh('shop');
SELECT churn_drop_study('shop');
SELECT churn_score(:one);
DROP TABLE events_2024;
DROP EXTENSION churn;
