-- Average precision.
CREATE FUNCTION churn_average_precision_final(churn_ranking) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_average_precision_final(churn_ranking) IS
    'support function of churn_average_precision';

CREATE AGGREGATE churn_average_precision(score float8, label boolean) (
    SFUNC = churn_order_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_average_precision_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_average_precision(float8, boolean) IS
    'average precision: sum of steps in recall times precision, rows that tie being one threshold; NULL without churners';
