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

// An empty database with SQLite's dialect, as the stores (without a prefix by default) and as other tools see it.
class MistypedDatabase {
 public:
  virtual ~MistypedDatabase() = default;
  virtual void Execute(const std::string& sql) = 0;
  // Returns the first column of the rows.
  virtual std::vector<std::string> Query(const std::string& sql) = 0;
  virtual std::unique_ptr<Store> Open(OpenMode mode, const std::string& prefix) = 0;
  std::unique_ptr<Store> Open(OpenMode mode) { return Open(mode, ""); }
  // For OpenStore, without its prefix.
  virtual std::string location() const = 0;
};

// Which database. Every program with such a kind links mistyped_values_test.cc and mistyped_times_test.cc.
struct MistypedKind {
  std::string name;
  std::function<std::unique_ptr<MistypedDatabase>()> make;
};
inline std::ostream& operator<<(std::ostream& out, const MistypedKind& kind) { return out << kind.name; }

// Tables whose columns have no type, so that they hold any value.
class MistypedValues : public testing::TestWithParam<MistypedKind> {
 protected:
  MistypedValues();

  void Execute(const std::string& sql) { database_->Execute(sql); }
  std::unique_ptr<Store> Open(OpenMode mode) { return database_->Open(mode); }

 private:
  std::unique_ptr<MistypedDatabase> database_;
};

}  // namespace flaky

#endif  // FLAKY_TESTS_STORES_MISTYPED_DATABASE_H_
