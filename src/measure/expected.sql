-- What scores promise of themselves, without labels.
CREATE FUNCTION churn_expected_trans(churn_ranking, float8) RETURNS churn_ranking
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_expected_trans(churn_ranking, float8) IS
    'support function of churn_expected';

CREATE TYPE churn_expectation AS (
    n bigint,
    churn_rate float8,
    auc float8,
    precision_10 float8,
    lift_10 float8);
COMMENT ON TYPE churn_expectation IS
    'figures that calibrated scores promise: rows, churn rate, area under the ROC curve, churn rate of the highest tenth and its lift';

CREATE FUNCTION churn_expected_final(churn_ranking) RETURNS churn_expectation
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_expected_final(churn_ranking) IS
    'support function of churn_expected';

CREATE AGGREGATE churn_expected(score float8) (
    SFUNC = churn_expected_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_expected_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_expected(float8) IS
    'expected AUC, precision and lift of scores without labels (CBPE): assumes that scores are calibrated probabilities, and cannot see a changed relation between behaviour and churn; NULL scores are ignored; NULL without rows; 22003 outside [0, 1]';
