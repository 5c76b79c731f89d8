#include "tests/stores/adopted_database.h"
#include "tests/stores/mistyped_database.h"
#include "tests/stores/npm_database.h"
#include "tests/stores/sqlite_support.h"
#include "tests/support/temp_folder.h"

namespace flaky {
namespace {

class LooseFile : public MistypedDatabase {
 public:
  void Execute(const std::string& sql) override { RunSql(path_, sql); }
  std::vector<std::string> Query(const std::string& sql) override { return flaky::Query(path_, sql); }
  std::unique_ptr<Store> Open(OpenMode mode, const std::string& prefix) override {
    return OpenFile(path_, mode, prefix);
  }
  std::string location() const override { return "sqlite:" + path_; }

 private:
  TempFolder folder_;
  std::string path_ = folder_.File("loose.db");
};

const MistypedKind kKind = {"File", [] { return std::make_unique<LooseFile>(); }};

INSTANTIATE_TEST_SUITE_P(Sqlite, MistypedValues, testing::Values(kKind), testing::PrintToStringParamName());
INSTANTIATE_TEST_SUITE_P(Sqlite, NpmDatabase, NpmDatabases(kKind), NpmDatabaseName);
INSTANTIATE_TEST_SUITE_P(Sqlite, AdoptedDatabase, testing::Values(kKind), testing::PrintToStringParamName());

}  // namespace
}  // namespace flaky
