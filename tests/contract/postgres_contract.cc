// SPDX-License-Identifier: MIT
#include <map>

#include "stores/postgres/postgres_store.h"
#include "stores/sql/sql_script.h"
#include "tests/contract/contract.h"
#include "tests/servers/postgres_server.h"

namespace flaky {
namespace {

// Returns one of the databases for places. It is made at the first call, on the server that the program's tests share.
// `create` is added to CREATE DATABASE; `alter` is run in the new database.
const std::string& DatabaseUri(const std::string& name, const std::string& create, const std::string& alter) {
  static std::map<std::string, std::string> uris;
  std::string& uri = uris[name];
  if (uri.empty()) {
    const PostgresServer& server = PostgresServer::Shared();
    PostgresServer::Execute(server.Uri(), "CREATE DATABASE \"" + name + "\" TEMPLATE template0 " + create);
    uri = server.Uri(name);
    if (!alter.empty()) PostgresServer::Execute(uri, alter);
  }
  return uri;
}

// A place is a schema.
class PostgresPlace : public Place {
 public:
  PostgresPlace(const std::string& database_uri, const std::string& prefix) : uri_(database_uri) {
    static int made = 0;
    schema_ = "place_" + std::to_string(++made);
    PostgresServer::Execute(uri_, "CREATE SCHEMA " + schema_);
    location_ = ParseLocation(uri_ + "?options=-csearch_path%3D" + schema_ + "&prefix=" + prefix);
  }
  ~PostgresPlace() override { PostgresServer::Execute(uri_, "DROP SCHEMA " + schema_ + " CASCADE"); }

  std::unique_ptr<Store> Open(OpenMode mode) override { return postgres::Open(location_, mode); }
  void AgeClaims(std::chrono::seconds time) override {
    PostgresServer::Execute(uri_, "SET search_path = " + schema_ + "; " + AgeClaimsSql(location_.prefix, time));
  }
  bool Execute(const std::string& sql) override {
    PostgresServer::Execute(uri_,
                            "SET search_path = " + schema_ + "; " + ReplaceAll(sql, "{prefix}", location_.prefix));
    return true;
  }

 private:
  std::string uri_;
  std::string schema_;
  Location location_;
};

Traits Postgres(const std::string& name, const std::string& prefix, const std::string& create = "",
                const std::string& alter = "") {
  Traits traits;
  traits.name = name;
  traits.make_place = [=] { return std::make_unique<PostgresPlace>(DatabaseUri(name, create, alter), prefix); };
  traits.keeps_any_kind = false;
  return traits;
}

constexpr char kOtherSettings[] = R"(DO $$
  BEGIN
    EXECUTE format('ALTER DATABASE %I SET datestyle = ''German, DMY''', current_database());
    EXECUTE format('ALTER DATABASE %I SET timezone = ''America/St_Johns''', current_database());
    EXECUTE format('ALTER DATABASE %I SET intervalstyle = ''iso_8601''', current_database());
    EXECUTE format('ALTER DATABASE %I SET bytea_output = ''escape''', current_database());
    EXECUTE format('ALTER DATABASE %I SET standard_conforming_strings = off', current_database());
    EXECUTE format('ALTER DATABASE %I SET extra_float_digits = -15', current_database());
    EXECUTE format('ALTER DATABASE %I SET client_encoding = ''LATIN1''', current_database());
  END $$)";

INSTANTIATE_TEST_SUITE_P(
    Postgres, StoreContract,
    testing::Values(Postgres("Prefixed", "flaky_test_"), Postgres("Unprefixed", ""), Postgres("DigitFirst", "0_"),
                    Postgres("OtherCollation", "flaky_test_", "LOCALE_PROVIDER icu ICU_LOCALE 'de' LOCALE 'C.UTF-8'"),
                    Postgres("OtherSettings", "flaky_test_", "", kOtherSettings)),
    NameOf);

}  // namespace
}  // namespace flaky
