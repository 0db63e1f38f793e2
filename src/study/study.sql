-- study.sql: what a study is, its sources, and the checks made when it is said
--
-- Rows here are configuration: dumped by pg_dump, visible to members of the
-- owner's role (row-level security), referenced one way only.  Functions that
-- run a study's stored SQL are declared through churn_as_owner (owner.c): the
-- public name is C and calls the PL/pgSQL function NAME_owned.

CREATE TABLE churn_studies (
    study text PRIMARY KEY
        CHECK (octet_length(study) BETWEEN 1 AND 48),
    owner regrole NOT NULL,
    table_schema text NOT NULL,
    churn_window int NOT NULL CHECK (churn_window BETWEEN 1 AND 36500),
    lookback int NOT NULL CHECK (lookback BETWEEN 1 AND 36500),
    active_window int NOT NULL
        CHECK (active_window BETWEEN 1 AND lookback),
    gap int NOT NULL CHECK (gap BETWEEN 0 AND 36500),
    min_tenure int NOT NULL CHECK (min_tenure BETWEEN 0 AND 36500),
    key_kinds text[],
    windows int[] NOT NULL,
    time_zone text NOT NULL,
    holdout_share float8 NOT NULL CHECK (holdout_share >= 0 AND holdout_share < 1),
    complete_until date,
    user_type text,
    -- moves with every change of the definition: sessions cache plans by it
    revision bigint GENERATED ALWAYS AS IDENTITY,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE churn_studies IS 'studies: stored definitions of churn; windows in days; rows are visible to members of the owner''s role';
COMMENT ON COLUMN churn_studies.study IS 'name, at most 48 bytes';
COMMENT ON COLUMN churn_studies.owner IS 'role that owns the study''s tables and with whose rights its work is done';
COMMENT ON COLUMN churn_studies.table_schema IS 'schema of the tables STUDY_history, STUDY_scores, STUDY_score_log, STUDY_snapshots and the view STUDY_churn';
COMMENT ON COLUMN churn_studies.churn_window IS 'days h: churned = no key event in [a+gap, a+gap+h)';
COMMENT ON COLUMN churn_studies.lookback IS 'days w: features see [a-w, a)';
COMMENT ON COLUMN churn_studies.active_window IS 'days e: at risk = a key event in [a-e, a)';
COMMENT ON COLUMN churn_studies.gap IS 'days needed to act, between the as-of date and the churn window';
COMMENT ON COLUMN churn_studies.min_tenure IS 'days since the first key event before a user counts';
COMMENT ON COLUMN churn_studies.key_kinds IS 'kinds whose absence means churn; NULL where the sources give one kind';
COMMENT ON COLUMN churn_studies.windows IS 'days of the windows that features are counted over';
COMMENT ON COLUMN churn_studies.time_zone IS 'zone whose calendar days count';
COMMENT ON COLUMN churn_studies.holdout_share IS 'share of users, drawn by salted hash, never to be contacted';
COMMENT ON COLUMN churn_studies.complete_until IS 'last complete day of the sources, where the owner knows better than the newest event';
COMMENT ON COLUMN churn_studies.user_type IS 'type of the user key, set by the first source';
COMMENT ON COLUMN churn_studies.revision IS 'moves with every change of the definition';
COMMENT ON COLUMN churn_studies.created_at IS 'when the study was created';

CREATE TABLE churn_sources (
    study text NOT NULL REFERENCES churn_studies ON UPDATE CASCADE ON DELETE CASCADE,
    source int NOT NULL,
    relation_schema text NOT NULL,
    relation_name text NOT NULL,
    user_column text NOT NULL,
    time_column text NOT NULL,
    amount_column text,
    kind text,
    kind_column text,
    filter text,
    filter_path text NOT NULL,
    known_at_column text,
    role text NOT NULL CHECK (role IN ('behaviour', 'action')),
    growing_column text,
    PRIMARY KEY (study, source),
    CHECK ((kind IS NULL) <> (kind_column IS NULL))
);
COMMENT ON TABLE churn_sources IS 'sources of events of each study; relations by schema and name, resolved at each run';
COMMENT ON COLUMN churn_sources.study IS 'study the source belongs to';
COMMENT ON COLUMN churn_sources.source IS 'number of the source within its study';
COMMENT ON COLUMN churn_sources.relation_schema IS 'schema of the table or view of events';
COMMENT ON COLUMN churn_sources.relation_name IS 'table or view of events';
COMMENT ON COLUMN churn_sources.user_column IS 'column with the user''s key';
COMMENT ON COLUMN churn_sources.time_column IS 'date, timestamp or timestamptz of the event';
COMMENT ON COLUMN churn_sources.amount_column IS 'money of the event, or NULL';
COMMENT ON COLUMN churn_sources.kind IS 'the one kind of all rows, or NULL';
COMMENT ON COLUMN churn_sources.kind_column IS 'column with the kind of each row, or NULL';
COMMENT ON COLUMN churn_sources.filter IS 'condition over the relation''s columns that a row must meet, as the owner wrote it';
COMMENT ON COLUMN churn_sources.filter_path IS 'search_path under which the filter is read';
COMMENT ON COLUMN churn_sources.known_at_column IS 'column with the time at which the row became known, or NULL';
COMMENT ON COLUMN churn_sources.role IS 'behaviour: what users do; action: what the company does, never a feature';
COMMENT ON COLUMN churn_sources.growing_column IS 'column that is higher in rows that came later, or NULL; a refresh finds late rows by it';

CREATE TABLE churn_models (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    study text NOT NULL REFERENCES churn_studies ON UPDATE CASCADE ON DELETE CASCADE,
    version int NOT NULL,
    status text NOT NULL
        CHECK (status IN ('trained', 'accepted', 'champion', 'retired', 'refused')),
    model churn_model NOT NULL,
    band_cutoffs float8[] NOT NULL CHECK (cardinality(band_cutoffs) = 3),
    metrics jsonb NOT NULL,
    gate text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    created_by regrole NOT NULL,
    UNIQUE (study, version)
);
CREATE UNIQUE INDEX churn_models_champion ON churn_models (study)
    WHERE status = 'champion';
COMMENT ON TABLE churn_models IS 'every training: the model as a value, its figures and its status; one champion a study';
COMMENT ON COLUMN churn_models.id IS 'never used again, so sessions may cache by it';
COMMENT ON COLUMN churn_models.study IS 'study the model belongs to';
COMMENT ON COLUMN churn_models.version IS 'number of the training within its study';
COMMENT ON COLUMN churn_models.status IS 'trained, accepted (past the gate), champion (scores), retired, refused';
COMMENT ON COLUMN churn_models.model IS 'the fitted model, self-contained';
COMMENT ON COLUMN churn_models.band_cutoffs IS 'least score of the bands medium, high and critical';
COMMENT ON COLUMN churn_models.metrics IS 'figures of training and of the out-of-time test';
COMMENT ON COLUMN churn_models.gate IS 'why the default gate refused the model; NULL when it passed';
COMMENT ON COLUMN churn_models.created_at IS 'when the training ended';
COMMENT ON COLUMN churn_models.created_by IS 'role with whose rights it was trained';
COMMENT ON INDEX churn_models_champion IS 'one champion a study';

ALTER TABLE churn_studies ENABLE ROW LEVEL SECURITY;
ALTER TABLE churn_sources ENABLE ROW LEVEL SECURITY;
ALTER TABLE churn_models ENABLE ROW LEVEL SECURITY;
-- Sessions cache by id and revision, so nobody may choose these; and a model
-- is never another one later.
GRANT SELECT, DELETE ON churn_studies, churn_sources, churn_models TO PUBLIC;
GRANT INSERT, UPDATE ON churn_sources TO PUBLIC;
GRANT UPDATE, INSERT (study, owner, table_schema, churn_window, lookback,
    active_window, gap, min_tenure, key_kinds, windows, time_zone, holdout_share,
    complete_until, user_type) ON churn_studies TO PUBLIC;
GRANT UPDATE (status, gate), INSERT (study, version, status, model, band_cutoffs,
    metrics, gate, created_by) ON churn_models TO PUBLIC;
CREATE POLICY churn_studies_member ON churn_studies
    USING (pg_catalog.pg_has_role(owner, 'MEMBER'));
COMMENT ON POLICY churn_studies_member ON churn_studies IS 'members of the owner''s role';
CREATE POLICY churn_sources_member ON churn_sources
    USING (EXISTS (SELECT FROM @extschema@.churn_studies AS s
                   WHERE s.study OPERATOR(pg_catalog.=) churn_sources.study));
COMMENT ON POLICY churn_sources_member ON churn_sources IS 'who sees the study';
CREATE POLICY churn_models_member ON churn_models
    USING (EXISTS (SELECT FROM @extschema@.churn_studies AS s
                   WHERE s.study OPERATOR(pg_catalog.=) churn_models.study));
COMMENT ON POLICY churn_models_member ON churn_models IS 'who sees the study';

SELECT pg_catalog.pg_extension_config_dump('churn_studies', '');
SELECT pg_catalog.pg_extension_config_dump('churn_sources', '');
SELECT pg_catalog.pg_extension_config_dump('churn_models', '');
SELECT pg_catalog.pg_extension_config_dump('churn_studies_revision_seq', '');
SELECT pg_catalog.pg_extension_config_dump('churn_models_id_seq', '');

-- Support -----------------------------------------------------------------

CREATE FUNCTION churn_key_hash(key text, salt text) RETURNS bigint
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_key_hash(text, text) IS '64-bit hash of a user key; one salt a purpose keeps folds, hold-out and samples independent; the same on every machine';

CREATE FUNCTION churn_key_share(key text, salt text) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_key_share(text, text) IS 'the same hash as a number in [0, 1): key_share(k, salt) < p draws a share p of all users';

CREATE FUNCTION churn_equality_operator(key_type regtype) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_equality_operator(regtype) IS 'support function of churn_add_source: equality of the type''s btree operator class as OPERATOR(schema.name); 42883 where it has none';

CREATE FUNCTION churn_filter_sql(relation regclass, filter text, path text) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION churn_filter_sql(regclass, text, text) IS 'support function of churn_add_source: the filter read under the given path, written back with every name qualified; 42601 or 42804 when it is not one boolean condition over the relation';

CREATE FUNCTION churn_expression_sql(relation regclass, expression text, path text) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION churn_expression_sql(regclass, text, text) IS 'support function of churn_slices: the same for an expression of any type';

CREATE FUNCTION churn_today(time_zone text DEFAULT 'UTC') RETURNS date
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT coalesce(nullif(current_setting('churn.today', true), '')::date,
                        (now() AT TIME ZONE time_zone)::date)
    $$;
COMMENT ON FUNCTION churn_today(text) IS 'today: the setting churn.today, else the date of the wall clock in the zone';

-- Days of an interval of whole days; months and hours have no fixed length.
CREATE FUNCTION churn_whole_days(value interval, argument text) RETURNS int
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    days int := extract(day FROM value);
BEGIN
    IF value IS NULL THEN
        RETURN NULL;
    END IF;
    IF value <> make_interval(days => days)
       OR extract(month FROM value) <> 0 OR extract(year FROM value) <> 0
       OR extract(epoch FROM value - make_interval(days => days)) <> 0 THEN
        RAISE EXCEPTION '% must be a whole number of days, not "%"', argument, value
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = format('Write it in days, such as %s => ''90 days''.', argument);
    END IF;
    IF days < 0 OR days > 36500 THEN
        RAISE EXCEPTION '% must be between 0 and 36500 days, not %', argument, days
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN days;
END
$$;
COMMENT ON FUNCTION churn_whole_days(interval, text) IS 'support function of churn_create_study: days of an interval; 22023 with a hint for months, hours or a negative';

CREATE FUNCTION churn_study_missing(study text) RETURNS void
    AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_study_missing(text) IS 'support function: raises 42501 for a study that is somebody else''s, 42704 for one that is not there';

-- The row of a study, or an error that says what to do.
CREATE FUNCTION churn_study_row(name text) RETURNS churn_studies
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    found_row @extschema@.churn_studies;
BEGIN
    SELECT * INTO found_row FROM @extschema@.churn_studies AS s WHERE s.study = name;
    IF found_row.study IS NULL THEN
        IF name IS NULL THEN
            RAISE EXCEPTION 'study must not be null' USING ERRCODE = 'null_value_not_allowed';
        END IF;
        PERFORM @extschema@.churn_study_missing(name);
    END IF;
    RETURN found_row;
END
$$;
COMMENT ON FUNCTION churn_study_row(text) IS 'support function of all that take a study: its row; 42704 with a hint where there is none, 42501 where it is not yours';

-- The same, and until the end of the transaction nobody else trains,
-- refreshes or promotes in this study.
CREATE FUNCTION churn_study_lock(name text) RETURNS churn_studies
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    PERFORM FROM @extschema@.churn_studies AS s WHERE s.study = name FOR UPDATE;
    RETURN @extschema@.churn_study_row(name);
END
$$;
COMMENT ON FUNCTION churn_study_lock(text) IS 'support function of what changes a study: its row, locked; errors as churn_study_row';

-- Create, alter, drop -------------------------------------------------------

CREATE FUNCTION churn_check_study(definition churn_studies) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d ALIAS FOR definition;
BEGIN
    IF d.study IS NULL OR octet_length(d.study) NOT BETWEEN 1 AND 48 THEN
        RAISE EXCEPTION 'the name of a study must have 1 to 48 bytes, not %',
            coalesce(octet_length(d.study), 0)
            USING ERRCODE = 'invalid_name';
    END IF;
    IF d.churn_window IS NULL OR d.churn_window < 1 THEN
        RAISE EXCEPTION 'churn_window must be at least one day'
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'It is the silence that means churn, such as churn_window => ''90 days''.';
    END IF;
    IF d.lookback IS NULL OR d.lookback < 1 OR d.active_window < 1 THEN
        RAISE EXCEPTION 'lookback and active_window must be at least one day'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF d.active_window > d.lookback THEN
        RAISE EXCEPTION 'active_window (% days) must not exceed lookback (% days)',
            d.active_window, d.lookback
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Features would not see the event that puts a user at risk: lengthen lookback or shorten active_window.';
    END IF;
    IF d.holdout_share IS NULL OR NOT (d.holdout_share >= 0 AND d.holdout_share < 1) THEN
        RAISE EXCEPTION 'holdout_share must be at least 0 and below 1, not %', d.holdout_share
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF cardinality(d.key_kinds) = 0 THEN
        RAISE EXCEPTION 'key_kinds must name a kind'
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Leave it unsaid where the sources give one kind only.';
    END IF;
    IF NOT isfinite(d.complete_until) THEN
        RAISE EXCEPTION 'complete_until must be a finite date'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- the spec's own checks cover windows, kinds and the zone
    PERFORM @extschema@.churn_spec(windows => d.windows, lookback => d.lookback,
        kinds => d.key_kinds, key_kinds => d.key_kinds,
        churn_window => d.churn_window, time_zone => d.time_zone);
    IF NOT EXISTS (SELECT FROM pg_namespace AS n WHERE n.nspname = d.table_schema) THEN
        RAISE EXCEPTION 'schema "%" does not exist', coalesce(d.table_schema, '')
            USING ERRCODE = 'invalid_schema_name',
                  HINT = 'Create it, or name another by schema => ''…''.';
    END IF;
    IF NOT has_schema_privilege(d.owner::oid, d.table_schema, 'CREATE') THEN
        RAISE EXCEPTION 'permission denied for schema %', d.table_schema
            USING ERRCODE = 'insufficient_privilege',
                  HINT = 'The study keeps its tables there: name a schema you may create tables in by schema => ''…''.';
    END IF;
    IF d.active_window > d.churn_window THEN
        RAISE NOTICE 'active_window (% days) is longer than churn_window (% days): users silent for longer count as at risk, which raises the AUC for free',
            d.active_window, d.churn_window;
    END IF;
END
$$;
COMMENT ON FUNCTION churn_check_study(churn_studies) IS 'support function of churn_create_study: every check of a definition; 22023, 42602, 3F000 or 42501 with what to do';

CREATE FUNCTION churn_create_study(study text, churn_window interval,
    lookback interval DEFAULT '730 days', active_window interval DEFAULT NULL,
    gap interval DEFAULT '0 days', min_tenure interval DEFAULT '0 days',
    key_kinds text[] DEFAULT NULL, windows int[] DEFAULT '{7,30,90,180,365}',
    time_zone text DEFAULT 'UTC', holdout_share float8 DEFAULT 0,
    complete_until date DEFAULT NULL, schema text DEFAULT pg_catalog.current_schema())
    RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d @extschema@.churn_studies;
BEGIN
    d.study := study;
    d.owner := quote_ident(current_user)::regrole;
    d.table_schema := schema;
    d.churn_window := @extschema@.churn_whole_days(churn_window, 'churn_window');
    d.lookback := @extschema@.churn_whole_days(lookback, 'lookback');
    d.active_window := coalesce(
        @extschema@.churn_whole_days(active_window, 'active_window'),
        least(d.churn_window, d.lookback));
    d.gap := coalesce(@extschema@.churn_whole_days(gap, 'gap'), 0);
    d.min_tenure := coalesce(@extschema@.churn_whole_days(min_tenure, 'min_tenure'), 0);
    d.key_kinds := key_kinds;
    d.windows := coalesce(windows, '{7,30,90,180,365}');
    d.time_zone := coalesce(time_zone, 'UTC');
    d.holdout_share := holdout_share;
    d.complete_until := complete_until;
    PERFORM @extschema@.churn_check_study(d);
    INSERT INTO @extschema@.churn_studies (study, owner, table_schema, churn_window,
        lookback, active_window, gap, min_tenure, key_kinds, windows, time_zone,
        holdout_share, complete_until)
    VALUES (d.study, d.owner, d.table_schema, d.churn_window, d.lookback,
        d.active_window, d.gap, d.min_tenure, d.key_kinds, d.windows, d.time_zone,
        d.holdout_share, d.complete_until);
EXCEPTION WHEN unique_violation THEN
    RAISE EXCEPTION 'study "%" exists already', study
        USING ERRCODE = 'duplicate_object',
              HINT = 'Choose another name, change it by churn_alter_study, or drop it by churn_drop_study.';
END
$$;
COMMENT ON FUNCTION churn_create_study(text, interval, interval, interval, interval, interval, text[], int[], text, float8, date, text) IS 'store a definition of churn: churned = no event of a key kind in the churn_window that begins gap after the as-of date; windows are intervals of whole days; errors: 22023 bad value, 42710 name taken, 3F000 or 42501 schema';

CREATE FUNCTION churn_alter_study(study text, churn_window interval DEFAULT NULL,
    lookback interval DEFAULT NULL, active_window interval DEFAULT NULL,
    gap interval DEFAULT NULL, min_tenure interval DEFAULT NULL,
    key_kinds text[] DEFAULT NULL, windows int[] DEFAULT NULL,
    time_zone text DEFAULT NULL, holdout_share float8 DEFAULT NULL,
    complete_until date DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d @extschema@.churn_studies := @extschema@.churn_study_row(study);
    tied boolean := d.active_window = least(d.churn_window, d.lookback);
BEGIN
    d.churn_window := coalesce(@extschema@.churn_whole_days(churn_window, 'churn_window'), d.churn_window);
    d.lookback := coalesce(@extschema@.churn_whole_days(lookback, 'lookback'), d.lookback);
    d.active_window := coalesce(@extschema@.churn_whole_days(active_window, 'active_window'),
        CASE WHEN tied THEN least(d.churn_window, d.lookback) END, d.active_window);
    d.gap := coalesce(@extschema@.churn_whole_days(gap, 'gap'), d.gap);
    d.min_tenure := coalesce(@extschema@.churn_whole_days(min_tenure, 'min_tenure'), d.min_tenure);
    d.key_kinds := coalesce(key_kinds, d.key_kinds);
    d.windows := coalesce(windows, d.windows);
    d.time_zone := coalesce(time_zone, d.time_zone);
    d.holdout_share := coalesce(holdout_share, d.holdout_share);
    d.complete_until := coalesce(complete_until, d.complete_until);
    PERFORM @extschema@.churn_check_study(d);
    UPDATE @extschema@.churn_studies AS s
    SET churn_window = d.churn_window, lookback = d.lookback,
        active_window = d.active_window, gap = d.gap, min_tenure = d.min_tenure,
        key_kinds = d.key_kinds, windows = d.windows, time_zone = d.time_zone,
        holdout_share = d.holdout_share, complete_until = d.complete_until,
        revision = DEFAULT
    WHERE s.study = d.study;
END
$$;
COMMENT ON FUNCTION churn_alter_study(text, interval, interval, interval, interval, interval, text[], int[], text, float8, date) IS 'change what is given, keep the rest; an active_window that was left to its default follows the churn window; models trained before keep their own definition; errors as churn_create_study';

CREATE FUNCTION churn_drop_study(study text, cascade boolean DEFAULT false) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d @extschema@.churn_studies := @extschema@.churn_study_row(study);
    part record;
BEGIN
    FOR part IN SELECT v.what, format('%I.%I', d.table_schema, d.study || v.suffix) AS name
                FROM (VALUES ('VIEW', '_churn'), ('VIEW', '_features'), ('TABLE', '_scores'),
                    ('TABLE', '_score_log'), ('TABLE', '_snapshots'), ('TABLE', '_history')) AS v (what, suffix)
                -- before the first source has told the key's type, tables of
                -- these names are somebody else's
                WHERE d.user_type IS NOT NULL
    LOOP
        IF to_regclass(part.name) IS NOT NULL THEN
            EXECUTE format('DROP %s %s %s', part.what, part.name,
                CASE WHEN cascade THEN 'CASCADE' ELSE 'RESTRICT' END);
        END IF;
    END LOOP;
    DELETE FROM @extschema@.churn_studies AS s WHERE s.study = d.study;
END
$$;
COMMENT ON FUNCTION churn_drop_study(text, boolean) IS 'drop a study with its sources, models, tables and views; cascade also drops what others built on those (else 2BP01); 42501 unless the caller owns them';
