#!/bin/sh
# Puts Apicurio, the schema registry of the tests, into .deps/registry/.
#
# The archive comes through Maven and is checked against tools/registry.sha256. A second run finds it
# unpacked and does nothing.
set -eu

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
target="$root/.deps/registry"
pins="$root/tools/registry.sha256"

what="schema registry"
. "$root/tools/fetching.sh"

key=$(sha256sum "$pins" | cut -d' ' -f1)
if up_to_date "$target" "$key"; then
    say "schema registry: is there"
    exit 0
fi

say "schema registry: fetching Apicurio by Maven"
rm -rf "$target"
mkdir -p "$target"
fetch_by_maven "$root/tools/registry.pom.xml" "$target/mvn.log" "-Djars=$target"
check_pins "$target" "$pins"

tar -xzf "$target"/apicurio-registry-app-*.tar.gz -C "$target"
rm -rf "$target"/apicurio-registry-app-*.tar.gz "$target/mvn.log" "$target/target"
printf '%s\n' "$key" > "$target/key"
