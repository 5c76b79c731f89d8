// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_PROCESS_PAGE_H_
#define FLAKY_RECORDER_PROCESS_PAGE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "kernel_values.h"
#include "system_calls.h"

#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// The address of the page of this process, encoded, if the kernel's values have no place for it. Not all
// of them find this variable: a library may hide its symbols.
[[gnu::visibility("default")]] inline std::uintptr_t page_of_process = 0;

// What all copies of the recorder in a process share. A process may contain several, with one GoogleTest or several,
// and none of them may see the others' symbols. They meet at the one word that every library of a process can reach
// without a symbol and that no program reads: the value next to AT_NULL, which ends the kernel's auxiliary vector. It
// points to a mapping of two pages. The kernel clears the second one in a forked child, however the child was created,
// so a copy that was active can see that it is now in a child, without a system call. See docs/adr/0015.
class ProcessPage {
 public:
  // Returns true if a copy in this process has made the page, as far as that is known without a system call.
  static bool Exists() {
    KernelValues values;
    values.ReadStack();
    return __atomic_load_n(PlaceOf(values), __ATOMIC_ACQUIRE) != 0;
  }

  // Finds or creates the page. Without memory for it, every copy is alone, and each question costs a system call.
  void Open(const KernelValues& values) {
    if (shared_ != nullptr) return;
    static_assert(sizeof(Shared) <= 4096);
    std::uintptr_t* const place = PlaceOf(values);
    std::uintptr_t known = __atomic_load_n(place, __ATOMIC_ACQUIRE);
    shared_ = Decode(known);
    if (known != 0) return;
    long error = 0;
    void* const memory = sys::Map(2 * values.page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0, error);
    if (memory == nullptr) return;
    auto* const fresh = static_cast<Shared*>(memory);  // the kernel's zeros are its initial value
    fresh->token = reinterpret_cast<std::uint64_t*>(static_cast<char*>(memory) + values.page);
    // An emulator may accept any advice, even -1.
    if (sys::Advise(fresh->token, values.page, kWipeOnFork) != 0 || sys::Advise(fresh->token, values.page, -1) == 0) {
      fresh->token = nullptr;
    }
    if (__atomic_compare_exchange_n(place, &known, Encode(fresh), false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
      shared_ = fresh;
    } else {
      shared_ = Decode(known);
      sys::Unmap(memory, 2 * values.page);
    }
  }

  // Returns the time that the first caller has given, of all copies in this process and in those that are forked from
  // it later.
  std::int64_t StartOnce(std::int64_t milliseconds) {
    if (shared_ == nullptr) return milliseconds;
    std::int64_t known = 0;
    return shared_->start.compare_exchange_strong(known, milliseconds) ? milliseconds : known;
  }

  // Makes this process the one in which IsMine() returns true.
  void Enter() {
    pid_ = sys::GetPid();
    if (shared_ == nullptr || shared_->token == nullptr) return;
    std::uint64_t none = 0;
    const std::uint64_t fresh = shared_->last_token.fetch_add(1) + 1;
    __atomic_compare_exchange_n(shared_->token, &none, fresh, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
    word_ = shared_->token;
    token_ = __atomic_load_n(word_, __ATOMIC_ACQUIRE);
  }

  // Returns true in the process that called Enter(), and false in its children, unless they share its memory.
  bool IsMine() const {
    if (__builtin_expect(word_ == nullptr, 0)) return pid_ == sys::GetPid();
    return __atomic_load_n(word_, __ATOMIC_RELAXED) == token_;
  }

  // Makes `owner` the one that records this GoogleTest. Returns false if another copy does.
  bool Claim(const void* unit_test, const void* owner) {
    if (shared_ == nullptr) return true;
    for (const Claimed& claim : shared_->claims) {
      if (claim.unit_test == unit_test) return claim.owner == owner;
    }
    // Another thread may claim another GoogleTest now, but never this one.
    for (Claimed& claim : shared_->claims) {
      const void* none = nullptr;
      if (!claim.unit_test.compare_exchange_strong(none, unit_test)) continue;
      claim.owner = owner;
      break;
    }
    return true;
  }

  // Ends the claims of `owner`, which is about to be unloaded.
  void Release(const void* owner) {
    if (shared_ == nullptr) return;
    for (Claimed& claim : shared_->claims) {
      if (claim.owner != owner) continue;
      claim.owner = nullptr;
      claim.unit_test = nullptr;
    }
  }

 private:
  static constexpr int kWipeOnFork = 18;  // MADV_WIPEONFORK, since Linux 4.14
  static constexpr std::uint64_t kMagic = 0x1F4A6B79'72656331;

  struct Claimed {
    std::atomic<const void*> unit_test, owner;
  };
  struct Shared {
    std::uint64_t* token;  // on the second page; null if the kernel cannot clear it
    std::atomic<std::uint64_t> last_token;
    Claimed claims[128];
    std::atomic<std::int64_t> start;  // 0: not known yet; at the end, because an older recorder does not have it
  };

  static std::uintptr_t* PlaceOf(const KernelValues& values) {
    return values.unused_word == nullptr ? &page_of_process : values.unused_word;
  }

  // A value that something else has written decodes to no address.
  static std::uintptr_t Encode(const Shared* shared) {
    return reinterpret_cast<std::uintptr_t>(shared) ^ static_cast<std::uintptr_t>(kMagic);
  }
  static Shared* Decode(std::uintptr_t value) {
    if (value == 0) return nullptr;
    const std::uintptr_t address = value ^ static_cast<std::uintptr_t>(kMagic);
    return address % 4096 == 0 ? reinterpret_cast<Shared*>(address) : nullptr;
  }

  Shared* shared_ = nullptr;
  const std::uint64_t* word_ = nullptr;  // that of the token, or null
  std::uint64_t token_ = 0;
  pid_t pid_ = 0;
};

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_PROCESS_PAGE_H_
