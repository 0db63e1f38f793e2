-- Option "monotone": the score never falls (rises) in a column, whatever the
-- others are: every fine bin of the column against every bin of the partners.
\set ECHO none
SET client_min_messages = warning;
SELECT plan(29);

CREATE FUNCTION draw(i bigint, salt int) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT (hashint8extended(i, salt) & 1048575) / 1048576.0::float8 $$;
-- a rises, but for a dip, and turns round with b; c only falls; d is noise
CREATE TABLE rows AS
SELECT id, a, b, c, d, draw(id, 9) < 1 / (1 + exp(-(2 * coalesce(a, .9) + .5 * sin(20 * coalesce(a, 0)) + 5 * (coalesce(a, .5) - .3) * (coalesce(b, .8) - .4) - 2 * c + 3 * (coalesce(a, .5) - .5) * (c - .6)))) AS churned
FROM (SELECT i AS id, CASE WHEN draw(i, 1) > .1 THEN draw(i, 2) END AS a, CASE WHEN draw(i, 3) > .1 THEN draw(i, 4) END AS b,
             draw(i, 5) AS c, draw(i, 6) AS d FROM generate_series(1, 6000) i) x;
CREATE FUNCTION fitted(options jsonb) RETURNS churn_model LANGUAGE sql AS
$$ SELECT churn_fit(r, 'churned', '{"key": "id"}'::jsonb || options) FROM rows r WHERE id <= 4000 $$;
-- the least step of the score from one value of a column to the next, over a
-- grid of all the others' values and NULL
CREATE FUNCTION least_step(m churn_model, falling text, sign int) RETURNS float8 LANGUAGE sql AS $$
    SELECT min(sign * step)
    FROM (SELECT z - lag(z) OVER (PARTITION BY other ORDER BY x) AS step
          FROM (SELECT g.x, (o.i, o.j) AS other,
                       churn_log_odds(m, CASE falling WHEN 'a' THEN ARRAY[g.x, o.i, o.j, .5] WHEN 'b' THEN ARRAY[o.i, g.x, o.j, .5] ELSE ARRAY[o.i, o.j, g.x, .5] END) AS z
                FROM (SELECT n / 97.0::float8 AS x FROM generate_series(-2, 99) n) g,
                     (SELECT i, j FROM (SELECT n / 17.0::float8 AS i FROM generate_series(0, 17) n UNION ALL SELECT NULL) i,
                                       (SELECT n / 17.0::float8 AS j FROM generate_series(0, 17) n UNION ALL SELECT NULL) j) o) s) t $$;
CREATE FUNCTION auc(m churn_model) RETURNS float8 LANGUAGE sql AS
$$ SELECT churn_auc(churn_predict(m, r), churned) FROM rows r WHERE id > 4000 $$;

-- ---- options ----
SELECT throws_ok(format('SELECT fitted(%L)', o), s, NULL, o)
FROM (VALUES ('{"monotone": {"a": 2}}', '22023'), ('{"monotone": {"a": 0}}', '22023'), ('{"monotone": ["a"]}', '22023'), ('{"monotone": {"z": 1}}', '42703'),
             ('{"monotone": {"a": 1}, "exclude": ["a"]}', '42703'), ('{"monotone": {"a": 1}, "encoding": "bins", "solver": "liblinear"}', '22023'),
             ('{"monotone": {"a": 1}, "encoding": "bins", "penalty": "l1"}', '22023')) v (o, s);

-- ---- curves and pairs ----
CREATE TABLE steps AS SELECT * FROM (VALUES ('bins', '{"c": 0.05, "folds": 3}'::jsonb), ('pairs', '{"c": 0.05, "folds": 3, "pairs": 3}')) v (e, few);
CREATE TABLE free AS SELECT e, fitted(jsonb_build_object('encoding', e) || few) AS m FROM steps;
SELECT ok(least_step(m, 'a', 1) < -.01, format('%s: without the option the score falls somewhere', e)) FROM free;
CREATE TABLE held AS
SELECT e, o, fitted(jsonb_build_object('encoding', e, 'monotone', o) || few) AS m
FROM steps, (VALUES ('{"a": 1}'::jsonb), ('{"a": -1}'), ('{"a": 1, "b": 1, "c": -1}')) v (o);
SELECT ok(least_step(m, 'a', (o ->> 'a')::int) >= CASE e WHEN 'bins' THEN -1e-15 ELSE -1e-12 END,
          format('%s, %s: no step the wrong way: %s', e, o, least_step(m, 'a', (o ->> 'a')::int))) FROM held;
