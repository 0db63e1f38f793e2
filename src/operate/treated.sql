-- treated.sql: users whom the company contacted
--
-- Events of sources of role "action" are what the company did.  Who was
-- contacted between an as-of date and the end of its outcome window has
-- another outcome than behaviour alone would give.

-- Keys of the users contacted in [first, last), as a sub-select; NULL where
-- the study has no source of actions.
CREATE FUNCTION churn_contacted_sql(definition churn_studies, first date, last date) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT string_agg(format('SELECT %s AS user_id FROM %I.%I AS e WHERE %s AND %s AND %s',
            @extschema@.churn_source_key_sql(definition, s), s.relation_schema, s.relation_name,
            @extschema@.churn_source_condition(definition, s, format('%L::pg_catalog.date', last - 1)),
            @extschema@.churn_day_bound_sql(definition, s, format('%L::pg_catalog.date', first)),
            @extschema@.churn_day_bound_sql(definition, s, format('%L::pg_catalog.date', last), false)),
            ' UNION ALL ' ORDER BY s.source)
        FROM @extschema@.churn_sources AS s
        WHERE s.study = definition.study AND s.role = 'action'
    $$;
COMMENT ON FUNCTION churn_contacted_sql(churn_studies, date, date) IS 'support function of churn_monitor and churn_train: SQL of the users with an event of an action source from a day on and before another; NULL without such a source';

-- Option "untreated_only" of churn_train, which is not one of churn_fit.
CREATE FUNCTION churn_untreated_asked(options jsonb) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF jsonb_typeof(options->'untreated_only') <> 'boolean' THEN
        RAISE EXCEPTION 'option "untreated_only" must be true or false'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN coalesce((options->>'untreated_only')::boolean, false);
END
$$;
COMMENT ON FUNCTION churn_untreated_asked(jsonb) IS 'support function of churn_train: option untreated_only; 22023 when it is no boolean';

-- Take contacted users out of the training snapshots; the test keeps all.
CREATE FUNCTION churn_drop_treated(definition churn_studies) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d ALIAS FOR definition;
    snapshots text := format('%I.%I', d.table_schema, d.study || '_snapshots');
    day date;
    gone bigint;
    dropped bigint := 0;
BEGIN
    IF @extschema@.churn_contacted_sql(d, '2000-01-01', '2000-01-02') IS NULL THEN
        RAISE NOTICE 'study "%" has no source of actions: nobody counts as contacted', d.study;
        RETURN;
    END IF;
    FOR day IN EXECUTE format('SELECT DISTINCT s.as_of FROM %s AS s WHERE s.purpose = ''train'' ORDER BY 1', snapshots)
    LOOP
        EXECUTE format('DELETE FROM %s AS s WHERE s.purpose = ''train'' AND s.as_of = %L::pg_catalog.date'
            ' AND EXISTS (SELECT FROM (%s) AS c WHERE c.user_id %s s.user_id)', snapshots, day,
            @extschema@.churn_contacted_sql(d, day, day + d.gap + d.churn_window),
            @extschema@.churn_equality_operator(d.user_type::regtype));
        GET DIAGNOSTICS gone = ROW_COUNT;
        dropped := dropped + gone;
    END LOOP;
    RAISE NOTICE 'left out, since they were contacted: % rows', dropped;
END
$$;
COMMENT ON FUNCTION churn_drop_treated(churn_studies) IS 'support function of churn_train, option untreated_only: delete users contacted within their outcome window from the training snapshots, with a NOTICE';
