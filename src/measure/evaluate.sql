-- Every figure of a score in one row.
CREATE TYPE churn_evaluation AS (
    n bigint,
    churners bigint,
    ignored bigint,
    base_rate float8,
    mean_score float8,
    auc float8,
    auc_se float8,
    auc_lower float8,
    auc_upper float8,
    ks float8,
    average_precision float8,
    h_measure float8,
    lift_10 float8,
    precision_10 float8,
    recall_10 float8,
    brier float8,
    log_loss float8,
    ece_width float8,
    ece_count float8,
    calibration_in_the_large float8,
    calibration_intercept float8,
    calibration_slope float8,
    mpc float8,
    mpc_share float8,
    empc float8,
    empc_share float8);
COMMENT ON TYPE churn_evaluation IS
    'every figure of a score: rows used and ignored, rank figures, the top tenth (_10), figures of probabilities over 10 bins, profit with the paper''s money';

CREATE FUNCTION churn_evaluate_final(churn_ranking) RETURNS churn_evaluation
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_evaluate_final(churn_ranking) IS
    'support function of churn_evaluate';

CREATE AGGREGATE churn_evaluate(score float8, label boolean) (
    SFUNC = churn_scores_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_evaluate_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_evaluate(float8, boolean) IS
    'every figure in one row; figures of probabilities are NULL where a score lies outside [0, 1]; NULL without rows';

CREATE FUNCTION churn_evaluate_keyed_final(churn_ranking) RETURNS churn_evaluation
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_evaluate_keyed_final(churn_ranking) IS
    'support function of churn_evaluate with a user key';

CREATE AGGREGATE churn_evaluate(score float8, label boolean, user_key text) (
    SFUNC = churn_keyed_trans, STYPE = churn_ranking, SSPACE = 16384,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_evaluate_keyed_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_evaluate(float8, boolean, text) IS
    'the same with the interval of the area by cluster bootstrap: whole users, 1000 replicates, seed 1';

CREATE AGGREGATE churn_evaluate(score float8, label boolean, user_key text, replicates integer, seed integer) (
    SFUNC = churn_keyed_trans, STYPE = churn_ranking, SSPACE = 16384,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_evaluate_keyed_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_evaluate(float8, boolean, text, integer, integer) IS
    'the same by so many replicates from a seed';
