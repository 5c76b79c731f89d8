// SPDX-License-Identifier: MIT

// A switch of stores without a gap, as docs/guides/switch-without-a-gap.md has it, in company: test programs record all
// the while, and the stores' servers are killed. And second stores on servers that are slow, hang or refuse.

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "spool/dual_queue.h"
#include "tests/cli/copy_fixture.h"
#include "tests/servers/fault_proxy.h"
#include "tests/servers/sqld_server.h"
#include "tests/support/soak.h"
#include "tests/support/wait_for.h"

namespace flaky {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

using Environment = std::vector<std::string>;

// The variables that name a store, or with "FLAKY_TESTS_DUAL_" a second one.
Environment Naming(const std::string& base, const FreshStore& store) {
  return {base + "STORE=" + store.store, base + "CONNECTION_STRING=" + store.connection,
          base + "AUTH_TOKEN=" + store.token};
}
Environment Both(const FreshStore& first, const FreshStore& second) {
  Environment all = Naming("FLAKY_TESTS_", first);
  for (std::string& variable : Naming("FLAKY_TESTS_DUAL_", second)) all.push_back(std::move(variable));
  return all;
}

// A machine that runs one test program after the other, with a separate spool and settings.
class Machine {
 public:
  Machine(std::string name, std::string files, Environment settings)
      : name_(std::move(name)), files_(std::move(files)), settings_(std::move(settings)) {
    thread_ = std::thread([this] { Record(); });
  }
  ~Machine() { Stop(); }

  // Returns once no program runs with the settings before.
  void Change(Environment settings) {
    int64_t begun = 0;
    {
      const std::lock_guard hold(mutex_);
      settings_ = std::move(settings);
      begun = begun_;
    }
    WaitFor(
        "the next program of " + name_, [&] { return begun_ > begun || ended_; }, 600s);
  }
  void Stop() {
    ended_ = true;
    if (thread_.joinable()) thread_.join();
  }

  // The machine's variables, for commands on it.
  Environment Variables() const {
    const std::lock_guard hold(mutex_);
    Environment all = settings_;
    for (const std::string& more : {"FLAKY_TESTS_SPOOL=" + spool(), std::string("FLAKY_TESTS_DELIVERY_TIMEOUT=5"),
                                    std::string("FLAKY_TESTS_DELIVERY_WAIT=120000"), std::string("MANY_TESTS=20"),
                                    std::string("MANY_FAILURES=2")}) {
      all.push_back(more);
    }
    return all;
  }
  std::string spool() const { return files_ + "-spool"; }
  std::string RunId(int64_t number) const { return name_ + '-' + std::to_string(number); }
  int64_t recorded() const { return begun_; }

 private:
  void Record() {
    while (!ended_) {
      Environment variables = Variables();
      variables.push_back("FLAKY_TESTS_RUN_ID=" + RunId(begun_));
      ++begun_;
      const Outcome tests = RunningProgram({FLAKY_FIXTURES "/many_tests"}, variables, files_ + "-record").Wait();
      EXPECT_EQ(tests.code, 1) << "whatever becomes of the stores";
      // As if the minute were over for which a store is left alone.
      for (const char* note : {"/unreachable", "/dual/unreachable"}) std::filesystem::remove(spool() + note);
    }
  }

  const std::string name_, files_;
  mutable std::mutex mutex_;
  Environment settings_;
  std::atomic<int64_t> begun_ = 0;
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

// Kills servers and starts them again, one at a time, until it is stopped.
class Restarts {
 public:
  explicit Restarts(std::vector<ServerControl> servers) : servers_(std::move(servers)), thread_([this] { Work(); }) {}
  ~Restarts() { Stop(); }
  void Stop() {
    ended_ = true;
    if (thread_.joinable()) thread_.join();
  }
  int64_t count() const { return count_; }

 private:
  void Work() {
    std::mt19937_64 random(SoakSeed());
    std::chrono::steady_clock::duration restart_time{0};
    while (!ended_ && !servers_.empty()) {
      // A busy machine starts servers slowly and runs commands as slowly, so a server stays up for longer there.
      std::this_thread::sleep_for(std::chrono::milliseconds(200 + random() % 600) + 2 * restart_time);
      const ServerControl& server = servers_[random() % servers_.size()];
      server.kill();
      std::this_thread::sleep_for(std::chrono::milliseconds(random() % 300));
      const auto begin = std::chrono::steady_clock::now();
      server.restart();
      restart_time = std::chrono::steady_clock::now() - begin;
      ++count_;
    }
  }

