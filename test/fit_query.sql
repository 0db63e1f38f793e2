-- churn_fit_query: the model of the aggregate, bit for bit; one SELECT, the
-- caller's path and rights, read-only; a sample of whole users in little memory.
\set ECHO none
SET client_min_messages = error;
SELECT no_plan();

CREATE TABLE t AS SELECT i AS id, i % 700 AS u, (hashint4(i) & 1023) / 100.0::float8 AS x, CASE WHEN i % 7 > 0 THEN (hashint4(i + 7) & 127) END AS y,
	(hashint4(i * 3) & 1023) / 300.0 < 1 + (hashint4(i) & 1023) / 600.0 AS churned
FROM generate_series(1, 3000) i;
ALTER TABLE t ADD gone int;
ALTER TABLE t DROP gone;

-- ---- the same as the aggregate ----
CREATE FUNCTION same(query text, options jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE same boolean;
BEGIN
	EXECUTE format('SELECT churn_fit_query(%L, ''churned'', %L)::text = churn_fit(r, ''churned'', %L)::text FROM (%s) r', query || '; -- that is all', options, options, query) INTO same;
	RETURN same;
END $$;
SELECT ok(same('SELECT u, x, y, churned FROM t', options::jsonb), 'bit for bit: ' || options) FROM unnest(ARRAY['{"key": "u", "c": 1}', '{"c": 0.1, "encoding": "bins"}', '{"key": "u", "encoding": "linear", "folds": 3}', '{"c": 1, "folds": 0, "exclude": ["u"]}']) options;
SELECT ok(same('SELECT * FROM t ORDER BY x', '{"c": 1, "key": "id"}'), 'in another order, dropped columns aside');
SELECT ok(same('WITH a AS (SELECT * FROM t WHERE id < 2000) SELECT u, x, churned FROM a UNION ALL SELECT u, x, churned FROM t WHERE id >= 2000', '{"c": 1}'), 'WITH and UNION');
SELECT ok(same('SELECT x, u AS churn_rows, y AS "a ""b", churned FROM t', '{"c": 1}'), 'names that could be confused');
SELECT is((SELECT count(DISTINCT churn_fit_query(format('SELECT x, y, churned FROM t WHERE u %% 2 = %s', g), 'churned', '{"c": 1}')::text) FROM generate_series(0, 1) g), 2::bigint, 'called for several rows');
SELECT is(churn_fit_query('SELECT * FROM t WHERE id < 0', 'churned'), NULL, 'no rows: NULL');
SELECT is(churn_fit_query('SELECT x, NULL::boolean AS churned FROM t', 'churned'), NULL, 'no label: NULL');
SELECT isnt(churn_fit_query('VALUES (1.0, true), (2, false), (3, true), (1, false)', 'column2'), NULL, 'VALUES');
SELECT isnt(churn_fit_query('SELECT * FROM t', 'churned', NULL), NULL, 'no options');

-- ---- the caller's path, and nobody else's names ----
CREATE SCHEMA mine;
CREATE TABLE mine.own AS SELECT * FROM t;
SET search_path = mine, public;
SELECT isnt(churn_fit_query('SELECT * FROM own', 'churned', '{"c": 1}'), NULL, 'names are looked up in the caller''s path');
CREATE FUNCTION mine.churn_fit(record, text, jsonb) RETURNS churn_model LANGUAGE plpgsql AS 'BEGIN RAISE division_by_zero; END';
CREATE FUNCTION mine.less(float8, float8) RETURNS boolean LANGUAGE sql AS 'SELECT 1/0 = 1';
CREATE OPERATOR mine.< (LEFTARG = float8, RIGHTARG = float8, FUNCTION = mine.less);
SET search_path = mine, pg_catalog, public;
SELECT isnt(churn_fit_query('SELECT * FROM t', 'churned', '{"c": 1, "memory": "1MB"}'), NULL, 'what churn adds to the query is not');
RESET search_path;
DROP SCHEMA mine CASCADE;

-- ---- little memory: whole users, the same ones each time ----
CREATE TABLE sampled AS SELECT churn_fit_query('SELECT t.*, g FROM t, generate_series(1, 10) g', 'churned', '{"key": "u", "c": 1, "memory": "3MB"}') AS m;
CREATE FUNCTION fact(m churn_model, name text) RETURNS bigint LANGUAGE sql AS $$ SELECT (churn_model_info(m)->'provenance'->>name)::bigint $$;
SELECT ok(fact(m, 'rows') BETWEEN 3000 AND 15000, 'fitted on a part: ' || fact(m, 'rows') || ' of 30,000 rows') FROM sampled;
SELECT ok(abs(fact(m, 'rows') / fact(m, 'users')::float8 - 30000 / 700.0) < 1, 'users are drawn whole') FROM sampled;
SELECT is(churn_fit_query('SELECT t.*, g FROM t, generate_series(1, 10) g ORDER BY x', 'churned', '{"key": "u", "c": 1, "memory": "3MB"}')::text, m::text, 'the same users again') FROM sampled;
SET churn.memory = '3MB';
SELECT is(churn_fit_query('SELECT t.*, g FROM t, generate_series(1, 10) g', 'churned', '{"key": "u", "c": 1}')::text, m::text, 'churn.memory as option memory') FROM sampled;
SELECT ok(fact(churn_fit_query('SELECT t.*, g FROM t, generate_series(1, 10) g', 'churned', '{"c": 1}'), 'rows') BETWEEN 3000 AND 15000, 'without a key: rows');
RESET churn.memory;

-- ---- one SELECT, and what it gives ----
SELECT throws_ok(format('SELECT churn_fit_query(%L, %L, %L)', query, coalesce(label, 'churned'), coalesce(options, '{"c": 1}')), state, message, query) FROM (VALUES
	('SELECT u FROM', '42601', 'syntax error at end of input', NULL, NULL), ('', '42601', 'the query of churn_fit_query must be one SELECT', NULL, NULL), ('SELECT 1; SELECT 2', '42601', NULL, NULL, NULL),
	('DELETE FROM t', '42601', NULL, NULL, NULL), ('SELECT * INTO x FROM t', '42601', NULL, NULL, NULL), ('SELECT 1) AS a, (SELECT 2', '42601', NULL, NULL, NULL), ('EXPLAIN SELECT * FROM t', '42601', NULL, NULL, NULL),
	('SELECT * FROM t /*', '42601', NULL, NULL, NULL), ('WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d', '0A000', NULL, NULL, NULL), ('SELECT * FROM t FOR UPDATE', '0A000', NULL, NULL, NULL),
	('SELECT * FROM t WHERE id = $1', '42P02', NULL, NULL, NULL), ('SELECT * FROM nowhere', '42P01', NULL, NULL, NULL), ('SELECT *, 1 AS x FROM t', '42701', 'the query has two columns "x"', NULL, NULL),
	('SELECT * FROM t', '42703', 'label column "none" is not among those of the query', 'none', NULL), ('SELECT * FROM t', '42703', 'key column "none" is not among those of the query', NULL, '{"key": "none"}'),
	('SELECT * FROM t', '42703', 'excluded column "none" is not among those of the query', NULL, '{"exclude": ["none"]}'), ('SELECT * FROM t', '22023', 'option "colour" is not known', NULL, '{"colour": 1}'),
	('SELECT * FROM t WHERE churned', '22023', NULL, NULL, NULL), ('SELECT x / 0 AS x, churned FROM t', '22012', NULL, NULL, NULL)) v (query, state, message, label, options);
SELECT throws_ok('SELECT churn_fit_query(NULL, ''churned'')', '22004');
SELECT throws_ok('SELECT churn_fit_query(''SELECT 1'', NULL)', '22004');
SELECT is((SELECT count(*) FROM t), 3000::bigint, 'and nothing was deleted');

-- ---- rights ----
CREATE ROLE churn_reader;
SET ROLE churn_reader;
SELECT throws_ok($$SELECT churn_fit_query('SELECT * FROM t', 'churned')$$, '42501', NULL, 'the caller''s rights');
RESET ROLE;
GRANT SELECT (x, churned) ON t TO churn_reader;
SET ROLE churn_reader;
SELECT lives_ok($$SELECT churn_fit_query('SELECT x, churned FROM t', 'churned', '{"c": 1}')$$, 'of columns too');
RESET ROLE;
REVOKE ALL (x, churned) ON t FROM churn_reader;
DROP ROLE churn_reader;
SELECT * FROM finish();
