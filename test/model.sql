-- churn_model: round trips, hostile text and bytes, a newer format.
\set ECHO none
SET client_min_messages = warning;
SELECT plan(21);

CREATE TABLE rows_ AS
SELECT i AS id, hashint4(i) % 1000 / 7.0::float8 AS a, hashint4(i + 1000) % 1000 / 3.0::float8 AS "b ""ü""",
       CASE WHEN i % 4 > 0 THEN exp((hashint4(i + 2000) % 1000) / 100.0)::float8 END AS c,
       hashint4(i) % 1000 + hashint4(i + 3000) % 1000 > 0 AS churned
FROM generate_series(1, 400) i;
CREATE TABLE models AS SELECT churn_fit(r, 'churned', '{"key": "id"}') AS m FROM rows_ r;
CREATE TABLE histories AS
SELECT u, churn_history(date '2024-01-01' + hashint4(u * 100 + g) % 150, 'order', 1 + abs(hashint4(u + g)) % 50) AS h
FROM generate_series(1, 300) u, generate_series(1, 6) g GROUP BY u;
\set spec 'churn_spec(kinds => ''{order}'', key_kinds => ''{order}'')'
CREATE TABLE history_models AS
SELECT churn_fit(churn_features(h, '2024-06-01', :spec), (churn_features(h, '2024-06-01', :spec))[1] + hashint4(u) % 20 > 20, u::bigint, :spec, '{}') AS m FROM histories;

-- ---- round trips ----
SELECT ok(m::text::churn_model = m, 'text') FROM models;
SELECT ok(m::text::churn_model = m, 'text, with a spec') FROM history_models;
SELECT ok((m::text::jsonb)::text::churn_model = m, 'through jsonb: order of keys and blanks do not matter') FROM models;
SELECT current_setting('data_directory') || '/model.bin' AS file \gset
COPY (SELECT m FROM models UNION ALL SELECT m FROM history_models) TO :'file' (FORMAT binary);
CREATE TABLE copied (m churn_model);
COPY copied FROM :'file' (FORMAT binary);
SELECT is((SELECT count(*) FROM copied c, (SELECT m FROM models UNION ALL SELECT m FROM history_models) m WHERE c.m = m.m), 2::bigint, 'send and receive');
SELECT is((SELECT count(*) FROM (SELECT m FROM copied UNION SELECT m FROM models) x), 2::bigint, 'UNION finds equal models');
SELECT ok(m <> n, 'different models differ') FROM (SELECT m FROM models) a, (SELECT m AS n FROM history_models) b;
SELECT is(churn_model_spec(m)::text, (:spec)::text, 'the spec is inside') FROM history_models;
SELECT is(churn_model_spec(m), NULL, 'none when fitted on columns') FROM models;
SELECT is(churn_model_inputs(m), ARRAY['a', 'b "ü"', 'c'], 'inputs') FROM models;
SELECT is(churn_predict(m, h, '2024-06-01'), churn_predict(m, churn_features(h, '2024-06-01', :spec)), 'history and features agree to the bit')
FROM history_models, histories WHERE u = 5;
SELECT ok(max(abs(churn_base(m) + total - churn_log_odds(m, h, '2024-06-01'))) < 1e-9, 'base and contributions are the log-odds')
FROM history_models, histories, LATERAL (SELECT sum(contribution) AS total FROM churn_contributions(m, h, '2024-06-01')) c;
SELECT ok(max(cardinality(churn_reasons(m, h, '2024-06-01', 2))) <= 2, 'as many reasons as asked for') FROM history_models, histories;
SELECT throws_ok($$SELECT churn_predict(m, h, 'infinity') FROM history_models, histories$$, '22008', NULL, 'infinite as_of');
SELECT throws_ok($$SELECT churn_predict(m, h, '2024-06-01') FROM models, histories$$, '22023', 'model was fitted on columns, not on histories', 'a model on columns');

