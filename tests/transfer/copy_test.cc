#include "transfer/copy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <set>

#include "history/roster.h"
#include "stores/fault_store.h"
#include "stores/memory/memory_store.h"
#include "tests/support/contents.h"
#include "tests/transfer/counting_progress.h"
#include "transfer/prefetch.h"

namespace flaky {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

RunRecord MakeRecord(int number, int failures = 1) {
  RunRecord record;
  record.run.run_id = "run-" + std::to_string(1000 + number);
  record.run.project = number % 3 == 0 ? std::optional<std::string>() : "p" + std::to_string(number % 3);
  Part part;
  part.part_id = "part-" + std::to_string(number);
  part.account.started_at = {number / 4 * kMicrosPerSecond};  // runs share a moment
  part.account.ended_at = part.account.started_at + 1'000'000;
  part.account.status = std::string(failures > 0 ? kFail : kPass);
  part.account.total_tests = 2;
  const RosterPtr roster = MakeRoster({{"S.A", {1, 0}}, {"S.B" + std::to_string(number % 5), {1, 0}}});
  part.roster_id = roster->roster_id;
  record.parts = {part};
  record.rosters = {roster};
  for (int i = 0; i < failures; ++i) {
    Failure failure;
    failure.part_id = part.part_id;
    failure.test_file = "a.cc";
    failure.test_name = "S.A";
    failure.failure_kind = kAssertion;
    failure.error_message = "message " + std::to_string(i);
    record.failures.push_back(failure);
  }
  SumParts(record);
  return record;
}

std::vector<RunRecord> MakeRecords(int count) {
  std::vector<RunRecord> records;
  for (int i = 0; i < count; ++i) records.push_back(MakeRecord(i, i % 4));
  return records;
}

class CopyTest : public testing::Test {
 protected:
  CopySummary Run(CopyOptions options = {}) {
    options.limits.records = 7;
    progress_ = {};
    StoreSource source(*from_);
    StoreSink sink(*to_);
    return Copy(source, sink, options, progress_);
  }

