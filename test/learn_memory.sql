-- A fit in little memory: the same bits from files as from memory, what gives
-- way to what, and the error that states the figures.
\set ECHO none
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
SELECT plan(38);

-- ---- rows: curved effects, an interaction, gaps, users of several rows ----
CREATE FUNCTION noise(i bigint, salt int) RETURNS float8 LANGUAGE sql IMMUTABLE
AS 'SELECT (hashint8extended(i * 2654435761, salt) >> 11)::float8 / 2::float8 ^ 52';
CREATE TABLE rows AS
SELECT i / 3 AS id, noise(i, 1) AS a, round(noise(i, 2) * 20) AS b, CASE WHEN i % 7 <> 0 THEN exp(4 * noise(i, 3)) END AS c,
       noise(i, 4) > 0 AS d, noise(i, 5) AS e, noise(i, 1) AS a_again, 1 AS fixed,
       noise(i, 1) ^ 2 + CASE WHEN noise(i, 4) > 0 THEN noise(i, 5) ELSE -noise(i, 5) END + noise(i, 6) > .4 AS churned
FROM generate_series(1, 30000) i;
CREATE TABLE shuffled AS SELECT * FROM rows ORDER BY noise(id, 7), a;
CREATE FUNCTION fit(options jsonb, source regclass DEFAULT 'rows') RETURNS churn_model LANGUAGE plpgsql AS $$
DECLARE result churn_model;
BEGIN
    EXECUTE format('SELECT churn_fit(r, ''churned'', %L) FROM %s r', options || '{"key": "id"}', source) INTO result;
    RETURN result;
END $$;
-- Bytes that the database's sessions have written to temporary files
CREATE FUNCTION files() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_stat_clear_snapshot();
    RETURN (SELECT temp_bytes FROM pg_stat_database WHERE datname = current_database());
END $$;

