# WORK is empty from here on, and the home of whatever is run: its history and spool are there. NAME is its project. run(…) runs a
# program there, and ends the script where it fails.

function(run)
  list(JOIN ARGN " " shown)
  message("$ ${shown}")
  execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${WORK} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK}/home)

# Nothing of the settings of whoever runs this.
execute_process(COMMAND ${CMAKE_COMMAND} -E environment OUTPUT_VARIABLE environment)
string(REGEX MATCHALL "(FLAKY_TESTS|GTEST|XDG)_[A-Z_]*" foreign "${environment}")
foreach(variable IN LISTS foreign)
  unset(ENV{${variable}})
endforeach()
set(ENV{HOME} ${WORK}/home)
set(ENV{FLAKY_TESTS_PROJECT} ${NAME})
