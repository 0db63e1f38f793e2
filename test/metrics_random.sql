-- Every metric on 1,000 small random cases, with ties and one-class cases,
-- against a naive version in SQL written from its definition.
\set QUIET on
SET client_min_messages = warning;
SELECT plan(26);

-- Case i has 1 to 12 rows; scores lie on a coarse grid in (0, 1), so that they
-- tie often and meet the borders of bins; every tenth case has one class.
SELECT setseed(0.4711);
CREATE TABLE cases AS
SELECT i, r, (1 + floor(random() * 19)) / 20 AS s,
       CASE WHEN i % 10 = 0 THEN i % 20 = 0 ELSE random() < 0.4 END AS l,
       (1 + floor(random() * 6)) / 7 AS b
FROM (SELECT i, 1 + floor(random() * 12)::int AS n FROM generate_series(1, 1000) i) c,
     generate_series(1, n) r;
CREATE TABLE sizes AS
SELECT i, count(*)::float8 AS n, count(*) FILTER (WHERE l)::float8 AS p,
       count(*) FILTER (WHERE NOT l)::float8 AS q
FROM cases GROUP BY i;
-- The rows of each case, with what ties replaced by its mean outcome.
CREATE TABLE ranked AS
SELECT i, s, avg(l::int::float8) OVER (PARTITION BY i, s) AS mean,
       row_number() OVER (PARTITION BY i ORDER BY s DESC) AS place
FROM cases;
-- Every threshold of each case, nobody included: churners and stayers above.
CREATE TABLE thresholds AS
SELECT i, t, count(*) FILTER (WHERE l AND s >= t)::float8 AS tp,
       count(*) FILTER (WHERE NOT l AND s >= t)::float8 AS fp
FROM cases JOIN (SELECT DISTINCT i, s AS t FROM cases
                 UNION SELECT i, 'Infinity' FROM cases) t USING (i)
GROUP BY i, t;

CREATE TABLE checked (name text, i int, ours float8, naive float8);
CREATE FUNCTION same(ours float8, naive float8, tolerance float8 DEFAULT 1e-12) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN ours IS NULL OR naive IS NULL THEN ours IS NULL AND naive IS NULL
                WHEN ours = naive THEN true
                ELSE abs(ours - naive) <= tolerance * greatest(1, abs(naive)) END $$;

INSERT INTO checked SELECT 'auc', i, churn_auc(s, l), (
    SELECT avg((a.s > b.s)::int + 0.5::float8 * (a.s = b.s)::int)
    FROM cases a JOIN cases b USING (i) WHERE a.i = cases.i AND a.l AND NOT b.l)
FROM cases GROUP BY i;

-- DeLong's structural components by comparing every pair
CREATE TABLE placements AS
SELECT a.i, a.l, a.r,
       avg(CASE WHEN a.s = b.s THEN 0.5::float8 WHEN (a.s > b.s) = a.l THEN 1 ELSE 0 END) AS v,
       avg(CASE WHEN a.b = b.b THEN 0.5::float8 WHEN (a.b > b.b) = a.l THEN 1 ELSE 0 END) AS w
FROM cases a JOIN cases b ON a.i = b.i AND a.l <> b.l GROUP BY a.i, a.l, a.r;
CREATE TABLE delong AS
SELECT i, sqrt(var_samp(v) FILTER (WHERE l) / p + var_samp(v) FILTER (WHERE NOT l) / q) AS se,
       sqrt(var_samp(v - w) FILTER (WHERE l) / p + var_samp(v - w) FILTER (WHERE NOT l) / q) AS se_difference,
       avg(v) FILTER (WHERE l) AS auc, avg(v - w) FILTER (WHERE l) AS difference
FROM placements JOIN sizes USING (i) GROUP BY i, p, q;
INSERT INTO checked SELECT 'auc_ci', i, (churn_auc_ci(s, l)).se, (SELECT se FROM delong d WHERE d.i = c.i)
FROM cases c GROUP BY i;
INSERT INTO checked SELECT 'auc_ci upper', i, (churn_auc_ci(s, l)).upper,
    (SELECT CASE WHEN se IS NOT NULL THEN least(1, auc + 1.959963984540054 * se) END FROM delong d WHERE d.i = c.i)
