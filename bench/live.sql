-- Live scores inside one query, against look-ups of the rows that they read:
-- by a plan kept by a PL/pgSQL function (SPI), as a scoring function has to,
-- and by the query's own index scan, which nothing called per row can reach.
-- "bench" has stored histories; "bare" is the same study without.
\echo
\echo == live
CREATE TABLE bench_users AS SELECT user_id FROM bench_history ORDER BY hashint8(user_id) LIMIT 20000;
SELECT churn_create_study('bare', churn_window => '60 days', key_kinds => '{order}') \g /dev/null
SELECT churn_add_source('bare', 'shop', 'user_id', 'ts', 'amount', kind_column => 'kind') \g /dev/null
INSERT INTO churn_models (study, version, status, model, band_cutoffs, metrics, created_by)
    SELECT 'bare', version, status, model, band_cutoffs, metrics, created_by FROM churn_models;
VACUUM ANALYZE shop;
VACUUM ANALYZE bench_history;
CREATE FUNCTION bench_lookup(key bigint) RETURNS churn_history LANGUAGE plpgsql STABLE AS $$
DECLARE h churn_history;
BEGIN SELECT history INTO h FROM bench_history WHERE user_id = key; RETURN h; END $$;
CREATE FUNCTION bench_events(key bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE n bigint;
BEGIN SELECT count(ts) + count(kind) + count(amount) INTO n FROM shop WHERE user_id = key; RETURN n; END $$;
SELECT (SELECT count(*) FROM bench_users) AS users, avg(churn_event_count(history))::int AS events_each,
    count(*) FILTER (WHERE churn_score(user_id, 'bench') IS DISTINCT FROM churn_score(user_id, 'bare')) AS different
FROM bench_users JOIN bench_history USING (user_id);
SELECT 'SELECT churn_score(user_id, ''bench'') FROM bench_users' AS stored,
    'SELECT churn_score(user_id, ''bare'') FROM bench_users' AS bare,
    'SELECT bench_lookup(user_id) FROM bench_users' AS spi,
    'SELECT (SELECT history FROM bench_history h WHERE h.user_id = u.user_id) FROM bench_users u' AS scan,
    'SELECT bench_events(user_id) FROM bench_users' AS events \gset
CALL bench_pair('live: stored history, against its look-up by SPI', ARRAY[:'stored'], ARRAY[:'spi'], :runs);
CALL bench_pair('live: stored history, against its look-up by the query', ARRAY[:'stored'], ARRAY[:'scan'], :runs);
CALL bench_pair('live: from events, against their look-up by SPI', ARRAY[:'bare'], ARRAY[:'events'], :runs);
CREATE INDEX shop_covering ON shop (user_id, ts) INCLUDE (kind, amount);
VACUUM ANALYZE shop;
CALL bench_pair('live: from events, covering index', ARRAY[:'bare'], ARRAY[:'events'], :runs);
SELECT what, runs, ours AS churn_score, theirs AS look_up, ours_per_theirs AS ratio,
    CASE WHEN what ~ 'stored.*SPI' THEN '<= 4' WHEN what ~ 'events, against' THEN '<= 3' END AS aim
FROM bench_report('live') ORDER BY what DESC;
