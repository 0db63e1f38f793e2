#!/bin/sh
# The demonstration: install what is missing, build, start a throw-away
# cluster, fill it, run the whole road and print who is about to leave and why.
#
# usage: demo.sh [DATA]
#   DATA: a file of invoices (customer_id, invoice_no, invoice_ts, amount, …,
#   is_cancellation), .csv or .csv.gz; without it the simulated shop.
set -eu
cd "$(dirname "$0")/.."

data=${1:-}
if [ -n "$data" ] && [ ! -r "$data" ]; then
    echo "cannot read $data" >&2
    echo "README.md says where the data can be had; without DATA= the demo runs on a simulated shop." >&2
    exit 1
fi
tools/packages.sh gcc make postgresql-15 postgresql-server-dev-15 liblinear-dev
stage=$(tools/stage.sh CHURN_CFLAGS=-Werror | tail -n 1)
trap 'rm -rf "$stage"' EXIT
DATA=$data tools/cluster.sh "$stage" demo/run.sh 2>&1 |
    grep -vE '^(Creating new PostgreSQL|Dropping) cluster'
