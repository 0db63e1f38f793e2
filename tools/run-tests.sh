#!/bin/sh
# The tests proper, run by check.sh inside the throw-away cluster: C drivers,
# pg_regress pairs, pgTAP files, clusters of their own, documentation. Counts
# what each runner says.
set -u
cd "$(dirname "$0")/.." || exit 1

passed=0
failed=0
export CHURN_DATA="${CHURN_DATA:-$(pwd)/../shared/data}"
export LC_ALL=C.UTF-8

# count LABEL LOG: add the TAP lines of a log to the totals. A plan that broke
# or a driver that died leaves no "ok" line, so its runner's status counts too.
count() {
    # what was skipped has neither passed nor failed
    ok=$(grep -aE '^ *ok ' "$2" | grep -avc '# SKIP')
    not_ok=$(grep -acE '^ *not ok ' "$2")
    [ "$3" -eq 0 ] || [ "$not_ok" -gt 0 ] || not_ok=1
    passed=$((passed + ok))
    failed=$((failed + not_ok))
    printf '%-12s %4d passed, %d failed\n' "$1" "$ok" "$not_ok"
    sed -n 's/^ *ok .*# SKIP *//p' "$2" | sort | uniq -c |
        while read -r skipped why; do
            printf '%-12s %4d skipped: %s\n' "$1" "$skipped" "$why"
        done
}

# C drivers without a server
if [ "${1:-}" != --dev ] && ls test/unit/*.c >/dev/null 2>&1; then
    tools/unit-tests.sh >build/unit.log 2>&1
    status=$?
    count unit build/unit.log $status
    [ $status -eq 0 ] || cat build/unit.log
fi

# pg_regress pairs
make -s -f Makefile installcheck >build/regress.log 2>&1
status=$?
sed -n 's/^test \([^ ]*\) *\.\.\. ok.*/ok - \1/p; s/^test \([^ ]*\) *\.\.\. FAILED.*/not ok - \1/p' \
    build/regress.log >build/regress.tap
count regress build/regress.tap $status
if [ $status -ne 0 ]; then
    cat build/regress/regression.diffs 2>/dev/null || tail -n 30 build/regress.log
fi

# pgTAP, a database of its own for each file
if ls test/*.sql >/dev/null 2>&1; then
    : >build/pgtap.log
    status=0
    for file in test/*.sql; do
        base=$(basename "$file" .sql)
        createdb "tap_$base" &&
            psql -qX -v ON_ERROR_STOP=1 -d "tap_$base" \
                -c 'CREATE EXTENSION pgtap' -c 'CREATE EXTENSION churn' &&
            pg_prove -v -d "tap_$base" "$file" >"build/tap_$base.log" 2>&1
        one=$?
        cat "build/tap_$base.log" >>build/pgtap.log
        if [ $one -ne 0 ]; then
            status=1
            echo "test/$base.sql:"
            grep -E '^ *not ok|^ *#|ERROR|Result|psql:' "build/tap_$base.log" | head -n 60
        fi
        dropdb --if-exists "tap_$base"
    done
    count pgtap build/pgtap.log $status
fi

# Clusters of their own
if [ "${1:-}" != --dev ] && [ -n "${CHURN_STAGE:-}" ]; then
    tools/node-tests.sh "$CHURN_STAGE" >build/node.log 2>&1
    status=$?
    count node build/node.log $status
    [ $status -eq 0 ] || grep -vE '^ok ' build/node.log | head -n 80
fi

# Documentation: the SQL of every page runs, and its output is as printed
if [ "${1:-}" != --dev ]; then
    # shellcheck disable=SC2046
    perl tools/doc-test.pl $(ls README.md doc/*.md 2>/dev/null) >build/doc.log 2>&1
    status=$?
    count doc build/doc.log $status
    [ $status -eq 0 ] || grep -vE '^ok ' build/doc.log | head -n 80
fi

echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
