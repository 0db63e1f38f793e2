-- churn_spec: what is refused, what is made equal, and that it survives trips
SET client_min_messages = warning;
SELECT plan(50);

CREATE FUNCTION big() RETURNS churn_spec LANGUAGE sql IMMUTABLE AS $$
	SELECT churn_spec(windows => '{90,7,30,7}', kinds => '{view,order,refund,cart,order}', key_kinds => '{order}',
		churn_window => 90, ratios => '{order/cart,refund/order,order/cart}', time_zone => 'Europe/Berlin', kind => 'order',
		amount_kinds => '{order,refund}') $$;

-- Refused
SELECT throws_ok('SELECT churn_spec(windows => ''{0}'')', '22023', 'window of 0 days is out of range');
SELECT throws_ok('SELECT churn_spec(windows => ''{-7}'')', '22023', 'window of -7 days is out of range');
SELECT throws_ok('SELECT churn_spec(windows => ''{36501}'')', '22023', 'window of 36501 days is out of range');
SELECT throws_ok('SELECT churn_spec(windows => ''{7,NULL}'')', '22023', 'argument "windows" must be a list without NULLs');
SELECT throws_ok('SELECT churn_spec(windows => ''{{7},{8}}'')', '22023', 'argument "windows" must be a list without NULLs');
SELECT throws_ok('SELECT churn_spec(windows => (SELECT array_agg(i) FROM generate_series(1, 33) i))', '22023', 'a spec of 33 windows is too large');
SELECT throws_ok('SELECT churn_spec(lookback => 0)', '22023', 'lookback of 0 days is out of range');
SELECT throws_ok('SELECT churn_spec(lookback => 2147483647)', '22023', 'lookback of 2147483647 days is out of range');
SELECT throws_ok('SELECT churn_spec(churn_window => 0)', '22023', 'churn window of 0 days is out of range');
SELECT throws_ok('SELECT churn_spec(kinds => ''{order,""}'')', '22023', 'kind "" has 0 bytes');
SELECT throws_ok('SELECT churn_spec(kinds => ARRAY[repeat(''k'', 64)])', '22023', NULL, 'a kind of 64 bytes');
SELECT lives_ok('SELECT churn_spec(kinds => ARRAY[repeat(''k'', 63)])', 'a kind of 63 bytes');
SELECT throws_ok('SELECT churn_spec(kinds => ARRAY[E''a\nb''])', '22023', 'kind name contains the control character 0x0a');
SELECT throws_ok('SELECT churn_spec(kinds => ''{any}'')', '22023', 'kind name "any" is reserved');
SELECT throws_ok('SELECT churn_spec(kind => ''any'')', '22023', 'kind name "any" is reserved');
SELECT throws_ok('SELECT churn_spec(kinds => ''{order,NULL}'')', '22023', 'argument "kinds" must be a list without NULLs');
SELECT throws_ok('SELECT churn_spec(kinds => (SELECT array_agg(i::text) FROM generate_series(1, 65) i))', '22023', 'a spec of 65 kinds is too large');
SELECT throws_ok('SELECT churn_spec(kinds => ''{order}'', key_kinds => ''{view}'')', '22023', 'key_kinds names "view", which is not among the kinds');
SELECT throws_ok('SELECT churn_spec(kinds => ''{order}'', amount_kinds => ''{view}'')', '22023', 'amount_kinds names "view", which is not among the kinds');
SELECT throws_ok('SELECT churn_spec(kinds => ''{order,cart}'', ratios => ''{order/view}'')', '22023', 'ratio "order/view" does not name two kinds');
SELECT throws_ok('SELECT churn_spec(kinds => ''{order,cart}'', ratios => ''{order}'')', '22023', 'ratio "order" does not name two kinds');
SELECT throws_ok('SELECT churn_spec(kinds => ''{order,cart}'', ratios => ''{order/order}'')', '22023', 'ratio "order/order" names one kind twice');
SELECT throws_ok('SELECT churn_spec(kinds => ''{a,b/c,a/b,c}'', ratios => ''{a/b/c}'')', '22023', 'ratio "a/b/c" can be read in 2 ways');
SELECT throws_ok(format('SELECT churn_spec(time_zone => %L)', z), '22023', format('time zone "%s" is not known', z))
	FROM unnest(ARRAY['', 'Mars/Olympus', 'FOO+5', '<+03>-03', '-5', 'EST5EDT,M3.2.0,M11.1.0']) z;
SELECT is((SELECT count(churn_spec(time_zone => name)) FROM pg_timezone_names), (SELECT count(*) FROM pg_timezone_names),
	'every zone that the server lists is taken');

-- Made equal
SELECT is(big()::text, '{"windows": [7, 30, 90], "lookback": 730, "kinds": ["cart", "order", "refund", "view"], "key_kinds": ["order"], "churn_window": 90, "ratios": ["order/cart", "refund/order"], "time_zone": "Europe/Berlin", "kind": "order", "amount_kinds": ["order", "refund"], "refund_kinds": ["refund"], "visible": null}',
	'sorted, without duplicates');
