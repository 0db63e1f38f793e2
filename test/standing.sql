-- churn_standing and churn_outcome against plain SQL written from their
-- definitions, on random users and several settings; then by hand.
\set ECHO none
SET client_min_messages = warning;
SELECT plan(38);

CREATE FUNCTION noise(salt text, variadic n int[]) RETURNS float8
	LANGUAGE sql IMMUTABLE
	AS $$ SELECT (hashtextextended(salt || n::text, 0) & 2147483647) / 2147483648.0 $$;

-- 300 users of order, renewal, refund and view events; some known late.
CREATE TABLE events AS
SELECT u, d, kind, CASE WHEN noise('null', u, i) < .1 THEN NULL
		WHEN kind = 'refund' AND u % 2 = 0 THEN -amount ELSE amount END AS amount,
	d + CASE WHEN noise('late', u, i) < .2 THEN (40 * noise('lag', u, i))::int ELSE 0 END AS known
FROM generate_series(1, 300) u,
	LATERAL generate_series(1, (noise('size', u) ^ 2 * 40)::int) i,
	LATERAL (SELECT date '2024-06-30' - (900 * noise('day', u, i) ^ (1 + u % 3))::int AS d) x,
	LATERAL (SELECT (ARRAY['order', 'order', 'renewal', 'refund', 'view'])
		[1 + (5 * noise('kind', u, i) * (.2 + noise('few', u)))::int % 5] AS kind) y,
	LATERAL (SELECT round(noise('amount', u, i) * 400) / 4 AS amount) z;
CREATE TABLE histories AS
SELECT u, churn_history(d, kind, amount, known) AS past FROM events GROUP BY u;

CREATE TABLE settings (n int, a date, key_kinds text[], h int, e int, min_tenure int, g int);
INSERT INTO settings VALUES
	(1, '2024-03-01', '{order}', 90, 90, 0, 0),
	(2, '2024-03-01', '{order,renewal}', 60, 200, 30, 14),
	(3, '2023-09-15', '{renewal}', 30, 730, 0, 7),
	(4, '2024-06-20', '{order,renewal,view}', 45, 45, 100, 1),
	(5, '2021-01-01', '{order}', 90, 90, 0, 0);

CREATE FUNCTION spec_of(s settings) RETURNS churn_spec LANGUAGE sql IMMUTABLE
	AS $$ SELECT churn_spec(kinds => '{order,renewal,refund,view}', key_kinds => s.key_kinds, churn_window => s.h) $$;

CREATE TABLE got AS
SELECT s.n, u, (t).*, churn_outcome(past, s.a, spec_of(s), s.g) AS churned
FROM settings s, histories, LATERAL (SELECT churn_standing(past, s.a, spec_of(s), s.e, s.min_tenure) AS t OFFSET 0) x;

-- The definitions: days of key kinds that had arrived on the morning of a.
CREATE TABLE want AS
WITH key_days AS (
	SELECT DISTINCT s.n, u, d FROM settings s JOIN events ON kind = ANY (key_kinds) AND d < a AND known < a
), gaps AS (
	SELECT *, d - lag(d) OVER (PARTITION BY n, u ORDER BY d) AS gap FROM key_days
), days AS (
	SELECT n, u, min(d) AS first_day, max(d) AS last_day, count(*)::int AS key_days,
		bool_or(gap > s.h) AS lapsed,
		floor(percentile_cont(.5) WITHIN GROUP (ORDER BY gap) + .5)::int AS median_gap
	FROM gaps JOIN settings s USING (n) GROUP BY n, u
), money AS (
	SELECT s.n, u, sum(CASE WHEN kind = 'refund' THEN -abs(amount) ELSE amount END)
			FILTER (WHERE d >= s.a - 365) AS year,
		count(amount) FILTER (WHERE kind <> 'refund') AS paid
	FROM settings s JOIN events ON (kind = ANY (key_kinds) OR kind = 'refund') AND d < a AND known < a
	GROUP BY s.n, u
)
SELECT s.n, u_.u,
	CASE WHEN key_days IS NULL THEN 'never'
		WHEN last_day < s.a - s.e THEN 'lapsed'
		WHEN s.a - first_day < s.min_tenure THEN 'young'
		WHEN key_days = 1 THEN 'new'
		WHEN lapsed THEN 'returned' ELSE 'repeat' END AS stage,
	s.a - last_day AS recency, s.a - first_day AS tenure, coalesce(key_days, 0) AS key_days,
	CASE WHEN key_days > 0 AND paid > 0
		THEN greatest(coalesce(year, 0), 0) * 365 / least(365, greatest(90, s.a - first_day)) END AS value,
	last_day + median_gap AS next_day,
	NOT EXISTS (SELECT FROM events v WHERE v.u = u_.u AND v.kind = ANY (s.key_kinds)
		AND v.d >= s.a + s.g AND v.d < s.a + s.g + s.h) AS churned
