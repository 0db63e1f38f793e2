-- Every feature against plain SQL written from its definition, on random
-- users; what must not matter; one small user worked out by hand.
SET client_min_messages = warning;
SELECT plan(34);

-- Uniform numbers from a hash: the same on every run and machine.
CREATE FUNCTION noise(salt text, variadic n int[]) RETURNS float8
	LANGUAGE sql IMMUTABLE
	AS $$ SELECT (hashtextextended(salt || n::text, 0) & 2147483647) / 2147483648.0 $$;

-- 240 users: from no event to some hundred, quiet months, days with several
-- events, amounts in quarters (so that sums are exact), refunds of either
-- sign, views without money, orders with an amount missing, events that
-- became known up to 60 days late, and events after every as-of date.
CREATE TABLE events AS
SELECT u, d, kind,
	CASE WHEN kind = 'view' OR noise('null', u, i) < .1 THEN NULL
		WHEN kind = 'refund' AND u % 2 = 0 THEN -amount
		ELSE amount END AS amount,
	d + CASE WHEN noise('late', u, i) < .15 THEN (60 * noise('lag', u, i))::int ELSE 0 END AS known
FROM generate_series(1, 240) u,
	LATERAL (SELECT (noise('size', u) ^ 3 * 150)::int AS size) s,
	LATERAL generate_series(1, size) i,
	LATERAL (SELECT date '2023-06-30' - (1200 * noise('day', u, i) ^ (1 + u % 3))::int
		+ (u % 5) * 10 AS d) x,
	LATERAL (SELECT (ARRAY['order', 'order', 'refund', 'view', 'view', 'view', 'Cart-Item', 'other'])
		[1 + (least(8, 1 + u % 9) * noise('kind', u, i))::int % 8] AS kind) y,
	LATERAL (SELECT round(noise('amount', u, i) * 400) / 4 AS amount) z
WHERE NOT (d BETWEEN '2022-11-01' AND '2023-01-31' AND u % 4 = 0);
INSERT INTO events SELECT 1000, '2023-05-05', 'order', 12.5, '2023-05-05';
INSERT INTO events SELECT 1001, '2023-05-05', 'order', 12.5, '2023-05-05' FROM generate_series(1, 3);
INSERT INTO events SELECT 1002, date '2023-06-29' - 100 * i, 'order', 0, '2023-06-29' FROM generate_series(0, 6) i;
INSERT INTO events SELECT 1003, '2023-06-01', 'other', 5, '2023-06-01';

-- The catalogue in plain SQL, naive on purpose.
CREATE FUNCTION reference(a date, l int, windows int[], h int, kinds text[], prefixes text[],
	keys text[], money text[], refunds text[], above text[], below text[])
	RETURNS TABLE (u int, name text, value float8)
	LANGUAGE sql AS $$
WITH w AS (SELECT DISTINCT least(x, l) AS w FROM unnest(windows) x),
k AS (SELECT kind, prefix AS p, kind = ANY (keys) AS is_key, kind = ANY (money) AS pays
	FROM unnest(kinds, prefixes) AS t(kind, prefix)),
p AS (SELECT p, pays FROM k
	UNION ALL SELECT 'any', cardinality(money) > 1 WHERE cardinality(reference.kinds) > 1),
seen AS (SELECT e.* FROM events e
	WHERE d < a AND greatest(d, known) < a AND d >= a - l AND kind = ANY (kinds)),
tagged AS (SELECT u, p, d, amount, true AS pays FROM seen JOIN k USING (kind)
	UNION ALL SELECT u, 'any', d,
		CASE WHEN kind = ANY (money) THEN CASE WHEN kind = ANY (refunds) THEN -abs(amount) ELSE amount END END,
		kind = ANY (money) FROM seen),
