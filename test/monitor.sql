-- Watching: expected figures against their definition, cells against plain
-- SQL, realised figures against a direct computation; a planted shift alarms
-- after three runs and not before, stable days do not; alerts open, are
-- acknowledged, close; who sees and writes what.
\set ECHO none
SET client_min_messages = error;
SELECT no_plan();

-- ---- churn_expected: the sum over all pairs ----
CREATE TABLE p AS SELECT i, CASE WHEN i % 7 = 0 THEN .25 ELSE i / 401.0 END::float8 AS p FROM generate_series(1, 400) i;
CREATE TABLE expected AS SELECT (e).*, y.want, x.rate, z.top FROM (SELECT churn_expected(p) AS e, avg(p) AS rate FROM p) x,
	(SELECT sum((a.p > b.p)::int * a.p * (1 - b.p) + (a.p = b.p)::int * .5 * a.p * (1 - b.p)) / sum(a.p * (1 - b.p)) AS want FROM p a, p b WHERE a.i <> b.i) y,
	(SELECT avg(p) AS top FROM (SELECT p FROM p ORDER BY p DESC LIMIT 40) t) z;
SELECT ok(abs(auc - want) < 1e-12, 'expected AUC: all pairs, half for ties, none with itself') FROM expected;
SELECT ok(abs(churn_rate - rate) < 1e-12 AND n = 400, 'expected churn rate') FROM expected;
SELECT ok(abs(precision_10 - top) < 1e-12 AND abs(lift_10 - top / rate) < 1e-12, 'expected precision and lift of the highest tenth') FROM expected;
SELECT is((SELECT churn_expected(p) FROM p WHERE false), NULL, 'no rows');
SELECT is((SELECT churn_expected(NULL::float8) FROM p), NULL, 'only NULL');
SELECT is((SELECT (churn_expected(v)).n FROM unnest('{.1,NULL,.3}'::float8[]) v), 2::bigint, 'NULL is ignored');
SELECT is((SELECT (churn_expected(v)).auc FROM unnest('{.3}'::float8[]) v), NULL, 'one user: no pair');
SELECT is((SELECT (churn_expected(v)).auc FROM unnest('{0,1,1}'::float8[]) v), 1::float8, 'certainty');
SELECT is((SELECT (churn_expected(v)).auc FROM unnest('{0,0}'::float8[]) v), NULL, 'nobody churns');
SELECT ok(abs((SELECT (churn_expected(.2)).auc FROM p) - .5) < 1e-12, 'one score for all');
SELECT throws_ok(format('SELECT churn_expected(%L::float8)', v), '22003', NULL, v || ' is no probability') FROM unnest(ARRAY['1.1', '-0.1', 'NaN', 'Infinity']) v;
SELECT ok((SELECT (churn_expected(p ORDER BY i)).auc FROM p) = (SELECT (churn_expected(p ORDER BY p DESC)).auc FROM p), 'order does not matter');
-- a calibrated set: what is expected comes true
SELECT ok(abs((churn_expected(p)).auc - churn_auc(p, churn_key_share(i || ' ' || k, 'coin') < p)) < .02, 'expected AUC is near that of 20,000 calibrated users') FROM p, generate_series(1, 50) k;

