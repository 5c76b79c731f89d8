#ifndef FLAKY_TESTS_STORES_ADOPTED_DATABASE_H_
#define FLAKY_TESTS_STORES_ADOPTED_DATABASE_H_

#include <memory>
#include <string>
#include <vector>

#include "tests/stores/mistyped_database.h"

namespace flaky {

// An empty database for legacy tables. Every program with such a kind of database links adopted_database_test.cc.
class AdoptedDatabase : public testing::TestWithParam<MistypedKind> {
 protected:
  static constexpr char kOurs[] = "flaky_test_";

  // Makes the tables of the npm packages' version 1. With more columns they are another tool's.
  void MakeTables(const std::string& more_of_runs = "", const std::string& more_of_failures = "");
  void InsertRun(const std::string& run_id, int failures);

  std::unique_ptr<MistypedDatabase> database_ = GetParam().make();
};

}  // namespace flaky

#endif  // FLAKY_TESTS_STORES_ADOPTED_DATABASE_H_
