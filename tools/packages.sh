#!/bin/sh
# Install the Debian packages named as arguments, those that are missing.
# As root or through sudo; with neither, name them and stop.
set -eu

missing=
for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null |
        grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
    as_root=
elif command -v sudo >/dev/null 2>&1; then
    as_root=sudo
else
    echo "These Debian packages are missing and need root to install:" >&2
    echo "   $missing" >&2
    echo "Install them with apt-get, or run this as root or with sudo." >&2
    exit 1
fi

echo "Installing Debian packages:$missing"
export DEBIAN_FRONTEND=noninteractive
apt_get() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq \
        -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 "$@" >/dev/null
}
apt_get update
case "$missing" in
*postgresql-*)
    # On a bare machine the server package would create and start a cluster.
    if ! dpkg-query -W -f='${Status}' postgresql-15 2>/dev/null |
        grep -q 'ok installed'; then
        apt_get install -y --no-install-recommends postgresql-common
        $as_root sed -i 's/^#\{0,1\}create_main_cluster *=.*/create_main_cluster = false/' \
            /etc/postgresql-common/createcluster.conf
    fi
    ;;
esac
# shellcheck disable=SC2086
apt_get install -y --no-install-recommends $missing
