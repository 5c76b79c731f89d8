#ifndef FLAKY_TESTS_STORES_POSTGRES_SUPPORT_H_
#define FLAKY_TESTS_STORES_POSTGRES_SUPPORT_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "stores/postgres/postgres_store.h"
#include "tests/servers/postgres_server.h"
#include "tests/stores/store_support.h"

namespace flaky {

inline std::unique_ptr<Store> OpenUri(const std::string& uri, OpenMode mode,
                                      const std::string& prefix = std::string(kDefaultPrefix)) {
  return postgres::Open(ParseLocation(uri, prefix), mode);
}

// An empty database on the server that the program's tests share.
class PostgresTest : public testing::Test {
 protected:
  ~PostgresTest() override { server_.DropDatabase(uri_); }

  std::unique_ptr<Store> Open(OpenMode mode, const std::string& prefix = std::string(kDefaultPrefix)) const {
    return OpenUri(uri_, mode, prefix);
  }
  void Run(const std::string& sql) const { PostgresServer::Execute(uri_, sql); }
  // Returns the first column of the query's rows, with "NULL" for NULL.
  std::vector<std::string> Query(const std::string& sql) const {
    std::vector<std::string> values;
    for (const auto& row : PostgresServer::Query(uri_, sql)) values.push_back(row.at(0).value_or("NULL"));
    return values;
  }
  // Returns the location of the same database for another role.
  std::string UriOf(const std::string& user, const std::optional<std::string>& password = std::nullopt) const {
    return server_.Uri(uri_.substr(uri_.rfind('/') + 1), user, password);
  }
  // Makes sure that the role exists, whatever other tests did.
  void MakeRole(const std::string& role, const std::string& options) const {
    Run("DO $$ BEGIN IF to_regrole('" + role + "') IS NULL THEN CREATE ROLE " + role + "; END IF; END $$; ALTER ROLE " +
        role + " " + options);
  }

  PostgresServer& server_ = PostgresServer::Shared();
  const std::string uri_ = server_.CreateDatabase();
};

}  // namespace flaky

#endif  // FLAKY_TESTS_STORES_POSTGRES_SUPPORT_H_
