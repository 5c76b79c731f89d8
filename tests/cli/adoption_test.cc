// SPDX-License-Identifier: MIT

// Legacy tables: `flaky schema adopt`, `drop-old`, and the printed script, run by plain sqlite3 and psql.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/cli/program_fixture.h"
#include "tests/servers/postgres_server.h"
#include "tests/servers/sqld_server.h"

namespace flaky {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// The npm packages' tables, version 3, with two runs.
constexpr char kNpmTables[] =
    "CREATE TABLE runs (run_id TEXT PRIMARY KEY, started_at TEXT NOT NULL, ended_at TEXT, duration_ms INTEGER, status "
    "TEXT, total_tests INTEGER, failed_tests INTEGER, git_sha TEXT, git_dirty INTEGER);"
    "CREATE TABLE failures (id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL REFERENCES runs(run_id), "
    "test_file TEXT NOT NULL, test_name TEXT NOT NULL, failure_kind TEXT NOT NULL, error_message TEXT, error_stack "
    "TEXT, duration_ms INTEGER, failed_at TEXT NOT NULL);"
    "CREATE INDEX idx_failures_run ON failures (run_id);"
    "ALTER TABLE runs ADD COLUMN passed_tests INTEGER; ALTER TABLE runs ADD COLUMN errors_between_tests INTEGER;"
    "CREATE TABLE schema_version (version INTEGER PRIMARY KEY, applied_at TEXT NOT NULL);"
    "INSERT INTO runs VALUES ('a', '2026-01-01T10:00:00.000Z', '2026-01-01T10:00:05.000Z', 5000, 'fail', 9, 2, 'abc', "
    "1, 7, 0), ('b', 'garbage', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);"
    "INSERT INTO failures (run_id, test_file, test_name, failure_kind, error_message, failed_at) VALUES ('a', 'a.ts', "
    "'it''s ; here', 'assertion', 'line' || char(10) || '\"2\"', '2026-01-01T10:00:01.000Z'), ('a', 'a.ts', 'x', "
    "'timeout', NULL, '2026-01-01T10:00:02.000Z'), ('a', 'a.ts', 'x', 'timeout', NULL, '2026-01-01T10:00:02.000Z');";

class Adoption : public ProgramTest {
 protected:
  int Shell(const std::string& command) const {
    return std::system(("cd '" + Path("") + "' && (" + command + ") >> output 2>&1").c_str());
  }
  void Sqlite(const std::string& file, const std::string& sql) const {
    WriteFile("statements.sql", sql);
    ASSERT_EQ(Shell("sqlite3 -bail " + file + " < statements.sql"), 0) << Content(Path("output"));
  }
  std::string Tables(const std::string& file) const {
    std::filesystem::remove(Path("output"));
    Shell("sqlite3 " + file +
          " \"SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name\"");
    return Content(Path("output"));
  }
  // Writes the output of `flaky schema sql OPTIONS…` to a file.
  void Script(const std::string& name, const std::vector<std::string>& options) const {
    std::vector<std::string> arguments = {"schema", "sql"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const Outcome outcome = Run(arguments);
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    WriteFile(name, outcome.out);
  }
  // Returns true if both locations hold the same history.
  static bool AreSame(const std::string& one, const std::string& other) {
    return Run({"verify", "--source", one, "--target", other}).code == 0;
  }
  std::string File(const std::string& name) const { return "sqlite:" + Path(name); }
};

constexpr char kOurTables[] =
    "flaky_test_claims\nflaky_test_failures\nflaky_test_parts\nflaky_test_rosters\nflaky_test_runs\nflaky_test_"
    "schema\n";

TEST_F(Adoption, FirstUseReportsWhatItCopied) {
  Sqlite("h.db", kNpmTables);
  const Outcome outcome = Run({"schema", "migrate"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("runs found             2\n"), HasSubstr("failures found         3\n"),
                                 HasSubstr("in conflict            0")));
  EXPECT_TRUE(AreSame(File("h.db?prefix="), File("h.db")));
  EXPECT_THAT(Run({"schema", "migrate"}).out, Not(HasSubstr("runs found")));
}

TEST_F(Adoption, JsonReportsWhatItCopied) {
  Sqlite("h.db", kNpmTables);
  const json report = json::parse(Run({"schema", "migrate", "--json"}).out)["adopted"];
  EXPECT_EQ(report, (json{{"runs", 2}, {"failures", 3}, {"conflicts", 0}, {"missing", 0}, {"left_out", 0}}));
  EXPECT_TRUE(json::parse(Run({"schema", "migrate", "--json"}).out)["adopted"].is_null());
}

TEST_F(Adoption, AdoptCopiesNewRunsAndCompletesThoseThatEnded) {
  Sqlite("h.db", kNpmTables);
  Run({"schema", "migrate"});
  Sqlite("h.db",
         "INSERT INTO runs (run_id, started_at) VALUES ('c', '2026-01-02T10:00:00.000Z');"
         "UPDATE runs SET ended_at = '2026-01-01T11:00:00.000Z', status = 'pass' WHERE run_id = 'b';");
  const std::vector<std::string> adopt = {"schema", "adopt", "--from-prefix", "", "--json"};
  json report = json::parse(Run(adopt).out);
  EXPECT_EQ(report["copied"], 1);
  EXPECT_EQ(report["completed"], 1);
  EXPECT_EQ(report["unchanged"], 1);
  report = json::parse(Run(adopt).out);
  EXPECT_EQ(report["unchanged"], 3);
  EXPECT_EQ(report["verified"], true);

  Sqlite("h.db", "UPDATE runs SET started_at = '2025-01-01T00:00:00.000Z' WHERE run_id = 'c';");
  const Outcome conflict = Run({"schema", "adopt", "--from-prefix", ""});
  EXPECT_EQ(conflict.code, 3);
  EXPECT_THAT(conflict.out, HasSubstr("conflict: run c"));
}

TEST_F(Adoption, DropOldDropsOnlyFullyCopiedTables) {
  Sqlite("h.db", kNpmTables);
  Run({"schema", "migrate"});
  Sqlite("h.db", "INSERT INTO runs (run_id, started_at) VALUES ('c', '2026-01-02T10:00:00.000Z');");
  const std::vector<std::string> drop = {"schema", "drop-old", "--from-prefix", "", "--yes"};
  Outcome outcome = Run(drop);
  EXPECT_EQ(outcome.code, 5);
  EXPECT_THAT(outcome.err, HasSubstr("nothing was dropped"));
  EXPECT_THAT(outcome.out, HasSubstr("+ c\n"));
  Run({"schema", "adopt", "--from-prefix", ""});

  Sqlite("h.db",
         "INSERT INTO failures (run_id, test_file, test_name, failure_kind, failed_at) VALUES ('absent', '', '', '', "
         "'');");
  outcome = Run(drop);
  EXPECT_EQ(outcome.code, 5);
  EXPECT_THAT(outcome.err, HasSubstr("1 failure belongs to no run"));
  Sqlite("h.db", "DELETE FROM failures WHERE run_id = 'absent';");

  outcome = Run({"schema", "drop-old", "--from-prefix", ""});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("give --yes"));
  outcome = Run({"schema", "drop-old", "--from-prefix", "", "--dry-run"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("would drop failures, runs with 3 runs and 3 failures"));
  EXPECT_EQ(Tables("h.db"), "failures\n" + std::string(kOurTables) + "runs\nschema_version\n");
  outcome = Run(drop);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(Tables("h.db"), std::string(kOurTables) + "schema_version\n");
  EXPECT_EQ(Run(drop).code, 10) << "the tables are gone already";
}

TEST_F(Adoption, ThePrefixIsCheckedAndMustDiffer) {
  for (const char* command : {"adopt", "drop-old"}) {
    EXPECT_EQ(Run({"schema", command}).code, 2);
    EXPECT_THAT(Run({"schema", command, "--from-prefix", "x\"; DROP"}).err, HasSubstr("only a-z, 0-9 and _"));
    EXPECT_THAT(Run({"schema", command, "--from-prefix", "flaky_test_"}).err, HasSubstr("tables in use"));
  }
  EXPECT_THAT(Run({"schema", "sql", "--adopt-from", "x;"}).err, HasSubstr("only a-z, 0-9 and _"));
  EXPECT_THAT(Run({"schema", "sql", "--adopt-from", "flaky_test_"}).err, HasSubstr("the same prefix"));
  EXPECT_EQ(Run({"schema", "sql", "--drop-old"}).code, 2);
}

TEST_F(Adoption, AnotherPrefixIsAdoptedOnlyWhenAsked) {
  Keep({BuildRecord("r1").Part("p", 0, 1).Fail("Suite.Test").Build(), BuildRecord("r2").Part("p", 0, 2).Build()});
  Set("FLAKY_TESTS_TABLE_PREFIX", "team_");
  Run({"schema", "migrate"});
  EXPECT_EQ(json::parse(Run({"runs", "--all", "--json"}).out)["runs"].size(), 0u);
  EXPECT_EQ(Run({"schema", "adopt", "--from-prefix", "flaky_test_"}).code, 0);
  EXPECT_TRUE(AreSame(File("h.db?prefix=flaky_test_"), File("h.db?prefix=team_")));
  EXPECT_EQ(Run({"schema", "drop-old", "--from-prefix", "flaky_test_", "--yes"}).code, 0);
  EXPECT_EQ(Tables("h.db"), "team_claims\nteam_failures\nteam_parts\nteam_rosters\nteam_runs\nteam_schema\n");
}

TEST_F(Adoption, TheScriptInSqlite3DoesTheSameAsTheProgram) {
  for (const char* name : {"h.db", "hand.db", "dropped.db"}) Sqlite(name, kNpmTables);
  Run({"schema", "migrate"});
  Script("adopt.sql", {"--store", "sqlite", "--adopt-from", ""});
  Script("drop.sql", {"--store", "turso", "--adopt-from", "", "--drop-old"});
  ASSERT_EQ(Shell("sqlite3 -bail hand.db < adopt.sql && sqlite3 -bail dropped.db < drop.sql"), 0)
      << Content(Path("output"));
  EXPECT_TRUE(AreSame(File("h.db"), File("hand.db")));
  EXPECT_TRUE(AreSame(File("h.db"), File("dropped.db")));
  EXPECT_EQ(Tables("hand.db"), Tables("h.db"));
  Run({"schema", "drop-old", "--from-prefix", "", "--yes"});
  EXPECT_EQ(Tables("dropped.db"), Tables("h.db"));
  EXPECT_THAT(Run({"schema", "migrate"}).out, HasSubstr("nothing to do"));
}

TEST_F(Adoption, TheScriptAdoptsOurTables) {
  Keep({BuildRecord("r1").Part("p", 0, 1).Fail("Suite.Test").Build(), BuildRecord("r2").Part("p", 0, 2).Build()});
  ASSERT_EQ(Shell("cp h.db before.db && sqlite3 h.db 'PRAGMA wal_checkpoint' && cp h.db before.db"), 0);
  Set("FLAKY_TESTS_TABLE_PREFIX", "team_");
  Script("move.sql", {"--store", "sqlite", "--adopt-from", "flaky_test_", "--drop-old"});
  ASSERT_EQ(Shell("sqlite3 -bail h.db < move.sql"), 0) << Content(Path("output"));
  EXPECT_TRUE(AreSame(File("before.db?prefix=flaky_test_"), File("h.db?prefix=team_")));
  EXPECT_EQ(Tables("h.db"), "team_claims\nteam_failures\nteam_parts\nteam_rosters\nteam_runs\nteam_schema\n");
}

// Without -bail, sqlite3 continues after any statement that failed.
TEST_F(Adoption, TheScriptDropsNothingIfARowIsMissingOrDiffers) {
  Script("drop.sql", {"--store", "sqlite", "--adopt-from", "", "--drop-old"});
  for (const char* spoil :
       {"UPDATE flaky_test_runs SET status = 'pass' WHERE run_id = 'a'", "DELETE FROM flaky_test_failures WHERE id = 1",
        "INSERT INTO failures (run_id, test_file, test_name, failure_kind, failed_at) VALUES "
        "('absent', '', '', '', '')",
        "INSERT INTO runs (run_id, started_at) VALUES (NULL, '')"}) {
    SCOPED_TRACE(spoil);
    for (const char* file : {"h.db", "h.db-wal", "h.db-shm"}) std::filesystem::remove(Path(file));
    Sqlite("h.db", kNpmTables);
    Run({"schema", "migrate"});
    Sqlite("h.db", std::string(spoil) + ";");
    EXPECT_NE(Shell("sqlite3 h.db < drop.sql"), 0);
    EXPECT_EQ(Tables("h.db"), "failures\n" + std::string(kOurTables) + "runs\nschema_version\n");
    EXPECT_THAT(Content(Path("output")), Not(HasSubstr("no such table")));
  }
}

TEST_F(Adoption, TheScriptDropsNoneOfOurTablesIfAPartDiffers) {
  Set("FLAKY_TESTS_TABLE_PREFIX", "team_");
  Script("move.sql", {"--store", "sqlite", "--adopt-from", "flaky_test_", "--drop-old"});
  Run({"schema", "migrate"});
  Keep({BuildRecord("r1").Part("p", 0, 1).Fail("Suite.Test").Build()});
  Run({"schema", "adopt", "--from-prefix", "flaky_test_"});
  Sqlite(
      "h.db",
      "UPDATE team_parts SET shard = 'x'; UPDATE flaky_test_parts SET roster_id = 'lost';"
      "INSERT INTO flaky_test_failures (run_id, test_file, test_name, failure_kind, failed_at) VALUES ('no', '', '', "
      "'', '');");
  const std::string before = Tables("h.db");
  EXPECT_THAT(before, HasSubstr("flaky_test_parts\n"));
  Shell("sqlite3 h.db < move.sql");
  for (const char* table : {"flaky_test_failures\n", "flaky_test_parts\n", "flaky_test_runs\n"}) {
    EXPECT_THAT(Tables("h.db"), HasSubstr(table));
  }
}

// The first use is killed at many moments, on a file and on a server: the next use completes it without duplicates.
TEST_F(Adoption, AKilledFirstUseIsCompletedByTheNext) {
  const std::string fill =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000) INSERT INTO runs (run_id, "
      "started_at, status) SELECT printf('run-%05d', i), strftime('%Y-%m-%dT%H:%M:%fZ', 1700000000 + i, 'unixepoch'), "
      "'fail' FROM n; INSERT INTO failures (run_id, test_file, test_name, failure_kind, failed_at) SELECT run_id, "
      "'a.ts', 'n', 'assertion', started_at FROM runs;";
  SqldServer& server = SqldServer::Shared();
  for (const bool on_server : {false, true}) {
    const std::string location = on_server ? server.url() : File("h.db");
    if (on_server) {
      server.Reset();
      server.Execute(kNpmTables + fill);
      Set("FLAKY_TESTS_STORE", "turso");
      Set("FLAKY_TESTS_CONNECTION_STRING", location);
    } else {
      Sqlite("h.db", kNpmTables + fill);
    }
    int killed = 0;
    for (int milliseconds = 10; milliseconds < 300; milliseconds += 40) {
      const std::string wait = "0." + std::string(milliseconds < 100 ? "0" : "") + std::to_string(milliseconds);
      killed += Shell("timeout -s KILL " + wait + " '" FLAKY_PROGRAM "' schema migrate") != 0;
    }
    EXPECT_GT(killed, 0);
    EXPECT_EQ(Run({"schema", "migrate"}).code, 0);
    EXPECT_TRUE(AreSame(location + "?prefix=", location)) << location;
    EXPECT_EQ(Run({"schema", "status"}).code, 0);
  }
}

class PostgresAdoption : public Adoption {
 protected:
  PostgresAdoption() : uri_(PostgresServer::Shared().CreateDatabase()) {
    Set("FLAKY_TESTS_STORE", "postgres");
    Set("FLAKY_TESTS_CONNECTION_STRING", uri_);
  }
  int Psql(const std::string& uri, const std::string& sql) const {
    WriteFile("statements.sql", sql);
    return Shell("psql -X -q -v ON_ERROR_STOP=1 '" + uri + "' < statements.sql");
  }
  std::string TablesAt(const std::string& uri) const {
    std::filesystem::remove(Path("output"));
    Shell("psql -X -A -t '" + uri +
          "' -c 'SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1'");
    return Content(Path("output"));
  }

