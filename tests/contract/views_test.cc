// SPDX-License-Identifier: MIT

// The views of stores/schema/: they give what history/part_tests.h reads from the same texts, in every SQL store.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "history/part_tests.h"
#include "history/roster.h"
#include "stores/sql/boundaries.h"
#include "tests/contract/random_history.h"
#include "tests/support/fresh_store.h"
#include "tests/support/part_counts.h"
#include "tests/support/walk_pages.h"

namespace flaky {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAreArray;

using Row = std::vector<std::optional<std::string>>;

constexpr char kExecutions[] =
    "SELECT run_id, part_id, program, test_name, executed, skipped, failed, CAST(round(duration_ms * 1000) AS BIGINT) "
    "FROM flaky_test_executions";
constexpr char kRosterTests[] =
    "SELECT roster_id, place, program, test_name, CAST(executed AS INTEGER) FROM flaky_test_roster_tests";

// Returns the number of attempts of a test that failed.
int64_t FailedAttempts(const RunRecord& record, const Part& part, const std::string& program, const std::string& test) {
  std::set<std::optional<int64_t>> attempts;
  for (const Failure& failure : record.failures) {
    if (failure.part_id == part.part_id && failure.program.value_or("") == program && failure.test_name == test) {
      attempts.insert(failure.attempt);
    }
  }
  return static_cast<int64_t>(attempts.size());
}

std::vector<Row> ExecutionsOf(const std::vector<RunRecord>& records) {
  std::vector<Row> rows;
  for (const RunRecord& record : records) {
    for (const Part& part : record.parts) {
      for (const auto& [program, tests] : TestsOf(part, record.rosters)) {
        for (const auto& [name, test] : tests) {
          Row& row = rows.emplace_back(Row{record.run.run_id, part.part_id, program, name});
          for (const int64_t number :
               {test.counts.executed, test.counts.skipped, FailedAttempts(record, part, program, name)}) {
            row.emplace_back(std::to_string(number));
          }
          row.push_back(test.duration_us ? std::optional(std::to_string(*test.duration_us)) : std::nullopt);
        }
      }
    }
  }
  return rows;
}

std::vector<Row> RosterTestsOf(const std::vector<RunRecord>& records) {
  std::set<Row> rows;
  for (const RunRecord& record : records) {
    for (const RosterPtr& roster : record.rosters) {
      if (!IsRosterText(roster->tests)) continue;
      int64_t place = 0;
      for (const RosterTest& test : TestsOf(*roster, record.rosters)) {
        rows.insert({roster->roster_id, std::to_string(place++), test.program, test.name, test.executed ? "1" : "0"});
      }
    }
  }
  return {rows.begin(), rows.end()};
}

// A run with one part of these tests, the first of which failed.
RunRecord RunOf(const std::string& run_id, const std::vector<std::string>& names) {
  RunRecord record;
  record.run.run_id = run_id;
  record.run.account.started_at = *Timestamp::Parse("2026-01-01T10:00:00Z");
  Part& part = record.parts.emplace_back();
  part.part_id = "part-" + run_id;
  part.account = record.run.account;
  PartTests tests;
  for (const std::string& name : names) tests["suite_test"][name] = {{2, 1}, 1000};
  record.rosters = SetPartTests(part, tests);
  Failure& failure = record.failures.emplace_back();
  failure.part_id = part.part_id;
  failure.program = "suite_test";
  failure.test_name = names.front();
  failure.failure_kind = kAssertion;
  failure.failed_at = record.run.account.started_at;
  failure.attempt = 1;
  return record;
}

// Returns a text as an SQL literal that every store reads the same.
std::string Literal(std::string_view text) {
  std::string literal = "'";
  for (const char c : text) literal += c == '\'' ? std::string("''") : std::string(1, c);
  return literal + "'";
}

class Views : public testing::TestWithParam<StoreKind> {
 protected:
  std::vector<Row> Ask(const std::string& sql) { return fresh_.query(sql); }

