-- Models of every kind, in both forms, and scores that they give; see
-- freeze-models.sh.
CREATE EXTENSION churn;
SET client_min_messages = warning;

-- ---- data: numbers on lines and in bins, levels, dates, a pair ----
CREATE TABLE subject (spent float8, visits int, plan text, mail boolean, since date, seen timestamp, asleep interval);
CREATE TABLE training AS
SELECT i AS id, exp(abs(hashint4(i)) % 1000 / 100.0)::float8 AS spent, CASE WHEN i % 10 > 0 THEN abs(hashint4(i + 5000)) % 50 END AS visits,
       (ARRAY['basic', 'pro', 'it''s "ü" \', NULL, 'rare ' || i])[1 + abs(hashint4(i + 7000)) % 5] AS plan, CASE WHEN i % 11 > 0 THEN i % 7 < 3 END AS mail,
       date '2024-01-01' + abs(hashint4(i + 8000)) % 300 AS since, timestamp '2024-06-01' + abs(hashint4(i + 9000)) % 100000 * interval '151 seconds' AS seen,
       abs(hashint4(i + 10000)) % 100 * interval '7 hours' + i % 2 * interval '1 month' AS asleep
FROM generate_series(1, 600) i;
ALTER TABLE training ADD churned boolean;
UPDATE training SET churned = abs(hashint4(id + 99)) % 100 < CASE WHEN (plan = 'pro') <> (coalesce(visits, 10) < 25) THEN 80 ELSE 20 END
    + CASE WHEN since > '2024-06-01' THEN 15 ELSE 0 END - CASE WHEN mail THEN 10 ELSE 0 END + least(spent, 500)::int / 50;
CREATE TABLE histories AS
SELECT u, churn_history(date '2024-01-01' + abs(hashint4(u * 100 + g)) % 150, 'order', 1 + abs(hashint4(u + g)) % 50) AS h
FROM generate_series(1, 300) u, generate_series(1, 6) g GROUP BY u;
\set spec 'churn_spec(kinds => ''{order}'', key_kinds => ''{order}'', windows => ''{30,90}'', lookback => 180)'

-- ---- models ----
CREATE TABLE models (name text, m churn_model);
INSERT INTO models
SELECT name, churn_fit(t, 'churned', jsonb_build_object('key', 'id', 'reference_date', '2025-01-01') || options)
FROM (SELECT id, churned, spent, visits, plan, mail, since, seen, asleep FROM training) t,
     (VALUES ('linear', '{"encoding": "linear", "folds": 0}'::jsonb), ('bins', '{"encoding": "bins", "folds": 0}'),
             ('pairs', '{"encoding": "pairs", "exclude": ["spent", "mail", "since", "seen", "asleep"]}'),
             ('isotonic', '{"encoding": "bins", "calibration": "isotonic", "exclude": ["spent", "mail", "since", "seen", "asleep"]}'),
             ('one boolean', '{"folds": 0, "exclude": ["spent", "visits", "plan", "since", "seen", "asleep"]}')) k (name, options)
GROUP BY name, options;
INSERT INTO models
SELECT 'spec', churn_fit(f, f[1] + abs(hashint4(u)) % 20 > 30, u::bigint, :spec, '{"encoding": "linear", "folds": 0}')
FROM histories, LATERAL (SELECT churn_features(h, '2024-06-01', :spec) AS f) f;

-- a map to probabilities, under the checksum of the new content
CREATE FUNCTION seal(model text) RETURNS churn_model LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    RETURN model::churn_model;
EXCEPTION WHEN invalid_text_representation THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN regexp_replace(model, '"checksum": "[^"]*"', '"checksum": "' || substring(detail FROM 'content has "([0-9a-f]{16})"') || '"')::churn_model;
END $$;
INSERT INTO models
SELECT 'map', seal(jsonb_set(m::text::jsonb, '{calibration}', '{"knots": 4, "log_odds": [-2, -0.25, 0.5, 1.75], "probabilities": [0.01, 0.3, 0.3, 0.9]}')::text) FROM models WHERE name = 'pairs';

-- ---- rows: of training, NULL, beyond what training saw ----
CREATE TABLE rows_ AS SELECT to_jsonb(s) AS row FROM (SELECT spent, visits, plan, mail, since, seen, asleep FROM training WHERE id % 100 = 7) s;
INSERT INTO rows_ SELECT to_jsonb(s) FROM (SELECT 1e12 AS spent, -40 AS visits, 'never seen' AS plan, true AS mail, '0001-01-01'::date AS since, '9999-01-01'::timestamp AS seen, '-1 month'::interval AS asleep) s;
INSERT INTO rows_ VALUES ('{"spent": null, "visits": null, "plan": null, "mail": null, "since": null, "seen": null, "asleep": null}');
CREATE TABLE scores AS
SELECT name, row, churn_predict(m, jsonb_populate_record(NULL::subject, row)) AS score FROM models, rows_ WHERE name <> 'spec'
UNION ALL
SELECT name, to_jsonb(f), churn_predict(m, f) FROM models, histories, LATERAL (SELECT churn_features(h, '2024-06-01', :spec) AS f) f WHERE name = 'spec' AND u % 100 = 7;
\copy (SELECT name, encode(churn_model_send(m), 'hex') AS bytes, m::text AS text FROM models ORDER BY name) TO test/data/models_1.csv (FORMAT csv, HEADER)
\copy (SELECT * FROM scores ORDER BY name, score, row::text) TO test/data/model_scores_1.csv (FORMAT csv, HEADER)
