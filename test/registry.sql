-- The registry: no model scores but past the gate, whoever writes its status;
-- promotion, force, rollback, forgetting; two models on the same users.
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
CREATE FUNCTION states() RETURNS text LANGUAGE sql AS $$ SELECT string_agg(version || ' ' || status, ', ' ORDER BY version) FROM churn_models WHERE study = 'shop' $$;

CREATE TABLE shop AS SELECT user_id, ts, kind, amount FROM churn_simulate(2200, 280, 3, late_arrivals => false);
SELECT max(ts)::date AS today FROM shop WHERE ts < '2023-10-08' \gset
SET churn.today = :'today';
SELECT churn_create_study('shop', '60 days', key_kinds => '{order}', windows => '{7,30}') \g /dev/null
SELECT churn_add_source('shop', 'shop', 'user_id', 'ts', 'amount', kind_column => 'kind') \g /dev/null
CREATE TABLE first AS SELECT * FROM churn_train('shop', options => '{"c": 0.001}');
SELECT is(states(), '1 champion', 'the first that meets the default gate');
CREATE TABLE second AS SELECT * FROM churn_train('shop', snapshots => 1, options => '{"c": 0.02}');
SELECT is(states(), '1 champion, 2 accepted', 'the second waits');
SELECT is((SELECT string_agg(concat_ws(' ', version, how, replaced, promoted_by), ',') FROM churn_promotions), '1 training ' || session_user, 'how the champion came to it');

-- ---- a target that is missed ----
SELECT churn_set_target('shop', 'auc', '>=', .5) \g /dev/null
SELECT churn_set_target('shop', 'recall_at(100)', '>=', .9) \g /dev/null
SELECT matches(error_of($$SELECT churn_promote('shop', 2)$$), '^55000 model 2 of study "shop" did not pass the gate: auc: asked >= 0.5, not measured yet \| .*SELECT \* FROM churn_verdict\(''shop'', 2\) measures', 'a target never measured is not met');
SELECT is((SELECT string_agg(pass::text, ',') FROM churn_verdict('shop', 2)), 'true,false', 'measured: one met, one missed');
SELECT is(states(), '1 champion, 2 refused', 'an accepted model becomes refused');
SELECT matches((SELECT gate FROM churn_models WHERE version = 2), '^recall_at\(100\): asked >= 0.9, measured 0\.\d+ on \d+ users$', 'and says why');
SELECT matches(error_of($$SELECT churn_promote('shop', 2)$$), '^55000 model 2 of study "shop" did not pass the gate: recall_at\(100\): asked >= 0.9, measured 0\.\d+ on \d+ users \| .*force', 'it cannot be promoted: which target, asked and measured');
SELECT is((SELECT ROW(status, gate ~ 'recall_at')::text FROM churn_train('shop', options => '{"c": 0.001}')), '(refused,t)', 'nor is a new one that misses it accepted');

-- ---- whoever writes the status ----
SELECT matches(error_of(format('UPDATE churn_models SET status = %L WHERE version = 2', s)), '^55000 model 2 of study "shop" is not past the gate: recall_at\(100\): asked >= 0.9, measured', 'by hand: ' || s) FROM unnest(ARRAY['accepted', 'champion']) s;
SELECT throws_ok(format('UPDATE churn_models SET status = %L WHERE version = %s', s, v), '55000', format('a model that is "%s" cannot become "%s"', o, s), v || ' to ' || s)
FROM (VALUES (1, 'champion', 'trained'), (1, 'champion', 'accepted'), (1, 'champion', 'refused'), (2, 'refused', 'trained')) x (v, o, s);
SELECT throws_ok(format('INSERT INTO churn_models (study, version, status, model, band_cutoffs, metrics, created_by) SELECT study, 70, %L, model, band_cutoffs, metrics, created_by FROM churn_models WHERE version = 1', s),
	'55000', format('a new model cannot be "%s"', s), 'a new row as ' || s) FROM unnest(ARRAY['accepted', 'champion']) s;
