-- churn_ranking: scores and labels as one value, from which every metric and
-- every curve is computed.
CREATE TYPE churn_ranking;

CREATE FUNCTION churn_ranking_in(cstring) RETURNS churn_ranking
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_ranking_in(cstring) IS 'support function of churn_ranking';
CREATE FUNCTION churn_ranking_out(churn_ranking) RETURNS cstring
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_ranking_out(churn_ranking) IS 'support function of churn_ranking';
CREATE FUNCTION churn_ranking_recv(internal) RETURNS churn_ranking
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_ranking_recv(internal) IS 'support function of churn_ranking';
CREATE FUNCTION churn_ranking_send(churn_ranking) RETURNS bytea
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_ranking_send(churn_ranking) IS 'support function of churn_ranking';

CREATE TYPE churn_ranking (
    INPUT = churn_ranking_in, OUTPUT = churn_ranking_out,
    RECEIVE = churn_ranking_recv, SEND = churn_ranking_send,
    INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended);
COMMENT ON TYPE churn_ranking IS
    'scores of churners and of stayers, in order; made by the aggregate churn_ranking(score, label), read by churn_roc, churn_gains and the other curves';

CREATE FUNCTION churn_order_trans(churn_ranking, float8, boolean) RETURNS churn_ranking
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_order_trans(churn_ranking, float8, boolean) IS
    'support function of churn_auc and the other metrics of the order of scores';
CREATE FUNCTION churn_scores_trans(churn_ranking, float8, boolean) RETURNS churn_ranking
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_scores_trans(churn_ranking, float8, boolean) IS
    'support function of churn_ranking and churn_evaluate';
CREATE FUNCTION churn_ranking_combine(churn_ranking, churn_ranking) RETURNS churn_ranking
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_ranking_combine(churn_ranking, churn_ranking) IS
    'support function of every metric: rows of two states together';
CREATE FUNCTION churn_ranking_final(churn_ranking) RETURNS churn_ranking
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_ranking_final(churn_ranking) IS
    'support function of churn_ranking';

CREATE AGGREGATE churn_ranking(score float8, label boolean) (
    SFUNC = churn_scores_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_ranking_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_ranking(float8, boolean) IS
    'all scores with their labels as one value, for the curves; rows with NULL are ignored and counted';

CREATE AGGREGATE churn_rank_order(score float8, label boolean) (
    SFUNC = churn_order_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_ranking_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_rank_order(float8, boolean) IS
    'like churn_ranking, but with ORDER BY score it keeps only the order, about 1.3 bits a row: for curves over very many rows; scores come out NULL';
