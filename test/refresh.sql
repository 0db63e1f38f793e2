-- churn_refresh: bands with hysteresis, what is kept and what leaves, rights
-- of a reader, nothing left behind, the parallel plan with the serial bits.
\set ECHO none
SET client_min_messages = error;
SELECT no_plan();

-- ---- churn_band ----
SELECT is(churn_band(score, '{.3,.5,.8}'), band, 'band of ' || score) FROM (VALUES
	(0::float8, 'low'), (.2999, 'low'), (.3, 'medium'), (.4999, 'medium'), (.5, 'high'), (.8, 'critical'), (1, 'critical')) v (score, band);
SELECT is(churn_band(score, '{.3,.5,.8}', previous), band, previous || ' at ' || score) FROM (VALUES
	('low', .3::float8, 'low'), ('low', .3199, 'low'), ('low', .3201, 'medium'), ('low', .9, 'critical'),
	('medium', .29, 'medium'), ('medium', .2799, 'low'), ('medium', .5199, 'medium'), ('medium', .5201, 'high'), ('medium', .1, 'low'),
	('high', .49, 'high'), ('high', .4799, 'medium'), ('high', .8199, 'high'), ('high', .8201, 'critical'),
	('critical', .79, 'critical'), ('critical', .7799, 'high'), ('critical', 0, 'low'), ('unheard of', .6, 'high')) v (previous, score, band);
SELECT is(churn_band(NULL, '{.3,.5,.8}', 'low'), NULL, 'no score, no band');
SELECT is(count(*), 0::bigint, 'without a band before, and far from every cut-off, the same')
FROM generate_series(0, 1000) i WHERE churn_band(i / 1000.0, '{.3,.5,.8}', NULL) <> churn_band(i / 1000.0, '{.3,.5,.8}');

-- ---- a shop ----
CREATE TABLE shop AS SELECT user_id, ts, kind, amount FROM churn_simulate(2500, 300, 3, late_arrivals => false);
SELECT max(ts)::date - 20 AS today FROM shop \gset
SET churn.today = :'today';
SELECT churn_create_study('shop', '60 days', key_kinds => '{order}', windows => '{7,30,90}', holdout_share => .2) \g /dev/null
SELECT throws_ok('CALL churn_refresh(''shop'')', '55000', 'study "shop" has no champion');
SELECT churn_add_source('shop', 'shop', 'user_id', 'ts', 'amount', kind_column => 'kind') \g /dev/null
SELECT churn_train('shop', options => '{"c": 0.001, "encoding": "linear"}') \g /dev/null
SELECT throws_ok('CALL churn_refresh(NULL)', '22004', 'study must not be null');
SELECT throws_ok('CALL churn_refresh(''none'')', '42704', 'study "none" does not exist');
SELECT throws_ok(format('CALL churn_refresh(''shop'', %L)', d), '22023', NULL, 'as_of ' || d) FROM unnest(ARRAY[(:'today'::date + 1)::text, 'infinity', '-infinity']) d;
SELECT is((SELECT count(*) FROM shop_scores), 0::bigint, 'nothing was written by all that');

-- What a score's row must say, in plain SQL.
CREATE FUNCTION want(day date) RETURNS TABLE (user_id bigint, score float8, percentile float8, stage text, value float8, next_day date, reasons text[]) LANGUAGE sql AS $$
	SELECT user_id, score, 100 * cume_dist() OVER (ORDER BY score), (s).stage, (s).value, (s).next_day, reasons
	FROM (SELECT h.user_id, churn_predict(m.model, h.h, day) AS score, churn_standing(h.h, day, churn_model_spec(m.model), 60) AS s, churn_reasons(m.model, h.h, day, 3) AS reasons
		FROM (SELECT e.user_id, churn_history(ts, kind, amount, churn_spec()) AS h FROM shop e WHERE ts < current_setting('churn.today')::date + 1 GROUP BY 1) h,
			(SELECT model FROM churn_models WHERE study = 'shop' AND status = 'champion') m OFFSET 0) x
	WHERE (s).at_risk
