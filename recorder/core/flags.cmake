# SPDX-License-Identifier: MIT

# Compiles the recorder with the flags of the project: CMAKE_CXX_FLAGS and the options of the including folder, which may select
# the architecture, the standard library, sanitizers or instrumentation. Included after everything else in the folder,
# because a project may set them after it has found flaky.
#
# Left out are include folders, forced includes and definitions, except for definitions of reserved names such as
# _GLIBCXX_DEBUG. Warnings are switched off, and the language standard is the recorder's own.

cmake_policy(VERSION 3.16...3.25)

function(flaky_set_recorder_flags)
  if(NOT TARGET flaky_recorder_core)
    return()
  endif()
  set(left_out "I|iquote|include|imacros|D *[A-Za-z]")
  get_property(options DIRECTORY PROPERTY COMPILE_OPTIONS)
  if("${CMAKE_CXX_FLAGS};${options}" MATCHES "-nostdinc")  # then -I may name the folder of the standard library
    set(left_out "iquote|include|imacros|D *[A-Za-z]")
  endif()
  string(REGEX REPLACE " -(${left_out}) *(\"[^\"]*\"|[^\" ])+" "" flags " ${CMAKE_CXX_FLAGS}")
  # Options may be in generator expressions, after a colon.
  string(REGEX REPLACE "([;:])(SHELL:)?-(${left_out})[; ]?[^;>]*" "\\1" options ";${options}")
  set_property(TARGET flaky_recorder_core PROPERTY COMPILE_OPTIONS "SHELL:${flags}" ${options} -std=c++17 -w)
endfunction()
flaky_set_recorder_flags()
