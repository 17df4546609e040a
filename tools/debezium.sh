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

what=Debezium
. "$root/tools/fetching.sh"

key=$(sha256sum "$pins" | cut -d' ' -f1)
if up_to_date "$target" "$key"; then
    say "Debezium: is there"
    exit 0
fi

say "Debezium: fetching Kafka Connect and the connector by Maven"
rm -rf "$target"
mkdir -p "$target/plugins"
fetch_by_maven "$root/tools/debezium.pom.xml" "$target/mvn.log" "-Djars=$target"
check_pins "$target" "$pins"

tar -xzf "$target"/debezium-connector-postgres-*.tar.gz -C "$target/plugins"
rm -rf "$target"/debezium-connector-postgres-*.tar.gz "$target/mvn.log" "$target/target"
printf '%s\n' "$key" > "$target/key"
