#!/bin/sh
# Install the Debian packages named as arguments, those that are missing.
# As root or through sudo; with neither, name them and stop.
set -eu

# The packages among the arguments that are not installed
missing_of() {
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null |
            grep -q 'ok installed' || printf ' %s' "$package"
    done
}

if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "This is not a Debian system: the packages $* cannot be looked up." >&2
    echo "See README.md on building by hand." >&2
    exit 1
fi
missing=$(missing_of "$@")
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

log=$(mktemp)
# A server package that comes anew would create and start a cluster "main".
# This setting lives as long as the installation, so the administrator's own
# choice stays what it was.
no_cluster=/etc/postgresql-common/createcluster.d/zz-churn-install.conf

# Take the setting back; after a failure say what apt-get said.
finish() {
    status=$?
    case "$missing" in
    *postgresql*) $as_root rm -f "$no_cluster" ;;
    esac
    if [ $status -ne 0 ]; then
        tail -n 30 "$log" >&2
        echo "apt-get could not install$missing; its whole output is in $log" >&2
    else
        rm -f "$log"
    fi
    exit $status
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

apt_get() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq \
        -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 "$@" </dev/null >>"$log" 2>&1
}

echo "Installing Debian packages:$missing"
case "$missing" in
*postgresql*)
    $as_root mkdir -p "$(dirname "$no_cluster")"
    echo "create_main_cluster = false" | $as_root tee "$no_cluster" >/dev/null
    ;;
esac
apt_get update
# shellcheck disable=SC2086
apt_get install -y --no-install-recommends $missing
