// SPDX-License-Identifier: MIT

// Copies between real stores over a bad network, and with servers that are killed.

#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/cli/copy_fixture.h"
#include "tests/servers/fault_proxy.h"
#include "tests/support/soak.h"
#include "tests/support/wait_for.h"

namespace flaky {
namespace {

using nlohmann::json;
using std::chrono::duration;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::HasSubstr;

bool IsHttp(const std::string& kind) { return kind != "postgres"; }

// Trying again may not help if a server answers 500, so that fault is not transient.
std::vector<ProxyFault> TransientFaults(const std::string& kind) {
  std::vector<ProxyFault> faults = PassingFaults(IsHttp(kind));
  std::erase(faults, ProxyFault::kHttp500);
  return faults;
}

// After a cut connection, PostgreSQL's client needs half a dozen requests to reconnect and begin a transaction. Each of
// them may be cut again: if every third is, a call takes about a dozen tries, and a copy takes minutes.
double Probability(const std::string& kind) { return IsHttp(kind) || Soaking() ? 0.3 : 0.1; }

// Whether a server holds the source or the target of a copy; the other one is an SQLite file.
struct Server {
  std::string kind;
  bool is_source;
};
std::ostream& operator<<(std::ostream& out, const Server& server) {
  return out << server.kind << (server.is_source ? "_as_source" : "_as_target");
}

class CopyFaultsTest : public CopyTest, public testing::WithParamInterface<Server> {
 protected:
  CopyFaultsTest()
      : pair_(GetParam().is_source ? Pair{GetParam().kind, "sqlite"} : Pair{"sqlite", GetParam().kind}),
        target_(NewPlace(pair_.target)),
        source_(Filled(pair_.source).location),
        server_(GetParam().is_source ? Filled(pair_.source).server : target_.store().server) {}

  // The two locations, with the server at another port.
  std::string SourceAt(int port) const { return GetParam().is_source ? AtPort(source_, port) : source_; }
  std::string TargetAt(int port) const {
    return GetParam().is_source ? target_.location() : AtPort(target_.location(), port);
  }
  std::vector<std::string> CommandAt(int port, const std::vector<std::string>& more) const {
    return CopyCommand(pair_, SourceAt(port), TargetAt(port), more);
  }

  void ExpectComplete(const Outcome& copy) {
    ASSERT_EQ(copy.code, 0) << copy.err;
    const json summary = json::parse(copy.out);
    EXPECT_EQ(summary.at("source_digest"), SumOf(GeneratedHistory()).ToString());
    EXPECT_EQ(summary.at("target_digest"), summary.at("source_digest"));
    EXPECT_EQ(Missing(GeneratedContents(), target_.Now()), 0);
    ExpectInOrder(target_);
    ExpectVerified(source_, target_.location());
  }

  // Returns a proxy that makes requests fail at random. Creating the tables takes the most requests, for PostgreSQL in
  // one transaction, which rarely succeeds if every third request fails. So the tables are created before, except
  // Turso's in a soak test.
  std::unique_ptr<FaultProxy> BadNetwork() {
    if (!GetParam().is_source && !(Soaking() && pair_.target == "turso")) target_.store().Open(OpenMode::kWrite);
    auto proxy = std::make_unique<FaultProxy>(
        IsHttp(GetParam().kind) ? FaultProxy::Protocol::kHttp : FaultProxy::Protocol::kPostgres, server_.port);
    proxy->SetDelay(milliseconds(20));
    proxy->FaultRandomly(SoakSeed(), Probability(GetParam().kind), TransientFaults(GetParam().kind));
    return proxy;
  }

  // Options that make a copy so slow that there is time to kill the server.
  static std::vector<std::string> Slowly(int rows_per_second = 3000) {
    return {"--json", "--max-rate", std::to_string(rows_per_second)};
  }
  void WaitForTheMiddle(RunningProgram& copy) const {
    WaitFor("the first runs in the target", [&] { return !copy.Runs() || !target_.Now().empty(); });
  }

