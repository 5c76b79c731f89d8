#ifndef FLAKY_TESTS_STORES_ADOPTED_DATABASE_H_
#define FLAKY_TESTS_STORES_ADOPTED_DATABASE_H_

#include <memory>
#include <string>
#include <vector>

#include "tests/stores/mistyped_database.h"

namespace flaky {

// An empty database for tables from before. The tests of adopted_database_test.cc are linked to every program that has
// such a kind.
class AdoptedDatabase : public testing::TestWithParam<LooseKind> {
 protected:
  static constexpr char kOurs[] = "flaky_test_";

  // Makes the tables of the npm packages' version 1 or, with `columns` of type TEXT, others.
  void MakeTables(const std::string& more_of_runs = "", const std::string& more_of_failures = "");
  void InsertRun(const std::string& run_id, int failures);

  std::unique_ptr<LooseDatabase> database_ = GetParam().make();
};

}  // namespace flaky

#endif  // FLAKY_TESTS_STORES_ADOPTED_DATABASE_H_
