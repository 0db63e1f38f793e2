-- check.sql: can these data carry a churn model?
--
-- Every check gives one row a source (or one for the study): "ok" when it
-- found nothing, so that one sees what was looked at.  A few passes over each
-- source; nothing is written.

-- The study as a whole ------------------------------------------------------

CREATE TYPE churn_source_end AS (label text, last_day date, daily float8, show text);
COMMENT ON TYPE churn_source_end IS 'support type of churn_check_data: last day of a source and its events a day in the 90 days before';

-- A source is early when ten events of its usual rate are missing by then.
CREATE FUNCTION churn_check_ends(ends churn_source_end[]) RETURNS SETOF churn_finding
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT (@extschema@.churn_found('ends_early', 'warning', e.label,
            CASE WHEN last.day - e.last_day >= 2 AND (last.day - e.last_day) * e.daily > 10
                 THEN last.day - e.last_day ELSE 0 END, NULL,
            format('last event on %s, another source goes on to %s', e.last_day, last.day),
            e.show,
            'days by which the source ends before the longest one; with key kinds in it, complete-through waits for the source, else training sees silence')).*
        FROM unnest(ends) AS e
        CROSS JOIN (SELECT max(m.last_day) AS day FROM unnest(ends) AS m) AS last
        WHERE cardinality(ends) > 1
    $$;
COMMENT ON FUNCTION churn_check_ends(churn_source_end[]) IS 'support function of churn_check_data: sources that end earlier than others; counts days';

CREATE FUNCTION churn_check_freshness(definition churn_studies, complete_through date,
    today date) RETURNS SETOF churn_finding
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    behind int := today - 1 - complete_through;
    month_end date := date_trunc('month', complete_through)::date + interval '1 month - 1 day';
BEGIN
    RETURN NEXT @extschema@.churn_found('freshness',
        CASE WHEN behind >= definition.active_window THEN 'error' WHEN behind > 7 THEN 'warning' ELSE 'info' END,
        NULL, behind, NULL, format('complete through %s, today is %s', complete_through, today), NULL,
        'whole days that are missing up to yesterday; scores of today take them for silence'
        || CASE WHEN behind > 7 THEN ': bring the sources up to date, or set churn.today for data that ended in the past' ELSE '' END);
    RETURN NEXT @extschema@.churn_found('last_month', 'info', NULL, month_end - complete_through, NULL,
        format('the month of %s is complete through %s', to_char(complete_through, 'YYYY-MM'), complete_through), NULL,
        'days that the last month lacks: do not compare it with others; training uses windows of days, not months');
END
$$;
COMMENT ON FUNCTION churn_check_freshness(churn_studies, date, date) IS 'support function of churn_check_data: days since complete-through, and the last month; counts days';

CREATE FUNCTION churn_check_key_kinds_found(definition churn_studies, kinds text[])
    RETURNS churn_finding
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    PERFORM @extschema@.churn_check_key_kinds(definition, kinds);
    RETURN @extschema@.churn_found('key_kinds', 'error', NULL, 0, NULL, NULL, NULL,
        'kinds whose absence means churn: there, and said');
EXCEPTION WHEN object_not_in_prerequisite_state THEN
    RETURN @extschema@.churn_found('key_kinds', 'error', NULL, 1, NULL, SQLERRM, NULL,
        format('training refuses it (55000); the sources give %s',
            coalesce((SELECT string_agg(format('"%s"', k), ', ') FROM unnest(kinds[1:20]) AS k), 'no kinds')));
END
$$;
COMMENT ON FUNCTION churn_check_key_kinds_found(churn_studies, text[]) IS 'support function of churn_check_data: key kinds unsaid or absent';

-- All checks of one source; what the study needs to know of it comes back.
CREATE FUNCTION churn_inspect_source(definition churn_studies, source churn_sources,
    today date, OUT findings churn_finding[], OUT kinds text[], OUT ending churn_source_end,
    OUT complete_through date)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    r @extschema@.churn_reading := @extschema@.churn_read_source(definition, source, today);
    volume @extschema@.churn_day_count[];
    launch date;
    last_day date;
