// SPDX-License-Identifier: MIT
#include "history/merge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "history/digest.h"
#include "tests/support/part_counts.h"

namespace flaky {
namespace {

Failure MakeFailure(const std::string& name, std::optional<std::string> part_id = {}) {
  Failure failure;
  failure.part_id = std::move(part_id);
  failure.test_file = "a.cc";
  failure.test_name = name;
  failure.failure_kind = kAssertion;
  return failure;
}

// A run of one ended part, as a delivery sends it.
RunRecord OfPart(const std::string& part_id, int64_t started, int64_t tests, int64_t failed) {
  Part part;
  part.part_id = part_id;
  part.account = {{started}, Timestamp{started + 5'000'000},
                  5'000,     std::string(failed > 0 ? kFail : kPass),
                  tests,     tests - failed,
                  failed,    0};
  RunRecord record;
  record.rosters = GiveTests(part, {{"S." + part_id, {1, 0}}});
  record.run.run_id = "r";
  record.run.project = "p";
  record.parts = {part};
  for (int64_t i = 0; i < failed; ++i) record.failures.push_back(MakeFailure("S.T" + std::to_string(i), part_id));
  SumParts(record);
  return record;
}

// A run as another tool writes it.
RunRecord Partless(bool ended, const std::vector<std::string>& failing) {
  RunRecord record;
  record.run.run_id = "r";
  record.run.account.started_at = {1'000'000};
  if (ended) {
    record.run.account.ended_at = Timestamp{2'000'000};
    record.run.account.status = kFail;
    record.run.account.total_tests = 7;
  }
  for (const std::string& name : failing) record.failures.push_back(MakeFailure(name));
  return record;
}

RunRecord MustComplete(const RunRecord& known, const RunRecord& incoming) {
  Merge merge = MergeRecords(known, incoming);
  EXPECT_EQ(merge.outcome, MergeOutcome::kCompleted) << merge.conflict;
  return merge.merged;
}

TEST(MergeRecords, ARecordEqualsItself) {
  const RunRecord record = OfPart("a", 0, 3, 1);
  EXPECT_EQ(MergeRecords(record, record).outcome, MergeOutcome::kEqual);
}

TEST(MergeRecords, AnotherPartCompletesTheRun) {
  const RunRecord both = MustComplete(OfPart("a", 0, 3, 0), OfPart("b", 60'000'000, 4, 2));
  EXPECT_EQ(both.parts.size(), 2u);
  EXPECT_EQ(both.failures.size(), 2u);
  EXPECT_EQ(both.rosters.size(), 4u) << "each with its list";
  const Account& account = both.run.account;
  EXPECT_EQ(account.started_at.micros, 0);
  EXPECT_EQ(account.ended_at->micros, 65'000'000);
  EXPECT_EQ(account.duration_ms, 65'000);
  EXPECT_EQ(account.status, kFail);
  EXPECT_EQ(account.total_tests, 7);
  EXPECT_EQ(account.passed_tests, 5);
  EXPECT_EQ(account.failed_tests, 2);
  EXPECT_EQ(account.errors_between_tests, 0);

  EXPECT_EQ(MergeRecords(both, OfPart("a", 0, 3, 0)).outcome, MergeOutcome::kContained);
  EXPECT_EQ(MergeRecords(OfPart("a", 0, 3, 0), both).outcome, MergeOutcome::kCompleted);
}

TEST(MergeRecords, TheOrderOfArrivalDoesNotMatter) {
  std::vector<RunRecord> parts = {OfPart("a", 9, 3, 0), OfPart("b", 5, 4, 2), OfPart("c", 7, 1, 1),
                                  OfPart("d", 1, 9, 0)};
  parts[0].run.project = "zebra";
  parts[1].run.project.reset();
  parts[1].run.git_dirty = false;
  parts[2].run.git_dirty = true;
  parts[3].run.branch = "main";
  std::mt19937 random(3);
  std::optional<Digest> first;
  for (int round = 0; round < 50; ++round) {
    std::shuffle(parts.begin(), parts.end(), random);
    RunRecord run = parts[0];
    for (size_t i = 1; i < parts.size(); ++i) run = MustComplete(run, parts[i]);
    if (!first) first = DigestOf(run);
    ASSERT_EQ(DigestOf(run), *first);
    ASSERT_EQ(run.run.project, "p");
    ASSERT_EQ(run.run.git_dirty, true);
    ASSERT_EQ(run.run.account.total_tests, 17);
    // Merging pairs of pairs has the same result as merging one after the other.
    const RunRecord left = MustComplete(parts[0], parts[1]), right = MustComplete(parts[2], parts[3]);
    ASSERT_EQ(DigestOf(MustComplete(left, right)), *first);
    // Overlapping records add nothing.
    ASSERT_EQ(MergeRecords(run, left).outcome, MergeOutcome::kContained);
    ASSERT_EQ(DigestOf(MustComplete(MustComplete(left, parts[2]), right)), *first);
  }
}

TEST(MergeRecords, AnEndCompletesAPart) {
  const RunRecord ended = OfPart("a", 0, 3, 1);
  RunRecord running = ended;
  running.parts[0].account.ended_at.reset();
  running.parts[0].account.status.reset();
  running.failures.clear();
  SumParts(running);
  EXPECT_FALSE(running.run.account.ended_at);
  EXPECT_EQ(DigestOf(MustComplete(running, ended)), DigestOf(ended));
  EXPECT_EQ(MergeRecords(ended, running).outcome, MergeOutcome::kContained);
}

TEST(MergeRecords, AnyOtherDifferenceWithinAPartIsAConflict) {
  const RunRecord known = OfPart("a", 0, 3, 1);
  RunRecord other = known;
  other.parts[0].variant = "asan";
  EXPECT_EQ(MergeRecords(known, other).conflict, "part a differs");
  other = known;
  other.failures[0].error_message = "changed";
  EXPECT_EQ(MergeRecords(known, other).conflict, "part a differs");
  other.failures.clear();
  EXPECT_EQ(MergeRecords(known, other).outcome, MergeOutcome::kConflict);
  other = known;
  other.run.branch = "main";  // a fact that was not known
  EXPECT_EQ(MergeRecords(known, other).outcome, MergeOutcome::kCompleted);
  EXPECT_EQ(MergeRecords(other, known).outcome, MergeOutcome::kContained);
  RunRecord third = other;
  third.run.branch = "dev";
  EXPECT_EQ(MergeRecords(third, other).conflict, "branch differs");
  other = known;
  other.run.account.total_tests = 4;
  EXPECT_EQ(MergeRecords(known, other).conflict, "total_tests differs");
}

TEST(MergeRecords, ARunWithoutPartsIsCompletedByItsEndAndItsFailures) {
  const RunRecord begun = Partless(false, {});
  const RunRecord grown = Partless(false, {"A"});
  const RunRecord ended = Partless(true, {"A", "A", "B"});
  EXPECT_EQ(DigestOf(MustComplete(begun, grown)), DigestOf(grown));
  EXPECT_EQ(DigestOf(MustComplete(grown, ended)), DigestOf(ended));
  EXPECT_EQ(MergeRecords(ended, grown).outcome, MergeOutcome::kContained);
  EXPECT_EQ(MergeRecords(ended, begun).outcome, MergeOutcome::kContained);
  const RunRecord once = Partless(true, {"A", "B"});
  EXPECT_EQ(DigestOf(MustComplete(once, ended)), DigestOf(ended)) << "two equal failures count twice";
}

TEST(MergeRecords, RunsWithoutPartsThatContradictAreAConflict) {
  RunRecord a = Partless(true, {"A"}), b = Partless(true, {"A"});
  b.run.account.total_tests = 8;
  EXPECT_EQ(MergeRecords(a, b).conflict, "total_tests differs");
  EXPECT_EQ(MergeRecords(Partless(true, {"A"}), Partless(true, {"B"})).conflict, "the failures differ");
}

TEST(MergeRecords, ARunWithPartsContradictsOneWithoutUnlessThatIsUnfinished) {
  const RunRecord parts = OfPart("a", 0, 3, 1);
  EXPECT_EQ(MergeRecords(parts, Partless(true, {})).outcome, MergeOutcome::kConflict);
  EXPECT_EQ(MergeRecords(Partless(false, {"A"}), parts).outcome, MergeOutcome::kConflict);
  EXPECT_EQ(DigestOf(MustComplete(Partless(false, {}), parts)), DigestOf(parts));
  EXPECT_EQ(MergeRecords(parts, Partless(false, {})).outcome, MergeOutcome::kContained);
}

}  // namespace
}  // namespace flaky
