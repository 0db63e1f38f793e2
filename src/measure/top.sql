-- What the highest scores hold.
CREATE FUNCTION churn_share_trans(churn_ranking, float8, boolean, float8) RETURNS churn_ranking
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_share_trans(churn_ranking, float8, boolean, float8) IS
    'support function of churn_lift, churn_precision_at and churn_recall_at';

CREATE FUNCTION churn_count_trans(churn_ranking, float8, boolean, integer) RETURNS churn_ranking
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_count_trans(churn_ranking, float8, boolean, integer) IS
    'support function of churn_precision_at and churn_recall_at';

CREATE FUNCTION churn_lift_final(churn_ranking) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_lift_final(churn_ranking) IS
    'support function of churn_lift';

CREATE FUNCTION churn_precision_share_final(churn_ranking) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_precision_share_final(churn_ranking) IS
    'support function of churn_precision_at';

CREATE FUNCTION churn_precision_count_final(churn_ranking) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_precision_count_final(churn_ranking) IS
    'support function of churn_precision_at';

CREATE FUNCTION churn_recall_share_final(churn_ranking) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_recall_share_final(churn_ranking) IS
    'support function of churn_recall_at';

CREATE FUNCTION churn_recall_count_final(churn_ranking) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_recall_count_final(churn_ranking) IS
    'support function of churn_recall_at';

CREATE AGGREGATE churn_lift(score float8, label boolean, share float8) (
    SFUNC = churn_share_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_lift_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_lift(float8, boolean, float8) IS
    'churn rate among the highest share of scores over that of all rows; ties at the cut-off by expected value; NULL without churners';

CREATE AGGREGATE churn_precision_at(score float8, label boolean, share float8) (
    SFUNC = churn_share_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_precision_share_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_precision_at(float8, boolean, float8) IS
    'share of churners among the highest share of scores; ties at the cut-off by expected value';

CREATE AGGREGATE churn_precision_at(score float8, label boolean, count integer) (
    SFUNC = churn_count_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_precision_count_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_precision_at(float8, boolean, integer) IS
    'share of churners among the highest scores, so many or all there are; ties at the cut-off by expected value';

CREATE AGGREGATE churn_recall_at(score float8, label boolean, share float8) (
    SFUNC = churn_share_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_recall_share_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_recall_at(float8, boolean, float8) IS
    'share of all churners that the highest share of scores holds; ties at the cut-off by expected value; NULL without churners';

CREATE AGGREGATE churn_recall_at(score float8, label boolean, count integer) (
    SFUNC = churn_count_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_recall_count_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_recall_at(float8, boolean, integer) IS
    'share of all churners that so many of the highest scores hold; ties at the cut-off by expected value; NULL without churners';
