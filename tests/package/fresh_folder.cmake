# SPDX-License-Identifier: MIT

# Empties the folder WORK and makes it the home of all programs that the script runs, so their history and spool are
# there. NAME is their project. run(…) runs a program in WORK and ends the script if it fails.

function(run)
  list(JOIN ARGN " " shown)
  message("$ ${shown}")
  execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${WORK} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK}/home)

# Removes the settings of the user who runs the tests.
execute_process(COMMAND ${CMAKE_COMMAND} -E environment OUTPUT_VARIABLE environment)
string(REGEX MATCHALL "(FLAKY_TESTS|GTEST|XDG)_[A-Z_]*" foreign "${environment}")
foreach(variable IN LISTS foreign)
  unset(ENV{${variable}})
endforeach()
unset(ENV{FLAKY_RUN_CONFIG})
unset(ENV{FLAKY_RUN_TIMEOUT})
# The ctests and programs that the script runs are not tests of the ctest that runs the script.
file(READ /proc/self/stat stat)
string(REGEX MATCH "^[0-9]+" pid "${stat}")
string(REGEX REPLACE "^.*\\) " "" stat "${stat}")
string(REPLACE " " ";" stat "${stat}")
list(GET stat 19 start)
set(ENV{FLAKY_RUN_PROCESS} ${pid}-${start})
set(ENV{HOME} ${WORK}/home)
set(ENV{FLAKY_TESTS_PROJECT} ${NAME})
set(ENV{FLAKY_TESTS_DELIVERY_TIMEOUT} 120)  # the machine may stall
set(ENV{FLAKY_TESTS_DELIVERY_WAIT} 120000)