  const std::string uri_;
};

// As the npm package for PostgreSQL prints them, under a prefix that its user chose.
constexpr char kNpmPostgres[] =
    "CREATE TABLE old_runs (run_id TEXT PRIMARY KEY, started_at TIMESTAMPTZ NOT NULL, ended_at TIMESTAMPTZ, "
    "duration_ms "
    "INTEGER, status TEXT, total_tests INTEGER, passed_tests INTEGER, failed_tests INTEGER, errors_between_tests "
    "INTEGER, git_sha TEXT, git_dirty BOOLEAN, runtime_version TEXT, test_args TEXT);"
    "CREATE TABLE old_failures (id SERIAL PRIMARY KEY, run_id TEXT NOT NULL REFERENCES old_runs(run_id), test_file "
    "TEXT "
    "NOT NULL, test_name TEXT NOT NULL, failure_kind TEXT NOT NULL, error_message TEXT, error_stack TEXT, duration_ms "
    "INTEGER, failed_at TIMESTAMPTZ NOT NULL);"
    "INSERT INTO old_runs VALUES ('a', '2026-01-01 10:00Z', NULL, 5, 'fail', 1, 0, 1, 0, 'abc', true, NULL, NULL), "
    "('b', '2026-01-02 10:00Z', NULL, 5, 'odd', 1, 0, 1, 0, 'abc', true, NULL, NULL);"
    "INSERT INTO old_failures (run_id, test_file, test_name, failure_kind, failed_at) VALUES ('a', 'a.ts', 'x', "
    "'weird', '2026-01-01 10:00Z'), ('a', 'a.ts', 'x', 'weird', '2026-01-01 10:00Z');";

TEST_F(PostgresAdoption, TheScriptInPsqlDoesTheSameAsTheProgram) {
  const std::string by_hand = PostgresServer::Shared().CreateDatabase();
  const std::string dropped = PostgresServer::Shared().CreateDatabase();
  for (const std::string& uri : {uri_, by_hand, dropped})
    ASSERT_EQ(Psql(uri, kNpmPostgres), 0) << Content(Path("output"));
  const Outcome adopted = Run({"schema", "adopt", "--from-prefix", "old_"});
  EXPECT_EQ(adopted.code, 0) << adopted.err << adopted.out;
  Script("adopt.sql", {"--adopt-from", "old_"});
  Script("drop.sql", {"--adopt-from", "old_", "--drop-old"});
  ASSERT_EQ(Psql(by_hand, Content(Path("adopt.sql"))), 0) << Content(Path("output"));
  ASSERT_EQ(Psql(dropped, Content(Path("drop.sql"))), 0) << Content(Path("output"));
  EXPECT_TRUE(AreSame(uri_, by_hand));
  EXPECT_TRUE(AreSame(uri_, dropped));
  EXPECT_EQ(TablesAt(dropped), kOurTables);
  const Outcome drop = Run({"schema", "drop-old", "--from-prefix", "old_", "--yes"});
  EXPECT_EQ(drop.code, 0) << drop.err;
  EXPECT_EQ(TablesAt(uri_), kOurTables);
}

TEST_F(PostgresAdoption, OurTablesMoveToAnotherPrefix) {
  OpenStore(ParseLocation(uri_), OpenMode::kWrite)
      ->Write(std::vector{BuildRecord("r1").Part("p", 0, 1).Fail("Suite.Test").Build(),
                          BuildRecord("r2").Part("p", 0, 2).Build()});
  Set("FLAKY_TESTS_TABLE_PREFIX", "team_");
  Script("adopt.sql", {"--adopt-from", "flaky_test_"});
  Script("drop.sql", {"--adopt-from", "flaky_test_", "--drop-old"});
  ASSERT_EQ(Psql(uri_, Content(Path("adopt.sql"))), 0) << Content(Path("output"));
  EXPECT_TRUE(AreSame(uri_ + "?prefix=flaky_test_", uri_ + "?prefix=team_"));

  const std::string drop = Content(Path("drop.sql"));
  const std::string only_drop = drop.substr(drop.find("-- Imports the rows of the legacy tables"));
  ASSERT_EQ(Psql(uri_, "UPDATE team_parts SET shard = 'other'"), 0);
  EXPECT_NE(Psql(uri_, only_drop), 0);
  EXPECT_THAT(TablesAt(uri_), HasSubstr("flaky_test_runs"));
  EXPECT_EQ(Run({"schema", "drop-old", "--from-prefix", "flaky_test_", "--yes"}).code, 5);
  ASSERT_EQ(Psql(uri_, "UPDATE team_parts SET shard = NULL"), 0);
  ASSERT_EQ(Psql(uri_, only_drop), 0) << Content(Path("output"));
  EXPECT_THAT(TablesAt(uri_), Not(HasSubstr("flaky_test_")));
}

}  // namespace
}  // namespace flaky