-- ---- churn_cell_counts ----
CREATE TABLE f AS SELECT i, (i % 13)::float8 AS s, ARRAY[NULLIF(i % 5, 3), i % 3, 1000 - i]::float8[] AS v FROM generate_series(1, 2000) i;
CREATE FUNCTION cells() RETURNS float8[] LANGUAGE sql AS $$ SELECT churn_cell_counts(s, v, '{0,1,3}', '{{3,6,9},{0,2,NaN},{-500,0,500}}') FROM f $$;
SELECT is(cells(), (SELECT ARRAY[
	ARRAY[count(*) FILTER (WHERE s <= 3), count(*) FILTER (WHERE s > 3 AND s <= 6), count(*) FILTER (WHERE s > 6 AND s <= 9), count(*) FILTER (WHERE s > 9), 0],
	ARRAY[count(*) FILTER (WHERE v[1] <= 0), count(*) FILTER (WHERE v[1] > 0 AND v[1] <= 2), count(*) FILTER (WHERE v[1] > 2), 0, count(*) FILTER (WHERE v[1] IS NULL)],
	ARRAY[count(*) FILTER (WHERE v[3] <= -500), count(*) FILTER (WHERE v[3] > -500 AND v[3] <= 0), count(*) FILTER (WHERE v[3] > 0 AND v[3] <= 500), count(*) FILTER (WHERE v[3] > 500), 0]]::float8[] FROM f), 'rows of each cell');
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
ALTER TABLE f SET (parallel_workers = 2);
CREATE FUNCTION plan_of(statement text) RETURNS text LANGUAGE plpgsql AS $$ DECLARE l text; p text := ''; BEGIN FOR l IN EXECUTE 'EXPLAIN (COSTS OFF) ' || statement LOOP p := p || l; END LOOP; RETURN p; END $$;
SELECT matches(plan_of($$SELECT churn_cell_counts(s, v, '{0}', '{{3}}') FROM f$$), 'Partial Aggregate', 'parallel');
CREATE TABLE parallel AS SELECT churn_cell_counts(s, v, '{0,1,3}', '{{3,6,9},{0,2,NaN},{-500,0,500}}') AS c, (SELECT churn_expected(s / 13) FROM f) AS e FROM f;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; SET max_parallel_workers_per_gather = 0;
SELECT ok(c = cells() AND e = (SELECT churn_expected(s / 13) FROM f), 'with the serial result') FROM parallel;
RESET max_parallel_workers_per_gather;
SELECT is((SELECT churn_cell_counts(s, v, '{0}', '{{3}}') FROM f WHERE false), NULL, 'no rows');
SELECT throws_ok(format('SELECT churn_cell_counts(s, v, %L, %L) FROM f', p, c), state, NULL, p || ' and ' || c) FROM (VALUES
	('{0,1}', '{{3}}', '22023'), ('{0}', '{3}', '22023'), ('{NULL}', '{{3}}', '22023'), ('{0}', '{{NULL}}', '22023'), ('{4}', '{{3}}', '2202E'), ('{-1}', '{{3}}', '2202E')) x (p, c, state);
SELECT throws_ok('SELECT churn_cell_counts(s, v, ''{0}'', CASE WHEN i < 9 THEN ''{{3}}'' ELSE ''{{3,4}}'' END::float8[]) FROM f', '22023', 'cuts must be the same for all rows');
SELECT throws_ok('SELECT churn_cell_counts(s, NULL, ''{0}'', ''{{3}}'') FROM f', '22004', NULL, 'no features');

-- ---- a shop, whose views are lost for half the users from a day on ----
CREATE TABLE shop AS SELECT user_id, ts, kind, amount FROM churn_simulate(2500, 330, 5, late_arrivals => false)
WHERE NOT (kind = 'view' AND user_id % 2 = 0 AND ts >= '2023-09-06');
CREATE TABLE mails (who bigint, sent date, template text);
SET churn.today = '2023-08-27';
SELECT churn_create_study('shop', '30 days', key_kinds => '{order}', windows => '{7,30}', holdout_share => .2) \g /dev/null
SELECT churn_add_source('shop', 'shop', 'user_id', 'ts', 'amount', kind_column => 'kind') \g /dev/null
SELECT churn_add_source('shop', 'mails', 'who', 'sent', kind_column => 'template', role => 'action') \g /dev/null
SELECT throws_ok('SELECT churn_monitor(''shop'')', '55000', 'study "shop" has no champion');
SELECT churn_train('shop', snapshots => 4, options => '{"c": 0.001, "encoding": "linear"}') \g /dev/null
SELECT throws_ok('SELECT churn_monitor(NULL)', '22004', 'study must not be null');
SELECT throws_ok('SELECT churn_monitor(''none'')', '42704', 'study "none" does not exist');
SELECT throws_ok(format('SELECT churn_monitor(''shop'', %L)', d), '22023', NULL, 'as of ' || d) FROM unnest(ARRAY['2023-08-28', 'infinity', '-infinity']) d;

-- what is stored at training
SELECT ok(reference = '2023-07-28' AND users = (SELECT count(*) FROM shop_snapshots WHERE purpose = 'test') AND features[1] = '(score)' AND cardinality(features) <= 401
	AND past_days = '{30,60,90,120}' AND past_pairs = '{4,3,2,1}' AND factor >= 1, 'one date, distances of the training snapshots') FROM churn_distributions;
