-- Damaged and hostile models: every flipped bit and every truncation of a
-- stored model of 4 KB, 5,000 mutations of the text form, and damage under a
-- checksum that was made to match: an error, or an identical score.
\set ECHO none
SET client_min_messages = warning;
SELECT * FROM no_plan();

-- ---- one stored model with terms of every kind, some 4 KB ----
CREATE TABLE customers AS
SELECT i AS id, exp(abs(hashint4(i)) % 1000 / 100.0)::float8 AS spent, CASE WHEN i % 10 > 0 THEN abs(hashint4(i + 5000)) % 50 END AS visits,
       (ARRAY['basic', 'pro', 'it''s "ü"', NULL, 'rare ' || i])[1 + abs(hashint4(i + 7000)) % 5] AS plan, date '2024-01-01' + abs(hashint4(i + 8000)) % 300 AS since, i % 7 < 3 AS mail
FROM generate_series(1, 1200) i;
ALTER TABLE customers ADD churned boolean;
UPDATE customers SET churned = abs(hashint4(id + 99)) % 100 < CASE WHEN (plan = 'pro') <> (coalesce(visits, 10) < 25) THEN 80 ELSE 20 END + CASE WHEN since > '2024-06-01' THEN 15 ELSE 0 END;
CREATE TABLE models AS
SELECT e, churn_fit(c, 'churned', jsonb_build_object('key', 'id', 'encoding', e, 'reference_date', '2025-01-01', 'folds', CASE e WHEN 'pairs' THEN 5 ELSE 0 END, 'exclude', CASE e WHEN 'pairs' THEN '["mail"]'::jsonb ELSE '[]' END)) AS m
FROM customers c, unnest('{linear,pairs}'::text[]) e GROUP BY e;
-- with another provenance it is of the size that is asked for
CREATE FUNCTION seal(model text) RETURNS churn_model LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    RETURN model::churn_model;
EXCEPTION WHEN invalid_text_representation THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN regexp_replace(model, '"checksum": "[^"]*"', '"checksum": "' || substring(detail FROM 'content has "([0-9a-f]{16})"') || '"')::churn_model;
END $$;
UPDATE models SET m = seal(regexp_replace(m::text, '"provenance": .*$', format('"calibration": {"knots": 3, "log_odds": [-2, 0.5, 1.5], "probabilities": [0.125, 0.25, 0.75]}, "provenance": {"note": %s}}', to_json(repeat('note ', 246))))) WHERE e = 'pairs';
SELECT ok((i ->> 'bytes')::int BETWEEN 4000 AND 4200 AND (i ->> 'pairs')::int > 0, format('a model of %s bytes, %s terms, %s pairs', i ->> 'bytes', i ->> 'terms', i ->> 'pairs')) FROM models, churn_model_info(m) i WHERE e = 'pairs';

-- Stored bytes as a model, whatever they are
CREATE CAST (bytea AS churn_model) WITHOUT FUNCTION;
-- Decoded anew, every damaged value is an error; and where the right model is
-- at hand, under the hash of its content, a score is an error or identical.
CREATE FUNCTION damage(bytes bytea, other bytea, OUT decoded text, OUT scored text) LANGUAGE plpgsql AS $$
DECLARE
    subject customers := (SELECT c FROM customers c WHERE id = 77);
BEGIN
    BEGIN
        decoded := CASE WHEN churn_model_inputs(bytes::churn_model) IS NULL THEN 'NULL' ELSE 'accepted' END;
    EXCEPTION WHEN OTHERS THEN decoded := SQLSTATE;
    END;
    BEGIN
        -- one call site scores with the right model, then with the damaged one
        scored := (SELECT CASE WHEN count(DISTINCT z) = 1 AND count(z) = 2 THEN 'identical' ELSE 'wrong' END
                   FROM (SELECT churn_log_odds(b::churn_model, subject) AS z FROM unnest(ARRAY[other, bytes]) b) x);
    EXCEPTION WHEN OTHERS THEN scored := SQLSTATE;
    END;
