#!/bin/sh
# Puts Kafka Connect's runtime into .deps/debezium/connect/ and the Debezium connector for
# PostgreSQL into .deps/debezium/plugins/: what `make bench PEERS=1` measures beside pg-capture.
#
# The archives come through Maven and are checked against tools/debezium.sha256. A second run
# finds them unpacked and does nothing.
set -eu

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
target="$root/.deps/debezium"
pins="$root/tools/debezium.sha256"

say() { printf '%s %s\n' "$(date +%H:%M:%S)" "$*"; }
die() { printf 'debezium: %s\n' "$*" >&2; exit 1; }

key=$(sha256sum "$pins" | cut -d' ' -f1)
if [ -f "$target/key" ] && [ "$(cat "$target/key")" = "$key" ]; then
    say "Debezium: is there"
    exit 0
fi

say "Debezium: fetching Kafka Connect and the connector by Maven"
rm -rf "$target"
mkdir -p "$target/plugins"
JAVA_HOME=$(dirname "$(dirname "$(readlink -f /usr/bin/java)")")
export JAVA_HOME
tries=0
until /usr/bin/mvn -B -q -ntp -f "$root/tools/debezium.pom.xml" "-Djars=$target" \
    > "$target/mvn.log" 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 3 ] || { tail -n 20 "$target/mvn.log" >&2; die "Maven could not fetch the archives"; }
    say "Debezium: Maven failed, trying again"
    sleep 5
done
(cd "$target" && sha256sum --quiet -c "$pins") || die "an archive differs from its pinned checksum"
unpinned=$(cd "$target" && find . -name '*.jar' -o -name '*.tar.gz' | sed 's,^\./,,' | while read -r archive; do
    grep -q "  $archive\$" "$pins" || echo "$archive"
done)
[ -z "$unpinned" ] || die "archives without a pinned checksum: $unpinned"

tar -xzf "$target"/debezium-connector-postgres-*.tar.gz -C "$target/plugins"
rm -rf "$target"/debezium-connector-postgres-*.tar.gz "$target/mvn.log" "$target/target"
printf '%s\n' "$key" > "$target/key"
