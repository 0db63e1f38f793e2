-- What a person sees: a spec, the features of one user, and the phrases.
CREATE EXTENSION churn;
\pset format unaligned
SELECT churn_spec(kinds => '{view,order,cart}', key_kinds => '{order}', windows => '{90,30,1000}',
	churn_window => 60, ratios => '{order/cart}', time_zone => 'europe/berlin');
SELECT churn_spec(kinds => '{order}', time_zone => 'CEST-2');
SELECT churn_spec(kinds => '{order,cart}', ratios => '{order per cart}');
SELECT '{"kinds": ["order"], "look_back": 90}'::churn_spec;

-- Half past eleven at night in New York is the next day in Berlin.
SELECT zone, churn_day('2024-03-01 23:30-05', churn_spec(time_zone => zone))
FROM unnest(ARRAY['America/New_York', 'UTC', 'Europe/Berlin']) zone;

-- Somebody who ordered every three weeks and then stopped
CREATE TABLE someone AS
SELECT churn_history(day, kind, amount) AS history
FROM (SELECT date '2024-01-01' + 21 * i, 'order', 20 + 5 * i FROM generate_series(0, 5) i
	UNION ALL SELECT date '2024-01-01' + 7 * i, 'view', NULL FROM generate_series(0, 22) i)
	AS events(day, kind, amount);
SELECT name, round(value::numeric, 3) AS value, phrase
FROM someone, churn_feature_phrases(history, '2024-06-28', churn_spec(kinds => '{order,view}',
	key_kinds => '{order}', churn_window => 60, windows => '{30,90}', amount_kinds => '{order}'))
WHERE name NOT LIKE 'any\_%';

-- Nobody yet
SELECT name, value, phrase
FROM churn_feature_phrases(NULL, '2024-06-28', churn_spec(kinds => '{order}', windows => '{30}', lookback => 365))
WHERE name IN ('order_recency', 'order_count_30d', 'order_amount_mean_30d', 'order_gap_mean', 'any_week_share');

SELECT churn_features(history, 'infinity', churn_spec(kinds => '{order}')) FROM someone;
SELECT churn_feature_names(churn_spec());
DROP EXTENSION churn CASCADE;
DROP TABLE someone;
