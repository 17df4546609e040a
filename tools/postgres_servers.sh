#!/bin/sh
# Puts PostgreSQL 10 to 18 (initdb, pg_ctl, postgres) into .deps/postgres/<major>/.
# The archives come through Maven and are checked against tools/postgres_servers.sha256.
# A second run finds them unpacked and does nothing.
set -eu

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
target="$root/.deps/postgres"
pins="$root/tools/postgres_servers.sha256"
jars="$root/.deps/postgres-jars"

what="PostgreSQL servers"
. "$root/tools/fetching.sh"

key=$(sha256sum "$pins" | cut -d' ' -f1)
if up_to_date "$target" "$key"; then
    say "PostgreSQL servers: $(ls "$target" | grep -E '^[0-9]+$' | sort -n | tr '\n' ' ')are there"
    exit 0
fi
[ "$(uname -m)" = x86_64 ] || die "the pinned server archives are for x86_64"

say "PostgreSQL servers: fetching nine archives by Maven"
mkdir -p "$jars"
fetch_by_maven "$root/tools/postgres_servers.pom.xml" "$jars/mvn.log" "-Djars=$jars"
check_pins "$jars" "$pins"

rm -rf "$target"
mkdir -p "$target"
for jar in "$jars"/*.jar; do
    version=$(basename "$jar" .jar | sed 's/.*-//')
    major=${version%%.*}
    say "PostgreSQL servers: unpacking $version"
    mkdir -p "$target/$major"
    unzip -p "$jar" '*.txz' | tar -xJ -C "$target/$major"
done
rm -rf "$jars"
printf '%s\n' "$key" > "$target/key"