$$;
CALL churn_refresh('shop');
SELECT is((SELECT count(*) FROM want(:'today') w JOIN shop_scores s USING (user_id, score, percentile, stage, reasons)
	WHERE (s.value, s.next_day) IS NOT DISTINCT FROM (w.value, w.next_day)), (SELECT count(*) FROM shop_scores), 'score, percentile, stage, reasons, value and next_day');
SELECT is((SELECT count(*) FROM shop_scores), (SELECT count(*) FROM want(:'today')), 'everybody at risk, nobody else');
SELECT cmp_ok((SELECT count(*) FROM shop_scores), '>', 700::bigint, 'that is many');
SELECT is((SELECT count(*) FROM shop_scores, churn_models m WHERE status = 'champion' AND (band <> churn_band(score, band_cutoffs) OR band_since <> :'today' OR as_of <> :'today' OR previous_score IS NOT NULL OR model_version <> 1)), 0::bigint, 'first refresh: plain bands, since today, no score before');
SELECT is((SELECT count(*) FROM shop_scores WHERE value_at_risk IS DISTINCT FROM score * value), 0::bigint, 'value at risk is score times value');
SELECT is((SELECT count(DISTINCT band) FROM shop_scores), 4::bigint, 'all bands occur');
SELECT is((SELECT array_agg(c) FROM (SELECT band_cutoffs FROM churn_models) m, unnest(band_cutoffs) c), (SELECT array_agg(c ORDER BY c) FROM churn_models, unnest(band_cutoffs) c), 'cut-offs ascend');
SELECT ok(abs(avg(holdout::int) - .2) < .05, 'hold-out share') FROM shop_scores;
SELECT is((SELECT count(*) FROM shop_scores WHERE holdout <> (churn_key_share(user_id::text, 'holdout shop') < .2)), 0::bigint, 'hold-out by the key''s hash');
SELECT is((SELECT count(*) FROM shop_score_log), (SELECT count(*) FROM shop_scores), 'the log is begun');
SELECT is((SELECT array_agg(relname::text) FROM pg_class WHERE relname ~ '^shop_(staging|scoring)'), NULL, 'no staging table is left');

-- ---- the same day again ----
CREATE TABLE once AS SELECT * FROM shop_scores;
CALL churn_refresh('shop');
SELECT set_eq('SELECT * FROM shop_scores', 'SELECT * FROM once', 'a second refresh of the day changes nothing');
SELECT is((SELECT count(*) FROM shop_score_log), (SELECT count(*) FROM once), 'nor the log');

-- ---- eight days on ----
SELECT :'today'::date + 8 AS later, :'today'::date + 3 AS soon \gset
SET churn.today = :'soon';
CALL churn_refresh('shop');
SELECT is((SELECT count(*) FROM shop_score_log), (SELECT count(*) FROM once), 'three days later: the log waits for a week');
CREATE TABLE twice AS SELECT * FROM shop_scores;
SET churn.today = :'later';
CALL churn_refresh('shop');
SELECT set_eq('SELECT user_id FROM shop_scores', format('SELECT user_id FROM want(%L)', :'later'), 'who leaves the risk group leaves the table, who joins it joins');
SELECT ok(EXISTS (SELECT FROM twice WHERE user_id NOT IN (SELECT user_id FROM shop_scores)) AND EXISTS (SELECT FROM shop_scores WHERE user_id NOT IN (SELECT user_id FROM twice)), 'both happened');
SELECT is((SELECT count(*) FROM shop_scores s JOIN twice t USING (user_id), churn_models m WHERE s.band <> churn_band(s.score, m.band_cutoffs, t.band)
	OR s.band_since <> CASE WHEN s.band = t.band THEN t.band_since ELSE :'later'::date END OR s.previous_score IS DISTINCT FROM t.score), 0::bigint, 'band by the band before, band_since, previous_score');
