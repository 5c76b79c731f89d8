// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <map>
#include <thread>

#include "spool/record_of.h"
#include "spool/spool_source.h"
#include "stores/error.h"
#include "stores/fault_store.h"
#include "stores/memory/memory_store.h"
#include "tests/spool/spool_fixture.h"
#include "tests/support/cpu_time.h"
#include "tests/support/part_counts.h"
#include "transfer/copy.h"

// What a spool survives: killed processes, failing stores, thousands of journals.
namespace flaky {
namespace {

using ::testing::IsEmpty;

// A process that dies at any time leaves a spool from which the rest can be delivered. Nothing is lost or duplicated.
TEST_F(SpoolTest, SurvivesBeingKilledAtAnyMoment) {
  constexpr uint64_t kJournals = 30;
  for (uint64_t i = 1; i <= kJournals; ++i) {
    HeaderText header = i % 2 == 0 ? UnderCtest(i, false) : DeadHeader(i);
    if (i % 3 != 0) header.SetText("run_id", "r" + std::to_string(i % 5));
    PutJournal(spool(), i, header.Line() + "[\"S.T" + std::to_string(i) + "\",1,1000,\"passed\",1]\n" + kPassedEnd);
  }
  // Replaces a store: the tests of each delivered part, in files that the children share.
  const fs::path store = folder_.path() / "store";
  fs::create_directories(store);
  for (int round = 0; HasPending(spool()); ++round) {
    ASSERT_LT(round, 2000);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto lock = SpoolLock::Take(spool(), std::chrono::seconds(10));
      SpoolSource source(*lock, [](const Journal&) { return RunContext(); });
      BatchLimits limits;
      limits.records = 2;
      while (auto batch = source.Next(limits)) {
        for (const RunRecord& record : batch->records) {
          for (const Part& part : record.parts) {
            std::string text;
            for (const auto& [name, counts] : CountsOf(part, record.rosters)) text += '"' + name + '"';
            const fs::path file = store / part.part_id;
            WriteWholeFile(file.string() + ".new", text);
            if (fs::exists(file) && ReadWholeFile(file) != text) _exit(3);  // a different part with the same id
            fs::rename(file.string() + ".new", file);
          }
          source.Delivered(record.run.run_id);
        }
      }
      _exit(0);
    }
    // The delays grow, so that a busy machine makes progress, too.
    std::this_thread::sleep_for(std::chrono::microseconds((200 + 137 * (round % 40)) * (1 + round / 100)));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_FALSE(WIFEXITED(status) && WEXITSTATUS(status) != 0) << WEXITSTATUS(status);
  }
  std::map<std::string, int> tests;
  for (const auto& entry : fs::directory_iterator(store)) {
    if (entry.path().extension() == ".new") continue;
    const std::string roster = ReadWholeFile(entry.path());
    for (uint64_t i = 1; i <= kJournals; ++i) {
      const std::string name = "S.T" + std::to_string(i);
      if (roster.find('"' + name + '"') != std::string::npos) ++tests[name];
    }
  }
  EXPECT_EQ(tests.size(), kJournals);
  for (const auto& [name, count] : tests) EXPECT_EQ(count, 1) << name;
}

// The store fails before or after any of its writes and reads. What it took is not sent again as a different part, and
// a journal is removed only when its run can be read.
TEST_F(SpoolTest, SurvivesAStoreThatFailsAtAnyCall) {
  constexpr uint64_t kJournals = 12;
  for (const StoreVerb verb : {StoreVerb::kWrite, StoreVerb::kFetch}) {
    for (const Fault::When when : {Fault::When::kBefore, Fault::When::kAfter}) {
      for (int64_t call = 1; call <= 4; ++call) {
        for (uint64_t i = 1; i <= kJournals; ++i) {
          HeaderText header = i % 2 == 0 ? UnderCtest(i, false) : DeadHeader(i);
          if (i % 3 != 0) header.SetText("run_id", "r" + std::to_string(i % 3));
          PutJournal(spool(), i, header.Line() + kOneTest + kPassedEnd);
        }
        const auto history = MakeMemoryHistory();
        FaultStore store(OpenMemory(history, OpenMode::kWrite));
        store.Inject({verb, when, ErrorKind::kTransient, call, 1});
        int failed = 0;
        for (int attempt = 0; attempt < 3 && HasPending(spool()); ++attempt) {
          const auto lock = SpoolLock::Take(spool(), std::chrono::milliseconds(0));
          SpoolSource source(*lock, [](const Journal&) { return RunContext(); });
          StoreSink sink(store);
          SilentProgress progress;
          CopyOptions options;
          options.limits.records = 1;
          options.on_settled = [&](const RunRecord& record, CopyOutcome outcome, const std::string& why) {
            EXPECT_LE(outcome, CopyOutcome::kUnchanged) << why;
            source.Delivered(record.run.run_id);
          };
          try {
            Copy(source, sink, options, progress);
          } catch (const StoreError&) {
            ++failed;
          }
        }
        EXPECT_EQ(failed, 1);
        EXPECT_THAT(Files(), IsEmpty());
        const Totals totals = store.inner().Count({});
        EXPECT_EQ(totals, (Totals{5, 9, 0}));
        fs::remove_all(spool());
      }
    }
  }
}

TEST_F(SpoolTest, ScansThousandsOfJournalsQuickly) {
  constexpr uint64_t kJournals = 5000;
  for (uint64_t i = 1; i <= kJournals; ++i) PutJournal(spool(), i, DeadHeader(i).Line() + kOneTest + kPassedEnd);
  const double start = CpuSeconds();
  const Taken taken = TakeAll(Deliver);
  const double seconds = CpuSeconds() - start;
  RecordProperty("seconds", std::to_string(seconds));
  EXPECT_EQ(taken.records.size(), kJournals);
  EXPECT_THAT(Files(), IsEmpty());
  EXPECT_LT(seconds, 20) << "of processor time; it takes about 0.3 s without a sanitizer";
}

}  // namespace
}  // namespace flaky
