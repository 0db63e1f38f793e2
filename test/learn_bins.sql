-- Encoding "bins": laws of the bins, scores as look-ups, the solver over codes
-- against LIBLINEAR on the same indicators, same bits, edges.
\set ECHO none
SET client_min_messages = warning;
SELECT plan(38);

-- Curved effects, gaps that matter, ties, a rare and a constant column.
CREATE FUNCTION draw(i int, salt int) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT (hashint8extended(i, salt) & 1048575) / 1048576.0::float8 $$;
CREATE TABLE curved AS
SELECT id, smooth, gaps, count_, flag, rare, 7 AS fixed, smooth * 2 AS twice,
       draw(id, 9) < 1 / (1 + exp(-(2 * sin(6 * smooth) + coalesce(3 * abs(gaps - .5), 2) + least(count_, 3) * .4 - 2.2))) AS churned
FROM (SELECT i AS id, draw(i, 1) AS smooth, CASE WHEN draw(i, 2) > .2 THEN draw(i, 3) END AS gaps,
             floor(-3 * ln(1 - draw(i, 4) * .999))::int AS count_, draw(i, 5) < .3 AS flag,
             CASE WHEN i % 300 = 0 THEN 1 END AS rare
      FROM generate_series(1, 3000) i) d;
CREATE TABLE fitted AS
SELECT churn_fit(c, 'churned', '{"key": "id", "encoding": "bins"}') AS m FROM curved c WHERE id <= 2400;
CREATE TABLE terms AS SELECT t.* FROM fitted, churn_model_terms(m) t;

