#include "stores/fault_store.h"
#include "stores/memory/memory_store.h"
#include "tests/contract/contract.h"

namespace flaky {
namespace {

class MemoryPlace : public Place {
 public:
  std::unique_ptr<Store> Open(OpenMode mode) override { return OpenMemory(history_, mode); }
  void AgeClaims(std::chrono::seconds time) override { now_ += time; }

 private:
  std::chrono::steady_clock::time_point now_;
  std::shared_ptr<MemoryHistory> history_ = MakeMemoryHistory([this] { return now_; });
};

// Without injected faults, the fault wrapper behaves like the store inside.
class FaultPlace : public MemoryPlace {
 public:
  std::unique_ptr<Store> Open(OpenMode mode) override { return std::make_unique<FaultStore>(MemoryPlace::Open(mode)); }
};

INSTANTIATE_TEST_SUITE_P(Memory, StoreContract,
                         testing::Values(Traits{"Plain", [] { return std::make_unique<MemoryPlace>(); }, false},
                                         Traits{"Faulty", [] { return std::make_unique<FaultPlace>(); }, false}),
                         NameOf);

}  // namespace
}  // namespace flaky
