-- What the highest scores hold.
CREATE FUNCTION churn_lift_final(churn_ranking) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_lift_final(churn_ranking) IS 'support function of churn_lift';
CREATE AGGREGATE churn_lift(score float8, label boolean, share float8) (
    SFUNC = churn_share_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_lift_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_lift(float8, boolean, float8) IS
    'churn rate among the highest share of scores over that of all rows; ties at the cut-off by expected value; NULL without churners';
