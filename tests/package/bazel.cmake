# Runs the project of docs/guides/bazel.md in Debian's Bazel 4 (bazel-bootstrap), without a network: stand-ins replace
# the repositories that Bazel would fetch.
#
#   cmake -D BAZEL=… -D FLAKY=… -D SOURCE=… -D RECORDER=… -D NAME=… -D WORK=… -P bazel.cmake
include(${CMAKE_CURRENT_LIST_DIR}/fresh_folder.cmake)

file(COPY ${SOURCE}/ DESTINATION ${WORK}/project)
file(GLOB recorder ${RECORDER}/*.h ${RECORDER}/listener.cc)
file(COPY ${recorder} DESTINATION ${WORK}/project/third_party/flaky)
file(MAKE_DIRECTORY ${WORK}/state/spool)

set(overrides "")
function(stand_in repository package rules)
  file(WRITE ${WORK}/offline/${repository}/WORKSPACE "")
  file(WRITE ${WORK}/offline/${repository}/${package}/BUILD "")
  set(definitions "")
  foreach(rule ${rules})
    string(APPEND definitions "def ${rule}(**arguments): native.${rule}(**arguments)\n")
  endforeach()
  file(WRITE ${WORK}/offline/${repository}/${package}/defs.bzl "${definitions}")
  set(overrides ${overrides} --override_repository=${repository}=${WORK}/offline/${repository} PARENT_SCOPE)
endfunction()
stand_in(rules_cc cc "cc_library;cc_binary;cc_import;cc_toolchain;cc_toolchain_suite")
stand_in(rules_java java "java_import;java_library;java_binary;java_toolchain;java_runtime;java_plugin;java_test;java_package_configuration")
stand_in(rules_proto proto "")
stand_in(remote_coverage_tools coverage "")
file(WRITE ${WORK}/offline/remote_coverage_tools/BUILD
  "filegroup(name = \"coverage_report_generator\", visibility = [\"//visibility:public\"])\n"
  "filegroup(name = \"lcov_merger\", visibility = [\"//visibility:public\"])\n")
file(WRITE ${WORK}/project/offline/googletest/WORKSPACE "")
file(WRITE ${WORK}/project/offline/googletest/BUILD
  "package(default_visibility = [\"//visibility:public\"])\n"
  "cc_library(name = \"gtest\", linkopts = [\"-lgtest\", \"-lpthread\"])\n"
  "cc_library(name = \"gtest_main\", linkopts = [\"-lgtest_main\"], deps = [\":gtest\"])\n")

set(bazel ${CMAKE_COMMAND} -E env ${BAZEL} --output_user_root=${WORK}/bazel --max_idle_secs=60)
set(flaky ${CMAKE_COMMAND} -E env FLAKY_TESTS_SPOOL=${WORK}/state/spool
  FLAKY_TESTS_DB=${WORK}/state/history.db ${FLAKY})

# bazel_test(EXIT_CODE ARGUMENT …): runs `bazel test` with these arguments and expects this exit code.
function(bazel_test expected)
  execute_process(COMMAND ${bazel} test ${overrides} --cxxopt=-std=c++17 --test_env=FLAKY_TESTS_SPOOL=${WORK}/state/spool
      --sandbox_writable_path=${WORK}/state --test_env=SHOP_STATE=${WORK}/state ${ARGN}
    WORKING_DIRECTORY ${WORK}/project RESULT_VARIABLE result OUTPUT_VARIABLE out ERROR_VARIABLE out)
  if(NOT result EQUAL expected)
    message(FATAL_ERROR "bazel test ${ARGN} ended with ${result}, not ${expected}:\n${out}")
  endif()
endfunction()

# expect(JSON EXPECTED PATH …): expects this value at this path of the JSON.
function(expect json expected)
  string(JSON value ERROR_VARIABLE error GET "${json}" ${ARGN})
  if(NOT value STREQUAL expected)
    message(FATAL_ERROR "${ARGN} is ${value}, not ${expected} ${error}, in\n${json}")
  endif()
endfunction()

function(shown_latest result)
  execute_process(COMMAND ${flaky} show latest --all --json OUTPUT_VARIABLE json COMMAND_ERROR_IS_FATAL ANY)
  set(${result} "${json}" PARENT_SCOPE)
endfunction()

set(strategies linux-sandbox processwrapper-sandbox local)
foreach(strategy ${strategies})
  file(REMOVE ${WORK}/state/attempts)
  bazel_test(3 //shop:Recovers_test //shop:Crashes_test //shop:Hangs_test //shop:Is_test --flaky_test_attempts=3 --test_timeout=2
    --nocache_test_results --spawn_strategy=${strategy})
  execute_process(COMMAND ${flaky} deliver OUTPUT_VARIABLE printed COMMAND_ERROR_IS_FATAL ANY)
  # Three attempts at each of three tests, and two shards.
  if(NOT printed MATCHES "^delivered 1 run \\(11 parts\\) to [^;]*$")
    message(FATAL_ERROR "${strategy}: ${printed}")
  endif()
  shown_latest(run)
  expect("${run}" 12 run total_tests)
  expect("${run}" 4 run passed_tests)
  expect("${run}" 8 run failed_tests)
endforeach()

# The next command is another run. Cached results are not recorded again.
foreach(time first second)
  bazel_test(0 //shop:Is_test --test_env=NEW=1)
endforeach()
execute_process(COMMAND ${flaky} runs --all --json OUTPUT_VARIABLE runs COMMAND_ERROR_IS_FATAL ANY)
string(JSON count LENGTH "${runs}" runs)
if(NOT count EQUAL 4)
  message(FATAL_ERROR "${count} runs, not 4:\n${runs}")
endif()
execute_process(COMMAND ${bazel} shutdown WORKING_DIRECTORY ${WORK}/project)
