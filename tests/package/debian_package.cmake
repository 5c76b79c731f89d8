# SPDX-License-Identifier: MIT

# Tests the package of `cpack -G DEB`: it depends on the libraries that the program is linked with, and it has the
# program, its pages and its CMake package in Debian's folders.
#
#   cmake -D BUILD=… -D WORK=… -D CPACK=… -P debian_package.cmake

file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})
execute_process(COMMAND ${CPACK} -G DEB -B ${WORK} WORKING_DIRECTORY ${BUILD} OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
file(GLOB package ${WORK}/flaky_*.deb)
if(NOT package MATCHES "^[^;]+/flaky_[0-9.]+_[a-z0-9]+[.]deb$")
  message(FATAL_ERROR "expected one package flaky_VERSION_ARCHITECTURE.deb, not: ${package}")
endif()

# The package must depend on the packages of the libraries that the loader needs.
execute_process(COMMAND dpkg-deb --field ${package} Depends OUTPUT_VARIABLE depends COMMAND_ERROR_IS_FATAL ANY)
file(GLOB modules ${BUILD}/cli/stores/*.so)
execute_process(COMMAND ldd ${BUILD}/cli/flaky ${modules} OUTPUT_VARIABLE linked COMMAND_ERROR_IS_FATAL ANY)
foreach(library "libc.so libc6" "libsqlite3 libsqlite3-0" "libpqxx libpqxx-" "libcurl libcurl4")
  separate_arguments(library UNIX_COMMAND ${library})
  list(GET library 0 file)
  list(GET library 1 package_of_library)
  string(FIND "${linked}" "${file}" linked_at)
  string(FIND "${depends}" "${package_of_library}" depends_at)
  if(NOT linked_at EQUAL -1 AND depends_at EQUAL -1)
    message(FATAL_ERROR "the program needs ${file}, but the package depends only on ${depends}")
  endif()
endforeach()

execute_process(COMMAND dpkg-deb --extract ${package} ${WORK}/unpacked COMMAND_ERROR_IS_FATAL ANY)
foreach(expected
    bin/flaky
    lib/cmake/flaky/flakyConfig.cmake
    share/bash-completion/completions/flaky
    share/doc/flaky/copyright
    share/fish/vendor_completions.d/flaky.fish
    share/flaky/recorder/core/flags.cmake
    share/flaky/recorder/gtest_adapter.cc
    share/flaky/recorder/listener.cc
    share/man/man1/flaky-check.1
    share/man/man1/flaky-schema-sql.1
    share/man/man1/flaky.1
    share/pkgconfig/flaky-recorder.pc
    share/zsh/vendor-completions/_flaky)
  if(NOT EXISTS ${WORK}/unpacked/usr/${expected})
    message(FATAL_ERROR "/usr/${expected} is not in the package")
  endif()
endforeach()
execute_process(COMMAND ${WORK}/unpacked/usr/bin/flaky --version COMMAND_ERROR_IS_FATAL ANY)
