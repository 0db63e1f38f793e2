-- Rows with columns of every type: what is read how, levels, labels, what is
-- refused and dropped, scores from any row, the edge table, telco as it is.
\set ECHO none
SET client_min_messages = warning;
SELECT * FROM no_plan();

CREATE FUNCTION draw(i bigint, salt int) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT (hashint8extended(i, salt) & 1048575) / 1048576.0::float8 $$;
-- SQLSTATE, message and hint of a query's error
CREATE FUNCTION error_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE message text; hint text;
BEGIN
    EXECUTE query;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
    RETURN SQLSTATE || ' ' || message || E'\n' || hint;
END $$;
CREATE FUNCTION notice_of(model churn_model) RETURNS text LANGUAGE sql AS
$$ SELECT string_agg(d ->> 'column' || ': ' || (d ->> 'reason'), ', ' ORDER BY d ->> 'column')
   FROM jsonb_array_elements(churn_model_info(model) #> '{provenance,dropped}') d $$;

-- ---- every type ----
CREATE TYPE plan AS ENUM ('free', 'basic', 'pro');
CREATE DOMAIN city AS varchar(40);
CREATE DOMAIN score AS numeric CHECK (value >= 0);
CREATE DOMAIN birthday AS date;
CREATE TABLE every_type AS
SELECT i AS id, (draw(i, 1) * 100)::int2 AS c_int2, (draw(i, 2) * 1000)::int4 AS c_int4, (draw(i, 3) * 1e12)::int8 AS c_int8,
       draw(i, 4)::numeric AS c_numeric, draw(i, 5)::float4 AS c_float4, CASE WHEN draw(i, 6) > .2 THEN draw(i, 6) END AS c_float8,
       (draw(i, 7) * 100)::numeric::money AS c_money, CASE WHEN draw(i, 8) > .1 THEN draw(i, 8) > .5 END AS c_boolean,
       (ARRAY['red', 'green', 'blue', NULL, 'mauve ' || i])[1 + floor(draw(i, 9) * 5)::int] AS c_text,
       ('v' || floor(draw(i, 10) * 3))::varchar(5) AS c_varchar, ('c' || floor(draw(i, 11) * 3))::char(6) AS c_char,
       ('n' || floor(draw(i, 12) * 3))::name AS c_name, (ARRAY['free', 'basic', 'pro', NULL])[1 + floor(draw(i, 13) * 4)::int]::plan AS c_enum,
       date '2024-01-01' + floor(draw(i, 14) * 500)::int AS c_date,
       CASE WHEN draw(i, 15) > .2 THEN timestamp '2024-01-01' + draw(i, 15) * interval '400 days' END AS c_timestamp,
       timestamptz '2024-01-01 00:00+00' + draw(i, 16) * interval '400 days' AS c_timestamptz,
       draw(i, 17) * interval '100 days' AS c_interval, ('town ' || floor(draw(i, 18) * 4))::city AS c_city,
       (draw(i, 19) * 10)::score AS c_score, (date '1980-01-01' + floor(draw(i, 20) * 9000)::int)::birthday AS c_birthday
FROM generate_series(1, 2000) i;
ALTER TABLE every_type ADD churned boolean;
UPDATE every_type SET churned = draw(id, 0) < 1 / (1 + exp(-(
    CASE c_text WHEN 'red' THEN 1.5 WHEN 'green' THEN -1 ELSE 0 END + CASE c_enum WHEN 'pro' THEN -1.5 ELSE .5 END
    + c_int2 / 50.0 + (c_date - date '2024-09-01') / 200.0 + coalesce(c_float8, 2) + extract(epoch FROM c_interval) / 86400 / 80 - 2)));
CREATE TABLE models AS
SELECT e, churn_fit(t, 'churned', jsonb_build_object('key', 'id', 'encoding', e, 'reference_date', '2025-06-01')) AS m
FROM every_type t, unnest('{linear,bins,auto}'::text[]) e GROUP BY e;
SELECT is(churn_model_inputs(m), ARRAY['c_int2', 'c_int4', 'c_int8', 'c_numeric', 'c_float4', 'c_float8', 'c_money', 'c_boolean', 'c_text', 'c_varchar',
    'c_char', 'c_name', 'c_enum', 'c_date', 'c_timestamp', 'c_timestamptz', 'c_interval', 'c_city', 'c_score', 'c_birthday'], 'every column but key and label is an input')
FROM models WHERE e = 'bins';
SELECT is(m::text::jsonb ->> 'types', '["number", "number", "number", "number", "number", "number", "number", "boolean", "text", "text", "text", "text", "text", "date", "timestamp", "timestamp", "interval", "text", "number", "date"]', 'and its type is in the model')
FROM models WHERE e = 'bins';
SELECT is(m::text::jsonb ->> 'reference_date', '2025-06-01', 'so is the reference date') FROM models WHERE e = 'bins';
SELECT is(churn_model_info(m) ->> 'reference_date', '2025-06-01', 'which churn_model_info tells') FROM models WHERE e = 'bins';
SELECT is((SELECT count(*) FROM (SELECT churn_fit(t, 'churned', '{"key": "id", "reference_date": "2025-06-01", "folds": 0}') OVER (ORDER BY id / 100) AS m FROM every_type t WHERE id BETWEEN 100 AND 399) w WHERE m IS NULL), 0::bigint,
          'a fit over a growing window');
SELECT is(string_agg(notice_of(m), ''), NULL, 'nothing is dropped') FROM models;
SELECT ok(bool_and(churn_auc > .75), format('encoding %s: AUC %s', e, round(min(churn_auc)::numeric, 3)))
FROM (SELECT e, churn_auc(churn_predict(m, t), churned) FROM models, every_type t GROUP BY e) s GROUP BY e;
SELECT is(count(*), 0::bigint, 'model and text form: the same bits') FROM models WHERE m::text::churn_model <> m;
SELECT current_setting('data_directory') || '/rows.bin' AS file \gset
COPY (SELECT m FROM models) TO :'file' (FORMAT binary);
CREATE TABLE copied (m churn_model);
COPY copied FROM :'file' (FORMAT binary);
SELECT is((SELECT count(*) FROM models JOIN copied USING (m)), (SELECT count(*) FROM models), 'so are send and receive');
SELECT ok(max(abs(churn_base(m) + total - churn_log_odds(m, t))) < 1e-9, 'base and contributions are the log-odds')
FROM models, every_type t, LATERAL (SELECT sum(contribution) AS total FROM churn_contributions(m, t)) c WHERE id % 10 = 0;
SELECT ok(max(d) < 1e-9, 'the base is the average training row')
FROM (SELECT abs(avg(churn_log_odds(m, t)) - min(churn_base(m))) AS d FROM models, every_type t GROUP BY e) s;

-- ---- the log-odds again, in SQL, from churn_model_terms ----
CREATE VIEW long AS
SELECT id, key AS term, CASE WHEN key IN ('c_text', 'c_varchar', 'c_char', 'c_name', 'c_enum', 'c_city') THEN value #>> '{}' END AS level,
       CASE WHEN key ~ 'text|varchar|char|name|enum|city' THEN NULL
            WHEN key ~ 'date|birthday' THEN (date '2025-06-01' - (value #>> '{}')::date)::float8
            WHEN key = 'c_timestamp' THEN (date '2025-06-01' - date '2000-01-01') - (extract(epoch FROM c_timestamp - timestamp '2000-01-01') * 1000000)::float8 / 86400000000
            WHEN key = 'c_timestamptz' THEN (date '2025-06-01' - date '2000-01-01') - (extract(epoch FROM c_timestamptz - timestamptz '2000-01-01 00:00+00') * 1000000)::float8 / 86400000000
            WHEN key = 'c_interval' THEN extract(day FROM c_interval)::float8 + (extract(epoch FROM c_interval - date_trunc('day', c_interval)) * 1000000)::float8 / 86400000000
            WHEN key = 'c_money' THEN c_money::numeric::float8
            WHEN key = 'c_boolean' THEN c_boolean::int::float8
            WHEN key = 'c_float4' THEN c_float4
            ELSE (value #>> '{}')::float8 END AS x, value = 'null' AS missing
FROM every_type t, jsonb_each(to_jsonb(t)) WHERE key NOT IN ('id', 'churned');
CREATE TABLE terms AS SELECT e, t.* FROM models, churn_model_terms(m) t WHERE e IN ('linear', 'bins');
CREATE TABLE naive AS
SELECT e, id, sum(CASE
    WHEN coding IN ('linear', 'signed log') THEN CASE WHEN missing THEN missing_weight
        ELSE weight * (CASE WHEN coding = 'linear' THEN x ELSE sign(x) * ln(1 + abs(x)) END - mean) / scale END
    ELSE weight END) AS z
FROM long JOIN terms USING (term)
WHERE coding IN ('linear', 'signed log')
   OR coding = 'bins' AND (missing AND terms.level = 'missing' OR NOT missing AND terms.level IS NULL AND (low IS NULL OR x >= low) AND (high IS NULL OR x < high))
   OR coding = 'missing level' AND missing
   OR coding = 'level' AND terms.level = btrim(long.level)
   OR coding = 'other level' AND NOT missing AND NOT EXISTS (SELECT FROM terms o WHERE o.e = terms.e AND o.term = terms.term AND o.coding = 'level' AND o.level = btrim(long.level))
GROUP BY e, id;
SELECT ok(max(abs(z + (m::text::jsonb ->> 'intercept')::float8 - churn_log_odds(m, t))) < 1e-12 AND count(*) = 2000,
          format('encoding %s: terms add up to the log-odds in plain SQL: %s', e, max(abs(z + (m::text::jsonb ->> 'intercept')::float8 - churn_log_odds(m, t)))))
FROM naive JOIN models USING (e) JOIN every_type t USING (id) GROUP BY e ORDER BY e;

-- ---- the same bits ----
CREATE FUNCTION fit_text(ordering text, options jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
    EXECUTE format('SELECT churn_fit(s, ''churned'', %L ORDER BY %s)::text FROM every_type s',
                   '{"key": "id", "reference_date": "2025-06-01"}'::jsonb || options, ordering) INTO result;
    RETURN result;
END $$;
SELECT is(md5(fit_text('md5(id::text)', jsonb_build_object('encoding', e))), md5(m::text), format('%s: shuffled rows give the same bits', e)) FROM models WHERE e <> 'bins';
SELECT is(md5(fit_text('id DESC', '{"encoding": "auto", "workers": 0}')), md5(m::text), 'no worker: the same bits') FROM models WHERE e = 'auto';
SET TimeZone = 'Pacific/Auckland';
SET DateStyle = 'SQL, DMY';
SET lc_messages = 'C';
SELECT is(md5(fit_text('id', '{"encoding": "bins"}')), md5(m::text), 'another time zone: the same bits') FROM models WHERE e = 'bins';
RESET TimeZone;
RESET DateStyle;

-- ---- solvers, and scikit-learn ----
CREATE TABLE both_solvers AS
SELECT e, churn_fit(t, 'churned', o) AS newton, churn_fit(t, 'churned', o || '{"solver": "liblinear"}') AS liblinear
FROM every_type t, unnest('{bins,pairs}'::text[]) e,
     LATERAL (SELECT jsonb_build_object('key', 'id', 'encoding', e, 'reference_date', '2025-06-01', 'c', .1, 'calibrate', false) AS o) o WHERE id <= 1000 GROUP BY e, o;
SELECT ok(max(abs(churn_predict(newton, t) - churn_predict(liblinear, t))) < 1e-5, format('%s: probabilities of LIBLINEAR, 1e-5: %s', e, max(abs(churn_predict(newton, t) - churn_predict(liblinear, t)))::numeric(12, 9)))
FROM both_solvers, every_type t GROUP BY e;
-- X = one column a level, 0 or 1, "(null)" and "(other)" among them, and x
-- standardised; LogisticRegression(C=.5, solver='liblinear',
-- intercept_scaling=100, tol=1e-12, max_iter=10000).fit(X, y) of 1.2.1
CREATE TABLE one_hot AS
SELECT i AS id, ((i * 7919) % 1000) / 100.0::float8 AS x,
       (ARRAY['a', 'b', 'c', NULL, 'r' || i])[1 + (i * 31) % 97 % 5] AS level,
       ((i * 7919) % 1000) / 100.0 - 5 + (i * 31) % 97 % 5 - 2 + ((i * 50021) % 1013 - 506) / 130.0 > 0 AS churned
FROM generate_series(1, 600) i;
CREATE TABLE one_hot_terms AS
SELECT t.* FROM (SELECT churn_fit(o, 'churned', '{"key": "id", "c": 0.5, "folds": 0}') AS m FROM one_hot o) f, churn_model_terms(m) t;
SELECT is(string_agg(coding || coalesce(' ' || level, '') || ' ' || round(weight::numeric, 4), ', ' ORDER BY term, coding, level),
          'level a -1.3349, level b -0.6986, level c -0.1585, missing level 0.7045, other level 1.4875, linear 1.9777', 'the weights of scikit-learn on one-hot columns') FROM one_hot_terms;

-- ---- levels ----
CREATE TABLE leveled AS
SELECT i AS id, CASE WHEN i <= 19 THEN 'nineteen' WHEN i <= 39 THEN 'twenty' WHEN i <= 60 THEN 'pooled ' || i WHEN i <= 90 THEN NULL
                     WHEN i <= 100 THEN '' ELSE 'many' END AS level,
       repeat('long', 300) || i % 2 AS long, i % 2 AS half, draw(i, 1) < CASE WHEN i <= 60 THEN .8 ELSE .4 END AS churned
FROM generate_series(1, 400) i;
CREATE TABLE leveled_model AS SELECT churn_fit(l, 'churned', '{"key": "id", "encoding": "bins", "exclude": ["half"]}') AS m FROM leveled l;
CREATE TABLE leveled_terms AS SELECT t.* FROM leveled_model, churn_model_terms(m) t;
SELECT is(string_agg(concat_ws(' ', coding, level, round(share * 400)), ', ' ORDER BY coding, share DESC), 'level many 300, level twenty 20, missing level 30, other level 50',
          'levels of 20 rows have a row, all others one, NULL its own') FROM leveled_terms WHERE term = 'level';
SELECT is(notice_of(m), 'long: rare levels', 'texts beyond 1,000 bytes are no levels') FROM leveled_model;
SELECT is(churn_predict(m, (SELECT r FROM (SELECT 'never seen'::text AS level) r)), churn_predict(m, (SELECT r FROM (SELECT 'nineteen'::text AS level) r)),
          'an unseen level counts as the pooled one') FROM leveled_model;
SELECT isnt(churn_predict(m, (SELECT r FROM (SELECT NULL::text AS level) r)), churn_predict(m, (SELECT r FROM (SELECT 'x'::text AS level) r)), 'NULL does not') FROM leveled_model;
SELECT is(churn_predict(m, (SELECT r FROM (SELECT 'many'::char(12) AS level) r)), churn_predict(m, l), 'blanks that fill a char(n) do not count')
FROM leveled_model, leveled l WHERE id = 400;
SELECT is(churn_contributions(m, l)::text, format('(level,,%s,"level is twenty")', (SELECT c.contribution FROM leveled_model, leveled l, churn_contributions(m, l) c WHERE id = 30)), 'a contribution names the level')
FROM leveled_model, leveled l WHERE id = 30;
SELECT is(churn_reasons(m, l, 1), ARRAY['level is twenty'], 'so does a reason') FROM leveled_model, leveled l WHERE id = 30;
-- without a pooled level or NULL in training both are the training mean
CREATE TABLE plain_model AS SELECT churn_fit(l, 'churned', '{"key": "id", "encoding": "bins", "exclude": ["half", "long"]}') AS m FROM leveled l WHERE level IN ('many', 'twenty');
SELECT ok(abs(churn_log_odds(m, (SELECT r FROM (SELECT v AS level) r)) - churn_base(m)) < 1e-12, format('unseen %s is the training mean', coalesce(v, 'NULL')))
FROM plain_model, unnest(ARRAY['never seen', NULL]) v;
-- 1,000 levels of 25 rows: 248 stay
CREATE TABLE thousand AS SELECT i AS id, 'level ' || i % 1000 AS level, draw(i, 1) < .2 + .6 * draw(i % 1000, 2) AS churned FROM generate_series(1, 25000) i;
CREATE TABLE thousand_models AS SELECT e, churn_fit(t, 'churned', jsonb_build_object('key', 'id', 'encoding', e, 'folds', 0)) AS m FROM thousand t, unnest('{linear,bins}'::text[]) e GROUP BY e;
SELECT is((SELECT count(*) FROM churn_model_terms(m) WHERE coding = 'level'), 248::bigint, format('%s: 1,000 levels, 248 have a weight', e)) FROM thousand_models;
SELECT is((SELECT max(level) FROM churn_model_terms(m) WHERE coding = 'level'), 'level 320', format('%s: among equals the first', e)) FROM thousand_models;
SELECT ok(churn_auc(churn_predict(m, t), churned) > .55, format('%s: and they say something', e)) FROM thousand_models, thousand t GROUP BY e;
-- learnt inside each fold: a level that names the user is worth nothing
SELECT ok((churn_model_info(churn_fit(n, 'churned', jsonb_build_object('key', 'key', 'encoding', e, 'calibrate', false))) #>> '{provenance,cv_auc}')::float8 < .6, format('%s: a level that names the user is worth nothing', e))
FROM (SELECT u AS key, md5(u::text) < '8' AS churned, md5(u::text) AS name, draw(u * 100 + r, 3) AS x FROM generate_series(1, 60) u, generate_series(1, 25) r) n, unnest('{linear,bins}'::text[]) e GROUP BY e;

-- ---- pairs of levels ----
CREATE TABLE crossed AS
SELECT id, a, b, x, draw(id, 9) < 1 / (1 + exp(-(CASE WHEN (a IN ('p', 'q')) = (b IN ('u', 'v')) THEN 1.5 ELSE -1.5 END + CASE WHEN a = 'p' THEN 4 ELSE -4 END * (x - .5)))) AS churned
FROM (SELECT i AS id, substr('pqrs', 1 + floor(draw(i, 1) * 4)::int, 1) AS a, substr('uvwxyz', 1 + floor(draw(i, 2) * 6)::int, 1) AS b, draw(i, 3) AS x FROM generate_series(1, 4000) i) d;
CREATE TABLE crossed_models AS SELECT e, churn_fit(c, 'churned', jsonb_build_object('key', 'id', 'encoding', e)) AS m FROM crossed c, unnest('{bins,pairs}'::text[]) e WHERE id <= 3000 GROUP BY e;
CREATE TABLE crossed_auc AS SELECT e, churn_auc(churn_predict(m, c), churned) AS auc FROM crossed_models, crossed c WHERE id > 3000 GROUP BY e;
SELECT ok(p.auc > b.auc + .1, format('pairs of levels are found: AUC %s against %s', round(p.auc::numeric, 3), round(b.auc::numeric, 3)))
FROM crossed_auc p, crossed_auc b WHERE p.e = 'pairs' AND b.e = 'bins';
SELECT is(string_agg(DISTINCT term || partner, ' ' ORDER BY term || partner) FILTER (WHERE term || partner IN ('ab', 'ax')), 'ab ax', 'level by level, and level by number')
FROM crossed_models, churn_model_terms(m) WHERE e = 'pairs' AND coding = 'pair';
SELECT ok(max(abs(mean)) < 1e-9, 'purified: the mean over any level is 0')
FROM (SELECT sum(weight * share) / sum(share) AS mean FROM crossed_models, churn_model_terms(m) WHERE e = 'pairs' AND coding = 'pair' GROUP BY term, partner, low, level) s;
SELECT is(string_agg(DISTINCT level, ' ' ORDER BY level), 'p q r s', 'cells are named by levels') FROM crossed_models, churn_model_terms(m) WHERE e = 'pairs' AND coding = 'pair' AND partner = 'b';

-- ---- labels ----
CREATE TABLE labelled AS SELECT i AS id, draw(i, 1) AS x, draw(i, 2) < draw(i, 1) AS b FROM generate_series(1, 300) i;
CREATE TYPE answer AS ENUM ('stays', 'goes');
CREATE TABLE reference_model AS SELECT churn_fit(l, 'b', '{"key": "id"}')::text AS m FROM labelled l;
SELECT is(churn_fit(l, 'b', o::jsonb)::text, (SELECT m FROM reference_model), format('label %s', what))
FROM (VALUES ('as 0 and 1', '{"key": "id"}')) v (what, o), (SELECT id, x, b::int::numeric AS b FROM labelled) l GROUP BY what, o;
SELECT is(churn_fit(l, 'b', '{"key": "id", "positive": "goes"}')::text, (SELECT m FROM reference_model), 'label as an enum') FROM (SELECT id, x, CASE WHEN b THEN 'goes' ELSE 'stays' END::answer AS b FROM labelled) l;
SELECT is(churn_fit(l, 'b', '{"key": "id", "positive": "Yes"}')::text, (SELECT m FROM reference_model), 'as text') FROM (SELECT id, x, CASE WHEN b THEN 'Yes' ELSE 'No' END AS b FROM labelled) l;
SELECT is(churn_fit(l, 'b', '{"key": "id", "positive": "2"}')::text, (SELECT m FROM reference_model), 'as a number that is named') FROM (SELECT id, x, CASE WHEN b THEN 2 ELSE 5 END AS b FROM labelled) l;
SELECT is(churn_fit(l, 'b', '{"key": "id", "positive": "false"}')::text, (SELECT m FROM reference_model), 'as a boolean the other way round') FROM (SELECT id, x, NOT b AS b FROM labelled) l;
SELECT is(error_of($$SELECT churn_fit(l, 'b' ORDER BY id) FROM (SELECT id, x, CASE WHEN b THEN 'Yes' ELSE 'No' END AS b FROM labelled) l$$),
          E'22023 label column "b" holds texts, "No" and "Yes" among them\nName the value that means churned, as in {"positive": "Yes"}.', 'Yes and No are not guessed at');
SELECT is(error_of($$SELECT churn_fit(l, 'b') FROM (SELECT id, x, 'Yes' AS b FROM labelled) l$$),
          E'22023 label column "b" holds texts, and only one: "Yes"\nAdd rows of the other class, and name the value that means churned: {"positive": "..."}.', 'one text only');
SELECT matches(error_of($$SELECT churn_fit(l, 'b', '{"positive": "yes"}') FROM (SELECT id, x, CASE WHEN b THEN 'Yes' ELSE 'No' END AS b FROM labelled) l$$),
          '^22023 label column "b" is "yes" in no row', 'a positive value that is not there');
SELECT matches(error_of($$SELECT churn_fit(l, 'b') FROM (SELECT id, x, ARRAY[b] AS b FROM labelled) l$$), '^42804 label column "b" is of type boolean\[\]', 'an array as label');
SELECT is(churn_model_info(churn_fit(l, 'b', '{"key": "id", "positive": "Yes"}')) #>> '{provenance,unlabelled}', '100', 'NULL labels are counted')
FROM (SELECT id, x, CASE WHEN id % 3 = 0 THEN NULL WHEN b THEN 'Yes' ELSE 'No' END AS b FROM labelled) l;

-- ---- refused, excluded, dropped ----
SELECT is(error_of(format('SELECT churn_fit(l, ''b'') FROM (SELECT x, b, %s AS odd FROM labelled) l', expression)),
          format(E'42804 column "odd" is of type %s, which cannot be learnt from\nLeave it out by the option {"exclude": ["odd"]}, or cast it to a number, boolean, text or date.', type), type || ' is refused by name')
FROM (VALUES ('ARRAY[1]', 'integer[]'), ('''{}''::jsonb', 'jsonb'), ('''{}''::json', 'json'), ('''x''::bytea', 'bytea'), ('point(1, 2)', 'point'), ('gen_random_uuid()', 'uuid'),
             ('1::oid', 'oid'), ('''12:00''::time', 'time without time zone'), ('''127.0.0.1''::inet', 'inet'), ('row(1, 2)', 'record'), ('''[1,2]''::int4range', 'int4range')) v (expression, type);
SELECT is(churn_fit(l, 'b', '{"key": "id", "exclude": ["odd", "born"]}')::text::jsonb #> '{terms}', (SELECT m::jsonb #> '{terms}' FROM reference_model), 'excluded columns never matter')
FROM (SELECT id, x, b, ARRAY[1] AS odd, date '2024-01-01' AS born FROM labelled) l;
SELECT is(error_of($$SELECT churn_fit(l, 'b') FROM (SELECT x, b, date '2024-01-01' + id AS born FROM labelled) l$$),
          E'42804 column "born" is of type date, and there is no reference date\nName the day on which the rows were true, as in {"reference_date": "2025-12-31"}: dates count as days before it. Or leave the column out by {"exclude": ["born"]}.', 'dates need a reference date');
SELECT throws_ok(format('SELECT churn_fit(l, ''b'', %L) FROM labelled l', jsonb_build_object('reference_date', v)), '22023', 'option "reference_date" must be a date like "2025-12-31"', format('reference date %s', v))
FROM unnest('{today,2025-02-30,2025-2-3,31.12.2025,infinity,2025-12-31x,-001-01-01,0000-01-01,2025-13-01}'::text[]) v;
SELECT is(notice_of(churn_fit(l, 'b', '{"key": "id"}')), 'code: one value a row, constant: constant, empty: empty, rare: rare levels, same: duplicate', 'what says nothing is dropped, with the reason')
FROM (SELECT id, x, b, 'user ' || id AS code, 'one' AS constant, NULL::text AS empty, 'two ' || id / 2 AS rare, CASE WHEN x < .3 THEN 'low' ELSE 'high' END AS kind, CASE WHEN x < .3 THEN 'low' ELSE 'high' END AS same FROM labelled) l;
SELECT ok(churn_model_info(m) #> '{provenance,dropped}' = '[]', 'whole numbers are no identifiers') FROM (SELECT churn_fit(l, 'b') AS m FROM (SELECT id, b FROM labelled) l) f;
SELECT is(notice_of(churn_fit(l, 'b', '{"key": "id", "folds": 0}')), 'code: too many levels', 'more than 200,000 levels')
FROM (SELECT i AS id, draw(i, 1) AS x, 'user ' || i AS code, draw(i, 2) < .5 AS b FROM generate_series(1, 200001) i) l;

-- ---- scores from any row ----
CREATE TABLE mixed_model AS SELECT churn_fit(t, 'churned', '{"key": "id", "encoding": "bins", "reference_date": "2025-06-01", "exclude": ["c_birthday", "c_score", "c_city", "c_int4", "c_int8", "c_numeric", "c_float4", "c_money", "c_varchar", "c_char", "c_name", "c_timestamptz"]}') AS m FROM every_type t;
SELECT is(churn_predict(m, r), churn_predict(m, t), 'other order, extra columns, types that serve as well')
FROM mixed_model, every_type t, LATERAL (SELECT t.c_interval, t.c_timestamp AT TIME ZONE 'UTC' AS c_timestamp, t.c_date::timestamp AS c_date, t.c_enum::text AS c_enum, t.c_text::varchar AS c_text,
    t.c_boolean::int AS c_boolean, t.c_float8, t.c_int2::numeric AS c_int2, ARRAY[1] AS extra) r WHERE id IN (3, 77);
SELECT is(error_of($$SELECT churn_predict(m, r) FROM mixed_model, (SELECT 1 AS c_int2, 'x'::text AS c_text) r$$),
          E'42703 row lacks columns of the model: "c_float8", "c_boolean", "c_enum", "c_date", "c_timestamp", "c_interval"\n', 'all columns that are lacking are named');
SELECT matches(error_of(format('SELECT churn_predict(m, r) FROM mixed_model, every_type t, LATERAL (SELECT t.*) s, LATERAL (SELECT %s) r WHERE t.id = 1', string_agg(CASE WHEN c = bad THEN format('%s AS %I', value, c) ELSE 's.' || c END, ', '))),
               '^42804 column "' || bad || '" is of type .*, the model needs ' || wanted, bad || ' of another type')
FROM unnest('{c_int2,c_float8,c_boolean,c_text,c_enum,c_date,c_timestamp,c_interval}'::text[]) c,
     (VALUES ('c_int2', '''x''::text', 'a number or boolean'), ('c_text', '1', 'a text or enum'), ('c_date', '1', 'a date or timestamp'), ('c_interval', 'now()', 'an interval'), ('c_boolean', '''t''::text', 'a number or boolean'), ('c_enum', 'ARRAY[''pro'']', 'a text or enum')) v (bad, value, wanted)
GROUP BY bad, wanted, value;
SELECT is(error_of($$SELECT churn_predict(m, ARRAY[1, 2, 3, 4, 5, 6, 7, 8]::float8[]) FROM mixed_model$$), E'42804 input "c_text" of the model is a text, not a number\nGive churn_predict() a row with the model''s columns.', 'an array holds no texts');
SELECT throws_ok($$SELECT churn_predict(m, r) FROM mixed_model, every_type t, LATERAL (SELECT t.c_int2, t.c_float8, t.c_boolean, t.c_text, t.c_enum, 'infinity'::date AS c_date, t.c_timestamp, t.c_interval) r WHERE id = 1$$, '22003', 'value of "c_date" is infinite', 'an infinite date');
SELECT throws_ok($$SELECT churn_fit(t, 'b', '{"reference_date": "2025-01-01"}') FROM (SELECT x, b, '-infinity'::timestamp AS born FROM labelled) t$$, '22003', 'value of "born" is infinite', 'and in a fit');
SELECT is(phrase, 'c_date is ' || c_date, 'a date is told as a date') FROM mixed_model, every_type t, churn_contributions(m, t) WHERE id = 5 AND feature = 'c_date';
SELECT is(phrase, 'c_boolean is ' || c_boolean, 'a boolean as a boolean') FROM mixed_model, every_type t, churn_contributions(m, t) WHERE id = 5 AND feature = 'c_boolean';
SELECT is(value, (date '2025-06-01' - c_date)::float8, 'its value is days before the reference date') FROM mixed_model, every_type t, churn_contributions(m, t) WHERE id = 5 AND feature = 'c_date';

-- ---- a model a group ----
SELECT is(count(DISTINCT m::text), 4::bigint, 'GROUP BY gives a model a group')
FROM (SELECT c_city, churn_fit(t, 'churned', '{"key": "id", "reference_date": "2025-06-01", "encoding": "bins"}') AS m FROM every_type t GROUP BY c_city) g WHERE notice_of(m) LIKE '%c_city: constant%';

-- ---- hostile text ----
CREATE FUNCTION mutate(original text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE at int := 1 + floor(random() * length(original));
BEGIN
    CASE floor(random() * 3)::int
        WHEN 0 THEN RETURN overlay(original PLACING chr(32 + floor(random() * 95)::int) FROM at FOR 1);
        WHEN 1 THEN RETURN overlay(original PLACING '' FROM at FOR 1);
        ELSE RETURN overlay(original PLACING substr(original, at, 1 + floor(random() * 20)::int) FROM at FOR 0);
    END CASE;
END $$;
CREATE FUNCTION fuzz_text(original churn_model, n int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE states text[];
BEGIN
    FOR i IN 1 .. n LOOP
        BEGIN
            states := states || CASE WHEN mutate(original::text)::churn_model = original THEN 'same' ELSE 'wrong' END;
        EXCEPTION WHEN OTHERS THEN states := states || SQLSTATE;
        END;
    END LOOP;
    RETURN (SELECT string_agg(DISTINCT s, ' ') FROM unnest(states) s WHERE s NOT IN ('22P02', '22P05', '0A000', '22003', 'same'));
END $$;
SELECT setseed(0.5);
SELECT is(fuzz_text(m, 1000), NULL, '1,000 mutated texts: an error of the documented kind, or the same model') FROM leveled_model;
SELECT is(fuzz_text(m, 300), NULL, 'and 300 of one with pairs') FROM crossed_models WHERE e = 'pairs';
SELECT throws_ok(format('SELECT %L::churn_model', replace(m::text, was, now)), '22P02', NULL, format('%s for %s', now, was))
FROM crossed_models, (VALUES ('"types": ["text", "text"', '"types": ["text", "number"'), ('"levels": ["', '"levels": ["x'), ('"second_levels": 6', '"second_levels": 7'),
    ('"second_levels": 6', '"second_levels": 100000000'), ('"reference_date": null', '"reference_date": "2025-02-30"'), ('"types": ["text"', '"types": ["date"'), ('"text", "number"]', '"text"]')) v (was, now) WHERE e = 'pairs';

-- ---- the edge table ----
CREATE FUNCTION edge(query text, encoding text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE m churn_model; finite boolean;
BEGIN
    EXECUTE format('SELECT churn_fit(s, ''churned'', %L) FROM (%s) s', jsonb_build_object('encoding', encoding), query) INTO m;
    IF m IS NULL THEN RETURN 'NULL'; END IF;
    SELECT bool_and(abs(t.weight) < 1e6 AND coalesce(abs(missing_weight), 0) < 1e6) INTO finite FROM churn_model_terms(m) t;
    EXECUTE format('SELECT bool_and(churn_predict($1, s) BETWEEN 0 AND 1) AND $2 FROM (%s) s', query) INTO finite USING m, coalesce(finite, true);
    RETURN CASE WHEN finite THEN 'finite' ELSE 'not finite' END || coalesce(', dropped ' || notice_of(m), '');
EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE;
END $$;
SELECT is(edge(query, e), expected, what || ', ' || e)
FROM (VALUES
    ('no rows', 'SELECT 1 AS x, ''a'' AS t, true AS churned WHERE false', 'NULL'),
    ('one row', 'SELECT 1 AS x, ''a'' AS t, true AS churned', '22023'),
    ('one class', 'SELECT i AS x, ''a'' AS t, true AS churned FROM generate_series(1, 100) i', '22023'),
    ('all NULL', 'SELECT NULL::int AS x, NULL::text AS t, NULL::date - date ''2020-01-01'' AS d, i % 2 = 0 AS churned FROM generate_series(1, 100) i', 'finite, dropped d: empty, t: empty, x: empty'),
    ('constant', 'SELECT 1 AS x, ''a'' AS t, ''-0''::float8 AS zero, i % 2 = 0 AS churned FROM generate_series(1, 100) i', 'finite, dropped t: constant, x: constant, zero: constant'),
    ('separable', 'SELECT i AS x, CASE WHEN i > 50 THEN ''b'' ELSE ''a'' END AS t, i > 50 AS churned FROM generate_series(1, 100) i', 'finite'),
    ('1e308', 'SELECT CASE WHEN i % 3 = 0 THEN 1e308 ELSE -1e308 END::float8 AS x, CASE WHEN i % 5 > 1 THEN ''5e-324''::float8 ELSE -1 END AS y, i % 2 = 0 AS churned FROM generate_series(1, 200) i', 'finite'),
    ('NaN', 'SELECT ''NaN''::float8 AS x, i % 2 = 0 AS churned FROM generate_series(1, 100) i', '22003'),
    ('numeric NaN', 'SELECT ''NaN''::numeric AS x, i % 2 = 0 AS churned FROM generate_series(1, 100) i', '22003'),
    ('infinity', 'SELECT ''-Infinity''::float4 AS x, i % 2 = 0 AS churned FROM generate_series(1, 100) i', '22003')
) v (what, query, expected), unnest('{linear,bins,pairs,auto}'::text[]) e;
SELECT matches(edge(query, e), '^finite', what || ', ' || e)
FROM (VALUES
    ('collinear', 'SELECT i % 7 AS x, 2 * (i % 7) + 1 AS y, (i % 7)::text AS t, i * i % 11 < 5 AS churned FROM generate_series(1, 400) i'),
    ('two rows', 'SELECT i AS x, i = 1 AS churned FROM generate_series(1, 2) i'),
    ('more columns than rows', (SELECT 'SELECT ' || string_agg(format('(i * %s) %% 13 AS x%s, (i * %s) %% 2 || ''t'' AS t%s', 7 + k, k, 5 + k, k), ', ') || ', i % 3 = 0 AS churned FROM generate_series(1, 60) i' FROM generate_series(1, 60) k))
) v (what, query), unnest('{linear,bins,pairs,auto}'::text[]) e;

-- ---- telco as it is ----
-- read by psql: the server's user need not have a right to the folder
\set telco `test -r "${CHURN_DATA:-}/telco_churn/customers.csv.gz" && echo true || echo false`
\if :telco
CREATE TABLE telco (customer_id text, gender text, senior_citizen int, partner text, dependents text,
    tenure_months int, phone_service text, multiple_lines text, internet_service text, online_security text,
    online_backup text, device_protection text, tech_support text, streaming_tv text, streaming_movies text,
    contract text, paperless_billing text, payment_method text, monthly_charges float8, total_charges float8, churn text);
-- numbered while it is read: a heap need not keep the order
ALTER TABLE telco ADD index serial;
\copy telco (customer_id, gender, senior_citizen, partner, dependents, tenure_months, phone_service, multiple_lines, internet_service, online_security, online_backup, device_protection, tech_support, streaming_tv, streaming_movies, contract, paperless_billing, payment_method, monthly_charges, total_charges, churn) from program 'gzip -dc "$CHURN_DATA/telco_churn/customers.csv.gz"' (format csv, header)
UPDATE telco SET index = index - 1;
CREATE TABLE telco_models AS
SELECT k, churn_fit(t, 'churn', '{"key": "index", "positive": "Yes", "encoding": "auto"}') AS m FROM telco t, generate_series(0, 4) k WHERE index % 5 <> k GROUP BY k;
CREATE TABLE telco_figures AS
SELECT k, churn_auc(churn_predict(m, t), churn = 'Yes') AS auc, avg(ln(1 + exp(CASE WHEN churn = 'Yes' THEN -1 ELSE 1 END * churn_log_odds(m, t)))) AS log_loss
FROM telco t, telco_models WHERE index % 5 = k GROUP BY k;
SELECT ok(auc >= .838 AND log_loss <= .4215, format('telco: AUC %s, log-loss %s', round(auc::numeric, 4), round(log_loss::numeric, 4)))
FROM telco_figures WHERE k = 0;
SELECT ok(avg(auc) >= .848 AND avg(log_loss) <= .411, format('telco, five splits: AUC %s, log-loss %s', round(avg(auc)::numeric, 4), round(avg(log_loss)::numeric, 4)))
FROM telco_figures;
SELECT is(notice_of(m), 'customer_id: one value a row', 'the customer number is dropped') FROM telco_models WHERE k = 0;
\else
SELECT skip('telco_churn is not there: set CHURN_DATA', 3);
\endif
SELECT * FROM finish();
