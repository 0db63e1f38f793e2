-- LIBLINEAR through churn_fit against scikit-learn's liblinear solver: the
-- same matrix, the same C, the bias scaled by 100 on both sides. The numbers
-- are what bench/reference/liblinear.py prints (scikit-learn 1.2).
\set ECHO none
SET client_min_messages = warning;
SELECT plan(11);

CREATE TABLE reference (penalty text, c float8, name text, number float8);
INSERT INTO reference VALUES
    ('l2', 0.01, 'objective', 3.61149089415),
    ('l2', 0.01, 'mean square', 0.361302054882),
    ('l2', 0.01, 'intercept', 0.36782571376),
    ('l2', 0.01, 'tenure', -0.381728120553),
    ('l2', 0.01, 'charge', 0.14786065147),
    ('l2', 0.01, 'tickets', 0.224929161318),
    ('l2', 0.01, 'visits', -0.416815379819),
    ('l2', 0.01, 'noise', 0.0138498612438),
    ('l2', 0.1, 'objective', 33.0122560825),
    ('l2', 0.1, 'mean square', 0.393523635708),
    ('l2', 0.1, 'intercept', 0.42649095638),
    ('l2', 0.1, 'tenure', -0.682597457396),
    ('l2', 0.1, 'charge', 0.247451691973),
    ('l2', 0.1, 'tickets', 0.420635379296),
    ('l2', 0.1, 'visits', -0.757494709874),
    ('l2', 0.1, 'noise', 0.0441245406912),
    ('l2', 1, 'objective', 323.716714328),
    ('l2', 1, 'mean square', 0.40179743306),
    ('l2', 1, 'intercept', 0.44432568555),
    ('l2', 1, 'tenure', -0.759169372286),
    ('l2', 1, 'charge', 0.272034804329),
    ('l2', 1, 'tickets', 0.47263454039),
    ('l2', 1, 'visits', -0.844275676515),
    ('l2', 1, 'noise', 0.0534524843094),
    ('l2', 10, 'objective', 3229.9268884),
    ('l2', 10, 'mean square', 0.402775157469),
    ('l2', 10, 'intercept', 0.44652468261),
    ('l2', 10, 'tenure', -0.768364810509),
    ('l2', 10, 'charge', 0.274976746534),
    ('l2', 10, 'tickets', 0.478930653673),
    ('l2', 10, 'visits', -0.854685445875),
    ('l2', 10, 'noise', 0.0545972916663),
    ('l1', 0.01, 'objective', 4.07519385576),
    ('l1', 0.01, 'mean square', 0.338336111111),
    ('l1', 0.01, 'intercept', 0.329618983071),
    ('l1', 0.01, 'tenure', 0),
    ('l1', 0.01, 'charge', 0),
    ('l1', 0.01, 'tickets', 0),
    ('l1', 0.01, 'visits', 0),
    ('l1', 0.01, 'noise', 0),
    ('l1', 0.1, 'objective', 34.4384922387),
    ('l1', 0.1, 'mean square', 0.387831305793),
    ('l1', 0.1, 'intercept', 0.414121109136),
    ('l1', 0.1, 'tenure', -0.649584259125),
    ('l1', 0.1, 'charge', 0.178281234027),
    ('l1', 0.1, 'tickets', 0.359839227595),
    ('l1', 0.1, 'visits', -0.714595000384),
    ('l1', 0.1, 'noise', 0),
    ('l1', 1, 'objective', 325.314425443),
    ('l1', 1, 'mean square', 0.40123237061),
    ('l1', 1, 'intercept', 0.442887950021),
    ('l1', 1, 'tenure', -0.756129035302),
    ('l1', 1, 'charge', 0.2647355426),
    ('l1', 1, 'tickets', 0.466512363815),
    ('l1', 1, 'visits', -0.839826195539),
    ('l1', 1, 'noise', 0.0446307155919),
    ('l1', 10, 'objective', 3231.54311216),
    ('l1', 10, 'mean square', 0.402718904369),
    ('l1', 10, 'intercept', 0.446379650019),
    ('l1', 10, 'tenure', -0.768064557796),
    ('l1', 10, 'charge', 0.274242487494),
    ('l1', 10, 'tickets', 0.478318322393),
    ('l1', 10, 'visits', -0.85424365192),
    ('l1', 10, 'noise', 0.0537097649783);
