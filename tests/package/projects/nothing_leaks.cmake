# SPDX-License-Identifier: MIT

# Checks that including flaky changes nothing else in a project. Call remember_surroundings() before the inclusion and
# expect_same_surroundings() after it.

set(surrounding_properties COMPILE_DEFINITIONS COMPILE_OPTIONS INCLUDE_DIRECTORIES LINK_DIRECTORIES LINK_OPTIONS TESTS)

# list_surrounding_variables(RESULT): stores the names of the variables that affect builds, except for GNUInstallDirs'
# folders.
function(list_surrounding_variables result)
  get_cmake_property(names VARIABLES)
  list(FILTER names INCLUDE REGEX "^(BUILD_|CMAKE_(BUILD|CXX_|COMPILE|EXPORT|INTERPROCEDURAL|MODULE|POSITION|PREFIX|RUNTIME_OUTPUT|LIBRARY_OUTPUT))")
  set(${result} ${names} PARENT_SCOPE)
endfunction()

function(find_googletests result)
  set(found "")
  foreach(target gtest gmock GTest::gtest GTest::gmock)
    if(TARGET ${target})
      list(APPEND found ${target})
    endif()
  endforeach()
  set(${result} "${found}" PARENT_SCOPE)
endfunction()

macro(remember_surroundings)
  find_googletests(remembered_googletests)
  list_surrounding_variables(remembered_names)
  foreach(name IN LISTS remembered_names)
    set(remembered_${name} "${${name}}")
  endforeach()
  foreach(property IN LISTS surrounding_properties)
    get_directory_property(remembered_property_${property} ${property})
  endforeach()
endmacro()

function(expect_same_surroundings)
  list_surrounding_variables(names)
  if(NOT "${names}" STREQUAL "${remembered_names}")
    message(FATAL_ERROR "flaky sets variables that are not its own: before ${remembered_names}, after ${names}")
  endif()
  foreach(name IN LISTS names)
    if(NOT "${${name}}" STREQUAL "${remembered_${name}}")
      message(FATAL_ERROR "flaky changes ${name} from '${remembered_${name}}' to '${${name}}'")
    endif()
  endforeach()
  foreach(property IN LISTS surrounding_properties)
    get_directory_property(now ${property})
    if(NOT "${now}" STREQUAL "${remembered_property_${property}}")
      message(FATAL_ERROR "flaky changes ${property} from '${remembered_property_${property}}' to '${now}'")
    endif()
  endforeach()
  find_googletests(googletests)
  if(NOT "${googletests}" STREQUAL "${remembered_googletests}")
    message(FATAL_ERROR "flaky adds a second GoogleTest: ${googletests}")
  endif()
endfunction()
