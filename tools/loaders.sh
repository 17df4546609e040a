#!/bin/sh
# Puts DuckDB and pandas, which read CSV files in the tests, into .deps/loaders/.
#
# They come through pip and are checked against tools/loader_packages.txt. A second run finds them and does
# nothing.
set -eu

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
target="$root/.deps/loaders"
packages="$root/tools/loader_packages.txt"

what=loaders
. "$root/tools/fetching.sh"

key=$({ cat "$packages"; /usr/bin/python3 --version; } | sha256sum | cut -d' ' -f1)
if up_to_date "$target" "$key"; then
    say "loaders: are there"
    exit 0
fi

say "loaders: fetching DuckDB and pandas by pip"
rm -rf "$target"
/usr/bin/python3 -m venv "$target"
three_times "$target/pip.log" "$target/bin/pip" install -q --disable-pip-version-check \
    --no-deps --only-binary :all: --require-hashes -r "$packages"
printf '%s\n' "$key" > "$target/key"
