// SPDX-License-Identifier: MIT
#include "analysis/judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "tests/analysis/judged_history.h"

namespace flaky {
namespace {

using testing::AnyOf;
using testing::SizeIs;

constexpr int kTests = 300;
const std::string kTest = JudgedHistory::Name(7);

// Two runs of each of the main branch's code versions, four a day, in which a test fails with a rate.
JudgedHistory FlakyHistory(double rate, int codes, unsigned seed, double begins = 0, double ends = 1e9) {
  std::mt19937 random(seed);
  std::bernoulli_distribution fails(rate);
  JudgedHistory history(kTests);
  for (int code = 0; code < codes; ++code) {
    for (int again = 0; again < 2; ++again) {
      const double day = code * 0.25 + again * 0.05;
      PartWords part{.tree = "tree" + std::to_string(code), .day = day};
      if (day >= begins && day < ends && fails(random)) part.failed = {kTest};
      history.Add(part);
    }
  }
  return history;
}

TEST(JudgeTest, NothingIsJudgedOfNothing) {
  Judge judge;
  const Judgement judgement = judge.Decide({.at = Day(1), .default_branch = ""});
  EXPECT_TRUE(judgement.tests.empty());
  EXPECT_EQ(judgement.runs, 0);
}

TEST(JudgeTest, ARunWithoutTestsProvesNothing) {
  JudgedHistory history(0);
  history.Add({.tree = "a"});
  const Judgement judgement = history.Decide();
  EXPECT_TRUE(judgement.tests.empty());
  EXPECT_EQ(judgement.parts, 1);
}

TEST(JudgeTest, ATestThatFailsAtRandomIsFlakyAndItsRateIsInTheInterval) {
  const TestVerdict verdict = Of(FlakyHistory(0.1, 80, 1).Decide(), kTest);
  EXPECT_EQ(verdict.verdict, Verdict::kFlaky);
  EXPECT_GT(verdict.p_flaky, 0.99);
  ASSERT_TRUE(verdict.rate);
  EXPECT_LT(verdict.rate->low, 0.1);
  EXPECT_GT(verdict.rate->high, 0.1);
  EXPECT_EQ(verdict.executions, 160);
  EXPECT_GT(CountOf(verdict, ReasonCode::kSameCodeBoth), 3);
  EXPECT_GT(verdict.passes_missing_until_fixed, 10);
  EXPECT_EQ(verdict.cost, verdict.failures);
}

TEST(JudgeTest, ATestThatAlwaysFailsSinceACommitIsBrokenSinceThatCommit) {
  JudgedHistory history(kTests);
  for (int code = 0; code < 30; ++code) {
    PartWords part{.tree = "tree" + std::to_string(code), .day = code * 0.5, .commit = "commit" + std::to_string(code)};
    if (code >= 26) part.failed = {kTest};
    history.Add(part);
    part.variant = "asan";
    part.run = "asan" + std::to_string(code);
    history.Add(part);
  }
  const TestVerdict verdict = Of(history.Decide(), kTest);
  EXPECT_EQ(verdict.verdict, Verdict::kBroken);
  EXPECT_EQ(verdict.since_code, "tree26");
  EXPECT_EQ(verdict.since_commit, "commit26");
  EXPECT_GT(CountOf(verdict, ReasonCode::kAllFailOnCode), 0);
}

TEST(JudgeTest, ABrokenTestThatPassesAgainIsFixed) {
  JudgedHistory history(kTests);
  for (int code = 0; code < 40; ++code) {
    PartWords part{.tree = "tree" + std::to_string(code), .day = code * 0.5};
    if (code >= 26 && code < 30) part.failed = {kTest};
    history.Add(part);
    history.Add(part);
  }
  const TestVerdict verdict = Of(history.Decide(), kTest);
  EXPECT_EQ(verdict.verdict, Verdict::kFixed);
  EXPECT_EQ(CountOf(verdict, ReasonCode::kCommitMended), 4);
}

TEST(JudgeTest, OneFailureAfterThousandsOfPassesIsNoFlake) {
  JudgedHistory history(kTests);
  for (int code = 0; code < 3000; ++code) {
    PartWords part{.tree = "tree" + std::to_string(code / 2), .day = code * 0.01};
    if (code == 1500) part.failed = {kTest};
    history.Add(part);
  }
  const TestVerdict verdict = Of(history.Decide(), kTest);
  EXPECT_THAT(verdict.verdict, AnyOf(Verdict::kHealthy, Verdict::kSuspect));
  EXPECT_EQ(CountOf(verdict, ReasonCode::kFailedOnce), 3000);
}

TEST(JudgeTest, OneFailureOnCodeThatPassedInAShortHistoryIsSuspectAtLeast) {
  JudgedHistory history(kTests);
  for (int code = 0; code < 30; ++code) {
    PartWords part{.tree = "tree" + std::to_string(code / 3), .day = code * 0.1};
    if (code == 15) part.failed = {kTest};
    history.Add(part);
  }
  EXPECT_THAT(Of(history.Decide(), kTest).verdict, AnyOf(Verdict::kSuspect, Verdict::kFlaky, Verdict::kNewlyFlaky));
}

TEST(JudgeTest, AFlakyTestStaysFlakyUntilEnoughPassesThenItIsFixed) {
  // Flaky with 20 % for 20 days, then it passes. The verdict changes once and does not come back.
  bool fixed = false;
  int64_t missing = 0;
  for (const int codes : {80, 84, 88, 96, 112, 128}) {
    const TestVerdict verdict = Of(FlakyHistory(0.2, codes, 3, 0, 20).Decide(), kTest);
    if (codes == 80) {
      EXPECT_EQ(verdict.verdict, Verdict::kFlaky);
      missing = verdict.passes_missing_until_fixed;
      EXPECT_GT(missing, 0);
    }
    if (verdict.verdict == Verdict::kFlaky) {
      EXPECT_FALSE(fixed) << codes;
      EXPECT_GT(verdict.p_flaky, Model().flaky_until);
    } else {
      EXPECT_EQ(verdict.verdict, Verdict::kFixed) << codes;
      EXPECT_LE(verdict.p_flaky, Model().flaky_until);
      fixed = true;
    }
  }
  EXPECT_TRUE(fixed);
}

TEST(JudgeTest, ATestThatBeganToFailThisWeekIsNewlyFlaky) {
  const TestVerdict verdict = Of(FlakyHistory(0.3, 160, 5, 36).Decide(), kTest);
  EXPECT_EQ(verdict.verdict, Verdict::kNewlyFlaky);
  ASSERT_TRUE(verdict.since);
  EXPECT_GE(*verdict.since, Day(36));
  EXPECT_FALSE(verdict.since_code.empty());
}

TEST(JudgeTest, AnOutageMakesNoTestFlakyAndIsListed) {
  JudgedHistory history(kTests);
  for (int code = 0; code < 60; ++code) {
    PartWords part{.tree = "tree" + std::to_string(code / 2), .day = code * 0.2};
    if (code == 30) {
      part.run = "outage";
      for (int i = 0; i < kTests; i += 3) part.failed.push_back(JudgedHistory::Name(i));
    }
    history.Add(part);
  }
  Judge judge = history.MakeJudge();
  const Judgement judgement = judge.Decide({.at = Day(100), .default_branch = ""});
  for (const TestVerdict& verdict : judgement.tests) EXPECT_EQ(verdict.verdict, Verdict::kHealthy);
  ASSERT_THAT(judgement.infrastructure, SizeIs(1));
  EXPECT_EQ(judgement.infrastructure[0].run_id, "outage");
  EXPECT_EQ(judgement.infrastructure[0].failed_tests, kTests / 3);
  const auto faults = judge.Attribute(judgement.infrastructure[0].run);
  ASSERT_THAT(faults, SizeIs(kTests / 3));
  for (const Attribution& fault : faults) EXPECT_GT(fault.p_machine, 0.9);
}

TEST(JudgeTest, ACommitThatBreaksManyTestsIsToldFromAnOutageByItsSecondRun) {
  JudgedHistory history(kTests);
  for (int run = 0; run < 60; ++run) {
    PartWords part{.tree = "tree" + std::to_string(run / 2), .day = run * 0.2};
    if (run / 2 == 15) {
      for (int i = 0; i < 30; ++i) part.failed.push_back(JudgedHistory::Name(i));
    }
    history.Add(part);
  }
  Judge judge = history.MakeJudge();
  const Judgement judgement = judge.Decide({.at = Day(100), .default_branch = ""});
  EXPECT_TRUE(judgement.infrastructure.empty());
  const auto evidence = judge.Explain(Of(judgement, kTest).test);
  ASSERT_THAT(evidence, SizeIs(1));
  EXPECT_GT(evidence[0].p_code, 0.9);
  EXPECT_EQ(evidence[0].failures, 2);
  EXPECT_EQ(evidence[0].executions, 2);
}

TEST(JudgeTest, FailedAttemptsOfOnePartCountOnce) {
  JudgedHistory history(kTests);
  for (int run = 0; run < 40; ++run) {
    PartWords part{.tree = "tree" + std::to_string(run / 2), .day = run * 0.2};
    if (run == 20) {
      part.failed = {kTest, kTest, kTest};
      part.retried = {kTest};
    }
    history.Add(part);
  }
  const TestVerdict verdict = Of(history.Decide(), kTest);
  EXPECT_EQ(verdict.failures, 1);
  EXPECT_EQ(verdict.executions, 40);
  EXPECT_EQ(CountOf(verdict, ReasonCode::kRetryPassed), 1);
  EXPECT_LT(verdict.p_flaky, 0.97);  // three separate failures of forty leave no doubt
}

TEST(JudgeTest, FailuresOnEditedCodeMakeNoTestFlaky) {
  JudgedHistory history(kTests);
  for (int run = 0; run < 60; ++run) {
    PartWords part{.tree = "tree" + std::to_string(run / 2), .day = run * 0.2};
    part.dirty = run % 6 == 5;
    if (part.dirty) part.failed = {kTest};
    history.Add(part);
  }
  const TestVerdict verdict = Of(history.Decide(), kTest);
  EXPECT_EQ(verdict.verdict, Verdict::kHealthy);
  EXPECT_EQ(CountOf(verdict, ReasonCode::kEditedCode), 10);
}

TEST(JudgeTest, ABranchThatBeganOnBrokenCodeDoesNotMakeItsTestsFlaky) {
  JudgedHistory history(kTests);
  for (int code = 0; code < 60; ++code) {
    PartWords part{.tree = "m" + std::to_string(code), .day = code * 0.5, .commit = "c" + std::to_string(code)};
    if (code == 20 || code == 21) part.failed = {kTest};
    history.Add(part);
    part.run = "again" + std::to_string(code);
    history.Add(part);
  }
  // Branches that began at that code, and run later.
  for (int branch = 0; branch < 4; ++branch) {
    const std::string name = "feature/" + std::to_string(branch);
    history.Add({.tree = name, .branch = name, .failed = {kTest}, .day = 12.0 + branch, .merge_base = "c21"});
  }
  Judge judge = history.MakeJudge();
  const TestVerdict verdict = Of(judge.Decide({.at = Day(100), .default_branch = ""}), kTest);
  EXPECT_THAT(verdict.verdict, AnyOf(Verdict::kFixed, Verdict::kHealthy));
  for (const CodeEvidence& code : judge.Explain(verdict.test)) EXPECT_GT(code.p_code, 0.5) << code.code;
}

TEST(JudgeTest, RunsWithoutRostersAreJudgedAsFarAsPossibleAndSaySo) {
  JudgedHistory history(kTests);
  for (int run = 0; run < 60; ++run) {
    PartWords part{.tree = "", .day = run * 0.2, .has_roster = false, .commit = "c" + std::to_string(run / 2)};
    if (run % 10 == 3) part.failed = {kTest};
    history.Add(part);
  }
  const Judgement judgement = history.Decide();
  const TestVerdict verdict = Of(judgement, kTest);
  EXPECT_EQ(verdict.verdict, Verdict::kFlaky);
  EXPECT_EQ(CountOf(verdict, ReasonCode::kAssumedExecutions), 6);
  EXPECT_EQ(judgement.parts_without_roster, 60);
}

TEST(JudgeTest, PartsAfterTheTimeOfJudgementDoNotCount) {
  JudgedHistory history = FlakyHistory(0.3, 80, 9, 10);
  Judge judge = history.MakeJudge();
  EXPECT_TRUE(judge.Decide({.at = Day(9.9), .default_branch = ""}).tests.empty());
  EXPECT_EQ(Of(judge.Decide({.at = Day(100), .default_branch = ""}), kTest).verdict, Verdict::kFlaky);
  EXPECT_TRUE(judge.Decide({.at = Day(9.9), .default_branch = ""}).tests.empty());
}

TEST(JudgeTest, TheConditionOfAFlakyTestIsNamed) {
  std::mt19937 random(11);
  std::bernoulli_distribution fails(0.2);
  JudgedHistory history(kTests);
  for (int run = 0; run < 200; ++run) {
    for (const std::string variant : {"release", "asan", "tsan"}) {
      PartWords part{.run = "run" + std::to_string(run), .tree = "t" + std::to_string(run / 2), .day = run * 0.1};
      part.variant = variant;
      if (variant == "tsan" && fails(random)) part.failed = {kTest};
      history.Add(part);
    }
  }
  const TestVerdict verdict = Of(history.Decide(), kTest);
  ASSERT_THAT(verdict.hints, SizeIs(1));
  EXPECT_EQ(verdict.hints[0].kind, HintKind::kVariant);
  EXPECT_EQ(verdict.hints[0].value, "tsan");
  EXPECT_EQ(verdict.hints[0].executions, 200);
  EXPECT_EQ(verdict.hints[0].other_failures, 0);
}

TEST(JudgeTest, TestsThatFailTogetherAreOneCluster) {
  JudgedHistory history(kTests);
  const std::vector<std::string> group = {JudgedHistory::Name(3), JudgedHistory::Name(50), JudgedHistory::Name(99)};
  for (int run = 0; run < 120; ++run) {
    PartWords part{.tree = "t" + std::to_string(run / 2), .day = run * 0.2};
    if (run % 17 == 5) part.failed = group;
    if (run % 13 == 1) part.failed.push_back(kTest);
    history.Add(part);
  }
  const Judgement judgement = history.Decide();
  ASSERT_THAT(judgement.clusters, SizeIs(1));
  EXPECT_THAT(judgement.clusters[0], SizeIs(3));
  EXPECT_EQ(Of(judgement, group[0]).cluster, 0U);
  EXPECT_EQ(Of(judgement, kTest).cluster, kNoIndex);
}

auto Tied(const TestVerdict& v) {
  return std::tie(v.identity, v.verdict, v.p_flaky, v.p_broken, v.executions, v.failures, v.since, v.since_code,
                  v.last_failure, v.passes_missing_until_fixed, v.cost, v.cluster);
}

TEST(JudgeTest, TheOrderOfInputDoesNotMatter) {
  std::mt19937 random(17);
  const auto upto = [&](int most) { return std::uniform_int_distribution<int>(0, most)(random); };
  JudgedHistory history(kTests);
  for (int run = 0; run < 150; ++run) {
    const std::string branch = upto(2) == 0 ? "feature/" + std::to_string(run / 30) : "main";
    for (const std::string variant : {"release", "asan"}) {
      PartWords part{.run = "run" + std::to_string(run), .tree = branch + std::to_string(run / 3), .branch = branch};
      part.variant = variant;
      part.day = run * 0.1;
      part.dirty = run % 11 == 0;
      for (int i = 0; i < 40; ++i) {
        if (upto(30) == 0) part.failed.push_back(JudgedHistory::Name(i * 3));
      }
      if (run % 40 == 7) {
        for (int i = 100; i < 200; ++i) part.failed.push_back(JudgedHistory::Name(i));
      }
      std::sort(part.failed.begin(), part.failed.end());
      part.failed.erase(std::unique(part.failed.begin(), part.failed.end()), part.failed.end());
      history.Add(part);
    }
  }
  const Judgement first = history.Decide(1);
  for (const unsigned seed : {2U, 3U, 4U}) {
    const Judgement other = history.Decide(seed);
    ASSERT_EQ(first.tests.size(), other.tests.size());
    for (size_t i = 0; i < first.tests.size(); ++i) EXPECT_EQ(Tied(first.tests[i]), Tied(other.tests[i]));
    EXPECT_EQ(first.clusters.size(), other.clusters.size());
    EXPECT_EQ(first.infrastructure.size(), other.infrastructure.size());
  }
}

TEST(JudgeTest, ThreeHundredThousandTestsOfWhichFewFailAreJudged) {
  JudgedHistory history(300'000);
  for (int run = 0; run < 30; ++run) {
    PartWords part{.tree = "t" + std::to_string(run / 3), .day = run * 0.3};
    if (run % 5 == 2) part.failed = {JudgedHistory::Name(299'999)};
    history.Add(part);
  }
  const Judgement judgement = history.Decide();
  ASSERT_THAT(judgement.tests, SizeIs(1));
  EXPECT_EQ(judgement.tests[0].verdict, Verdict::kFlaky);
  EXPECT_EQ(judgement.tests[0].executions, 30);
}

TEST(JudgeTest, AMillionFailuresOfOnePartAreAnOutage) {
  Judge judge;
  std::vector<TestId> all;
  std::vector<FailedAttempt> failed;
  for (int i = 0; i < 1'000'000; ++i) {
    all.push_back(judge.AddTest({.program = "p", .file = "", .name = JudgedHistory::Name(i)}));
    failed.push_back({.test = all.back()});
  }
  const RosterIndex roster = judge.AddRoster(all);
  for (int run = 0; run < 3; ++run) {
    const std::string id = "run" + std::to_string(run);
    RunEvidence evidence{.run_id = id, .code = {}};
    evidence.code.tree = "same";
    evidence.code.branch = "main";
    PartEvidence part;
    part.run = judge.AddRun(evidence);
    part.part_id = id;
    part.started_at = Day(run);
    part.roster = roster;
    if (run == 1) part.failures = failed;
    judge.AddPart(part);
  }
  const Judgement judgement = judge.Decide({.at = Day(10), .default_branch = ""});
  EXPECT_THAT(judgement.infrastructure, SizeIs(1));
  int64_t flaky = 0;
  for (const TestVerdict& verdict : judgement.tests) flaky += verdict.verdict == Verdict::kFlaky ? 1 : 0;
  EXPECT_EQ(flaky, 0);
}

}  // namespace
}  // namespace flaky
