// SPDX-License-Identifier: MIT
#include <algorithm>
#include <map>

#include "history/merge.h"
#include "tests/formats/results_fixture.h"

// Plain results as a source of records, and the table of formats.
namespace flaky {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class ResultsSourceTest : public ResultsTest {
 protected:
  static std::vector<RunRecord> ReadAll(const std::vector<std::string>& files, const BatchLimits& limits = {},
                                        const ReadOptions& options = {}) {
    const auto reader = FindFormat("results")->read(files, options);
    std::vector<RunRecord> records;
    while (std::optional<Batch> batch = reader->Next(limits)) {
      std::vector<std::string> ids = RunIdsOf(batch->records);
      std::ranges::sort(ids);
      EXPECT_EQ(std::ranges::adjacent_find(ids), ids.end()) << "within a batch, each run id occurs once";
      for (RunRecord& record : batch->records) records.push_back(std::move(record));
    }
    return records;
  }
  // Merges the records of each run, as a store does.
  static std::map<std::string, Digest> Merged(const std::vector<RunRecord>& records) {
    std::map<std::string, RunRecord> runs;
    for (const RunRecord& record : records) {
      const auto [known, is_new] = runs.try_emplace(record.run.run_id, record);
      if (is_new) continue;
      Merge merge = MergeRecords(known->second, record);
      EXPECT_NE(merge.outcome, MergeOutcome::kConflict) << merge.conflict;
      if (merge.outcome == MergeOutcome::kCompleted) known->second = std::move(merge.merged);
    }
    std::map<std::string, Digest> digests;
    for (const auto& [id, record] : runs) digests[id] = DigestOf(record);
    return digests;
  }
  static std::string PartLine(int run, int part) {
    return Line("run" + std::to_string(run),
                R"(,"part_id":")" + std::to_string(part) + R"(","passed":["A.B)" + std::to_string(part) + "\"]");
  }
};

TEST_F(ResultsSourceTest, TheOrderOfLinesDoesNotMatter) {
  std::string by_run, by_part;
  for (int run = 0; run < 20; ++run) {
    for (int part = 0; part < 3; ++part) by_run += PartLine(run, part);
  }
  for (int part = 2; part >= 0; --part) {
    for (int run = 0; run < 20; ++run) by_part += PartLine(run, part);
  }
  const std::vector<RunRecord> records = ReadAll({Put(by_run, "run.jsonl")});
  EXPECT_THAT(records, SizeIs(20));
  EXPECT_THAT(records[0].parts, SizeIs(3));
  EXPECT_EQ(records[0].run.account.total_tests, 3);
  const std::string other = Put(by_part, "part.jsonl");
  EXPECT_THAT(ReadAll({other}), SizeIs(20)) << "they fit into one batch";
  EXPECT_EQ(Merged(ReadAll({other})), Merged(records));
  EXPECT_EQ(Merged(ReadAll({other}, {.records = 7, .bytes = 1 << 20})), Merged(records));
  EXPECT_EQ(Merged(ReadAll({other}, {.records = 4096, .bytes = 1})), Merged(records));
}

TEST_F(ResultsSourceTest, SeveralFilesAreOneSource) {
  const std::string one = Put(PartLine(1, 0) + PartLine(2, 0), "1.jsonl");
  const std::string two = Put(PartLine(2, 1) + PartLine(3, 0), "2.jsonl");
  const std::vector<RunRecord> records = ReadAll({one, two});
  ASSERT_THAT(records, SizeIs(3));
  EXPECT_THAT(records[1].parts, SizeIs(2));
  const auto reader = FindFormat("results")->read({one, two}, {});
  EXPECT_EQ(reader->name(), one + " and 1 more");
}

TEST_F(ResultsSourceTest, ARepeatedLineAddsNothingAndADifferentOneIsAConflict) {
  const std::string line = PartLine(1, 0);
  EXPECT_THAT(ReadAll({Put(line + line)}).at(0).parts, SizeIs(1));
  EXPECT_THAT(ReadAll({Put(Line("r") + Line("r"))}).at(0).parts, SizeIs(1)) << "without a part_id";
  // The target reports it.
  const std::vector<RunRecord> records = ReadAll({Put(line + Line("run1", R"(,"part_id":"0","passed":["Z.Z"])"))});
  ASSERT_THAT(records, SizeIs(2));
  EXPECT_EQ(MergeRecords(records[0], records[1]).outcome, MergeOutcome::kConflict);
}

