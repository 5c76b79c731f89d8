// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <thread>

#include "stores/open.h"
#include "stores/sql/ledger.h"
#include "tests/stores/postgres_support.h"
#include "tests/stores/race.h"
#include "tests/support/record_builder.h"

namespace flaky {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class PostgresSchemaTest : public PostgresTest {
 protected:
  // Describes all tables of a schema, one property per line.
  std::vector<std::string> Description(const std::string& schema) const {
    const std::string of_schema = " WHERE n.nspname = '" + schema + "'";
    return Query(
        "SELECT 'column ' || c.relname || '.' || a.attnum || ' ' || a.attname || ' ' || format_type(a.atttypid, "
        "a.atttypmod) || ' ' || a.attnotnull || ' ' || a.attcollation::regcollation FROM pg_attribute a JOIN pg_class "
        "c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace" +
        of_schema +
        " AND c.relkind = 'r' AND a.attnum > 0 UNION ALL "
        "SELECT 'index ' || replace(indexdef, schemaname || '.', '') FROM pg_indexes WHERE schemaname = '" +
        schema +
        "' UNION ALL SELECT 'constraint ' || k.conname || ' ' || c.relname || ' ' || "
        "replace(pg_get_constraintdef(k.oid), n.nspname || '.', '') FROM pg_constraint k JOIN pg_class c ON c.oid = "
        "k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace" +
        of_schema + " ORDER BY 1");
  }
  std::vector<std::string> Ledger() const {
    return Query("SELECT name || ' ' || checksum FROM flaky_test_schema ORDER BY version");
  }
};

TEST_F(PostgresSchemaTest, ThirtyTwoProcessesOnAnEmptyDatabaseApplyEachMigrationOnce) {
  constexpr int kProcesses = 32;
  EXPECT_EQ(RaceOf(kProcesses, uri_), kProcesses);
  EXPECT_EQ(Open(OpenMode::kRead)->Count({}).runs, kProcesses) << "no run was lost";
  EXPECT_THAT(Ledger(), SizeIs(PostgresMigrations().size()));
}

TEST_F(PostgresSchemaTest, ThreadsRaceWhateverTheirDefaultIsolationIs) {
  Run("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = ''serializable''', "
      "current_database()); END $$");
  std::vector<std::jthread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&, i] {
      const auto store = OpenStore(ParseLocation(uri_), OpenMode::kWrite);
      const RunRecord record = BuildRecord("shared").Part("p" + std::to_string(i), i).Build();
      store->Write({&record, 1});
    });
  }
  threads.clear();  // joins them
  EXPECT_EQ(Open(OpenMode::kRead)->Count({}), (Totals{1, 16, 0}));
}

TEST_F(PostgresSchemaTest, LedgerHoldsNameAndChecksumOfEachFile) {
  Open(OpenMode::kWrite);
  std::vector<std::string> expected;
  for (const Migration& migration : PostgresMigrations()) {
    expected.push_back(std::string(migration.name) + " " + Checksum(migration));
  }
  EXPECT_EQ(Ledger(), expected);
}

TEST_F(PostgresSchemaTest, FilesRunByHandMakeTheSameTables) {
  std::set<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(SCHEMA_FOLDER)) files.insert(entry.path());
  for (const std::string prefix : {"flaky_test_", "", "0_"}) {
    std::string script;
    for (const auto& path : files) {
      std::ifstream file(path);
      script += ReplaceAll(std::string(std::istreambuf_iterator<char>(file), {}), "{prefix}", prefix);
    }
    Run("DROP SCHEMA IF EXISTS by_hand CASCADE; CREATE SCHEMA by_hand; DROP SCHEMA IF EXISTS by_program CASCADE; "
        "CREATE SCHEMA by_program");
    PostgresServer::Execute(uri_ + "?options=-csearch_path%3Dby_hand", script);
    OpenUri(uri_ + "?options=-csearch_path%3Dby_program", OpenMode::kWrite, prefix);
    EXPECT_EQ(Description("by_hand"), Description("by_program"));
    EXPECT_THAT(Description("by_hand"), SizeIs(testing::Gt(50)));

    const auto store = OpenUri(uri_ + "?options=-csearch_path%3Dby_hand", OpenMode::kWrite, prefix);
    EXPECT_TRUE(store->schema().pending.empty()) << "the program uses such a database as its own";
  }
}

