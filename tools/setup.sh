#!/bin/sh
# Makes this machine able to build, show or test pg-capture.
#
#   tools/setup.sh build|console|demo|test|coverage
#
# Installs the packages of tools/packages.txt that are missing (by apt, as root or with
# sudo), and builds libpq, libcurl and librdkafka, while Kafka brokers and PostgreSQL servers are
# fetched for the tests. The demo has its broker fetched while pg-capture is compiled (Makefile);
# console, the demo without Kafka, needs neither that nor Java. What is there already is left
# alone: a second run does nothing.
set -eu

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
purpose=${1:-build}

say() { printf '%s %s\n' "$(date +%H:%M:%S)" "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

case "$purpose" in
build) purposes='build' ;;
console) purposes='build console' ;;
demo) purposes='build console demo' ;;
test) purposes='build console demo test' ;;
coverage) purposes='build console demo test coverage' ;;
*) die "unknown purpose '$purpose': build, console, demo, test or coverage" ;;
esac

missing_packages() {
    while read -r package wanted_for _; do
        case "$package" in '' | '#'*) continue ;; esac
        case " $purposes " in *" $wanted_for "*) ;; *) continue ;; esac
        state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || state=
        [ "$state" = installed ] || printf '%s ' "$package"
    done < "$root/tools/packages.txt"
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 apt-get -q -y \
        -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 "$@" \
        < /dev/null > "$log" 2>&1 || { tail -n 30 "$log" >&2; die "apt-get $1 failed"; }
}

install_packages() {
    missing=$(missing_packages)
    [ -n "$missing" ] || return 0
    command -v apt-get > /dev/null || die "not a Debian: install the equivalents of $missing"
    if [ "$(id -u)" != 0 ] && ! command -v sudo > /dev/null; then
        die "these packages are missing, and installing them needs root or sudo: $missing"
    fi
    log=$(mktemp)
    say "packages: installing $missing"
    apt_get update
    case " $missing " in
    *' postgresql-15 '*)
        # No cluster of the package's own: neither created nor started.
        apt_get install --no-install-recommends postgresql-common
        drop_in=/etc/postgresql-common/createcluster.d/pg-capture-setup.conf
        as_root mkdir -p "$(dirname "$drop_in")"
        printf 'create_main_cluster = false\n' | as_root tee "$drop_in" > /dev/null
        ;;
    esac
    # shellcheck disable=SC2086
    apt_get install --no-install-recommends $missing
    [ -z "${drop_in:-}" ] || as_root rm -f "$drop_in"
    rm -f "$log"
    say "packages: installed"
}

install_packages
case "$purpose" in
test | coverage)
    # Maven's three one after the other: they share a store.
    "$root/tools/together.sh" "'$root/tools/third_party.sh'" \
        "sh -ec '\"$root/tools/kafka.sh\"; \"$root/tools/postgres_servers.sh\"; \"$root/tools/registry.sh\"; \"$root/tools/loaders.sh\"'"
    ;;
*) "$root/tools/third_party.sh" ;;
esac
