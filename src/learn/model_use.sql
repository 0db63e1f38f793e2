-- What a model is made of, ranked, as points, and as plain SQL

CREATE FUNCTION churn_importance(model churn_model,
	OUT input text, OUT importance float8, OUT share float8,
	OUT alone float8, OUT in_pairs float8)
	RETURNS SETOF record
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_importance(churn_model) IS
'how much each input moves the score, strongest first. importance: standard deviation, over the training rows, of what it adds to the log-odds, alone and by half of the variance of each of its pairs (importance squared is alone squared plus in_pairs squared); share: its part of the sum of all variances, 0 to 1, NULL where nothing varies';

CREATE FUNCTION churn_scorecard(model churn_model,
	points_to_double_odds float8 DEFAULT 20, base_score float8 DEFAULT 600,
	base_odds float8 DEFAULT 50,
	OUT input text, OUT partner text, OUT coding text,
	OUT low float8, OUT high float8, OUT level text,
	OUT partner_low float8, OUT partner_high float8, OUT partner_level text,
	OUT points int, OUT exact float8, OUT share float8, OUT bound float8)
	RETURNS SETOF record
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_scorecard(churn_model, float8, float8, float8) IS
'a model as a table of points to be added up: one row "base" (input NULL), one a bin from low (inclusive) to high (exclusive), level, or cell of a pair. More points, less risk: base_score where base_odds users stay for each who leaves, points_to_double_odds more where twice as many do. points are exact rounded to whole numbers; bound, in every row the same, is how far a sum of points can lie from the exact one. A model with a linear number or date is error 22023, points beyond an integer 22003';

CREATE FUNCTION churn_model_sql(model churn_model, alias text DEFAULT NULL) RETURNS text
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_model_sql(churn_model, text) IS
'churn_predict(model, row) as a plain SQL expression over the columns of the row, all names quoted, behind alias if given: for a database without this extension; columns have the types that the model was fitted on; NULL for a NULL model, an empty alias is error 22023';
