# flaky_discover_tests(TARGET …): gtest_discover_tests, to which all arguments are passed on, for a program that links
# flaky::recorder; and its tests are delivered within ctest's own account. The tests `flaky_open` and `flaky_deliver`, one of each
# however many targets there are, come before the first of these tests and after the last: flaky_open takes along what earlier runs
# left behind, flaky_deliver moves all that was recorded in between into the store, as one part of the run.
#
# Neither fails for want of a store, which must not decide over tests: ctest shows it as skipped then, and its output says why. Where
# flaky_deliver does not come to run, because ctest was killed or told to leave it out, the next `flaky` command delivers the same.

include_guard(GLOBAL)

function(flaky_discover_tests target)
  include(GoogleTest)  # here, because it sets variables where it is included
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
    find_program(FLAKY_PROGRAM flaky REQUIRED DOC "The program that delivers what the tests record")
    set(program ${FLAKY_PROGRAM})
  endif()
  add_test(NAME flaky_open COMMAND ${program} deliver --fixture flaky)
  add_test(NAME flaky_deliver COMMAND ${program} deliver --fixture flaky)
  set_tests_properties(flaky_open PROPERTIES FIXTURES_SETUP flaky)
  set_tests_properties(flaky_deliver PROPERTIES FIXTURES_CLEANUP flaky)
  # Passed is what prints anything or nothing, whatever its exit code.
  set_tests_properties(flaky_open flaky_deliver PROPERTIES
    PASS_REGULAR_EXPRESSION "^" SKIP_REGULAR_EXPRESSION "(^|\n)flaky: " TIMEOUT 300)
endfunction()
