-- Expected calibration error.
CREATE FUNCTION churn_bins_trans(churn_ranking, float8, boolean) RETURNS churn_ranking
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_bins_trans(churn_ranking, float8, boolean) IS
    'support function of churn_ece';

CREATE FUNCTION churn_bins_trans(churn_ranking, float8, boolean, integer) RETURNS churn_ranking
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_bins_trans(churn_ranking, float8, boolean, integer) IS
    'support function of churn_ece';

CREATE FUNCTION churn_bins_trans(churn_ranking, float8, boolean, integer, text) RETURNS churn_ranking
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_bins_trans(churn_ranking, float8, boolean, integer, text) IS
    'support function of churn_ece';

CREATE FUNCTION churn_ece_final(churn_ranking) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_ece_final(churn_ranking) IS
    'support function of churn_ece';

CREATE AGGREGATE churn_ece(score float8, label boolean) (
    SFUNC = churn_bins_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_ece_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_ece(float8, boolean) IS
    'expected calibration error over 10 bins of equal width; a score outside [0, 1] is an error (22003)';

CREATE AGGREGATE churn_ece(score float8, label boolean, bins integer) (
    SFUNC = churn_bins_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_ece_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_ece(float8, boolean, integer) IS
    'expected calibration error over bins of equal width; a score outside [0, 1] is an error (22003)';

CREATE AGGREGATE churn_ece(score float8, label boolean, bins integer, method text) (
    SFUNC = churn_bins_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_ece_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_ece(float8, boolean, integer, text) IS
    'expected calibration error over bins of equal ''width'' or equal ''count'', ties split in proportion; a score outside [0, 1] is an error (22003)';
