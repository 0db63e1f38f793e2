#!/bin/sh
# Fill a database with a shop and run demo/road.sql on it; called by
# tools/demo.sh inside the throw-away cluster. DATA names a file or is empty.
set -eu
cd "$(dirname "$0")"
export PSQLRC=/dev/null LC_ALL=C.UTF-8

createdb churn_demo
page=$(cd .. && pwd)/build/report.html
mkdir -p "$(dirname "$page")"
psql() { command psql -qX -P pager=off -v ON_ERROR_STOP=1 -d churn_demo "$@"; }

if [ -n "${DATA:-}" ]; then
    case "$DATA" in
    /*) ;;
    *) DATA=../$DATA ;;
    esac
    case "$DATA" in
    *.gz) unpack="gzip -dc" ;;
    *) unpack="cat" ;;
    esac
    psql -f retail.sql
    $unpack "$DATA" | psql -c '\copy invoices from pstdin with (format csv, header)'
    psql -v source=retail -v active="'730 days'" -v page="$page" -f road.sql
else
    psql -f shop.sql
    psql -v source=shop -v active="'90 days'" -v page="$page" -f road.sql
fi