SELECT is((SELECT array_agg(DISTINCT t ORDER BY t) FROM churn_models m, churn_model_terms(m.model) x, unnest(ARRAY[x.term, x.partner]) t WHERE t IS NOT NULL AND (weight <> 0 OR missing_weight <> 0)),
	(SELECT array_agg(u ORDER BY u) FROM churn_distributions, unnest(features[2:]) u), 'every feature with weight');
SELECT is((SELECT count(*) FROM churn_distributions, generate_subscripts(counts, 1) i WHERE (SELECT sum(c) FROM unnest(counts[i:i]) c) <> users), 0::bigint, 'every user is in one cell');
SELECT ok(bool_and(abs(c - users / 10.0) < 2), 'cells of the score hold a tenth each') FROM churn_distributions, unnest(counts[1:1][1:10]) c;
-- the mean over pairs 30 days apart, of one feature, in plain SQL
SELECT ok(abs(s.mean - (churn_array_row(d.past_psi, 1))[array_position(d.features, 'order_recency')]) < 1e-12, 'past PSI of a feature is that of churn_psi')
FROM churn_distributions d, (SELECT avg(churn_psi(a.c, b.c)) AS mean FROM (SELECT as_of, churn_array_row(churn_cell_counts(.5, f.features, ARRAY[x.positions[i]], x.cuts[i:i]), 1) AS c
		FROM shop_snapshots f, churn_distributions x, LATERAL (SELECT array_position(x.features, 'order_recency')) y (i) GROUP BY 1) a
	JOIN (SELECT as_of, churn_array_row(churn_cell_counts(.5, f.features, ARRAY[x.positions[i]], x.cuts[i:i]), 1) AS c
		FROM shop_snapshots f, churn_distributions x, LATERAL (SELECT array_position(x.features, 'order_recency')) y (i) GROUP BY 1) b ON b.as_of = a.as_of + 30) s;
SELECT ok(bool_and(churn_grows_with_time(n)), 'totals of a lifetime') FROM unnest('{order_tenure,any_span,view_count,order_days,order_amount,order_amount_max,cart_lapses,order_gap_max}'::text[]) n;
SELECT ok(NOT bool_or(churn_grows_with_time(n)), 'and what is none') FROM unnest('{order_recency,view_count_30d,order_days_7d,order_amount_mean_30d,tenure_recency,order_gap_mean,any_days_past_max}'::text[]) n;
SELECT ok((churn_past_thresholds(d, 300)).psi[2] >= (churn_past_thresholds(d, 120)).psi[2] AND (churn_past_thresholds(d, 120)).psi[2] >= (churn_past_thresholds(d, 10)).psi[2]
	AND (churn_past_thresholds(d, 10)).psi[2] >= .1, 'thresholds grow with distance, and are at least .1') FROM churn_distributions d;

-- stable days
CREATE FUNCTION night(day date) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('churn.today', day::text, false);
	CALL churn_refresh('shop');
	PERFORM churn_monitor('shop');
END $$;
SELECT night(d::date) FROM generate_series('2023-08-28'::date, '2023-08-31', '1 day') d \g /dev/null
SELECT is((SELECT string_agg(what || ': ' || measured, ', ') FROM churn_alerts), NULL, 'four stable days: no alert');
SELECT is((SELECT string_agg(DISTINCT what, ',' ORDER BY what) FROM churn_monitoring), 'base_rate,churn_excess,coverage,expected_auc,expected_precision,feature_drift,freshness,score_age,score_drift', 'what is watched');
SELECT is((SELECT count(*) FROM churn_monitoring WHERE threshold IS NOT NULL AND runs <> -4 AND as_of = '2023-08-31' AND NOT "over"), 0::bigint, 'runs without are counted');
SELECT is((SELECT count(*) FROM churn_monitoring WHERE threshold IS NOT NULL AND churn_grows_with_time(subject)), 0::bigint, 'totals of a lifetime are shown and never alarm');
SELECT isnt_empty('SELECT FROM churn_monitoring WHERE what = ''feature_drift'' AND value > .1 AND churn_grows_with_time(subject)', 'although their PSI is large');
CREATE TABLE before AS SELECT * FROM churn_monitoring;
SELECT churn_monitor('shop') \g /dev/null
SELECT set_eq($$SELECT as_of, what, subject, value, threshold, runs, details FROM churn_monitoring$$, 'SELECT as_of, what, subject, value, threshold, runs, details FROM before', 'the same day again changes nothing');
-- one row in plain SQL
CREATE TABLE now_ AS SELECT s.user_id, s.score, churn_features(h.history, s.as_of, churn_model_spec(m.model)) AS features FROM shop_scores s JOIN shop_history h USING (user_id), churn_models m;
SELECT ok(abs(m.value - churn_psi(churn_array_row(d.counts, i), c)) < 1e-12 AND abs((m.details ->> 'js')::float8 - churn_js_distance(churn_array_row(d.counts, i), c)) < 1e-12
	AND abs((m.details ->> 'missing')::float8 - c[11] / m.n) < 1e-12 AND abs((m.details ->> 'ks')::float8 - (churn_ks_test((churn_array_row(d.counts, i))[1:10], c[1:10])).distance) < 1e-12, 'figures of ' || d.features[i])
