-- window.sql: how long a silence must be before it means that a user has left
--
-- A gap runs from one key day of a user to the next.  The last one is open:
-- it has lasted since the last key day and is censored at complete-through.

-- Gaps of all users, counted by length: "of_user" is how many completed gaps
-- each of these users has, so that users can be weighted alike.
CREATE FUNCTION churn_gap_counts(histories text, key_kinds text[], complete_through date,
    OUT days int, OUT ended boolean, OUT of_user bigint, OUT gaps bigint)
    RETURNS SETOF record
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    RETURN QUERY EXECUTE format(
        'SELECT g.days, g.ended, g.of_user, pg_catalog.count(*)'
        ' FROM %1$s AS h CROSS JOIN LATERAL ('
        '   SELECT coalesce(pg_catalog.lead(k.day) OVER w, %2$L::pg_catalog.date) OPERATOR(pg_catalog.-) k.day AS days,'
        '   pg_catalog.lead(k.day) OVER w IS NOT NULL AS ended,'
        '   pg_catalog.count(*) OVER () OPERATOR(pg_catalog.-) 1 AS of_user'
        '   FROM (SELECT DISTINCT r.day FROM @extschema@.churn_history_rows(h.history) AS r'
        '     WHERE r.kind OPERATOR(pg_catalog.=) ANY (%3$L::pg_catalog.text[])'
        '     AND r.day OPERATOR(pg_catalog.<=) %2$L::pg_catalog.date) AS k'
        '   WINDOW w AS (ORDER BY k.day)) AS g'
        ' GROUP BY 1, 2, 3',
        histories, complete_through, key_kinds);
END
$$;
COMMENT ON FUNCTION churn_gap_counts(text, text[], date) IS 'support function of churn_return_curve: gaps between key days by length, whether they ended, and completed gaps of their user';

CREATE FUNCTION churn_return_curve_owned(study text, level float8,
    OUT day int, OUT at_risk bigint, OUT ended bigint, OUT open bigint,
    OUT share_gaps float8, OUT share_users float8, OUT returned float8,
    OUT lower float8, OUT upper float8, OUT return_after float8, OUT elbow boolean)
    RETURNS SETOF record
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
#variable_conflict use_column
DECLARE
    d @extschema@.churn_studies := @extschema@.churn_study_row(study);
    today date := @extschema@.churn_today(d.time_zone);
    histories text := format('(%s)', @extschema@.churn_histories_sql(d, today));
    f record;
    key_kinds text[];
BEGIN
    SELECT * INTO f FROM @extschema@.churn_quiet_facts(d, today);
    key_kinds := @extschema@.churn_check_key_kinds(d, @extschema@.churn_study_kinds(d, today));
    RETURN QUERY
        WITH gap AS MATERIALIZED (
            SELECT * FROM @extschema@.churn_gap_counts(histories, key_kinds, f.complete_through)
        ), curve AS MATERIALIZED (
            SELECT c.* FROM @extschema@.churn_survival_curve(
                (SELECT @extschema@.churn_survival(g.days, g.ended, g.gaps) FROM gap AS g), level) AS c
        ), users AS (
            -- each user's completed gaps weigh one together
            SELECT g.days, sum(g.gaps / g.of_user::float8 ORDER BY g.of_user) AS weight
            FROM gap AS g WHERE g.ended GROUP BY g.days
        ), whole AS (
            SELECT nullif(sum(c.ended), 0)::float8 AS ended, min(c.survival) AS survival,
                max(c.day) AS day, (SELECT sum(u.weight ORDER BY u.days) FROM users AS u) AS weight
            FROM curve AS c
        ), bend AS (
            -- where the curve is highest above its chord
            SELECT c.day FROM curve AS c, whole AS w
            ORDER BY (1 - c.survival) * w.day - (1 - w.survival) * c.day DESC, c.day LIMIT 1
        )
        SELECT c.day, c.at_risk, c.ended, c.open,
            sum(c.ended) OVER days / w.ended,
            least(coalesce(sum(u.weight) OVER days, 0) / w.weight, 1),
            1 - c.survival, 1 - c.upper, 1 - c.lower,
            CASE WHEN c.survival > 0 THEN 1 - w.survival / c.survival END,
            c.day = b.day
        FROM curve AS c CROSS JOIN whole AS w CROSS JOIN bend AS b
        LEFT JOIN users AS u ON u.days = c.day
        WINDOW days AS (ORDER BY c.day)
        ORDER BY c.day;
END
$$;
COMMENT ON FUNCTION churn_return_curve_owned(text, float8) IS 'support function of churn_return_curve';

