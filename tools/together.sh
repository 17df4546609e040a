#!/bin/sh
# Runs several commands side by side, and fails when one of them did.
#
#   tools/together.sh 'COMMAND WORDS' 'COMMAND WORDS'…
#
# What each says comes as it says it. None is ended because another failed: what was fetched
# stays. Ctrl-C ends all.
set -u

pids=
stop() {
    # shellcheck disable=SC2086
    [ -z "$pids" ] || kill $pids 2> /dev/null
    exit 130
}
trap stop INT TERM

for command in "$@"; do
    sh -c "exec $command" &
    pids="$pids $!"
done
status=0
for pid in $pids; do
    wait "$pid" || status=1
done
exit "$status"
