#include "transfer/fit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "history/digest.h"
#include "history/text.h"
#include "stores/memory/memory_store.h"
#include "stores/record_check.h"
#include "tests/support/limited_store.h"
#include "tests/support/record_builder.h"
#include "transfer/copy.h"

namespace flaky {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

constexpr size_t kRowBytes = 1000;

std::vector<Cut> FitRow(RunRecord& record, size_t row_bytes = kRowBytes) { return Fit(record, {row_bytes}, "small:"); }

std::string RefusalOf(RunRecord record, size_t row_bytes = kRowBytes) {
  try {
    FitRow(record, row_bytes);
  } catch (const StoreError& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    return error.what();
  }
  return "not refused";
}

size_t RowBytesOf(const Failure& failure, const std::string& run_id) {
  size_t bytes = run_id.size();
  const auto add = [&](const std::optional<std::string>& text) { bytes += text ? text->size() : 0; };
  for (const auto& text : {failure.part_id, std::optional(failure.test_file), std::optional(failure.test_name),
                           std::optional(failure.failure_kind), failure.error_message, failure.error_stack,
                           failure.preceding_test, failure.signal}) {
    add(text);
  }
  return bytes;
}

// A record with one failure whose texts are of these sizes.
RunRecord WithTexts(size_t message, size_t stack) {
  RunRecord record = BuildRecord("run").Part("part", 0, 1).Fail("S.T", std::string(message, 'm')).Build();
  record.failures[0].error_stack = std::string(stack, 's');
  return record;
}

TEST(Fit, LeavesAloneWhatFits) {
  RunRecord record = WithTexts(300, 300);
  const Digest before = DigestOf(record);
  const size_t bytes = RowBytesOf(record.failures[0], "run");
  EXPECT_THAT(FitRow(record, bytes), IsEmpty()) << "to the byte";
  EXPECT_EQ(DigestOf(record), before);
  EXPECT_THAT(record.rosters, SizeIs(1));
  EXPECT_THAT(FitRow(record, bytes - 1), SizeIs(1));
}

TEST(Fit, CutsTheLongestTextOfAFailureAndSaysHowMuch) {
  RunRecord record = WithTexts(5000, 300);
  const std::vector<Cut> cuts = FitRow(record);
  const std::string& message = *record.failures[0].error_message;
  ASSERT_THAT(cuts, SizeIs(1));
  EXPECT_EQ(cuts[0].column, "failures.error_message");
  EXPECT_THAT(message, StartsWith("mmm"));
  EXPECT_THAT(message, EndsWith("\n[flaky: " + std::to_string(cuts[0].bytes) + " more bytes were cut]"));
  EXPECT_EQ(static_cast<int64_t>(message.find('\n')), 5000 - cuts[0].bytes);
  EXPECT_EQ(record.failures[0].error_stack, std::string(300, 's'));
  EXPECT_LE(RowBytesOf(record.failures[0], "run"), kRowBytes);
  EXPECT_GE(RowBytesOf(record.failures[0], "run"), kRowBytes - kMaxCutNote) << "and no more than needed";

  record = WithTexts(300, 5000);
  EXPECT_EQ(FitRow(record)[0].column, "failures.error_stack");
  EXPECT_EQ(record.failures[0].error_message, std::string(300, 'm'));
}

TEST(Fit, CutsTheNextLongestWhereOneIsNotEnough) {
  RunRecord record = WithTexts(5000, 4000);
  EXPECT_THAT(FitRow(record),
              ElementsAre(Cut{"failures.error_message", 5000}, testing::Field(&Cut::column, "failures.error_stack")));
  EXPECT_EQ(*record.failures[0].error_message, "\n[flaky: 5000 more bytes were cut]");
  EXPECT_THAT(*record.failures[0].error_stack, StartsWith("sss"));
  EXPECT_LE(RowBytesOf(record.failures[0], "run"), kRowBytes);
}

TEST(Fit, CutsAtCharacters) {
  RunRecord record = WithTexts(0, 0);
  record.failures[0].error_message.emplace();
  for (int i = 0; i < 1000; ++i) *record.failures[0].error_message += "🦊";
  for (size_t limit = kRowBytes; limit < kRowBytes + 8; ++limit) {
    RunRecord fitted = record;
    FitRow(fitted, limit);
    EXPECT_TRUE(IsStorable(*fitted.failures[0].error_message)) << limit;
    EXPECT_LE(RowBytesOf(fitted.failures[0], "run"), limit);
  }
}

TEST(Fit, AddsUpWhatAColumnLost) {
  BuildRecord build("run");
  for (int i = 0; i < 3; ++i) build.Fail("S.T", std::string(2000 + i, 'm'));
  RunRecord record = build.Fail("S.Short").Build();
  const std::vector<Cut> cuts = FitRow(record);
  int64_t bytes = 0;
  for (int i = 0; i < 3; ++i) {
    bytes += 2000 + i - static_cast<int64_t>(record.failures[i].error_message->find('\n'));
  }
  EXPECT_THAT(cuts, ElementsAre(Cut{"failures.error_message", bytes}));
  EXPECT_EQ(record.failures[3].error_message, "Expected: true");
}

TEST(Fit, CutsWhatElseIsTooLarge) {
  RunRecord record = WithTexts(10, 10);
  record.run.test_args = std::string(3000, 'a');
  record.run.branch = std::string(200, 'b');
  record.parts[0].variant = std::string(1500, 'v');
  record.failures[0].preceding_test = std::string(1200, 'p');
  const std::vector<Cut> cuts = FitRow(record);
  ASSERT_THAT(cuts, SizeIs(3));
  EXPECT_EQ(cuts[0].column, "runs.test_args");
  EXPECT_EQ(cuts[1].column, "parts.variant");
  EXPECT_EQ(cuts[2].column, "failures.preceding_test");
  EXPECT_EQ(record.run.branch, std::string(200, 'b'));
  EXPECT_EQ(CutPhrase({{"runs.test_args", 12}, {"rosters.tests", 3456}}),
            "runs.test_args by 12 bytes, rosters.tests by 3456 bytes");
}

TEST(Fit, LeavesOutARosterThatIsTooLarge) {
  RosterEntries many;
  for (int i = 0; i < 200; ++i) many["Suite.Test" + std::to_string(i)] = {1, 0};
  const RosterPtr large = MakeRoster(many);
  RunRecord record = BuildRecord("run").Part("p1", 0).Part("p2", 20).Part("p3", 40).Build();
  record.parts[0].roster_id = record.parts[2].roster_id = large->roster_id;
  record.rosters.push_back(large);
  EXPECT_THAT(FitRow(record), ElementsAre(Cut{"rosters.tests", static_cast<int64_t>(large->tests.size())}));
  EXPECT_EQ(record.parts[0].roster_id, std::nullopt);
  EXPECT_EQ(record.parts[2].roster_id, std::nullopt);
  ASSERT_THAT(record.rosters, SizeIs(1));
  EXPECT_EQ(record.parts[1].roster_id, record.rosters[0]->roster_id);
}

TEST(Fit, DoneTwiceChangesNothingMoreAndIsAlwaysTheSame) {
  for (size_t limit = 150; limit < 3000; limit += 37) {
    RunRecord first = WithTexts(2500, 2400);
    first.run.test_args = std::string(1999, 'a');
    RunRecord second = first;
    EXPECT_EQ(FitRow(first, limit), FitRow(second, limit));
    const Digest once = DigestOf(first);
    EXPECT_EQ(DigestOf(second), once);
    EXPECT_THAT(FitRow(first, limit), IsEmpty()) << limit;
    EXPECT_EQ(DigestOf(first), once);
  }
}

TEST(Fit, RefusesWhatCannotBeToldApartOnceCut) {
  RunRecord record = WithTexts(10, 10);
  record.failures[0].test_name = "Suite." + std::string(2000, 'n');
  std::string refusal = RefusalOf(record);
  EXPECT_THAT(refusal, StartsWith("small:: cannot write run 'run': "));
  EXPECT_THAT(refusal, HasSubstr("a row of failures has 20"));
  EXPECT_THAT(refusal, HasSubstr("most of them in test_name"));
  EXPECT_THAT(refusal, HasSubstr("takes 1000"));

  record = WithTexts(10, 10);
  record.parts[0].part_id = *record.failures[0].part_id = std::string(2000, 'p');
  EXPECT_THAT(RefusalOf(record), HasSubstr("a row of parts has"));
  record = WithTexts(10, 10);
  record.run.run_id = std::string(2000, 'r');
  refusal = RefusalOf(record);
  EXPECT_THAT(refusal, HasSubstr("most of them in run_id"));
  EXPECT_LT(refusal.size(), 600u) << "without all of the id";
}

class Quiet : public Progress {
 public:
  void Update(const CopyProgress&) override {}
  void Done(const CopyProgress&) override {}
};

class FitCopyTest : public testing::Test {
 protected:
  FitCopyTest() {
    std::vector<RunRecord> records;
    for (int i = 0; i < 20; ++i) {
      BuildRecord build("run-" + std::to_string(i));
      build.Part("part-" + std::to_string(i), i, 1).Fail("S.T", std::string(i % 4 == 0 ? 3000 : 30, 'm'));
      records.push_back(build.Build());
    }
    from_->Write(records);
  }
  CopyAccount Run(CopyOptions options = {}) {
    options.limits.records = 3;
    StoreSource source(*from_);
    StoreSink sink(to_);
    Quiet progress;
    return Copy(source, sink, options, progress);
  }

