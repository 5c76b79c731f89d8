#ifndef FLAKY_TESTS_STORES_NPM_DATABASE_H_
#define FLAKY_TESTS_STORES_NPM_DATABASE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "tests/stores/mistyped_database.h"

namespace flaky {

// A database that the npm packages @flaky-tests/store-sqlite and store-turso 0.2 left: the kind of database, the
// version of the tables, and whether it has their table of versions. Every program with such a kind links
// npm_database_test.cc.
class NpmDatabase : public testing::TestWithParam<std::tuple<MistypedKind, int, bool>> {
 protected:
  NpmDatabase();

  int version() const { return std::get<int>(GetParam()); }
  bool has_version_table() const { return std::get<bool>(GetParam()); }
  void Execute(const std::string& sql) { database_->Execute(sql); }
  std::vector<std::string> Query(const std::string& sql) { return database_->Query(sql); }
  std::unique_ptr<Store> Open(OpenMode mode, const std::string& prefix = "") { return database_->Open(mode, prefix); }

 private:
  std::unique_ptr<MistypedDatabase> database_;
};

inline constexpr int kNpmVersions = 6;

// All versions, in one kind of database.
inline auto NpmDatabases(const MistypedKind& kind) {
  return testing::Combine(testing::Values(kind), testing::Range(1, kNpmVersions + 1), testing::Bool());
}
inline std::string NpmDatabaseName(const testing::TestParamInfo<NpmDatabase::ParamType>& each) {
  return "V" + std::to_string(std::get<int>(each.param)) + (std::get<bool>(each.param) ? "" : "Unversioned");
}

}  // namespace flaky

#endif  // FLAKY_TESTS_STORES_NPM_DATABASE_H_
