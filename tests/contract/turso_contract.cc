// SPDX-License-Identifier: MIT
#include <memory>
#include <utility>
#include <vector>

#include "stores/sql/sql_script.h"
#include "stores/turso/turso_store.h"
#include "tests/contract/contract.h"
#include "tests/contract/server_pool.h"
#include "tests/servers/sqld_server.h"

namespace flaky {
namespace {

class TursoPlace : public Place {
 public:
  TursoPlace(ServerPool<SqldServer>& servers, const std::string& prefix)
      : servers_(servers), server_(servers.Take()), location_(ParseLocation(server_->url() + "?prefix=" + prefix)) {}
  ~TursoPlace() override { servers_.Give(std::move(server_)); }

  std::unique_ptr<Store> Open(OpenMode mode) override { return turso::Open(location_, mode); }
  void AgeClaims(std::chrono::seconds time) override { server_->Execute(AgeClaimsSql(location_.prefix, time)); }
  bool Execute(const std::string& sql) override {
    server_->Execute(ReplaceAll(sql, "{prefix}", location_.prefix));
    return true;
  }

 private:
  ServerPool<SqldServer>& servers_;
  std::unique_ptr<SqldServer> server_;
  Location location_;
};

Traits Turso(const std::string& name, const std::string& prefix, const std::vector<std::string>& flags = {}) {
  const auto servers = std::make_shared<ServerPool<SqldServer>>(SqldServer::Options{.flags = flags},
                                                                [](SqldServer& server) { server.Reset(); });
  return {name, [servers, prefix] { return std::make_unique<TursoPlace>(*servers, prefix); }};
}

INSTANTIATE_TEST_SUITE_P(Turso, StoreContract,
                         testing::Values(Turso("Prefixed", "flaky_test_"), Turso("Unprefixed", ""),
                                         Turso("DigitFirst", "0_"),
                                         Turso("ShortAnswers", "flaky_test_", {"--max-response-size", "1MB"})),
                         NameOf);

}  // namespace
}  // namespace flaky