END $$;
SELECT is(damage(b, b)::text, '(accepted,identical)', 'what is not damaged is accepted') FROM models, churn_model_send(m) b WHERE e = 'pairs';
CREATE TABLE flipped AS SELECT d.* FROM models, churn_model_send(m) b, generate_series(0, 8 * length(b) - 1) bit, damage(set_bit(b, bit, 1 - get_bit(b, bit)), b) d WHERE e = 'pairs';
SELECT is(string_agg(DISTINCT decoded COLLATE "C", ' ' ORDER BY decoded COLLATE "C"), '0A000 XX001', format('%s flipped bits: every one is an error', count(*))) FROM flipped;
SELECT is(string_agg(DISTINCT scored COLLATE "C", ' ' ORDER BY scored COLLATE "C"), 'XX001 identical', 'every flipped bit: an error or an identical score') FROM flipped;
CREATE TABLE truncated AS SELECT d.* FROM models, churn_model_send(m) b, generate_series(0, length(b) - 1) n, damage(substr(b, 1, n), b) d WHERE e = 'pairs';
SELECT is(string_agg(DISTINCT decoded COLLATE "C", ' ' ORDER BY decoded COLLATE "C"), 'XX001', format('%s truncations: every one is an error', count(*))) FROM truncated;
SELECT is(string_agg(DISTINCT scored COLLATE "C", ' ' ORDER BY scored COLLATE "C"), 'XX001 identical', 'every truncation: an error or an identical score') FROM truncated;
SELECT is(string_agg(DISTINCT d.decoded, ' '), 'XX001', 'bytes behind its end') FROM models, churn_model_send(m) b, generate_series(1, 200) n, damage(b || substr(b, 1, n), b) d;
SELECT throws_ok(format('SELECT churn_predict(%L::bytea::churn_model, c) FROM customers c', set_byte(b, 3, 2)), '0A000', 'churn_model format version 2 is not known here, only 1', 'a newer format') FROM models, churn_model_send(m) b WHERE e = 'pairs';
SELECT throws_ok(format('SELECT churn_predict(%L::bytea::churn_model, c) FROM customers c', set_byte(b, 100, 255 - get_byte(b, 100))), 'XX001', 'churn_model value is damaged: its checksum does not match', 'one byte') FROM models, churn_model_send(m) b WHERE e = 'pairs';
-- in a table, and through everything that reads a model
CREATE TABLE damaged AS SELECT set_byte(b, 700, 255 - get_byte(b, 700))::churn_model AS m FROM models, churn_model_send(m) b WHERE e = 'pairs';
SELECT throws_ok(format('SELECT %s FROM damaged, customers c', call), 'XX001', NULL, call)
FROM unnest('{"churn_predict(m, c)","churn_log_odds(m, c)","churn_contributions(m, c)","churn_reasons(m, c)","churn_base(m)","churn_model_info(m)","churn_model_terms(m)","churn_importance(m)","churn_scorecard(m)","churn_model_sql(m)","churn_model_spec(m)","m::text"}'::text[]) call;

