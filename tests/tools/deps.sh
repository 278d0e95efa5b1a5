#!/bin/sh
# deps.sh - installs what building and testing need and this machine lacks: as root with the package
# manager, else prints the one command to run. Usage: deps.sh build|test|lint
set -eu
kind=${1:-build}

packages="gcc make pkg-config python3 libuv1-dev libcurl4-openssl-dev libmicrohttpd-dev libcjson-dev libyaml-dev uuid-dev libssl-dev libsqlite3-dev"
modules="libuv libcurl libmicrohttpd libcjson yaml-0.1 uuid libcrypto sqlite3"
tools="cc pkg-config python3"
case $kind in
test)
    packages="$packages libcmocka-dev curl"
    modules="$modules cmocka"
    ;;
lint)
    packages="$packages clang-format"
    tools="$tools clang-format"
    ;;
fuzz)
    packages="$packages clang libclang-rt-14-dev"
    tools="$tools clang"
    ;;
esac

missing=
for t in $tools; do
    command -v "$t" >/dev/null 2>&1 || missing="$missing $t"
done
if [ -z "$missing" ]; then
    for m in $modules; do
        pkg-config --exists "$m" || missing="$missing $m"
    done
fi
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "missing:$missing; install them with your package manager (Debian's names: $packages)" >&2
    exit 1
fi
if [ "$(id -u)" != 0 ]; then
    echo "missing:$missing; run this, then try again:" >&2
    echo "    sudo apt-get install -y $packages" >&2
    exit 1
fi
echo "installing what is missing:$missing" >&2
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
if ! { apt-get update -q && apt-get install -y -q --no-install-recommends $packages; } >"$log" 2>&1; then
    tail -20 "$log" >&2
    rm -f "$log"
    exit 1
fi
rm -f "$log"
