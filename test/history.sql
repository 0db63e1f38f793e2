-- churn_history: laws and contracts
SELECT plan(74);

-- A repeatable random number from 0 to n - 1
CREATE FUNCTION draw(i int, salt int, n int) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	'SELECT ((hashint4extended(i, salt) & 2147483647) % n)::int';

-- Events that are hard: scattered, with ties, lags, money that is no cents
CREATE TABLE events AS
SELECT i, draw(i, 0, 97) AS user_id,
	date '2020-01-01' + draw(i, 1, 1500) AS day,
	(ARRAY['order', 'view', 'refund', 'odd "kind"', 'Äpfel'])[1 + draw(i, 2, 5)] AS kind,
	CASE draw(i, 3, 12)
		WHEN 0 THEN 0.1 WHEN 1 THEN 1e300 WHEN 2 THEN -1e-300 WHEN 3 THEN 123456.789
		WHEN 4 THEN 1.0 / 3 WHEN 5 THEN NULL WHEN 6 THEN NULL WHEN 7 THEN -1e300
		ELSE (draw(i, 4, 100000) - 20000) / 100.0 END::float8 AS amount,
	CASE WHEN draw(i, 5, 4) = 0 THEN draw(i, 6, 9) - 2 ELSE 0 END::int AS lag
FROM generate_series(1, 30000) i;
ANALYZE events;
CREATE TABLE built AS
SELECT user_id, churn_history(day, kind, amount, day + lag) AS h FROM events GROUP BY user_id;

-- Few rows
SELECT is(churn_history(day, kind, amount)::text, NULL, 'no rows: NULL') FROM events WHERE false;
SELECT is(churn_history(NULL::date, 'order', 1::float8)::text, NULL, 'only rows without a time: NULL');
SELECT is(churn_history(NULL::date, 'order', 'NaN'::float8)::text, NULL, 'a row without a time is not looked at');
SELECT is(churn_history(day, 'x', NULL::float8)::text, '{x: 2024-01-01}', 'a row without a time beside another')
FROM (VALUES (NULL::date), ('2024-01-01')) v(day);
SELECT is(churn_history(date '2024-01-01', 'x', NULL::float8)::text, '{x: 2024-01-01}', 'no money, still an event');
SELECT is(churn_history(date '2024-01-01', 'x', 0::float8)::text, '{x: 2024-01-01 0.00}', 'no money is not money 0');
SELECT is(churn_history(date '2024-01-01', 'x', '-0'::float8)::text, '{x: 2024-01-01 0.00}', 'minus zero is zero');
SELECT is(churn_history(date '2024-01-01', 'x', 1::float8, NULL::date)::text, '{x: 2024-01-01 1.00}', 'NULL known_at: known at once');
SELECT is(churn_history(date '2024-01-01', 'x', 1::float8, date '2023-01-01')::text, '{x: 2024-01-01 1.00}', 'known before it happened: at once');
SELECT is(churn_history(date '2024-01-01', 'x', 1::float8, date '4024-01-01')::text, '{x: 2024-01-01 1.00 +36500d}', 'a long lag counts as the longest');
SELECT is(churn_history(date '2024-01-01', 'x', 1.1::float8)::text, '{x: 2024-01-01 x3 3.30}', 'ties add up') FROM generate_series(1, 3);
SELECT is(churn_amount(churn_history(date '2024-01-01', 'x', a)), a, 'one amount comes back to the bit: ' || a)
FROM unnest(ARRAY[0.1, 1e300, -1e-300, 123456.789, 5e-324, 1.7976931348623157e308, 1e15 + 0.125]::float8[]) a GROUP BY a;
SELECT is(churn_history(t, 'x', 1::float8)::text, '{x: 1999-12-31 x2 2.00, 2000-01-01 1.00}', 'days of local timestamps, before 2000 too')
FROM (VALUES (timestamp '1999-12-31 00:00'), ('1999-12-31 23:59:59.999999'), ('2000-01-01')) v(t);
SELECT is(churn_history(t, 'x', 1::float8, t + '1 s', churn_spec(time_zone => 'America/New_York'))::text,
	'{x: 2024-03-10 x2 2.00, 2024-03-11 1.00}', 'days of moments across a change of the clock')
