-- churn_model as a value: 1,000 random models through text, jsonb and binary
-- form and as plain SQL; what churn_model_info and churn_model_terms say.
\set ECHO none
SET client_min_messages = warning;
SET jit = off;
SELECT * FROM no_plan();

-- ---- random models over the columns of one table, every kind of term ----
CREATE TYPE plan AS ENUM ('free', 'basic', 'pro', 'it''s "ü"');
CREATE TABLE subject (number float8, whole int, "a ""b"" 'c' \d" numeric, "Größe" float8, flag boolean, level text, plan plan, code char(4),
                      day date, moment timestamp, instant timestamptz, span interval);
CREATE TABLE columns_ (name text, type text, lowest float8, highest float8);
INSERT INTO columns_
SELECT attname, CASE WHEN t ~ 'char|text|plan' THEN 'text' WHEN t ~ 'timestamp' THEN 'timestamp' WHEN t ~ 'int\y|double|numeric|integer' THEN 'number' ELSE t END, lowest, highest
FROM (SELECT attname, format_type(atttypid, NULL) AS t FROM pg_attribute WHERE attrelid = 'subject'::regclass AND attnum > 0) a, (VALUES (-500, 500)) range (lowest, highest);
INSERT INTO columns_ VALUES ('not a column of it', 'number', 0, 1);
SELECT setseed(0.5);
INSERT INTO subject
SELECT (random() - .5) * 10 ^ (random() * 4), (random() - .5) * 1000, (random() - .5)::numeric * 500, exp(random() * 100 - 50), random() > .5,
       (ARRAY['a', 'b''', 'c"', 'd\', E'e\u0001\n', 'ü', '', 'x'])[1 + floor(random() * 8)::int], (ARRAY['free', 'basic', 'pro', 'it''s "ü"'])[1 + floor(random() * 4)::int]::plan, (ARRAY['a', 'd\', 'ü'])[1 + floor(random() * 3)::int],
       date '2024-06-01' + ((random() - .5) * 1000)::int, timestamp '2024-06-01' + (random() - .5) * interval '1000 days', timestamptz '2024-06-01 00:00+00' + (random() - .5) * interval '1000 days',
       (random() - .5) * interval '400 days' + round(random() * 3) * interval '1 month'
FROM generate_series(1, 20);
INSERT INTO subject SELECT CASE WHEN random() > .5 THEN number END, CASE WHEN random() > .5 THEN whole END, CASE WHEN random() > .5 THEN "a ""b"" 'c' \d" END, NULL, CASE WHEN random() > .5 THEN flag END,
       CASE WHEN random() > .5 THEN level END, CASE WHEN random() > .5 THEN plan END, NULL, CASE WHEN random() > .5 THEN day END, CASE WHEN random() > .5 THEN moment END, NULL, CASE WHEN random() > .5 THEN span END FROM subject;

-- Log-odds of any size, rounded to what JSON writes, or of a usual one
CREATE FUNCTION random_weight() RETURNS float8 LANGUAGE sql AS
$$ SELECT CASE WHEN random() < .1 THEN 0 WHEN random() < .05 THEN 4.94e-324 WHEN random() < .1 THEN round((random() * 10)::numeric, 1) WHEN random() < .03 THEN (random() - .5) * exp(random() * 400 - 200)
               ELSE (random() - .5) * exp(random() * 8 - 6) END $$;
CREATE FUNCTION random_numbers(n int, what text) RETURNS jsonb LANGUAGE sql AS
$$ SELECT coalesce(jsonb_agg(CASE what WHEN 'weight' THEN random_weight() ELSE random() END), '[]') FROM generate_series(1, n) $$;
CREATE FUNCTION random_cuts(n int, lowest float8, highest float8) RETURNS jsonb LANGUAGE sql AS
$$ SELECT coalesce(jsonb_agg(DISTINCT c ORDER BY c), '[]') FROM (SELECT CASE WHEN random() < .3 THEN round(lowest + (highest - lowest) * random()) ELSE lowest + (highest - lowest) * random() END AS c FROM generate_series(1, n)) x $$;
CREATE FUNCTION random_term(input int, c columns_) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    term jsonb := jsonb_build_object('name', c.name, 'input', input, 'missing_weight', random_weight(), 'average', random_weight(), 'missing_share', random());
    n int;
    levels jsonb;
    cuts jsonb;
    low float8 := c.lowest * random();
BEGIN
    IF c.type = 'text' THEN
        SELECT coalesce(jsonb_agg(l), '[]') INTO levels FROM (SELECT l FROM unnest(ARRAY['a', 'b''', 'c"', 'd\', E'e\u0001\n', 'ü', '', 'it''s "ü"', 'pro', repeat('long', 250)]) l ORDER BY random() LIMIT floor(random() * 9)) x;
        n := jsonb_array_length(levels) + 1;
        RETURN term || jsonb_build_object('kind', 'levels', 'levels', levels, 'values', random_numbers(n, 'weight'), 'shares', random_numbers(n, 'share'));
    ELSIF random() < .4 THEN
        RETURN term || jsonb_build_object('kind', 'linear', 'signed_log', random() < .5, 'low', CASE WHEN random() < .3 THEN 0 ELSE low END, 'high', c.highest * random(),
                                          'mean', (random() - .5) * 100, 'scale', exp(random() * 20 - 10), 'weight', random_weight());
    END IF;
    cuts := random_cuts(floor(exp(random() * 4))::int - 1, c.lowest, c.highest);
    n := jsonb_array_length(cuts) + 1;
    RETURN term || jsonb_build_object('kind', 'bins', 'cuts', cuts, 'values', random_numbers(n, 'weight'), 'shares', random_numbers(n, 'share'));
END $$;
-- One side of a pair, with how many cells it has
CREATE FUNCTION random_side(input int, c columns_, terms jsonb, prefix text, OUT side jsonb, OUT cells int) LANGUAGE plpgsql AS $$
DECLARE
    cuts jsonb := random_cuts(floor(random() * 8)::int, c.lowest, c.highest);
    n int;
BEGIN
    side := jsonb_build_object(prefix || 'name', c.name, prefix || 'input', input);
    IF c.type = 'text' THEN
        SELECT floor(random() * (1 + jsonb_array_length(t -> 'levels'))) INTO n FROM jsonb_array_elements(terms) t WHERE (t ->> 'input')::int = input;
        side := side || jsonb_build_object(prefix || 'levels', n);
        cells := n + 2;
    ELSE
        side := side || jsonb_build_object(prefix || 'cuts', cuts);
        cells := jsonb_array_length(cuts) + 2;
    END IF;
END $$;
CREATE FUNCTION random_model() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    inputs columns_[] := (SELECT array_agg(c) FROM (SELECT c FROM columns_ c ORDER BY random() LIMIT 1 + floor(random() * 9)) x);
    terms jsonb := '[]';
    pairs jsonb := '[]';
    a record;
    b record;
    model jsonb;
BEGIN
    FOR i IN 1 .. cardinality(inputs) LOOP
        IF inputs[i].name <> 'not a column of it' AND random() < .9 THEN
            terms := terms || random_term(i - 1, inputs[i]);
        END IF;
    END LOOP;
    FOR i IN 1 .. cardinality(inputs) LOOP
        FOR j IN i + 1 .. cardinality(inputs) LOOP
            CONTINUE WHEN random() < .9 OR 'not a column of it' IN (inputs[i].name, inputs[j].name);
            a := random_side(i - 1, inputs[i], terms, '');
            b := random_side(j - 1, inputs[j], terms, 'second_');
            CONTINUE WHEN a.cells IS NULL OR b.cells IS NULL;
            pairs := pairs || (a.side || b.side || jsonb_build_object('kind', 'pair', 'average', random_weight(), 'values', random_numbers(a.cells * b.cells, 'weight'), 'shares', random_numbers(a.cells * b.cells, 'share')));
        END LOOP;
    END LOOP;
    model := jsonb_build_object('churn_model', 1, 'checksum', '', 'spec', NULL, 'intercept', random_weight(), 'reference_date', '2024-06-01',
        'inputs', (SELECT jsonb_agg(name) FROM unnest(inputs)), 'types', (SELECT jsonb_agg(type) FROM unnest(inputs)), 'terms', terms || pairs,
        'provenance', jsonb_build_object('rows', floor(random() * 1e6), 'note', E'it''s "ü" \\ \n'));
    IF random() < .3 THEN
        a := random_side(0, (SELECT c FROM columns_ c WHERE name = 'number'), NULL, '');
        b := random_side(0, (SELECT ROW('', 'number', -5, 5)::columns_), NULL, '');
        IF b.cells > 2 THEN
            model := model || jsonb_build_object('calibration', jsonb_build_object('knots', b.cells - 2, 'log_odds', b.side -> 'cuts',
                'probabilities', (SELECT jsonb_agg(p ORDER BY p) FROM (SELECT random() AS p FROM generate_series(1, b.cells - 2)) x)));
        END IF;
    END IF;
    RETURN model;
END $$;
-- The model of a text, with the checksum of its content
CREATE FUNCTION seal(model text) RETURNS churn_model LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    RETURN model::churn_model;
EXCEPTION WHEN invalid_text_representation THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN regexp_replace(model, '"checksum": "[^"]*"', '"checksum": "' || substring(detail FROM 'content has "([0-9a-f]{16})"') || '"')::churn_model;
END $$;
CREATE TABLE random_texts AS SELECT i AS id, random_model() AS t FROM generate_series(1, 1000) i;
CREATE TABLE random_models AS SELECT id, t, seal(t) AS m FROM random_texts;
SELECT ok(count(DISTINCT m::text) = 1000 AND sum(terms) > 2000 AND sum(pairs) > 300 AND count(*) FILTER (WHERE t ~ 'signed_log": true') > 100 AND count(*) FILTER (WHERE t ~ 'second_levels') > 100,
          format('1,000 random models: %s terms, %s pairs, %s maps, %s bytes the largest', sum(terms), sum(pairs), count(*) FILTER (WHERE i ->> 'knots' > '0'), max(bytes)))
FROM random_models, LATERAL (SELECT churn_model_info(m) AS i) i, LATERAL (SELECT (i ->> 'terms')::int AS terms, (i ->> 'pairs')::int AS pairs, (i ->> 'bytes')::int AS bytes) n;
SELECT is(count(*), 0::bigint, 'text form: the same bits') FROM random_models WHERE m::text::churn_model <> m OR m::text::churn_model::text <> m::text;
SELECT is(count(*), 0::bigint, 'every number of the text is in the model') FROM random_models
WHERE m::text::jsonb - 'checksum' <> t::jsonb - 'checksum';
SELECT is(count(*), 0::bigint, 'through jsonb: the same bits') FROM random_models WHERE m::text::jsonb::text::churn_model <> m;
SELECT current_setting('data_directory') || '/random_models.bin' AS file \gset
COPY (SELECT id, m FROM random_models) TO :'file' (FORMAT binary);
CREATE TABLE received (id int, m churn_model);
COPY received FROM :'file' (FORMAT binary);
SELECT is(count(*), 1000::bigint, 'send and receive: the same bits') FROM random_models JOIN received r USING (id)
WHERE r.m = random_models.m AND churn_model_send(r.m) = churn_model_send(random_models.m) AND r.m::text = random_models.m::text;
SELECT set_config('extra_float_digits', '-15', false) IS NULL AS a, set_config('DateStyle', 'SQL, DMY', false) IS NULL AS b, set_config('TimeZone', 'Asia/Kathmandu', false) IS NULL AS c \gset
SELECT is(count(*), 0::bigint, 'whatever the session''s settings') FROM random_models WHERE m::text::churn_model <> m;
RESET extra_float_digits;
RESET DateStyle;
RESET TimeZone;

-- ---- their scores, and those of their SQL ----
CREATE TABLE scores AS SELECT id, n, churn_predict(m, s) AS score, churn_log_odds(m, s) AS log_odds FROM random_models, (SELECT subject, row_number() OVER () AS n FROM subject) x (s, n);
SELECT ok(bool_and(score BETWEEN 0 AND 1) AND count(*) = 40000 AND count(DISTINCT score) > 10000, format('%s scores', count(DISTINCT score))) FROM scores;
SELECT is(count(*), 0::bigint, 'copies give them bit for bit') FROM scores JOIN received r USING (id), (SELECT subject, row_number() OVER () AS n FROM subject) x (s, n) WHERE x.n = scores.n AND churn_predict(r.m, s) <> score;
CREATE FUNCTION by_sql(model churn_model) RETURNS SETOF float8 LANGUAGE plpgsql AS
$$ BEGIN RETURN QUERY EXECUTE format('SELECT %s FROM subject t', churn_model_sql(model, 't')); END $$;
SELECT ok(max(abs(score - by_sql)) < 1e-12, format('churn_model_sql of all of them: within %s', max(abs(score - by_sql))))
FROM scores JOIN (SELECT id, by_sql, n FROM random_models, by_sql(m) WITH ORDINALITY b (by_sql, n)) b USING (id, n);

-- ---- the model on one page ----
CREATE TABLE customers AS
SELECT i AS id, (i * 7919) % 61 AS tenure, CASE WHEN i % 10 > 0 THEN abs(hashint4(i)) % 100 END AS visits, (ARRAY['a', 'b', 'c', NULL, 'r' || i])[1 + abs(hashint4(i + 7000)) % 5] AS plan
FROM generate_series(1, 1500) i;
ALTER TABLE customers ADD churned boolean;
UPDATE customers SET churned = abs(hashint4(id + 99)) % 100 < CASE WHEN (tenure < 20) <> (coalesce(visits, 10) < 40) THEN 75 ELSE 20 END + CASE plan WHEN 'a' THEN 20 ELSE 0 END * CASE WHEN tenure < 30 THEN 1 ELSE -1 END;
CREATE TABLE page AS SELECT churn_fit(c, 'churned', '{"key": "id", "encoding": "pairs"}') AS m FROM customers c;
SELECT ok(count(*) > 0, format('%s pairs', count(*))) FROM (SELECT DISTINCT term, partner FROM page, churn_model_terms(m) WHERE partner IS NOT NULL) p;
SELECT ok(abs(sum(share) - 1) < 1e-12 AND abs(sum(share * weight)) < 1e-9, format('%s: shares are all rows, the mean is 0', concat_ws(' and ', term, partner))) FROM page, churn_model_terms(m) GROUP BY term, partner ORDER BY term, partner;
SELECT ok(max(abs(mean)) < 1e-9, 'purified: a pair says nothing of either input alone')
FROM (SELECT sum(weight * share) / sum(share) AS mean FROM page, churn_model_terms(m) WHERE coding = 'pair' GROUP BY GROUPING SETS ((term, partner, low, high, level), (term, partner, partner_low, partner_high, partner_level))) s;
SELECT ok(bool_and(t.share = c.share) AND count(*) > 10, format('shares of %s cells are those of the rows', count(*)))
FROM page, churn_model_terms(m) t,
     LATERAL (SELECT count(*) / 1500.0::float8 AS share FROM customers c
              WHERE CASE WHEN t.partner_level = 'missing' THEN visits IS NULL ELSE visits >= coalesce(partner_low, '-infinity') AND visits < coalesce(partner_high, 'infinity') END
                AND tenure >= coalesce(low, '-infinity') AND tenure < coalesce(high, 'infinity')) c
WHERE (term, partner) = ('tenure', 'visits');
SELECT ok(i ?& ARRAY['format', 'checksum', 'bytes', 'inputs', 'terms', 'pairs', 'knots', 'spec', 'reference_date', 'provenance'], 'what churn_model_info tells') FROM page, churn_model_info(m) i;
SELECT is(i ->> 'checksum', m::text::jsonb ->> 'checksum', 'its checksum is that of the text') FROM page, churn_model_info(m) i;
SELECT is((i ->> 'bytes')::int, octet_length(churn_model_send(m)) + 4, 'its size is that of the bytes') FROM page, churn_model_info(m) i;
SELECT * FROM finish();
