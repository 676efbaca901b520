# Flags live on one INTERFACE target which every module links privately; nothing is set globally but the
# language standard and position-independent code.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

option(WHERRY_TESTS "build tests, fuzz replays and benchmarks" ON)
option(WHERRY_WERROR "warnings are errors" OFF)
option(WHERRY_FUZZ "link fuzz targets with libFuzzer instead of the replay main" OFF)
set(WHERRY_SANITIZE "" CACHE STRING "sanitizers, as given to -fsanitize=")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
# Debug builds are for tests: a little optimisation makes them run several times faster and compile no slower.
set(CMAKE_CXX_FLAGS_DEBUG "-Og -g1")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

add_library(wherry_settings INTERFACE)
target_include_directories(wherry_settings INTERFACE ${CMAKE_SOURCE_DIR}/src)
# -ffp-contract=off: a fused multiply-add would round once where the frameworks round twice.
target_compile_options(wherry_settings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wno-missing-field-initializers
  -Wnon-virtual-dtor -Woverloaded-virtual
  -ffp-contract=off -fstack-protector-strong -ffunction-sections -fdata-sections
  $<$<BOOL:${WHERRY_WERROR}>:-Werror>)
target_compile_definitions(wherry_settings INTERFACE $<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)
target_link_options(wherry_settings INTERFACE -Wl,--gc-sections -Wl,--as-needed -Wl,-z,relro,-z,now)
if(WHERRY_SANITIZE)
  target_compile_options(wherry_settings INTERFACE -fsanitize=${WHERRY_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  target_link_options(wherry_settings INTERFACE -fsanitize=${WHERRY_SANITIZE})
endif()
if(WHERRY_FUZZ)
  target_compile_options(wherry_settings INTERFACE -fsanitize=fuzzer-no-link)
endif()
find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM AND NOT WHERRY_SANITIZE)
  target_link_options(wherry_settings INTERFACE -fuse-ld=mold)
endif()
