#!/bin/sh
# clang-tidy over src/ (or the files given), two at a time; a warning is an error.
#
#   tools/clang_tidy.sh [--junit FILE] [FILE…]
set -eu

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
junit=
if [ "${1:-}" = --junit ]; then
    junit=$2
    shift 2
fi
# Configures build/clang for its compile_commands.json; building is not needed.
env -u CXXFLAGS -u CFLAGS /usr/bin/cmake --preset clang > /dev/null
[ $# -gt 0 ] || set -- $(git ls-files 'src/*.cc')

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
export results
printf '%s\0' "$@" | xargs -0 -n 1 -P "$(nproc)" sh -c '
    out="$results/$(printf %s "$1" | tr / _)"
    if /usr/bin/clang-tidy-19 --quiet -p build/clang "$1" > "$out.out" 2> "$out.err"; then
        printf "ok %s\n" "$1" > "$out.ok"
    else
        cat "$out.out"
        # Not a warning but a failure to read the file.
        grep -q "warning\|error" "$out.out" || cat "$out.err"
    fi' sh
passed=$(find "$results" -name '*.ok' | wc -l)
failed=$(($# - passed))
if [ -n "$junit" ]; then
    {
        printf "<testsuite name='tidy'>"
        for file in "$@"; do
            if [ -f "$results/$(printf %s "$file" | tr / _).ok" ]; then
                printf "<testcase classname='tidy' name='%s'/>" "$file"
            else
                printf "<testcase classname='tidy' name='%s'><failure/></testcase>" "$file"
            fi
        done
        printf "</testsuite>\n"
    } > "$junit"
fi
printf 'clang-tidy: %s files clean, %s not\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