CREATE FUNCTION churn_return_curve(study text, level float8 DEFAULT 0.95,
    OUT day int, OUT at_risk bigint, OUT ended bigint, OUT open bigint,
    OUT share_gaps float8, OUT share_users float8, OUT returned float8,
    OUT lower float8, OUT upper float8, OUT return_after float8, OUT elbow boolean)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'churn_as_owner' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION churn_return_curve(text, float8) IS 'how soon users come back, a row a day of silence: gaps between key days that last at least so long, that ended, that are open; the share of completed gaps that ended by then, weighting gaps and weighting users; the Kaplan-Meier share returned with open gaps censored at complete-through, and its log(-log) band; the probability that who is silent for so long returns later within the longest gap seen; elbow marks the sharpest bend, a hint; reads all events; errors: 55000 no events or key kinds, 22023 level, 42501 rights';

-- Candidates side by side ---------------------------------------------------

CREATE TYPE churn_window_row AS (
    churn_window int, active_window int, test_date date, users bigint,
    churned bigint, base_rate float8, reactivated float8, reactivation float8,
    elbow boolean, auc float8, recency_auc float8, key_days_auc float8,
    rows bigint, note text
);
COMMENT ON TYPE churn_window_row IS 'a candidate of churn_window_table: churn window and active window in days; users at risk at the test date, how many churned and their share; of the gaps silent for the window the share that ended later, as seen and by Kaplan-Meier; a hint where reactivation bends most; AUC of a quick model and of recency and key days alone on the purged test; training rows, and a note where there is no model';

-- Share of the gaps silent for "days" that ended later: as seen so far, and
-- by Kaplan-Meier within the longest gap.
CREATE FUNCTION churn_reactivation(counts bigint[], days int,
    OUT reactivated float8, OUT reactivation float8)
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT sum(c.ended) FILTER (WHERE c.day > days)
                / nullif(sum(c.ended + c.open) FILTER (WHERE c.day > days)
                    + sum(c.open) FILTER (WHERE c.day = days), 0)::float8,
            -- nothing is known beyond the longest
            CASE WHEN max(c.day) >= days THEN
                1 - min(c.survival) / nullif(min(c.survival) FILTER (WHERE c.day <= days), 0) END
        FROM @extschema@.churn_survival_curve(counts) AS c
    $$;
COMMENT ON FUNCTION churn_reactivation(bigint[], int) IS 'support function of churn_window_table: of durations that last more than so many days, the share that ended later';

-- The newest date at which every candidate that can be tested at all can be.
CREATE FUNCTION churn_common_test_date(definition churn_studies, windows int[],
    first_day date, complete_through date) RETURNS date
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT complete_through + 1 - definition.gap - max(w)
        FROM unnest(windows) AS w
        WHERE complete_through + 1 - first_day
            >= 2 * (definition.gap + w) + least(definition.lookback, w)
    $$;
COMMENT ON FUNCTION churn_common_test_date(churn_studies, int[], date, date) IS 'support function of churn_window_table: one test date for all candidate churn windows; NULL when no candidate has a training snapshot';

-- One candidate, by the histories at hand.
CREATE FUNCTION churn_try_window(trial churn_studies, histories text, key_kinds text[],
    test_date date, first_day date, complete_through date, snapshots int,
    counts bigint[], options jsonb) RETURNS churn_window_row
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    span int := trial.gap + trial.churn_window;
    figures jsonb := '{}';
    result @extschema@.churn_window_row;
BEGIN
    IF test_date + span > complete_through + 1 OR test_date IS NULL THEN
        -- still say who is at risk and who left, at a date of its own
        test_date := complete_through + 1 - span;
    END IF;
    IF test_date > first_day THEN
        figures := @extschema@.churn_trial(trial, histories, key_kinds,
            ARRAY(SELECT t.as_of FROM @extschema@.churn_snapshot_dates(trial,
                first_day, complete_through, test_date, snapshots, 30) AS t),
            first_day, complete_through, options);
    ELSE
        figures := jsonb_build_object('note', 'the data are shorter than the window');
    END IF;
    result := jsonb_populate_record(NULL::@extschema@.churn_window_row, figures
        || jsonb_build_object('users', figures->'test_rows',
            'churned', figures->'test_churned', 'base_rate', figures->'test_churn_rate'));
    result.churn_window := trial.churn_window;
    result.active_window := trial.active_window;
    SELECT r.reactivated, r.reactivation INTO result.reactivated, result.reactivation
    FROM @extschema@.churn_reactivation(counts, trial.churn_window) AS r;
    RETURN result;
END
$$;
COMMENT ON FUNCTION churn_try_window(churn_studies, text, text[], date, date, date, int, bigint[], jsonb) IS 'support function of churn_window_table: the row of a candidate churn window';

