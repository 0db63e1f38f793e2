-- Curves of a ranking as rows.
CREATE FUNCTION churn_roc(ranking churn_ranking)
    RETURNS TABLE (threshold float8, churners bigint, stayers bigint, true_positive_rate float8, false_positive_rate float8)
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_roc(churn_ranking) IS
    'ROC curve: churners and stayers with a score at or above each threshold, highest first, from Infinity (nobody); scores are NULL where the ranking keeps only the order';

CREATE FUNCTION churn_precision_recall(ranking churn_ranking)
    RETURNS TABLE (threshold float8, flagged bigint, churners bigint, "precision" float8, recall float8)
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_precision_recall(churn_ranking) IS
    'precision-recall curve: a row a threshold, highest first; scores are NULL where the ranking keeps only the order';

CREATE FUNCTION churn_gains(ranking churn_ranking, bins integer DEFAULT 10)
    RETURNS TABLE (bin integer, n bigint, churners float8, lowest_score float8, highest_score float8, rate float8, lift float8, cumulative_share float8, cumulative_lift float8, ks float8)
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_gains(churn_ranking, integer) IS
    'gains table over bins of equal count, highest scores first: churn rate, lift, share of all churners so far, KS so far; ties across a border by expected value; scores are NULL where the ranking keeps only the order';

CREATE FUNCTION churn_calibration(ranking churn_ranking, bins integer DEFAULT 10, method text DEFAULT 'width')
    RETURNS TABLE (bin integer, lowest_score float8, highest_score float8, n bigint, mean_score float8, churners float8, rate float8, lower float8, upper float8)
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_calibration(churn_ranking, integer, text) IS
    'calibration curve over bins of equal ''width'' or equal ''count'': mean score against churn rate with Wilson''s 95 % interval; empty bins are left out; a score outside [0, 1] is an error (22003)';

CREATE FUNCTION churn_contacts(ranking churn_ranking, success_rate float8, value float8, offer_cost float8, contact_cost float8, contacts bigint[] DEFAULT NULL)
    RETURNS TABLE (contacted bigint, churners float8, false_alarms float8, "precision" float8, recall float8, saved float8, cost float8, revenue float8, profit float8)
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_contacts(churn_ranking, float8, float8, float8, float8, bigint[]) IS
    'contact table: for so many of the highest scores (by default every tenth of the rows) churners caught, false alarms, churners saved, cost of contacts and offers, value saved, profit; ties at the cut-off by expected value';
