-- standing.sql: where a user stands at an as-of date, and what came after

CREATE FUNCTION churn_standing(history churn_history, as_of date, spec churn_spec,
    active_window int, min_tenure int DEFAULT 0,
    OUT stage text, OUT at_risk boolean, OUT recency int, OUT tenure int,
    OUT key_days int, OUT value float8, OUT next_day date)
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_standing(churn_history, date, churn_spec, int, int) IS 'stage of a user by what was knowable on the morning of as_of: new, repeat, returned (at risk), young (below min_tenure), lapsed, never; days since the last and first key day, number of key days; value: key-kind money less refunds of 365 days, floored at 0, times 365 / min(365, max(90, tenure)); next_day: last key day + own median gap; windows in days; 22023 or 22008 for bad ones';

CREATE FUNCTION churn_outcome(history churn_history, as_of date, spec churn_spec,
    gap int DEFAULT 0) RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_outcome(churn_history, date, churn_spec, int) IS 'churned: true when no key event lies in [as_of + gap, as_of + gap + churn window), by all that is known today; the caller knows whether that window is complete; 22023 without a churn window';
