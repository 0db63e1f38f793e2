-- churn_check_data finds what was planted, counts it, shows it by its query,
-- and is silent on a clean shop.
SET client_min_messages = warning;
SET timezone = 'UTC';
SELECT plan(114);

-- Two sources of a clean shop ------------------------------------------------
CREATE TABLE event AS
SELECT user_id::text AS user_id, ts, kind, amount, known_at, row_number() OVER (ORDER BY ts, user_id) AS n
FROM churn_simulate(1200, 420, 3, bots => false, late_arrivals => false);
CREATE TABLE orders AS SELECT user_id, ts, kind, amount, known_at, n FROM event WHERE kind IN ('order', 'refund');
CREATE TABLE visits AS SELECT user_id, ts, kind, n FROM event WHERE kind NOT IN ('order', 'refund');
SET churn.today = '2024-02-24';
SELECT churn_create_study('shop', churn_window => '60 days', key_kinds => ARRAY['order']);
SELECT churn_add_source('shop', 'orders', user_column => 'user_id', time_column => 'ts', amount_column => 'amount',
    kind_column => 'kind', known_at_column => 'known_at');
SELECT churn_add_source('shop', 'visits', user_column => 'user_id', time_column => 'ts', kind_column => 'kind');

CREATE TABLE clean AS SELECT * FROM churn_check_data('shop');
SELECT is_empty($$SELECT check_name, source, count, example FROM clean WHERE severity NOT IN ('ok', 'info')$$,
    'a clean shop raises nothing');
SELECT is((SELECT array_agg(check_name ORDER BY check_name) FROM clean WHERE severity = 'info'),
    '{last_month}', 'all it says is that the month is not over');
SELECT is((SELECT count(DISTINCT check_name) FROM clean), 30::bigint, 'every check was made');
SELECT is_empty($$SELECT * FROM clean WHERE severity = 'ok' AND (query IS NOT NULL OR example IS NOT NULL)$$,
    'nothing found, nothing to show');
SELECT is_empty($$SELECT * FROM clean WHERE check_name IS NULL OR detail IS NULL OR count IS NULL$$,
    'every row says what was looked at');
SELECT is((SELECT example FROM clean WHERE check_name = 'freshness'), NULL, 'yesterday is complete');
SELECT ok(verdict LIKE '%complete through 2024-02-23', 'as training says: ' || verdict) FROM churn_feasible('shop') WHERE purpose = 'data';
-- other seeds and sizes, late arrivals, data of the past
DO $$ BEGIN
    FOR seed IN 11 .. 13 LOOP
        EXECUTE format('CREATE TABLE event%s AS SELECT * FROM churn_simulate(%s, 365, %s, bots => false)', seed, 400 * (seed - 10), seed);
        PERFORM churn_create_study('shop' || seed, churn_window => '60 days', key_kinds => ARRAY['order']);
        PERFORM churn_add_source('shop' || seed, ('event' || seed)::regclass, 'user_id', 'ts', 'amount', kind_column => 'kind', known_at_column => 'known_at');
    END LOOP;
END $$;
SET churn.today = '2023-12-31';
SELECT is_empty(format($$SELECT check_name, source, count, example FROM churn_check_data('shop%s') WHERE severity NOT IN ('ok', 'info')$$, seed),
    'clean, seed ' || seed) FROM generate_series(11, 13) AS seed;
SELECT ok(severity = 'info' AND share BETWEEN .02 AND .035, 'three in a hundred arrive late: ' || example) FROM churn_check_data('shop13') WHERE check_name = 'late_arrival';

-- Every fault ------------------------------------------------------------------
-- volume: visits stop for four days, and come fivefold on another
DELETE FROM visits WHERE ts >= '2023-09-04' AND ts < '2023-09-08';
INSERT INTO visits SELECT (g % 700)::text, '2023-10-10'::timestamptz + g * interval '47 seconds', 'view', 0
FROM generate_series(1, 5 * (SELECT count(*)::int FROM visits WHERE kind = 'view' AND ts >= '2023-10-03' AND ts < '2023-10-04')) AS g;
-- kinds that come and go, two spellings
UPDATE visits SET kind = 'wish' WHERE kind = 'cart' AND ts > '2023-08-01' AND n % 3 = 0;
DELETE FROM visits WHERE kind = 'ticket' AND ts > '2023-10-01';
DELETE FROM visits WHERE kind = 'cart' AND ts > '2023-11-01';
UPDATE visits SET kind = 'View' WHERE kind = 'view' AND n % 50 = 1;
-- a robot, and an end before the orders'
INSERT INTO visits SELECT 'robot', '2023-06-01'::timestamptz + g * interval '5 minutes', 'view', 0 FROM generate_series(1, 3000) AS g;
DELETE FROM visits WHERE ts >= '2024-02-01';
-- single rows
UPDATE visits SET user_id = NULL WHERE n IN (SELECT n FROM visits WHERE kind = 'view' AND n > 0 AND ts > '2023-03-01' ORDER BY n LIMIT 70);
UPDATE visits SET user_id = '  ' WHERE n IN (SELECT n FROM visits WHERE kind = 'view' AND n > 0 AND ts > '2023-04-01' ORDER BY md5(n::text) LIMIT 30);
UPDATE visits SET ts = NULL WHERE n IN (SELECT n FROM visits WHERE kind = 'view' AND n > 0 AND ts > '2023-05-01' ORDER BY n LIMIT 60);
INSERT INTO visits VALUES ('1', '-infinity', 'view', 0), ('2', '2023-05-05 10:00', NULL, 0), ('2', '2023-05-05 11:00', '', 0),
    ('3', 'infinity', 'view', 0), ('3', '2038-01-19', 'view', 0);
