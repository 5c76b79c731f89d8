// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <set>
#include <tuple>

#include "stores/retry_store.h"
#include "tests/servers/server_process.h"
#include "tests/stores/turso_support.h"
#include "tests/support/generate_history.h"
#include "tests/support/part_counts.h"
#include "tests/support/record_builder.h"
#include "tests/support/walk_pages.h"

namespace flaky {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

// A server whose answers are at most 256 kB long.
class TursoShortAnswers : public testing::Test {
 protected:
  struct StrictServer : SqldServer {
    StrictServer() : SqldServer({.auth = false, .flags = {"--max-response-size", "256kB"}}) {}
  };
  static SqldServer& Server() {
    static ProcessWide<StrictServer> server;
    return server.get();
  }
  void SetUp() override { Server().Reset(); }
};

TEST_F(TursoShortAnswers, AreReadCompletelyWithSeveral) {
  HistoryShape shape;
  shape.runs = 400;
  shape.tests = 60;
  std::vector<RunRecord> records = GenerateHistory(shape);
  // Runs that are too long for one answer by themselves: by their failures, by one text, by their roster.
  BuildRecord many("many");
  for (int i = 0; i < 3000; ++i) many.Fail("S.T", "message " + std::to_string(i) + std::string(100, 'm'), i);
  records.push_back(many.Build());
  records.push_back(BuildRecord("long").Fail("S.T", std::string(1 << 20, 'l')).Build());
  RunRecord rostered = BuildRecord("rostered").Part("p", 0).Build();
  GiveTests(rostered, {{std::string(600'000, 'T'), {1, 0}}});
  records.push_back(rostered);

  const auto store = OpenAt(Server(), OpenMode::kWrite);
  store->Write(records);
  EXPECT_EQ(SumOf(ReadAll(*store)), SumOf(records));
  EXPECT_EQ(SumOf(store->Fetch(RunIdsOf(records))), SumOf(records));
  for (const WriteResult& result : store->Write(records)) EXPECT_EQ(result.outcome, WriteResult::Outcome::kUnchanged);

  size_t failures = 0;
  for (const RunRecord& record : records) failures += record.failures.size();
  for (const bool texts : {true, false}) {
    std::set<int64_t> seen;
    std::set<std::tuple<Timestamp, int64_t>> in_order;
    FailureFilter filter;
    filter.texts = texts;
    store->VisitFailures(filter, [&](const FailureView& view) {
      EXPECT_TRUE(seen.insert(view.id).second);
      EXPECT_TRUE(in_order.empty() || *in_order.rbegin() < std::tuple(view.failed_at, view.id));
      in_order.emplace(view.failed_at, view.id);
      EXPECT_EQ(view.error_message.value().empty(), !texts);
    });
    EXPECT_EQ(seen.size(), failures);
  }
}

TEST_F(TursoShortAnswers, AVisitorMayUseTheStore) {
  // The server closes a stream that is idle for ten seconds, which happens on a busy machine.
  RetryPolicy policy;
  policy.patience = std::chrono::minutes(1);
  const auto store = std::make_unique<RetryStore>(OpenAt(Server(), OpenMode::kWrite), policy);
  BuildRecord many("run");
  for (int i = 0; i < 2000; ++i) many.Fail("S.T" + std::to_string(i), "m" + std::to_string(i), i);
  const RunRecord record = many.Build();
  store->Write({&record, 1});
  int at = 0;
  store->VisitFailures({}, [&](const FailureView& view) {
    const std::string message(*view.error_message);
    if (at % 500 == 0) {
      EXPECT_EQ(store->Count({}).failures, 2000);
      EXPECT_EQ(ReadAll(*store).size(), 1u);
    }
    EXPECT_EQ(view.error_message, message) << "the texts live as long as the call";
    EXPECT_EQ(view.test_name, "S.T" + std::to_string(at++));
  });
  EXPECT_EQ(at, 2000);
}

TEST_F(TursoShortAnswers, RunsAreFoundBeyondOneAnswer) {
  const auto store = OpenAt(Server(), OpenMode::kWrite);
  std::vector<RunRecord> records;
  for (int i = 0; i < 2500; ++i) records.push_back(BuildRecord("run" + std::to_string(10'000 + i)).Build());
  store->Write(records);
  const std::vector<std::string> found = store->FindRuns("run", std::numeric_limits<size_t>::max());
  ASSERT_EQ(found.size(), 2500u);
  EXPECT_TRUE(std::is_sorted(found.begin(), found.end()));
  EXPECT_EQ(store->FindRuns("run1", 1700).size(), 1700u);
  EXPECT_THAT(store->FindRuns("run12499", 5), ElementsAre("run12499"));
}

class TursoTables : public testing::Test {
 protected:
  void SetUp() override { server_.Reset(); }
  SqldServer& server_ = SqldServer::Shared();
};

TEST_F(TursoShortAnswers, TextsThatAreNotUtf8AreConvertedAndReported) {
  const auto store = OpenAt(Server(), OpenMode::kWrite);
  std::vector<RunRecord> records;
  for (const char* id : {"a", "long", "plain", "z"}) {
    records.push_back(BuildRecord(id).Project("p\xC3\xA9").Fail("S.T").Fail("S.U").Build());
  }
  store->Write(records);
  Server().Execute(
      "UPDATE flaky_test_runs SET branch = CAST(x'61ff62' AS TEXT), project = x'c3a9', started_at = CAST(x'ff' AS TEXT)"
      " WHERE run_id = 'a';"
      "UPDATE flaky_test_failures SET error_message = CAST(x'80' || replace(hex(zeroblob(350000)), '0', 'x') AS TEXT) "
      "WHERE run_id = 'long' "
      "AND "
      "test_name = 'S.T';"
      "UPDATE flaky_test_failures SET test_name = CAST(x'53ff' AS TEXT), signal = CAST(x'41ff' AS TEXT) WHERE run_id = "
      "'z' AND test_name = 'S.U'");
  records[0].run.branch =
      "a\xEF\xBF\xBD"
      "b";
  records[0].run.project = "\xC3\xA9";
  records[0].run.account.started_at = Timestamp{0};
  records[1].failures[0].error_message = "\xEF\xBF\xBD" + std::string(700'000, 'x');
  records[3].failures[1].test_name = "S\xEF\xBF\xBD";
  records[3].failures[1].signal = "A\xEF\xBF\xBD";
  for (const size_t max_records : {1, 2, 100}) {
    PageRequest request;
    request.max_records = max_records;
    std::vector<RunRecord> read;
    std::set<std::string> converted;
    WalkPages([&](const PageRequest& next) { return store->Read(next); }, request,
              [&](Page&& page) {
                for (RunRecord& record : page.records) read.push_back(std::move(record));
                for (const ConvertedRun& run : page.converted) {
                  for (const Conversion& each : run.conversions) {
                    const bool is_text = each.kind == Conversion::Kind::kText;
                    converted.insert(run.run_id + " " + each.column + (is_text ? " text" : " invalid"));
                  }
                }
              });
    EXPECT_EQ(SumOf(read), SumOf(records));
    EXPECT_THAT(converted,
                ElementsAre("a runs.branch text", "a runs.project invalid", "a runs.started_at invalid",
                            "long failures.error_message text", "z failures.signal text", "z failures.test_name text"));
  }
  std::set<std::string> names;
  size_t failures = 0;
  store->VisitFailures({}, [&](const FailureView& view) {
    names.emplace(view.test_name);
    ++failures;
  });
  EXPECT_THAT(names, ElementsAre("S.T", "S.U", "S\xEF\xBF\xBD"));
  EXPECT_EQ(failures, 8u);

  // A completed run is written as it was read.
  const std::string id = "a";
  RunRecord more = store->Fetch({&id, 1}).at(0);
  more.run.git_sha = "abc";
  EXPECT_EQ(store->Write({&more, 1}).at(0).outcome, WriteResult::Outcome::kCompleted);
  EXPECT_EQ(DigestOf(store->Fetch({&id, 1}).at(0)), DigestOf(more));
}

TEST_F(TursoTables, OfAnotherToolAreLeftAlone) {
  server_.Execute("CREATE TABLE flaky_test_runs (distance REAL); INSERT INTO flaky_test_runs VALUES (1)");
  for (const OpenMode mode : {OpenMode::kRead, OpenMode::kWrite}) {
    const auto error = ErrorOf([&] { OpenAt(server_, mode); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->kind(), ErrorKind::kInvalid);
    EXPECT_THAT(error->what(), AllOf(HasSubstr("flaky_test_runs"), HasSubstr("run_id"), HasSubstr("prefix")));
  }
  EXPECT_THAT(Query(server_, "SELECT name FROM sqlite_master WHERE name LIKE 'flaky%'"),
              ElementsAre("flaky_test_runs"));
}

TEST_F(TursoTables, OfANewerProgramAreReadAndNotWritten) {
  OpenAt(server_, OpenMode::kWrite);
  server_.Execute("INSERT INTO flaky_test_schema VALUES (99, '0099_later', 'x', '2030-01-01T00:00:00.000Z')");
  EXPECT_EQ(OpenAt(server_, OpenMode::kRead)->Count({}), Totals());
  const auto error = ErrorOf([&] { OpenAt(server_, OpenMode::kWrite); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kSchemaTooNew);
  server_.Execute("DELETE FROM flaky_test_schema WHERE version = 99; UPDATE flaky_test_schema SET checksum = 'edited'");
  EXPECT_EQ(ErrorOf([&] { OpenAt(server_, OpenMode::kWrite); })->kind(), ErrorKind::kInvalid);
}

TEST_F(TursoTables, AnInterruptedUpgradeIsResumed) {
  OpenAt(server_, OpenMode::kWrite);
  server_.Execute(
      "DROP VIEW flaky_test_run_days;DROP VIEW flaky_test_test_days;DROP VIEW flaky_test_failures_with_run;DROP VIEW "
      "flaky_test_executions;DROP VIEW flaky_test_roster_tests;"
      "DELETE FROM flaky_test_schema WHERE version >= 2; DROP TABLE flaky_test_parts; DROP TABLE flaky_test_rosters;"
      "DROP INDEX idx_flaky_test_runs_started; ALTER TABLE flaky_test_failures DROP COLUMN signal");
  EXPECT_THAT(OpenAt(server_, OpenMode::kRead)->schema().pending,
              ElementsAre("0002_parts_and_rosters", "0003_indexes", "0004_views"));
  const auto store = OpenAt(server_, OpenMode::kWrite);
  const RunRecord record = BuildRecord("run").Part("p", 0, 1).Fail("S.T").Build();
  store->Write({&record, 1});
  EXPECT_EQ(DigestOf(ReadAll(*store).at(0)), DigestOf(record));
}

TEST_F(TursoTables, AMigrationThatFailsLeavesNothingAndSaysWhy) {
  server_.Execute("CREATE VIEW flaky_test_parts AS SELECT 1");
  const auto error = ErrorOf([&] { OpenAt(server_, OpenMode::kWrite); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kInvalid) << error->what();
}

TEST_F(TursoTables, AnUnfinishedAdoptionIsNotShownAsTheHistory) {
  server_.Execute(
      "CREATE TABLE runs (run_id TEXT PRIMARY KEY, started_at, ended_at, duration_ms, status, total_tests, "
      "failed_tests, git_sha, git_dirty); CREATE TABLE failures (id INTEGER PRIMARY KEY, run_id, test_file, test_name, "
      "failure_kind, error_message, error_stack, duration_ms, failed_at);"
      "INSERT INTO runs (run_id, started_at) VALUES ('a', '2026-01-01T00:00:00.000Z'), ('b', "
      "'2026-01-01T00:00:00.000Z')");
  OpenAt(server_, OpenMode::kWrite);
  server_.Execute("DELETE FROM flaky_test_runs WHERE run_id = 'b'; DELETE FROM flaky_test_schema WHERE version = 3");
  const auto reader = OpenAt(server_, OpenMode::kRead);
  EXPECT_THAT(reader->schema().pending, ElementsAre("0003_indexes")) << "its state can be read";
  const auto error = ErrorOf([&] { reader->Count({}); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kTransient);
  EXPECT_THAT(error->what(), HasSubstr("flaky schema migrate"));
  OpenAt(server_, OpenMode::kWrite);
  EXPECT_EQ(reader->Count({}).runs, 2) << "as soon as it is complete";
}

TEST_F(TursoTables, ACopyIntoNewTablesMakesTheIndexesLast) {
  const std::string indexes = "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name";
  const auto bulk = OpenAt(server_, OpenMode::kBulk);
  EXPECT_THAT(Query(server_, indexes), ElementsAre("idx_flaky_test_failures_run"));
  EXPECT_THAT(bulk->schema().pending, ElementsAre("0003_indexes", "0004_views"));
  bulk->Finish();
  EXPECT_THAT(Query(server_, indexes),
              ElementsAre("idx_flaky_test_failures_failed_at", "idx_flaky_test_failures_project",
                          "idx_flaky_test_failures_run", "idx_flaky_test_runs_project", "idx_flaky_test_runs_started"));
}

}  // namespace
}  // namespace flaky
