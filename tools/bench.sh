#!/bin/sh
# Side-by-side benchmarks in a throw-away cluster.
#
# usage: bench.sh [EVENTS]
# RUNS: measured runs of each side (5); FEATURE_RUNS: the same for the long
# feature statements (3); WORK_MEM (256MB), JIT (off): settings of the session.
set -eu
cd "$(dirname "$0")/.."

events=${1:-1000000}
case "$events" in
'' | *[!0-9]*)
    echo "usage: bench.sh [EVENTS], a whole number" >&2
    exit 2
    ;;
esac

tools/packages.sh gcc make perl postgresql-15 postgresql-server-dev-15 \
    liblinear-dev
stage=$(tools/stage.sh)
trap 'rm -rf "$stage"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

export PGOPTIONS_BENCH="-c max_parallel_workers_per_gather=0 -c work_mem=${WORK_MEM:-256MB} -c jit=${JIT:-off} -c timezone=UTC -c client_min_messages=warning"
export CHURN_PG_OPTIONS="${CHURN_PG_OPTIONS:-shared_buffers=1GB}"
export events
# shellcheck disable=SC2016
tools/cluster.sh "$stage" sh -c '
    PGOPTIONS=$PGOPTIONS_BENCH psql -qX -v ON_ERROR_STOP=1 \
        -v events="$events" -v runs="${RUNS:-5}" \
        -v feature_runs="${FEATURE_RUNS:-3}" \
        -c "CREATE EXTENSION churn" -f bench/measure.sql -f bench/data.sql \
        -f bench/histories.sql -f bench/metrics.sql -f bench/features.sql \
        -f bench/refresh.sql -f bench/live.sql
    bench/round_trip.sh'
