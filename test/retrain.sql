-- Retraining: when it is due; a challenger that is worse is never promoted,
-- by one step or by several; one that is not waits, or takes over in one
-- transaction; contacted users left out of training; rights.
\set ECHO none
SET client_min_messages = error;
SELECT no_plan();

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
CREATE FUNCTION states() RETURNS text LANGUAGE sql AS $$ SELECT string_agg(version || ' ' || status, ', ' ORDER BY version) FROM churn_models WHERE study = 'shop' $$;

CREATE TABLE shop AS SELECT user_id, ts, kind, amount FROM churn_simulate(2400, 330, 3, late_arrivals => false) WHERE kind IN ('order', 'view');
CREATE TABLE mails (who bigint, sent date);
SET churn.today = '2023-08-20';
SELECT churn_create_study('shop', '30 days', key_kinds => '{order}', windows => '{7,30}') \g /dev/null
SELECT churn_add_source('shop', 'shop', 'user_id', 'ts', 'amount', kind_column => 'kind') \g /dev/null

SELECT churn_set_target('shop', 'auc', '>', .5) \g /dev/null

-- ---- the policy ----
SELECT is((SELECT count(*) FROM churn_retrain('shop')), 0::bigint, 'no policy: nothing is trained');
SELECT throws_ok(format('SELECT churn_set_policy(''shop'', %s)', a), '22023', NULL, a) FROM unnest(ARRAY['every => ''0 days''', 'every => ''1 month''', 'after_users => 0', 'on_alert => ''{boredom}''', 'on_alert => ''{NULL}''',
	'auc_margin => -0.1', 'auc_margin => ''NaN''', 'auc_margin => NULL', 'log_loss_margin => 2', 'snapshots => 0', 'snapshots => NULL', 'step => ''0 days''', 'options => ''{"refit": true}''', 'options => ''[]''']) a;
SELECT matches(error_of('SELECT churn_set_policy(''shop'', on_alert => ''{boredom}'')'), '^22023 there is no alert of kind "boredom" \| Kinds are feature_drift, score_drift, base_rate', 'the hint lists the kinds');
SELECT throws_ok('SELECT churn_drop_policy(''shop'')', '42704', 'study "shop" has no policy');
SELECT throws_ok('SELECT churn_set_policy(''none'')', '42704', 'study "none" does not exist');
SELECT churn_set_policy('shop', every => '30 days', snapshots => 3, options => '{"c": 0.001, "encoding": "linear"}') \g /dev/null
SELECT is((SELECT to_jsonb(p) - '{set_at,set_by}'::text[] FROM churn_policies p), '{"study": "shop", "every_days": 30, "on_alert": [], "after_users": null, "auto_promote": false, "auc_margin": 0.01, "log_loss_margin": 0.01, "snapshots": 3, "step_days": 30, "options": {"c": 0.001, "encoding": "linear"}}'::jsonb, 'what is kept');

