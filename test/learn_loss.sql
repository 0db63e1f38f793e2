-- What is minimised, and what comes after: penalty l1, class weights,
-- calibration by a line or a map, a number of pairs.
\set ECHO none
SET client_min_messages = warning;
SELECT plan(50);

CREATE FUNCTION draw(i bigint, salt int) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT (hashint8extended(i, salt) & 1048575) / 1048576.0::float8 $$;
CREATE TABLE rows AS
SELECT id, a, b, c, d, n1, n2, n3, draw(id, 9) < 1 / (1 + exp(-(2 * sin(6 * a) + 3 * coalesce(b, .9) + 6 * (c - .5) * (d - .5) - 4))) AS churned
FROM (SELECT i AS id, draw(i, 1) AS a, CASE WHEN draw(i, 2) > .1 THEN draw(i, 3) END AS b, draw(i, 4) AS c, draw(i, 5) AS d,
             draw(i, 6) AS n1, draw(i, 7) AS n2, draw(i, 8) AS n3 FROM generate_series(1, 8000) i) x;
CREATE FUNCTION fitted(options jsonb, upto int DEFAULT 4000) RETURNS churn_model LANGUAGE sql AS
$$ SELECT churn_fit(r, 'churned', '{"key": "id"}'::jsonb || options) FROM rows r WHERE id <= upto $$;
CREATE FUNCTION loss(m churn_model) RETURNS float8 LANGUAGE sql AS
$$ SELECT -avg(ln(CASE WHEN churned THEN churn_predict(m, r) ELSE 1 - churn_predict(m, r) END)) FROM rows r WHERE id > 4000 $$;

-- ---- options ----
SELECT throws_ok(format('SELECT fitted(%L)', o), '22023', NULL, o)
FROM unnest(ARRAY['{"penalty": "l3"}', '{"penalty": "l1", "encoding": "bins", "solver": "newton"}', '{"penalty": "l1", "encoding": "pairs"}',
                  '{"class_weights": "heavy"}', '{"class_weights": {"gone": 2}}', '{"class_weights": {"churned": 0}}', '{"class_weights": [1, 2]}',
                  '{"calibration": "spline"}', '{"calibration": true}', '{"calibrate": false, "calibration": "isotonic"}',
                  '{"pairs": 3}', '{"pairs": 41, "encoding": "pairs"}', '{"pairs": 3, "encoding": "pairs", "folds": 0}',
                  '{"pairs": 3, "encoding": "auto", "penalty": "l1"}']) o;

