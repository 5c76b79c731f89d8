// SPDX-License-Identifier: MIT
#include "transfer/copy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <set>

#include "stores/fault_store.h"
#include "stores/memory/memory_store.h"
#include "tests/support/contents.h"
#include "tests/support/part_counts.h"
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
  part.account.started_at = {number / 4 * kMicrosPerSecond};  // four runs each start at the same time
  part.account.ended_at = part.account.started_at + 1'000'000;
  part.account.status = std::string(failures > 0 ? kFail : kPass);
  part.account.total_tests = 2;
  record.rosters = GiveTests(part, {{"S.A", {1, 0}}, {"S.B" + std::to_string(number % 5), {1, 0}}});
  record.parts = {part};
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

TEST_F(CopyTest, CopiesAndReportsEverything) {
  const std::vector<RunRecord> records = MakeRecords(100);
  from_->Write(records);
  const CopySummary summary = Run();
  EXPECT_EQ(summary.runs, 100);
  EXPECT_EQ(summary.copied, 100);
  EXPECT_EQ(summary.parts, 100);
  EXPECT_EQ(summary.failures, 150);
  EXPECT_TRUE(summary.Verified());
  EXPECT_EQ(summary.source_digest, summary.target_digest);
  EXPECT_EQ(ContentsOf(*from_), ContentsOf(*to_));
  EXPECT_EQ(progress_.last.runs, 100);
  EXPECT_EQ(progress_.last.total_runs, 100);
  EXPECT_EQ(progress_.last.failures, 150);
  EXPECT_EQ(progress_.done, 1);
  EXPECT_EQ(progress_.updates, 15);
}

TEST_F(CopyTest, ASecondCopyDuplicatesNothingAndCopiesWhatIsNew) {
  from_->Write(MakeRecords(20));
  Run();
  EXPECT_EQ(Run().unchanged, 20);

  RunRecord grown = MakeRecord(3);
  grown.parts[0].part_id = "late";
  for (Failure& failure : grown.failures) failure.part_id = "late";
  const RunRecord fresh = MakeRecord(50);
  from_->Write(std::vector{grown, fresh});
  const CopySummary summary = Run();
  EXPECT_EQ(summary.copied, 1);
  EXPECT_EQ(summary.completed, 1);
  EXPECT_EQ(summary.unchanged, 19);
  EXPECT_EQ(summary.source_digest, summary.target_digest);
  EXPECT_EQ(ContentsOf(*from_), ContentsOf(*to_));
}

TEST_F(CopyTest, ATargetMayBeAhead) {
  const RunRecord record = MakeRecord(1);
  from_->Write(std::vector{record});
  RunRecord more = record;
  more.parts[0].part_id = "other";
  for (Failure& failure : more.failures) failure.part_id = "other";
  to_->Write(std::vector{record});
  to_->Write(std::vector{more});
  const CopySummary summary = Run();
  EXPECT_EQ(summary.unchanged, 1);
  EXPECT_EQ(summary.ahead, 1);
  EXPECT_TRUE(summary.Verified());
  EXPECT_NE(summary.source_digest, summary.target_digest);
}

TEST_F(CopyTest, AConflictIsReportedAndDoesNotAffectOtherRuns) {
  from_->Write(MakeRecords(10));
  RunRecord other = MakeRecord(4);
  other.parts[0].variant = "asan";
  to_->Write(std::vector{other});
  std::map<std::string, CopyOutcome> outcomes;
  CopyOptions options;
  options.on_settled = [&](const RunRecord& record, CopyOutcome outcome, const std::string&) {
    outcomes[record.run.run_id] = outcome;
  };
  const CopySummary summary = Run(options);
  EXPECT_EQ(summary.copied, 9);
  EXPECT_EQ(summary.conflicts, 1);
  EXPECT_FALSE(summary.Verified());
  ASSERT_EQ(summary.findings.size(), 1u);
  EXPECT_EQ(summary.findings[0].run_id, other.run.run_id);
  EXPECT_THAT(summary.findings[0].why, HasSubstr("part part-4 differs"));
  EXPECT_EQ(outcomes.size(), 10u);
  EXPECT_EQ(outcomes[other.run.run_id], CopyOutcome::kConflict);
  EXPECT_EQ(ContentsOf(*to_)[other.run.run_id], DigestOf(other));
}

TEST_F(CopyTest, ReplacesAConflictOnRequest) {
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
  const CopySummary summary = Run(options);
  EXPECT_EQ(summary.copied, 9);
  EXPECT_EQ(summary.replaced, 1);
  EXPECT_EQ(summary.conflicts, 0);
  EXPECT_TRUE(summary.Verified());
  ASSERT_EQ(summary.findings.size(), 1u) << "it is also listed";
  EXPECT_EQ(summary.findings[0].fate, CopyOutcome::kReplaced);
  EXPECT_THAT(summary.findings[0].why, HasSubstr("part part-4 differs"));
  EXPECT_EQ(ContentsOf(*to_), ContentsOf(*from_));
  EXPECT_EQ(Run(options).unchanged, 10);
}

