-- churn_information: what each column alone says of the label.

CREATE TYPE churn_column AS (
	column_name text,
	type text,
	rows bigint,
	missing_share float8,
	distinct_values bigint,
	auc float8,
	direction text,
	iv float8,
	bins jsonb,
	warning text
);
COMMENT ON TYPE churn_column IS
'what one column alone says of the label: its name and type, rows with a label, the share of them without a value (NULL or NaN), distinct values, AUC alone, direction (numbers: higher or lower values churn more), information value, bins (from and to, level, pooled levels, or missing; rows, churned, woe: weight of evidence, positive where more churn), and a warning where the column looks too good to be true';

CREATE FUNCTION churn_information_trans(internal, record, text) RETURNS internal
	LANGUAGE C STABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_information_trans(internal, record, text) IS 'support function of churn_column_information';

CREATE FUNCTION churn_information_trans(internal, record, text, text[], text, int) RETURNS internal
	LANGUAGE C STABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_information_trans(internal, record, text, text[], text, int) IS 'support function of churn_column_information';

CREATE FUNCTION churn_information_final(internal) RETURNS churn_column[]
	LANGUAGE C STABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION churn_information_final(internal) IS 'support function of churn_column_information';

CREATE AGGREGATE churn_column_information(row_value record, label_column text) (
	SFUNC = churn_information_trans,
	STYPE = internal,
	SSPACE = 1048576,
	FINALFUNC = churn_information_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_column_information(record, text) IS
'what each column of the rows alone says of the label, with ten bins; see the form with all arguments';

CREATE AGGREGATE churn_column_information(row_value record, label_column text, exclude text[], positive text, bins int) (
	SFUNC = churn_information_trans,
	STYPE = internal,
	SSPACE = 1048576,
	FINALFUNC = churn_information_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_column_information(record, text, text[], text, int) IS
'what each column of the rows alone says of the label, an array of churn_column in the order of the columns: the label is boolean, 0 and 1, or the text "positive"; columns "exclude" are left out (NULL: none), rows without a label too, with a NOTICE; numbers are cut into "bins" quantile bins, 2 to 100; NULL without rows; 42703 a column that does not exist, 42804 a label of another type, 22023 a label other than 0 and 1 or bins out of range, 54000 too much for churn.memory';

CREATE FUNCTION churn_information(relation regclass, label_column text,
	exclude text[] DEFAULT NULL, positive text DEFAULT NULL, bins int DEFAULT 10)
	RETURNS SETOF churn_column
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	absent text := (SELECT string_agg(quote_ident(n.name), ', ')
		FROM unnest(label_column || coalesce(exclude, '{}')) AS n (name)
		WHERE NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = relation
			AND a.attname = n.name AND a.attnum > 0 AND NOT a.attisdropped));
BEGIN
	IF relation IS NULL OR label_column IS NULL OR bins IS NULL THEN
		RAISE EXCEPTION 'relation, label_column and bins must not be NULL'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	-- the aggregate looks at the first row only, and there may be none
	IF absent IS NOT NULL THEN
		RAISE EXCEPTION 'relation % has no column %', relation, absent
			USING ERRCODE = 'undefined_column',
				HINT = format('Its columns are %s.',
					(SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
					FROM pg_attribute AS a WHERE a.attrelid = relation
						AND a.attnum BETWEEN 1 AND 40 AND NOT a.attisdropped));
	END IF;
	RETURN QUERY EXECUTE format('SELECT (pg_catalog.unnest(r.columns)).* FROM ('
		'SELECT @extschema@.churn_column_information(t.*, %L, %L::pg_catalog.text[], %L, %s) AS columns FROM %s AS t) AS r',
		label_column, exclude, positive, bins, relation);
END
$$;
COMMENT ON FUNCTION churn_information(regclass, text, text[], text, int) IS
'what each column of a table or view alone says of the label, a row a column (type churn_column); arguments as for churn_column_information; with the rights of the caller, who needs SELECT on the whole relation; no rows for an empty relation; 22004 a NULL relation, label or bins, 42703 a column that does not exist';
