# The names are the same however flaky came. FLAKY_BUILD_PROGRAM: with all but the recorder.
if(FLAKY_BUILD_PROGRAM)
  foreach(target contract_suite flaky history recorder stores transfer)
    if(NOT TARGET flaky::${target})
      message(FATAL_ERROR "there is no flaky::${target}")
    endif()
  endforeach()
endif()

# Libraries of test helpers that bring the recorder along may be exported and installed.
add_library(shop_testing INTERFACE)
target_link_libraries(shop_testing INTERFACE flaky::recorder)
export(TARGETS shop_testing FILE ${CMAKE_CURRENT_BINARY_DIR}/shop_testing.cmake)
