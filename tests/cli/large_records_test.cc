// Copies of very large runs between all pairs of places, in batches of the usual size.

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

class LargeRecordsTest : public CopyTest {
 protected:
  // Copies the records through all pairs: from an SQLite file to a place of each kind, and from these to all others.
  // Passes the summary of each copy to `check`.
  void CopyThroughAllPairs(const std::vector<RunRecord>& records,
                           const std::function<void(const Pair&, const json&)>& check) {
    const SqldServer sqld;
    std::map<std::string, std::string> sources = {{"sqlite", "sqlite:" + NewPath("first.db")},
                                                  {"postgres", "postgres:" + PostgresServer::Shared().CreateDatabase()},
                                                  {"turso", "turso:" + sqld.url()},
                                                  {"jsonl", NewPath("first.jsonl")}};
    OpenStore(ParseLocation(sources["sqlite"]), OpenMode::kWrite)->Write(records);
    // The pairs that fill the sources come first. Then come some of the others, more of them in a soak test.
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

TEST_F(LargeRecordsTest, AMessageOfTenMegabytes) {
  std::string message;
  while (message.size() < 10 << 20) message += "Expected: \"naïve\" in frame " + std::to_string(message.size()) + '\n';
  const std::vector<RunRecord> records = {
      BuildRecord("before").Project("demo").Part("p0", 0, 1).Fail("S.T").Build(),
      BuildRecord("large").Project("demo").Part("p1", 60, 2).Fail("S.T", message).Fail("S.U").Build(),
      BuildRecord("after").Project("demo").Part("p2", 120, 1).Fail("S.T").Build()};
  CopyThroughAllPairs(records, [](const Pair& pair, const json& summary) {
    EXPECT_EQ(summary.at("failures"), 4);
    const bool cut = pair.target == "turso" && pair.source != "turso";
    ASSERT_THAT(summary.at("conversions"), SizeIs(cut ? 1 : 0));
    if (!cut) return;
    const json& conversion = summary.at("conversions").at(0);
    EXPECT_EQ(conversion.at("run_id"), "large");
    EXPECT_EQ(conversion.at("column"), "failures.error_message");
    EXPECT_EQ(conversion.at("kind"), "cut");
    EXPECT_GT(conversion.at("amount"), 0);
  });
}

TEST_F(LargeRecordsTest, ARunOfTwentyThousandFailures) {
  constexpr int kFailures = 20'000;
  BuildRecord large("large");
  large.Project("demo").Part("p1", 60, kFailures);
  for (int i = 0; i < kFailures; ++i) {
    large.Fail("Suite.Test" + std::to_string(i), "value " + std::to_string(i) + std::string(200, 'x'), 61 + i % 3600);
  }
  const std::vector<RunRecord> records = {large.Build(),
                                          BuildRecord("after").Project("demo").Part("p2", 120, 1).Fail("S.T").Build()};
  const std::string digest = SumOf(records).ToString();
  CopyThroughAllPairs(records, [&](const Pair& pair, const json& summary) {
    EXPECT_EQ(summary.at("failures"), kFailures + 1);
    EXPECT_EQ(summary.at("converted"), 0);
    EXPECT_EQ(summary.at(pair.target == "jsonl" ? "digest" : "target_digest"), digest);
  });
}

}  // namespace
}  // namespace flaky
