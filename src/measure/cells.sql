-- How the values of many features lie between cuts.
CREATE FUNCTION churn_cell_counts_trans(float8[], float8, float8[], int[], float8[]) RETURNS float8[]
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_cell_counts_trans(float8[], float8, float8[], int[], float8[]) IS
    'support function of churn_cell_counts';

CREATE FUNCTION churn_cell_counts_combine(float8[], float8[]) RETURNS float8[]
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_cell_counts_combine(float8[], float8[]) IS
    'support function of churn_cell_counts';

CREATE AGGREGATE churn_cell_counts(score float8, features float8[], positions int[], cuts float8[]) (
    SFUNC = churn_cell_counts_trans, STYPE = float8[], SSPACE = 16384,
    COMBINEFUNC = churn_cell_counts_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_cell_counts(float8, float8[], int[], float8[]) IS
    'rows in each cell of a score (position 0) and of the features at some positions: a row a position, a column a cell, cut j being the greatest value of cell j, the last column the rows without a value; cuts has a row a position, ascending, NaN where there are fewer; NULL without rows; 22023 where cuts and positions differ, 2202E a position beyond the features';

-- A row of an array of two dimensions.
CREATE FUNCTION churn_array_row(matrix float8[], i int) RETURNS float8[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$ SELECT array_agg(v ORDER BY o) FROM unnest(matrix[i:i]) WITH ORDINALITY AS u (v, o) $$;
COMMENT ON FUNCTION churn_array_row(float8[], int) IS
    'support function: row i of an array of two dimensions, as an array of one';
