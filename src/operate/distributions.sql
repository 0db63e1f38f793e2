-- distributions.sql: what a model's users looked like on one date, and how
-- much that moved in the study's own past
--
-- Stored at training for churn_monitor, so that monitoring needs no training
-- data: of the score and of every feature that the model weighs, the cuts at
-- tenths of the test snapshot (one date, never a pool) and the users in each
-- cell; and for each distance between two snapshots of the training how far
-- each feature, the score and the churn rate were apart then.
--
-- When is a feature further off than ever?  Its scale S at a distance is its
-- mean PSI over pairs of snapshots so far apart.  Over each pair the largest
-- PSI / S of all features is what a healthy past shows at worst; the factor is
-- the 95 % quantile of these maxima over the pairs.  So the threshold, factor
-- times S, holds for all features together, and a feature that always grows
-- (a share of a lifetime, say) hides no other that stands still.

CREATE TABLE churn_distributions (
    model_id bigint PRIMARY KEY REFERENCES churn_models ON DELETE CASCADE,
    study text NOT NULL REFERENCES churn_studies ON UPDATE CASCADE ON DELETE CASCADE,
    reference date NOT NULL,
    users bigint NOT NULL,
    features text[] NOT NULL,
    positions int[] NOT NULL,
    cuts float8[] NOT NULL,
    counts float8[] NOT NULL,
    expected jsonb NOT NULL,
    past_days int[] NOT NULL,
    past_pairs int[] NOT NULL,
    past_psi float8[] NOT NULL,
    past_churn_rate float8[] NOT NULL,
    factor float8 NOT NULL
);
COMMENT ON TABLE churn_distributions IS 'what churn_monitor compares with, a row a model: distributions of the score and of the features that the model weighs on its test date, and how far the snapshots of its training were apart';
COMMENT ON COLUMN churn_distributions.model_id IS 'the model';
COMMENT ON COLUMN churn_distributions.study IS 'its study';
COMMENT ON COLUMN churn_distributions.reference IS 'date of the users: the test snapshot';
COMMENT ON COLUMN churn_distributions.users IS 'users at risk on that date';
COMMENT ON COLUMN churn_distributions.features IS '(score), then at most 400 features, those that weigh most first';
COMMENT ON COLUMN churn_distributions.positions IS '0 for the score, else the place among all features';
COMMENT ON COLUMN churn_distributions.cuts IS 'a row a feature: greatest value of each cell but the last; NaN where there are fewer';
COMMENT ON COLUMN churn_distributions.counts IS 'a row a feature: users of each cell, the last column those without a value';
COMMENT ON COLUMN churn_distributions.expected IS 'what the scores of that date promised of themselves (churn_expected)';
COMMENT ON COLUMN churn_distributions.past_days IS 'distances between two of the newest eight snapshots of the training, ascending';
COMMENT ON COLUMN churn_distributions.past_pairs IS 'pairs of snapshots at each distance';
COMMENT ON COLUMN churn_distributions.past_psi IS 'a row a distance: mean PSI of each feature between snapshots so far apart, or of shorter distances if that was more';
COMMENT ON COLUMN churn_distributions.past_churn_rate IS 'largest difference of the churn rates of two snapshots up to each distance';
COMMENT ON COLUMN churn_distributions.factor IS '95 % quantile over pairs of the largest PSI of a feature that may alarm, as a multiple of its mean';

ALTER TABLE churn_distributions ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, DELETE ON churn_distributions TO PUBLIC;
CREATE POLICY churn_distributions_member ON churn_distributions FOR SELECT
    USING (EXISTS (SELECT FROM @extschema@.churn_studies AS s
                   WHERE s.study OPERATOR(pg_catalog.=) churn_distributions.study));
COMMENT ON POLICY churn_distributions_member ON churn_distributions IS 'who sees the study';
CREATE POLICY churn_distributions_owner ON churn_distributions
    USING (@extschema@.churn_is_owner(study));
COMMENT ON POLICY churn_distributions_owner ON churn_distributions IS 'only the owner itself writes, which churn_train works as';
SELECT pg_catalog.pg_extension_config_dump('churn_distributions', '');