users AS (SELECT DISTINCT u FROM events),
subject AS (SELECT u, p, p.pays FROM users, p),
day AS (SELECT u, p, d, count(*) AS n, coalesce(sum(amount), 0) AS m, sum(amount) AS known_m,
	count(*) FILTER (WHERE pays) AS payments FROM tagged GROUP BY 1, 2, 3),
base AS (SELECT u, p, s.pays, count(d) AS nd, coalesce(sum(n), 0)::float8 AS cnt,
	a - min(d) AS tenure, a - max(d) AS recency,
	(array_agg(d ORDER BY d DESC))[2] AS prev, sum(n * exp(-ln(2) * (a - d) / 30.0)) AS ewma
	FROM subject s LEFT JOIN day USING (u, p) GROUP BY 1, 2, 3),
gap AS (SELECT u, p, g, row_number() OVER (PARTITION BY u, p ORDER BY d) AS i
	FROM (SELECT u, p, d, d - lag(d) OVER (PARTITION BY u, p ORDER BY d) AS g FROM day) x
	WHERE g IS NOT NULL),
gaps AS (SELECT b.u, b.p, count(g) AS n, avg(g)::float8 AS mean, stddev_samp(g)::float8 AS sd,
	percentile_cont(.5) WITHIN GROUP (ORDER BY g) AS median, max(g) AS max,
	(array_agg(g ORDER BY i DESC))[1] AS last, (array_agg(g ORDER BY i))[1] AS first,
	regr_slope(g, i) AS slope, count(*) FILTER (WHERE g > h) AS lapses,
	avg((g <= recency)::int)::float8 AS rank
	FROM base b LEFT JOIN gap USING (u, p) GROUP BY 1, 2),
clump AS (SELECT u, p, 1 + sum(x / total * ln(x / total)) / ln(count(*)) AS clumpiness
	FROM (SELECT u, p, x, sum(x) OVER (PARTITION BY u, p) AS total FROM (
		SELECT u, p, g::float8 AS x FROM gap UNION ALL SELECT u, p, recency FROM base WHERE nd > 0) y) z
	GROUP BY 1, 2 HAVING count(*) > 1),
kept AS (SELECT u, p, avg(EXISTS (SELECT FROM day WHERE day.u = b.u AND day.p = b.p
		AND d >= a - h * j AND d < a - h * (j - 1))::int)::float8 AS kept
	FROM base b, generate_series(1, 4) j WHERE h * j <= tenure GROUP BY 1, 2),
amounts AS (SELECT u, p, sum(m) AS total, max(known_m) AS max, avg(known_m) AS mean,
	stddev_samp(known_m) AS sd,
	(array_agg(known_m ORDER BY d DESC) FILTER (WHERE known_m IS NOT NULL))[1] AS last
	FROM subject LEFT JOIN day USING (u, p) GROUP BY 1, 2),
inside AS (SELECT s.u, s.p, s.pays, w,
	coalesce(sum(n) FILTER (WHERE d >= a - w), 0)::float8 AS n,
	coalesce(sum(payments) FILTER (WHERE d >= a - w), 0)::float8 AS payments,
	count(d) FILTER (WHERE d >= a - w) AS nd,
	coalesce(sum(m) FILTER (WHERE d >= a - w), 0)::float8 AS m,
	coalesce(sum(n) FILTER (WHERE d < a - w AND d >= a - 2 * w), 0)::float8 AS n0,
	coalesce(sum(m) FILTER (WHERE d < a - w AND d >= a - 2 * w), 0)::float8 AS m0
	FROM w, subject s LEFT JOIN day USING (u, p) GROUP BY 1, 2, 3, 4),
weeks AS (SELECT s.u, s.p, j, coalesce(sum(n) FILTER (WHERE d >= a - 84 + 7 * j AND d < a - 77 + 7 * j), 0)::float8 AS n
	FROM generate_series(0, 11) j, subject s LEFT JOIN day USING (u, p) GROUP BY 1, 2, 3),