BEGIN
    findings := ARRAY(SELECT c FROM @extschema@.churn_check_keys(r, today) AS c);
    SELECT v.volume, v.kinds,
        -- as churn_source_facts has it
        CASE WHEN r.is_date AND v.last_key_day >= today THEN today - 1
             WHEN r.is_date THEN v.last_key_day ELSE v.last_key_day - 1 END
    INTO volume, kinds, complete_through
    FROM @extschema@.churn_read_volume(r, definition.key_kinds) AS v;
    launch := @extschema@.churn_launch_day(volume);
    last_day := (SELECT max(v.day) FROM unnest(volume) AS v);
    ending := ROW(r.label, last_day, (SELECT sum(v.events) / (least(90, last_day - launch) + 1)::float8
        FROM unnest(volume) AS v WHERE v.day >= greatest(launch, last_day - 90)),
        r.show || format(' AND %s >= %L::pg_catalog.date', r.day_sql, last_day - 7));
    findings := findings || @extschema@.churn_check_launch(r, volume, launch)
        || ARRAY(SELECT c FROM @extschema@.churn_check_volume(r, volume, launch) AS c)
        || ARRAY(SELECT c FROM @extschema@.churn_check_kinds(r, volume, kinds, launch) AS c)
        || ARRAY(SELECT c FROM @extschema@.churn_check_repeats(r) AS c)
        || @extschema@.churn_check_bots(r);
    IF r.has_amount THEN
        findings := findings || ARRAY(SELECT c FROM @extschema@.churn_check_amounts(r, volume) AS c)
            || @extschema@.churn_check_huge(r);
    END IF;
    IF r.has_known THEN
        findings := findings || ARRAY(SELECT c FROM @extschema@.churn_check_arrival(r) AS c);
    END IF;
END
$$;
COMMENT ON FUNCTION churn_inspect_source(churn_studies, churn_sources, date) IS 'support function of churn_check_data: findings of one source, its kinds, its end, and the day through which its key events are complete';

CREATE FUNCTION churn_check_data_owned(study text) RETURNS SETOF churn_finding
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    d @extschema@.churn_studies := @extschema@.churn_study_row(study);
    today date := @extschema@.churn_today(d.time_zone);
    s @extschema@.churn_sources;
    c record;
    findings @extschema@.churn_finding[] := '{}';
    kinds text[] := '{}';
    ends @extschema@.churn_source_end[] := '{}';
    complete_through date;
BEGIN
    PERFORM @extschema@.churn_check_sources(study, ARRAY(SELECT e.relation_name
        FROM @extschema@.churn_sources AS e WHERE e.study = d.study AND e.role = 'behaviour'));
    FOR s IN SELECT * FROM @extschema@.churn_sources AS e
             WHERE e.study = d.study AND e.role = 'behaviour' ORDER BY e.source
    LOOP
        SELECT * INTO c FROM @extschema@.churn_inspect_source(d, s, today);
        findings := findings || c.findings;
        kinds := kinds || c.kinds;
        complete_through := least(complete_through, c.complete_through);
        IF (c.ending).last_day IS NOT NULL THEN
            ends := ends || c.ending;
        END IF;
    END LOOP;
    findings := findings || @extschema@.churn_check_key_kinds_found(d,
            ARRAY(SELECT DISTINCT k COLLATE "C" FROM unnest(kinds) AS k ORDER BY 1))
        || ARRAY(SELECT f FROM @extschema@.churn_check_ends(ends) AS f);
    IF d.complete_until IS NOT NULL THEN
        complete_through := least(d.complete_until, today);
    END IF;
    IF complete_through IS NULL THEN
        findings := findings || @extschema@.churn_found('freshness', 'error', NULL, 1, NULL,
            'no event of a key kind on a complete day', NULL, 'training refuses it (55000)');
    ELSE
        findings := findings || ARRAY(SELECT f FROM @extschema@.churn_check_freshness(d, complete_through, today) AS f);
    END IF;
    RETURN QUERY SELECT f.check_name, f.severity, f.source, f.count, f.share, f.example, f.query, f.detail
        FROM unnest(findings) WITH ORDINALITY AS f (check_name, severity,
            source, count, share, example, query, detail, place)
        ORDER BY array_position(ARRAY['error', 'warning', 'info', 'ok'], f.severity), f.place;
END
$$;
COMMENT ON FUNCTION churn_check_data_owned(text) IS 'support function of churn_check_data';

CREATE FUNCTION churn_check_data(study text) RETURNS SETOF churn_finding
    AS 'MODULE_PATHNAME', 'churn_as_owner' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION churn_check_data(text) IS 'can the data carry a churn model: a row a check and source, worst first, "ok" where nothing was found: missing and impossible keys, times, kinds and amounts, dates before launch and in the future, duplicates, gaps and spikes by day, kinds and sources that come or go, robots, freshness, late arrival; each with a count, a share, an example, a query that shows the rows, and what training does about it; reads every source a few times; errors: 55000 no source, 42P01 relation gone, 42501 rights';
