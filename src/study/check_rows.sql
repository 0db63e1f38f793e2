-- check_rows.sql: single rows, amounts, repeats, robots, late arrival

-- Keys, times and values of single rows -------------------------------------

CREATE FUNCTION churn_check_keys(r churn_reading, today date, OUT finding churn_finding)
    RETURNS SETOF churn_finding
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    f record;
BEGIN
    EXECUTE format(
        'SELECT count(*) AS total,'
        ' count(*) FILTER (WHERE e.user_id IS NULL) AS no_user,'
        ' min(e.ts) FILTER (WHERE e.user_id IS NULL)::text AS no_user_example,'
        ' count(*) FILTER (WHERE btrim(e.user_id::text) = '''') AS blank,'
        ' count(*) FILTER (WHERE e.ts IS NULL) AS no_time,'
        ' min(e.user_id::text) FILTER (WHERE e.ts IS NULL) AS no_time_example,'
        ' count(*) FILTER (WHERE e.ts = ''-infinity'') AS infinite,'
        ' min(e.user_id::text) FILTER (WHERE e.ts = ''-infinity'') AS infinite_example,'
        ' count(*) FILTER (WHERE e.future) AS future,'
        ' max(e.ts) FILTER (WHERE e.future)::text AS future_example,'
        ' count(*) FILTER (WHERE e.kind IS NULL OR octet_length(e.kind) NOT BETWEEN 1 AND 63) AS bad_kind,'
        ' min(e.ts) FILTER (WHERE e.kind IS NULL OR octet_length(e.kind) NOT BETWEEN 1 AND 63)::text AS bad_kind_example,'
        ' count(*) FILTER (WHERE e.amount IN (''NaN'', ''Infinity'', ''-Infinity'')) AS bad_amount,'
        ' min(e.user_id::text) FILTER (WHERE e.amount IN (''NaN'', ''Infinity'', ''-Infinity'')) AS bad_amount_example'
        ' FROM %s AS e', r.rows) INTO f;
    RETURN QUERY SELECT (@extschema@.churn_found(v.check_name, v.severity, r.label, v.count, f.total,
            v.example, r.show || ' AND ' || v.condition, v.detail)).*
        FROM (VALUES
            ('missing_user', @extschema@.churn_weigh(f.no_user, f.total), f.no_user, 'at ' || f.no_user_example,
                r.user_sql || ' IS NULL',
                'rows without a user; training leaves them out and counts them'),
            ('blank_user', 'warning', f.blank, 'user ""',
                format('pg_catalog.btrim(%s::pg_catalog.text) = ''''', r.user_sql),
                'rows whose user is empty or blanks; training takes all of them for one user: leave them out by a filter'),
            ('missing_time', @extschema@.churn_weigh(f.no_time, f.total), f.no_time, 'user ' || f.no_time_example,
                r.time_sql || ' IS NULL',
                'rows without a time; training leaves them out and counts them'),
            ('infinite_time', 'error', f.infinite, 'user ' || f.infinite_example,
                r.time_sql || ' = ''-infinity''',
                'rows at -infinity; training refuses them (22008): leave them out by a filter'),
            ('future_time', 'warning', f.future, f.future_example, r.future_sql,
                format('rows after today, %s; training leaves them out and warns', today)),
            ('bad_kind', 'error', f.bad_kind, 'at ' || f.bad_kind_example,
                format('(%1$s IS NULL OR pg_catalog.octet_length(%1$s) NOT BETWEEN 1 AND 63)', r.kind_sql),
                'rows without a kind, or of one that is empty or above 63 bytes; training refuses them (22004, 22023)'),
            ('invalid_amount', 'error', f.bad_amount, 'user ' || f.bad_amount_example,
                r.amount_sql || ' IN (''NaN'', ''Infinity'', ''-Infinity'')',
                'amounts NaN or infinite; training refuses them (22003)')
        ) AS v (check_name, severity, count, example, condition, detail)
        WHERE r.has_amount OR v.check_name <> 'invalid_amount';
END
$$;
COMMENT ON FUNCTION churn_check_keys(churn_reading, date) IS 'support function of churn_check_data: users, times, kinds and amounts that cannot count';

-- Amounts -------------------------------------------------------------------

CREATE FUNCTION churn_check_amounts(r churn_reading, volume churn_day_count[])
    RETURNS SETOF churn_finding
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    f record;
    -- kinds that carry money as a rule
    paid text[] := ARRAY(SELECT v.kind FROM unnest(volume) AS v GROUP BY v.kind
                         HAVING sum(v.with_amount) > .5 * sum(v.events) ORDER BY 1);
    of_paid text := format('%s = ANY (%L::pg_catalog.text[])', r.kind_sql, paid);
