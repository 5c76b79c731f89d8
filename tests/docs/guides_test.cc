// The guides that need servers, on servers of this test's own.

#include <gtest/gtest.h>

#include "tests/docs/console.h"
#include "tests/servers/postgres_server.h"
#include "tests/servers/sqld_server.h"

namespace flaky {
namespace {

std::pair<std::string, std::string> PostgresStandIn() {
  return {"postgresql://flaky@db.example.com/ci", PostgresServer::Shared().CreateDatabase()};
}

TEST(Guides, ChoosingAStore) {
  const SqldServer sqld;
  ExpectDocumentIsTrue("docs/guides/choosing-a-store.md", {PostgresStandIn(), {"http://127.0.0.1:8080", sqld.url()}},
                       "for seed in 5 6 7; do BASKET_SEED=$seed ./basket_test > log.txt; done");
}

TEST(Guides, SetUpCi) { ExpectDocumentIsTrue("docs/guides/set-up-ci.md", {PostgresStandIn()}); }

}  // namespace
}  // namespace flaky
