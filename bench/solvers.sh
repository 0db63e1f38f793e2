#!/bin/sh
# The solver over codes against LIBLINEAR on the same indicators: one fit of
# encoding "pairs" with 20 pairs at one C. Prints seconds and peak memory of
# both and their ratios.
#
# usage: solvers.sh, inside a cluster with the extension (tools/bench.sh)
# SOLVER_ROWS (100000): rows; 40 columns, 20 of whose pairs matter.
#
# The search that ranks the pairs is held to 2,000 rows, so what is measured is
# the final fit and what both sides share: reading, binning, coding. Memory is
# the peak of the process that fits (VmHWM of the backend; no workers), less
# that of the same session after it has read the table, whose pages in shared
# buffers count as its own. The rows as collected and as a matrix of
# float8 are in both; the solvers' own is what is beyond them.
set -eu
rows=${SOLVER_ROWS:-100000}
options='"key": "id", "encoding": "pairs", "pairs": 20, "c": 0.0625, "folds": 3, "max_search_rows": 2000, "calibration": "none", "workers": 0, "memory": "20GB"'

psql -qX -v ON_ERROR_STOP=1 -v rows="$rows" <<'SQL'
SET client_min_messages = warning;
SELECT string_agg(format('random() AS x%s', g), ', ') AS columns FROM generate_series(1, 40) g \gset
SELECT string_agg(format('8 * (x%s - .5) * (x%s - .5)', g, g + 20), ' + ') AS interactions FROM generate_series(1, 20) g \gset
SELECT setseed(.5) \g /dev/null
CREATE TABLE bench_solver AS
SELECT *, random() < 1 / (1 + exp(-(:interactions - 1))) AS churned
FROM (SELECT i AS id, :columns FROM generate_series(1, :rows) i OFFSET 0) r;
ANALYZE bench_solver;
SQL

# fit SOLVER: "seconds kilobytes pairs" of one fit in a session of its own
fit() {
    psql -qXAt -v ON_ERROR_STOP=1 -v options="{$options, \"solver\": \"$1\"}" <<'SQL'
SET client_min_messages = warning;
SELECT set_config('max_parallel_workers_per_gather', '0', false) \g /dev/null
SELECT count(b) FROM bench_solver b \g /dev/null
SELECT substring(pg_read_file('/proc/' || pg_backend_pid() || '/status') FROM 'VmHWM:\s+(\d+)')::int AS before \gset
SELECT clock_timestamp() AS began \gset
SELECT churn_model_info(churn_fit(b, 'churned', :'options')) ->> 'pairs' AS pairs FROM bench_solver b \gset
SELECT round(extract(epoch FROM clock_timestamp() - :'began')::numeric, 2) || ' ' ||
    (substring(pg_read_file('/proc/' || pg_backend_pid() || '/status') FROM 'VmHWM:\s+(\d+)')::int - :before) || ' ' || :pairs;
SQL
}

echo
echo "== solvers: newton against LIBLINEAR, pairs, $rows rows of 40 columns, one C"
newton=$(fit newton)
liblinear=$(fit liblinear)
echo "$newton $liblinear" | awk -v rows="$rows" '{
    held = 2 * rows * 40 * 8 / 1048576
    ours = $2 / 1024; theirs = $5 / 1024
    printf "%-10s %10s %12s %14s %6s\n", "solver", "seconds", "MB (VmHWM)", "beyond rows", "pairs"
    printf "%-10s %10.2f %12.0f %14.0f %6d\n", "newton", $1, ours, ours - held, $3
    printf "%-10s %10.2f %12.0f %14.0f %6d\n", "liblinear", $4, theirs, theirs - held, $6
    printf "%-10s %10.3f %12.3f %14.3f\n", "ratio", $1 / $4, ours / theirs, (ours - held) / (theirs - held)
    printf "%-10s %10s %12s %14s\n", "aim", "<= .05", "", "<= .02" }'
psql -qX -c 'DROP TABLE bench_solver'
