// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include "history/early_end.h"
#include "tests/cli/judged_fixture.h"

namespace flaky {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ContainsRegex;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class GatesTest : public JudgedProgramTest {
 protected:
  // Adds a run of the last commit of OneFlakyOneBroken to a history, and returns its id.
  std::string AddRun(std::vector<RunRecord>& records, const std::vector<std::string>& failed,
                     const std::string& commit = "39") {
    records.push_back(Ran({.day = 29.5, .commit = commit, .failed = failed}));
    return records.back().run.run_id;
  }
};

TEST_F(GatesTest, TheHistoryFailsForNewlyFlakyAndBrokenTests) {
  Keep(OneFlakyOneBroken());
  const Outcome outcome = Judge({"check"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.err, "");
  EXPECT_THAT(outcome.out, HasSubstr("\n1 test is newly flaky or broken on branch main\n"));
  EXPECT_THAT(outcome.out, AllOf(HasSubstr(kBroken), Not(HasSubstr(kFlaky))));
  const json output = JsonOf({"check"});
  EXPECT_THAT(output["fail_on"], ElementsAre("newly_flaky", "broken"));
  ASSERT_THAT(output["findings"], SizeIs(1));
  EXPECT_EQ(output["findings"][0]["test_name"], kBroken);
  EXPECT_EQ(output["latest_ended_early"], json());
}

TEST_F(GatesTest, FailOnNamesTheVerdicts) {
  Keep(OneFlakyOneBroken());
  EXPECT_EQ(Judge({"check", "--fail-on", "newly_flaky"}).code, 0);
  EXPECT_THAT(Judge({"check", "--fail-on", "newly_flaky"}).out, HasSubstr("\nno test is newly flaky on branch main\n"));
  const Outcome flaky = Judge({"check", "--fail-on", "flaky"});
  EXPECT_EQ(flaky.code, 1);
  EXPECT_THAT(flaky.out, HasSubstr(kFlaky));
  const Outcome none = Judge({"check", "--fail-on", "none"});
  EXPECT_EQ(none.code, 0);
  EXPECT_THAT(none.out, HasSubstr("\nnothing fails this check (--fail-on none)\n"));
  for (const char* invalid : {"flakey", "", "none,broken", "fixed"}) {
    const Outcome outcome = Judge({"check", "--fail-on", invalid});
    EXPECT_EQ(outcome.code, 2) << invalid;
    EXPECT_THAT(outcome.err, HasSubstr("expected none, or a list of broken, flaky, newly_flaky or suspect")) << invalid;
  }
}

TEST_F(GatesTest, WhatIsFlakyOnAnotherBranchOnlyIsNotReported) {
  std::vector<RunRecord> records;
  for (int day = 0; day < 30; ++day) {
    const std::string commit = std::to_string(10 + day);
    records.push_back(Ran({.day = day + 0.0, .commit = commit}));
    records.push_back(Ran({.day = day + 0.1, .commit = commit}));
    if (day < 26) continue;
    JudgedRunWords words{.day = day + 0.3, .commit = std::to_string(50 + day), .failed = {kFlaky}, .branch = "feature"};
    records.push_back(Ran(words));
    words.day += 0.1;
    words.failed.clear();
    records.push_back(Ran(words));
  }
  Keep(records);
  EXPECT_THAT(Judge({"tests"}).out, ContainsRegex("newly flaky  Suite0.T3 "));
  EXPECT_EQ(Judge({"check"}).code, 0);
  EXPECT_EQ(Judge({"check", "--branch", "feature", "--fail-on", "flaky"}).code, 1);
}

TEST_F(GatesTest, WithoutARunThereIsNothingToCheck) {
  Keep({BuildRecord("r").Project("other").Ended(At(5)).Build()});
  EXPECT_EQ(Judge({"check"}).code, 6);
  EXPECT_EQ(Judge({"check", "latest"}).code, 6);
  EXPECT_EQ(JsonOf({"check"})["findings"], json::array());
}

TEST_F(GatesTest, TheLatestRunThatEndedEarlyIsSaid) {
  std::vector<RunRecord> records;
  for (int day = 0; day < 20; ++day) records.push_back(Ran({.day = day + 0.0, .commit = std::to_string(10 + day)}));
  RunRecord early = Ran({.day = 29, .commit = "60"});
  early.parts[0].account.status = std::nullopt;
  early.parts[0].ended_early = EarlyEndsText({{EarlyEnd::Cause::kNotKnown, "Suite0.T4", "a_test", {}}});
  SumParts(early);
  records.push_back(early);
  Keep(records);
  const Outcome outcome = Judge({"check"});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("\nnot judged: the latest run "), HasSubstr("Suite0.T4: ended without an")));
  EXPECT_THAT(outcome.out, HasSubstr("\n1 run is not complete and counts only for what it shows\n"));
}

