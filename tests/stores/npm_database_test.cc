#include "tests/stores/npm_database.h"

#include <gmock/gmock.h>

#include <optional>

#include "tests/stores/store_support.h"
#include "tests/support/record_builder.h"

namespace flaky {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

struct NpmColumn {
  const char* name;
  const char* type;
  const char* value;  // of the rows that the tests insert
};
constexpr NpmColumn kLaterColumns[] = {{"passed_tests", "INTEGER", "9"},
                                       {"errors_between_tests", "INTEGER", "0"},
                                       {"runtime_version", "TEXT", "'bun 1.2'"},
                                       {"test_args", "TEXT", "'--bail'"},
                                       {"project", "TEXT", "'web'"}};

// An insert like the package's, which names the columns that its version has.
std::string InsertRun(const std::string& run_id, int version) {
  std::string columns =
      "run_id, started_at, ended_at, duration_ms, status, total_tests, failed_tests, git_sha, git_dirty";
  std::string values = "'" + run_id + "', '2026-01-0" + std::to_string(version) +
                       "T10:00:00.000Z', '2026-01-09T10:00:05.250Z', 5250, 'fail', 10, 1, 'abc', 1";
  for (int i = 0; i < version - 1; ++i) {
    columns += std::string(", ") + kLaterColumns[i].name;
    values += std::string(", ") + kLaterColumns[i].value;
  }
  return "INSERT INTO runs (" + columns + ") VALUES (" + values +
         ");"
         "INSERT INTO failures (run_id, test_file, test_name, failure_kind, error_message, error_stack, duration_ms, "
         "failed_at) VALUES ('" +
         run_id +
         "', '/src/a.test.ts', 'outer > inner > name', 'assertion', 'expected 1', NULL, 12, "
         "'2026-01-01T10:00:01.000Z');";
}

// The SQL that makes the tables as the package's version `version` leaves them, with two runs: "old", and "older-died",
// which has no end.
std::string NpmTables(int version, bool version_table) {
  std::string sql =
      "CREATE TABLE runs (run_id TEXT PRIMARY KEY, started_at TEXT NOT NULL, ended_at TEXT, duration_ms INTEGER, "
      "status TEXT, total_tests INTEGER, failed_tests INTEGER, git_sha TEXT, git_dirty INTEGER);"
      "CREATE TABLE failures (id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL REFERENCES runs(run_id), "
      "test_file TEXT NOT NULL, test_name TEXT NOT NULL, failure_kind TEXT NOT NULL, error_message TEXT, "
      "error_stack TEXT, duration_ms INTEGER, failed_at TEXT NOT NULL);"
      "CREATE INDEX idx_failures_test ON failures (test_file, test_name);"
      "CREATE INDEX idx_failures_run ON failures (run_id);"
      "CREATE INDEX idx_failures_failed_at ON failures (failed_at);"
      "CREATE INDEX idx_runs_status ON runs (ended_at, failed_tests);";
  for (int i = 0; i < version - 1; ++i) {
    sql += std::string("ALTER TABLE runs ADD COLUMN ") + kLaterColumns[i].name + " " + kLaterColumns[i].type + ";";
  }
  if (version_table) {
    sql += "CREATE TABLE schema_version (version INTEGER PRIMARY KEY, applied_at TEXT NOT NULL);";
    for (int i = 1; i <= version; ++i) {
      sql += "INSERT INTO schema_version VALUES (" + std::to_string(i) + ", '2026-01-01T00:00:00.000Z');";
    }
  }
  return sql + InsertRun("old", version) + InsertRun("older-died", 1) +
         "UPDATE runs SET ended_at = NULL, status = NULL, failed_tests = NULL WHERE run_id = 'older-died';";
}

}  // namespace

NpmDatabase::NpmDatabase() : database_(std::get<MistypedKind>(GetParam()).make()) {
  Execute(NpmTables(version(), has_version_table()));
}

