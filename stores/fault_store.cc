// SPDX-License-Identifier: MIT
#include "stores/fault_store.h"

namespace flaky {

void FaultStore::Inject(const Fault& fault) { faults_.push_back({fault, Calls(fault.verb) + fault.call}); }

void FaultStore::FailIfDue(StoreVerb verb, Fault::When when) const {
  const int64_t call = Calls(verb);
  for (const Armed& armed : faults_) {
    const Fault& fault = armed.fault;
    if (fault.verb != verb || fault.when != when || call < armed.first || call >= armed.first + fault.times) continue;
    throw StoreError(fault.kind, name(), "answer", "INJECTED",
                     when == Fault::When::kBefore ? "a fault was injected" : "an injected fault lost the answer");
  }
}

void FaultStore::Around(StoreVerb verb, const std::function<void()>& call) {
  ++calls_[static_cast<size_t>(verb)];
  FailIfDue(verb, Fault::When::kBefore);
  call();
  FailIfDue(verb, Fault::When::kAfter);
}

}  // namespace flaky
