// Runs of an extraordinary size through all pairs of places, in batches of the ordinary size.

#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>

#include "tests/cli/copy_fixture.h"
#include "tests/servers/postgres_server.h"
#include "tests/servers/sqld_server.h"
#include "tests/support/soak.h"

namespace flaky {
namespace {

using nlohmann::json;
using testing::SizeIs;

class CopyGiantsTest : public CopyTest {
 protected:
  // Copies the records through all pairs: an SQLite file gives them to a place of each kind, and these to all others.
  // Shows the account of each copy to `check`.
  void CopyThroughAllPairs(const std::vector<RunRecord>& records,
                           const std::function<void(const Pair&, const json&)>& check) {
    const SqldServer sqld;
    std::map<std::string, std::string> sources = {{"sqlite", "sqlite:" + NewPath("first.db")},
                                                  {"postgres", "postgres:" + PostgresServer::Shared().CreateDatabase()},
                                                  {"turso", "turso:" + sqld.url()},
                                                  {"jsonl", NewPath("first.jsonl")}};
    OpenStore(ParseLocation(sources["sqlite"]), OpenMode::kWrite)->Write(records);
    // Those that fill the sources come first; of the others some, in ordinary runs.
    std::vector<Pair> pairs = AllPairs();
    std::mt19937_64 random(SoakSeed());
    std::ranges::shuffle(pairs, random);
    const auto others = std::ranges::stable_partition(
        pairs, [](const Pair& pair) { return pair.source == "sqlite" && pair.target != "sqlite"; });
    pairs.resize(pairs.size() - others.size() + static_cast<size_t>(SoakCount(3, 12)));
    for (const Pair& pair : pairs) {
      SCOPED_TRACE(pair.Name());
      const bool fills = pair.source == "sqlite" && pair.target != "sqlite";
      const EmptyPlace place = NewPlace(pair.target);
      const std::string to = fills ? sources[pair.target] : place.location();
      check(pair, Copy(pair, sources[pair.source], to));
      if (pair.source != "jsonl" && pair.target != "jsonl") ExpectVerified(sources[pair.source], to);
      if (HasFailure()) return;
    }
    PostgresServer::Shared().DropDatabase(sources["postgres"]);
  }

 private:
  json Copy(const Pair& pair, const std::string& from, const std::string& to) {
    std::vector<std::string> command = {"migrate-store", "--from", from, "--to", to, "--json"};
    if (pair.source == "jsonl") command = {"import", from, "--to", to, "--json"};
    if (pair.target == "jsonl") command = {"export", to, "--from", from, "--json"};
    const Outcome outcome = Flaky(command);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return outcome.code == 0 ? json::parse(outcome.out) : json();
  }
};

TEST_F(CopyGiantsTest, AMessageOfTenMegabytes) {
  std::string message;
  while (message.size() < 10 << 20) message += "Expected: \"naïve\" in frame " + std::to_string(message.size()) + '\n';
  const std::vector<RunRecord> records = {
      BuildRecord("before").Project("demo").Part("p0", 0, 1).Fail("S.T").Build(),
      BuildRecord("giant").Project("demo").Part("p1", 60, 2).Fail("S.T", message).Fail("S.U").Build(),
      BuildRecord("behind").Project("demo").Part("p2", 120, 1).Fail("S.T").Build()};
  CopyThroughAllPairs(records, [](const Pair& pair, const json& account) {
    EXPECT_EQ(account.at("failures"), 4);
    const bool cut = pair.target == "turso" && pair.source != "turso";
    ASSERT_THAT(account.at("conversions"), SizeIs(cut ? 1 : 0));
    if (!cut) return;
    const json& conversion = account.at("conversions").at(0);
    EXPECT_EQ(conversion.at("run_id"), "giant");
    EXPECT_EQ(conversion.at("column"), "failures.error_message");
    EXPECT_EQ(conversion.at("kind"), "cut");
    EXPECT_GT(conversion.at("amount"), 0);
  });
}

TEST_F(CopyGiantsTest, ARunOfTwentyThousandFailures) {
  constexpr int kFailures = 20'000;
  BuildRecord giant("giant");
  giant.Project("demo").Part("p1", 60, kFailures);
  for (int i = 0; i < kFailures; ++i) {
    giant.Fail("Suite.Test" + std::to_string(i), "value " + std::to_string(i) + std::string(200, 'x'), 61 + i % 3600);
  }
  const std::vector<RunRecord> records = {giant.Build(),
                                          BuildRecord("behind").Project("demo").Part("p2", 120, 1).Fail("S.T").Build()};
  const std::string digest = SumOf(records).ToString();
  CopyThroughAllPairs(records, [&](const Pair& pair, const json& account) {
    EXPECT_EQ(account.at("failures"), kFailures + 1);
    EXPECT_EQ(account.at("converted"), 0);
    EXPECT_EQ(account.at(pair.target == "jsonl" ? "digest" : "target_digest"), digest);
  });
}

}  // namespace
}  // namespace flaky
