-- Metrics: published values, NULLs, infinite and impossible scores, errors,
-- and the same bits in every plan.
\set QUIET on
SET client_min_messages = warning;
SELECT plan(79);

CREATE FUNCTION near(have float8, want float8, tolerance float8, what text) RETURNS text
LANGUAGE sql AS $$ SELECT ok(abs(have - want) <= tolerance, what || ': ' || coalesce(have::text, 'NULL')) $$;

-- Published values
CREATE TABLE toy10 (s float8, l boolean);
INSERT INTO toy10 VALUES (.6125478, true), (.3642710, true), (.4321361, false), (.1402911, false),
    (.3848959, false), (.2444155, true), (.9706413, true), (.8901728, true), (.7817814, true), (.8687518, false);
SELECT near((churn_auc(s, l)), .6666667, 1e-6, 'toy10 AUC') FROM toy10;
SELECT near((churn_ks(s, l)), .4166667, 1e-6, 'toy10 KS') FROM toy10;
SELECT near((churn_average_precision(s, l)), .8069444, 1e-6, 'toy10 average precision') FROM toy10;
SELECT near((churn_brier(s, l)), .2295020, 1e-6, 'toy10 Brier') FROM toy10;
SELECT near((churn_log_loss(s, l)), .6534853, 1e-6, 'toy10 log-loss') FROM toy10;
SELECT near((churn_ece(s, l)), .2972799, 1e-6, 'toy10 ECE') FROM toy10;
SELECT near((churn_empc(s, l)), 30.3003222629848, 1e-9, 'toy10 EMPC') FROM toy10;
SELECT near((churn_empc_share(s, l)), .8996552, 1e-6, 'toy10 EMPC share') FROM toy10;
SELECT near((churn_mpc(s, l)), 30.3, 1e-9, 'toy10 MPC') FROM toy10;
SELECT near((churn_mpc_share(s, l)), .9, 1e-6, 'toy10 MPC share') FROM toy10;
SELECT near((churn_empc(s, l, 6, 14, 200, 10, 1)), 30.3003222629848, 1e-9, 'toy10 EMPC, the defaults said') FROM toy10;
SELECT near((churn_empc(s, l)), 28.0000000000391, 1e-9, 'EMPC of two rows in order') FROM (VALUES (0, false), (1, true)) t(s, l);
SELECT near((churn_empc(s, l)), 22.5007912244511, 1e-9, 'EMPC of two rows upside down') FROM (VALUES (1, false), (0, true)) t(s, l);
SELECT near((churn_empc(s, l)), 22.5007912244511, 1e-9, 'EMPC of two equal rows') FROM (VALUES (1, false), (1, true)) t(s, l);

CREATE TABLE hm10 (s float8, l boolean);
INSERT INTO hm10 VALUES (.84901876, true), (.10282827, true), (.43752488, false), (.46004468, true), (.90878931, true),
    (.79177719, false), (.5297229, true), (.13803906, true), (.73166264, true), (.22959056, false);
SELECT near((churn_h_measure(s, l)), .18889596, 1e-7, 'hm10 H-measure') FROM hm10;
SELECT near((churn_h_measure(s, l, .5)), .10750124, 1e-7, 'hm10 H-measure, severity .5') FROM hm10;
SELECT near((churn_h_measure(s, l, .1)), .00121253, 1e-7, 'hm10 H-measure, severity .1') FROM hm10;

-- No rows, only NULLs, one class
SELECT is((SELECT churn_auc(s, l) FROM toy10 WHERE false), NULL, 'AUC of no rows');
SELECT is((SELECT churn_auc(NULL, l) FROM toy10), NULL, 'AUC of NULLs');
SELECT is((SELECT (churn_evaluate(s, l)).n FROM toy10 WHERE false), NULL, 'evaluation of no rows');
SELECT is((SELECT churn_evaluate(s, NULL::boolean)::text FROM toy10),
    '(0,0,10,,,,,,,,,,,,,,,,,,,,,,,)', 'evaluation of ignored rows counts them');
