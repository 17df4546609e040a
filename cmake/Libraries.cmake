# What we link, each as one target. Static archives are named outright, because
# Debian's own package files point at the shared ones. Why these libraries:
# docs/DEPENDENCIES.md.

find_package(Threads REQUIRED)

function(pgc_static_library target archive)
    cmake_parse_arguments(LIB "" "" "LINK" ${ARGN})
    string(MAKE_C_IDENTIFIER "PGC_${archive}" variable)
    find_library(${variable} NAMES "${archive}" REQUIRED)
    add_library(${target} STATIC IMPORTED GLOBAL)
    set_target_properties(${target} PROPERTIES IMPORTED_LOCATION "${${variable}}")
    target_link_libraries(${target} INTERFACE ${LIB_LINK})
endfunction()

pgc_static_library(pgc::crypto libcrypto.a LINK Threads::Threads)
pgc_static_library(pgc::ssl libssl.a LINK pgc::crypto)
pgc_static_library(pgc::yaml libyaml-cpp.a)
pgc_static_library(pgc::zstd libzstd.a)
pgc_static_library(pgc::zlib libz.a)
pgc_static_library(pgc::jemalloc libjemalloc.a LINK m Threads::Threads)

add_library(pgc_toml INTERFACE)
add_library(pgc::toml ALIAS pgc_toml)
target_compile_definitions(pgc_toml INTERFACE TOML_ENABLE_FORMATTERS=0)

# Debian has no static fmt: its one source file is compiled here from the headers.
add_library(pgc_fmt STATIC "${CMAKE_SOURCE_DIR}/cmake/fmt_library.cc")
add_library(pgc::fmt ALIAS pgc_fmt)

# libpq 17, built by tools/third_party.sh. Without it everything but the rooms
# that need it can still be built.
set(PGC_DEPS "${CMAKE_SOURCE_DIR}/.deps" CACHE PATH "Where tools/third_party.sh puts its results")
if(EXISTS "${PGC_DEPS}/libpq/key")
    add_library(PostgreSQL::static STATIC IMPORTED GLOBAL)
    set_target_properties(PostgreSQL::static PROPERTIES
        IMPORTED_LOCATION "${PGC_DEPS}/libpq/lib/libpq.a"
        INTERFACE_INCLUDE_DIRECTORIES "${PGC_DEPS}/libpq/include")
    target_link_libraries(PostgreSQL::static INTERFACE
        "${PGC_DEPS}/libpq/lib/libpgcommon_shlib.a" "${PGC_DEPS}/libpq/lib/libpgport_shlib.a"
        pgc::ssl pgc::crypto m Threads::Threads)
else()
    message(STATUS "No libpq in ${PGC_DEPS}: run tools/third_party.sh; pgclient/ will not build")
    add_library(pgc_no_libpq INTERFACE)
    add_library(PostgreSQL::static ALIAS pgc_no_libpq)
endif()

# libcurl, built likewise: our HTTP client, and librdkafka's for OAuth tokens.
if(EXISTS "${PGC_DEPS}/libcurl/key")
    add_library(CURL::static STATIC IMPORTED GLOBAL)
    set_target_properties(CURL::static PROPERTIES
        IMPORTED_LOCATION "${PGC_DEPS}/libcurl/lib/libcurl.a"
        INTERFACE_INCLUDE_DIRECTORIES "${PGC_DEPS}/libcurl/include"
        INTERFACE_COMPILE_DEFINITIONS CURL_STATICLIB)
    target_link_libraries(CURL::static INTERFACE pgc::ssl pgc::crypto pgc::zlib Threads::Threads)
else()
    message(STATUS "No libcurl in ${PGC_DEPS}: run tools/third_party.sh; http/ will not build")
    add_library(pgc_no_libcurl INTERFACE)
    add_library(CURL::static ALIAS pgc_no_libcurl)
endif()

# The gzip part of ISA-L, built likewise. Without it gzip is zlib's: slower, and as right.
add_library(pgc_isal INTERFACE)
add_library(pgc::isal ALIAS pgc_isal)
if(EXISTS "${PGC_DEPS}/libisal/key")
    target_include_directories(pgc_isal SYSTEM INTERFACE "${PGC_DEPS}/libisal/include")
    target_compile_definitions(pgc_isal INTERFACE PGC_HAS_ISAL)
    target_link_libraries(pgc_isal INTERFACE "${PGC_DEPS}/libisal/lib/libisal.a")
else()
    message(STATUS "No ISA-L in ${PGC_DEPS}: gzip by zlib; tools/third_party.sh builds it")
endif()

# librdkafka, built likewise.
if(EXISTS "${PGC_DEPS}/librdkafka/key")
    add_library(RdKafka::static STATIC IMPORTED GLOBAL)
    set_target_properties(RdKafka::static PROPERTIES
        IMPORTED_LOCATION "${PGC_DEPS}/librdkafka/lib/librdkafka.a"
        INTERFACE_INCLUDE_DIRECTORIES "${PGC_DEPS}/librdkafka/include"
        INTERFACE_COMPILE_DEFINITIONS LIBRDKAFKA_STATICLIB)
    target_link_libraries(RdKafka::static INTERFACE
        CURL::static pgc::ssl pgc::crypto pgc::zstd pgc::zlib m ${CMAKE_DL_LIBS} Threads::Threads)
else()
    message(STATUS "No librdkafka in ${PGC_DEPS}: run tools/third_party.sh; kafka/ will not build")
    add_library(pgc_no_librdkafka INTERFACE)
    add_library(RdKafka::static ALIAS pgc_no_librdkafka)
endif()

# Two independent JSON readers, for tests only: headers, nothing to link.
add_library(pgc_json_readers INTERFACE)
add_library(pgc::json_readers ALIAS pgc_json_readers)

find_package(GTest REQUIRED)
