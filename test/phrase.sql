-- What phrases say: one behaviour at a time, the whole sentence compared, in
-- English and in Chinese; and laws that hold for every phrase of anybody.
SELECT plan(107);

-- The phrase of a feature of somebody with orders, views or refunds
CREATE FUNCTION says(feature text, history churn_history, as_of date DEFAULT '2024-06-28') RETURNS text
	LANGUAGE sql AS $$
	SELECT phrase FROM churn_feature_phrases(history, as_of, churn_spec(kinds => '{order,refund,view}',
		key_kinds => '{order}', churn_window => 60, windows => '{1,90,365}', amount_kinds => '{order,refund}'))
	WHERE name = feature $$;
-- "day kind amount" a line
CREATE FUNCTION did(events text) RETURNS churn_history LANGUAGE sql AS $$
	SELECT churn_history(e[1]::date, e[2], e[3]::float8)
	FROM (SELECT regexp_split_to_array(line, ' ') FROM regexp_split_to_table(events, ', ') line) l(e) $$;

-- silence
SELECT is(says('order_recency', did('2024-04-15 order 5')), 'no order for 74 days', 'one order: nothing is usual');
SELECT is(says('order_recency', did('2024-03-25 order 5, 2024-04-15 order 5')),
	'no order for 74 days; the only gap before was 21 days', 'one gap: nothing is usual yet');
SELECT is(says('order_recency', did('2024-03-04 order 5, 2024-03-25 order 5, 2024-04-15 order 5')),
	'no order for 74 days; usually every 21 days', 'a rhythm');
SELECT is(says('order_recency', did('2024-04-13 order 5, 2024-04-14 order 5, 2024-04-15 order 5')),
	'no order for 74 days; usually every day', 'a daily rhythm');
SELECT is(says('order_recency', did('2024-04-13 order 5, 2024-05-20 order 5, 2024-06-27 order 5')),
	'last order 1 day ago; usually every 37.5 days', 'nothing is late');
SELECT is(says('order_overdue', did('2024-04-14 order 5, 2024-04-15 order 5')),
	'no order for 74 days; the only gap before was 1 day', 'a single gap makes no factor');
SELECT is(says('order_overdue', did('2024-03-04 order 5, 2024-03-25 order 5, 2024-04-15 order 5')),
	'no order for 74 days, 3.5 times the average gap of 21 days', 'late by a factor');
SELECT is(says('order_overdue', did('2024-04-13 order 5, 2024-05-20 order 5, 2024-06-27 order 5')),
	'last order 1 day ago, within the average gap of 37.5 days', 'not late');
SELECT is(says('order_days_past_max', did('2024-03-25 order 5, 2024-04-15 order 5')),
	'53 days past the only gap of 21 days between orders', 'past the only gap');
SELECT is(says('order_days_past_median', did('2024-04-13 order 5, 2024-05-20 order 5, 2024-06-27 order 5')),
	'36.5 days short of the usual gap of 37.5 days between orders', 'short of the usual gap');

-- how many, how often
SELECT is(says('order_days_90d', did('2024-04-15 order 5')), 'orders on 1 day in the last 90 days', 'one day');
SELECT is(says('order_days', did('2024-04-15 order 5')), 'orders on 1 day in the last 2 years', 'whole years');
SELECT is(says('order_count_365d', did('2024-04-15 order 5')), '1 order in the last 365 days, none in the 365 days before',
	'a single year stays in days');
SELECT is(says('view_count', (SELECT churn_history(date '2024-04-01' + i % 60, 'view', NULL::float8) FROM generate_series(1, 12345) i)),
	'12,345 views in the last 2 years', 'thousands apart');
SELECT is(says('view_count', (SELECT churn_history(date '2024-04-01' + i % 60, 'view', NULL::float8) FROM generate_series(1, 1000) i)),
	'1,000 views in the last 2 years', 'a thousand');
SELECT is(says('view_count', (SELECT churn_history(date '2024-04-01' + i % 60, 'view', NULL::float8) FROM generate_series(1, 999) i)),
	'999 views in the last 2 years', 'nearly');
SELECT is(says('order_rate', did('2024-04-15 order 5, 2024-04-16 order 5')), 'orders on 0.81 days in every 30', 'a rate');
SELECT is(says('order_recency_share', did('2024-01-01 order 5, 2024-06-27 order 5')),
	'no order in the last 1 of the 179 days since the first', 'a share, in days');
