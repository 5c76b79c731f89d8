// SPDX-License-Identifier: MIT
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stores/open.h"
#include "stores/sql/sql_script.h"
#include "stores/supabase/supabase_store.h"
#include "tests/contract/contract.h"
#include "tests/contract/server_pool.h"
#include "tests/servers/postgres_server.h"
#include "tests/servers/supabase_server.h"

namespace flaky {
namespace {

class SupabasePlace : public Place {
 public:
  SupabasePlace(ServerPool<SupabaseServer>& servers, const std::string& prefix)
      : servers_(servers),
        server_(servers.Take()),
        location_(ParseLocation("supabase:" + server_->url() + "?prefix=" + prefix)) {
    location_.token = Secret(SupabaseServer::SecretKey());
    server_->Empty(prefix);
  }
  ~SupabasePlace() override { servers_.Give(std::move(server_)); }

  std::unique_ptr<Store> Open(OpenMode mode) override { return supabase::Open(location_, mode); }
  void AgeClaims(std::chrono::seconds time) override { server_->Execute(AgeClaimsSql(location_.prefix, time)); }
  bool Execute(const std::string& sql) override {
    server_->Execute(ReplaceAll(sql, "{prefix}", location_.prefix));
    return true;
  }

 private:
  ServerPool<SupabaseServer>& servers_;
  std::unique_ptr<SupabaseServer> server_;
  Location location_;
};

Traits Supabase(const std::string& name, const std::string& prefix, std::optional<int> max_rows = std::nullopt) {
  Traits traits;
  traits.name = name;
  traits.make_place = [=] {
    PostgresServer::Shared();  // made first, so that it is destroyed after the servers that use it
    static std::map<std::string, ServerPool<SupabaseServer>> servers;
    const auto found = servers.try_emplace(name, SupabaseServer::Options{SchemaScript("supabase", prefix), max_rows});
    return std::make_unique<SupabasePlace>(found.first->second, prefix);
  };
  traits.keeps_any_kind = false;
  return traits;
}

INSTANTIATE_TEST_SUITE_P(Supabase, StoreContract,
                         testing::Values(Supabase("Prefixed", "flaky_test_"), Supabase("Unprefixed", ""),
                                         Supabase("DigitFirst", "0_"), Supabase("SevenRows", "flaky_test_", 7)),
                         NameOf);

}  // namespace
}  // namespace flaky
