-- Kolmogorov-Smirnov statistic.
CREATE FUNCTION churn_ks_final(churn_ranking) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_ks_final(churn_ranking) IS
    'support function of churn_ks';

CREATE AGGREGATE churn_ks(score float8, label boolean) (
    SFUNC = churn_order_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_ks_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_ks(float8, boolean) IS
    'Kolmogorov-Smirnov statistic: largest distance between the distributions of churners'' and stayers'' scores; NULL when a class is missing';
