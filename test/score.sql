-- churn_score and churn_explain: live equals batch, every key, every right,
-- caches that notice what changed, memory that stays flat.
\set ECHO none
SET client_min_messages = error;
SELECT no_plan();

CREATE FUNCTION hint_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN SQLSTATE || ' ' || hint;
END $$;

CREATE TABLE shop AS SELECT user_id, ts, kind, amount FROM churn_simulate(2500, 300, 2, late_arrivals => false);
CREATE INDEX ON shop (user_id);
SELECT max(ts)::date + 1 AS today, max(ts)::date + 2 AS tomorrow FROM shop \gset
SET churn.today = :'today';
SELECT churn_create_study('shop', '60 days', key_kinds => '{order}', min_tenure => '3 days', windows => '{7,30,90}') \g /dev/null

SELECT throws_ok('SELECT churn_score(1)', '55000', 'study "shop" has no champion');
SELECT matches(hint_of('SELECT churn_score(1)'), 'churn_train\(''shop''\) trains one', 'no champion: what to do');
SELECT throws_ok('SELECT * FROM churn_explain(1)', '55000', 'study "shop" has no champion');
SELECT churn_add_source('shop', 'shop', 'user_id', 'ts', 'amount', kind_column => 'kind') \g /dev/null
SELECT churn_train('shop', options => '{"c": 0.001, "encoding": "linear"}') \g /dev/null

-- ---- live equals batch ----
CALL churn_refresh('shop');
SELECT cmp_ok((SELECT count(*) FROM shop_scores), '>', 800::bigint, 'there are scores');
SELECT is((SELECT count(*) FROM shop_scores WHERE score <> churn_score(user_id)), 0::bigint, 'the live score is the batch score, bit for bit');
SELECT is((SELECT count(churn_score(u::bigint)) FROM generate_series(1, 2500) u), (SELECT count(*) FROM shop_scores), 'and NULL for everybody else');
SELECT user_id AS u FROM shop_scores ORDER BY md5(user_id::text) LIMIT 1 \gset
SELECT churn_score(:u) AS before_today \gset
INSERT INTO shop VALUES (:u, :'today'::date + time '09:00', 'order', 20);
SELECT isnt(churn_score(:u), :'before_today'::float8, 'an order today counts at once');
SELECT is(churn_score(:u), churn_score(:u, as_of => :'tomorrow'), 'as of tomorrow');
SELECT is(churn_score(:u, as_of => :'today'), :'before_today'::float8, 'this morning''s score stays what it was');
SELECT is((SELECT count(*) FROM shop_scores WHERE score <> churn_score(user_id)), 1::bigint, 'others stay as they were');
SELECT is(scored_as_of, :'tomorrow'::date, 'churn_live says so') FROM churn_live(:u);
INSERT INTO shop VALUES (:u, :'tomorrow'::date + time '09:00', 'order', 20);
SELECT is(churn_score(:u), churn_score(:u, as_of => :'tomorrow'), 'rows of the future do not count');
SELECT is(scored_as_of, :'tomorrow'::date, 'nor move the date') FROM churn_live(:u);
DELETE FROM shop WHERE user_id = :u AND ts >= :'today';
SELECT is(churn_score(:u), :'before_today'::float8, 'and back');
SELECT is((SELECT count(*) FROM (SELECT * FROM shop_scores ORDER BY user_id LIMIT 100) s, churn_models m, LATERAL (SELECT churn_history(ts, kind, amount, churn_spec()) AS h FROM shop e WHERE e.user_id = s.user_id) x
	WHERE churn_predict(m.model, h, :'today'::date - 10) <> churn_score(s.user_id, as_of => :'today'::date - 10)), 0::bigint, 'a date given');
SELECT throws_ok(format('SELECT churn_score(1, as_of => %L)', d), '22023', NULL, 'as_of ' || d) FROM unnest(ARRAY[(:'today'::date + 2)::text, 'infinity', '-infinity']) d;
SELECT is(churn_score(:u, as_of => '1900-01-01'), NULL, 'a date before all: not at risk');