FROM (VALUES (timestamptz '2024-03-10 05:00+00'), ('2024-03-11 03:59:58+00'), ('2024-03-11 04:00+00')) v(t);
SELECT is(churn_history(t, 1::float8, CASE WHEN t < '2024-06-01' THEN churn_spec(kind => 'a') ELSE churn_spec(kind => 'b', time_zone => 'Asia/Tokyo') END)::text,
	'{a: 2024-01-01 1.00; b: 2024-07-02 1.00}', 'the spec may change from row to row')
FROM (VALUES (timestamptz '2024-01-01 20:00+00'), ('2024-07-01 20:00+00')) v(t);

-- Refused
SELECT throws_ok($$SELECT churn_history(date '2024-01-01', NULL::text, 1::float8)$$, '22004');
SELECT throws_ok($$SELECT churn_history(date '2024-01-01', 1::float8, NULL::churn_spec)$$, '22004');
SELECT throws_ok($$SELECT churn_history(date '2024-01-01', ''::text, 1::float8)$$, '22023');
SELECT throws_ok($$SELECT churn_history(date '2024-01-01', repeat('ä', 32), 1::float8)$$, '22023');
SELECT throws_ok($$SELECT churn_history(date '2024-01-01', 'x', 'NaN'::float8)$$, '22003');
SELECT throws_ok($$SELECT churn_history(date '2024-01-01', 'x', 'Infinity'::float8)$$, '22003');
SELECT throws_ok($$SELECT churn_history(timestamp '-infinity', 'x', 1::float8)$$, '22008');
SELECT throws_ok($$SELECT churn_history(date '2024-01-01', 'x', 1::float8, date 'infinity')$$, '22008');

-- Order and parallel plans do not show
SELECT is((SELECT count(*) FROM built JOIN (
		SELECT user_id, churn_history(day, kind, amount, day + lag) AS h
		FROM (SELECT * FROM events ORDER BY hashint4(i + 7)) s GROUP BY user_id) again USING (user_id)
	WHERE built.h::text = again.h::text AND churn_history_send(built.h) = churn_history_send(again.h)),
	97::bigint, 'shuffled rows give the same bytes');
SELECT is((SELECT count(*) FROM built JOIN (
		SELECT user_id, churn_history(day, kind, amount, day + lag ORDER BY day, lag) AS h
		FROM events GROUP BY user_id) again USING (user_id, h)),
	97::bigint, 'and sorted rows');

CREATE FUNCTION plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; whole text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP whole := whole || line || E'\n'; END LOOP;
	RETURN whole;
END $$;
CREATE TABLE whole AS
SELECT churn_history(day, kind, amount, day + lag) AS h FROM events;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 3;
SELECT matches(plan_of('SELECT churn_history(day, kind, amount, day + lag) FROM events'),
	'Finalize Aggregate.*Gather.*Partial Aggregate', 'the plan is parallel');
SELECT matches(plan_of('SELECT user_id, churn_history(day, kind, amount, day + lag) FROM events GROUP BY user_id'),
	'Finalize.*Partial', 'by group, too');
