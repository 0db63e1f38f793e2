-- Comparing distributions and arms: published values, plain SQL on random
-- samples, what is refused.
\set QUIET on
SET client_min_messages = warning;
SELECT plan(45);

CREATE FUNCTION near(have float8, want float8, tolerance float8, what text) RETURNS text
LANGUAGE sql AS $$ SELECT ok(abs(have - want) <= tolerance, what || ': ' || coalesce(have::text, 'NULL')) $$;

SELECT near(churn_psi(ARRAY[.25, .25, .25, .25], ARRAY[.1, .2, .3, .4]), .2282174, 1e-6, 'PSI');
SELECT near(churn_psi(ARRAY[50, 50, 50, 50], ARRAY[10, 20, 30, 40]), .2282174, 1e-6, 'PSI of counts');
SELECT near(churn_js_divergence(ARRAY[.25, .25, .25, .25], ARRAY[.1, .2, .3, .4]), .0402016, 1e-6, 'Jensen-Shannon divergence');
SELECT near(churn_js_distance(ARRAY[.25, .25, .25, .25], ARRAY[.1, .2, .3, .4]), .2005033, 1e-6, 'Jensen-Shannon distance');
SELECT near(churn_js_divergence(ARRAY[1, 0], ARRAY[0, 1]), 1, 0, 'disjoint distributions are one bit apart');
SELECT near((churn_proportion_test(450, 5000, 520, 5000)).z, -2.365202, 1e-6, 'two proportions, z');
SELECT near((churn_proportion_test(450, 5000, 520, 5000)).p, .0180202, 1e-6, 'two proportions, p');
SELECT near((churn_split_test(ARRAY[50300, 49700], ARRAY[1, 1])).chi_square, 3.6, 1e-6, 'split, chi-square');
SELECT near((churn_split_test(ARRAY[50300, 49700], ARRAY[1, 1])).p, .0577796, 1e-6, 'split, p');
SELECT near((churn_split_test(ARRAY[1003000, 997000], ARRAY[.5, .5])).chi_square, 18, 1e-6, 'larger split, chi-square');
SELECT near((churn_split_test(ARRAY[1003000, 997000], ARRAY[.5, .5])).p, 2.20905e-5, 1e-10, 'larger split, p');
SELECT near((churn_split_test(ARRAY[21307, 21387, 21306], ARRAY[1, 1, 1])).chi_square, .202531, 1e-6, 'three arms, chi-square');
SELECT near((churn_split_test(ARRAY[21307, 21387, 21306], ARRAY[1, 1, 1])).p, .903693, 1e-6, 'three arms, p');
SELECT near(churn_users_per_arm(.20, .18), 6038.53, .01, 'users per arm, .20 to .18');
SELECT near(churn_users_per_arm(.10, .09), 13494.97, .01, 'users per arm, .10 to .09');
SELECT near(churn_users_per_arm(.05, .045), 28407.84, .01, 'users per arm, .05 to .045');
SELECT near(churn_sequence_rho(.05, 5000), .03984007, 1e-6, 'confidence sequence, rho');
SELECT near(churn_sequence_factor(.05, churn_sequence_rho(.05, 5000), n), want, 1e-6, 'confidence sequence after ' || n)
FROM (VALUES (1000, .1063755), (5000, .0429243), (20000, .0221120)) t(n, want);
-- R: qchisq(.95, 9) * (1/1000 + 1/2000)
SELECT near(churn_psi_critical(1000, 2000, 10), .0253784664069, 1e-12, 'critical value of the PSI');

-- Aggregates against plain SQL
SELECT setseed(0.31);
CREATE TABLE cases AS
SELECT i, a, CASE WHEN i % 3 = 0 THEN floor(v * 8) ELSE v END AS v
FROM (SELECT i, CASE WHEN i % 25 = 0 THEN true ELSE random() < 0.4 END AS a, random() + random() AS v
      FROM (SELECT i, 1 + floor(random() * 40)::int AS n FROM generate_series(1, 1000) i) c, generate_series(1, n)) x;
