-- A study and its sources: every check made when it is said, hostile names
-- and filters, keys of many types, what dropping leaves behind.
\set ECHO none
SET client_min_messages = warning;
SELECT no_plan();

-- Message, detail and hint of an error, and whether the statement raised any.
CREATE FUNCTION error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN SQLSTATE || ' ' || SQLERRM || ' | ' || hint;
END $$;

CREATE TABLE orders (customer bigint, at timestamptz, total numeric, status text, channel varchar(9), note bytea, small int, day date, plain timestamp);
INSERT INTO orders SELECT u, timestamptz '2024-01-01 12:00Z' + i * interval '20 days', u + i, CASE WHEN i % 3 = 0 THEN 'void' ELSE 'paid' END
FROM generate_series(1, 20) u, generate_series(0, 10) i WHERE i < u;
CREATE SEQUENCE numbers;
SET churn.today = '2024-09-01';

-- ---- create ----
SELECT throws_ok($$SELECT churn_create_study('s', '3 months')$$, '22023', 'churn_window must be a whole number of days, not "3 mons"');
SELECT matches(error_of($$SELECT churn_create_study('s', '3 months')$$), '\| Write it in days, such as churn_window => ''90 days''\.$', 'with a hint');
SELECT throws_ok(format($$SELECT churn_create_study('s', %s)$$, bad), '22023', NULL, bad)
FROM unnest(ARRAY['''36 hours''', '''90 days 00:00:01''', '''1 year''', '''0 days''', '''-3 days''', '''40000 days''', '''1 mon -30 days''', 'NULL',
	'''90 days'', lookback => ''2 years''', '''90 days'', lookback => ''0 days''', '''90 days'', lookback => NULL', '''90 days'', active_window => ''12 hours''',
	'''90 days'', active_window => ''0 days''', '''90 days'', gap => ''-1 day''', '''90 days'', gap => ''1 week 1 hour''', '''90 days'', min_tenure => ''1 month''',
	'''90 days'', lookback => ''60 days'', active_window => ''61 days''', '''90 days'', holdout_share => 1', '''90 days'', holdout_share => -.1',
	'''90 days'', holdout_share => ''NaN''', '''90 days'', holdout_share => NULL', '''90 days'', windows => ''{0}''',
	'''90 days'', windows => ''{7,NULL}''', '''90 days'', windows => ''{99999}''', '''90 days'', time_zone => ''Mars/Olympus''', '''90 days'', time_zone => ''''',
	'''90 days'', key_kinds => ARRAY['''']', '''90 days'', key_kinds => ''{}''', '''90 days'', key_kinds => ARRAY[NULL]', '''90 days'', complete_until => ''infinity''']) bad;
SELECT throws_ok($$SELECT churn_create_study('', '90 days')$$, '42602', 'the name of a study must have 1 to 48 bytes, not 0');
SELECT throws_ok($$SELECT churn_create_study(NULL, '90 days')$$, '42602', NULL, 'no name');
SELECT throws_ok($$SELECT churn_create_study(repeat('ü', 25), '90 days')$$, '42602', 'the name of a study must have 1 to 48 bytes, not 50', 'bytes, not characters');
SELECT throws_ok($$SELECT churn_create_study('s', '90 days', schema => 'nowhere')$$, '3F000', 'schema "nowhere" does not exist');
SELECT throws_ok($$SELECT churn_create_study('s', '90 days', schema => NULL)$$, '3F000', NULL, 'no schema');
SELECT is((SELECT count(*) FROM churn_studies), 0::bigint, 'nothing was stored by all that');
SELECT lives_ok($$SELECT churn_create_study('s', '90 days')$$, 'the least that must be said');
SELECT throws_ok($$SELECT churn_create_study('s', '30 days')$$, '42710', 'study "s" exists already');
SELECT is((SELECT (churn_window, lookback, active_window, gap, min_tenure, key_kinds, windows, time_zone, holdout_share, complete_until, table_schema, owner)::text FROM churn_studies),
	format('(90,730,90,0,0,,"{7,30,90,180,365}",UTC,0,,public,%s)', current_user), 'defaults');
SELECT churn_create_study('short', '400 days', lookback => '100 days') \g /dev/null
SELECT is((SELECT active_window FROM churn_studies WHERE study = 'short'), 100, 'an active window left unsaid fits the lookback');

-- ---- alter ----
SELECT churn_alter_study('s', churn_window => '60 days') \g /dev/null
SELECT is((SELECT (churn_window, active_window)::text FROM churn_studies WHERE study = 's'), '(60,60)', 'an active window left unsaid follows');
SELECT churn_alter_study('s', active_window => '30 days') \g /dev/null
SELECT churn_alter_study('s', churn_window => '90 days', key_kinds => '{order}') \g /dev/null
SELECT is((SELECT (churn_window, active_window, key_kinds)::text FROM churn_studies WHERE study = 's'), '(90,30,{order})', 'one that was said stays');
SELECT throws_ok($$SELECT churn_alter_study('s', gap => '1 month')$$, '22023', NULL, 'alter: months');
SELECT throws_ok($$SELECT churn_alter_study('s', lookback => '20 days')$$, '22023', 'active_window (30 days) must not exceed lookback (20 days)');
SELECT throws_ok($$SELECT churn_alter_study('none', gap => '1 day')$$, '42704', 'study "none" does not exist');
SELECT throws_ok($$SELECT churn_alter_study(NULL)$$, '22004', 'study must not be null');

-- ---- add_source ----
\set add 'SELECT churn_add_source(''s'', ''orders'', ''customer'', ''at'''
SELECT throws_ok($$SELECT churn_add_source('s', 'nowhere', 'customer', 'at', kind => 'order')$$, '42P01', NULL, 'no relation');
SELECT throws_ok($$SELECT churn_add_source('s', NULL, 'customer', 'at', kind => 'order')$$, '22004', NULL, 'relation NULL');
SELECT throws_ok($$SELECT churn_add_source('s', 'numbers', 'customer', 'at', kind => 'order')$$, '42809', NULL, 'a sequence');
SELECT throws_ok($$SELECT churn_add_source('none', 'orders', 'customer', 'at', kind => 'order')$$, '42704', 'study "none" does not exist');
SELECT throws_ok($$SELECT churn_add_source(NULL, 'orders', 'customer', 'at', kind => 'order')$$, '22004', 'study must not be null');
SELECT throws_ok($$SELECT churn_add_source('s', 'orders', 'client', 'at', kind => 'order')$$, '42703', 'column "client" of relation public.orders does not exist');
SELECT matches(error_of($$SELECT churn_add_source('s', 'orders', 'client', 'at', kind => 'order')$$), 'user_column names a column of it: customer, at, total, ', 'which lists them');
SELECT throws_ok($$SELECT churn_add_source('s', 'orders', 'ctid', 'at', kind => 'order')$$, '42703', NULL, 'a system column');
SELECT throws_ok(:'add' || bad || ')', state, NULL, bad) FROM (VALUES
	('', '22023'), (', kind => ''order'', kind_column => ''status''', '22023'), (', kind => ''''', '22023'),
	(', kind => ''order'', role => ''spy''', '22023'), (', kind => ''order'', role => NULL', '22023'),
	(', kind_column => ''kind''', '42703'), (', kind => ''order'', amount_column => ''sum''', '42703'), (', kind => ''order'', known_at_column => ''seen''', '42703'),
	(', kind => ''order'', amount_column => ''status''', '42804'), (', kind => ''order'', known_at_column => ''total''', '42804')) v (bad, state);
SELECT throws_ok($$SELECT churn_add_source('s', 'orders', 'customer', 'status', kind => 'order')$$, '42804',
	'time_column "status" is of type text, expected date, timestamp without time zone, timestamp with time zone');
SELECT throws_ok($$SELECT churn_add_source('s', 'orders', NULL, 'at', kind => 'order')$$, '22004', NULL, 'no user column');
CREATE TABLE points (who point, doc json, d date);
SELECT throws_ok(format($$SELECT churn_add_source('s', 'points', '%s', 'd', kind => 'order')$$, c), '42883', NULL, c || ': keys that cannot be told apart') FROM unnest(ARRAY['who', 'doc']) c;

-- A filter is one condition over the relation, nothing else.
SELECT throws_ok(:'add' || ', kind => ''order'', filter => ' || quote_literal(bad) || ')', state, NULL, 'filter: ' || bad) FROM (VALUES
	('true) OR (1=1', '42601'), ('true; DROP TABLE orders', '42601'), ('true UNION SELECT', '42601'), ('true UNION ALL SELECT 1 WHERE true', '42601'),
	('', '42601'), ('-- all', '42601'), ('true GROUP BY customer', '42601'), ('true ORDER BY 1', '42601'), ('true LIMIT 1', '42601'),
	('true FOR UPDATE', '42601'), ('true HAVING true', '42601'), ('true WINDOW w AS ()', '42601'), ('true OFFSET 1', '42601'), ('true INTO x', '42601'),
	('total', '42804'), ('''x''', '22P02'), ('count(*) > 1', '42803'), ('row_number() OVER () = 1', '42P20'), ('generate_series(1, 2) = 1', '0A000'),
	('price > 0', '42703'), ('o.total > 0', '42P01'), ('$1', '42P02'), ('nofunction(total)', '42883'), ('true /* ', '42601'), ('''', '42601'),
	('total > (SELECT max(x.price) FROM orders x)', '42703'), ('EXISTS (SELECT FROM nowhere)', '42P01')) v (bad, state);
SELECT ok(to_regclass('orders') IS NOT NULL, 'the table is still there');
SELECT is((SELECT count(*) FROM churn_sources), 0::bigint, 'no source was stored by all that');
SELECT ok(to_regclass('s_scores') IS NULL, 'and no table made');
SELECT is(churn_filter_sql('orders', good, 'public'), back, 'filter: ' || good) FROM (VALUES
	('status = ''paid''', '(e.status = ''paid''::text)'),
	('total > 3 -- large', '(e.total > (3)::numeric)'),
	('total > 3 OR true', '((e.total > (3)::numeric) OR true)'),
	('orders.total > 0 IS NULL', NULL), ('e.total > 0', '(e.total > (0)::numeric)')) v (good, back) WHERE back IS NOT NULL;

-- ---- sources that work ----
CREATE VIEW order_view AS SELECT customer::int AS who, at::date AS day, total::money AS paid, 'order'::varchar(7) AS what FROM orders;
CREATE MATERIALIZED VIEW order_copy AS SELECT customer::numeric AS who, at AT TIME ZONE 'UTC' AS ts, total::real AS paid, 'order'::char(8) AS what FROM orders;
SELECT is(churn_add_source('s', 'orders', 'customer', 'at', amount_column => 'total', kind => 'order', filter => 'status = ''paid'' OR total > 1e6'), 1, 'a table; its number');
SELECT throws_ok($$SELECT churn_add_source('s', 'order_view', 'who', 'day', kind => 'order')$$, '42804', 'user_column "who" is of type integer, but the users of study "s" are of type bigint');
SELECT is(churn_add_source('s', 'orders', 'customer', 'day', kind => 'call', role => 'action'), 2, 'an action');
SELECT is((SELECT relations FROM churn_definitions WHERE study = 's'), 'public.orders, public.orders (action)', 'churn_definitions names them');
SELECT is((SELECT meaning FROM churn_definitions WHERE study = 's'), 'churned: no order for 90 days; at risk: one in the 30 days before', 'and says what churn means');
SELECT throws_ok($$SELECT churn_drop_source('s', 9)$$, '42704', 'study "s" has no source 9');
SELECT lives_ok($$SELECT churn_drop_source('s', 2)$$, 'drop a source');
SELECT is((SELECT array_agg(c.relname::text ORDER BY 1) FROM pg_class c WHERE relname ~ '^s_' AND relkind IN ('r', 'v')),
	'{s_churn,s_features,s_history,s_score_log,s_scores,s_snapshots}', 'the study''s own tables and views');
CREATE TEMP TABLE all_orders AS SELECT churn_filter_sql('orders', 'status = ''paid'' OR total > 1e6', 'public') AS f;
SELECT is((SELECT count(*) FROM churn_snapshot('s', '2024-05-01')), (SELECT count(DISTINCT customer) FROM orders WHERE status = 'paid' AND at >= '2024-04-01Z' AND at < '2024-05-01Z'), 'the filter holds, with its OR in brackets');
SELECT matches((SELECT verdict FROM churn_feasible('s') WHERE purpose = 'verdict'), '^not feasible: fewer than 200|^not feasible: no purged', 'too little data: a verdict');
SELECT throws_ok($$SELECT churn_train('s')$$, '55000', NULL, 'and a refusal');

-- A source that goes away, and comes back.
ALTER TABLE orders RENAME TO orders_;
SELECT throws_ok($$SELECT * FROM churn_snapshot('s', '2024-05-01')$$, '42P01', 'relation "public.orders" of study "s" does not exist');
SELECT matches(error_of($$SELECT churn_train('s')$$), 'Bring it back, or take the source out by churn_drop_source\(''s'', 1\)\.', 'which says what to do');
ALTER TABLE orders_ RENAME TO orders;
SELECT isnt_empty($$SELECT * FROM churn_snapshot('s', '2024-05-01')$$, 'back again');
ALTER TABLE orders RENAME total TO amount;
SELECT throws_ok($$SELECT * FROM churn_snapshot('s', '2024-05-01')$$, '42703', NULL, 'a column that goes away');
ALTER TABLE orders RENAME amount TO total;

-- ---- keys of every sort, with the same users ----
CREATE EXTENSION citext;
CREATE DOMAIN inner_key AS varchar(12);
CREATE DOMAIN outer_key AS inner_key CHECK (VALUE <> '');
CREATE TYPE colour AS ENUM ('red', 'green', 'blue');
CREATE TABLE keyed AS
SELECT customer AS k_bigint, customer::int AS k_int, customer::numeric / CASE WHEN status = 'paid' THEN 1.0 ELSE 1.00 END AS k_numeric,
	'user ' || customer AS k_text, ('user ' || customer)::varchar(20) AS k_varchar, ('user ' || customer)::char(20) AS k_char,
	(CASE WHEN status = 'paid' THEN 'User ' ELSE 'uSER ' END || customer)::citext AS k_citext, md5(customer::text)::uuid AS k_uuid,
	('user ' || customer)::outer_key AS k_domain, 'order'::text AS what, at, total
FROM orders;
CREATE FUNCTION users_of(key text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM churn_drop_study(study) FROM churn_studies WHERE study = 'key';
	PERFORM churn_create_study('key', '30 days', holdout_share => .5);
	PERFORM churn_add_source('key', 'keyed', key, 'at', 'total', kind_column => 'what');
	RETURN (SELECT count(*) || ' ' || sum(key_days) || ' ' || sum(value)::numeric(12, 3) FROM churn_snapshot('key', '2024-06-01'));
END $$;
SELECT users_of('k_bigint') AS expected \gset
SELECT matches(:'expected'::text, '^1\d ', 'there are users');
SELECT is(users_of(k), :'expected'::text, k || ' keys') FROM unnest(ARRAY['k_int', 'k_numeric', 'k_text', 'k_varchar', 'k_char', 'k_citext', 'k_uuid', 'k_domain']) k;
SELECT users_of('k_citext') \g /dev/null
SELECT is((SELECT count(DISTINCT user_id::text) FROM churn_snapshot('key', '2024-06-01')), split_part(:'expected', ' ', 1)::bigint, 'citext: one row a user however written');
SELECT is(user_type, 'public.citext'::text, 'the key''s type, qualified') FROM churn_studies WHERE study = 'key';
SELECT users_of('k_char') \g /dev/null
SELECT is(user_type, 'text', 'char(n) keys are text keys') FROM churn_studies WHERE study = 'key';
SELECT churn_drop_study('key') \g /dev/null

-- ---- hostile names, every one of them everywhere ----
CREATE TABLE hostile (n int GENERATED ALWAYS AS IDENTITY, name text);
INSERT INTO hostile (name) VALUES ('a"b'), ('a''b'), ('%s %I %1$L %%'), (E'new\nline'), (E'\u202Eright to left'), ('select'), ('$1'), ('a;drop table orders--'),
	(E'back\\slash'), ('Größe'), (' blank '), ('{a,"b"}'), ('@extschema@'), (repeat('x', 44)), ('$$'), ('/*');
CREATE FUNCTION hostile_run(name text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	got text;
	s text := left(name, 40);
BEGIN
	EXECUTE format('CREATE SCHEMA %I', 'schema ' || name);
	EXECUTE format('CREATE TABLE %1$I.%2$I AS SELECT customer AS %3$I, at AS %4$I, total AS %5$I, status || translate(%6$L, E''\n'', ''_'') AS %7$I, %6$L::text AS mark FROM orders',
		'schema ' || name, 'table ' || name, 'user ' || name, 'time ' || name, 'sum ' || name, name, 'kind ' || name);
	PERFORM churn_create_study(s, '90 days', key_kinds => ARRAY['paid' || translate(name, E'\n', '_')], schema => 'schema ' || name);
	PERFORM churn_add_source(s, format('%I.%I', 'schema ' || name, 'table ' || name)::regclass, 'user ' || name, 'time ' || name,
		'sum ' || name, kind_column => 'kind ' || name, filter => format('mark = %L AND %I IS NOT NULL', name, 'sum ' || name));
	SELECT count(*) || ' ' || sum(key_days) || ' ' || round(sum(value)::numeric, 6) INTO got FROM churn_snapshot(s, '2024-06-01');
	PERFORM count(*) FROM churn_feasible(s);
	PERFORM relations FROM churn_definitions WHERE study = s;
	PERFORM churn_drop_study(s);
	EXECUTE format('DROP SCHEMA %I CASCADE', 'schema ' || name);
	RETURN got;
END $$;
SELECT churn_drop_study('s');
SELECT churn_create_study('s', '90 days', key_kinds => ARRAY['paid']) \g /dev/null
SELECT churn_add_source('s', 'orders', 'customer', 'at', 'total', kind_column => 'status') \g /dev/null
SELECT is(hostile_run(name), (SELECT count(*) || ' ' || sum(key_days) || ' ' || round(sum(value)::numeric, 6) FROM churn_snapshot('s', '2024-06-01')), 'hostile name ' || translate(name, E'\n\\', '__')) FROM hostile ORDER BY n;

-- Names of 63 bytes for relation, columns and kind; study of 48 bytes.
SELECT format('CREATE TABLE %I AS SELECT customer AS %I, at AS %I FROM orders', repeat('t', 63), repeat('u', 63), repeat('a', 63)) \gexec
SELECT churn_create_study(repeat('s', 48), '30 days') \g /dev/null
SELECT lives_ok(format('SELECT churn_add_source(%L, %L, %L, %L, kind => %L)', repeat('s', 48), repeat('t', 63), repeat('u', 63), repeat('a', 63), repeat('k', 63)), 'long names');
SELECT is((SELECT count(*) FROM pg_class WHERE relname ~ '^s{48}_(scores|score_log|snapshots|features|churn)$'), 5::bigint, 'none is cut off');
SELECT lives_ok(format('SELECT churn_drop_study(%L)', repeat('s', 48)), 'and dropped again');

-- ---- a filter is read under the path it was written under ----
CREATE SCHEMA mine;
CREATE FUNCTION mine.is_good(status text) RETURNS boolean LANGUAGE sql AS 'SELECT status = ''paid''';
CREATE FUNCTION public.is_good(status text) RETURNS boolean LANGUAGE sql AS 'SELECT false';
CREATE FUNCTION mine.never_equal(bigint, bigint) RETURNS boolean LANGUAGE sql AS 'SELECT false';
SELECT churn_create_study('path', '90 days') \g /dev/null
SET search_path = mine, public;
SELECT churn_add_source('path', 'orders', 'customer', 'at', kind => 'order', filter => 'is_good(status)') \g /dev/null
RESET search_path;
SELECT isnt_empty($$SELECT * FROM churn_snapshot('path', '2024-06-01')$$, 'whatever the path of the reader is');
SELECT is(filter_path, 'mine, public', 'the path is kept') FROM churn_sources WHERE study = 'path';

-- ---- shadows in front of the path are not called ----
CREATE SCHEMA shadow;
CREATE FUNCTION shadow.trap() RETURNS void LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'a shadow was called'; END$$;
CREATE FUNCTION shadow.trap_bool(anyelement, anyelement) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN PERFORM shadow.trap(); RETURN true; END$$;
SELECT format('CREATE FUNCTION shadow.%s(%s) RETURNS %s LANGUAGE plpgsql AS $f$BEGIN PERFORM shadow.trap(); RETURN NULL; END$f$', f, a, r) FROM (VALUES
	('trap_date', 'date, date', 'boolean'), ('trap_text', 'text, text', 'boolean'), ('trap_big', 'bigint, bigint', 'boolean'), ('trap_f', 'float8, float8', 'boolean'),
	('trap_add', 'date, int', 'date'), ('count', '"any"', 'bigint'), ('unnest', 'date[]', 'date'), ('format', 'text, variadic text[]', 'text'),
	('to_char', 'float8, text', 'text'), ('coalesce_', 'text', 'text'), ('now', '', 'timestamptz'), ('width_bucket', 'float8, float8[]', 'int'),
	('array_position', 'text[], text', 'int'), ('quote_ident', 'text', 'text'), ('pg_has_role', 'oid, text', 'boolean'), ('current_setting', 'text, boolean', 'text'),
	('timezone', 'text, timestamp', 'timestamptz'), ('churn_today', 'text', 'date'), ('churn_study_row', 'text', 'int')) v (f, a, r) WHERE f <> 'count' \gexec
CREATE OPERATOR shadow.= (LEFTARG = date, RIGHTARG = date, FUNCTION = shadow.trap_date);
CREATE OPERATOR shadow.< (LEFTARG = date, RIGHTARG = date, FUNCTION = shadow.trap_date);
CREATE OPERATOR shadow.<= (LEFTARG = date, RIGHTARG = date, FUNCTION = shadow.trap_date);
CREATE OPERATOR shadow.> (LEFTARG = date, RIGHTARG = date, FUNCTION = shadow.trap_date);
CREATE OPERATOR shadow.+ (LEFTARG = date, RIGHTARG = int, FUNCTION = shadow.trap_add);
CREATE OPERATOR shadow.= (LEFTARG = text, RIGHTARG = text, FUNCTION = shadow.trap_text);
CREATE OPERATOR shadow.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = shadow.trap_big);
CREATE OPERATOR shadow.< (LEFTARG = float8, RIGHTARG = float8, FUNCTION = shadow.trap_f);
CREATE OPERATOR shadow.>= (LEFTARG = float8, RIGHTARG = float8, FUNCTION = shadow.trap_f);
CREATE FUNCTION shadow.count_trans(bigint, anyelement) RETURNS bigint LANGUAGE plpgsql AS $$BEGIN PERFORM shadow.trap(); RETURN 0; END$$;
CREATE AGGREGATE shadow.count(anyelement) (SFUNC = shadow.count_trans, STYPE = bigint);
-- pgTAP itself would fall into the trap.
CREATE FUNCTION shadowed(statement text) RETURNS text LANGUAGE plpgsql SET search_path = shadow, pg_catalog, public AS $$
BEGIN
	EXECUTE statement;
	RETURN 'fine';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT is(shadowed(statement), coalesce(want, 'fine'), 'shadows: ' || statement) FROM (VALUES
	('SELECT current_date = current_date', 'P0001 a shadow was called'),
	('SELECT count(''x''::text)', '42725 function count(text) is not unique'),
	('SELECT churn_create_study(''dark'', ''90 days'')', NULL),
	('SELECT churn_add_source(''dark'', ''public.orders'', ''customer'', ''at'', kind => ''order'', filter_path => ''pg_catalog'')', NULL),
	('SELECT churn_snapshot(''dark'', ''2024-06-01'')', NULL),
	('SELECT churn_feasible(''dark'')', NULL),
	('SELECT churn_alter_study(''dark'', gap => ''1 day'')', NULL),
	('SELECT churn_train(''dark'')', '55000 study "dark" has no training snapshot that ends before the test at 2024-04-19 begins'),
	('SELECT churn_score(1::bigint, ''dark'')', '55000 study "dark" has no champion'),
	('SELECT churn_explain(1::bigint, ''dark'')', '55000 study "dark" has no champion'),
	('SELECT churn_band(.5, ''{.2,.4,.9}'', ''low'')', NULL),
	('SELECT churn_definitions FROM churn_definitions', NULL),
	('CALL churn_refresh(''dark'')', '55000 study "dark" has no champion'),
	('SELECT churn_promote(''dark'', 1)', '42704 study "dark" has no model of version 1'),
	('SELECT churn_drop_source(''dark'', 1)', NULL),
	('SELECT churn_drop_study(''dark'')', NULL)) v (statement, want);

-- ---- dropping leaves nothing behind, and nobody else's ----
SELECT throws_ok($$SELECT churn_drop_study('none')$$, '42704', NULL, 'drop: no study');
CREATE TABLE mine_scores (keep int);
SELECT churn_create_study('mine', '90 days') \g /dev/null
SELECT throws_ok($$SELECT churn_add_source('mine', 'orders', 'customer', 'at', kind => 'order')$$, '42P07', 'a table or view named like those of study "mine" exists already in schema "public"');
SELECT churn_drop_study('mine') \g /dev/null
SELECT ok(to_regclass('mine_scores') IS NOT NULL, 'a table that only bears the name stays');
CREATE TABLE before_ AS SELECT oid FROM pg_class;
SELECT churn_create_study('gone', '90 days') \g /dev/null
SELECT churn_add_source('gone', 'orders', 'customer', 'at', kind => 'order') \g /dev/null
CREATE VIEW on_top AS SELECT * FROM gone_churn;
SELECT throws_ok($$SELECT churn_drop_study('gone')$$, '2BP01', NULL, 'drop: something hangs on it');
SELECT lives_ok($$SELECT churn_drop_study('gone', cascade => true)$$, 'drop: cascade');
SELECT is((SELECT array_agg(relname::text) FROM pg_class WHERE oid NOT IN (SELECT oid FROM before_) AND relnamespace <> 'pg_toast'::regnamespace AND relname <> 'before_'), NULL, 'drop: no relation is left');
SELECT is((SELECT count(*) FROM churn_sources WHERE study = 'gone') + (SELECT count(*) FROM churn_studies WHERE study = 'gone'), 0::bigint, 'drop: no row is left');

-- ---- rights ----
DROP ROLE IF EXISTS churn_t_owner, churn_t_member, churn_t_stranger;
CREATE ROLE churn_t_owner; CREATE ROLE churn_t_stranger; CREATE ROLE churn_t_member IN ROLE churn_t_owner;
CREATE SCHEMA theirs; GRANT ALL ON SCHEMA theirs TO churn_t_owner;
CREATE TABLE theirs.events AS SELECT * FROM orders;
SET ROLE churn_t_owner;
SELECT throws_ok($$SELECT churn_create_study('t', '90 days', schema => 'public')$$, '42501', 'permission denied for schema public');
SELECT lives_ok($$SELECT churn_create_study('t', '90 days', schema => 'theirs')$$, 'a plain role makes a study');
SELECT throws_ok($$SELECT churn_add_source('t', 'theirs.events', 'customer', 'at', kind => 'order')$$, '42501', 'permission denied for column "at" of relation theirs.events');
RESET ROLE;
SELECT throws_ok($$SELECT churn_add_source('t', 'theirs.events', 'customer', 'at', kind => 'order')$$, '42501', NULL, 'a superuser adds with the owner''s rights');
GRANT SELECT ON theirs.events TO churn_t_owner;
SELECT lives_ok($$SELECT churn_add_source('t', 'theirs.events', 'customer', 'at', kind => 'order')$$, 'now it may be read');
SELECT is((SELECT relowner::regrole::text FROM pg_class WHERE oid = 'theirs.t_scores'::regclass), 'churn_t_owner', 'the owner''s tables, whoever adds');
SET ROLE churn_t_member;
SELECT isnt_empty($$SELECT * FROM churn_snapshot('t', '2024-06-01')$$, 'a member of the owner''s role');
SET ROLE churn_t_stranger;
SELECT throws_ok(statement, '42501', 'permission denied for study "t"', 'a stranger: ' || statement) FROM unnest(ARRAY[
	'SELECT churn_snapshot(''t'', ''2024-06-01'')', 'SELECT churn_feasible(''t'')', 'SELECT churn_train(''t'')', 'SELECT churn_score(1, ''t'')', 'SELECT churn_explain(1, ''t'')',
	'CALL churn_refresh(''t'')', 'SELECT churn_alter_study(''t'')', 'SELECT churn_drop_study(''t'')', 'SELECT churn_drop_source(''t'', 1)', 'SELECT churn_promote(''t'', 1)',
	'SELECT churn_add_source(''t'', ''pg_class'', ''oid'', ''oid'', kind => ''x'')']) statement;
SELECT throws_ok('SELECT churn_score(1)', '42704', 'there is no study that you may use');
SELECT is((SELECT count(*) FROM churn_studies) + (SELECT count(*) FROM churn_sources) + (SELECT count(*) FROM churn_definitions), 0::bigint, 'a stranger sees no study');
CREATE FUNCTION pg_temp.leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$BEGIN RAISE EXCEPTION 'leaked %', $1; END$$;
SELECT lives_ok('SELECT * FROM churn_definitions WHERE pg_temp.leak(study)', 'nor through a function that leaks');
SELECT throws_ok($$INSERT INTO churn_sources VALUES ('t', 7, 'pg_catalog', 'pg_class', 'oid', 'oid', NULL, 'x', NULL, NULL, '', NULL, 'behaviour')$$, '42501', NULL, 'nor adds a row');
SELECT throws_ok($$INSERT INTO churn_studies SELECT 'u', 'postgres'::regrole, 'public', 9, 9, 9, 0, 0, NULL, '{7}', 'UTC', 0, NULL, 'text'$$, '42501', NULL, 'nor makes a study in another''s name');
RESET ROLE;
REVOKE SELECT ON theirs.events FROM churn_t_owner;
SELECT throws_ok(statement, '42501', 'permission denied for table events', 'the owner lost its SELECT: ' || statement) FROM unnest(ARRAY[
	'SELECT churn_snapshot(''t'', ''2024-06-01'')', 'SELECT churn_feasible(''t'')', 'SELECT churn_train(''t'')']) statement;
SELECT churn_drop_study('t') \g /dev/null
DROP FUNCTION pg_temp.leak;
DROP OWNED BY churn_t_owner; DROP ROLE churn_t_member, churn_t_owner, churn_t_stranger;

-- ---- the extension's own objects ----
CREATE VIEW objects AS
SELECT d.classid, d.objid, i.type, i.identity FROM pg_depend d, pg_identify_object(d.classid, d.objid, 0) i
WHERE d.refclassid = 'pg_extension'::regclass AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'churn') AND d.deptype = 'e';
SELECT is((SELECT string_agg(type || ' ' || identity, E'\n' ORDER BY type, identity) FROM objects o
	WHERE NOT EXISTS (SELECT FROM pg_description c WHERE c.classoid = o.classid AND c.objoid = o.objid AND c.objsubid = 0)
	AND NOT EXISTS (SELECT FROM pg_type t WHERE o.classid = 'pg_type'::regclass AND t.oid = o.objid AND (t.typelem <> 0 OR (t.typrelid <> 0 AND (SELECT relkind FROM pg_class WHERE oid = t.typrelid) <> 'c')))
	AND type NOT IN ('operator family', 'sequence')), NULL, 'every object has a comment');
SELECT is((SELECT string_agg(a.attrelid::regclass || '.' || a.attname, ', ') FROM objects o JOIN pg_class c ON o.classid = 'pg_class'::regclass AND o.objid = c.oid
	JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND c.relkind = 'r'
	WHERE col_description(c.oid, a.attnum) IS NULL), NULL, 'every column of a table has one');
SELECT is((SELECT string_agg(objid::regprocedure::text, ', ') FROM objects JOIN pg_proc p ON p.oid = objid AND classid = 'pg_proc'::regclass WHERE prosecdef), NULL, 'no SECURITY DEFINER');
SELECT is((SELECT string_agg(proname, ', ' ORDER BY proname) FROM objects JOIN pg_proc p ON p.oid = objid AND classid = 'pg_proc'::regclass
	JOIN pg_language l ON l.oid = prolang WHERE lanname IN ('sql', 'plpgsql') AND NOT coalesce(proconfig::text, '') ~ 'search_path=pg_catalog'), 'churn_band, churn_feature_phrases, churn_feature_values', 'every SQL or PL function fixes its path, but those that are inlined');
SELECT is((SELECT string_agg(c.relname, ', ' ORDER BY 1) FROM objects o JOIN pg_class c ON o.classid = 'pg_class'::regclass AND o.objid = c.oid WHERE c.relkind = 'r' AND (NOT relrowsecurity OR NOT c.oid = ANY ((SELECT extconfig FROM pg_extension WHERE extname = 'churn')::oid[]))), NULL, 'every table has row-level security and is dumped');

-- ---- in a schema that no path names ----
SELECT churn_drop_study(study) FROM churn_studies \g /dev/null
SELECT is((SELECT count(*) FROM churn_studies), 0::bigint, 'all studies dropped');
DROP EXTENSION churn;
CREATE SCHEMA "Odd Schema";
CREATE EXTENSION churn SCHEMA "Odd Schema";
SELECT lives_ok($$SELECT "Odd Schema".churn_create_study('odd', '90 days', key_kinds => '{order}')$$, 'odd schema: create');
SELECT is((SELECT relations FROM "Odd Schema".churn_definitions), NULL, 'odd schema: a definition without sources');
SELECT lives_ok($$SELECT "Odd Schema".churn_add_source('odd', 'orders', 'customer', 'at', kind => 'order', filter => 'total > 0')$$, 'odd schema: add_source');
SELECT isnt_empty($$SELECT "Odd Schema".churn_snapshot('odd', '2024-06-01')$$, 'odd schema: snapshot');
SELECT isnt_empty($$SELECT "Odd Schema".churn_feasible('odd')$$, 'odd schema: feasible');
SELECT throws_ok($$SELECT "Odd Schema".churn_train('odd')$$, '55000', NULL, 'odd schema: train');
SELECT throws_ok($$SELECT "Odd Schema".churn_score(1)$$, '55000', 'study "odd" has no champion');
SELECT throws_ok($$SELECT "Odd Schema".churn_score(1, 'none')$$, '42704', 'study "none" does not exist');
SELECT throws_ok($$CALL "Odd Schema".churn_refresh('odd')$$, '55000', 'study "odd" has no champion');
SELECT lives_ok($$SELECT "Odd Schema".churn_alter_study('odd', gap => '1 day')$$, 'odd schema: alter');
SELECT lives_ok($$SELECT "Odd Schema".churn_drop_study('odd')$$, 'odd schema: drop');
SELECT * FROM finish();