-- ---- not at risk ----
INSERT INTO shop VALUES (90001, :'today'::date - 100, 'order', 1), (90002, :'today'::date - 10, 'view', NULL), (90003, :'today'::date - 2, 'order', 1);
SELECT churn_rebuild('shop', '{90001,90002,90003}') \g /dev/null
SELECT is(churn_score(id), NULL, 'NULL: ' || why) FROM (VALUES (90001::bigint, 'lapsed'), (90002, 'never'), (90003, 'young'), (90004, 'unknown'), (NULL, 'no key')) v (id, why);
SELECT is((SELECT feature || ' ' || e.phrase FROM churn_explain(id) e), '(not at risk) ' || v.phrase, v.phrase) FROM (VALUES
	(90001::bigint, 'silent for longer than the active window: has left already'), (90002, 'no event of a key kind before ' || :'today'),
	(90003, 'a customer for less than the minimum tenure'), (90004, 'no events of this user are known')) v (id, phrase);

-- ---- explain adds up ----
CREATE TABLE sums AS
SELECT user_id, score, (SELECT sum(contribution) FROM churn_explain(user_id)) AS total FROM (SELECT * FROM shop_scores ORDER BY md5(user_id::text) LIMIT 200) s;
SELECT ok(count(*) = 200 AND max(abs(total - ln(score / (1 - score)))) < 1e-9, 'base and contributions add up to the log-odds of the score') FROM sums;
SELECT is((SELECT feature FROM churn_explain(:u) LIMIT 1), '(base)', 'the average user comes first');
SELECT is((SELECT count(*) FROM churn_explain(:u) WHERE phrase IS NULL OR phrase = ''), 0::bigint, 'every row has a phrase');
SELECT is((SELECT array_agg(abs(contribution)) FROM (SELECT contribution FROM churn_explain(:u) OFFSET 1) x), (SELECT array_agg(abs(contribution) ORDER BY abs(contribution) DESC) FROM (SELECT contribution FROM churn_explain(:u) OFFSET 1) x), 'the strongest first');
SELECT is((SELECT count(*) FROM churn_explain(:u, as_of => :'today'::date - 5)) > 10, true, 'explain a date given');

-- ---- keys ----
SELECT is(churn_score(k), churn_score(:u::bigint), 'bigint key from ' || pg_typeof(k)) FROM (SELECT :u::int AS k) x;
SELECT is(churn_score(k), churn_score(:u::bigint), 'bigint key from ' || pg_typeof(k)) FROM (SELECT :u::smallint AS k) x;
SELECT is(churn_score(k), churn_score(:u::bigint), 'bigint key from ' || pg_typeof(k)) FROM (SELECT :u::numeric AS k) x;
SELECT is(churn_score(k), churn_score(:u::bigint), 'bigint key from ' || pg_typeof(k)) FROM (SELECT :u::text AS k) x;
SELECT is(churn_score(:'u'), churn_score(:u::bigint), 'bigint key from a literal');
SELECT is((SELECT count(*) FROM churn_explain(:'u')), (SELECT count(*) FROM churn_explain(:u)), 'explain a literal');
SELECT throws_ok('SELECT churn_score(''x'')', '22P02', NULL, 'a literal that is no key');
SELECT throws_ok('SELECT churn_score(1e30::numeric)', '22003', NULL, 'a number out of range');

CREATE EXTENSION citext;
CREATE VIEW keyed AS SELECT user_id::int AS k_int, 'User ' || user_id AS k_text, ('User ' || user_id)::varchar(20) AS k_varchar, ('User ' || user_id)::char(20) AS k_char,
	('User ' || user_id)::citext AS k_citext, md5(user_id::text)::uuid AS k_uuid, * FROM shop;