FROM churn_distributions d, LATERAL (SELECT array_position(d.features, 'view_recency') UNION ALL SELECT 1) f (i),
	LATERAL (SELECT churn_array_row(churn_cell_counts(n.score, n.features, d.positions[i:i], d.cuts[i:i]), 1) FROM now_ n) x (c),
	churn_monitoring m WHERE m.as_of = '2023-08-31' AND m.subject = CASE i WHEN 1 THEN '' ELSE d.features[i] END AND m.what = CASE i WHEN 1 THEN 'score_drift' ELSE 'feature_drift' END;
SELECT is((SELECT value FROM churn_monitoring WHERE what = 'expected_auc' AND as_of = '2023-08-31'), (SELECT (churn_expected(score)).auc FROM shop_scores), 'expected AUC of the scores');
SELECT is((SELECT ROW(value, n, details ->> 'labelled')::text FROM churn_monitoring WHERE what = 'base_rate' AND as_of = '2023-08-31'),
	(SELECT ROW(avg(churned::int)::float8, count(*), '2023-08-01')::text FROM churn_snapshot('shop', '2023-08-01')), 'churn rate of the newest labelled date');

-- ---- the company writes to some who were scored on 28 August, within their window or beside it ----
INSERT INTO mails SELECT user_id, '2023-09-01', 'coupon' FROM shop_score_log WHERE as_of = '2023-08-28' AND user_id % 3 = 0
UNION ALL SELECT user_id, d, 'coupon' FROM shop_score_log, unnest('{2023-08-27,2023-09-27}'::date[]) d WHERE as_of = '2023-08-28' AND user_id % 3 = 1;

-- ---- the fault: three runs ----
SELECT night(d::date) FROM generate_series('2023-09-25'::date, '2023-09-26', '1 day') d \g /dev/null
SELECT cmp_ok((SELECT max(runs) FROM churn_monitoring WHERE what = 'feature_drift'), '=', 2, 'two runs over');
SELECT is((SELECT count(*) FROM churn_alerts WHERE what = 'feature_drift'), 0::bigint, 'no alert yet');
SELECT night('2023-09-27') \g /dev/null
SELECT is((SELECT ROW(since, opened_on, severity, model_version, closed_on)::text FROM churn_alerts WHERE what = 'feature_drift'), '(2023-09-25,2023-09-27,warning,1,)', 'the third run alarms, and says since when');
SELECT matches((SELECT measured FROM churn_alerts WHERE what = 'feature_drift'), '^\d+ features are further off, most of all (any|view)_\w+: ', 'of views');
SELECT ok(bool_and(e ->> 'subject' ~ 'view|any|kind|cart_per') AND count(*) BETWEEN 1 AND 20, 'and of nothing else') FROM churn_alerts, jsonb_array_elements(details -> 'figures') e WHERE what = 'feature_drift';
SELECT night('2023-09-28') \g /dev/null
SELECT is((SELECT count(*) FROM churn_alerts WHERE what = 'feature_drift'), 1::bigint, 'once');

-- ---- NOTIFY ----
\setenv PGDATABASE :DBNAME
\set heard `psql -qXAt -c "LISTEN churn_alert" -c "SELECT churn_notify_alert(a) FROM churn_alerts a WHERE what = 'feature_drift'"`
SELECT matches(:'heard'::text, 'notification "churn_alert" with payload "\{.*"what": "feature_drift".*\}"', 'NOTIFY with a JSON object');

