-- Stored histories: a refresh by what is new gives the bits of one from
-- nothing, whatever arrives when; live scores, snapshots and training read
-- them with the same result; interrupted stages go on; rights; names.
\set ECHO none
SET client_min_messages = error;
SELECT no_plan();

-- ---- churn_without ----
SELECT is(churn_without(h, since, days)::text, want, what) FROM (VALUES
	(NULL::date, NULL::date[], '{order: 2024-01-05 19.99, 2024-01-09 x3 5.00 +2d; view: 2024-01-05, 2024-02-01}', 'nothing named, nothing dropped'),
	('2024-01-09', NULL, '{order: 2024-01-05 19.99; view: 2024-01-05}', 'from a day on, late entries too'),
	(NULL, '{2024-02-01,NULL,2024-01-05,2024-01-05}', '{order: 2024-01-09 x3 5.00 +2d}', 'days listed, in any order'),
	('2024-02-01', '{2024-01-05}', '{order: 2024-01-09 x3 5.00 +2d}', 'both'),
	('-infinity', NULL, '{}', 'all'), ('infinity', NULL, '{order: 2024-01-05 19.99, 2024-01-09 x3 5.00 +2d; view: 2024-01-05, 2024-02-01}', 'since infinity: none')) v (since, days, want, what),
	(SELECT '{order: 2024-01-05 19.99, 2024-01-09 x3 5.00 +2d; view: 2024-01-05, 2024-02-01}'::churn_history AS h) h;
SELECT is(churn_without(NULL, '2024-01-01', NULL), NULL, 'no history');
SELECT is(count(*), 0::bigint, 'dropping days and adding their events again is the history') FROM (
	SELECT churn_history(ts, kind, amount, churn_spec()) AS h, churn_history(ts, kind, amount, churn_spec()) FILTER (WHERE extract(dow FROM ts AT TIME ZONE 'UTC') = 1 OR ts >= '2023-05-01Z') AS part,
		array_agg((ts AT TIME ZONE 'UTC')::date) FILTER (WHERE extract(dow FROM ts AT TIME ZONE 'UTC') = 1) AS days
	FROM churn_simulate(300, 200, 4) GROUP BY user_id) x
WHERE part IS NOT NULL AND churn_without(h, '2023-05-01', days) + part <> h;

-- ---- a champion, and studies that borrow it ----
CREATE TABLE shop AS SELECT user_id, ts, kind, amount FROM churn_simulate(2000, 300, 3, late_arrivals => false);
CREATE INDEX ON shop (user_id, ts);
CREATE INDEX ON shop (ts);
SELECT (max(ts AT TIME ZONE 'UTC') - interval '12 days')::date AS today FROM shop \gset
SET churn.today = :'today';
CREATE TABLE later AS SELECT * FROM shop WHERE ts >= (:'today'::date + time '14:00') AT TIME ZONE 'UTC';
DELETE FROM shop WHERE ts >= (:'today'::date + time '14:00') AT TIME ZONE 'UTC';
SELECT churn_create_study('shop', '60 days', key_kinds => '{order}', windows => '{7,30,90}') \g /dev/null
SELECT churn_add_source('shop', 'shop', 'user_id', 'ts', 'amount', kind_column => 'kind') \g /dev/null
CREATE FUNCTION make(study text, relation regclass, key text, at text, known text DEFAULT NULL, growing text DEFAULT NULL, zone text DEFAULT 'UTC', tables text DEFAULT 'public') RETURNS void LANGUAGE plpgsql SET row_security = off AS $$
BEGIN
	PERFORM churn_create_study(study, '60 days', key_kinds => '{order}', windows => '{7,30,90}', time_zone => zone, schema => tables);
	PERFORM churn_add_source(study, relation, key, at, 'amount', kind_column => 'kind', known_at_column => known, growing_column => growing);
	INSERT INTO churn_models (study, version, status, model, band_cutoffs, metrics, created_by)
	SELECT make.study, 1, 'champion', model, band_cutoffs, metrics, created_by FROM churn_models m WHERE m.study = 'shop' AND version = 1;
