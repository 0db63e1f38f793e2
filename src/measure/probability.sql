-- Scores as probabilities.
CREATE FUNCTION churn_brier_final(churn_ranking) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_brier_final(churn_ranking) IS
    'support function of churn_brier';

CREATE AGGREGATE churn_brier(score float8, label boolean) (
    SFUNC = churn_order_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_brier_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_brier(float8, boolean) IS
    'Brier score: mean of (score - outcome)^2; a score outside [0, 1] is an error (22003)';

CREATE FUNCTION churn_log_loss_final(churn_ranking) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_log_loss_final(churn_ranking) IS
    'support function of churn_log_loss';

CREATE AGGREGATE churn_log_loss(score float8, label boolean) (
    SFUNC = churn_order_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_log_loss_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_log_loss(float8, boolean) IS
    'log-loss: mean of -ln of the probability given to what happened; Infinity when a score of 0 or 1 was wrong; a score outside [0, 1] is an error (22003)';
