# The targets have the same names in each way of using flaky. Without FLAKY_BUILD_PROGRAM there is only the recorder.
if(FLAKY_BUILD_PROGRAM)
  foreach(target contract_suite flaky history recorder stores transfer)
    if(NOT TARGET flaky::${target})
      message(FATAL_ERROR "the target flaky::${target} does not exist")
    endif()
  endforeach()
endif()

# A library of test helpers that links the recorder can be exported and installed.
add_library(shop_testing INTERFACE)
target_link_libraries(shop_testing INTERFACE flaky::recorder)
export(TARGETS shop_testing FILE ${CMAKE_CURRENT_BINARY_DIR}/shop_testing.cmake)