SELECT is((SELECT count(*) FROM shop_scores s LEFT JOIN twice t USING (user_id) WHERE t.user_id IS NULL AND (s.previous_score IS NOT NULL OR s.band_since <> :'later')), 0::bigint, 'who is new has no score before');
SELECT ok(EXISTS (SELECT FROM shop_scores, churn_models WHERE band <> churn_band(score, band_cutoffs)), 'somebody is held in their band');
SELECT is((SELECT count(*) FROM shop_scores s JOIN once o USING (user_id) WHERE s.holdout <> o.holdout), 0::bigint, 'the hold-out is who it was');
SELECT is((SELECT array_agg(DISTINCT as_of ORDER BY as_of) FROM shop_score_log), ARRAY[:'today', :'later']::date[], 'the log holds both weeks');
SELECT is((SELECT count(*) FROM shop_score_log l JOIN once o USING (user_id) WHERE l.as_of = :'today' AND l.score = o.score AND l.holdout = o.holdout AND l.model_version = 1), (SELECT count(*) FROM once), 'as the scores were given');
CREATE TABLE third AS SELECT * FROM shop_scores;
CALL churn_refresh('shop');
SELECT set_eq('SELECT * FROM shop_scores', 'SELECT * FROM third', 'repeated: score before and band are those of the day before');

-- ---- a past date; a new champion ----
CALL churn_refresh('shop', :'today');
SELECT is((SELECT count(*) FROM shop_scores s JOIN once o USING (user_id, score) WHERE s.as_of = :'today' AND s.band_since <= s.as_of), (SELECT count(*) FROM once), 'a past date: the scores of that morning');
CALL churn_refresh('shop');
SELECT churn_train('shop', snapshots => 1, options => '{"c": 0.1, "encoding": "linear"}') \g /dev/null
SELECT churn_promote('shop', 2, force => true, reason => 'whatever it is worth') \g /dev/null
CALL churn_refresh('shop');
SELECT is((SELECT array_agg(DISTINCT model_version) FROM shop_scores), '{2}', 'a new champion scores');
SELECT is((SELECT array_agg(DISTINCT model_version ORDER BY model_version) FROM shop_score_log WHERE as_of = :'later'), '{1,2}', 'and is logged at once');

-- ---- what fails leaves what was there ----
CREATE TABLE good AS SELECT * FROM shop_scores;
INSERT INTO shop VALUES (1, :'later', 'order', 'NaN');
SELECT throws_ok('CALL churn_refresh(''shop'')', NULL, NULL, 'an amount of NaN stops the refresh');
SELECT set_eq('SELECT * FROM shop_scores', 'SELECT * FROM good', 'the scores are what they were');
SELECT is((SELECT array_agg(relname::text) FROM pg_class WHERE relname ~ '^shop_(staging|scoring)'), NULL, 'after an error no staging table is left');
DELETE FROM shop WHERE amount = 'NaN';
CREATE TABLE shop_scoring (mine int);
SELECT throws_ok('CALL churn_refresh(''shop'')', '42P07', 'table public.shop_scoring is in the way');
SELECT is((SELECT count(*) FROM shop_scoring), 0::bigint, 'somebody else''s table stays');
DROP TABLE shop_scoring;
BEGIN;
UPDATE shop SET amount = 9 WHERE user_id < 900;
CALL churn_refresh('shop');
SELECT isnt_empty('SELECT * FROM shop_scores EXCEPT SELECT * FROM good', 'inside a transaction');
ROLLBACK;
SELECT set_eq('SELECT * FROM shop_scores', 'SELECT * FROM good', 'its rollback takes the scores back');
SELECT lives_ok('DO $d$ BEGIN CALL churn_refresh(''shop''); END $d$', 'called from PL/pgSQL');

