-- churn_model: a fitted model as a value

CREATE TYPE churn_model;

CREATE FUNCTION churn_model_in(cstring) RETURNS churn_model
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_model_in(cstring) IS 'support function of churn_model';

CREATE FUNCTION churn_model_out(churn_model) RETURNS cstring
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_model_out(churn_model) IS 'support function of churn_model';

CREATE FUNCTION churn_model_recv(internal) RETURNS churn_model
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_model_recv(internal) IS 'support function of churn_model';

CREATE FUNCTION churn_model_send(churn_model) RETURNS bytea
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_model_send(churn_model) IS 'support function of churn_model';

-- external: scoring reads the header of a stored model without the rest
CREATE TYPE churn_model (
	INPUT = churn_model_in,
	OUTPUT = churn_model_out,
	RECEIVE = churn_model_recv,
	SEND = churn_model_send,
	INTERNALLENGTH = VARIABLE,
	STORAGE = external
);
COMMENT ON TYPE churn_model IS 'a fitted model, self-contained: inputs, spec, terms, provenance; text form JSON with a checksum; a damaged value is error 22P02, 22P03 or XX001, a newer format 0A000';

CREATE FUNCTION churn_model_eq(churn_model, churn_model) RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_model_eq(churn_model, churn_model) IS 'support function of churn_model';

CREATE FUNCTION churn_model_ne(churn_model, churn_model) RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_model_ne(churn_model, churn_model) IS 'support function of churn_model';

CREATE FUNCTION churn_model_hash(churn_model) RETURNS int
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_model_hash(churn_model) IS 'support function of churn_model';

CREATE OPERATOR = (
	LEFTARG = churn_model, RIGHTARG = churn_model,
	FUNCTION = churn_model_eq,
	COMMUTATOR = =, NEGATOR = <>,
	RESTRICT = eqsel, JOIN = eqjoinsel,
	HASHES
);
COMMENT ON OPERATOR = (churn_model, churn_model) IS 'same inputs, terms and provenance, bit for bit';

CREATE OPERATOR <> (
	LEFTARG = churn_model, RIGHTARG = churn_model,
	FUNCTION = churn_model_ne,
	COMMUTATOR = <>, NEGATOR = =,
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (churn_model, churn_model) IS 'not the same model, bit for bit';

CREATE OPERATOR CLASS churn_model_hash_ops
	DEFAULT FOR TYPE churn_model USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 churn_model_hash(churn_model);
COMMENT ON OPERATOR CLASS churn_model_hash_ops USING hash IS 'support of DISTINCT and GROUP BY for churn_model';

CREATE FUNCTION churn_model_info(model churn_model) RETURNS jsonb
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_model_info(churn_model) IS
'where a model comes from: sizes, checksum, spec, and under "provenance" rows, churn rate, options, C, cross-validated log-loss and AUC, calibration, dropped columns';

CREATE FUNCTION churn_model_terms(model churn_model,
	OUT term text, OUT coding text, OUT weight float8,
	OUT missing_weight float8, OUT mean float8, OUT scale float8,
	OUT low float8, OUT high float8, OUT average float8,
	OUT missing_share float8, OUT level text, OUT share float8,
	OUT partner text, OUT partner_low float8, OUT partner_high float8,
	OUT partner_level text)
	RETURNS SETOF record
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_model_terms(churn_model) IS
'the terms of a model. Coding "linear" or "signed log", one row an input: weight is log-odds a standard deviation (scale) of the value, or of sign(x) ln(1+|x|), from its mean; missing_weight the log-odds of a missing value; low and high the range seen in training. Coding "bins", one row a bin from low (inclusive) to high (exclusive), NULL at open ends, level "missing" for NULL: weight is log-odds, share that of training rows. Codings "level", "other level" and "missing level": one row a level of a text, one for all that are rare or unseen, one for NULL. Coding "pair", one row a cell of two inputs that training saw: what both say beyond the sum of each. average is the mean contribution';

CREATE FUNCTION churn_model_inputs(model churn_model) RETURNS text[]
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_model_inputs(churn_model) IS
'names of the inputs of a model, in the order of an array of features';

CREATE FUNCTION churn_model_spec(model churn_model) RETURNS churn_spec
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_model_spec(churn_model) IS
'the spec of the features of a model; NULL for a model fitted on columns';
