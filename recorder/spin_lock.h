#ifndef FLAKY_RECORDER_SPIN_LOCK_H_
#define FLAKY_RECORDER_SPIN_LOCK_H_

#include <sched.h>

#include <atomic>
#include <cstdint>

#include "clock.h"

#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// Held for the copying of a fragment only, never while code of the user runs.
class SpinLock {
 public:
  // False when another thread kept the lock for two seconds, as one that was cancelled or jumped out of a signal
  // handler would for ever: a test program must not hang for our sake.
  bool Take() {
    if (!taken_.test_and_set(std::memory_order_acquire)) return true;
    const std::int64_t begin = AskKernel(CLOCK_MONOTONIC);
    do {
      sched_yield();
      if (!taken_.test_and_set(std::memory_order_acquire)) return true;
    } while (AskKernel(CLOCK_MONOTONIC) - begin < std::int64_t{2000000000});
    return false;
  }
  void Release() { taken_.clear(std::memory_order_release); }

 private:
  std::atomic_flag taken_ = ATOMIC_FLAG_INIT;
};

class SpinGuard {
 public:
  explicit SpinGuard(SpinLock& lock) : lock_(lock), held_(lock.Take()) {}
  SpinGuard(const SpinGuard&) = delete;
  SpinGuard& operator=(const SpinGuard&) = delete;
  ~SpinGuard() {
    if (held_) lock_.Release();
  }
  bool held() const { return held_; }

 private:
  SpinLock& lock_;
  const bool held_;
};

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_SPIN_LOCK_H_
