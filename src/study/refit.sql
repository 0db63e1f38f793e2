-- refit.sql: once a model has passed, fit again on everything that is labelled

-- Option "refit" of churn_train, which is not one of churn_fit.
CREATE FUNCTION churn_refit_asked(options jsonb) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF jsonb_typeof(options) <> 'object' THEN
        RAISE EXCEPTION 'options must be a JSON object'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF jsonb_typeof(options->'refit') <> 'boolean' THEN
        RAISE EXCEPTION 'option "refit" must be true or false'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN coalesce((options->>'refit')::boolean, false);
END
$$;
COMMENT ON FUNCTION churn_refit_asked(jsonb) IS 'support function of churn_train: option refit; 22023 when it is no boolean or the options are no object';

-- Options that give the settings of a model again: nothing is left to choose.
CREATE FUNCTION churn_model_settings(model churn_model) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT jsonb_build_object('encoding', p->'encoding', 'c', p->'c')
            || CASE WHEN p->>'encoding' = 'pairs'
                THEN jsonb_build_object('pairs', p->'pairs') ELSE '{}' END
        FROM (SELECT @extschema@.churn_model_info(model)->'provenance') AS m (p)
    $$;
COMMENT ON FUNCTION churn_model_settings(churn_model) IS 'support function of churn_train: encoding, C and number of pairs of a model as options of churn_fit';

-- A new version on the training and test snapshots, with the settings and the
-- figures of the tested one; it takes the tested one's place.
CREATE FUNCTION churn_refit(definition churn_studies, spec churn_spec, options jsonb,
    tested churn_model, dates date[], figures jsonb, tested_version int)
    RETURNS churn_training
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    settings jsonb := @extschema@.churn_model_settings(tested);
    -- refused, accepted or champion
    standing text := (SELECT m.status FROM @extschema@.churn_models AS m
        WHERE m.study = definition.study AND m.version = tested_version);
    fitted record;
    stored record;
BEGIN
    IF standing = 'refused' THEN
        RAISE NOTICE 'not fitted again: model % did not pass the gate', tested_version;
        RETURN NULL;
    END IF;
    RAISE NOTICE 'fitting again on all % snapshots, with the settings of model %: %',
        cardinality(dates), tested_version, settings;
    SELECT * INTO fitted FROM @extschema@.churn_fit_snapshots(definition, spec,
        coalesce(options, '{}') - CASE settings->>'encoding' WHEN 'linear' THEN '{pairs,solver}' ELSE '{pairs}' END::text[]
            || settings, dates);
    figures := figures || jsonb_build_object('rows', fitted.rows, 'churn_rate', fitted.churn_rate,
        'snapshots', (SELECT jsonb_agg(a ORDER BY a) FROM unnest(dates) AS a),
        'refit_of', tested_version, 'settings', settings);
    SELECT * INTO stored FROM @extschema@.churn_store_model(definition, fitted.model, figures);
    IF standing = 'champion' THEN
        PERFORM @extschema@.churn_promote(definition.study, stored.version);
        stored.status := 'champion';
    END IF;
    RAISE NOTICE 'model % of study %: %; its figures are those of model %, for nothing is left to test it on',
        stored.version, definition.study, stored.status, tested_version;
    RETURN jsonb_populate_record(NULL::@extschema@.churn_training, figures || to_jsonb(stored));
END
$$;
COMMENT ON FUNCTION churn_refit(churn_studies, churn_spec, jsonb, churn_model, date[], jsonb, int) IS 'support function of churn_train: fit on all snapshots with the settings of a tested model that passed the gate; metrics stay those of the tested one, and say so by refit_of; champion in its place when it was; NULL when it did not pass';
