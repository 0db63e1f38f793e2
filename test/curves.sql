-- Curves against plain SQL on random rankings, and what they refuse.
\set QUIET on
SET client_min_messages = warning;
SELECT plan(24);

SELECT setseed(0.77);
CREATE TABLE cases AS
SELECT i, (1 + floor(random() * 19)) / 20 AS s, random() < 0.4 AS l
FROM (SELECT i, 1 + floor(random() * 30)::int AS n FROM generate_series(1, 300) i) c, generate_series(1, n) r;
CREATE TABLE rankings AS SELECT i, churn_ranking(s, l) AS r, churn_rank_order(s, l ORDER BY s) AS o FROM cases GROUP BY i;
CREATE TABLE sizes AS SELECT i, count(*)::float8 AS n, count(*) FILTER (WHERE l)::float8 AS p FROM cases GROUP BY i;
CREATE TABLE ranked AS
SELECT i, s, avg(l::int::float8) OVER (PARTITION BY i, s) AS mean, row_number() OVER (PARTITION BY i ORDER BY s DESC) AS place FROM cases;
CREATE TABLE thresholds AS
SELECT i, t, count(*) FILTER (WHERE l AND s >= t) AS tp, count(*) FILTER (WHERE NOT l AND s >= t) AS fp
FROM cases JOIN (SELECT DISTINCT i, s AS t FROM cases UNION SELECT i, 'Infinity' FROM cases) t USING (i) GROUP BY i, t;
CREATE FUNCTION near(a float8, b float8) RETURNS boolean LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE WHEN a IS NULL OR b IS NULL THEN a IS NULL AND b IS NULL ELSE abs(a - b) <= 1e-12 * greatest(1, abs(b)) END $$;

SELECT set_eq('SELECT i, threshold, churners, stayers FROM rankings, churn_roc(r)', 'SELECT i, t, tp, fp FROM thresholds', 'ROC counts');
SELECT is((SELECT count(*) FROM rankings JOIN sizes USING (i), churn_roc(r) c
    WHERE NOT near(true_positive_rate, churners / nullif(p, 0)) OR NOT near(false_positive_rate, stayers / nullif(n - p, 0))), 0::bigint, 'ROC rates');
SELECT is((SELECT count(*) FROM (
        SELECT i, sum((x - before_x) * (y + before_y) / 2) AS area FROM (
            SELECT i, false_positive_rate AS x, true_positive_rate AS y,
                   lag(false_positive_rate) OVER w AS before_x, lag(true_positive_rate) OVER w AS before_y
            FROM rankings, churn_roc(r) WINDOW w AS (PARTITION BY i ORDER BY threshold DESC)) z GROUP BY i) a
    JOIN (SELECT i, churn_auc(s, l) FROM cases GROUP BY i) b USING (i) WHERE NOT near(area, churn_auc)), 0::bigint, 'the area under the curve is churn_auc');
SELECT set_eq('SELECT i, threshold, flagged, churners FROM rankings, churn_precision_recall(r)',
    $$SELECT i, t, tp + fp, tp FROM thresholds WHERE t < 'Infinity'$$, 'precision-recall counts');
SELECT is((SELECT count(*) FROM rankings JOIN sizes USING (i), churn_precision_recall(r) c
    WHERE NOT near("precision", churners::float8 / flagged) OR NOT near(recall, churners / nullif(p, 0))), 0::bigint, 'precision and recall');

CREATE TABLE gains_naive AS
SELECT i, bin, count(*) AS n, sum(mean) AS churners, min(s) AS low, max(s) AS high
FROM ranked JOIN sizes z USING (i) JOIN generate_series(1, 7) bin ON place > floor((bin - 1) * z.n / 7) AND place <= floor(bin * z.n / 7)
GROUP BY i, bin;
SELECT is((SELECT count(*) FROM (SELECT i, (churn_gains(r, 7)).* FROM rankings) g FULL JOIN gains_naive v USING (i, bin) JOIN sizes z USING (i)
    WHERE g.n IS DISTINCT FROM v.n OR NOT near(g.churners, v.churners) OR g.lowest_score <> low OR g.highest_score <> high
       OR NOT near(g.rate, v.churners / v.n) OR NOT near(lift, g.churners / g.n / nullif(p / z.n, 0))), 0::bigint, 'gains by bin');
SELECT is((SELECT count(*) FROM (SELECT i, (churn_gains(r, 7)).* FROM rankings) g JOIN (
        SELECT i, bin, sum(churners) OVER w AS c, sum(n) OVER w AS m FROM gains_naive WINDOW w AS (PARTITION BY i ORDER BY bin)) v USING (i, bin)
    JOIN sizes z USING (i)
    WHERE NOT near(cumulative_share, c / nullif(p, 0)) OR NOT near(cumulative_lift, c / m / nullif(p / z.n, 0))
       OR NOT near(ks, abs(c / nullif(p, 0) - (m - c) / nullif(z.n - p, 0)))), 0::bigint, 'gains cumulated');
SELECT is((SELECT count(*) FROM (SELECT i, (churn_gains(r, 7)).* FROM rankings) a JOIN (SELECT i, (churn_gains(o, 7)).* FROM rankings) b USING (i, bin)
    WHERE (a.n, a.churners, a.rate, a.ks) IS DISTINCT FROM (b.n, b.churners, b.rate, b.ks) OR b.lowest_score IS NOT NULL), 0::bigint,
    'gains of the order alone, without scores');
