-- Encoding "pairs" and "auto": interactions are found, noise is not, missing
-- values that interact, purified curves, the same bits.
\set ECHO none
SET client_min_messages = warning;
SELECT plan(30);

CREATE FUNCTION draw(i bigint, salt int) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT (hashint8extended(i, salt) & 1048575) / 1048576.0::float8 $$;
CREATE FUNCTION log_loss(log_odds float8, churned boolean) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT ln(1 + exp(CASE WHEN churned THEN -log_odds ELSE log_odds END)) $$;

-- ---- a known interaction, and one of a missing value ----
CREATE TABLE crossed AS
SELECT id, x1, x2, x3, x4, x5, draw(id, 9) < 1 / (1 + exp(-z)) AS churned, z
FROM (SELECT i AS id, CASE WHEN draw(i, 1) > .2 THEN draw(i, 2) END AS x1, draw(i, 3) AS x2, floor(draw(i, 4) * 5) AS x3,
             draw(i, 5) AS x4, draw(i, 6) AS x5,
             3 * (draw(i, 3) - .5) * (floor(draw(i, 4) * 5) - 2)
             + CASE WHEN draw(i, 1) > .2 THEN sin(6 * draw(i, 2)) ELSE 4 * (draw(i, 5) - .5) END - .3 AS z
      FROM generate_series(1, 6000) i) d;