SELECT is((SELECT (churn_evaluate(s, l)).ignored FROM
    (TABLE toy10 UNION ALL VALUES (NULL, true), (.5, NULL), (NULL, NULL)) t), 3::bigint, 'rows with NULL are counted');
SELECT is((SELECT churn_auc(s, l) FROM (TABLE toy10 UNION ALL VALUES (NULL, true), (.5, NULL)) t),
    (SELECT churn_auc(s, l) FROM toy10), 'rows with NULL change nothing');
SELECT is((SELECT count(*) FROM (SELECT unnest(ARRAY[churn_auc(s, true), churn_ks(s, true), churn_h_measure(s, true),
    churn_mpc(s, true), churn_mpc_share(s, true), churn_empc(s, true), churn_empc_share(s, true),
    churn_average_precision(s, false), churn_lift(s, false, .5), churn_recall_at(s, false, 3),
    (churn_auc_ci(s, true)).auc, (churn_auc_test(s, s, true)).z]) AS f FROM toy10) x WHERE f IS NOT NULL),
    0::bigint, 'figures of two classes are NULL with one');
SELECT is((SELECT ARRAY[churn_average_precision(s, true), churn_lift(s, true, .5), churn_recall_at(s, true, 5),
    churn_precision_at(s, false, 3)] FROM toy10), ARRAY[1, 1, .5, 0]::float8[], 'what one class still defines');
SELECT is((SELECT churn_auc_ci(s, l)::text FROM (VALUES (.5, true), (.3, false), (.2, false)) t(s, l)),
    '(1,,,)', 'no interval with one churner');
SELECT is((SELECT (churn_auc_test(s, s, l)).z FROM toy10), NULL, 'no z of a score against itself');

-- Scores that are infinite, two zeros, not probabilities, or certain
SELECT is((SELECT churn_auc(s, l) FROM (VALUES ('-Infinity'::float8, false), (0, false), ('Infinity', true), (0, true)) t(s, l)),
    .875::float8, 'infinite scores have their place');
SELECT is((SELECT churn_auc(s, l) FROM (VALUES ('-0'::float8, true), (0, false)) t(s, l)), .5::float8, 'minus zero ties with zero');
SELECT throws_ok($$ SELECT churn_auc('NaN', true) $$, '22003', 'a score is NaN', 'NaN is refused');
SELECT throws_ok($$ SELECT churn_brier(s, true) FROM (VALUES (.5), (1.5)) t(s) $$, '22003',
    'score 1.5 is not a probability between 0 and 1', 'Brier refuses 1.5');
SELECT throws_ok($$ SELECT churn_log_loss(s, true) FROM (VALUES (.5), (-.1)) t(s) $$, '22003',
    'score -0.1 is not a probability between 0 and 1', 'log-loss refuses -0.1');
SELECT throws_ok($$ SELECT churn_log_loss(s, true ORDER BY s) FROM (VALUES (.5::float8), (-.1)) t(s) $$, '22003',
    NULL, 'log-loss refuses -0.1 in order too');
SELECT throws_ok($$ SELECT churn_ece(2, true) $$, '22003', NULL, 'ECE refuses 2');
SELECT is((SELECT churn_log_loss(s, l) FROM (VALUES (0, true), (.5, false)) t(s, l)), 'Infinity'::float8, 'certain and wrong is infinite');
SELECT is((SELECT churn_log_loss(s, l) FROM (VALUES (0, false), (1, true)) t(s, l)), 0::float8, 'certain and right is nothing');
SELECT is((SELECT ((churn_evaluate(s * 10, l)).auc, (churn_evaluate(s * 10, l)).brier)::text FROM toy10),
    '(0.6666666666666666,)', 'an evaluation of other scores keeps the rank figures');
SELECT is((SELECT (churn_evaluate(s, l)).calibration_slope FROM (VALUES (.2, false), (.3, false), (.6, true), (.7, true)) t(s, l)),
    NULL, 'no slope where scores separate the classes');