BEGIN
    SELECT coalesce(sum(v.events), 0)::bigint AS events, sum(v.with_amount)::bigint AS with_amount,
        sum(v.events - v.with_amount)::bigint AS missing, sum(v.negative)::bigint AS negative, sum(v.zero)::bigint AS zero
    INTO f FROM unnest(volume) AS v WHERE v.kind = ANY (paid);
    RETURN QUERY SELECT (@extschema@.churn_found(v.check_name, @extschema@.churn_weigh(v.count, f.events),
            r.label, v.count, f.events, CASE WHEN v.count > 0 THEN @extschema@.churn_example(r, v.condition) END,
            r.show || ' AND ' || v.condition, v.detail)).*
        FROM (VALUES
            ('negative_amount', f.negative, format('%s < 0 AND %s', r.amount_sql, of_paid),
                'amounts below 0; of a kind "refund" the sign does not matter, of others training subtracts them: cancellations among orders want a kind of their own'),
            ('zero_amount', f.zero, format('%s = 0 AND %s', r.amount_sql, of_paid),
                'amounts of 0: gifts, tests, prices that are not known; training counts the event, with no money'),
            ('missing_amount', f.missing, format('%s IS NULL AND %s', r.amount_sql, of_paid),
                'no amount where the kind carries one as a rule; training counts the event, and its money as not known')
        ) AS v (check_name, count, condition, detail);
END
$$;
COMMENT ON FUNCTION churn_check_amounts(churn_reading, churn_day_count[]) IS 'support function of churn_check_data: negative, zero and missing amounts of kinds that carry money';

