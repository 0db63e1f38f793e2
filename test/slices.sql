-- Slices: each is churn_evaluate over its users; a profile joined by key; what
-- cannot be measured says so; the expressions run with the owner's rights.
\set ECHO none
SET client_min_messages = error;
SELECT no_plan();

CREATE TABLE shop AS SELECT user_id, ts, kind, amount FROM churn_simulate(2200, 280, 3, late_arrivals => false);
SELECT max(ts)::date AS today FROM shop WHERE ts < '2023-10-08' \gset
SET churn.today = :'today';
SELECT churn_create_study('shop', '60 days', key_kinds => '{order}', windows => '{7,30}') \g /dev/null
CREATE TABLE people (id bigint PRIMARY KEY, country text, stage text, "odd ""name" int, score int, note json);
INSERT INTO people SELECT u, (ARRAY['DE', 'FR', NULL])[1 + u % 3], 'profile stage', u % 2, u, '{}' FROM generate_series(1, 2200) u;
SELECT throws_ok($$SELECT churn_set_profile('shop', 'people', 'id')$$, '55000', 'study "shop" has no source yet');
SELECT churn_add_source('shop', 'shop', 'user_id', 'ts', 'amount', kind_column => 'kind') \g /dev/null
SELECT churn_train('shop', options => '{"c": 0.001}') \g /dev/null
CREATE TABLE test AS SELECT s.*, churn_predict(m.model, s.features) AS p, f.order_recency FROM shop_snapshots s JOIN shop_features f USING (user_id, as_of), churn_models m WHERE s.purpose = 'test';

CREATE FUNCTION wrong(expression text, minimum_n int DEFAULT 1) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	bad text;
BEGIN
	EXECUTE format($f$SELECT string_agg(coalesce(s.value, 'NULL'), ',') FROM churn_slices('shop', 1, ARRAY[%L], %s) s
		FULL JOIN (SELECT (%s)::text AS value, churn_evaluate(p, churned) AS x FROM test LEFT JOIN people ON id = user_id GROUP BY 1) w ON coalesce(w.value, '-') = coalesce(s.value, '-')
		WHERE (s.n, s.churners, s.base_rate, s.mean_score) IS DISTINCT FROM ((x).n, (x).churners, (x).base_rate, (x).mean_score)
		OR (s.note IS NULL AND (s.auc, s.auc_lower, s.auc_upper, s.calibration_intercept, s.calibration_slope, s.log_loss) IS DISTINCT FROM ((x).auc, (x).auc_lower, (x).auc_upper, (x).calibration_intercept, (x).calibration_slope, (x).log_loss))
		OR (s.note IS NULL) <> ((x).n >= %2$s AND least((x).churners, (x).n - (x).churners) >= 10)$f$, expression, minimum_n, regexp_replace(expression, '^score', 'p')) INTO bad;
	RETURN bad;
END $$;
CREATE TABLE by_stage AS SELECT *, row_number() OVER () AS line FROM churn_slices('shop', 1);
SELECT is((SELECT string_agg(value, ',' ORDER BY value) FROM by_stage), 'new,repeat,returned', 'by stage unless said otherwise');
SELECT is((SELECT sum(n) FROM by_stage), (SELECT count(*)::numeric FROM test), 'every user is in one');
SELECT ok(bool_and(s.auc = (x).auc AND s.auc_lower = (x).auc_lower AND s.n = (x).n AND s.calibration_slope = (x).calibration_slope AND s.log_loss = (x).log_loss AND s.mean_score = (x).mean_score), 'figures of churn_evaluate over the same users')
FROM by_stage s JOIN (SELECT stage, churn_evaluate(p, churned) AS x FROM test GROUP BY 1) t ON t.stage = s.value;
SELECT is(wrong(e), NULL, 'by ' || e) FROM unnest(ARRAY['key_days', 'order_recency > 20', 'recency / 10', 'score > .5', 'CASE WHEN user_id % 2 = 0 THEN ''even'' END']) e;
SELECT ok(array_agg(line ORDER BY note IS NOT NULL, auc) = array_agg(line ORDER BY line), 'the worst first') FROM (SELECT *, row_number() OVER () AS line FROM churn_slices('shop', 1, ARRAY['key_days', 'stage'])) s;
SELECT is((SELECT string_agg(DISTINCT slice, ',' ORDER BY slice) FROM churn_slices('shop', 1, ARRAY['stage', 'key_days > 1', 'stage'])), 'key_days > 1,stage', 'several at once, each once');
SELECT is(wrong('key_days', 60), NULL, 'least number of users');
SELECT ok(bool_or(note = 'not measurable: fewer than 60 users') AND bool_and(note IS NULL OR (auc IS NULL AND auc_lower IS NULL AND calibration_slope IS NULL)), 'below it: not measurable') FROM churn_slices('shop', 1, ARRAY['key_days'], 60);
SELECT is((SELECT string_agg(DISTINCT note, ',') FROM churn_slices('shop', 1, ARRAY['churned'])), 'not measurable: fewer than 10 users of one outcome', 'one outcome only');
SELECT is((SELECT count(*) || ' ' || sum(n) FROM churn_slices('shop', 1, ARRAY['user_id'])), '101 ' || (SELECT count(*) FROM test), 'a value a user: the hundred largest, the others together');

