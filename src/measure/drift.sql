-- Two distributions compared, as functions over cells and as aggregates.
CREATE FUNCTION churn_psi(expected float8[], actual float8[], empty_share float8 DEFAULT 0.0001) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_psi(float8[], float8[], float8) IS
    'population stability index of two distributions (counts or shares) over the same cells; an empty cell counts as empty_share';

CREATE FUNCTION churn_psi_critical(expected_rows float8, actual_rows float8, bins integer, level float8 DEFAULT 0.95) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_psi_critical(float8, float8, integer, float8) IS
    'PSI that two samples of these sizes exceed by chance in 1 - level of cases: (1/n + 1/m) times the chi-square quantile with bins - 1 degrees of freedom';

CREATE TYPE churn_psi_result AS (
    psi float8,
    critical float8,
    p float8,
    bins integer,
    expected_rows float8,
    actual_rows float8);
COMMENT ON TYPE churn_psi_result IS
    'PSI with the value that chance exceeds in 5 % of cases for these sample sizes';

CREATE FUNCTION churn_psi_test(expected float8[], actual float8[], level float8 DEFAULT 0.95) RETURNS churn_psi_result
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_psi_test(float8[], float8[], float8) IS
    'PSI of two distributions of counts beside its critical value for the sample sizes';

CREATE FUNCTION churn_js_divergence(expected float8[], actual float8[]) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_js_divergence(float8[], float8[]) IS
    'Jensen-Shannon divergence of two distributions, in bits: 0 same, 1 disjoint';

CREATE FUNCTION churn_js_distance(expected float8[], actual float8[]) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_js_distance(float8[], float8[]) IS
    'Jensen-Shannon distance: root of the divergence';

CREATE TYPE churn_chi_square_result AS (
    chi_square float8,
    df integer,
    critical float8,
    p float8);
COMMENT ON TYPE churn_chi_square_result IS
    'a chi-square statistic, its 95 % critical value and p';

CREATE FUNCTION churn_chi_square(expected float8[], actual float8[]) RETURNS churn_chi_square_result
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_chi_square(float8[], float8[]) IS
    'chi-square test that two samples of counts over the same cells have one distribution';

CREATE TYPE churn_ks_result AS (
    distance float8,
    critical float8,
    p float8,
    expected_rows float8,
    actual_rows float8);
COMMENT ON TYPE churn_ks_result IS
    'a Kolmogorov-Smirnov distance, its 95 % critical value and asymptotic p';

CREATE FUNCTION churn_ks_test(expected float8[], actual float8[]) RETURNS churn_ks_result
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_ks_test(float8[], float8[]) IS
    'Kolmogorov-Smirnov distance of two distributions of counts over ordered cells; cells hide differences within, so p is too large rather than too small';

CREATE FUNCTION churn_cells_trans(churn_ranking, float8, boolean) RETURNS churn_ranking
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_cells_trans(churn_ranking, float8, boolean) IS
    'support function of churn_psi and other comparisons of two samples';

CREATE FUNCTION churn_cells_trans(churn_ranking, float8, boolean, integer) RETURNS churn_ranking
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_cells_trans(churn_ranking, float8, boolean, integer) IS
    'support function of churn_psi and other comparisons of two samples';

CREATE FUNCTION churn_psi_final(churn_ranking) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_psi_final(churn_ranking) IS
    'support function of churn_psi';

CREATE AGGREGATE churn_psi(value float8, actual boolean) (
    SFUNC = churn_cells_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_psi_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_psi(float8, boolean) IS
    'population stability index over at most 10 cells cut at the quantiles of the expected sample (actual = false); NULL when a sample is empty';

CREATE AGGREGATE churn_psi(value float8, actual boolean, bins integer) (
    SFUNC = churn_cells_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_psi_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_psi(float8, boolean, integer) IS
    'population stability index over at most so many cells cut at the quantiles of the expected sample (actual = false); NULL when a sample is empty';

CREATE FUNCTION churn_psi_test_final(churn_ranking) RETURNS churn_psi_result
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_psi_test_final(churn_ranking) IS
    'support function of churn_psi_test';

CREATE AGGREGATE churn_psi_test(value float8, actual boolean) (
    SFUNC = churn_cells_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_psi_test_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_psi_test(float8, boolean) IS
    'PSI beside its critical value for the sample sizes over at most 10 cells cut at the quantiles of the expected sample (actual = false); NULL when a sample is empty';

CREATE AGGREGATE churn_psi_test(value float8, actual boolean, bins integer) (
    SFUNC = churn_cells_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_psi_test_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_psi_test(float8, boolean, integer) IS
    'PSI beside its critical value for the sample sizes over at most so many cells cut at the quantiles of the expected sample (actual = false); NULL when a sample is empty';

CREATE FUNCTION churn_js_divergence_final(churn_ranking) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_js_divergence_final(churn_ranking) IS
    'support function of churn_js_divergence';

CREATE AGGREGATE churn_js_divergence(value float8, actual boolean) (
    SFUNC = churn_cells_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_js_divergence_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_js_divergence(float8, boolean) IS
    'Jensen-Shannon divergence in bits over at most 10 cells cut at the quantiles of the expected sample (actual = false); NULL when a sample is empty';

CREATE AGGREGATE churn_js_divergence(value float8, actual boolean, bins integer) (
    SFUNC = churn_cells_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_js_divergence_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_js_divergence(float8, boolean, integer) IS
    'Jensen-Shannon divergence in bits over at most so many cells cut at the quantiles of the expected sample (actual = false); NULL when a sample is empty';

CREATE FUNCTION churn_js_distance_final(churn_ranking) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_js_distance_final(churn_ranking) IS
    'support function of churn_js_distance';

CREATE AGGREGATE churn_js_distance(value float8, actual boolean) (
    SFUNC = churn_cells_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_js_distance_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_js_distance(float8, boolean) IS
    'Jensen-Shannon distance over at most 10 cells cut at the quantiles of the expected sample (actual = false); NULL when a sample is empty';

CREATE AGGREGATE churn_js_distance(value float8, actual boolean, bins integer) (
    SFUNC = churn_cells_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_js_distance_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_js_distance(float8, boolean, integer) IS
    'Jensen-Shannon distance over at most so many cells cut at the quantiles of the expected sample (actual = false); NULL when a sample is empty';

CREATE FUNCTION churn_chi_square_final(churn_ranking) RETURNS churn_chi_square_result
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_chi_square_final(churn_ranking) IS
    'support function of churn_chi_square';

CREATE AGGREGATE churn_chi_square(value float8, actual boolean) (
    SFUNC = churn_cells_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_chi_square_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_chi_square(float8, boolean) IS
    'chi-square test of one distribution over at most 10 cells cut at the quantiles of the expected sample (actual = false); NULL when a sample is empty';

CREATE AGGREGATE churn_chi_square(value float8, actual boolean, bins integer) (
    SFUNC = churn_cells_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_chi_square_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_chi_square(float8, boolean, integer) IS
    'chi-square test of one distribution over at most so many cells cut at the quantiles of the expected sample (actual = false); NULL when a sample is empty';

CREATE FUNCTION churn_ks_test_final(churn_ranking) RETURNS churn_ks_result
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_ks_test_final(churn_ranking) IS
    'support function of churn_ks_test';

CREATE AGGREGATE churn_ks_test(value float8, actual boolean) (
    SFUNC = churn_order_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_ks_test_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_ks_test(float8, boolean) IS
    'two-sample Kolmogorov-Smirnov test over the values themselves; NULL when a sample is empty';
