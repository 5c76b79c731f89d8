// SPDX-License-Identifier: MIT

// Many test programs that end at the same moment, each with the real recorder and the real `flaky deliver`, all for one
// store that is empty when they begin. Every result arrives exactly once, and no program reports a lock.

#include <gmock/gmock.h>
#include <signal.h>

#include <chrono>
#include <random>

#include "tests/cli/program_fixture.h"
#include "tests/support/fresh_store.h"
#include "tests/support/part_counts.h"
#include "tests/support/soak.h"
#include "tests/support/walk_pages.h"

namespace flaky {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr int kProcesses = 64;
constexpr int kTests = 100;
constexpr int kMigrations = 32;

class ManyWritersTest : public ProgramTest, public testing::WithParamInterface<StoreKind> {
 protected:
  ManyWritersTest() : fresh_(GetParam().make()) {
    Unset("FLAKY_TESTS_DB");
    Unset("GTEST_OUTPUT");
    Set("FLAKY_TESTS_STORE", fresh_.store);
    Set("FLAKY_TESTS_CONNECTION_STRING", fresh_.connection);
    Set("FLAKY_TESTS_AUTH_TOKEN", fresh_.token);
    // They all wait for each other, and the machine may be busy with other work.
    Set("FLAKY_TESTS_DELIVERY_TIMEOUT", "600");
    Set("FLAKY_TESTS_DELIVERY_WAIT", kLongWait);
    Set("MANY_TESTS", std::to_string(kTests));
    begin_ = std::chrono::steady_clock::now();
  }
  ~ManyWritersTest() override {
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin_;
    std::printf("[ SECONDS  ] %.1f\n", took.count());
  }

  struct Process {
    pid_t pid = -1;
    std::string err;
  };