  const Pair pair_;
  EmptyPlace target_;
  const std::string source_;
  const ServerControl server_;
};

TEST_P(CopyFaultsTest, FailedRequestsOnlyMakeItSlower) {
  const auto proxy = BadNetwork();
  const Outcome copy = Flaky(CopyCommand(pair_, SourceAt(proxy->port()), TargetAt(proxy->port()), {"--json"},
                                         Soaking() ? kBatch : 5 * kBatch));
  std::printf("[  FAULTS  ] %lld in %lld requests of the copy\n", static_cast<long long>(proxy->faults()),
              static_cast<long long>(proxy->requests()));
  ASSERT_EQ(copy.code, 0) << copy.err;
  EXPECT_GT(proxy->faults(), 0);

  const int64_t before = proxy->faults();
  ExpectVerified(SourceAt(proxy->port()), TargetAt(proxy->port()));
  EXPECT_GT(proxy->faults(), before);
  proxy->ClearFaults();
  ExpectComplete(copy);
}

TEST_P(CopyFaultsTest, ExportsAndImportsSurviveFailedRequestsToo) {
  const auto proxy = BadNetwork();
  if (GetParam().is_source) {
    const EmptyPlace file = NewPlace("jsonl");
    const Outcome copy = Flaky({"export", file.location(), "--from", SourceAt(proxy->port())});
    EXPECT_EQ(copy.code, 0) << copy.err;
    EXPECT_EQ(Missing(GeneratedContents(), file.Now()), 0);
  } else {
    const Outcome copy = Flaky(CopyCommand({"jsonl", pair_.target}, Filled("jsonl").location, TargetAt(proxy->port()),
                                           {}, Soaking() ? kBatch : 5 * kBatch));
    EXPECT_EQ(copy.code, 0) << copy.err;
    EXPECT_EQ(Missing(GeneratedContents(), target_.Now()), 0);
    ExpectInOrder(target_);
  }
  EXPECT_GT(proxy->faults(), 0);
}

TEST_P(CopyFaultsTest, AServerThatComesBackIsWaitedFor) {
  const int64_t rounds = SoakCount(1, 3);
  for (int64_t round = 0; round < rounds; ++round) {
    if (round > 0) target_ = NewPlace(pair_.target);
    const auto copy = Start(CommandAt(server_.port, Slowly()));
    WaitForTheMiddle(*copy);
    server_.kill();
    std::this_thread::sleep_for(milliseconds(800));
    EXPECT_TRUE(copy->Runs());
    server_.restart();
    ExpectComplete(copy->Wait());
  }
}

// If it is not interrupted, the copy gives up after two minutes without the server.
TEST_P(CopyFaultsTest, ACopyGivesUpOnADeadServerAndTheNextOneResumes) {
  const auto copy = Start(CommandAt(server_.port, Slowly()));
  WaitForTheMiddle(*copy);
  server_.kill();
  WaitFor("the message that the copy tries again",
          [&] { return !copy->Runs() || copy->Err().find("trying again") != std::string::npos; });
  if (!Soaking()) copy->Signal(SIGINT);
  const Outcome outcome = copy->Wait();
  server_.restart();
  EXPECT_EQ(outcome.code, Soaking() ? 10 : 130) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("trying again in "));

  const int64_t missing = Missing(GeneratedContents(), target_.Now());
  EXPECT_GT(missing, 0);
  const Outcome again = Flaky(CommandAt(server_.port, {"--json"}));
  EXPECT_LE(json::parse(again.out).at("sent"), missing + kBatch);
  ExpectComplete(again);
}

INSTANTIATE_TEST_SUITE_P(Servers, CopyFaultsTest,
                         testing::Values(Server{"postgres", false}, Server{"postgres", true}, Server{"turso", false},
                                         Server{"turso", true}, Server{"supabase", false}, Server{"supabase", true}),
                         testing::PrintToStringParamName());

class ServerLimitsTest : public CopyTest {};

TEST_F(ServerLimitsTest, TheMaximumRateAndTheServersRefusalsAreRespected) {
  constexpr int kRate = 5000;
  const EmptyPlace target = NewPlace("turso");
  FaultProxy proxy(FaultProxy::Protocol::kHttp, target.store().server.port);
  proxy.SetRetryAfter(std::chrono::seconds(1));
  if (Soaking()) {
    proxy.FaultRandomly(SoakSeed(), 0.1, {ProxyFault::kHttp429});
  } else {
    for (const int nth : {2, 20, 40}) proxy.FaultAt(nth, ProxyFault::kHttp429);
  }
  int64_t rows = 0;
  for (const RunRecord& record : GeneratedHistory()) {
    rows += 1 + static_cast<int64_t>(record.parts.size() + record.failures.size());
  }
  const auto begin = steady_clock::now();
  const Outcome copy =
      Flaky(CopyCommand({"sqlite", "turso"}, Filled("sqlite").location, AtPort(target.location(), proxy.port()),
                        {"--json", "--max-rate", std::to_string(kRate)}));
  const duration<double> took = steady_clock::now() - begin;
  ASSERT_EQ(copy.code, 0) << copy.err;
  EXPECT_EQ(Missing(GeneratedContents(), target.Now()), 0);
  ExpectInOrder(target);
  EXPECT_GE(proxy.faults(), 3);
  // The last second's rows need no wait after them; two threads may be refused at the same time.
  EXPECT_GE(took.count(), static_cast<double>(rows) / kRate - 1);
  EXPECT_GE(took.count(), static_cast<double>(proxy.faults()) / 2);
}

}  // namespace
}  // namespace flaky