SELECT is(says('order_amount_trend_90d', did('2024-01-05 order 1000, 2024-06-27 order 1')),
	'less than 1% of the money for orders in the last 180 days came in the last 90 days', 'not nothing');
SELECT is(says('order_gap_last', did('2024-01-01 order 5, 2024-01-02 order 5, 2024-03-02 order 5')),
	'the last gap between orders was 60 days, none longer', 'the last is the longest');
SELECT is(says('order_yoy_30d', did('2024-06-15 order 5')), 'orders in the last 30 days, but none in the same days a year ago', 'new');
SELECT is(says('order_yoy_30d', did('2023-06-15 order 5')), 'no order in the last 30 days, but in the same days a year ago', 'gone');
SELECT is(says('order_gap_last', did('2024-01-01 order 5, 2024-03-01 order 5, 2024-03-02 order 5')),
	'the last gap between orders was 1 day, the longest 60 days', 'two gaps');
SELECT is(says('order_gap_last', did('2024-03-01 order 5, 2024-03-02 order 5')), 'the only gap between orders was 1 day', 'one gap');
SELECT is(says('order_gap_sd', did('2024-03-01 order 5, 2024-03-02 order 5, 2024-03-03 order 5')),
	'all gaps between orders are equally long', 'no spread');
SELECT is(says('order_gap_rank', did('2024-03-01 order 5, 2024-03-02 order 5')),
	'no gap between orders was longer than the present 118 days', 'longest silence so far');
SELECT is(says('order_clumpiness', did('2024-03-01 order 5, 2024-03-02 order 5')),
	'orders bunched together in time (clumpiness 0.93: 0 is even, 1 all at once)', 'bunched');

-- money
SELECT is(says('order_amount', did('2024-04-15 order 1234567.894')), 'orders worth 1,234,567.89 in the last 2 years', 'thousands and cents');
SELECT is(says('order_amount_90d', did('2024-04-15 order 999.999')), 'orders worth 1,000.00 in the last 90 days', 'rounded first, then set apart');
SELECT is(says('order_amount_mean_90d', did('2024-04-15 order 40')), '40.00 per order in the last 90 days', 'a mean');
SELECT is(says('refund_amount_90d', did('2024-04-15 refund -22998.4')), '22,998.40 refunded in the last 90 days', 'a refund below zero');
SELECT is(says('refund_amount_90d', did('2024-04-15 refund 22998.4')), '22,998.40 refunded in the last 90 days', 'a refund above zero');
SELECT is(says('refund_amount_last', did('2024-04-15 refund -22998.4')), '22,998.40 refunded on the only day with refunds', 'the only one');
SELECT is(says('refund_amount_max', did('2024-04-15 refund -7, 2024-04-16 refund -5')), 'at least 5.00 refunded on every day with refunds',
	'the greatest of negative refunds is the least');
SELECT is(says('any_amount_90d', did('2024-04-15 order 5, 2024-04-16 refund 36.02')), '31.02 more refunded than paid in the last 90 days',
	'net money below zero');
SELECT is(says('any_amount_90d', did('2024-04-15 order 50, 2024-04-16 refund 5')), '45.00 net of refunds in the last 90 days', 'net money');
SELECT is(says('order_amount_last', did('2024-04-15 order 1200, 2024-04-16 order 3.9')),
	'3.90 on the last day with orders, 601.95 on an average one', 'against an average day');
SELECT is(says('order_amount_last_ratio', did('2024-04-15 order 1200, 2024-04-16 order 3.9')),
	'3.90 on the last day with orders, 601.95 on an average one', 'its ratio says the same');

SELECT is(says('order_amount_max', did('2024-04-15 order 12')), '12.00 on the only day with orders', 'at most is not said of one');
SELECT is(says('refund_amount_last', did('2024-04-15 refund -7, 2024-04-16 refund -5')), '5.00 refunded on the last day with refunds', 'the last one');
SELECT is(says('any_amount_last', did('2024-04-15 order 50, 2024-04-16 refund 10')),
	'10.00 more refunded than paid on the last day with events, 20.00 paid on an average one', 'the last day was a refund');
SELECT is(says('any_weekend_share', did('2024-04-15 order 50')), 'never active on a weekend', 'weekdays');
SELECT is(says('any_weekend_share', did('2024-04-14 order 50')), 'active only on weekends', 'weekends');

