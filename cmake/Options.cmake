# Language, warnings and build flavours. The presets set the PGC_* switches.

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
# A room's archive does not wait for the archives of the rooms below it.
set(CMAKE_OPTIMIZE_DEPENDENCIES ON)

set(PGC_SANITIZE "" CACHE STRING "Sanitizers, as given to -fsanitize= (address,undefined or thread)")
option(PGC_COVERAGE "Count executed lines (gcc --coverage)" OFF)
option(PGC_PRECOMPILE "Share one precompiled header between the rooms, another between the tests" OFF)
option(PGC_TOGETHER "Compile the files of a folder as one: half the time, where nobody edits one of them" OFF)
option(PGC_FUZZ "Build libFuzzer targets (clang)" OFF)

# Assertions stay on in every flavour: what only a bug can break stops us.
set(CMAKE_CXX_FLAGS_RELEASE "-O3")
set(CMAKE_C_FLAGS_RELEASE "-O3")

add_library(pgc_options INTERFACE)
target_include_directories(pgc_options INTERFACE "${CMAKE_SOURCE_DIR}/src")
target_compile_definitions(pgc_options INTERFACE PGC_VERSION="${PROJECT_VERSION}")
target_compile_options(pgc_options INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wold-style-cast
    -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-align -Wimplicit-fallthrough
    -Werror -fno-omit-frame-pointer -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Designated initialisers may leave members to their defaults.
    target_compile_options(pgc_options INTERFACE -Wduplicated-cond -Wno-missing-field-initializers)
    # GCC 12 at -O2 and above sees overlaps and overflows inside its own
    # std::string and std::vector that are not there (GCC bugs 105329, 105651, 107852).
    set(PGC_FALSE_ALARMS
        -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread -Wno-array-bounds)
    target_compile_options(pgc_options INTERFACE ${PGC_FALSE_ALARMS})
    # With LTO the linker compiles: it forgets these flags, and sees what no file alone shows.
    target_link_options(pgc_options INTERFACE
        ${PGC_FALSE_ALARMS} -Werror=odr -Werror=lto-type-mismatch)
    if(PGC_SANITIZE)
        # Instrumented code confuses the flow analysis.
        target_compile_options(pgc_options INTERFACE -Wno-maybe-uninitialized)
    endif()
endif()

if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # libstdc++ 12 uses its own deprecated get_temporary_buffer in stable_sort. And designated
    # initialisers may leave members to their defaults here, too.
    target_compile_options(pgc_options INTERFACE
        -Wno-deprecated-declarations -Wno-missing-designated-field-initializers)
endif()

# Test code itself is not what is measured: unoptimised it compiles in half the time.
add_library(pgc_test_options INTERFACE)
if(NOT CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_options(pgc_test_options INTERFACE -O0)
endif()

if(PGC_SANITIZE)
    target_compile_options(pgc_options INTERFACE
        -fsanitize=${PGC_SANITIZE} -fno-sanitize-recover=all)
    target_link_options(pgc_options INTERFACE -fsanitize=${PGC_SANITIZE})
endif()
# What libFuzzer steers by: in what is fuzzed, not in the tests.
add_library(pgc_fuzzed INTERFACE)
if(PGC_FUZZ)
    target_compile_options(pgc_fuzzed INTERFACE -fsanitize=fuzzer-no-link)
endif()
# lld links in a fifth of the time. Not the release: its link-time optimisation is GCC's.
if(NOT CMAKE_BUILD_TYPE STREQUAL "Release")
    find_program(PGC_LLD ld.lld HINTS /usr/lib/llvm-19/bin)
    if(PGC_LLD)
        get_filename_component(PGC_LLD_FOLDER "${PGC_LLD}" DIRECTORY)
        target_link_options(pgc_options INTERFACE -fuse-ld=lld "-B${PGC_LLD_FOLDER}")
    endif()
endif()
if(PGC_COVERAGE)
    # Atomic counters: threads of one process count too.
    target_compile_options(pgc_options INTERFACE --coverage -fprofile-update=atomic)
    target_link_options(pgc_options INTERFACE --coverage)
endif()
