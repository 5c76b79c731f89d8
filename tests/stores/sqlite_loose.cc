#include "tests/stores/loose_database.h"
#include "tests/stores/sqlite_support.h"
#include "tests/support/temp_folder.h"

namespace flaky {
namespace {

class LooseFile : public LooseDatabase {
 public:
  void Execute(const std::string& sql) override { RunSql(path_, sql); }
  std::unique_ptr<Store> Open(OpenMode mode) override { return OpenFile(path_, mode, ""); }

 private:
  TempFolder folder_;
  std::string path_ = folder_.File("loose.db");
};

INSTANTIATE_TEST_SUITE_P(Sqlite, LooseValues,
                         testing::Values(LooseKind{"File", [] { return std::make_unique<LooseFile>(); }}),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace flaky
