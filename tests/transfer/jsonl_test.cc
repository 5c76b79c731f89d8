#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdio>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "history/fields.h"
#include "history/text.h"
#include "stores/memory/memory_store.h"
#include "tests/support/generate_history.h"
#include "tests/support/journal_text.h"
#include "tests/support/record_builder.h"
#include "tests/support/temp_folder.h"
#include "transfer/compression.h"
#include "transfer/copy.h"
#include "transfer/jsonl_reader.h"
#include "transfer/jsonl_writer.h"
#include "transfer/new_file.h"

namespace flaky {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

std::string Written(const std::vector<RunRecord>& records, Compression compression = Compression::kNone) {
  std::string bytes;
  const auto encoder = MakeEncoder(compression, [&](std::string_view more) { bytes += more; });
  JsonlWriter writer({"flaky 9.9.9", "sqlite:/x/h.db", At(0)}, [&](std::string_view more) { encoder->Write(more); });
  for (const RunRecord& record : records) writer.Write({&record, 1});
  writer.Finish();
  encoder->Finish();
  return bytes;
}

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

std::string Joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + '\n';
  return text;
}

std::map<std::string, Digest> Digests(const std::vector<RunRecord>& records) {
  std::map<std::string, Digest> digests;
  for (const RunRecord& record : records) digests[record.run.run_id] = DigestOf(record);
  return digests;
}

std::vector<RunRecord> Generated(int64_t runs) {
  HistoryShape shape;
  shape.runs = runs;
  shape.npm_share = 0.3;
  return GenerateHistory(shape);
}

class JsonlTest : public testing::Test {
 protected:
  std::string Put(const std::string& bytes) const {
    std::filesystem::remove(folder_.File("h.jsonl"));  // some file systems wait for the disk when one is overwritten
    WriteWholeFile(folder_.File("h.jsonl"), bytes);
    return folder_.File("h.jsonl");
  }
  std::vector<RunRecord> ReadAll(const std::string& bytes) const {
    JsonlReader reader(Put(bytes));
    std::vector<RunRecord> records;
    while (std::optional<Batch> batch = reader.Next({})) {
      for (RunRecord& record : batch->records) records.push_back(std::move(record));
    }
    return records;
  }
  // What is said of a file that is refused.
  std::string Refusal(const std::string& bytes, ErrorKind kind = ErrorKind::kInvalid) const {
    try {
      ReadAll(bytes);
    } catch (const StoreError& error) {
      EXPECT_EQ(error.kind(), kind) << error.what();
      EXPECT_THAT(error.what(), HasSubstr(folder_.File("h.jsonl")));
      return error.what();
    }
    return "";
  }

  TempFolder folder_;
};

