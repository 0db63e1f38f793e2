-- churn_model_sql: the expression gives the scores of churn_predict, for
-- every type and encoding, telco as it is, features of a spec, hostile names.
\set ECHO none
SET client_min_messages = warning;
SET jit = off;
SELECT * FROM no_plan();

CREATE FUNCTION draw(i bigint, salt int) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT (hashint8extended(i, salt) & 1048575) / 1048576.0::float8 $$;
-- The largest difference, over the rows of a table t, of expression and model
CREATE FUNCTION difference(model churn_model, relation regclass) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
    result float8;
BEGIN
    EXECUTE format('SELECT coalesce(max(abs((%s) - churn_predict($1, t))), -1) FROM %s t', churn_model_sql(model), relation) INTO STRICT result USING model;
    RETURN result;
END $$;

-- ---- every type ----
CREATE TYPE plan AS ENUM ('free', 'basic', 'pro');
CREATE TABLE every_type AS
SELECT i AS id, (draw(i, 1) * 100)::int2 AS c_int2, draw(i, 2) - .3 AS c_signed, (draw(i, 3) * 1e12)::int8 AS c_int8, draw(i, 4)::numeric AS c_numeric,
       CASE WHEN draw(i, 6) > .2 THEN exp(5 * draw(i, 6)) END AS c_float8, exp(6 * draw(i, 5))::float4 AS c_float4, -exp(6 * draw(i, 19)) AS c_negative,
       CASE WHEN draw(i, 8) > .1 THEN draw(i, 8) > .5 END AS c_boolean,
       (ARRAY['r''ed', 'gre\en', E'bl"u\ne', NULL, 'mauve ' || i])[1 + floor(draw(i, 9) * 5)::int] AS c_text,
       ('c' || floor(draw(i, 11) * 3))::char(6) AS c_char, (ARRAY['free', 'basic', 'pro', NULL])[1 + floor(draw(i, 13) * 4)::int]::plan AS c_enum,
       CASE WHEN i % 9 > 0 THEN date '2024-01-01' + floor(draw(i, 14) * 500)::int END AS c_date,
       CASE WHEN draw(i, 15) > .2 THEN timestamp '2024-01-01' + draw(i, 15) * interval '400 days' END AS c_timestamp,
       timestamptz '1924-01-01 00:00+00' + draw(i, 16) * interval '100 years' AS c_timestamptz,
       (draw(i, 17) - .2) * interval '100 days' + round(draw(i, 18) * 3) * interval '-7 months' AS c_interval, exp(30 * draw(i, 20)) - 1e4 AS c_wide
FROM generate_series(1, 2000) i;
ALTER TABLE every_type ADD churned boolean;
UPDATE every_type SET churned = draw(id, 0) < 1 / (1 + exp(-(
    CASE c_text WHEN 'r''ed' THEN 1.5 WHEN 'gre\en' THEN -1 ELSE 0 END * c_signed * 3 + CASE c_enum WHEN 'pro' THEN -1.5 ELSE .5 END
    + c_int2 / 50.0 * CASE WHEN c_boolean THEN 1 ELSE -1 END + (c_date - date '2024-09-01') / 200.0 * CASE WHEN c_timestamp > '2024-07-01' THEN 1 ELSE -1 END
    + coalesce(ln(c_float8), 2) + extract(epoch FROM c_interval) / 86400 / 80 - 4)));
