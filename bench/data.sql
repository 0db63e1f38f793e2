-- The events that the benchmarks read: :events events of about :events / 53
-- users in 490 days, once in order of time (a user's rows scattered, as a log
-- has them) and once in order of the user.

CREATE UNLOGGED TABLE events AS
    SELECT * FROM (
        SELECT user_id, ts, kind, amount
        FROM churn_simulate(greatest(1, :events / 50), 490, late_arrivals => false)
        LIMIT :events
    ) AS simulated ORDER BY ts;
CREATE UNLOGGED TABLE events_by_user AS
    SELECT * FROM events ORDER BY user_id, ts;
VACUUM ANALYZE events;
VACUUM ANALYZE events_by_user;

SELECT count(*) AS events, count(DISTINCT user_id) AS users,
    min(ts)::date AS first_day, max(ts)::date AS last_day,
    pg_size_pretty(pg_table_size('events')) AS table_size
FROM events;
