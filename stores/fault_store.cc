#include "stores/fault_store.h"

#include <type_traits>
#include <utility>

namespace flaky {

void FaultStore::Inject(const Fault& fault) { faults_.push_back({fault, Calls(fault.verb) + fault.call}); }

void FaultStore::FailIfDue(StoreVerb verb, Fault::When when) const {
  const int64_t call = Calls(verb);
  for (const Armed& armed : faults_) {
    const Fault& fault = armed.fault;
    if (fault.verb != verb || fault.when != when || call < armed.first || call >= armed.first + fault.times) continue;
    throw StoreError(fault.kind, name(), "answer", "INJECTED",
                     when == Fault::When::kBefore ? "a fault was asked for" : "the answer was lost, as was asked for");
  }
}

template <typename Call>
auto FaultStore::Do(StoreVerb verb, Call&& call) {
  ++calls_[static_cast<size_t>(verb)];
  FailIfDue(verb, Fault::When::kBefore);
  if constexpr (std::is_void_v<decltype(call())>) {
    call();
    FailIfDue(verb, Fault::When::kAfter);
  } else {
    auto answer = call();
    FailIfDue(verb, Fault::When::kAfter);
    return answer;
  }
}

SchemaState FaultStore::schema() {
  return Do(StoreVerb::kSchema, [&] { return inner_->schema(); });
}

std::vector<WriteResult> FaultStore::Write(std::span<const RunRecord> records) {
  return Do(StoreVerb::kWrite, [&] { return inner_->Write(records); });
}

std::vector<WriteResult> FaultStore::Replace(std::span<const RunRecord> records) {
  return Do(StoreVerb::kReplace, [&] { return inner_->Replace(records); });
}

CopyClaim FaultStore::Claim(const std::string& holder, std::chrono::seconds lease, const std::string& instead_of) {
  return Do(StoreVerb::kClaim, [&] { return inner_->Claim(holder, lease, instead_of); });
}

void FaultStore::Finish() {
  Do(StoreVerb::kFinish, [&] { inner_->Finish(); });
}

Page FaultStore::Read(const PageRequest& request) {
  return Do(StoreVerb::kRead, [&] { return inner_->Read(request); });
}

std::vector<RunRecord> FaultStore::Fetch(std::span<const std::string> run_ids) {
  return Do(StoreVerb::kFetch, [&] { return inner_->Fetch(run_ids); });
}

std::vector<std::string> FaultStore::FindRuns(std::string_view prefix, size_t limit) {
  return Do(StoreVerb::kFindRuns, [&] { return inner_->FindRuns(prefix, limit); });
}

void FaultStore::VisitFailures(const FailureFilter& filter, const std::function<void(const FailureView&)>& visitor) {
  Do(StoreVerb::kVisitFailures, [&] { inner_->VisitFailures(filter, visitor); });
}

Totals FaultStore::Count(const RunFilter& filter) {
  return Do(StoreVerb::kCount, [&] { return inner_->Count(filter); });
}

}  // namespace flaky
