# SPDX-License-Identifier: MIT

# Configures and builds one outside project in an empty folder, runs its test programs, and checks that the history has
# their runs.
#
#   cmake -D NAME=… -D SOURCE=… -D WORK=… -D PREFIX=… [-D BUILD=…] [-D ARGUMENTS=…] [-D PROGRAMS=…]
#     [-D IN_CTEST=ON] -P outside_project.cmake
#
# BUILD is cmake, make, meson, or configure, which only configures. ARGUMENTS are passed to cmake. flaky is installed in
# PREFIX. PROGRAMS are the test programs, with commas. IN_CTEST: the project uses flaky_discover_tests, so ctest delivers too.

include(${CMAKE_CURRENT_LIST_DIR}/fresh_folder.cmake)
set(ENV{PKG_CONFIG_PATH} ${PREFIX}/share/pkgconfig)
set(ENV{CMAKE_PREFIX_PATH} ${PREFIX})
if(ARGUMENTS MATCHES "FLAKY_SOURCE")  # then the recorder looks for the program in PATH
  set(ENV{PATH} ${PREFIX}/bin:$ENV{PATH})
endif()

set(programs ${WORK}/build/shop_test ${WORK}/build/own_main_test)
if(PROGRAMS)
  string(REPLACE "," ";" programs ${PROGRAMS})
  list(TRANSFORM programs PREPEND ${WORK}/build/)
endif()
if(BUILD STREQUAL "make")
  file(MAKE_DIRECTORY ${WORK}/build)
  run(make -C ${WORK}/build -f ${SOURCE}/Makefile SHOP=${SOURCE}/../shop)
  # Without Make, in a plain shell command.
  run(sh -ec "c++ -std=gnu++17 -o build/plain_test ${SOURCE}/../shop/shop_test.cc \
    $(pkg-config --variable=source flaky-recorder) $(pkg-config --cflags --libs flaky-recorder gtest_main)")
  set(programs ${WORK}/build/shop_test ${WORK}/build/plain_test)
elseif(BUILD STREQUAL "meson")
  run(meson setup ${WORK}/build ${SOURCE})
  run(meson compile -C ${WORK}/build)
  set(programs ${WORK}/build/shop_test)
else()
  run(${CMAKE_COMMAND} -G Ninja -S ${SOURCE} -B ${WORK}/build ${ARGUMENTS})
  if(BUILD STREQUAL "configure")
    return()
  endif()
  run(${CMAKE_COMMAND} --build ${WORK}/build)
  if(ARGUMENTS MATCHES "FLAKY_SOURCE")
    # Besides the three sources of the two programs, this compiles the recorder once, and its adapter for each program.
    execute_process(COMMAND ninja -C ${WORK}/build -t targets all OUTPUT_VARIABLE targets COMMAND_ERROR_IS_FATAL ANY)
    string(REGEX MATCHALL "[^\n]+[.]o: " objects "${targets}")
    list(FILTER objects EXCLUDE REGEX "^googletest/")
    list(LENGTH objects count)
    if(NOT count EQUAL 6)
      message(FATAL_ERROR "the project compiles ${count} objects, not 6: ${objects}")
    endif()
  endif()
endif()

# An empty stderr shows that each test program has found the program `flaky` and has delivered.
foreach(program IN LISTS programs)
  execute_process(COMMAND ${program} --gtest_brief=1 ERROR_VARIABLE printed COMMAND_ERROR_IS_FATAL ANY)
  if(NOT printed STREQUAL "")
    message(FATAL_ERROR "${program} printed: ${printed}")
  endif()
endforeach()

execute_process(COMMAND ${PREFIX}/bin/flaky runs --json OUTPUT_VARIABLE history COMMAND_ERROR_IS_FATAL ANY)
message("${history}")
list(LENGTH programs expected)
string(JSON found LENGTH "${history}" runs)
if(NOT found EQUAL expected)
  message(FATAL_ERROR "the history has ${found} runs, not ${expected}")
endif()
foreach(program IN LISTS programs)
  math(EXPR expected "${expected} - 1")  # the newest run comes first
  string(JSON run GET "${history}" runs ${expected})
  cmake_path(GET program FILENAME name)
  foreach(field "project;${NAME}" "test_args;${name}" "status;pass" "total_tests;2")
    list(GET field 0 key)
    list(GET field 1 value)
    string(JSON stored GET "${run}" ${key})
    if(NOT stored MATCHES "^${value}( |$)")
      message(FATAL_ERROR "${key} is '${stored}', not '${value}', in the run of ${name}")
    endif()
  endforeach()
endforeach()

if(IN_CTEST)
  execute_process(COMMAND ${CMAKE_CTEST_COMMAND} --test-dir ${WORK}/build --verbose OUTPUT_VARIABLE printed
    COMMAND_ERROR_IS_FATAL ANY)
  message("${printed}")
  if(NOT printed MATCHES "delivered 1 run \\(1 part\\)")
    message(FATAL_ERROR "ctest did not deliver")
  endif()
endif()