FROM settings s CROSS JOIN histories u_ LEFT JOIN days ON days.n = s.n AND days.u = u_.u LEFT JOIN money ON money.n = s.n AND money.u = u_.u;

SELECT is(array_agg(DISTINCT stage ORDER BY stage), '{lapsed,never,new,repeat,returned,young}', 'every stage occurs') FROM got;
SELECT is(count(*), 0::bigint, 'stage') FROM got JOIN want USING (n, u) WHERE got.stage <> want.stage;
SELECT is(count(*), 0::bigint, 'at risk are the new, repeat and returned')
FROM got WHERE at_risk IS DISTINCT FROM (stage IN ('new', 'repeat', 'returned'));
SELECT is(count(*), 0::bigint, 'recency') FROM got JOIN want USING (n, u) WHERE got.recency IS DISTINCT FROM want.recency;
SELECT is(count(*), 0::bigint, 'tenure') FROM got JOIN want USING (n, u) WHERE got.tenure IS DISTINCT FROM want.tenure;
SELECT is(count(*), 0::bigint, 'key_days') FROM got JOIN want USING (n, u) WHERE got.key_days IS DISTINCT FROM want.key_days;
SELECT is(count(*), 0::bigint, 'value: where there is none')
FROM got JOIN want USING (n, u) WHERE (got.value IS NULL) <> (want.value IS NULL);
SELECT ok(max(abs(got.value - want.value)) < 1e-9 AND count(*) > 300, 'value: how much') FROM got JOIN want USING (n, u) WHERE want.value IS NOT NULL;
SELECT is(count(*), 0::bigint, 'next_day') FROM got JOIN want USING (n, u) WHERE got.next_day IS DISTINCT FROM want.next_day;
SELECT is(count(*), 0::bigint, 'outcome, the late ones too') FROM got JOIN want USING (n, u) WHERE got.churned IS DISTINCT FROM want.churned;
SELECT ok(bool_and(stays > 20 AND leaves > 20), 'both outcomes occur where there are events')
FROM (SELECT count(*) FILTER (WHERE NOT churned) AS stays, count(*) FILTER (WHERE churned) AS leaves FROM got WHERE n < 4 GROUP BY n) c;
SELECT ok(count(*) > 10, 'some had not arrived by the morning of a')
FROM events JOIN settings ON kind = ANY (key_kinds) AND d < a AND known >= a;

-- By hand: orders on 1 Jan, 11 Jan and 1 May 2024, a refund, a view.
CREATE TABLE one AS SELECT churn_history(d, k, m) AS past FROM (VALUES
	(date '2024-01-01', 'order', 100.0), ('2024-01-11', 'order', 50), ('2024-01-11', 'order', 25),
	('2024-05-01', 'order', 10), ('2024-05-03', 'refund', 30), ('2024-05-04', 'view', NULL)) AS v (d, k, m);
CREATE FUNCTION st(a date, e int, mt int DEFAULT 0, k text[] DEFAULT '{order}', h int DEFAULT 30) RETURNS text LANGUAGE sql
	AS $$ SELECT churn_standing(one.past, a, churn_spec(kinds => '{order,refund,view}', key_kinds => k, churn_window => h), e, mt)::text FROM one $$;
SELECT is(st('2024-01-01', 90), '(never,f,,,0,,)', 'on the morning of the first order: never');
SELECT is(st('2024-01-02', 90), '(new,t,1,1,1,405.55555555555554,)', 'one key day: new; a year of 90 days at most times four');
SELECT is(st('2024-01-12', 90), '(repeat,t,1,11,2,709.7222222222222,2024-01-21)', 'two: repeat; two orders on one day are one key day');
SELECT is(st('2024-05-02', 90), '(returned,t,1,122,3,553.483606557377,2024-07-01)', 'after a silence longer than the churn window: returned');
SELECT is(st('2024-05-02', 90, 0, '{order}', 111), '(repeat,t,1,122,3,553.483606557377,2024-07-01)', 'a gap of exactly the churn window is no lapse');
SELECT is(st('2024-05-02', 90, 0, '{order}', 110), '(returned,t,1,122,3,553.483606557377,2024-07-01)', 'a day more is');
SELECT is(st('2024-05-02', 90, 123), '(young,f,1,122,3,553.483606557377,2024-07-01)', 'below the minimum tenure: young');
SELECT is(st('2024-05-02', 90, 122), '(returned,t,1,122,3,553.483606557377,2024-07-01)', 'tenure equal to it is enough');
SELECT is(st('2024-05-31', 30), '(returned,t,30,151,3,374.66887417218544,2024-07-01)', 'recency of the whole active window: still at risk');
SELECT is(st('2024-06-01', 30), '(lapsed,f,31,152,3,372.20394736842104,2024-07-01)', 'a day later: lapsed');
SELECT is(st('2024-05-05', 90, 0, '{view}'), '(new,t,1,1,1,,)', 'a key kind without money has no value');
SELECT is((churn_standing(past, '2025-06-30', churn_spec(kinds => '{order,refund}', key_kinds => '{order}', churn_window => 90), 730)).value,
	0::float8, 'nothing in the last 365 days: 0, not NULL') FROM one;