TEST_F(GatesTest, ARunIsExcusedIfOnlyFlakyTestsFailed) {
  std::vector<RunRecord> records = OneFlakyOneBroken();
  std::erase_if(records, [](const RunRecord& record) { return record.run.account.started_at >= At(27 * 86'400); });
  const std::string run = AddRun(records, {kFlaky}, "36");
  Keep(records);
  const Outcome outcome = Judge({"check", "latest"});
  EXPECT_EQ(outcome.code, 0) << outcome.out;
  EXPECT_THAT(outcome.out, HasSubstr("branch main, commit c0360000: 1 failure of tests, 0 not excused\n"));
  EXPECT_THAT(outcome.out, ContainsRegex("\nexcused  Suite0.T3  release\n    fault of the test \\(> 99 %\\)\n"
                                         "    flaky, failed 6 of "));
  EXPECT_THAT(outcome.out, HasSubstr("    failed and passed on the same code: "));
  EXPECT_THAT(outcome.out, HasSubstr("\n    Expected: true\n"));
  const json output = JsonOf({"check", run});
  EXPECT_EQ(output["not_excused"], 0);
  EXPECT_EQ(output["failures"][0]["excused"], true);
  EXPECT_GT(output["failures"][0]["fault"]["p_test"], 0.95);
}

TEST_F(GatesTest, ARunIsNotExcusedIfTheCodeIsAtFault) {
  std::vector<RunRecord> records = OneFlakyOneBroken();
  const std::string run = AddRun(records, {kFlaky, kBroken});
  Keep(records);
  const Outcome outcome = Judge({"check", run});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.out, HasSubstr(": 2 failures of tests, 1 not excused\n"));
  EXPECT_THAT(outcome.out, ContainsRegex("\nnot excused  Suite1.T7  release\n    fault of the code .*\n    broken, "));
  EXPECT_THAT(outcome.out, HasSubstr("\nexcused  Suite0.T3  release\n"));
}

TEST_F(GatesTest, ARunWithoutAFailurePasses) {
  std::vector<RunRecord> records = OneFlakyOneBroken();
  const std::string run = AddRun(records, {});
  Keep(records);
  const Outcome outcome = Judge({"check", run});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, HasSubstr(": no test failed\n"));
}

TEST_F(GatesTest, FailuresOutsideOfTestsAreNeverExcused) {
  std::vector<RunRecord> records = OneFlakyOneBroken();
  const std::string run = AddRun(records, {});
  Failure failure;
  failure.part_id = records.back().parts[0].part_id;
  failure.test_file = "[ctest]";
  failure.test_name = "ctest";
  failure.failure_kind = kUnknown;
  failure.error_message = "the command ended with exit code 8";
  failure.failed_at = At(29 * 86'400);
  records.back().failures.push_back(failure);
  Keep(records);
  const Outcome outcome = Judge({"check", run});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.out, HasSubstr("\nnot excused  ctest\n    a failure outside of tests is never excused\n    the "
                                     "command ended with exit code 8\n"));
}

TEST_F(GatesTest, ARunThatFailedWithoutARecordedFailureIsNotExcused) {
  std::vector<RunRecord> records = OneFlakyOneBroken();
  const std::string run = AddRun(records, {});
  records.back().parts[0].account.status = kFail;
  SumParts(records.back());
  Keep(records);
  const Outcome outcome = Judge({"check", run});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.out, HasSubstr("\nnot excused  the run failed, but no failure of it is recorded\n"));
}

TEST_F(GatesTest, AnInterruptedRunIsNotKnown) {
  std::vector<RunRecord> records = OneFlakyOneBroken();
  const std::string run = AddRun(records, {});
  records.back().parts[0].account.status = std::nullopt;
  records.back().parts[0].ended_early =
      EarlyEndsText({{EarlyEnd::Cause::kInterrupted, "Suite0.T4", "a_test", "SIGINT"}});
  SumParts(records.back());
  Keep(records);
  const Outcome outcome = Judge({"check", run});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr(": no test is known to have failed\n"),
                                 HasSubstr("\nnot known\n    Suite0.T4: interrupted by SIGINT\n")));
}

TEST_F(GatesTest, ARunAfterTheTimeOfJudgementIsRefused) {
  std::vector<RunRecord> records = OneFlakyOneBroken();
  const std::string run = AddRun(records, {kFlaky});
  Keep(records);
  EXPECT_EQ(Run({"check", run, "--at", "2026-01-20"}).code, 2);
  const json latest = json::parse(Run({"check", "latest", "--at", "2026-01-20", "--json"}).out);
  EXPECT_LE(latest["run"]["started_at"], "2026-01-20T00:00:00.000Z");
}

TEST_F(GatesTest, OptionsOfTheOtherRuleAreRefused) {
  Keep(OneFlakyOneBroken());
  const std::vector<std::vector<std::string>> commands = {{"check", "--window", "7"},
                                                          {"check", "--threshold", "2"},
                                                          {"check", "--rule", "npm", "--fail-on", "none"},
                                                          {"check", "--rule", "npm", "--since", "7d"},
                                                          {"check", "latest", "--rule", "npm"},
                                                          {"check", "latest", "--fail-on", "broken"}};
  for (const auto& command : commands) {
    const Outcome outcome = Run(command);
    EXPECT_EQ(outcome.code, 2) << outcome.out;
    EXPECT_THAT(outcome.err, HasSubstr("belong")) << command[1];
  }
}

}  // namespace
}  // namespace flaky
