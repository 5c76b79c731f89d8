// Runs the guides that need servers, on servers that this test starts.

#include <gtest/gtest.h>

#include "tests/docs/console.h"
#include "tests/servers/postgres_server.h"
#include "tests/servers/sqld_server.h"

namespace flaky {
namespace {

std::pair<std::string, std::string> PostgresStandIn() {
  return {"postgresql://flaky@db.example.com/ci", PostgresServer::Shared().CreateDatabase()};
}

TEST(Guides, SwitchingStores) {
  const SqldServer sqld;
  PostgresServer& postgres = PostgresServer::Shared();
  ExpectDocumentIsTrue("docs/guides/switching-stores.md",
                       {{"postgresql://flaky@db.example.com/fresh", postgres.CreateDatabase()},
                        {"postgresql://flaky@db.example.com/ci", postgres.CreateDatabase()},
                        {"postgresql://flaky@db.example.com/builds", postgres.CreateDatabase()},
                        {"http://127.0.0.1:8080", sqld.url()}},
                       "for seed in $(seq 1 10); do BASKET_SEED=$seed ./basket_test > log.txt; done");
}

TEST(Guides, SwitchWithoutAGap) {
  ExpectDocumentIsTrue("docs/guides/switch-without-a-gap.md", {PostgresStandIn()},
                       "for seed in $(seq 1 10); do BASKET_SEED=$seed ./basket_test > log.txt; done");
}

TEST(Guides, MigratingFromNpm) { ExpectDocumentIsTrue("docs/guides/migrating-from-npm.md"); }

TEST(Guides, SetUpCi) { ExpectDocumentIsTrue("docs/guides/set-up-ci.md", {PostgresStandIn()}); }

}  // namespace
}  // namespace flaky
