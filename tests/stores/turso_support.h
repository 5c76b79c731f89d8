#ifndef FLAKY_TESTS_STORES_TURSO_SUPPORT_H_
#define FLAKY_TESTS_STORES_TURSO_SUPPORT_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "stores/turso/turso_store.h"
#include "tests/servers/sqld_server.h"
#include "tests/stores/sqlite_support.h"

namespace flaky {

inline Location LocationOf(const std::string& url, const std::string& token = "",
                           const std::string& prefix = "flaky_test_") {
  Location location = ParseLocation(url + "?prefix=" + prefix);
  location.token = Secret(token);
  return location;
}

inline std::unique_ptr<Store> OpenAt(const SqldServer& server, OpenMode mode,
                                     const std::string& prefix = "flaky_test_") {
  return turso::Open(LocationOf(server.url(), server.tokens().read_write, prefix), mode);
}

// Returns the first column of the query's rows.
inline std::vector<std::string> Query(const SqldServer& server, const std::string& sql) {
  std::vector<std::string> values;
  for (const auto& row : server.Query(sql)) values.push_back(row.at(0).value_or("NULL"));
  return values;
}

}  // namespace flaky

#endif  // FLAKY_TESTS_STORES_TURSO_SUPPORT_H_
