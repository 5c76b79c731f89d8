#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "tests/cli/program_fixture.h"

namespace flaky {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class SchemaTest : public ProgramTest {
 protected:
  std::string Store() const { return "sqlite:" + Path("h.db"); }
  static int64_t Known() { return nlohmann::json::parse(Run({"schema", "status", "--json"}).out)["known"]; }
};

TEST_F(SchemaTest, StatusReportsAMissingStore) {
  const Outcome outcome = Run({"schema", "status"});
  EXPECT_EQ(outcome.code, 10);
  EXPECT_EQ(outcome.out, Store() + ": there is no store yet; the first delivery creates it\n");
  EXPECT_EQ(outcome.err, "");
  const auto json = nlohmann::json::parse(Run({"schema", "status", "--json"}).out);
  EXPECT_EQ(json["state"], "missing");
  EXPECT_EQ(json["found"], nullptr);
  EXPECT_FALSE(std::filesystem::exists(Path("h.db")));
}

TEST_F(SchemaTest, MigrateCreatesTheStoreOnce) {
  Outcome outcome = Run({"schema", "migrate", "--dry-run"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, Store() + ": would create the store and its tables\n");
  EXPECT_FALSE(std::filesystem::exists(Path("h.db")));

  outcome = Run({"schema", "migrate"});
  const std::string version = std::to_string(Known());
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(outcome.out, Store() + ": created, schema version " + version + "\n");

  EXPECT_EQ(Run({"schema", "migrate"}).out, Store() + ": nothing to do, schema version " + version + "\n");
  outcome = Run({"schema", "status"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, Store() + ": schema version " + version + ", this program has " + version + "\n");
}

TEST_F(SchemaTest, MigrateCreatesTheFolderOfTheDefaultFile) {
  Unset("FLAKY_TESTS_DB");
  EXPECT_EQ(Run({"schema", "migrate"}).code, 0);
  struct stat folder {};
  ASSERT_EQ(::stat(Path("home/.local/state/flaky").c_str(), &folder), 0);
  EXPECT_EQ(folder.st_mode & 0777, 0700U);
  struct stat file {};
  ASSERT_EQ(::stat(Path("home/.local/state/flaky/history.db").c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0600U);
}

TEST_F(SchemaTest, MigrateCreatesNoOtherFolder) {
  Set("FLAKY_TESTS_DB", Path("none/h.db"));
  const Outcome outcome = Run({"schema", "migrate"});
  EXPECT_EQ(outcome.code, 10);
  EXPECT_THAT(outcome.err, HasSubstr("there is no folder '" + Path("none") + "'"));
}

TEST_F(SchemaTest, AnotherToolsTablesAreUpgradedWhenAsked) {
  Set("FLAKY_TESTS_TABLE_PREFIX", "");
  SQLite::Database(Path("h.db"), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE)
      .exec(
          "CREATE TABLE runs (run_id TEXT PRIMARY KEY, started_at TEXT NOT NULL, ended_at TEXT, duration_ms INTEGER,"
          " status TEXT, total_tests INTEGER, failed_tests INTEGER, git_sha TEXT, git_dirty INTEGER);"
          "CREATE TABLE failures (id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL REFERENCES runs(run_id),"
          " test_file TEXT NOT NULL, test_name TEXT NOT NULL, failure_kind TEXT NOT NULL, error_message TEXT,"
          " error_stack TEXT, duration_ms INTEGER, failed_at TEXT NOT NULL);"
          "INSERT INTO runs (run_id, started_at) VALUES ('theirs', '2026-01-01T00:00:00.000Z')");
  const std::string before = Content(Path("h.db"));
  Outcome outcome = Run({"schema", "status"});
  EXPECT_EQ(outcome.code, 1) << "migrations are pending";
  EXPECT_THAT(outcome.out, HasSubstr("pending; the next delivery or flaky schema migrate applies:\n  "));
  outcome = Run({"schema", "migrate", "--dry-run"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, HasSubstr(": would apply\n  "));
  EXPECT_EQ(Content(Path("h.db")), before) << "so far it was only read";

  outcome = Run({"schema", "migrate"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, HasSubstr(": applied\n  "));
  EXPECT_EQ(Run({"schema", "status"}).code, 0);
  EXPECT_THAT(Run({"runs", "--project", ""}).out, HasSubstr("\ntheirs  "));
}

TEST_F(SchemaTest, JsonReportsWhatWasDone) {
  auto json = nlohmann::json::parse(Run({"schema", "migrate", "--json"}).out);
  EXPECT_EQ(json["format"], 1);
  EXPECT_EQ(json["store"], Store());
  EXPECT_EQ(json["state"], "current");
  EXPECT_EQ(json["created"], true);
  EXPECT_EQ(json["dry_run"], false);
  EXPECT_THAT(json["pending"], IsEmpty());
  json = nlohmann::json::parse(Run({"schema", "migrate", "--json"}).out);
  EXPECT_EQ(json["created"], false);
  EXPECT_THAT(json["applied"], IsEmpty());
}

}  // namespace
}  // namespace flaky
