# What flaky_discover_tests promises, seen from a project that uses it:
#
#   cmake -D NAME=… -D SOURCE=… -D WORK=… -D PREFIX=… -P discover_tests.cmake

include(${CMAKE_CURRENT_LIST_DIR}/fresh_folder.cmake)
set(ENV{CMAKE_PREFIX_PATH} ${PREFIX})

# Runs ctest in the build folder and gives what it prints.
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
    message(FATAL_ERROR "there is no '${pattern}' in this:\n${text}")
  endif()
endfunction()

# The newest run as the history has it, and how many there are.
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

# Delivered by ctest itself, as one part, both attempts of the test that was repeated in it. What belongs to no fixture comes later,
# as another part of the same run.
ctest(printed --repeat until-pass:3)
expect("${printed}" "delivered 1 run \\(1 part\\)")
ask_history(count run)
expect("${count}" "^1$")
expect("${run}" "parts \\(2\\)")
expect("${run}" "status      fail\ntests       6 \\(5 passed, 1 failed\\)")
expect("${run}" "Unsteady.PassesInTheEnd")

# A selection brings its fixture along; the same without the clean-up is delivered later, and is the same one part.
ctest(printed -R "^second")
expect("${printed}" "delivered 1 run \\(1 part\\)")
ask_history(count run)
expect("${count}" "^2$")
expect("${run}" "tests       2 \\(2 passed, 0 failed\\).*parts \\(1\\)")
ctest(printed -R "^second" -FC "^flaky$")
ask_history(count later_run)
expect("${count}" "^3$")
expect("${later_run}" "tests       2 \\(2 passed, 0 failed\\).*parts \\(1\\)")

# A store that cannot be used decides over nothing, and says why. What was recorded waits.
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
# What waited may have been taken along before, by the process behind an earlier ctest that knew the store.
expect("${printed}" "delivered 1 run ")
ask_history(count run)
expect("${count}" "^6$")
