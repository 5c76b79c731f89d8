#ifndef FLAKY_TESTS_STORES_MISTYPED_DATABASE_H_
#define FLAKY_TESTS_STORES_MISTYPED_DATABASE_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "stores/store.h"

namespace flaky {

// An empty database of SQLite's kind, as the stores, without a prefix unless told, and as others see it.
class LooseDatabase {
 public:
  virtual ~LooseDatabase() = default;
  virtual void Execute(const std::string& sql) = 0;
  // The first column of the rows.
  virtual std::vector<std::string> Query(const std::string& sql) = 0;
  virtual std::unique_ptr<Store> Open(OpenMode mode, const std::string& prefix) = 0;
  std::unique_ptr<Store> Open(OpenMode mode) { return Open(mode, ""); }
  // For OpenStore, without its prefix.
  virtual std::string location() const = 0;
};

// Which one. The tests of loose_values_test.cc and loose_times_test.cc are linked to every program that has one of
// these.
struct LooseKind {
  std::string name;
  std::function<std::unique_ptr<LooseDatabase>()> make;
};
inline std::ostream& operator<<(std::ostream& out, const LooseKind& kind) { return out << kind.name; }

// Tables whose columns have no type and so hold any value.
class LooseValues : public testing::TestWithParam<LooseKind> {
 protected:
  LooseValues();

  void Execute(const std::string& sql) { database_->Execute(sql); }
  std::unique_ptr<Store> Open(OpenMode mode) { return database_->Open(mode); }

 private:
  std::unique_ptr<LooseDatabase> database_;
};

}  // namespace flaky

#endif  // FLAKY_TESTS_STORES_MISTYPED_DATABASE_H_
