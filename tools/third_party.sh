#!/bin/sh
# Builds what Debian 12 lacks: a static libpq 17, from Debian 13's source
# package, into .deps/libpq. apt checks the signatures; the tarball is pinned
# below as well. A second run finds the finished build and does nothing.
#
#   tools/third_party.sh [libpq]
set -eu

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
deps="$root/.deps"

# The pinned release. Debian removes a point release from its archive when the
# next one comes: then that one is taken, still under apt's signature check.
libpq_version=17.11
libpq_sha256=dd27f2b3c59e73ed14aa3324901242bf69a032a6347805f274e6260322d42979
# Part of the cache's key: raise it when the way of building changes.
libpq_recipe=1

say() { printf '%s %s\n' "$(date +%H:%M:%S)" "$*"; }
die() { printf 'third_party: %s\n' "$*" >&2; exit 1; }

# The address of the Debian mirror this machine uses, from its own apt sources,
# in the one-line form (*.list) and in the deb822 form (*.sources).
debian_mirror() {
    {
        for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
            [ -r "$file" ] || continue
            sed -n -E 's/^[[:space:]]*deb(-src)?[[:space:]]+(\[[^]]*\][[:space:]]*)?([^[:space:]]+)[[:space:]].*$/\3/p' "$file"
        done
        for file in /etc/apt/sources.list.d/*.sources; do
            [ -r "$file" ] || continue
            sed -n -E 's/^URIs:[[:space:]]*(.*)$/\1/p' "$file" | tr ' ' '\n'
        done
    } | sed 's,/*$,,' | grep -E '/debian$' | head -n 1
}

# Downloads PostgreSQL's source into $1 and prints the tarball's path.
fetch_postgresql_source() {
    work=$1
    mirror=$(debian_mirror)
    [ -n "$mirror" ] || die "no Debian mirror found in this machine's apt sources"
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/source"
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    printf 'deb-src [signed-by=%s] %s trixie main\n' "$keyring" "$mirror" > "$work/trixie.list"
    apt_options="-q -o Dir::Etc::sourcelist=$work/trixie.list -o Dir::Etc::sourceparts=/dev/null
        -o Dir::State::lists=$work/lists -o Dir::Cache=$work/cache
        -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=
        -o APT::Get::List-Cleanup=0"
    # shellcheck disable=SC2086
    apt-get $apt_options update >&2
    # shellcheck disable=SC2086
    (cd "$work/source" && apt-get $apt_options source --download-only postgresql-17 >&2)
    ls "$work"/source/postgresql-17_*.orig.tar.*[a-z2] | grep -v '\.asc$' | head -n 1
}

build_libpq() {
    target="$deps/libpq"
    key="libpq $libpq_version $libpq_sha256 recipe $libpq_recipe"
    if [ -f "$target/key" ] && [ "$(cat "$target/key")" = "$key" ]; then
        say "libpq: $(cat "$target/version") is built"
        return
    fi
    rm -rf "$target" "$deps/libpq-build"
    work="$deps/libpq-build"
    mkdir -p "$work"
    say "libpq: fetching PostgreSQL's source from Debian 13"
    tarball=$(fetch_postgresql_source "$work" 2>"$work/fetch.log") || {
        tail -n 20 "$work/fetch.log" >&2
        die "the download failed"
    }
    [ -n "$tarball" ] || { tail -n 20 "$work/fetch.log" >&2; die "the download brought no tarball"; }
    version=$(basename "$tarball" | sed -E 's/^postgresql-17_(.*)\.orig\.tar\..*$/\1/')
    sum=$(sha256sum "$tarball" | cut -d' ' -f1)
    if [ "$version" = "$libpq_version" ]; then
        [ "$sum" = "$libpq_sha256" ] || die "postgresql-17 $version has checksum $sum, pinned is $libpq_sha256"
    else
        say "libpq: the archive has moved on from $libpq_version to $version (signature checked by apt, sha256 $sum)"
    fi
    say "libpq: unpacking and building $version (1 to 3 minutes)"
    mkdir -p "$work/tree"
    tar -xf "$tarball" -C "$work/tree" --strip-components=1
    started=$(date +%s)
    (
        cd "$work/tree"
        CC=/usr/bin/gcc-12 CFLAGS='-O2 -fPIC' ./configure --prefix="$target" \
            --with-openssl --without-icu --without-readline --without-zlib \
            --without-gssapi --without-ldap
        make -j"$(nproc)" -C src/backend generated-headers
        make -j"$(nproc)" -C src/common
        make -j"$(nproc)" -C src/port
        make -j"$(nproc)" -C src/interfaces/libpq all-static-lib
    ) > "$work/build.log" 2>&1 || { tail -n 30 "$work/build.log" >&2; die "libpq did not build"; }
    mkdir -p "$target/lib" "$target/include"
    cp "$work/tree/src/interfaces/libpq/libpq.a" "$target/lib/"
    cp "$work/tree/src/common/libpgcommon_shlib.a" "$work/tree/src/port/libpgport_shlib.a" "$target/lib/"
    cp "$work/tree/src/interfaces/libpq/libpq-fe.h" "$work/tree/src/interfaces/libpq/libpq-events.h" \
        "$work/tree/src/include/postgres_ext.h" "$work/tree/src/include/pg_config_ext.h" \
        "$work/tree/COPYRIGHT" "$target/include/"
    printf '%s\n' "$version" > "$target/version"
    printf '%s\n' "$key" > "$target/key"
    rm -rf "$work"
    say "libpq: $version built in $(($(date +%s) - started)) s"
}

case "${1:-libpq}" in
libpq) build_libpq ;;
*) die "unknown part '$1'" ;;
esac
