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

what=Kafka
. "$root/tools/fetching.sh"

fetch_brokers() {
    versions=$(sed -n 's,.*  \([^/]*\)/.*,\1,p' "$pins" | sort -u)
    key=$(sha256sum "$pins" | cut -d' ' -f1)
    if up_to_date "$brokers" "$key"; then
        say "Kafka brokers: $(echo "$versions" | tr '\n' ' ')are there"
        return
    fi
    rm -rf "$brokers"
    mkdir -p "$brokers"
    for version in $versions; do
        say "Kafka brokers: fetching $version by Maven"
        fetch_by_maven "$root/tools/kafka.pom.xml" "$brokers/mvn.log" \
            -P "$version" "-Djars=$brokers/$version"
    done
    check_pins "$brokers" "$pins"
    rm -f "$brokers/mvn.log"
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
        --no-deps --only-binary :all: --require-hashes -r "$packages"
    printf '%s\n' "$key" > "$python/key"
}

fetch_brokers
fetch_client
