// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_CLOCK_H_
#define FLAKY_RECORDER_CLOCK_H_

#include <time.h>

#include <cstdint>
#include <string_view>

#include "kernel_code.h"
#include "system_calls.h"

// Clocks that a test program cannot fake by defining or preloading `clock_gettime`, as some do.
#pragma GCC visibility push(hidden)
namespace flaky_recorder {

inline std::int64_t NanosecondsOf(const sys::Time& time) { return time.seconds * 1000000000 + time.nanoseconds; }

inline std::int64_t AskKernel(clockid_t clock) {
  sys::Time time = {};
  sys::ClockGetTime(clock, time);
  return NanosecondsOf(time);
}

// Microseconds since 1970.
inline std::int64_t WallMicroseconds() { return AskKernel(CLOCK_REALTIME) / 1000; }

// Nanoseconds of a clock that does not jump. Now() takes 20 ns instead of a system call's 150 if the kernel has put its
// clock into the process (vDSO).
class SteadyClock {
 public:
  // The kernel's code has no type that clang's control-flow integrity could check.
#if defined(__clang__)
  __attribute__((no_sanitize("cfi-icall", "function")))
#endif
  std::int64_t
  Now() const {
    sys::Time time = {};
    if (clock_gettime_ == nullptr || clock_gettime_(CLOCK_MONOTONIC, &time) != 0) return AskKernel(CLOCK_MONOTONIC);
    return NanosecondsOf(time);
  }

  // Finds the clock in the kernel's code at `vdso`, which may be null. Until it is called, Now() makes a system call.
  void Prepare([[maybe_unused]] const char* vdso) {
#if defined(__LP64__)
#if defined(__aarch64__)
    constexpr std::string_view kName = "__kernel_clock_gettime";
#else
    constexpr std::string_view kName = "__vdso_clock_gettime";
#endif
    clock_gettime_ = reinterpret_cast<decltype(clock_gettime_)>(FindKernelCode(vdso, kName));
#endif
  }

 private:
  int (*clock_gettime_)(clockid_t, sys::Time*) = nullptr;
};

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_CLOCK_H_