year AS (SELECT s.u, s.p, coalesce(sum(n) FILTER (WHERE d >= a - 30), 0)::float8 AS n,
	coalesce(sum(n) FILTER (WHERE d >= a - 395 AND d < a - 365), 0)::float8 AS n0
	FROM subject s LEFT JOIN day USING (u, p) GROUP BY 1, 2),
last_key AS (SELECT u, max(d) AS d FROM seen WHERE kind = ANY (keys) GROUP BY 1),
mix AS (SELECT u, count(*) AS kinds, -sum(s * ln(s)) AS entropy FROM (
	SELECT u, n / sum(n) OVER (PARTITION BY u)::float8 AS s FROM (
		SELECT u, kind, count(*) AS n FROM seen GROUP BY 1, 2) x) y GROUP BY 1),
anyday AS (SELECT DISTINCT u, d FROM seen),
weekday AS (SELECT u, -sum(s * ln(s)) AS entropy FROM (
	SELECT u, count(*)::float8 / sum(count(*)) OVER (PARTITION BY u)::float8 AS s
	FROM anyday GROUP BY u, extract(dow FROM d)) x GROUP BY 1)
SELECT u, p || '_' || f.name, f.value FROM base, LATERAL (VALUES
	('recency', recency::float8), ('tenure', tenure), ('span', tenure - recency),
	('recency_share', recency / tenure::float8), ('recency_prev', a - prev),
	('count', cnt), ('days', nd), ('rate', 30 * nd / CASE WHEN nd > 0 THEN greatest(tenure, 30) END::float8),
	('ewma', coalesce(ewma, 0))) AS f(name, value)
UNION ALL SELECT u, p || '_' || f.name || '_' || w || 'd', f.value
	FROM inside JOIN base USING (u, p), LATERAL (VALUES
	('count', n, w < l), ('days', inside.nd, w < l),
	('count_scaled', n * w / least(w, greatest(tenure, least(30, w))), true),
	('amount', m, w < l AND inside.pays), ('amount_mean', m / nullif(payments, 0), inside.pays),
	('trend', n / nullif(n + n0, 0), 2 * w <= l), ('diff', n - n0, 2 * w <= l),
	('amount_trend', CASE WHEN m * m0 >= 0 THEN m / nullif(m + m0, 0) END, 2 * w <= l AND inside.pays))
	AS f(name, value, listed) WHERE listed
UNION ALL SELECT u, p || '_' || f.name, f.value FROM amounts JOIN subject USING (u, p), LATERAL (VALUES
	('amount', coalesce(total, 0)), ('amount_last', last), ('amount_max', max),
	('amount_cv', CASE WHEN mean > 0 THEN sd / mean END),
	('amount_last_ratio', CASE WHEN mean > 0 THEN last / mean END)) AS f(name, value) WHERE pays
UNION ALL SELECT u, p || '_' || f.name, f.value
	FROM gaps JOIN base USING (u, p) LEFT JOIN clump USING (u, p) LEFT JOIN kept USING (u, p), LATERAL (VALUES
	('gap_mean', mean, true), ('gap_sd', sd, true), ('gap_cv', sd / mean, true), ('gap_median', median, true),
	('gap_max', max, true), ('gap_last', last, true), ('overdue', recency / mean, true),
	('overdue_z', (recency - mean) / nullif(sd, 0), true), ('gap_rank', rank, true), ('gap_slope', slope, true),
	('clumpiness', clumpiness, true), ('days_past_median', recency - median, true),
	('days_past_max', recency - max, true), ('second_after', first, true),
	('lapses', lapses, h IS NOT NULL), ('kept_4h', kept, h IS NOT NULL)) AS f(name, value, listed) WHERE listed
