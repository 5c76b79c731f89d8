// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/support/contents.h"
#include "tests/support/part_counts.h"
#include "tests/transfer/jsonl_fixture.h"

// Files that are not a history, or only a part of one.
namespace flaky {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

using JsonlDamage = JsonlTest;

TEST_F(JsonlDamage, DetectsACutAtAnyByte) {
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

TEST_F(JsonlDamage, AChangedBitNeverChangesARun) {
  const std::vector<RunRecord> records = {BuildRecord("r1").Part("p1", 0, 1).Fail("S.A", "m\xC3\xA4h").Build(),
                                          BuildRecord("r2").Fail("S.B").Build()};
  const auto wanted = ContentsOf(records);
  for (const Compression compression : {Compression::kNone, Compression::kGzip, Compression::kZstd}) {
    const std::string whole = Written(records, compression);
    const size_t header = compression == Compression::kNone ? whole.find('\n') + 1 : 0;
    for (size_t at = 0; at < whole.size(); ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        std::string changed = whole;
        changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
        try {
          EXPECT_EQ(ContentsOf(ReadAll(changed)), wanted) << "bit " << bit << " of byte " << at;
          // Only changes outside of the runs may stay undetected: in the header, and in how the data is compressed.
          EXPECT_TRUE(at < header || compression != Compression::kNone) << "bit " << bit << " of byte " << at;
        } catch (const StoreError&) {
        }
      }
    }
  }
}

TEST_F(JsonlDamage, DetectsMissingAndRepeatedLines) {
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
    const bool is_roster = lines[i].starts_with(R"({"type":"roster")");  // repeats the same roster
    EXPECT_EQ(Refusal(Joined(doubled)).empty(), is_roster) << "doubled " << lines[i];
  }
}

TEST_F(JsonlDamage, ARefusalNamesLineAndReason) {
  const std::vector<std::string> lines = LinesOf(Written({BuildRecord("r1").Part("p1", 0, 1).Fail("S.A").Build()}));
  ASSERT_EQ(lines.size(), 7u);
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
  EXPECT_THAT(with(6, "line", "7"), AllOf(HasSubstr("line 6 "), HasSubstr("'line'"), HasSubstr("whole number")));
  EXPECT_THAT(with(6, "line", 7.5), HasSubstr("whole number"));
  EXPECT_THAT(with(6, "line", 9223372036854775808u), HasSubstr("whole number"));
  EXPECT_THAT(with(2, "git_dirty", 1), AllOf(HasSubstr("line 2 "), HasSubstr("true or false")));
  EXPECT_THAT(with(2, "started_at", "yesterday"), AllOf(HasSubstr("'started_at'"), HasSubstr("YYYY-MM-DD")));
  EXPECT_THAT(with(6, "error_message", std::string("a\0b", 3)), AllOf(HasSubstr("line 6 "), HasSubstr("NUL")));
  EXPECT_THAT(with(6, "error_message", 5), HasSubstr("not a text"));
  EXPECT_THAT(with(6, "run_id", "r2"), AllOf(HasSubstr("line 6 "), HasSubstr("'r2'")));
  EXPECT_THAT(with(2, "colour", "red"), AllOf(HasSubstr("line 2 "), HasSubstr("'colour'"), HasSubstr("2.0")));
  EXPECT_THAT(with(2, "branch", "other"), AllOf(HasSubstr("line 7 "), HasSubstr("of line 2"), HasSubstr("digest")));
  EXPECT_THAT(with(3, "tests", "{}"), AllOf(HasSubstr("line 3 "), HasSubstr("roster")));
  EXPECT_THAT(with(5, "roster_id", std::string(32, 'a')), AllOf(HasSubstr("line 5 "), HasSubstr("roster")));
  EXPECT_THAT(with(2, "run_id", ""), AllOf(HasSubstr("line 2 "), HasSubstr("empty run_id")));
  EXPECT_THAT(with(5, "part_id", ""), AllOf(HasSubstr("line 5 "), HasSubstr("empty part_id")));
  EXPECT_THAT(with(6, "part_id", "p2"), AllOf(HasSubstr("line 6 "), HasSubstr("part 'p2'")));
  EXPECT_THAT(with(6, "part_id", ""), AllOf(HasSubstr("line 6 "), HasSubstr("part ''")));
  EXPECT_THAT(with(7, "failures", 2), AllOf(HasSubstr("line 7 "), HasSubstr("2 failures, but 1")));
  EXPECT_THAT(with(7, "digest", std::string(32, '0')), AllOf(HasSubstr("line 7 "), HasSubstr("digest")));
  EXPECT_THAT(with(6, "type", "remark"), AllOf(HasSubstr("line 6 "), HasSubstr("'remark'")));
  EXPECT_THAT(without(6, "test_name"), AllOf(HasSubstr("line 6 "), HasSubstr("test_name")));
  EXPECT_THAT(with(6, "test_name", nullptr), AllOf(HasSubstr("line 6 "), HasSubstr("test_name")));
  EXPECT_THAT(without(6, "type"), AllOf(HasSubstr("line 6 "), HasSubstr("type")));
  EXPECT_THAT(instead(6, "nonsense"), HasSubstr("line 6 is not a JSON object"));
  EXPECT_THAT(instead(6, "[]"), HasSubstr("line 6 is not a JSON object"));
  EXPECT_THAT(instead(6, "{\"type\":\"failure\",\"x\":\"\xFF\"}"), HasSubstr("line 6 is not UTF-8"));
  EXPECT_NE(instead(6, R"({"type":"failure","x":"\udc00"})"), "");
  EXPECT_THAT(instead(6, R"({"type":"failure","run_id":"r1","test_file":"f","test_name":"\udc00"})"),
              HasSubstr("line 6 "));
  EXPECT_THAT(instead(6, lines[5].substr(0, lines[5].size() - 1) + R"(,"test_name":"S.B"})"),
              AllOf(HasSubstr("line 6 "), HasSubstr("'test_name' twice")));
  EXPECT_THAT(Refusal(Joined(lines) + lines[6] + '\n'), AllOf(HasSubstr("line 8 "), HasSubstr("footer")));
  EXPECT_THAT(Refusal(Joined(lines) + Joined(lines)), AllOf(HasSubstr("line 8 "), HasSubstr("footer")));
}

