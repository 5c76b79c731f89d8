// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include "tests/cli/judged_fixture.h"

namespace flaky {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

class ShowJudgedTest : public JudgedProgramTest {};

TEST_F(ShowJudgedTest, ShowsWhatIsKnownOfAFlakyTest) {
  Keep(OneFlakyOneBroken());
  const Outcome outcome = Judge({"show", kFlaky});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "");
  EXPECT_THAT(outcome.out,
              StartsWith("test          Suite0.T3\nfile          tests/suite_test.cc\nverdict       flaky\n"
                         "probability   flaky now 96 %, broken now < 1 %\n"));
  EXPECT_THAT(outcome.out, ContainsRegex("\nrate          [0-9.]+ %, with 95 % from [0-9.]+ to [0-9.]+ %\n"));
  EXPECT_THAT(outcome.out, HasSubstr("\nfailed        in 6 parts, 66 executions\n"));
  EXPECT_THAT(outcome.out, HasSubstr("\ncost          5 runs failed because of this test alone\n"));
  EXPECT_THAT(outcome.out, HasSubstr("\n  failed and passed on the same code: 6 code versions\n"));
  EXPECT_THAT(outcome.out, HasSubstr("\nlast 60 parts, the newest on the right\n"
                                     "  ..........x..........x..........x..........x..........x.....\n"));
  EXPECT_THAT(outcome.out, ContainsRegex("\nvariant  release +6 of 36 +17 %\nvariant  asan +0 of 30 +0 %\n"
                                         "branch   main +6 of 66 +9.1 %\n"));
  EXPECT_THAT(outcome.out, HasSubstr("\nmessages (1)\n  6 times, last 2026-01-28 04:48:01 UTC\n    Expected: true\n"));
  EXPECT_THAT(outcome.out, HasSubstr("\nran before it when it failed\n  6 times  Suite0.T0\n"));
  EXPECT_THAT(outcome.out,
              ContainsRegex("\nrepeat it\n  TEST_PROGRAM --gtest_filter=Suite0.T3 --gtest_repeat=[0-9]+\n"));
  EXPECT_THAT(outcome.out, Not(HasSubstr("code versions on which it failed")));
}

TEST_F(ShowJudgedTest, NamesTheFirstBadAndTheLastGoodCommit) {
  Keep(OneFlakyOneBroken());
  const std::string zeros(36, '0');
  EXPECT_THAT(Judge({"show", kBroken}).out,
              HasSubstr("\nfirst bad     c037" + zeros + "\nlast good     c036" + zeros + "\n"));
  const json test = JsonOf({"show", kBroken})["tests"][0];
  EXPECT_EQ(test["since_commit"], "c037" + zeros);
  EXPECT_EQ(test["last_good_commit"], "c036" + zeros);
}

TEST_F(ShowJudgedTest, ExplainListsTheCodeVersions) {
  Keep(OneFlakyOneBroken());
  EXPECT_THAT(Judge({"show", kBroken, "--explain"}).out,
              ContainsRegex("\ncode versions on which it failed\nFIRST FAILURE +CODE +COMMIT .*\n"
                            "2026-01-28 00:00:00  7e370000  c0370000  main +3 of 3  > 99 %"));
  const json test = JsonOf({"show", kBroken, "--explain"})["tests"][0];
  EXPECT_THAT(test["code_versions"], SizeIs(3));
  EXPECT_FALSE(JsonOf({"show", kBroken})["tests"][0].contains("code_versions"));
}

TEST_F(ShowJudgedTest, JsonHasTheSameFacts) {
  Keep(OneFlakyOneBroken());
  const json output = JsonOf({"show", kFlaky});
  EXPECT_EQ(output["format"], 1);
  EXPECT_EQ(output["runs"], 66);
  ASSERT_THAT(output["tests"], SizeIs(1));
  const json test = output["tests"][0];
  EXPECT_EQ(test["test_name"], kFlaky);
  EXPECT_EQ(test["verdict"], "flaky");
  EXPECT_THAT(test["last_outcomes"], SizeIs(60));
  EXPECT_EQ(test["last_outcomes"][10]["failed"], true);
  EXPECT_EQ(test["messages"][0],
            json({{"text", "Expected: true"}, {"failures", 6}, {"last", "2026-01-28T04:48:01.000Z"}}));
  EXPECT_EQ(test["preceding_tests"][0], json({{"test_name", "Suite0.T0"}, {"failures", 6}}));
  EXPECT_THAT(test["by"], SizeIs(3));
}

TEST_F(ShowJudgedTest, AHealthyTestIsShown) {
  Keep(OneFlakyOneBroken());
  const Outcome outcome = Judge({"show", Name(1)});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out,
              StartsWith("test          Suite0.T1\nverdict       healthy\nfailed        0 of 66 executions\n"));
  EXPECT_THAT(outcome.out, Not(HasSubstr("repeat it")));
  EXPECT_THAT(JsonOf({"show", Name(1)})["tests"][0]["repeat"], IsEmpty());
}

