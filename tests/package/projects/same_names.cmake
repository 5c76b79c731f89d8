# SPDX-License-Identifier: MIT

# The targets have the same names in each way of using flaky. Without FLAKY_BUILD_PROGRAM there is only the recorder,
# which needs no package.
if(FLAKY_BUILD_PROGRAM)
  foreach(target contract_suite flaky history recorder stores transfer)
    if(NOT TARGET flaky::${target})
      message(FATAL_ERROR "the target flaky::${target} does not exist")
    endif()
  endforeach()
else()
  get_property(packages GLOBAL PROPERTY PACKAGES_FOUND)
  list(REMOVE_ITEM packages flaky GTest Python PythonInterp Threads)  # the project's and GoogleTest's
  if(packages)
    message(FATAL_ERROR "flaky looks for ${packages}, which the recorder does not need")
  endif()
endif()

# A library of test helpers that links the recorder can be exported and installed.
add_library(shop_testing INTERFACE)
target_link_libraries(shop_testing INTERFACE flaky::recorder)
export(TARGETS shop_testing FILE ${CMAKE_CURRENT_BINARY_DIR}/shop_testing.cmake)