-- ---- Chinese ----
SET churn.language = 'zh';
SELECT is(says(f, did(h)), p, p) FROM (VALUES
	('order_recency', '2024-04-15 order 5', '已 74 天没有下单'),
	('order_recency', '2024-03-25 order 5, 2024-04-15 order 5', '已 74 天没有下单；此前唯一一次间隔为 21 天'),
	('order_recency', '2024-03-04 order 5, 2024-03-25 order 5, 2024-04-15 order 5', '已 74 天没有下单；通常每 21 天一次'),
	('order_recency', '2024-04-13 order 5, 2024-04-14 order 5, 2024-04-15 order 5', '已 74 天没有下单；通常每天一次'),
	('order_recency', '2024-04-13 order 5, 2024-05-20 order 5, 2024-06-27 order 5', '最近一次下单在 1 天前；通常每 37.5 天一次'),
	('order_overdue', '2024-03-04 order 5, 2024-03-25 order 5, 2024-04-15 order 5', '已 74 天没有下单，是平均间隔 21 天的 3.5 倍'),
	('order_days_past_median', '2024-04-13 order 5, 2024-05-20 order 5, 2024-06-27 order 5', '距通常的下单间隔（37.5 天）还差 36.5 天'),
	('order_days_past_max', '2024-03-25 order 5, 2024-04-15 order 5', '已超过唯一的下单间隔（21 天）53 天'),
	('order_count_90d', '2024-04-15 order 5, 2024-04-16 order 5, 2024-04-16 order 5, 2024-01-05 order 5, 2024-01-06 order 5', '最近 90 天下单 3 次，此前 90 天 2 次'),
	('order_count_90d', '2024-01-05 order 5', '最近 90 天没有下单，此前 90 天 1 次'),
	('order_count_365d', '2024-04-15 order 5', '最近 365 天下单 1 次，此前 365 天没有'),
	('order_days', '2024-04-15 order 5', '最近 2 年有 1 天下单'),
	('order_rate', '2024-04-15 order 5, 2024-04-16 order 5', '平均每 30 天有 0.81 天下单'),
	('order_diff_90d', '2024-01-05 order 5, 2024-01-06 order 5, 2024-06-06 order 5', '最近 90 天比此前 90 天少下单 1 次'),
	('order_trend_90d', '2024-01-05 order 5, 2024-01-06 order 5, 2024-06-06 order 5', '最近 90 天下单 1 次，少于此前的 2 次'),
	('order_amount_90d', '2024-04-15 order 999.999', '最近 90 天下单金额 1,000.00'),
	('refund_amount_90d', '2024-04-15 refund -22998.4', '最近 90 天退款金额 22,998.40'),
	('any_amount_90d', '2024-04-15 order 5, 2024-04-16 refund 36.02', '最近 90 天退款比付款多 31.02'),
	('any_amount_90d', '2024-04-15 order 50, 2024-04-16 refund 5', '最近 90 天扣除退款后净额 45.00'),
	('order_amount_last', '2024-04-15 order 1200, 2024-04-16 order 3.9', '最近一个下单日金额 3.90，平均每个下单日 601.95'),
	('order_amount_trend_90d', '2024-01-05 order 1000, 2024-06-27 order 1', '最近 180 天的下单金额中不足 1% 来自最近 90 天'),
	('order_amount_trend_90d', '2024-01-05 order 1, 2024-06-27 order 1', '最近 180 天的下单金额中 50% 来自最近 90 天'),
	('order_gap_last', '2024-01-01 order 5, 2024-01-02 order 5, 2024-03-02 order 5', '最近一次下单间隔为 60 天，是最长的一次'),
	('view_recency_less_key', '2024-04-01 view 0, 2024-04-13 order 5', '最近一次浏览比最近一次下单早 12 天'),
	('view_since_key', '2024-04-15 view 0, 2024-04-13 order 5', '最近一次下单以来浏览 1 次'),
	('view_since_key', '2024-04-15 view 0', '最近 2 年没有下单'),
	('kinds_90d', '2024-04-15 view 0, 2024-04-13 order 5', '最近 90 天有 2 种互动'),
	('any_tenure', '2024-04-15 view 0', '首次互动在 74 天前'),
	('any_weekend_share', '2024-04-14 order 50', '只在周末活跃'),
	('order_span', NULL, '最近 2 年没有下单')) v(f, h, p);