CREATE TABLE parallel_whole AS SELECT churn_history(day, kind, amount, day + lag) AS h FROM events;
CREATE TABLE parallel_built AS SELECT user_id, churn_history(day, kind, amount, day + lag) AS h FROM events GROUP BY user_id;
SELECT is((SELECT churn_history_send(h) FROM parallel_whole), (SELECT churn_history_send(h) FROM whole), 'parallel equals serial, bits');
SELECT is((SELECT count(*) FROM built JOIN parallel_built USING (user_id, h)), 97::bigint, 'and by group');
CREATE TABLE few AS SELECT churn_history(day, kind, amount) AS h FROM events WHERE i <= 3;
SELECT is((SELECT churn_event_count(h) FROM few), 3::bigint, 'workers that see no row');
CREATE TABLE none AS SELECT churn_history(day, kind, amount) AS h FROM events WHERE i < 0;
SELECT is((SELECT h::text FROM none), NULL, 'nor does the leader');
SELECT matches(plan_of('SELECT churn_merge(h) FROM built'), 'Partial Aggregate', 'churn_merge is parallel');
CREATE TABLE parallel_merged AS SELECT churn_merge(h) AS h FROM built;
SELECT is((SELECT churn_history_send(h) FROM parallel_merged), (SELECT churn_history_send(h) FROM whole), 'merging all users equals building at once');
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;
SET max_parallel_workers_per_gather = 0;

-- Many groups, spilling to disk
SET work_mem = '64kB';
SELECT is((SELECT sum(churn_event_count(h)) FROM (
	SELECT churn_history(day, kind, amount) AS h FROM events GROUP BY i % 9973) s), 30000::numeric, 'many groups, spilled');
SET enable_hashagg = off;
SELECT is((SELECT count(*) FROM built JOIN (SELECT user_id, churn_history(day, kind, amount, day + lag) AS h
	FROM events GROUP BY user_id) again USING (user_id, h)), 97::bigint, 'grouped by sorting');
RESET enable_hashagg;
RESET work_mem;

-- Plain SQL says the same
CREATE TABLE told AS
SELECT user_id, day, kind, greatest(lag, 0) AS lag, count(*) AS events, count(amount) > 0 AS has_amount
FROM events GROUP BY 1, 2, 3, 4;
SELECT is((SELECT count(*) FROM built, churn_history_rows(h) r JOIN told t
		ON (t.day, t.kind, t.lag) = (r.day, r.kind, r.lag)
	WHERE t.user_id = built.user_id AND t.events = r.count AND t.has_amount = (r.amount IS NOT NULL)),
	(SELECT count(*) FROM told), 'entries are those of GROUP BY');
SELECT is((SELECT count(*) FROM built, churn_history_rows(h)), (SELECT count(*) FROM told), 'and no others');
SELECT is((SELECT count(*) FROM (SELECT user_id, churn_history(day, kind, amount) AS h FROM events
		WHERE abs(amount) < 1e299 AND abs(amount) > 1e-299 GROUP BY user_id) s, churn_history_rows(h) r
	JOIN (SELECT user_id, day, kind, sum(amount::numeric) AS money FROM events
		WHERE abs(amount) < 1e299 AND abs(amount) > 1e-299 GROUP BY 1, 2, 3) e USING (day, kind)
	WHERE e.user_id = s.user_id AND abs(r.amount::numeric - money) > 1e-9),
	0::bigint, 'money is that of sum()');
SELECT is((SELECT count(*) FROM built b WHERE
		churn_first_day(h) = (SELECT min(day) FROM events e WHERE e.user_id = b.user_id)
		AND churn_last_day(h, 'view') = (SELECT max(day) FROM events e WHERE e.user_id = b.user_id AND kind = 'view')
		AND churn_event_count(h, 'order', '2021-01-01', '2022-01-01') = (SELECT count(*) FROM events e WHERE e.user_id = b.user_id
			AND kind = 'order' AND day >= '2021-01-01' AND day < '2022-01-01')
		AND churn_day_count(h, NULL, '2021-01-01') = (SELECT count(DISTINCT day) FROM events e WHERE e.user_id = b.user_id AND day >= '2021-01-01')
		AND churn_day_count(h, 'Äpfel') = (SELECT count(DISTINCT day) FROM events e WHERE e.user_id = b.user_id AND kind = 'Äpfel')),
	97::bigint, 'accessors are those of plain SQL');
