// SPDX-License-Identifier: MIT
#include "analysis/left_out.h"

#include <gtest/gtest.h>

#include "analysis/test_executions.h"
#include "tests/support/part_counts.h"
#include "tests/support/record_builder.h"

namespace flaky {
namespace {

TEST(LeftOutTest, EveryReasonIsCountedAndNamed) {
  RunTally tally;
  EXPECT_TRUE(tally.IsNothing()) << "no run at all";
  EXPECT_EQ(tally.Phrase(), "");
  Account account = BuildRecord("r").Ended(At(9)).Build().run.account;
  EXPECT_EQ(WhyLeftOut(account, false), std::nullopt);
  tally.Add(WhyLeftOut(account, false));
  EXPECT_EQ(tally.Phrase(), "");
  account.failed_tests = 9;
  EXPECT_EQ(WhyLeftOut(account, false), std::nullopt);
  account.failed_tests = 10;
  for (int i = 0; i < 2; ++i) tally.Add(WhyLeftOut(account, false));
  account.failed_tests = 0;
  account.status = std::nullopt;
  tally.Add(WhyLeftOut(account, true));
  tally.Add(WhyLeftOut(account, false));
  account.failed_tests = std::nullopt;
  tally.Add(WhyLeftOut(account, false));
  account.ended_at = std::nullopt;
  tally.Add(WhyLeftOut(account, false));
  EXPECT_EQ(tally.Phrase(),
            "6 of 7 runs left out: 2 with 10 or more failed tests, 1 interrupted, 1 ended early, 1 without an end, 1 "
            "without a count of failed tests");
  EXPECT_EQ(tally.LeftOut(), 6);
  EXPECT_FALSE(tally.IsNothing());
}

TEST(OutsideTestsTest, ProgramsCommandsAndSuites) {
  EXPECT_TRUE(IsOutsideTests("[ctest]", "ctest"));
  EXPECT_FALSE(IsOutsideTests("[a_test]", "Suite.Test")) << "a test whose file is not known";
  EXPECT_FALSE(IsOutsideTests("[]", "x"));
  EXPECT_FALSE(IsOutsideTests("ctest", "ctest"));
  Failure failure;
  failure.test_file = "a.ts";
  failure.test_name = "adds numbers";
  EXPECT_FALSE(IsOutsideTests(failure)) << "of another tool";
  failure.part_id = "p";
  EXPECT_TRUE(IsOutsideTests(failure)) << "a suite";
  failure.test_name = "Suite.Test";
  EXPECT_FALSE(IsOutsideTests(failure));
}

TEST(TestExecutionsTest, CountsByRosters) {
  RunRecord record = BuildRecord("r").Part("one", 0, 1).Fail("Suite.Test").Fail("Suite.Test").Part("two", 5).Build();
  ExecutionCounter counter("Suite.Test");
  TestExecutions counted = counter.Count(record);
  EXPECT_EQ(counted.executed, 2);
  EXPECT_EQ(counted.failed, 1) << "one execution with two failures";
  EXPECT_TRUE(counted.is_known);
  EXPECT_EQ(counter.matched(), std::set<std::string>{"Suite.Test"});
  EXPECT_EQ(counter.names(), (std::set<std::string>{"Suite.Other", "Suite.Test"}));

  record.failures[1].attempt = 1;
  counted = counter.Count(record);
  EXPECT_EQ(counted.failed, 2);

  record.parts[1].roster_id = std::nullopt;
  counted = counter.Count(record);
  EXPECT_FALSE(counted.is_known);
  EXPECT_EQ(counted.executed, 2) << "a failure is an execution, too";
}

TEST(TestExecutionsTest, AddsUpProgramsAndRepeats) {
  RunRecord record = BuildRecord("r").Part("p", 0).Build();
  record.rosters = SetPartTests(
      record.parts[0], {{"a", {{"A.A", {{1, 0}, {}}}}}, {"b", {{"A.A", {{2, 0}, {}}}, {"A.A/1", {{4, 0}, {}}}}}});
  EXPECT_EQ(ExecutionCounter("A.A").Count(record).executed, 3);
  EXPECT_EQ(ExecutionCounter("A.A*").Count(record).executed, 7);
  EXPECT_EQ(ExecutionCounter("A").Count(record).executed, 0);
  ExecutionCounter counter("A*");
  counter.Count(record);
  EXPECT_EQ(counter.matched(), (std::set<std::string>{"A.A", "A.A/1"}));
  EXPECT_TRUE(counter.Matches("Another.Test"));
  EXPECT_FALSE(counter.Matches("Other.Test"));
}

}  // namespace
}  // namespace flaky
