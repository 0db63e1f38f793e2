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
echo "Building churn, starting a private PostgreSQL, filling it (about a minute) …"
stage=$(tools/stage.sh CHURN_CFLAGS=-Werror)
trap 'rm -rf "$stage"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
# The demo speaks by descriptor 3; what the cluster's own tools have to say,
# and the server's log of a failure, goes to a file.
if ! DATA=$data tools/cluster.sh "$stage" sh -c 'demo/run.sh >&3' \
    3>&1 >build/demo.log; then
    echo "the demo failed; the server's log is in build/demo.log" >&2
    exit 1
fi
