#!/bin/sh
# Builds what Debian 12 lacks, from Debian's source packages (of 13 but for ISA-L), into .deps:
#
#   libpq        static, 17
#   libcurl      static, HTTP(S) only: our HTTP client, and librdkafka fetches OAuth tokens with it
#   librdkafka   static, 2.8
#   libisal      static, 2.30: gzip by ISA-L (its package holds the shared library only)
#   regression   PostgreSQL's own regression suite, of 15 (nightly tests only; never without its word)
#
# Pinned below. A second run finds the finished builds and does nothing.
#
#   tools/third_party.sh [libpq|libcurl|librdkafka|libisal|regression]…    without a word: all but the last, side by side
set -eu

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
deps="$root/.deps"

# The pinned releases: Debian's version, and the sha256 of the source package's description
# (*.dsc), which holds those of its files. While Debian's pool keeps them they are taken from
# there; once a point release has replaced them, what the archive's signed index names is.
# (One without the other is not enough: for hours or days the index may name what a mirror
# does not have yet.)
# The recipe is part of the cache's key: raise it when the way of building changes.
libpq_version=17.11-0+deb13u1
libpq_sha256=bf148ae423a982707c3f60672c3a072ef62b701bd9f5df847d9f4b8c9b3e3b18
libpq_recipe=2
libcurl_version=8.14.1-2+deb13u5
libcurl_sha256=9a9a2c95cdc8b5d76892c70858f25eaf2dc0b0a475a1e43e0b4ad428414752df
libcurl_recipe=2
librdkafka_version=2.8.0-1
librdkafka_sha256=0e9f099090072fe33da42303e1878f7f4713f91b94aa6523a9d630fe67eb2b51
librdkafka_recipe=5
libisal_version=2.30.0-5
libisal_sha256=f0376ddb24f0126641161054002a251ba48b52c2e28fe29cc7b5106e9f0938a8
libisal_recipe=1
regression_version=15.18-0+deb12u1
regression_sha256=d940b57dd029ef0712212164410fcb51854c883f3fc0c3a11486acdfd2ca5947
regression_recipe=1

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

# fetch_pinned WORK PACKAGE VERSION SHA256: the pinned source package, unpacked with Debian's
# patches into WORK/source. Fails when the pool does not have it any more.
fetch_pinned() (
    set -e
    mirror=$(debian_mirror)
    dsc="$2_$3.dsc"
    case "$2" in lib*) letter=$(printf %.4s "$2") ;; *) letter=$(printf %.1s "$2") ;; esac
    pool="$mirror/pool/main/$letter/$2"
    mkdir -p "$1/source"
    cd "$1/source"
    # download FILE SHA256
    download() {
        /usr/lib/apt/apt-helper -q -o APT::Sandbox::User= download-file \
            "$pool/$(printf %s "$1" | sed 's/+/%2b/g')" "$1" "SHA256:$2"
    }
    download "$dsc" "$4"
    sed -n '/^Checksums-Sha256:/,/^[^ ]*:$/s/^ \([0-9a-f]*\) [0-9]* \(.*\)$/\1 \2/p' "$dsc" > files
    [ -s files ]
    while read -r sum file; do download "$file" "$sum"; done < files
    dpkg-source --no-check --extract "$dsc"
)

# Debian 13's libisal is not in every mirror; the suite's server is the installed one, of Debian 12.
release_of() { case "$1" in libisal | postgresql-15) echo bookworm ;; *) echo trixie ;; esac; }

# fetch_newest WORK PACKAGE: the same with the one that the archive's index names.
fetch_newest() (
    set -e
    mirror=$(debian_mirror)
    mkdir -p "$1/lists/partial" "$1/cache/archives/partial" "$1/source"
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    printf 'deb-src [signed-by=%s] %s %s main\n' "$keyring" "$mirror" "$(release_of "$2")" > "$1/source.list"
    apt_options="-q -o Dir::Etc::sourcelist=$1/source.list -o Dir::Etc::sourceparts=/dev/null
        -o Dir::State::lists=$1/lists -o Dir::Cache=$1/cache
        -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=
        -o APT::Get::List-Cleanup=0"
    cd "$1/source"
    # shellcheck disable=SC2086
    apt-get $apt_options update
    # shellcheck disable=SC2086
    apt-get $apt_options source "$2"
)