CREATE FUNCTION make(study text, key text) RETURNS void LANGUAGE plpgsql SET row_security = off AS $$
BEGIN
	PERFORM churn_create_study(study, '60 days', key_kinds => '{order}', min_tenure => '3 days', windows => '{7,30,90}');
	PERFORM churn_add_source(study, 'keyed', key, 'ts', 'amount', kind_column => 'kind');
	-- the champion of the first study serves all: it is a value
	INSERT INTO churn_models (study, version, status, model, band_cutoffs, metrics, created_by)
	SELECT make.study, 1, 'champion', model, band_cutoffs, metrics, created_by FROM churn_models m WHERE m.study = 'shop';
END $$;
SELECT make(k, k) FROM unnest(ARRAY['k_int', 'k_text', 'k_varchar', 'k_char', 'k_citext', 'k_uuid']) k \g /dev/null
CREATE TABLE someone AS SELECT * FROM keyed WHERE user_id = :u LIMIT 1;
SELECT is(churn_score(k_int, 'k_int'), :'before_today'::float8, 'int key') FROM someone;
SELECT is(churn_score(user_id, 'k_int'), :'before_today'::float8, 'int key from bigint') FROM someone;
SELECT is(churn_score(k_text, 'k_text'), :'before_today'::float8, 'text key') FROM someone;
SELECT is(churn_score(k_char, 'k_text'), :'before_today'::float8, 'text key from char(n)') FROM someone;
SELECT is(churn_score(k_varchar, 'k_varchar'), :'before_today'::float8, 'varchar key') FROM someone;
SELECT is(churn_score(k_char, 'k_char'), :'before_today'::float8, 'char key') FROM someone;
SELECT is(churn_score(k_text, 'k_char'), :'before_today'::float8, 'char key from text') FROM someone;
SELECT is(churn_score(k_uuid, 'k_uuid'), :'before_today'::float8, 'uuid key') FROM someone;
SELECT is(churn_score(upper(k_text)::citext, 'k_citext'), :'before_today'::float8, 'citext key, written otherwise') FROM someone;
SELECT is(churn_score('uSeR ' || :'u', 'k_citext'), :'before_today'::float8, 'citext key from text');
SELECT is(churn_score(md5(:'u'), 'k_uuid'), :'before_today'::float8, 'uuid key from text');
SELECT throws_ok('SELECT churn_score(''x'', ''k_uuid'')', '22P02', NULL, 'no uuid');

