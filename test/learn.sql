-- Laws of the learner: same bits in any order and with any workers, agreement
-- with scikit-learn, whole users, edge cases, cancel, contributions, flat
-- memory. The value churn_model has its own file, model.sql.
\set ECHO none
SET client_min_messages = warning;
SELECT plan(61);

-- A small matrix of whole numbers, made the same way anywhere.
CREATE TABLE small AS
SELECT i AS id, ((i * 7919) % 1000) / 100.0::float8 AS x1,
       power(10, (i * 104729) % 5)::float8 * (1 + i % 9) AS x2,
       CASE WHEN i % 3 > 0 THEN ((i * 31) % 97)::float8 END AS x3,
       (i * 613) % 101 % 2 = 1 AS x4,
       ((i * 7919) % 1000) / 100.0 - 5 + 2 * ((i * 613) % 101 % 2)
           - CASE WHEN i % 3 = 0 THEN 2 ELSE 0 END
           + ((i * 50021) % 1013 - 506) / 130.0 > 0 AS churned
FROM generate_series(1, 600) i;

-- ---- against scikit-learn 1.2.1 ----
-- X = standardised x1, ln(1 + x2), x3 (missing: 0), "x3 is missing", x4;
-- LogisticRegression(C=.5, solver='liblinear', intercept_scaling=100,
--                    tol=1e-12, max_iter=10000).fit(X, y)
CREATE TABLE fitted AS
SELECT churn_fit(s, 'churned', '{"key": "id", "c": 0.5, "folds": 0}') AS m FROM small s;
CREATE TABLE terms AS SELECT t.* FROM fitted, churn_model_terms(m) t;
SELECT ok(abs(weight - 2.0433145) < 1e-4, 'x1: weight of scikit-learn') FROM terms WHERE term = 'x1';
SELECT ok(abs(weight - 0.0155529) < 1e-4, 'x2: weight of scikit-learn') FROM terms WHERE term = 'x2';
SELECT is(coding, 'signed log', 'x2, skewed, is taken as a logarithm') FROM terms WHERE term = 'x2';
SELECT is(string_agg(term, ' '), 'x1 x3 x4', 'the others are not') FROM terms WHERE coding = 'linear';
SELECT ok(abs(weight + 0.0331034) < 1e-4, 'x3: weight of scikit-learn') FROM terms WHERE term = 'x3';
SELECT ok(abs(missing_weight + 1.4487870) < 1e-4, 'x3 missing: weight of scikit-learn') FROM terms WHERE term = 'x3';
SELECT is(missing_share, 200 / 600.0::float8, 'x3: a third is missing') FROM terms WHERE term = 'x3';
SELECT ok(abs(weight - 0.7211814) < 1e-4, 'x4: weight of scikit-learn') FROM terms WHERE term = 'x4';
SELECT ok(abs((m::text::jsonb ->> 'intercept')::float8 - 0.7368452) < 1e-4, 'intercept of scikit-learn')
FROM fitted;
SELECT ok(abs(objective / 117.689080599 - 1) < 1e-6, 'objective of scikit-learn, relative 1e-6')
FROM (SELECT (SELECT sum(weight ^ 2 + missing_weight ^ 2) / 2 FROM terms)
             + 0.5 * sum(ln(1 + exp(CASE WHEN churned THEN -1 ELSE 1 END * churn_log_odds(m, s)))) AS objective
      FROM fitted, small s) o;