UNION ALL SELECT u, p || '_slope_12w', regr_slope(n, j) / nullif(avg(n), 0) FROM weeks WHERE l >= 84 GROUP BY u, p
UNION ALL SELECT u, p || '_yoy_30d', n / nullif(n + n0, 0) FROM year WHERE l >= 395
UNION ALL SELECT base.u, base.p || '_' || f.name, f.value
	FROM base JOIN k ON k.p = base.p AND NOT is_key LEFT JOIN last_key ON last_key.u = base.u, LATERAL (VALUES
	('recency_less_key', (recency - (a - last_key.d))::float8),
	('since_key', CASE WHEN last_key.d IS NOT NULL THEN (SELECT count(*) FROM seen
		WHERE seen.u = base.u AND seen.kind = k.kind AND seen.d > last_key.d) END)) AS f(name, value)
	WHERE cardinality(keys) > 0
UNION ALL SELECT u, 'any_week_share',
	count(DISTINCT (a - d - 1) / 7)::float8 / ((a - min(d) - 1) / 7 + 1) FROM users LEFT JOIN anyday USING (u) GROUP BY 1
UNION ALL SELECT u, 'any_weekend_share', avg((extract(dow FROM d) IN (0, 6))::int)::float8
	FROM users LEFT JOIN anyday USING (u) GROUP BY 1
UNION ALL SELECT u, 'any_weekday_entropy', entropy FROM users LEFT JOIN weekday USING (u)
UNION ALL SELECT u, 'kinds_' || w || 'd', (SELECT count(DISTINCT kind) FROM seen WHERE seen.u = users.u AND d >= a - w)
	FROM users, w WHERE cardinality(reference.kinds) > 1
UNION ALL SELECT u, 'kind_entropy', entropy FROM users LEFT JOIN mix USING (u) WHERE cardinality(reference.kinds) > 1
UNION ALL SELECT u, 'kind_entropy_scaled', entropy / CASE WHEN mix.kinds > 1 THEN ln(mix.kinds) END
	FROM users LEFT JOIN mix USING (u) WHERE cardinality(reference.kinds) > 1
UNION ALL SELECT x.u, x.p || '_per_' || y.p || '_' || w || 'd', x.n / nullif(y.n, 0)
	FROM unnest(above, below) AS r(above, below) JOIN inside x ON x.p = above JOIN inside y USING (u, w)
	WHERE y.p = below
$$;

CREATE TABLE histories AS
SELECT u, churn_history(d, kind, amount, known) AS history FROM events GROUP BY u;

-- What differs: all names of all users, with NULLs where the reference has them
CREATE FUNCTION differences(a date, spec churn_spec, l int, windows int[], h int, kinds text[], prefixes text[],
	keys text[], money text[], refunds text[] DEFAULT '{}', above text[] DEFAULT '{}', below text[] DEFAULT '{}')
	RETURNS TABLE (u int, name text, got float8, want float8)
	LANGUAGE sql AS $$
	SELECT coalesce(x.u, y.u), coalesce(x.name, y.name), x.value, y.value
	FROM (SELECT u, f.* FROM histories, churn_feature_values(history, a, spec) f) x
	FULL JOIN reference(a, l, windows, h, kinds, prefixes, keys, money, refunds, above, below) y
		ON x.u = y.u AND x.name = y.name
	WHERE x.u IS NULL OR y.u IS NULL OR (x.value IS NULL) <> (y.value IS NULL)
		OR abs(x.value - y.value) > 1e-9 * greatest(1, abs(y.value))
	LIMIT 20 $$;

SELECT cmp_ok((SELECT count(DISTINCT u) FROM events), '>=', 200::bigint, 'there are at least 200 users');
SELECT cmp_ok((SELECT count(*) FROM events WHERE known > d), '>=', 500::bigint, 'and enough late events');

SELECT is_empty($$ SELECT * FROM differences('2023-06-30',
	churn_spec(kinds => '{view,Cart-Item,refund,order}', key_kinds => '{order}', churn_window => 45,
		windows => '{7,30,90,180,365,730}', ratios => '{order/Cart-Item,refund/order}', amount_kinds => '{order,refund}'),
	730, '{7,30,90,180,365,730}', 45, '{view,Cart-Item,refund,order}', '{view,cart_item,refund,order}',
	'{order}', '{order,refund}', '{refund}', '{order,refund}', '{cart_item,order}') $$,
	'four kinds, two with money, agree with plain SQL');
