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
trap 'umount "$work/small" 2>/dev/null || true; rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cp -R test/t "$work/t"
files=
for file in "$@"; do files="$files t/$(basename "$file")"; done
as_user=
small=
if [ "$(id -u)" -eq 0 ]; then
    chown -R postgres "$work"
    # a disk that can be filled, where this machine lets us mount one
    mkdir "$work/small"
    ! mount -t tmpfs -o "size=4m,uid=$(id -u postgres),mode=0700" tmpfs "$work/small" 2>/dev/null ||
        small="$work/small"
    as_user="runuser -u postgres --"
fi

cd "$work"
unset PGHOST PGPORT PGUSER PGDATABASE PGSERVICE PGOPTIONS PGPASSWORD || true
# shellcheck disable=SC2086
$as_user env LC_ALL=C.UTF-8 PATH="$pg/bin:$PATH" CHURN_STAGE="$stage" \
    CHURN_DATA="${CHURN_DATA:-}" CHURN_SMALL_DISK="$small" TESTDIR="$work" PG_REGRESS="$pg/lib/pgxs/src/test/regress/pg_regress" \
    prove -v -I "$pg/lib/pgxs/src/test/perl" -I "$work/t" $files
