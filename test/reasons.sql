-- Reasons: sums are exact for every kind of model, words withhold what must
-- not be named, themes add up, the language is a setting.
\set ECHO none
SET client_min_messages = error;
SELECT no_plan();

-- ---- sums: every encoding, columns of every sort ----
CREATE TABLE people AS
SELECT i AS id, (i * 7919) % 60 AS tenure, i % 3 = 0 AS contract, (ARRAY['free', 'basic', 'pro', NULL, '专业版'])[1 + i % 5] AS plan,
	CASE WHEN i % 7 > 0 THEN date '2024-01-01' - i % 400 END AS joined, CASE WHEN i % 11 > 0 THEN (i * 31) % 97 / 7.0 END AS "health*",
	((i * 7919) % 60 < 20) <> (i % 3 = 0) OR i % 13 = 0 AS churned
FROM generate_series(1, 900) i;
CREATE TABLE models AS SELECT e, (SELECT churn_fit(p, 'churned', format('{"key": "id", "reference_date": "2024-06-01", "folds": 3, "encoding": "%s"%s}', e, CASE e WHEN 'pairs' THEN ', "pairs": 3' END)::jsonb) FROM people p) AS m
FROM unnest(ARRAY['linear', 'bins', 'pairs']) e;
SELECT ok(max(abs(churn_base(m) + total - churn_log_odds(m, p))) < 1e-9, e || ': base and contributions are the log-odds, on every row')
FROM models, people p, LATERAL (SELECT sum(contribution) AS total FROM churn_contributions(m, p)) c GROUP BY e ORDER BY e;
SELECT cmp_ok((churn_model_info(m) ->> 'pairs')::int, '>', 0, 'there are pairs') FROM models WHERE e = 'pairs';

