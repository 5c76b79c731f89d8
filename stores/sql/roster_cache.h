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

// Rosters that a store has read lately: successive runs mostly have the same. For one thread.
class RosterCache {
 public:
  // Null: it is not here.
  RosterPtr Find(std::string_view roster_id) const;

  // Null, and not here, where the tests are not those that the id was made of: it is damaged.
  RosterPtr Add(Roster roster);

  std::vector<std::string> Ids() const;

  // Forgets all of them once they are more than a few MB, or than `most`. Whoever holds one keeps it.
  void Trim(size_t most = std::numeric_limits<size_t>::max());

 private:
  std::map<std::string, RosterPtr, std::less<>> rosters_;
  size_t bytes_ = 0;
};

}  // namespace flaky

#endif  // FLAKY_STORES_SQL_ROSTER_CACHE_H_
