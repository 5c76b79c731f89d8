// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_THREAD_PLACE_H_
#define FLAKY_RECORDER_THREAD_PLACE_H_

#include <cstddef>
#include <cstdint>

#include "system_calls.h"

#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// Returns what is different in each thread of this process, without pthread_self().
inline std::uintptr_t ThisThread() {
#if defined(__x86_64__)
  std::uintptr_t thread;
  __asm__("{movq %%fs:0, %0|mov %0, QWORD PTR fs:0}" : "=r"(thread));  // the ABI's thread pointer
  return thread;
#elif defined(__aarch64__)
  std::uintptr_t thread;
  __asm__("mrs %0, tpidr_el0" : "=r"(thread));
  return thread;
#elif defined(__riscv)
  std::uintptr_t thread;
  __asm__("mv %0, tp" : "=r"(thread));
  return thread;
#else
  return static_cast<std::uintptr_t>(sys::GetThreadId());
#endif
}

// A thread, and how deep in calls it is.
struct ThreadPlace {
  std::uintptr_t thread = 0;
  std::uintptr_t frame = 0;  // an address on its stack, which grows downwards

  // Returns true if this place is in calls from where `other` was. A place far away is on another stack.
  bool IsBelow(const ThreadPlace& other) const {
    constexpr std::uintptr_t kDeepest = std::uintptr_t{1} << 26;
    return thread == other.thread && frame < other.frame && other.frame - frame < kDeepest;
  }
};

// Returns the place of its caller.
[[gnu::always_inline]] inline ThreadPlace ThisPlace() {
  return {ThisThread(), reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0))};
}

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_THREAD_PLACE_H_
