// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <limits>
#include <thread>

#include "history/text.h"
#include "stores/open.h"
#include "tests/servers/fault_proxy.h"
#include "tests/stores/turso_support.h"
#include "tests/support/generate_history.h"
#include "tests/support/part_counts.h"
#include "tests/support/record_builder.h"

namespace flaky {
namespace {

using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using Outcome = WriteResult::Outcome;

class TursoWrite : public testing::Test {
 protected:
  void SetUp() override { server_.Reset(); }
  std::unique_ptr<Store> Open(OpenMode mode = OpenMode::kWrite) { return OpenAt(server_, mode); }
  // Opens it as the program does, with retries: with many clients, the server sometimes reports that it is locked.
  std::unique_ptr<Store> OpenPatiently(OpenMode mode) {
    RetryPolicy policy;
    policy.patience = std::chrono::seconds(600);
    return OpenStore(LocationOf(server_.url()), mode, policy);
  }
  RunRecord Fetch(const std::string& id) {
    const auto records = Open(OpenMode::kRead)->Fetch({&id, 1});
    EXPECT_EQ(records.size(), 1u) << id;
    return records.empty() ? RunRecord() : records.front();
  }

  SqldServer& server_ = SqldServer::Shared();
};

// Calls `work` in this many threads at once. Returns what they threw.
std::vector<std::string> InThreads(int count, const std::function<void(int)>& work) {
  std::vector<std::string> errors(static_cast<size_t>(count));
  std::vector<std::jthread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      try {
        work(i);
      } catch (const std::exception& error) {
        errors[static_cast<size_t>(i)] = error.what();
      }
    });
  }
  threads.clear();  // joins them
  return errors;
}

TEST_F(TursoWrite, ManyThatRaceOnAnEmptyServerMakeTheSchemaOnce) {
  EXPECT_THAT(InThreads(32,
                        [&](int i) {
                          const auto store = OpenPatiently(i % 4 == 0 ? OpenMode::kBulk : OpenMode::kWrite);
                          const RunRecord record = BuildRecord("run" + std::to_string(i)).Part("p", i).Build();
                          store->Write({&record, 1});
                          store->Finish();
                        }),
              Each(""));
  EXPECT_EQ(Query(server_, "SELECT version FROM flaky_test_schema ORDER BY version"),
            (std::vector<std::string>{"1", "2", "3", "4"}));
  EXPECT_EQ(Open()->Count({}), (Totals{32, 32, 0}));
  EXPECT_TRUE(Open()->schema().pending.empty());
}

TEST_F(TursoWrite, ManyThatAddPartsToOneRunAllGetThrough) {
  constexpr int kWriters = 64;
  Open();
  EXPECT_THAT(InThreads(kWriters,
                        [&](int i) {
                          const std::string id = "part" + std::to_string(i);
                          const RunRecord record = BuildRecord("run").Part(id, i, 1).Fail("S.T", id).Build();
                          const auto store = OpenPatiently(OpenMode::kWrite);
                          EXPECT_NE(store->Write({&record, 1}).at(0).outcome, Outcome::kConflict);
                        }),
              Each(""));
  const RunRecord run = Fetch("run");
  EXPECT_EQ(run.parts.size(), static_cast<size_t>(kWriters));
  EXPECT_EQ(run.failures.size(), static_cast<size_t>(kWriters));
  EXPECT_EQ(run.run.account.failed_tests, kWriters);
  EXPECT_EQ(run.run.account.ended_at, At(kWriters - 1 + 10));
}

