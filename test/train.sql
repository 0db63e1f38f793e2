-- churn_train: figures on real data, complete-through, purging, refusals that
-- say the first date that would do, nothing of the future in a feature.
\set ECHO none
SET client_min_messages = error;
SELECT no_plan();
\getenv data CHURN_DATA
\if :{?data}
\else
\set data ''
\endif

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

-- ---- UCI Online Retail ----
CREATE TABLE invoices (customer_id bigint, invoice_no text, invoice_ts timestamp, amount numeric, items bigint, lines int, country text, is_cancellation boolean);
SELECT :'data' || '/online_retail/invoices.csv.gz' AS file \gset
\setenv file :file
SELECT pg_catalog.length(:'data') > 0 AS has_data \gset
\set has_file `test -r "$file" && echo true || echo false`
\if :has_file
\copy invoices FROM PROGRAM 'gzip -dc "$file"' WITH (FORMAT csv, HEADER)
CREATE VIEW retail AS SELECT customer_id AS user_id, invoice_ts AS ts, amount, CASE WHEN is_cancellation THEN 'refund' ELSE 'order' END AS kind
FROM invoices WHERE amount > 0 OR is_cancellation;
SELECT max(invoice_ts)::date + 1 AS today FROM invoices \gset
SET churn.today = :'today';
SELECT churn_create_study('wide', '90 days', active_window => '730 days', key_kinds => '{order}') \g /dev/null
SELECT churn_add_source('wide', 'retail', 'user_id', 'ts', 'amount', kind_column => 'kind') \g /dev/null
CREATE TABLE wide AS SELECT * FROM churn_train('wide');
SELECT is(ROW(version, status, test_date, test_rows, snapshots, gate)::text, '(1,champion,2011-09-10,3370,"{2011-03-14,2011-04-13,2011-05-13,2011-06-12}",)', 'retail: 2011-09-10, 3,370 users, newest training snapshot 2011-06-12') FROM wide;
SELECT is(round(test_churn_rate::numeric, 4), .4306, 'retail: 43.06 % churned') FROM wide;
SELECT cmp_ok(auc, '>=', .735::float8, 'retail: AUC of at least .735') FROM wide;
SELECT cmp_ok(log_loss, '<=', .593::float8, 'retail: log-loss of at most .593') FROM wide;
SELECT is(metrics->'options', '{}', 'retail: by encoding auto, unasked') FROM churn_models WHERE study = 'wide';
SELECT ok(metrics->'forward'->>'tested_on' = '2011-06-12' AND metrics->'forward'->'trained_on' = '["2011-03-14"]' AND (metrics->'forward'->>'linear')::boolean = (churn_model_info(model) #>> '{provenance,encoding}' = 'linear'), 'retail: linear where it is as good on the newest training snapshot')
FROM churn_models WHERE study = 'wide' AND jsonb_typeof(metrics->'forward') = 'object';
-- calibration by snapshot is that of the stored rows under the stored model
SELECT is(count(*) FILTER (WHERE (l->>'rows')::bigint = (e).n AND abs((l->>'mean_score')::float8 - (e).mean_score) < 1e-12 AND abs((l->>'churn_rate')::float8 - (e).base_rate) < 1e-12 AND abs((l->>'slope')::float8 - (e).calibration_slope) < 1e-9 AND abs((l->>'intercept')::float8 - (e).calibration_intercept) < 1e-9), 5::bigint, 'retail: mean score, rate, slope and intercept of all five snapshots')
FROM churn_models m, jsonb_array_elements(metrics->'by_snapshot') l, LATERAL (SELECT churn_evaluate(churn_predict(m.model, s.features), s.churned) AS e FROM wide_snapshots s WHERE s.as_of = (l->>'as_of')::date AND s.purpose = l->>'purpose') x WHERE study = 'wide';
SELECT ok(abs(recency_auc - .683) <= .001 AND abs(key_days_auc - .722) <= .001, 'retail: recency alone .683, order days alone .722') FROM wide;
SELECT ok(max(as_of) FILTER (WHERE purpose = 'train') + 90 <= max(as_of) FILTER (WHERE purpose = 'test') AND bool_and(churned IS NOT NULL AND unknown_reason IS NULL), 'retail: purged, all outcomes known') FROM wide_snapshots;

-- The definitions once more in plain SQL, at the test date.
CREATE TABLE plain AS
SELECT user_id, '2011-09-10' - max(ts)::date AS recency, count(DISTINCT ts::date) AS key_days,
	NOT EXISTS (SELECT FROM retail l WHERE l.user_id = r.user_id AND kind = 'order' AND ts >= '2011-09-10' AND ts < '2011-12-09') AS churned
FROM retail r WHERE kind = 'order' AND ts < '2011-09-10' AND user_id IS NOT NULL GROUP BY user_id;
SELECT is(count(*), 3370::bigint, 'retail: the same users, outcomes, recency and order days as in plain SQL')
FROM plain p JOIN wide_snapshots s USING (user_id) WHERE s.as_of = '2011-09-10' AND s.churned = p.churned AND s.recency = p.recency AND s.key_days = p.key_days;
SELECT ok(abs(w.auc - a.auc) < 1e-12 AND abs(w.mean_score - a.mean) < 1e-9, 'retail: AUC and mean score are those of the stored model on the stored rows')
FROM wide w, (SELECT churn_auc(p, churned) AS auc, avg(p) AS mean FROM (SELECT churn_predict(m.model, s.features) AS p, churned
	FROM wide_snapshots s, churn_models m WHERE purpose = 'test' AND m.study = 'wide') x) a;
SELECT is((SELECT count(*) FROM wide_snapshots s JOIN wide_features f USING (user_id, as_of) WHERE f.order_recency IS NOT DISTINCT FROM s.recency), (SELECT count(*) FROM wide_snapshots), 'retail: STUDY_features holds them by name');

SELECT churn_create_study('narrow', '90 days', key_kinds => '{order}') \g /dev/null
SELECT churn_add_source('narrow', 'retail', 'user_id', 'ts', 'amount', kind_column => 'kind') \g /dev/null
CREATE TABLE narrow AS SELECT * FROM churn_train('narrow', options => '{"max_search_rows": 4000}');
SELECT is(test_rows, 1907::bigint, 'retail, active window of 90 days: 1,907 users') FROM narrow;
SELECT is(round(test_churn_rate::numeric, 3), .310, 'retail, active window of 90 days: 31.0 % churned') FROM narrow;
SELECT cmp_ok(auc, '>=', .745::float8, 'retail, active window of 90 days: AUC of at least .745') FROM narrow;
SELECT ok(abs(key_days_auc - .741) <= .001, 'retail, active window of 90 days: order days alone .741') FROM narrow;
\else
SELECT skip('CHURN_DATA has no online_retail/invoices.csv.gz', 16);
\endif

-- ---- CDNOW sample: orders only, dates without time ----
CREATE TABLE cdnow (customer_id int, master_customer_id int, order_date date, cds int, amount numeric);
SELECT :'data' || '/cdnow_sample/transactions.csv.gz' AS file \gset
\setenv file :file
\set has_file `test -r "$file" && echo true || echo false`
\if :has_file
\copy cdnow FROM PROGRAM 'gzip -dc "$file"' WITH (FORMAT csv, HEADER)
SET churn.today = '1998-07-01';
SELECT churn_create_study('cdnow', '90 days', active_window => '365 days') \g /dev/null
SELECT churn_add_source('cdnow', 'cdnow', 'customer_id', 'order_date', 'amount', kind => 'order') \g /dev/null
CREATE TABLE cd AS SELECT * FROM churn_train('cdnow');
SELECT is(test_date, date '1998-04-02', 'cdnow: bare dates include the newest day') FROM cd;
SELECT cmp_ok(auc, '>=', key_days_auc, 'cdnow: AUC at least that of order days alone') FROM cd;
SELECT cmp_ok(c.auc, '>=', churn_auc(-n::float8, churned), 'cdnow: AUC at least that of the number of orders alone')
FROM cd c, cdnow_snapshots s JOIN (SELECT customer_id, count(*) AS n FROM cdnow WHERE order_date < '1998-04-02' GROUP BY 1) o ON o.customer_id = s.user_id
WHERE s.as_of = c.test_date GROUP BY c.auc;
\else
SELECT skip('CHURN_DATA has no cdnow_sample/transactions.csv.gz', 3);
\endif

-- ---- a simulated shop; with C given, for the time's sake ----
\set c '\'{"c": 0.001, "encoding": "linear"}\''
CREATE TABLE shop AS SELECT user_id, ts, kind, amount, known_at FROM churn_simulate(2200, 400, 1) WHERE kind IN ('order', 'view', 'refund', 'cart', 'ticket');
SELECT max(ts)::date AS today, min(ts)::date AS first_day, max(ts)::date - 1 AS complete FROM shop WHERE ts < '2024-02-05' \gset
SET churn.today = :'today';
SELECT churn_create_study('shop', '60 days', windows => '{30,365}') \g /dev/null
SELECT throws_ok('SELECT churn_train(''shop'')', '55000', NULL, 'no source');
SELECT churn_add_source('shop', 'shop', 'user_id', 'ts', 'amount', kind_column => 'kind') \g /dev/null
SELECT matches(error_of('SELECT churn_train(''shop'')'), '^55000 study "shop" does not say which kinds .*The sources give the kinds "cart", "order", "refund", "ticket", "view"\..*key_kinds => ARRAY\[', 'key kinds unsaid: the kinds are listed');
SELECT churn_alter_study('shop', key_kinds => '{purchase}') \g /dev/null
SELECT matches(error_of('SELECT churn_train(''shop'')'), '^55000 .*The sources give the kinds "cart"|^55000 study "shop" has no event of a key kind', 'a key kind that does not occur');
SELECT churn_alter_study('shop', key_kinds => '{order}') \g /dev/null
CREATE TABLE first AS SELECT * FROM churn_train('shop', options => :c);
SELECT is((SELECT status FROM first), 'champion', 'the first model becomes champion');
SELECT is((SELECT test_date FROM first), (SELECT max(ts)::date - 1 + 1 - 60 FROM shop WHERE kind = 'order' AND ts < :'today'::date + 1), 'timestamps: the newest day is not complete');
CREATE TABLE second AS SELECT * FROM churn_train('shop', options => :c);
SELECT is((SELECT ROW(version, status)::text FROM second), '(2,accepted)', 'the second waits');
SELECT is((SELECT count(DISTINCT model::text) FROM churn_models WHERE study = 'shop'), 1::bigint, 'the same data give the same model, bit for bit');
SELECT is((SELECT count(*) FROM churn_models WHERE study = 'shop' AND status = 'champion'), 1::bigint, 'one champion');
SELECT throws_ok($$UPDATE churn_models SET status = 'champion' WHERE study = 'shop' AND version = 2$$, '23505', NULL, 'two champions cannot be');
SELECT churn_promote('shop', 2) \g /dev/null
SELECT is((SELECT array_agg(status ORDER BY version) FROM churn_models WHERE study = 'shop'), '{retired,champion}', 'promoting retires the one before');
SELECT churn_promote('shop', 1) \g /dev/null
SELECT is((SELECT array_agg(status ORDER BY version) FROM churn_models WHERE study = 'shop'), '{champion,retired}', 'and back');
SELECT throws_ok($$SELECT churn_promote('shop', 9)$$, '42704', 'study "shop" has no model of version 9');

-- Fitting again on everything, with the settings of the model that passed.
CREATE TABLE again AS SELECT * FROM churn_train('shop', options => :c::jsonb || '{"refit": true}');
SELECT is((SELECT array_agg(ROW(version, status, refit_of)::text ORDER BY version) FROM again), '{"(3,accepted,)","(4,accepted,3)"}', 'refit: a version of its own');
SELECT is((SELECT snapshots || test_date FROM again WHERE version = 3), (SELECT snapshots FROM again WHERE version = 4), 'refit: on the test snapshot too');
SELECT ok(a.auc = b.auc AND a.log_loss = b.log_loss AND b.rows = a.rows + a.test_rows, 'refit: the figures are those of the tested model') FROM again a, again b WHERE a.version = 3 AND b.version = 4;
SELECT is((SELECT model::text FROM churn_models WHERE study = 'shop' AND version = 4), (SELECT churn_fit(s.features, s.churned, churn_key_hash(s.user_id::text, 'fold'), churn_model_spec(m.model), :c)::text
	FROM shop_snapshots s, churn_models m WHERE m.study = 'shop' AND m.version = 3), 'refit: bit for bit the fit of all snapshots');
SELECT is(metrics->'settings', '{"c": 0.001, "encoding": "linear"}', 'refit: the settings are recorded') FROM churn_models WHERE study = 'shop' AND version = 4;
SELECT ok((SELECT count(*) FROM churn_models WHERE study = 'shop' AND metrics ? 'refit_of') = 1, 'refit: only when asked');
SELECT set_eq($$SELECT target, measured, lower, upper, n, pass, looks FROM churn_verdict('shop', 4)$$, $$SELECT target, measured, lower, upper, n, pass, looks FROM churn_verdict('shop', 3)$$, 'refit: judged by what the tested model showed');
CREATE TABLE paired AS SELECT * FROM churn_train('shop', snapshots => 2, options => '{"c": 0.001, "encoding": "pairs", "pairs": 2, "refit": true}');
SELECT is((SELECT array_agg(churn_model_info(m.model) #> '{provenance,pairs}') FROM churn_models m JOIN paired USING (version) WHERE study = 'shop'), '{2,2}', 'refit: as many pairs');
SELECT is((SELECT count(*) FROM churn_fit_by_snapshot((SELECT s FROM churn_studies s WHERE study = 'shop'), (SELECT model FROM churn_models WHERE study = 'shop' AND version = 6)) l, jsonb_array_elements(l)), 3::bigint, 'a line a snapshot');

-- Curves that hold in every snapshot are kept, those that the newest one does
-- not have are not.
CREATE FUNCTION encoding_of(dates date[], OUT encoding text, OUT forward jsonb) LANGUAGE sql AS $$
	SELECT churn_model_info(f.model) #>> '{provenance,encoding}', f.forward
	FROM churn_studies s, churn_models m, LATERAL churn_fit_training(s, churn_model_spec(m.model), '{"max_search_rows": 2000, "pairs": 0}', dates) f WHERE s.study = 'shop' AND m.study = 'shop' AND m.version = 1 $$;
CREATE TABLE kept AS SELECT * FROM shop_snapshots;
DELETE FROM shop_snapshots;
-- one feature, and a label that its middle third makes likely
INSERT INTO shop_snapshots SELECT i, '2023-10-01'::date + 60 * (i % 2), 'train', 'repeat', (hashint4(i) & 1023) / 1024.0 < CASE WHEN mod(hashint4(i * 7) & 1023, 3) = 1 THEN .8 ELSE .2 END, NULL, 1, 1,
	ARRAY[mod(hashint4(i * 7) & 1023, 3)]::float8[] || array_fill(NULL::float8, ARRAY[n - 1])
FROM generate_series(1, 3000) i, (SELECT cardinality(churn_model_inputs(model)) AS n FROM churn_models WHERE study = 'shop' AND version = 1) k;
CREATE TABLE held AS SELECT * FROM encoding_of('{2023-10-01,2023-11-30}');
SELECT is((SELECT encoding FROM held), 'bins', 'a curve that holds is kept');
SELECT ok(NOT (forward->>'linear')::boolean AND (forward->>'bins_log_loss')::float8 < (forward->>'linear_log_loss')::float8 - .1 AND (forward->>'rows')::int = 1500, 'and metrics say by how much') FROM held;
SELECT is((SELECT ROW(encoding, forward)::text FROM encoding_of('{2023-10-01,2023-11-29}')), '(bins,)', 'no snapshot that ends before the newest begins: folds alone decide');
UPDATE shop_snapshots SET churned = hashint4(user_id::int) % 2 = 0 WHERE as_of = '2023-11-30';
INSERT INTO shop_snapshots SELECT user_id + 10000, as_of, purpose, stage, churned, NULL, 1, 1, features FROM shop_snapshots WHERE as_of = '2023-10-01';
SELECT is((SELECT encoding FROM encoding_of('{2023-10-01,2023-11-30}')), 'linear', 'one that the newest snapshot does not have is not');
DELETE FROM shop_snapshots;
INSERT INTO shop_snapshots SELECT * FROM kept;

-- Little memory: all rows by way of files; and where files are bounded, whole
-- users drawn by hash, the same ones each time.
SELECT is(churn_fit_share(1000, 100), 1::float8, 'a small fit has room');
SELECT throws_ok('SELECT churn_fit_share(-1, 10)', '22023');
SET churn.memory = '8MB';
SELECT is(churn_fit_share(1000000, 500), 1::float8, 'a large one has, in files');
SELECT is((SELECT rows FROM churn_train('shop', options => :c)), (SELECT rows FROM first), 'training on all rows, in files');
SET temp_file_limit = '1MB';
SELECT ok(churn_fit_share(1000000, 500) < .01, 'and where they are bounded, not');
RESET churn.memory;
RESET temp_file_limit;

-- Arguments.
SELECT throws_ok('SELECT churn_train(' || bad || ')', state, NULL, 'train(' || bad || ')') FROM (VALUES
	('''shop'', snapshots => 0', '22023'), ('''shop'', snapshots => NULL', '22023'), ('''shop'', snapshots => 500', '22023'), ('''shop'', step => ''1 month''', '22023'), ('''shop'', step => ''0 days''', '22023'),
	('''shop'', step => NULL', '22023'), ('NULL', '22004'), ('''none''', '42704'), ('''shop'', options => ''{"colour": 1}''', '22023'), ('''shop'', options => ''{"refit": 1}''', '22023'), ('''shop'', options => ''[]''', '22023'), ('''shop'', test_date => ''infinity''', '22023')) v (bad, state);
SELECT is(ok, true, 'a test date too new names the newest') FROM (SELECT error_of(format('SELECT churn_train(''shop'', test_date => %L)', test_date + 1)) ~ format('^22023 outcomes of %s are not known before .* \| .*\| The newest date that can be tested is %s\.$', test_date + 1, test_date) AS ok FROM first) x;
SELECT is(t.test_date, f.test_date - 20, 'a test date given') FROM first f, churn_train('shop', test_date => f.test_date - 20, snapshots => 2, step => '15 days', options => '{"c": 0.01}') t;
SELECT is(max(as_of) - min(as_of), 60 + 15, 'snapshots and step given') FROM shop_snapshots;
SELECT matches(error_of(format('SELECT churn_train(''shop'', test_date => %L)', :'first_day'::date + 90)), '^55000 .*The first test date that would do is ' || (:'first_day'::date + 120), 'a test date too old names the first');
SELECT lives_ok(format('SELECT churn_train(''shop'', test_date => %L, snapshots => 1, options => %L)', :'first_day'::date + 150, :c), 'a date past that works');
SELECT lives_ok('SELECT churn_train(''shop'', snapshots => 1, options => NULL)', 'options NULL are none');

-- ---- nothing of the future in a feature ----
SELECT test_date FROM first \gset
SELECT churn_train('shop', options => :c) \g /dev/null
CREATE TABLE before_ AS SELECT user_id, as_of, features FROM shop_snapshots;
CREATE TABLE models_before AS SELECT model FROM churn_models WHERE study = 'shop' AND version = 1;
INSERT INTO shop SELECT u, timestamptz '2023-01-01Z' + (:'test_date'::date - date '2023-01-01' + i) * interval '1 day', k, u
FROM generate_series(1, 2200, 7) u, generate_series(0, 40, 9) i, unnest(ARRAY['order', 'view', 'refund']) k;
SELECT churn_train('shop', options => :c) \g /dev/null
SELECT is((SELECT count(*) FROM before_ b JOIN shop_snapshots s USING (user_id, as_of) WHERE s.features IS DISTINCT FROM b.features) + (SELECT count(*) FROM before_) - (SELECT count(*) FROM shop_snapshots), 0::bigint, 'noise from the test date on changes no feature and nobody at risk');
SELECT is((SELECT md5(model::text) FROM churn_models WHERE study = 'shop' ORDER BY version DESC LIMIT 1), (SELECT md5(model::text) FROM models_before), 'nor a bit of the model');
SELECT isnt((SELECT sum(churned::int) FROM shop_snapshots WHERE purpose = 'test'), (SELECT (test_rows * test_churn_rate)::bigint FROM first), 'but it changes the outcomes of the test');

-- ---- complete through ----
CREATE TABLE web (u int, ts timestamptz, kind text);
CREATE TABLE store (u int, day date, kind text);
CREATE TABLE mails (u int, day date);
INSERT INTO web SELECT u, d, 'order' FROM generate_series(1, 9) u, generate_series(timestamptz '2024-01-01 10:00Z', '2024-06-20 10:00Z', '1 day') d;
INSERT INTO store SELECT u, d::date, 'order' FROM generate_series(1, 9) u, generate_series(timestamptz '2024-01-01Z', '2024-06-10Z', '1 day') d;
INSERT INTO mails VALUES (1, '2024-06-30');
CREATE FUNCTION complete(study text) RETURNS date LANGUAGE sql AS $$ SELECT substring(verdict FROM 'complete through (.{10})')::date FROM churn_feasible(study) WHERE purpose = 'data' $$;
SET churn.today = '2024-07-01';
SELECT churn_create_study('c', '30 days', key_kinds => '{order}') \g /dev/null
SELECT churn_add_source('c', 'web', 'u', 'ts', kind_column => 'kind') \g /dev/null
SELECT is(complete('c'), '2024-06-19', 'timestamps: the day before the newest event');
SET churn.today = '2024-06-15';
SELECT is(complete('c'), '2024-06-14', 'rows after today do not count, today is not over');
SET churn.today = '2024-07-01';
INSERT INTO web VALUES (1, '2024-06-28 10:00Z', 'view');
SELECT is(complete('c'), '2024-06-19', 'events of other kinds do not complete a day');
SELECT churn_add_source('c', 'store', 'u', 'day', kind => 'order') \g /dev/null
SELECT is(complete('c'), '2024-06-10', 'several sources: the least; bare dates: the newest day');
INSERT INTO store VALUES (1, '2024-07-01', 'order');
SELECT is(complete('c'), '2024-06-19', 'bare dates: never today');
CREATE TABLE surveys (u int, day date);
INSERT INTO surveys VALUES (1, '2024-02-01');
SELECT churn_add_source('c', 'surveys', 'u', 'day', kind => 'survey') \gset survey_
SELECT is((SELECT f.complete_through FROM churn_study_row('c') d, churn_source_facts(d, '2024-07-01') f WHERE f.source = :survey_churn_add_source), NULL, 'bare dates without a key event complete nothing');
SELECT is(complete('c'), '2024-06-19', 'and do not hold others up');
SELECT churn_drop_source('c', :survey_churn_add_source) \g /dev/null
SELECT churn_add_source('c', 'mails', 'u', 'day', kind => 'mail', role => 'action') \g /dev/null
SELECT is(complete('c'), '2024-06-19', 'actions do not count');
SELECT churn_alter_study('c', complete_until => '2024-06-05') \g /dev/null
SELECT is(complete('c'), '2024-06-05', 'complete_until overrides');
SELECT churn_alter_study('c', complete_until => '2025-01-01') \g /dev/null
SELECT is(complete('c'), '2024-07-01', 'but not beyond today');
SELECT is((SELECT array_agg(DISTINCT k) FROM churn_study_kinds((SELECT s FROM churn_studies s WHERE study = 'c'), '2024-07-01') x, unnest(x) k), '{order,view}', 'actions are no features');

-- ---- any date, with the reason for an outcome not known ----
SELECT churn_alter_study('c', complete_until => '2024-06-19') \g /dev/null
SELECT is((SELECT count(*) FILTER (WHERE churned IS NOT NULL AND unknown_reason IS NULL) FROM churn_snapshot('c', '2024-05-21')), 9::bigint, 'outcomes are known when the window is complete');
SELECT is((SELECT DISTINCT ROW(churned, unknown_reason)::text FROM churn_snapshot('c', '2024-05-22')), '(,"outcome known on 2024-06-21, events complete through 2024-06-19")', 'a day later: NULL with the reason, never false');
SELECT is(churned, false, 'stayed') FROM churn_snapshot('c', '2024-05-21') WHERE user_id = '1';
SELECT throws_ok($$SELECT churn_snapshot('c', '2024-07-02')$$, '22023', 'as_of must be a date up to today, 2024-07-01, not 2024-07-02');
SELECT throws_ok($$SELECT churn_snapshot('c', NULL)$$, '22023', NULL, 'as_of NULL');

-- ---- notices and warnings ----
-- A function cannot read what was raised; the server's log of a second session could.
-- What is raised is shown in sql/study.sql; here: rows from the future do not count.
CREATE TABLE ahead AS SELECT * FROM web WHERE kind = 'order';
SELECT churn_create_study('ahead', '30 days') \g /dev/null
SELECT churn_add_source('ahead', 'ahead', 'u', 'ts', kind => 'order') \g /dev/null
CREATE TABLE facts AS SELECT * FROM churn_source_facts((SELECT s FROM churn_studies s WHERE study = 'ahead'), '2024-07-01');
INSERT INTO ahead SELECT 1, '2030-01-01Z', 'order' FROM generate_series(1, 5);
INSERT INTO ahead VALUES (NULL, '2024-01-01Z', 'order'), (3, NULL, 'order'), (3, NULL, 'order');
SELECT is((SELECT ROW(events, no_user, no_time, future, first_day, last_day, complete_through)::text FROM churn_source_facts((SELECT s FROM churn_studies s WHERE study = 'ahead'), '2024-07-01')),
	'(1548,1,2,5,2024-01-01,2024-06-20,2024-06-19)', 'rows without a user or time and rows from the future are counted apart');
SELECT is((SELECT ROW(events, first_day, last_day, complete_through)::text FROM facts), '(1548,2024-01-01,2024-06-20,2024-06-19)', 'as without them');

-- ---- too little, and when it will be enough ----
SELECT matches(error_of('SELECT churn_train(''ahead'')'), '^55000 too few users .*The largest training snapshot has 0 users who churned and 9 who stayed, the test snapshot at 2024-05-21 has 0 of the rarer class; 200', 'too few users, with the counts');
CREATE TABLE young AS SELECT * FROM shop WHERE kind = 'order';
SELECT churn_create_study('young', '60 days', gap => '5 days') \g /dev/null
SELECT churn_add_source('young', 'young', 'user_id', 'ts', kind => 'order') \g /dev/null
SET churn.today = '2023-05-01';
SELECT error_of('SELECT churn_train(''young'')') AS refusal \gset
SELECT matches(:'refusal'::text, '^55000 study "young" has no training snapshot', 'no purged snapshot');
SELECT substring(:'refusal' FROM 'The first date that would do is (.{10})\.') AS first_date \gset
SELECT matches((SELECT verdict FROM churn_feasible('young') WHERE purpose = 'verdict'), 'the first date that would do is ' || :'first_date', 'churn_feasible says the same date');
SET churn.today = :'first_date';
SELECT is((SELECT cardinality(snapshots) FROM churn_train('young', options => :c)), 1, 'and on that date it trains');
SELECT format('SET churn.today = %L', :'first_date'::date - 1) \gexec
SELECT throws_ok('SELECT churn_train(''young'')', '55000', NULL, 'a day before it does not');
SELECT is((SELECT status FROM churn_models WHERE study = 'young'), 'champion', 'a failed training leaves the champion');
SELECT ok(to_regclass('young_staging') IS NULL, 'and no staging table');
CREATE TABLE young_staging (mine int);
SET churn.today = :'first_date';
SELECT throws_ok('SELECT churn_train(''young'')', '42P07', 'table public.young_staging is in the way');

-- ---- several years at once, known-at ----
SET churn.today = :'today';
SELECT churn_create_study('late', '60 days', key_kinds => '{order}') \g /dev/null
SELECT churn_add_source('late', 'shop', 'user_id', 'ts', 'amount', kind_column => 'kind', known_at_column => 'known_at') \g /dev/null
CREATE TABLE late_rows AS SELECT * FROM churn_train('late', options => :c::jsonb || '{"refit": true}');
SELECT ok(min(auc) > .6, 'events with the time at which they became known') FROM late_rows;
SELECT is((SELECT array_agg(ROW(version, status, refit_of)::text ORDER BY version) FROM late_rows), '{"(1,retired,)","(2,champion,1)"}', 'refit: it takes the place of the tested one');
SELECT is((SELECT array_agg(status ORDER BY version) FROM churn_models WHERE study = 'late'), '{retired,champion}', 'as stored');
CREATE TABLE poor AS SELECT * FROM churn_train('late', options => :c::jsonb || '{"refit": true}' || (SELECT jsonb_build_object('exclude', i[1:cardinality(i) - 1]) FROM churn_models m, churn_model_inputs(m.model) i WHERE study = 'late' AND version = 1));
SELECT is((SELECT array_agg(ROW(version, status, refit_of)::text) FROM poor), '{"(3,refused,)"}', 'refit: not after a refusal');
-- half of the events known later than a step: no snapshot would see them
CREATE VIEW slow AS SELECT user_id, ts, kind, amount, ts + CASE WHEN user_id % 10 < 6 THEN interval '40 days' ELSE '0' END AS known_at FROM shop;
SELECT churn_create_study('slow', '60 days', windows => '{30,365}', key_kinds => '{order}') \g /dev/null
SELECT churn_add_source('slow', 'slow', 'user_id', 'ts', 'amount', kind_column => 'kind', known_at_column => 'known_at') \g /dev/null
SELECT matches(error_of('SELECT churn_train(''slow'')'), '^55000 half of the events of public.slow became known 40 days late or later, more than the step of 30 days.*churn_check_data\(''slow''\)', 'a median lag beyond the step is refused');
SELECT doesnt_match(error_of('SELECT churn_train(''slow'', snapshots => 2, step => ''40 days'')'), 'half of the events', 'not one of a step');
CREATE OR REPLACE VIEW slow AS SELECT user_id, ts, kind, amount, greatest(ts, timestamp '2023-12-15') AS known_at FROM shop;
SELECT matches(error_of('SELECT churn_train(''slow'')'), '^55000 half of the events of public.slow became known ', 'a backfill is refused');
SELECT * FROM finish();
