-- churn_history: merging, cutting, comparing, reading; see doc/history.md

CREATE FUNCTION churn_merge_trans(internal, churn_history) RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_merge_trans(internal, churn_history) IS 'support function of churn_merge';

CREATE AGGREGATE churn_merge(history churn_history) (
	SFUNC = churn_merge_trans,
	STYPE = internal,
	SSPACE = 288,
	FINALFUNC = churn_history_final,
	COMBINEFUNC = churn_history_combine,
	SERIALFUNC = churn_history_serial,
	DESERIALFUNC = churn_history_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_merge(churn_history) IS
'all events of several histories in one; the same as building it from the events at once, to the bit; NULLs are ignored, NULL for no rows';

CREATE FUNCTION churn_history_add(churn_history, churn_history) RETURNS churn_history
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_history_add(churn_history, churn_history) IS 'support function of the operator +';

CREATE OPERATOR + (
	LEFTARG = churn_history, RIGHTARG = churn_history,
	FUNCTION = churn_history_add, COMMUTATOR = +
);
COMMENT ON OPERATOR + (churn_history, churn_history) IS 'all events of both histories; events that are in both count twice';

CREATE FUNCTION churn_before(history churn_history, as_of date) RETURNS churn_history
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_before(churn_history, date) IS
'what was known on the morning of a date: entries with day < as_of and day + lag < as_of';

CREATE FUNCTION churn_since(history churn_history, as_of date) RETURNS churn_history
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_since(churn_history, date) IS
'the days from a date on; churn_before + churn_since lacks only entries that came to light from the date on';

CREATE FUNCTION churn_without(history churn_history, since date DEFAULT NULL,
	days date[] DEFAULT NULL) RETURNS churn_history
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_without(churn_history, date, date[]) IS
'the history without the days from since on and without the days listed, however late their events became known (NULL: none); events of these days, read again and added by +, give the history that reading all events would; NULL for no history';

-- Comparison: equal means equal entries, for DISTINCT, GROUP BY and joins

CREATE FUNCTION churn_history_eq(churn_history, churn_history) RETURNS bool
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_history_eq(churn_history, churn_history) IS 'support function of the operator =';

CREATE FUNCTION churn_history_ne(churn_history, churn_history) RETURNS bool
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_history_ne(churn_history, churn_history) IS 'support function of the operator <>';

CREATE OPERATOR = (
	LEFTARG = churn_history, RIGHTARG = churn_history,
	FUNCTION = churn_history_eq, COMMUTATOR = =, NEGATOR = <>,
	RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR = (churn_history, churn_history) IS 'the same entries: kinds, days, lags, counts and exact money';

CREATE OPERATOR <> (
	LEFTARG = churn_history, RIGHTARG = churn_history,
	FUNCTION = churn_history_ne, COMMUTATOR = <>, NEGATOR = =,
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (churn_history, churn_history) IS 'not the same entries';

CREATE FUNCTION churn_history_hash(churn_history) RETURNS int
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_history_hash(churn_history) IS 'support function of churn_history_hash_ops';

CREATE FUNCTION churn_history_hash_extended(churn_history, bigint) RETURNS bigint
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_history_hash_extended(churn_history, bigint) IS 'support function of churn_history_hash_ops';

CREATE OPERATOR CLASS churn_history_hash_ops
	DEFAULT FOR TYPE churn_history USING hash AS
	OPERATOR 1 = (churn_history, churn_history),
	FUNCTION 1 churn_history_hash(churn_history),
	FUNCTION 2 churn_history_hash_extended(churn_history, bigint);
COMMENT ON OPERATOR CLASS churn_history_hash_ops USING hash IS 'hashing of histories, for DISTINCT and GROUP BY';

-- Reading

CREATE FUNCTION churn_first_day(history churn_history, kind text DEFAULT NULL) RETURNS date
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_first_day(churn_history, text) IS
'first day with an event of the kind (NULL: of any); NULL when there is none';

CREATE FUNCTION churn_last_day(history churn_history, kind text DEFAULT NULL) RETURNS date
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_last_day(churn_history, text) IS
'last day with an event of the kind (NULL: of any); NULL when there is none';

CREATE FUNCTION churn_event_count(history churn_history, kind text DEFAULT NULL,
	since date DEFAULT NULL, before date DEFAULT NULL) RETURNS bigint
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_event_count(churn_history, text, date, date) IS
'number of events of the kind (NULL: of any) on days from since on and before "before" (NULL: no bound)';

CREATE FUNCTION churn_day_count(history churn_history, kind text DEFAULT NULL,
	since date DEFAULT NULL, before date DEFAULT NULL) RETURNS bigint
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_day_count(churn_history, text, date, date) IS
'number of different days with an event of the kind (NULL: of any) from since on and before "before" (NULL: no bound)';

CREATE FUNCTION churn_amount(history churn_history, kind text DEFAULT NULL,
	since date DEFAULT NULL, before date DEFAULT NULL) RETURNS float8
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_amount(churn_history, text, date, date) IS
'money of the events of the kind (NULL: of any) on days from since on and before "before" (NULL: no bound), added exactly and rounded once; NULL when none carried money; error 22003 beyond the range of float8';

CREATE FUNCTION churn_kinds(history churn_history) RETURNS text[]
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_kinds(churn_history) IS 'kinds of event in the history, ascending by bytes';

CREATE FUNCTION churn_amount_kinds(history churn_history) RETURNS text[]
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_amount_kinds(churn_history) IS 'kinds with an amount on some day of the history, ascending by bytes';

CREATE FUNCTION churn_history_rows(history churn_history)
	RETURNS TABLE (day date, kind text, lag int, count bigint, amount float8)
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 60
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_history_rows(churn_history) IS
'the entries of a history, by kind, day and lag (days until it was known); amount is NULL where no event carried money, error 22003 beyond the range of float8';

