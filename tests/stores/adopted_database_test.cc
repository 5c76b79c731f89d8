// Adoption: what the first use of a store with a prefix does with legacy tables in the same database.

#include "tests/stores/adopted_database.h"

#include <gmock/gmock.h>

#include <thread>

#include "stores/open.h"
#include "tests/stores/race.h"
#include "tests/stores/store_support.h"
#include "tests/support/record_builder.h"

namespace flaky {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

void AdoptedDatabase::MakeTables(const std::string& more_of_runs, const std::string& more_of_failures) {
  database_->Execute(
      "CREATE TABLE runs (run_id TEXT PRIMARY KEY, started_at TEXT, ended_at TEXT, duration_ms INTEGER, status TEXT, "
      "total_tests INTEGER, failed_tests INTEGER, git_sha TEXT, git_dirty INTEGER" +
      more_of_runs + ")");
  database_->Execute(
      "CREATE TABLE failures (id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT, test_file TEXT, test_name TEXT, "
      "failure_kind TEXT, error_message TEXT, error_stack TEXT, duration_ms INTEGER, failed_at TEXT" +
      more_of_failures + ")");
  database_->Execute("CREATE INDEX idx_failures_run ON failures (run_id)");
}

void AdoptedDatabase::InsertRun(const std::string& run_id, int failures) {
  database_->Execute("INSERT INTO runs (run_id, started_at, ended_at, status) VALUES ('" + run_id +
                     "', '2026-01-01T10:00:00.000Z', '2026-01-01T10:00:05.000Z', 'fail')");
  for (int i = 0; i < failures; ++i) {
    database_->Execute("INSERT INTO failures (run_id, test_file, test_name, failure_kind, failed_at) VALUES ('" +
                       run_id + "', 'a.test.ts', 'outer > inner', 'assertion', '2026-01-01T10:00:01.000Z')");
  }
}

namespace {

TEST_P(AdoptedDatabase, ForeignTablesOfTheSameNamesAreLeftAlone) {
  MakeTables(", runner TEXT");
  InsertRun("theirs", 1);
  EXPECT_FALSE(database_->Open(OpenMode::kWrite, kOurs)->schema().adopted);
  EXPECT_EQ(database_->Open(OpenMode::kRead, kOurs)->Count({}).runs, 0);
}

TEST_P(AdoptedDatabase, AVersionHasAllColumnsOfThoseBeforeIt) {
  MakeTables(", errors_between_tests INTEGER");
  EXPECT_FALSE(database_->Open(OpenMode::kWrite, kOurs)->schema().adopted);
}

TEST_P(AdoptedDatabase, ForeignFailuresMakeThePairForeign) {
  MakeTables("", ", host TEXT");
  InsertRun("theirs", 1);
  EXPECT_FALSE(database_->Open(OpenMode::kWrite, kOurs)->schema().adopted);
}

TEST_P(AdoptedDatabase, RunsAloneAreForeign) {
  MakeTables();
  database_->Execute("DROP TABLE failures");
  EXPECT_FALSE(database_->Open(OpenMode::kWrite, kOurs)->schema().adopted);
}

TEST_P(AdoptedDatabase, EmptyTablesGiveAnEmptySummary) {
  MakeTables();
  const auto adopted = database_->Open(OpenMode::kWrite, kOurs)->schema().adopted;
  ASSERT_TRUE(adopted);
  EXPECT_EQ(adopted->runs, 0);
}

TEST_P(AdoptedDatabase, RowsThatNoHistoryCanHoldAreCounted) {
  MakeTables();
  InsertRun("good", 2);
  database_->Execute("INSERT INTO runs (run_id, started_at) VALUES (NULL, '2026-01-01T00:00:00.000Z')");
  database_->Execute("INSERT INTO runs (run_id, started_at) VALUES (x'00ff', '2026-01-01T00:00:00.000Z')");
  database_->Execute("INSERT INTO failures (run_id, test_name) VALUES ('nobody', 'orphan')");
  const auto adopted = database_->Open(OpenMode::kWrite, kOurs)->schema().adopted;
  ASSERT_TRUE(adopted);
  EXPECT_EQ(adopted->runs, 3);
  EXPECT_EQ(adopted->failures, 3);
  EXPECT_EQ(adopted->left_out, 3);
  EXPECT_EQ(database_->Open(OpenMode::kRead, kOurs)->Count({}), (Totals{1, 0, 2}));
}

TEST_P(AdoptedDatabase, ValuesOfOtherTypesAreReadAsTheyWereThere) {
  MakeTables();
  database_->Execute("INSERT INTO runs VALUES ('odd', 'garbage', 'later', 'long', 17, 2.5, x'00', 5, 'yes')");
  database_->Execute("INSERT INTO runs (run_id) VALUES ('bare')");
  database_->Execute("INSERT INTO failures (run_id) VALUES ('odd')");
  database_->Execute("INSERT INTO failures (run_id, test_name, failed_at) VALUES ('odd', x'61', 12)");
  const Digest theirs = SumOf(ReadAll(*database_->Open(OpenMode::kRead)));
  database_->Open(OpenMode::kWrite, kOurs);
  const auto ours = database_->Open(OpenMode::kRead, kOurs);
  EXPECT_EQ(SumOf(ReadAll(*ours)), theirs);
  EXPECT_EQ(ours->Count({}), (Totals{2, 0, 2}));
}

// A first use was killed before the last migration, and another process has written a run since.
TEST_P(AdoptedDatabase, ResumesAndKeepsRunsThatAreThereAlready) {
  MakeTables();
  database_->Open(OpenMode::kWrite, kOurs);
  InsertRun("both", 1);
  InsertRun("half", 2);
  InsertRun("new", 3);
  database_->Execute("INSERT INTO flaky_test_runs (run_id, started_at) VALUES ('both', '2020-01-01T00:00:00.000Z')");
  database_->Execute(
      "INSERT INTO flaky_test_runs (run_id, started_at, ended_at, status) SELECT run_id, started_at, ended_at, status "
      "FROM runs WHERE run_id = 'half'");
  database_->Execute("DELETE FROM flaky_test_schema WHERE version = 3");
  for (int round = 0; round < 2; ++round) {
    const auto adopted = database_->Open(OpenMode::kWrite, kOurs)->schema().adopted;
    ASSERT_TRUE(adopted);
    EXPECT_EQ(adopted->runs, 3);
    EXPECT_EQ(adopted->conflicts, 1);
    EXPECT_EQ(adopted->missing, 0);
    EXPECT_EQ(database_->Open(OpenMode::kRead, kOurs)->Count({}), (Totals{3, 0, 5})) << "no failure of 'both'";
    EXPECT_THAT(database_->Query("SELECT started_at FROM flaky_test_runs WHERE run_id = 'both'"),
                ElementsAre("2020-01-01T00:00:00.000Z"));
    database_->Execute("DELETE FROM flaky_test_schema WHERE version = 3");
  }
}

TEST_P(AdoptedDatabase, ThirtyTwoProcessesAtOnceCopyEveryRowOnce) {
  MakeTables();
  for (int i = 0; i < 50; ++i) InsertRun("old" + std::to_string(i), 2);
  EXPECT_EQ(RaceOf(32, database_->location()), 32);
  EXPECT_EQ(database_->Open(OpenMode::kRead, kOurs)->Count({}).runs, 82);
  EXPECT_THAT(database_->Query("SELECT count(*) FROM flaky_test_failures WHERE run_id LIKE 'old%'"),
              ElementsAre("100"));
}

TEST_P(AdoptedDatabase, AHundredThousandRunsComeWithTheirFailures) {
  MakeTables();
  database_->Execute(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) INSERT INTO runs (run_id, "
      "started_at, status) SELECT printf('run-%07d', i), strftime('%Y-%m-%dT%H:%M:%fZ', 1700000000 + i, 'unixepoch'), "
      "'fail' FROM n");
  database_->Execute(
      "INSERT INTO failures (run_id, test_file, test_name, failure_kind, failed_at) SELECT run_id, 'a.ts', 'n', "
      "'assertion', started_at FROM runs");
  const auto begin = std::chrono::steady_clock::now();
  const auto adopted = database_->Open(OpenMode::kWrite, kOurs)->schema().adopted;
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  RecordProperty("milliseconds", static_cast<int>(took.count()));
  ASSERT_TRUE(adopted);
  EXPECT_EQ(adopted->missing, 0);
  EXPECT_EQ(database_->Open(OpenMode::kRead, kOurs)->Count({}), (Totals{100000, 0, 100000}));
}

TEST_P(AdoptedDatabase, DoesNotDropTablesThatChangedInBetween) {
  MakeTables();
  InsertRun("one", 1);
  const Location old = WithPrefix(ParseLocation(database_->location()), "");
  const LegacyTables before = LookAtTables(old);
  EXPECT_THAT(before.names, ElementsAre("failures", "runs"));
  EXPECT_EQ(before.rows, (RowCounts{1, 1, 0, 1, 0}));
  InsertRun("two", 0);
  EXPECT_EQ(DropTables(old, before.rows).rows.runs, 2);
  EXPECT_THAT(database_->Query("SELECT count(*) FROM runs"), ElementsAre("2"));
  DropTables(old, LookAtTables(old).rows);
  EXPECT_THAT(database_->Query("SELECT name FROM sqlite_master WHERE type = 'table' AND name IN ('runs', 'failures')"),
              IsEmpty());
}

}  // namespace
}  // namespace flaky
