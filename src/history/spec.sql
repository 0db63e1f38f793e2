-- churn_spec: what a feature list depends on, as one value

CREATE TYPE churn_spec;

CREATE FUNCTION churn_spec_in(cstring) RETURNS churn_spec
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_spec_in(cstring) IS 'support function of churn_spec';

CREATE FUNCTION churn_spec_out(churn_spec) RETURNS cstring
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_spec_out(churn_spec) IS 'support function of churn_spec';

CREATE FUNCTION churn_spec_recv(internal) RETURNS churn_spec
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_spec_recv(internal) IS 'support function of churn_spec';

CREATE FUNCTION churn_spec_send(churn_spec) RETURNS bytea
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_spec_send(churn_spec) IS 'support function of churn_spec';

CREATE TYPE churn_spec (
	INPUT = churn_spec_in,
	OUTPUT = churn_spec_out,
	RECEIVE = churn_spec_recv,
	SEND = churn_spec_send,
	INTERNALLENGTH = VARIABLE,
	STORAGE = extended
);
COMMENT ON TYPE churn_spec IS 'what a feature list depends on: windows, lookback, kinds and their roles, ratios, time zone; made by the function churn_spec()';

CREATE FUNCTION churn_spec(
	windows int[] DEFAULT '{7,30,90,180,365}',
	lookback int DEFAULT 730,
	kinds text[] DEFAULT NULL,
	key_kinds text[] DEFAULT NULL,
	churn_window int DEFAULT NULL,
	ratios text[] DEFAULT '{}',
	time_zone text DEFAULT 'UTC',
	kind text DEFAULT NULL,
	amount_kinds text[] DEFAULT NULL,
	refund_kinds text[] DEFAULT '{refund}',
	visible int DEFAULT NULL
) RETURNS churn_spec
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_spec(int[], int, text[], text[], int, text[], text, text, text[], text[], int) IS
'makes a churn_spec; windows, lookback, churn_window and visible are whole days (1 to 36500); features that need more history than visible (windows, and comparisons with a time before) are left out, ratios are pairs of kinds such as order/cart, a NULL argument takes its default; anything unknown or out of range is error 22023';

CREATE FUNCTION churn_spec_eq(churn_spec, churn_spec) RETURNS bool
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_spec_eq(churn_spec, churn_spec) IS 'support function of churn_spec';

CREATE FUNCTION churn_spec_ne(churn_spec, churn_spec) RETURNS bool
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_spec_ne(churn_spec, churn_spec) IS 'support function of churn_spec';

CREATE OPERATOR = (
	LEFTARG = churn_spec, RIGHTARG = churn_spec, FUNCTION = churn_spec_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR = (churn_spec, churn_spec) IS 'same windows, kinds, roles, ratios and zone';

CREATE OPERATOR <> (
	LEFTARG = churn_spec, RIGHTARG = churn_spec, FUNCTION = churn_spec_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (churn_spec, churn_spec) IS 'not the same spec';

CREATE FUNCTION churn_day(ts timestamptz, spec churn_spec) RETURNS date
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_day(timestamptz, churn_spec) IS
'calendar day of a moment in the spec''s time zone; an infinite moment is error 22008; unlike AT TIME ZONE immutable, because the time-zone database counts as fixed';
