-- Features at twelve as-of dates: one pass that builds the histories and
-- churn_features() at each date, against one plain SQL statement a date for
-- the same features: count(*) FILTER, sum() FILTER, min, max, and the gaps
-- between order days by lag(). Both sides start from the events.
\echo
\echo == features at twelve dates
SELECT * FROM bench_settings;

CREATE TABLE bench_dates AS
    SELECT date '2023-06-05' + 30 * i AS as_of FROM generate_series(0, 11) AS i;

-- The features that plain SQL is asked for: name and expression, where ASOF
-- stands for the date
CREATE TABLE bench_features AS
    WITH kinds AS (
        SELECT kind, CASE WHEN kind = 'any' THEN 'true' ELSE format('kind = %L', kind) END AS test
        FROM unnest('{any,cart,order,refund,ticket,view}'::text[]) AS kind
    ), windows AS (
        SELECT days FROM unnest('{7,30,90,180,365}'::int[]) AS days
    )
    SELECT format('%s_count_%sd', kind, days) AS name,
        format('count(*) FILTER (WHERE %s AND ts >= ASOF - %s)', test, days) AS expression
    FROM kinds, windows
    UNION ALL
    SELECT format('%s_amount_%sd', kind, days),
        format('coalesce(sum(amount) FILTER (WHERE %s AND ts >= ASOF - %s), 0)', test, days)
    FROM kinds, windows WHERE kind IN ('order', 'refund')
    UNION ALL
    SELECT kind || '_count', format('count(*) FILTER (WHERE %s)', test) FROM kinds
    UNION ALL
    SELECT kind || '_amount', format('coalesce(sum(amount) FILTER (WHERE %s), 0)', test)
    FROM kinds WHERE kind IN ('order', 'refund')
    UNION ALL
    SELECT kind || '_recency', format('ASOF - max(ts) FILTER (WHERE %s)::date', test) FROM kinds
    UNION ALL
    SELECT kind || '_tenure', format('ASOF - min(ts) FILTER (WHERE %s)::date', test) FROM kinds;

-- The statement of one date; TimeZone is UTC, so a date is its midnight
CREATE FUNCTION bench_statement(as_of date, restriction text DEFAULT 'true') RETURNS text
LANGUAGE sql AS $$
    SELECT replace(format(
        'SELECT * FROM (SELECT user_id, %s FROM events '
        'WHERE ts < ASOF AND ts >= ASOF - 730 AND %s GROUP BY user_id) AS windowed '
        'LEFT JOIN (SELECT user_id, avg(gap)::float8 AS order_gap_mean, '
        'stddev_samp(gap)::float8 AS order_gap_sd, max(gap) AS order_gap_max '
        'FROM (SELECT user_id, day - lag(day) OVER (PARTITION BY user_id ORDER BY day) AS gap '
        'FROM (SELECT DISTINCT user_id, ts::date AS day FROM events '
        'WHERE kind = ''order'' AND ts < ASOF AND ts >= ASOF - 730 AND %s) AS days) AS gaps '
        'GROUP BY user_id) AS rhythm USING (user_id)',
        (SELECT string_agg(expression || ' AS ' || name, ', ') FROM bench_features),
        restriction, restriction),
        'ASOF', format('date %L', as_of))
$$;

CREATE FUNCTION bench_statements() RETURNS text[]
LANGUAGE sql AS $$
    SELECT array_agg(bench_statement(as_of)) FROM bench_dates
$$;

SELECT churn_spec(kinds => '{cart,order,refund,ticket,view}', key_kinds => '{order}',
    amount_kinds => '{order,refund}') AS spec \gset
SELECT array_length(churn_feature_names(:'spec'), 1) AS features_of_churn,
    (SELECT count(*) + 3 FROM bench_features) AS features_of_sql;

-- Both give the same values: a tenth of the users, three dates. A feature
-- that churn_feature_names does not know counts as different.
CREATE FUNCTION bench_differences(as_of date, spec churn_spec)
RETURNS TABLE (name text, compared bigint, different bigint)
LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format($q$
        WITH plain AS (
            SELECT q.user_id, f.key AS name, f.value::float8 AS value
            FROM (%1$s) AS q, jsonb_each_text(to_jsonb(q)) AS f WHERE f.key <> 'user_id'
        ), ours AS (
            SELECT h.user_id, f.name, f.value
            FROM histories AS h, LATERAL unnest(churn_feature_names(%2$L),
                churn_features(h.history, %3$L, %2$L)) AS f(name, value)
            WHERE h.user_id %% 10 = 0
        )
        SELECT name, count(*), count(*) FILTER (WHERE o.user_id IS NULL
            OR (p.value IS NULL) <> (o.value IS NULL)
            OR abs(p.value - o.value) > 1e-9 * greatest(1, abs(p.value)))
        FROM plain AS p LEFT JOIN ours AS o USING (user_id, name) GROUP BY name
        $q$, bench_statement(as_of, 'user_id % 10 = 0'), spec, as_of);
END $$;
SELECT name, sum(compared) AS compared, sum(different) AS different
FROM (SELECT min(as_of) AS as_of FROM bench_dates
    UNION SELECT date '2023-12-02' UNION SELECT max(as_of) FROM bench_dates) AS d,
    bench_differences(as_of, :'spec')
GROUP BY name HAVING sum(different) > 0 ORDER BY name;
SELECT count(DISTINCT name) AS features_compared, sum(compared) AS values_compared,
    sum(different) AS different
FROM bench_differences('2023-12-02', :'spec');

-- One pass over the events. The dates come from unnest() beside the aggregate,
-- so that a user's history is used at all of them and then forgotten: as a
-- join, the planner may keep all histories and loop over the dates outside.
SELECT array_agg(as_of) AS dates FROM bench_dates \gset
SELECT format('SELECT user_id, as_of, churn_features(history, as_of, %1$L::churn_spec) AS features '
    'FROM (SELECT user_id, churn_history(ts, kind, amount, %1$L::churn_spec) AS history, '
    'unnest(%2$L::date[]) AS as_of FROM events GROUP BY user_id) AS h',
    :'spec', :'dates') AS ours,
    format('SELECT user_id, as_of, churn_features(history, as_of, %1$L::churn_spec) AS features '
    'FROM (SELECT user_id, history, unnest(%2$L::date[]) AS as_of FROM histories) AS h',
    :'spec', :'dates') AS stored \gset
EXPLAIN (COSTS off) :ours;

CALL bench_pair('features: from events', ARRAY[:'ours'],
    bench_statements(), :feature_runs);
CALL bench_pair('features: histories stored', ARRAY[:'stored'], ARRAY[:'ours'], :feature_runs);
SELECT what, runs, ours AS churn_features, theirs AS against, theirs_per_ours AS times_faster,
    CASE WHEN what ~ 'from events' THEN '>= 20' END AS aim
FROM bench_report('features') ORDER BY what;
