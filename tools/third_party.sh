#!/bin/sh
# Builds what Debian 12 lacks, from Debian 13's source packages, into .deps:
#
#   libpq        static, 17
#   libcurl      static, HTTP(S) only: librdkafka fetches OAuth tokens with it
#   librdkafka   static, 2.8
#
# apt checks the signatures; the tarballs are pinned below as well. A second run
# finds the finished builds and does nothing.
#
#   tools/third_party.sh [libpq|libcurl|librdkafka]…
set -eu

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
deps="$root/.deps"

# The pinned releases. Debian removes a point release from its archive when the
# next one comes: then that one is taken, still under apt's signature check.
# The recipe is part of the cache's key: raise it when the way of building changes.
libpq_version=17.11
libpq_sha256=dd27f2b3c59e73ed14aa3324901242bf69a032a6347805f274e6260322d42979
libpq_recipe=2
libcurl_version=8.14.1
libcurl_sha256=6766ada7101d292b42b8b15681120acd68effa4a9660935853cf6d61f0d984d4
libcurl_recipe=1
librdkafka_version=2.8.0
librdkafka_sha256=5bd1c46f63265f31c6bfcedcde78703f77d28238eadf23821c2b43fc30be3e25
librdkafka_recipe=4

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

# fetch WORK PACKAGE: unpacks the package's source, with Debian's patches, into WORK/source
# and prints the path of the upstream tarball.
fetch() {
    work=$1
    package=$2
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
    (cd "$work/source" && apt-get $apt_options source "$package" >&2)
    ls "$work/source/$package"_*.orig.tar.*[a-z2] | grep -v '\.asc$' | head -n 1
}

# provide LIBRARY PACKAGE VERSION SHA256 RECIPE: builds LIBRARY by build_LIBRARY TREE TARGET.
provide() {
    library=$1 package=$2 pinned=$3 sha256=$4 recipe=$5
    target="$deps/$library"
    key="$library $pinned $sha256 recipe $recipe"
    if [ -f "$target/key" ] && [ "$(cat "$target/key")" = "$key" ]; then
        say "$library: $(cat "$target/version") is built"
        return
    fi
    work="$deps/$library-build"
    rm -rf "$target" "$work"
    mkdir -p "$work" "$target"
    say "$library: fetching the source of $package from Debian 13"
    tarball=$(fetch "$work" "$package" 2>"$work/fetch.log") || {
        tail -n 20 "$work/fetch.log" >&2
        die "the download of $package failed"
    }
    [ -n "$tarball" ] || { tail -n 20 "$work/fetch.log" >&2; die "the download of $package brought no tarball"; }
    version=$(basename "$tarball" | sed -E "s/^${package}_(.*)\.orig\.tar\..*\$/\1/")
    sum=$(sha256sum "$tarball" | cut -d' ' -f1)
    if [ "$version" = "$pinned" ]; then
        [ "$sum" = "$sha256" ] || die "$package $version has checksum $sum, pinned is $sha256"
    else
        say "$library: the archive has moved on from $pinned to $version (signature checked by apt, sha256 $sum)"
    fi
    say "$library: building $version"
    tree="$work/source/$package-${version%%+*}"
    started=$(date +%s)
    # In the background: a shell forgets `set -e` in what is tested by `||`.
    (cd "$tree" && "build_$library" "$target") > "$work/build.log" 2>&1 &
    wait $! || {
        tail -n 30 "$work/build.log" >&2
        die "$library did not build"
    }
    printf '%s\n' "$version" > "$target/version"
    printf '%s\n' "$key" > "$target/key"
    rm -rf "$work"
    say "$library: $version built in $(($(date +%s) - started)) s"
}

# In the source tree; $1 is where the result goes.
build_libpq() {
    set -e
    CC=/usr/bin/gcc-12 CFLAGS='-O2 -fPIC' ./configure --prefix="$1" \
        --with-openssl --without-icu --without-readline --without-zlib \
        --without-gssapi --without-ldap
    make -j"$(nproc)" -C src/backend generated-headers
    make -j"$(nproc)" -C src/common
    make -j"$(nproc)" -C src/port
    make -j"$(nproc)" -C src/interfaces/libpq all-static-lib
    mkdir -p "$1/lib" "$1/include"
    cp src/interfaces/libpq/libpq.a src/common/libpgcommon_shlib.a src/port/libpgport_shlib.a "$1/lib/"
    cp src/interfaces/libpq/libpq-fe.h src/interfaces/libpq/libpq-events.h \
        src/include/postgres_ext.h src/include/pg_config_ext.h COPYRIGHT "$1/include/"
}

build_libcurl() {
    set -e
    CC=/usr/bin/gcc-12 CFLAGS='-O2 -fPIC' ./configure --prefix="$1" \
        --disable-shared --enable-static --with-openssl --disable-dependency-tracking \
        --without-zlib --without-brotli --without-zstd --without-libpsl --without-libidn2 \
        --without-nghttp2 --without-ngtcp2 --without-libssh2 --without-libssh --without-librtmp \
        --without-gssapi --without-libgsasl --disable-ldap --disable-ldaps --disable-manual \
        --disable-docs --disable-dict --disable-file --disable-ftp --disable-gopher \
        --disable-imap --disable-ipfs --disable-mqtt --disable-pop3 --disable-rtsp --disable-smb \
        --disable-smtp --disable-telnet --disable-tftp --disable-websockets --disable-ntlm \
        --disable-kerberos-auth --disable-negotiate-auth --disable-aws --disable-netrc \
        --disable-cookies --disable-doh --disable-alt-svc --disable-hsts --disable-threaded-resolver
    make -j"$(nproc)" -C lib
    make -C lib install
    make -C include install
    make install-pkgconfigDATA
}

# Threads by pthread_create: ThreadSanitizer doesn't know C11's.
build_librdkafka() {
    set -e
    patch -p1 < "$root/tools/patches/librdkafka-one-request.patch"
    CC=/usr/bin/gcc-12 CXX=/usr/bin/g++-12 CFLAGS='-O2 -fPIC' PKG_CONFIG_PATH="$deps/libcurl/lib/pkgconfig" \
        STATIC_LIB_libcurl="$deps/libcurl/lib/libcurl.a" \
        ./configure --prefix="$1" --enable-static --disable-gssapi --disable-lz4-ext \
        --disable-c11threads \
        --CPPFLAGS="-I$deps/libcurl/include" --LDFLAGS="-L$deps/libcurl/lib"
    make -j"$(nproc)" -C src librdkafka.a
    grep -q 'define WITH_SASL_OAUTHBEARER 1' config.h && grep -q 'define WITH_CURL 1' config.h
    grep -q 'define WITH_ZSTD 1' config.h && grep -q 'define WITH_SSL 1' config.h
    mkdir -p "$1/lib" "$1/include/librdkafka"
    cp src/librdkafka.a "$1/lib/"
    cp src/rdkafka.h src/rdkafka_mock.h LICENSES.txt "$1/include/librdkafka/"
}

[ $# -gt 0 ] || set -- libpq libcurl librdkafka
for part in "$@"; do
    case "$part" in
    libpq) provide libpq postgresql-17 "$libpq_version" "$libpq_sha256" "$libpq_recipe" ;;
    libcurl) provide libcurl curl "$libcurl_version" "$libcurl_sha256" "$libcurl_recipe" ;;
    librdkafka) provide librdkafka librdkafka "$librdkafka_version" "$librdkafka_sha256" "$librdkafka_recipe" ;;
    *) die "unknown part '$part'" ;;
    esac
done
