# flaky_discover_tests(TARGET …): calls gtest_discover_tests with all arguments, for a program that links
# flaky::recorder. The results are delivered while ctest is still running, so the delivery is visible in ctest's output.
# This adds two tests for all targets together: `flaky_open` runs before the first of their tests, and `flaky_deliver`
# after the last. flaky_open delivers the results that earlier runs left in the spool. flaky_deliver delivers everything
# that was recorded since then, as one part of the run.
#
# Neither of them fails if the store cannot be used, because that must not change the outcome of the tests: ctest then
# shows it as skipped, and its output has the reason. If flaky_deliver does not run, because ctest was killed or was
# asked to exclude it, the next `flaky` command delivers the same results.

include_guard(GLOBAL)

function(flaky_discover_tests target)
  include(GoogleTest)  # in this function's scope, because it sets variables
  gtest_discover_tests(${target} ${ARGN}
    PROPERTIES FIXTURES_REQUIRED flaky ENVIRONMENT FLAKY_TESTS_FIXTURE=flaky)

  get_property(has_fixture GLOBAL PROPERTY FLAKY_HAS_FIXTURE)
  if(has_fixture)
    return()
  endif()
  set_property(GLOBAL PROPERTY FLAKY_HAS_FIXTURE TRUE)
  if(TARGET flaky::flaky)
    set(program $<TARGET_FILE:flaky::flaky>)
  else()
    find_program(FLAKY_PROGRAM flaky REQUIRED DOC "The program that delivers the recorded results")
    set(program ${FLAKY_PROGRAM})
  endif()
  add_test(NAME flaky_open COMMAND ${program} deliver --fixture flaky)
  add_test(NAME flaky_deliver COMMAND ${program} deliver --fixture flaky)
  set_tests_properties(flaky_open PROPERTIES FIXTURES_SETUP flaky)
  set_tests_properties(flaky_deliver PROPERTIES FIXTURES_CLEANUP flaky)
  # They pass with any output and any exit code, and are skipped if they print a message of flaky.
  set_tests_properties(flaky_open flaky_deliver PROPERTIES
    PASS_REGULAR_EXPRESSION "^" SKIP_REGULAR_EXPRESSION "(^|\n)flaky: " TIMEOUT 300)
endfunction()