CREATE TABLE models AS
SELECT e, churn_fit(c, 'churned', jsonb_build_object('key', 'id', 'encoding', e, 'exclude', '["z"]'::jsonb)) AS m
FROM crossed c, unnest('{linear,bins,pairs,auto}'::text[]) e WHERE id <= 3000 GROUP BY e;
CREATE TABLE figures AS
SELECT e, churn_auc(churn_predict(m, c), churned) AS auc, avg(log_loss(churn_log_odds(m, c), churned)) AS log_loss
FROM models, crossed c WHERE id > 3000 GROUP BY e;
SELECT ok(p.auc > b.auc + .03, format('pairs see what bins cannot: AUC %s against %s', round(p.auc::numeric, 3), round(b.auc::numeric, 3)))
FROM figures p, figures b WHERE p.e = 'pairs' AND b.e = 'bins';
SELECT ok(b.log_loss < l.log_loss - .005, 'and bins what a line cannot') FROM figures b, figures l WHERE b.e = 'bins' AND l.e = 'linear';
SELECT ok(p.log_loss - true_loss < .03, format('log-loss %s, with the true log-odds %s', round(p.log_loss::numeric, 4), round(true_loss::numeric, 4)))
FROM figures p, (SELECT avg(log_loss(z, churned)) AS true_loss FROM crossed WHERE id > 3000) t WHERE p.e = 'pairs';
SELECT is(churn_model_info(m) #>> '{provenance,encoding}', 'pairs', 'auto takes pairs') FROM models WHERE e = 'auto';
SELECT ok(a.log_loss <= p.log_loss + 1e-9, 'and is as good') FROM figures a, figures p WHERE a.e = 'auto' AND p.e = 'pairs';
CREATE TABLE terms AS SELECT t.* FROM models, churn_model_terms(m) t WHERE e = 'pairs';
SELECT is((SELECT string_agg(DISTINCT term || partner, ' ' ORDER BY term || partner) FROM terms WHERE coding = 'pair' AND term || partner IN ('x2x3', 'x1x4')),
          'x1x4 x2x3', 'both interactions are found');
-- slope over the partner where the input is missing
SELECT ok(corr(weight, partner_low) > .9, 'the pair of a missing value rises with the partner')
FROM terms WHERE coding = 'pair' AND term = 'x1' AND partner = 'x4' AND level = 'missing';

-- ---- purified ----
SELECT ok(max(abs(mean)) < 1e-9, 'the mean of a pair over any bin of the first input is 0')
FROM (SELECT sum(weight * share) / sum(share) AS mean FROM terms WHERE coding = 'pair' GROUP BY term, partner, low, level) s;
SELECT ok(max(abs(mean)) < 1e-9, 'and over any bin of the second')
FROM (SELECT sum(weight * share) / sum(share) AS mean FROM terms WHERE coding = 'pair' GROUP BY term, partner, partner_low, partner_level) s;
SELECT ok(max(abs(churn_base(m) + total - churn_log_odds(m, c))) < 1e-9, 'base and contributions are the log-odds')
FROM models, crossed c, LATERAL (SELECT sum(contribution) AS total FROM churn_contributions(m, c)) s WHERE e = 'pairs' AND id % 10 = 0;
SELECT ok(abs(avg(churn_log_odds(m, c)) - min(churn_base(m))) < 1e-9, 'the base is the average training row')
FROM models, crossed c WHERE e = 'pairs' AND id <= 3000;
-- a main effect whose sign a corner product hides: x2 rises by 1 on average,
-- but falls in the lowest bin of x3, where corner products are anchored
CREATE TABLE hidden AS
SELECT i AS id, draw(i, 1) AS x2, floor(draw(i, 2) * 4) AS x3,
       draw(i, 3) < 1 / (1 + exp(-(draw(i, 1) - .5) * (6 * floor(draw(i, 2) * 4) - 7))) AS churned
FROM generate_series(1, 4000) i;
SELECT ok(regr_slope(weight, low) > .5, 'the stored curve has the true sign')
FROM churn_model_terms((SELECT churn_fit(h, 'churned', '{"key": "id", "encoding": "pairs"}') FROM hidden h)) WHERE coding = 'bins' AND term = 'x2';

-- ---- scores and forms ----
SELECT ok(m::text::churn_model = m, 'text round trip') FROM models WHERE e = 'pairs';
SELECT current_setting('data_directory') || '/pairs.bin' AS file \gset
COPY (SELECT m FROM models WHERE e = 'pairs') TO :'file' (FORMAT binary);
CREATE TABLE copied (m churn_model);
COPY copied FROM :'file' (FORMAT binary);
SELECT ok(c.m = f.m, 'send and receive') FROM copied c, models f WHERE e = 'pairs';
SELECT is(churn_predict(m, ARRAY[x1, x2, x3, x4, x5]), churn_predict(m, c), 'array and row agree to the bit')
FROM models, crossed c WHERE e = 'pairs' AND id = 77;
SELECT throws_ok(format('SELECT %L::churn_model', regexp_replace(m::text, '"second_input": [0-9]+', '"second_input": 0')), '22P02', NULL, 'a pair that names an input wrongly')
FROM models WHERE e = 'pairs';
CREATE FUNCTION flip_states(original churn_model, file text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    bytes bytea := churn_model_send(original);
    states text[];
BEGIN
    CREATE TABLE received (m churn_model);
    FOR i IN 0 .. 399 LOOP
        EXECUTE format('COPY (SELECT %L::bytea) TO %L (FORMAT binary)', CASE WHEN i < 200
            THEN set_byte(bytes, i * (length(bytes) / 200), 255 - get_byte(bytes, i * (length(bytes) / 200)))
            ELSE substr(bytes, 1, (i - 200) * (length(bytes) / 200)) END, file);
        BEGIN
            EXECUTE format('COPY received FROM %L (FORMAT binary)', file);
            states := states || 'accepted'::text;
        EXCEPTION WHEN OTHERS THEN states := states || SQLSTATE;
        END;
    END LOOP;
    RETURN (SELECT string_agg(DISTINCT s, ' ') FROM unnest(states) s);
END $$;
SELECT is(flip_states(m, :'file'), '22P03', 'flipped bytes and truncations are refused') FROM models WHERE e = 'pairs';

-- ---- the same bits ----
CREATE FUNCTION fit_text(ordering text, options jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
    EXECUTE format('SELECT churn_fit(s, ''churned'', %L ORDER BY %s)::text FROM crossed s WHERE id <= 3000',
                   '{"key": "id", "encoding": "auto", "exclude": ["z"]}'::jsonb || options, ordering) INTO result;
    RETURN result;
END $$;
SELECT is(md5(fit_text('md5(id::text)')), md5(m::text), 'shuffled rows give the same bits') FROM models WHERE e = 'auto';
SELECT is(md5(fit_text('id', '{"workers": 0}')), md5(m::text), 'no worker: the same bits') FROM models WHERE e = 'auto';
SELECT is(md5(fit_text('id', '{"workers": 1}')), md5(m::text), 'one worker: the same bits') FROM models WHERE e = 'auto';

-- ---- solvers ----
CREATE TABLE both_solvers AS
SELECT churn_fit(c, 'churned', '{"key": "id", "encoding": "pairs", "exclude": ["z"], "c": 0.1, "calibrate": false}') AS newton,
       churn_fit(c, 'churned', '{"key": "id", "encoding": "pairs", "exclude": ["z"], "c": 0.1, "calibrate": false, "solver": "liblinear"}') AS liblinear
FROM crossed c WHERE id <= 2000;
SELECT is((churn_model_info(newton) ->> 'pairs')::int, (churn_model_info(liblinear) ->> 'pairs')::int, 'both solvers choose as many pairs') FROM both_solvers;
SELECT ok(max(abs(churn_predict(newton, c) - churn_predict(liblinear, c))) < 1e-5, format('probabilities of LIBLINEAR, 1e-5: %s', max(abs(churn_predict(newton, c) - churn_predict(liblinear, c)))::numeric(12,9)))
FROM both_solvers, crossed c;

-- ---- noise ----
-- three columns that add up among 40, and among 200: auto against the fit of
-- those three alone
CREATE FUNCTION lost_to_noise(columns int, seeds int) RETURNS TABLE (seed int, lost float8) LANGUAGE plpgsql AS $$
DECLARE noise_names jsonb := (SELECT jsonb_agg('x' || g) || '"seed"' FROM generate_series(4, columns) g);
BEGIN
    DROP TABLE IF EXISTS noise;
    EXECUTE format('CREATE TABLE noise AS
        SELECT n.*, draw(id, 0) < 1 / (1 + exp(-(2 * sin(5 * x1) + 3 * abs(x2 - .5) + 2 * x3 - 2.2))) AS churned
        FROM (SELECT s AS seed, i AS id, %s FROM generate_series(1, %s) s, generate_series(s * 100000, s * 100000 + 5999) i) n',
        (SELECT string_agg(format('draw(i, s * 1000 + %s) AS x%s', g, g), ', ') FROM generate_series(1, columns) g), seeds);
    RETURN QUERY SELECT f.seed, avg(log_loss(churn_log_odds(auto, n), n.churned)) - avg(log_loss(churn_log_odds(truth, n), n.churned))
        FROM (SELECT n.seed, churn_fit(n, 'churned', '{"key": "id", "exclude": ["seed"], "encoding": "auto"}') AS auto,
                     churn_fit(n, 'churned', jsonb_build_object('key', 'id', 'encoding', 'bins', 'exclude', noise_names)) AS truth
              FROM noise n WHERE n.id % 100000 < 2000 GROUP BY n.seed) f JOIN noise n USING (seed)
        WHERE n.id % 100000 >= 2000 GROUP BY f.seed;
END $$;
SELECT ok(lost <= .002, format('40 columns, seed %s: auto loses %s to the additive truth''s fit', seed, round(lost::numeric, 4)))
FROM lost_to_noise(40, 5) ORDER BY seed;
SELECT ok(lost <= .002, format('200 columns, seed %s: auto loses %s to the additive truth''s fit', seed, round(lost::numeric, 4)))
FROM lost_to_noise(200, 2) ORDER BY seed;

-- ---- missing values that interact, against the indicator model ----
-- explicit columns: is x1 missing, and that at or above each of 7 cuts of x4
CREATE TABLE gaps AS
SELECT id, x1, x2, x3, x4, x5,
       draw(id, 10) < 1 / (1 + exp(-(CASE WHEN x1 IS NULL THEN 4 * (x4 - .5) ELSE sin(6 * x1) END + x2 - .8))) AS churned
FROM crossed;
CREATE TABLE indicated AS
SELECT *, x1 IS NULL AS gap, x1 IS NULL AND x4 >= .125 AS g1, x1 IS NULL AND x4 >= .25 AS g2, x1 IS NULL AND x4 >= .375 AS g3,
       x1 IS NULL AND x4 >= .5 AS g4, x1 IS NULL AND x4 >= .625 AS g5, x1 IS NULL AND x4 >= .75 AS g6, x1 IS NULL AND x4 >= .875 AS g7
FROM gaps;
SELECT ok(p.auc >= i.auc - .002, format('missing values: AUC %s, with explicit indicators %s', round(p.auc::numeric, 4), round(i.auc::numeric, 4)))
FROM (SELECT churn_auc(churn_predict(m, g), churned) AS auc
      FROM gaps g, (SELECT churn_fit(g, 'churned', '{"key": "id", "encoding": "auto"}') AS m FROM gaps g WHERE id <= 3000) f WHERE id > 3000) p,
     (SELECT churn_auc(churn_predict(m, g), churned) AS auc
      FROM indicated g, (SELECT churn_fit(g, 'churned', '{"key": "id", "encoding": "bins"}') AS m FROM indicated g WHERE id <= 3000) f
      WHERE id > 3000) i;
SELECT * FROM finish();