TEST_F(TursoWrite, ManyFailuresOfOneRunAreOneTransaction) {
  BuildRecord builder("run");
  for (int i = 0; i < 20'000; ++i) builder.Fail("S.T", "message " + std::to_string(i), i);
  RunRecord record = builder.Build();
  EXPECT_EQ(Open()->Write({&record, 1}).at(0).outcome, Outcome::kInserted);
  EXPECT_EQ(DigestOf(Fetch("run")), DigestOf(record));
  EXPECT_EQ(Open()->Write({&record, 1}).at(0).outcome, Outcome::kUnchanged);

  // A failure among them that the server refuses leaves nothing of the record.
  server_.Execute(
      "CREATE TRIGGER no BEFORE INSERT ON flaky_test_failures WHEN new.error_message = 'message 19999' "
      "BEGIN SELECT RAISE(ABORT, 'not this one'); END");
  record.run.run_id = "other";
  const auto error = ErrorOf([&] { Open()->Write({&record, 1}); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kInvalid);
  EXPECT_THAT(error->what(), HasSubstr("not this one"));
  EXPECT_EQ(Open()->Count({}), (Totals{1, 0, 20'000}));
}

TEST_F(TursoWrite, RowsUpToTheLimitAreKeptAndLongerOnesRefusedBeforehand) {
  const auto store = Open();
  const size_t limit = store->limits().row_bytes;
  EXPECT_GT(limit, 4'500'000u);
  const auto fail_of = [&](const std::string& run_id, size_t bytes) {
    RunRecord record = BuildRecord(run_id).Fail("S.T", "").Build();
    Failure& failure = record.failures.front();
    const size_t rest =
        run_id.size() + failure.test_file.size() + failure.test_name.size() + failure.failure_kind.size();
    failure.error_message = std::string((bytes - rest) / 2, '\x01');
    failure.error_stack = std::string(bytes - rest - failure.error_message->size(), '"');
    return record;
  };
  // The sizes at which a text begins to be sent in another way, and the largest.
  for (const size_t bytes : {size_t{100'000}, size_t{500'000}, size_t{1} << 20, size_t{2'500'000}, limit}) {
    const RunRecord record = fail_of("run" + std::to_string(bytes), bytes);
    EXPECT_EQ(store->Write({&record, 1}).at(0).outcome, Outcome::kInserted) << bytes;
    EXPECT_EQ(DigestOf(Fetch(record.run.run_id)), DigestOf(record)) << bytes;
  }
  const Totals before = store->Count({});
  const std::vector<RunRecord> batch = {BuildRecord("before").Build(), fail_of("over", limit + 1)};
  const auto error = ErrorOf([&] { store->Write(batch); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kInvalid);
  EXPECT_THAT(error->what(), AllOf(HasSubstr("run 'over'"), HasSubstr("error_"), HasSubstr("4900001")));
  EXPECT_EQ(store->Count({}), before);

  RunRecord run = BuildRecord("long run").Part("p", 0).Build();
  run.run.test_args = std::string(limit - 1000, 'a');
  GiveTests(run, {{std::string(4'000'000, 'T'), {1, 0}}});
  run.parts.front().variant = std::string(3'000'000, 'v');
  store->Write({&run, 1});
  const RunRecord read = Fetch("long run");
  EXPECT_EQ(DigestOf(read), DigestOf(run));
  EXPECT_EQ(CountsOf(read), CountsOf(run));
  EXPECT_EQ(store->Write({&run, 1}).at(0).outcome, Outcome::kUnchanged);
}

// Their names have 46 characters on average, and the lists more bytes than the server takes in one row.
TEST_F(TursoWrite, ARunOfThreeHundredThousandTestsFits) {
  ProgramTests tests;
  for (int i = 0; i < 300'000; ++i) {
    tests["EngineComponentSuite" + std::to_string(10'000 + i / 20) + ".KeepsItsPromise" + std::to_string(100'000 + i)] =
        {{1, 0}, i};
  }
  RunRecord run = BuildRecord("large").Part("p", 0).Part("q", 5).Build();
  run.rosters = SetPartTests(run.parts[0], {{"engine_test", tests}});
  tests.erase(std::next(tests.begin(), 1000), std::next(tests.begin(), 2000));
  AddRosters(run.rosters, SetPartTests(run.parts[1], {{"engine_test", tests}}));
  const auto store = Open();
  store->Write({&run, 1});
  const RunRecord read = Fetch("large");
  EXPECT_EQ(DigestOf(read), DigestOf(run));
  EXPECT_EQ(TestsOf(read.parts.at(1), read.rosters).at("engine_test").size(), tests.size());
  EXPECT_EQ(store->Write({&run, 1}).at(0).outcome, Outcome::kUnchanged);
}

// Every text goes into JSON within JSON.
TEST_F(TursoWrite, EveryCharacterSurvives) {
  std::string all;
  for (int code = 1; code < 0x80; ++code) all += static_cast<char>(code);
  const std::vector<std::string> texts = {all,
                                          all + all,
                                          "\\",
                                          "\\\\\"",
                                          "\\u0041",
                                          "\\n",
                                          "'\"`[",
                                          "\xef\xbf\xbf\xef\xbf\xbe",
                                          "\xed\x9f\xbf\xee\x80\x80",
                                          "\xf4\x8f\xbf\xbf",
                                          "\xe2\x80\xa8\xe2\x80\xa9",
                                          "🦊👩‍👩‍👧",
                                          "\x7f\xc2\x80",
                                          "[\"x\",null]",
                                          "null",
                                          "1",
                                          "-0",
                                          "1e5",
                                          "9223372036854775807",
                                          "true",
                                          " ",
                                          "",
                                          "\n",
                                          "?1",
                                          "value->>0"};
  std::vector<RunRecord> records;
  for (const std::string& text : texts) {
    RunRecord record =
        BuildRecord("run " + std::to_string(records.size()) + text).Part("part" + text, 0, 1).Fail(text, text).Build();
    record.failures.front().error_stack = record.failures.front().signal = record.run.branch = text;
    record.failures.front().line = std::numeric_limits<int64_t>::min();
    record.failures.front().duration_ms = std::numeric_limits<int64_t>::max();
    record.run.git_dirty = records.size() % 2 == 0;
    ASSERT_TRUE(IsStorable(text));
    records.push_back(record);
  }
  const auto store = Open();
  store->Write(records);
  EXPECT_EQ(SumOf(ReadAll(*store)), SumOf(records));
  for (const RunRecord& record : records) {
    EXPECT_EQ(DigestOf(Fetch(record.run.run_id)), DigestOf(record)) << record.run.run_id;
    // Once more, as bound values.
    RunRecord longer = record;
    longer.run.run_id += " longer";
    longer.run.test_args = std::string(2 << 20, '\\') + *record.run.branch;
    longer.failures.front().error_stack = std::string(2 << 20, '"') + *record.run.branch;
    store->Write({&longer, 1});
    EXPECT_EQ(DigestOf(Fetch(longer.run.run_id)), DigestOf(longer)) << record.run.run_id;
  }
}

TEST_F(TursoWrite, AKilledServerIsFoundAgain) {
  SqldServer server;
  const auto store = OpenAt(server, OpenMode::kWrite);
  const RunRecord first = BuildRecord("first").Part("p", 0).Build();
  const RunRecord second = BuildRecord("second").Part("p", 0).Build();
  store->Write({&first, 1});
  server.Kill();
  const auto error = ErrorOf([&] { store->Write({&second, 1}); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kTransient);
  EXPECT_EQ(ErrorOf([&] { store->Count({}); })->kind(), ErrorKind::kTransient);
  server.Restart();
  EXPECT_EQ(store->Write({&second, 1}).at(0).outcome, Outcome::kInserted);
  EXPECT_EQ(store->Write({&first, 1}).at(0).outcome, Outcome::kUnchanged) << "what was acknowledged was kept";
  server.Restart();
  EXPECT_EQ(ReadAll(*store).size(), 2u);
}

TEST_F(TursoWrite, AnAnswerThatWasLostIsNotWrittenTwice) {
  FaultProxy proxy(FaultProxy::Protocol::kHttp, server_.port());
  const auto store = turso::Open(LocationOf("http://127.0.0.1:" + std::to_string(proxy.port())), OpenMode::kWrite);
  const RunRecord record = BuildRecord("run").Part("p", 0, 1).Fail("S.T").Build();
  for (const ProxyFault fault : {ProxyFault::kCutWithinAnswer, ProxyFault::kGarbage}) {
    proxy.FaultOn("COMMIT", fault);
    const auto error = ErrorOf([&] { store->Write({&record, 1}); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->kind(), ErrorKind::kTransient) << error->what();
    EXPECT_EQ(store->Write({&record, 1}).at(0).outcome, Outcome::kUnchanged);
    EXPECT_EQ(store->Count({}), (Totals{1, 1, 1}));
  }
}

TEST_F(TursoWrite, RostersThatWereRemovedAreSentAgain) {
  const auto store = Open();
  const RunRecord first = BuildRecord("first").Part("p", 0).Build();
  const RunRecord second = BuildRecord("second").Part("p", 0).Build();
  store->Write({&first, 1});
  server_.Execute("PRAGMA foreign_keys=OFF; DELETE FROM flaky_test_parts; DELETE FROM flaky_test_rosters");
  EXPECT_EQ(store->Write({&second, 1}).at(0).outcome, Outcome::kInserted);
  EXPECT_EQ(DigestOf(Fetch("second")), DigestOf(second));
  EXPECT_EQ(Query(server_, "SELECT count(*) FROM flaky_test_rosters"), std::vector<std::string>{"2"});
}

TEST_F(TursoWrite, ARunThatChangesConcurrentlyIsReadAgain) {
  const auto store = Open();
  const RunRecord begun = BuildRecord("run").Part("p", 0).Build();
  store->Write({&begun, 1});
  // The other writer may be a few changes ahead, so it cannot starve the store on a slow machine.
  std::atomic<int> allowed = 0;
  std::atomic<int> others = 0;
  std::jthread other([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      if (others < allowed) {
        server_.Execute("INSERT INTO flaky_test_parts (run_id, part_id, started_at) VALUES ('run', 'other" +
                        std::to_string(others) + "', '2026-01-01T00:00:00.000Z')");
        ++others;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  for (int i = 0; i < 20; ++i) {
    allowed += 4;
    const RunRecord more = BuildRecord("run").Part("mine" + std::to_string(i), i).Build();
    EXPECT_EQ(store->Write({&more, 1}).at(0).outcome, Outcome::kCompleted);
  }
  other.request_stop();
  other.join();
  EXPECT_GT(others, 0);
  EXPECT_EQ(Fetch("run").parts.size(), static_cast<size_t>(1 + 20 + others));
}

TEST_F(TursoWrite, WhatTheServerKeepsIsAnOrdinaryDatabase) {
  SqldServer server;
  HistoryShape shape;
  shape.runs = 300;
  shape.tests = 40;
  const std::vector<RunRecord> records = GenerateHistory(shape);
  OpenAt(server, OpenMode::kWrite)->Write(records);
  server.Kill();
  const std::string file = server.database_file();
  EXPECT_EQ(SumOf(ReadAll(*OpenFile(file, OpenMode::kRead))), SumOf(records));
  EXPECT_EQ(Query(file, "PRAGMA integrity_check"), std::vector<std::string>{"ok"});
  EXPECT_TRUE(Query(file, "SELECT 1 FROM pragma_foreign_key_check").empty());
}

}  // namespace
}  // namespace flaky