# fetch WORK PACKAGE VERSION SHA256: one of the two; prints the version that came.
fetch() {
    [ -n "$(debian_mirror)" ] || die "no Debian mirror found in this machine's apt sources"
    # In the background: a shell forgets `set -e` in what is tested by `||`.
    fetch_pinned "$@" > "$1/fetch.log" 2>&1 &
    wait $! || {
        rm -rf "$1/source"
        fetch_newest "$1" "$2" >> "$1/fetch.log" 2>&1 &
        wait $! || {
            tail -n 30 "$1/fetch.log" >&2
            die "the download of $2 failed"
        }
    }
    basename "$(ls "$1/source/$2"_*.dsc)" .dsc | sed "s/^$2_//"
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
    say "$library: fetching the source of $package from Debian ($(release_of "$package"))"
    version=$(fetch "$work" "$package" "$pinned" "$sha256") || exit 1
    [ "$version" = "$pinned" ] ||
        say "$library: Debian has moved on from $pinned to $version (signature checked by apt)"
    say "$library: building $version"
    upstream=${version%-*}
    tree="$work/source/$package-${upstream%%+*}"
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

# Names are looked up on a thread, so that a request in flight blocks nobody.
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
        --disable-cookies --disable-doh --disable-alt-svc --disable-hsts --enable-threaded-resolver
    make -j"$(nproc)" -C lib
    make -C lib install
    make -C include install
    make install-pkgconfigDATA
}

# Threads by pthread_create: ThreadSanitizer doesn't know C11's.
build_librdkafka() {
    set -e
    for change in one-request serialized-headers; do
        patch -p1 < "$root/tools/patches/librdkafka-$change.patch"
    done
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

# Its part for gzip alone. The makefile picks assembler by the machine: nasm on x86-64, the compiler on arm64.
build_libisal() {
    set -e
    make -j"$(nproc)" -f Makefile.unx CC=/usr/bin/gcc-12 AS=nasm units='igzip crc' DEBUG= lib
    mkdir -p "$1/lib" "$1/include/isa-l"
    cp bin/isa-l.a "$1/lib/libisal.a"
    cp include/igzip_lib.h LICENSE "$1/include/isa-l/"
}

# The files of the suite, its driver and the library its tests call.
build_regression() {
    set -e
    CC=/usr/bin/gcc-12 CFLAGS=-O1 ./configure --without-icu --without-readline --without-zlib
    make -j"$(nproc)" -C src/backend generated-headers
    make -j"$(nproc)" -C src/test/regress
    cd src/test/regress
    mkdir -p "$1/lib"
    cp -r sql expected data parallel_schedule resultmap pg_regress "$1/"
    cp regress.so "$1/lib/"
}

# Side by side: much of each is configure, which keeps one core busy. librdkafka needs libcurl.
if [ $# -eq 0 ]; then
    exec "$root/tools/together.sh" "'$0' libpq" "'$0' libcurl librdkafka" "'$0' libisal"
fi
for part in "$@"; do
    case "$part" in
    libpq) provide libpq postgresql-17 "$libpq_version" "$libpq_sha256" "$libpq_recipe" ;;
    libcurl) provide libcurl curl "$libcurl_version" "$libcurl_sha256" "$libcurl_recipe" ;;
    librdkafka) provide librdkafka librdkafka "$librdkafka_version" "$librdkafka_sha256" "$librdkafka_recipe" ;;
    libisal) provide libisal libisal "$libisal_version" "$libisal_sha256" "$libisal_recipe" ;;
    regression)
        provide regression postgresql-15 "$regression_version" "$regression_sha256" "$regression_recipe"
        ;;
    *) die "unknown part '$part'" ;;
    esac
done