SELECT ok(least_step(m, 'b', 1) >= -1e-12 AND least_step(m, 'c', -1) >= -1e-12, format('%s: three columns at once', e)) FROM held WHERE o ? 'b';
SELECT ok(auc(h.m) > auc(f.m) - .02, format('%s: a right limit costs little: AUC %s, free %s', e, round(auc(h.m)::numeric, 4), round(auc(f.m)::numeric, 4)))
FROM held h JOIN free f USING (e) WHERE o = '{"a": 1}';
SELECT ok((churn_model_info(m) ->> 'pairs')::int > 0, 'pairs stay in the model') FROM held WHERE e = 'pairs' AND o = '{"a": 1}';
SELECT is(fitted('{"encoding": "pairs", "monotone": {"a": 1}, "workers": 0, "c": 0.05, "folds": 3, "pairs": 3}')::text, m::text, 'the same bits in this process') FROM held WHERE e = 'pairs' AND o = '{"a": 1}';
SELECT is(fitted('{"encoding": "bins", "monotone": {}, "c": 0.05, "folds": 3}')::text, m::text, 'no column, no change') FROM free WHERE e = 'bins';

-- ---- beside texts, whose partners in pairs are one-hot ----
CREATE TABLE texts AS
SELECT id, a, b, CASE WHEN c < .1 THEN NULL WHEN c < .1015 THEN 'rare' ELSE 'level ' || floor(c * 12) END AS t,
       draw(id, 8) < 1 / (1 + exp(-(2 * coalesce(a, .9) + .5 * sin(20 * coalesce(a, 0)) + 4 * (coalesce(a, .5) - .4) * (floor(c * 12)::int % 3 - 1) - 1))) AS churned FROM rows;
CREATE FUNCTION fitted_texts(options jsonb) RETURNS churn_model LANGUAGE sql AS $$ SELECT churn_fit(r, 'churned', '{"key": "id", "c": 0.1, "folds": 3}'::jsonb || options) FROM texts r $$;
CREATE FUNCTION least_text_step(m churn_model) RETURNS float8 LANGUAGE sql AS $$
    SELECT min(step) FROM (SELECT churn_log_odds(m, r) - lag(churn_log_odds(m, r)) OVER (PARTITION BY r.b, r.t ORDER BY r.a) AS step
                           FROM (SELECT n / 97.0::float8 AS a, b, t FROM generate_series(-2, 99) n, (VALUES (.2::float8), (.7), (NULL)) v (b),
                                        (SELECT DISTINCT t FROM texts UNION SELECT 'never seen') l) r) s $$;
SELECT ok(least_text_step(fitted_texts(o)) < -.01, format('%s: free, the score falls somewhere', o)) FROM unnest(ARRAY['{"encoding": "pairs", "pairs": 2}']::jsonb[]) o;
CREATE TABLE held_texts AS SELECT fitted_texts('{"encoding": "pairs", "pairs": 2, "monotone": {"a": 1}, "class_weights": "balanced"}') AS m;
SELECT ok(least_text_step(m) >= -1e-12, 'no step the wrong way at any level: ' || least_text_step(m)) FROM held_texts;
SELECT ok((churn_model_info(m) ->> 'pairs')::int > 0, 'a pair with a text stays in the model') FROM held_texts;
SELECT throws_ok($$SELECT fitted_texts('{"monotone": {"t": 1}}')$$, '22023', 'column "t" of option "monotone" is of texts, which have no order', 'texts have no order');

-- ---- linear ----
CREATE TABLE lines AS
SELECT o, fitted(jsonb_build_object('monotone', o, 'c', .1, 'folds', 0)) AS m
FROM (VALUES ('{"a": 1}'::jsonb), ('{"a": -1}'), ('{"a": -1, "c": 1, "b": 1}')) v (o);
SELECT is(m::text::jsonb -> 'terms', fitted('{"c": 0.1, "folds": 0}')::text::jsonb -> 'terms', 'linear: a limit that does not bite changes nothing') FROM lines WHERE o = '{"a": 1}';
SELECT is((SELECT string_agg(term, ' ' ORDER BY term) FROM churn_model_terms(m) t WHERE weight <> 0 AND level IS NULL), 'b d', 'a weight of the wrong sign is 0')
FROM lines WHERE o ? 'b';
-- the constrained minimum: the fit without the columns that are held at 0,
-- in which they would move the wrong way; a keeps its weight for missing
SELECT ok(max(abs(churn_log_odds(m, r) - churn_log_odds(f, r))) < 2e-5, 'and the rest is fitted as without it: ' || max(abs(churn_log_odds(m, r) - churn_log_odds(f, r))))
FROM lines, (SELECT churn_fit(s, 'churned', '{"key": "id", "c": 0.1, "folds": 0}') AS f
             FROM (SELECT id, CASE WHEN a IS NULL THEN NULL ELSE 0 END AS a, b, d, churned FROM rows WHERE id <= 4000) s) x, rows r
WHERE o ? 'b' AND id <= 4000;
SELECT * FROM finish();