  const std::vector<ServerControl> servers_;
  std::atomic<int64_t> count_ = 0;
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

class DualGapTest : public CopyTest {
 protected:
  // What the guide does on each of the machines, one after the other.
  static void ChangeAll(std::vector<std::unique_ptr<Machine>>& machines, const Environment& settings) {
    for (const auto& machine : machines) machine->Change(settings);
  }
  // A command that meets a server that is away is given again, as a person would.
  Outcome Until(const std::vector<std::string>& command, const Environment& variables, std::vector<int> codes) {
    Outcome outcome;
    WaitFor(
        "the end of " + command[0] + ' ' + command.back() + " while servers are killed",
        [&] {
          outcome = Flaky(command, variables);
          return std::ranges::find(codes, outcome.code) != codes.end();
        },
        600s);
    return outcome;
  }

  void Walk(const Pair& pair) {
    SCOPED_TRACE(pair.Name());
    const EmptyPlace old_place = NewPlace(pair.source), new_place = NewPlace(pair.target);
    {
      const auto store = old_place.store().Open(OpenMode::kBulk);
      store->Write(GeneratedHistory());
      store->Finish();
    }
    std::vector<std::unique_ptr<Machine>> machines;
    for (const char* name : {"one", "two"}) {
      machines.push_back(std::make_unique<Machine>(name, NewPath(name), Naming("FLAKY_TESTS_", old_place.store())));
    }
    std::vector<ServerControl> servers;
    for (const EmptyPlace* place : {&old_place, &new_place}) {
      if (const ServerControl& server = place->store().server; server.kill) servers.push_back(server);
    }
    Restarts restarts(servers);
    std::this_thread::sleep_for(1s);

    const Environment on = Both(old_place.store(), new_place.store());
    ChangeAll(machines, on);
    std::this_thread::sleep_for(1s);
    Until({"dual", "backfill", "--batch-size", "200"}, machines[0]->Variables(), {0});
    Until({"dual", "verify"}, machines[0]->Variables(), {0, 5});
    ChangeAll(machines, Both(new_place.store(), old_place.store()));
    std::this_thread::sleep_for(1s);
    WaitFor(
        "three restarts of a server", [&] { return restarts.count() >= 3; }, 600s);
    restarts.Stop();
    int64_t recorded = 0;
    for (const auto& machine : machines) {
      machine->Stop();
      recorded += machine->recorded();
      Until({"deliver"}, machine->Variables(), {0});
      const Outcome status = Flaky({"dual", "status"}, machine->Variables());
      EXPECT_EQ(status.code, 0) << status.out << status.err;
    }

    ExpectVerified(old_place.location(), new_place.location());
    const RunDigests in_the_end = new_place.Now();
    EXPECT_EQ(in_the_end, old_place.Now());
    EXPECT_EQ(in_the_end.size(), GeneratedContents().size() + static_cast<size_t>(recorded));
    for (const auto& machine : machines) {
      for (int64_t i = 0; i < machine->recorded(); ++i) EXPECT_TRUE(in_the_end.contains(machine->RunId(i)));
      EXPECT_FALSE(std::filesystem::exists(machine->spool() + "/rejected"));
      // Off: only the new one goes on.
      const Environment off = Naming("FLAKY_TESTS_", new_place.store());
      EXPECT_EQ(Flaky({"dual", "status"}, off).code, 0);
    }
    EXPECT_EQ(new_place.Orphans(), 0);
    std::printf("[   SOAK   ] %s: %lld recorded, %lld restarts\n", pair.Name().c_str(),
                static_cast<long long>(recorded), static_cast<long long>(restarts.count()));
  }

  // One run, recorded and delivered at the program's end; how long all that took.
  std::chrono::milliseconds RecordOne(const std::string& run_id) {
    const auto begin = std::chrono::steady_clock::now();
    const Outcome tests =
        RunningProgram({FLAKY_FIXTURES "/many_tests"},
                       {"FLAKY_TESTS_RUN_ID=" + run_id, "MANY_TESTS=20", "MANY_FAILURES=2"}, NewPath("record"))
            .Wait();
    EXPECT_EQ(tests.code, 1);
    said_ = tests.err;
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
  }
  // The first store is a file, the second the given one.
  void Name(const std::string& store, const std::string& connection) {
    Set("FLAKY_TESTS_SPOOL", Path("spool"));
    Set("FLAKY_TESTS_DB", Path("first.db"));
    Set("FLAKY_TESTS_DELIVERY_WAIT", "120000");
    Set("FLAKY_TESTS_DUAL_STORE", store);
    Set("FLAKY_TESTS_DUAL_CONNECTION_STRING", connection);
  }
  RunDigests First() const {
    return ContentsOf(*OpenStore(ParseLocation("sqlite:" + Path("first.db")), OpenMode::kRead));
  }

  // Once the second store answers again, it gets what waits.
  void ExpectAllFollows(const EmptyPlace& second, size_t runs) {
    Set("FLAKY_TESTS_DELIVERY_TIMEOUT", "60");
    // A program that was left behind may still be sending.
    WaitFor(
        "an empty spool",
        [&] {
          EXPECT_EQ(Flaky({"deliver"}).code, 0);
          return ListWaiting(Path("spool")).empty();
        },
        600s);
    EXPECT_EQ(second.Now(), First());
    EXPECT_THAT(First(), SizeIs(runs));
  }

