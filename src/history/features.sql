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
	LANGUAGE C STABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_feature_phrase_array(churn_history, date, churn_spec) IS
'support function of churn_feature_phrases';

CREATE FUNCTION churn_feature_phrases(history churn_history, as_of date, spec churn_spec)
	RETURNS TABLE (name text, value float8, phrase text)
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 200
	AS $$
		SELECT f.name, f.value, f.phrase
		FROM ROWS FROM (pg_catalog.unnest(@extschema@.churn_feature_names(spec)),
			pg_catalog.unnest(@extschema@.churn_features(history, as_of, spec)),
			pg_catalog.unnest(@extschema@.churn_feature_phrase_array(history, as_of, spec)))
			AS f(name, value, phrase)
	$$;
COMMENT ON FUNCTION churn_feature_phrases(churn_history, date, churn_spec) IS
'churn_features() as rows (name, value, clause in plain words, in the language of the setting churn.language)';

-- The words, in one table

CREATE FUNCTION churn_phrase_names() RETURNS text[]
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_phrase_names() IS 'support function of churn_phrases';

CREATE FUNCTION churn_phrase_texts(language text) RETURNS text[]
	LANGUAGE C STABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_phrase_texts(text) IS 'support function of churn_phrases: the templates of a language, NULL where the encoding of the database lacks its characters';

CREATE FUNCTION churn_phrase(template text, number float8 DEFAULT NULL, word text DEFAULT NULL) RETURNS text
	LANGUAGE C STABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_phrase(text, float8, text) IS 'support function of churn_explain: a phrase that speaks of a score, in the language of the setting churn.language';

CREATE FUNCTION churn_phrases()
	RETURNS TABLE (phrase text, language text, template text)
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 400
	SET search_path = pg_catalog, pg_temp
	AS $$
		SELECT t.phrase, l.language, t.template
		FROM (VALUES (1, 'en'), (2, 'zh')) AS l(place, language),
			ROWS FROM (unnest(@extschema@.churn_phrase_names()),
				unnest(@extschema@.churn_phrase_texts(l.language))) WITH ORDINALITY AS t(phrase, template, n)
		WHERE t.template IS NOT NULL
		ORDER BY t.n, l.place
	$$;
COMMENT ON FUNCTION churn_phrases() IS
'every phrase that reasons and explanations are made of, in every language (en, zh), with its places in braces; languages that the encoding of the database cannot hold are left out';
