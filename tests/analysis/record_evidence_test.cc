// SPDX-License-Identifier: MIT
#include "analysis/record_evidence.h"

#include <gmock/gmock.h>

#include "analysis/test_history.h"
#include "history/early_end.h"
#include "history/merge.h"
#include "tests/support/part_counts.h"
#include "tests/support/record_builder.h"

namespace flaky {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// What a part was for the judge, with names in place of numbers.
struct SeenPart {
  std::string part_id;
  std::string variant;
  bool has_roster = false;
  bool shuffled = false;
  bool interrupted = false;
  int64_t executed_tests = 0;
  std::vector<std::string> failed;  // one for each failed attempt
  std::vector<FailedAttempt> attempts;
  std::map<std::string, int64_t> executions;
};

class RecordEvidence : public testing::Test {
 protected:
  void Add(const RunRecord& record) { reader_.Add(record); }

  // Returns a record with one part that has this roster.
  static RunRecord With(const Counts& tests, const std::string& run = "r") {
    RunRecord record = BuildRecord(run).Project("demo").Part(run + "-p", 0).Build();
    GiveTests(record, tests);
    return record;
  }

  static Failure FailureOf(const RunRecord& record, const std::string& test, std::optional<int64_t> attempt = 0) {
    Failure failure;
    failure.part_id = record.parts[0].part_id;
    failure.program = "suite_test";
    failure.test_file = "a.cc";
    failure.test_name = test;
    failure.failure_kind = kAssertion;
    failure.attempt = attempt;
    return failure;
  }

