# wherry_module(NAME DEPS a b … LIBS x y …)
#   One folder = one library. DEPS are the modules whose headers this one may include (tests/layers.py reads
#   these very lines); LIBS are third-party targets. Sources are the folder's *.cc: files ending in _test.cc
#   become the GoogleTest program NAME_test, files ending in _fuzz.cc belong to wherry_fuzz().
#   TEST_LIBS are what only the tests need (modules or third-party targets).
function(wherry_module name)
  cmake_parse_arguments(ARG "" "" "DEPS;LIBS;TEST_LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "_(test|fuzz)\\.cc$")
  add_library(${name} STATIC ${sources})
  target_link_libraries(${name} PUBLIC ${ARG_DEPS} PRIVATE wherry_settings ${ARG_LIBS})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  if(WHERRY_TESTS AND tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE ${name} ${ARG_DEPS} ${ARG_LIBS} ${ARG_TEST_LIBS} wherry_settings
      GTest::gtest GTest::gmock GTest::gtest_main)
    target_compile_definitions(${name}_test PRIVATE WHERRY_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    add_test(NAME ${name} COMMAND ${name}_test)
    set_tests_properties(${name} PROPERTIES TIMEOUT 600 WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  endif()
endfunction()

# wherry_fuzz(NAME SOURCE file_fuzz.cc LIBS module …): a libFuzzer target; outside the fuzz preset the same
# function is linked with a main that replays fuzz/corpus/NAME, so that no target can rot.
function(wherry_fuzz name)
  cmake_parse_arguments(ARG "" "SOURCE" "LIBS" ${ARGN})
  if(NOT WHERRY_TESTS)
    return()
  endif()
  add_executable(${name}_fuzz ${ARG_SOURCE})
  target_link_libraries(${name}_fuzz PRIVATE ${ARG_LIBS} wherry_settings)
  if(WHERRY_FUZZ)
    target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(${name}_fuzz PRIVATE ${CMAKE_SOURCE_DIR}/fuzz/replay.cc)
    add_test(NAME fuzz_${name} COMMAND ${name}_fuzz ${CMAKE_SOURCE_DIR}/fuzz/corpus/${name})
    set_tests_properties(fuzz_${name} PROPERTIES TIMEOUT 300)
  endif()
endfunction()