SELECT throws_ok($$UPDATE churn_models SET status = 'king' WHERE version = 2$$, '23514', NULL, 'no such status');
BEGIN;
SELECT churn_drop_target('shop', 2) \g /dev/null
SELECT throws_ok($$UPDATE churn_models SET status = 'champion' WHERE version = 2$$, '23505', NULL, 'past the gate: but two champions cannot be');
ROLLBACK;

-- ---- force ----
SELECT throws_ok(format('SELECT churn_promote(''shop'', 2, force => true%s)', r), '22023', 'forcing a model past the gate needs a reason', 'force' || r) FROM unnest(ARRAY['', ', reason => '' ''']) r;
SELECT churn_promote('shop', 2, force => true, reason => 'the sale begins tomorrow') \g /dev/null
SELECT is(states(), '1 retired, 2 champion, 3 refused', 'forced');
SELECT is((SELECT concat_ws(' ', version, how, replaced, reason, promoted_by) FROM churn_promotions ORDER BY id DESC LIMIT 1), '2 forced 1 the sale begins tomorrow ' || session_user, 'who, how, why, in whose place');
SELECT is((SELECT concat_ws(' ', promoted_how, promoted_reason) FROM churn_registry WHERE version = 2), 'forced the sale begins tomorrow', 'the registry shows it');
SELECT lives_ok($$SELECT churn_promote('shop', 2)$$, 'the champion again: nothing happens');
SELECT is((SELECT count(*) FROM churn_promotions), 2::bigint, 'and nothing is written');
SELECT throws_ok($$UPDATE churn_models SET status = 'champion' WHERE version = 3$$, '55000', NULL, 'what was forced before does not open the gate to others');

-- ---- rollback ----
SELECT is(churn_rollback('shop', 'it sold nothing'), 1, 'back to the one before, whatever is asked today');
SELECT is(states(), '1 champion, 2 retired, 3 refused', 'in its place');
SELECT throws_ok($$SELECT churn_rollback('shop')$$, '55000', 'study "shop" has no champion before model 1');
SELECT throws_ok($$UPDATE churn_models SET status = 'champion' WHERE version = 2$$, '55000', NULL, 'a former champion does not come back by hand');
BEGIN;
INSERT INTO churn_promotions (study, version, model_id, how) SELECT study, version, id, 'rollback' FROM churn_models WHERE version = 3;
SELECT throws_ok($$UPDATE churn_models SET status = 'champion' WHERE version = 3$$, '55000', NULL, 'a rollback to a model that never scored');
ROLLBACK;
SELECT churn_drop_target('shop', t) FROM generate_series(1, 2) t \g /dev/null
SELECT churn_verdict('shop', 3) \g /dev/null
SELECT churn_promote('shop', 3) \g /dev/null
SELECT churn_promote('shop', 2, reason => 'again') \g /dev/null
SELECT is(states(), '1 retired, 2 champion, 3 retired', 'the default gate holds again, and the verdicts of then are there');
SELECT is((SELECT array_agg(churn_rollback('shop')) FROM generate_series(1, 2)), '{3,1}', 'twice: one further back each time');
SELECT is((SELECT string_agg(version || ' ' || how, ', ' ORDER BY id) FROM churn_promotions), '1 training, 2 forced, 1 rollback, 3 gate, 2 gate, 3 rollback, 1 rollback', 'the whole story');
SELECT throws_ok($$SELECT churn_rollback('none')$$, '42704', NULL, 'no study');

-- ---- the registry ----
SELECT is((SELECT ROW(status, rows, snapshots, test_date, test_rows, test_auc, test_log_loss, options, gate)::text FROM churn_registry WHERE version = 1),
	(SELECT ROW('champion', rows, snapshots, test_date, test_rows, auc, log_loss, '{"c": 0.001}'::jsonb, NULL)::text FROM first), 'figures as churn_train gave them');
