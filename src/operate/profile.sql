-- profile.sql: what is known of a user besides events
--
-- A profile is a table or view with at most one row a user: sign-up channel,
-- country, plan.  It is stored by schema and name like a source, resolved at
-- each run, and read with the rights of the study's owner.

CREATE TABLE churn_profiles (
    study text PRIMARY KEY REFERENCES churn_studies ON UPDATE CASCADE ON DELETE CASCADE,
    relation_schema text NOT NULL,
    relation_name text NOT NULL,
    user_column text NOT NULL
);
COMMENT ON TABLE churn_profiles IS 'the profile table or view of each study: columns of a user to slice by; by schema and name, resolved at each run';
COMMENT ON COLUMN churn_profiles.study IS 'study the profile belongs to';
COMMENT ON COLUMN churn_profiles.relation_schema IS 'schema of the table or view';
COMMENT ON COLUMN churn_profiles.relation_name IS 'table or view with at most one row a user';
COMMENT ON COLUMN churn_profiles.user_column IS 'column with the user''s key';

ALTER TABLE churn_profiles ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON churn_profiles TO PUBLIC;
CREATE POLICY churn_profiles_member ON churn_profiles
    USING (EXISTS (SELECT FROM @extschema@.churn_studies AS s
                   WHERE s.study OPERATOR(pg_catalog.=) churn_profiles.study));
COMMENT ON POLICY churn_profiles_member ON churn_profiles IS 'who sees the study';
SELECT pg_catalog.pg_extension_config_dump('churn_profiles', '');

CREATE FUNCTION churn_set_profile_owned(study text, relation regclass, user_column text)
    RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d @extschema@.churn_studies := @extschema@.churn_study_lock(study);
    key_type text;
BEGIN
    IF relation IS NULL OR user_column IS NULL THEN
        RAISE EXCEPTION 'relation and user_column must be given'
            USING ERRCODE = 'null_value_not_allowed';
    END IF;
    IF (SELECT c.relkind FROM pg_class AS c WHERE c.oid = relation)
        <> ALL ('{r,v,m,f,p}'::"char"[]) THEN
        RAISE EXCEPTION '% is not a table or view', relation
            USING ERRCODE = 'wrong_object_type';
    END IF;
    key_type := @extschema@.churn_key_type(
        @extschema@.churn_check_column(relation, user_column, 'user_column', NULL));
    IF d.user_type IS NULL THEN
        RAISE EXCEPTION 'study "%" has no source yet', study
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Add its events by churn_add_source first: they say of what type the users are.';
    END IF;
    IF d.user_type <> key_type THEN
        RAISE EXCEPTION 'user_column "%" is of type %, but the users of study "%" are of type %',
            user_column, key_type, study, d.user_type
            USING ERRCODE = 'datatype_mismatch',
                  HINT = format('Name a view that casts the column to %s.', d.user_type);
    END IF;
    INSERT INTO @extschema@.churn_profiles AS o (study, relation_schema, relation_name, user_column)
    SELECT d.study, n.nspname, c.relname, churn_set_profile_owned.user_column
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid = relation
    ON CONFLICT ON CONSTRAINT churn_profiles_pkey DO UPDATE
    SET relation_schema = excluded.relation_schema,
        relation_name = excluded.relation_name, user_column = excluded.user_column;
END
$$;
COMMENT ON FUNCTION churn_set_profile_owned(text, regclass, text) IS 'support function of churn_set_profile';

CREATE FUNCTION churn_set_profile(study text, relation regclass, user_column text) RETURNS void
    AS 'MODULE_PATHNAME', 'churn_as_owner' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION churn_set_profile(text, regclass, text) IS 'name the table or view with at most one row a user whose columns slices and targets may use; how they were at past dates is yours to see to, by a view; checked with the rights of the study''s owner: 42703 column, 42804 type, 42501 rights, 55000 no source yet';

CREATE FUNCTION churn_drop_profile(study text) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d @extschema@.churn_studies := @extschema@.churn_study_row(study);
BEGIN
    DELETE FROM @extschema@.churn_profiles AS p WHERE p.study = d.study;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'study "%" has no profile', study USING ERRCODE = 'undefined_object';
    END IF;
END
$$;
COMMENT ON FUNCTION churn_drop_profile(text) IS 'take the profile of a study back; the relation itself stays; 42704 when there is none';

-- Columns of a profile as "p.x AS x", those whose name is taken as
-- "profile_x", and the join that brings them.
CREATE FUNCTION churn_profile_sql(definition churn_studies, taken text[],
    OUT columns text, OUT joined text, OUT width int)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    profile @extschema@.churn_profiles;
    relation regclass;
BEGIN
    SELECT * INTO profile FROM @extschema@.churn_profiles AS p WHERE p.study = definition.study;
    columns := '';
    joined := '';
    width := 0;
    IF profile.study IS NULL THEN
        RETURN;
    END IF;
    relation := to_regclass(format('%I.%I', profile.relation_schema, profile.relation_name));
    IF relation IS NULL THEN
        RAISE EXCEPTION 'profile "%.%" of study "%" does not exist',
            profile.relation_schema, profile.relation_name, definition.study
            USING ERRCODE = 'undefined_table',
                  HINT = format('Bring it back, or take it out by churn_drop_profile(%L).', definition.study);
    END IF;
    PERFORM @extschema@.churn_check_column(relation, profile.user_column, 'user_column', NULL);
    SELECT coalesce(string_agg(format(', p.%I AS %I', a.attname, n.name), '' ORDER BY a.attnum), ''),
        count(*)
    INTO columns, width
    FROM pg_attribute AS a, LATERAL (SELECT CASE WHEN a.attname = ANY (taken)
        THEN left('profile_' || a.attname, 60) ELSE a.attname END) AS n (name)
    WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
        AND a.attname <> profile.user_column AND n.name <> ALL (taken);
    joined := format(' LEFT JOIN %I.%I AS p ON p.%I::%s %s j.user_id',
        profile.relation_schema, profile.relation_name, profile.user_column,
        definition.user_type, @extschema@.churn_equality_operator(definition.user_type::regtype));
END
$$;
COMMENT ON FUNCTION churn_profile_sql(churn_studies, text[]) IS 'support function of churn_slices: columns and join of a study''s profile beside alias j; empty without one, 42P01 with a hint when it is gone';
