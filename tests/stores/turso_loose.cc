#include "tests/stores/loose_database.h"
#include "tests/stores/turso_support.h"

namespace flaky {
namespace {

class LooseServer : public LooseDatabase {
 public:
  LooseServer() { server_.Reset(); }
  void Execute(const std::string& sql) override { server_.Execute(sql); }
  std::unique_ptr<Store> Open(OpenMode mode) override { return OpenAt(server_, mode, ""); }

 private:
  SqldServer& server_ = SqldServer::Shared();
};

INSTANTIATE_TEST_SUITE_P(Turso, LooseValues,
                         testing::Values(LooseKind{"Server", [] { return std::make_unique<LooseServer>(); }}),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace flaky
