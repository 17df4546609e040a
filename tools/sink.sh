#!/bin/sh
# Puts Debezium's JDBC sink connector and Apicurio's converter for Avro into .deps/sink/plugins/: what the
# nightly tests let consume our topics in Kafka Connect, whose runtime tools/debezium.sh brings.
#
# The archives come through Maven and are checked against tools/sink.sha256. A second run finds them
# unpacked and does nothing.
set -eu

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
target="$root/.deps/sink"
pins="$root/tools/sink.sha256"

what=sink
. "$root/tools/fetching.sh"

"$root/tools/debezium.sh"
key=$(sha256sum "$pins" | cut -d' ' -f1)
if up_to_date "$target" "$key"; then
    say "sink: is there"
    exit 0
fi

say "sink: fetching Debezium's JDBC sink and a converter by Maven"
rm -rf "$target"
mkdir -p "$target/plugins"
fetch_by_maven "$root/tools/sink.pom.xml" "$target/mvn.log" "-Djars=$target"
check_pins "$target" "$pins"

tar -xzf "$target"/debezium-connector-jdbc-*.tar.gz -C "$target/plugins"
rm -rf "$target"/debezium-connector-jdbc-*.tar.gz "$target/mvn.log" "$target/target"
printf '%s\n' "$key" > "$target/key"
