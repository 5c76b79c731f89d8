#include "tests/stores/adopted_database.h"
#include "tests/stores/mistyped_database.h"
#include "tests/stores/npm_database.h"
#include "tests/stores/turso_support.h"

namespace flaky {
namespace {

class LooseServer : public MistypedDatabase {
 public:
  LooseServer() { server_.Reset(); }
  void Execute(const std::string& sql) override { server_.Execute(sql); }
  std::vector<std::string> Query(const std::string& sql) override { return flaky::Query(server_, sql); }
  std::unique_ptr<Store> Open(OpenMode mode, const std::string& prefix) override {
    return OpenAt(server_, mode, prefix);
  }
  std::string location() const override { return server_.url(); }

 private:
  SqldServer& server_ = SqldServer::Shared();
};

const MistypedKind kKind = {"Server", [] { return std::make_unique<LooseServer>(); }};

INSTANTIATE_TEST_SUITE_P(Turso, MistypedValues, testing::Values(kKind), testing::PrintToStringParamName());
INSTANTIATE_TEST_SUITE_P(Turso, NpmDatabase, NpmDatabases(kKind), NpmDatabaseName);
INSTANTIATE_TEST_SUITE_P(Turso, AdoptedDatabase, testing::Values(kKind), testing::PrintToStringParamName());

}  // namespace
}  // namespace flaky
