-- What phrases say: one behaviour at a time, the whole sentence compared.
SELECT plan(43);

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

SELECT * FROM finish();