-- ---- refused ----
SELECT throws_ok($$SELECT replace(m::text, '{"churn_model": 1', '{"churn_model": 2')::churn_model FROM models$$, '0A000', NULL, 'newer text format');
SELECT throws_ok($$SELECT regexp_replace(m::text, '"intercept": ', '"intercept": 1')::churn_model FROM models$$, '22P02', NULL, 'another intercept');
SELECT throws_ok($$SELECT ''::churn_model$$, '22P02', NULL, 'empty text');
SELECT throws_ok($$SELECT '[]'::churn_model$$, '22P02', NULL, 'an array');

-- One random change of a text: a byte replaced, dropped, doubled, or the end cut off
CREATE FUNCTION mutate(original text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    at int := 1 + floor(random() * length(original));
BEGIN
    CASE floor(random() * 4)::int
        WHEN 0 THEN RETURN overlay(original PLACING chr(32 + floor(random() * 95)::int) FROM at FOR 1);
        WHEN 1 THEN RETURN overlay(original PLACING '' FROM at FOR 1);
        WHEN 2 THEN RETURN overlay(original PLACING substr(original, at, 1 + floor(random() * 20)::int) FROM at FOR 0);
        ELSE RETURN left(original, at);
    END CASE;
END $$;
-- The states of n mutated texts; "same" is an equal model
CREATE FUNCTION fuzz_text(original churn_model, n int) RETURNS TABLE (state text, times bigint) LANGUAGE plpgsql AS $$
DECLARE
    states text[];
BEGIN
    FOR i IN 1 .. n LOOP
        BEGIN
            states := states || CASE WHEN mutate(original::text)::churn_model = original THEN 'same' ELSE 'wrong' END;
        EXCEPTION WHEN OTHERS THEN states := states || SQLSTATE;
        END;
    END LOOP;
    RETURN QUERY SELECT s, count(*) FROM unnest(states) s GROUP BY s;
END $$;
SELECT setseed(0.25);
SELECT is(string_agg(state, ' ' ORDER BY state) FILTER (WHERE state NOT IN ('22P02', '22P05', '0A000', '22003', 'same')), NULL,
          '300 mutated texts: an error of the documented kind, or the same model')
FROM models, fuzz_text(m, 300);
-- the spec's own text is parsed by churn_spec
SELECT is(string_agg(state, ' ' ORDER BY state) FILTER (WHERE state NOT IN ('22P02', '22P05', '0A000', '22003', '22023', '54000', 'same')), NULL,
          '500 mutated texts with a spec')
FROM history_models, fuzz_text(m, 500);

-- Bytes of the wire form with one bit flipped, and truncations, every third; all of them in model_hostile.sql, as stored bytes
CREATE FUNCTION fuzz_binary(original churn_model, file text) RETURNS TABLE (state text, times bigint) LANGUAGE plpgsql AS $$
DECLARE
    bytes bytea := churn_model_send(original);
    changed bytea;
    states text[];
BEGIN
    CREATE TABLE received (m churn_model);
    FOR i IN 0 .. 2 * length(bytes) - 1 BY 3 LOOP
        changed := CASE WHEN i < length(bytes) THEN set_bit(bytes, 8 * i + i % 8, 1 - get_bit(bytes, 8 * i + i % 8))
                        ELSE substr(bytes, 1, i - length(bytes)) END;
        EXECUTE format('COPY (SELECT %L::bytea) TO %L (FORMAT binary)', changed, file);
        BEGIN
            EXECUTE format('COPY received FROM %L (FORMAT binary)', file);
            states := states || 'accepted'::text;
        EXCEPTION WHEN OTHERS THEN states := states || SQLSTATE;
        END;
    END LOOP;
    RETURN QUERY SELECT s, count(*) FROM unnest(states) s GROUP BY s;
END $$;
SELECT is(string_agg(state, ' ' ORDER BY state), '0A000 22P03', 'flipped bytes and truncations of the wire form are refused')
FROM models, fuzz_binary(m, :'file');
SELECT * FROM finish();