  std::string said_;
};

TEST_F(DualGapTest, TheGuideWhileTestsAreRecordedAndServersAreKilled) {
  const std::vector<Pair> pairs = {{"sqlite", "postgres"},   {"postgres", "turso"},    {"turso", "supabase"},
                                   {"supabase", "sqlite"},   {"sqlite", "turso"},      {"turso", "postgres"},
                                   {"postgres", "supabase"}, {"supabase", "turso"},    {"turso", "sqlite"},
                                   {"sqlite", "supabase"},   {"supabase", "postgres"}, {"postgres", "sqlite"}};
  const auto rounds = static_cast<size_t>(SoakCount(3, 24));
  for (size_t round = 0; round < rounds && !HasFailure(); ++round) Walk(pairs[round % pairs.size()]);
}

// It is given the time that is left, and no more.
TEST_F(DualGapTest, ASlowSecondStoreDelaysNothingForLong) {
  const EmptyPlace second = NewPlace("postgres");
  FaultProxy proxy(FaultProxy::Protocol::kPostgres, second.store().server.port);
  proxy.SetDelay(2s);
  proxy.FaultRandomly(1, 1, {ProxyFault::kDelay});
  Name("postgres", AtPort(second.store().connection, proxy.port()));
  Set("FLAKY_TESTS_DELIVERY_TIMEOUT", "6");
  for (const char* run_id : {"a", "b", "c"}) {
    EXPECT_LT(RecordOne(run_id), 60s);
    EXPECT_TRUE(First().contains(run_id)) << "the first store has it before the second one is asked";
  }
  EXPECT_GT(proxy.faults(), 0);
  proxy.ClearFaults();
  ExpectAllFollows(second, 3);
}

// The sending hangs without holding the spool's lock, so no other process waits for it.
TEST_F(DualGapTest, ASecondStoreThatHangsDelaysNoOtherProcess) {
  const EmptyPlace second = NewPlace("postgres");
  std::optional<FaultProxy> proxy(std::in_place, FaultProxy::Protocol::kPostgres, second.store().server.port);
  proxy->FaultAt(3, ProxyFault::kHang);
  Name("postgres", AtPort(second.store().connection, proxy->port()));
  Set("FLAKY_TESTS_DELIVERY_TIMEOUT", "6");
  for (const char* run_id : {"a", "b", "c"}) {
    EXPECT_LT(RecordOne(run_id), 60s);
    EXPECT_TRUE(First().contains(run_id));
  }
  proxy.reset();
  Name("postgres", second.store().connection);
  ExpectAllFollows(second, 3);
}

TEST_F(DualGapTest, ASupabaseProjectMayBeTheSecond) {
  const EmptyPlace second = NewPlace("supabase");
  Name("supabase", second.store().connection);
  Set("FLAKY_TESTS_DUAL_AUTH_TOKEN", second.store().token);
  Set("FLAKY_TESTS_DELIVERY_TIMEOUT", "60");
  for (const char* run_id : {"a", "b"}) {
    RecordOne(run_id);
    EXPECT_EQ(said_, "");
  }
  EXPECT_EQ(second.Now(), First());
  EXPECT_THAT(First(), SizeIs(2));
  EXPECT_EQ(Flaky({"dual", "verify"}).code, 0);
  EXPECT_EQ(Flaky({"dual", "backfill"}).code, 0);
}

TEST_F(DualGapTest, ASecondStoreThatRefusesCostsAWarningWithoutTheSecret) {
  const SqldServer server(SqldServer::Options{.auth = true, .flags = {}});
  Name("turso", server.url());
  Set("FLAKY_TESTS_DELIVERY_TIMEOUT", "20");
  Set("FLAKY_TESTS_DUAL_AUTH_TOKEN", server.tokens().foreign);
  RecordOne("a");
  EXPECT_THAT(said_, AllOf(HasSubstr("dual write"), HasSubstr(server.url()), Not(HasSubstr(server.tokens().foreign))));
  RecordOne("b");
  EXPECT_EQ(said_, "") << "said once a minute";
  EXPECT_THAT(First(), SizeIs(2));
  const Outcome status = Flaky({"dual", "status", "--json"});
  EXPECT_EQ(status.code, 1);
  EXPECT_EQ(nlohmann::json::parse(status.out).at("waiting"), 2);
  EXPECT_THAT(status.out, Not(HasSubstr(server.tokens().foreign)));
  EXPECT_EQ(Flaky({"dual", "verify"}).code, 12);

  Set("FLAKY_TESTS_DUAL_AUTH_TOKEN", server.tokens().read_write);
  EXPECT_EQ(Flaky({"deliver"}).err, "");
  EXPECT_EQ(Flaky({"dual", "verify"}).code, 0);
  EXPECT_EQ(Flaky({"dual", "status"}).code, 0);
}

}  // namespace
}  // namespace flaky