TEST_F(PostgresSchemaTest, HistoriesOfDifferentPrefixAndSchemaShareADatabase) {
  Run("CREATE SCHEMA other");
  const RunRecord record = BuildRecord("run").Part("p", 0).Build();
  const std::string longest(40, 'x');
  for (const std::string& prefix : {std::string("a_"), std::string(), longest}) {
    for (const std::string options : {"", "?options=-csearch_path%3Dother"}) {
      OpenUri(uri_ + options, OpenMode::kWrite, prefix)->Write({&record, 1});
    }
  }
  for (const std::string& prefix : {std::string("a_"), std::string(), longest}) {
    EXPECT_THAT(ReadAll(*Open(OpenMode::kRead, prefix)), SizeIs(1));
  }
  EXPECT_THAT(Query("SELECT indexname FROM pg_indexes WHERE schemaname = 'public' AND indexname LIKE 'idx_x%'"),
              SizeIs(4));
}

TEST_F(PostgresSchemaTest, TablesFurtherAlongTheSearchPathAreNotHidden) {
  Run("CREATE TABLE flaky_test_runs (run_id TEXT PRIMARY KEY, started_at TIMESTAMPTZ NOT NULL, ended_at TIMESTAMPTZ, "
      "duration_ms INTEGER, status TEXT, total_tests INTEGER, failed_tests INTEGER, git_sha TEXT, git_dirty BOOLEAN);"
      "INSERT INTO flaky_test_runs (run_id, started_at) VALUES ('there', now()); CREATE SCHEMA mine");
  const auto store = OpenUri(uri_ + "?options=-csearch_path%3Dmine,public", OpenMode::kWrite);
  EXPECT_EQ(store->Count({}).runs, 1);
  EXPECT_THAT(Query("SELECT tablename FROM pg_tables WHERE schemaname = 'mine'"), IsEmpty());
}

