-- fit_snapshots.sql: a model of the rows of STUDY_snapshots, and its encoding

-- FROM and WHERE of the labelled rows at some dates, alias s.
CREATE FUNCTION churn_labelled_rows_sql(definition churn_studies, dates date[]) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT format('FROM %I.%I AS s WHERE s.as_of OPERATOR(pg_catalog.=) ANY (%L::pg_catalog.date[]) AND s.churned IS NOT NULL',
            definition.table_schema, definition.study || '_snapshots', dates)
    $$;
COMMENT ON FUNCTION churn_labelled_rows_sql(churn_studies, date[]) IS 'support function of churn_train: FROM and WHERE of the labelled rows of STUDY_snapshots at some dates, alias s';

-- Condition that keeps as many users as churn.memory has room for.
CREATE FUNCTION churn_sample_sql(definition churn_studies, columns int, dates date[]) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    n bigint;
    share float8;
BEGIN
    EXECUTE 'SELECT pg_catalog.count(*) ' || @extschema@.churn_labelled_rows_sql(definition, dates) INTO n;
    share := @extschema@.churn_fit_share(n, columns);
    IF share >= 1 THEN
        RETURN 'true';
    END IF;
    share := share * .95;
    RAISE NOTICE 'churn.memory has no room for % rows of % features: training on % of the users, drawn by hash',
        n, columns, to_char(100 * share, 'FM990.0') || ' %'
        USING HINT = 'Raise churn.memory, or name fewer windows or kinds.';
    RETURN format('@extschema@.churn_key_share(%s, ''sample'') OPERATOR(pg_catalog.<) %s::pg_catalog.float8',
        @extschema@.churn_key_text_sql(definition, 's.user_id'), share);
END
$$;
COMMENT ON FUNCTION churn_sample_sql(churn_studies, int, date[]) IS 'support function of churn_train: condition over alias s of STUDY_snapshots that draws whole users by hash, with a NOTICE, where the fit would exceed churn.memory';

-- Fit on the rows of STUDY_snapshots at some dates.
CREATE FUNCTION churn_fit_snapshots(definition churn_studies, spec churn_spec,
    options jsonb, dates date[], OUT model churn_model, OUT rows bigint, OUT churn_rate float8)
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    EXECUTE format(
        'SELECT @extschema@.churn_fit(s.features, s.churned,'
        ' @extschema@.churn_key_hash(%s, ''fold''), %L::@extschema@.churn_spec, %L::pg_catalog.jsonb),'
        ' pg_catalog.count(*), pg_catalog.avg(s.churned::int) %s AND %s',
        @extschema@.churn_key_text_sql(definition, 's.user_id'), spec, options,
        @extschema@.churn_labelled_rows_sql(definition, dates),
        @extschema@.churn_sample_sql(definition,
            cardinality(@extschema@.churn_feature_names(spec)), dates))
    INTO model, rows, churn_rate;
END
$$;
COMMENT ON FUNCTION churn_fit_snapshots(churn_studies, churn_spec, jsonb, date[]) IS 'support function of churn_train: the model of the snapshots at some dates, the rows it was fitted on and their churn rate; whole users in folds';

