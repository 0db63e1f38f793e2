-- What a fit of 40 columns holds at its peak, and how long it takes, by
-- setting: rows beyond it go through temporary files. A row of the table
-- below is 328 bytes of numbers.

\if :{?fit_rows}
\else
\set fit_rows :events
\endif
SELECT setseed(.5) \g /dev/null
SELECT format('CREATE UNLOGGED TABLE bench_fit AS SELECT *, c1 + random() < .6 AS churned FROM (SELECT i AS id, %s FROM generate_series(1, %s) i) x',
              string_agg(format('random() AS c%s', k), ', '), :fit_rows) FROM generate_series(1, 40) k \gexec
CREATE TABLE bench_peaks (encoding text, memory text, run serial, seconds float8, peak_kb bigint);

-- One fit, watched from outside
CREATE PROCEDURE bench_fit_in(encoding text, memory text, folder text) LANGUAGE plpgsql AS $$
DECLARE
    began timestamptz;
    seconds float8;
BEGIN
    COPY (SELECT 1) TO PROGRAM 'cat >/dev/null; touch /tmp/churn_peak.$PPID.on; chmod a+rw /tmp/churn_peak.$PPID.on';
    EXECUTE format('COPY (SELECT 1) TO PROGRAM %L',
        format('cat >/dev/null; %s/peak.sh $PPID /tmp/churn_peak.$PPID >/dev/null 2>&1 &', folder));
    began := clock_timestamp();
    PERFORM churn_fit(f, 'churned', jsonb_build_object('key', 'id', 'encoding', encoding, 'memory', memory, 'c', .1)) FROM bench_fit f;
    seconds := extract(epoch FROM clock_timestamp() - began);
    COPY (SELECT 1) TO PROGRAM 'cat >/dev/null; rm -f /tmp/churn_peak.$PPID.on; while [ ! -s /tmp/churn_peak.$PPID ]; do sleep 0.05; done';
    CREATE TEMP TABLE peak (kb bigint) ON COMMIT DROP;
    COPY peak FROM PROGRAM 'cat /tmp/churn_peak.$PPID; rm -f /tmp/churn_peak.$PPID';
    INSERT INTO bench_peaks (encoding, memory, seconds, peak_kb) SELECT encoding, memory, seconds, kb FROM peak;
END $$;

-- a session of its own for each: what one has freed may stay in the heap
\connect -
CALL bench_fit_in('linear', '1GB', :'folder');
\connect -
CALL bench_fit_in('linear', '256MB', :'folder');
\connect -
CALL bench_fit_in('linear', '64MB', :'folder');
\connect -
CALL bench_fit_in('linear', '8MB', :'folder');
\connect -
CALL bench_fit_in('bins', '1GB', :'folder');
\connect -
CALL bench_fit_in('bins', '256MB', :'folder');
\connect -
CALL bench_fit_in('bins', '64MB', :'folder');
\connect -
CALL bench_fit_in('bins', '8MB', :'folder');
\connect -
CALL bench_fit_in('pairs', '1GB', :'folder');
\connect -
CALL bench_fit_in('pairs', '256MB', :'folder');
\connect -
CALL bench_fit_in('pairs', '64MB', :'folder');
\connect -
CALL bench_fit_in('pairs', '8MB', :'folder');
\echo Peak memory of a fit, by churn.memory; time as a ratio to that at 1GB
SELECT encoding, memory, round(peak_kb / 1024.0) AS peak_mb, round(seconds::numeric, 1) AS seconds,
       round((seconds / first_value(seconds) OVER (PARTITION BY encoding ORDER BY run))::numeric, 2) AS ratio
FROM bench_peaks ORDER BY run;
