#!/bin/sh
# run.sh - shows penstock's main job: one order handled, one retried until it works, one
# dead-lettered. Usage: run.sh PATH-OF-PENSTOCK. The queues are penstock's own; what is printed about
# the orders is what the gateway itself says: its log, its queues. At a terminal it stays up.
set -eu

penstock=${1:?usage: run.sh PATH-OF-PENSTOCK}
case $penstock in /*) ;; *) penstock=$PWD/$penstock ;; esac
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d "${TMPDIR:-/tmp}/penstock-quickstart.XXXXXX")
log=$dir/gateway.log
gateway=

finish() {
    trap - EXIT INT TERM HUP
    [ -z "$gateway" ] || kill "$gateway" 2>/dev/null || :
    [ -z "$gateway" ] || wait "$gateway" 2>/dev/null || :
    rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

fail() {
    echo "$1; the gateway's log:" >&2
    cat "$log" >&2
    exit 1
}

queue() {
    "$penstock" queue "$@" --api "http://$api"
}

# What the gateway logged of the function's own words: the first 8 digits of the request, the text.
words='s/.* requestId=\(........\)[^ ]* stream=std[a-z]* msg="\{0,1\}\(.*[^"]\)"\{0,1\}$/   \1  \2/p'

# Tries the command until it prints something, at most 60 seconds.
until_told() {
    tries=300
    while [ -z "$("$@")" ]; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || fail "this took too long: $*"
        kill -0 "$gateway" 2>/dev/null || fail "the gateway ended"
        sleep 0.2
    done
}

config=$here/penstock.yaml
if ! command -v python3 >/dev/null 2>&1; then # the same function in shell
    command -v curl >/dev/null 2>&1 || { echo "the example's function needs python3 or curl" >&2; exit 1; }
    config=$dir/penstock.yaml
    sed -e 's/Runtime:.*/Runtime: provided.al2023/' -e '/Handler:/d' \
        -e "s|CodeUri:.*|CodeUri: $here/orders-sh|" "$here/penstock.yaml" >"$config"
fi

: >"$dir/ready"
mkfifo "$dir/told"
tee "$log" <"$dir/told" | sed -un "$words" &
QUICKSTART_DIR=$dir "$penstock" run "$config" >"$dir/ready" 2>"$dir/told" &
gateway=$!
until_told cat "$dir/ready"
api=$(sed -n 's/^READY .*api=//p' "$dir/ready")
echo "penstock is up: $(cat "$dir/ready")"

echo "three orders are sent: 1 works, 2 fails once, 3 fails always (dead-lettered after 3 receives)"
for order in '{"id": 1, "fails": 0}' '{"id": 2, "fails": 1}' '{"id": 3, "fails": 99}'; do
    queue send orders "$order" >/dev/null
done
until_told queue peek orders-dead
echo "queues now:"
queue list
echo "dead-lettered:"
queue peek orders-dead

if [ -t 0 ] && [ -t 1 ]; then
    echo "it stays up until Ctrl-C; try from another terminal:"
    echo "   $penstock queue send orders '{\"id\": 4, \"fails\": 1}' --api http://$api"
    echo "   $penstock queue redrive orders-dead --api http://$api"
    trap 'exit 0' INT
    wait "$gateway" || :
    exit 0
fi
kill "$gateway"
code=0
wait "$gateway" || code=$?
gateway=
[ "$code" = 0 ] || fail "the gateway ended with $code"
echo "drained, exit 0"
