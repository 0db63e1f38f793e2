-- band.sql: low, medium, high, critical
--
-- Cut-offs are stored with the model and stay fixed between trainings, so that
-- counts move when users do.

-- Inlined into its caller's query, so nothing here may be found by a path.
CREATE FUNCTION churn_band(score float8, cutoffs float8[], previous text DEFAULT NULL)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
        SELECT CASE
            WHEN pg_catalog.array_position('{low,medium,high,critical}'::pg_catalog.text[], previous)
                OPERATOR(pg_catalog.>) pg_catalog.width_bucket(score OPERATOR(pg_catalog.-) .02, cutoffs)
             AND pg_catalog.array_position('{low,medium,high,critical}'::pg_catalog.text[], previous)
                OPERATOR(pg_catalog.<=) (pg_catalog.width_bucket(score OPERATOR(pg_catalog.+) .02, cutoffs)
                    OPERATOR(pg_catalog.+) 1)
            THEN previous
            ELSE ('{low,medium,high,critical}'::pg_catalog.text[])
                [pg_catalog.width_bucket(score, cutoffs) OPERATOR(pg_catalog.+) 1] END
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
