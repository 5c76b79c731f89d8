// SPDX-License-Identifier: MIT
#ifndef FLAKY_TRANSFER_JSONL_FORMAT_H_
#define FLAKY_TRANSFER_JSONL_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string_view>

#include "history/run.h"
#include "stores/conversion.h"

// What the writer and the reader of the format share (docs/reference/jsonl.md).
namespace flaky {

inline constexpr std::string_view kJsonlFormat = "flaky_history";
inline constexpr int64_t kJsonlMajor = 1;
inline constexpr int64_t kJsonlMinor = 0;
inline constexpr size_t kMaxJsonlLine = 256 << 20;  // bytes, without the newline

// The largest row that fits into a line. Each byte of a text may become six, and the rest needs some space.
inline constexpr StoreLimits kJsonlLimits{.row_bytes = kMaxJsonlLine / 7};

// The roster lines that a part may refer to: the last ones before it, so that both sides remember a bounded number.
class RosterWindow {
 public:
  static constexpr size_t kMaxRosters = 256;
  static constexpr size_t kMaxBytes = 16 << 20;  // of `tests`; the last roster is remembered however large it is

  void Add(RosterPtr roster) {
    bytes_ += roster->tests.size();
    rosters_.push_front(std::move(roster));
    while (rosters_.size() > kMaxRosters || (bytes_ > kMaxBytes && rosters_.size() > 1)) {
      bytes_ -= rosters_.back()->tests.size();
      rosters_.pop_back();
    }
  }

  // Returns null if the window has no roster of this id.
  RosterPtr Find(std::string_view roster_id) const {
    for (const RosterPtr& roster : rosters_) {
      if (roster->roster_id == roster_id) return roster;
    }
    return nullptr;
  }

 private:
  std::deque<RosterPtr> rosters_;  // the newest first
  size_t bytes_ = 0;
};

}  // namespace flaky

#endif  // FLAKY_TRANSFER_JSONL_FORMAT_H_
