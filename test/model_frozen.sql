-- Models that were written in format 1 go on being read, and give the scores
-- that they gave then. test/data/models_1.csv holds their text form and, in
-- hexadecimal, their binary form, model_scores_1.csv rows and scores; both
-- were written by tools/freeze-models.sh.
\set ECHO none
SET client_min_messages = warning;
SELECT * FROM no_plan();

CREATE TABLE frozen (name text, bytes text, text text);
\copy frozen FROM 'test/data/models_1.csv' (FORMAT csv, HEADER)
CREATE TABLE scores (name text, row jsonb, score float8);
\copy scores FROM 'test/data/model_scores_1.csv' (FORMAT csv, HEADER)
CREATE TABLE subject (spent float8, visits int, plan text, mail boolean, since date, seen timestamp, asleep interval);

CREATE TABLE models AS SELECT name, text::churn_model AS m FROM frozen;
SELECT current_setting('data_directory') || '/frozen.bin' AS file \gset
COPY (SELECT name, decode(bytes, 'hex') FROM frozen) TO :'file' (FORMAT binary);
CREATE TABLE received (name text, m churn_model);
COPY received FROM :'file' (FORMAT binary);
CREATE CAST (bytea AS churn_model) WITHOUT FUNCTION;
CREATE TABLE stored AS SELECT name, decode(bytes, 'hex')::churn_model AS m FROM frozen;

SELECT is(string_agg(name, ', ' ORDER BY name), 'bins, isotonic, linear, map, one boolean, pairs, spec', 'text and binary form are the same model') FROM models JOIN received USING (name, m) JOIN stored USING (name, m);
SELECT is(m::text, text, name || ': printed as it was then') FROM frozen JOIN received USING (name);
SELECT is(encode(churn_model_send(m), 'hex'), bytes, name || ': sent as it was then') FROM frozen JOIN models USING (name);
SELECT is(string_agg(DISTINCT coding, ', ' ORDER BY coding), 'bins, level, linear, missing level, other level, pair, signed log', 'every kind of term is there') FROM models, churn_model_terms(m);
SELECT is(string_agg(DISTINCT type, ', ' ORDER BY type), 'boolean, date, interval, number, text, timestamp', 'and every type of input') FROM models, jsonb_array_elements_text(m::text::jsonb -> 'types') type;
SELECT isnt(churn_model_spec(m), NULL, 'and a spec') FROM models WHERE name = 'spec';
SELECT is(churn_model_info(m) ->> 'knots', '4', 'and a map to probabilities') FROM models WHERE name = 'map';
SELECT ok(max(abs(churn_predict(m, jsonb_populate_record(NULL::subject, row)) - score)) < 1e-12 AND count(*) >= 8 AND count(DISTINCT score) > 1, format('%s: the scores of then', name))
FROM stored JOIN scores USING (name) WHERE jsonb_typeof(row) = 'object' GROUP BY name ORDER BY name;
SELECT ok(max(abs(churn_predict(m, (SELECT array_agg(x::float8 ORDER BY n) FROM jsonb_array_elements_text(row) WITH ORDINALITY f (x, n))) - score)) < 1e-12 AND count(DISTINCT score) > 1, 'spec: the scores of then')
FROM stored JOIN scores USING (name) WHERE jsonb_typeof(row) = 'array';
SELECT * FROM finish();
