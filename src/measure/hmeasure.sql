-- H-measure.
CREATE FUNCTION churn_severity_trans(churn_ranking, float8, boolean, float8) RETURNS churn_ranking
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_severity_trans(churn_ranking, float8, boolean, float8) IS
    'support function of churn_h_measure';

CREATE FUNCTION churn_h_measure_final(churn_ranking) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_h_measure_final(churn_ranking) IS
    'support function of churn_h_measure';

CREATE AGGREGATE churn_h_measure(score float8, label boolean) (
    SFUNC = churn_order_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_h_measure_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_h_measure(float8, boolean) IS
    'H-measure (Hand 2009), severity ratio churners / stayers; NULL when a class is missing';

CREATE AGGREGATE churn_h_measure(score float8, label boolean, severity_ratio float8) (
    SFUNC = churn_severity_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_h_measure_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_h_measure(float8, boolean, float8) IS
    'H-measure (Hand 2009) for a ratio of the cost of a false alarm to that of a missed churner; NULL when a class is missing';