namespace {

TEST_P(NpmDatabase, IsReadAsItIs) {
  const std::string everything =
      "SELECT name || sql FROM sqlite_master WHERE sql IS NOT NULL UNION ALL SELECT run_id || started_at FROM runs "
      "UNION ALL SELECT id || run_id FROM failures ORDER BY 1";
  const std::vector<std::string> before = Query(everything);
  const auto store = Open(OpenMode::kRead);
  EXPECT_EQ(store->schema().found, 0);
  EXPECT_EQ(ReadAll(*store).size(), 2u);
  EXPECT_EQ(store->Count({}), (Totals{2, 0, 2}));
  const std::string id = "old";
  const RunRecord record = store->Fetch({&id, 1}).at(0);
  EXPECT_EQ(record.run.account.duration_ms, 5250);
  EXPECT_EQ(record.run.git_dirty, true);
  EXPECT_EQ(record.run.project, version() >= 6 ? std::optional<std::string>("web") : std::nullopt);
  EXPECT_EQ(record.run.account.passed_tests, version() >= 2 ? std::optional<int64_t>(9) : std::nullopt);
  EXPECT_FALSE(record.run.branch.has_value());
  EXPECT_TRUE(record.parts.empty());
  EXPECT_EQ(record.failures.at(0).test_name, "outer > inner > name");
  int failures = 0;
  store->VisitFailures({}, [&](const FailureView&) { ++failures; });
  EXPECT_EQ(failures, 2);
  PageRequest request;
  request.max_records = 1;
  request.direction = Direction::kNewestFirst;
  const Page page = store->Read(request);
  ASSERT_TRUE(page.next);
  request.after = page.next;
  EXPECT_EQ(store->Read(request).records.size(), 1u);
  EXPECT_EQ(Query(everything), before) << "reading changes nothing";
}

TEST_P(NpmDatabase, IsUpgradedAndStillUsableByThePackage) {
  const Digest before = SumOf(ReadAll(*Open(OpenMode::kRead)));
  const auto store = Open(OpenMode::kWrite);
  EXPECT_TRUE(store->schema().pending.empty());
  EXPECT_EQ(SumOf(ReadAll(*store)), before);

  // The package finds all its versions applied, so it adds no column again and continues to write.
  if (has_version_table()) {
    EXPECT_THAT(Query("SELECT version FROM schema_version ORDER BY version"),
                ElementsAre("1", "2", "3", "4", "5", "6"));
  } else {
    EXPECT_THAT(Query("SELECT name FROM sqlite_master WHERE name = 'schema_version'"), IsEmpty());
  }
  const auto columns = Query("SELECT name FROM pragma_table_info('runs')");
  for (const NpmColumn& column : kLaterColumns) EXPECT_THAT(columns, Contains(column.name));
  EXPECT_THAT(Query("SELECT name FROM pragma_table_info('runs') WHERE \"notnull\" AND name != 'started_at'"),
              IsEmpty());
  Execute(InsertRun("new", kNpmVersions));

  const std::string id = "new";
  const RunRecord added = store->Fetch({&id, 1}).at(0);
  EXPECT_EQ(added.run.project, "web");
  EXPECT_TRUE(added.parts.empty());
  EXPECT_EQ(added.failures.size(), 1u);
  const RunRecord ours = BuildRecord("ours").Part("p", 0, 1).Fail("Suite.Test").Build();
  EXPECT_EQ(store->Write({&ours, 1}).at(0).outcome, WriteResult::Outcome::kInserted);
  EXPECT_EQ(ReadAll(*store).size(), 4u);
}

TEST_P(NpmDatabase, IsAdoptedOnFirstUseAndLeftUnchanged) {
  const std::string everything =
      "SELECT name || sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name IN ('runs', 'failures', "
      "'schema_version')"
      " UNION ALL SELECT run_id || started_at FROM runs UNION ALL SELECT id || run_id FROM failures ORDER BY 1";
  const std::vector<std::string> before = Query(everything);
  const Digest theirs = SumOf(ReadAll(*Open(OpenMode::kRead)));
  const std::optional<AdoptionSummary> adopted = Open(OpenMode::kWrite, "flaky_test_")->schema().adopted;
  ASSERT_TRUE(adopted);
  EXPECT_EQ(adopted->runs, 2);
  EXPECT_EQ(adopted->failures, 2);
  EXPECT_EQ(adopted->conflicts + adopted->missing + adopted->left_out, 0);
  const auto store = Open(OpenMode::kRead, "flaky_test_");
  EXPECT_EQ(store->Count({}), (Totals{2, 0, 2}));
  EXPECT_EQ(SumOf(ReadAll(*store)), theirs);
  EXPECT_EQ(Query(everything), before);
  EXPECT_FALSE(Open(OpenMode::kWrite, "flaky_test_")->schema().adopted) << "only the first use looks";
  EXPECT_EQ(Open(OpenMode::kBulk, "other_")->Count({}).runs, 2) << "another prefix, for a copy";
}

TEST_P(NpmDatabase, KeepsFailureIdsWhenARunIsCompleted) {
  const std::string ids = "SELECT id FROM failures WHERE run_id = 'older-died' ORDER BY id";
  const auto store = Open(OpenMode::kWrite);
  const std::vector<std::string> before = Query(ids);
  const std::string id = "older-died";
  const RunRecord ended = EndedWithAnotherFailure(store->Fetch({&id, 1}).at(0));
  EXPECT_EQ(store->Write({&ended, 1}).at(0).outcome, WriteResult::Outcome::kCompleted);
  const std::vector<std::string> after = Query(ids);
  ASSERT_EQ(after.size(), 2u);
  EXPECT_EQ(after[0], before[0]);
}

}  // namespace
}  // namespace flaky
