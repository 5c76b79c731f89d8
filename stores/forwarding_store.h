// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_FORWARDING_STORE_H_
#define FLAKY_STORES_FORWARDING_STORE_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "stores/store.h"

namespace flaky {

// The verbs that can fail.
enum class StoreVerb { kSchema, kWrite, kClaim, kFinish, kRead, kFetch, kFindRuns, kVisitFailures, kCount };
inline constexpr size_t kStoreVerbs = 9;

// A store that passes every call on to the store inside. A derived class changes all verbs at once by overriding
// Around, or single verbs.
class ForwardingStore : public Store {
 public:
  explicit ForwardingStore(std::unique_ptr<Store> inner);

  Store& inner() { return *inner_; }

  using Store::Write;
  const std::string& name() const override;
  SchemaState schema() override;
  StoreLimits limits() const override;
  std::vector<std::string> warnings() const override;
  std::vector<WriteResult> Write(std::span<const RunRecord> records, OnExisting on_existing) override;
  CopyClaim Claim(const std::string& holder, std::chrono::seconds lease, const std::string& instead_of) override;
  void Finish() override;
  Page Read(const PageRequest& request) override;
  std::vector<RunRecord> Fetch(std::span<const std::string> run_ids) override;
  std::vector<std::string> FindRuns(std::string_view prefix, size_t limit) override;
  void VisitFailures(const FailureFilter& filter, const std::function<void(const FailureView&)>& visitor) override;
  Totals Count(const RunFilter& filter) override;

 protected:
  // Calls `call`, which calls the verb of the store inside. May call it several times, or not at all if it throws.
  virtual void Around(StoreVerb verb, const std::function<void()>& call);

 private:
  template <typename Call>
  auto Forward(StoreVerb verb, Call&& call);

  std::unique_ptr<Store> inner_;
};

}  // namespace flaky

#endif  // FLAKY_STORES_FORWARDING_STORE_H_