TEST_F(ShowJudgedTest, APatternMustMatchOneTest) {
  Keep(OneFlakyOneBroken());
  EXPECT_THAT(Judge({"show", "*.T3"}).out, StartsWith("test          Suite0.T3\n"));
  const Outcome several = Judge({"show", "Suite3.*"});
  EXPECT_EQ(several.code, 2);
  EXPECT_THAT(several.err, HasSubstr("`Suite3.*` matches several tests: Suite3.T15, Suite3.T16, Suite3.T17"));
  const Outcome none = Judge({"show", "Suite0.T33"});
  EXPECT_EQ(none.code, 2);
  EXPECT_THAT(none.err, AllOf(HasSubstr("`Suite0.T33` is neither a run, nor a commit, nor a test that was executed in"),
                              HasSubstr("; did you mean `Suite0.T3`? (")));
}

TEST_F(ShowJudgedTest, OneSourceInTwoProgramsIsShownTwice) {
  std::vector<RunRecord> records = OneFlakyOneBroken();
  records.push_back(Ran({.day = 20, .commit = "30", .failed = {kFlaky}}));
  const PartTest once = {{1, 0}, std::nullopt};
  records.back().rosters =
      SetPartTests(records.back().parts[0], {{"a_test", {{kFlaky, once}}}, {"b_test", {{kFlaky, once}}}});
  records.back().failures[0].program = "b_test";
  Keep(records);
  const json tests = JsonOf({"show", kFlaky})["tests"];
  ASSERT_THAT(tests, SizeIs(3)) << "without a program, as in most of these runs, and one for each program";
  EXPECT_EQ(tests[2]["failures"], 1);
}

TEST_F(ShowJudgedTest, ARunHasAFaultForEachFailure) {
  Keep(OneFlakyOneBroken());
  const std::string run = JsonOf({"show", "latest"})["run"]["run_id"];
  const Outcome outcome = Judge({"show", run});
  EXPECT_THAT(outcome.out, ContainsRegex("\nSuite1.T7  tests/suite_test.cc\n  assertion, [^\n]*\n  fault of the code "
                                         "\\([^\n]*; broken, failed 7 of 66, since 2026-01-28 c0370000\n"));
  const json fault = JsonOf({"show", run})["failures"][0]["fault"];
  EXPECT_GT(fault["p_code"], 0.9);
  EXPECT_EQ(fault["verdict"], "broken");
  EXPECT_EQ(fault["test_executions"], 66);
}

TEST_F(ShowJudgedTest, ACommitIsShownWithItsRunsAndFailures) {
  Keep(OneFlakyOneBroken());
  const Outcome outcome = Judge({"show", "c037"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, StartsWith("commit      c037" + std::string(36, '0') + "\nbranches    main\n\nRUN "));
  EXPECT_THAT(outcome.out, ContainsRegex("\nSuite0.T3  1 part: release  +the test \\([^\n]*  flaky, failed 6 of 66"));
  EXPECT_THAT(outcome.out,
              ContainsRegex("\nSuite1.T7  3 parts: asan, rele…  the code \\([^\n]*  broken, failed 7 of 66"));
  const json output = JsonOf({"show", "c037"});
  EXPECT_THAT(output["runs_of_commit"], SizeIs(3));
  ASSERT_THAT(output["failures"], SizeIs(2));
  EXPECT_EQ(Judge({"show", "c03"}).code, 2) << "too short for a commit";
}

TEST_F(ShowJudgedTest, SeveralCommitsAreNamed) {
  Keep({Ran({.day = 1, .commit = "11aa"}), Ran({.day = 2, .commit = "11ab"})});
  const Outcome outcome = Judge({"show", "c011a"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("`c011a` matches several commits: c011aa"));
}

TEST_F(ShowJudgedTest, MessagesCannotTouchTheTerminal) {
  std::vector<RunRecord> records = OneFlakyOneBroken();
  for (RunRecord& record : records) {
    record.run.branch = "main\x1b[31m";
    for (Failure& failure : record.failures) failure.error_message = "one\x1b]52;c;Zm9v\x07\n::error::two";
  }
  Keep(records);
  for (const std::vector<std::string>& command : {std::vector<std::string>{"show", kFlaky, "--explain"},
                                                  {"show", "c037"},
                                                  {"show", "latest"},
                                                  {"tests"},
                                                  {"check"},
                                                  {"check", "latest"}}) {
    const std::string out = Judge(command).out;
    EXPECT_EQ(out.find_first_of("\x1b\x07"), std::string::npos) << command[0];
    EXPECT_THAT(out, Not(HasSubstr("::error"))) << command[0];
  }
}

}  // namespace
}  // namespace flaky
