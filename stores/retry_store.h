// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_RETRY_STORE_H_
#define FLAKY_STORES_RETRY_STORE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "stores/forwarding_store.h"

namespace flaky {

// When and how often a call that failed with ErrorKind::kTransient is repeated. The waits double from `first_wait` up
// to `longest_wait`. Each is drawn at random between half of that and all of it, so that processes that failed together
// do not return together. The time that a server asked for (StoreError::retry_after) is added; if the sum does not fit
// into the patience, the call is not repeated.
struct RetryPolicy {
  // No try begins later than this after the call began; in VisitFailures, after the first fault since the visitor last
  // got a failure.
  std::chrono::milliseconds patience{10'000};
  std::chrono::milliseconds first_wait{50};
  std::chrono::milliseconds longest_wait{5'000};
  std::optional<std::chrono::steady_clock::time_point> until;  // no try except a call's first one begins later
  std::function<bool()> stop;                                  // asked during the waits; true: give up
  // Called before each wait, on the thread of the call, after `tries` tries have failed.
  std::function<void(const StoreError& error, std::chrono::milliseconds wait, int64_t tries)> on_retry;
};

// A store whose transient failures are repeated. All verbs may be repeated: writes because records are idempotent,
// VisitFailures because it resumes after the last failure that the visitor got. What is still transient when the policy
// gives up is thrown as the store threw it, and so is every other error. What a visitor throws is never repeated.
class RetryStore : public ForwardingStore {
 public:
  RetryStore(std::unique_ptr<Store> inner, RetryPolicy policy);

  void VisitFailures(const FailureFilter& filter, const std::function<void(const FailureView&)>& visitor) override;

 protected:
  void Around(StoreVerb verb, const std::function<void()>& call) override;

 private:
  RetryPolicy policy_;
};

// Calls `open`, repeated in the same way, and wraps the store that it returns.
std::unique_ptr<Store> OpenWithRetry(const std::function<std::unique_ptr<Store>()>& open, RetryPolicy policy);

}  // namespace flaky

#endif  // FLAKY_STORES_RETRY_STORE_H_
