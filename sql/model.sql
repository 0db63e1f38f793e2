-- What a person sees of a fit: notices, the model, a score and its reasons.
CREATE EXTENSION churn;
CREATE TABLE customers AS
SELECT i AS id, (i * 7919) % 60 AS tenure_months, ((i * 104729) % 90 + 20)::numeric AS monthly_charges,
       i % 3 = 0 AS has_contract, 'EUR' AS currency, ARRAY[1] AS invoices, date '2024-01-01' + i % 50 AS joined, 1 AS version, NULL::int AS fax,
       ((i * 7919) % 60 < 20) <> (i % 3 = 0 OR i % 7 = 0) AS churned
FROM generate_series(1, 900) i;
SELECT churn_fit(c, 'churned') FROM customers c;
SELECT churn_fit(c, 'churned', '{"exclude": ["invoices"]}') FROM customers c;
SELECT churn_fit(c, 'churned', '{"fold": 5}') FROM customers c;
CREATE TABLE model AS
SELECT churn_fit(c, 'churned', '{"key": "id", "exclude": ["invoices", "joined"]}') AS m FROM customers c;
SELECT term, coding, round(weight::numeric, 3) AS weight, round(mean::numeric, 2) AS mean, round(scale::numeric, 2) AS scale, low, high
FROM model, churn_model_terms(m);
SELECT p ->> 'rows' AS rows, p ->> 'users' AS users, p ->> 'churned' AS churned, p ->> 'c' AS c, p ->> 'folds' AS folds,
       round((p ->> 'cv_auc')::numeric, 3) AS cv_auc, p -> 'dropped' AS dropped
FROM model, LATERAL (SELECT churn_model_info(m) -> 'provenance' AS p) i;
SELECT id, round(churn_predict(m, c)::numeric, 3) AS score, churned FROM model, customers c WHERE id <= 5 ORDER BY id;
SELECT feature, value, round(contribution::numeric, 3) AS contribution, phrase
FROM model, customers c, churn_contributions(m, c) WHERE id = 3;
SELECT churn_predict(m, ARRAY[1, 2]) FROM model;
SELECT churn_predict(m, r) FROM model, (SELECT 1 AS tenure_months) r;
SELECT '{"churn_model": 9}'::churn_model;
SELECT left(m::text, 18) AS begins, left(m::text, -1)::churn_model FROM model;
SELECT regexp_replace(m::text, 'checksum": ".', 'checksum": "x')::churn_model FROM model;
SET churn.memory = '1MB';
SELECT churn_fit(c, 'churned', '{"exclude": ["invoices", "joined"]}') FROM customers c, generate_series(1, 20);
DROP TABLE model, customers;
DROP EXTENSION churn;
