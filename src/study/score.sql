-- score.sql: one user's score, now or at a date, and what lies behind it

CREATE FUNCTION churn_score(user_id anyelement, study text DEFAULT NULL,
    as_of date DEFAULT NULL) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL RESTRICTED COST 10000;
COMMENT ON FUNCTION churn_score(anyelement, text, date) IS 'probability in [0, 1] that a user leaves, by the champion of the study (the argument, else churn.study, else the only one of yours); live: counts the events up to this moment; as_of is today, tomorrow for a user with an event today, or a date given; NULL for a user unknown or not at risk (churn_explain says why); errors: 55000 no champion, 42704 or 42501 study, 42501 rights on a source';

CREATE FUNCTION churn_score(user_id text, study text DEFAULT NULL,
    as_of date DEFAULT NULL) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL RESTRICTED COST 10000;
COMMENT ON FUNCTION churn_score(text, text, date) IS 'the same for a plain literal, read as the type of the study''s user key; 22P02 when it cannot be';

-- What a live score is made of; every column but as_of may be NULL.
CREATE FUNCTION churn_live(user_id anyelement, study text DEFAULT NULL,
    as_of date DEFAULT NULL, OUT scored_as_of date, OUT history churn_history,
    OUT stage text, OUT at_risk boolean, OUT model_id bigint)
    AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL RESTRICTED COST 10000;
COMMENT ON FUNCTION churn_live(anyelement, text, date) IS 'support function of churn_explain: date, history, stage and champion behind a live score; errors as churn_score';

CREATE FUNCTION churn_live(user_id text, study text DEFAULT NULL,
    as_of date DEFAULT NULL, OUT scored_as_of date, OUT history churn_history,
    OUT stage text, OUT at_risk boolean, OUT model_id bigint)
    AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL RESTRICTED COST 10000;
COMMENT ON FUNCTION churn_live(text, text, date) IS 'the same for a plain literal';

-- A stored model as its study lets it speak.
CREATE FUNCTION churn_spoken_model(model_id bigint) RETURNS churn_model
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT @extschema@.churn_unname_too(m.model, s.unnamed)
        FROM @extschema@.churn_models AS m JOIN @extschema@.churn_studies AS s USING (study)
        WHERE m.id = model_id
    $$;
COMMENT ON FUNCTION churn_spoken_model(bigint) IS 'support function of churn_explain: a model of churn_models that does not name what its study marks (churn_set_unnamed)';

-- Rows that explain a live score, given what it is made of.
CREATE FUNCTION churn_explain_live(scored_as_of date, history churn_history,
    stage text, at_risk boolean, model_id bigint, OUT feature text,
    OUT value float8, OUT contribution float8, OUT phrase text) RETURNS SETOF record
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    model @extschema@.churn_model;
BEGIN
    IF at_risk IS NOT TRUE THEN
        feature := '(not at risk)';
        phrase := CASE
            WHEN history IS NULL THEN @extschema@.churn_phrase('score_unknown')
            WHEN stage = 'never' THEN @extschema@.churn_phrase('score_never', word => scored_as_of::text)
            WHEN stage = 'lapsed' THEN @extschema@.churn_phrase('score_lapsed')
            WHEN stage = 'young' THEN @extschema@.churn_phrase('score_young')
            END;
        RETURN NEXT;
        RETURN;
    END IF;
    model := @extschema@.churn_spoken_model(model_id);
    feature := '(base)';
    contribution := @extschema@.churn_base(model);
    phrase := @extschema@.churn_phrase('score_base', 100 / (1 + exp(-contribution)));
    RETURN NEXT;
    RETURN QUERY
        SELECT c.feature, c.value, c.contribution, c.phrase
        FROM @extschema@.churn_contributions(model, history, scored_as_of) AS c
        WHERE c.phrase IS NOT NULL
        ORDER BY abs(c.contribution) DESC, c.feature;
    RETURN QUERY
        SELECT '(unnamed)', NULL::float8, sum(c.contribution), @extschema@.churn_phrase('score_unnamed')
        FROM @extschema@.churn_contributions(model, history, scored_as_of) AS c
        WHERE c.phrase IS NULL
        HAVING count(*) > 0;