SELECT ok(abs(r.fold_auc - (churn_model_info(m.model) #>> '{provenance,cv_auc}')::float8) < 1e-12 AND r.train_auc BETWEEN .6 AND 1 AND r.fold_log_loss > 0 AND r.train_log_loss > 0, 'on the training rows and out of fold, too')
FROM churn_registry r JOIN churn_models m USING (study, version) WHERE version = 1;
SELECT is((SELECT train_auc FROM churn_registry WHERE version = 3), (SELECT churn_auc(churn_predict(model, features), churned) FROM shop_snapshots, churn_models WHERE purpose = 'train' AND version = 3), 'as plain SQL has them');
SELECT is((SELECT count(DISTINCT train_fingerprint) || ' ' || count(DISTINCT test_fingerprint) FROM churn_registry WHERE version <> 2), '1 1', 'the same data, the same fingerprints');
SELECT isnt((SELECT train_fingerprint FROM churn_registry WHERE version = 2), (SELECT train_fingerprint FROM churn_registry WHERE version = 1), 'other snapshots, another');
SELECT ok(trained_by = session_user AND trained_at <= clock_timestamp(), 'who and when') FROM churn_registry WHERE version = 1;

-- ---- two models on the same users ----
CREATE TABLE compared AS SELECT * FROM churn_compare('shop', 1, 2);
CREATE TABLE both_scores AS SELECT s.user_id, s.churned, churn_predict(a.model, h.history, s.as_of) AS a, churn_predict(b.model, h.history, s.as_of) AS b,
	churn_band(churn_predict(a.model, h.history, s.as_of), a.band_cutoffs) AS band_a, churn_band(churn_predict(b.model, h.history, s.as_of), b.band_cutoffs) AS band_b
FROM shop_snapshots s JOIN (SELECT user_id, churn_history(ts, kind, amount, churn_spec()) AS history FROM shop GROUP BY 1) h USING (user_id), churn_models a, churn_models b
WHERE s.purpose = 'test' AND a.version = 1 AND b.version = 2;
SELECT is((SELECT ROW(a, b)::text FROM compared WHERE figure = 'users'), (SELECT ROW(count(*)::float8, count(*)::float8)::text FROM both_scores), 'the same users');
SELECT is((SELECT ROW(a, b) FROM compared WHERE figure = 'auc'), (SELECT ROW(f.auc, s.auc) FROM first f, second s), 'the AUCs of the trainings');
SELECT is((SELECT ROW(a, b, difference, lower, upper, p) FROM compared WHERE figure = 'auc'), (SELECT ROW((t).auc_a, (t).auc_b, (t).difference, (t).lower, (t).upper, (t).p) FROM (SELECT churn_auc_test(a, b, churned) AS t FROM both_scores) x), 'the paired test is churn_auc_test on the same rows');
SELECT ok(abs(c.a - l.a) < 1e-12 AND abs(c.b - l.b) < 1e-12 AND abs(c.difference - (l.a - l.b)) < 1e-9 AND abs((c.upper - c.lower) / 2 - 1.959963984540054 * l.se) < 1e-9 AND abs(c.difference / l.se) > 0
	AND abs(c.p - 2 * (1 - n.cdf)) < 1e-4, 'log-loss: difference and interval of the row-wise losses')
FROM compared c, (SELECT churn_log_loss(a, churned) AS a, churn_log_loss(b, churned) AS b, stddev_samp(CASE WHEN churned THEN ln(b) - ln(a) ELSE ln(1 - b) - ln(1 - a) END) / sqrt(count(*)) AS se FROM both_scores) l,
	LATERAL (SELECT abs(c.difference / l.se) AS z) z, LATERAL (SELECT .5 + sum(exp(-x * x / 2)) * (z.z / 100000) / sqrt(2 * pi()) AS cdf FROM generate_series(1, 100000) i, LATERAL (SELECT (i - .5) * z.z / 100000 AS x) y) n
WHERE c.figure = 'log_loss';
SELECT is((SELECT difference FROM compared WHERE figure = 'band_changes'), (SELECT count(*)::float8 FROM both_scores WHERE band_a <> band_b), 'users whose band differs');
CREATE TABLE moved AS SELECT *, CASE band_a WHEN 'low' THEN 1 WHEN 'medium' THEN 2 WHEN 'high' THEN 3 ELSE 4 END - CASE band_b WHEN 'low' THEN 1 WHEN 'medium' THEN 2 WHEN 'high' THEN 3 ELSE 4 END AS up FROM both_scores;
SELECT ok(abs(difference - want) < 1e-12, 'net reclassification of ' || figure) FROM compared JOIN (SELECT 'reclassified_churners', avg(sign(up)) FROM moved WHERE churned UNION ALL SELECT 'reclassified_stayers', avg(-sign(up)) FROM moved WHERE NOT churned) v (figure, want) USING (figure);
SELECT ok(abs((upper - lower) / 3.919927969080108 - (SELECT stddev_pop(sign(up)) / sqrt(count(*)) FROM moved WHERE churned)) < 1e-12, 'and its interval') FROM compared WHERE figure = 'reclassified_churners';
SELECT set_eq($$SELECT band_a, band_b, users, churners FROM churn_compare_bands('shop', 1, 2)$$, 'SELECT band_a, band_b, count(*) AS users, count(*) FILTER (WHERE churned) AS churners FROM both_scores GROUP BY 1, 2', 'the table of bands');
SELECT set_eq($$SELECT user_id, churned, score_a, score_b, band_a, band_b FROM churn_compare_users('shop', 1, 2)$$, 'SELECT user_id::text, churned, a, b, band_a, band_b FROM both_scores WHERE band_a <> band_b', 'and the users');
SELECT ok(bool_and(difference = 0 AND coalesce(p, 1) = 1), 'a model with itself: no difference') FROM churn_compare('shop', 1, 1);
SELECT is((SELECT a FROM churn_compare('shop', 1, 2) WHERE figure = 'auc'), (SELECT -difference + b * 2 - b + difference * 2 FROM compared WHERE figure = 'auc'), 'the same again');
SELECT throws_ok(format('SELECT churn_compare(''shop'', 1, 2, %L)', d), '22023', NULL, 'as of ' || d) FROM (SELECT unnest(ARRAY[(test_date - 1)::text, (test_date + 1)::text, '2030-01-01', 'infinity', '-infinity']) AS d FROM first) x;
SELECT matches(error_of(format('SELECT churn_compare(''shop'', 1, 2, %L)', test_date - 1)), 'The first date that is new to both is ' || test_date, 'purged for both') FROM first;
SELECT churn_train('shop', test_date => test_date - 30, snapshots => 1, options => '{"c": 0.01}') FROM first \g /dev/null
SELECT matches((SELECT meaning FROM churn_compare('shop', 4, 1) WHERE figure = 'users'), 'at risk on ' || test_date, 'different test dates: the later one') FROM first;
SELECT throws_ok('SELECT churn_compare(''shop'', 1, 9)', '42704', 'study "shop" has no model of version 9');
SELECT churn_alter_study('shop', churn_window => '30 days') \g /dev/null
SELECT churn_train('shop', options => '{"c": 0.01}') \g /dev/null
SELECT throws_ok('SELECT churn_compare(''shop'', 1, 5)', '55000', 'models 1 and 5 of study "shop" do not mean the same by churn');
SELECT churn_alter_study('shop', churn_window => '60 days') \g /dev/null
SELECT is((SELECT array_agg(relname::text) FROM pg_class WHERE relname ~ '^shop_(judg|stag)'), NULL, 'nothing is left behind');

-- ---- forgetting ----
SELECT churn_promote('shop', 3) \g /dev/null
UPDATE churn_models SET status = 'retired' WHERE version = 5;
SELECT is(states(), '1 retired, 2 retired, 3 champion, 4 accepted, 5 retired', 'before');
SELECT throws_ok(format('SELECT churn_forget(''shop'', %s)', k), '22023', NULL, 'keep ' || k) FROM unnest(ARRAY['NULL', '-1']) k;
SELECT is(churn_forget('shop'), 0, 'ten are kept by default');
SELECT is(churn_forget('shop', keep => 1), 1, 'one goes');
SELECT is(states(), '1 retired, 3 champion, 4 accepted, 5 retired', 'not the champion, an accepted one, the one to roll back to, or the newest');
SELECT is(churn_forget('shop', keep => 0), 1, 'the newest goes too');
SELECT isnt_empty('SELECT FROM churn_verdicts WHERE version = 2', 'verdicts stay');
SELECT isnt_empty('SELECT FROM churn_promotions WHERE version = 2', 'and promotions');
SELECT is((SELECT version FROM churn_train('shop', options => '{"c": 0.001}')), 6, 'a version is not used again');
SELECT is(churn_rollback('shop'), 1, 'and the way back is there');

-- ---- rights ----
DROP ROLE IF EXISTS churn_p_owner, churn_p_member, churn_p_stranger;
CREATE ROLE churn_p_owner; CREATE ROLE churn_p_stranger; CREATE ROLE churn_p_member IN ROLE churn_p_owner;
GRANT ALL ON SCHEMA public TO churn_p_owner;
GRANT SELECT ON shop TO churn_p_owner;
SELECT format('ALTER %s %s OWNER TO churn_p_owner', CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, oid::regclass) FROM pg_class WHERE relname ~ '^shop_' AND relkind IN ('r', 'v') \gexec
UPDATE churn_studies SET owner = 'churn_p_owner';
SET ROLE churn_p_member;
SELECT lives_ok($$SELECT churn_promote('shop', 6)$$, 'a member promotes past the gate');
SELECT is(churn_rollback('shop'), 1, 'and rolls back');
RESET ROLE;
SELECT churn_set_target('shop', 'auc', '>=', .99) \g /dev/null
SELECT churn_verdict('shop', 6) \g /dev/null
SET ROLE churn_p_member;
SELECT throws_ok($$SELECT churn_promote('shop', 6)$$, '55000', NULL, 'but not against it');
SELECT throws_ok($$SELECT churn_promote('shop', 6, force => true, reason => 'I must')$$, '42501', 'only the owner of study "shop" may force a model past the gate');
SELECT throws_ok($$UPDATE churn_models SET status = 'champion' WHERE version = 6$$, '55000', NULL, 'by hand neither');
SELECT throws_ok($$INSERT INTO churn_promotions (study, version, model_id, how, reason) SELECT study, version, id, 'forced', 'I must' FROM churn_models$$, '42501', NULL, 'nor writes that somebody forced it');
SELECT throws_ok('INSERT INTO churn_promotions (study, version, model_id, how, transaction) SELECT study, version, id, ''gate'', ''1'' FROM churn_models', '42501', NULL, 'nor in which transaction');
SELECT throws_ok('UPDATE churn_promotions SET reason = ''''', '42501', NULL, 'what is written stays');
SELECT throws_ok('DELETE FROM churn_promotions', '42501', NULL, 'all of it');
SELECT isnt_empty($$SELECT * FROM churn_compare('shop', 1, 6)$$, 'a member compares');
SELECT is(churn_forget('shop'), 0, 'and forgets');
SET ROLE churn_p_owner;
SELECT lives_ok($$SELECT churn_promote('shop', 6, force => true, reason => 'I must')$$, 'the owner forces');
SET ROLE churn_p_stranger;
SELECT throws_ok(statement, '42501', 'permission denied for study "shop"', 'a stranger: ' || statement) FROM unnest(ARRAY['SELECT churn_promote(''shop'', 1)', 'SELECT churn_rollback(''shop'')',
	'SELECT churn_forget(''shop'')', 'SELECT churn_compare(''shop'', 1, 6)', 'SELECT churn_compare_bands(''shop'', 1, 6)', 'SELECT churn_compare_users(''shop'', 1, 6)']) statement;
SELECT is((SELECT count(*) FROM churn_registry) + (SELECT count(*) FROM churn_promotions), 0::bigint, 'sees no model');
CREATE FUNCTION pg_temp.leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$BEGIN RAISE EXCEPTION 'leaked %', $1; END$$;
SELECT lives_ok('SELECT * FROM churn_registry WHERE pg_temp.leak(study)', 'nor through a function that leaks');
RESET ROLE;
DROP FUNCTION pg_temp.leak;
SELECT churn_drop_study('shop', true) \g /dev/null
DROP OWNED BY churn_p_owner; DROP ROLE churn_p_member, churn_p_owner, churn_p_stranger;
SELECT * FROM finish();