  // Starts `count` processes that wait at a gate, and then opens it for all of them at once.
  std::vector<Process> StartAtOnce(int count, const std::vector<std::string>& command,
                                   const std::function<void(int)>& in_child) const {
    int gate[2];
    if (::pipe(gate) != 0) throw std::runtime_error("no pipe");
    std::fflush(nullptr);
    std::vector<Process> processes;
    for (int i = 0; i < count; ++i) {
      processes.push_back({::fork(), Path("stderr-" + std::to_string(i))});
      if (processes.back().pid != 0) continue;
      ::close(gate[1]);
      char none;
      bool ready = ::read(gate[0], &none, 1) == 0;  // until the last writing end is closed
      ::close(gate[0]);
      if (in_child) in_child(i);
      std::vector<char*> argv;
      for (const std::string& argument : command) argv.push_back(const_cast<char*>(argument.c_str()));
      argv.push_back(nullptr);
      ready = ready && std::freopen("/dev/null", "w", stdout) != nullptr &&
              std::freopen(processes.back().err.c_str(), "w", stderr) != nullptr;
      if (ready) ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    ::close(gate[0]);
    ::close(gate[1]);
    return processes;
  }

  // Does the same and waits for their ends. Expects status 0 and nothing on stderr.
  void RunAtOnce(int count, const std::vector<std::string>& command, const std::function<void(int)>& in_child = {}) {
    for (const Process& process : StartAtOnce(count, command, in_child)) {
      int status = -1;
      EXPECT_EQ(::waitpid(process.pid, &status, 0), process.pid);
      EXPECT_EQ(status, 0);
      EXPECT_EQ(Content(process.err), "");
    }
  }

  void RunPrograms(int count, const std::function<void(int)>& in_child = {}) {
    RunAtOnce(count, {FLAKY_FIXTURES "/many_tests"}, in_child);
  }
  void UseSpoolOf(int process) const {
    ::setenv("FLAKY_TESTS_SPOOL", Path("spool-" + std::to_string(process)).c_str(), 1);
  }

  std::vector<RunRecord> Stored() const { return ReadAll(*fresh_.Open(OpenMode::kRead)); }

  // Expects that these runs together have a part for each process, each with all of its tests.
  static void ExpectAllResults(const std::vector<RunRecord>& runs, int64_t processes = kProcesses) {
    int64_t parts = 0, counted = 0, executed = 0;
    for (const RunRecord& record : runs) {
      EXPECT_EQ(record.run.account.status, kPass);
      EXPECT_TRUE(record.run.account.ended_at.has_value());
      counted += record.run.account.total_tests.value_or(0);
      for (const Part& part : record.parts) {
        ++parts;
        EXPECT_EQ(part.account.passed_tests, kTests);
        for (const auto& [name, counts] : CountsOf(part, record.rosters)) executed += counts.executed;
      }
    }
    EXPECT_EQ(parts, processes);
    EXPECT_EQ(counted, processes * kTests);
    EXPECT_EQ(executed, processes * kTests);
  }

  // Expects that each migration was applied exactly once.
  void ExpectLedgerInOrder() const {
    const SchemaState state = fresh_.Open(OpenMode::kRead)->schema();
    EXPECT_THAT(state.pending, IsEmpty());
    // A Supabase project has a second series of migrations, numbered here after the first one.
    const std::string second = fresh_.store != "supabase"
                                   ? ""
                                   : " UNION ALL SELECT s.version + (SELECT max(version) FROM flaky_test_schema) FROM "
                                     "flaky_test_supabase_schema s";
    const Rows rows = fresh_.query("SELECT version FROM flaky_test_schema" + second + " ORDER BY version");
    ASSERT_THAT(rows, SizeIs(static_cast<size_t>(state.known)));
    for (size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(rows[i].at(0), std::to_string(i + 1));
  }

  size_t Spooled() const {
    size_t journals = 0;
    for (const auto& [path, bytes] : Everything()) journals += path.ends_with(".jsonl");
    return journals;
  }

 private:
  const FreshStore fresh_;
  std::chrono::steady_clock::time_point begin_;
};

TEST_P(ManyWritersTest, EachHasASeparateRun) {
  RunPrograms(kProcesses, [this](int process) { UseSpoolOf(process); });
  EXPECT_EQ(Spooled(), 0u);
  const std::vector<RunRecord> runs = Stored();
  EXPECT_THAT(runs, SizeIs(kProcesses));
  for (const RunRecord& record : runs) EXPECT_THAT(record.parts, SizeIs(1));
  ExpectAllResults(runs);
  ExpectLedgerInOrder();
}

TEST_P(ManyWritersTest, AllAreOneRun) {
  Set("FLAKY_TESTS_RUN_ID", "nightly 1'7");
  RunPrograms(kProcesses, [this](int process) { UseSpoolOf(process); });
  EXPECT_EQ(Spooled(), 0u);
  const std::vector<RunRecord> runs = Stored();
  ASSERT_THAT(runs, SizeIs(1));
  EXPECT_EQ(runs.front().run.run_id, "nightly 1'7");
  ExpectAllResults(runs);
}

TEST_P(ManyWritersTest, AllShareASpool) {
  RunPrograms(kProcesses);
  EXPECT_EQ(Spooled(), 0u);
  const std::vector<RunRecord> runs = Stored();
  EXPECT_THAT(runs, SizeIs(kProcesses));
  ExpectAllResults(runs);
}

TEST_P(ManyWritersTest, AllShareARunAndASpool) {
  Set("FLAKY_TESTS_RUN_ID", "nightly");
  RunPrograms(kProcesses);
  EXPECT_EQ(Spooled(), 0u);
  const std::vector<RunRecord> runs = Stored();
  ASSERT_THAT(runs, SizeIs(1));
  ExpectAllResults(runs);
}

// Programs leave their journals in eight spools. In each round, deliveries from all of these run at once and are killed
// at a random moment.
TEST_P(ManyWritersTest, KilledDeliveriesLoseAndDuplicateNothing) {
  constexpr int kSpools = 8, kProgramsOfARound = 16;
  Set("FLAKY_TESTS_RUN_ID", "nightly");
  const auto record = [this] {
    Set("FLAKY_TESTS_DELIVERY_TIMEOUT", "0");
    RunPrograms(kProgramsOfARound, [this](int process) { UseSpoolOf(process % kSpools); });
    Set("FLAKY_TESTS_DELIVERY_TIMEOUT", "600");
  };
  const std::vector<std::string> deliver = {FLAKY_PROGRAM, "deliver"};
  const auto spool_of = [this](int at) { UseSpoolOf(at); };
  const auto now_us = [] {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
  };

  record();
  const auto begin = now_us();
  RunAtOnce(kSpools, deliver, spool_of);
  const auto life = static_cast<uint64_t>(now_us() - begin);

  std::mt19937_64 random(SoakSeed());
  const int rounds = static_cast<int>(SoakCount(10, 200));
  int killed = 0;
  for (int round = 0; round < rounds; ++round) {
    record();
    const std::vector<Process> deliveries = StartAtOnce(kSpools, deliver, spool_of);
    ::usleep(static_cast<useconds_t>(random() % (life + life / 4)));
    for (const Process& delivery : deliveries) ::kill(delivery.pid, SIGKILL);
    for (const Process& delivery : deliveries) {
      int status = 0;
      ::waitpid(delivery.pid, &status, 0);
      killed += WIFSIGNALED(status) ? 1 : 0;
    }
  }
  std::printf("[  KILLED  ] %d of %d deliveries\n", killed, rounds * kSpools);
  RunAtOnce(kSpools, deliver, spool_of);
  EXPECT_EQ(Spooled(), 0u);
  const std::vector<RunRecord> runs = Stored();
  ASSERT_THAT(runs, SizeIs(1));
  ExpectAllResults(runs, (rounds + 1) * kProgramsOfARound);
  ExpectLedgerInOrder();
}

TEST_P(ManyWritersTest, EachMigrationIsAppliedOnce) {
  RunAtOnce(kMigrations, {FLAKY_PROGRAM, "schema", "migrate"});
  ExpectLedgerInOrder();
}

INSTANTIATE_TEST_SUITE_P(Stores, ManyWritersTest, testing::ValuesIn(StoreKinds()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace flaky
