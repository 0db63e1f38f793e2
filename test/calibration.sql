-- Calibration on random splits: the expected calibration error (10 bins of
-- equal count, rows of five index % 5 splits pooled) lies below the 99 % point
-- of outcomes drawn from the scores themselves; with class weights and with a
-- map too. Over telco, the simulated shop, and a made table.
\set ECHO none
SET client_min_messages = warning;
SELECT plan(12);

CREATE FUNCTION draw(i bigint, salt int) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT (hashint8extended(i, salt) & 1048575) / 1048576.0::float8 $$;
CREATE TABLE ways AS
SELECT * FROM (VALUES ('plain', '{"encoding": "bins"}'::jsonb), ('balanced', '{"encoding": "bins", "class_weights": "balanced"}'),
                      ('isotonic', '{"encoding": "bins", "calibration": "isotonic"}')) w (way, options);
CREATE TABLE scored (data text, way text, score float8, churned boolean);

-- a made table: a curve, an interaction, missing values
CREATE TABLE made AS
SELECT id AS index, a, b, c, draw(id, 9) < 1 / (1 + exp(-(2 * sin(6 * a) + 3 * coalesce(b, .9) + 4 * (c - .5) * (a - .5) - 3))) AS churned
FROM (SELECT i AS id, draw(i, 1) AS a, CASE WHEN draw(i, 2) > .1 THEN draw(i, 3) END AS b, draw(i, 4) AS c FROM generate_series(1, 5000) i) x;
INSERT INTO scored
SELECT 'made', way, churn_predict(m, t), churned
FROM (SELECT way, k, churn_fit(t, 'churned', '{"key": "index"}'::jsonb || options) AS m
      FROM ways, made t, generate_series(0, 4) k WHERE index % 5 <> k GROUP BY way, k) f JOIN made t ON index % 5 = k;

-- the simulated shop, at one date, users at risk
CREATE TABLE shop AS
SELECT user_id AS index, days_silent, orders, visits, months, spent, churned
FROM (SELECT user_id, '2023-09-01'::date - max(ts::date) FILTER (WHERE kind = 'order' AND ts < '2023-09-01') AS days_silent,
             count(*) FILTER (WHERE kind = 'order' AND ts < '2023-09-01') AS orders, count(*) FILTER (WHERE kind = 'visit' AND ts BETWEEN '2023-08-01' AND '2023-09-01') AS visits,
             count(DISTINCT date_trunc('month', ts)) FILTER (WHERE kind = 'order' AND ts < '2023-09-01') AS months, avg(amount) FILTER (WHERE ts < '2023-09-01') AS spent,
             count(*) FILTER (WHERE kind = 'order' AND ts >= '2023-09-01' AND ts < '2023-11-30') = 0 AS churned
      FROM churn_simulate(users => 6000, days => 365) GROUP BY user_id) u
WHERE days_silent <= 90;
INSERT INTO scored
SELECT 'shop', way, churn_predict(m, t), churned
FROM (SELECT way, k, churn_fit(t, 'churned', '{"key": "index"}'::jsonb || options) AS m
      FROM ways, shop t, generate_series(0, 4) k WHERE index % 5 <> k GROUP BY way, k) f JOIN shop t ON index % 5 = k;

\set data `echo "${CHURN_DATA:-}"`
SELECT :'data' <> '' AND (pg_stat_file(:'data' || '/telco_churn/customers.csv.gz', true)).size IS NOT NULL AS telco \gset
\if :telco
CREATE TABLE telco_text (customer_id text, gender text, senior_citizen int, partner text, dependents text,
    tenure_months int, phone_service text, multiple_lines text, internet_service text, online_security text,
    online_backup text, device_protection text, tech_support text, streaming_tv text, streaming_movies text,
    contract text, paperless_billing text, payment_method text, monthly_charges float8, total_charges float8, churn text, index serial);
SELECT format('COPY telco_text (customer_id, gender, senior_citizen, partner, dependents, tenure_months, phone_service, multiple_lines, internet_service, online_security, online_backup, device_protection, tech_support, streaming_tv, streaming_movies, contract, paperless_billing, payment_method, monthly_charges, total_charges, churn) FROM PROGRAM %L (FORMAT csv, HEADER)',
              'gzip -dc ' || :'data' || '/telco_churn/customers.csv.gz') \gexec
CREATE TABLE telco AS
SELECT index, churn = 'Yes' AS churned, senior_citizen, tenure_months, monthly_charges, total_charges, contract = 'Two year' AS two_year,
       contract = 'One year' AS one_year, internet_service = 'Fiber optic' AS fiber, internet_service = 'No' AS offline, online_security = 'Yes' AS secured,
       tech_support = 'Yes' AS supported, paperless_billing = 'Yes' AS paperless, payment_method = 'Electronic check' AS checks
FROM telco_text;
INSERT INTO scored
SELECT 'telco', way, churn_predict(m, t), churned
FROM (SELECT way, k, churn_fit(t, 'churned', '{"key": "index"}'::jsonb || options) AS m
      FROM ways, telco t, generate_series(0, 4) k WHERE index % 5 <> k GROUP BY way, k) f JOIN telco t ON index % 5 = k;
\endif

-- by bin: rows, mean score, churn rate
CREATE TABLE binned AS
SELECT *, ntile(10) OVER (PARTITION BY data, way ORDER BY score) AS bin, row_number() OVER (PARTITION BY data, way ORDER BY score) AS n FROM scored;
CREATE TABLE errors AS
SELECT data, way, sum(abs(gap)) / sum(rows) AS ece, sum(rows) AS rows
FROM (SELECT data, way, bin, sum(score - churned::int) AS gap, count(*) AS rows FROM binned GROUP BY data, way, bin) b GROUP BY data, way;
-- the same error where outcomes are drawn from the scores, 100 times
CREATE TABLE drawn AS
SELECT data, way, percentile_cont(.99) WITHIN GROUP (ORDER BY ece) AS bound
FROM (SELECT data, way, draw, sum(abs(gap)) / sum(rows) AS ece
      FROM (SELECT data, way, draw, bin, sum(score - (draw(n, draw) < score)::int) AS gap, count(*) AS rows
            FROM binned, generate_series(1000, 1099) draw GROUP BY data, way, draw, bin) b
      GROUP BY data, way, draw) e GROUP BY data, way;
SELECT ok(ece < bound, format('%s, %s: calibration error %s of %s rows, below %s', data, way, round(ece::numeric, 4), rows, round(bound::numeric, 4)))
FROM errors JOIN drawn USING (data, way) ORDER BY data, way;
SELECT ok(max(abs(mean - rate)) < .01, format('%s: mean score is the churn rate: within %s', data, round(max(abs(mean - rate))::numeric, 4)))
FROM (SELECT data, way, avg(score) AS mean, avg(churned::int) AS rate FROM scored GROUP BY data, way) s GROUP BY data ORDER BY data;
\if :telco
\else
SELECT skip('telco_churn is not there: set CHURN_DATA', 4);
\endif
SELECT * FROM finish();