RunRecord Hostile() {
  RunRecord record = BuildRecord("").Project("").Part("p \"\\/1", 0, 1).Fail("S.A", "").Fail("S.B").Build();
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

TEST_F(JsonlTest, GivesBackWhatWasWritten) {
  std::vector<RunRecord> records = Generated(400);
  records.push_back(Hostile());
  for (const Compression compression : {Compression::kNone, Compression::kGzip, Compression::kZstd}) {
    const std::vector<RunRecord> read = ReadAll(Written(records, compression));
    ASSERT_EQ(read.size(), records.size());
    EXPECT_EQ(Digests(read), Digests(records));
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

TEST_F(JsonlTest, AnEmptyHistoryIsAHistory) {
  const std::string text = Written({});
  EXPECT_EQ(LinesOf(text).size(), 2u);
  EXPECT_TRUE(ReadAll(text).empty());
}

TEST_F(JsonlTest, EveryLineIsAnObjectWithTheColumnsThatAreKnown) {
  const RunRecord record = BuildRecord("r1").Part("p1", 0, 1).Fail("S.A", "\"no\"").Build();
  std::vector<json> lines;
  for (const std::string& line : LinesOf(Written({record, record}))) lines.push_back(json::parse(line));
  ASSERT_EQ(lines.size(), 9u) << "header, roster once, run, part, failure twice, footer";
  EXPECT_EQ(lines[0], json({{"type", "header"},
                            {"format", "flaky_history"},
                            {"version", "1.0"},
                            {"program", "flaky 9.9.9"},
                            {"written_at", "2026-01-01T00:00:00.000Z"},
                            {"source", "sqlite:/x/h.db"}}));
  EXPECT_EQ(lines[1]["type"], "run");
  EXPECT_EQ(lines[1]["digest"], DigestOf(record).ToString());
  EXPECT_EQ(lines[1]["total_tests"], 2);
  EXPECT_FALSE(lines[1].contains("project")) << "what is not known is left out";
  EXPECT_EQ(
      lines[2],
      json({{"type", "roster"}, {"roster_id", record.rosters[0]->roster_id}, {"tests", record.rosters[0]->tests}}));
  EXPECT_EQ(lines[3]["run_id"], "r1");
  EXPECT_EQ(lines[3]["part_id"], "p1");
  EXPECT_EQ(lines[4]["error_message"], "\"no\"");
  Digest sum = DigestOf(record);
  sum += DigestOf(record);
  EXPECT_EQ(lines[8],
            json({{"type", "footer"}, {"runs", 2}, {"parts", 2}, {"failures", 2}, {"digest", sum.ToString()}}));
}

TEST_F(JsonlTest, NullIsAsGoodAsLeftOut) {
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

TEST_F(JsonlTest, RostersAreRepeatedOnceTheyAreTooFarBack) {
  std::vector<RunRecord> records;
  const auto add = [&](size_t number) {
    RunRecord record = BuildRecord("run" + std::to_string(records.size())).Part("p", 0).Build();
    record.rosters = {MakeRoster({{"S.T" + std::to_string(number), {1, 0}}})};
    record.parts[0].roster_id = record.rosters[0]->roster_id;
    records.push_back(record);
  };
  for (size_t i = 0; i < RosterWindow::kMaxRosters; ++i) add(i);
  add(0);  // still among the last ones
  add(RosterWindow::kMaxRosters);
  add(0);  // no longer
  const std::string text = Written(records);
  size_t rosters = 0;
  for (const std::string& line : LinesOf(text)) rosters += line.starts_with(R"({"type":"roster")") ? 1 : 0;
  EXPECT_EQ(rosters, RosterWindow::kMaxRosters + 2);
  EXPECT_EQ(Digests(ReadAll(text)), Digests(records));
}

TEST_F(JsonlTest, ARunMayHaveMoreRostersThanAreRemembered) {
  RunRecord record = BuildRecord("wide").Build();
  for (size_t i = 0; i < 2 * RosterWindow::kMaxRosters; ++i) {
    const RosterPtr roster = MakeRoster({{"S.T" + std::to_string(i), {1, 0}}});
    Part part;
    part.part_id = "p" + std::to_string(i);
    part.roster_id = roster->roster_id;
    record.parts.push_back(part);
    record.rosters.push_back(roster);
  }
  const auto read = ReadAll(Written({record}));
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(read[0].rosters.size(), record.rosters.size());
}

TEST_F(JsonlTest, TheWindowIsBoundedInBytes) {
  RosterWindow window;
  const auto roster = [](const std::string& id, size_t size) {
    return std::make_shared<const Roster>(Roster{id, std::string(size, 'x')});
  };
  window.Add(roster("a", 10));
  window.Add(roster("b", RosterWindow::kMaxBytes - 10));
  EXPECT_NE(window.Find("a"), nullptr);
  window.Add(roster("c", 1));
  EXPECT_EQ(window.Find("a"), nullptr);
  EXPECT_NE(window.Find("b"), nullptr);
  window.Add(roster("d", 2 * RosterWindow::kMaxBytes));
  EXPECT_EQ(window.Find("c"), nullptr);
  EXPECT_NE(window.Find("d"), nullptr);
}

TEST_F(JsonlTest, ACutAtAnyByteIsNoticed) {
  const std::vector<RunRecord> records = {BuildRecord("r1").Part("p1", 0, 1).Fail("S.A", "m\xC3\xA4h").Build(),
                                          BuildRecord("r2").Fail("S.B").Build()};
  for (const Compression compression : {Compression::kNone, Compression::kGzip, Compression::kZstd}) {
    const std::string whole = Written(records, compression);
    ASSERT_EQ(ReadAll(whole).size(), 2u);
    for (size_t size = 0; size < whole.size(); ++size) {
      EXPECT_NE(Refusal(whole.substr(0, size)), "") << "cut at " << size << " of " << whole.size();
    }
  }
}

TEST_F(JsonlTest, AChangedBitNeverGivesAnotherRun) {
  const std::vector<RunRecord> records = {BuildRecord("r1").Part("p1", 0, 1).Fail("S.A", "m\xC3\xA4h").Build(),
                                          BuildRecord("r2").Fail("S.B").Build()};
  const auto wanted = Digests(records);
  for (const Compression compression : {Compression::kNone, Compression::kGzip, Compression::kZstd}) {
    const std::string whole = Written(records, compression);
    const size_t header = compression == Compression::kNone ? whole.find('\n') + 1 : 0;
    for (size_t at = 0; at < whole.size(); ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        std::string changed = whole;
        changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
        try {
          EXPECT_EQ(Digests(ReadAll(changed)), wanted) << "bit " << bit << " of byte " << at;
          // What may change unnoticed is what the runs are not made of: where they are from, how they were compressed.
          EXPECT_TRUE(at < header || compression != Compression::kNone) << "bit " << bit << " of byte " << at;
        } catch (const StoreError&) {
        }
      }
    }
  }
}

TEST_F(JsonlTest, LinesThatAreMissingDoubledOrMovedAreNoticed) {
  const std::vector<std::string> lines =
      LinesOf(Written({BuildRecord("r1").Part("p1", 0, 1).Part("p2", 9).Fail("S.A").Fail("S.C").Build(),
                       BuildRecord("r2").Fail("S.B").Build(), BuildRecord("r3").Build()}));
  for (size_t i = 0; i < lines.size(); ++i) {
    std::vector<std::string> missing = lines, doubled = lines, blank = lines;
    missing.erase(missing.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_NE(Refusal(Joined(missing)), "") << "without " << lines[i];
    blank[i] = "";
    EXPECT_NE(Refusal(Joined(blank)), "") << "blank " << lines[i];
    doubled.insert(doubled.begin() + static_cast<std::ptrdiff_t>(i), lines[i]);
    const bool is_roster = lines[i].starts_with(R"({"type":"roster")");  // says the same twice
    EXPECT_EQ(Refusal(Joined(doubled)).empty(), is_roster) << "doubled " << lines[i];
  }
}

TEST_F(JsonlTest, ARefusalNamesLineAndReason) {
  const std::vector<std::string> lines = LinesOf(Written({BuildRecord("r1").Part("p1", 0, 1).Fail("S.A").Build()}));
  ASSERT_EQ(lines.size(), 6u);
  const auto with = [&](size_t line, const std::string& field, const json& value) {
    std::vector<std::string> changed = lines;
    json object = json::parse(lines[line - 1]);
    object[field] = value;
    changed[line - 1] = object.dump();
    return Refusal(Joined(changed));
  };
  const auto without = [&](size_t line, const std::string& field) {
    std::vector<std::string> changed = lines;
    json object = json::parse(lines[line - 1]);
    object.erase(field);
    changed[line - 1] = object.dump();
    return Refusal(Joined(changed));
  };
  const auto instead = [&](size_t line, const std::string& text) {
    std::vector<std::string> changed = lines;
    changed[line - 1] = text;
    return Refusal(Joined(changed));
  };
  EXPECT_THAT(with(5, "line", "7"), AllOf(HasSubstr("line 5 "), HasSubstr("'line'"), HasSubstr("whole number")));
  EXPECT_THAT(with(5, "line", 7.5), HasSubstr("whole number"));
  EXPECT_THAT(with(5, "line", 9223372036854775808u), HasSubstr("whole number"));
  EXPECT_THAT(with(2, "git_dirty", 1), AllOf(HasSubstr("line 2 "), HasSubstr("true or false")));
  EXPECT_THAT(with(2, "started_at", "yesterday"), AllOf(HasSubstr("'started_at'"), HasSubstr("YYYY-MM-DD")));
  EXPECT_THAT(with(5, "error_message", std::string("a\0b", 3)), AllOf(HasSubstr("line 5 "), HasSubstr("NUL")));
  EXPECT_THAT(with(5, "error_message", 5), HasSubstr("not a text"));
  EXPECT_THAT(with(5, "run_id", "r2"), AllOf(HasSubstr("line 5 "), HasSubstr("'r2'")));
  EXPECT_THAT(with(2, "colour", "red"), AllOf(HasSubstr("line 2 "), HasSubstr("'colour'"), HasSubstr("1.0")));
  EXPECT_THAT(with(2, "branch", "other"), AllOf(HasSubstr("line 6 "), HasSubstr("of line 2"), HasSubstr("digest")));
  EXPECT_THAT(with(3, "tests", "{}"), AllOf(HasSubstr("line 3 "), HasSubstr("roster")));
  EXPECT_THAT(with(4, "roster_id", std::string(32, 'a')), AllOf(HasSubstr("line 4 "), HasSubstr("roster")));
  EXPECT_THAT(with(6, "failures", 2), AllOf(HasSubstr("line 6 "), HasSubstr("2 failures, but 1")));
  EXPECT_THAT(with(6, "digest", std::string(32, '0')), AllOf(HasSubstr("line 6 "), HasSubstr("digest")));
  EXPECT_THAT(with(5, "type", "remark"), AllOf(HasSubstr("line 5 "), HasSubstr("'remark'")));
  EXPECT_THAT(without(5, "test_name"), AllOf(HasSubstr("line 5 "), HasSubstr("test_name")));
  EXPECT_THAT(with(5, "test_name", nullptr), AllOf(HasSubstr("line 5 "), HasSubstr("test_name")));
  EXPECT_THAT(without(5, "type"), AllOf(HasSubstr("line 5 "), HasSubstr("type")));
  EXPECT_THAT(instead(5, "nonsense"), HasSubstr("line 5 is no JSON object"));
  EXPECT_THAT(instead(5, "[]"), HasSubstr("line 5 is no JSON object"));
  EXPECT_THAT(instead(5, "{\"type\":\"failure\",\"x\":\"\xFF\"}"), HasSubstr("line 5 is not UTF-8"));
  EXPECT_NE(instead(5, R"({"type":"failure","x":"\udc00"})"), "");
  EXPECT_THAT(instead(5, R"({"type":"failure","run_id":"r1","test_file":"f","test_name":"\udc00"})"),
              HasSubstr("line 5 "));
  EXPECT_THAT(instead(5, lines[4].substr(0, lines[4].size() - 1) + R"(,"test_name":"S.B"})"),
              AllOf(HasSubstr("line 5 "), HasSubstr("'test_name' twice")));
  EXPECT_THAT(Refusal(Joined(lines) + lines[5] + '\n'), AllOf(HasSubstr("line 7 "), HasSubstr("footer")));
  EXPECT_THAT(Refusal(Joined(lines) + Joined(lines)), AllOf(HasSubstr("line 7 "), HasSubstr("footer")));
}

TEST_F(JsonlTest, WhatIsNoHistoryIsRefused) {
  for (const std::string& bytes :
       {std::string(), std::string("\n"), std::string("SQLite format 3\0 and so on\n", 28), std::string("{}\n"),
        std::string("{\"flaky_journal\":1}\n"), std::string("{\"type\":\"header\",\"format\":\"other\"}\n"),
        std::string("{\"type\":\"header\"}\n"), std::string("\x1f\x8b"), std::string("\x28\xb5\x2f\xfd"),
        std::string("{\"type\":\"header\",\"format\":\"flaky_history\",\"version\":\"one\"}\n")}) {
    EXPECT_NE(Refusal(bytes), "") << bytes;
  }
  EXPECT_THROW(JsonlReader(folder_.File("none")), StoreError);
  EXPECT_THROW(JsonlReader(folder_.path().string()), StoreError);
}

TEST_F(JsonlTest, ALineHasALimit) {
  const std::string file = Put(Written({BuildRecord("r").Fail("S.A", std::string(600'000, 'x')).Build()}));
  JsonlReader enough(file, 700'000);
  EXPECT_EQ(enough.Next({})->records.size(), 1u);
  JsonlReader small(file, 500'000);
  try {
    small.Next({});
    FAIL();
  } catch (const StoreError& error) {
    EXPECT_THAT(error.what(), HasSubstr("line 3 is longer than 500000 bytes"));
  }
}

TEST_F(JsonlTest, WhatANewerMinorVersionAddsIsCountedAndLeftOut) {
  const std::vector<RunRecord> records = {BuildRecord("r1").Part("p1", 0, 1).Fail("S.A").Fail("S.B").Build()};
  std::vector<std::string> lines = LinesOf(Written(records));
  for (std::string& line : lines) {
    json object = json::parse(line);
    if (object["type"] == "header") object["version"] = "1.7";
    if (object["type"] == "failure") object["colour"] = "red";
    if (object.contains("digest")) object["digest"] = std::string(32, '7');  // it covers the colour
    line = object.dump();
  }
  lines.insert(lines.begin() + 2, R"({"type":"remark","text":"hello"})");
  JsonlReader reader(Put(Joined(lines)));
  const auto batch = reader.Next({});
  ASSERT_TRUE(batch);
  EXPECT_EQ(Digests(batch->records), Digests(records));
  EXPECT_FALSE(reader.Next({}));
  EXPECT_TRUE(reader.newer());
  EXPECT_EQ(reader.version(), "1.7");
  EXPECT_EQ(reader.unknown(),
            (std::map<std::string, int64_t>{{"field 'colour' of a failure", 2}, {"line of type 'remark'", 1}}));

  lines.erase(lines.end() - 2);  // a failure
  EXPECT_THAT(Refusal(Joined(lines)), HasSubstr("2 failures, but 1"));
}

TEST_F(JsonlTest, ANewerMajorVersionIsRefused) {
  std::string text = Written({});
  text.replace(text.find("1.0"), 3, "2.0");
  EXPECT_THAT(Refusal(text, ErrorKind::kSchemaTooNew), AllOf(HasSubstr("2.0"), HasSubstr("1.0")));
}

TEST_F(JsonlTest, AFileMadeByHandNeedsNoDigests) {
  const std::string text = R"({"type":"header","format":"flaky_history","version":"1.0"})"
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

TEST_F(JsonlTest, SeveralCompressedStreamsBehindOneAnotherAreOne) {
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

TEST_F(JsonlTest, TheSameRunTwiceBecomesOneInTheStore) {
  const RunRecord first = BuildRecord("same").Part("p1", 0, 1).Fail("S.A").Build();
  const RunRecord second = BuildRecord("same").Part("p2", 60).Build();
  JsonlReader reader(Put(Written({first, BuildRecord("other").Build(), second, first})));
  const auto history = MakeMemoryHistory();
  const auto store = OpenMemory(history, OpenMode::kWrite, "memory");
  StoreSink sink(*store);
  struct NoProgress : Progress {
    void Update(const CopyProgress&) override {}
    void Done(const CopyProgress&) override {}
  } progress;
  const CopyAccount account = Copy(reader, sink, {}, progress);
  EXPECT_TRUE(account.Verified());
  EXPECT_EQ(account.runs, 4);
  EXPECT_EQ(store->Count({}), (Totals{2, 2, 1}));
}

TEST_F(JsonlTest, ADamagedRunDoesNotReachTheStoreAndThoseBeforeItDo) {
  std::vector<RunRecord> records;
  for (int i = 0; i < 50; ++i) records.push_back(BuildRecord("r" + std::to_string(i)).Fail("S.A").Build());
  std::string text = Written(records);
  const size_t at = text.find("Expected", text.find(R"("failure","run_id":"r30")"));
  text[at] = 'X';
  JsonlReader reader(Put(text));
  const BatchLimits ten{10, 1 << 20};
  size_t given = 0;
  try {
    while (const auto batch = reader.Next(ten)) given += batch->records.size();
    FAIL();
  } catch (const StoreError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("'r30'"), HasSubstr("may have been taken over")));
  }
  EXPECT_EQ(given, 30u);
}

TEST_F(JsonlTest, WhatTheFormatCannotHoldIsRefusedByTheWriter) {
  RunRecord record = BuildRecord("r1").Fail("S.A", "bytes \xFF").Build();
  EXPECT_THROW(Written({record}), StoreError);
  record = BuildRecord("r1").Part("p1", 0).Build();
  record.rosters.clear();
  EXPECT_THROW(Written({record}), StoreError);
}

TEST_F(JsonlTest, ANewFileHasItsNameOnlyWhenItIsWhole) {
  const std::string path = folder_.File("f");
  {
    NewFile file(path);
    file.Write("half");
    EXPECT_TRUE(std::filesystem::exists(path + ".part"));
    EXPECT_THROW(NewFile{path}, StoreError) << "another one is writing it";
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
  WriteWholeFile(path, "old");
  WriteWholeFile(path + ".part", "what a killed process left, longer than what comes");
  std::filesystem::create_symlink("f", folder_.File("link"));
  {
    NewFile file(folder_.File("link"));
    file.Write("new");
    EXPECT_EQ(ReadWholeFile(path), "old");
    file.Publish();
  }
  EXPECT_EQ(ReadWholeFile(path), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder_.File("link")));
  EXPECT_FALSE(std::filesystem::exists(path + ".part"));
  struct stat status {};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(JsonlTest, ANewFileRefusesWhatIsNoFile) {
  EXPECT_THROW(NewFile("/dev/null"), StoreError);
  EXPECT_THROW(NewFile(folder_.path().string()), StoreError);
  EXPECT_THROW(NewFile(folder_.File("none/f")), StoreError);
  std::filesystem::create_symlink("/etc/passwd", folder_.File("f.part"));
  EXPECT_THROW(NewFile(folder_.File("f")), StoreError);
}

}  // namespace
}  // namespace flaky
