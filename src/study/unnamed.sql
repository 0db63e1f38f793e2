-- unnamed.sql: what the reasons of a study must not name

-- Names are kept with the study, not in its models: they hold for the champion
-- and for every model to come, from the next reason on, and no model changes.
CREATE FUNCTION churn_set_unnamed(study text, names text[]) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d @extschema@.churn_studies := @extschema@.churn_study_row(study);
    strange text;
BEGIN
    IF names IS NULL OR array_position(names, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'names must not be NULL'
            USING ERRCODE = 'null_value_not_allowed',
                  HINT = 'An empty array lets everything be named again.';
    END IF;
    IF cardinality(names) > 0 AND NOT EXISTS (SELECT FROM @extschema@.churn_models AS m WHERE m.study = d.study) THEN
        RAISE EXCEPTION 'study "%" has no model yet whose features could be named', d.study
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('SELECT * FROM churn_train(%L) first; nothing gives reasons before.', d.study);
    END IF;
    SELECT n.name INTO strange FROM unnest(names) WITH ORDINALITY AS n (name, place)
    WHERE NOT EXISTS (SELECT FROM @extschema@.churn_models AS m
        WHERE m.study = d.study AND @extschema@.churn_unname_means(m.model, n.name))
    ORDER BY n.place LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '"%" is no feature and no kind of any model of study "%"', strange, d.study
            USING ERRCODE = 'undefined_column',
                  HINT = 'Name features (churn_model_inputs) or kinds of events, or use * for any letters.';
    END IF;
    UPDATE @extschema@.churn_studies AS s
    SET unnamed = (SELECT coalesce(array_agg(n.name ORDER BY n.place), '{}')
        FROM (SELECT u.name, min(u.place) AS place FROM unnest(names) WITH ORDINALITY AS u (name, place) GROUP BY u.name) AS n)
    WHERE s.study = d.study;
END
$$;
COMMENT ON FUNCTION churn_set_unnamed(text, text[]) IS 'what reasons of a study never name: features, kinds of events (every feature whose words would name the kind), or patterns with * for any letters; replaces what was set, {} lets everything be named; holds for churn_explain at once, for stored reasons from the next refresh; scores do not change; errors: 42703 a name that no model of the study knows, 55000 no model yet, 22004 NULL, 42501 and 42704 as all that take a study';
