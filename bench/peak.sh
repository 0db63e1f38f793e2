#!/bin/sh
# The most memory that a session and its parallel workers held at once, in
# kB: private pages, and shared segments. Looks every twentieth of a second
# until the file PEAK.on is gone, then writes the figure to PEAK.
#
# usage: peak.sh PID PEAK
pid=$1
peak=$2
most=0
while [ -e "$peak.on" ] && [ -e "/proc/$pid" ]; do
    all=$(for p in "$pid" $(pgrep -f "parallel worker for PID $pid\$"); do
        sed -n 's/^RssAnon:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$p/status" 2>/dev/null
    done | awk '{ n += $1 } END { print n + 0 }')
    shared=$(awk '/\/dev\/shm\/PostgreSQL/ { print $1 }' "/proc/$pid/maps" 2>/dev/null |
        while IFS=- read -r from to; do echo $(((0x$to - 0x$from) / 1024)); done |
        awk '{ n += $1 } END { print n + 0 }')
    [ $((all + shared)) -gt "$most" ] && most=$((all + shared))
    sleep 0.05
done
echo "$most" >"$peak"