SELECT is_empty($$ SELECT * FROM differences('2022-12-24',
	churn_spec(kinds => '{view,Cart-Item,refund,order}', key_kinds => '{order,Cart-Item}',
		windows => '{1,14,500}', lookback => 400),
	400, '{1,14,500}', NULL, '{view,Cart-Item,refund,order}', '{view,cart_item,refund,order}',
	'{order,Cart-Item}', '{view,Cart-Item,refund,order}', '{refund}') $$,
	'all kinds with money, two key kinds, a window beyond the lookback: agree with plain SQL');
SELECT is_empty($$ SELECT * FROM differences('2023-07-15',
	churn_spec(kinds => '{order}', windows => '{3,60}', lookback => 100, churn_window => 20),
	100, '{3,60}', 20, '{order}', '{order}', '{order}', '{order}') $$,
	'a single kind and a short lookback agree with plain SQL');
SELECT is_empty($$ SELECT * FROM differences('2023-03-01',
	churn_spec(kinds => '{order,view}', windows => '{}', lookback => 80, amount_kinds => '{}'),
	80, '{}', NULL, '{order,view}', '{order,view}', '{}', '{}') $$,
	'no windows, no money, no key kind: agree with plain SQL');
SELECT is_empty($$ SELECT * FROM differences('2023-06-30',
	churn_spec(kinds => '{refund,order}', key_kinds => '{order}', amount_kinds => '{refund}', lookback => 36500,
		windows => '{18250}', refund_kinds => '{order,refund}', churn_window => 9125),
	36500, '{18250}', 9125, '{refund,order}', '{refund,order}', '{order}', '{refund}', '{refund,order}') $$,
	'the longest lookback agrees with plain SQL');

-- Nothing at or after as_of, nor known only then, reaches a feature.
CREATE TABLE noisy AS
SELECT u, churn_history(d, kind, amount, known) AS history FROM (
	SELECT * FROM events
	UNION ALL SELECT u, date '2023-02-01' + (n * n) % 300, (ARRAY['order', 'view', 'refund', 'new'])[1 + n % 4], n, date '2023-02-01' + (n * n) % 300
		FROM (SELECT DISTINCT u FROM events) x, generate_series(1, 30) n
	UNION ALL SELECT u, date '2023-02-01' - n, 'order', n, date '2023-02-01' + n % 3
		FROM (SELECT DISTINCT u FROM events) x, generate_series(1, 30) n) x GROUP BY u;
SELECT is_empty($$ SELECT u FROM histories JOIN noisy USING (u), churn_spec(kinds => '{order,refund,view}',
		key_kinds => '{order}', churn_window => 90) s
	WHERE churn_features(histories.history, '2023-02-01', s)::text
		IS DISTINCT FROM churn_features(noisy.history, '2023-02-01', s)::text $$,
	'events at or after as_of, or known only then, change nothing');
SELECT isnt_empty($$ SELECT u FROM histories JOIN noisy USING (u), churn_spec(kinds => '{order,refund,view}') s
	WHERE churn_features(histories.history, '2023-02-02', s) <> churn_features(noisy.history, '2023-02-02', s) $$,
	'the day after, they do');
SELECT is_empty($$ SELECT u FROM histories, churn_spec(kinds => '{order,refund,view}', windows => '{7,30}', lookback => 90) s
	WHERE churn_features(history, '2023-02-01', s)::text IS DISTINCT FROM
		churn_features((SELECT churn_history(d, kind, amount, known ORDER BY d DESC) FROM events e
			WHERE e.u = histories.u AND d >= date '2023-02-01' - 90), '2023-02-01', s)::text $$,
	'events before the lookback change nothing, nor does the order of rows');