  std::unique_ptr<Store> from_ = OpenMemory(MakeMemoryHistory(), OpenMode::kWrite);
  std::unique_ptr<Store> to_ = OpenMemory(MakeMemoryHistory(), OpenMode::kWrite);
  CountingProgress progress_;
};

TEST_F(CopyTest, CopiesEverythingAndSaysSo) {
  const std::vector<RunRecord> records = MakeRecords(100);
  from_->Write(records);
  const CopySummary account = Run();
  EXPECT_EQ(account.runs, 100);
  EXPECT_EQ(account.copied, 100);
  EXPECT_EQ(account.parts, 100);
  EXPECT_EQ(account.failures, 150);
  EXPECT_TRUE(account.Verified());
  EXPECT_EQ(account.source_digest, account.target_digest);
  EXPECT_EQ(ContentsOf(*from_), ContentsOf(*to_));
  EXPECT_EQ(progress_.last.runs, 100);
  EXPECT_EQ(progress_.last.total_runs, 100);
  EXPECT_EQ(progress_.last.failures, 150);
  EXPECT_EQ(progress_.done, 1);
  EXPECT_EQ(progress_.updates, 15);
}

TEST_F(CopyTest, ASecondTimeNothingIsDoubledAndGrowthIsTakenAlong) {
  from_->Write(MakeRecords(20));
  Run();
  EXPECT_EQ(Run().unchanged, 20);

  RunRecord grown = MakeRecord(3);
  grown.parts[0].part_id = "late";
  for (Failure& failure : grown.failures) failure.part_id = "late";
  const RunRecord fresh = MakeRecord(50);
  from_->Write(std::vector{grown, fresh});
  const CopySummary account = Run();
  EXPECT_EQ(account.copied, 1);
  EXPECT_EQ(account.completed, 1);
  EXPECT_EQ(account.unchanged, 19);
  EXPECT_EQ(account.source_digest, account.target_digest);
  EXPECT_EQ(ContentsOf(*from_), ContentsOf(*to_));
}

TEST_F(CopyTest, ATargetThatIsAheadIsFine) {
  const RunRecord record = MakeRecord(1);
  from_->Write(std::vector{record});
  RunRecord more = record;
  more.parts[0].part_id = "other";
  for (Failure& failure : more.failures) failure.part_id = "other";
  to_->Write(std::vector{record});
  to_->Write(std::vector{more});
  const CopySummary account = Run();
  EXPECT_EQ(account.unchanged, 1);
  EXPECT_EQ(account.ahead, 1);
  EXPECT_TRUE(account.Verified());
  EXPECT_NE(account.source_digest, account.target_digest);
}

TEST_F(CopyTest, AConflictIsKeptReportedAndHarmsNoOther) {
  from_->Write(MakeRecords(10));
  RunRecord other = MakeRecord(4);
  other.parts[0].variant = "asan";
  to_->Write(std::vector{other});
  std::map<std::string, CopyOutcome> fates;
  CopyOptions options;
  options.on_settled = [&](const RunRecord& record, CopyOutcome fate, const std::string&) {
    fates[record.run.run_id] = fate;
  };
  const CopySummary account = Run(options);
  EXPECT_EQ(account.copied, 9);
  EXPECT_EQ(account.conflicts, 1);
  EXPECT_FALSE(account.Verified());
  ASSERT_EQ(account.findings.size(), 1u);
  EXPECT_EQ(account.findings[0].run_id, other.run.run_id);
  EXPECT_THAT(account.findings[0].why, HasSubstr("part part-4 differs"));
  EXPECT_EQ(fates.size(), 10u);
  EXPECT_EQ(fates[other.run.run_id], CopyOutcome::kConflict);
  EXPECT_EQ(ContentsOf(*to_)[other.run.run_id], DigestOf(other));
}

TEST_F(CopyTest, AConflictIsReplacedWhereThatIsAsked) {
  from_->Write(MakeRecords(10));
  RunRecord other = MakeRecord(4);
  other.parts[0].variant = "asan";
  to_->Write(std::vector{other});
  CopyOptions options;
  options.on_conflict = OnConflict::kReplace;
  options.dry_run = true;
  EXPECT_EQ(Run(options).replaced, 1);
  EXPECT_EQ(ContentsOf(*to_)[other.run.run_id], DigestOf(other));
  options.dry_run = false;
  const CopySummary account = Run(options);
  EXPECT_EQ(account.copied, 9);
  EXPECT_EQ(account.replaced, 1);
  EXPECT_EQ(account.conflicts, 0);
  EXPECT_TRUE(account.Verified());
  ASSERT_EQ(account.findings.size(), 1u) << "and listed";
  EXPECT_EQ(account.findings[0].fate, CopyOutcome::kReplaced);
  EXPECT_THAT(account.findings[0].why, HasSubstr("part part-4 differs"));
  EXPECT_EQ(ContentsOf(*to_), ContentsOf(*from_));
  EXPECT_EQ(Run(options).unchanged, 10);
}

TEST_F(CopyTest, AConflictEndsTheCopyWhereThatIsAsked) {
  from_->Write(MakeRecords(200));
  RunRecord other = MakeRecord(4);
  other.parts[0].variant = "asan";
  to_->Write(std::vector{other});
  CopyOptions options;
  options.on_conflict = OnConflict::kEnd;
  const CopySummary account = Run(options);
  EXPECT_TRUE(account.gave_up);
  EXPECT_FALSE(account.stopped);
  EXPECT_EQ(account.conflicts, 1);
  EXPECT_LE(account.runs, 5 * 7);
  EXPECT_EQ(static_cast<int64_t>(ContentsOf(*to_).size()), account.runs) << "all that was written is accounted for";
  EXPECT_EQ(ContentsOf(*to_)[other.run.run_id], DigestOf(other));
  options.dry_run = true;
  EXPECT_EQ(Run(options).runs, 200) << "a dry run lists them all";
}

// The calls that a copy makes of its target.
class CopyCallsTest : public CopyTest {
 protected:
  CopyCallsTest() {
    to_ = std::make_unique<FaultStore>(OpenMemory(history_, OpenMode::kWrite));
    from_->Write(MakeRecords(70));  // ten batches
  }
  int64_t Calls(StoreVerb verb) const { return static_cast<FaultStore&>(*to_).Calls(verb); }