-- Arguments
SELECT throws_ok($$ SELECT churn_lift(s, l, 0) FROM toy10 $$, '22023', 'share must be above 0 and at most 1, not 0', 'share 0');
SELECT throws_ok($$ SELECT churn_recall_at(s, l, 1.5) FROM toy10 $$, '22023', NULL, 'share 1.5');
SELECT throws_ok($$ SELECT churn_precision_at(s, l, 0) FROM toy10 $$, '22023', 'count must be at least 1, not 0', 'count 0');
SELECT throws_ok($$ SELECT churn_lift(s, l, NULL) FROM toy10 $$, '22004', NULL, 'share NULL');
SELECT throws_ok($$ SELECT churn_lift(s, l, s) FROM toy10 $$, '22023', NULL, 'a share that changes');
SELECT throws_ok($$ SELECT churn_ece(s, l, 0) FROM toy10 $$, '22023', 'number of bins must be between 1 and 10000, not 0', 'no bins');
SELECT throws_ok($$ SELECT churn_ece(s, l, 5, 'depth') FROM toy10 $$, '22023', NULL, 'unknown method');
SELECT throws_ok($$ SELECT churn_h_measure(s, l, -1) FROM toy10 $$, '22023', NULL, 'negative severity');
SELECT throws_ok($$ SELECT churn_h_measure(s, l, 1e-308) FROM toy10 $$, '22023', NULL, 'severity of next to nothing');
SELECT ok(churn_h_measure(s, l, v) BETWEEN 0 AND 1, 'severity ' || v) FROM toy10, unnest('{1e-6, 1e6}'::float8[]) v GROUP BY v;
SELECT throws_ok($$ SELECT churn_empc(s, l, 1e300, 1e300, 200, 10, 1) FROM toy10 $$, '22023', NULL, 'a Beta without width');
SELECT ok(churn_empc(s, l, 1e6, 1e6, 200, 10, 1) > 0, 'a narrow Beta') FROM toy10;
SELECT throws_ok($$ SELECT churn_mpc(s, l, 1.2, 200, 10, 1) FROM toy10 $$, '22023', NULL, 'success rate above 1');
SELECT throws_ok($$ SELECT churn_empc(s, l, 6, 14, 10, 10, 1) FROM toy10 $$, '22023', 'value (10) must be above offer_cost (10)', 'an offer as dear as the customer');
SELECT throws_ok($$ SELECT churn_empc(s, l, 0, 14, 200, 10, 1) FROM toy10 $$, '22023', NULL, 'alpha 0');
SELECT throws_ok($$ SELECT churn_auc_ci(s, l, 'u', 1, 1) FROM toy10 $$, '22023', NULL, 'one replicate');
SELECT is((SELECT churn_precision_at(s, l, 1000) FROM toy10), .6::float8, 'a count beyond the rows takes all');

-- Expected values at a cut through ties: 2 of 4 rows at .5, one churner of 4
SELECT is((SELECT ARRAY[churn_precision_at(s, l, 3), churn_recall_at(s, l, 3), churn_lift(s, l, .5)]
    FROM (VALUES (.9, true), (.5, true), (.5, false), (.5, false), (.5, false), (.1, false)) t(s, l)),
    ARRAY[.5, .75, 1.5]::float8[], 'ties at a cut-off count by their expected value');

