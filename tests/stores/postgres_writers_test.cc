// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <thread>

#include "stores/open.h"
#include "tests/stores/postgres_support.h"
#include "tests/support/generate_history.h"
#include "tests/support/record_builder.h"

// Concurrent writers, and servers that go away.
namespace flaky {
namespace {

class PostgresWriters : public PostgresTest {};

TEST_F(PostgresWriters, ThatCompleteTheSameRunsAtOnceLoseNothing) {
  constexpr int kThreads = 8;
  constexpr int kRuns = 10;
  Open(OpenMode::kWrite);
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      const auto store = Open(OpenMode::kWrite);
      for (int part = 0; part < 5; ++part) {
        const std::string id = std::to_string(thread) + "-" + std::to_string(part);
        std::vector<RunRecord> batch;
        // Each in a different order: two writers must not wait for each other.
        for (int run = 0; run < kRuns; ++run) {
          const std::string run_id = "run" + std::to_string((run * 7 + thread) % kRuns);
          batch.push_back(BuildRecord(run_id).Part(id, thread, 1).Fail("S.T", id).Build());
        }
        store->Write(batch);
      }
    });
  }
  threads.clear();  // joins them
  const auto store = Open(OpenMode::kRead);
  constexpr int64_t kParts = kThreads * 5;
  EXPECT_EQ(store->Count({}), (Totals{kRuns, kRuns * kParts, kRuns * kParts}));
  for (const RunRecord& record : ReadAll(*store)) {
    EXPECT_EQ(record.run.account.failed_tests, kParts);
    EXPECT_EQ(record.failures.size(), static_cast<size_t>(kParts));
  }
}

TEST_F(PostgresWriters, MeetRunsThatAnotherProcessKeepsDeleting) {
  const auto store = Open(OpenMode::kWrite);
  std::jthread pruner([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      Run("DO $$ DECLARE ids TEXT[]; BEGIN SELECT array_agg(run_id) INTO ids FROM (SELECT run_id FROM flaky_test_runs "
          "FOR UPDATE) r; DELETE FROM flaky_test_failures WHERE run_id = ANY (ids); DELETE FROM flaky_test_parts WHERE "
          "run_id = ANY (ids); DELETE FROM flaky_test_runs WHERE run_id = ANY (ids); END $$");
    }
  });
  const RunRecord record = BuildRecord("run").Part("p", 0, 1).Fail("S.T").Build();
  for (int i = 0; i < 200; ++i) store->Write({&record, 1});
  pruner.request_stop();
  pruner.join();
  store->Write({&record, 1});
  EXPECT_EQ(DigestOf(ReadAll(*store).at(0)), DigestOf(record));
}

TEST_F(PostgresWriters, ARestartedServerCostsAtMostOneCall) {
  PostgresServer server;
  const std::string uri = server.CreateDatabase();
  const auto store = OpenUri(uri, OpenMode::kWrite);
  const RunRecord first = BuildRecord("first").Part("p", 0).Build();
  const RunRecord second = BuildRecord("second").Part("p", 0).Build();
  store->Write({&first, 1});
  server.Kill();
  // The session's server process lives until it notices.
  std::optional<ErrorKind> down;
  for (int calls = 0; !down && calls < 1000; ++calls) {
    try {
      store->Count({});
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    } catch (const StoreError& error) {
      down = error.kind();
    }
  }
  EXPECT_EQ(down, ErrorKind::kTransient);
  server.Restart();
  EXPECT_EQ(store->Write({&second, 1})[0].outcome, WriteResult::Outcome::kInserted) << "it reconnects";
  server.Restart();
  int failed = 0;
  for (int64_t runs = 0; runs != 2;) {
    try {
      runs = store->Count({}).runs;
    } catch (const StoreError& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kTransient) << error.what();
      ASSERT_EQ(++failed, 1) << error.what();
    }
  }
  server.Restart();
  EXPECT_EQ(OpenStore(ParseLocation(uri), OpenMode::kWrite)->Count({}).runs, 2);
}

TEST_F(PostgresWriters, ASessionThatIsEndedIsTransient) {
  const auto store = OpenStore(ParseLocation(uri_), OpenMode::kWrite);
  const RunRecord record = BuildRecord("run").Part("p", 0).Build();
  for (int i = 0; i < 5; ++i) {
    PostgresServer::Execute(server_.Uri(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" +
                                               uri_.substr(uri_.rfind('/') + 1) + "'");
    store->Write({&record, 1});  // the retrying store continues
  }
  EXPECT_EQ(store->Count({}), (Totals{1, 1, 0}));
}

TEST_F(PostgresWriters, AHistoryLargerThanOneStatementIsWrittenCompletely) {
  HistoryShape shape;
  shape.runs = 3000;
  shape.npm_share = 0.2;
  const std::vector<RunRecord> records = GenerateHistory(shape);
  const auto store = Open(OpenMode::kBulk);
  for (const WriteResult& result : store->Write(records)) EXPECT_EQ(result.outcome, WriteResult::Outcome::kInserted);
  store->Finish();
  for (const WriteResult& result : store->Write(records)) EXPECT_EQ(result.outcome, WriteResult::Outcome::kUnchanged);
  EXPECT_EQ(SumOf(ReadAll(*store)), SumOf(records));
}

}  // namespace
}  // namespace flaky
