// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_REPEATS_H_
#define FLAKY_RECORDER_REPEATS_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "journal_file.h"

#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// Bounds the journal of `--gtest_repeat`. Iterations are listed until their results would exceed kMostListed bytes. The
// later ones are counted: a test that passes is not listed, and neither is a test that is skipped if it was skipped in
// the first iteration, too. An iteration with nothing to list leaves no line; the gap in the numbers counts it.
class Repeats {
 public:
  // `position`: of the journal after its header.
  void Begin(std::size_t position) {
    first_begin_ = iteration_begin_ = position;
    first_size_ = 0;
    is_first_ = true;
    counting_ = false;
    skips_.Clear();
  }

  // Call before the line of the next iteration is written. Removes the line of a counted iteration that has no results.
  void NextIteration(JournalFile& file) {
    if (is_first_) first_size_ = file.position() - first_begin_;
    is_first_ = false;
    if (counting_ && file.position() == iteration_end_) file.RewindTo(iteration_begin_);
    iteration_begin_ = file.position();
    counting_ = counting_ || iteration_begin_ - first_begin_ + first_size_ > kMostListed;
  }

  // Call after the line of an iteration was written.
  void IterationBegan(std::size_t position) { iteration_end_ = position; }

  // Returns true if passes are counted in this iteration.
  bool counting() const { return counting_; }

  // Returns true if this result without failures is counted instead of listed. `test` identifies the test: the address
  // of its name, which is the same in all iterations.
  bool IsCounted(const char* test, std::string_view outcome) {
    const bool skipped = outcome == "skipped";
    if (is_first_ && skipped) skips_.Add(test);
    if (!counting_ || !skips_.complete()) return false;
    return skips_.Has(test) ? skipped : outcome == "passed";
  }

 private:
  static constexpr std::size_t kMostListed = std::size_t{3} << 20;

  // A set of addresses with a fixed capacity. Its memory is not touched before the first Add.
  class Addresses {
   public:
    void Clear() {
      if (count_ == 0) return;
      for (const char*& slot : slots_) slot = nullptr;
      count_ = 0;
    }
    void Add(const char* address) {
      if (!complete() || Has(address)) return;
      if (++count_ > kMost) return;
      slots_[FreeSlotOr(address)] = address;
    }
    bool Has(const char* address) const { return count_ > 0 && slots_[FreeSlotOr(address)] == address; }
    // Returns false if there were more addresses than the set can hold.
    bool complete() const { return count_ <= kMost; }

   private:
    static constexpr std::size_t kSlots = 8192, kMost = kSlots / 2;

    // Returns the slot of the address, or the free slot that is to hold it.
    std::size_t FreeSlotOr(const char* address) const {
      std::size_t at = static_cast<std::size_t>(reinterpret_cast<std::uintptr_t>(address) * 0x9E3779B97F4A7C15u >> 32);
      while (slots_[at %= kSlots] != nullptr && slots_[at] != address) ++at;
      return at;
    }
    const char* slots_[kSlots] = {};
    std::size_t count_ = 0;
  };

  std::size_t first_begin_ = 0;      // of the first iteration's results
  std::size_t first_size_ = 0;       // of the first iteration's results
  std::size_t iteration_begin_ = 0;  // of the current iteration's line
  std::size_t iteration_end_ = 0;    // of the current iteration's line
  bool is_first_ = true;
  bool counting_ = false;
  Addresses skips_;  // the tests that the first iteration skipped
};

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_REPEATS_H_
