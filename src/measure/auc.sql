-- Area under the ROC curve, its interval, and the test of two scores.
CREATE FUNCTION churn_auc_final(churn_ranking) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_auc_final(churn_ranking) IS
    'support function of churn_auc';

CREATE AGGREGATE churn_auc(score float8, label boolean) (
    SFUNC = churn_order_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_auc_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_auc(float8, boolean) IS
    'area under the ROC curve: probability that a churner has a higher score than a stayer, ties one half; NULL when a class is missing';

CREATE TYPE churn_auc_interval AS (
    auc float8,
    se float8,
    lower float8,
    upper float8);
COMMENT ON TYPE churn_auc_interval IS
    'area under the ROC curve with its standard error and 95 % interval';

CREATE FUNCTION churn_auc_ci_final(churn_ranking) RETURNS churn_auc_interval
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_auc_ci_final(churn_ranking) IS
    'support function of churn_auc_ci';

CREATE AGGREGATE churn_auc_ci(score float8, label boolean) (
    SFUNC = churn_order_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_auc_ci_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_auc_ci(float8, boolean) IS
    'churn_auc with standard error and 95 % interval after DeLong et al. 1988; NULL when a class is missing; no interval with fewer than two of a class';

CREATE FUNCTION churn_keyed_trans(churn_ranking, float8, boolean, text) RETURNS churn_ranking
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_keyed_trans(churn_ranking, float8, boolean, text) IS
    'support function of churn_auc_ci with a user key';

CREATE FUNCTION churn_keyed_trans(churn_ranking, float8, boolean, text, integer, integer) RETURNS churn_ranking
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_keyed_trans(churn_ranking, float8, boolean, text, integer, integer) IS
    'support function of churn_auc_ci with a user key';

CREATE FUNCTION churn_auc_keyed_final(churn_ranking) RETURNS churn_auc_interval
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_auc_keyed_final(churn_ranking) IS
    'support function of churn_auc_ci with a user key';

CREATE AGGREGATE churn_auc_ci(score float8, label boolean, user_key text) (
    SFUNC = churn_keyed_trans, STYPE = churn_ranking, SSPACE = 16384,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_auc_keyed_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_auc_ci(float8, boolean, text) IS
    'churn_auc with standard error and 95 % interval by cluster bootstrap: whole users, 1000 replicates, seed 1; NULL when a class is missing';

CREATE AGGREGATE churn_auc_ci(score float8, label boolean, user_key text, replicates integer, seed integer) (
    SFUNC = churn_keyed_trans, STYPE = churn_ranking, SSPACE = 16384,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_auc_keyed_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_auc_ci(float8, boolean, text, integer, integer) IS
    'churn_auc with standard error and 95 % interval by cluster bootstrap; NULL when a class is missing';

CREATE TYPE churn_auc_comparison AS (
    auc_a float8,
    auc_b float8,
    difference float8,
    se float8,
    lower float8,
    upper float8,
    z float8,
    p float8);
COMMENT ON TYPE churn_auc_comparison IS
    'areas of two scores of the same rows and the test of their difference';

CREATE FUNCTION churn_auc_test_trans(churn_ranking, float8, float8, boolean) RETURNS churn_ranking
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_auc_test_trans(churn_ranking, float8, float8, boolean) IS
    'support function of churn_auc_test';

CREATE FUNCTION churn_auc_test_trans(churn_ranking, float8, float8, boolean, text) RETURNS churn_ranking
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_auc_test_trans(churn_ranking, float8, float8, boolean, text) IS
    'support function of churn_auc_test';

CREATE FUNCTION churn_auc_test_trans(churn_ranking, float8, float8, boolean, text, integer, integer) RETURNS churn_ranking
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_auc_test_trans(churn_ranking, float8, float8, boolean, text, integer, integer) IS
    'support function of churn_auc_test';

CREATE FUNCTION churn_auc_test_final(churn_ranking) RETURNS churn_auc_comparison
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_auc_test_final(churn_ranking) IS
    'support function of churn_auc_test';

CREATE AGGREGATE churn_auc_test(score_a float8, score_b float8, label boolean) (
    SFUNC = churn_auc_test_trans, STYPE = churn_ranking, SSPACE = 16384,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_auc_test_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_auc_test(float8, float8, boolean) IS
    'paired test of two areas under the ROC curve (DeLong et al. 1988): difference, 95 % interval, z, two-sided p; NULL when a class is missing';

CREATE AGGREGATE churn_auc_test(score_a float8, score_b float8, label boolean, user_key text) (
    SFUNC = churn_auc_test_trans, STYPE = churn_ranking, SSPACE = 16384,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_auc_test_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_auc_test(float8, float8, boolean, text) IS
    'the same by cluster bootstrap: whole users, 1000 replicates, seed 1';

CREATE AGGREGATE churn_auc_test(score_a float8, score_b float8, label boolean, user_key text, replicates integer, seed integer) (
    SFUNC = churn_auc_test_trans, STYPE = churn_ranking, SSPACE = 16384,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_auc_test_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_auc_test(float8, float8, boolean, text, integer, integer) IS
    'the same by cluster bootstrap of so many replicates from a seed';