SELECT is((SELECT sum(n) FROM churn_gains((SELECT churn_ranking(s, l) FROM cases))), (SELECT count(*)::numeric FROM cases), 'ten bins hold all rows');

SELECT is((SELECT count(*) FROM (SELECT i, (churn_calibration(r, 5, 'width')).* FROM rankings) g FULL JOIN (
        SELECT i, width_bucket(s, ARRAY[.2, .4, .6, .8]::float8[]) + 1 AS bin, count(*) AS n, avg(s) AS mean, avg(l::int) AS rate, min(s) AS low, max(s) AS high
        FROM cases GROUP BY 1, 2) v USING (i, bin)
    WHERE g.n IS DISTINCT FROM v.n OR NOT near(mean_score, mean) OR NOT near(g.rate, v.rate) OR lowest_score <> low OR highest_score <> high),
    0::bigint, 'calibration by equal width');
SELECT is((SELECT count(*) FROM (SELECT i, (churn_calibration(r, 7, 'count')).* FROM rankings) g FULL JOIN gains_naive v ON g.i = v.i AND g.bin = 8 - v.bin
    WHERE g.n IS DISTINCT FROM v.n OR NOT near(g.churners, v.churners)), 0::bigint, 'calibration by equal count');
-- (1/49) * 49 is below 1 in doubles
SELECT is((SELECT array_agg(bin) FROM churn_calibration((SELECT churn_ranking(x / 49.0::float8, true) FROM generate_series(0, 49) x), 49)),
    ARRAY(SELECT generate_series(1, 49)), 'a score on a border belongs to the upper bin, 1 to the last');
-- 3 of 10: prop.test(3, 10, correct = FALSE) of R
SELECT ok(abs(lower - .10779127) < 1e-7 AND abs(upper - .60322185) < 1e-7, 'the interval is Wilson''s: ' || lower || ' ' || upper)
FROM churn_calibration((SELECT churn_ranking(.3, x <= 3) FROM generate_series(1, 10) x), 1);

SELECT is((SELECT count(*) FROM rankings JOIN sizes z USING (i), churn_contacts(r, .4, 50, 3, .5, ARRAY[1, 4, 9]) WITH ORDINALITY c
    JOIN LATERAL (SELECT least((ARRAY[1, 4, 9])[ordinality], z.n) AS k, sum(mean) AS caught FROM ranked WHERE i = z.i AND place <= (ARRAY[1, 4, 9])[ordinality]) v ON true
    WHERE contacted <> k OR NOT near(churners, caught) OR NOT near(false_alarms, k - caught) OR NOT near(saved, .4::float8 * caught)
       OR NOT near(cost, .5 * k + 3 * (.4::float8 * caught + k - caught)) OR NOT near(revenue, 50 * .4::float8 * caught)
       OR NOT near(profit, 50 * .4::float8 * caught - .5 * k - 3 * (.4::float8 * caught + k - caught))), 0::bigint, 'contact table');
SELECT is((SELECT max(profit) / 10 FROM churn_contacts((SELECT churn_ranking(s, l) FROM (SELECT * FROM cases LIMIT 10) x), .3, 200, 10, 1)) <=
    (SELECT churn_mpc(s, l) FROM (SELECT * FROM cases LIMIT 10) x) + 1e-9, true, 'no row of it earns more than churn_mpc');
SELECT is((SELECT array_agg(contacted) FROM churn_contacts((SELECT churn_ranking(s, l) FROM (SELECT * FROM cases LIMIT 20) x), .3, 200, 10, 1)),
    ARRAY[2, 4, 6, 8, 10, 12, 14, 16, 18, 20]::bigint[], 'every tenth by default');

SELECT is_empty('SELECT * FROM churn_roc(NULL)', 'NULL has no curve');
SELECT is((SELECT count(*) FROM churn_gains((SELECT churn_ranking(NULL, true)))), 0::bigint, 'no rows, no gains');
SELECT throws_ok($$ SELECT * FROM churn_calibration((SELECT churn_rank_order(s, l ORDER BY s) FROM cases)) $$, '22023', NULL, 'no calibration of the order alone');
SELECT throws_ok($$ SELECT * FROM churn_calibration((SELECT churn_ranking(s * 5, l) FROM cases)) $$, '22003', NULL, 'no calibration beyond 1');
SELECT throws_ok($$ SELECT * FROM churn_calibration((SELECT churn_ranking(s, l) FROM cases), 5, 'depth') $$, '22023', NULL, 'unknown method');
SELECT throws_ok($$ SELECT * FROM churn_gains((SELECT churn_ranking(s, l) FROM cases), -1) $$, '22023', NULL, 'no bins');
SELECT throws_ok($$ SELECT * FROM churn_contacts((SELECT churn_ranking(s, l) FROM cases), .3, 200, 10, 1, ARRAY[0]) $$, '22023', NULL, 'no contacts');
SELECT throws_ok($$ SELECT * FROM churn_contacts((SELECT churn_ranking(s, l) FROM cases), .3, NULL, 10, 1) $$, '22004', NULL, 'no value');
SELECT * FROM finish();
