-- Two arms of an experiment.
CREATE TYPE churn_proportion_result AS (
    difference float8,
    se float8,
    lower float8,
    upper float8,
    z float8,
    p float8);
COMMENT ON TYPE churn_proportion_result IS
    'difference of two rates with 95 % interval, and the pooled z test';

CREATE FUNCTION churn_proportion_test(hits_a bigint, rows_a bigint, hits_b bigint, rows_b bigint) RETURNS churn_proportion_result
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_proportion_test(bigint, bigint, bigint, bigint) IS
    'difference of two rates a - b: 95 % interval, z pooled under no difference, two-sided p';

CREATE FUNCTION churn_split_test(counts float8[], shares float8[]) RETURNS churn_chi_square_result
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_split_test(float8[], float8[]) IS
    'sample-ratio mismatch: chi-square of the counts of the arms against their planned shares, on any scale';

CREATE FUNCTION churn_users_per_arm(base_rate float8, new_rate float8, power float8 DEFAULT 0.8, alpha float8 DEFAULT 0.05) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_users_per_arm(float8, float8, float8, float8) IS
    'users each arm needs so that a two-sided test finds the change with this power';

CREATE FUNCTION churn_sequence_rho(alpha float8, rows float8) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_sequence_rho(float8, float8) IS
    'parameter of an asymptotic confidence sequence that is tightest at so many rows (Waudby-Smith et al. 2024)';

CREATE FUNCTION churn_sequence_factor(alpha float8, rho float8, rows float8) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_sequence_factor(float8, float8, float8) IS
    'half-width of an asymptotic confidence sequence after so many rows, in standard deviations (Waudby-Smith et al. 2024, equation 9)';

CREATE FUNCTION churn_normal_p(z float8) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_normal_p(float8) IS
    'two-sided p of a normal deviate';