-- ---- a profile ----
SELECT churn_set_profile('shop', 'people', 'id') \g /dev/null
SELECT is(wrong(e), NULL, 'by ' || e) FROM unnest(ARRAY['country', '"odd ""name"', 'country IS NULL', 'country || "odd ""name"']) e;
SELECT is((SELECT string_agg(DISTINCT value, ',') FROM churn_slices('shop', 1, ARRAY['profile_stage'])), 'profile stage', 'a name that the snapshot has comes as profile_name');
SELECT is((SELECT sum(n) FROM churn_slices('shop', 1, ARRAY['stage'])), (SELECT count(*)::numeric FROM test), 'and does not hide the snapshot''s own');
SELECT churn_set_target('shop', 'n', '>=', (SELECT count(*) FROM test JOIN people ON id = user_id WHERE country = 'DE'), slice => 'country = ''DE''', minimum_n => 1) \g /dev/null
SELECT is((SELECT pass FROM churn_verdict('shop', 1)), true, 'a target on a slice by profile');
DELETE FROM people WHERE id % 2 = 0;
SELECT is((SELECT sum(n) FROM churn_slices('shop', 1, ARRAY['country'])), (SELECT count(*)::numeric FROM test), 'users without a profile are there, under NULL');
CREATE VIEW twice AS SELECT * FROM people UNION ALL SELECT * FROM people;
SELECT churn_set_profile('shop', 'twice', 'id') \g /dev/null
SELECT throws_ok($$SELECT churn_slices('shop', 1)$$, '21000', 'the profile of study "shop" has more than one row for some users');
SELECT matches((SELECT reason FROM churn_verdict('shop', 1, again => true)), '^not measurable: the profile of study "shop" has more than one row', 'a target on it is not measurable');
DROP VIEW twice;
SELECT throws_ok($$SELECT churn_slices('shop', 1)$$, '42P01', 'profile "public.twice" of study "shop" does not exist');
SELECT lives_ok($$SELECT churn_train('shop', snapshots => 1, options => '{"c": 0.01}')$$, 'training goes on without it');
SELECT matches((SELECT gate FROM churn_models WHERE version = 2), 'country = ''DE'': .* not measurable: profile "public.twice" .* does not exist', 'and says what could not be measured');
SELECT throws_ok(statement, state, NULL, statement) FROM (VALUES
	('SELECT churn_set_profile(''shop'', ''people'', ''ident'')', '42703'), ('SELECT churn_set_profile(''shop'', ''people'', ''country'')', '42804'), ('SELECT churn_set_profile(''shop'', NULL, ''id'')', '22004'),
	('SELECT churn_set_profile(''shop'', ''people'', NULL)', '22004'), ('SELECT churn_set_profile(''shop'', ''people'', ''note'')', '42883'), ('SELECT churn_set_profile(''none'', ''people'', ''id'')', '42704'),
	('SELECT churn_set_profile(''shop'', ''people_pkey'', ''id'')', '42809')) v (statement, state);
