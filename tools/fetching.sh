# What the scripts that fill .deps share; sourced, with `what` set to the name they speak under.
#
#   up_to_date DIRECTORY KEY         was it filled from the same pins?
#   fetch_by_maven POM LOG [OPTION]… three tries
#   check_pins DIRECTORY PINS        every archive below it is pinned, and is what was pinned

say() { printf '%s %s\n' "$(date +%H:%M:%S)" "$*"; }
die() { printf '%s: %s\n' "$what" "$*" >&2; exit 1; }

up_to_date() { [ -f "$1/key" ] && [ "$(cat "$1/key")" = "$2" ]; }

# three_times LOG COMMAND…
three_times() {
    log=$1
    shift
    tries=0
    until "$@" > "$log" 2>&1; do
        tries=$((tries + 1))
        [ "$tries" -lt 3 ] || { tail -n 20 "$log" >&2; die "$(basename "$1") could not fetch it"; }
        say "$what: $(basename "$1") failed, trying again"
        sleep 5
    done
}

fetch_by_maven() {
    pom=$1
    log=$2
    shift 2
    JAVA_HOME=$(dirname "$(dirname "$(readlink -f /usr/bin/java)")")
    export JAVA_HOME
    three_times "$log" /usr/bin/mvn -B -q -ntp -f "$pom" "$@"
}

check_pins() {
    (cd "$1" && sha256sum --quiet -c "$2") || die "an archive differs from its pinned checksum"
    unpinned=$(cd "$1" && find . -name '*.jar' -o -name '*.tar.gz' | sed 's,^\./,,' |
        while read -r archive; do
            grep -q "  $archive\$" "$2" || echo "$archive"
        done)
    [ -z "$unpinned" ] || die "archives without a pinned checksum: $unpinned"
}
