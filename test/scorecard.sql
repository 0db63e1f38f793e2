-- churn_scorecard: points add up to the score within the bound it tells;
-- churn_importance: the standard deviation of what is added to the log-odds.
\set ECHO none
SET client_min_messages = warning;
SELECT * FROM no_plan();

CREATE TABLE customers AS
SELECT i AS id, (i * 7919) % 61 AS tenure, CASE WHEN i % 10 > 0 THEN abs(hashint4(i)) % 100 END AS visits, (ARRAY['a', 'b', 'c', NULL, 'r' || i])[1 + abs(hashint4(i + 7000)) % 5] AS plan,
       CASE WHEN i % 9 > 0 THEN abs(hashint4(i + 500)) % 3 = 0 END AS mail
FROM generate_series(1, 1500) i;
ALTER TABLE customers ADD churned boolean;
UPDATE customers SET churned = abs(hashint4(id + 99)) % 100 < CASE WHEN (tenure < 20) <> (coalesce(visits, 10) < 40) THEN 75 ELSE 20 END + CASE plan WHEN 'a' THEN 20 ELSE 0 END * CASE WHEN tenure < 30 THEN 1 ELSE -1 END + CASE WHEN mail THEN 10 ELSE 0 END;
CREATE TABLE models AS
SELECT e, churn_fit(c, 'churned', jsonb_build_object('key', 'id', 'encoding', e)) AS m FROM customers c, unnest('{linear,bins,pairs}'::text[]) e GROUP BY e;

