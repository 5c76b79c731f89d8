// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include <map>

#include "history/digest.h"
#include "history/fields.h"
#include "history/text.h"
#include "stores/sql/tables.h"
#include "tests/stores/mistyped_database.h"
#include "tests/stores/mistyped_literals.h"
#include "tests/stores/mistyped_walk.h"
#include "tests/stores/store_support.h"
#include "tests/support/part_counts.h"
#include "tests/support/record_builder.h"

// What another tool may leave in a database, by the rules of docs/reference/conversion.md.
namespace flaky {

MistypedValues::MistypedValues() : database_(GetParam().make()) {
  const FieldColumns& columns = Columns();
  Execute("CREATE TABLE runs (" + Join(columns.runs, ", ") +
          ", PRIMARY KEY (run_id));"
          "CREATE TABLE failures (id INTEGER PRIMARY KEY, run_id, " +
          Join(columns.failures, ", ") +
          ");"
          "CREATE TABLE rosters (roster_id PRIMARY KEY, tests);"
          "CREATE TABLE parts (run_id, " +
          Join(columns.parts, ", ") + ", PRIMARY KEY (run_id, part_id));");
}

namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

void ExpectSame(const RunRecord& read, const RunRecord& expected, const std::string& what) {
  EXPECT_EQ(read.run, expected.run) << what;
  EXPECT_EQ(read.parts, expected.parts) << what;
  EXPECT_EQ(read.failures, expected.failures) << what;
  EXPECT_EQ(DigestOf(read), DigestOf(expected)) << what;
}

TEST_P(MistypedValues, OfEachKindInEachColumnAreConverted) {
  std::vector<RunRecord> records;
  for (size_t i = 0; i < Literals().size(); ++i) {
    records.push_back(BuildRecord(IdOfLiteral(i)).Project("p").Part("part", 0, 1).Fail("S.T").Build());
  }
  const auto store = Open(OpenMode::kWrite);
  store->Write(records);
  Execute(
      "CREATE TABLE whole_runs AS SELECT * FROM runs; CREATE TABLE whole_parts AS SELECT * FROM parts;"
      "CREATE TABLE whole_failures AS SELECT * FROM failures;");

  const auto check = [&](const std::string& table, const std::string& column, const auto& put) {
    Execute("UPDATE " + table + " SET " + column + " = " + CaseOfRuns());
    PageRequest request;
    request.max_records = 8;
    const Walked walked = Walk([&]() -> Store& { return *store; }, request);
    ASSERT_EQ(walked.ids.size(), records.size()) << column;
    std::vector<std::string> ids;
    for (size_t i = 0; i < records.size(); ++i) {
      const std::string what = table + "." + column + " = " + Literals()[i].sql;
      RunRecord expected = records[i];
      const bool is_converted = put(expected, Literals()[i]);
      ids.push_back(expected.run.run_id);
      ExpectSame(walked.records.at(ids.back()), expected, what);
      records[i] = expected;
      if (!is_converted) {
        EXPECT_FALSE(walked.converted.contains(ids.back())) << what;
        continue;
      }
      ASSERT_TRUE(walked.converted.contains(ids.back())) << what;
      const std::vector<Conversion>& conversions = walked.converted.at(ids.back());
      ASSERT_EQ(conversions.size(), 1u) << what;
      EXPECT_EQ(conversions[0].column, table + "." + column) << what;
      EXPECT_EQ(conversions[0].kind, Conversion::Kind::kInvalid) << what;
      EXPECT_EQ(conversions[0].amount, 1) << what;
      EXPECT_THAT(conversions[0].example, HasSubstr(" as ")) << what;
    }
    EXPECT_EQ(SumOf(store->Fetch(ids)), SumOf(records)) << column;
    Execute("UPDATE " + table + " SET " + column + " = (SELECT w." + column + " FROM whole_" + table +
            " w WHERE w.run_id = " + table + ".run_id)");
  };
  const std::vector<RunRecord> whole = records;
  for (const std::string& column : Columns().runs) {
    if (column == "run_id") continue;
    records = whole;
    check("runs", column, [&](RunRecord& record, const Literal& literal) {
      PutLiteral put(column, literal);
      VisitRun(record.run, put);
      return put.is_converted;
    });
  }
  for (const std::string& column : Columns().parts) {
    if (column == "roster_id") continue;
    records = whole;
    check("parts", column, [&](RunRecord& record, const Literal& literal) {
      PutLiteral put(column, literal);
      VisitPart(record.parts[0], put);
      return put.is_converted;
    });
  }
  for (const std::string& column : Columns().failures) {
    records = whole;
    check("failures", column, [&](RunRecord& record, const Literal& literal) {
      PutLiteral put(column, literal);
      VisitFailure(record.failures[0], put);
      return put.is_converted;
    });
  }
}

TEST_P(MistypedValues, ExamplesNameTheValueAndItsReplacement) {
  const auto store = Open(OpenMode::kWrite);
  RunRecord record = BuildRecord("run").Fail("S.T").Fail("S.T").Fail("S.T").Build();
  store->Write({&record, 1});
  Execute(
      "UPDATE runs SET started_at = 'year!' || char(27), duration_ms = 2.5, git_dirty = 7, project = x'ff41', "
      "ended_at = 12, total_tests = 'many', branch = 1.0;"
      "UPDATE failures SET failed_at = NULL, test_name = NULL, line = 1e300");
  const Page page = store->Read({});
  ASSERT_EQ(page.converted.size(), 1u);
  std::map<std::string, std::pair<int64_t, std::string>> reported;
  for (const Conversion& each : page.converted[0].conversions) reported[each.column] = {each.amount, each.example};
  const std::map<std::string, std::pair<int64_t, std::string>> expected = {
      {"runs.started_at", {1, "'year!?' as 1970-01-01T00:00:00.000Z"}},
      {"runs.ended_at", {1, "12 as nothing"}},
      {"runs.duration_ms", {1, "2.5 as 3"}},
      {"runs.git_dirty", {1, "7 as true"}},
      {"runs.project",
       {1,
        "the blob '\xEF\xBF\xBD"
        "A' as '\xEF\xBF\xBD"
        "A'"}},
      {"runs.total_tests", {1, "'many' as nothing"}},
      {"runs.branch", {1, "1.0 as '1.0'"}},
      {"failures.failed_at", {3, "NULL as 1970-01-01T00:00:00.000Z"}},
      {"failures.test_name", {3, "NULL as ''"}},
      {"failures.line", {3, "1.0e+300 as nothing"}},
  };
  EXPECT_EQ(reported, expected);
}

TEST_P(MistypedValues, MissingAndDamagedRostersAreLeftOut) {
  const auto store = Open(OpenMode::kWrite);
  std::vector<RunRecord> records;
  for (const char* id : {"missing", "damaged", "blob", "fine"}) {
    records.push_back(BuildRecord(id).Part("a", 0).Part("b", 0).Part("c", 0).Build());
    for (Part& part : records.back().parts) {
      if (part.part_id == "a") records.back().rosters.clear();
      AddRosters(records.back().rosters, GiveTests(part, {{id + std::string(part.part_id == "c" ? "2" : ""), {1, 0}}}));
    }
  }
  store->Write(records);
  const auto id_of = [&](size_t run) { return records[run].rosters[0]->roster_id; };
  Execute("DELETE FROM rosters WHERE roster_id = '" + id_of(0) +
          "'; UPDATE rosters SET tests = '{\"Another\":1}' WHERE roster_id = '" + id_of(1) +
          "'; UPDATE rosters SET tests = CAST(tests AS BLOB) WHERE roster_id = '" + id_of(2) + "'");
  for (const OpenMode mode : {OpenMode::kRead, OpenMode::kWrite}) {
    const auto other = Open(mode);
    const Walked walked = Walk([&]() -> Store& { return *other; }, {});
    for (const size_t run : {0, 1}) {
      RunRecord expected = records[run];
      expected.parts[0].roster_id.reset();
      expected.parts[1].roster_id.reset();
      KeepNamedRosters(expected);
      const std::string& id = expected.run.run_id;
      ExpectSame(walked.records.at(id), expected, id);
      ASSERT_TRUE(walked.converted.contains(id));
      EXPECT_EQ(walked.converted.at(id), (std::vector<Conversion>{{"parts.roster_id", Conversion::Kind::kLeftOut, 2,
                                                                   "'" + id_of(run) + "' as nothing"}}));
    }
    ExpectSame(walked.records.at("blob"), records[2], "blob");
    ExpectSame(walked.records.at("fine"), records[3], "fine");
    EXPECT_EQ(walked.converted.size(), 2u);
  }
}

TEST_P(MistypedValues, RunsThatHaveThemAreCompletedAndReplaced) {
  const auto store = Open(OpenMode::kWrite);
  std::vector<RunRecord> records;
  for (size_t i = 0; i < Literals().size(); ++i) {
    records.push_back(BuildRecord(IdOfLiteral(i)).Fail("S.T").Fail("S.Other").Build());
  }
  records.push_back(BuildRecord("other").Part("p", 0, 1).Fail("S.T").Build());
  store->Write(records);
  Execute("UPDATE runs SET started_at = " + CaseOfRuns() + ", duration_ms = " + CaseOfRuns() +
          ", git_dirty = " + CaseOfRuns() + ", branch = " + CaseOfRuns() +
          " WHERE run_id <> 'other';"
          "UPDATE failures SET failed_at = " +
          CaseOfRuns() + ", line = " + CaseOfRuns() + ", signal = " + CaseOfRuns() +
          " WHERE run_id <> 'other' AND test_name = 'S.T'");
  const Walked before = Walk([&]() -> Store& { return *store; }, {});
  EXPECT_EQ(DigestOf(before.records.at("other")), DigestOf(records.back()));

  std::vector<RunRecord> completed;
  for (const auto& [id, record] : before.records) {
    if (id == "other") continue;
    RunRecord more = record;
    for (std::optional<std::string>* text : {&more.run.branch, &more.failures[0].signal}) {
      if (*text) *text = MakeStorable(**text);  // as the pipeline does
    }
    more.failures.push_back(more.failures.back());
    more.failures.back().test_name = "S.New";
    completed.push_back(more);
  }
  // Texts that are not storable would contradict what is stored.
  std::erase_if(completed, [&](const RunRecord& record) {
    return record.run.branch != before.records.at(record.run.run_id).run.branch;
  });
  ASSERT_EQ(completed.size(), Literals().size() - 1);
  const std::vector<WriteResult> results = store->Write(completed);
  for (size_t i = 0; i < completed.size(); ++i) {
    EXPECT_EQ(results[i].outcome, WriteResult::Outcome::kCompleted)
        << completed[i].run.run_id << " " << results[i].conflict;
  }
  Walked after = Walk([&]() -> Store& { return *store; }, {});
  for (const RunRecord& record : completed) {
    EXPECT_EQ(DigestOf(after.records.at(record.run.run_id)), DigestOf(record)) << record.run.run_id;
  }
  EXPECT_EQ(DigestOf(after.records.at("other")), DigestOf(records.back()));

  records.pop_back();
  for (const WriteResult& result : store->Write(records, OnExisting::kReplace)) {
    EXPECT_EQ(result.outcome, WriteResult::Outcome::kReplaced);
  }
  after = Walk([&]() -> Store& { return *store; }, {});
  for (const RunRecord& record : records) {
    EXPECT_EQ(DigestOf(after.records.at(record.run.run_id)), DigestOf(record)) << record.run.run_id;
  }
  EXPECT_THAT(after.converted, IsEmpty());
}

TEST_P(MistypedValues, ARunWithoutAnIdIsRefused) {
  for (const char* id : {"NULL", "x'616263'", "7"}) {
    Execute(std::string("DELETE FROM runs; DELETE FROM failures;"
                        "INSERT INTO runs (run_id, started_at) VALUES ('good', '2026-01-01T00:00:00Z'), (") +
            id + ", '2026-01-02T00:00:00Z')");
    for (const OpenMode mode : {OpenMode::kRead, OpenMode::kWrite}) {
      const auto store = Open(mode);
      const auto error = ErrorOf([&] { ReadAll(*store); });
      ASSERT_TRUE(error) << id;
      EXPECT_EQ(error->kind(), ErrorKind::kInvalid);
      EXPECT_THAT(error->what(),
                  AllOf(HasSubstr("'runs'"), HasSubstr("`SELECT * FROM \"runs\" WHERE typeof(run_id) <> 'text'`")));
      const std::string good = "good";
      EXPECT_EQ(store->Fetch({&good, 1}).size(), 1u);
    }
  }
}

}  // namespace
}  // namespace flaky
