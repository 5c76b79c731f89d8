// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_SQL_ROSTER_CACHE_H_
#define FLAKY_STORES_SQL_ROSTER_CACHE_H_

#include <cstddef>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "history/run.h"

namespace flaky {

// Caches the rosters, and the lists that they name, that a store has read: successive runs mostly have the same ones.
// For one thread.
class RosterCache {
 public:
  // Returns null if the roster is not cached.
  RosterPtr Find(std::string_view roster_id) const;

  // Returns null, and does not cache the text, if it does not match its id or is neither a roster nor a list.
  RosterPtr Add(Roster roster);

  // Returns the ids of the lists that a cached roster names; none for a list.
  std::span<const std::string> Lists(std::string_view roster_id) const;

  // Adds a roster and its lists to a record's, each once. Returns false, and adds nothing, if one of them is not
  // cached.
  bool Give(std::string_view roster_id, std::vector<RosterPtr>& rosters) const;

  std::vector<std::string> Ids() const;

  // Drops everything if it is larger than a few MB, or more than `most`. Pointers that were returned stay valid.
  void Trim(size_t most = std::numeric_limits<size_t>::max());

 private:
  struct Entry {
    RosterPtr roster;
    std::vector<std::string> lists;
  };
  std::map<std::string, Entry, std::less<>> rosters_;
  size_t bytes_ = 0;
};

}  // namespace flaky

#endif  // FLAKY_STORES_SQL_ROSTER_CACHE_H_