END $$;
-- Stored histories that differ from those built from all events now.
CREATE FUNCTION differ(name text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	d churn_studies;
	n bigint;
BEGIN
	SELECT * INTO d FROM churn_studies s WHERE s.study = name;
	EXECUTE format('SELECT count(*) FROM %I.%I h FULL JOIN (%s) t ON t.user_id = h.user_id WHERE h.history IS DISTINCT FROM t.history OR h.history::text <> t.history::text',
		d.table_schema, name || '_history', churn_event_histories_sql(d, current_setting('churn.today')::date)) INTO n;
	RETURN n;
END $$;

-- ---- training from histories is training from events ----
SELECT churn_train('shop', snapshots => 3, options => '{"c": 0.001}') \g /dev/null
CREATE TABLE plain AS SELECT user_id, churn_score(user_id) AS score, l.history FROM generate_series(1, 2000) AS user_id, churn_live(user_id) l;
CREATE TABLE snap AS SELECT * FROM churn_snapshot('shop', :'today'::date - 90);
CREATE TABLE feasible AS SELECT * FROM churn_feasible('shop');
CREATE TABLE curve AS SELECT * FROM churn_return_curve('shop');
SELECT is((SELECT count(*) FROM shop_history), 0::bigint, 'training stores no histories');
CALL churn_refresh('shop');
SELECT is(differ('shop'), 0::bigint, 'the first refresh: everybody''s history');
SELECT cmp_ok((SELECT count(*) FROM shop_history), '>', 1500::bigint, 'that is many');
SELECT is((SELECT through FROM churn_histories WHERE study = 'shop'), :'today'::date, 'through the newest day');
SELECT is((SELECT count(*) FROM plain p WHERE p.score IS DISTINCT FROM churn_score(user_id)), 0::bigint, 'live scores are those from the events, of everybody');
SELECT is((SELECT count(*) FROM plain p, churn_live(p.user_id) l WHERE l.history IS DISTINCT FROM p.history), 0::bigint, 'and so are the histories behind them');
SELECT set_eq(format('SELECT * FROM churn_snapshot(''shop'', %L)', :'today'::date - 90), 'SELECT * FROM snap', 'churn_snapshot');
SELECT set_eq('SELECT * FROM churn_feasible(''shop'')', 'SELECT * FROM feasible', 'churn_feasible');
SELECT set_eq('SELECT * FROM churn_return_curve(''shop'')', 'SELECT * FROM curve', 'churn_return_curve');
SELECT ok(strpos(churn_histories_sql(s, :'today'), 'shop_history') > 0, 'they read the stored histories') FROM churn_studies s WHERE study = 'shop';
SELECT churn_train('shop', snapshots => 3, options => '{"c": 0.001}') \g /dev/null
SELECT is((SELECT count(DISTINCT md5(model::text || (metrics - 'mean_score')::text)) FROM churn_models WHERE study = 'shop'), 1::bigint, 'churn_train: the same model to the bit, the same figures (but the mean, a sum in another order)');

-- ---- the tail: events since, on the day of the refresh and after ----
INSERT INTO shop SELECT * FROM later WHERE ts < (:'today'::date + 5)::timestamp AT TIME ZONE 'UTC';
SELECT :'today'::date + 4 AS soon \gset
SET churn.today = :'soon';
CREATE TABLE tail AS SELECT user_id, churn_score(user_id) AS score, l.history FROM generate_series(1, 2000) AS user_id, churn_live(user_id) l;
CREATE TABLE model_tail AS SELECT md5(model::text || (metrics - 'mean_score')::text) AS m FROM churn_models WHERE version = 1 AND study = 'shop';
SELECT churn_train('shop', snapshots => 2, options => '{"c": 0.001}') \g /dev/null
UPDATE churn_histories SET revision = -1, digest = 'void';
SELECT is((SELECT count(*) FROM tail p WHERE p.score IS DISTINCT FROM churn_score(user_id)), 0::bigint, 'stored history and tail give the score from the events, of everybody');
SELECT is((SELECT count(*) FROM tail p, churn_live(p.user_id) l WHERE l.history IS DISTINCT FROM p.history), 0::bigint, 'to the bits of the history');
SELECT ok((SELECT count(*) FROM tail t JOIN plain p USING (user_id) WHERE t.history <> p.history) > 100, 'many have a tail');
SELECT churn_train('shop', snapshots => 2, options => '{"c": 0.001}') \g /dev/null
SELECT is((SELECT count(DISTINCT md5(model::text || (metrics - 'mean_score')::text)) FROM churn_models WHERE study = 'shop' AND version > 2), 1::bigint, 'training reads the tail too');
CALL churn_refresh('shop');
SELECT is(differ('shop'), 0::bigint, 'histories void: the next refresh builds them all');

-- ---- what is new; twice is once ----
INSERT INTO shop SELECT * FROM later WHERE ts >= (:'today'::date + 5)::timestamp AT TIME ZONE 'UTC' AND ts < (:'today'::date + 9)::timestamp AT TIME ZONE 'UTC';
SELECT :'today'::date + 8 AS today \gset
SET churn.today = :'today';
CREATE TABLE before_ AS SELECT user_id, history, xmin::text AS x FROM shop_history;
CALL churn_refresh('shop');
SELECT is(differ('shop'), 0::bigint, 'what is new is in');
SELECT cmp_ok((SELECT count(*) FROM shop_history h JOIN before_ b USING (user_id) WHERE h.xmin::text = b.x), '>', 300::bigint, 'rows without anything new are not written');
SELECT is((SELECT count(*) FROM shop_history h JOIN before_ b USING (user_id) WHERE h.xmin::text <> b.x AND h.history = b.history), 0::bigint, 'none is written in vain');
CREATE TABLE once AS SELECT user_id, xmin::text AS x FROM shop_history;
CALL churn_refresh('shop');
SELECT set_eq('SELECT user_id, xmin::text AS x FROM shop_history', 'SELECT * FROM once', 'a second refresh writes no history');
-- late within the overlap, a deletion and a correction there, a user gone
SELECT user_id AS gone FROM shop GROUP BY 1 HAVING min(ts) >= (:'today'::date - 2)::timestamp AT TIME ZONE 'UTC' LIMIT 1 \gset
INSERT INTO shop SELECT user_id, ((:'today'::date - 3 + (user_id % 3)::int) + time '03:00') AT TIME ZONE 'UTC', 'view', NULL FROM generate_series(1, 200) user_id;
INSERT INTO shop VALUES (7000001, (:'today'::date - 2) + time '01:00', 'order', 12.5);
DELETE FROM shop WHERE user_id = :gone;
DELETE FROM shop WHERE user_id % 10 = 3 AND ts >= (:'today'::date - 2)::timestamp AT TIME ZONE 'UTC';
UPDATE shop SET amount = amount + 1 WHERE user_id % 10 = 4 AND ts >= (:'today'::date - 2)::timestamp AT TIME ZONE 'UTC';
CALL churn_refresh('shop');
SELECT is(differ('shop'), 0::bigint, 'late, deleted and corrected rows within the overlap');
SELECT is((SELECT count(*) FROM shop_history WHERE user_id = :gone), 0::bigint, 'a user without events is gone');
SELECT is((SELECT count(*) FROM shop_history WHERE user_id = 7000001), 1::bigint, 'a new one is there');
-- later than that: seen by a longer look back, or a rebuild
INSERT INTO shop SELECT user_id, ((:'today'::date - 9) + time '03:00') AT TIME ZONE 'UTC', 'ticket', NULL FROM generate_series(1, 50) user_id;
CALL churn_refresh('shop');
SELECT is(differ('shop'), 50::bigint, 'rows later than the overlap are not seen');
CALL churn_refresh('shop', overlap => '10 days');
SELECT is(differ('shop'), 0::bigint, 'unless the refresh looks back so far');
DELETE FROM shop WHERE user_id <= 6;
UPDATE shop SET amount = 1 WHERE user_id BETWEEN 11 AND 20 AND kind = 'order';
SELECT cmp_ok(differ('shop'), '>', 8::bigint, 'old rows deleted and corrected');
SELECT is(churn_rebuild('shop', ARRAY[1,2,3,4,5,6,11,12,13,14,15,16,17,18,19,20]), (SELECT count(DISTINCT user_id) FROM shop WHERE user_id BETWEEN 11 AND 20), 'churn_rebuild says how many have a history now');
SELECT is(differ('shop'), 0::bigint, 'and reads their events anew');
DELETE FROM shop WHERE user_id % 7 = 0;
SELECT is(churn_rebuild('shop'), (SELECT count(DISTINCT user_id) FROM shop WHERE ts < (:'today'::date + 1)::timestamp AT TIME ZONE 'UTC'), 'all users');
SELECT is(differ('shop'), 0::bigint, 'everybody''s');
SELECT is(churn_rebuild('shop', ARRAY['8', '9']::varchar[]), 2::bigint, 'keys as varchar');
SELECT is(churn_rebuild('shop', users => '{8,9}'), 2::bigint, 'keys as a literal');
SELECT is(churn_rebuild('shop', '{}'), 0::bigint, 'no keys');
SELECT throws_ok($$SELECT churn_rebuild('shop', '{x}')$$, '22P02', NULL, 'a text that is no key');
SELECT throws_ok($$SELECT churn_rebuild('shop', 8)$$, '42804', 'users must be an array of keys, not integer');
SELECT throws_ok($$SELECT churn_rebuild('none')$$, '42704', NULL, 'no such study');
SELECT throws_ok($$CALL churn_refresh('shop', overlap => '1 month')$$, '22023', NULL, 'an overlap of months');

-- ---- today moved back, and on again ----
SELECT :'today'::date - 6 AS past \gset
SET churn.today = :'past';
CALL churn_refresh('shop');
SELECT is(differ('shop'), 0::bigint, 'today set back: no event of the future');
SET churn.today = :'today';
CALL churn_refresh('shop');
SELECT is(differ('shop'), 0::bigint, 'and on again');

-- ---- a change of the definition ----
SELECT churn_alter_study('shop', windows => '{7,14,30}') \g /dev/null
SELECT is((SELECT count(*) FROM tail p WHERE churn_score(user_id) IS NULL AND p.user_id IN (SELECT user_id FROM shop_scores)), 0::bigint, 'live scores between');
UPDATE once SET x = h.x FROM (SELECT user_id, xmin::text AS x FROM shop_history) h WHERE h.user_id = once.user_id;
CALL churn_refresh('shop');
SELECT is((SELECT count(*) FROM shop_history h JOIN once o USING (user_id) WHERE h.xmin::text <> o.x), 0::bigint, 'other windows: the histories stay');
SELECT churn_alter_study('shop', time_zone => 'Pacific/Apia') \g /dev/null
SELECT ok(strpos(churn_histories_sql(s, :'today'), 'shop_history') = 0, 'another zone: the histories are void') FROM churn_studies s WHERE study = 'shop';
SELECT throws_ok($$SELECT churn_rebuild('shop', ARRAY[8])$$, '55000', 'study "shop" has no stored histories');
CREATE TABLE apia AS SELECT user_id, churn_score(user_id) AS score FROM generate_series(1, 2000) AS user_id;
CALL churn_refresh('shop');
SELECT is(differ('shop'), 0::bigint, 'and built anew');
SELECT is((SELECT count(*) FROM apia a WHERE score IS DISTINCT FROM churn_score(user_id)), 0::bigint, 'live scores are what they were');
UPDATE churn_sources SET filter = 'user_id % 2 = 0' WHERE study = 'shop';
CALL churn_refresh('shop');
SELECT is(differ('shop'), 0::bigint, 'another filter');
SELECT is((SELECT count(*) FROM shop_history WHERE user_id % 2 = 1), 0::bigint, 'who it leaves out is gone');
DROP TABLE shop_history;
CALL churn_refresh('shop');
SELECT is(differ('shop'), 0::bigint, 'a table that somebody dropped is made again');

-- ---- random batches: rows arrive in any order, ids or arrival times tell ----
CREATE TABLE stream (id bigint, arrived timestamptz, user_id bigint, ts timestamptz, local timestamp, day date, kind text, amount float8);
SELECT setseed(.5) \g /dev/null
CREATE TABLE coming AS SELECT *, (ts AT TIME ZONE 'UTC')::date AS on_day, (ts AT TIME ZONE 'UTC')::date + CASE WHEN random() < .1 THEN (random() * 25)::int ELSE 0 END AS arrives FROM churn_simulate(400, 120, 9) e;
CREATE VIEW other AS SELECT * FROM stream WHERE kind = 'ticket';
CREATE VIEW main AS SELECT * FROM stream WHERE kind <> 'ticket';
SELECT make('ids', 'stream', 'user_id', 'ts', growing => 'id', zone => 'America/Sao_Paulo') \g /dev/null
SELECT make('moments', 'stream', 'user_id', 'local', growing => 'arrived') \g /dev/null
SELECT make('known', 'stream', 'user_id', 'day', known => 'arrived') \g /dev/null
SELECT make('zone', 'stream', 'user_id', 'ts', known => 'arrived', zone => 'Pacific/Kiritimati') \g /dev/null
SELECT make('times', 'stream', 'user_id', 'ts') \g /dev/null
SELECT make('two', 'main', 'user_id', 'ts', growing => 'id') \g /dev/null
SELECT churn_add_source('two', 'other', 'user_id', 'local', kind => 'ticket', known_at_column => 'arrived') \g /dev/null
CREATE FUNCTION run_batches(overlap interval) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	first date := (SELECT min(on_day) + 20 FROM coming);
	name text;
BEGIN
	FOR step IN 0 .. 9 LOOP
		PERFORM set_config('churn.today', (first + step * 9)::text, false);
		-- ids are drawn in an order that is not that of days
		INSERT INTO stream SELECT (SELECT coalesce(max(id), 0) FROM stream) + row_number() OVER (ORDER BY hashint8(user_id), ts), arrives::timestamp AT TIME ZONE 'UTC', user_id, ts, ts AT TIME ZONE 'UTC', on_day, kind, amount
		FROM coming WHERE arrives <= first + step * 9 AND arrives > CASE step WHEN 0 THEN '-infinity' ELSE first + (step - 1) * 9 END;
		FOREACH name IN ARRAY '{ids,moments,known,zone,two}'::text[] LOOP
			CALL churn_refresh(name, overlap => run_batches.overlap);
			RETURN NEXT is(differ(name), 0::bigint, format('%s after batch %s, looking back %s', name, step, run_batches.overlap));
		END LOOP;
	END LOOP;
	CALL churn_refresh('times', overlap => run_batches.overlap);
END $$;
SELECT run_batches('3 days');
CALL churn_refresh('times');
SELECT set_eq('SELECT user_id, history::text FROM times_history', 'SELECT user_id, history::text FROM ' || format('(%s) t', churn_event_histories_sql(s, current_setting('churn.today')::date)), 'nothing new: twice is once') FROM churn_studies s WHERE study = 'times';
TRUNCATE stream;
SELECT churn_rebuild(study) FROM churn_studies WHERE study <> 'shop' \g /dev/null
SELECT is((SELECT count(*) FROM ids_history), 0::bigint, 'an empty source, no histories');
SELECT run_batches('0 days');
-- only time tells: what arrives within the overlap of the newest day
INSERT INTO stream SELECT 1e6, now(), user_id, t, t AT TIME ZONE 'UTC', t::date, 'view', NULL FROM generate_series(1, 30) user_id, (SELECT max(ts) - interval '40 hours' AS t FROM stream) x;
CALL churn_refresh('times');
SELECT is(differ('times'), 0::bigint, 'by time alone: late within the overlap');
-- a source that stood still for long goes on where it stopped
CREATE TABLE slow AS SELECT * FROM stream WHERE kind = 'ticket' AND ts < (SELECT max(ts) - interval '60 days' FROM stream);
SELECT make('slow', 'main', 'user_id', 'ts') \g /dev/null
SELECT churn_add_source('slow', 'slow', 'user_id', 'ts', kind => 'ticket') \g /dev/null
CALL churn_refresh('slow');
INSERT INTO slow SELECT * FROM stream WHERE kind = 'ticket' AND ts >= (SELECT max(ts) - interval '2 days' FROM slow);
CALL churn_refresh('slow');
SELECT is(differ('slow'), 0::bigint, 'a source that stood still and was filled up');

-- ---- hash memory: ranges of users, or a sort; a robot ----
SET churn.today = '2023-12-31';
CREATE TABLE robot AS SELECT CASE WHEN i % 4 = 0 THEN i % 5000 ELSE -1 END AS user_id, date '2023-01-01' + (i % 300) AS day, (ARRAY['order', 'view', 'cart'])[1 + i % 3] AS kind, (i % 100)::float8 AS amount FROM generate_series(1, 400000) i;
ANALYZE robot;
SELECT make('robot', 'robot', 'user_id', 'day') \g /dev/null
SET work_mem = '1MB';
SELECT cmp_ok(churn_load_ranges(s, '2023-12-31'), '>', 1, 'ranges') FROM churn_studies s WHERE study = 'robot';
CALL churn_refresh('robot');
SELECT is(differ('robot'), 0::bigint, 'in ranges: the same histories');
SELECT cmp_ok((SELECT ranges FROM churn_histories WHERE study = 'robot'), '>', 1, 'they were ranges');
SELECT is((SELECT churn_event_count(history) FROM robot_history WHERE user_id = -1), 300000::bigint, 'the robot''s too');
INSERT INTO robot SELECT user_id, day + 10, kind, amount FROM robot;
CALL churn_refresh('robot', overlap => '400 days');
SELECT is(differ('robot'), 0::bigint, 'what is new in ranges');
SET work_mem = '64kB';
SELECT is(churn_load_ranges(s, '2023-12-31'), 0, 'far too little memory: a sort') FROM churn_studies s WHERE study = 'robot';
SELECT churn_rebuild('robot') \g /dev/null
SELECT is(differ('robot'), 0::bigint, 'by a sort: the same');
CALL churn_refresh('robot', overlap => '400 days');
SELECT is(differ('robot'), 0::bigint, 'what is new by a sort');
SELECT is(current_setting('enable_hashagg'), 'on', 'the setting is what it was');

-- ---- stages commit; a load that was interrupted goes on ----
SET work_mem = '1MB';
SELECT churn_alter_study('robot', time_zone => 'Europe/Paris') \g /dev/null
CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no more'; END $$;
CREATE TRIGGER stop BEFORE INSERT ON robot_history FOR EACH ROW WHEN (churn_key_share(NEW.user_id::text, 'load') >= .55) EXECUTE FUNCTION stop();
\set ON_ERROR_STOP off
\set QUIET on
CALL churn_refresh('robot');
SELECT :'LAST_ERROR_MESSAGE' AS failed \gset
SET client_min_messages = error;
\set ON_ERROR_STOP on
SELECT is(:'failed'::text, 'no more', 'a refresh fails between two ranges');
SELECT ok(ranges_done BETWEEN 1 AND ranges - 1, 'the ranges before are kept') FROM churn_histories WHERE study = 'robot';
SELECT is((SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'), 0::bigint, 'the lock is free');
SELECT ok((churn_stored(s)).study IS NULL AND strpos(churn_histories_sql(s, '2023-12-31'), 'robot_history') = 0, 'nobody reads half a load') FROM churn_studies s WHERE study = 'robot';
SELECT is(churn_score(4::bigint, 'robot', '2023-08-15') IS NOT NULL, true, 'live scores come from the events');
CREATE TABLE kept AS SELECT user_id, xmin::text AS x FROM robot_history;
DROP TRIGGER stop ON robot_history;
INSERT INTO robot SELECT DISTINCT user_id, date '2023-11-05', 'order', 5 FROM robot;
CALL churn_refresh('robot');
SELECT is(differ('robot'), 0::bigint, 'the next refresh goes on and reads what came meanwhile');
CREATE TABLE robot_scoring (mine int);
INSERT INTO robot VALUES (1, '2023-12-30', 'order', 5);
\set ON_ERROR_STOP off
CALL churn_refresh('robot');
SELECT :'LAST_ERROR_SQLSTATE' AS failed \gset
SET client_min_messages = error;
\set ON_ERROR_STOP on
SELECT is(:'failed'::text, '42P07', 'the scores cannot be written');
SELECT is(differ('robot'), 0::bigint, 'the histories are');
DROP TABLE robot_scoring;
RESET work_mem;

-- ---- rights and names ----
DROP ROLE IF EXISTS churn_s_owner, churn_s_member, churn_s_stranger;
CREATE ROLE churn_s_owner; CREATE ROLE churn_s_member; CREATE ROLE churn_s_stranger;
GRANT churn_s_owner TO churn_s_member;
CREATE SCHEMA "Odd ""schema'";
GRANT ALL ON SCHEMA "Odd ""schema'" TO churn_s_owner, churn_s_stranger;
CREATE TABLE "Odd ""schema'"."Ev'ents" AS SELECT md5(user_id::text)::uuid AS "us""er", ts AS "at %s", kind, amount, row_number() OVER () AS "i'd" FROM churn_simulate(200, 120, 9);
ALTER TABLE "Odd ""schema'"."Ev'ents" OWNER TO churn_s_owner;
GRANT INSERT, SELECT ON churn_models TO churn_s_owner;
SET ROLE churn_s_owner;
SELECT churn_create_study('st%L "u"dy''', '60 days', key_kinds => '{order}', windows => '{7,30,90}', schema => 'Odd "schema''') \g /dev/null
SELECT churn_add_source('st%L "u"dy''', '"Odd ""schema''"."Ev''ents"', 'us"er', 'at %s', 'amount', kind_column => 'kind', growing_column => 'i''d') \g /dev/null
RESET ROLE;
SET row_security = off;
INSERT INTO churn_models (study, version, status, model, band_cutoffs, metrics, created_by) SELECT 'st%L "u"dy''', 1, 'champion', model, band_cutoffs, metrics, created_by FROM churn_models m WHERE m.study = 'shop' AND version = 1;
RESET row_security;
SET churn.today = '2023-04-20';
SET ROLE churn_s_member;
CALL churn_refresh('st%L "u"dy''');
INSERT INTO "Odd ""schema'"."Ev'ents" SELECT "us""er", "at %s" - interval '20 days', kind, amount, "i'd" + 100000 FROM "Odd ""schema'"."Ev'ents" WHERE "i'd" % 5 = 0;
CALL churn_refresh('st%L "u"dy''');
SELECT is(differ('st%L "u"dy'''), 0::bigint, 'names that need quotes; a member refreshes');
SELECT is(churn_rebuild('st%L "u"dy''', (SELECT array_agg(user_id) FROM (SELECT user_id FROM "Odd ""schema'"."st%L ""u""dy'_history" LIMIT 3) x)), 3::bigint, 'and rebuilds, by keys in their own type');
RESET ROLE;
SELECT is((SELECT tableowner::text FROM pg_tables WHERE tablename = 'st%L "u"dy''_history'), 'churn_s_owner', 'the owner''s table');
SET ROLE churn_s_stranger;
SELECT throws_ok($$CALL churn_refresh('st%L "u"dy''')$$, '42501', NULL, 'a stranger cannot refresh');
SELECT throws_ok($$SELECT churn_rebuild('st%L "u"dy''')$$, '42501', NULL, 'nor rebuild');
SELECT is((SELECT count(*) FROM churn_histories) + (SELECT count(*) FROM churn_watermarks), 0::bigint, 'nor see how far it is');
SELECT throws_ok($$INSERT INTO churn_histories VALUES ('shop2', '', 1, '2023-01-01', 1, 1)$$, '42501', NULL, 'nor say so');
SELECT throws_ok($$SELECT * FROM "Odd ""schema'"."st%L ""u""dy'_history"$$, '42501', NULL, 'nor read the histories');
RESET ROLE;
SELECT throws_ok($$SELECT churn_add_source('ids', 'stream', 'user_id', 'ts', kind => 'x', growing_column => 'kind')$$, '42804', NULL, 'a growing column of text');
SELECT throws_ok($$SELECT churn_add_source('ids', 'stream', 'user_id', 'ts', kind => 'x', growing_column => 'no')$$, '42703', NULL, 'no such column');
SELECT churn_drop_study('st%L "u"dy''') \g /dev/null
SELECT is(to_regclass('"Odd ""schema''"."st%L ""u""dy''_history"'), NULL, 'the table goes with the study');
SELECT is((SELECT array_agg(relname::text) FROM pg_class WHERE relname ~ '_(staging|scoring|late)$'), NULL, 'no staging table is left');
DROP OWNED BY churn_s_owner, churn_s_member, churn_s_stranger; DROP ROLE churn_s_owner, churn_s_member, churn_s_stranger;
SELECT * FROM finish();
