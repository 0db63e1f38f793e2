#!/bin/sh
# Build each test/unit/NAME.c with the sources it names in its first lines
# ("sources: src/a/b.c …") under sanitizers, and run it. Drivers print TAP.
set -eu
cd "$(dirname "$0")/.."

mkdir -p build/unit
status=0
for driver in test/unit/*.c; do
    name=$(basename "$driver" .c)
    sources=$(sed -n 's/^.*sources: *//p' "$driver" | head -n 1)
    echo "# $name"
    # shellcheck disable=SC2086
    gcc -std=gnu99 -g -O1 -Wall -Wextra -Werror -Wno-unused-parameter \
        -ffp-contract=off -fsanitize=address,undefined \
        -fno-sanitize-recover=all -Isrc -o "build/unit/$name" \
        "$driver" $sources -llinear -lm || { status=1; continue; }
    "build/unit/$name" || status=1
done
exit $status
