#!/bin/sh
# Puts PostgreSQL 10 to 18 (initdb, pg_ctl, postgres) into .deps/postgres/<major>/.
# The archives come through Maven and are checked against tools/postgres_servers.sha256.
# A second run finds them unpacked and does nothing.
set -eu

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
target="$root/.deps/postgres"
pins="$root/tools/postgres_servers.sha256"
jars="$root/.deps/postgres-jars"

say() { printf '%s %s\n' "$(date +%H:%M:%S)" "$*"; }
die() { printf 'postgres_servers: %s\n' "$*" >&2; exit 1; }

key=$(sha256sum "$pins" | cut -d' ' -f1)
if [ -f "$target/key" ] && [ "$(cat "$target/key")" = "$key" ]; then
    say "PostgreSQL servers: $(ls "$target" | grep -E '^[0-9]+$' | sort -n | tr '\n' ' ')are there"
    exit 0
fi
[ "$(uname -m)" = x86_64 ] || die "the pinned server archives are for x86_64"

say "PostgreSQL servers: fetching nine archives by Maven"
mkdir -p "$jars"
JAVA_HOME=$(dirname "$(dirname "$(readlink -f /usr/bin/java)")")
export JAVA_HOME
tries=0
until /usr/bin/mvn -B -q -ntp -f "$root/tools/postgres_servers.pom.xml" "-Djars=$jars" \
    > "$jars/mvn.log" 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 3 ] || { tail -n 20 "$jars/mvn.log" >&2; die "Maven could not fetch the archives"; }
    say "PostgreSQL servers: Maven failed, trying again"
    sleep 5
done
(cd "$jars" && sha256sum --quiet -c "$pins") || die "an archive differs from its pinned checksum"

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
