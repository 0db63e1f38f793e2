-- Area under the ROC curve.
CREATE FUNCTION churn_auc_final(churn_ranking) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_auc_final(churn_ranking) IS 'support function of churn_auc';
CREATE AGGREGATE churn_auc(score float8, label boolean) (
    SFUNC = churn_order_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_auc_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_auc(float8, boolean) IS
    'area under the ROC curve: probability that a churner has a higher score than a stayer, ties one half; NULL when a class is missing';