-- What a kind is called
SELECT is(replace(phrase, '已 10 天没有', ''), p, 'Chinese for ' || k) FROM (VALUES ('order', '下单'), ('ORDERS', '下单'), ('order:electronics', '下单（electronics）'), ('order:', '“order:”'),
	('purchases', '购买'), ('deliveries', '收货'), ('investment', '“investment”'), ('orderly', '“orderly”'), ('订单', '订单'), ('A订单', '“A订单”')) v(k, p),
	LATERAL (SELECT phrase FROM churn_feature_phrases(did('2024-06-18 ' || k), '2024-06-28', churn_spec(kinds => ARRAY[k])) WHERE name LIKE '%\_recency' LIMIT 1) x;
RESET churn.language;

-- ---- laws ----
-- Random users: from one event to many, one day to years, refunds of any sign
SELECT setseed(.25) \g /dev/null
CREATE TABLE users AS SELECT u, churn_history(day, kind, amount) AS h FROM (
	SELECT u, date '2024-06-28' - (floor(random() ^ (1 + u % 3) * (ARRAY[20, 100, 900])[1 + u % 3]))::int AS day,
		(ARRAY['order', 'refund', 'view', 'order:a b', '投诉', 'investment'])[1 + floor(random() * (1 + u % 6))::int] AS kind,
		CASE WHEN random() < .8 THEN round(((ARRAY[100, -50, 0.01, 100000])[1 + u % 4] * (random() - (u % 8 / 4) * .5))::numeric, 2)::float8 END AS amount
	FROM generate_series(1, 90) u, LATERAL generate_series(1, 1 + floor(random() ^ 3 * (u % 60))::int) i) x GROUP BY u;
INSERT INTO users VALUES (0, NULL);
CREATE TABLE specs AS SELECT * FROM (VALUES
	(1, churn_spec(kinds => '{order,refund,view,investment}', key_kinds => '{order}', churn_window => 60, windows => '{1,7,30,90,365}', amount_kinds => '{order,refund}', ratios => '{order/view,refund/order}')),
	(2, churn_spec(kinds => '{order,view,order:a b,投诉}', key_kinds => '{order,view}', churn_window => 1, windows => '{1,90}', amount_kinds => '{order,view}', lookback => 1500)),
	(3, churn_spec(kinds => '{order}', key_kinds => '{order}', churn_window => 90, windows => '{30,180}', lookback => 365))) v(i, s);
CREATE VIEW said AS SELECT i, u, name, phrase FROM specs, users, churn_feature_phrases(h, '2024-06-28', s);
CREATE TABLE english AS SELECT * FROM said;
SET churn.language = 'zh';
CREATE TABLE chinese AS SELECT * FROM said;
RESET churn.language;
SELECT is((SELECT count(*) FROM chinese), (SELECT count(*) FROM english), 'as many phrases');
SELECT cmp_ok((SELECT count(*) FROM english), '>', 50000::bigint, 'many');
SELECT is_empty($$ SELECT * FROM english WHERE phrase IS NULL OR phrase = '' OR phrase ~ '[{}]|  |^ | $|-0( |$)|nan|inf$' LIMIT 5 $$, 'English: nothing is empty, no place stays open');
SELECT is_empty($$ SELECT * FROM chinese WHERE phrase IS NULL OR phrase = '' OR phrase ~ '[{}]|  |^ | $|-0( |$)' LIMIT 5 $$, 'Chinese: the same');
SELECT is_empty($$ SELECT * FROM chinese WHERE replace(replace(phrase, '（a b）', ''), '“investment”', '') ~ '[a-zA-Z;:()]|,($|[^0-9])' LIMIT 5 $$, 'Chinese: no letters but of kinds, no narrow punctuation');
SELECT is_empty($$ SELECT * FROM chinese WHERE phrase ~ '[一-龥][0-9]|[0-9%][一-龥]' LIMIT 5 $$, 'Chinese: a space between a character and a number');
SELECT is((SELECT count(*) FROM chinese WHERE convert_from(convert_to(phrase, 'UTF8'), 'UTF8') <> phrase), 0::bigint, 'valid UTF-8');
-- Both say the same numbers, but for those that English has in words.
CREATE FUNCTION numbers(phrase text) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg(m[1] ORDER BY m[1] COLLATE "C") FROM regexp_matches(phrase, '([0-9][0-9.,]*[0-9]|[0-9])', 'g') m $$;
SELECT is_empty($$ SELECT e.phrase, c.phrase FROM english e JOIN chinese c USING (i, u, name)
	WHERE e.phrase !~ 'only one|as can be|last day|in the day|every day|counts half|a year ago are'
	AND numbers(e.phrase) IS DISTINCT FROM numbers(c.phrase) LIMIT 5 $$, 'the same numbers');