  std::unique_ptr<Store> from_ = OpenMemory(MakeMemoryHistory(), OpenMode::kWrite);
  LimitedStore to_{OpenMemory(MakeMemoryHistory(), OpenMode::kWrite), {kRowBytes}};
};

TEST_F(FitCopyTest, ACopyIntoASmallerStoreIsVerifiedAndTellsWhatWasCut) {
  std::map<std::string, size_t> settled;
  CopyOptions options;
  options.on_settled = [&](const RunRecord& record, Fate fate, const std::string&) {
    EXPECT_EQ(fate, Fate::kCopied);
    settled[record.run.run_id] = record.failures[0].error_message->size();
  };
  const CopyAccount account = Run(options);
  EXPECT_EQ(account.copied, 20);
  EXPECT_TRUE(account.Verified());
  EXPECT_EQ(account.source_digest, account.target_digest) << "of what was sent";
  EXPECT_THAT(account.findings, IsEmpty());
  EXPECT_EQ(account.cut, 5);
  ASSERT_THAT(account.cut_runs, SizeIs(5));
  for (const CutRun& run : account.cut_runs) {
    ASSERT_THAT(run.cuts, SizeIs(1));
    EXPECT_EQ(run.cuts[0].column, "failures.error_message");
    EXPECT_LT(settled.at(run.run_id), kRowBytes) << "told as it is stored";
  }
  EXPECT_EQ(account.cut_runs[0].run_id, "run-0");
}

TEST_F(FitCopyTest, CopiedAgainEverythingIsEqual) {
  const CopyAccount first = Run();
  const CopyAccount again = Run();
  EXPECT_EQ(again.unchanged, 20);
  EXPECT_EQ(again.ahead, 0);
  EXPECT_EQ(again.cut, 5);
  EXPECT_TRUE(again.Verified());
  EXPECT_EQ(again.source_digest, first.source_digest);
  EXPECT_EQ(again.target_digest, first.source_digest);
}

TEST_F(FitCopyTest, ADryRunForeseesTheCuts) {
  CopyOptions options;
  options.dry_run = true;
  const CopyAccount foreseen = Run(options);
  EXPECT_EQ(foreseen.cut, 5);
  EXPECT_EQ(foreseen.copied, 20);
  EXPECT_EQ(to_.Count({}), Totals());
}

TEST_F(FitCopyTest, ARunThatCannotBeHeldEndsTheCopyBetweenRuns) {
  from_->Write(std::vector{BuildRecord("zz").StartedAt(At(1000)).Fail(std::string(2000, 'n')).Build()});
  try {
    Run();
    ADD_FAILURE() << "no error";
  } catch (const StoreError& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    EXPECT_THAT(error.what(), HasSubstr("run 'zz'"));
  }
  EXPECT_EQ(to_.Count({}).runs, 18) << "all batches before it";
}

TEST_F(FitCopyTest, TheListOfCutRunsIsBounded) {
  std::vector<RunRecord> records;
  for (int i = 0; i < 1100; ++i)
    records.push_back(BuildRecord("more-" + std::to_string(i)).Fail("S", std::string(1100, 'm')).Build());
  from_->Write(records);
  const CopyAccount account = Run();
  EXPECT_EQ(account.cut, 1105);
  EXPECT_EQ(account.cut_runs.size(), CopyAccount::kMaxFindings);
}

}  // namespace
}  // namespace flaky