INSERT INTO visits SELECT '4', '1970-01-01'::timestamptz + g * interval '1 second', 'view', 0 FROM generate_series(1, 12) AS g;
INSERT INTO visits SELECT user_id, ts, kind, -1 FROM visits WHERE n % 100 = 7 AND kind = 'view' AND ts < '2023-05-30' AND btrim(user_id) <> '';
SELECT count(*) AS copied FROM visits WHERE n = -1 \gset
-- orders: pressed twice, booked in parts, taken back, amounts
CREATE TABLE twice AS SELECT * FROM orders WHERE kind = 'order' AND n % 40 = 3;
INSERT INTO orders SELECT user_id, ts + interval '20 seconds', kind, amount, known_at, -1 FROM twice;
INSERT INTO orders SELECT user_id, ts + interval '10 seconds', kind, amount + 1000000, known_at, -2 FROM orders WHERE kind = 'order' AND n % 1500 = 5;
SELECT count(*) AS huge FROM orders WHERE n = -2 \gset
INSERT INTO orders SELECT user_id, ts + interval '15 minutes', kind, -amount, known_at, -3 FROM orders WHERE kind = 'order' AND n % 60 = 11;
UPDATE orders SET amount = 0 WHERE kind = 'order' AND n % 90 = 17;
UPDATE orders SET amount = NULL WHERE kind = 'order' AND n % 90 = 31;
UPDATE orders SET amount = 'NaN' WHERE n = (SELECT min(n) FROM orders WHERE n % 90 = 32);
UPDATE orders SET known_at = CASE WHEN n % 10 = 1 THEN ts + interval '9 days' ELSE ts - interval '2 days' END WHERE n > 0 AND n % 10 IN (1, 2) AND ts > '2023-06-01';
UPDATE orders SET known_at = '2023-06-01 12:00' WHERE ts < '2023-04-20';
SET churn.today = '2024-03-20';

CREATE TABLE found AS SELECT * FROM churn_check_data('shop');
CREATE TABLE planted AS SELECT * FROM (VALUES
    ('missing_user', 'visits', 'warning', 70::bigint), ('blank_user', 'visits', 'warning', 30), ('missing_time', 'visits', 'warning', 60),
    ('infinite_time', 'visits', 'error', 1), ('bad_kind', 'visits', 'error', 2), ('future_time', 'visits', 'warning', 2),
    ('pre_launch', 'visits', 'warning', 12), ('exact_duplicates', 'visits', 'warning', :copied),
    ('volume_gap', 'visits', 'warning', NULL), ('volume_spike', 'visits', 'warning', NULL),
    ('kind_appears', 'visits', 'warning', NULL), ('kind_vanishes', 'visits', 'warning', NULL), ('similar_kinds', 'visits', 'warning', 1),
    ('bots', 'visits', 'warning', 1), ('ends_early', 'visits', 'warning', NULL),
    ('near_duplicates', 'orders', 'warning', (SELECT count(*) FROM twice)),
    ('same_minute', 'orders', 'warning', (SELECT count(*) + :huge FROM twice)),
    ('negative_amount', 'orders', 'warning', (SELECT count(*) FROM orders WHERE amount < 0)),
    ('zero_amount', 'orders', 'warning', (SELECT count(*) FROM orders WHERE amount = 0)),
    ('missing_amount', 'orders', 'warning', (SELECT count(*) FROM orders WHERE amount IS NULL)),
    ('invalid_amount', 'orders', 'error', 1), ('huge_amount', 'orders', 'warning', :huge),
    ('reversed_amount', 'orders', 'warning', NULL),
    ('late_arrival', 'orders', 'warning', NULL), ('known_before', 'orders', 'info', NULL),
    ('backfill', 'orders', 'error', (SELECT count(*) FROM orders WHERE known_at = '2023-06-01 12:00')),
    ('freshness', NULL, 'warning', NULL)
    ) AS v (check_name, source, severity, count);