-- ---- realised figures: the window of the first logged scores is over ----
SELECT night('2023-09-29') \g /dev/null
CREATE TABLE direct AS SELECT l.*, NOT EXISTS (SELECT FROM shop e WHERE e.user_id = l.user_id AND kind = 'order' AND ts >= '2023-08-28Z' AND ts < '2023-09-27Z') AS churned,
	CASE WHEN holdout THEN 'held out' WHEN user_id % 3 = 0 THEN 'treated' ELSE 'untreated' END AS users FROM shop_score_log l WHERE as_of = '2023-08-28';
SELECT is((SELECT ROW(value, n)::text FROM churn_monitoring WHERE what = 'realised_auc' AND subject = 'all' AND as_of = '2023-08-28'), (SELECT ROW(churn_auc(score, churned), count(*))::text FROM direct), 'realised AUC equals a direct computation');
SELECT is((SELECT string_agg(concat_ws(' ', subject, n, value), ', ' ORDER BY subject) FROM churn_monitoring WHERE what = 'realised_auc' AND subject <> 'all' AND as_of = '2023-08-28'),
	(SELECT string_agg(concat_ws(' ', users, n, auc), ', ' ORDER BY users) FROM (SELECT users, count(*) AS n, churn_auc(score, churned) AS auc FROM direct GROUP BY 1) x), 'treated, untreated and held-out users apart');
SELECT ok(abs(m.value - d.miss) < 1e-12 AND abs(l.value - d.lift) < 1e-12, 'calibration and lift, too') FROM churn_monitoring m, churn_monitoring l, (SELECT avg(score) - avg(churned::int) AS miss, churn_lift(score, churned, .1) AS lift FROM direct) d
WHERE m.what = 'realised_calibration' AND l.what = 'realised_lift' AND m.subject = 'all' AND l.subject = 'all' AND m.as_of = '2023-08-28' AND l.as_of = '2023-08-28';
SELECT is((SELECT string_agg(DISTINCT subject, ',') FROM churn_monitoring WHERE what = 'realised_auc' AND threshold IS NOT NULL), 'untreated', 'only untreated users can alarm where some were contacted');
SELECT ok(abs(e.value - r.value) < .06, format('expected AUC %s, realised %s', round(e.value::numeric, 3), round(r.value::numeric, 3))) FROM churn_monitoring e JOIN churn_monitoring r USING (as_of)
WHERE e.what = 'expected_auc' AND r.what = 'realised_auc' AND r.subject = 'all' AND as_of = '2023-08-28';

BEGIN;
SELECT churn_drop_source('shop', 2) \g /dev/null
DELETE FROM churn_monitoring WHERE what ~ 'realised';
SELECT churn_monitor('shop') \g /dev/null
SELECT is((SELECT string_agg(subject || ' ' || (threshold IS NOT NULL), ',' ORDER BY subject) FROM churn_monitoring WHERE what = 'realised_auc' AND as_of = '2023-08-28'), 'all true,held out false,untreated false', 'without actions: held-out users apart, all alarm');
UPDATE shop_score_log SET holdout = false;
DELETE FROM churn_monitoring WHERE what ~ 'realised';
SELECT churn_monitor('shop') \g /dev/null
SELECT is((SELECT string_agg(DISTINCT subject, ',') FROM churn_monitoring WHERE what = 'realised_auc'), 'all', 'nor hold-out: one group');
ROLLBACK;

-- ---- acknowledged, closed ----
SELECT id AS alert FROM churn_alerts WHERE what = 'feature_drift' \gset
SELECT churn_acknowledge(:alert, 'the tracker of the new site') \g /dev/null
SELECT is((SELECT ROW(acknowledged_by, note, closed_on)::text FROM churn_alerts WHERE id = :alert), (SELECT ROW(session_user::text, 'the tracker of the new site', NULL::date)::text), 'acknowledged, still open');
SELECT throws_ok('SELECT churn_acknowledge(0)', '42704', 'there is no alert 0');
SELECT throws_ok('SELECT churn_acknowledge(NULL)', '42704', 'there is no alert null');
BEGIN;
UPDATE churn_monitoring SET "over" = false, runs = -2, over_since = NULL WHERE what = 'feature_drift' AND as_of = current_setting('churn.today')::date;
SELECT churn_settle_alerts(s, '2023-09-29', 1) FROM churn_studies s \g /dev/null
SELECT is((SELECT closed_on FROM churn_alerts WHERE id = :alert), NULL, 'two calm runs: open');
UPDATE churn_monitoring SET runs = -3 WHERE what = 'feature_drift' AND as_of = current_setting('churn.today')::date;
SELECT churn_settle_alerts(s, '2023-09-29', 1) FROM churn_studies s \g /dev/null
SELECT is((SELECT closed_on FROM churn_alerts WHERE id = :alert), '2023-09-29', 'three: closed');
ROLLBACK;
BEGIN;
SELECT churn_settle_alerts(s, '2023-09-29', 2) FROM churn_studies s \g /dev/null
SELECT is((SELECT count(*) FROM churn_alerts WHERE closed_on IS NULL), 0::bigint, 'another champion closes the alerts of the one before');
ROLLBACK;