-- ---- when it is due ----
SELECT throws_ok(format('SELECT churn_retrain(''shop'', %L)', d), '22023', NULL, 'as of ' || d) FROM unnest(ARRAY['2023-08-21', 'infinity', '-infinity']) d;
SELECT is((SELECT ROW(due, version, status, promoted, champion, reason)::text FROM churn_retrain('shop')), '("there is no model yet",1,champion,t,,"the first to pass the gate")', 'the first');
SELECT is((SELECT count(*) FROM churn_retrain('shop')), 0::bigint, 'the same day: not due');
SET churn.today = '2023-09-18';
SELECT is((SELECT count(*) FROM churn_retrain('shop')), 0::bigint, 'after 29 days: not due');
SET churn.today = '2023-09-25';
SELECT is(churn_retrain_due(s, p, d::date), due, 'due on ' || d) FROM churn_studies s, churn_policies p, (VALUES ('2023-09-18', NULL), ('2023-09-19', 'the newest model is 30 days old')) v (d, due);
BEGIN;
SELECT churn_set_policy('shop', on_alert => '{base_rate}') \g /dev/null
INSERT INTO churn_alerts (study, what, subject, model_version, since, opened_on, asked, measured, severity) VALUES ('shop', 'score_drift', '', 1, '2023-09-01', '2023-09-02', '', '', 'warning');
SELECT is(churn_retrain_due(s, p, '2023-09-25'), NULL, 'an alert of another kind') FROM churn_studies s, churn_policies p;
INSERT INTO churn_alerts (study, what, subject, model_version, since, opened_on, asked, measured, severity) VALUES ('shop', 'base_rate', '', 1, '2023-09-01', '2023-09-02', '', '', 'warning');
SELECT matches(churn_retrain_due(s, p, '2023-09-25'), '^alert \d+: base_rate$', 'an open alert') FROM churn_studies s, churn_policies p;
SELECT is(churn_retrain_due(s, p, '2023-08-26'), NULL, 'at most once in seven days') FROM churn_studies s, churn_policies p;
UPDATE churn_alerts SET closed_on = '2023-09-03';
SELECT is(churn_retrain_due(s, p, '2023-09-25'), NULL, 'a closed one') FROM churn_studies s, churn_policies p;
SELECT churn_set_policy('shop', after_users => 10) \g /dev/null
-- at risk on the newest labelled date with an order since the test of the champion
SELECT count(*) AS users FROM churn_snapshot('shop', '2023-08-26') WHERE recency <= date '2023-08-26' - date '2023-07-21' \gset
SELECT is(churn_retrain_due(s, p, '2023-09-25'), :users || ' new labelled users', 'new labelled users') FROM churn_studies s, churn_policies p;
SELECT churn_set_policy('shop', after_users => :users + 1) \g /dev/null
SELECT is(churn_retrain_due(s, p, '2023-09-25'), NULL, 'one too few') FROM churn_studies s, churn_policies p;
ROLLBACK;

-- ---- one that is as good waits, unless told otherwise ----
SELECT churn_set_policy('shop', every => '30 days', snapshots => 3, auc_margin => .1, log_loss_margin => .1, options => '{"c": 0.001, "encoding": "linear"}') \g /dev/null
CREATE TABLE waits AS SELECT * FROM churn_retrain('shop', '2023-09-20');
SELECT is((SELECT ROW(due, version, status, promoted, champion, best, reason)::text FROM waits), '("the newest model is 31 days old",2,accepted,f,1,1,"waits: not worse than the champion, nor than the best before it")', 'it waits');
SELECT is(current_setting('churn.today'), '2023-09-25', 'today is what it was');
SELECT is((SELECT metrics ->> 'complete_through' FROM churn_models WHERE version = 2), '2023-09-19', 'trained as of the date');
SELECT is((SELECT ROW(auc, former_auc, difference, lower, upper)::text FROM waits, jsonb_to_record(compared -> 0) AS x (auc float8, former_auc float8, auc_difference float8, auc_lower float8, auc_upper float8), LATERAL (VALUES (auc_difference, auc_lower, auc_upper)) v (difference, lower, upper)),
	(SELECT ROW(a, b, difference, lower, upper)::text FROM churn_compare('shop', 2, 1) WHERE figure = 'auc'), 'compared as churn_compare does');
SELECT is((SELECT compared -> 0 -> 'users' FROM waits)::int, (SELECT count(*)::int FROM churn_snapshot('shop', '2023-08-21')), 'on everybody at risk on the newest date, new to both');
SELECT churn_set_policy('shop', every => '1 day', auto_promote => true, snapshots => 3, auc_margin => .1, log_loss_margin => .1, options => '{"c": 0.001, "encoding": "linear"}') \g /dev/null
SELECT is((SELECT ROW(version, status, promoted, champion)::text FROM churn_retrain('shop', '2023-09-24')), '(3,champion,t,1)', 'with auto_promote it takes over');
SELECT is(states(), '1 retired, 2 accepted, 3 champion', 'in the place of the champion');
SELECT is((SELECT ROW(how, replaced)::text || (reason ~ '^churn_retrain: ') FROM churn_promotions ORDER BY id DESC LIMIT 1), '(gate,1)true', 'past the gate, and said so');
SELECT is((SELECT count(*) FROM churn_retrain('shop', '2023-09-24')), 0::bigint, 'and is not due again');