  std::shared_ptr<MemoryHistory> history_ = MakeMemoryHistory();
};

TEST_F(CopyCallsTest, AFreshCopyLooksOnceAndSendsEachBatchOnce) {
  const CopySummary account = Run();
  EXPECT_EQ(account.sent, 70);
  EXPECT_EQ(Calls(StoreVerb::kWrite), 10);
  EXPECT_EQ(Calls(StoreVerb::kFetch), 1 + 10);
}

TEST_F(CopyCallsTest, WhatIsThereIsReadOnceAndNotSent) {
  Run();
  const CopySummary account = Run();
  EXPECT_EQ(account.unchanged, 70);
  EXPECT_EQ(account.sent, 0);
  EXPECT_EQ(account.source_digest, account.target_digest);
  EXPECT_EQ(Calls(StoreVerb::kWrite), 10) << "of the first time";
  EXPECT_EQ(Calls(StoreVerb::kFetch), 11 + 10);
}

TEST_F(CopyCallsTest, AContinuedCopySendsTheBatchInFlightAgainAtMost) {
  const auto before = OpenMemory(history_, OpenMode::kWrite);
  const std::vector<RunRecord> records = MakeRecords(70);
  before->Write(std::span(records).first(31));  // killed within the fifth batch
  const CopySummary account = Run();
  EXPECT_EQ(account.unchanged, 31);
  EXPECT_EQ(account.copied, 39);
  EXPECT_EQ(account.sent, 70 - 28);
  EXPECT_EQ(Calls(StoreVerb::kWrite), 6);
  EXPECT_EQ(ContentsOf(*to_), ContentsOf(*from_));
}

TEST_F(CopyCallsTest, WhatIsThereInTheMiddleIsFoundAfterOneBatch) {
  const auto before = OpenMemory(history_, OpenMode::kWrite);
  const std::vector<RunRecord> records = MakeRecords(70);
  before->Write(std::span(records).last(42));
  const CopySummary account = Run();
  EXPECT_EQ(account.copied, 28);
  EXPECT_EQ(account.sent, 28 + 7);
  EXPECT_EQ(ContentsOf(*to_), ContentsOf(*from_));
}

TEST_F(CopyCallsTest, ATargetThatIsAheadIsNotSentAnything) {
  Run();
  RunRecord more = MakeRecord(3);
  more.parts[0].part_id = "late";
  for (Failure& failure : more.failures) failure.part_id = "late";
  to_->Write({&more, 1});
  const CopySummary account = Run();
  EXPECT_EQ(account.sent, 0);
  EXPECT_EQ(account.ahead, 1);
  EXPECT_TRUE(account.Verified());
}

TEST_F(CopyTest, ADryRunForeseesTheAccountAndWritesNothing) {
  from_->Write(MakeRecords(12));
  RunRecord conflicting = MakeRecord(1);
  conflicting.parts[0].variant = "asan";
  RunRecord lacking = MakeRecord(2, 2);
  lacking.parts[0].account.ended_at.reset();
  SumParts(lacking);
  to_->Write(std::vector{MakeRecord(0, 0), conflicting, lacking});
  const auto before = ContentsOf(*to_);
  CopyOptions options;
  options.dry_run = true;
  const CopySummary foreseen = Run(options);
  EXPECT_EQ(ContentsOf(*to_), before);
  const CopySummary account = Run();
  for (const auto& count : {&CopySummary::runs, &CopySummary::copied, &CopySummary::completed, &CopySummary::unchanged,
                            &CopySummary::conflicts, &CopySummary::failures}) {
    EXPECT_EQ(foreseen.*count, account.*count);
  }
  EXPECT_EQ(account.copied, 9);
  EXPECT_EQ(account.completed, 1);
  EXPECT_EQ(account.unchanged, 1);
  EXPECT_EQ(account.conflicts, 1);
}

TEST_F(CopyTest, StopsAfterTheBatchesInFlightAndGoesOnNextTime) {
  from_->Write(MakeRecords(200));
  CopyOptions options;
  options.stop = [&] { return progress_.updates >= 2; };
  const CopySummary account = Run(options);
  EXPECT_TRUE(account.stopped);
  EXPECT_GE(account.copied, 14);
  EXPECT_LE(account.copied, 5 * 7);
  EXPECT_EQ(static_cast<int64_t>(ContentsOf(*to_).size()), account.copied) << "all that was written is accounted for";
  EXPECT_EQ(Run().copied, 200 - account.copied);
  EXPECT_EQ(ContentsOf(*from_), ContentsOf(*to_));
}

// Records how a copy reports its batches: how many runs each had, and that all of them were reported before.
struct BatchLog {
  explicit BatchLog(CopyOptions& options) {
    options.on_settled = [this](const RunRecord&, CopyOutcome, const std::string&) { ++unreported; };
    options.on_batch_settled = [this] { runs.push_back(std::exchange(unreported, 0)); };
  }
  int unreported = 0;
  std::vector<int> runs;
};

TEST_F(CopyTest, ReportsEachBatchOnceAfterItsRuns) {
  from_->Write(MakeRecords(30));
  CopyOptions options;
  BatchLog batches(options);
  Run(options);
  EXPECT_THAT(batches.runs, ElementsAre(7, 7, 7, 7, 2));
  EXPECT_EQ(batches.unreported, 0);
}

// The runs of a store, with a signal for the fourth request for a batch. The reading thread makes it once the writing
// thread has taken the third batch.
class SignallingSource : public StoreSource {
 public:
  using StoreSource::StoreSource;
  std::optional<Batch> Next(const BatchLimits& limits) override {
    if (++requests_ == 4) third_taken_.set_value();
    return StoreSource::Next(limits);
  }
  bool WaitUntilThirdIsInFlight() {
    return third_taken_.get_future().wait_for(std::chrono::minutes(1)) == std::future_status::ready;
  }

