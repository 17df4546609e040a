# Two precompiled headers save a third of the time `make test` compiles. The debug and clang
# presets go without, so that a file that forgets an include is seen there.

if(PGC_PRECOMPILE)
    file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/precompiled.cc" CONTENT "")

    add_library(pgc_precompiled STATIC "${CMAKE_BINARY_DIR}/precompiled.cc")
    target_link_libraries(pgc_precompiled PRIVATE pgc_options pgc_fuzzed)
    target_precompile_headers(pgc_precompiled PRIVATE
        <algorithm> <array> <atomic> <charconv> <chrono> <cstdint> <cstring> <deque> <expected>
        <functional> <map> <memory> <mutex> <optional> <span> <string> <string_view> <thread>
        <unordered_map> <utility> <variant> <vector> <fmt/format.h>)

    add_library(pgc_precompiled_test STATIC "${CMAKE_BINARY_DIR}/precompiled.cc")
    target_link_libraries(pgc_precompiled_test PRIVATE pgc_options pgc_test_options GTest::gmock)
    target_precompile_headers(pgc_precompiled_test PRIVATE
        <gmock/gmock.h> <gtest/gtest.h> <expected> <optional> <span> <string> <variant> <vector>
        <fmt/format.h>)
endif()

function(pgc_precompile target kind)
    if(PGC_PRECOMPILE)
        target_precompile_headers(${target} REUSE_FROM ${kind})
    endif()
endfunction()

# pgc_together(TARGET files…): one translation unit a folder, in the presets that `make test` builds
# whole. Names in the files' unnamed namespaces must differ within a folder.
function(pgc_together target)
    if(NOT PGC_TOGETHER)
        return()
    endif()
    foreach(source ${ARGN})
        get_filename_component(folder "${source}" DIRECTORY)
        string(MAKE_C_IDENTIFIER "${folder}" group)
        set_source_files_properties("${source}" PROPERTIES UNITY_GROUP "${group}")
    endforeach()
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
endfunction()
