#ifndef FLAKY_STORES_RETRY_STORE_H_
#define FLAKY_STORES_RETRY_STORE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "stores/store.h"

namespace flaky {

// When and how often a call that failed with ErrorKind::kTransient is repeated. The waits double from `first_wait` up
// to `longest_wait`, each drawn at random between half and all of it, so that processes that failed together do not
// come back together. How long a server said to stay away (StoreError::retry_after) is added; where that does not fit,
// there is no other try.
struct RetryPolicy {
  // No try begins later than this after the call's begin; in VisitFailures, after the first fault since a failure was
  // last shown.
  std::chrono::milliseconds patience{10'000};
  std::chrono::milliseconds first_wait{50};
  std::chrono::milliseconds longest_wait{5'000};
  std::optional<std::chrono::steady_clock::time_point> until;  // no try but the first begins later, in any call
  std::function<bool()> stop;                                  // asked while waiting; true: give up
  // Told before each wait, on the thread of the call; `tries` failed so far.
  std::function<void(const StoreError& error, std::chrono::milliseconds wait, int64_t tries)> on_retry;
};

// Any store, with its transient failures repeated. All verbs may be repeated: writes because records are idempotent,
// and VisitFailures because it goes on behind the failure shown last. What is still transient when the policy gives up,
// and every other error, comes out as the store threw it; so does what a visitor throws, which is never repeated.
class RetryStore : public Store {
 public:
  RetryStore(std::unique_ptr<Store> inner, RetryPolicy policy);

  const std::string& name() const override { return inner_->name(); }
  SchemaState schema() override;
  StoreLimits limits() const override { return inner_->limits(); }
  std::vector<WriteResult> Write(std::span<const RunRecord> records) override;
  std::vector<WriteResult> Replace(std::span<const RunRecord> records) override;
  CopyClaim Claim(const std::string& holder, std::chrono::seconds lease, const std::string& instead_of) override;
  void Finish() override;
  Page Read(const PageRequest& request) override;
  std::vector<RunRecord> Fetch(std::span<const std::string> run_ids) override;
  std::vector<std::string> FindRuns(std::string_view prefix, size_t limit) override;
  void VisitFailures(const FailureFilter& filter, const std::function<void(const FailureView&)>& visitor) override;
  Totals Count(const RunFilter& filter) override;

 private:
  std::unique_ptr<Store> inner_;
  RetryPolicy policy_;
};

// Opens with `open`, repeated in the same way, and wraps what it gives.
std::unique_ptr<Store> OpenWithRetry(const std::function<std::unique_ptr<Store>()>& open, RetryPolicy policy);

}  // namespace flaky

#endif  // FLAKY_STORES_RETRY_STORE_H_