  const FreshStore fresh_ = GetParam().make();
};

TEST_P(Views, GiveTheTestsOfRandomHistories) {
  for (const uint64_t seed : {1, 2, 3}) {
    const FreshStore fresh = GetParam().make();
    RandomHistory history(seed);
    const auto store = fresh.Open(OpenMode::kWrite);
    for (int batch = 0; batch < 12; ++batch) store->Write(history.NextBatch());
    const std::vector<RunRecord> records = ReadAll(*store);
    const std::vector<Row> executions = ExecutionsOf(records);
    ASSERT_GE(executions.size(), 20u) << "seed " << seed;
    EXPECT_THAT(fresh.query(kExecutions), UnorderedElementsAreArray(executions)) << "seed " << seed;
    const std::vector<Row> named = RosterTestsOf(records);
    const std::vector<Row> found = fresh.query(kRosterTests);
    // A roster that no run has any more stays in the store.
    for (const Row& row : named) EXPECT_THAT(found, Contains(row)) << "seed " << seed;
    size_t failures = 0;
    for (const RunRecord& record : records) failures += record.failures.size();
    EXPECT_EQ(fresh.query("SELECT count(*) FROM flaky_test_failures_with_run")[0][0], std::to_string(failures));
  }
}

TEST_P(Views, CountFailedAttemptsAndDays) {
  const auto store = fresh_.Open(OpenMode::kWrite);
  RunRecord record = RunOf("r", {"Suite.A", "Suite.B"});
  record.run.project = "shop";
  record.run.account.status = kFail;
  for (const int64_t attempt : {1, 0}) {
    record.failures.push_back(record.failures.front());
    record.failures.back().attempt = attempt;
  }
  store->Write({&record, 1});
  EXPECT_THAT(Ask("SELECT project, test_name, failed FROM flaky_test_executions ORDER BY test_name"),
              testing::ElementsAre(Row{"shop", "Suite.A", "2"}, Row{"shop", "Suite.B", "0"}));
  EXPECT_THAT(Ask("SELECT test_name, CAST(day AS TEXT), parts, failed_parts, executed, skipped FROM "
                  "flaky_test_test_days ORDER BY test_name"),
              testing::ElementsAre(Row{"Suite.A", "2026-01-01", "1", "1", "2", "1"},
                                   Row{"Suite.B", "2026-01-01", "1", "0", "2", "1"}));
  EXPECT_THAT(Ask("SELECT project, CAST(day AS TEXT), runs, passed_runs FROM flaky_test_run_days"),
              testing::ElementsAre(Row{"shop", "2026-01-01", "1", "0"}));
}

TEST_P(Views, LeaveOutWhatIsDamaged) {
  const auto store = fresh_.Open(OpenMode::kWrite);
  const RunRecord whole = RunOf("whole", {"Suite.A", "Suite.B"});
  const RunRecord damaged = RunOf("damaged", {"Other.A", "Other.B"});
  store->Write(std::vector{whole, damaged});
  const std::vector<Row> expected = ExecutionsOf({whole});
  const std::string whole_only = std::string(kExecutions) + " WHERE run_id = 'whole'";
  const std::string rest = std::string(kExecutions) + " WHERE run_id = 'damaged'";
  const std::string roster_id = *damaged.parts[0].roster_id;
  const std::string list_id = ListsOf(damaged.rosters[0]->tests)[0];
  const std::string roster = FindRoster(damaged.rosters, roster_id)->tests;
  const std::string list = FindRoster(damaged.rosters, list_id)->tests;

  const auto damage = [&](const std::string& table, const std::string& column, const std::string& key,
                          const std::string& id, const std::vector<std::string>& texts, const std::string& before,
                          size_t rows_left) {
    const std::string update = "UPDATE flaky_test_" + table + " SET " + column + " = ";
    const std::string where = " WHERE " + key + " = " + Literal(id);
    for (const std::string& text : texts) {
      Ask(update + Literal(text) + where);
      EXPECT_THAT(Ask(kExecutions), SizeIs(expected.size() + rows_left)) << text;
      EXPECT_THAT(Ask(whole_only), UnorderedElementsAreArray(expected)) << text;
      EXPECT_THAT(Ask(rest), SizeIs(rows_left)) << text;
      EXPECT_FALSE(Ask("SELECT count(*) FROM flaky_test_roster_tests").empty()) << text;
    }
    Ask(update + Literal(before) + where);
    EXPECT_THAT(Ask(rest), SizeIs(2)) << before;
  };
  damage("rosters", "tests", "roster_id", roster_id,
         {"", "x", "{", "[1,2", "null", "{\"a\":1}", "{\"a\":[1]}", "{\"a\":[[]]}", "{\"a\":[[1,2]]}",
          "{\"a\":[[\"" + list_id + "\"]]}", "{\"a\":[[\"0123\",\"11\"]]}", "{\"a\":{\"b\":[\"c\"]}}",
          "{\"Suite.A\":1,\"Suite.B\":[2,1]}", "{\"a\":[[\"" + list_id + "\",\"1\"]]}",
          "{\"a\":[[\"" + list_id + "\",\"111\"]]}", roster + "}", "{\"a\":[[\"" + list_id + "\",\"11\"]]"},
         roster, 0);
  damage("rosters", "tests", "roster_id", list_id,
         {"", "x", "[", "[\"Other.A\",\"Other.B\"", "[1,2]", "[null,null]", "{\"Other.A\":1}", "[\"Other.A\"]",
          "[\"a\",\"b\",\"c\"]", "[\"a\"\"b\"]", "[[\"a\"],[\"b\"]]"},
         list, 0);
  const std::string part_id = damaged.parts[0].part_id;
  damage("parts", "executions", "part_id", part_id, {"", "x", "[1]", "[[2,1],[2,1]]", "{", "1"},
         *damaged.parts[0].executions, 0);
  // The tests are known, and their durations are not.
  const std::vector<std::string> durations = {"", "!", "!!!", "~~", "éé", "\u20AC\u20AC", "  ", "\U0001F98A!?"};
  damage("parts", "durations", "part_id", part_id, durations, *damaged.parts[0].durations, 2);
}

TEST_P(Views, AreDroppedWithTheTables) {
  const auto names = [&] {
    std::vector<std::string> there;
    for (const std::string& view : NamesOfViews("flaky_test_")) {
      try {
        Ask("SELECT * FROM " + view);
        there.push_back(view);
      } catch (const std::exception&) {
      }
    }
    return there;
  };
  {
    const RunRecord record = RunOf("r", {"Suite.A"});
    fresh_.Open(OpenMode::kWrite)->Write({&record, 1});
  }
  EXPECT_THAT(names(), SizeIs(5));
  if (GetParam().name == "supabase") return;  // its tables are dropped by hand
  Location location = ParseLocation(fresh_.store + ":" + fresh_.connection);
  DropTables(location, LookAtTables(location).rows);
  EXPECT_THAT(names(), IsEmpty());
}

TEST_P(Views, ReadOnlyThePartsOfTheAskedRun) {
  if (GetParam().name != "sqlite" && GetParam().name != "turso") return;  // PostgreSQL plans by the size of a table
  fresh_.Open(OpenMode::kWrite);
  for (const char* condition : {"run_id = 'x'", "run_id = 'x' AND part_id = 'y'", "run_id IN ('x', 'y')"}) {
    std::string plan;
    for (const Row& row : Ask("EXPLAIN QUERY PLAN SELECT * FROM flaky_test_executions WHERE " + std::string(condition)))
      plan += row.back().value_or("") + '\n';
    EXPECT_THAT(plan, HasSubstr("SEARCH p USING")) << condition;
    EXPECT_THAT(plan, testing::Not(HasSubstr("SCAN p\n"))) << condition;
  }
}

INSTANTIATE_TEST_SUITE_P(Stores, Views, testing::ValuesIn(StoreKinds()),
                         [](const testing::TestParamInfo<StoreKind>& kind) { return kind.param.name; });

}  // namespace
}  // namespace flaky
