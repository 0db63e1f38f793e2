-- How much of a training set a fit can keep

CREATE FUNCTION churn_fit_share(rows bigint, columns int) RETURNS float8
	LANGUAGE C STABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_fit_share(bigint, int) IS
'share of so many rows, 0 to 1, that a fit of so many columns can keep: 1, but where temp_file_limit is set, what it and churn.memory have room for; 22023 for a negative number';