END
$$;
COMMENT ON FUNCTION churn_explain_live(date, churn_history, text, boolean, bigint) IS 'support function of churn_explain';

CREATE FUNCTION churn_explain(user_id anyelement, study text DEFAULT NULL,
    as_of date DEFAULT NULL, OUT feature text, OUT value float8,
    OUT contribution float8, OUT phrase text) RETURNS SETOF record
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    RETURN QUERY
        SELECT e.* FROM @extschema@.churn_live(user_id, study, as_of) AS l,
            @extschema@.churn_explain_live(l.scored_as_of, l.history, l.stage,
                l.at_risk, l.model_id) AS e;
END
$$;
COMMENT ON FUNCTION churn_explain(anyelement, text, date) IS 'why a user has their score: first a row (base), the log-odds of the average user, then a row a feature with its value, its contribution in log-odds against the average user, strongest first, and a phrase in plain words; base and contributions add up to the log-odds of churn_score; what is not to be named (churn_set_unnamed) is one last row (unnamed); for a user not at risk one row that says why; errors as churn_score';

CREATE FUNCTION churn_explain(user_id text, study text DEFAULT NULL,
    as_of date DEFAULT NULL, OUT feature text, OUT value float8,
    OUT contribution float8, OUT phrase text) RETURNS SETOF record
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    RETURN QUERY
        SELECT e.* FROM @extschema@.churn_live(user_id, study, as_of) AS l,
            @extschema@.churn_explain_live(l.scored_as_of, l.history, l.stage,
                l.at_risk, l.model_id) AS e;
END
$$;
COMMENT ON FUNCTION churn_explain(text, text, date) IS 'the same for a plain literal';

-- The same by theme, given what a live score is made of.
CREATE FUNCTION churn_explain_themes_live(scored_as_of date, history churn_history,
    stage text, at_risk boolean, model_id bigint, OUT theme text,
    OUT contribution float8, OUT features int, OUT feature text, OUT phrase text) RETURNS SETOF record
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    RETURN QUERY
        SELECT e.feature, e.contribution, NULL::int, NULL::text, e.phrase
        FROM @extschema@.churn_explain_live(scored_as_of, history, stage, at_risk, model_id) AS e
        WHERE e.feature IN ('(not at risk)', '(base)')
        LIMIT 1;
    IF at_risk IS TRUE THEN
        RETURN QUERY
            SELECT t.theme, t.contribution, t.features, t.feature, t.phrase
            FROM @extschema@.churn_themes(@extschema@.churn_spoken_model(model_id), history, scored_as_of) AS t;
    END IF;
END
$$;
COMMENT ON FUNCTION churn_explain_themes_live(date, churn_history, text, boolean, bigint) IS 'support function of churn_explain_themes';

CREATE FUNCTION churn_explain_themes(user_id anyelement, study text DEFAULT NULL,
    as_of date DEFAULT NULL, OUT theme text, OUT contribution float8,
    OUT features int, OUT feature text, OUT phrase text) RETURNS SETOF record
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    RETURN QUERY
        SELECT e.* FROM @extschema@.churn_live(user_id, study, as_of) AS l,
            @extschema@.churn_explain_themes_live(l.scored_as_of, l.history, l.stage,
                l.at_risk, l.model_id) AS e;
END
$$;
COMMENT ON FUNCTION churn_explain_themes(anyelement, text, date) IS 'why a user has their score, on half a page: churn_explain added up by theme (silence, activity, trend, rhythm, lapses, money, tenure, variety, calendar, ratio), strongest first after the row (base); features is how many were added up, feature the one that says it most plainly, phrase its words; base and contributions add up to the log-odds of churn_score; errors as churn_score';

CREATE FUNCTION churn_explain_themes(user_id text, study text DEFAULT NULL,
    as_of date DEFAULT NULL, OUT theme text, OUT contribution float8,
    OUT features int, OUT feature text, OUT phrase text) RETURNS SETOF record
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    RETURN QUERY
        SELECT e.* FROM @extschema@.churn_live(user_id, study, as_of) AS l,
            @extschema@.churn_explain_themes_live(l.scored_as_of, l.history, l.stage,
                l.at_risk, l.model_id) AS e;
END
$$;
COMMENT ON FUNCTION churn_explain_themes(text, text, date) IS 'the same for a plain literal';
