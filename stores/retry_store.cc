// SPDX-License-Identifier: MIT
#include "stores/retry_store.h"

#include <algorithm>
#include <exception>
#include <random>
#include <thread>
#include <utility>

namespace flaky {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// How soon RetryPolicy::stop is noticed.
constexpr milliseconds kSlice{50};

milliseconds Jittered(milliseconds wait) {
  thread_local std::minstd_rand random{std::random_device{}()};
  return milliseconds(std::uniform_int_distribution<int64_t>((wait.count() + 1) / 2, wait.count())(random));
}

// Returns false if it was asked to stop.
bool Wait(milliseconds wait, const RetryPolicy& policy) {
  const Clock::time_point end = Clock::now() + wait;
  for (;;) {
    if (policy.stop && policy.stop()) return false;
    const auto left = end - Clock::now();
    if (left <= Clock::duration::zero()) return true;
    std::this_thread::sleep_for(std::min<Clock::duration>(left, kSlice));
  }
}

// The tries of one call.
class Tries {
 public:
  explicit Tries(const RetryPolicy& policy)
      : policy_(policy), deadline_(Clock::now() + policy.patience), longest_(policy.first_wait) {}

  // Notes that the call has made progress since its last failure: the next failure starts patience and waits again.
  void Advance() { advanced_ = true; }

  // Waits after a failed try. Returns true if there is to be another.
  bool Another(const StoreError& error) {
    if (error.kind() != ErrorKind::kTransient) return false;
    const Clock::time_point now = Clock::now();
    if (std::exchange(advanced_, false)) {
      failed_ = 0;
      deadline_ = now + policy_.patience;
      longest_ = policy_.first_wait;
    }
    ++failed_;
    const Clock::time_point end = policy_.until ? std::min(deadline_, *policy_.until) : deadline_;
    const milliseconds left = std::chrono::ceil<milliseconds>(end - now);
    const milliseconds asked = error.retry_after().value_or(milliseconds(0));
    if (asked >= left) return false;  // checked before the addition, because a server may ask for any time
    const milliseconds wait = asked + Jittered(longest_);
    if (wait >= left) return false;
    if (policy_.on_retry) policy_.on_retry(error, wait, failed_);
    longest_ = std::min(longest_ * 2, policy_.longest_wait);
    return Wait(wait, policy_);
  }

 private:
  const RetryPolicy& policy_;
  Clock::time_point deadline_;
  milliseconds longest_;
  int64_t failed_ = 0;
  bool advanced_ = false;
};

template <typename Call>
auto Retrying(Tries tries, Call&& call) {
  for (;;) {
    try {
      return call();
    } catch (const StoreError& error) {
      if (!tries.Another(error)) throw;
    }
  }
}

}  // namespace

RetryStore::RetryStore(std::unique_ptr<Store> inner, RetryPolicy policy)
    : ForwardingStore(std::move(inner)), policy_(std::move(policy)) {}

void RetryStore::Around(StoreVerb, const std::function<void()>& call) { Retrying(Tries(policy_), call); }

void RetryStore::VisitFailures(const FailureFilter& filter, const std::function<void(const FailureView&)>& visitor) {
  FailureFilter rest = filter;
  Tries tries(policy_);
  std::exception_ptr thrown;  // by the visitor: not a failure of the store, even if it is a StoreError
  const auto show = [&](const FailureView& failure) {
    tries.Advance();
    rest.behind = FailureKey{failure.failed_at, failure.id};
    try {
      visitor(failure);
    } catch (...) {
      thrown = std::current_exception();
      throw;
    }
  };
  for (;;) {
    try {
      return inner().VisitFailures(rest, show);
    } catch (const StoreError& error) {
      if (thrown) std::rethrow_exception(thrown);
      if (!tries.Another(error)) throw;
    }
  }
}

std::unique_ptr<Store> OpenWithRetry(const std::function<std::unique_ptr<Store>()>& open, RetryPolicy policy) {
  std::unique_ptr<Store> store = Retrying(Tries(policy), open);
  return std::make_unique<RetryStore>(std::move(store), std::move(policy));
}

}  // namespace flaky