-- ---- the same bits ----
CREATE FUNCTION fit_text(ordering text, options jsonb DEFAULT '{"key": "id"}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
    EXECUTE format('SELECT churn_fit(s, ''churned'', %L ORDER BY %s)::text FROM small s', options, ordering) INTO result;
    RETURN result;
END $$;
CREATE TABLE bits AS SELECT fit_text('id') AS model;
SELECT is(fit_text('md5(id::text)'), model, 'shuffled rows give the same bits') FROM bits;
SELECT is(fit_text('id DESC', '{"key": "id", "workers": 0}'), model, 'no worker asked for: the same bits') FROM bits;
SELECT is(fit_text('id', '{"key": "id", "workers": 1}'), model, 'one worker: the same bits') FROM bits;
SET max_parallel_workers = 0;
SELECT is(fit_text('id'), model, 'no worker to be had: the same bits') FROM bits;
RESET max_parallel_workers;
SELECT isnt(fit_text('id', '{"key": "id", "seed": 2}'), model, 'another seed gives another model') FROM bits;
SELECT is(md5(model::churn_model::text), md5(model), 'text form round trip') FROM bits;
SET extra_float_digits = -15;
SET DateStyle = 'SQL, DMY';
SELECT is(model::churn_model::text, model, 'the text form does not depend on the session') FROM bits;
RESET extra_float_digits;
RESET DateStyle;

-- a plan with a Gather below: the leader starts its own workers inside it
CREATE TABLE many AS SELECT s.id + 600 * g AS id, x1, x2, x3, x4, churned FROM small s, generate_series(0, 9) g;
ANALYZE many;
SELECT md5(churn_fit(s, 'churned', '{"key": "id"}')::text) AS serial FROM many s \gset
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
CREATE FUNCTION plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END $$;
SELECT ok(string_agg(l, E'\n') ~ 'Gather' AND string_agg(l, E'\n') !~ 'Partial Aggregate',
          'rows are gathered from workers, the aggregate is whole')
FROM plan_of('SELECT churn_fit(s, ''churned'', ''{"key": "id"}'') FROM many s') l;
SELECT is(md5(churn_fit(s, 'churned', '{"key": "id"}')::text), :'serial', 'below a Gather: the same bits') FROM many s;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- ---- users stay whole ----
-- Each user's label is a coin, and a column names the user: with rows of one
-- user on both sides of a fold it would look perfect.
CREATE TABLE named AS
SELECT u AS key, md5(u::text) < '8' AS churned, (hashint4(u) % 100000)::float8 AS name
FROM generate_series(1, 60) u, generate_series(1, 20) r;
CREATE TABLE wide AS
SELECT n.key, n.churned, ARRAY(SELECT (n.key = g)::int::float8 FROM generate_series(1, 60) g) AS x FROM named n;
SELECT format('SELECT w.key, w.churned, %s FROM wide w', string_agg(format('x[%s] AS u%s', g, g), ', '))
FROM generate_series(1, 60) g \gset wide_
SELECT format('CREATE TABLE wide_rows AS %s', :'wide_format') \gexec
SELECT ok((churn_model_info(churn_fit(w, 'churned', '{"key": "key", "calibrate": false}')) #>> '{provenance,cv_auc}')::float8 < 0.6,
          'with the key, a column that names the user is worth nothing') FROM wide_rows w;
SELECT ok((churn_model_info(churn_fit(w, 'churned', '{"exclude": ["key"], "calibrate": false}')) #>> '{provenance,users}')::int = 60,
          'without a key equal rows are one user') FROM wide_rows w;

-- ---- edges ----
SELECT throws_ok($$SELECT churn_fit(s, 'churned') FROM (SELECT 1 AS a, true AS churned) s$$, '22023', NULL, 'one row');
SELECT throws_ok($$SELECT churn_fit(s, 'churned', '{"key": "id"}') FROM small s WHERE churned$$, '22023',
                 'cannot learn from one class only: 320 rows churned, 0 did not', 'one class: counts');
SELECT is((SELECT churn_fit(s, 'churned') FROM small s WHERE false), NULL, 'no rows: NULL');
SELECT is((SELECT churn_fit(s, 'churned') FROM (SELECT id, NULL::boolean AS churned FROM small) s), NULL,
          'no labelled rows: NULL');
SELECT is(churn_model_info(churn_fit(s, 'churned', '{"key": "id"}')) #>> '{provenance,unlabelled}', '300', 'NULL labels are counted')
FROM (SELECT id, x1, CASE WHEN id % 2 = 0 THEN churned END AS churned FROM small) s;
SELECT throws_ok($$SELECT churn_fit(s, 'churned') FROM (SELECT 'NaN'::float8 AS x, churned FROM small) s$$, '22003',
                 'value of "x" is NaN', 'NaN names its column');
SELECT throws_ok($$SELECT churn_fit(s, 'churned') FROM (SELECT '-Infinity'::float8 AS x, churned FROM small) s$$, '22003',
                 'value of "x" is infinite', 'infinity names its column');
SELECT throws_ok($$SELECT churn_fit(s, 'churned') FROM (SELECT 1e400::numeric AS x, churned FROM small) s$$, '22003',
                 'value of "x" is infinite', 'a numeric beyond double precision');
SELECT throws_ok($$SELECT churn_fit(s, 'churned') FROM (SELECT ARRAY[1] AS x, churned FROM small) s$$, '42804', NULL, 'array column');
SELECT throws_ok($$SELECT churn_fit(s, 'gone') FROM small s$$, '42703', 'label column "gone" does not exist', 'no such label');
SELECT throws_ok($$SELECT churn_fit(s, 'id') FROM small s$$, '22023', 'label is 2, not 0 or 1', 'a label of other numbers');
SELECT throws_ok($$SELECT churn_fit(s, 'churned', '{"folds": 1}') FROM small s$$, '22023', NULL, 'one fold');
SELECT throws_ok($$SELECT churn_fit(s, 'churned', '{"foldz": 5}') FROM small s$$, '22023', 'option "foldz" is not known', 'unknown option');
SELECT throws_ok($$SELECT churn_fit(s, 'churned', '{"exclude": ["nix"]}') FROM small s$$, '42703', NULL, 'unknown column to exclude');
SELECT throws_ok($$SELECT churn_fit(s, 'churned', '[]') FROM small s$$, '22023', NULL, 'options that are no object');
SELECT throws_ok($$SELECT churn_fit(m, 'churned', '{"memory": 1024}') FROM many m$$, '54000', NULL, 'memory is compared first');

CREATE TABLE odd AS
SELECT i AS id, i > 100 AS churned, i::float8 AS separates, i::float8 AS again, 2.0 * i AS doubled, 5 AS fixed,
       NULL::int AS empty, CASE WHEN i % 2 = 0 THEN 1e308 ELSE -1e308 END AS huge,
       CASE WHEN i % 2 = 0 THEN '5e-324'::float8 ELSE 0 END AS tiny, '-0'::float8 AS minus,
       CASE WHEN i % 3 = 0 THEN 1 END AS known_or_not
FROM generate_series(1, 200) i;
CREATE TABLE odd_model AS SELECT churn_fit(o, 'churned', '{"key": "id"}') AS m FROM odd o;
SELECT is((SELECT count(*) FROM odd_model, churn_model_terms(m) t
           WHERE NOT (t.weight BETWEEN -1e6 AND 1e6 AND t.missing_weight BETWEEN -1e6 AND 1e6)), 0::bigint,
          'separable, 1e308, denormal: weights are finite');
SELECT is((SELECT string_agg(d ->> 'column' || ' ' || (d ->> 'reason'), ', ' ORDER BY d ->> 'column')
           FROM odd_model, jsonb_array_elements(churn_model_info(m) #> '{provenance,dropped}') d),
          'again duplicate, doubled duplicate, empty empty, fixed constant, minus constant, tiny constant',
          'what says nothing is dropped, with the reason');
SELECT ok((SELECT bool_and((churn_predict(m, o) > 0.5) = churned) FROM odd_model, odd o), 'separable: every row on its side');
SELECT ok((SELECT bool_and(churn_predict(m, o) BETWEEN 0 AND 1) FROM odd_model,
           (SELECT id, 1e308::float8 AS separates, -1e308::float8 AS again, doubled, fixed, empty, 0 AS huge, 1e308 AS tiny, minus, known_or_not FROM odd) o),
          'values far outside of the training range still give a probability');
SELECT ok((SELECT bool_and(churn_predict(m, w) BETWEEN 0 AND 1) FROM wide_rows w,
           (SELECT churn_fit(w, 'churned') AS m FROM wide_rows w WHERE key IN (1, 2, 3, 4, 5, 6, 7, 8)) f),
          'more columns than users');

-- ---- predict ----
SELECT throws_ok($$SELECT churn_predict(m, ARRAY[1, 2]) FROM fitted$$, '2202E', 'expected an array of 4 features, got 2', 'wrong number of features');
SELECT throws_ok($$SELECT churn_predict(m, ARRAY[1, 2, 'NaN', 4]::float8[]) FROM fitted$$, '22003', 'value of "x3" is NaN', 'NaN in features');
SELECT throws_ok($$SELECT churn_predict(m, r) FROM fitted, (SELECT 1 AS x1, 2 AS x3) r$$, '42703',
                 'row lacks columns of the model: "x2", "x4"', 'columns that are lacking are named');
SELECT is(churn_predict(m, ARRAY[x1, x2, x3, x4::int]), churn_predict(m, s), 'array and row agree to the bit')
FROM fitted, small s WHERE id = 7;
SELECT is(churn_predict(m, r), churn_predict(m, s), 'other columns, other order, other types')
FROM fitted, small s, LATERAL (SELECT s.x4, 'zzz' AS extra, s.x3::numeric, s.x2::bigint, s.x1::numeric) r WHERE id = 7;

-- ---- contributions ----
SELECT ok(max(abs(churn_base(m) + total - churn_log_odds(m, s))) < 1e-9, 'base and contributions are the log-odds')
FROM fitted, small s, LATERAL (SELECT sum(contribution) AS total FROM churn_contributions(m, s)) c;
SELECT ok(abs(avg(churn_log_odds(m, s)) - min(churn_base(m))) < 1e-9, 'the base is the average training row')
FROM fitted, small s;
SELECT is((churn_reasons(m, ARRAY[9.9, 1, NULL, 1], 2)), ARRAY['x1 is 9.9', 'x4 is true'], 'reasons: those that raise the risk, strongest first')
FROM fitted;

-- ---- cancel ----
CREATE TABLE large AS
SELECT i AS id, hashint4(i) % 1000 AS a, hashint4(i + 1) % 1000 AS b, hashint4(i + 2) % 1000 AS c, hashint4(i + 3) % 1000 AS d,
       hashint4(i + 4) % 1000 AS e, hashint4(i + 5) % 1000 AS f, hashint4(i + 6) % 1000 AS g, hashint4(i + 7) % 1000 AS h,
       hashint4(i + 8) % 1000 AS j, hashint4(i + 9) % 1000 AS k, hashint4(i) % 3 = 0 AS churned
FROM generate_series(1, 200000) i;
\set long '''{"key": "id", "folds": 20, "max_search_rows": 200000}'''
\set ON_ERROR_STOP 0
SET statement_timeout = 700;
SELECT clock_timestamp() AS began \gset
\o /dev/null
SELECT churn_fit(l, 'churned', :long) FROM large l;
\set state :LAST_ERROR_SQLSTATE
\o
SET statement_timeout = 0;
SELECT is(:'state'::text, '57014', 'statement_timeout ends a fit in workers');
SELECT ok(clock_timestamp() - :'began' < interval '2.7 s', 'within two seconds');
SET max_parallel_workers = 0;
SET statement_timeout = 700;
SELECT clock_timestamp() AS began \gset
\o /dev/null
SELECT churn_fit(l, 'churned', :long) FROM large l;
\set state :LAST_ERROR_SQLSTATE
\o
SET statement_timeout = 0;
RESET max_parallel_workers;
SELECT is(:'state'::text, '57014', 'and one without workers');
SELECT ok(clock_timestamp() - :'began' < interval '2.7 s', 'within two seconds');
-- a worker that is terminated
\! (for i in $(seq 200); do sleep 0.1; psql -qXAt -d postgres -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'parallel worker' AND query LIKE 'churn_fit: fold%'" | grep -q t && exit; done) >/dev/null 2>&1 &
\o /dev/null
SELECT churn_fit(l, 'churned', :long) FROM large l;
\set state :LAST_ERROR_SQLSTATE
\o
SELECT is(:'state'::text, '57P01', 'a worker that is terminated is an error');
\set ON_ERROR_STOP 1
SELECT is(fit_text('id'), model, 'the session goes on, with the same bits') FROM bits;
SELECT is((SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'parallel worker'), 0::bigint, 'no worker is left');

-- ---- memory ----
CREATE TEMP TABLE resident (kb bigint);
CREATE FUNCTION resident_kb() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE result bigint;
BEGIN
    DELETE FROM resident;
    COPY resident FROM PROGRAM 'sed -n ''s/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p'' /proc/$PPID/status';
    SELECT kb INTO result FROM resident;
    RETURN result;
END $$;
CREATE FUNCTION fit_often(times int, options jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1 .. times LOOP
        PERFORM churn_fit(m, 'churned', options) FROM many m;
    END LOOP;
END $$;
CREATE FUNCTION predict_often(times int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1 .. times LOOP
        PERFORM churn_predict(m, s), churn_reasons(m, ARRAY[i, 1, NULL, 0]) FROM fitted, small s WHERE id = 1 + i % 600;
    END LOOP;
END $$;
SELECT fit_often(5, '{"key": "id", "workers": 0}') \g /dev/null
SELECT fit_often(5, '{"key": "id"}') \g /dev/null
SELECT predict_often(500) \g /dev/null
SELECT resident_kb() AS before \gset
SELECT fit_often(25, '{"key": "id", "workers": 0}') \g /dev/null
SELECT fit_often(25, '{"key": "id"}') \g /dev/null
SELECT predict_often(10000) \g /dev/null
SELECT cmp_ok(resident_kb() - :before, '<', 2000::bigint, '50 fits and 10,000 scores leave memory flat');

-- ---- telco: the published figure of a plain standardised logit ----
-- read by psql: the server's user need not have a right to the folder
\set telco `test -r "${CHURN_DATA:-}/telco_churn/customers.csv.gz" && echo true || echo false`
\if :telco
CREATE TABLE telco_text (customer_id text, gender text, senior_citizen int, partner text, dependents text,
    tenure_months int, phone_service text, multiple_lines text, internet_service text, online_security text,
    online_backup text, device_protection text, tech_support text, streaming_tv text, streaming_movies text,
    contract text, paperless_billing text, payment_method text, monthly_charges float8, total_charges float8, churn text);
-- numbered while it is read: a heap need not keep the order
ALTER TABLE telco_text ADD index serial;
\copy telco_text (customer_id, gender, senior_citizen, partner, dependents, tenure_months, phone_service, multiple_lines, internet_service, online_security, online_backup, device_protection, tech_support, streaming_tv, streaming_movies, contract, paperless_billing, payment_method, monthly_charges, total_charges, churn) from program 'gzip -dc "$CHURN_DATA/telco_churn/customers.csv.gz"' (format csv, header)
-- one column a level, as the figure was made
SELECT string_agg(format('%I = %L AS %I', a.attname, l.level, a.attname || '=' || l.level), ', ' ORDER BY a.attnum, l.level) AS one_hot
FROM pg_attribute a, LATERAL (SELECT DISTINCT to_jsonb(t) ->> a.attname::text AS level FROM telco_text t) l
WHERE attrelid = 'telco_text'::regclass AND attnum > 0 AND atttypid = 'text'::regtype
      AND attname NOT IN ('customer_id', 'churn') \gset
CREATE TABLE telco AS
SELECT index - 1 AS index, churn = 'Yes' AS churned, senior_citizen, tenure_months, monthly_charges,
       coalesce(total_charges, 0) AS total_charges, :one_hot
FROM telco_text;
CREATE TABLE telco_scored AS
SELECT t.churned, churn_log_odds(m, t) AS z
FROM telco t, (SELECT churn_fit(t, 'churned', '{"key": "index", "c": 1, "folds": 0}') AS m
               FROM telco t WHERE index % 5 <> 0) f
WHERE index % 5 = 0;
SELECT ok(abs(avg(ln(1 + exp(CASE WHEN churned THEN -z ELSE z END))) - 0.4258) < 0.0015, 'telco: log-loss of the plain logit')
FROM telco_scored;
SELECT ok(abs(auc - 0.8356) < 0.0015, 'telco: AUC of the plain logit')
FROM (SELECT (sum(r) FILTER (WHERE churned) - count(*) FILTER (WHERE churned) * (count(*) FILTER (WHERE churned) + 1) / 2.0)
             / (count(*) FILTER (WHERE churned) * count(*) FILTER (WHERE NOT churned)) AS auc
      FROM (SELECT churned, rank() OVER (ORDER BY z) + (count(*) OVER (PARTITION BY z) - 1) / 2.0 AS r FROM telco_scored) r) a;
\else
SELECT skip('telco_churn is not there: set CHURN_DATA', 2);
\endif

-- rows of two types in turn at one call site
CREATE TABLE in_turn AS SELECT i * 1.0::float8 AS x, (i * 7 % 10)::float8 AS y, i % 3 = 0 AS churned FROM generate_series(1, 90) i;
CREATE FUNCTION memory_of_turns(n int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    model churn_model := (SELECT churn_fit(t, 'churned') FROM in_turn t);
    a record; b record; before bigint; score float8;
BEGIN
    SELECT x, y INTO a FROM in_turn LIMIT 1;
    SELECT y, x INTO b FROM in_turn LIMIT 1;
    FOR i IN 0..n LOOP
        IF i = 100 THEN
            SELECT sum(total_bytes) INTO before FROM pg_backend_memory_contexts;
        END IF;
        score := churn_predict(model, CASE WHEN i % 2 = 0 THEN a ELSE b END);
    END LOOP;
    RETURN (SELECT sum(total_bytes) FROM pg_backend_memory_contexts) - before;
END $$;
SELECT cmp_ok(memory_of_turns(10000), '<', 256 * 1024::bigint, 'rows of two types in turn cost no memory');
SELECT * FROM finish();