-- ---- the same bits ----
CREATE TABLE fits (encoding text, memory text, m churn_model);
SELECT pg_stat_force_next_flush() \g /dev/null
SELECT files() AS before \gset
INSERT INTO fits SELECT e, '1GB', fit(jsonb_build_object('encoding', e, 'max_search_rows', 1000)) FROM unnest(ARRAY['bins', 'pairs']) e;
SELECT pg_stat_force_next_flush() \g /dev/null
SELECT is(files(), :before::bigint, 'in memory no file is written');
INSERT INTO fits SELECT e, m, fit(jsonb_build_object('encoding', e, 'max_search_rows', 1000, 'memory', m), source::regclass)
FROM unnest(ARRAY['bins', 'pairs']) e, (VALUES ('4MB', 'rows'), ('3MB', 'shuffled')) s (m, source);
SELECT pg_stat_force_next_flush() \g /dev/null
SELECT cmp_ok(files() - :before, '>', 4 * 1000000::bigint, 'in less the rows are in files');
SELECT is(count(DISTINCT m::text), 1::bigint, encoding || ': in memory and in files, in any order, the same bits')
FROM fits GROUP BY encoding ORDER BY encoding;
SELECT is(churn_model_info(m) #>> '{provenance,dropped}', '[{"column": "a_again", "reason": "duplicate"}, {"column": "fixed", "reason": "constant"}]', 'columns dropped as in memory')
FROM fits WHERE memory = '4MB' AND encoding = 'bins';
-- a thirtieth of the rows
CREATE TABLE wide AS
SELECT i AS id, noise(i, 1) + noise(i, 2) + noise(i, 50) > 0 AS churned, x.*
FROM generate_series(1, 30000) i, LATERAL (SELECT noise(i, 1) AS c1, noise(i, 2) AS c2, noise(i, 3) AS c3, noise(i, 4) AS c4, noise(i, 5) AS c5,
    noise(i, 6) AS c6, noise(i, 7) AS c7, noise(i, 8) AS c8, noise(i, 9) AS c9, noise(i, 10) AS c10, noise(i, 11) AS c11, noise(i, 12) AS c12) x;
SELECT is(fit('{"encoding": "bins", "folds": 0, "memory": 1024}', 'wide')::text, fit('{"encoding": "bins", "folds": 0}', 'wide')::text,
          'a megabyte: the same bits');

-- ---- LIBLINEAR gives way to newton ----
CREATE TABLE linear AS SELECT fit('{"c": 1, "folds": 0}') AS whole, fit('{"c": 1, "folds": 0, "memory": "3MB"}') AS little,
    fit('{"c": 1, "folds": 0, "memory": "2MB"}', 'shuffled') AS less;
SELECT is(churn_model_info(whole) #>> '{provenance,solver}', 'liblinear', 'linear: LIBLINEAR where there is room') FROM linear;
SELECT is(churn_model_info(little) #>> '{provenance,solver}', 'newton', 'newton where there is none') FROM linear;
SELECT is(little::text, less::text, 'with less, in another order: the same bits') FROM linear;
SELECT is((SELECT count(*) FROM churn_model_terms((SELECT little FROM linear)) l
           JOIN churn_model_terms((SELECT whole FROM linear)) w USING (term)
           WHERE abs(l.weight - w.weight) < 1e-6 AND abs(l.missing_weight - w.missing_weight) < 1e-6),
          5::bigint, 'both find the same weights to 1e-6');
SELECT cmp_ok(max(abs(churn_predict(little, r) - churn_predict(whole, r))), '<', 1e-6::float8, 'and probabilities') FROM linear, rows r WHERE id < 1000;
SELECT is(churn_model_info(m) #>> '{provenance,solver}', 'newton', 'newton may be asked for') FROM fit('{"solver": "newton", "folds": 0}') m;

-- columns of texts, of few and many levels, rare ones, too long ones, missing ones
CREATE TABLE texts AS
SELECT id, a, e, (ARRAY['red', 'green', 'blue'])[1 + abs(hashint8(round(b)::bigint)) % 3] AS colour,
       CASE WHEN c IS NOT NULL THEN 'city ' || floor(40 * abs(e) ^ 3) END AS city, CASE WHEN d THEN 'few' WHEN a > .99 THEN repeat('long', 100) END AS rare,
       'fixed' AS same, 'n' || round(b * 1e9 + a * 1e12) AS own, churned
FROM rows;
CREATE TABLE texts_shuffled AS SELECT * FROM texts ORDER BY noise(id, 8), a;
CREATE TABLE text_fits AS SELECT e, fit(o, 'texts') AS whole, fit(o || '{"memory": "3MB"}', 'texts_shuffled') AS little
FROM (VALUES ('linear', '{"solver": "newton"}'::jsonb), ('bins', '{}'), ('pairs', '{"pairs": 5}'), ('weighted', '{"encoding": "linear", "solver": "newton", "class_weights": "balanced"}'),
             ('monotone', '{"encoding": "pairs", "pairs": 5, "c": 0.05, "monotone": {"a": 1, "e": -1}, "class_weights": {"churned": 3}}'),
             ('isotonic', '{"encoding": "bins", "calibration": "isotonic"}')) v (e, more),
     LATERAL (SELECT jsonb_build_object('encoding', e, 'max_search_rows', 1000, 'exclude', ARRAY['own']) || more AS o) o;
SELECT is(little::text, whole::text, e || ' over texts: in memory and in files, in any order, the same bits') FROM text_fits;
CREATE TABLE text_linear AS SELECT fit('{"c": 1, "folds": 0, "exclude": ["own"]}', 'texts') AS whole, fit('{"c": 1, "folds": 0, "exclude": ["own"], "solver": "newton"}', 'texts') AS by_newton;
SELECT is(churn_model_info(whole) #>> '{provenance,solver}', 'liblinear', 'texts: LIBLINEAR where there is room') FROM text_linear;
SELECT cmp_ok(max(abs(churn_predict(whole, t) - churn_predict(by_newton, t))), '<', 1e-6::float8, 'texts: both find the same probabilities to 1e-6') FROM text_linear, texts t;
SELECT throws_ok($$SELECT fit('{"encoding": "bins", "memory": 1024}', 'texts')$$, '54000', NULL, 'many different texts that do not fit');
SELECT ok(churn_model_info(little) #>> '{provenance,solver}' = 'newton' AND (churn_model_info(little) ->> 'pairs')::int > 0, 'limits and pairs, in files') FROM text_fits WHERE e = 'monotone';
CREATE TABLE weighted AS SELECT fit(o, 'texts') AS whole, fit(o || '{"solver": "newton"}', 'texts') AS by_newton
FROM (VALUES ('{"c": 1, "folds": 0, "exclude": ["own"], "class_weights": "balanced"}'::jsonb)) v (o);
-- LIBLINEAR ends where a step gains 1e-12 of the objective
SELECT cmp_ok(max(abs(churn_predict(whole, t) - churn_predict(by_newton, t))), '<', 1e-5::float8, 'class weights: both find the same probabilities to 1e-5') FROM weighted, texts t;
SELECT isnt(by_newton::text, (SELECT by_newton::text FROM text_linear), 'and others than without') FROM weighted;

-- ---- what newton does not solve: a sample that LIBLINEAR has memory for ----
CREATE TABLE bounded AS SELECT o, fit(o || '{"c": 0.1, "folds": 0, "memory": "3MB"}') AS m FROM unnest(ARRAY['{"penalty": "l1"}', '{"monotone": {"a": 1}}']::jsonb[]) o;
SELECT ok(churn_model_info(m) #>> '{provenance,solver}' = 'liblinear' AND (churn_model_info(m) #>> '{provenance,final_rows}')::int BETWEEN 500 AND 20000,
          o::text || ': LIBLINEAR on ' || (churn_model_info(m) #>> '{provenance,final_rows}') || ' rows') FROM bounded;
SELECT throws_ok($$SELECT fit('{"solver": "newton", "monotone": {"a": 1}}')$$, '22023', NULL, 'linear limits are not for newton');

-- more columns than have a dense Hessian: conjugate gradients
SELECT format('CREATE TABLE many AS SELECT i AS id, noise(i, 1) + noise(i, 99) > 0 AS churned, %s FROM generate_series(1, 1500) i',
              string_agg(format('noise(i, %s) AS c%s', k, k), ', ')) FROM generate_series(1, 560) k \gexec
CREATE TABLE many_fits AS SELECT fit('{"c": 0.01, "folds": 0}', 'many') AS whole, fit('{"c": 0.01, "folds": 0, "solver": "newton"}', 'many') AS by_newton;
SELECT cmp_ok(max(abs(l.weight - w.weight)), '<', 1e-6::float8, '560 columns: the same weights to 1e-6')
FROM many_fits, churn_model_terms(whole) w JOIN churn_model_terms((SELECT by_newton FROM many_fits)) l USING (term);

-- ---- what is said ----
SET client_min_messages = notice;
\set ON_ERROR_STOP 0
CREATE TEMP TABLE said (line text);
SELECT current_database() AS db \gset
\setenv PGDATABASE :db
\setenv PGOPTIONS '-c client_min_messages=notice'
\copy said FROM PROGRAM 'psql -qXAt -c "SELECT length(churn_fit(r, ''churned'', ''{\"key\": \"id\", \"memory\": \"3MB\"}'')::text) FROM rows r" 2>&1'
SET client_min_messages = warning;
\set ON_ERROR_STOP 1
SELECT is(count(*), 1::bigint, 'a NOTICE says how many rows choose settings') FROM said
WHERE line ~ '^NOTICE:  churn_fit: at most \d+ rows choose settings, for churn.memory is 3 MB$';
SELECT is(count(*), 1::bigint, 'a NOTICE says that newton stands in, and why') FROM said
WHERE line ~ '^NOTICE:  churn_fit: solver newton, for LIBLINEAR needs \d+ MB and churn.memory is 3 MB$';

-- ---- too little for the columns alone ----
SELECT throws_ok($$SELECT fit('{"encoding": "bins", "memory": 1024}', 'many')$$, '54000', NULL, 'columns that do not fit');
SELECT throws_like($$SELECT fit('{"encoding": "bins", "memory": "2MB"}', 'many')$$,
                   'fit of 1500 rows and 560 columns needs % MB, churn.memory is 2 MB', 'with the figures');

-- ---- the caller's bounds on files hold, and nothing is left behind ----
SET temp_file_limit = '1MB';
SELECT throws_ok($$SELECT fit('{"memory": "2MB"}')$$, '53400', NULL, 'temp_file_limit bounds a fit');
RESET temp_file_limit;
SELECT is(count(*), 0::bigint, 'no temporary file is left') FROM pg_ls_tmpdir();

-- groups whose rows take turns, each in files
SELECT is(count(DISTINCT m), 1::bigint, 'two groups at once, the same rows: the same bits')
FROM (SELECT churn_fit(r, 'churned', '{"key": "id", "encoding": "bins", "folds": 0, "memory": "2MB", "exclude": ["g"]}')::text AS m
      FROM (SELECT rows.*, g FROM rows, generate_series(1, 2) g) r GROUP BY g) f;

-- the final function ends the rows, so it runs but once
SELECT throws_ok($$SELECT churn_fit(r, 'churned') OVER () FROM rows r$$, '0A000', NULL, 'not a window function');

-- ---- progress ----
CREATE TEMP TABLE queries AS SELECT query FROM pg_stat_activity WHERE false;
SELECT isnt(fit('{"encoding": "bins", "folds": 0}'), NULL, 'after a fit');
INSERT INTO queries SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid();
SELECT unalike(query, '%churn\_fit:%', 'the query text is the query again') FROM queries;
SELECT * FROM finish();