-- ---- the card is used by hand: one row of each part for each user ----
CREATE FUNCTION covers(value jsonb, low float8, high float8, level text, coding text) RETURNS boolean LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE WHEN coding = 'missing level' OR level = 'missing' THEN value = 'null' WHEN value = 'null' THEN false WHEN jsonb_typeof(value) = 'string' THEN level = value #>> '{}'
               ELSE CASE value WHEN 'true' THEN 1 WHEN 'false' THEN 0 ELSE (value #>> '{}')::float8 END >= coalesce(low, '-infinity')
                AND CASE value WHEN 'true' THEN 1 WHEN 'false' THEN 0 ELSE (value #>> '{}')::float8 END < coalesce(high, 'infinity') END $$;
CREATE FUNCTION by_hand(card regclass, OUT id int, OUT points bigint, OUT exact float8, OUT parts bigint) RETURNS SETOF record LANGUAGE plpgsql AS
$$ BEGIN RETURN QUERY EXECUTE format($q$
    WITH side AS (SELECT id, to_jsonb(c) AS row FROM customers c WHERE id <= 500),
         hit AS (SELECT s.id, k.*, rank() OVER (PARTITION BY s.id, k.input, k.partner ORDER BY k.coding = 'other level', coalesce(k.level = 'other', false)::int + coalesce(k.partner_level = 'other', false)::int) AS best
                 FROM %s k, side s
                 WHERE k.input IS NULL
                    OR (covers(s.row -> k.input, low, high, level, coding) OR (coding = 'other level' OR level = 'other') AND s.row -> k.input <> 'null')
                   AND (partner IS NULL OR covers(s.row -> k.partner, partner_low, partner_high, partner_level, '') OR partner_level = 'other' AND s.row -> k.partner <> 'null'))
    SELECT id, sum(points), sum(exact), count(*) FROM hit WHERE best = 1 GROUP BY id$q$, card); END $$;
CREATE TABLE card_bins AS SELECT s.* FROM models, churn_scorecard(m) s WHERE e = 'bins';
CREATE TABLE card_pairs AS SELECT s.* FROM models, churn_scorecard(m) s WHERE e = 'pairs';
CREATE TABLE used AS
SELECT u.*, churn_log_odds(m, c) AS z, bound
FROM (SELECT 'bins' AS e, * FROM by_hand('card_bins') UNION ALL SELECT 'pairs', * FROM by_hand('card_pairs')) u JOIN models USING (e) JOIN customers c USING (id),
     LATERAL (SELECT CASE e WHEN 'bins' THEN (SELECT max(bound) FROM card_bins) ELSE (SELECT max(bound) FROM card_pairs) END AS bound) b;
SELECT ok(count(DISTINCT parts) = 1 AND count(*) = 500, format('%s: %s parts a user', e, min(parts))) FROM used GROUP BY e ORDER BY e;
SELECT ok(max(abs(exact - (600 - 20 / ln(2) * (ln(50) + z)))) < 1e-9, format('%s: exact points are the log-odds, turned round', e)) FROM used GROUP BY e ORDER BY e;
SELECT ok(max(abs(points - exact)) BETWEEN 0.5 AND min(bound) AND min(bound) <= .5 * min(parts), format('%s: whole points lie within %s of them, at most %s', e, round(max(abs(points - exact))::numeric, 2), round(min(bound)::numeric, 2))) FROM used GROUP BY e ORDER BY e;
SELECT ok(corr(points, -z) > .999, format('%s: more points, less risk', e)) FROM used GROUP BY e ORDER BY e;
SELECT is(count(*), 0::bigint, 'points are the exact ones, rounded; the bound is the same in every row') FROM card_pairs WHERE points <> round(exact::numeric) AND abs(exact - trunc(exact)) <> .5 OR bound <> (SELECT max(bound) FROM card_pairs);
SELECT is(string_agg(DISTINCT coding, ' ' ORDER BY coding), 'base bins level missing level other level pair', 'what kinds of rows there are') FROM card_pairs;
-- the example of the book's scale: 600 points at odds of 50, 20 more at 100
SELECT ok(abs(600 + 20 * (log(2, odds) - log(2, 50)) - (600 - 20 / ln(2) * (ln(50) - ln(odds)))) < 1e-12, 'odds of staying ' || odds || ' to one') FROM unnest('{25,50,100}'::numeric[]) odds;
SELECT ok(abs(base.exact - (500 - 50 / ln(2) * (ln(1) + z))) < 1e-9, 'another scale')
FROM models, LATERAL (SELECT exact FROM churn_scorecard(m, 50, 500, 1) WHERE coding = 'base') base, LATERAL (SELECT (m::text::jsonb ->> 'intercept')::float8 AS z) i WHERE e = 'bins';
SELECT ok(max(abs(b.exact * 2 - a.exact)) < 1e-9 AND count(*) > 20, 'half as many points to double the odds, half the points')
FROM models, churn_scorecard(m) WITH ORDINALITY a, churn_scorecard(m, 10) WITH ORDINALITY b WHERE a.ordinality = b.ordinality AND e = 'bins' AND a.coding <> 'base';

-- ---- booleans of a linear model have a card; numbers do not ----
CREATE TABLE flags AS SELECT churn_fit(c, 'churned', '{"calibrate": false}') AS m FROM (SELECT mail, plan, churned FROM customers ORDER BY id) c;
SELECT is(string_agg(concat_ws(' ', input, coding, level), ', ' ORDER BY ordinality), 'base, mail boolean false, mail boolean true, mail boolean missing, plan level b, plan level a, plan level c, plan other level, plan missing level', 'booleans and levels')
FROM (SELECT s.input, s.coding, s.level, s.ordinality FROM flags, churn_scorecard(m) WITH ORDINALITY s) s;
SELECT ok(max(abs(600 - 20 / ln(2) * (ln(50) + churn_log_odds(m, c)) - base - mail.exact - plan.exact)) < 1e-9, 'and they add up')
FROM flags, customers c, LATERAL (SELECT exact AS base FROM churn_scorecard(m) WHERE coding = 'base') b,
     LATERAL (SELECT exact FROM churn_scorecard(m) WHERE input = 'mail' AND level = coalesce(c.mail::text, 'missing')) mail,
     LATERAL (SELECT exact FROM churn_scorecard(m) WHERE input = 'plan' AND CASE WHEN c.plan IS NULL THEN coding = 'missing level' WHEN c.plan LIKE 'r%' THEN coding = 'other level' ELSE level = c.plan END) plan;
SELECT throws_ok($$SELECT churn_scorecard(m) FROM models WHERE e = 'linear'$$, '22023', 'input "tenure" of the model has no bins', 'a number on a line');
SELECT throws_ok(format('SELECT churn_scorecard(m, %s) FROM models WHERE e = ''bins''', arguments), '22023', NULL, 'arguments ' || arguments)
FROM unnest('{0,-20,''nan'',''infinity''}'::text[]) arguments;
SELECT throws_ok(format('SELECT churn_scorecard(m, 20, %s) FROM models WHERE e = ''bins''', arguments), '22023', NULL, 'arguments 20, ' || arguments)
FROM unnest('{"600, 0","600, -1","1e7, 50"}'::text[]) arguments;
SELECT throws_ok($$SELECT churn_scorecard(m, 20, 'infinity') FROM models WHERE e = 'bins'$$, '22023', 'base_score must be between -1000000 and 1000000, not Infinity', 'an infinite base');
SELECT is(count(*), 0::bigint, 'NULL arguments, no rows') FROM models, churn_scorecard(m, NULL);

-- ---- importance ----
-- what each input of a model without pairs adds, over the training rows
CREATE TABLE added AS SELECT e, feature, stddev_pop(contribution) AS sd FROM models, customers c, churn_contributions(m, c) WHERE e <> 'pairs' GROUP BY e, feature;
SELECT ok(max(abs(importance - sd)) < 1e-9 AND count(*) = 4, format('%s: the standard deviation of what each input adds', e))
FROM models JOIN added USING (e), churn_importance(m) i WHERE feature = i.input GROUP BY e ORDER BY e;
SELECT ok(bool_and(importance = alone AND in_pairs = 0), format('%s: alone', e)) FROM models, churn_importance(m) WHERE e <> 'pairs' GROUP BY e;
SELECT ok(abs(sum(share) - 1) < 1e-12 AND bool_and(abs(importance ^ 2 - alone ^ 2 - in_pairs ^ 2) < 1e-9), format('%s: shares add up to 1', e)) FROM models, churn_importance(m) GROUP BY e ORDER BY e;
SELECT ok(abs(total - terms) < 1e-9, 'pairs: variances of inputs are those of terms and pairs')
FROM models, LATERAL (SELECT sum(importance ^ 2) AS total FROM churn_importance(m)) i,
     LATERAL (SELECT sum(v) AS terms FROM (SELECT sum(share * weight ^ 2) - sum(share * weight) ^ 2 AS v FROM churn_model_terms(m) GROUP BY term, partner) t) t WHERE e = 'pairs';
SELECT is(array_agg(input ORDER BY n), array_agg(input ORDER BY importance DESC), format('%s: strongest first', e)) FROM models, churn_importance(m) WITH ORDINALITY i (input, importance, share, alone, in_pairs, n) GROUP BY e ORDER BY e;
SELECT * FROM finish();