-- ---- the text form ----
-- One random change: a character replaced, dropped, doubled, two swapped, a digit changed, or the end cut off
CREATE FUNCTION mutate(original text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    at int := 1 + floor(random() * length(original));
BEGIN
    CASE floor(random() * 6)::int
        WHEN 0 THEN RETURN overlay(original PLACING chr(32 + floor(random() * 95)::int) FROM at FOR 1);
        WHEN 1 THEN RETURN overlay(original PLACING '' FROM at FOR 1 + floor(random() * 3)::int);
        WHEN 2 THEN RETURN overlay(original PLACING substr(original, at, 1 + floor(random() * 40)::int) FROM at FOR 0);
        WHEN 3 THEN RETURN overlay(original PLACING reverse(substr(original, at, 2)) FROM at FOR 2);
        WHEN 4 THEN at := at + coalesce(nullif(strpos(substr(original, at), floor(random() * 10)::text), 0), 1) - 1;
                    RETURN overlay(original PLACING floor(random() * 10)::text FROM at FOR 1);
        ELSE RETURN left(original, at);
    END CASE;
END $$;
-- Mutated texts, n of them, and what became of each; "sealed" writes the checksum of the content where one was read
CREATE FUNCTION fuzz_text(original churn_model, n int, sealed boolean) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    subject customers := (SELECT c FROM customers c WHERE id = 77);
    expected float8 := churn_predict(original, subject);
    t text;
    detail text;
    score float8;
    state text;
    digest text;
BEGIN
    FOR i IN 1 .. n LOOP
        t := mutate(original::text);
        FOR attempt IN 0 .. sealed::int LOOP
            digest := NULL;
            BEGIN
                score := churn_predict(t::churn_model, subject);
                state := CASE WHEN score = expected THEN 'identical' WHEN attempt = 1 AND score BETWEEN 0 AND 1 THEN 'another score' ELSE 'wrong' END;
            EXCEPTION WHEN OTHERS THEN
                GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
                state := SQLSTATE;
                digest := substring(detail FROM 'content has "([0-9a-f]{16})"');
            END;
            EXIT WHEN digest IS NULL;
            t := regexp_replace(t, '"checksum": "[^"]*"', '"checksum": "' || digest || '"');
        END LOOP;
        RETURN NEXT state;
    END LOOP;
END $$;
SELECT setseed(0.25);
CREATE TABLE mutated AS SELECT e, state FROM models, fuzz_text(m, 2500, false) state;
SELECT is(string_agg(DISTINCT state COLLATE "C", ' ' ORDER BY state COLLATE "C") FILTER (WHERE state NOT IN ('22P02', '22P05', '22003', '0A000')), 'identical', format('%s mutated texts: an error of the documented kind, or an identical score', count(*))) FROM mutated;
SELECT ok(count(*) FILTER (WHERE state = '22P02') > 1000, format('%s of them are refused', count(*) FILTER (WHERE state = '22P02'))) FROM mutated;
CREATE TABLE sealed AS SELECT e, state FROM models, fuzz_text(m, 1000, true) state;
SELECT is(string_agg(DISTINCT state COLLATE "C", ' ' ORDER BY state COLLATE "C") FILTER (WHERE state NOT IN ('22P02', '22P05', '22003', '0A000', '42703', '42804')), 'another score identical',
          format('%s mutated texts under a checksum of their own: an error, or a score from 0 to 1', count(*))) FROM sealed;
SELECT ok(count(*) FILTER (WHERE state = 'another score') > 50, format('%s of them are other models', count(*) FILTER (WHERE state = 'another score'))) FROM sealed;
SELECT throws_like(format('SELECT %L::churn_model', replace(m::text, '"intercept": ', '"intercept": 1')), '%checksum of churn_model does not match its content%', 'a changed digit is refused') FROM models WHERE e = 'linear';
SELECT throws_ok(format('SELECT %L::churn_model', regexp_replace(m::text, '"checksum": "[^"]*",', '')), '22P02', 'invalid input syntax for type churn_model: "checksum" is missing', 'so is a text without a checksum') FROM models WHERE e = 'linear';
SELECT is(regexp_replace(m::text, '^\{', '{"checksum": "x", "intercept": 7, ')::churn_model, m, 'of two keys the last counts, as everywhere in jsonb') FROM models WHERE e = 'linear';

SELECT throws_ok(format('SELECT %L::churn_model', jsonb_set(m::text::jsonb, '{calibration}', calibration)), '22P02', 'churn_model value is damaged: ' || message, message) FROM models,
    (VALUES ('{"knots": 2, "log_odds": [0, 5e-324], "probabilities": [0, 1]}'::jsonb, 'knots are not in ascending order'), ('{"knots": 0, "log_odds": [], "probabilities": []}', 'the number of knots is out of range'),
            ('{"knots": 2, "log_odds": [0, 1], "probabilities": [0.5, 0.25]}', 'probabilities of knots are out of range or fall')) c (calibration, message) WHERE e = 'linear';

-- ---- bytes under a checksum that was made to match ----
-- FNV-1a of 64 bits, as stored: the model's own guard does not help then
CREATE FUNCTION reseal(bytes bytea) RETURNS bytea LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    hash numeric := 14695981039346656037;
BEGIN
    FOR i IN 16 .. length(bytes) - 1 LOOP
        hash := mod((hash - mod(hash, 256) + (mod(hash, 256)::int # get_byte(bytes, i))) * 1099511627776 + (hash - mod(hash, 256) + (mod(hash, 256)::int # get_byte(bytes, i))) * 435, 18446744073709551616);
    END LOOP;
    FOR i IN 0 .. 7 LOOP
        bytes := set_byte(bytes, 15 - i, mod(div(hash, 256::numeric ^ i), 256)::int);
    END LOOP;
    RETURN bytes;
END $$;
CREATE TABLE small AS
SELECT seal(regexp_replace(churn_fit(c, 'churned', '{"folds": 0}')::text, '"provenance": ', '"calibration": {"knots": 3, "log_odds": [-2, 0.5, 1.5], "probabilities": [0.125, 0.25, 0.75]}, "provenance": ')) AS m
FROM (SELECT visits, plan, churned FROM customers ORDER BY id) c;
SELECT is(reseal(b), b, format('the checksum of %s bytes', length(b))) FROM small, churn_model_send(m) b;
CREATE FUNCTION fuzz_bytes(original bytea, n int) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    subject customers := (SELECT c FROM customers c WHERE id = 77);
    bytes bytea;
    at int;
    score float8;
BEGIN
    FOR i IN 1 .. n LOOP
        at := 16 + floor(random() * (length(original) - 16));
        bytes := CASE floor(random() * 4)::int WHEN 0 THEN set_byte(original, at, floor(random() * 256)::int)
                     WHEN 1 THEN set_byte(set_byte(original, at, 255), least(at + 1, length(original) - 1), 255)
                     WHEN 2 THEN substr(original, 1, at) || substr(original, at + 2 + floor(random() * 12)::int)
                     ELSE substr(original, 1, at) END;
        BEGIN
            score := churn_predict(reseal(bytes)::churn_model, subject);
            RETURN NEXT CASE WHEN score BETWEEN 0 AND 1 THEN 'a score' ELSE 'wrong' END;
        EXCEPTION WHEN OTHERS THEN RETURN NEXT SQLSTATE;
        END;
    END LOOP;
END $$;
CREATE TABLE resealed AS SELECT state FROM small, fuzz_bytes(churn_model_send(m), 1500) state;
SELECT is(string_agg(DISTINCT state COLLATE "C", ' ' ORDER BY state COLLATE "C") FILTER (WHERE state NOT IN ('42703', '42804', '22021')), 'XX001 a score', format('%s changes under a checksum that matches: an error, or a score from 0 to 1', count(*))) FROM resealed;
SELECT * FROM finish();
