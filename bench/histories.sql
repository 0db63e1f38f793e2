-- Building all histories in one pass, against a bare GROUP BY over the same
-- rows; parallel off.
\echo
\echo == histories
SELECT * FROM bench_settings;

SELECT format('SELECT user_id, churn_history(ts, kind, amount, %L::churn_spec) AS history FROM ',
    churn_spec(kinds => '{cart,order,refund,ticket,view}')) AS ours,
    'SELECT user_id, count(*) FROM ' AS theirs \gset

CALL bench_pair('histories: rows scattered', ARRAY[:'ours' || 'events GROUP BY user_id'],
    ARRAY[:'theirs' || 'events GROUP BY user_id'], :runs);
CALL bench_pair('histories: rows in user order', ARRAY[:'ours' || 'events_by_user GROUP BY user_id'],
    ARRAY[:'theirs' || 'events_by_user GROUP BY user_id'], :runs);
SELECT what, runs, ours AS churn_history, theirs AS bare_group_by, ours_per_theirs AS ratio,
    CASE WHEN what ~ 'scattered' THEN '<= 3' ELSE '<= 1.7' END AS aim
FROM bench_report('histories') ORDER BY what DESC;

-- What the planner made of it
SELECT :'ours' || 'events GROUP BY user_id' AS query \gset
EXPLAIN (COSTS off) :query;
SELECT :'ours' || 'events_by_user GROUP BY user_id' AS query \gset
EXPLAIN (COSTS off) :query;

CREATE UNLOGGED TABLE histories AS
    SELECT user_id, churn_history(ts, kind, amount,
        churn_spec(kinds => '{cart,order,refund,ticket,view}')) AS history
    FROM events GROUP BY user_id;
SELECT pg_size_pretty(pg_table_size('histories')) AS histories,
    pg_size_pretty(pg_table_size('events')) AS events,
    round(100.0 * pg_table_size('histories') / pg_table_size('events'), 1) AS percent;