-- ---- columns that are not to be named ----
CREATE TABLE quiet AS SELECT e, m, churn_unname(m, '{contract,plan}') AS q FROM models;
SELECT is(churn_unnamed(q), '{contract,plan}'::text[], e || ': the names are listed') FROM quiet
UNION ALL SELECT is(churn_model_info(q) #> '{provenance,unnamed}', '["contract", "plan"]'::jsonb, e || ': and in the provenance') FROM quiet;
SELECT is_empty($$ SELECT churn_predict(m, p), churn_predict(q, p) FROM quiet, people p WHERE churn_predict(m, p) IS DISTINCT FROM churn_predict(q, p) $$, 'scores are the same, bit for bit');
SELECT cmp_ok((SELECT count(*) FROM models, people p, unnest(churn_reasons(m, p, 100)) r WHERE r ~ 'contract|plan'), '>', 100::bigint, 'they were reasons');
SELECT is_empty($$ SELECT r FROM quiet, people p, unnest(churn_reasons(q, p, 100)) r WHERE r ~ 'contract|plan' $$, 'and are no longer');
SELECT is_empty($$ SELECT 1 FROM quiet, people p WHERE churn_reasons(q, p, 100) IS DISTINCT FROM (SELECT array_agg(r ORDER BY n) FILTER (WHERE r !~ '^(contract|plan) ') FROM unnest(churn_reasons(m, p, 100)) WITH ORDINALITY u(r, n))
	AND NOT (churn_reasons(q, p, 100) = '{}') $$, 'the others stay, in their order');
SELECT is_empty($$ SELECT 1 FROM quiet, people p, LATERAL (SELECT array_agg((feature, value, contribution, feature IN ('contract', 'plan')) ORDER BY feature) AS a FROM churn_contributions(m, p)) x,
	LATERAL (SELECT array_agg((feature, value, contribution, phrase IS NULL) ORDER BY feature) AS b FROM churn_contributions(q, p)) y WHERE id % 20 = 0 AND a <> b $$, 'contributions stay, without words');
SELECT is((SELECT churn_unname(q, '{}') = m FROM quiet WHERE e = 'bins'), true, 'without names it is the model it was');
SELECT is((SELECT q::text::churn_model = q FROM quiet WHERE e = 'pairs'), true, 'the names survive as text');
SELECT is((SELECT churn_unnamed(churn_unname(q, '{tenure}')) FROM quiet WHERE e = 'bins'), '{tenure}', 'new names replace the old');
SELECT is(churn_unnamed(churn_unname(m, ARRAY[n])), w::text[], n) FROM models, (VALUES ('*', '{tenure,contract,plan,joined,health*}'), ('*t*', '{tenure,contract,health*}'), ('health*', '{health*}'), ('*n', '{plan}'),
	('p*a*n', '{plan}'), ('**', '{tenure,contract,plan,joined,health*}'), ('t*e', '{tenure}'), ('*ct', '{contract}')) v(n, w) WHERE e = 'bins';
SELECT throws_ok(format('SELECT churn_unname(m, ARRAY[%L]) FROM models', n), '42703', format('"%s" is no input of the model', n)) FROM unnest(ARRAY['Plan', 'pla', '*x', '', 'tenure*e', 'churned']) n;
SELECT throws_ok('SELECT churn_unname(m, ARRAY[''plan'', NULL]) FROM models', '22004');
SELECT is(churn_unname(m, NULL), NULL, 'NULL gives NULL') FROM models WHERE e = 'bins';
SELECT throws_ok('SELECT churn_contributions(m, ARRAY[1]) FROM models', '42804');

-- as an option
CREATE TABLE option_model AS SELECT churn_fit(p, 'churned', '{"key": "id", "reference_date": "2024-06-01", "encoding": "bins", "folds": 0, "c": 1, "unnamed": ["contract", "pl*"]}') AS m FROM people p;
SELECT is(churn_unnamed(m), '{contract,plan}', 'an option of churn_fit') FROM option_model;
SELECT is_empty($$ SELECT r FROM option_model, people p, unnest(churn_reasons(m, p, 100)) r WHERE r ~ 'contract|plan' $$, 'with no such reason');
SELECT throws_ok(format('SELECT churn_fit(p, ''churned'', ''{"key": "id", "reference_date": "2024-06-01", "unnamed": %s}'') FROM people p', u), s, w) FROM (VALUES
	('["nobody"]', '42703', '"nobody" is no input of the model'), ('["id"]', '42703', '"id" is no input of the model'), ('"plan"', '22023', 'option "unnamed" must be an array of names of columns, features or kinds'),
	('[1]', '22023', 'option "unnamed" must be an array of names of columns, features or kinds')) v(u, s, w);
SELECT is(churn_unnamed(m), '{}', 'none is the rule') FROM models WHERE e = 'linear';

-- columns are their own themes
SELECT results_eq($$ WITH f AS (SELECT churn_fit(p, 'churned', '{"key": "id", "exclude": ["plan", "joined"], "unnamed": ["contract"]}') AS m FROM people p)
	SELECT theme, features, t.feature, t.phrase, t.contribution = c.contribution FROM f, churn_themes(m, ARRAY[3, 1, 2]) t JOIN f AS g ON true JOIN churn_contributions(g.m, ARRAY[3, 1, 2]) c ON c.feature = CASE theme WHEN '(unnamed)' THEN 'contract' ELSE theme END ORDER BY 1 $$,
	$$ VALUES ('(unnamed)', 1, NULL, 'what is not to be named', true), ('health*', 1, 'health*', 'health* is 2', true), ('tenure', 1, 'tenure', 'tenure is 3', true) $$, 'themes of columns');

-- in Chinese
SET churn.language = 'zh';
SELECT is(phrase, w, w) FROM models, people p, churn_contributions(m, p) c, (VALUES (5, 'tenure', 'tenure 为 55'), (5, 'contract', 'contract 为“否”'), (6, 'contract', 'contract 为“是”'), (5, 'plan', 'plan 为 free'),
	(9, 'plan', 'plan 为专业版'), (8, 'plan', 'plan 不详'), (5, 'joined', 'joined 为 2023-12-27'), (11, 'health*', 'health* 不详')) v(i, f, w) WHERE e = 'bins' AND id = i AND feature = f;
RESET churn.language;

-- ---- a study ----
CREATE TABLE shop AS SELECT user_id, ts, kind, amount FROM churn_simulate(1500, 300, 2, late_arrivals => false);
CREATE INDEX ON shop (user_id);
SELECT max(ts)::date + 1 AS today FROM shop \gset
SET churn.today = :'today';
SELECT churn_create_study('shop', '60 days', key_kinds => '{order}', windows => '{7,30,90}') \g /dev/null
SELECT churn_add_source('shop', 'shop', 'user_id', 'ts', 'amount', kind_column => 'kind') \g /dev/null
SELECT throws_ok($$ SELECT churn_set_unnamed('shop', '{view}') $$, '55000', 'study "shop" has no model yet whose features could be named');
SELECT lives_ok($$ SELECT churn_set_unnamed('shop', '{}') $$, 'nothing to hide');
SELECT churn_train('shop', options => '{"c": 0.01, "encoding": "bins", "folds": 3, "max_search_rows": 1000}') \g /dev/null
CALL churn_refresh('shop');
CREATE TABLE loud AS SELECT user_id, score, reasons FROM shop_scores;
SELECT user_id AS u FROM loud WHERE EXISTS (SELECT FROM unnest(reasons) r WHERE r ~ 'view') ORDER BY score DESC LIMIT 1 \gset
SELECT cmp_ok((SELECT count(*) FROM loud, unnest(reasons) r WHERE r ~ 'view'), '>', 50::bigint, 'reasons name views');

-- themes
CREATE TABLE themed AS SELECT s.user_id, s.score, t.* FROM (SELECT * FROM loud ORDER BY md5(user_id::text) LIMIT 60) s, churn_explain_themes(s.user_id) t;
SELECT ok(max(abs(total - ln(score / (1 - score)))) < 1e-9, 'base and themes add up to the log-odds of the score') FROM (SELECT user_id, score, sum(contribution) AS total FROM themed GROUP BY 1, 2) x;
SELECT cmp_ok(max(n), '<', 13::bigint, 'on half a page') FROM (SELECT count(*) AS n FROM themed GROUP BY user_id) x;
SELECT is(sum(features), (SELECT count(*) - 1 FROM churn_explain(:u)), 'every feature once') FROM churn_explain_themes(:u);
SELECT is_empty($$ SELECT * FROM themed WHERE phrase IS NULL AND contribution <> 0 OR theme <> '(base)' AND (feature IS NULL) <> (phrase IS NULL) $$, 'a theme with a contribution has its words');
SELECT is_empty($$ SELECT t.* FROM themed t, churn_explain(t.user_id) e WHERE e.feature = t.feature AND (e.phrase <> t.phrase OR e.contribution * t.contribution < 0) $$, 'which are those of a feature that pulls the same way');
SELECT is((SELECT array_agg(phrase) FROM (SELECT phrase FROM churn_explain_themes(:u) WHERE contribution > 0 AND theme <> '(base)' ORDER BY contribution DESC LIMIT 3) x), (SELECT reasons FROM loud WHERE user_id = :u), 'the first that raise the risk are the reasons');
SELECT is((SELECT theme || ' ' || phrase FROM churn_explain_themes(-1)), '(not at risk) no events of this user are known', 'not at risk');
SELECT is((SELECT count(*) FROM churn_explain_themes(:'u')), (SELECT count(*) FROM churn_explain_themes(:u)), 'a literal');

-- a kind that is not to be named
SELECT churn_set_unnamed('shop', '{view,any_amount*,view}') \g /dev/null
SELECT is(unnamed, '{view,any_amount*}', 'names are kept once') FROM churn_studies;
CALL churn_refresh('shop');
SELECT is_empty($$ SELECT user_id FROM shop_scores s JOIN loud l USING (user_id) WHERE s.score <> l.score $$, 'scores are the same, bit for bit');
SELECT is_empty($$ SELECT r FROM shop_scores, unnest(reasons) r WHERE r ~ 'view' $$, 'no reason names views');
SELECT cmp_ok((SELECT count(*) FROM shop_scores, unnest(reasons) r), '>', 500::bigint, 'there are others');
SELECT is_empty($$ SELECT e.* FROM loud, churn_explain(user_id) e WHERE user_id % 5 = 0 AND (e.feature ~ 'view|^any_amount' OR e.phrase ~ 'view') $$, 'nor does an explanation');
SELECT is_empty($$ SELECT e.* FROM loud, churn_explain_themes(user_id) e WHERE user_id % 5 = 0 AND (e.feature ~ 'view|^any_amount' OR e.phrase ~ 'view') $$, 'by theme neither');
SELECT ok(bool_and(abs(total - ln(score / (1 - score))) < 1e-9), 'contributions still add up') FROM loud, LATERAL (SELECT sum(contribution) AS total FROM churn_explain(user_id)) x WHERE user_id % 5 = 0;
SELECT ok(bool_and(abs(total - ln(score / (1 - score))) < 1e-9), 'by theme too') FROM loud, LATERAL (SELECT sum(contribution) AS total FROM churn_explain_themes(user_id)) x WHERE user_id % 5 = 0;
SELECT is((SELECT (array_agg(feature || ' ' || phrase))[count(*)] FROM churn_explain(:u)), '(unnamed) what is not to be named', 'the rest is one row, the last');
SELECT is((SELECT count(*) FROM churn_models WHERE cardinality(churn_unnamed(model)) > 0), 0::bigint, 'no stored model was touched');
SELECT churn_set_unnamed('shop', '{}') \g /dev/null
CALL churn_refresh('shop');
SELECT is_empty($$ SELECT * FROM shop_scores s JOIN loud l USING (user_id) WHERE s.reasons <> l.reasons $$, 'all may be named again');

-- which features a kind means
CREATE TABLE champion AS SELECT model AS m, churn_model_inputs(model) AS inputs FROM churn_models WHERE status = 'champion';
SELECT results_eq($$ SELECT unnest(churn_unnamed(churn_unname(m, '{refund}'))) FROM champion ORDER BY 1 $$, $$ SELECT i FROM champion, unnest(inputs) i WHERE i ~ '^refund_|_per_refund|^any_amount' ORDER BY 1 $$, 'a refund is named by net money, too');
SELECT results_eq($$ SELECT unnest(churn_unnamed(churn_unname(m, '{order}'))) FROM champion ORDER BY 1 $$, $$ SELECT i FROM champion, unnest(inputs) i WHERE i ~ '^order_|_per_order|_recency_less_key|_since_key' ORDER BY 1 $$, 'the key kind by all that is told against it');
SELECT is_empty($$ SELECT p.* FROM champion, loud l, LATERAL (SELECT churn_history(ts, kind, amount, churn_spec()) AS h FROM shop e WHERE e.user_id = l.user_id) x,
	churn_contributions(churn_unname(m, '{order,refund}'), h, current_setting('churn.today')::date) p WHERE p.phrase ~ 'order|refund' AND l.user_id % 7 = 0 $$, 'no phrase that is left names them');
SELECT ok(bool_and(abs(churn_base(m) + total - churn_log_odds(m, h, current_setting('churn.today')::date)) < 1e-9), 'churn_themes adds up') FROM champion, loud l, LATERAL (SELECT churn_history(ts, kind, amount, churn_spec()) AS h FROM shop e WHERE e.user_id = l.user_id) x,
	LATERAL (SELECT sum(contribution) AS total FROM churn_themes(churn_unname(m, '{order}'), h, current_setting('churn.today')::date)) t WHERE l.user_id % 7 = 0;

-- errors and rights
SELECT throws_ok(format('SELECT churn_set_unnamed(%L, %s)', s, n), c, w) FROM (VALUES
	('shop', '''{views}''', '42703', '"views" is no feature and no kind of any model of study "shop"'), ('shop', '''{view,order_cuont}''', '42703', '"order_cuont" is no feature and no kind of any model of study "shop"'),
	('shop', 'NULL', '22004', 'names must not be NULL'), ('shop', '''{view,NULL}''', '22004', 'names must not be NULL'), ('nowhere', '''{view}''', '42704', 'study "nowhere" does not exist')) v(s, n, c, w);
SELECT is(unnamed, '{}', 'and nothing was set') FROM churn_studies;
CREATE ROLE reasons_stranger;
SET ROLE reasons_stranger;
SELECT throws_ok($$ SELECT churn_set_unnamed('shop', '{view}') $$, '42501', 'permission denied for study "shop"');
RESET ROLE;
DROP ROLE reasons_stranger;

-- ---- the language ----
SET churn.language = 'zh';
SELECT is_empty($$ SELECT phrase FROM loud, churn_explain(user_id) WHERE user_id % 10 = 0 AND phrase ~ '[a-z]' $$, 'an explanation in Chinese');
SELECT is((SELECT phrase FROM churn_explain(-1)), '没有该用户的任何记录', 'of somebody unknown');
CALL churn_refresh('shop');
RESET churn.language;
SELECT is_empty($$ SELECT r FROM shop_scores, unnest(reasons) r WHERE r !~ '[一-龥]' OR r ~ '[a-z]' $$, 'stored reasons keep the language of their refresh');
SELECT is((SELECT array_agg(phrase) FROM (SELECT phrase FROM churn_explain_themes(:u) WHERE contribution > 0 AND theme <> '(base)' ORDER BY contribution DESC LIMIT 3) x), (SELECT reasons FROM loud WHERE user_id = :u), 'live ones that of the session');
SELECT is((SELECT provolatile::text || count(*) FROM pg_proc WHERE proname IN ('churn_reasons', 'churn_contributions', 'churn_themes', 'churn_feature_phrases') GROUP BY provolatile), 's9', 'words are STABLE, for they depend on a setting');

-- ---- parallel workers know the language ----
SET churn.language = 'zh';
SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET parallel_leader_participation = off;
SELECT is_empty($$ SELECT r FROM (SELECT unnest(churn_reasons(m, p)) AS r FROM option_model, people p) x WHERE r !~ '[一-龥]' $$, 'reasons made in workers');
SELECT * FROM finish();