-- One row that meets a condition, in words.
CREATE FUNCTION churn_example(r churn_reading, condition text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    example text;
BEGIN
    EXECUTE format('SELECT pg_catalog.format(''user %%s at %%s, %%s, amount %%s'', %s, %s, %s, %s)%s AND %s LIMIT 1',
        r.user_sql, r.time_sql, r.kind_sql, r.amount_sql,
        substr(r.show, length('SELECT e.*') + 1), condition) INTO example;
    RETURN example;
END
$$;
COMMENT ON FUNCTION churn_example(churn_reading, text) IS 'support function of churn_check_data: one row in words';

-- Amounts far beyond the others of their kind, on a logarithmic scale.
CREATE FUNCTION churn_check_huge(r churn_reading) RETURNS churn_finding
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    f record;
BEGIN
    EXECUTE format(
        'WITH paid AS (SELECT e.user_id, e.ts, e.kind, e.amount FROM %1$s AS e'
        '   WHERE e.amount > 0 AND e.amount < ''Infinity'' AND e.user_id IS NOT NULL),'
        ' quartile AS (SELECT p.kind, percentile_cont(ARRAY[.25, .5, .75]) WITHIN GROUP (ORDER BY ln(p.amount)) AS q'
        '   FROM paid AS p GROUP BY p.kind HAVING count(*) >= 50),'
        ' bound AS (SELECT kind, exp(q[2]) AS median, greatest(20 * exp(q[2]), exp(q[2] + 5 * (q[3] - q[1]) / 1.349)) AS most FROM quartile)'
        ' SELECT count(*) AS count, max(p.amount / b.median) AS times, min(p.amount) AS least,'
        ' (array_agg(format(''user %%s at %%s, %%s, amount %%s'', p.user_id, p.ts, p.kind, p.amount) ORDER BY p.amount / b.median DESC, p.ts))[1] AS example,'
        ' (SELECT count(*) FROM paid) AS total, array_agg(DISTINCT p.kind) AS kinds'
        ' FROM paid AS p JOIN bound AS b ON b.kind = p.kind WHERE p.amount > b.most', r.rows) INTO f;
    RETURN @extschema@.churn_found('huge_amount', CASE WHEN f.times > 100 THEN 'warning' ELSE 'info' END,
        r.label, f.count, f.total, f.example,
        r.show || format(' AND %1$s >= %2$s AND %1$s < ''Infinity'' AND %3$s = ANY (%4$L::pg_catalog.text[]) ORDER BY %1$s DESC',
            r.amount_sql, f.least, r.kind_sql, f.kinds),
        'amounts above 20 times the median of their kind and 5 robust standard deviations of its logarithm; training uses logarithms where they help, but a user''s value is the plain sum');
END
$$;
COMMENT ON FUNCTION churn_check_huge(churn_reading) IS 'support function of churn_check_data: outliers among the amounts; warning above 100 times the median';

-- Rows that repeat ----------------------------------------------------------

CREATE FUNCTION churn_check_repeats(r churn_reading) RETURNS SETOF churn_finding
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    f record;
    shown text := substr(r.show, length('SELECT e.*') + 1);
BEGIN
    EXECUTE format(
        'SELECT count(*) AS total, count(*) FILTER (WHERE e.amount IS NOT NULL) AS paid, coalesce(bool_or(e.clock), false) AS clock,'
        ' count(*) FILTER (WHERE e.ts = e.before) AS exact,'
        ' min(format(''user %%s at %%s, %%s, amount %%s'', e.user_id, e.ts, e.kind, e.amount)) FILTER (WHERE e.ts = e.before) AS exact_example,'
        ' count(*) FILTER (WHERE e.ts > e.before AND e.ts <= e.before + interval ''1 minute'' AND e.amount IS NOT NULL) AS near,'
        ' min(format(''user %%s at %%s and %%s, %%s, amount %%s'', e.user_id, e.before, e.ts, e.kind, e.amount))'
        '   FILTER (WHERE e.ts > e.before AND e.ts <= e.before + interval ''1 minute'' AND e.amount IS NOT NULL) AS near_example'
        ' FROM (SELECT e.*, lag(e.ts) OVER (PARTITION BY e.user_id, e.kind, e.amount ORDER BY e.ts) AS before'
        '   FROM %s AS e WHERE e.user_id IS NOT NULL AND e.day IS NOT NULL AND NOT e.future) AS e', r.rows) INTO f;
    RETURN NEXT @extschema@.churn_found('exact_duplicates',
        CASE WHEN f.clock THEN @extschema@.churn_weigh(f.exact, f.total) ELSE 'info' END,
        r.label, f.exact, f.total, f.exact_example,
        format('SELECT d.* FROM (SELECT e.*, pg_catalog.count(*) OVER (PARTITION BY %s, %s, %s, %s) AS churn_copies%s AND %s) AS d WHERE d.churn_copies > 1',
            r.user_sql, r.time_sql, r.kind_sql, r.amount_sql, shown, r.counts_sql),
        'rows that repeat user, time, kind and amount of another; training counts them all'
        || CASE WHEN f.clock THEN ': leave one of each by a view'
           ELSE '; times are days here, so two equal orders of a day look the same' END);
    IF NOT f.clock THEN
        RETURN;
    END IF;
    IF r.has_amount THEN
        RETURN NEXT @extschema@.churn_found('near_duplicates', @extschema@.churn_weigh(f.near, f.paid),
            r.label, f.near, f.paid, f.near_example,
            format('SELECT d.* FROM (SELECT e.*, %2$s - pg_catalog.lag(%2$s) OVER (PARTITION BY %1$s, %3$s, %4$s ORDER BY %2$s) AS churn_after%5$s AND %4$s IS NOT NULL AND %6$s) AS d WHERE d.churn_after > ''0'' AND d.churn_after <= ''1 minute''',
                r.user_sql, r.time_sql, r.kind_sql, r.amount_sql, shown, r.counts_sql),
            'rows with an amount that follow one of the same user, kind and amount within a minute: a button pressed twice; training counts them all');
        RETURN QUERY SELECT * FROM @extschema@.churn_check_moments(r, f.paid);
    END IF;
END
$$;
COMMENT ON FUNCTION churn_check_repeats(churn_reading) IS 'support function of churn_check_data: exact and near duplicates, split and reversed orders';

CREATE FUNCTION churn_check_moments(r churn_reading, paid bigint) RETURNS SETOF churn_finding
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    f record;
    shown text := substr(r.show, length('SELECT e.*') + 1);
BEGIN
    EXECUTE format(
        'SELECT count(*) FILTER (WHERE e.ts <= e.before + interval ''1 minute'') AS split,'
        ' min(format(''user %%s at %%s, %%s'', e.user_id, e.ts, e.kind)) FILTER (WHERE e.ts <= e.before + interval ''1 minute'') AS split_example,'
        ' count(*) FILTER (WHERE e.reversed) AS reversed,'
        ' (array_agg(format(''user %%s at %%s, %%s, amount %%s'', e.user_id, e.ts, e.kind, e.amount)'
        '   ORDER BY abs(e.amount) DESC, e.ts) FILTER (WHERE e.reversed))[1] AS reversed_example'
        ' FROM (SELECT e.*, lag(e.ts) OVER (PARTITION BY e.user_id, e.kind ORDER BY e.ts) AS before,'
        '   e.ts <= lag(e.ts) OVER money + interval ''1 hour''' 
        '   AND (e.amount < 0 AND lag(e.amount) OVER money > 0'
        '     OR e.kind = ''refund'' AND lag(e.kind) OVER money <> ''refund'') AS reversed'
        '   FROM %s AS e WHERE e.user_id IS NOT NULL AND e.day IS NOT NULL AND NOT e.future AND e.amount IS NOT NULL'
        '   WINDOW money AS (PARTITION BY e.user_id, abs(e.amount) ORDER BY e.ts, e.amount DESC)) AS e', r.rows) INTO f;
    RETURN NEXT @extschema@.churn_found('same_minute',
        CASE WHEN f.split >= .01 * paid THEN 'warning' ELSE 'info' END, r.label, f.split, paid, f.split_example,
        format('SELECT d.* FROM (SELECT e.*, %2$s - pg_catalog.lag(%2$s) OVER (PARTITION BY %1$s, %3$s ORDER BY %2$s) AS churn_after%5$s AND %4$s IS NOT NULL AND %6$s) AS d WHERE d.churn_after <= ''1 minute''',
            r.user_sql, r.time_sql, r.kind_sql, r.amount_sql, shown, r.counts_sql),
        'rows with an amount that follow one of the same user and kind within a minute, whatever the amount: one order booked in parts; features by day do not mind, counts of events do');
    RETURN NEXT @extschema@.churn_found('reversed_amount', @extschema@.churn_weigh(f.reversed, paid),
        r.label, f.reversed, paid, f.reversed_example,
        format('SELECT d.* FROM (SELECT e.*, %2$s - pg_catalog.lag(%2$s) OVER w AS churn_after, pg_catalog.lag(%3$s) OVER w AS churn_amount_before, pg_catalog.lag(%4$s) OVER w AS churn_kind_before, %3$s AS churn_amount, %4$s AS churn_kind%5$s AND %3$s IS NOT NULL AND %6$s WINDOW w AS (PARTITION BY %1$s, pg_catalog.abs(%3$s) ORDER BY %2$s, %3$s DESC)) AS d WHERE d.churn_after <= ''1 hour'' AND (d.churn_amount < 0 AND d.churn_amount_before > 0 OR d.churn_kind = ''refund'' AND d.churn_kind_before <> ''refund'')',
            r.user_sql, r.time_sql, r.amount_sql, r.kind_sql, shown, r.counts_sql),
        'amounts taken back within an hour: an order that was none; the user still counts as having ordered: leave both rows out by a view');
END
$$;
COMMENT ON FUNCTION churn_check_moments(churn_reading, bigint) IS 'support function of churn_check_data: orders booked in parts, orders cancelled at once';

-- Robots --------------------------------------------------------------------

-- Users by events per day on which they did anything, on a logarithmic scale.
CREATE FUNCTION churn_check_bots(r churn_reading) RETURNS churn_finding
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    f record;
BEGIN
    EXECUTE format(
        'WITH rate AS MATERIALIZED (SELECT d.user_id, sum(d.events) / count(*)::float8 AS rate, sum(d.events) AS events FROM'
        '   (SELECT e.user_id, e.day, count(*) AS events FROM %s AS e'
        '    WHERE e.user_id IS NOT NULL AND e.day IS NOT NULL AND NOT e.future GROUP BY e.user_id, e.day) AS d GROUP BY d.user_id),'
        ' quartile AS (SELECT percentile_cont(ARRAY[.25, .5, .75]) WITHIN GROUP (ORDER BY ln(t.rate)) AS q FROM rate AS t),'
        ' bound AS (SELECT exp(q[2]) AS median, greatest(20, exp(q[2] + greatest(8 * (q[3] - q[1]) / 1.349, ln(10.0::float8)))) AS most FROM quartile)'
        ' SELECT count(*) AS users, count(*) FILTER (WHERE t.rate > b.most) AS bots,'
        ' sum(t.events) FILTER (WHERE t.rate > b.most) / sum(t.events) AS share_of_events,'
        ' min(b.median) AS median, min(b.most) AS most,'
        ' (array_agg(format(''user %%s: %%s events a day'', t.user_id, round(t.rate::numeric)) ORDER BY t.rate DESC, t.user_id::text))[1] AS example'
        ' FROM rate AS t CROSS JOIN bound AS b', r.rows) INTO f;
    RETURN @extschema@.churn_found('bots', 'warning', r.label, f.bots, f.users,
        f.example || format(', %s %% of all events are of such users', round(100 * f.share_of_events::numeric, 1)),
        format('SELECT %1$s AS user_id, pg_catalog.count(*) AS events, pg_catalog.count(DISTINCT %2$s) AS days%3$s AND %5$s GROUP BY 1 HAVING pg_catalog.count(*) > %4$s * pg_catalog.count(DISTINCT %2$s) ORDER BY 2 DESC',
            r.user_sql, r.day_sql, substr(r.show, length('SELECT e.*') + 1), round(f.most::numeric, 3), r.counts_sql),
        format('users with more than %s events on a day they are there (median %s): above 20, 10 times the median, and 8 robust standard deviations of the logarithm; training counts them as users: leave them out by a filter',
            round(f.most::numeric, 1), round(f.median::numeric, 1)));
END
$$;
COMMENT ON FUNCTION churn_check_bots(churn_reading) IS 'support function of churn_check_data: suspected robots; counts users';

-- When rows became known ----------------------------------------------------

CREATE FUNCTION churn_check_arrival(r churn_reading) RETURNS SETOF churn_finding
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    f record;
    b record;
    shown text := substr(r.show, length('SELECT e.*') + 1);
BEGIN
    EXECUTE format(
        'SELECT count(*) AS total, count(*) FILTER (WHERE e.known_day > e.day) AS late,'
        ' count(*) FILTER (WHERE e.known_day < e.day) AS early,'
        ' min(format(''user %%s: %%s, known on %%s'', e.user_id, e.day, e.known_day)) FILTER (WHERE e.known_day < e.day) AS early_example,'
        ' percentile_disc(ARRAY[.5, .95]) WITHIN GROUP (ORDER BY greatest(e.known_day - e.day, 0)) AS lag,'
        ' max(e.known_day - e.day) AS longest'
        ' FROM %s AS e WHERE e.user_id IS NOT NULL AND e.day IS NOT NULL AND NOT e.future', r.rows) INTO f;
    RETURN NEXT @extschema@.churn_found('late_arrival',
        CASE WHEN f.lag[1] > 0 OR f.lag[2] > 7 THEN 'warning' ELSE 'info' END, r.label, f.late, f.total,
        format('median lag %s days, 95 %% within %s, longest %s', f.lag[1], f.lag[2], f.longest),
        @extschema@.churn_known_query(r),
        'rows known on a later day than they happened; features see them from that day on only, labels use all that is known today');
    RETURN NEXT @extschema@.churn_found('known_before', 'info', r.label, f.early, f.total, f.early_example,
        @extschema@.churn_known_query(r), 'rows known before they happened; they count as known at once');
    EXECUTE format(
        'SELECT e.known_day, count(*) AS rows, max(e.day) - min(e.day) AS span, min(e.day) AS first FROM %s AS e'
        ' WHERE e.user_id IS NOT NULL AND e.day IS NOT NULL AND NOT e.future AND e.known_day - e.day > 30'
        ' GROUP BY e.known_day ORDER BY 2 DESC, 1 LIMIT 1', r.rows) INTO b;
    RETURN NEXT @extschema@.churn_found('backfill',
        CASE WHEN b.rows >= .2 * f.total THEN 'error' ELSE 'warning' END, r.label,
        CASE WHEN b.rows >= .02 * f.total AND b.span >= 30 THEN b.rows ELSE 0 END, f.total,
        format('%s rows from %s on became known on %s', b.rows, b.first, b.known_day),
        @extschema@.churn_known_query(r),
        'one day on which much older history became known: features of snapshots before it are empty; leave known_at_column out, or set it to the time of the event for what was loaded then');
END
$$;
COMMENT ON FUNCTION churn_check_arrival(churn_reading) IS 'support function of churn_check_data: lag between event and knowledge, and backfills (a known-at day with 2 % of all rows that happened more than 30 days before, over 30 days or more)';

CREATE FUNCTION churn_known_query(r churn_reading) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT format('SELECT e.known_day - e.day AS lag, pg_catalog.count(*), pg_catalog.min(e.known_day) AS first_known, pg_catalog.max(e.known_day) AS last_known FROM %s AS e GROUP BY 1 ORDER BY 1', r.rows)
    $$;
COMMENT ON FUNCTION churn_known_query(churn_reading) IS 'support function of churn_check_data: SQL that counts rows by lag';
