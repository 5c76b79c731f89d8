#ifndef FLAKY_TESTS_STORES_SQLITE_SUPPORT_H_
#define FLAKY_TESTS_STORES_SQLITE_SUPPORT_H_

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "stores/sqlite/sqlite_store.h"
#include "tests/stores/store_support.h"

namespace flaky {

inline std::unique_ptr<Store> OpenFile(const std::string& path, OpenMode mode,
                                       const std::string& prefix = "flaky_test_",
                                       std::chrono::milliseconds busy_timeout = std::chrono::milliseconds(10'000)) {
  return sqlite::Open(ParseLocation("sqlite:" + path + "?prefix=" + prefix), mode, {busy_timeout});
}

// Runs SQL in the file as another program would. Creates the file if it is missing.
inline void RunSql(const std::string& path, const std::string& sql) {
  SQLite::Database(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, 5000).exec(sql);
}

// Returns the first column of the query's rows.
inline std::vector<std::string> Query(const std::string& path, const std::string& sql) {
  SQLite::Database db(path, SQLite::OPEN_READONLY, 5000);
  SQLite::Statement rows(db, sql);
  std::vector<std::string> values;
  while (rows.executeStep()) values.push_back(rows.getColumn(0).getString());
  return values;
}

inline std::string Bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace flaky

#endif  // FLAKY_TESTS_STORES_SQLITE_SUPPORT_H_