CREATE TABLE cells AS
WITH edges AS (
    SELECT i, (SELECT array_agg(DISTINCT e ORDER BY e) FROM unnest(percentile_disc(ARRAY[.25, .5, .75]::float8[]) WITHIN GROUP (ORDER BY v)) e
               WHERE e < max(v)) AS edges
    FROM cases WHERE NOT a GROUP BY i)
-- width_bucket puts a border into the upper cell, the quantile belongs to the lower
SELECT i, cell, count(*) FILTER (WHERE NOT a)::float8 AS e, count(*) FILTER (WHERE a)::float8 AS a
FROM (SELECT i, a, (SELECT count(*) FROM unnest(edges) q WHERE v > q) AS cell FROM cases JOIN edges USING (i)) x GROUP BY i, cell;
CREATE TABLE naive AS
SELECT i, sum((greatest(a / m, 1e-4 * (a = 0)::int) - greatest(e / n, 1e-4 * (e = 0)::int)) *
              ln(greatest(a / m, 1e-4 * (a = 0)::int) / greatest(e / n, 1e-4 * (e = 0)::int))) AS psi,
       sum(CASE WHEN a > 0 THEN a / m * ln(2 * a / m / (a / m + e / n)) ELSE 0 END +
           CASE WHEN e > 0 THEN e / n * ln(2 * e / n / (a / m + e / n)) ELSE 0 END) / 2 / ln(2.0::float8) AS js,
       sum((a - (a + e) * m / (m + n)) ^ 2 / ((a + e) * m / (m + n)) + (e - (a + e) * n / (m + n)) ^ 2 / ((a + e) * n / (m + n))) AS chi,
       array_agg(e ORDER BY cell) AS expected, array_agg(a ORDER BY cell) AS actual
FROM cells JOIN (SELECT i, sum(e) AS n, sum(a) AS m FROM cells GROUP BY i) t USING (i) WHERE m > 0 AND n > 0 GROUP BY i;
CREATE TABLE ours AS
SELECT i, churn_psi(v, a, 4) AS psi, churn_js_divergence(v, a, 4) AS js, churn_js_distance(v, a, 4) AS distance,
       churn_chi_square(v, a, 4) AS chi, churn_psi_test(v, a, 4) AS test, churn_ks_test(v, a) AS ks FROM cases GROUP BY i;
