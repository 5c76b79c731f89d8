// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_SPIN_LOCK_H_
#define FLAKY_RECORDER_SPIN_LOCK_H_

#include <time.h>

#include <atomic>
#include <cstdint>

#include "clock.h"
#include "system_calls.h"

#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// Held only while a fragment is copied, never while the user's code runs.
class SpinLock {
 public:
  // Returns false if another thread has held the lock for two seconds. A thread that was cancelled, or that jumped out
  // of a signal handler, would hold it forever, and the recorder must not hang the test program.
  bool Take() {
    if (!taken_.test_and_set(std::memory_order_acquire)) return true;
    const std::int64_t begin = AskKernel(CLOCK_MONOTONIC);
    do {
      sys::Yield();
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
