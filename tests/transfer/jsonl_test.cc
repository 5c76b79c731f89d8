// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "history/fields.h"
#include "history/text.h"
#include "stores/memory/memory_store.h"
#include "tests/support/contents.h"
#include "tests/support/generate_history.h"
#include "tests/support/part_counts.h"
#include "tests/transfer/jsonl_fixture.h"
#include "transfer/copy.h"

namespace flaky {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

std::vector<RunRecord> Generated(int64_t runs) {
  HistoryShape shape;
  shape.runs = runs;
  shape.npm_share = 0.3;
  return GenerateHistory(shape);
}

RunRecord Hostile() {
  RunRecord record = BuildRecord(" ").Project("").Part("p \"\\/1", 0, 1).Fail("S.A", "").Fail("S.B").Build();
  Run& run = record.run;
  run.git_sha = "";
  run.git_dirty = false;
  run.branch = "\xF0\x9F\x92\xA9 \xE2\x80\xAE\xEF\xBF\xBF\x7F";
  run.test_args = "{\"type\":\"footer\"}\n\r\n\t\x01\x1f\b\f \xE2\x80\xA8\xE2\x80\xA9 \\u0000 </script>";
  run.account.total_tests = kLeast;
  run.account.passed_tests = kMost;
  run.account.started_at = *Timestamp::Parse("2026-01-01T00:00:00.000001Z");
  run.account.ended_at = *Timestamp::Parse("9999-12-31T23:59:59.999999Z");
  record.failures[0].line = kMost;
  record.failures[0].shuffle_seed = kLeast;
  record.failures[0].failed_at = *Timestamp::Parse("0000-01-01T00:00:00Z");
  record.failures[0].error_stack = std::string(100'000, '\x02');
  record.failures[1].part_id.reset();
  record.failures[1].failure_kind = "a kind of another tool";
  return record;
}

TEST_F(JsonlTest, ReadsWhatWasWritten) {
  std::vector<RunRecord> records = Generated(400);
  records.push_back(Hostile());
  for (const Compression compression : {Compression::kNone, Compression::kGzip, Compression::kZstd}) {
    const std::vector<RunRecord> read = ReadAll(Written(records, compression));
    ASSERT_EQ(read.size(), records.size());
    EXPECT_EQ(ContentsOf(read), ContentsOf(records));
    for (size_t i = 0; i < read.size(); ++i) {
      EXPECT_EQ(read[i].run, records[i].run);
      EXPECT_EQ(read[i].parts, records[i].parts);
      EXPECT_EQ(read[i].failures, records[i].failures);
      std::set<std::string> rosters, wanted;
      for (const RosterPtr& roster : read[i].rosters) rosters.insert(roster->tests);
      for (const RosterPtr& roster : records[i].rosters) wanted.insert(roster->tests);
      EXPECT_EQ(rosters, wanted);
    }
  }
}

TEST_F(JsonlTest, ReadsAnEmptyHistory) {
  const std::string text = Written({});
  EXPECT_EQ(LinesOf(text).size(), 2u);
  EXPECT_TRUE(ReadAll(text).empty());
}

TEST_F(JsonlTest, EachLineIsAnObjectWithTheKnownColumns) {
  const RunRecord record = BuildRecord("r1").Part("p1", 0, 1).Fail("S.A", "\"no\"").Build();
  std::vector<json> lines;
  for (const std::string& line : LinesOf(Written({record, record}))) lines.push_back(json::parse(line));
  ASSERT_EQ(lines.size(), 10u) << "header, list and roster once, run, part, failure twice, footer";
  EXPECT_EQ(lines[0], json({{"type", "header"},
                            {"format", "flaky_history"},
                            {"version", "2.0"},
                            {"program", "flaky 9.9.9"},
                            {"written_at", "2026-01-01T00:00:00.000Z"},
                            {"source", "sqlite:/x/h.db"}}));
  EXPECT_EQ(lines[1]["type"], "run");
  EXPECT_EQ(lines[1]["digest"], DigestOf(record).ToString());
  EXPECT_EQ(lines[1]["total_tests"], 2);
  EXPECT_FALSE(lines[1].contains("project")) << "an absent field is left out";
  const auto roster = [&](size_t at) {
    return json(
        {{"type", "roster"}, {"roster_id", record.rosters[at]->roster_id}, {"tests", record.rosters[at]->tests}});
  };
  EXPECT_EQ(lines[2], roster(1)) << "the list";
  EXPECT_EQ(lines[3], roster(0));
  EXPECT_EQ(lines[4]["run_id"], "r1");
  EXPECT_EQ(lines[4]["part_id"], "p1");
  EXPECT_EQ(lines[5]["error_message"], "\"no\"");
  Digest sum = DigestOf(record);
  sum += DigestOf(record);
  EXPECT_EQ(lines[9],
            json({{"type", "footer"}, {"runs", 2}, {"parts", 2}, {"failures", 2}, {"digest", sum.ToString()}}));
}

TEST_F(JsonlTest, NullMeansAbsent) {
  const RunRecord record = BuildRecord("r1").Fail("S.A").Build();
  std::vector<std::string> lines = LinesOf(Written({record}));
  json run = json::parse(lines[1]);
  run["project"] = nullptr;
  run["git_dirty"] = nullptr;
  run["total_tests"] = nullptr;
  lines[1] = run.dump();
  const std::vector<RunRecord> read = ReadAll(Joined(lines));
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(read[0].run, record.run);
}

TEST_F(JsonlTest, ARosterIsRepeatedWhenItHasLeftTheWindow) {
  std::vector<RunRecord> records;
  const auto add = [&](size_t number) {
    RunRecord record = BuildRecord("run" + std::to_string(records.size())).Part("p", 0).Build();
    GiveTests(record, {{"S.T" + std::to_string(number), {1, 0}}});
    records.push_back(record);
  };
  constexpr size_t kFit = RosterWindow::kMaxRosters / 2;  // each roster has a list
  for (size_t i = 0; i < kFit; ++i) add(i);
  add(0);  // still among the last ones
  add(kFit);
  add(0);  // no longer
  const std::string text = Written(records);
  size_t rosters = 0;
  for (const std::string& line : LinesOf(text)) rosters += line.starts_with(R"({"type":"roster")") ? 1 : 0;
  EXPECT_EQ(rosters, 2 * (kFit + 2));
  EXPECT_EQ(ContentsOf(ReadAll(text)), ContentsOf(records));
}

TEST_F(JsonlTest, ARunMayHaveMoreRostersThanTheWindow) {
  RunRecord record = BuildRecord("wide").Build();
  for (size_t i = 0; i < 2 * RosterWindow::kMaxRosters; ++i) {
    Part part;
    part.part_id = "p" + std::to_string(i);
    std::ranges::move(GiveTests(part, {{"S.T" + std::to_string(i), {1, 0}}}), std::back_inserter(record.rosters));
    record.parts.push_back(part);
  }
  const auto read = ReadAll(Written({record}));
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(read[0].rosters.size(), record.rosters.size());
}

TEST_F(JsonlTest, ARunMayHaveMoreListsThanTheWindow) {
  Counts tests;  // each makes a list, and all are more than the bytes of the window
  for (int i = 100; i < 190; ++i) tests[std::string(200'000, 'x') + std::to_string(i)] = {1, 0};
  std::vector<RunRecord> records;
  for (const std::string id : {"a", "b", "c"}) {
    records.push_back(BuildRecord(id).Part("p", 0).Build());
    GiveTests(records.back(), id == "b" ? Counts{{"S.Other", {1, 0}}} : tests);
  }
  EXPECT_EQ(records[0].rosters.size(), 91u);
  EXPECT_EQ(ContentsOf(ReadAll(Written(records))), ContentsOf(records));
}

TEST_F(JsonlTest, TheWindowIsBoundedInBytes) {
  RosterWindow window;
  const auto add = [&](const std::string& id, size_t size) {
    window.Add(std::make_shared<const Roster>(Roster{id, "{" + std::string(size - 1, 'x')}), {});
  };
  add("a", 10);
  add("b", RosterWindow::kMaxBytes - 10);
  EXPECT_NE(window.Find("a"), nullptr);
  add("c", 1);
  EXPECT_EQ(window.Find("a"), nullptr);
  EXPECT_NE(window.Find("b"), nullptr);
  add("d", 2 * RosterWindow::kMaxBytes);
  EXPECT_EQ(window.Find("c"), nullptr);
  EXPECT_NE(window.Find("d"), nullptr);
}

TEST_F(JsonlTest, VersionOneCanStillBeRead) {
  const std::string tests = R"({"S.A":1,"S.B":[2,1],"S.C":[0,1]})";
  const std::string id = ContentId(tests);
  const std::string text =
      R"({"type":"header","format":"flaky_history","version":"1.0"})"
      "\n"
      R"({"type":"run","run_id":"r","started_at":"2026-01-01T00:00:00.000Z","digest":"00000000000000000000000000000000"})"
      "\n" +
      json({{"type", "roster"}, {"roster_id", id}, {"tests", tests}}).dump() +
      "\n"
      R"({"type":"part","run_id":"r","part_id":"p","started_at":"2026-01-01T00:00:00.000Z","roster_id":")" +
      id +
      "\"}\n"
      R"({"type":"footer","runs":1,"parts":1,"failures":0,"digest":"00000000000000000000000000000000"})"
      "\n";
  const std::vector<RunRecord> read = ReadAll(text);
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(CountsOf(read[0]), (Counts{{"S.A", {1, 0}}, {"S.B", {2, 1}}, {"S.C", {0, 1}}}));
}

TEST_F(JsonlTest, CountsAndIgnoresWhatANewerMinorVersionAdds) {
  const std::vector<RunRecord> records = {BuildRecord("r1").Part("p1", 0, 1).Fail("S.A").Fail("S.B").Build()};
  std::vector<std::string> lines = LinesOf(Written(records));
  for (std::string& line : lines) {
    json object = json::parse(line);
    if (object["type"] == "header") object["version"] = "2.7";
    if (object["type"] == "failure") object["colour"] = "red";
    if (object.contains("digest")) object["digest"] = std::string(32, '7');  // it covers the colour
    line = object.dump();
  }
  lines.insert(lines.begin() + 2, R"({"type":"remark","text":"hello"})");
  JsonlReader reader(Put(Joined(lines)));
  const auto batch = reader.Next({});
  ASSERT_TRUE(batch);
  EXPECT_EQ(ContentsOf(batch->records), ContentsOf(records));
  EXPECT_FALSE(reader.Next({}));
  EXPECT_TRUE(reader.newer());
  EXPECT_EQ(reader.version(), "2.7");
  EXPECT_EQ(reader.unknown(),
            (std::map<std::string, int64_t>{{"field 'colour' of a failure", 2}, {"line of type 'remark'", 1}}));

  lines.erase(lines.end() - 2);  // a failure
  EXPECT_THAT(Refusal(Joined(lines)), HasSubstr("2 failures, but 1"));
}

TEST_F(JsonlTest, RefusesANewerMajorVersion) {
  std::string text = Written({});
  text.replace(text.find("2.0"), 3, "3.0");
  EXPECT_THAT(Refusal(text, ErrorKind::kSchemaTooNew), AllOf(HasSubstr("3.0"), HasSubstr("2.0")));
}

TEST_F(JsonlTest, AFileWrittenByHandNeedsNoDigests) {
  const std::string text = R"({"type":"header","format":"flaky_history","version":"2.0"})"
                           "\n"
                           R"({"started_at":"2026-01-01 00:00:00","type":"run","run_id":"r"})"
                           "\r\n"
                           R"({"type":"footer","runs":1,"parts":0,"failures":0})"
                           "\n";
  ASSERT_EQ(ReadAll(text).size(), 1u);
  std::string changed = text;
  changed.replace(changed.find("\"runs\":1"), 8, "\"runs\":2");
  EXPECT_THAT(Refusal(changed), HasSubstr("line 3 "));
}

TEST_F(JsonlTest, ReadsSeveralCompressedStreamsInARowAsOne) {
  const std::string text = Written({BuildRecord("r1").Fail("S.A").Build()});
  for (const Compression compression : {Compression::kGzip, Compression::kZstd}) {
    std::string bytes;
    for (const std::string_view half : {std::string_view(text).substr(0, 100), std::string_view(text).substr(100)}) {
      const auto encoder = MakeEncoder(compression, [&](std::string_view more) { bytes += more; });
      encoder->Write(half);
      encoder->Finish();
    }
    EXPECT_EQ(ReadAll(bytes).size(), 1u);
    EXPECT_NE(Refusal(bytes + "x"), "");
  }
}

TEST_F(JsonlTest, TheStoreMergesARunThatOccursTwice) {
  const RunRecord first = BuildRecord("same").Part("p1", 0, 1).Fail("S.A").Build();
  const RunRecord second = BuildRecord("same").Part("p2", 60).Build();
  JsonlReader reader(Put(Written({first, BuildRecord("other").Build(), second, first})));
  const auto history = MakeMemoryHistory();
  const auto store = OpenMemory(history, OpenMode::kWrite, "memory");
  StoreSink sink(*store);
  SilentProgress progress;
  const CopySummary summary = Copy(reader, sink, {}, progress);
  EXPECT_TRUE(summary.Verified());
  EXPECT_EQ(summary.runs, 4);
  EXPECT_EQ(store->Count({}), (Totals{2, 2, 1}));
}

TEST_F(JsonlTest, TheWriterRefusesWhatTheFormatCannotHold) {
  RunRecord record = BuildRecord("r1").Fail("S.A", "bytes \xFF").Build();
  EXPECT_THROW(Written({record}), StoreError);
  record = BuildRecord("r1").Part("p1", 0).Build();
  record.rosters.clear();
  EXPECT_THROW(Written({record}), StoreError);
}

}  // namespace
}  // namespace flaky