TEST_F(PostgresSchemaTest, ASearchPathWithoutASchemaIsExplained) {
  const auto error = ErrorOf([&] { OpenUri(uri_ + "?options=-csearch_path%3Dnone", OpenMode::kWrite); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kMissing);
  EXPECT_THAT(error->what(), HasSubstr("CREATE SCHEMA"));
}

TEST_F(PostgresSchemaTest, ANewerSchemaIsReadButNotWritten) {
  const RunRecord record = BuildRecord("run").Part("p", 0).Build();
  Open(OpenMode::kWrite)->Write({&record, 1});
  Run("ALTER TABLE flaky_test_runs ADD COLUMN mood TEXT; INSERT INTO flaky_test_schema VALUES (9, '0009_moods', 'x', "
      "now())");
  const auto error = ErrorOf([&] { Open(OpenMode::kWrite); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kSchemaTooNew);
  const auto store = Open(OpenMode::kRead);
  EXPECT_EQ(store->schema().found, 9);
  EXPECT_EQ(DigestOf(ReadAll(*store).at(0)), DigestOf(record));
}

TEST_F(PostgresSchemaTest, ADriftedChecksumIsRefused) {
  Open(OpenMode::kWrite);
  Run("UPDATE flaky_test_schema SET checksum = 'edited' WHERE version = 1");
  for (const OpenMode mode : {OpenMode::kRead, OpenMode::kWrite}) {
    const auto error = ErrorOf([&] { Open(mode); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->kind(), ErrorKind::kInvalid);
    EXPECT_THAT(error->what(), HasSubstr("0001_runs_and_failures"));
  }
}

TEST_F(PostgresSchemaTest, ForeignTablesAreRefusedAndLeftAlone) {
  for (const ForeignTable& each : kForeignTables) {
    Run("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    Run(each.sql);
    const std::vector<std::string> before = Description("public");
    for (const OpenMode mode : {OpenMode::kWrite, OpenMode::kRead, OpenMode::kBulk}) {
      const auto error = ErrorOf([&] { Open(mode, ""); });
      ASSERT_TRUE(error);
      EXPECT_EQ(error->kind(), ErrorKind::kInvalid);
      EXPECT_THAT(error->what(), AllOf(HasSubstr(each.name), HasSubstr(each.missing)));
    }
    EXPECT_EQ(Description("public"), before);
  }
}

TEST_F(PostgresSchemaTest, ADatabaseWithoutHistoryIsMissingForReaders) {
  const auto error = ErrorOf([&] { Open(OpenMode::kRead); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kMissing);
  EXPECT_THAT(error->what(), AllOf(HasSubstr("flaky_test_runs"), HasSubstr("prefix")));
  EXPECT_THAT(Description("public"), IsEmpty());
}

TEST_F(PostgresSchemaTest, AnInterruptedUpgradeIsResumed) {
  Open(OpenMode::kWrite);
  Run("DELETE FROM flaky_test_schema WHERE version >= 2; DROP TABLE flaky_test_parts CASCADE; "
      "DROP TABLE flaky_test_rosters CASCADE; DROP INDEX idx_flaky_test_runs_started; ALTER TABLE flaky_test_failures "
      "DROP COLUMN signal");
  EXPECT_THAT(Open(OpenMode::kRead)->schema().pending,
              ElementsAre("0002_parts_and_rosters", "0003_indexes_and_references", "0004_views"));
  const auto store = Open(OpenMode::kWrite);
  const RunRecord record = BuildRecord("run").Part("p", 0, 1).Fail("S.T").Build();
  store->Write({&record, 1});
  EXPECT_EQ(DigestOf(ReadAll(*store).at(0)), DigestOf(record));
}

TEST_F(PostgresSchemaTest, ACopyIntoNewTablesMakesTheIndexesLast) {
  const std::string indexes =
      "SELECT indexname FROM pg_indexes WHERE schemaname = 'public' AND indexname LIKE 'idx%' ORDER BY 1";
  const auto bulk = Open(OpenMode::kBulk);
  EXPECT_THAT(Query(indexes), IsEmpty());
  EXPECT_THAT(bulk->schema().pending, ElementsAre("0003_indexes_and_references", "0004_views"));
  bulk->Finish();
  EXPECT_THAT(Query(indexes), ElementsAre("idx_flaky_test_failures_failed_at", "idx_flaky_test_failures_project",
                                          "idx_flaky_test_runs_project", "idx_flaky_test_runs_started"));
  // If there are rows, another process may be reading them.
  Run("DELETE FROM flaky_test_schema WHERE version = 3; DROP INDEX idx_flaky_test_runs_started");
  EXPECT_TRUE(Open(OpenMode::kBulk)->schema().pending.empty());
}

TEST_F(PostgresSchemaTest, PagesAndWindowsUseTheIndexes) {
  Open(OpenMode::kWrite);
  Run("INSERT INTO flaky_test_runs (run_id, started_at) SELECT md5(g::text), now() - g * interval '1 minute' FROM "
      "generate_series(1, 20000) g; ANALYZE flaky_test_runs");
  const auto plan = Query(
      "EXPLAIN SELECT r.run_id FROM flaky_test_runs r WHERE (r.started_at, r.run_id COLLATE \"C\") > "
      "('2026-01-01Z', 'x') ORDER BY r.started_at, r.run_id COLLATE \"C\" LIMIT 10");
  EXPECT_THAT(plan, testing::Contains(HasSubstr("Index Only Scan using idx_flaky_test_runs_started"))) << plan[0];
  EXPECT_THAT(plan, testing::Not(testing::Contains(HasSubstr("Sort"))));
}

TEST_F(PostgresSchemaTest, AFailureIsFoundByItsRun) {
  Open(OpenMode::kWrite);
  EXPECT_THAT(Query("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = "
                    "'flaky_test_failures'::regclass AND contype = 'p'"),
              ElementsAre("PRIMARY KEY (run_id, id)"));
  EXPECT_THAT(
      Query("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' AND conrelid::regclass::text "
            "LIKE 'flaky%' ORDER BY conrelid::regclass::text"),
      ElementsAre("FOREIGN KEY (run_id) REFERENCES flaky_test_runs(run_id) ON DELETE CASCADE",
                  "FOREIGN KEY (run_id) REFERENCES flaky_test_runs(run_id) ON DELETE CASCADE"));
}

// Failures of 20 projects in another order than that of their time. The statistics are those of a small part of them,
// as between two runs of autovacuum.
class PostgresWindow : public PostgresSchemaTest {
 protected:
  static constexpr int kRuns = 20'000;  // with two failures each
  static constexpr int kOfProject = 2 * kRuns / 20;

  PostgresWindow() {
    Open(OpenMode::kWrite);
    Run("ALTER TABLE flaky_test_failures SET (autovacuum_enabled = off); "
        "ALTER TABLE flaky_test_runs SET (autovacuum_enabled = off)");
    Insert(1, 1000);
    Run("ANALYZE flaky_test_runs, flaky_test_failures");
    Insert(1001, kRuns);
    Run("UPDATE flaky_test_failures SET project = NULL WHERE run_id LIKE '%00'");
  }
  void Insert(int first, int last) const {
    const std::string runs = "generate_series(" + std::to_string(first) + ", " + std::to_string(last) + ") g";
    const std::string id = "'r' || lpad(g::text, 6, '0')";
    const std::string project = "'p' || g % 20";
    const std::string time =
        "'2026-01-01Z'::timestamptz + (g * 7919 % " + std::to_string(kRuns) + ") * interval '1 minute'";
    Run("INSERT INTO flaky_test_runs (run_id, project, started_at) SELECT " + id + ", " + project + ", " + time +
        " FROM " + runs);
    Run("INSERT INTO flaky_test_failures (run_id, test_file, test_name, failure_kind, failed_at, project) SELECT " +
        id + ", 'f', 't', 'assertion', " + time + ", " + project + " FROM " + runs + ", generate_series(1, 2)");
  }
  // Asks, and returns how many rows of the table the server read: those that it found by an index, and in whole scans.
  struct Rows {
    int64_t by_index = 0;
    int64_t by_scan = 0;
  };
  Rows ReadFor(const std::string& table, const std::function<void(Store&)>& ask) const {
    Run("SELECT pg_stat_reset()");
    ask(*Open(OpenMode::kRead));
    // A session tells its numbers when it ends, which the server does not wait for.
    Rows rows;
    for (int tries = 0; tries < 200 && rows.by_index + rows.by_scan == 0; ++tries) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      rows.by_index = std::stoll(
          Query("SELECT coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables WHERE relname = '" + table + "'").at(0));
      rows.by_scan =
          std::stoll(Query("SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = '" + table + "'").at(0));
    }
    return rows;
  }
};

TEST_F(PostgresWindow, AQuestionAboutOneProjectDoesNotReadTheOthers) {
  const int unnamed = std::stoi(Query("SELECT count(*) FROM flaky_test_failures WHERE project IS NULL").at(0));
  for (const bool texts : {false, true}) {  // pages of different sizes
    for (const bool windowed : {false, true}) {
      FailureFilter filter;
      filter.project = "p0";
      filter.texts = texts;
      if (windowed) filter.after = At(kRuns / 2 * 60);
      int seen = 0;
      const Rows rows = ReadFor("flaky_test_failures", [&](Store& store) {
        store.VisitFailures(filter, [&](const FailureView&) { ++seen; });
      });
      EXPECT_NEAR(seen, windowed ? kOfProject / 2 : kOfProject, windowed ? 10 : 0);
      EXPECT_EQ(rows.by_scan, 0);
      EXPECT_GE(rows.by_index, seen);
      EXPECT_LE(rows.by_index, seen + unnamed + 10);
    }
  }
}

TEST_F(PostgresWindow, PagesOfAllProjectsDoNotBecomeScans) {
  FailureFilter filter;
  filter.after = At(kRuns / 2 * 60);
  filter.texts = true;
  int seen = 0;
  const Rows rows = ReadFor("flaky_test_failures",
                            [&](Store& store) { store.VisitFailures(filter, [&](const FailureView&) { ++seen; }); });
  EXPECT_NEAR(seen, kRuns, 10);
  EXPECT_EQ(rows.by_scan, 0);
  EXPECT_LE(rows.by_index, seen + 100) << "each page begins after the last one";
}

TEST_F(PostgresWindow, SingleFailuresAreFoundByTheKey) {
  FailureFilter filter;
  for (const auto& id : Query("SELECT id FROM flaky_test_failures WHERE run_id = 'r000077'")) {
    filter.ids.push_back({"r000077", std::stoll(id)});
  }
  int seen = 0;
  const Rows rows = ReadFor("flaky_test_failures",
                            [&](Store& store) { store.VisitFailures(filter, [&](const FailureView&) { ++seen; }); });
  EXPECT_EQ(seen, 2);
  EXPECT_EQ(rows.by_scan, 0);
  EXPECT_LE(rows.by_index, 10);
}

TEST_F(PostgresWindow, RunsOfARareProjectAreNotSearched) {
  Run("INSERT INTO flaky_test_runs (run_id, project, started_at) VALUES ('rare', 'rare', '2026-01-03Z'), ('none', "
      "NULL, "
      "'2026-01-03Z')");
  for (const std::optional<std::string>& project : {std::optional<std::string>("rare"), std::optional<std::string>()}) {
    for (const Direction direction : {Direction::kOldestFirst, Direction::kNewestFirst}) {
      PageRequest page;
      page.filter.project = project;
      page.direction = direction;
      page.detail = Detail::kRunsOnly;
      page.max_records = 20;
      const Rows rows =
          ReadFor("flaky_test_runs", [&](Store& store) { EXPECT_THAT(store.Read(page).records, SizeIs(1)); });
      EXPECT_EQ(rows.by_scan, 0);
      EXPECT_LE(rows.by_index, 10);
    }
  }
}

}  // namespace
}  // namespace flaky
