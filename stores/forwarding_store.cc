// SPDX-License-Identifier: MIT
#include "stores/forwarding_store.h"

#include <optional>
#include <utility>

namespace flaky {

ForwardingStore::ForwardingStore(std::unique_ptr<Store> inner) : inner_(std::move(inner)) {}

void ForwardingStore::Around(StoreVerb, const std::function<void()>& call) { call(); }

template <typename Call>
auto ForwardingStore::Forward(StoreVerb verb, Call&& call) {
  std::optional<decltype(call())> answer;
  Around(verb, [&] { answer = call(); });
  return std::move(*answer);
}

const std::string& ForwardingStore::name() const { return inner_->name(); }

StoreLimits ForwardingStore::limits() const { return inner_->limits(); }

std::vector<std::string> ForwardingStore::warnings() const { return inner_->warnings(); }

SchemaState ForwardingStore::schema() {
  return Forward(StoreVerb::kSchema, [&] { return inner_->schema(); });
}

std::vector<WriteResult> ForwardingStore::Write(std::span<const RunRecord> records, OnExisting on_existing) {
  return Forward(StoreVerb::kWrite, [&] { return inner_->Write(records, on_existing); });
}

CopyClaim ForwardingStore::Claim(const std::string& holder, std::chrono::seconds lease, const std::string& instead_of) {
  return Forward(StoreVerb::kClaim, [&] { return inner_->Claim(holder, lease, instead_of); });
}

void ForwardingStore::Finish() {
  Around(StoreVerb::kFinish, [&] { inner_->Finish(); });
}

Page ForwardingStore::Read(const PageRequest& request) {
  return Forward(StoreVerb::kRead, [&] { return inner_->Read(request); });
}

std::vector<RunRecord> ForwardingStore::Fetch(std::span<const std::string> run_ids) {
  return Forward(StoreVerb::kFetch, [&] { return inner_->Fetch(run_ids); });
}

std::vector<std::string> ForwardingStore::FindRuns(std::string_view prefix, size_t limit) {
  return Forward(StoreVerb::kFindRuns, [&] { return inner_->FindRuns(prefix, limit); });
}

void ForwardingStore::VisitFailures(const FailureFilter& filter,
                                    const std::function<void(const FailureView&)>& visitor) {
  Around(StoreVerb::kVisitFailures, [&] { inner_->VisitFailures(filter, visitor); });
}

Totals ForwardingStore::Count(const RunFilter& filter) {
  return Forward(StoreVerb::kCount, [&] { return inner_->Count(filter); });
}

}  // namespace flaky