SELECT is(churn_amount(churn_history(date '2024-01-01', 'x', a)), 0.25::float8, 'exactly')
FROM unnest(ARRAY[1e300, 0.125, -1e300, 0.125]::float8[]) a;

-- Laws of merging
SELECT is((SELECT count(*) FROM built a JOIN built b ON b.user_id = a.user_id + 1 WHERE a.h + b.h = b.h + a.h), 96::bigint, 'A + B = B + A');
SELECT is((SELECT count(*) FROM built a JOIN built b ON b.user_id = a.user_id + 1 JOIN built c ON c.user_id = a.user_id + 2
	WHERE (a.h + b.h) + c.h = a.h + (b.h + c.h)), 95::bigint, '(A + B) + C = A + (B + C)');
SELECT is((SELECT count(*) FROM built WHERE h + '{}' = h AND '{}' + h = h), 97::bigint, 'nothing added changes nothing');
SELECT is((SELECT count(*) FROM (
	SELECT user_id, churn_history(day, kind, amount, day + lag) FILTER (WHERE i % 3 = 0) +
		churn_history(day, kind, amount, day + lag) FILTER (WHERE i % 3 > 0) AS h
	FROM events GROUP BY user_id) s JOIN built USING (user_id, h)), 97::bigint, 'parts added equal the whole');
SELECT is((SELECT count(*) FROM built WHERE churn_before(h, '2021-06-01') =
	(SELECT churn_history(day, kind, amount, day + lag) FROM events e WHERE e.user_id = built.user_id
		AND day < '2021-06-01' AND day + greatest(lag, 0) < '2021-06-01')), 97::bigint, 'churn_before is what was known');
SELECT is((SELECT count(*) FROM built WHERE churn_before(h, '2021-06-01') + churn_since(h, '2021-06-01') +
	coalesce((SELECT churn_history(day, kind, amount, day + lag) FROM events e WHERE e.user_id = built.user_id
		AND day < '2021-06-01' AND day + lag >= '2021-06-01'), '{}') = h), 97::bigint, 'before + since lacks only what came late');
SELECT is((SELECT count(*) FROM built WHERE churn_before(h, 'infinity') = h AND churn_since(h, '-infinity') = h
	AND churn_before(h, '-infinity') = '{}' AND churn_since(h, 'infinity') = '{}'), 97::bigint, 'infinite dates cut nothing or all');
SELECT is((SELECT count(*) FROM (SELECT DISTINCT h FROM (SELECT h FROM built UNION ALL SELECT h FROM parallel_built) s) d), 97::bigint, 'DISTINCT');
SELECT ok((SELECT bool_and(hashtextextended('', 0) IS NOT NULL AND churn_history_hash(a.h) = churn_history_hash(b.h)
	AND churn_history_hash_extended(a.h, 0) = churn_history_hash_extended(b.h, 0)
	AND (churn_history_hash_extended(a.h, 0) & 4294967295) = (churn_history_hash(a.h)::bigint & 4294967295))
	FROM built a JOIN parallel_built b USING (user_id)), 'hashes of equal histories are equal');

-- Round trips
SET extra_float_digits = 0;
SET datestyle = 'SQL, MDY';
SELECT is((SELECT count(*) FROM built WHERE h::text::churn_history = h), 97::bigint, 'text reads back to the same bytes');
RESET extra_float_digits;
RESET datestyle;
\cd `mktemp -d`
\copy built to 'built.bin' (format binary)
CREATE TABLE copied (LIKE built);
\copy copied from 'built.bin' (format binary)
SELECT is((SELECT count(*) FROM built JOIN copied USING (user_id, h)), 97::bigint, 'binary reads back to the same bytes');
\encoding LATIN1
\copy built to 'built.bin' (format binary)
TRUNCATE copied;
\copy copied from 'built.bin' (format binary)
\encoding UTF8
SELECT is((SELECT count(*) FROM built JOIN copied USING (user_id, h)), 97::bigint, 'through a client of another encoding, too');
\! rm -f built.bin && rmdir "$(pwd)"

