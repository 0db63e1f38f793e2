-- Encoding "pairs" and "auto": interactions are found, noise is not, missing
-- values that interact, purified curves, the same bits.
\set ECHO none
SET client_min_messages = warning;
SELECT plan(27);

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
-- three columns that add up among forty: pairs must not be taken in
SELECT string_agg(format('draw(i, s * 1000 + %s) AS x%s', g, g), ', ') AS noise_columns FROM generate_series(1, 40) g \gset
CREATE TABLE noise AS
SELECT n.*, draw(id, 0) < 1 / (1 + exp(-(2 * sin(5 * x1) + 3 * abs(x2 - .5) + 2 * x3 - 2.2))) AS churned
FROM (SELECT s AS seed, i AS id, :noise_columns FROM generate_series(1, 5) s, generate_series(s * 100000, s * 100000 + 3999) i) n;
CREATE TABLE noise_figures AS
SELECT f.seed, avg(log_loss(churn_log_odds(auto, n), churned)) - avg(log_loss(churn_log_odds(bins, n), churned)) AS lost
FROM (SELECT n.seed, churn_fit(n, 'churned', '{"key": "id", "exclude": ["seed"], "encoding": "auto", "folds": 5}') AS auto,
             churn_fit(n, 'churned', '{"key": "id", "exclude": ["seed"], "encoding": "bins"}') AS bins
      FROM noise n WHERE id % 100000 < 2000 GROUP BY n.seed) f JOIN noise n USING (seed)
WHERE n.id % 100000 >= 2000 GROUP BY f.seed;
SELECT ok(lost <= .002, format('40 columns, seed %s: auto loses %s to the additive fit', seed, round(lost::numeric, 4)))
FROM noise_figures ORDER BY seed;
SELECT * FROM finish();
