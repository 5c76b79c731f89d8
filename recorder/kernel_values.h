// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_KERNEL_VALUES_H_
#define FLAKY_RECORDER_KERNEL_VALUES_H_

#include <cstddef>
#include <cstdint>

#include "arguments.h"
#include "system_calls.h"

#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// What the kernel passed to this program when it started it (the auxiliary vector), without getauxval() and sysconf(),
// which tests of processor features and of limits replace.
struct KernelValues {
  const char* vdso = nullptr;             // the kernel's code in this process, or null
  std::size_t page = 0;                   // the page size; unless known, a multiple of it
  std::int64_t ticks_per_second = 0;      // of the times in /proc
  const void* random = nullptr;           // 16 random bytes, the same in all forked children, or null
  bool secure = false;                    // the program has rights that its caller does not have, as by setuid
  std::uintptr_t* unused_word = nullptr;  // one that no program reads, the same for all libraries of this process

  // Reads what is known without a system call. Returns true if AT_SECURE is among it.
  bool ReadStack() {
    *this = KernelValues();
    page = 65536;
    ticks_per_second = 100;
    return TakeFromStack();
  }

  void Read() {
    const bool knows_users = ReadStack() || TakeFromKernel();
    if (!knows_users) {
      secure = sys::GetUser() != sys::GetEffectiveUser() || RawCall(SYS_getgid) != RawCall(SYS_getegid);
    }
  }

 private:
  static constexpr std::uintptr_t kMostTypes = 1024;
  // The types of values, as <elf.h> has them. A project may have a header of that name.
  static constexpr std::uintptr_t kNull = 0, kPageSize = 6, kTicks = 17, kSecure = 23, kRandom = 25, kVdso = 33;

  // Returns true if AT_SECURE is among the values.
  bool TakeFromStack() {
    if (first_environment == nullptr) return false;
    char** entry = first_environment;
    while (*entry != nullptr) ++entry;
    // unsetenv() moves entries down and leaves more than one null. No value has the type 0.
    while (*entry == nullptr) ++entry;
    auto* const values = reinterpret_cast<std::uintptr_t*>(entry);
    if (values[0] >= kMostTypes) return false;
    const std::size_t end = Take(values, kMostTypes);
    unused_word = values + end + 1;
    return has_secure_;
  }

  bool TakeFromKernel() {
    static std::uintptr_t values[128];
    constexpr long kGetAuxv = 0x41555856;
    long size = RawCall(SYS_prctl, kGetAuxv, Word(values), sizeof values);  // since Linux 6.4
    if (size > 0) NoteWritten(values, sizeof values);
    if (size <= 0) {
      const long fd = sys::Open("/proc/self/auxv", O_RDONLY | O_CLOEXEC);
      if (fd < 0) return false;
      size = sys::Read(static_cast<int>(fd), values, sizeof values - 2 * sizeof values[0]);
      sys::Close(static_cast<int>(fd));
    }
    if (size > 0) Take(values, sizeof values / sizeof values[0] - 1);
    return has_secure_;
  }

  // Returns the index of the value that ends the vector.
  std::size_t Take(const std::uintptr_t* values, std::size_t most) {
    std::size_t at = 0;
    for (; at + 1 < most && values[at] != kNull; at += 2) {
      const std::uintptr_t value = values[at + 1];
      if (values[at] == kVdso) vdso = reinterpret_cast<const char*>(value);
      if (values[at] == kRandom) random = reinterpret_cast<const void*>(value);
      if (values[at] == kPageSize && value >= 4096) page = value;
      if (values[at] == kTicks && value > 0) ticks_per_second = static_cast<std::int64_t>(value);
      if (values[at] == kSecure) secure = value != 0, has_secure_ = true;
    }
    return at;
  }

  bool has_secure_ = false;
};

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_KERNEL_VALUES_H_
