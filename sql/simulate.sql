-- A simulated shop: what its rows look like.
CREATE EXTENSION churn;
SET TimeZone = 'UTC';
SET datestyle = 'ISO';
SELECT user_id, ts::timestamp(0), kind, amount, known_at - ts > '0' AS late
FROM churn_simulate(3, 60)
ORDER BY user_id, ts LIMIT 12;
-- and the truth about its users
SELECT user_id, joined_day, left_day, round(purchase_rate::numeric, 4) AS purchase_rate,
    round(dropout_rate::numeric, 4) AS dropout_rate, round(spend_level::numeric, 2) AS spend_level,
    alive, round(p_no_order::numeric, 4) AS p_no_order
FROM churn_simulate_truth(6, 365, as_of => '2023-09-01') ORDER BY user_id;
-- Refusals say the limit.
SELECT * FROM churn_simulate(0, 10);
SELECT * FROM churn_simulate(10, 10, r => 100, alpha => 1);
SELECT * FROM churn_simulate_truth(10, 10, as_of => 'infinity');
-- Volatility and parallel safety
SELECT proname, provolatile, proparallel FROM pg_proc
WHERE proname LIKE 'churn_simulate%' ORDER BY 1;
DROP EXTENSION churn;