-- ---- hold-out: equal keys, however they are written, are drawn alike ----
CREATE EXTENSION citext;
CREATE VIEW keyed AS SELECT (CASE WHEN extract(minute FROM ts) < 30 THEN 'User ' ELSE 'uSER ' END || user_id)::citext AS who, ts, kind, amount FROM shop;
SELECT churn_create_study('ci', '60 days', key_kinds => '{order}', windows => '{7,30,90}', holdout_share => .5) \g /dev/null
SELECT churn_add_source('ci', 'keyed', 'who', 'ts', 'amount', kind_column => 'kind') \g /dev/null
SET row_security = off; -- as pg_dump writes a champion back
INSERT INTO churn_models (study, version, status, model, band_cutoffs, metrics, created_by) SELECT 'ci', 1, 'champion', model, band_cutoffs, metrics, created_by FROM churn_models WHERE version = 1;
RESET row_security;
CALL churn_refresh('ci');
SELECT is((SELECT count(*) FROM ci_scores WHERE holdout <> (churn_key_share(lower(user_id::text), 'holdout ci') < .5)), 0::bigint, 'citext: hold-out by the form that equal keys share');
SELECT is((SELECT count(*) FROM ci_scores), (SELECT count(DISTINCT who) FROM keyed JOIN ci_scores ON user_id = who), 'citext: a row a user');
SELECT is((SELECT count(*) FROM (SELECT * FROM ci_scores ORDER BY md5(user_id::text) LIMIT 20) s WHERE score IS DISTINCT FROM churn_score(upper(user_id::text), 'ci', :'later')), 0::bigint, 'citext: live equals batch');
CREATE TABLE ci_once AS SELECT * FROM ci_scores;
CALL churn_refresh('ci');
SELECT is((SELECT count(*) FROM ci_scores JOIN ci_once USING (user_id, score, holdout)), (SELECT count(*) FROM ci_once), 'citext: refreshed again, the same');

-- ---- a reader with nothing but SELECT on the view ----
DROP ROLE IF EXISTS churn_r_reader;
CREATE ROLE churn_r_reader;
GRANT SELECT ON shop_churn TO churn_r_reader;
SET ROLE churn_r_reader;
SELECT is((SELECT count(*) FROM shop_churn), (SELECT n FROM (SELECT count(*) AS n FROM shop_churn) x), 'a plain GRANT SELECT is enough for the view');
SELECT isnt_empty($$SELECT user_id, as_of, score, percentile, band, band_since, previous_score, stage, reasons, value, value_at_risk, next_day, holdout, model_version FROM shop_churn WHERE band = 'critical' ORDER BY value_at_risk DESC NULLS LAST$$, 'its columns');
SELECT throws_ok('SELECT * FROM shop_scores', '42501', NULL, 'but not for the table');
SELECT throws_ok('CALL churn_refresh(''shop'')', '42501', 'permission denied for study "shop"');
RESET ROLE;
REVOKE ALL ON shop_churn FROM churn_r_reader; DROP ROLE churn_r_reader;

-- ---- parallel ----
SELECT 'CREATE TABLE serial AS ' || churn_event_histories_sql(s, :'later') AS build FROM churn_studies s WHERE study = 'shop' \gset
SET max_parallel_workers_per_gather = 0;
:build;
SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
ANALYZE shop;
CREATE FUNCTION plan_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	plan text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || statement LOOP
		plan := plan || line || E'\n';
	END LOOP;
	RETURN plan;
END $$;
SELECT matches(plan_of(replace(:'build', 'CREATE TABLE serial', 'CREATE TABLE parallel')), 'Gather.*Partial (Hash|Group)Aggregate', 'histories are built by a parallel plan');
SELECT replace(:'build', 'CREATE TABLE serial', 'CREATE TABLE parallel') AS build \gset
:build;
SELECT is((SELECT count(*) FROM serial JOIN parallel USING (user_id) WHERE serial.history::text = parallel.history::text AND serial.history = parallel.history), (SELECT count(*) FROM serial), 'with the bits of the serial one');
CREATE TABLE before_ AS SELECT * FROM shop_scores;
CALL churn_refresh('shop');
SELECT set_eq('SELECT * FROM shop_scores', 'SELECT * FROM before_', 'and so are the scores');
SELECT * FROM finish();
