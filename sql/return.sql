-- What an analyst sees when choosing a churn window.
SET client_min_messages = warning;
CREATE EXTENSION churn;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
SET churn.today = '2024-03-31';
CREATE TABLE purchase (customer text, day date);
INSERT INTO purchase VALUES ('ann', '2024-01-01'), ('ann', '2024-01-03'), ('ann', '2024-01-03'), ('ann', '2024-01-08'),
    ('bob', '2024-01-02'), ('bob', '2024-01-12'), ('cy', '2024-01-05'), ('cy', '2024-03-25'), ('cy', '2024-03-30');
SELECT churn_create_study('small', churn_window => '30 days');
SELECT churn_add_source('small', 'purchase', 'customer', 'day', kind => 'order');
RESET client_min_messages;

-- gaps 2, 5, 10, 80, 5 ended; 82, 78, 0 are open
SELECT day, at_risk, ended, open, round(share_gaps::numeric, 4) AS gaps, round(share_users::numeric, 4) AS users,
    round(returned::numeric, 4) AS returned, round(lower::numeric, 4) AS lower, round(upper::numeric, 4) AS upper,
    round(return_after::numeric, 4) AS return_after, elbow
FROM churn_return_curve('small') WHERE ended + open > 0 OR day = 1;

-- the state is a value
SELECT churn_survival(d, e) FROM (VALUES (2, true), (4, false), (2, true), (NULL, true)) AS v (d, e);
SELECT * FROM churn_survival_curve('{{0,0},{0,0},{2,0},{0,0},{0,1}}');

-- candidates that the data cannot carry say so
\x on
SELECT * FROM churn_window_table('small', '{10 days, 200 days}');
\x off

-- messages
\set SHOW_CONTEXT never
SELECT * FROM churn_window_table('small', '{1 month}');
SELECT * FROM churn_return_curve('small', 95);
SELECT * FROM churn_backtest('small', '{2024-03-30}');
SELECT * FROM churn_backtest('small');
SELECT churn_survival(-1, true);
SELECT * FROM churn_survival_curve('{1,2}');
SELECT * FROM churn_return_curve('large');
SET churn.today = '2023-12-01';
SELECT * FROM churn_return_curve('small');
SET client_min_messages = warning;
SELECT churn_drop_study('small');
DROP TABLE purchase;
DROP EXTENSION churn;
