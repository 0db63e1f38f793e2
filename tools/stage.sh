#!/bin/sh
# Build, and install into a private folder that the server may read; print
# its name as the last line. The system's PostgreSQL stays untouched.
#
# usage: stage.sh [make arguments]
set -eu
cd "$(dirname "$0")/.."

# What was said to the outer make is not for PGXS: its DATA is a list of files
# to install, ours names the demo's input.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL DATA || true
# cluster.sh starts this version; the pg_config found first may be another's.
export PG_CONFIG="${PG_CONFIG:-/usr/lib/postgresql/15/bin/pg_config}"

log=$(mktemp)
# A build with other flags must not leave its objects behind.
if [ "$(cat build/flags 2>/dev/null || true)" != "$*" ]; then
    make -s -f Makefile clean >/dev/null 2>&1 || true
    mkdir -p build
    printf '%s' "$*" >build/flags
fi
stage=$(mktemp -d "${TMPDIR:-/tmp}/churn-stage.XXXXXX")
if ! make -j2 -f Makefile "$@" all >"$log" 2>&1 ||
    ! make -f Makefile "$@" install DESTDIR="$stage" >>"$log" 2>&1; then
    grep -E 'error|warning|Error|No rule' "$log" >&2 || tail -n 30 "$log" >&2
    echo "the build failed; its whole output is in $log" >&2
    rm -rf "$stage"
    exit 1
fi
rm -f "$log"
chmod -R go+rX "$stage"
echo "$stage"