SELECT lives_ok($$SELECT churn_drop_profile('shop')$$, 'drop the profile');
CREATE VIEW shop_judging AS SELECT 1 AS mine;
SELECT throws_ok($$SELECT churn_slices('shop', 1)$$, '42P07', 'relation public.shop_judging is in the way');
SELECT matches((SELECT reason FROM churn_verdict('shop', 1, again => true)), 'relation public.shop_judging is in the way', 'a target on a slice is not measurable');
SELECT is((SELECT mine FROM shop_judging), 1, 'somebody else''s view stays');
DROP VIEW shop_judging;
SELECT throws_ok($$SELECT churn_drop_profile('shop')$$, '42704', 'study "shop" has no profile');

-- ---- expressions that are none ----
SELECT throws_ok(format('SELECT churn_slices(''shop'', 1, ARRAY[%L])', bad), state, NULL, bad) FROM (VALUES
	('', '42601'), ('stage) FROM pg_class --', '42601'), ('1; DROP TABLE shop', '42601'), ('count(*)', '42803'), ('colour', '42703'), ('nofunction(stage)', '42883'),
	('generate_series(1, 2)', '0A000'), ('1 / (recency - recency)', '22012'), ('row_number() OVER ()', '42P20'), ('stage, recency', '42601')) v (bad, state);
SELECT throws_ok('SELECT churn_slices(' || bad || ')', state, NULL, bad) FROM (VALUES ('''shop'', 1, ''{}''', '22023'), ('''shop'', 1, ''{NULL}''', '22023'), ('''shop'', 1, minimum_n => 0', '22023'), ('''shop'', 1, minimum_n => NULL', '22023'),
	('''shop'', 9', '42704'), ('''shop'', NULL', '42704'), ('''none'', 1', '42704'), ('NULL, 1', '22004')) v (bad, state);
SELECT ok(to_regclass('shop') IS NOT NULL, 'the table is still there');
SELECT is((SELECT array_agg(relname::text) FROM pg_class WHERE relname ~ '^shop_(judg|stag)'), NULL, 'nothing is left behind');

-- ---- rights ----
DROP ROLE IF EXISTS churn_l_owner, churn_l_member, churn_l_stranger;
CREATE ROLE churn_l_owner; CREATE ROLE churn_l_stranger; CREATE ROLE churn_l_member IN ROLE churn_l_owner;
GRANT ALL ON SCHEMA public TO churn_l_owner;
GRANT SELECT ON shop TO churn_l_owner;
SELECT format('ALTER %s %s OWNER TO churn_l_owner', CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, oid::regclass) FROM pg_class WHERE relname ~ '^shop_' AND relkind IN ('r', 'v') \gexec
UPDATE churn_studies SET owner = 'churn_l_owner';
CREATE FUNCTION whoami() RETURNS text LANGUAGE sql AS 'SELECT current_user::text';
SELECT is((SELECT value FROM churn_slices('shop', 2, ARRAY['whoami()'])), 'churn_l_owner', 'a superuser''s expression runs as the owner');
SELECT throws_ok($$SELECT churn_set_profile('shop', 'people', 'id')$$, '42501', NULL, 'a profile that the owner may not read');
SET ROLE churn_l_member;
SELECT isnt_empty($$SELECT * FROM churn_slices('shop', 2)$$, 'a member');
SET ROLE churn_l_stranger;
SELECT throws_ok(statement, '42501', 'permission denied for study "shop"', 'a stranger: ' || statement) FROM unnest(ARRAY['SELECT churn_slices(''shop'', 2)', 'SELECT churn_set_profile(''shop'', ''people'', ''id'')', 'SELECT churn_drop_profile(''shop'')']) statement;
SELECT throws_ok($$INSERT INTO churn_profiles VALUES ('shop', 'public', 'people', 'id')$$, '42501', NULL, 'nor by hand');
RESET ROLE;
SELECT churn_drop_study('shop', true) \g /dev/null
DROP OWNED BY churn_l_owner; DROP ROLE churn_l_member, churn_l_owner, churn_l_stranger;
SELECT * FROM finish();
