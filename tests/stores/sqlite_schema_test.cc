// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <set>

#include "stores/sql/ledger.h"
#include "stores/sql/sqlite_dialect.h"
#include "tests/stores/race.h"
#include "tests/stores/sqlite_support.h"
#include "tests/support/record_builder.h"
#include "tests/support/temp_folder.h"

namespace flaky {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class SqliteSchema : public testing::Test {
 protected:
  // Returns the lines of the plan for a query.
  std::vector<std::string> PlanOf(const std::string& sql) const {
    SQLite::Database db(path_, SQLite::OPEN_READONLY, 5000);
    SQLite::Statement rows(db, "EXPLAIN QUERY PLAN " + sql);
    std::vector<std::string> lines;
    while (rows.executeStep()) lines.push_back(rows.getColumn(3).getString());
    return lines;
  }

  TempFolder folder_;
  std::string path_ = folder_.File("history.db");
};

TEST_F(SqliteSchema, ThirtyTwoProcessesOnAnEmptyPathApplyEachMigrationOnce) {
  constexpr int kProcesses = 32;
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(RaceOf(kProcesses, "sqlite:" + path_), kProcesses);
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  RecordProperty("milliseconds", static_cast<int>(took.count()));

  const auto store = OpenFile(path_, OpenMode::kRead);
  EXPECT_EQ(store->Count({}).runs, kProcesses) << "no run was lost";
  const auto versions = Query(path_, "SELECT version FROM flaky_test_schema ORDER BY version");
  ASSERT_EQ(versions.size(), SqliteMigrations().size());
  EXPECT_EQ(Query(path_, "PRAGMA integrity_check"), std::vector<std::string>{"ok"});
}

TEST_F(SqliteSchema, ProcessesInAMissingFolderAllReportIt) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(RaceOf(2, "sqlite:" + folder_.File("none/history.db")), 0);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("there is no folder '" + folder_.File("none")));
}

TEST_F(SqliteSchema, LedgerHoldsNameAndChecksumOfEachFile) {
  OpenFile(path_, OpenMode::kWrite);
  std::vector<std::string> expected;
  for (const Migration& migration : SqliteMigrations()) {
    expected.push_back(std::string(migration.name) + " " + Checksum(migration));
  }
  EXPECT_EQ(Query(path_, "SELECT name || ' ' || checksum FROM flaky_test_schema ORDER BY version"), expected);
}

TEST_F(SqliteSchema, FilesRunByHandMakeTheSameTables) {
  for (const char* prefix : {"flaky_test_", "", "0_"}) {
    const std::string by_program = folder_.File(std::string("program") + prefix);
    const std::string by_hand = folder_.File(std::string("hand") + prefix);
    OpenFile(by_program, OpenMode::kWrite, prefix);
    std::set<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(SCHEMA_FOLDER)) files.insert(entry.path());
    for (const auto& file : files) RunSql(by_hand, ReplaceAll(Bytes(file.string()), "{prefix}", prefix));
    const char* tables = "SELECT name || ':' || coalesce(sql, '') FROM sqlite_master ORDER BY name";
    EXPECT_EQ(Query(by_hand, tables), Query(by_program, tables));

    const auto store = OpenFile(by_hand, OpenMode::kWrite, prefix);
    EXPECT_TRUE(store->schema().pending.empty()) << "the program uses such a database as its own";
  }
}

TEST_F(SqliteSchema, HistoriesOfDifferentPrefixShareAFile) {
  const RunRecord record = BuildRecord("run").Part("p", 0).Build();
  for (const char* prefix : {"a_", "b_", ""}) OpenFile(path_, OpenMode::kWrite, prefix)->Write({&record, 1});
  for (const char* prefix : {"a_", "b_", ""}) EXPECT_EQ(ReadAll(*OpenFile(path_, OpenMode::kRead, prefix)).size(), 1u);
}

