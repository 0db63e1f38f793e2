-- Timing side by side: both sides in one session, run after run in turn, so
-- that what else the machine does falls on both.

CREATE TABLE bench_runs (
    what text,
    side text,
    run int,
    seconds float8
);

-- Seconds that the queries take, one after the other. Each is wrapped so that
-- every column is computed and one row comes back: count(q) of the whole row,
-- since the planner drops columns of a subquery that nobody reads.
CREATE FUNCTION bench_seconds(queries text[]) RETURNS float8
LANGUAGE plpgsql AS $$
DECLARE
    query text;
    began timestamptz := clock_timestamp();
BEGIN
    FOREACH query IN ARRAY queries LOOP
        EXECUTE format('SELECT count(q) FROM (%s) AS q', query);
    END LOOP;
    RETURN extract(epoch FROM clock_timestamp() - began);
END $$;

-- Run both sides in turn after one unmeasured round, and keep the times.
CREATE PROCEDURE bench_pair(what text, ours text[], theirs text[], runs int)
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM bench_seconds(ours), bench_seconds(theirs);
    FOR run IN 1 .. runs LOOP
        INSERT INTO bench_runs VALUES
            (what, 'theirs', run, bench_seconds(theirs)),
            (what, 'ours', run, bench_seconds(ours));
    END LOOP;
END $$;

-- Medians and extremes of the pairs whose name begins so
CREATE FUNCTION bench_report(prefix text)
RETURNS TABLE (what text, runs bigint, ours text, theirs text, ours_per_theirs numeric, theirs_per_ours numeric)
LANGUAGE sql AS $$
    WITH sides AS (
        SELECT b.what, b.side, count(*) AS runs,
            percentile_cont(.5) WITHIN GROUP (ORDER BY seconds) AS median,
            min(seconds) AS least, max(seconds) AS most
        FROM bench_runs AS b WHERE starts_with(b.what, prefix) GROUP BY 1, 2
    )
    SELECT o.what, o.runs,
        format('%s s (%s-%s)', round(o.median::numeric, 2), round(o.least::numeric, 2), round(o.most::numeric, 2)),
        format('%s s (%s-%s)', round(t.median::numeric, 2), round(t.least::numeric, 2), round(t.most::numeric, 2)),
        round((o.median / t.median)::numeric, 2), round((t.median / o.median)::numeric, 2)
    FROM sides AS o JOIN sides AS t ON t.what = o.what AND t.side = 'theirs'
    WHERE o.side = 'ours' ORDER BY 1
$$;

-- The settings that the figures hang on
CREATE VIEW bench_settings AS
    SELECT string_agg(name || ' = ' || current_setting(name), ', ' ORDER BY name) AS settings
    FROM unnest(ARRAY['work_mem', 'hash_mem_multiplier', 'jit', 'shared_buffers',
        'max_parallel_workers_per_gather']) AS s(name);
