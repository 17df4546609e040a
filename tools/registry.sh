#!/bin/sh
# Puts Apicurio, the schema registry of the tests, into .deps/registry/, and what Confluent's own readers of
# registered messages need into .deps/registry/python/.
#
# The archive comes through Maven and is checked against tools/registry.sha256; the Python packages come through
# pip and are checked against tools/registry_packages.txt. A second run finds them unpacked and does nothing.
set -eu

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
target="$root/.deps/registry"
pins="$root/tools/registry.sha256"
packages="$root/tools/registry_packages.txt"

what="schema registry"
. "$root/tools/fetching.sh"

key=$({ cat "$pins" "$packages"; /usr/bin/python3 --version; } | sha256sum | cut -d' ' -f1)
if up_to_date "$target" "$key"; then
    say "schema registry: is there"
    exit 0
fi

say "schema registry: fetching Apicurio by Maven, Confluent's readers by pip"
rm -rf "$target"
mkdir -p "$target"
fetch_by_maven "$root/tools/registry.pom.xml" "$target/mvn.log" "-Djars=$target"
check_pins "$target" "$pins"
/usr/bin/python3 -m venv "$target/python"
three_times "$target/pip.log" "$target/python/bin/pip" install -q --disable-pip-version-check \
    --no-deps --only-binary :all: --require-hashes -r "$packages"

tar -xzf "$target"/apicurio-registry-app-*.tar.gz -C "$target"
rm -rf "$target"/apicurio-registry-app-*.tar.gz "$target/mvn.log" "$target/pip.log" "$target/target"
printf '%s\n' "$key" > "$target/key"
