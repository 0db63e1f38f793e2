-- How much of a training set fits into churn.memory

CREATE FUNCTION churn_fit_share(rows bigint, columns int) RETURNS float8
	LANGUAGE C STABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_fit_share(bigint, int) IS
'share of so many rows, 0 to 1, that a fit of so many columns can hold within churn.memory; 22023 for a negative number';