-- The C that the folds chose for one encoding; NULL when they did not try it.
CREATE FUNCTION churn_chosen_c(model churn_model, encoding text) RETURNS float8
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT (p.step->>'c')::float8
        FROM jsonb_array_elements(@extschema@.churn_model_info(model) #> '{provenance,path}') AS p (step)
        WHERE p.step->>'encoding' = churn_chosen_c.encoding AND (p.step->>'chosen')::boolean
        LIMIT 1
    $$;
COMMENT ON FUNCTION churn_chosen_c(churn_model, text) IS 'support function of churn_train: C that cross-validation chose for an encoding; NULL when it was not tried';

-- Training dates that end before the newest of them begins.
CREATE FUNCTION churn_older_dates(definition churn_studies, dates date[]) RETURNS date[]
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT array_agg(a ORDER BY a) FROM unnest(dates) AS a
        WHERE a + definition.gap + definition.churn_window <= (SELECT max(b) FROM unnest(dates) AS b)
    $$;
COMMENT ON FUNCTION churn_older_dates(churn_studies, date[]) IS 'support function of churn_train: dates whose churn window is over when the newest one begins; NULL without any';

-- Do curves hold out of time?  Folds cannot tell, for a fold shares its days
-- with the others.  So the additive model and the linear one are fitted on
-- the oldest training snapshots, with the C that the folds chose, and compared
-- on the newest one, user by user.
CREATE FUNCTION churn_check_forward(definition churn_studies, spec churn_spec,
    options jsonb, model churn_model, dates date[]) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    SET client_min_messages = warning
    AS $$
DECLARE
    older date[] := @extschema@.churn_older_dates(definition, dates);
    newest date := (SELECT max(a) FROM unnest(dates) AS a);
    -- one fit with a given C; other options as they were
    once jsonb := options - '{solver,pairs,penalty}'::text[] || '{"folds": 0}';
    linear_c float8 := @extschema@.churn_chosen_c(model, 'linear');
    bins_c float8 := @extschema@.churn_chosen_c(model, 'bins');
    linear record;
    bins record;
    least_class bigint;
    c record;
BEGIN
    IF older IS NULL OR linear_c IS NULL OR bins_c IS NULL THEN
        RETURN NULL;
    END IF;
    EXECUTE format('SELECT least(count(*) FILTER (WHERE s.churned AND NOT new), count(*) FILTER (WHERE NOT s.churned AND NOT new),'
        ' count(*) FILTER (WHERE s.churned AND new), count(*) FILTER (WHERE NOT s.churned AND new))'
        ' FROM (SELECT s.churned, s.as_of = %L AS new %s) AS s',
        newest, @extschema@.churn_labelled_rows_sql(definition, older || newest)) INTO least_class;
    IF least_class < 200 THEN
        RETURN NULL;
    END IF;
    SELECT * INTO linear FROM @extschema@.churn_fit_snapshots(definition, spec,
        once || jsonb_build_object('encoding', 'linear', 'c', linear_c), older);
    SELECT * INTO bins FROM @extschema@.churn_fit_snapshots(definition, spec,
        once || jsonb_build_object('encoding', 'bins', 'c', bins_c), older);
    EXECUTE format(
        'SELECT pg_catalog.count(*) AS rows, pg_catalog.avg(t.linear) AS linear, pg_catalog.avg(t.bins) AS bins,'
        ' pg_catalog.stddev_samp(t.linear - t.bins) / pg_catalog.sqrt(pg_catalog.count(*)) AS error'
        ' FROM (SELECT -pg_catalog.ln(greatest(CASE WHEN p.churned THEN p.linear ELSE 1 - p.linear END, 1e-15)) AS linear,'
        ' -pg_catalog.ln(greatest(CASE WHEN p.churned THEN p.bins ELSE 1 - p.bins END, 1e-15)) AS bins'
        ' FROM (SELECT s.churned, @extschema@.churn_predict(%L::@extschema@.churn_model, s.features) AS linear,'
        '   @extschema@.churn_predict(%L::@extschema@.churn_model, s.features) AS bins %s OFFSET 0) AS p) AS t',
        linear.model, bins.model, @extschema@.churn_labelled_rows_sql(definition, ARRAY[newest])) INTO c;
    RETURN jsonb_build_object('trained_on', older, 'tested_on', newest, 'rows', c.rows,
        'linear_log_loss', c.linear, 'bins_log_loss', c.bins, 'standard_error', c.error,
        'linear', c.linear - c.bins <= c.error);
END
$$;
COMMENT ON FUNCTION churn_check_forward(churn_studies, churn_spec, jsonb, churn_model, date[]) IS 'support function of churn_train: log-loss on the newest training snapshot of the linear and the additive model of those that ended before it, and whether linear is as good within a standard error; NULL where there are none, or fewer than 200 rows of a class, or the folds did not compare them';

-- The model of a training: encoding auto unless said, which keeps to linear
-- where curves do not hold out of time.
CREATE FUNCTION churn_fit_training(definition churn_studies, spec churn_spec,
    options jsonb, dates date[], OUT model churn_model, OUT rows bigint,
    OUT churn_rate float8, OUT forward jsonb)
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    asked jsonb := '{"encoding": "auto"}' || coalesce(options, '{}');
BEGIN
    SELECT s.model, s.rows, s.churn_rate INTO model, rows, churn_rate
    FROM @extschema@.churn_fit_snapshots(definition, spec, asked, dates) AS s;
    IF asked->>'encoding' <> 'auto'
        OR @extschema@.churn_model_info(model) #>> '{provenance,encoding}' = 'linear' THEN
        RETURN;
    END IF;
    RAISE NOTICE 'comparing curves with straight lines out of time';
    forward := @extschema@.churn_check_forward(definition, spec, asked, model, dates);
    IF (forward->>'linear')::boolean THEN
        RAISE NOTICE 'encoding linear: curves do not hold on %, seen from the snapshots that end before it (log-loss % against %)',
            forward->>'tested_on', round((forward->>'bins_log_loss')::numeric, 4),
            round((forward->>'linear_log_loss')::numeric, 4);
        SELECT s.model INTO model FROM @extschema@.churn_fit_snapshots(definition, spec,
            asked - '{solver,pairs}'::text[] || jsonb_build_object('encoding', 'linear',
                'c', @extschema@.churn_chosen_c(model, 'linear')), dates) AS s;
    END IF;
END
$$;
COMMENT ON FUNCTION churn_fit_training(churn_studies, churn_spec, jsonb, date[]) IS 'support function of churn_train and churn_backtest: the model, its rows and churn rate, and how linear and additive models compared out of time, where encoding auto had to decide';
