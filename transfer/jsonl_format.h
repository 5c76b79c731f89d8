#ifndef FLAKY_TRANSFER_JSONL_FORMAT_H_
#define FLAKY_TRANSFER_JSONL_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string_view>

#include "history/run.h"
#include "stores/conversion.h"

// What the writer and the reader of docs/reference/jsonl.md agree on.
namespace flaky {

inline constexpr std::string_view kJsonlFormat = "flaky_history";
inline constexpr int64_t kJsonlMajor = 1;
inline constexpr int64_t kJsonlMinor = 0;
inline constexpr size_t kMaxJsonlLine = 256 << 20;  // bytes, without the line's end

// What fits into a line, where each byte of a text may become six, with room for the rest.
inline constexpr StoreLimits kJsonlLimits{.row_bytes = kMaxJsonlLine / 7};

// The roster lines that a part may still refer to: the last ones, so that both sides need to remember only so many.
class RosterWindow {
 public:
  static constexpr size_t kMaxRosters = 256;
  static constexpr size_t kMaxBytes = 16 << 20;  // of `tests`; the last one is remembered whatever its size

  void Add(RosterPtr roster) {
    bytes_ += roster->tests.size();
    rosters_.push_front(std::move(roster));
    while (rosters_.size() > kMaxRosters || (bytes_ > kMaxBytes && rosters_.size() > 1)) {
      bytes_ -= rosters_.back()->tests.size();
      rosters_.pop_back();
    }
  }

  // Null where there is none of this id.
  RosterPtr Find(std::string_view roster_id) const {
    for (const RosterPtr& roster : rosters_) {
      if (roster->roster_id == roster_id) return roster;
    }
    return nullptr;
  }

 private:
  std::deque<RosterPtr> rosters_;  // the last one first
  size_t bytes_ = 0;
};

}  // namespace flaky

#endif  // FLAKY_TRANSFER_JSONL_FORMAT_H_
