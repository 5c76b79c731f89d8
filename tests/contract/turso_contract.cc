#include <memory>
#include <utility>
#include <vector>

#include "stores/turso/turso_store.h"
#include "tests/contract/contract.h"
#include "tests/servers/sqld_server.h"

namespace flaky {
namespace {

// Servers that no place uses just now; a test has two at once at most.
class Servers {
 public:
  explicit Servers(std::vector<std::string> flags) : flags_(std::move(flags)) {}

  std::unique_ptr<SqldServer> Take() {
    if (idle_.empty()) return std::make_unique<SqldServer>(SqldServer::Options{.flags = flags_});
    std::unique_ptr<SqldServer> server = std::move(idle_.back());
    idle_.pop_back();
    server->Reset();
    return server;
  }
  void Give(std::unique_ptr<SqldServer> server) { idle_.push_back(std::move(server)); }

 private:
  std::vector<std::string> flags_;
  std::vector<std::unique_ptr<SqldServer>> idle_;
};

class TursoPlace : public Place {
 public:
  TursoPlace(Servers& servers, const std::string& prefix)
      : servers_(servers), server_(servers.Take()), location_(ParseLocation(server_->url() + "?prefix=" + prefix)) {}
  ~TursoPlace() override { servers_.Give(std::move(server_)); }

  std::unique_ptr<Store> Open(OpenMode mode) override { return turso::Open(location_, mode); }

 private:
  Servers& servers_;
  std::unique_ptr<SqldServer> server_;
  Location location_;
};

Traits Turso(const std::string& name, const std::string& prefix, const std::vector<std::string>& flags = {}) {
  const auto servers = std::make_shared<Servers>(flags);
  return {name, [servers, prefix] { return std::make_unique<TursoPlace>(*servers, prefix); }};
}

INSTANTIATE_TEST_SUITE_P(Turso, StoreContract,
                         testing::Values(Turso("Prefixed", "flaky_test_"), Turso("Unprefixed", ""),
                                         Turso("DigitFirst", "0_"),
                                         Turso("ShortAnswers", "flaky_test_", {"--max-response-size", "1MB"})),
                         NameOf);

}  // namespace
}  // namespace flaky
