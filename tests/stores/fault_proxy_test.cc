#include "tests/servers/fault_proxy.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "history/digest.h"
#include "stores/memory/memory_store.h"
#include "stores/open.h"
#include "tests/servers/postgres_server.h"
#include "tests/servers/sqld_server.h"
#include "tests/servers/supabase_server.h"
#include "tests/support/contents.h"
#include "tests/support/record_builder.h"
#include "tests/support/soak.h"

// The stores on servers, through a proxy that cuts, delays, garbles and refuses requests: acknowledged records are
// stored exactly once, and failed calls can be repeated.
namespace flaky {
namespace {

using std::chrono::milliseconds;

struct StoreKind {
  std::string name;
  FaultProxy::Protocol protocol;
  std::function<int()> server_port;
  std::function<std::string(int port)> location;
  std::function<void()> empty;  // makes the server's database empty
  std::vector<ProxyFault> faults;
};
std::ostream& operator<<(std::ostream& out, const StoreKind& kind) { return out << kind.name; }

// Retrying may not help after an answer 500, so that is not among the transient faults.
std::vector<ProxyFault> TransientFaults(bool http) {
  std::vector<ProxyFault> faults = PassingFaults(http);
  std::erase(faults, ProxyFault::kHttp500);
  return faults;
}

// The server starts with the tables, because the store cannot make them.
SupabaseServer& Supabase() {
  struct Server : SupabaseServer {
    Server() : SupabaseServer({.sql = SchemaScript("supabase", kDefaultPrefix), .max_rows = std::nullopt}) {}
  };
  static ProcessWide<Server> server;
  return server.get();
}

std::vector<StoreKind> BuiltKinds() {
  const std::vector<StoreKind> all = {
      {"postgres", FaultProxy::Protocol::kPostgres, [] { return PostgresServer::Shared().port(); },
       [](int port) { return PostgresUri(port, "postgres", "postgres"); },
       [] {
         PostgresServer::Execute(PostgresServer::Shared().Uri(), "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
       },
       TransientFaults(false)},
      {"turso", FaultProxy::Protocol::kHttp, [] { return SqldServer::Shared().port(); },
       [](int port) { return "http://127.0.0.1:" + std::to_string(port); }, [] { SqldServer::Shared().Reset(); },
       TransientFaults(true)},
      {"supabase", FaultProxy::Protocol::kHttp, [] { return Supabase().port(); },
       [](int port) { return "supabase:http://127.0.0.1:" + std::to_string(port); },
       [] { Supabase().Empty(std::string(kDefaultPrefix)); }, TransientFaults(true)},
  };
  std::vector<StoreKind> built;
  for (const StoreKind& kind : all) {
    if (IsBuilt(kind.name)) built.push_back(kind);
  }
  return built;
}

RetryPolicy Never() {
  RetryPolicy policy;
  policy.patience = milliseconds(0);
  return policy;
}

RetryPolicy Persistently() {
  RetryPolicy policy;
  policy.patience = std::chrono::minutes(2);
  policy.first_wait = milliseconds(1);
  policy.longest_wait = milliseconds(8);
  return policy;
}

// Reads many small pages.
Digest SumOf(Store& store) {
  PageRequest request;
  request.max_records = 7;
  return SumOf(ReadAll(store, request));
}

class FaultyNetwork : public testing::TestWithParam<StoreKind> {
 protected:
  FaultyNetwork() : proxy_(GetParam().protocol, GetParam().server_port()) { StartOver(); }

  // Starts again with an empty history.
  void StartOver() {
    GetParam().empty();
    expected_ = OpenMemory(MakeMemoryHistory(), OpenMode::kWrite);
  }

  std::unique_ptr<Store> OpenDirectly(OpenMode mode = OpenMode::kRead) {
    return OpenStore(At(GetParam().server_port()), mode, Never());
  }
  std::unique_ptr<Store> OpenThroughProxy(RetryPolicy policy, OpenMode mode = OpenMode::kWrite) {
    return OpenStore(At(proxy_.port()), mode, std::move(policy));
  }

  // Makes a call with a fault in its first request, then another call with a fault in the second request, and so on
  // until a call has no more requests. Repeats that for every fault. `prepare` does what is not to be disturbed and
  // returns the call; `check` follows each call.
  void InEveryRequest(const std::function<std::function<void()>()>& prepare, const std::function<void()>& check) {
    for (size_t i = 0; i < GetParam().faults.size(); ++i) {
      InEachRequestOnce([&](int64_t) { return GetParam().faults[i]; }, prepare, check);
    }
  }
  // The same for calls with many requests: one fault per request, in turn. With `./dev soak` all of them.
  void InEveryRequestOfMany(const std::function<std::function<void()>()>& prepare, const std::function<void()>& check) {
    if (Soaking()) return InEveryRequest(prepare, check);
    const std::vector<ProxyFault>& faults = GetParam().faults;
    InEachRequestOnce([&](int64_t nth) { return faults[static_cast<size_t>(nth) % faults.size()]; }, prepare, check);
  }

  // Returns a few new runs, one more part of a run that grows, and a run that is stored already.
  std::vector<RunRecord> NextBatch() {
    const std::string number = std::to_string(++batches_);
    BuildRecord fresh("fresh" + number);
    fresh.Part("p" + number, batches_, 1).Fail("Suite.Test", "cut 'here' \" \\ 🦊").Fail("Suite.Other");
    BuildRecord grown("grows");
    grown.Part("part" + number, 1000 + batches_, 1).Fail("Suite.Test", "of part " + number);
    BuildRecord npm("npm" + number);
    npm.StartedAt(flaky::At(batches_)).Ended(flaky::At(batches_ + 1), 1).Fail("S.T");
    std::vector<RunRecord> batch = {fresh.Build(), grown.Build(), npm.Build()};
    if (!last_.run.run_id.empty()) batch.push_back(last_);
    last_ = batch.front();
    return batch;
  }

  // Expects the same records on the server as in memory.
  void ExpectComplete() {
    const auto store = OpenDirectly();
    EXPECT_EQ(store->Count({}), expected_->Count({}));
    EXPECT_EQ(SumOf(*store), SumOf(*expected_));
  }

  FaultProxy proxy_;
  std::unique_ptr<Store> expected_;

 private:
  void InEachRequestOnce(const std::function<ProxyFault(int64_t)>& fault_in,
                         const std::function<std::function<void()>()>& prepare, const std::function<void()>& check) {
    constexpr int64_t kMost = 200;
    int64_t nth = 0;
    for (bool met = true; met && ++nth <= kMost && !HasFailure();) {
      SCOPED_TRACE(testing::Message() << fault_in(nth) << " in request " << nth);
      const std::function<void()> call = prepare();
      const int64_t before = proxy_.faults();
      proxy_.FaultAt(nth, fault_in(nth));
      call();
      met = proxy_.faults() > before;
      proxy_.ClearFaults();
      check();
    }
    EXPECT_TRUE(nth > 1 || HasFailure()) << "no request met the fault";
    EXPECT_LE(nth, kMost) << "it does not end";
  }

  Location At(int port) const {
    Location location = ParseLocation(GetParam().location(port));
    location.token = Secret(SupabaseServer::SecretKey());  // for the store that needs one
    return location;
  }

  int64_t batches_ = 0;
  RunRecord last_;
};

TEST_P(FaultyNetwork, AWriteThatFailedCanBeRepeated) {
  OpenDirectly(OpenMode::kWrite);
  int failed = 0;
  InEveryRequest(
      [&]() -> std::function<void()> {
        const std::shared_ptr<Store> store = OpenThroughProxy(Never());
        return [&, store, batch = NextBatch()] {
          try {
            store->Write(batch);
          } catch (const StoreError& error) {
            ++failed;
            EXPECT_EQ(error.kind(), ErrorKind::kTransient) << error.what();
            proxy_.ClearFaults();
            EXPECT_EQ(store->Write(batch).size(), batch.size()) << "the object can still be used";
          }
          expected_->Write(batch);
        };
      },
      [&] { ExpectComplete(); });
  EXPECT_GT(failed, 0);
}

TEST_P(FaultyNetwork, AWriteIsCompleteAfterAnyFault) {
  OpenDirectly(OpenMode::kWrite);
  InEveryRequest(
      [&]() -> std::function<void()> {
        const std::shared_ptr<Store> store = OpenThroughProxy(Persistently());
        return [&, store, batch = NextBatch()] {
          EXPECT_EQ(store->Write(batch).size(), batch.size());
          expected_->Write(batch);
        };
      },
      [&] { ExpectComplete(); });
}

TEST_P(FaultyNetwork, ABulkCopyIsCompleteAfterAnyFault) {
  InEveryRequestOfMany(
      [&]() -> std::function<void()> {
        StartOver();
        const std::shared_ptr<Store> store = OpenThroughProxy(Persistently(), OpenMode::kBulk);
        return [&, store, batch = NextBatch()] {
          store->Write(batch);
          store->Finish();
          expected_->Write(batch);
        };
      },
      [&] { ExpectComplete(); });
}

TEST_P(FaultyNetwork, TheSchemaIsMadeOnceAfterAnyFault) {
  InEveryRequestOfMany(
      [&]() -> std::function<void()> {
        StartOver();
        return [&] { OpenThroughProxy(Persistently()); };
      },
      [&] {
        const auto store = OpenDirectly(OpenMode::kWrite);
        const SchemaState schema = store->schema();
        EXPECT_EQ(schema.found, schema.known);
        EXPECT_THAT(schema.pending, testing::IsEmpty());
        const std::vector<RunRecord> batch = NextBatch();
        store->Write(batch);
        expected_->Write(batch);
        ExpectComplete();
      });
}

TEST_P(FaultyNetwork, ReadingIsCompleteAfterAnyFault) {
  const auto writer = OpenDirectly(OpenMode::kWrite);
  for (int i = 0; i < 8; ++i) {
    const std::vector<RunRecord> batch = NextBatch();
    writer->Write(batch);
    expected_->Write(batch);
  }
  const auto failures = [](Store& store) {
    std::vector<std::string> seen;
    store.VisitFailures({}, [&](const FailureView& view) {
      seen.push_back(std::string(view.run_id) + std::string(view.test_name) + std::string(*view.error_message));
    });
    std::sort(seen.begin(), seen.end());
    return seen;
  };
  const std::vector<std::string> ids = {"grows", "fresh3", "absent"};
  const std::function<void(Store&)> questions[] = {
      [&](Store& store) { EXPECT_EQ(SumOf(store), SumOf(*expected_)); },
      [&](Store& store) { EXPECT_EQ(store.Count({}), expected_->Count({})); },
      [&](Store& store) { EXPECT_EQ(SumOf(store.Fetch(ids)), SumOf(expected_->Fetch(ids))); },
      [&](Store& store) { EXPECT_EQ(store.FindRuns("fresh", 5), expected_->FindRuns("fresh", 5)); },
      [&](Store& store) { EXPECT_EQ(failures(store), failures(*expected_)); },
  };
  for (const auto& question : questions) {
    InEveryRequest(
        [&]() -> std::function<void()> {
          const std::shared_ptr<Store> store = OpenThroughProxy(Persistently(), OpenMode::kRead);
          return [&question, store] { question(*store); };
        },
        [] {});
  }
}

TEST_P(FaultyNetwork, AcknowledgedRecordsSurviveRandomFaults) {
  OpenDirectly(OpenMode::kWrite);
  const int64_t rounds = SoakCount(15, 1000);
  proxy_.FaultRandomly(SoakSeed(), 0.3, GetParam().faults);
  proxy_.SetDelay(milliseconds(5));
  auto store = OpenThroughProxy(Persistently());
  for (int64_t round = 0; round < rounds && !HasFailure(); ++round) {
    const std::vector<RunRecord> batch = NextBatch();
    EXPECT_EQ(store->Write(batch).size(), batch.size());
    expected_->Write(batch);
    if (round % (rounds / 3) == 2) {
      EXPECT_EQ(SumOf(*store), SumOf(*expected_)) << "read through the faults, too";
      store = OpenThroughProxy(Persistently());
    }
  }
  ExpectComplete();
  EXPECT_GT(proxy_.faults(), proxy_.requests() / 5);
}

TEST_P(FaultyNetwork, AServerThatIsGoneIsTransient) {
  const Location unused_port = ParseLocation(GetParam().location(FreePort()));
  try {
    OpenStore(unused_port, OpenMode::kWrite, Never());
    ADD_FAILURE() << "no error";
  } catch (const StoreError& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kTransient) << error.what();
  }
}

INSTANTIATE_TEST_SUITE_P(Stores, FaultyNetwork, testing::ValuesIn(BuiltKinds()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace flaky
