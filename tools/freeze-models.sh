#!/bin/sh
# Write the frozen examples of churn_model anew: test/data/models_1.csv and
# test/data/model_scores_1.csv, which test/model_frozen.sql reads. To be run
# while a format is in the making; once it is released its examples stay as
# they are, and a new format gets files of its own.
#
# usage: freeze-models.sh
set -eu
cd "$(dirname "$0")/.."

stage=$(tools/stage.sh | tail -n 1)
trap 'rm -rf "$stage"' EXIT
tools/cluster.sh "$stage" psql -qX -v ON_ERROR_STOP=1 -d postgres -f tools/freeze-models.sql
wc -c test/data/models_1.csv test/data/model_scores_1.csv