CREATE FUNCTION wrong(column_name text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE result bigint; BEGIN
    EXECUTE format('SELECT count(*) FROM (SELECT i, %1$s AS x FROM ours o) o LEFT JOIN (SELECT i, %2$s AS y FROM naive) n USING (i)
        WHERE (x IS NULL) <> (y IS NULL) OR abs(x - y) > 1e-12 * greatest(1, abs(y))',
        CASE column_name WHEN 'chi' THEN '(o.chi).chi_square' WHEN 'test' THEN '(o.test).psi' ELSE column_name END,
        CASE column_name WHEN 'distance' THEN 'sqrt(greatest(js, 0))' WHEN 'test' THEN 'psi' ELSE column_name END) INTO result;
    RETURN result; END $$;
SELECT is(wrong(c), 0::bigint, c || ' over rows equals plain SQL, or NULL') FROM unnest('{psi,js,chi,test}'::text[]) c;
SELECT is((SELECT count(*) FROM ours JOIN naive USING (i) WHERE abs(distance - sqrt(greatest(naive.js, 0))) > 1e-7), 0::bigint, 'the distance is the root');
SELECT is((SELECT count(*) FROM ours JOIN naive USING (i) WHERE
    abs(ours.psi - churn_psi(expected, actual)) > 1e-12 OR abs(ours.js - churn_js_divergence(expected, actual)) > 1e-12 OR
    abs((ours.chi).p - (churn_chi_square(expected, actual)).p) > 1e-12 OR (ours.test).p IS DISTINCT FROM (churn_psi_test(expected, actual)).p OR
    abs(distance - churn_js_distance(expected, actual)) > 1e-12), 0::bigint, 'rows and stored distributions agree');
SELECT cmp_ok((SELECT count(*) FROM ours WHERE psi IS NULL), '>=', 20::bigint, 'one-sample cases were among them');
SELECT is((SELECT count(*) FROM ours JOIN (
        SELECT i, max(abs(x - y)) AS d FROM (
            SELECT c.i, t.v, avg((c.v <= t.v)::int::float8) FILTER (WHERE a) AS x, avg((c.v <= t.v)::int::float8) FILTER (WHERE NOT a) AS y
            FROM cases c JOIN (SELECT DISTINCT i, v FROM cases) t USING (i) GROUP BY c.i, t.v) z GROUP BY i) n USING (i)
    WHERE (ks).distance IS DISTINCT FROM d AND abs((ks).distance - d) > 1e-12), 0::bigint, 'KS over rows equals plain SQL');
-- 2 * sum((-1)^(k-1) exp(-2 k^2 1.5^2)) in R
SELECT near((churn_ks_test(ARRAY[15, 35], ARRAY[0, 50])).p, .0222179626165, 1e-12, 'KS of cells, asymptotic p');
SELECT near((churn_ks_test(ARRAY[15, 35], ARRAY[0, 50])).critical, 1.358099 / 5, 1e-6, 'KS critical value');
-- R: chisq.test(rbind(c(10, 20, 30), c(20, 20, 20)))
SELECT near((churn_chi_square(ARRAY[10, 20, 30], ARRAY[20, 20, 20])).chi_square, 5.333333, 1e-6, 'chi-square of two samples');
SELECT near((churn_chi_square(ARRAY[10, 20, 30], ARRAY[20, 20, 20])).p, .06948345, 1e-8, 'and its p');
-- With no change the PSI stays below its critical value in 95 % of cases.
SELECT ok(share BETWEEN .93 AND .97, 'critical value holds its level: ' || share) FROM (
    SELECT avg((psi < critical)::int) AS share FROM (
        SELECT (churn_psi_test(random(), j <= 300)).* FROM generate_series(1, 1000) i, generate_series(1, 1000) j GROUP BY i) x) y;

-- Empty cells, and what is refused
SELECT near(churn_psi(ARRAY[1, 1, 0], ARRAY[1, 1, 0]), 0, 0, 'a cell empty on both sides does not count');
SELECT near(churn_psi(ARRAY[50, 50], ARRAY[100, 0]), .5 * ln(2) + (.0001 - .5) * ln(.0002), 1e-12, 'an empty cell counts as .0001');
SELECT near(churn_psi(ARRAY[50, 50], ARRAY[100, 0], .01), .5 * ln(2) + (.01 - .5) * ln(.02), 1e-12, 'or as said');
SELECT is(churn_psi(ARRAY[0, 0], ARRAY[1, 1]), NULL, 'nothing to compare with');
SELECT is((SELECT (churn_psi_test(v, a)).bins FROM (VALUES (1, true), (1, false), (2, false)) t(v, a)), 2, 'ties make fewer bins');
SELECT throws_ok($$ SELECT churn_psi(ARRAY[1, 2], ARRAY[1, 2, 3]) $$, '22023', 'two distributions must have the same cells, not 2 and 3', 'unequal cells');
SELECT throws_ok($$ SELECT churn_psi(ARRAY[1, -2], ARRAY[1, 2]) $$, '22003', NULL, 'a negative count');
SELECT throws_ok($$ SELECT churn_psi(ARRAY[1, NULL], ARRAY[1, 2]) $$, '22023', NULL, 'a NULL count');
SELECT throws_ok($$ SELECT churn_psi_critical(0, 10, 5) $$, '22023', NULL, 'no rows');
SELECT throws_ok($$ SELECT churn_proportion_test(6, 5, 1, 5) $$, '22023', NULL, 'more hits than rows');
SELECT throws_ok($$ SELECT churn_split_test(ARRAY[1, 2], ARRAY[1, 0]) $$, '22023', 'share of arm 2 must be above 0', 'an arm without a share');
SELECT * FROM finish();
