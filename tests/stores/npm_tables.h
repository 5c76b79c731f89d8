#ifndef FLAKY_TESTS_STORES_NPM_TABLES_H_
#define FLAKY_TESTS_STORES_NPM_TABLES_H_

#include <string>

// What the npm packages @flaky-tests/store-sqlite and store-turso 0.2 leave in a database.
namespace flaky {

struct NpmColumn {
  const char* name;
  const char* type;
  const char* value;  // of the rows that the tests insert
};
inline constexpr NpmColumn kLaterColumns[] = {{"passed_tests", "INTEGER", "9"},
                                              {"errors_between_tests", "INTEGER", "0"},
                                              {"runtime_version", "TEXT", "'bun 1.2'"},
                                              {"test_args", "TEXT", "'--bail'"},
                                              {"project", "TEXT", "'web'"}};
inline constexpr int kVersions = 6;

// An insert such as the package's: it names its columns, those that its version knows.
inline std::string InsertRun(const std::string& run_id, int version) {
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
inline std::string NpmTables(int version, bool version_table) {
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

}  // namespace flaky

#endif  // FLAKY_TESTS_STORES_NPM_TABLES_H_