// What has the right form, but refers to nothing: no history can contain it.
TEST_F(JsonlDamage, RefusesReferencesToNothing) {
  const auto file = [](const std::string& lines, int runs, int parts, int failures) {
    return R"({"type":"header","format":"flaky_history","version":"2.0"})"
           "\n" +
           lines + R"({"type":"footer","runs":)" + std::to_string(runs) + R"(,"parts":)" + std::to_string(parts) +
           R"(,"failures":)" + std::to_string(failures) + "}\n";
  };
  const std::string time = R"("2026-01-01T00:00:00.000Z")";
  const auto run = [&](const std::string& id) {
    return R"({"type":"run","run_id":")" + id + R"(","started_at":)" + time + "}\n";
  };
  const auto part = [&](const std::string& id, const std::string& more = "") {
    return R"({"type":"part","run_id":"r","part_id":")" + id + R"(","started_at":)" + time + more + "}\n";
  };
  const auto failure = [&](const std::string& more) {
    return R"({"type":"failure","run_id":"r","test_file":"","test_name":"","failure_kind":"","failed_at":)" + time +
           more + "}\n";
  };
  const auto roster = [](const std::string& tests) {
    json line = {{"type", "roster"}, {"roster_id", ContentId(tests)}, {"tests", tests}};
    return line.dump() + "\n";
  };
  EXPECT_EQ(Refusal(file(run("r") + failure(""), 1, 0, 1)), "") << "as another tool has it";
  EXPECT_EQ(Refusal(file(run("r") + part("p") + failure(""), 1, 1, 1)), "");
  EXPECT_EQ(Refusal(file(run("r") + failure(R"(,"part_id":"p")") + part("p"), 1, 1, 1)), "") << "in any order";
  EXPECT_THAT(Refusal(file(run("r") + failure(R"(,"part_id":"p")"), 1, 0, 1)),
              HasSubstr("line 3 names the part 'p', which is not among the lines of its run"));
  EXPECT_THAT(Refusal(file(run("r") + failure("") + failure(R"(,"part_id":"q")") + part("p") + run("s"), 2, 1, 2)),
              HasSubstr("line 4 names the part 'q'"));
  EXPECT_THAT(Refusal(file(run("r") + part("p") + run("r") + failure(R"(,"part_id":"p")"), 2, 1, 1)),
              HasSubstr("line 5 names the part 'p'"))
      << "each record is complete by itself";
  EXPECT_THAT(Refusal(file(run(""), 1, 0, 0)), HasSubstr("line 2 has an empty run_id"));
  EXPECT_THAT(Refusal(file(run("r") + part(""), 1, 1, 0)), HasSubstr("line 3 has an empty part_id"));
  EXPECT_THAT(Refusal(file(run("r") + part("p", R"(,"roster_id":"")"), 1, 1, 0)), HasSubstr("line 3 names the roster"));
  const std::string list = R"(["S.A","S.B"])";
  const std::string of_list = R"({"p":[[")" + ContentId(list) + R"(","1s"]]})";
  EXPECT_EQ(Refusal(file(roster(list) + roster(of_list), 0, 0, 0)), "");
  EXPECT_THAT(Refusal(file(roster(of_list), 0, 0, 0)), HasSubstr("line 2 names the list '" + ContentId(list)));
  const std::string of_three = R"({"p":[[")" + ContentId(list) + R"(","1s1"]]})";
  EXPECT_THAT(Refusal(file(roster(list) + roster(of_three), 0, 0, 0)),
              HasSubstr("line 3 has tests in an invalid form: a roster has 3 marks for the 2 tests"));
  for (const std::string tests : {"", "x", "[]", "null", R"({"p":1})", R"(["S.A")", R"([1])", R"(["S.B","S.A"])",
                                  R"(["S.A","S.A"])", R"(["S.A"] )", R"({"p":[]})"}) {
    EXPECT_THAT(Refusal(file(roster(tests), 0, 0, 0)), HasSubstr("line 2 has tests in an invalid form")) << tests;
  }
}

TEST_F(JsonlDamage, RefusesWhatIsNotAHistory) {
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

TEST_F(JsonlDamage, RefusesALineAboveTheLimit) {
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

TEST_F(JsonlDamage, ReturnsTheRunsBeforeADamagedRunOnly) {
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
    EXPECT_THAT(error.what(), AllOf(HasSubstr("'r30'"), HasSubstr("may have been imported")));
  }
  EXPECT_EQ(given, 30u);
}

}  // namespace
}  // namespace flaky
