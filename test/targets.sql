-- Targets and verdicts: what may be asked, what is measured, that every figure
-- is that of plain SQL over the test rows, who may ask.
\set ECHO none
SET client_min_messages = error;
SELECT no_plan();

CREATE FUNCTION error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
	detail text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT, detail = PG_EXCEPTION_DETAIL;
	RETURN SQLSTATE || ' ' || SQLERRM || ' | ' || detail || ' | ' || hint;
END $$;

CREATE TABLE shop AS SELECT user_id, ts, kind, amount FROM churn_simulate(2200, 280, 3, late_arrivals => false);
SELECT max(ts)::date AS today FROM shop WHERE ts < '2023-10-08' \gset
SET churn.today = :'today';
SELECT churn_create_study('shop', '60 days', key_kinds => '{order}', windows => '{7,30}') \g /dev/null

-- ---- what may be asked ----
SELECT throws_ok('SELECT churn_set_target(''shop'', ' || bad || ')', state, NULL, bad) FROM (VALUES
	('''auk'', ''>'', .7', '22023'), ('NULL, ''>'', .7', '22023'), ('''AUC'', ''>'', .7', '22023'), ('''auc(1)'', ''>'', .7', '22023'), ('''recall_at'', ''>'', .7', '22023'),
	('''recall_at()'', ''>'', .7', '22023'), ('''recall_at(0)'', ''>'', .7', '22023'), ('''recall_at(-1)'', ''>'', .7', '22023'), ('''recall_at(1.5)'', ''>'', .7', '22023'),
	('''recall_at(0.0)'', ''>'', .7', '22023'), ('''lift_at(10)'', ''>'', .7', '22023'), ('''recall_at(1e3)'', ''>'', .7', '22023'), ('''recall_at(9999999999)'', ''>'', .7', '22023'),
	('''auc; drop'', ''>'', .7', '22023'), ('''auc'', ''='', .7', '22023'), ('''auc'', NULL, .7', '22023'), ('''auc'', ''>'', NULL', '22023'), ('''auc'', ''>'', ''NaN''', '22023'),
	('''auc'', ''>'', ''infinity''', '22023'), ('''auc'', ''>'', .7, minimum_n => 0', '22023'), ('''auc'', ''>'', .7, minimum_n => NULL', '22023'), ('''psi'', ''<'', .1, on_lower_bound => true', '22023'),
	('''auc_drop'', ''<'', .1, slice => ''true''', '22023'), ('''auc'', ''>'', .7, slice => ''a) OR (b''', '42601'), ('''auc'', ''>'', .7, slice => ''true; DROP TABLE shop''', '42601'),
	('''auc'', ''>'', .7, slice => ''''', '42601'), ('''auc'', ''>'', .7, slice => ''1''', '42804')) v (bad, state);
SELECT matches(error_of($$SELECT churn_set_target('shop', 'auk', '>', .7)$$), '^22023 no metric "auk" .*The metrics are auc, auc_over_recency, .*recall_at\(1000\), .*, empc_share\.$', 'the metrics are listed');
SELECT throws_ok($$SELECT churn_set_target('none', 'auc', '>', .7)$$, '42704', 'study "none" does not exist');
SELECT throws_ok($$SELECT churn_set_target(NULL, 'auc', '>', .7)$$, '22004', NULL, 'no study');
SELECT is((SELECT count(*) FROM churn_targets), 0::bigint, 'none of these was kept');
SELECT is(churn_set_target('shop', 'auc', '>=', .7), 1, 'a target; its number');
SELECT is(churn_set_target('shop', ' recall_at( 0.10 ) ', '>=', .1, slice => 'stage = ''new'''), 2, 'another');
SELECT is(churn_set_target('shop', 'auc', '>', .6, minimum_n => 9, on_lower_bound => true), 1, 'the same metric and direction: replaced');
SELECT is(churn_set_target('shop', 'auc', '<', .95), 3, 'from above: another');
SELECT is((SELECT string_agg(concat_ws(' ', target, metric, comparison, bound, slice, minimum_n, on_lower_bound), '; ' ORDER BY target) FROM churn_targets),
	'1 auc > 0.6 9 t; 2 recall_at(0.1) >= 0.1 stage = ''new'' 200 f; 3 auc < 0.95 200 f', 'as they were said');
SELECT throws_ok($$SELECT churn_drop_target('shop', 7)$$, '42704', 'study "shop" has no target 7');
SELECT lives_ok(format('SELECT churn_drop_target(''shop'', %s)', t), 'drop ' || t) FROM generate_series(1, 3) t;

-- ---- the default gate ----
SELECT churn_add_source('shop', 'shop', 'user_id', 'ts', 'amount', kind_column => 'kind') \g /dev/null
CREATE TABLE first AS SELECT * FROM churn_train('shop', options => '{"c": 0.001}');
SELECT is((SELECT ROW(status, gate)::text FROM first), '(champion,)', 'past the default gate');
CREATE TABLE judged AS SELECT * FROM churn_verdict('shop', 1);
SELECT is((SELECT string_agg(target || ' ' || asked, '; ') FROM judged), 'rarer_class >= 200; auc > 0.5 on its lower bound; auc_over_baseline > -0.01 on its lower bound', 'which asks three things');
CREATE TABLE test AS SELECT s.*, churn_predict(m.model, s.features) AS score FROM shop_snapshots s, churn_models m WHERE s.purpose = 'test';
SELECT is((SELECT measured FROM judged WHERE target = 'rarer_class'), (SELECT least(count(*) FILTER (WHERE churned), count(*) FILTER (WHERE NOT churned))::float8 FROM test), 'the rarer class');
SELECT is((SELECT ROW(measured, lower, upper) FROM judged WHERE target = 'auc'), (SELECT ROW((x).auc, (x).lower, (x).upper) FROM (SELECT churn_auc_ci(score, churned) AS x FROM test) t), 'AUC and interval are those of plain SQL');
SELECT is((SELECT ROW(measured, lower, upper) FROM judged WHERE target = 'auc_over_baseline'), (SELECT ROW((x).difference, (x).lower, (x).upper) FROM (SELECT churn_auc_test(score, recency::float8, churned) AS x FROM test
	UNION ALL SELECT churn_auc_test(score, -key_days::float8, churned) FROM test) t ORDER BY (x).difference LIMIT 1), 'and so is the paired difference to the better baseline');
SELECT is((SELECT DISTINCT ROW(test_date, looks)::text FROM judged), (SELECT format('(%s,1)', test_date) FROM first), 'one look at the test date: the training');
SELECT is((SELECT count(*) FROM churn_verdicts), 3::bigint, 'asked again, nothing is measured again');
SELECT is((SELECT DISTINCT looks FROM churn_verdict('shop', 1, again => true)), 2, 'measured again: a second look');
SELECT is((SELECT count(*) FROM churn_verdicts), 6::bigint, 'which is added');
SELECT is((SELECT count(DISTINCT fingerprint) FROM churn_verdicts), 1::bigint, 'on the same rows');
SELECT is((SELECT DISTINCT fingerprint FROM churn_verdicts), (SELECT md5(count(*) || ' ' || sum(churn_key_hash(concat_ws('|', as_of - date '2000-01-01', churned::int, user_id), 'fingerprint'))) FROM test), 'whose fingerprint is a hash over user, date and outcome');

-- ---- every metric, against plain SQL ----
SELECT churn_set_target('shop', m.metric || CASE m.argument WHEN 'share' THEN '(.2)' WHEN 'users or share' THEN '(100)' ELSE '' END, '>=', -1e6) FROM churn_target_metrics() m \g /dev/null
SELECT churn_set_target('shop', 'precision_at(.05)', '>=', 0), churn_set_target('shop', 'recall_at(100000)', '>=', 1) \g /dev/null
CREATE TABLE all_metrics AS SELECT * FROM churn_verdict('shop', 1);
SELECT is((SELECT count(*) FROM all_metrics WHERE pass), (SELECT count(*) + 2 FROM churn_target_metrics()), 'every metric can be measured');
CREATE TABLE wanted AS SELECT e.key AS target, (e.value #>> '{}')::float8 AS want FROM (SELECT churn_evaluate(score, churned) AS x FROM test) t, jsonb_each(to_jsonb(t.x)) e;
INSERT INTO wanted SELECT v.* FROM (SELECT churn_recall_at(score, churned, 100) AS r, churn_precision_at(score, churned, 100) AS p, churn_precision_at(score, churned, .05) AS s, churn_lift(score, churned, .2) AS l FROM test) t,
	LATERAL (VALUES ('recall_at(100)', r), ('precision_at(100)', p), ('precision_at(0.05)', s), ('lift_at(0.2)', l), ('recall_at(100000)', 1)) v;
INSERT INTO wanted SELECT 'psi', churn_psi(churn_predict(m.model, s.features), purpose = 'test') FROM shop_snapshots s, churn_models m WHERE as_of IN (SELECT max(as_of) FROM shop_snapshots GROUP BY purpose);
INSERT INTO wanted SELECT 'auc_drop', (churn_model_info(model) #>> '{provenance,cv_auc}')::float8 - f.auc FROM churn_models, first f;
SELECT is((SELECT count(*) FROM all_metrics JOIN wanted USING (target)), (SELECT count(*) FROM all_metrics) - 4, 'all but the baselines and the rarer class');
SELECT ok(abs(measured - want) < 1e-9, target || ': ' || measured) FROM all_metrics JOIN wanted USING (target) WHERE target NOT IN ('n', 'churners');
SELECT is((SELECT string_agg(a.target, ',') FROM all_metrics a, churn_target_metrics() m WHERE m.metric = split_part(a.target, '(', 1) AND (a.lower IS NOT NULL) <> m.has_interval), NULL, 'intervals where they are promised');
SELECT is((SELECT string_agg(target, ',') FROM all_metrics WHERE lower > measured OR upper < measured), NULL, 'which hold the figure');
-- Wilson's score interval of 61 of 100, and of nobody; by its defining equation
SELECT ok(abs(abs(.61 - p) - 1.959963984540054 * sqrt(p * (1 - p) / 100)) < 1e-12, 'Wilson: ' || p) FROM churn_wilson(.61, 100) w, LATERAL (VALUES (w.lower), (w.upper)) v (p);
SELECT is(churn_wilson(.5, 0)::text, NULL, 'Wilson: of nobody');
-- the calibration line's standard errors by numeric second derivatives of the log-likelihood
CREATE FUNCTION loglik(a float8, b float8) RETURNS float8 LANGUAGE sql AS $$ SELECT sum(CASE WHEN churned THEN -ln(1 + exp(-z)) ELSE -ln(1 + exp(z)) END) FROM (SELECT churned, a + b * ln(score / (1 - score)) AS z FROM test) t $$;
WITH f AS (SELECT (SELECT measured FROM all_metrics WHERE target = 'calibration_intercept') AS a, (SELECT measured FROM all_metrics WHERE target = 'calibration_slope') AS b, .001::float8 AS h),
d AS (SELECT -(loglik(a + h, b) - 2 * loglik(a, b) + loglik(a - h, b)) / h ^ 2 AS aa, -(loglik(a, b + h) - 2 * loglik(a, b) + loglik(a, b - h)) / h ^ 2 AS bb,
	-(loglik(a + h, b + h) - loglik(a + h, b - h) - loglik(a - h, b + h) + loglik(a - h, b - h)) / (4 * h ^ 2) AS ab FROM f)
SELECT ok(abs(sqrt(aa / (aa * bb - ab ^ 2)) / ((s.upper - s.lower) / 3.919927969080108) - 1) < 1e-3 AND abs(sqrt(bb / (aa * bb - ab ^ 2)) / ((i.upper - i.lower) / 3.919927969080108) - 1) < 1e-3, 'standard errors of the calibration line')
FROM d, all_metrics s, all_metrics i WHERE s.target = 'calibration_slope' AND i.target = 'calibration_intercept';
DELETE FROM churn_targets;

-- ---- which end of the interval; equality; too few; not measurable ----
SELECT lower, upper, measured, n FROM judged WHERE target = 'auc' \gset auc_
CREATE FUNCTION verdict_on(metric text, comparison text, bound float8, on_end boolean, least_n bigint DEFAULT 1, slice text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	v churn_verdict_row;
BEGIN
	DELETE FROM churn_targets;
	PERFORM churn_set_target('shop', metric, comparison, bound, slice, least_n, on_end);
	SELECT * INTO v FROM churn_verdict('shop', 1);
	RETURN CASE WHEN v.pass THEN 'pass' ELSE 'fail: ' || v.reason END;
END $$;
SELECT is(verdict_on('auc', '>=', :auc_measured, false), 'pass', '>= the figure itself');
SELECT matches(verdict_on('auc', '>', :auc_measured, false), '^fail: measured 0\.\d+ on \d+ users$', 'but not above it');
SELECT is(verdict_on('auc', '<=', :auc_measured, false), 'pass', '<= the figure itself');
SELECT matches(verdict_on('auc', '<', :auc_measured, false), '^fail', 'but not below it');
SELECT is(verdict_on('auc', '>=', :auc_lower, true), 'pass', 'lower end, at it');
SELECT matches(verdict_on('auc', '>', :auc_lower, true), '^fail: measured 0\.\d+, lower bound 0\.\d+ on', 'lower end, above it');
SELECT is(verdict_on('auc', '<=', :auc_upper, true), 'pass', 'for <= it is the upper end');
SELECT matches(verdict_on('auc', '<=', :auc_measured, true), '^fail: measured 0\.\d+, upper bound', 'which is above the figure');
SELECT is(verdict_on('auc', '>', .5, false, :auc_n), 'pass', 'as many users as asked');
SELECT is(verdict_on('auc', '>', .5, false, :auc_n + 1), format('fail: not measurable: %s users, at least %s are asked', :auc_n, :auc_n + 1), 'one too few: not measurable, not passed');
SELECT is(verdict_on('auc', '>', .5, false, 1, 'stage = ''lapsed'''), 'fail: not measurable: 0 users, at least 1 are asked', 'an empty slice');
SELECT matches(verdict_on('auc', '>', .5, false, 1, 'churned'), '^fail: not measurable on these \d+ users', 'a slice of one outcome');
SELECT is(verdict_on('auc', '>', .5, false, 1, 'colour = ''red'''), 'fail: not measurable: column "colour" does not exist', 'a column that is not there');
SELECT is(verdict_on('auc', '>', .5, false, 1, '1 / (recency - recency) > 0'), 'fail: not measurable: division by zero', 'a slice that fails');
SELECT is(verdict_on('n', '>=', (SELECT count(*) FROM shop_features WHERE purpose = 'test' AND stage = 'new' AND order_recency > 5), false, 1, 'stage = ''new'' AND order_recency > 5'), 'pass', 'a slice by stage and feature: its users');
SELECT is(verdict_on('auc', '>=', (SELECT churn_auc(t.score, t.churned) FROM test t JOIN shop_features f USING (user_id, as_of) WHERE t.stage = 'new'), false, 1, 'stage = ''new'''), 'pass', 'and their AUC');
DELETE FROM churn_targets;
SELECT is((SELECT array_agg(relname::text) FROM pg_class WHERE relname ~ '^shop_(judg|stag)'), NULL, 'nothing is left behind');
SELECT is((SELECT status FROM churn_models), 'champion', 'a champion that misses a new target scores on');

-- ---- a later training, an altered study: an older model keeps its own test ----
SELECT churn_train('shop', test_date => test_date - 20, snapshots => 1, options => '{"c": 0.01}') FROM first \g /dev/null
SELECT is((SELECT array_agg(looks) FROM (SELECT DISTINCT looks FROM churn_verdict('shop', 2)) v), '{1}', 'another test date: its first look');
CREATE TEMP TABLE built AS SELECT * FROM churn_verdict('shop', 1, again => true);
SELECT is((SELECT array_agg(ROW(target, measured, lower, upper, n)::text ORDER BY target) FROM built), (SELECT array_agg(ROW(target, measured, lower, upper, n)::text ORDER BY target) FROM judged), 'built again from the events: the same figures, bit for bit');
SELECT churn_alter_study('shop', churn_window => '30 days', gap => '5 days') \g /dev/null
CREATE TEMP TABLE altered AS SELECT * FROM churn_verdict('shop', 1, again => true);
SELECT is((SELECT array_agg(ROW(target, measured, n)::text ORDER BY target) FROM altered), (SELECT array_agg(ROW(target, measured, n)::text ORDER BY target) FROM judged), 'after the study was altered: as it was defined when trained');
SELECT churn_alter_study('shop', churn_window => '60 days', gap => '0 days') \g /dev/null
SELECT is((SELECT count(DISTINCT fingerprint) FROM churn_verdicts WHERE version = 1), 1::bigint, 'on the same rows');
DELETE FROM shop WHERE user_id = (SELECT min(user_id) FROM test) AND ts >= (SELECT test_date FROM first);
SELECT isnt((SELECT measured FROM churn_verdict('shop', 1, again => true) WHERE target = 'auc'), NULL, 'the data have changed');
SELECT is((SELECT count(DISTINCT fingerprint) FROM churn_verdicts WHERE version = 1), 2::bigint, 'and the fingerprint says so');
SELECT throws_ok($$SELECT churn_verdict('shop', 9)$$, '42704', 'study "shop" has no model of version 9');
SELECT throws_ok($$SELECT churn_verdict('shop', NULL)$$, '42704', NULL, 'no version');
SELECT throws_ok($$SELECT churn_verdict(NULL, 1)$$, '22004', NULL, 'no study');
INSERT INTO churn_models (study, version, status, model, band_cutoffs, metrics, created_by) SELECT 'shop', 50, 'trained', model, band_cutoffs, '{}', created_by FROM churn_models WHERE version = 1;
SELECT throws_ok($$SELECT churn_verdict('shop', 50)$$, '55000', 'model 50 of study "shop" has no test date');
CREATE TABLE shop_judged (mine int);
SELECT throws_ok($$SELECT churn_verdict('shop', 1, again => true)$$, '42P07', 'table public.shop_judged is in the way');
DROP TABLE shop_judged;

-- ---- a model without folds knows no drop ----
SELECT churn_set_target('shop', 'auc_drop', '<=', .05) \g /dev/null
UPDATE churn_models SET metrics = metrics - 'fold_auc' WHERE version = 2;
SELECT is((SELECT reason FROM churn_verdict('shop', 2)), 'not measurable: the model was fitted without folds', 'no folds');
SELECT churn_drop_target('shop', 1) \g /dev/null

-- ---- rights ----
DROP ROLE IF EXISTS churn_g_owner, churn_g_member, churn_g_stranger;
CREATE ROLE churn_g_owner; CREATE ROLE churn_g_stranger; CREATE ROLE churn_g_member IN ROLE churn_g_owner;
GRANT ALL ON SCHEMA public TO churn_g_owner;
GRANT SELECT ON shop, test TO churn_g_owner;
SELECT format('ALTER %s %s OWNER TO churn_g_owner', CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, oid::regclass) FROM pg_class WHERE relname ~ '^shop_' AND relkind IN ('r', 'v') \gexec
UPDATE churn_studies SET owner = 'churn_g_owner';
SET ROLE churn_g_owner;
SELECT is(churn_set_target('shop', 'auc', '>', .55), 1, 'the owner sets a target');
SET ROLE churn_g_member;
SELECT is((SELECT count(*) FROM churn_targets), 1::bigint, 'a member sees it');
SELECT matches(error_of($$SELECT churn_set_target('shop', 'auc', '>', .1)$$), '^42501 only the owner of study "shop" may set its targets \| .*SET ROLE', 'but does not change it');
SELECT throws_ok($$SELECT churn_drop_target('shop', 1)$$, '42501', NULL, 'nor drop it');
SELECT throws_ok($$INSERT INTO churn_targets VALUES ('shop', 2, 'auc', '>', 0, NULL, '', 1, false)$$, '42501', NULL, 'nor add a row');
WITH u AS (UPDATE churn_targets SET bound = 0 RETURNING 1) SELECT is((SELECT count(*) FROM u), 0::bigint, 'nor update one');
WITH u AS (DELETE FROM churn_targets RETURNING 1) SELECT is((SELECT count(*) FROM u), 0::bigint, 'nor delete one');
SELECT isnt_empty($$SELECT * FROM churn_verdict('shop', 1)$$, 'a member has a model measured');
SELECT is((SELECT DISTINCT judged_by FROM churn_verdicts), session_user::text, 'who asked is kept');
SELECT throws_ok($$INSERT INTO churn_verdicts (study, version, model_id, target, metric, comparison, bound, slice_path, minimum_n, on_lower_bound, pass, test_date, fingerprint, looks, judged_at)
	SELECT study, version, model_id, target, metric, comparison, bound, slice_path, minimum_n, on_lower_bound, true, test_date, fingerprint, looks, now() FROM churn_verdicts$$, '42501', NULL, 'but adds no verdict');
SELECT throws_ok('UPDATE churn_verdicts SET pass = true', '42501', NULL, 'nor changes one');
SELECT throws_ok('DELETE FROM churn_verdicts', '42501', NULL, 'nor deletes one');
SET ROLE churn_g_owner;
SELECT throws_ok('UPDATE churn_verdicts SET pass = true', '42501', NULL, 'nor does the owner change one');
SET ROLE churn_g_stranger;
SELECT throws_ok(statement, '42501', 'permission denied for study "shop"', 'a stranger: ' || statement) FROM unnest(ARRAY[
	'SELECT churn_set_target(''shop'', ''auc'', ''>'', .1)', 'SELECT churn_drop_target(''shop'', 1)', 'SELECT churn_verdict(''shop'', 1)']) statement;
SELECT is((SELECT count(*) FROM churn_targets) + (SELECT count(*) FROM churn_verdicts), 0::bigint, 'sees nothing');
RESET ROLE;
-- a slice is the owner's SQL: it runs as the owner
CREATE FUNCTION whoami() RETURNS boolean LANGUAGE plpgsql AS $$BEGIN IF current_user <> 'churn_g_owner' THEN RAISE EXCEPTION 'ran as %', current_user; END IF; RETURN true; END$$;
SELECT churn_set_target('shop', 'auc', '>', .5, slice => 'whoami()') \g /dev/null
SELECT is((SELECT bool_and(pass) FROM churn_verdict('shop', 1)), true, 'asked by a superuser, a slice runs as the owner');
REVOKE SELECT ON shop FROM churn_g_owner;
SELECT throws_ok($$SELECT churn_verdict('shop', 1, again => true)$$, '42501', 'permission denied for table shop', 'without SELECT on a source: PostgreSQL''s own error');
SELECT churn_drop_study('shop', true) \g /dev/null
SELECT is((SELECT count(*) FROM churn_targets) + (SELECT count(*) FROM churn_verdicts) + (SELECT count(*) FROM churn_promotions), 0::bigint, 'dropped with the study');
DROP OWNED BY churn_g_owner; DROP ROLE churn_g_member, churn_g_owner, churn_g_stranger;
SELECT * FROM finish();
