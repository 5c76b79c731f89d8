// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_SQL_ROSTER_CACHE_H_
#define FLAKY_STORES_SQL_ROSTER_CACHE_H_

#include <cstddef>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "history/run.h"

namespace flaky {

// Caches the rosters that a store has read: successive runs mostly have the same ones. For one thread.
class RosterCache {
 public:
  // Returns null if the roster is not cached.
  RosterPtr Find(std::string_view roster_id) const;

  // Returns null, and does not cache the roster, if its tests do not match its id: it is damaged.
  RosterPtr Add(Roster roster);

  std::vector<std::string> Ids() const;

  // Drops all rosters if they are larger than a few MB, or more than `most`. Pointers that were returned stay valid.
  void Trim(size_t most = std::numeric_limits<size_t>::max());

 private:
  std::map<std::string, RosterPtr, std::less<>> rosters_;
  size_t bytes_ = 0;
};

}  // namespace flaky

#endif  // FLAKY_STORES_SQL_ROSTER_CACHE_H_
