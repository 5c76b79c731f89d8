// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_FAULT_STORE_H_
#define FLAKY_STORES_FAULT_STORE_H_

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "stores/forwarding_store.h"

namespace flaky {

// One failure that a FaultStore produces.
struct Fault {
  enum class When {
    kBefore,  // the call has no effect
    kAfter,   // the call takes effect, but its answer is lost
  };
  StoreVerb verb = StoreVerb::kWrite;
  When when = When::kBefore;
  ErrorKind kind = ErrorKind::kTransient;
  int64_t call = 1;   // counted from the injection: 1 is the verb's next call
  int64_t times = 1;  // how many successive calls of the verb fail
};

// A store that fails as requested and otherwise does what the store inside does. Tests use it to show that callers lose
// and duplicate nothing. It counts the calls, so that tests can check which calls were made.
class FaultStore : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  void Inject(const Fault& fault);
  // Returns the number of calls of the verb so far, including failed ones.
  int64_t Calls(StoreVerb verb) const { return calls_[static_cast<size_t>(verb)]; }

 protected:
  void Around(StoreVerb verb, const std::function<void()>& call) override;

 private:
  void FailIfDue(StoreVerb verb, Fault::When when) const;

  struct Armed {
    Fault fault;
    int64_t first;  // in the verb's count of calls
  };
  std::vector<Armed> faults_;
  std::array<int64_t, kStoreVerbs> calls_ = {};
};

}  // namespace flaky

#endif  // FLAKY_STORES_FAULT_STORE_H_