-- ---- the table ----
SELECT is((SELECT array_agg(DISTINCT n) FROM (SELECT count(*) AS n FROM churn_phrases() GROUP BY phrase) x), ARRAY[2::bigint], 'every phrase in both languages');
SELECT is_empty($$ SELECT * FROM churn_phrases() WHERE template IS NULL OR template = '' OR template <> btrim(template) AND phrase <> 'percent' $$, 'none is empty');
SELECT is_empty($$ SELECT phrase, m[1] FROM churn_phrases(), regexp_matches(template, '\{([^}]*)\}', 'g') m
	WHERE m[1] !~ '^(one|many|paid|other|text|name|value|[abc]( (before|count|days|each|every|fixed|last|money|noun|percent|spans|sum|tenth|whole))?)$' $$, 'every place is one that is filled');
SELECT is_empty($$ SELECT * FROM churn_phrases() WHERE language = 'zh' AND (regexp_replace(template, '\{[^}]*\}', '', 'g') ~ '[a-zA-Z,;:()]' OR template ~ '[。.]$') $$, 'Chinese is Chinese');
SELECT is_empty($$ SELECT * FROM churn_phrases() WHERE language = 'en' AND template ~ '[^ -~]' $$, 'English is ASCII');

-- ---- the setting ----
SELECT throws_ok('SET churn.language = ''fr''', '22023', 'invalid value for parameter "churn.language": "fr"');
SET churn.language = 'zh_CN';
SELECT is(current_setting('churn.language'), 'zh', 'a locale is a language');
SELECT is(churn_phrase('score_base', 32.64), '平均用户：得分 32.6%', 'what is said of a score');
SELECT is(churn_phrase('score_never', word => '2024-06-28'), '在 2024-06-28 之前没有关键行为', 'with a date');
RESET churn.language;
SELECT is(churn_phrase('score_base', 32.64), 'the average user: a score of 32.6%', 'in English');
SELECT throws_ok(format('SELECT churn_phrase(%L)', p), '22023') FROM unnest(ARRAY['nonsense', 'kind_order', NULL]) p;

-- ---- databases of other encodings ----
CREATE DATABASE phrase_latin1 ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0;
CREATE DATABASE phrase_ascii ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0;
CREATE DATABASE phrase_euc ENCODING 'EUC_CN' LOCALE 'C' TEMPLATE template0;
\setenv phrase 'SELECT phrase FROM (SELECT churn_history(date \'2024-06-18\', \'k\', NULL::float8) AS h) x, churn_feature_phrases(h, \'2024-06-28\', churn_spec(kinds => \'{k}\')) LIMIT 1'
\set latin1 `psql -qXAt -d phrase_latin1 -c 'CREATE EXTENSION churn' -c "$phrase" -c 'SET churn.language = zh' -c "$phrase" -c "SELECT count(*) FROM churn_phrases() WHERE language = 'zh'" 2>&1`
\set ascii `psql -qXAt -d phrase_ascii -c 'CREATE EXTENSION churn' -c 'SET churn.language = zh' -c "$phrase" 2>&1`
\set euc `PGCLIENTENCODING=UTF8 psql -qXAt -d phrase_euc -c 'CREATE EXTENSION churn' -c 'SET churn.language = zh' -c "$phrase" -c "SELECT count(*) > 150 FROM churn_phrases() WHERE language = 'zh'" 2>&1`
SELECT is(:'latin1'::text, 'no k for 10 days
ERROR:  phrases in Chinese cannot be written in a database of encoding "LATIN1"
HINT:  SET churn.language = ''en'', or use a database of encoding UTF8.
0', 'LATIN1 has no Chinese');
SELECT is(:'ascii'::text, '已 10 天没有“k”', 'SQL_ASCII keeps the bytes');
SELECT is(:'euc'::text, '已 10 天没有“k”
t', 'EUC_CN has every character');
DROP DATABASE phrase_latin1;
DROP DATABASE phrase_ascii;
DROP DATABASE phrase_euc;

SELECT * FROM finish();
