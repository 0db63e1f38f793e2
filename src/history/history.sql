-- churn_history: one user's behaviour; see doc/history.md

CREATE TYPE churn_history;

CREATE FUNCTION churn_history_in(cstring) RETURNS churn_history
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_history_in(cstring) IS 'support function of churn_history';

CREATE FUNCTION churn_history_out(churn_history) RETURNS cstring
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_history_out(churn_history) IS 'support function of churn_history';

CREATE FUNCTION churn_history_recv(internal) RETURNS churn_history
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_history_recv(internal) IS 'support function of churn_history';

CREATE FUNCTION churn_history_send(churn_history) RETURNS bytea
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_history_send(churn_history) IS 'support function of churn_history';

CREATE TYPE churn_history (
	INPUT = churn_history_in,
	OUTPUT = churn_history_out,
	RECEIVE = churn_history_recv,
	SEND = churn_history_send,
	INTERNALLENGTH = VARIABLE,
	STORAGE = extended
);
COMMENT ON TYPE churn_history IS 'one user''s behaviour: per calendar day, kind of event and lag in days until it was known, the number of events and their exact money; text form {order: 2024-01-05 19.99, 2024-02-01 x3 59.97 +2d}';

-- What all forms of the aggregate share

CREATE FUNCTION churn_history_combine(internal, internal) RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_history_combine(internal, internal) IS 'support function of churn_history';

CREATE FUNCTION churn_history_serial(internal) RETURNS bytea
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_history_serial(internal) IS 'support function of churn_history';

CREATE FUNCTION churn_history_deserial(bytea, internal) RETURNS internal
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_history_deserial(bytea, internal) IS 'support function of churn_history';

CREATE FUNCTION churn_history_final(internal) RETURNS churn_history
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_history_final(internal) IS 'support function of churn_history';

-- Forms for dates

CREATE FUNCTION churn_history_trans(internal, date, text, float8) RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_history_trans(internal, date, text, float8) IS 'support function of churn_history';

