# SPDX-License-Identifier: MIT

# Tests what flaky_discover_tests promises, in a project that uses it:
#
#   cmake -D NAME=… -D SOURCE=… -D WORK=… -D PREFIX=… -P discover_tests.cmake

include(${CMAKE_CURRENT_LIST_DIR}/fresh_folder.cmake)
set(ENV{CMAKE_PREFIX_PATH} ${PREFIX})

# ctest(OUTPUT ARGUMENT …): runs ctest in the build folder and stores its output.
function(ctest output)
  list(JOIN ARGN " " shown)
  message("$ ctest ${shown}")
  execute_process(COMMAND ${CMAKE_CTEST_COMMAND} --test-dir ${WORK}/build --verbose --parallel 2 ${ARGN}
    OUTPUT_VARIABLE printed COMMAND_ECHO NONE RESULT_VARIABLE result)
  message("${printed}")
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "ctest ended with ${result}")
  endif()
  set(${output} "${printed}" PARENT_SCOPE)
endfunction()

function(expect text pattern)
  if(NOT text MATCHES "${pattern}")
    message(FATAL_ERROR "'${pattern}' was not found in:\n${text}")
  endif()
endfunction()

# ask_history(COUNT RUN): stores the number of runs in the history, and the output of `flaky show` for the newest one.
function(ask_history count run)
  execute_process(COMMAND ${PREFIX}/bin/flaky runs --json OUTPUT_VARIABLE history COMMAND_ERROR_IS_FATAL ANY)
  string(JSON length LENGTH "${history}" runs)
  string(JSON newest GET "${history}" runs 0)
  string(JSON id GET "${newest}" run_id)
  execute_process(COMMAND ${PREFIX}/bin/flaky show ${id} OUTPUT_VARIABLE shown COMMAND_ERROR_IS_FATAL ANY)
  set(${count} ${length} PARENT_SCOPE)
  set(${run} "${shown}" PARENT_SCOPE)
endfunction()

run(${CMAKE_COMMAND} -G Ninja -S ${SOURCE} -B ${WORK}/build)
run(${CMAKE_COMMAND} --build ${WORK}/build)

# ctest itself delivers one part, with both attempts of the repeated test. Tests without the fixture are delivered
# later, as another part of the same run. The two programs have tests of the same names, which are different tests.
ctest(printed --repeat until-pass:3)
expect("${printed}" "delivered 1 run \\(1 part\\)")
ask_history(count run)
expect("${count}" "^1$")
expect("${run}" "parts \\(2\\)")
expect("${run}" "status      fail\ntests       8 \\(7 passed, 1 failed\\)")
expect("${run}" "Unsteady.PassesInTheEnd")

# ctest adds the fixture to a selection of tests. Without the clean-up the same part is delivered later.
ctest(printed -R "^second")
expect("${printed}" "delivered 1 run \\(1 part\\)")
ask_history(count run)
expect("${count}" "^2$")
expect("${run}" "tests       2 \\(2 passed, 0 failed\\).*parts \\(1\\)")
ctest(printed -R "^second" -FC "^flaky$")
ask_history(count later_run)
expect("${count}" "^3$")
expect("${later_run}" "tests       2 \\(2 passed, 0 failed\\).*parts \\(1\\)")

# A store that cannot be used fails no test. The reason is printed, and the results stay in the spool.
file(WRITE ${WORK}/no_folder "")
set(ENV{FLAKY_TESTS_DB} ${WORK}/no_folder/history.db)
ctest(printed -R "^second")
expect("${printed}" "flaky_deliver [.]*[*][*][*]Skipped")
expect("${printed}" "flaky: [^\n]*no_folder")
set(ENV{FLAKY_TESTS_LOG} silent)
ctest(printed -R "^second")
expect("${printed}" "100% tests passed, 0 tests failed out of 4")
unset(ENV{FLAKY_TESTS_LOG})
unset(ENV{FLAKY_TESTS_DB})
ctest(printed -R "^shop")
# The results in the spool may already have been delivered by the process that waits for the end of an earlier ctest.
expect("${printed}" "delivered 1 run ")
ask_history(count run)
expect("${count}" "^6$")