CREATE TABLE models AS
SELECT e, churn_fit(t, 'churned', jsonb_build_object('key', 'id', 'encoding', e, 'reference_date', '2025-06-01', 'folds', CASE WHEN e IN ('linear', 'bins') THEN 0 ELSE 3 END)) AS m
FROM every_type t, unnest('{linear,bins,pairs,auto}'::text[]) e GROUP BY e;
SELECT ok(d BETWEEN 0 AND 1e-12, format('%s: every type, within %s', e, d)) FROM models, difference(m, 'every_type') d;
SELECT ok(bool_or(coding = 'signed log') AND bool_or(coding = 'linear'), 'linear: both kinds of lines are there') FROM models, churn_model_terms(m) WHERE e = 'linear';
SELECT ok(count(DISTINCT (term, partner)) > 1, format('pairs: %s of them', count(DISTINCT (term, partner)))) FROM models, churn_model_terms(m) WHERE e = 'pairs' AND coding = 'pair';
-- a timestamp on the cut of a bin, microseconds beside it, other settings
CREATE TABLE edges AS
SELECT t.* FROM every_type t WHERE id = 1;
INSERT INTO edges
SELECT (jsonb_populate_record(t, jsonb_build_object('c_timestamp', timestamp '2025-06-01' - low * interval '1 day' + n * interval '1 microsecond'))).*
FROM every_type t, models, churn_model_terms(m), generate_series(-2, 2) n WHERE id = 1 AND e = 'bins' AND term = 'c_timestamp' AND low IS NOT NULL;
SET TimeZone = 'Pacific/Auckland';
SET DateStyle = 'SQL, DMY';
SET extra_float_digits = 0;
SELECT ok(difference(m, 'edges') BETWEEN 0 AND 1e-12, format('%s: cuts of timestamps', e)) FROM models;
SELECT ok(difference(m, 'every_type') BETWEEN 0 AND 1e-12, format('%s: another time zone', e)) FROM models;
RESET TimeZone;
RESET DateStyle;
RESET extra_float_digits;
-- beyond training: far values, unseen levels, nothing but NULL
CREATE TABLE beyond AS
SELECT (jsonb_populate_record(t, jsonb_build_object('c_int8', id * 1000000000000000, 'c_float8', '1e300', 'c_negative', -1e300, 'c_text', 'never', 'c_char', 'z', 'c_date', '0001-01-01', 'c_timestamp', '9999-01-01'))).* FROM every_type t WHERE id < 20;
INSERT INTO beyond (id) VALUES (0);
SELECT ok(difference(m, 'beyond') BETWEEN 0 AND 1e-12, format('%s: far values, unseen levels, NULLs', e)) FROM models;
SELECT is(churn_model_sql(m), churn_model_sql(m::text::churn_model, NULL), 'no alias is the default') FROM models WHERE e = 'auto';
SELECT ok(regexp_count(churn_model_sql(m), '"c_') = regexp_count(churn_model_sql(m, 'q"t'), '"q""t"\."c_'), 'the alias stands before every column') FROM models WHERE e = 'pairs';
SELECT is(churn_model_sql(NULL), NULL, 'NULL model');
SELECT throws_ok($$SELECT churn_model_sql(m, '') FROM models$$, '22023', 'alias is empty', 'empty alias');