-- One small user, worked out by hand; as-of date 2024-03-01 (a Friday).
-- Orders: Jan 1 (10.00), Jan 11 (20.00 + 10.00), Jan 31 (30.00): ages 60, 50, 30.
-- Refund: Feb 5 (5.00), age 25. Views: Feb 10 twice, Feb 29: ages 20, 20, 1.
CREATE TABLE small AS SELECT churn_history(d, k, m) AS history FROM (VALUES
	(date '2024-01-01', 'order', 10.0::float8), ('2024-01-11', 'order', 20), ('2024-01-11', 'order', 10),
	('2024-01-31', 'order', 30), ('2024-02-05', 'refund', 5), ('2024-02-10', 'view', NULL),
	('2024-02-10', 'view', NULL), ('2024-02-29', 'view', NULL)) AS e(d, k, m);
CREATE FUNCTION small_values(variadic names text[]) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT n || ' ' || coalesce(round(value::numeric, 6)::text, 'NULL')
	FROM unnest(names) WITH ORDINALITY AS t(n, i) LEFT JOIN (SELECT f.* FROM small, churn_feature_values(history, '2024-03-01',
		churn_spec(windows => '{30,90}', kinds => '{order,refund,view}', key_kinds => '{order}', churn_window => 15,
			ratios => '{view/order,order/refund}', amount_kinds => '{order,refund}')) f) v ON v.name = n ORDER BY i $$;
SELECT results_eq($$ SELECT small_values('order_recency', 'order_tenure', 'order_span', 'order_recency_share', 'order_recency_prev') $$,
	$$ VALUES ('order_recency 30.000000'), ('order_tenure 60.000000'), ('order_span 30.000000'),
		('order_recency_share 0.500000'), ('order_recency_prev 50.000000') $$, 'by hand: recency and tenure');
SELECT results_eq($$ SELECT small_values('order_count_30d', 'order_days_90d', 'order_count', 'order_days', 'order_rate', 'order_count_scaled_90d', 'view_count_scaled_90d') $$,
	$$ VALUES ('order_count_30d 1.000000'), ('order_days_90d 3.000000'), ('order_count 4.000000'), ('order_days 3.000000'),
		('order_rate 1.500000'), ('order_count_scaled_90d 6.000000'), ('view_count_scaled_90d 9.000000') $$, 'by hand: frequency');
SELECT results_eq($$ SELECT small_values('order_amount', 'order_amount_30d', 'order_amount_mean_90d', 'order_amount_last', 'order_amount_max', 'order_amount_cv', 'order_amount_last_ratio', 'any_amount', 'any_amount_mean_90d', 'any_amount_last', 'refund_amount') $$,
	$$ VALUES ('order_amount 70.000000'), ('order_amount_30d 30.000000'), ('order_amount_mean_90d 17.500000'), ('order_amount_last 30.000000'),
		('order_amount_max 30.000000'), ('order_amount_cv 0.494872'), ('order_amount_last_ratio 1.285714'), ('any_amount 65.000000'),
		('any_amount_mean_90d 13.000000'), ('any_amount_last -5.000000'), ('refund_amount 5.000000') $$, 'by hand: money');
SELECT results_eq($$ SELECT small_values('order_gap_mean', 'order_gap_sd', 'order_gap_cv', 'order_gap_median', 'order_gap_max', 'order_gap_last', 'order_overdue', 'order_overdue_z', 'order_gap_rank', 'order_gap_slope', 'order_clumpiness') $$,
	$$ VALUES ('order_gap_mean 15.000000'), ('order_gap_sd 7.071068'), ('order_gap_cv 0.471405'), ('order_gap_median 15.000000'),
		('order_gap_max 20.000000'), ('order_gap_last 20.000000'), ('order_overdue 2.000000'), ('order_overdue_z 2.121320'),
		('order_gap_rank 1.000000'), ('order_gap_slope 10.000000'), ('order_clumpiness 0.079380') $$, 'by hand: gaps');