CREATE AGGREGATE churn_history(day date, kind text, amount float8) (
	SFUNC = churn_history_trans,
	STYPE = internal,
	SSPACE = 288,
	FINALFUNC = churn_history_final,
	COMBINEFUNC = churn_history_combine,
	SERIALFUNC = churn_history_serial,
	DESERIALFUNC = churn_history_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_history(date, text, float8) IS
'history of the events; NULL day: row ignored; NULL amount: no money; NULL or empty kind, NaN or infinite amount, infinite times: error; NULL for no rows';

CREATE FUNCTION churn_history_trans(internal, date, text, float8, date) RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_history_trans(internal, date, text, float8, date) IS 'support function of churn_history';

CREATE AGGREGATE churn_history(day date, kind text, amount float8, known_at date) (
	SFUNC = churn_history_trans,
	STYPE = internal,
	SSPACE = 288,
	FINALFUNC = churn_history_final,
	COMBINEFUNC = churn_history_combine,
	SERIALFUNC = churn_history_serial,
	DESERIALFUNC = churn_history_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_history(date, text, float8, date) IS
'history of the events, with the time at which each became known (NULL or earlier: at once); NULL day: row ignored; NULL amount: no money; NULL or empty kind, NaN or infinite amount, infinite times: error; NULL for no rows';

CREATE FUNCTION churn_history_trans(internal, date, text, float8, churn_spec) RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_history_trans(internal, date, text, float8, churn_spec) IS 'support function of churn_history';

CREATE AGGREGATE churn_history(day date, kind text, amount float8, spec churn_spec) (
	SFUNC = churn_history_trans,
	STYPE = internal,
	SSPACE = 288,
	FINALFUNC = churn_history_final,
	COMBINEFUNC = churn_history_combine,
	SERIALFUNC = churn_history_serial,
	DESERIALFUNC = churn_history_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_history(date, text, float8, churn_spec) IS
'history of the events; NULL day: row ignored; NULL amount: no money; NULL or empty kind, NaN or infinite amount, infinite times: error; NULL for no rows';

CREATE FUNCTION churn_history_trans(internal, date, text, float8, date, churn_spec) RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_history_trans(internal, date, text, float8, date, churn_spec) IS 'support function of churn_history';

CREATE AGGREGATE churn_history(day date, kind text, amount float8, known_at date, spec churn_spec) (
	SFUNC = churn_history_trans,
	STYPE = internal,
	SSPACE = 288,
	FINALFUNC = churn_history_final,
	COMBINEFUNC = churn_history_combine,
	SERIALFUNC = churn_history_serial,
	DESERIALFUNC = churn_history_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_history(date, text, float8, date, churn_spec) IS
'history of the events, with the time at which each became known (NULL or earlier: at once); NULL day: row ignored; NULL amount: no money; NULL or empty kind, NaN or infinite amount, infinite times: error; NULL for no rows';

CREATE FUNCTION churn_history_trans(internal, date, float8, churn_spec) RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_history_trans(internal, date, float8, churn_spec) IS 'support function of churn_history';

CREATE AGGREGATE churn_history(day date, amount float8, spec churn_spec) (
	SFUNC = churn_history_trans,
	STYPE = internal,
	SSPACE = 288,
	FINALFUNC = churn_history_final,
	COMBINEFUNC = churn_history_combine,
	SERIALFUNC = churn_history_serial,
	DESERIALFUNC = churn_history_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_history(date, float8, churn_spec) IS
'history of the events, all of the constant kind of the spec; NULL day: row ignored; NULL amount: no money; NULL or empty kind, NaN or infinite amount, infinite times: error; NULL for no rows';

CREATE FUNCTION churn_history_trans(internal, date, float8, date, churn_spec) RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_history_trans(internal, date, float8, date, churn_spec) IS 'support function of churn_history';

CREATE AGGREGATE churn_history(day date, amount float8, known_at date, spec churn_spec) (
	SFUNC = churn_history_trans,
	STYPE = internal,
	SSPACE = 288,
	FINALFUNC = churn_history_final,
	COMBINEFUNC = churn_history_combine,
	SERIALFUNC = churn_history_serial,
	DESERIALFUNC = churn_history_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_history(date, float8, date, churn_spec) IS
'history of the events, all of the constant kind of the spec, with the time at which each became known (NULL or earlier: at once); NULL day: row ignored; NULL amount: no money; NULL or empty kind, NaN or infinite amount, infinite times: error; NULL for no rows';

-- Forms for local timestamps

CREATE FUNCTION churn_history_trans(internal, timestamp, text, float8) RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_history_trans(internal, timestamp, text, float8) IS 'support function of churn_history';

CREATE AGGREGATE churn_history(ts timestamp, kind text, amount float8) (
	SFUNC = churn_history_trans,
	STYPE = internal,
	SSPACE = 288,
	FINALFUNC = churn_history_final,
	COMBINEFUNC = churn_history_combine,
	SERIALFUNC = churn_history_serial,
	DESERIALFUNC = churn_history_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_history(timestamp, text, float8) IS
'history of the events; NULL ts: row ignored; NULL amount: no money; NULL or empty kind, NaN or infinite amount, infinite times: error; NULL for no rows';

CREATE FUNCTION churn_history_trans(internal, timestamp, text, float8, timestamp) RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_history_trans(internal, timestamp, text, float8, timestamp) IS 'support function of churn_history';

CREATE AGGREGATE churn_history(ts timestamp, kind text, amount float8, known_at timestamp) (
	SFUNC = churn_history_trans,
	STYPE = internal,
	SSPACE = 288,
	FINALFUNC = churn_history_final,
	COMBINEFUNC = churn_history_combine,
	SERIALFUNC = churn_history_serial,
	DESERIALFUNC = churn_history_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_history(timestamp, text, float8, timestamp) IS
'history of the events, with the time at which each became known (NULL or earlier: at once); NULL ts: row ignored; NULL amount: no money; NULL or empty kind, NaN or infinite amount, infinite times: error; NULL for no rows';

CREATE FUNCTION churn_history_trans(internal, timestamp, text, float8, churn_spec) RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_history_trans(internal, timestamp, text, float8, churn_spec) IS 'support function of churn_history';

CREATE AGGREGATE churn_history(ts timestamp, kind text, amount float8, spec churn_spec) (
	SFUNC = churn_history_trans,
	STYPE = internal,
	SSPACE = 288,
	FINALFUNC = churn_history_final,
	COMBINEFUNC = churn_history_combine,
	SERIALFUNC = churn_history_serial,
	DESERIALFUNC = churn_history_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_history(timestamp, text, float8, churn_spec) IS
'history of the events; NULL ts: row ignored; NULL amount: no money; NULL or empty kind, NaN or infinite amount, infinite times: error; NULL for no rows';

CREATE FUNCTION churn_history_trans(internal, timestamp, text, float8, timestamp, churn_spec) RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_history_trans(internal, timestamp, text, float8, timestamp, churn_spec) IS 'support function of churn_history';

CREATE AGGREGATE churn_history(ts timestamp, kind text, amount float8, known_at timestamp, spec churn_spec) (
	SFUNC = churn_history_trans,
	STYPE = internal,
	SSPACE = 288,
	FINALFUNC = churn_history_final,
	COMBINEFUNC = churn_history_combine,
	SERIALFUNC = churn_history_serial,
	DESERIALFUNC = churn_history_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_history(timestamp, text, float8, timestamp, churn_spec) IS
'history of the events, with the time at which each became known (NULL or earlier: at once); NULL ts: row ignored; NULL amount: no money; NULL or empty kind, NaN or infinite amount, infinite times: error; NULL for no rows';

CREATE FUNCTION churn_history_trans(internal, timestamp, float8, churn_spec) RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_history_trans(internal, timestamp, float8, churn_spec) IS 'support function of churn_history';

CREATE AGGREGATE churn_history(ts timestamp, amount float8, spec churn_spec) (
	SFUNC = churn_history_trans,
	STYPE = internal,
	SSPACE = 288,
	FINALFUNC = churn_history_final,
	COMBINEFUNC = churn_history_combine,
	SERIALFUNC = churn_history_serial,
	DESERIALFUNC = churn_history_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_history(timestamp, float8, churn_spec) IS
'history of the events, all of the constant kind of the spec; NULL ts: row ignored; NULL amount: no money; NULL or empty kind, NaN or infinite amount, infinite times: error; NULL for no rows';

CREATE FUNCTION churn_history_trans(internal, timestamp, float8, timestamp, churn_spec) RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_history_trans(internal, timestamp, float8, timestamp, churn_spec) IS 'support function of churn_history';

CREATE AGGREGATE churn_history(ts timestamp, amount float8, known_at timestamp, spec churn_spec) (
	SFUNC = churn_history_trans,
	STYPE = internal,
	SSPACE = 288,
	FINALFUNC = churn_history_final,
	COMBINEFUNC = churn_history_combine,
	SERIALFUNC = churn_history_serial,
	DESERIALFUNC = churn_history_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_history(timestamp, float8, timestamp, churn_spec) IS
'history of the events, all of the constant kind of the spec, with the time at which each became known (NULL or earlier: at once); NULL ts: row ignored; NULL amount: no money; NULL or empty kind, NaN or infinite amount, infinite times: error; NULL for no rows';

-- Forms for moments: the day is that of the spec's time zone

CREATE FUNCTION churn_history_trans(internal, timestamptz, text, float8, churn_spec) RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_history_trans(internal, timestamptz, text, float8, churn_spec) IS 'support function of churn_history';

CREATE AGGREGATE churn_history(ts timestamptz, kind text, amount float8, spec churn_spec) (
	SFUNC = churn_history_trans,
	STYPE = internal,
	SSPACE = 288,
	FINALFUNC = churn_history_final,
	COMBINEFUNC = churn_history_combine,
	SERIALFUNC = churn_history_serial,
	DESERIALFUNC = churn_history_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_history(timestamptz, text, float8, churn_spec) IS
'history of the events, by day in the spec''s time zone; NULL ts: row ignored; NULL amount: no money; NULL or empty kind, NaN or infinite amount, infinite times: error; NULL for no rows';

CREATE FUNCTION churn_history_trans(internal, timestamptz, text, float8, timestamptz, churn_spec) RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_history_trans(internal, timestamptz, text, float8, timestamptz, churn_spec) IS 'support function of churn_history';

CREATE AGGREGATE churn_history(ts timestamptz, kind text, amount float8, known_at timestamptz, spec churn_spec) (
	SFUNC = churn_history_trans,
	STYPE = internal,
	SSPACE = 288,
	FINALFUNC = churn_history_final,
	COMBINEFUNC = churn_history_combine,
	SERIALFUNC = churn_history_serial,
	DESERIALFUNC = churn_history_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_history(timestamptz, text, float8, timestamptz, churn_spec) IS
'history of the events, by day in the spec''s time zone, with the time at which each became known (NULL or earlier: at once); NULL ts: row ignored; NULL amount: no money; NULL or empty kind, NaN or infinite amount, infinite times: error; NULL for no rows';

CREATE FUNCTION churn_history_trans(internal, timestamptz, float8, churn_spec) RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_history_trans(internal, timestamptz, float8, churn_spec) IS 'support function of churn_history';

CREATE AGGREGATE churn_history(ts timestamptz, amount float8, spec churn_spec) (
	SFUNC = churn_history_trans,
	STYPE = internal,
	SSPACE = 288,
	FINALFUNC = churn_history_final,
	COMBINEFUNC = churn_history_combine,
	SERIALFUNC = churn_history_serial,
	DESERIALFUNC = churn_history_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_history(timestamptz, float8, churn_spec) IS
'history of the events, all of the constant kind of the spec, by day in the spec''s time zone; NULL ts: row ignored; NULL amount: no money; NULL or empty kind, NaN or infinite amount, infinite times: error; NULL for no rows';

CREATE FUNCTION churn_history_trans(internal, timestamptz, float8, timestamptz, churn_spec) RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_history_trans(internal, timestamptz, float8, timestamptz, churn_spec) IS 'support function of churn_history';

CREATE AGGREGATE churn_history(ts timestamptz, amount float8, known_at timestamptz, spec churn_spec) (
	SFUNC = churn_history_trans,
	STYPE = internal,
	SSPACE = 288,
	FINALFUNC = churn_history_final,
	COMBINEFUNC = churn_history_combine,
	SERIALFUNC = churn_history_serial,
	DESERIALFUNC = churn_history_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_history(timestamptz, float8, timestamptz, churn_spec) IS
'history of the events, all of the constant kind of the spec, by day in the spec''s time zone, with the time at which each became known (NULL or earlier: at once); NULL ts: row ignored; NULL amount: no money; NULL or empty kind, NaN or infinite amount, infinite times: error; NULL for no rows';