-- ---- made worse on purpose ----
-- one feature, that says what recency says: past the gate, but worse
SELECT jsonb_build_object('c', .001, 'encoding', 'linear', 'exclude', (SELECT jsonb_agg(i) FROM unnest(churn_model_inputs(model)) i WHERE i <> 'order_recency')) AS poor FROM churn_models WHERE version = 1 \gset
SELECT churn_set_policy('shop', every => '1 day', auto_promote => true, snapshots => 3, options => :'poor') \g /dev/null
CREATE TABLE poor AS SELECT * FROM churn_retrain('shop');
SELECT is((SELECT ROW(version, status, promoted)::text FROM poor), '(4,refused,f)', 'refused');
SELECT matches((SELECT reason FROM poor), '^worse than model 3: AUC -0\.\d+ \(-0\.\d+ to -0\.\d+\), log-loss 0\.\d+', 'and says by how much');
SELECT is((SELECT gate FROM churn_models WHERE version = 4), (SELECT reason FROM poor), 'the registry, too');
-- not past the gate
SELECT churn_set_target('shop', 'auc', '>', .7) \g /dev/null
SELECT churn_set_policy('shop', every => '1 day', auto_promote => true, auc_margin => 1, log_loss_margin => 1, snapshots => 3, options => :'poor') \g /dev/null
SET churn.today = '2023-09-26';
SELECT matches((SELECT ROW(version, status, promoted, reason)::text FROM churn_retrain('shop')), '^\(5,refused,f,"refused by the gate: ', 'nor past the gate, whatever the margin');
SELECT churn_set_target('shop', 'auc', '>', .5) \g /dev/null
-- in steps: a poor champion, put there by force, does not lower the bar
SELECT churn_set_policy('shop', every => '1 day', auto_promote => true, snapshots => 3, options => :'poor') \g /dev/null
SELECT churn_verdict('shop', 4, again => true) \g /dev/null
SELECT churn_promote('shop', 4, reason => 'by hand') \g /dev/null
SET churn.today = '2023-09-27';
CREATE TABLE steps AS SELECT * FROM churn_retrain('shop');
SELECT is((SELECT ROW(version, status, promoted, champion)::text FROM steps), '(6,refused,f,4)', 'no worse than the poor champion, but refused');
SELECT ok((compared #>> '{0,within}')::boolean AND compared #>> '{0,version}' = '4' AND reason ~ '^worse than model [13]:' AND best IN (1, 3), 'for it is worse than the best on record') FROM steps;
SELECT churn_forget('shop', 0) \g /dev/null
-- one that cannot be compared waits
SELECT churn_alter_study('shop', active_window => '25 days') \g /dev/null
SET churn.today = '2023-09-28';
SELECT matches((SELECT ROW(status, promoted, reason)::text FROM churn_retrain('shop')), '^\(accepted,f,"waits: not certainly within the margins of model 4: models 7 and 4 of study ""shop"" do not mean the same by churn', 'another definition: it waits');
SELECT churn_alter_study('shop', active_window => '30 days') \g /dev/null

-- ---- contacted users left out ----
SELECT churn_add_source('shop', 'mails', 'who', 'sent', kind => 'mail', role => 'action') \g /dev/null
INSERT INTO mails SELECT u, d FROM generate_series(1, 2400, 4) u, unnest('{2023-06-29,2023-08-29}'::date[]) d;
SELECT throws_ok('SELECT churn_train(''shop'', options => ''{"untreated_only": 1}'')', '22023', 'option "untreated_only" must be true or false');
SELECT churn_train('shop', snapshots => 2, options => '{"c": 0.001, "encoding": "linear", "untreated_only": true}') \g /dev/null
SELECT is((SELECT string_agg(concat_ws(' ', as_of, purpose, contacted > 0), ', ' ORDER BY as_of) FROM (SELECT as_of, purpose, count(*) FILTER (WHERE user_id % 4 = 1) AS contacted FROM shop_snapshots GROUP BY 1, 2) x),
	'2023-06-30 train t, 2023-07-30 train t, 2023-08-29 test t', 'before the date or after the window: kept');
INSERT INTO mails SELECT u, d FROM generate_series(1, 2400, 4) u, unnest('{2023-06-30,2023-08-28}'::date[]) d;
CREATE TABLE left_out AS SELECT * FROM churn_train('shop', snapshots => 2, options => '{"c": 0.001, "encoding": "linear", "untreated_only": true}');
SELECT is((SELECT string_agg(concat_ws(' ', as_of, purpose, contacted > 0), ', ' ORDER BY as_of) FROM (SELECT as_of, purpose, count(*) FILTER (WHERE user_id % 4 = 1) AS contacted FROM shop_snapshots GROUP BY 1, 2) x),
	'2023-06-30 train f, 2023-07-30 train f, 2023-08-29 test t', 'contacted within: left out of training, not of the test');
SELECT is((SELECT rows FROM left_out), (SELECT count(*) FROM shop_snapshots WHERE purpose = 'train'), 'and so the model says');
SELECT churn_set_policy('shop', every => '9 days', untreated_only => true) \g /dev/null
SELECT is((SELECT options FROM churn_policies), '{"untreated_only": true}', 'a policy may ask for it');
SELECT is((SELECT array_agg(relname::text) FROM pg_class WHERE relname ~ '^shop_(judg|stag)'), NULL, 'nothing is left behind');

-- ---- rights ----
DROP ROLE IF EXISTS churn_p_owner, churn_p_member, churn_p_stranger;
CREATE ROLE churn_p_owner; CREATE ROLE churn_p_stranger; CREATE ROLE churn_p_member IN ROLE churn_p_owner;
GRANT ALL ON SCHEMA public TO churn_p_owner;
GRANT SELECT ON shop, mails TO churn_p_owner;
SELECT format('ALTER %s %s OWNER TO churn_p_owner', CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, oid::regclass) FROM pg_class WHERE relname ~ '^shop_' AND relkind IN ('r', 'v') \gexec
UPDATE churn_studies SET owner = 'churn_p_owner';
SET ROLE churn_p_member;
SELECT throws_ok('SELECT churn_set_policy(''shop'')', '42501', 'only the owner of study "shop" may set its policy');
SELECT throws_ok('SELECT churn_drop_policy(''shop'')', '42501', 'only the owner of study "shop" may drop its policy');
SELECT is_empty('UPDATE churn_policies SET auto_promote = true RETURNING study', 'nor by hand');
SELECT throws_ok('INSERT INTO churn_retrainings (study, as_of, due, version, status, promoted, compared, reason) VALUES (''shop'', ''2023-01-01'', '''', 1, '''', true, ''[]'', '''')', '42501', NULL, 'writes no retraining');
SELECT lives_ok('SELECT churn_retrain(''shop'')', 'but retrains when it is due');
SET ROLE churn_p_stranger;
SELECT throws_ok(s, '42501', 'permission denied for study "shop"', 'a stranger: ' || s) FROM unnest(ARRAY['SELECT churn_retrain(''shop'')', 'SELECT churn_set_policy(''shop'')', 'SELECT churn_drop_policy(''shop'')']) s;
SELECT is((SELECT count(*) FROM churn_policies) + (SELECT count(*) FROM churn_retrainings), 0::bigint, 'sees nothing');
RESET ROLE;
SELECT churn_drop_policy('shop') \g /dev/null
SELECT is((SELECT count(*) FROM churn_policies), 0::bigint, 'the policy is dropped');
SELECT churn_drop_study('shop', true) \g /dev/null
DROP OWNED BY churn_p_owner; DROP ROLE churn_p_member, churn_p_owner, churn_p_stranger;
SELECT * FROM finish();
