# Installs the build into a folder, and moves the folder: nothing that was installed may name the build or where it was put first.
#
#   cmake -D BUILD=… -D SOURCE=… -D PREFIX=… -P install.cmake

set(first ${PREFIX}_before_it_moved)
file(REMOVE_RECURSE ${first} ${PREFIX})
execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --prefix ${first} OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
file(RENAME ${first} ${PREFIX})

foreach(wanted bin/flaky share/man/man1/flaky.1 share/man/man1/flaky-check.1 share/man/man1/flaky-schema-sql.1 share/bash-completion/completions/flaky share/zsh/site-functions/_flaky
               share/fish/vendor_completions.d/flaky.fish share/pkgconfig/flaky-recorder.pc)
  if(NOT EXISTS ${PREFIX}/${wanted})
    message(FATAL_ERROR "${wanted} was not installed")
  endif()
endforeach()

file(GLOB_RECURSE installed ${PREFIX}/*)
foreach(file IN LISTS installed)
  if(file MATCHES "/bin/flaky$|[.]a$")  # debug information and assertions name sources
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

execute_process(COMMAND readelf -d ${PREFIX}/bin/flaky OUTPUT_VARIABLE dynamic COMMAND_ERROR_IS_FATAL ANY)
if(dynamic MATCHES "RPATH|RUNPATH")
  message(FATAL_ERROR "the program looks for libraries where it was built: ${dynamic}")
endif()
