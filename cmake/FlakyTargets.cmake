# SPDX-License-Identifier: MIT

# Helpers for the targets of this project.

include(GNUInstallDirs)

# flaky_library(NAME SOURCES … LINKS …): adds a room as the static library flaky_<NAME>, alias flaky::<NAME>. The LINKS
# match the arrows of docs/architecture.md; tests/house checks the include lines against the same arrows.
function(flaky_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(flaky_${name} STATIC ${ARG_SOURCES})
  add_library(flaky::${name} ALIAS flaky_${name})
  target_include_directories(flaky_${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
  target_link_libraries(flaky_${name} PUBLIC ${ARG_LINKS} PRIVATE ${ARG_PRIVATE_LINKS})
  flaky_settings(flaky_${name})
endfunction()

# flaky_public_headers(ROOM HEADERS …): installs these headers of the current folder with the room's library, because
# they are meant for its users. A header that is not listed is internal.
function(flaky_public_headers name)
  cmake_parse_arguments(ARG "" "" "HEADERS" ${ARGN})
  target_sources(flaky_${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR} FILES ${ARG_HEADERS})
  set_target_properties(flaky_${name} PROPERTIES EXPORT_NAME ${name})
  set_property(GLOBAL APPEND PROPERTY FLAKY_LIBRARIES flaky_${name})
endfunction()

# flaky_needs(PACKAGE) and flaky_needs_module(PREFIX MODULE): find_package and pkg_check_modules for a dependency that
# the users of a library must link too. The installed package looks for the same dependencies.
macro(flaky_needs package)
  find_package(${package} REQUIRED)
  set_property(GLOBAL APPEND PROPERTY FLAKY_DEPENDENCIES "find_dependency(${package})")
endmacro()
macro(flaky_needs_module prefix module)
  flaky_needs(PkgConfig)
  pkg_check_modules(${prefix} REQUIRED IMPORTED_TARGET ${module})
  set_property(GLOBAL APPEND PROPERTY FLAKY_DEPENDENCIES "pkg_check_modules(${prefix} REQUIRED IMPORTED_TARGET ${module})")
endmacro()

# Sets the language standard and warnings of our own code. Not for the recorder, which users compile.
function(flaky_settings target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  # GCC 12 mistakes some concatenations of strings for overlapping copies (its bug 105329), and some empty optionals for
  # uninitialised values (its bug 80635).
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
    $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict;-Wno-maybe-uninitialized>
    $<$<BOOL:${FLAKY_WERROR}>:-Werror>)
endfunction()

# flaky_test(NAME [ONE_TEST] [SOAK] [UNIT] SOURCES … LINKS …): adds a GoogleTest program. CTest runs each of its tests
# separately. ONE_TEST: CTest runs the whole program as one test, for programs that are slow to start because they start
# a server. SOAK: `./dev soak` runs it too, with the large counts of tests/support/soak.h. UNIT: it starts no server and
# no other program, and kills nothing; the target unit_tests builds it and `./dev test unit` runs it.
function(flaky_test name)
  cmake_parse_arguments(ARG "ONE_TEST;SOAK;UNIT" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES} ${PROJECT_SOURCE_DIR}/tests/support/own_processes.cc)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_LINKS} GTest::gmock GTest::gtest_main)
  flaky_settings(${name})

  set(timeout 300)
  set(labels "")
  if(ARG_ONE_TEST)
    set(timeout 900)
  endif()
  if(ARG_SOAK)
    set(timeout 7200)
    list(APPEND labels soak)
  endif()
  if(ARG_UNIT)
    list(APPEND labels unit)
    if(NOT TARGET unit_tests)
      add_custom_target(unit_tests)
    endif()
    add_dependencies(unit_tests ${name})
  endif()
  if(ARG_ONE_TEST)
    add_test(NAME ${name} COMMAND ${name} --gtest_brief=1)
    set_tests_properties(${name} PROPERTIES TIMEOUT ${timeout} LABELS "${labels}")
  else()
    set(properties TIMEOUT ${timeout})
    if(labels)
      # The list passes through four lists of arguments, each of which takes away a level of escapes.
      string(REPLACE ";" [[\\\\\\\\;]] labels "${labels}")
      list(APPEND properties LABELS "${labels}")
    endif()
    gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST NO_PRETTY_VALUES PROPERTIES ${properties})
  endif()
endfunction()