-- Every plan and every spelling gives the same bits
SELECT setseed(0.25);
CREATE TABLE rows_of (part int, s float8, l boolean, u int) PARTITION BY LIST (part);
CREATE TABLE rows_0 PARTITION OF rows_of FOR VALUES IN (0);
CREATE TABLE rows_1 PARTITION OF rows_of FOR VALUES IN (1);
INSERT INTO rows_of SELECT i % 2, CASE WHEN i % 3 = 0 THEN round(x::numeric, 2) ELSE x END, random() < x, i % 4000
FROM (SELECT i, random() * .98 + .01 AS x FROM generate_series(1, 20000) i) r;
INSERT INTO rows_of VALUES (0, NULL, true, 1), (1, .5, NULL, 2), (1, NULL, NULL, 3);
ANALYZE rows_of;
CREATE TABLE results (how text, figures text);
CREATE FUNCTION figures(source text, ordered text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text; BEGIN
    EXECUTE format('SELECT ROW(churn_auc(s, l%2$s), churn_auc_ci(s, l%2$s), churn_ks(s, l%2$s),
        churn_average_precision(s, l%2$s), churn_brier(s, l%2$s), churn_log_loss(s, l%2$s), churn_ece(s, l%2$s),
        churn_ece(s, l, 7, ''count''%2$s), churn_lift(s, l, .1%2$s), churn_precision_at(s, l, 77%2$s),
        churn_recall_at(s, l, .33%2$s), churn_h_measure(s, l%2$s), churn_mpc(s, l%2$s), churn_empc(s, l%2$s),
        churn_evaluate(s, l%2$s), churn_auc_test(s, 1 / s, l%2$s), churn_psi(s, l%2$s),
        churn_ks_test(s, l%2$s), churn_auc_ci(s, l, u::text, 20, 3%2$s))::text FROM %1$s', source, ordered) INTO result;
    RETURN result;
END $$;
SET max_parallel_workers_per_gather = 0;
INSERT INTO results SELECT 'serial', figures('rows_of', '');
INSERT INTO results SELECT 'ordered', figures('rows_of', ' ORDER BY s');
INSERT INTO results SELECT 'ordered downwards', figures('rows_of', ' ORDER BY s DESC, l');
INSERT INTO results SELECT 'shuffled', figures('(SELECT * FROM rows_of ORDER BY hashfloat8(s + u)) x', '');
SET max_parallel_workers_per_gather = 4;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
INSERT INTO results SELECT 'parallel', figures('rows_of', '');
SET enable_partitionwise_aggregate = on;
INSERT INTO results SELECT 'partition-wise', figures('rows_of', '');
SELECT is(figures, (SELECT figures FROM results WHERE how = 'serial'), how || ' gives the serial bits')
FROM results WHERE how <> 'serial';
CREATE FUNCTION plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS
$$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END $$;
SELECT matches((SELECT string_agg(line, ' ') FROM plan_of('SELECT churn_auc(s, l), churn_evaluate(s, l), churn_lift(s, l, .1), churn_psi(s, l) FROM rows_of') line),
    'Partial Aggregate.*Parallel', 'the plan was parallel and partial');
SELECT is((SELECT bool_and(s.f = p.f) FROM
    (SELECT part, churn_auc(s, l)::text || churn_log_loss(s, l) AS f FROM rows_of GROUP BY part) s JOIN
    (SELECT 0 AS part, churn_auc(s, l)::text || churn_log_loss(s, l) AS f FROM rows_0
     UNION ALL SELECT 1, churn_auc(s, l)::text || churn_log_loss(s, l) FROM rows_1) p USING (part)), true, 'groups equal parts');
SELECT is((SELECT count(*) FROM (SELECT u, churn_auc(s, l) AS ours FROM rows_of GROUP BY u) x LEFT JOIN
        (SELECT a.u, avg((a.s > b.s)::int + .5 * (a.s = b.s)::int)::float8 AS naive
         FROM rows_of a JOIN rows_of b ON a.u = b.u AND a.l AND NOT b.l GROUP BY a.u) y USING (u)
    WHERE abs(ours - naive) > 1e-12 OR (ours IS NULL) <> (naive IS NULL)), 0::bigint, 'each of 4,000 groups is right');

-- Partial states that each ascend do not ascend together.
CREATE TABLE rising (part int, s float8, l boolean) PARTITION BY LIST (part);
CREATE TABLE rising_0 PARTITION OF rising FOR VALUES IN (0);
CREATE TABLE rising_1 PARTITION OF rising FOR VALUES IN (1);
INSERT INTO rising SELECT i % 2, i / 3001.0, hashint4(i) % 3 = 0 FROM generate_series(1, 3000) i;
ANALYZE rising;
SELECT is((SELECT churn_evaluate(s, l)::text FROM rising), (SELECT churn_evaluate(s, l)::text FROM
    (SELECT * FROM rising ORDER BY s DESC OFFSET 0) x), 'sorted partial states merge');
SELECT matches((SELECT string_agg(line, ' ') FROM plan_of('SELECT churn_evaluate(s, l) FROM rising') line),
    'Partial Aggregate.*Partial Aggregate', 'each partition had a state');

-- A window keeps the state while it grows
SELECT is((SELECT count(*) FROM (
        SELECT churn_auc(s, l) OVER (ORDER BY s ROWS UNBOUNDED PRECEDING) AS running,
               (SELECT churn_auc(t.s, t.l) FROM toy10 t WHERE t.s <= toy10.s) AS fresh FROM toy10) x
    WHERE running IS DISTINCT FROM fresh), 0::bigint, 'a running AUC equals a fresh one');

-- Cluster bootstrap
SELECT is((SELECT churn_auc_ci(s, l, u::text, 100, 7)::text FROM rows_of),
    (SELECT churn_auc_ci(s, l, u::text, 100, 7)::text FROM rows_of), 'the same seed gives the same interval');
SELECT isnt((SELECT churn_auc_ci(s, l, u::text, 100, 7)::text FROM rows_of),
    (SELECT churn_auc_ci(s, l, u::text, 100, 8)::text FROM rows_of), 'another seed another');
SELECT ok(x.boot BETWEEN .8 * x.delong AND 1.2 * x.delong, 'with one row a user it agrees with DeLong: ' || x)
FROM (SELECT (churn_auc_ci(s, l, ctid::text || part, 400, 1)).se AS boot, (churn_auc_ci(s, l)).se AS delong FROM rows_of WHERE u < 500) x;
SELECT ok(x.boot BETWEEN 1.7 * x.delong AND 2.3 * x.delong, 'with four equal rows a user it doubles DeLong: ' || x)
FROM (SELECT (churn_auc_ci(s, l, ctid::text || part, 400, 1)).se AS boot, (churn_auc_ci(s, l)).se AS delong
      FROM rows_of, generate_series(1, 4) WHERE u < 500) x;
SELECT ok(x.boot BETWEEN .8 * x.delong AND 1.2 * x.delong, 'so does the difference of two areas: ' || x)
FROM (SELECT (churn_auc_test(s, noisy, l, ctid::text || part, 400, 1)).se AS boot, (churn_auc_test(s, noisy, l)).se AS delong
      FROM (SELECT s, l, part, r.ctid, s + (hashint4(u) % 1000) / 2000.0 AS noisy FROM rows_of r WHERE u < 500) r) x;
SELECT is((SELECT (churn_evaluate(s, l, u::text, 20, 3)).auc_se FROM rows_of), (SELECT (churn_auc_ci(s, l, u::text, 20, 3)).se FROM rows_of),
    'an evaluation with user keys has the same interval');

-- Memory
SET churn.memory = '1MB';
SET max_parallel_workers_per_gather = 0;
SELECT throws_ok($$ SELECT churn_auc(s, l) FROM rows_of, generate_series(1, 10) $$, '53400', NULL, 'churn.memory bounds the plain form');
SELECT lives_ok($$ SELECT churn_auc(s, l ORDER BY s) FROM rows_of, generate_series(1, 10) $$, 'the ordered form stays within');
SELECT lives_ok($$ SELECT churn_auc(s, l ORDER BY s) FROM (SELECT s::real AS s, l FROM rows_of, generate_series(1, 10)) x $$, 'real scores too');
SELECT lives_ok($$ SELECT churn_auc(s, l ORDER BY s) FROM (SELECT s::numeric AS s, l FROM rows_of, generate_series(1, 10)) x $$, 'numeric scores too');
SELECT throws_ok($$ SELECT churn_evaluate(s, l ORDER BY s) FROM rows_of, generate_series(1, 10) $$, '53400', NULL, 'an evaluation keeps scores in any order');
RESET churn.memory;
SELECT * FROM finish();