TEST_F(ResultsSourceTest, NothingIsReturnedOfFilesOfWhichOneIsDamaged) {
  const std::string good = Put(PartLine(1, 0), "good.jsonl"), bad = Put(PartLine(2, 0) + "{\"run\n", "bad.jsonl");
  try {
    FindFormat("results")->read({good, bad}, {});
    FAIL() << "it was read";
  } catch (const StoreError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr(bad), HasSubstr("line 2 ")));
  }
}

TEST_F(ResultsSourceTest, AFileThatChangesWhileItIsReadIsRefused) {
  const std::string file = Put(PartLine(1, 0));
  const auto reader = FindFormat("results")->read({file}, {});
  Put(PartLine(1, 1));
  EXPECT_THROW(
      {
        while (reader->Next({})) {
        }
      },
      StoreError);
}

TEST_F(ResultsSourceTest, AProjectIsGivenToLinesThatNameNone) {
  const std::string file = Put(Line("a") + Line("b", R"(,"project":"own")"));
  const std::vector<RunRecord> records = ReadAll({file}, {}, {.project = "given"});
  EXPECT_EQ(records[0].run.project, "given");
  EXPECT_EQ(records[1].run.project, "own");
}

TEST_F(ResultsSourceTest, RemarksNameWhatWasNotUnderstood) {
  const std::string file = Put(Line("a", R"(,"project":"p","team":"x")") + Line("b", R"(,"team":"y")"));
  const auto reader = FindFormat("results")->read({file}, {});
  while (reader->Next({})) {
  }
  std::vector<std::string> texts;
  for (const Remark& remark : reader->remarks()) {
    texts.push_back(remark.text);
    EXPECT_FALSE(remark.is_loss);
  }
  EXPECT_THAT(texts, ElementsAre("the format has no field 'team'; it was skipped (first in line 1, 2 times)",
                                 "1 line names no project: --project NAME gives them one"));
}

TEST_F(ResultsSourceTest, WhatIsWrittenIsReadWithTheSameContent) {
  for (const Format& format : FormatTable()) {
    std::string bytes;
    const auto writer =
        format.write({"flaky 9.9.9", "sqlite:/x/h.db", At(0)}, [&](std::string_view more) { bytes += more; });
    std::vector<RunRecord> records;
    for (int run = 0; run < 30; ++run) {
      records.push_back(
          BuildRecord("run" + std::to_string(run)).Part("a", 0).Part("b", 5, 1).Fail("Suite.Test").Build());
      records.back().failures[0].attempt = 0;
    }
    writer->Write(records);
    writer->Finish();
    EXPECT_EQ(writer->content().totals, (Totals{30, 60, 30})) << format.name;
    EXPECT_THAT(writer->remarks(), IsEmpty());
    const std::string file = Put(bytes, std::string(format.name));
    EXPECT_EQ(FormatOfFile(file), &format);
    const auto reader = format.read({file}, {});
    std::vector<RunRecord> back;
    while (std::optional<Batch> batch = reader->Next({})) {
      for (RunRecord& record : batch->records) back.push_back(std::move(record));
    }
    EXPECT_EQ(reader->content(), writer->content()) << format.name;
    EXPECT_EQ(Merged(back), Merged(records)) << format.name;
  }
}

TEST_F(ResultsSourceTest, AFormatIsRecognisedByItsContent) {
  EXPECT_EQ(FormatOfFile(Put("\xEF\xBB\xBF\r\n {\"started_at\":\"x\",\"run_id\":\"r\"}"))->name, "results");
  EXPECT_EQ(FormatOfFile(Put(R"({"format":"flaky_history","type":"header"})"))->name, "history");
  EXPECT_EQ(FormatOfFile(Put("")), nullptr);
  EXPECT_EQ(FormatOfFile(Put("hello \"run_id\"")), nullptr);
  EXPECT_EQ(FormatOfFile(folder_.File("missing")), nullptr);
  EXPECT_EQ(FormatOfFile(folder_.path().string()), nullptr);
  EXPECT_EQ(FindFormat("junit"), nullptr);
}

}  // namespace
}  // namespace flaky