-- ---- sums of any length, scores of any size, hostile names ----
CREATE TABLE wide AS SELECT i AS id, array_agg(draw(i, c) ORDER BY c) AS x FROM generate_series(1, 300) i, generate_series(1, 450) c GROUP BY i;
SELECT format('CREATE TABLE wide_columns AS SELECT id, x[1] > .5 AS churned, %s FROM wide', string_agg(format('x[%s] AS %I', c, 'c" ' || c || CASE c WHEN 7 THEN '''; DROP TABLE wide; --' WHEN 8 THEN ' /* ü %s %I ? $1' ELSE '' END), ', '))
FROM generate_series(1, 450) c \gexec
CREATE TABLE wide_model AS SELECT churn_fit(w, 'churned', '{"key": "id", "folds": 0, "c": 100}') AS m FROM wide_columns w;
SELECT ok(difference(m, 'wide_columns') BETWEEN 0 AND 1e-12, 'hundreds of terms with hostile names') FROM wide_model;
-- the text with a number changed, and the checksum of its content
CREATE FUNCTION seal(model text) RETURNS churn_model LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    RETURN model::churn_model;
EXCEPTION WHEN invalid_text_representation THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN regexp_replace(model, '"checksum": "[^"]*"', '"checksum": "' || substring(detail FROM 'content has "([0-9a-f]{16})"') || '"')::churn_model;
END $$;
SELECT ok(difference(seal(regexp_replace(m::text, '"intercept": [^,]*', '"intercept": ' || z)), 'every_type') BETWEEN 0 AND 1e-12, format('intercept %s: no overflow', z))
FROM models, unnest('{-1e100,-800,-36,36,800,1e100}'::float8[]) z WHERE e = 'auto';
-- a steep logarithm of tiny numbers
CREATE TABLE tiny AS SELECT i AS id, exp(8 * draw(i, 1)) * 1e-12 AS x, draw(i, 2) < draw(i, 1) AS churned FROM generate_series(1, 500) i;
CREATE TABLE tiny_model AS
SELECT seal(replace(m::text, '"signed_log": false', '"signed_log": true')) AS m FROM (SELECT churn_fit(t, 'churned', '{"key": "id"}') AS m FROM tiny t) f;
SELECT ok(d BETWEEN 0 AND 1e-12 AND strpos(churn_model_sql(m), 'CASE WHEN 1 + ') > 0, format('logarithms of tiny numbers, within %s', d)) FROM tiny_model, difference(m, 'tiny') d;

-- ---- a map to probabilities ----
CREATE TABLE mapped AS
SELECT name, seal(jsonb_set(m::text::jsonb, '{calibration}', calibration)::text) AS m
FROM models, (VALUES ('one knot', '{"knots": 1, "log_odds": [0.25], "probabilities": [0.3]}'::jsonb),
                     ('lines and a flat piece', '{"knots": 5, "log_odds": [-2, -1.5, -0.25, 0.5, 1.75], "probabilities": [0.01, 0.05, 0.3, 0.3, 0.9]}'),
                     ('knots far away', '{"knots": 2, "log_odds": [-1.5e308, 1.5e308], "probabilities": [0, 1]}')) c (name, calibration) WHERE e = 'bins';
SELECT ok(d BETWEEN 0 AND 1e-12, format('%s: within %s', name, d)) FROM mapped, difference(m, 'every_type') d;
SELECT ok(count(DISTINCT churn_predict(m, t)) > 100 AND min(churn_predict(m, t)) = .01 AND max(churn_predict(m, t)) = .9, 'which is a map') FROM mapped, every_type t WHERE name = 'lines and a flat piece';
CREATE TABLE churn_map AS SELECT *, 1 AS churn_z FROM every_type;
SELECT ok(d BETWEEN 0 AND 1e-12, format('%s: its names are nobody else''s', name)) FROM mapped, difference(m, 'churn_map') d WHERE name <> 'knots far away';

-- ---- features of a spec: columns as the study's view names them ----
CREATE TABLE histories AS
SELECT u, churn_history(date '2024-01-01' + hashint4(u * 100 + g) % 150, CASE g % 3 WHEN 0 THEN 'ü' || repeat('long ', 11) ELSE 'order' END, 1 + abs(hashint4(u + g)) % 50) AS h
FROM generate_series(1, 150) u, generate_series(1, 9) g GROUP BY u;
\set spec 'churn_spec(kinds => ARRAY[''order'', ''ü'' || repeat(''long '', 11)], key_kinds => ''{order}'')'
CREATE TABLE spec_model AS
SELECT churn_fit(churn_features(h, '2024-06-01', :spec), (churn_features(h, '2024-06-01', :spec))[1] + abs(hashint4(u)) % 20 > 40, u::bigint, :spec, '{"encoding": "bins", "folds": 0}') AS m FROM histories;
SELECT format('CREATE TABLE features AS SELECT u%s FROM (SELECT u, h, churn_features(h, ''2024-06-01'', %L) AS features FROM histories) x', churn_named_features(:spec, 'x'), (:spec)::text) \gexec
CREATE FUNCTION spec_difference(model churn_model) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
    result float8;
BEGIN
    EXECUTE format('SELECT max(abs((%s) - churn_predict($1, h, ''2024-06-01''))) FROM features JOIN histories USING (u)', churn_model_sql(model)) INTO STRICT result USING model;
    RETURN result;
END $$;
SELECT ok(d BETWEEN 0 AND 1e-12, format('features by their names: within %s', d)) FROM spec_model, spec_difference(m) d;
SELECT ok(count(DISTINCT term) > 0, format('%s of them too long for a column', count(DISTINCT term))) FROM spec_model, churn_model_terms(m) WHERE octet_length(term) > 63;

-- ---- telco, every row ----
\set data `echo "${CHURN_DATA:-}"`
SELECT :'data' <> '' AND (pg_stat_file(:'data' || '/telco_churn/customers.csv.gz', true)).size IS NOT NULL AS telco \gset
\if :telco
CREATE TABLE telco (customer_id text, gender text, senior_citizen int, partner text, dependents text,
    tenure_months int, phone_service text, multiple_lines text, internet_service text, online_security text,
    online_backup text, device_protection text, tech_support text, streaming_tv text, streaming_movies text,
    contract text, paperless_billing text, payment_method text, monthly_charges numeric, total_charges float8, churn text);
SELECT format('COPY telco FROM PROGRAM %L (FORMAT csv, HEADER)', 'gzip -dc ' || :'data' || '/telco_churn/customers.csv.gz') \gexec
CREATE TABLE telco_models AS
SELECT e, churn_fit(t, 'churn', jsonb_build_object('key', 'customer_id', 'positive', 'Yes', 'encoding', e) || CASE e WHEN 'auto' THEN '{}'::jsonb WHEN 'pairs' THEN '{"pairs": 8, "folds": 3, "c": 0.1}' ELSE '{"folds": 0}' END) AS m
FROM telco t, unnest('{linear,bins,pairs,auto}'::text[]) e GROUP BY e;
SELECT ok(d BETWEEN 0 AND 1e-12 AND (SELECT count(*) FROM telco) = 7043, format('telco, %s: 7,043 rows within %s, %s pairs, %s bytes of SQL', e, d, churn_model_info(m) ->> 'pairs', length(churn_model_sql(m))))
FROM telco_models, difference(m, 'telco') d;
\else
SELECT skip('telco_churn is not there: set CHURN_DATA', 4);
\endif
SELECT * FROM finish();
