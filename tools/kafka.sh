#!/bin/sh
# Puts three Kafka brokers with their tools into .deps/kafka/<version>/ and Kafka's Python
# client into .deps/python/, for the tests and the demo.
#
#   tools/kafka.sh [VERSION]…    without a word: all
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

# fetch_broker VERSION
fetch_broker() {
    pins_of_it=$(sed -n "/  $1\\//p" "$pins")
    key=$(printf '%s\n' "$pins_of_it" | sha256sum | cut -d' ' -f1)
    # A key for all of them is that of a clone from before they were fetched one by one.
    if up_to_date "$brokers/$1" "$key" || up_to_date "$brokers" "$(sha256sum "$pins" | cut -d' ' -f1)"; then
        say "Kafka $1: is there"
        return
    fi
    say "Kafka $1: fetching by Maven"
    rm -rf "${brokers:?}/$1"
    mkdir -p "$brokers/$1"
    fetch_by_maven "$root/tools/kafka.pom.xml" "$brokers/$1.log" -P "$1" "-Djars=$brokers/$1"
    printf '%s\n' "$pins_of_it" | sed 's,  [^/]*/,  ,' > "$brokers/$1.pins"
    check_pins "$brokers/$1" "$brokers/$1.pins"
    rm -f "$brokers/$1.log" "$brokers/$1.pins"
    printf '%s\n' "$key" > "$brokers/$1/key"
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

[ $# -gt 0 ] || set -- $(sed -n 's,.*  \([^/]*\)/.*,\1,p' "$pins" | sort -u)
for version in "$@"; do
    fetch_broker "$version"
done
fetch_client
