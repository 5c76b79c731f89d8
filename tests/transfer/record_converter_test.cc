// SPDX-License-Identifier: MIT
#include "transfer/record_converter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <utility>

#include "history/digest.h"
#include "history/fields.h"
#include "history/text.h"
#include "stores/memory/memory_store.h"
#include "stores/record_check.h"
#include "tests/support/limited_store.h"
#include "tests/support/part_counts.h"
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

using Kind = Conversion::Kind;

constexpr size_t kRowBytes = 1000;

std::vector<Conversion> FitTo(const StoreLimits& limits, RunRecord& record) {
  return RecordConverter(limits, "small:").Fit(record);
}
std::vector<Conversion> FitRow(RunRecord& record, size_t row_bytes = kRowBytes) { return FitTo({row_bytes}, record); }

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
                           failure.preceding_test, failure.signal, failure.program}) {
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

TEST(RecordConverter, DoesNotChangeARecordThatFits) {
  RunRecord record = WithTexts(300, 300);
  const Digest before = DigestOf(record);
  const size_t bytes = RowBytesOf(record.failures[0], "run");
  EXPECT_THAT(FitRow(record, bytes), IsEmpty()) << "to the byte";
  EXPECT_EQ(DigestOf(record), before);
  EXPECT_THAT(record.rosters, SizeIs(2)) << "a roster and its list";
  EXPECT_THAT(FitRow(record, bytes - 1), SizeIs(1));
}

TEST(RecordConverter, CutsTheLongestTextOfAFailureAndSaysHowMuch) {
  RunRecord record = WithTexts(5000, 300);
  const std::vector<Conversion> cuts = FitRow(record);
  const std::string& message = *record.failures[0].error_message;
  ASSERT_THAT(cuts, SizeIs(1));
  EXPECT_EQ(cuts[0].column, "failures.error_message");
  EXPECT_THAT(message, StartsWith("mmm"));
  EXPECT_THAT(message, EndsWith("\n[flaky: " + std::to_string(cuts[0].amount) + " more bytes were cut]"));
  EXPECT_EQ(static_cast<int64_t>(message.find('\n')), 5000 - cuts[0].amount);
  EXPECT_EQ(record.failures[0].error_stack, std::string(300, 's'));
  EXPECT_LE(RowBytesOf(record.failures[0], "run"), kRowBytes);
  EXPECT_GE(RowBytesOf(record.failures[0], "run"), kRowBytes - kMaxCutNote) << "and no more than needed";

  record = WithTexts(300, 5000);
  EXPECT_EQ(FitRow(record)[0].column, "failures.error_stack");
  EXPECT_EQ(record.failures[0].error_message, std::string(300, 'm'));
}

TEST(RecordConverter, CutsTheNextLongestIfOneIsNotEnough) {
  RunRecord record = WithTexts(5000, 4000);
  EXPECT_THAT(FitRow(record), ElementsAre(Conversion{"failures.error_message", Kind::kCut, 5000, ""},
                                          testing::Field(&Conversion::column, "failures.error_stack")));
  EXPECT_EQ(*record.failures[0].error_message, "\n[flaky: 5000 more bytes were cut]");
  EXPECT_THAT(*record.failures[0].error_stack, StartsWith("sss"));
  EXPECT_LE(RowBytesOf(record.failures[0], "run"), kRowBytes);
}

TEST(RecordConverter, CutsBetweenCharacters) {
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

TEST(RecordConverter, AddsUpTheCutBytesOfAColumn) {
  BuildRecord build("run");
  for (int i = 0; i < 3; ++i) build.Fail("S.T", std::string(2000 + i, 'm'));
  RunRecord record = build.Fail("S.Short").Build();
  const std::vector<Conversion> cuts = FitRow(record);
  int64_t bytes = 0;
  for (int i = 0; i < 3; ++i) {
    bytes += 2000 + i - static_cast<int64_t>(record.failures[i].error_message->find('\n'));
  }
  EXPECT_THAT(cuts, ElementsAre(Conversion{"failures.error_message", Kind::kCut, bytes, ""}));
  EXPECT_EQ(record.failures[3].error_message, "Expected: true");
}

TEST(RecordConverter, CutsTheTextsOfOtherTables) {
  RunRecord record = WithTexts(10, 10);
  record.run.test_args = std::string(3000, 'a');
  record.run.branch = std::string(200, 'b');
  record.parts[0].variant = std::string(1500, 'v');
  record.failures[0].preceding_test = std::string(1200, 'p');
  const std::vector<Conversion> cuts = FitRow(record);
  ASSERT_THAT(cuts, SizeIs(3));
  EXPECT_EQ(cuts[0].column, "runs.test_args");
  EXPECT_EQ(cuts[1].column, "parts.variant");
  EXPECT_EQ(cuts[2].column, "failures.preceding_test");
  EXPECT_EQ(record.run.branch, std::string(200, 'b'));
}

TEST(RecordConverter, LeavesOutARosterThatIsTooLarge) {
  Counts many;
  for (int i = 0; i < 200; ++i) many["Suite.Test" + std::to_string(i)] = {1, 0};
  RunRecord record = BuildRecord("run").Part("p1", 0).Part("p2", 20).Part("p3", 40).Build();
  AddRosters(record.rosters, GiveTests(record.parts[0], many));
  const std::vector<RosterPtr> large = GiveTests(record.parts[2], many);
  EXPECT_THAT(FitRow(record), ElementsAre(Conversion{"rosters.tests", Kind::kLeftOut, 1,
                                                     std::to_string(large[0]->tests.size()) + " bytes"}));
  EXPECT_EQ(record.parts[0].roster_id, std::nullopt);
  EXPECT_EQ(record.parts[2].roster_id, std::nullopt);
  ASSERT_THAT(record.rosters, SizeIs(2)) << "another roster and its list";
  EXPECT_EQ(record.parts[1].roster_id, record.rosters[0]->roster_id);
}

TEST(RecordConverter, IsDeterministicAndIdempotent) {
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

TEST(RecordConverter, CutsNamesLast) {
  RunRecord record = WithTexts(200, 10);
  record.failures[0].test_name = "Suite." + std::string(2000, 'n');
  const std::vector<Conversion> cuts = FitRow(record);
  ASSERT_THAT(cuts, SizeIs(2));
  EXPECT_EQ(cuts[0], (Conversion{"failures.error_message", Kind::kCut, 200, ""}));
  EXPECT_EQ(cuts[1].column, "failures.test_name");
  EXPECT_THAT(record.failures[0].test_name, StartsWith("Suite.nnn"));
  EXPECT_LE(RowBytesOf(record.failures[0], "run"), kRowBytes);
}

TEST(RecordConverter, RefusesAnIdThatIsTooLarge) {
  RunRecord record = WithTexts(10, 10);
  record.parts[0].part_id = *record.failures[0].part_id = std::string(2000, 'p');
  EXPECT_THAT(RefusalOf(record), HasSubstr("a row of parts has"));
  record = WithTexts(10, 10);
  record.run.run_id = std::string(2000, 'r');
  const std::string refusal = RefusalOf(record);
  EXPECT_THAT(refusal, StartsWith("small:: cannot write run 'rrr"));
  EXPECT_THAT(refusal, HasSubstr("most of them in run_id"));
  EXPECT_THAT(refusal, HasSubstr("takes 1000"));
  EXPECT_LT(refusal.size(), 600u) << "without all of the id";
}

// Replaces every text by one that is not storable, and counts the texts.
struct Breaker {
  int texts = 0;

  void operator()(std::string_view, std::string& text) {
    text = "a\xff" + std::string(1, '\0');
    ++texts;
  }
  void operator()(std::string_view column, std::optional<std::string>& text) { (*this)(column, text.emplace()); }
  template <typename T>
  void operator()(std::string_view, T&) {}
};

TEST(RecordConverter, MakesEveryTextStorable) {
  RunRecord record = WithTexts(10, 10);
  Breaker breaker;
  VisitRun(record.run, breaker);
  VisitPart(record.parts[0], breaker);
  VisitFailure(record.failures[0], breaker);
  const std::vector<Conversion> conversions = FitTo({}, record);
  EXPECT_THAT(conversions, SizeIs(breaker.texts)) << "each text column of the three tables once";
  for (const Conversion& conversion : conversions) {
    EXPECT_EQ(conversion.kind, Kind::kText);
    EXPECT_EQ(conversion.amount, 1);
  }
  EXPECT_EQ(record.failures[0].test_name, "a\uFFFD\uFFFD");
  EXPECT_EQ(record.failures[0].part_id, record.parts[0].part_id) << "still belongs to that part";
  EXPECT_THAT(record.run.run_id, testing::MatchesRegex("a\uFFFD\uFFFD~[0-9a-f]+"));

  RunRecord other = WithTexts(10, 10);
  other.run.run_id = "a\xfe" + std::string(1, '\0');
  FitTo({}, other);
  EXPECT_NE(other.run.run_id, record.run.run_id) << "different ids stay different";

  const Digest once = DigestOf(record);
  EXPECT_THAT(FitTo({}, record), IsEmpty());
  EXPECT_EQ(DigestOf(record), once);
}

TEST(RecordConverter, LeavesOutARosterThatIsNotText) {
  RunRecord record = BuildRecord("run").Part("p1", 0).Part("p2", 20).Build();
  const RosterPtr broken = std::make_shared<const Roster>(Roster{std::string(32, 'f'), "{\"S.\xff\":1}"});
  record.parts[0].roster_id = broken->roster_id;
  record.rosters.push_back(broken);
  EXPECT_THAT(FitTo({}, record), ElementsAre(Conversion{"rosters.tests", Kind::kLeftOut, 1, "9 bytes"}));
  EXPECT_EQ(record.parts[0].roster_id, std::nullopt);
  EXPECT_NE(record.parts[1].roster_id, std::nullopt);
}

TEST(RecordConverter, ReplacesUnknownWordsIfTheStoreRefusesThem) {
  RunRecord record = WithTexts(10, 10);
  record.run.account.status = "odd";
  record.parts[0].account.status = "skipped";
  record.failures[0].failure_kind = "flake\x1b[31m";
  record.failures.push_back(record.failures[0]);
  RunRecord same = record;
  EXPECT_THAT(FitTo({}, same), IsEmpty()) << "this store keeps any word";
  EXPECT_THAT(FitTo({.enforces_enums = true}, record),
              ElementsAre(Conversion{"runs.status", Kind::kWord, 1, "'odd' as none"},
                          Conversion{"parts.status", Kind::kWord, 1, "'skipped' as none"},
                          Conversion{"failures.failure_kind", Kind::kWord, 2, "'flake?[31m' as unknown"}));
  EXPECT_EQ(record.run.account.status, std::nullopt);
  EXPECT_EQ(record.failures[1].failure_kind, kUnknown);
}

TEST(ConversionPhrase, NamesColumnsAndConversions) {
  EXPECT_EQ(ConversionPhrase({{"runs.test_args", Kind::kCut, 12, ""},
                              {"rosters.tests", Kind::kLeftOut, 1, "3456 bytes"},
                              {"failures.failed_at", Kind::kInvalid, 3, "'year!' as 1970-01-01T00:00:00.000Z"},
                              {"failures.test_name", Kind::kText, 1, ""}}),
            "runs.test_args: cut by 12 bytes; rosters.tests: left out, 3456 bytes; failures.failed_at: 'year!' as "
            "1970-01-01T00:00:00.000Z, and 2 more; failures.test_name: bytes that are not UTF-8, or NUL");
}

class ConvertingCopyTest : public testing::Test {
 protected:
  ConvertingCopyTest() {
    std::vector<RunRecord> records;
    for (int i = 0; i < 20; ++i) {
      BuildRecord build("run-" + std::to_string(i));
      build.Part("part-" + std::to_string(i), i, 1).Fail("S.T", std::string(i % 4 == 0 ? 3000 : 30, 'm'));
      records.push_back(build.Build());
    }
    from_->Write(records);
  }
  CopySummary Run(CopyOptions options = {}) {
    options.limits.records = 3;
    StoreSource source(*from_);
    StoreSink sink(to_);
    SilentProgress progress;
    return Copy(source, sink, options, progress);
  }

  std::unique_ptr<Store> from_ = OpenMemory(MakeMemoryHistory(), OpenMode::kWrite);
  LimitedStore to_{OpenMemory(MakeMemoryHistory(), OpenMode::kWrite), {kRowBytes}};
};

TEST_F(ConvertingCopyTest, ACopyIntoASmallerStoreIsVerifiedAndReportsTheCuts) {
  std::map<std::string, size_t> settled;
  CopyOptions options;
  options.on_settled = [&](const RunRecord& record, CopyOutcome outcome, const std::string&) {
    EXPECT_EQ(outcome, CopyOutcome::kCopied);
    settled[record.run.run_id] = record.failures[0].error_message->size();
  };
  const CopySummary summary = Run(options);
  EXPECT_EQ(summary.copied, 20);
  EXPECT_TRUE(summary.Verified());
  EXPECT_EQ(summary.source_digest, summary.target_digest) << "of what was sent";
  EXPECT_THAT(summary.findings, IsEmpty());
  EXPECT_EQ(summary.converted, 5);
  ASSERT_THAT(summary.converted_runs, SizeIs(5));
  for (const ConvertedRun& run : summary.converted_runs) {
    ASSERT_THAT(run.conversions, SizeIs(1));
    EXPECT_EQ(run.conversions[0].column, "failures.error_message");
    EXPECT_LT(settled.at(run.run_id), kRowBytes) << "reported as it is stored";
  }
  EXPECT_EQ(summary.converted_runs[0].run_id, "run-0");
}

TEST_F(ConvertingCopyTest, ARepeatedCopyFindsEverythingEqual) {
  const CopySummary first = Run();
  const CopySummary again = Run();
  EXPECT_EQ(again.unchanged, 20);
  EXPECT_EQ(again.ahead, 0);
  EXPECT_EQ(again.converted, 5);
  EXPECT_TRUE(again.Verified());
  EXPECT_EQ(again.source_digest, first.source_digest);
  EXPECT_EQ(again.target_digest, first.source_digest);
}

TEST_F(ConvertingCopyTest, ADryRunReportsTheCuts) {
  CopyOptions options;
  options.dry_run = true;
  const CopySummary foreseen = Run(options);
  EXPECT_EQ(foreseen.converted, 5);
  EXPECT_EQ(foreseen.copied, 20);
  EXPECT_EQ(to_.Count({}), Totals());
}

TEST_F(ConvertingCopyTest, ARunThatTheStoreCannotHoldEndsTheCopy) {
  from_->Write(std::vector{BuildRecord("zz").StartedAt(At(1000)).Part(std::string(2000, 'n'), 1000).Build()});
  try {
    Run();
    ADD_FAILURE() << "no error";
  } catch (const StoreError& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    EXPECT_THAT(error.what(), HasSubstr("run 'zz'"));
  }
  EXPECT_EQ(to_.Count({}).runs, 18) << "all batches before it";
}

TEST_F(ConvertingCopyTest, AStrictCopyEndsBeforeABatchThatNeedsConversion) {
  CopyOptions options;
  options.strict = true;
  try {
    Run(options);
    ADD_FAILURE() << "no error";
  } catch (const StoreError& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    EXPECT_THAT(error.what(), HasSubstr("cannot take run 'run-0' as it is: failures.error_message: cut by "));
  }
  EXPECT_EQ(to_.Count({}).runs, 0);
}

TEST_F(ConvertingCopyTest, ReportsTheConversionsOfTheSource) {
  struct Foreign : Source {
    const std::string& name() const override { return name_; }
    std::optional<Totals> Expected() override { return std::nullopt; }
    std::optional<Batch> Next(const BatchLimits&) override {
      if (std::exchange(done, true)) return std::nullopt;
      return Batch{{BuildRecord("good").Build(), BuildRecord("odd").Fail("S", std::string(3000, 'm')).Build()},
                   {{"odd", {{"failures.line", Kind::kInvalid, 1, "'x' as nothing"}}}}};
    }
    std::string name_ = "foreign";
    bool done = false;
  } source;
  StoreSink sink(to_);
  SilentProgress progress;
  const CopySummary summary = Copy(source, sink, {}, progress);
  EXPECT_EQ(summary.converted, 1);
  ASSERT_THAT(summary.converted_runs, SizeIs(1));
  EXPECT_EQ(summary.converted_runs[0].run_id, "odd");
  ASSERT_THAT(summary.converted_runs[0].conversions, SizeIs(2)) << "by the source, and for the target";
  EXPECT_EQ(summary.converted_runs[0].conversions[0].column, "failures.line");
}

TEST_F(ConvertingCopyTest, TheListOfConvertedRunsIsBounded) {
  std::vector<RunRecord> records;
  for (int i = 0; i < 1100; ++i)
    records.push_back(BuildRecord("more-" + std::to_string(i)).Fail("S", std::string(1100, 'm')).Build());
  from_->Write(records);
  const CopySummary summary = Run();
  EXPECT_EQ(summary.converted, 1105);
  EXPECT_EQ(summary.converted_runs.size(), CopySummary::kMaxFindings);
}

}  // namespace
}  // namespace flaky
