-- A simulated shop whose truth is known (doc/simulate.md).

CREATE FUNCTION churn_simulate(
    users integer,
    days integer,
    seed bigint DEFAULT 1,
    start_date date DEFAULT '2023-01-01',
    seasons boolean DEFAULT true,
    slackening boolean DEFAULT true,
    bots boolean DEFAULT true,
    late_arrivals boolean DEFAULT true,
    r float8 DEFAULT 1.5,
    alpha float8 DEFAULT 45,
    s float8 DEFAULT 0.9,
    beta float8 DEFAULT 200,
    OUT user_id bigint,
    OUT ts timestamptz,
    OUT kind text,
    OUT amount float8,
    OUT known_at timestamptz)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'churn_simulate'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000000 ROWS 1000000;

COMMENT ON FUNCTION churn_simulate(integer, integer, bigint, date, boolean,
    boolean, boolean, boolean, float8, float8, float8, float8) IS
'events of a simulated shop: orders and refunds with amounts, views, carts, tickets, in UTC; purchase rate ~ Gamma(r, alpha) and drop-out hazard ~ Gamma(s, beta) a day (Pareto/NBD, Schmittlein, Morrison, Colombo 1987); 22023 for arguments out of range, 22004 for null ones';

CREATE FUNCTION churn_simulate_truth(
    users integer,
    days integer,
    seed bigint DEFAULT 1,
    start_date date DEFAULT '2023-01-01',
    seasons boolean DEFAULT true,
    slackening boolean DEFAULT true,
    bots boolean DEFAULT true,
    late_arrivals boolean DEFAULT true,
    r float8 DEFAULT 1.5,
    alpha float8 DEFAULT 45,
    s float8 DEFAULT 0.9,
    beta float8 DEFAULT 200,
    as_of date DEFAULT NULL,
    window_days integer DEFAULT 90,
    gap_days integer DEFAULT 0,
    OUT user_id bigint,
    OUT joined_day date,
    OUT left_day date,
    OUT purchase_rate float8,
    OUT dropout_rate float8,
    OUT spend_level float8,
    OUT visit_rate float8,
    OUT is_bot boolean,
    OUT alive boolean,
    OUT p_no_order float8,
    OUT p_no_order_signs float8)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'churn_simulate_truth'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000 ROWS 20000;

COMMENT ON FUNCTION churn_simulate_truth(integer, integer, bigint, date,
    boolean, boolean, boolean, boolean, float8, float8, float8, float8, date,
    integer, integer) IS
'truth about each user of churn_simulate with the same arguments: days of joining and leaving, rates a day, mean amount, and as of a date (the end by default) whether alive and the probability of no order in window_days from gap_days later; 22023 for arguments out of range, 22004 for null ones';
