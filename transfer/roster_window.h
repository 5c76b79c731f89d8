// SPDX-License-Identifier: MIT
#ifndef FLAKY_TRANSFER_ROSTER_WINDOW_H_
#define FLAKY_TRANSFER_ROSTER_WINDOW_H_

#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "history/run.h"

namespace flaky {

// The roster lines to which a part may refer: the last ones before it, so that the writer and the reader of a file
// remember the same bounded number. A roster comes after its lists. The lines from the one after the last roster but
// one on are always remembered, however many and large they are.
class RosterWindow {
 public:
  static constexpr size_t kMaxRosters = 4096;
  static constexpr size_t kMaxBytes = 16 << 20;  // of `tests`

  // Adds the content of a line. `lists`: the ids of the lists that a roster names.
  void Add(RosterPtr roster, std::vector<std::string> lists);

  // Adds a roster and its lists to those of a record, each once. Returns false, and adds nothing, if the window lacks
  // one of them.
  bool Give(std::string_view roster_id, std::vector<RosterPtr>& rosters) const;

  // Returns null if the window has no roster or list of this id.
  RosterPtr Find(std::string_view roster_id) const;

 private:
  struct Entry {
    RosterPtr roster;
    std::vector<std::string> lists;
  };

  std::map<std::string, Entry, std::less<>> entries_;
  std::deque<std::string> ids_;  // the newest last
  size_t bytes_ = 0;
  size_t newest_ = 0;      // how many of the last ones are always remembered
  bool is_closed_ = true;  // the last one is a roster
};

}  // namespace flaky

#endif  // FLAKY_TRANSFER_ROSTER_WINDOW_H_
