#!/bin/sh
# Run every test in a throw-away cluster; the last line counts them.
#
# usage: check.sh [--dev]
#   --dev: build with assertions, skip documentation and unit drivers.
set -eu
cd "$(dirname "$0")/.."

tools/packages.sh gcc make perl postgresql-15 postgresql-server-dev-15 \
    liblinear-dev postgresql-15-pgtap libtap-parser-sourcehandler-pgtap-perl \
    libipc-run-perl

flags="-Werror"
[ "${1:-}" = --dev ] && flags="-Werror -DUSE_ASSERT_CHECKING"
stage=$(tools/stage.sh CHURN_CFLAGS="$flags")
trap 'rm -rf "$stage"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

mkdir -p build
status=0
CHURN_STAGE="$stage" tools/cluster.sh "$stage" tools/run-tests.sh "$@" >build/check.log 2>&1 ||
    status=$?
# The counts come last, after what the cluster's own tools had to say.
[ $status -eq 0 ] || echo "the whole output is in build/check.log"
# From "***" on it is the server's log, which pg_virtualenv adds to a failure.
sed '/^\*\*\* .*\.log (last/,$d' build/check.log |
    grep -avE '^(Creating|Dropping) |^[0-9]+ passed, ' || true
grep -aE '^[0-9]+ passed, ' build/check.log || echo "0 passed, 1 failed"
exit $status