SELECT ok(churn_spec(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL) = churn_spec(), 'NULL takes the default');
SELECT ok(churn_spec(windows => '{10,500,900}', lookback => 100) = churn_spec(windows => '{10,100}', lookback => 100), 'windows are cut to the lookback');
SELECT ok(churn_spec(kinds => '{order}') = churn_spec(kind => 'order', key_kinds => '{order}', time_zone => 'utc'), 'the only kind is the key kind');
SELECT ok(churn_spec(kinds => '{order}') <> churn_spec(kinds => '{order}', key_kinds => '{}'), 'unless none is wanted');

-- Trips
SELECT ok(big()::text::churn_spec = big(), 'text comes back');
SELECT ok('{}'::churn_spec = churn_spec() AND '{"kinds": null, "lookback": 730}'::churn_spec = churn_spec(), 'in text, what is left out takes its default');
SELECT is(churn_spec(kinds => ARRAY['a"b\c', 'заказ'])::text::churn_spec::text, churn_spec(kinds => ARRAY['a"b\c', 'заказ'])::text, 'strange kinds come back');
CREATE TABLE specs (s churn_spec);
INSERT INTO specs SELECT big() UNION ALL SELECT churn_spec() UNION ALL
	SELECT churn_spec(kinds => (SELECT array_agg(repeat(chr(64 + i / 8) || i, 10)) FROM generate_series(1, 64) i));
\set file `mktemp -u /tmp/churn-spec.XXXXXX`
COPY specs TO :'file' (FORMAT binary);
CREATE TABLE copied (s churn_spec);
COPY copied FROM :'file' (FORMAT binary);
SELECT results_eq('SELECT s::text FROM specs', 'SELECT s::text FROM copied', 'binary comes back');
\! rm -f /tmp/churn-spec.??????

-- Damaged text and bytes
SELECT throws_ok(format('SELECT %L::churn_spec', t), '22P02', NULL, 'damaged text: ' || t)
	FROM unnest(ARRAY['', '[]', '{"window": [7]}', '{"windows": 7}']) t;
CREATE FUNCTION receives(bytes bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	file text := '/tmp/churn-spec-' || pg_backend_pid();
	state text;
BEGIN
	-- a binary COPY file of one row with one field
	PERFORM lo_unlink(99999) FROM pg_largeobject_metadata WHERE oid = 99999;
	PERFORM lo_from_bytea(99999, '\x5047434f50590aff0d0a00'::bytea || '\x0000000000000000'::bytea || '\x0001'::bytea
		|| int4send(length(bytes)) || bytes || '\xffff'::bytea);
	PERFORM lo_export(99999, file);
	EXECUTE format('COPY copied FROM %L (FORMAT binary)', file);
	RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE;
	RETURN state;
END $$;
SELECT is(receives(churn_spec_send(big())), 'taken', 'whole bytes are received');
SELECT is((SELECT string_agg(DISTINCT receives(substr(churn_spec_send(big()), 1, n)), ' ')
	FROM generate_series(0, length(churn_spec_send(big())) - 1) n), '22P03', 'cut bytes are refused');
-- A changed byte may make another spec, but never a crash or a strange state.
SELECT is_empty($$ SELECT n, b, state FROM generate_series(0, length(churn_spec_send(big())) - 1) n, unnest('{0,1,32,255}'::int[]) b,
	receives(set_byte(churn_spec_send(big()), n, b)) state WHERE state NOT IN ('taken', '22P03', '22023', '22021') $$,
	'changed bytes are taken or refused');
\! rm -f /tmp/churn-spec-*

-- Days of zones
SELECT is_empty($$ SELECT z, ts FROM
	(SELECT z, churn_spec(time_zone => z) AS s FROM unnest('{UTC,America/New_York,Asia/Kolkata,Pacific/Apia,Africa/Casablanca,Europe/Berlin,Australia/Lord_Howe,Asia/Tehran,Africa/Monrovia}'::text[]) z) q,
	LATERAL (SELECT '1965-01-01 00:00+00'::timestamptz + n * interval '17 hours 47 minutes 13.7 seconds' AS ts FROM generate_series(0, 45000) n OFFSET 0) g
	WHERE churn_day(ts, s) IS DISTINCT FROM (ts AT TIME ZONE z)::date LIMIT 5 $$, 'days from 1965 to 2056 are those of AT TIME ZONE');
SELECT is_empty($$ SELECT z, ts FROM
	(SELECT z, churn_spec(time_zone => z) AS s FROM unnest('{America/New_York,Pacific/Apia,Africa/Casablanca,America/Sao_Paulo,Asia/Beirut}'::text[]) z) q,
	LATERAL (SELECT (d::timestamp AT TIME ZONE z) + o AS ts FROM generate_series(timestamp '1970-01-01', '2037-12-31', '1 day') d,
		unnest('{-1 microsecond,0,59 minutes 59.999999 seconds,1 hour}'::interval[]) o OFFSET 0) g
	WHERE churn_day(ts, s) IS DISTINCT FROM (ts AT TIME ZONE z)::date LIMIT 5 $$, 'also right at midnight, clocks going forward at midnight included');
SELECT throws_ok('SELECT churn_day(''infinity'', churn_spec())', '22008', 'an infinite timestamp has no day');
SELECT lives_ok('SELECT churn_day(ts, churn_spec(time_zone => z)) FROM (VALUES (timestamptz ''4714-11-24 00:00+00 BC''), (''294276-12-31 23:59:59+00'')) t(ts), unnest(''{UTC,Asia/Tokyo}''::text[]) z',
	'the first and the last moment there is');
SELECT * FROM finish();