-- Totals of a lifetime grow with the shop: they are shown, but say nothing.
CREATE FUNCTION churn_grows_with_time(feature text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$ SELECT feature ~ '_(tenure|span|count|days|amount|amount_max|lapses|gap_max)$' $$;
COMMENT ON FUNCTION churn_grows_with_time(text) IS 'support function of churn_monitor: tenure, span and totals of a lifetime, which change on healthy data and never alarm';

-- Inputs that a model weighs, the heaviest first.
CREATE FUNCTION churn_weighed_inputs(model churn_model, OUT name text, OUT "position" int)
    RETURNS SETOF record
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT i.name, i.position::int
        FROM unnest(@extschema@.churn_model_inputs(model)) WITH ORDINALITY AS i (name, position)
        JOIN (SELECT u.name, sum(u.weight) AS weight
              FROM @extschema@.churn_model_terms(model) AS t,
                LATERAL (SELECT abs(coalesce(t.weight, 0)) * coalesce(t.share, 1)
                    + abs(coalesce(t.missing_weight, 0)) * coalesce(t.missing_share, 0)) AS w (weight),
                LATERAL (VALUES (t.term, w.weight), (t.partner, w.weight / 2)) AS u (name, weight)
              WHERE u.name IS NOT NULL GROUP BY 1) AS w USING (name)
        WHERE w.weight > 0
        ORDER BY w.weight DESC, i.position
        LIMIT 400
    $$;
COMMENT ON FUNCTION churn_weighed_inputs(churn_model) IS 'support function of churn_train: at most 400 inputs with weight, by mean absolute log-odds, and their place in an array of features';

-- Cuts at tenths of the values of one date: a row a position, 0 the score.
CREATE FUNCTION churn_snapshot_cuts(definition churn_studies, model churn_model,
    positions int[], reference date) RETURNS float8[]
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d ALIAS FOR definition;
    snapshots text := format('%I.%I', d.table_schema, d.study || '_snapshots');
    cuts float8[];
BEGIN
    -- quantiles of 20,000 users are exact enough for cells of a tenth
    EXECUTE format('WITH n AS (SELECT pg_catalog.count(*) AS n FROM %1$s AS s WHERE s.as_of = %2$L),'
        ' r AS (SELECT pg_catalog.array_prepend(@extschema@.churn_predict(%3$L::@extschema@.churn_model, s.features), s.features) AS v'
        '   FROM %1$s AS s, n WHERE s.as_of = %2$L AND (n.n <= 20000'
        '     OR @extschema@.churn_key_share(%4$s, ''sample'') < 20000.0 / n.n)),'
        ' q AS (SELECT p.place, pg_catalog.percentile_disc(''{.1,.2,.3,.4,.5,.6,.7,.8,.9,1}''::pg_catalog.float8[])'
        '     WITHIN GROUP (ORDER BY r.v[p.position + 1]) AS q'
        '   FROM pg_catalog.unnest(%5$L::pg_catalog.int4[]) WITH ORDINALITY AS p (position, place) LEFT JOIN r ON true GROUP BY 1),'
        -- ties share a cell; nothing lies above the greatest value
        ' c AS (SELECT q.place, ARRAY(SELECT DISTINCT u FROM pg_catalog.unnest(q.q[1:9]) AS u'
        '     WHERE u < q.q[10] OR q.q[1] = q.q[10] ORDER BY u) AS cuts FROM q)'
        ' SELECT pg_catalog.array_agg(c.cuts || pg_catalog.array_fill(''NaN''::pg_catalog.float8, ARRAY[9 - pg_catalog.cardinality(c.cuts)]) ORDER BY c.place) FROM c',
        snapshots, reference, model, @extschema@.churn_key_text_sql(d, 's.user_id'), positions)
    INTO cuts;
    RETURN cuts;
END
$$;
COMMENT ON FUNCTION churn_snapshot_cuts(churn_studies, churn_model, int[], date) IS 'support function of churn_train: cuts at tenths of the score and some features at one date of STUDY_snapshots';

-- How far apart two snapshots were, by their distance in days.
CREATE FUNCTION churn_past_distances(snapshots jsonb, features text[], OUT days int[],
    OUT pairs int[], OUT psi float8[], OUT churn_rate float8[], OUT factor float8)
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        WITH s AS MATERIALIZED (
            SELECT c.as_of, c.churn_rate, i AS place, @extschema@.churn_array_row(c.counts, i) AS cells
            FROM jsonb_to_recordset(snapshots) AS c (as_of date, churn_rate float8, counts float8[]),
                generate_series(1, cardinality(features)) AS i
        ), apart AS MATERIALIZED (
            SELECT b.as_of - a.as_of AS days, a.as_of, a.place, abs(b.churn_rate - a.churn_rate) AS churn_rate,
                coalesce(@extschema@.churn_psi(a.cells, b.cells), 0) AS psi
            FROM s AS a JOIN s AS b ON b.place = a.place AND b.as_of > a.as_of
        ), scales AS MATERIALIZED (
            SELECT a.days, a.place, max(avg(a.psi)) OVER (PARTITION BY a.place ORDER BY a.days) AS psi
            FROM apart AS a GROUP BY 1, 2
        ), worst AS (
            SELECT max(a.psi / greatest(c.psi, .02)) AS times
            FROM apart AS a JOIN scales AS c USING (days, place)
            WHERE NOT @extschema@.churn_grows_with_time(features[a.place]) GROUP BY a.days, a.as_of
        ), by_days AS (
            SELECT a.days, count(*)::int AS pairs,
                max(max(a.churn_rate)) OVER (ORDER BY a.days) AS churn_rate,
                (SELECT array_agg(c.psi ORDER BY c.place) FROM scales AS c WHERE c.days = a.days) AS psi
            FROM apart AS a WHERE a.place = 1 GROUP BY 1
        )
        SELECT array_agg(b.days ORDER BY b.days), array_agg(b.pairs ORDER BY b.days),
            array_agg(b.psi ORDER BY b.days), array_agg(coalesce(b.churn_rate, 0) ORDER BY b.days),
            (SELECT percentile_cont(.95) WITHIN GROUP (ORDER BY w.times) FROM worst AS w)
        FROM by_days AS b
    $$;
COMMENT ON FUNCTION churn_past_distances(jsonb, text[]) IS 'support function of churn_train: by distance between two snapshots: pairs, mean PSI of each feature, largest difference of churn rates; and how many times its mean the worst feature of a pair reaches in 95 % of pairs';

-- What two dates so far apart differed by in the past; beyond the longest
-- distance seen, in proportion.
CREATE FUNCTION churn_past_thresholds(stored churn_distributions, days int,
    OUT psi float8[], OUT churn_rate float8)
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT ARRAY(SELECT greatest(.1, stored.factor * greatest(u.s, .02) * w.beyond)
                FROM unnest(@extschema@.churn_array_row(stored.past_psi, w.i)) WITH ORDINALITY AS u (s, o) ORDER BY u.o),
            stored.past_churn_rate[w.i]
        FROM (SELECT coalesce(min(p.i) FILTER (WHERE p.d >= churn_past_thresholds.days), max(p.i))::int AS i,
                greatest(1, churn_past_thresholds.days / max(p.d)::float8) AS beyond
              FROM unnest(stored.past_days) WITH ORDINALITY AS p (d, i)) AS w
    $$;
COMMENT ON FUNCTION churn_past_thresholds(churn_distributions, int) IS 'support function of churn_monitor: PSI above which each feature is further off than it was between dates of the past that lay so many days apart, at least .1, and the largest difference of churn rates then';

-- Keep the distributions of a model that was just fitted on STUDY_snapshots.
CREATE FUNCTION churn_store_distributions(definition churn_studies, stored churn_models) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d ALIAS FOR definition;
    snapshots text := format('%I.%I', d.table_schema, d.study || '_snapshots');
    x @extschema@.churn_distributions;
    by_date jsonb;
BEGIN
    x.model_id := stored.id;
    x.study := d.study;
    x.reference := stored.metrics ->> 'test_date';
    SELECT ARRAY['(score)'] || coalesce(array_agg(w.name), '{}'), ARRAY[0] || coalesce(array_agg(w.position), '{}')
    INTO x.features, x.positions FROM @extschema@.churn_weighed_inputs(stored.model) AS w;
    x.cuts := @extschema@.churn_snapshot_cuts(d, stored.model, x.positions, x.reference);
    EXECUTE format('SELECT pg_catalog.jsonb_agg(pg_catalog.to_jsonb(c) ORDER BY c.as_of) FROM ('
        ' SELECT t.as_of, pg_catalog.count(*) AS users, pg_catalog.avg(t.churned::int4) AS churn_rate,'
        '   @extschema@.churn_cell_counts(t.score, t.features, %1$L::pg_catalog.int4[], %2$L::pg_catalog.float8[]) AS counts,'
        '   CASE WHEN t.as_of = %3$L THEN @extschema@.churn_expected(t.score) END AS expected'
        ' FROM (SELECT s.as_of, s.churned, s.features, @extschema@.churn_predict(%4$L::@extschema@.churn_model, s.features) AS score FROM %5$s AS s'
        '   WHERE s.as_of = ANY (ARRAY(SELECT DISTINCT o.as_of FROM %5$s AS o ORDER BY 1 DESC LIMIT 8)) OFFSET 0) AS t'
        ' GROUP BY t.as_of) AS c', x.positions, x.cuts, x.reference, stored.model, snapshots) INTO by_date;
    SELECT c.users, c.counts, c.expected INTO x.users, x.counts, x.expected
    FROM jsonb_to_recordset(by_date) AS c (as_of date, users bigint, counts float8[], expected jsonb)
    WHERE c.as_of = x.reference;
    SELECT p.days, p.pairs, p.psi, p.churn_rate, coalesce(p.factor, 1)
    INTO x.past_days, x.past_pairs, x.past_psi, x.past_churn_rate, x.factor
    FROM @extschema@.churn_past_distances(by_date, x.features) AS p;
    INSERT INTO @extschema@.churn_distributions SELECT x.*;
END
$$;
COMMENT ON FUNCTION churn_store_distributions(churn_studies, churn_models) IS 'support function of churn_train: a row of churn_distributions from STUDY_snapshots';
