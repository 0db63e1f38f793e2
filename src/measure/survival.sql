-- Durations that ended and durations still open: Kaplan-Meier.
CREATE FUNCTION churn_survival_trans(bigint[], integer, boolean) RETURNS bigint[]
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_survival_trans(bigint[], integer, boolean) IS
    'support function of churn_survival';

CREATE FUNCTION churn_survival_trans(bigint[], integer, boolean, bigint) RETURNS bigint[]
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_survival_trans(bigint[], integer, boolean, bigint) IS
    'support function of churn_survival';

CREATE FUNCTION churn_survival_combine(bigint[], bigint[]) RETURNS bigint[]
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_survival_combine(bigint[], bigint[]) IS
    'support function of churn_survival: day by day sum of two states';

CREATE FUNCTION churn_survival_final(bigint[]) RETURNS bigint[]
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_survival_final(bigint[]) IS
    'support function of churn_survival';

CREATE AGGREGATE churn_survival(duration integer, event boolean) (
    SFUNC = churn_survival_trans, STYPE = bigint[], SSPACE = 4096,
    COMBINEFUNC = churn_survival_combine, FINALFUNC = churn_survival_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_survival(integer, boolean) IS
    'durations in days counted by length: an array with a pair {ended, open} a day from day 0 on (event false: still open when last seen); read by churn_survival_curve; rows with NULL are ignored, no row gives NULL; 22003 below 0 or above 36500 days';

CREATE AGGREGATE churn_survival(duration integer, event boolean, times bigint) (
    SFUNC = churn_survival_trans, STYPE = bigint[], SSPACE = 4096,
    COMBINEFUNC = churn_survival_combine, FINALFUNC = churn_survival_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_survival(integer, boolean, bigint) IS
    'the same for rows that stand for so many durations each';

CREATE FUNCTION churn_survival_curve(counts bigint[], level float8 DEFAULT 0.95,
    OUT day integer, OUT at_risk bigint, OUT ended bigint, OUT open bigint,
    OUT survival float8, OUT std_error float8, OUT lower float8, OUT upper float8)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 500;
COMMENT ON FUNCTION churn_survival_curve(bigint[], float8) IS
    'Kaplan-Meier curve of churn_survival: a row a day with the durations of at least so many days, those that ended and those last seen on it, the share that lasts longer, Greenwood''s standard error, and the band of log(-log) (NULL where the share is 0 or 1); Kaplan and Meier 1958; 22023 for a level outside (0, 1) or another array';