TEST_F(SqliteSchema, ANewerSchemaIsReadButNotWritten) {
  const RunRecord record = BuildRecord("run").Part("p", 0).Build();
  OpenFile(path_, OpenMode::kWrite)->Write({&record, 1});
  RunSql(path_,
         "ALTER TABLE flaky_test_runs ADD COLUMN mood TEXT;"
         "INSERT INTO flaky_test_schema VALUES (9, '0009_moods', 'x', '2030-01-01T00:00:00.000Z')");
  const auto error = ErrorOf([&] { OpenFile(path_, OpenMode::kWrite); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kSchemaTooNew);
  EXPECT_THAT(error->what(), AllOf(HasSubstr("schema 9"), HasSubstr("upgrade flaky")));
  const auto store = OpenFile(path_, OpenMode::kRead);
  EXPECT_EQ(store->schema().found, 9);
  EXPECT_EQ(DigestOf(ReadAll(*store).at(0)), DigestOf(record));
}

TEST_F(SqliteSchema, ADriftedChecksumIsRefused) {
  OpenFile(path_, OpenMode::kWrite);
  RunSql(path_, "UPDATE flaky_test_schema SET checksum = 'edited' WHERE version = 1");
  for (const OpenMode mode : {OpenMode::kRead, OpenMode::kWrite}) {
    const auto error = ErrorOf([&] { OpenFile(path_, mode); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->kind(), ErrorKind::kInvalid);
    EXPECT_THAT(error->what(), HasSubstr("0001_runs_and_failures"));
  }
}

TEST_F(SqliteSchema, ForeignTablesAreRefusedAndLeftAlone) {
  for (const ForeignTable& each : kForeignTables) {
    const std::string path = folder_.File(each.name);
    RunSql(path, each.sql);
    const std::string before = Bytes(path);
    const auto error = ErrorOf([&] { OpenFile(path, OpenMode::kWrite, ""); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->kind(), ErrorKind::kInvalid);
    EXPECT_THAT(error->what(), AllOf(HasSubstr(each.name), HasSubstr(each.missing)));
    EXPECT_EQ(ErrorOf([&] { OpenFile(path, OpenMode::kRead, ""); })->kind(), ErrorKind::kInvalid);
    EXPECT_EQ(Bytes(path), before) << each.name;
  }
}

TEST_F(SqliteSchema, ADatabaseWithoutHistoryIsMissingForReaders) {
  RunSql(path_, "CREATE TABLE notes (text)");
  const auto error = ErrorOf([&] { OpenFile(path_, OpenMode::kRead); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kMissing);
  EXPECT_THAT(error->what(), AllOf(HasSubstr("flaky_test_runs"), HasSubstr("prefix")));
}

TEST_F(SqliteSchema, AnotherProgramsDatabaseIsNotTouched) {
  for (const char* mode : {"DELETE", "WAL"}) {
    const std::string path = folder_.File(mode);
    SQLite::Database other(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, 5000);
    other.exec("PRAGMA journal_mode = " + std::string(mode) + "; CREATE TABLE notes (text); CREATE TABLE tags (n)");
    const std::string before = Bytes(path), log = Bytes(path + "-wal");
    for (const OpenMode how : {OpenMode::kWrite, OpenMode::kBulk}) {
      const auto error = ErrorOf([&] { OpenFile(path, how); });
      ASSERT_TRUE(error) << mode;
      EXPECT_EQ(error->kind(), ErrorKind::kInvalid);
      EXPECT_THAT(error->what(), AllOf(HasSubstr("another program's database"), HasSubstr("'notes' and 1 more"),
                                       HasSubstr("FLAKY_TESTS_DB")));
    }
    EXPECT_EQ(Bytes(path), before) << mode;
    EXPECT_EQ(Bytes(path + "-wal"), log) << mode;
    // As a program leaves it that was killed.
    const std::string killed = path + "-killed";
    std::filesystem::copy_file(path, killed);
    if (!log.empty()) std::filesystem::copy_file(path + "-wal", killed + "-wal");
    EXPECT_TRUE(ErrorOf([&] { OpenFile(killed, OpenMode::kWrite); })) << mode;
    EXPECT_EQ(Bytes(killed), before) << mode;
    EXPECT_EQ(Bytes(killed + "-wal"), log) << mode;
  }
}

TEST_F(SqliteSchema, AViewIsEnoughToBeAnotherPrograms) {
  RunSql(path_, "CREATE VIEW answers AS SELECT 42");
  EXPECT_TRUE(ErrorOf([&] { OpenFile(path_, OpenMode::kWrite); }));
}

TEST_F(SqliteSchema, AHistoryMayShareItsDatabase) {
  OpenFile(path_, OpenMode::kWrite, "one_");
  RunSql(path_, "CREATE TABLE notes (text)");
  EXPECT_NO_THROW(OpenFile(path_, OpenMode::kWrite, "one_"));
  EXPECT_NO_THROW(OpenFile(path_, OpenMode::kWrite, "two_")) << "a history with another prefix is this program's, too";
}

TEST_F(SqliteSchema, AnEmptyDatabaseIsAnyones) {
  RunSql(path_, "CREATE TABLE x (y); DROP TABLE x");
  EXPECT_NO_THROW(OpenFile(path_, OpenMode::kWrite));
}

TEST_F(SqliteSchema, AnInterruptedUpgradeIsResumed) {
  OpenFile(path_, OpenMode::kWrite);
  RunSql(path_,
         "DROP VIEW flaky_test_run_days;DROP VIEW flaky_test_test_days;DROP VIEW flaky_test_failures_with_run;DROP "
         "VIEW flaky_test_executions;DROP VIEW flaky_test_roster_tests;"
         "DELETE FROM flaky_test_schema WHERE version >= 2; DROP TABLE flaky_test_parts; DROP TABLE flaky_test_rosters;"
         "DROP INDEX idx_flaky_test_runs_started; ALTER TABLE flaky_test_failures DROP COLUMN signal");
  EXPECT_THAT(OpenFile(path_, OpenMode::kRead)->schema().pending,
              ElementsAre("0002_parts_and_rosters", "0003_indexes", "0004_views"));
  const auto store = OpenFile(path_, OpenMode::kWrite);
  const RunRecord record = BuildRecord("run").Part("p", 0, 1).Fail("S.T").Build();
  store->Write({&record, 1});
  EXPECT_EQ(DigestOf(ReadAll(*store).at(0)), DigestOf(record));
}

TEST_F(SqliteSchema, ACopyIntoNewTablesMakesTheIndexesLast) {
  const auto bulk = OpenFile(path_, OpenMode::kBulk);
  const std::string indexes = "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name";
  EXPECT_THAT(Query(path_, indexes), ElementsAre("idx_flaky_test_failures_run"));
  EXPECT_THAT(bulk->schema().pending, ElementsAre("0003_indexes", "0004_views"));
  bulk->Finish();
  EXPECT_THAT(Query(path_, indexes),
              ElementsAre("idx_flaky_test_failures_failed_at", "idx_flaky_test_failures_project",
                          "idx_flaky_test_failures_run", "idx_flaky_test_runs_project", "idx_flaky_test_runs_started"));
  // If there are rows, another process may be reading them.
  RunSql(path_, "DELETE FROM flaky_test_schema WHERE version = 3; DROP INDEX idx_flaky_test_runs_started");
  EXPECT_TRUE(OpenFile(path_, OpenMode::kBulk)->schema().pending.empty());
}

// Failures of four projects, a tenth of which name none, in another order than that of their time. The pages of a
// window and those of the runs.
TEST_F(SqliteSchema, AQuestionAboutOneProjectReadsItsRowsByAnIndex) {
  OpenFile(path_, OpenMode::kWrite);
  RunSql(path_,
         "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO flaky_test_runs "
         "(run_id, project, started_at) SELECT printf('r%05d', i), 'p' || (i % 4), strftime('%Y-%m-%dT%H:%M:%fZ', "
         "1767225600 + i * 7919 % 5000 * 60, 'unixepoch') FROM n;"
         "INSERT INTO flaky_test_failures (run_id, test_file, test_name, failure_kind, failed_at, project) SELECT "
         "run_id, 'f', 't', 'assertion', started_at, CASE WHEN run_id LIKE '%7' THEN NULL ELSE project END FROM "
         "flaky_test_runs");
  const SqliteTables tables{"flaky_test_"};
  for (const bool analyzed : {false, true}) {
    if (analyzed) RunSql(path_, "ANALYZE");
    FailureFilter filter;
    filter.project = "p1";
    filter.after = At(3600);
    for (const auto& place : {std::optional<FailureKey>(), std::optional(FailureKey{At(7200), 7})}) {
      filter.behind = place;
      const std::vector<std::string> plan = PlanOf(QueryOfFailures(filter, tables, true).rows + " LIMIT 1000");
      const std::string search = "SEARCH f USING INDEX idx_flaky_test_failures_project (project=? AND failed_at>?)";
      EXPECT_EQ(std::ranges::count(plan, search), 2) << testing::PrintToString(plan);
      EXPECT_THAT(plan, Not(Contains(AnyOf(HasSubstr("SCAN"), HasSubstr("TEMP B-TREE")))));
    }
    PageRequest page;
    const RunOrder order{tables("runs") + " r", kStartedAt, "r.run_id"};
    for (const std::optional<std::string>& project :
         {std::optional<std::string>("absent"), std::optional<std::string>()}) {
      page.filter.project = project;
      for (const Direction direction : {Direction::kOldestFirst, Direction::kNewestFirst}) {
        page.direction = direction;
        for (const PageQuery& query : QueriesOfPage(page, order, std::nullopt)) {
          const std::string rows = "SELECT * FROM " + order.from + query.conditions.sql() + query.order_by;
          EXPECT_THAT(PlanOf(rows), ElementsAre("SEARCH r USING INDEX idx_flaky_test_runs_project (project=?)"));
        }
      }
    }
    EXPECT_THAT(PlanOf(NewestRun(tables)), ElementsAre("SCAN r USING INDEX idx_flaky_test_runs_started"));
  }
  const auto store = OpenFile(path_, OpenMode::kRead);
  FailureFilter filter;
  filter.project = "p1";
  int failures = 0;
  store->VisitFailures(filter, [&](const FailureView&) { ++failures; });
  EXPECT_EQ(failures, 1250) << "also those that name none";
}

}  // namespace
}  // namespace flaky
