-- churn_information: against plain SQL, known figures, warnings that are
-- raised and those that are not, types, rights, errors.
\set ECHO none
SET client_min_messages = error;
SELECT no_plan();

-- Numbers from a hash, so that every run has the same.
CREATE FUNCTION draw(i int, salt int) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$ SELECT (hashint4(i # (salt * 7919)) & 1048575) / 1048576.0 $$;

CREATE TABLE t AS SELECT i, trunc(draw(i, 1) * 100)::float8 AS x,
	CASE WHEN draw(i, 2) < .7 THEN draw(i, 3) * 10 END AS holes,
	(ARRAY['a', 'b', 'c', NULL])[1 + trunc(draw(i, 4) * 4)::int] AS level,
	'k' || trunc(draw(i, 5) * 900) AS many,
	trunc(draw(i, 6) * 4)::int AS few,
	draw(i, 7) < .15 + .6 * draw(i, 1) * CASE WHEN draw(i, 2) < .7 THEN draw(i, 3) ELSE .8 END
		+ CASE WHEN draw(i, 4) < .25 THEN .2 ELSE 0 END AS churned
FROM generate_series(1, 4000) i;
CREATE TABLE info AS SELECT * FROM churn_information('t', 'churned');

-- ---- against plain SQL ----
CREATE FUNCTION plain_bins(v float8[], churned boolean[], nbins int, OUT low float8, OUT high float8, OUT rows bigint, OUT bad bigint, OUT woe float8, OUT part float8)
RETURNS SETOF record LANGUAGE sql AS $$
	WITH r AS (SELECT x, y, CASE WHEN x IS NOT NULL THEN floor(nbins * (rank() OVER (PARTITION BY x IS NULL ORDER BY x) - 1.0) / count(x) OVER ()) END AS bin FROM unnest(v, churned) AS u (x, y)),
	b AS (SELECT min(x) AS low, max(x) AS high, count(*) AS rows, count(*) FILTER (WHERE y) AS bad FROM r GROUP BY bin),
	s AS (SELECT *, (bad + .5) / (sum(bad) OVER () + .5 * count(*) OVER ()) AS p, (rows - bad + .5) / (sum(rows - bad) OVER () + .5 * count(*) OVER ()) AS q FROM b)
	SELECT low, high, rows, bad, ln(p / q)::float8, ((p - q) * ln(p / q))::float8 FROM s ORDER BY low NULLS LAST $$;
CREATE FUNCTION agree(name text, v float8[], churned boolean[]) RETURNS text LANGUAGE sql AS $$
	SELECT is(count(*) FILTER (WHERE (j.bin->>'from')::float8 IS NOT DISTINCT FROM p.low AND (j.bin->>'to')::float8 IS NOT DISTINCT FROM p.high AND (j.bin->>'rows')::int = p.rows AND (j.bin->>'churned')::int = p.bad
		AND abs((j.bin->>'woe')::float8 - p.woe) < 1e-12 AND (j.bin ? 'missing') = (p.low IS NULL)), count(*), name || ': bins and weights of evidence as in plain SQL')
	|| E'\n' || is(round(max(iv)::numeric, 12), round(sum(p.part)::numeric, 12), name || ': information value')
	FROM info, jsonb_array_elements(bins) WITH ORDINALITY j (bin, n) FULL JOIN (SELECT *, row_number() OVER () AS n FROM plain_bins(v, churned, 10)) p USING (n) WHERE column_name = name $$;
SELECT agree('x', array_agg(x), array_agg(churned)) FROM t;
SELECT agree('holes', array_agg(holes), array_agg(churned)) FROM t;
SELECT ok(abs(i.auc - a.auc) < 1e-12 AND i.direction = 'higher', 'AUC alone is that of churn_auc') FROM info i, (SELECT churn_auc(x, churned) AS auc FROM t) a WHERE column_name = 'x';
SELECT ok(abs(i.auc - a.auc) < 1e-12 AND i.direction = 'lower', 'and of the falling value where lower ones churn more')
FROM (SELECT (unnest(churn_column_information(s, 'churned'))).* FROM (SELECT -x AS x, churned FROM t) s) i, (SELECT churn_auc(x, churned) AS auc FROM t) a WHERE column_name = 'x';
-- NULL stands between the bins where the AUC is greatest
SELECT ok(abs(i.auc - best.auc) < 1e-12, 'AUC with NULL where it ranks best') FROM info i, (SELECT max(auc) AS auc FROM (
	SELECT churn_auc(coalesce(holes, place), churned) AS auc FROM t, (SELECT (bin->>'from')::float8 - 1e-9 AS place FROM info, jsonb_array_elements(bins) bin WHERE column_name = 'holes' UNION ALL SELECT 1e9) b
	WHERE place IS NOT NULL GROUP BY place) a) best WHERE column_name = 'holes';
SELECT is(jsonb_array_length(bins), 4, 'few values: a bin each') FROM info WHERE column_name = 'few';
SELECT is(ROW(rows, distinct_values)::text, ROW(4000, (SELECT count(DISTINCT holes) FROM t))::text, 'rows and distinct values') FROM info WHERE column_name = 'holes';
SELECT ok(abs(missing_share - (SELECT avg((holes IS NULL)::int) FROM t)) < 1e-12, 'share missing') FROM info WHERE column_name = 'holes';
SELECT is((SELECT round(sum((p - q) * ln(p / q)), 10) FROM (SELECT (bad + .5) / (sum(bad) OVER () + .5 * count(*) OVER ()) AS p, (n - bad + .5) / (sum(n - bad) OVER () + .5 * count(*) OVER ()) AS q
	FROM (SELECT level, count(*) AS n, count(*) FILTER (WHERE churned) AS bad FROM t GROUP BY level) l) s), round(iv::numeric, 10), 'levels: information value as in plain SQL, NULL a level of its own') FROM info WHERE column_name = 'level';
SELECT ok(abs(i.auc - a.auc) < .01 AND i.direction IS NULL, 'levels: AUC near that of the levels'' rates') FROM info i, (SELECT churn_auc(rate, churned) AS auc FROM (SELECT churned, avg(churned::int) OVER (PARTITION BY level)::float8 AS rate FROM t) r) a WHERE column_name = 'level';
SELECT ok(abs(auc - .5) < .03, 'many levels that say nothing: AUC near .5, not that of their own rows') FROM info WHERE column_name = 'many';
SELECT cmp_ok((SELECT churn_auc(rate, churned) FROM (SELECT churned, avg(churned::int) OVER (PARTITION BY many)::float8 AS rate FROM t) r), '>', .6::float8, 'which is far above');
SELECT is((SELECT count(*) FROM info, jsonb_array_elements(bins) b WHERE column_name = 'many' AND b ? 'level'), 0::bigint, 'rare levels are pooled');
SELECT is((bins->0->>'pooled')::bigint, distinct_values, 'all of them') FROM info WHERE column_name = 'many';
SELECT is((SELECT array_agg(warning) FROM info WHERE column_name <> 'i'), '{NULL,NULL,NULL,NULL,NULL}', 'nothing suspicious about an honest column');
SELECT is((SELECT churn_column_information(s, 'churned') FROM (SELECT * FROM t ORDER BY draw(i, 9)) s), (SELECT churn_column_information(s, 'churned') FROM (SELECT * FROM t ORDER BY i) s), 'the order of rows does not matter');
SELECT is((SELECT array_agg(column_name) FROM info), '{i,x,holes,level,many,few}', 'one row a column, in their order');
SELECT is((SELECT count(*) FROM (SELECT few, churn_column_information(t, 'churned', '{few,i}', NULL, 5) AS c FROM t GROUP BY few) g WHERE cardinality(c) = 4), 4::bigint, 'an aggregate: one result a group');
SELECT ok(bool_and(jsonb_array_length(bins) <= 3), 'bins as asked for') FROM churn_information('t', 'churned', exclude => '{level,many,few}', bins => 2);

-- ---- warnings ----
CREATE TABLE w AS SELECT i AS id, 'u' || i AS text_id, 1 AS constant, NULL::int AS empty, churned,
	CASE WHEN churned THEN 5 + draw(i, 11) ELSE draw(i, 12) * 5.4 END AS late, -- mostly known after the outcome
	CASE WHEN churned THEN date '2024-01-01' + (draw(i, 13) * 300)::int END AS closed_on,
	CASE WHEN churned AND draw(i, 14) < .3 THEN 'gone' ELSE 'x' || trunc(draw(i, 15) * 5) END AS status,
	CASE WHEN NOT churned AND draw(i, 16) < .1 THEN 0 ELSE trunc(draw(i, 17) * 9) + 1 END AS reward,
	draw(i, 18) AS measure FROM t;
CREATE TABLE winfo AS SELECT * FROM churn_information('w', 'churned');
SELECT matches(warning, pattern, column_name || ': ' || pattern) FROM winfo JOIN (VALUES
	('id', 'a value of its own in every row: an identifier'), ('text_id', 'a value of its own in every row: an identifier'), ('constant', 'the same value in every row'), ('empty', 'no row has a value'),
	('late', 'AUC alone is 0\.9[5-9]'), ('closed_on', 'AUC alone is 1.000.*any value that is not NULL all but determines the label'), ('status', 'value "gone" all but determines the label: (\d+) of \1 rows churned'),
	('reward', 'value 0 all but determines the label: 0 of')) v (column_name, pattern) USING (column_name);
SELECT is(warning, NULL, 'a measurement that differs in every row is no identifier') FROM winfo WHERE column_name = 'measure';
SELECT is((SELECT auc FROM winfo WHERE column_name = 'constant'), .5::float8, 'a constant column: AUC .5');
SELECT is((SELECT auc FROM winfo WHERE column_name = 'text_id'), .5::float8, 'an identifier: AUC .5');
CREATE TABLE few_rows AS SELECT g % 2 = 0 AS y, g % 2 AS x FROM generate_series(1, 8) g;
SELECT is(ROW(auc, warning)::text, '(1,)', 'a few rows are no evidence') FROM churn_information('few_rows', 'y');
-- a base rate far off: a value without churners is nothing strange at 1 %
CREATE TABLE rare AS SELECT draw(i, 1) < .01 AS y, trunc(draw(i, 2) * 3)::int AS x FROM generate_series(1, 5000) i;
SELECT is(warning, NULL, 'low rates are not suspicious where the rate is low') FROM churn_information('rare', 'y');

-- ---- types ----
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TYPE pair AS (n int, s text);
CREATE DOMAIN share AS float8 CHECK (value >= 0);
CREATE TABLE types AS SELECT i % 3 = 0 AS label, (i % 5)::int2 AS a, i::int8 % 7 AS b, (i % 11)::real AS c, (i % 13)::numeric / 3 AS d, i % 2 = 0 AS e, (ARRAY['sad', 'glad'])[1 + i % 2]::mood AS f,
	date '2024-01-01' + i % 40 AS g, timestamp '2024-01-01' + i * interval '1 hour' AS h, timestamptz '2024-01-01Z' + i * interval '1 hour' AS i,
	(i % 9)::float8::share AS j, ('v' || i % 4)::varchar(5) AS k, ('w' || i % 4)::char(5) AS l, ARRAY[i % 2, 1] AS m, jsonb_build_object('k', i % 2) AS n, i * interval '1 day' AS o, ('\x0' || i % 5)::bytea AS p,
	ROW(i % 2, 'x')::pair AS q, CASE i % 4 WHEN 0 THEN 'NaN' WHEN 1 THEN 'Infinity' WHEN 2 THEN '-Infinity' ELSE i::text END::float8 AS r, CASE i % 3 WHEN 0 THEN 'infinity' ELSE '2024-01-01' END::date AS s, E'\u00e9"\\' || repeat('x', i % 2 * 500) AS t, '' AS u
FROM generate_series(1, 400) i;
CREATE TABLE tinfo AS SELECT * FROM churn_information('types', 'label');
SELECT is((SELECT count(*) FROM tinfo WHERE auc BETWEEN .3 AND 1 AND iv >= 0 AND (SELECT sum((b->>'rows')::int) FROM jsonb_array_elements(bins) b) = 400), 21::bigint, 'every type has its figures, and its bins hold all rows');
SELECT is((SELECT string_agg(type, ',' ORDER BY column_name) FROM tinfo WHERE column_name IN ('a', 'f', 'j', 'k')), 'smallint,public.mood,public.share,character varying(5)', 'types as declared');
SELECT is(missing_share, .25::float8, 'NaN counts as missing') FROM tinfo WHERE column_name = 'r';
SELECT is(bins->0->>'from', '-infinity', 'infinity is a value') FROM tinfo WHERE column_name = 'r';
SELECT is(bins->1->>'from', 'infinity', 'of dates too') FROM tinfo WHERE column_name = 's';
SELECT is(bins->0->>'from', '2024-01-01', 'dates as ISO dates') FROM tinfo WHERE column_name = 'g';
SELECT is((SELECT array_agg(b->>'level' ORDER BY b->>'level') FROM tinfo, jsonb_array_elements(bins) b WHERE column_name = 'e'), '{false,true}', 'booleans');
SELECT ok(bool_or(length(b->>'level') = 3) AND bool_or(left(b->>'level', 4) = E'\u00e9"\\x' AND right(b->>'level', 4) = 'x...'), 'long texts are cut, hostile ones quoted') FROM tinfo, jsonb_array_elements(bins) b WHERE column_name = 't';

-- ---- labels ----
CREATE TABLE labels AS SELECT x, churned, churned::int AS zero_one, CASE WHEN churned THEN 'yes' ELSE 'no' END AS word, CASE WHEN i % 10 > 0 THEN churned END AS partly, NULL::boolean AS never, true AS always FROM t;
SELECT is((SELECT auc FROM churn_information('labels', l, ARRAY['churned', 'zero_one', 'word', 'partly', 'never', 'always']) WHERE column_name = 'x'), (SELECT auc FROM info WHERE column_name = 'x'), 'label ' || l) FROM unnest('{churned,zero_one}'::text[]) l;
SELECT is((SELECT auc FROM churn_information('labels', 'word', positive => 'yes') WHERE column_name = 'x'), (SELECT auc FROM info WHERE column_name = 'x'), 'label by its positive value');
SELECT is((SELECT rows FROM churn_information('labels', 'partly') WHERE column_name = 'x'), 3600::bigint, 'rows without a label are left out');
SELECT is((SELECT count(*) FROM churn_information('labels', 'never')), 0::bigint, 'no label at all: no rows');
SELECT is((SELECT ROW(auc, iv, rows)::text FROM churn_information('labels', 'always') WHERE column_name = 'x'), '(,,4000)', 'one class: no AUC, no information value');
CREATE TABLE nothing (x int, y boolean);
SELECT is((SELECT count(*) FROM churn_information('nothing', 'y')), 0::bigint, 'no rows');
SELECT is((SELECT churn_column_information(n, 'y') FROM nothing n), NULL, 'NULL from the aggregate');
CREATE TABLE "odd ""name" ("a b" int, "é'" int, y boolean);
INSERT INTO "odd ""name" SELECT g, g % 3, g % 2 = 0 FROM generate_series(1, 40) g;
SELECT is((SELECT array_agg(column_name) FROM churn_information('"odd ""name"', 'y')), ARRAY['a b', 'é''']::text[], 'names are quoted');
CREATE VIEW seen AS SELECT x, churned FROM t;
ALTER TABLE nothing DROP COLUMN x;
SELECT is((SELECT count(*) FROM churn_information('seen', 'churned')), 1::bigint, 'a view');

-- ---- errors ----
SELECT throws_ok(statement, state, NULL, statement) FROM (VALUES
	($$SELECT churn_information('t', 'none')$$, '42703'), ($$SELECT churn_information('nothing', 'none')$$, '42703'), ($$SELECT churn_information('nothing', 'x')$$, '42703'), ($$SELECT churn_information('t', 'churned', '{none}')$$, '42703'),
	($$SELECT churn_information('t', 'many')$$, '42804'), ($$SELECT churn_information('t', 'x')$$, '22023'), ($$SELECT churn_information('t', 'churned', bins => 1)$$, '22023'), ($$SELECT churn_information('t', 'churned', bins => 101)$$, '22023'),
	($$SELECT churn_information('few_rows', 'y', '{x}')$$, '22023'), ($$SELECT churn_information(NULL, 'y')$$, '22004'), ($$SELECT churn_information('t', NULL)$$, '22004'), ($$SELECT churn_information('none', 'y')$$, '42P01'),
	($$SELECT churn_column_information(t, 'churned', '{NULL}', NULL, 10) FROM t$$, '22004'), ($$SELECT churn_column_information(t, 'churned', NULL, NULL, NULL) FROM t$$, '22004'),
	($$SELECT churn_column_information(CASE WHEN i = 1 THEN ROW(1, true) ELSE ROW('a'::text, true) END, 'f2') FROM generate_series(1, 2) i$$, '42804')) v (statement, state);
SELECT throws_ok($$SELECT churn_column_information(t, 'churned') FROM t, generate_series(1, 60)$$, '54000', NULL, 'too much for churn.memory') FROM set_config('churn.memory', '1MB', false);
RESET churn.memory;

-- ---- rights ----
CREATE ROLE churn_reader;
GRANT SELECT (x, churned) ON t TO churn_reader;
SET ROLE churn_reader;
SELECT throws_ok($$SELECT churn_information('public.t', 'churned')$$, '42501', NULL, 'SELECT on some columns is not enough');
SELECT lives_ok($$SELECT churn_column_information(s, 'churned') FROM (SELECT x, churned FROM public.t) s$$, 'but a subquery of them will do');
RESET ROLE;
GRANT SELECT ON t TO churn_reader;
SET ROLE churn_reader;
SELECT lives_ok($$SELECT churn_information('public.t', 'churned')$$, 'SELECT is');
RESET ROLE;
REVOKE ALL ON t FROM churn_reader;
DROP ROLE churn_reader;

-- ---- telco: figures worked out outside, by pandas and scikit-learn ----
\set telco `test -r "${CHURN_DATA:-}/telco_churn/customers.csv.gz" && echo true || echo false`
\if :telco
CREATE TABLE telco (customer_id text, gender text, senior_citizen int, partner text, dependents text, tenure_months int, phone_service text, multiple_lines text, internet_service text, online_security text, online_backup text, device_protection text, tech_support text, streaming_tv text, streaming_movies text, contract text, paperless_billing text, payment_method text, monthly_charges float8, total_charges float8, churn text);
\copy telco from program 'gzip -dc "$CHURN_DATA/telco_churn/customers.csv.gz"' (format csv, header)
CREATE TABLE telco_info AS SELECT * FROM churn_information('telco', 'churn', positive => 'Yes');
SELECT ok(abs(iv - 1.234132724689851) < 1e-12, 'telco: information value of the contract') FROM telco_info WHERE column_name = 'contract';
SELECT is((SELECT string_agg(b->>'level' || ' ' || round((b->>'woe')::numeric, 6), ', ') FROM telco_info, jsonb_array_elements(bins) b WHERE column_name = 'contract'), 'Month-to-month 0.724101, Two year -2.507720, One year -1.043147', 'telco: weights of evidence of the contract');
SELECT ok(abs(iv - .8184571625077913) < 1e-12 AND abs(auc - .7398671755286289) < 1e-12 AND direction = 'lower', 'telco: tenure') FROM telco_info WHERE column_name = 'tenure_months';
SELECT ok(abs(iv - .3626057235169684) < 1e-12 AND abs(auc - .6207856895706255) < 1e-12 AND direction = 'higher', 'telco: monthly charges') FROM telco_info WHERE column_name = 'monthly_charges';
SELECT is((SELECT array_agg(column_name) FROM telco_info WHERE warning IS NOT NULL), '{customer_id}', 'telco: the identifier alone is suspicious');
\else
SELECT skip('telco_churn is not there: set CHURN_DATA', 5);
\endif
SELECT * FROM finish();