CREATE TABLE customers AS
SELECT i AS id, i * 7919 % 61 AS tenure, i * 104729 % 97 + 20 AS charge, i * 31 % 7 AS tickets, i * i * 13 % 101 AS visits, i * 211 % 53 AS noise,
       (i * 15485863::bigint % 1009) / 1009.0 < 1 / (1 + exp(-(1.5 - (i * 7919 % 61) / 20.0 + (i * 31 % 7) / 4.0
           + (i * 104729 % 97 + 20) / 100.0 - (i * i * 13 % 101) / 50.0))) AS churned
FROM generate_series(1, 600) i;
CREATE TABLE fitted AS
SELECT r.penalty, r.c, churn_fit(t, 'churned', jsonb_build_object('key', 'id', 'folds', 0, 'penalty', r.penalty, 'c', r.c)) AS m
FROM customers t, (SELECT DISTINCT penalty, c FROM reference) r GROUP BY r.penalty, r.c;
CREATE TABLE weights AS
SELECT penalty, c, t.term AS name, t.weight AS number FROM fitted, churn_model_terms(m) t
UNION ALL SELECT penalty, c, 'intercept', (m::text::jsonb ->> 'intercept')::float8 FROM fitted;
-- what is minimised, and a mean of the probabilities that any of them moves
CREATE TABLE sizes AS
SELECT penalty, c, CASE penalty WHEN 'l2' THEN sum(number ^ 2) / 2 ELSE sum(abs(number)) END AS size
FROM weights WHERE name <> 'intercept' GROUP BY penalty, c;
CREATE TABLE figures AS
SELECT penalty, c, c * sum(ln(1 + exp(CASE WHEN churned THEN -1 ELSE 1 END * churn_log_odds(m, t)))) AS loss, avg(churn_predict(m, t) ^ 2) AS mean_square
FROM fitted, customers t GROUP BY penalty, c;

SELECT is(count(*), 600::bigint, 'the table is there') FROM customers;
SELECT ok(max(abs((coalesce(size, 0) + loss) / number - 1)) < 1e-6, format('%s: objective, relative 1e-6: %s', penalty, max(abs((coalesce(size, 0) + loss) / number - 1))::numeric(15,12)))
FROM figures LEFT JOIN sizes USING (penalty, c) JOIN reference USING (penalty, c) WHERE name = 'objective' GROUP BY penalty ORDER BY penalty;
SELECT ok(max(abs(mean_square - number)) < 1e-6, format('%s: probabilities, 1e-6: %s', penalty, max(abs(mean_square - number))::numeric(15,12)))
FROM figures JOIN reference USING (penalty, c) WHERE name = 'mean square' GROUP BY penalty ORDER BY penalty;
SELECT ok(max(abs(r.number - coalesce(w.number, 0))) < 1e-4, format('%s: coefficients and intercept, 1e-4: %s', r.penalty, max(abs(r.number - coalesce(w.number, 0)))::numeric(15,12)))
FROM reference r LEFT JOIN weights w USING (penalty, c, name) WHERE name NOT IN ('objective', 'mean square') GROUP BY r.penalty ORDER BY r.penalty;
SELECT is(array_agg(name ORDER BY name), (SELECT array_agg(name ORDER BY name) FROM reference
                                          WHERE penalty = 'l1' AND c = .1 AND number <> 0 AND name NOT IN ('objective', 'mean square')),
          'L1: terms of weight 0 are not in the model') FROM weights WHERE penalty = 'l1' AND c = .1;
SELECT is(jsonb_array_length(churn_model_info(m) #> '{provenance,dropped}'), 5, 'L1: none is left at the least C') FROM fitted WHERE penalty = 'l1' AND c = .01;
SELECT ok(churn_predict(m, t) BETWEEN .5 AND .7 AND m::text::churn_model = m, 'and the model is the base rate') FROM fitted, customers t
WHERE penalty = 'l1' AND c = .01 AND id = 1;
SELECT is(churn_model_info(m) #>> '{provenance,solver}' || ' ' || (churn_model_info(m) #>> '{provenance,penalty}'), 'liblinear l1', 'the solver and the penalty are told')
FROM fitted WHERE penalty = 'l1' AND c = .1;
SELECT * FROM finish();