  Judge judge_;
  std::vector<SeenPart> seen_;
  EvidenceReader reader_ = EvidenceReader(judge_, [this](const PartReading& part) {
    SeenPart& seen = seen_.emplace_back();
    seen.part_id = part.evidence.part_id;
    seen.variant = part.evidence.variant;
    seen.has_roster = part.evidence.roster != kNoIndex;
    seen.shuffled = part.evidence.shuffled;
    seen.interrupted = part.evidence.interrupted;
    seen.executed_tests = part.evidence.executed_tests;
    seen.attempts.assign(part.evidence.failures.begin(), part.evidence.failures.end());
    for (const FailedAttempt& attempt : seen.attempts) seen.failed.push_back(judge_.tests()[attempt.test].name);
    for (TestId test = 0; test < judge_.tests().size(); ++test) {
      if (const int64_t count = part.ExecutionsOf(test); count > 0) seen.executions[judge_.tests()[test].name] = count;
    }
  });
};

TEST_F(RecordEvidence, ExecutionsComeFromTheRoster) {
  RunRecord record = With({{"A.A", {3, 0}}, {"A.B", {3, 0}}, {"A.C", {1, 2}}, {"A.Skips", {0, 3}}});
  record.parts[0].variant = "asan";
  Add(record);
  ASSERT_THAT(seen_, SizeIs(1));
  EXPECT_EQ(seen_[0].variant, "asan");
  EXPECT_EQ(seen_[0].executions, (std::map<std::string, int64_t>{{"A.A", 3}, {"A.B", 3}, {"A.C", 1}}));
  EXPECT_EQ(reader_.counts().runs, 1);
  EXPECT_EQ(reader_.counts().without_roster, 0);
}

TEST_F(RecordEvidence, SeveralFailuresOfOneAttemptCountOnce) {
  RunRecord record = With({{"A.A", {2, 0}}, {"A.B", {1, 0}}});
  record.failures = {FailureOf(record, "A.A", 1), FailureOf(record, "A.A", 0), FailureOf(record, "A.A", 0),
                     FailureOf(record, "A.B")};
  Add(record);
  ASSERT_THAT(seen_, SizeIs(1));
  EXPECT_THAT(seen_[0].failed, ElementsAre("A.A", "A.A", "A.B"));
  EXPECT_EQ(reader_.FileOf(seen_[0].attempts[0].test), "a.cc");
}

TEST_F(RecordEvidence, SignalsSeedsAndPrecedingTests) {
  RunRecord record = With({{"A.A", {1, 0}}, {"A.B", {1, 0}}});
  record.failures = {FailureOf(record, "A.A"), FailureOf(record, "A.B")};
  record.failures[0].signal = "SIGSEGV";
  record.failures[0].preceding_test = "A.B";
  record.failures[0].shuffle_seed = 7;
  record.failures[1].signal = "SIGKILL";
  Add(record);
  ASSERT_THAT(seen_, SizeIs(1));
  EXPECT_TRUE(seen_[0].shuffled);
  ASSERT_THAT(seen_[0].attempts, SizeIs(2));
  EXPECT_TRUE(seen_[0].attempts[0].signal);
  EXPECT_FALSE(seen_[0].attempts[0].killed);
  EXPECT_EQ(judge_.tests()[seen_[0].attempts[0].preceding].name, "A.B");
  EXPECT_TRUE(seen_[0].attempts[1].killed);
  EXPECT_EQ(seen_[0].attempts[1].preceding, kNoIndex);
}

TEST_F(RecordEvidence, ArgumentsSayWhetherTestsWereShuffled) {
  for (const auto& [arguments, shuffled] :
       {std::pair("--gtest_shuffle", true), {"--gtest_shuffle=0", false}, {"", false}}) {
    RunRecord record = With({{"A.A", {1, 0}}}, arguments);
    record.run.test_args = arguments;
    Add(record);
    EXPECT_EQ(seen_.back().shuffled, shuffled) << arguments;
  }
}

TEST_F(RecordEvidence, FailuresBelongToTheirParts) {
  RunRecord record = BuildRecord("r").Part("b", 0, 1).Fail("Suite.Test").Part("a", 5, 1).Fail("Suite.Other").Build();
  Add(record);
  ASSERT_THAT(seen_, SizeIs(2));
  EXPECT_EQ(seen_[0].part_id, "b");
  EXPECT_THAT(seen_[0].failed, ElementsAre("Suite.Test"));
  EXPECT_THAT(seen_[1].failed, ElementsAre("Suite.Other"));
}

TEST_F(RecordEvidence, RunsOfOtherToolsHaveNoRoster) {
  Add(BuildRecord("r").Ended(At(5), 1).Fail("adds").Build());
  ASSERT_THAT(seen_, SizeIs(1));
  EXPECT_FALSE(seen_[0].has_roster);
  EXPECT_EQ(seen_[0].executed_tests, 2);
  EXPECT_THAT(seen_[0].failed, ElementsAre("adds"));
  EXPECT_EQ(judge_.tests()[seen_[0].attempts[0].test].file, "tests/suite_test.cc");
  EXPECT_EQ(reader_.counts().without_roster, 1);
}

TEST_F(RecordEvidence, WhatIsOutsideOfTestsIsCountedOnly) {
  RunRecord record = With({{"A.A", {1, 0}}});
  record.failures = {FailureOf(record, "ctest")};
  record.failures[0].test_file = "[ctest]";
  Part command;  // that ran the test program
  command.part_id = "command";
  command.account = record.parts[0].account;
  command.account.total_tests = command.account.passed_tests = 0;
  record.parts.push_back(command);
  SumParts(record);
  Add(record);
  ASSERT_THAT(seen_, SizeIs(1)) << "the part of the command has no test";
  EXPECT_THAT(seen_[0].failed, IsEmpty());
  EXPECT_EQ(reader_.counts().outside_tests, 1);
  EXPECT_EQ(reader_.counts().without_roster, 0);
}

TEST_F(RecordEvidence, RunsWithoutTestsAreCountedOnly) {
  RunRecord record = BuildRecord("r").Ended(At(5)).Build();
  record.run.account.total_tests = record.run.account.passed_tests = 0;
  Add(record);
  EXPECT_THAT(seen_, IsEmpty());
  EXPECT_EQ(reader_.counts().without_tests, 1);
}

TEST_F(RecordEvidence, AnEarlyEndIsAnInterruption) {
  RunRecord record = With({{"A.A", {1, 0}}});
  record.parts[0].ended_early = EarlyEndsText({{EarlyEnd::Cause::kInterrupted, "A.B", "a_test", "SIGINT"}});
  Add(record);
  EXPECT_TRUE(seen_[0].interrupted);
  EXPECT_EQ(reader_.counts().interrupted, 1);
}

TEST_F(RecordEvidence, ADamagedRosterSaysNothing) {
  RunRecord record = With({{"A.A", {1, 0}}});
  record.rosters = {std::make_shared<const Roster>(Roster{*record.parts[0].roster_id, "{broken"})};
  Add(record);
  ASSERT_THAT(seen_, SizeIs(1));
  EXPECT_FALSE(seen_[0].has_roster);
  EXPECT_EQ(seen_[0].executed_tests, 2);
}

TEST_F(RecordEvidence, EqualNamesInSeveralProgramsAreSeveralTests) {
  RunRecord record = With({});
  const PartTest once = {{1, 0}, std::nullopt};
  record.rosters = SetPartTests(record.parts[0], {{"a_test", {{"A.A", once}}}, {"b_test", {{"A.A", once}}}});
  record.failures = {FailureOf(record, "A.A")};
  record.failures[0].program = "b_test";
  Add(record);
  ASSERT_THAT(judge_.tests(), SizeIs(2));
  EXPECT_EQ(judge_.tests()[seen_[0].attempts[0].test].program, "b_test");
}

TEST_F(RecordEvidence, RanksAreOneExecution) {
  RunRecord record = With({{"A.A", {1, 0}}, {"A.B", {1, 0}}});
  record.parts[0].rank = 0;
  for (int64_t rank = 1; rank < 4; ++rank) {
    Part part = record.parts[0];
    part.part_id = "rank" + std::to_string(rank);
    part.rank = rank;
    record.parts.push_back(part);
    Failure failure = FailureOf(record, "A.A");
    failure.part_id = part.part_id;
    record.failures.push_back(failure);
  }
  Add(record);
  ASSERT_THAT(seen_, SizeIs(1));
  EXPECT_THAT(seen_[0].failed, ElementsAre("A.A")) << "it failed in three ranks, and once in the run";
}

TEST_F(RecordEvidence, CommitsEditsAndHostsAreEvidence) {
  RunRecord record = With({{"A.A", {1, 0}}});
  record.parts[0].host = "ci-7";
  record.parts[0].shuffle_seed = 3;
  Add(record);
  EXPECT_TRUE(seen_[0].shuffled);
}

TEST(TestHistoryTest, CollectsWhatIsShown) {
  Judge judge;
  TestHistory history;
  EvidenceReader reader(judge, [&](const PartReading& part) {
    for (TestId test = 0; test < judge.tests().size(); ++test) {
      if (judge.tests()[test].name == "Suite.Test") history.Add(part, test);
    }
  });
  for (const int day : {3, 1, 2}) {
    BuildRecord builder("r" + std::to_string(day));
    builder.Part("p" + std::to_string(day), day * 86'400, day == 2 ? 1 : 0);
    if (day == 2) builder.Fail("Suite.Test", "too slow", day * 86'400);
    RunRecord record = builder.Build();
    record.run.git_sha = "c" + std::to_string(day);
    record.run.branch = "main";
    if (day == 2) {
      record.failures[0].shuffle_seed = 77;
      record.failures[0].preceding_test = "Suite.Other";
    }
    reader.Add(record);
  }
  history.Sort();
  ASSERT_THAT(history.outcomes(), SizeIs(3));
  EXPECT_FALSE(history.outcomes()[0].failed);
  EXPECT_TRUE(history.outcomes()[1].failed);
  EXPECT_EQ(history.Text(history.outcomes()[1].commit), "c2");
  EXPECT_EQ(history.LastGoodCommit(At(2 * 86'400), "main", "c2"), "c1");
  EXPECT_EQ(history.LastGoodCommit(At(2 * 86'400), "main", "c1"), "") << "the bad commit is not good";
  EXPECT_EQ(history.LastGoodCommit(At(2 * 86'400), "other", "c2"), "");
  EXPECT_EQ(history.conditions().at({"branch", "main"}).executions, 3);
  EXPECT_EQ(history.conditions().at({"branch", "main"}).failed, 1);
  ASSERT_THAT(history.Messages(), SizeIs(1));
  EXPECT_EQ(history.Messages()[0].text, "too slow");
  EXPECT_EQ(history.Preceding()[0], std::pair(std::string("Suite.Other"), int64_t{1}));
  EXPECT_EQ(history.shuffled()->seed, 77);
}

}  // namespace
}  // namespace flaky