SELECT is((churn_standing(past, '2024-05-04', churn_spec(kinds => '{order,refund}', key_kinds => '{order}', churn_window => 90, refund_kinds => '{}'), 730)).value,
	185 * 365 / 124.0::float8, 'refund_kinds of the spec say what is a refund') FROM one;
SELECT is((churn_standing(churn_history(date '2024-01-01', k, 5), '2024-01-05', churn_spec(kinds => '{order,refund}', key_kinds => '{order}', churn_window => 9), 90)).value,
	0::float8, 'refunds over sales: floored at 0') FROM unnest(ARRAY['order', 'refund', 'refund']) k;

CREATE FUNCTION out_(a date, g int, h int) RETURNS boolean LANGUAGE sql
	AS $$ SELECT churn_outcome(one.past, a, churn_spec(kinds => '{order}', key_kinds => '{order}', churn_window => h), g) FROM one $$;
SELECT is(ARRAY[out_('2024-05-01', 0, 1), out_('2024-05-02', 0, 30), out_('2024-04-01', 0, 30), out_('2024-04-01', 0, 31)],
	'{f,t,t,f}', 'outcome: the as-of day counts, the end does not');
SELECT is(ARRAY[out_('2024-04-20', 11, 5), out_('2024-04-20', 12, 5), out_('2024-04-20', 7, 5), out_('2024-04-20', 6, 5)],
	'{f,t,f,t}', 'outcome: after the gap');
SELECT ok(churn_outcome(churn_history(date '2024-01-10', 'order', 1, date '2024-09-01'), '2024-01-05',
	churn_spec(kinds => '{order}', key_kinds => '{order}', churn_window => 30)) = false, 'an outcome sees what became known later');
SELECT is((churn_standing(churn_history(d, 'order', 1, k), '2024-02-01',
	churn_spec(kinds => '{order}', key_kinds => '{order}', churn_window => 30), 90)).key_days, 1,
	'a standing does not')
FROM (VALUES (date '2024-01-10', date '2024-01-31'), ('2024-01-20', '2024-02-01')) v (d, k);
SELECT ok(churn_standing(NULL, '2024-01-01', churn_spec(), 30) IS NULL AND churn_outcome(NULL, '2024-01-01', churn_spec()) IS NULL, 'NULL in, NULL out');

SELECT throws_ok($$SELECT churn_standing(past, 'infinity', churn_spec(), 30) FROM one$$, '22008', 'as_of must be a finite date');
SELECT throws_ok($$SELECT churn_outcome(past, '-infinity', churn_spec(churn_window => 3)) FROM one$$, '22008', 'as_of must be a finite date');
SELECT throws_ok($$SELECT churn_standing(past, '2024-01-01', churn_spec(), 0) FROM one$$, '22023', 'active_window must be between 1 and 36500 days, not 0');
SELECT throws_ok($$SELECT churn_standing(past, '2024-01-01', churn_spec(), 30, -1) FROM one$$, '22023', 'min_tenure must be between 0 and 36500 days, not -1');
SELECT throws_ok($$SELECT churn_outcome(past, '2024-01-01', churn_spec(churn_window => 3), 40000) FROM one$$, '22023', 'gap must be between 0 and 36500 days, not 40000');
SELECT throws_ok($$SELECT churn_outcome(past, '2024-01-01', churn_spec()) FROM one$$, '22023', 'the spec has no churn window');
SELECT is((churn_standing(past, '5874897-12-31', churn_spec(kinds => '{order}', key_kinds => '{order}', churn_window => 30), 36500)).stage, 'lapsed', 'the last date there is') FROM one;
SELECT * FROM finish();