 private:
  int requests_ = 0;
  std::promise<void> third_taken_;
};

TEST_F(CopyTest, ReportsABatchThatWasInFlightWhenStoppedAndOnlyAsksStop) {
  from_->Write(MakeRecords(200));
  CopyOptions options;
  options.limits.records = 7;
  BatchLog batches(options);
  SignallingSource source(*from_);
  int asked = 0;
  options.stop = [&] {
    EXPECT_EQ(batches.unreported, 0) << "a batch is reported before stop is asked";
    if (++asked < 2) return false;
    EXPECT_TRUE(source.WaitUntilThirdIsInFlight());
    return true;
  };
  StoreSink sink(*to_);
  const CopySummary summary = Copy(source, sink, options, progress_);
  EXPECT_TRUE(summary.stopped);
  EXPECT_EQ(asked, 2) << "stop is not asked again, so the third batch cannot depend on it";
  EXPECT_THAT(batches.runs, ElementsAre(7, 7, 7));
  EXPECT_EQ(batches.unreported, 0);
  EXPECT_EQ(summary.runs, 21);
  EXPECT_EQ(ContentsOf(*to_).size(), 21u);
}

// A sink that stores something else than it is given.
class LossySink : public StoreSink {
 public:
  LossySink(Store& store, std::function<void(std::vector<RunRecord>&)> lose)
      : StoreSink(store), lose_(std::move(lose)) {}
  std::vector<RunRecord> ReadBack(std::span<const std::string> run_ids) override {
    std::vector<RunRecord> records = StoreSink::ReadBack(run_ids);
    lose_(records);
    return records;
  }

 private:
  std::function<void(std::vector<RunRecord>&)> lose_;
};

TEST_F(CopyTest, FindsWhateverTheTargetDoesNotGiveBack) {
  const RunRecord record = MakeRecord(1, 2);
  from_->Write(std::vector{record});
  const std::function<void(RunRecord&)> losses[] = {
      [](RunRecord& r) { r.failures.pop_back(); },
      [](RunRecord& r) { r.failures[0].error_message->back() ^= 1; },
      [](RunRecord& r) { r.failures[1].line = 7; },
      [](RunRecord& r) { r.parts.clear(); },
      [](RunRecord& r) { r.parts[0].shard = ""; },
      [](RunRecord& r) { r.run.account.started_at.micros += 1; },
      [](RunRecord& r) { r.run.project = ""; },
      [](RunRecord& r) { r.rosters.clear(); },
      [](RunRecord& r) {
        r.rosters[0] = std::make_shared<const Roster>(Roster{r.rosters[0]->roster_id, "{}"});
      },
  };
  for (size_t i = 0; i < std::size(losses); ++i) {
    const auto target = OpenMemory(MakeMemoryHistory(), OpenMode::kWrite);
    LossySink sink(*target, [&](std::vector<RunRecord>& records) { losses[i](records.at(0)); });
    StoreSource source(*from_);
    const CopySummary account = Copy(source, sink, {}, progress_);
    EXPECT_EQ(account.differing, 1) << i;
    EXPECT_EQ(account.copied, 0) << i;
    EXPECT_FALSE(account.Verified()) << i;
  }
  const auto target = OpenMemory(MakeMemoryHistory(), OpenMode::kWrite);
  LossySink sink(*target, [](std::vector<RunRecord>& records) { records.clear(); });
  StoreSource source(*from_);
  EXPECT_EQ(Copy(source, sink, {}, progress_).differing, 1);
}

TEST_F(CopyTest, AnErrorOfTheSourceComesOutAfterWhatWasReadIsSettled) {
  struct Broken : Source {
    const std::string& name() const override { return name_; }
    std::optional<Totals> Expected() override { return std::nullopt; }
    std::optional<Batch> Next(const BatchLimits&) override {
      if (calls++ == 2) throw StoreError(ErrorKind::kTransient, name_, "read", "", "gone");
      return Batch{{MakeRecord(calls)}};
    }
    std::string name_ = "broken";
    int calls = 0;
  };
  Broken source;
  StoreSink sink(*to_);
  EXPECT_THROW(Copy(source, sink, {}, progress_), StoreError);
  EXPECT_EQ(ContentsOf(*to_).size(), 2u);
}

TEST(Prefetch, GivesEverythingInOrderAndThenTheEnd) {
  int produced = 0;
  Prefetch<int> values(
      [&]() -> std::optional<int> { return produced < 1000 ? std::optional(produced++) : std::nullopt; });
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(values.Take(), i);
  EXPECT_EQ(values.Take(), std::nullopt);
}

TEST(Prefetch, CanBeLeftAtAnyTime) {
  for (int taken = 0; taken < 50; ++taken) {
    int produced = 0;
    Prefetch<int> values([&]() -> std::optional<int> { return produced++; });
    for (int i = 0; i < taken; ++i) ASSERT_EQ(values.Take(), i);
  }
}

}  // namespace
}  // namespace flaky