FROM cases c GROUP BY i;
INSERT INTO checked SELECT 'auc_test', i, (churn_auc_test(s, b, l)).se,
    (SELECT se_difference FROM delong d WHERE d.i = c.i)
FROM cases c GROUP BY i;
INSERT INTO checked SELECT 'auc_test difference', i, (churn_auc_test(s, b, l)).difference,
    (SELECT difference FROM delong d WHERE d.i = c.i)
FROM cases c GROUP BY i;

INSERT INTO checked SELECT 'ks', i, churn_ks(s, l), (
    SELECT max(abs(tp / nullif(p, 0) - fp / nullif(q, 0)))
    FROM thresholds t JOIN sizes USING (i) WHERE t.i = cases.i)
FROM cases GROUP BY i;

INSERT INTO checked SELECT 'average_precision', i, churn_average_precision(s, l), (
    SELECT sum(step / nullif(p, 0) * tp / (tp + fp)) FROM (
        SELECT *, tp - lag(tp) OVER (ORDER BY t DESC) AS step
        FROM thresholds t JOIN sizes USING (i) WHERE t.i = cases.i) x
    WHERE tp + fp > 0)
FROM cases GROUP BY i;

INSERT INTO checked SELECT 'brier', i, churn_brier(s, l), avg((s - l::int) ^ 2) FROM cases GROUP BY i;
INSERT INTO checked SELECT 'log_loss', i, churn_log_loss(s, l),
    avg(-ln(CASE WHEN l THEN s ELSE 1 - s END)) FROM cases GROUP BY i;

INSERT INTO checked SELECT 'ece width', i, churn_ece(s, l, 10, 'width'), (
    SELECT sum(gap) / (SELECT n FROM sizes WHERE sizes.i = cases.i) FROM (
        SELECT abs(sum(s) - sum(l::int)) AS gap FROM cases c WHERE c.i = cases.i
        GROUP BY width_bucket(s, ARRAY(SELECT e::float8 / 10 FROM generate_series(1, 9) e))) x)
FROM cases GROUP BY i;
INSERT INTO checked SELECT 'ece count', i, churn_ece(s, l, 4, 'count'), (
    SELECT sum(gap) / n FROM (
        SELECT abs(sum(s) - sum(mean)) AS gap, n
        FROM ranked c JOIN sizes USING (i)
        JOIN generate_series(1, 4) bin ON place > floor((bin - 1) * n / 4) AND place <= floor(bin * n / 4)
        WHERE c.i = cases.i GROUP BY bin, n) x GROUP BY n)
FROM cases GROUP BY i;

-- Expected churners among the first k rows, k a fraction
CREATE FUNCTION naive_top(case_number int, k float8) RETURNS float8 LANGUAGE sql STABLE AS $$
    SELECT sum(mean * greatest(0, least(1, k - (place - 1)))) FROM ranked WHERE i = case_number $$;
INSERT INTO checked SELECT 'lift', i, churn_lift(s, l, 0.3), (
    SELECT naive_top(cases.i, 0.3::float8 * n) / (0.3::float8 * n) / nullif(p / n, 0) FROM sizes z WHERE z.i = cases.i)
FROM cases GROUP BY i;
INSERT INTO checked SELECT 'precision_at share', i, churn_precision_at(s, l, 0.25), (
    SELECT naive_top(cases.i, 0.25 * n) / (0.25 * n) FROM sizes z WHERE z.i = cases.i)
FROM cases GROUP BY i;
INSERT INTO checked SELECT 'precision_at count', i, churn_precision_at(s, l, 3), (
    SELECT naive_top(cases.i, 3) / least(3, n) FROM sizes z WHERE z.i = cases.i)
