-- Scores and their reasons: IMMUTABLE, nothing is read but the arguments

CREATE FUNCTION churn_predict(model churn_model, features float8[]) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'churn_predict_array';
COMMENT ON FUNCTION churn_predict(churn_model, float8[]) IS
'probability of churn, 0 to 1, from features in the order of churn_model_inputs(model), NULL where missing; a wrong number of features is error 2202E, NaN or infinity 22003, a model with texts 42804; booleans are 0 and 1, dates days before the reference date; values beyond the range seen in training count as its ends';

CREATE FUNCTION churn_predict(model churn_model, history churn_history, as_of date) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'churn_predict_history';
COMMENT ON FUNCTION churn_predict(churn_model, churn_history, date) IS
'probability of churn, 0 to 1, from what was knowable of a history on the morning of as_of; a model fitted on columns is error 22023, an infinite date 22008';

CREATE FUNCTION churn_predict(model churn_model, row_value record) RETURNS float8
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'churn_predict_row';
COMMENT ON FUNCTION churn_predict(churn_model, record) IS
'probability of churn, 0 to 1, from a row whose columns are found by name; others are ignored; a text that training knew too rarely or never counts as "other"; columns that are lacking are named in error 42703, one whose type cannot serve is error 42804, NaN or infinity 22003';

CREATE FUNCTION churn_log_odds(model churn_model, features float8[]) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'churn_log_odds_array';
COMMENT ON FUNCTION churn_log_odds(churn_model, float8[]) IS
'log-odds of churn_predict(model, features), any real number';

CREATE FUNCTION churn_log_odds(model churn_model, history churn_history, as_of date) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'churn_log_odds_history';
COMMENT ON FUNCTION churn_log_odds(churn_model, churn_history, date) IS
'log-odds of churn_predict(model, history, as_of), any real number';

CREATE FUNCTION churn_log_odds(model churn_model, row_value record) RETURNS float8
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'churn_log_odds_row';
COMMENT ON FUNCTION churn_log_odds(churn_model, record) IS
'log-odds of churn_predict(model, row), any real number';

CREATE FUNCTION churn_base(model churn_model) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_base(churn_model) IS
'log-odds of the average training row: churn_base plus all contributions is churn_log_odds';

CREATE FUNCTION churn_contributions(model churn_model, features float8[],
	OUT feature text, OUT value float8, OUT contribution float8, OUT phrase text)
	RETURNS SETOF record
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'churn_contributions_array';
COMMENT ON FUNCTION churn_contributions(churn_model, float8[]) IS
'what each value adds to the log-odds of the average training row, strongest first, with the value in words; NULL value: missing';

CREATE FUNCTION churn_contributions(model churn_model, history churn_history, as_of date,
	OUT feature text, OUT value float8, OUT contribution float8, OUT phrase text)
	RETURNS SETOF record
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'churn_contributions_history';
COMMENT ON FUNCTION churn_contributions(churn_model, churn_history, date) IS
'what each feature of a history adds to the log-odds of the average training row, strongest first, with the value in words; NULL value: undefined';

CREATE FUNCTION churn_contributions(model churn_model, row_value record,
	OUT feature text, OUT value float8, OUT contribution float8, OUT phrase text)
	RETURNS SETOF record
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'churn_contributions_row';
COMMENT ON FUNCTION churn_contributions(churn_model, record) IS
'what each column of a row adds to the log-odds of the average training row, strongest first, with the value in words; NULL value: missing, or a text; dates are days before the reference date';

CREATE FUNCTION churn_reasons(model churn_model, history churn_history, as_of date, n int DEFAULT 3) RETURNS text[]
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'churn_reasons_history';
COMMENT ON FUNCTION churn_reasons(churn_model, churn_history, date, int) IS
'the n strongest reasons for the risk in words: contributions are added up by theme (silence, activity, trend, rhythm, money, …) and each theme that raises the risk is named by the feature that says it most plainly; fewer where fewer raise it; n from 0 to 100';

CREATE FUNCTION churn_reasons(model churn_model, features float8[], n int DEFAULT 3) RETURNS text[]
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'churn_reasons_array';
COMMENT ON FUNCTION churn_reasons(churn_model, float8[], int) IS
'as for a history, from features in the order of churn_model_inputs(model)';

CREATE FUNCTION churn_reasons(model churn_model, row_value record, n int DEFAULT 3) RETURNS text[]
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'churn_reasons_row';
COMMENT ON FUNCTION churn_reasons(churn_model, record, int) IS
'the n strongest reasons for the risk in words, from a row whose columns are found by name: those that raise it, strongest first; n from 0 to 100';