TEST_F(CopyTest, AConflictEndsTheCopyOnRequest) {
  from_->Write(MakeRecords(200));
  RunRecord other = MakeRecord(4);
  other.parts[0].variant = "asan";
  to_->Write(std::vector{other});
  CopyOptions options;
  options.on_conflict = OnConflict::kEnd;
  const CopySummary summary = Run(options);
  EXPECT_TRUE(summary.gave_up);
  EXPECT_FALSE(summary.stopped);
  EXPECT_EQ(summary.conflicts, 1);
  EXPECT_LE(summary.runs, 5 * 7);
  EXPECT_EQ(static_cast<int64_t>(ContentsOf(*to_).size()), summary.runs) << "everything that was written is counted";
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

TEST_F(CopyCallsTest, AFirstCopyLooksUpOneBatchAndSendsEachOnce) {
  const CopySummary summary = Run();
  EXPECT_EQ(summary.sent, 70);
  EXPECT_EQ(Calls(StoreVerb::kWrite), 10);
  EXPECT_EQ(Calls(StoreVerb::kFetch), 1 + 10);
}

TEST_F(CopyCallsTest, ReadsOnceAndDoesNotSendWhatIsThere) {
  Run();
  const CopySummary summary = Run();
  EXPECT_EQ(summary.unchanged, 70);
  EXPECT_EQ(summary.sent, 0);
  EXPECT_EQ(summary.source_digest, summary.target_digest);
  EXPECT_EQ(Calls(StoreVerb::kWrite), 10) << "all from the first copy";
  EXPECT_EQ(Calls(StoreVerb::kFetch), 11 + 10);
}

TEST_F(CopyCallsTest, AResumedCopyResendsAtMostTheBatchInFlight) {
  const auto before = OpenMemory(history_, OpenMode::kWrite);
  const std::vector<RunRecord> records = MakeRecords(70);
  before->Write(std::span(records).first(31));  // killed within the fifth batch
  const CopySummary summary = Run();
  EXPECT_EQ(summary.unchanged, 31);
  EXPECT_EQ(summary.copied, 39);
  EXPECT_EQ(summary.sent, 70 - 28);
  EXPECT_EQ(Calls(StoreVerb::kWrite), 6);
  EXPECT_EQ(ContentsOf(*to_), ContentsOf(*from_));
}

TEST_F(CopyCallsTest, FindsWhatIsThereInTheMiddleAfterOneBatch) {
  const auto before = OpenMemory(history_, OpenMode::kWrite);
  const std::vector<RunRecord> records = MakeRecords(70);
  before->Write(std::span(records).last(42));
  const CopySummary summary = Run();
  EXPECT_EQ(summary.copied, 28);
  EXPECT_EQ(summary.sent, 28 + 7);
  EXPECT_EQ(ContentsOf(*to_), ContentsOf(*from_));
}

TEST_F(CopyCallsTest, SendsNothingToATargetThatIsAhead) {
  Run();
  RunRecord more = MakeRecord(3);
  more.parts[0].part_id = "late";
  for (Failure& failure : more.failures) failure.part_id = "late";
  to_->Write({&more, 1});
  const CopySummary summary = Run();
  EXPECT_EQ(summary.sent, 0);
  EXPECT_EQ(summary.ahead, 1);
  EXPECT_TRUE(summary.Verified());
}

TEST_F(CopyTest, ADryRunPredictsTheSummaryAndWritesNothing) {
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
  const CopySummary summary = Run();
  for (const auto& count : {&CopySummary::runs, &CopySummary::copied, &CopySummary::completed, &CopySummary::unchanged,
                            &CopySummary::conflicts, &CopySummary::failures}) {
    EXPECT_EQ(foreseen.*count, summary.*count);
  }
  EXPECT_EQ(summary.copied, 9);
  EXPECT_EQ(summary.completed, 1);
  EXPECT_EQ(summary.unchanged, 1);
  EXPECT_EQ(summary.conflicts, 1);
}

TEST_F(CopyTest, StopsAfterTheBatchesInFlightAndResumes) {
  from_->Write(MakeRecords(200));
  CopyOptions options;
  options.stop = [&] { return progress_.updates >= 2; };
  const CopySummary summary = Run(options);
  EXPECT_TRUE(summary.stopped);
  EXPECT_GE(summary.copied, 14);
  EXPECT_LE(summary.copied, 5 * 7);
  EXPECT_EQ(static_cast<int64_t>(ContentsOf(*to_).size()), summary.copied) << "everything that was written is counted";
  EXPECT_EQ(Run().copied, 200 - summary.copied);
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

// A sink that returns something other than what was written.
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

TEST_F(CopyTest, DetectsEverythingThatTheTargetLoses) {
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
    const CopySummary summary = Copy(source, sink, {}, progress_);
    EXPECT_EQ(summary.differing, 1) << i;
    EXPECT_EQ(summary.copied, 0) << i;
    EXPECT_FALSE(summary.Verified()) << i;
  }
  const auto target = OpenMemory(MakeMemoryHistory(), OpenMode::kWrite);
  LossySink sink(*target, [](std::vector<RunRecord>& records) { records.clear(); });
  StoreSource source(*from_);
  EXPECT_EQ(Copy(source, sink, {}, progress_).differing, 1);
}

TEST_F(CopyTest, AnErrorOfTheSourceIsThrownAfterWhatWasReadIsSettled) {
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

TEST(Prefetch, ReturnsEverythingInOrderAndThenTheEnd) {
  int produced = 0;
  Prefetch<int> values(
      [&]() -> std::optional<int> { return produced < 1000 ? std::optional(produced++) : std::nullopt; });
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(values.Take(), i);
  EXPECT_EQ(values.Take(), std::nullopt);
}

TEST(Prefetch, CanBeDestroyedAtAnyTime) {
  for (int taken = 0; taken < 50; ++taken) {
    int produced = 0;
    Prefetch<int> values([&]() -> std::optional<int> { return produced++; });
    for (int i = 0; i < taken; ++i) ASSERT_EQ(values.Take(), i);
  }
}

}  // namespace
}  // namespace flaky
