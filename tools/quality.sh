#!/bin/sh
# How accurate is churn beside XGBoost and scikit-learn? Install what is
# missing, build, start a throw-away cluster, compare on identical splits, and
# write bench/quality/RESULTS.md, or SPEED.md with --speed.
#
# usage: quality.sh [--speed | options of bench/quality/quality.py]
# CHURN_DATA: folder of the public data sets; without it they are left out.
set -eu
cd "$(dirname "$0")/.."

tools/packages.sh gcc make postgresql-15 postgresql-server-dev-15 \
    liblinear-dev python3-pandas python3-psycopg2 python3-sklearn python3-xgboost
stage=$(tools/stage.sh)
trap 'rm -rf "$stage"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

case "${1:-}" in
'') set -- --output bench/quality/RESULTS.md ;;
--speed) set -- --speed --output bench/quality/SPEED.md ;;
esac
# Debian's interpreter sees Debian's packages.
tools/cluster.sh "$stage" sh -c '
    psql -qX -c "CREATE EXTENSION churn" &&
    PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 bench/quality/quality.py "$@"' \
    quality "$@"
