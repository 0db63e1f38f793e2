-- band.sql: low, medium, high, critical
--
-- Cut-offs are stored with the model and stay fixed between trainings, so that
-- counts move when users do.

CREATE FUNCTION churn_band(score float8, cutoffs float8[], previous text DEFAULT NULL)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
        SELECT CASE
            WHEN kept.band BETWEEN lenient.down AND lenient.up THEN previous
            ELSE (ARRAY['low', 'medium', 'high', 'critical'])[plain.band] END
        FROM (SELECT 1 + (score >= cutoffs[1])::int + (score >= cutoffs[2])::int
                  + (score >= cutoffs[3])::int) AS plain (band),
             -- bands of the scores .02 above and below
             (SELECT 1 + (score + .02 >= cutoffs[1])::int + (score + .02 >= cutoffs[2])::int
                  + (score + .02 >= cutoffs[3])::int,
                  1 + (score - .02 >= cutoffs[1])::int + (score - .02 >= cutoffs[2])::int
                  + (score - .02 >= cutoffs[3])::int) AS lenient (up, down),
             (SELECT pg_catalog.array_position(
                  ARRAY['low', 'medium', 'high', 'critical'], previous)) AS kept (band)
    $$;
COMMENT ON FUNCTION churn_band(float8, float8[], text) IS 'low, medium, high or critical: cutoffs are the least scores of the last three; with the band a user had before, they keep it until their score is .02 beyond its cut-off';

-- Quantiles .60, .85 and .95 of the out-of-fold scores; of the training
-- scores where there were no folds (C given by the user).
CREATE FUNCTION churn_band_cutoffs(definition churn_studies, model churn_model)
    RETURNS float8[]
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    quantiles jsonb := @extschema@.churn_model_info(model) #> '{provenance,fold_quantiles}';
    cutoffs float8[];
BEGIN
    IF quantiles IS NOT NULL THEN
        RETURN ARRAY[(quantiles->>59)::float8, (quantiles->>84)::float8, (quantiles->>94)::float8];
    END IF;
    EXECUTE format('SELECT pg_catalog.percentile_disc(''{.60,.85,.95}''::pg_catalog.float8[]) WITHIN GROUP (ORDER BY'
        ' @extschema@.churn_predict(%L::@extschema@.churn_model, s.features)) FROM %I.%I AS s'
        ' WHERE s.purpose OPERATOR(pg_catalog.=) ''train''',
        model, definition.table_schema, definition.study || '_snapshots') INTO cutoffs;
    RETURN cutoffs;
END
$$;
COMMENT ON FUNCTION churn_band_cutoffs(churn_studies, churn_model) IS 'support function of churn_train: least scores of the bands medium, high and critical';