-- Mark the candidate at which reactivation is furthest below the chord from
-- the first candidate to the last; none with fewer than three.
CREATE FUNCTION churn_mark_elbow(rows churn_window_row[]) RETURNS SETOF churn_window_row
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    shortest @extschema@.churn_window_row := rows[1];
    longest @extschema@.churn_window_row := rows[cardinality(rows)];
    slope float8 := (longest.reactivation - shortest.reactivation)
        / nullif(longest.churn_window - shortest.churn_window, 0);
    depth float8;
    deepest float8 := 0;
    elbow int;
    r @extschema@.churn_window_row;
BEGIN
    FOREACH r IN ARRAY rows LOOP
        depth := shortest.reactivation + slope * (r.churn_window - shortest.churn_window) - r.reactivation;
        IF depth > deepest + 1e-12 THEN
            deepest := depth;
            elbow := r.churn_window;
        END IF;
    END LOOP;
    FOREACH r IN ARRAY rows LOOP
        r.elbow := coalesce(r.churn_window = elbow, false);
        RETURN NEXT r;
    END LOOP;
END
$$;
COMMENT ON FUNCTION churn_mark_elbow(churn_window_row[]) IS 'support function of churn_window_table: rows by ascending window, with the elbow marked';

CREATE FUNCTION churn_window_table_owned(study text, windows interval[],
    snapshots int, options jsonb) RETURNS SETOF churn_window_row
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    -- the staging table is shared with training and refresh
    d @extschema@.churn_studies := @extschema@.churn_study_lock(study);
    today date := @extschema@.churn_today(d.time_zone);
    follows boolean := d.active_window = least(d.churn_window, d.lookback);
    candidates int[] := ARRAY(SELECT DISTINCT @extschema@.churn_whole_days(w, 'windows')
                              FROM unnest(windows) AS w WHERE w IS NOT NULL ORDER BY 1);
    trial @extschema@.churn_studies;
    f record;
    test_date date;
    histories text;
    key_kinds text[];
    counts bigint[];
    result @extschema@.churn_window_row[] := '{}';
BEGIN
    IF cardinality(candidates) = 0 OR candidates[1] < 1 THEN
        RAISE EXCEPTION 'windows must name churn windows of at least one day'
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Such as windows => ''{30 days,60 days,90 days}''.';
    END IF;
    IF snapshots IS NULL OR snapshots NOT BETWEEN 1 AND 120 THEN
        RAISE EXCEPTION 'snapshots must be between 1 and 120'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT * INTO f FROM @extschema@.churn_quiet_facts(d, today);
    RAISE NOTICE 'histories: reading % events', f.events;
    histories := @extschema@.churn_stage_histories(d, today);
    key_kinds := @extschema@.churn_check_key_kinds(d,
        (SELECT k.kinds FROM @extschema@.churn_history_kinds(histories, today + 1) AS k));
    counts := (SELECT @extschema@.churn_survival(g.days, g.ended, g.gaps)
               FROM @extschema@.churn_gap_counts(histories, key_kinds, f.complete_through) AS g);
    test_date := @extschema@.churn_common_test_date(d, candidates, f.first_day, f.complete_through);
    trial := @extschema@.churn_begin_trials(d);
    FOR n IN 1 .. cardinality(candidates) LOOP
        trial.churn_window := candidates[n];
        IF follows THEN
            trial.active_window := least(candidates[n], d.lookback);
        END IF;
        RAISE NOTICE 'churn window of % days', candidates[n];
        result := result || @extschema@.churn_try_window(trial, histories, key_kinds,
            test_date, f.first_day, f.complete_through, snapshots, counts, options);
    END LOOP;
    EXECUTE format('DROP TABLE %s, %I.%I', histories, trial.table_schema, trial.study || '_snapshots');
    RETURN QUERY SELECT * FROM @extschema@.churn_mark_elbow(result);
END
$$;
COMMENT ON FUNCTION churn_window_table_owned(text, interval[], int, jsonb) IS 'support function of churn_window_table';

CREATE FUNCTION churn_window_table(study text,
    windows interval[] DEFAULT '{30 days,60 days,90 days,120 days,180 days}',
    snapshots int DEFAULT 2, options jsonb DEFAULT '{"folds": 0, "c": 0.01}')
    RETURNS SETOF churn_window_row
    AS 'MODULE_PATHNAME', 'churn_as_owner' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION churn_window_table(text, interval[], int, jsonb) IS 'candidate churn windows side by side, at one test date: users at risk, base rate, share of silent users who come back, AUC of a quick model (no folds) and of the baselines on a purged test, and a hint where the reactivation curve bends; an active window left to its default follows the candidate; leaves nothing behind; errors: 22023 bad arguments, 55000 too little data, 42501 rights';