SELECT results_eq($$ SELECT small_values('order_lapses', 'order_days_past_median', 'order_days_past_max', 'order_second_after', 'order_kept_4h', 'view_kept_4h', 'refund_gap_mean', 'refund_lapses') $$,
	$$ VALUES ('order_lapses 1.000000'), ('order_days_past_median 15.000000'), ('order_days_past_max 10.000000'), ('order_second_after 10.000000'),
		('order_kept_4h 0.500000'), ('view_kept_4h 1.000000'), ('refund_gap_mean NULL'), ('refund_lapses 0.000000') $$, 'by hand: lapses and the like');
SELECT results_eq($$ SELECT small_values('order_trend_30d', 'order_diff_30d', 'order_amount_trend_30d', 'order_yoy_30d', 'order_slope_12w', 'view_ewma', 'view_trend_90d') $$,
	$$ VALUES ('order_trend_30d 0.250000'), ('order_diff_30d -2.000000'), ('order_amount_trend_30d 0.428571'), ('order_yoy_30d 1.000000'),
		('order_slope_12w -0.083916'), ('view_ewma 2.237081'), ('view_trend_90d 1.000000') $$, 'by hand: trend');
SELECT results_eq($$ SELECT small_values('kinds_30d', 'kind_entropy', 'kind_entropy_scaled', 'view_recency_less_key', 'view_since_key', 'refund_since_key', 'view_per_order_30d', 'order_per_refund_90d', 'any_week_share', 'any_weekend_share', 'any_weekday_entropy') $$,
	$$ VALUES ('kinds_30d 3.000000'), ('kind_entropy 0.974315'), ('kind_entropy_scaled 0.886860'), ('view_recency_less_key -29.000000'),
		('view_since_key 3.000000'), ('refund_since_key 1.000000'), ('view_per_order_30d 3.000000'), ('order_per_refund_90d 4.000000'),
		('any_week_share 0.666667'), ('any_weekend_share 0.166667'), ('any_weekday_entropy 1.329661') $$, 'by hand: variety, calendar, ratios');

-- NULL, infinity, nothing
CREATE FUNCTION one_spec() RETURNS churn_spec LANGUAGE sql IMMUTABLE
	AS $$ SELECT churn_spec(kinds => '{order,view}', key_kinds => '{order}', churn_window => 90) $$;
SELECT is(churn_features(NULL, '2024-01-01', one_spec())::text,
	churn_features((SELECT churn_history(date '2025-01-01', 'order', 1)), '2024-01-01', one_spec())::text,
	'a NULL history is one without events');
SELECT is(churn_features((SELECT history FROM small), NULL, one_spec()), NULL, 'a NULL date gives NULL');
SELECT is(churn_features((SELECT history FROM small), '2024-01-01', NULL), NULL, 'a NULL spec gives NULL');
SELECT throws_ok($$ SELECT churn_features(NULL, 'infinity', one_spec()) $$, '22008', 'as-of date must be finite');
SELECT throws_ok($$ SELECT churn_features(NULL, '-infinity', one_spec()) $$, '22008', 'as-of date must be finite');
SELECT lives_ok($$ SELECT churn_features(history, d, one_spec()) FROM small, (VALUES (date '4713-01-01 BC'), ('5874897-12-31')) AS t(d) $$,
	'the first and the last date there is');
SELECT throws_ok($$ SELECT churn_feature_names(churn_spec()) $$, '22023',
	'the spec names no kinds of events, so it has no features');
SELECT throws_ok($$ SELECT churn_feature_names(churn_spec(
	windows => (SELECT array_agg(i) FROM generate_series(1, 32) i),
	kinds => (SELECT array_agg('k' || i) FROM generate_series(1, 64) i),
	ratios => (SELECT array_agg('k1/k' || i) FROM generate_series(2, 64) i))) $$, '54000', NULL, 'too many features');

