-- churn_fit: aggregates that fit a model. Not PARALLEL SAFE: the final
-- function starts parallel workers of its own.

CREATE FUNCTION churn_fit_trans(internal, float8[], boolean, bigint, churn_spec, jsonb) RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_fit_trans(internal, float8[], boolean, bigint, churn_spec, jsonb) IS 'support function of churn_fit';

CREATE FUNCTION churn_fit_row_trans(internal, record, text) RETURNS internal
	LANGUAGE C STABLE PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_fit_row_trans(internal, record, text) IS 'support function of churn_fit';

CREATE FUNCTION churn_fit_row_trans(internal, record, text, jsonb) RETURNS internal
	LANGUAGE C STABLE PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_fit_row_trans(internal, record, text, jsonb) IS 'support function of churn_fit';

CREATE FUNCTION churn_fit_final(internal) RETURNS churn_model
	LANGUAGE C IMMUTABLE PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_fit_final(internal) IS 'support function of churn_fit';

CREATE AGGREGATE churn_fit(features float8[], churned boolean, user_key bigint, spec churn_spec, options jsonb) (
	SFUNC = churn_fit_trans,
	STYPE = internal,
	SSPACE = 1048576,
	FINALFUNC = churn_fit_final,
	PARALLEL = RESTRICTED
);
COMMENT ON AGGREGATE churn_fit(float8[], boolean, bigint, churn_spec, jsonb) IS
'fits a model on feature arrays of a spec: rows of one user_key stay in one fold (NULL: a user of its own), rows whose churned is NULL are left out; NULL without labelled rows; one class only, unknown options and spec differing between rows are error 22023, NaN or infinity 22003, a wrong number of features 2202E, too much for churn.memory 54000';

CREATE AGGREGATE churn_fit(row_value record, label_column text) (
	SFUNC = churn_fit_row_trans,
	STYPE = internal,
	SSPACE = 1048576,
	FINALFUNC = churn_fit_final,
	PARALLEL = RESTRICTED
);
COMMENT ON AGGREGATE churn_fit(record, text) IS
'fits a model on rows by name, with default options; see the form with options';

CREATE AGGREGATE churn_fit(row_value record, label_column text, options jsonb) (
	SFUNC = churn_fit_row_trans,
	STYPE = internal,
	SSPACE = 1048576,
	FINALFUNC = churn_fit_final,
	PARALLEL = RESTRICTED
);
COMMENT ON AGGREGATE churn_fit(record, text, jsonb) IS
'fits a model on rows by name: every column but the label, option "key" and those of option "exclude": numbers, booleans, texts and enums (by level), intervals (in days), dates and timestamps (as days before option "reference_date"); the label is boolean, 0 and 1, or the text of option "positive", without which a text label is error 22023; a column that does not exist is error 42703, one of another type or a date without reference_date 42804, else as for arrays';
