# pgc_room(NAME [DEPENDS rooms…] [LIBS targets…] [TEST_LIBS targets…])
#
# src/NAME/**/*.cc without *_test.cc  ->  static library pgc_NAME
# src/NAME/**/*_test.cc               ->  test executable NAME_test
# A room without files yet is an empty interface. main.cc belongs to pgc_program.
function(pgc_room name)
    cmake_parse_arguments(ROOM "" "" "DEPENDS;LIBS;TEST_LIBS" ${ARGN})
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/${name}/*.cc")
    set(tests ${sources})
    list(FILTER tests INCLUDE REGEX "_test\\.cc$")
    list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cc$")

    list(TRANSFORM ROOM_DEPENDS PREPEND pgc_ OUTPUT_VARIABLE rooms)
    if(sources)
        add_library(pgc_${name} STATIC ${sources})
        target_link_libraries(pgc_${name} PUBLIC pgc_options ${rooms} ${ROOM_LIBS}
            PRIVATE pgc_fuzzed)
        pgc_precompile(pgc_${name} pgc_precompiled)
        pgc_together(pgc_${name} ${sources})
    else()
        add_library(pgc_${name} INTERFACE)
        target_link_libraries(pgc_${name} INTERFACE pgc_options ${rooms} ${ROOM_LIBS})
    endif()
    set_property(GLOBAL APPEND PROPERTY PGC_ROOMS pgc_${name})

    if(tests)
        pgc_gtest(${name}_test SOURCES ${tests} LIBS pgc_${name} ${ROOM_TEST_LIBS})
        pgc_together(${name}_test ${tests})
    endif()
endfunction()

# pgc_program(NAME ROOM room MAIN file): the executable, with libstdc++ inside.
function(pgc_program name)
    cmake_parse_arguments(PROGRAM "" "ROOM;MAIN" "" ${ARGN})
    if(NOT EXISTS "${CMAKE_SOURCE_DIR}/${PROGRAM_MAIN}")
        message(STATUS "No ${PROGRAM_MAIN} yet: ${name} is not built")
        add_custom_target(${name} COMMAND "${CMAKE_COMMAND}" -E false COMMENT "no ${PROGRAM_MAIN} yet")
        return()
    endif()
    add_executable(${name} "${PROGRAM_MAIN}")
    target_link_libraries(${name} PRIVATE pgc_${PROGRAM_ROOM})
    install(TARGETS ${name} RUNTIME DESTINATION bin)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")
    if(NOT PGC_SANITIZE)
        target_link_options(${name} PRIVATE -static-libstdc++ -static-libgcc -Wl,--gc-sections
            -Wl,--exclude-libs,librdkafka.a)
    endif()
    if(CMAKE_BUILD_TYPE STREQUAL "Release")
        target_link_libraries(${name} PRIVATE pgc::jemalloc)
        target_link_options(${name} PRIVATE -Wl,--strip-debug)
    endif()
endfunction()
