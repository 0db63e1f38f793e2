-- rebuild.sql: histories anew on request, for old rows that were deleted,
-- corrected or loaded later than a refresh looks back

-- Histories of some users anew, from all their events.
CREATE FUNCTION churn_rebuild_users(definition churn_studies, today date, users text[]) RETURNS bigint
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d ALIAS FOR definition;
    equals text := @extschema@.churn_equality_operator(d.user_type::regtype);
    keys text := format('(%L::pg_catalog.text[])::%s[]', users, d.user_type);
    fresh text;
    rebuilt bigint;
BEGIN
    fresh := @extschema@.churn_stage(d, '_staging', @extschema@.churn_join_parts(ARRAY(
        SELECT @extschema@.churn_source_sql(d, s, format('%L::pg_catalog.date', today),
            format('%s %s ANY (%s)', @extschema@.churn_source_key_sql(d, s), equals, keys))
        FROM @extschema@.churn_sources AS s
        WHERE s.study = d.study AND s.role = 'behaviour' ORDER BY s.source)));
    EXECUTE format('DELETE FROM %I.%I AS o WHERE o.user_id %s ANY (%s)'
        ' AND NOT EXISTS (SELECT FROM %s AS n WHERE n.user_id %s o.user_id)',
        d.table_schema, d.study || '_history', equals, keys, fresh, equals);
    EXECUTE format('INSERT INTO %I.%I AS o (user_id, history, through)'
        ' SELECT n.user_id, n.history, @extschema@.churn_last_day(n.history) FROM %s AS n WHERE n.history IS NOT NULL'
        ' ON CONFLICT (user_id) DO UPDATE SET history = excluded.history, through = excluded.through',
        d.table_schema, d.study || '_history', fresh);
    GET DIAGNOSTICS rebuilt = ROW_COUNT;
    EXECUTE format('DROP TABLE %s', fresh);
    RETURN rebuilt;
END
$$;
COMMENT ON FUNCTION churn_rebuild_users(churn_studies, date, text[]) IS 'support function of churn_rebuild: histories of the users with these keys from all their events; how many they are';

CREATE FUNCTION churn_rebuild_owned(study text, users text[]) RETURNS bigint
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d @extschema@.churn_studies := @extschema@.churn_study_lock(study);
    today date := @extschema@.churn_today(d.time_zone);
    rebuilt bigint;
BEGIN
    IF users IS NOT NULL THEN
        IF (@extschema@.churn_stored(d)).study IS NULL THEN
            RAISE EXCEPTION 'study "%" has no stored histories', study
                USING ERRCODE = 'object_not_in_prerequisite_state',
                      HINT = format('CALL churn_refresh(%L) or SELECT churn_rebuild(%L) makes them, for all users.', study, study);
        END IF;
        RETURN @extschema@.churn_rebuild_users(d, today, users);
    END IF;
    PERFORM @extschema@.churn_load_begin(d, today, 3);
    WHILE NOT @extschema@.churn_load_range(d, today) LOOP
    END LOOP;
    EXECUTE format('SELECT count(*) FROM %I.%I', d.table_schema, d.study || '_history') INTO rebuilt;
    RETURN rebuilt;
END
$$;
COMMENT ON FUNCTION churn_rebuild_owned(text, text[]) IS 'support function of churn_rebuild';

CREATE FUNCTION churn_rebuild(study text, users "any") RETURNS bigint
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION churn_rebuild(text, "any") IS 'read the histories of some users (an array of their keys, of any type), or of all (NULL), from their events anew: for old rows that were deleted, corrected or loaded later than a refresh looks back; returns how many users have a history now; scores change at the next refresh; errors: 55000 nothing stored yet, 42804 no array, 22P02 a text that is no key, 42501 rights';

CREATE FUNCTION churn_rebuild(study text) RETURNS bigint
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION churn_rebuild(text) IS 'the same for all users';