-- Hostile input
CREATE FUNCTION try_text(input text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	IF input::churn_history::text::churn_history <> input::churn_history THEN RETURN 'not canonical'; END IF;
	RETURN 'accepted';
EXCEPTION WHEN others THEN RETURN sqlstate;
END $$;
CREATE TABLE tried AS
SELECT try_text(CASE i % 3 WHEN 0 THEN overlay(t PLACING c FROM p FOR 1) WHEN 1 THEN overlay(t PLACING c FROM p FOR 0)
	ELSE overlay(t PLACING '' FROM p FOR 1 + i % 5) END) AS outcome
FROM (SELECT i, t, 1 + draw(i, 0, length(t)) AS p,
		substr('{}:;,"x~+d-.*^ eEä' || chr(1) || repeat('0123456789', 4), 1 + draw(i, 9, 60), 1) AS c
	FROM generate_series(1, 2000) i,
		(SELECT '{"odd "" kind": 2024-02-01 x3 59.97 ~1e300 ~-1e-300 +2d, 2024-03-01; order: 2024-01-05 x2 19.99 ~1e308*2^1, -0044-03-15 x5}' AS t) t) m;
SELECT is((SELECT count(*) FROM tried WHERE outcome NOT IN ('accepted', '22P02', '54000')), 0::bigint, 'mutated text is refused or canonical');
SELECT ok((SELECT count(*) FILTER (WHERE outcome = 'accepted') > 50 AND count(*) FILTER (WHERE outcome = '22P02') > 100 FROM tried), 'some of each');
CREATE FUNCTION try_binary(input bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE file text := current_setting('data_directory') || '/churn_mutation.bin';
BEGIN
	EXECUTE format('COPY (SELECT %L::bytea) TO %L (FORMAT binary)', input, file);
	DELETE FROM copied;
	EXECUTE format('COPY copied (h) FROM %L (FORMAT binary)', file);
	IF (SELECT churn_history_send(h) <> input FROM copied) THEN RETURN 'not canonical'; END IF;
	RETURN 'accepted';
EXCEPTION WHEN others THEN RETURN sqlstate;
END $$;
CREATE TABLE tried_binary AS
SELECT try_binary(CASE WHEN i % 10 = 0 THEN substr(b, 1, p) ELSE set_byte(b, p, draw(i, 8, 256)) END) AS outcome
FROM (SELECT i, b, draw(i, 0, length(b)) AS p FROM generate_series(1, 2000) i,
	(SELECT churn_history_send(churn_before(h, '2020-02-01')) AS b FROM built WHERE user_id = 5) b) m;
SELECT is((SELECT string_agg(DISTINCT outcome, ',') FROM tried_binary WHERE outcome NOT IN ('accepted', '22P03', '22021')), NULL, 'mutated bytes are refused or canonical');
SELECT ok((SELECT count(*) FILTER (WHERE outcome = 'accepted') > 100 AND count(*) FILTER (WHERE outcome = '22P03') > 100 FROM tried_binary), 'some of each');

-- Damaged pages
CREATE CAST (bytea AS churn_history) WITHOUT FUNCTION;
CREATE FUNCTION try_damaged(input bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE h churn_history := input::churn_history; outcome text := ''; command text;
BEGIN
	FOREACH command IN ARRAY ARRAY['$1::text', '$1 + $1', 'churn_before($1, ''infinity'')', 'churn_event_count($1)', 'churn_kinds($1)',
		'(SELECT count(*) FROM churn_history_rows($1))', '(SELECT churn_merge($1) FROM generate_series(1, 2))', 'churn_history_send($1)'] LOOP
		BEGIN
			EXECUTE 'SELECT ' || command USING h;
			outcome := outcome || ' accepted';
		EXCEPTION WHEN others THEN outcome := outcome || ' ' || sqlstate;
		END;
	END LOOP;
	RETURN outcome;
END $$;
CREATE TABLE tried_damaged AS
SELECT try_damaged(CASE WHEN i % 10 = 0 THEN substr(b, 1, p) ELSE set_byte(b, p, draw(i, 8, 256)) END) AS outcome
FROM (SELECT i, b, draw(i, 0, length(b)) AS p FROM generate_series(1, 500) i,
	(SELECT churn_history_send(churn_before(h, '2020-02-01')) AS b FROM built WHERE user_id = 5) b) m;
SELECT is((SELECT count(*) FROM tried_damaged WHERE outcome NOT IN (repeat(' XX001', 8), repeat(' accepted', 8))), 0::bigint, 'every function tells damaged bytes');
SELECT ok((SELECT count(*) > 100 FROM tried_damaged WHERE outcome = repeat(' XX001', 8)), 'and there are some');
SELECT throws_ok($$SELECT ('\x0200'::bytea::churn_history)::text$$, 'XX001', 'stored churn_history is damaged');

-- A robot, and limits
SELECT is(churn_event_count(churn_history(date '2024-01-01' + i % 365, 'k' || i % 4, i % 1000 / 100.0::float8)), 1000000::bigint, 'a million events')
FROM generate_series(1, 1000000) i;
SELECT throws_ok($$SELECT churn_history(date '2000-01-01' + i, 'x', NULL::float8) FROM generate_series(1, 4200000) i$$, '54000', 'history exceeds the limit of 4194304 entries');
SELECT throws_ok($$SELECT churn_history(date '2000-01-01' + i / 2, 'x', CASE i % 2 WHEN 0 THEN 1e307 ELSE 1e-307 END::float8) FROM generate_series(1, 600000) i$$,
	'54000', 'history exceeds the limit of 67108864 bytes');
SELECT throws_ok($$SELECT churn_history(date '2024-01-01', 'k' || i, NULL::float8) FROM generate_series(1, 256) i$$, '54000', 'history exceeds the limit of 255 kinds');
SELECT throws_ok($$SELECT h + h FROM (SELECT '{x: 2024-01-01 x9223372036854775807}'::churn_history AS h) s$$, '54000');
SELECT throws_ok($$SELECT churn_amount(h + h) FROM (SELECT '{x: 2024-01-01 ~1.7e308}'::churn_history AS h) s$$, '22003');
SELECT throws_ok(format($$SELECT ('{x: 2024-01-01' || repeat(' ~1.7976931348623157e308*2^64', %s) || ' ~5e-324}')::churn_history$$, n), '22P02', NULL,
	n || ' terms beyond the range') FROM (VALUES (4), (40000)) v(n);

-- Memory stays flat
CREATE FUNCTION backend_memory() RETURNS bigint LANGUAGE sql AS
	'SELECT sum(total_bytes)::bigint FROM pg_backend_memory_contexts';
CREATE FUNCTION work_once(n int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE h churn_history := (SELECT b.h FROM built b WHERE user_id = 5);
BEGIN
	FOR i IN 1..n LOOP
		PERFORM h::text::churn_history, churn_history_send(h), h + h, h = h, h <> h, churn_before(h, '2022-01-01'),
			churn_since(h, '2022-01-01'), churn_first_day(h), churn_last_day(h), churn_event_count(h),
			churn_day_count(h), churn_amount(h, 'view', '2020-01-01', '2020-01-02'), churn_kinds(h), churn_history_hash(h),
			churn_history_hash_extended(h, 1);
	END LOOP;
	FOR i IN 1..50 LOOP
		PERFORM churn_history(day, kind, amount, day + lag) FROM events WHERE events.i < 500;
		PERFORM count(*) FROM churn_history_rows(h);
	END LOOP;
END $$;
SELECT work_once(10);
SELECT backend_memory() AS before \gset
SELECT work_once(10000);
SELECT cmp_ok(backend_memory(), '<=', :before + 65536::bigint, 'memory is flat');
SELECT * FROM finish();
