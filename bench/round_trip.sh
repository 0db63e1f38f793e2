#!/bin/sh
# Round trips by pgbench in the cluster of tools/bench.sh, prepared: a live
# score from its stored history against the look-up of that row, in turn with
# one client, then the 99th percentile under four.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
users=$(psql -qXAt -c 'SELECT max(user_id) FROM bench_history')
psql -qX -c "ALTER DATABASE postgres SET churn.today = '$(psql -qXAt -c 'SELECT max(through) FROM bench_history')'"
printf '\\set u random(1, %s)\nSELECT through FROM bench_history WHERE user_id = :u;\n' "$users" >"$work/look_up"
printf '\\set u random(1, %s)\nSELECT churn_score(cast(:u AS bigint), $$bench$$);\n' "$users" >"$work/score"

# trip SCRIPT CLIENTS: milliseconds, mean and 99th percentile
trip() {
    rm -f "$work"/log*
    (cd "$work" && pgbench -n -M prepared -c "$2" -j 1 -T "${SECONDS_EACH:-3}" \
        -l --log-prefix=log -f "$1" postgres >/dev/null 2>&1)
    cat "$work"/log* | awk '{print $3}' | sort -n | awk '
        {t[NR] = $1; sum += $1}
        END {printf "%.3f %.3f\n", sum / NR / 1000, t[int((NR - 1) * .99) + 1] / 1000}'
}
trip look_up 1 >/dev/null
trip score 1 >/dev/null
echo
echo "== round trips, milliseconds"
echo "clients  look_up (mean, p99)  churn_score (mean, p99)  ratio of means   aim"
for clients in 1 4; do
    # shellcheck disable=SC2046
    set -- $(trip look_up $clients) $(trip score $clients)
    aim=
    [ $clients -gt 1 ] || aim='<= 1.5'
    ratio=$(echo "$3 $1" | awk '{printf "%.2f", $1 / $2}')
    printf '%7s  %9s %9s  %11s %11s  %14s %5s\n' "$clients" "$1" "$2" "$3" "$4" "$ratio" "$aim"
done
