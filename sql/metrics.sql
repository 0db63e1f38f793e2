-- What an analyst sees of the metrics and curves.
\pset null NULL
SET client_min_messages = warning;
CREATE EXTENSION churn;
RESET client_min_messages;
SET extra_float_digits = -9;
CREATE TABLE scored (user_id int, score float8, churned boolean);
INSERT INTO scored VALUES
    (1, .9, true), (2, .8, true), (3, .8, false), (4, .6, true), (5, .5, false), (6, .5, false),
    (7, .4, true), (8, .3, false), (9, .2, false), (10, .1, false), (11, NULL, true), (12, .7, NULL);

SELECT churn_auc(score, churned) AS auc, churn_ks(score, churned) AS ks, churn_lift(score, churned, .2) AS lift,
       churn_precision_at(score, churned, 3) AS precision_3, churn_recall_at(score, churned, .5) AS recall_half
FROM scored;
-- one class only
SELECT churn_auc(score, churned) AS auc, churn_brier(score, churned) AS brier FROM scored WHERE churned;
SELECT * FROM (SELECT (churn_auc_ci(score, churned)).* FROM scored) ci;
\x on
SELECT (churn_evaluate(score, churned)).* FROM scored;
SELECT (churn_auc_test(score, -user_id, churned)).* FROM scored;
\x off

SELECT * FROM churn_roc((SELECT churn_ranking(score, churned) FROM scored));
SELECT * FROM churn_precision_recall((SELECT churn_ranking(score, churned) FROM scored));
SELECT * FROM churn_gains((SELECT churn_ranking(score, churned) FROM scored), 5);
SELECT * FROM churn_calibration((SELECT churn_ranking(score, churned) FROM scored), 2, 'width');
SELECT * FROM churn_contacts((SELECT churn_ranking(score, churned) FROM scored),
    success_rate => .3, value => 200, offer_cost => 10, contact_cost => 1, contacts => ARRAY[2, 5]);

-- the value behind them
SELECT churn_ranking(score, churned) FROM scored;

-- one state serves all metrics of a query; partial in a parallel plan
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT churn_auc(score, churned), churn_empc(score, churned) FROM scored;

RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- messages
SELECT churn_auc('NaN', churned) FROM scored;
SELECT churn_brier(user_id, churned) FROM scored;
SELECT churn_lift(score, churned, 20) FROM scored;
SELECT churn_lift(score, churned, score) FROM scored;
SET churn.memory = '1MB';
SELECT churn_auc(x, x % 3 = 0) FROM generate_series(1, 200000) x;
SELECT churn_auc(x, x % 3 = 0 ORDER BY x) FROM generate_series(1, 200000) x;

-- drift: counts by bin, then values by sample
SELECT * FROM churn_psi_test(ARRAY[100, 120, 80, 100], ARRAY[30, 30, 20, 60]);
SELECT (churn_psi_test(score, user_id > 5, 3)).* FROM scored;
SELECT (churn_ks_test(score, user_id > 5)).* FROM scored;
DROP TABLE scored;
DROP EXTENSION churn;
