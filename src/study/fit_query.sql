-- churn_fit_query: fit a model on the rows of a query that may be read twice.

CREATE FUNCTION churn_fit_query(query text, label_column text, options jsonb DEFAULT '{}')
    RETURNS churn_model
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION churn_fit_query(text, text, jsonb) IS 'fit a model on the rows of one SELECT, read-only and with the caller''s rights: counts first, then fits; the model is that of the aggregate churn_fit over the same rows, bit for bit, or, where churn.memory has no room for them, over whole users drawn by hash (rows, without option "key"), with a NOTICE; options as for churn_fit; NULL without labelled rows; errors: 42601 not one SELECT, 42703 a label, key or excluded column that the query does not give, 42701 two columns of one name, 22004 NULL query or label, else as churn_fit';