-- ---- bins ----
SELECT is((SELECT string_agg(DISTINCT coding, ' ') FROM terms), 'bins', 'every term is one of bins');
SELECT is((SELECT string_agg(d ->> 'column' || ' ' || (d ->> 'reason'), ', ' ORDER BY d ->> 'column')
           FROM fitted, jsonb_array_elements(churn_model_info(m) #> '{provenance,dropped}') d),
          'fixed constant, rare constant, twice duplicate', 'what says nothing in bins is dropped');
SELECT is((SELECT count(*) FROM terms WHERE term = 'smooth'), 48::bigint, 'a bin of a smooth column for 50 rows');
SELECT ok(max(share) - min(share) < .004, 'of equal size') FROM terms WHERE term = 'smooth';
SELECT is((SELECT count(*) FROM terms WHERE term = 'flag'), 2::bigint, 'two of a boolean');
SELECT is((SELECT array_agg(low ORDER BY low) FROM terms WHERE term = 'count_' AND low <= 4), ARRAY[1, 2, 3, 4]::float8[],
          'ties stay together, and a cut is a value of the data');
SELECT ok(min(share) * 2400 >= 20, 'no bin of less than 20 rows') FROM terms;
SELECT ok(bool_and(abs(total - 1) < 1e-12), 'shares of a term add up to 1') FROM (SELECT sum(share) AS total FROM terms GROUP BY term) s;
SELECT is(share, (SELECT avg((gaps IS NULL)::int)::float8 FROM curved WHERE id <= 2400), 'share of missing values')
FROM terms WHERE term = 'gaps' AND level = 'missing';
SELECT ok(max(abs(sum)) < 1e-9, 'curves are centred') FROM (SELECT sum(weight * share) FROM terms GROUP BY term) s;
SELECT ok(abs(corr(weight, 2 * sin(6 * (low + high) / 2))) > .95, 'the curve is the sine that made the data')
FROM terms WHERE term = 'smooth';

-- ---- scores ----
SELECT ok(max(abs(churn_log_odds(m, c) - (m::text::jsonb ->> 'intercept')::float8 - looked_up)) < 1e-9,
          'a score is a look-up a column, also beyond the range of training')
FROM fitted, (SELECT id, smooth * 3 - 1 AS smooth, gaps, count_, flag FROM curved WHERE id % 10 = 0) c,
     LATERAL (SELECT sum(weight) AS looked_up FROM terms t,
              (VALUES ('smooth', c.smooth), ('gaps', c.gaps), ('count_', c.count_), ('flag', c.flag::int)) v (term, x)
              WHERE t.term = v.term AND (x IS NULL AND level = 'missing' OR
                    x IS NOT NULL AND level IS NULL AND (low IS NULL OR x >= low) AND (high IS NULL OR x < high))) l;
SELECT ok(max(abs(churn_base(m) + total - churn_log_odds(m, c))) < 1e-9, 'base and contributions are the log-odds')
FROM fitted, curved c, LATERAL (SELECT sum(contribution) AS total FROM churn_contributions(m, c)) s;
SELECT ok(abs(avg(churn_log_odds(m, c)) - min(churn_base(m))) < 1e-9, 'the base is the average training row')
FROM fitted, curved c WHERE id <= 2400;
SELECT ok(m::text::churn_model = m, 'text round trip') FROM fitted;
SELECT ok((m::text::jsonb)::text::churn_model = m, 'through jsonb') FROM fitted;
SELECT current_setting('data_directory') || '/bins.bin' AS file \gset
COPY (SELECT m FROM fitted) TO :'file' (FORMAT binary);
CREATE TABLE copied (m churn_model);
COPY copied FROM :'file' (FORMAT binary);
SELECT ok(c.m = f.m, 'send and receive') FROM copied c, fitted f;
SELECT throws_ok(format('SELECT %L::churn_model', regexp_replace(m::text, '"cuts": \[[^,]*,', '"cuts": [1e9,')), '22P02', NULL, 'cuts out of order')
FROM fitted;
SELECT throws_ok(format('SELECT %L::churn_model', regexp_replace(m::text, '"values": \[[^,]*,', '"values": [')), '22P02', NULL, 'a value too few')
FROM fitted;

-- ---- the two solvers ----
-- jumps of a curve, and what a missing value adds to the mean of the known
CREATE FUNCTION penalty(model churn_model) RETURNS float8 LANGUAGE sql AS $$
    SELECT sum(jump ^ 2) / 2 + coalesce((
        SELECT sum((missing - mean) ^ 2) / 2
        FROM (SELECT max(weight) FILTER (WHERE level IS NOT NULL) AS missing,
                     sum(weight * share) FILTER (WHERE level IS NULL) / sum(share) FILTER (WHERE level IS NULL) AS mean
              FROM churn_model_terms(model) GROUP BY term) g
        WHERE missing IS NOT NULL), 0)
    FROM (SELECT weight - lag(weight) OVER (PARTITION BY term ORDER BY low NULLS FIRST) AS jump
          FROM churn_model_terms(model) WHERE level IS NULL) j
$$;
CREATE TABLE both_solvers AS
SELECT c, churn_fit(t, 'churned', jsonb_build_object('key', 'id', 'encoding', 'bins', 'folds', 0, 'c', c)) AS newton,
       churn_fit(t, 'churned', jsonb_build_object('key', 'id', 'encoding', 'bins', 'folds', 0, 'c', c, 'solver', 'liblinear')) AS liblinear
FROM curved t, unnest(ARRAY[.001, .1, 10]) c GROUP BY c;
SELECT is(churn_model_info(newton) #>> '{provenance,solver}' || ' ' || (churn_model_info(liblinear) #>> '{provenance,solver}'),
          'newton liblinear', 'the solver is told') FROM both_solvers WHERE c = .1;
SELECT ok(abs((penalty(newton) + c * sum(ln(1 + exp(CASE WHEN churned THEN -1 ELSE 1 END * churn_log_odds(newton, t))))) /
              (penalty(liblinear) + c * sum(ln(1 + exp(CASE WHEN churned THEN -1 ELSE 1 END * churn_log_odds(liblinear, t))))) - 1) < 1e-8,
          format('objective of LIBLINEAR, relative 1e-8, C = %s', c))
FROM both_solvers, curved t GROUP BY c, newton, liblinear ORDER BY c;
SELECT ok(max(abs(churn_predict(newton, t) - churn_predict(liblinear, t))) < 1e-5, format('probabilities of LIBLINEAR, 1e-5, C = %s: %s', c, max(abs(churn_predict(newton, t) - churn_predict(liblinear, t)))::numeric(12,9)))
FROM both_solvers, curved t GROUP BY c ORDER BY c;
SELECT throws_ok($$SELECT churn_fit(c, 'churned', '{"encoding": "linear", "solver": "newton"}') FROM curved c$$, '22023', NULL, 'newton has no linear columns');
SELECT throws_ok($$SELECT churn_fit(c, 'churned', '{"encoding": "cubes"}') FROM curved c$$, '22023', NULL, 'unknown encoding');

-- ---- the same bits ----
CREATE FUNCTION fit_text(ordering text, options jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
    EXECUTE format('SELECT churn_fit(s, ''churned'', %L ORDER BY %s)::text FROM curved s WHERE id <= 2400', '{"key": "id", "encoding": "bins"}'::jsonb || options, ordering) INTO result;
    RETURN result;
END $$;
SELECT is(md5(fit_text('md5(id::text)')), md5(m::text), 'shuffled rows give the same bits') FROM fitted;
SELECT is(md5(fit_text('id', '{"workers": 0}')), md5(m::text), 'no worker asked for: the same bits') FROM fitted;
SELECT is(md5(fit_text('id', '{"workers": 1}')), md5(m::text), 'one worker: the same bits') FROM fitted;
SET max_parallel_workers = 0;
SELECT is(md5(fit_text('id')), md5(m::text), 'no worker to be had: the same bits') FROM fitted;
RESET max_parallel_workers;

-- ---- edges ----
CREATE TABLE odd AS
SELECT i AS id, i > 100 AS churned, i::float8 AS separates, CASE WHEN i % 2 = 0 THEN 1e308 ELSE -1e308 END AS huge,
       CASE WHEN i % 2 = 0 THEN '5e-324'::float8 ELSE 0 END AS tiny, '-0'::float8 AS minus, NULL::int AS empty,
       CASE WHEN i % 3 = 0 THEN 1 END AS known_or_not
FROM generate_series(1, 200) i;
CREATE TABLE odd_models AS
SELECT e, churn_fit(o, 'churned', jsonb_build_object('key', 'id', 'encoding', e)) AS m FROM odd o, unnest('{bins,pairs,auto}'::text[]) e GROUP BY e;
SELECT ok(bool_and(churn_predict(m, o) BETWEEN 0 AND 1 AND abs(churn_log_odds(m, o)) < 1e6), 'separable, 1e308, denormal: scores are finite')
FROM odd_models, odd o;
SELECT ok(bool_and((churn_predict(m, o) > .5) = churned), 'separable: every row on its side') FROM odd_models, odd o
WHERE abs(id - 100) > 9;
SELECT throws_ok($$SELECT churn_fit(c, 'churned', '{"encoding": "bins"}') FROM curved c WHERE churned$$, '22023', NULL, 'one class');
SELECT throws_ok($$SELECT churn_fit(c, 'churned', '{"encoding": "bins", "memory": 1024}') FROM curved c, generate_series(1, 4)$$, '54000', NULL, 'memory is compared first');

-- ---- cancel ----
CREATE TABLE large AS
SELECT i AS id, draw(i, 1) a, draw(i, 2) b, draw(i, 3) c, draw(i, 4) d, draw(i, 5) e, draw(i, 6) f, draw(i, 7) < .5 AS churned
FROM generate_series(1, 60000) i;
\set ON_ERROR_STOP 0
SET statement_timeout = 700;
SELECT clock_timestamp() AS began \gset
\o /dev/null
SELECT churn_fit(l, 'churned', '{"key": "id", "encoding": "pairs", "folds": 20, "max_search_rows": 60000, "workers": 0}') FROM large l;
\set state :LAST_ERROR_SQLSTATE
\o
SET statement_timeout = 0;
\set ON_ERROR_STOP 1
SELECT is(:'state'::text, '57014', 'statement_timeout ends a fit in this process');
SELECT ok(clock_timestamp() - :'began' < interval '2.7 s', 'within two seconds');

SELECT * FROM finish();