SELECT is(f.severity, p.severity, format('%s is found: %s, %s', p.check_name, f.count, coalesce(f.example, '-')))
FROM planted AS p LEFT JOIN found AS f ON f.check_name = p.check_name AND f.source IS NOT DISTINCT FROM 'public.' || p.source
ORDER BY f.source, p.check_name;
SELECT is(f.count, p.count, p.check_name || ' is counted')
FROM planted AS p JOIN found AS f ON f.check_name = p.check_name AND f.source IS NOT DISTINCT FROM 'public.' || p.source
WHERE p.count IS NOT NULL ORDER BY p.check_name;
SELECT ok(f.example LIKE p.pattern, format('%s names its example: %s', f.check_name, f.example))
FROM found AS f JOIN (VALUES ('bots', '%robot%'), ('kind_appears', '%"wish" first on 2023-08%'), ('kind_vanishes', '%"cart" last on 2023-1%'),
    ('similar_kinds', '"View", "view"'), ('pre_launch', '1970-01-01'), ('volume_gap', '2023-09-0%'), ('volume_spike', '2023-10-1%'),
    ('late_arrival', '%95 \% within%')) AS p (check_name, pattern) USING (check_name)
WHERE f.source = CASE WHEN f.check_name = 'late_arrival' THEN 'public.orders' ELSE 'public.visits' END ORDER BY f.check_name;
SELECT ok((SELECT count = 24 FROM found WHERE check_name = 'ends_early' AND source = 'public.visits'), 'days by which visits end early');
SELECT ok(example LIKE '2023-09%' AND count BETWEEN 4 AND 12, format('four days in the kinds of visits: %s', count))
FROM found WHERE check_name = 'volume_gap' AND source = 'public.visits';
-- the other source is not accused
SELECT is_empty($$SELECT * FROM found AS f WHERE severity IN ('warning', 'error') AND NOT EXISTS (
    SELECT FROM planted AS p WHERE p.check_name = f.check_name AND f.source IS NOT DISTINCT FROM 'public.' || p.source)$$,
    'nothing that was not planted');
SELECT is((SELECT array_agg(DISTINCT severity) FROM (SELECT severity FROM found LIMIT 3) AS first), '{error}', 'the worst come first');

-- The queries show the rows ----------------------------------------------------
CREATE FUNCTION shown(query text) RETURNS bigint LANGUAGE plpgsql SET search_path = public AS $$
DECLARE n bigint;
BEGIN EXECUTE format('SELECT count(*) FROM (%s) AS q', query) INTO n; RETURN n; END $$;
SELECT is(shown(f.query), f.count, 'the query shows ' || f.check_name)
FROM found AS f WHERE severity <> 'ok' AND check_name IN ('missing_user', 'blank_user', 'missing_time', 'infinite_time', 'bad_kind',
    'future_time', 'near_duplicates', 'same_minute', 'negative_amount', 'zero_amount', 'missing_amount', 'invalid_amount',
    'huge_amount', 'reversed_amount', 'bots') ORDER BY check_name;
SELECT is(shown((SELECT query FROM found WHERE check_name = 'exact_duplicates' AND source = 'public.visits')), 2 * :copied::bigint,
    'both copies of a duplicate are shown');
SELECT cmp_ok(shown(f.query), '>', 0::bigint, 'the query of ' || f.check_name || ' runs')
FROM found AS f WHERE severity <> 'ok' AND check_name IN ('pre_launch', 'volume_gap', 'volume_spike', 'kind_vanishes', 'similar_kinds',
    'late_arrival', 'backfill', 'ends_early') AND source IS NOT NULL ORDER BY check_name, source;

-- The study as a whole ---------------------------------------------------------
SELECT churn_alter_study('shop', key_kinds => ARRAY['purchase']);
SELECT ok(severity = 'error' AND example LIKE '%"purchase"%', 'a key kind that is not there') FROM churn_check_data('shop') WHERE check_name = 'key_kinds';
SELECT ok(severity = 'error', 'nothing is complete then') FROM churn_check_data('shop') WHERE check_name = 'freshness';
CREATE TABLE odd (u int, d date, k int);
SELECT churn_create_study('odd "one"', churn_window => '30 days');
SELECT throws_ok($$SELECT churn_check_data('odd "one"')$$, '55000', 'study "odd "one"" has no source of behaviour', 'a study without sources');
SELECT churn_add_source('odd "one"', 'odd', 'u', 'd', kind_column => 'k', filter => 'u > 0');
SELECT is_empty($$SELECT check_name, severity, example FROM churn_check_data('odd "one"') WHERE severity <> 'ok' AND check_name NOT IN ('key_kinds', 'freshness')$$, 'an empty source');
INSERT INTO odd SELECT g, '2024-03-01', g FROM generate_series(1, 300) AS g;
SELECT is(severity, 'error', 'too many kinds') FROM churn_check_data('odd "one"') WHERE check_name = 'many_kinds';
UPDATE odd SET k = 1, u = u % 10;
SELECT is(severity || ' ' || count, 'info 261', 'copies of days are only mentioned: 270 rows of nine users pass the filter')
FROM churn_check_data('odd "one"') WHERE check_name = 'exact_duplicates';
SELECT throws_ok($$SELECT churn_check_data('none')$$, '42704');
SELECT throws_ok($$SELECT churn_check_data(NULL)$$, '22004');
CREATE ROLE churn_check_stranger;
SET ROLE churn_check_stranger;
SELECT throws_ok($$SELECT churn_check_data('shop')$$, '42501', NULL, 'somebody else''s study');
RESET ROLE;
DROP ROLE churn_check_stranger;