-- ---- L1 ----
CREATE TABLE l1 AS
SELECT e, fitted(jsonb_build_object('penalty', 'l1', 'encoding', e)) AS m FROM unnest('{linear,bins,auto}'::text[]) e;
SELECT is(string_agg(DISTINCT churn_model_info(m) #>> '{provenance,solver}', ' '), 'liblinear', 'L1 takes LIBLINEAR, whatever the encoding') FROM l1;
SELECT is(churn_model_info(m) #>> '{provenance,encoding}', 'bins', 'auto weighs linear against bins') FROM l1 WHERE e = 'auto';
SELECT ok(loss(b.m) < loss(l.m) - .02 AND loss(b.m) < loss(fitted('{"encoding": "bins"}')) + .01, 'L1 over bins predicts') FROM l1 b, l1 l WHERE b.e = 'bins' AND l.e = 'linear';
SELECT ok(loss(m) < .65, 'the path of C is followed through the values that let nothing in') FROM l1 WHERE e = 'linear';
SELECT ok(NOT EXISTS (SELECT FROM churn_model_terms(m) GROUP BY term HAVING bool_and(weight = 0)), 'no term is 0 everywhere') FROM l1 WHERE e = 'bins';
SELECT is(fitted('{"penalty": "l1", "encoding": "bins", "workers": 0}')::text, m::text, 'the same bits in this process') FROM l1 WHERE e = 'bins';

-- ---- class weights ----
CREATE TABLE weighted AS
SELECT e, w::text, fitted(jsonb_build_object('encoding', e, 'class_weights', w)) AS m
FROM unnest('{linear,bins,pairs}'::text[]) e, (VALUES ('"balanced"'::jsonb), ('{"churned": 8}')) v (w);
SELECT ok(max(abs(mean - rate)) < .02, format('mean score is the churn rate of rows not seen: %s', max(abs(mean - rate))::numeric(6,4)))
FROM (SELECT avg(churn_predict(m, r)) AS mean, avg(churned::int) AS rate FROM weighted, rows r WHERE id > 4000 GROUP BY e, w) s;
SELECT ok(max(abs(loss(m) - loss(fitted(jsonb_build_object('encoding', e))))) < .02, 'and log-loss close to that without weights') FROM weighted;
SELECT ok(bool_and(m <> fitted(jsonb_build_object('encoding', e))), 'the weights count') FROM weighted;
SELECT ok(abs((churn_model_info(m) #>> '{provenance,class_weights,churned}')::float8 * churned / (2000) - 1) < 1e-12, 'balanced: n / 2 n_churned')
FROM weighted, (SELECT count(*) FILTER (WHERE churned) AS churned FROM rows WHERE id <= 4000) r WHERE e = 'bins' AND w = '"balanced"';
SELECT ok(max(abs(mean - rate)) < .03, format('without folds the prior is taken off: %s', max(abs(mean - rate))::numeric(6,4)))
FROM (SELECT avg(churn_predict(f.m, r)) AS mean, avg(churned::int) AS rate
      FROM (SELECT fitted(jsonb_build_object('encoding', e, 'folds', 0, 'class_weights', '{"churned": 8}'::jsonb)) AS m FROM unnest('{linear,bins}'::text[]) e) f, rows r
      WHERE id > 4000 GROUP BY f.m::text) s;
SELECT is(fitted('{"class_weights": {"churned": 1, "stayed": 1}, "encoding": "bins"}')::text::jsonb -> 'terms', fitted('{"encoding": "bins"}')::text::jsonb -> 'terms', 'weights of 1 change nothing');

-- ---- isotonic ----
CREATE TABLE iso AS SELECT fitted('{"calibration": "isotonic", "encoding": "bins"}') AS m, fitted('{"encoding": "bins"}') AS platt, fitted('{"calibration": "none", "encoding": "bins"}') AS none;
CREATE TABLE knots AS
SELECT n, x::float8, (m::text::jsonb #>> ARRAY['calibration', 'probabilities', (n - 1)::text])::float8 AS p
FROM iso, jsonb_array_elements_text(m::text::jsonb #> '{calibration,log_odds}') WITH ORDINALITY k (x, n);
SELECT ok(count(*) BETWEEN 3 AND 200 AND bool_and(rises), 'at most 200 knots, both rising')
FROM (SELECT lag(x) OVER (ORDER BY n) < x AND lag(p) OVER (ORDER BY n) <= p AND p BETWEEN 0 AND 1 IS NOT FALSE AS rises FROM knots) k;
SELECT ok(loss(m) < loss(platt) + .01, 'log-loss close to Platt''s') FROM iso;
SELECT ok(max(abs(churn_log_odds(m, r) - churn_log_odds(none, r))) = 0, 'log-odds are those before the map') FROM iso, rows r;
SELECT ok(max(abs(churn_predict(m, r) - p)) < 1e-12, 'the probability is on the line between two knots')
FROM iso, rows r, LATERAL (
    SELECT CASE WHEN z <= min(x) THEN min(p) WHEN z >= max(x) THEN max(p)
                ELSE max(p) FILTER (WHERE x <= z) + (z - max(x) FILTER (WHERE x <= z)) / (min(x) FILTER (WHERE x > z) - max(x) FILTER (WHERE x <= z))
                     * (min(p) FILTER (WHERE x > z) - max(p) FILTER (WHERE x <= z)) END AS p
    FROM knots, (SELECT churn_log_odds(m, r) AS z) l GROUP BY z) s WHERE id % 40 = 0;
SELECT is(churn_predict(m, ARRAY[a, b, c, d, n1, n2, n3]), churn_predict(m, r), 'array and row agree to the bit') FROM iso, rows r WHERE id = 5;
SELECT ok(m::text::churn_model = m AND (m::text::jsonb)::text::churn_model = m, 'text round trip') FROM iso;
SELECT current_setting('data_directory') || '/iso.bin' AS file \gset
COPY (SELECT m FROM iso) TO :'file' (FORMAT binary);
CREATE TABLE copied (m churn_model);
COPY copied FROM :'file' (FORMAT binary);
SELECT ok(c.m = i.m, 'send and receive') FROM copied c, iso i;
SELECT throws_ok(format('SELECT %L::churn_model', regexp_replace(m::text, p, q)), '22P02', NULL, 'a map refused: ' || q)
FROM iso, (VALUES ('"probabilities": \[[^,]*,', '"probabilities": [1,'), ('"log_odds": \[[^,]*,', '"log_odds": [1e9,'), ('"knots": ', '"knots": 1')) v (p, q);
SELECT is(churn_model_info(m) #>> '{provenance,calibration}', 'isotonic', 'the calibration is told') FROM iso;

-- ---- the same over texts ----
CREATE TABLE texts AS
SELECT id, 'level ' || floor(a * 9) AS t, CASE WHEN b IS NOT NULL THEN 'city ' || floor(b * b * 60) END AS u, c, 'n' || id % 3 AS noise, churned FROM rows;
CREATE FUNCTION fitted_texts(options jsonb) RETURNS churn_model LANGUAGE sql AS
$$ SELECT churn_fit(r, 'churned', '{"key": "id"}'::jsonb || options) FROM texts r WHERE id <= 4000 $$;
CREATE TABLE text_models AS
SELECT e, fitted_texts(jsonb_build_object('encoding', e, 'class_weights', 'balanced')) AS balanced, fitted_texts(jsonb_build_object('encoding', e)) AS plain,
       fitted_texts(jsonb_build_object('encoding', e, 'calibration', 'isotonic')) AS iso
FROM unnest('{linear,bins}'::text[]) e;
SELECT ok(abs(avg(churn_predict(balanced, r)) - avg(r.churned::int)) < .01, e || ': class weights over texts keep the base rate') FROM text_models, texts r WHERE id <= 4000 GROUP BY e;
SELECT ok(churn_auc(churn_predict(balanced, r), churned) > churn_auc(churn_predict(plain, r), churned) - .01, e || ': and the ranking') FROM text_models, texts r WHERE id > 4000 GROUP BY e;
SELECT ok(count(DISTINCT churn_predict(iso, r)) > 20 AND bool_and(churn_predict(iso, r) BETWEEN 0 AND 1) AND
          max(abs(churn_predict(iso, r) - 1 / (1 + exp(-churn_log_odds(iso, r))))) > .001, e || ': a map over texts') FROM text_models, texts r GROUP BY e;
CREATE TABLE text_copied (m churn_model);
SELECT current_setting('data_directory') || '/iso_texts.bin' AS file \gset
COPY (SELECT iso FROM text_models) TO :'file' (FORMAT binary);
COPY text_copied FROM :'file' (FORMAT binary);
SELECT is(count(*), 2::bigint, 'its text and binary forms come back') FROM text_models JOIN text_copied ON m = iso WHERE iso::text::churn_model = iso;
SELECT ok(bool_and(churn_predict(iso, r) = churn_predict(m, r) AND churn_predict(iso, r) = churn_predict(iso::text::churn_model, r)), 'and score alike')
FROM text_models JOIN text_copied ON m = iso, texts r WHERE id % 50 = 0;
CREATE TABLE text_l1 AS SELECT fitted_texts('{"penalty": "l1", "c": 0.02}') AS m;
SELECT ok(churn_model_info(m) #> '{provenance,dropped}' @> '[{"column": "noise", "reason": "zero"}]' AND m::text ~ 'level 0', 'L1 leaves out a text that says nothing') FROM text_l1;
SELECT ok(m::text::churn_model = m, 'its text round trip') FROM text_l1;

-- behind a map, a study's live scores are those of its batch
CREATE TABLE events AS SELECT * FROM churn_simulate(1500, 500) WHERE kind = 'order';
SELECT churn_create_study('mapped', '90 days', lookback => '200 days', windows => '{30,90}', key_kinds => '{order}') \g /dev/null
SELECT churn_add_source('mapped', 'events', 'user_id', 'ts', amount_column => 'amount', kind_column => 'kind') \g /dev/null
SET churn.today = '2024-05-20';
SELECT churn_train('mapped', options => '{"calibration": "isotonic", "monotone": {"order_recency": 1}}') \g /dev/null
SELECT churn_promote('mapped', 1) \g /dev/null
CALL churn_refresh('mapped');
SELECT ok(count(*) > 100 AND bool_and(score = churn_score(user_id::bigint, 'mapped')), format('%s live scores are those of the batch, not %s', count(*), count(*) FILTER (WHERE score IS DISTINCT FROM churn_score(user_id::bigint, 'mapped')))) FROM mapped_scores;
RESET churn.today;

-- ---- a number of pairs ----
SELECT is((churn_model_info(fitted('{"encoding": "pairs", "pairs": 1}')) ->> 'pairs')::int, 1, 'as many pairs as asked for');
SELECT is((churn_model_info(fitted('{"encoding": "pairs", "pairs": 0}')) #>> '{provenance,encoding}'), 'bins', 'no pairs are bins');
SELECT * FROM finish();
