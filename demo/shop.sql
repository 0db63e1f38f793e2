-- The simulated shop: 20,000 users over 540 days.
CREATE EXTENSION churn;
CREATE TABLE events AS
    SELECT user_id, ts, kind, amount FROM churn_simulate(20000, 540, 1) ORDER BY ts;
CREATE INDEX ON events (user_id, ts) INCLUDE (kind, amount);
VACUUM ANALYZE events;
