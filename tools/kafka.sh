#!/bin/sh
# Puts two Kafka brokers with their tools into .deps/kafka/<version>/ and Kafka's Python
# client into .deps/python/, for the tests and the demo.
#
# The jars come through Maven and are checked against tools/kafka.sha256; the client comes
# through pip and is checked against tools/python_packages.txt. A second run finds them
# and does nothing.
set -eu

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
brokers="$root/.deps/kafka"
python="$root/.deps/python"
pins="$root/tools/kafka.sha256"
packages="$root/tools/python_packages.txt"

say() { printf '%s %s\n' "$(date +%H:%M:%S)" "$*"; }
die() { printf 'kafka: %s\n' "$*" >&2; exit 1; }

# up_to_date DIRECTORY KEY
up_to_date() { [ -f "$1/key" ] && [ "$(cat "$1/key")" = "$2" ]; }

# three_times LOG COMMAND…
three_times() {
    log=$1
    shift
    tries=0
    until "$@" > "$log" 2>&1; do
        tries=$((tries + 1))
        [ "$tries" -lt 3 ] || { tail -n 20 "$log" >&2; return 1; }
        say "Kafka: $1 failed, trying again"
        sleep 5
    done
}

fetch_brokers() {
    versions=$(sed -n 's,.*  \([^/]*\)/.*,\1,p' "$pins" | sort -u)
    key=$(sha256sum "$pins" | cut -d' ' -f1)
    if up_to_date "$brokers" "$key"; then
        say "Kafka brokers: $(echo "$versions" | tr '\n' ' ')are there"
        return
    fi
    JAVA_HOME=$(dirname "$(dirname "$(readlink -f /usr/bin/java)")")
    export JAVA_HOME
    rm -rf "$brokers"
    mkdir -p "$brokers"
    for version in $versions; do
        say "Kafka brokers: fetching $version by Maven"
        three_times "$brokers/mvn-$version.log" /usr/bin/mvn -B -q -ntp \
            -f "$root/tools/kafka.pom.xml" -P "$version" "-Djars=$brokers/$version" \
            || die "Maven could not fetch Kafka $version"
    done
    (cd "$brokers" && sha256sum --quiet -c "$pins") || die "an archive differs from its pinned checksum"
    unpinned=$(cd "$brokers" && find . -name '*.jar' | sed 's,^\./,,' | while read -r jar; do
        grep -q "  $jar\$" "$pins" || echo "$jar"
    done)
    [ -z "$unpinned" ] || die "archives without a pinned checksum: $unpinned"
    rm -f "$brokers"/mvn-*.log
    printf '%s\n' "$key" > "$brokers/key"
}

fetch_client() {
    key=$({ cat "$packages"; /usr/bin/python3 --version; } | sha256sum | cut -d' ' -f1)
    if up_to_date "$python" "$key"; then
        say "Kafka's Python client: is there"
        return
    fi
    say "Kafka's Python client: fetching by pip"
    rm -rf "$python"
    /usr/bin/python3 -m venv "$python"
    three_times "$python/pip.log" "$python/bin/pip" install -q --disable-pip-version-check \
        --no-deps --only-binary :all: --require-hashes -r "$packages" \
        || die "pip could not install tools/python_packages.txt"
    printf '%s\n' "$key" > "$python/key"
}

fetch_brokers
fetch_client
