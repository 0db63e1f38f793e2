#!/bin/sh
# Run a command with a throw-away PostgreSQL cluster in which the staged
# extension can be created. No cluster that runs already is touched.
#
# usage: cluster.sh STAGE COMMAND [ARGUMENT …]
# CHURN_PG_OPTIONS: further server settings, one "name=value" a word.
set -eu
stage=$1
shift

options="-o fsync=off -o shared_buffers=256MB -o max_wal_size=4GB"
for setting in ${CHURN_PG_OPTIONS:-}; do
    options="$options -o $setting"
done
# A port of our own: several clusters may start at the same moment.
port=$((20000 + ($(od -An -N2 -tu2 /dev/urandom) % 30000)))
# A bare machine has no locale, and its databases no encoding.
export LC_ALL=C.UTF-8
unset PGHOST PGPORT PGUSER PGDATABASE PGSERVICE PGOPTIONS PGPASSWORD || true
# shellcheck disable=SC2086
exec pg_virtualenv -t -v 15 -c "-p $port" -o extension_destdir="$stage" $options "$@"
