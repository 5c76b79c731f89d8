// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include <set>

#include "tests/stores/postgres_support.h"
#include "tests/support/record_builder.h"

// Databases of the npm package @flaky-tests/store-postgres 0.2.
namespace flaky {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

// How the tables were made.
struct NpmForm {
  const char* name;
  const char* sql;
  bool has_project;
};

constexpr NpmForm kForms[] = {
    {"ByThePackage",
     "CREATE TABLE flaky_test_runs (run_id TEXT PRIMARY KEY, project TEXT, started_at TIMESTAMPTZ NOT NULL, ended_at "
     "TIMESTAMPTZ, duration_ms INTEGER, status TEXT, total_tests INTEGER, passed_tests INTEGER, failed_tests INTEGER, "
     "errors_between_tests INTEGER, git_sha TEXT, git_dirty BOOLEAN, runtime_version TEXT, test_args TEXT);"
     "CREATE TABLE flaky_test_failures (id SERIAL PRIMARY KEY, run_id TEXT NOT NULL REFERENCES flaky_test_runs "
     "(run_id), test_file TEXT NOT NULL, test_name TEXT NOT NULL, failure_kind TEXT NOT NULL, error_message TEXT, "
     "error_stack TEXT, duration_ms INTEGER, failed_at TIMESTAMPTZ NOT NULL);"
     "CREATE INDEX idx_flaky_test_failures_test ON flaky_test_failures (test_file, test_name);"
     "CREATE INDEX idx_flaky_test_failures_run ON flaky_test_failures (run_id);"
     "CREATE INDEX idx_flaky_test_failures_failed_at ON flaky_test_failures (failed_at);"
     "CREATE INDEX idx_flaky_test_runs_status ON flaky_test_runs (ended_at, failed_tests);",
     true},
    {"ByItsPrintedSql",
     "CREATE TABLE flaky_test_runs (run_id TEXT PRIMARY KEY, started_at TIMESTAMPTZ NOT NULL, ended_at TIMESTAMPTZ, "
     "duration_ms INTEGER, status TEXT CHECK (status IN ('pass', 'fail')), total_tests INTEGER, passed_tests INTEGER, "
     "failed_tests INTEGER, errors_between_tests INTEGER, git_sha TEXT, git_dirty BOOLEAN, runtime_version TEXT, "
     "test_args TEXT);"
     "CREATE TABLE flaky_test_failures (id BIGSERIAL PRIMARY KEY, run_id TEXT NOT NULL REFERENCES flaky_test_runs "
     "(run_id), test_file TEXT NOT NULL, test_name TEXT NOT NULL, failure_kind TEXT NOT NULL CHECK (failure_kind IN "
     "('assertion', 'timeout', 'uncaught', 'unknown')), error_message TEXT, error_stack TEXT, duration_ms INTEGER, "
     "failed_at TIMESTAMPTZ NOT NULL);",
     false},
};

// Inserts like the package, which names its columns.
std::string InsertRun(const std::string& run_id, bool with_project) {
  return std::string("INSERT INTO flaky_test_runs (run_id, ") + (with_project ? "project, " : "") +
         "started_at, ended_at, duration_ms, status, total_tests, passed_tests, failed_tests, errors_between_tests, "
         "git_sha, git_dirty, runtime_version, test_args) VALUES ('" +
         run_id + "', " + (with_project ? "'web', " : "") +
         "'2026-01-01T10:00:00.123Z', '2026-01-01T10:00:05.250Z', 5250, 'fail', 10, 9, 1, 0, 'abc', true, 'bun 1.2', "
         "'--bail');"
         "INSERT INTO flaky_test_failures (run_id, test_file, test_name, failure_kind, error_message, error_stack, "
         "duration_ms, failed_at) VALUES ('" +
         run_id +
         "', '/src/a.test.ts', 'outer > inner > name', 'assertion', 'expected 1', NULL, 12, "
         "'2026-01-01T10:00:01Z');";
}

class PostgresNpm : public PostgresTest, public testing::WithParamInterface<NpmForm> {
 protected:
  PostgresNpm() {
    Run(GetParam().sql);
    Run(InsertRun("old", GetParam().has_project));
    Run("INSERT INTO flaky_test_runs (run_id, started_at) VALUES ('older-died', '2026-01-01T09:00:00Z')");
  }
  std::vector<std::string> NarrowColumns() const {
    return Query(
        "SELECT table_name || '.' || column_name FROM information_schema.columns "
        "WHERE table_schema = 'public' AND data_type IN ('integer', 'smallint')");
  }
};

TEST_P(PostgresNpm, IsReadAsItIs) {
  const auto tables = [&] {
    return Query(
        "SELECT table_name || '.' || column_name || ':' || data_type FROM information_schema.columns WHERE "
        "table_schema = 'public' ORDER BY 1");
  };
  const std::vector<std::string> before = tables();
  const auto store = Open(OpenMode::kRead);
  EXPECT_EQ(store->schema().found, 0);
  EXPECT_EQ(store->Count({}), (Totals{2, 0, 1}));
  RunFilter filter;
  filter.since = At(-1);
  EXPECT_EQ(store->Count(filter).runs, 2);
  EXPECT_THAT(ReadAll(*store), SizeIs(2));
  const std::string id = "old";
  const RunRecord record = store->Fetch({&id, 1}).at(0);
  EXPECT_EQ(record.run.account.started_at, *Timestamp::Parse("2026-01-01T10:00:00.123Z"));
  EXPECT_EQ(record.run.account.duration_ms, 5250);
  EXPECT_EQ(record.run.git_dirty, true);
  EXPECT_EQ(record.run.project, GetParam().has_project ? std::optional<std::string>("web") : std::nullopt);
  EXPECT_FALSE(record.run.branch.has_value());
  EXPECT_TRUE(record.parts.empty());
  EXPECT_EQ(record.failures.at(0).test_name, "outer > inner > name");
  EXPECT_THAT(store->FindRuns("old", 9), testing::ElementsAre("old", "older-died"));
  int failures = 0;
  store->VisitFailures({}, [&](const FailureView&) { ++failures; });
  EXPECT_EQ(failures, 1);
  EXPECT_EQ(tables(), before) << "reading changes nothing";
}

TEST_P(PostgresNpm, IsUpgradedAndStillUsableByThePackage) {
  const Digest before = SumOf(ReadAll(*Open(OpenMode::kRead)));
  const auto store = Open(OpenMode::kWrite);
  EXPECT_TRUE(store->schema().pending.empty());
  EXPECT_EQ(SumOf(ReadAll(*store)), before);
  EXPECT_THAT(NarrowColumns(), IsEmpty()) << "widened";
  EXPECT_THAT(Query("SELECT seqtypid::regtype FROM pg_sequence"), testing::ElementsAre("bigint"));
  EXPECT_THAT(Query("SELECT attname FROM pg_attribute WHERE attrelid = 'flaky_test_runs'::regclass AND attnum > 0 AND "
                    "attnotnull ORDER BY 1"),
              testing::ElementsAre("run_id", "started_at"));

  // The package continues to write.
  Run(InsertRun("new", true));
  Run("UPDATE flaky_test_runs SET ended_at = now(), duration_ms = 7, status = 'pass' WHERE run_id = 'older-died'");
  const std::string id = "new";
  const RunRecord added = store->Fetch({&id, 1}).at(0);
  EXPECT_EQ(added.run.project, "web");
  EXPECT_TRUE(added.parts.empty());
  EXPECT_EQ(added.failures.size(), 1u);

  RunRecord ours = BuildRecord("ours").Part("p", 0, 1).Fail("Suite.Test").Build();
  ours.failures.front().duration_ms = INT64_MAX;
  EXPECT_EQ(store->Write({&ours, 1}).at(0).outcome, WriteResult::Outcome::kInserted);
  const std::string our_id = "ours";
  EXPECT_EQ(DigestOf(store->Fetch({&our_id, 1}).at(0)), DigestOf(ours));
  EXPECT_THAT(store->FindRuns("o", 9), testing::ElementsAre("old", "older-died", "ours"));
}

TEST_P(PostgresNpm, FailuresKeepTheirIdsWhenARunIsCompleted) {
  const auto store = Open(OpenMode::kWrite);
  Run("INSERT INTO flaky_test_failures (run_id, test_file, test_name, failure_kind, failed_at) VALUES ('older-died', "
      "'f', 'n', 'unknown', '2026-01-01T09:01:00Z')");
  const std::string id = "older-died";
  const RunRecord ended = EndedWithAnotherFailure(store->Fetch({&id, 1}).at(0));
  const auto row = Query("SELECT id FROM flaky_test_failures WHERE run_id = 'older-died'");
  EXPECT_EQ(store->Write({&ended, 1}).at(0).outcome, WriteResult::Outcome::kCompleted);
  const auto rows = Query("SELECT id FROM flaky_test_failures WHERE run_id = 'older-died' ORDER BY id");
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_EQ(rows[0], row[0]);
}

TEST_P(PostgresNpm, ASecondUpgradeRewritesNothing) {
  Open(OpenMode::kWrite);
  Run("CREATE VIEW shown AS SELECT run_id, duration_ms FROM flaky_test_runs; DELETE FROM flaky_test_schema");
  const auto files = Query("SELECT pg_relation_filenode('flaky_test_runs')");
  EXPECT_TRUE(Open(OpenMode::kWrite)->schema().pending.empty());
  EXPECT_EQ(Query("SELECT pg_relation_filenode('flaky_test_runs')"), files);
}

TEST_P(PostgresNpm, AViewOnANarrowColumnIsNamed) {
  Run("CREATE VIEW shown AS SELECT run_id, duration_ms FROM flaky_test_runs");
  const auto error = ErrorOf([&] { Open(OpenMode::kWrite); });
  ASSERT_TRUE(error);
  EXPECT_THAT(error->what(), AllOf(HasSubstr("view public.shown"), HasSubstr("duration_ms"), Not(HasSubstr("\n"))));
  EXPECT_THAT(ReadAll(*Open(OpenMode::kRead)), SizeIs(2)) << "unchanged";
  EXPECT_THAT(NarrowColumns(), Contains("flaky_test_runs.duration_ms"));
}

INSTANTIATE_TEST_SUITE_P(Forms, PostgresNpm, testing::ValuesIn(kForms),
                         [](const testing::TestParamInfo<NpmForm>& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace flaky
