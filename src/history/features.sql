-- Features of a history on the morning of a date

CREATE FUNCTION churn_feature_names(spec churn_spec) RETURNS text[]
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_feature_names(churn_spec) IS
'names of the features of a spec, in the order of churn_features(); a spec without kinds is error 22023';

CREATE FUNCTION churn_features(history churn_history, as_of date, spec churn_spec)
	RETURNS float8[]
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_features(churn_history, date, churn_spec) IS
'behavioural features knowable on the morning of as_of, NULL where undefined; a NULL history has no events, a NULL date or spec gives NULL, an infinite date is error 22008; formulas in doc/features.md';

CREATE FUNCTION churn_feature_values(history churn_history, as_of date, spec churn_spec)
	RETURNS TABLE (name text, value float8)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 200
	AS $$
		SELECT f.name, f.value
		FROM ROWS FROM (pg_catalog.unnest(@extschema@.churn_feature_names(spec)),
			pg_catalog.unnest(@extschema@.churn_features(history, as_of, spec)))
			AS f(name, value)
	$$;
COMMENT ON FUNCTION churn_feature_values(churn_history, date, churn_spec) IS
'churn_features() as rows (name, value), for people';

CREATE FUNCTION churn_feature_phrase_array(history churn_history, as_of date, spec churn_spec)
	RETURNS text[]
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_feature_phrase_array(churn_history, date, churn_spec) IS
'support function of churn_feature_phrases';

CREATE FUNCTION churn_feature_phrases(history churn_history, as_of date, spec churn_spec)
	RETURNS TABLE (name text, value float8, phrase text)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 200
	AS $$
		SELECT f.name, f.value, f.phrase
		FROM ROWS FROM (pg_catalog.unnest(@extschema@.churn_feature_names(spec)),
			pg_catalog.unnest(@extschema@.churn_features(history, as_of, spec)),
			pg_catalog.unnest(@extschema@.churn_feature_phrase_array(history, as_of, spec)))
			AS f(name, value, phrase)
	$$;
COMMENT ON FUNCTION churn_feature_phrases(churn_history, date, churn_spec) IS
'churn_features() as rows (name, value, clause in plain English)';