FROM cases GROUP BY i;
INSERT INTO checked SELECT 'recall_at share', i, churn_recall_at(s, l, 0.6), (
    SELECT naive_top(cases.i, 0.6::float8 * n) / nullif(p, 0) FROM sizes z WHERE z.i = cases.i)
FROM cases GROUP BY i;
INSERT INTO checked SELECT 'recall_at count', i, churn_recall_at(s, l, 4), (
    SELECT naive_top(cases.i, 4) / nullif(p, 0) FROM sizes z WHERE z.i = cases.i)
FROM cases GROUP BY i;

-- H-measure at severity 1/2, whose cost is Beta(2, 3): the best threshold
-- between any two costs at which two thresholds are equal, integrals exact.
CREATE FUNCTION cost_moment(x float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT 12 * (x ^ 3 / 3 - x ^ 4 / 2 + x ^ 5 / 5) $$;
CREATE FUNCTION rest_moment(x float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT 12 * (x ^ 2 / 2 - x ^ 3 + 3 * x ^ 4 / 4 - x ^ 5 / 5) $$;
CREATE TABLE h_naive AS
WITH cuts AS (
    SELECT DISTINCT i, c FROM (
        SELECT a.i, (b.tp - a.tp) / nullif(b.tp - a.tp + b.fp - a.fp, 0) AS c
        FROM thresholds a JOIN thresholds b ON a.i = b.i AND a.t > b.t
        UNION ALL SELECT i, e FROM sizes, (VALUES (0::float8), (1)) e(e)) x
    WHERE c BETWEEN 0 AND 1),
parts AS (
    SELECT i, c AS low, lead(c) OVER (PARTITION BY i ORDER BY c) AS high FROM cuts),
best AS (
    SELECT DISTINCT ON (i, low) parts.*, tp, fp, p, q, n
    FROM parts JOIN thresholds USING (i) JOIN sizes USING (i)
    WHERE high IS NOT NULL
    ORDER BY i, low, (low + high) / 2 * fp + (1 - (low + high) / 2) * (p - tp))
SELECT i, sum(fp * (cost_moment(high) - cost_moment(low)) +
              (p - tp) * (rest_moment(high) - rest_moment(low))) /
          (q * cost_moment(p / n) + p * (rest_moment(1) - rest_moment(p / n))) AS loss
FROM best WHERE p > 0 AND q > 0 GROUP BY i, p, q, n;
INSERT INTO checked SELECT 'h_measure', i, churn_h_measure(s, l, 0.5),
    (SELECT 1 - loss FROM h_naive h WHERE h.i = c.i) FROM cases c GROUP BY i;

-- MPC: the best threshold; EMPC: the same between any two rates at which two
-- thresholds earn the same, with the beta functions as binomial sums.
INSERT INTO checked SELECT 'mpc', i, churn_mpc(s, l), (
    SELECT max(tp * (0.3::float8 * 190 - 1) - fp * 11) / n
    FROM thresholds t JOIN sizes USING (i) WHERE t.i = cases.i AND p > 0 AND q > 0 GROUP BY n)
FROM cases GROUP BY i;
INSERT INTO checked SELECT 'mpc own money', i, churn_mpc(s, l, 0.1, 90, 5, 2), (
    SELECT max(tp * (0.1::float8 * 85 - 2) - fp * 7) / n
    FROM thresholds t JOIN sizes USING (i) WHERE t.i = cases.i AND p > 0 AND q > 0 GROUP BY n)
FROM cases GROUP BY i;
-- what is earned by contacting the share that is named
INSERT INTO checked SELECT 'mpc_share', i, churn_mpc(s, l), (
    SELECT (tp * (0.3::float8 * 190 - 1) - fp * 11) / n
    FROM thresholds t JOIN sizes USING (i)
    WHERE t.i = cases.i AND same((tp + fp) / n, churn_mpc_share(cases.s, cases.l)))
FROM cases GROUP BY i;
CREATE FUNCTION naive_beta(x float8, a int, b int) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
    SELECT sum(round(factorial(a + b - 1) / factorial(j) / factorial(a + b - 1 - j))::float8 *
               x ^ j * (1 - x) ^ (a + b - 1 - j)) FROM generate_series(a, a + b - 1) j $$;
CREATE TABLE empc_naive AS
WITH cuts AS (
    SELECT DISTINCT i, c FROM (
        SELECT a.i, ((b.tp - a.tp) + 11 * (b.fp - a.fp)) / nullif(190 * (b.tp - a.tp), 0) AS c
        FROM thresholds a JOIN thresholds b ON a.i = b.i AND a.t > b.t
        UNION ALL SELECT i, e FROM sizes, (VALUES (0::float8), (1)) e(e)) x
    WHERE c BETWEEN 0 AND 1),
moments AS (
    SELECT c, naive_beta(c, 6, 14) AS chance, 0.3 * naive_beta(c, 7, 14) AS moment
    FROM (SELECT DISTINCT c FROM cuts) x),
parts AS (
    SELECT i, c AS low, lead(c) OVER (PARTITION BY i ORDER BY c) AS high FROM cuts),
best AS (
    SELECT DISTINCT ON (i, low) parts.*, tp, fp, p, q, n
    FROM parts JOIN thresholds USING (i) JOIN sizes USING (i)
    WHERE high IS NOT NULL
    ORDER BY i, low, tp * ((low + high) / 2 * 190 - 1) - fp * 11 DESC)
SELECT i, sum((b.moment - a.moment) * 190 * tp - (b.chance - a.chance) * (tp + 11 * fp)) / n AS profit,
       sum((b.chance - a.chance) * (tp + fp)) / n AS share
FROM best JOIN moments a ON a.c = low JOIN moments b ON b.c = high
WHERE p > 0 AND q > 0 GROUP BY i, n;
INSERT INTO checked SELECT 'empc', i, churn_empc(s, l),
    (SELECT profit FROM empc_naive e WHERE e.i = c.i) FROM cases c GROUP BY i;
INSERT INTO checked SELECT 'empc_share', i, churn_empc_share(s, l),
    (SELECT share FROM empc_naive e WHERE e.i = c.i) FROM cases c GROUP BY i;

SELECT is(
    (SELECT format('%s wrong of %s', count(*) FILTER (WHERE NOT same(ours, naive)), count(*))
     FROM checked c WHERE c.name = names.name),
    '0 wrong of 1000', format('%s equals the naive version', name))
FROM (SELECT name, min(ctid) AS first FROM checked GROUP BY name) names ORDER BY first;
SELECT cmp_ok((SELECT count(*) FROM checked WHERE name = 'auc' AND ours IS NULL), '>=', 100::bigint,
    'one-class cases were among them, with the documented NULL');

SELECT cmp_ok((SELECT min(n) FROM (SELECT count(ours) AS n FROM checked GROUP BY name) x), '>=', 400::bigint,
    'every metric was defined in many cases');

-- The calibration line makes the gradient of the likelihood vanish.
CREATE TABLE lines AS
SELECT i, (churn_evaluate(s, l)).* FROM cases GROUP BY i;
SELECT is((SELECT count(*) FROM (
        SELECT i, sum(l::int - 1 / (1 + exp(-z))) AS g, sum((l::int - 1 / (1 + exp(-z))) * x) AS h
        FROM (SELECT i, l, ln(s / (1 - s)) AS x,
                     calibration_intercept + calibration_slope * ln(s / (1 - s)) AS z
              FROM cases JOIN lines USING (i) WHERE calibration_slope IS NOT NULL) y GROUP BY i) y
    WHERE abs(g) > 1e-9 OR abs(h) > 1e-9), 0::bigint, 'calibration intercept and slope solve their equations');
SELECT is((SELECT count(*) FROM (
        SELECT i, sum(l::int - 1 / (1 + exp(-calibration_in_the_large - ln(s / (1 - s))))) AS g
        FROM cases JOIN lines USING (i) WHERE calibration_in_the_large IS NOT NULL GROUP BY i) y
    WHERE abs(g) > 1e-9), 0::bigint, 'calibration in the large solves its equation');
SELECT * FROM finish();
