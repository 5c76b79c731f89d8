# SPDX-License-Identifier: MIT

# Installs the build to a folder and moves the folder. No installed file may name the build or the first folder.
#
#   cmake -D BUILD=… -D SOURCE=… -D PREFIX=… -P install.cmake

set(first ${PREFIX}_before_it_moved)
file(REMOVE_RECURSE ${first} ${PREFIX})
execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --prefix ${first} OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
file(RENAME ${first} ${PREFIX})

foreach(expected
    bin/flaky
    share/bash-completion/completions/flaky
    share/fish/vendor_completions.d/flaky.fish
    share/man/man1/flaky-check.1
    share/man/man1/flaky-schema-sql.1
    share/man/man1/flaky.1
    share/pkgconfig/flaky-recorder.pc
    share/zsh/site-functions/_flaky)
  if(NOT EXISTS ${PREFIX}/${expected})
    message(FATAL_ERROR "${expected} was not installed")
  endif()
endforeach()

file(GLOB_RECURSE installed ${PREFIX}/*)
foreach(file IN LISTS installed)
  if(file MATCHES "/bin/flaky$|[.]a$|[.]so$")  # their debug information and assertions name sources
    continue()
  endif()
  file(READ ${file} text)
  foreach(folder ${BUILD} ${SOURCE} ${first})
    string(FIND "${text}" "${folder}" at)
    if(NOT at EQUAL -1)
      message(FATAL_ERROR "${file} names ${folder}")
    endif()
  endforeach()
endforeach()

file(GLOB modules ${PREFIX}/lib/flaky/*.so ${PREFIX}/lib/*/flaky/*.so)
foreach(binary ${PREFIX}/bin/flaky ${modules})
  execute_process(COMMAND readelf -d ${binary} OUTPUT_VARIABLE dynamic COMMAND_ERROR_IS_FATAL ANY)
  if(dynamic MATCHES "RPATH|RUNPATH")
    message(FATAL_ERROR "${binary} has a run path: ${dynamic}")
  endif()
endforeach()

# The moved program finds its modules: with none of them it could not print the schema of a store.
foreach(module IN LISTS modules)
  get_filename_component(store ${module} NAME_WE)
  if(NOT store STREQUAL "turso" AND NOT store STREQUAL "postgres" AND NOT store STREQUAL "supabase")
    message(FATAL_ERROR "${module} is not a module of a store")
  endif()
  execute_process(COMMAND ${PREFIX}/bin/flaky schema sql --store ${store} OUTPUT_VARIABLE sql COMMAND_ERROR_IS_FATAL ANY)
  if(NOT sql MATCHES "CREATE TABLE")
    message(FATAL_ERROR "the program does not print the schema of ${store}: ${sql}")
  endif()
endforeach()

# The libraries of servers are loaded with a store of that kind only.
execute_process(COMMAND readelf -d ${PREFIX}/bin/flaky OUTPUT_VARIABLE dynamic COMMAND_ERROR_IS_FATAL ANY)
if(dynamic MATCHES "libpq|libcurl")
  message(FATAL_ERROR "the program is linked with the libraries of servers: ${dynamic}")
endif()
