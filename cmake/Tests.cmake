# Test executables. Every GoogleTest executable is one ctest entry; the number of
# cases is counted from the XML that GTEST_OUTPUT makes it write.

enable_testing()

# pgc_gtest(NAME SOURCES files… LIBS targets…)
function(pgc_gtest name)
    cmake_parse_arguments(TEST "" "" "SOURCES;LIBS" ${ARGN})
    add_executable(${name} ${TEST_SOURCES})
    target_include_directories(${name} PRIVATE "${CMAKE_SOURCE_DIR}/tests")
    target_compile_definitions(${name} PRIVATE PGC_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    target_link_libraries(${name} PRIVATE pgc_test_options pgc_support ${TEST_LIBS}
        GTest::gmock GTest::gtest_main)
    pgc_precompile(${name} pgc_precompiled_test)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
    add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}")
    set_property(GLOBAL APPEND PROPERTY PGC_TESTS ${name})
endfunction()

# tests/support/*.cc: builders and fakes on the vocabulary, for every test.
function(pgc_support_library)
    file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/support/*.cc")
    list(FILTER sources EXCLUDE REGEX "/replay_main\\.cc$")
    if(sources)
        add_library(pgc_support STATIC ${sources})
        target_include_directories(pgc_support PUBLIC "${CMAKE_SOURCE_DIR}/tests")
        target_link_libraries(pgc_support PUBLIC pgc_core)
    else()
        add_library(pgc_support INTERFACE)
        target_link_libraries(pgc_support INTERFACE pgc_core)
    endif()
endfunction()

# tests/NAME/*.cc -> test executable NAME_test over all rooms but cli. BORROWS: files of other
# suites that it is built with, without .cc.
function(pgc_suite name)
    cmake_parse_arguments(SUITE "" "" "BORROWS" ${ARGN})
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/${name}/*.cc")
    if(NOT sources)
        return()
    endif()
    get_property(rooms GLOBAL PROPERTY PGC_ROOMS)
    list(REMOVE_ITEM rooms pgc_cli)
    foreach(borrowed IN LISTS SUITE_BORROWS)
        list(APPEND sources "${CMAKE_SOURCE_DIR}/tests/${borrowed}.cc")
    endforeach()
    pgc_gtest(${name}_test SOURCES ${sources} LIBS ${rooms} pgc::json_readers)
endfunction()

# tests/fuzz/NAME.cc -> fuzz_NAME, a libFuzzer binary with PGC_FUZZ. Its ctest entry runs every
# file of tests/fuzz/corpus/NAME once.
function(pgc_fuzz_targets)
    file(GLOB targets CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/fuzz/*.cc")
    get_property(rooms GLOBAL PROPERTY PGC_ROOMS)
    list(REMOVE_ITEM rooms pgc_cli)
    set(built "")
    foreach(source IN LISTS targets)
        get_filename_component(name "${source}" NAME_WE)
        set(target fuzz_${name})
        add_executable(${target} "${source}")
        target_include_directories(${target} PRIVATE "${CMAKE_SOURCE_DIR}/tests")
        target_link_libraries(${target} PRIVATE pgc_fuzzed ${rooms} pgc::json_readers)
        pgc_precompile(${target} pgc_precompiled)
        set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/fuzz")
        if(PGC_FUZZ)
            target_link_options(${target} PRIVATE -fsanitize=fuzzer)
            add_test(NAME ${target}
                COMMAND ${target} -runs=0 "${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name}")
        else()
            target_sources(${target} PRIVATE "${CMAKE_SOURCE_DIR}/tests/support/replay_main.cc")
            add_test(NAME ${target}
                COMMAND ${target} "${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name}")
        endif()
        list(APPEND built ${target})
    endforeach()
    add_custom_target(fuzz_targets DEPENDS ${built})
endfunction()

# bench/micro/NAME.cc -> micro_NAME, a plain program that prints what it measured. Not
# part of `all`: `ninja micro_benchmarks` builds them.
function(pgc_micro_benchmarks)
    file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/bench/micro/*.cc")
    get_property(rooms GLOBAL PROPERTY PGC_ROOMS)
    list(REMOVE_ITEM rooms pgc_cli)
    foreach(source IN LISTS sources)
        get_filename_component(name "${source}" NAME_WE)
        add_executable(micro_${name} EXCLUDE_FROM_ALL "${source}")
        target_link_libraries(micro_${name} PRIVATE ${rooms})
        set_target_properties(micro_${name} PROPERTIES
            RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bench")
        list(APPEND built micro_${name})
    endforeach()
    add_custom_target(micro_benchmarks DEPENDS ${built})
endfunction()

# Every test executable but those of suites that run under their own budget.
function(pgc_unit_test_targets)
    get_property(tests GLOBAL PROPERTY PGC_TESTS)
    list(REMOVE_ITEM tests simulation_test)
    add_custom_target(unit_tests DEPENDS ${tests})
endfunction()
