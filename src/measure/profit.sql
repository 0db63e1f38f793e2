-- Profit of a retention campaign.
CREATE FUNCTION churn_mpc_trans(churn_ranking, float8, boolean, float8, float8, float8, float8) RETURNS churn_ranking
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_mpc_trans(churn_ranking, float8, boolean, float8, float8, float8, float8) IS
    'support function of churn_mpc and churn_mpc_share';

CREATE FUNCTION churn_empc_trans(churn_ranking, float8, boolean, float8, float8, float8, float8, float8) RETURNS churn_ranking
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_empc_trans(churn_ranking, float8, boolean, float8, float8, float8, float8, float8) IS
    'support function of churn_empc and churn_empc_share';

CREATE FUNCTION churn_mpc_final(churn_ranking) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_mpc_final(churn_ranking) IS
    'support function of churn_mpc';

CREATE FUNCTION churn_mpc_share_final(churn_ranking) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_mpc_share_final(churn_ranking) IS
    'support function of churn_mpc_share';

CREATE FUNCTION churn_empc_final(churn_ranking) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_empc_final(churn_ranking) IS
    'support function of churn_empc';

CREATE FUNCTION churn_empc_share_final(churn_ranking) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_empc_share_final(churn_ranking) IS
    'support function of churn_empc_share';

CREATE AGGREGATE churn_mpc(score float8, label boolean) (
    SFUNC = churn_order_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_mpc_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_mpc(float8, boolean) IS
    'maximum profit a customer of a campaign (Verbraken et al. 2013) with the paper''s money: success rate 0.3, value 200, offer 10, contact 1; NULL when a class is missing';

CREATE AGGREGATE churn_mpc(score float8, label boolean, success_rate float8, value float8, offer_cost float8, contact_cost float8) (
    SFUNC = churn_mpc_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_mpc_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_mpc(float8, boolean, float8, float8, float8, float8) IS
    'maximum profit a customer of a campaign with your own money; NULL when a class is missing';

CREATE AGGREGATE churn_mpc_share(score float8, label boolean) (
    SFUNC = churn_order_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_mpc_share_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_mpc_share(float8, boolean) IS
    'share of customers to contact at churn_mpc; NULL when a class is missing';

CREATE AGGREGATE churn_mpc_share(score float8, label boolean, success_rate float8, value float8, offer_cost float8, contact_cost float8) (
    SFUNC = churn_mpc_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_mpc_share_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_mpc_share(float8, boolean, float8, float8, float8, float8) IS
    'share of customers to contact at churn_mpc; NULL when a class is missing';

CREATE AGGREGATE churn_empc(score float8, label boolean) (
    SFUNC = churn_order_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_empc_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_empc(float8, boolean) IS
    'expected maximum profit a customer (Verbraken et al. 2013) with the paper''s money: success rate Beta(6, 14), value 200, offer 10, contact 1; NULL when a class is missing';

CREATE AGGREGATE churn_empc(score float8, label boolean, alpha float8, beta float8, value float8, offer_cost float8, contact_cost float8) (
    SFUNC = churn_empc_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_empc_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_empc(float8, boolean, float8, float8, float8, float8, float8) IS
    'expected maximum profit a customer with your own money, success rate Beta(alpha, beta); NULL when a class is missing';

CREATE AGGREGATE churn_empc_share(score float8, label boolean) (
    SFUNC = churn_order_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_empc_share_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_empc_share(float8, boolean) IS
    'expected share of customers to contact at churn_empc; NULL when a class is missing';

CREATE AGGREGATE churn_empc_share(score float8, label boolean, alpha float8, beta float8, value float8, offer_cost float8, contact_cost float8) (
    SFUNC = churn_empc_trans, STYPE = churn_ranking, SSPACE = 8192,
    COMBINEFUNC = churn_ranking_combine, FINALFUNC = churn_empc_share_final,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_empc_share(float8, boolean, float8, float8, float8, float8, float8) IS
    'expected share of customers to contact at churn_empc; NULL when a class is missing';