-- ---- coverage, age, freshness alarm at once ----
BEGIN;
DELETE FROM shop_scores WHERE user_id % 10 = 0;
SELECT churn_monitor('shop') \g /dev/null
SELECT is((SELECT severity || ' ' || asked FROM churn_alerts WHERE what = 'coverage'), 'critical share of users at risk with a score >= 0.95', 'users without a score');
ROLLBACK;
BEGIN;
SET LOCAL churn.today = '2023-10-08';
DELETE FROM shop WHERE ts >= '2023-09-29';
SELECT churn_monitor('shop') \g /dev/null
SELECT is((SELECT string_agg(what || ' ' || subject || ' ' || measured, ', ' ORDER BY what) FROM churn_alerts WHERE what IN ('freshness', 'score_age')), 'freshness 1 public.shop 10, score_age  9', 'no events and no scores for days');
ROLLBACK;
BEGIN;
DELETE FROM churn_distributions;
SELECT lives_ok('SELECT churn_monitor(''shop'')', 'a model without stored distributions');
SELECT is((SELECT count(*) FROM churn_monitoring WHERE what ~ 'drift' AND written_at > now()), 0::bigint, 'has no drift');
ROLLBACK;
SELECT is((SELECT array_agg(relname::text) FROM pg_class WHERE relname ~ '^shop_(judg|stag|scoring)'), NULL, 'nothing is left behind');

-- ---- rights ----
DROP ROLE IF EXISTS churn_p_owner, churn_p_member, churn_p_stranger;
CREATE ROLE churn_p_owner; CREATE ROLE churn_p_stranger; CREATE ROLE churn_p_member IN ROLE churn_p_owner;
GRANT ALL ON SCHEMA public TO churn_p_owner;
GRANT SELECT ON shop, mails TO churn_p_owner;
SELECT format('ALTER %s %s OWNER TO churn_p_owner', CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, oid::regclass) FROM pg_class WHERE relname ~ '^shop_' AND relkind IN ('r', 'v') \gexec
UPDATE churn_studies SET owner = 'churn_p_owner';
SET ROLE churn_p_member;
SELECT isnt_empty('SELECT * FROM churn_monitor(''shop'')', 'a member watches');
SELECT lives_ok(format('SELECT churn_acknowledge(%s)', :alert), 'and acknowledges');
SELECT throws_ok('INSERT INTO churn_monitoring SELECT * FROM churn_monitoring LIMIT 1', '42501', NULL, 'but writes no figure');
SELECT is_empty('UPDATE churn_alerts SET closed_on = ''2023-01-01'' RETURNING id', 'closes no alert');
SELECT is_empty('DELETE FROM churn_monitoring RETURNING 1', 'deletes none');
SET ROLE churn_p_stranger;
SELECT throws_ok('SELECT churn_monitor(''shop'')', '42501', 'permission denied for study "shop"');
SELECT throws_ok(format('SELECT churn_acknowledge(%s)', :alert), '42704', NULL, 'a stranger finds no alert');
SELECT throws_ok(format('SELECT churn_acknowledge_alert(''shop'', %s, NULL)', :alert), '42501', 'permission denied for study "shop"');
SELECT is((SELECT count(*) FROM churn_monitoring) + (SELECT count(*) FROM churn_alerts) + (SELECT count(*) FROM churn_distributions), 0::bigint, 'and sees nothing');
RESET ROLE;
SELECT churn_drop_study('shop', true) \g /dev/null
SELECT is((SELECT count(*) FROM churn_monitoring) + (SELECT count(*) FROM churn_alerts) + (SELECT count(*) FROM churn_distributions), 0::bigint, 'a dropped study leaves nothing');
DROP OWNED BY churn_p_owner; DROP ROLE churn_p_member, churn_p_owner, churn_p_stranger;
SELECT * FROM finish();