-- ---- which study ----
SELECT throws_ok('SELECT churn_score(1)', '42P08', 'there is more than one study');
SELECT matches(hint_of('SELECT churn_score(1)'), 'churn_score\(user_id, ''study''\), or SET churn\.study', 'two studies: what to do');
SET churn.study = 'shop';
SELECT is(churn_score(:u), :'before_today'::float8, 'the setting churn.study');
SET churn.study = 'nowhere';
SELECT throws_ok('SELECT churn_score(1)', '42704', 'study "nowhere" does not exist');
SELECT is(churn_score(:u, 'shop'), :'before_today'::float8, 'the argument goes first');
RESET churn.study;
SELECT churn_drop_study(study) FROM churn_studies WHERE study <> 'shop' \g /dev/null
SELECT is(churn_score(:u), :'before_today'::float8, 'the only study');
SELECT throws_ok('SELECT churn_score(' || :'u' || ') + churn_score(' || :'u' || ', '''')', '42704', NULL, 'an empty name is a name');

-- ---- caches ----
-- the study is looked up once a snapshot: what changes moves the snapshot
CREATE FUNCTION before_and_after(change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	before text;
	inside text;
BEGIN
	SELECT string_agg(churn_score(user_id)::text, ' ' ORDER BY user_id) INTO before FROM shop_scores WHERE user_id < 40;
	BEGIN
		EXECUTE change;
		SELECT string_agg(churn_score(user_id)::text, ' ' ORDER BY user_id) INTO inside FROM shop_scores WHERE user_id < 40;
		RAISE 'undo' USING ERRCODE = 'ZZ999';
	EXCEPTION WHEN SQLSTATE 'ZZ999' THEN NULL;
	END;
	RETURN (before <> coalesce(inside, ''))::text || ' ' || (before = (SELECT string_agg(churn_score(user_id)::text, ' ' ORDER BY user_id) FROM shop_scores WHERE user_id < 40));
END $$;
SELECT is(before_and_after($$SELECT churn_alter_study('shop', active_window => '10 days')$$), 'true true', 'a change is seen in its transaction, and its rollback');
SELECT churn_train('shop', snapshots => 1, options => '{"c": 1, "encoding": "linear"}') \g /dev/null
SELECT is(churn_score(:u), :'before_today'::float8, 'a new model that is not champion changes nothing');
SELECT churn_promote('shop', 2, force => true, reason => 'whatever it is worth') \g /dev/null
SELECT churn_predict(model, h, :'today') AS second_score FROM churn_models, (SELECT churn_history(ts, kind, amount, churn_spec()) AS h FROM shop WHERE user_id = :u) x WHERE version = 2 \gset
SELECT isnt(:'second_score'::float8, :'before_today'::float8, 'the second model differs');
SELECT is(churn_score(:u), :'second_score'::float8, 'cache: after churn_promote');
BEGIN;
SELECT churn_promote('shop', 1) \g /dev/null
SELECT is(churn_score(:u), :'before_today'::float8, 'cache: within the transaction');
ROLLBACK;
SELECT is(churn_score(:u), :'second_score'::float8, 'cache: after its rollback');
SELECT churn_promote('shop', 1) \g /dev/null
SELECT churn_alter_study('shop', active_window => '1 day') \g /dev/null
SELECT is(churn_score(user_id), NULL, 'cache: after churn_alter_study (active window)') FROM shop_scores s WHERE user_id IN (SELECT user_id FROM shop WHERE kind = 'order' GROUP BY 1 HAVING max(ts) < :'today'::date - 5) ORDER BY user_id LIMIT 1;
SELECT churn_alter_study('shop', active_window => '60 days') \g /dev/null
SELECT is(churn_score(:u), :'before_today'::float8, 'cache: and back');
INSERT INTO shop VALUES (:u, :'today'::timestamp AT TIME ZONE 'UTC' - interval '1 hour', 'order', 3);
SELECT scored_as_of AS in_utc FROM churn_live(:u) \gset
SELECT churn_alter_study('shop', time_zone => 'Asia/Tokyo') \g /dev/null
SELECT is(scored_as_of - :'in_utc'::date, 1, 'cache: after churn_alter_study (zone): an hour before midnight in UTC is today in Tokyo') FROM churn_live(:u);
SELECT churn_alter_study('shop', time_zone => 'UTC') \g /dev/null
DELETE FROM shop WHERE user_id = :u AND ts = :'today'::timestamp AT TIME ZONE 'UTC' - interval '1 hour';
SELECT is(churn_score(:u), :'before_today'::float8, 'cache: and back');
SELECT churn_add_source('shop', 'shop', 'user_id', 'ts', kind => 'click', filter => 'user_id = ' || :u) \g /dev/null
SELECT ok((SELECT 'click' = ANY (churn_kinds(history)) FROM churn_live(:u)), 'cache: after churn_add_source');
SELECT churn_drop_source('shop', 2) \g /dev/null
SELECT is(churn_score(:u), :'before_today'::float8, 'cache: after churn_drop_source');
DROP VIEW keyed;
ALTER TABLE shop ADD COLUMN spare int;
ALTER TABLE shop ALTER user_id TYPE int;
SELECT is(churn_score(:u), :'before_today'::float8, 'cache: after ALTER TABLE of the source');
CREATE TABLE kept AS SELECT * FROM churn_models WHERE version = 2;
SELECT churn_drop_study('shop') \g /dev/null
SELECT throws_ok(format('SELECT churn_score(%s)', :u), '42704', 'there is no study that you may use');
SELECT churn_create_study('shop', '60 days', key_kinds => '{order}', windows => '{7,30,90}') \g /dev/null
SELECT churn_add_source('shop', 'shop', 'user_id', 'ts', 'amount', kind_column => 'kind') \g /dev/null
SET row_security = off; -- as pg_dump writes a champion back
INSERT INTO churn_models (study, version, status, model, band_cutoffs, metrics, created_by) SELECT study, 1, 'champion', model, band_cutoffs, metrics, created_by FROM kept;
RESET row_security;
SELECT is(churn_score(:u), :'second_score'::float8, 'cache: after churn_drop_study and a new study of that name');

-- ---- memory ----
CREATE FUNCTION used() RETURNS bigint LANGUAGE sql AS 'SELECT sum(used_bytes)::bigint FROM pg_backend_memory_contexts';
CREATE FUNCTION repeat_score(u bigint, n int) RETURNS void LANGUAGE plpgsql AS $$BEGIN FOR i IN 1 .. n LOOP PERFORM churn_score(u); END LOOP; END$$;
CREATE FUNCTION repeat_explain(u bigint, n int) RETURNS void LANGUAGE plpgsql AS $$BEGIN FOR i IN 1 .. n LOOP PERFORM count(*) FROM churn_explain(u); END LOOP; END$$;
CREATE FUNCTION growth(statement text, warm text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	before bigint;
	after bigint;
BEGIN
	EXECUTE warm;
	-- the first measures set up the plan of the measure
	FOR i IN 1 .. 3 LOOP
		SELECT used() INTO before;
	END LOOP;
	EXECUTE statement;
	SELECT used() INTO after;
	RETURN after - before;
END $$;
SELECT cmp_ok(growth(format('SELECT repeat_score(%s, 10000)', :u), format('SELECT repeat_score(%s, 50)', :u)), '<', 40000::bigint, '10,000 calls of churn_score: memory flat');
SELECT cmp_ok(growth(format('SELECT repeat_explain(%s, 50)', :u), format('SELECT repeat_explain(%s, 5)', :u)), '<', 40000::bigint, '50 calls of churn_explain: memory flat');
SELECT cmp_ok(growth(format('SELECT count(churn_score(%s + 0 * i)) FROM generate_series(1, 3000) i', :u), format('SELECT churn_score(%s)', :u)), '<', 40000::bigint, 'in one statement: memory flat');

-- ---- rights ----
DROP ROLE IF EXISTS churn_s_owner, churn_s_stranger;
CREATE ROLE churn_s_owner; CREATE ROLE churn_s_stranger;
CREATE SCHEMA theirs; GRANT ALL ON SCHEMA theirs TO churn_s_owner;
CREATE TABLE theirs.seen (who text, could_super boolean);
GRANT SELECT, INSERT ON theirs.seen TO churn_s_owner;
CREATE TABLE theirs.secret (x int);
GRANT SELECT ON shop TO churn_s_owner;
SET ROLE churn_s_owner;
-- what a hostile owner would store: a filter that does what the caller may
CREATE FUNCTION theirs.spy(id bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	BEGIN
		PERFORM count(*) FROM theirs.secret;
		RAISE EXCEPTION 'spied as %', current_user USING ERRCODE = 'ZZ001';
	EXCEPTION WHEN insufficient_privilege THEN
		NULL;
	END;
	IF current_user <> 'churn_s_owner' THEN
		RAISE EXCEPTION 'ran as %', current_user USING ERRCODE = 'ZZ001';
	END IF;
	RETURN true;
END $$;
CREATE VIEW theirs.watched AS SELECT * FROM shop WHERE user_id % 5 = 0;
SELECT churn_create_study('spy', '60 days', key_kinds => '{order}', windows => '{7,30,90}', schema => 'theirs') \g /dev/null
SELECT churn_add_source('spy', 'theirs.watched', 'user_id', 'ts', 'amount', kind_column => 'kind', filter => 'theirs.spy(user_id)') \g /dev/null
RESET ROLE;
SET row_security = off; -- as pg_dump writes a champion back
INSERT INTO churn_models (study, version, status, model, band_cutoffs, metrics, created_by) SELECT 'spy', 1, 'champion', model, band_cutoffs, metrics, created_by FROM kept;
RESET row_security;
SELECT 5 * (:u / 5) AS fifth \gset
SELECT lives_ok(statement, 'a superuser runs it as the owner: ' || statement) FROM unnest(ARRAY[
	format('SELECT churn_score(%s, ''spy'')', :fifth), format('SELECT * FROM churn_explain(%s, ''spy'')', :fifth), 'SELECT * FROM churn_feasible(''spy'')',
	'SELECT count(*) FROM churn_snapshot(''spy'', ' || quote_literal(:'today') || ')', 'CALL churn_refresh(''spy'')']) statement;
SELECT throws_ok('SELECT churn_train(''spy'', options => ''{"c": 1, "encoding": "linear"}'')', '55000', NULL, 'a superuser trains it as the owner');
SELECT is(current_user::text, 'postgres', 'and is themselves again');
SELECT throws_ok($$UPDATE theirs.secret SET x = (SELECT theirs.spy(1))::int; SELECT theirs.spy(1)$$, 'ZZ001', NULL, 'the spy works when called without the extension');

-- The input of a key may run the owner's SQL too.
SET ROLE churn_s_owner;
CREATE FUNCTION theirs.spy_text(t text) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN
	IF current_user <> 'churn_s_owner' THEN RAISE EXCEPTION 'ran as %', current_user USING ERRCODE = 'ZZ001'; END IF; RETURN true; END$$;
CREATE DOMAIN theirs.checked AS text CHECK (theirs.spy_text(VALUE));
CREATE TYPE theirs.pair AS (a theirs.checked);
CREATE VIEW theirs.paired AS SELECT ROW(user_id::text)::theirs.pair AS who, ts, kind, amount FROM shop;
SELECT churn_create_study('pair', '60 days', key_kinds => '{order}', schema => 'theirs') \g /dev/null
SELECT churn_add_source('pair', 'theirs.paired', 'who', 'ts', 'amount', kind_column => 'kind') \g /dev/null
RESET ROLE;
SET row_security = off; -- as pg_dump writes a champion back
INSERT INTO churn_models (study, version, status, model, band_cutoffs, metrics, created_by) SELECT 'pair', 1, 'champion', model, band_cutoffs, metrics, created_by FROM kept;
RESET row_security;
SELECT lives_ok(format('SELECT churn_score(''(%s)'', ''pair'')', :u), 'a key''s domain is checked as the owner');

-- Errors put the caller back.
REVOKE SELECT ON shop FROM churn_s_owner;
DO $$
BEGIN
	PERFORM churn_score('5', 'spy');
	RAISE EXCEPTION 'no error';
EXCEPTION WHEN insufficient_privilege THEN
	IF current_user <> 'postgres' THEN RAISE EXCEPTION 'still %', current_user; END IF;
END $$;
SELECT is(current_user::text, 'postgres', 'after an error in a subtransaction the user is restored');
SELECT throws_ok(statement, '42501', 'permission denied for table shop', 'the owner lost its SELECT: ' || statement) FROM unnest(ARRAY[
	'SELECT churn_score(5, ''spy'')', 'SELECT * FROM churn_explain(5, ''spy'')', 'SELECT churn_feasible(''spy'')', 'SELECT churn_train(''spy'')',
	'CALL churn_refresh(''spy'')', 'SELECT churn_snapshot(''spy'', ''2023-06-01'')']) statement;
SELECT is(churn_score(:u, 'shop'), :'second_score'::float8, 'other studies work as before');
SET ROLE churn_s_owner;
SELECT throws_ok('SELECT churn_score(5, ''spy'')', '42501', 'permission denied for table shop', 'the owner themselves');
SELECT throws_ok('SELECT churn_score(5, ''shop'')', '42501', 'permission denied for study "shop"', 'a study of somebody else');
SET ROLE churn_s_stranger;
SELECT throws_ok('SELECT * FROM churn_explain(5, ''spy'')', '42501', 'permission denied for study "spy"', 'a stranger');
RESET ROLE;
SELECT churn_drop_study(study, true) FROM churn_studies WHERE study IN ('spy', 'pair') \g /dev/null
DROP OWNED BY churn_s_owner CASCADE; DROP ROLE churn_s_owner, churn_s_stranger;

-- A source that asks for scores itself.
CREATE FUNCTION asks(id bigint) RETURNS boolean LANGUAGE sql AS 'SELECT churn_score(id, ''shop'') IS NULL';
SELECT churn_create_study('loop', '60 days') \g /dev/null
SELECT churn_add_source('loop', 'shop', 'user_id', 'ts', kind => 'order', filter => 'asks(user_id)') \g /dev/null
SET row_security = off; -- as pg_dump writes a champion back
INSERT INTO churn_models (study, version, status, model, band_cutoffs, metrics, created_by) SELECT 'loop', 1, 'champion', model, band_cutoffs, metrics, created_by FROM kept;
RESET row_security;
SELECT throws_ok(format('SELECT churn_score(%s, ''loop'')', :u), '55006', 'a source of a study cannot ask for scores');
SELECT is(churn_score(:u, 'shop'), :'second_score'::float8, 'and the next call works');

-- ---- the extension created anew in the same session, elsewhere ----
SELECT churn_drop_study(study) FROM churn_studies \g /dev/null
CREATE TEMP TABLE model_text AS SELECT model::text AS model, band_cutoffs, metrics FROM kept;
DROP TABLE kept;
DROP EXTENSION churn CASCADE;
CREATE SCHEMA "Odd Schema";
CREATE EXTENSION churn SCHEMA "Odd Schema";
SET churn.today = :'today';
SELECT throws_ok('SELECT "Odd Schema".churn_score(1)', '42704', 'there is no study that you may use', 'anew: no study');
SELECT "Odd Schema".churn_create_study('shop', '60 days', key_kinds => '{order}', windows => '{7,30,90}') \g /dev/null
SELECT "Odd Schema".churn_add_source('shop', 'shop', 'user_id', 'ts', 'amount', kind_column => 'kind') \g /dev/null
SET row_security = off; -- as pg_dump writes a champion back
INSERT INTO "Odd Schema".churn_models (study, version, status, model, band_cutoffs, metrics, created_by) SELECT 'shop', 1, 'champion', replace(model, 'churn_spec', 'churn_spec')::"Odd Schema".churn_model, band_cutoffs, metrics, current_user::regrole FROM model_text;
RESET row_security;
SELECT is("Odd Schema".churn_score(:u), :'second_score'::float8, 'anew: the same model, the same score');
SELECT is((SELECT abs(sum(contribution) - ln(:'second_score'::float8 / (1 - :'second_score'::float8))) < 1e-9 FROM "Odd Schema".churn_explain(:u, 'shop')), true, 'anew: explain');
CALL "Odd Schema".churn_refresh('shop');
SELECT is((SELECT score FROM shop_scores WHERE user_id = :u), :'second_score'::float8, 'anew: refresh');
SELECT is((SELECT status FROM "Odd Schema".churn_train('shop', snapshots => 1, options => '{"c": 0.1, "encoding": "linear"}')) IN ('accepted', 'refused'), true, 'anew: train');
SELECT * FROM finish();