-- Online Retail: the traps of its README ---------------------------------------
\set file `f="${CHURN_DATA:-/nowhere}/online_retail/invoices.csv.gz"; test -r "$f" && echo "$f"`
SELECT :'file' = '' AS missing \gset
\if :missing
SELECT skip('online_retail is not there: set CHURN_DATA', 13);
\else
CREATE TABLE invoices (customer_id bigint, invoice_no text, invoice_ts timestamp, amount numeric, items bigint,
    lines int, country text, is_cancellation boolean);
\setenv INVOICES :file
\copy invoices FROM PROGRAM 'gzip -dc "$INVOICES"' CSV HEADER
SET churn.today = '2012-01-10';
SELECT churn_create_study('retail', churn_window => '90 days');
SELECT churn_add_source('retail', 'invoices', user_column => 'customer_id', time_column => 'invoice_ts', amount_column => 'amount', kind => 'invoice');
CREATE TABLE retail AS SELECT * FROM churn_check_data('retail');
SELECT is(count, 3710::bigint, 'empty customer ids: 3,710 invoices') FROM retail WHERE check_name = 'missing_user';
SELECT is(count, (SELECT count(*) FROM invoices WHERE amount < 0 AND customer_id IS NOT NULL), 'cancellations and negative amounts') FROM retail WHERE check_name = 'negative_amount';
SELECT is(severity, 'warning', 'they are a sixth of all') FROM retail WHERE check_name = 'negative_amount';
SELECT is(count, (SELECT count(*) FROM invoices WHERE amount = 0 AND customer_id IS NOT NULL), 'amounts of 0') FROM retail WHERE check_name = 'zero_amount';
SELECT is(severity, 'warning', 'several invoices in one minute: ' || count) FROM retail WHERE check_name = 'same_minute';
SELECT is(example, 'user 16446 at 2011-12-09 09:27:00, invoice, amount -168469.6', 'a huge order cancelled within minutes') FROM retail WHERE check_name = 'reversed_amount';
CREATE TABLE rows_shown (customer_id bigint);
SELECT 'INSERT INTO rows_shown SELECT customer_id FROM (' || query || ') AS q' FROM retail WHERE check_name = 'reversed_amount' \gexec
SELECT is((SELECT count(DISTINCT customer_id) FROM rows_shown WHERE customer_id IN (12346, 16446)), 2::bigint, 'so did customer 12346');
SELECT is(severity, 'warning', 'and both are huge: ' || example) FROM retail WHERE check_name = 'huge_amount';
SELECT is(severity || ': ' || example, 'info: the month of 2011-12 is complete through 2011-12-08', 'the last month is cut off') FROM retail WHERE check_name = 'last_month';
SELECT is(severity, 'warning', 'the data end a month ago: ' || example) FROM retail WHERE check_name = 'freshness';
SELECT is((SELECT count(*) FROM churn_judge_volume((SELECT v.volume FROM churn_read_volume(churn_read_source(
        (SELECT s FROM churn_studies AS s WHERE study = 'retail'), (SELECT s FROM churn_sources AS s WHERE study = 'retail'), '2012-01-10'), NULL) AS v), '2010-12-01')
    WHERE verdict = 'gap' AND extract(dow FROM day) = 6), 0::bigint, 'no invoice on Saturdays is not a gap');
SELECT ok(example LIKE '2010-12-%' AND count BETWEEN 5 AND 25, 'but the days between the years are: ' || count) FROM retail WHERE check_name = 'volume_gap';
SELECT is_empty($$SELECT check_name, example FROM retail WHERE severity NOT IN ('ok', 'info')
    AND check_name NOT IN ('missing_user', 'negative_amount', 'same_minute', 'reversed_amount', 'huge_amount', 'freshness', 'volume_gap')$$, 'and nothing else');
\endif
SELECT * FROM finish();
