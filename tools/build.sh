#!/bin/sh
# Configures a preset if need be and builds targets of it.
#
#   tools/build.sh PRESET TARGET…
set -eu

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
preset=$1
shift
cd "$root"
# A cache made in another place (a copied clone) or older than a library in .deps is made again.
cache="build/$preset/CMakeCache.txt"
if [ -f "$cache" ] && ! grep -qx "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$cache"; then
    rm -rf "build/$preset"
fi
stale=
for key in .deps/*/key; do
    [ ! "$key" -nt "build/$preset/build.ninja" ] || stale=yes
done
if [ ! -f "build/$preset/build.ninja" ] || [ -n "$stale" ]; then
    mkdir -p "build/$preset"
    env -u CXXFLAGS -u CFLAGS -u LDFLAGS /usr/bin/cmake --preset "$preset" \
        > "build/$preset/configure.log" 2>&1 || { cat "build/$preset/configure.log" >&2; exit 1; }
fi
export NINJA_STATUS="[$preset %f/%t %es] "
if [ -t 1 ]; then
    exec /usr/bin/ninja -j "$(nproc)" -C "build/$preset" --quiet "$@"
fi
# Without a terminal: one progress line every 20 steps instead of one a file.
status=$(mktemp)
{ /usr/bin/ninja -j "$(nproc)" -C "build/$preset" "$@" 2>&1 || echo failed > "$status"; } |
    awk '/^\[[a-z]+ [0-9]+\/[0-9]+ / { n++; if (n % 20 == 1) print; else last = $0; next } { print; fflush() }
         { fflush() } END { if (last) print last }'
if [ -s "$status" ]; then
    rm -f "$status"
    exit 1
fi
rm -f "$status"