-- Names
SELECT is((SELECT count(*) - count(DISTINCT n) FROM unnest(churn_feature_names(churn_spec(
	kinds => ARRAY['a', 'A', 'a b', 'a-b', 'a_b', 'a_b_2', 'a_amount', 'a_per', 'per_a', 'Any', 'ANY', 'any_', '_',
		'-', 'заказ', 'ЗАКАЗ', 'x:y', 'x', 'y', 'count', 'kind', 'kinds', 'kind_entropy', 'gap', repeat('z', 63), repeat('Z', 63)],
	ratios => ARRAY['a/per_a', 'a_per/a', 'a b/a-b']))) n), 0::bigint, 'names are unique for hostile kinds');
SELECT is((SELECT bool_and(n !~ '[^a-z0-9_]') FROM unnest(churn_feature_names(churn_spec(
	kinds => ARRAY['Order (paid)', 'x:y', 'a"b''c\d']))) n), true, 'names are snake case');
SELECT is((SELECT array_agg(n) FROM unnest(churn_feature_names(churn_spec(
	kinds => ARRAY['a', 'a_amount'], windows => '{30}'))) n WHERE n LIKE 'a\_amount\_trend\_30d%'),
	ARRAY['a_amount_trend_30d', 'a_amount_trend_30d_2'], 'two readings of one name get a number');

-- Every feature has a phrase, whatever the user is like.
SELECT is_empty($$ SELECT u, p.* FROM histories, churn_feature_phrases(history, '2023-06-30',
		churn_spec(kinds => '{view,Cart-Item,refund,order}', key_kinds => '{order}', churn_window => 45,
			windows => '{1,7,30,90,180,365,730}', ratios => '{order/Cart-Item,refund/order}')) p
	WHERE phrase IS NULL OR phrase = '' OR phrase ~ '(nan|inf$|  | 1 days|[^.0-9]1 [a-z]*s in |^ | $|-0( |$))' LIMIT 20 $$,
	'every feature of every user has a phrase');

-- Memory stays flat.
CREATE FUNCTION memory_used() RETURNS bigint LANGUAGE sql
	AS $$ SELECT sum(total_bytes)::bigint FROM pg_backend_memory_contexts $$;
DO $$ BEGIN FOR i IN 1..200 LOOP PERFORM churn_features(history, date '2024-01-01' + i, one_spec()) FROM small; END LOOP; END $$;
CREATE TABLE memory AS SELECT memory_used() AS before;
DO $$ BEGIN FOR i IN 1..10000 LOOP
	PERFORM churn_features(history, date '2024-01-01' + i % 100, one_spec()), (churn_feature_phrase_array(history, '2024-03-01', one_spec()))[1],
		churn_day(now(), one_spec()) FROM small;
END LOOP; END $$;
SELECT cmp_ok(memory_used() - before, '<', 512 * 1024::bigint, 'memory is flat over 10,000 calls') FROM memory;
SELECT cmp_ok((SELECT max(cardinality(churn_features(history, '2024-03-01', churn_spec(kinds => ARRAY['order', 'k' || i % 7])))) FROM small, generate_series(1, 3000) i),
	'>', 100, 'a spec that changes from row to row');

-- the ends of the calendar, and of counting
SELECT throws_ok($$SELECT churn_features('{order: 2024-01-01 x9223372036854775807; view: 2024-01-01}', '2024-01-05',
	churn_spec(kinds => '{order, view}', key_kinds => '{order}'))$$, '22003', NULL, 'events of all kinds that are too many to count');
SELECT is(next_day, NULL, 'no next day after the last of the calendar: ' || h) FROM unnest(ARRAY[
	'{order: 5874896-01-01, 5874897-01-01}', '{order: -4713-12-01, 5874897-12-01}']::churn_history[]) h,
	churn_standing(h, '5874897-12-31', churn_spec(kind => 'order', churn_window => 30), 36500, 0);
SELECT * FROM finish();
