#!/bin/sh
# Run the tests that need clusters of their own (test/t/*.pl): several
# sessions, killed backends, standbys. Prints TAP.
#
# usage: node-tests.sh STAGE [FILE …]
set -eu
cd "$(dirname "$0")/.."
stage=$1
shift
[ $# -gt 0 ] || set -- test/t/*.pl

pg=/usr/lib/postgresql/15
# A server will not run as root, and another user may not read the checkout.
work=$(mktemp -d "${TMPDIR:-/tmp}/churn-nodes.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cp -R test/t "$work/t"
files=
for file in "$@"; do files="$files t/$(basename "$file")"; done
as_user=
if [ "$(id -u)" -eq 0 ]; then
    chown -R postgres "$work"
    as_user="runuser -u postgres --"
fi

cd "$work"
unset PGHOST PGPORT PGUSER PGDATABASE PGSERVICE PGOPTIONS PGPASSWORD || true
# shellcheck disable=SC2086
$as_user env LC_ALL=C.UTF-8 PATH="$pg/bin:$PATH" CHURN_STAGE="$stage" \
    CHURN_DATA="${CHURN_DATA:-}" TESTDIR="$work" PG_REGRESS="$pg/lib/pgxs/src/test/regress/pg_regress" \
    prove -v -I "$pg/lib/pgxs/src/test/perl" -I "$work/t" $files
