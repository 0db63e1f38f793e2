-- churn_history: what a person sees of it
CREATE EXTENSION churn;
SET datestyle = 'German, DMY';	-- must not show in histories

CREATE TABLE shop_events (user_id int, ts timestamptz, kind text, amount float8);
INSERT INTO shop_events VALUES
	(1, '2024-01-05 10:00+00', 'order', 19.99),
	(1, '2024-01-04 09:00+00', 'view', NULL),
	(1, '2024-01-04 09:01+00', 'view', NULL),
	(1, '2024-02-01 23:30+00', 'order', 30),
	(1, '2024-02-01 23:31+00', 'order', -5.5),
	(2, '2024-01-31 08:00+00', 'newsletter click', NULL),
	(2, NULL, 'order', 7);

-- The aggregate; days are those of the spec's zone
SELECT user_id, churn_history(ts, kind, amount, churn_spec(time_zone => 'UTC'))
FROM shop_events GROUP BY user_id ORDER BY user_id;
SELECT user_id, churn_history(ts, kind, amount, churn_spec(time_zone => 'Europe/Berlin'))
FROM shop_events GROUP BY user_id ORDER BY user_id;
-- a constant kind, and when it was known
SELECT user_id, churn_history(ts, amount, ts + '2 days 3 hours', churn_spec(kind => 'order'))
FROM shop_events WHERE kind = 'order' GROUP BY user_id ORDER BY user_id;

-- All overloads
SELECT format('%s(%s)', p.proname, pg_get_function_arguments(p.oid)) AS aggregate
FROM pg_proc p WHERE p.proname IN ('churn_history', 'churn_merge') AND p.prokind = 'a'
ORDER BY 1;

-- Text form: any order and spacing in, one form out
SELECT '{ view:2024-01-04x3 ,2024-01-03; order : 2024-02-01 5 +2d , 2023-12-31 x2 -0.5;view: 2024-01-04 x4}'::churn_history;
SELECT '{"odd: \"": 2024-01-05}'::churn_history;
SELECT '{"odd: "" name": 2024-01-05 0, -0044-03-15, 5874897-12-31; Äpfel: 2024-02-29 19.99 ~0.001 ~1e300}'::churn_history;
SELECT '{}'::churn_history;

-- Questions to a history
SELECT r.* FROM churn_history_rows('{order: 2024-01-05 19.99, 2024-02-01 x3 59.97 +2d; view: 2024-01-04 x7, 2024-01-05}') r;
SELECT churn_kinds(h), churn_first_day(h), churn_last_day(h), churn_last_day(h, 'view') AS last_view,
	churn_event_count(h) AS events, churn_event_count(h, 'view') AS views,
	churn_event_count(h, since => '2024-01-05', before => '2024-02-01') AS january,
	churn_day_count(h) AS days, churn_day_count(h, 'order') AS order_days,
	churn_amount(h) AS money, churn_amount(h, 'view') AS view_money
FROM (SELECT '{order: 2024-01-05 19.99, 2024-02-01 x3 59.97 +2d; view: 2024-01-04 x7, 2024-01-05}'::churn_history AS h) t;

-- Merging and cutting
SELECT '{order: 2024-01-05 19.99}'::churn_history + '{order: 2024-01-05 0.01; view: 2024-01-01}' AS sum;
SELECT as_of, churn_before(h, as_of), churn_since(h, as_of)
FROM (SELECT '{order: 2024-01-05 19.99, 2024-02-01 x3 59.97 +2d}'::churn_history AS h) t,
	unnest('{2024-01-05, 2024-02-02, 2024-02-04}'::date[]) AS as_of;

-- What is refused
\set VERBOSITY default
SELECT churn_history('2024-01-01'::date, NULL::text, 1);
SELECT churn_history('2024-01-01'::date, ''::text, 1);
SELECT churn_history('2024-01-01'::date, repeat('x', 64), 1);
SELECT churn_history('2024-01-01'::date, 'order', 'NaN'::float8);
SELECT churn_history('2024-01-01'::date, 'order', '-Infinity'::float8);
SELECT churn_history('infinity'::date, 'order', 1.0::float8);
SELECT churn_history('-infinity'::timestamptz, 'order', 1.0::float8, churn_spec());
SELECT churn_history('2024-01-01'::date, 'order', 1.0::float8, 'infinity'::date);
SELECT churn_history('2024-01-01'::date, 1.0::float8, churn_spec());
SELECT churn_history('2024-01-01'::date, 1.0::float8, NULL::churn_spec);
SELECT churn_history(date '2024-01-01', i::text, NULL::float8) FROM generate_series(1, 256) i;
SELECT '{order: 2024-02-30}'::churn_history;
SELECT '{order: 2024-02-01 19.999}'::churn_history;
SELECT '{order: 2024-02-01 x0}'::churn_history;
SELECT '{Äpfel 2024-02-01}'::churn_history;
SELECT '{order: 2024-02-01'::churn_history;
SELECT churn_amount('{order: 2024-02-01 x2 ~1e308*2^1}');

-- A parallel plan
CREATE TABLE many AS
SELECT i % 50 AS user_id, date '2024-01-01' + i % 300 AS day, 'k' || i % 3 AS kind, i % 7 / 3.0::float8 AS amount
FROM generate_series(1, 20000) i;
ANALYZE many;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF)
SELECT churn_history(day, kind, amount) FROM many;
DROP EXTENSION churn;
DROP TABLE shop_events, many;
