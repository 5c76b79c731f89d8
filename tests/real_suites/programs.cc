#include "tests/real_suites/programs.h"

#include <utility>

namespace flaky {

std::ostream& operator<<(std::ostream& stream, const RealProgram& program) {
  for (const std::string& variable : program.environment) stream << variable << ' ';
  stream << program.name;
  for (const std::string& argument : program.arguments) stream << ' ' << argument;
  return stream;
}

std::vector<RealProgram> RealPrograms() {
  // Without arguments. Their tests pass or fail as GoogleTest's authors intended.
  std::vector<RealProgram> programs;
  for (const char* name : {"gmock-actions_test",
                           "gmock-cardinalities_test",
                           "gmock-function-mocker_test",
                           "gmock-internal-utils_test",
                           "gmock-matchers-arithmetic_test",
                           "gmock-nice-strict_test",
                           "gmock-port_test",
                           "gmock-pp-string_test",
                           "gmock-spec-builders_test",
                           "gmock_ex_test",
                           "gmock_leak_test_",
                           "gmock_output_test_",
                           "gmock_test",
                           "googletest-break-on-failure-unittest_",
                           "googletest-catch-exceptions-ex-test_",
                           "googletest-death-test-test",
                           "googletest-failfast-unittest_",
                           "googletest-filepath-test",
                           "googletest-filter-unittest_",
                           "googletest-list-tests-unittest_",
                           "googletest-listener-test",
                           "googletest-message-test",
                           "googletest-options-test",
                           "googletest-output-test_",
                           "googletest-param-test-test",
                           "googletest-port-test",
                           "googletest-printers-test",
                           "googletest-setuptestsuite-test_",
                           "googletest-test-part-test",
                           "googletest-uninitialized-test_",
                           "gtest-death-test_ex_catch_0_test",
                           "gtest-death-test_ex_catch_1_test",
                           "gtest-typed-test_test",
                           "gtest-unittest-api_test",
                           "gtest_assert_by_exception_test",
                           "gtest_environment_test",
                           "gtest_help_test_",
                           "gtest_main_unittest",
                           "gtest_no_rtti_unittest",
                           "gtest_pred_impl_unittest",
                           "gtest_premature_exit_test",
                           "gtest_prod_test",
                           "gtest_repeat_test",
                           "gtest_shared_unittest",
                           "gtest_skip_test",
                           "gtest_sole_header_test",
                           "gtest_testbridge_test_",
                           "gtest_unittest",
                           "gtest_xml_outfile1_test_",
                           "gtest_xml_outfile2_test_",
                           "gtest_xml_output_unittest_"}) {
    programs.push_back({name, {}, {}});
  }

  // Programs that have no test or run none.
  const auto without_tests = [&](const char* name, std::vector<std::string> arguments = {},
                                 std::vector<std::string> environment = {}) {
    programs.push_back({name, std::move(arguments), std::move(environment), false});
  };
  without_tests("gmock-pp_test");
  without_tests("googletest-catch-exceptions-no-ex-test_");
  without_tests("googletest-color-test_");
  without_tests("googletest-env-var-test_", {"break_on_failure"}, {"GTEST_BREAK_ON_FAILURE=1"});
  without_tests("googletest-global-environment-unittest_");
  without_tests("googletest-global-environment-unittest_", {"--gtest_repeat=2"});
  without_tests("googletest-global-environment-unittest_",
                {"--gtest_repeat=2", "--gtest_recreate_environments_when_repeating=false"});
  without_tests("googletest-list-tests-unittest_", {"--gtest_list_tests"});
  without_tests("googletest-param-test-invalid-name1-test_");
  without_tests("googletest-param-test-invalid-name2-test_");
  without_tests("googletest-throw-on-failure-test_");
  without_tests("googletest-throw-on-failure-test_", {"--gtest_throw_on_failure"});
  without_tests("gtest_help_test_", {"--help"});
  without_tests("gtest_list_output_unittest_", {"--gtest_list_tests"});
  without_tests("gtest_no_test_unittest");
  without_tests("gtest_skip_in_environment_setup_test");
  without_tests("gtest_throw_on_failure_ex_test");

  // As GoogleTest's Python tests run them, and as users run their tests every day.
  const auto with = [&](const char* name, std::vector<std::string> arguments,
                        std::vector<std::string> environment = {}) {
    programs.push_back({name, std::move(arguments), std::move(environment)});
  };
  with("gmock_leak_test_", {"--gmock_catch_leaked_mocks=0"});
  with("gmock_output_test_", {"--gtest_stack_trace_depth=0", "--gtest_print_time=0"});
  with("googletest-break-on-failure-unittest_", {"--gtest_break_on_failure"});
  with("googletest-break-on-failure-unittest_", {"--gtest_throw_on_failure"});
  with("googletest-catch-exceptions-ex-test_", {"--gtest_catch_exceptions=0"});
  with("googletest-death-test-test", {"--gtest_death_test_style=threadsafe"});
  with("googletest-death-test-test", {"--gtest_death_test_use_fork"});
  with("googletest-death-test-test", {"--gtest_repeat=2", "--gtest_shuffle", "--gtest_random_seed=7"});
  with("googletest-failfast-unittest_", {"--gtest_fail_fast"});
  with("googletest-failfast-unittest_", {"--gtest_fail_fast", "--gtest_also_run_disabled_tests"});
  with("googletest-failfast-unittest_", {"--gtest_filter=HasFixtureTest.*"}, {"GTEST_FAIL_FAST=1"});
  with("googletest-filter-unittest_", {"--gtest_filter=*a*.*-BazTest.TestOne"});
  with("googletest-filter-unittest_", {}, {"GTEST_FILTER=SeqP/*"});
  with("googletest-filter-unittest_", {}, {"GTEST_TOTAL_SHARDS=3", "GTEST_SHARD_INDEX=1"});
  with("googletest-filter-unittest_", {"--gtest_also_run_disabled_tests"}, {"GTEST_SHARD_STATUS_FILE=shard"});
  with("googletest-output-test_", {"--gtest_color=yes"});
  with("googletest-output-test_", {"--gtest_print_time", "internal_skip_environment_and_ad_hoc_tests",
                                   "--gtest_filter=FatalFailureTest.*:LoggingTest.*"});
  with("googletest-output-test_",
       {"--gtest_also_run_disabled_tests", "internal_skip_environment_and_ad_hoc_tests", "--gtest_filter=*DISABLED_*"});
  with("googletest-output-test_", {"internal_skip_environment_and_ad_hoc_tests"},
       {"GTEST_SHARD_INDEX=1", "GTEST_TOTAL_SHARDS=2"});
  with("googletest-setuptestsuite-test_", {"--gtest_repeat=3"});
  with("gtest-typed-test_test", {"--gtest_repeat=5"});
  with("gtest_premature_exit_test", {}, {"TEST_PREMATURE_EXIT_FILE=premature"});
  with("gtest_skip_test", {"--gtest_repeat=2"});
  with("gtest_testbridge_test_", {}, {"TESTBRIDGE_TEST_ONLY=*.TestThatSucceeds"});
  with("gtest_unittest", {"--gtest_shuffle", "--gtest_random_seed=1"});
  with("gtest_xml_output_unittest_", {"--shut_down_xml"});

  // Programs without GoogleTest's printer. Some have their own.
  const auto silent = [&](const char* name, std::vector<std::string> arguments = {}, int iterations = 1) {
    programs.push_back({name, std::move(arguments), {}, true, false, iterations});
  };
  silent("googletest-param-test-test", {"--gtest_brief=1"});
  silent("googletest-shuffle-test_");
  silent("googletest-shuffle-test_",
         {"--gtest_shuffle", "--gtest_random_seed=10", "--gtest_repeat=4", "--gtest_also_run_disabled_tests"}, 4);

  for (const char* name : {"gmock_stress_test", "gtest_stress_test"}) {
    programs.push_back({.name = name, .arguments = {}, .environment = {}, .threads = true});
  }
  return programs;
}

}  // namespace flaky
